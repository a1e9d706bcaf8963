"""Pooled proportion of several cohorts by Bayes' theorem, and what it predicts for a new one.

The model is that of `rdmas.stats.pooling`; integrals over the mean logit mu and the
between-study standard deviation tau are sums over a grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.interpolate import make_interp_spline
from scipy.special import logit, logsumexp

from rdmas.stats import checks
from rdmas.stats.binomial_normal import Floats, Likelihood
from rdmas.stats.distribution import LARGEST_N, LOGITS, ProportionDistribution

# Densities are dropped where they fall below exp(-40) of their maximum.
_NEGLIGIBLE = 40.0

# Points of a grid to begin with, and beyond which it is given up, and how close a sum over all
# of them must come to the one over every other point.
_POINTS, _MOST_POINTS, _AGREEMENT = 33, 513, 1e-5

_ROOT_2_PI = math.sqrt(2 * math.pi)


@dataclass(frozen=True, eq=False)
class PosteriorPooled:
    """Posterior of a random-effects pooling of proportions.

    Attributes
    ----------
    median, low, high : float
        Posterior median and equal-tailed interval of the inverse logit of mu.
    prediction_low, prediction_high : float
        Equal-tailed interval of `predictive`.
    predictive : ProportionDistribution
        Predictive distribution of the true proportion in a new cohort.
    joint : JointPosterior
        Joint posterior of mu and tau, which every cohort shares.
    tau_scale : float
        Scale of the half-normal prior of tau.
    """

    median: float
    low: float
    high: float
    prediction_low: float
    prediction_high: float
    predictive: ProportionDistribution
    joint: JointPosterior
    tau_scale: float


def pool_bayes(
    events: Sequence[int],
    n: Sequence[int],
    tau_scale: float = 1.0,
    logit_mean: float = 0.0,
    logit_sd: float = 2.0,
    level: float = 0.95,
) -> PosteriorPooled:
    """Posterior of the pooled proportion and prediction for a new cohort.

    A priori tau is half-normal and mu normal, and the two are independent. A cohort without
    events, or with only events, enters as it is.

    Parameters
    ----------
    events, n : sequence of int, shape (studies,)
        Patients with the event, and patients (at most 10,000), of each cohort.
    tau_scale : float, default 1.0
        Scale of the half-normal prior of tau, 0.01 to 5. At 1, which the authors of RBesT call
        conservative for proportions of 0.2 to 0.8, cohorts may differ widely; 0.5 is a common,
        more optimistic choice (Röver et al. 2021, Res Synth Methods 12:448-474).
    logit_mean, logit_sd : float, default 0.0 and 2.0
        Mean (-10 to 10) and standard deviation (above 0, at most 10) of the normal prior of mu.
        The default is worth one patient where the proportion is one half.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    PosteriorPooled
        Posterior of the median cohort's proportion, and the predictive distribution, which
        allows for not knowing mu and tau.

    Raises
    ------
    ValueError
        If the counts are impossible or a prior's parameter is out of range.
    ArithmeticError
        If an integral does not converge.

    References
    ----------
    Neuenschwander B, Capkun-Niggli G, Branson M, Spiegelhalter DJ (2010). Summarizing historical
    information on controls in clinical trials. Clinical Trials 7:5-18.

    Weber S, Li Y, Seaman JW, Kakizume T, Schmidli H (2021). Applying meta-analytic-predictive
    priors with the R Bayesian evidence synthesis tools. Journal of Statistical Software 100(19).

    Examples
    --------
    Placebo response in eight trials in ankylosing spondylitis (data set AS of R package RBesT;
    Baeten et al. 2013):

    >>> posterior = pool_bayes([23, 12, 19, 9, 39, 6, 9, 10], [107, 44, 51, 39, 139, 20, 78, 35])
    >>> print(f"{posterior.median:.3f} ({posterior.low:.3f} to {posterior.high:.3f})")
    0.249 (0.185 to 0.328)
    >>> print(f"{posterior.prediction_low:.3f} to {posterior.prediction_high:.3f}")
    0.111 to 0.471
    """
    died, sizes = checks.studies(events, n)
    checks.whole("n", int(sizes.max()), 1, LARGEST_N)
    tau_scale = checks.number("tau_scale", tau_scale, 0.01, 5)
    logit_mean = checks.number("logit_mean", logit_mean, -10, 10)
    logit_sd = checks.number("logit_sd", logit_sd, 0, 10, "(]")
    level = checks.level(level)
    joint = joint_posterior(Likelihood(died, sizes, (logit_mean, logit_sd)), tau_scale)
    median_cohort, predictive = joint.distributions()
    low, high = median_cohort.interval(level)
    prediction_low, prediction_high = predictive.interval(level)
    return PosteriorPooled(
        median=median_cohort.median(),
        low=low,
        high=high,
        prediction_low=prediction_low,
        prediction_high=prediction_high,
        predictive=predictive,
        joint=joint,
        tau_scale=tau_scale,
    )


class JointPosterior(NamedTuple):
    """Points of tau with their probabilities, and for each of them points of mu.

    Each row of `mu` is equidistant; `log_density` is that of mu given tau.
    """

    tau: Floats
    probability: Floats
    mu: Floats
    log_density: Floats

    def points(self) -> tuple[Floats, Floats, Floats]:
        """Return mu, tau and their probability, one value for each point."""
        share = np.exp(self.log_density - logsumexp(self.log_density, axis=1, keepdims=True))
        tau = np.broadcast_to(self.tau[:, None], self.mu.shape)
        return self.mu.ravel(), tau.ravel(), (self.probability[:, None] * share).ravel()

    def distributions(self) -> tuple[ProportionDistribution, ProportionDistribution]:
        """Posterior of the median cohort's proportion, predictive distribution of a new one's."""
        of_mu, of_new = np.zeros(LOGITS.size), np.zeros(LOGITS.size)
        for tau, probability, mu, log_density in zip(*self, strict=True):
            if probability > 1e-15:
                of_mu += probability * _blurred(mu, log_density, 0.0)
                of_new += probability * _blurred(mu, log_density, tau)
        with np.errstate(divide="ignore"):
            return ProportionDistribution(np.log(of_mu)), ProportionDistribution(np.log(of_new))


def joint_posterior(
    likelihood: Likelihood, tau_scale: float, points: int = _POINTS
) -> JointPosterior:
    """Return the posterior under a half-normal prior of tau and the likelihood's prior of mu."""
    v, scale, mu = _range_of_tau(likelihood, tau_scale, points)
    while True:
        tau = scale * np.sinh(v)
        low, high = _range_of_mu(likelihood, tau, mu)
        grid = np.linspace(low, high, points, axis=1)
        joint = likelihood.log(grid.ravel(), np.repeat(tau, points)).reshape(grid.shape)
        step = np.log((high - low) / (points - 1))
        mass = logsumexp(joint, axis=1) + step
        coarser = logsumexp(joint[:, ::2], axis=1) + step + math.log(2)
        log_density = mass + _log_prior(v, scale, tau_scale)
        weights = np.exp(log_density - log_density.max())
        # The likelihood depends on tau by its square, so it continues evenly beyond 0, and the
        # trapezoidal rule, which halves the first point, converges exponentially.
        weights[0] /= 2
        probability = weights / weights.sum()
        error = abs(2 * probability[::2].sum() - 1) + probability @ np.abs(coarser - mass)
        if error < _AGREEMENT:
            return JointPosterior(tau, probability, grid, joint - mass[:, None])
        if points >= _MOST_POINTS:
            raise ArithmeticError("The posterior of the cohorts has not converged.")
        finer = np.linspace(v[0], v[-1], 2 * points - 1)
        v, mu, points = finer, np.interp(finer, v, mu), finer.size


