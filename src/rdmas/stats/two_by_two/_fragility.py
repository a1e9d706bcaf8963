"""How many patients' outcomes carry a significant result."""

import pandas as pd

from rdmas.stats import checks
from rdmas.stats.two_by_two._tests import p_value

_TO_EVENT = "to event"
_TO_NON_EVENT = "to non-event"


def fragility(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher", alpha: float = 0.05
) -> pd.DataFrame:
    """
    Fewest outcome switches that take P to `alpha` or above, by arm and direction.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    test : str, default "fisher"
        A key of `TESTS`.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1. A result is significant when P < `alpha`;
        a table on which the test is undefined is not significant.

    Returns
    -------
    pandas.DataFrame
        Four rows: ``arm`` ("a" or "b"), ``direction`` ("to event" or "to non-event"), ``index``
        (number of patients switched; 0 if P is not below `alpha` to begin with; missing if no
        number suffices), and the table reached with its P-value: ``events_a``, ``events_b``,
        ``p_value``.

    Raises
    ------
    ValueError
        If the counts are impossible, the test is unknown or `alpha` is not between 0 and 1.

    Examples
    --------
    >>> fragility(40, 60, 100, 210).round(4)
      arm     direction  index  events_a  events_b  p_value
    0   a      to event   <NA>      <NA>      <NA>      NaN
    1   a  to non-event      3        37       100   0.0586
    2   b      to event      9        40       109   0.0552
    3   b  to non-event   <NA>      <NA>      <NA>      NaN
    """
    events_a, n_a, events_b, n_b = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    rows = []
    for arm in ("a", "b"):
        for direction, step in ((_TO_EVENT, 1), (_TO_NON_EVENT, -1)):
            switches = _switches(events_a, n_a, events_b, n_b, arm, step, test, alpha)
            rows.append((arm, direction, *switches))
    columns = ["arm", "direction", "index", "events_a", "events_b", "p_value"]
    counts = dict.fromkeys(["index", "events_a", "events_b"], "Int64")
    return pd.DataFrame(rows, columns=columns).astype(counts | {"p_value": float})


def fragility_index(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher", alpha: float = 0.05
) -> int | None:
    """
    Fewest outcome switches within one arm that take P to `alpha` or above.

    Either arm and either direction are allowed, but not both arms at once.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    test : str, default "fisher"
        A key of `TESTS`.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.

    Returns
    -------
    int or None
        The index; 0 if P is not below `alpha` to begin with; None in the rare case (`alpha`
        near 1) that no switches within one arm suffice.

    Raises
    ------
    ValueError
        If the counts are impossible, the test is unknown or `alpha` is not between 0 and 1.

    See Also
    --------
    fragility : The same for each arm and direction, with the tables reached.
    fragility_index_walsh : The original definition.

    References
    ----------
    Baer BR, Gaudino M, Charlson M, Fremes SE, Wells MT (2021). Fragility indices for only
    sufficiently likely modifications. PNAS 118:e2105254118.

    Examples
    --------
    >>> fragility_index(40, 60, 100, 210)
    3
    """
    index = fragility(events_a, n_a, events_b, n_b, test, alpha)["index"].min()
    return None if pd.isna(index) else int(index)


def fragility_index_walsh(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher", alpha: float = 0.05
) -> int | None:
    """
    Fragility index as first defined: events added to the arm with fewer events.

    Patients of the arm with fewer events are switched from non-event to event, one by one,
    until P is `alpha` or above. With equal numbers of events the arm with the lower proportion
    is taken.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    test : str, default "fisher"
        A key of `TESTS`.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.

    Returns
    -------
    int or None
        The index; 0 if P is not below `alpha` to begin with; None if P stays below `alpha`
        however many events are added, as can happen when the arm with fewer events is the one
        with the higher proportion.

    Raises
    ------
    ValueError
        If the counts are impossible, the test is unknown or `alpha` is not between 0 and 1.

    References
    ----------
    Walsh M, Srinathan SK, McAuley DF, et al. (2014). The statistical significance of
    randomized controlled trial results is frequently fragile: a case for a Fragility Index.
    Journal of Clinical Epidemiology 67:622-628.

    Examples
    --------
    >>> fragility_index_walsh(15, 40, 6, 40)
    1
    """
    events_a, n_a, events_b, n_b = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    fewer_in_a = (events_a, events_a / n_a) < (events_b, events_b / n_b)
    arm = "a" if fewer_in_a else "b"
    return _switches(events_a, n_a, events_b, n_b, arm, 1, test, alpha)[0]


def _switches(
    events_a: int, n_a: int, events_b: int, n_b: int, arm: str, step: int, test: str, alpha: float
) -> tuple[int | None, int | None, int | None, float | None]:
    """Number of switches, the events then in each arm, and P; all missing if none suffices."""
    switched = 0
    while 0 <= events_a <= n_a and 0 <= events_b <= n_b:
        p = p_value(events_a, n_a, events_b, n_b, test)
        # Written so that an undefined P, NaN, ends the search too.
        if not p < alpha:
            return switched, events_a, events_b, p
        switched += 1
        if arm == "a":
            events_a += step
        else:
            events_b += step
    return None, None, None, None
