"""What the pages about a paper say of arms too large to search, and that nothing there explodes.

Groups 37, 40 and 45 of the cases of a reader's own cohort: 7 of 35 against 8 of 28 deaths, of which
6,435 orders are listed; 15 of 15 against 18 of 18, and 30 of 300 against 50 of 300, of which none
is. What is left out is named, and never reads as not defined or not significant.
"""

import math
import time
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from rdmas.paper import derivations, followup
from rdmas.paper.verdicts import verdict
from rdmas.selfcheck import audit
from rdmas.show import explorers, figures, prose, tables
from rdmas.show.pages import colophon, context_notes, p_value_notes, sturdiness, sturdiness_notes
from rdmas.show.pages import p_value as page
from rdmas.stats import controls, fragility, logrank, misclassification, no_effect, two_by_two
from rdmas.stats.checks import LeftOutError, answered, table

ORDINARY = table(7, 35, 8, 28)
ALL_DEAD = table(15, 15, 18, 18)
LARGE = table(30, 300, 50, 300)
HUGE = table(300, 2000, 350, 2000)
cases = pytest.mark.parametrize("deaths", [ORDINARY, ALL_DEAD, LARGE, HUGE], ids=str)
REPORTED, ALPHA, ARMS = "0.016", 0.05, ("new", "old")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def rows(shown):
    """Return the cells of a table, headings first."""
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(shown.data, "html.parser").find_all("tr")
    ]


def words_of(ax):
    """Return what a figure says, on one line."""
    said = [text.get_text() for text in ax.texts] + [ax.get_xlabel()]
    return " ".join(" ".join(said).split())


@cases
def test_the_chapter_on_p_gets_an_answer_or_a_word_in_seconds(deaths):
    start = time.perf_counter()
    orders = answered(logrank.orderings, *deaths, instead=page.NO_ORDERS)
    ax = figures.plot_orderings(orders, REPORTED, ARMS)
    many = len(orders) == 0
    assert many == (deaths is not ORDINARY)
    assert ("too many to list" if many else "30 of 6,435 orders") in words_of(ax)
    explorer = explorers.order_of_deaths(orders, deaths, REPORTED, ARMS)
    assert ("too many orders" in getattr(explorer, "data", "")) == many
    untied = answered(logrank.ordering_counts, *deaths, instead=None)
    weak = answered(logrank.ordering_counts, *deaths, ties=True, instead=None)
    said = page.say_orders(deaths, untied, weak, REPORTED)
    number = math.comb(deaths.events_a + deaths.events_b, deaths.events_a)
    assert said["orders"] == prose.count(number)
    assert weak is None and said["weak_hits"] == page.UNKNOWN

    rungs = answered(followup.unseen_followup, deaths, instead=())
    ladder = page.ladder_table(rungs, orders, REPORTED, ALPHA)
    if not rungs:
        assert rows(ladder)[1][1:] == ["left out"] * 4
        assert "Left out: too many to search." in ladder.data
    curve = answered(logrank.p_range_curve, *deaths, 5, ties=True, instead=page.NO_CURVE)
    if not curve.empty:
        figures.plot_range_curve(curve, REPORTED, ALPHA)
    else:
        assert "too many" in words_of(figures.plot_range_curve(curve, REPORTED, ALPHA))
    every = answered(logrank.losses_for_every_order, *deaths, ALPHA, instead=page.UNKNOWN)
    said = page.say_early_ends(page.UNKNOWN, every, 3)
    assert said["to_exceed"] == said["every_order"] == page.UNKNOWN
    assert said["safe"] == f"{page.UNKNOWN} of"
    one_loss = answered(logrank.one_loss, *deaths, instead=None)
    said = page.say_places(orders, orders, page.NO_ORDERS, one_loss, REPORTED)
    assert ("not listed" in said["places"]) == many
    assert "not listed" in said["places_exact"]
    assert (said["one_loss_orders"] == page.UNKNOWN) == (one_loss is None)
    assert time.perf_counter() - start < 90  # some 6 s on an idle machine


def test_tests_that_are_left_out_are_named_in_tables_and_figures():
    tests = two_by_two.p_values(*LARGE).query("sides == 'two-sided'")
    shown = page.tests_table(tests, REPORTED)
    by_test = {row[1]: row[2:5] for row in rows(shown)[1:]}
    assert by_test["Barnard, pooled"] == ["left out"] * 3
    assert by_test["Fisher exact, central"][1:] == ["0.022", "no"]
    assert "Left out: more than 400 patients." in shown.data
    drawn = words_of(figures.plot_p_values(tests, REPORTED, ALPHA))
    assert "left out: more than 400 patients: Barnard" in drawn
    said = page.say_tests(tests, REPORTED, ALPHA)
    assert said["below"].startswith("all 14")


