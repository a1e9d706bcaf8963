"""Issue point 3: a register to fill in."""

import csv
import tomllib

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from register_tables import rows, write

from rdmas.cli import main
from rdmas.paper import schema
from rdmas.paper.problems import CohortError
from rdmas.paper.register.cells import EXAMPLE
from rdmas.paper.register.read import read_register
from rdmas.paper.register.settings import COLUMNS, Settings, settings_from
from rdmas.paper.register.template import dictionary, write_template


@pytest.fixture
def folder(tmp_path):
    write_template(tmp_path / "new" / "register")
    return tmp_path / "new" / "register"


def fill(folder, name):
    """Replace the example row of a template by patients, as somebody would."""
    if name.endswith("xlsx"):
        book = load_workbook(folder / name)
        data = book["data"]
        header = [cell.value for cell in data[1]]
        for number, row in enumerate(rows(), start=2):
            for place, column in enumerate(header, start=1):
                text = row.get(column) or None
                number_kept = schema.fields("patients").get(column, {}).get("type") != "string"
                data.cell(number, place).value = float(text) if text and number_kept else text
        book.save(folder / name)
    else:
        with (folder / name).open(encoding="utf-8") as file:
            header = next(csv.reader(file))
        write(folder, [{column: row.get(column, "") for column in header} for row in rows()])


@pytest.mark.parametrize("name", ["patients.csv", "patients.xlsx"])
def test_the_example_row_is_named_until_it_is_replaced(folder, name):
    for path in (folder, folder / name):
        with pytest.raises(CohortError) as error:
            read_register(path)
        (problem,) = error.value.problems
        assert problem.row == 2 and problem.column == "patient_id"
        assert "is the example row of the template; replace it" in problem.rule


@pytest.mark.parametrize("name", ["patients.csv", "patients.xlsx"])
def test_what_is_filled_in_is_read_whichever_of_the_two_tables_it_is(folder, name):
    fill(folder, name)
    filled = read_register(folder / name)
    assert read_register(folder).patients.equals(filled.patients)
    assert read_register(folder).patients["followup_time"].tolist() == [
        float(row["followup_time"]) for row in rows()
    ]
    assert filled.warnings == ()
    assert filled.settings.arms == ("treatment", "control")


def test_an_example_left_between_patients_is_refused(folder):
    table = [rows()[0] | {"patient_id": EXAMPLE}, *rows()[1:]]
    write(folder, table)
    with pytest.raises(CohortError, match="row 2, column patient_id: 'EXAMPLE"):
        read_register(folder)


def test_two_tables_with_patients_are_refused(folder):
    fill(folder, "patients.csv")
    fill(folder, "patients.xlsx")
    with pytest.raises(CohortError, match=r"several tables, 'patients.csv' and 'patients.xlsx'"):
        read_register(folder)


def test_a_folder_with_several_tables_is_refused_without_reading_them(tmp_path):
    for name in ("a.csv", "b.xlsx"):
        (tmp_path / name).write_bytes(b"\0")
    with pytest.raises(CohortError, match=r"several tables, 'a.csv' and 'b.xlsx'; name one"):
        read_register(tmp_path)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "put a patients.csv or patients.xlsx there"),
        (["claims.csv", ".hidden.csv", "~$patients.xlsx"], "put a patients.csv or"),
        (["register.ods", "old.xls"], "save 'old.xls' and 'register.ods' as .xlsx or .csv"),
    ],
)
def test_a_folder_without_a_table_is_refused(tmp_path, names, sentence):
    for name in names:
        (tmp_path / name).write_text("x,y\n1,2\n")
    with pytest.raises(
        CohortError, match=f"there is no table of patients in the folder; {sentence}"
    ):
        read_register(tmp_path)


def test_a_table_of_any_name_is_found_among_others(tmp_path):
    write(tmp_path, rows(), name="Register 2024.csv")
    (tmp_path / "claims.csv").write_text("not looked at here")
    (tmp_path / "notes.txt").write_text("mine")
    assert len(read_register(tmp_path).patients) == 8


