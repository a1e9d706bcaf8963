"""Exact distributions under the hypothesis that both arms have the same event probability.

Conditional on the total number of events (Fisher) the events of arm a are hypergeometric;
unconditionally (Barnard, Boschloo) the arms are two binomials with one unknown probability,
over which the P-value is maximised. scipy's hypergeom and binom give the same probabilities
and take five to twenty times as long for whole grids of tables.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gammaln, xlog1py, xlogy

from rdmas.stats import checks

Grid = NDArray[np.float64]
Counts = int | NDArray[np.int64]

# Two statistics closer than this, relative to their size, are one value. Rounding errors of the
# probabilities below are under 1e-12 for arms of some hundreds; a comparison without tolerance
# would drop tables that are exactly as extreme as the observed one.
TIE = 1e-9

# Points of the first pass per standard deviation of an arcsine-transformed proportion, a scale
# on which the rejection probability bends equally fast everywhere.
_POINTS_PER_DEVIATION = 20


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
    return two_sided_fisher(checks.whole("n_a", n_a, low=1), checks.whole("n_b", n_b, low=1))


def two_sided_fisher(n_a: int, n_b: int) -> Grid:
    """P-value of Fisher's two-sided test, at [events in a, events in b]."""
    p, _ = minimum_likelihood(conditional_pmf(n_a, n_b, np.arange(n_a + n_b + 1)))
    return _by_table(p, n_a, n_b)


def one_sided_fisher(n_a: int, n_b: int) -> tuple[Grid, Grid]:
    """P-values against the alternatives that arm a has the lower, and the higher, proportion."""
    lower, upper = tails(conditional_pmf(n_a, n_b, np.arange(n_a + n_b + 1)))
    return _by_table(lower, n_a, n_b), _by_table(upper, n_a, n_b)


def conditional_pmf(n_a: int, n_b: int, totals: ArrayLike) -> Grid:
    """Probability of 0 to `n_a` events in arm a, a row for each total of both arms."""
    i = np.arange(n_a + 1)
    j = np.asarray(totals)[:, None] - i
    possible = (j >= 0) & (j <= n_b)
    log_ways = np.where(
        possible, log_binomial(n_a, i) + log_binomial(n_b, np.where(possible, j, 0)), -np.inf
    )
    ways = np.exp(log_ways - log_ways.max(axis=1, keepdims=True))
    return ways / ways.sum(axis=1, keepdims=True)


def log_binomial(n: int, k: NDArray[np.int64]) -> Grid:
    """Natural logarithm of "n choose k"."""
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def tails(pmf: Grid) -> tuple[Grid, Grid]:
    """Lower and upper tail probabilities of each row, each with the value itself in it."""
    lower = np.cumsum(pmf, axis=1)
    upper = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
    return np.minimum(lower, 1), np.minimum(upper, 1)


def minimum_likelihood(pmf: Grid) -> tuple[Grid, Grid]:
    """Probability, in each row, of all values no more likely, and less likely, than each.

    The first is the two-sided P-value; the mid-P value is the mean of both.
    """
    order = np.argsort(pmf, axis=1)
    ranked = np.take_along_axis(pmf, order, axis=1)
    new_value = np.ones(pmf.shape, dtype=bool)
    new_value[:, 1:] = ranked[:, 1:] > ranked[:, :-1] * (1 + TIE)
    # Position at which the run of ties ends that a ranked value belongs to, and where it starts.
    position = np.arange(pmf.shape[1])
    ends = np.roll(new_value, -1, axis=1)
    end = np.minimum.accumulate(np.where(ends, position, pmf.shape[1])[:, ::-1], axis=1)[:, ::-1]
    start = np.maximum.accumulate(np.where(new_value, position, 0), axis=1)
    cumulative = np.cumsum(ranked, axis=1)
    before = np.concatenate([np.zeros((len(pmf), 1)), cumulative[:, :-1]], axis=1)
    no_more_likely, less_likely = np.empty_like(pmf), np.empty_like(pmf)
    np.put_along_axis(no_more_likely, order, np.take_along_axis(cumulative, end, 1), axis=1)
    np.put_along_axis(less_likely, order, np.take_along_axis(before, start, 1), axis=1)
    return np.minimum(no_more_likely, 1), less_likely


