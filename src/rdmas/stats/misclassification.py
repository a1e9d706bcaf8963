"""How many misclassified outcomes a significant difference would survive."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from rdmas.stats import checks
from rdmas.stats.fragility import checked_tests, p_of_tables
from rdmas.stats.two_by_two import TESTS, p_value


def misclassification_grid(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher", alpha: float = 0.05
) -> pd.DataFrame:
    """
    P after any numbers of outcomes in both arms turn out to have been misclassified.

    Outcomes are reclassified so as to narrow the difference: non-events become events in the
    arm with the lower proportion, and events become non-events in the other. With equal
    proportions arm a counts as the lower. Every number up to all patients of that outcome is
    listed, also those by which the difference is reversed.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    test : str, default "fisher"
        A key of `rdmas.stats.two_by_two.TESTS`.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row for each pair of numbers: ``wrong_a`` and ``wrong_b`` (outcomes reclassified),
        ``events_a`` and ``events_b`` (events thereafter), ``difference`` (proportion in arm a
        minus that in arm b), ``p_value`` (NaN where the test is undefined) and ``significant``
        (P < `alpha`; False where undefined).

    Raises
    ------
    ValueError
        If the counts are impossible, the test is unknown or `alpha` is not between 0 and 1.

    See Also
    --------
    misclassification_frontier : The fewest reclassifications that end significance.

    Examples
    --------
    >>> misclassification_grid(15, 40, 6, 40).head(3).round(4)
       wrong_a  wrong_b  events_a  events_b  difference  p_value  significant
    0        0        0        15         6       0.225   0.0406         True
    1        0        1        15         7       0.200   0.0784        False
    2        0        2        15         8       0.175   0.1374        False
    """
    events_a, n_a, events_b, n_b = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    [test] = checked_tests([test])
    step_a, step_b = narrowing_steps(events_a, n_a, events_b, n_b)
    wrong_a, wrong_b = (
        wrong.ravel()
        for wrong in np.mgrid[
            : _available(events_a, n_a, step_a) + 1, : _available(events_b, n_b, step_b) + 1
        ]
    )
    after_a, after_b = events_a + step_a * wrong_a, events_b + step_b * wrong_b
    p = p_of_tables(after_a, n_a, after_b, n_b, test)
    return pd.DataFrame(
        {
            "wrong_a": wrong_a,
            "wrong_b": wrong_b,
            "events_a": after_a,
            "events_b": after_b,
            "difference": after_a / n_a - after_b / n_b,
            "p_value": p,
            "significant": p < alpha,
        }
    )


def misclassification_frontier(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> pd.DataFrame:
    """
    Fewest misclassified outcomes, in either arm or both, that take P to `alpha` or above.

    Outcomes are reclassified as in `misclassification_grid`. A pair of numbers is listed if it
    ends significance and no other pair that does has at most as many in both arms. The pairs
    with nobody in one arm are the fragility index of the other arm in that direction.

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
        For each test its pairs by rising number in arm a: ``test`` (display name), ``key``,
        ``wrong_a``, ``wrong_b``, ``wrong`` (their sum), ``events_a``, ``events_b`` and
        ``p_value`` (of the table reached). The one pair (0, 0) if P is not below `alpha` to
        begin with; no row if no reclassification suffices.

    Raises
    ------
    ValueError
        If the counts are impossible, a test is unknown or `alpha` is not between 0 and 1.

    Examples
    --------
    >>> frame = misclassification_frontier(40, 60, 100, 210, tests=["fisher"])
    >>> frame[["wrong_a", "wrong_b", "wrong", "p_value"]].round(4)
       wrong_a  wrong_b  wrong  p_value
    0        0        9      9   0.0552
    1        1        6      7   0.0563
    2        2        2      4   0.0564
    3        3        0      3   0.0586
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    rows = [
        (TESTS[key].name, key, *pair)
        for key in checked_tests(tests)
        for pair in _frontier(*table, key, alpha)
    ]
    counts = ["wrong_a", "wrong_b", "wrong", "events_a", "events_b"]
    columns = ["test", "key", *counts, "p_value"]
    return pd.DataFrame(rows, columns=columns).astype(
        dict.fromkeys(counts, int) | {"p_value": float}
    )


def narrowing_steps(events_a: int, n_a: int, events_b: int, n_b: int) -> tuple[int, int]:
    """
    Direction in which the events of each arm must change for the difference to become smaller.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients in arms a and b.

    Returns
    -------
    step_a, step_b : int
        1 for more events in the arm with the lower proportion, -1 for fewer in the other. With
        equal proportions arm a counts as the lower.

    Examples
    --------
    >>> narrowing_steps(15, 40, 6, 40)
    (-1, 1)
    """
    return (1, -1) if events_a * n_b <= events_b * n_a else (-1, 1)


def _available(events: int, n: int, step: int) -> int:
    """Patients whose outcome can be switched in the direction of the step."""
    return n - events if step == 1 else events


def _frontier(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str, alpha: float
) -> Iterator[tuple[int, int, int, int, int, float]]:
    step_a, step_b = narrowing_steps(events_a, n_a, events_b, n_b)
    # With each further switch in arm a, only fewer switches in arm b than before are of use.
    fewest_b = _available(events_b, n_b, step_b) + 1
    for wrong_a in range(_available(events_a, n_a, step_a) + 1):
        for wrong_b in range(fewest_b):
            after = events_a + step_a * wrong_a, events_b + step_b * wrong_b
            p = p_value(after[0], n_a, after[1], n_b, test)
            # Written so that an undefined P, NaN, counts as not significant.
            if not p < alpha:
                yield wrong_a, wrong_b, wrong_a + wrong_b, *after, p
                fewest_b = wrong_b
                break
