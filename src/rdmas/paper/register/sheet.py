"""The table in a file of text or in a workbook, told by content and not by the file's name."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from rdmas.paper.problems import CohortError, Problem
from rdmas.paper.register import workbook
from rdmas.paper.register.encoding import decode, row_at
from rdmas.paper.register.files import read_bytes
from rdmas.paper.register.parts import is_workbook
from rdmas.paper.register.table import (
    CHARACTERS,
    COLUMNS,
    Row,
    Sheet,
    assemble,
    control_rule,
    fault_of,
    first_control,
    is_blank,
    refuse,
)

__all__ = ["Row", "Sheet", "read_sheet", "records"]

#: Separators by preference where two explain a file equally well: a decimal comma stands in
#: files with semicolons, and never a semicolon in numbers.
_SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma"}

_SAMPLE = 65_536
_SAMPLE_ROWS = 200

#: A spreadsheet program's own first line, which it doesn't show.
_SEP_LINE = re.compile(r"sep=([,;\t])(\r\n|\n|\r)", re.IGNORECASE)


def read_sheet(path: str | Path, encoding: str | None = None, sheet: str | None = None) -> Sheet:
    """Return the table that a file holds.

    Parameters
    ----------
    path : str or pathlib.Path
        A file of text (cells separated by comma, semicolon or tab) or a workbook (XLSX).
    encoding : str, optional
        Encoding of a file of text; by default it is told from the bytes.
    sheet : str, optional
        Name of the sheet of a workbook; by default ``data``, ``patients`` or the first with a
        table.

    Returns
    -------
    Sheet
        Its notes say what was taken, its warnings what is odd.

    Raises
    ------
    CohortError
        If the file cannot be read as one table, with the row of each fault.
    """
    path = Path(path)
    data = read_bytes(path)
    if is_workbook(data):
        return workbook.read_workbook(path.name, data, sheet)
    decoded = decode(path.name, data, encoding)
    text, notes, warnings = decoded.text, [decoded.note], list(decoded.warnings)
    if sheet:
        rule = f"is a file of text and has no sheet {sheet!r}; all of it was read"
        warnings.append(Problem(path.name, rule, level="warning"))
    _refuse_what_is_no_table(path.name, data, text)
    if marked := _SEP_LINE.match(text):
        separator, text = marked.group(1), text[marked.end() :]
    else:
        separator = _separator(text)
    notes.append(f"Separator: {_SEPARATORS[separator]}.")
    rows = enumerate(records(path.name, text, separator), start=1)
    return assemble(path.name, None, rows, notes, warnings)


def records(file: str, text: str, separator: str = ",") -> Iterator[list[str]]:
    """Yield the cells of each row of a text, a blank line as a row without cells.

    Raises
    ------
    CohortError
        If a quotation mark is not closed, or a cell or a row is longer than a table needs.
    """
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    rows = csv.reader(lines(), delimiter=separator, strict=True)
    number = 0
    while True:
        taken.clear()
        number += 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise CohortError(_unparsed(file, number, "".join(taken), separator, error)) from None
        if len(cells) > COLUMNS:
            rule = f"has {len(cells):,} cells; a register may have {COLUMNS:,} columns"
            raise CohortError(Problem(file, rule, number))
        for cell in cells:
            if len(cell) > CHARACTERS:
                raise CohortError(Problem(file, f"{fault_of(cell)}", number, value=cell))
        yield cells


def _unparsed(file: str, number: int, row: str, separator: str, error: csv.Error) -> Problem:
    """Say why a row cannot be told apart into cells."""
    if "field limit" in str(error):
        cell = max(row.split(separator), key=len)
        return Problem(file, f"{fault_of(cell)}", number, value=cell)
    opening = row.find('"')
    rule = "a quotation mark is not closed; one inside a cell in quotation marks is written twice"
    return Problem(file, rule, number, value=row[max(opening, 0) :])


def _refuse_what_is_no_table(file: str, data: bytes, text: str) -> None:
    """Refuse what no table of text holds."""
    if not text.strip():
        refuse([Problem(file, "is empty; the first row must hold the names of the columns")])
    if data.startswith((b"%PDF", b"\x1f\x8b", b"\x89PNG", b"Rar!", b"7z\xbc\xaf", b"\xff\xd8\xff")):
        refuse([Problem(file, "is no table; save the table as .csv or .xlsx")])
    if found := first_control(text):
        refuse([Problem(file, control_rule(found.group()), row_at(text[: found.start()]))])
    if text.lstrip().startswith("<"):
        refuse([Problem(file, "is a web page or XML; open it and save it as .xlsx or .csv", 1)])


def _separator(text: str) -> str:
    """Return the separator with which most rows have the same number of cells, two or more."""
    sample = text[:_SAMPLE]
    scores = {}
    for separator in _SEPARATORS:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
        try:
            widths = Counter(
                len(cells) for cells in islice(rows, _SAMPLE_ROWS) if not all(map(is_blank, cells))
            )
        except csv.Error:
            continue
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        if width > 1:
            scores[separator] = count / widths.total(), width
    return max(scores, key=lambda separator: scores[separator], default=",")
