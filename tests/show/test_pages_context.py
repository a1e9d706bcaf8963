"""What the chapter on other cohorts and its notes show.

Known contents: the book's own evidence, counted by hand in ``data/evidence.csv``, and a small
table of other cohorts of which every cell can be worked out here.
"""

import ast
from dataclasses import replace

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import REPOSITORY
from scipy.stats import beta
from statsmodels.stats.proportion import proportion_confint

from rdmas.paper.cohort import load_cohort
from rdmas.show import figures
from rdmas.show.pages import context, context_notes
from rdmas.stats import (
    distribution,
    grim,
    no_effect,
    pooling,
    posterior,
    prediction,
    standardise,
)

OWN = load_cohort()
CHOSEN = ("yao2019_death", "renji2018")
SMALL = pd.DataFrame(
    [
        ("alone", "Alone 2001", "mortality", "primary", "", 20, 2, "30 days", "days", 30, "stated"),
        (
            "fatal",
            "Fatal 2002",
            "mortality",
            "primary",
            "",
            10,
            5,
            "open",
            "not stated",
            None,
            "inferred",
        ),
        ("one", "One 2003", "mortality", "primary", "town", 25, 5, "3 weeks", "days", 21, "stated"),
        (
            "two",
            "Two 2004",
            "mortality",
            "primary",
            "town",
            50,
            4,
            "hospital",
            "discharge",
            None,
            "stated",
        ),
        ("odd", "Odd 2005", "mortality", "sensitivity", "", 12, 9, "30 days", "days", 30, "stated"),
        (
            "cases",
            "Cases 2006",
            "mortality",
            "secondary",
            "",
            40,
            8,
            "mixed",
            "not stated",
            None,
            "stated",
        ),
        (
            "other",
            "Other 2007",
            "mortality",
            "indirect",
            "",
            30,
            15,
            "30 days",
            "days",
            30,
            "stated",
        ),
        (
            "pill",
            "Pill 2008",
            "mortality_comparator",
            "indirect",
            "",
            8,
            0,
            "1 year",
            "days",
            365,
            "stated",
        ),
        ("virus", "Virus 2009", "cmv", "primary", "", 40, 10, "30 days", "days", 30, "stated"),
    ],
    columns=[
        "study_id",
        "label",
        "outcome",
        "role",
        "overlap_group",
        "n",
        "events",
        "horizon",
        "horizon_kind",
        "horizon_days",
        "count_basis",
    ],
).assign(
    disease=["SLE", "mixed", "SLE", "mixed", "other", "mixed", "other", "other", "mixed"],
    disease_name=["", "", "", "", "measles", "", "mumps", "mumps", ""],
    refractory_n=[None, 4, *[None] * 7],
    population=lambda rows: rows["label"] + " patients; in wards",
    therapy="as usual",
    event_definition="counted",
    citation=lambda rows: rows["label"],
    doi_or_pmid="",
    note="",
)
# Two arms of other names and sizes: 2 of 15 treated and 6 of 10 compared patients died.
OTHER = replace(
    OWN,
    descriptor=OWN.descriptor
    | {"companion": {"treatmentArm": "drug x", "controlArm": "usual", "timeUnit": "days"}},
    patients=pd.DataFrame(
        {
            "arm": ["drug x"] * 15 + ["usual"] * 10,
            "died": [1] * 2 + [0] * 13 + [1] * 6 + [0] * 4,
            "diagnosis": ["SLE"] * 4 + ["gout"] * 11 + ["SLE"] * 10,
        }
    ),
    evidence=SMALL,
)
MAIN = context.main_analysis(SMALL, ("one",))


def cells(table):
    """Return the cells of a shown table, header first, as text."""
    rows = BeautifulSoup(table.data, "html.parser").find_all("tr")
    return [[cell.get_text() for cell in row.find_all(["th", "td"])] for row in rows]


@pytest.fixture(scope="module")
def pooled():
    return pooling.pool(MAIN["events"], MAIN["n"], 0.9)


@pytest.fixture(scope="module")
def bayes():
    return posterior.pool_bayes(MAIN["events"], MAIN["n"], level=0.9)


