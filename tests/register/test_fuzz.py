"""Whatever stands in a table and its settings: taken and in order, or refused in sentences."""

import csv
import datetime as dt
import io
import json
import math
import tempfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from register_tables import rows

from rdmas.paper import schema
from rdmas.paper.problems import CohortError
from rdmas.paper.register.columns import plain
from rdmas.paper.register.read import read_register
from rdmas.paper.register.settings import COLUMNS, NAMES, merged, parse_toml, settings_from
from rdmas.paper.register.values import VOCABULARY

FIELDS = schema.fields("patients")

NAMES_OF_COLUMNS = [
    *COLUMNS,
    *(word for words in VOCABULARY["columns"].values() for word in words[::5]),
    *VOCABULARY["alive_or_dead"][:3],
    *VOCABULARY["personal"][:3],
    *("followup months", "Prednisolon Beginn (mg/kg)", "Steroid week 8 mg/d", "GC dose", "dide"),
    *("", "Alter", "=1+1", "<b>"),
]

WORDS = [
    *("", " ", "NA", "-", "0", "1", "01", "1.0", "1,0", "１", "yes", "nein", "是", "TRUE", "dead"),
    *("f", "W", "男", "CR", "pr", "none", "SD", "treatment", "control", "Treatmnet", "drug A"),
    *("2.5", "2,5", "1.234", "1,234", "1.234,5", "1_000", "1e308", "inf", "nan", "-3", "44197"),
    *("160", "7", "700", "70", "20", "2020-01-01", "2020-02-30", "03/04/2021", "3.4.2021"),
    *("1.1.20", "2020年3月4日", "4 Mar 2020", "2999-01-01", "1900-01-00", "SLE", "sle ", "AOSD"),
    *("=1+1", "@x", "P\u200b1", "P\n1", "a" * 300, "9" * 400, "Eva Muster", "19610704", "P1", "p1"),
]

CELLS = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS),
    st.text(max_size=12),
    st.integers().map(str),
    st.floats().map(str),
    st.dates(min_value=dt.date(2015, 1, 1)).map(str),
)

#: What could stand in a column, so that many tables are taken.
LIKELY = {
    "patient_id": st.from_regex(r"[A-Z]{2}-[0-9]{5}", fullmatch=True),
    "arm": st.sampled_from(["treatment", "control", " Control", "drug A"]),
    "sex": st.sampled_from(["f", "W", "男", "male", ""]),
    "diagnosis": st.sampled_from(["SLE", "sle", "AOSD", "", "<b>", "Morbus Still"]),
    "response_week8": st.sampled_from(["CR", "pr", "none", "完全缓解", ""]),
    "followup_time": st.one_of(st.integers(0, 400), st.floats(0, 400)).map(str),
    "died": st.sampled_from(["0", "1", "ja", "alive"]),
    "cmv_infection": st.sampled_from(["0", "1", "NA", "阴性"]),
    "weight_kg": st.integers(10, 300).map(str),
    **dict.fromkeys(
        ("index_date", "death_date", "last_contact_date"),
        st.dates(dt.date(2020, 1, 1), dt.date(2020, 3, 31)).map(str),
    ),
    **dict.fromkeys(
        ("gc_dose_baseline_mg_per_kg", "gc_dose_week8_mg_per_kg"),
        st.floats(0, 40).map(lambda dose: f"{dose:.2f}"),
    ),
    **dict.fromkeys(
        ("gc_dose_baseline_mg_per_day", "gc_dose_week8_mg_per_day"), st.integers(0, 500).map(str)
    ),
}

NUMBERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(),
    st.sampled_from(WORDS).filter(lambda it: "\u200b" not in it),
)


@st.composite
def tables(draw, cells=CELLS):
    """Draw a table: a valid one with some cells and names changed, or any."""
    count = draw(st.integers(1, 7))
    if draw(st.integers(0, 4)):
        table = [dict(row) for row in rows(count)]
        for column in draw(st.lists(st.sampled_from([*COLUMNS]), max_size=3)):
            for row in table:
                row[column] = draw(LIKELY[column])
        for _ in range(draw(st.integers(0, 1))):
            column = draw(st.sampled_from(list(table[0])))
            table[draw(st.integers(0, count - 1))][column] = draw(cells)
        header = list(table[0])
        if draw(st.integers(0, 3)) == 0:
            place = draw(st.integers(0, len(header) - 1))
            header[place] = draw(st.sampled_from(NAMES_OF_COLUMNS))
        return [header, *(list(row.values()) for row in table)]
    header = draw(st.lists(st.sampled_from(NAMES_OF_COLUMNS), min_size=2, max_size=10))
    return [header, *([draw(cells) for _ in header] for _ in range(count))]


VALUES = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=8),
    st.integers(-5, 5),
    st.booleans(),
    st.floats(),
    st.lists(st.text(max_size=3), max_size=2),
)
KEYS = st.sampled_from([*WORDS, *COLUMNS, *NAMES_OF_COLUMNS[:40]])

SETTINGS = st.one_of(
    st.just({}),
    st.just({}),
    st.just({}),
    st.fixed_dictionaries(
        {},
        optional={
            "treatment": st.sampled_from(["treatment", "drug A", "control", ""]),
            "control": st.sampled_from(["control", "drug A", ""]),
            "time_unit": st.sampled_from(["days", "months", "aeons"]),
            "date_order": st.sampled_from(["dmy", "mdy", "ymd", "x"]),
            "columns": st.dictionaries(KEYS, st.sampled_from([*COLUMNS, "Tod"]), max_size=2),
            "values": st.dictionaries(
                st.sampled_from([*COLUMNS]), st.dictionaries(KEYS, VALUES, max_size=2), max_size=2
            ),
            "diagnoses": st.lists(st.sampled_from(["SLE", "sle", "x"]), max_size=2),
        },
    ),
    st.dictionaries(st.one_of(st.sampled_from(NAMES), st.text(max_size=8)), VALUES, max_size=3),
)


