"""Known answers and properties of the analysis of credibility."""

from math import exp, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from rdmas.stats.credibility import (
    exact_sceptical_prior_sd,
    intrinsic_p_value,
    sceptical_limit,
    sceptical_prior_sd,
)
from rdmas.stats.log_odds import logistic_posterior
from rdmas.stats.two_by_two import effects

quick = settings(derandomize=True, max_examples=10, deadline=None)
z95 = norm.isf(0.025)
great = (13, 163, 23, 148)
zero_cell = (0, 16, 15, 72)
survivors = (19, 20, 13, 21)
deaths = (1, 20, 8, 21)
estimates = st.floats(-3, 3).filter(lambda x: abs(x) > 0.05)
errors = st.floats(0.05, 2)
levels = st.sampled_from([0.9, 0.95, 0.99])


def swapped(table):
    """The same table with the arms exchanged."""
    return *table[2:], *table[:2]


def odds_ratios(frame):
    """Posterior median and limits of the odds ratio."""
    return tuple(frame[["odds_ratio", "low", "high"]].iloc[0])


# Normal likelihood ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "published"),
    [
        # Spiegelhalter, Abrams and Myles 2004, section 3.11: the GREAT trial.
        (0.24, 0.97, "0.10"),
        # Matthews 2019, American Statistician 73 (S1):202-212: bread rolls and Salmonella,
        # odds ratio 2.03 (1.03 to 4.00), scepticism limit 10.
        (1.03, 4.00, "10"),
    ],
)
def test_scepticism_limit_agrees_with_published_examples(low, high, published):
    decimals = len(published.partition(".")[2])
    assert f"{sceptical_limit(low, high):.{decimals}f}" == published


@pytest.mark.parametrize(
    ("definition", "alpha", "threshold"),
    [
        ("Held", 0.005, 7.19495236320815e-05),
        ("Held", 0.01, 0.000269716956631484),
        ("Held", 0.05, 0.00557459668078442),
        ("Matthews", 0.005, 0.000356161575901172),
        ("Matthews", 0.01, 0.00105100270170506),
        ("Matthews", 0.05, 0.0126628646365154),
    ],
)
def test_thresholds_of_intrinsic_credibility_agree_with_replicationsuccess(
    definition, alpha, threshold
):
    # Oracle: R package ReplicationSuccess, tests of thresholdIntrinsic(alpha, "two.sided", type).
    assert intrinsic_p_value(threshold, definition) == pytest.approx(alpha, rel=1e-10)


@pytest.mark.parametrize(
    ("p", "definition", "expected"),
    [
        (1e-4, "Held", 0.00594020536563311),
        (0.5, "Held", 0.633407499183923),
        (1e-4, "Matthews", 0.00222378173673518),
        (0.5, "Matthews", 0.595937883003954),
    ],
)
def test_intrinsic_p_value_agrees_with_replicationsuccess(p, definition, expected):
    # Oracle: R package ReplicationSuccess, tests of pIntrinsic(p, "two.sided", type).
    assert intrinsic_p_value(p, definition) == pytest.approx(expected, rel=1e-10)


@quick
@given(estimates, errors, levels)
def test_critical_prior_puts_a_posterior_limit_exactly_at_one(estimate, se, level):
    z = norm.isf((1 - level) / 2)
    # At the very edge of significance the critical prior is beyond floating point.
    assume(abs(estimate) / se - z > 1e-3)
    sd = sceptical_prior_sd(exp(estimate - z * se), exp(estimate + z * se), level)
    # Oracle: closed form of the posterior with normal likelihood, weighed by precision.
    weight = sd**2 / (sd**2 + se**2)
    reach = z * se * sqrt(weight)
    near = min(abs(weight * estimate - reach), abs(weight * estimate + reach))
    assert near == pytest.approx(0, abs=1e-7)


@quick
@given(estimates, errors)
def test_limit_is_the_end_of_the_critical_prior_interval(estimate, se):
    assume(abs(estimate) / se - z95 > 0.05)
    limits = exp(estimate - z95 * se), exp(estimate + z95 * se)
    sign = 1 if estimate > 0 else -1
    end = exp(sign * z95 * sceptical_prior_sd(*limits))
    assert end == pytest.approx(sceptical_limit(*limits), rel=1e-9)


@quick
@given(estimates, st.floats(0.1, 2))
def test_intrinsic_credibility_follows_from_its_definitions(estimate, se):
    low, high = estimate - z95 * se, estimate + z95 * se
    assume(low * high > 0)
    p = 2 * norm.sf(abs(estimate) / se)
    beyond = abs(estimate) > abs(log(sceptical_limit(exp(low), exp(high))))
    assert (intrinsic_p_value(p, "Matthews") < 0.05) == beyond
    sd = sceptical_prior_sd(exp(low), exp(high))
    conflict = abs(estimate) / np.hypot(sd, se) > z95
    assert (intrinsic_p_value(p, "Held") < 0.05) == conflict
    # Held 2019: a bound on the ratio of the limits; its closed form at any level is 3 + 2 sqrt(2).
    near, far = sorted(map(abs, (low, high)))
    assert conflict == (far / near < 3 + 2 * sqrt(2))