@pytest.fixture(scope="module")
def sources(bayes):
    return prediction.control_sources(
        *OTHER.deaths(), bayes.predictive, margins=(0.0, 0.05), level=0.9
    )


def test_of_cohorts_that_may_share_patients_only_the_chosen_are_in_the_main_analysis():
    assert MAIN["study_id"].tolist() == ["alone", "fatal", "one"]
    assert context.primary_cohorts(SMALL)["study_id"].tolist() == ["alone", "fatal", "one", "two"]
    main = context.main_analysis(OWN.evidence, CHOSEN)
    assert set(main.loc[main["overlap_group"] != "", "study_id"]) == set(CHOSEN)


def test_the_books_own_main_analysis_in_words():
    said = context.say_cohorts(context.main_analysis(OWN.evidence, CHOSEN))
    assert said == {
        "studies": "14",
        "events": "100",
        "patients": "488",
        "lowest": "0%",
        "highest": "56%",
        "stated": "7 of 14",
        "horizons": "90 days and 16 weeks",
        "not_stated": "8",
    }


def test_other_cohorts_in_words():
    said = context.say_cohorts(MAIN)
    assert (said["studies"], said["events"], said["patients"]) == ("3", "12", "55")
    assert (said["lowest"], said["highest"]) == ("10%", "50%")
    # In the order of their days, whatever their words.
    assert (said["stated"], said["horizons"]) == ("2 of 3", "3 weeks and 30 days")
    assert said["not_stated"] == "1"


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_shares_carry_the_wilson_interval_of_statsmodels(level):
    shares = context.with_shares(SMALL, level)
    low, high = proportion_confint(SMALL["events"], SMALL["n"], alpha=1 - level, method="wilson")
    assert shares["low"].to_numpy() == pytest.approx(low.to_numpy(), abs=1e-12)
    assert shares["high"].to_numpy() == pytest.approx(high.to_numpy(), abs=1e-12)
    assert shares["estimate"].tolist() == (SMALL["events"] / SMALL["n"]).tolist()
    assert shares["count"].tolist()[:2] == ["2 of 20", "5 of 10"]


def test_the_table_of_cohorts_shows_counts_and_what_they_are():
    assert cells(context.table_cohorts(MAIN)) == [
        ["Cohort", "Deaths", "Count", "Until", "Patients", "Treatment"],
        ["Alone 2001", "2 of 20", "stated", "30 days", "Alone 2001 patients; in wards", "as usual"],
        [
            "Fatal 2002",
            "5 of 10",
            "inferred",
            "open",
            "Fatal 2002 patients; in wards",
            "as usual",
        ],
        ["One 2003", "5 of 25", "stated", "3 weeks", "One 2003 patients; in wards", "as usual"],
    ]


def test_other_treatments_are_told_by_their_outcome():
    outcomes = ("mortality_ruxolitinib", "mortality_comparator")
    shown = cells(context_notes.table_elsewhere(SMALL, outcomes, 0.95))
    assert [row[:3] for row in shown[1:]] == [["Pill 2008", "0 of 8", "0% (0% to 32%)"]]
    assert [
        row[0] for row in cells(context_notes.table_elsewhere(OWN.evidence, outcomes, 0.95))[1:]
    ] == [
        "Boonstra (via Yildiz 2021)",
        "Wang (via Yildiz 2021)",
        "De Benedetti 2023",
        "Chandrakasan 2025",
    ]


def test_the_forest_stands_in_sections_with_the_highest_mortality_on_top(pooled, bayes):
    rows = context.forest(OTHER, MAIN, pooled, bayes)
    assert [(row["section"], row["name"], row["text"]) for row in rows.to_dict("records")][:3] == [
        ("Main analysis", "Fatal 2002", "5/10"),
        ("Main analysis", "One 2003", "5/25"),
        ("Main analysis", "Alone 2001", "2/20"),
    ]
    rest = rows[~rows["section"].isin(["Main analysis", "Summary of these"])]
    assert list(zip(rest["section"], rest["name"], rest["text"], strict=True)) == [
        ("May share patients with these", "Two 2004", "4/50"),
        ("Measles", "Odd 2005", "9/12"),
        ("Case reports, aggregated", "Cases 2006", "8/40"),
        ("Mumps", "Other 2007", "15/30"),
        ("The paper", "usual", "6/10"),
        ("The paper", "drug x", "2/15"),
    ]
    assert rest["colour"].tolist()[-2:] == list(figures.ARM_COLOURS[::-1])


