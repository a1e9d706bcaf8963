"""From a reader's table to patients, or every reason why not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rdmas.paper import schema
from rdmas.paper.paths import is_folder, is_there
from rdmas.paper.problems import CohortError, Problem, shown
from rdmas.paper.register import values
from rdmas.paper.register.cells import EXAMPLE, Records, read_cells
from rdmas.paper.register.columns import NEEDED, recognise
from rdmas.paper.register.files import read_bytes
from rdmas.paper.register.findings import Findings, some
from rdmas.paper.register.locate import SETTINGS, several_tables, tables, unread
from rdmas.paper.register.rules import derive
from rdmas.paper.register.settings import LIMIT, Settings, merged, parse_toml, settings_from
from rdmas.paper.register.sheet import Sheet, read_sheet
from rdmas.paper.register.workbook import settings_sheet

if TYPE_CHECKING:
    import pandas as pd

PATIENTS = tuple(schema.fields("patients"))


@dataclass(frozen=True)
class Register:
    """A register that can be used.

    Attributes
    ----------
    patients : pandas.DataFrame
        A row for each patient in the order of the table, with all columns of the schema; what
        the table lacks is missing. Follow-up is in days, for every patient or for none.
    settings : Settings
        What the reader says of it; an arm that no patient is in may be named there.
    notes : tuple of str
        What was taken when reading; holds no value of a patient.
    warnings : tuple of Problem
        What is suspicious and possible; for the terminal only.
    files : dict of str to str
        The SHA-256 of each file that was read, by name.
    """

    patients: pd.DataFrame
    settings: Settings
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...]
    files: dict[str, str]


def read_register(path: str | Path, encoding: str | None = None) -> Register:
    """Read a register and check it.

    Parameters
    ----------
    path : str or pathlib.Path
        A table (CSV or XLSX), or a folder with one. ``cohort.toml`` beside it and the sheet
        ``settings`` of the workbook say what differs from the defaults.
    encoding : str, optional
        Encoding of the table; by default what the settings say, or what is found out.

    Returns
    -------
    Register

    Raises
    ------
    CohortError
        With every reason why the register cannot be used, and with its warnings.
    """
    path = Path(path)
    read = _Sources(path, encoding)
    findings = Findings(read.sheet.file, read.sheet.sheet, read.sheet.header_row)
    patients, notes = _patients(read.sheet, read.settings, findings)
    found = [*findings.listed(len(read.sheet.rows))]
    warnings = [
        *read.warnings,
        *read.sheet.warnings,
        *(it for it in found if it.level == "warning"),
    ]
    if patients is None:
        raise CohortError(*(it for it in found if it.level == "error"), *warnings)
    return Register(
        patients,
        read.settings,
        (*read.notes, *read.sheet.notes, *notes),
        tuple(warnings),
        read.hashes,
    )


def examine(sheet: Sheet, settings: Settings) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Return the patients of a table, None if it cannot be used, and what is wrong or odd.

    Parameters
    ----------
    sheet : Sheet
    settings : Settings
        How the arms are called, at least.
    """
    findings = Findings(sheet.file, sheet.sheet, sheet.header_row)
    patients, _ = _patients(sheet, settings, findings)
    return patients, findings.listed(len(sheet.rows))


