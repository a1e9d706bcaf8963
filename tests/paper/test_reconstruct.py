"""Tests of rdmas.paper.reconstruct.

Oracles: the published counts, counted again here from data/claims.csv with the csv module, and
the committed data/patients.csv.
"""

import csv
import io
import json
from statistics import median

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.paper.cohort import CohortError
from rdmas.paper.paths import companion_data_dir
from rdmas.paper.reconstruct import lognormal_quantiles, reconstruct, shuffled
from rdmas.stats.rounding import reproduces

derandomised = settings(derandomize=True, deadline=None, max_examples=25)

DATA = companion_data_dir()
CLAIMS = list(csv.DictReader(io.StringIO((DATA / "claims.csv").read_text(encoding="utf-8"))))
COUNTED = [claim for claim in CLAIMS if claim["denominator"]]
MEDIANS = [claim for claim in CLAIMS if claim["measure"] == "median"]


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def text():
    return reconstruct(DATA)


@pytest.fixture(scope="module")
def patients(text):
    return rows_of(text)


def edit(folder, file, row_id, **cells):
    """Change cells of one row of a table; without cells the row is removed."""
    path = folder / file
    rows = rows_of(path.read_text(encoding="utf-8"))
    assert row_id in {row["id"] for row in rows}
    if cells:
        rows = [row | cells if row["id"] == row_id else row for row in rows]
    else:
        rows = [row for row in rows if row["id"] != row_id]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_text_is_byte_for_byte_the_committed_file_and_the_same_again(text):
    assert text.encode() == (DATA / "patients.csv").read_bytes()
    assert reconstruct(str(DATA)) == text


def test_existing_patients_are_not_read(data_copy, text):
    (data_copy / "patients.csv").write_text("not,a,table\n", encoding="utf-8")
    assert reconstruct(data_copy) == text
    (data_copy / "patients.csv").unlink()
    assert reconstruct(data_copy) == text


def test_order_of_the_claims_does_not_matter_for_the_counts(data_copy, patients):
    lines = (data_copy / "claims.csv").read_text(encoding="utf-8").splitlines()
    reversed_text = "\n".join([lines[0], *reversed(lines[1:])]) + "\n"
    (data_copy / "claims.csv").write_text(reversed_text, encoding="utf-8")
    again = rows_of(reconstruct(data_copy))
    for name in patients[0]:
        assert sorted(row[name] for row in again) == sorted(row[name] for row in patients)


def test_columns_are_those_of_the_schema_in_its_order(patients):
    descriptor = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
    schema = next(item for item in descriptor["resources"] if item["name"] == "patients")
    assert list(patients[0]) == [field["name"] for field in schema["schema"]["fields"]]


def test_arm_sizes_equal_the_claims(patients):
    sizes = {c["arm"]: int(c["numerator"]) for c in CLAIMS if c["measure"] == "n"}
    assert sizes == {
        arm: sum(row["arm"] == arm for row in patients) for arm in ("ruxolitinib", "control")
    }
    assert len({row["patient_id"] for row in patients}) == len(patients)


@pytest.mark.parametrize("claim", COUNTED, ids=lambda claim: claim["id"])
def test_marginal_counts_equal_the_claims(patients, claim):
    values = [row[claim["variable"]] for row in patients if row["arm"] == claim["arm"]]
    assert values.count(claim["category"]) == int(claim["numerator"])
    assert len(values) == int(claim["denominator"])
    assert "" not in values


@pytest.mark.parametrize("claim", MEDIANS, ids=lambda claim: claim["id"])
def test_medians_print_as_claimed(patients, claim):
    doses = [float(row[claim["variable"]]) for row in patients if row[claim["variable"]]]
    assert reproduces(median(doses), claim["reported"])
    assert all(0 < dose <= 40 for dose in doses)


def test_doses_are_measured_in_as_many_as_assumed(patients):
    treated = [row for row in patients if row["arm"] == "ruxolitinib"]
    assert sum(row["gc_dose_baseline_mg_per_kg"] != "" for row in treated) == 20
    assert sum(row["gc_dose_week8_mg_per_kg"] != "" for row in treated) == 19


def test_nothing_is_invented_for_the_controls(patients):
    reported = {"patient_id", "arm", "followup_time", "died"}
    for row in patients:
        if row["arm"] == "control":
            assert {name for name, value in row.items() if value} == reported


def test_deaths_take_every_place_once_and_survivors_come_after_them(patients):
    places = {
        died: sorted(int(row["followup_time"]) for row in patients if row["died"] == died)
        for died in "01"
    }
    assert places["1"] == list(range(1, 10))
    assert places["0"] == [10] * 32
    treated = [row for row in patients if row["arm"] == "ruxolitinib" and row["died"] == "1"]
    assert [row["followup_time"] for row in treated] == ["6"]


