"""What the chapters on data, remission, survival, dose and infection show.

Known contents: the paper's own counts, and a small cohort of other names whose every number can
be counted here.
"""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from scipy.stats import beta, binomtest

from rdmas.paper import claims
from rdmas.paper.cohort import load_cohort
from rdmas.show import figures, tables
from rdmas.show.pages import cmv, data, dose, remission, survival
from rdmas.stats import joint, proportion, rounding, two_by_two
from rdmas.stats.dose import certain_decreases_ladder

OWN = load_cohort()
# Of 8 treated patients 1 died and 1 has no response on record; of 5 compared ones 3 died.
OTHER = replace(
    OWN,
    descriptor=OWN.descriptor
    | {"companion": {"treatmentArm": "drug x", "controlArm": "usual", "timeUnit": "days"}},
    patients=pd.DataFrame(
        {
            "patient_id": [f"p{place}" for place in range(13)],
            "arm": ["drug x"] * 8 + ["usual"] * 5,
            "response_week8": ["partial"] * 2 + ["complete"] * 5 + [None] * 6,
            "died": [1] + [0] * 7 + [1] * 3 + [0] * 2,
        }
    ).reindex(columns=OWN.patients.columns),
)


def rows(table):
    """Return the cells of a table, headings first."""
    return [
        [cell.get_text() for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(table.data, "html.parser").find_all("tr")
    ]


def clopper_pearson(events, n, level):
    tail = (1 - level) / 2
    return beta.ppf(tail, events, n - events + 1), beta.isf(tail, events + 1, n - events)


# Data -----------------------------------------------------------------------------------------


def test_cells_of_the_patient_table_are_counted_by_where_they_come_from():
    # 41 patients, 9 columns without the identifier; of the controls arm, time and death are known
    said = data.say_cells(OWN)
    assert (said["patients"], said["cells"], said["treatment"]) == ("41", "369", "ruxolitinib")
    assert sum(int(said[state]) for state in figures.STATE_COLOURS) == 369
    assert said["assumed"] == str(41 + 20 + 19)  # times, doses at baseline and at week 8
    assert said["empty"] == str(21 * 6 + 1)  # and the dose that was not measured at week 8


def test_cells_of_another_cohort_are_counted():
    # of 9 columns only the arm, the death and 7 of the responses are filled
    said = data.say_cells(OTHER)
    assert said == {
        "treatment": "drug x",
        "patients": "13",
        "cells": "117",
        "measured": "0",
        "reported": "33",
        "assumed": "0",
        "empty": "84",
    }


def test_sums_of_the_papers_counts_all_fit_and_a_wrong_one_does_not():
    said = data.say_checks(claims.scoreboard(OWN), OWN.claims)
    assert said["fits"] == said["checks"]
    wrong = OWN.claims.copy()
    wrong.loc[wrong["id"] == "sex_male_n", "numerator"] = 4
    found = data.say_checks(claims.scoreboard(replace(OWN, claims=wrong)), wrong)
    # the parts by sex against the arm, and women and men against the rest of it
    assert found == {"fits": str(int(said["checks"]) - 2), "checks": said["checks"]}


def test_every_declared_assumption_is_shown_with_its_reason():
    shown = rows(data.assumption_table(OWN.assumptions))
    assert shown[0] == ["Assumption", "Value", "Unit", "Why, and what follows"]
    assert len(shown) == 1 + len(OWN.assumptions)
    assert [row[0] for row in shown[1:]] == OWN.assumptions["statement"].tolist()


# Remission ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cohort", "expected"),
    [
        (OWN, {"complete": 6, "partial": 10, "none": 4}),
        (OTHER, {"complete": 5, "partial": 2, "none": 0}),
    ],
    ids=["paper", "other"],
)
def test_squares_are_the_treated_patients_by_response(cohort, expected):
    counts, colours = remission.squares(cohort)
    assert counts.to_dict() == expected
    assert list(colours) == list(counts.index)


def test_responses_are_counted_among_those_on_record():
    assert remission.responses(OWN)["count"].tolist() == [(10, 20), (6, 20)]
    assert remission.responses(OTHER)["count"].tolist() == [(2, 7), (5, 7)]


def test_responses_show_the_intervals_that_were_added():
    listed = remission.responses(OTHER)
    listed["clopper-pearson"] = [clopper_pearson(*count, 0.9) for count in listed["count"]]
    assert rows(remission.response_table(listed)) == [
        ["Response", "Patients", "Share", "Clopper-Pearson"],
        ["partial", "2 of 7", "29%", "5% to 66%"],
        ["complete", "5 of 7", "71%", "34% to 95%"],
    ]


def test_responders_lie_between_the_larger_count_and_the_sum():
    said = remission.say_responders(*joint.union_bounds(10, 6, 20), 20, "drug x")
    assert said == {
        "treatment": "drug x",
        "n": "20",
        "least": "10",
        "most": "16",
        "most_percent": "80%",
    }


