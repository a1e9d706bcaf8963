"""A validated cohort: its patients, the claims it is held against, published cohorts.

A cohort is either a *reconstruction* of what a paper states, in the form of a data package, or a
*register*: patients' records, read from a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from rdmas.paper import schema, validation
from rdmas.paper.descriptor import UNTITLED
from rdmas.paper.package import (
    DESCRIPTOR,
    EVIDENCE,
    CohortError,
    DataPackage,
    Problem,
    companion_frame,
    table_schema,
)
from rdmas.paper.paths import companion_data_dir, is_folder, is_there
from rdmas.paper.register.read import Register, read_register
from rdmas.stats.checks import Table

__all__ = ["Cohort", "CohortError", "load_cohort"]


@dataclass(frozen=True)
class Cohort:
    """A validated cohort and the claims it is held against.

    Attributes
    ----------
    patients : pandas.DataFrame
        One row per patient, see `load_cohort`.
    claims : pandas.DataFrame
        One row per claim, all columns of ``claims.csv``; texts are strings (empty where
        missing), ``numerator`` and ``denominator`` nullable integers.
    assumptions : pandas.DataFrame
        The declared assumptions of a reconstruction; empty for a real cohort.
    evidence : pandas.DataFrame
        Published cohorts to compare with, all columns of ``evidence.csv``; texts are strings
        (empty where missing).
    evidence_percentages : pandas.DataFrame
        The percentages those cohorts printed, all columns of ``evidence_percentages.csv``.
    descriptor : dict
        The content of ``datapackage.json``; of a register, the same said from its settings.
    data_dir : pathlib.Path
        Where the cohort was read from.
    published : pandas.DataFrame
        The claims of the companion's paper, to set a register beside.
    notes : tuple of str
        How the register was read; holds no value of a patient, so that pages may quote it.
    warnings : tuple of rdmas.paper.package.Problem
        What is possible and odd; names values, so that only the terminal may show it.
    inputs : mapping of str to str
        SHA-256 of each file that was read, by its name.
    mask_below : int
        Columns with a count from 1 to this less one are not shown, see `shows`.
    """

    patients: pd.DataFrame
    claims: pd.DataFrame
    assumptions: pd.DataFrame
    evidence: pd.DataFrame
    evidence_percentages: pd.DataFrame
    descriptor: dict
    data_dir: Path
    published: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    mask_below: int = 0

    @property
    def title(self) -> str:
        """Return what the cohort is called."""
        return self.descriptor["title"]

    @property
    def drug(self) -> str:
        """Return the drug under study; where none is named, the treatment arm."""
        return self.descriptor["companion"].get("drug") or self.treatment_arm

    @property
    def disease(self) -> str:
        """Return the disease, as sentences name it."""
        return self.descriptor["companion"].get("disease") or "the disease"

    @property
    def is_register(self) -> bool:
        """Tell whether these are patients' records, and not rebuilt from what a paper states."""
        return self.fields()["died"]["provenance"] == "measured"

    @property
    def treatment_arm(self) -> str:
        """Return the name of the arm under study."""
        return self.descriptor["companion"]["treatmentArm"]

    @property
    def control_arm(self) -> str | None:
        """Return the name of the arm it is compared with, None for a cohort of one arm."""
        return self.descriptor["companion"]["controlArm"]

    @property
    def arms(self) -> tuple[str, ...]:
        """Return the arms, treatment first."""
        return tuple(arm for arm in (self.treatment_arm, self.control_arm) if arm is not None)

    @property
    def time_unit(self) -> str:
        """Return the unit of ``followup_time``: ``"order of events"`` or ``"days"``."""
        return self.descriptor["companion"]["timeUnit"]

    def fields(self) -> dict[str, dict]:
        """Return the schema of each column of the patient table, by name."""
        listed = table_schema(self.descriptor, "patients")["fields"]
        return {field["name"]: field for field in listed}

    def in_arm(self, arm: str) -> pd.DataFrame:
        """Return the patients of one arm.

        Raises
        ------
        KeyError
            If the cohort has no such arm.
        """
        if arm not in self.arms:
            raise KeyError(f"the cohort has no arm {arm!r}; it has {', '.join(self.arms)}")
        # A shallow copy, to which a reader may add columns.
        return self._by_arm[arm].copy(deep=False)

    @cached_property
    def _by_arm(self) -> dict[str, pd.DataFrame]:
        """Return the patients of each arm, divided once."""
        return {arm: self.patients[self.patients["arm"] == arm] for arm in self.arms}

    def has(self, column: str, arm: str | None = None) -> bool:
        """Tell whether any patient, of one arm or of all, has a value in a column."""
        patients = self.patients if arm is None else self.in_arm(arm)
        return bool(patients[column].notna().any())

    @property
    def has_times(self) -> bool:
        """Tell whether follow-up times are known, and may be shown."""
        return self.has("followup_time") and self.shows("followup_time")

    def shows(self, column: str) -> bool:
        """Tell whether a column may be shown: no count in it is small enough to be masked.

        A count is the number of patients of an arm with a value of the column or, where values
        are measurements, with any. Times are shown where deaths are. A column with one small
        count is left out as a whole, so that no difference or total gives the count away.
        """
        if not self.mask_below:
            return True
        if column == "followup_time":
            return self.shows("died")
        known = self.patients.dropna(subset=[column])
        measured = pd.api.types.is_float_dtype(known[column])
        counts = known.groupby("arm" if measured else ["arm", column]).size()
        return not counts.between(1, self.mask_below - 1).any()

    def count(self, arm: str, column: str, category: str) -> tuple[int, int]:
        """Count the patients of an arm with a value, as written in the file, in a column.

        Returns
        -------
        events, n : int
            Patients with the value, and patients with any value: a missing one counts in
            neither.

        Raises
        ------
        KeyError
            If there is no such arm or column.

        Examples
        --------
        >>> load_cohort().count("control", "died", "0")
        (13, 21)
        """
        values = self.in_arm(arm)[column].dropna()
        return int((values.astype(str) == category).sum()), len(values)

    def provenance(self) -> pd.DataFrame:
        """Tell for every cell where it comes from, or that it is empty.

        Returns
        -------
        pandas.DataFrame
            Columns ``patient``, ``arm``, ``column`` and ``state`` (measured, reported,
            assumed or empty), in the order of the table; the identifier is left out.
        """
        fields = {name: field for name, field in self.fields().items() if name != "patient_id"}
        rows = [
            (
                patient["patient_id"],
                patient["arm"],
                name,
                "empty" if pd.isna(patient[name]) else field["provenance"],
            )
            for patient in self.patients.to_dict("records")
            for name, field in fields.items()
        ]
        return pd.DataFrame(rows, columns=["patient", "arm", "column", "state"])

    def table(self, column: str, category: str) -> Table:
        """Count the patients of both arms with a value, as `count`; the treatment arm is a.

        Raises
        ------
        ValueError
            If the cohort has one arm only.

        Examples
        --------
        >>> load_cohort().table("died", "0")
        Table(events_a=19, n_a=20, events_b=13, n_b=21)
        """
        if self.control_arm is None:
            raise ValueError("A cohort of one arm has nobody to compare with.")
        treated = self.count(self.treatment_arm, column, category)
        return Table(*treated, *self.count(self.control_arm, column, category))

    def deaths(self) -> Table:
        """Return deaths and patients of both arms, as `table`."""
        return self.table("died", "1")


