"""A data package as its files say it: each is read once, and nothing is believed yet.

Of ``datapackage.json`` only names are taken, see `rdmas.paper.descriptor`; the rules of every
table are those of `rdmas.paper.schema`, whatever stands in the folder.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdmas.paper import schema
from rdmas.paper.descriptor import (
    DESCRIPTOR,
    read_stated,
    stated_fields,
    stated_tables,
    taken,
)
from rdmas.paper.paths import companion_data_dir
from rdmas.paper.problems import CohortError, Problem, shown
from rdmas.paper.register.files import read_bytes
from rdmas.paper.register.sheet import Sheet, read_sheet

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
    "companion_frame",
    "shown",
    "table_schema",
]

#: Tables of published cohorts; a folder has both or neither.
EVIDENCE = ("evidence", "evidence_percentages")

#: Tables that may stand beside a register.
BESIDE_REGISTER = ("claims", *EVIDENCE)

#: What a registry may call the two arms, whatever the cohort calls them.
ROLES = ("treatment", "control")


#: How tables are usually written.
_USUAL = ("Encoding: UTF-8.", "Separator: comma.")


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
        self._sheets: dict[str, Sheet] = {}
        if descriptor is None:
            self.stated = read_stated(self.folder)
            wanted = set(schema.tables()) - set(without)
            known = [it for it in stated_tables(self.stated) if it["name"] in wanted]
            self.files: dict[str, str] = {
                it["name"]: it.get("path", f"{it['name']}.csv") for it in known
            }
        else:
            self.descriptor = dict(descriptor)
            self.files = {}
        if descriptor is not None or self.holds_records:
            found = [name for name in BESIDE_REGISTER if self._stands_there(f"{name}.csv")]
            self.files = {name: f"{name}.csv" for name in found} | self.files

    def _stands_there(self, file: str) -> bool:
        """Tell whether a name of the folder is taken, by whatever."""
        return (self.folder / file).is_symlink() or (self.folder / file).exists()

    @property
    def holds_records(self) -> bool:
        """Tell whether a stated package is of patients' records, with times in days."""
        died = stated_fields(self.stated).get("died", {})
        companion = self.stated.get("companion")
        days = isinstance(companion, dict) and companion.get("timeUnit") == "days"
        return "patients" in self.files and days and died.get("provenance") == "measured"

    @property
    def lists_diagnoses(self) -> bool:
        """Tell whether a package states which diagnoses there are."""
        return bool(self.stated["companion"].get("diagnoses")) and not self.holds_records

    @cached_property
    def descriptor(self) -> dict[str, Any]:
        """Return what is taken from a valid ``datapackage.json``."""
        arms, diagnoses = self.values("patients", "arm"), self.values("patients", "diagnosis")
        if self.holds_records:  # as in any register, a disease of one patient has no name
            held = Counter(row["diagnosis"] for row in self.rows("patients") if row["diagnosis"])
            named = [name for name, patients in held.items() if patients > 1]
            diagnoses = named + ["other"] * (len(named) < len(held))
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

    def sheet(self, table: str) -> Sheet:
        """Return a table as it stands in its file.

        Raises
        ------
        CohortError
            If the file cannot be read as a table of text.
        """
        if table not in self._sheets:
            found = read_sheet(self.folder / self.files[table])
            if found.sheet is not None:
                rule = "is a workbook; save it as CSV, in which every digit stays as written"
                raise CohortError(Problem(found.file, rule))
            self._sheets[table] = found
        return self._sheets[table]

    def numbered(self, table: str) -> list[tuple[int, dict[str, str]]]:
        """Return the rows of a table by name of the column, each with its number in the file.

        A column that the file lacks is empty.
        """
        sheet = self.sheet(table)
        lacking = dict.fromkeys(set(schema.fields(table)) - set(sheet.header), "")
        return [
            (row.number, dict(zip(sheet.header, map(_text, row.cells), strict=True)) | lacking)
            for row in sheet.rows
        ]

    def notes(self) -> tuple[str, ...]:
        """Return in which other form than the usual one the files were read."""
        return tuple(
            f"{file}: {note}"
            for name, file in self.files.items()
            for note in self.sheet(name).notes
            if note not in _USUAL
        )

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each file, by its name."""
        return {
            file: hashlib.sha256(read_bytes(self.folder / file)).hexdigest()
            for file in self.files.values()
        }

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


def companion_frame(table: str) -> pd.DataFrame:
    """Return a table of the companion's own folder as a new frame; empty texts are strings."""
    return _companion_frame(table).copy()


@cache
def _companion_frame(table: str) -> pd.DataFrame:
    """Read a table once, however many cohorts are set beside it."""
    return DataPackage(companion_data_dir()).frame(table, empty_texts=True)


@cache
def companion_descriptor() -> dict[str, Any]:
    """Return the companion's own descriptor."""
    return DataPackage(companion_data_dir()).descriptor


def _typed(value: str, type_: str, empty_texts: bool) -> Any:
    """Return a valid cell as what it stands for."""
    if not value:
        return "" if empty_texts and type_ == "string" else None
    return {"integer": int, "number": float, "string": str}[type_](value)


def _text(cell: object) -> str:
    """Return the text of a cell."""
    return "" if cell is None else str(cell)