def test_the_forest_sums_up_with_diamonds_and_bars(pooled, bayes):
    rows = context.forest(OTHER, MAIN, pooled, bayes)
    summary = rows[rows["section"] == "Summary of these"]
    assert summary["kind"].tolist() == ["summary"] * 2 + ["prediction"] * 2
    assert summary["low"].tolist() == [
        pooled.low,
        bayes.low,
        pooled.prediction_low,
        bayes.prediction_low,
    ]
    assert summary["estimate"].tolist()[:2] == [pooled.proportion, bayes.median]
    assert summary["estimate"].isna().tolist() == [False, False, True, True]
    assert summary["text"].str.contains("(", regex=False).tolist() == [True, True, False, False]


def test_deaths_as_far_out_as_observed_are_marked_in_the_direction_of_each_arm():
    treated, controls = [1 / 16] * 16, [1 / 11] * 11
    deaths = context_notes.predicted(OTHER, treated, controls)
    upper, lower = (part for _, part in deaths.groupby("panel", sort=False))
    assert deaths["panel"].unique().tolist() == [
        "usual: 6 or more of 10",
        "drug x: 2 or fewer of 15",
    ]
    assert upper.loc[upper["marked"], "events"].tolist() == [6, 7, 8, 9, 10]
    assert lower.loc[lower["marked"], "events"].tolist() == [0, 1, 2]
    assert deaths.loc[deaths["observed"], "events"].tolist() == [6, 2]


def test_arms_in_words():
    said = context.say_arms(OTHER)
    assert (said["treatment"], said["n_treated"], said["n_control"]) == ("drug x", "15", "10")
    assert (said["control_count"], said["control_percent"]) == ("6 of 10", "60%")


def test_sources_of_controls_are_named_and_keep_the_order_of_the_comparison(sources):
    rows = context.by_source(sources)
    assert [name.replace("\n", " ") for name in rows["name"]] == list(context.SOURCES.values())
    assert rows["estimate"].tolist() == [s.contrast.difference for s in sources.values()]
    assert (rows["low"] < rows["estimate"]).all() and (rows["estimate"] < rows["high"]).all()


def test_margins_head_their_columns_and_the_arm_is_that_of_the_data(sources):
    header, *rows = cells(context.table_sources(sources, OTHER.treatment_arm))
    assert header == [
        "Controls",
        "Their mortality (posterior interval)",
        "Probability of fewer deaths with drug x",
        "by more than 5 points",
    ]
    # Under the uniform prior of the comparison 6 of 10 give a Beta(7, 5).
    low, middle, high = (100 * end for end in beta(7, 5).ppf([0.05, 0.5, 0.95]))
    assert rows[0][:2] == ["own controls alone", f"{middle:.0f}% ({low:.0f}% to {high:.0f}%)"]
    lower = sources["published"].contrast.lower_by_more_than
    assert rows[1][2:] == [f"{100 * lower[0.0]:.1f}%", f"{100 * lower[0.05]:.1f}%"]


def test_the_comparison_with_published_cohorts_in_words(sources):
    said = context.say_published(sources, 0.2)
    found = sources["published"].contrast
    assert said["robust_weight"] == "20%"
    assert said["better_published"] == f"{100 * found.lower_by_more_than[0.0]:.1f}%"
    low, high = (100 * end for end in (found.difference_low, found.difference_high))
    assert said["difference_published"] == f"{low:.0f} to {high:.0f}".replace("-", "−")


def test_the_paper_stands_first_beside_others_in_the_colour_of_its_arm():
    rows = context.beside_paper(OTHER, "cmv", (3, 15), "sick patients", 0.95)
    assert cells(context.table_beside(rows, "label"))[1:] == [
        [
            "the paper, drug x",
            "3 of 15",
            "20% (7% to 45%)",
            "not stated in the abstract",
            "sick patients",
            "drug x",
        ],
        [
            "Virus 2009",
            "10 of 40",
            "25% (14% to 40%)",
            "counted",
            "Virus 2009 patients; in wards",
            "as usual",
        ],
    ]
    assert context.rates(rows)["colour"].tolist() == [figures.ARM_COLOURS[0], figures.GREY]