@pytest.mark.parametrize("place", range(1, 10))
def test_the_assumed_place_of_death_is_the_one_written(data_copy, place):
    edit(data_copy, "assumptions.csv", "death_places_treatment", value=str(place))
    dead = [row for row in rows_of(reconstruct(data_copy)) if row["died"] == "1"]
    assert {int(row["followup_time"]) for row in dead} == set(range(1, 10))
    assert [int(r["followup_time"]) for r in dead if r["arm"] == "ruxolitinib"] == [place]


def test_several_treated_deaths_take_the_assumed_places(data_copy):
    for kind, reported in (("count", "17/20"), ("percent", "85%")):
        edit(
            data_copy,
            "claims.csv",
            f"survival_ruxolitinib_{kind}",
            reported=reported,
            numerator="17",
        )
    edit(data_copy, "assumptions.csv", "death_places_treatment", value="2 11 5")
    rows = [row for row in rows_of(reconstruct(data_copy)) if row["died"] == "1"]
    assert sorted(int(row["followup_time"]) for row in rows) == list(range(1, 12))
    treated = [int(r["followup_time"]) for r in rows if r["arm"] == "ruxolitinib"]
    assert sorted(treated) == [2, 5, 11]


@pytest.mark.parametrize("measured", [1, 2, 18, 20])
def test_medians_hold_for_any_number_measured_at_week_8(data_copy, measured):
    edit(data_copy, "assumptions.csv", "dose_week8_measured_n", value=str(measured))
    rows = rows_of(reconstruct(data_copy))
    doses = [float(r["gc_dose_week8_mg_per_kg"]) for r in rows if r["gc_dose_week8_mg_per_kg"]]
    assert len(doses) == measured
    assert reproduces(median(doses), "0.5 mg/kg")


def test_a_changed_assumption_about_doses_leaves_the_other_columns_as_they_were(
    data_copy, patients
):
    edit(data_copy, "assumptions.csv", "dose_geometric_sd", value="2.0")
    again = rows_of(reconstruct(data_copy))
    pairs = list(zip(patients, again, strict=True))
    changed = {name for name in patients[0] for old, new in pairs if old[name] != new[name]}
    assert changed == {"gc_dose_baseline_mg_per_kg", "gc_dose_week8_mg_per_kg"}


def test_doses_before_and_after_are_not_sorted_alike(patients):
    # Were they, every patient would keep a rank, which nobody published.
    pairs = [
        (float(row["gc_dose_baseline_mg_per_kg"]), float(row["gc_dose_week8_mg_per_kg"]))
        for row in patients
        if row["gc_dose_week8_mg_per_kg"]
    ]
    ranks = [np.argsort(np.argsort(column)).tolist() for column in zip(*pairs, strict=True)]
    assert ranks[0] not in (ranks[1], ranks[1][::-1])


def test_each_column_gives_patients_an_order_of_its_own():
    patient_ids = pd.Series([f"ruxolitinib-{i:02d}" for i in range(1, 21)])
    columns = [
        "sex",
        "diagnosis",
        "response_week8",
        "died",
        "cmv_infection",
        "followup_time",
        "gc_dose_baseline_mg_per_kg",
        "gc_dose_week8_mg_per_kg",
    ]
    orders = {tuple(shuffled(list(range(20)), patient_ids, column)) for column in columns}
    assert len(orders) == len(columns)
    assert tuple(range(20)) not in orders


@derandomised
@given(st.lists(st.integers(0, 9), max_size=20), st.sampled_from(["sex", "died"]))
def test_shuffled_keeps_every_value_and_never_changes(values, column):
    patient_ids = pd.Series([f"p{i}" for i in range(len(values))], dtype=object)
    first = shuffled(values, patient_ids, column)
    assert sorted(map(repr, first)) == sorted(map(repr, values))
    assert shuffled(values, patient_ids, column) == first


def test_shuffled_follows_patients_and_not_rows():
    patient_ids = pd.Series(["a", "b", "c", "d"])
    forward = dict(zip(patient_ids, shuffled([1, 2, 3, 4], patient_ids, "x"), strict=True))
    backward_ids = patient_ids[::-1].reset_index(drop=True)
    assert (
        dict(zip(backward_ids, shuffled([1, 2, 3, 4], backward_ids, "x"), strict=True)) == forward
    )


def test_lognormal_quantiles_agree_with_r():
    # R: qlnorm((1:4 - 0.5) / 4, log(2), log(1.5))
    found = lognormal_quantiles(4, median=2.0, geometric_sd=1.5)
    np.testing.assert_allclose(found, [1.254479, 1.757601, 2.275829, 3.188574], rtol=5e-7)


@derandomised
@given(st.integers(1, 40), st.floats(0.1, 50), st.floats(1.01, 5))
def test_lognormal_quantiles_increase_and_mirror_about_the_median(n, middle, geometric_sd):
    found = lognormal_quantiles(n, middle, geometric_sd)
    assert (np.diff(found) > 0).all()
    np.testing.assert_allclose(found * found[::-1], middle**2, rtol=1e-9)


