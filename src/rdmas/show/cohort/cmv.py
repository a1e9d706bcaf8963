"""What the chapter on cytomegalovirus shows of a reader's cohort."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words

COLUMN = "cmv_infection"
METHODS = ("clopper-pearson", "wilson", "jeffreys")


def _instead(cohort: Cohort) -> str:
    """Say why there is nothing to show; empty if there is."""
    if not cohort.shows(COLUMN):
        return words.masked("Cytomegalovirus infection", cohort.mask_below)
    if not cohort.has(COLUMN):
        return (
            "Cytomegalovirus infection is not recorded in this cohort; that is not to say that "
            "there was none."
        )
    return ""


def infected(cohort: Cohort, level: float) -> pd.DataFrame:
    """Count infected patients by arm, see `_counts.by_arm`; no row where nothing may be shown."""
    found = counts.by_arm(cohort, COLUMN, ["1"], level)
    return found.iloc[:0] if _instead(cohort) else counts.known(found)


def answer(cohort: Cohort, level: float) -> str:
    """Word how many were infected, and how the arms differ."""
    if said := _instead(cohort):
        return words.answer(said)
    found = counts.by_arm(cohort, COLUMN, ["1"], level)
    return words.answer(
        counts.shares(found, "Cytomegalovirus infection was found in", level),
        "These are shares of the patients for whom it is recorded whether they were infected."
        if found["missing"].any()
        else "",
        counts.nothing_known(found, "cytomegalovirus infection, or its absence,"),
        counts.difference(cohort, counts.table(found), "the share infected", level),
    )


def table(cohort: Cohort, level: float) -> HTML | None:
    """Show the infected of each arm with intervals of several methods."""
    found = infected(cohort, level)
    if found.empty:
        return None
    label, headings = "Cytomegalovirus infections", ("Arm", "Infected")
    return counts.shares_table(found, found["arm"], label, headings, METHODS, level)


def bars(cohort: Cohort, level: float) -> pd.DataFrame:
    """List the arms with their intervals, as `plot_intervals` takes them."""
    found = infected(cohort, level)
    return found.assign(name=found["arm"].map(counts.on_figures(cohort)))


def compared(cohort: Cohort, level: float) -> str:
    """Word the comparison of the arms."""
    if _instead(cohort):
        return "There is no infection to compare."
    found = counts.table(counts.by_arm(cohort, COLUMN, ["1"], level))
    said = counts.difference(cohort, found, "the share infected", level)
    return f"{said} {counts.fisher(found)}" if found else said


def missing(cohort: Cohort) -> str:
    """Word for how many nothing is recorded, and what that could change."""
    if said := _instead(cohort):
        return said
    found = counts.by_arm(cohort, COLUMN, ["1"])
    return words.paragraphs(
        counts.missing(found, "presence or absence of infection"),
        counts.say_bounds(found, "the share infected"),
    )
