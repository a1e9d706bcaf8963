"""What the first page shows."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import pandas as pd
from IPython.display import HTML

from rdmas.paper.cohort import Cohort
from rdmas.paper.verdicts import BASES, VERDICTS, Claim
from rdmas.show import prose
from rdmas.stats.significance import significant

#: What is found in a row of the short board, by its verdict.
_FOUND = {
    "consistent": "fits every other number stated",
    "reproduced": "the count gives the percentage",
    "not checkable": "nothing else stated bears on it",
}


def short_board(board: pd.DataFrame, cohort: Cohort) -> HTML:
    """Show the scoreboard with what belongs together in one row, each linked to its chapter."""
    claims = board.merge(cohort.claims[["id", "measure", "arm", "variable", "category"]], on="id")
    titles = {name: field["title"] for name, field in cohort.fields().items()}
    rows = [
        _row(group.to_dict("records"), titles)
        for _, group in claims.groupby(claims.apply(_belongs_to, axis=1), sort=False)
    ]
    label = "Claims of the abstract, each with verdict and finding"
    return HTML(f'<ul class="board" aria-label="{label}">\n' + "\n".join(rows) + "\n</ul>")


def _belongs_to(claim: pd.Series) -> str:
    """Name the row that a claim stands in."""
    match claim["measure"]:
        case "n":
            return "n"
        case "count":
            return claim["variable"]
        case "percent" | "fraction":
            return f"{claim['arm']} {claim['variable']} {claim['category']}"
        case "p_value" | "significance":
            return "comparison"
        case _:
            return claim["id"]


def _row(group: Sequence[Claim], titles: dict[str, str]) -> str:
    """Write one row: what it is, what the abstract states, what was found, the verdicts."""
    first = group[0]
    title = {"n": "Patients", "count": titles.get(first["variable"], "")}.get(
        first["measure"], re.split(r", as a |, test not | \(", first["statement"])[0]
    )
    found = list(dict.fromkeys(claim["verdict"] for claim in group))
    badges = "".join(
        f'<span class="verdict verdict-{verdict.replace(" ", "-")}">{verdict}</span>'
        for verdict in found
    )
    stated = prose.listed([_stated(claim) for claim in group])
    return (
        f'<li><a href="{first["chapter"]}.html"><b>{html.escape(title)}</b> '
        f"<span>{html.escape(stated)}: {html.escape(_finding(group))}</span></a> "
        f'<span class="badges">{badges}</span></li>'
    )


def _stated(claim: Claim) -> str:
    """Write a stated value, and of a bare count whom it counts."""
    counted = {"n": claim["arm"], "count": claim["category"]}.get(claim["measure"], "")
    return f"{claim['reported']} {counted}".strip()


def _finding(group: Sequence[Claim]) -> str:
    """Say in a line what was found of the claims of a row."""
    first = group[0]
    failed = [claim for claim in group if claim["verdict"] == "not reproduced"]
    if failed:
        return failed[0]["nearest"]
    with_convention = [claim["convention"] for claim in group if claim["convention"]]
    if with_convention and first["measure"] == "p_value":
        return f"among the tests that print it is {with_convention[0]}"
    if with_convention:
        return with_convention[0]
    percentages = [claim for claim in group if claim["measure"] == "percent"]
    return _FOUND[(percentages or group)[0]["verdict"]]


def say_sizes(cohort: Cohort) -> dict[str, str]:
    """Word how many patients are drawn."""
    n = cohort.deaths()
    return {
        "treatment": cohort.treatment_arm,
        "treated": prose.count(n.n_a),
        "controls": prose.count(n.n_b),
        "patients": prose.count(n.n_a + n.n_b),
    }


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
