"""Tests that figures can be read: letters large enough on a phone, none on another, none cut off.

Beside the small frames of the other tests, drawers here have the sizes and the words of a real
book, and names of arms that are long or Chinese.
"""

from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import test_figures as small
import test_figures_sturdiness as sturdy
from matplotlib.text import Text

from rdmas.show import figures
from rdmas.show.figures import _style
from rdmas.stats.checks import Table
from rdmas.stats.pooling import Heterogeneity
from rdmas.stats.survival import at_risk, kaplan_meier, order_envelope

PHONE, LEAST = 358, 11  # width of the text, and height of letters, in pixels
LONG = (
    "anakinra and ciclosporin, later ruxolitinib",
    "whatever else the hospital gave before 2019",
)
CHINESE = ("芦可替尼联合糖皮质激素治疗组（二零二一年以后）", "对照组")
ARMS = {"paper": ("ruxolitinib", "control"), "long": LONG, "Chinese": CHINESE}
SHADES = figures.ARM_COLOURS


def plain(arms):
    """Name the arms as pages do that hand over rows with names."""
    return [figures.plain(arm, place) for arm, place in zip(arms, _style.PLACES, strict=True)]


def intervals(arms):
    arms, outcomes = plain(arms), ("complete", "complete or partial")
    rows = [
        (f"{arm}: {outcome}", c)
        for arm, c in zip(arms, SHADES, strict=True)
        for outcome in outcomes
    ]
    frame = pd.DataFrame(rows, columns=["name", "colour"])
    return frame.assign(estimate=-0.1, low=-0.57, high=0.35)


def forest(arms):
    cohorts = [("Main analysis", f"Cohort {n} 2017", f"{n}/41", "cohort") for n in range(9, 20)]
    sums = [
        ("Summary of these", "pooled, max. likelihood", "19% (11% to 29%)", "summary"),
        ("Summary of these", "a new cohort, Bayesian", "3% to 64%", "prediction"),
    ]
    own = [("This cohort", arm, "8/21", "cohort") for arm in plain(arms)]
    columns = ["section", "name", "text", "kind"]
    frame = pd.DataFrame([*cohorts, *sums, *own], columns=columns)
    return frame.assign(estimate=0.2, low=0.05, high=0.6, n=41, colour=figures.GREY)


def survival(arms):
    rng = np.random.default_rng(1)
    times, died = rng.integers(1, 700, 60), rng.random(60) < 0.4
    curves = kaplan_meier(times, died, [arms[0]] * 30 + [arms[1]] * 30)
    return curves, at_risk(curves, np.linspace(0, 690, 6).round())


def completeness(arms):
    names = ("Sex", "Response by week 8", "Glucocorticoid dose at baseline", "Length of follow-up")
    rows = [
        (name, arm, 28, 135, colour)
        for name in names
        for arm, colour in zip(arms, SHADES, strict=True)
    ]
    return pd.DataFrame(rows, columns=["name", "arm", "known", "patients", "colour"])


def doses(arms):
    rows = [
        (f"{arm}, at {moment}", value, colour)
        for arm, colour in zip(plain(arms), SHADES, strict=True)
        for moment in ("baseline", "week 8")
        for value in np.linspace(0.2, 4.6, 400)
    ]
    return pd.DataFrame(rows, columns=["name", "value", "colour"])


def quartiles(arms):
    groups = doses(arms).groupby(["name", "colour"], sort=False)["value"]
    rows = groups.quantile([0.25, 0.5, 0.75]).unstack().reset_index()
    rows.columns = ["name", "colour", "lower_quartile", "median", "upper_quartile"]
    return rows.assign(n=400)


def followup(arms):
    frame = pd.DataFrame(
        {"arm": ["a"] * 20 + ["b"] * 21, "time": 3.0, "died": [False, True] * 20 + [True]}
    )
    heading = "early ends: 6 control\nP = 0.0007"
    return figures.plot_followup({heading: frame, heading + " ": frame}, arms)


def ends(arms):
    return pd.DataFrame(
        {
            "name": list(arms),
            "count": [(19, 20), (13, 21)],
            "estimate": [0.95, 0.62],
            "low": [0.75, 0.38],
            "high": [1.0, 0.82],
        }
    )


