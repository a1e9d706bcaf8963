"""Figures of the book itself: verdicts, modules, durations."""

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from rdmas.show import prose
from rdmas.show.figures._style import BASIS_COLOURS, BLUE, GREY, LIGHT, VERMILION, new_axes


def plot_scoreboard(board: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw every claim on the basis that carries it.

    Parameters
    ----------
    board : pandas.DataFrame
        From `rdmas.paper.claims.scoreboard`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = ax or new_axes(height=0.29 * len(board) + 1.1)
    markers = {
        "reproduced": "o",
        "reproduced under a stated convention": "D",
        "not reproduced": "X",
        "not checkable": "o",
    }
    bases = list(BASIS_COLOURS)
    for row, claim in enumerate(board.to_dict("records")):
        ax.axhline(row, color=LIGHT, linewidth=0.7, zorder=0)
        hollow = claim["verdict"] == "not checkable"
        colour = (
            VERMILION if claim["verdict"] == "not reproduced" else BASIS_COLOURS[claim["basis"]]
        )
        ax.scatter(
            bases.index(claim["basis"]),
            row,
            s=95,
            marker=markers[claim["verdict"]],
            facecolors="white" if hollow else colour,
            edgecolors=colour,
            linewidths=1.8,
            zorder=3,
        )
    ax.set_yticks(range(len(board)))
    ax.set_yticklabels(board["id"].str.replace("_", " ") + ":  " + board["reported"], fontsize=9.5)
    ax.set_xticks(range(len(bases)))
    ax.set_xticklabels(bases)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.set(xlim=(-0.5, len(bases) - 0.5), ylim=(len(board) + 0.9, -0.7), xlabel="", ylabel="")
    sns.despine(ax=ax, left=True, bottom=True, top=True)
    key = [
        ("reproduced", "o", BLUE),
        ("under a stated convention", "D", BLUE),
        ("not reproduced", "X", VERMILION),
        ("not checkable", "o", "white"),
    ]
    for place, (words, marker, colour) in enumerate(key):
        x, y = -0.45 + 2.1 * (place % 2), len(board) - 0.1 + 0.75 * (place // 2)
        ax.scatter(
            x,
            y,
            s=70,
            marker=marker,
            facecolors=colour,
            linewidths=1.5,
            edgecolors=GREY if colour == "white" else colour,
            clip_on=False,
        )
        ax.text(x + 0.12, y, words, va="center", fontsize=9.5)
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
    ax = ax or new_axes(height=1.15 * n_layers + 0.3)
    places = {}
    for layer, members in modules.groupby("layer"):
        # Many boxes in a row would overlap, so neighbours stand a little higher and lower.
        step = 0.17 if len(members) > 5 else 0
        for place, name in enumerate(sorted(members["module"])):
            places[name] = ((place + 0.5) / len(members), layer + step * (-1) ** place)
    for row in modules.to_dict("records"):
        for target in row["imports"]:
            ax.annotate(
                "",
                xy=(places[target][0], places[target][1] + 0.16),
                xytext=(places[row["module"]][0], places[row["module"]][1] - 0.16),
                arrowprops={"arrowstyle": "->", "color": GREY, "linewidth": 0.8},
            )
    for name, (x, y) in places.items():
        ax.text(
            x,
            y,
            name,
            ha="center",
            va="center",
            fontsize=9.5,
            zorder=3,
            bbox={"boxstyle": "round,pad=0.35", "facecolor": "#E8F1F8", "edgecolor": BLUE},
        )
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
    ax = ax or new_axes(height=0.42 * len(durations) + 0.9)
    sns.barplot(durations, x="seconds", y="name", color=BLUE, ax=ax)
    for row, seconds in enumerate(durations["seconds"]):
        ax.annotate(
            f"{prose.decimal(seconds, 3)} s",
            (seconds, row),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
        )
    ax.set(xlabel="Seconds on the machine that built this page", ylabel="")
    ax.set_xlim(0, durations["seconds"].max() * 1.25)
    return ax
