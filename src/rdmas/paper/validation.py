"""Whether a data folder can be used: every fault as a sentence with file, row, column and rule.

What a schema can say is checked by frictionless; the rules that tie several cells together are
here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from frictionless import Error, Package, Resource, Schema, errors

from rdmas.paper.package import (
    DESCRIPTOR,
    EVIDENCE,
    PROVENANCES,
    TIME_UNITS,
    CohortError,
    DataPackage,
    Problem,
)
from rdmas.paper.significance import SIGNIFICANCE_WORDING
from rdmas.paper.verdicts import STATED_COUNTS
from rdmas.stats import rounding

DAYS_IN_WEEK_8 = 56

#: Pages on which a claim can be derived.
CHAPTERS = ("data", "remission", "survival", "p_value", "dose", "cmv")

#: Keys of the two-sided tests in `rdmas.stats.two_by_two`, which is slow to import.
CONVENTIONS = (
    "z_unpooled",
    "z_agresti_caffo",
    "barnard_unpooled",
    "chi2",
    "chi2_n_minus_1",
    "barnard_pooled",
    "chi2_yates",
    "likelihood_ratio",
    "z_log_odds_ratio",
    "z_log_risk_ratio_of_non_event",
    "z_log_risk_ratio",
    "fisher",
    "fisher_central",
    "fisher_midp_central",
    "fisher_midp_minlike",
    "fisher_midp_sas",
    "boschloo_central",
    "boschloo_minlike",
)

#: The one unit that each measure may have; a median has that of its column.
_UNITS = {
    **dict.fromkeys(STATED_COUNTS, "patients"),
    "percent": "%",
    "background": "%",
    "p_value": "P",
    "significance": "",
}

#: Columns that a claim of a measure has no use for.
_UNUSED = {
    "background": ("arm", "numerator", "denominator", "variable", "category"),
    "n": ("denominator", "variable", "category"),
    "p_value": ("numerator", "denominator"),
    "significance": ("numerator", "denominator"),
    "median": ("numerator", "denominator", "category"),
}

_COMPARING = ("p_value", "significance")

Fault = tuple[str, str]  # column and rule


def problems(data_dir: str | Path) -> list[Problem]:
    """List every fault of a data folder.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        The data folder.

    Returns
    -------
    list of Problem
        Empty if the folder can be used. Faults of the header or the encoding of a file hide
        those of its cells, and these the faults that tie cells together.

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
    package = DataPackage(data_dir)
    _refuse(_descriptor_problems(package))
    tables = [name for name in package.files if name not in without]
    _refuse(problem for name in tables for problem in _table_problems(package, name))
    if "claims" in tables:
        _refuse(_claim_problems(package))
    if "patients" in tables:
        _refuse(_patient_problems(package))
    _refuse(_evidence_problems(package))
    return package


def _refuse(found: Iterator[Problem]) -> None:
    """Raise an error if there are problems."""
    if listed := list(found):
        raise CohortError(*listed)