def test_the_closest_analogue_and_the_same_hospital_in_words():
    said = context.say_analogues(OWN.evidence, "nam2022", "renji2018", 0.95)
    assert said == {
        "analogue": "Nam 2022",
        "analogue_refractory": "16 of 20",
        "analogue_horizon": "follow-up; KM OS 75.2% at 3 mo, 64.3% at 6 mo",
        "analogue_count": "7 of 20",
        "analogue_percent": "35%",
        "analogue_interval": "18% to 57%",
        "hospital_count": "5 of 56",
        "hospital_percent": "9%",
    }


def test_every_study_is_shown_once():
    table = cells(context.table_studies(pd.concat([SMALL, SMALL])))
    assert [row[0] for row in table[1:]] == SMALL["label"].tolist()


def test_the_pooling_in_words(pooled, bayes):
    said = context.say_pooling(pooled, bayes)
    assert said["level"] == "90%"
    assert said["prediction"] == (
        f"{100 * pooled.prediction_low:.0f}% to {100 * pooled.prediction_high:.0f}%"
    )
    assert said["pooled_interval"] == f"{100 * pooled.low:.0f}% to {100 * pooled.high:.0f}%"


def test_variants_change_one_thing_at_a_time():
    found = context_notes.variants(SMALL, ("one",), (("fatal", 11),), "fatal")
    assert {name: rows["study_id"].tolist() for name, rows in found.items()} == {
        "main analysis": ["alone", "fatal", "one"],
        "all primary cohorts, some patients possibly counted twice": [
            "alone",
            "fatal",
            "one",
            "two",
        ],
        "main analysis and measles": ["alone", "fatal", "one", "odd"],
        "only cohorts with a stated horizon": ["alone", "one"],
        "only cohorts with a stated horizon, and Fatal 2002": ["alone", "fatal", "one"],
        "Fatal 2002 with 11 patients": ["alone", "fatal", "one"],
    }
    assert found["Fatal 2002 with 11 patients"]["n"].tolist() == [20, 11, 25]
    assert found["main analysis"]["n"].tolist() == [20, 10, 25]


def test_the_choice_of_the_main_analysis_is_not_shown_twice():
    compared = context_notes.variants(SMALL, ("one",), (), "fatal")
    found = [pooling.pool(rows["events"], rows["n"]) for rows in compared.values()]
    primary = context.primary_cohorts(SMALL)
    each_way = pooling.pool_each_way(
        primary["events"], primary["n"], primary["study_id"], primary["overlap_group"]
    )
    pools = context_notes.pools(compared, found, each_way, SMALL)
    shown = cells(context_notes.table_pools(pools))
    assert [row[0] for row in shown[1:]] == [*compared, "with Two 2004"]
    assert [row[3] for row in shown[1:]] == [
        "12 of 55",
        "16 of 105",
        "21 of 67",
        "7 of 45",
        "12 of 55",
        "11 of 80",
    ]
    assert pools["proportion"].tolist()[0] == found[0].proportion
    left_out = pooling.leave_one_out(MAIN["events"], MAIN["n"], MAIN["label"])
    said = context_notes.say_ranges(pools, left_out, SMALL, "fatal")
    assert said["analogue"] == "Fatal 2002"
    assert said["variant_high"] == f"{100 * max(pools['proportion']):.1f}%"
    assert said["loo_low"] == f"{100 * min(left_out['proportion']):.1f}%"
    drawn = context_notes.left_out_in_turn(found[0], left_out)
    assert drawn["name"].tolist() == ["all", *("without " + MAIN["label"])]
    assert drawn["colour"].tolist() == [figures.INK, *[figures.GREY] * 3]


def test_densities_are_those_of_the_distributions_they_are_named_after():
    known = [distribution.ProportionDistribution.from_beta(a, 5) for a in (1, 2, 3)]
    curves = context_notes.densities(*known)
    names = curves["name"].unique().tolist()
    assert names == ["published cohorts", "own controls", "both"]
    for name, expected in zip(names, known, strict=True):
        curve = curves[curves["name"] == name]
        assert curve["density"].tolist() == expected.pdf(curve["proportion"].to_numpy()).tolist()
        # The density integrates to 1 over the grid.
        assert curve["density"].sum() * 0.002 == pytest.approx(1, abs=0.02)


