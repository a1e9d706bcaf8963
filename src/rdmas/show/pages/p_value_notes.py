"""What the notes on P show.

Arm a of every count is the treatment arm, arm b the controls; events are deaths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from IPython.display import HTML
from numpy.typing import NDArray

from rdmas.show import figures, prose, tables
from rdmas.show.pages.p_value import hits, say_early_ends
from rdmas.stats import rounding
from rdmas.stats.checks import Table
from rdmas.stats.cox import HazardRatio
from rdmas.stats.logrank import PRange
from rdmas.stats.significance import significant

#: Tests of survival by the name that `rdmas.stats.logrank.orderings` knows them by.
SURVIVAL_TESTS = {
    "logrank": "Log-rank",
    "gehan-wilcoxon": "Gehan-Wilcoxon",
    "peto-peto": "Peto-Peto",
    "exact-logrank": "Exact log-rank",
}

#: Stands for a range of P where there is too much to search.
NO_RANGE = PRange(math.nan, math.nan, False, math.nan, None, None)

# Times of one ensemble of random data sets.
_MOST_TIMES = 12_000_000

_PLACE = "Place of the death in the treatment arm"


# Tests of survival ----------------------------------------------------------------------------


def orders_table(by_test: Sequence[pd.DataFrame]) -> HTML:
    """Show P for each order of deaths; `by_test` has one frame for each of `SURVIVAL_TESTS`.

    Of many orders some are shown, evenly spread by the P of the first test.
    """
    shown = figures.spread_by_p(by_test[0]).index
    columns = {
        name: orders["p_value"].reindex(shown)
        for name, orders in zip(SURVIVAL_TESTS.values(), by_test, strict=True)
    }
    cells = pd.DataFrame({_PLACE: by_test[0]["places_a"].reindex(shown)} | columns)
    label = "P-values of four tests for each order of deaths"
    headings = {name: name for name in (_PLACE, *columns)}
    listed = _of_all(cells, len(by_test[0]))
    return tables.show(listed, label, headings, dict.fromkeys(columns, 6))


def _of_all(cells: pd.DataFrame, orders: int) -> pd.DataFrame:
    """Say below a table of orders how many more there are."""
    if orders == 0:
        cells.loc[0] = ["any order", *[None] * (cells.shape[1] - 1)]
        return cells.assign(left_out="left out: too many orders of deaths to list")
    if len(cells) < orders:
        more = f"{len(cells)} of {prose.count(orders)} orders are shown, evenly spread by P"
        return cells.assign(left_out=more)
    return cells


def cox_table(places: Sequence[str], ratios: Sequence[HazardRatio]) -> HTML:
    """Show hazard ratio and P-values of a Cox regression, a row for each order of deaths given."""
    cells = pd.DataFrame(
        {
            _PLACE: places,
            "Hazard ratio": [prose.decimal(ratio.estimate, 2) for ratio in ratios],
            "Interval, Wald": [_interval(*ratio[1:3]) for ratio in ratios],
            "Interval, profile": [_interval(*ratio[3:5]) for ratio in ratios],
        }
    )
    names = ["P, Wald", "P, score", "P, likelihood ratio"]
    tests = pd.DataFrame([ratio[5:8] for ratio in ratios], columns=names)
    label = "Hazard ratio and P-values of a Cox regression for each order of deaths"
    return tables.show(cells.join(tests), label, decimals=dict.fromkeys(names, 6))


def say_hazard_ratios(ratios: Sequence[HazardRatio], level: float, orders: int) -> dict[str, str]:
    """Word how far the hazard ratio and the ends of its intervals depend on the order of deaths.

    `orders` is how many there are, of which `ratios` may be some.
    """
    return {
        "which_orders": "all orders of deaths"
        if len(ratios) == orders
        else f"the {len(ratios)} orders of the table",
        "level": prose.percent(level),
        "hazard_ratios": prose.span([ratio.estimate for ratio in ratios], 2),
        "wald_ends": prose.span([ratio.wald_high for ratio in ratios], 2),
        "profile_ends": prose.span([ratio.profile_high for ratio in ratios], 2),
    }


def _interval(low: float, high: float) -> str:
    return "not defined" if math.isnan(low) else prose.decimal_interval((low, high), 3)


# Follow-up ------------------------------------------------------------------------------------


def times_and_deaths(data: pd.DataFrame) -> tuple[pd.Series, ...]:
    """Return the times of arm a and arm b and who died in each, as lifelines takes them."""
    a, b = (data[data["arm"] == arm] for arm in "ab")
    return a["time"], b["time"], a["died"], b["died"]


def with_headings(
    data_sets: Sequence[pd.DataFrame | None], p_values: Sequence[float], arms: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Name data sets by their early ends of follow-up and P, as `plot_followup` takes them.

    A data set that was not found is None.
    """
    return {
        f"early ends: {_early_ends(data, arms)}\nP = {prose.p_value(p)}": data
        for data, p in zip(data_sets, p_values, strict=True)
        if data is not None
    }


