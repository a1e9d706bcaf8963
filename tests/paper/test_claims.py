"""The registry and its verdicts, and that the checks can fail."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from conftest import REPOSITORY

from rdmas.paper import claims, derivations, followup
from rdmas.paper.cohort import CohortError, load_cohort
from rdmas.paper.validation import problems
from rdmas.stats import logrank, rounding
from rdmas.stats.checks import Table

COHORT = load_cohort()
BOARD = claims.scoreboard(COHORT).set_index("id")
REGISTRY = COHORT.claims.set_index("id")
COLUMNS = [
    "id", "statement", "reported", "recomputed", "verdict", "basis", "convention", "chapter",
    "nearest", "derivations",
]  # fmt: skip

# The two derivations that run every test of a two-by-two table are left out where the others
# are enough to see a change: the matrix below has one case for every claim-bearing cell.
QUICK = REGISTRY.index[~REGISTRY["measure"].isin(["p_value", "significance"])]
CLAIM_BEARING = ("arm", "sex", "diagnosis", "response_week8", "died", "cmv_infection")


def rows_of(path):
    with Path(path).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write_rows(path, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    Path(path).write_text(text.getvalue(), encoding="utf-8")


def all_reproduce(cohort):
    """Tell whether every quick claim that was reproduced still is."""
    return all(
        [found.reproduces for found in claims.derive(claim_id, cohort)]
        == [found["reproduces"] for found in BOARD.loc[claim_id, "derivations"]]
        for claim_id in QUICK
    )


def test_the_scoreboard_has_the_published_columns():
    assert list(claims.scoreboard(COHORT).columns) == COLUMNS


def test_the_default_cohort_is_the_companions_own():
    assert claims.scoreboard().equals(claims.scoreboard(COHORT))


@pytest.mark.parametrize("claim_id", REGISTRY.index)
def test_claim_has_its_basis_and_a_verdict_of_the_closed_list(claim_id):
    row = BOARD.loc[claim_id]
    assert row["basis"] == REGISTRY.loc[claim_id, "basis"]
    assert row["verdict"] in claims.VERDICTS
    expected = {
        "survival_p_value": "reproduced under a stated convention",
        "background_refractory_percent": "not checkable",
    }
    assert row["verdict"] == expected.get(claim_id, "reproduced")
    assert (row["recomputed"] == row["reported"]) == (row["verdict"] != "not checkable")
    assert row["nearest"] == ""


@pytest.mark.parametrize("claim_id", REGISTRY.index)
def test_derivations_come_strongest_reproducing_first(claim_id):
    found = BOARD.loc[claim_id, "derivations"]
    keys = [(not d["reproduces"], claims.BASES.index(d["basis"])) for d in found]
    assert keys == sorted(keys)


def test_every_measure_is_derived_or_background_and_none_is_idle():
    measures = set(REGISTRY["measure"])
    assert measures == set(derivations.MEASURES) | {"background"}


def test_every_number_of_the_abstract_is_in_the_registry():
    """The list of the abstract's numbers, in its order; counted from the published text."""
    assert REGISTRY["reported"].tolist() == [
        "20", "21", "17", "3", "13", "4", "3", "50%", "10/20", "30%", "6/20", "95%", "19/20",
        "62%", "13/21", "0.011", "significantly higher", "2.7 mg/kg", "0.5 mg/kg", "20%", "4/20",
        "30%",
    ]  # fmt: skip


def test_the_headline_of_the_p_value_is_the_n_minus_1_chi_square_on_counts():
    row = BOARD.loc["survival_p_value"]
    assert (row["basis"], row["convention"]) == ("counts", "chi-square, N−1 (Campbell 2007)")
    bases = {d["method"]: (d["basis"], d["reproduces"]) for d in row["derivations"]}
    logrank = {method: found for method, found in bases.items() if method.startswith("Log-rank")}
    assert {basis for basis, _ in logrank.values()} == {"ordering", "input"}
    assert all(reproduces for _, reproduces in logrank.values())


def test_every_test_and_every_order_without_early_ends_is_below_the_level():
    found = BOARD.loc["survival_significant", "derivations"]
    assert all(d["reproduces"] for d in found if d["basis"] in ("counts", "input"))
    by_order = {d["method"]: d["reproduces"] for d in found if d["basis"] == "ordering"}
    assert [holds for method, holds in by_order.items() if "nobody" in method] == [True, True]
    (unlimited,) = (d for d in found if "anybody" in d["method"])
    assert unlimited["recomputed"] == "depends on follow-up"


