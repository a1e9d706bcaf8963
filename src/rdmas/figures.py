"""Figures: each takes tidy data and returns the axes it drew on.

Colours are those of Okabe and Ito, told apart by people with any common colour vision: one for
the treatment arm, one for the controls, throughout the book. Things are labelled where they
are drawn rather than in legends.
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from rdmas import prose, rounding

BLUE, VERMILION, GREEN, YELLOW = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, GREY, LIGHT, INK = "#56B4E9", "#8C8C8C", "#DDDDDD", "#333333"

#: Treatment arm first.
ARM_COLOURS = (BLUE, VERMILION)
BASIS_COLOURS = {"counts": BLUE, "ordering": SKY, "input": YELLOW, "none": GREY}
STATE_COLOURS = {"reported": BLUE, "assumed": YELLOW, "empty": "#F2F2F2"}
WIDTH_INCHES = 6.4


def use_style() -> None:
    """Set the style of every figure of the book."""
    sns.set_theme(
        context="notebook",
        style="ticks",
        rc={
            "figure.figsize": (WIDTH_INCHES, 3.8),
            "figure.dpi": 160,
            "savefig.bbox": "tight",
            "font.size": 11,
            "axes.labelsize": 11,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "axes.labelcolor": INK,
        },
    )


def plot_icon_array(
    counts: pd.Series, colours: dict[str, str], per_row: int = 10, ax: Axes | None = None
) -> Axes:
    """Draw one square for each unit counted, grouped and labelled by category.

    Parameters
    ----------
    counts : pandas.Series of int
        Units per category, in the order to draw.
    colours : dict of str to str
        Colour of each category.
    per_row : int, default 10
        Squares in a row.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    labels = [label for label, count in counts.items() for _ in range(int(count))]
    n_rows = -(-len(labels) // per_row)
    ax = ax or _new_axes(height=0.62 * n_rows + 0.28 * len(counts) + 0.3)
    for place, label in enumerate(labels):
        row, column = divmod(place, per_row)
        ax.add_patch(Rectangle((column, -row), 0.86, 0.86, color=colours[label]))
    for line, (label, count) in enumerate(counts.items()):
        y = -n_rows + 0.35 - 0.5 * line
        ax.add_patch(Rectangle((0, y), 0.3, 0.3, color=colours[label]))
        ax.text(
            0.5,
            y + 0.15,
            f"{label}: {prose.out_of(count, len(labels))}",
            va="center",
            fontsize=11,
        )
    ax.set(xlim=(-0.1, per_row), ylim=(-n_rows + 0.2 - 0.5 * (len(counts) - 1), 1))
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def plot_provenance(cells: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw which cells of a patient table are reported, assumed or empty.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns ``patient``, ``arm``, ``column``, ``state`` (reported, assumed or empty); from
        `rdmas.cohort.Cohort.provenance`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=4.8)
    states = list(STATE_COLOURS)
    columns = list(dict.fromkeys(cells["column"]))
    grid = cells.pivot(index="patient", columns="column", values="state").loc[
        list(dict.fromkeys(cells["patient"])), columns
    ]
    sns.heatmap(
        grid.map(states.index).astype(int),
        cmap=sns.color_palette(list(STATE_COLOURS.values()), as_cmap=False),
        vmin=0,
        vmax=len(states) - 1,
        cbar=False,
        linewidths=0.6,
        linecolor="white",
        yticklabels=False,
        ax=ax,
    )
    sizes = cells.groupby("arm", sort=False)["patient"].nunique()
    top = 0
    for arm, n in sizes.items():
        ax.text(-0.25, top + n / 2, f"{arm}\n{n} patients", ha="right", va="center", fontsize=10)
        top += n
        if top < len(grid):
            ax.axhline(top, color=INK, linewidth=1.2)
    ax.set(xlabel="", ylabel="")
    ax.set_xticks(np.arange(len(columns)) + 0.5)
    ax.set_xticklabels(columns, rotation=40, ha="right", fontsize=10)
    for place, (state, colour) in enumerate(STATE_COLOURS.items()):
        x = len(columns) * (place + 0.2) / len(states)
        ax.add_patch(
            Rectangle((x, -2.6), 0.5, 1.5, facecolor=colour, edgecolor=GREY, clip_on=False)
        )
        ax.text(x + 0.65, -1.85, state, va="center", fontsize=10)
    return ax


def plot_kaplan_meier(
    curves: pd.DataFrame,
    numbers_at_risk: pd.DataFrame,
    arms: tuple[str, ...],
    time_label: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw survival curves with the numbers at risk below.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `rdmas.survival.kaplan_meier`.
    numbers_at_risk : pandas.DataFrame
        From `rdmas.survival.at_risk`.
    arms : tuple of str
        Arms in drawing order, treatment first.
    time_label : str
        Label of the time axis, unit included.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=4.2)
    last = curves["time"].max()
    ends = curves.groupby("arm")["survival"].last()
    for arm, colour in zip(arms, ARM_COLOURS):
        curve = curves[curves["arm"] == arm]
        above = ends[arm] == ends.max()
        ax.step(curve["time"], curve["survival"], where="post", color=colour, linewidth=2.4)
        ax.fill_between(
            curve["time"], curve["low"], curve["high"], step="post", color=colour, alpha=0.13
        )
        n, final = int(curve["at_risk"].iloc[0]), curve["survival"].iloc[-1]
        deaths = int(curve["deaths"].sum())
        ax.annotate(
            f"{arm}\n{prose.out_of(deaths, n)} died",
            (last, final),
            xytext=(-4, 6 if above else -8),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color=colour,
            fontweight="bold",
            fontsize=10.5,
        )
    ax.set(xlim=(0, last), ylim=(0, 1.19), xlabel=time_label, ylabel="Surviving")
    ax.set_yticks(np.linspace(0, 1, 5))
    ax.set_yticklabels([prose.percent(tick) for tick in np.linspace(0, 1, 5)])
    ax.text(0, -0.25, "At risk", transform=ax.get_xaxis_transform(), fontsize=10, ha="center")
    for line, (arm, colour) in enumerate(zip(arms, ARM_COLOURS), start=1):
        mine = numbers_at_risk[numbers_at_risk["arm"] == arm]
        for time, number in zip(mine["time"], mine["at_risk"]):
            ax.text(
                time,
                -0.25 - 0.075 * line,
                str(number),
                transform=ax.get_xaxis_transform(),
                color=colour,
                ha="center",
                fontsize=10,
            )
    return ax


def plot_p_values(
    tests: pd.DataFrame, reported: str, alpha: float, ax: Axes | None = None
) -> Axes:
    """Draw the P-values of many tests against the printed one.

    Parameters
    ----------
    tests : pandas.DataFrame
        Columns ``test`` and ``p_value``; drawn in order of P.
    reported : str
        The printed P-value; the values that round to it are shaded.
    alpha : float
        Significance level, drawn as a line.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    tests = tests.sort_values("p_value", ascending=False).reset_index(drop=True)
    ax = ax or _new_axes(height=0.30 * len(tests) + 1.1)
    low, high = (float(end) for end in rounding.rounding_interval(reported))
    ax.axvspan(low, high, color=GREEN, alpha=0.25, linewidth=0)
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2)
    prints = [rounding.reproduces(p_value, reported) for p_value in tests["p_value"]]
    ax.scatter(
        tests["p_value"],
        tests.index,
        s=62,
        c=[GREEN if hit else "white" for hit in prints],
        edgecolors=[GREEN if hit else GREY for hit in prints],
        linewidths=1.8,
        zorder=3,
    )
    for row, (p_value, hit) in enumerate(zip(tests["p_value"], prints)):
        ax.annotate(
            prose.p_value(p_value, 5),
            (p_value, row),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            fontweight="bold" if hit else "normal",
        )
    ax.set_xscale("log")
    ticks = [tick for tick in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)]
    low_end, high_end = tests["p_value"].min() * 0.8, max(alpha, tests["p_value"].max()) * 1.35
    ax.set_xlim(low_end, high_end)
    ax.set_xticks([tick for tick in ticks if low_end <= tick <= high_end])
    ax.set_xticklabels([f"{tick:g}" for tick in ticks if low_end <= tick <= high_end])
    ax.minorticks_off()
    ax.set_yticks(tests.index)
    ax.set_yticklabels(tests["test"], fontsize=9.5)
    ax.set(xlabel="Two-sided P (logarithmic axis)", ylabel="", ylim=(-0.7, len(tests) + 0.3))
    ax.text(np.sqrt(low * high), len(tests) - 0.35, f"prints as {reported}", ha="center",
            color="#00634A", fontsize=10)
    ax.text(alpha * 0.97, len(tests) - 0.35, f"{alpha:g}", ha="right", fontsize=10)
    return ax


def plot_orderings(
    orders: pd.DataFrame, reported: str, arms: tuple[str, ...], ax: Axes | None = None
) -> Axes:
    """Draw each order of deaths as a row of marks with its log-rank P-value beside it.

    Parameters
    ----------
    orders : pandas.DataFrame
        From `rdmas.logrank.orderings`: ``order`` in letters A (treatment) and B, ``p_value``.
    reported : str
        The printed P-value; orders that print so are emphasised.
    arms : tuple of str
        Names of arms A and B.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=0.38 * len(orders) + 1.3)
    n_deaths = len(orders["order"].iloc[0])
    for row, (order, p_value) in enumerate(zip(orders["order"], orders["p_value"])):
        hit = rounding.reproduces(p_value, reported)
        if hit:
            ax.axhspan(row - 0.45, row + 0.45, color=GREEN, alpha=0.22, linewidth=0)
        for place, letter in enumerate(order, start=1):
            colour = ARM_COLOURS["AB".index(letter)]
            ax.scatter(place, row, s=150 if letter == "A" else 75, color=colour,
                       marker="D" if letter == "A" else "o", zorder=3)
        ax.text(n_deaths + 0.8, row, prose.p_value(p_value, 5), va="center", fontsize=10.5,
                fontweight="bold" if hit else "normal")
        if hit:
            ax.text(n_deaths + 3.0, row, f"→ {reported}", va="center", fontsize=10.5,
                    fontweight="bold", color="#00634A")
    ax.text(n_deaths + 0.8, -0.95, "log-rank P", fontsize=10, va="center")
    ax.text(1, -0.95, f"◆ death, {arms[0]}", color=ARM_COLOURS[0], fontsize=10.5, va="center")
    ax.text(5.2, -0.95, f"● death, {arms[1]}", color=ARM_COLOURS[1], fontsize=10.5, va="center")
    ax.set(xlim=(0.5, n_deaths + 4.9), ylim=(len(orders) - 0.4, -1.4), ylabel="",
           xlabel="Order of deaths, first to last (not days)")
    ax.set_xticks(range(1, n_deaths + 1))
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return ax


