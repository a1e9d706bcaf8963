"""Groups 4, 6, 34 and 49 of odd inputs, and issue point 2: what a reader says of a register."""

import pytest
from register_tables import plain, read, refusal, refused, rows, warned, with_cells, write

from rdmas.paper.problems import CohortError
from rdmas.paper.register.read import read_register
from rdmas.paper.register.settings import Settings, merged, settings_from


def renamed(**names):
    return [{names.get(name, name): cell for name, cell in row.items()} for row in rows()]


def test_without_settings_the_defaults_hold(tmp_path):
    assert read(tmp_path, rows()).settings == Settings()


def test_settings_are_taken_and_their_file_is_hashed(tmp_path):
    register = read(tmp_path, rows(), 'title = "Zürich"\ndrug = "X"\ndisease = "MAS <in> adults"\n')
    assert register.settings.title == "Zürich"
    assert register.settings.disease == "MAS <in> adults"
    assert set(register.files) == {"patients.csv", "cohort.toml"}
    assert all(len(digest) == 64 for digest in register.files.values())


def test_a_table_named_alone_has_the_settings_beside_it(tmp_path):
    file = write(tmp_path, rows(), 'title = "Zürich"\n')
    assert read_register(file).settings.title == "Zürich"


def test_own_names_and_values_are_mapped(tmp_path):
    table = [
        row | {"Ausgang 2": {"1": "V", "0": "L"}[row["Ausgang 2"]], "sex": "d"}
        for row in renamed(died="Ausgang 2")
    ]
    settings = """
        [columns]
        "Ausgang 2" = "died"
        [values.died]
        V = 1
        l = 0
        [values.sex]
        d = ""
        [values.gc_dose_week8_mg_per_kg]
        "0.5" = 0.25
        [values.arm]
        control = "treatment"
    """
    patients = read(tmp_path, table, settings).patients
    assert patients["died"].tolist() == [int(row["died"]) for row in rows()]
    assert patients["sex"].isna().all()
    assert set(patients["gc_dose_week8_mg_per_kg"].dropna()) == {0.25}
    assert set(patients["arm"]) == {"treatment"}


def test_a_mapped_value_goes_before_what_we_would_read(tmp_path):
    table = renamed(died="survived")
    settings = '[columns]\nsurvived = "died"\n[values.died]\n1 = 0\n0 = 1\n'
    patients = read(tmp_path, [row | {"gc_dose_week8_mg_per_kg": ""} for row in table], settings)
    assert patients.patients["died"].tolist() == [1 - int(row["died"]) for row in rows()]


