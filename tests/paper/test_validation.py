"""The sentences that bad data are refused with."""

import json

import pandas as pd
import pytest
from conftest import REPOSITORY

from rdmas.paper.cohort import CohortError, load_cohort
from rdmas.paper.validation import CONVENTIONS, problems, valid_package
from rdmas.stats import two_by_two

PATIENTS = (REPOSITORY / "data" / "patients.csv").read_text(encoding="utf-8")
FIRST = PATIENTS.splitlines()[1]


def spoil(folder, file, old, new, count=1):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def first_row_with(**changes):
    """Return the first patient's row with some cells changed."""
    names = PATIENTS.splitlines()[0].split(",")
    cells = dict(zip(names, FIRST.split(","), strict=True)) | changes
    return ",".join(cells.values())


BAD_ROWS = {
    "died = 2": (
        {"died": "2"},
        "patients.csv, row 2, column died: '2' is not known; use 0 or 1.",
    ),
    "negative dose": (
        {"gc_dose_baseline_mg_per_kg": "-1"},
        "patients.csv, row 2, column gc_dose_baseline_mg_per_kg: -1 is too small; the least "
        "possible is 0 mg/kg (check the unit).",
    ),
    "dose in mg instead of mg/kg": (
        {"gc_dose_baseline_mg_per_kg": "160"},
        "patients.csv, row 2, column gc_dose_baseline_mg_per_kg: 160 is too large; the most "
        "possible is 40 mg/kg (check the unit).",
    ),
    "infinite dose": (
        {"gc_dose_baseline_mg_per_kg": "inf"},
        "patients.csv, row 2, column gc_dose_baseline_mg_per_kg: 'inf' is not a finite number.",
    ),
    "infinite time": (
        {"followup_time": "inf"},
        "patients.csv, row 2, column followup_time: 'inf' is not a finite number.",
    ),
    "time that is not a number": (
        {"followup_time": "NaN"},
        "patients.csv, row 2, column followup_time: 'NaN' is not a finite number.",
    ),
    "unknown arm": (
        {"arm": "placebo"},
        "patients.csv, row 2, column arm: 'placebo' is not known; use ruxolitinib or control.",
    ),
    "unknown response": (
        {"response_week8": "good"},
        "patients.csv, row 2, column response_week8: 'good' is not known; use complete, partial "
        "or none.",
    ),
    "duplicate id": (
        {"patient_id": "ruxolitinib-02"},
        "patients.csv, row 3, column patient_id: the value is the same as in row 2; it must be "
        "unique.",
    ),
    "missing id": (
        {"patient_id": ""},
        "patients.csv, row 2, column patient_id: a value is required.",
    ),
    "words for a number": (
        {"died": "yes"},
        "patients.csv, row 2, column died: 'yes' is not a whole number.",
    ),
    "missing value": (
        {"sex": ""},
        "patients.csv, row 2, column sex: the value is missing; arm ruxolitinib has one.",
    ),
    "value where nothing is reported": (
        {"arm": "control"},
        "patients.csv, row 2, column arm: nothing is reported for arm control of sex, diagnosis, "
        "response_week8, gc_dose_baseline_mg_per_kg, gc_dose_week8_mg_per_kg and cmv_infection; "
        "empty them.",
    ),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_cell_gets_one_sentence_with_file_row_column_and_rule(data_copy, case):
    changes, sentence = BAD_ROWS[case]
    spoil(data_copy, "patients.csv", FIRST, first_row_with(**changes))
    sentences = [str(problem) for problem in problems(data_copy)]
    assert sentence in sentences
    assert len(sentences) == 1


BAD_FILES = {
    "missing column": (
        lambda text: text.replace(",died,", ",dead,", 1),
        "patients.csv, row 1, column died: there is no column named died.",
    ),
    "unknown column": (
        lambda text: text.replace("patient_id,", "patient_id ,", 1),
        "patients.csv, row 1: the schema knows no column named 'patient_id '; remove or rename it.",
    ),
    "repeated column": (
        lambda text: text.replace(",sex,", ",arm,", 1),
        "patients.csv, row 1, column arm: the column stands there more than once.",
    ),
    "a header cell too few": (
        lambda text: text.replace(",died,", ",", 1),
        "patients.csv, row 2: has 10 cells where the header has 9; a cell that holds the separator "
        "needs quotation marks around it (40 more rows alike).",
    ),
    "header only": (
        lambda text: text.splitlines()[0] + "\n",
        "patients.csv: has a header and no rows.",
    ),
    "empty": (
        lambda text: "",
        "patients.csv: is empty; the first row must hold the names of the columns.",
    ),
    "too many cells": (
        lambda text: text.replace(FIRST, FIRST + ",7"),
        "patients.csv, row 2: has 11 cells where the header has 10; a cell that holds the "
        "separator needs quotation marks around it.",
    ),
    "too few cells": (
        lambda text: text.replace(FIRST, FIRST.rpartition(",")[0]),
        "patients.csv, row 2: has 9 cells where the header has 10; leave a cell empty where "
        "nothing is known.",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_malformed_file_gets_one_sentence_with_its_place(data_copy, case):
    change, sentence = BAD_FILES[case]
    (data_copy / "patients.csv").write_text(change(PATIENTS), encoding="utf-8")
    assert sentence in [str(problem) for problem in problems(data_copy)]


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_another_encoding_or_separator_is_read_and_said(data_copy, encoding, separator):
    path = data_copy / "patients.csv"
    path.write_bytes(PATIENTS.replace(",", separator).encode(encoding))
    assert load_cohort(data_copy).patients.equals(load_cohort().patients)
    notes = " ".join(valid_package(data_copy).notes())
    name = {";": "semicolon", "\t": "tab"}[separator]
    assert f"patients.csv: Separator: {name}." in notes
    assert ("UTF-16" in notes) == (encoding == "utf-16")


def test_a_byte_order_mark_is_read(data_copy):
    for name in ("patients.csv", "datapackage.json"):
        (data_copy / name).write_bytes("\ufeff".encode() + (data_copy / name).read_bytes())
    assert problems(data_copy) == []
    assert load_cohort(data_copy).deaths() == load_cohort().deaths()


def test_columns_may_stand_in_any_order(data_copy):
    path = data_copy / "patients.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table[table.columns[::-1]].to_csv(path, index=False)
    assert problems(data_copy) == []
    assert load_cohort(data_copy).deaths() == load_cohort().deaths()


BAD_CLAIMS = {
    "count beside another numerator": (
        ",10/20,10,20,",
        ",11/20,10,20,",
        "row 10, column reported: '11/20' differs from 10/20 beside it.",
    ),
    "unknown column": (
        "fraction,died,0",
        "fraction,deaths,0",
        "row 14, column variable: 'deaths' is not a column of the patient table.",
    ),
    "unknown category": (
        "count,sex,female",
        "count,sex,woman",
        "row 4, column category: 'woman' is not known; use female or male.",
    ),
    "unit": (
        "2.7 mg/kg",
        "2.7 mg",
        "row 19, column reported: '2.7 mg' does not carry the unit 'mg/kg'.",
    ),
    "not a number": (
        ",0.011,",
        ",small,",
        "row 17, column reported: 'small' is not a printed number.",
    ),
    "P above 1": (
        ",0.011,",
        ",1.011,",
        "row 17, column reported: '1.011' is not a P-value; it must lie between 0 and 1.",
    ),
    "unknown measure": (
        ",p_value,died",
        ",p,died",
        "row 17, column measure: 'p' is not known; use n, count, fraction, percent, p_value, "
        "significance, median or background.",
    ),
}


@pytest.mark.parametrize("case", BAD_CLAIMS)
def test_a_faulty_registry_gets_a_sentence(data_copy, case):
    old, new, sentence = BAD_CLAIMS[case]
    spoil(data_copy, "claims.csv", old, new)
    assert f"claims.csv, {sentence}" in [str(problem) for problem in problems(data_copy)]


BAD_EVIDENCE = {
    "more events than patients": (
        "evidence.csv",
        ",conventional,61,14,",
        ",conventional,13,14,",
        "evidence.csv, row 2, column events: 14 events are more than the 13 patients beside them.",
    ),
    "unknown role": (
        "evidence.csv",
        ',mortality,primary,,"adult RD-MAS, 4',
        ',mortality,main,,"adult RD-MAS, 4',
        "evidence.csv, row 2, column role: 'main' is not known; use primary, sensitivity, "
        "secondary or indirect.",
    ),
    "unknown kind of horizon": (
        "evidence.csv",
        ",90 days,days,90,22.9%",
        ",90 days,about a season,90,22.9%",
        "evidence.csv, row 2, column horizon_kind: 'about a season' is not known; use days, "
        "discharge, mean follow-up or not stated.",
    ),
    "days of no stated horizon": (
        "evidence.csv",
        ",90 days,days,90,22.9%",
        ",90 days,not stated,90,22.9%",
        "evidence.csv, row 2, column horizon_days: must be empty where horizon_kind is "
        "'not stated'.",
    ),
    "horizon in days without them": (
        "evidence.csv",
        ",90 days,days,90,22.9%",
        ",90 days,days,,22.9%",
        "evidence.csv, row 2, column horizon_days: needs a value where horizon_kind is 'days'.",
    ),
    "no day at all": (
        "evidence.csv",
        ",90 days,days,90,22.9%",
        ",90 days,days,0,22.9%",
        "evidence.csv, row 2, column horizon_days: 0 is too small; the least possible is 1 days "
        "(check the unit).",
    ),
    "unknown disease": (
        "evidence.csv",
        'Renji Hospital Shanghai, 56 with MAS",AOSD,',
        'Renji Hospital Shanghai, 56 with MAS",Still,',
        "evidence.csv, row 13, column disease: 'Still' is not known; use mixed, SLE, AOSD or "
        "other.",
    ),
    "other disease without a name": (
        "evidence.csv",
        "other,dermatomyositis,",
        "other,,",
        "evidence.csv, row 19, column disease_name: needs a value where disease is 'other'.",
    ),
    "more refractory patients than patients": (
        "evidence.csv",
        ",mixed,,16,",
        ",mixed,,21,",
        "evidence.csv, row 5, column refractory_n: 21 refractory patients are more than the 20 "
        "patients beside them.",
    ),
    "misspelt group": (
        "evidence.csv",
        "mortality,primary,renji,",
        "mortality,primary,renij,",
        "evidence.csv, row 13, column overlap_group: no other row names the group 'renij'.",
    ),
    "groups in a list with blanks": (
        "evidence.csv",
        "mortality,primary,renji;beijing,",
        "mortality,primary,renji; beijing,",
        "evidence.csv, row 7, column overlap_group: 'renji; beijing' breaks the rule pattern "
        "[a-z][a-z0-9_]*(;[a-z][a-z0-9_]*)*.",
    ),
    "count that differs": (
        "evidence_percentages.csv",
        "22.4%,15,67",
        "22.4%,14,67",
        "evidence_percentages.csv, row 3, column numerator: 14 differs from 15 in the published "
        "cohorts.",
    ),
    "unknown study": (
        "evidence_percentages.csv",
        "ke2020,",
        "ke2021,",
        "evidence_percentages.csv, row 2, column study_id: 'ke2021' is not a row of the published "
        "cohorts.",
    ),
    "no percentage": (
        "evidence_percentages.csv",
        "22.4%",
        "22.4",
        "evidence_percentages.csv, row 3, column reported: '22.4' is not a percentage.",
    ),
    "part larger than the whole": (
        "evidence_percentages.csv",
        "42.9%,6,14",
        "42.9%,9,21",
        "evidence_percentages.csv, row 5, column denominator: 21 is more than the 20 patients of "
        "the study.",
    ),
}


@pytest.mark.parametrize("case", BAD_EVIDENCE)
def test_faulty_published_cohorts_get_a_sentence(data_copy, case):
    file, old, new, sentence = BAD_EVIDENCE[case]
    spoil(data_copy, file, old, new)
    assert sentence in [str(problem) for problem in problems(data_copy)]


def test_the_rules_of_published_cohorts_are_not_those_a_folder_writes(data_copy):
    path = data_copy / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    (table,) = (r for r in package["resources"] if r["name"] == "evidence")
    for field in table["schema"]["fields"]:
        field.pop("constraints", None)
        field["type"] = "string"
    path.write_text(json.dumps(package), encoding="utf-8")
    assert load_cohort(data_copy).evidence["horizon_days"].dtype == "Int64"
    spoil(data_copy, "evidence.csv", ",90 days,days,90,22.9%", ",90 days,soon,90,22.9%")
    assert [problem.column for problem in problems(data_copy)] == ["horizon_kind"]


def test_a_printed_percentage_needs_its_row(data_copy):
    spoil(data_copy, "evidence_percentages.csv", "renji2018,all,event,8.9%,5,56\n", "")
    assert [str(problem) for problem in problems(data_copy)] == [
        "evidence.csv, row 13, column percent_reported: '8.9%' has no row in "
        "evidence_percentages.csv."
    ]


def test_published_cohorts_come_with_their_percentages_or_not_at_all(data_copy):
    path = data_copy / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    package["resources"] = [r for r in package["resources"] if r["name"] != "evidence"]
    path.write_text(json.dumps(package), encoding="utf-8")
    assert [str(problem) for problem in problems(data_copy)] == [
        "datapackage.json: declares evidence_percentages without evidence; both or neither."
    ]


BAD_DESCRIPTORS = {
    "no companion": (
        lambda package: package.pop("companion"),
        "must have an object named companion with treatmentArm, controlArm and timeUnit.",
    ),
    "unknown arm": (
        lambda package: package["companion"].update(treatmentArm="x"),
        "companion.treatmentArm 'x' is no arm of patients.csv, which has ruxolitinib and control.",
    ),
    "same arm twice": (
        lambda package: package["companion"].update(controlArm="ruxolitinib"),
        "companion.controlArm must be null or the name of the other arm.",
    ),
    "unknown unit of time": (
        lambda package: package["companion"].update(timeUnit="weeks"),
        "companion.timeUnit must be order of events or days.",
    ),
    "path outside the folder": (
        lambda package: package["resources"][2].update(path="sub/patients.csv"),
        "the path of resource patients must be a plain file name, such as patients.csv; nothing "
        "outside the folder is read.",
    ),
    "no patients": (
        lambda package: package["resources"].pop(2),
        "must declare a resource named patients.",
    ),
    "no provenance": (
        lambda package: package["resources"][2]["schema"]["fields"][2].pop("provenance"),
        "field sex must have a provenance: measured, reported or assumed.",
    ),
}


@pytest.mark.parametrize("case", BAD_DESCRIPTORS)
def test_a_faulty_descriptor_gets_a_sentence(data_copy, case):
    change, sentence = BAD_DESCRIPTORS[case]
    path = data_copy / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    change(package)
    path.write_text(json.dumps(package), encoding="utf-8")
    assert f"datapackage.json: {sentence}" in [str(problem) for problem in problems(data_copy)]


def test_a_descriptor_that_is_not_json_names_the_line(data_copy):
    spoil(data_copy, "datapackage.json", '"version"', "version")
    (problem,) = problems(data_copy)
    assert str(problem).startswith("datapackage.json, row ")
    assert "is not valid JSON" in str(problem)


def test_a_missing_folder_and_a_missing_file_are_named(tmp_path, data_copy):
    (problem,) = problems(tmp_path / "nowhere")
    assert str(problem) == f"datapackage.json: not found in {tmp_path / 'nowhere'}."
    (data_copy / "patients.csv").unlink()
    assert [str(p) for p in problems(data_copy)] == [f"patients.csv: not found in {data_copy}."]


def test_in_days_a_dose_after_death_is_refused(data_copy):
    spoil(data_copy, "datapackage.json", '"timeUnit": "order of events"', '"timeUnit": "days"')
    dead = next(line for line in PATIENTS.splitlines() if line.split(",")[6] == "1")
    row = PATIENTS.splitlines().index(dead) + 1
    assert [str(problem) for problem in problems(data_copy)] == [
        f"patients.csv, row {row}, column gc_dose_week8_mg_per_kg: must be empty: the patient "
        f"died on day {dead.split(',')[5]}, before week 8."
    ]


def test_the_error_of_the_loader_holds_every_problem(data_copy):
    spoil(data_copy, "patients.csv", FIRST, first_row_with(died="2", sex="x"))
    with pytest.raises(CohortError) as caught:
        load_cohort(data_copy)
    assert len(caught.value.problems) == 2
    assert len(str(caught.value).splitlines()) == 2


def test_the_conventions_of_a_registry_are_the_two_sided_tests():
    known = [key for key, test in two_by_two.TESTS.items() if test.sides == "two-sided"]
    assert list(CONVENTIONS) == known
