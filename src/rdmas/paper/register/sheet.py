"""The table in a file of text or in a workbook, told by content and not by the file's name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from rdmas.paper.problems import Problem
from rdmas.paper.register import workbook
from rdmas.paper.register.delimited import SEPARATORS, records, separator_of
from rdmas.paper.register.encoding import decode, row_at
from rdmas.paper.register.files import read_bytes
from rdmas.paper.register.parts import is_workbook
from rdmas.paper.register.table import (
    LAST_ROW,
    Row,
    Sheet,
    assemble,
    control_rule,
    first_control,
    refuse,
)

__all__ = ["Row", "Sheet", "read_sheet"]

#: How files begin that are often taken for tables.
_OTHERS = (b"%PDF", b"\x1f\x8b", b"\x89PNG", b"Rar!", b"7z\xbc\xaf", b"\xff\xd8\xff")

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
        found = workbook.read_workbook(path.name, data, sheet)
        odd = path.suffix.lower() not in (".xlsx", ".xlsm")
        note = f"A workbook, though its name ends in {path.suffix or path.name}."
        return replace(found, notes=(note, *found.notes)) if odd else found
    if data.startswith(_OTHERS):
        refuse([Problem(path.name, "is no table; save the table as .csv or .xlsx")])
    if max(data.count(b"\n"), data.count(b"\r")) > LAST_ROW:
        rule = f"has more than {LAST_ROW:,} lines, the most that a sheet can have"
        refuse([Problem(path.name, rule)])
    decoded = decode(path.name, data, encoding)
    text, notes, warnings = decoded.text, [decoded.note], list(decoded.warnings)
    if path.suffix.lower() in (".xlsx", ".xls", ".xlsm"):
        notes.append(f"A file of text, though its name ends in {path.suffix}.")
    if sheet:
        rule = f"is a file of text and has no sheet {sheet!r}; all of it was read"
        warnings.append(Problem(path.name, rule, level="warning"))
    _refuse_what_is_no_table(path.name, text)
    if marked := _SEP_LINE.match(text):
        separator, text = marked.group(1), text[marked.end() :]
    else:
        separator = separator_of(text)
    notes.append(f"Separator: {SEPARATORS[separator]}.")
    cells = records(path.name, text, separator)
    rows = ((number, row if any(row) else []) for number, row in enumerate(cells, start=1))
    return assemble(path.name, None, rows, notes, warnings)


def _refuse_what_is_no_table(file: str, text: str) -> None:
    """Refuse what no table of text holds."""
    if not text.strip():
        refuse([Problem(file, "is empty; the first row must hold the names of the columns")])
    if found := first_control(text):
        refuse([Problem(file, control_rule(found.group()), row_at(text[: found.start()]))])
    if text.lstrip().startswith("<"):
        refuse([Problem(file, "is a web page or XML; open it and save it as .xlsx or .csv", 1)])
