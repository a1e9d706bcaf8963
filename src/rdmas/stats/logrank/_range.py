"""Ranges of log-rank P over follow-up and order of deaths that nobody has seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from rdmas.stats import checks
from rdmas.stats.logrank._orders import check_orders
from rdmas.stats.logrank._pareto import smallest_z
from rdmas.stats.logrank._search import (
    LARGEST_SEARCH,
    TOLERANCE,
    Counts,
    DataSet,
    extremes,
    run_searches,
    z_squared,
)
from rdmas.stats.logrank._statistic import p_from_sums
from rdmas.stats.significance import significant

# `losses_for_every_order` searches each order by itself, some 10 ms each.
_MOST_ORDERS = 1_000


@dataclass(frozen=True, eq=False)
class PRange:
    """The range of log-rank P over unseen follow-up, with a data set at each end.

    Attributes
    ----------
    low, high : float
        Smallest and largest P; NaN if P is undefined in every data set.
    high_is_bound : bool
        True if log-rank z of both signs is attainable, so that `high` is the bound 1.0 and
        `high_data` attains `high_attained` only.
    high_attained : float
        P of `high_data`: equal to `high`, unless that is only a bound.
    low_data, high_data : pandas.DataFrame or None
        One row per patient: `patient` (from 1, arm a first), `arm` ("a" or "b"), `time` and
        `died` (bool). Times of death are 1, 2, ... in order; follow-up that ends between two is
        halfway; everybody else is followed one step beyond the last death. None if P is
        undefined in every data set.
    """

    low: float
    high: float
    high_is_bound: bool
    high_attained: float
    low_data: pd.DataFrame | None
    high_data: pd.DataFrame | None


def p_range(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, lost: int = 0, ties: bool = False
) -> PRange:
    """Find the smallest and the largest log-rank P over all data sets that fit the counts.

    The data sets are all orders of the deaths, with at most `lost` survivors, both arms together,
    whose follow-up ends before the last death, at any time and for any reason (a data cut-off
    included). P is that of `logrank_p`. Data sets in which P is undefined are left out.

    `low` is exact. `high` is exact as long as the log-rank z of all data sets has one sign; once
    both signs are attainable it is 1.0, an upper bound, and marked as such.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.
    lost : int, default 0
        Most survivors of both arms together whose follow-up ends before the last death. It may
        exceed the number of survivors. Follow-up that ends at the time of a death counts as at
        risk there, as in `logrank_p`, so it is the same as an end just after it.
    ties : bool, default False
        Whether deaths may share a time, within an arm or across arms.

    Returns
    -------
    PRange
        Both ends, and data sets that attain them, for any log-rank routine to confirm.

    Raises
    ------
    ValueError
        If the counts are impossible, or `lost` is not a whole number of at least 0.
    rdmas.stats.checks.LeftOutError
        If there is too much to search: `LARGEST_SEARCH`. With ties, and one of 200 patients lost,
        some 40 deaths are searched; without ties some 150.

    Notes
    -----
    The module `rdmas.stats.logrank._search` says how the ends are found and why they are exact.

    Examples
    --------
    One survivor whose follow-up may have ended early widens the range:

    >>> for lost in (0, 1):
    ...     found = p_range(1, 10, 6, 11, lost)
    ...     print(f"{found.low:.4f} to {found.high:.4f}")
    0.0240 to 0.0489
    0.0134 to 0.0692
    >>> p_range(1, 3, 2, 3, lost=1).low_data
       patient arm  time   died
    0        1   a   3.0   True
    1        2   a   4.0  False
    2        3   a   4.0  False
    3        4   b   1.0   True
    4        5   b   2.0   True
    5        6   b   0.5  False
    """
    counts = _counts(deaths_a, n_a, deaths_b, n_b, lost, ties)
    ends = _ends(counts, [counts.lost])[counts.lost]
    if ends is None:
        return PRange(np.nan, np.nan, False, np.nan, None, None)
    return PRange(
        ends.low,
        ends.high,
        ends.high_is_bound,
        ends.high_attained,
        _data_frame(counts, ends.farthest),
        _data_frame(counts, ends.nearest),
    )


def p_range_curve(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, max_lost: int, ties: bool = False
) -> pd.DataFrame:
    """`p_range` for every number of losses from 0 to `max_lost`.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b, ties
        As for `p_range`.
    max_lost : int
        The last number of losses.

    Returns
    -------
    pandas.DataFrame
        Columns `lost`, `low`, `high` and `high_is_bound`, one row per number of losses. Both
        ends widen with `lost`.

    Raises
    ------
    ValueError
        As for `p_range`.

    Examples
    --------
    >>> p_range_curve(1, 10, 6, 11, max_lost=2).round(4)
       lost     low    high  high_is_bound
    0     0  0.0240  0.0489          False
    1     1  0.0134  0.0692          False
    2     2  0.0061  0.0986          False
    """
    counts = _counts(deaths_a, n_a, deaths_b, n_b, max_lost, ties)
    ends = _ends(counts, range(counts.lost + 1))
    undefined = (np.nan, np.nan, False)
    rows = [
        undefined if end is None else (end.low, end.high, end.high_is_bound)
        for end in ends.values()
    ]
    curve = pd.DataFrame(rows, columns=["low", "high", "high_is_bound"])
    curve.insert(0, "lost", list(ends))
    return curve


def losses_to_exceed(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, alpha: float = 0.05, ties: bool = False
) -> int | None:
    """Fewest losses with which some data set that fits the counts has P of `alpha` or more.

    With fewer survivors whose follow-up ends before the last death, the log-rank P is below
    `alpha` whatever the order of deaths; with this many, the test could have missed `alpha`.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b, ties
        As for `p_range`.
    alpha : float
        Significance level, between 0 and 1.

    Returns
    -------
    int or None
        Losses of both arms together. None if P stays below `alpha` with any number of losses, or
        is undefined in every data set.

    Raises
    ------
    ValueError
        If the counts are impossible or `alpha` is not between 0 and 1.
    rdmas.stats.checks.LeftOutError
        As `p_range`, or if the answer cannot be told: where z of both signs is attainable, the
        largest P is known only to lie between that of the best data set met and 1. In all tables
        of up to five patients an arm this does not happen with `alpha` 0.01, 0.05, 0.1 or 0.2.

    Examples
    --------
    >>> losses_to_exceed(1, 10, 6, 11)
    1
    >>> losses_to_exceed(0, 20, 10, 20)
    15
    """
    counts = _counts(deaths_a, n_a, deaths_b, n_b, ties=ties)
    alpha = checks.alpha(alpha)
    # More losses never shrink the set of data sets, so the answer can be bracketed and halved.
    # Bracketing from below matters: tables grow with the square of the losses.
    too_few, enough = -1, 0
    while not _exceeds(counts, enough, alpha):
        if enough == counts.survivors:
            return None
        too_few, enough = enough, min(2 * enough + 1, counts.survivors)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if _exceeds(counts, middle, alpha):
            enough = middle
        else:
            too_few = middle
    return enough


def losses_for_every_order(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, alpha: float = 0.05
) -> int | None:
    """Fewest losses that could take P to `alpha` or more whatever the order of deaths.

    For each order of deaths without ties there is a fewest number of losses with which some
    pattern of ends of follow-up gives P of `alpha` or more. This is the largest of those numbers:
    with fewer losses, at least one order of deaths keeps P below `alpha` for certain.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.
    alpha : float
        Significance level, between 0 and 1.

    Returns
    -------
    int or None
        Losses of both arms together. None if some order keeps P below `alpha`, or undefined, with
        any number of losses.

    Raises
    ------
    ValueError
        As for `losses_to_exceed`.
    rdmas.stats.checks.LeftOutError
        As for `losses_to_exceed`, and if there are more than 1,000 orders.

    Examples
    --------
    >>> losses_for_every_order(1, 10, 6, 11)
    2
    """
    counts = _counts(deaths_a, n_a, deaths_b, n_b)
    alpha = checks.alpha(alpha)
    deaths = counts.deaths_a + counts.deaths_b
    check_orders(counts.deaths_a, counts.deaths_b, ties=False, most=_MOST_ORDERS)
    needed = 0
    for places in combinations(range(deaths), counts.deaths_a):
        order = tuple(int(place not in places) for place in range(deaths))
        while not _exceeds(replace(counts, order=order), needed, alpha):
            needed += 1
            if needed > counts.survivors:
                return None
    return needed


def _exceeds(counts: Counts, lost: int, alpha: float) -> bool:
    """Whether P of `alpha` or more is attainable with at most `lost` losses."""
    end = _ends(replace(counts, lost=lost), [lost])[lost]
    if end is None or significant(end.high, alpha):
        return False
    if significant(end.high_attained, alpha):
        raise checks.LeftOutError(
            f"With {lost} losses z of both signs is attainable, but no data set with P of "
            f"{alpha:g} or more was met; whether there is one is not known."
        )
    return True


@dataclass(frozen=True)
class _Ends:
    farthest: DataSet
    nearest: DataSet
    high_is_bound: bool

    @property
    def low(self) -> float:
        return _p(self.farthest)

    @property
    def high(self) -> float:
        return 1.0 if self.high_is_bound else self.high_attained

    @property
    def high_attained(self) -> float:
        return _p(self.nearest)


def _ends(counts: Counts, budgets: Iterable[int]) -> dict[int, _Ends | None]:
    """Both ends of the range for each budget of losses."""
    budgets = list(budgets)
    if counts.size > LARGEST_SEARCH:
        raise checks.LeftOutError("Too many orders of deaths and ends of follow-up to search.")
    if counts.deaths_a + counts.deaths_b == 0:
        return dict.fromkeys(budgets)
    # Nobody is left to be lost beyond this.
    found = run_searches(counts, {min(budget, counts.survivors): extremes() for budget in budgets})
    ends: dict[int, _Ends | None] = {}
    farthest = nearest = None
    for budget in sorted(found):
        end = found[budget]
        if end is None:
            ends[budget] = None
            continue
        # A data set within a smaller budget is within this one.
        farthest = max(filter(None, (farthest, end.farthest)), key=z_squared)
        nearest = min(filter(None, (nearest, end.nearest)), key=z_squared)
        if end.tangent is not None:
            nearest = smallest_z(counts, nearest, end.tangent, budget)
        is_bound = not end.one_sign and abs(nearest.excess) > TOLERANCE
        ends[budget] = _Ends(farthest, nearest, is_bound)
    return {budget: ends[min(budget, counts.survivors)] for budget in budgets}


def _counts(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, lost: int = 0, ties: bool = False
) -> Counts:
    table = checks.table(deaths_a, n_a, deaths_b, n_b)
    return Counts(*table, checks.whole("lost", lost), bool(ties))


def _p(data: DataSet) -> float:
    return float(p_from_sums(data.excess, data.variance))


def _data_frame(counts: Counts, data: DataSet) -> pd.DataFrame:
    rows = []
    for arm, n in (("a", counts.n_a), ("b", counts.n_b)):
        deaths = [step.deaths_a if arm == "a" else step.deaths_b for step in data.steps]
        losses = [step.lost_a if arm == "a" else step.lost_b for step in data.steps]
        died = [(float(k), True) for k, d in enumerate(deaths, 1) for _ in range(d)]
        lost = [(k - 0.5, False) for k, c in enumerate(losses, 1) for _ in range(c)]
        followed = [(len(data.steps) + 1.0, False)] * (n - len(died) - len(lost))
        rows += [(arm, *patient) for patient in died + followed + lost]
    frame = pd.DataFrame(rows, columns=["arm", "time", "died"])
    frame.insert(0, "patient", np.arange(1, len(rows) + 1))
    return frame
