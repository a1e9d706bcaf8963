"""How many patients' outcomes, or which counts, carry a significant result."""

from collections.abc import Iterable, Sequence
from math import nan

import numpy as np
import pandas as pd

from rdmas.stats import checks
from rdmas.stats.logrank import p_range
from rdmas.stats.two_by_two import (
    TESTS,
    fisher_grid,
    fragility,
    fragility_index,
    fragility_index_walsh,
    p_value,
)

__all__ = [
    "fragility",
    "fragility_by_test",
    "fragility_index",
    "fragility_index_walsh",
    "logrank_fragility",
    "logrank_fragility_range",
    "significance_map",
]

_DIRECTIONS = (("to event", 1), ("to non-event", -1))


def fragility_by_test(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> pd.DataFrame:
    """
    Fragility of one table under each test.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.
    tests : iterable of str, optional
        Keys of `rdmas.stats.two_by_two.TESTS`; by default all two-sided tests.

    Returns
    -------
    pandas.DataFrame
        One row for each test: ``test`` (display name), ``key``, ``p_value`` (as observed),
        ``index`` (fewest switches within one arm), ``quotient`` (index over all patients),
        ``walsh`` (index of Walsh 2014: events added to the arm with fewer) and the fewest
        switches by arm and direction: ``a_to_event``, ``a_to_non_event``, ``b_to_event``,
        ``b_to_non_event``. Numbers are missing where no number suffices.

    Raises
    ------
    ValueError
        If the counts are impossible, a test is unknown or `alpha` is not between 0 and 1.

    See Also
    --------
    logrank_fragility : The same for the log-rank test, as far as counts decide it.

    Examples
    --------
    >>> frame = fragility_by_test(40, 60, 100, 210, tests=["chi2", "fisher"])
    >>> frame[["key", "index", "quotient", "a_to_non_event", "b_to_event"]].round(4)
          key  index  quotient  a_to_non_event  b_to_event
    0    chi2      3    0.0111               3          11
    1  fisher      3    0.0111               3           9
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    rows = []
    for key in checked_tests(tests):
        switches = fragility(*table, key, alpha)
        index = switches["index"].min()
        rows.append(
            {
                "test": TESTS[key].name,
                "key": key,
                "p_value": p_value(*table, key),
                "index": index,
                "quotient": nan if pd.isna(index) else index / (table[1] + table[3]),
                "walsh": fragility_index_walsh(*table, key, alpha),
            }
            | {
                f"{arm}_{direction.replace(' ', '_').replace('-', '_')}": number
                for arm, direction, number in zip(
                    switches["arm"], switches["direction"], switches["index"], strict=True
                )
            }
        )
    frame = pd.DataFrame(rows)
    floats = dict.fromkeys(["p_value", "quotient"], float)
    numbers = [name for name in frame.columns if name not in ("test", "key", *floats)]
    return frame.astype(floats | dict.fromkeys(numbers, "Int64"))


def logrank_fragility(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    ties: bool = False,
) -> pd.DataFrame:
    """
    Bounds for the fragility index of the log-rank test, by arm and direction.

    The events are deaths, and nobody's follow-up ends before the last death; the order of
    deaths is unknown. A switch makes one death of the counts a survivor, followed to the end, or
    one survivor a death at an unknown time. For each number of switches, P then lies within
    `rdmas.stats.logrank.p_range` over all orders of the switched counts. Whatever the order was,

    - with fewer switches than ``index_low`` no order gives P of `alpha` or above, so the index
      is not smaller;
    - with ``index_high`` switches every order does, so the index is not larger.

    Parameters
    ----------
    events_a, n_a : int
        Deaths and patients in arm a.
    events_b, n_b : int
        Deaths and patients in arm b.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1. Counts with which the log-rank test is
        undefined are not significant.
    ties : bool, default False
        Whether deaths may share a time.

    Returns
    -------
    pandas.DataFrame
        Four rows, as `rdmas.stats.two_by_two.fragility`: ``arm`` ("a" or "b"), ``direction`` ("to
        event" or "to non-event"), ``index_low`` and ``index_high``, missing where no number
        suffices.

    Raises
    ------
    ValueError
        If the counts are impossible or `alpha` is not between 0 and 1, or if the answer cannot
        be told: where log-rank z of both signs is attainable, the largest P is known only to
        lie between that of the best order met and 1. In all tables of up to six patients an arm
        this does not happen with `alpha` 0.05 or 0.2.

    Examples
    --------
    >>> logrank_fragility(1, 10, 6, 11)
      arm     direction  index_low  index_high
    0   a      to event          1           1
    1   a  to non-event       <NA>        <NA>
    2   b      to event       <NA>        <NA>
    3   b  to non-event          1           1
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    rows = [
        (arm, direction, *_logrank_switches(*table, arm, step, alpha, ties))
        for arm in ("a", "b")
        for direction, step in _DIRECTIONS
    ]
    columns = ["arm", "direction", "index_low", "index_high"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], "Int64"))


