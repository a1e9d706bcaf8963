"""How a chapter begins: its parameters are known, its cohort is read, and it is the right one.

A chapter of the book speaks of a paper's abstract. Given patients' records, it shows the chapter
of the same name that was written for such, and ends.
"""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from typing import NoReturn

import nbformat
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import Markdown, display

from rdmas.paper.cohort import Cohort, load_cohort
from rdmas.paper.package import CohortError, Problem
from rdmas.paper.paths import book_dir, cohort_chapters_dir
from rdmas.show import figures, prose

#: How papermill marks the cell that it adds after the chapter's own parameters.
INJECTED = "# Parameters"


def read(chapter: str, data_dir: str | Path | None = None) -> Cohort:
    """Read the cohort of a chapter about a paper.

    Parameters
    ----------
    chapter : str
        Name of the chapter, without ending.
    data_dir : str or pathlib.Path, optional
        As in `rdmas.paper.cohort.load_cohort`.

    Returns
    -------
    rdmas.paper.cohort.Cohort
        Never a register: for one the chapter written for registers is shown, and the notebook
        ends.

    Raises
    ------
    rdmas.paper.package.CohortError
        If the cohort cannot be used, or papermill was given a parameter the chapter has not.
    """
    refuse_unknown_parameters()
    figures.use_style()
    cohort = load_cohort(data_dir)
    if cohort.is_register:
        _hand_over(chapter)
    return cohort


def answer(chapter: str) -> Markdown:
    """Return the first paragraphs of a chapter with their numbers filled in.

    A notebook that papermill executed shows roles where the site shows numbers; this is for who
    reads it there. A sentence that quotes another page is left out.

    Raises
    ------
    KeyError
        If a number has not been glued yet.
    """
    cells = nbformat.read(book_dir() / f"{chapter}.ipynb", as_version=4).cells
    paragraphs = cells[0].source.split("\n\n")[1:]
    kept = ["\n".join(line for line in text.split("\n") if "::" not in line) for text in paragraphs]
    filled = re.sub(r"\{glue\}`([^`]+)`", lambda role: prose.GLUED[role[1]], "\n\n".join(kept))
    filled = re.sub(r" ?\(?\{cite:p\}`[^`]+`\)?", "", filled)
    return Markdown(re.sub(r"\{ref\}`([^`<]+?) *<[^`]+>`", r"\1", filled))


def refuse_unknown_parameters() -> None:
    """Refuse a name that papermill sets and the cell before it does not.

    papermill itself only warns, and the chapter would then describe other data than meant.
    """
    shell = get_ipython()
    cells = shell.user_ns.get("In", []) if shell else []
    for own, injected in itertools.pairwise(cells):
        if injected.startswith(INJECTED):
            known = _assigned(own)
            for name in _assigned(injected):
                if name not in known:
                    rule = f"{name!r} is no parameter of this chapter; it has {', '.join(known)}"
                    raise CohortError(Problem("parameters", rule))


def _assigned(source: str) -> list[str]:
    """List the names that a cell assigns, in order."""
    targets = [
        target
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    ]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _hand_over(chapter: str) -> NoReturn:
    """Show the chapter for registers in this notebook instead, and end it."""
    file = cohort_chapters_dir() / f"{chapter}.ipynb"
    if not file.is_file():
        rule = "This page is about a paper; there is none like it for patients' records."
        display(Markdown(rule))
        raise SystemExit(0)
    display(
        Markdown(
            "*These are patients' records, so the chapter that was written for records is shown "
            "here. What follows below it in this file is about a paper's abstract and was not "
            "run.*"
        )
    )
    shell = InteractiveShell.instance()
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "markdown":
            display(Markdown(cell.source))
        elif "parameters" in cell.metadata.get("tags", []):
            given = {name: shell.user_ns.get(name) for name in _assigned(cell.source)}
            shell.run_cell(cell.source)
            shell.push({name: value for name, value in given.items() if value is not None})
        else:
            shell.run_cell(cell.source).raise_error()
    # papermill takes this for success and runs no further cell.
    raise SystemExit(0)
