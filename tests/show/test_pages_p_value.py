"""Tests of rdmas.show.pages.p_value and .p_value_notes: what the pages on P say of a table.

Two tables: that of the paper (1 of 20 against 8 of 21 died; printed P = 0.011) and that of
Perondi 2004 (7 of 34 against 1 of 34 survived; Pearson's P is 0.0239, Fisher's 0.0544). P-values of
the paper's table are those of R 4.2 (packages stats, survival, coin), see test_two_by_two.py and
test_logrank.py. Everything else is small enough to be counted by hand.
"""

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from lifelines.statistics import logrank_test

from rdmas.paper.followup import UnseenFollowup, unseen_followup
from rdmas.selfcheck import audit
from rdmas.show.pages import p_value as page
from rdmas.show.pages import p_value_notes as notes
from rdmas.stats import checks, cox, logrank, two_by_two

PAPER, PRINTED = checks.table(1, 20, 8, 21), "0.011"
PERONDI = checks.table(7, 34, 1, 34)
ALPHA = 0.05


def rows(table):
    """Return the cells of a table, headings first."""
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(table.data, "html.parser").find_all("tr")
    ]


def by_first(table):
    """Return the rows of a table by their first cell."""
    return {first: rest for first, *rest in rows(table)}


def two_sided(table):
    return two_by_two.p_values(*table).query("sides == 'two-sided'")


def rung(low, high, **others):
    values = {"high_is_bound": False, "high_attained": high, "limited": True, "known": None}
    return UnseenFollowup("as assumed", low, high, **(values | others))


# The chapter ----------------------------------------------------------------------------------


def test_a_p_value_is_a_hit_if_it_prints_as_reported_rounded_once():
    found = page.hits(pd.Series([0.010495, 0.0105, 0.011482, 0.0115, 0.01151, np.nan]), PRINTED)
    assert found.tolist() == [False, True, True, True, False, False]
    assert page.hits(pd.Series([], dtype=float), PRINTED).tolist() == []


def test_tests_on_the_papers_counts_and_which_of_them_print_its_p_value():
    heading, *cells = rows(page.tests_table(two_sided(PAPER), PRINTED))
    assert heading[1:5] == ["Test; the event is death", "P", "Rounded", "Prints as 0.011"]
    found = {name: rest[:3] for _, name, *rest in cells}
    assert len(found) == 18
    assert found["z, log risk ratio of the event (Katz)"] == ["0.045133", "0.045", "no"]
    statistics = [family for family, *_ in cells if family]
    assert len(statistics) == len(set(statistics)) == 6
    assert found["Pearson chi-square, uncorrected"] == ["0.010495", "0.010", "no"]
    assert found["Fisher exact, minimum-likelihood"] == ["0.020486", "0.020", "no"]
    assert {name: rest for name, rest in found.items() if rest[-1] == "yes"} == {
        "z, Agresti-Caffo": ["0.011450", "0.011", "yes"],
        "chi-square, N−1 (Campbell 2007)": ["0.011482", "0.011", "yes"],
    }


def test_tests_on_another_table_are_held_against_its_own_print():
    heading, *cells = rows(page.tests_table(two_sided(PERONDI), "0.024"))
    assert heading[4] == "Prints as 0.024"
    found = {name: rest for _, name, *rest in cells}
    assert found["Pearson chi-square, uncorrected"][1:3] == ["0.024", "yes"]
    assert found["Fisher exact, minimum-likelihood"][1:3] == ["0.054", "no"]


