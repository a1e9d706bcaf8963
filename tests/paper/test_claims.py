"""The registry and its verdicts, and that the checks can fail."""

import csv
import io
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.paper import claims, derivations, followup
from rdmas.paper.cohort import CohortError, load_cohort
from rdmas.paper.validation import problems
from rdmas.paper.verdicts import PUT_IN, RETURNED, STATED_COUNTS, verdict
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
EXPECTED = dict.fromkeys(["n", "count", "fraction"], "consistent") | {
    "percent": "reproduced",
    "p_value": "compatible",
    "significance": "reproduced",
    "median": "not checkable",
    "background": "not checkable",
}
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
    assert row["verdict"] == EXPECTED[REGISTRY.loc[claim_id, "measure"]]
    assert row["recomputed"] == ("" if row["basis"] == "none" else row["reported"])
    assert row["nearest"] == ""


def test_the_board_of_the_abstract():
    assert BOARD["verdict"].value_counts().to_dict() == {
        "consistent": 12,
        "reproduced": 6,
        "not checkable": 3,
        "compatible": 1,
    }


def test_the_closed_lists():
    """What programs that read claims.json rely on."""
    assert list(claims.VERDICTS) == [
        "reproduced", "consistent", "compatible", "not reproduced", "not checkable",
    ]  # fmt: skip
    assert list(claims.BASES) == ["data", "counts", "ordering", "input", "none"]


@pytest.mark.parametrize("claim_id", REGISTRY.index)
def test_a_claim_whose_value_was_put_in_is_never_reproduced(claim_id):
    measure = REGISTRY.loc[claim_id, "measure"]
    if measure in (*STATED_COUNTS, "median"):
        assert BOARD.loc[claim_id, "verdict"] in ("consistent", "not checkable")
    if measure in PUT_IN:
        (returned,) = (d for d in BOARD.loc[claim_id, "derivations"] if d["basis"] == "input")
        assert returned["convention"] == RETURNED
        assert verdict(measure, [derivations.Derivation(**returned)]) == "not checkable"


@pytest.mark.parametrize("claim_id", REGISTRY.index)
def test_derivations_come_strongest_reproducing_first(claim_id):
    found = BOARD.loc[claim_id, "derivations"]
    keys = [(not d["reproduces"], list(claims.BASES).index(d["basis"])) for d in found]
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
        assert BOARD.loc[claim_id, "convention"] == RETURNED


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


ROWS = rows_of(REPOSITORY / "data" / "claims.csv")
BEARING = ("arm", "numerator", "denominator", "unit", "measure", "variable", "category")


@pytest.mark.parametrize("column", BEARING)
@pytest.mark.parametrize("row", range(len(ROWS)), ids=lambda row: ROWS[row]["id"])
def test_changing_a_cell_of_the_registry_changes_the_board_or_is_refused(data_copy, row, column):
    known = sorted({other[column] for other in ROWS})
    rows = [dict(one) for one in ROWS]
    rows[row][column] = known[(known.index(rows[row][column]) + 1) % len(known)]
    write_rows(data_copy / "claims.csv", rows)
    if not problems(data_copy):
        board = claims.as_json(claims.scoreboard(load_cohort(data_copy)))
        assert board != claims.as_json(claims.scoreboard(COHORT))


PRINTS = ["", "20", "1,280", "50%", "<1%", ">90%", "10/20", "0.011", "<0.001", ">0.05", "3 mg/kg"]
registries = st.lists(
    st.fixed_dictionaries(
        {column: st.sampled_from(sorted({row[column] for row in ROWS})) for column in ROWS[0]}
        | {"reported": st.sampled_from(PRINTS), "id": st.uuids().map(lambda u: f"c{u.hex}")}
        | {"convention": st.sampled_from(["", "chi2", "fisher", "guess"])}
        | {"chapter": st.sampled_from(["data", "nowhere"])}
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150)
@given(registries)
def test_whatever_registry_is_valid_is_derived_without_a_traceback(registry):
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(REPOSITORY / "data", Path(folder) / "data"))
        write_rows(copy / "claims.csv", registry)
        if not problems(copy):
            board = claims.scoreboard(load_cohort(copy))
            jsonschema.validate(json.loads(claims.as_json(board)), claims.json_schema())


