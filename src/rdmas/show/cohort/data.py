"""What the chapter on the data shows of a reader's cohort."""

from __future__ import annotations

import re

import pandas as pd
from IPython.display import HTML, Markdown

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words
from rdmas.show.cohort.dose import AFTER, BEFORE

#: Columns that say something of patients, with what the book calls them.
COLUMNS = {
    "sex": "Sex",
    "diagnosis": "Diagnosis",
    "response_week8": "Response by week 8",
    "followup_time": "Length of follow-up",
    "died": "Death",
    BEFORE: "Glucocorticoid dose at baseline",
    AFTER: "Glucocorticoid dose at week 8",
    "cmv_infection": "Cytomegalovirus infection",
}

OTHER, UNKNOWN = "other", "not recorded"


def _shown(cohort: Cohort) -> dict[str, str]:
    """Return the columns that may be shown."""
    return {column: name for column, name in COLUMNS.items() if cohort.shows(column)}


def size(cohort: Cohort) -> str:
    """Word how many patients there are, and in which arms."""
    sizes = {arm: len(cohort.in_arm(arm)) for arm in cohort.arms}
    total = prose.counted(sum(sizes.values()), "patient")
    parts = [f"{prose.count(n)} in {words.arm(arm)}" for arm, n in sizes.items()]
    where = f"all in {words.arm(cohort.arms[0])}" if len(parts) == 1 else prose.listed(parts)
    return f"“{prose.escaped(cohort.title)}” has **{total}**, {where}."


def about(cohort: Cohort) -> str:
    """Word which disease and which drug the cohort is about, as far as it names them."""
    named = cohort.descriptor["companion"]
    parts = [
        f"the {what} is given as {prose.escaped(named[what])}"
        for what in ("disease", "drug")
        if named.get(what)
    ]
    if not parts:
        return "Neither disease nor drug is named."
    text = prose.listed(parts)
    return f"{text[0].upper()}{text[1:]}."


def answer(cohort: Cohort) -> str:
    """Word who the patients are, and how complete the table is."""
    return words.answer(size(cohort), about(cohort), _complete(cohort), left_out(cohort))


def summary(cohort: Cohort) -> str:
    """Word the same for the first page."""
    times = "How long each patient was followed is recorded."
    if not cohort.has("followup_time"):
        times = "How long patients were followed is not recorded."
    elif not cohort.has_times:
        times = "How long patients were followed is left out, as deaths are."
    return " ".join([size(cohort), about(cohort), times])


def _complete(cohort: Cohort) -> str:
    """Word which columns are known for everybody."""
    shown = _shown(cohort)
    known = {name: int(cohort.patients[column].notna().sum()) for column, name in shown.items()}
    n = len(cohort.patients)
    whole = [name.lower() for name, number in known.items() if number == n]
    partly = [name.lower() for name, number in known.items() if 0 < number < n]
    empty = [name.lower() for name, number in known.items() if number == 0]
    parts = [
        f"{said}: {prose.listed(names)}"
        for said, names in (
            ("known for everybody", whole),
            ("known for some", partly),
            ("not recorded at all", empty),
        )
        if names
    ]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def left_out(cohort: Cohort) -> str:
    """Name the columns that are left out because of small counts; empty if none is."""
    hidden = [name.lower() for column, name in COLUMNS.items() if not cohort.shows(column)]
    if not hidden:
        return ""
    text = prose.listed(hidden)
    said = words.masked(f"{text[0].upper()}{text[1:]}", cohort.mask_below)
    several = said.replace(" is left out: a count in it", " are left out: a count in each", 1)
    return said if len(hidden) == 1 else several


def sex_table(cohort: Cohort) -> HTML | Markdown:
    """Show the sexes by arm."""
    return _by_arm(cohort, "sex", [("female", "female"), ("male", "male")])


def diagnosis_table(cohort: Cohort) -> HTML | Markdown:
    """Show the diagnoses by arm; rare ones are counted as other."""
    return _by_arm(cohort, "diagnosis", [(name, name) for name in named_diagnoses(cohort)])


