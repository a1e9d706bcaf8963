"""Figures of how far an assumption must fail before a reading changes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from rdmas.show import prose
from rdmas.show.figures._style import (
    GREEN,
    GREY,
    INK,
    LIGHT,
    PALE_GREEN,
    PLACES,
    PURPLE,
    as_percent,
    left_out,
    lettering,
    moved,
    new_axes,
    note,
    plain,
)
from rdmas.stats.significance import significant

# The colours of the arms are left to the arms.
_SHADES = (INK, GREEN, PURPLE, GREY)


def plot_probability_better(curves: pd.DataFrame, margins: tuple[float, ...]) -> Axes:
    """Draw the probability that one arm is better by more than a margin, against the margin.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns ``prior``, ``margin`` (difference of two proportions) and ``probability``.
    margins : tuple of float
        Margins at which the probability under the first prior is written.
    """
    ax = new_axes(height=3.8)
    for (prior, curve), colour in zip(curves.groupby("prior", sort=False), _SHADES, strict=False):
        ax.plot(curve["margin"], curve["probability"], color=colour, linewidth=2.2, label=prior)
    first = curves[curves["prior"] == curves["prior"].iloc[0]]
    for place, margin in enumerate(margins):
        height = np.interp(margin, first["margin"], first["probability"])
        ax.scatter(margin, height, color=_SHADES[0], s=50, zorder=3)
        points = prose.decimal(100 * margin, 0)
        # The points may lie close together; their texts stand below each other in a corner.
        words = f"more than {points} points: {prose.percent(height, 1)}"
        ax.text(1, 1, words, ha="right", va="top", transform=moved(ax, ax.transAxes, y=-17 * place))
    ax.axvline(0, color=INK, linewidth=1, linestyle="--", zorder=0)
    ax.legend(
        facecolor="white",
        edgecolor="none",
        framealpha=1,
        loc="lower left",
        title="prior of each arm",
    )
    ax.set(
        xlabel="Difference in percentage points, more than",
        ylabel="Posterior probability",
        ylim=(0, 1.16),
        xlim=(curves["margin"].min(), curves["margin"].max()),
    )
    _in_points(ax.xaxis)
    as_percent(ax.yaxis)
    return ax


def plot_significance_map(
    tables: pd.DataFrame,
    published: tuple[int, int],
    arms: tuple[str, ...],
    event: str,
) -> Axes:
    """Draw for every possible table which of several tests find it significant.

    Parameters
    ----------
    tables : pandas.DataFrame
        Columns ``events_a``, ``events_b``, ``test`` and ``significant``; every table once for
        each test. Empty if there are too many.
    published : tuple of int
        Events in arm a and arm b of the published table.
    arms : tuple of str
        Names of arms a and b.
    event : str
        What is counted, in the plural.
    """
    if tables.empty:
        return left_out("Results that two arms of this size can have: too many to draw")
    ax = new_axes(height=5.6)
    n_tests = tables["test"].nunique()
    found = tables.groupby(["events_b", "events_a"])["significant"].sum().unstack("events_a")
    # Three states: no test, some tests, all tests.
    state = np.where(found == n_tests, 2, np.where(found > 0, 1, 0))
    colours = (LIGHT, PALE_GREEN, GREEN)
    _squares(ax, state, colours, linewidth=0.6)
    events_a, events_b = published
    ax.add_patch(
        Rectangle((events_a - 0.5, events_b - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=2.6)
    )
    note(
        ax,
        "published",
        (events_a + 0.5, events_b),
        (40, 0),
        va="center",
        fontweight="bold",
        arrowprops={"arrowstyle": "->", "color": INK},
        bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none"},
    )
    ax.set_aspect("equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=11))
    named = [plain(arm, place, width=30) for arm, place in zip(arms, PLACES, strict=True)]
    ax.set(xlabel=f"{event.capitalize()}, {named[0]}", ylabel=f"{event.capitalize()}, {named[1]}")
    words = ("not significant in any", "in some", f"significant in all of {n_tests} tests")
    for place, (text, colour) in enumerate(zip(words, colours, strict=True)):
        at = moved(ax, ax.transAxes, x=6, y=45 - 17 * place)
        ax.scatter(0, 1, 90, colour, marker="s", edgecolors=GREY, transform=at, clip_on=False)
        ax.text(0, 1, text, transform=moved(ax, at, x=12), va="center")
    return ax


def plot_discount(curve: pd.DataFrame, tipping_weight: float | None, label: str) -> Axes:
    """Draw a difference between arms as the weight of the control arm goes from none to full.

    Parameters
    ----------
    curve : pandas.DataFrame
        Columns ``weight`` (0 to 1), ``estimate``, ``low``, ``high`` (differences of two
        proportions).
    tipping_weight : float or None
        Weight at which the interval begins to include no difference; None if it never does.
    label : str
        Label of the difference.
    """
    ax = new_axes(height=3.9)
    ax.fill_between(
        curve["weight"], curve["low"], curve["high"], color=GREY, alpha=0.35, linewidth=0
    )
    ax.plot(curve["weight"], curve["estimate"], color=INK, linewidth=2.4)
    ax.axhline(0, color=INK, linewidth=1, linestyle="--")
    ax.text(1, 0, "no difference ", ha="right", va="bottom")
    if tipping_weight is not None:
        ax.axvline(tipping_weight, color=INK, linewidth=1.6, linestyle=":")
        weight = prose.percent(tipping_weight)
        words = f"the interval includes zero\nat a weight of {weight} or less"
        note(ax, words, (tipping_weight, curve["high"].max()), (7, 0), va="top")
    ax.set(
        xlabel="Weight of the historical controls",
        ylabel=label,
        xlim=(0, 1),
        ylim=(min(curve["low"].min(), 0) - 0.03, curve["high"].max() + 0.03),
    )
    as_percent(ax.xaxis)
    _in_points(ax.yaxis)
    return ax


def plot_bounding_curves(curves: pd.DataFrame, e_values: pd.DataFrame) -> Axes:
    """Draw how strong an unmeasured confounder must be, in both of its associations.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns ``curve`` (its name), ``with_group`` and ``with_outcome``: pairs of risk ratios
        that just suffice.
    e_values : pandas.DataFrame
        Columns ``curve`` and ``e_value``: the point of each curve at which both are equal.
    """
    ax = new_axes(height=4.3)
    # Ratios that no trait can explain have no curve.
    top = curves["with_group"].max() if len(curves) else 10.0
    for (name, curve), colour in zip(curves.groupby("curve", sort=False), _SHADES, strict=False):
        ax.plot(curve["with_group"], curve["with_outcome"], color=colour, linewidth=2.4)
        for e_value in e_values.loc[e_values["curve"] == name, "e_value"]:
            ax.scatter(e_value, e_value, color=colour, s=60, zorder=3)
            note(
                ax,
                f"{name}:\nE-value {prose.decimal(e_value, 1)}",
                (e_value, e_value),
                (9, 7),
                color=lettering(colour),
                fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )
    ax.plot([1, top], [1, top], color=GREY, linewidth=0.9, linestyle=":")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 50, 100, 200) if tick <= top]
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ticks)
        axis.set_ticks([], minor=True)
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set(
        xlim=(1, top),
        ylim=(1, top),
        xlabel="Risk ratio of the hidden trait between the arms",
        ylabel="Risk ratio of death with the trait",
    )
    return ax


def plot_wrong_outcomes(grid: pd.DataFrame, alpha: float, arms: tuple[str, ...]) -> Axes:
    """Draw P after some outcomes of each arm are taken to have been recorded wrongly.

    Parameters
    ----------
    grid : pandas.DataFrame
        Columns ``wrong_a``, ``wrong_b`` and ``p_value``.
    alpha : float
        Significance level.
    arms : tuple of str
        Names of arms a and b.
    """
    table = grid.pivot(index="wrong_b", columns="wrong_a", values="p_value")
    ax = new_axes(height=0.55 * len(table) + 1.2)
    below = np.asarray(significant(table, alpha))
    _squares(ax, below.astype(int), (LIGHT, PALE_GREEN), linewidth=1.2)
    style = {"ha": "center", "va": "center"}
    for (row, column), p_value in np.ndenumerate(table.to_numpy()):
        weight = "bold" if below[row, column] else "normal"
        ax.text(column, row, prose.p_value(p_value, 3), style, fontweight=weight)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    named = [plain(arm, place, width=30) for arm, place in zip(arms, PLACES, strict=True)]
    ax.set(xlabel=f"Outcomes wrong, {named[0]}", ylabel=f"Outcomes wrong, {named[1]}")
    return ax


def _squares(ax: Axes, states: ArrayLike, colours: Sequence[str], linewidth: float) -> None:
    """Draw a square for each state, counted from 0, in its colour."""
    rows, columns = np.shape(states)
    ax.pcolormesh(
        np.arange(columns + 1) - 0.5,
        np.arange(rows + 1) - 0.5,
        states,
        cmap=ListedColormap(colours),
        vmin=0,
        vmax=len(colours) - 1,
        edgecolors="white",
        linewidth=linewidth,
    )


def _in_points(axis: Axis) -> None:
    """Number an axis of differences in percentage points."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: prose.decimal(100 * value, 0)))