@st.composite
def sound_claims(draw):
    """A claim that is valid: about a column that can bear it, with a value that reads as one."""
    measure = draw(st.sampled_from(["n", "count", "fraction", "percent", "p_value", "median"]))
    arm = draw(st.sampled_from(["ruxolitinib", "control"]))
    column, category = draw(st.sampled_from([("died", "0"), ("died", "1"), ("sex", "male")]))
    n = draw(st.integers(1, 2000))
    events = draw(st.integers(0, n))
    relation = draw(st.sampled_from(["", "<", ">"]))
    claim = dict.fromkeys(ROWS[0], "") | {
        "id": "x", "group": "g", "statement": "s", "arm": arm, "measure": measure,
        "variable": column, "category": category, "basis": "counts", "chapter": "data",
        "unit": "patients", "numerator": str(events), "denominator": str(n),
    }  # fmt: skip
    match measure:
        case "n":
            claim |= {"variable": "", "category": "", "reported": f"{events:,}", "denominator": ""}
        case "count":
            claim["reported"] = f"{events:,}"
        case "fraction":
            claim["reported"] = f"{events}/{n}"
        case "percent":
            claim |= {"unit": "%", "reported": f"{relation}{draw(st.integers(1, 99))}%"}
        case "p_value":
            value = draw(st.integers(1, 999))
            blank = {"numerator": "", "denominator": ""}
            claim |= {"arm": "both", "unit": "P", "reported": f"{relation}0.{value:03d}"} | blank
        case "median":
            dose = "gc_dose_week8_mg_per_kg"
            claim |= {"unit": "mg/kg", "variable": dose, "category": "", "numerator": ""}
            claim |= {"reported": f"{relation}{draw(st.integers(0, 40))}.5 mg/kg"}
            claim |= {"denominator": ""}
    return claim


@settings(max_examples=150)
@given(sound_claims())
def test_a_claim_of_any_size_and_relation_is_derived(claim):
    """Bounds that nothing gives, counts with thousands, counts of arms of another size."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(REPOSITORY / "data", Path(folder) / "data"))
        write_rows(copy / "claims.csv", [claim])
        assert [str(problem) for problem in problems(copy)] == []
        (row,) = claims.scoreboard(load_cohort(copy)).to_dict("records")
    assert row["verdict"] in claims.VERDICTS
    assert bool(row["nearest"]) == (row["verdict"] == "not reproduced")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"convention": "guess"}, "column convention: 'guess' is not a test known here"),
        ({"chapter": "nowhere"}, "column chapter: 'nowhere' is not known"),
        ({"reported": "0.5%"}, "column reported: '0.5%' does not carry the unit ''"),
        ({"reported": "0.011 mg/kg"}, "column reported: '0.011 mg/kg'"),
        ({"reported": "0.000"}, "no P-value is 0; a bound such as <0.001 is meant"),
        ({"reported": "1.2"}, "it must lie between 0 and 1"),
        ({"reported": ">1"}, "'>1' leaves no value that a p_value could have"),
        ({"variable": "arm"}, "the size of an arm has measure n, not p_value"),
        ({"arm": "ruxolitinib"}, "a claim of measure p_value is about both, not 'ruxolitinib'"),
        ({"unit": "%"}, "column unit: '%' is not the unit of a p_value; use 'P'"),
        ({"variable": "followup_time"}, "column followup_time has no list of values"),
        ({"measure": "median"}, "a claim of measure median is about ruxolitinib or control"),
        ({"measure": "percent", "convention": ""}, "is about ruxolitinib or control, not 'both'"),
    ],
)
def test_a_claim_that_no_derivation_serves_is_refused_in_a_sentence(data_copy, changes, sentence):
    rows = [dict(one) for one in ROWS]
    next(row for row in rows if row["id"] == "survival_p_value").update(changes)
    write_rows(data_copy / "claims.csv", rows)
    assert any(sentence in str(problem) for problem in problems(data_copy))


def test_a_percentage_of_fewer_patients_than_the_arm_has_is_not_reproduced():
    registry = COHORT.claims.copy()
    row = registry["id"] == "survival_ruxolitinib_percent"
    registry.loc[row, ["numerator", "denominator"]] = [18, 19]
    board = claims.scoreboard(replace(COHORT, claims=registry)).set_index("id")
    found = board.loc["survival_ruxolitinib_percent"]
    assert found["verdict"] == "not reproduced"
    assert "19 is not 20, the size of the arm" in str(found["derivations"])


def test_the_median_of_a_text_column_is_refused(data_copy):
    rows = [dict(one) for one in ROWS]
    next(row for row in rows if row["measure"] == "median")["variable"] = "diagnosis"
    write_rows(data_copy / "claims.csv", rows)
    assert any("does not hold numbers" in str(problem) for problem in problems(data_copy))


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
        assert row["verdict"] == "compatible", p_value


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
    assert row["verdict"] == "compatible"
    assert row["convention"] == "Yates-corrected chi-square"
    every_test = next(d for d in row["derivations"] if "under all" in d["method"])
    assert every_test["recomputed"] == "depends on the test"
    assert not every_test["reproduces"]


def test_words_that_only_some_follow_up_bears_out_are_possible():
    row = with_print("survival_significant", "not significantly different")
    assert row["verdict"] == "compatible"
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
    assert verdicts["survival_ruxolitinib_count"] == "consistent"


def measured(*columns):
    """The companion's cohort as if its patients were those of a register."""
    descriptor = json.loads(json.dumps(COHORT.descriptor))
    descriptor["companion"]["timeUnit"] = "days"
    for resource in descriptor["resources"]:
        for field in resource["schema"]["fields"]:
            if field["name"] in columns:
                field["provenance"] = "measured"
    return replace(COHORT, descriptor=descriptor)


