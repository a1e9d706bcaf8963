"""The exact conditional (permutation) log-rank test."""

from __future__ import annotations

from collections.abc import Iterable
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rdmas.stats.logrank._statistic import as_data_sets

# Sums of scores closer than this count as equal, so that allocations with the same statistic in
# exact arithmetic stay together. Rounding is some 1e-14; sums that truly differ by less than
# 1e-10 are rare, and each carries a vanishing share of the permutations.
_TIE_TOLERANCE = 1e-10

# Above this, memory for the sums of half the patients passes about a gigabyte.
_MOST_SUMS = 8_000_000


def exact_logrank_p(time: ArrayLike, died: ArrayLike, arm: ArrayLike) -> float:
    r"""Two-sided exact conditional log-rank P of one data set.

    Times, deaths and the sizes of the arms are held fixed, and every allocation of patients to
    the arms is taken as equally likely. The statistic is the sum :math:`T` of log-rank scores of
    one arm, a patient's score being the Nelson-Aalen cumulative hazard of both arms together at
    the patient's own time, minus one for a death; patients with tied times share one hazard.
    :math:`-T` is the same arm's observed minus expected deaths. P is the share of allocations
    whose :math:`T` is at least as far from its permutation mean as the observed one. These are
    the conventions, and the P, of ``coin::logrank_test(..., distribution = "exact")`` in R with
    its default ``ties.method = "mid-ranks"``.

    Parameters
    ----------
    time, died, arm : array_like, shape (patients,)
        As for `logrank_p`.

    Returns
    -------
    float
        P; NaN if nobody died, an arm is empty or all scores are equal.

    Raises
    ------
    ValueError
        If the arrays are not three matching one-dimensional ones, or if there are so many
        different scores that the exact distribution would not fit in memory.

    References
    ----------
    .. [1] Hothorn T, Lausen B. On the exact distribution of maximally selected rank statistics.
       Computational Statistics & Data Analysis 2003; 43: 121-137.
    .. [2] van de Wiel MA. The split-up algorithm: a fast symbolic method for computing p-values
       of distribution-free statistics. Computational Statistics 2001; 16: 519-538.

    Examples
    --------
    Three patients who die first against three who outlive them: 2 of the 20 allocations are as
    extreme.

    >>> exact_logrank_p([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])
    0.1
    """
    time, died, arm = as_data_sets(time, died, arm)
    if not time.ndim == died.ndim == arm.ndim == 1:
        raise ValueError("time, died and arm must be one-dimensional for the exact log-rank test.")
    scores = logrank_scores(time, died)
    return float(permutation_p(scores, int(arm.sum()), [scores[arm].sum()])[0])


def logrank_scores(time: NDArray[np.float64], died: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Nelson-Aalen cumulative hazard at each patient's time, minus one for a death."""
    distinct, place = np.unique(time, return_inverse=True)
    deaths = np.bincount(place, weights=died, minlength=distinct.size)
    leaving = np.bincount(place, minlength=distinct.size)
    at_risk = leaving[::-1].cumsum()[::-1]
    return (deaths / at_risk).cumsum()[place] - died


def permutation_p(
    scores: NDArray[np.float64], in_arm: int, observed: Iterable[float]
) -> NDArray[np.float64]:
    """Two-sided permutation P of sums of the scores of `in_arm` patients.

    The split-up algorithm: the sums of any number of patients are listed for each half of the
    patients, and pairs that together make `in_arm` patients are counted through sorted lists.
    """
    observed = np.asarray(list(observed), dtype=float)
    distinct, copies = np.unique(scores, return_counts=True)
    if in_arm in (0, scores.size) or distinct.size < 2:
        return np.full(observed.size, np.nan)

    halves: list[list[tuple[float, int]]] = [[], []]
    sums = [1, 1]
    for score, number in sorted(zip(distinct, copies, strict=True), key=lambda pair: -pair[1]):
        smaller = int(sums[1] < sums[0])
        halves[smaller].append((float(score), int(number)))
        sums[smaller] *= int(number) + 1
    if max(sums) > _MOST_SUMS:
        raise ValueError("There are too many different scores for an exact log-rank P.")
    first, second = (_sums_by_number(half) for half in halves)

    mean = in_arm * scores.mean()
    p_value = np.empty(observed.size)
    for i, distance in enumerate(np.abs(observed - mean)):
        distance -= _TIE_TOLERANCE
        extreme = 0.0
        for number, (sums_first, ways_first) in first.items():
            if in_arm - number not in second:
                continue
            sums_second, ways_second = second[in_arm - number]
            up_to = np.concatenate([[0.0], ways_second.cumsum()])
            below = np.searchsorted(sums_second, mean - distance - sums_first, side="right")
            above = np.searchsorted(sums_second, mean + distance - sums_first, side="left")
            extreme += ways_first @ (up_to[below] + up_to[-1] - up_to[above])
        p_value[i] = extreme / comb(scores.size, in_arm) if distance > 0 else 1.0
    return p_value


def _sums_by_number(
    groups: list[tuple[float, int]],
) -> dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Sorted sums of scores, and the ways to reach each, by how many patients are summed."""
    number, total, ways = np.zeros(1, dtype=int), np.zeros(1), np.ones(1)
    for score, copies in groups:
        taken = np.arange(copies + 1)
        number = np.add.outer(taken, number).ravel()
        total = np.add.outer(taken * score, total).ravel()
        ways = np.multiply.outer([float(comb(copies, k)) for k in taken], ways).ravel()
        order = np.lexsort((total, number))
        number, total, ways = number[order], total[order], ways[order]
        new = np.empty(number.size, dtype=bool)
        new[0] = True
        new[1:] = (np.diff(number) > 0) | (np.diff(total) > _TIE_TOLERANCE)
        number, total, ways = number[new], total[new], np.add.reduceat(ways, np.flatnonzero(new))
    return {int(k): (total[number == k], ways[number == k]) for k in np.unique(number)}
