"""How fast the package is, as ratios to other software measured in the same run.

``python -m rdmas.selfcheck.bench book/benchmarks.csv`` measures everything and stores the table.
Seconds depend on the machine and on what else it does; ratios of two things measured in turn
hardly do.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
import numpy as np
import pandas as pd
from lifelines.statistics import logrank_test
from numpy.typing import ArrayLike, NDArray
from scipy.stats import barnard_exact, boschloo_exact, fisher_exact
from tqdm import tqdm

from rdmas.paper.cohort import load_cohort
from rdmas.paper.paths import companion_data_dir
from rdmas.stats.checks import Table
from rdmas.stats.logrank import logrank_p, p_range_curve, random_data_sets
from rdmas.stats.two_by_two import fisher_grid, p_value

__all__ = ["Side", "Task", "measure", "stored", "tasks"]

REPETITIONS = 5
#: Data sets of the log-rank tasks, for this package and for the slower software.
DATA_SETS, PEER_DATA_SETS = 100_000, 200
#: Two larger arms, and losses: the largest counts for which the range of P is promised.
LARGE, LARGE_LOST = Table(20, 100, 30, 100), 20

# One library call for each data set: reads arrays, writes P-values and its own time, so that
# starting R and reading files is not counted.
_SURVDIFF_LOOP = """
suppressPackageStartupMessages(library(survival))
files <- commandArgs(trailingOnly = TRUE)
time <- as.matrix(read.csv(files[1], header = FALSE))
patients <- read.csv(files[2])
p <- numeric(nrow(time))
seconds <- system.time(for (i in seq_len(nrow(time))) {
  test <- survdiff(Surv(time[i, ], patients$died) ~ patients$arm)
  p[i] <- pchisq(test$chisq, 1, lower.tail = FALSE)
}, gcFirst = FALSE)["elapsed"]
writeLines(format(c(seconds, p), digits = 17))
"""


class Side(NamedTuple):
    """One way to do a task: what is called, the call, and how many units of work it does.

    The call returns the seconds it took and the numbers it computed.
    """

    name: str
    run: Callable[[], tuple[float, NDArray[np.float64]]]
    units: int = 1


class Task(NamedTuple):
    """Something to measure: ours, and other software doing the first units of the same work."""

    name: str
    ours: Side
    peer: Side | None = None
    with_memory: bool = False


def tasks(deaths: Table, with_r: bool) -> Iterator[Task]:
    """Yield everything that is measured.

    Parameters
    ----------
    deaths : rdmas.stats.checks.Table
        As from `rdmas.paper.cohort.Cohort.deaths`; sets the sizes of all tasks but one.
    with_r : bool
        Whether R with its package survival is there to be compared with.

    Yields
    ------
    Task
    """
    n_a, n_b = deaths.n_a, deaths.n_b
    survivors = n_a + n_b - deaths.events_a - deaths.events_b
    times, died, arm = random_data_sets(*deaths, DATA_SETS, survivors // 2, seed=2025)
    first = times[:PEER_DATA_SETS]
    ours = Side("logrank_p", _timed(lambda: logrank_p(times, died, arm)), DATA_SETS)
    by_lifelines = _timed(partial(_lifelines, first, died, arm))
    peers = [Side("lifelines logrank_test", by_lifelines, len(first))]
    if with_r:
        peers.append(Side("R survdiff", partial(_survdiff, first, died, arm), len(first)))
    for peer in peers:
        yield Task(f"log-rank P, one data set of {n_a + n_b} patients", ours, peer)

    for counts, lost in ((deaths, survivors), (LARGE, LARGE_LOST)):
        name = f"range of the log-rank P, {_deaths(counts)}, losses 0 to {lost}"
        side = Side("p_range_curve", _timed(partial(_curve, counts, lost)))
        yield Task(name, side, with_memory=counts is LARGE)

    tables = [Table(i, n_a, j, n_b) for i in range(n_a + 1) for j in range(n_b + 1)]
    yield Task(
        f"Fisher's P, all {len(tables)} tables with arms of {n_a} and {n_b}",
        Side("fisher_grid", _timed(lambda: fisher_grid(n_a, n_b).ravel())),
        Side("scipy fisher_exact", _timed(partial(_scipy, fisher_exact, *tables))),
    )
    for name, key, function in (
        ("Barnard's", "barnard_pooled", barnard_exact),
        ("Boschloo's", "boschloo_central", boschloo_exact),
    ):
        yield Task(
            f"{name} two-sided P, {_deaths(deaths)}",
            Side("p_value", _timed(partial(p_value, *deaths, key))),
            Side(f"scipy {function.__name__}", _timed(partial(_scipy, function, deaths))),
        )


def measure(task: Task) -> dict[str, object]:
    """Run both sides of a task in turn, several times.

    Returns
    -------
    dict
        One row of the stored table: the median seconds of each side for one unit of work, their
        quotient (peer over ours: how many times faster this package is), and the peak memory of
        this package in MiB, as Python and numpy allocate it, in a run of its own. Missing values
        are None.

    Examples
    --------
    >>> side = Side("nothing", lambda: (2.0, np.zeros(4)), units=4)
    >>> row = measure(Task("idle", side, side))
    >>> row["repetitions"], row["ours_seconds"], row["ratio"]
    (5, 0.5, 1.0)
    """
    ours, peer = task.ours, task.peer
    seconds: dict[Side, list[float]] = {side: [] for side in (ours, peer) if side}
    # In turn, so that whatever else the machine does meets both sides alike.
    for _ in range(REPETITIONS):
        for side, measured in seconds.items():
            measured.append(side.run()[0] / side.units)
    ours_seconds = median(seconds[ours])
    peer_seconds = median(seconds[peer]) if peer else None
    return {
        "task": task.name,
        "ours": ours.name,
        "peer": peer.name if peer else None,
        "ours_seconds": ours_seconds,
        "peer_seconds": peer_seconds,
        "ratio": peer_seconds / ours_seconds if peer_seconds else None,
        "repetitions": REPETITIONS,
        "peak_mib": _peak_mib(ours) if task.with_memory else None,
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}",
    }


def stored() -> pd.DataFrame:
    """Read the rows of `measure` that the last ``make bench`` stored; NaN where there is no peer.

    Examples
    --------
    >>> "ratio" in stored()
    True
    """
    return pd.read_csv(companion_data_dir().parent / "book" / "benchmarks.csv")


def r_has_survival() -> bool:
    """Tell whether R is here with its package survival."""
    command = ["Rscript", "-e", "quit(status = !requireNamespace('survival', quietly = TRUE))"]
    return (
        bool(shutil.which("Rscript"))
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def _timed(work: Callable[[], ArrayLike]) -> Callable[[], tuple[float, NDArray[np.float64]]]:
    """Make a function also say how long it took."""

    def run() -> tuple[float, NDArray[np.float64]]:
        start = time.perf_counter()
        numbers = work()
        return time.perf_counter() - start, np.atleast_1d(np.asarray(numbers, float))

    return run


def _lifelines(times: NDArray, died: NDArray, arm: NDArray) -> list[float]:
    """Return P of each data set, by one call for each."""
    return [logrank_test(row[arm], row[~arm], died[arm], died[~arm]).p_value for row in times]


def _survdiff(times: NDArray, died: NDArray, arm: NDArray) -> tuple[float, NDArray[np.float64]]:
    """Return seconds that R itself measured, and its P-values."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("loop.R", "times", "patients")]
        files[0].write_text(_SURVDIFF_LOOP, encoding="utf-8")
        np.savetxt(files[1], times, delimiter=",")
        pd.DataFrame({"died": died * 1, "arm": arm * 1}).to_csv(files[2], index=False)
        command = ["Rscript", "--vanilla", *map(str, files)]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, *p = map(float, printed.split())
    return seconds, np.array(p)