def test_the_workbook_has_data_settings_dictionary_lists_and_a_header_that_stays(folder):
    book = load_workbook(folder / "patients.xlsx")
    assert book.sheetnames == ["data", "settings", "dictionary"]
    assert [cell.value for cell in book["data"][1]] == list(COLUMNS)
    assert book["data"].freeze_panes == "A2"
    lists = {
        book["data"].cell(1, next(iter(rule.sqref.ranges)).min_col).value: rule.formula1
        for rule in book["data"].data_validations.dataValidation
    }
    assert lists == {
        "arm": '"treatment,control"',
        "sex": '"female,male"',
        "response_week8": '"complete,partial,none"',
        "died": '"0,1"',
        "cmv_infection": '"0,1"',
    }


def test_the_dictionary_is_that_of_the_schema(folder):
    sheet = load_workbook(folder / "patients.xlsx")["dictionary"]
    header, *body = sheet.iter_rows(values_only=True)
    assert list(header) == list(dictionary()[0])
    fields = {**schema.fields("patients"), **schema.fields("register")}
    assert [row[0] for row in body] == list(fields)
    assert [row[2] for row in body] == [field["description"] for field in fields.values()]


def test_the_settings_of_the_template_are_the_defaults_and_all_are_named(folder):
    text = (folder / "cohort.toml").read_text(encoding="utf-8")
    settings = settings_from("cohort.toml", tomllib.loads(text))
    assert settings == Settings(source="cohort.toml")
    everything = "\n".join(line.removeprefix("# ") for line in text.splitlines()[2:] if "=" in line)
    everything = everything.replace('Tod = "died"', '[columns]\nTod = "died"\n[values.died]')
    settings_from("cohort.toml", tomllib.loads(everything))


def test_settings_of_the_sheet_are_taken(folder):
    fill(folder, "patients.xlsx")
    book = load_workbook(folder / "patients.xlsx")
    sheet = book["settings"]
    for row in sheet.iter_rows(min_row=2):
        if row[0].value == "title":
            row[1].value = "Zürich"
    sheet.append(["female", "male", "values.sex"])
    book.save(folder / "patients.xlsx")
    register = read_register(folder)
    assert register.settings.title == "Zürich"
    assert set(register.patients["sex"]) == {"male"}


def test_nothing_is_overwritten_without_force(folder):
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (folder / "patients.csv").unlink()
    with pytest.raises(CohortError) as error:
        write_template(folder)
    assert [problem.file for problem in error.value.problems] == ["patients.xlsx", "cohort.toml"]
    assert not (folder / "patients.csv").exists()
    write_template(folder, force=True)
    assert (folder / "patients.csv").read_bytes() == before["patients.csv"]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_commands_template_and_validate(tmp_path):
    folder = tmp_path / "register"
    assert run("template", folder).exit_code == 0
    assert run("template", folder).exit_code == 1
    assert "patients.csv: is there already and was left as it is" in run("template", folder).output
    assert run("template", folder, "--force").exit_code == 0
    refused = run("validate", folder)
    assert refused.exit_code == 1
    assert "is the example row of the template; replace it." in refused.output
    write(folder, [row | {"Alter": "3"} for row in rows()])
    taken = run("validate", folder)
    assert taken.exit_code == 0
    assert "warning: patients.csv, row 1: the column 'Alter' is not used." in taken.output
    assert taken.output.splitlines()[-1] == f"{folder}: valid"


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_template_that_cannot_be_written_is_refused(tmp_path, where):
    (tmp_path / "file").write_text("mine")
    result = run("template", tmp_path / where)
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert (tmp_path / "file").read_text() == "mine"


def test_validate_takes_an_encoding(tmp_path):
    file = write(tmp_path, [row | {"diagnosis": "Sjögren"} for row in rows()])
    file.write_bytes(file.read_text(encoding="utf-8").encode("latin-1"))
    assert run("validate", file, "--encoding", "latin-1").exit_code == 0
    assert run("validate", file, "--encoding", "ascii").exit_code == 1
