"""What the pages on sturdiness show, read back from their HTML, frames and words.

The paper's own counts, and deaths of 1/34 against 7/34 (the trial of Perondi 2004 by its deaths
exchanged). Expected texts are those of the chapter before it was divided, whose numbers the
tests of the statistics hold against R and brute force; those of counts without deaths, without
significance and of harm follow from the definitions.
"""

import math

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from rdmas.paper.cohort import load_cohort
from rdmas.show import figures
from rdmas.show.pages import sturdiness as page
from rdmas.show.pages import sturdiness_notes as notes
from rdmas.stats import (
    confounding,
    controls,
    credibility,
    exaggeration,
    fragility,
    joint,
    log_odds,
    misclassification,
    priors,
    proportion,
    two_by_two,
)
from rdmas.stats.checks import Table

PAPER = Table(1, 20, 8, 21)
OTHER = Table(1, 34, 7, 34)
NO_DEATHS = Table(0, 20, 0, 21)
NONE_TREATED = Table(0, 20, 8, 21)
NOT_SIGNIFICANT = Table(3, 20, 5, 21)
HARM = Table(8, 20, 1, 21)
ARMS = ("new", "old")


def rows(table):
    """Return the cells of a table as text, headings first."""
    soup = BeautifulSoup(table.data, "html.parser")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in soup.find_all("tr")]


def known_mortality(deaths):
    treated = deaths.events_a, deaths.n_a
    methods = controls.KNOWN_RATE_METHODS
    limits = [controls.tipping_rate(*treated, method=method) for method in methods]
    return page.known_mortality(limits, deaths)


def e_values(deaths):
    ratios = page.finite_ratios(two_by_two.effects(*deaths, desirable=False), "risk ratio")
    found = ratios[["estimate", "low", "high"]].to_numpy()
    return [confounding.e_value(*ratio) for ratio in found]


def explained(deaths):
    frame = page.to_explain(two_by_two.effects(*deaths, desirable=False))
    return frame.assign(e_value=[confounding.e_value(ratio).estimate for ratio in frame["ratio"]])


def ratios(deaths):
    return notes.ratios(
        two_by_two.effects(*deaths, desirable=False), two_by_two.effects(*deaths.complement())
    )


def sceptic(deaths):
    frame = notes.significant(ratios(deaths))
    ends = list(zip(frame["low"], frame["high"], strict=True))
    frame["limit"] = [credibility.sceptical_limit(*limits) for limits in ends]
    frame["prior_sd"] = [credibility.sceptical_prior_sd(*limits) for limits in ends]
    return frame


def intrinsic(deaths):
    tested = notes.two_sided(two_by_two.p_values(*deaths))
    for column, definition in (("matthews", "Matthews"), ("held", "Held")):
        tested[column] = [credibility.intrinsic_p_value(p, definition) for p in tested["p_value"]]
    return tested


# Counts, proportions, effects -----------------------------------------------------------------


def test_counts_are_worded_with_their_levels():
    words = page.say_counts(OTHER, "new", alpha=0.1, level=0.9)
    assert words["treatment"] == "new"
    assert (words["alpha"], words["level"]) == ("0.10", "90%")
    assert (words["n_treated"], words["n_control"], words["patients"]) == ("34", "34", "68")
    assert words["deaths_treated"] == "1 death" and words["died_control"] == "7"
    assert words["control_mortality"] == "21%"
    assert words["tables"] == "1,225"


def test_every_proportion_of_the_abstract_is_listed_once_with_its_count():
    listed = page.shares(load_cohort())
    assert len(listed) == 10 and listed["name"].is_unique
    assert dict(zip(listed["name"], listed["count"], strict=True)) | {
        "Women among the ruxolitinib patients": (17, 20),
        "Survival of the historical controls": (13, 21),
    } == dict(zip(listed["name"], listed["count"], strict=True))


def test_proportions_show_an_interval_by_every_method_that_was_added():
    listed = pd.DataFrame({"name": ["died"], "arm": ["new"], "count": [(1, 34)]})
    for method in ("wilson", "clopper-pearson"):
        listed[method] = [proportion.interval(1, 34, method=method)]
    assert rows(page.share_table(listed)) == [
        ["Number of the abstract", "Count", "Share", "Clopper-Pearson", "Wilson"],
        ["died", "1 of 34", "3%", "0% to 15%", "1% to 15%"],
    ]


