"""How many misclassified outcomes a significant difference would survive."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import numpy as np
import pandas as pd

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.fragility import checked_tests, p_of_tables, searched
from rdmas.stats.significance import significant
from rdmas.stats.two_by_two import TESTS
from rdmas.stats.two_by_two._fragility import PValues, first_not_significant, switched

__all__ = ["misclassification_frontier", "misclassification_grid"]

# Half as many tables have to be gone through, for each test, which takes seconds.
_MOST_PAIRS = 20_000

# Rows of a grid that still fit into memory with ease.
_MOST_ROWS = 1_000_000


def misclassification_grid(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    test: str = "fisher",
    alpha: float = 0.05,
    most: int | None = None,
) -> pd.DataFrame:
    """P after any numbers of outcomes in both arms turn out to have been misclassified.

    Outcomes are reclassified so as to narrow the difference: non-events become events in the
    arm with the lower proportion, and events become non-events in the other. With equal
    proportions arm a counts as the lower. Every number up to all patients of that outcome is
    listed, also those by which the difference is reversed.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    test : str, default "fisher"
        A key of `rdmas.stats.two_by_two.TESTS`.
    alpha : float, default 0.05
        Significance level.
    most : int, optional
        Largest number in either arm to list, at least 0.

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
        If the counts are impossible, the test is unknown or left out of searches among so many
        patients, or `alpha` is not between 0 and 1.
    rdmas.stats.checks.LeftOutError
        If there are more than a million pairs.

    Examples
    --------
    >>> misclassification_grid(15, 40, 6, 40).head(3).round(4)
       wrong_a  wrong_b  events_a  events_b  difference  p_value  significant
    0        0        0        15         6       0.225   0.0406         True
    1        0        1        15         7       0.200   0.0784        False
    2        0        2        15         8       0.175   0.1374        False
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    searched(test, table)
    change_a, change_b = narrowing(table)
    listed = None if most is None else checks.whole("most", most) + 1
    sizes = [
        len(list(switched(table, arm, change))[:listed])
        for arm, change in (("a", change_a), ("b", change_b))
    ]
    if sizes[0] * sizes[1] > _MOST_ROWS:
        raise checks.LeftOutError(f"There are more than {_MOST_ROWS:,} pairs: give `most`.")
    wrong_a, wrong_b = (wrong.ravel() for wrong in np.mgrid[: sizes[0], : sizes[1]])
    after_a, after_b = table.events_a + change_a * wrong_a, table.events_b + change_b * wrong_b
    p = p_of_tables(after_a, table.n_a, after_b, table.n_b, test)
    return pd.DataFrame(
        {
            "wrong_a": wrong_a,
            "wrong_b": wrong_b,
            "events_a": after_a,
            "events_b": after_b,
            "difference": after_a / table.n_a - after_b / table.n_b,
            "p_value": p,
            "significant": significant(p, alpha),
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
    """Fewest misclassified outcomes, in either arm or both, that take P to `alpha` or above.

    Outcomes are reclassified as in `misclassification_grid`. A pair of numbers is listed if it
    ends significance and no other pair that does has at most as many in both arms. The pairs
    with nobody in one arm are the fragility index of the other arm in that direction.

    Parameters
    ----------
    events_a, n_a, events_b, n_b, alpha
        As in `misclassification_grid`, and refused likewise.
    tests : iterable of str, optional
        Keys of `rdmas.stats.two_by_two.TESTS`; by default all two-sided tests.

    Returns
    -------
    pandas.DataFrame
        For each test its pairs by rising number in arm a: ``test`` (display name), ``key``,
        ``wrong_a``, ``wrong_b``, ``wrong`` (their sum), ``events_a``, ``events_b``, ``p_value``
        (of the table reached) and ``left_out``. The one pair (0, 0) if P is not below `alpha` to
        begin with; no row if no reclassification suffices. A test that is not searched among so
        many patients, or over so many reclassifications, has one row without numbers, in which
        ``left_out`` says why.

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
    change_a, change_b = narrowing(table)
    rows = []
    for key in checked_tests(tests):
        test = TESTS[key]
        left_out = test.left_out(table.n_a + table.n_b, searched=True)
        if not left_out and _pairs(table, test.of_many, alpha) > _MOST_PAIRS:
            left_out = f"left out: more than {_MOST_PAIRS:,} reclassifications"
        if left_out:
            rows.append((test.name, key, *[None] * 5, np.nan, left_out))
            continue
        # With each further switch in arm a, only fewer switches in arm b than before are of use.
        of_use = None
        for wrong_a, after_a in enumerate(switched(table, "a", change_a)):
            path = islice(switched(after_a, "b", change_b), of_use)
            found = first_not_significant(path, test.of_many, alpha)
            if found:
                wrong_b, after, p = found
                row = (wrong_a, wrong_b, wrong_a + wrong_b, after.events_a, after.events_b, p)
                rows.append((test.name, key, *row, ""))
                of_use = wrong_b
            if of_use == 0:
                break
    counts = ["wrong_a", "wrong_b", "wrong", "events_a", "events_b"]
    frame = pd.DataFrame(rows, columns=["test", "key", *counts, "p_value", "left_out"])
    return frame.astype(dict.fromkeys(counts, "Int64") | {"p_value": float})


def _pairs(table: Table, p_values: PValues, alpha: float) -> int:
    """Count the pairs of numbers up to those that end significance in one arm alone."""
    pairs = 1
    for arm, change in zip("ab", narrowing(table), strict=True):
        path = list(switched(table, arm, change))
        found = first_not_significant(path, p_values, alpha)
        pairs *= found.steps + 1 if found else len(path)
    return pairs


def narrowing(table: Table) -> tuple[int, int]:
    """Return the change of events in arms a and b, 1 or -1, that narrows their difference."""
    events_a, n_a, events_b, n_b = table
    return (1, -1) if events_a * n_b <= events_b * n_a else (-1, 1)
