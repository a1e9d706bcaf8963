"""Groups 16 to 30 of odd inputs: ids, and what cells say."""

import datetime as dt
import re

import pytest
from register_tables import plain, read, refused, rows, warned, with_cells, write

from rdmas.paper.problems import CohortError
from rdmas.paper.register import values
from rdmas.paper.register.read import read_register

TODAY = dt.date.today()


def dated(**cells):
    """Return valid rows with dates in place of follow-up, the first row's replaced."""
    table = [
        {name: cell for name, cell in row.items() if name != "followup_time"}
        | {
            "index_date": "2020-01-01",
            "death_date": "2020-01-21" if row["died"] == "1" else "",
            "last_contact_date": "" if row["died"] == "1" else "2020-06-01",
        }
        for row in rows()
    ]
    table[0] |= cells
    return table


# Ids: groups 16 to 19


@pytest.mark.parametrize(
    "twin",
    ["p007", " P007", "P007 ", "P\u200b007", "\ufeffP007", "Ｐ００７", "P007\u2060", "P00\u00ad7"],
)
def test_ids_that_look_the_same_are_refused(tmp_path, twin):
    sentences = refused(tmp_path, with_cells("patient_id", "P007", twin, count=6))
    assert len(sentences) == 1
    assert "ids must be unique" in sentences[0] or "invisible" in sentences[0]
    assert sentences[0].startswith("patients.csv, row 3, column patient_id: '")


def test_the_same_id_twice_is_refused_with_the_row_of_the_first(tmp_path):
    assert refused(tmp_path, with_cells("patient_id", "x", "y", "x")) == [
        "patients.csv, row 4, column patient_id: 'x': is the same as the id in row 2; ids must be "
        "unique, a row for each patient."
    ]


@pytest.mark.parametrize("name", ["", "  ", "\u3000", "NA", "不详"])
def test_an_id_is_needed(tmp_path, name):
    (sentence,) = refused(tmp_path, with_cells("patient_id", name))
    assert sentence.endswith("a value is required for every patient.")


def test_a_line_break_in_an_id_is_refused(tmp_path):
    (sentence,) = refused(tmp_path, with_cells("patient_id", "P\n1"))
    assert sentence == (
        r"patients.csv, row 2, column patient_id: 'P\n1': has a line break in it; remove it."
    )


@pytest.mark.parametrize(
    "name",
    [
        *("Eva Muster", "Muster, Eva", "Schmidt", "王小明", "Smith, J.", "J. Smith"),
        *("EM-1961-07-04", "19610704", "4.7.1961", "11010119610704123X"),
    ],
)
def test_ids_that_may_tell_who_it_is_are_warned_of(tmp_path, name):
    (sentence,) = warned(tmp_path, with_cells("patient_id", name))
    assert "1 ids look like names or dates of birth" in sentence


@pytest.mark.parametrize(
    "name", ["7", "P-7", "SITE01-0007", "treated-12", "A7F3", "患者12", "00012"]
)
def test_ids_that_tell_nothing_are_taken_as_they_are(tmp_path, name):
    register = read(tmp_path, with_cells("patient_id", name))
    assert register.patients["patient_id"][0] == name
    assert register.warnings == ()


@pytest.mark.parametrize("start", "=+-@")
@pytest.mark.parametrize("column", ["patient_id", "diagnosis"])
def test_a_cell_like_a_formula_in_a_text_is_warned_of(tmp_path, column, start):
    (sentence,) = warned(tmp_path, with_cells(column, f"{start}cmd|x", count=6))
    assert f"row 2, column {column}: '{start}cmd|x': begins like a formula" in sentence


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
    assert "1 doses are not used: the patients have no body weight" in str(register.warnings[0])
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


# Dates: groups 23 and 24