def test_the_glance_ends_with_the_difference_and_colours_the_arms():
    listed = pd.DataFrame(
        {"name": ["a", "b " * 30], "arm": ["new", "old"], "count": [(33, 34), (27, 34)]}
    )
    listed["wilson"] = [proportion.interval(*count, method="wilson") for count in listed["count"]]
    effects = two_by_two.effects(*OTHER.complement())
    drawn = page.glance(listed, effects, ARMS)
    assert list(drawn["colour"]) == [*figures.ARM_COLOURS, figures.INK]
    assert drawn["estimate"].tolist() == pytest.approx([33 / 34, 27 / 34, 6 / 34])
    assert max(len(line) for name in drawn["name"] for line in name.splitlines()) <= 34
    newcombe = effects[effects["method"] == "Newcombe"].iloc[0]
    assert drawn.iloc[-1][["low", "high"]].tolist() == newcombe[["low", "high"]].tolist()


def test_effects_are_named_for_the_arm_and_the_widest_interval_is_worded():
    effects = two_by_two.effects(*PAPER.complement())
    table = page.effect_table(effects, "new")
    assert "survival, new against controls" in table.data
    assert ["risk ratio", "Katz", "1.53", "1.08", "2.18"] in rows(table)
    assert page.say_difference(effects) == {"rd_low": "7", "rd_high": "56"}
    without = two_by_two.effects(*NOT_SIGNIFICANT.complement())
    assert page.say_difference(without) == {"rd_low": "−17", "rd_high": "34"}


# Fragility ------------------------------------------------------------------------------------


def test_fragility_is_shown_by_test_and_direction():
    shown = rows(page.fragility_table(fragility.fragility_by_test(*PAPER), "new"))
    assert shown[0][-2:] == ["More deaths with new", "Fewer deaths in controls"]
    fisher = next(row for row in shown if row[0] == "Fisher exact, minimum-likelihood")
    assert fisher == ["Fisher exact, minimum-likelihood", "0.0205", "1", "0.024", "1", "1", "2"]


@pytest.mark.parametrize(
    ("deaths", "switch", "index_range"),
    [
        (PAPER, "1 or 2 more deaths with new would take P past 0.05", "1 to 2"),
        (OTHER, "0 or 1 more deaths with new would take P past 0.05", "0 to 1"),
        (HARM, "1 or 2 more deaths in arm old would take P past 0.05", "1 to 2"),
        (NOT_SIGNIFICANT, "P is 0.05 or above in all 18 tests that are defined here", "0"),
        (NO_DEATHS, "P is 0.05 or above in all 10 tests that are defined here", "0"),
    ],
)
def test_the_change_that_ends_significance_soonest_is_worded(deaths, switch, index_range):
    words = page.say_fragility(fragility.fragility_by_test(*deaths), ARMS, 0.05)
    depending = ", depending on which of 18 tests (variants of 6 statistics) is used"
    assert words["switch"].removesuffix(depending) == switch
    assert words["index_range"] == index_range
    # Without deaths only the exact tests and Agresti and Caffo's are defined.
    counted = ("10", "3") if deaths is NO_DEATHS else ("18", "6")
    assert (words["n_tests"], words["n_families"]) == counted


def test_tests_that_are_not_defined_on_the_counts_have_no_fragility():
    words = page.say_fragility(fragility.fragility_by_test(*NONE_TREATED), ARMS, 0.05)
    assert words["switch"].startswith("2 or 3 more deaths with new")
    assert words["switch"].endswith("which of 16 tests (variants of 5 statistics) is used")


# Exaggeration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deaths", "signed"),
    [
        (PAPER, [-0.05, -0.1, -0.2]),
        (HARM, [0.05, 0.1, 0.2]),
        (OTHER, [-0.05, -0.1, -0.2]),
        (Table(0, 20, 2, 21), [-0.05]),  # 2 of 21 is less than ten per cent
        (NO_DEATHS, [0.05, 0.1, 0.2]),
    ],
)
def test_true_differences_have_the_sign_of_the_one_seen_where_they_fit(deaths, signed):
    assert page.true_differences(deaths, (0.05, 0.1, 0.2)) == signed


