"""Where P equals the level exactly, it is not below it: every small table, against fractions.

The oracle counts arrangements of patients: it shares no code and no formula with the package but
the definitions of the tests.
"""

from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest

from rdmas.stats.controls import control_tipping, immortal_time
from rdmas.stats.fragility import (
    fragility,
    fragility_by_test,
    fragility_index,
    fragility_index_walsh,
    significance_map,
)
from rdmas.stats.misclassification import misclassification_frontier, misclassification_grid
from rdmas.stats.significance import significant
from rdmas.stats.two_by_two import TESTS, fisher_grid, p_value

LEVELS = [k / 100 for k in range(1, 100)]
LARGEST = 9


def conditional(n_a, n_b, events):
    """Probability of each number of events in arm a, by fractions."""
    ways = {
        a: comb(n_a, a) * comb(n_b, events - a)
        for a in range(max(0, events - n_b), min(n_a, events) + 1)
    }
    return {a: Fraction(way, sum(ways.values())) for a, way in ways.items()}


def exact_p_values(a, n_a, b, n_b):
    """Fisher's P-values of a table by key, as fractions."""
    share = conditional(n_a, n_b, a + b)
    lower = sum(p for x, p in share.items() if x <= a)
    upper = sum(p for x, p in share.items() if x >= a)
    no_more = sum(p for p in share.values() if p <= share[a])
    ties = sum(p for p in share.values() if p == share[a])
    several = len(share) > 1
    return {
        "fisher_a_lower": lower,
        "fisher_a_higher": upper,
        "fisher_central": min(Fraction(1), 2 * min(lower, upper)),
        "fisher_midp_central": min(Fraction(1), 2 * min(lower, upper) - share[a]),
        "fisher": no_more,
        "fisher_midp_minlike": no_more - ties / 2 if several else Fraction(1),
        "fisher_midp_sas": no_more - share[a] / 2 if several else Fraction(1),
    }


def small_tables(largest=LARGEST):
    """Every table of two arms up to a size."""
    for n_a in range(1, largest + 1):
        for n_b in range(1, largest + 1):
            for a in range(n_a + 1):
                for b in range(n_b + 1):
                    yield a, n_a, b, n_b


def test_the_fractions_themselves_by_enumeration():
    """Who has the event, all choices of patients one by one: the oracle's own check."""
    for a, n_a, b, n_b in ((1, 3, 2, 4), (0, 2, 3, 3), (2, 4, 1, 4)):
        choices = list(combinations(range(n_a + n_b), a + b))
        in_a = [sum(patient < n_a for patient in choice) for choice in choices]
        observed = in_a.count(a)
        expected = Fraction(sum(in_a.count(x) <= observed for x in in_a), len(in_a))
        assert exact_p_values(a, n_a, b, n_b)["fisher"] == expected


def test_zero_of_one_against_nineteen_of_nineteen():
    # P is 1/20, one of twenty places for the one patient without the event: not below 0.05.
    assert p_value(0, 1, 19, 19) == 0.05
    assert fragility_index(0, 1, 19, 19) == 0
    assert fragility_index_walsh(0, 1, 19, 19) == 0
    assert fragility(0, 1, 19, 19)["index"].dropna().eq(0).all()
    assert fragility_by_test(0, 1, 19, 19, tests=["fisher"])["index"].item() == 0
    assert fragility_index(0, 1, 20, 20) == 1  # 1/21
    assert fragility_index(0, 1, 19, 19, alpha=0.051) == 1


@pytest.mark.parametrize("key", list(exact_p_values(1, 2, 1, 2)))
def test_p_is_the_nearest_float_and_significance_is_that_of_the_fraction(key):
    met = 0
    for table in small_tables():
        exact = exact_p_values(*table)[key]
        p = TESTS[key](*table)
        assert p == float(exact), table
        for alpha in LEVELS:
            below = exact < Fraction(str(alpha))
            met += exact == Fraction(str(alpha))
            assert significant(p, alpha) == below, (table, alpha)
            assert significant(exact, alpha) == below, (table, alpha)
    assert met > 20  # the case this is about does occur


