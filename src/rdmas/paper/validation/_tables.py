"""Whether a table has the columns of its schema, and every cell its type and limits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from rdmas.paper import schema
from rdmas.paper.descriptor import stated_fields
from rdmas.paper.package import DataPackage
from rdmas.paper.problems import Problem
from rdmas.paper.validation._words import folded, one_of, quoted, several

#: So many columns that are lacking get a sentence each.
_FEW = 3

#: Letters that a cell may have; the longest of the companion's has 410.
_LONGEST = 2000

# Digits are 0 to 9 and no others; a float reads "1_000" and full-width digits too.
_WHOLE = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")


def header_problems(package: DataPackage, name: str) -> list[Problem]:
    """List why the columns of a table are not those of its schema."""
    file, header = package.files[name], package.sheet(name).header
    return list(_header_problems(file, header, _expected(package, name)))


def cell_problems(package: DataPackage, name: str) -> list[Problem]:
    """List the cells of a table that break a rule of its schema."""
    return folded([*_cell_problems(package, name), *_key_problems(package, name)])


def _expected(package: DataPackage, name: str) -> dict[str, bool]:
    """Return the columns that a table may have, and whether it must have each."""
    fields = schema.fields(name)
    if name != "patients":
        return dict.fromkeys(fields, True)
    declared = {} if package.holds_records else stated_fields(package.stated)
    return {
        column: column in declared or field.get("constraints", {}).get("required", False)
        for column, field in fields.items()
    }


def _header_problems(
    file: str, header: Sequence[str], expected: dict[str, bool]
) -> Iterator[Problem]:
    """Yield what is wrong with the first row of a file."""
    lacking = [name for name, must in expected.items() if must and name not in header]
    if len(lacking) > _FEW:
        yield Problem(file, f"there are no columns named {several(lacking)}", 1)
    else:
        for name in lacking:
            yield Problem(file, f"there is no column named {name}", 1, name)
    for name in dict.fromkeys(header):
        if name not in expected:
            rule = f"the schema knows no column named {quoted(name)}; remove or rename it"
            yield Problem(file, rule, 1)
        elif header.count(name) > 1:
            yield Problem(file, "the column stands there more than once", 1, name)


def _cell_problems(package: DataPackage, name: str) -> Iterator[Problem]:
    """Yield the cells that are not what their column holds."""
    fields = package.fields(name)
    if name == "patients" and not package.lists_diagnoses:
        fields["diagnosis"] = schema.fields(name)["diagnosis"]
    for row, cells in package.numbered(name):
        for column, field in fields.items():
            if rule := cell_rule(cells[column], field):
                yield Problem(package.files[name], rule, row, column)


def cell_rule(cell: str, field: dict[str, Any]) -> str:
    """Say what rule of its column a cell breaks; nothing if it breaks none."""
    rules = field.get("constraints", {})
    if not cell:
        return "a value is required" if rules.get("required") else ""
    if len(cell) > _LONGEST:
        return f"{quoted(cell)} has {len(cell):,} letters; the most possible is {_LONGEST:,}"
    if rule := _type_rule(cell, field["type"]):
        return rule
    if "enum" in rules and cell not in map(str, rules["enum"]):
        return f"{quoted(cell)} is not known; use {one_of(rules['enum'])}"
    if "pattern" in rules and not re.fullmatch(rules["pattern"], cell):
        return f"{quoted(cell)} breaks the rule pattern {rules['pattern']}"
    unit = f" {field['unit']} (check the unit)" if "unit" in field else ""
    if "minimum" in rules and float(cell) < rules["minimum"]:
        return f"{quoted(cell)[1:-1]} is too small; the least possible is {rules['minimum']}{unit}"
    if "maximum" in rules and float(cell) > rules["maximum"]:
        return f"{quoted(cell)[1:-1]} is too large; the most possible is {rules['maximum']}{unit}"
    return ""


def _type_rule(cell: str, type_: str) -> str:
    """Say why a cell is not of the type of its column."""
    if type_ == "string":
        hidden = cell.strip() == "" or any(ord(letter) < 32 for letter in cell)
        return f"{quoted(cell)} is no text on one line" if hidden else ""
    if type_ == "integer":
        return "" if _WHOLE.fullmatch(cell) else f"{quoted(cell)} is not a whole number"
    if cell.lower().strip("+-") in ("nan", "inf", "infinity"):
        return f"{quoted(cell)} is not a finite number"
    if _DECIMAL_COMMA.fullmatch(cell):
        return f"{quoted(cell)} is not a number; write {cell.replace(',', '.')[:60]}"
    if not _NUMBER.fullmatch(cell):
        return f"{quoted(cell)} is not a number"
    return "" if math.isfinite(float(cell)) else f"{quoted(cell)} is not a finite number"


def _key_problems(package: DataPackage, name: str) -> Iterator[Problem]:
    """Yield rows whose key another row has."""
    key = schema.table(name)["primaryKey"]
    seen: dict[tuple[str, ...], int] = {}
    for row, cells in package.numbered(name):
        value = tuple(cells[column] for column in key)
        if not all(value):
            continue  # said already: a value is required
        if value in seen:
            rule = f"the value is the same as in row {seen[value]}; it must be unique"
            yield Problem(package.files[name], rule, row, ", ".join(key))
        seen.setdefault(value, row)
