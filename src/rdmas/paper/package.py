"""A data package as its files say it: each is read once, and nothing is believed yet.

Of ``datapackage.json`` only names are taken, see `rdmas.paper.descriptor`; the rules of every
table are those of `rdmas.paper.schema`, whatever stands in the folder.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdmas.paper import schema
from rdmas.paper.descriptor import DESCRIPTOR, read_stated, stated_tables, taken
from rdmas.paper.paths import companion_data_dir
from rdmas.paper.problems import CohortError, Problem, shown
from rdmas.paper.register import files

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BESIDE_REGISTER",
    "DESCRIPTOR",
    "EVIDENCE",
    "ROLES",
    "CohortError",
    "DataPackage",
    "Problem",
    "companion_descriptor",
    "shown",
    "table_schema",
]

#: Tables of published cohorts; a folder has both or neither.
EVIDENCE = ("evidence", "evidence_percentages")

#: Tables that may stand beside a register.
BESIDE_REGISTER = ("claims", *EVIDENCE)

#: What a registry may call the two arms, whatever the cohort calls them.
ROLES = ("treatment", "control")


class DataPackage:
    """The files of a data folder.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        The data folder.
    descriptor : mapping, optional
        What is known of a register, in the form of `rdmas.paper.descriptor.taken`. The folder
        then needs no ``datapackage.json``: its tables are those of `BESIDE_REGISTER` that stand
        in it. By default the folder's own ``datapackage.json`` is read.
    without : collection of str, optional
        Tables to leave unread, such as one that is about to be written.

    Attributes
    ----------
    folder : pathlib.Path
        The data folder.
    stated : dict
        The content of ``datapackage.json``, as it stands there.
    files : dict of str to str
        The file of each table, by name of the table.

    Raises
    ------
    CohortError
        If the descriptor is missing or is not a JSON object.

    Examples
    --------
    >>> package = DataPackage(companion_data_dir())
    >>> package.files["claims"], len(package.rows("claims"))
    ('claims.csv', 22)
    """

    def __init__(
        self,
        data_dir: str | Path,
        descriptor: Mapping[str, Any] | None = None,
        without: Collection[str] = (),
    ) -> None:
        self.folder = Path(data_dir)
        self.stated: dict[str, Any] = {}
        self._lines: dict[str, list[tuple[int, list[str]]]] = {}
        self._empty: dict[str, list[int]] = {}
        if descriptor is None:
            self.stated = read_stated(self.folder)
            wanted = set(schema.tables()) - set(without)
            known = [it for it in stated_tables(self.stated) if it["name"] in wanted]
            self.files = {it["name"]: it.get("path", f"{it['name']}.csv") for it in known}
        else:
            self.descriptor = dict(descriptor)
            found = [name for name in BESIDE_REGISTER if self._stands_there(f"{name}.csv")]
            self.files = {name: f"{name}.csv" for name in found}

    def _stands_there(self, file: str) -> bool:
        """Tell whether a name of the folder is taken, by whatever."""
        return (self.folder / file).is_symlink() or (self.folder / file).exists()

    @cached_property
    def descriptor(self) -> dict[str, Any]:
        """Return what is taken from a valid ``datapackage.json``."""
        arms, diagnoses = self.values("patients", "arm"), self.values("patients", "diagnosis")
        if "patients" not in self.files or not self._stands_there(self.files["patients"]):
            arms = [self.stated["companion"]["controlArm"]]
        if "claims" in self.files and not diagnoses:
            listed = self.rows("claims")
            named = [row["category"] for row in listed if row["variable"] == "diagnosis"]
            diagnoses = list(dict.fromkeys(named))
        return taken(self.stated, arms, diagnoses)

    def fields(self, table: str) -> dict[str, dict]:
        """Return the schema of each column of a table, by name."""
        if table != "patients":
            return schema.fields(table)
        return {it["name"]: it for it in table_schema(self.descriptor, "patients")["fields"]}

    def lines(self, table: str) -> list[tuple[int, list[str]]]:
        """Return the lines of a file with their numbers, header first and empty ones left out.

        Raises
        ------
        CohortError
            If the file cannot be read, is not UTF-8 text, or cannot be told apart into cells.
        """
        if table not in self._lines:
            file = self.files[table]
            lines = csv.reader(io.StringIO(_read_text(self.folder, file), newline=""), strict=True)
            try:
                every = list(enumerate(lines, start=1))
            except csv.Error as error:
                rule = f"is not CSV ({error})"
                raise CohortError(Problem(file, rule, lines.line_num)) from None
            self._lines[table] = [(row, cells) for row, cells in every if any(cells)]
            self._empty[table] = [row for row, cells in every if not any(cells)]
        return self._lines[table]

    def empty_lines(self, table: str) -> list[int]:
        """Return the numbers of the lines of a file in which nothing stands."""
        self.lines(table)
        return self._empty[table]

    def numbered(self, table: str) -> list[tuple[int, dict[str, str]]]:
        """Return the rows of a table by name of the column, each with its number in the file."""
        header, *lines = [cells for _, cells in self.lines(table)] or [[]]
        rows = [row for row, _ in self.lines(table)[1:]]
        lacking = dict.fromkeys(set(schema.fields(table)) - set(header), "")
        return [
            (row, {**dict(zip(header, cells, strict=False)), **lacking})
            for row, cells in zip(rows, lines, strict=True)
        ]

    def rows(self, table: str) -> list[dict[str, str]]:
        """Return the rows of a table by name of the column."""
        return [cells for _, cells in self.numbered(table)]

    def values(self, table: str, column: str) -> list[str]:
        """Return the different values of a column, if there is such a table; empty left out."""
        if table not in self.files or not self._stands_there(self.files[table]):
            return []
        return [value for value in dict.fromkeys(row[column] for row in self.rows(table)) if value]

    def frame(self, table: str, empty_texts: bool = False) -> pd.DataFrame:
        """Return a valid table with the types and in the order of its schema.

        Empty cells are missing; with `empty_texts` those of text are empty strings. A claim's
        ``treatment`` and ``control`` become the names of the arms.
        """
        rows = [
            {name: _typed(row[name], field["type"], empty_texts) for name, field in fields.items()}
            for fields in [schema.fields(table)]
            for row in self.rows(table)
        ]
        if table == "claims":
            for row in rows:
                row["arm"] = self.arm_called(row["arm"])
        return schema.frame(table, rows)

    def arm_called(self, name: str) -> str:
        """Return the arm that a registry means: by its name, or by what it is."""
        companion = self.descriptor["companion"]
        arms = (companion["treatmentArm"], companion["controlArm"])
        roles = dict(zip(ROLES, arms, strict=True))
        return name if name in arms else roles.get(name) or name


def table_schema(descriptor: Mapping[str, Any], table: str) -> dict[str, Any]:
    """Return the schema of a table from a descriptor."""
    return next(item for item in descriptor["resources"] if item["name"] == table)["schema"]


@cache
def companion_descriptor() -> dict[str, Any]:
    """Return the companion's own descriptor."""
    return DataPackage(companion_data_dir()).descriptor


def _typed(value: str, type_: str, empty_texts: bool) -> Any:
    """Return a valid cell as what it stands for."""
    if not value:
        return "" if empty_texts and type_ == "string" else None
    return {"integer": int, "number": float, "string": str}[type_](value)


def _read_text(folder: Path, file: str) -> str:
    """Read a file of the folder."""
    try:
        text = files.read_bytes(folder / file, folder=folder).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        fault = Problem(file, "is not UTF-8 text; save it with the encoding UTF-8", row)
        raise CohortError(fault) from None
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        raise CohortError(Problem(file, "holds a NUL byte; save it as plain text", row))
    return text
