"""How sturdy is it: tables, frames of figures and words of the chapter.

Arm a of every count is the treatment arm, arm b the historical controls; events are deaths.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import figures, prose, tables
from rdmas.show.pages.p_value import families
from rdmas.stats import controls
from rdmas.stats.checks import Table
from rdmas.stats.confounding import EValue
from rdmas.stats.priors import PowerPriorTipping
from rdmas.stats.two_by_two import TESTS

_LINE = 34  # letters of a name beside a bar


def say_counts(deaths: Table, treatment: str, alpha: float, level: float) -> dict[str, str]:
    """Word what was counted, and the two levels."""
    return {
        "alpha": prose.decimal(alpha, 2),
        "level": prose.percent(level),
        "treatment": treatment,
        "n_treated": prose.count(deaths.n_a),
        "n_control": prose.count(deaths.n_b),
        "patients": prose.count(deaths.n_a + deaths.n_b),
        "died_treated": prose.count(deaths.events_a),
        "died_control": prose.count(deaths.events_b),
        "deaths_treated": prose.counted(deaths.events_a, "death"),
        "control_mortality": prose.percent(deaths.events_b / deaths.n_b),
        "tables": prose.count((deaths.n_a + 1) * (deaths.n_b + 1)),
    }


# Proportions and effects ----------------------------------------------------------------------


def shares(cohort: Cohort) -> pd.DataFrame:
    """List every proportion of the abstract by ``name``, ``arm`` and ``count`` (events and n)."""
    stated = cohort.claims[cohort.claims["measure"].isin(["percent", "count"])]
    counted = zip(stated["arm"], stated["variable"], stated["category"], strict=True)
    return pd.DataFrame(
        {
            "name": [statement.split(", as a")[0] for statement in stated["statement"]],
            "arm": list(stated["arm"]),
            "count": [cohort.count(*cell) for cell in counted],
        }
    )


def share_table(listed: pd.DataFrame) -> HTML:
    """Show proportions with their intervals, one column of `listed` a method."""
    label = "Every proportion of the abstract with its intervals"
    return tables.shares(listed, label, "Number of the abstract", "Count")


def glance(listed: pd.DataFrame, effects: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Frame of every proportion with Wilson's interval and of the difference with Newcombe's."""
    colours = dict(zip(arms, figures.ARM_COLOURS, strict=False))
    proportions = pd.DataFrame(
        {
            "name": listed["name"],
            "estimate": [events / n for events, n in listed["count"]],
            "low": [low for low, _ in listed["wilson"]],
            "high": [high for _, high in listed["wilson"]],
            "colour": listed["arm"].map(colours),
        }
    )
    difference = effects[effects["method"] == "Newcombe"].head(1)
    difference = difference[["estimate", "low", "high"]].assign(
        name="Difference in survival, in percentage points", colour=figures.INK
    )
    drawn = pd.concat([proportions, difference], ignore_index=True)
    drawn["name"] = [textwrap.fill(name, _LINE) for name in drawn["name"]]
    return drawn


def effect_table(effects: pd.DataFrame, treatment: str) -> HTML:
    """Show every effect measure for survival by every method."""
    return tables.effects(effects, treatment, decimals=2)


def say_difference(effects: pd.DataFrame) -> dict[str, str]:
    """Word how far the intervals of the risk difference reach by any method."""
    differences = effects[effects["measure"] == "risk difference"]
    return {
        "rd_low": prose.decimal(100 * differences["low"].min(), 0),
        "rd_high": prose.decimal(100 * differences["high"].max(), 0),
    }


# Fragility ------------------------------------------------------------------------------------


def fragility_table(by_test: pd.DataFrame, treatment: str) -> HTML:
    """Show the fragility under each test."""
    headings = {
        "test": "Test",
        "p_value": "P",
        "index": "Index",
        "quotient": "Quotient",
        "walsh": "Walsh's index",
        "a_to_event": f"More deaths with {treatment}",
        "b_to_non_event": "Fewer deaths in controls",
    }
    label = "Fragility under each test; events are deaths"
    return tables.show(by_test, label, headings, {"p_value": 4, "quotient": 3})


