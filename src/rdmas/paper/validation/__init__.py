"""Whether a data folder can be used: every fault as a sentence with file, row, column and rule.

The rules are the package's own (`rdmas.paper.schema`, and here those that tie several cells
together). What a folder says of rules has no effect, and nothing it names is fetched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdmas.paper.package import CohortError, DataPackage, Problem
from rdmas.paper.validation._descriptor import (
    arm_problems,
    descriptor_problems,
    field_problems,
    not_followed,
)
from rdmas.paper.validation._patients import examined, patient_problems
from rdmas.paper.validation._published import evidence_problems
from rdmas.paper.validation._registry import CHAPTERS, CONVENTIONS, claim_problems
from rdmas.paper.validation._tables import cell_problems, header_problems
from rdmas.paper.validation._words import folded

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CHAPTERS",
    "CONVENTIONS",
    "beside_register",
    "patients",
    "problems",
    "valid_package",
    "warnings",
]


def problems(data_dir: str | Path) -> list[Problem]:
    """List every fault of a data folder.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        The data folder.

    Returns
    -------
    list of Problem
        Empty if the folder can be used. Faults of the descriptor, the header or the encoding of
        a file hide those of its cells, and these the faults that tie cells together.

    Examples
    --------
    >>> from rdmas.paper.paths import companion_data_dir
    >>> problems(companion_data_dir())
    []
    """
    try:
        valid_package(data_dir)
    except CohortError as error:
        return list(error.problems)
    return []


def valid_package(data_dir: str | Path, without: Collection[str] = ()) -> DataPackage:
    """Read a data folder that can be used.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        The data folder.
    without : collection of str, optional
        Tables to leave unread, such as one that is about to be written.

    Returns
    -------
    rdmas.paper.package.DataPackage

    Raises
    ------
    CohortError
        If anything is wrong, with every fault.
    """
    package = DataPackage(data_dir, without=without)
    _refuse(descriptor_problems(package.stated))
    _refuse_faults(package)
    return package


def beside_register(folder: str | Path, descriptor: Mapping[str, Any]) -> DataPackage:
    """Read the tables that stand beside a register, under the rules of a data package.

    Parameters
    ----------
    folder : str or pathlib.Path
        The register's folder, or the folder in which its table stands. It need have no
        ``datapackage.json``.
    descriptor : mapping
        What is known of the register, in the form of `rdmas.paper.descriptor.taken`.

    Returns
    -------
    rdmas.paper.package.DataPackage
        Its ``files`` are those of ``claims.csv``, ``evidence.csv`` and
        ``evidence_percentages.csv`` that stand in the folder; ``frame`` gives their tables.
        The claims may call an arm ``treatment``, ``control`` or by the register's own name;
        ``frame`` returns the register's names.

    Raises
    ------
    CohortError
        If anything is wrong with one of them, with every fault.
    """
    package = DataPackage(folder, descriptor)
    _refuse_faults(package)
    return package


def patients(package: DataPackage) -> pd.DataFrame:
    """Return the patients of a valid folder; records are read as those of any register."""
    records = examined(package)[0] if package.holds_records else None
    return package.frame("patients") if records is None else records


def warnings(package: DataPackage) -> tuple[Problem, ...]:
    """Return what is odd in a valid folder, and what in it has no effect."""
    found = list(not_followed(package.stated))
    for name in package.files:
        found += package.sheet(name).warnings
    if package.holds_records:
        found += [it for it in examined(package)[1] if it.level == "warning"]
    return tuple(found)


def _refuse_faults(package: DataPackage) -> None:
    """Raise an error if tables have faults, those of single cells first."""
    _refuse(problem for name in package.files for problem in _header_problems(package, name))
    if package.stated:
        _refuse(arm_problems(package))
        _refuse(field_problems(package.stated))
    _refuse(problem for name in package.files for problem in cell_problems(package, name))
    if "claims" in package.files:
        _refuse(claim_problems(package))
    if "patients" in package.files:
        _refuse(patient_problems(package))
    if package.holds_records:
        _refuse(it for it in examined(package)[1] if it.level == "error")
    _refuse(evidence_problems(package))


def _header_problems(package: DataPackage, name: str) -> list[Problem]:
    """List why a table cannot be read, or its cells not be told."""
    try:
        return header_problems(package, name)
    except CohortError as error:
        return folded(error.problems)


def _refuse(found: Iterable[Problem]) -> None:
    """Raise an error if there are problems."""
    if listed := list(found):
        raise CohortError(*listed)
