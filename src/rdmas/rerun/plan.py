"""What a run is asked to do, and whether it can: nothing is written here."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import rdmas
from rdmas.paper.cohort import Cohort, load_cohort
from rdmas.paper.package import DESCRIPTOR, DataPackage
from rdmas.paper.paths import cohort_chapters_dir, is_folder

#: Chapters in the order of the book, in its parts; what a folder has besides comes last.
PARTS = {
    "The cohort": ("data", "remission", "survival", "p_value", "p_value_notes", "dose", "cmv"),
    "What it can carry": ("sturdiness", "sturdiness_notes", "context", "context_notes"),
    "The result": ("scoreboard",),
    "Using the book": ("reexecute", "conventions", "reference", "colophon"),
}
ROOT = "index"
#: Chapters of the paper's book that describe the example register, whatever the data.
ABOUT_THE_EXAMPLE = ("own_cohort",)
RECORD = "ro-crate-metadata.json"
LONGEST_TITLE = 200


class RerunError(RuntimeError):
    """A run that cannot be made or cannot go on; says why in one sentence.

    Attributes
    ----------
    detail : str
        What went wrong in a chapter. It may hold a value of the data: for the terminal only.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


@dataclass(frozen=True)
class Options:
    """What a run is asked to do.

    Attributes
    ----------
    data : pathlib.Path
        A register or data package, as in `rdmas.paper.cohort.load_cohort`.
    out : pathlib.Path
        Folder of the finished book; must not exist, unless `force` is set.
    title : str, optional
        Title of the book; by default the cohort's.
    workers : int, optional
        Chapters executed side by side; by default one for each processor.
    level : float, optional
        Confidence level of the intervals.
    aggregate_only : bool, optional
        Whether figures show summaries in place of single patients' values.
    mask_below : int, optional
        Outcomes with a count from 1 to this less one are left out.
    force : bool, optional
        Whether an earlier book in `out` is replaced.
    encoding : str, optional
        Encoding of the register's table; by default it is found out.
    chapters : pathlib.Path, optional
        Folder of the chapters; by default the book's.
    """

    data: Path
    out: Path
    title: str | None = None
    workers: int | None = None
    level: float = 0.95
    aggregate_only: bool = False
    mask_below: int = 0
    force: bool = False
    encoding: str | None = None
    chapters: Path | None = None


@dataclass(frozen=True)
class Plan:
    """A run that can be made.

    Attributes
    ----------
    options : Options
        As given.
    cohort : rdmas.paper.cohort.Cohort
        The cohort, read and valid.
    data, out : pathlib.Path
        Where it is read from and where the book is to appear, absolute.
    title : str
        Title of the book.
    chapters : mapping of str to pathlib.Path
        The chapters by name, in order.
    inputs : mapping of str to str
        SHA-256 of each file of the cohort, by the last component of its path.
    file_mode : int
        Permissions of the files of the book: none that an input has not.
    """

    options: Options
    cohort: Cohort
    data: Path
    out: Path
    title: str
    chapters: Mapping[str, Path]
    inputs: Mapping[str, str]
    file_mode: int

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the chapters."""
        common = {"data_dir": str(self.data), "level": self.options.level}
        if self.of_the_paper:
            return common
        options = self.options
        return common | {
            "aggregate_only": options.aggregate_only,
            "mask_below": options.mask_below,
        }

    @property
    def of_the_paper(self) -> bool:
        """Tell whether these are the chapters about a paper, with all that belongs to them."""
        return self.options.chapters is None and not self.cohort.is_register

    @property
    def workers(self) -> int:
        """Return how many chapters are executed side by side."""
        processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        return min(self.options.workers or processors, len(self.chapters))


def plan(options: Options) -> Plan:
    """Check what a run is asked to do, and read its cohort.

    Raises
    ------
    RerunError
        If an option is not usable.
    rdmas.paper.package.CohortError
        If the cohort is not valid.
    """
    check_values(options)
    data, out = Path(options.data).absolute(), normal(Path(options.out))
    check_places(data, out, options.force)
    cohort = load_cohort(data, options.mask_below, options.encoding)
    if not cohort.is_register and (options.aggregate_only or options.mask_below):
        raise RerunError(
            "--aggregate-only and --mask-below are for patients' records; these data were rebuilt "
            "from a paper."
        )
    title = (options.title or cohort.title).strip()
    chapters = options.chapters or _chapters_of(cohort)
    return Plan(
        options=options,
        cohort=cohort,
        data=data,
        out=out,
        title=title,
        chapters=_in_order(Path(chapters)),
        inputs=read_inputs(cohort, data),
        file_mode=_narrowest_mode([data, *files_of(cohort, data)]),
    )


def fingerprint(*parts: object) -> str:
    """Return a short hash of anything that JSON can say."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def read_inputs(cohort: Cohort, data: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a cohort, as it is now, by name."""
    return {file.name: sha256(file) for file in files_of(cohort, data)}


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def software() -> dict[str, str]:
    """Return the versions of Python and of every installed package, by name."""
    found = {item.metadata["Name"]: item.version for item in metadata.distributions()}
    return {"Python": platform.python_version(), **dict(sorted(found.items()))}