def test_the_ladder_of_the_paper_goes_from_no_assumption_to_the_order_that_prints_its_p_value():
    orders = logrank.orderings(*PAPER)
    ladder = page.ladder_table(unseen_followup(PAPER), orders, PRINTED, ALPHA)
    heading, *cells = rows(ladder)
    assert heading[3:] == ["0.011 possible", "Always below 0.05"]
    assert cells[0][0] == "anybody's follow-up ending early, ties allowed"
    assert cells[0][2:] == ["no limit", "yes", "no"]
    assert [row[-1] for row in cells] == ["no", "no", "yes", "yes", "yes", "yes", "yes"]
    assert cells[-2] == [
        "nobody's follow-up ending early, no ties",
        *("0.0091", "0.0142", "yes", "yes"),
    ]
    assert cells[-1] == [
        "the same, and place 6 for the death with treatment",
        *("0.0110", "0.0110", "yes", "yes"),
    ]


def test_the_ladder_ends_without_an_order_where_none_prints_the_reported_value():
    orders = logrank.orderings(1, 5, 2, 4)  # 0.4666, 0.3775 and 0.2797
    ladder = page.ladder_table([rung(0.28, 0.47), rung(0.001, 0.9)], orders, "0.900", 0.5)
    assert rows(ladder)[1:] == [
        ["as assumed", "0.0010", "0.9000", "yes", "no"],
        ["as assumed", "0.2800", "0.4700", "no", "yes"],
    ]


def test_attainable_values_are_the_tests_and_then_the_assumptions_from_weak_to_strong():
    rungs = [rung(0.01, 0.02), rung(0.001, 0.04)]
    found = page.attainable(two_sided(PERONDI), rungs, "0.024")
    points, ranges = found.iloc[:-2], found.iloc[-2:]
    tests = two_sided(PERONDI)["test"].tolist()
    assert points["name"].tolist() == [f"{len(tests)} tests on the four counts"] * len(tests)
    assert points["low"].equals(points["high"])
    prints = points.set_axis(tests)["prints"]
    assert prints["Pearson chi-square, uncorrected"]
    assert not prints["Fisher exact, minimum-likelihood"]
    assert ranges.to_numpy().tolist() == [
        ["log-rank, as assumed", 0.001, 0.04, True],
        ["log-rank, as assumed", 0.01, 0.02, False],
    ]


@pytest.mark.parametrize(
    ("table", "treated", "control", "patients", "survivors"),
    [(PAPER, "1 of 20", "8 of 21", "41", "32"), (PERONDI, "7 of 34", "1 of 34", "68", "60")],
)
def test_counts_are_worded(table, treated, control, patients, survivors):
    assert page.say_counts(table, "drug", ALPHA) == {
        "treatment": "drug",
        "alpha": "0.05",
        "n": patients,
        "died_treated": treated,
        "died_control": control,
        "survivors": survivors,
    }


def test_the_papers_tests_are_worded():
    assert page.say_tests(two_sided(PAPER), PRINTED, ALPHA) == {
        "tests": "18",
        "families": "6",
        "below": "all 18",
        "hits": "z, Agresti-Caffo and chi-square, N−1 (Campbell 2007)",
        "smallest": "0.005",
        "largest": "0.045",
        "largest_in_full": "0.0451",
        "largest_test": "z, log risk ratio of the event (Katz)",
        "fisher": "0.020",
        "n_minus_1": "0.011482",
        "n_minus_1_twice": "0.012",
        "pearson": "0.010495",
        "pearson_printed": "0.010",
        "twice": "4",
    }


def test_another_tables_tests_are_worded():
    said = page.say_tests(two_sided(PERONDI), "0.500", ALPHA)
    assert said["hits"] == "none"
    assert said["twice"] == "no number of"  # 0.0239 is far from 0.500 however it is rounded
    assert said["pearson"].startswith("0.0239")
    assert said["fisher"] == "0.054"
    below = (two_sided(PERONDI)["p_value"] < ALPHA).sum()
    assert 0 < below < 18
    assert said["below"] == f"{below} of the 18"


def test_tests_that_are_not_defined_on_the_counts_are_not_counted():
    said = page.say_tests(two_sided((0, 20, 8, 21)), PRINTED, ALPHA)
    # No death in an arm: no log odds ratio and no log risk ratio of death; that of survival stays.
    assert (said["tests"], said["families"], said["below"]) == ("16", "5", "all 16")


