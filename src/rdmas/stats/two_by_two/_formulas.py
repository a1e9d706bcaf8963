"""P-values of the tests of equal proportions, from a checked table; `_tests` says what each is."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import chi2_contingency, norm

from rdmas.stats.checks import Table
from rdmas.stats.two_by_two import _exact

TWO_SIDED = "two-sided"
A_LOWER = "one-sided, a lower"
A_HIGHER = "one-sided, a higher"


def _has_both_outcomes(table: Table) -> bool:
    return 0 < table.events_a + table.events_b < table.n_a + table.n_b


def z_unpooled(table: Table) -> float:
    if not _has_both_outcomes(table):
        return np.nan
    return 2 * norm.sf(abs(_exact.unpooled_z(*table)))


def z_agresti_caffo(table: Table) -> float:
    events_a, n_a, events_b, n_b = table
    # One event and one non-event more in each arm, then Wald's formula.
    return z_unpooled(Table(events_a + 1, n_a + 2, events_b + 1, n_b + 2))


def chi_square(
    table: Table, correction: bool = False, statistic: str = "pearson", less_one: bool = False
) -> float:
    if not _has_both_outcomes(table):
        return np.nan
    events_a, n_a, events_b, n_b = table
    cells = [[events_a, n_a - events_a], [events_b, n_b - events_b]]
    result = chi2_contingency(cells, correction=correction, lambda_=statistic)
    if not less_one:
        return result.pvalue
    n = n_a + n_b
    return chi2_distribution.sf(result.statistic * (n - 1) / n, df=1)


def z_log_odds_ratio(table: Table) -> float:
    cells = [count for arm in table.cells() for count in arm]
    if not all(cells):
        return np.nan
    events_a, others_a, events_b, others_b = cells
    log_ratio = math.log(events_a * others_b) - math.log(events_b * others_a)
    return 2 * norm.sf(abs(log_ratio) / math.sqrt(sum(1 / count for count in cells)))


def z_log_risk_ratio(table: Table, of_event: bool) -> float:
    events_a, n_a, events_b, n_b = table if of_event else table.complement()
    if not (events_a and events_b) or (events_a == n_a and events_b == n_b):
        return np.nan
    log_ratio = math.log(events_a * n_b) - math.log(events_b * n_a)
    variance = (n_a - events_a) / (events_a * n_a) + (n_b - events_b) / (events_b * n_b)
    return 2 * norm.sf(abs(log_ratio) / math.sqrt(variance))


def fisher_one_sided(table: Table, sides: str) -> Fraction:
    ways = _exact.conditional(table)
    return Fraction(ways.at_least if sides == A_HIGHER else ways.at_most, ways.total)


def fisher_central(table: Table, mid: bool = False) -> Fraction:
    ways = _exact.conditional(table)
    doubled = 2 * min(ways.at_most, ways.at_least) - (ways.exactly if mid else 0)
    return min(Fraction(1), Fraction(doubled, ways.total))


def fisher_minimum_likelihood(table: Table) -> Fraction:
    ways = _exact.conditional(table)
    return Fraction(ways.no_more_likely, ways.total)


def fisher_mid_p(table: Table, with_ties: bool) -> Fraction:
    if not _has_both_outcomes(table):
        return Fraction(1)
    ways = _exact.conditional(table)
    as_likely = ways.no_more_likely - ways.less_likely if with_ties else ways.exactly
    return Fraction(2 * ways.no_more_likely - as_likely, 2 * ways.total)


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
