"""What the chapter on the response by week 8 shows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables

_COLUMN = "response_week8"
_METHODS = ("clopper-pearson", "wilson")


def squares(cohort: Cohort) -> tuple[pd.Series, dict[str, str]]:
    """Count the responses to treatment, and colour them, as `plot_icon_array` takes it."""
    colours = {"complete": figures.PURPLE, "partial": figures.LILAC, "none": figures.LIGHT}
    responses = cohort.in_arm(cohort.treatment_arm)[_COLUMN].value_counts()
    return responses.reindex(list(colours), fill_value=0), colours


def responses(cohort: Cohort) -> pd.DataFrame:
    """List the two responses by ``name`` and ``count`` (patients, and patients in all)."""
    names = ["partial", "complete"]
    counts = [cohort.count(cohort.treatment_arm, _COLUMN, name) for name in names]
    return pd.DataFrame({"name": names, "count": counts})


def with_any(listed: pd.DataFrame, least: int, most: int) -> pd.DataFrame:
    """Add the patients with any response under both readings, from `responses`."""
    n = listed["count"].iloc[0][1]
    readings = {
        "any, if the two exclude each other": (most, n),
        "any, if one lies within the other": (least, n),
    }
    added = pd.DataFrame({"name": readings.keys(), "count": readings.values()})
    return pd.concat([listed, added], ignore_index=True)


def response_table(listed: pd.DataFrame) -> HTML:
    """Show the responses with their intervals, one column of `listed` a method."""
    return tables.shares(listed, "Intervals for the responses", "Response", "Patients")


def say_responders(least: int, most: int, n: int, treatment: str) -> dict[str, str]:
    """Word how many of `n` patients responded, at least and at most."""
    return {
        "treatment": treatment,
        "n": prose.count(n),
        "least": prose.count(least),
        "most": prose.count(most),
        "most_percent": prose.percent(most / n),
    }


def say_precision(listed: pd.DataFrame, level: float) -> dict[str, str]:
    """Word intervals of `with_any`, one column a method."""
    exact, score = (listed[method].map(prose.percent_interval) for method in _METHODS)
    _, complete, most, least = exact
    return {
        "level": prose.percent(level),
        "complete_interval": complete,
        "most_interval": most,
        "least_interval": least,
        "most_wilson": score.iloc[2],
        "least_wilson": score.iloc[3],
    }


def say_fitting_counts(partial: Sequence[int], complete: Sequence[int], n: int) -> dict[str, str]:
    """Word which counts of `n` patients print as the percentage reported of each response."""
    return {
        "partial_fit": _only(partial),
        "complete_fit": _only(complete),
        "step": f"{prose.decimal(100 / n, 0)} percentage points",
    }


def _only(counts: Sequence[int]) -> str:
    return f"only {counts[0]}" if len(counts) == 1 else prose.listed(counts)
