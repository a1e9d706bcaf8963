"""Counts of a column by arm, their intervals, and what missing values could change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.show.cohort import _words as words
from rdmas.stats import proportion, two_by_two
from rdmas.stats.checks import Table


def by_arm(
    cohort: Cohort, column: str, categories: Sequence[str], level: float = 0.95
) -> pd.DataFrame:
    """Count the patients of each arm with one of some values in a column.

    Returns
    -------
    pandas.DataFrame
        One row an arm, treatment first: ``arm``, ``events``, ``n`` (patients whose value is
        known), ``patients``, ``missing``, ``estimate`` with the exact limits ``low`` and ``high``
        (all NaN where no value is known) and the arm's ``colour``.
    """
    rows = []
    for arm, colour in zip(cohort.arms, figures.ARM_COLOURS, strict=False):
        counts = [cohort.count(arm, column, category) for category in categories]
        events, n = sum(count for count, _ in counts), counts[0][1]
        patients = len(cohort.in_arm(arm))
        limits = proportion.interval(events, n, level=level) if n else (math.nan, math.nan)
        share = events / n if n else math.nan
        rows.append((arm, events, n, patients, patients - n, share, *limits, colour))
    names = ["arm", "events", "n", "patients", "missing", "estimate", "low", "high", "colour"]
    return pd.DataFrame(rows, columns=names)


def on_figures(cohort: Cohort) -> dict[str, str]:
    """Name each arm as figures do: by its name, or by its part where it cannot be drawn.

    Examples
    --------
    >>> from rdmas.paper.cohort import load_cohort
    >>> on_figures(load_cohort())["control"]
    'control'
    """
    parts = dict(zip(cohort.arms, ("first arm", "second arm"), strict=False))
    names = {arm: figures.plain(arm, part, width=28) for arm, part in parts.items()}
    return names if len(set(names.values())) == len(names) else parts


def known(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the arms of `by_arm` in which any value is known."""
    return counts[counts["n"] > 0]


def table(counts: pd.DataFrame) -> Table | None:
    """Return the two arms of `by_arm` as a table; None unless values are known in both."""
    if len(known(counts)) < 2:
        return None
    events, patients = counts["events"].tolist(), counts["n"].tolist()
    return Table(events[0], patients[0], events[1], patients[1])


def shares_table(
    counted: pd.DataFrame,
    names: Iterable[str],
    label: str,
    headings: tuple[str, str],
    methods: Sequence[str],
    level: float,
) -> HTML:
    """Show rows of `by_arm` under other names, with intervals by several methods.

    `headings` are those of the names and of the counts, `methods` keys of `proportion.METHODS`.
    """
    pairs = list(zip(counted["events"].tolist(), counted["n"].tolist(), strict=True))
    cells = pd.DataFrame({headings[0]: list(names)})
    cells[headings[1]] = [prose.out_of(*pair) for pair in pairs]
    cells["Share"] = [words.percent(*pair) for pair in pairs]
    for method in methods:
        limits = [proportion.interval(*pair, method=method, level=level) for pair in pairs]
        cells[proportion.METHODS[method]] = [prose.percent_interval(ends) for ends in limits]
    return tables.show(cells, label)


def level_in_words(level: float) -> str:
    """Write a confidence level, with no more decimals than it has.

    Examples
    --------
    >>> level_in_words(0.95), level_in_words(0.975)
    ('95%', '97.5%')
    """
    return f"{round(100 * level, 6):g}%"


def with_interval(row: dict[Any, Any], level: float) -> str:
    """Write a row of `by_arm`: count, share and exact interval."""
    limits = prose.percent_interval((row["low"], row["high"]))
    share = words.share(row["events"], row["n"])
    return f"{share[:-1]}; {level_in_words(level)} interval {limits})"


def shares(counts: pd.DataFrame, what: str, level: float) -> str:
    """Word in one sentence how many of each arm had something, where values are known.

    `what` begins the sentence; the first count is set in bold.
    """
    parts: list[str] = []
    for row in known(counts).to_dict("records"):
        text = with_interval(row, level)
        count, rest = text.split(" (", 1)
        shown = f"**{count}** ({rest}" if not parts else text
        parts.append(f"{shown} in {words.arm(row['arm'])}")
    return f"{what} {prose.listed(parts)}." if parts else ""


def nothing_known(counts: pd.DataFrame, what: str) -> str:
    """Name the arms in which no value is known, if there are others: `what` follows "no"."""
    silent = counts[counts["n"] == 0]["arm"]
    if silent.empty or len(silent) == len(counts):
        return ""
    return f"No {what} is recorded in {prose.listed(words.arm(arm) for arm in silent)}."


