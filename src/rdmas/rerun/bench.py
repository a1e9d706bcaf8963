"""How fast many cohorts are, with one worker process and with two, measured in the same run.

``python -m rdmas.rerun.bench book/benchmarks_cohorts.csv`` measures and stores the table. The
cohorts are drawn at random and stand for no patient. Both sides take turns, block by block, so
that whatever else the machine does meets them alike.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from rdmas.rerun.cluster import workers
from rdmas.rerun.ensemble import claims_of
from rdmas.rerun.many import rerun_many
from rdmas.rerun.plan import Options

#: Cohorts whose claims are derived, cohorts that get a book, and how often the sides take turns.
CLAIMS, BOOKS, BLOCKS = 10_000, 20, 4

#: Cohorts after which memory is first looked at.
FIRST = 1_000

#: What ``ru_maxrss`` counts in.
_UNIT = 1 if sys.platform == "darwin" else 1024


def synthetic(folder: Path, number: int, seed: int = 2025) -> list[Path]:
    """Write registers of 20 to 60 patients in two arms, drawn at random.

    Returns
    -------
    list of pathlib.Path
        Each a folder of its own.
    """
    draw = np.random.default_rng(seed)
    return [_register(folder / f"centre-{place:05d}", draw) for place in range(number)]


def measure(
    task: str,
    run: Callable[[Sequence[Path], int, int], object],
    registers: Sequence[Path],
    blocks: int,
) -> list[dict[str, object]]:
    """Do the same work with one and with two processes in turn.

    Parameters
    ----------
    task : str
        What is done.
    run : callable
        Does it, given registers, the number of processes, and the number of the block.
    registers : sequence of pathlib.Path
        The cohorts.
    blocks : int
        How often the sides take turns.

    Returns
    -------
    list of dict
        A row for each number of processes: seconds in all, starting processes included, and
        their ratio to those with one.

    Examples
    --------
    >>> rows = measure("nothing", lambda registers, processes, block: None, ["a", "b"], 2)
    >>> [(row["cohorts"], row["workers"]) for row in rows]
    [(2, 1), (2, 2)]
    """
    seconds = {1: 0.0, 2: 0.0}
    ends = np.linspace(0, len(registers), blocks + 1).astype(int)
    turns = [(block, processes) for block in range(blocks) for processes in seconds]
    for block, processes in tqdm(turns, desc=task, unit="turn"):
        start = time.perf_counter()
        run(registers[ends[block] : ends[block + 1]], processes, block)
        seconds[processes] += time.perf_counter() - start
    return [
        {
            "task": task,
            "cohorts": len(registers),
            "workers": processes,
            "seconds": taken,
            "per_second": len(registers) / taken,
            "ratio": taken / seconds[1],
        }
        for processes, taken in seconds.items()
    ]


def peaks(registers: Sequence[Path], first: int) -> tuple[float, float]:
    """Return the most memory in MiB that a process has held, after the first registers and all."""
    found = []
    with workers(2) as client:
        assert client is not None
        for part in (registers[:first], registers[first:]):
            claims_of(part, client)
            found.append(max([_peak(), *client.run(_peak).values()]))
    return found[0], found[1]


def _register(folder: Path, draw: np.random.Generator) -> Path:
    """Write one register."""
    sizes = draw.integers(10, 31, 2)
    n = int(sizes.sum())
    died = draw.random(n) < draw.uniform(0.1, 0.5)
    baseline = np.round(draw.lognormal(0.5, 0.4, n), 2)
    table = pd.DataFrame(
        {
            "patient_id": np.arange(n),
            "arm": np.repeat(["treatment", "control"], sizes),
            "sex": draw.choice(["female", "male"], n),
            "diagnosis": draw.choice(["vasculitis", "sarcoidosis"], n),
            "response_week8": draw.choice(["complete", "partial", "none"], n),
            "followup_time": np.where(died, draw.integers(60, 200, n), draw.integers(100, 700, n)),
            "died": died.astype(int),
            "gc_dose_baseline_mg_per_kg": baseline,
            "gc_dose_week8_mg_per_kg": np.round(baseline * draw.uniform(0.1, 0.9, n), 2),
            "cmv_infection": draw.integers(0, 2, n),
        }
    )
    folder.mkdir(parents=True)
    table.to_csv(folder / "patients.csv", index=False)
    return folder


def _peak() -> float:
    """Return the most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT / 2**20


def _claims(registers: Sequence[Path], processes: int, block: int) -> None:
    """Derive claims without pages."""
    with workers(processes) as client:
        claims_of(registers, client)


def _books(
    registers: Sequence[Path], processes: int, block: int, folder: Path, chapters: Path | None
) -> None:
    """Make a book for each cohort."""
    out = folder / f"books-{processes}-{block}"
    cohorts = {path.name: path for path in registers}
    options = Options(data=folder, out=out, workers=processes, chapters=chapters)
    rerun_many(cohorts, options, say=_nothing, progress=False)


def _nothing(line: str) -> None:
    """Say nothing."""


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--claims", "claims", default=CLAIMS, help="Cohorts whose claims are derived.")
@click.option("--books", default=BOOKS, help="Cohorts that get a book.")
@click.option("--chapters", type=click.Path(path_type=Path), help="Folder of other chapters.")
def main(path: Path, claims: int, books: int, chapters: Path | None) -> None:
    """Measure everything, print the table and store it in PATH."""
    with tempfile.TemporaryDirectory(prefix="rdmas-bench-") as scratch:
        folder = Path(scratch)
        registers = synthetic(folder, max(claims, books))
        rows = []
        if claims:
            first = min(FIRST, claims // 2)
            held = peaks(registers[:claims], first)
            rows += measure("claims, no pages", _claims, registers[:claims], BLOCKS)
            rows[1] |= {"first": first, "peak_mib_first": held[0], "peak_mib": held[1]}
        if books:
            make = partial(_books, folder=folder, chapters=chapters)
            rows += measure("whole books", make, registers[:books], BLOCKS // 2)
    frame = pd.DataFrame(rows)
    frame["machine"] = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    frame.to_csv(path, index=False, float_format="%.4g")
    click.echo(frame.to_string(index=False, na_rep="", float_format=lambda n: f"{n:.3g}"))


if __name__ == "__main__":
    main()
