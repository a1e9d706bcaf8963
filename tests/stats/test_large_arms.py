"""No work that explodes: tests of two-by-two tables and searches over them with large arms.

Groups 37, 40, 41 and 45 of the cases of a reader's own cohort. Oracles: the same tests in whole
numbers, whatever their size; scipy; and a clock, with much room.
"""

import math
import time
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact, hypergeom

from rdmas.stats import controls, fragility, misclassification, no_effect
from rdmas.stats.checks import LeftOutError, Table, table
from rdmas.stats.logrank import (
    losses_for_every_order,
    losses_to_exceed,
    number_of_orders,
    one_loss,
    ordering_counts,
    orderings,
    p_range,
    random_data_sets,
    weak_orderings,
)
from rdmas.stats.two_by_two import (
    TESTS,
    UNCONDITIONAL_IN_SEARCHES_UP_TO,
    UNCONDITIONAL_UP_TO,
    _exact,
    effects,
    fragility_index,
    p_value,
    p_values,
)

derandomised = settings(derandomize=True, deadline=None, max_examples=30)

LARGE = (300, 2000, 350, 2000)
APART = (100, 2000, 1500, 2000)
#: The cases of the groups: deaths and patients of both arms.
CASES = {
    "one patient": (1, 1, 0, 1),
    "12 and 12": (3, 12, 5, 12),
    "7 of 35, 8 of 28": (7, 35, 8, 28),
    "15 of 15, 18 of 18": (15, 15, 18, 18),
    "100 an arm": (20, 100, 40, 100),
    "200 an arm": (40, 200, 80, 200),
    "500 an arm": (100, 500, 150, 500),
    "30 of 300, 50 of 300": (30, 300, 50, 300),
    "5 and 300": (1, 5, 60, 300),
    "2,000 an arm": LARGE,
    "2,000 an arm, no deaths": (0, 2000, 0, 2000),
    "2,000 an arm, all dead": (2000, 2000, 2000, 2000),
    "2,000 an arm, worlds apart": APART,
}
every_case = pytest.mark.parametrize("counts", CASES.values(), ids=CASES)
UNCONDITIONAL = {key for key, test in TESTS.items() if test.kind == "unconditional"}


def large_tables(most=300):
    """Draw tables with arms of up to so many."""
    arms = st.integers(1, most).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
    return st.tuples(arms, arms).map(lambda pair: Table(*pair[0], *pair[1]))


def in_whole_numbers(counts):
    """Count the ways behind Fisher's P-values, as fractions of all."""
    events_a, n_a, events_b, n_b = counts
    total = events_a + events_b
    ways = {k: comb(n_a, k) * comb(n_b, total - k) for k in range(total + 1)}
    own, all_ways = ways[events_a], sum(ways.values())
    return (
        Fraction(sum(way for k, way in ways.items() if k <= events_a), all_ways),
        Fraction(sum(way for k, way in ways.items() if k >= events_a), all_ways),
        Fraction(own, all_ways),
        Fraction(sum(way for way in ways.values() if way <= own), all_ways),
        Fraction(sum(way for way in ways.values() if way < own), all_ways),
    )


@derandomised
@given(large_tables())
def test_shares_of_ways_are_those_of_whole_numbers(counts):
    if 0 < counts.events_a + counts.events_b < counts.n_a + counts.n_b:
        found = _exact._shares_of_ways(counts)[:5]
        expected = [float(share) for share in in_whole_numbers(counts)]
        assert found == pytest.approx(expected, rel=1e-10, abs=1e-300)


@derandomised
@given(st.integers(1, 40), st.integers(1, 40))
def test_a_grid_of_fisher_in_floats_is_that_in_whole_numbers(n_a, n_b):
    whole = _exact.two_sided_fisher(n_a, n_b)
    assert _exact._two_sided_fisher_of_many(n_a, n_b) == pytest.approx(whole, rel=1e-10)


def test_fisher_of_two_thousand_an_arm_agrees_with_scipy_and_with_whole_numbers():
    found = p_values(*LARGE).set_index("key")["p_value"]
    by_scipy = fisher_exact(table(*LARGE).cells())
    assert found["fisher"] == pytest.approx(by_scipy.pvalue, rel=1e-9)
    at_most, at_least, _, no_more_likely, _ = in_whole_numbers(LARGE)
    assert found["fisher"] == pytest.approx(float(no_more_likely), rel=1e-11)
    assert found["fisher_central"] == pytest.approx(float(2 * at_most), rel=1e-11)
    assert found["fisher_a_higher"] == pytest.approx(float(at_least), rel=1e-11)
    assert found["chi2"] == pytest.approx(
        chi2_contingency(table(*LARGE).cells(), correction=False).pvalue, rel=1e-11
    )