@quick
@given(st.floats(0.1, 5), st.floats(0.1, 5))
def test_inverting_a_ratio_inverts_its_limit(low, width):
    assert sceptical_limit(exp(-low - width), exp(-low)) == pytest.approx(
        1 / sceptical_limit(exp(low), exp(low + width))
    )


@quick
@given(estimates, st.floats(0.1, 2))
def test_intrinsic_p_value_is_above_the_ordinary_one(estimate, se):
    p = 2 * norm.sf(abs(estimate) / se)
    for definition in ("Held", "Matthews"):
        assert intrinsic_p_value(p, definition) > p


def test_limits_of_the_odds_ratio_of_19_of_20_against_13_of_21():
    # Oracle: the closed form by hand from Woolf's limits.
    woolf = effects(*survivors).query("method == 'Woolf'").iloc[0]
    se = sqrt(1 / 19 + 1 / 1 + 1 / 13 + 1 / 8)
    estimate = log(19 * 8 / 13)
    expected = exp((z95 * se) ** 2 / sqrt(estimate**2 - (z95 * se) ** 2))
    assert sceptical_limit(woolf["low"], woolf["high"]) == pytest.approx(expected, rel=1e-9)


# Binomial likelihood --------------------------------------------------------------------------


@pytest.mark.parametrize(("table", "sd"), [(great, 0.93837047), (survivors, 0.86108987)])
def test_exact_sceptical_prior_sd_agrees_with_r(table, sd):
    # Oracle: R 4.2.2, uniroot() on the same nested integrate() with prior mean 0.
    assert exact_sceptical_prior_sd(*table) == pytest.approx(sd, abs=2e-8)


@pytest.mark.parametrize("table", [survivors, great, zero_cell, (10, 10, 0, 10)])
def test_interval_touches_one_at_the_exact_sceptical_prior(table):
    sd = exact_sceptical_prior_sd(*table)
    _, low, high = odds_ratios(logistic_posterior(*table, 0, sd))
    assert min(abs(log(low)), abs(log(high))) == pytest.approx(0, abs=1e-8)
    _, low, high = odds_ratios(logistic_posterior(*table, 0, 0.9 * sd))
    assert low < 1 < high


def test_exact_sceptical_prior_is_the_normal_one_in_large_samples():
    table = (5300, 10000, 5000, 10000)
    woolf = effects(*table).query("method == 'Woolf'").iloc[0]
    expected = sceptical_prior_sd(woolf["low"], woolf["high"])
    assert exact_sceptical_prior_sd(*table) == pytest.approx(expected, rel=1e-3)


def test_exact_sceptical_prior_is_the_same_for_events_and_non_events():
    expected = exact_sceptical_prior_sd(*survivors)
    assert exact_sceptical_prior_sd(*deaths) == pytest.approx(expected, abs=1e-9)
    assert exact_sceptical_prior_sd(*swapped(survivors)) == pytest.approx(expected, abs=1e-9)


def test_no_scepticism_is_needed_where_even_a_wide_prior_leaves_one_inside():
    assert exact_sceptical_prior_sd(10, 20, 9, 20) == inf
    assert exact_sceptical_prior_sd(0, 5, 0, 5) == inf


# Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ((5, 4, 1, 4), "Arm a: events must be a whole number between 0 and 4"),
        ((1, 4, 1.5, 4), "Arm b: events must be a whole number"),
        ((True, 4, 1, 4), "Arm a: events must be a whole number"),
        ((1, 4, 0, 0), "Arm b: n must be a whole number of at least 1"),
    ],
)
def test_impossible_counts_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        exact_sceptical_prior_sd(*table)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sceptical_limit(0.5, 2), "exclude 1, got 0.5 to 2"),
        (lambda: sceptical_limit(1, 2), "exclude 1"),
        (lambda: sceptical_limit(2, 1.5), "must be in order"),
        (lambda: sceptical_limit(0, 0.5), "low must be a number above 0"),
        (lambda: sceptical_limit(2, inf), "high must be a number above 0"),
        (lambda: sceptical_prior_sd(2, 3, level=95), "above 0 and below 1"),
        (lambda: intrinsic_p_value(0), "above 0 and at most 1"),
        (lambda: intrinsic_p_value(0.01, "Box"), "Held, Matthews"),
        (lambda: exact_sceptical_prior_sd(*great, level=95), "above 0 and below 1"),
    ],
)
def test_bad_arguments_are_refused_with_a_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
