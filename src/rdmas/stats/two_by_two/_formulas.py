"""P-values of the tests of equal proportions, from a checked table; `_tests` says what each is.

The formulas take many tables at once as well: a `Table` of arrays.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import norm

from rdmas.stats.checks import Table
from rdmas.stats.two_by_two import _exact

TWO_SIDED = "two-sided"
A_LOWER = "one-sided, a lower"
A_HIGHER = "one-sided, a higher"

Values = NDArray[np.float64]


def _where(defined: ArrayLike, values: ArrayLike) -> Values:
    return np.where(defined, values, np.nan)


def _has_both_outcomes(table: Table) -> NDArray[np.bool_]:
    total = np.asarray(table.events_a + table.events_b)
    return (total > 0) & (total < table.n_a + table.n_b)


def z_unpooled(table: Table) -> Values:
    return _where(_has_both_outcomes(table), 2 * norm.sf(abs(_exact.unpooled_z(*table))))


def z_agresti_caffo(table: Table) -> Values:
    events_a, n_a, events_b, n_b = table
    # One event and one non-event more in each arm, then Wald's formula.
    return z_unpooled(Table(events_a + 1, n_a + 2, events_b + 1, n_b + 2))


def chi_square(table: Table, correction: bool = False, less_one: bool = False) -> Values:
    events_a, n_a, events_b, n_b = table
    n, total = n_a + n_b, events_a + events_b
    difference = abs(np.asarray(events_a * n_b - events_b * n_a, float))
    if correction:
        difference = np.maximum(difference - n / 2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = difference**2 * (n - 1 if less_one else n)
        statistic /= np.multiply(n_a, n_b, dtype=float) * total * (n - total)
    return _where(_has_both_outcomes(table), chi2_distribution.sf(statistic, df=1))


def likelihood_ratio(table: Table) -> Values:
    events_a, n_a, events_b, n_b = table
    n, total = n_a + n_b, np.asarray(events_a + events_b)
    statistic = np.zeros(np.shape(total))
    with np.errstate(invalid="ignore", divide="ignore"):
        for events, size in ((events_a, n_a), (events_b, n_b)):
            for count, column in ((events, total), (size - events, n - total)):
                statistic += 2 * xlogy(count, count * (n / size) / column)
    # Of equal proportions rounding may leave less than nothing.
    p_value = chi2_distribution.sf(np.maximum(statistic, 0), df=1)
    return _where(_has_both_outcomes(table), p_value)


def z_log_odds_ratio(table: Table) -> Values:
    events_a, n_a, events_b, n_b = (np.asarray(count, float) for count in table)
    others_a, others_b = n_a - events_a, n_b - events_b
    cells = (events_a, others_a, events_b, others_b)
    defined = np.min(np.broadcast_arrays(*cells), axis=0) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log(events_a * others_b) - np.log(events_b * others_a)
        z = abs(log_ratio) / np.sqrt(sum(1 / count for count in cells))
    return _where(defined, 2 * norm.sf(z))


def z_log_risk_ratio(table: Table, of_event: bool) -> Values:
    counts = table if of_event else table.complement()
    events_a, n_a, events_b, n_b = (np.asarray(count, float) for count in counts)
    everybody = (events_a == n_a) & (events_b == n_b)
    defined = (events_a > 0) & (events_b > 0) & ~everybody
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log(events_a * n_b) - np.log(events_b * n_a)
        variance = (n_a - events_a) / (events_a * n_a) + (n_b - events_b) / (events_b * n_b)
        z = abs(log_ratio) / np.sqrt(variance)
    return _where(defined, 2 * norm.sf(z))


def _share(some: float, total: float) -> Fraction | float:
    """Divide, exactly if both are whole numbers."""
    if isinstance(total, int) and isinstance(some, int):
        return Fraction(some, total)
    return min(1.0, float(some / total))


def fisher_one_sided(table: Table, sides: str) -> Fraction | float:
    ways = _exact.conditional(table)
    return _share(ways.at_least if sides == A_HIGHER else ways.at_most, ways.total)


def fisher_central(table: Table, mid: bool = False) -> Fraction | float:
    ways = _exact.conditional(table)
    doubled = 2 * min(ways.at_most, ways.at_least) - (ways.exactly if mid else 0)
    return _share(min(doubled, ways.total), ways.total)


def fisher_minimum_likelihood(table: Table) -> Fraction | float:
    ways = _exact.conditional(table)
    return _share(ways.no_more_likely, ways.total)


def fisher_mid_p(table: Table, with_ties: bool) -> Fraction | float:
    if not _has_both_outcomes(table):
        return Fraction(1)
    ways = _exact.conditional(table)
    as_likely = ways.no_more_likely - ways.less_likely if with_ties else ways.exactly
    return _share(2 * ways.no_more_likely - as_likely, 2 * ways.total)


def barnard(
    table: Table,
    statistic: Callable[[_exact.Counts, int, _exact.Counts, int], _exact.Grid],
    sides: str = TWO_SIDED,
) -> Fraction:
    all_a, all_b = _exact.all_tables(table.n_a, table.n_b)
    z = statistic(all_a, table.n_a, all_b, table.n_b)
    extremeness = {TWO_SIDED: np.abs(z), A_HIGHER: z, A_LOWER: -z}[sides]
    observed = extremeness[table.events_a, table.events_b]
    # The subtracted tolerance is skipped for an infinite statistic, where it would give NaN.
    tolerance = _exact.TIE * abs(observed) if np.isfinite(observed) else 0.0
    return _exact.unconditional_p(extremeness >= observed - tolerance)


def _boschloo(table: Table, fisher: _exact.Grid) -> Fraction:
    observed = fisher[table.events_a, table.events_b]
    return _exact.unconditional_p(fisher <= observed * (1 + _exact.TIE))


def boschloo_one_sided(table: Table, sides: str) -> Fraction:
    return _boschloo(table, _exact.one_sided_fisher(table.n_a, table.n_b)[sides == A_HIGHER])


def boschloo_central(table: Table) -> Fraction:
    smaller = min(boschloo_one_sided(table, sides) for sides in (A_LOWER, A_HIGHER))
    return min(Fraction(1), 2 * smaller)


def boschloo_minimum_likelihood(table: Table) -> Fraction:
    return _boschloo(table, _exact.two_sided_fisher(table.n_a, table.n_b))