def plot_range_curve(
    curve: pd.DataFrame, reported: str, alpha: float, ax: Axes | None = None
) -> Axes:
    """Draw the attainable range of P against the number of early ends of follow-up.

    Parameters
    ----------
    curve : pandas.DataFrame
        From `rdmas.logrank.p_range_curve`.
    reported : str
        The printed P-value.
    alpha : float
        Significance level, drawn as a line.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=4.0)
    floor = 1e-5
    low = curve["low"].clip(lower=floor)
    drawn = curve["low"] >= floor
    ax.fill_between(curve["lost"], low, curve["high"], color=SKY, alpha=0.45, linewidth=0)
    bound = curve["high_is_bound"].astype(bool)
    exact = curve[~bound]
    ax.plot(exact["lost"], exact["high"], color=BLUE, linewidth=2.2, marker="o", markersize=4)
    # One step back, so that the dashed edge starts where the exact one ends.
    beyond_exact = curve[bound | bound.shift(-1, fill_value=False)]
    ax.plot(
        beyond_exact["lost"], beyond_exact["high"], color=BLUE, linewidth=1.6, linestyle="--"
    )
    ax.plot(
        curve.loc[drawn, "lost"], low[drawn], color=BLUE, linewidth=2.2, marker="o", markersize=4
    )
    ax.axhline(alpha, color=INK, linestyle="--", linewidth=1.2)
    low_print, high_print = (float(end) for end in rounding.rounding_interval(reported))
    ax.axhspan(low_print, high_print, color=GREEN, alpha=0.6, linewidth=0)
    last = curve["lost"].max()
    ax.text(last, alpha * 1.12, f"{alpha:g}", ha="right", fontsize=10)
    ax.text(last, high_print * 1.1, f"prints as {reported}", ha="right", color="#00634A", fontsize=10)
    beyond = curve[curve["high"] >= alpha]
    if not beyond.empty:
        first = beyond.iloc[0]
        ax.annotate(
            f"from {first['lost']:.0f} early ends on,\nP of {alpha:g} is possible",
            (first["lost"], first["high"]),
            xytext=(-12, 36),
            textcoords="offset points",
            ha="center",
            fontsize=10,
            arrowprops={"arrowstyle": "->", "color": INK},
        )
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        xlim=(0, last),
        ylim=(floor, 1.6),
        xlabel="Survivors whose follow-up ended before the last death, at most",
        ylabel="Log-rank P (logarithmic axis)",
    )
    return ax


def plot_attainable(
    rows: pd.DataFrame, reported: str, alpha: float, ax: Axes | None = None
) -> Axes:
    """Draw the P-values that each test and assumption could have printed.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``name``, ``low``, ``high`` (equal for a single value) and ``prints`` (whether
        the printed value is among them).
    reported : str
        The printed P-value; the values that round to it are shaded.
    alpha : float
        Significance level, drawn as a line.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=0.34 * len(rows) + 1.2)
    floor = 0.001
    low_print, high_print = (float(end) for end in rounding.rounding_interval(reported))
    ax.axvspan(low_print, high_print, color=GREEN, alpha=0.25, linewidth=0)
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2)
    for row, item in enumerate(rows.to_dict("records")):
        colour = GREEN if item["prints"] else GREY
        if item["low"] == item["high"]:
            ax.scatter(item["low"], row, s=58, zorder=3, facecolors=colour, edgecolors=colour)
        else:
            ax.plot([max(item["low"], floor), item["high"]], [row, row], color=colour,
                    linewidth=7, solid_capstyle="butt", alpha=0.85)
    ax.set_xscale("log")
    ax.set_xlim(floor, 1.05)
    ax.set_xticks([0.001, 0.01, 0.1, 1])
    ax.set_xticklabels(["0.001", "0.01", "0.1", "1"])
    ax.set_yticks(range(len(rows)))
    ax.set_yticklabels(rows["name"], fontsize=9.5)
    ax.set(ylim=(len(rows) - 0.4, -1.2), ylabel="",
           xlabel="Two-sided P that could have been printed (logarithmic axis)")
    ax.text(np.sqrt(low_print * high_print), -0.8, f"prints as {reported}", ha="center",
            color="#00634A", fontsize=10)
    ax.text(alpha * 1.05, -0.8, f"{alpha:g}", fontsize=10)
    return ax


