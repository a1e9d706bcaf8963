"""The number of orders of deaths at each P, where there are too many orders to list."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rdmas.stats import checks
from rdmas.stats.logrank._orders import EQUAL_P, check_orders
from rdmas.stats.logrank._search import Cell, Counts
from rdmas.stats.logrank._statistic import p_from_sums

# Beginnings with the same deaths whose sums agree to so many decimals are one: rounding leaves
# differences of 1e-14.
_DECIMALS = 11

# The different pairs of sums of so many orders take some 500 MB.
_MOST_ORDERS = 2_000_000

# Expected deaths, variance and number of orders of each group of orders.
_Sums = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def ordering_counts(
    deaths_a: int, n_a: int, deaths_b: int, n_b: int, ties: bool = False
) -> pd.DataFrame:
    """How many orders of deaths give each log-rank P, with nobody lost before the last death.

    These are numbers of orders, not probabilities: nothing says that all orders of deaths are
    equally likely. They come from dynamic programming over the deaths so far in both arms, which
    merges beginnings that share both sums of the statistic (expected deaths and variance)
    instead of listing orders.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.
    ties : bool, default False
        Whether to count weak orders, in which deaths may share a time.

    Returns
    -------
    pandas.DataFrame
        `p_value` in rising order and `orders`, the number of orders that give it. A last row
        with P NaN counts orders in which P is undefined.

    Raises
    ------
    ValueError
        If the counts are impossible.
    rdmas.stats.checks.LeftOutError
        If there are more than two million orders.

    See Also
    --------
    orderings, weak_orderings : the orders themselves, where a list can be read.

    Examples
    --------
    >>> ordering_counts(1, 5, 2, 4).round(6)
        p_value  orders
    0  0.279744       1
    1  0.377540       1
    2  0.466636       1
    """
    counts = Counts(*checks.table(deaths_a, n_a, deaths_b, n_b), lost=0, ties=bool(ties))
    check_orders(counts.deaths_a, counts.deaths_b, counts.ties, _MOST_ORDERS)
    expected, variance, orders = _sums_of_all_orders(counts)
    p_value = p_from_sums(counts.deaths_a - expected, variance)
    by_p = np.argsort(p_value)
    p_value, orders = p_value[by_p], orders[by_p]
    # Undefined P, NaN, come last and are one group.
    undefined = np.isnan(p_value)
    new = (np.diff(p_value, prepend=-1.0) > EQUAL_P * p_value) | (
        undefined & ~np.append(False, undefined[:-1])
    )
    orders = np.add.reduceat(orders, np.flatnonzero(new)).astype(np.int64)
    return pd.DataFrame({"p_value": p_value[new], "orders": orders})


def _sums_of_all_orders(counts: Counts) -> _Sums:
    no_loss = np.zeros(1, dtype=np.int64)
    reached: dict[Cell, list[_Sums]] = {cell: [] for cell in counts.cells()}
    reached[0, 0].append((np.zeros(1), np.zeros(1), np.ones(1)))
    for dead_a, dead_b in counts.cells()[:-1]:
        expected, variance, orders = _merged(reached.pop((dead_a, dead_b)))
        for d, splits in counts.moves(dead_a, dead_b):
            e, v = counts.terms(dead_a, dead_b, no_loss, no_loss, d)
            for a, b in splits:
                reached[dead_a + a, dead_b + b].append((expected + e, variance + v, orders))
    return _merged(reached[counts.deaths_a, counts.deaths_b])


def _merged(parts: list[_Sums]) -> _Sums:
    """Merge equal pairs of sums, adding their numbers of orders."""
    expected, variance, orders = (np.concatenate(column) for column in zip(*parts, strict=True))
    # Pairs as complex numbers, which sort by their real part first.
    pairs = expected.round(_DECIMALS) + 1j * variance.round(_DECIMALS)
    _, first, group = np.unique(pairs, return_index=True, return_inverse=True)
    return expected[first], variance[first], np.bincount(group, weights=orders).astype(float)