def source_fingerprint() -> str:
    """Return a hash of the package's own files, names and content."""
    folder = Path(rdmas.__file__).parent
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".json"))
    return fingerprint([(path.relative_to(folder).as_posix(), sha256(path)) for path in files])


def check_values(options: Options) -> None:
    """Refuse options whose values mean nothing."""
    if options.workers is not None and options.workers < 1:
        raise RerunError(f"--workers is {options.workers}; at least 1 is needed.")
    if not 0 < options.level < 1:
        raise RerunError(f"--level is {options.level:g}; it must lie between 0 and 1, as 0.95.")
    if options.mask_below < 0:
        raise RerunError(f"--mask-below is {options.mask_below}; it must be 0 or more.")
    if options.encoding is not None:
        try:
            codecs.lookup(options.encoding)
        except (LookupError, ValueError):
            name = options.encoding[:60]
            raise RerunError(f"--encoding {name!r} is not known; utf-8 is an example.") from None
    if options.title is not None:
        title = options.title.strip()
        if not title or len(title) > LONGEST_TITLE or not title.isprintable():
            raise RerunError(
                f"--title must be one line of text, of 1 to {LONGEST_TITLE} characters."
            )


def check_places(data: Path, out: Path, force: bool) -> None:
    """Refuse an output that would meet the data or what stands there already."""
    name = out.name or str(out)
    real_data, real_out = Path(os.path.realpath(data)), Path(os.path.realpath(out))
    if real_out == real_data or (is_folder(real_data) and real_data in real_out.parents):
        raise RerunError(f"{name}: lies in the data folder; name a folder outside it.")
    if real_out in real_data.parents:
        raise RerunError(f"{name}: holds the data; name another folder.")
    above = next(folder for folder in out.parents if os.path.lexists(folder))
    if not is_folder(above):
        raise RerunError(f"{name}: cannot be made, since {above.name} is a file.")
    if not os.path.lexists(out):
        return
    if not force:
        raise RerunError(f"{name}: exists already; name another folder, or give --force.")
    if out.is_symlink() or not is_folder(out):
        raise RerunError(f"{name}: is not a folder; name another one.")
    if any(out.iterdir()) and not (out / RECORD).is_file():
        raise RerunError(f"{name}: holds no book made by rdmas rerun, so it is left as it is.")


def normal(path: Path) -> Path:
    """Return an absolute path whose last component is a name, and is not followed."""
    if path.name in ("", ".."):
        return Path(os.path.realpath(path))
    return Path(os.path.realpath(path.parent)) / path.name


def _chapters_of(cohort: Cohort) -> Path:
    """Return the folder of the chapters that describe such a cohort."""
    return cohort_chapters_dir() if cohort.is_register else cohort_chapters_dir().parent


def _in_order(folder: Path) -> dict[str, Path]:
    """Return the chapters of a folder by name, the first page first."""
    found = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    known = [ROOT, *(name for names in PARTS.values() for name in names)]
    if ROOT not in found:
        raise RerunError(f"{folder.name}: holds no chapters; there is no {ROOT}.ipynb.")
    return {name: found[name] for name in [*known, *sorted(found)] if name in found}


def files_of(cohort: Cohort, data: Path) -> list[Path]:
    """Return the files that a cohort was read from."""
    folder = data if is_folder(data) else data.parent
    names = set(cohort.inputs)
    if is_folder(data) and (data / DESCRIPTOR).exists():
        names |= {DESCRIPTOR, *DataPackage(data).files.values()}
    return [folder / name for name in sorted(names) if (folder / name).is_file()]


def _narrowest_mode(paths: list[Path]) -> int:
    """Return the permissions to read and write that all paths share; the owner can read."""
    mode = 0o666
    for path in paths:
        mode &= path.stat().st_mode
    return mode | 0o400
