"""Figures of the book itself: verdicts, modules, durations."""

import textwrap
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from rdmas.paper.verdicts import BASES
from rdmas.show import prose
from rdmas.show.figures._style import BASIS_COLOURS, BLUE, GREY, LIGHT, VERMILION, new_axes, note

#: Shape of each verdict; what cannot be checked is hollow.
_MARKS = {
    "reproduced": "o",
    "consistent": "s",
    "compatible": "D",
    "not reproduced": "X",
    "not checkable": "o",
}


def plot_scoreboard(board: pd.DataFrame) -> Axes:
    """Draw every claim on the basis that carries it.

    Parameters
    ----------
    board : pandas.DataFrame
        From `rdmas.paper.claims.scoreboard`.
    """
    ax = new_axes(height=0.29 * len(board) + 1.1)
    bases = [basis for basis in BASES if basis != "data" or basis in set(board["basis"])]
    for row, claim in enumerate(board.to_dict("records")):
        ax.axhline(row, color=LIGHT, linewidth=0.7, zorder=0)
        place = bases.index(claim["basis"]), row
        _mark(ax, place, claim["verdict"], claim["basis"], s=95, linewidths=1.8, zorder=3)
    ax.set_yticks(range(len(board)))
    ax.set_yticklabels(board["id"].str.replace("_", " ") + ":  " + board["reported"], fontsize=9.5)
    ax.set_xticks(range(len(bases)))
    ax.set_xticklabels(bases)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(-0.5, len(bases) - 0.5), ylim=(len(board) + 0.9, -0.7), xlabel="", ylabel="")
    sns.despine(ax=ax, left=True, bottom=True, top=True)
    for number, verdict in enumerate(_MARKS):
        x, y = -0.45 + 1.4 * (number % 3), len(board) - 0.1 + 0.75 * (number // 3)
        basis = "none" if verdict == "not checkable" else "counts"
        _mark(ax, (x, y), verdict, basis, s=70, linewidths=1.5, clip_on=False)
        ax.text(x + 0.12, y, verdict, va="center", fontsize=9.5)
    return ax


def _mark(ax: Axes, place: tuple[float, float], verdict: str, basis: str, **options: Any) -> None:
    """Mark a verdict by shape, and by the colour of what it rests on."""
    colour = VERMILION if verdict == "not reproduced" else BASIS_COLOURS[basis]
    face = "white" if verdict == "not checkable" else colour
    ax.scatter(*place, marker=_MARKS[verdict], facecolors=face, edgecolors=colour, **options)


def plot_layers(modules: pd.DataFrame) -> Axes:
    """Draw the rooms of a package with their modules, and which room uses which.

    Parameters
    ----------
    modules : pandas.DataFrame
        Columns ``room``, ``level`` of the room (0 at the bottom), ``module`` and ``imports``
        (list of modules, with their rooms).
    """
    rooms = {str(name): members for name, members in modules.groupby("room", sort=False)}
    levels = {name: int(members["level"].iloc[0]) for name, members in rooms.items()}
    spans = _spans(levels)
    ax = new_axes(1.2 * (max(levels.values()) + 1), labels_inside=True)
    for name, members in rooms.items():
        (low, high), level = spans[name], levels[name]
        ax.add_patch(
            FancyBboxPatch(
                (low, level - 0.32),
                width := high - low,
                0.64,
                boxstyle="round,pad=0,rounding_size=0.02",
                mutation_aspect=4,
                facecolor="#E8F1F8",
                edgecolor=BLUE,
            )
        )
        listed = textwrap.fill(", ".join(members["module"]), int(82 * width))
        for text, up, style in ((name, 0.2, {"weight": "bold"}), (listed, -0.08, {"size": 9.5})):
            ax.text((low + high) / 2, level + up, text, style, ha="center", va="center")
        used = {target.partition(".")[0] for targets in members["imports"] for target in targets}
        for other in sorted(used & set(rooms) - {name}):
            x = _free_column(name, other, spans, levels)
            ax.annotate(
                "",
                xy=(x, levels[other] + 0.32),
                xytext=(x, level - 0.32),
                arrowprops={"arrowstyle": "->", "color": GREY, "shrinkA": 0, "shrinkB": 0},
            )
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.35, max(levels.values()) + 0.35))
    ax.axis("off")
    return ax


def _spans(levels: dict[str, int]) -> dict[str, tuple[float, float]]:
    """Return both ends of each room's box, such that arrows find a way between and beside."""
    spans = {}
    for level in set(levels.values()):
        names = [name for name, own in levels.items() if own == level]
        left, right, gap = 0.04, 0.96, 0.08
        if level in (0, max(levels.values())):
            left, right = 0.0, 1.0
        elif len(names) == 1:
            left, right = 0.24, 0.76
        width = (right - left + gap) / len(names) - gap
        for place, name in enumerate(names):
            low = left + place * (width + gap)
            spans[name] = low, low + width
    return spans


def _free_column(
    room: str, other: str, spans: dict[str, tuple[float, float]], levels: dict[str, int]
) -> float:
    """Return where an arrow goes straight down from one room to another, clear of the others."""
    between = [name for name in levels if levels[other] < levels[name] < levels[room]]

    def clearance(x: float) -> float:
        inside = [min(x - spans[name][0], spans[name][1] - x) for name in (room, other)]
        outside = [max(spans[name][0] - x, x - spans[name][1]) for name in between]
        return min(inside + outside)

    return max((column / 100 for column in range(1, 100)), key=clearance)


def plot_durations(durations: pd.DataFrame) -> Axes:
    """Draw how long things took.

    Parameters
    ----------
    durations : pandas.DataFrame
        Columns ``name`` and ``seconds``.
    """
    ax = new_axes(height=0.42 * len(durations) + 0.9)
    sns.barplot(durations, x="seconds", y="name", color=BLUE, ax=ax)
    for row, seconds in enumerate(durations["seconds"]):
        note(ax, f"{prose.decimal(seconds, 3)} s", (seconds, row), (5, 0), va="center")
    ax.set(xlabel="Seconds on the machine that built this page", ylabel="")
    ax.set_xlim(0, durations["seconds"].max() * 1.25)
    return ax
