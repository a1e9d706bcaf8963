"""Rows and cells of a text: which separator there is, and where a row ends."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from rdmas.paper.problems import CohortError, Problem
from rdmas.paper.register.table import CHARACTERS, COLUMNS, fault_of, is_blank

#: Separators by preference where two explain a file equally well: a decimal comma stands in
#: files with semicolons, and never a semicolon in numbers.
SEPARATORS = {"\t": "tab", ";": "semicolon", ",": "comma"}

_SAMPLE = 65_536
_SAMPLE_ROWS = 200


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
        if sum(map(len, taken)) > CHARACTERS:
            for cell in cells:
                if len(cell) > CHARACTERS:
                    raise CohortError(Problem(file, f"{fault_of(cell)}", number, value=cell))
        yield cells


def _unparsed(file: str, number: int, row: str, separator: str, error: csv.Error) -> Problem:
    """Say why a row cannot be told apart into cells."""
    if "field limit" in str(error):
        cell = max(row.rstrip().split(separator), key=len)
        if len(cell) <= CHARACTERS:  # the cell is quoted and holds the separator
            cell = row[max(row.find('"'), 0) :].rstrip()
        return Problem(file, f"{fault_of(cell)}", number, value=cell)
    rule = "a quotation mark is not closed, or stands inside a cell without being written twice"
    return Problem(file, rule, number, value=row[row.find('"') :].rstrip())


def separator_of(text: str) -> str:
    """Return the separator with which most rows have the same number of cells, two or more."""
    sample = text[:_SAMPLE]
    scores = {}
    for separator in SEPARATORS:
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
