r"""The range of log-rank P over follow-up that nobody has seen.

What is searched. A data set that fits the counts is, for the log-rank test, a sequence of times of
death: how many of each arm die at each, and how many survivors of each arm were lost before it.
The test needs only the expected deaths of arm a, :math:`E`, and the variance :math:`V`, both
summed over the times of death; observed deaths are fixed, so :math:`U = O - E`, and
:math:`z^2 = U^2 / V`. A term depends on the numbers at risk alone. So the largest value of any
*linear* function of :math:`(E, V)` follows from dynamic programming over (deaths so far, losses so
far), and gives a corner of the convex hull of all attainable :math:`(E, V)`.

Smallest P. :math:`U^2 / V` is convex in :math:`(E, V)` where :math:`V > 0`, and falls as
:math:`V` grows. A convex function is largest at a corner of the hull, so the lower hull is walked
corner by corner, and a stretch of it is left out once the triangle that contains it cannot hold a
larger value.

Largest P, while all attainable z have one sign. Then :math:`U^2 / V` is to be made small, and the
best data set need not be a corner. But the sets :math:`U^2 \le c V` are convex, so the
smallest value over the *hull* bounds it from below and the tangent there is a linear function that
every better data set must exceed. A second dynamic programme over the Pareto frontiers of (large
:math:`E`, large :math:`V`) finds the exact optimum; it drops each beginning that no completion
takes past the tangent, which leaves few.

Zero variance. One death at which both arms are at risk, and not everybody at risk dies, makes
:math:`V > 0`. An arm that is empty stays empty, so :math:`V = 0` exactly if the first time of
death adds nothing; such data sets are left out by forbidding that first step.

Follow-up that ends at a time of death counts as at risk there, hence as lost after it. Losses
after the last death change nothing and are not counted as losses.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

# Sums of some fifty terms below 1 carry rounding errors of about 1e-14. Improvements smaller than
# this are taken for rounding; z^2, and with it P, is off by no more than the same order.
TOLERANCE = 1e-13

# Entries of one cell of the tables for all queries of a pass: enough that numpy's overhead per
# call hardly counts, few enough that the entries of a cell stay in the processor's cache.
_ENTRIES_PER_CELL = 6_000

Direction = tuple[float, float]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """A time of death, and the survivors lost since the one before it."""

    lost_a: int
    lost_b: int
    deaths_a: int
    deaths_b: int


@dataclass(frozen=True)
class DataSet:
    """A data set that fits the counts, reduced to what the log-rank test sees of it."""

    observed: int
    expected: float
    variance: float
    steps: tuple[Step, ...]

    @property
    def excess(self) -> float:
        """Observed minus expected deaths of arm a."""
        return self.observed - self.expected

    @property
    def z_squared(self) -> float:
        return self.excess**2 / self.variance

    def along(self, direction: Direction) -> float:
        return direction[0] * self.expected + direction[1] * self.variance


@dataclass(frozen=True)
class Counts:
    """The counts of both arms, the largest number of losses considered, and whether ties are."""

    deaths_a: int
    n_a: int
    deaths_b: int
    n_b: int
    lost: int
    ties: bool
    # The arms of successive deaths, if their order is known.
    order: tuple[int, ...] | None = None

    @property
    def survivors(self) -> int:
        return self.n_a + self.n_b - self.deaths_a - self.deaths_b

    @property
    def losses_a(self) -> NDArray[np.int64]:
        """Possible losses of arm a, as a column: rows of every table here."""
        return np.arange(min(self.lost, self.n_a - self.deaths_a) + 1)[:, None]

    @property
    def losses_b(self) -> NDArray[np.int64]:
        """Possible losses of arm b: columns of every table here."""
        return np.arange(min(self.lost, self.n_b - self.deaths_b) + 1)

    def cells(self) -> list[tuple[int, int]]:
        """Deaths so far in (a, b), from none to all, each after those that lead to it."""
        if self.order is not None:
            dead_a = np.cumsum((0, *(arm == 0 for arm in self.order)))
            return [(int(a), k - int(a)) for k, a in enumerate(dead_a)]
        cells = [(a, b) for a in range(self.deaths_a + 1) for b in range(self.deaths_b + 1)]
        return sorted(cells, key=sum)

    def moves(self, dead_a: int, dead_b: int) -> list[tuple[int, list[tuple[int, int]]]]:
        """Deaths possible at one time, as (number of deaths, all their splits over the arms)."""
        if self.order is not None:
            arm = self.order[dead_a + dead_b]
            return [(1, [(1 - arm, arm)])]
        left_a, left_b = self.deaths_a - dead_a, self.deaths_b - dead_b
        return [
            (d, [(a, d - a) for a in range(max(0, d - left_b), min(d, left_a) + 1)])
            for d in range(1, self.most_at_once(dead_a, dead_b) + 1)
        ]

    def most_at_once(self, dead_a: int, dead_b: int) -> int:
        """Most deaths possible at one time, both arms together."""
        return self.deaths_a + self.deaths_b - dead_a - dead_b if self.ties else 1

    def terms(
        self, dead_a: int, dead_b: int, lost_a: NDArray[np.int64], lost_b: NDArray[np.int64], d: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected deaths of arm a, and variance, of `d` deaths at one time."""
        at_risk_a = self.n_a - dead_a - lost_a
        at_risk = at_risk_a + (self.n_b - dead_b - lost_b)
        share = at_risk_a / at_risk
        expected = d * share
        variance = expected * (1.0 - share) * (at_risk - d) / np.maximum(at_risk - 1, 1)
        return expected, variance


