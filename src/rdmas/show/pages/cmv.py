"""What the chapter on cytomegalovirus shows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.show import figures, prose, tables
from rdmas.stats import proportion


def by_method(share: float, limits: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """Frame a share with its intervals by all of `proportion.METHODS`, for `plot_intervals`."""
    drawn = pd.DataFrame(limits, columns=["low", "high"])
    names = list(proportion.METHODS.values())
    return drawn.assign(name=names, estimate=share, colour=figures.ARM_COLOURS[0])


def overlap_table(bounds: Sequence[tuple[int, int]]) -> HTML:
    """Show how many infected patients had complete remission, and died, at least and at most."""
    cells = pd.DataFrame(bounds, columns=["Fewest", "Most"])
    pairs = [f"CMV infection and {other}" for other in ("complete remission", "death")]
    cells.insert(0, "Both of", pairs)
    return tables.show(cells, "Bounds on overlaps")


def say_precision(
    limits: tuple[float, float], n: int, treatment: str, level: float
) -> dict[str, str]:
    """Word the interval of the share of infected patients."""
    return {
        "interval": prose.percent_interval(limits),
        "level": prose.percent(level),
        "n": prose.count(n),
        "treatment": treatment,
    }