@pytest.mark.parametrize("key", ["fisher", "fisher_central", "fisher_midp_sas"])
def test_every_reader_of_significance_agrees_where_p_equals_the_level(key):
    met = 0
    for table in small_tables(6):
        exact = exact_p_values(*table)[key]
        alpha = float(exact)
        if alpha == 1 or Fraction(str(alpha)) != exact:
            continue
        met += 1
        a, n_a, b, n_b = table
        assert fragility_index(*table, key, alpha) == 0
        assert fragility_index_walsh(*table, key, alpha) == 0
        grid = misclassification_grid(*table, key, alpha)
        assert not grid.iloc[0]["significant"]
        frontier = misclassification_frontier(*table, alpha, [key])
        assert frontier["wrong"].tolist() == [0]
        assert control_tipping(*table, alpha, [key])["fewer_events"].item() == 0
        assert immortal_time(*table, alpha, [key])["removed"].item() == 0
        found = significance_map(n_a, n_b, [key], alpha).set_index(["events_a", "events_b"])
        assert not found.loc[(a, b), "significant"]
        # Just above, it is significant.
        assert fragility_index(*table, key, alpha + 1e-9) != 0
    assert met > 20


def test_the_map_of_all_tables_has_the_exact_values():
    for n_a, n_b in ((1, 19), (7, 9), (12, 12)):
        grid = fisher_grid(n_a, n_b)
        for a in range(n_a + 1):
            for b in range(n_b + 1):
                assert grid[a, b] == float(exact_p_values(a, n_a, b, n_b)["fisher"])


def test_unconditional_p_that_equals_the_level_is_not_below_it():
    # 0/2 against 2/2: both separated tables, 2 p^2 (1 - p)^2, at most 1/8, at one half.
    for key in ("barnard_pooled", "barnard_unpooled", "boschloo_minlike"):
        assert p_value(0, 2, 2, 2, key) == 1 / 8
        assert fragility_index(0, 2, 2, 2, key, 0.125) == 0
        assert fragility_index(0, 2, 2, 2, key, 0.126) > 0
    # 2/2 against 0/3, one-sided: p^2 (1 - p)^3, at most 2^2 3^3 / 5^5, at two fifths.
    exact = Fraction(108, 3125)
    for key in ("barnard_pooled_a_higher", "boschloo_a_higher"):
        assert p_value(2, 2, 0, 3, key) == float(exact)
        assert fragility_index(2, 2, 0, 3, key, 0.03456) == 0
        assert fragility_index(2, 2, 0, 3, key, 0.03457) > 0


def test_unconditional_p_is_at_least_that_at_many_fractions():
    """The maximum over a grid of exact fractions never exceeds P, and comes close to it."""
    for table in ((1, 4, 4, 5), (0, 3, 2, 3), (2, 6, 5, 5)):
        a, n_a, b, n_b = table
        fisher = {t: exact_p_values(t[0], n_a, t[1], n_b)["fisher"] for t in _pairs(n_a, n_b)}
        region = [t for t in fisher if fisher[t] <= fisher[a, b]]
        highest = max(
            sum(
                comb(n_a, x) * comb(n_b, y) * p ** (x + y) * (1 - p) ** (n_a + n_b - x - y)
                for x, y in region
            )
            for p in (Fraction(k, 360) for k in range(361))
        )
        p = p_value(*table, "boschloo_minlike")
        assert float(highest) <= p + 1e-15
        assert p == pytest.approx(float(highest), abs=1e-4)


def _pairs(n_a, n_b):
    return [(a, b) for a in range(n_a + 1) for b in range(n_b + 1)]


def test_arrays_and_undefined_values():
    found = significant(np.array([[0.04, 0.05], [np.nan, 0.06]]), 0.05)
    assert found.tolist() == [[True, False], [False, False]]
    assert significant(float("nan"), 0.05) is False
    assert significant(0.01, 0.05) is True
