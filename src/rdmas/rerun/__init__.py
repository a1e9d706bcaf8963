"""The whole book about a reader's cohort: chapters executed, site built, run recorded."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rdmas.rerun.build import build_site
from rdmas.rerun.execute import environment, execute_chapters
from rdmas.rerun.plan import (
    RECORD,
    Options,
    Plan,
    RerunError,
    fingerprint,
    plan,
    read_inputs,
    sha256,
    software,
    source_fingerprint,
)
from rdmas.rerun.record import record
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

#: Where executed chapters wait in the working folder.
EXECUTED = "executed"

__all__ = ["Options", "RerunError", "Result", "rerun"]


@dataclass(frozen=True)
class Result:
    """A finished run.

    Attributes
    ----------
    out : pathlib.Path
        Folder of the book: ``index.html``, ``claims.json``, ``ro-crate-metadata.json`` and more.
    title : str
        Title of the book.
    executed, kept : tuple of str
        Chapters executed now, and those kept from an earlier run that was interrupted.
    seconds : float
        How long it took.
    """

    out: Path
    title: str
    executed: tuple[str, ...]
    kept: tuple[str, ...]
    seconds: float


def rerun(
    options: Options,
    say: Callable[[str], None] = print,
    warn: Callable[[str], None] = lambda line: None,
    progress: bool | None = None,
) -> Result:
    """Make the whole book about a cohort.

    Parameters
    ----------
    options : Options
        What to do.
    say : callable, optional
        Takes each line of the log; no line holds a value of the data.
    warn : callable, optional
        Takes what is odd in the cohort. These lines name values: for the terminal only.
    progress : bool, optional
        Whether bars are drawn on standard error; by default if it is a terminal.

    Returns
    -------
    Result
        What was made. The folder `options.out` appears when it is whole, and never before.

    Raises
    ------
    RerunError
        If an option is not usable, another run works on the same folder, a chapter stops, or
        no space is left. What was done is kept, and the same call goes on from there.
    rdmas.paper.package.CohortError
        If the cohort is not valid; nothing was written then.
    """
    began, clock = datetime.now(UTC), time.monotonic()
    with sentences(Path(options.out)):
        run = plan(options)
    for warning in run.cohort.warnings:
        warn(str(warning))
    work = work_folder(run.out)
    with sentences(run.out), locked(work):
        executed = _targets(run, work)
        kept = _kept(work, executed)
        if kept:
            say(f"Going on from an interrupted run: {len(kept)} of {len(executed)} chapters done.")
        settings = environment(run.options.encoding, run.options.title)
        missing = {name: file for name, file in executed.items() if name not in kept}
        seconds = execute_chapters(run, missing, work, settings, say, progress)
        say("Building the site.")
        made = build_site(run, executed, work, settings)
        (made / "notebooks").mkdir(exist_ok=True)
        for name, file in executed.items():
            shutil.copyfile(file, made / "notebooks" / f"{name}.ipynb")
        text = record(run, made, began, datetime.now(UTC), seconds, software())
        write_whole(made / RECORD, text)
        narrow(made, run.file_mode)
        if read_inputs(run.cohort, run.data) != run.inputs:
            raise RerunError(f"{run.data.name}: changed while the book was made; run it again.")
        put_in_place(made, run.out, options.force)
        remove(work)
    return Result(
        run.out, run.title, tuple(seconds), tuple(kept), round(time.monotonic() - clock, 1)
    )


def _targets(run: Plan, work: Path) -> dict[str, Path]:
    """Return where each executed chapter belongs: its name says what it was made from."""
    common = fingerprint(
        run.inputs,
        run.parameters,
        run.title,
        run.options.encoding,
        source_fingerprint(),
        software(),
    )
    return {
        name: work / EXECUTED / f"{name}-{fingerprint(common, sha256(chapter))}.ipynb"
        for name, chapter in run.chapters.items()
    }


def _kept(work: Path, executed: Mapping[str, Path]) -> list[str]:
    """Return the chapters that an earlier run has left, and clear away what else it left."""
    (work / EXECUTED).mkdir(exist_ok=True)
    wanted = {work / LOCK, work / EXECUTED, *executed.values()}
    for path in [*work.iterdir(), *(work / EXECUTED).iterdir()]:
        if path not in wanted:
            remove(path, stubborn=True)
    return [name for name, file in executed.items() if file.is_file()]
