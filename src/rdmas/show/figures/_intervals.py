"""Figures of estimates with their intervals."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from rdmas.show import prose
from rdmas.show.figures._style import (
    GREY,
    INK,
    LIGHT,
    bar,
    named_rows,
    new_axes,
    wrapped,
)

# Letters of a name beside its row.
_NAME = 22


def plot_intervals(
    intervals: pd.DataFrame,
    label: str,
    colour: str = INK,
    as_percent: bool = True,
    reference: float | None = None,
    logarithmic: bool = False,
) -> Axes:
    """Draw estimates with their intervals, one row each.

    Parameters
    ----------
    intervals : pandas.DataFrame
        Columns ``name``, ``estimate``, ``low``, ``high``; optional ``colour``.
    label : str
        Label of the value axis.
    colour : str
        Colour where the frame has none.
    as_percent : bool, default True
        Whether values are proportions to be shown as percentages.
    reference : float, optional
        A value to mark, such as that of no difference.
    logarithmic : bool, default False
        Whether the axis is logarithmic, for ratios. Infinite limits reach the edge.
    """

    def write(value: float) -> str:
        return prose.percent(value) if as_percent else prose.decimal(value, 2)

    items = intervals.to_dict("records")
    values = [f"{write(item['low'])} to {write(item['high'])}" for item in items]
    ax, rows = _beside(intervals["name"], values)
    if reference is not None:
        ax.axvline(reference, color=INK, linewidth=1.0, linestyle="--", zorder=0)
    for row, item in zip(rows, items, strict=True):
        shade = item.get("colour", colour)
        bar(ax, row, item["low"], item["high"], color=shade, linewidth=3)
        ax.scatter(item["estimate"], row, color=shade, s=55, zorder=3)
    ax.set(xlabel=label)
    if as_percent:
        few = bool(ax.get_yticklabels())
        _percent_axis(ax, intervals["low"].min(), intervals["high"].max(), 4 if few else 7)
    elif logarithmic:
        _ratio_axis(ax, intervals["low"].min(), intervals["high"].max())
    return ax


def _beside(names: pd.Series, values: Sequence[str]) -> tuple[Axes, NDArray]:
    """Return axes and rows: names on the left if they are short, values on the right."""
    names = names.map(lambda name: " ".join(str(name).split()))
    if any(wrapped(name, _NAME + 2) != name for name in names):
        return named_rows(names, values)
    ax = new_axes(height=0.3 * len(names) + 0.75)
    ax.set_yticks(range(len(names)), names)
    for row, value in enumerate(values):
        ax.text(1.04, row, value, va="center", transform=ax.get_yaxis_transform())
    ax.tick_params(axis="y", length=0)
    ax.set(ylabel="", ylim=(len(names) - 0.4, -0.6))
    return ax, np.arange(len(names))


def plot_forest(rows: pd.DataFrame, label: str) -> Axes:
    """Draw cohorts and their summaries, section by section.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``section`` (heading; rows of a section stand together), ``name``, ``text`` (what
        stands on the right), ``estimate``, ``low``, ``high`` (proportions), ``kind`` (``cohort``:
        a square, larger for more patients; ``summary``: a diamond from limit to limit;
        ``prediction``: a bar without a point), ``n`` and ``colour``.
    label : str
        Label of the value axis.
    """
    sections = rows.groupby("section", sort=False)
    labels = rows["name"].map(lambda name: wrapped(str(name), _NAME))
    texts = rows["text"].map(lambda text: wrapped(str(text), 14))
    lines = 1 + labels.str.count("\n").combine(texts.str.count("\n"), max)
    ax = new_axes(0.26 * (lines.sum() + 1.5 * len(sections)) + 0.75)
    style = {"transform": ax.get_yaxis_transform(), "va": "center"}
    line, places = 0.0, []
    for section, members in sections:
        # Headings are longer than names; they have their line to themselves.
        ax.text(1.02, line, str(section), style, ha="right", fontweight="bold")
        line += 1
        for at, row in zip(members.index, members.to_dict("records"), strict=True):
            line += (lines[at] - 1) / 2
            _draw_row(ax, line, row)
            ax.text(1.02, line, texts[at], style)
            places.append(line)
            line += (lines[at] + 1) / 2
        line += 0.5
    ax.set_yticks(places, labels)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=label, ylabel="", ylim=(line - 0.2, -0.8))
    ticks = np.linspace(0, 1, 5)
    ax.set_xlim(0, 1)
    ax.set_xticks(ticks, [prose.percent(tick) if tick in (0, 0.5, 1) else "" for tick in ticks])
    ax.grid(axis="x", color=LIGHT, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.spines["left"].set_visible(False)
    return ax


def _draw_row(ax: Axes, line: float, row: dict) -> None:
    low, estimate, high, colour = (row[key] for key in ("low", "estimate", "high", "colour"))
    if row["kind"] == "summary":
        corners = [line, line - 0.36, line, line + 0.36]
        ax.fill([low, estimate, high, estimate], corners, color=colour, zorder=3)
    elif row["kind"] == "prediction":
        bar(ax, line, low, high, color=colour, linewidth=7, alpha=0.55)
    else:
        bar(ax, line, low, high, color=colour, linewidth=1.6, alpha=1)
        size = 10 + 0.55 * min(row["n"], 200)
        ax.scatter(estimate, line, marker="s", s=size, color=colour, zorder=3)


def _percent_axis(ax: Axes, low: float, high: float, most: int) -> None:
    """Show proportions as percentages, with at most so many ticks."""
    right = max(min(1.0, high + 0.03), 0.1)
    for step in (0.05, 0.1, 0.2, 0.25, 0.5):
        left = np.floor(min(0, low) / step + 1e-9) * step
        ticks = np.arange(left, right + 1e-9, step)
        if len(ticks) <= most:
            break
    ax.set_xlim(left, right)
    ax.set_xticks(ticks, [prose.percent(tick) for tick in ticks])


def _ratio_axis(ax: Axes, low: float, high: float) -> None:
    """Use a logarithmic axis with plain numbers, wide enough for the text beside the intervals."""
    ax.set_xscale("log")
    high = high if np.isfinite(high) else 1e3
    ax.set_xlim(low / 1.3 if low > 0 else 1e-3, high * 1.3)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.tick_params(axis="x", color=GREY)