WRONG = {
    'titel = "x"': "there is no setting 'titel'; did you mean title.",
    'contrl = "x"': "there is no setting 'contrl'; did you mean control.",
    'Tod = "died"': "there is no setting 'Tod'; columns are mapped under [columns].",
    "[tod]\nx = 1": "there is no setting 'tod'; there are title, drug, disease, treatment, ",
    "control = true": "control must be text in quotation marks.",
    'control = ["a", "b"]': "control must be text in quotation marks.",
    "title = 2020-01-01": "title must be text in quotation marks.",
    'treatment = ""': "treatment is empty; name the arm under study as the table does.",
    'treatment = "A"\ncontrol = " a "': "treatment and control are the same arm; name two, ",
    'control = "treatment"': "treatment and control are the same arm; name two, ",
    'time_unit = "order of events"': "'order of events' is no time_unit; use days or weeks or ",
    'date_order = "ddmmyyyy"': "'ddmmyyyy' is no date_order; use dmy or mdy or ymd.",
    'title = "a\\u0000b"': "title has a line break, a control or an invisible character in it; ",
    f'title = "{"x" * 5000}"': "title is longer than 200 letters; shorten it.",
    'diagnoses = "SLE"\ndrug = 1.5': "drug must be text in quotation marks.",
    "diagnoses = [1]": 'diagnoses must be a list of texts, such as ["AOSD", "SLE"].',
    'diagnoses = ["a\\nb"]': r"diagnoses: 'a\nb' has a line break in it; remove it.",
    "[values.died]\n'' = 0": "[values.died] '': an empty cell is a missing value and stays one; ",
    'path = "http://example.org/x.csv"': "there is no setting 'path'; there are title, drug, ",
    'pattern = "(a+)+$"': "there is no setting 'pattern'; there are title, drug, disease, ",
    'missingValues = ["0"]': "there is no setting 'missingValues'; there are title, drug, ",
    "columns = 1": 'columns must be a table: [columns] and below it lines such as Tod = "died".',
    '[columns]\ndied = "Tod"': (
        "[columns] 'died' is the wrong way round: the register's own name stands left, ours right;"
        ' write Tod = "died".'
    ),
    '[columns]\nTod = "dide"': "[columns] 'Tod': there is no column 'dide'; did you mean died.",
    '[columns]\nTod = "event"': "[columns] 'Tod': there is no column 'event'; use one of ",
    "[columns]\nTod = 1": "[columns] 'Tod' must be text, such as Tod = \"died\".",
    '[columns]\nA = "died"\nB = "died"': "[columns] maps 'A' and 'B' to died; leave one.",
    '[columns]\nTod = "died"': (
        "[columns] 'Tod' = \"died\": the table has no such column; it has 'patient_id', 'arm', "
    ),
    '[columns]\nsexx = "sex"': (
        "[columns] 'sexx' = \"sex\": the table has no such column; did you mean 'sex'."
    ),
    "[values.died]\n1 = 'ja'": (
        "[values.died] '1' is the wrong way round: the register's own value stands left, ours "
        "right; write ja = 1."
    ),
    "[values.died]\nja = 2": "[values.died] 'ja': '2' is not known; use 0 or 1.",
    '[values.sex]\nw = "weiblich"': (
        "[values.sex] 'w': 'weiblich' is not known; use female or male."
    ),
    "[values.dide]\nja = 1": "[values.dide]: there is no column of that name; did you mean died.",
    "[values]\ndied = 1": "values.died must be a table: [values.died] and below it ja = 1.",
    "values = 1": "values must hold a table for each column, such as [values.died].",
    "[values.died.ja]\nx = 1": "[values.died] 'ja' must be one value, such as ja = 1.",
    "[values.died]\nja = 1\nJA = 0": "[values.died] 'JA' is the same as 'ja'; leave one.",
    "[values.followup_time]\nlong = 'x'": "[values.followup_time] 'long': 'x' is not a number",
}


@pytest.mark.parametrize("settings", WRONG, ids=lambda text: text[:30].replace("\n", " "))
def test_a_wrong_setting_is_one_sentence_at_its_cause(tmp_path, settings):
    sentences = refused(tmp_path, rows(), settings + "\n")
    assert len(sentences) == 1
    assert sentences[0].startswith(f"cohort.toml: {WRONG[settings]}")


BROKEN = {
    b"title = ": "cohort.toml, row 1: is not TOML (Invalid value)",
    b'title = "a"\ntitle = "b"\n': "cohort.toml, row 2: is not TOML (Cannot overwrite a value)",
    "title = “a”\n".encode(): "cohort.toml, row 1: has typographic quotation marks; write",
    b"a = " + b"[" * 100_000: "cohort.toml: is nested too deep; settings have two levels.",
    b'title = "\xfc"\n': "cohort.toml, row 1: is not UTF-8 text; save it with the encoding UTF-8.",
    b"title = 'a\0b'\n": "cohort.toml, row 1: is not TOML (Found invalid character",
    b"drug = " + b"9" * 5000: "cohort.toml",
    b"\x00\x01\x02": "cohort.toml, row 1: is not TOML",
}


@pytest.mark.parametrize("content", BROKEN, ids=lambda content: str(content[:20]))
def test_what_is_not_toml_is_refused_with_its_row(tmp_path, content):
    write(tmp_path, rows())
    (tmp_path / "cohort.toml").write_bytes(content)
    (sentence,) = refusal(tmp_path)
    assert sentence.startswith(BROKEN[content])
    assert len(sentence) < 300


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_settings_are_read_as_editors_save_them(tmp_path, encoding):
    file = write(tmp_path, rows())
    (tmp_path / "cohort.toml").write_bytes('title = "Zürich"\r\n'.encode(encoding))
    assert read_register(file).settings.title == "Zürich"


def test_a_folder_in_place_of_the_settings_is_refused(tmp_path):  # group 4
    write(tmp_path, rows())
    (tmp_path / "cohort.toml").mkdir()
    (sentence,) = refusal(tmp_path)
    assert sentence == "cohort.toml: is a folder; a file must stand there."