def say_fragility(by_test: pd.DataFrame, arms: Sequence[str], alpha: float) -> dict[str, str]:
    """Word the index, and the change of outcomes that takes all tests past `alpha` soonest.

    A test that is not defined on the counts, or left out, has no index.
    """
    by_test = by_test.dropna(subset="p_value")
    level = prose.decimal(alpha, 2)
    changes = {
        "a_to_event": f"more deaths with {arms[0]}",
        "a_to_non_event": f"fewer deaths with {arms[0]}",
        "b_to_event": f"more deaths in arm {arms[1]}",
        "b_to_non_event": f"fewer deaths in arm {arms[1]}",
    }
    if by_test["index"].max() == 0:
        switch = f"P is {level} or above in all {len(by_test)} tests that are defined here"
    else:
        complete = [change for change in changes if by_test[change].notna().all()]
        easiest = min(complete, key=lambda change: by_test[change].max())
        switch = (
            f"{prose.span(by_test[easiest], words=' or ')} {changes[easiest]} would take P past "
            f"{level}, depending on which of {len(by_test)} tests (variants of "
            f"{families(by_test)} statistics) is used"
        )
    return {
        "switch": switch,
        "index_range": prose.span(by_test["index"]),
        "n_tests": prose.count(len(by_test)),
        "n_families": families(by_test),
    }


#: Stands for a map of more results than can be looked at.
NO_MAP = pd.DataFrame(columns=["events_a", "events_b", "test", "significant"])


# Exaggeration ---------------------------------------------------------------------------------


def mapped(tests: Sequence[str], deaths: Table) -> list[str]:
    """Return those of some tests that are searched with so many patients."""
    patients = deaths.n_a + deaths.n_b
    return [key for key in tests if not TESTS[key].left_out(patients, searched=True)]


def true_differences(deaths: Table, sizes: Sequence[float]) -> list[float]:
    """Give sizes the sign of the difference seen, as far as mortality stays between 0 and 1.

    Where no size fits on that side, they are taken on the other.
    """
    control = deaths.events_b / deaths.n_b
    sign = 1 if deaths.events_a * deaths.n_b > deaths.events_b * deaths.n_a else -1
    for side in (sign, -sign):
        fitting = [side * size for size in sizes if 0 <= control + side * size <= 1]
        if fitting:
            return fitting
    return []


def exaggeration_table(found: pd.DataFrame, alpha: float) -> HTML:
    """Show what significant results would say of true differences, from `exaggeration`."""
    size = found["difference"].abs()
    shown = 100 * size * found["exaggeration"]
    cells = pd.DataFrame(
        {
            "True difference": [f"{prose.decimal(100 * one, 0)} points" for one in size],
            f"P below {prose.decimal(alpha, 2)}": found["power"].map(prose.percent),
            "Size then seen, on average": [f"{prose.decimal(mean, 0)} points" for mean in shown],
            "Exaggerated": [f"{prose.decimal(times, 1)} times" for times in found["exaggeration"]],
            "Wrong direction": found["wrong_sign"].map(lambda share: prose.percent(share, 1)),
        }
    )
    return tables.show(cells, "What significant results would say of a true difference")


def say_exaggeration(found: pd.DataFrame, deaths: Table) -> dict[str, str]:
    """Word the smallest of the true differences, and the difference seen."""
    smallest = min(found.to_dict("records"), key=lambda row: abs(row["difference"]))
    size = abs(smallest["difference"])
    seen = deaths.events_a / deaths.n_a - deaths.events_b / deaths.n_b
    return {
        "true_points": prose.decimal(100 * size, 0),
        "true_power": prose.percent(smallest["power"]),
        "true_shown": prose.decimal(100 * size * smallest["exaggeration"], 0),
        "true_wrong": prose.percent(smallest["wrong_sign"]),
        "seen_points": prose.decimal(100 * abs(seen), 0),
    }


# Historical controls --------------------------------------------------------------------------


def control_table(tipping: pd.DataFrame, early: pd.DataFrame) -> HTML:
    """Show what must have been so in the control arm, by `control_tipping` and `immortal_time`."""
    both = tipping.merge(early, on=["test", "key", "p_value_observed"], suffixes=("", "_early"))
    both["mortality"] = both["control_proportion"].map(prose.percent).mask(both["left_out"] != "")
    headings = {
        "test": "Test",
        "p_value_observed": "P",
        "fewer_events": "Fewer deaths in controls",
        "mortality": "Their mortality then",
        "removed": "Early deaths to remove",
    }
    label = "What must have been so in the control arm for P to reach the level"
    return tables.show(both, label, headings, {"p_value_observed": 4})