def logrank_fragility_range(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    ties: bool = False,
) -> tuple[int | None, int | None]:
    """
    Bounds for the fragility index of the log-rank test over all orders of deaths.

    Either arm and either direction are allowed, but not both at once. `logrank_fragility` gives
    the definition and the bounds by arm and direction; these are the smallest of each.

    Parameters
    ----------
    events_a, n_a : int
        Deaths and patients in arm a.
    events_b, n_b : int
        Deaths and patients in arm b.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.
    ties : bool, default False
        Whether deaths may share a time.

    Returns
    -------
    low, high : int or None
        First number of switches with which some order gives P of `alpha` or above, and first
        with which every order does; None where no number suffices.

    Raises
    ------
    ValueError
        As for `logrank_fragility`.

    Examples
    --------
    >>> logrank_fragility_range(1, 10, 6, 11)
    (1, 1)
    """
    frame = logrank_fragility(events_a, n_a, events_b, n_b, alpha, ties)
    low, high = (frame[column].min() for column in ("index_low", "index_high"))
    return None if pd.isna(low) else int(low), None if pd.isna(high) else int(high)


def significance_map(
    n_a: int,
    n_b: int,
    tests: Iterable[str] = ("fisher", "chi2_n_minus_1"),
    alpha: float = 0.05,
) -> pd.DataFrame:
    """
    P of every table that two arms of given sizes can give.

    Fisher's minimum-likelihood P is computed for all tables at once; the unconditional tests
    (Barnard, Boschloo) take some milliseconds a table with arms of some twenty patients.

    Parameters
    ----------
    n_a, n_b : int
        Patients in arms a and b, at least 1.
    tests : iterable of str, default ("fisher", "chi2_n_minus_1")
        Keys of `rdmas.stats.two_by_two.TESTS`.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row for each test and table: ``test`` (display name), ``key``, ``events_a``,
        ``events_b``, ``p_value`` (NaN where the test is undefined) and ``significant``
        (P < `alpha`; False where undefined).

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1, a test is unknown or `alpha` is not
        between 0 and 1.

    Examples
    --------
    >>> frame = significance_map(4, 4, tests=["fisher"])
    >>> len(frame)
    25
    >>> frame.loc[frame["significant"], ["events_a", "events_b", "p_value"]].round(4)
        events_a  events_b  p_value
    4          0         4   0.0286
    20         4         0   0.0286
    """
    n_a = checks.whole("n_a", n_a, low=1)
    n_b = checks.whole("n_b", n_b, low=1)
    alpha = checks.alpha(alpha)
    events_a, events_b = (events.ravel() for events in np.mgrid[: n_a + 1, : n_b + 1])
    parts = []
    for key in checked_tests(tests):
        p = p_of_tables(events_a, n_a, events_b, n_b, key)
        parts.append(
            pd.DataFrame(
                {
                    "test": TESTS[key].name,
                    "key": key,
                    "events_a": events_a,
                    "events_b": events_b,
                    "p_value": p,
                    "significant": p < alpha,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def checked_tests(tests: Iterable[str] | None) -> list[str]:
    """
    Return keys of tests as a list, all two-sided tests by default, or say what is wrong.

    Parameters
    ----------
    tests : iterable of str or None
        Keys of `rdmas.stats.two_by_two.TESTS`.

    Returns
    -------
    list of str
        The keys, in the order given.

    Raises
    ------
    ValueError
        If `tests` is one string, empty, or holds something that is not a key.

    Examples
    --------
    >>> checked_tests(["fisher", "chi2"])
    ['fisher', 'chi2']
    """
    if tests is None:
        return [key for key, test in TESTS.items() if test.sides == "two-sided"]
    if isinstance(tests, str):
        raise ValueError(f"tests must be a list of keys, such as [{tests!r}], got {tests!r}.")
    keys = list(tests)
    if not keys:
        raise ValueError("tests must name at least one test.")
    for key in keys:
        if key not in TESTS:
            raise ValueError(f"test must be one of {', '.join(TESTS)}, got {key!r}.")
    return keys


def p_of_tables(
    events_a: Sequence[int], n_a: int, events_b: Sequence[int], n_b: int, test: str
) -> np.ndarray:
    if test == "fisher":
        return fisher_grid(n_a, n_b)[events_a, events_b]
    return np.array(
        [p_value(a, n_a, b, n_b, test) for a, b in zip(events_a, events_b, strict=True)]
    )


def _logrank_switches(
    deaths_a: int,
    n_a: int,
    deaths_b: int,
    n_b: int,
    arm: str,
    step: int,
    alpha: float,
    ties: bool,
) -> tuple[int | None, int | None]:
    """First number of switches with which some order, and every order, is not significant."""
    some = None
    switched = 0
    while 0 <= deaths_a <= n_a and 0 <= deaths_b <= n_b:
        ends = p_range(deaths_a, n_a, deaths_b, n_b, ties=ties)
        # All comparisons are written so that an undefined P, NaN, is not significant.
        if some is None and not ends.high < alpha:
            if ends.high_attained < alpha:
                raise ValueError(
                    f"With {deaths_a}/{n_a} against {deaths_b}/{n_b} deaths z of both signs is "
                    f"attainable, but no order with P of {alpha:g} or more was met; whether "
                    "there is one is not known."
                )
            some = switched
        if not ends.low < alpha:
            return some, switched
        switched += 1
        if arm == "a":
            deaths_a += step
        else:
            deaths_b += step
    return some, None
