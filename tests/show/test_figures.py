"""Tests of rdmas.show.figures: each figure draws what its data say.

The oracle is the data given to the figure, compared with what matplotlib's artists hold.
"""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_hex, to_rgba
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

from rdmas.show import figures
from rdmas.stats.checks import Table
from rdmas.stats.survival import at_risk, kaplan_meier, order_envelope

SQUARE = 0.86  # side of one square of an icon array


@pytest.fixture(autouse=True)
def agg_figures():
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    yield
    plt.close("all")
    plt.switch_backend(backend)


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def xs(line):
    return [float(x) for x in line.get_xdata()]


def ys(line):
    return [float(y) for y in line.get_ydata()]


def colours(collection):
    return [to_hex(colour) for colour in collection.get_facecolors()]


def tick_labels(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


P_VALUES = pd.DataFrame(
    {
        "test": ["Fisher", "N\u22121", "Pearson", "Agresti-Caffo", "lower tie", "Yates"],
        "p_value": [0.020486, 0.011482, 0.010495, 0.011450, 0.0105, 0.062],
        "statistic": ["Fisher", "score", "score", "difference", "difference", "score"],
    }
)
ORDERS = pd.DataFrame({"order": ["ABBB", "BABB", "BBBA"], "p_value": [0.01417, 0.01101, 0.00906]})
COUNTS = pd.Series({"partial": 10, "complete": 6, "none": 4})
COUNT_COLOURS = {"partial": "#56b4e9", "complete": "#0072b2", "none": "#dddddd"}
CELLS = pd.DataFrame(
    [
        (patient, arm, column, state)
        for patient, arm, states in [
            ("t-2", "treated", ["reported", "assumed", "empty"]),
            ("t-1", "treated", ["reported", "assumed", "reported"]),
            ("c-1", "control", ["reported", "empty", "empty"]),
        ]
        for column, state in zip(["sex", "dose", "cmv"], states, strict=True)
    ],
    columns=["patient", "arm", "column", "state"],
)
INTERVALS = pd.DataFrame(
    {
        "name": ["Wilson", "exact"],
        "estimate": [0.2, 0.2],
        "low": [0.081, 0.057],
        "high": [0.416, 0.437],
    }
)
PAIRS = pd.DataFrame(
    {
        "data_set": ["all fell"] * 3 + ["one fell"] * 3,
        "patient": [1, 2, 3] * 2,
        "before": [1.0, 2.0, 3.0, 0.5, 2.0, 3.0],
        "after": [0.5, 1.0, 1.5, 0.5, 1.0, 3.0],
    }
)
BOARD = pd.DataFrame(
    [
        ("deaths_n", "8", "reproduced", "counts"),
        ("p_value", "0.011", "compatible", "ordering"),
        ("dose_median", "2.7 mg/kg", "consistent", "input"),
        ("share", "51%", "not reproduced", "counts"),
        ("background", "30%", "not checkable", "none"),
    ],
    columns=["id", "reported", "verdict", "basis"],
)
MODULES = pd.DataFrame(
    {
        "room": ["floor", "left", "right", "right", "roof"],
        "level": [0, 1, 1, 1, 2],
        "module": ["low", "one", "three", "two", "high"],
        "imports": [[], ["floor.low"], ["right.two"], [], ["left.one", "right.two", "floor.low"]],
    }
)
DURATIONS = pd.DataFrame({"name": ["chapter a", "chapter b"], "seconds": [1.5, 0.25]})
VALUES = pd.DataFrame({"name": ["Pearson", "N\u22121"], "value": [0.010495, 0.011482]})


def leukaemia_like():
    return kaplan_meier(
        [1, 2, 3, 4, 2, 3, 4, 4], [1, 0, 1, 0, 0, 1, 0, 0], ["ctl"] * 4 + ["trt"] * 4
    )


ENDS = pd.DataFrame(
    {
        "name": ["trt", "ctl"],
        "count": [(4, 5), (1, 4)],
        "estimate": [0.8, 0.25],
        "low": [0.3, 0.01],
        "high": [0.99, 0.8],
    }
)
ASSUMED = kaplan_meier(  # deaths in the order control, treated, control, control
    [2, 4, 4, 4, 4, 1, 3, 4, 4], [1, 0, 0, 0, 0, 1, 1, 1, 0], ["trt"] * 5 + ["ctl"] * 4
)


def envelope_drawn():
    return figures.plot_order_envelope(order_envelope(1, 5, 3, 4), ENDS, ASSUMED, "Order")


DRAWERS = {
    "envelope": envelope_drawn,
    "people": lambda: figures.plot_people(Table(1, 5, 3, 4), ("trt", "ctl")),
    "icon array": lambda: figures.plot_icon_array(COUNTS, COUNT_COLOURS),
    "provenance": lambda: figures.plot_provenance(CELLS),
    "Kaplan-Meier": lambda: figures.plot_kaplan_meier(
        leukaemia_like(), at_risk(leukaemia_like(), [0, 2, 4]), ("trt", "ctl"), "Days"
    ),
    "P-values": lambda: figures.plot_p_values(P_VALUES, "0.011", 0.05),
    "orderings": lambda: figures.plot_orderings(ORDERS, "0.011", ("trt", "ctl")),
    "intervals": lambda: figures.plot_intervals(INTERVALS, "CMV"),
    "scoreboard": lambda: figures.plot_scoreboard(BOARD),
    "rounding": lambda: figures.plot_rounding(VALUES, "0.011"),
    "durations": lambda: figures.plot_durations(DURATIONS),
}


@pytest.mark.parametrize("name", DRAWERS)
def test_figures_return_new_axes(name):
    before = plt.subplots()[1]
    drawn = DRAWERS[name]()
    assert isinstance(drawn, Axes)
    assert drawn.figure.number != before.figure.number
    drawn.figure.canvas.draw()  # nothing fails when the page asks for the picture


@pytest.mark.parametrize("name", DRAWERS)
def test_figures_have_no_title_inside_the_plot(name):
    ax = DRAWERS[name]()
    assert [ax.get_title(loc) for loc in ("left", "center", "right")] == ["", "", ""]


def test_colours_of_arms_and_of_states_can_be_told_apart():
    for palette in (figures.ARM_COLOURS, figures.STATE_COLOURS.values()):
        assert len(set(palette)) == len(palette)


def test_the_colours_of_the_arms_are_used_for_nothing_else():
    others = [*figures.STATE_COLOURS.values(), *figures.VERDICT_COLOURS.values()]
    others += [figures.PURPLE, figures.LILAC, figures.GREEN, figures.YELLOW, figures.GREY]
    assert not set(figures.ARM_COLOURS) & set(others)
    assert {*figures.ARM_COLOURS, *others} <= set(figures.ON_DARK)


def test_style_sets_width_and_hides_the_upper_and_right_spine():
    with mpl.rc_context():
        figures.use_style()
        drawn = figures.plot_durations(DURATIONS).figure
        assert mpl.rcParams["figure.figsize"][0] == drawn.get_figwidth()
        assert not mpl.rcParams["axes.spines.top"]
        assert not mpl.rcParams["axes.spines.right"]


@pytest.mark.parametrize("per_row", [10, 7])
def test_icon_array_draws_one_square_per_patient_in_the_colour_of_its_category(per_row):
    ax = figures.plot_icon_array(COUNTS, COUNT_COLOURS, per_row=per_row)
    squares = [patch for patch in ax.patches if patch.get_width() == SQUARE]
    drawn = [to_hex(square.get_facecolor()) for square in squares]
    assert drawn == [COUNT_COLOURS[name] for name, n in COUNTS.items() for _ in range(n)]
    assert [square.get_xy() for square in squares] == [
        (place % per_row, -(place // per_row)) for place in range(20)
    ]
    assert texts(ax) == ["partial: 10 of 20", "complete: 6 of 20", "none: 4 of 20"]


def test_icon_array_keeps_a_category_without_patients_in_the_key():
    counts = pd.Series({"died": 0, "survived": 3})
    ax = figures.plot_icon_array(counts, {"died": "black", "survived": "white"})
    assert sum(patch.get_width() == SQUARE for patch in ax.patches) == 3
    assert texts(ax) == ["died: 0 of 3", "survived: 3 of 3"]
    low, high = ax.get_ylim()
    assert all(low <= text.get_position()[1] <= high for text in ax.texts)


def test_provenance_colours_every_cell_by_its_state_in_the_order_of_the_table():
    ax = figures.plot_provenance(CELLS)
    mesh = ax.collections[0]
    mesh.update_scalarmappable()
    drawn = np.array(colours(mesh)).reshape(3, 3)
    states = CELLS["state"].to_numpy().reshape(3, 3).T  # a column of the table is a row here
    expected = np.vectorize(lambda state: figures.STATE_COLOURS[state].lower())(states)
    assert drawn.tolist() == expected.tolist()
    assert tick_labels(ax.yaxis) == ["sex", "dose", "cmv"]
    assert texts(ax) == [
        "treated\n2 patients",
        "control\n1 patient",
        "reported",
        "assumed",
        "empty",
    ]


def test_provenance_separates_the_arms_after_the_last_patient_of_the_first():
    assert [line.get_xdata()[0] for line in figures.plot_provenance(CELLS).lines] == [2]


def test_provenance_key_has_the_colours_of_the_states():
    key = figures.plot_provenance(CELLS).collections[1:]
    present = [state for state in figures.STATE_COLOURS if (CELLS["state"] == state).any()]
    assert present == ["reported", "assumed", "empty"]
    assert [tuple(mark.get_facecolors()[0]) for mark in key] == [
        to_rgba(figures.STATE_COLOURS[state]) for state in present
    ]


def test_records_of_a_real_cohort_have_a_colour_of_their_own():
    cells = CELLS.assign(state=CELLS["state"].replace("reported", "measured"))
    assert texts(figures.plot_provenance(cells))[2:] == ["measured", "assumed", "empty"]


def test_kaplan_meier_steps_have_the_times_and_heights_of_the_frame():
    curves = leukaemia_like()
    ax = figures.plot_kaplan_meier(curves, at_risk(curves, [0]), ("trt", "ctl"), "Days")
    assert len(ax.lines) == 2
    for line, arm, colour in zip(ax.lines, ("trt", "ctl"), figures.ARM_COLOURS, strict=True):
        mine = curves[curves["arm"] == arm]
        assert line.get_xydata().tolist() == mine[["time", "survival"]].to_numpy().tolist()
        assert line.get_drawstyle() == "steps-post"
        assert line.get_color() == colour
    assert ax.get_xlabel() == "Days"


def test_kaplan_meier_bands_reach_from_low_to_high():
    curves = leukaemia_like()
    ax = figures.plot_kaplan_meier(curves, at_risk(curves, [0]), ("trt", "ctl"), "Days")
    for band, arm in zip(ax.collections, ("trt", "ctl"), strict=True):
        corners = band.get_paths()[0].vertices
        mine = curves[curves["arm"] == arm]
        defined = mine[mine["low"].notna()]
        assert corners[:, 0].min() == defined["time"].min()  # no band before the first death
        for row in defined.to_dict("records"):
            start = corners[np.isclose(corners[:, 0], row["time"])][:, 1]
            assert np.isclose(start, row["low"]).any()
            assert np.isclose(start, row["high"]).any()


def test_kaplan_meier_writes_numbers_at_risk_below_their_times():
    curves = leukaemia_like()
    numbers = at_risk(curves, [0, 2.5, 4])
    ax = figures.plot_kaplan_meier(curves, numbers, ("trt", "ctl"), "Days")
    for arm, colour in zip(("trt", "ctl"), figures.ARM_COLOURS, strict=True):
        written = [
            (text.get_position()[0], int(text.get_text()))
            for text in ax.texts
            if text.get_text().isdigit() and text.get_color() == figures.lettering(colour)
        ]
        mine = numbers[numbers["arm"] == arm]
        assert written == list(zip(mine["time"], mine["at_risk"], strict=True))


@pytest.mark.parametrize("died", [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
def test_kaplan_meier_names_the_arms_above_the_curves(died):
    """Whatever the curves do, also where both end at one height, no label lies on another."""
    arms = ("trt", "ctl")
    curves = kaplan_meier([1, 2, 2, 2], died, ["ctl", "ctl", "trt", "trt"])
    ax = figures.plot_kaplan_meier(curves, at_risk(curves, [0]), arms, "Order")
    ax.figure.canvas.draw()
    labels = [text for text in ax.texts if "died" in text.get_text()]
    assert [text.get_text() for text in labels] == [
        f"trt: {sum(died[2:])} of 2 died",
        f"ctl: {sum(died[:2])} of 2 died",
    ]
    shades = [figures.lettering(colour) for colour in figures.ARM_COLOURS]
    assert [text.get_color() for text in labels] == shades
    first, second = (text.get_window_extent() for text in labels)
    assert first.y0 > second.y1 > second.y0 > ax.get_window_extent().y1


def test_names_of_arms_that_no_font_has_or_that_are_formulas_are_drawn_without_a_warning(recwarn):
    """Group 29: an arm may be called anything."""
    arms = (r"$\frac$ & $x", "\U00016fe4" * 3)
    curves = kaplan_meier([1, 2, 2, 2], [1, 0, 0, 0], [arms[0], arms[0], arms[1], arms[1]])
    figures.use_style()
    ax = figures.plot_kaplan_meier(curves, at_risk(curves, [0]), arms, "Days")
    ax.figure.canvas.draw()
    assert not recwarn.list
    assert "second arm: 0 of 2 died" in texts(ax)
    assert figures.plain("word " * 40, "").endswith("…")


def test_kaplan_meier_draws_a_cohort_of_one_arm():
    curves = kaplan_meier([1, 2, 2], [1, 0, 0], ["only"] * 3)
    ax = figures.plot_kaplan_meier(curves, at_risk(curves, [0, 1]), ("only",), "Order")
    assert len(ax.lines) == 1
    assert "only: 1 of 3 died" in texts(ax)


def test_envelope_is_shaded_from_the_lowest_to_the_highest_curve():
    expected = {  # by hand: 1 of 5 and 3 of 4 die
        "trt": [(1, 1), (0.8, 1), (0.8, 1), (0.8, 1), (0.8, 0.8)],
        "ctl": [(1, 1), (0.75, 1), (0.5, 0.75), (0.25, 0.5), (0.25, 0.25)],
    }
    ax = envelope_drawn()
    bands = [item for item in ax.collections if isinstance(item, FillBetweenPolyCollection)]
    for band, colour, bounds in zip(bands, figures.ARM_COLOURS, expected.values(), strict=True):
        assert colours(band) == [colour.lower()]
        corners = band.get_paths()[0].vertices
        for place, (low, high) in enumerate(bounds[:-1]):
            inside = corners[np.isclose(corners[:, 0], place)][:, 1]
            assert np.isclose(inside, low).any() and np.isclose(inside, high).any()


def test_envelope_has_an_end_with_its_interval_for_each_arm():
    ax = envelope_drawn()
    for container, row, colour in zip(
        ax.containers, ENDS.itertuples(), figures.ARM_COLOURS, strict=True
    ):
        point, _, (bar,) = container.lines
        assert (ys(point), point.get_color()) == ([row.estimate], colour)
        assert bar.get_segments()[0][:, 1].tolist() == pytest.approx([row.low, row.high])
    assert [text.get_text() for text in ax.texts if isinstance(text, Annotation)] == [
        "trt\n4 of 5 survived",
        "ctl\n1 of 4 survived",
    ]


def test_the_assumed_order_is_thin_dashed_and_labelled_inside_the_plot():
    ax = envelope_drawn()
    dashed = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
    for line, arm in zip(dashed, ("trt", "ctl"), strict=True):
        mine = ASSUMED[ASSUMED["arm"] == arm]
        assert line.get_xydata().tolist() == mine[["time", "survival"]].to_numpy().tolist()
        assert line.is_dashed() and line.get_linewidth() < 1
        assert line.get_color() not in figures.ARM_COLOURS
    note = texts(ax)[-1]
    assert "Dashed: one order, assumed" in note and "order itself is not stated" in note


def test_invented_steps_have_no_bands_and_no_numbers_at_risk():
    ax = envelope_drawn()
    bands = [item for item in ax.collections if isinstance(item, FillBetweenPolyCollection)]
    assert len(bands) == 2  # the envelope of each arm, nothing more
    assert not any(text.isdigit() for text in texts(ax))


def test_p_values_mark_exactly_the_tests_that_print_as_reported():
    ax = figures.plot_p_values(P_VALUES, "0.011", alpha=0.05)
    points = ax.collections[0]
    marked = {
        round(x, 6)
        for (x, _), colour in zip(points.get_offsets().tolist(), colours(points), strict=True)
        if colour == figures.GREEN.lower()
    }
    assert marked == {0.011482, 0.011450, 0.0105}  # 0.010495 prints as 0.010, 0.0105 is a tie


def test_p_values_of_a_statistic_share_its_row_and_never_lie_on_each_other():
    undefined = P_VALUES.iloc[:1].assign(test="undefined", p_value=float("nan"))
    tests = pd.concat([undefined, P_VALUES])
    ax = figures.plot_p_values(tests, "0.011", alpha=0.05)
    names = [text for text in ax.texts if text.get_text() in set(P_VALUES["statistic"])]
    rows = {name.get_text(): name.get_position()[1] for name in names}
    assert sorted(rows, key=rows.get) == ["score", "difference", "Fisher"]  # by their smallest P
    tops = [0, *sorted(rows.values())]
    found = {name: [] for name in rows}
    points = ax.collections[0].get_offsets()
    for x, y in points.tolist():
        (name,) = [n for n, row in rows.items() if tops[tops.index(row) - 1] < y <= row]
        found[name].append(x)
    for name, mine in P_VALUES.groupby("statistic"):
        assert sorted(found[name]) == sorted(mine["p_value"])
    ax.figure.canvas.draw()
    places = ax.transData.transform(points)
    apart = np.linalg.norm(places[:, None] - places, axis=2) + 1e9 * np.eye(len(places))
    assert apart.min() > 5  # nearest marks touch at most
    assert {"0.01050 to 0.06200", "0.02049"} <= set(texts(ax))


def test_p_values_shade_the_rounding_interval_and_draw_alpha():
    ax = figures.plot_p_values(P_VALUES, "0.011", alpha=0.05)
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((0.0105, 0.0115))
    assert xs(ax.lines[0]) == [0.05, 0.05]
    low, high = ax.get_xlim()
    assert low < P_VALUES["p_value"].min() and P_VALUES["p_value"].max() < high
    assert "prints as 0.011" in texts(ax)


def test_orderings_draw_each_death_at_its_place_in_the_colour_of_its_arm():
    ax = figures.plot_orderings(ORDERS, "0.011", ("trt", "ctl"))
    found = {}
    for point in ax.collections[:-2]:  # the last are the key
        (place, row), (colour,) = point.get_offsets()[0].tolist(), colours(point)
        found[int(row), int(place)] = colour
    arm_colours = dict(zip("AB", figures.ARM_COLOURS, strict=True))
    assert found == {
        (row, place): arm_colours[letter].lower()
        for row, order in enumerate(ORDERS["order"])
        for place, letter in enumerate(order, start=1)
    }


def test_orderings_emphasise_exactly_the_orders_that_print_as_reported():
    ax = figures.plot_orderings(ORDERS, "0.011", ("trt", "ctl"))
    bands = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [band.get_y() + band.get_height() / 2 for band in bands] == pytest.approx([1])
    assert [t.get_text() for t in ax.texts if t.get_fontweight() == "bold"] == [
        "0.01101 \u2192 0.011",
    ]
    assert {"0.01417", "0.00906", "death, trt", "death, ctl"} <= set(texts(ax))


def test_intervals_reach_from_low_to_high_with_the_estimate_between():
    ax = figures.plot_intervals(INTERVALS, "CMV")
    assert [xs(line) for line in ax.lines] == [[0.081, 0.416], [0.057, 0.437]]
    assert [ys(line) for line in ax.lines] == [[0, 0], [1, 1]]
    assert [p.get_offsets()[0].tolist() for p in ax.collections] == [[0.2, 0], [0.2, 1]]
    assert tick_labels(ax.yaxis) == ["Wilson", "exact"]
    assert texts(ax) == ["8% to 42%", "6% to 44%"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # first row on top
    assert ax.get_xlabel() == "CMV"


def test_intervals_of_other_values_are_written_as_decimals_in_the_colours_given():
    frame = pd.DataFrame(
        {"name": ["d"], "estimate": [-0.33], "low": [-0.54], "high": [0.06], "colour": ["#123456"]}
    )
    ax = figures.plot_intervals(frame, "difference", as_percent=False)
    assert texts(ax) == ["\u22120.54 to 0.06"]
    assert ax.lines[0].get_color() == "#123456"
    assert ax.get_xlim()[0] < -0.54


@pytest.mark.parametrize("high", [0.05, 0.437, 0.99])
def test_percent_axes_start_at_zero_and_hold_every_interval(high):
    frame = INTERVALS.assign(low=0.01, estimate=0.02, high=high)
    ax = figures.plot_intervals(frame, "x")
    assert ax.get_xlim()[0] == 0
    assert high < ax.get_xlim()[1] <= 1
    for place, label in zip(ax.get_xticks(), tick_labels(ax.xaxis), strict=True):
        assert label == f"{100 * place:.0f}%"


def test_dose_pairs_draw_one_line_per_patient_purple_if_the_dose_fell():
    axes = figures.plot_dose_pairs(PAIRS, "mg/kg")
    assert len(axes) == 2
    for panel, name in zip(axes, ("all fell", "one fell"), strict=True):
        mine = PAIRS[PAIRS["data_set"] == name]
        lines = [line for line in panel.lines if xs(line) == [0, 1]]
        assert [ys(line) for line in lines] == mine[["before", "after"]].values.tolist()
        assert [line.get_color() for line in lines] == [
            figures.PURPLE if fell else figures.GREY for fell in mine["after"] < mine["before"]
        ]
    assert "all fell\ndose fell in 3 of 3\n(invented patients)" in texts(axes[0])
    assert "one fell\ndose fell in 1 of 3\n(invented patients)" in texts(axes[1])
    assert axes[0].get_ylabel() == "Daily dose (mg/kg)"


def test_dose_pairs_draw_and_write_the_two_medians():
    for panel in figures.plot_dose_pairs(PAIRS, "mg/kg"):
        bars = [ys(line) for line in panel.lines if xs(line) != [0, 1]]
        assert bars == [[2.0, 2.0], [1.0, 1.0]]
        assert tick_labels(panel.xaxis) == ["baseline\nmedian 2.0", "week 8\nmedian 1.0"]


def test_dose_pairs_draw_one_data_set_alone():
    (panel,) = figures.plot_dose_pairs(PAIRS[:3], "mg/kg")
    assert len(panel.lines) == 3 + 2


def marks_by_verdict_and_basis(ax):
    """Return how many marks stand in each cell of the scoreboard, and the artist of each cell."""
    bases, verdicts = tick_labels(ax.xaxis), tick_labels(ax.yaxis)
    tops = [line.get_ydata()[0] for line in ax.lines]
    found = {}
    for marks in ax.collections:
        x, y = marks.get_offsets().T
        (verdict,) = {verdicts[np.searchsorted(tops, height) - 1] for height in y}
        (basis,) = {bases[round(place)] for place in x}
        found[verdict, basis] = len(x), marks
    return found


def test_scoreboard_puts_each_claim_in_the_row_of_its_verdict_and_the_column_of_its_basis():
    many = pd.concat([BOARD, *[BOARD[:1]] * 11])
    ax = figures.plot_scoreboard(many)
    assert tick_labels(ax.xaxis) == ["counts", "ordering", "input", "none"]
    found = {cell: number for cell, (number, _) in marks_by_verdict_and_basis(ax).items()}
    assert found == many.groupby(["verdict", "basis"]).size().to_dict()
    assert sorted(texts(ax)) == sorted(str(number) for number in found.values())


def test_scoreboard_marks_verdicts_by_shape_and_colour():
    found = marks_by_verdict_and_basis(figures.plot_scoreboard(BOARD))
    marks = {verdict: artist for (verdict, _), (_, artist) in found.items()}
    for verdict, artist in marks.items():
        assert to_hex(artist.get_edgecolors()[0]) == figures.VERDICT_COLOURS[verdict].lower()
    shapes = {name: artist.get_paths()[0].vertices.tolist() for name, artist in marks.items()}
    assert shapes["reproduced"] == shapes["not checkable"]
    assert len({str(shape) for shape in shapes.values()}) == 4
    assert len(marks["not checkable"].get_facecolors()) == 0, "what cannot be checked is hollow"


def test_scoreboard_names_every_verdict():
    assert tick_labels(figures.plot_scoreboard(BOARD).yaxis) == list(figures.VERDICT_COLOURS)


def test_scoreboard_has_a_column_for_records_of_patients_only_where_there_are_some():
    board = BOARD.assign(basis=["data", "data", "input", "counts", "none"])
    columns = tick_labels(figures.plot_scoreboard(board).xaxis)
    assert columns == ["data", "counts", "ordering", "input", "none"]


def test_rounding_colours_values_by_whether_they_print_as_reported():
    ax = figures.plot_rounding(VALUES, "0.011")
    found = {p.get_offsets()[0].tolist()[0]: colours(p)[0] for p in ax.collections}
    assert found == {0.010495: figures.GREY.lower(), 0.011482: figures.GREEN.lower()}
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((0.0105, 0.0115))
    assert texts(ax) == ["N\u22121", "0.011482", "Pearson", "0.010495", "prints as 0.011"]
    low, high = ax.get_xlim()
    assert low < 0.010495 and high > 0.011482


CURVE = pd.DataFrame(
    {
        "lost": [0, 1, 2, 3],
        "low": [0.009, 0.004, 0.0008, 2e-6],
        "high": [0.017, 0.03, 0.06, 1.0],
        "high_is_bound": [False, False, False, True],
    }
)


def test_range_curve_draws_what_is_exact_as_a_line_and_a_bound_as_dashes():
    ax = figures.plot_range_curve(CURVE, "0.011", alpha=0.05)
    exact, bound, low, alpha = ax.lines
    assert (xs(exact), ys(exact)) == ([0, 1, 2], [0.017, 0.03, 0.06])
    assert (xs(bound), ys(bound), bound.get_linestyle()) == ([2, 3], [0.06, 1.0], "--")
    assert (xs(low), ys(low)) == ([0, 1, 2], [0.009, 0.004, 0.0008])  # the last is off the picture
    assert ys(alpha) == [0.05, 0.05]


def test_range_curve_names_the_first_number_of_early_ends_that_reaches_alpha():
    reached = figures.plot_range_curve(CURVE, "0.011", alpha=0.05)
    assert "from 2 early ends on,\nP of 0.05 is possible" in texts(reached)
    never = figures.plot_range_curve(CURVE[:2], "0.011", alpha=0.05)
    assert texts(never) == ["0.05", "prints as 0.011"]


def test_attainable_values_are_dots_and_ranges_bars_green_where_the_print_is_among_them():
    rows = pd.DataFrame(
        [("Fisher", 0.02, 0.02, False), ("N", 0.0115, 0.0115, True), ("any", 1e-9, 1.0, True)],
        columns=["name", "low", "high", "prints"],
    )
    ax = figures.plot_attainable(rows, "0.011", alpha=0.05)
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert {tuple(p.get_offsets()[0].tolist()): colours(p)[0] for p in ax.collections} == {
        (0.02, heights["Fisher"]): figures.GREY.lower(),
        (0.0115, heights["N"]): figures.GREEN.lower(),
    }
    alpha, bar = ax.lines
    assert xs(alpha) == [0.05, 0.05]
    assert xs(bar) == [ax.get_xlim()[0], 1.0]  # cut off at the left edge
    assert ys(bar) == [heights["any"]] * 2
    assert bar.get_color() == figures.GREEN


def test_tests_of_one_name_share_a_row():
    rows = pd.DataFrame(
        [("tests", 0.02, 0.02, False), ("tests", 0.0115, 0.0115, True)],
        columns=["name", "low", "high", "prints"],
    )
    ax = figures.plot_attainable(rows, "0.011", alpha=0.05)
    assert len({point.get_offsets()[0][1] for point in ax.collections}) == 1
    assert texts(ax).count("tests") == 1


def test_ensembles_are_steps_of_cumulative_shares_with_the_printed_values_shaded():
    drawn = pd.DataFrame(
        {"p_value": [0.01, 0.02, 0.03, 0.04, 0.1], "group": ["few"] * 4 + ["many"]}
    )
    ax = figures.plot_ensemble(drawn, "0.011", alpha=0.05)
    curves = [(xs(line)[1:], ys(line)[1:]) for line in ax.lines if len(xs(line)) not in (0, 2)]
    assert ([0.01, 0.02, 0.03, 0.04], [0.25, 0.5, 0.75, 1.0]) in curves
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["few", "many"]
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (band.x0, band.x1) == pytest.approx((0.0105, 0.0115))


FOLLOWED = pd.DataFrame(
    {
        "arm": ["a", "a", "a", "b", "b"],
        "time": [1.0, 3.0, 0.5, 2.0, 2.0],
        "died": [True, False, False, True, False],
    }
)


def test_followup_has_a_line_a_patient_with_deaths_and_early_ends_marked():
    (panel,) = figures.plot_followup({"heading": FOLLOWED}, ("trt", "ctl"))
    assert [(xs(line)[1], line.get_color()) for line in panel.lines] == [
        (3.0, figures.ARM_COLOURS[0]),
        (1.0, figures.ARM_COLOURS[0]),
        (0.5, figures.ARM_COLOURS[0]),
        (2.0, figures.ARM_COLOURS[1]),
        (2.0, figures.ARM_COLOURS[1]),
    ]
    marks = {tuple(point.get_offsets()[0].tolist()): point for point in panel.collections}
    # An end of follow-up at the time of the last death is not early.
    assert set(marks) == {(1.0, 1), (0.5, 2), (2.0, 3)}
    assert colours(marks[0.5, 2]) == [figures.INK.lower()]
    assert texts(panel) == ["trt\n3 patients", "ctl\n2 patients", "heading\n(invented patients)"]


def test_followup_names_the_arms_once():
    panels = figures.plot_followup({"one": FOLLOWED, "two": FOLLOWED}, ("trt", "ctl"))
    assert [len(texts(panel)) for panel in panels] == [3, 1]


def test_rooms_stand_above_each_other_with_an_arrow_for_each_use():
    ax = figures.plot_layers(MODULES)
    heights = {text.get_text(): text.get_position()[1] for text in ax.texts if text.get_text()}
    assert heights["floor"] < heights["left"] == heights["right"] < heights["roof"]
    assert {"1 module", "2 modules"} < set(heights)
    boxes = [box.get_bbox() for box in ax.patches]  # in the order of the rooms
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    drawn = set()
    for arrow in arrows:
        (x, top), (below, bottom) = arrow.xyann, arrow.xy
        assert x == below
        met = [
            place
            for place, box in enumerate(boxes)
            if box.x0 < x < box.x1 and box.y0 < top + 1e-9 and box.y1 > bottom - 1e-9
        ]
        used, source = sorted(met, key=lambda place: boxes[place].y0)  # and no room between
        assert (boxes[source].y0, boxes[used].y1) == pytest.approx((top, bottom))
        drawn.add((source, used))
    floor, left, right, roof = range(4)
    assert drawn == {(left, floor), (roof, left), (roof, right), (roof, floor)}


def test_durations_are_bars_of_their_length_in_the_order_given():
    ax = figures.plot_durations(DURATIONS)
    assert [bar.get_width() for bar in ax.patches] == [1.5, 0.25]
    assert texts(ax) == ["chapter a", "1.500 s", "chapter b", "0.250 s"]
    assert ax.get_xlim()[1] > 1.5


def test_every_person_is_drawn_once_and_the_dead_are_outlines_with_a_cross():
    ax = figures.plot_people(Table(1, 20, 8, 21), ("trt", "ctl"))
    drawn = [len(artist.get_offsets()) for artist in ax.collections]
    assert drawn == [1, 1, 19, 8, 8, 13]  # outlines, crosses, alive; of each arm
    assert [text.get_text() for text in ax.texts] == ["trt: 1 of 20 died", "ctl: 8 of 21 died"]


def test_nobody_and_everybody_dead_is_drawn_too():
    ax = figures.plot_people(Table(0, 3, 2, 2), ("trt", "ctl"))
    assert [len(artist.get_offsets()) for artist in ax.collections] == [3, 2, 2]