def test_what_repeats_a_default_gives_way_to_another_source():
    stated = {"cohort.toml": {"title": "", "control": "control"}, "b": {"control": "standard"}}
    assert merged(stated) == ("b", {"control": "standard"})
    with pytest.raises(CohortError, match=r"b: states another control than cohort.toml"):
        merged({"cohort.toml": {"control": "usual"}, "b": {"control": "standard"}})


def test_our_names_are_known_in_any_case():
    stated = {"Title": "x", "columns": {"Tod": "Died"}, "VALUES": {"Sex": {"d": "Male"}}}
    settings = settings_from("a", stated)
    assert settings.title == "x" and settings.columns == {"Tod": "died"}
    assert settings.values == {"sex": {"d": "Male"}}


def test_a_sheet_can_say_a_list_and_no_control():
    settings = settings_from("a.xlsx", {"control": '""', "diagnoses": "AOSD; SLE", "drug": 7})
    assert settings.arms == ("treatment",)
    assert settings.diagnoses == ("AOSD", "SLE")
    assert settings.drug == "7"


@pytest.mark.parametrize("unit", ["weeks", "months", "years"])
def test_other_units_of_time_are_turned_into_days(tmp_path, unit):
    factor = {"weeks": 7, "months": 365.25 / 12, "years": 365.25}[unit]
    table = with_cells("followup_time", *["9"] * 8)
    register = read(tmp_path, table, f'time_unit = "{unit}"')
    assert register.patients["followup_time"].tolist() == pytest.approx([9 * factor] * 8)
    assert f"Follow-up in {unit} was turned into days of 365.25 a year." in register.notes


def test_values_of_a_column_that_the_table_lacks_do_no_harm(tmp_path):
    assert warned(tmp_path, plain(rows()), "[values.sex]\nx = 'male'\n") == []


@pytest.mark.parametrize(
    "content",
    [
        ".".join("a" * 50_000) + " = 1\n",
        "[" + " . ".join(["'a'"] * 50_000) + "]\n",
        "t = {" + ".".join(['"a"'] * 50_000) + " = 1}\n",
    ],
    ids=["key", "table", "inline"],
)
def test_6_a_name_of_very_many_parts_takes_no_time(tmp_path, content):
    write(tmp_path, rows(), content)
    assert refusal(tmp_path) == ["cohort.toml: is nested too deep; settings have two levels."]


def test_6_settings_are_short(tmp_path):
    write(tmp_path, rows(), f"# {'x' * 1_000_000}\n")
    assert refusal(tmp_path) == [
        "cohort.toml: is longer than the limit of 1 MB; keep only what is needed in it."
    ]


def test_versions_and_numbers_in_texts_are_no_long_names(tmp_path):
    table = rows()
    said = read(tmp_path, table, f'title = "{"1.2." * 40}"\ndrug = "{"x" * 200}"\n')
    assert said.settings.title.startswith("1.2.1.2.")


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ("control = []", "control must be text in quotation marks."),
        ("title = {}", "title must be text in quotation marks."),
        ("columns = []", "columns must be a table: [columns] and below it lines such as"),
        ("diagnoses = {}", "diagnoses must be a list of texts, such as"),
        ('treatment = ""', "treatment is empty; name the arm under study as the table does."),
        ('control = "Both"', "an arm cannot be called both, which means a comparison in"),
    ],
)
def test_34_an_empty_value_of_another_kind_is_a_fault(tmp_path, setting, rule):
    (sentence,) = refused(tmp_path, rows(), setting + "\n")
    assert sentence.startswith(f"cohort.toml: {rule}")


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("cohort.toml.txt", "cohort.toml"),
        ("Cohort.TOML", "cohort.toml"),
        ("claims.xlsx", "claims.csv"),
        ("Claims.csv", "claims.csv"),
        ("evidence.tsv", "evidence.csv"),
    ],
)
def test_46_and_51_a_file_that_is_left_unread_is_named(tmp_path, name, right):
    write(tmp_path, rows())
    (tmp_path / name).write_text("x")
    assert [str(it) for it in read_register(tmp_path).warnings] == [
        f"{name}: is not read; save it as {right} if it is meant to be."
    ]
    (tmp_path / right).write_text("")
    assert not read_register(tmp_path).warnings