def envelope(arms):
    assumed = kaplan_meier(
        [9] * 19 + [6] + [9] * 13 + [1, 2, 3, 4, 5, 7, 8, 9],
        [0] * 19 + [1] + [0] * 13 + [1] * 8,
        [arms[0]] * 20 + [arms[1]] * 21,
    )
    bands = order_envelope(1, 20, 8, 21)
    return figures.plot_order_envelope(bands, ends(arms), assumed, "Order of events (not days)")


def orders(arms):
    rows = ["".join("A" if n == place else "B" for n in range(9)) for place in range(9)]
    frame = pd.DataFrame({"order": rows, "p_value": np.linspace(0.00906, 0.01417, 9)})
    return figures.plot_orderings(frame, "0.011", arms)


def grid(arms):
    rows = [(a, b, 0.01 * (1 + a + b)) for a in range(5) for b in range(5)]
    frame = pd.DataFrame(rows, columns=["wrong_a", "wrong_b", "p_value"])
    return figures.plot_wrong_outcomes(frame, 0.05, arms)


def significance_map(arms):
    every = [(a, b, abs(a - b) > 6) for a in range(21) for b in range(22)]
    frame = pd.DataFrame(every, columns=["events_a", "events_b", "significant"])
    return figures.plot_significance_map(frame.assign(test="one"), (1, 8), arms, "deaths")


def provenance(arms):
    columns = ("Sex", "Daily glucocorticoid dose at baseline", "Cytomegalovirus infection", "Died")
    rows = [
        (f"{arm}{n}", arm, column, state)
        for arm in arms
        for n in range(20)
        for column, state in zip(columns, figures.STATE_COLOURS, strict=True)
    ]
    return figures.plot_provenance(
        pd.DataFrame(rows, columns=["patient", "arm", "column", "state"])
    )


def predictive(arms):
    chances = np.array([7, 11, 12.5, 12.4, 11, 10, 8, 6.5, 5, 4, 3, 2, 2, 1, 1]) / 100
    frames = [
        pd.DataFrame(
            {
                "panel": f"{name}: {observed} or more of 21",
                "events": range(len(chances)),
                "probability": chances,
                "colour": colour,
            }
        ).assign(
            marked=lambda f, k=observed: f["events"] >= k,
            observed=lambda f, k=observed: f["events"] == k,
        )
        for name, colour, observed in zip(("control", "ruxolitinib"), SHADES, (8, 1), strict=True)
    ]
    return figures.plot_predictive_counts(pd.concat(frames), "Deaths in a new cohort of that size")


def p_values():
    families = (
        "difference, pooled variance (chi-square)",
        "probability given the margins (Fisher)",
    )
    return pd.DataFrame(
        [(f"test {n}", 0.0104 * 1.02**n, families[n % 2]) for n in range(80)],
        columns=["test", "p_value", "statistic"],
    )


