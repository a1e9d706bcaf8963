"""The number of orders of deaths at each P, where there are too many orders to list."""

from __future__ import annotations

from math import comb

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rdmas.stats import checks
from rdmas.stats.logrank._orders import EQUAL_P, number_of_weak_orders
from rdmas.stats.logrank._search import Counts
from rdmas.stats.logrank._statistic import p_from_sums

# Beginnings with the same deaths whose sums agree to this are one, up to rounding errors of 1e-14.
_EQUAL_SUMS = 1e-11

# Up to this number of orders, all different pairs of sums are kept apart (some 500 MB).
_MOST_ORDERS = 2_000_000

# With more orders, whenever more pairs of sums than this share their deaths so far, they are
# merged on a grid whose steps move z by 0.0005 and by 0.0025 z.
_MOST_SUMS = 100_000
_STEP_EXPECTED = 0.0005
_STEP_VARIANCE = 0.005

_Sums = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def ordering_counts(
    deaths_a: int,
    n_a: int,
    deaths_b: int,
    n_b: int,
    decimals: int | None = None,
    ties: bool = False,
) -> pd.DataFrame:
    """How many orders of deaths give each log-rank P, with nobody lost before the last death.

    These are numbers of orders, not probabilities: nothing says that all orders of deaths are
    equally likely.

    The numbers come from dynamic programming over the deaths so far in both arms, which merges
    beginnings that share both sums of the statistic (expected deaths and variance) instead of
    listing orders. Few orders coincide exactly, so with more than two million orders, pairs of
    sums in one cell of a fine grid are replaced by their mean where many meet. `exact` in the
    attributes of the result (``result.attrs["exact"]``) is False then: the total number of orders
    remains exact, but orders near the edge between two rounded values of P may be counted on its
    other side.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.
    decimals : int, optional
        Round P to this number of decimals. By default each attainable P has its own row.
    ties : bool
        Whether to count weak orders, in which deaths may share a time.

    Returns
    -------
    pandas.DataFrame
        `p_value` in rising order and `orders`, the number of orders that give it: integers below
        2**53, floating-point numbers of 15 digits if there are more orders in all. A last row
        with P NaN counts orders in which P is undefined.

    Raises
    ------
    ValueError
        If the counts are impossible, or if `decimals` is not given although attainable P are too
        many to be kept apart.

    See Also
    --------
    orderings, weak_orderings : the orders themselves, where a list can be read.

    Examples
    --------
    >>> ordering_counts(2, 6, 3, 6, decimals=1)
       p_value  orders
    0      0.4       1
    1      0.5       3
    2      0.6       3
    3      0.7       2
    4      0.8       1
    """
    counts = Counts(*checks.table(deaths_a, n_a, deaths_b, n_b), lost=0, ties=bool(ties))
    if decimals is not None:
        decimals = checks.whole("decimals", decimals)
    exact = _number_of_orders(counts) <= _MOST_ORDERS
    if not exact and decimals is None:
        raise ValueError(
            "There are too many attainable P for a row each: give the number of decimals."
        )
    expected, variance, orders = _sums_of_all_orders(counts, exact)
    p_value = p_from_sums(counts.deaths_a - expected, variance)
    by_p = np.argsort(p_value)
    p_value, orders = p_value[by_p], orders[by_p]
    undefined = np.isnan(p_value)
    if decimals is None:
        new = np.diff(p_value, prepend=-1.0) > EQUAL_P * p_value
    else:
        p_value = p_value.round(decimals)
        new = np.diff(p_value, prepend=-1.0) > 0
    new |= undefined & ~np.roll(undefined, 1)
    new[0] = True
    orders = np.add.reduceat(orders, np.flatnonzero(new))
    # Whole numbers are exact in floating point up to 2**53.
    if orders.sum() < 2**53:
        orders = orders.round().astype(np.int64)
    result = pd.DataFrame({"p_value": p_value[new], "orders": orders})
    result.attrs["exact"] = exact
    return result


def _number_of_orders(counts: Counts) -> int:
    if counts.ties:
        return number_of_weak_orders(counts.deaths_a, counts.deaths_b)
    return comb(counts.deaths_a + counts.deaths_b, counts.deaths_a)


def _sums_of_all_orders(counts: Counts, exact: bool) -> _Sums:
    """Expected deaths, variance and number of orders of each group of orders."""
    no_loss = np.zeros(1, dtype=np.int64)
    share = counts.n_a / (counts.n_a + counts.n_b)
    typical_variance = (counts.deaths_a + counts.deaths_b) * share * (1.0 - share)
    reached: dict[tuple[int, int], list[_Sums]] = {cell: [] for cell in counts.cells()}
    reached[0, 0].append((np.zeros(1), np.zeros(1), np.ones(1)))
    for dead_a, dead_b in counts.cells():
        parts = reached.pop((dead_a, dead_b))
        expected, variance, orders = (np.concatenate(column) for column in zip(*parts, strict=True))
        sums = _merged(expected, variance, orders, _EQUAL_SUMS, _EQUAL_SUMS)
        if not exact and sums[0].size > _MOST_SUMS:
            sums = _merged(
                *sums,
                _STEP_EXPECTED * np.sqrt(typical_variance),
                _STEP_VARIANCE * typical_variance,
            )
        if (dead_a, dead_b) == (counts.deaths_a, counts.deaths_b):
            break
        for d, splits in counts.moves(dead_a, dead_b):
            e, v = counts.terms(dead_a, dead_b, no_loss, no_loss, d)
            for a, b in splits:
                reached[dead_a + a, dead_b + b].append((sums[0] + e, sums[1] + v, sums[2]))
    return sums


def _merged(
    expected: NDArray[np.float64],
    variance: NDArray[np.float64],
    orders: NDArray[np.float64],
    step_expected: float,
    step_variance: float,
) -> _Sums:
    """Merge the pairs of sums in each cell of a grid into their mean, weighted by orders."""
    # Half a step aside, so that simple fractions do not lie on an edge.
    row = np.floor(expected / step_expected + 0.5)
    column = np.floor(variance / step_variance + 0.5)
    order = np.lexsort((column, row))
    row, column = row[order], column[order]
    new = np.ones(order.size, dtype=bool)
    new[1:] = (np.diff(row) > 0) | (np.diff(column) != 0)
    start = np.flatnonzero(new)
    expected, variance, orders = expected[order], variance[order], orders[order]
    total = np.add.reduceat(orders, start)
    # A mean as the first entry plus the mean difference keeps entries that stand alone exact.
    group = np.cumsum(new) - 1
    first_e, first_v = expected[start], variance[start]
    extra_e = np.add.reduceat((expected - first_e[group]) * orders, start)
    extra_v = np.add.reduceat((variance - first_v[group]) * orders, start)
    return first_e + extra_e / total, first_v + extra_v / total, total
