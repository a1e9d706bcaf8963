"""Known answers and properties of reclassified outcomes."""

import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rdmas.stats.fragility import fragility
from rdmas.stats.misclassification import misclassification_frontier, misclassification_grid
from rdmas.stats.two_by_two import TESTS, p_value

quick = settings(derandomize=True, max_examples=25, deadline=None)
slow = settings(derandomize=True, max_examples=10, deadline=None)
levels = st.sampled_from([0.01, 0.05, 0.2])
two_sided_keys = [key for key, test in TESTS.items() if test.sides == "two-sided"]
fast_keys = st.sampled_from(["chi2", "chi2_n_minus_1", "fisher", "fisher_central"])


@st.composite
def tables(draw, largest=9):
    """Events and size of two arms, empty cells and margins included."""
    n_a, n_b = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return draw(st.integers(0, n_a)), n_a, draw(st.integers(0, n_b)), n_b


def swapped(events_a, n_a, events_b, n_b):
    """The same table with the arms' names exchanged."""
    return events_b, n_b, events_a, n_a


def mirrored(events_a, n_a, events_b, n_b):
    """The same patients with the opposite event."""
    return n_a - events_a, n_a, n_b - events_b, n_b


def unequal(table):
    return table[0] * table[3] != table[2] * table[1]


def pairs(frame):
    """The frontier of one test as a list of pairs."""
    return list(zip(frame["wrong_a"], frame["wrong_b"], strict=True))


# Grid and frontier ----------------------------------------------------------------------------


def test_frontier_of_40_of_60_against_100_of_210_agrees_with_r():
    # Oracle: R 4.2.2, fisher.test(matrix(c(40 - a, 20 + a, 100 + b, 110 - b), 2, byrow = TRUE)):
    #           b = 0       1       2       3       4       5       6       7       8       9
    # a = 0  0.012398 .012727 .018550 .018850 .019649 .027447 .028312 .039280 .040160 .055245
    # a = 1  0.019408 .027553 .028149 .039619 .040148 .041514 .056297 .057713 .077603 .078984
    # a = 2  0.040053 .041066 .056434 .057402 .078078 .078907 .080995 .106660 .108721 .141769
    # a = 3  0.058560 .078730 .080265 .106817 .108217 .142366 .143513 .186423 .187203 .189848
    frame = misclassification_frontier(40, 60, 100, 210, tests=["fisher"])
    assert pairs(frame) == [(0, 9), (1, 6), (2, 2), (3, 0)]
    assert frame["wrong"].tolist() == [9, 7, 4, 3]
    assert frame["events_a"].tolist() == [40, 39, 38, 37]
    assert frame["events_b"].tolist() == [109, 106, 102, 100]
    expected = [0.055245, 0.056297, 0.056434, 0.058560]
    assert frame["p_value"].tolist() == pytest.approx(expected, abs=5e-7)
    grid = misclassification_grid(40, 60, 100, 210).set_index(["wrong_a", "wrong_b"])
    assert grid.loc[(2, 5), "p_value"] == pytest.approx(0.078907, abs=5e-7)
    assert grid.loc[(0, 8), "significant"]
    assert not grid.loc[(0, 9), "significant"]


def test_frontier_of_15_of_40_against_6_of_40():
    # Oracle: README of the R package fragilityindex: P 0.04061, then 0.07836 with 7/40.
    frame = misclassification_frontier(15, 40, 6, 40, tests=["fisher"])
    assert pairs(frame) == [(0, 1), (1, 0)]
    assert frame["p_value"].iloc[0] == pytest.approx(0.07836, abs=5e-6)


def test_frontier_of_1_of_20_against_8_of_21():
    # Oracle: R 4.2.2, fisher.test: 2/20 against 8/21 0.06695, 1/20 against 6/21 0.09310.
    frame = misclassification_frontier(1, 20, 8, 21)
    assert pd.unique(frame["key"]).tolist() == two_sided_keys
    fisher = frame[frame["key"] == "fisher"]
    assert pairs(fisher) == [(0, 2), (1, 0)]
    assert fisher["p_value"].tolist() == pytest.approx([0.0930987, 0.0669522], abs=5e-7)
    assert pairs(frame[frame["key"] == "chi2_n_minus_1"]) == [(0, 3), (1, 1), (2, 0)]


@quick
@given(tables(), levels, fast_keys)
def test_frontier_is_minimal_by_exhaustive_search(table, alpha, key):
    grid = misclassification_grid(*table, test=key, alpha=alpha)
    enough = set(pairs(grid[~grid["significant"]]))
    minimal = [
        pair
        for pair in sorted(enough)
        if not any(
            other != pair and other[0] <= pair[0] and other[1] <= pair[1] for other in enough
        )
    ]
    assert pairs(misclassification_frontier(*table, alpha, [key])) == minimal


