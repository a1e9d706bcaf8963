"""All orders of deaths that fit the counts, when nobody's follow-up ends before the last death."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rdmas.stats import checks
from rdmas.stats.logrank._statistic import death_terms, p_from_sums

STATISTICS = ("logrank", "gehan-wilcoxon", "peto-peto", "exact-logrank")

#: Most orders of deaths that are listed; more are only counted.
MOST_LISTED = 100_000

# Values of P whose relative difference is below this are equal in exact arithmetic and differ by
# rounding only, which leaves a relative error of some 1e-14.
EQUAL_P = 1e-10

# Sums of scores closer than this, in the exact test, are equal in exact arithmetic. Rounding is
# some 1e-14; sums that truly differ by less are rare, and carry a vanishing share.
_EQUAL_SUMS = 1e-10

# With more deaths, subsets of half of them pass a million and one table takes a minute.
_MOST_DEATHS_EXACT = 40


def orderings(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, statistic: str = "logrank"
) -> pd.DataFrame:
    """P of every order of deaths, with nobody lost before the last death and no ties.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.
    statistic : {"logrank", "gehan-wilcoxon", "peto-peto", "exact-logrank"}
        "logrank" as in `logrank_p`. "gehan-wilcoxon" weights observed minus expected deaths by
        the number at risk, "peto-peto" by the Kaplan-Meier survival of both arms together just
        before the death, which is ``survdiff(rho = 1)`` in R and Fleming-Harrington (1, 0);
        without losses that survival is the number at risk over the number of patients, so the
        two tests coincide here, as do their variants with n + 1 for n. "exact-logrank" is the
        permutation test: all allocations of the patients to the arms are equally likely, and P is
        the share of those whose observed minus expected deaths are at least as far from their
        mean, as in ``coin::logrank_test(..., distribution = "exact")`` in R.

    Returns
    -------
    pandas.DataFrame
        One row per order, sorted by the places of arm a's deaths (earliest first): `order` (the
        arms of successive deaths, such as "BAB"), `places_a` (the places of arm a's deaths in
        it, such as "2"), `p_value` (two-sided; NaN where undefined) and `multiplicity` (how many
        orders of the table share that P).

    Raises
    ------
    ValueError
        If the counts are impossible or `statistic` is unknown.
    rdmas.stats.checks.LeftOutError
        If there are more than 100,000 orders, or more than 40 deaths for the exact test.

    See Also
    --------
    weak_orderings : the same with ties allowed.
    ordering_counts : the number of orders at each P, where orders are too many to list.
    number_of_orders : how many there are.

    References
    ----------
    .. [1] Hothorn T, Lausen B. On the exact distribution of maximally selected rank statistics.
       Computational Statistics & Data Analysis 2003; 43: 121-137.
    .. [2] Fleming TR, Harrington DP. Counting Processes and Survival Analysis. Wiley 1991,
       chapter 7.
    .. [3] Peto R, Peto J. Asymptotically efficient rank invariant test procedures. Journal of the
       Royal Statistical Society A 1972; 135: 185-207.

    Examples
    --------
    >>> orderings(1, 5, 2, 4)
      order places_a   p_value  multiplicity
    0   ABB        1  0.466636             1
    1   BAB        2  0.377540             1
    2   BBA        3  0.279744             1
    """
    deaths_a, n_a, deaths_b, n_b = checks.table(deaths_a, n_a, deaths_b, n_b)
    checks.one_of("statistic", statistic, STATISTICS)
    deaths = deaths_a + deaths_b
    check_orders(deaths_a, deaths_b, ties=False, most=MOST_LISTED)
    places = np.array(list(combinations(range(deaths), deaths_a)), dtype=int)
    in_a = np.zeros((len(places), deaths), dtype=np.int64)
    np.put_along_axis(in_a, places.reshape(len(places), deaths_a), 1, axis=1)

    if statistic == "exact-logrank":
        p_value = _exact_p(in_a, n_a, n_b)
    else:
        p_value = _weighted_p(in_a, 1 - in_a, n_a, n_b, statistic)
    return pd.DataFrame(
        {
            "order": ["".join("BA"[a] for a in row) for row in in_a],
            "places_a": [", ".join(str(place + 1) for place in row) for row in places],
            "p_value": p_value,
            "multiplicity": _multiplicity(p_value),
        }
    )


def weak_orderings(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, statistic: str = "logrank"
) -> pd.DataFrame:
    """P of every weak order of deaths (ties allowed), with nobody lost before the last death.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.
    statistic : {"logrank", "gehan-wilcoxon", "peto-peto"}
        As for `orderings`; tied deaths enter with the hypergeometric variance.

    Returns
    -------
    pandas.DataFrame
        One row per weak order: `order` (tied deaths in brackets, such as "B(AB)"),
        `times_of_death` (how many distinct times), `p_value` and `multiplicity` as for
        `orderings`.

    Raises
    ------
    ValueError
        If the counts are impossible or `statistic` is unknown.
    rdmas.stats.checks.LeftOutError
        If there are more than 100,000 weak orders.

    Examples
    --------
    >>> weak_orderings(1, 5, 1, 4)
      order  times_of_death   p_value  multiplicity
    0    BA               2  0.794663             1
    1    AB               2  0.937183             1
    2  (AB)               1  0.865772             1
    """
    deaths_a, n_a, deaths_b, n_b = checks.table(deaths_a, n_a, deaths_b, n_b)
    checks.one_of("statistic", statistic, STATISTICS[:3])
    check_orders(deaths_a, deaths_b, ties=True, most=MOST_LISTED)
    weak_orders = list(_weak_orders(deaths_a, deaths_b))
    times = max(len(weak_order) for weak_order in weak_orders)
    # Padding with times at which nobody dies adds nothing to either sum.
    padded = np.zeros((len(weak_orders), times, 2), dtype=np.int64)
    for row, weak_order in zip(padded, weak_orders, strict=True):
        if weak_order:
            row[: len(weak_order)] = weak_order
    p_value = _weighted_p(padded[..., 0], padded[..., 1], n_a, n_b, statistic)
    return pd.DataFrame(
        {
            "order": ["".join(_tied(a, b) for a, b in weak_order) for weak_order in weak_orders],
            "times_of_death": [len(weak_order) for weak_order in weak_orders],
            "p_value": p_value,
            "multiplicity": _multiplicity(p_value),
        }
    )


def _weighted_p(
    deaths_a: NDArray[np.int64], deaths_b: NDArray[np.int64], n_a: int, n_b: int, statistic: str
) -> NDArray[np.float64]:
    """P of each row of deaths by arm (orders, times), nobody lost in between."""
    at_risk_a = n_a - np.cumsum(deaths_a, axis=1) + deaths_a
    at_risk = n_a + n_b - np.cumsum(deaths_a + deaths_b, axis=1) + deaths_a + deaths_b
    deaths = deaths_a + deaths_b
    weight = {
        "logrank": np.ones_like(at_risk, dtype=float),
        "gehan-wilcoxon": at_risk.astype(float),
        "peto-peto": at_risk / (n_a + n_b),
    }[statistic]
    # Past the last death of a row nobody may be left; no term there differs from zero.
    expected, variance = death_terms(deaths, at_risk_a, np.maximum(at_risk, 1))
    return p_from_sums(
        (weight * (deaths_a - expected)).sum(axis=1), (weight**2 * variance).sum(axis=1)
    )


def _exact_p(in_a: NDArray[np.int64], n_a: int, n_b: int) -> NDArray[np.float64]:
    """Exact conditional P of each row: all orders share one permutation distribution."""
    deaths, n = in_a.shape[1], n_a + n_b
    if deaths == 0:
        return np.full(len(in_a), np.nan)
    if deaths > _MOST_DEATHS_EXACT:
        raise checks.LeftOutError(f"There are {deaths} deaths, too many for an exact log-rank P.")
    # A patient's score is the Nelson-Aalen cumulative hazard at the patient's own time, minus one
    # for a death. Survivors share one score: here scores are counted from theirs, so that a sum
    # is that of a subset of the deaths, in as many ways as survivors fill up the arm.
    hazard = np.cumsum(1 / (n - np.arange(deaths)))
    scores = hazard - hazard[-1] - 1
    mean = n_a * scores.sum() / n
    # Subsets of each half of the deaths, the sums sorted, by number; pairs are then counted.
    first, second = (_subset_sums(half) for half in np.array_split(scores, 2))
    distances, place = np.unique(np.abs(in_a @ scores - mean), return_inverse=True)
    p_value = np.zeros(distances.size)
    # Whole numbers are added exactly while a float can hold them, so that P may equal a level.
    total = comb(n, n_a)
    unit = 1 if total < 2**53 else total
    for i, j in np.ndindex(len(first), len(second)):
        ways = comb(n - deaths, n_a - i - j) / unit if i + j <= n_a else 0.0
        if not ways:
            continue
        for some in np.array_split(
            np.arange(distances.size), 1 + distances.size * first[i].size // 2**20
        ):
            apart = distances[some, None] - _EQUAL_SUMS
            below = np.searchsorted(second[j], mean - apart - first[i], side="right")
            above = np.searchsorted(second[j], mean + apart - first[i], side="left")
            p_value[some] += ways * (below + second[j].size - above).sum(axis=1)
    return np.minimum(p_value / (total / unit), 1.0)[place]


def _subset_sums(scores: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Sorted sums of all subsets of 0, 1, ... of the scores."""
    size, total = np.zeros(1, dtype=int), np.zeros(1)
    for score in scores:
        size, total = np.append(size, size + 1), np.append(total, total + score)
    return [np.sort(total[size == k]) for k in range(scores.size + 1)]


