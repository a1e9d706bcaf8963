"""What the scoreboard shows of a reader's cohort: this cohort beside published numbers."""

from __future__ import annotations

import textwrap

import pandas as pd
from IPython.display import HTML, Markdown

from rdmas.paper import claims
from rdmas.paper.cohort import Cohort
from rdmas.paper.comparison import beside_published
from rdmas.paper.verdicts import VERDICTS
from rdmas.show import figures, prose, tables
from rdmas.show.cohort import _counts as counts
from rdmas.show.cohort import _words as words

#: Of each published number the form that is read most easily.
SHORT = ("n", "percent", "median", "p_value")


def has_claims(cohort: Cohort) -> bool:
    """Tell whether the cohort came with a registry of its own paper."""
    return not cohort.claims.empty


def beside(cohort: Cohort, level: float, short: bool = False) -> pd.DataFrame:
    """Set the cohort beside published numbers; what is masked is left out."""
    found = beside_published(cohort, level)
    found = found[~found["masked"]]
    return found[found["measure"].isin(SHORT)] if short else found


def answer(cohort: Cohort, level: float) -> str:
    """Word what is compared, and what is checked."""
    found = beside(cohort, level)
    # A percentage and the count it is of are one difference.
    measured = found[found["measure"] != "fraction"].dropna(subset="low")
    apart = measured[(measured["low"] > 0) | (measured["high"] < 0)]
    sentences = [
        f"{prose.counted(len(found), 'published number')} "
        f"{'has' if len(found) == 1 else 'have'} a counterpart in this cohort.",
        "They are of another cohort, so that they are set side by side and not checked.",
    ]
    if len(measured):
        sentences.append(
            f"Of {prose.counted(len(measured), 'difference')} in shares, "
            f"{prose.count(len(apart))} "
            f"{'has' if len(apart) == 1 else 'have'} a {counts.level_in_words(level)} interval "
            "without zero."
        )
    return words.answer(*sentences, own_in_words(cohort), left_out(cohort))


def own_in_words(cohort: Cohort) -> str:
    """Word the verdicts on the claims of the cohort's own paper."""
    if not has_claims(cohort):
        return "The cohort came without numbers of a paper of its own, so that there is no verdict."
    board = own_board(cohort)
    if board.empty:
        return "No number of the cohort's own paper can be shown."
    return (
        f"Of {prose.counted(len(board), 'number')} in the cohort's own paper: "
        f"{prose.tallied(board['verdict'], VERDICTS)}."
    )


def own_board(cohort: Cohort) -> pd.DataFrame:
    """Return the verdicts on the cohort's own claims, those of masked columns left out."""
    if not has_claims(cohort):
        return pd.DataFrame(columns=["id", "verdict", "basis"])
    board = claims.scoreboard(cohort)
    columns = cohort.claims.set_index("id")["variable"]
    shown = [not columns[claim] or cohort.shows(columns[claim]) for claim in board["id"]]
    return board[shown]


def left_out(cohort: Cohort) -> str:
    """Say how many published numbers are not compared because of small counts."""
    number = int(beside_published(cohort)["masked"].sum())
    if not number:
        return ""
    return (
        f"{prose.counted(number, 'comparison')} {'is' if number == 1 else 'are'} left out: a "
        f"count in the column is below {prose.count(cohort.mask_below)}."
    )


def table(cohort: Cohort, level: float, short: bool = False) -> HTML | Markdown:
    """Show this cohort beside published numbers, with the difference and its interval."""
    found = beside(cohort, level, short)
    if found.empty:
        return Markdown("No published number has a counterpart in this cohort that may be shown.")
    rows = found.to_dict("records")
    cells = {
        "Quantity": found["statement"],
        "Published": found["published"],
        "This cohort": found["this_cohort"],
        "Difference": [_difference(row) for row in rows],
        f"{counts.level_in_words(level)} interval": [_interval(row) for row in rows],
    }
    if not short:
        cells["How"] = found["method"].where(found["low"].isna(), "Newcombe")
    return tables.show(pd.DataFrame(cells), "This cohort beside published numbers")


def _difference(row: dict) -> str:
    """Write this cohort less published."""
    if pd.isna(row["difference"]):
        return "—"
    if row["measure"] == "median":
        return _signed(row["difference"], 2)
    return f"{_signed(100 * row['difference'], 1)} points"


def _interval(row: dict) -> str:
    if pd.isna(row["low"]):
        return "—"
    return f"{_signed(100 * row['low'], 1)} to {_signed(100 * row['high'], 1)}"


def _signed(value: float, decimals: int) -> str:
    """Write a difference with its sign."""
    text = prose.decimal(value, decimals)
    return text if value <= 0 or not text.strip("0.") else f"+{text}"


def bars(cohort: Cohort, level: float) -> pd.DataFrame:
    """List the differences of shares, as `plot_intervals` takes them."""
    found = beside(cohort, level).dropna(subset="low")
    found = found[found["measure"] == "percent"]
    labels = counts.on_figures(cohort)
    names = []
    for statement in found["statement"]:
        for arm, label in labels.items():
            statement = statement.replace(arm, label)
        statement = statement.removesuffix(", as a percentage")
        names.append(textwrap.fill(statement, 30))
    rows = found[["low", "high"]].assign(name=names, estimate=found["difference"])
    return rows.assign(colour=figures.INK)


def own_table(cohort: Cohort) -> HTML | Markdown:
    """Show the verdicts on the claims of the cohort's own paper."""
    board = own_board(cohort)
    if board.empty:
        return Markdown(own_in_words(cohort))
    return tables.verdicts(board)


def verdicts_in_words(cohort: Cohort) -> str:
    """Say how a verdict is reached, where there is any."""
    if not has_claims(cohort):
        return (
            "A published number of another cohort gets no verdict: that two cohorts differ "
            "refutes neither. With a table `claims.csv` beside the patients, the numbers of the "
            "cohort's own paper are checked here."
        )
    lines = [f"- *{verdict}*: {meaning}" for verdict, meaning in VERDICTS.items()]
    return words.paragraphs(
        "Each number of the cohort's own paper is recomputed from the patients' records (basis "
        "`data`) and from its other numbers where they determine it. It agrees if the value "
        "rounds to what is printed, at the printed number of decimals; rounding is done once.",
        "\n".join(lines),
    )
