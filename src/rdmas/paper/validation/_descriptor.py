"""What is wrong with ``datapackage.json``: the names in it, and what it points to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rdmas.paper import schema
from rdmas.paper.descriptor import (
    DESCRIPTOR,
    PROVENANCES,
    TIME_UNITS,
    stated_fields,
    stated_tables,
)
from rdmas.paper.package import DataPackage
from rdmas.paper.problems import Problem
from rdmas.paper.validation._words import one_of, quoted, several

#: Letters that a name may have.
_LONGEST = {"title": 300, "description": 2000, "path": 500}


def descriptor_problems(stated: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what a descriptor lacks, or says in another form than it is read in."""
    found = list(_resource_faults(stated)) or list(_companion_faults(stated.get("companion")))
    for rule in found or _title_faults(stated):
        yield Problem(DESCRIPTOR, rule)


def field_problems(stated: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with what is said of the columns of the patients."""
    for rule in _field_faults(stated):
        yield Problem(DESCRIPTOR, rule)


def not_followed(stated: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a warning for each thing that names a place elsewhere, or other missing values."""
    for table in (stated, *stated_tables(stated)):
        whose = f"of resource {quoted(table['name'])}" if table is not stated else "of the package"
        for key in ("profile", "dialect", "schema", "extrapaths"):
            value = table.get(key)
            if isinstance(value, str) and not (key == "profile" and _is_word(value)):
                rule = f"{key} {whose} is not followed; every rule is the book's own"
                yield Problem(DESCRIPTOR, rule, value=value, level="warning")
        held = table.get("schema")
        missing = held.get("missingValues", [""]) if isinstance(held, dict) else [""]
        if missing != [""]:
            rule = f"missingValues {whose} have no effect; a missing value is an empty cell"
            yield Problem(DESCRIPTOR, rule, level="warning")


def arm_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield which arm of the descriptor nobody is in, though the table has others."""
    if "patients" not in package.files:
        return
    companion, found = package.stated["companion"], package.values("patients", "arm")
    for key in ("treatmentArm", "controlArm"):
        arm = companion.get(key)
        others = [name for name in found if name not in map(companion.get, _ARM_KEYS)]
        if arm is not None and arm not in found and (others or key == "treatmentArm") and found:
            rule = (
                f"companion.{key} {quoted(arm)} is no arm of {package.files['patients']}, "
                f"which has {several(found[:5])}"
            )
            yield Problem(DESCRIPTOR, rule)


_ARM_KEYS = ("treatmentArm", "controlArm")


def _resource_faults(stated: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the list of tables."""
    listed = stated.get("resources")
    if not isinstance(listed, list) or len(stated_tables(stated)) != len(listed):
        yield "resources must be a list of objects, each with a name"
        return
    names = [table["name"] for table in listed]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"resource {quoted(name)} stands there more than once"
    if "patients" not in names:
        yield "must declare a resource named patients"
    for table in listed:
        if table["name"] not in schema.tables():
            continue
        path = table.get("path", f"{table['name']}.csv")
        if not isinstance(path, str) or not _is_file_name(path):
            yield (
                f"the path of resource {table['name']} must be a plain file name, such as "
                f"{table['name']}.csv; nothing outside the folder is read"
            )
        if table.get("extrapaths"):
            yield (
                f"resource {table['name']} has extrapaths, which are not read; put all rows "
                "into one file"
            )
        if table["name"] == "patients" and not isinstance(table.get("schema"), dict):
            yield (
                "the schema of resource patients must stand in this file, with the provenance "
                "of each field; nothing is fetched"
            )


def _companion_faults(companion: Any) -> Iterator[str]:
    """Yield what the descriptor lacks that the companion needs."""
    if not isinstance(companion, dict):
        yield "must have an object named companion with treatmentArm, controlArm and timeUnit"
        return
    treatment, control = companion.get("treatmentArm"), companion.get("controlArm")
    if not _is_name(treatment):
        yield "companion.treatmentArm must be the name of an arm"
    if control is not None and (not _is_name(control) or control == treatment):
        yield "companion.controlArm must be null or the name of the other arm"
    for arm in (treatment, control):
        if isinstance(arm, str) and arm.strip().casefold() == "both":
            yield "an arm cannot be called both, which means a comparison in the registry"
    if not isinstance(companion.get("timeUnit"), str) or companion["timeUnit"] not in TIME_UNITS:
        yield f"companion.timeUnit must be {one_of(TIME_UNITS)}"
    for key in ("drug", "disease"):
        if key in companion and not _is_text(companion[key]):
            yield f"companion.{key} must be text on one line, of at most 200 letters"
    diagnoses = companion.get("diagnoses", [])
    named = isinstance(diagnoses, list) and all(map(_is_name, diagnoses))
    if not named or len(set(diagnoses)) < len(diagnoses):
        yield "companion.diagnoses must be a list of different names"
    yield from _record_faults("companion.related", companion.get("related", []))


def _title_faults(stated: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with what the package is called and where it comes from."""
    if not _is_text(stated.get("title", ""), _LONGEST["title"]):
        yield f"title must be text on one line, of at most {_LONGEST['title']} letters"
    yield from _record_faults("sources", stated.get("sources", []))


def _record_faults(setting: str, records: Any) -> Iterator[str]:
    """Yield what is wrong with a list of publications."""
    if not isinstance(records, list):
        yield f"{setting} must be a list of objects with title and path"
        return
    for record in records:
        if not isinstance(record, dict) or not _is_text(record.get("title"), 1000):
            yield f"each of {setting} must be an object with a title and, perhaps, a path"
        elif "path" in record and not _is_address(record["path"]):
            yield f"the path of each of {setting} must be an address that begins with https://"


def _field_faults(stated: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the flags of the columns."""
    companion = stated["companion"]
    arms = [arm for arm in map(companion.get, _ARM_KEYS) if arm is not None]
    unknown = defaultdict(list)
    for name, field in stated_fields(stated).items():
        if name not in schema.fields("patients"):
            continue
        provenance = field.get("provenance")
        if not isinstance(provenance, str) or provenance not in PROVENANCES:
            yield f"field {name} must have a provenance: {one_of(PROVENANCES)}"
        if not isinstance(field.get("missingAllowed", False), bool):
            yield f"missingAllowed of field {name} must be true or false"
        reported = field.get("reportedFor", [])
        if not isinstance(reported, list) or not all(isinstance(arm, str) for arm in reported):
            yield f"reportedFor of field {name} must be a list of arms"
            continue
        for arm in reported:
            if arm not in arms:
                unknown[arm].append(name)
        for key in ("title", "description"):
            if key in field and not _is_text(field[key], _LONGEST[key]):
                yield f"{key} of field {name} must be text of at most {_LONGEST[key]} letters"
    for arm, names in unknown.items():
        fields = f"field{'s' if len(names) > 1 else ''} {several(names)}"
        yield f"reportedFor of {fields} names {quoted(arm)}, which is not an arm: {one_of(arms)}"


def _is_text(value: Any, longest: int = 200) -> bool:
    """Tell whether a value is text that may be shown on one line."""
    return isinstance(value, str) and len(value) <= longest and value.isprintable()


def _is_name(value: Any) -> bool:
    """Tell whether a value can be the name of an arm or a disease."""
    return _is_text(value) and value == value.strip() != ""


def _is_word(value: str) -> bool:
    """Tell whether a profile is the name of a standard one."""
    return value.replace("-", "").isalpha()


def _is_file_name(path: str) -> bool:
    """Tell whether a path is the name of a file of the folder, and nothing else."""
    plain = path == Path(path).name and not set(path) & set("/\\:?*") and path.isprintable()
    return plain and len(path) <= 200 and path not in ("", ".", "..")


def _is_address(path: Any) -> bool:
    """Tell whether a path can be linked from a page."""
    return _is_text(path, 500) and path.startswith(("https://", "http://")) and " " not in path
