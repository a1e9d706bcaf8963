"""Groups 20 to 28 and 30 of odd inputs: what cells say."""

import re

import pytest
from register_tables import plain, read, refused, rows, warned, with_cells

from rdmas.paper.register import values

# Yes and no, sex, response: groups 20, 28 and 30

YES = [
    "1",
    "1.0",
    "1,0",
    "yes",
    "YES",
    "Yes",
    "ja",
    "JA",
    "是",
    "TRUE",
    "true",
    "wahr",
    "y",
    "j",
    "dead",
    "tot",
    "verstorben",
    "死亡",
]
NO = ["0", "0.0", "no", "nein", "否", "FALSE", "n", "alive", "lebt", "存活"]


@pytest.mark.parametrize(("cell", "value"), [(it, 1) for it in YES] + [(it, 0) for it in NO])
def test_deaths_are_read_where_they_are_plain(tmp_path, cell, value):
    assert read(tmp_path, with_cells("died", cell)).patients["died"][0] == value


@pytest.mark.parametrize(
    "cell", ["01", "１", "2", "-1", "0.5", "1e0", "maybe", "yes?", "10", "1 0", "=1", "∞"]
)
def test_deaths_that_are_not_plain_are_refused(tmp_path, cell):
    (sentence,) = refused(tmp_path, with_cells("died", cell))
    assert sentence.startswith(f"patients.csv, row 2, column died: '{cell}': is ")


@pytest.mark.parametrize("cell", ["", "NA", "unknown", "不详"])
def test_a_death_is_needed(tmp_path, cell):  # group 27
    (sentence,) = refused(tmp_path, with_cells("died", cell))
    assert sentence.endswith("a value is required for every patient.")


CODES = {
    "sex": {
        "female": "F f w W female weiblich Frau 女 女性",
        "male": "M m male männlich maennlich 男 男性",
    },
    "response_week8": {
        "complete": "CR complete komplett 完全缓解",
        "partial": "PR partial partiell 部分缓解",
        "none": "NR none keine 未缓解 无效",
    },
    "cmv_infection": {1: "1 yes ja 是 positiv positive 阳性", 0: "0 no nein 否 negativ 阴性"},
}


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        (column, cell, value)
        for column, words in CODES.items()
        for value, cells in words.items()
        for cell in cells.split()
    ],
)
def test_codes_are_read_in_three_languages(column, cell, value):
    assert values.coded(column, cell) == value


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("response_week8", "better"),
        ("response_week8", "SD"),
        ("response_week8", "1"),
        ("sex", "1"),
        ("sex", "d"),
        ("cmv_infection", "2"),
        ("cmv_infection", "+"),
    ],
)
def test_codes_that_nobody_knows_are_refused_and_can_be_mapped(tmp_path, column, cell):
    table = with_cells(column, cell)
    (sentence,) = refused(tmp_path, table)
    assert "is not known; use " in sentence
    assert f"or say under [values.{column}] in cohort.toml what it means" in sentence
    allowed = {"response_week8": "none", "sex": "male", "cmv_infection": 1}[column]
    settings = f'[values.{column}]\n"{cell}" = {allowed!r}\n'
    assert read(tmp_path, table, settings).patients[column][0] == allowed


def test_a_misspelt_code_is_refused_with_the_one_that_is_meant(tmp_path):
    (sentence,) = refused(tmp_path, with_cells("sex", "femal"))
    assert sentence.endswith("'femal': is not known; did you mean female.")


# Numbers: groups 21, 22, 23, 25 and 28

DOSE = "gc_dose_baseline_mg_per_kg"