def test_one_more_death_takes_fishers_test_past_the_level_but_not_all_tests():
    said = page.say_one_more(two_sided((2, 20, 8, 21)), ALPHA)
    # By hand, chi-square is 40 * (2 * 13 - 8 * 18) ** 2 / (20 * 21 * 10 * 31) = 4.278.
    assert (said["fisher_one_more"], said["n_minus_1_one_more"]) == ("0.067", "0.039")
    past = (two_sided((2, 20, 8, 21))["p_value"] > ALPHA).sum()
    assert said["past"] == f"{past} of the 18"
    assert said["past_families"] == "3 of the 6"
    assert page.say_one_more(two_sided(PAPER), ALPHA)["past"] == "none of the 18"


def test_orders_of_the_paper_are_counted():
    untied, weak = (logrank.ordering_counts(*PAPER, ties=ties) for ties in (False, True))
    assert page.say_orders(PAPER, untied, weak, PRINTED) == {
        "orders": "9",
        "weak": "1,280",
        "weak_hits": "224",
        "tied": "1,271",
        "tied_hits": "223",
    }


def test_orders_with_a_tie_are_counted_apart_from_those_without():
    table = checks.table(1, 5, 1, 4)  # untied 0.7947 and 0.9372, both deaths tied 0.8658
    untied, weak = (logrank.ordering_counts(*table, ties=ties) for ties in (False, True))
    said = page.say_orders(table, untied, weak, "0.87")
    assert (said["weak_hits"], said["tied"], said["tied_hits"]) == ("1", "1", "1")
    assert page.say_orders(table, untied, weak, "0.94")["tied_hits"] == "0"


def test_early_ends_are_worded_also_where_no_number_suffices():
    assert page.say_early_ends(6, 8, 32) == {"to_exceed": "6", "safe": "5", "every_order": "8"}
    assert page.say_early_ends(None, None, 32) == {
        "to_exceed": "no number",
        "safe": "32",
        "every_order": "no number",
    }


def test_places_are_those_of_the_orders_that_print_as_reported():
    peto, exact = (
        logrank.orderings(*PAPER, statistic=name) for name in ("peto-peto", "exact-logrank")
    )
    one_loss = logrank.one_loss(*PAPER)
    said = page.say_places(logrank.orderings(*PAPER), peto, exact, one_loss, PRINTED)
    assert (said["places"], said["places_peto"]) == ("6", "6")
    assert said["one_loss_orders"] == "9"
    other = page.say_places(logrank.orderings(*PAPER), peto, exact, one_loss, "0.01403")
    assert (other["places"], other["places_exact"]) == ("none", "6")
    first = page.say_places(logrank.orderings(*PAPER), peto, exact, one_loss, "0.0142")
    assert first["places"] == "1"
    none = page.say_places(logrank.orderings(*PAPER), peto, exact, one_loss, "0.999")
    assert set(none.values()) == {"none", "0"}


# The notes ------------------------------------------------------------------------------------


def test_each_order_has_a_row_of_four_tests():
    by_test = [logrank.orderings(*PAPER, statistic=name) for name in notes.SURVIVAL_TESTS]
    heading, *cells = rows(notes.orders_table(by_test))
    assert heading[1:] == ["Log-rank", "Gehan-Wilcoxon", "Peto-Peto", "Exact log-rank"]
    assert [row[0] for row in cells] == [str(place) for place in range(1, 10)]
    place_6 = cells[5]
    assert float(place_6[1]) == pytest.approx(0.01099, abs=5e-6)
    assert place_6[2:] == ["0.011000", "0.011000", "0.014032"]


def cox_of(table):
    """Return orders, and hazard ratios of arm a over arm b, as the chapter does."""
    orders = logrank.orderings(*table)
    data = [logrank.data_of_order(order, table[1], table[3]) for order in orders["order"]]
    return orders, [cox.hazard_ratio(time, died, ~in_b) for time, died, in_b in data]


