"""The one module that reads data: patients, claims and published cohorts in a data package.

`load_cohort` gives a validated `Cohort`; `problems` gives every fault of a data folder as a
readable sentence. What a schema can say is checked by frictionless from ``datapackage.json``;
the rules that tie several cells together are here.

The package descriptor carries what the companion must know and a schema has no word for:

``companion.treatmentArm``, ``companion.controlArm``
    The values of column ``arm``; ``controlArm`` is null for a cohort of one arm.
``companion.timeUnit``
    ``"order of events"`` or ``"days"``: the meaning of ``followup_time``.
``provenance`` of a field
    ``"reported"`` or ``"assumed"``: whether results rest on data or on a choice.
``reportedFor`` of a field
    The arms that have values; for the others the column is empty, never invented.
``missingAllowed`` of a field
    Whether a value may be missing in those arms.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from frictionless import Package, errors, system

from rdmas.paper.paths import companion_data_dir
from rdmas.stats import rounding
from rdmas.stats.checks import Table

DESCRIPTOR = "datapackage.json"
TIME_UNITS = ("order of events", "days")
PROVENANCES = ("reported", "assumed")
MISSING_VALUE = ""
DAYS_IN_WEEK_8 = 56

# Tables of published cohorts; a folder has both or neither.
_EVIDENCE = ("evidence", "evidence_percentages")

#: What `claims.csv` may say where two arms are compared in words, and the direction it means.
SIGNIFICANCE_WORDING = {
    "significantly higher": 1,
    "significantly lower": -1,
    "not significantly different": 0,
}


@dataclass(frozen=True)
class Problem:
    """One fault of a data folder.

    Attributes
    ----------
    file : str
        Name of the file in the data folder.
    rule : str
        What is wrong and what would be right, without a full stop.
    row : int or None
        Row in the file, counting the header as row 1.
    column : str or None
        Name of the column.
    """

    file: str
    rule: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        """Return one sentence that names file, row, column and rule."""
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.column is not None:
            place.append(f"column {self.column}")
        return f"{', '.join(place)}: {self.rule}."


class CohortError(ValueError):
    """A data folder that cannot be used; says why, one sentence for each fault.

    Attributes
    ----------
    problems : tuple of Problem
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in problems))


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
        return {field["name"]: field for field in _schema(self.descriptor, "patients")["fields"]}

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
        """Count the patients of an arm that have a value.

        Parameters
        ----------
        arm : str
            The arm to count in.
        column : str
            A column of the patient table.
        category : str
            The value to count, as written in the file.

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
        """Tell for every cell whether it is reported, assumed or empty.

        Returns
        -------
        pandas.DataFrame
            Columns ``patient``, ``arm``, ``column`` and ``state`` (reported, assumed or
            empty), in the order of the table; the identifier is left out.
        """
        columns = [name for name in self.fields() if name != "patient_id"]
        rows = [
            {
                "patient": patient["patient_id"],
                "arm": patient["arm"],
                "column": name,
                "state": "empty" if pd.isna(patient[name]) else self.fields()[name]["provenance"],
            }
            for patient in self.patients.to_dict("records")
            for name in columns
        ]
        return pd.DataFrame(rows)

    def deaths(self) -> Table:
        """Return deaths as events in both arms, of which the treatment arm is a.

        Returns
        -------
        rdmas.stats.checks.Table

        Raises
        ------
        ValueError
            If the cohort has one arm only.

        Examples
        --------
        >>> load_cohort().deaths()
        Table(events_a=1, n_a=20, events_b=8, n_b=21)
        """
        if self.control_arm is None:
            raise ValueError("a cohort of one arm has nobody to compare with")
        return Table(
            *self.count(self.treatment_arm, "died", "1"),
            *self.count(self.control_arm, "died", "1"),
        )


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
    folder = companion_data_dir() if data_dir is None else Path(data_dir)
    if found := problems(folder):
        raise CohortError(found)
    descriptor = _read_descriptor(folder)
    present = _resource_paths(descriptor)
    claims_folder = folder if "claims" in present else companion_data_dir()
    evidence_folder = folder if set(_EVIDENCE) <= set(present) else companion_data_dir()
    return Cohort(
        patients=_typed(folder, descriptor, "patients"),
        claims=read_claims(claims_folder),
        assumptions=read_assumptions(folder) if "assumptions" in present else _no_assumptions(),
        **{name: _with_empty_texts(evidence_folder, name) for name in _EVIDENCE},
        descriptor=descriptor,
        data_dir=folder,
    )


def read_descriptor(data_dir: str | Path) -> dict:
    """Read ``datapackage.json`` and make sure that the companion can use it.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        The data folder.

    Returns
    -------
    dict

    Raises
    ------
    CohortError
        If the file is missing, is not JSON, or lacks what the companion needs.

    Examples
    --------
    >>> read_descriptor(companion_data_dir())["companion"]["timeUnit"]
    'order of events'
    """
    descriptor = _read_descriptor(Path(data_dir))
    if found := list(_descriptor_problems(descriptor)):
        raise CohortError(found)
    return descriptor


def read_claims(data_dir: str | Path) -> pd.DataFrame:
    """Read the registry of claims of a data folder that has been validated.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        Folder with ``claims.csv``.

    Returns
    -------
    pandas.DataFrame
        As described for `Cohort`.
    """
    return _with_empty_texts(Path(data_dir), "claims")


def read_assumptions(data_dir: str | Path) -> pd.DataFrame:
    """Read the declared assumptions of a data folder that has been validated.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        Folder with ``assumptions.csv``.

    Returns
    -------
    pandas.DataFrame
        Columns id, statement, value, unit, reason; all text.
    """
    return _with_empty_texts(Path(data_dir), "assumptions")


def problems(data_dir: str | Path, without: tuple[str, ...] = ()) -> list[Problem]:
    """List every fault of a data folder.

    Parameters
    ----------
    data_dir : str or pathlib.Path
        The data folder.
    without : tuple of str, optional
        Names of resources to leave unread, such as a table that is about to be written.

    Returns
    -------
    list of Problem
        Empty if the folder can be used. Faults of the header or the encoding of a file hide
        those of its cells.

    Examples
    --------
    >>> problems(companion_data_dir())
    []
    """
    folder = Path(data_dir)
    try:
        descriptor = _read_descriptor(folder)
    except CohortError as error:
        return list(error.problems)
    if found := list(_descriptor_problems(descriptor)):
        return found
    for name in _resource_paths(descriptor):
        if name not in without:
            found += _table_problems(folder, descriptor, name)
    if not found and "claims" not in without and "claims" in _resource_paths(descriptor):
        found += _claim_problems(folder, descriptor)
    if not found and "patients" not in without:
        found += _patient_problems(folder, descriptor)
    if not found:
        found += _evidence_problems(folder, descriptor)
    return found


def _read_descriptor(folder: Path) -> dict:
    try:
        text = (folder / DESCRIPTOR).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CohortError([Problem(DESCRIPTOR, f"not found in {folder}")]) from None
    except NotADirectoryError:
        raise CohortError([Problem(str(folder), "is a file; name the data folder")]) from None
    except UnicodeDecodeError as error:
        raise CohortError([Problem(DESCRIPTOR, f"is not UTF-8 text ({error.reason})")]) from None
    try:
        descriptor = json.loads(text)
    except json.JSONDecodeError as error:
        raise CohortError(
            [Problem(DESCRIPTOR, f"is not valid JSON ({error.msg})", row=error.lineno)]
        ) from None
    if not isinstance(descriptor, dict):
        raise CohortError([Problem(DESCRIPTOR, "must hold one JSON object")])
    return descriptor


def _descriptor_problems(descriptor: dict) -> Iterator[Problem]:
    try:
        Package.from_descriptor(descriptor)
    except Exception as error:  # frictionless raises one class whose reasons say what is wrong
        reasons = getattr(error, "reasons", None) or [getattr(error, "error", error)]
        for reason in reasons:
            yield Problem(DESCRIPTOR, getattr(reason, "note", str(reason)).rstrip("."))
        return
    names = _resource_paths(descriptor)
    if "patients" not in names:
        yield Problem(DESCRIPTOR, "must declare a resource named patients")
        return
    for name, path in names.items():
        if not isinstance(path, str) or Path(path).name != path:
            yield Problem(DESCRIPTOR, f"the path of resource {name} must be a plain file name")
    companion = descriptor.get("companion")
    if not isinstance(companion, dict):
        yield Problem(
            DESCRIPTOR,
            "must have an object named companion with treatmentArm, controlArm and timeUnit",
        )
        return
    fields = {field["name"]: field for field in _schema(descriptor, "patients")["fields"]}
    if "arm" not in fields:
        yield Problem(DESCRIPTOR, "the schema of patients must have a field named arm")
        return
    arms = fields["arm"].get("constraints", {}).get("enum", [])
    if companion.get("treatmentArm") not in arms:
        yield Problem(
            DESCRIPTOR, f"companion.treatmentArm must be one of the arms: {_one_of(arms)}"
        )
    control = companion.get("controlArm")
    if control is not None and (control not in arms or control == companion.get("treatmentArm")):
        yield Problem(
            DESCRIPTOR, f"companion.controlArm must be null or the other arm: {_one_of(arms)}"
        )
    if companion.get("timeUnit") not in TIME_UNITS:
        yield Problem(DESCRIPTOR, f"companion.timeUnit must be {_one_of(TIME_UNITS)}")
    for name, field in fields.items():
        if field.get("provenance") not in PROVENANCES:
            yield Problem(
                DESCRIPTOR, f"field {name} must have a provenance: {_one_of(PROVENANCES)}"
            )
        unknown = set(field.get("reportedFor", arms)) - set(arms)
        if unknown:
            yield Problem(
                DESCRIPTOR,
                f"reportedFor of field {name} names {_one_of(sorted(unknown))}, "
                f"which is not an arm",
            )


def _table_problems(folder: Path, descriptor: dict, name: str) -> list[Problem]:
    """Check one table against its schema; faults that hide the others come alone."""
    file = _resource_paths(descriptor)[name]
    schema = _schema(descriptor, name)
    try:
        text = (folder / file).read_bytes().decode("utf-8")
    except FileNotFoundError:
        return [Problem(file, f"not found in {folder}")]
    except UnicodeDecodeError as error:
        row = error.object[: error.start].count(b"\n") + 1
        return [Problem(file, "is not UTF-8 text; save it with the encoding UTF-8", row=row)]
    header = next(csv.reader(text.splitlines()), [])
    if header and header[0].startswith("\ufeff"):
        return [Problem(file, "starts with a byte order mark; save it as UTF-8 without one", row=1)]
    names = [field["name"] for field in schema["fields"]]
    if header_faults := list(_header_problems(file, header, names)):
        return header_faults
    resource = next(item for item in descriptor["resources"] if item["name"] == name)
    with system.use_context(trusted=True):
        package = Package.from_descriptor(
            {"name": "one-table", "resources": [resource]}, basepath=str(folder)
        )
        report = package.validate()
    faults = [
        _as_problem(error, file, schema)
        for task in report.tasks
        for error in task.errors
        # An empty line also breaks the primary key; one sentence is enough.
        if not (isinstance(error, errors.PrimaryKeyError) and "None" in error.note)
    ]
    faults += [Problem(file, error.note.rstrip(".")) for error in report.errors]
    if not faults and text.count("\n") < 2 and len(list(csv.reader(text.splitlines()))) < 2:
        faults.append(Problem(file, "has a header and no rows"))
    return sorted(dict.fromkeys(faults), key=lambda fault: fault.row or 0)


def _header_problems(file: str, header: list[str], names: list[str]) -> Iterator[Problem]:
    if not header:
        yield Problem(file, "is empty; it must start with a header row")
        return
    for name in names:
        if name not in header:
            yield Problem(file, f"there is no column named {name}", row=1, column=name)
    for name in dict.fromkeys(header):
        if name not in names:
            yield Problem(
                file, f"the schema knows no column named {name!r}; remove or rename it", row=1
            )
        elif header.count(name) > 1:
            yield Problem(file, "the column stands there more than once", row=1, column=name)


def _as_problem(error: errors.TableError, file: str, schema: dict) -> Problem:
    """Say a frictionless error in one plain sentence."""
    fields = {field["name"]: field for field in schema["fields"]}
    row = getattr(error, "row_number", None)
    column = getattr(error, "field_name", None)
    column = column if column in fields else None
    cell = getattr(error, "cell", None)
    if isinstance(error, errors.PrimaryKeyError):
        key = ", ".join(schema["primaryKey"])
        twin = error.note.replace("the row at position", "row")
        return Problem(file, f"the value is {twin}; it must be unique", row, key)
    if isinstance(error, errors.TypeError):
        kind = {"integer": "a whole number", "number": "a number"}
        wanted = kind.get(fields[column]["type"], fields[column]["type"])
        return Problem(file, f"{cell!r} is not {wanted}", row, column)
    if isinstance(error, errors.ConstraintError):
        if str(cell).lower() in ("nan", "inf", "-inf"):
            return Problem(file, f"{cell!r} is not a finite number", row, column)
        violated = error.note.split('"')[1]
        return Problem(file, _constraint_rule(violated, cell, fields[column]), row, column)
    if isinstance(error, errors.BlankRowError):
        return Problem(file, "the row is empty; remove it", row)
    if isinstance(error, errors.ExtraCellError):
        return Problem(file, "the row has more cells than the header", row)
    if isinstance(error, errors.MissingCellError):
        return Problem(file, "the row has fewer cells than the header", row, column)
    return Problem(file, error.note.rstrip(".") or error.message.rstrip("."), row, column)


def _constraint_rule(violated: str, cell: str, field: dict) -> str:
    limit = field["constraints"][violated]
    unit = f" {field['unit']} (check the unit)" if "unit" in field else ""
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


def _claim_problems(folder: Path, descriptor: dict) -> Iterator[Problem]:
    file = _resource_paths(descriptor)["claims"]
    fields = {field["name"]: field for field in _schema(descriptor, "patients")["fields"]}
    for row, claim in enumerate(_strings(folder, file), start=2):
        yield from (
            Problem(file, rule, row, column) for column, rule in _claim_faults(claim, fields)
        )


def _claim_faults(claim: dict[str, str], fields: dict[str, dict]) -> Iterator[tuple[str, str]]:
    """Yield column and rule of what is wrong inside one row of the registry."""
    measure, reported = claim["measure"], claim["reported"]
    if claim["variable"] and claim["variable"] not in fields:
        yield "variable", f"{claim['variable']!r} is not a column of the patient table"
        return
    if measure not in ("n", "background") and not claim["variable"]:
        yield "variable", f"a claim of measure {measure} needs the column it is derived from"
        return
    if measure in ("count", "fraction", "percent", "p_value", "significance"):
        known = [str(value) for value in fields[claim["variable"]]["constraints"].get("enum", [])]
        if claim["category"] not in known:
            yield "category", f"{claim['category']!r} is not known; use {_one_of(known)}"
    if measure == "significance":
        if reported not in SIGNIFICANCE_WORDING:
            yield "reported", f"{reported!r} is not known; use {_one_of(SIGNIFICANCE_WORDING)}"
        return
    try:
        printed = rounding.parse(reported)
    except ValueError as error:
        yield "reported", str(error)
        return
    numerator, denominator = claim["numerator"], claim["denominator"]
    if numerator and denominator and int(numerator) > int(denominator):
        yield "numerator", f"{numerator} is more than the denominator {denominator}"
    if measure == "fraction":
        if printed.counts is None:
            yield "reported", f"{reported!r} is not a count such as 10/20"
        elif (str(printed.counts[0]), str(printed.counts[1])) != (numerator, denominator):
            yield "reported", f"{reported!r} differs from {numerator}/{denominator} beside it"
    elif printed.counts is not None:
        yield "reported", f"{reported!r} is a count; its measure must be fraction"
    if measure in ("n", "count") and reported != numerator:
        yield "reported", f"{reported!r} differs from the numerator {numerator!r} beside it"
    if measure in ("percent", "background", "median") and printed.unit != claim["unit"]:
        yield "reported", f"{reported!r} does not carry the unit {claim['unit']!r}"
    if measure == "p_value" and not 0 <= printed.number <= 1:
        yield "reported", f"{reported!r} is not a P-value; it must lie between 0 and 1"
    if measure == "percent" and not 0 <= printed.number <= 100:
        yield "reported", f"{reported!r} is not a percentage between 0% and 100%"


def _patient_problems(folder: Path, descriptor: dict) -> Iterator[Problem]:
    """Check what ties several cells of a patient together."""
    file = _resource_paths(descriptor)["patients"]
    schema = _schema(descriptor, "patients")
    days = descriptor["companion"]["timeUnit"] == "days"
    for row, patient in enumerate(_strings(folder, file), start=2):
        for field in schema["fields"]:
            name, value = field["name"], patient[field["name"]]
            if value == MISSING_VALUE:
                expected = patient["arm"] in field.get("reportedFor", [])
                if expected and not field.get("missingAllowed", False):
                    yield Problem(
                        file, f"the value is missing; arm {patient['arm']} has one", row, name
                    )
            elif patient["arm"] not in field.get("reportedFor", [patient["arm"]]):
                yield Problem(
                    file,
                    f"must be empty: the package states that nothing is reported for arm "
                    f"{patient['arm']}",
                    row,
                    name,
                )
            elif field["type"] == "number" and not math.isfinite(float(value)):
                yield Problem(file, f"{value!r} is not a finite number", row, name)
        if days and patient["died"] == "1" and float(patient["followup_time"]) < DAYS_IN_WEEK_8:
            if patient.get("gc_dose_week8_mg_per_kg"):
                yield Problem(
                    file,
                    f"must be empty: the patient died on day {patient['followup_time']}, "
                    f"before week 8",
                    row,
                    "gc_dose_week8_mg_per_kg",
                )


def _evidence_problems(folder: Path, descriptor: dict) -> Iterator[Problem]:
    """Check what ties several cells of the published cohorts together."""
    present = [name for name in _EVIDENCE if name in _resource_paths(descriptor)]
    if len(present) == 1:
        missing = next(name for name in _EVIDENCE if name not in present)
        yield Problem(DESCRIPTOR, f"declares {present[0]} without {missing}; both or neither")
    if len(present) < len(_EVIDENCE):
        return
    file, percentages_file = (_resource_paths(descriptor)[name] for name in _EVIDENCE)
    cohorts = {study["study_id"]: study for study in _strings(folder, file)}
    for row, study in enumerate(cohorts.values(), start=2):
        if int(study["events"]) > int(study["n"]):
            rule = f"{study['events']} events are more than the {study['n']} patients beside them"
            yield Problem(file, rule, row, "events")
    printed = _strings(folder, percentages_file)
    for row, line in enumerate(printed, start=2):
        yield from (
            Problem(percentages_file, rule, row, column)
            for column, rule in _percentage_faults(line, cohorts.get(line["study_id"]))
        )
    listed = {line["study_id"] for line in printed}
    for row, study in enumerate(cohorts.values(), start=2):
        if study["percent_reported"] and study["study_id"] not in listed:
            rule = f"{study['percent_reported']!r} has no row in {percentages_file}"
            yield Problem(file, rule, row, "percent_reported")


def _percentage_faults(
    line: dict[str, str], study: dict[str, str] | None
) -> Iterator[tuple[str, str]]:
    """Yield column and rule of what is wrong with one percentage of a published cohort."""
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


def _with_empty_texts(folder: Path, name: str) -> pd.DataFrame:
    """Read one table; texts that are missing become empty strings."""
    table = _typed(folder, _read_descriptor(folder), name)
    texts = table.select_dtypes("object").columns
    return table.assign(**{column: table[column].fillna("") for column in texts})


def _typed(folder: Path, descriptor: dict, name: str) -> pd.DataFrame:
    """Read one table with the types of its schema; empty cells become missing."""
    types = {"integer": "Int64", "number": "float64", "string": "object"}
    return pd.read_csv(
        folder / _resource_paths(descriptor)[name],
        dtype={
            field["name"]: types[field["type"]] for field in _schema(descriptor, name)["fields"]
        },
        keep_default_na=False,
        na_values=[MISSING_VALUE],
        encoding="utf-8",
    )


def _strings(folder: Path, file: str) -> list[dict[str, str]]:
    with (folder / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _resource_paths(descriptor: dict) -> dict[str, str]:
    return {item["name"]: item.get("path") for item in descriptor.get("resources", [])}


def _schema(descriptor: dict, name: str) -> dict:
    return next(item for item in descriptor["resources"] if item["name"] == name)["schema"]


def _no_assumptions() -> pd.DataFrame:
    return pd.DataFrame(columns=["id", "statement", "value", "unit", "reason"], dtype="object")


def _one_of(values) -> str:
    values = [str(value) for value in values]
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
