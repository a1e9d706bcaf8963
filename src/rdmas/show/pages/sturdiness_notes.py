"""Notes on sturdiness: tables, frames of figures and words of the page for statisticians.

Arm a of every count is the treatment arm, arm b the historical controls.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.show.pages.sturdiness import finite_ratios
from rdmas.stats import significance
from rdmas.stats.confounding import EValue

#: Stands for the bounds of the log-rank test's fragility, as a frame and in words, where there are
#: too many orders of deaths to search.
NO_BOUNDS = pd.DataFrame(columns=["arm", "direction", "index_low", "index_high"], dtype=object)
UNKNOWN = "an unknown number (too many orders to search)"

_TOO_MANY = "left out: too many orders of deaths to search"

_RESPONSES = {"complete": "complete", "partial": "partial", "none": "neither recorded"}


# Two Beta priors ------------------------------------------------------------------------------


def posterior_table(posterior: pd.DataFrame, treatment: str) -> HTML:
    """Show posterior medians and intervals of the effect measures."""
    headings = {
        "measure": "Measure, for survival",
        "direction": f"a: {treatment}, b: controls",
        "median": "Median",
        "low": "Lower",
        "high": "Upper",
    }
    label = "Posterior medians and intervals under Jeffreys' prior"
    return tables.show(posterior, label, headings, dict.fromkeys(("median", "low", "high"), 2))


def say_better(read_off: pd.DataFrame) -> dict[str, str]:
    """Word the probabilities that survival was better, under Jeffreys' prior and all of them.

    `read_off` is from `probability_better`, with no difference as the first margin.
    """
    jeffreys = read_off[read_off["prior"] == "Jeffreys"]
    words = {
        f"better_{place}": prose.percent(probability, 1)
        for place, probability in enumerate(jeffreys["probability"])
    } | {
        f"margin_{place}": prose.decimal(100 * margin, 0)
        for place, margin in enumerate(jeffreys["margin"])
    }
    any_difference = read_off.loc[read_off["margin"] == 0, "probability"]
    ends = (prose.percent(end, 1) for end in (any_difference.min(), any_difference.max()))
    return words | {"better_range": " to ".join(dict.fromkeys(ends))}


# Orders of deaths -----------------------------------------------------------------------------


def order_table(distinct: pd.DataFrame, tied: pd.DataFrame, arms: Sequence[str]) -> HTML:
    """Show the bounds of the log-rank test's fragility, by arm, change and whether deaths tie.

    `NO_BOUNDS` where there are too many orders to search.
    """
    cells = pd.concat(
        [
            distinct.dropna().assign(ties="each at its own time"),
            tied.dropna().assign(ties="several may share a time"),
        ]
    ).replace(
        {
            "arm": dict(zip("ab", arms, strict=True)),
            "direction": {"to event": "more deaths", "to non-event": "fewer deaths"},
        }
    )
    headings = {
        "arm": "Arm",
        "direction": "Change",
        "ties": "Deaths",
        "index_low": "At least",
        "index_high": "At most",
    }
    for ties, bounds in (("each at its own time", distinct), ("several may share a time", tied)):
        if bounds is NO_BOUNDS:
            row = {"arm": "any", "direction": "any", "ties": ties, "left_out": _TOO_MANY}
            cells = pd.concat([cells, pd.DataFrame([row])], ignore_index=True)
    return tables.show(cells, "Fragility of the log-rank test over all orders of deaths", headings)


def say_orders(
    distinct: tuple[int | None, int | None] | str, tied: tuple[int | None, int | None] | str
) -> dict[str, str]:
    """Word the bounds of the index over all orders, without tied deaths and with them.

    Bounds that were not searched for are given in words.
    """
    without, together = (
        bounds if isinstance(bounds, str) else prose.span(bounds) for bounds in (distinct, tied)
    )
    if without == together:
        orders = f"{without}, whether or not deaths may share a time"
    else:
        orders = f"{without} if no two deaths share a time, and {together} if they may"
    return {"index_distinct": without, "index_orders": orders}


# Discounted or known controls -----------------------------------------------------------------


def discount_table(discounted: pd.DataFrame) -> HTML:
    """Show the likelihood-ratio P with the controls counted at each weight."""
    cells = discounted.assign(weight=discounted["weight"].map(prose.percent))
    headings = {
        "weight": "Weight of the controls",
        "effective_events_b": "Deaths they count as",
        "effective_n_b": "Patients they count as",
        "p_value": "P, likelihood ratio",
    }
    decimals = {"effective_events_b": 2, "effective_n_b": 2, "p_value": 4}
    return tables.show(
        cells, "P with the likelihood of the controls discounted", headings, decimals
    )


def say_likelihood_weight(weight: float, alpha: float) -> dict[str, str]:
    """Word the weight at which the discounted likelihood-ratio P reaches `alpha`."""
    level = prose.decimal(alpha, 2)
    if weight == 1:
        return {"likelihood_weight": f"is not below {level} with controls of full weight either"}
    return {"likelihood_weight": f"reaches {level} at a weight of {prose.percent(weight)}"}


def known_rate_table(tested: pd.DataFrame, treatment: str) -> HTML:
    """Show P of the treatment arm against each known mortality, a column a test."""
    methods = list(tested["method"].unique())
    cells = tested.pivot(index="rate", columns="method", values="p_value")
    cells = cells.loc[tested["rate"].unique()].reset_index()
    cells["rate"] = cells["rate"].map(prose.percent)
    headings = {"rate": "Known mortality"} | {method: f"P, {method}" for method in methods}
    label = f"P of the {treatment} arm against a known mortality"
    return tables.show(cells, label, headings, dict.fromkeys(methods, 4))


# E-values -------------------------------------------------------------------------------------


def ratios(deadly: pd.DataFrame, effects: pd.DataFrame) -> pd.DataFrame:
    """Frame of the finite ratios of death and of survival; ``taken_as`` is for `e_value`."""
    views = (
        ("death", "risk ratio", "risk ratio", deadly),
        ("death", "odds ratio", "odds ratio (common outcome)", deadly),
        ("survival", "risk ratio", "risk ratio", effects),
    )
    found = [
        finite_ratios(frame, measure).assign(outcome=outcome, taken_as=taken_as)
        for outcome, measure, taken_as, frame in views
    ]
    rows = pd.concat(found, ignore_index=True)
    return rows.assign(
        ratio=rows["measure"] + " of " + rows["outcome"] + ", " + rows["method"],
        interval=_intervals(rows, 3),
    )


def _intervals(rows: pd.DataFrame, decimals: int) -> list[str]:
    ends = zip(rows["low"], rows["high"], strict=True)
    return [prose.decimal_interval(limits, decimals) for limits in ends]


def e_value_table(rows: pd.DataFrame, found: Sequence[EValue]) -> HTML:
    """Show each ratio with its E-value and that of the limit nearest to one."""
    cells = rows.assign(
        e_estimate=[e_value.estimate for e_value in found],
        e_limit=[e_value.limit for e_value in found],
    )
    headings = {
        "ratio": "Ratio",
        "e_estimate": "E-value",
        "e_limit": "E-value of the limit",
        "estimate": "Estimate",
        "interval": "Interval",
    }
    return tables.show(cells, "E-values", headings, {"estimate": 3, "e_estimate": 2, "e_limit": 2})


# Normal priors --------------------------------------------------------------------------------


def family_table(family: pd.DataFrame) -> HTML:
    """Show the posterior odds ratio of death under each prior."""
    cells = family.assign(
        interval=_intervals(family, 2),
        benefit=[prose.percent(share, 1) for share in family["probability_benefit"]],
    )
    headings = {
        "prior": "Prior",
        "odds_ratio": "Odds ratio",
        "interval": "Interval",
        "benefit": "Probability of fewer deaths",
        "prior_sd": "Standard deviation of the prior",
    }
    label = "Posterior odds ratio of death under three priors"
    return tables.show(cells, label, headings, {"prior_sd": 2, "odds_ratio": 2})


def beliefs(family: pd.DataFrame) -> pd.DataFrame:
    """Frame of the posterior odds ratios with the colours of sceptic, neutral and enthusiast."""
    return family.assign(
        name=family["prior"] + " prior",
        estimate=family["odds_ratio"],
        colour=[figures.PURPLE, figures.GREY, figures.GREEN],
    )


def say_beliefs(declared_odds_ratio: float, tail: float) -> dict[str, str]:
    """Word the benefit that sets the priors, and the probability beyond it."""
    return {"declared": prose.decimal(declared_odds_ratio, 1), "tail": prose.percent(tail)}


# How sceptical to be --------------------------------------------------------------------------


def significant(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the ratios whose interval excludes one and is symmetric on the logarithmic scale."""
    excludes = (rows["low"] > 1) | (rows["high"] < 1)
    return rows[rows["method"].isin(["Katz", "Woolf"]) & excludes].copy()


