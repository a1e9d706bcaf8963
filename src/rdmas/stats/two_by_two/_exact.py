"""Exact distributions under the hypothesis that both arms have the same event probability.

Conditional on the total number of events (Fisher) the events of arm a are hypergeometric;
unconditionally (Barnard, Boschloo) the arms are two binomials with one unknown probability,
over which the P-value is maximised. P is a fraction of whole numbers, so that one that equals a
significance level is not taken for one below it; where the whole numbers grow too large, it is a
float, good to some twelve digits.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import lru_cache
from math import comb, isqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, xlog1py, xlogy

from rdmas.stats import checks
from rdmas.stats.checks import Table

Grid = NDArray[np.float64]
Counts = int | NDArray[np.int64]

# Two statistics closer than this, relative to their size, are one value. Rounding errors of the
# probabilities below are under 1e-12 for arms of some hundreds; a comparison without tolerance
# would drop tables that are exactly as extreme as the observed one.
TIE = 1e-9

#: Most patients of both arms for which P is computed in whole numbers, whatever the events; with
#: few events (or non-events) it always is. No larger table has a P that equals a usual level.
WHOLE_NUMBERS_UP_TO, FEW_EVENTS = 400, 100

# Standard deviations from the mean beyond which a hypergeometric probability is below any float.
_FAR_OUT = 40

# Points of the first pass per standard deviation of an arcsine-transformed proportion, a scale
# on which the rejection probability bends equally fast everywhere.
_POINTS_PER_DEVIATION = 20

# The probability at which a maximum was found is read as a fraction with at most this
# denominator, which recovers simple ones such as 1/2; the maximum is flat, so that the rest
# changes it by less than 1e-15.
_DENOMINATOR = 10**5


def fisher_grid(n_a: int, n_b: int) -> Grid:
    """Fisher's exact P-value of every table with the given arms, at once.

    The two-sided P-value is the sum of the probabilities, given the total number of events, of
    all tables no more likely than the observed one (minimum likelihood), as in R's
    ``fisher.test`` and scipy's ``fisher_exact``.

    Parameters
    ----------
    n_a, n_b : int
        Patients in arms a and b, at least 1.

    Returns
    -------
    numpy.ndarray, shape (n_a + 1, n_b + 1)
        P-value of the table with i events in arm a and j in arm b, at [i, j].

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    References
    ----------
    Agresti A (1992). A survey of exact inference for contingency tables. Statistical Science
    7:131-153, section 2.1.

    Examples
    --------
    The tea tasting experiment, three of four against one of four:

    >>> grid = fisher_grid(4, 4)
    >>> grid.shape
    (5, 5)
    >>> round(float(grid[3, 1]), 4)
    0.4857
    """
    n_a, n_b = checks.whole("n_a", n_a, low=1), checks.whole("n_b", n_b, low=1)
    return two_sided_fisher(n_a, n_b).copy()


class Conditional(NamedTuple):
    """Ways in which the events of both arms can fall on arm a: whole numbers, or shares of 1.

    Attributes
    ----------
    at_most, at_least, exactly
        Ways with at most, at least and exactly the observed events in arm a.
    no_more_likely, less_likely
        Ways of all values no more likely, and less likely, than the observed one.
    total
        All ways.
    """

    at_most: float
    at_least: float
    exactly: float
    no_more_likely: float
    less_likely: float
    total: float


# Five tests ask for the same ways.
@lru_cache(maxsize=2**14)
def conditional(table: Table) -> Conditional:
    """Count the ways behind Fisher's P-values of one table."""
    n, total = table.n_a + table.n_b, table.events_a + table.events_b
    if n > WHOLE_NUMBERS_UP_TO and FEW_EVENTS < total < n - FEW_EVENTS:
        return _shares_of_ways(table)
    observed = comb(table.n_a, table.events_a) * comb(table.n_b, table.events_b)
    at_most = no_more_likely = less_likely = 0
    for events, ways in _ways(table.n_a, table.n_b, total):
        at_most += ways if events <= table.events_a else 0
        no_more_likely += ways if ways <= observed else 0
        less_likely += ways if ways < observed else 0
    all_ways = comb(n, total)
    at_least = all_ways - at_most + observed
    return Conditional(at_most, at_least, observed, no_more_likely, less_likely, all_ways)