def test_doses_are_said_to_be_put_in():
    for claim_id in ("dose_baseline_median", "dose_week8_median"):
        assert BOARD.loc[claim_id, "basis"] == "input"
        assert BOARD.loc[claim_id, "convention"] == derivations.BY_CONSTRUCTION


PATIENTS = rows_of(REPOSITORY / "data" / "patients.csv")
FIELDS = COHORT.fields()


@pytest.mark.parametrize("column", CLAIM_BEARING)
@pytest.mark.parametrize("row", range(len(PATIENTS)))
def test_changing_a_claim_bearing_cell_changes_the_scoreboard_or_is_refused(data_copy, row, column):
    patients = [dict(patient) for patient in PATIENTS]
    allowed = [str(value) for value in FIELDS[column]["constraints"]["enum"]]
    old = patients[row][column]
    patients[row][column] = allowed[(allowed.index(old) + 1) % len(allowed)] if old else allowed[0]
    write_rows(data_copy / "patients.csv", patients)
    try:
        cohort = load_cohort(data_copy)
    except CohortError:
        return
    assert not all_reproduce(cohort)


@pytest.mark.parametrize("column", CLAIM_BEARING)
def test_emptying_a_claim_bearing_cell_is_refused(data_copy, column):
    patients = [dict(patient) for patient in PATIENTS]
    patients[0][column] = ""
    write_rows(data_copy / "patients.csv", patients)
    with pytest.raises(CohortError, match=f"patients.csv, row 2, column {column}: "):
        load_cohort(data_copy)


def test_the_unchanged_copy_passes(data_copy):
    write_rows(data_copy / "patients.csv", PATIENTS)
    assert all_reproduce(load_cohort(data_copy))


def changed_prints(reported):
    """Yield other values that could have been printed in place of one."""
    if reported == "significantly higher":
        yield from ("significantly lower", "not significantly different")
        return
    for place, character in enumerate(reported):
        if character.isdigit():
            for other in (str((int(character) + 1) % 10), str((int(character) + 9) % 10)):
                yield reported[:place] + other + reported[place + 1 :]


@pytest.mark.parametrize("claim_id", REGISTRY.index)
def test_changing_a_reported_string_changes_the_scoreboard_or_is_refused(data_copy, claim_id):
    for other in changed_prints(REGISTRY.loc[claim_id, "reported"]):
        rows = rows_of(REPOSITORY / "data" / "claims.csv")
        next(row for row in rows if row["id"] == claim_id)["reported"] = other
        write_rows(data_copy / "claims.csv", rows)
        if found := problems(data_copy):
            assert "claims.csv, row " in str(found[0]) and "column reported" in str(found[0])
            continue
        cohort = load_cohort(data_copy)
        row = claims.scoreboard(cohort).set_index("id").loc[claim_id]
        if claim_id == "background_refractory_percent":
            assert row["reported"] == other  # nothing bears on it, so only the quote changes
        elif (
            claim_id in ("survival_p_value", "survival_significant")
            and row["verdict"] != "not reproduced"
        ):
            # Another test, or another follow-up, gives it: the convention is another one.
            assert row["convention"] != BOARD.loc[claim_id, "convention"]
        else:
            assert row["verdict"] == "not reproduced", other
            assert row["nearest"], other


def test_an_unknown_wording_of_significance_is_refused(data_copy):
    path = data_copy / "claims.csv"
    text = path.read_text(encoding="utf-8").replace(",significantly higher,", ",much higher,")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CohortError, match="column reported: 'much higher' is not known"):
        load_cohort(data_copy)


def with_patients(change):
    patients = COHORT.patients.copy()
    change(patients)
    return claims.scoreboard(replace(COHORT, patients=patients)).set_index("id")


def kill_one(patients):
    treated = (patients["arm"] == "ruxolitinib") & (patients["died"] == 0)
    patients.loc[patients.index[treated][0], "died"] = 1


def test_a_percentage_that_is_not_reproduced_names_the_nearest_and_what_would_print_so():
    row = with_patients(kill_one).loc["survival_ruxolitinib_percent"]
    assert row["verdict"] == "not reproduced"
    assert row["recomputed"] == "90%"
    assert row["nearest"] == "90% would be; of 20 patients, 19/20 prints so"