class Completions:
    """Largest value of direction . (E, V) over all completions of every beginning of a data set.

    `before_loss[dead_a, dead_b, query, lost_a, lost_b]` is that value from just after a death;
    `before_death[dead_a, dead_b][query, lost_a, lost_b]` is the same if no more losses happen
    before the next death. Each query is a
    direction with a budget of losses; beginnings without a completion have minus infinity.
    """

    def __init__(
        self, counts: Counts, directions: Iterable[Direction], budgets: Iterable[int]
    ) -> None:
        self.counts = counts
        along_e, along_v = np.array(list(directions), dtype=float).T[..., None, None]
        self.directions = np.stack([along_e[:, 0, 0], along_v[:, 0, 0]], axis=1)
        lost = counts.losses_a + counts.losses_b
        allowed = lost <= np.array(list(budgets))[:, None, None]
        shape = (counts.deaths_a + 1, counts.deaths_b + 1, *allowed.shape)
        self.before_loss = np.full(shape, -np.inf)
        self.before_loss[-1, -1] = np.where(allowed, 0.0, -np.inf)
        self.before_death = {}
        # after_deaths[cell][d]: the best of all cells that d more deaths lead to. Those d deaths
        # begin with one of arm a or one of arm b, hence the best of two entries one cell on.
        after_deaths = {counts.cells()[-1]: [self.before_loss[-1, -1]]}
        for dead_a, dead_b in reversed(counts.cells()[:-1]):
            next_cells = [
                after_deaths[cell]
                for cell in ((dead_a + 1, dead_b), (dead_a, dead_b + 1))
                if cell in after_deaths
            ]
            after_deaths.pop((dead_a + 2, dead_b), None)
            after_deaths.pop((dead_a, dead_b + 2), None)
            here = [self.before_loss[dead_a, dead_b]]
            best = np.full(allowed.shape, -np.inf)
            # The expected deaths are d times a share, and the variance is a quadratic in d, so
            # that two tables a cell, not two for each d, give the value of a step.
            at_risk_a = counts.n_a - dead_a - counts.losses_a
            at_risk = at_risk_a + (counts.n_b - dead_b - counts.losses_b)
            share = at_risk_a / at_risk
            quadratic = share * (1.0 - share) / np.maximum(at_risk - 1, 1)
            slope = along_e * share + along_v * (quadratic * at_risk)
            curvature = along_v * quadratic
            for d in range(1, counts.most_at_once(dead_a, dead_b) + 1):
                after = [cell[d - 1] for cell in next_cells if d <= len(cell)]
                here.append(np.maximum(after[0], after[-1]))
                value = curvature * -d
                value += slope
                value *= d
                value += here[d]
                if dead_a == dead_b == 0:
                    value[:, (quadratic <= 0) | (at_risk == d)] = -np.inf
                np.maximum(best, value, out=best)
            after_deaths[dead_a, dead_b] = here
            self.before_death[dead_a, dead_b] = best
            # A loss adds nothing: the best over this many losses or more.
            best = np.maximum.accumulate(best[:, ::-1, ::-1], axis=1)
            here[0][:] = np.maximum.accumulate(best, axis=2)[:, ::-1, ::-1]

    def attaining(self, query: int) -> DataSet | None:
        """A data set that attains the value of a query; None if no data set is left."""
        counts = self.counts
        along_e, along_v = self.directions[query]
        dead_a = dead_b = lost_a = lost_b = 0
        e_sum = v_sum = 0.0
        steps = []
        if not np.isfinite(self.before_loss[0, 0, query, 0, 0]):
            return None
        while (dead_a, dead_b) != (counts.deaths_a, counts.deaths_b):
            rest = self.before_death[dead_a, dead_b][query, lost_a:, lost_b:]
            more_a, more_b = divmod(int(rest.argmax()), rest.shape[1])
            lost_a, lost_b = lost_a + more_a, lost_b + more_b
            after = self.before_loss[dead_a:, dead_b:, query, lost_a, lost_b]
            d = np.arange(after.shape[0])[:, None] + np.arange(after.shape[1])
            e, v = counts.terms(dead_a, dead_b, lost_a, lost_b, d)
            value = along_e * e + along_v * v + after
            value[(d == 0) | (d > counts.most_at_once(dead_a, dead_b))] = -np.inf
            if dead_a == dead_b == 0:
                value[v <= 0] = -np.inf
            a, b = divmod(int(value.argmax()), after.shape[1])
            steps.append(Step(more_a, more_b, a, b))
            e_sum, v_sum = e_sum + e[a, b], v_sum + v[a, b]
            dead_a, dead_b = dead_a + a, dead_b + b
        return DataSet(counts.deaths_a, float(e_sum), float(v_sum), tuple(steps))


