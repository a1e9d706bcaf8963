"""A reader's cohort beside what the companion's paper published: compared, and not checked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rdmas.paper.cohort import Cohort
from rdmas.paper.package import companion_descriptor
from rdmas.paper.significance import words_for
from rdmas.paper.verdicts import STATED_COUNTS, Claim, p_value_like
from rdmas.stats import checks, logrank, rounding, two_by_two
from rdmas.stats.checks import Table

#: What stands where a small count would be given away.
MASKED = "masked"

#: Said of a row that sets a cohort beside another one's paper.
CONVENTION = "another cohort: compared, not checked"

#: The columns of `beside_published`, and how a data frame keeps each.
COLUMNS = {
    **dict.fromkeys(("id", "statement", "measure", "published", "this_cohort"), "object"),
    **dict.fromkeys(("events", "n"), "Int64"),
    **dict.fromkeys(("difference", "low", "high"), "float64"),
    "method": "object",
    "masked": "bool",
    "chapter": "object",
}

#: What the values of a column are called that are no name of their own.
_CALLED = {
    ("died", "0"): "Survival",
    ("died", "1"): "Death",
    ("response_week8", "complete"): "Complete remission by week 8",
    ("response_week8", "partial"): "Partial remission by week 8",
    ("response_week8", "none"): "No remission by week 8",
    ("cmv_infection", "1"): "Cytomegalovirus infection",
    ("cmv_infection", "0"): "No cytomegalovirus infection",
}
_COUNTED = (*STATED_COUNTS[1:], "percent")
_FORMS = {
    "count": "as a count",
    "fraction": "as a count of all",
    "percent": "as a percentage",
    "p_value": "P-value of the comparison",
    "significance": "the comparison in words",
}


class _Found(NamedTuple):
    """What this cohort has beside one published number."""

    this_cohort: str
    method: str
    events: int | None = None
    n: int | None = None
    difference: float = math.nan
    low: float = math.nan
    high: float = math.nan


def beside_published(cohort: Cohort, level: float = 0.95) -> pd.DataFrame:
    """Compute in a cohort the quantities that the companion's paper published.

    They are matched by measure, column and value, and by whether an arm is under study or is
    what it is compared with; the paper's names of the arms play no part. What the cohort has
    nothing to set beside is left out: a column without values, a second arm, a diagnosis that
    nobody has.

    Parameters
    ----------
    cohort : rdmas.paper.cohort.Cohort
        The reader's cohort.
    level : float, default 0.95
        Confidence level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per published number, in the paper's order, with columns ``id`` (the paper's,
        its arms called treatment and control), ``statement`` (what is compared, in the
        cohort's names), ``measure``, ``published`` (as printed), ``this_cohort`` (printed
        alike), ``events`` and ``n`` (this cohort's count and the patients with a value),
        ``difference`` (this cohort less published), ``low`` and ``high``, ``method``,
        ``masked`` (the cohort does not show the column; the row then holds no number of it)
        and ``chapter``.

        The difference of two proportions, as parts of one, has Newcombe's interval. That of two
        medians has none. Sizes, P-values and words
        have no difference.

    Examples
    --------
    >>> from rdmas.paper.cohort import load_cohort
    >>> from rdmas.paper.paths import example_register
    >>> compared = beside_published(load_cohort(example_register())).set_index("id")
    >>> compared.loc["survival_treatment_percent", ["published", "this_cohort"]].tolist()
    ['95%', '80%']
    """
    level = checks.level(level)
    rows = [
        row
        for claim in cohort.published.to_dict("records")
        for row in _rows(_renamed(claim, cohort), cohort, level)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


@cache
def _roles() -> dict[str, str]:
    """Return the role of each arm of the paper."""
    companion = companion_descriptor()["companion"]
    return {companion["treatmentArm"]: "treatment", companion["controlArm"]: "control"}


def _renamed(claim: Claim, cohort: Cohort) -> Claim:
    """Put the roles for the paper's arms in a published claim, and the cohort's arm."""
    identifier = claim["id"]
    for arm, role in _roles().items():
        identifier = identifier.replace(arm, role)
    arms = {"treatment": cohort.treatment_arm, "control": cohort.control_arm}
    own = arms.get(_roles().get(claim["arm"], ""), claim["arm"])
    return {**claim, "id": identifier, "arm": own}


def _rows(claim: Claim, cohort: Cohort, level: float) -> Iterator[dict[str, Any]]:
    """Yield the row of a claim, if the cohort has something to set beside it."""
    if not _has(claim, cohort):
        return
    masked = not cohort.shows(claim["variable"] or "arm")
    reason = "left out: a count in this column is small"
    found = _Found(MASKED, reason) if masked else _found(claim, cohort, level)
    yield {
        "id": claim["id"],
        "statement": _statement(claim, cohort),
        "measure": claim["measure"],
        "published": claim["reported"],
        **found._asdict(),
        "masked": masked,
        "chapter": claim["chapter"],
    }


def _has(claim: Claim, cohort: Cohort) -> bool:
    """Tell whether the cohort has anything beside a published number."""
    arms = cohort.arms if claim["arm"] == "both" else (claim["arm"],)
    column = claim["variable"] or "arm"
    if claim["measure"] == "background" or None in arms:
        return False
    if claim["arm"] == "both" and cohort.control_arm is None:
        return False
    if column == "diagnosis" and claim["category"] not in set(cohort.patients[column].dropna()):
        return False  # a disease is a name of the paper's, and not one of a closed list
    return column in cohort.patients and all(cohort.has(column, arm) for arm in arms)


def _found(claim: Claim, cohort: Cohort, level: float) -> _Found:
    """Compute in the cohort what a claim states of the paper's."""
    match claim["measure"]:
        case "n":
            return _size(claim, cohort)
        case "median":
            return _median(claim, cohort)
        case "p_value":
            p_value, method = _p_value(claim, cohort)
            return _Found(p_value_like(p_value, claim["reported"]), method)
        case "significance":
            return _in_words(claim, cohort)
        case _:
            return _proportion(claim, cohort, level)


def _size(claim: Claim, cohort: Cohort) -> _Found:
    """Count an arm."""
    n = len(cohort.in_arm(claim["arm"]))
    return _Found(str(n), "patients of the arm", n=n)


def _median(claim: Claim, cohort: Cohort) -> _Found:
    """Take the median of a column."""
    values = cohort.in_arm(claim["arm"])[claim["variable"]].dropna()
    median = float(values.median())
    return _Found(
        this_cohort=rounding.print_like(median, claim["reported"]),
        method="difference of medians; no interval, as the published spread is not stated",
        n=len(values),
        difference=median - float(rounding.parse(claim["reported"]).number),
    )


def _proportion(claim: Claim, cohort: Cohort, level: float) -> _Found:
    """Count, and compare with the published proportion."""
    events, n = cohort.count(claim["arm"], claim["variable"], claim["category"])
    counted: int | tuple[int, int] | Fraction = Fraction(events, n)
    if claim["measure"] != "percent":
        counted = events if claim["measure"] == "count" else (events, n)
    this_cohort = rounding.print_like(counted, claim["reported"])
    if pd.isna(claim["numerator"]) or pd.isna(claim["denominator"]):
        method = "no difference, as the published count is not stated"
        return _Found(this_cohort, method, events, n)
    published = int(claim["numerator"]), int(claim["denominator"])
    difference = events / n - published[0] / published[1]
    low, high = _newcombe(Table(events, n, *published), level)
    method = "difference of proportions, Newcombe's interval"
    return _Found(this_cohort, method, events, n, difference, low, high)


def _newcombe(table: Table, level: float) -> tuple[float, float]:
    """Return the limits of the difference of two proportions."""
    # Slow to import; `two_by_two.effects` has the same limits among many that are not asked for.
    from statsmodels.stats.proportion import confint_proportions_2indep

    limits = confint_proportions_2indep(*table, compare="diff", method="newcomb", alpha=1 - level)
    low, high = np.clip(limits, -1, 1)
    return float(low), float(high)


def _p_value(claim: Claim, cohort: Cohort) -> tuple[float, str]:
    """Compare the cohort's arms by the one test that is named beside the P-value."""
    if claim["variable"] == "died" and cohort.has_times:
        return float(logrank.logrank_p(*_times(cohort))), "log-rank test"
    table = cohort.table(claim["variable"], claim["category"])
    test = two_by_two.TESTS["chi2_n_minus_1"]
    return test(*table), test.name


def _in_words(claim: Claim, cohort: Cohort) -> _Found:
    """Put the comparison of `_p_value` into words."""
    p_value, method = _p_value(claim, cohort)
    if not math.isfinite(p_value):
        return _Found("not defined", method)
    if method == "log-rank test":
        excess = logrank.excess_deaths(*_times(cohort))
        direction = (excess < 0) - (excess > 0)
        direction = direction if claim["category"] == "0" else -direction
    else:
        events_a, n_a, events_b, n_b = cohort.table(claim["variable"], claim["category"])
        direction = (events_a * n_b > events_b * n_a) - (events_a * n_b < events_b * n_a)
    return _Found(words_for(p_value, direction), method)


def _times(cohort: Cohort) -> tuple[Any, Any, Any]:
    """Return times, deaths and whether a patient is in the arm under study."""
    patients = cohort.patients
    return (
        patients["followup_time"].to_numpy(float),
        patients["died"].to_numpy(int),
        (patients["arm"] == cohort.treatment_arm).to_numpy(int),
    )


def _statement(claim: Claim, cohort: Cohort) -> str:
    """Say what is compared, in the names of the cohort."""
    measure, column = claim["measure"], claim["variable"]
    if measure == "n":
        return f"Number of patients, {claim['arm']}"
    title = cohort.fields()[column]["title"]
    if measure == "median":
        return f"{title}, median, {claim['arm']}"
    category = f"{title}: {claim['category']}"
    subject = _CALLED.get((column, claim["category"]), category)
    if measure in _COUNTED:
        subject = f"{subject}, {claim['arm']}"
    return f"{subject}, {_FORMS[measure]}"


def as_board(compared: pd.DataFrame) -> list[Mapping[str, Any]]:
    """Return the rows of `beside_published` in the form of a scoreboard.

    Nothing in them is checked: the numbers of one cohort are no test of another's.
    """
    return [
        {
            "id": row["id"],
            "statement": row["statement"],
            "reported": row["published"],
            "recomputed": row["this_cohort"],
            "verdict": "not checkable",
            "basis": "data",
            "convention": CONVENTION,
            "chapter": row["chapter"],
            "nearest": "",
            "derivations": [],
            "difference": row["difference"],
            "low": row["low"],
            "high": row["high"],
        }
        for row in compared.to_dict("records")
    ]