def test_searches_that_are_left_out_are_named_and_counted_in_nothing():
    by_test = fragility.fragility_by_test(*LARGE)
    shown = sturdiness.fragility_table(by_test, "new")
    assert "Left out: more than 70 patients." in shown.data
    assert rows(shown)[3][1:] == ["left out"] * 6
    assert sturdiness.say_fragility(by_test, ARMS, ALPHA)["n_tests"] == "14"
    frontier = misclassification.misclassification_frontier(*LARGE)
    assert ["Barnard, pooled", "left out"] in rows(sturdiness.frontier_table(frontier, "new"))
    assert sturdiness.say_wrong(frontier, by_test)["single"] == "none of the 14"
    tipping, early = controls.control_tipping(*LARGE), controls.immortal_time(*LARGE)
    barnard = rows(sturdiness.control_table(tipping, early))[3]
    assert barnard == ["Barnard, unpooled", *["left out"] * 4]
    keys = sturdiness.mapped(("fisher", "boschloo_central"), LARGE)
    assert keys == ["fisher"]
    drawn = answered(fragility.significance_map, 300, 300, keys, instead=sturdiness.NO_MAP)
    words = words_of(figures.plot_significance_map(drawn, (30, 50), ARMS, "deaths"))
    assert "too many to draw" in words


def test_what_cohorts_drawn_alike_would_show_is_left_out_too():
    tests = ["chi2", "barnard_pooled"]
    found = no_effect.without_effect(10, 50, 20, 50, -1, 0.5, tests=tests).by_test
    shown = context_notes.table_without_effect(found, ALPHA)
    assert rows(shown)[2][1:] == ["left out"] * 5
    assert "not defined" not in shown.data


@cases
def test_the_notes_on_p_show_some_orders_and_say_how_many_there_are(deaths):
    by_test = [
        answered(logrank.orderings, *deaths, statistic=name, instead=page.NO_ORDERS)
        for name in p_value_notes.SURVIVAL_TESTS
    ]
    shown = p_value_notes.orders_table(by_test)
    if by_test[0].empty:
        assert rows(shown)[1][1:] == ["left out"] * 4
    else:
        assert len(rows(shown)) == 31
        assert "30 of 6,435 orders are shown, evenly spread by P." in shown.data
        assert "left out" not in shown.data
    nothing = figures.plot_followup(p_value_notes.with_headings([None, None], [1, 1], ARMS), ARMS)
    assert "too many to search" in words_of(nothing[0])
    assert p_value_notes.say_ends(page.UNKNOWN, [])["lifelines_low"] == "none found"


def test_random_data_sets_are_as_many_as_fit_into_memory():
    assert p_value_notes.affordable(200_000, 41) == 200_000
    assert p_value_notes.affordable(200_000, 4000) == 3000


def test_nothing_is_drawn_where_nobody_died_or_survived():
    for deaths in (table(0, 20, 0, 21), ALL_DEAD):
        assert p_value_notes.early_ends_tried(deaths) == []
    assert p_value_notes.early_ends_tried(table(1, 20, 8, 21)) == [2, 4, 8, 16]
    nothing = p_value_notes.ensemble([], [])
    assert "No data set" in words_of(figures.plot_ensemble(nothing, REPORTED, ALPHA))
    assert len(rows(p_value_notes.shares_table(nothing, REPORTED, ALPHA))) == 1


def test_bounds_that_were_not_searched_are_named():
    bounds = answered(fragility.logrank_fragility, *LARGE, instead=sturdiness_notes.NO_BOUNDS)
    shown = sturdiness_notes.order_table(bounds, bounds, ARMS)
    assert [row[3:] for row in rows(shown)[1:]] == [["left out"] * 2] * 2
    said = sturdiness_notes.say_orders(sturdiness_notes.UNKNOWN, (1, 2))
    assert said["index_distinct"].startswith("an unknown number")


def test_a_library_is_not_compared_where_ours_is_left_out():
    own = audit.library_defects(LARGE)
    left_out = own[own["left_out"] != ""]
    assert set(left_out["function"]) == {"barnard_exact"}
    assert not left_out["differs"].any()


def test_a_task_that_is_left_out_says_so():
    found = colophon.durations(("all orders", logrank.weak_orderings, tuple(LARGE)))
    assert found["name"].tolist() == ["all orders (left out: too many)"]


# Claims ---------------------------------------------------------------------------------------


def test_a_test_that_is_left_out_is_neither_for_a_claim_nor_against_it():
    test = derivations._Test("Barnard", math.nan, "counts", "Barnard", "left out: more than 400")
    found = derivations._not_computed(test)
    assert (found.recomputed, found.reproduces) == ("left out: more than 400", False)
    assert tables._agrees(vars(found)) == "not tried"
    fitting = derivations.Derivation("Fisher", 0.02, "0.02", True, "counts", "Fisher")
    assert verdict("p_value", [found, fitting]) == "compatible"


def test_follow_up_that_is_too_much_to_search_is_refused_at_once():
    with pytest.raises(LeftOutError, match="Too many orders"):
        followup.unseen_followup(HUGE)
    claim = {"variable": "died", "reported": "0.3"}
    cohort = SimpleNamespace(
        fields=lambda: {"followup_time": {"provenance": "assumed"}}, deaths=lambda: HUGE
    )
    [found] = derivations._not_searched(claim, cohort)
    assert tables._agrees(vars(found)) == "not tried"
    assert verdict("p_value", [found]) == "not checkable"


def test_a_count_of_thousands_of_digits_is_written_by_its_size():
    number = logrank.number_of_orders(2000, 2000)
    assert prose.count(number) == "about 10 to the power of 1202"
    assert pd.isna(None) and prose.count(10**17) == "100,000,000,000,000,000"