def test_measured_times_make_the_log_rank_test_rest_on_data():
    found = claims.derive("survival_p_value", measured("followup_time"))
    assert {d.basis for d in found} == {"counts", "data"}
    assert [d.convention for d in found if d.basis == "data"] == ["Log-rank"]


def test_patients_records_reproduce_counts_medians_and_percentages():
    board = claims.scoreboard(measured(*FIELDS)).set_index("id")
    by_measure = board["verdict"].groupby(REGISTRY["measure"]).unique().map(list).to_dict()
    assert by_measure == {measure: [EXPECTED[measure]] for measure in by_measure} | {
        measure: ["reproduced"] for measure in PUT_IN
    }
    assert set(board["basis"]) == {"data", "none"}


def test_a_p_value_of_another_outcome_is_not_given_by_the_log_rank_test_of_deaths():
    """Deaths 1/20 and 8/21, infections 4/20 and 5/21: 0.014 is one of the log-rank P of deaths."""
    patients = COHORT.patients.copy()
    controls = patients.index[patients["arm"] == "control"]
    patients.loc[controls, "cmv_infection"] = [1] * 5 + [0] * 16
    registry = COHORT.claims.copy()
    compared = registry["measure"].isin(["p_value", "significance"])
    registry.loc[compared, ["variable", "category"]] = ["cmv_infection", "1"]
    registry.loc[registry["measure"] == "p_value", "reported"] = "0.014"
    board = claims.scoreboard(replace(COHORT, claims=registry, patients=patients)).set_index("id")
    assert board.loc["survival_p_value", "verdict"] == "not reproduced"
    assert board.loc["survival_significant", "verdict"] == "not reproduced"
    for claim_id in ("survival_p_value", "survival_significant"):
        assert {d["basis"] for d in board.loc[claim_id, "derivations"]} == {"counts"}


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
    found = {d.method: d for d in claims.derive("cohort_ruxolitinib_n", COHORT)}
    assert found["parts by diagnosis together (13 + 4 + 3)"].value == 20
    assert all(d.reproduces for d in found.values())


@pytest.mark.parametrize("claim_id", ["sex_male_n", "remission_partial_count", "cmv_count"])
def test_a_count_that_does_not_fit_is_found(claim_id):
    registry = COHORT.claims.copy()
    changed = registry["id"] == claim_id
    registry.loc[changed, "numerator"] += 20
    if claim_id == "sex_male_n":
        registry.loc[changed, "reported"] = "23"
    row = claims.scoreboard(replace(COHORT, claims=registry)).set_index("id").loc[claim_id]
    assert row["verdict"] == "not reproduced"


def test_a_sum_that_fails_shows_the_numbers_that_disagree():
    registry = COHORT.claims.copy()
    registry.loc[registry["id"] == "sex_male_n", ["reported", "numerator"]] = ["4", 4]
    board = claims.scoreboard(replace(COHORT, claims=registry)).set_index("id")
    assert board.loc["cohort_ruxolitinib_n", "nearest"] == "parts by sex together (17 + 4): 21"
    assert board.loc["sex_female_n", "nearest"] == "the 20 of the arm less the others (4): 16"
    assert "patients counted: 3" in board.loc["sex_male_n", "nearest"]


def test_the_p_value_claim_does_not_round_twice():
    found = {d["method"]: d for d in BOARD.loc["survival_p_value", "derivations"]}
    pearson = found["Pearson chi-square, uncorrected"]
    assert not pearson["reproduces"] and pearson["recomputed"] == "0.010"
    assert rounding.reproduces_by_rounding_twice(pearson["value"], "0.011") == 4


def test_the_schema_of_claims_json_holds_and_can_fail():
    records = json.loads(claims.as_json(claims.scoreboard(COHORT)))
    schema = claims.json_schema()
    assert schema["version"] in schema["description"]
    jsonschema.validate(records, schema)
    for broken in ({"verdict": "agreed"}, {"basis": "guess"}, {"derivations": [{}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate([records[0] | broken], schema)
