"""Figures of a reader's cohort: what is known of it, and doses."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rdmas.show import prose
from rdmas.show.figures._style import GREY, LIGHT, as_percent, bar, new_axes, note


def plot_completeness(rows: pd.DataFrame) -> Axes:
    """Draw the share of patients whose value is known, for each column and arm.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``name`` (of the column; its arms stand together), ``arm``, ``known``,
        ``patients`` and ``colour``.
    """
    names, arms = list(dict.fromkeys(rows["name"])), list(dict.fromkeys(rows["arm"]))
    ax = new_axes(height=(0.16 + 0.22 * len(arms)) * len(names) + 1.1, labels_inside=True)
    step = 0.8 / len(arms)
    for row in rows.to_dict("records"):
        place = names.index(row["name"]) + step * (arms.index(row["arm"]) - (len(arms) - 1) / 2)
        share = row["known"] / row["patients"]
        ax.barh(place, 1, height=0.85 * step, color=LIGHT, alpha=0.55)
        ax.barh(place, share, height=0.85 * step, color=row["colour"])
        text = prose.out_of(row["known"], row["patients"])
        note(ax, text, (1, place), (5, 0), va="center", fontsize=9, annotation_clip=False)
    for arm, colour in zip(arms, dict.fromkeys(rows["colour"]), strict=True):
        # Beyond the axes, so that the row of names says what the colours are.
        ax.plot([], [], color=colour, linewidth=6, label=arm)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderpad=0)
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel="Patients whose value is known", xlim=(0, 1), ylim=(len(names) - 0.45, -0.55))
    ax.spines["left"].set_visible(False)
    as_percent(ax.xaxis)
    return ax


def plot_values(values: pd.DataFrame, label: str) -> Axes:
    """Draw every value of each group as a point, and the median of the group as a line.

    Parameters
    ----------
    values : pandas.DataFrame
        Columns ``name`` (of the group), ``value`` and ``colour``; the order of values within a
        group is not drawn.
    label : str
        Label of the axis of values.
    """
    groups = values.groupby("name", sort=False)
    ax = new_axes(height=0.75 * len(groups) + 0.9, labels_inside=True)
    names = []
    for row, (name, mine) in enumerate(groups):
        sorted_values = np.sort(mine["value"].to_numpy())
        # Neighbours in size stand apart; a patient has the same place in no other group.
        heights = row + 0.6 * ((np.arange(len(mine)) * 0.618034) % 1 - 0.5)
        shade = {"color": mine["colour"].iloc[0], "linewidths": 0}
        ax.scatter(sorted_values, heights, s=22, alpha=0.55 if len(mine) < 300 else 0.2, **shade)
        _median(ax, row, float(np.median(sorted_values)))
        names.append(f"{name}\nn = {prose.count(len(mine))}")
    return _doses(ax, names, label)


def plot_quartiles(rows: pd.DataFrame, label: str) -> Axes:
    """Draw each group from its lower to its upper quartile, with its median.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``name``, ``n``, ``lower_quartile``, ``median``, ``upper_quartile`` and ``colour``.
    label : str
        Label of the axis of values.
    """
    ax = new_axes(height=0.75 * len(rows) + 0.9, labels_inside=True)
    for row, group in enumerate(rows.to_dict("records")):
        ends = group["lower_quartile"], group["upper_quartile"]
        bar(ax, row, *ends, color=group["colour"], linewidth=18, alpha=0.45)
        _median(ax, row, group["median"])
    names = [
        f"{name}\nn = {prose.count(n)}" for name, n in zip(rows["name"], rows["n"], strict=True)
    ]
    return _doses(ax, names, label)


def _median(ax: Axes, row: float, median: float) -> None:
    ax.plot([median, median], [row - 0.36, row + 0.36], color="black", linewidth=2.6, zorder=4)
    note(ax, prose.decimal(median, 2), (median, row - 0.36), (0, 2), ha="center", fontsize=9.5)


def _doses(ax: Axes, names: list[str], label: str) -> Axes:
    """Name the groups of an axis of doses, which begins at zero."""
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(axis="y", length=0)
    ax.set(xlabel=label, ylabel="", ylim=(len(names) - 0.45, -0.75))
    ax.set_xlim(0, max(ax.get_xlim()[1], 0.1))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.tick_params(axis="x", color=GREY)
    ax.spines["left"].set_visible(False)
    return ax
