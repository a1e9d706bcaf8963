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
every better data set must exceed: where `_pareto.smallest_z` starts.

Zero variance. One death at which both arms are at risk, and not everybody at risk dies, makes
:math:`V > 0`. An arm that is empty stays empty, so :math:`V = 0` exactly if the first time of
death adds nothing; such data sets are left out by forbidding that first step.

Follow-up that ends at a time of death counts as at risk there, hence as lost after it. Losses
after the last death change nothing and are not counted as losses.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rdmas.stats.logrank._statistic import death_terms

# Sums of some fifty terms below 1 carry rounding errors of about 1e-14. Improvements smaller than
# this are taken for rounding; z^2, and with it P, is off by no more than the same order.
TOLERANCE = 1e-13

# Entries of one cell of the tables for all queries of a pass: enough that numpy's overhead per
# call hardly counts, few enough that the entries of a cell stay in the processor's cache.
_ENTRIES_PER_CELL = 6_000

#: Entries that a pass of a search may have, counted as `Counts.size`: a search then takes seconds.
LARGEST_SEARCH = 15_000_000

# Entries that cost as much as what a pass does for each number of deaths whatever the losses.
_OVERHEAD = 1_000

Direction = tuple[float, float]
Cell = tuple[int, int]  # deaths so far in (a, b)

z_squared = attrgetter("z_squared")


class Step(NamedTuple):
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
        """The statistic."""
        return self.excess**2 / self.variance

    def along(self, direction: Direction) -> float:
        """How far the data set goes in a direction of (E, V)."""
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
        """Patients who outlive the last death or are lost before it."""
        return self.n_a + self.n_b - self.deaths_a - self.deaths_b

    @property
    def size(self) -> float:
        """How much a search has to go through, in entries of its tables."""
        deaths = self.deaths_a + self.deaths_b
        at_once = max(1, deaths / 2) if self.ties else 1
        cells = (
            len(self.order) + 1
            if self.order is not None
            else ((self.deaths_a + 1) * (self.deaths_b + 1))
        )
        return cells * at_once * (self.losses_a.size * self.losses_b.size + _OVERHEAD)

    @property
    def losses_a(self) -> NDArray[np.int64]:
        """Possible losses of arm a, as a column: rows of every table here."""
        return np.arange(min(self.lost, self.n_a - self.deaths_a) + 1)[:, None]

    @property
    def losses_b(self) -> NDArray[np.int64]:
        """Possible losses of arm b: columns of every table here."""
        return np.arange(min(self.lost, self.n_b - self.deaths_b) + 1)

    def cells(self) -> list[Cell]:
        """Deaths so far in (a, b), from none to all, each after those that lead to it."""
        if self.order is not None:
            dead_a = np.cumsum((0, *(arm == 0 for arm in self.order)))
            return [(int(a), k - int(a)) for k, a in enumerate(dead_a)]
        cells = [(a, b) for a in range(self.deaths_a + 1) for b in range(self.deaths_b + 1)]
        return sorted(cells, key=sum)

    def moves(self, dead_a: int, dead_b: int) -> list[tuple[int, list[Cell]]]:
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
        self,
        dead_a: int,
        dead_b: int,
        lost_a: int | NDArray[np.int64],
        lost_b: int | NDArray[np.int64],
        deaths: int | NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Expected deaths of arm a, and variance, of so many deaths at one time."""
        at_risk_a = self.n_a - dead_a - lost_a
        return death_terms(deaths, at_risk_a, at_risk_a + (self.n_b - dead_b - lost_b))


class Completions:
    """Largest value of direction . (E, V) over all completions of every beginning of a data set.

    `before_loss[dead_a, dead_b, query, lost_a, lost_b]` is that value from just after a death;
    `before_death[dead_a, dead_b][query, lost_a, lost_b]` is the same if no more losses happen
    before the next death. Each query is a direction with a budget of losses; beginnings without a
    completion have minus infinity.
    """

    def __init__(
        self, counts: Counts, directions: Sequence[Direction], budgets: Sequence[int]
    ) -> None:
        self.counts = counts
        self.directions = np.array(directions, dtype=float)
        along_e, along_v = self.directions.T[..., None, None]
        lost = counts.losses_a + counts.losses_b
        allowed = lost <= np.array(budgets)[:, None, None]
        shape = (counts.deaths_a + 1, counts.deaths_b + 1, *allowed.shape)
        self.before_loss = np.full(shape, -np.inf)
        self.before_loss[-1, -1] = np.where(allowed, 0.0, -np.inf)
        self.before_death: dict[Cell, NDArray[np.float64]] = {}
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


# A search yields directions, and is sent a data set that goes farthest in each.
Result = TypeVar("Result")
Search = Generator[Direction, DataSet, Result]


def run_searches(counts: Counts, searches: dict[int, Search[Result]]) -> dict[int, Result | None]:
    """Run many searches, one for each budget of losses; None where no data set has a variance.

    The next queries of many searches share one pass over the tables, since a pass costs little
    more for many queries than for one.
    """
    results: dict[int, Result | None] = {}
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
            if answer is None:
                results[budget] = None
                continue
            try:
                pending[budget] = searches[budget].send(answer)
            except StopIteration as end:
                results[budget] = end.value
    return results


@dataclass(frozen=True)
class Extremes:
    """Data sets at the two ends of the range, for one budget of losses.

    `nearest` has the smallest z squared met. It is the smallest there is if `one_sign` holds and
    `tangent` is None; with a tangent, better data sets must lie beyond it, and `_pareto.smallest_z`
    looks for them; where z of both signs is attainable, it is only the best corner met.
    """

    farthest: DataSet
    nearest: DataSet
    one_sign: bool
    tangent: Direction | None


def extremes() -> Search[Extremes]:
    """Search for both ends of the range."""
    most = yield (1.0, 0.0)
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
    best = max(fewest, bottom, most, key=z_squared)
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
        best = max(best, found, key=z_squared)
        stretches += [(before, first, downward, found), (downward, found, after, second)]
    return best


def _smallest_z_of_hull(end: DataSet, sign: float) -> Search[tuple[DataSet, Direction | None]]:
    """Best corner met, and the tangent a better data set must exceed unless there is none.

    `sign` times z is nowhere negative, and `end` has the smallest excess of that sign.
    """
    top = yield (0.0, 1.0)
    corners = [end, top]
    while True:
        best = min(corners, key=z_squared)
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
            return min(fewest, most, key=z_squared)
        if found.excess > 0:
            fewest = found
        else:
            most = found


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