@quick
@given(tables(), levels, fast_keys)
def test_switches_in_one_arm_alone_are_the_fragility_of_that_arm(table, alpha, key):
    frontier = misclassification_frontier(*table, alpha, [key])
    lower_a = table[0] * table[3] <= table[2] * table[1]
    directions = {"a": "to event", "b": "to non-event"}
    if not lower_a:
        directions = {"a": "to non-event", "b": "to event"}
    switches = fragility(*table, key, alpha).set_index(["arm", "direction"])["index"]
    for arm, other in (("a", "b"), ("b", "a")):
        alone = frontier.loc[frontier[f"wrong_{other}"] == 0, f"wrong_{arm}"]
        index = switches[arm, directions[arm]]
        assert alone.tolist() == ([] if pd.isna(index) else [index])


@quick
@given(tables(), fast_keys)
def test_grid_is_the_test_of_each_reclassified_table(table, key):
    _, n_a, _, n_b = table
    grid = misclassification_grid(*table, test=key)
    assert grid["events_a"].between(0, n_a).all()
    assert grid["events_b"].between(0, n_b).all()
    for row in grid.itertuples():
        p = p_value(row.events_a, n_a, row.events_b, n_b, key)
        assert row.p_value == pytest.approx(p, nan_ok=True)
        assert row.significant == (p < 0.05)
        assert row.difference == pytest.approx(row.events_a / n_a - row.events_b / n_b)
    first = grid.iloc[0]
    assert (first["events_a"], first["events_b"]) == (table[0], table[2])


@quick
@given(tables())
def test_grid_narrows_the_difference_until_it_is_reversed(table):
    assume(unequal(table))
    grid = misclassification_grid(*table)
    start = grid["difference"].iloc[0]
    towards = grid["difference"] / start
    assert (towards <= 1 + 1e-12).all()
    for arm, other in (("a", "b"), ("b", "a")):
        alone = grid[grid[f"wrong_{other}"] == 0].sort_values(f"wrong_{arm}")["difference"] / start
        assert (alone.diff().dropna() < 0).all()


@quick
@given(tables(), levels, fast_keys)
def test_frontier_is_the_same_with_arms_or_outcomes_swapped(table, alpha, key):
    assume(unequal(table))
    frontier = set(pairs(misclassification_frontier(*table, alpha, [key])))
    other_arms = pairs(misclassification_frontier(*swapped(*table), alpha, [key]))
    assert {(b, a) for a, b in other_arms} == frontier
    assert set(pairs(misclassification_frontier(*mirrored(*table), alpha, [key]))) == frontier


def test_table_that_is_not_significant_needs_no_reclassification():
    frame = misclassification_frontier(7, 34, 6, 34, tests=["chi2", "fisher"])
    assert pairs(frame) == [(0, 0), (0, 0)]
    # The chi-square test is undefined here, hence not significant.
    assert pairs(misclassification_frontier(0, 9, 0, 8, tests=["chi2"])) == [(0, 0)]


def test_frontier_has_no_row_where_no_reclassification_suffices():
    # One patient against two, alpha close to 1: no table with Agresti and Caffo's P above it.
    frame = misclassification_frontier(0, 1, 2, 2, alpha=0.9999, tests=["z_agresti_caffo"])
    grid = misclassification_grid(0, 1, 2, 2, test="z_agresti_caffo", alpha=0.9999)
    assert grid["significant"].all()
    assert frame.empty
    assert frame.columns.tolist() == [
        "test",
        "key",
        "wrong_a",
        "wrong_b",
        "wrong",
        "events_a",
        "events_b",
        "p_value",
        "left_out",
    ]


# Refusals -------------------------------------------------------------------------------------

ON_COUNTS = [
    misclassification_grid,
    misclassification_frontier,
]


@pytest.mark.parametrize("function", ON_COUNTS)
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ((1, 5, 7, 6), "Arm b: events must be a whole number between 0 and 6"),
        ((1.5, 5, 2, 6), "Arm a: events must be a whole number"),
        ((1, 0, 2, 6), "Arm a: n must be a whole number of at least 1"),
        ((1, 5, True, 6), "Arm b: events must be a whole number"),
    ],
)
def test_impossible_counts_are_refused(function, table, message):
    with pytest.raises(ValueError, match=message):
        function(*table)


@pytest.mark.parametrize("function", ON_COUNTS)
def test_levels_given_as_percentages_are_refused(function):
    with pytest.raises(ValueError, match="above 0 and below 1"):
        function(1, 5, 2, 6, alpha=5)


def test_unknown_tests_are_refused():
    with pytest.raises(ValueError, match="test must be one of"):
        misclassification_grid(1, 5, 2, 6, test="t")
    with pytest.raises(ValueError, match="test must be one of"):
        misclassification_frontier(1, 5, 2, 6, tests=["fisher", "t"])
    with pytest.raises(ValueError, match="tests must be a sequence"):
        misclassification_frontier(1, 5, 2, 6, tests="fisher")
    with pytest.raises(ValueError, match="tests must hold at least one entry"):
        misclassification_frontier(1, 5, 2, 6, tests=[])
