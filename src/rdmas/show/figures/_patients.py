"""Figures of patients: squares, cells, follow-up, doses."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.path import Path as MarkerPath
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rdmas.show import prose
from rdmas.show.figures._style import (
    ARM_COLOURS,
    BLUE,
    GREY,
    INK,
    PLACES,
    STATE_COLOURS,
    WIDTH_INCHES,
    left_out,
    new_axes,
    note,
    plain,
)
from rdmas.stats.checks import Table

# Stands in the panels themselves: a picture is passed on without its caption.
_INVENTED = "(invented patients)"


def plot_icon_array(counts: pd.Series, colours: dict[str, str], per_row: int = 10) -> Axes:
    """Draw one square for each unit counted, grouped and labelled by category.

    Parameters
    ----------
    counts : pandas.Series of int
        Units per category, in the order to draw.
    colours : dict of str to str
        Colour of each category.
    per_row : int, default 10
        Squares in a row.
    """
    sizes = {str(label): int(count) for label, count in counts.items()}
    labels = [label for label, count in sizes.items() for _ in range(count)]
    n_rows = -(-len(labels) // per_row)
    ax = new_axes(height=0.62 * n_rows + 0.28 * len(counts) + 0.3)
    for place, label in enumerate(labels):
        row, column = divmod(place, per_row)
        ax.add_patch(Rectangle((column, -row), 0.86, 0.86, color=colours[label]))
    for line, (label, count) in enumerate(sizes.items()):
        y = -n_rows + 0.35 - 0.5 * line
        ax.add_patch(Rectangle((0, y), 0.3, 0.3, color=colours[label]))
        words = f"{label}: {prose.out_of(count, len(labels))}"
        ax.text(0.5, y + 0.15, words, va="center", fontsize=11)
    ax.set(xlim=(-0.1, per_row), ylim=(-n_rows + 0.2 - 0.5 * (len(counts) - 1), 1))
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


# A head above shoulders, within a unit square.
_HEAD = MarkerPath.circle((0, 0.28), 0.2)
_SHOULDERS = MarkerPath(
    [(-0.34, -0.5), (-0.34, -0.1), (-0.2, 0), (0, 0), (0.2, 0), (0.34, -0.1), (0.34, -0.5), (0, 0)],
    [1, 2, 3, 3, 3, 3, 2, 79],
)
_PERSON = MarkerPath.make_compound_path(_HEAD, _SHOULDERS)


def plot_people(deaths: Table, arms: Sequence[str]) -> Axes:
    """Draw every patient of both arms as a person; those who died are outlines, crossed out.

    Parameters
    ----------
    deaths : rdmas.stats.checks.Table
        Deaths and patients of both arms.
    arms : sequence of str
        Names of the arms, as in `deaths`.
    """
    per_row = max(10, -(-max(deaths.n_a, deaths.n_b) // 2))
    ax = new_axes(height=3.0)
    top = 0.0
    for (events, n), arm, place, colour in zip(
        (deaths[:2], deaths[2:]), arms, PLACES, ARM_COLOURS, strict=True
    ):
        words = f"{plain(arm, place)}: {prose.out_of(events, n)} died"
        ax.text(-0.45, top, words, va="center", color=INK, fontsize=13, fontweight="bold")
        where = [(i % per_row, top - 1.0 - 1.1 * (i // per_row)) for i in range(n)]
        for at, died in ((where[:events], True), (where[events:], False)):
            if at:
                x, y = zip(*at, strict=True)
                face = "none" if died else colour
                ax.scatter(x, y, s=420, marker=_PERSON, c=face, edgecolors=colour)
                if died:
                    ax.scatter(x, y, s=160, marker="x", c=INK, linewidths=1.6)
        top -= 1.6 + 1.1 * -(-n // per_row)
    ax.set(xlim=(-0.6, per_row - 0.4), ylim=(top + 0.6, 0.6))
    ax.axis("off")
    return ax


def plot_provenance(cells: pd.DataFrame) -> Axes:
    """Draw where the cells of a patient table come from.

    Parameters
    ----------
    cells : pandas.DataFrame
        Columns ``patient``, ``arm``, ``column``, ``state`` (a provenance, or empty); from
        `rdmas.paper.cohort.Cohort.provenance`.
    """
    ax = new_axes(height=4.8)
    states = list(STATE_COLOURS)
    columns = cells["column"].unique()
    grid = cells.pivot(index="patient", columns="column", values="state")
    grid = grid.loc[cells["patient"].unique(), columns]
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
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=40, ha="right", fontsize=10)
    present = [state for state in states if (cells["state"] == state).any()]
    for place, state in enumerate(present):
        x, colour = len(columns) * (place + 0.2) / len(present), STATE_COLOURS[state]
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
) -> Axes:
    """Draw survival curves with the numbers at risk below.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `rdmas.stats.survival.kaplan_meier`.
    numbers_at_risk : pandas.DataFrame
        From `rdmas.stats.survival.at_risk`.
    arms : tuple of str
        Arms in drawing order, treatment first.
    time_label : str
        Label of the time axis, unit included.
    """
    ax = new_axes(height=4.2)
    last = curves["time"].max()
    # Above the axes, where no curve crosses it.
    style = {"transform": ax.transAxes, "fontsize": 10.5, "fontweight": "bold"}
    for place, (arm, colour) in enumerate(zip(arms, ARM_COLOURS, strict=False)):
        curve = curves[curves["arm"] == arm]
        ax.step(curve["time"], curve["survival"], where="post", color=colour, linewidth=2.4)
        ax.fill_between(
            curve["time"], curve["low"], curve["high"], step="post", color=colour, alpha=0.13
        )
        deaths, n = int(curve["deaths"].sum()), int(curve["at_risk"].iloc[0])
        name = plain(arm, otherwise=PLACES[place])
        height = 1.02 + 0.075 * (len(arms) - 1 - place)
        ax.text(0, height, f"{name}: {prose.out_of(deaths, n)} died", style, color=colour)
    ax.set(xlim=(0, last), ylim=(0, 1.02), xlabel=time_label, ylabel="Surviving")
    ax.set_xticks(numbers_at_risk["time"].unique())
    ax.set_yticks(np.linspace(0, 1, 5))
    ax.set_yticklabels([prose.percent(tick) for tick in np.linspace(0, 1, 5)])
    ax.text(0, -0.25, "At risk", transform=ax.get_xaxis_transform(), fontsize=10, ha="center")
    for line, (arm, colour) in enumerate(zip(arms, ARM_COLOURS, strict=False), start=1):
        mine = numbers_at_risk[numbers_at_risk["arm"] == arm]
        for time, number in zip(mine["time"], mine["at_risk"], strict=True):
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


def plot_order_envelope(
    envelope: pd.DataFrame,
    ends: pd.DataFrame,
    assumed: pd.DataFrame,
    place_label: str,
) -> Axes:
    """Draw what is known of two survival curves whose order of deaths is not.

    Parameters
    ----------
    envelope : pandas.DataFrame
        From `rdmas.stats.survival.order_envelope`.
    ends : pandas.DataFrame
        Arm a, then arm b: columns ``name``, ``count`` (survivors and patients), ``estimate``,
        ``low`` and ``high``.
    assumed : pandas.DataFrame
        Columns ``arm`` (a name of `ends`), ``time`` (place in the order) and ``survival``: the
        curves of one order, which are drawn as assumed.
    place_label : str
        Label of the axis of places.
    """
    ax = new_axes(height=4.2)
    last = int(envelope["place"].max())
    best = ends["estimate"].idxmax()
    for arm, colour in enumerate(ARM_COLOURS):
        row, estimate = ends.iloc[arm], ends["estimate"].iloc[arm]
        bounds = envelope[envelope["arm"] == "ab"[arm]]
        place, low, high = (bounds[name].to_numpy() for name in ("place", "low", "high"))
        ax.fill_between(place, low, high, step="post", color=colour, alpha=0.25, linewidth=0)
        curve = assumed[assumed["arm"] == row["name"]]
        ax.step(
            curve["time"].clip(upper=last),
            curve["survival"],
            where="post",
            color=INK,
            linewidth=0.9,
            linestyle=(0, (4, 3)),
        )
        x = last + (0.5, 0.9)[arm]
        ax.plot([last, x], [estimate] * 2, color=colour, linewidth=2)
        errors = [[estimate - row["low"]], [row["high"] - estimate]]
        ax.errorbar(x, estimate, errors, fmt="o", color=colour, capsize=4, linewidth=2)
        above = ends.index[arm] == best
        ax.annotate(
            f"{row['name']}\n{prose.out_of(*row['count'])} survived",
            (last, 1 if above else estimate),
            xytext=(0, 5 if above else -5),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color=colour,
            fontweight="bold",
            fontsize=10.5,
        )
    ax.set(xlim=(0, last + 1.3), ylim=(0, 1.19), xlabel=place_label, ylabel="Surviving")
    ax.set_xticks(range(last + 1))
    ax.set_yticks(np.linspace(0, 1, 5))
    ax.set_yticklabels([prose.percent(tick) for tick in np.linspace(0, 1, 5)])
    lines = (
        "Points: the published ends, with intervals",
        "Shaded: all orders of deaths, nobody lost",
        "Dashed: one order, assumed (reconstruction)",
        "The order itself is not stated",
    )
    ax.text(0.03, 0.04, "\n".join(lines), transform=ax.transAxes, fontsize=9.5, linespacing=1.5)
    return ax


def plot_followup(data_sets: Mapping[str, pd.DataFrame], arms: Sequence[str]) -> NDArray:
    """Draw possible follow-up, one line for each patient; every panel says that it is invented.

    Parameters
    ----------
    data_sets : mapping of str to pandas.DataFrame
        Heading, and columns ``arm`` ("a" or "b"), ``time`` and ``died``, as in
        `rdmas.stats.logrank.p_range`. No data set if there were too many to search.
    arms : sequence of str
        Names of arms a and b.
    """
    if not data_sets:
        return np.array([left_out("No data set: nobody died, or there are too many to search")])
    size = WIDTH_INCHES, 5.0
    panels = plt.subplots(1, len(data_sets), figsize=size, sharey=True, squeeze=False)[1][0]
    for panel, (heading, data) in zip(panels, data_sets.items(), strict=True):
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
        if panel is panels[0]:
            for letter, name, colour in zip("ab", arms, ARM_COLOURS, strict=True):
                middle = ordered.index[ordered["arm"] == letter].to_numpy().mean()
                words = f"{name}\n{sizes[letter]} patients"
                style = {"ha": "right", "va": "center", "color": colour, "fontsize": 10}
                panel.text(-0.6, middle, words, style)
        _head(panel, heading)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set(yticks=[], xlabel="Order of events", ylim=(len(ordered) - 0.3, -0.8))
        panel.spines["left"].set_visible(False)
    return panels


def plot_dose_pairs(pairs: pd.DataFrame, unit: str) -> NDArray:
    """Draw possible data sets with the same two medians side by side, one line per patient.

    Every panel says that its patients are invented.

    Parameters
    ----------
    pairs : pandas.DataFrame
        Columns ``data_set``, ``patient``, ``before``, ``after``.
    unit : str
        Unit of the doses.
    """
    data_sets = pairs.groupby("data_set", sort=False)
    size = WIDTH_INCHES, 4.0
    panels = plt.subplots(1, len(data_sets), figsize=size, sharey=True, squeeze=False)[1][0]
    for panel, (name, mine) in zip(panels, data_sets, strict=True):
        fell = mine["after"] < mine["before"]
        for patient, down in zip(mine.to_dict("records"), fell, strict=True):
            doses = patient["before"], patient["after"]
            panel.plot([0, 1], doses, color=BLUE if down else GREY, linewidth=1.6, alpha=0.8)
        for x, column in enumerate(("before", "after")):
            median = mine[column].median()
            panel.plot(
                [x - 0.13, x + 0.13], [median, median], color="black", linewidth=3.5, zorder=4
            )
            note(
                panel,
                f"median\n{prose.decimal(median, 1)}",
                (x, median),
                (-26 if x == 0 else 26, 0),
                ha="center",
                va="center",
                fontsize=9.5,
                fontweight="bold",
            )
        _head(panel, f"{name}\ndose fell in {prose.out_of(int(fell.sum()), len(mine))}")
        panel.set_xticks([0, 1], ["baseline", "week 8"])
        panel.set_xlim(-0.55, 1.55)
    panels[0].set_ylabel(f"Daily dose ({unit})")
    return panels


def _head(panel: Axes, heading: str) -> None:
    """Write a heading over a panel of invented patients."""
    style = {"transform": panel.transAxes, "ha": "center", "va": "bottom", "fontsize": 10.5}
    panel.text(0.5, 1.02, f"{heading}\n{_INVENTED}", style)
