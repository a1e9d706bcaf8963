"""Known answers and properties of the log odds ratio under normal priors."""

from math import exp, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import binom, norm

from rdmas.stats.log_odds import logistic_posterior, prior_family

quick = settings(derandomize=True, max_examples=10, deadline=None)
z95 = norm.isf(0.025)
perondi = (7, 34, 1, 34)
great = (13, 163, 23, 148)
zero_cell = (0, 16, 15, 72)
survivors = (19, 20, 13, 21)
deaths = (1, 20, 8, 21)


@st.composite
def tables(draw, largest=30):
    """Events and size of two arms, empty cells included."""
    n_a, n_b = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    return draw(st.integers(0, n_a)), n_a, draw(st.integers(0, n_b)), n_b


def swapped(table):
    """The same table with the arms exchanged."""
    return *table[2:], *table[:2]


def mirrored(table):
    """The same table with events and non-events exchanged."""
    events_a, n_a, events_b, n_b = table
    return n_a - events_a, n_a, n_b - events_b, n_b


def odds_ratios(frame, row=0):
    """Posterior median and limits of the odds ratio in one row."""
    return tuple(frame[["odds_ratio", "low", "high"]].iloc[row])


# Normal priors: known answers -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "mean", "sd", "expected", "above"),
    [
        (perondi, 0, 1, (3.136307048, 0.928635992, 11.759895302), 0.9669932058),
        (great, -0.255, 0.13, (0.731797779, 0.576012358, 0.929570912), 0.0052575409),
        (zero_cell, 0, 2.5, (0.096920757, 0.004667818, 0.749717340), 0.0106246712),
        (survivors, 0, 2.5, (8.856161574, 1.670691475, 75.446683546), 0.9956342379),
    ],
)
def test_logistic_posterior_agrees_with_r(table, mean, sd, expected, above):
    # Oracle: R 4.2.2, integrate() over the log odds ratio of an inner integrate() over the
    # baseline of dbinom(..., plogis(...)) dnorm(...) dnorm(...), and uniroot() for quantiles.
    frame = logistic_posterior(*table, mean, sd)
    assert odds_ratios(frame) == pytest.approx(expected, rel=2e-7)
    assert frame["probability_above_1"].item() == pytest.approx(above, abs=1e-9)


def test_logistic_posterior_agrees_with_a_sum_over_a_fine_grid():
    # Oracle: the definition.
    t, m = np.linspace(-7, 7, 2801)[:, None], np.linspace(-9, 7, 801)
    density = (
        binom.pmf(3, 8, expit(m + t / 2))
        * binom.pmf(1, 6, expit(m - t / 2))
        * norm.pdf(t, 0.4, 0.9)
        * norm.pdf(m, 0, 2.5)
    ).sum(axis=1)
    above = np.trapezoid(density[1400:]) / np.trapezoid(density)
    frame = logistic_posterior(3, 8, 1, 6, 0.4, 0.9)
    assert frame["probability_above_1"].item() == pytest.approx(above, abs=2e-6)


def test_prior_family_has_its_conventional_parameters():
    # Oracle: definitions in Spiegelhalter, Freedman and Parmar 1994.
    frame = prior_family(*deaths, benefit_odds_ratio=0.5).set_index("prior")
    sceptical, neutral, enthusiastic = (
        norm(*frame.loc[name, ["prior_mean", "prior_sd"]])
        for name in ("sceptical", "neutral", "enthusiastic")
    )
    assert sceptical.cdf(log(0.5)) == pytest.approx(0.05)
    assert sceptical.median() == 0
    assert enthusiastic.sf(0) == pytest.approx(0.05)
    assert enthusiastic.median() == pytest.approx(log(0.5))
    assert (neutral.mean(), neutral.std()) == (0, 2.5)
    assert list(frame.columns) == [
        "prior_mean",
        "prior_sd",
        "odds_ratio",
        "low",
        "high",
        "probability_benefit",
    ]


# Normal priors: properties --------------------------------------------------------------------


@quick
@given(tables(25), st.floats(-2, 2), st.floats(0.2, 3))
def test_exchanging_the_arms_inverts_the_odds_ratio(table, mean, sd):
    there = logistic_posterior(*table, mean, sd)
    back = logistic_posterior(*swapped(table), -mean, sd)
    median, low, high = odds_ratios(back)
    assert odds_ratios(there) == pytest.approx((1 / median, 1 / high, 1 / low), rel=1e-7)
    total = there["probability_above_1"].item() + back["probability_above_1"].item()
    assert total == pytest.approx(1, abs=1e-9)


@quick
@given(tables(25), st.floats(-2, 2), st.floats(0.2, 3))
def test_exchanging_events_and_non_events_inverts_the_odds_ratio(table, mean, sd):
    there = logistic_posterior(*table, mean, sd)
    back = logistic_posterior(*mirrored(table), -mean, sd)
    median, low, high = odds_ratios(back)
    assert odds_ratios(there) == pytest.approx((1 / median, 1 / high, 1 / low), rel=1e-7)


