"""One book of many: what is sent to a worker, what it does, and what comes back."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from rdmas.rerun import rerun
from rdmas.rerun.plan import RECORD, Options


class Job(NamedTuple):
    """A book to be made.

    `files` holds the register, packed, for a worker elsewhere; without it the worker reads and
    writes where the options say.
    """

    name: str
    options: Options
    files: bytes | None = None


class Made(NamedTuple):
    """A book that was made; `site` holds it, packed, if the worker was elsewhere."""

    name: str
    seconds: float
    site: bytes | None = None


def make(job: Job) -> Made:
    """Make a book, on a worker; one that is there was made by a worker that died afterwards."""
    if job.files is None and (job.options.out / RECORD).is_file():
        return Made(job.name, 0.0)
    # Bars that are not drawn need no lock of the system, which would outlive a killed worker.
    tqdm.set_lock(threading.RLock())
    with ExitStack() as stack:
        options = job.options
        if job.files is not None:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rdmas-book-")))
            unpack(job.files, place / "data")
            data, out = place / "data" / options.data.name, place / "out" / job.name
            options = replace(options, data=data, out=out)
        result = rerun(options, say=_nothing, progress=False)
        site = packed([result.out], result.out) if job.files is not None else None
    return Made(job.name, result.seconds, site)


def packed(paths: Iterable[Path], folder: Path) -> bytes:
    """Pack files, and folders with all in them, under their paths in a folder."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz", compresslevel=1, dereference=True) as archive:
        for path in paths:
            archive.add(path, path.relative_to(folder).as_posix(), filter=_nobody)
    return content.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Unpack into a folder, which is there when it is whole."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True, mode=0o700)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(aside, filter="data")
    aside.rename(folder)


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out whose a file is."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _nothing(line: str) -> None:
    """Say nothing: the process that handed out the book says what came of it."""