def _early_ends(data: pd.DataFrame, arms: Sequence[str]) -> str:
    last_death = data.loc[data["died"], "time"].max()
    early = data[~data["died"] & (data["time"] < last_death)]
    counts = early["arm"].map(dict(zip("ab", arms, strict=True))).value_counts()
    return prose.listed(f"{n} {arm}" for arm, n in counts.items())


def say_ends(n_lost: int | str | None, p_values: Sequence[float]) -> dict[str, str]:
    """Word the two data sets at the ends of the range, with what lifelines computes for each."""
    low, high = [*map(prose.p_value, p_values), "none found", "none found"][:2]
    return {
        "to_exceed": say_early_ends(n_lost, None, 0)["to_exceed"],
        "lifelines_low": low,
        "lifelines_high": high,
    }


# Random data sets -----------------------------------------------------------------------------


def early_ends(to_exceed: int | str | None) -> int:
    """Return how many early ends the two data sets have: those that suffice, if that is known."""
    return to_exceed if isinstance(to_exceed, int) else 0


def early_ends_tried(deaths: Table) -> list[int]:
    """Return the numbers of early ends that are drawn: none unless some died and some survived."""
    survived = deaths.complement()
    survivors = survived.events_a + survived.events_b
    most = survivors if deaths.events_a + deaths.events_b else 0
    return [lost for lost in (2, 4, 8, 16) if lost <= most]


