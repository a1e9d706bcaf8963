"""Tests of rdmas.stats.dose.

The oracle for small groups is brute force: every data set with whole-number doses up to a limit
is built, and the fewest falls are counted for each pair of medians. It shares no reasoning with
the module, which argues with order statistics.
"""

import math
from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rdmas.stats.dose import (
    certain_decreases,
    certain_decreases_ladder,
    extreme_data_sets,
    median_change_range,
    median_of_falls_range,
    relative_fall_range,
)

LIMIT = 4  # highest dose in the brute force
SIZES = [(n, m) for n in range(1, 6) for m in range(1, n + 1)] + [(6, 4), (6, 5)]
NO_DATA_SET = 99


@cache
def fewest_falls(n_before, n_after, nobody_rose=False):
    """Fewest falls over all data sets on the grid, by brute force.

    Axes: twice the median before, twice the median after, lowest dose before. A data set is a
    multiset of (before, after) pairs for those measured again and a multiset of doses before for
    the others, so every pairing is tried.
    """
    doses = range(LIMIT + 1)
    pairs = [(x, y) for x, y in product(doses, doses) if not (nobody_rose and y > x)]
    again = np.array(list(combinations_with_replacement(pairs, n_after)), dtype=np.int8)
    lost = np.array(list(combinations_with_replacement(doses, n_before - n_after)), dtype=np.int8)
    after = np.sort(again[:, :, 1], axis=1)
    falls = (again[:, :, 1] < again[:, :, 0]).sum(axis=1)
    table = np.full((2 * LIMIT + 1, 2 * LIMIT + 1, LIMIT + 1), NO_DATA_SET)
    for row in lost:
        rest = np.broadcast_to(row, (len(again), len(row)))
        before = np.sort(np.hstack([again[:, :, 0], rest]), axis=1)
        place = (
            before[:, (n_before - 1) // 2] + before[:, n_before // 2],
            after[:, (n_after - 1) // 2] + after[:, n_after // 2],
            before[:, 0],
        )
        np.minimum.at(table, place, falls)
    return table


def grid_medians(n):
    """Twice the medians that n whole numbers up to LIMIT can have."""
    return range(0, 2 * LIMIT + 1, 2 if n % 2 else 1)


@pytest.mark.parametrize(
    ("n_before", "n_after", "expected"),
    [(20, 20, 1), (20, 19, 0), (20, 15, 0), (20, 1, 0), (21, 21, 1), (21, 19, 0), (1, 1, 1)],
)
def test_closed_form_without_bounds(n_before, n_after, expected):
    assert certain_decreases(n_before, n_after, 2.7, 0.5) == expected
    assert certain_decreases(n_before, n_after, 2.65, 0.55) == expected


@pytest.mark.parametrize(("median_after", "expected"), [(1.34, 1), (1.35, 0), (1.36, 0)])
def test_one_missing_of_an_odd_number_needs_a_fall_to_under_half(median_after, expected):
    assert certain_decreases(21, 20, 2.7, median_after) == expected


@pytest.mark.parametrize(
    ("n_after", "lowest_before", "expected"),
    [
        (20, 0.5, 1),  # starting on the median after is allowed: nothing is gained
        (20, 0.51, 10),
        (20, 1.0, 10),  # middle doses after: 0 and 1.0
        (20, 1.01, 11),
        (19, 0.5, 0),
        (19, 0.51, 10),
        (19, 2.7, 10),
        (15, 0.51, 8),
    ],
)
def test_half_fell_if_nobody_started_as_low_as_the_median_after(n_after, lowest_before, expected):
    assert certain_decreases(20, n_after, 2.7, 0.5, lowest_before=lowest_before) == expected


@pytest.mark.parametrize("nobody_rose", [False, True])
@pytest.mark.parametrize(("n_before", "n_after"), SIZES)
def test_equals_brute_force_with_and_without_a_lowest_dose(n_before, n_after, nobody_rose):
    table = fewest_falls(n_before, n_after, nobody_rose)
    checked = 0
    for lowest in range(LIMIT + 1):
        fewest = table[:, :, lowest:].min(axis=2)
        for before, after in product(grid_medians(n_before), grid_medians(n_after)):
            # The grid's limit binds nobody as long as twice the median before, less the lowest
            # dose, is within it. Where nobody rose, no data set has a median that did.
            fits_grid = 2 * lowest <= before <= LIMIT + lowest
            if not fits_grid or (nobody_rose and after >= before):
                continue
            medians = before / 2, after / 2
            result = certain_decreases(n_before, n_after, *medians, lowest_before=lowest)
            assert result == fewest[before, after]
            checked += 1
    assert checked >= 10


@pytest.mark.parametrize("n", range(1, 6))
def test_median_of_falls_equals_brute_force(n):
    # Ends are reached with doses just above twice the one median plus the other.
    limit = 6 if n < 5 else 4
    pairs = list(product(range(limit + 1), repeat=2))
    data = np.array(list(combinations_with_replacement(pairs, n)), dtype=np.int8)
    medians = [
        np.sort(values, axis=1)[:, [(n - 1) // 2, n // 2]].sum(axis=1) / 2
        for values in (data[:, :, 0], data[:, :, 1], data[:, :, 0] - data[:, :, 1])
    ]
    before, after, fall = medians
    checked = 0
    for median_before, median_after in product({*before.tolist()}, {*after.tolist()}):
        falls = fall[(before == median_before) & (after == median_after)]
        low, high = median_of_falls_range(n, median_before, median_after)
        assert low <= falls.min()
        assert falls.max() <= high
        if 2 * max(median_before, median_after) + min(median_before, median_after) < limit:
            assert (falls.min(), falls.max()) == (low, high)
            checked += 1
    assert checked >= 1


whole_doses = st.integers(0, 60)
sizes = st.integers(1, 25).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


@st.composite
def questions(draw):
    """Counts, medians and a lowest dose that some data set fits."""
    n_before, n_after = draw(sizes)
    lowest, before = sorted(draw(whole_doses) for _ in range(2))
    return n_before, n_after, before, draw(whole_doses), {"lowest_before": lowest}


derandomised = settings(derandomize=True, deadline=None, max_examples=150)


@derandomised
@given(questions(), st.sampled_from([0.001, 0.1, 0.3, 7, 1000]))
def test_unit_of_dose_does_not_matter(question, scale):
    n_before, n_after, before, after, bounds = question

    def in_unit(dose):
        return round(dose * scale, 6)

    assert certain_decreases(
        n_before,
        n_after,
        in_unit(before),
        in_unit(after),
        **{name: in_unit(value) for name, value in bounds.items()},
    ) == certain_decreases(n_before, n_after, before, after, **bounds)


@derandomised
@given(questions())
def test_at_least_as_many_when_more_are_measured_again(question):
    n_before, _, before, after, bounds = question
    counts = [
        certain_decreases(n_before, n_after, before, after, **bounds)
        for n_after in range(1, n_before + 1)
    ]
    assert counts == sorted(counts)


@derandomised
@given(questions(), st.integers(0, 20), st.integers(0, 20))
def test_at_least_as_many_when_the_medians_lie_further_apart(question, up, down):
    n_before, n_after, before, after, bounds = question
    further = before + up, max(after - down, 0)
    nearer = certain_decreases(n_before, n_after, before, after, **bounds)
    assert certain_decreases(n_before, n_after, *further, **bounds) >= nearer


@derandomised
@given(questions())
def test_a_lowest_dose_never_makes_it_fewer_and_never_more_than_all(question):
    n_before, n_after, before, after, bounds = question
    result = certain_decreases(n_before, n_after, before, after, **bounds)
    assert certain_decreases(n_before, n_after, before, after) <= result <= n_after
    assert (result == 0) or (after < before)


@derandomised
@given(
    st.lists(st.tuples(whole_doses, st.none() | whole_doses), min_size=1, max_size=15).filter(
        lambda patients: any(after is not None for _, after in patients)
    )
)
def test_no_data_set_has_fewer_falls_or_another_median_fall(patients):
    before = [x for x, _ in patients]
    pairs = [(x, y) for x, y in patients if y is not None]
    after = [y for _, y in pairs]
    assert certain_decreases(
        len(before),
        len(after),
        np.median(before),
        np.median(after),
        lowest_before=min(before),
    ) <= sum(y < x for x, y in pairs)
    paired_before = [x for x, _ in pairs]
    low, high = median_of_falls_range(len(pairs), np.median(paired_before), np.median(after))
    assert low <= np.median([x - y for x, y in pairs]) <= high


@derandomised
@given(questions())
def test_first_row_of_the_ladder_is_the_least_over_all_numbers_measured_again(question):
    n_before, n_after, before, after, bounds = question
    ladder = certain_decreases_ladder(n_before, n_after, before, after, **bounds)
    assert ladder["certain_decreases"][0] == min(
        certain_decreases(n_before, m, before, after) for m in range(1, n_before + 1)
    )


def test_ladder_has_one_row_per_assumption():
    ladder = certain_decreases_ladder(20, 20, 2.7, 0.5, lowest_before=0.6)
    assert list(ladder.columns) == ["assumption", "certain_decreases"]
    assert list(ladder.itertuples(index=False, name=None)) == [
        ("the two medians alone", 0),
        ("20 of 20 measured again", 1),
        ("and nobody's dose rose", 1),
        ("and every dose before at least 0.6", 10),
    ]


def test_ladder_without_a_lowest_dose_has_no_row_for_it():
    assert list(certain_decreases_ladder(20, 19, 2.7, 0.5)["certain_decreases"]) == [0, 0, 0]


def test_ties_are_decided_as_decimals():
    # The middle doses after can be 0.1 and 0.2, whose mean is 0.15, though not in binary.
    assert certain_decreases(5, 4, 0.2, 0.15, lowest_before=0.1) == 0
    assert (0.1 + 0.2) / 2 > 0.15


def test_numpy_scalars_are_taken_like_python_numbers():
    result = certain_decreases(np.int64(20), np.int64(20), np.float64(2.7), np.float32(0.5))
    assert result == 1


def test_fall_of_the_median_carries_rounding_in_print():
    assert median_change_range((2.65, 2.75), (0.45, 0.55)) == (2.1, 2.3)
    assert median_change_range((2.7, 2.7), (0.5, 0.5)) == (2.2, 2.2)
    assert median_change_range((0.5, 0.5), (2.7, 2.7)) == (-2.2, -2.2)


def test_relative_fall_carries_rounding_in_print():
    assert relative_fall_range((2.65, 2.75), (0.45, 0.55)) == pytest.approx((42 / 53, 46 / 55))
    assert relative_fall_range((4, 4), (1, 1)) == (0.75, 0.75)
    assert relative_fall_range((4, 4), (0, 0)) == (1.0, 1.0)


def test_median_fall_lies_between_a_rise_to_the_median_after_and_a_fall_of_all():
    assert median_of_falls_range(20, 2.7, 0.5) == (-0.5, 2.7)
    assert median_of_falls_range(1, 2.7, 0.5) == (2.2, 2.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 2, 1), "n_before must be a whole number of at least 1"),
        ((5, 0, 2, 1), "n_after must be a whole number between 1 and 5"),
        ((5.5, 5, 2, 1), "n_before must be a whole number of at least 1"),
        ((5, True, 2, 1), "n_after must be a whole number between 1 and 5"),
        ((5, 6, 2, 1), "n_after must be a whole number between 1 and 5, got 6"),
        ((5, 5, -2, 1), "median_before must be a number at least 0"),
        ((5, 5, 2, math.nan), "median_after must be a number at least 0"),
        ((5, 5, math.inf, 1), "median_before must be a number at least 0"),
        ((5, 5, "2", 1), "median_before must be a number at least 0"),
        ((5, 5, 2, True), "median_after must be a number at least 0"),
    ],
)
def test_impossible_counts_and_medians_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        certain_decreases(*arguments)
    with pytest.raises(ValueError, match=message):
        certain_decreases_ladder(*arguments)


@pytest.mark.parametrize(
    ("lowest", "message"),
    [
        (3, "lowest_before .* must not exceed median_before"),
        (-1, "lowest_before must be a number at least 0"),
        (math.nan, "lowest_before must be a number at least 0"),
        (math.inf, "lowest_before must be a number at least 0"),
    ],
)
def test_a_lowest_dose_that_no_data_set_fits_is_refused(lowest, message):
    with pytest.raises(ValueError, match=message):
        certain_decreases(5, 5, 2, 1, lowest_before=lowest)
    with pytest.raises(ValueError, match=message):
        certain_decreases_ladder(5, 5, 2, 1, lowest_before=lowest)


@pytest.mark.parametrize("function", [median_change_range, relative_fall_range])
@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ((3, 2), (0, 1), "before_interval must not have its low end above its high end"),
        ((2, 3), (1, 0), "after_interval must not have its low end above its high end"),
        ((-1, 3), (0, 1), "before_interval must be a number at least 0"),
        ((2, 3), (0, math.inf), "after_interval must be a number at least 0"),
        ((2, 3), (0,), "after_interval must hold 2 entries, got 1"),
    ],
)
def test_impossible_intervals_are_refused(function, before, after, message):
    with pytest.raises(ValueError, match=message):
        function(before, after)