def _range_of_tau(
    likelihood: Likelihood, tau_scale: float, points: int
) -> tuple[Floats, float, Floats]:
    """Find points v, with tau = scale sinh(v), that cover the posterior; the scale; the best mu.

    They are dense near 0, where one large cohort can make the posterior of tau narrow, and in
    proportion to tau further out, as its posterior is.
    """
    scale = min(0.05, tau_scale)
    logits = logit((likelihood.events + 0.5) / (likelihood.n + 1))
    # Where cohorts differ from each other and from the prior of mu far more than the prior of tau
    # expects, the mode is near the geometric mean of its scale and the size of the differences.
    distance = math.sqrt(((logits - likelihood.prior_mean) ** 2).sum())
    largest = max(8.5 * tau_scale, 4 * math.sqrt(tau_scale * distance))
    v, mu = np.linspace(0, math.asinh(largest / scale), points), np.full(points, logits.mean())
    while True:
        mu, terms = likelihood.best_mu(scale * np.sinh(v), mu)
        # As if mu were normal given tau.
        log_density = terms.log_likelihood - np.log(-terms.d_mu_mu) / 2
        log_density += _log_prior(v, scale, tau_scale)
        likely = np.flatnonzero(log_density > log_density.max() - _NEGLIGIBLE)
        ends = v[max(likely[0] - 1, 0)], v[min(likely[-1] + 1, points - 1)]
        narrower = np.linspace(*ends, points)
        v, mu = narrower, np.interp(narrower, v, mu)
        if likely.size > points / 2:
            return v, scale, mu