def _shares_of_ways(table: Table) -> Conditional:
    """Count the ways as shares of all."""
    first, share = _hypergeometric(table.n_a, table.n_b, table.events_a + table.events_b)
    place = table.events_a - first
    own = share[place] if 0 <= place < share.size else 0.0
    return Conditional(
        at_most=share[: max(place + 1, 0)].sum(),
        at_least=share[max(place, 0) :].sum(),
        exactly=own,
        no_more_likely=share[share <= own * (1 + TIE)].sum(),
        less_likely=share[share < own * (1 - TIE)].sum(),
        total=1.0,
    )


def _hypergeometric(n_a: int, n_b: int, total: int) -> tuple[int, Grid]:
    """Return the first number of events in arm a that matters, and the shares from it on."""
    n = n_a + n_b
    mode = (total + 1) * (n_a + 1) // (n + 2)
    reach = _FAR_OUT * (isqrt(n_a * n_b * total * (n - total) // (n * n * (n - 1))) + 1)
    first, last = max(0, total - n_b, mode - reach), min(n_a, total, mode + reach)
    events = np.arange(first, last, dtype=float)
    # Of neighbours the quotient is known, so that no large logarithms cancel.
    rise = np.log((n_a - events) * (total - events))
    rise -= np.log((events + 1) * (n_b - total + events + 1))
    log_ways = np.concatenate([[0.0], np.cumsum(rise)])
    ways = np.exp(log_ways - log_ways.max())
    return first, ways / ways.sum()


def _ways(n_a: int, n_b: int, total: int) -> Iterator[tuple[int, int]]:
    """Yield each number of events in arm a, given the total, with the ways it can come about."""
    first, last = max(0, total - n_b), min(n_a, total)
    ways = comb(n_a, first) * comb(n_b, total - first)
    for events in range(first, last + 1):
        yield events, ways
        ways = ways * (n_a - events) * (total - events)
        ways //= (events + 1) * (n_b - total + events + 1)


@lru_cache(maxsize=4)
def two_sided_fisher(n_a: int, n_b: int) -> Grid:
    """P-value of Fisher's two-sided test, at [events in a, events in b]; not to be changed."""
    if n_a + n_b > WHOLE_NUMBERS_UP_TO:
        return _two_sided_fisher_of_many(n_a, n_b)
    grid = np.empty((n_a + 1, n_b + 1))
    for total in range(n_a + n_b + 1):
        by_likelihood: dict[int, list[int]] = {}
        for events, ways in _ways(n_a, n_b, total):
            by_likelihood.setdefault(ways, []).append(events)
        all_ways, no_more_likely = comb(n_a + n_b, total), 0
        for ways in sorted(by_likelihood):
            no_more_likely += ways * len(by_likelihood[ways])
            for events in by_likelihood[ways]:
                grid[events, total - events] = no_more_likely / all_ways
    return grid


def _two_sided_fisher_of_many(n_a: int, n_b: int) -> Grid:
    """P-value of Fisher's two-sided test of every table, in floats."""
    grid = np.zeros((n_a + 1, n_b + 1))
    for total in range(n_a + n_b + 1):
        first, share = _hypergeometric(n_a, n_b, total)
        events = first + np.arange(share.size)
        ordered = np.sort(share)
        up_to = np.cumsum(ordered)
        last = np.searchsorted(ordered, share * (1 + TIE), side="right") - 1
        grid[events, total - events] = np.minimum(up_to[last], 1.0)
    return grid


@lru_cache(maxsize=4)
def one_sided_fisher(n_a: int, n_b: int) -> tuple[Grid, Grid]:
    """P-values against the alternatives that arm a has the lower, and the higher, proportion."""
    lower, upper = np.empty((n_a + 1, n_b + 1)), np.empty((n_a + 1, n_b + 1))
    for total in range(n_a + n_b + 1):
        all_ways, at_most = comb(n_a + n_b, total), 0
        for events, ways in _ways(n_a, n_b, total):
            upper[events, total - events] = (all_ways - at_most) / all_ways
            at_most += ways
            lower[events, total - events] = at_most / all_ways
    return lower, upper


def log_binomial(n: int, k: NDArray[np.int64]) -> Grid:
    """Natural logarithm of "n choose k"."""
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def pooled_z(events_a: Counts, n_a: int, events_b: Counts, n_b: int) -> Grid:
    """Difference a minus b over its standard error if proportions are equal; 0/0 is 0."""
    total, n = events_a + events_b, n_a + n_b
    # In floats from the start: whole numbers of this size leave the range of 64 bits.
    spread = np.sqrt(np.multiply(n_a, n_b, dtype=float) * total * (n - total) / n)
    return _z(events_a * n_b - events_b * n_a, spread)


def unpooled_z(events_a: Counts, n_a: int, events_b: Counts, n_b: int) -> Grid:
    """Difference a minus b over its standard error; 0/0 is 0, else x/0 is infinite."""
    variance_a = np.square(n_b, dtype=float) * events_a * (n_a - events_a) / n_a
    variance_b = np.square(n_a, dtype=float) * events_b * (n_b - events_b) / n_b
    return _z(events_a * n_b - events_b * n_a, np.sqrt(variance_a + variance_b))


def all_tables(n_a: int, n_b: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Events in arms a (a column) and b (a row) of every table."""
    return np.arange(n_a + 1)[:, None], np.arange(n_b + 1)[None, :]


def unconditional_p(as_extreme: NDArray[np.bool_]) -> Fraction:
    """Largest probability of a set of tables over all event probabilities common to both arms.

    A grid over the whole range finds the peaks; each that could be the highest is refined by a
    bounded scalar search, and the probability there is computed in whole numbers. Time and
    memory grow with the product of the arms: made for arms of some hundreds.
    """
    n_a, n_b = as_extreme.shape[0] - 1, as_extreme.shape[1] - 1
    weights = as_extreme.astype(float)
    pmf_a, pmf_b = _binomial_pmf(n_a), _binomial_pmf(n_b)

    def probability(angle: float) -> float:
        p = np.sin(np.atleast_1d(angle)) ** 2
        return float(((pmf_a(p) @ weights) * pmf_b(p)).sum())

    angles, in_a, in_b = _first_pass(n_a, n_b)
    values = np.einsum("pi,pi->p", in_a @ weights, in_b)
    best, at = values.max(), angles[values.argmax()]
    left, inner, right = values[:-2], values[1:-1], values[2:]
    # A parabola through three points rises above the middle one by at most an eighth of this
    # drop; four times that is allowed for. Flat stretches, where the drop is rounding error,
    # have nothing to gain.
    drop = 2 * inner - left - right
    can_be_highest = (inner + drop / 2 > best) & (drop > 1e-11)
    peaks = (inner >= left) & (inner >= right) & can_be_highest
    for peak in np.flatnonzero(peaks) + 1:
        refined = minimize_scalar(
            lambda angle: -probability(angle),
            bounds=(angles[peak - 1], angles[peak + 1]),
            method="bounded",
            options={"xatol": 1e-9},
        )
        if -refined.fun > best:
            best, at = -refined.fun, refined.x
    return _probability(as_extreme, Fraction(np.sin(at) ** 2).limit_denominator(_DENOMINATOR))


@lru_cache(maxsize=4)
def _first_pass(n_a: int, n_b: int) -> tuple[Grid, Grid, Grid]:
    """Angles of a first pass over the common probability, with the probabilities in both arms."""
    # An arcsine-transformed proportion of n has the standard deviation 1 / (2 sqrt(n)).
    points = int(np.pi * np.sqrt(n_a + n_b) * _POINTS_PER_DEVIATION) + 1
    angles = np.linspace(0, np.pi / 2, points)
    p = np.sin(angles) ** 2
    return angles, _binomial_pmf(n_a)(p), _binomial_pmf(n_b)(p)


def _probability(tables: NDArray[np.bool_], p: Fraction) -> Fraction:
    """Probability of a set of tables if both arms have the same event probability."""
    n_a, n_b = tables.shape[0] - 1, tables.shape[1] - 1
    ways = [0] * (n_a + n_b + 1)
    ways_a, ways_b = ([comb(n, k) for k in range(n + 1)] for n in (n_a, n_b))
    for events_a, events_b in np.argwhere(tables).tolist():
        ways[events_a + events_b] += ways_a[events_a] * ways_b[events_b]
    # Horner's rule for the sum of ways x events^total x others^(n - total).
    events, others = p.numerator, p.denominator - p.numerator
    value, power = 0, 1
    for way in reversed(ways):
        value, power = value * events + way * power, power * others
    return Fraction(value, p.denominator ** (n_a + n_b))


def _binomial_pmf(n: int) -> Callable[[Grid], Grid]:
    k = np.arange(n + 1)
    log_ways = log_binomial(n, k)
    return lambda p: np.exp(log_ways + xlogy(k, p[:, None]) + xlog1py(n - k, -p[:, None]))


def _z(cross_difference: Counts, spread: Grid) -> Grid:
    """Quotient of the integer, hence exact, cross-product difference and its standard error."""
    cross_difference = np.asarray(cross_difference)
    without_spread = np.select([cross_difference > 0, cross_difference < 0], [np.inf, -np.inf])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, cross_difference / spread, without_spread)
