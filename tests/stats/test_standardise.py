"""Limits of a weighted mean recovered from those of its parts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from rdmas.stats.proportion import interval
from rdmas.stats.standardise import standardise

parts = st.lists(
    st.tuples(st.integers(0, 20), st.integers(20, 60), st.integers(0, 9)), min_size=1, max_size=4
).filter(lambda rows: any(weight for _, _, weight in rows))


def of_counts(rows):
    limits = [interval(events, n, "wilson") for events, n, _ in rows]
    return (
        [events / n for events, n, _ in rows],
        [low for low, _ in limits],
        [high for _, high in limits],
        [weight for _, _, weight in rows],
    )


def test_distances_are_newcombes():
    # Oracle: Newcombe's interval of a difference squares and adds the same distances. Perondi 7/34
    # against 1/34, 0.0189 to 0.3404 (PropCIs), is the mean of one arm and of the other's
    # complement, doubled and less one.
    low_a, high_a = interval(7, 34, "wilson")
    low_b, high_b = interval(1, 34, "wilson")
    found = standardise([7 / 34, 33 / 34], [low_a, 1 - high_b], [high_a, 1 - low_b], [1, 1])
    difference = tuple(2 * value - 1 for value in found)
    assert difference == pytest.approx((6 / 34, 0.0189, 0.3404), abs=5e-5)


def test_normal_limits_give_the_normal_limits_of_the_mean():
    # Oracle: the variance of a sum of independent estimates.
    mean, se, weight = np.array([0.3, 0.5, 0.4]), np.array([0.05, 0.1, 0.02]), np.array([2, 1, 1])
    half = norm.ppf(0.975) * se
    found = standardise(mean, mean - half, mean + half, weight)
    expected = norm.ppf(0.975) * np.sqrt(((weight / 4 * se) ** 2).sum())
    assert found.high - found.estimate == pytest.approx(expected)
    assert found.estimate - found.low == pytest.approx(expected)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(parts)
def test_the_mean_lies_between_its_limits_and_the_parts_extremes(rows):
    estimates, lows, highs, weights = of_counts(rows)
    found = standardise(estimates, lows, highs, weights)
    assert min(lows) - 1e-12 <= found.low <= found.estimate <= found.high <= max(highs) + 1e-12
    # Weights are shares, whatever they add up to.
    again = standardise(estimates, lows, highs, [7 * weight for weight in weights])
    assert again == pytest.approx(found)


def test_one_part_is_itself():
    assert standardise([0.2], [0.1], [0.4], [5]) == pytest.approx((0.2, 0.1, 0.4))
    assert standardise([0.2, 0.9], [0.1, 0.1], [0.4, 1], [5, 0]) == pytest.approx((0.2, 0.1, 0.4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], [], []), "estimates must hold at least one entry"),
        (([0.1], [0.0], [0.2], [1, 2]), "weights must hold 1 entries"),
        (([0.3], [0.0], [0.2], [1]), "between its limits"),
        (([float("nan")], [0.0], [0.2], [1]), "between its limits"),
        (([0.1], [0.0], [0.2], [0]), "not all 0"),
        (([0.1], [0.0], [0.2], [-1]), "at least 0"),
        (([0.1], [0.0], [0.2], [float("inf")]), "not all 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        standardise(*arguments)
