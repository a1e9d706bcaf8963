"""What the first page shows."""

from __future__ import annotations

import pandas as pd

from rdmas.paper.verdicts import BASES, VERDICTS
from rdmas.show import figures, prose
from rdmas.stats.significance import significant


def squares(board: pd.DataFrame) -> tuple[pd.Series, dict[str, str]]:
    """Count the claims by basis, and colour the bases, as `plot_icon_array` takes it."""
    names = {basis: f"{basis}: {meaning}" for basis, meaning in BASES.items()}
    counts = board["basis"].map(names).value_counts()
    colours = {names[basis]: figures.BASIS_COLOURS[basis] for basis in names}
    return counts.reindex([name for name in names.values() if name in counts]), colours


def say_bases(board: pd.DataFrame) -> dict[str, str]:
    """Word how many claims there are, and how many on which basis."""
    on = board["basis"].value_counts().reindex(list(BASES), fill_value=0)
    return {
        "claims": prose.count(len(board)),
        "verdicts": prose.tallied(board["verdict"], VERDICTS),
        "input": prose.count(on["input"]),
        "unchecked": prose.count(on["none"]),
    }


def say_tests(tests: pd.DataFrame, alpha: float) -> dict[str, str]:
    """Word how many of the two-sided tests, of how many statistics, stay below `alpha`; their P.

    A test that is not defined on the counts is left out.
    """
    defined = tests.dropna(subset="p_value")
    return {
        "below": prose.of_all(int(significant(defined["p_value"], alpha).sum()), len(defined)),
        "families": prose.count(defined["statistic"].nunique()),
        "smallest": prose.p_value(defined["p_value"].min(), 3),
        "largest": prose.p_value(defined["p_value"].max(), 3),
        "alpha": prose.decimal(alpha, 2),
    }