def test_hazard_ratios_and_p_values_of_cox_stand_beside_the_place_of_the_death():
    orders, ratios = cox_of(PAPER)
    heading, *cells = rows(notes.cox_table(orders["places_a"], ratios))
    assert heading == [
        "Place of the death in the treatment arm",
        *("Hazard ratio", "Interval, Wald", "Interval, profile"),
        *("P, Wald", "P, score", "P, likelihood ratio"),
    ]
    assert (cells[0][1], cells[-1][1]) == ("0.12", "0.10")
    # Without ties the score test is the log-rank test.
    assert [(row[0], row[5]) for row in cells] == [
        (order["places_a"], f"{order['p_value']:.6f}") for order in orders.to_dict("records")
    ]
    said = notes.say_hazard_ratios(ratios, 0.95, len(orders))
    assert said["which_orders"] == "all orders of deaths"
    assert (said["level"], said["hazard_ratios"]) == ("95%", "0.10 to 0.12")
    assert said["wald_ends"] == "0.83 to 0.92"
    assert said["profile_ends"] == "0.57 to 0.63"


def test_without_a_death_in_the_treatment_arm_there_is_no_wald_interval():
    orders, ratios = cox_of((0, 5, 2, 4))
    shown = rows(notes.cox_table(orders["places_a"][:1], ratios[:1]))
    assert shown[1][1:3] == ["0.00", "not defined"]
    assert shown[1][3].startswith("0.000 to ")


@pytest.mark.parametrize("table", [PAPER, PERONDI])
def test_lifelines_takes_the_data_sets_at_the_ends_and_confirms_them(table):
    found = logrank.p_range(*table, lost=2, ties=True)
    for data, p in ((found.low_data, found.low), (found.high_data, found.high_attained)):
        time_a, time_b, died_a, died_b = notes.times_and_deaths(data)
        assert (len(time_a), died_a.sum()) == (table.n_a, table.events_a)
        assert (len(time_b), died_b.sum()) == (table.n_b, table.events_b)
        assert logrank_test(time_a, time_b, died_a, died_b).p_value == pytest.approx(p)


def test_headings_count_the_early_ends_in_each_arm():
    data = pd.DataFrame(
        {
            "arm": ["a", "b", "b", "b", "b"],
            "time": [1.5, 0.5, 0.5, 2.0, 2.0],
            "died": [False, False, False, True, False],
        }
    )
    nobody = data[2:].assign(time=2.0)
    headed = notes.with_headings([data, nobody], [0.0123456, 0.2], ("drug", "control"))
    assert list(headed) == [
        "early ends: 2 control and 1 drug\nP = 0.0123",
        "early ends: none\nP = 0.2000",
    ]
    assert headed["early ends: none\nP = 0.2000"] is nobody


def test_the_ends_of_the_range_are_worded():
    assert notes.say_ends(6, [0.00071, 0.0615]) == {
        "to_exceed": "6",
        "lifelines_low": "0.0007",
        "lifelines_high": "0.0615",
    }
    assert notes.say_ends(None, [0.2, 0.3])["to_exceed"] == "no number"


def test_an_ensemble_is_grouped_by_early_ends_and_its_shares_are_counted():
    few, more = np.repeat([0.011, 0.0114, 0.04, 0.06], [10, 40, 30, 20]), np.array([0.06, 0.05])
    drawn = notes.ensemble([2, 4], [few, more])
    assert drawn["group"].tolist() == ["2 early ends"] * 100 + ["4 early ends"] * 2
    assert drawn["p_value"].tolist() == [*few, *more]
    assert rows(notes.shares_table(drawn, PRINTED, ALPHA)) == [
        ["Early ends", "Print 0.011", "Below 0.05"],
        ["2", "50% ± 5", "80% ± 4"],
        ["4", "none", "none"],
    ]
    assert notes.say_ensemble(20000, 1) == {"datasets": "20,000", "seed": "1"}


