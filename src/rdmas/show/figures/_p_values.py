"""Figures of P-values against the printed one.

``reported`` is the printed number: values that round to it are shaded or emphasised. ``alpha`` is
the significance level, drawn as a line.
"""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rdmas.show import prose
from rdmas.show.figures._style import (
    ARM_COLOURS,
    BLUE,
    GREEN,
    GREY,
    INK,
    SKY,
    YELLOW,
    bar,
    left_out,
    new_axes,
    note,
)
from rdmas.stats import rounding
from rdmas.stats.significance import significant

_DARK_GREEN = "#00634A"  # GREEN, dark enough for letters

# P-values below the one are drawn at it; below the other only powers of ten are ticks.
_SMALLEST_DRAWN, _SMALLEST_DECADE = 1e-6, 0.0008

# Orders of deaths that a reader can look through.
_MOST_ROWS = 30


def _interval(reported: str) -> tuple[float, float]:
    """Return the smallest and the largest value that print as `reported`."""
    low, high = rounding.rounding_interval(reported)
    return float(low), float(high)


def _shade_printed(ax: Axes, reported: str, height: float) -> tuple[float, float]:
    """Shade the values that print as `reported`, name them at a height and return their ends."""
    low, high = _interval(reported)
    ax.axvspan(low, high, color=GREEN, alpha=0.25, linewidth=0)
    middle = np.sqrt(low * high) if ax.get_xscale() == "log" else (low + high) / 2
    style = {"ha": "center", "color": _DARK_GREEN, "fontsize": 10}
    ax.text(middle, height, f"prints as {reported}", style)
    return low, high


def plot_p_values(tests: pd.DataFrame, reported: str | None, alpha: float) -> Axes:
    """Draw the P-values of many tests against the printed one.

    Parameters
    ----------
    tests : pandas.DataFrame
        Columns ``test``, ``p_value`` and ``statistic``, by which they are grouped, and
        perhaps ``left_out``, why P was not computed; rows with an undefined P are left out. What is
        smaller than a millionth is drawn there.
    reported : str or None
        The printed number; None where none was printed: P-values below `alpha` are then dark.
    """
    reasons = tests["left_out"] if "left_out" in tests else pd.Series("", index=tests.index)
    not_computed = {why: tests.loc[reasons == why, "test"] for why in reasons[reasons != ""]}
    tests = tests.dropna(subset="p_value").reset_index(drop=True)
    families = list(dict.fromkeys(tests["statistic"]))
    # From the bottom up, with an empty row above each family for its name.
    family = tests["statistic"].map(families.index)
    place = len(tests) + len(families) - 2 - np.arange(len(tests)) - family.to_numpy()
    rows = len(tests) + len(families)
    ax = new_axes(height=0.27 * rows + 1.1)
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2)
    marked = GREEN if reported else INK
    marks = [
        rounding.reproduces(p_value, reported) if reported else significant(p_value, alpha)
        for p_value in tests["p_value"]
    ]
    drawn = tests["p_value"].clip(lower=_SMALLEST_DRAWN)
    ax.scatter(
        drawn,
        place,
        s=62,
        c=[marked if mark else "white" for mark in marks],
        edgecolors=[marked if mark else GREY for mark in marks],
        linewidths=1.8,
        zorder=3,
    )
    for row, p_value, x, mark in zip(place, tests["p_value"], drawn, marks, strict=True):
        crosses_line = alpha / 1.3 < p_value < alpha
        note(
            ax,
            prose.p_value(p_value, 5),
            (x, row),
            (-8 if crosses_line else 8, 0),
            va="center",
            ha="right" if crosses_line else "left",
            fontsize=9,
            fontweight="bold" if mark and reported else "normal",
        )
    ax.set_xscale("log")
    low_end, high_end = min(alpha, drawn.min()) * 0.8, max(alpha, drawn.max()) * 1.35
    decades = [10.0**power for power in range(-6, 1)]
    between = [0.002, 0.005, 0.02, 0.05, 0.2, 0.5] if low_end > _SMALLEST_DECADE else []
    shown = [tick for tick in sorted(decades + between) if low_end <= tick <= high_end]
    ax.set_xlim(low_end, high_end)
    ax.set_xticks(shown, [prose.decimal(tick, 6).rstrip("0").rstrip(".") for tick in shown])
    ax.minorticks_off()
    headings = {
        int(place[family == number].max()) + 1: name for number, name in enumerate(families)
    }
    ax.set_yticks([*place, *headings], [*tests["test"], *headings.values()], fontsize=9.5)
    for label in ax.get_yticklabels()[len(tests) :]:
        label.set_fontweight("bold")
    ax.tick_params(axis="y", length=0)
    for row in list(headings)[1:]:
        ax.axhline(row + 0.5, color=GREY, linewidth=0.6)
    axis = "Two-sided P (logarithmic axis)"
    for why, names in not_computed.items():
        axis += "\n" + textwrap.fill(f"{why}: {'; '.join(names)}", 70)
    ax.set(xlabel=axis, ylabel="", ylim=(-0.7, rows + 0.3))
    if reported:
        _shade_printed(ax, reported, rows - 0.35)
    ax.text(alpha * 0.97, rows - 0.35, f"{alpha:g}", ha="right", fontsize=10)
    return ax


