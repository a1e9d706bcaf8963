"""Tests of what rdmas.stats.dose says of measured doses.

Oracles: tables of ranks (Conover 1999), scipy's quantile test, and sign tests.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, quantile_test

from rdmas.stats import dose

derandomised = settings(derandomize=True, deadline=None, max_examples=50)


@pytest.mark.parametrize(
    ("n", "ranks"),
    # Table A.3 of Conover 1999 and of Hollander and Wolfe: at least 95%.
    [(6, (1, 6)), (8, (1, 8)), (9, (2, 8)), (10, (2, 9)), (20, (6, 15)), (25, (8, 18))],
)
def test_ranks_of_the_limits_of_a_median_are_those_of_the_tables(n, ranks):
    found = dose.median_interval(np.arange(1, n + 1))
    assert (found.low, found.high) == ranks
    assert found.coverage >= 0.95


@derandomised
@given(st.lists(st.integers(0, 40), min_size=1, max_size=60), st.sampled_from([0.8, 0.95, 0.99]))
def test_limits_of_a_median_agree_with_scipy(values, level):
    found = dose.median_interval(values, level)
    expected = quantile_test(values, p=0.5).confidence_interval(level)
    assert (found.low, found.high) == pytest.approx(tuple(expected), nan_ok=True)
    assert found.median == np.median(values)


def test_limits_hold_the_median_as_often_as_they_say():
    # Of 7 values between 0 and 1, exactly: the median is outside only if all are on one side.
    assert dose.median_interval(np.linspace(0, 1, 7)).coverage == 1 - 2 / 2**7
    # At a level that is attained exactly, the limits are not given away to rounding.
    assert dose.median_interval([1, 2, 3, 4, 5], level=1 - 2 / 2**5).low == 1


@pytest.mark.parametrize("values", [[], [None, np.nan], [float("nan")]])
def test_without_values_there_is_no_median(values):
    found = dose.median_interval(values)
    assert found.n == 0 and np.isnan(found[1:]).all()


def test_too_few_values_have_a_median_and_no_limits():
    found = dose.median_interval([2, None, 1])
    assert found[:2] == (2, 1.5) and np.isnan(found[2:]).all()


@derandomised
@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
        min_size=1,
        max_size=30,
    )
)
def test_a_change_is_counted_in_those_measured_both_times(patients):
    before, after = zip(*patients, strict=True)
    found = dose.paired_change(before, after)
    pairs = [(b, a) for b, a in patients if a is not None and b is not None]
    assert found.n == len(pairs) == found.fell + found.same + found.rose
    assert found.fell == sum(a < b for b, a in pairs)
    back = dose.paired_change(after, before)
    assert (back.fell, back.rose) == (found.rose, found.fell)
    assert back.median == pytest.approx(-found.median, nan_ok=True)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), nan_ok=True)
    # A change excluded from the interval is one that a sign test rejects.
    if found.high < 0:
        assert binomtest(found.fell, found.n).pvalue < 0.05


def test_a_dose_that_differs_by_rounding_errors_is_the_same_dose():
    found = dose.paired_change([0.1 + 0.2, 1.0], [0.3, 0.5])
    assert (found.fell, found.same, found.rose) == (1, 1, 0)


def test_measured_doses_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="values must be numbers, or missing"):
        dose.median_interval(["a"])
    with pytest.raises(ValueError, match="values must be finite"):
        dose.median_interval([np.inf])
    with pytest.raises(ValueError, match="same length, got 2 and 1"):
        dose.paired_change([1, 2], [1])
    with pytest.raises(ValueError, match="level must be"):
        dose.median_interval([1], 95)
