"""Figures of sturdiness and context: each draws what its data say.

The oracle is the data given to the figure, compared with what matplotlib's artists hold.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from rdmas.show import figures
from rdmas.show.figures._style import INK, LIGHT
from rdmas.stats.pooling import Heterogeneity


@pytest.fixture(autouse=True)
def agg_figures():
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


CURVES = pd.DataFrame(
    [
        (prior, margin, 0.9 - margin - shift)
        for prior, shift in (("first", 0.0), ("second", 0.1))
        for margin in (-0.1, 0.0, 0.1, 0.2)
    ],
    columns=["prior", "margin", "probability"],
)
MAP = pd.DataFrame(
    [
        (a, b, test, b - a >= least)
        for test, least in (("strict", 3), ("lenient", 2))
        for a in range(4)
        for b in range(5)
    ],
    columns=["events_a", "events_b", "test", "significant"],
)
DISCOUNT = pd.DataFrame(
    {
        "weight": [0.0, 0.5, 1.0],
        "estimate": [0.3, 0.3, 0.3],
        "low": [-0.2, 0.05, 0.1],
        "high": [0.9, 0.6, 0.5],
    }
)
BOUNDING = pd.DataFrame(
    {"curve": ["estimate"] * 3, "with_group": [2.0, 3.0, 10.0], "with_outcome": [10.0, 3.0, 2.0]}
)
GRID = pd.DataFrame(
    [(0, 0, 0.0115), (0, 1, 0.03), (1, 0, 0.04), (1, 1, 0.07)],
    columns=["wrong_a", "wrong_b", "p_value"],
)
FOREST = pd.DataFrame(
    [
        ("cohorts", "A", "5/9", 0.55, 0.26, 0.81, "cohort", 9),
        ("cohorts", "B", "0/20", 0.0, 0.0, 0.16, "cohort", 20),
        ("summary", "pooled", "12% to 29%", 0.19, 0.12, 0.29, "summary", 0),
        ("summary", "new", "4% to 56%", np.nan, 0.04, 0.56, "prediction", 0),
    ],
    columns=["section", "name", "text", "estimate", "low", "high", "kind", "n"],
).assign(colour="#8C8C8C")
PREDICTED = pd.DataFrame(
    [("upper", k, p, k >= 2, k == 2, "#D55E00") for k, p in enumerate((0.5, 0.3, 0.15, 0.05))]
    + [("lower", k, p, k <= 1, k == 1, "#0072B2") for k, p in enumerate((0.5, 0.3, 0.15, 0.05))],
    columns=["panel", "events", "probability", "marked", "observed", "colour"],
)
DENSITIES = pd.DataFrame(
    {
        "name": ["prior"] * 3 + ["posterior"] * 3,
        "proportion": [0.1, 0.5, 0.9] * 2,
        "density": [1.0, 2.0, 1.0, 0.5, 1.0, 4.0],
        "colour": ["#8C8C8C"] * 3 + ["#0072B2"] * 3,
    }
)


def test_probabilities_are_written_at_the_margins_under_the_first_prior():
    ax = figures.plot_probability_better(CURVES, (0.0, 0.1))
    assert texts(ax) == ["more than 0 points: 90.0%", "more than 10 points: 80.0%"]
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 4]
    assert [list(line.get_ydata()) for line in drawn] == [
        list(curve) for _, curve in CURVES.groupby("prior", sort=False)["probability"]
    ]


def test_the_map_colours_tables_by_how_many_tests_find_them_significant():
    ax = figures.plot_significance_map(MAP, (0, 3), ("A", "B"), "deaths")
    state = np.asarray(ax.collections[0].get_array()).reshape(5, 4)
    for a in range(4):
        for b in range(5):
            assert state[b, a] == (2 if b - a >= 3 else 1 if b - a == 2 else 0)
    frame = [p for p in ax.patches if to_hex(p.get_edgecolor()) == INK.lower()]
    assert [(p.get_x(), p.get_y()) for p in frame] == [(-0.5, 2.5)]
    assert ax.get_xlabel() == "Deaths, A" and ax.get_ylabel() == "Deaths, B"


def test_the_weight_at_which_zero_enters_is_marked_only_if_there_is_one():
    marked = figures.plot_discount(DISCOUNT, 0.4, "difference")
    assert any("40% or less" in text for text in texts(marked))
    assert not any("or less" in t for t in texts(figures.plot_discount(DISCOUNT, None, "d")))
    assert marked.get_ylim()[0] < -0.2 and marked.get_ylim()[1] > 0.9


def test_bounding_curves_carry_their_e_value_on_the_diagonal():
    points = pd.DataFrame({"curve": ["estimate"], "e_value": [3.0]})
    ax = figures.plot_bounding_curves(BOUNDING, points)
    assert texts(ax) == ["estimate:\nE-value 3.0"]
    assert ax.collections[0].get_offsets()[0].tolist() == [3.0, 3.0]


def test_without_a_ratio_to_explain_the_axes_stay_empty():
    points = pd.DataFrame({"curve": [], "e_value": []})
    ax = figures.plot_bounding_curves(BOUNDING.head(0), points)
    assert texts(ax) == [] and not ax.collections
    assert ax.get_xlim() == ax.get_ylim() == (1, 10)


def test_cells_of_wrong_outcomes_hold_p_and_are_shaded_below_the_level():
    ax = figures.plot_wrong_outcomes(GRID, 0.05, ("A", "B"))
    assert texts(ax) == ["0.012", "0.040", "0.030", "0.070"]
    assert np.asarray(ax.collections[0].get_array()).ravel().tolist() == [1, 1, 1, 0]
    bold = [text.get_fontweight() for text in ax.texts]
    assert bold == ["bold", "bold", "bold", "normal"]


def test_the_forest_draws_squares_diamonds_and_bars_in_their_sections():
    ax = figures.plot_forest(FOREST, "died")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["A", "B", "pooled", "new"]
    assert texts(ax) == ["cohorts", "5/9", "0/20", "summary", "12% to 29%", "4% to 56%"]
    squares = [tuple(s.get_offsets()[0]) for s in ax.collections]
    assert squares == [(0.55, 1.0), (0.0, 2.0)]
    diamond = ax.patches[0].get_xy()
    assert (diamond[:, 0].min(), diamond[:, 0].max()) == (0.12, 0.29)
    ends = [[float(x) for x in line.get_xdata()] for line in ax.lines]
    assert ends == [[0.26, 0.81], [0.0, 0.16], [0.04, 0.56]]
    larger, smaller = (s.get_sizes()[0] for s in ax.collections[::-1])
    assert larger > smaller


def test_predicted_counts_shade_what_is_as_far_out_as_observed():
    axes = figures.plot_predictive_counts(PREDICTED, "deaths")
    for panel, colour, marked in zip(axes, ("#d55e00", "#0072b2"), ([2, 3], [0, 1]), strict=True):
        shades = [to_hex(bar.get_facecolor()) for bar in panel.patches]
        expected = [colour if k in marked else LIGHT.lower() for k in range(4)]
        assert shades == expected
    assert texts(axes[0]) == ["observed: 2", "upper\nshaded: 20.0%"]
    assert texts(axes[1]) == ["observed: 1", "lower\nshaded: 80.0%"]


def test_intervals_of_ratios_have_a_logarithmic_axis_and_a_line_at_no_difference():
    frame = pd.DataFrame(
        {"name": ["s", "n"], "estimate": [0.6, 0.1], "low": [0.3, 0.01], "high": [1.3, 0.6]}
    )
    ax = figures.plot_intervals(frame, "ratio", as_percent=False, reference=1, logarithmic=True)
    assert ax.get_xscale() == "log"
    assert list(ax.lines[0].get_xdata()) == [1, 1]
    assert ax.get_xlim()[0] < 0.01 and ax.get_xlim()[1] > 1.3


@pytest.mark.parametrize(("low", "high"), [(-0.55, -0.07), (-0.9, 0.3), (-0.2, 0.95)])
def test_differences_reach_below_zero_on_an_axis_of_percentages(low, high):
    frame = pd.DataFrame(
        {"name": ["d"], "estimate": [(low + high) / 2], "low": [low], "high": [high]}
    )
    ax = figures.plot_intervals(frame, "difference", reference=0)
    assert ax.get_xlim()[0] <= low and ax.get_xlim()[1] >= high
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert "0%" in labels and any(label.startswith("−") for label in labels)


def test_densities_are_named_in_their_colours():
    ax = figures.plot_densities(DENSITIES, "mortality")
    assert texts(ax) == ["prior", "posterior"]
    assert [text.get_color() for text in ax.texts] == [figures.lettering("#8C8C8C"), "#0072B2"]
    assert [to_hex(line.get_color()) for line in ax.lines] == ["#8c8c8c", "#0072b2"]
    assert list(ax.lines[1].get_ydata()) == [0.5, 1.0, 4.0]


SHARES = pd.DataFrame(
    {
        "name": ["both", "both", "both", "one", "one", "one"],
        "tau": [0.0, 0.5, 1.0] * 2,
        "share": [0.05, 0.1, 0.3, 0.02, 0.04, 0.1],
        "colour": ["#333333"] * 3 + ["#0072B2"] * 3,
    }
)


def test_shares_against_the_spread_are_marked_at_the_fitted_one_and_shaded_between_its_limits():
    spread = Heterogeneity(0.75, 0.25, np.inf, 2.0, 0.01)
    ax = figures.plot_shares_by_spread(SHARES, spread, 0.05)
    curves = {to_hex(line.get_color()): line for line in ax.lines if len(line.get_xdata()) == 3}
    assert list(curves["#333333"].get_ydata()) == [0.05, 0.1, 0.3]
    assert list(curves["#0072b2"].get_ydata()) == [0.02, 0.04, 0.1]
    marks = [line.get_xydata().tolist() for line in ax.lines if len(line.get_xdata()) == 1]
    # Half way between the points on either side.
    assert np.allclose(marks, [[[0.75, 0.2]], [[0.75, 0.07]]])
    shaded = ax.patches[0].get_bbox()
    assert (shaded.x0, shaded.x1) == (0.25, 1.0)
    assert {"5% ", "fitted", "both", "one", "20.0%", "7.0%"} <= set(texts(ax))
