"""A register held against a registry of its own: verdicts on patients' records, and no traceback.

Groups 35, 37 to 43, 46 and 52 of what people bring.
"""

import csv
import io
import json
import os

import jsonschema
import pytest
from click.testing import CliRunner
from cohorts import NAMES, SETTINGS, table, write

from rdmas.cli import main
from rdmas.paper import claims, followup
from rdmas.paper.cohort import CohortError, load_cohort
from rdmas.paper.verdicts import NOT_SEARCHED
from rdmas.stats import logrank, two_by_two
from rdmas.stats.checks import Table

HEADER = [
    *("id", "group", "statement", "arm", "reported", "numerator", "denominator", "unit"),
    *("measure", "variable", "category", "convention", "basis", "chapter"),
]
COUNTED = {
    "sex": "female",
    "response_week8": "complete",
    "died": 1,
    "cmv_infection": 1,
}
MEASURED = ("gc_dose_baseline_mg_per_kg", "gc_dose_week8_mg_per_kg")


def claim(identifier, arm, measure, reported, unit="", counts=("", ""), about=("", ""), test=""):
    values = (
        *(identifier, "own", f"Statement of {identifier}", arm, reported, *counts, unit, measure),
        *(*about, test, "data", "survival"),
    )
    return dict(zip(HEADER, values, strict=True))


def true_claims(patients, names=("treatment", "control")):
    """Return what a paper about the register would print."""
    rows = []
    for role, arm in zip(("treatment", "control"), names, strict=True):
        members = patients[patients["arm"] == arm]
        if members.empty:
            continue
        n = len(members)
        rows.append(claim(f"{role}_n", role, "n", str(n), "patients", (n, "")))
        for column, value in COUNTED.items():
            known = members[column].dropna() if column in members else []
            if not len(known):
                continue
            counts = (int((known == value).sum()), len(known))
            share, whole = f"{100 * counts[0] / counts[1]:.1f}%", f"{counts[0]}/{counts[1]}"
            about = (column, str(value))
            name = f"{role}_{column}"
            rows += [
                claim(f"{name}_percent", role, "percent", share, "%", counts, about),
                claim(f"{name}_fraction", role, "fraction", whole, "patients", counts, about),
                claim(f"{name}_count", role, "count", str(counts[0]), "patients", counts, about),
            ]
        for column in MEASURED:
            known = members[column].dropna() if column in members else []
            if len(known):
                median = f"{known.astype(float).median():.3f} mg/kg"
                about = (column, "")
                rows.append(claim(f"{role}_{column}", role, "median", median, "mg/kg", about=about))
    return rows


def comparison(p_value, words="not significantly different"):
    about = ("died", "0")
    return [
        claim("p", "both", "p_value", p_value, "P", about=about),
        claim("words", "both", "significance", words, about=about),
    ]


