"""What an explorer is, and how it is written as HTML."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from rdmas.show import prose
from rdmas.show.figures import GREY, INK

#: Width in pixels of what stands there before a script draws, or without one: that of a phone.
_STILL_WIDTH = 350

Nested = Sequence[Any]
Drawn = alt.LayerChart | alt.FacetChart


@dataclass(frozen=True)
class Control:
    """Something a reader sets; its positions are counted from 0.

    Attributes
    ----------
    name : str
        Of the chart's parameter that follows it.
    label : str
        What is set.
    positions : sequence of str
        What each position is called.
    start : int
        The first position shown.
    listed : bool
        Chosen from a list; otherwise slid.
    """

    name: str
    label: str
    positions: Sequence[str]
    start: int = 0
    listed: bool = False


@dataclass(frozen=True)
class Words:
    """Words that depend on positions: nested lists, one level for each control in `by`."""

    by: Sequence[str]
    of: Nested

    def at(self, positions: Mapping[str, int]) -> str:
        """Return the words at the positions."""
        found: Any = self.of
        for name in self.by:
            found = found[positions[name]]
        return str(found)

    def written(self) -> dict[str, Any]:
        """Return the words each once, and their places among them in the nested lists."""
        each: dict[str, int] = {}

        def place(words: Any) -> Any:
            if isinstance(words, str):
                return each.setdefault(words, len(each))
            return [place(some) for some in words]

        return {"by": list(self.by), "of": place(self.of), "each": list(each)}


@dataclass(frozen=True)
class Explorer:
    """Charts that follow controls, and a sentence that says what they show.

    All values are computed beforehand; the script of the page only selects among them. Without a
    script the start stands there.

    Attributes
    ----------
    name : str
        Unique on a page, in small letters.
    title : str
        What can be done with it.
    controls : sequence of Control
    charts : sequence of (altair chart, str)
        Each with what it shows, for those who do not see it.
    say : str
        The sentence, with names of `words` or of controls in braces.
    words : mapping of str to Words
    """

    name: str
    title: str
    controls: Sequence[Control]
    charts: Sequence[tuple[Drawn, str]]
    say: str
    words: Mapping[str, Words]

    def said(self, positions: Mapping[str, int]) -> str:
        """Return the sentence at the positions, by name of control."""
        own = {
            control.name: control.positions[positions[control.name]] for control in self.controls
        }
        return self.say.format(**own, **{name: w.at(positions) for name, w in self.words.items()})

    def _repr_html_(self) -> str:
        """Write the explorer as a figure."""
        start = {control.name: control.start for control in self.controls}
        follows = {"params": [{"name": name, "value": value} for name, value in start.items()]}
        specs = [_styled(chart).to_dict() | follows for chart, _ in self.charts]
        charts = "".join(
            f'<div class="chart" role="img" aria-label="{html.escape(shows)}">'
            f"{_still(spec, f'{self.name}-{place}')}</div>\n"
            for place, (spec, (_, shows)) in enumerate(zip(specs, self.charts, strict=True))
        )
        content = {
            "say": self.say,
            "words": {name: w.written() for name, w in self.words.items()},
            "positions": {control.name: control.positions for control in self.controls},
            "charts": specs,
        }
        # Within a script element only its end tag would be read as markup.
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        return (
            f'<figure class="explorer" id="explorer-{self.name}">\n'
            f"<figcaption>{html.escape(self.title)}</figcaption>\n"
            f'<div class="controls" hidden>{"".join(map(self._control, self.controls))}</div>\n'
            f'<p class="says" aria-live="polite">{html.escape(self.said(start))}</p>\n'
            f"{charts}"
            f'<script type="application/json">{data}</script>\n</figure>'
        )

    def _control(self, control: Control) -> str:
        """Write a control with its label."""
        key = f"explorer-{self.name}-{control.name}"
        names = [html.escape(position) for position in control.positions]
        label = f'<label for="{key}">{html.escape(control.label)}</label>'
        if control.listed:
            options = "".join(
                f'<option value="{place}"{" selected" if place == control.start else ""}>'
                f"{name}</option>"
                for place, name in enumerate(names)
            )
            return (
                f'<p>{label}<select id="{key}" data-control="{control.name}">{options}</select></p>'
            )
        return (
            f'<p>{label}<input type="range" id="{key}" data-control="{control.name}" min="0" '
            f'max="{len(names) - 1}" step="1" value="{control.start}" '
            f'aria-valuetext="{names[control.start]}">'
            f'<output for="{key}">{names[control.start]}</output></p>'
        )


def equals(p_value: float, decimals: int) -> str:
    """Write a P-value after the letter P.

    Examples
    --------
    >>> equals(0.01148, 4), equals(1e-9, 4), equals(float("nan"), 4)
    ('= 0.0115', '<0.0001', 'not defined')
    """
    written = prose.p_value(p_value, decimals)
    return f"= {written}" if written[0].isdigit() else written


def _styled(chart: Drawn) -> Drawn:
    """Give a chart the look of the book's figures."""
    axis = {
        "domainColor": GREY,
        "tickColor": GREY,
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12.5,
        "titleFontWeight": "normal",
        "titlePadding": 8,
        "grid": False,
    }
    return (
        chart.properties(
            width="container",
            background="transparent",
            autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        )
        .configure(
            font="sans-serif", aria=False, padding={"left": 2, "right": 8, "top": 6, "bottom": 4}
        )
        .configure_view(stroke=None)
        .configure_axis(**axis)
        .configure_text(fontSize=12, color=INK)
        .configure_legend(
            orient="top", title=None, labelFontSize=12, labelColor=INK, labelLimit=0, offset=4
        )
    )


def _still(spec: dict[str, Any], name: str) -> str:
    """Draw a chart as it starts; the ids within are made unique on the page."""
    drawn = vl_convert.vegalite_to_svg({**spec, "width": _STILL_WIDTH})
    drawn = drawn.replace("<svg", '<svg aria-hidden="true"', 1)
    return re.sub(r'(\bid="|url\(["\']?#)', rf"\g<1>{name}-", drawn)