def test_ten_million_patients_an_arm_take_no_longer_than_their_spread():
    law = hypergeom(20_000_000, 5_000_000, 10_000_000)
    counts = (2_500_000 - 2500, 10_000_000, 2_500_000 + 2500, 10_000_000)
    start = time.perf_counter()
    found = p_value(*counts, "fisher_a_lower")
    assert time.perf_counter() - start < 1
    # Oracle: the normal approximation with continuity correction, good to 1e-3 at this size.
    z = (0.5 - 2500) / law.std()
    assert found == pytest.approx(math.erfc(-z / math.sqrt(2)) / 2, rel=1e-3)


def test_p_that_equals_the_level_is_exact_in_large_arms_with_few_events():
    # One event among 1,000 patients, in the arm of 50: P = 50/1000, which is not below 0.05.
    exact = TESTS["fisher_a_higher"].function(Table(1, 50, 0, 950))
    assert exact == Fraction(1, 20)


@derandomised
@given(st.lists(large_tables(50), min_size=1, max_size=20))
def test_many_tables_at_once_have_the_p_of_each(tables):
    for key, test in TESTS.items():
        if key not in UNCONDITIONAL:
            found = [float(p) for p in test.of_many(tables)]
            expected = [test(*counts) for counts in tables]
            assert found == pytest.approx(expected, rel=1e-12, nan_ok=True), key


# Left out, and said so ------------------------------------------------------------------------


@every_case
def test_tests_are_left_out_above_their_size_and_named(counts):
    start = time.perf_counter()
    found = p_values(*counts)
    assert time.perf_counter() - start < 20  # some 2 s on an idle machine
    left_out = found[found["left_out"] != ""]
    patients = counts[1] + counts[3]
    assert set(left_out["key"]) == (UNCONDITIONAL if patients > UNCONDITIONAL_UP_TO else set())
    assert left_out["p_value"].isna().all()
    words = f"left out: more than {UNCONDITIONAL_UP_TO} patients"
    assert (left_out["left_out"] == words).all()
    # All others are defined wherever somebody has, and somebody has not, the event.
    others = found[(found["left_out"] == "") & (found["statistic"].str.contains("Fisher"))]
    assert others["p_value"].between(0, 1).all()


def test_a_single_test_that_is_left_out_is_refused_in_a_sentence():
    sentence = "Barnard, pooled is left out: more than 400 patients."
    with pytest.raises(ValueError, match=sentence):
        p_value(*LARGE, "barnard_pooled")
    words = f"more than {UNCONDITIONAL_IN_SEARCHES_UP_TO} patients"
    for search in (
        lambda: fragility_index(20, 50, 10, 50, "boschloo_central"),
        lambda: fragility.fragility(20, 50, 10, 50, "boschloo_central"),
        lambda: fragility.fragility_index_walsh(20, 50, 10, 50, "boschloo_central"),
        lambda: fragility.significance_map(50, 50, ["boschloo_central"]),
        lambda: misclassification.misclassification_grid(20, 50, 10, 50, "boschloo_central"),
        lambda: no_effect.by_spread(20, 50, 10, 50, 0, [0.5], test="boschloo_central"),
    ):
        with pytest.raises(ValueError, match=words):
            search()


