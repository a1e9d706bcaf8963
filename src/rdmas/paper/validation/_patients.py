"""Whether the cells of a patient fit together."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rdmas.paper.descriptor import DESCRIPTOR
from rdmas.paper.package import DataPackage
from rdmas.paper.problems import Problem, shown
from rdmas.paper.validation._words import folded, quoted, several

if TYPE_CHECKING:
    import pandas as pd

DAYS_IN_WEEK_8 = 56

#: Up to so many patients are at fault themselves; beyond, a setting is.
_FEW = 3


def patient_problems(package: DataPackage) -> list[Problem]:
    """List what ties cells of the patients together and does not hold."""
    return folded(
        [
            *_arm_problems(package),
            *_empty_problems(package),
            *_all_or_none(package),
            *_identity_problems(package),
            *_dead_at_week_8(package),
        ]
    )


def examined(package: DataPackage) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Read patients' records as those of any register; return what is wrong or odd in them."""
    # Slow to import, and needed for records only.
    from rdmas.paper.register.read import examine
    from rdmas.paper.register.settings import Settings

    companion = package.stated["companion"]
    settings = Settings(
        treatment=companion["treatmentArm"],
        control=companion.get("controlArm") or Settings().control,
        diagnoses=tuple(companion.get("diagnoses", ())),
    )
    return examine(package.sheet("patients"), settings)


def _arm_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield values in columns of which nothing is reported for the arm of the patient."""
    fields, file = package.fields("patients"), package.files["patients"]
    patients = package.numbered("patients")
    sizes = Counter(patient["arm"] for _, patient in patients)
    rows: dict[str, dict[int, list[str]]] = defaultdict(dict)
    for row, patient in patients:
        arm = patient["arm"]
        held = [
            name
            for name, field in fields.items()
            if patient[name] and arm not in field.get("reportedFor", [arm])
        ]
        if held:
            rows[arm][row] = held
    for arm, found in rows.items():
        if len(found) <= _FEW and len(found) < sizes[arm]:
            for row, held in found.items():
                rule = f"nothing is reported for arm {shown(arm)} of {several(held)}; empty them"
                yield Problem(file, rule, row, "arm")
        else:
            names = dict.fromkeys(name for held in found.values() for name in held)
            rule = (
                f"reportedFor of field{'s' * (len(names) > 1)} {several(names)} does not name arm "
                f"{quoted(arm)}, of which {len(found)} patients have values (first in row "
                f"{min(found)} of {file})"
            )
            yield Problem(DESCRIPTOR, rule)


def _empty_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield cells without the value that the package says there is."""
    fields, file = package.fields("patients"), package.files["patients"]
    empty: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, patient in package.numbered("patients"):
        for name, field in fields.items():
            reported = patient["arm"] in field.get("reportedFor", [])
            lax = field.get("missingAllowed", False) or field["provenance"] == "measured"
            lax = lax or field.get("requiredForAllOrNone", False)
            if reported and not lax and not patient[name]:
                empty[name, patient["arm"]].append(row)
    for (name, arm), rows in empty.items():
        if len(rows) <= _FEW:
            for row in rows:
                yield Problem(file, f"the value is missing; arm {arm} has one", row, name)
        else:
            rule = (
                f"field {name} has no missingAllowed, and {len(rows)} patients of arm "
                f"{quoted(arm)} have no value (first in row {rows[0]} of {file})"
            )
            yield Problem(DESCRIPTOR, rule)


def _all_or_none(package: DataPackage) -> Iterator[Problem]:
    """Yield columns that some patients have a value of and others have not."""
    patients = package.numbered("patients")
    for name, field in package.fields("patients").items():
        empty = [row for row, patient in patients if not patient[name]]
        if field.get("requiredForAllOrNone") and 0 < len(empty) < len(patients):
            rule = (
                f"{len(empty)} of {len(patients)} patients have no value, and every patient needs "
                "one, or none has one"
            )
            yield Problem(package.files["patients"], rule, empty[0], name)


def _identity_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield identifiers that a reader would take for one another."""
    seen: dict[str, tuple[int, str]] = {}
    for row, patient in package.numbered("patients"):
        written = patient["patient_id"]
        plain = unicodedata.normalize("NFKC", written).casefold()
        plain = "".join(letter for letter in plain if letter.isprintable() and letter != " ")
        if not plain:
            yield Problem(package.files["patients"], "the identifier is empty", row, "patient_id")
        first, other = seen.setdefault(plain, (row, written))
        if other != written:
            rule = (
                f"{quoted(written)} differs from {quoted(other)} in row {first} only by capitals, "
                "blanks, width or invisible letters; give each patient an identifier of their own"
            )
            yield Problem(package.files["patients"], rule, row, "patient_id")


def _dead_at_week_8(package: DataPackage) -> Iterator[Problem]:
    """Yield doses of week 8 of patients who died before."""
    if package.descriptor["companion"]["timeUnit"] != "days":
        return
    for row, patient in package.numbered("patients"):
        day = patient["followup_time"]
        dead = patient["died"] == "1" and day and float(day) < DAYS_IN_WEEK_8
        if dead and patient["gc_dose_week8_mg_per_kg"]:
            rule = f"must be empty: the patient died on day {day[:60]}, before week 8"
            yield Problem(package.files["patients"], rule, row, "gc_dose_week8_mg_per_kg")
