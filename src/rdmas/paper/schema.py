"""The rules of every table, as the package holds them; no file of a reader can change them.

``schema.json`` is a Table Schema for each table. Two rules have no word there: a field with
``requiredForAllOrNone`` has a value in every row or in none, and the table ``register`` lists the
columns from which a register may have those of ``patients`` computed.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

#: How a data frame keeps each type; dates never stay in a table.
_DTYPES = {"integer": "Int64", "number": "float64", "string": "object"}


def tables() -> list[str]:
    """Return the names of the tables that a folder may hold."""
    return [name for name in _tables() if name != "register"]


def table(name: str) -> dict[str, Any]:
    """Return the schema of a table: ``fields`` and, except for a register, ``primaryKey``.

    Examples
    --------
    >>> table("patients")["primaryKey"]
    ['patient_id']
    """
    return deepcopy(_tables()[name])


def fields(name: str) -> dict[str, dict[str, Any]]:
    """Return the schema of each column of a table, by name and in order.

    Examples
    --------
    >>> fields("patients")["died"]["constraints"]
    {'required': True, 'enum': [0, 1]}
    """
    return {field["name"]: field for field in table(name)["fields"]}


def frame(name: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as a data frame with all columns of a table; what a row lacks is missing.

    Examples
    --------
    >>> patients = frame("patients", [{"patient_id": "7", "arm": "control", "died": 0}])
    >>> patients.shape, patients["died"].dtype, patients["followup_time"].dtype
    ((1, 10), Int64Dtype(), dtype('float64'))
    """
    import pandas as pd  # checking a table does not wait for it

    listed = list(rows)
    return pd.DataFrame(
        {
            column: pd.Series([row.get(column) for row in listed], dtype=_DTYPES[field["type"]])
            for column, field in fields(name).items()
        }
    )


@cache
def _tables() -> dict[str, dict[str, Any]]:
    """Return the schema of every table."""
    return json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
