"""Tests of rdmas.stats.joint.

Oracle: brute force. For every small n, every way of giving two features to n patients is one
2x2 table (both, first only, second only, neither); the bounds must be the extremes over them.
"""

from itertools import product

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.stats.joint import crossed_bounds, overlap_bounds, union_bounds

derandomised = settings(derandomize=True, deadline=None, max_examples=100)


def tables(events_a, events_b, n):
    """All 2x2 tables (both, first only, second only) with these margins."""
    return [
        (both, first, second)
        for both, first, second in product(range(n + 1), repeat=3)
        if both + first == events_a and both + second == events_b and both + first + second <= n
    ]


@pytest.mark.parametrize("n", range(8))
def test_bounds_equal_brute_force_over_all_joint_tables(n):
    for events_a, events_b in product(range(n + 1), repeat=2):
        found = tables(events_a, events_b, n)
        overlaps = sorted(both for both, _, _ in found)
        unions = sorted(sum(table) for table in found)
        assert overlap_bounds(events_a, events_b, n) == (overlaps[0], overlaps[-1])
        assert union_bounds(events_a, events_b, n) == (unions[0], unions[-1])
        assert overlaps == list(range(overlaps[0], overlaps[-1] + 1))  # every number between


@pytest.mark.parametrize(
    ("margins", "overlap", "union"),
    [
        ((4, 6, 20), (0, 4), (6, 10)),
        ((15, 10, 20), (5, 10), (15, 20)),
        ((10, 6, 20), (0, 6), (10, 16)),
        ((20, 20, 20), (20, 20), (20, 20)),
        ((0, 7, 20), (0, 0), (7, 7)),
        ((0, 0, 0), (0, 0), (0, 0)),
    ],
)
def test_frechet_bounds_worked_by_hand(margins, overlap, union):
    # Closed form: max(0, a + b - n) to min(a, b), and a + b less these.
    assert overlap_bounds(*margins) == overlap
    assert union_bounds(*margins) == union


@st.composite
def margins(draw):
    n = draw(st.integers(0, 500))
    return draw(st.integers(0, n)), draw(st.integers(0, n)), n


@derandomised
@given(margins())
def test_bounds_do_not_depend_on_which_feature_comes_first(question):
    events_a, events_b, n = question
    assert overlap_bounds(events_a, events_b, n) == overlap_bounds(events_b, events_a, n)
    assert union_bounds(events_a, events_b, n) == union_bounds(events_b, events_a, n)


@derandomised
@given(margins())
def test_overlap_with_the_complement_is_what_remains(question):
    events_a, events_b, n = question
    low, high = overlap_bounds(events_a, events_b, n)
    assert overlap_bounds(events_a, n - events_b, n) == (events_a - high, events_a - low)


@derandomised
@given(margins())
def test_at_least_one_of_two_is_the_complement_of_neither(question):
    events_a, events_b, n = question
    low, high = overlap_bounds(n - events_a, n - events_b, n)
    assert union_bounds(events_a, events_b, n) == (n - high, n - low)


@pytest.mark.parametrize("function", [overlap_bounds, union_bounds])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 2, 5), "events_a must be a whole number between 0 and 5, got -1"),
        ((2, -1, 5), "events_b must be a whole number between 0 and 5, got -1"),
        ((6, 2, 5), "events_a must be a whole number between 0 and 5, got 6"),
        ((2, 6, 5), "events_b must be a whole number between 0 and 5, got 6"),
        ((0, 0, -1), "n must be a whole number of at least 0, got -1"),
    ],
)
def test_impossible_counts_are_refused(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


def test_bounds_of_every_cell_equal_brute_force_over_all_cross_tables():
    """Oracle: every way of giving two features of three categories each to six patients."""
    first, second = pd.Series({"a": 3, "b": 2, "c": 1}), pd.Series({"x": 4, "y": 1, "z": 1})
    cells = list(product(first.index, second.index))
    seen = {cell: set() for cell in cells}
    for inner in product(range(5), repeat=4):
        table = dict(zip(product("ab", "xy"), inner, strict=True))
        for row in "ab":
            table[row, "z"] = first[row] - table[row, "x"] - table[row, "y"]
        for column in "xyz":
            table["c", column] = second[column] - table["a", column] - table["b", column]
        if min(table.values()) >= 0:
            for cell in cells:
                seen[cell].add(int(table[cell]))
    found = crossed_bounds(first, second, 6).set_index(["first", "second"])
    assert {cell: (min(n), max(n)) for cell, n in seen.items()} == {
        cell: tuple(found.loc[cell]) for cell in cells
    }