def _descriptor_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield what the descriptor lacks that a package needs."""
    try:
        Package.from_descriptor(package.descriptor)
    except Exception as error:  # frictionless raises one class whose reasons say what is wrong
        reasons = getattr(error, "reasons", None) or [getattr(error, "error", error)]
        for reason in reasons:
            yield Problem(DESCRIPTOR, getattr(reason, "note", str(reason)).rstrip("."))
        return
    if "patients" not in package.files:
        yield Problem(DESCRIPTOR, "must declare a resource named patients")
        return
    for name, path in package.files.items():
        if not isinstance(path, str) or Path(path).name != path:
            yield Problem(DESCRIPTOR, f"the path of resource {name} must be a plain file name")
    for rule in _companion_faults(package.descriptor.get("companion"), package.fields("patients")):
        yield Problem(DESCRIPTOR, rule)


def _companion_faults(companion: Any, fields: dict[str, dict]) -> Iterator[str]:
    """Yield what the descriptor lacks that the companion needs."""
    if not isinstance(companion, dict):
        yield "must have an object named companion with treatmentArm, controlArm and timeUnit"
        return
    arms = fields.get("arm", {}).get("constraints", {}).get("enum", [])
    if not arms:
        yield "the schema of patients must have a field named arm whose enum lists the arms"
        return
    treatment, control = companion.get("treatmentArm"), companion.get("controlArm")
    if treatment not in arms:
        yield f"companion.treatmentArm must be one of the arms: {_one_of(arms)}"
    if control is not None and (control not in arms or control == treatment):
        yield f"companion.controlArm must be null or the other arm: {_one_of(arms)}"
    if companion.get("timeUnit") not in TIME_UNITS:
        yield f"companion.timeUnit must be {_one_of(TIME_UNITS)}"
    for name, field in fields.items():
        if field.get("provenance") not in PROVENANCES:
            yield f"field {name} must have a provenance: {_one_of(PROVENANCES)}"
        if unknown := sorted(set(field.get("reportedFor", arms)) - set(arms)):
            yield f"reportedFor of field {name} names {_one_of(unknown)}, which is not an arm"


def _table_problems(package: DataPackage, name: str) -> list[Problem]:
    """Check one table against its schema; faults that hide the others come alone."""
    file, fields = package.files[name], package.fields(name)
    try:
        cells = package.cells(name)
    except CohortError as error:
        return list(error.problems)
    if header_faults := list(_header_problems(file, cells[0] if cells else [], list(fields))):
        return header_faults
    schema = package.schema(name)
    report = Resource(data=cells, schema=Schema.from_descriptor(schema)).validate()
    faults = [
        _as_problem(error, file, fields, schema)
        for task in report.tasks
        for error in task.errors
        # An empty line also breaks the primary key; one sentence is enough.
        if not (isinstance(error, errors.PrimaryKeyError) and "None" in error.note)
    ]
    faults += [Problem(file, error.note.rstrip(".")) for error in report.errors]
    if not faults and len(cells) < 2:
        faults.append(Problem(file, "has a header and no rows"))
    return sorted(dict.fromkeys(faults), key=lambda fault: fault.row or 0)


def _header_problems(file: str, header: list[str], names: list[str]) -> Iterator[Problem]:
    """Yield what is wrong with the first row of a file."""
    if not header:
        yield Problem(file, "is empty; it must start with a header row")
        return
    for name in names:
        if name not in header:
            yield Problem(file, f"there is no column named {name}", 1, name)
    for name in dict.fromkeys(header):
        if name not in names:
            rule = f"the schema knows no column named {name!r}; remove or rename it"
            yield Problem(file, rule, 1)
        elif header.count(name) > 1:
            yield Problem(file, "the column stands there more than once", 1, name)


def _as_problem(error: Error, file: str, fields: dict, schema: dict) -> Problem:
    """Say a frictionless error in one plain sentence."""
    row = getattr(error, "row_number", None)
    column = getattr(error, "field_name", None)
    column = column if column in fields else None
    field = fields.get(column, {})
    if isinstance(error, errors.PrimaryKeyError):
        twin = error.note.replace("the row at position", "row")
        rule, column = f"the value is {twin}; it must be unique", ", ".join(schema["primaryKey"])
    elif isinstance(error, errors.TypeError):
        kind = {"integer": "a whole number", "number": "a number"}
        rule = f"{error.cell!r} is not {kind.get(field['type'], field['type'])}"
    elif isinstance(error, errors.ConstraintError):
        rule = _constraint_rule(error.note.split('"')[1], error.cell, field)
    elif isinstance(error, errors.BlankRowError):
        rule = "the row is empty; remove it"
    elif isinstance(error, errors.ExtraCellError):
        rule, column = "the row has more cells than the header", None
    elif isinstance(error, errors.MissingCellError):
        rule = "the row has fewer cells than the header"
    else:
        rule = error.note.rstrip(".") or error.message.rstrip(".")
    return Problem(file, rule, row, column)


def _constraint_rule(violated: str, cell: Any, field: dict) -> str:
    """Say which constraint of a schema a cell breaks."""
    limit = field["constraints"][violated]
    unit = f" {field['unit']} (check the unit)" if "unit" in field else ""
    if str(cell).lower() in ("nan", "inf", "-inf"):
        return f"{cell!r} is not a finite number"
    match violated:
        case "required":
            return "a value is required"
        case "enum":
            return f"{cell!r} is not known; use {_one_of(limit)}"
        case "minimum":
            return f"{cell} is too small; the least possible is {limit}{unit}"
        case "maximum":
            return f"{cell} is too large; the most possible is {limit}{unit}"
        case _:
            return f"{cell!r} breaks the rule {violated} {limit}"


def _claim_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield what is wrong inside a row of the registry."""
    fields = package.fields("patients")
    for row, claim in enumerate(package.rows("claims"), start=2):
        for column, rule in _claim_faults(claim, fields):
            yield Problem(package.files["claims"], rule, row, column)


def _claim_faults(claim: dict[str, str], fields: dict[str, dict]) -> Iterator[Fault]:
    """Yield what is wrong with one claim: first what it is about, then what it prints."""
    about = list(_subject_faults(claim, fields))
    yield from about or _print_faults(claim, fields)


