"""Figures of how far an assumption must fail before a reading changes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rdmas.show import prose
from rdmas.show.figures._style import GREEN, GREY, INK, LIGHT, PALE_GREEN, YELLOW, new_axes
from rdmas.stats.significance import significant

# The colours of the arms are left to the arms.
_SHADES = (INK, GREEN, YELLOW, GREY)


def plot_probability_better(curves: pd.DataFrame, margins: tuple[float, ...]) -> Axes:
    """Draw the probability that one arm is better by more than a margin, against the margin.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns ``prior``, ``margin`` (difference of two proportions) and ``probability``.
    margins : tuple of float
        Margins at which the probability under the first prior is written.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(height=3.8)
    for (prior, curve), colour in zip(curves.groupby("prior", sort=False), _SHADES, strict=False):
        ax.plot(curve["margin"], curve["probability"], color=colour, linewidth=2.2, label=prior)
    first = curves[curves["prior"] == curves["prior"].iloc[0]]
    for place, margin in enumerate(margins):
        height = np.interp(margin, first["margin"], first["probability"])
        ax.scatter(margin, height, color=_SHADES[0], s=50, zorder=3)
        points = prose.decimal(100 * margin, 0)
        # The first points lie close together at the top; their texts are stacked.
        ax.annotate(
            f"more than {points} points: {prose.percent(height, 1)}",
            (margin, height),
            xytext=(9, max(24 - 12 * place, 3)),
            textcoords="offset points",
            fontsize=10,
        )
    ax.axvline(0, color=INK, linewidth=1, linestyle="--", zorder=0)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.16, 0), title="prior of each arm")
    ax.set(
        xlabel="Difference in percentage points, more than",
        ylabel="Posterior probability",
        ylim=(0, 1.16),
        xlim=(curves["margin"].min(), curves["margin"].max()),
    )
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: prose.decimal(100 * value, 0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: prose.percent(value)))
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
        each test.
    published : tuple of int
        Events in arm a and arm b of the published table.
    arms : tuple of str
        Names of arms a and b.
    event : str
        What is counted, in the plural.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(height=5.6)
    n_tests = tables["test"].nunique()
    found = tables.groupby(["events_b", "events_a"])["significant"].sum().unstack("events_a")
    # Three states: no test, some tests, all tests.
    state = np.where(found == n_tests, 2, np.where(found > 0, 1, 0))
    colours = (LIGHT, PALE_GREEN, GREEN)
    ax.pcolormesh(
        np.arange(found.shape[1] + 1) - 0.5,
        np.arange(found.shape[0] + 1) - 0.5,
        state,
        cmap=ListedColormap(colours),
        vmin=0,
        vmax=2,
        edgecolors="white",
        linewidth=0.6,
    )
    events_a, events_b = published
    ax.add_patch(
        Rectangle((events_a - 0.5, events_b - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=2.6)
    )
    ax.annotate(
        "published",
        (events_a + 0.5, events_b),
        xytext=(62, 0),
        textcoords="offset points",
        va="center",
        fontsize=10.5,
        fontweight="bold",
        arrowprops={"arrowstyle": "->", "color": INK},
        bbox={"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none"},
    )
    ax.set_aspect("equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True, nbins=11))
    ax.set(xlabel=f"{event.capitalize()}, {arms[0]}", ylabel=f"{event.capitalize()}, {arms[1]}")
    words = ("not significant in any", "in some", f"significant in all of {n_tests} tests")
    for place, (text, colour) in enumerate(zip(words, colours, strict=True)):
        y = 1.16 - 0.055 * place
        ax.add_patch(
            Rectangle(
                (0, y - 0.018),
                0.036,
                0.036,
                transform=ax.transAxes,
                facecolor=colour,
                edgecolor=GREY,
                clip_on=False,
            )
        )
        ax.text(0.06, y, text, transform=ax.transAxes, va="center", fontsize=9.5)
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

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(height=3.9)
    ax.fill_between(
        curve["weight"], curve["low"], curve["high"], color=GREY, alpha=0.35, linewidth=0
    )
    ax.plot(curve["weight"], curve["estimate"], color=INK, linewidth=2.4)
    ax.axhline(0, color=INK, linewidth=1, linestyle="--")
    ax.text(1, 0, "no difference ", ha="right", va="bottom", fontsize=9.5)
    if tipping_weight is not None:
        ax.axvline(tipping_weight, color=INK, linewidth=1.6, linestyle=":")
        weight = prose.percent(tipping_weight)
        ax.annotate(
            f"the interval includes zero\nat a weight of {weight} or less",
            (tipping_weight, curve["high"].max()),
            xytext=(7, 0),
            textcoords="offset points",
            va="top",
            fontsize=10,
        )
    ax.set(
        xlabel="Weight of the historical controls",
        ylabel=label,
        xlim=(0, 1),
        ylim=(min(curve["low"].min(), 0) - 0.03, curve["high"].max() + 0.03),
    )
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: prose.percent(value)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: prose.decimal(100 * value, 0)))
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

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(height=4.3)
    # Ratios that no trait can explain have no curve.
    top = curves["with_group"].max() if len(curves) else 10.0
    for (name, curve), colour in zip(curves.groupby("curve", sort=False), _SHADES, strict=False):
        ax.plot(curve["with_group"], curve["with_outcome"], color=colour, linewidth=2.4)
        for e_value in e_values.loc[e_values["curve"] == name, "e_value"]:
            ax.scatter(e_value, e_value, color=colour, s=60, zorder=3)
            ax.annotate(
                f"{name}:\nE-value {prose.decimal(e_value, 1)}",
                (e_value, e_value),
                xytext=(9, 7),
                textcoords="offset points",
                fontsize=10,
                color=colour,
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

    Returns
    -------
    matplotlib.axes.Axes
    """
    table = grid.pivot(index="wrong_b", columns="wrong_a", values="p_value")
    ax = new_axes(height=0.55 * len(table) + 1.2)
    ax.pcolormesh(
        np.arange(table.shape[1] + 1) - 0.5,
        np.arange(table.shape[0] + 1) - 0.5,
        significant(table, alpha).astype(int),
        cmap=ListedColormap((LIGHT, PALE_GREEN)),
        vmin=0,
        vmax=1,
        edgecolors="white",
        linewidth=1.2,
    )
    for cell in grid.sort_values(["wrong_b", "wrong_a"]).to_dict("records"):
        ax.text(
            cell["wrong_a"],
            cell["wrong_b"],
            prose.p_value(cell["p_value"], 3),
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold" if significant(cell["p_value"], alpha) else "normal",
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=f"Outcomes wrong, {arms[0]}", ylabel=f"Outcomes wrong, {arms[1]}")
    return ax
