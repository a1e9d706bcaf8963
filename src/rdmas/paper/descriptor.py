"""What ``datapackage.json`` may say: names. The rules of every table are the package's own.

``title``, ``sources``
    What the cohort is called; where it comes from, as ``title`` and ``path``. The paper itself is
    the first source.
``companion.treatmentArm``, ``companion.controlArm``
    The values of column ``arm``; ``controlArm`` is null for a cohort of one arm.
``companion.timeUnit``
    One of `TIME_UNITS`: the meaning of ``followup_time``.
``companion.drug``, ``companion.disease``, ``companion.diagnoses``
    What the drug and the disease are called, and the values of column ``diagnosis``; optional.
``companion.related``
    Records of the same work that nothing was taken from, as ``title`` and ``path``; optional.
``provenance`` of a field
    One of `PROVENANCES`: whether results rest on data or on a choice.
``reportedFor`` of a field
    The arms that have values; for the others the column is empty, never invented.
``missingAllowed`` of a field
    Whether a value may be missing in those arms.
``title``, ``description`` of a field
    What a page calls it.

Everything else that a Data Package may hold is read by other programs and has no effect here:
constraints, types, patterns, dialects, profiles, missing values. Nothing is fetched or followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rdmas.paper import schema
from rdmas.paper.problems import CohortError, Problem
from rdmas.paper.register import files

DESCRIPTOR = "datapackage.json"
TIME_UNITS = ("order of events", "days")
PROVENANCES = ("measured", "reported", "assumed")

#: What a cohort is called that does not say.
UNTITLED = "A cohort of one's own"

_FLAGS = ("provenance", "reportedFor", "missingAllowed", "title", "description")
_NAMES = ("treatmentArm", "controlArm", "timeUnit", "drug", "disease", "related", "diagnoses")


def read_stated(folder: Path) -> dict[str, Any]:
    """Return what ``datapackage.json`` says, as it says it.

    Raises
    ------
    CohortError
        If there is no such file, or it is not one JSON object.
    """
    if not folder.exists():
        raise CohortError(Problem(DESCRIPTOR, f"not found in {folder}"))
    data = files.read_bytes(folder / DESCRIPTOR)
    if b"\0" in data:
        row = data[: data.index(b"\0")].count(b"\n") + 1
        raise CohortError(Problem(DESCRIPTOR, "holds a NUL byte; save it as plain text", row))
    try:
        stated = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        fault = Problem(DESCRIPTOR, "is not UTF-8 text; save it with the encoding UTF-8", row)
    except json.JSONDecodeError as error:
        fault = Problem(DESCRIPTOR, f"is not valid JSON ({error.msg})", error.lineno)
    except RecursionError:
        fault = Problem(DESCRIPTOR, "is nested too deep")
    except ValueError as error:
        fault = Problem(DESCRIPTOR, f"is not valid JSON ({str(error).partition(';')[0]})")
    else:
        if isinstance(stated, dict):
            return stated
        fault = Problem(DESCRIPTOR, "must hold one JSON object")
    raise CohortError(fault)


def stated_tables(stated: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources that are objects with a name."""
    listed = stated.get("resources")
    tables = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return [table for table in tables if isinstance(table.get("name"), str)]


def stated_fields(stated: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what is said of the columns of the patients, by name."""
    for table in stated_tables(stated):
        fields = table.get("schema", {}) if table["name"] == "patients" else {}
        fields = fields.get("fields", []) if isinstance(fields, dict) else []
        if isinstance(fields, list):
            named = [it for it in fields if isinstance(it, dict)]
            found = {it["name"]: it for it in named if isinstance(it.get("name"), str)}
            if found:
                return found
    return {}


def taken(
    stated: Mapping[str, Any], arms: Iterable[str], diagnoses: Iterable[str]
) -> dict[str, Any]:
    """Return what is taken from a valid descriptor, in its own form.

    Parameters
    ----------
    stated : mapping
        From `read_stated`, found to be valid.
    arms : iterable of str
        The arms that have patients; a second arm without any is none.
    diagnoses : iterable of str
        Values of column ``diagnosis`` where the descriptor names none.

    Returns
    -------
    dict
        ``title``, ``sources``, ``companion`` and in ``resources`` the table of the patients,
        whose schema is the package's own with the descriptor's names.
    """
    names = {key: stated["companion"][key] for key in _NAMES if key in stated["companion"]}
    if names.get("controlArm") not in set(arms):
        names["controlArm"] = None
    both = [arm for arm in (names["treatmentArm"], names["controlArm"]) if arm is not None]
    listed = {"arm": both, "diagnosis": list(names.get("diagnoses", diagnoses))}
    said = stated_fields(stated)
    fields = []
    for name, field in schema.fields("patients").items():
        flags = said.get(name, {"provenance": "measured", "reportedFor": []})
        field |= {flag: flags[flag] for flag in _FLAGS if flag in flags}
        if name in listed:
            field["constraints"] = field.get("constraints", {}) | {"enum": listed[name]}
        if name == "followup_time":
            field["unit"] = names["timeUnit"]
        if "reportedFor" in field:
            field["reportedFor"] = [arm for arm in field["reportedFor"] if arm in both]
        fields.append(field)
    table = {"name": "patients", "schema": schema.table("patients") | {"fields": fields}}
    return {
        "title": stated.get("title", UNTITLED),
        "sources": stated.get("sources", []),
        "companion": names,
        "resources": [table],
    }