def test_printed_percentages_say_what_they_count():
    evidence = SMALL.assign(percent_reported="")
    percentages = pd.DataFrame(
        [
            ("alone", "all", "event", "10%", 2, 20),
            ("alone", "women", "no event", "66%", 2, 3),
            ("virus", "all", "event", "25%", 10, 40),
        ],
        columns=["study_id", "patients", "counted", "reported", "numerator", "denominator"],
    )
    rows = context_notes.printed(grim.percentage_checks(percentages), evidence)
    assert cells(context_notes.table_misfits(rows))[1:] == [
        [
            "Alone 2001, women",
            "66% without the event",
            "2 of 3, stated",
            "67%",
            "2 of 3, cut off instead of rounded",
        ]
    ]
    assert [row[4] for row in cells(context_notes.table_printed(rows))[1:]] == ["yes", "no", "yes"]
    assert context_notes.say_printed(rows, evidence) == {
        "percentages": "3",
        "fitting": "2",
        "without": "7",
    }


def test_the_printed_percentages_of_the_books_own_evidence():
    checked = grim.percentage_checks(OWN.evidence_percentages)
    rows = context_notes.printed(checked, OWN.evidence)
    assert context_notes.say_printed(rows, OWN.evidence) == {
        "percentages": "30",
        "fitting": "28",
        "without": "4",
    }
    misfits = cells(context_notes.table_misfits(rows))
    assert [row[0] for row in misfits[1:]] == ["Ke 2020", "Ruscitti 2017"]


def test_tails_that_share_an_unknown_are_not_multiplied():
    said = context_notes.say_tails(OTHER, (0.25, 0.5), (0.2, 0.4), 0.115)
    assert (said["tail_treated"], said["tail_control"]) == ("25%", "50%")
    assert (said["tail_treated_likelihood"], said["tail_control_likelihood"]) == ("20%", "40%")
    assert (said["both_tails"], said["both_apart"]) == ("11.5%", "12.5%")
    assert (said["died_treated"], said["n_treated"]) == ("2", "15")


def test_the_books_own_variants_of_the_horizon():
    # Known values of issue 8: six cohorts whose horizon is stated, and with the nearest analogue.
    found = context_notes.variants(OWN.evidence, CHOSEN, (), "nam2022")
    stated = found["only cohorts with a stated horizon"]
    assert (len(stated), stated["events"].sum(), stated["n"].sum()) == (6, 54, 230)
    assert not set(stated["study_id"]) & {"ruscitti2017", "nam2022"}
    nearest = found["only cohorts with a stated horizon, and Nam 2022"]
    assert (len(nearest), nearest["events"].sum(), nearest["n"].sum()) == (7, 61, 250)
    pools = [pooling.pool(rows["events"], rows["n"]) for rows in (stated, nearest)]
    assert [f"{100 * one.proportion:.1f}" for one in pools] == ["21.7", "23.4"]
    assert [f"{one.between_study_sd_logit:.2f}" for one in pools] == ["0.39", "0.35"]
    limits = [(round(100 * one.low), round(100 * one.high)) for one in pools]
    assert limits == [(10, 32), (13, 33)]


def test_no_program_reads_the_words_of_a_horizon_or_a_population():
    words = {"horizon": "zzz", "population": "zzz", "note": "zzz", "event_definition": "zzz"}
    changed = OWN.evidence.assign(**words)
    found = context_notes.variants(changed, CHOSEN, (), "nam2022")
    expected = context_notes.variants(OWN.evidence, CHOSEN, (), "nam2022")
    for name, rows in expected.items():
        assert found[name]["study_id"].tolist() == rows["study_id"].tolist()
    said = context.say_analogues(changed, "nam2022", "renji2018", 0.95)
    assert said["analogue_refractory"] == "16 of 20"


def by_disease(main):
    parts = list(main.groupby("disease", sort=False))
    pools = [pooling.pool(rows["events"], rows["n"]) for _, rows in parts]
    spreads = [pooling.heterogeneity(rows["events"], rows["n"]) for _, rows in parts]
    return context_notes.by_disease(parts, pools, spreads)