def plot_orderings(orders: pd.DataFrame, reported: str, arms: Sequence[str]) -> Axes:
    """Draw each order of deaths as a row of marks with its log-rank P-value beside it.

    Of many orders some are drawn, evenly spread by P from the smallest to the largest.

    Parameters
    ----------
    orders : pandas.DataFrame
        From `rdmas.stats.logrank.orderings`: ``order`` in letters A (treatment) and B, ``p_value``.
        Empty if they are too many to list.
    arms : sequence of str
        Names of arms A and B.
    """
    if orders.empty:
        return left_out("Orders of deaths: too many to list")
    all_orders, orders = len(orders), spread_by_p(orders)
    ax = new_axes(height=0.38 * len(orders) + 1.3)
    n_deaths = len(orders["order"].iloc[0])
    marks = {"A": (150, ARM_COLOURS[0], "D"), "B": (75, ARM_COLOURS[1], "o")}
    style = {"va": "center", "fontsize": 10.5}
    for row, (order, p_value) in enumerate(zip(orders["order"], orders["p_value"], strict=True)):
        hit = rounding.reproduces(p_value, reported)
        if hit:
            ax.axhspan(row - 0.45, row + 0.45, color=GREEN, alpha=0.22, linewidth=0)
        for place, letter in enumerate(order, start=1):
            size, colour, marker = marks[letter]
            ax.scatter(place, row, s=size, color=colour, marker=marker, zorder=3)
        weight = "bold" if hit else "normal"
        ax.text(n_deaths + 0.8, row, prose.p_value(p_value, 5), style, fontweight=weight)
        if hit:
            ax.text(
                n_deaths + 3.0, row, f"→ {reported}", style, fontweight="bold", color=_DARK_GREEN
            )
    ax.text(n_deaths + 0.8, -0.95, "log-rank P", style, fontsize=10)
    ax.text(1, -0.95, f"◆ death, {arms[0]}", style, color=ARM_COLOURS[0])
    ax.text(5.2, -0.95, f"● death, {arms[1]}", style, color=ARM_COLOURS[1])
    label = "Order of deaths, first to last (not days)"
    if len(orders) < all_orders:
        label += f"\n{len(orders)} of {prose.count(all_orders)} orders, evenly spread by P"
    ax.set(
        xlim=(0.5, n_deaths + 4.9),
        ylim=(len(orders) - 0.4, -1.4),
        ylabel="",
        xlabel=label,
    )
    ax.set_xticks(range(1, n_deaths + 1, 1 + n_deaths // _MOST_ROWS))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return ax


def spread_by_p(orders: pd.DataFrame) -> pd.DataFrame:
    """Return at most 30 orders of deaths: all, or some that are evenly spread by their P."""
    if len(orders) <= _MOST_ROWS:
        return orders
    by_p = orders.sort_values("p_value", kind="stable").reset_index(drop=True)
    return by_p.iloc[np.linspace(0, len(by_p) - 1, _MOST_ROWS).round().astype(int)]


def plot_range_curve(curve: pd.DataFrame, reported: str, alpha: float) -> Axes:
    """Draw the attainable range of P against the number of early ends of follow-up.

    Parameters
    ----------
    curve : pandas.DataFrame
        From `rdmas.stats.logrank.p_range_curve`; empty if there is too much to search.
    """
    if curve.empty:
        return left_out("Orders of deaths and ends of follow-up: too many to search")
    ax = new_axes(height=4.0)
    floor = 1e-5
    low = curve["low"].clip(lower=floor)
    drawn = curve[curve["low"] >= floor]
    exact_line: dict[str, Any] = {"color": BLUE, "linewidth": 2.2, "marker": "o", "markersize": 4}
    ax.fill_between(curve["lost"], low, curve["high"], color=SKY, alpha=0.45, linewidth=0)
    bound = curve["high_is_bound"].astype(bool)
    exact = curve[~bound]
    ax.plot(exact["lost"], exact["high"], **exact_line)
    # One step back, so that the dashed edge starts where the exact one ends.
    beyond_exact = curve[bound | bound.shift(-1, fill_value=False)]
    ax.plot(beyond_exact["lost"], beyond_exact["high"], color=BLUE, linewidth=1.6, linestyle="--")
    ax.plot(drawn["lost"], drawn["low"], **exact_line)
    ax.axhline(alpha, color=INK, linestyle="--", linewidth=1.2)
    low_print, high_print = _interval(reported)
    ax.axhspan(low_print, high_print, color=GREEN, alpha=0.6, linewidth=0)
    last = curve["lost"].max()
    ax.text(last, alpha * 1.12, f"{alpha:g}", ha="right", fontsize=10)
    ax.text(
        last, high_print * 1.1, f"prints as {reported}", ha="right", color=_DARK_GREEN, fontsize=10
    )
    beyond = curve[curve["high"].notna() & ~significant(curve["high"], alpha)]
    if not beyond.empty:
        first = beyond.iloc[0]
        words = f"from {first['lost']:.0f} early ends on,\nP of {alpha:g} is possible"
        arrow = {"arrowstyle": "->", "color": INK}
        place = first["lost"], first["high"]
        note(ax, words, place, (-12, 36), ha="center", arrowprops=arrow)
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        xlim=(0, last),
        ylim=(floor, 1.6),
        xlabel="Survivors whose follow-up ended before the last death, at most",
        ylabel="Log-rank P (logarithmic axis)",
    )
    return ax


def plot_attainable(rows: pd.DataFrame, reported: str, alpha: float) -> Axes:
    """Draw the P-values that each test and assumption could have printed.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``name``, ``low``, ``high`` (equal for a single value) and ``prints`` (whether
        the printed value is among them).
    """
    ax = new_axes(height=0.34 * len(rows) + 1.2)
    floor = 0.001
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2)
    for row, item in enumerate(rows.to_dict("records")):
        colour = GREEN if item["prints"] else GREY
        if item["low"] == item["high"]:
            ax.scatter(item["low"], row, s=58, zorder=3, facecolors=colour, edgecolors=colour)
        else:
            low = max(item["low"], floor)
            bar(ax, row, low, item["high"], color=colour, linewidth=7, alpha=0.85)
    ax.set_xscale("log")
    ax.set_xlim(floor, 1.05)
    ax.set_xticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    ax.set_yticks(range(len(rows)), rows["name"], fontsize=9.5)
    ax.set(
        ylim=(len(rows) - 0.4, -1.2),
        ylabel="",
        xlabel="Two-sided P that could have been printed (logarithmic axis)",
    )
    _shade_printed(ax, reported, -0.8)
    ax.text(alpha * 1.05, -0.8, f"{alpha:g}", fontsize=10)
    return ax