REFUSED = {
    "２.５": "full-width",
    "1_000": "is not a number",
    "1e308": "has an exponent",
    "1e-3": "has an exponent",
    "inf": "is not a finite number",
    "-inf": "is not a finite number",
    "nan": "is not a finite number",
    "NaN": "is not a finite number",
    "1.234,5": "between thousands",
    "1 234": "between thousands",
    "2.5 mg/kg": "write the number alone",
    "2.5mg": "write the number alone",
    "<5": "is a bound",
    "50%": "is a percentage",
    "2020-01-02": "is a date",
    "3.4.2021": "is a date",
    "=2+1": "is a formula",
    "two": "is not a number",
    "2\u200b": "invisible",
    "٣": "special digits",
    "-2": "is less than 0",
    "9" * 400: "is not a finite number",
}


@pytest.mark.parametrize("cell", REFUSED)
def test_what_is_no_plain_number_is_refused_with_the_rule(tmp_path, cell):
    (sentence,) = refused(tmp_path, with_cells(DOSE, cell))
    assert sentence.startswith(f"patients.csv, row 2, column {DOSE}: '")
    assert REFUSED[cell] in sentence
    assert len(sentence) < 300


@pytest.mark.parametrize("cell", ["2,5", "2.5", " 2.5 ", "+2.5", "2.50", "02.5"])
def test_a_decimal_comma_or_point_is_read(tmp_path, cell):
    assert read(tmp_path, [{**rows()[0], DOSE: cell}]).patients[DOSE][0] == 2.5


def test_decimal_commas_and_points_in_one_column_are_refused_once(tmp_path):
    assert refused(tmp_path, with_cells(DOSE, "1,5")) == [
        f"patients.csv, row 2, column {DOSE}: '1,5': decimal commas and decimal points are mixed "
        "in the column (compare row 3); use one of them."
    ]


@pytest.mark.parametrize("cell", ["1,234", "1.234"])
def test_a_mark_that_may_stand_between_thousands_is_refused_among_whole_numbers(tmp_path, cell):
    (sentence,) = refused(tmp_path, with_cells("followup_time", cell))
    assert "can mean thousands or decimals" in sentence


def test_three_decimals_are_decimals_where_most_numbers_have_them(tmp_path):
    cells = ["2.667", "1.333", "0.125", "1.875", "2.125", "2.375", "1.625", "1.125"]
    assert read(tmp_path, with_cells(DOSE, *cells)).patients[DOSE].tolist() == [
        float(cell) for cell in cells
    ]


@pytest.mark.parametrize(
    "word", ["NA", "N/A", "n.a.", "-", ".", "unknown", "unbekannt", "不详", "k.A."]
)
def test_words_for_missing_are_read_where_a_value_may_be_missing(tmp_path, word):  # group 28
    for column in (DOSE, "sex", "response_week8", "cmv_infection", "diagnosis"):
        register = read(tmp_path, with_cells(column, word))
        assert register.patients[column].isna().tolist() == [True] + [False] * 7
        assert f"Words such as NA read as missing: {column} 1." in register.notes
        assert any(re.search(rf"^Missing values: .*{column} \d", it) for it in register.notes)


@pytest.mark.parametrize("cell", ["44197", "1e9", "1000000000", "36501"])
def test_a_time_longer_than_a_life_is_refused(tmp_path, cell):  # group 22
    (sentence,) = refused(tmp_path, with_cells("followup_time", cell))
    assert "looks like a spreadsheet's number for a day" in sentence or "exponent" in sentence


def test_dates_in_place_of_days_are_refused_once(tmp_path):
    (sentence,) = refused(tmp_path, with_cells("followup_time", *["2020-01-02"] * 8))
    assert "is a date; a number is needed here; give days, or dates in index_date" in sentence


def test_a_time_longer_than_50_years_is_warned_of(tmp_path):
    (sentence,) = warned(tmp_path, with_cells("followup_time", "20000"))
    assert "is a follow-up of more than 50 years; check that it is no date" in sentence


def test_a_negative_time_is_refused(tmp_path):  # group 23
    (sentence,) = refused(tmp_path, with_cells("followup_time", "-1"))
    assert sentence.endswith("'-1': is less than 0; the least possible is 0 days.")