def test_exaggeration_is_shown_and_worded():
    supposed = page.true_differences(PAPER, (0.05, 0.1, 0.2))
    found = exaggeration.exaggeration(20, 21, 8 / 21, supposed)
    heading, *cells = rows(page.exaggeration_table(found, 0.05))
    assert heading[1] == "P below 0.05"
    # A million drawn pairs of arms: 6.2%, 7.0 and 19.5%; see test_exaggeration.py.
    assert cells[0] == ["5 points", "6%", "35 points", "7.0 times", "19.5%"]
    assert [row[0] for row in cells] == ["5 points", "10 points", "20 points"]
    assert page.say_exaggeration(found, PAPER) == {
        "true_points": "5",
        "true_power": "6%",
        "true_shown": "35",
        "true_wrong": "20%",
        "seen_points": "33",
    }


# Historical controls --------------------------------------------------------------------------


def test_what_the_controls_must_have_been_stands_in_one_row_a_test():
    shown = rows(
        page.control_table(controls.control_tipping(*PAPER), controls.immortal_time(*PAPER))
    )
    assert len(shown) == 19
    assert ["Fisher exact, minimum-likelihood", "0.0205", "2", "29%", "3"] in shown


@pytest.mark.parametrize(
    ("deaths", "texts", "beyond"),
    [
        (OTHER, ["15.6%", "15.3%", "13.7%"], "or lower"),
        (HARM, ["20.9%", "19.1%", "20.6%"], "or higher"),
        (NONE_TREATED, ["16.7%", "16.8%", "13.9%"], "or lower"),
    ],
)
def test_a_known_mortality_is_on_the_side_of_the_controls(deaths, texts, beyond):
    known = known_mortality(deaths)
    assert known.name == beyond
    shown = rows(page.known_mortality_table(known, "new"))
    assert [row[1] for row in shown[1:]] == texts
    assert shown[0][0] == "Test of the new arm against a known mortality"


@pytest.mark.parametrize(
    ("deaths", "discount", "removed"),
    [
        (PAPER, "at a weight of 27%, when they count as 5.7 patients.", "1 to 4"),
        (OTHER, "at a weight of 42%, when they count as 14.3 patients.", "0 to 2"),
        (NOT_SIGNIFICANT, "includes zero already at full weight.", "0"),
        (NO_DEATHS, "includes zero already at full weight.", "0"),
        (HARM, "at a weight of 38%, when they count as 7.9 patients.", "no number"),
    ],
)
def test_doubts_about_the_controls_are_worded(deaths, discount, removed):
    words = page.say_controls(
        controls.control_tipping(*deaths),
        known_mortality(deaths),
        controls.immortal_time(*deaths),
        priors.power_prior_tipping(*deaths.complement()),
    )
    assert words["discount"].endswith(discount)
    assert words["removed"] == removed


def test_where_no_discount_takes_the_difference_away_that_is_said():
    never = priors.PowerPriorTipping(None, None, excludes_at_full_weight=True)
    frames = (
        controls.control_tipping(*PAPER),
        known_mortality(PAPER),
        controls.immortal_time(*PAPER),
    )
    words = page.say_controls(*frames, never)
    assert words["discount"] == "At no weight does the interval of the difference include zero."


# A hidden trait -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deaths", "risk_ratio", "estimate", "limits"),
    [
        (PAPER, "0.13", "14.7", "1.3 to 2.2"),
        (OTHER, "0.14", "13.5", "1.0 to 1.7"),
        (HARM, "8.40", "16.3", "1.6 to 2.5"),
        (NONE_TREATED, "0.00", "∞", "4.0"),
        (NO_DEATHS, "no number", "no number", "no number"),
    ],
)
def test_the_hidden_trait_is_worded(deaths, risk_ratio, estimate, limits):
    words = page.say_hidden_trait(explained(deaths), e_values(deaths))
    assert words == {"risk_ratio": risk_ratio, "e_estimate": estimate, "e_limits": limits}


