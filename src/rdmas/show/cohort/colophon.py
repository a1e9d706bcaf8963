"""What the colophon shows of a run on a reader's cohort."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
from IPython.display import HTML, Markdown

from rdmas.paper.cohort import Cohort
from rdmas.show import prose, tables
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words
from rdmas.show.cohort.data import COLUMNS
from rdmas.show.pages.colophon import versions_table

__all__ = [
    "answer",
    "inputs_table",
    "parameters_table",
    "small_counts",
    "versions_table",
]

#: A count below this may identify people.
SMALL = 5

_KINDS = {
    "cohort.toml": "settings",
    "datapackage.json": "settings",
    "claims.csv": "numbers of the cohort's own paper",
    "evidence.csv": "published cohorts",
    "evidence_percentages.csv": "percentages of published cohorts",
}


def answer() -> str:
    """Word when and of what the book was made."""
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    return words.answer(
        f"These pages were computed on {today} (UTC), with the versions and parameters below.",
        "The files they were made from are named by their hashes alone.",
    )


def parameters_table(cohort: Cohort, level: float, aggregate_only: bool) -> HTML:
    """Show the parameters of the run; where the data lie is not among them."""
    masked = f"below {prose.count(cohort.mask_below)}" if cohort.mask_below > 1 else "none"
    rows = [
        ("level", counts.level_in_words(level), "confidence level of the intervals"),
        ("aggregate_only", "yes" if aggregate_only else "no", "no single value in any figure"),
        ("mask_below", masked, "small counts that are left out"),
    ]
    frame = pd.DataFrame(rows, columns=["Parameter", "Value", "Meaning"])
    return tables.show(frame, "Parameters of this run")


def inputs_table(cohort: Cohort) -> HTML | Markdown:
    """Show what was read by its SHA-256, without names of files or folders."""
    if not cohort.inputs:
        return Markdown("No hash of the input was kept.")
    rows = sorted((_KINDS.get(name, "patients"), digest) for name, digest in cohort.inputs.items())
    return tables.show(pd.DataFrame(rows, columns=["Input", "SHA-256"]), "Inputs of this run")


def small_counts(cohort: Cohort) -> str:
    """Warn of columns with counts so small that they may tell who somebody is."""
    stricter = replace(cohort, mask_below=max(SMALL, cohort.mask_below))
    found = [
        name.lower()
        for column, name in COLUMNS.items()
        if cohort.shows(column) and not stricter.shows(column)
    ]
    limit = prose.count(SMALL)
    if not found:
        return (
            "In the columns that are shown, no count of an arm's patients is from 1 to "
            f"{prose.count(SMALL - 1)}. Combinations of several tables may still tell who "
            "somebody is; read the pages before passing them on."
        )
    return (
        f"A count **below {limit}** may identify people. Such counts stand in "
        f"{prose.listed(found)}. The option `--mask-below {limit}` leaves them out."
    )
