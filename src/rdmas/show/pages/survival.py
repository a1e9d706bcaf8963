"""What the chapter on survival shows; arm a of every count is the treatment arm."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.show import prose, tables
from rdmas.stats.checks import Table


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
    return "Order of events (not days)" if unit == "order of events" else "Days"


def shares(survived: Table, arms: Sequence[str]) -> pd.DataFrame:
    """List survival by ``name`` of the arm and ``count`` (survivors and patients)."""
    return pd.DataFrame({"name": arms, "count": [survived[:2], survived[2:]]})


def share_table(listed: pd.DataFrame) -> HTML:
    """Show survival with its intervals, one column of `listed` a method."""
    return tables.shares(listed, "Intervals for survival", "Arm", "Survived")
