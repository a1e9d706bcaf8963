"""What the chapter on the data shows."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.paper.verdicts import STATED_COUNTS
from rdmas.show import figures, prose, tables


def provenance(cohort: Cohort) -> pd.DataFrame:
    """Return where each cell comes from, with the titles of columns, for `plot_provenance`."""
    titles = {name: field.get("title", name) for name, field in cohort.fields().items()}
    return cohort.provenance().assign(column=lambda cells: cells["column"].map(titles))


def say_cells(cohort: Cohort) -> dict[str, str]:
    """Word how many cells of the patient table are reported, assumed and empty."""
    found = cohort.provenance()["state"].value_counts()
    states = found.reindex(list(figures.STATE_COLOURS), fill_value=0)
    return {
        "treatment": cohort.treatment_arm,
        "patients": prose.count(len(cohort.patients)),
        "cells": prose.count(states.sum()),
    } | {state: prose.count(states[state]) for state in figures.STATE_COLOURS}


def say_checks(board: pd.DataFrame, claims: pd.DataFrame) -> dict[str, str]:
    """Word how many checks of the stated counts against each other hold."""
    counts = set(claims.loc[claims["measure"].isin(STATED_COUNTS), "id"])
    held = [
        found["reproduces"]
        for claim in board.to_dict("records")
        for found in claim["derivations"]
        if claim["id"] in counts and found["basis"] == "counts"
    ]
    return {"fits": prose.count(sum(held)), "checks": prose.count(len(held))}


def assumption_table(assumptions: pd.DataFrame) -> HTML:
    """Show what the reconstruction adds to the published counts."""
    headings = {
        "statement": "Assumption",
        "value": "Value",
        "unit": "Unit",
        "reason": "Why, and what follows",
    }
    return tables.show(assumptions, "Declared assumptions", headings)
