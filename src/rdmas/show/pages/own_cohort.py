"""What the page on a reader's own patients shows: files, commands and their answers."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import Result
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.paper.paths import example_register
from rdmas.show import prose
from rdmas.stats import survival


def first_line(register: str | Path) -> HTML:
    """Show the header of the register's table: names of columns, and no patient."""
    path = Path(register)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    table = next((file for file in files if file.suffix == ".csv"), None)
    if table is None:
        return _block("The table is a workbook.")
    with table.open(encoding="utf-8-sig", errors="replace") as lines:
        return _block(f"{table.name}\n{next(lines)}")


def settings(register: str | Path) -> HTML:
    """Show the settings of the register."""
    path = Path(register)
    file = (path if path.is_dir() else path.parent) / "cohort.toml"
    if not file.is_file():
        return _block("There is no cohort.toml: the defaults hold.")
    return _block(file.read_text(encoding="utf-8"))


def terminal(result: Result) -> HTML:
    """Show what a command answered, the place of the register shortened to its name."""
    return _block(result.output.replace(f"{example_register()}", example_register().name))


def at_risk(curves: pd.DataFrame) -> pd.DataFrame:
    """Count the patients at risk at six times from start to end of follow-up."""
    times = np.unique(np.linspace(0, curves["time"].max(), 6).round())
    return survival.at_risk(curves, times)


def say_size(cohort: Cohort) -> dict[str, str]:
    """Word how many patients there are."""
    return {"patients": prose.count(len(cohort.patients))}


def _block(text: str) -> HTML:
    """Show text as a terminal does."""
    return HTML(f'<pre tabindex="0">{html.escape(text.strip())}</pre>')