def test_a_time_missing_for_one_patient_is_refused_and_for_all_is_taken(tmp_path):  # group 27
    (sentence,) = refused(tmp_path, with_cells("followup_time", ""))
    assert sentence == (
        "patients.csv, row 2, column followup_time: follow-up is missing; it is needed for every "
        "patient, or for none."
    )
    register = read(tmp_path, [row | {"followup_time": ""} for row in rows()])
    assert register.patients["followup_time"].isna().all()


def test_most_times_missing_is_one_fault(tmp_path):
    sentences = refused(tmp_path, with_cells("followup_time", *[""] * 7))
    assert len(sentences) == 1 and "(6 more rows of the column alike)" in sentences[0]


def test_mg_a_day_in_a_column_of_mg_per_kg_is_refused(tmp_path):  # group 25
    table = with_cells(DOSE, *["160"] * 8)
    (sentence,) = refused(tmp_path, table)
    assert "'160': is more than 40 mg/kg and looks like mg a day; name the column" in sentence
    assert "gc_dose_baseline_mg_per_day and add weight_kg" in sentence
    (sentence,) = refused(tmp_path, [row | {"weight_kg": "60"} for row in table])
    assert "gc_dose_baseline_mg_per_day (7 more" in sentence


@pytest.mark.parametrize(
    ("weight", "meant"), [("7", "70"), ("700", "70"), ("65000", "65"), ("3", "30")]
)
def test_a_weight_that_nobody_has_is_refused_with_what_may_be_meant(tmp_path, weight, meant):
    table = [row | {"weight_kg": "60"} for row in rows()]
    table[0]["weight_kg"] = weight
    (sentence,) = refused(tmp_path, table)
    assert sentence.endswith(
        f"'{weight}': a body weight lies between 10 and 300 kg; {meant} may be meant."
    )


def test_mg_a_day_are_divided_by_the_weight(tmp_path):
    table = [
        row | {"gc_dose_baseline_mg_per_day": "160", "weight_kg": "64"} for row in plain(rows())
    ]
    table[0]["weight_kg"] = ""
    register = read(tmp_path, table)
    assert register.patients[DOSE].tolist()[1:] == [2.5] * 7
    assert "1 dose is not used: there is no body weight beside it" in str(register.warnings[0])
    assert f"{DOSE} is mg a day divided by weight_kg." in register.notes


def test_mg_a_day_without_weights_are_refused_once(tmp_path):
    table = [row | {"gc_dose_baseline_mg_per_day": "160"} for row in plain(rows())]
    (sentence,) = refused(tmp_path, table)
    assert "mg a day need the body weight; add a column weight_kg" in sentence


def test_doses_that_may_be_in_the_other_unit_are_warned_of(tmp_path):
    (sentence,) = warned(tmp_path / "a", with_cells(DOSE, *["20"] * 8))
    assert "most doses are above 10 mg/kg; check that they are not mg a day" in sentence
    table = [row | {"gc_dose_baseline_mg_per_day": "2", "weight_kg": "64"} for row in plain(rows())]
    (sentence,) = warned(tmp_path / "b", table)
    assert "no dose is above 5 mg a day; check that they are not mg/kg" in sentence


def test_a_dose_at_week_8_of_the_dead_is_refused(tmp_path):  # group 26
    table = with_cells("gc_dose_week8_mg_per_kg", "1", "1", "1", "0.5")
    assert refused(tmp_path, table) == [
        "patients.csv, row 5, column gc_dose_week8_mg_per_kg: '0.5': must be empty: the patient "
        "died on day 20, before week 8."
    ]


@pytest.mark.parametrize("cell", ["\u00a01", "1\u3000"])
def test_20_blanks_of_any_kind_around_a_code_are_none(cell):
    assert values.coded("died", cell) == 1


def test_20_what_is_wrong_with_a_digit_is_said_rightly():
    with pytest.raises(ValueError, match="full-width"):
        values.coded("died", "\u00a0１")
    with pytest.raises(ValueError, match="invisible or special"):
        values.coded("died", "1\u200b")