def plot_followup(
    data_sets: dict[str, pd.DataFrame], arms: tuple[str, ...], ax: np.ndarray | None = None
) -> np.ndarray:
    """Draw follow-up patterns, one line for each patient.

    Parameters
    ----------
    data_sets : dict of str to pandas.DataFrame
        Heading, and columns ``arm`` ("a" or "b"), ``time`` and ``died``, as in
        `rdmas.logrank.p_range_details`.
    arms : tuple of str
        Names of arms a and b.
    ax : array of matplotlib.axes.Axes, optional
        One for each data set.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
    """
    if ax is None:
        _, ax = plt.subplots(1, len(data_sets), figsize=(WIDTH_INCHES, 5.0), sharey=True)
    for panel, (heading, data) in zip(np.atleast_1d(ax), data_sets.items()):
        ordered = data.sort_values(["arm", "time"], ascending=[True, False]).reset_index(drop=True)
        last_death = ordered.loc[ordered["died"].astype(bool), "time"].max()
        for row, patient in enumerate(ordered.to_dict("records")):
            colour = ARM_COLOURS["ab".index(patient["arm"])]
            panel.plot([0, patient["time"]], [row, row], color=colour, linewidth=1.3, alpha=0.8)
            if patient["died"]:
                panel.scatter(patient["time"], row, marker="X", s=42, color=colour, zorder=3)
            elif patient["time"] < last_death:
                panel.scatter(patient["time"], row, marker="|", s=32, color=INK, zorder=3)
        sizes = ordered.groupby("arm").size()
        if panel is np.atleast_1d(ax)[0]:
            for letter, name, colour in zip("ab", arms, ARM_COLOURS):
                middle = ordered.index[ordered["arm"] == letter].to_numpy().mean()
                panel.text(-0.6, middle, f"{name}\n{sizes[letter]} patients", ha="right",
                           va="center", color=colour, fontsize=10)
        panel.text(0.5, 1.02, heading, transform=panel.transAxes, ha="center", va="bottom",
                   fontsize=10.5)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set(yticks=[], xlabel="Order of events", ylim=(len(ordered) - 0.3, -0.8))
        panel.spines["left"].set_visible(False)
    return ax


