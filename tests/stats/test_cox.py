"""Tests of rdmas.stats.cox: hazard ratio, its intervals and three P-values.

Oracles: R 4.2.2 with survival 3.5-3 on the 6-MP leukaemia trial (Freireich 1963; MASS::gehan),
lifelines and statsmodels on small data sets, and likelihoods written out by hand.
"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from scipy.stats import chi2
from statsmodels.duration.hazard_regression import PHReg

from rdmas.stats.cox import NotEstimable, hazard_ratio
from rdmas.stats.logrank import data_of_order, logrank_p, orderings

derandomised = settings(derandomize=True, deadline=None, max_examples=20)

# fmt: off
WEEKS = [
    10, 7, 32, 23, 22, 6, 16, 34, 32, 25, 11, 20, 19, 6, 17, 35, 6, 13, 9, 6, 10,
    1, 22, 3, 12, 8, 17, 2, 11, 8, 12, 2, 5, 4, 15, 8, 23, 5, 11, 4, 1, 8,
]
RELAPSE = [1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0] + [1] * 21
# fmt: on
CONTROL = [0] * 21 + [1] * 21


def p_values(*data):
    """Return P of the Wald, score and likelihood ratio tests."""
    return list(hazard_ratio(*data)[5:8])


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ((WEEKS, RELAPSE, CONTROL), (1.37753761987e-4, 3.28295413142e-5, 5.26092053289e-5)),
        (
            ([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 1, 1, 0, 0], [1, 1, 0, 1, 1, 0, 0, 0]),
            (0.08884908868, 0.05097034051, 0.05212515452),
        ),
    ],
    ids=["6-MP", "eight patients"],
)
def test_cox_p_values_agree_with_r(data, expected):
    # Oracle: R 4.2.2, survival 3.5-3, summary(coxph()): waldtest, sctest, logtest (Efron).
    assert p_values(*data) == pytest.approx(list(expected), rel=1e-8)


@derandomised
@given(st.permutations(range(12)), st.lists(st.booleans(), min_size=12, max_size=12))
def test_score_test_without_ties_is_the_log_rank_test(order, died):
    arm = [0] * 6 + [1] * 6
    score = hazard_ratio(order, died, arm).p_score
    assert score == pytest.approx(logrank_p(order, died, arm), rel=1e-9, nan_ok=True)


@derandomised
@given(
    st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.booleans()), min_size=2, max_size=12)
)
def test_cox_p_values_are_the_same_with_arms_exchanged(patients):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    assume(died.any())
    other_way = pytest.approx(p_values(time, died, ~arm), rel=1e-8, nan_ok=True)
    assert p_values(time, died, arm) == other_way


def test_without_a_finite_estimate_only_the_score_test_is_left():
    # The two arms' deaths do not overlap, so the partial likelihood has no maximum.
    found = hazard_ratio([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1])
    assert np.isnan([found.p_wald, found.p_likelihood_ratio]).all()
    assert found.p_score == pytest.approx(logrank_p([1, 2, 3, 4], [1, 1, 0, 0], [0, 0, 1, 1]))
    assert np.isnan(p_values([1, 2], [0, 0], [0, 1])).all()
    assert np.isnan(p_values([1, 2], [1, 1], [1, 1])).all()


def test_cox_refuses_what_is_not_one_data_set():
    with pytest.raises(ValueError, match="one-dimensional"):
        hazard_ratio([[1, 2]], [1, 1], [0, 1])
    with pytest.raises(ValueError, match="only 0 and 1"):
        hazard_ratio([1, 2], [1, 2], [0, 1])


def test_hazard_ratio_of_the_leukaemia_trial_agrees_with_r():
    # Oracle: R 4.2.2, survival 3.5-3, summary(coxph(Surv(time, cens) ~ treat, data = gehan)).
    found = hazard_ratio(WEEKS, RELAPSE, CONTROL)
    assert found[:3] == pytest.approx((4.8169, 2.1465, 10.8093), abs=5e-5)


def test_hazard_ratios_of_one_death_against_eight_by_order():
    # The report that asked for them: 0.12 if the one death came first, 0.10 if it came last.
    orders = orderings(1, 20, 8, 21)["order"]
    found = []
    for order in orders:
        time, died, in_b = data_of_order(order, 20, 21)
        found.append(hazard_ratio(time, died, ~in_b))
    assert (round(found[0].estimate, 2), round(found[-1].estimate, 2)) == (0.12, 0.10)
    estimates = [ratio.estimate for ratio in found]
    assert estimates == sorted(estimates, reverse=True)


survivors = st.lists(
    st.tuples(st.integers(1, 6), st.booleans(), st.booleans()), min_size=4, max_size=14
)


@derandomised
@given(survivors)
def test_hazard_ratio_agrees_with_lifelines_and_statsmodels(patients):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    found = hazard_ratio(time, died, arm)
    assume(0 < found.estimate < np.inf)
    likelihood = PHReg(time, arm[:, np.newaxis].astype(float), status=died, ties="efron")
    best = np.log(found.estimate)
    # No ratio near the estimate has a higher likelihood, and both ends are as far below it as
    # the likelihood ratio test allows.
    top = likelihood.loglike(np.array([best]))
    assert top >= max(likelihood.loglike(np.array([best + step])) for step in (-0.01, 0.01))
    for end in (found.profile_low, found.profile_high):
        if 0 < end < np.inf:
            drop = 2 * (top - likelihood.loglike(np.array([np.log(end)])))
            assert drop == pytest.approx(chi2.isf(0.05, 1), rel=1e-6)
    data = pd.DataFrame({"time": time, "died": died, "arm": arm.astype(float)})
    fitted = CoxPHFitter().fit(
        data, "time", "died", fit_options={"precision": 1e-12, "r_precision": 1e-12}
    )
    expected = fitted.summary.loc["arm"]
    names = ["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]
    assert found[:3] == pytest.approx(expected[names].tolist(), rel=1e-4)


@derandomised
@given(survivors, st.sampled_from([0.8, 0.95, 0.99]))
def test_an_interval_that_excludes_one_is_a_test_that_rejects(patients, level):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    assume(died.any())
    found = hazard_ratio(time, died, arm, level)
    assume(np.isfinite(found.p_wald))
    for p, low, high in (
        (found.p_wald, found.wald_low, found.wald_high),
        (found.p_likelihood_ratio, found.profile_low, found.profile_high),
    ):
        assume(abs(p - (1 - level)) > 1e-6)
        assert (low > 1 or high < 1) == (p < 1 - level)


@derandomised
@given(survivors)
def test_hazard_ratio_of_exchanged_arms_is_the_inverse(patients):
    time, died, arm = map(np.array, zip(*patients, strict=True))
    assume(died.any())
    found, other = hazard_ratio(time, died, arm), hazard_ratio(time, died, ~arm)
    with np.errstate(divide="ignore"):
        inverse = 1 / np.array(other[:5])[[0, 2, 1, 4, 3]]
    assert np.array(found[:5]) == pytest.approx(inverse, rel=1e-7, nan_ok=True)


def test_without_deaths_in_an_arm_the_profile_has_one_end():
    # By hand: arm 1 never dies; after 1 and 2 of 4, the likelihood is 1 / ((2 + 2r)(1 + 2r)).
    found = hazard_ratio([1, 2, 3, 3], [1, 1, 0, 0], [0, 0, 1, 1])
    assert found.estimate == 0
    assert np.isnan([found.wald_low, found.wald_high]).all()
    assert found.profile_low == 0
    r = found.profile_high
    assert 2 * np.log((2 + 2 * r) * (1 + 2 * r) / 2) == pytest.approx(chi2.isf(0.05, 1))
    other = hazard_ratio([1, 2, 3, 3], [1, 1, 0, 0], [1, 1, 0, 0])
    assert (other.estimate, other.profile_high) == (np.inf, np.inf)
    assert other.profile_low == pytest.approx(1 / r)


def test_where_no_death_left_a_choice_nothing_is_known():
    found = hazard_ratio([1, 2], [0, 1], [0, 1])
    assert np.isnan(found.estimate)
    assert (found.profile_low, found.profile_high) == (0, np.inf)
    assert np.isnan(hazard_ratio([1, 2], [0, 0], [0, 1]).estimate)


def test_hazard_ratio_refuses_what_the_tests_refuse():
    with pytest.raises(ValueError, match="one-dimensional"):
        hazard_ratio([[1, 2]], [1, 1], [0, 1])
    with pytest.raises(ValueError, match="level must be"):
        hazard_ratio([1, 2], [1, 1], [0, 1], level=95)


@pytest.mark.parametrize(
    ("time", "died", "arm", "reason"),
    [
        ([1, 2, 3], [1, 0, 1], [1, 1, 1], NotEstimable.ONE_ARM),
        ([5], [1], [0], NotEstimable.ONE_ARM),
        ([1, 2, 3], [0, 0, 0], [1, 0, 1], NotEstimable.NO_DEATHS),
        ([0, 0, 0], [0, 0, 0], [1, 0, 1], NotEstimable.NO_DEATHS),
        ([1, 2, 3, 3], [1, 1, 0, 0], [0, 0, 1, 1], NotEstimable.NO_DEATHS_IN_1),
        ([1, 2, 3, 3], [1, 1, 0, 0], [1, 1, 0, 0], NotEstimable.NO_DEATHS_IN_0),
        ([1, 2], [0, 1], [0, 1], NotEstimable.NO_CHOICE),
        ([1, 1, 2], [0, 0, 1], [0, 0, 1], NotEstimable.NO_CHOICE),
        ([1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 1, 1], NotEstimable.ALWAYS_ONE_ARM),
        # All dead on one day: both arms alike, and the estimate is finite.
        ([1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1], None),
    ],
)
def test_an_estimate_that_is_not_there_has_a_reason(time, died, arm, reason):
    found = hazard_ratio(time, died, arm)
    assert found.reason == reason
    assert (0 < found.estimate < np.inf) == (reason is None)


def test_two_thousand_in_each_arm_take_no_time_worth_mentioning():
    rng = np.random.default_rng(1)
    arm = np.repeat([0, 1], 2000)
    time = rng.exponential(1 + arm)
    # Oracle: with all dead, exponential times of means 1 and 2 have the hazard ratio one half.
    found = hazard_ratio(time, np.ones(4000), arm)
    assert found.profile_low < 0.5 < found.profile_high
    assert found.estimate == pytest.approx(0.5, rel=0.1)