def pooled_z(events_a: Counts, n_a: int, events_b: Counts, n_b: int) -> Grid:
    """Difference a minus b over its standard error if proportions are equal; 0/0 is 0."""
    total, n = events_a + events_b, n_a + n_b
    return _z(events_a * n_b - events_b * n_a, np.sqrt(n_a * n_b * total * (n - total) / n))


def unpooled_z(events_a: Counts, n_a: int, events_b: Counts, n_b: int) -> Grid:
    """Difference a minus b over its standard error; 0/0 is 0, else x/0 is infinite."""
    variance_a = n_b**2 * events_a * (n_a - events_a) / n_a
    variance_b = n_a**2 * events_b * (n_b - events_b) / n_b
    return _z(events_a * n_b - events_b * n_a, np.sqrt(variance_a + variance_b))


def all_tables(n_a: int, n_b: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Events in arms a (a column) and b (a row) of every table."""
    return np.arange(n_a + 1)[:, None], np.arange(n_b + 1)[None, :]


def unconditional_p(as_extreme: NDArray[np.bool_]) -> float:
    """Largest probability of a set of tables over all event probabilities common to both arms.

    A grid over the whole range finds the peaks; each that could be the highest is refined by a
    bounded scalar search, which makes the maximum exact to about 1e-10. Time and memory grow
    with the product of the arms: made for arms of some hundreds.
    """
    n_a, n_b = as_extreme.shape[0] - 1, as_extreme.shape[1] - 1
    weights = as_extreme.astype(float)
    pmf_a, pmf_b = _binomial_pmf(n_a), _binomial_pmf(n_b)

    def probability(angle: ArrayLike) -> Grid:
        p = np.sin(np.atleast_1d(angle)) ** 2
        return np.einsum("pi,pi->p", pmf_a(p) @ weights, pmf_b(p))

    # An arcsine-transformed proportion of n has the standard deviation 1 / (2 sqrt(n)).
    points = int(np.pi * np.sqrt(n_a + n_b) * _POINTS_PER_DEVIATION) + 1
    angles = np.linspace(0, np.pi / 2, points)
    values = probability(angles)
    best = values.max()
    left, inner, right = values[:-2], values[1:-1], values[2:]
    # A parabola through three points rises above the middle one by at most an eighth of this
    # drop; four times that is allowed for. Flat stretches, where the drop is rounding error,
    # have nothing to gain.
    drop = 2 * inner - left - right
    can_be_highest = (inner + drop / 2 > best) & (drop > 1e-11)
    peaks = (inner >= left) & (inner >= right) & can_be_highest
    for peak in np.flatnonzero(peaks) + 1:
        refined = minimize_scalar(
            lambda angle: -probability(angle)[0],
            bounds=(angles[peak - 1], angles[peak + 1]),
            method="bounded",
            options={"xatol": 1e-9},
        )
        best = max(best, -refined.fun)
    return min(float(best), 1.0)


def _binomial_pmf(n: int) -> Callable[[Grid], Grid]:
    k = np.arange(n + 1)
    log_ways = log_binomial(n, k)
    return lambda p: np.exp(log_ways + xlogy(k, p[:, None]) + xlog1py(n - k, -p[:, None]))


def _by_table(by_total: Grid, n_a: int, n_b: int) -> Grid:
    """From [total, events in a] to [events in a, events in b]."""
    i, j = all_tables(n_a, n_b)
    return by_total[i + j, i]


def _z(cross_difference: Counts, spread: Grid) -> Grid:
    """Quotient of the integer, hence exact, cross-product difference and its standard error."""
    cross_difference = np.asarray(cross_difference)
    without_spread = np.select([cross_difference > 0, cross_difference < 0], [np.inf, -np.inf])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, cross_difference / spread, without_spread)
