"""Figures of estimates with their intervals."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from rdmas.show import prose
from rdmas.show.figures._style import BLUE, GREY, INK, LIGHT, bar, new_axes, note


def plot_intervals(
    intervals: pd.DataFrame,
    label: str,
    colour: str = BLUE,
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
    ax = new_axes(height=0.44 * len(intervals) + 1.0, labels_inside=True)

    def write(value: float) -> str:
        return prose.percent(value) if as_percent else prose.decimal(value, 2)

    if reference is not None:
        ax.axvline(reference, color=INK, linewidth=1.0, linestyle="--", zorder=0)
    for row, item in enumerate(intervals.to_dict("records")):
        shade = item.get("colour", colour)
        bar(ax, row, item["low"], item["high"], color=shade, linewidth=3)
        ax.scatter(item["estimate"], row, color=shade, s=55, zorder=3)
        note(
            ax,
            f"{write(item['low'])} to {write(item['high'])}",
            (item["high"], row),
            (7, 0),
            va="center",
            # A text may cross the reference line; on white it stays readable.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    ax.set_yticks(range(len(intervals)), intervals["name"])
    ax.set(xlabel=label, ylabel="", ylim=(len(intervals) - 0.4, -0.6))
    if as_percent:
        _percent_axis(ax, min(0, intervals["low"].min()), intervals["high"].max())
    elif logarithmic:
        _ratio_axis(ax, intervals["low"].min(), intervals["high"].max())
    return ax


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
    ax = new_axes(0.3 * (len(rows) + 1.4 * len(sections)) + 0.8, labels_inside=True)
    style = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 10.5}
    line, places, names = 0.0, [], []
    for section, members in sections:
        ax.text(-0.02, line, str(section), style, ha="right", fontweight="bold")
        line += 1
        for row in members.to_dict("records"):
            _draw_row(ax, line, row)
            ax.text(1.02, line, row["text"], style)
            places.append(line)
            names.append(row["name"])
            line += 1
        line += 0.4
    ax.set_yticks(places, names, fontsize=10.5)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=label, ylabel="", ylim=(line - 0.2, -0.8))
    _percent_axis(ax, 0, 1)
    ax.set_xticks(np.linspace(0, 1, 6), [prose.percent(tick) for tick in np.linspace(0, 1, 6)])
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


def _percent_axis(ax: Axes, low: float, high: float) -> None:
    """Show proportions as percentages, with room for the text beside the longest interval."""
    right = max(min(1.0, high * 1.25), 0.2)
    step = 0.1 if right - low <= 0.6 else 0.2
    left = np.floor(low / step + 1e-9) * step
    ticks = np.arange(left, right + 1e-9, step)
    ax.set_xlim(left, right)
    ax.set_xticks(ticks, [prose.percent(tick) for tick in ticks])


def _ratio_axis(ax: Axes, low: float, high: float) -> None:
    """Use a logarithmic axis with plain numbers, wide enough for the text beside the intervals."""
    ax.set_xscale("log")
    high = high if np.isfinite(high) else 1e3
    ax.set_xlim(low / 1.3 if low > 0 else 1e-3, high * 6)
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.tick_params(axis="x", color=GREY)
