"""Groups 16 to 19 and 29 of odd inputs: ids, arms, diagnoses, and how values are shown."""

import pytest
from register_tables import read, refused, rows, warned, with_cells, write

from rdmas.paper.problems import CohortError
from rdmas.paper.register.read import read_register

DOSE = "gc_dose_baseline_mg_per_kg"


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


def test_rows_of_units_and_totals_are_one_fault_each(tmp_path):  # group 49
    units = dict.fromkeys(rows()[0], "mg")
    totals = dict.fromkeys(units, "") | {"patient_id": "Total", "died": "3", "sex": "5"}
    rule = "is no patient: no number and no code can be read; remove units, totals and notes."
    assert refused(tmp_path, [units, *rows(), totals]) == [
        f"patients.csv, row 2: {rule}",
        f"patients.csv, row 11: {rule}",
    ]


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
    assert "1 id looks like a name or a date of birth" in sentence


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


def test_an_arm_may_have_the_name_of_nothing(tmp_path):
    table = [row | {"arm": "+" if row["arm"] == "treatment" else "-"} for row in rows()]
    register = read(tmp_path, table, 'treatment = "+"\ncontrol = "-"\n')
    assert register.patients["arm"].tolist() == ["+"] * 4 + ["-"] * 4


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


@pytest.mark.parametrize("letter", ["\u3164", "\u2800", "\u115f", "\u034f", "\ufe0f"])
def test_16_and_17_letters_that_are_shown_as_nothing_make_no_id(tmp_path, letter):
    (sentence,) = refused(tmp_path / "alone", with_cells("patient_id", letter))
    assert sentence.endswith("a value is required for every patient.")
    (sentence,) = refused(tmp_path / "beside", with_cells("patient_id", f"P7{letter}"))
    assert sentence.endswith("has an invisible or control character in it; remove it.")
    (sentence,) = refused(tmp_path / "arm", with_cells("arm", letter))
    assert sentence.startswith("patients.csv, row 2, column arm: ")


@pytest.mark.parametrize("name", ["P7\n", "\r\nP7", "P7\u2028"])
def test_17_a_line_break_at_the_end_of_an_id_is_one(tmp_path, name):
    (sentence,) = refused(tmp_path, with_cells("patient_id", name))
    assert sentence.endswith("has a line break in it; remove it.")


def test_18_an_address_is_no_pseudonym(tmp_path):
    (sentence,) = warned(tmp_path, with_cells("patient_id", "eva.muster@clinic.org"))
    assert "1 id looks like a name or a date of birth" in sentence