def scepticism_table(rows: pd.DataFrame) -> HTML:
    """Show ratios with their limit of scepticism and the standard deviation behind it."""
    cells = rows.assign(limit=[_two_digits(limit) for limit in rows["limit"]])
    headings = {
        "ratio": "Ratio",
        "interval": "Interval",
        "limit": "Limit of scepticism",
        "prior_sd": "Standard deviation of the prior",
    }
    return tables.show(cells, "Limits of scepticism", headings, {"prior_sd": 2})


def _two_digits(ratio: float) -> str:
    """Write a ratio with two significant digits, or with two decimals from one on."""
    return prose.decimal(ratio, max(2, 1 - math.floor(math.log10(ratio))) if 0 < ratio < 1 else 2)


def two_sided(p_values: pd.DataFrame) -> pd.DataFrame:
    """Return the two-sided tests that are defined."""
    return p_values[(p_values["sides"] == "two-sided") & p_values["p_value"].notna()].copy()


def intrinsic_table(tested: pd.DataFrame) -> HTML:
    """Show the P-values of tests with those for intrinsic credibility by two definitions."""
    headings = {
        "test": "Test",
        "p_value": "P",
        "matthews": "P, beyond its own limit",
        "held": "P, against its own prior",
    }
    decimals = dict.fromkeys(("p_value", "matthews", "held"), 4)
    return tables.show(tested, "P-values for intrinsic credibility", headings, decimals)


