"""What the chapter on the data shows."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables


def say_cells(cohort: Cohort) -> dict[str, str]:
    """Word how many cells of the patient table are reported, assumed and empty."""
    found = cohort.provenance()["state"].value_counts()
    states = found.reindex(list(figures.STATE_COLOURS), fill_value=0)
    return {
        "treatment": cohort.treatment_arm,
        "patients": prose.count(len(cohort.patients)),
        "cells": prose.count(states.sum()),
    } | {state: prose.count(states[state]) for state in figures.STATE_COLOURS}


def parts_table(parts: pd.DataFrame) -> HTML:
    """Show whether stated counts add up, by `rdmas.paper.claims.parts_and_wholes`."""
    headings = {
        "what": "Column",
        "arm": "Arm",
        "parts": "Stated counts",
        "sum": "Sum",
        "n": "Patients in the arm",
        "fits": "Fits",
    }
    return tables.show(parts, "Sums of the stated counts", headings)


def say_parts(parts: pd.DataFrame) -> dict[str, str]:
    """Word how many of the sums fit."""
    return {"fits": prose.count(int(parts["fits"].sum())), "checks": prose.count(len(parts))}


def assumption_table(assumptions: pd.DataFrame) -> HTML:
    """Show what the reconstruction adds to the published counts."""
    headings = {
        "statement": "Assumption",
        "value": "Value",
        "unit": "Unit",
        "reason": "Why, and what follows",
    }
    return tables.show(assumptions, "Declared assumptions", headings)
