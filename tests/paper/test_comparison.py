"""A register beside what the paper published: the numbers, and what is left out."""

import json
import math
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from cohorts import NAMES, table, write
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from rdmas.cli import main
from rdmas.paper import claims
from rdmas.paper.cohort import load_cohort
from rdmas.paper.comparison import COLUMNS, beside_published
from rdmas.stats import logrank, two_by_two

#: What nothing about another cohort may speak of, but for what was published.
PAPERS_OWN = ("ruxolitinib", "rd-mas", "li 2025")


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registers")
    return {name: load_cohort(write(name, folder)) for name in NAMES}


@pytest.fixture
def masked(tmp_path):
    return lambda name: load_cohort(write(name, tmp_path), mask_below=5)


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_beside_the_published_numbers_is_counted_in_the_table(cohorts, name):
    """Every proportion again, from the table itself and from Wilson's limits (Newcombe 1998)."""
    patients = table(name)
    arms = dict(zip(("treatment", "control"), cohorts[name].arms, strict=False))
    counted = 0
    for row in beside_published(cohorts[name]).to_dict("records"):
        role = next((role for role in arms if role in row["id"]), None)
        if row["measure"] not in ("count", "fraction", "percent") or role is None:
            continue
        claim = next(
            claim
            for claim in cohorts[name].published.to_dict("records")
            if claim["id"].replace("ruxolitinib", "treatment") == row["id"]
        )
        values = patients.loc[patients["arm"] == arms[role], claim["variable"]].dropna()
        category = int(claim["category"]) if claim["category"].isdigit() else claim["category"]
        events, n = int((values == category).sum()), len(values)
        assert (row["events"], row["n"]) == (events, n)
        k, m = int(claim["numerator"]), int(claim["denominator"])
        assert row["difference"] == pytest.approx(events / n - k / m, abs=1e-12)
        low, high = proportion_confint(events, n, method="wilson")
        their_low, their_high = proportion_confint(k, m, method="wilson")
        p, q = events / n, k / m
        assert row["low"] == pytest.approx(p - q - math.hypot(p - low, their_high - q))
        assert row["high"] == pytest.approx(p - q + math.hypot(high - p, q - their_low))
        counted += 1
    assert counted or "controls" in name


@pytest.mark.parametrize("name", NAMES)
def test_a_cohort_of_ones_own_is_never_called_not_reproduced(cohorts, name):
    """Group 46, and point 7 of the issue."""
    board = claims.scoreboard(cohorts[name])
    if name != "own_claims":
        assert set(board["verdict"]) == {"not checkable"}
        assert list(board) == [*claims.COLUMNS, *claims.COMPARED]
        shown = board.drop(columns="reported").to_json(force_ascii=False).lower()
        assert not [word for word in PAPERS_OWN if word in shown]
    assert set(board["basis"]) <= {"data", "counts"}
    jsonschema.validate(json.loads(claims.as_json(board)), claims.json_schema())


@pytest.mark.parametrize("name", NAMES)
def test_the_command_prints_every_register(tmp_path, name):
    result = CliRunner().invoke(main, ["claims", "--data", str(write(name, tmp_path))])
    assert result.exit_code == 0, result.output
    assert "compared, not checked" in result.output
    assert not [word for word in PAPERS_OWN if word in result.output.lower()]
    assert ("reproduced" in result.output) == (name == "own_claims")


def test_p_is_of_the_log_rank_test_where_times_were_seen(cohorts):
    patients = table("ordinary")
    p_value = logrank.logrank_p(
        patients["followup_time"].astype(float), patients["died"], patients["arm"] == "treatment"
    )
    row = beside_published(cohorts["ordinary"]).set_index("id").loc["survival_p_value"]
    assert (row["this_cohort"], row["method"]) == (f"{p_value:.3f}", "log-rank test")
    assert np.isnan(row["difference"])


def test_without_times_p_is_of_a_test_on_the_counts(cohorts):
    row = beside_published(cohorts["no_times"]).set_index("id").loc["survival_p_value"]
    expected = two_by_two.p_value(28, 35, 20, 28, "chi2_n_minus_1")
    assert (row["this_cohort"], row["method"]) == (
        f"{expected:.3f}",
        "chi-square, N−1 (Campbell 2007)",
    )


