"""Known answers and properties of Bayesian pooling, prediction and borrowing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betaln, expit
from scipy.stats import beta, betabinom, binom, norm

from rdmas.stats import prediction as _bayes
from rdmas.stats.prediction import (
    ProportionDistribution,
    contrast,
    control_sources,
    pool_bayes,
    predictive_counts,
    predictive_tail,
    robust_map_prior,
    update,
)

quick = settings(derandomize=True, max_examples=6, deadline=None)

# Data set AS of R package RBesT 1.11-0: placebo response in ankylosing spondylitis.
AS = ([23, 12, 19, 9, 39, 6, 9, 10], [107, 44, 51, 39, 139, 20, 78, 35])

# Deaths in fourteen published cohorts of adults with macrophage activation syndrome.
MAS = (
    [14, 15, 17, 7, 6, 5, 0, 0, 5, 5, 2, 1, 19, 4],
    [61, 67, 41, 20, 30, 89, 20, 7, 56, 9, 7, 6, 54, 21],
)

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
    assert ours.sd() == pytest.approx(exact.std(), rel=1e-9)
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


def test_moment_effective_sample_size_of_a_beta_is_the_sum_of_its_parameters():
    assert beta_distribution(5, 15).effective_sample_size() == pytest.approx(20)


def test_mixture_agrees_with_rbest(as_mixture):
    # Oracle: RBesT 1.11-0, vignette "Getting started with RBesT (binary)":
    #   summary(map): mean 0.25545885, sd 0.08662045, quantiles 0.10730400 0.24758768 0.46276759
    #   round(ess(map, method = "moment")): 24
    # RBesT solves for quantiles with a tolerance of about 1e-4.
    assert as_mixture.mean() == pytest.approx(0.25545885, abs=2e-8)
    assert as_mixture.sd() == pytest.approx(0.08662045, abs=2e-8)
    quantiles = as_mixture.ppf([0.025, 0.5, 0.975])
    assert quantiles == pytest.approx([0.10730400, 0.24758768, 0.46276759], abs=5e-5)
    assert round(as_mixture.effective_sample_size()) == 24


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
    assert distribution.weights @ distribution.nodes == pytest.approx(0.3)
    assert expit(distribution.logit_nodes) == pytest.approx(distribution.nodes)


def test_a_distribution_shows_its_mean_and_standard_deviation():
    assert repr(beta_distribution(5, 15)) == "ProportionDistribution(mean=0.25, sd=0.0944911)"


def test_a_distribution_cannot_be_changed():
    distribution = beta_distribution(3, 7)
    with pytest.raises(ValueError, match="read-only"):
        distribution.log_density[0] = 0


# --- Pooling ----------------------------------------------------------------------------------


def test_pooling_agrees_with_adaptive_integration_in_r(as_posterior, mas_posterior):
    """
    Oracle: R 4.2.2, every cohort's integral by integrate() on both sides of its mode, then sums
    over a grid of mu and tau:

        oracle <- function(r, n) {
          study <- function(r, n, mu, tau) {
            g <- function(x) dbinom(r, n, plogis(x), log = TRUE) + dnorm(x, mu, tau, log = TRUE)
            o <- optimize(g, mu + c(-9, 9) * tau, maximum = TRUE, tol = 1e-9)
            f <- function(x) exp(g(x) - o$objective)
            area <- function(a, b) integrate(f, a, b, rel.tol = 1e-9, subdivisions = 2000)$value
            o$objective + log(area(mu - 9 * tau, o$maximum) + area(o$maximum, mu + 9 * tau))
          }
          taus <- (seq_len(80) - 0.5) * 0.05
          mus <- seq(-5, 3, by = 0.05)
          lp <- outer(mus, taus, Vectorize(function(mu, tau)
            sum(mapply(study, r, n, mu, tau)) + dnorm(mu, 0, 2, log = TRUE) +
              dnorm(tau, 0, 1, log = TRUE)))
          w <- exp(lp - max(lp)); w <- w / sum(w)
          m <- outer(mus, taus, function(m, t) m); t <- outer(mus, taus, function(m, t) t)
          cdf <- function(p) sum(w * pnorm((qlogis(p) - m) / t))
          q <- function(k) uniroot(function(p) cdf(p) - k, c(1e-6, 1 - 1e-6), tol = 1e-12)$root
          E <- function(f) integrate(Vectorize(function(z)
            sum(w * f(plogis(m + t * z))) * dnorm(z)), -9, 9, rel.tol = 1e-10)$value
          c(sum(w * plogis(m)), E(identity), sqrt(E(function(p) p^2) - E(identity)^2),
            q(0.025), q(0.5), q(0.975),
            E(function(p) pbinom(7, 21, p, lower.tail = FALSE)), E(function(p) pbinom(1, 20, p)))
        }
        print(oracle(r, n), digits = 9)

    AS:  0.2506979311 0.2582775428 0.0874141799 0.1108511031 0.2486131956 0.4714359260
         0.2003583051 0.0562511248
    MAS: 0.1986830174 0.2314877487 0.1566845280 0.0306814087 0.1960174109 0.6376729658
         0.2094748071 0.1952658388
    """
    expected = {
        "AS": [0.2506979311, 0.2582775428, 0.0874141799, 0.1108511031, 0.2486131956],
        "MAS": [0.1986830174, 0.2314877487, 0.1566845280, 0.0306814087, 0.1960174109],
    }
    expected["AS"] += [0.4714359260, 0.2003583051, 0.0562511248]
    expected["MAS"] += [0.6376729658, 0.2094748071, 0.1952658388]
    for name, posterior in (("AS", as_posterior), ("MAS", mas_posterior)):
        new = posterior.predictive
        ours = [posterior.mean, new.mean(), new.sd(), posterior.prediction_low, new.median()]
        ours += [posterior.prediction_high, predictive_tail(new, 21, at_least=8)]
        ours += [predictive_tail(new, 20, at_most=1)]
        # R solves for quantiles with less precision than it integrates with.
        assert ours == pytest.approx(expected[name], abs=3e-6), name


@pytest.mark.parametrize(
    ("cohorts", "mean", "at", "probabilities"),
    [
        (AS, 0.37946359, (0.05, 0.35, 0.875), (0.02867361, 0.49388968, 0.97503913)),
        (MAS, 0.911716404, (0.475, 0.875, 1.55), (0.022304914, 0.498681800, 0.975505095)),
    ],
    ids=["AS", "MAS"],
)
def test_posterior_of_tau_agrees_with_adaptive_integration_in_r(cohorts, mean, at, probabilities):
    # Oracle: R 4.2.2, the code above with taus <- (seq_len(240) - 0.5) * 0.0125,
    # mus <- seq(-5, 3, by = 0.1), w <- colSums(w), and
    #   print(c(sum(w * taus), sapply(at, function(a) sum(w[taus < a]))), digits = 8)
    # which leaves out tau above 3 and errs by the square of its step otherwise.
    _, _, tau = _bayes._grid_posterior(*np.array(cohorts, dtype=float), 1.0, 0.0, 2.0)
    assert tau.mean() == pytest.approx(mean, abs=2e-5)
    assert [tau.quantile(p) for p in probabilities] == pytest.approx(at, abs=1.5e-4)


def test_pooling_agrees_with_what_rbest_prints(as_posterior):
    # Oracle: help page of gMAP in RBesT 1.11-0 (4 chains, 4000 draws kept), with
    #   gMAP(cbind(r, n - r) ~ 1 | study, family = binomial, data = AS, tau.dist = "HalfNormal",
    #        tau.prior = 1, beta.prior = 2), set.seed(34563)
    #   tau[1]           mean 0.387  sd 0.215   quantiles 0.0399 0.359 0.897
    #   theta_resp       mean 0.250  sd 0.0344  quantiles 0.185  0.248 0.322
    #   theta_resp_pred  mean 0.255  sd 0.0864  quantiles 0.106  0.247 0.461
    # and an earlier version's vignette:
    #   tau              mean 0.377  sd 0.217   quantiles 0.0414 0.346 0.893
    #   MAP prior        mean 0.258  sd 0.0842  quantiles 0.112  0.251 0.459
    # The two differ by their simulation error, which sets the tolerances.
    assert as_posterior.between_study_sd_mean == pytest.approx((0.387 + 0.377) / 2, abs=0.01)
    assert as_posterior.between_study_sd_logit == pytest.approx((0.359 + 0.346) / 2, abs=0.01)
    assert as_posterior.between_study_sd_low == pytest.approx(0.0407, abs=0.01)
    assert as_posterior.between_study_sd_high == pytest.approx(0.895, abs=0.03)
    assert as_posterior.mean == pytest.approx(0.250, abs=0.002)
    assert as_posterior.median_cohort.sd() == pytest.approx(0.0344, abs=0.002)
    assert (as_posterior.low, as_posterior.high) == pytest.approx((0.185, 0.322), abs=0.006)
    assert as_posterior.predictive.mean() == pytest.approx((0.255 + 0.258) / 2, abs=0.003)
    assert as_posterior.predictive.sd() == pytest.approx((0.0864 + 0.0842) / 2, abs=0.003)
    prediction = (as_posterior.prediction_low, as_posterior.prediction_high)
    assert prediction == pytest.approx((0.109, 0.460), abs=0.015)


def test_smaller_tau_scale_agrees_with_what_rbest_prints():
    # Oracle: the same, update(map_mcmc, tau.prior = 1/2): tau mean 0.335 and 0.332, median 0.320
    # and 0.311; MAP prior mean 0.259 and 0.257, sd 0.0776 and 0.0795, quantiles 0.129 and 0.121,
    # 0.442 and 0.445.
    posterior = pool_bayes(*AS, tau_scale=0.5)
    assert posterior.between_study_sd_mean == pytest.approx(0.3335, abs=0.01)
    assert posterior.between_study_sd_logit == pytest.approx(0.3155, abs=0.01)
    assert posterior.predictive.mean() == pytest.approx(0.258, abs=0.003)
    assert posterior.predictive.sd() == pytest.approx(0.07855, abs=0.003)
    prediction = (posterior.prediction_low, posterior.prediction_high)
    assert prediction == pytest.approx((0.125, 0.4435), abs=0.01)


def test_pooling_agrees_with_simulation():
    # Oracle: a million draws of everything from the prior, weighted by the likelihood. Errors of
    # the simulation: 0.0003 (mean), 0.0016 (tau), 0.0005 (prediction and its tails).
    events, n = [1, 3, 0], [8, 10, 6]
    rng = np.random.default_rng(20240607)
    draws = 1_000_000
    tau, mu = np.abs(rng.normal(0, 1, draws)), rng.normal(0, 2, draws)
    weight = np.ones(draws)
    for e, m in zip(events, n, strict=True):
        p = expit(mu + tau * rng.normal(size=draws))
        weight *= p**e * (1 - p) ** (m - e)
    weight /= weight.sum()
    new = expit(mu + tau * rng.normal(size=draws))
    ours = pool_bayes(events, n)
    for simulated, value in (
        (expit(mu), ours.mean),
        (expit(mu) < ours.median, 0.5),
        (expit(mu) < ours.low, 0.025),
        (expit(mu) > ours.high, 0.025),
        (tau, ours.between_study_sd_mean),
        (tau < ours.between_study_sd_logit, 0.5),
        (tau < ours.between_study_sd_low, 0.025),
        (tau > ours.between_study_sd_high, 0.025),
        (new, ours.predictive.mean()),
        (new < ours.prediction_low, 0.025),
        (new > ours.prediction_high, 0.025),
    ):
        mean = weight @ simulated
        error = np.sqrt((weight**2) @ (simulated - mean) ** 2)
        assert error < 0.002
        assert abs(mean - value) < 4 * error


@pytest.mark.parametrize(("events", "n"), [([2, 3, 0], [9, 20, 11]), ([0], [30]), ([40], [40])])
def test_without_heterogeneity_cohorts_pool_as_one_under_the_prior_of_mu(events, n):
    # Oracle: scipy.integrate.quad of the fixed-effect posterior, normal prior times binomial.
    e, m = sum(events), sum(n)

    def density(x):
        p = expit(x)
        return p**e * (1 - p) ** (m - e) * norm.pdf(x, 0.5, 1.5)

    def integral(f):
        return quad(f, -14, 14, points=[0], limit=400, epsabs=0, epsrel=1e-10)[0]

    total = integral(density)
    mean = integral(lambda x: expit(x) * density(x)) / total
    ours = pool_bayes(events, n, tau_scale=0.01, logit_mean=0.5, logit_sd=1.5)
    assert ours.mean == pytest.approx(mean, abs=2e-5)
    assert ours.predictive.mean() == pytest.approx(mean, abs=2e-5)
    below = quad(density, -14, np.log(ours.low / (1 - ours.low)), limit=400)[0] / total
    assert below == pytest.approx(0.025, abs=1e-4)
    assert ours.between_study_sd_high < 0.03


@pytest.mark.parametrize(
    ("events", "n", "prior"),
    [
        (*AS, {}),
        ([0, 0, 0], [20, 30, 40], {}),
        ([20], [20], {"tau_scale": 5.0, "logit_sd": 10.0}),
        ([3000, 3, 2, 0], [10000, 4, 20, 12], {}),
    ],
    ids=["AS", "none", "all-wide", "large-small"],
)
def test_doubling_the_points_changes_nothing(events, n, prior):
    arguments = {"tau_scale": 1.0, "logit_mean": 0.0, "logit_sd": 2.0} | prior
    counts = np.array(events, dtype=float), np.array(n, dtype=float)

    def summary(**points):
        cohort, new, tau = _bayes._grid_posterior(*counts, *arguments.values(), **points)
        quantiles = [0.025, 0.5, 0.975]
        of_tau = [tau.mean(), *map(tau.quantile, quantiles)]
        return np.array(
            [cohort.mean(), *cohort.ppf(quantiles), new.mean(), *new.ppf(quantiles), *of_tau]
        )

    difference = summary() - summary(tau_points=193, mu_points=129)
    assert np.abs(difference).max() < (5e-6 if prior else 1e-6)


def test_quadrature_nodes_suffice_for_the_narrowest_likelihood():
    # Oracle: scipy.integrate.quad of the same integral, one cohort of 10,000 blurred by tau.
    events, n, mu = 5000, 10_000, 0.1
    counts = np.array([events], dtype=float), np.array([n], dtype=float)
    likelihood = _bayes._BlurredLikelihood(*counts, np.array([0.0]))
    peak = binom.logpmf(events, n, 0.5)
    for tau in (0.02, 0.039, 0.041, 0.1, 1.0):

        def integrand(x, tau=tau):
            return np.exp(binom.logpmf(events, n, expit(x)) - peak) * norm.pdf(x, mu, tau)

        exact = quad(integrand, -0.3, 0.3, points=[0, mu], limit=400, epsrel=1e-10)[0]
        ours = likelihood.log(np.array([mu]), tau)[0]
        assert ours == pytest.approx(np.log(exact), abs=1e-6), tau


def test_cohorts_without_events_have_a_constant_likelihood_at_very_low_logits():
    likelihood = _bayes._BlurredLikelihood(np.array([0.0]), np.array([20.0]), np.array([-3.7]))
    ours = likelihood.log(np.linspace(-45, -25, 41), 0.3)
    assert ours == pytest.approx(np.zeros(41), abs=1e-9)


def test_two_precise_cohorts_far_beyond_the_prior_of_tau_agree_with_normal_theory():
    # Oracle: with 10,000 patients each, the cohorts' logits y are normal with variances v about
    # their true values, so that given tau they are bivariate normal; scipy.integrate.quad over
    # tau. The mode is 13 times the scale of the prior of tau.
    events, n, scale = np.array([2000, 8000]), 10_000, 0.01
    y, v = np.log(events / (n - events)), n / (events * (n - events))

    def density(tau):
        own, shared = tau**2 + v[0], 4.0
        difference, total = y[0] - y[1], y.sum()
        log_likelihood = -(difference**2) / (4 * own) - total**2 / (4 * (own + 2 * shared))
        log_likelihood -= 0.5 * np.log(own * (own + 2 * shared))
        return np.exp(log_likelihood - 0.5 * (tau / scale) ** 2 + 190)

    tau_mean = quad(lambda t: t * density(t), 0.05, 0.4)[0] / quad(density, 0.05, 0.4)[0]
    ours = pool_bayes(events, [n, n], tau_scale=scale)
    assert tau_mean > 0.1
    assert ours.between_study_sd_mean == pytest.approx(tau_mean, rel=2e-3)


def test_order_of_cohorts_does_not_matter(as_posterior):
    order = [3, 0, 7, 5, 1, 6, 2, 4]
    shuffled = pool_bayes(*(np.array(x)[order] for x in AS))
    for field in ("mean", "low", "high", "between_study_sd_logit", "prediction_high"):
        assert getattr(shuffled, field) == pytest.approx(getattr(as_posterior, field), abs=1e-9)


def test_counting_the_other_patients_mirrors_everything(as_posterior):
    events, n = np.array(AS)
    mirrored = pool_bayes(n - events, n)
    assert mirrored.mean == pytest.approx(1 - as_posterior.mean, abs=1e-7)
    assert mirrored.low == pytest.approx(1 - as_posterior.high, abs=1e-7)
    assert mirrored.prediction_high == pytest.approx(1 - as_posterior.prediction_low, abs=1e-7)
    assert mirrored.between_study_sd_high == pytest.approx(
        as_posterior.between_study_sd_high, abs=1e-6
    )


def test_larger_tau_scale_widens_the_prediction(as_posterior):
    posteriors = [pool_bayes(*AS, tau_scale=0.1), as_posterior, pool_bayes(*AS, tau_scale=5)]
    widths = [p.prediction_high - p.prediction_low for p in posteriors]
    spreads = [p.between_study_sd_logit for p in posteriors]
    assert widths == sorted(widths)
    assert spreads == sorted(spreads)


def test_prediction_is_wider_than_the_posterior_of_the_median_cohort(as_posterior):
    assert as_posterior.prediction_low < as_posterior.low
    assert as_posterior.prediction_high > as_posterior.high


def test_more_data_of_the_same_kind_narrow_the_posterior():
    few, many = pool_bayes([3, 5], [12, 18]), pool_bayes([3, 5] * 4, [12, 18] * 4)
    assert many.high - many.low < few.high - few.low
    assert many.between_study_sd_high < few.between_study_sd_high


def test_strong_prior_of_mu_prevails():
    posterior = pool_bayes([9], [10], logit_mean=-2, logit_sd=0.01)
    assert posterior.median == pytest.approx(expit(-2), abs=0.001)


def test_interval_of_a_higher_level_contains_that_of_a_lower_one(as_posterior):
    lower = pool_bayes(*AS, level=0.8)
    assert lower.mean == as_posterior.mean
    assert as_posterior.low < lower.low < lower.median < lower.high < as_posterior.high
    assert as_posterior.between_study_sd_low < lower.between_study_sd_low
    assert as_posterior.prediction_high > lower.prediction_high
    assert lower.level == 0.8


def test_posterior_says_what_it_rests_on(as_posterior):
    assert (as_posterior.studies, as_posterior.events, as_posterior.n) == (8, 127, 513)
    prior = (as_posterior.tau_scale, as_posterior.logit_mean, as_posterior.logit_sd)
    assert prior == (1, 0, 2)


def test_pooling_takes_columns_of_a_data_frame(as_posterior):
    frame = pd.DataFrame({"events": AS[0], "n": AS[1]}, index=range(8, 0, -1)).astype(float)
    assert pool_bayes(frame["events"], frame["n"]).mean == as_posterior.mean


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
    # Oracle: P(X - Y < -m) = (1 - m)^2 / 2; P(X / Y <= r) = r / 2 up to 1, 1 - 1 / (2 r) above.
    uniform = beta_distribution(1, 1)
    result = contrast(uniform, uniform, margins=(0, 0.25, 0.9), level=0.5)
    expected = {0.0: 0.5, 0.25: 0.28125, 0.9: 0.005}
    assert dict(result.lower_by_more_than) == pytest.approx(expected, abs=1e-12)
    assert result.difference == pytest.approx(0, abs=1e-9)
    assert result.difference_low == pytest.approx(-(1 - np.sqrt(0.5)), abs=1e-9)
    assert (result.ratio_low, result.ratio, result.ratio_high) == pytest.approx((0.5, 1, 2))


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
    for drawn, limits in (
        (x - y, (ours.difference_low, ours.difference, ours.difference_high)),
        (x / y, (ours.ratio_low, ours.ratio, ours.ratio_high)),
    ):
        levels = [(drawn < limit).mean() for limit in limits]
        assert levels == pytest.approx([0.05, 0.5, 0.95], abs=0.002)
    assert (x - y).mean() == pytest.approx(ours.difference_mean, abs=0.0006)


@quick
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_exchanging_the_arms_reverses_the_contrast(parameters):
    a, b, c, d = parameters
    first, second = beta_distribution(a, b), beta_distribution(c, d)
    ours, reversed_ = contrast(first, second, [0.0]), contrast(second, first, [0.0])
    assert ours.difference_low == pytest.approx(-reversed_.difference_high, abs=1e-8)
    assert ours.ratio_low == pytest.approx(1 / reversed_.ratio_high, rel=1e-6)
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
    ("events", "n", "prior", "message"),
    [
        ([], [], {}, "not empty"),
        ([1, 2], [5], {}, "same length"),
        ([[1, 2]], [[5, 6]], {}, "one-dimensional"),
        (3, 5, {}, "one-dimensional"),
        ([1, 6], [5, 5], {}, "Cohort 2: events must be a whole number between 0 and 5"),
        ([1, True], [5, 5], {}, "Cohort 2: events must be a whole number"),
        ([1, 0.5], [5, 5], {}, "Cohort 2: events must be a whole number"),
        ([1, float("nan")], [5, 5], {}, "Cohort 2: events must be a whole number"),
        ([0], [0], {}, "n must be a whole number of at least 1"),
        ([0], [10_001], {}, "n must be at most 10000"),
        ([1], [5], {"tau_scale": 0}, "tau_scale must be a number between 0.01 and 5"),
        ([1], [5], {"tau_scale": 6}, "tau_scale must be a number between 0.01 and 5"),
        ([1], [5], {"tau_scale": float("nan")}, "tau_scale must be a number"),
        ([1], [5], {"tau_scale": True}, "tau_scale must be a number"),
        ([1], [5], {"logit_mean": 11}, "logit_mean must be a number between -10 and 10"),
        ([1], [5], {"logit_sd": 0}, "logit_sd must be a number above 0"),
        ([1], [5], {"level": 95}, "level must be a number above 0 and below 1"),
    ],
)
def test_pooling_refuses_bad_input(events, n, prior, message):
    with pytest.raises(ValueError, match=message):
        pool_bayes(events, n, **prior)


def test_cohorts_beyond_reconciliation_are_refused():
    # Ten cohorts without events and one with nothing else, tau all but fixed at 0: the
    # likelihood at its best is below what a floating-point number can hold.
    with pytest.raises(ValueError, match="differ too much for tau_scale = 0.01"):
        pool_bayes([0] * 10 + [10_000], [10_000] * 11, tau_scale=0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beta_distribution(0.4, 1), "a must be a number of at least 0.5"),
        (lambda: beta_distribution(1, True), "b must be a number of at least 0.5"),
        (lambda: beta_distribution(1, 10_002), "at most 10002"),
        (lambda: ProportionDistribution(np.zeros(3)), "one value for each of the 1641 nodes"),
        (lambda: ProportionDistribution(np.full(1641, np.nan)), "not NaN"),
        (lambda: ProportionDistribution(np.full(1641, -np.inf)), "exceed -inf"),
        (lambda: ProportionDistribution.mixture([], []), "at least one component"),
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
            "n must be a whole number of at least 1",
        ),
        (lambda: predictive_tail(beta_distribution(1, 1), 5), "Give at_least, at_most or both"),
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
            "robust_weight must be a number between 0 and 1",
        ),
        (
            lambda: contrast(beta_distribution(1, 1), beta_distribution(1, 1), [-0.1]),
            "Each margin must be a number between 0 and 1",
        ),
        (
            lambda: contrast(beta_distribution(1, 1), beta_distribution(1, 1), [1]),
            "Each margin must be below 1",
        ),
        (
            lambda: control_sources(6, 5, 1, 5, beta_distribution(1, 1)),
            "Treatment: events must be a whole number between 0 and 5",
        ),
        (
            lambda: control_sources(1, 5, 6, 5, beta_distribution(1, 1)),
            "Control: events must be a whole number between 0 and 5",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
