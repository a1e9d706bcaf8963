"""Figures of the book itself: verdicts, modules, durations."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from rdmas.paper.verdicts import BASES, VERDICTS
from rdmas.show import prose
from rdmas.show.figures._style import (
    GREY,
    LIGHT,
    PALE,
    PURPLE,
    VERDICT_COLOURS,
    named_rows,
    new_axes,
)

#: Shape of each verdict; what cannot be checked is hollow.
_MARKS = {
    "reproduced": "o",
    "consistent": "s",
    "compatible": "D",
    "not reproduced": "X",
    "not checkable": "o",
}
_IN_A_LINE = 5


def plot_scoreboard(board: pd.DataFrame) -> Axes:
    """Draw a mark for every claim, in the row of its verdict and the column of its basis.

    Parameters
    ----------
    board : pandas.DataFrame
        From `rdmas.paper.claims.scoreboard`.
    """
    bases = [basis for basis in BASES if basis != "data" or basis in set(board["basis"])]
    found = board.groupby(["verdict", "basis"]).size().to_dict()
    lines = [
        max(-(-found.get((verdict, basis), 0) // _IN_A_LINE) for basis in bases)
        for verdict in VERDICTS
    ]
    # In inches: a line of letters, and lines of marks.
    high = np.array([0.32 + 0.18 * max(number, 1) for number in lines])
    tops = np.cumsum(high) - high
    ax = new_axes(height=high.sum() + 0.4)
    for verdict, top in zip(VERDICTS, tops, strict=True):
        ax.axhline(top, color=LIGHT, linewidth=0.7, zorder=0)
        colour = VERDICT_COLOURS[verdict]
        face = "none" if verdict == "not checkable" else colour
        for column, basis in enumerate(bases):
            if number := found.get((verdict, basis), 0):
                line, place = np.divmod(np.arange(number), _IN_A_LINE)
                x, y = column - 0.36 + 0.17 * place, top + 0.34 + 0.18 * line
                ax.scatter(
                    x, y, 42, marker=_MARKS[verdict], facecolors=face, edgecolors=colour, lw=1.6
                )
                ax.text(column - 0.41, top + 0.06, prose.count(number), va="top", weight="bold")
    ax.set_yticks(tops + 0.15, VERDICTS)
    ax.set_xticks(range(len(bases)), bases)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(-0.5, len(bases) - 0.5), ylim=(high.sum(), 0), xlabel="", ylabel="")
    sns.despine(ax=ax, left=True, bottom=True, top=True)
    return ax


def plot_layers(modules: pd.DataFrame) -> Axes:
    """Draw the rooms of a package, how many modules they hold, and which room uses which.

    Parameters
    ----------
    modules : pandas.DataFrame
        Columns ``room``, ``level`` of the room (0 at the bottom), ``module`` and ``imports``
        (list of modules, with their rooms).
    """
    rooms = {str(name): members for name, members in modules.groupby("room", sort=False)}
    levels = {name: int(members["level"].iloc[0]) for name, members in rooms.items()}
    spans = _spans(levels)
    ax = new_axes(1.0 * (max(levels.values()) + 1))
    for name, members in rooms.items():
        (low, high), level = spans[name], levels[name]
        ax.add_patch(
            FancyBboxPatch(
                (low, level - 0.32),
                high - low,
                0.64,
                boxstyle="round,pad=0,rounding_size=0.02",
                mutation_aspect=4,
                facecolor=PALE,
                edgecolor=PURPLE,
            )
        )
        held = prose.counted(len(members), "module")
        for text, up, weight in ((name, 0.12, "bold"), (held, -0.12, "normal")):
            middle = {"ha": "center", "va": "center", "weight": weight}
            ax.text((low + high) / 2, level + up, text, middle)
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
    taken = [f"{prose.decimal(seconds, 3)} s" for seconds in durations["seconds"]]
    ax, rows = named_rows(durations["name"], taken)
    ax.barh(rows, durations["seconds"], height=8, color=PURPLE)
    ax.set(xlabel="Seconds on the machine that built this page")
    return ax
