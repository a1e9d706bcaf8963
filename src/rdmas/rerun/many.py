"""Many cohorts at once: a book each, and one page about all of them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from rdmas.paper.claims import json_schema
from rdmas.paper.package import CohortError
from rdmas.rerun.book import Job, Made, make, packed, unpack
from rdmas.rerun.cluster import Outcome, each, workers
from rdmas.rerun.ensemble import claims_of
from rdmas.rerun.plan import (
    RECORD,
    Options,
    RerunError,
    check_places,
    check_values,
    files_of,
    fingerprint,
    normal,
    plan,
    sha256,
    software,
    source_fingerprint,
)
from rdmas.rerun.record import record_of_many
from rdmas.rerun.summary import Arm, Row, page, row_of
from rdmas.rerun.work import (
    LOCK,
    locked,
    narrow,
    put_in_place,
    remove,
    sentences,
    work_folder,
    write_whole,
)

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Finished", "claims_of", "rerun_many"]

BOOKS, DONE = "books", "done"


@dataclass(frozen=True)
class Finished:
    """A finished run over many cohorts.

    Attributes
    ----------
    out : pathlib.Path
        Folder of the page about all and of a folder for each book.
    made, kept : tuple of str
        Cohorts whose books were made now, and those kept from an earlier run.
    failed : mapping of str to str
        Cohorts without a book, each with the reason in one sentence.
    seconds : float
        How long it took.
    """

    out: Path
    made: tuple[str, ...]
    kept: tuple[str, ...]
    failed: Mapping[str, str]
    seconds: float


@dataclass(frozen=True)
class _Planned:
    """A cohort that can have a book: what it is made from, and its row."""

    options: Options
    files: tuple[Path, ...]
    key: str
    row: Row
    file_mode: int


def rerun_many(
    cohorts: Mapping[str, Path],
    options: Options,
    scheduler: str | None = None,
    say: Callable[[str], None] = print,
    warn: Callable[[str], None] = lambda line: None,
    progress: bool | None = None,
) -> Finished:
    """Make the books of many cohorts, and a page about all of them.

    Parameters
    ----------
    cohorts : mapping of str to pathlib.Path
        Registers by name, as from `rdmas.rerun.several.find_cohorts`.
    options : Options
        What to do with each; ``out`` is the folder of all, ``title`` that of the page about all,
        and ``workers`` the number of books made side by side.
    scheduler : str, optional
        Address of a running Dask scheduler. The files of a register are sent to one of its
        workers, and the book comes back; they need no folder in common.
    say, warn, progress
        As in `rdmas.rerun.rerun`. What is wrong with a cohort names values, and goes to `warn`.

    Returns
    -------
    Finished
        Cohorts that failed are in it, and did not keep the others from being made.

    Raises
    ------
    RerunError
        If an option is not usable, another run works on the same folder, no cohort could be
        made, or no space is left. What was done is kept, and the same call goes on from there.
    rdmas.rerun.cluster.WorkerError
        If there are no such workers.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    check_values(options)
    out = normal(Path(options.out))
    for path in cohorts.values():
        check_places(path.absolute(), out, options.force)
    work = work_folder(out)
    failed: dict[str, str] = {}
    with sentences(out), locked(work):
        planned = dict(_planned(cohorts, options, out, work, failed, warn))
        kept = _kept(work, planned)
        if kept:
            say(f"Going on from an interrupted run: {len(kept)} of {len(cohorts)} cohorts done.")
        missing = {name: found for name, found in planned.items() if name not in kept}
        with (
            workers(_processes(options.workers, len(missing)), scheduler, work) as client,
            tqdm(
                desc="cohorts",
                total=len(planned),
                initial=len(kept),
                unit="cohort",
                disable=not (sys.stderr.isatty() if progress is None else progress),
            ) as bar,
        ):
            sent = scheduler is not None
            for name, outcome in _make_each(missing, client, sent):
                _settle(name, outcome, planned[name], work, failed, say, warn)
                bar.update()
        done = [name for name in planned if name not in failed]
        if not done:
            raise RerunError(f"{out.name}: not made, since no cohort could be made.")
        rows = [planned[name].row for name in done]
        made = _assembled(rows, sorted(failed), options, work)
        given = _parameters(options)
        ended = datetime.now(UTC)
        text = record_of_many(done, made, _title(options), given, began, ended, software())
        write_whole(made / RECORD, text)
        mode = 0o666
        for name in done:
            mode &= planned[name].file_mode
        narrow(made, mode)
        put_in_place(made, out, options.force)
        remove(work)
    seconds = round(time.monotonic() - clock, 1)
    return Finished(
        out, tuple(name for name in done if name not in kept), tuple(kept), failed, seconds
    )


def _title(options: Options) -> str:
    """Return what the cohorts are called together."""
    return (options.title or "All cohorts").strip()


