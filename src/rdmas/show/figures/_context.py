"""Figures that set a cohort beside others."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, MultipleLocator

from rdmas.show import prose
from rdmas.show.figures._style import (
    GREY,
    LIGHT,
    WIDTH_INCHES,
    as_percent,
    lettering,
    moved,
    new_axes,
    note,
)
from rdmas.stats.pooling import Heterogeneity


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
    size = (WIDTH_INCHES, 2.4 * len(panels) + 0.3)
    axes = plt.subplots(len(panels), figsize=size, layout="constrained", squeeze=False)[1][:, 0]
    for panel, (heading, mine) in zip(axes, panels, strict=True):
        shades = [row["colour"] if row["marked"] else LIGHT for row in mine.to_dict("records")]
        panel.bar(mine["events"], mine["probability"], color=shades, width=0.86)
        observed = mine[mine["observed"]].iloc[0]
        # Above all bars; beside the axis the words would run over its numbers.
        highest = mine["probability"].max()
        near_axis = observed["events"] < mine["events"].max() / 8
        panel.annotate(
            f"observed: {observed['events']}",
            (observed["events"], observed["probability"]),
            (observed["events"], 1.08 * highest),
            ha="left" if near_axis else "center",
            fontweight="bold",
            color=lettering(observed["colour"]),
            arrowprops={"arrowstyle": "->", "color": observed["colour"]},
        )
        shaded = prose.percent(mine.loc[mine["marked"], "probability"].sum(), 1)
        corner = {"transform": panel.transAxes, "ha": "right", "va": "top"}
        panel.text(1, 0.98, f"{heading}\nshaded: {shaded}", corner)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        # Whole percentages only: steps of 2.5 would be printed as 3, 5, 8.
        panel.yaxis.set_major_locator(MultipleLocator(0.05))
        as_percent(panel.yaxis)
        panel.set(
            ylabel="Probability",
            xlim=(-0.6, mine["events"].max() + 0.6),
            ylim=(0, 1.65 * highest),
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
    ax = new_axes(height=3.6)
    for line, (name, curve) in enumerate(curves.groupby("name", sort=False)):
        colour = curve["colour"].iloc[0]
        curve = curve.iloc[:: max(1, len(curve) // 120)]
        ax.plot(curve["proportion"], curve["density"], color=colour, linewidth=2.4)
        ax.fill_between(curve["proportion"], curve["density"], color=colour, alpha=0.08)
        # Peaks may lie close together, so names stand below each other in the free corner.
        corner = moved(ax, ax.transAxes, -2, -4 - 17 * line)
        style = {"ha": "right", "va": "top", "color": lettering(colour), "fontweight": "bold"}
        ax.text(1, 1, str(name), style, transform=corner)
    ax.set(xlabel=label, ylabel="Density", xlim=(0, 1), ylim=(0, curves["density"].max() * 1.15))
    as_percent(ax.xaxis)
    ax.set_yticks([])
    return ax


def plot_shares_by_spread(curves: pd.DataFrame, spread: Heterogeneity, alpha: float) -> Axes:
    """Draw how often pairs of cohorts differ against the spread between cohorts.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns ``name``, ``tau``, ``share`` and ``colour``, a few names.
    spread : rdmas.stats.pooling.Heterogeneity
        The fitted spread, which is marked, and its limits, which are shaded.
    alpha : float
        Level of the test, drawn as a line.
    """
    ax = new_axes(height=4.2)
    fitted, widest = spread.between_study_sd_logit, curves["tau"].max()
    limits = spread.between_study_sd_low, min(spread.between_study_sd_high, widest)
    ax.axvspan(*limits, color=LIGHT, alpha=0.5, linewidth=0)
    # Names stand in the upper part, which the line does not enter.
    ax.axvline(fitted, ymax=0.72, color=GREY, linewidth=1.2)
    above = ax.get_xaxis_transform()
    ax.text(fitted, 0.73, "fitted", transform=above, ha="center")
    ax.axhline(alpha, color=GREY, linewidth=1.2, linestyle=(0, (4, 3)))
    ax.text(widest, alpha, prose.percent(alpha) + " ", ha="right", va="bottom")
    on_white = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1}
    for line, (name, curve) in enumerate(curves.groupby("name", sort=False)):
        colour = curve["colour"].iloc[0]
        ax.plot(curve["tau"], curve["share"], color=colour, linewidth=2.4)
        share = float(np.interp(fitted, curve["tau"], curve["share"]))
        ax.plot([fitted], [share], "o", color=colour, markersize=6)
        bold = {"color": lettering(colour), "fontweight": "bold", "bbox": on_white}
        note(ax, prose.percent(share, 1), (fitted, share), (7, -3), va="top", **bold)
        corner = moved(ax, ax.transAxes, 6, -4 - 17 * line)
        ax.text(0, 1, str(name), bold, va="top", transform=corner)
    ax.set(
        xlabel="Spread between cohorts (SD of log odds)",
        ylabel="Share of pairs of cohorts",
        xlim=(0, widest),
        ylim=(0, 1.45 * curves["share"].max()),
    )
    as_percent(ax.yaxis)
    return ax
