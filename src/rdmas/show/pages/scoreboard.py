"""What the scoreboard shows beside the verdicts: how often they would be wrong.

The simulations are those of `rdmas.selfcheck.checker`; frames come from there.
"""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.paper.claims import VERDICTS
from rdmas.show import prose, tables

FOLLOWED, EARLY = "everyone followed to the end", "follow-up ends early"
_AUTHORS = {
    "counts": "a test on the counts",
    "ordering": "log-rank",
    "none": "a test not tried here",
}
_SMALL_ERRORS = ("half the P-value", "one patient recoded", "one digit changed")


def tally_table(tally: pd.DataFrame) -> HTML:
    """Show how many claims have which verdict on which basis."""
    headings = {"verdict": "Verdict", "basis": "Basis", "claims": "Claims"}
    return tables.show(tally, "Claims by verdict and basis", headings)


def say_verdicts(board: pd.DataFrame) -> dict[str, str]:
    """Word how many claims have which verdict."""
    number = board["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    return {
        "claims": prose.count(len(board)),
        "reproduced": prose.count(number["reproduced"]),
        "convention": prose.count(number["reproduced under a stated convention"]),
        "failed": prose.count(number["not reproduced"]),
        "uncheckable": prose.count(number["not checkable"]),
        "input": prose.count(int((board["basis"] == "input").sum())),
    }


# Percentages ----------------------------------------------------------------------------------


def percentage_errors_table(planted: pd.DataFrame) -> HTML:
    """Show the share of planted errors that is caught, a column a size of the group."""
    rows = planted[planted["kind"] == "percentage"]
    shares = rows.assign(share=rows["share"].map(prose.percent))
    sizes = rows["n"].unique().tolist()
    cells = shares.pivot(index="error", columns="n", values="share")[sizes]
    headings = {"error": "Error planted in a percentage"} | {n: f"{n} patients" for n in sizes}
    label = "Share of planted errors that are caught, by size of the group"
    return tables.show(cells.reset_index(), label, headings)


def say_percentages(alarms: pd.DataFrame, largest_n: int) -> dict[str, str]:
    """Word how many percentages, rounded once, were printed, and how many were flagged."""
    rounded = alarms[alarms["rounded_once"] & (alarms["kind"] == "percentage")]
    return {
        "largest_n": prose.count(largest_n),
        "percent_prints": prose.count(int(rounded["printed"].sum())),
        "percent_alarms": prose.count(int(rounded["flagged"].sum())),
    }


# P-values -------------------------------------------------------------------------------------


def _printed_as_numbers(alarms: pd.DataFrame) -> pd.DataFrame:
    return alarms[(alarms["kind"] == "P-value") & alarms["decimals"].notna()]


def false_alarms_table(followed: pd.DataFrame, early: pd.DataFrame) -> HTML:
    """Show the false alarms over P-values, by follow-up and by the author's kind of test."""
    alarms = pd.concat([followed.assign(followup=FOLLOWED), early.assign(followup=EARLY)])
    keys = ["followup", "author"]
    cells = _printed_as_numbers(alarms.assign(author=alarms["basis"].map(_AUTHORS)))
    cells = cells.groupby(keys, sort=False)[["data_sets", "flagged"]].sum().reset_index()
    cells["share"] = (cells["flagged"] / cells["data_sets"]).map(prose.percent)
    headings = {
        "author": "The author used",
        "share": "False alarms",
        "flagged": "That is",
        "data_sets": "of",
        "followup": "In truth",
    }
    return tables.show(cells, "False alarms over simulated P-values", headings)


def say_trials(n_trials: int, patients: tuple[int, int], level: float) -> dict[str, str]:
    """Word how many trials were simulated, and how large."""
    return {
        "trials": prose.count(n_trials),
        "trial_low": prose.count(min(patients)),
        "trial_high": prose.count(max(patients)),
        "level": prose.percent(level),
    }


def say_false_alarms(followed: pd.DataFrame, early: pd.DataFrame) -> dict[str, str]:
    """Word how far prints are from the nearest test, and the alarms of a log-rank test."""
    alarms, early = _printed_as_numbers(pd.concat([followed, early])), _printed_as_numbers(early)
    log_rank = early[early["basis"] == "ordering"].iloc[0]
    furthest = alarms.loc[alarms["basis"] == "counts", "furthest"].max()
    return {
        "furthest": prose.decimal(furthest, 2),
        "logrank_alarms": prose.percent(log_rank["share"]),
        "logrank_interval": prose.percent_interval((log_rank["low"], log_rank["high"])),
    }


def planted_errors_table(errors: pd.DataFrame) -> HTML:
    """Show the share of errors caught in P-values of authors who used a test on the counts."""
    rows = errors[errors["basis"] == "counts"]
    rows = rows.assign(on_counts=rows["share_on_counts"] * rows["data_sets"])
    sums = ["data_sets", "caught", "on_counts"]
    cells = rows.groupby(["kind", "error"], sort=False)[sums].sum().reset_index()
    for column in ("caught", "on_counts"):
        cells[column] = (cells[column] / cells["data_sets"]).map(prose.percent)
    cells["error"] += cells["kind"].map({"P-value": "", "wording": ", in words"})
    headings = {
        "error": "Error planted",
        "caught": "Caught by this audit",
        "on_counts": "Caught if the test is known to use the counts",
        "data_sets": "Planted",
    }
    return tables.show(cells, "Planted errors in P-values that are caught", headings)


def say_planted_errors(errors: pd.DataFrame) -> dict[str, str]:
    """Word the largest share of a kind of small error that is caught."""
    rows = errors[(errors["basis"] == "counts") & (errors["kind"] == "P-value")]
    by_error = rows.groupby("error")[["caught", "data_sets"]].sum().loc[list(_SMALL_ERRORS)]
    return {"caught_high": prose.percent((by_error["caught"] / by_error["data_sets"]).max())}