def named_diagnoses(cohort: Cohort) -> list[str]:
    """Return the diagnoses that at least two patients have or the cohort lists, most first.

    A diagnosis of a single patient could tell who it is; a register is read without such.
    """
    found = cohort.patients["diagnosis"].value_counts()
    listed = cohort.fields()["diagnosis"]["constraints"]["enum"]
    kept = found[(found >= 2) | found.index.isin(listed)]
    return sorted(kept.index, key=lambda name: (-kept[name], name))


def _by_arm(cohort: Cohort, column: str, categories: list[tuple[str, str]]) -> HTML | Markdown:
    """Show the values of a column by arm, with the others and those not recorded."""
    name = COLUMNS[column]
    if not cohort.shows(column):
        return Markdown(words.masked(name, cohort.mask_below))
    if not cohort.has(column):
        return Markdown(f"{name} is not recorded.")
    arms = {arm: cohort.in_arm(arm)[column] for arm in cohort.arms}
    cells = {
        label: [_share(int((values == value).sum()), values) for values in arms.values()]
        for value, label in categories
    }
    named = [value for value, _ in categories]
    rest = [int((values.notna() & ~values.isin(named)).sum()) for values in arms.values()]
    if any(rest):
        label = OTHER if OTHER not in cells else f"{OTHER} (rare)"
        cells[label] = [_share(n, values) for n, values in zip(rest, arms.values(), strict=True)]
    if any(values.isna().any() for values in arms.values()):
        cells[UNKNOWN] = [prose.count(int(values.isna().sum())) for values in arms.values()]
    frame = pd.DataFrame.from_dict(cells, orient="index", columns=list(arms))
    return tables.show(frame.rename_axis(name).reset_index(), f"{name} by arm")


def _share(events: int, values: pd.Series) -> str:
    """Write a count with its share of the known values."""
    n = int(values.notna().sum())
    return f"{prose.count(events)} ({words.percent(events, n)})" if n else "—"


def completeness(cohort: Cohort) -> pd.DataFrame:
    """Count the known values of every column by arm, as `plot_completeness` takes it."""
    names = counts.on_figures(cohort)
    rows = [
        (name, names[arm], int(values.notna().sum()), len(values), colour)
        for column, name in _shown(cohort).items()
        for arm, colour in zip(cohort.arms, figures.ARM_COLOURS, strict=False)
        for values in [cohort.in_arm(arm)[column]]
    ]
    return pd.DataFrame(rows, columns=["name", "arm", "known", "patients", "colour"])


def used_table(cohort: Cohort) -> HTML:
    """Show on how many patients of each arm every chapter rests."""
    shown = _shown(cohort)
    chapters = {
        "Survival: deaths": ["died"],
        "Survival: curves and tests of times": ["followup_time"],
        "Response by week 8": ["response_week8"],
        "Dose at baseline": [BEFORE],
        "Dose at week 8": [AFTER],
        "Change of the dose": [BEFORE, AFTER],
        "Cytomegalovirus infection": ["cmv_infection"],
    }
    rows = []
    for chapter, columns in chapters.items():
        if all(column in shown for column in columns):
            known = [cohort.in_arm(arm)[columns].notna().all(axis=1).sum() for arm in cohort.arms]
            if not any(0 < number < cohort.mask_below for number in known):
                rows.append([chapter, *(prose.count(int(number)) for number in known)])
    frame = pd.DataFrame(rows, columns=["Patients used for", *cohort.arms])
    return tables.show(frame, "Patients used, by arm")


def notes(cohort: Cohort) -> str:
    """List what was taken when the table was read."""
    shown = [_without_hidden(note, cohort) for note in cohort.notes]
    if not any(shown):
        return "The table was read as it stands; nothing had to be taken or left out."
    return "\n".join(f"- {prose.escaped(note)}" for note in shown if note)


def _without_hidden(note: str, cohort: Cohort) -> str:
    """Take what is said of columns that are not shown out of a note."""
    for column in COLUMNS:
        if column in note and not cohort.shows(column):
            note = re.sub(rf"(, )?\b{column} [\d,]*\d", "", note)
            note = "" if column in note else note.replace(": , ", ": ")
    return "" if note.endswith((":.", ": .")) else note
