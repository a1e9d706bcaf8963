"""Figures of patients: squares, cells, follow-up, doses."""

from collections.abc import Mapping, Sequence
from typing import Any

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
    GREY,
    INK,
    PLACES,
    PURPLE,
    STATE_COLOURS,
    WIDTH_INCHES,
    left_out,
    lettering,
    moved,
    new_axes,
    plain,
    wrapped,
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
    ax = new_axes(height=0.48 * n_rows + 0.24 * len(counts) + 0.2)
    for place, label in enumerate(labels):
        row, column = divmod(place, per_row)
        ax.add_patch(Rectangle((column, -row), 0.86, 0.86, fc=colours[label], ec=GREY))
    for line, (label, count) in enumerate(sizes.items()):
        y = -n_rows + 0.35 - 0.5 * line
        ax.add_patch(Rectangle((0, y), 0.3, 0.3, fc=colours[label], ec=GREY))
        words = f"{label}: {prose.out_of(count, len(labels))}"
        ax.text(0.5, y + 0.15, words, va="center")
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
        words = f"{plain(arm, place, width=28)}: {prose.out_of(events, n)} died"
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
        Columns ``patient``, ``arm``, ``column`` (its title), ``state`` (a provenance, or empty).
    """
    states = list(STATE_COLOURS)
    columns = cells["column"].unique()
    grid = cells.pivot(index="column", columns="patient", values="state")
    grid = grid.loc[columns, cells["patient"].unique()]
    ax = new_axes(height=0.44 * len(columns) + 0.9)
    sns.heatmap(
        grid.map(states.index).astype(int),
        cmap=sns.color_palette(list(STATE_COLOURS.values()), as_cmap=False),
        vmin=0,
        vmax=len(states) - 1,
        cbar=False,
        linewidths=0.5,
        linecolor="white",
        xticklabels=False,
        ax=ax,
    )
    sizes = cells.groupby("arm", sort=False)["patient"].nunique()
    left = 0
    above = moved(ax, ax.get_xaxis_transform(), y=4)
    for (arm, n), place in zip(sizes.items(), PLACES, strict=False):
        words = f"{plain(str(arm), place, width=16)}\n{prose.counted(n, 'patient')}"
        ax.text(left + n / 2, 1, words, ha="center", va="bottom", transform=above)
        left += n
        if left < grid.shape[1]:
            ax.axvline(left, color=INK, linewidth=1.6)
    ax.set(xlabel="", ylabel="")
    names = [wrapped(column, 20) for column in columns]
    ax.set_yticks(np.arange(len(columns)) + 0.5, names, rotation=0)
    ax.tick_params(axis="y", length=0)
    present = [state for state in states if (cells["state"] == state).any()]
    for number, state in enumerate(present):
        at = moved(ax, ax.transAxes, x=5 + 82 * (number - (len(present) > 2)), y=-16)
        colour = STATE_COLOURS[state]
        ax.scatter(0, 0, 90, colour, marker="s", edgecolors=GREY, transform=at, clip_on=False)
        ax.text(0, 0, state, va="center", transform=moved(ax, at, x=11))
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
    ax = new_axes(height=4.5)
    last = curves["time"].max()
    # Above the axes, where no curve crosses it.
    for place, (arm, colour) in enumerate(zip(arms, ARM_COLOURS, strict=False)):
        curve = curves[curves["arm"] == arm]
        ax.step(curve["time"], curve["survival"], where="post", color=colour, linewidth=2.4)
        ax.fill_between(
            curve["time"], curve["low"], curve["high"], step="post", color=colour, alpha=0.13
        )
        deaths, n = int(curve["deaths"].sum()), int(curve["at_risk"].iloc[0])
        name = plain(arm, otherwise=PLACES[place], width=26)
        style = {"color": lettering(colour), "fontweight": "bold"}
        at = moved(ax, ax.transAxes, y=4 + 17 * (len(arms) - 1 - place))
        ax.text(0, 1, f"{name}: {prose.out_of(deaths, n)} died", style, transform=at)
    ax.set(xlim=(0, last), ylim=(0, 1.02), xlabel=time_label, ylabel="Surviving")
    ax.set_xticks(numbers_at_risk["time"].unique())
    ax.set_yticks(np.linspace(0, 1, 5))
    ax.set_yticklabels([prose.percent(tick) for tick in np.linspace(0, 1, 5)])
    below = moved(ax, ax.get_xaxis_transform(), y=-56)
    ax.text(0, 0, "At risk", transform=moved(ax, below, x=-12))
    for line, (arm, colour) in enumerate(zip(arms, ARM_COLOURS, strict=False), start=1):
        mine = numbers_at_risk[numbers_at_risk["arm"] == arm]
        for time, number in zip(mine["time"], mine["at_risk"], strict=True):
            ax.text(
                time,
                0,
                str(number),
                transform=moved(ax, below, y=-17 * line),
                color=lettering(colour),
                ha="center",
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
    ax = new_axes(height=4.8)
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
            f"{plain(row['name'], PLACES[arm], width=26)}\n{prose.out_of(*row['count'])} survived",
            (last, 1 if above else estimate),
            xytext=(0, 5 if above else -5),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color=lettering(colour),
            fontweight="bold",
        )
    ax.set(xlim=(0, last + 1.3), ylim=(0, 1.19), xlabel=place_label, ylabel="Surviving")
    ax.set_xticks(range(last + 1))
    ax.set_yticks(np.linspace(0, 1, 5))
    ax.set_yticklabels([prose.percent(tick) for tick in np.linspace(0, 1, 5)])
    lines = (
        "Points: published, with intervals",
        "Shaded: all orders of deaths, nobody lost",
        "Dashed: one order, assumed",
        "The order itself is not stated",
    )
    # Below the axis: where the plot is free depends on how many died.
    at = moved(ax, ax.transAxes, y=-44)
    ax.text(0, 0, "\n".join(lines), va="top", linespacing=1.35, transform=at)
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
    panels = _panels(len(data_sets), height=5.0)
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
            for letter, arm, other, colour in zip("ab", arms, PLACES, ARM_COLOURS, strict=True):
                name = plain(arm, other, width=20)
                middle = ordered.index[ordered["arm"] == letter].to_numpy().mean()
                words = f"{name}\n{prose.counted(sizes[letter], 'patient')}"
                style = {"ha": "right", "va": "center", "color": lettering(colour)}
                at = moved(panel, panel.get_yaxis_transform(), x=-6)
                panel.text(0, middle, words, style, rotation=90, transform=at)
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
    panels = _panels(len(data_sets), height=4.2)
    for panel, (name, mine) in zip(panels, data_sets, strict=True):
        fell = mine["after"] < mine["before"]
        for patient, down in zip(mine.to_dict("records"), fell, strict=True):
            doses = patient["before"], patient["after"]
            panel.plot([0, 1], doses, color=PURPLE if down else GREY, linewidth=1.6, alpha=0.8)
        medians: list[str] = []
        for x, column in enumerate(("before", "after")):
            median = mine[column].median()
            medians.append(f"median {prose.decimal(median, 1)}")
            panel.plot([x - 0.13, x + 0.13], [median, median], color=INK, linewidth=3.5, zorder=4)
        _head(panel, f"{name}\ndose fell in {prose.out_of(int(fell.sum()), len(mine))}")
        moments = zip(("baseline", "week 8"), medians, strict=True)
        panel.set_xticks([0, 1], ["\n".join(words) for words in moments])
        panel.set_xlim(-0.5, 1.5)
    panels[0].set_ylabel(f"Daily dose ({unit})")
    return panels


def _panels(n: int, height: float) -> NDArray:
    """Return the axes of panels beside each other, with one axis of values."""
    size = WIDTH_INCHES, height
    options: dict[str, Any] = {"sharey": True, "squeeze": False, "layout": "constrained"}
    return plt.subplots(1, n, figsize=size, **options)[1][0]


def _head(panel: Axes, heading: str) -> None:
    """Write a heading over a panel of invented patients."""
    style = {"ha": "center", "va": "bottom", "transform": moved(panel, panel.transAxes, y=4)}
    panel.text(0.5, 1, f"{heading}\n{_INVENTED}", style)