def test_words_follow_the_direction_of_the_test(cohorts):
    words = beside_published(cohorts["harm"]).set_index("id").loc["survival_significant"]
    assert words["this_cohort"] == "significantly lower"
    assert words["method"] == "log-rank test"


@pytest.mark.parametrize("name", ["no_deaths", "day_zero"])
def test_where_nobody_died_the_test_is_not_defined(cohorts, name):
    compared = beside_published(cohorts[name]).set_index("id")
    for row in ("survival_p_value", "survival_significant"):
        assert compared.loc[row, "this_cohort"] == "not defined"


def test_no_p_value_is_printed_as_zero(tmp_path):
    folder = write("arms_300", tmp_path)
    patients = table("arms_300").assign(died=lambda all_: (all_["arm"] == "control").astype(int))
    patients.to_csv(folder / "patients.csv", index=False)
    row = beside_published(load_cohort(folder)).set_index("id").loc["survival_p_value"]
    assert row["this_cohort"] == "<0.001"


def test_medians_differ_without_an_interval(cohorts):
    row = beside_published(cohorts["ordinary"]).set_index("id").loc["dose_baseline_median"]
    patients = table("ordinary")
    doses = patients.loc[patients["arm"] == "treatment", "gc_dose_baseline_mg_per_kg"]
    assert row["difference"] == pytest.approx(doses.median() - 2.7)
    assert math.isnan(row["low"]) and math.isnan(row["high"])
    assert "not stated" in row["method"]


def test_sizes_have_no_difference(cohorts):
    rows = beside_published(cohorts["ordinary"]).query("measure == 'n'")
    assert rows["this_cohort"].tolist() == ["35", "28"]
    assert rows["difference"].isna().all()


@pytest.mark.parametrize(
    ("name", "word"),
    [("one_arm", "control"), ("no_doses", "dose"), ("no_cmv_column", "cmv"), ("cmv_empty", "cmv")],
)
def test_of_what_a_cohort_has_not_there_is_no_row(cohorts, name, word):
    assert not beside_published(cohorts[name])["id"].str.contains(word).any()


def test_a_disease_that_nobody_has_is_not_counted_as_none(cohorts):
    assert not beside_published(cohorts["emapalumab"])["id"].str.contains("diagnosis").any()


def test_arms_are_called_by_the_names_of_the_cohort(cohorts):
    statements = beside_published(cohorts["emapalumab"])["statement"]
    assert statements.iloc[1] == "Number of patients, no emapalumab"


def test_a_masked_column_carries_no_number(masked):
    """Two of twelve treated patients died: with a limit of five the whole column is masked."""
    cohort = masked("arms_12")
    compared = beside_published(cohort).set_index("id")
    rows = compared[compared.index.str.startswith("survival")]
    assert len(rows) == 6 and rows["masked"].all()
    assert set(rows["this_cohort"]) == {"masked"}
    assert rows[["events", "n", "difference", "low", "high"]].isna().all(axis=None)
    board = claims.scoreboard(cohort)
    hidden = board[board["id"].str.startswith("survival")]
    assert set(hidden["recomputed"]) == {"masked"}


def test_claims_of_ones_own_about_a_masked_column_are_masked(masked):
    cohort = masked("own_claims")
    patients = cohort.patients.copy()
    deaths = patients.index[patients["died"] == 1]
    patients.loc[deaths[3:7], "died"] = 0
    board = claims.scoreboard(type(cohort)(**{**vars(cohort), "patients": patients}))
    about_deaths = board[board["id"].str.endswith("deaths")]
    assert set(about_deaths["recomputed"]) == {"masked"}
    assert set(about_deaths["verdict"]) == {"not checkable"}
    assert not any(about_deaths["derivations"])


def test_a_level_widens_the_interval(cohorts):
    wide = beside_published(cohorts["ordinary"], level=0.99).set_index("id")
    row = wide.loc["survival_treatment_percent"]
    expected = confint_proportions_2indep(28, 35, 19, 20, "newcomb", "diff", alpha=0.01)
    assert (row["low"], row["high"]) == pytest.approx(expected)


def test_an_empty_comparison_has_all_columns(cohorts):
    cohort = cohorts["ordinary"]
    nothing = replace(cohort, published=cohort.published.iloc[:0])
    assert list(beside_published(nothing)) == list(COLUMNS)
    assert claims.tally(claims.scoreboard(nothing)).empty
