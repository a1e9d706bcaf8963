"""Figures of P-values against the printed one.

``reported`` is the printed number: values that round to it are shaded or emphasised. ``alpha`` is
the significance level, drawn as a line.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from rdmas.show import prose
from rdmas.show.figures._style import (
    ARM_COLOURS,
    GREEN,
    GREY,
    INK,
    LILAC,
    PLACES,
    PURPLE,
    as_decimals,
    bar,
    decimals,
    left_out,
    lettering,
    moved,
    named_rows,
    new_axes,
    note,
    plain,
    wrapped,
)
from rdmas.stats import rounding
from rdmas.stats.significance import significant

# P-values below the one are drawn at it; below the other only powers of ten are ticks.
_SMALLEST_DRAWN, _SMALLEST_DECADE = 1e-6, 0.0008

# Orders of deaths that a reader can look through.
_MOST_ROWS = 30
# Width of a mark in points, and how many of them stand beside each other.
_MARK, _MARKS_WIDE = 10, 33

_MOST_STEPS = 1000


def _interval(reported: str) -> tuple[float, float]:
    """Return the smallest and the largest value that print as `reported`."""
    low, high = rounding.rounding_interval(reported)
    return float(low), float(high)


def _shade_printed(ax: Axes, reported: str, ha: str = "center") -> tuple[float, float]:
    """Shade the values that print as `reported`, name them above the axes and return their ends."""
    low, high = _interval(reported)
    # Over the names of rows, whose ground would else cut it to pieces.
    ax.axvspan(low, high, color=GREEN, alpha=0.25, linewidth=0, zorder=3.5)
    middle = np.sqrt(low * high) if ax.get_xscale() == "log" else (low + high) / 2
    style = {"ha": ha, "va": "bottom", "color": lettering(GREEN)}
    at = moved(ax, ax.get_xaxis_transform(), y=3)
    place = high if ha == "right" else middle
    ax.text(place, 1, f"prints as {reported}", style, transform=at)
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
    tests = tests.dropna(subset="p_value").sort_values("p_value", kind="stable")
    families = dict.fromkeys(tests["statistic"])
    low_end = max(min(alpha, tests["p_value"].min()), _SMALLEST_DRAWN) * 0.8
    high_end = max(alpha, tests["p_value"].max()) * 1.25
    x_of = tests["p_value"].clip(lower=_SMALLEST_DRAWN)
    level = _levels(tests["statistic"], np.log(x_of) / np.log(high_end / low_end) * _MARKS_WIDE)
    p_of = tests.groupby("statistic", sort=False)["p_value"]
    ranges = [_written_range(p_of.get_group(family)) for family in families]
    family = tests["statistic"].map(list(families).index).to_numpy(int)
    highest = [_MARK * level[family == number].max() for number in range(len(families))]
    ax, rows = named_rows(map(str, families), ranges, more=highest)
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2, zorder=0)
    marked = GREEN if reported else INK
    marks = [
        rounding.reproduces(p_value, reported) if reported else significant(p_value, alpha)
        for p_value in tests["p_value"]
    ]
    ax.scatter(
        x_of,
        rows[family] - _MARK * level,
        s=54,
        c=[marked if mark else "white" for mark in marks],
        edgecolors=[marked if mark else GREY for mark in marks],
        linewidths=1.8,
        zorder=3,
    )
    ax.set_xscale("log")
    decades = [10.0**power for power in range(-6, 1)]
    between = [0.002, 0.005, 0.02, 0.05, 0.2, 0.5] if low_end > _SMALLEST_DECADE else []
    shown = [tick for tick in sorted(decades + between) if low_end <= tick <= high_end]
    ax.set_xlim(low_end, high_end)
    ax.set_xticks(shown, [decimals(tick) for tick in shown])
    ax.minorticks_off()
    axis = "Two-sided P (logarithmic axis)"
    for why, names in not_computed.items():
        axis += "\n" + wrapped(f"{why}: {'; '.join(names)}", 48)
    ax.set(xlabel=axis)
    if reported:
        _shade_printed(ax, reported)
    _name_level(ax, alpha)
    return ax


def _levels(rows: pd.Series, places: pd.Series) -> np.ndarray:
    """Return how many marks of its row each mark stands on, so that they do not touch."""
    ends: dict[tuple[object, int], float] = {}
    levels = []
    for row, place in zip(rows, places, strict=True):
        level = 0
        while place < ends.get((row, level), -np.inf) + 1:
            level += 1
        ends[row, level] = place
        levels.append(level)
    return np.array(levels, dtype=int)


def _written_range(p_values: pd.Series) -> str:
    """Write the smallest and the largest of some P-values."""
    return " to ".join(dict.fromkeys(prose.p_value(p, 5) for p in (p_values.min(), p_values.max())))


def _name_level(ax: Axes, alpha: float) -> None:
    """Name the line of the level above the axes, on the side where the printed value is not."""
    at = moved(ax, ax.get_xaxis_transform(), y=3)
    ax.text(alpha, 1, f"{alpha:g}", ha="center", va="bottom", transform=at)


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
    ax = new_axes(height=0.34 * len(orders) + 1.3)
    n_deaths = len(orders["order"].iloc[0])
    marks = {"A": (130, ARM_COLOURS[0], "D"), "B": (65, ARM_COLOURS[1], "o")}
    for row, (order, p_value) in enumerate(zip(orders["order"], orders["p_value"], strict=True)):
        hit = rounding.reproduces(p_value, reported)
        if hit:
            ax.axhspan(row - 0.45, row + 0.45, color=GREEN, alpha=0.22, linewidth=0)
        for place, letter in enumerate(order, start=1):
            size, colour, marker = marks[letter]
            ax.scatter(place, row, s=size, color=colour, marker=marker, zorder=3)
        weight, words = ("bold", f" → {reported}") if hit else ("normal", "")
        written = prose.p_value(p_value, 5) + words
        at = moved(ax, ax.get_yaxis_transform(), x=6)
        ax.text(1, row, written, va="center", fontweight=weight, transform=at)
    above = ax.get_xaxis_transform()
    for line, (letter, arm, other) in enumerate(zip("BA", arms[::-1], PLACES[::-1], strict=True)):
        size, colour, marker = marks[letter]
        up = moved(ax, above, y=8 + 17 * line)
        ax.scatter(0.65, 1, size, colour, marker=marker, transform=up, clip_on=False)
        name = f"death, {plain(arm, other, width=24)}"
        ax.text(1.1, 1, name, va="center", color=lettering(colour), transform=up)
    ax.text(1, 1, "log-rank P", va="center", transform=moved(ax, ax.transAxes, 6, 8))
    label = "Order of deaths, first to last (not days)"
    if len(orders) < all_orders:
        label += f"\n{len(orders)} of {prose.count(all_orders)} orders, evenly spread by P"
    ax.set(
        xlim=(0.5, n_deaths + 0.5),
        ylim=(len(orders) - 0.4, -0.6),
        ylabel="",
        xlabel=label,
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
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
    exact_line: dict[str, Any] = {"color": PURPLE, "linewidth": 2.2, "marker": "o", "markersize": 4}
    ax.fill_between(curve["lost"], low, curve["high"], color=LILAC, alpha=0.35, linewidth=0)
    bound = curve["high_is_bound"].astype(bool)
    exact = curve[~bound]
    ax.plot(exact["lost"], exact["high"], **exact_line)
    # One step back, so that the dashed edge starts where the exact one ends.
    beyond_exact = curve[bound | bound.shift(-1, fill_value=False)]
    ax.plot(beyond_exact["lost"], beyond_exact["high"], color=PURPLE, linewidth=1.6, linestyle="--")
    ax.plot(drawn["lost"], drawn["low"], **exact_line)
    ax.axhline(alpha, color=INK, linestyle="--", linewidth=1.2)
    low_print, high_print = _interval(reported)
    ax.axhspan(low_print, high_print, color=GREEN, alpha=0.6, linewidth=0)
    last = curve["lost"].max()
    ax.text(last, alpha * 1.12, f"{alpha:g}", ha="right")
    words = f"prints as {reported}"
    ax.text(last, low_print * 0.93, words, ha="right", va="top", color=lettering(GREEN))
    beyond = curve[curve["high"].notna() & ~significant(curve["high"], alpha)]
    if not beyond.empty:
        first = beyond.iloc[0]
        words = f"from {first['lost']:.0f} early ends on,\nP of {alpha:g} is possible"
        arrow = {"arrowstyle": "->", "color": INK}
        place = first["lost"], first["high"]
        note(ax, words, place, (0, 30), ha="center", arrowprops=arrow)
    ax.set_yscale("log")
    as_decimals(ax.yaxis)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        xlim=(0, last),
        ylim=(floor, 1.6),
        xlabel="Survivors lost before the last death, at most",
        ylabel="Log-rank P (logarithmic axis)",
    )
    return ax


def plot_attainable(rows: pd.DataFrame, reported: str, alpha: float) -> Axes:
    """Draw the P-values that each test and assumption could have printed.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``name`` (those of one name share a row), ``low``, ``high`` (equal for a single
        value) and ``prints`` (whether the printed value is among them).
    """
    names = list(dict.fromkeys(rows["name"]))
    ax, rows_at = named_rows(names)
    floor = 0.001
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2, zorder=0)
    for item in rows.sort_values("prints", kind="stable").to_dict("records"):
        row, colour = rows_at[names.index(item["name"])], GREEN if item["prints"] else GREY
        if item["low"] == item["high"]:
            ax.scatter(item["low"], row, s=58, zorder=3, facecolors=colour, edgecolors="white")
        else:
            low = max(item["low"], floor)
            bar(ax, row, low, item["high"], color=colour, linewidth=7, alpha=0.85)
    ax.set_xscale("log")
    ax.set_xlim(floor, 1.05)
    ax.set_xticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    ax.set(xlabel="Two-sided P that could have been printed (log axis)")
    _shade_printed(ax, reported, "right")
    _name_level(ax, alpha)
    return ax


def plot_ensemble(p_values: pd.DataFrame, reported: str, alpha: float) -> Axes:
    """Draw how the P-values of random data sets are spread.

    Parameters
    ----------
    p_values : pandas.DataFrame
        Columns ``p_value`` and ``group``; one curve for each group.
    """
    if p_values.empty:
        return left_out("No data set: nobody died, or nobody survived whose follow-up could end")
    ax = new_axes(height=3.8)
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2)
    groups = p_values.groupby("group", sort=False)["p_value"]
    for (group, mine), colour in zip(groups, (INK, PURPLE, LILAC, GREY), strict=False):
        x, y = np.sort(mine), np.arange(1, len(mine) + 1) / len(mine)
        # Nobody sees more steps than these, and everybody would load them.
        some = np.unique(np.linspace(0, len(mine) - 1, _MOST_STEPS).astype(int))
        x, y = np.concatenate([x[:1], x[some]]), np.concatenate([[0], y[some]])
        ax.step(x, y, where="post", color=colour, linewidth=2.2, label=group)
    ax.set_xscale("log")
    ax.legend(loc="upper left", frameon=False, handlelength=1.2, borderaxespad=0)
    as_decimals(ax.xaxis)
    ax.minorticks_off()
    ax.set(xlabel="Log-rank P (logarithmic axis)", ylabel="Share with a smaller P", ylim=(0, 1.02))
    _shade_printed(ax, reported, "right")
    _name_level(ax, alpha)
    return ax


def plot_rounding(values: pd.DataFrame, reported: str) -> Axes:
    """Draw where values lie against the interval that prints as one number.

    Parameters
    ----------
    values : pandas.DataFrame
        Columns ``name`` and ``value``.
    """
    values = values.sort_values("value", ascending=False).reset_index(drop=True)
    ax, rows = named_rows(values["name"], [prose.p_value(value, 6) for value in values["value"]])
    low, high = _shade_printed(ax, reported)
    for row, value in zip(rows, values["value"], strict=True):
        hit = rounding.reproduces(value, reported)
        ax.scatter(value, row, s=70, color=GREEN if hit else GREY, zorder=3)
    ends = min(values["value"].min(), low), max(values["value"].max(), high)
    ax.set(xlim=(ends[0] - 0.3 * (high - low), ends[1] + 0.3 * (high - low)), xlabel="P-value")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    return ax
