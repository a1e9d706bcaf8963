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

#: Endings of tables that are not read.
_UNREAD = (".xls", ".xlsb", ".ods", ".numbers", ".txt", ".sav", ".dta", ".sas7bdat", ".json")


def tables(path: Path) -> list[Path]:
    """Return the file named, or the tables of a folder; those named patients if there are such.

    Raises
    ------
    CohortError
        If there is none, if there are several of other names, or the folder cannot be read.
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
        other = [name for name in names if name.lower().endswith(_UNREAD)]
        rule = "there is no table of patients in the folder; " + (
            f"save {some(other)} as .xlsx or .csv"
            if other
            else "put a patients.csv or patients.xlsx there"
        )
        raise CohortError(Problem(path.name or str(path), rule))
    if len(found) > 1 and not named:
        raise several_tables(path, found)
    return named or found


def unread(folder: Path) -> list[Problem]:
    """Return a warning for each file that seems meant to be read, and has another name."""
    try:
        names = sorted(file.name for file in folder.iterdir())
    except OSError:
        return []
    ours = [SETTINGS, *(f"{table}.csv" for table in OTHERS if table != "assumptions")]
    found = []
    for right in (right for right in ours if right not in names):
        stem, _, ending = right.partition(".")
        others = ("txt",) if ending == "toml" else ("txt", "tsv", "xlsx", "xls", "ods")
        alike = {right, f"{right}.txt", *(f"{stem}.{other}" for other in others)}
        for name in names:
            if name.lower() in alike and (folder / name).is_file():
                rule = f"is not read; save it as {right} if it is meant to be"
                found.append(Problem(name, rule, level="warning"))
    return found


def several_tables(folder: Path, files: list[Path]) -> CohortError:
    """Return the refusal of a folder with several tables."""
    rule = f"there are several tables, {some(file.name for file in files)}; name one of them"
    return CohortError(Problem(folder.name or str(folder), rule))
