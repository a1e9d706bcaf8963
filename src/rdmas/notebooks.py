"""Execute chapters with papermill and keep their stored outputs small and comparable.

``python -m rdmas.notebooks BOOK_DIR`` re-executes every chapter in place and is the one way
stored outputs are updated. Only outputs that nbval compares are kept: text of cells tagged
``nbval-check-output``. Images and timings would change on every run.
"""

from __future__ import annotations

import difflib
import itertools
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
from nbformat import NotebookNode
from tqdm import tqdm

from rdmas.show.prose import listed

COMPARED_TAG = "nbval-check-output"
TEXT_TYPES = ("text/html", "text/plain", "text/markdown", "text/latex")
KEPT_METADATA = ("kernelspec", "language_info")
LANGUAGE_INFO = {"name": "python"}


class ParameterError(ValueError):
    """A chapter was given a parameter that it does not have."""


def execute(
    chapter: str | Path,
    output: str | Path,
    parameters: dict | None = None,
    cwd: str | Path | None = None,
) -> NotebookNode:
    """Execute a chapter, with other parameters if wanted, and save the result.

    Parameters
    ----------
    chapter : str or pathlib.Path
        The notebook to execute; it is left as it is.
    output : str or pathlib.Path
        Where to write the executed notebook.
    parameters : dict, optional
        Values for names in the chapter's cell tagged ``parameters``.
    cwd : str or pathlib.Path, optional
        Working directory of the kernel.

    Returns
    -------
    nbformat.NotebookNode
        The executed notebook.

    Raises
    ------
    ParameterError
        If the chapter has no parameter of a given name. papermill alone only warns.
    papermill.exceptions.PapermillExecutionError
        If a cell fails.
    """
    parameters = parameters or {}
    known = papermill.inspect_notebook(str(chapter))
    for name in parameters:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; it has {listed(known)}."
            raise ParameterError(f"{Path(chapter).name} has no parameter {name}{hint}")
    return papermill.execute_notebook(
        str(chapter),
        str(output),
        parameters=parameters,
        cwd=None if cwd is None else str(cwd),
        progress_bar=False,
        kernel_name="python3",
    )


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Reduce a notebook to what is worth keeping under version control.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        An executed notebook; it is changed in place.

    Returns
    -------
    nbformat.NotebookNode
        The same notebook: outputs of compared cells as text, cells numbered in order, and no
        timings or machine-dependent metadata.
    """
    notebook.metadata = NotebookNode(
        {key: value for key, value in notebook.metadata.items() if key in KEPT_METADATA}
    )
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.language_info = LANGUAGE_INFO
    numbers = itertools.count(1)
    for cell in notebook.cells:
        for transient in ("execution", "papermill", "collapsed"):
            cell.metadata.pop(transient, None)
        if cell.cell_type != "code":
            continue
        # nbval refuses outputs of a cell without a number, so cells are numbered in order.
        cell.execution_count = next(numbers)
        compared = COMPARED_TAG in cell.metadata.get("tags", [])
        cell.outputs = [_as_text(output) for output in cell.outputs if compared]
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = cell.execution_count
    return notebook


def refresh(book_dir: str | Path) -> list[str]:
    """Execute every chapter and update its stored outputs.

    Parameters
    ----------
    book_dir : str or pathlib.Path
        Folder with the chapters.

    Returns
    -------
    list of str
        Names of the chapters that changed. A chapter that fails stops the run; those before
        it are already saved, the others are untouched.
    """
    changed = []
    chapters = sorted(Path(book_dir).glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as scratch:
        for chapter in tqdm(chapters, desc="chapters", unit="chapter"):
            executed = execute(chapter, Path(scratch) / chapter.name, cwd=book_dir)
            text = nbformat.writes(normalise(executed)) + "\n"
            if text != chapter.read_text(encoding="utf-8"):
                chapter.write_text(text, encoding="utf-8")
                changed.append(chapter.name)
    return changed


def _as_text(output: NotebookNode) -> NotebookNode:
    if "data" in output:
        output.data = NotebookNode(
            {kind: content for kind, content in output.data.items() if kind in TEXT_TYPES}
        )
        output.metadata = NotebookNode()
    return output


if __name__ == "__main__":
    names = refresh(sys.argv[1])
    print(f"updated: {', '.join(names)}" if names else "all stored outputs were up to date")