def load_cohort(
    data_dir: str | Path | None = None, mask_below: int = 0, encoding: str | None = None
) -> Cohort:
    """Read and validate a cohort.

    Parameters
    ----------
    data_dir : str or pathlib.Path, optional
        A data package: a folder with ``datapackage.json``. Or a register: a folder with a table
        of patients, or the table itself, see `rdmas.paper.register`. By default the companion's
        own reconstruction. All tables but that of the patients are optional: a data package
        without claims is held against the companion's, a register is set beside them; without
        published cohorts of one's own the companion's are taken.
    mask_below : int, optional
        Columns with a count from 1 to this less one are not to be shown, see `Cohort.shows`.
    encoding : str, optional
        Encoding of a register's table; by default it is found out.

    Returns
    -------
    Cohort
        Its ``patients`` have the columns

        ``patient_id``
            Text, unique.
        ``arm``
            One of the two arms the package declares.
        ``sex``, ``diagnosis``, ``response_week8``
            Text, from the closed lists of the schema.
        ``followup_time``
            Number at least 0, in the cohort's time unit; a register has it for all or none.
        ``died``, ``cmv_infection``
            1 for yes, 0 for no.
        ``gc_dose_baseline_mg_per_kg``, ``gc_dose_week8_mg_per_kg``
            Daily glucocorticoid dose in mg per kg body weight, 0 to 40.

        A column that a register lacks is empty. In the companion's own data only marginal
        counts are published: which patient carries which value is arbitrary, times are places
        in the order of events, and doses are assumed. Each field's ``provenance`` says so.

    Raises
    ------
    CohortError
        If anything is wrong, with one sentence for each fault.

    Examples
    --------
    >>> cohort = load_cohort()
    >>> cohort.patients.groupby("arm").size().to_dict()
    {'control': 21, 'ruxolitinib': 20}
    """
    path = companion_data_dir() if data_dir is None else Path(data_dir)
    if is_folder(path) and is_there(path / DESCRIPTOR):
        return _from_package(validation.valid_package(path), mask_below)
    return _from_register(read_register(path, encoding), path, mask_below)


