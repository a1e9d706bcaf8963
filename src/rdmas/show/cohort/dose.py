"""What the chapter on the glucocorticoid dose shows of a reader's cohort."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words
from rdmas.stats import dose

UNIT = "mg/kg"
BEFORE, AFTER = "gc_dose_baseline_mg_per_kg", "gc_dose_week8_mg_per_kg"
MOMENTS = {BEFORE: "at baseline", AFTER: "at week 8"}

#: Of fewer values the quartiles are nearly the values themselves.
FEWEST_OF_A_SUMMARY = 5


def _columns(cohort: Cohort) -> list[str]:
    """Return the columns of doses that hold values and may be shown."""
    return [column for column in MOMENTS if cohort.shows(column) and cohort.has(column)]


def _silent(cohort: Cohort) -> list[str]:
    """Say which doses are left out or not recorded."""
    left_out = [
        words.masked(f"The dose {moment}", cohort.mask_below)
        for column, moment in MOMENTS.items()
        if not cohort.shows(column)
    ]
    absent = [moment for column, moment in MOMENTS.items() if not cohort.has(column)]
    if absent:
        left_out.append(f"No dose is recorded {' or '.join(absent)}.")
    return left_out


def medians(cohort: Cohort, level: float) -> pd.DataFrame:
    """Estimate the median dose of each arm at each time at which a dose is known.

    Returns
    -------
    pandas.DataFrame
        Columns ``arm``, ``moment``, ``n`` (doses known), ``patients``, ``median`` with its exact
        limits ``low`` and ``high``, ``lower_quartile``, ``upper_quartile`` and ``colour``.
    """
    rows = []
    for arm, colour in zip(cohort.arms, figures.ARM_COLOURS, strict=False):
        patients = cohort.in_arm(arm)
        for column in _columns(cohort):
            known = patients[column].dropna().to_numpy(float)
            if len(known):
                found = dose.median_interval(known, level)
                quartiles = np.quantile(known, [0.25, 0.75])
                rows.append((arm, MOMENTS[column], len(patients), *found[:4], *quartiles, colour))
    names = ["arm", "moment", "patients", "n", "median", "low", "high"]
    return pd.DataFrame(rows, columns=[*names, "lower_quartile", "upper_quartile", "colour"])


def answer(cohort: Cohort, level: float) -> str:
    """Word the medians and how the doses changed."""
    found = medians(cohort, level)
    if found.empty:
        return words.answer(*_silent(cohort))
    sentences: list[str] = []
    for arm, rows in found.groupby("arm", sort=False):
        parts = [
            f"{_amount(row['median'])} {row['moment']} ({prose.counted(row['n'], 'patient')})"
            for row in rows.to_dict("records")
        ]
        if not sentences:
            amount, rest = parts[0].split(f" {UNIT}", 1)
            parts[0] = f"**{amount} {UNIT}**{rest}"
        sentences.append(
            f"In {words.arm(str(arm))} the median daily glucocorticoid dose was "
            f"{prose.listed(parts)}."
        )
    silent = [words.arm(arm) for arm in cohort.arms if arm not in set(found["arm"])]
    if silent:
        sentences.append(f"No dose is recorded in {prose.listed(silent)}.")
    return words.answer(
        *sentences, *[change(cohort, arm, level) for arm in cohort.arms], *_silent(cohort)
    )


def _amount(value: float) -> str:
    return f"{prose.decimal(value, 2)} {UNIT}"


def change(cohort: Cohort, arm: str, level: float) -> str:
    """Word how the dose of those measured at both times changed; empty if nobody was."""
    if _columns(cohort) != list(MOMENTS):
        return ""
    both = cohort.in_arm(arm)[[BEFORE, AFTER]].dropna()
    if both.empty:
        return ""
    found = dose.paired_change(both[BEFORE], both[AFTER], level)
    ways = (found.fell, found.same, found.rose)
    if any(0 < number < cohort.mask_below for number in (found.n, *ways)):
        return (
            f"How the doses of {words.arm(arm)} changed is left out, because it would show a "
            f"count below {prose.count(cohort.mask_below)}."
        )
    who = f"Of {prose.counted(found.n, 'patient')} measured at both times in {words.arm(arm)}"
    went = f"the dose fell in {found.fell}, stayed in {found.same} and rose in {found.rose}"
    way = "fall" if found.median < 0 else "rise"
    median = f"a {way} of {_amount(abs(found.median))}" if found.median else "no change"
    return f"{who}, {went}; the median change was {median} ({_limits(found, level)})."


def _limits(found: dose.PairedChange, level: float) -> str:
    """Write the limits of a median change, a fall being negative."""
    if math.isnan(found.low):
        return f"too few for a {counts.level_in_words(level)} interval"
    limits = prose.decimal_interval((found.low, found.high), 2)
    return f"{counts.level_in_words(level)} interval {limits} {UNIT}"


def table(cohort: Cohort, level: float) -> HTML | None:
    """Show the medians with exact intervals and quartiles."""
    found = medians(cohort, level)
    if found.empty:
        return None
    rows = found.to_dict("records")
    cells = pd.DataFrame(
        {
            "Arm": found["arm"],
            "Dose": found["moment"],
            "Known": [f"{prose.count(row['n'])} of {prose.count(row['patients'])}" for row in rows],
            f"Median, {UNIT}": found["median"].map(lambda value: prose.decimal(value, 2)),
            f"{counts.level_in_words(level)} interval": [
                _span(row["low"], row["high"], "too few") for row in rows
            ],
            "Quartiles": [
                _span(row["lower_quartile"], row["upper_quartile"])
                if row["n"] >= FEWEST_OF_A_SUMMARY
                else "too few"
                for row in rows
            ],
        }
    )
    return tables.show(cells, "Median daily glucocorticoid dose")


def _span(low: float, high: float, otherwise: str = "") -> str:
    return otherwise if math.isnan(low) else prose.decimal_interval((low, high), 2)


def values(cohort: Cohort) -> pd.DataFrame:
    """List every dose by arm and time, as `plot_values` takes it: sorted, and no patient named."""
    names = counts.on_figures(cohort)
    rows = [
        (f"{names[arm]}, {MOMENTS[column]}", value, colour)
        for arm, colour in zip(cohort.arms, figures.ARM_COLOURS, strict=False)
        for column in _columns(cohort)
        for value in sorted(cohort.in_arm(arm)[column].dropna())
    ]
    return pd.DataFrame(rows, columns=["name", "value", "colour"])


def boxes(cohort: Cohort, level: float) -> pd.DataFrame:
    """List the groups large enough for quartiles, as `plot_quartiles` takes them."""
    found = medians(cohort, level)
    found = found[found["n"] >= FEWEST_OF_A_SUMMARY]
    return found.assign(name=found["arm"].map(counts.on_figures(cohort)) + ", " + found["moment"])


def drawn(cohort: Cohort, aggregate_only: bool) -> str:
    """Say what the figure draws."""
    if not _columns(cohort):
        return "There is no dose to draw."
    if not aggregate_only:
        return (
            "Each point is one dose, and the line is the median of its group; which points "
            "belong to one patient is not shown."
        )
    return (
        "As asked, no single dose is drawn: bars reach from the lower to the upper quartile, and "
        f"the line is the median. A group of fewer than {prose.count(FEWEST_OF_A_SUMMARY)} "
        "doses is not drawn."
    )


def followed(cohort: Cohort) -> str:
    """Say where the doses at the two times are those of different patients."""
    if _columns(cohort) != list(MOMENTS):
        return ""
    parts = []
    for arm in cohort.arms:
        patients = cohort.in_arm(arm)
        before, after = (patients[column].notna() for column in MOMENTS)
        only = int((before & ~after).sum()), int((after & ~before).sum())
        if any(only) and not any(0 < number < cohort.mask_below for number in only):
            parts.append(
                f"in {words.arm(arm)} {only[0]} had a dose only at baseline and {only[1]} only "
                "at week 8"
            )
    if not parts:
        return ""
    return (
        "The medians at the two times are not of exactly the same patients: "
        f"{'; '.join(parts)}. A change is that of patients measured at both."
    )
