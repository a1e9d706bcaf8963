"""A reader's data package: names are taken from it, and nothing else has an effect.

Groups 31 to 36, 46, 49, 51 and 52 of what people bring.
"""

import csv
import io
import json
import socket
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner
from cohorts import NAMES, SETTINGS, write
from conftest import REPOSITORY

from rdmas.cli import main
from rdmas.paper import claims
from rdmas.paper.cohort import CohortError, load_cohort
from rdmas.paper.package import DataPackage
from rdmas.paper.validation import problems, valid_package, warnings

DATA = REPOSITORY / "data"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Any attempt to reach another machine fails the test."""

    def refuse(*_):
        raise AssertionError("something asked for the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def change(folder, edit):
    """Edit the descriptor of a folder."""
    path = folder / "datapackage.json"
    stated = json.loads(path.read_text(encoding="utf-8"))
    edit(stated)
    path.write_text(json.dumps(stated), encoding="utf-8")


def table(stated, name="patients"):
    return next(item for item in stated["resources"] if item["name"] == name)


def field(stated, column, name="patients"):
    return next(it for it in table(stated, name)["schema"]["fields"] if it["name"] == column)


def sentences(folder):
    return [str(problem) for problem in problems(folder)]


def replace_cell(folder, file, row, column, value):
    """Write another value into a cell; rows are counted with the header as row 1."""
    path = folder / file
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    rows[row - 2][column] = value
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


ELSEWHERE = ("https://example.org/x.json", "http://127.0.0.1:9/x", "/etc/passwd", "../x.json")


@pytest.mark.parametrize("place", ELSEWHERE)
@pytest.mark.parametrize(
    ("key", "level"), [("profile", "package"), ("profile", "table"), ("dialect", "table")]
)
def test_31_what_points_elsewhere_is_not_followed_and_said(data_copy, place, key, level):
    change(data_copy, lambda it: (it if level == "package" else table(it)).update({key: place}))
    assert problems(data_copy) == []
    (warning,) = warnings(valid_package(data_copy))
    assert warning.level == "warning"
    assert f"'{place}': {key} of" in str(warning) and "is not followed" in str(warning)


@pytest.mark.parametrize("place", [*ELSEWHERE, ["patients.csv", "more.csv"], {"a": 1}, 7, "", ".."])
def test_31_a_table_elsewhere_is_refused(data_copy, place):
    change(data_copy, lambda it: table(it).update(path=place))
    (sentence,) = sentences(data_copy)
    assert sentence.startswith("datapackage.json: the path of resource patients must be a plain")


@pytest.mark.parametrize("place", ELSEWHERE)
def test_31_a_schema_elsewhere_is_refused(data_copy, place):
    change(data_copy, lambda it: table(it).update(schema=place))
    (sentence,) = sentences(data_copy)
    assert "must stand in this file" in sentence and "nothing is fetched" in sentence


def test_31_the_schema_of_another_table_is_not_needed(data_copy):
    change(data_copy, lambda it: table(it, "claims").update(schema=ELSEWHERE[0]))
    assert problems(data_copy) == []


@pytest.mark.parametrize("place", [["more.csv"], "more.csv", ["https://example.org/more.csv"]])
def test_31_and_51_extra_paths_are_refused(data_copy, place):
    change(data_copy, lambda it: table(it).update(extrapaths=place))
    assert sentences(data_copy) == [
        "datapackage.json: resource patients has extrapaths, which are not read; put all rows into "
        "one file."
    ]


def test_31_a_link_out_of_the_folder_is_not_followed(data_copy, tmp_path):
    (data_copy / "patients.csv").rename(tmp_path / "patients.csv")
    (data_copy / "patients.csv").symlink_to(tmp_path / "patients.csv")
    (sentence,) = sentences(data_copy)
    assert sentence.startswith("patients.csv: is a link out of its folder")


@pytest.mark.parametrize("path", ["javascript:alert(1)", "file:/etc/passwd", "x", 7, "https://a b"])
def test_31_a_source_is_linked_by_an_address_only(data_copy, path):
    change(data_copy, lambda it: it.update(sources=[{"title": "A", "path": path}]))
    (sentence,) = sentences(data_copy)
    assert "must be an address that begins with https://" in sentence


def without_rules(stated):
    """Take every rule out of a descriptor."""
    for resource in stated["resources"]:
        for one in resource["schema"]["fields"]:
            one.pop("constraints", None)
            one.pop("requiredForAllOrNone", None)
            one["type"] = "any"
        resource["schema"]["primaryKey"] = []


def with_loose_rules(stated):
    """Loosen every rule of a descriptor."""
    for resource in stated["resources"]:
        for one in resource["schema"]["fields"]:
            one["constraints"] = {
                "required": False,
                "unique": False,
                "minimum": -1e9,
                "maximum": 1e9,
                "enum": ["2", "x", "", "female", -1, 160],
                "pattern": "(a+)+$",
            }
            one["type"] = "string"
        resource["schema"]["primaryKey"] = "arm"
        resource["schema"]["missingValues"] = ["NA", "2", "x"]


BAD_CELLS = [
    ("patients.csv", "died", "2", "'2' is not known; use 0 or 1"),
    ("patients.csv", "died", "", "a value is required"),
    ("patients.csv", "died", "NA", "'NA' is not a whole number"),
    ("patients.csv", "died", "01", "'01' is not known; use 0 or 1"),
    ("patients.csv", "died", "1.0", "'1.0' is not a whole number"),
    ("patients.csv", "died", "１", "'１' is not a whole number"),
    ("patients.csv", "died", "TRUE", "'TRUE' is not a whole number"),
    ("patients.csv", "sex", "x", "'x' is not known; use female or male"),
    ("patients.csv", "patient_id", "ruxolitinib-01", "the value is the same as in row 2"),
    ("patients.csv", "patient_id", "Ruxolitinib-01", "only by capitals"),
    ("patients.csv", "patient_id", "ruxolitinib-01 ", "only by capitals"),
    ("patients.csv", "patient_id", "ruxolitinib-\u200b01", "only by capitals"),
    ("patients.csv", "patient_id", "ｒuxolitinib-01", "only by capitals"),
    ("patients.csv", "patient_id", "  ", "is no text on one line"),
    ("patients.csv", "patient_id", "a\nb", "is no text on one line"),
    ("patients.csv", "followup_time", "-1", "-1 is too small; the least possible is 0"),
    ("patients.csv", "followup_time", "44197", "44197 is too large"),
    ("patients.csv", "followup_time", "1e308", "1e308 is too large"),
    ("patients.csv", "followup_time", "1e999", "'1e999' is not a finite number"),
    ("patients.csv", "followup_time", "1_000", "'1_000' is not a number"),
    ("patients.csv", "followup_time", "１０", "'１０' is not a number"),
    ("patients.csv", "followup_time", "1,5", "'1,5' is not a number; write 1.5"),
    ("patients.csv", "followup_time", "NaN", "'NaN' is not a finite number"),
    ("patients.csv", "followup_time", "", "1 of 41 patients have no value"),
    ("patients.csv", "gc_dose_baseline_mg_per_kg", "160", "160 is too large"),
    ("patients.csv", "arm", "Ruxolitinib", "'Ruxolitinib' is not known"),
    ("patients.csv", "arm", "x" * 1_000, "x…' is not known"),
    ("patients.csv", "diagnosis", "x" * 5_000, "has 5,000 letters"),
    ("claims.csv", "measure", "x", "'x' is not known; use n, count"),
    ("claims.csv", "basis", "x", "'x' is not known; use data, counts"),
    ("claims.csv", "numerator", "9" * 300, "is too large; the most possible is 1000000"),
    ("claims.csv", "numerator", "-1", "-1 is too small"),
    ("evidence.csv", "events", "9" * 300, "is too large; the most possible is 1000000"),
]


@pytest.mark.parametrize("edit", [None, without_rules, with_loose_rules])
@pytest.mark.parametrize(("file", "column", "value", "rule"), BAD_CELLS)
def test_32_33_and_51_rules_of_the_folder_have_no_effect(
    data_copy, edit, file, column, value, rule
):
    replace_cell(data_copy, file, 3, column, value)
    before = sentences(data_copy)
    assert len(before) == 1 and rule in before[0] and ", row 3, " in before[0]
    assert len(before[0]) < 400
    if edit:
        change(data_copy, edit)
        assert sentences(data_copy) == before


def test_32_a_valid_folder_without_rules_gives_the_same_cohort(data_copy):
    change(data_copy, without_rules)
    ours, theirs = load_cohort(), load_cohort(data_copy)
    assert theirs.patients.equals(ours.patients) and theirs.claims.equals(ours.claims)
    assert theirs.fields() == ours.fields()


@pytest.mark.parametrize("pattern", ["(a+)+$", "(x|x)*y", "[", "(?P<n", 7, "a{1,99999999}"])
def test_33_a_pattern_is_never_run(data_copy, pattern):
    def edit(stated):
        for column in ("patient_id", "diagnosis", "arm"):
            field(stated, column).setdefault("constraints", {})["pattern"] = pattern

    change(data_copy, edit)
    replace_cell(data_copy, "patients.csv", 2, "patient_id", "a" * 40 + "!")
    start = time.monotonic()
    assert problems(data_copy) == []
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("flag", ["no", "true", 1, 0, None, [], {}, "yes"])
def test_34_a_flag_that_is_not_true_or_false_is_refused(data_copy, flag):
    change(data_copy, lambda it: field(it, "gc_dose_week8_mg_per_kg").update(missingAllowed=flag))
    assert sentences(data_copy) == [
        "datapackage.json: missingAllowed of field gc_dose_week8_mg_per_kg must be true or false."
    ]


NOT_NAMES = {
    "an arm that is a number": (lambda it: it["companion"].update(treatmentArm=1), "treatmentArm"),
    "an arm of blanks": (lambda it: it["companion"].update(controlArm=" "), "controlArm"),
    "no unit of time": (lambda it: it["companion"].pop("timeUnit"), "timeUnit"),
    "units of time": (lambda it: it["companion"].update(timeUnit=["days"]), "timeUnit"),
    "an arm called both": (lambda it: it["companion"].update(controlArm="Both"), "both"),
    "provenance in a list": (
        lambda it: field(it, "sex").update(provenance=["measured"]),
        "field sex must have a provenance",
    ),
    "arms as a word": (
        lambda it: field(it, "sex").update(reportedFor="control"),
        "reportedFor of field sex must be a list of arms",
    ),
    "a title of two lines": (lambda it: it.update(title="a\nb"), "title must be text"),
    "a number as title": (lambda it: it.update(title=7), "title must be text"),
    "a drug that is a list": (lambda it: it["companion"].update(drug=[]), "companion.drug"),
    "diagnoses in a word": (lambda it: it["companion"].update(diagnoses="SLE"), "diagnoses"),
    "related as a word": (lambda it: it["companion"].update(related="x"), "companion.related"),
    "sources without titles": (lambda it: it.update(sources=[{}]), "each of sources"),
    "no list of tables": (lambda it: it.update(resources={"patients": 1}), "resources must be"),
    "a table without a name": (lambda it: table(it).pop("name"), "resources must be"),
    "a table twice": (
        lambda it: it["resources"].append(dict(table(it))),
        "'patients' stands there more than once",
    ),
    "a companion in a word": (lambda it: it.update(companion="x"), "object named companion"),
}


@pytest.mark.parametrize("case", NOT_NAMES)
def test_34_a_name_that_is_none_gets_one_sentence(data_copy, case):
    edit, words = NOT_NAMES[case]
    change(data_copy, edit)
    (sentence,) = sentences(data_copy)
    assert sentence.startswith("datapackage.json: ") and words in sentence


def test_49_one_wrong_flag_gets_one_sentence_at_its_cause(data_copy):
    """The controls have values, and no field says so: it was 162 lines about six columns."""
    patients = DataPackage(DATA).rows("patients")
    for row, patient in enumerate(patients, start=2):
        if patient["arm"] == "control":
            for column in ("sex", "diagnosis", "cmv_infection"):
                replace_cell(data_copy, "patients.csv", row, column, patients[0][column])
    assert sentences(data_copy) == [
        "datapackage.json: reportedFor of fields sex, diagnosis and cmv_infection does not name "
        "arm 'control', of which 21 patients have values (first in row 22 of patients.csv)."
    ]


def test_49_a_setting_that_is_missing_is_named_once(data_copy):
    change(data_copy, lambda it: field(it, "sex").update(reportedFor=["ruxolitinib", "control"]))
    assert sentences(data_copy) == [
        "datapackage.json: field sex has no missingAllowed, and 21 patients of arm 'control' have "
        "no value (first in row 22 of patients.csv)."
    ]


def test_49_an_arm_renamed_in_one_place_gets_one_sentence(data_copy):
    change(data_copy, lambda it: it["companion"].update(treatmentArm="Ruxo"))
    assert sentences(data_copy) == [
        "datapackage.json: companion.treatmentArm 'Ruxo' is no arm of patients.csv, which has "
        "ruxolitinib and control."
    ]


def test_49_an_arm_that_fields_name_wrongly_is_said_once(data_copy):
    def edit(stated):
        for column in ("sex", "diagnosis"):
            field(stated, column)["reportedFor"] = ["ruxolitinib", "controls"]

    change(data_copy, edit)
    assert sentences(data_copy) == [
        "datapackage.json: reportedFor of fields sex and diagnosis names 'controls', which is not "
        "an arm: ruxolitinib or control."
    ]


def test_one_fault_in_many_rows_is_said_once(data_copy):
    path = data_copy / "patients.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",female,", ",woman,"), "utf-8")
    assert sentences(data_copy) == [
        "patients.csv, row 2, column sex: 'woman' is not known; use female or male (so in 16 more "
        "rows)."
    ]


def test_6_a_descriptor_nested_deeply_is_refused_in_a_sentence(data_copy):
    for text in ("[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000):
        (data_copy / "datapackage.json").write_text(text, encoding="utf-8")
        assert sentences(data_copy) == ["datapackage.json: is nested too deep."]


@pytest.mark.parametrize(
    "text", ["", "[]", "7", '"x"', "null", "NaN", "9" * 5_000, '{"a": 1', "\x00", '{"a"\u0000:1}']
)
def test_a_descriptor_that_is_no_object_is_refused_in_a_sentence(data_copy, text):
    (data_copy / "datapackage.json").write_text(text, encoding="utf-8")
    (sentence,) = sentences(data_copy)
    assert sentence.startswith("datapackage.json") and len(sentence) < 200


def test_51_missing_values_of_the_folder_have_no_effect_and_that_is_said(data_copy):
    change(data_copy, lambda it: table(it)["schema"].update(missingValues=["", "NA"]))
    (warning,) = warnings(valid_package(data_copy))
    assert "missingValues of resource 'patients' have no effect" in str(warning)
    replace_cell(data_copy, "patients.csv", 2, "gc_dose_week8_mg_per_kg", "NA")
    (sentence,) = sentences(data_copy)
    assert "row 2, column gc_dose_week8_mg_per_kg: 'NA' is not a number" in sentence


def test_12_empty_lines_are_left_out_and_said(data_copy):
    path = data_copy / "patients.csv"
    text = path.read_text(encoding="utf-8").replace("\ncontrol-01", "\n\n,,,,,,,,,\ncontrol-01")
    path.write_text(f"{text}\n,,,,,,,,,\n", encoding="utf-8")
    assert load_cohort(data_copy).patients.equals(load_cohort().patients)
    (warning,) = warnings(valid_package(data_copy))
    assert str(warning).startswith("patients.csv, row 22: is empty and was left out")


def test_a_column_that_is_neither_declared_nor_there_is_empty(data_copy):
    change(
        data_copy,
        lambda it: table(it)["schema"]["fields"].remove(field(it, "cmv_infection")),
    )
    path = data_copy / "patients.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rpartition(",")[0] for line in lines), encoding="utf-8")
    cohort = load_cohort(data_copy)
    assert cohort.patients["cmv_infection"].isna().all()
    assert claims.scoreboard(cohort).set_index("id").loc["cmv_count", "recomputed"] == ""


def test_a_second_arm_without_patients_is_none(data_copy):
    path = data_copy / "patients.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if "control" not in line), encoding="utf-8")
    cohort = load_cohort(data_copy)
    assert cohort.control_arm is None and cohort.arms == ("ruxolitinib",)
    board = claims.scoreboard(cohort).set_index("id")
    assert board.loc["survival_control_percent", "verdict"] == "not checkable"


NO_NUMBER = {
    "0,011": "a comma groups thousands here; write the decimals behind a point",
    "1e-3": "write it out, such as 0.001",
    "≤0.05": "a bound is written < or >",
    "<=0.05": "a bound is written < or >",
    "0.01-0.05": "one number stands in a claim, and no range",
    "NaN": "is not a printed number",
    "inf": "is not a printed number",
    "": "a value is required",
    "-0.01": "is not a P-value; it must lie between 0 and 1",
    "1.2": "is not a P-value; it must lie between 0 and 1",
    "５%": "is not a printed number",
    "5%": "does not carry the unit ''",
    "1/2": "is a count; its measure must be fraction",
    "1/0": "divides by zero",
    "0": "no P-value is 0; a bound such as <0.001 is meant",
    "0.000": "no P-value is 0; a bound such as <0.001 is meant",
    "P=0": "no P-value is 0; a bound such as <0.001 is meant",
    "1": "any P-value above 0.5 prints so; write it with its decimals, such as 1.00",
    "<0": "leaves no value that a p_value could have",
    ">1": "leaves no value that a p_value could have",
    "<1": "leaves every value that a p_value could have; it could not be wrong",
    ">0": "leaves every value that a p_value could have; it could not be wrong",
    "<2": "leaves no value",
    "9" * 300: "is too long",
    "9" * 50: "is not a P-value",
    "0." + "1" * 300: "is too long",
    "=0.011": "is not a printed number",
}


@pytest.mark.parametrize("reported", NO_NUMBER)
def test_35_and_52_a_p_value_that_cannot_be_read_is_refused(data_copy, reported):
    replace_cell(data_copy, "claims.csv", 17, "reported", reported)
    (sentence,) = sentences(data_copy)
    assert sentence.startswith("claims.csv, row 17, column reported: ")
    assert NO_NUMBER[reported] in sentence and len(sentence) < 250


@pytest.mark.parametrize(
    ("reported", "verdict"),
    [
        ("P<0.05", "compatible"),
        ("<0.05", "compatible"),
        ("< 0.05", "compatible"),
        ("p < 0.001", "compatible"),
        ("P<0.00001", "not reproduced"),
        ("P = 0.011", "compatible"),
        (".011", "compatible"),
        ("0.011", "compatible"),
        ("P > 0.05", "compatible"),
        ("1.00", "not reproduced"),
    ],
)
def test_35_a_p_value_is_read_as_it_is_printed_and_a_bound_as_a_bound(data_copy, reported, verdict):
    replace_cell(data_copy, "claims.csv", 17, "reported", reported)
    row = claims.scoreboard(load_cohort(data_copy)).set_index("id").loc["survival_p_value"]
    assert (row["reported"], row["verdict"]) == (reported, verdict)


@pytest.mark.parametrize(
    ("reported", "wanted"),
    [
        ("95 %", "reproduced"),
        ("95.0%", "reproduced"),
        ("95.00 %", "reproduced"),
        ("94%", "not reproduced"),
        (">90%", "reproduced"),
    ],
)
def test_35_a_percentage_is_read_as_it_is_printed(data_copy, reported, wanted):
    replace_cell(data_copy, "claims.csv", 13, "reported", reported)
    board = claims.scoreboard(load_cohort(data_copy)).set_index("id")
    assert board.loc["survival_ruxolitinib_percent", "verdict"] == wanted


@pytest.mark.parametrize(
    ("row", "column", "value", "words"),
    [
        (17, "convention", "chi3", "'chi3' is not a test known here"),
        (17, "chapter", "appendix", "'appendix' is not known; use data, remission"),
        (13, "reported", "-5%", "is not a percentage between 0% and 100%"),
        (13, "reported", "95", "does not carry the unit '%'"),
        (13, "reported", "<0%", "leaves no value"),
        (19, "reported", "-2.7 mg/kg", "must lie between 0 and 40"),
        (19, "reported", "2,7 mg/kg", "a comma groups thousands here"),
        (2, "reported", "9" * 50, "differs from the numerator '20'"),
        (2, "reported", "9" * 300, "is too long"),
        (2, "reported", "20.5", "differs from the numerator '20'"),
        (2, "arm", "Control", "is about ruxolitinib or control, not 'Control'"),
        (4, "category", "Female", "'Female' is not known; use female or male"),
    ],
)
def test_35_a_claim_that_cannot_be_is_refused(data_copy, row, column, value, words):
    replace_cell(data_copy, "claims.csv", row, column, value)
    assert [words in sentence for sentence in sentences(data_copy)] == [True]


def test_an_arm_may_be_called_by_its_role(data_copy):
    path = data_copy / "claims.csv"
    text = path.read_text(encoding="utf-8").replace(",ruxolitinib,", ",treatment,")
    path.write_text(text, encoding="utf-8")
    cohort = load_cohort(data_copy)
    assert set(cohort.claims["arm"]) == {"ruxolitinib", "control", "both", ""}
    assert claims.scoreboard(cohort).equals(claims.scoreboard(load_cohort()))


@pytest.mark.parametrize("basis", ["data", "ordering", "input", "none"])
def test_the_basis_of_a_registry_is_advice(data_copy, basis):
    """What is derived does not depend on what whoever wrote the registry expects."""
    replace_cell(data_copy, "claims.csv", 13, "basis", basis)
    assert claims.scoreboard(load_cohort(data_copy)).equals(claims.scoreboard(load_cohort()))


def test_36_no_row_that_can_be_pooled_is_refused(data_copy):
    path = data_copy / "evidence.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",primary,", ",indirect,"), "utf-8")
    (sentence,) = sentences(data_copy)
    assert sentence.startswith("evidence.csv: has no row of outcome mortality and role primary")


@pytest.mark.parametrize("command", [["validate"], ["claims", "--data"]])
def test_a_refused_folder_ends_a_command_with_one_sentence(data_copy, command):
    change(data_copy, lambda it: field(it, "sex").update(missingAllowed="no"))
    result = CliRunner().invoke(main, [*command, str(data_copy)])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)


def test_what_has_no_effect_is_said_on_the_terminal(data_copy):
    change(data_copy, lambda it: table(it).update(profile=ELSEWHERE[0]))
    result = CliRunner().invoke(main, ["validate", str(data_copy)])
    assert result.exit_code == 0
    assert "is not followed" in result.stderr and result.stdout == f"{data_copy}: valid\n"


AUDITED = """
import sys
from rdmas.paper.cohort import load_cohort