def _subject_faults(claim: dict[str, str], fields: dict[str, dict]) -> Iterator[Fault]:
    """Yield why no derivation could serve a claim."""
    measure, variable, arm = claim["measure"], claim["variable"], claim["arm"]
    if claim["chapter"] not in CHAPTERS:
        yield "chapter", f"{claim['chapter']!r} is not known; use {_one_of(CHAPTERS)}"
    for column in _UNUSED.get(measure, ()):
        if claim[column]:
            yield column, f"a claim of measure {measure} has no {column}; leave it empty"
    if claim["convention"] and measure != "p_value":
        rule = f"a claim of measure {measure} has no test to prefer; leave it empty"
        yield "convention", rule
    if measure == "background":
        return
    arms = ["both"] if measure in _COMPARING else fields["arm"]["constraints"]["enum"]
    if arm not in arms:
        yield "arm", f"a claim of measure {measure} is about {_one_of(arms)}, not {arm!r}"
    if measure == "p_value" and claim["convention"] not in ("", *CONVENTIONS):
        rule = f"{claim['convention']!r} is not a test known here; use {_one_of(CONVENTIONS)}"
        yield "convention", rule
    if measure == "n":
        return
    if not variable:
        yield "variable", f"a claim of measure {measure} needs the column it is derived from"
        return
    if variable not in fields:
        yield "variable", f"{variable!r} is not a column of the patient table"
        return
    if variable == "arm":
        yield "variable", f"the size of an arm has measure n, not {measure}"
        return
    listed = [str(value) for value in fields[variable].get("constraints", {}).get("enum", [])]
    if measure == "median":
        if fields[variable].get("type") != "number":
            yield "variable", f"column {variable} does not hold numbers to take a median of"
    elif not listed:
        yield "variable", f"column {variable} has no list of values (enum) to count"
    elif claim["category"] not in listed:
        yield "category", f"{claim['category']!r} is not known; use {_one_of(listed)}"


def _print_faults(claim: dict[str, str], fields: dict[str, dict]) -> Iterator[Fault]:
    """Yield what is wrong with the value that a claim prints, and the counts beside it."""
    measure, reported = claim["measure"], claim["reported"]
    numerator, denominator = claim["numerator"], claim["denominator"]
    unit = _UNITS.get(measure, fields.get(claim["variable"], {}).get("unit", ""))
    if claim["unit"] != unit:
        yield "unit", f"{claim['unit']!r} is not the unit of a {measure}; use {unit!r}"
    if measure == "significance":
        if reported not in SIGNIFICANCE_WORDING:
            yield "reported", f"{reported!r} is not known; use {_one_of(SIGNIFICANCE_WORDING)}"
        return
    try:
        printed = rounding.parse(reported)
    except ValueError as error:
        yield "reported", str(error)
        return
    if measure in STATED_COUNTS and not numerator:
        yield "numerator", f"a claim of measure {measure} needs its count"
        return
    if numerator and denominator and int(numerator) > int(denominator):
        yield "numerator", f"{numerator} is more than the denominator {denominator}"
    if measure == "fraction":
        if printed.counts is None:
            yield "reported", f"{reported!r} is not a count such as 10/20"
        elif (str(printed.counts[0]), str(printed.counts[1])) != (numerator, denominator):
            yield "reported", f"{reported!r} differs from {numerator}/{denominator} beside it"
        return
    if printed.counts is not None:
        yield "reported", f"{reported!r} is a count; its measure must be fraction"
        return
    wanted = "" if measure in (*STATED_COUNTS, "p_value") else unit
    if printed.unit != wanted:
        yield "reported", f"{reported!r} does not carry the unit {wanted!r}"
    if measure in STATED_COUNTS and (printed.relation, printed.number) != ("=", int(numerator)):
        yield "reported", f"{reported!r} differs from the numerator {numerator!r} beside it"
    edges = {"<": (0, None), ">": (None, 1 if measure == "p_value" else 100)}
    if printed.number in edges.get(printed.relation, ()):
        yield "reported", f"{reported!r} leaves no value that a {measure} could have"
    elif measure == "p_value" and not 0 <= printed.number <= 1:
        yield "reported", f"{reported!r} is not a P-value; it must lie between 0 and 1"
    elif measure == "p_value" and printed.number == 0:
        yield "reported", f"{reported!r}: no P-value is 0; a bound such as <0.001 is meant"
    if measure in ("percent", "background") and not 0 <= printed.number <= 100:
        yield "reported", f"{reported!r} is not a percentage between 0% and 100%"


