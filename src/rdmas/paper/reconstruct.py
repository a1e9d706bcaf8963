"""Rebuild a patient table from published counts and declared assumptions.

The table is a derived file. It holds the published marginal counts and medians exactly, and
nothing else that could be called a finding: which patient carries which value is arbitrary and
set separately for every column, times are places in the order of events, doses follow an
assumed shape.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import numpy as np
import pandas as pd
from scipy import stats

from rdmas.paper.package import DESCRIPTOR, CohortError, Problem
from rdmas.paper.validation import valid_package
from rdmas.stats import rounding

N = TypeVar("N", int, float)

DOSE_DECIMALS = 2

#: Assumptions whose value is read here; the others are stated for the reader alone.
ASSUMPTIONS_READ = ("death_places_treatment", "dose_geometric_sd", "dose_week8_measured_n")


def reconstruct(data_dir: str | Path) -> str:
    """Return the text of ``patients.csv`` that fits the claims and assumptions of a folder.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        Folder with ``datapackage.json``, ``claims.csv`` and ``assumptions.csv``.

    Returns
    -------
    str
        A CSV file with line feeds, the same for the same input on every machine: no random
        numbers are drawn, see `shuffled`.

    Raises
    ------
    rdmas.paper.package.CohortError
        If the folder is faulty, or if claims and assumptions contradict each other.

    Examples
    --------
    >>> from rdmas.paper.paths import companion_data_dir
    >>> print(reconstruct(companion_data_dir()).splitlines()[0][:19])
    patient_id,arm,sex,
    """
    package = valid_package(data_dir, without=("patients",))
    for name in ("claims", "assumptions"):
        if name not in package.files:
            raise CohortError(Problem(DESCRIPTOR, f"must declare a resource named {name}"))
    claims = package.frame("claims", empty_texts=True)
    assumed = package.frame("assumptions", empty_texts=True).set_index("id")["value"]
    for name in ASSUMPTIONS_READ:
        if name not in assumed.index:
            _refuse(f"the assumption {name} is missing")
    fields = package.fields("patients")
    tables = []
    for arm in fields["arm"]["constraints"]["enum"]:
        n = _arm_size(claims, arm)
        patients = pd.DataFrame({"patient_id": [f"{arm}-{i:02d}" for i in range(1, n + 1)]})
        patients["arm"] = arm
        for name, field in fields.items():
            if name in ("patient_id", "arm", "followup_time"):
                continue
            patients[name] = (
                shuffled(_values(claims, assumed, arm, field, n), patients["patient_id"], name)
                if arm in field.get("reportedFor", [arm])
                else [""] * n
            )
        tables.append(patients)
    patients = pd.concat(tables, ignore_index=True)
    patients["followup_time"] = _event_order(
        patients, package.descriptor["companion"]["treatmentArm"], assumed["death_places_treatment"]
    )
    return patients[list(fields)].to_csv(index=False, lineterminator="\n")


def shuffled(values: list, patient_ids: pd.Series, column: str) -> list:
    """Assign values to patients in an arbitrary order that never changes.

    Patients are ranked by a hash of column and identifier, so that each column has an order of
    its own. A hash is used and not a random number generator, because the streams of generators
    may change between library versions, and the file must not.

    Examples
    --------
    >>> sorted(shuffled([3, 1, 2], pd.Series(["a", "b", "c"]), "dose"))
    [1, 2, 3]
    """
    digests = [
        hashlib.sha256(f"{column}:{patient}".encode()).hexdigest() for patient in patient_ids
    ]
    order = np.argsort(digests)
    assigned = np.empty(len(values), dtype=object)
    assigned[order] = values
    return assigned.tolist()


def lognormal_quantiles(n: int, median: float, geometric_sd: float) -> np.ndarray:
    """Return the quantiles of a log-normal distribution at probabilities (i - 1/2) / n.

    Parameters
    ----------
    n : int
        How many.
    median, geometric_sd : float
        Of the distribution: above 0, and above 1.

    Examples
    --------
    >>> lognormal_quantiles(3, median=2.0, geometric_sd=1.5).round(3)
    array([1.351, 2.   , 2.961])
    """
    probabilities = (np.arange(n) + 0.5) / n
    return stats.lognorm.ppf(probabilities, s=np.log(geometric_sd), scale=median)


def _arm_size(claims: pd.DataFrame, arm: str) -> int:
    """Return the claimed size of an arm."""
    sizes = claims.query("measure == 'n' and arm == @arm")["numerator"]
    if len(sizes) != 1:
        _refuse(f"there must be one claim of measure n for arm {arm}, and there are {len(sizes)}")
    return int(sizes.iloc[0])


def _values(claims: pd.DataFrame, assumed: pd.Series, arm: str, field: dict, n: int) -> list:
    """Return the values of one column in one arm, in no particular order."""
    mine = claims[(claims["arm"] == arm) & (claims["variable"] == field["name"])]
    if field["type"] == "number":
        return _doses(mine, assumed, field, n)
    stated = mine[mine["numerator"].notna()].drop_duplicates(["category", "numerator"])
    if not mine["denominator"].dropna().eq(n).all():
        _refuse(f"a denominator of {field['name']} in arm {arm} differs from its {n} patients")
    counts = stated.set_index("category")["numerator"]
    categories = [str(value) for value in field["constraints"]["enum"]]
    unclaimed = [category for category in categories if category not in counts.index]
    rest = n - int(counts.sum())
    if counts.index.has_duplicates or rest < 0 or (rest > 0 and len(unclaimed) != 1):
        _refuse(f"the counts of {field['name']} in arm {arm} do not add up to its {n} patients")
    values = [category for category, count in counts.items() for _ in range(int(count))]
    return values + unclaimed * rest


def _doses(mine: pd.DataFrame, assumed: pd.Series, field: dict, n: int) -> list[str]:
    """Return the doses of one column, empty where nothing was measured."""
    if mine.empty:
        _refuse(f"there is no claim for {field['name']}")
    reported = mine["reported"].iloc[0]
    median = float(rounding.parse(reported).number)
    measured = _number(assumed, "dose_week8_measured_n", int) if field.get("missingAllowed") else n
    if not 1 <= measured <= n:
        _refuse(f"{measured} of {n} patients cannot have a measured {field['name']}")
    geometric_sd = _number(assumed, "dose_geometric_sd", float)
    if not 1 < geometric_sd < np.inf:
        _refuse(f"dose_geometric_sd {geometric_sd:g} must be a finite number above 1")
    if not median > 0:
        _refuse(f"the median {reported} of {field['name']} must be above 0")
    doses = lognormal_quantiles(measured, median, geometric_sd)
    written = [rounding.fixed(dose, DOSE_DECIMALS) for dose in doses]
    if not rounding.reproduces(float(np.median([float(dose) for dose in written])), reported):
        _refuse(f"the assumed {field['name']} does not have the published median {reported}")
    if not doses.max() <= field["constraints"]["maximum"]:
        _refuse(f"doses around the median {reported} exceed what {field['name']} allows")
    return written + [""] * (n - measured)


def _event_order(patients: pd.DataFrame, treatment_arm: str, places: str) -> list[int]:
    """Place the deaths in order; survivors come after the last one."""
    died = patients["died"] == "1"
    treated = patients["arm"] == treatment_arm
    n_deaths = int(died.sum())
    n_treated = int((died & treated).sum())
    possible = {str(place): place for place in range(1, n_deaths + 1)}
    named = places.split()
    if not set(named) <= set(possible) or not len(set(named)) == len(named) == n_treated:
        _refuse(
            f"death_places_treatment {places!r} must name a different place from 1 to {n_deaths} "
            f"for each of the {n_treated} deaths in arm {treatment_arm}"
        )
    treated_places = [possible[place] for place in named]
    other_places = [place for place in range(1, n_deaths + 1) if place not in treated_places]
    times = np.full(len(patients), n_deaths + 1)
    for group, group_places in ((died & treated, treated_places), (died & ~treated, other_places)):
        times[group.to_numpy()] = shuffled(
            group_places, patients.loc[group, "patient_id"], "followup_time"
        )
    return times.tolist()


def _number(assumed: pd.Series, name: str, kind: Callable[[str], N]) -> N:
    """Read the value of an assumption."""
    try:
        return kind(assumed[name])
    except ValueError:
        wanted = "a whole number" if kind is int else "a number"
        _refuse(f"{name} {assumed[name]!r} must be {wanted}")


def _refuse(rule: str) -> NoReturn:
    """Say why no table can be made."""
    raise CohortError(Problem("claims.csv and assumptions.csv", rule))