def test_a_percentage_that_no_count_prints_is_said_to_have_none():
    """GRIM: with 20 patients only multiples of five per cent can be printed."""
    registry = COHORT.claims.copy()
    registry.loc[registry["id"] == "cmv_percent", "reported"] = "21%"
    row = claims.scoreboard(replace(COHORT, claims=registry)).set_index("id").loc["cmv_percent"]
    assert row["nearest"] == "20% would be; of 20 patients, no count of 20 prints so"


def with_print(claim_id, text):
    registry = COHORT.claims.copy()
    registry.loc[registry["id"] == claim_id, "reported"] = text
    return claims.scoreboard(replace(COHORT, claims=registry)).set_index("id").loc[claim_id]


def test_a_p_value_that_is_not_reproduced_names_the_nearest_test():
    row = with_print("survival_p_value", "0.300")
    assert row["verdict"] == "not reproduced"
    assert row["nearest"] == (
        "0.045 would be (z, log risk ratio of the non-event (Katz)); a log-rank test can give it "
        "if more survivors' follow-up ended early"
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_log_rank_p_of_few_early_ends_is_not_called_wrong(seed):
    """Whatever data set with up to five early ends was the true one."""
    time, died, arm = logrank.random_data_sets(*COHORT.deaths(), 20, lost=seed + 1, seed=seed)
    for p_value in logrank.logrank_p(time, died, arm):
        row = with_print("survival_p_value", f"{p_value:.3f}")
        assert row["verdict"] == "reproduced under a stated convention", p_value


def test_an_assumption_without_limits_supports_nothing_by_itself():
    assumptions = followup.unseen_followup(COHORT.deaths())
    assert [assumption.limited for assumption in assumptions] == [True] * 5 + [False]
    assert followup.supported(assumptions, [False] * 5 + [True]) == [False] * 6
    allowed = [False] * 4 + [True, True]
    assert followup.supported(assumptions, allowed) == allowed


@pytest.mark.parametrize("deaths", [(2, 20, 9, 21), (1, 20, 8, 21), (1, 20, 6, 21)])
def test_the_limited_assumptions_end_where_p_can_reach_the_level(deaths):
    """Where two early ends of follow-up take P to the level, two are tried and not only one."""
    ladder = followup.unseen_followup(Table(*deaths))
    last = [assumption for assumption in ladder if assumption.limited][-1]
    enough = logrank.losses_to_exceed(*deaths, ties=True)
    assert last.high_attained >= claims.ALPHA
    assert last.high == logrank.p_range(*deaths, lost=max(enough, 1), ties=True).high


def test_words_that_only_some_tests_bear_out_name_the_test():
    """With one more death under treatment Fisher's P is above 0.05 and Pearson's below."""
    registry = COHORT.claims.copy()
    registry.loc[registry["id"] == "survival_significant", "reported"] = (
        "not significantly different"
    )
    patients = COHORT.patients.copy()
    kill_one(patients)
    cohort = replace(COHORT, claims=registry, patients=patients)
    row = claims.scoreboard(cohort).set_index("id").loc["survival_significant"]
    assert row["verdict"] == "reproduced under a stated convention"
    assert row["convention"] == "Yates-corrected chi-square"
    every_test = next(d for d in row["derivations"] if "under all" in d["method"])
    assert every_test["recomputed"] == "depends on the test"
    assert not every_test["reproduces"]


def test_words_that_only_some_follow_up_bears_out_are_possible():
    row = with_print("survival_significant", "not significantly different")
    assert row["verdict"] == "reproduced under a stated convention"
    assert row["basis"] == "ordering"
    assert row["recomputed"] == "depends on follow-up"


def test_a_percentage_without_a_denominator_still_names_the_nearest():
    registry = COHORT.claims.copy()
    row = registry["id"] == "cmv_percent"
    registry.loc[row, "reported"] = "21%"
    registry.loc[row, "denominator"] = pd.NA
    board = claims.scoreboard(replace(COHORT, claims=registry)).set_index("id")
    assert board.loc["cmv_percent", "nearest"] == "20% would be"


def test_where_no_test_is_defined_none_is_called_nearest():
    patients = COHORT.patients.assign(died=0)
    row = claims.scoreboard(replace(COHORT, patients=patients)).set_index("id")
    nearest = row.loc["survival_p_value", "nearest"]
    assert "not defined" not in nearest and "nan" not in nearest


def test_words_about_tests_that_are_not_defined_are_not_reproduced():
    """Without a death no test has a P-value, and its absence is no finding of no difference."""
    registry = COHORT.claims.copy()
    registry.loc[registry["id"] == "survival_significant", "reported"] = (
        "not significantly different"
    )
    cohort = replace(COHORT, claims=registry, patients=COHORT.patients.assign(died=0))
    found = claims.derive("survival_significant", cohort)
    by_order = [one for one in found if one.basis == "ordering"]
    assert by_order
    assert {(one.recomputed, one.reproduces) for one in by_order} == {("not defined", False)}


def test_more_deaths_than_the_level_allows_are_not_significant():
    def kill_three(patients):
        for _ in range(3):
            kill_one(patients)

    row = with_patients(kill_three).loc["survival_significant"]
    assert row["verdict"] == "not reproduced"
    assert row["recomputed"] == "not significantly different"


def test_swapping_the_arms_turns_higher_into_lower():
    def swap(patients):
        other = {"ruxolitinib": "control", "control": "ruxolitinib"}
        patients["arm"] = patients["arm"].map(other)

    row = with_patients(swap).loc["survival_significant"]
    assert row["recomputed"] == "significantly lower"
    assert row["verdict"] == "not reproduced"


def test_a_single_arm_leaves_comparisons_and_the_other_arm_unchecked():
    descriptor = json.loads(json.dumps(COHORT.descriptor))
    descriptor["companion"]["controlArm"] = None
    patients = COHORT.in_arm("ruxolitinib")
    board = claims.scoreboard(replace(COHORT, descriptor=descriptor, patients=patients))
    verdicts = board.set_index("id")["verdict"]
    for claim_id in ("survival_p_value", "survival_significant", "survival_control_count"):
        assert verdicts[claim_id] == "not checkable"
    assert verdicts["survival_ruxolitinib_count"] == "reproduced"


def test_measured_times_make_the_log_rank_test_rest_on_data():
    descriptor = json.loads(json.dumps(COHORT.descriptor))
    descriptor["companion"]["timeUnit"] = "days"
    for resource in descriptor["resources"]:
        for field in resource["schema"]["fields"]:
            if field["name"] == "followup_time":
                field["provenance"] = "reported"
    found = claims.derive("survival_p_value", replace(COHORT, descriptor=descriptor))
    bases = {d.basis for d in found}
    assert bases == {"counts"}


def test_a_missing_column_is_not_checkable():
    cohort = replace(COHORT, patients=COHORT.patients.drop(columns="cmv_infection"))
    assert claims.derive("cmv_percent", cohort) == []


def test_an_unknown_claim_is_refused():
    with pytest.raises(KeyError, match="there is no claim 'age'"):
        claims.derive("age", COHORT)


def test_json_holds_every_column_of_every_claim():
    records = json.loads(claims.as_json(claims.scoreboard(COHORT)))
    assert [record["id"] for record in records] == list(REGISTRY.index)
    for record in records:
        assert set(record) == set(COLUMNS)
        for found in record["derivations"]:
            assert {"method", "value", "recomputed", "reproduces", "basis"} <= set(found)


def test_an_undefined_value_is_null_in_json():
    board = claims.scoreboard(COHORT)
    board["derivations"] = [[{"value": float("nan")}]] * len(board)
    assert json.loads(claims.as_json(board))[0]["derivations"] == [{"value": None}]


def test_the_stated_counts_fit_together():
    parts = claims.parts_and_wholes(COHORT.claims)
    assert parts["fits"].all()
    assert parts.set_index("what").loc["diagnosis", ["parts", "sum"]].tolist() == ["13 + 4 + 3", 20]


@pytest.mark.parametrize("claim_id", ["sex_male_n", "remission_partial_count", "cmv_count"])
def test_a_count_that_does_not_fit_is_found(claim_id):
    registry = COHORT.claims.copy()
    registry.loc[registry["id"] == claim_id, "numerator"] += 20
    assert not claims.parts_and_wholes(registry)["fits"].all()


def test_the_p_value_claim_does_not_round_twice():
    found = {d["method"]: d for d in BOARD.loc["survival_p_value", "derivations"]}
    pearson = found["Pearson chi-square, uncorrected"]
    assert not pearson["reproduces"] and pearson["recomputed"] == "0.010"
    assert rounding.reproduces_by_rounding_twice(pearson["value"], "0.011") == 4
