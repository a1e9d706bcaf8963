"""The table in a workbook (XLSX), and what the workbook might hide."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdmas.paper.problems import Problem
from rdmas.paper.register.book import Book, Listed, Reader, opened
from rdmas.paper.register.files import read_bytes
from rdmas.paper.register.parts import is_workbook, readable, refuse_file
from rdmas.paper.register.table import Cell, Sheet, assemble, is_blank, letters_of, refuse

#: Sheets that hold data if they are there, and sheets that never do.
DATA = ("data", "patients", "daten", "patienten", "数据", "患者")
SETTINGS = "settings"
NO_DATA = (SETTINGS, "dictionary")


def read_workbook(file: str, data: bytes, sheet: str | None = None) -> Sheet:
    """Return the table that a workbook holds.

    Parameters
    ----------
    file : str
        Name of the file, for problems.
    data : bytes
        Its content.
    sheet : str, optional
        Name of the sheet; by default ``data``, ``patients`` or the first with a table.

    Raises
    ------
    CohortError
        If the workbook is encrypted, protected, of old form, damaged or a bomb, or a cell has
        no value that can be taken.
    """
    with readable(file):
        book = opened(file, data)
        chosen, notes, warnings = _choice(book, sheet)
        found = _read(book, chosen)
    refuse(found.faults)
    notes += found.notes
    return assemble(file, chosen.name, found.rows, notes, warnings + found.warnings, found.last)


def settings_sheet(path: str | Path) -> dict[str, Any] | None:
    """Return what the sheet ``settings`` of a workbook says.

    Parameters
    ----------
    path : str or pathlib.Path
        The workbook, or any other file.

    Returns
    -------
    dict or None
        Values by key; those with a section in a dictionary of their own, as in TOML
        (``values.response`` is a section in a section). None for a file without such a sheet.

    Notes
    -----
    The columns are key and value, and perhaps section; a first row with these three words gives
    their order. A key without a value is left out.
    """
    path = Path(path)
    data = read_bytes(path)
    if not is_workbook(data):
        return None
    with readable(path.name):
        book = opened(path.name, data)
        named = [sheet for sheet in book.sheets if _folded(sheet.name) == SETTINGS]
        if not named:
            return None
        found = _read(book, named[0])
    refuse(found.faults)
    return _settings(path.name, named[0].name, found.rows)


@dataclass
class _Found:
    """What stands in a sheet."""

    rows: list[tuple[int, list[Cell]]] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    last: int = 0


def _choice(book: Book, name: str | None) -> tuple[Listed, list[str], list[Problem]]:
    """Return the sheet with the patients, and what is to be said about the choice."""
    warnings = []
    offered = [sheet for sheet in book.sheets if _folded(sheet.name) not in NO_DATA]
    listed = ", ".join(sheet.name for sheet in offered) or "none that could hold data"
    tables = []
    if name:
        named = [sheet for sheet in offered if _folded(sheet.name) == _folded(name)]
        if not named:
            refuse_file(
                book.archive.file,
                f"has no sheet of data with this name; there is {listed}",
                value=name,
            )
    else:
        named = [sheet for key in DATA for sheet in offered if _folded(sheet.name) == key]
    if not named:
        tables = [sheet for sheet in offered if not sheet.hidden and _holds_table(book, sheet)]
        named = tables or [sheet for sheet in offered if _holds_table(book, sheet)] or offered
    if not named:
        refuse_file(book.archive.file, "has no sheet of data")
    chosen = named[0]
    if chosen.hidden:
        rule = "is a hidden sheet and was read"
        warnings.append(Problem(book.archive.file, rule, sheet=chosen.name, level="warning"))
    if len(tables) > 1:
        rule = (
            f"is the first of {len(tables)} sheets with a table; the others were not read; name "
            "the right one data, or say in the settings which it is"
        )
        warnings.append(Problem(book.archive.file, rule, sheet=chosen.name, level="warning"))
    left = len(book.sheets) - 1
    note = f"Sheet: {chosen.name}" + (f" ({left} more in the workbook)." if left else ".")
    return chosen, [note], warnings


def _holds_table(book: Book, sheet: Listed) -> bool:
    """Return whether two rows of a sheet have two filled cells or more."""
    wide = 0
    reader = Reader(book, sheet)
    for _, cells in reader.rows():
        wide += sum(not is_blank(cell) for cell in cells) > 1
        if wide == 2 or reader.faults:
            return True
    return False


def _read(book: Book, sheet: Listed) -> _Found:
    """Return everything that a sheet holds."""
    reader = Reader(book, sheet)
    rows = list(reader.rows())
    if reader.protected:
        rule = "is a protected sheet; save it without the protection"
        refuse_file(book.archive.file, rule, sheet=sheet.name)
    filled = [(number, cells) for number, cells in rows if not all(map(is_blank, cells))]
    names = filled[0][1] if filled else []

    def problem(rule: str, row: int | None = None, **more: Any) -> Problem:
        return Problem(book.archive.file, rule, row, sheet=sheet.name, **more)

    faults = [
        problem(rule, row, column=_column(names, place), value=value)
        for row, place, rule, value in reader.faults
    ]
    warnings = []
    if hidden := [number for number, _ in filled if number in reader.hidden_rows]:
        more = f" ({len(hidden) - 1:,} more hidden)" if len(hidden) > 1 else ""
        rule = f"is hidden and was read{more}"
        warnings.append(problem(rule, hidden[0], level="warning"))
    if hidden_columns := [
        place for place in reader.hidden_columns if place < len(names) and names[place] is not None
    ]:
        rule = "is a hidden column and was read"
        column = _column(names, hidden_columns[0])
        more = f" ({len(hidden_columns) - 1:,} more hidden)" if hidden_columns[1:] else ""
        warnings.append(problem(rule + more, column=column, level="warning"))
    if reader.filtered:
        rule = "has a filter; every row was read, whether the filter shows it or not"
        warnings.append(problem(rule, level="warning"))
    if reader.merged:
        more = f" and {len(reader.merged) - 1:,} more" if len(reader.merged) > 1 else ""
        rule = (
            f"has merged cells ({reader.merged[0]}{more}), of which the first alone has the "
            "value; unmerge them and fill in the others"
        )
        warnings.append(problem(rule, level="warning"))
    notes = []
    if reader.formulas:
        notes.append(f"Formulas, of which the stored values were taken: {reader.formulas:,}.")
    return _Found(rows, faults, notes, warnings, reader.last)


def _column(names: list[Cell], place: int) -> str:
    """Return the name of a column, or its letters."""
    name = names[place] if place < len(names) else None
    return letters_of(place) if is_blank(name) else str(name)


def _settings(file: str, sheet: str, rows: list[tuple[int, list[Cell]]]) -> dict[str, Any]:
    """Return keys and values, those of a section together."""
    order = {"key": 0, "value": 1, "section": 2}
    found: dict[str, Any] = {}
    for index, (number, cells) in enumerate(row for row in rows if not all(map(is_blank, row[1]))):
        words = [_folded(str(cell)) for cell in cells]
        if index == 0 and {"key", "value"} <= set(words):
            order = {word: at for at, word in enumerate(words) if word in order}
            continue
        entry = {word: cells[at] if at < len(cells) else None for word, at in order.items()}
        if is_blank(entry["value"]):
            continue
        place: dict[str, Any] = {"sheet": sheet, "row": number}
        if is_blank(entry["key"]):
            refuse_file(file, "is a value without a key", value=entry["value"], **place)
        target = found
        section = "" if is_blank(entry.get("section")) else str(entry["section"])
        for part in section.strip().split(".") if section else []:
            target = target.setdefault(part.strip(), {})
            if not isinstance(target, dict):
                refuse_file(file, "is a key and a section at once", value=section, **place)
        key = str(entry["key"]).strip()
        if key in target:
            refuse_file(file, "stands there more than once", value=key, **place)
        value = entry["value"]
        target[key] = value.strip() if isinstance(value, str) else value
    return found


def _folded(name: str) -> str:
    """Return a name as it is compared."""
    return name.strip().casefold()