def plot_ensemble(
    p_values: pd.DataFrame, reported: str, alpha: float, ax: Axes | None = None
) -> Axes:
    """Draw how the P-values of random data sets are spread.

    Parameters
    ----------
    p_values : pandas.DataFrame
        Columns ``p_value`` and ``group``; one curve for each group.
    reported : str
        The printed P-value; the values that round to it are shaded.
    alpha : float
        Significance level, drawn as a line.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=3.8)
    low, high = (float(end) for end in rounding.rounding_interval(reported))
    ax.axvspan(low, high, color=GREEN, alpha=0.25, linewidth=0)
    ax.axvline(alpha, color=INK, linestyle="--", linewidth=1.2)
    groups = list(dict.fromkeys(p_values["group"]))
    shades = sns.color_palette([INK, BLUE, SKY, YELLOW][: len(groups)])
    sns.ecdfplot(p_values, x="p_value", hue="group", palette=shades, linewidth=2.2, ax=ax)
    ax.set_xscale("log")
    sns.move_legend(ax, "upper left", title="", frameon=False)
    ax.set(xlabel="Log-rank P (logarithmic axis)", ylabel="Share of data sets with a smaller P")
    ax.text(alpha * 1.04, 0.03, f"{alpha:g}", fontsize=10)
    ax.text(np.sqrt(low * high), 1.03, f"prints as {reported}", ha="center", color="#00634A",
            fontsize=10)
    return ax


def plot_intervals(
    intervals: pd.DataFrame,
    label: str,
    colour: str = BLUE,
    as_percent: bool = True,
    ax: Axes | None = None,
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
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=0.44 * len(intervals) + 1.0)

    def write(value: float) -> str:
        return prose.percent(value) if as_percent else prose.decimal(value, 2)

    for row, item in enumerate(intervals.to_dict("records")):
        shade = item.get("colour", colour)
        ax.plot([item["low"], item["high"]], [row, row], color=shade, linewidth=3,
                solid_capstyle="butt")
        ax.scatter(item["estimate"], row, color=shade, s=55, zorder=3)
        ax.annotate(f"{write(item['low'])} to {write(item['high'])}", (item["high"], row),
                    xytext=(7, 0), textcoords="offset points", va="center", fontsize=10)
    ax.set_yticks(range(len(intervals)))
    ax.set_yticklabels(intervals["name"])
    ax.set(xlabel=label, ylabel="", ylim=(len(intervals) - 0.4, -0.6))
    if as_percent:
        high = min(1.0, intervals["high"].max() * 1.25)
        ax.set_xlim(0, max(high, 0.2))
        ax.set_xticks([tick for tick in np.linspace(0, 1, 11) if tick <= max(high, 0.2) + 1e-9])
        ax.set_xticklabels([prose.percent(tick) for tick in ax.get_xticks()])
    return ax


def plot_dose_pairs(pairs: pd.DataFrame, unit: str, ax: np.ndarray | None = None) -> np.ndarray:
    """Draw data sets with the same two medians beside each other, one line per patient.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Columns ``data_set``, ``patient``, ``before``, ``after``.
    unit : str
        Unit of the doses.
    ax : array of matplotlib.axes.Axes, optional
        One for each data set.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
    """
    names = list(dict.fromkeys(pairs["data_set"]))
    if ax is None:
        _, ax = plt.subplots(1, len(names), figsize=(WIDTH_INCHES, 4.0), sharey=True)
    for panel, name in zip(np.atleast_1d(ax), names):
        mine = pairs[pairs["data_set"] == name]
        fell = mine["after"] < mine["before"]
        for patient, down in zip(mine.to_dict("records"), fell):
            panel.plot([0, 1], [patient["before"], patient["after"]],
                       color=BLUE if down else GREY, linewidth=1.6, alpha=0.8)
        for x, column in enumerate(("before", "after")):
            median = mine[column].median()
            panel.plot([x - 0.13, x + 0.13], [median, median], color="black", linewidth=3.5,
                       zorder=4)
            panel.annotate(f"median\n{prose.decimal(median, 1)}", (x, median),
                           xytext=(-26 if x == 0 else 26, 0), textcoords="offset points",
                           ha="center", va="center", fontsize=9.5, fontweight="bold")
        panel.text(0.5, 1.02, f"{name}\ndose fell in {prose.out_of(int(fell.sum()), len(mine))}",
                   transform=panel.transAxes, ha="center", va="bottom", fontsize=10.5)
        panel.set_xticks([0, 1])
        panel.set_xticklabels(["baseline", "week 8"])
        panel.set_xlim(-0.55, 1.55)
    np.atleast_1d(ax)[0].set_ylabel(f"Daily dose ({unit})")
    return ax


def plot_scoreboard(board: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw every claim on the basis that carries it.

    Parameters
    ----------
    board : pandas.DataFrame
        From `rdmas.claims.scoreboard`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=0.29 * len(board) + 1.1)
    markers = {"reproduced": "o", "reproduced under a stated convention": "D",
               "not reproduced": "X", "not checkable": "o"}
    bases = list(BASIS_COLOURS)
    for row, claim in enumerate(board.to_dict("records")):
        ax.axhline(row, color=LIGHT, linewidth=0.7, zorder=0)
        hollow = claim["verdict"] == "not checkable"
        colour = VERMILION if claim["verdict"] == "not reproduced" else BASIS_COLOURS[claim["basis"]]
        ax.scatter(bases.index(claim["basis"]), row, s=95, marker=markers[claim["verdict"]],
                   facecolors="white" if hollow else colour, edgecolors=colour, linewidths=1.8,
                   zorder=3)
    ax.set_yticks(range(len(board)))
    ax.set_yticklabels(board["id"].str.replace("_", " ") + ":  " + board["reported"], fontsize=9.5)
    ax.set_xticks(range(len(bases)))
    ax.set_xticklabels(bases)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(-0.5, len(bases) - 0.5), ylim=(len(board) + 0.9, -0.7), xlabel="", ylabel="")
    sns.despine(ax=ax, left=True, bottom=True, top=True)
    key = [("reproduced", "o", BLUE), ("under a stated convention", "D", BLUE),
           ("not reproduced", "X", VERMILION), ("not checkable", "o", "white")]
    for place, (words, marker, colour) in enumerate(key):
        x, y = -0.45 + 2.1 * (place % 2), len(board) - 0.1 + 0.75 * (place // 2)
        ax.scatter(x, y, s=70, marker=marker, facecolors=colour, linewidths=1.5,
                   edgecolors=GREY if colour == "white" else colour, clip_on=False)
        ax.text(x + 0.12, y, words, va="center", fontsize=9.5)
    return ax


def plot_rounding(values: pd.DataFrame, reported: str, ax: Axes | None = None) -> Axes:
    """Draw where values lie against the interval that prints as one number.

    Parameters
    ----------
    values : pandas.DataFrame
        Columns ``name`` and ``value``.
    reported : str
        The printed number.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=0.42 * len(values) + 1.3)
    values = values.sort_values("value", ascending=False).reset_index(drop=True)
    low, high = (float(end) for end in rounding.rounding_interval(reported))
    ax.axvspan(low, high, color=GREEN, alpha=0.25, linewidth=0)
    ax.text((low + high) / 2, len(values) - 0.25, f"prints as {reported}", ha="center",
            color="#00634A", fontsize=10.5)
    for row, item in values.iterrows():
        hit = rounding.reproduces(item["value"], reported)
        ax.scatter(item["value"], row, s=70, color=GREEN if hit else GREY, zorder=3)
        ax.annotate(f"{item['name']}, {prose.p_value(item['value'], 6)}", (item["value"], row),
                    xytext=(9, 0), textcoords="offset points", va="center", fontsize=10)
    width = high - low
    right = max(values["value"].max(), high) + 1.9 * width
    ax.set(xlim=(min(values["value"].min(), low) - 0.3 * width, right),
           ylim=(-0.6, len(values) + 0.35), ylabel="", xlabel="P-value")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    return ax