def test_software_stands_beside_the_test_that_it_prints():
    heading, *cells = rows(notes.software_table(two_sided(PAPER)))
    assert heading == ["Test", "Same number as", "Printed by", "Source"]
    printed_by = {row[0]: row[2] for row in cells}
    assert "MedCalc" in printed_by["chi-square, N−1 (Campbell 2007)"]
    assert "R fisher.test" in printed_by["Fisher exact, minimum-likelihood"]
    assert printed_by["Fisher mid-P, minimum-likelihood"] == ""


def test_one_sided_p_values_have_a_row_for_each_direction():
    one_sided = two_by_two.p_values(*PAPER).query("sides != 'two-sided'")
    cells = rows(notes.one_sided_table(one_sided))[1:]
    assert len(cells) == 8
    assert [p for name, p in cells if name == one_sided["test"].iloc[0]] == ["0.012456"]


def test_documented_tests_and_wrong_numbers_are_counted():
    tests = pd.DataFrame(
        {
            "test": ["x", "y", "z"],
            "key": ["chi2", "fisher_midp_minlike", "fisher_midp_sas"],
            "p_value": [0.011, 0.0111, 0.2],
            "software": ["R", "", "SAS"],
        }
    )
    own = pd.DataFrame({"differs": [True, False, False], "left_out": ""})
    assert notes.say_software(tests, tests[:1], own, PRINTED) == {
        "tests": "3",
        "documented": "2",
        "hits": "2",
        "documented_hits": "1",
        "one_sided_hits": "x",
        "mid_p": "differ",
        "compared": "3",
        "own_wrong": "1",
    }


@pytest.mark.parametrize(("table", "word"), [(PAPER, "agree"), (PERONDI, "differ")])
def test_the_two_mid_p_values_agree_where_no_other_table_ties(table, word):
    own = pd.DataFrame({"differs": [False], "left_out": ""})
    said = notes.say_software(two_sided(table), two_sided(table), own, PRINTED)
    assert said["mid_p"] == word


def test_defects_show_library_and_version_and_each_consequence_once():
    defects = audit.library_defects()
    heading, *cells = rows(notes.defects_table(defects))
    assert heading == ["Function", "Quantity and example", "Prints", "Right"]
    assert len(cells) == len(defects)
    assert cells[0][0].startswith("scipy ") and cells[0][0].endswith(", barnard_exact")
    assert cells[0][1:] == [
        "P, one-sided, pooled; 7/15 v 12/15 (Chan 1998)",
        *("0.0340767", "0.0341092"),
    ]
    consequences = rows(notes.consequences_table(defects))[1:]
    assert len({row[0] for row in consequences}) == len(consequences) < len(defects)
    assert [row[2] for row in consequences if "barnard" in row[0]] == ["scipy/scipy/issues/18798"]


@pytest.mark.parametrize("table", [PAPER.complement(), PERONDI])
def test_of_the_checked_functions_only_the_score_interval_differs_on_these_tables(table):
    cells = rows(notes.own_table(audit.library_defects(table)))[1:]
    wrong = {row[0] for row in cells if row[-1] == "yes"}
    assert wrong == {"confint_proportions_2indep(method='score', compare='diff')"}


def test_conventions_and_digits_show_every_row_with_six_decimals():
    conventions = audit.library_conventions()
    heading, *cells = rows(notes.conventions_table(conventions))
    assert len(heading) == 6
    assert [row[1] for row in cells] == conventions["convention"].tolist()
    assert cells[0][0] == f"{conventions['library'][0]}, {conventions['function'][0]}"
    digits = rows(notes.digits_table(audit.r_notes()))
    assert len(digits) == len(audit.r_notes()) + 1
    assert all(len(row[4].rpartition(".")[2]) == 6 for row in digits[1:])
