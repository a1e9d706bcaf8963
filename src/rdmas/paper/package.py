"""A data package as its files say it: each is read once, and nothing is believed yet.

The descriptor carries what the companion must know and a schema has no word for:

``companion.treatmentArm``, ``companion.controlArm``
    The values of column ``arm``; ``controlArm`` is null for a cohort of one arm.
``companion.timeUnit``
    One of `TIME_UNITS`: the meaning of ``followup_time``.
``companion.related``
    Records of the same work that nothing was taken from, as ``title`` and ``path``; optional.
    The paper itself is the first of the package's ``sources``.
``provenance`` of a field
    One of `PROVENANCES`: whether results rest on data or on a choice.
``reportedFor`` of a field
    The arms that have values; for the others the column is empty, never invented.
``missingAllowed`` of a field
    Whether a value may be missing in those arms.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdmas.paper.paths import companion_data_dir
from rdmas.paper.problems import CohortError, Problem
from rdmas.paper.register import files

if TYPE_CHECKING:
    import pandas as pd

DESCRIPTOR = "datapackage.json"
TIME_UNITS = ("order of events", "days")
PROVENANCES = ("measured", "reported", "assumed")

#: Tables of published cohorts; a folder has both or neither.
EVIDENCE = ("evidence", "evidence_percentages")


class DataPackage:
    """The files of a data folder.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        The data folder.

    Attributes
    ----------
    folder : pathlib.Path
        The data folder.
    descriptor : dict
        The content of ``datapackage.json``.

    Raises
    ------
    CohortError
        If the descriptor is missing or is not a JSON object.

    Examples
    --------
    >>> from rdmas.paper.paths import companion_data_dir
    >>> package = DataPackage(companion_data_dir())
    >>> package.files["claims"], len(package.rows("claims"))
    ('claims.csv', 22)
    """

    def __init__(self, data_dir: str | Path) -> None:
        self.folder = Path(data_dir)
        self.descriptor = _read_descriptor(self.folder)
        self._texts: dict[str, str] = {}
        self._cells: dict[str, list[list[str]]] = {}

    @property
    def files(self) -> dict[str, Any]:
        """Return the file of each declared table, by name of the table."""
        return {table["name"]: table.get("path") for table in self.descriptor.get("resources", [])}

    def schema(self, table: str) -> dict[str, Any]:
        """Return the schema of a table; that of `EVIDENCE` is the companion's in every folder."""
        own = companion_descriptor() if table in EVIDENCE else self.descriptor
        return table_schema(own, table)

    def fields(self, table: str) -> dict[str, dict]:
        """Return the schema of each column of a table, by name."""
        return {field["name"]: field for field in self.schema(table)["fields"]}

    def cells(self, table: str) -> list[list[str]]:
        """Return the rows of a file as they stand there, header first.

        Raises
        ------
        CohortError
            If the file cannot be read, is not UTF-8 text, or cannot be told apart into cells.
        """
        if table not in self._cells:
            lines = csv.reader(io.StringIO(self._text(table), newline=""))
            try:
                self._cells[table] = list(lines)
            except csv.Error as error:
                rule = f"is not CSV ({error})"
                raise CohortError(Problem(self.files[table], rule, lines.line_num)) from None
        return self._cells[table]

    def rows(self, table: str) -> list[dict[str, str]]:
        """Return the rows of a valid table by name of the column."""
        header, *rows = self.cells(table)
        return [dict(zip(header, row, strict=True)) for row in rows]

    def frame(self, table: str, empty_texts: bool = False) -> pd.DataFrame:
        """Return a valid table with the types of its schema.

        Empty cells are missing; with `empty_texts` those of text are empty strings.
        """
        import pandas as pd  # checking a folder does not wait for it

        types = {"integer": "Int64", "number": "float64", "string": "object"}
        frame = pd.read_csv(
            io.StringIO(self._text(table)),
            dtype={name: types[field["type"]] for name, field in self.fields(table).items()},
            keep_default_na=False,
            na_values=[""],
        )
        texts: Iterable[str] = frame.select_dtypes("object").columns if empty_texts else []
        return frame.assign(**{column: frame[column].fillna("") for column in texts})

    def _text(self, table: str) -> str:
        if table not in self._texts:
            self._texts[table] = _read_text(self.folder, self.files[table])
        return self._texts[table]


def table_schema(descriptor: dict, table: str) -> dict[str, Any]:
    """Return the schema of a table from a descriptor."""
    return next(item for item in descriptor["resources"] if item["name"] == table)["schema"]


@cache
def companion_descriptor() -> dict:
    """Return the companion's own descriptor, whose rules no other folder can change."""
    return _read_descriptor(companion_data_dir())


def _read_descriptor(folder: Path) -> dict:
    """Read ``datapackage.json``."""
    try:
        descriptor = json.loads(_read_text(folder, DESCRIPTOR))
    except json.JSONDecodeError as error:
        rule = f"is not valid JSON ({error.msg})"
        raise CohortError(Problem(DESCRIPTOR, rule, error.lineno)) from None
    except RecursionError:
        raise CohortError(Problem(DESCRIPTOR, "is nested too deep")) from None
    if not isinstance(descriptor, dict):
        raise CohortError(Problem(DESCRIPTOR, "must hold one JSON object"))
    return descriptor


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