def say_sceptic(
    prior_sd: float, believed: tuple[float, float], rows: pd.DataFrame
) -> dict[str, str]:
    """Word how sceptical one must be, exactly and by the usual formula on Woolf's interval."""
    woolf = rows.loc[rows["method"] == "Woolf", "prior_sd"]
    if len(woolf):
        usual = (
            "The usual formula takes the likelihood as normal, with Woolf's interval, and gives a "
            f"standard deviation of {prose.decimal(woolf.iloc[0], 2)}; with few deaths in an arm "
            "that approximation is poor, and the exact value is the one to use."
        )
    else:
        usual = (
            "The usual formula, which starts from Woolf's interval, has no answer for these counts."
        )
    return {
        "sceptical_sd": prose.decimal(prior_sd, 2),
        "sceptical_low": prose.decimal(believed[0], 2),
        "sceptical_high": prose.decimal(believed[1], 2),
        "usual_formula": usual,
    }


def say_intrinsic(tested: pd.DataFrame, alpha: float) -> dict[str, str]:
    """Word how many tests make the result intrinsically credible by either definition."""
    matthews, held = (
        significance.significant(tested[column], alpha).sum() for column in ("matthews", "held")
    )
    return {
        "intrinsic": f"{prose.decimal(alpha, 2)} in {matthews} of {len(tested)} tests by the first "
        f"definition and in {held} by the second"
    }


# Two things at once ---------------------------------------------------------------------------


def responses(cohort: Cohort) -> pd.Series:
    """Count the treated patients by response."""
    return _margin(cohort, "response_week8", _RESPONSES)


def other_features(cohort: Cohort) -> pd.Series:
    """Count the treated patients with an infection, who died, and by diagnosis."""
    diagnoses = cohort.fields()["diagnosis"]["constraints"]["enum"]
    return pd.concat(
        [
            _margin(cohort, "cmv_infection", {"1": "CMV infection"}),
            _margin(cohort, "died", {"1": "died"}),
            _margin(cohort, "diagnosis", {str(value): str(value) for value in diagnoses}),
        ]
    )


def _margin(cohort: Cohort, column: str, names: Mapping[str, str]) -> pd.Series:
    """Count the treated patients with each value of a column, by the name it is given."""
    counts = {
        name: cohort.count(cohort.treatment_arm, column, value)[0] for value, name in names.items()
    }
    return pd.Series(counts)


def crossed_table(
    crossed: pd.DataFrame, first: pd.Series, second: pd.Series, treatment: str
) -> HTML:
    """Show the bounds of every cell, each feature with how many had it."""
    bounds = crossed.assign(
        first=[f"{name} ({first[name]})" for name in crossed["first"]],
        second=[f"{name} ({second[name]})" for name in crossed["second"]],
        bounds=[
            str(low) if low == high else f"{low} to {high}"
            for low, high in zip(crossed["low"], crossed["high"], strict=True)
        ],
    )
    cells = bounds.pivot(index="first", columns="second", values="bounds")
    cells = cells.loc[bounds["first"].unique(), bounds["second"].unique()]
    label = f"Fewest and most patients with both, {treatment} arm"
    return tables.show(cells.rename_axis("Response by week 8").reset_index(), label)