def test_any_response_has_both_readings_with_their_intervals():
    # Oracle: binomtest(...).proportion_ci of scipy; 56 to 94% and 58 to 92% were also asked for.
    listed = remission.with_any(remission.responses(OWN), *joint.union_bounds(10, 6, 20))
    assert listed["count"].tolist() == [(10, 20), (6, 20), (16, 20), (10, 20)]
    for method, name in (("clopper-pearson", "exact"), ("wilson", "wilson")):
        listed[method] = [
            tuple(binomtest(*count).proportion_ci(method=name)) for count in listed["count"]
        ]
        ours = [proportion.interval(*count, method) for count in listed["count"]]
        assert np.array(ours) == pytest.approx(np.array(listed[method].tolist()), abs=1e-9)
    assert remission.say_precision(listed, 0.95) == {
        "level": "95%",
        "complete_interval": "12% to 54%",
        "most_interval": "56% to 94%",
        "least_interval": "27% to 73%",
        "most_wilson": "58% to 92%",
        "least_wilson": "30% to 70%",
    }


def test_counts_that_print_as_reported_in_words():
    fitting = [rounding.counts_that_print(reported, 20) for reported in ("50%", "30%")]
    assert remission.say_fitting_counts(*fitting, 20) == {
        "partial_fit": "only 10",
        "complete_fit": "only 6",
        "step": "5 percentage points",
    }


def test_a_percentage_of_a_large_group_fits_several_counts_and_a_wrong_one_none():
    fitting = [rounding.counts_that_print(reported, 200) for reported in ("50%", "0.1%")]
    said = remission.say_fitting_counts(*fitting, 200)
    assert said["partial_fit"] == "99, 100 and 101"
    assert said["complete_fit"] == "none"


# Survival -------------------------------------------------------------------------------------


def test_survivors_are_counted_by_arm():
    said = survival.say_counts(OWN.deaths().complement(), "ruxolitinib", 0.95)
    assert said == {
        "treatment": "ruxolitinib",
        "level": "95%",
        "n_treated": "20",
        "n_control": "21",
        "control_exact": "61.90%",
    }
    said = survival.say_counts(OTHER.deaths().complement(), OTHER.treatment_arm, 0.9)
    assert (said["n_treated"], said["n_control"], said["control_exact"]) == ("8", "5", "40.00%")


def test_the_difference_is_newcombes():
    said = survival.say_difference(two_by_two.effects(*OWN.deaths().complement()))
    assert said == {"difference": "33", "difference_interval": "8 to 55"}
    # 7 of 8 and 2 of 5, squares added of the distances to the limits of each share by Wilson
    said = survival.say_difference(two_by_two.effects(*OTHER.deaths().complement()))
    assert said["difference"] == "48"
    low, high = proportion.interval(7, 8, method="wilson")
    control_low, control_high = proportion.interval(2, 5, method="wilson")
    newcombe = (
        0.475 - ((0.875 - low) ** 2 + (control_high - 0.4) ** 2) ** 0.5,
        0.475 + ((high - 0.875) ** 2 + (0.4 - control_low) ** 2) ** 0.5,
    )
    assert said["difference_interval"] == " to ".join(
        f"{100 * end:.0f}".replace("-", "−") for end in newcombe
    )


def test_effects_name_the_treatment_and_have_three_decimals():
    table = survival.effect_table(two_by_two.effects(*OTHER.deaths().complement()), "drug x")
    assert "survival, drug x against controls" in table.data
    assert "ruxolitinib" not in table.data
    assert ["risk difference", "Wald", "0.475"] in [row[:3] for row in rows(table)]


def test_time_is_labelled_by_its_unit():
    assert survival.time_label(OWN.time_unit) == "Order of events (not days)"
    assert survival.time_label(OTHER.time_unit) == "Days"


def with_times(cohort, provenance):
    """Return the cohort with another provenance of its times."""
    descriptor = deepcopy(cohort.descriptor)
    (table,) = (item for item in descriptor["resources"] if item["name"] == "patients")
    fields = {field["name"]: field for field in table["schema"]["fields"]}
    fields["followup_time"]["provenance"] = provenance
    return replace(cohort, descriptor=descriptor)


def test_only_recorded_times_are_drawn_as_curves_with_bands():
    # the words of the caption; the figure itself is chosen by the same function
    own, recorded = OWN, with_times(OTHER, "reported")
    assert survival.assumes_times(own) and not survival.assumes_times(recorded)
    said = survival.say_curves(own, 0.95, "wilson")
    assert "the ends, as points with 95% intervals (Wilson)" in said["drawn"]
    assert "Dashed: one order, assumed. It is not the curve of the paper" in said["drawn"]
    assert (said["deaths_treated"], said["deaths_control"]) == ("1 death", "8")
    assert said["apart"] == "1 patient"
    said = survival.say_curves(recorded, 0.9, "wilson")
    assert said["drawn"].startswith("Kaplan-Meier curves with pointwise 90% intervals")
    assert (said["deaths_treated"], said["deaths_control"]) == ("1 death", "3")


