"""A process that executes chapters, one after another, and ends with the run that started it.

It takes a task a line on standard input and answers in lines on standard output, all in JSON. Its
kernels talk to it through sockets in its own folder, so that no port is opened, and what they
would print on the terminal goes nowhere: only the notebook has their output.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TextIO

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.translators import PythonTranslator
from traitlets.config import Config

from rdmas.notebooks import KERNEL
from rdmas.rerun.work import FULL, write_whole

#: Sockets as files of the folder both sides are in: its full path may be too long for a socket.
SOCKETS = Config({"KernelManager": {"transport": "ipc", "ip": "kernel"}})
SECONDS_TO_START = 300
INJECTED = "injected-parameters"
LONGEST_DETAIL = 300


class _Kernels(AsyncKernelManager):
    """Starts kernels and knows which one runs."""

    running: ClassVar[list[int]] = []

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        await super().start_kernel(**options)
        self.running[:] = [self.provisioner.pid]  # type: ignore[union-attr]


class ChapterError(RuntimeError):
    """A chapter that stopped: says where, and in `detail`, which may hold values, why."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


def main() -> None:
    """Execute the chapters that are asked for until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    asked = os.fdopen(os.dup(0), encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    tasks: queue.SimpleQueue[dict] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked, tasks), daemon=True).start()

    def answer(**message: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            answers.write(json.dumps(message) + "\n")

    while True:
        task = tasks.get()
        try:
            executed = execute(task["chapter"], task["parameters"], lambda: answer(cell=1))
            write_whole(Path(task["target"]), nbformat.writes(executed) + "\n")
            answer(done=True)
        except ChapterError as error:
            answer(failed=str(error), detail=error.detail)
        except OSError as error:
            answer(failed=f"{type(error).__name__}", full=error.errno in FULL, detail=str(error))
        except Exception as error:
            answer(failed=f"stopped ({type(error).__name__})", detail=_shortened(str(error)))


def execute(chapter: str, parameters: dict, tell: Callable[[], None]) -> NotebookNode:
    """Execute a chapter with papermill; return what may be published of it.

    Parameters
    ----------
    chapter : str
        Path of the notebook.
    parameters : dict
        Its parameters; of the data's place, only the name is published.
    tell : callable
        Called after each cell.

    Raises
    ------
    ChapterError
        If the chapter stops or warns.
    """
    notebook = nbformat.read(chapter, as_version=4)
    # Chapters about a paper have no interval each; those about a register have every parameter.
    if "level" not in _known(notebook):
        parameters = {name: value for name, value in parameters.items() if name != "level"}
    try:
        # As a notebook and not as a path: papermill takes braces in paths for a template.
        executed = papermill.execute_notebook(
            notebook,
            None,
            parameters=parameters,
            kernel_name=KERNEL["name"],
            progress_bar=False,
            start_timeout=SECONDS_TO_START,
            kernel_manager_class=_Kernels,
            config=SOCKETS,
            shutdown_kernel="immediate",
            on_cell_complete=lambda cell, cell_index: tell(),
        )
    except papermill.PapermillExecutionError as error:
        where = f"stopped in cell {error.cell_index + 1} ({error.ename})"
        raise ChapterError(where, _shortened(error.evalue)) from None
    except DeadKernelError:
        raise ChapterError("lost its kernel; perhaps memory was short") from None
    finally:
        _Kernels.running.clear()
    return publishable(executed, parameters)


def publishable(notebook: NotebookNode, parameters: dict) -> NotebookNode:
    """Leave in an executed notebook, in place, what does not change from run to run.

    Times and the machine's paths go. Outputs on standard error are not published: they may quote
    a value.
    """
    notebook.metadata = NotebookNode(kernelspec=KERNEL, language_info={"name": "python"})
    for number, cell in enumerate(notebook.cells, 1):
        for transient in ("execution", "papermill", "collapsed"):
            cell.metadata.pop(transient, None)
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                raise ChapterError(f"warned in cell {number}", _shortened(output.text))
        if INJECTED in cell.metadata.get("tags", []):
            named = parameters | {"data_dir": Path(parameters["data_dir"]).name}
            cell.id = INJECTED
            # The answer comes first on a page; what was injected is seen where code is.
            cell.metadata["tags"] = [INJECTED, "hide-cell"]
            cell.source = PythonTranslator.codify(named, "Parameters").rstrip()
    return notebook


def build() -> None:
    """Build a site with Jupyter Book, as the arguments say; end with the run that wants it."""
    from jupyter_book.cli.main import main as jupyter_book

    asked = os.fdopen(os.dup(0), encoding="utf-8")
    threading.Thread(target=_listen, args=(asked, queue.SimpleQueue()), daemon=True).start()
    jupyter_book()


def _listen(asked: TextIO, tasks: queue.SimpleQueue[dict]) -> None:
    """Pass tasks on; when no more can come, end this process and the kernel that it runs."""
    for line in asked:
        tasks.put(json.loads(line))
    for kernel in _Kernels.running:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(kernel, signal.SIGKILL)
    os._exit(1)


def _known(notebook: NotebookNode) -> set[str]:
    """Return the names of a chapter's parameters."""
    return {
        parameter.name
        for cell in notebook.cells
        if "parameters" in cell.metadata.get("tags", [])
        for parameter in PythonTranslator.inspect(cell)
    }


def _shortened(text: str) -> str:
    """Return a text in one line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_DETAIL else f"{line[: LONGEST_DETAIL - 1]}…"