@pytest.mark.parametrize(
    ("deaths", "names"),
    [
        (PAPER, ["estimate", "limit of the interval"]),
        (NONE_TREATED, ["limit of the interval"]),
        (Table(2, 20, 2, 20), ["limit of the interval"]),
        (NO_DEATHS, []),
    ],
)
def test_only_ratios_that_a_trait_can_explain_have_a_curve(deaths, names):
    frame = explained(deaths)
    drawn = frame[frame["drawn"]]
    assert drawn["curve"].tolist() == names
    steps = np.geomspace(1, 100, 50)
    curves = [confounding.bounding_curve(ratio, steps) for ratio in drawn["ratio"]]
    points = page.bounding(curves, drawn)
    assert points["curve"].unique().tolist() == names
    assert np.isfinite(points[["with_group", "with_outcome"]].to_numpy()).all()
    for _, row in points.merge(drawn, on="curve").iterrows():
        u, d = row["with_group"], row["with_outcome"]
        factor = max(row["ratio"], 1 / row["ratio"])
        assert u * d / (u + d - 1) == pytest.approx(factor)


# Wrong outcomes and the summary ---------------------------------------------------------------


def test_the_fewest_wrong_outcomes_are_pairs_and_single_errors_are_counted():
    frontier = misclassification.misclassification_frontier(*OTHER)
    shown = rows(page.frontier_table(frontier, "new"))
    assert shown[0][1] == "Fewest wrong outcomes, new + controls"
    assert ["likelihood ratio (G)", "0 + 2, or 1 + 0"] in shown
    by_test = fragility.fragility_by_test(*OTHER)
    assert page.say_wrong(frontier, by_test) == {"single": "all 18", "one_each": "all 18"}
    harm = misclassification.misclassification_frontier(*HARM)
    by_test = fragility.fragility_by_test(*HARM)
    assert page.say_wrong(harm, by_test) == {"single": "3 of the 18", "one_each": "13 of the 18"}


def summary(deaths, to_exceed):
    prior_sd = credibility.exact_sceptical_prior_sd(*deaths)
    table = page.summary_table(
        "new",
        by_test=fragility.fragility_by_test(*deaths),
        frontier=misclassification.misclassification_frontier(*deaths),
        to_exceed=to_exceed,
        early=controls.immortal_time(*deaths),
        known=known_mortality(deaths),
        weight=priors.power_prior_tipping(*deaths.complement()),
        e_values=e_values(deaths),
        believed=log_odds.prior_interval(0, prior_sd),
    )
    return rows(table)[1:]


def test_each_assumption_of_other_counts_has_its_point_of_failure():
    assert summary(OTHER, to_exceed=5) == [
        ["Outcomes with new are right", "0 to 1 more deaths", "counts"],
        ["Outcomes of the controls are right", "0 to 2 fewer deaths", "counts"],
        ["Outcomes in both arms are right", "one wrong in each, in every test", "counts"],
        [
            "Survivors were followed to the last death (log-rank test)",
            "5 early ends of follow-up, in the worst case",
            "ordering",
        ],
        [
            "Every control lived long enough to be given new",
            "0 to 2 early deaths among the controls",
            "counts",
        ],
        [
            "Mortality without new was that of the controls",
            "a true mortality of 14% to 16% or lower, if known exactly",
            "counts",
        ],
        [
            "Historical controls count as much as concurrent ones",
            "a weight of 42% or less",
            "counts and Jeffreys' prior",
        ],
        [
            "No hidden trait differs between the groups",
            "a trait with risk ratios of 1.0 to 1.7 both with group and with death",
            "counts and the form of the bias",
        ],
        [
            "Large effects were thought possible beforehand",
            "a prior that puts the odds ratio within 0.10 to 10.31, or closer to one",
            "counts and the form of the prior",
        ],
        ["Patients are independent of each other", "not computable from counts", "none"],
    ]


def test_the_summary_of_the_paper_and_of_counts_without_significance():
    paper = {row[0]: row[1] for row in summary(PAPER, to_exceed=7)}
    assert paper["Outcomes with new are right"] == "1 to 2 more deaths"
    assert (
        paper["Historical controls count as much as concurrent ones"] == "a weight of 27% or less"
    )
    without = {row[0]: row[1] for row in summary(NOT_SIGNIFICANT, to_exceed=None)}
    assert (
        without["Survivors were followed to the last death (log-rank test)"] == "no number suffices"
    )
    assert without["Historical controls count as much as concurrent ones"] == "full weight already"


