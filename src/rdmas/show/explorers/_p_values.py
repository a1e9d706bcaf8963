"""Explorers of the P-value."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from IPython.display import Markdown

from rdmas.show import prose
from rdmas.show.explorers._explorer import Control, Drawn, Explorer, Words
from rdmas.show.figures import ARM_COLOURS, GREEN, GREY, INK
from rdmas.stats import rounding
from rdmas.stats.checks import Table

#: More orders than this are not stepped through; they are then evenly chosen.
_MOST_ORDERS = 100


def order_of_deaths(
    orders: pd.DataFrame, deaths: Table, reported: str, arms: Sequence[str]
) -> Explorer | Markdown:
    """Step through the orders of deaths: curves, log-rank P and what it prints as.

    Parameters
    ----------
    orders : pandas.DataFrame
        From `rdmas.stats.logrank.orderings`. Empty if they are too many to list, which is then
        said instead.
    deaths : rdmas.stats.checks.Table
        Deaths and patients of both arms.
    reported : str
        The printed P.
    arms : sequence of str
        Names of arms a and b.
    """
    if orders.empty:
        return Markdown("There are too many orders of deaths to step through.")
    chosen = np.unique(np.linspace(0, len(orders) - 1, min(len(orders), _MOST_ORDERS)).astype(int))
    orders = orders.iloc[chosen].reset_index(drop=True)
    hits = [rounding.reproduces(p_value, reported) for p_value in orders["p_value"]]
    decimals = rounding.parse(reported).decimals
    n_deaths = len(orders["order"].iloc[0])
    single = deaths.events_a == 1
    order = Control(
        "order",
        f"Place of the death with {arms[0]}" if single else "Order of deaths",
        [
            f"{places} of {n_deaths}" if single else " ".join(letters)
            for places, letters in zip(orders["places_a"], orders["order"], strict=True)
        ],
        hits.index(True) if True in hits else 0,
    )
    words = {
        "p": Words(["order"], [prose.p_value(p, decimals + 2) for p in orders["p_value"]]),
        "prints": Words(["order"], [_prints(p, reported, decimals) for p in orders["p_value"]]),
    }
    curves = pd.concat(
        [
            _curves(letters, deaths, arms).assign(state=s)
            for s, letters in enumerate(orders["order"])
        ]
    )
    p_values = pd.DataFrame({"state": orders.index, "p": orders["p_value"]})
    return Explorer(
        "orders",
        f"Move the death with {arms[0]} through its places, and see which print {reported}"
        if single
        else f"Step through the orders of deaths, and see which print {reported}",
        [order],
        [
            (_curve_chart(curves, order, arms), "Share alive in each arm as the deaths happen."),
            (_p_line(p_values, order, reported), "P of this order among those of all orders."),
        ],
        f"{'Place ' if single else ''}{{order}}: log-rank P = {{p}}, {{prints}}.",
        words,
    )


def _prints(p_value: float, reported: str, decimals: int) -> str:
    """Say how a P prints, and whether that is as reported."""
    if rounding.reproduces(p_value, reported):
        return f"which prints as the published {reported}"
    return f"which prints as {prose.p_value(p_value, decimals)} and not as {reported}"


def _curves(letters: str, deaths: Table, arms: Sequence[str]) -> pd.DataFrame:
    """Return the share alive in each arm after each death of an order, one row a point."""
    rows = []
    for letter, arm, n in zip("AB", arms, (deaths.n_a, deaths.n_b), strict=True):
        dead = np.cumsum([0, *(found == letter for found in letters), 0])
        rows += [
            {
                "arm": arm,
                "x": x,
                "alive": (n - d) / n,
                "died": 0 < x <= len(letters) and d > dead[x - 1],
            }
            for x, d in enumerate(dead)
        ]
    return pd.DataFrame(rows)


def _curve_chart(curves: pd.DataFrame, order: Control, arms: Sequence[str]) -> Drawn:
    """Draw two step curves with a mark at each death, each named at its end."""
    last = int(curves["x"].max())
    base = alt.Chart(curves).transform_filter(f"datum.state == {order.name}")
    x = alt.X(
        "x:Q",
        title="Order of deaths, first to last (not days)",
        scale=alt.Scale(domain=[0, last], nice=False),
        axis=alt.Axis(values=list(range(1, last)), format="d"),
    )
    y = alt.Y(
        "alive:Q",
        title="Alive",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]),
    )
    colour = alt.Color("arm:N", legend=None, scale=alt.Scale(domain=list(arms), range=ARM_COLOURS))
    shape = alt.Shape(
        "arm:N", legend=None, scale=alt.Scale(domain=list(arms), range=["diamond", "circle"])
    )
    return alt.layer(
        base.mark_line(interpolate="step-after", strokeWidth=2.5).encode(x, y, colour),
        base.transform_filter("datum.died")
        .mark_point(filled=True, size=110, opacity=1)
        .encode(x, y, alt.Color("arm:N", legend=None), shape),
        base.transform_filter(f"datum.x == {last}")
        .mark_text(align="right", dx=-2, dy=14, fontSize=13, fontWeight="bold")
        .encode(x, y, alt.Text("arm:N")),
        height=230,
    )


def _p_line(p_values: pd.DataFrame, order: Control, reported: str) -> Drawn:
    """Draw where P lies among all, and the values that print as reported."""
    low, high = (float(end) for end in rounding.rounding_interval(reported))
    ends = p_values["p"].min(), p_values["p"].max()
    domain = [min(low, ends[0]) * 0.97, max(high, ends[1]) * 1.03]
    x = alt.X(
        "p:Q",
        title="Log-rank P of every order; green: prints as published",
        scale=alt.Scale(domain=domain, nice=False, zero=False),
        axis=alt.Axis(tickCount=5),
    )
    band = alt.Chart(pd.DataFrame({"p": [low], "to": [high]}))
    dots = alt.Chart(p_values)
    return alt.layer(
        band.mark_rect(color=GREEN, opacity=0.3).encode(x, x2="to:Q"),
        dots.mark_point(filled=True, size=45, color=GREY, opacity=1).encode(x),
        dots.transform_filter(f"datum.state == {order.name}")
        .mark_point(filled=True, size=190, color=INK, opacity=1)
        .encode(x),
        height=44,
    )