def _curve(counts: Table, lost: int) -> NDArray[np.float64]:
    """Return the ranges of P up to a number of losses."""
    return p_range_curve(*counts, max_lost=lost)[["low", "high"]].to_numpy()


def _scipy(test: Callable, *tables: Table) -> list[float]:
    """Return P by scipy, which takes arms as columns."""
    return [test(np.transpose(table.cells())).pvalue for table in tables]


def _deaths(counts: Table) -> str:
    """Put counts into words."""
    return "deaths {} of {} against {} of {}".format(*counts)


def _peak_mib(side: Side) -> float:
    """Return the most memory that a run holds."""
    # Traced apart from the timed runs, which tracing would slow down.
    tracemalloc.start()
    try:
        side.run()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder with the counts.")
def main(path: Path, data: Path | None) -> None:
    """Measure everything, print the table and store it in PATH."""
    with_r = r_has_survival()
    if not with_r:
        click.echo("R with its package survival was not found: that row is left out.")
    work = list(tasks(load_cohort(data).deaths(), with_r))
    frame = pd.DataFrame(measure(task) for task in tqdm(work, desc="benchmarks", unit="task"))
    frame.to_csv(path, index=False, float_format="%.4g")
    shown = frame.drop(columns=["machine"])
    click.echo(shown.to_string(index=False, na_rep="", float_format=lambda n: f"{n:.3g}"))
    click.echo(f"\n{frame['machine'].iloc[0]}")


if __name__ == "__main__":
    main()