Search = Generator[Direction, DataSet | None, Result]


def run_searches(counts: Counts, searches: dict[int, Search[Result]]) -> dict[int, Result]:
    """Answer the queries of many searches, one for each budget of losses, until all have ended.

    A search yields directions and is sent a data set that goes farthest in each. The next queries
    of many searches share one pass over the tables, since a pass costs little more for many
    queries than for one.
    """
    results: dict[int, Result] = {}
    pending = {budget: next(search) for budget, search in sorted(searches.items())}
    while pending:
        answers: dict[int, DataSet | None] = {}
        budgets = list(pending)
        while budgets:
            # Tables of the smaller budgets are smaller, so neighbouring budgets share a pass.
            within = replace(counts, lost=budgets[-1])
            at_once = max(1, _ENTRIES_PER_CELL // (within.losses_a.size * within.losses_b.size))
            budgets, some = budgets[:-at_once], budgets[-at_once:]
            completions = Completions(within, [pending[budget] for budget in some], some)
            answers.update((b, completions.attaining(query)) for query, b in enumerate(some))
        pending = {}
        for budget, answer in sorted(answers.items()):
            try:
                pending[budget] = searches[budget].send(answer)
            except StopIteration as end:
                results[budget] = end.value
    return results


@dataclass(frozen=True)
class Extremes:
    """Data sets at the two ends of the range, for one budget of losses.

    `nearest` has the smallest z squared met. It is the smallest there is if `one_sign` holds and
    `tangent` is None; with a tangent, better data sets must lie beyond it, and `smallest_z`
    looks for them; where z of both signs is attainable, it is only the best corner met.
    """

    farthest: DataSet
    nearest: DataSet
    one_sign: bool
    tangent: Direction | None


def extremes() -> Search[Extremes | None]:
    """Search for both ends of the range; None if no data set has a variance."""
    most = yield (1.0, 0.0)
    if most is None:
        return None
    fewest = yield (-1.0, 0.0)
    farthest = yield from _largest_z(fewest, most)
    if most.excess >= -TOLERANCE:
        nearest, tangent = yield from _smallest_z_of_hull(most, 1.0)
    elif fewest.excess <= TOLERANCE:
        nearest, tangent = yield from _smallest_z_of_hull(fewest, -1.0)
    else:
        nearest = yield from _nearest_corner(fewest, most)
        return Extremes(farthest, nearest, False, None)
    return Extremes(farthest, nearest, True, tangent)


def _largest_z(fewest: DataSet, most: DataSet) -> Search[DataSet]:
    bottom = yield (0.0, -1.0)
    best = max(fewest, bottom, most, key=_z_squared)
    # Stretches of the lower hull between two corners, each with a direction it is extreme in.
    stretches = [
        ((-1.0, 0.0), fewest, (0.0, -1.0), bottom),
        ((0.0, -1.0), bottom, (1.0, 0.0), most),
    ]
    while stretches:
        before, first, after, second = stretches.pop()
        expected, variance = _meeting_point(before, first, after, second)
        excess = best.observed - expected
        if variance > 0 and excess**2 / variance <= best.z_squared * (1 + TOLERANCE):
            continue
        downward = _unit(second.variance - first.variance, first.expected - second.expected)
        found = yield downward
        if found.along(downward) <= first.along(downward) + TOLERANCE:
            continue
        best = max(best, found, key=_z_squared)
        stretches += [(before, first, downward, found), (downward, found, after, second)]
    return best


def _smallest_z_of_hull(end: DataSet, sign: float) -> Search[tuple[DataSet, Direction | None]]:
    """Best corner met, and the tangent a better data set must exceed unless there is none.

    `sign` times z is nowhere negative, and `end` has the smallest excess of that sign.
    """
    top = yield (0.0, 1.0)
    corners = [end, top]
    while True:
        best = min(corners, key=_z_squared)
        if abs(best.excess) <= TOLERANCE:
            return best, None
        expected, variance = min(
            (
                _best_between(first, second)
                for k, first in enumerate(corners)
                for second in corners[: k + 1]
            ),
            key=lambda point: (best.observed - point[0]) ** 2 / point[1],
        )
        excess = best.observed - expected
        tangent = _unit(2.0 * variance * sign, abs(excess))
        found = yield tangent
        if found.along(tangent) <= tangent[0] * expected + tangent[1] * variance + TOLERANCE:
            is_corner = best.z_squared <= excess**2 / variance * (1 + TOLERANCE)
            return best, None if is_corner else tangent
        corners.append(found)


def _nearest_corner(fewest: DataSet, most: DataSet) -> Search[DataSet]:
    """Corner next to z = 0 on the upper hull, which crosses it between `fewest` and `most`."""
    while True:
        upward = _unit(fewest.variance - most.variance, most.expected - fewest.expected)
        found = yield upward
        if found.along(upward) <= most.along(upward) + TOLERANCE:
            return min(fewest, most, key=_z_squared)
        if found.excess > 0:
            fewest = found
        else:
            most = found


def smallest_z(counts: Counts, best: DataSet, completions: Completions, query: int) -> DataSet:
    """The data set with the smallest z squared, given that all z have one sign.

    `best` is the best data set known, and the query is the tangent that a better one must exceed.
    """
    along_e, along_v = completions.directions[query]
    # With c the best z^2 known, a better data set has V > U^2 / c, and U^2 / c >= s U - c s^2 / 4
    # for every slope s; here s is that of the tangent, along_e / along_v, and U = O - E.
    need = along_e * best.observed - along_e**2 * best.z_squared / (4.0 * along_v)
    arrivals = {cell: [] for cell in counts.cells()}
    start = np.zeros(1, dtype=int)
    arrivals[0, 0].append(_Beginnings(start, start, np.zeros(1), np.zeros(1), start - 1))
    stored: list[tuple[tuple[int, int], _Beginnings]] = []
    number_stored = 0
    for dead_a, dead_b in counts.cells()[:-1]:
        if not arrivals[dead_a, dead_b]:
            continue
        here = _pareto(_joined(arrivals.pop((dead_a, dead_b))), along_e)
        table = completions.before_death[dead_a, dead_b][query]
        here = _pareto(_with_losses(here, here.along(along_e, along_v), table, need), along_e)
        if not here.expected.size:
            continue
        stored.append(((dead_a, dead_b), here))
        ids = number_stored + np.arange(here.expected.size)
        number_stored += ids.size
        for d, splits in counts.moves(dead_a, dead_b):
            e, v = counts.terms(dead_a, dead_b, here.lost_a, here.lost_b, d)
            after = _Beginnings(here.lost_a, here.lost_b, here.expected + e, here.variance + v, ids)
            value = after.along(along_e, along_v)
            for a, b in splits:
                cell = dead_a + a, dead_b + b
                rest = completions.before_loss[cell][query, here.lost_a, here.lost_b]
                keep = value + rest >= need
                if dead_a == dead_b == 0:
                    keep &= v > 0
                if keep.any():
                    arrivals[cell].append(after.take(keep))
    ends = arrivals[counts.deaths_a, counts.deaths_b]
    if not ends:
        return best
    ends = _joined(ends)
    z_squared = (best.observed - ends.expected) ** 2 / ends.variance
    k = int(z_squared.argmin())
    if z_squared[k] >= best.z_squared:
        return best
    return DataSet(
        best.observed,
        float(ends.expected[k]),
        float(ends.variance[k]),
        _trace(counts, stored, int(ends.parent[k])),
    )


@dataclass(frozen=True)
class _Beginnings:
    """Beginnings of data sets: losses so far, both sums so far, and the beginning before."""

    lost_a: NDArray[np.int64]
    lost_b: NDArray[np.int64]
    expected: NDArray[np.float64]
    variance: NDArray[np.float64]
    parent: NDArray[np.int64]

    def along(self, along_e: float, along_v: float) -> NDArray[np.float64]:
        return along_e * self.expected + along_v * self.variance

    def take(self, which: NDArray[np.generic]) -> _Beginnings:
        return _Beginnings(
            self.lost_a[which],
            self.lost_b[which],
            self.expected[which],
            self.variance[which],
            self.parent[which],
        )


def _joined(parts: list[_Beginnings]) -> _Beginnings:
    return _Beginnings(
        np.concatenate([part.lost_a for part in parts]),
        np.concatenate([part.lost_b for part in parts]),
        np.concatenate([part.expected for part in parts]),
        np.concatenate([part.variance for part in parts]),
        np.concatenate([part.parent for part in parts]),
    )


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
        which = members[member]
        parts.append(
            _Beginnings(
                lost_a + more_a,
                lost_b + more_b,
                here.expected[which],
                here.variance[which],
                here.parent[which],
            )
        )
    return _joined(parts)


def _pareto(points: _Beginnings, along_e: float) -> _Beginnings:
    """Drop each beginning if another with the same losses is as good in both sums.

    Large V is good, and large E if `along_e` is positive, small E if it is negative.
    """
    if not points.expected.size:
        return points
    group = points.lost_a * (points.lost_b.max() + 1) + points.lost_b
    points = points.take(np.lexsort((-points.variance, -np.sign(along_e) * points.expected, group)))
    group = points.lost_a * (points.lost_b.max() + 1) + points.lost_b
    # The running maximum must start afresh in each group: ranks of V, offset by group, do that
    # without the rounding that an offset of V itself would bring.
    rank = np.empty(group.size, dtype=np.int64)
    rank[np.argsort(points.variance, kind="stable")[::-1]] = np.arange(group.size)[::-1]
    rank += group * group.size
    keep = np.ones(group.size, dtype=bool)
    keep[1:] = rank[1:] > np.maximum.accumulate(rank)[:-1]
    return points.take(keep)


def _trace(
    counts: Counts, stored: list[tuple[tuple[int, int], _Beginnings]], last: int
) -> tuple[Step, ...]:
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


def _z_squared(data: DataSet) -> float:
    return data.z_squared


def _unit(along_e: float, along_v: float) -> Direction:
    length = float(np.hypot(along_e, along_v))
    return (along_e / length, along_v / length) if length else (0.0, -1.0)


def _meeting_point(
    before: Direction, first: DataSet, after: Direction, second: DataSet
) -> tuple[float, float]:
    """(E, V) at which the supporting lines of two neighbouring corners of the hull meet."""
    determinant = before[0] * after[1] - before[1] * after[0]
    # Parallel lines through two corners of one hull are the same line: nothing lies beyond.
    if abs(determinant) < TOLERANCE:
        return first.expected, first.variance
    one, other = first.along(before), second.along(after)
    return (
        (one * after[1] - before[1] * other) / determinant,
        (before[0] * other - one * after[0]) / determinant,
    )


def _best_between(first: DataSet, second: DataSet) -> tuple[float, float]:
    """(E, V) with the smallest z squared on the segment between two data sets."""
    d_e = second.expected - first.expected
    d_v = second.variance - first.variance
    share = 0.0
    if d_e * d_v != 0.0:
        # Where the derivative of U^2 / V along the segment vanishes.
        share = min(max((first.excess * d_v + 2.0 * d_e * first.variance) / (d_e * -d_v), 0.0), 1.0)
    ends = [first.expected + k * d_e for k in (0.0, share, 1.0)]
    points = [(e, first.variance + k * d_v) for e, k in zip(ends, (0.0, share, 1.0), strict=True)]
    return min(points, key=lambda point: (first.observed - point[0]) ** 2 / point[1])
