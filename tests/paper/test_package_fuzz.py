"""A data package with anything put anywhere ends in a cohort or in sentences, never otherwise."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rdmas.paper import claims
from rdmas.paper.cohort import load_cohort
from rdmas.paper.comparison import beside_published
from rdmas.paper.validation import problems

DATA = REPOSITORY / "data"
STATED = json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))
TABLES = {
    path.name: list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    for path in sorted(DATA.glob("*.csv"))
}

#: The derivations of these run every test there is, which is slow and tested elsewhere.
SLOW = ("p_value", "significance")

WORDS = st.sampled_from(
    [
        *("", "x", " ", "0", "1", "2", "-1", "01", "1.0", "1", "１", "9" * 300, "1e308", "1e999"),
        *("<0.05", "P<0.001", "P = 1", "0,011", "1e-3", ".011", "95 %", "101%", "10/20", "1/0"),
        *("NaN", "inf", "NA", "both", "treatment", "control", "ruxolitinib", "died", "sex", "arm"),
        *("patient_id", "followup_time", "n", "count", "fraction", "percent", "p_value", "median"),
        *("significance", "background", "data", "counts", "=1+1", '"', "a;b", "a\tb", "a\nb", "%"),
        *("significantly higher", "mg/kg", "patients", "fisher", "female", "AOSD", ">0.99", "\0"),
        *(
            "https://example.org",
            "../x",
            "/etc/passwd",
            "patients.csv",
            "days",
            "measured",
            "\u200b",
        ),
    ]
)
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=20),
    WORDS,
    st.lists(WORDS, max_size=2),
    st.dictionaries(WORDS, WORDS, max_size=2),
)


def places(value, path=()):
    """Yield the path of everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inside:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


#: Where a descriptor can be changed; the rules of other tables, which nobody reads, less often.
PLACES = [path for path in places(STATED) if path[:2] in (path[:1], ("resources", 2))]
PLACES += [path for path in places(STATED) if len(path) <= 4 and path not in PLACES]


@st.composite
def descriptors(draw):
    """A descriptor with up to three things taken out or replaced."""
    stated = json.loads(json.dumps(STATED))
    for path in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True)):
        try:
            parent = stated
            for key in path[:-1]:
                parent = parent[key]
            if draw(st.integers(0, 3)):
                parent[path[-1]] = draw(ANYTHING)
            else:
                del parent[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return stated


@st.composite
def tables(draw):
    """A table, claims more often than others, with up to three cells or rows changed."""
    name = draw(st.sampled_from(["claims.csv", "claims.csv", "claims.csv", *TABLES]))
    rows = [list(row) for row in TABLES[name]]
    if name == "claims.csv":
        rows = [row for row in rows if row[8] not in SLOW]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        match draw(st.sampled_from(["cell", "cell", "cell", "row", "twice", "short"])):
            case "cell" if rows[row]:
                rows[row][draw(st.integers(0, len(rows[row]) - 1))] = draw(WORDS)
            case "row" if len(rows) > 1:
                del rows[row]
            case "twice":
                rows.insert(row, list(rows[row]))
            case _:
                rows[row] = rows[row][:-1]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return name, text.getvalue()


def ends_well(folder):
    """Load a folder and use it, or get sentences."""
    if found := problems(folder):
        assert all(len(str(problem)) < 1_000 for problem in found)
        return
    cohort = load_cohort(folder)
    quick = cohort.claims[~cohort.claims["measure"].isin(SLOW)]
    board = claims.scoreboard(type(cohort)(**{**vars(cohort), "claims": quick}))
    json.loads(claims.as_json(board))
    beside_published(cohort)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Path(shutil.copytree(DATA, tmp_path_factory.mktemp("package") / "data"))


def check_descriptor(folder, stated):
    try:
        (folder / "datapackage.json").write_text(json.dumps(stated), encoding="utf-8")
        ends_well(folder)
    finally:
        shutil.copy(DATA / "datapackage.json", folder)


def check_table(folder, table):
    name, text = table
    try:
        (folder / name).write_text(text, encoding="utf-8")
        ends_well(folder)
    finally:
        shutil.copy(DATA / name, folder)


def tries(number):
    return settings(
        max_examples=number,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@given(stated=descriptors())
@tries(60)
def test_any_descriptor_ends_in_a_cohort_or_in_sentences(folder, stated):
    check_descriptor(folder, stated)


@given(table=tables())
@tries(60)
def test_any_table_ends_in_a_cohort_or_in_sentences(folder, table):
    check_table(folder, table)


@pytest.mark.long
@given(stated=descriptors())
@tries(1_000)
def test_many_descriptors_end_in_a_cohort_or_in_sentences(folder, stated):
    check_descriptor(folder, stated)


@pytest.mark.long
@given(table=tables())
@tries(1_000)
def test_many_tables_end_in_a_cohort_or_in_sentences(folder, table):
    check_table(folder, table)
