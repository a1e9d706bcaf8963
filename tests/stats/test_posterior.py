"""Known answers and properties of Bayesian pooling of proportions."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.interpolate import make_interp_spline
from scipy.special import expit
from scipy.stats import binom, norm

from rdmas.stats.binomial_normal import Likelihood
from rdmas.stats.distribution import LOGITS
from rdmas.stats.posterior import joint_posterior, pool_bayes
from rdmas.stats.prediction import predictive_tail

# Data set AS of R package RBesT 1.11-0: placebo response in ankylosing spondylitis.
AS = ([23, 12, 19, 9, 39, 6, 9, 10], [107, 44, 51, 39, 139, 20, 78, 35])

# Deaths in fourteen published cohorts of adults with macrophage activation syndrome.
MAS = (
    [14, 15, 17, 7, 6, 5, 0, 0, 5, 5, 2, 1, 19, 4],
    [61, 67, 41, 20, 30, 89, 20, 7, 56, 9, 7, 6, 54, 21],
)


@pytest.fixture(scope="module")
def as_posterior():
    return pool_bayes(*AS)


@pytest.fixture(scope="module")
def mas_posterior():
    return pool_bayes(*MAS)


def sd(distribution):
    return np.sqrt(distribution.weights @ (expit(LOGITS) - distribution.mean()) ** 2)


class Everything:
    """Posterior of the median cohort, prediction, and posterior of tau."""

    def __init__(self, events, n, tau_scale=1.0, logit_mean=0.0, logit_sd=2.0, points=65):
        likelihood = Likelihood(np.array(events), np.array(n), (logit_mean, logit_sd))
        joint = joint_posterior(likelihood, tau_scale, points)
        self.median_cohort, self.predictive = joint.distributions()
        # Points of tau are equidistant in v, where tau = scale sinh(v).
        self.tau, self._scale = joint.tau, min(0.05, tau_scale)
        self._v = np.arcsinh(self.tau / self._scale)
        density = joint.probability.copy()
        density[0] *= 2
        self._density = make_interp_spline(self._v, density, k=5)
        ends = self._v[[0, -1]]
        of_tau = make_interp_spline(self._v, density * self.tau, k=5)
        self.tau_mean = of_tau.integrate(*ends) / self._density.integrate(*ends)

    def tau_quantiles(self, probabilities):
        fine = np.linspace(*self._v[[0, -1]], 200_001)
        cdf = self._density.antiderivative()(fine)
        return self._scale * np.sinh(np.interp(probabilities, cdf / cdf[-1], fine))


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
    both = ("AS", AS, as_posterior), ("MAS", MAS, mas_posterior)
    for name, cohorts, posterior in both:
        mean = Everything(*cohorts).median_cohort.mean()
        new = posterior.predictive
        ours = [mean, new.mean(), sd(new), posterior.prediction_low, new.median()]
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
    found = Everything(*cohorts)
    assert found.tau_mean == pytest.approx(mean, abs=2e-5)
    assert found.tau_quantiles(probabilities) == pytest.approx(at, abs=1.5e-4)


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
    found = Everything(*AS)
    assert found.tau_mean == pytest.approx((0.387 + 0.377) / 2, abs=0.01)
    low, median, high = found.tau_quantiles([0.025, 0.5, 0.975])
    assert median == pytest.approx((0.359 + 0.346) / 2, abs=0.01)
    assert low == pytest.approx(0.0407, abs=0.01)
    assert high == pytest.approx(0.895, abs=0.03)
    assert found.median_cohort.mean() == pytest.approx(0.250, abs=0.002)
    assert sd(found.median_cohort) == pytest.approx(0.0344, abs=0.002)
    assert (as_posterior.low, as_posterior.high) == pytest.approx((0.185, 0.322), abs=0.006)
    assert as_posterior.predictive.mean() == pytest.approx((0.255 + 0.258) / 2, abs=0.003)
    assert sd(as_posterior.predictive) == pytest.approx((0.0864 + 0.0842) / 2, abs=0.003)
    prediction = (as_posterior.prediction_low, as_posterior.prediction_high)
    assert prediction == pytest.approx((0.109, 0.460), abs=0.015)


def test_smaller_tau_scale_agrees_with_what_rbest_prints():
    # Oracle: the same, update(map_mcmc, tau.prior = 1/2): tau mean 0.335 and 0.332, median 0.320
    # and 0.311; MAP prior mean 0.259 and 0.257, sd 0.0776 and 0.0795, quantiles 0.129 and 0.121,
    # 0.442 and 0.445.
    posterior = pool_bayes(*AS, tau_scale=0.5)
    found = Everything(*AS, tau_scale=0.5)
    assert found.tau_mean == pytest.approx(0.3335, abs=0.01)
    assert found.tau_quantiles(0.5) == pytest.approx(0.3155, abs=0.01)
    assert posterior.predictive.mean() == pytest.approx(0.258, abs=0.003)
    assert sd(posterior.predictive) == pytest.approx(0.07855, abs=0.003)
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
    ours, found = pool_bayes(events, n), Everything(events, n)
    low, median, high = found.tau_quantiles([0.025, 0.5, 0.975])
    for simulated, value in (
        (expit(mu), found.median_cohort.mean()),
        (expit(mu) < ours.median, 0.5),
        (expit(mu) < ours.low, 0.025),
        (expit(mu) > ours.high, 0.025),
        (tau, found.tau_mean),
        (tau < median, 0.5),
        (tau < low, 0.025),
        (tau > high, 0.025),
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
    prior = {"tau_scale": 0.01, "logit_mean": 0.5, "logit_sd": 1.5}
    ours, found = pool_bayes(events, n, **prior), Everything(events, n, **prior)
    assert found.median_cohort.mean() == pytest.approx(mean, abs=2e-5)
    assert ours.predictive.mean() == pytest.approx(mean, abs=2e-5)
    below = quad(density, -14, np.log(ours.low / (1 - ours.low)), limit=400)[0] / total
    assert below == pytest.approx(0.025, abs=1e-4)
    assert found.tau_quantiles(0.975) < 0.03


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
    def summary(points):
        found = Everything(events, n, points=points, **prior)
        cohort, new, quantiles = found.median_cohort, found.predictive, [0.025, 0.5, 0.975]
        of_tau = [found.tau_mean, *found.tau_quantiles(quantiles)]
        return np.array(
            [cohort.mean(), *cohort.ppf(quantiles), new.mean(), *new.ppf(quantiles), *of_tau]
        )

    default, double, twice = summary(33), summary(65), summary(129)
    assert np.abs(default - double)[:8].max() < 1e-9
    # Tau itself is read off a spline here, which wants more points than the sums over them.
    assert np.abs(double - twice).max() < (5e-6 if prior else 1e-6)


def test_quadrature_nodes_suffice_for_the_narrowest_likelihood():
    # Oracle: scipy.integrate.quad of the same integral, one cohort of 10,000 blurred by tau.
    events, n, mu = 5000, 10_000, 0.1
    likelihood = Likelihood(np.array([events]), np.array([n]))
    peak = binom.logpmf(events, n, 0.5)
    for tau in (0.02, 0.039, 0.041, 0.1, 1.0):

        def integrand(x, tau=tau):
            return np.exp(binom.logpmf(events, n, expit(x)) - peak) * norm.pdf(x, mu, tau)

        exact = quad(integrand, -0.3, 0.3, points=[0, mu], limit=400, epsrel=1e-10)[0]
        ours = likelihood.log(np.array([mu]), np.array([tau]))[0]
        assert ours == pytest.approx(np.log(exact) + peak, abs=1e-6), tau


def test_cohorts_without_events_have_a_constant_likelihood_at_very_low_logits():
    likelihood = Likelihood(np.array([0]), np.array([20]))
    ours = likelihood.log(np.linspace(-45, -25, 41), np.full(41, 0.3))
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
    ours = Everything(events, [n, n], tau_scale=scale)
    assert tau_mean > 0.1
    assert ours.tau_mean == pytest.approx(tau_mean, rel=2e-3)


def test_prior_of_mu_in_conflict_with_the_cohorts_is_bridged_by_tau():
    # Oracle: sums over a plain grid far beyond the posterior. Its mode is 6 times the scale of
    # the prior of tau.
    events, n, scale, prior = [13, 8, 9, 24, 18, 1], [15, 9, 10, 27, 18, 1], 0.5, (-9.9, 0.5)
    mu, tau = np.meshgrid(np.linspace(-17, 2, 191), np.linspace(0.6, 9, 141))
    log = Likelihood(np.array(events), np.array(n)).log(mu.ravel(), tau.ravel())
    log += norm.logpdf(mu.ravel(), *prior) + norm.logpdf(tau.ravel(), 0, scale)
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    found = Everything(events, n, scale, *prior)
    assert found.tau_mean == pytest.approx(weights @ tau.ravel(), abs=1e-6)
    expected = weights @ expit(mu.ravel())
    assert found.median_cohort.mean() == pytest.approx(expected, rel=1e-6)


def test_order_of_cohorts_does_not_matter(as_posterior):
    order = [3, 0, 7, 5, 1, 6, 2, 4]
    shuffled = pool_bayes(*(np.array(x)[order] for x in AS))
    for field in ("median", "low", "high", "prediction_low", "prediction_high"):
        assert getattr(shuffled, field) == pytest.approx(getattr(as_posterior, field), abs=1e-9)


def test_counting_the_other_patients_mirrors_everything(as_posterior):
    events, n = np.array(AS)
    mirrored = pool_bayes(n - events, n)
    assert mirrored.median == pytest.approx(1 - as_posterior.median, abs=1e-7)
    assert mirrored.low == pytest.approx(1 - as_posterior.high, abs=1e-7)
    assert mirrored.prediction_high == pytest.approx(1 - as_posterior.prediction_low, abs=1e-7)
    upper = Everything(n - events, n).tau_quantiles(0.975)
    assert upper == pytest.approx(Everything(*AS).tau_quantiles(0.975), abs=1e-6)


def test_larger_tau_scale_widens_the_prediction(as_posterior):
    posteriors = [pool_bayes(*AS, tau_scale=0.1), as_posterior, pool_bayes(*AS, tau_scale=5)]
    widths = [p.prediction_high - p.prediction_low for p in posteriors]
    spreads = [Everything(*AS, tau_scale=scale).tau_quantiles(0.5) for scale in (0.1, 1, 5)]
    assert widths == sorted(widths)
    assert spreads == sorted(spreads)


def test_prediction_is_wider_than_the_posterior_of_the_median_cohort(as_posterior):
    assert as_posterior.prediction_low < as_posterior.low
    assert as_posterior.prediction_high > as_posterior.high


def test_more_data_of_the_same_kind_narrow_the_posterior():
    fewer, more = ([3, 5], [12, 18]), ([3, 5] * 4, [12, 18] * 4)
    few, many = pool_bayes(*fewer), pool_bayes(*more)
    assert many.high - many.low < few.high - few.low
    assert Everything(*more).tau_quantiles(0.975) < Everything(*fewer).tau_quantiles(0.975)


def test_strong_prior_of_mu_prevails():
    posterior = pool_bayes([9], [10], logit_mean=-2, logit_sd=0.01)
    assert posterior.median == pytest.approx(expit(-2), abs=0.001)


def test_interval_of_a_higher_level_contains_that_of_a_lower_one(as_posterior):
    lower = pool_bayes(*AS, level=0.8)
    assert lower.median == as_posterior.median
    assert as_posterior.low < lower.low < lower.median < lower.high < as_posterior.high
    assert as_posterior.prediction_high > lower.prediction_high


def test_pooling_takes_columns_of_a_data_frame(as_posterior):
    frame = pd.DataFrame({"events": AS[0], "n": AS[1]}, index=range(8, 0, -1)).astype(float)
    assert pool_bayes(frame["events"], frame["n"]).median == as_posterior.median


@pytest.mark.parametrize(
    ("events", "n", "prior", "message"),
    [
        ([], [], {}, "events must hold at least one entry"),
        ([1, 2], [5], {}, "n must hold 2 entries, got 1"),
        ([[1, 2]], [[5, 6]], {}, "Cohort 1: n must be a whole number"),
        (3, 5, {}, "events must be a sequence"),
        ([1, 6], [5, 5], {}, "Cohort 2: events must be a whole number between 0 and 5"),
        ([1, True], [5, 5], {}, "Cohort 2: events must be a whole number"),
        ([1, 0.5], [5, 5], {}, "Cohort 2: events must be a whole number"),
        ([1, float("nan")], [5, 5], {}, "Cohort 2: events must be a whole number"),
        ([0], [0], {}, "n must be a whole number of at least 1"),
        ([0], [10_001], {}, "n must be a whole number between 1 and 10000, got 10001"),
        ([1], [5], {"tau_scale": 0}, "tau_scale must be a number at least 0.01 and at most 5"),
        ([1], [5], {"tau_scale": 6}, "tau_scale must be a number at least 0.01 and at most 5"),
        ([1], [5], {"tau_scale": float("nan")}, "tau_scale must be a number"),
        ([1], [5], {"tau_scale": True}, "tau_scale must be a number"),
        ([1], [5], {"logit_mean": 11}, "logit_mean must be a number at least -10 and at most 10"),
        ([1], [5], {"logit_sd": 0}, "logit_sd must be a number above 0"),
        ([1], [5], {"level": 95}, "level must be a number above 0 and below 1"),
    ],
)
def test_pooling_refuses_bad_input(events, n, prior, message):
    with pytest.raises(ValueError, match=message):
        pool_bayes(events, n, **prior)


def test_cohorts_far_beyond_the_prior_of_tau_are_pooled():
    # Ten cohorts without events and one with nothing else, tau all but fixed at 0: likelihoods
    # below what a floating-point number can hold.
    cohorts = [0] * 10 + [10_000], [10_000] * 11
    found, finer = (Everything(*cohorts, tau_scale=0.01, points=points) for points in (33, 129))
    assert found.tau_mean == pytest.approx(finer.tau_mean, abs=1e-6)
    assert 0.2 < found.tau_mean < 0.5
    assert found.median_cohort.median() == pytest.approx(finer.median_cohort.median(), abs=1e-6)
