"""A table of rows and named columns, out of whatever cells a file holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from rdmas.paper.problems import CohortError, Problem

Cell = str | int | float | bool | date | datetime | None

ROWS = 100_000
LAST_ROW = 1_048_576
COLUMNS = 500
CELLS = 3_000_000
CHARACTERS = 10_000

#: So many rows with the same fault are one fault.
_ALIKE = 5

_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Row:
    """A row of a table.

    Attributes
    ----------
    number : int
        Number that a spreadsheet program shows beside it.
    cells : tuple
        One for each column; None where nothing stands.
    """

    number: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Sheet:
    """A table as it stands in a file: nothing is interpreted yet.

    Attributes
    ----------
    file : str
        Name of the file.
    sheet : str or None
        Name of the sheet; None for a file of text.
    header : tuple of str
        Names of the columns as they stand there; none is blank.
    rows : tuple of Row
        Rows that hold anything.
    notes : tuple of str
        What was taken when reading; no value of a patient.
    warnings : tuple of Problem
        What is odd; for the terminal only.
    header_row : int
        Number of the header's row.
    """

    file: str
    sheet: str | None
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    header_row: int = 1


def fault_of(text: str) -> str | None:
    """Return the rule that a text in a cell breaks."""
    if len(text) > CHARACTERS:
        rule = f"has more than {CHARACTERS:,} characters, too many for a cell"
        return f"{rule}; perhaps a quotation mark is not closed" if "\n" in text else rule
    if found := _CONTROL.search(text):
        return control_rule(found.group())
    return None


def control_rule(letter: str) -> str:
    """Return what is wrong with a character that no table of text has."""
    if letter == "\0":
        return "holds a NUL byte; save the table as plain text"
    return f"holds a control character (U+{ord(letter):04X}), which no table of text has"


def first_control(text: str) -> re.Match[str] | None:
    """Return the first character that no table of text has."""
    return _CONTROL.search(text)


def is_blank(cell: Cell) -> bool:
    """Return whether nothing, or nothing but blanks, stands in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def refuse(problems: Sequence[Problem]) -> None:
    """Raise an error if there are problems."""
    if problems:
        raise CohortError(*problems)


def assemble(
    file: str,
    sheet: str | None,
    records: Iterable[tuple[int, Sequence[Cell]]],
    notes: Sequence[str] = (),
    warnings: Sequence[Problem] = (),
    last: int = 0,
) -> Sheet:
    """Return the table that the rows of a file make.

    Parameters
    ----------
    file, sheet : str or None
        Where the rows stand.
    records : iterable of (int, sequence of cells)
        Number and cells of each row, in order; rows where nothing stands may be missing.
    notes, warnings : sequence
        What is known already.
    last : int, optional
        Number of the last row in a sheet of a workbook, whether anything stands in it or not.

    Raises
    ------
    CohortError
        If there is no table, or its rows don't fit together.
    """

    def problem(rule: str, row: int | None = None, **more: object) -> Problem:
        return Problem(file, rule, row, sheet=sheet, **more)  # type: ignore[arg-type]

    filled: list[tuple[int, Sequence[Cell]]] = []
    total = 0
    for number, cells in records:
        last = max(last, number)
        if not all(map(is_blank, cells)):
            filled.append((number, cells))
            total += len(cells)
        if len(filled) > ROWS + 1 or total > CELLS:
            rule = f"has more than {ROWS:,} rows or {CELLS:,} cells; keep only the register in it"
            refuse([problem(rule)])
    if not filled:
        refuse([problem("is empty; the first row must hold the names of the columns")])
    (first, names), *body = filled
    named = _filled(names, range(len(names)))
    nameless = sorted(set(range(len(names))).difference(named))
    if all(sum(not is_blank(cell) for cell in cells) == 1 for _, cells in filled):
        rule = "has one column only; comma, semicolon and tab can separate columns"
        refuse([problem(rule if sheet is None else "has one column only", first)])
    if len(named) == 1:
        rule = "is the first row and has one cell only; it must hold the names of the columns"
        refuse([problem(rule, first)])
    if not body:
        refuse([problem("has a header and no rows")])

    faults = []
    for number, cells in body:
        if sheet is None and len(cells) != len(names):
            faults.append(problem(_ragged_rule(cells, len(names)), number))
        elif strays := _filled(cells, [*nameless, *range(len(names), len(cells))]):
            rule = f"stands in column {letters_of(strays[0])}, which has no name in row {first}"
            faults.append(problem(rule, number, value=cells[strays[0]]))
    refuse(_folded(faults))

    notes, warnings = list(notes), list(warnings)
    if first > 1:
        notes.append(f"Empty rows above the names of the columns: {first - 1:,}.")
    if last > body[-1][0]:
        notes.append(f"Empty rows at the end, left out: {last - body[-1][0]:,}.")
    if nameless:
        notes.append(f"Empty columns without a name, left out: {len(nameless):,}.")
    numbers = {number for number, _ in body}
    if gaps := [row for row in range(first + 1, body[-1][0]) if row not in numbers]:
        more = f" ({len(gaps) - 1:,} more in the middle of the table)" if len(gaps) > 1 else ""
        warnings.append(problem(f"is empty and was left out{more}", gaps[0], level="warning"))
    rows = tuple(Row(number, tuple(_taken(cells, named))) for number, cells in body)
    header = tuple(str(names[place]) for place in named)
    return Sheet(file, sheet, header, rows, tuple(notes), tuple(warnings), first)


def _folded(faults: Sequence[Problem]) -> list[Problem]:
    """Let the first of many rows with the same fault stand for all."""
    counts = Counter(fault.rule for fault in faults)
    first = {fault.rule: fault for fault in reversed(faults)}
    kept = []
    for fault in faults:
        more = counts[fault.rule] - 1
        if more < _ALIKE - 1:
            kept.append(fault)
        elif fault is first[fault.rule]:
            kept.append(replace(fault, rule=f"{fault.rule} ({more:,} more rows alike)"))
    return kept


def letters_of(place: int) -> str:
    """Return a spreadsheet's name of a column, of which the first is 0.

    Examples
    --------
    >>> letters_of(0), letters_of(25), letters_of(26), letters_of(701), letters_of(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _filled(cells: Sequence[Cell], places: Iterable[int]) -> list[int]:
    """Return those of some places at which something stands."""
    return [place for place in places if place < len(cells) and not is_blank(cells[place])]


def _taken(cells: Sequence[Cell], places: Sequence[int]) -> Iterable[Cell]:
    """Yield the cells at some places; an empty text is nothing."""
    for place in places:
        cell = cells[place] if place < len(cells) else None
        yield None if cell == "" else cell


def _ragged_rule(cells: Sequence[Cell], width: int) -> str:
    """Say that a row has more or fewer cells than the header."""
    count = "1 cell" if len(cells) == 1 else f"{len(cells):,} cells"
    rule = f"has {count} where the header has {width:,}"
    if any(isinstance(cell, str) and "\n" in cell for cell in cells):
        return f"{rule}; perhaps a quotation mark is not closed"
    if len(cells) > width:
        return f"{rule}; a cell that holds the separator needs quotation marks around it"
    return f"{rule}; leave a cell empty where nothing is known"