def toml(value):
    """Write a value of TOML."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {toml(it)}" for key, it in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf"
    return json.dumps(value)


def csv_bytes(table, separator):
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(table)
    return text.getvalue().encode("utf-8", "surrogatepass")


def check(folder):
    """Read a register; what is taken obeys the schema, what is refused has reasons."""
    register, refusal = None, None
    try:
        register = read_register(folder)
    except CohortError as error:
        refusal = error
    if register is None:
        assert any(problem.level == "error" for problem in refusal.problems)
        assert all(line.isprintable() and len(line) < 1000 for line in str(refusal).splitlines())
        return False
    frame = register.patients
    assert list(frame) == list(FIELDS) and len(frame)
    assert frame["patient_id"].is_unique and frame["patient_id"].map(plain).notna().all()
    assert set(frame["arm"]) <= set(register.settings.arms)
    assert register.settings.treatment in set(frame["arm"])
    assert frame["followup_time"].notna().all() or frame["followup_time"].isna().all()
    for name, field in FIELDS.items():
        limits, known = field.get("constraints", {}), frame[name].dropna()
        assert not limits.get("required") or len(known) == len(frame)
        assert known.isin(limits["enum"]).all() if "enum" in limits else True
        if field["type"] == "number":
            assert known.between(limits["minimum"], limits["maximum"]).all()
        if field["type"] == "string":
            assert known.map(lambda it: isinstance(it, str) and it.isprintable()).all()
    early = (frame["died"] == 1) & (frame["followup_time"] < 56)
    assert frame.loc[early, "gc_dose_week8_mg_per_kg"].isna().all()
    for note in register.notes:
        assert note.isprintable()
    assert all(str(warning).isprintable() for warning in register.warnings)
    return True


def text_of(table, separator, stated):
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "patients.csv").write_bytes(csv_bytes(table, separator))
        if stated:
            lines = "\n".join(f"{json.dumps(key)} = {toml(it)}" for key, it in stated.items())
            content = lines.encode("utf-8", "surrogatepass")
            (Path(folder) / "cohort.toml").write_bytes(content)
        check(folder)


def workbook_of(table, stated):
    book = openpyxl.Workbook()
    for row in table:
        try:
            book.active.append(row)
        except (ValueError, openpyxl.utils.exceptions.IllegalCharacterError):
            return  # no workbook can hold it
    sheet = book.create_sheet("settings")
    sheet.append(["key", "value", "section"])
    for key, value in stated.items():
        pairs = value.items() if isinstance(value, dict) else [(key, value)]
        for left, right in pairs:
            if isinstance(right, str | int):
                sheet.append([left, right, key if isinstance(value, dict) else ""])
    with tempfile.TemporaryDirectory() as folder:
        book.save(Path(folder) / "patients.xlsx")
        check(folder)


FRAGMENTS = st.sampled_from(
    [
        *("[columns]\n", "[values.died]\n", "[values]\n", "[[columns]]\n", "[[values.sex]]\n"),
        *("title", "treatment", "control", "columns", "values", "diagnoses", "died", "sex"),
        *(" = ", "=", '"', "'", "'''", '"""', "\n", "[", "]", "{", "}", ",", ".", "#", "“", "é"),
        *("1", "true", "1979-05-27", "07:32:00", "nan", "0x1F", "\\u0000", "\\uD800"),
    ]
)


@settings(max_examples=300)
@given(
    st.one_of(
        st.lists(FRAGMENTS, max_size=25).map(lambda parts: "".join(parts).encode()),
        st.binary(max_size=60),
    )
)
def test_no_bytes_of_settings_end_in_anything_but_settings_or_sentences(content):
    try:
        settings_from(*merged({"cohort.toml": parse_toml("cohort.toml", content)}))
    except CohortError as error:
        refusal = str(error)
    else:
        return
    assert all(line.isprintable() and len(line) < 1000 for line in refusal.splitlines())


TEXTS = given(table=tables(), separator=st.sampled_from(",;\t"), stated=SETTINGS)
BOOKS = given(
    table=tables(st.one_of(NUMBERS, st.sampled_from(WORDS))),
    stated=st.one_of(st.just({}), st.just({"treatment": "drug A"}), st.just({"x": "y"})),
)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=100, suppress_health_check=SLOW)
@TEXTS
def test_no_table_of_text_ends_in_anything_but_patients_or_sentences(table, separator, stated):
    text_of(table, separator, stated)


@settings(max_examples=30, suppress_health_check=SLOW)
@BOOKS
def test_no_workbook_ends_in_anything_but_patients_or_sentences(table, stated):
    workbook_of(table, stated)


@pytest.mark.long
@settings(max_examples=20_000, suppress_health_check=SLOW)
@TEXTS
def test_none_of_20000_tables_does(table, separator, stated):
    text_of(table, separator, stated)


@pytest.mark.long
@settings(max_examples=2_000, suppress_health_check=SLOW)
@BOOKS
def test_none_of_2000_workbooks_does(table, stated):
    workbook_of(table, stated)