@pytest.mark.parametrize(
    "cell",
    [
        *("2020-03-04", "4.3.2020", "04.03.2020", "2020/3/4", "2020.03.04", "20200304"),
        *("2020年3月4日", "4 Mar 2020", "04-Mar-2020", "4. März 2020", "2020-03-04T00:00:00"),
        *("2020-03-04 00:00", "4. Mrz. 2020"),
    ],
)
def test_plain_dates_are_read(tmp_path, cell):
    register = read(tmp_path, dated(last_contact_date=cell))
    assert register.patients["followup_time"][0] == 63


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ("2021-02-30", "is no day of the calendar"),
        ("31.04.2021", "is no day of the calendar"),
        ("2021-13-01", "is no day of the calendar"),
        ("0000-00-00", "is no day of the calendar"),
        ("03.04.21", "has a year of two digits"),
        ("44197", "is a spreadsheet's number for a day"),
        ("1899-12-30", "is before 1950"),
        ("２０２０-０３-０４", "is written in full-width"),
        ("spring 2020", "is not a date"),
        ("2020", "is a spreadsheet's number for a day"),
        (f"{TODAY.year + 1}-01-01", "is a day in the future"),
        ("2019-12-31", "is before index_date"),
    ],
)
def test_dates_that_cannot_be_are_refused(tmp_path, cell, rule):
    (sentence,) = refused(tmp_path, dated(last_contact_date=cell))
    assert sentence.startswith(f"patients.csv, row 2, column last_contact_date: '{cell}': {rule}")


def test_a_date_with_slashes_needs_its_order(tmp_path):
    table = dated(last_contact_date="03/04/2020")
    (sentence,) = refused(tmp_path, table)
    assert sentence == (
        "patients.csv, row 2, column last_contact_date: '03/04/2020': can be read with the day "
        'first or with the month first; write it as 2021-04-03, or set date_order = "dmy" or '
        '"mdy" in cohort.toml.'
    )
    for order, days in (("dmy", 93), ("mdy", 63)):
        register = read(tmp_path, table, f'date_order = "{order}"')
        assert register.patients["followup_time"][0] == days
    (sentence,) = refused(tmp_path, dated(last_contact_date="12/31/2020"), 'date_order = "dmy"')
    assert 'is no day of the calendar with date_order = "dmy"; mend the setting' in sentence


def test_ambiguous_dates_in_a_whole_column_are_one_fault(tmp_path):
    table = [row | {"index_date": f"0{place + 1}/01/2020"} for place, row in enumerate(dated())]
    sentences = refused(tmp_path, table)
    assert len(sentences) == 1
    assert "(7 more rows of the column alike)" in sentences[0]
    for place, row in enumerate(table, start=3):
        row["last_contact_date"] = row["last_contact_date"] and f"0{place}/06/2020"
    sentences = refused(tmp_path, table)
    assert len(sentences) == 1  # group 49: the cause is one setting
    assert "(13 more rows and columns alike)" in sentences[0]


def test_a_wrong_order_of_dates_is_one_fault(tmp_path):  # group 49
    table = [row | {"index_date": f"01/{place + 10}/2020"} for place, row in enumerate(dated())]
    (sentence,) = refused(tmp_path, table, 'date_order = "dmy"')
    assert "row 5, column index_date: '01/13/2020': is no day of the calendar with" in sentence


def test_last_contact_of_the_dead_is_taken_where_there_are_no_dates_of_death(tmp_path):
    table = [
        {name: cell for name, cell in row.items() if name != "death_date"}
        | {"last_contact_date": row["death_date"] or row["last_contact_date"]}
        for row in dated()
    ]
    register = read(tmp_path, table)
    assert register.patients["followup_time"].tolist()[3] == 20
    assert "is taken as the day of death of those who died" in str(register.warnings[0])


def test_follow_up_is_counted_from_dates(tmp_path):
    register = read(tmp_path, dated())
    expected = [20.0 if row["died"] == "1" else 152.0 for row in rows()]
    assert register.patients["followup_time"].tolist() == expected


def test_deaths_may_come_from_their_dates(tmp_path):
    table = [{name: cell for name, cell in row.items() if name != "died"} for row in dated()]
    register = read(tmp_path, table)
    assert register.patients["died"].tolist() == [int(row["died"]) for row in rows()]
    assert "Patients with a date of death died, the others did not." in register.notes


