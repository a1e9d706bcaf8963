"""What the first page shows of a reader's cohort."""

from __future__ import annotations

import pandas as pd

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words
from rdmas.show.cohort import context, remission
from rdmas.stats import proportion


def answer(cohort: Cohort, level: float) -> str:
    """Word the bottom line: deaths, how the arms differ, responses."""
    return words.answer(_deaths(cohort, level), _response(cohort, level))


def _deaths(cohort: Cohort, level: float) -> str:
    """Word the deaths of each arm and how far they differ."""
    if not cohort.shows("died"):
        return words.masked("Mortality", cohort.mask_below)
    found = counts.by_arm(cohort, "died", ["1"], level)
    said = f"In this cohort {words.say_deaths(cohort)}"
    if cohort.control_arm is None:
        limits = prose.percent_interval((found["low"].iloc[0], found["high"].iloc[0]))
        said = f"{said} The {counts.level_in_words(level)} interval of that share is {limits}."
    return f"{said} {counts.difference(cohort, counts.table(found), 'mortality', level)}"


def _response(cohort: Cohort, level: float) -> str:
    """Word the responses of each arm."""
    if not cohort.shows(remission.COLUMN):
        return words.masked("The response by week 8", cohort.mask_below)
    found = counts.known(counts.by_arm(cohort, remission.COLUMN, remission.ANY, level))
    if found.empty:
        return "No response by week 8 is recorded."
    parts = [
        f"{words.share(row['events'], row['n'])} in {words.arm(row['arm'])}"
        for row in found.to_dict("records")
    ]
    return (
        "Of the patients whose response by week 8 is known, it was complete or partial in "
        f"{prose.listed(parts)}."
    )


def bars(cohort: Cohort, level: float) -> pd.DataFrame:
    """List the mortality of this cohort's arms and of the published ones, for a figure."""
    own = counts.by_arm(cohort, "died", ["1"], level)
    own = own.assign(name=own["arm"].map(counts.on_figures(cohort)))
    if not cohort.shows("died"):
        own = own.iloc[:0]
    published = context.published_arms(cohort)
    pairs = list(zip(published["events"].tolist(), published["n"].tolist(), strict=True))
    limits = [proportion.interval(*pair, level=level) for pair in pairs]
    published = published.assign(
        estimate=[events / n for events, n in pairs],
        low=[low for low, _ in limits],
        high=[high for _, high in limits],
        colour=figures.GREY,
    )
    columns = ["name", "estimate", "low", "high", "colour"]
    return pd.concat([own[columns], published[columns]], ignore_index=True)
