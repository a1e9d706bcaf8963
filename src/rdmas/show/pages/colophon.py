"""What the colophon shows: versions, durations, benchmarks."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import version

import pandas as pd
from IPython.display import HTML

from rdmas.show import tables
from rdmas.stats.checks import answered

_PACKAGES = (
    *("rdmas", "jupyter-book", "myst-nb", "sphinx", "papermill", "nbval", "pandas", "numpy"),
    *("scipy", "statsmodels", "lifelines", "seaborn", "matplotlib", "frictionless"),
)


def versions_table() -> HTML:
    """Show the versions of Python and of the packages that the book rests on."""
    rows = [("Python", platform.python_version()), *((name, version(name)) for name in _PACKAGES)]
    return tables.show(pd.DataFrame(rows, columns=["Package", "Version"]), "Versions")


def durations(*tasks: tuple[str, Callable, tuple]) -> pd.DataFrame:
    """Do each task, a name with a function and its arguments, and return the seconds it took.

    One that is left out as too large says so in its name.
    """
    rows = []
    for name, function, arguments in tasks:
        start = time.perf_counter()
        done = answered(lambda *given, do=function: (do(*given),), *arguments, instead=None)
        why = "" if done else " (left out: too many)"
        rows.append((name + why, time.perf_counter() - start))
    return pd.DataFrame(rows, columns=["name", "seconds"])


def benchmarks_table(stored: pd.DataFrame) -> HTML:
    """Show what was measured against other software, from `rdmas.selfcheck.bench`."""
    headings = {
        "task": "Task",
        "ours": "Ours",
        "peer": "Peer",
        "ours_seconds": "Ours, seconds",
        "peer_seconds": "Peer, seconds",
        "ratio": "Ratio",
        "peak_mib": "Peak memory, MiB",
        "machine": "Machine",
    }
    decimals = {"ours_seconds": 6, "peer_seconds": 6, "ratio": 0, "peak_mib": 0}
    return tables.show(stored, "Benchmarks", headings, decimals)