def test_the_books_own_cohorts_by_disease():
    # Known values of issue 8, and the patients of the paper.
    found = by_disease(context.main_analysis(OWN.evidence, CHOSEN))
    counts = {name: (one.studies, one.events, one.n) for name, (one, _) in found.items()}
    assert counts == {"mixed": (6, 61, 226), "SLE": (5, 28, 191), "AOSD": (3, 11, 71)}
    mixed, spread = found["mixed"]
    assert (round(100 * mixed.proportion), round(spread.between_study_sd_logit, 2)) == (27, 0.19)
    patients = context_notes.patients_by_disease(OWN, list(found), "mixed")
    assert patients == {"mixed": 3, "SLE": 4, "AOSD": 13}
    weighted = standardise.standardise(*context_notes.limits(found), list(patients.values()))
    parts = [3 * mixed.proportion, 4 * found["SLE"][0].proportion, 13 * found["AOSD"][0].proportion]
    assert weighted.estimate == pytest.approx(sum(parts) / 20)
    *_, last = cells(context_notes.table_diseases(found, patients, weighted))
    # 61/226, 28/191 and 11/71, weighted 3, 4 and 13.
    assert last[3] == f"{100 * (3 * 61 / 226 + 4 * 28 / 191 + 13 * 11 / 71) / 20:.0f}%"
    said = context_notes.say_diseases(found, patients, weighted, "mixed")
    assert (said["ratio"], said["diseases"]) == ("13 : 4 : 3", "AOSD, SLE and mixed")
    assert (said["commonest"], said["commonest_count"]) == ("AOSD", "11 of 71")
    assert (said["mixed_count"], said["mixed_tau"]) == ("61 of 226", "0.19")


def test_patients_of_no_disease_listed_are_stood_in_for():
    assert context_notes.patients_by_disease(OTHER, ["SLE", "mixed"], "mixed") == {
        "SLE": 4,
        "mixed": 11,
    }


def test_named_diseases_are_listed_by_their_names():
    assert context.named_diseases(SMALL.iloc[[0, 4, 6]]) == "SLE, measles and mumps"


@pytest.fixture(scope="module")
def without(pooled):
    estimate = pooled.logit, pooled.between_study_sd_logit
    return no_effect.without_effect(*OTHER.deaths(), *estimate, tests=["chi2_n_minus_1"])


def test_pairs_without_an_effect_in_words(pooled, without):
    spread = pooling.heterogeneity(MAIN["events"], MAIN["n"], 0.9)
    steps = no_effect.by_spread(*OTHER.deaths(), pooled.logit, [0, 0.2, 0.4])
    said = context.say_without_effect(without, steps, steps[1:], OTHER.deaths(), 0.05, spread)
    (row,) = without.by_test.to_dict("records")
    assert said["no_effect"] == f"{100 * row['below']:.1f}%"
    assert said["no_effect_small_way"] == f"{100 * row['as_small_this_way']:.1f}%"
    assert said["no_effect_wide"] == f"{100 * without.as_wide:.1f}%"
    none, some, more = (f"{100 * share:.1f}%" for share in steps["below"])
    assert said["no_spread"] == none
    low, high = (f"{100 * share:.0f}%" for share in steps["below"][1:])
    assert said["no_effect_range"] == f"{low} to {high}"
    assert said["some_spread"] == f"{some} at 0.20 and {more} at 0.40"
    # 6 of 10 against 2 of 15.
    assert (said["gap"], said["fewer"], said["alpha"]) == ("47", "fewer", "0.05")
    swapped = context.say_without_effect(
        without, steps, steps[1:], OTHER.deaths().complement(), 0.05, spread
    )
    assert (swapped["gap"], swapped["fewer"]) == ("47", "more")


def test_curves_against_the_spread_keep_their_columns(pooled):
    steps = no_effect.by_spread(*OTHER.deaths(), pooled.logit, [0, 0.5])
    curves = context.shares_by_spread(steps, 0.01)
    assert curves["name"].unique().tolist() == [
        "P below 0.01, either direction",
        "P below 0.01, the paper's direction",
        "the paper's gap or wider, its direction",
    ]
    for name, column in zip(
        curves["name"].unique(), ("below", "below_this_way", "as_wide"), strict=True
    ):
        assert curves.loc[curves["name"] == name, "share"].tolist() == steps[column].tolist()


