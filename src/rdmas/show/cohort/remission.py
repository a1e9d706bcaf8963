"""What the chapter on responses shows of a reader's cohort."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words

COLUMN = "response_week8"

#: What counts as a response.
ANY = ("complete", "partial")

#: Rows of the table and the figure, with what each counts.
RESPONSES = {
    "complete": ("complete",),
    "partial": ("partial",),
    "complete or partial": ANY,
    "none": ("none",),
}


def recorded(cohort: Cohort) -> bool:
    """Tell whether any response is known and may be shown."""
    return cohort.shows(COLUMN) and cohort.has(COLUMN)


def _instead(cohort: Cohort) -> str:
    """Say why there is nothing to show; empty if there is."""
    if not cohort.shows(COLUMN):
        return words.masked("The response by week 8", cohort.mask_below)
    if not cohort.has(COLUMN):
        return "No response by week 8 is recorded for any patient."
    return ""


def answer(cohort: Cohort, level: float) -> str:
    """Word how many responded, and how the arms differ."""
    if said := _instead(cohort):
        return words.answer(said)
    found = counts.by_arm(cohort, COLUMN, ANY, level)
    return words.answer(
        counts.shares(found, "By week 8 a complete or partial response was seen in", level),
        "These are shares of the patients whose response is known."
        if found["missing"].any()
        else "",
        counts.nothing_known(found, "response"),
        counts.difference(cohort, counts.table(found), "the share with a response", level),
    )


def listed(cohort: Cohort, level: float) -> pd.DataFrame:
    """List each response in each arm, for the table and the figure; empty if none is recorded."""
    if not recorded(cohort):
        return pd.DataFrame(columns=["arm", "name", "estimate", "low", "high", "colour"])
    rows = [
        counts.known(counts.by_arm(cohort, COLUMN, categories, level)).assign(response=name)
        for name, categories in RESPONSES.items()
    ]
    found = pd.concat(rows).sort_values("arm", key=_place(cohort), kind="stable")
    return found.reset_index(drop=True)


def _place(cohort: Cohort):
    return lambda arms: arms.map(cohort.arms.index)


def table(cohort: Cohort, level: float) -> HTML | None:
    """Show each response in each arm with its intervals."""
    found = listed(cohort, level)
    if found.empty:
        return None
    names = found["arm"] + ": " + found["response"]
    headings, methods = ("Arm and response", "Patients"), ("clopper-pearson", "wilson")
    return counts.shares_table(found, names, "Responses by week 8", headings, methods, level)


def bars(cohort: Cohort, level: float) -> pd.DataFrame:
    """List each response with its interval, as `plot_intervals` takes it."""
    found = listed(cohort, level)
    if found.empty:
        return found
    arms = found["arm"].map(counts.on_figures(cohort))
    return found.assign(name=arms + ": " + found["response"])


def compared(cohort: Cohort, level: float) -> str:
    """Word the comparison of the arms."""
    if not recorded(cohort):
        return "There is no response to compare."
    rows = {
        "the share with a complete or partial response": ANY,
        "the share with a complete response": ("complete",),
    }
    texts = []
    for what, categories in rows.items():
        found = counts.table(counts.by_arm(cohort, COLUMN, categories, level))
        said = counts.difference(cohort, found, what, level)
        texts.append(f"{said} {counts.fisher(found)}" if found else said)
    return words.paragraphs(*dict.fromkeys(texts))


def missing(cohort: Cohort) -> str:
    """Word how many responses are missing, and what they could change."""
    if not recorded(cohort):
        return _instead(cohort)
    found = counts.by_arm(cohort, COLUMN, ANY)
    return words.paragraphs(
        counts.missing(found, "response"),
        counts.say_bounds(found, "the share with a complete or partial response"),
    )