def plot_layers(modules: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the modules of a package by layer, each with what it imports.

    Parameters
    ----------
    modules : pandas.DataFrame
        Columns ``module``, ``layer`` (0 at the bottom) and ``imports`` (list of modules).
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    n_layers = int(modules["layer"].max()) + 1
    ax = ax or _new_axes(height=1.15 * n_layers + 0.3)
    places = {}
    for layer, members in modules.groupby("layer"):
        # Many boxes in a row would overlap, so neighbours stand a little higher and lower.
        step = 0.17 if len(members) > 5 else 0
        for place, name in enumerate(sorted(members["module"])):
            places[name] = ((place + 0.5) / len(members), layer + step * (-1) ** place)
    for row in modules.to_dict("records"):
        for target in row["imports"]:
            ax.annotate("", xy=(places[target][0], places[target][1] + 0.16),
                        xytext=(places[row["module"]][0], places[row["module"]][1] - 0.16),
                        arrowprops={"arrowstyle": "->", "color": GREY, "linewidth": 0.8})
    for name, (x, y) in places.items():
        ax.text(x, y, name, ha="center", va="center", fontsize=9.5, zorder=3,
                bbox={"boxstyle": "round,pad=0.35", "facecolor": "#E8F1F8", "edgecolor": BLUE})
    ax.set(xlim=(0, 1), ylim=(-0.4, n_layers - 0.6))
    ax.axis("off")
    return ax


def plot_durations(durations: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how long things took.

    Parameters
    ----------
    durations : pandas.DataFrame
        Columns ``name`` and ``seconds``.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or _new_axes(height=0.42 * len(durations) + 0.9)
    sns.barplot(durations, x="seconds", y="name", color=BLUE, ax=ax)
    for row, seconds in enumerate(durations["seconds"]):
        ax.annotate(f"{prose.decimal(seconds, 3)} s", (seconds, row), xytext=(5, 0),
                    textcoords="offset points", va="center", fontsize=10)
    ax.set(xlabel="Seconds on the machine that built this page", ylabel="")
    ax.set_xlim(0, durations["seconds"].max() * 1.25)
    return ax


def _new_axes(height: float) -> Axes:
    return plt.subplots(figsize=(WIDTH_INCHES, height))[1]