def with_claims(folder, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    (folder / "claims.csv").write_text(text.getvalue(), encoding="utf-8")
    return folder


def names_of(name):
    return ("emapalumab", "no emapalumab") if name in SETTINGS else ("treatment", "control")


def own_p(patients):
    return logrank.logrank_p(
        patients["followup_time"].astype(float),
        patients["died"].astype(int),
        patients["arm"] == "treatment",
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_the_records_give_is_reproduced_on_data(tmp_path, name):
    rows = true_claims(table(name), names_of(name))
    folder = with_claims(write(name, tmp_path), rows)
    board = claims.scoreboard(load_cohort(folder)).set_index("id")
    assert len(board) == len(rows)
    assert set(board["verdict"]) == {"reproduced"} and set(board["basis"]) == {"data"}
    assert not board["nearest"].any()
    assert list(board.reset_index()) == list(claims.COLUMNS)


@pytest.mark.parametrize("name", NAMES)
def test_another_number_is_not_reproduced_and_the_nearest_is_said(tmp_path, name):
    rows = true_claims(table(name), names_of(name))
    for row in rows:
        if row["measure"] == "n":
            row["numerator"] += 1
            row["reported"] = str(row["numerator"])
        elif row["measure"] == "percent":
            row["reported"] = f"{(float(row['reported'][:-1]) + 50) % 100:.1f}%"
    rows = [row for row in rows if row["measure"] in ("n", "percent")]
    board = claims.scoreboard(load_cohort(with_claims(write(name, tmp_path), rows)))
    assert set(board["verdict"]) == {"not reproduced"}
    assert board["nearest"].all()


@pytest.mark.parametrize("name", NAMES)
def test_comparisons_of_every_register_end_in_a_verdict(tmp_path, name):
    patients = table(name)
    folder = with_claims(write(name, tmp_path), comparison("0.999"))
    result = CliRunner().invoke(main, ["claims", "--data", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    board = json.loads(result.output)
    jsonschema.validate(board, claims.json_schema())
    one_arm = patients["arm"].nunique() == 1
    assert (board[0]["verdict"] == "not checkable") == one_arm
    for row in board:
        assert {found["basis"] for found in row["derivations"]} <= {"data", "ordering"}


@pytest.mark.parametrize("name", ["ordinary", "ties", "fractional_days", "arms_12"])
def test_the_log_rank_p_of_the_records_is_compatible(tmp_path, name):
    """The claim does not say which test it is; one of them gives it."""
    printed = f"{own_p(table(name)):.3f}"
    folder = with_claims(write(name, tmp_path), comparison(printed))
    row = claims.scoreboard(load_cohort(folder)).set_index("id").loc["p"]
    assert row["verdict"] in ("compatible", "reproduced") and row["basis"] == "data"
    found = {one["convention"]: one for one in row["derivations"]}
    assert found["Log-rank"]["reproduces"]
    assert not [one for one in row["derivations"] if one["basis"] == "ordering"]


@pytest.mark.parametrize("printed", ["P<0.001", "P > 0.99", "0.0001"])
def test_35_a_bound_that_no_test_meets_is_not_reproduced(tmp_path, printed):
    folder = with_claims(write("ordinary", tmp_path), comparison(printed))
    assert claims.scoreboard(load_cohort(folder)).loc[0, "verdict"] == "not reproduced"


@pytest.mark.parametrize("printed", ["0", "1", "0.00"])
def test_52_p_of_0_and_of_1_are_refused(tmp_path, printed):
    folder = with_claims(write("ordinary", tmp_path), comparison(printed))
    with pytest.raises(CohortError, match=r"no P-value is 0|any P-value above 0\.5 prints so"):
        load_cohort(folder)


def test_without_times_few_deaths_leave_a_range(tmp_path):
    """Seven and eight deaths: some order of them may give what the counts do not."""
    folder = with_claims(write("no_times", tmp_path), comparison("0.600"))
    row = claims.scoreboard(load_cohort(folder)).set_index("id").loc["p"]
    assert any(one["basis"] == "ordering" for one in row["derivations"])
    assert (row["verdict"], row["basis"]) == ("compatible", "ordering")


def test_without_times_many_deaths_are_not_searched_and_that_is_said(tmp_path):
    folder = write("arms_100", tmp_path)
    patients = table("arms_100").drop(columns="followup_time")
    patients.to_csv(folder / "patients.csv", index=False)
    with_claims(folder, comparison("0.5"))
    board = claims.scoreboard(load_cohort(folder)).set_index("id")
    for row in board.to_dict("records"):
        assert row["derivations"][-1]["recomputed"] == NOT_SEARCHED
    assert board.loc["p", "verdict"] == "not checkable"


@pytest.mark.parametrize(
    "deaths", [(30, 300, 50, 300), (300, 2000, 350, 2000), (15, 15, 18, 18), (1, 5, 90, 300)]
)
def test_40_and_41_what_would_take_minutes_is_not_searched(deaths):
    assert not followup.searched(Table(*deaths))


def test_a_test_that_takes_too_long_is_named_as_left_out(tmp_path):
    folder = with_claims(write("arms_500", tmp_path), comparison("0.999"))
    board = claims.scoreboard(load_cohort(folder)).set_index("id")
    left_out = [
        one["method"]
        for one in board.loc["p", "derivations"]
        if one["recomputed"].startswith("left out") and not one["reproduces"]
    ]
    assert len(left_out) == 4 and all("Barnard" in it or "Boschloo" in it for it in left_out)
    assert board.loc["p", "nearest"].endswith(
        "unconditional exact tests were left out, as the arms are large"
    )
    words = {one["method"] for one in board.loc["words", "derivations"]}
    assert any("under all 14 tests on the counts" in it for it in words)


def test_46_three_claims_are_a_registry(tmp_path):
    folder = with_claims(write("ordinary", tmp_path), true_claims(table("ordinary"))[:3])
    cohort = load_cohort(folder)
    assert len(claims.scoreboard(cohort)) == 3
    assert not claims.compares(cohort)


def test_46_without_claims_the_papers_own_are_never_used_in_silence(tmp_path, data_copy):
    cohort = load_cohort(write("ordinary", tmp_path))
    assert cohort.claims.empty and claims.compares(cohort)
    descriptor = json.loads((data_copy / "datapackage.json").read_text(encoding="utf-8"))
    descriptor["resources"] = [it for it in descriptor["resources"] if it["name"] == "patients"]
    (data_copy / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    rebuilt = load_cohort(data_copy)
    assert rebuilt.notes == (
        "There is no claims.csv: held against the claims of the book's own paper.",
    )
    for column in descriptor["resources"][0]["schema"]["fields"]:
        column["provenance"] = "measured"
    (data_copy / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    records = load_cohort(data_copy)
    assert records.is_register and records.claims.empty
    assert set(claims.scoreboard(records)["verdict"]) == {"not checkable"}


def test_46_the_books_own_claims_left_in_a_copied_folder_are_not_another_cohorts(data_copy):
    descriptor = json.loads((data_copy / "datapackage.json").read_text(encoding="utf-8"))
    for resource in descriptor["resources"]:
        for column in resource["schema"]["fields"] if resource["name"] == "patients" else []:
            column["provenance"] = "measured"
    (data_copy / "datapackage.json").write_text(json.dumps(descriptor), encoding="utf-8")
    cohort = load_cohort(data_copy)
    assert claims.compares(cohort)
    assert "another cohort: compared, and not checked" in cohort.notes[-1]


def test_claims_may_name_arms_by_role_or_by_the_registers_names(tmp_path):
    names = names_of("emapalumab")
    rows = true_claims(table("emapalumab"), names)
    roles = load_cohort(with_claims(write("emapalumab", tmp_path / "a"), rows))
    for row in rows:
        row["arm"] = dict(zip(("treatment", "control"), names, strict=True))[row["arm"]]
    named = load_cohort(with_claims(write("emapalumab", tmp_path / "b"), rows))
    assert claims.scoreboard(roles).equals(claims.scoreboard(named))


@pytest.mark.parametrize("basis", ["data", "counts", "ordering", "input", "none"])
def test_the_basis_of_a_registry_is_advice(tmp_path, basis):
    rows = [row | {"basis": basis} for row in true_claims(table("ordinary"))]
    board = claims.scoreboard(load_cohort(with_claims(write("ordinary", tmp_path), rows)))
    assert set(board["basis"]) == {"data"}


def test_an_unknown_basis_is_refused(tmp_path):
    rows = [row | {"basis": "records"} for row in true_claims(table("ordinary"))[:1]]
    with pytest.raises(CohortError, match="column basis: 'records' is not known; use data, counts"):
        load_cohort(with_claims(write("ordinary", tmp_path), rows))


def test_a_count_beside_a_percentage_is_held_against_the_records(tmp_path):
    """7/35 and 6/30 both print 20%; the records say which."""
    rows = [claim("a", "treatment", "percent", "20%", "%", (6, 30), ("died", "1"))]
    row = claims.scoreboard(load_cohort(with_claims(write("ordinary", tmp_path), rows))).loc[0]
    assert (row["verdict"], row["recomputed"]) == ("not reproduced", "7/35")


def test_a_denominator_is_the_patients_with_a_value_and_not_the_arm(tmp_path):
    patients = table("some_missing")
    known = patients.loc[patients["arm"] == "treatment", "response_week8"].dropna()
    assert 0 < len(known) < 35
    counts = (int((known == "complete").sum()), len(known))
    rows = [
        claim("n", "treatment", "n", "35", "patients", (35, "")),
        claim(
            *("a", "treatment", "fraction", f"{counts[0]}/{counts[1]}", "patients", counts),
            about=("response_week8", "complete"),
        ),
    ]
    board = claims.scoreboard(load_cohort(with_claims(write("some_missing", tmp_path), rows)))
    assert set(board["verdict"]) == {"reproduced"}


def test_published_cohorts_of_ones_own_are_read_beside_a_register(tmp_path):
    folder = write("ordinary", tmp_path)
    ours = load_cohort()
    ours.evidence.head(3).assign(overlap_group="", percent_reported="").to_csv(
        folder / "evidence.csv", index=False
    )
    ours.evidence_percentages.head(1).to_csv(folder / "evidence_percentages.csv", index=False)
    cohort = load_cohort(folder)
    assert len(cohort.evidence) == 3 and set(cohort.inputs) == {
        *("patients.csv", "evidence.csv", "evidence_percentages.csv")
    }
    (folder / "evidence_percentages.csv").unlink()
    with pytest.raises(CohortError) as refusal:
        load_cohort(folder)
    assert str(refusal.value) == (
        "evidence.csv: needs evidence_percentages.csv beside it; both or neither."
    )


@pytest.mark.parametrize("make", ["mkdir", "link", "pipe"])
def test_an_odd_claims_file_beside_a_register_is_refused(tmp_path, make):
    """Groups 1 to 4."""
    file = write("ordinary", tmp_path) / "claims.csv"
    {"mkdir": file.mkdir, "link": lambda: file.symlink_to(file), "pipe": lambda: os.mkfifo(file)}[
        make
    ]()
    with pytest.raises(CohortError, match=r"^claims.csv: is a (folder|link|pipe)"):
        load_cohort(file.parent)


@pytest.mark.parametrize(("encoding", "separator"), [("utf-8-sig", ";"), ("utf-16", "\t")])
def test_50_claims_as_a_spreadsheet_program_writes_them_are_read(tmp_path, encoding, separator):
    folder = with_claims(write("ordinary", tmp_path), true_claims(table("ordinary")))
    before = load_cohort(folder).claims
    text = (folder / "claims.csv").read_text(encoding="utf-8").replace(",", separator)
    (folder / "claims.csv").write_bytes(text.encode(encoding))
    cohort = load_cohort(folder)
    assert cohort.claims.equals(before)
    assert any(note.startswith("claims.csv: ") for note in cohort.notes)


def test_the_command_prints_verdicts_and_what_was_published(tmp_path):
    folder = with_claims(write("ordinary", tmp_path), true_claims(table("ordinary")))
    result = CliRunner().invoke(main, ["claims", "--data", str(folder)])
    assert result.exit_code == 0
    assert " reproduced, basis data" in result.output
    assert "compared, not checked" in result.output


def test_p_values_of_the_counts_are_those_of_the_table(tmp_path):
    folder = with_claims(write("ordinary", tmp_path), comparison("0.999"))
    found = claims.derive("p", load_cohort(folder))
    by_test = {one.convention: one.value for one in found}
    expected = two_by_two.p_values(28, 35, 20, 28).query("sides == 'two-sided'")
    assert {test: by_test[test] for test in expected["test"]} == pytest.approx(
        dict(zip(expected["test"], expected["p_value"], strict=True))
    )


def test_columns_that_a_registry_lacks_are_named_in_one_sentence(tmp_path):
    folder = write("ordinary", tmp_path)
    (folder / "claims.csv").write_text("id,group,statement\na,b,c\n", encoding="utf-8")
    with pytest.raises(CohortError) as refusal:
        load_cohort(folder)
    (problem,) = refusal.value.problems
    assert str(problem).startswith("claims.csv, row 1: there are no columns named arm, reported,")