def _multiplicity(p_value: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many entries share each entry's value; undefined ones share theirs with each other."""
    by_value = np.argsort(p_value)
    value = p_value[by_value]
    new = np.ones(value.size, dtype=bool)
    both_undefined = np.isnan(value[1:]) & np.isnan(value[:-1])
    new[1:] = ~(both_undefined | (value[1:] - value[:-1] <= EQUAL_P * value[1:]))
    group = np.cumsum(new) - 1
    multiplicity = np.empty(value.size, dtype=np.int64)
    multiplicity[by_value] = np.bincount(group)[group]
    return multiplicity


def _weak_orders(deaths_a: int, deaths_b: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Every sequence of (deaths in a, deaths in b) at successive times that uses up all deaths."""
    if deaths_a == deaths_b == 0:
        yield ()
    for a in range(deaths_a + 1):
        for b in range(deaths_b + 1):
            if a or b:
                for later in _weak_orders(deaths_a - a, deaths_b - b):
                    yield ((a, b), *later)


def number_of_orders(deaths_a: int, deaths_b: int, ties: bool = False) -> int:
    """Count the orders in which the deaths of two arms can happen, exactly.

    Parameters
    ----------
    deaths_a, deaths_b : int
        Deaths of arms a and b; those of one arm are not told apart.
    ties : bool, default False
        Whether deaths may share a time.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If a number of deaths is not a whole number of at least 0.

    Notes
    -----
    Without ties a binomial coefficient. With ties the numbers :math:`N(a, b)` have the generating
    function :math:`(1 - x)(1 - y) / (1 - 2x - 2y + 2xy)`: a sequence of times, at each of which
    somebody dies.

    Examples
    --------
    >>> number_of_orders(1, 2), number_of_orders(1, 2, ties=True), number_of_orders(15, 18)
    (3, 8, 1037158320)
    """
    deaths_a = checks.whole("deaths_a", deaths_a)
    deaths_b = checks.whole("deaths_b", deaths_b)
    if not ties:
        return comb(deaths_a + deaths_b, deaths_a)
    before = [0] * (deaths_b + 1)
    for a in range(deaths_a + 1):
        row: list[int] = []
        for b in range(deaths_b + 1):
            numerator = (1, -1)[a] * (1, -1)[b] if a < 2 and b < 2 else 0
            last, last_before = (row[b - 1], before[b - 1]) if b else (0, 0)
            row.append(2 * (before[b] + last - last_before) + numerator)
        before = row
    return before[-1]


def check_orders(deaths_a: int, deaths_b: int, ties: bool, most: int) -> None:
    """Refuse to go through more orders than so many."""
    # Weak orders are more than orders: only of few is the exact number needed.
    orders = number_of_orders(deaths_a, deaths_b)
    if ties and orders <= most:
        orders = number_of_orders(deaths_a, deaths_b, ties=True)
    if orders > most:
        raise checks.LeftOutError(
            f"There are more than {most:,} orders of deaths: see number_of_orders."
        )


def _tied(deaths_a: int, deaths_b: int) -> str:
    arms = "A" * deaths_a + "B" * deaths_b
    return arms if len(arms) == 1 else f"({arms})"
