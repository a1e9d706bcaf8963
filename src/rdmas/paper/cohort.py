"""A validated cohort: its patients, the claims it is held against, published cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rdmas.paper.package import EVIDENCE, CohortError, DataPackage, table_schema
from rdmas.paper.paths import companion_data_dir
from rdmas.paper.validation import valid_package
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
        The content of ``datapackage.json``.
    data_dir : pathlib.Path
        Where the cohort was read from.
    """

    patients: pd.DataFrame
    claims: pd.DataFrame
    assumptions: pd.DataFrame
    evidence: pd.DataFrame
    evidence_percentages: pd.DataFrame
    descriptor: dict
    data_dir: Path

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
        schema = table_schema(self.descriptor, "patients")
        return {field["name"]: field for field in schema["fields"]}

    def in_arm(self, arm: str) -> pd.DataFrame:
        """Return the patients of one arm.

        Raises
        ------
        KeyError
            If the cohort has no such arm.
        """
        if arm not in self.arms:
            raise KeyError(f"the cohort has no arm {arm!r}; it has {', '.join(self.arms)}")
        return self.patients[self.patients["arm"] == arm]

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


def load_cohort(data_dir: str | Path | None = None) -> Cohort:
    """Read and validate a cohort from a data folder.

    Parameters
    ----------
    data_dir : str or pathlib.Path, optional
        Folder with ``datapackage.json`` and ``patients.csv``; by default the companion's own
        reconstruction. All other tables are optional: without claims the cohort is held
        against the companion's, and without evidence it is compared with the companion's
        published cohorts.

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
            Number at least 0; in the package's time unit.
        ``died``, ``cmv_infection``
            1 for yes, 0 for no.
        ``gc_dose_baseline_mg_per_kg``, ``gc_dose_week8_mg_per_kg``
            Daily glucocorticoid dose in mg per kg body weight, 0 to 40.

        In the companion's own data only marginal counts are published: which patient carries
        which value is arbitrary, times are places in the order of events, and doses are
        assumed. Each field's ``provenance`` says so.

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
    package = valid_package(companion_data_dir() if data_dir is None else data_dir)
    own = set(package.files)
    complete = {"claims", *EVIDENCE} <= own
    companion = package if complete else DataPackage(companion_data_dir())
    claims = package if "claims" in own else companion
    evidence = package if set(EVIDENCE) <= own else companion
    return Cohort(
        patients=package.frame("patients"),
        claims=claims.frame("claims", empty_texts=True),
        assumptions=(
            package.frame("assumptions", empty_texts=True)
            if "assumptions" in own
            else pd.DataFrame(columns=["id", "statement", "value", "unit", "reason"], dtype=object)
        ),
        **{name: evidence.frame(name, empty_texts=True) for name in EVIDENCE},
        descriptor=package.descriptor,
        data_dir=package.folder,
    )