def known_mortality(limits: Sequence[tuple[float, float]], deaths: Table) -> pd.Series:
    """Of the limits by each method of `tipping_rate`, those on the controls' side, by its name.

    The name of the series says which way to go on from there.
    """
    controls_above = deaths.events_a * deaths.n_b <= deaths.events_b * deaths.n_a
    return pd.Series(
        [limit[int(controls_above)] for limit in limits],
        index=list(controls.KNOWN_RATE_METHODS.values()),
        name="or lower" if controls_above else "or higher",
    )


def known_mortality_table(known: pd.Series, treatment: str) -> HTML:
    """Show the mortality at which P reaches the level, by test."""
    cells = pd.DataFrame({"test": known.index, "rate": [prose.percent(rate, 1) for rate in known]})
    headings = {
        "test": f"Test of the {treatment} arm against a known mortality",
        "rate": "Mortality at which P reaches the level",
    }
    return tables.show(cells, "Known mortality at which P reaches the level", headings)


def say_controls(
    tipping: pd.DataFrame, known: pd.Series, early: pd.DataFrame, weight: PowerPriorTipping
) -> dict[str, str]:
    """Word how low their mortality must be, how many must go, and how little they may count."""
    if weight.weight is not None:
        discount = (
            "The interval of the difference starts to include zero at a weight of "
            f"{prose.percent(weight.weight)}, when they count as "
            f"{prose.decimal(weight.effective_controls or 0, 1)} patients."
        )
    elif weight.excludes_at_full_weight:
        discount = "At no weight does the interval of the difference include zero."
    else:
        discount = "The interval of the difference includes zero already at full weight."
    return {
        "tipping_range": prose.percent_interval((known.min(), known.max())),
        "tipping_low": prose.percent(known.min(), 1),
        "tipping_high": prose.percent(known.max(), 1),
        "beyond": str(known.name),
        "fewer": prose.span(tipping["fewer_events"]),
        "removed": prose.span(early["removed"]),
        "discount": discount,
    }


# A hidden trait -------------------------------------------------------------------------------


