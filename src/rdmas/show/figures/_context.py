"""Figures that set a cohort beside others."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator

from rdmas.show import prose
from rdmas.show.figures._style import LIGHT, WIDTH_INCHES, as_percent, new_axes, note


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
    """
    panels = counts.groupby("panel", sort=False)
    size = (WIDTH_INCHES, 2.3 * len(panels) + 0.3)
    axes = plt.subplots(len(panels), figsize=size, layout="constrained", squeeze=False)[1][:, 0]
    for panel, (heading, mine) in zip(axes, panels, strict=True):
        shades = [row["colour"] if row["marked"] else LIGHT for row in mine.to_dict("records")]
        panel.bar(mine["events"], mine["probability"], color=shades, width=0.86)
        observed = mine[mine["observed"]].iloc[0]
        note(
            panel,
            f"observed: {observed['events']}",
            (observed["events"], observed["probability"]),
            (0, 20),
            ha="center",
            fontweight="bold",
            color=observed["colour"],
            arrowprops={"arrowstyle": "->", "color": observed["colour"]},
        )
        shaded = prose.percent(mine.loc[mine["marked"], "probability"].sum(), 1)
        corner = {"transform": panel.transAxes, "ha": "right", "va": "top", "fontsize": 10}
        panel.text(1, 0.98, f"{heading}\nshaded: {shaded}", corner)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        # Whole percentages only: steps of 2.5 would be printed as 3, 5, 8.
        panel.yaxis.set_major_locator(MultipleLocator(0.05))
        as_percent(panel.yaxis)
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
    """
    ax = new_axes(height=3.9)
    corner = {"transform": ax.transAxes, "ha": "right", "va": "top", "fontsize": 10.5}
    for line, (name, curve) in enumerate(curves.groupby("name", sort=False)):
        colour = curve["colour"].iloc[0]
        ax.plot(curve["proportion"], curve["density"], color=colour, linewidth=2.4)
        ax.fill_between(curve["proportion"], curve["density"], color=colour, alpha=0.08)
        # Peaks may lie close together, so names stand below each other in the free corner.
        ax.text(0.99, 0.97 - 0.09 * line, str(name), corner, color=colour, fontweight="bold")
    ax.set(xlabel=label, ylabel="Density", xlim=(0, 1), ylim=(0, curves["density"].max() * 1.15))
    as_percent(ax.xaxis)
    ax.set_yticks([])
    return ax