def plot_ensemble(p_values: pd.DataFrame, reported: str, alpha: float) -> Axes:
    """Draw how the P-values of random data sets are spread.

    Parameters
    ----------
    p_values : pandas.DataFrame
        Columns ``p_value`` and ``group``; one curve for each group.
    """
    ax = new_axes(height=3.8)
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2)
    groups = list(dict.fromkeys(p_values["group"]))
    shades = sns.color_palette([INK, BLUE, SKY, YELLOW][: len(groups)])
    sns.ecdfplot(p_values, x="p_value", hue="group", palette=shades, linewidth=2.2, ax=ax)
    ax.set_xscale("log")
    sns.move_legend(ax, "upper left", title="", frameon=False)
    ax.set(xlabel="Log-rank P (logarithmic axis)", ylabel="Share of data sets with a smaller P")
    ax.text(alpha * 1.04, 0.03, f"{alpha:g}", fontsize=10)
    _shade_printed(ax, reported, 1.03)
    return ax


def plot_rounding(values: pd.DataFrame, reported: str) -> Axes:
    """Draw where values lie against the interval that prints as one number.

    Parameters
    ----------
    values : pandas.DataFrame
        Columns ``name`` and ``value``.
    """
    ax = new_axes(height=0.42 * len(values) + 1.3)
    values = values.sort_values("value", ascending=False).reset_index(drop=True)
    low, high = _shade_printed(ax, reported, len(values) - 0.25)
    for row, item in enumerate(values.to_dict("records")):
        hit = rounding.reproduces(item["value"], reported)
        ax.scatter(item["value"], row, s=70, color=GREEN if hit else GREY, zorder=3)
        words = f"{item['name']}, {prose.p_value(item['value'], 6)}"
        note(ax, words, (item["value"], row), (9, 0), va="center")
    width = high - low
    right = max(values["value"].max(), high) + 1.9 * width
    ax.set(
        xlim=(min(values["value"].min(), low) - 0.3 * width, right),
        ylim=(-0.6, len(values) + 0.35),
        ylabel="",
        xlabel="P-value",
    )
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return ax
