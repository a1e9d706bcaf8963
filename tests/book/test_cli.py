"""The command line: what it prints, what it refuses, and what it does not wait for."""

import shutil
import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

from rdmas.cli import main
from rdmas.paper.claims import as_json, scoreboard
from rdmas.paper.cohort import load_cohort

PATIENTS = (REPOSITORY / "data" / "patients.csv").read_text(encoding="utf-8")


def change_first(folder, **cells):
    """Change cells of the first patient."""
    path = folder / "patients.csv"
    patients = pd.read_csv(path, dtype=str, keep_default_na=False)
    patients.loc[0, list(cells)] = list(cells.values())
    patients.to_csv(path, index=False)


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_validate_accepts_the_companions_data():
    result = run("validate", REPOSITORY / "data")
    assert result.exit_code == 0
    assert result.output == f"{REPOSITORY / 'data'}: valid\n"


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"died": "2"}, "row 2, column died: '2' is not known; use 0 or 1."),
        (
            {"arm": "placebo"},
            "row 2, column arm: 'placebo' is not known; use ruxolitinib or control.",
        ),
        (
            {"patient_id": "ruxolitinib-02"},
            "row 3, column patient_id: the value is the same as in row 2; it must be unique.",
        ),
        (
            {"gc_dose_baseline_mg_per_kg": "-1"},
            "row 2, column gc_dose_baseline_mg_per_kg: -1 is too small; the least possible is 0 "
            "mg/kg (check the unit).",
        ),
    ],
    ids=["died = 2", "unknown arm", "duplicate id", "negative dose"],
)
@pytest.mark.parametrize("command", [("validate",), ("claims", "--data")])
def test_bad_data_end_a_command_with_1_and_a_sentence(data_copy, command, cells, sentence):
    change_first(data_copy, **cells)
    result = run(*command, data_copy)
    assert result.exit_code == 1
    assert result.output == f"patients.csv, {sentence}\n"


def test_claims_prints_one_line_a_claim_and_the_tally():
    result = run("claims")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert len(load_cohort().claims) == lines.index("")
    assert "  1 not checkable, basis none" in lines


def test_claims_json_is_the_scoreboard():
    assert run("claims", "--json").output == as_json(scoreboard())


def test_reconstruct_leaves_an_equal_file_and_refuses_to_replace_another(data_copy):
    target = data_copy / "patients.csv"
    assert run("reconstruct", data_copy).output == f"{target}: unchanged\n"
    target.write_text("mine\n", encoding="utf-8")
    refused = run("reconstruct", data_copy)
    assert refused.exit_code == 1
    assert "was left as it is; use --force" in refused.output
    assert target.read_text(encoding="utf-8") == "mine\n"
    assert run("reconstruct", data_copy, "--force").exit_code == 0
    assert target.read_text(encoding="utf-8") == PATIENTS


def test_reconstruct_writes_another_file_where_told(data_copy, tmp_path):
    target = tmp_path / "out.csv"
    assert run("reconstruct", data_copy, "--output", target).exit_code == 0
    assert target.read_text(encoding="utf-8") == PATIENTS


def test_reconstruct_into_a_folder_that_does_not_exist_is_refused(data_copy, tmp_path):
    result = run("reconstruct", data_copy, "--output", tmp_path / "no" / "out.csv")
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert not (tmp_path / "no").exists()


def test_a_copy_of_the_data_folder_elsewhere_gives_the_same_scoreboard(data_copy, tmp_path):
    moved = shutil.move(data_copy, tmp_path / "elsewhere")
    assert run("claims", "--data", moved).output == run("claims").output


HEAVY = {"pandas", "scipy", "lifelines", "statsmodels", "matplotlib", "seaborn", "papermill"}


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [(["--help"], {*HEAVY, "numpy", "frictionless"}), (["validate", "data"], HEAVY)],
    ids=["help", "validate"],
)
def test_a_command_does_not_wait_for_what_it_does_not_need(arguments, unwanted):
    code = (
        "import sys; from rdmas.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False); print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not unwanted & set(result.stdout.splitlines()[-1].split())