def test_large_samples_give_the_normal_posterior():
    table = (5200, 10000, 5000, 10000)
    se = sqrt(1 / 5200 + 1 / 4800 + 1 / 5000 + 1 / 5000)
    weight = 0.05**2 / (0.05**2 + se**2)
    expected = norm(weight * log(5200 / 4800), se * sqrt(weight))
    found = logistic_posterior(*table, 0, 0.05)
    assert odds_ratios(found) == pytest.approx(np.exp(expected.ppf([0.5, 0.025, 0.975])), rel=2e-5)
    above = expected.sf(0)
    assert found["probability_above_1"].item() == pytest.approx(above, abs=1e-5)


def test_a_narrow_prior_is_its_own_posterior():
    found = logistic_posterior(*survivors, 0.3, 0.001)
    expected = [exp(0.3 + z * 0.001) for z in (0, -z95, z95)]
    assert odds_ratios(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("table", [(0, 5, 0, 5), (5, 5, 0, 5), (1, 1, 0, 1), (0, 2000, 3, 500)])
def test_empty_cells_have_a_proper_posterior(table):
    median, low, high = odds_ratios(logistic_posterior(*table, 0, 10))
    assert 0 < low < median < high < inf


def test_probability_is_certain_where_no_effect_is_far_outside_the_posterior():
    table = (900, 1000, 100, 1000)
    for arms, expected in ((table, 1), (swapped(table), 0)):
        frame = logistic_posterior(*arms, 0, 5)
        assert frame["probability_above_1"].item() == expected


def test_more_scepticism_pulls_the_odds_ratio_towards_one():
    medians = [logistic_posterior(*survivors, 0, sd)["odds_ratio"].item() for sd in (3, 1, 0.3)]
    assert medians[0] > medians[1] > medians[2] > 1


def test_prior_family_is_ordered_from_sceptic_to_enthusiast():
    frame = prior_family(*survivors, benefit_odds_ratio=2).set_index("prior")
    benefit = frame["probability_benefit"]
    assert benefit["sceptical"] < benefit["neutral"]
    assert benefit["sceptical"] < benefit["enthusiastic"]
    assert frame.loc["sceptical", "odds_ratio"] < frame.loc["enthusiastic", "odds_ratio"]


def test_prior_family_is_the_same_for_death_and_survival():
    death = prior_family(*deaths, benefit_odds_ratio=0.5, tail=0.1)
    survival = prior_family(*survivors, benefit_odds_ratio=2, tail=0.1)
    found = death["probability_benefit"].to_numpy()
    assert found == pytest.approx(survival["probability_benefit"].to_numpy(), abs=1e-10)
    assert 1 / death["low"].to_numpy() == pytest.approx(survival["high"].to_numpy(), rel=1e-8)


def test_prior_family_rows_are_logistic_posteriors():
    # Oracle: R 4.2.2, nested integrate() with prior sd log(2) / qnorm(0.95).
    frame = prior_family(*survivors, benefit_odds_ratio=2)
    assert odds_ratios(frame, 0) == pytest.approx((1.586986379, 0.769847111, 3.286522970))
    assert odds_ratios(frame, 2) == pytest.approx((2.721283955, 1.313066134, 5.690319030))
    frame = prior_family(*survivors, benefit_odds_ratio=2, neutral_sd=1.5, level=0.8)
    single = logistic_posterior(*survivors, 0, 1.5, level=0.8)
    assert odds_ratios(frame, 1) == odds_ratios(single)


# Refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [lambda *table: logistic_posterior(*table, 0, 1), lambda *table: prior_family(*table, 2)],
)
@pytest.mark.parametrize(
    ("table", "message"),
    [
        ((5, 4, 1, 4), "Arm a: events must be a whole number between 0 and 4"),
        ((1, 4, 1.5, 4), "Arm b: events must be a whole number"),
        ((True, 4, 1, 4), "Arm a: events must be a whole number"),
        ((1, 4, 0, 0), "Arm b: n must be a whole number of at least 1"),
    ],
)
def test_impossible_counts_are_refused(function, table, message):
    with pytest.raises(ValueError, match=message):
        function(*table)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: logistic_posterior(*perondi, 0, 11),
            "prior_sd must .* at most 10",
        ),
        (lambda: logistic_posterior(*perondi, inf, 1), "prior_mean must be a finite"),
        (lambda: logistic_posterior(*perondi, 0, 1, level=95), "above 0 and below 1"),
        (lambda: logistic_posterior(*perondi, 0, 0), "prior_sd must be a number"),
        (lambda: prior_family(*perondi, 1), "differ from 1"),
        (lambda: prior_family(*perondi, -2), "must be a number above 0"),
        (lambda: prior_family(*perondi, 2, tail=0.5), "above 0 and below 0.5"),
        (
            lambda: prior_family(*perondi, 2, neutral_sd=20),
            "neutral_sd must .* at most 10",
        ),
    ],
)
def test_bad_arguments_are_refused_with_a_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()
