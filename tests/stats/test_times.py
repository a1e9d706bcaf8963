"""Times that differ by rounding errors are tied, through every door.

Oracles: R 4.2 with survival 3.5 (`timefix`) for one data set, quoted from the report of the fault;
whole numbers, which have no rounding errors, in the same order; and an own log-rank test in
fractions.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from rdmas.stats.cox import hazard_ratio
from rdmas.stats.logrank import logrank_p
from rdmas.stats.survival import at_risk, deaths_until, kaplan_meier
from rdmas.stats.times import tied

quick = settings(derandomize=True, deadline=None, max_examples=60)

TIME = [0.1 + 0.2, 0.3, 0.5, 0.7, 0.9, 1.1, 0.4, 0.6]
DIED = [1, 1, 1, 0, 1, 0, 1, 1]
ARM = [0, 1] * 4
TENTHS = [3, 3, 5, 7, 9, 11, 4, 6]


def logrank_in_fractions(time, died, arm):
    """The log-rank chi-square by its definition, without floats."""
    excess = variance = Fraction(0)
    for moment in sorted({t for t, d in zip(time, died, strict=True) if d}):
        here = [(t == moment and d, a) for t, d, a in zip(time, died, arm, strict=True)]
        n = sum(t >= moment for t in time)
        n1 = sum(t >= moment and a for t, a in zip(time, arm, strict=True))
        d, d1 = sum(x for x, _ in here), sum(x and a for x, a in here)
        excess += d1 - Fraction(d * n1, n)
        if n > 1:
            variance += Fraction(d * n1 * (n - n1) * (n - d), n * n * (n - 1))
    return excess**2 / variance if variance else None


def test_the_reported_data_set_gives_the_p_of_r():
    assert logrank_p(TIME, DIED, ARM) == pytest.approx(0.24634, abs=5e-6)
    # What the floats say, taken by their letter.
    untied = [4, 3, 6, 8, 9, 10, 5, 7]
    assert logrank_p(untied, DIED, ARM) == pytest.approx(0.28370, abs=5e-6)


def test_every_door_ties_the_reported_times():
    assert logrank_p(TIME, DIED, ARM) == logrank_p(TENTHS, DIED, ARM)
    both = np.array([TIME, [t / 10 for t in TENTHS]])
    assert np.ptp(logrank_p(both, DIED, ARM)) == 0
    found, whole = hazard_ratio(TIME, DIED, ARM), hazard_ratio(TENTHS, DIED, ARM)
    assert found[:8] == pytest.approx(whole[:8], rel=1e-12)
    curves, expected = kaplan_meier(TIME, DIED, ARM), kaplan_meier(TENTHS, DIED, ARM)
    columns = ["survival", "low", "high", "at_risk", "deaths"]
    np.testing.assert_array_equal(curves[columns].to_numpy(), expected[columns].to_numpy())
    together = kaplan_meier(TIME, DIED, ["all"] * 8)
    assert together.loc[together["time"].between(0.29, 0.31), "deaths"].tolist() == [2]
    assert deaths_until(TIME, DIED).tolist() == deaths_until(TENTHS, DIED).tolist()


def test_a_time_that_is_asked_for_is_tied_too():
    curves = kaplan_meier([0.3, 0.5], [1, 1], ["a", "a"])
    assert at_risk(curves, [0.3, 0.1 + 0.2, 0.30001, 1e9])["at_risk"].tolist() == [2, 2, 1, 0]


# Follow-up in tenths of a year, reached in different ways.
WAYS = (lambda k: k / 10, lambda k: sum([0.1] * k), lambda k: 2020 + k / 10 - 2020)


@st.composite
def data_sets(draw):
    n = draw(st.integers(2, 12))
    columns = (st.integers(1, 9), st.sampled_from(WAYS), st.integers(0, 1), st.integers(0, 1))
    return [[draw(column) for _ in range(n)] for column in columns]


@quick
@given(data_sets(), st.sampled_from([1, 1e-9, 365.25, 1e6]))
def test_rounding_errors_make_no_new_times_in_any_unit(data, unit):
    tenths, ways, died, arm = data
    time = [unit * way(k) for k, way in zip(tenths, ways, strict=True)]
    expected = logrank_in_fractions(tenths, died, arm)
    p_value = logrank_p(time, died, arm)
    if expected is None:
        assert np.isnan(p_value)
    else:
        assert p_value == pytest.approx(chi2.sf(float(expected), 1), rel=1e-9)
    assert len(np.unique(tied(time))) == len(set(tenths))


@quick
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_whole_numbers_of_days_stay_as_they_are(days):
    assert tied(days).tolist() == days


def test_data_sets_are_tied_each_by_its_own_size():
    rows = np.array([[1e-9, 2e-9, 3e-9], [1e9, 1e9 + 1e-6, 2e9]])
    assert tied(rows).tolist() == [[1e-9, 2e-9, 3e-9], [1e9, 1e9, 2e9]]


def test_a_row_of_neighbours_is_one_time():
    step = 1e-9
    assert np.ptp(tied([1 + k * step for k in range(50)])) == 0


def test_no_times_at_all_are_no_fault():
    assert tied([]).tolist() == []
    assert tied(np.empty((2, 0))).shape == (2, 0)
