"""What the page of conventions shows: rounding once and twice."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.show import prose, tables
from rdmas.show.pages.p_value import hits
from rdmas.stats import rounding


def nearest(tests: pd.DataFrame, reported: str, number: int = 6) -> pd.DataFrame:
    """Return the tests nearest to what is reported, by P, as `plot_rounding` takes them."""
    printed = float(rounding.parse(reported).number)
    order = (tests["p_value"] - printed).abs().sort_values().index[:number]
    near = tests.loc[order].sort_values("p_value")
    return near[["test", "p_value"]].set_axis(["name", "value"], axis=1)


def rounding_table(near: pd.DataFrame, reported: str) -> HTML:
    """Show which P-values agree with what is reported, rounded once and rounded twice."""
    cells = near.assign(
        once=[prose.p_value(p, 3) for p in near["value"]],
        agrees=hits(near["value"], reported),
        twice=[
            rounding.reproduces_by_rounding_twice(p, reported) is not None for p in near["value"]
        ],
    )
    headings = {
        "name": "Test",
        "value": "P",
        "once": "Rounded once",
        "agrees": "Agrees",
        "twice": "Agrees only if rounded twice",
    }
    return tables.show(cells, "Rounding once and twice", headings, {"value": 6})


def say(reported: str, alpha: float) -> dict[str, str]:
    """Word the printed P-value and the level."""
    return {"reported": reported, "alpha": prose.decimal(alpha, 2)}