asked = []
sys.addaudithook(lambda event, _: event.startswith("socket.") and asked.append(event))
try:
    load_cohort(sys.argv[1])
except ValueError as error:
    print(error)
print(asked)
"""


def test_31_no_library_underneath_asks_for_the_network(data_copy):
    def edit(stated):
        stated["profile"] = ELSEWHERE[0]
        for resource in stated["resources"]:
            resource |= {"profile": ELSEWHERE[0], "dialect": ELSEWHERE[1]}

    change(data_copy, edit)
    result = subprocess.run(
        [sys.executable, "-c", AUDITED, data_copy], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def test_a_cohort_error_is_what_a_reader_gets(data_copy):
    change(data_copy, lambda it: it.pop("companion"))
    with pytest.raises(CohortError, match="object named companion"):
        load_cohort(data_copy)


def as_records(folder, name):
    """Write a register as a package of records; return its folder."""
    path = write(name, folder)
    stated = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
    stated["resources"] = [table(stated)]
    arms = ["treatment", "control"]
    for one in table(stated)["schema"]["fields"]:
        one |= {"provenance": "measured", "reportedFor": arms}
    stated["companion"] = {"treatmentArm": arms[0], "controlArm": arms[1], "timeUnit": "days"}
    (path / "datapackage.json").write_text(json.dumps(stated), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SETTINGS])
def test_a_package_of_records_is_read_as_the_register_it_is(tmp_path, name):
    folder = as_records(tmp_path, name)
    packaged = load_cohort(folder)
    (folder / "datapackage.json").unlink()
    register = load_cohort(folder)
    assert packaged.is_register and packaged.arms == register.arms
    assert packaged.patients.equals(register.patients)
    assert packaged.warnings == register.warnings
    assert packaged.claims.equals(register.claims)
    enums = [it.fields()["diagnosis"]["constraints"]["enum"] for it in (packaged, register)]
    assert sorted(enums[0]) == sorted(enums[1])
    assert claims.scoreboard(packaged).equals(claims.scoreboard(register))


def test_what_is_odd_in_records_is_said_of_a_package_too(tmp_path):
    """Groups 18 and 19."""
    folder = as_records(tmp_path, "ordinary")
    replace_cell(folder, "patients.csv", 3, "patient_id", "Anna Maria Muster")
    replace_cell(folder, "patients.csv", 4, "diagnosis", "=SUM(A1)")
    columns = {warning.column for warning in load_cohort(folder).warnings}
    assert columns == {"patient_id", "diagnosis"}


def test_rare_diseases_have_no_name_in_records(tmp_path):
    folder = as_records(tmp_path, "ordinary")
    replace_cell(folder, "patients.csv", 3, "diagnosis", "a disease of one")
    cohort = load_cohort(folder)
    assert "a disease of one" not in str(cohort.descriptor) + cohort.patients.to_csv()
    assert "other" in set(cohort.patients["diagnosis"])
