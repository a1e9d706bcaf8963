"""The record of a run: what went in, by hash, what was asked, with what software, and when.

A Process Run Crate: https://www.researchobject.org/workflow-run-crate/profiles/process_run_crate
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity
from rocrate.model.file import File
from rocrate.rocrate import ROCrate

from rdmas.rerun.plan import RECORD, Plan

CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
CRATE = "https://w3id.org/ro/crate/1.1"
#: Tables beside the pages.
RESULTS = ("claims.json", "claims.schema.json")
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
    what = "The book about a cohort, made from its records, and how it was made."
    crate = _crate(plan.title, what, ended)
    _add_action(
        crate,
        began,
        ended,
        versions,
        name="Chapters executed and the site built by rdmas rerun",
        object=[*_inputs(crate, plan), *_parameters(crate, plan)],
        result=[_file(crate, made, name) for name in _results(plan)],
        description=_durations(plan, seconds),
    )
    return _text(crate)


def record_of_many(
    names: Sequence[str],
    made: Path,
    title: str,
    parameters: Mapping[str, Any],
    began: datetime,
    ended: datetime,
    versions: Mapping[str, str],
) -> str:
    """Return the record of a page about many cohorts, whose books have records of their own.

    Parameters
    ----------
    names : sequence of str
        Folders of the books.
    made : pathlib.Path
        The folder they are in, with the page.
    title : str
        What the cohorts are called together.
    parameters : mapping of str to value
        What was asked for.
    began, ended, versions
        As in `record`.
    """
    crate = _crate(title, "One page about many cohorts, with a book for each.", ended)
    books = [
        _entity(
            crate,
            f"{quote(name)}/",
            "Dataset",
            name=name,
            subjectOf={"@id": f"{quote(name)}/{RECORD}"},
        )
        for name in names
    ]
    pages = [_file(crate, made, name) for name in ("index.html", *RESULTS, "cohorts.json")]
    crate.root_dataset["hasPart"] = [*pages, *books]
    given = [
        _entity(crate, f"#{name}", "PropertyValue", name=name, value=value)
        for name, value in parameters.items()
    ]
    _add_action(
        crate,
        began,
        ended,
        versions,
        name="Books made and summed up by rdmas rerun",
        object=given,
        result=[*pages, *books],
    )
    return _text(crate)


def _crate(title: str, description: str, ended: datetime) -> ROCrate:
    """Begin a record."""
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(CONTEXT)
    root = crate.root_dataset
    root["name"] = title
    root["description"] = description
    root["datePublished"] = ended.isoformat(timespec="seconds")
    root["license"] = (
        "None is stated; whoever made the book decides. The program is under the MIT licence."
    )
    root["conformsTo"] = _entity(
        crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"
    )
    return crate


def _add_action(
    crate: ROCrate,
    began: datetime,
    ended: datetime,
    versions: Mapping[str, str],
    **properties: Any,
) -> None:
    """Add what was done, when and with what."""
    crate.root_dataset["mentions"] = _entity(
        crate,
        "#run",
        "CreateAction",
        startTime=began.isoformat(timespec="seconds"),
        endTime=ended.isoformat(timespec="seconds"),
        actionStatus="http://schema.org/CompletedActionStatus",
        instrument=_software(crate, versions),
        **properties,
    )


def _text(crate: ROCrate) -> str:
    """Return a record as the text of its file."""
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False) + "\n"


def _results(plan: Plan) -> list[str]:
    """Return the files of the book that a reader of the record looks for."""
    pages = [f"{name}.html" for name in plan.chapters]
    notebooks = [f"notebooks/{name}.ipynb" for name in plan.chapters]
    return [*pages, *RESULTS, *notebooks]


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
