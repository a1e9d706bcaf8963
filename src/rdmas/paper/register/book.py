"""A workbook (XLSX) and the cells of its sheets, as the spreadsheet program shows them.

The sheets are read here and not by openpyxl, whose conventions of numbers and dates are used: it
builds an object for each formatted empty cell, or else tells nothing of hidden rows and merged
cells, and a fault in one cell ends its reading without a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, NoReturn
from xml.etree.ElementTree import Element

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel, from_ISO8601
from openpyxl.utils.escape import unescape

from rdmas.paper.register.parts import (
    Archive,
    Part,
    elements,
    is_true,
    local,
    parsed,
    refuse_file,
    relations,
    text_of,
)
from rdmas.paper.register.table import (
    CELLS,
    COLUMNS,
    LAST_ROW,
    ROWS,
    Cell,
    fault_of,
    letters_of,
)

_STRINGS = 1_000_000
_FAULTS = 5_000
_LAST_COLUMN = 16_384

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})", re.ASCII)

#: Dates of East Asian spreadsheet programs, whose codes no workbook spells out.
_EAST_ASIAN_DATES = {*range(27, 37), *range(50, 59)}


@dataclass(frozen=True)
class Listed:
    """A sheet in the list of a workbook."""

    name: str
    part: str
    hidden: bool


@dataclass
class Book:
    """A workbook of which everything but the cells is known."""

    archive: Archive
    sheets: list[Listed] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    epoch: datetime = WINDOWS_EPOCH


def opened(file: str, data: bytes) -> Book:
    """Return a workbook with its list of sheets, its texts and its formats."""
    book = Book(Archive(file, data))
    types = [
        element.get("ContentType", "")
        for _, element in elements(book.archive, "[Content_Types].xml", {"Override", "Default"})
    ]
    if any("macroEnabled" in kind for kind in types):
        refuse_file(file, "may hold macros; save it as .xlsx, which has none")
    top = relations(book.archive, "")
    main = next(target for kind, target in top.values() if kind == "officeDocument")
    related = relations(book.archive, main)
    wanted = {"workbookPr", "workbookProtection", "sheet"}
    for name, element in elements(book.archive, main, wanted):
        if name == "workbookPr" and is_true(element.get("date1904")):
            book.epoch = MAC_EPOCH
        elif name == "workbookProtection" and _protects(element):
            refuse_file(file, "is a protected workbook; save it without the protection")
        elif name == "sheet":
            key = next((value for at, value in element.items() if local(at) == "id"), "")
            kind, part = related.get(key, ("", ""))
            if kind == "worksheet":
                hidden = element.get("state", "visible") != "visible"
                book.sheets.append(Listed(unescape(element.get("name", "")), part, hidden))
    for kind, part in related.values():
        if kind == "sharedStrings":
            book.strings = _strings(book, part)
        elif kind == "styles":
            book.formats = _formats(book, part)
    if not book.sheets:
        refuse_file(file, "has no sheet")
    return book


def _strings(book: Book, part: str) -> list[str]:
    """Return the texts that cells point to."""
    found = []
    for _, element in elements(book.archive, part, {"si"}):
        found.append(text_of(element))
        if len(found) > _STRINGS:
            refuse_file(
                book.archive.file, f"holds more than {_STRINGS:,} texts; keep only the table in it"
            )
    return found


def _formats(book: Book, part: str) -> list[str]:
    """Return the kind of each format of cells: date, duration, percent or nothing."""
    codes: dict[int, str] = dict(BUILTIN_FORMATS)
    found = []
    for name, element in elements(book.archive, part, {"numFmts", "cellXfs"}):
        for item in element:
            key = int(item.get("numFmtId", 0))
            if name == "numFmts":
                codes[key] = item.get("formatCode", "")
            else:
                found.append(_kind(key, codes.get(key, "")))
    return found


def _kind(key: int, code: str) -> str:
    """Return what numbers of a format are."""
    if is_timedelta_format(code):
        return "duration"
    if is_date_format(code) or (not code and key in _EAST_ASIAN_DATES):
        return "date"
    return "percent" if "%" in re.sub(r'"[^"]*"|\\.', "", code) else ""


class Reader:
    """The rows of a sheet, and afterwards what stands around them."""

    def __init__(self, book: Book, sheet: Listed) -> None:
        self.book = book
        self.sheet = sheet
        self.faults: list[tuple[int, int, str, object]] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: list[int] = []
        self.merged: list[str] = []
        self.formulas = 0
        self.filtered = self.protected = False
        self.last = 0

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """Yield number and cells of each row in which a cell is stored."""
        number = place = filled = rows = 0
        cells: list[Cell] = []
        stream = Part(self.book.archive, self.sheet.part, slim=True)
        wanted = {"c", "col", "mergeCell", "autoFilter", "sheetProtection"}
        for name, element in parsed(stream, wanted, starts={"row"}):
            if name == "row":
                if cells:
                    yield number, cells
                before, number = number, int(element.get("r", number + 1))
                if not before < number <= LAST_ROW:
                    raise ValueError("rows out of order")
                cells, place = [], -1
                if is_true(element.get("hidden")):
                    self.hidden_rows.add(number)
            elif name == "c":
                place = self._place(element, number, place)
                if (value := self._value(element, number, place)) is None:
                    continue
                filled += 1
                rows += not cells
                if place >= COLUMNS:
                    rule = f"stands in column {letters_of(place)}; {COLUMNS:,} are the limit"
                    self._refuse(rule, number, value)
                if filled > CELLS or rows > ROWS + 1:
                    rule = f"holds more than {ROWS:,} rows or {CELLS:,} cells"
                    self._refuse(f"{rule}; keep only the register in it")
                cells += [None] * (place - len(cells)) + [value]
            else:
                self._around(name, element)
        if cells:
            yield number, cells
        self.last = min(max(number, stream.last_row), LAST_ROW)

    def _refuse(self, rule: str, row: int | None = None, value: object = None) -> NoReturn:
        """Raise the error of the sheet."""
        refuse_file(self.book.archive.file, rule, sheet=self.sheet.name, row=row, value=value)

    def _around(self, name: str, element: Element) -> None:
        """Keep in mind what may hide or change what people see."""
        if name == "mergeCell":
            self.merged.append(element.get("ref", ""))
        elif name == "autoFilter":
            self.filtered = True
        elif name == "sheetProtection":
            self.protected = _protects(element) and is_true(element.get("sheet"))
        elif is_true(element.get("hidden")):
            first, last = int(element.get("min", 1)), int(element.get("max", 1))
            self.hidden_columns += range(first - 1, min(last, COLUMNS))

    def _place(self, element: Element, number: int, before: int) -> int:
        """Return the column of a cell, of which the first is 0."""
        if (place := element.get("r")) is None:
            return before + 1
        match = _PLACE.fullmatch(place)
        if match is None or int(match.group(2)) != number:
            raise ValueError("a cell out of its row")
        column = 0
        for letter in match.group(1):
            column = column * 26 + ord(letter) - ord("A") + 1
        if not before < column - 1 < _LAST_COLUMN:
            raise ValueError("cells out of order")
        return column - 1

    def _value(self, element: Element, number: int, place: int) -> Cell:
        """Return what a cell shows; what cannot be taken is a fault."""
        kind = element.get("t", "n")
        parts = {local(child.tag): child for child in element}
        stored = parts["v"].text if "v" in parts else None
        if (formula := parts.get("f")) is not None:
            self.formulas += 1
            if stored is None and not (kind == "str" and "v" in parts):
                rule = "is a formula without a stored value; open the file, save it, or type it in"
                self._fault(number, place, rule, f"={formula.text or ''}")
                return None
        try:
            value = self._converted(kind, element, parts, stored)
        except _CellError as error:
            self._fault(number, place, str(error), stored)
            return None
        if isinstance(value, str) and (fault := fault_of(value)):
            self._fault(number, place, fault, value)
            return None
        return None if value == "" else value

    def _fault(self, number: int, place: int, rule: str, value: object) -> None:
        """Keep a fault in mind; more than are listed are too many to go on."""
        self.faults.append((number, place, rule, value))
        if len(self.faults) > _FAULTS:
            self._refuse("has thousands of cells that cannot be read")

    def _converted(
        self, kind: str, element: Element, parts: dict[str, Element], stored: str | None
    ) -> Cell:
        """Return the value of a cell by the kind that it says it is."""
        if kind == "inlineStr":
            return text_of(parts["is"]) if "is" in parts else None
        if stored is None:
            return None
        match kind:
            case "s":
                return self._shared(int(stored))
            case "str":
                return unescape(stored)
            case "b":
                return is_true(stored)
            case "d":
                return _day(from_ISO8601(stored))
            case "n":
                return self._number(stored.strip(), int(element.get("s", 0)))
        raise _CellError("is an error and no value; mend the cell or empty it")

    def _shared(self, key: int) -> str:
        """Return a text that several cells can point to."""
        if key < 0:
            raise IndexError("texts are counted from 0")
        return self.book.strings[key]

    def _number(self, stored: str, style: int) -> Cell:
        """Return a number, or the date or share that its format makes of it."""
        if not _NUMBER.fullmatch(stored):
            raise _CellError("is no number, though the cell says so")
        value = float(stored) if re.search("[.eE]", stored) or len(stored) > 18 else int(stored)
        if not abs(value) < 1e300:
            raise _CellError("is too large for a number")
        form = self.book.formats[style] if style < len(self.book.formats) else ""
        if form == "percent":
            return f"{value * 100:.12g}%"
        if not form:
            return value
        try:
            return _day(from_excel(value, self.book.epoch, timedelta=form == "duration"))
        except (ValueError, OverflowError):
            raise _CellError("has the format of a date and is none") from None


class _CellError(ValueError):
    """Why the value of a cell cannot be taken."""


def _day(value: Any) -> Cell:
    """Return a date without the midnight that workbooks add; times of day as text."""
    if isinstance(value, datetime) and value.time() == time():
        return value.date()
    return value if isinstance(value, date) else str(value)


def _protects(element: Element) -> bool:
    """Return whether an element locks anything or asks for a password."""
    return any(
        is_true(value) or "password" in name.lower() or "hash" in name.lower()
        for name, value in element.items()
    )