class _Sources:
    """The files of a register: which table, what it holds, what the settings say."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        folder = path if is_folder(path) else path.parent
        self.hashes: dict[str, str] = {}
        stated = {}
        if is_there(folder / SETTINGS):
            content = read_bytes(folder / SETTINGS, LIMIT)
            self._hash(SETTINGS, content)
            stated[SETTINGS] = parse_toml(SETTINGS, content)
        choices = []
        for file in tables(path):
            said = dict(stated)
            if in_book := settings_sheet(file):
                said[f"{file.name}, sheet settings"] = in_book
            settings = settings_from(*merged(said))
            sheet = read_sheet(file, encoding or settings.encoding or None, settings.sheet or None)
            choices.append((file, settings, sheet))
        filled = [choice for choice in choices if not _is_template(choice[2])] or choices[:1]
        if len(filled) > 1:
            raise several_tables(path, [file for file, _, _ in filled])
        file, self.settings, self.sheet = filled[0]
        self._hash(file.name, read_bytes(file))
        source = self.settings.source
        self.notes = (f"Settings: {source}.",) if source else ()
        self.warnings = unread(folder)

    def _hash(self, name: str, content: bytes) -> None:
        """Note which file was read."""
        self.hashes[name] = hashlib.sha256(content).hexdigest()


def _is_template(sheet: Sheet) -> bool:
    """Tell whether a table holds the example of the template alone."""
    if len(sheet.rows) != 1:
        return False
    return values.word(EXAMPLE) in map(values.word, sheet.rows[0].cells)


def _patients(
    sheet: Sheet, settings: Settings, findings: Findings
) -> tuple[pd.DataFrame | None, list[str]]:
    """Return the patients of a table, None if it cannot be used, and what was taken."""
    found = recognise(sheet.header, settings, findings)
    headless = findings.errors()
    raw = {ours: [row.cells[place] for row in sheet.rows] for ours, place in found.items()}
    _leave_out_empty(raw)
    records = Records([row.number for row in sheet.rows], raw)
    read_cells(records, settings, findings)
    if headless or findings.one_cause:  # what would be found next only follows from it
        return None, []
    if not records.has("arm"):
        records.values["arm"] = [settings.treatment] * len(records.rows)
    notes = [*_renamed(sheet, found, records), *derive(records, settings, findings)]
    notes += _check_arms(records, settings, findings)
    if findings.errors():
        return None, []
    notes += _missing(records)
    columns = {ours: records.values[ours] for ours in PATIENTS if ours in records.values}
    rows = (
        {ours: cells[place] for ours, cells in columns.items()}
        for place in range(len(records.rows))
    )
    return schema.frame("patients", rows), notes


def _leave_out_empty(raw: dict[str, list]) -> None:
    """Leave out columns without a value: of the template's columns nobody needs all."""
    filled = {ours for ours, cells in raw.items() if any(map(values.text, cells))}
    needed = set(NEEDED) - ({"died"} if "death_date" in filled else set())
    for ours in set(raw) - filled - needed:
        del raw[ours]


def _check_arms(records: Records, settings: Settings, findings: Findings) -> Iterator[str]:
    """Refuse a register in which nobody is under study; say if nobody is compared with."""
    arms = records.values["arm"]
    if settings.treatment not in arms and not any(column == "arm" for column, _ in records.failed):
        rule = (
            f"no patient is in the arm {some([settings.treatment])}, which is under study; name "
            f"the arm under study in cohort.toml with treatment"
        )
        findings.add(rule, column="arm")
    if settings.control and settings.control not in arms:
        yield f"No patient is in the arm {shown(settings.control)}: a cohort of one arm."


def _renamed(sheet: Sheet, found: dict[str, int], records: Records) -> Iterator[str]:
    """Say which columns have other names in the table, and which are empty."""
    names = {ours: sheet.header[place].strip() for ours, place in found.items()}
    if empty := [ours for ours in found if not records.has(ours)]:
        yield f"Empty columns: {', '.join(empty)}."
    other = [f"{shown(name)} as {ours}" for ours, name in names.items() if name != ours]
    if other:
        yield f"Columns read by another name: {', '.join(other)}."


def _missing(records: Records) -> Iterator[str]:
    """Say how many values are missing."""
    lacking = {
        ours: sum(value is None for value in records.values[ours])
        for ours in PATIENTS
        if ours in records.values
    }
    listed = [f"{ours} {count}" for ours, count in lacking.items() if count]
    if listed:
        yield f"Missing values: {', '.join(listed)}."
    if records.words:
        words = [f"{ours} {count}" for ours, count in sorted(records.words.items())]
        yield f"Words such as NA read as missing: {', '.join(words)}."