CONTRADICTIONS = {
    "counts above the arm": (
        "claims.csv",
        "sex_female_n",
        {"reported": "18", "numerator": "18"},
        "the counts of sex in arm ruxolitinib do not add up to its 20 patients",
    ),
    "counts below the arm": (
        "claims.csv",
        "diagnosis_sle_n",
        {"reported": "3", "numerator": "3"},
        "the counts of diagnosis in arm ruxolitinib do not add up to its 20 patients",
    ),
    "responders above the arm": (
        "claims.csv",
        "remission_partial_count",
        {"reported": "15/20", "numerator": "15"},
        "the counts of response_week8 in arm ruxolitinib do not add up",
    ),
    "two counts of one category": (
        "claims.csv",
        "cmv_count",
        {"reported": "5/20", "numerator": "5"},
        "the counts of cmv_infection in arm ruxolitinib do not add up",
    ),
    "size of an arm not claimed": (
        "claims.csv",
        "cohort_control_n",
        {},
        "there must be one claim of measure n for arm control, and there are 0",
    ),
    "size of an arm claimed twice": (
        "claims.csv",
        "cohort_control_n",
        {"arm": "ruxolitinib"},
        "there must be one claim of measure n for arm ruxolitinib, and there are 2",
    ),
    "place of death beyond the last": (
        "assumptions.csv",
        "death_places_treatment",
        {"value": "10"},
        "place from 1 to 9",
    ),
    "place of death zero": (
        "assumptions.csv",
        "death_places_treatment",
        {"value": "0"},
        "place from 1 to 9",
    ),
    "two places for one death": (
        "assumptions.csv",
        "death_places_treatment",
        {"value": "6 7"},
        "for each of the 1 deaths in arm ruxolitinib",
    ),
    "place of death empty": (
        "assumptions.csv",
        "death_places_treatment",
        {"value": ""},
        "a value is required",
    ),
    "place of death missing": (
        "assumptions.csv",
        "death_places_treatment",
        {},
        "the assumption death_places_treatment is missing",
    ),
    "spread missing": (
        "assumptions.csv",
        "dose_geometric_sd",
        {},
        "the assumption dose_geometric_sd is missing",
    ),
    "number measured missing": (
        "assumptions.csv",
        "dose_week8_measured_n",
        {},
        "the assumption dose_week8_measured_n is missing",
    ),
    "more measured than treated": (
        "assumptions.csv",
        "dose_week8_measured_n",
        {"value": "25"},
        "25 of 20 patients cannot have a measured gc_dose_week8_mg_per_kg",
    ),
    "nobody measured": (
        "assumptions.csv",
        "dose_week8_measured_n",
        {"value": "0"},
        "0 of 20 patients cannot have a measured gc_dose_week8_mg_per_kg",
    ),
    "spread that misses the median": (
        "assumptions.csv",
        "dose_geometric_sd",
        {"value": "40"},
        "does not have the published median 2.7 mg/kg",
    ),
    "one place named twice": (
        "assumptions.csv",
        "death_places_treatment",
        {"value": "6 6"},
        "place from 1 to 9",
    ),
    "place in words": (
        "assumptions.csv",
        "death_places_treatment",
        {"value": "six"},
        "place from 1 to 9",
    ),
    "number measured in words": (
        "assumptions.csv",
        "dose_week8_measured_n",
        {"value": "many"},
        "must be a whole number",
    ),
    "no spread": (
        "assumptions.csv",
        "dose_geometric_sd",
        {"value": "1"},
        "must be a finite number above 1",
    ),
    "spread in words": (
        "assumptions.csv",
        "dose_geometric_sd",
        {"value": "big"},
        "must be a number",
    ),
    "no claim of the dose": (
        "claims.csv",
        "dose_baseline_median",
        {},
        "there is no claim for gc_dose_baseline_mg_per_kg",
    ),
    "negative median": (
        "claims.csv",
        "dose_baseline_median",
        {"reported": "-2 mg/kg"},
        "it must lie between 0 and 40",
    ),
    "doses beyond the schema": (
        "claims.csv",
        "dose_baseline_median",
        {"reported": "30 mg/kg"},
        "exceed what gc_dose_baseline_mg_per_kg allows",
    ),
    "denominator that is not the arm": (
        "claims.csv",
        "remission_partial_count",
        {"reported": "10/25", "denominator": "25"},
        "a denominator of response_week8 in arm ruxolitinib differs from its 20 patients",
    ),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_contradictions_are_refused_in_one_sentence_and_nothing_is_written(data_copy, name):
    file, row_id, cells, words = CONTRADICTIONS[name]
    edit(data_copy, file, row_id, **cells)
    before = contents(data_copy)
    with pytest.raises(CohortError) as refusal:
        reconstruct(data_copy)
    message = str(refusal.value)
    assert words in message
    assert len(refusal.value.problems) == 1
    assert message.endswith(".") and "\n" not in message
    assert contents(data_copy) == before


def test_a_faulty_folder_is_refused_with_the_place_of_the_fault(data_copy):
    edit(data_copy, "claims.csv", "cmv_percent", reported="a fifth")
    with pytest.raises(CohortError, match=r"^claims.csv, row 21, column reported: 'a fifth'"):
        reconstruct(data_copy)
