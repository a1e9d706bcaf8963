"""Sentences that the chapters of a reader's cohort share, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from rdmas.paper.cohort import Cohort
from rdmas.show import prose
from rdmas.stats.checks import Table

NO_SECOND_ARM = "There is no second arm to compare with."
NO_OTHERS = "These numbers describe the patients recorded here and nobody else."
NO_CAUSE = (
    "These numbers describe the patients recorded here; they do not say what a difference, if "
    "there is one, is due to."
)


def arm(name: str) -> str:
    """Name an arm in a sentence, whatever it is called.

    Examples
    --------
    >>> arm("emapalumab")
    'arm “emapalumab”'
    """
    return f"arm “{prose.escaped(name)}”"


def share(events: int, n: int) -> str:
    """Write a count with its denominator and the percentage, neither all nor none by rounding.

    Examples
    --------
    >>> share(7, 35), share(0, 12), share(1, 2000), share(1999, 2000)
    ('7 of 35 (20%)', '0 of 12 (0%)', '1 of 2,000 (0.1%)', '1,999 of 2,000 (99.95%)')
    """
    return f"{prose.count(events)} of {prose.count(n)} ({percent(events, n)})"


def percent(events: int, n: int) -> str:
    """Write a share as a percentage, with the decimals it needs not to say all or none."""
    for decimals in range(5):
        text = prose.percent(events / n, decimals)
        if not 0 < events < n or float(text.rstrip("%")) not in (0, 100):
            break
    return text


def say_deaths(cohort: Cohort) -> str:
    """Word how many patients of each arm died, in one sentence."""
    parts: list[str] = []
    for name, (events, n) in deaths(cohort).items():
        patients, died = ("", "") if parts else (f" {'patient' if n == 1 else 'patients'}", "died ")
        found = f"{prose.count(events)} of {prose.count(n)}"
        found = found if parts else f"**{found}**"
        parts.append(f"{found}{patients} ({percent(events, n)}) {died}in {arm(name)}")
    return f"{prose.listed(parts)}."


def number(value: float) -> str:
    """Write a number of days: whole if it is, else with the decimals that it has, at most two.

    Examples
    --------
    >>> number(56.0), number(56.25), number(1234.5)
    ('56', '56.25', '1,234.5')
    """
    return f"{round(value, 2):,.2f}".rstrip("0").rstrip(".")


def days(value: float) -> str:
    """Write a length of time.

    Examples
    --------
    >>> days(1), days(56.5)
    ('1 day', '56.5 days')
    """
    return f"{number(value)} {'day' if value == 1 else 'days'}"


def ratio(value: float) -> str:
    """Write a ratio with two decimals, or as many as it needs not to be shown as zero.

    Examples
    --------
    >>> ratio(0.634), ratio(0.0312), ratio(0.00042), ratio(1234.56)
    ('0.63', '0.031', '0.00042', '1,235')
    """
    if value >= 100:
        return f"{value:,.0f}"
    decimals = 2 if value >= 0.1 or value == 0 else 1 - math.floor(math.log10(value))
    return prose.decimal(value, decimals)


def p_value(p: float, decimals: int = 3) -> str:
    """Write a P-value into a sentence.

    Examples
    --------
    >>> p_value(0.0114), p_value(0.00001)
    ('P = 0.011', 'P < 0.001')
    """
    text = prose.p_value(p, decimals)
    return f"P < {text[1:]}" if text.startswith("<") else f"P = {text}"


def several(names: Iterable[str]) -> str:
    """Write names that have commas in them.

    Examples
    --------
    >>> several(["z, pooled", "log-rank"]), several([])
    ('z, pooled; log-rank', 'none')
    """
    return "; ".join(names) or "none"


def sentences(*texts: str) -> str:
    """Join sentences into a paragraph, those that are empty left out."""
    return " ".join(text for text in texts if text)


def deaths(cohort: Cohort) -> dict[str, tuple[int, int]]:
    """Count deaths and patients of each arm, treatment first."""
    return {name: cohort.count(name, "died", "1") for name in cohort.arms}


def compared(cohort: Cohort) -> Table | None:
    """Count deaths and patients of two arms; None if there is one arm."""
    return None if cohort.control_arm is None else cohort.deaths()


def records(cohort: Cohort) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return times, deaths, and whether the arm is that of treatment (1) or not (0)."""
    patients = pd.concat([cohort.in_arm(name) for name in cohort.arms])
    treated = (patients["arm"] == cohort.treatment_arm).astype(int)
    return patients["followup_time"].astype(float), patients["died"].astype(int), treated


def may_show(mask_below: int, *counts: int) -> bool:
    """Tell whether no count is small enough to be masked; nobody may always be shown.

    Counts include the differences from what is shown already, from which they would be known.
    """
    return not any(0 < abs(count) < mask_below for count in counts)


def masked(what: str, mask_below: int) -> str:
    """Say that an outcome is left out because a count of it is too small to be shown.

    `what` begins the sentence.
    """
    return (
        f"{what} is left out: a count in it is below {prose.count(mask_below)}, "
        "the smallest number of patients that this book was asked to show."
    )


def nothing_to_compare(cohort: Cohort) -> str:
    """Say in a section on a comparison why it is empty; empty itself if it need not be."""
    if not cohort.shows("died"):
        return "Deaths are not shown."
    return NO_SECOND_ARM if cohort.control_arm is None else ""


def paragraphs(*texts: str) -> str:
    """Join what there is to say into paragraphs."""
    return "\n\n".join(text for text in texts if text)


def answer(*texts: str) -> str:
    """Write the opening of a chapter."""
    return sentences("**The answer.**", *texts)