# Notes: priors and orders ---------------------------------------------------------------------


def test_probabilities_of_better_survival_are_read_off_under_jeffreys_prior():
    words = notes.say_better(priors.probability_better(7, 34, 1, 34, margins=(0, 0.1)))
    assert words == {
        "better_0": "99.1%",
        "better_1": "83.0%",
        "margin_0": "0",
        "margin_1": "10",
        "better_range": "98.6% to 99.2%",
    }


def test_posterior_medians_are_named_for_the_arms():
    shown = rows(notes.posterior_table(priors.posterior_effects(*OTHER.complement()), "new"))
    assert shown[0][1] == "a: new, b: controls"
    assert shown[1] == ["risk difference", "a minus b", "0.17", "0.03", "0.33"]


def test_the_log_rank_test_has_one_row_for_each_change_that_can_suffice():
    distinct, tied = (fragility.logrank_fragility(*OTHER, ties=ties) for ties in (False, True))
    assert rows(notes.order_table(distinct, tied, ARMS))[1:] == [
        ["new", "more deaths", "each at its own time", "1", "1"],
        ["old", "fewer deaths", "each at its own time", "1", "2"],
        ["new", "more deaths", "several may share a time", "1", "1"],
        ["old", "fewer deaths", "several may share a time", "1", "2"],
    ]


def test_equal_bounds_over_orders_are_worded_once():
    assert notes.say_orders((1, 2), (1, 2)) == {
        "index_distinct": "1 to 2",
        "index_orders": "1 to 2, whether or not deaths may share a time",
    }
    apart = notes.say_orders((0, None), (1, 2))["index_orders"]
    assert apart == "0 if no two deaths share a time, and 1 to 2 if they may"


# Notes: controls discounted or known ----------------------------------------------------------


def test_discounted_controls_count_as_part_of_a_patient():
    shown = rows(notes.discount_table(controls.discounted_controls(6, 40, 15, 40, [1, 0.5])))
    assert shown[1:] == [["100%", "15.00", "40.00", "0.0206"], ["50%", "7.50", "20.00", "0.0544"]]


def test_the_weight_that_ends_significance_is_worded_or_that_there_was_none():
    assert notes.say_likelihood_weight(0.2887, 0.05) == {
        "likelihood_weight": "reaches 0.05 at a weight of 29%"
    }
    assert "not below 0.10" in notes.say_likelihood_weight(1.0, 0.1)["likelihood_weight"]


def test_known_mortalities_have_a_column_a_test_in_the_order_of_the_rates():
    shown = rows(notes.known_rate_table(controls.known_control_rate(5, 25, [0.4, 0.3]), "new"))
    assert shown[0][0] == "Known mortality" and shown[0][3] == "P, binomial mid-P, central"
    assert [row[0] for row in shown[1:]] == ["40%", "30%"]
    assert shown[1] == ["40%", "0.0425", "0.0587", "0.0388"]


# Notes: ratios --------------------------------------------------------------------------------


def test_only_finite_ratios_have_an_e_value():
    def shown(deaths):
        frame = ratios(deaths)
        views = frame[["estimate", "low", "high", "taken_as"]].to_numpy()
        return rows(notes.e_value_table(frame, [confounding.e_value(*view) for view in views]))

    assert ["odds ratio of death, Woolf", "5.30", "1.00", "0.117", "0.014 to 1.010"] in shown(OTHER)
    assert len(shown(PAPER)) == 8
    assert [row[0] for row in shown(NONE_TREATED)[1:]] == [
        "risk ratio of death, Koopman",
        "odds ratio of death, exact conditional",
        "odds ratio of death, conditional mid-P",
        "risk ratio of survival, Katz",
        "risk ratio of survival, Koopman",
    ]


def test_significant_ratios_have_a_limit_of_scepticism():
    assert rows(notes.scepticism_table(sceptic(PAPER)))[1:] == [
        ["risk ratio of death, Katz", "0.018 to 0.957", "0.000084", "4.79"],
        ["odds ratio of death, Woolf", "0.010 to 0.768", "0.013", "2.22"],
        ["risk ratio of survival, Katz", "1.081 to 2.178", "1.65", "0.25"],
    ]
    assert sceptic(OTHER)["ratio"].tolist() == ["risk ratio of survival, Katz"]
    assert sceptic(NOT_SIGNIFICANT).empty and sceptic(NO_DEATHS).empty