def _processes(asked: int | None, cohorts: int) -> int:
    """Return how many books are made side by side."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return max(1, min(asked or processors, cohorts))


def _planned(
    cohorts: Mapping[str, Path],
    options: Options,
    out: Path,
    work: Path,
    failed: dict[str, str],
    warn: Callable[[str], None],
) -> Iterator[tuple[str, _Planned]]:
    """Read every register, and yield those that can have a book; the others have failed."""
    common = fingerprint(source_fingerprint(), software())
    for name, path in cohorts.items():
        alone = replace(options, data=path, out=out / name, title=None, workers=1)
        try:
            run = plan(alone)
        except (CohortError, RerunError) as error:
            _fail(name, error, failed, warn)
            continue
        for warning in run.cohort.warnings:
            warn(f"{name}: {warning}")
        chapters = {name: sha256(file) for name, file in run.chapters.items()}
        given = run.parameters | {"data_dir": run.data.name, "encoding": options.encoding}
        yield (
            name,
            _Planned(
                replace(alone, data=run.data, out=work / BOOKS / name, force=False),
                tuple(files_of(run.cohort, run.data)),
                fingerprint(common, name, run.inputs, given, run.title, chapters),
                row_of(name, run.cohort, options.level),
                run.file_mode,
            ),
        )


def _kept(work: Path, planned: Mapping[str, _Planned]) -> list[str]:
    """Return the cohorts whose books an earlier run has left, and clear away what else it left.

    A book that was begun stays, so that its chapters need not be executed again.
    """
    for folder in (BOOKS, DONE):
        (work / folder).mkdir(exist_ok=True)
    kept = [name for name, found in planned.items() if _key_of(work, name) == found.key]
    wanted = {LOCK, BOOKS, DONE}
    wanted |= {f"{BOOKS}/{name}" for name in kept} | {f"{DONE}/{name}.json" for name in kept}
    wanted |= {f"{BOOKS}/{work_folder(Path(name)).name}" for name in planned if name not in kept}
    for path in [*work.iterdir(), *(work / BOOKS).iterdir(), *(work / DONE).iterdir()]:
        if path.relative_to(work).as_posix() not in wanted:
            remove(path, stubborn=True)
    return kept


def _key_of(work: Path, name: str) -> str | None:
    """Return what the book of a cohort was made from, if it is there as a whole."""
    file = work / DONE / f"{name}.json"
    if not file.is_file() or not (work / BOOKS / name / RECORD).is_file():
        return None
    return json.loads(file.read_text(encoding="utf-8"))["key"]


def _make_each(
    missing: Mapping[str, _Planned], client: Client | None, sent: bool
) -> Iterator[tuple[str, Outcome[Made]]]:
    """Make books, and yield what came of each as soon as it is known."""
    names = list(missing)
    jobs = (_job(name, missing[name], sent) for name in names)
    for outcome in each(make, jobs, client):
        yield names[outcome.place], outcome


def _job(name: str, planned: _Planned, sent: bool) -> Job:
    """Return what a worker needs to make a book."""
    data = planned.options.data
    files = packed(planned.files, data.parent) if sent else None
    return Job(name, planned.options, files)


def _settle(
    name: str,
    outcome: Outcome[Made],
    planned: _Planned,
    work: Path,
    failed: dict[str, str],
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> None:
    """Keep a book that was made, or say why there is none."""
    if outcome.value is None:
        _fail(name, outcome.failure, failed, warn)
        return
    if outcome.value.site is not None:
        unpack(outcome.value.site, work / BOOKS / name)
    write_whole(work / DONE / f"{name}.json", json.dumps({"key": planned.key}) + "\n")
    say(f"{name}: made in {outcome.value.seconds:.0f} s.")


def _fail(
    name: str,
    failure: BaseException | None,
    failed: dict[str, str],
    warn: Callable[[str], None],
) -> None:
    """Say why a cohort has no book."""
    failed[name] = f"{name}: {_reason(failure)}"
    warn(failed[name])


def _reason(failure: BaseException | None) -> str:
    """Put a failure into one sentence."""
    if isinstance(failure, CohortError):
        first, *others = [str(fault) for fault in failure.problems if fault.level == "error"]
        more = f" ({len(others)} more: see rdmas validate.)" if others else ""
        return f"{first}{more}"
    if isinstance(failure, RerunError):
        return " ".join(filter(None, (str(failure), getattr(failure, "detail", ""))))
    if type(failure).__name__ == "KilledWorker":
        return "its worker process died again and again, perhaps for want of memory."
    return f"stopped ({type(failure).__name__}: {str(failure)[:200]})."


def _parameters(options: Options) -> dict[str, Any]:
    """Return what was asked for of every book."""
    names = ("level", "aggregate_only", "mask_below", "encoding")
    given = {name: getattr(options, name) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def _assembled(rows: list[Row], missing: list[str], options: Options, work: Path) -> Path:
    """Put the books and the page about all into one folder, and return it."""
    site = work / BOOKS
    for path in site.iterdir():
        if path.name.startswith("."):
            remove(path, stubborn=True)
    texts = page(rows, missing, _title(options), options.level, options.mask_below)
    texts["claims.json"] = _json(list(_claims(rows, site)))
    texts["claims.schema.json"] = _json(_schema())
    texts["cohorts.json"] = _json([_as_object(row) for row in rows])
    for name, text in texts.items():
        write_whole(site / name, text)
    return site


def _claims(rows: Iterable[Row], site: Path) -> Iterator[dict[str, Any]]:
    """Yield every claim of every book with the name of its cohort."""
    for row in rows:
        text = (site / row.cohort / "claims.json").read_text(encoding="utf-8")
        for claim in json.loads(text):
            yield {"cohort": row.cohort, **claim}


def _schema() -> dict[str, Any]:
    """Return the schema of the claims of all cohorts."""
    schema = json_schema()
    items = schema["items"]
    cohort = {"type": "string", "description": "folder of the cohort's book"}
    items["properties"] = {"cohort": cohort, **items["properties"]}
    items["required"] = ["cohort", *items["required"]]
    return schema


def _as_object(row: Row) -> dict[str, Any]:
    """Return a row with its arms by name."""
    return {
        name: value._asdict() if isinstance(value, Arm) else value
        for name, value in row._asdict().items()
    }


def _json(content: Any) -> str:
    """Write an object as the text of a file."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
