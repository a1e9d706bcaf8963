"""Known answers and properties of a proportion's distribution, prediction and borrowing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, expit
from scipy.stats import beta, betabinom
from test_posterior import AS, MAS

from rdmas.stats.distribution import LOGITS, ProportionDistribution
from rdmas.stats.posterior import pool_bayes
from rdmas.stats.prediction import (
    by_robust_weight,
    contrast,
    control_sources,
    effective_sample_size,
    predictive_counts,
    predictive_tail,
    robust_map_prior,
    update,
)

quick = settings(derandomize=True, max_examples=6, deadline=None)

# The beta mixture that RBesT's vignette "Getting started with RBesT (binary)" (version 1.11-0)
# prints for AS, as weight, a, b.
AS_MIXTURE = (
    (0.4612914, 33.9513487, 103.0146367),
    (0.1917812, 19.4400089, 41.5205219),
    (0.1893896, 12.2692310, 55.9202833),
    (0.1575378, 2.2521243, 5.4812202),
)


@pytest.fixture(scope="module")
def as_posterior():
    return pool_bayes(*AS)


@pytest.fixture(scope="module")
def mas_posterior():
    return pool_bayes(*MAS)


@pytest.fixture(scope="module")
def as_mixture():
    weights, a, b = zip(*AS_MIXTURE, strict=True)
    components = [ProportionDistribution.from_beta(*ab) for ab in zip(a, b, strict=True)]
    return ProportionDistribution.mixture(components, weights)


def beta_distribution(a, b):
    return ProportionDistribution.from_beta(a, b)


def sd(distribution):
    return np.sqrt(distribution.weights @ (expit(LOGITS) - distribution.mean()) ** 2)


# --- Distributions of a proportion ------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "tolerance"),
    [
        (1, 1, 1e-12),
        (0.5, 0.5, 1e-12),
        (2, 20, 1e-12),
        (14, 9, 1e-12),
        (1, 10001, 1e-8),
        (200, 700, 1e-7),
        (2001, 8001, 1e-4),
    ],
)
def test_beta_on_the_nodes_agrees_with_scipy(a, b, tolerance):
    # Oracle: scipy.stats.beta. The nodes are just close enough for the last one.
    exact, ours = beta(a, b), beta_distribution(a, b)
    probabilities = np.array([0.001, 0.025, 0.3, 0.5, 0.9, 0.975, 0.999])
    at = exact.ppf(probabilities)
    assert ours.mean() == pytest.approx(exact.mean(), abs=1e-12)
    assert sd(ours) == pytest.approx(exact.std(), rel=1e-9)
    assert ours.cdf(at) == pytest.approx(probabilities, abs=tolerance / 10)
    assert ours.ppf(probabilities) == pytest.approx(at, rel=max(tolerance, 1e-10))
    assert ours.pdf(at) == pytest.approx(exact.pdf(at), rel=max(tolerance, 1e-10))
    assert ours.median() == ours.ppf(0.5)
    assert ours.interval(0.9) == pytest.approx(exact.interval(0.9), rel=max(tolerance, 1e-10))


def test_distribution_ends_at_zero_and_one():
    uniform = beta_distribution(1, 1)
    assert uniform.cdf([-1, 0, 1, 2]) == pytest.approx([0, 0, 1, 1], abs=1e-12)
    assert uniform.ppf([0, 1]).tolist() == [0, 1]
    assert uniform.pdf([-0.1, 0, 1, 1.1]) == pytest.approx([0, 1, 1, 0])
    assert isinstance(uniform.cdf(0.5), float)


def test_mixture_agrees_with_rbest(as_mixture):
    # Oracle: RBesT 1.11-0, vignette "Getting started with RBesT (binary)":
    #   summary(map): mean 0.25545885, sd 0.08662045, quantiles 0.10730400 0.24758768 0.46276759
    #   round(ess(map, method = "moment")): 24
    # RBesT solves for quantiles with a tolerance of about 1e-4.
    assert as_mixture.mean() == pytest.approx(0.25545885, abs=2e-8)
    assert sd(as_mixture) == pytest.approx(0.08662045, abs=2e-8)
    quantiles = as_mixture.ppf([0.025, 0.5, 0.975])
    assert quantiles == pytest.approx([0.10730400, 0.24758768, 0.46276759], abs=5e-5)
    mean = as_mixture.mean()
    assert round(mean * (1 - mean) / sd(as_mixture) ** 2 - 1) == 24


def test_mixture_lies_between_its_components_and_ignores_weight_zero():
    first, second = beta_distribution(2, 8), beta_distribution(30, 10)
    mixed = ProportionDistribution.mixture([first, second], [0.3, 0.7])
    at = np.linspace(0.01, 0.99, 25)
    assert mixed.cdf(at) == pytest.approx(0.3 * first.cdf(at) + 0.7 * second.cdf(at), abs=1e-12)
    alone = ProportionDistribution.mixture([first, second], [1, 0])
    assert alone.log_density == pytest.approx(first.log_density)


def test_nodes_and_weights_reproduce_the_moments():
    distribution = beta_distribution(3, 7)
    assert distribution.weights.sum() == pytest.approx(1)
    assert distribution.weights @ expit(LOGITS) == pytest.approx(0.3)


def test_a_distribution_cannot_be_changed():
    distribution = beta_distribution(3, 7)
    with pytest.raises(ValueError, match="read-only"):
        distribution.log_density[0] = 0


# --- Predictive counts ------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b", "n"), [(1, 1, 7), (2, 20, 21), (0.5, 0.5, 3), (9, 14, 400)])
def test_predictive_counts_of_a_beta_are_beta_binomial(a, b, n):
    # Oracle: scipy.stats.betabinom.
    ours = predictive_counts(beta_distribution(a, b), n)
    assert ours == pytest.approx(betabinom(n, a, b).pmf(np.arange(n + 1)), abs=1e-11)


def test_predictive_counts_add_to_one_and_have_the_mean_of_the_distribution(mas_posterior):
    pmf = predictive_counts(mas_posterior.predictive, 21)
    assert pmf.sum() == pytest.approx(1)
    assert pmf @ np.arange(22) == pytest.approx(21 * mas_posterior.predictive.mean())


def test_predictive_tails_are_sums_of_the_counts(as_posterior):
    new = as_posterior.predictive
    pmf = predictive_counts(new, 12)
    assert predictive_tail(new, 12, at_least=4) == pytest.approx(pmf[4:].sum())
    assert predictive_tail(new, 12, at_most=3) == pytest.approx(pmf[:4].sum())
    assert predictive_tail(new, 12, at_least=2, at_most=5) == pytest.approx(pmf[2:6].sum())
    both = predictive_tail(new, 12, at_least=4) + predictive_tail(new, 12, at_most=3)
    assert both == pytest.approx(1)
    assert predictive_tail(new, 12, at_least=0) == pytest.approx(1)


# --- Updating and robust mixtures -------------------------------------------------------------


@quick
@given(st.integers(0, 40), st.integers(0, 40))
def test_updating_a_beta_adds_the_counts(events, others):
    if events + others == 0:
        events = 1
    posterior = beta_distribution(1.5, 2).updated(events, events + others)
    exact = beta_distribution(1.5 + events, 2 + others)
    assert posterior.log_density == pytest.approx(exact.log_density, abs=1e-9)


@quick
@given(st.integers(0, 30), st.integers(0, 30))
def test_marginal_likelihood_of_a_beta_is_beta_binomial(events, others):
    n = events + others + 1
    ours = beta_distribution(2, 5).log_marginal_likelihood(events, n)
    assert ours == pytest.approx(betabinom(n, 2, 5).logpmf(events), abs=1e-9)


def test_weight_one_gives_the_conjugate_posterior_exactly(as_posterior):
    posterior = update(robust_map_prior(as_posterior.predictive, robust_weight=1), 8, 21)
    exact = beta(1 + 8, 1 + 13)
    assert posterior.robust_weight == 1
    assert posterior.informative_weight == 0
    at = exact.ppf([0.01, 0.5, 0.99])
    assert posterior.distribution.cdf(at) == pytest.approx([0.01, 0.5, 0.99], abs=1e-11)


def test_weight_zero_gives_the_map_prior_updated(as_posterior):
    # Oracle: scipy.integrate.quad of predictive density times likelihood.
    new = as_posterior.predictive
    posterior = update(robust_map_prior(new, robust_weight=0), 8, 21)
    assert posterior.robust_weight == 0

    def integral(power):
        return quad(lambda p: p ** (8 + power) * (1 - p) ** 13 * new.pdf(p), 0, 1, limit=200)[0]

    mean = integral(1) / integral(0)
    assert posterior.distribution.mean() == pytest.approx(mean, abs=1e-8)


def test_posterior_weights_of_two_betas_follow_their_beta_binomials():
    # Oracle: closed form, Schmidli et al. 2014.
    prior = robust_map_prior(beta_distribution(11, 32), robust_weight=0.1)
    posterior = update(prior, 4, 6)
    informative = 0.9 * betabinom(6, 11, 32).pmf(4)
    vague = 0.1 * betabinom(6, 1, 1).pmf(4)
    assert posterior.robust_weight == pytest.approx(vague / (informative + vague))
    assert posterior.informative_weight + posterior.robust_weight == 1


def test_trial_analysis_agrees_with_rbest(as_mixture):
    # Oracle: RBesT 1.11-0, vignette "Getting started with RBesT (binary)":
    #   map_robust <- robustify(map, weight = 0.2, mean = 1/2)
    #   post_placebo <- postmix(map_robust, r = 1, n = 6)
    #   post_treat <- postmix(mixbeta(c(1, 0.5, 1)), r = 14, n = 24)
    #   pmixdiff(post_treat, post_placebo, 0, lower.tail = FALSE): 0.9917197
    placebo = update(robust_map_prior(as_mixture, robust_weight=0.2), 1, 6)
    treatment = beta_distribution(0.5, 1).updated(14, 24)
    result = contrast(placebo.distribution, treatment)
    assert result.lower_by_more_than[0.0] == pytest.approx(0.9917197, abs=5e-8)


def test_conflict_moves_weight_to_the_vague_component(as_posterior):
    prior = robust_map_prior(as_posterior.predictive, robust_weight=0.2)
    weights = [update(prior, events, 20).robust_weight for events in (5, 10, 14, 20)]
    assert weights == sorted(weights)
    assert weights[0] < 0.2 < weights[-1]
    assert weights[-1] > 0.9


def test_updating_twice_equals_updating_once(as_posterior):
    prior = robust_map_prior(as_posterior.predictive)
    twice, once = update(update(prior, 2, 9), 5, 11), update(prior, 7, 20)
    assert twice.robust_weight == pytest.approx(once.robust_weight)
    assert twice.distribution.mean() == pytest.approx(once.distribution.mean())


# --- Contrasts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "c", "d"), [(2, 20, 9, 14), (14, 9, 2, 20), (1, 1, 1, 1), (300, 700, 350, 660)]
)
def test_probability_of_a_lower_beta_agrees_with_its_closed_form(a, b, c, d):
    # Oracle: P(X < Y) for independent Beta(a, b) and Beta(c, d) with whole c is the sum over
    # i < c of B(a + i, b + d) / ((d + i) B(1 + i, d) B(a, b)).
    i = np.arange(c)
    terms = betaln(a + i, b + d) - np.log(d + i) - betaln(1 + i, d) - betaln(a, b)
    ours = contrast(beta_distribution(a, b), beta_distribution(c, d)).lower_by_more_than[0.0]
    assert ours == pytest.approx(np.exp(terms).sum(), abs=1e-9)


def test_two_uniform_proportions_differ_by_the_triangular_distribution():
    # Oracle: P(X - Y < -m) = (1 - m)^2 / 2.
    uniform = beta_distribution(1, 1)
    result = contrast(uniform, uniform, margins=(0, 0.25, 0.9), level=0.5)
    expected = {0.0: 0.5, 0.25: 0.28125, 0.9: 0.005}
    assert dict(result.lower_by_more_than) == pytest.approx(expected, abs=1e-12)
    assert result.difference == pytest.approx(0, abs=1e-9)
    assert result.difference_low == pytest.approx(-(1 - np.sqrt(0.5)), abs=1e-9)


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.2, 0.5])
@pytest.mark.parametrize("parameters", [(2, 20, 9, 14), (30, 70, 35, 66), (9, 1, 1, 1)])
def test_probability_beyond_a_margin_agrees_with_adaptive_integration(parameters, margin):
    # Oracle: scipy.integrate.quad.
    a, b, c, d = parameters
    exact, _ = quad(
        lambda y: beta.pdf(y, c, d) * beta.cdf(y - margin, a, b),
        margin,
        1,
        epsabs=1e-13,
        limit=400,
    )
    result = contrast(beta_distribution(a, b), beta_distribution(c, d), [margin])
    assert result.lower_by_more_than[margin] == pytest.approx(exact, abs=1e-10)


def test_contrast_agrees_with_simulation():
    # Oracle: a million draws; an order statistic's level errs by at most 0.0005 (one sd).
    rng = np.random.default_rng(8)
    x, y = rng.beta(2, 20, 1_000_000), rng.beta(9, 14, 1_000_000)
    ours = contrast(beta_distribution(2, 20), beta_distribution(9, 14), level=0.9)
    limits = ours.difference_low, ours.difference, ours.difference_high
    levels = [(x - y < limit).mean() for limit in limits]
    assert levels == pytest.approx([0.05, 0.5, 0.95], abs=0.002)


@quick
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_exchanging_the_arms_reverses_the_contrast(parameters):
    a, b, c, d = parameters
    first, second = beta_distribution(a, b), beta_distribution(c, d)
    ours, reversed_ = contrast(first, second, [0.0]), contrast(second, first, [0.0])
    assert ours.difference_low == pytest.approx(-reversed_.difference_high, abs=1e-8)
    total = ours.lower_by_more_than[0.0] + reversed_.lower_by_more_than[0.0]
    assert total == pytest.approx(1, abs=1e-8)


@quick
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_larger_margins_are_less_probable(parameters):
    a, b, c, d = parameters
    result = contrast(beta_distribution(a, b), beta_distribution(c, d), (0, 0.1, 0.2, 0.5))
    probabilities = list(result.lower_by_more_than.values())
    assert probabilities == sorted(probabilities, reverse=True)


# --- Ways of getting the control --------------------------------------------------------------


def test_control_sources_agree_with_their_parts(mas_posterior):
    new = mas_posterior.predictive
    sources = control_sources(1, 20, 8, 21, new, robust_weight=0.3, margins=[0, 0.15])
    treatment = beta_distribution(2, 20)
    both = update(robust_map_prior(new, 0.3), 8, 21)
    controls = [beta_distribution(9, 14), new, both.distribution]
    assert list(sources) == ["own", "published", "both"]
    weights = [source.published_weight for source in sources.values()]
    assert weights == [0, 1, pytest.approx(both.informative_weight)]
    for source, control in zip(sources.values(), controls, strict=True):
        expected = contrast(treatment, control, [0, 0.15])
        assert source.control.median() == pytest.approx(control.median())
        assert source.control.interval() == pytest.approx(control.interval())
        assert source.contrast.difference == pytest.approx(expected.difference)
        lower = source.contrast.lower_by_more_than
        assert list(lower) == [0, 0.15]
        assert dict(lower) == pytest.approx(dict(expected.lower_by_more_than))


def test_control_sources_on_published_mortality(mas_posterior):
    # The first is the closed form for Beta(2, 20) against Beta(9, 14), 0.99421; the others
    # rest on the predictive distribution that R confirms above.
    sources = control_sources(1, 20, 8, 21, mas_posterior.predictive).values()
    lower = [source.contrast.lower_by_more_than[0.0] for source in sources]
    assert lower == pytest.approx([0.99421, 0.81672, 0.98844], abs=1e-5)
    weights = [source.published_weight for source in sources]
    assert weights == pytest.approx([0, 1, 0.81875], abs=1e-5)


def test_full_robust_weight_makes_the_mixture_the_own_controls(as_posterior):
    sources = control_sources(3, 24, 5, 12, as_posterior.predictive, robust_weight=1)
    own, both = sources["own"], sources["both"]
    assert both.published_weight == own.published_weight == 0
    assert both.control.interval() == pytest.approx(own.control.interval())
    for field in ("difference", "difference_low", "difference_high"):
        assert getattr(both.contrast, field) == pytest.approx(getattr(own.contrast, field))
    lower = dict(own.contrast.lower_by_more_than)
    assert dict(both.contrast.lower_by_more_than) == pytest.approx(lower)


def test_prior_reaches_both_arms_and_the_vague_component(as_posterior):
    sources = control_sources(0, 5, 0, 5, as_posterior.predictive, 1.0, prior=(0.5, 0.5))
    jeffreys = beta(0.5, 5.5)
    for name in ("own", "both"):
        assert sources[name].control.median() == pytest.approx(jeffreys.ppf(0.5))
        assert sources[name].contrast.difference == pytest.approx(0, abs=1e-9)


# --- Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beta_distribution(0.4, 1), "a must be a number at least 0.5"),
        (lambda: beta_distribution(1, True), "b must be a number at least 0.5"),
        (lambda: beta_distribution(1, 10_002), r"a \+ b must be a number at most 10002"),
        (lambda: ProportionDistribution(np.zeros(3)), "for each of the 1641 nodes"),
        (lambda: ProportionDistribution(np.full(1641, np.nan)), "somewhere a number"),
        (lambda: ProportionDistribution(np.full(1641, -np.inf)), "somewhere a number"),
        (lambda: ProportionDistribution.mixture([], []), "at least one|must hold 0"),
        (
            lambda: ProportionDistribution.mixture([beta_distribution(1, 1)], [0.5]),
            "add to 1",
        ),
        (
            lambda: ProportionDistribution.mixture([beta_distribution(1, 1)] * 2, [1.5, -0.5]),
            "at least 0",
        ),
        (lambda: beta_distribution(1, 1).ppf(1.5), "between 0 and 1"),
        (lambda: beta_distribution(1, 1).interval(95), "level must be a number above 0"),
        (
            lambda: beta_distribution(1, 1).updated(6, 5),
            "events must be a whole number between 0 and 5",
        ),
        (
            lambda: predictive_counts(beta_distribution(1, 1), 0),
            "n must be a whole number between 1 and 10000",
        ),
        (
            lambda: predictive_tail(beta_distribution(1, 1), 5),
            "at_least, at_most or both must be given",
        ),
        (
            lambda: predictive_tail(beta_distribution(1, 1), 5, at_least=6),
            "at_least must be a whole number between 0 and 5",
        ),
        (
            lambda: predictive_tail(beta_distribution(1, 1), 5, at_most=2.5),
            "at_most must be a whole number",
        ),
        (
            lambda: predictive_tail(beta_distribution(1, 1), 5, at_least=3, at_most=2),
            "must not exceed",
        ),
        (
            lambda: robust_map_prior(beta_distribution(1, 1), robust_weight=20),
            "robust_weight must be a number at least 0 and at most 1",
        ),
        (
            lambda: contrast(beta_distribution(1, 1), beta_distribution(1, 1), [-0.1]),
            "Each margin must be a number at least 0 and below 1",
        ),
        (
            lambda: contrast(beta_distribution(1, 1), beta_distribution(1, 1), [1]),
            "Each margin must be a number at least 0 and below 1",
        ),
        (
            lambda: control_sources(6, 5, 1, 5, beta_distribution(1, 1)),
            "Arm a: events must be a whole number between 0 and 5",
        ),
        (
            lambda: control_sources(1, 5, 6, 5, beta_distribution(1, 1)),
            "Arm b: events must be a whole number between 0 and 5",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 1), (11, 32), (300, 20)])
def test_a_beta_prior_is_worth_the_sum_of_its_parameters(a, b):
    found = effective_sample_size(ProportionDistribution.from_beta(a, b))
    assert found == pytest.approx(a + b, rel=1e-9)


def test_a_mixture_is_worth_the_beta_of_its_moments():
    # Oracle: the recipe in RBesT's help page of ess, method "moment": the Beta distribution with
    # the mean and standard deviation of 0.2 Beta(1, 1) + 0.8 Beta(10, 2), both in closed form.
    weights, a, b = np.array([0.2, 0.8]), np.array([1, 10]), np.array([1, 2])
    means, variances = beta(a, b).mean(), beta(a, b).var()
    mean = weights @ means
    variance = weights @ (variances + means**2) - mean**2
    mixture = robust_map_prior(ProportionDistribution.from_beta(10, 2), 0.2, (1, 1))
    found = effective_sample_size(mixture.distribution)
    assert found == pytest.approx(mean * (1 - mean) / variance - 1, rel=1e-9)
    # And what that page prints.
    assert found == pytest.approx(3.161034, abs=5e-7)


def test_the_weight_runs_from_the_published_cohorts_to_the_vague_prior():
    published = ProportionDistribution.from_beta(4, 16)
    arms, weights = (1, 20, 8, 21), [0, 0.2, 0.5, 0.8, 1]
    frame = by_robust_weight(*arms, published, weights, prior=(0.5, 0.5), level=0.9)
    assert frame["robust_weight"].tolist() == weights
    # Without any weight on being unlike, a conjugate update.
    first = beta(4 + 8, 16 + 13)
    assert frame.loc[0, "proportion"] == pytest.approx(first.ppf(0.5), abs=1e-9)
    assert frame.loc[0, ["low", "high"]].tolist() == pytest.approx(first.ppf([0.05, 0.95]))
    assert frame["effective_sample_size"].iloc[[0, -1]].tolist() == pytest.approx([20, 1])
    assert frame["unlike"].iloc[[0, -1]].tolist() == [0, 1]
    # At the weight of the comparison by source, and at its ends, it is that comparison.
    for weight, name in ((0.2, "both"), (1.0, "own")):
        source = control_sources(
            *arms, published, robust_weight=weight, prior=(0.5, 0.5), level=0.9
        )[name]
        row = frame.loc[weights.index(weight)]
        assert row["difference"] == pytest.approx(source.contrast.difference)
        assert row["difference_low"] == pytest.approx(source.contrast.difference_low)
        assert row["lower"] == pytest.approx(source.contrast.lower_by_more_than[0.0])
    # The more weight on being unlike, the higher the posterior of it and the less the prior knows.
    assert frame["unlike"].is_monotonic_increasing
    assert frame["effective_sample_size"].is_monotonic_decreasing


def test_weights_out_of_range_are_refused():
    published = ProportionDistribution.from_beta(4, 16)
    with pytest.raises(ValueError, match="robust_weight must be a number at least 0 and at most 1"):
        by_robust_weight(1, 20, 8, 21, published, [0.2, 1.2])
    with pytest.raises(ValueError, match="robust_weights must hold at least one entry"):
        by_robust_weight(1, 20, 8, 21, published, [])