@pytest.mark.parametrize(
    ("cells", "place", "rule"),
    [
        (
            {"died": "1", "death_date": "2019-12-31", "gc_dose_week8_mg_per_kg": ""},
            "death_date",
            "is before index_date",
        ),
        ({"death_date": "2020-02-01"}, "death_date", "of a patient who did not die"),
        ({"died": "1", "last_contact_date": ""}, "death_date", "follow-up is missing"),
        ({"last_contact_date": ""}, "last_contact_date", "follow-up is missing"),
        ({"index_date": ""}, "index_date", "follow-up is missing"),
        (
            {"died": "1", "death_date": "2020-05-01", "last_contact_date": "2020-05-02"},
            "last_contact_date",
            "is after the date of death",
        ),
    ],
)
def test_dates_that_contradict_each_other_are_refused(tmp_path, cells, place, rule):
    (sentence,) = refused(tmp_path, dated(**cells))
    assert sentence.startswith(f"patients.csv, row 2, column {place}: ")
    assert rule in sentence


@pytest.mark.parametrize("word", ["lebt", "alive", "nein", "存活"])
def test_a_word_for_alive_is_no_date_of_death(tmp_path, word):
    register = read(tmp_path, dated(death_date=word))
    assert register.patients["followup_time"][0] == 152


def test_times_that_may_be_months_are_warned_of(tmp_path):
    table = [row | {"followup_time": "12", "gc_dose_week8_mg_per_kg": ""} for row in rows(10)]
    (sentence,) = warned(tmp_path, table)
    assert "no follow-up is longer than 12 days; check the unit (time_unit)" in sentence


def test_days_and_dates_must_agree(tmp_path):
    table = [row | {"followup_time": "20" if row["died"] == "1" else "152"} for row in dated()]
    assert read(tmp_path / "a", table).warnings == ()
    table[0]["followup_time"] = "15"
    (sentence,) = refused(tmp_path / "b", table)
    assert "'15': differs from the 152 days between the dates beside it" in sentence


# Arms: group 29


def test_a_misspelt_arm_is_refused_once_with_the_one_that_is_meant(tmp_path):
    table = with_cells("arm", "treatment", "treatmnet", "treatmnet")
    assert refused(tmp_path, table) == [
        "patients.csv, row 3, column arm: 'treatmnet': is no arm; did you mean 'treatment' "
        "(2 rows)."
    ]


def test_three_arms_are_refused_in_one_sentence(tmp_path):
    table = with_cells("arm", "drug A", "drug A", "drug B", "treatment", "control")
    (sentence,) = refused(tmp_path, table)
    assert "there are 4 arms, 'treatment', 'control', 'drug A' and 'drug B'; name two" in sentence


def test_two_arms_without_settings_are_refused_with_the_lines_to_write(tmp_path):
    table = [row | {"arm": {"treatment": "RUX", "control": "SOC"}[row["arm"]]} for row in rows()]
    (sentence,) = refused(tmp_path, table)
    assert 'treatment = "RUX" and control = "SOC", or the other way round' in sentence
    register = read(tmp_path, table, 'treatment = "RUX"\ncontrol = "SOC"\n')
    assert set(register.patients["arm"]) == {"RUX", "SOC"}


def test_an_arm_called_control_is_proposed_as_such(tmp_path):
    table = [row | {"arm": "RUX" if row["arm"] == "treatment" else "control"} for row in rows()]
    (sentence,) = refused(tmp_path, table)
    assert 'treatment = "RUX" and control = "control"' in sentence


def test_arms_that_the_settings_do_not_name_are_one_fault_of_the_settings(tmp_path):
    (sentence,) = refused(tmp_path, rows(), 'treatment = "drug A"\ncontrol = "drug B"\n')
    assert sentence == (
        "cohort.toml: the arms are 'drug A' and 'drug B' here, and 'treatment' and 'control' in "
        "patients.csv; no row has 'drug A' and 'drug B'."
    )


