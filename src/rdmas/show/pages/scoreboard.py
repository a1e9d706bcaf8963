"""What the scoreboard shows beside the verdicts: how often they would be wrong.

Frames come from `rdmas.selfcheck.percentages` and `rdmas.selfcheck.p_values`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.paper.verdicts import VERDICTS
from rdmas.show import prose, tables
from rdmas.stats.checks import Table

_SMALL_ERRORS = ("half the P-value", "one patient recoded", "one digit changed")


def tally_table(tally: pd.DataFrame) -> HTML:
    """Show how many claims have which verdict on which basis."""
    headings = {"verdict": "Verdict", "basis": "Basis", "claims": "Claims"}
    return tables.show(tally, "Claims by verdict and basis", headings)


def say_verdicts(board: pd.DataFrame) -> dict[str, str]:
    """Word how many claims have which verdict."""
    return {
        "claims": prose.count(len(board)),
        "verdicts": prose.tallied(board["verdict"], VERDICTS),
        "input": prose.count(int((board["basis"] == "input").sum())),
    }


# Percentages ----------------------------------------------------------------------------------


def percentage_errors_table(planted: pd.DataFrame) -> HTML:
    """Show the share of planted errors that is caught, a column a size of the group."""
    shares = planted.assign(share=planted["share"].map(prose.percent))
    sizes = planted["n"].unique().tolist()
    cells = shares.pivot(index="error", columns="n", values="share")[sizes]
    headings = {"error": "Error planted in a percentage"} | {n: f"{n} patients" for n in sizes}
    label = "Share of planted errors that are caught, by size of the group"
    return tables.show(cells.reset_index(), label, headings)


def say_percentages(alarms: pd.DataFrame, largest_n: int) -> dict[str, str]:
    """Word how many percentages, rounded once, were printed, and how many were flagged."""
    rounded = alarms[alarms["rounded_once"]]
    return {
        "largest_n": prose.count(largest_n),
        "percent_prints": prose.count(int(rounded["printed"].sum())),
        "percent_alarms": prose.count(int(rounded["flagged"].sum())),
    }


# P-values -------------------------------------------------------------------------------------


def _share(share: float) -> str:
    """Write a share in whole percents; a small one is not written as none."""
    return "<1%" if 0 < share < 0.005 else prose.percent(share)


def false_alarms_table(alarms: pd.DataFrame) -> HTML:
    """Show the share of false alarms over P-values, a column a number of early ends."""
    author = alarms["author"].where(alarms["of_times"], "a test on the counts")
    by_author = alarms.assign(author=author).groupby(["author", "lost"], sort=False)["share"]
    cells = by_author.mean().unstack().map(_share)
    headings = {"author": "The author used"} | {
        lost: prose.counted(lost, "early end") if lost else "No early end"
        for lost in alarms["lost"].unique().tolist()
    }
    label = "False alarms over P-values, by the number of survivors whose follow-up ends early"
    return tables.show(cells.reset_index(), label, headings)


def say_trials(
    risks: tuple[float, float],
    ends: Sequence[Table],
    probabilities: Sequence[float],
    n_datasets: int,
) -> dict[str, str]:
    """Word which trials were gone through, of which risks, and how many data sets were drawn."""
    return {
        "n_a": prose.count(ends[0].n_a),
        "n_b": prose.count(ends[0].n_b),
        "risk_a": prose.percent(risks[0]),
        "risk_b": prose.percent(risks[1]),
        "trials": prose.count(len(probabilities)),
        "covered": prose.percent(sum(probabilities)),
        "datasets": prose.count(n_datasets),
    }


def say_false_alarms(alarms: pd.DataFrame) -> dict[str, str]:
    """Word the false alarms over the first test of times, and the largest Monte Carlo error."""
    times = alarms[alarms["of_times"]]
    tried = times[times["author"] == times["author"].iloc[0]].set_index("lost")["share"]
    lost = tried.index[tried.index > 0]
    return {
        "few": prose.count(lost.min()),
        "few_alarms": prose.percent(tried[lost.min()]),
        "many": prose.count(lost.max()),
        "many_alarms": prose.percent(tried[lost.max()]),
        # Upwards, because the page says "at most".
        "monte_carlo": prose.decimal(math.ceil(1000 * times["error"].max()) / 10, 1),
    }


def planted_errors_table(errors: pd.DataFrame) -> HTML:
    """Show the shares of errors caught in P-values of authors who used a test on the counts."""
    cells = pd.DataFrame(
        {
            "error": errors["error"] + errors["kind"].map({"P-value": "", "wording": ", in words"}),
            "caught": errors["caught"].map(prose.percent),
            "on_counts": (1 - errors["test"]).map(prose.percent),
        }
    )
    headings = {
        "error": "Error planted",
        "caught": "Caught by this audit",
        "on_counts": "Caught if the test is known to use the counts",
    }
    return tables.show(cells, "Planted errors in P-values that are caught", headings)


def say_planted_errors(errors: pd.DataFrame) -> dict[str, str]:
    """Word the largest share of a kind of small error that is caught."""
    small = errors[(errors["kind"] == "P-value") & errors["error"].isin(_SMALL_ERRORS)]
    return {
        "caught_high": prose.percent(small["caught"].max()),
        "small_errors": prose.listed(_SMALL_ERRORS),
    }
