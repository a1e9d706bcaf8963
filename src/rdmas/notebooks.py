"""Execute chapters with papermill and keep their stored outputs small and comparable.

``python -m rdmas.notebooks BOOK_DIR`` re-executes every chapter in place and is the one way
stored outputs are updated. Only outputs that nbval compares are kept: text of cells tagged
``nbval-check-output``. Images and timings would change on every run.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
from nbformat import NotebookNode
from tqdm import tqdm

COMPARED_TAG = "nbval-check-output"
TEXT_TYPES = ("text/html", "text/plain", "text/markdown", "text/latex")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def execute(chapter: str | Path, output: str | Path, cwd: str | Path) -> NotebookNode:
    """Execute a chapter with papermill, in the folder `cwd`, and save the result."""
    return papermill.execute_notebook(
        str(chapter), str(output), cwd=str(cwd), progress_bar=False, kernel_name=KERNEL["name"]
    )


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Reduce an executed notebook, in place, to what is worth keeping under version control.

    That is outputs of compared cells as text, and no timings or machine-dependent metadata.
    """
    notebook.metadata = NotebookNode(kernelspec=KERNEL, language_info={"name": "python"})
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
    """Execute every chapter of a folder, update its stored outputs and name those that changed.

    A chapter that fails stops the run; those before it are already saved, the others untouched.
    """
    changed = []
    chapters = sorted(Path(book_dir).glob("*.ipynb"))
    with tempfile.TemporaryDirectory() as scratch:
        for chapter in tqdm(chapters, desc="chapters", unit="chapter"):
            executed = execute(chapter, Path(scratch) / chapter.name, book_dir)
            text = nbformat.writes(normalise(executed)) + "\n"
            if text != chapter.read_text(encoding="utf-8"):
                chapter.write_text(text, encoding="utf-8")
                changed.append(chapter.name)
    return changed


def _as_text(output: NotebookNode) -> NotebookNode:
    """Reduce an output to what is text in it."""
    if "data" in output:
        output.data = NotebookNode(
            {kind: content for kind, content in output.data.items() if kind in TEXT_TYPES}
        )
        output.metadata = NotebookNode()
    return output


if __name__ == "__main__":
    names = refresh(sys.argv[1])
    print(f"updated: {', '.join(names)}" if names else "all stored outputs were up to date")