def finite_ratios(effects: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of one ratio that have a finite estimate and interval."""
    rows = effects[effects["measure"] == measure]
    return rows.loc[np.isfinite(rows[["estimate", "low", "high"]].to_numpy()).all(axis=1)]


def to_explain(effects: pd.DataFrame) -> pd.DataFrame:
    """Frame of the risk ratio and of the end of Koopman's interval that is nearest to one.

    Only a ratio that is finite, above zero and not one has a curve (column ``drawn``).
    """
    koopman = effects[effects["method"] == "Koopman"].iloc[0]
    nearest = koopman["high"] if koopman["estimate"] < 1 else koopman["low"]
    explained = pd.DataFrame(
        {
            "curve": ["estimate", "limit of the interval"],
            "ratio": [koopman["estimate"], nearest],
        }
    ).dropna()
    ratio = explained["ratio"]
    return explained.assign(drawn=(ratio > 0) & np.isfinite(ratio) & (ratio != 1))


def bounding(curves: Sequence[pd.DataFrame], explained: pd.DataFrame) -> pd.DataFrame:
    """Frame of the pairs of associations that suffice, by the name of what they explain."""
    columns = ["with_group", "with_outcome"]
    if not curves:
        return pd.DataFrame(columns=[*columns, "curve"], dtype=float).astype({"curve": object})
    named = [
        curve.set_axis(columns, axis="columns").assign(curve=name)
        for curve, name in zip(curves, explained["curve"], strict=True)
    ]
    return pd.concat(named).replace(np.inf, np.nan).dropna()


def say_hidden_trait(explained: pd.DataFrame, e_values: Sequence[EValue]) -> dict[str, str]:
    """Word the E-value of the risk ratio of death and those of its limits by each method."""
    seen = explained[explained["curve"] == "estimate"]
    return {
        "risk_ratio": prose.span(seen["ratio"], 2),
        "e_estimate": prose.span(seen["e_value"], 1),
        "e_limits": e_limits(e_values),
    }


def e_limits(e_values: Sequence[EValue]) -> str:
    """Write the smallest and the largest E-value of a limit."""
    return prose.span([found.limit for found in e_values], 1)


# Wrong outcomes -------------------------------------------------------------------------------


def frontier_table(frontier: pd.DataFrame, treatment: str) -> HTML:
    """Show for each test the fewest wrong outcomes, both arms together."""
    pairs = frontier["wrong_a"].astype(str) + " + " + frontier["wrong_b"].astype(str)
    pairs = pairs.groupby([frontier["test"], frontier["left_out"]], sort=False).agg(", or ".join)
    cells = pairs.rename("pair").reset_index()
    cells["pair"] = cells["pair"].mask(cells["left_out"] != "")
    headings = {"test": "Test", "pair": f"Fewest wrong outcomes, {treatment} + controls"}
    label = "Fewest wrong outcomes that take P to the level"
    return tables.show(cells, label, headings)


def say_wrong(frontier: pd.DataFrame, by_test: pd.DataFrame) -> dict[str, str]:
    """Word in how many tests one wrong outcome is enough, and one in each arm.

    A test that is not defined on the counts, or not searched, does not count.
    """
    defined = by_test.loc[by_test["p_value"].notna(), "test"]
    left_out = frontier.loc[frontier["left_out"] != "", "test"]
    defined = defined[~defined.isin(left_out)]
    frontier = frontier[frontier["test"].isin(defined)]
    n_tests = len(defined)
    single = frontier.loc[frontier["wrong"] <= 1, "test"].nunique()
    return {
        "single": prose.of_all(single, n_tests),
        "one_each": prose.of_all(_ended_by_one_each(frontier), n_tests),
    }


def _ended_by_one_each(frontier: pd.DataFrame) -> int:
    most = frontier[["wrong_a", "wrong_b"]].max(axis="columns")
    return frontier.loc[most <= 1, "test"].nunique()


# Summary --------------------------------------------------------------------------------------


def summary_table(
    treatment: str,
    by_test: pd.DataFrame,
    frontier: pd.DataFrame,
    to_exceed: int | str | None,
    early: pd.DataFrame,
    known: pd.Series,
    weight: PowerPriorTipping,
    e_values: Sequence[EValue],
    believed: tuple[float, float],
) -> HTML:
    """Show for each assumption how far it must fail before the reading changes, and the basis."""
    frontier = frontier[frontier["left_out"] == ""]
    rows = [
        (
            f"Outcomes with {treatment} are right",
            f"{prose.span(by_test['a_to_event'])} more deaths",
            "counts",
        ),
        (
            "Outcomes of the controls are right",
            f"{prose.span(by_test['b_to_non_event'])} fewer deaths",
            "counts",
        ),
        ("Outcomes in both arms are right", _one_each(frontier, _searched(by_test)), "counts"),
        (
            "Survivors were followed to the last death (log-rank test)",
            _early_ends(to_exceed),
            "ordering",
        ),
        (
            f"Every control lived long enough to be given {treatment}",
            f"{prose.span(early['removed'])} early deaths among the controls",
            "counts",
        ),
        (
            f"Mortality without {treatment} was that of the controls",
            f"a true mortality of {prose.percent_interval((known.min(), known.max()))} "
            f"{known.name}, if known exactly",
            "counts",
        ),
        (
            "Historical controls count as much as concurrent ones",
            _weight(weight),
            "counts and Jeffreys' prior",
        ),
        (
            "No hidden trait differs between the groups",
            f"a trait with risk ratios of {e_limits(e_values)} both with group and with death",
            "counts and the form of the bias",
        ),
        (
            "Large effects were thought possible beforehand",
            f"a prior that puts the odds ratio within {prose.decimal_interval(believed, 2)}, "
            "or closer to one",
            "counts and the form of the prior",
        ),
        ("Patients are independent of each other", "not computable from counts", "none"),
    ]
    headings = {
        "assumption": "Assumption",
        "fails": "The reading can change from",
        "basis": "Basis",
    }
    label = "How far each assumption must fail before the reading changes"
    return tables.show(pd.DataFrame(rows, columns=list(headings)), label, headings)


def _early_ends(to_exceed: int | str | None) -> str:
    if to_exceed is None:
        return "no number suffices"
    ends = (
        f"{to_exceed} of early ends"
        if isinstance(to_exceed, str)
        else prose.counted(to_exceed, "early end")
    )
    return f"{ends} of follow-up, in the worst case"


def _searched(by_test: pd.DataFrame) -> int:
    return int((by_test["left_out"] == "").sum())


def _one_each(frontier: pd.DataFrame, n_tests: int) -> str:
    ended = _ended_by_one_each(frontier)
    return f"one wrong in each, in {'every test' if ended == n_tests else f'{ended} tests'}"


def _weight(weight: PowerPriorTipping) -> str:
    if weight.weight is not None:
        return f"a weight of {prose.percent(weight.weight)} or less"
    return "no discount suffices" if weight.excludes_at_full_weight else "full weight already"
