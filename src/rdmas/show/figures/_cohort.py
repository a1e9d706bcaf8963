"""Figures of a reader's cohort: what is known of it, and doses."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rdmas.show import prose
from rdmas.show.figures._style import (
    GREY,
    INK,
    LIGHT,
    PLACES,
    as_percent,
    bar,
    moved,
    named_rows,
    plain,
)


def plot_completeness(rows: pd.DataFrame) -> Axes:
    """Draw the share of patients whose value is known, for each column and arm.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``name`` (of the column; its arms stand together), ``arm``, ``known``,
        ``patients`` and ``colour``.
    """
    names, arms = list(dict.fromkeys(rows["name"])), list(dict.fromkeys(rows["arm"]))
    ax, rows_at = named_rows(names, more=17 * (len(arms) - 1))
    for row in rows.to_dict("records"):
        # From the row upwards, the first arm on top.
        place = rows_at[names.index(row["name"])] - 17 * (len(arms) - 1 - arms.index(row["arm"]))
        share = row["known"] / row["patients"]
        ax.barh(place, 1, height=12, color=LIGHT, alpha=0.55)
        ax.barh(place, share, height=12, color=row["colour"])
        text = prose.out_of(row["known"], row["patients"])
        ax.text(1.02, place, text, va="center", transform=ax.get_yaxis_transform())
    colours = list(dict.fromkeys(rows["colour"]))
    for line, (arm, colour, other) in enumerate(zip(arms, colours, PLACES, strict=False)):
        # Above the axes, so that the row of names says what the colours are.
        up = 17 * (len(arms) - line)
        ax.plot(
            [0], [1], "s", color=colour, clip_on=False, transform=moved(ax, ax.transAxes, 6, up)
        )
        at = moved(ax, ax.transAxes, 18, up)
        ax.text(0, 1, plain(arm, other, width=36), va="center", transform=at)
    ax.set(xlabel="Patients whose value is known", xlim=(0, 1))
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
    medians = [float(mine["value"].median()) for _, mine in groups]
    names = [_with_n(str(name), len(mine)) for name, mine in groups]
    written = [f"median {prose.decimal(median, 2)}" for median in medians]
    ax, places = named_rows(names, written, more=12)
    for (_, mine), place, median in zip(groups, places, medians, strict=True):
        sorted_values = np.sort(mine["value"].to_numpy())
        # Neighbours in size stand apart; a patient has the same place in no other group.
        heights = place + 26 * ((np.arange(len(mine)) * 0.618034) % 1 - 0.5)
        shade = {"color": mine["colour"].iloc[0], "linewidths": 0}
        many = len(mine) >= 300
        # A mark for each of thousands would be slow to load; so they are a picture in the picture.
        ax.scatter(
            sorted_values, heights, s=22, alpha=0.2 if many else 0.55, rasterized=many, **shade
        )
        _median(ax, place, median)
    return _doses(ax, label)


def plot_quartiles(rows: pd.DataFrame, label: str) -> Axes:
    """Draw each group from its lower to its upper quartile, with its median.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``name``, ``n``, ``lower_quartile``, ``median``, ``upper_quartile`` and ``colour``.
    label : str
        Label of the axis of values.
    """
    names = [_with_n(name, n) for name, n in zip(rows["name"], rows["n"], strict=True)]
    medians = [f"median {prose.decimal(median, 2)}" for median in rows["median"]]
    ax, places = named_rows(names, medians, more=8)
    for place, group in zip(places, rows.to_dict("records"), strict=True):
        ends = group["lower_quartile"], group["upper_quartile"]
        bar(ax, place, *ends, color=group["colour"], linewidth=16, alpha=0.45)
        _median(ax, place, group["median"])
    return _doses(ax, label)


def _with_n(name: str, n: int) -> str:
    return f"{name}, n = {prose.count(n)}"


def _median(ax: Axes, place: float, median: float) -> None:
    ax.plot([median, median], [place - 12, place + 12], color=INK, linewidth=2.6, zorder=4)


def _doses(ax: Axes, label: str) -> Axes:
    """Let an axis of doses begin at zero."""
    ax.set(xlabel=label)
    ax.set_xlim(0, max(ax.get_xlim()[1], 0.1))
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    ax.tick_params(axis="x", color=GREY)
    return ax