SEARCHES = {
    "fragility_by_test": fragility.fragility_by_test,
    "misclassification_frontier": misclassification.misclassification_frontier,
    "control_tipping": controls.control_tipping,
    "immortal_time": controls.immortal_time,
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
@every_case
def test_searches_end_and_name_what_they_leave_out(search, counts):
    start = time.perf_counter()
    found = search(*counts)
    assert time.perf_counter() - start < 30  # some 5 s at most on an idle machine
    two_sided = {key for key in UNCONDITIONAL if TESTS[key].sides == "two-sided"}
    large = counts[1] + counts[3] > UNCONDITIONAL_IN_SEARCHES_UP_TO
    left_out = found[found["left_out"] != ""]
    # Of arms that are worlds apart a million pairs of wrong outcomes would have to be tried.
    everything = search is SEARCHES["misclassification_frontier"] and counts == APART
    if everything:
        assert set(found["key"]) == set(left_out["key"])
    else:
        assert set(left_out["key"]) == (two_sided if large else set())
    numbers = left_out.select_dtypes("number")
    assert numbers.isna().all(axis=None)


def test_what_is_left_out_is_no_probability():
    found = no_effect.without_effect(10, 50, 20, 50, -1.0, 0.5, tests=["chi2", "boschloo_minlike"])
    done, left_out = found.by_test.to_dict("records")
    assert done["left_out"] == "" and 0 < done["below"] < 1
    assert left_out["left_out"] == "left out: more than 70 patients"
    assert np.isnan([left_out["p_value"], left_out["below"], left_out["as_small_this_way"]]).all()


def test_exact_tests_are_not_summed_for_each_of_too_many_tables():
    tests = ["chi2", "fisher", "fisher_central"]
    found = no_effect.without_effect(60, 300, 90, 300, -1.0, 0.5, tests=tests).by_test
    assert found["left_out"].tolist() == ["", "", "left out: more than 20,000 tables"]
    assert found["below"].notna().tolist() == [True, True, False]
    with pytest.raises(LeftOutError, match="Fisher exact, central is left out"):
        no_effect.by_spread(60, 300, 90, 300, -1.0, [0.5], test="fisher_central")


def test_what_would_not_fit_into_memory_is_left_out():
    with pytest.raises(LeftOutError, match="50,000,000 times"):
        random_data_sets(*LARGE, 200_000, seed=1)
    with pytest.raises(LeftOutError, match="1,000,000 pairs"):
        misclassification.misclassification_grid(*APART)
    assert len(misclassification.misclassification_grid(*APART, most=4)) == 25
    with pytest.raises(LeftOutError, match="20,000 tables"):
        fragility.significance_map(200, 200)


def test_log_rank_searches_are_left_out_at_once():
    # Group 45: from 7 and 7 deaths on the orders were once too many; 40: all dead.
    for counts in [(15, 15, 18, 18), (30, 300, 50, 300), LARGE, (2000, 2000, 2000, 2000)]:
        start = time.perf_counter()
        for call in (
            lambda counts=counts: orderings(*counts),
            lambda counts=counts: weak_orderings(*counts),
            lambda counts=counts: ordering_counts(*counts, ties=True),
            lambda counts=counts: losses_for_every_order(*counts),
            lambda counts=counts: fragility.logrank_fragility(*counts, ties=True),
        ):
            with pytest.raises(LeftOutError):
                call()
        assert time.perf_counter() - start < 5
    for counts in [(30, 300, 50, 300), LARGE, (2000, 2000, 1999, 2000)]:
        with pytest.raises(LeftOutError, match="Too many orders"):
            p_range(*counts, lost=1, ties=True)
        with pytest.raises(LeftOutError, match="Too many orders"):
            losses_to_exceed(*counts, ties=True)
        with pytest.raises(LeftOutError, match="orders of deaths"):
            one_loss(*counts)


@pytest.mark.parametrize(("deaths_a", "deaths_b"), [(7, 8), (15, 18), (0, 2000), (300, 350)])
def test_orders_are_counted_exactly_however_many(deaths_a, deaths_b):
    assert number_of_orders(deaths_a, deaths_b) == comb(deaths_a + deaths_b, deaths_a)
    # With ties, a sequence of k times at each of which somebody dies, by inclusion and exclusion
    # over the times at which nobody does.
    deaths = deaths_a + deaths_b
    if deaths <= 40:
        by_hand = sum(
            (-1) ** (k - j)
            * comb(k, j)
            * comb(j + deaths_a - 1, deaths_a)
            * comb(j + deaths_b - 1, deaths_b)
            for k in range(1, deaths + 1)
            for j in range(1, k + 1)
        )
        assert number_of_orders(deaths_a, deaths_b, ties=True) == by_hand
    elif deaths_a == 0:
        assert number_of_orders(0, deaths_b, ties=True) == 2 ** (deaths_b - 1)


# Indices of large arms ------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["chi2_n_minus_1", "fisher", "z_log_odds_ratio"])
def test_the_fragility_index_of_large_arms_is_the_first_p_past_the_level(key):
    index = fragility_index(*LARGE, key)
    events_a, n_a, events_b, n_b = LARGE
    assert p_value(events_a, n_a, events_b, n_b, key) < 0.05
    reached = [
        p_value(events_a + index, n_a, events_b, n_b, key),
        p_value(events_a, n_a, events_b - index, n_b, key),
    ]
    before = [
        p_value(events_a + index - 1, n_a, events_b, n_b, key),
        p_value(events_a, n_a, events_b - index + 1, n_b, key),
    ]
    assert max(reached) >= 0.05 > max(before)


@every_case
def test_intervals_of_every_effect_are_fast(counts):
    start = time.perf_counter()
    found = effects(*counts)
    assert time.perf_counter() - start < 10  # below 0.1 s on an idle machine
    finite = found.dropna(subset=["estimate", "low", "high"])
    assert (finite["low"] <= finite["high"]).all()
