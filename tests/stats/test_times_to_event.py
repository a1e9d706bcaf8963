"""Tests of rdmas.stats.times_to_event.

Oracles: the North Central Cancer Treatment Group's lung trial and the 6-MP leukaemia trial with
the medians and limits that R's survival and SAS's LIFETEST print on the log(-log) scale; lifelines
where its convention is the same; and, without censoring, means and medians of the times.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_lung, load_waltons
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import binom, norm

from rdmas.stats.survival import kaplan_meier
from rdmas.stats.times_to_event import (
    median_followup,
    median_survival,
    restricted_means,
    survival_at,
)

derandomised = settings(derandomize=True, deadline=None, max_examples=25)

# fmt: off
WEEKS = [
    10, 7, 32, 23, 22, 6, 16, 34, 32, 25, 11, 20, 19, 6, 17, 35, 6, 13, 9, 6, 10,
    1, 22, 3, 12, 8, 17, 2, 11, 8, 12, 2, 5, 4, 15, 8, 23, 5, 11, 4, 1, 8,
]
RELAPSE = [1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0] + [1] * 21
# fmt: on
ARM = ["6-MP"] * 21 + ["control"] * 21
TREATED = [1] * 21 + [0] * 21

# Groups 37 to 42 of the cases of a register: times and deaths of one arm.
ODD = {
    "one patient, alive": ([5], [0]),
    "one patient, dead": ([5], [1]),
    "one patient, censored on day 0": ([0], [0]),
    "everybody censored on day 0": ([0, 0, 0], [0, 0, 0]),
    "all dead on one day": ([7, 7, 7], [1, 1, 1]),
    "all dead on day 0": ([0, 0], [1, 1]),
    "tied": ([1, 1, 2, 2], [1, 0, 1, 1]),
    "fractions of a day": ([0.1 + 0.2, 0.3, 1 / 3, 2.5], [1, 1, 0, 1]),
    "no deaths": ([3, 4, 9], [0, 0, 0]),
}


def row(frame):
    """Return the only row."""
    [found] = frame.to_dict("records")
    return found


# Medians --------------------------------------------------------------------------------------


def test_medians_of_the_leukaemia_trial_agree_with_survfit():
    # R: survfit(Surv(time, cens) ~ treat, data = MASS::gehan, conf.type = "log-log")
    found = median_survival(WEEKS, RELAPSE, ARM).set_index("arm")
    assert found.loc["6-MP"].tolist() == [21, 9, 23, 13, math.inf]
    assert found.loc["control"].tolist() == [21, 21, 8, 4, 11]


def test_medians_of_the_lung_trial_agree_with_survfit():
    # R: survfit(Surv(time, status) ~ sex, data = lung, conf.type = "log-log"), and ~ 1
    lung = load_lung()
    found = median_survival(lung["time"], lung["status"], lung["sex"])
    columns = ["n", "events", "median", "low", "high"]
    expected = [[138, 112, 270, 210, 306], [90, 53, 426, 345, 524]]
    assert found[columns].to_numpy().tolist() == expected
    both = median_survival(lung["time"], lung["status"], ["all"] * len(lung))
    assert row(both[columns]) == dict(zip(columns, [228, 165, 310, 284, 361], strict=True))


def test_medians_agree_with_lifelines_where_no_curve_stays_at_one_half():
    waltons = load_waltons()
    for group, rows in waltons.groupby("group"):
        fitted = KaplanMeierFitter().fit(rows["T"], rows["E"])
        found = row(median_survival(rows["T"], rows["E"], [group] * len(rows)))
        assert found["median"] == fitted.median_survival_time_
        curve = fitted.confidence_interval_survival_function_
        for limit, column in (("low", 0), ("high", 1)):
            assert found[limit] == curve.index[curve.iloc[:, column] <= 0.5][0]


@derandomised
@given(st.lists(st.integers(0, 50), min_size=1, max_size=30))
def test_without_censoring_the_median_is_that_of_the_times(times):
    found = row(median_survival(times, [1] * len(times), ["a"] * len(times)))
    assert found["median"] == pytest.approx(np.median(times))
    if found["low"] == found["low"]:
        assert found["low"] <= found["median"] <= found["high"]


@derandomised
@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.booleans()), min_size=1, max_size=20),
    st.sampled_from([0.5, 0.95]),
)
def test_a_unit_of_time_changes_medians_by_itself_only(patients, level):
    time, died = map(np.array, zip(*patients, strict=True))
    arm = ["a"] * len(time)
    days, weeks = (median_survival(t, died, arm, level) for t in (time, time / 7))
    limits = ["median", "low", "high"]
    np.testing.assert_allclose(days[limits] / 7, weeks[limits], rtol=1e-9)


def test_a_curve_that_ends_at_one_half_has_its_median_there():
    # R: survfit(Surv(c(1, 2, 3, 4), c(1, 1, 0, 0)) ~ 1): median 2
    assert row(median_survival([1, 2, 3, 4], [1, 1, 0, 0], ["a"] * 4))["median"] == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one patient, alive", (math.inf, math.nan, math.nan)),
        ("one patient, dead", (5, math.nan, math.nan)),
        ("one patient, censored on day 0", (math.inf, math.nan, math.nan)),
        ("everybody censored on day 0", (math.inf, math.nan, math.nan)),
        ("all dead on one day", (7, math.nan, math.nan)),
        ("all dead on day 0", (0, math.nan, math.nan)),
        ("no deaths", (math.inf, math.nan, math.nan)),
        ("tied", (2, 1, math.inf)),
    ],
)
def test_median_of_odd_arms(name, expected):
    time, died = ODD[name]
    found = row(median_survival(time, died, ["a"] * len(time)))
    assert [found[key] for key in ("median", "low", "high")] == pytest.approx(
        list(expected), nan_ok=True
    )


def test_followup_is_the_median_of_the_times_if_nobody_died_and_unknown_if_all_did():
    followed = row(median_followup([3, 4, 9], [0, 0, 0], ["a"] * 3))
    assert (followed["median"], followed["events"]) == (4, 3)
    assert row(median_followup([3, 4, 9], [1, 1, 1], ["a"] * 3))["median"] == math.inf
    with pytest.raises(ValueError, match="died must be 0 or 1"):
        median_followup([3], [2], ["a"])


# Survival at stated times ---------------------------------------------------------------------


def test_survival_at_stated_times_agrees_with_survfit():
    # R: summary(survfit(..., conf.type = "log-log"), times = c(10, 20))
    found = survival_at(WEEKS, RELAPSE, ARM, [10, 20]).set_index(["arm", "time"])
    expected = {
        ("6-MP", 10): (0.7529412, 0.5031995, 0.8893618, 15, 5),
        ("6-MP", 20): (0.6274510, 0.3675109, 0.8049122, 8, 7),
        ("control", 10): (0.38095238, 0.183066549, 0.5777887, 8, 13),
        ("control", 20): (0.09523810, 0.016259260, 0.2612500, 2, 19),
    }
    for key, values in expected.items():
        columns = ["survival", "low", "high", "at_risk", "deaths"]
        assert found.loc[key, columns].tolist() == pytest.approx(values, rel=2e-7)


def test_survival_beyond_followup_is_unknown_unless_all_have_died():
    found = survival_at(WEEKS, RELAPSE, ARM, [24, 35, 36]).set_index(["arm", "time"])["survival"]
    assert found["control"].tolist() == [0, 0, 0]
    assert found["6-MP"].tolist() == pytest.approx([0.4481793] * 2 + [math.nan], nan_ok=True)


@pytest.mark.parametrize("name", ODD)
def test_odd_arms_have_a_survival_between_zero_and_one(name):
    time, died = ODD[name]
    found = survival_at(time, died, ["a"] * len(time), [0, 0.3, 30])
    known = found["survival"].dropna()
    assert known.between(0, 1).all() and (np.diff(known) <= 0).all()
    assert found["deaths"].iloc[-1] == sum(died)


@derandomised
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=20))
def test_survival_at_the_times_of_the_curve_is_the_curve(patients):
    time, died = map(np.array, zip(*patients, strict=True))
    curve = kaplan_meier(time, died, ["a"] * len(time))
    found = survival_at(time, died, ["a"] * len(time), curve["time"])
    columns = ["time", "survival", "low", "high", "at_risk"]
    pd.testing.assert_frame_equal(found[columns], curve[columns], check_dtype=False)


def test_survival_at_refuses_impossible_times():
    with pytest.raises(ValueError, match="times must be a number at least 0, got -1"):
        survival_at([1], [1], ["a"], [-1])


# Restricted means -----------------------------------------------------------------------------


def test_restricted_means_of_the_leukaemia_trial():
    # The areas by lifelines; the last control relapses at week 23.
    found = restricted_means(WEEKS, RELAPSE, TREATED)
    assert (found.until, found.reason) == (23, "")
    for mean, treated in ((found.mean_1, 1), (found.mean_0, 0)):
        rows = np.array(TREATED) == treated
        fitted = KaplanMeierFitter().fit(np.array(WEEKS)[rows], np.array(RELAPSE)[rows])
        assert mean == pytest.approx(restricted_mean_survival_time(fitted, t=23))
    # All controls relapsed by then: theirs is the plain mean of 21 times.
    assert found.mean_0 == pytest.approx(np.mean(WEEKS[21:]))


@derandomised
@given(
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=4, max_size=30),
    st.integers(3, 25),
)
def test_without_censoring_it_is_a_comparison_of_means(patients, until):
    time, arm = map(np.array, zip(*patients, strict=True))
    cut = [np.minimum(time[arm == which], until) for which in (True, False)]
    assume(all(one.size > 1 and np.ptp(one) > 0 for one in cut))
    found = restricted_means(time, np.ones(len(time)), arm, until, level=0.9)
    treated, control = cut
    error = math.sqrt(treated.var() / treated.size + control.var() / control.size)
    assert found.difference == pytest.approx(treated.mean() - control.mean())
    assert (found.high - found.low) / 2 == pytest.approx(norm.isf(0.05) * error)
    assert found.p_value == pytest.approx(2 * norm.sf(abs(found.difference) / error))


@derandomised
@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans()), min_size=4, max_size=20)
)
def test_exchanged_arms_turn_the_difference_round(patients):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    found, other = restricted_means(time, died, arm), restricted_means(time, died, ~arm)
    assert found.difference == pytest.approx(-other.difference, nan_ok=True)
    assert (found.low, found.high) == pytest.approx((-other.high, -other.low), nan_ok=True)
    assert found.p_value == pytest.approx(other.p_value, nan_ok=True)


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says():
    # Exponential times with means 1 and 2, censored at random: the true difference up to 1 is
    # 2 (1 - exp(-1/2)) - (1 - exp(-1)).
    rng = np.random.default_rng(3)
    truth = 2 * (1 - math.exp(-0.5)) - (1 - math.exp(-1))
    arm, held, runs = np.repeat([0, 1], 60), 0, 200
    for _ in range(runs):
        lives, ends = rng.exponential(1 + arm), rng.uniform(0.3, 3, arm.size)
        found = restricted_means(np.minimum(lives, ends), lives <= ends, arm, until=1)
        held += found.low <= truth <= found.high
    assert binom.cdf(held, runs, 0.95) > 1e-3
    assert binom.sf(held - 1, runs, 0.95) > 1e-3


@pytest.mark.parametrize("name", ODD)
def test_odd_arms_are_compared_or_it_is_said_why_not(name):
    time, died = ODD[name]
    alone = restricted_means(time, died, [1] * len(time))
    assert alone.reason and math.isnan(alone.difference)
    found = restricted_means([*time, 3, 4], [*died, 1, 1], [1] * len(time) + [0, 0])
    assert bool(found.reason) == math.isnan(found.p_value)


def test_restricted_means_refuse_what_was_not_seen():
    with pytest.raises(ValueError, match="until must be at most 4"):
        restricted_means([4, 9], [0, 1], [0, 1], until=5)
    with pytest.raises(ValueError, match="until must be a number above 0"):
        restricted_means([4, 9], [0, 1], [0, 1], until=0)
    with pytest.raises(ValueError, match="arm must be 0 or 1"):
        restricted_means([4, 9], [0, 1], [0, 2])
    # An arm whose curve is at 0 has no follow-up to go beyond.
    assert restricted_means([4, 9], [1, 1], [0, 1], until=9).mean_0 == 4


# What all refuse ------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [median_survival, median_followup, restricted_means])
def test_nobody_is_no_cohort(function):
    with pytest.raises(ValueError, match="at least one patient"):
        function([], [], [])