def _range_of_mu(likelihood: Likelihood, tau: Floats, mu: Floats) -> tuple[Floats, Floats]:
    """Range outside which the posterior of mu is negligible, for each tau, from a mu nearby.

    It is log-concave, so that Newton's steps approach either end from outside.
    """
    mu, best = likelihood.best_mu(tau, mu)
    farthest = math.sqrt(2 * _NEGLIGIBLE) * likelihood.prior_sd
    ends = []
    for side in (-1, 1):
        away = np.sqrt(-2 * _NEGLIGIBLE / best.d_mu_mu)
        for _ in range(3):
            at = likelihood.terms(mu + side * away, tau)
            height = at.log_likelihood - best.log_likelihood + _NEGLIGIBLE
            away = np.clip(away - side * height / at.d_mu, 0, farthest)
        ends.append(mu + side * away)
    return ends[0], ends[1]


def _log_prior(v: Floats, scale: float, tau_scale: float) -> Floats:
    """Half-normal prior of tau, as a density of v."""
    return np.log(np.cosh(v)) - (scale * np.sinh(v) / tau_scale) ** 2 / 2


def _blurred(mu: Floats, log_density: Floats, sd: float) -> Floats:
    """Density, at the nodes, of mu plus a normal variable."""
    step = mu[1] - mu[0]
    # Far into the tails, so that even counts in conflict with them find some density.
    near = slice(*np.searchsorted(LOGITS, [mu[0] - 36 * sd, mu[-1] + 36 * sd]).tolist())
    blurred = np.zeros(LOGITS.size)
    if sd > 1.3 * step:
        z = (LOGITS[near, None] - mu) / sd
        blurred[near] = np.exp(-(z**2) / 2) @ np.exp(log_density) * (step / sd / _ROOT_2_PI)
        return blurred
    # The normal distribution is too narrow for the points of mu, and mu's own density smooth
    # enough for a few Gauss-Hermite points.
    points, weights = np.polynomial.hermite_e.hermegauss(20 if sd > 0 else 1)
    at = LOGITS[near, None] - sd * points
    spline = make_interp_spline(mu, log_density, k=5)
    density = np.where((at >= mu[0]) & (at <= mu[-1]), np.exp(spline(np.clip(at, *mu[[0, -1]]))), 0)
    blurred[near] = density @ (weights / weights.sum())
    return blurred
