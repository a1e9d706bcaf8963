"""Tables as the book shows them: plain HTML, the same for the same content.

Cells are escaped, and verdicts and bases are marked in words as well as in colour. On a narrow
screen a table that does not fit becomes a card a row; decided here, by the width of its columns.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

import pandas as pd
from IPython.display import HTML

from rdmas.paper.verdicts import BASES, NOT_SEARCHED, RETURNED
from rdmas.show import prose
from rdmas.stats import proportion, rounding

#: Characters of a table's type that stand beside each other on a phone.
PHONE_CHARACTERS = 46


def show(
    frame: pd.DataFrame,
    label: str,
    columns: Mapping[str, str] | None = None,
    decimals: Mapping[str, int] | None = None,
) -> HTML:
    """Show a data frame as a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows; the index is not shown. Cells are text unless they are `Markup`. Where a column
        ``left_out`` says why a row was not computed, what is missing in it is called left out, and
        the reason stands below the table.
    label : str
        What the table holds, for screen readers.
    columns : mapping, optional
        Columns to show, in order, with their headings; by default all.
    decimals : mapping, optional
        Decimals of numeric columns, by column name. Other numbers are shown as they are.

    Returns
    -------
    IPython.display.HTML

    Examples
    --------
    >>> table = show(pd.DataFrame({"p": [0.0114819]}), "P-values", {"p": "P"}, {"p": 4})
    >>> '<td class="number">0.0115</td>' in table.data
    True
    """
    columns = dict(columns) if columns else {name: name for name in frame.columns}
    decimals = decimals or {}
    why = frame["left_out"].fillna("").tolist() if "left_out" in frame else [""] * len(frame)
    cells = pd.DataFrame(
        {
            html.escape(str(heading)): [
                "left out" if reason and _is_missing(value) else _cell(value, decimals.get(name))
                for value, reason in zip(frame[name], why, strict=True)
            ]
            for name, heading in columns.items()
        }
    )
    reasons = [f"{reason[0].upper()}{reason[1:]}." for reason in dict.fromkeys(why) if reason]
    return _html(cells, label, html.escape(" ".join(reasons)))


def shares(listed: pd.DataFrame, label: str, name: str, count: str) -> HTML:
    """Show proportions with their intervals.

    Parameters
    ----------
    listed : pandas.DataFrame
        Columns ``name``, ``count`` (events and n), and for each method wanted a column of limits
        named by its key in `rdmas.stats.proportion.METHODS`.
    label : str
        What the table holds, for screen readers.
    name, count : str
        Headings of the first two columns.

    Returns
    -------
    IPython.display.HTML
    """
    methods = {key: text for key, text in proportion.METHODS.items() if key in listed}
    cells = listed.assign(
        count=[prose.out_of(*counted) for counted in listed["count"]],
        estimate=[prose.percent(events / n) for events, n in listed["count"]],
        **{method: listed[method].map(prose.percent_interval) for method in methods},
    )
    return show(cells, label, {"name": name, "count": count, "estimate": "Share"} | methods)


def effects(listed: pd.DataFrame, treatment: str, decimals: int) -> HTML:
    """Show `rdmas.stats.two_by_two.effects` for survival, of the treatment named."""
    headings = {
        "measure": "Measure, for survival",
        "method": "Method",
        "estimate": "Estimate",
        "low": "Lower",
        "high": "Upper",
    }
    label = f"Effect measures for survival, {treatment} against controls"
    return show(listed, label, headings, dict.fromkeys(("estimate", "low", "high"), decimals))


class Markup(str):
    """HTML that a cell shows as it is."""


def link(page: str, text: str) -> Markup:
    """Make a cell that leads to another page of the book, named without its ending.

    Examples
    --------
    >>> link("p_value", "P < 0.05")
    '<a href="p_value.html">P &lt; 0.05</a>'
    """
    return Markup(f'<a href="{html.escape(page)}.html">{html.escape(text)}</a>')


def verdicts(board: pd.DataFrame, chapter: str | None = None, links: bool = False) -> HTML:
    """Show claims with reported value, recomputed value, verdict and basis.

    Parameters
    ----------
    board : pandas.DataFrame
        From `rdmas.paper.claims.scoreboard`.
    chapter : str, optional
        Show only the claims of this chapter.
    links : bool, default False
        Link each claim to its chapter.

    Returns
    -------
    IPython.display.HTML
    """
    rows = board if chapter is None else board[board["chapter"] == chapter]
    cells = {
        "Claim": [
            link(row["chapter"], row["statement"]) if links else html.escape(row["statement"])
            for _, row in rows.iterrows()
        ],
        "Reported": rows["reported"].map(html.escape),
        "Recomputed": rows["recomputed"].map(lambda text: html.escape(text) or "—"),
        "Verdict": [_verdict(row) for _, row in rows.iterrows()],
        "Basis": [_basis(basis) for basis in rows["basis"]],
    }
    return _html(
        pd.DataFrame(cells), "Claims, recomputed values and verdicts", _legend(rows["basis"])
    )


def derivations(board: pd.DataFrame, *claim_ids: str) -> HTML:
    """Show every derivation of one or more claims, the headline of each first.

    Parameters
    ----------
    board : pandas.DataFrame
        From `rdmas.paper.claims.scoreboard`.
    *claim_ids : str
        The claims.

    Returns
    -------
    IPython.display.HTML

    Raises
    ------
    KeyError
        If there is no such claim.
    """
    claims = {claim["id"]: claim for claim in board.to_dict("records")}
    nothing = {"method": "none possible", "recomputed": "—", "reproduces": False, "basis": "none"}
    rows = []
    for claim_id in claim_ids:
        claim = claims[claim_id]
        for found in claim["derivations"] or [nothing]:
            rows.append(
                {
                    "Derivation": html.escape(found["method"]),
                    "Reported": html.escape(claim["reported"]),
                    "Recomputed": html.escape(found["recomputed"]),
                    "Agrees": _agrees(found),
                    "Basis": found["basis"],
                }
            )
    cells = pd.DataFrame(rows)
    legend = _legend(cells["Basis"])
    cells["Basis"] = cells["Basis"].map(_basis)
    return _html(cells, f"Derivations of {' and '.join(claim_ids)}", legend)


def _agrees(found: dict) -> str:
    """Say whether a derivation gives the printed value, and no more than its basis bears."""
    if found["basis"] == "none":
        return "not checkable"
    if found["recomputed"] == NOT_SEARCHED or found["recomputed"].startswith("left out"):
        return "not tried"
    if not found["reproduces"]:
        return "no"
    if found["basis"] == "input":
        return RETURNED
    if found["basis"] == "ordering" and isinstance(found["value"], tuple):
        return "possible"
    return "yes"


def _verdict(row: pd.Series) -> str:
    kind = row["verdict"].replace(" ", "-")
    text = f'<span class="verdict verdict-{kind}">{html.escape(row["verdict"])}</span>'
    notes = [html.escape(note) for note in (row["convention"], row["nearest"]) if note]
    return "<br>".join([text, *(f"<small>{note}</small>" for note in notes)])


def _basis(basis: str) -> str:
    return f'<span class="basis basis-{basis}">{basis}</span>'


def _legend(bases: pd.Series) -> str:
    """Explain the bases that occur, once below the table."""
    found = "; ".join(
        f"{_basis(basis)} {meaning}" for basis, meaning in BASES.items() if basis in set(bases)
    )
    return f"Basis: {found}." if found else ""


def _is_missing(value) -> bool:
    return bool(pd.isna(value)) or value == "—"


def _cell(value, decimals: int | None) -> str:
    if isinstance(value, Markup):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if pd.isna(value):
        return "—"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    if decimals is not None:
        return rounding.fixed(value, decimals).replace("-", "−")
    return html.escape(str(value))


def _html(cells: pd.DataFrame, label: str, legend: str = "") -> HTML:
    """Write a table whose cells are HTML; one too wide for a phone becomes a card a row there."""
    headings, rows = list(cells.columns), cells.to_numpy().tolist()
    columns = [[_plain(row[place]) for row in rows] for place in range(len(headings))]
    widths = map(_width, map(_plain, headings), columns)
    as_cards = sum(widths) > PHONE_CHARACTERS
    numeric = [' class="number"' if _is_numeric(column) else "" for column in columns]
    # Displayed as a block, a table would no longer be one to a screen reader.
    table, row, head, cell = (
        [f' role="{role}"' for role in ("table", "row", "columnheader", "cell")]
        if as_cards
        else [""] * 4
    )
    top = "".join(
        f"<th{head}{number}>{heading}</th>"
        for heading, number in zip(headings, numeric, strict=True)
    )
    body = "\n".join(
        f"<tr{row}>"
        + "".join(
            f"<td{cell}{_label(heading, as_cards)}{number}>{value}</td>"
            for heading, value, number in zip(headings, values, numeric, strict=True)
        )
        + "</tr>"
        for values in rows
    )
    note = f'\n<p class="rdmas-legend">{legend}</p>' if legend else ""
    return HTML(
        f'<div class="rdmas-scroll" role="group" tabindex="0" aria-label="{html.escape(label)}">\n'
        f'<table class="rdmas-table{" cards" if as_cards else ""}"{table}>\n'
        f"<thead><tr{row}>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</div>{note}"
    )


def _plain(markup: str) -> str:
    """Return what a cell reads as."""
    return html.unescape(re.sub(r"<[^>]+>", " ", str(markup))).strip()


def _width(heading: str, column: list[str]) -> int:
    """Return the characters that a column needs at least: cells may break between words."""
    words = [len(word) for text in (heading, *column) for word in text.split()]
    return max(max(words, default=0), min(16, max(map(len, column), default=0))) + 2


def _is_numeric(column: list[str]) -> bool:
    """Tell whether a column holds numbers, which stand decimal point below decimal point."""
    texts = [text for text in column if text not in ("—", "left out")]
    return bool(texts) and all(re.fullmatch(r"[−+]?(\d[\d,.]*%?|∞)", text) for text in texts)


def _label(heading: str, as_cards: bool) -> str:
    """Name a cell for where its heading is out of sight."""
    return f' data-label="{html.escape(_plain(heading))}"' if as_cards else ""
