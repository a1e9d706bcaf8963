"""What the chapter on survival shows; arm a of every count is the treatment arm."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.show import prose, tables
from rdmas.stats import proportion
from rdmas.stats.checks import Table

PLACES = "Order of events (not days)"


def say_counts(survived: Table, treatment: str, level: float) -> dict[str, str]:
    """Word what was counted, and the confidence level."""
    return {
        "treatment": treatment,
        "level": prose.percent(level),
        "n_treated": prose.count(survived.n_a),
        "n_control": prose.count(survived.n_b),
        "control_exact": prose.percent(survived.events_b / survived.n_b, 2),
    }


def effect_table(effects: pd.DataFrame, treatment: str) -> HTML:
    """Show every effect measure for survival by every method."""
    return tables.effects(effects, treatment, decimals=3)


def say_difference(effects: pd.DataFrame) -> dict[str, str]:
    """Word the risk difference, in points, and its interval by Newcombe's method."""
    found = effects.query("measure == 'risk difference' and method == 'Newcombe'").iloc[0]
    return {
        "difference": prose.decimal(100 * found["estimate"], 0),
        "difference_interval": prose.decimal_interval((100 * found["low"], 100 * found["high"]), 0),
    }


def time_label(unit: str) -> str:
    """Name the axis of time, by the unit that the data package declares."""
    return PLACES if unit == "order of events" else "Days"


def assumes_times(cohort: Cohort) -> bool:
    """Tell whether the times are a choice, so that no curve through them is anybody's."""
    return cohort.fields()["followup_time"]["provenance"] == "assumed"


def ends(listed: pd.DataFrame, method: str) -> pd.DataFrame:
    """Name the published ends of the curves as `plot_order_envelope` takes them."""
    limits = pd.DataFrame(listed[method].tolist(), columns=["low", "high"])
    estimate = [events / n for events, n in listed["count"]]
    return pd.concat([listed[["name", "count"]], limits], axis=1).assign(estimate=estimate)


def say_curves(cohort: Cohort, level: float, method: str) -> dict[str, str]:
    """Word what the figure draws, and how far apart the curves of two orders can be."""
    deaths, intervals = cohort.deaths(), f"{prose.percent(level)} intervals"
    drawn = (
        f"What is known of the survival curves: the ends, as points with {intervals} "
        f"({proportion.METHODS[method]}), and shaded every curve that some order of the deaths "
        "gives when nobody is lost. Dashed: one order, assumed. It is not the curve of the paper, "
        "which cannot be drawn from its abstract."
        if assumes_times(cohort)
        else f"Kaplan-Meier curves with pointwise {intervals} (log-log) and, below, the patients "
        "at risk."
    )
    return {
        "drawn": drawn,
        "deaths_treated": prose.counted(deaths.events_a, "death"),
        "deaths_control": prose.count(deaths.events_b),
        "apart": prose.counted(min(deaths.events_a, deaths.events_b), "patient"),
    }


def shares(survived: Table, arms: Sequence[str]) -> pd.DataFrame:
    """List survival by ``name`` of the arm and ``count`` (survivors and patients)."""
    return pd.DataFrame({"name": arms, "count": [survived[:2], survived[2:]]})


def share_table(listed: pd.DataFrame) -> HTML:
    """Show survival with its intervals, one column of `listed` a method."""
    return tables.shares(listed, "Intervals for survival", "Arm", "Survived")