def _patient_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield what ties several cells of a patient together and does not hold."""
    fields = package.fields("patients")
    in_days = package.descriptor["companion"]["timeUnit"] == "days"
    for row, patient in enumerate(package.rows("patients"), start=2):
        for column, rule in _patient_faults(patient, fields, in_days):
            yield Problem(package.files["patients"], rule, row, column)


def _patient_faults(
    patient: dict[str, str], fields: dict[str, dict], in_days: bool
) -> Iterator[Fault]:
    """Yield what is wrong with one patient."""
    arm = patient["arm"]
    for name, field in fields.items():
        value = patient[name]
        if not value:
            if arm in field.get("reportedFor", []) and not field.get("missingAllowed", False):
                yield name, f"the value is missing; arm {arm} has one"
        elif arm not in field.get("reportedFor", [arm]):
            yield name, f"must be empty: the package states that nothing is reported for arm {arm}"
        elif field.get("type") == "number" and not math.isfinite(float(value)):
            yield name, f"{value!r} is not a finite number"
    if (
        in_days
        and patient["died"] == "1"
        and patient.get("gc_dose_week8_mg_per_kg")
        and float(patient["followup_time"]) < DAYS_IN_WEEK_8
    ):
        day = patient["followup_time"]
        rule = f"must be empty: the patient died on day {day}, before week 8"
        yield "gc_dose_week8_mg_per_kg", rule


def _evidence_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield what ties several cells of the published cohorts together and does not hold."""
    present = [name for name in EVIDENCE if name in package.files]
    if len(present) == 1:
        (missing,) = set(EVIDENCE) - set(present)
        yield Problem(DESCRIPTOR, f"declares {present[0]} without {missing}; both or neither")
    if len(present) < len(EVIDENCE):
        return
    cohorts_name, percentages_name = EVIDENCE
    file, percentages_file = package.files[cohorts_name], package.files[percentages_name]
    cohorts, printed = package.rows(cohorts_name), package.rows(percentages_name)
    by_id = {study["study_id"]: study for study in cohorts}
    groups = Counter(group for study in cohorts for group in study["overlap_group"].split(";"))
    for row, study in enumerate(cohorts, start=2):
        for column, rule in _study_faults(study, groups):
            yield Problem(file, rule, row, column)
    for row, line in enumerate(printed, start=2):
        for column, rule in _percentage_faults(line, by_id.get(line["study_id"])):
            yield Problem(percentages_file, rule, row, column)
    listed = {line["study_id"] for line in printed}
    for row, study in enumerate(cohorts, start=2):
        if study["percent_reported"] and study["study_id"] not in listed:
            rule = f"{study['percent_reported']!r} has no row in {percentages_file}"
            yield Problem(file, rule, row, "percent_reported")


def _study_faults(study: dict[str, str], groups: Mapping[str, int]) -> Iterator[Fault]:
    """Yield what is wrong with one published cohort; `groups` counts the rows that name each."""
    for column, what in (("events", "events"), ("refractory_n", "refractory patients")):
        if study[column] and int(study[column]) > int(study["n"]):
            rule = f"{study[column]} {what} are more than the {study['n']} patients beside them"
            yield column, rule
    for group in filter(None, study["overlap_group"].split(";")):
        if groups[group] == 1:
            yield "overlap_group", f"no other row names the group {group!r}"
    for column, decided_by, kinds in (
        ("horizon_days", "horizon_kind", ("days", "mean follow-up")),
        ("disease_name", "disease", ("other",)),
    ):
        kind = study[decided_by]
        if (kind in kinds) != bool(study[column]):
            must = "needs a value" if kind in kinds else "must be empty"
            yield column, f"{must} where {decided_by} is {kind!r}"


def _percentage_faults(line: dict[str, str], study: dict[str, str] | None) -> Iterator[Fault]:
    """Yield what is wrong with one percentage of a published cohort."""
    if study is None:
        yield "study_id", f"{line['study_id']!r} is not a row of the published cohorts"
        return
    try:
        if rounding.parse(line["reported"]).unit != "%":
            yield "reported", f"{line['reported']!r} is not a percentage"
    except ValueError as error:
        yield "reported", str(error)
    numerator, denominator, n = int(line["numerator"]), int(line["denominator"]), int(study["n"])
    if numerator > denominator:
        yield "numerator", f"{numerator} is more than the denominator {denominator}"
    if denominator > n:
        yield "denominator", f"{denominator} is more than the {n} patients of the study"
    events = int(study["events"])
    whole = {"event": events, "no event": n - events}[line["counted"]]
    if denominator == n and numerator != whole:
        yield "numerator", f"{numerator} differs from {whole} in the published cohorts"


def _one_of(values: Collection[Any]) -> str:
    """List values with "or" before the last."""
    *others, last = map(str, values) if values else ["nothing"]
    return f"{', '.join(others)} or {last}" if others else last
