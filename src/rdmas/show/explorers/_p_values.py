"""Explorers of the P-value."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from IPython.display import Markdown

from rdmas.show import prose
from rdmas.show.explorers._explorer import Control, Drawn, Explorer, Words, equals
from rdmas.show.figures import ARM_COLOURS, GREEN, GREY, INK, LIGHT
from rdmas.stats import rounding, survival
from rdmas.stats.checks import Table
from rdmas.stats.logrank import PRange
from rdmas.stats.significance import significant

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
        "p": Words(["order"], [equals(p, decimals + 2) for p in orders["p_value"]]),
        "prints": Words(["order"], [_prints(p, reported, decimals) for p in orders["p_value"]]),
    }
    curves = pd.concat(
        [
            _curves(letters, deaths, arms).assign(order=s)
            for s, letters in enumerate(orders["order"])
        ]
    )
    p_values = pd.DataFrame({"order": orders.index, "p": orders["p_value"]})
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
        f"{'Place ' if single else ''}{{order}}: log-rank P {{p}}, {{prints}}.",
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
    base = alt.Chart(curves).transform_filter(f"datum.order == {order.name}")
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
        dots.transform_filter(f"datum.order == {order.name}")
        .mark_point(filled=True, size=190, color=INK, opacity=1)
        .encode(x),
        height=44,
    )


def unseen_followup(
    ranges: Sequence[PRange], reported: str, alpha: float, arms: Sequence[str]
) -> Explorer | Markdown:
    """Let follow-up of more and more survivors end early: the range of P, and who attains it.

    Parameters
    ----------
    ranges : sequence of rdmas.stats.logrank.PRange
        With at most 0, 1, 2, ... early ends. None if there is too much to search, and undefined if
        nobody died; that is then said instead.
    reported : str
        The printed P.
    alpha : float
        Significance level.
    arms : sequence of str
        Names of arms a and b.
    """
    if not ranges:
        return Markdown("There are too many orders of deaths and ends of follow-up to search.")
    if ranges[0].low_data is None:
        return Markdown("No order of deaths has a log-rank P.")
    lost = Control(
        "lost",
        "Survivors whose follow-up ended before the last death, at most",
        [str(number) for number in range(len(ranges))],
        0,
    )
    end = Control("end", "Curves drawn", ["largest P found", "smallest P"], listed=True)
    ends = [(found.high_attained, found.low) for found in ranges]
    words = {
        "range": Words(["lost"], [_range(found) for found in ranges]),
        "means": Words(["lost"], [_means(found, reported, alpha) for found in ranges]),
        "p": Words(["lost", "end"], [[equals(p, 5) for p in both] for both in ends]),
        "early": Words(["lost", "end"], [[_early(d) for d in _data(found)] for found in ranges]),
    }
    curves = pd.concat(
        [
            _attained(data, arms).assign(lost=number, end=which)
            for number, found in enumerate(ranges)
            for which, data in enumerate(_data(found))
        ]
    )
    return Explorer(
        "unseen",
        "Let follow-up end early, and see how far the log-rank P can go",
        [lost, end],
        [
            (_range_chart(ranges, lost, reported, alpha), "The range of P by early ends."),
            (_attained_chart(curves, lost, end, arms), "Survival curves that attain this P."),
        ],
        "At most {lost} early ends: log-rank P {range}; {means}. "
        "Curves: a data set with P {p}; {early}.",
        words,
    )


def _data(found: PRange) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the data sets with the largest P found and with the smallest."""
    if found.high_data is None or found.low_data is None:
        raise ValueError("P is undefined in every data set.")
    return found.high_data, found.low_data


def _range(found: PRange) -> str:
    """Word the range of P."""
    low = f"from {prose.p_value(found.low, 5)}"
    if found.high_is_bound:
        return f"{low} without an upper limit"
    return f"{low} to {prose.p_value(found.high, 5)}"


def _means(found: PRange, reported: str, alpha: float) -> str:
    """Word what the range means for the level, and for the printed value."""
    low, high = (float(end) for end in rounding.rounding_interval(reported))
    below = "always below" if significant(found.high, alpha) else "not always below"
    possible = "possible" if found.low <= high and low <= found.high_attained else "not possible"
    return f"{below} {alpha:g}, {reported} {possible}"