def affordable(n_datasets: int, patients: int) -> int:
    """Return how many random data sets of so many patients fit into memory, at most as wanted."""
    return min(n_datasets, max(100, _MOST_TIMES // patients))


def ensemble(losses: Sequence[int], p_values: Sequence[NDArray]) -> pd.DataFrame:
    """Return P of random data sets as `plot_ensemble` takes it, by early ends of follow-up."""
    lost = np.repeat(np.array(losses, int), [len(drawn) for drawn in p_values])
    groups = [f"{number} early ends" for number in lost]
    p_value = np.concatenate([np.empty(0), *p_values])
    return pd.DataFrame({"p_value": p_value, "group": groups, "lost": lost})


def shares_table(drawn: pd.DataFrame, reported: str, alpha: float) -> HTML:
    """Show which share of random data sets prints as reported, and which is significant."""
    low, high = (float(end) for end in rounding.rounding_interval(reported))
    drawn = drawn.assign(
        prints=drawn["p_value"].between(low, high), below=significant(drawn["p_value"], alpha)
    )
    by_lost = drawn.groupby("lost")
    cells = pd.DataFrame({"lost": list(by_lost.groups)})
    for column in ("prints", "below"):
        shares = zip(by_lost[column].mean(), by_lost.size(), strict=True)
        cells[column] = [prose.simulated(share, n) for share, n in shares]
    headings = {"lost": "Early ends", "prints": f"Print {reported}", "below": f"Below {alpha:g}"}
    return tables.show(cells, "Shares of random data sets", headings)


def say_ensemble(n_datasets: int, seed: int) -> dict[str, str]:
    """Word the size of the ensemble."""
    return {"datasets": prose.count(n_datasets), "seed": prose.count(seed)}


# Software -------------------------------------------------------------------------------------


def software_table(tests: pd.DataFrame) -> HTML:
    """Show which program prints which test."""
    headings = {
        "test": "Test",
        "same_as": "Same number as",
        "software": "Printed by",
        "source": "Source",
    }
    return tables.show(tests, "Who prints which test", headings)


def one_sided_table(tests: pd.DataFrame) -> HTML:
    """Show one-sided P-values."""
    headings = {
        "test": "One-sided test, arm a is the treatment arm and events are deaths",
        "p_value": "P",
    }
    label = "One-sided P-values; arm a is the treatment arm, events are deaths"
    return tables.show(tests, label, headings, {"p_value": 6})


def say_software(
    two_sided: pd.DataFrame, one_sided: pd.DataFrame, own: pd.DataFrame, reported: str
) -> dict[str, str]:
    """Word who prints what; `own` holds what libraries print on the cohort's own table."""
    documented = two_sided["software"] != ""
    p_of = two_sided.set_index("key")["p_value"]
    mid_p_agree = np.isclose(p_of["fisher_midp_sas"], p_of["fisher_midp_minlike"], rtol=1e-12)
    found = hits(two_sided["p_value"], reported)
    return {
        "tests": prose.count(len(two_sided)),
        "documented": prose.count(int(documented.sum())),
        "hits": prose.count(int(found.sum())),
        "documented_hits": prose.count(int((documented & found).sum())),
        "one_sided_hits": prose.listed(one_sided.loc[hits(one_sided["p_value"], reported), "test"]),
        "mid_p": "agree" if mid_p_agree else "differ",
        "compared": prose.count(int((own["left_out"] == "").sum())),
        "own_wrong": prose.count(int(own["differs"].sum())),
    }


# Libraries ------------------------------------------------------------------------------------


def _where(rows: pd.DataFrame) -> pd.Series:
    return rows["library"] + " " + rows["version"] + ", " + rows["function"]


def defects_table(defects: pd.DataFrame) -> HTML:
    """Show the numbers that a library prints wrongly, with the right ones."""
    cells = defects.assign(
        where=_where(defects), example=defects["quantity"] + "; " + defects["table_or_data"]
    )
    headings = {
        "where": "Function",
        "example": "Quantity and example",
        "prints": "Prints",
        "right": "Right",
    }
    return tables.show(cells, "Library defects", headings, {"prints": 7, "right": 7})


def consequences_table(defects: pd.DataFrame) -> HTML:
    """Show what goes wrong in each function, once, and where that is reported."""
    cells = pd.DataFrame(
        {
            "Function": _where(defects),
            "What goes wrong": defects["consequence"],
            "Where it is reported": defects["report"].str.removeprefix("https://github.com/"),
        }
    )
    return tables.show(cells.drop_duplicates(), "What goes wrong in each")


def own_table(own: pd.DataFrame) -> HTML:
    """Show what the same functions print on the cohort's own table."""
    headings = {
        "function": "Function",
        "quantity": "Quantity",
        "prints": "Prints",
        "right": "Right",
        "differs": "Differs",
    }
    label = "The same functions on the paper's own table"
    return tables.show(own, label, headings, {"prints": 6, "right": 6})


def conventions_table(conventions: pd.DataFrame) -> HTML:
    """Show choices of libraries that give another number than a reader may expect."""
    cells = conventions.assign(
        where=conventions["library"] + ", " + conventions["function"],
        example=conventions["quantity"] + "; " + conventions["data"],
    )
    headings = {
        "where": "Function",
        "convention": "Convention",
        "example": "Quantity and example",
        "what_it_prints": "Prints",
        "what_one_might_expect": "One might expect",
        "expected_because": "Because",
    }
    decimals = {"what_it_prints": 6, "what_one_might_expect": 6}
    return tables.show(cells, "Library conventions", headings, decimals)


def digits_table(notes: pd.DataFrame) -> HTML:
    """Show numbers of R whose last digits are not those of the exact value."""
    headings = {
        "program": "Program",
        "command": "Command",
        "quantity": "Quantity",
        "prints": "Prints",
        "right": "Right",
        "why": "Why",
    }
    return tables.show(
        notes, "Where the digits of R end early", headings, dict.fromkeys(("prints", "right"), 6)
    )
