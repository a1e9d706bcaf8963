"""Chapters executed side by side, each in a kernel of its own."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import nbformat
from tqdm import tqdm

from rdmas.rerun.plan import ABOUT_THE_EXAMPLE, Plan, RerunError
from rdmas.rerun.work import full, is_full
from rdmas.show.cohort import ENCODING, TITLE

START = "from rdmas.rerun.worker import main; main()"
SECONDS_TO_END = 10


class _Workers:
    """The worker processes of one run."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.ended = False
        self._processes: list[subprocess.Popen[str]] = []
        self._guard = threading.Lock()

    def start(self) -> subprocess.Popen[str]:
        """Start one, in a folder of its own and out of reach of the terminal's signals."""
        folder = Path(tempfile.mkdtemp(prefix="worker-", dir=self.folder))
        places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        own = {place: str(folder / place.lower()) for place in places} | {"TMPDIR": str(folder)}
        with self._guard:
            if self.ended:
                raise RerunError("The run was ended.")
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", START],
                cwd=folder,
                env={**self.environment, **own},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
            self._processes.append(process)
        return process

    def end(self) -> None:
        """End all of them; each takes its kernel with it."""
        with self._guard:
            self.ended = True
        for process in self._processes:
            if process.stdin:
                process.stdin.close()
        for process in self._processes:
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()


def execute_chapters(
    plan: Plan,
    targets: Mapping[str, Path],
    work: Path,
    settings: Mapping[str, str],
    say: Callable[[str], None],
    progress: bool | None,
) -> dict[str, float]:
    """Execute chapters, a few side by side, and write each to its target when it is whole.

    Parameters
    ----------
    plan : rdmas.rerun.plan.Plan
        The run.
    targets : mapping of str to pathlib.Path
        Chapters to execute, by name.
    work : pathlib.Path
        Folder in which workers get folders of their own.
    settings : mapping of str to str
        Environment of workers and kernels.
    say : callable
        Takes a line for each chapter, where no bars are drawn.
    progress : bool or None
        Whether bars are drawn; None if standard error is a terminal.

    Returns
    -------
    dict of str to float
        How many seconds each chapter took.

    Raises
    ------
    RerunError
        If a chapter stops; the others that were begun are given up.
    """
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    for name in targets:
        waiting.put(name)
    bars = sys.stderr.isatty() if progress is None else progress
    seconds: dict[str, float] = {}
    team = _Workers(work, settings)

    def serve() -> None:
        process = team.start()
        while not team.ended:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            began = time.monotonic()
            task = {
                "chapter": str(plan.chapters[name]),
                "parameters": {} if name in ABOUT_THE_EXAMPLE else plan.parameters,
                "target": str(targets[name]),
            }
            _follow(process, name, task, plan.out, bars)
            seconds[name] = round(time.monotonic() - began, 1)
            if not bars:
                say(f"{name}: executed in {seconds[name]:.0f} s.")

    pool = ThreadPoolExecutor(plan.workers)
    try:
        serving = [pool.submit(serve) for _ in range(min(plan.workers, len(targets)))]
        for future in wait(serving, None, FIRST_EXCEPTION).done:
            future.result()
    finally:
        team.end()
        pool.shutdown()
    return {name: seconds[name] for name in targets}


def environment(encoding: str | None, title: str | None) -> dict[str, str]:
    """Return the environment of workers and kernels: the same numbers on every machine.

    One thread of linear algebra each, a fixed order of sets, nothing of the user's own settings
    of Jupyter. What chapters have no parameter for comes to them here.
    """
    given = {name: value for name, value in ((ENCODING, encoding), (TITLE, title)) if value}
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "IPYTHON")) and name not in (ENCODING, TITLE)
    }
    if "PYTHONPATH" in kept:  # workers are in other folders
        paths = kept["PYTHONPATH"].split(os.pathsep)
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(path).absolute()) for path in paths if path)
    fixed = {
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",
    }
    return {**kept, **fixed, **dict.fromkeys(threads, "1"), **given}


def _follow(
    process: subprocess.Popen[str], name: str, task: dict[str, Any], out: Path, bars: bool
) -> None:
    """Give a worker a chapter, and follow it until the chapter is done."""
    assert process.stdin and process.stdout
    chapter = nbformat.read(task["chapter"], as_version=4)
    cells = sum(cell.cell_type == "code" for cell in chapter.cells) + 1
    with tqdm(desc=name, total=cells, unit="cell", disable=not bars) as bar:
        try:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise RerunError(f"{name}: its worker process has ended.") from None
        for line in process.stdout:
            answer = json.loads(line)
            if "failed" in answer:
                # A kernel that finds no space to start in says nothing of why it ended.
                if answer.get("full") or is_full(out):
                    raise RerunError(full(out))
                raise RerunError(f"Chapter {name} {answer['failed']}.", answer["detail"])
            if "done" in answer:
                bar.update(cells - bar.n)
                return
            bar.update()
    raise RerunError(
        f"Chapter {name} lost its worker process, perhaps for want of memory; the same command "
        "goes on from here."
    )