def test_ends_of_the_curves_are_the_published_shares_with_limits():
    listed = survival.shares(OTHER.deaths().complement(), OTHER.arms)
    listed["wilson"] = [(0.5, 0.9), (0.1, 0.7)]
    ends = survival.ends(listed, "wilson")
    assert ends["name"].tolist() == ["drug x", "usual"]
    assert ends["estimate"].tolist() == pytest.approx([7 / 8, 2 / 5])
    assert ends[["low", "high"]].to_numpy().tolist() == [[0.5, 0.9], [0.1, 0.7]]


def test_survival_shows_the_intervals_that_were_added():
    listed = survival.shares(OTHER.deaths().complement(), OTHER.arms)
    listed["clopper-pearson"] = [clopper_pearson(*count, 0.95) for count in listed["count"]]
    assert rows(survival.share_table(listed)) == [
        ["Arm", "Survived", "Share", "Clopper-Pearson"],
        ["drug x", "7 of 8", "88%", "47% to 100%"],
        ["usual", "2 of 5", "40%", "5% to 85%"],
    ]


def test_methods_of_intervals_stand_in_one_order_and_under_their_names():
    listed = pd.DataFrame({"name": ["<b>"], "count": [(1, 4)]})
    for method in reversed(proportion.METHODS):
        listed[method] = [(0.0, 0.5)]
    heading, row = rows(tables.shares(listed, "Shares", "Of what", "How many"))
    assert heading == ["Of what", "How many", "Share", *proportion.METHODS.values()]
    assert row == ["<b>", "1 of 4", "25%"] + ["0% to 50%"] * len(proportion.METHODS)


# Dose -----------------------------------------------------------------------------------------


def test_the_fall_is_what_rounding_leaves_of_it():
    fall, relative = (2.1, 2.3), (0.7925, 0.8364)
    assert rows(dose.range_table(fall, relative)) == [
        ["Quantity", "Range left by rounding"],
        ["Fall of the median, mg/kg", "2.1 to 2.3"],
        ["Relative fall of the median", "79% to 84%"],
    ]
    before, after = (rounding.rounding_interval(text) for text in ("2.7 mg/kg", "0.5 mg/kg"))
    assert dose.say_fall(before, after, fall, relative) == {
        "before_interval": "2.65 to 2.75 mg/kg",
        "after_interval": "0.45 to 0.55 mg/kg",
        "fall": "2.1 to 2.3 mg/kg",
        "relative_fall": "79% to 84%",
        "corner": "a fall from 2.65 to 0.55 mg/kg",
    }


def test_the_ladder_has_a_column_for_each_number_measured_again():
    measured = (20, 19, 15, 10)
    ladders = [
        certain_decreases_ladder(20, again, 2.65, 0.55, lowest_before=1.5) for again in measured
    ]
    assert rows(dose.ladder_table(ladders, measured, 20)) == [
        ["Assumption, each added to those above"]
        + [f"{again} of 20 measured again" for again in measured],
        ["the two medians alone", "0", "0", "0", "0"],
        ["the stated number measured again", "1", "0", "0", "0"],
        ["and nobody's dose rose", "1", "0", "0", "0"],
        ["and every dose before at least 1.5", "11", "10", "8", "6"],
    ]


def test_a_number_measured_again_that_comes_twice_is_shown_once():
    measured = (10, 9, 5, 5)
    ladders = [certain_decreases_ladder(10, again, 2.0, 1.0) for again in measured]
    heading = rows(dose.ladder_table(ladders, measured, 10))[0]
    assert heading[1:] == [f"{again} of 10 measured again" for again in (10, 9, 5)]


def test_certain_decreases_in_words():
    assert dose.say_certain(20, 1, 0) == {
        "n": "20",
        "certain_all": "1",
        "certain_one_missing": "0",
    }
    assert dose.say_lowest(1.5, 10) == {"lowest": "1.5 mg/kg", "certain_bounded": "10"}
    said = dose.say_median_of_falls((-0.25, 2.7))
    assert said == {"median_of_falls": "a rise of 0.3 to a fall of 2.7 mg/kg"}


# Infection ------------------------------------------------------------------------------------


def test_every_method_draws_its_own_interval_about_the_share():
    limits = [proportion.interval(4, 20, method=method) for method in proportion.METHODS]
    drawn = cmv.by_method(0.2, limits)
    assert drawn["name"].tolist() == list(proportion.METHODS.values())
    assert (drawn["estimate"] == 0.2).all()
    assert list(zip(drawn["low"], drawn["high"], strict=True)) == limits


def test_overlaps_are_bounded_for_remission_and_death():
    counts = (6, 1)  # complete remissions and deaths of 20, with 4 infections
    assert rows(cmv.overlap_table([joint.overlap_bounds(4, other, 20) for other in counts])) == [
        ["Both of", "Fewest", "Most"],
        ["CMV infection and complete remission", "0", "4"],
        ["CMV infection and death", "0", "1"],
    ]


def test_precision_of_the_infection_rate_in_words():
    said = cmv.say_precision(clopper_pearson(4, 20, 0.95), 20, "drug x", 0.95)
    assert said == {"interval": "6% to 44%", "level": "95%", "n": "20", "treatment": "drug x"}