def test_relative_fall_from_a_median_that_could_be_zero_is_refused():
    with pytest.raises(ValueError, match="before_interval must exclude 0"):
        relative_fall_range((0, 0.05), (0, 0.05))


@pytest.mark.parametrize("arguments", [(0, 2, 1), (2.5, 2, 1), (3, -1, 1), (3, 2, math.nan)])
def test_median_of_falls_refuses_impossible_input(arguments):
    with pytest.raises(ValueError, match="must be a"):
        median_of_falls_range(*arguments)


EVERYBODY, ONE_PATIENT = "everybody's dose fell", "one patient's dose fell"


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 19, 20])
def test_extreme_data_sets_have_as_many_falls_as_their_names_say(n):
    pairs = extreme_data_sets(n, 2.7, 0.5)
    fell = (pairs["after"] < pairs["before"]).groupby(pairs["data_set"]).sum()
    assert fell.to_dict() == {EVERYBODY: n, ONE_PATIENT: 1}
    # No data set has fewer: the sharp minimum is reached.
    assert fell[ONE_PATIENT] == certain_decreases(n, n, 2.7, 0.5)


@derandomised
@given(st.integers(1, 40), st.integers(1, 100), st.integers(1, 100))
def test_extreme_data_sets_share_their_two_medians(n, after, more):
    pairs = extreme_data_sets(n, (after + more) / 10, after / 10)
    for name in (EVERYBODY, ONE_PATIENT):
        mine = pairs[pairs["data_set"] == name]
        assert mine["patient"].tolist() == list(range(1, n + 1))
        assert np.median(mine["before"]) == pytest.approx((after + more) / 10)
        assert np.median(mine["after"]) == pytest.approx(after / 10)
        assert (mine[["before", "after"]] > 0).all(axis=None)
    assert (pairs["after"] <= pairs["before"]).all()


def test_nobody_but_one_patient_changes_dose_in_the_second_extreme_data_set():
    pairs = extreme_data_sets(20, 2.7, 0.5).query("data_set == @ONE_PATIENT")
    assert (pairs["after"] == pairs["before"]).sum() == 19


def test_everybody_falls_in_proportion_in_the_first_extreme_data_set():
    pairs = extreme_data_sets(20, 2.7, 0.5).query("data_set == @EVERYBODY")
    assert (pairs["after"] / pairs["before"]).to_numpy() == pytest.approx(0.5 / 2.7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, 1), "n must be a whole number of at least 1"),
        ((2.5, 2, 1), "n must be a whole number of at least 1"),
        ((True, 2, 1), "n must be a whole number of at least 1"),
        ((4, 1, 2), "the second below the first"),
        ((4, 2, 2), "the second below the first"),
        ((4, 2, 0), "above 0"),
        ((4, 2, -1), "above 0"),
        ((4, math.nan, 1), "above 0"),
        ((4, 2, math.nan), "above 0"),
        ((4, math.inf, 1), "the second below the first"),
    ],
)
def test_extreme_data_sets_refuse_impossible_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        extreme_data_sets(*arguments)