def _early(data: pd.DataFrame) -> str:
    """Word whose follow-up ends before the last death of a data set."""
    last = data.loc[data["died"], "time"].max()
    early = data[~data["died"] & (data["time"] < last)]
    if early.empty:
        return "nobody's ends early in it"
    number = early.groupby("arm").size()
    treated, controls = (prose.count(int(number.get(arm, 0))) for arm in "ab")
    return f"early ends in it: {treated} treated, {prose.counted(int(controls), 'control')}"


def _attained(data: pd.DataFrame, arms: Sequence[str]) -> pd.DataFrame:
    """Return Kaplan-Meier curves of a data set, with a mark where follow-up ends early."""
    curves = survival.kaplan_meier(data["time"], data["died"], data["arm"])
    last = data.loc[data["died"], "time"].max()
    ended = data[~data["died"] & (data["time"] < last)].groupby(["arm", "time"]).size()
    places = pd.MultiIndex.from_frame(curves[["arm", "time"]])
    names = dict(zip("ab", arms, strict=True))
    return pd.DataFrame(
        {
            "arm": curves["arm"].map(names),
            "x": curves["time"],
            "alive": curves["survival"].round(6),
            "ended": ended.reindex(places, fill_value=0).to_numpy() > 0,
        }
    )


def _attained_chart(
    curves: pd.DataFrame, lost: Control, end: Control, arms: Sequence[str]
) -> Drawn:
    """Draw the curves of one data set, with ticks where follow-up ends early."""
    drawn = f"datum.lost == {lost.name} && datum.end == {end.name}"
    base = alt.Chart(curves).transform_filter(drawn)
    last = float(curves["x"].max())
    scale, whole = alt.Scale(domain=[0, last], nice=False), alt.Axis(format="d", tickMinStep=1)
    x = alt.X("x:Q", title="Order of events; ticks: follow-up ends", scale=scale, axis=whole)
    y = alt.Y(
        "alive:Q",
        title="Alive, estimated",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1]),
    )
    colours = alt.Scale(domain=list(arms), range=ARM_COLOURS)
    colour = alt.Color("arm:N", legend=alt.Legend(symbolType="stroke"), scale=colours)
    return alt.layer(
        base.mark_line(interpolate="step-after", strokeWidth=2.5).encode(x, y, colour),
        base.transform_filter("datum.ended")
        .mark_tick(orient="vertical", size=13, thickness=2, opacity=1)
        .encode(x, y, colour),
        height=180,
    )


def _range_chart(ranges: Sequence[PRange], lost: Control, reported: str, alpha: float) -> Drawn:
    """Draw the range of P against early ends, and mark the number chosen."""
    floor = 1e-5
    low, high = (float(end) for end in rounding.rounding_interval(reported))
    frame = pd.DataFrame(
        [(number, max(found.low, floor), found.high) for number, found in enumerate(ranges)],
        columns=["lost", "low", "high"],
    )
    x = alt.X(
        "lost:Q",
        title="Early ends, at most",
        scale=alt.Scale(domain=[0, len(ranges) - 1], nice=False),
        axis=alt.Axis(format="d", tickMinStep=1),
    )
    axis = alt.Axis(values=[1e-5, 1e-4, 0.001, 0.01, 0.1, 1], labelExpr="format(datum.value, '~f')")
    scale = alt.Scale(type="log", domain=[floor, 1], nice=False)
    y = alt.Y("low:Q", title="Log-rank P", scale=scale, axis=axis)
    base = alt.Chart(frame)
    now = base.transform_filter(f"datum.lost == {lost.name}")
    band = alt.Chart(pd.DataFrame({"low": [low], "high": [high]}))
    level = alt.Chart(pd.DataFrame({"low": [alpha], "says": [f"{alpha:g}"]}))
    return alt.layer(
        base.mark_area(color=LIGHT).encode(x, y, y2="high:Q"),
        band.mark_rect(color=GREEN, opacity=0.5).encode(y=y, y2="high:Q"),
        level.mark_rule(color=INK, strokeDash=[5, 4]).encode(y=y),
        level.mark_text(align="right", dy=-8, x="width").encode(y=y, text="says:N"),
        now.mark_rule(color=INK, strokeWidth=4).encode(x, y, y2="high:Q"),
        now.mark_point(filled=True, size=70, color=INK, opacity=1).encode(x, y),
        now.mark_point(filled=True, size=70, color=INK, opacity=1).encode(x, alt.Y("high:Q")),
        height=210,
    )
