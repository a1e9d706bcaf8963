"""The whole book about a reader's cohort: chapters executed, site built, run recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rdmas.rerun.plan import Options, RerunError, plan

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
    options: Options, say: Callable[[str], None] = print, progress: bool | None = None
) -> Result:
    """Make the whole book about a cohort.

    Parameters
    ----------
    options : Options
        What to do.
    say : callable, optional
        Takes each line of the log; no line holds a value of the data.
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
    raise RerunError(f"{plan(options).out.name}: making books comes with the next change.")