def test_a_p_below_the_bounds_of_matthews_and_held_is_intrinsically_credible():
    """At the level 0.05 these are 0.0127 and 0.0056 (both papers' abstracts)."""
    for deaths in (PAPER, OTHER, HARM, NOT_SIGNIFICANT):
        tested = intrinsic(deaths)
        first, second = ((tested["p_value"] < bound).sum() for bound in (0.0127, 0.0056))
        assert notes.say_intrinsic(tested, 0.05)["intrinsic"] == (
            f"0.05 in {first} of 18 tests by the first definition and in {second} by the second"
        )
    assert rows(notes.intrinsic_table(intrinsic(PAPER)))[5] == [
        *("chi-square, N−1 (Campbell 2007)", "0.0115", "0.0469", "0.0739")
    ]


def test_tests_that_are_undefined_have_no_p_for_intrinsic_credibility():
    assert intrinsic(NO_DEATHS)["p_value"].notna().all()
    assert len(intrinsic(NO_DEATHS)) < 14


@pytest.mark.parametrize(
    ("deaths", "usual"),
    [
        (PAPER, "gives a standard deviation of 2.22;"),
        (HARM, "gives a standard deviation of 1.80;"),
        (OTHER, "has no answer for these counts."),
        (NONE_TREATED, "has no answer for these counts."),
        (NOT_SIGNIFICANT, "has no answer for these counts."),
    ],
)
def test_the_sceptic_is_worded_with_and_without_the_usual_formula(deaths, usual):
    prior_sd = credibility.exact_sceptical_prior_sd(*deaths)
    words = notes.say_sceptic(prior_sd, log_odds.prior_interval(0, prior_sd), sceptic(deaths))
    assert usual in words["usual_formula"]
    low, high = words["sceptical_low"], words["sceptical_high"]
    if math.isfinite(prior_sd):
        assert float(low) * float(high) == pytest.approx(1, abs=0.05)
    else:
        assert (words["sceptical_sd"], low, high) == ("∞", "0.00", "∞")


def test_three_priors_are_shown_and_drawn():
    family = log_odds.prior_family(*OTHER, 0.5)
    assert rows(notes.family_table(family))[1:] == [
        ["sceptical", "0.67", "0.32 to 1.37", "86.5%", "0.42"],
        ["neutral", "0.15", "0.02 to 0.77", "98.9%", "2.50"],
        ["enthusiastic", "0.39", "0.19 to 0.81", "99.5%", "0.42"],
    ]
    drawn = notes.beliefs(family)
    assert drawn["name"].tolist() == ["sceptical prior", "neutral prior", "enthusiastic prior"]
    assert drawn["estimate"].tolist() == family["odds_ratio"].tolist()
    assert notes.say_beliefs(0.5, 0.05) == {"declared": "0.5", "tail": "5%"}


# Notes: two things at once --------------------------------------------------------------------


def test_bounds_of_two_features_carry_the_margins():
    cohort = load_cohort()
    first, second = notes.responses(cohort), notes.other_features(cohort)
    assert first.to_dict() == {"complete": 6, "partial": 10, "neither recorded": 4}
    assert second.to_dict() == {
        "CMV infection": 4,
        "died": 1,
        "AOSD": 13,
        "SLE": 4,
        "other CTD": 3,
    }
    shown = rows(notes.crossed_table(joint.crossed_bounds(first, second, 20), first, second, "new"))
    assert shown[0][:4] == ["Response by week 8", "CMV infection (4)", "died (1)", "AOSD (13)"]
    assert shown[2] == ["partial (10)", "0 to 4", "0 to 1", "3 to 10", "0 to 4", "0 to 3"]


def test_equal_bounds_are_one_number():
    first, second = pd.Series({"yes": 3}), pd.Series({"died": 0})
    shown = rows(notes.crossed_table(joint.crossed_bounds(first, second, 20), first, second, "new"))
    assert shown[1] == ["yes (3)", "0"]