BY_ARMS = {
    "people": lambda arms: figures.plot_people(Table(1, 20, 8, 21), arms),
    "intervals": lambda arms: figures.plot_intervals(intervals(arms), "Difference", reference=0),
    "forest": lambda arms: figures.plot_forest(forest(arms), "Died"),
    "Kaplan-Meier": lambda arms: figures.plot_kaplan_meier(*survival(arms), arms, "Days"),
    "completeness": lambda arms: figures.plot_completeness(completeness(arms)),
    "doses": lambda arms: figures.plot_values(doses(arms), "Daily dose (mg/kg)"),
    "quartiles": lambda arms: figures.plot_quartiles(quartiles(arms), "Daily dose (mg/kg)"),
    "follow-up": followup,
    "envelope": envelope,
    "orders": orders,
    "wrong outcomes": grid,
    "map": significance_map,
    "provenance": provenance,
    "predictive": predictive,
}
LONGEST = "log-rank, at most 6 survivors' follow-up ending early, ties allowed"
OTHERS = {
    "P of many tests": lambda: figures.plot_p_values(p_values(), "0.011", 0.05),
    "P without a printed one": lambda: figures.plot_p_values(p_values(), None, 0.05),
    "attainable": lambda: figures.plot_attainable(
        pd.DataFrame({"name": [LONGEST], "low": [1e-9], "high": [0.06], "prints": [True]}),
        "0.011",
        0.05,
    ),
    "rounding of long names": lambda: figures.plot_rounding(
        pd.DataFrame(
            {"name": ["Boschloo, twice the smaller side", LONGEST], "value": [0.0118, 0.0105]}
        ),
        "0.011",
    ),
    "range": lambda: figures.plot_range_curve(small.CURVE, "0.011", 0.05),
    "ensemble": lambda: figures.plot_ensemble(
        pd.DataFrame(
            {
                "p_value": np.geomspace(1e-4, 0.2, 5000),
                "group": ["2 early ends", "4 early ends"] * 2500,
            }
        ),
        "0.011",
        0.05,
    ),
    "dose pairs": lambda: figures.plot_dose_pairs(small.PAIRS, "mg/kg"),
    "rooms": lambda: figures.plot_layers(small.MODULES),
    "better": lambda: figures.plot_probability_better(sturdy.CURVES, (0.0, 0.1)),
    "discount": lambda: figures.plot_discount(sturdy.DISCOUNT, 0.27, "Difference, points"),
    "bounding": lambda: figures.plot_bounding_curves(
        sturdy.BOUNDING, pd.DataFrame({"curve": ["estimate"], "e_value": [3.0]})
    ),
    "densities": lambda: figures.plot_densities(sturdy.DENSITIES, "Mortality"),
    "shares": lambda: figures.plot_shares_by_spread(
        sturdy.SHARES, Heterogeneity(0.75, 0.25, np.inf, 2.0, 0.01), 0.05
    ),
    "methods": lambda: figures.plot_intervals(
        sturdy.FOREST[:3].assign(name=["Clopper-Pearson", "Wald", "mid-P"]), "Patients"
    ),
    "ratios": lambda: figures.plot_intervals(
        pd.DataFrame(
            {"name": ["sceptical prior"], "estimate": [0.6], "low": [0.01], "high": [1.3]}
        ),
        "Odds ratio of death (logarithmic axis)",
        as_percent=False,
        reference=1,
        logarithmic=True,
    ),
}
DRAWERS = {f"small: {name}": draw for name, draw in small.DRAWERS.items()} | OTHERS
for _figure, _draw in BY_ARMS.items():
    for _kind, _arms in ARMS.items():
        DRAWERS[f"{_figure}, {_kind}"] = lambda draw=_draw, arms=_arms: draw(arms)


@pytest.fixture(autouse=True)
def styled():
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    with mpl.rc_context():
        figures.use_style()
        yield
    plt.close("all")
    plt.switch_backend(backend)


def written(ax):
    """Return every text that can be seen: of the plot, its legend and its axes."""
    found = [*ax.texts, ax.xaxis.label, ax.yaxis.label, ax.xaxis.offsetText, ax.yaxis.offsetText]
    if legend := ax.get_legend():
        found += [*legend.get_texts(), legend.get_title()]
    for axis in (ax.xaxis, ax.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick, place in zip(axis.get_major_ticks(), axis.get_majorticklocs(), strict=False):
            if low - 1e-9 <= place <= high + 1e-9:
                found += [tick.label1, tick.label2]
    return [
        text for text in found if ax.axison and text.get_visible() and text.get_text().strip()
    ] or [text for text in ax.texts if text.get_text().strip()]


@pytest.mark.parametrize("name", DRAWERS)
@pytest.mark.filterwarnings("error::UserWarning")
def test_letters_are_large_apart_and_inside_on_a_phone(name):
    drawn = np.ravel(DRAWERS[name]())
    figure = drawn[0].figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    saved = figure.get_tightbbox(renderer).padded(mpl.rcParams["savefig.pad_inches"])
    pixels = min(PHONE / (72 * saved.width), 96 / 72)  # a point of type as shown; never enlarged
    texts = [text for ax in drawn for text in written(ax)]
    assert texts
    for text in texts:
        assert text.get_fontsize() * pixels >= LEAST, text.get_text()
        assert "^" not in text.get_text() and "_{" not in text.get_text()  # small letters
    shown = pixels * 72 / figure.dpi
    # Of an annotation the words alone, without the arrow.
    boxes = [Text.get_window_extent(text, renderer) for text in texts]
    for text, box in zip(texts, boxes, strict=True):
        assert box.x0 > -2 and box.x1 < _style.WIDTH_INCHES * figure.dpi + 2, text.get_text()
    for (text, box), (other, its) in combinations(zip(texts, boxes, strict=True), 2):
        wide = (min(box.x1, its.x1) - max(box.x0, its.x0)) * shown
        high = (min(box.y1, its.y1) - max(box.y0, its.y0)) * shown
        assert min(wide, high) <= 2, (text.get_text(), other.get_text(), wide, high)
