"""Explorers of how far a result carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
from IPython.display import Markdown

from rdmas.show import prose
from rdmas.show.explorers._explorer import Control, Drawn, Explorer, Words, equals
from rdmas.show.figures import GREEN, GREY, INK, LIGHT
from rdmas.show.figures._style import PALE_GREEN
from rdmas.stats import rounding
from rdmas.stats.checks import Table
from rdmas.stats.significance import significant

#: Events shown on each side of the published ones, where arms are larger than a screen.
_AROUND = 20

#: What switches outcomes, as columns of `fragility_by_test`: the arm and the change.
_WAYS = {
    "a_to_event": (1, 0),
    "a_to_non_event": (-1, 0),
    "b_to_event": (0, 1),
    "b_to_non_event": (0, -1),
}


def p_landscape(
    every_table: pd.DataFrame,
    by_test: pd.DataFrame,
    published: Table,
    reported: str,
    alpha: float,
    arms: Sequence[str],
    start: str = "chi2_n_minus_1",
) -> Explorer | Markdown:
    """Show P of every table that arms of these sizes can have, by test, with the fragility path.

    Parameters
    ----------
    every_table : pandas.DataFrame
        From `rdmas.stats.fragility.significance_map`; the events are deaths. Empty if there are too
        many tables, which is then said instead.
    by_test : pandas.DataFrame
        From `rdmas.stats.fragility.fragility_by_test`, of the published table.
    published : rdmas.stats.checks.Table
        Deaths and patients of both arms.
    reported : str
        The printed P.
    alpha : float
        Significance level.
    arms : sequence of str
        Names of arms a and b.
    start : str
        Key of the test shown first.
    """
    if every_table.empty:
        return Markdown("Arms of these sizes can have too many results to show each of them.")
    here = {"events_a": published.events_a, "events_b": published.events_b}
    for events, place in here.items():
        every_table = every_table[(every_table[events] - place).abs() <= _AROUND]
    names = dict(zip(every_table["key"], every_table["test"], strict=True))
    grids = {key: rows.set_index(list(here))["p_value"] for key, rows in every_table.groupby("key")}
    keys = list(names)
    deaths_a, deaths_b = (sorted(every_table[events].unique()) for events in here)
    test = Control("test", "Test", [*names.values()], keys.index(start), listed=True)
    a = Control(
        "a", f"Deaths, {arms[0]}", [*map(str, deaths_a)], deaths_a.index(published.events_a)
    )
    b = Control(
        "b", f"Deaths, {arms[1]}", [*map(str, deaths_b)], deaths_b.index(published.events_b)
    )
    by_key = by_test.set_index("key")
    paths = [_path(by_key.loc[key], published) for key in keys]
    p_values = [[[grids[key].loc[i, j] for j in deaths_b] for i in deaths_a] for key in keys]
    everywhere = ["test", "a", "b"]
    words = {
        "p": Words(everywhere, _nested(p_values, lambda p: _p(p, reported))),
        "prints": Words(everywhere, _nested(p_values, lambda p: _reads(p, reported, alpha))),
        "path": Words(["test"], [_say_path(path, alpha) for path in paths]),
    }
    cells = pd.DataFrame(
        [
            {
                "a": i,
                "b": j,
                "kind": "".join(_kind(p_values[t][i][j], alpha) for t in range(len(keys))),
                "prints": "".join(
                    str(int(rounding.reproduces(p_values[t][i][j], reported)))
                    for t in range(len(keys))
                ),
            }
            for i in range(len(deaths_a))
            for j in range(len(deaths_b))
        ]
    )
    steps = pd.DataFrame(
        [
            (t, x - deaths_a[0], y - deaths_b[0], step)
            for t, path in enumerate(paths)
            for step, (x, y) in enumerate(path)
        ],
        columns=["test", "a", "b", "step"],
    )
    return Explorer(
        "landscape",
        f"P of all {prose.count(len(cells))} results: the published one framed, with its fragility "
        f"path, the chosen one ringed; dots print as {reported}",
        [test, a, b],
        [(_landscape(cells, steps, (a, b), alpha), "A square for each pair of deaths, by P.")],
        f"Deaths {{a}} of {published.n_a} and {{b}} of {published.n_b}: P {{p}}, {{prints}}. "
        "From the published result, {path}.",
        words,
    )


def _nested(values: Any, say: Any) -> Any:
    """Word every value of nested lists."""
    return [_nested(v, say) for v in values] if isinstance(values, list) else say(values)


def _p(p_value: float, reported: str) -> str:
    return equals(p_value, rounding.parse(reported).decimals + 2)


def _reads(p_value: float, reported: str, alpha: float) -> str:
    """Word whether P is below the level and prints as reported."""
    if pd.isna(p_value):
        return "no test"
    below = f"{'below' if significant(p_value, alpha) else 'not below'} {alpha:g}"
    return below + (f", prints as {reported}" if rounding.reproduces(p_value, reported) else "")


def _kind(p_value: float, alpha: float) -> str:
    """Tell how small P is: 0 not below the level, 1 below it, 2 below a fifth of it."""
    return str(int(significant(p_value, alpha)) + int(significant(p_value, alpha / 5)))


def _path(row: pd.Series, published: Table) -> list[tuple[int, int]]:
    """Return the tables on the shortest way to a P that is not below the level."""
    ways = {way: int(row[way]) for way in _WAYS if pd.notna(row[way])}
    if not ways:
        return []
    way = min(ways, key=lambda name: ways[name])
    x, y = _WAYS[way]
    return [(published.events_a + s * x, published.events_b + s * y) for s in range(ways[way] + 1)]


def _say_path(path: list[tuple[int, int]], alpha: float) -> str:
    """Word the fragility of the published table under a test."""
    if not path:
        return f"no switches within one arm take P to {alpha:g}"
    switches = prose.counted(len(path) - 1, "outcome")
    return f"P of {alpha:g} or more takes {switches} switched in one arm"


def _landscape(
    cells: pd.DataFrame, steps: pd.DataFrame, deaths: tuple[Control, Control], alpha: float
) -> Drawn:
    """Draw the squares, the path, the published table and the one chosen."""
    a, b = deaths
    kinds = (f"P ≥ {alpha:g}", f"below {alpha:g}", f"below {alpha / 5:g}")

    def axis(control: Control) -> alt.Axis:
        names = ",".join(f"'{name}'" for name in control.positions)
        every = list(range(0, len(control.positions), 5))
        return alt.Axis(values=every, labelAngle=0, labelExpr=f"[{names}][datum.value]")

    x = alt.X("a:O", title=a.label, axis=axis(a))
    y = alt.Y("b:O", title=b.label, axis=axis(b), sort="descending")
    kind = alt.Color(
        "shown:N",
        scale=alt.Scale(domain=list(kinds), range=[LIGHT, PALE_GREEN, GREEN]),
        legend=alt.Legend(symbolType="square"),
    )
    names = ",".join(f"'{name}'" for name in kinds)
    squares = alt.Chart(cells).transform_calculate(shown=f"[{names}][+datum.kind[test]]")
    path = alt.Chart(steps).transform_filter("datum.test == test")
    published = alt.Chart(cells).transform_filter(f"datum.a == {a.start} && datum.b == {b.start}")
    chosen = alt.Chart(cells).transform_filter("datum.a == a && datum.b == b")
    return alt.layer(
        squares.mark_rect(stroke="#FFFFFF", strokeWidth=0.7, cursor="pointer").encode(x, y, kind),
        alt.Chart(cells)
        .transform_filter("datum.prints[test] == '1'")
        .mark_point(filled=True, size=22, color=INK, opacity=1)
        .encode(x, y),
        path.mark_line(color=INK, strokeWidth=2.5).encode(x, y, order="step:Q"),
        published.mark_point(
            shape="square", size=150, color=INK, strokeWidth=2.5, opacity=1
        ).encode(x, y),
        chosen.mark_point(shape="circle", size=230, color=INK, strokeWidth=2, opacity=1).encode(
            x, y
        ),
        height=340,
    )


def controls(rates: pd.DataFrame, weights: pd.DataFrame, deaths: Table, alpha: float) -> Explorer:
    """Suppose another true mortality of the controls, or count each of them for less.

    Parameters
    ----------
    rates : pandas.DataFrame
        From `rdmas.stats.controls.known_control_rate`, its rates evenly spaced, with ``low`` and
        ``high`` of an interval of the treated patients' own mortality.
    weights : pandas.DataFrame
        From `rdmas.stats.priors.power_prior_curve`, of survival.
    deaths : rdmas.stats.checks.Table
        Deaths and patients of both arms, that of the treatment first.
    alpha : float
        Significance level.
    """
    seen, among_controls = deaths.events_a / deaths.n_a, deaths.events_b / deaths.n_b
    by_rate = (
        rates.groupby("rate")
        .agg(
            smallest=("p_value", "min"),
            largest=("p_value", "max"),
            low=("low", "first"),
            high=("high", "first"),
        )
        .reset_index()
    )
    by_rate = by_rate.assign(
        place=range(len(by_rate)),
        estimate=by_rate["rate"] - seen,
        lower=by_rate["rate"] - by_rate["high"],
        upper=by_rate["rate"] - by_rate["low"],
    )
    by_weight = weights.assign(
        place=range(len(weights)),
        estimate=weights["median"],
        lower=weights["low"],
        upper=weights["high"],
    )
    rate = Control(
        "rate",
        "True mortality without treatment, if it were known",
        [prose.percent(value) for value in by_rate["rate"]],
        int((by_rate["rate"] - among_controls).abs().argmin()),
    )
    weight = Control(
        "weight",
        "What a historical control counts, in patients",
        [prose.decimal(value, 2) for value in by_weight["weight"]],
        len(by_weight) - 1,
    )
    p_values = list(zip(by_rate["smallest"], by_rate["largest"], strict=True))
    words = {
        "contrast": Words(["rate"], _points(by_rate)),
        "p": Words(["rate"], [prose.span(ends, 3) for ends in p_values]),
        "means": Words(["rate"], [_all_below(*ends, alpha) for ends in p_values]),
        "discounted": Words(["weight"], _points(by_weight)),
    }
    return Explorer(
        "controls",
        "Suppose other controls, and see the difference that is left",
        [rate, weight],
        [
            (
                _differences(by_rate, rate, "rate", "True mortality without treatment"),
                "The difference by supposed true mortality.",
            ),
            (
                _differences(by_weight, weight, "weight", "Weight of a historical control"),
                "The difference by weight of the controls.",
            ),
        ],
        "If {rate} die without treatment, the difference is {contrast} points; P = {p}, {means}. "
        "With each control counted as {weight} of a patient, it is {discounted} points.",
        words,
    )


def _points(frame: pd.DataFrame) -> list[str]:
    """Word differences in points with their intervals."""
    columns = (frame[name] for name in ("estimate", "lower", "upper"))
    rows = ([prose.decimal(100 * value, 0) for value in row] for row in zip(*columns, strict=True))
    return [f"{estimate} ({low} to {high})" for estimate, low, high in rows]


def _all_below(smallest: float, largest: float, alpha: float) -> str:
    """Word which variants of the test are below the level."""
    if significant(largest, alpha):
        return f"below {alpha:g}"
    return f"{'by variant' if significant(smallest, alpha) else 'not'} below {alpha:g}"


def _differences(frame: pd.DataFrame, control: Control, across: str, title: str) -> Drawn:
    """Draw a difference with its interval, zero, and where the control stands."""
    frame = frame[["place", across, "estimate", "lower", "upper"]].round(5)
    frame = frame.rename(columns={"place": control.name, across: "at"})
    x = alt.X(
        "at:Q", title=title, scale=alt.Scale(nice=False, domain=[0, 1]), axis=alt.Axis(format=".0%")
    )
    y = alt.Y(
        "lower:Q", title="Difference, points", axis=alt.Axis(labelExpr="round(100 * datum.value)")
    )
    base = alt.Chart(frame)
    now = base.transform_filter(f"datum.{control.name} == {control.name}")
    zero = alt.Chart(pd.DataFrame({"lower": [0]}))
    return alt.layer(
        base.mark_area(color=LIGHT).encode(x, y, y2="upper:Q"),
        base.mark_line(color=GREY, strokeWidth=2).encode(x, alt.Y("estimate:Q")),
        zero.mark_rule(color=INK, strokeDash=[5, 4]).encode(y=y),
        now.mark_rule(color=INK, strokeWidth=4).encode(x, y, y2="upper:Q"),
        now.mark_point(filled=True, size=100, color=INK, opacity=1).encode(x, alt.Y("estimate:Q")),
        height=170,
    )