def newcombe(found: Table, level: float) -> tuple[float, float, float]:
    """Return the difference of two proportions, first less second, with Newcombe's limits."""
    rows = two_by_two.effects(*found, level=level)
    row = rows[(rows["measure"] == "risk difference") & (rows["method"] == "Newcombe")].iloc[0]
    return float(row["estimate"]), float(row["low"]), float(row["high"])


def points(difference: float) -> str:
    """Write a difference of proportions in percentage points, lower or higher.

    Examples
    --------
    >>> points(-0.0857), points(0.25), points(0), points(0.0001)
    ('8.6 lower', '25.0 higher', '0', 'less than 0.1 higher')
    """
    if difference == 0:
        return "0"
    size = prose.decimal(100 * abs(difference), 1)
    size = "less than 0.1" if size == "0.0" else size
    return f"{size} {'higher' if difference > 0 else 'lower'}"


def points_span(low: float, high: float) -> str:
    """Write two differences of proportions, low first.

    Examples
    --------
    >>> points_span(-0.3, -0.1), points_span(0.1, 0.3), points_span(-0.3, 0.1)
    ('10.0 to 30.0 lower', '10.0 to 30.0 higher', '30.0 lower to 10.0 higher')
    """
    ends = [points(low), points(high)]
    if high < 0:
        ends.reverse()
    ways = {end.rsplit(" ", 1)[-1] for end in ends}
    if len(ways) == 1:
        ends[0] = ends[0].rsplit(" ", 1)[0]
    return " to ".join(ends)


def difference(cohort: Cohort, found: Table | None, what: str, level: float) -> str:
    """Word how far two arms differ in a share, with Newcombe's interval, and what that allows.

    `what` names the share, as in "mortality".
    """
    if cohort.control_arm is None:
        return words.NO_SECOND_ARM
    if found is None:
        return f"{what[0].upper()}{what[1:]} cannot be compared: it is known in one arm only."
    estimate, low, high = newcombe(found, level)
    treated, control = words.arm(cohort.treatment_arm), words.arm(cohort.control_arm)
    interval = f"{level_in_words(level)} Newcombe interval {points_span(low, high)}"
    start = f"{what[0].upper()}{what[1:]}"
    if estimate == 0:
        first = f"{start} was the same in both arms (difference in percentage points: {interval})"
    else:
        size, way = points(estimate).rsplit(" ", 1)
        first = (
            f"{start} was {size} percentage points {way} in {treated} than in {control} "
            f"({interval})"
        )
    return f"{first}; {_about_zero(low, high)}."


def _about_zero(low: float, high: float) -> str:
    """Say whether an interval includes zero."""
    if low < 0 < high:
        return "the interval includes zero, so that a lower and a higher share are both possible"
    return "zero is a limit of the interval" if 0 in (low, high) else "the interval excludes zero"


def fisher(found: Table) -> str:
    """Word the P-value of Fisher's exact test."""
    p = prose.p_value(two_by_two.p_value(*found), 3)
    return f"Fisher's exact test (two-sided, minimum-likelihood) gives P {_equals(p)}."


def _equals(p: str) -> str:
    return f"&lt; {p[1:]}" if p.startswith("<") else f"= {p}"


def missing(counts: pd.DataFrame, what: str) -> str:
    """Word how many values of a column are missing in each arm; `what` names the value."""
    if not counts["missing"].any():
        return f"The {what} of every patient is recorded."
    parts = [
        f"{prose.out_of(row['missing'], row['patients'])} in {words.arm(row['arm'])}"
        for row in counts.to_dict("records")
    ]
    return f"The {what} is not recorded for {prose.listed(parts)}."


def bounds(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the share of each arm if nobody with a missing value had it, and if everybody had."""
    return counts.assign(
        least=counts["events"] / counts["patients"],
        most=(counts["events"] + counts["missing"]) / counts["patients"],
    )


def say_bounds(counts: pd.DataFrame, what: str) -> str:
    """Word the best and the worst that missing values allow; empty if none is missing."""
    if not counts["missing"].any():
        return ""
    rows = bounds(counts).to_dict("records")
    parts = [
        f"between {prose.percent(row['least'])} and {prose.percent(row['most'])} "
        f"in {words.arm(row['arm'])}"
        for row in rows
        if row["missing"]
    ]
    text = f"Whatever the missing values are, {what} of all patients lies {prose.listed(parts)}."
    if len(rows) < 2:
        return text
    treated, control = rows
    lowest, highest = treated["least"] - control["most"], treated["most"] - control["least"]
    return (
        f"{text} The difference, {words.arm(treated['arm'])} less {words.arm(control['arm'])}, "
        f"lies between {prose.decimal(100 * lowest, 0)} and {prose.decimal(100 * highest, 0)} "
        "percentage points."
    )