@pytest.mark.parametrize("cell", ["Treatment", " TREATMENT ", "treat\u200bment", "ｔreatment"])
def test_case_and_blanks_of_arms_do_not_matter(tmp_path, cell):
    register = read(tmp_path, with_cells("arm", cell))
    assert register.patients["arm"].value_counts().to_dict() == {"treatment": 4, "control": 4}


def test_one_arm_is_taken(tmp_path):
    table = [row | {"arm": "treatment"} for row in rows()]
    assert set(read(tmp_path / "a", table).patients["arm"]) == {"treatment"}
    for row in table:
        del row["arm"]
    register = read(tmp_path / "b", table, 'treatment = "drug A"\ncontrol = ""\n')
    assert set(register.patients["arm"]) == {"drug A"}
    assert not any("arm" in note for note in register.notes)
    register = read(tmp_path / "c", [row | {"arm": "treatment"} for row in rows()])
    assert "No patient is in the arm control: a cohort of one arm." in register.notes


def test_controls_alone_are_refused(tmp_path):
    (sentence,) = refused(tmp_path, [row | {"arm": "control"} for row in rows()])
    assert "no patient is in the arm 'treatment', which is under study" in sentence


def test_html_in_arms_is_a_name_and_a_line_break_is_not(tmp_path):
    table = [row | {"arm": "<b>A</b> & Co"} for row in rows()]
    register = read(tmp_path, table, 'treatment = "<b>A</b> & Co"\n')
    assert set(register.patients["arm"]) == {"<b>A</b> & Co"}
    (sentence,) = refused(tmp_path, rows(), 'treatment = "A\\nB"\n')
    assert sentence == (
        "cohort.toml: treatment has a line break, a control or an invisible character in it; "
        "remove it."
    )


# Diagnoses


def test_diagnoses_of_one_patient_count_as_other_unless_the_settings_list_them(tmp_path):
    table = with_cells("diagnosis", "Sjögren", "sle", "SLE ", "SLE", "AOSD", "aosd", "SLE", "NA")
    register = read(tmp_path, table)
    named = ["other", "SLE", "SLE", "SLE", "AOSD", "AOSD", "SLE"]
    assert register.patients["diagnosis"].tolist()[:7] == named
    assert "Diagnoses that one patient alone has count as other (1)." in register.notes
    register = read(tmp_path, table, 'diagnoses = ["Sjögren", "AOSD"]')
    assert register.patients["diagnosis"][0] == "Sjögren"


# What is shown


def test_all_faults_come_at_once_with_errors_first_and_no_more_than_fifty(tmp_path):
    table = [row | {"Alter": "7"} for row in rows(80)]
    bad = {
        "sex": "q",
        "cmv_infection": "+",
        "died": "maybe",
        "response_week8": "better",
        "followup_time": "x",
        DOSE: "-1",
    }
    for place, column in enumerate(bad):
        for row in table[place :: len(bad)]:
            row[column] = f"{bad[column]}{row['patient_id'][1:]}"
    with pytest.raises(CohortError) as error:
        read_register(write(tmp_path, table))
    lines = str(error.value).splitlines()
    assert len(error.value.problems) == 81
    assert len(lines) == 51 and lines[-1] == "and 31 more."
    assert not any(line.startswith("warning") for line in lines)
    assert [problem.level for problem in error.value.problems][-1] == "warning"


def test_many_alike_faults_leave_room_for_others(tmp_path):
    table = [row | {"sex": f"q{place}"} for place, row in enumerate(rows(40))] + rows(100)[40:]
    table[90] |= {"died": "maybe"}
    sentences = refused(tmp_path, table)
    assert len(sentences) == 2
    assert "'q0'" in sentences[0] and "(39 more rows of the column alike)" in sentences[0]
    assert "row 92, column died: 'maybe'" in sentences[1]


def test_values_are_shown_shortened_and_escaped(tmp_path):
    (sentence,) = refused(tmp_path, with_cells("sex", "x" * 5000))
    assert f"'{'x' * 59}…'" in sentence
    (sentence,) = refused(tmp_path, with_cells("sex", "a\u202eb\u2028"))
    assert r"'a\u202eb\u2028'" in sentence
