"""Where a register's table and settings are."""

from __future__ import annotations

from pathlib import Path

from rdmas.paper.paths import is_folder
from rdmas.paper.problems import CohortError, Problem
from rdmas.paper.register.findings import some

SETTINGS = "cohort.toml"

#: Tables of a folder that hold no patients.
OTHERS = ("claims", "evidence", "evidence_percentages", "assumptions")

#: Endings of the names of tables.
ENDINGS = (".csv", ".tsv", ".xlsx", ".xlsm")


def tables(path: Path) -> list[Path]:
    """Return the file named, or the tables of a folder; those named patients if there are such.

    Raises
    ------
    CohortError
        If there is none, or the folder cannot be read.
    """
    if not is_folder(path):
        return [path]
    try:
        names = sorted(file.name for file in path.iterdir())
    except OSError as error:
        rule = f"the folder cannot be read ({error.strerror})"
        raise CohortError(Problem(path.name or str(path), rule)) from None
    found = [
        path / name
        for name in names
        if name.lower().endswith(ENDINGS)
        and not name.startswith((".", "~$"))
        and name.lower().rpartition(".")[0] not in OTHERS
    ]
    named = [file for file in found if file.stem.lower() == "patients"]
    if not found:
        rule = "there is no table of patients in the folder; put a patients.csv or patients.xlsx"
        raise CohortError(Problem(path.name or str(path), rule + " there"))
    return named or found


def several_tables(folder: Path, files: list[Path]) -> CohortError:
    """Return the refusal of a folder with several tables."""
    rule = f"there are several tables, {some(file.name for file in files)}; name one of them"
    return CohortError(Problem(folder.name or str(folder), rule))
