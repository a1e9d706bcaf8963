"""Figures that set a cohort beside others."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from rdmas.show import prose
from rdmas.show.figures._style import LIGHT, WIDTH_INCHES, new_axes


def plot_predictive_counts(counts: pd.DataFrame, label: str) -> np.ndarray:
    """Draw how many events a new cohort would have, and mark those a real one had.

    Parameters
    ----------
    counts : pandas.DataFrame
        Columns ``panel`` (heading), ``events``, ``probability``, ``marked`` (whether the count
        is as extreme as the observed one), ``observed`` (whether it is the observed one) and
        ``colour`` of marked counts.
    label : str
        What is counted.

    Returns
    -------
    numpy.ndarray of matplotlib.axes.Axes
        One for each panel.
    """
    panels = counts["panel"].drop_duplicates().tolist()
    size = (WIDTH_INCHES, 2.3 * len(panels) + 0.3)
    axes = plt.subplots(len(panels), figsize=size, layout="constrained", squeeze=False)[1][:, 0]
    for panel, heading in zip(axes, panels, strict=True):
        mine = counts[counts["panel"] == heading]
        shades = [row["colour"] if row["marked"] else LIGHT for row in mine.to_dict("records")]
        panel.bar(mine["events"], mine["probability"], color=shades, width=0.86)
        observed = mine[mine["observed"]].iloc[0]
        panel.annotate(
            f"observed: {observed['events']}",
            (observed["events"], observed["probability"]),
            xytext=(0, 20),
            textcoords="offset points",
            ha="center",
            fontsize=10,
            fontweight="bold",
            color=observed["colour"],
            arrowprops={"arrowstyle": "->", "color": observed["colour"]},
        )
        shaded = prose.percent(mine.loc[mine["marked"], "probability"].sum(), 1)
        panel.text(
            1,
            0.98,
            f"{heading}\nshaded: {shaded}",
            transform=panel.transAxes,
            ha="right",
            va="top",
            fontsize=10,
        )
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        # Whole percentages only: steps of 2.5 would be printed as 3, 5, 8.
        panel.yaxis.set_major_locator(MultipleLocator(0.05))
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: prose.percent(value)))
        panel.set(
            ylabel="Probability",
            xlim=(-0.6, mine["events"].max() + 0.6),
            ylim=(0, mine["probability"].max() * 1.3),
        )
    axes[-1].set_xlabel(label)
    return axes


def plot_densities(curves: pd.DataFrame, label: str) -> Axes:
    """Draw distributions of a proportion, each named in its colour.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns ``name``, ``proportion``, ``density`` and ``colour``.
    label : str
        Label of the proportion.

    Returns
    -------
    matplotlib.axes.Axes
    """
    ax = new_axes(height=3.9)
    for line, name in enumerate(curves["name"].unique()):
        curve = curves[curves["name"] == name]
        colour = curve["colour"].iloc[0]
        ax.plot(curve["proportion"], curve["density"], color=colour, linewidth=2.4)
        ax.fill_between(curve["proportion"], curve["density"], color=colour, alpha=0.08)
        # Peaks may lie close together, so names stand below each other in the free corner.
        ax.text(
            0.99,
            0.97 - 0.09 * line,
            name,
            transform=ax.transAxes,
            ha="right",
            va="top",
            color=colour,
            fontsize=10.5,
            fontweight="bold",
        )
    ax.set(xlabel=label, ylabel="Density", xlim=(0, 1), ylim=(0, curves["density"].max() * 1.15))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: prose.percent(value)))
    ax.set_yticks([])
    return ax
