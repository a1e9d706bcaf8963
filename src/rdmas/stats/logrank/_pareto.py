"""The largest log-rank P where all attainable z have one sign.

A second dynamic programme, after that of `_search`, over the Pareto frontiers of (large :math:`E`,
large :math:`V`), finds the exact optimum; it drops each beginning that no completion takes past
the tangent that a better data set must exceed, which leaves few.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rdmas.stats.logrank._search import Cell, Completions, Counts, DataSet, Direction, Step


class _Beginnings(NamedTuple):
    """Beginnings of data sets: losses so far, both sums so far, and the beginning before."""

    lost_a: NDArray[np.int64]
    lost_b: NDArray[np.int64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    parent: NDArray[np.int64]

    def take(self, which: NDArray) -> _Beginnings:
        """Pick out some, by a mask or by their numbers."""
        return _Beginnings(*(column[which] for column in self))


def smallest_z(counts: Counts, best: DataSet, tangent: Direction, lost: int) -> DataSet:
    """Find the data set with the smallest z squared, given that all z have one sign.

    `best` is the best data set known, and a better one must exceed the tangent.
    """
    along_e, along_v = tangent
    completions = Completions(counts, [tangent], [lost])
    # With c the best z^2 known, a better data set has V > U^2 / c, and U^2 / c >= s U - c s^2 / 4
    # for every slope s; here s is that of the tangent, along_e / along_v, and U = O - E.
    need = along_e * best.observed - along_e**2 * best.z_squared / (4.0 * along_v)
    arrivals: dict[Cell, list[_Beginnings]] = {cell: [] for cell in counts.cells()}
    start = np.zeros(1, dtype=int)
    arrivals[0, 0].append(_Beginnings(start, start, np.zeros(1), np.zeros(1), start - 1))
    stored: list[tuple[Cell, _Beginnings]] = []
    number_stored = 0
    for dead_a, dead_b in counts.cells()[:-1]:
        if not arrivals[dead_a, dead_b]:
            continue
        here = _frontier(_joined(arrivals.pop((dead_a, dead_b))), along_e)
        value = along_e * here.expected + along_v * here.variance
        table = completions.before_death[dead_a, dead_b][0]
        here = _frontier(_with_losses(here, value, table, need), along_e)
        if not here.expected.size:
            continue
        stored.append(((dead_a, dead_b), here))
        ids = number_stored + np.arange(here.expected.size)
        number_stored += ids.size
        for d, splits in counts.moves(dead_a, dead_b):
            e, v = counts.terms(dead_a, dead_b, here.lost_a, here.lost_b, d)
            after = _Beginnings(here.lost_a, here.lost_b, here.expected + e, here.variance + v, ids)
            value = along_e * after.expected + along_v * after.variance
            for a, b in splits:
                cell = dead_a + a, dead_b + b
                rest = completions.before_loss[cell][0, here.lost_a, here.lost_b]
                keep = value + rest >= need
                if dead_a == dead_b == 0:
                    keep &= v > 0
                if keep.any():
                    arrivals[cell].append(after.take(keep))
    finished = arrivals[counts.deaths_a, counts.deaths_b]
    if not finished:
        return best
    ends = _joined(finished)
    z_squared = (best.observed - ends.expected) ** 2 / ends.variance
    k = int(z_squared.argmin())
    if z_squared[k] >= best.z_squared:
        return best
    steps = _trace(counts, stored, int(ends.parent[k]))
    return DataSet(best.observed, float(ends.expected[k]), float(ends.variance[k]), steps)


def _joined(parts: list[_Beginnings]) -> _Beginnings:
    return _Beginnings(*map(np.concatenate, zip(*parts, strict=True)))


def _with_losses(
    here: _Beginnings, value: NDArray[np.float64], table: NDArray[np.float64], need: float
) -> _Beginnings:
    """Every beginning with every number of further losses that may still reach `need`."""
    parts = []
    group = here.lost_a * table.shape[1] + here.lost_b
    for lost in np.unique(group):
        lost_a, lost_b = divmod(int(lost), table.shape[1])
        members = np.flatnonzero(group == lost)
        member, more_a, more_b = np.nonzero(
            value[members, None, None] + table[lost_a:, lost_b:] >= need
        )
        more = here.take(members[member])
        parts.append(more._replace(lost_a=lost_a + more_a, lost_b=lost_b + more_b))
    return _joined(parts)


def _frontier(points: _Beginnings, along_e: float) -> _Beginnings:
    """Drop each beginning if another with the same losses is as good in both sums.

    Large V is good, and large E if `along_e` is positive, small E if it is negative.
    """
    if not points.expected.size:
        return points
    group = points.lost_a * (points.lost_b.max() + 1) + points.lost_b
    order = np.lexsort((-points.variance, -np.sign(along_e) * points.expected, group))
    points, group = points.take(order), group[order]
    # The running maximum must start afresh in each group: ranks of V, offset by group, do that
    # without the rounding that an offset of V itself would bring.
    rank = np.empty(group.size, dtype=np.int64)
    rank[np.argsort(points.variance, kind="stable")[::-1]] = np.arange(group.size)[::-1]
    rank += group * group.size
    keep = np.ones(group.size, dtype=bool)
    keep[1:] = rank[1:] > np.maximum.accumulate(rank)[:-1]
    return points.take(keep)


def _trace(counts: Counts, stored: list[tuple[Cell, _Beginnings]], last: int) -> tuple[Step, ...]:
    """Steps of the data set whose beginning before the last time of death is number `last`."""
    first_id = np.cumsum([0, *(points.parent.size for _, points in stored)])
    steps = []
    next_cell = counts.deaths_a, counts.deaths_b
    while last >= 0:
        block = int(np.searchsorted(first_id, last, side="right")) - 1
        cell, points = stored[block]
        k = last - first_id[block]
        steps.append((points.lost_a[k], points.lost_b[k], *np.subtract(next_cell, cell)))
        next_cell, last = cell, int(points.parent[k])
    totals = np.array(steps[::-1])
    totals[1:, :2] -= totals[:-1, :2].copy()
    return tuple(Step(*map(int, row)) for row in totals)