def test_every_test_has_a_row_of_pairs_without_an_effect(pooled, without):
    shown = cells(context_notes.table_without_effect(without.by_test, 0.05))
    (row,) = without.by_test.to_dict("records")
    assert shown[0][2:4] == ["P below 0.05", "P below 0.05, the paper's direction"]
    assert shown[1][:3] == [row["test"], f"{row['p_value']:.4f}", f"{100 * row['below']:.1f}%"]


def test_what_the_share_depends_on_in_words(pooled, without):
    steps = no_effect.by_spread(*OTHER.deaths(), pooled.logit, [0.2, 0.9])
    said = context_notes.say_chance((0.5, 1.0), [without, without], steps, steps[::-1], 0.05)
    low, high = (f"{100 * share:.1f}%" for share in steps["below"])
    assert (said["at_low"], said["at_high"]) == (low, high)
    assert (said["mixed_no_effect"], said["mixed_no_effect_high"]) == (high, low)
    assert said["scales"] == "0.5 and 1.0"
    share = f"{100 * without.by_test['below'].iloc[0]:.1f}%"
    assert said["under_priors"] == f"{share} and {share}"


def test_an_unlimited_spread_ends_where_none_is_searched():
    spread = pooling.heterogeneity([0, 19], [20, 20])
    assert context.ends(spread)[2] == 50


def test_the_mixture_by_weight_keeps_its_numbers(bayes):
    frame = prediction.by_robust_weight(*OTHER.deaths(), bayes.predictive, [0.2, 1], level=0.9)
    shown = cells(context_notes.table_weights(frame))
    assert [row[0] for row in shown[1:]] == ["20%", "100%"]
    # Beta(1, 1) is worth two patients, and after 6 of 10 a Beta(7, 5).
    assert shown[2][1:3] == ["2.0", "100%"]
    low, middle, high = (100 * end for end in beta(7, 5).ppf([0.05, 0.5, 0.95]))
    assert shown[2][3] == f"{middle:.0f}% ({low:.0f}% to {high:.0f}%)"
    assert shown[1][5] == f"{100 * frame.loc[0, 'lower']:.1f}%"


def test_the_mixture_gives_its_weights_before_and_after(bayes):
    prior = prediction.robust_map_prior(bayes.predictive, 0.2)
    both = prediction.update(prior, 6, 10)
    said = context_notes.say_mixture(prior, both, 12.34)
    assert said["map_worth"] == "12.3"
    assert said["robust_weight"] == "20%"
    assert said["robust_posterior"] == f"{100 * both.robust_weight:.0f}%"


def test_the_model_in_words(pooled, bayes):
    spread = pooling.heterogeneity(MAIN["events"], MAIN["n"], 0.9)
    wald = pooling.wald(pooled)
    said = context_notes.say_model(pooled, wald, bayes, spread)
    assert said["wald_interval"] == f"{100 * wald.low:.0f}% to {100 * wald.high:.0f}%"
    assert said["pooled_interval"] == f"{100 * pooled.low:.0f}% to {100 * pooled.high:.0f}%"
    assert said["prediction_df"] == "1"
    assert (said["studies"], said["tau_scale"]) == ("3", "1.0")
    assert said["tau"] == f"{spread.between_study_sd_logit:.2f}"
    assert said["bayes"] == f"{100 * bayes.median:.0f}%"


def test_the_chapter_and_its_notes_have_the_same_parameters():
    def parameters(name):
        notebook = nbformat.read(REPOSITORY / "book" / f"{name}.ipynb", as_version=4)
        cell = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
        return {
            line.targets[0].id: ast.literal_eval(line.value) for line in ast.parse(cell.source).body
        }

    chapter, notes = parameters("context"), parameters("context_notes")
    shared = chapter.keys() & notes.keys()
    assert {"chosen", "analogue", "alpha", "level", "tau_scale", "robust_weight"} <= shared
    assert {name: chapter[name] for name in shared} == {name: notes[name] for name in shared}