def _from_package(package: DataPackage, mask_below: int) -> Cohort:
    """Take a cohort from a valid data package; what it lacks is the companion's."""
    published = companion_frame("claims")
    claims, notes = _registry(package, published)
    return Cohort(
        patients=validation.patients(package),
        claims=claims,
        assumptions=(
            package.frame("assumptions", empty_texts=True)
            if "assumptions" in package.files
            else _nothing()
        ),
        evidence=_published(package, "evidence"),
        evidence_percentages=_published(package, "evidence_percentages"),
        descriptor=package.descriptor,
        data_dir=package.folder,
        published=published,
        notes=(*package.notes(), *notes),
        warnings=validation.warnings(package),
        mask_below=mask_below,
    )


def _from_register(register: Register, path: Path, mask_below: int) -> Cohort:
    """Take a cohort from a register, and from the tables that stand beside it."""
    published = companion_frame("claims")
    descriptor = _descriptor(register)
    folder = path if is_folder(path) else path.parent
    beside = validation.beside_register(folder, descriptor)
    claims, notes = _registry(beside, published)
    return Cohort(
        patients=register.patients,
        claims=claims,
        assumptions=_nothing(),
        evidence=_published(beside, "evidence"),
        evidence_percentages=_published(beside, "evidence_percentages"),
        descriptor=descriptor,
        data_dir=path,
        published=published,
        notes=(*register.notes, *beside.notes(), *notes),
        warnings=(*register.warnings, *validation.warnings(beside)),
        inputs={**register.files, **beside.digests()},
        mask_below=mask_below,
    )


def _registry(package: DataPackage, published: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the claims that a cohort is held against, and what must be said of them.

    Patients' records are never held against the companion's own claims, which are about others.
    """
    is_register = package.fields("patients")["died"]["provenance"] == "measured"
    if "claims" in package.files:
        claims = package.frame("claims", empty_texts=True)
        if not (is_register and claims.equals(published)):
            return claims, []
        note = "claims.csv is the book's own, about another cohort: compared, and not checked."
        return published.iloc[:0], [note]
    if is_register:
        return published.iloc[:0], []
    return published, ["There is no claims.csv: held against the claims of the book's own paper."]


def _published(package: DataPackage, table: str) -> pd.DataFrame:
    """Return a table of published cohorts; where a folder has none, the companion's."""
    own = set(EVIDENCE) <= set(package.files)
    return package.frame(table, empty_texts=True) if own else companion_frame(table)


def _nothing() -> pd.DataFrame:
    """Return a table of assumptions without any."""
    return pd.DataFrame(columns=["id", "statement", "value", "unit", "reason"], dtype=object)


def _descriptor(register: Register) -> dict[str, Any]:
    """Say of a register what a data package says of itself."""
    settings, patients = register.settings, register.patients
    arms = [arm for arm in (settings.treatment, settings.control) if arm in set(patients["arm"])]
    fields = schema.fields("patients")
    for name, field_ in fields.items():
        known = patients[patients[name].notna()]
        field_["provenance"] = "measured"
        field_["reportedFor"] = [arm for arm in arms if arm in set(known["arm"])]
    diagnoses = sorted({*patients["diagnosis"].dropna(), *settings.diagnoses})
    for name, names in (("arm", arms), ("diagnosis", diagnoses)):
        fields[name]["constraints"] = fields[name].get("constraints", {}) | {"enum": names}
    return {
        "title": settings.title or UNTITLED,
        "companion": {
            "treatmentArm": arms[0],
            "controlArm": arms[1] if len(arms) > 1 else None,
            "timeUnit": "days",
            "drug": settings.drug,
            "disease": settings.disease,
            "diagnoses": list(settings.diagnoses),
        },
        "resources": [{"name": "patients", "schema": {"fields": list(fields.values())}}],
    }
