"""The record of a run: what went in, by hash, what was asked, with what software, and when.

A Process Run Crate: https://www.researchobject.org/workflow-run-crate/profiles/process_run_crate
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

from rdmas.rerun.plan import Plan

CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
CRATE = "https://w3id.org/ro/crate/1.1"
LICENSE = "https://spdx.org/licenses/MIT"


def record(
    plan: Plan,
    made: Path,
    began: datetime,
    ended: datetime,
    seconds: Mapping[str, float],
    versions: Mapping[str, str],
) -> str:
    """Return the content of ``ro-crate-metadata.json`` for a finished book.

    Parameters
    ----------
    plan : rdmas.rerun.plan.Plan
        What was done.
    made : pathlib.Path
        The folder of the book.
    began, ended : datetime.datetime
        When, with time zone.
    seconds : mapping of str to float
        How long each chapter took that was executed in this run; the others were kept from an
        earlier one that was interrupted.
    versions : mapping of str to str
        Installed software, by name.
    """
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(CONTEXT)
    root = crate.root_dataset
    root["name"] = plan.title
    root["description"] = "The book about a cohort, made from its records, and how it was made."
    root["datePublished"] = ended.isoformat(timespec="seconds")
    root["license"] = (
        "None is stated; whoever made the book decides. The program is under the MIT licence."
    )
    root["conformsTo"] = _entity(
        crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"
    )
    results = [_file(crate, made, name) for name in _results(plan)]
    action = _entity(
        crate,
        "#run",
        "CreateAction",
        name="Chapters executed and the site built by rdmas rerun",
        startTime=began.isoformat(timespec="seconds"),
        endTime=ended.isoformat(timespec="seconds"),
        actionStatus="http://schema.org/CompletedActionStatus",
        instrument=_software(crate, versions),
        object=[*_inputs(crate, plan), *_parameters(crate, plan)],
        result=results,
        description=_durations(plan, seconds),
    )
    root["mentions"] = action
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n"


def _results(plan: Plan) -> list[str]:
    """Return the files of the book that a reader of the record looks for."""
    pages = [f"{name}.html" for name in plan.chapters]
    notebooks = [f"notebooks/{name}.ipynb" for name in plan.chapters]
    return [*pages, "claims.json", "claims.schema.json", *notebooks]


def _file(crate: ROCrate, made: Path, name: str) -> File:
    """Add a file of the book."""
    formats = {
        ".html": "text/html",
        ".json": "application/json",
        ".ipynb": "application/x-ipynb+json",
    }
    properties = {"encodingFormat": formats[Path(name).suffix], "name": name}
    if (made / name).is_file():
        properties["contentSize"] = str((made / name).stat().st_size)
    return crate.add(File(crate, dest_path=name, properties=properties))


def _inputs(crate: ROCrate, plan: Plan) -> list[ContextEntity]:
    """Add the files of the cohort, which are not part of the book, by hash."""
    return [
        _entity(
            crate,
            f"urn:hash::sha256:{digest}",
            "File",
            name=name,
            sha256=digest,
            description="Read in place. It is not part of this book.",
        )
        for name, digest in plan.inputs.items()
    ]


def _parameters(crate: ROCrate, plan: Plan) -> list[ContextEntity]:
    """Add what was asked for."""
    given: dict[str, Any] = plan.parameters | {"data_dir": plan.data.name, "title": plan.title}
    if plan.options.encoding:
        given["encoding"] = plan.options.encoding
    return [
        _entity(crate, f"#{name}", "PropertyValue", name=name, value=value)
        for name, value in given.items()
    ]


def _software(crate: ROCrate, versions: Mapping[str, str]) -> ContextEntity:
    """Add the program and what it ran with."""
    needed = [
        _entity(
            crate,
            f"#software-{number}",
            "SoftwareApplication",
            name=name,
            softwareVersion=version,
        )
        for number, (name, version) in enumerate(versions.items())
        if name != "rdmas"
    ]
    return _entity(
        crate,
        "#rdmas",
        "SoftwareApplication",
        name="rdmas",
        softwareVersion=versions.get("rdmas", "unknown"),
        softwareRequirements=needed,
        license={"@id": LICENSE},
    )


def _durations(plan: Plan, seconds: Mapping[str, float]) -> str:
    """Say how long each chapter took."""
    return "; ".join(
        f"{name}: {seconds[name]:.1f} s" if name in seconds else f"{name}: kept"
        for name in plan.chapters
    )


def _entity(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> ContextEntity:
    """Add something that the record speaks of."""
    return crate.add(ContextEntity(crate, identifier, {"@type": kind, **properties}))
