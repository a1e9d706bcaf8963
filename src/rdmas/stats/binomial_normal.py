"""Likelihood of cohorts with binomial events and normal true logits, and where it is largest.

A cohort's true logit is mu + tau u with u standard normal, so that its likelihood is an integral
over u of a function with a single peak. The peak can be narrow (a large cohort) or have one long
side (a cohort without events). Nodes are therefore placed about the mode, u = mode + scale
sinh(t) with t equidistant: the trapezoidal rule then converges exponentially for either shape.
Every integral is compared with the one over every other node, and nodes are added where the two
disagree. `rdmas.stats.pooling` and `rdmas.stats.posterior` both rest on this likelihood.

References
----------
Hamza TH, van Houwelingen HC, Stijnen T (2008). The binomial distribution of meta-analysis was
preferred to model within-study variability. Journal of Clinical Epidemiology 61:41-51.

Trefethen LN, Weideman JAC (2014). The exponentially convergent trapezoidal rule. SIAM Review
56:385-458.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import betaln, expit, logit
from scipy.stats import chi2

Floats = NDArray[np.float64]

#: Between-study standard deviations beyond this are not searched: at 50 logits a cohort has
#: either no events or only events, for all practical purposes.
LARGEST_TAU = 50.0

# Stands for tau = 0: the likelihood differs by the square of it.
_SMALLEST_TAU = 1e-10

# Ratio of neighbouring values of tau on the grid where the maxima are looked for.
_GRID_RATIO = 1.5

# Two log-likelihoods closer than this are a tie, which goes to the smaller standard deviation.
_TIE = 1e-9

# The integrand falls at least as fast as a normal density: beyond 9 it is below exp(-40).
_REACH = 9.0

# Steps in t, and how close an integral must come to the one over every other node, relative to
# itself. The error falls as exp(-constant / step), so that it is about the square of this; as
# its sign alternates, two may agree by accident, but then not also with the one before.
_STEP, _SMALLEST_STEP = 0.125, 2.0**-10
_AGREEMENT, _AGREEMENT_BEFORE = 1e-6, 1e-2

# Numbers held at once, few enough for a processor's cache.
_BLOCK = 2**15


class Terms(NamedTuple):
    """Log-likelihood with its first and second derivatives, one value for each point."""

    log_likelihood: Floats
    d_mu: Floats
    d_tau: Floats
    d_mu_mu: Floats
    d_mu_tau: Floats
    d_tau_tau: Floats


class Maximum(NamedTuple):
    """Best mu for one tau, slope of the likelihood in tau, and information about mu."""

    tau: float
    mu: float
    log_likelihood: float
    d_tau: float
    information: float
    information_tau_unknown: float


class Profile(NamedTuple):
    """Best mu for several tau."""

    tau: Floats
    mu: Floats
    terms: Terms


class Likelihood:
    """Likelihood of the mean logit mu and the between-study standard deviation tau.

    A normal prior of mu, given by mean and standard deviation, is counted in where there is one.
    """

    def __init__(
        self,
        events: NDArray[np.int64],
        n: NDArray[np.int64],
        prior_of_mu: tuple[float, float] = (0.0, math.inf),
    ) -> None:
        self.events, self.n = events.astype(float), n.astype(float)
        self.prior_mean, self.prior_sd = prior_of_mu
        self._log_choose = -(np.log1p(n) + betaln(n - events + 1, events + 1)).sum()

    def log(self, mu: Floats, tau: Floats) -> Floats:
        """Return the log-likelihood, binomial coefficients included, at points (mu, tau)."""
        return self._at(mu, tau, derivatives=False)[0]

    def terms(self, mu: Floats, tau: Floats) -> Terms:
        """Return the log-likelihood and its derivatives at points (mu, tau)."""
        return Terms(*self._at(mu, tau, derivatives=True))

    def best_mu(self, tau: Floats, start: Floats | float) -> tuple[Floats, Terms]:
        """Maximise over mu, in which the log-likelihood is concave, for each tau."""
        mu = start + 0 * tau
        low, high = np.full(mu.shape, -np.inf), np.full(mu.shape, np.inf)
        values, moving = np.empty((len(Terms._fields), mu.size)), np.arange(mu.size)
        for _ in range(200):
            at = mu[moving]
            values[:, moving] = self._at(at, tau[moving], derivatives=True)
            slope, curvature = values[1, moving], values[3, moving]
            low[moving] = np.where(slope > 0, at, low[moving])
            high[moving] = np.where(slope > 0, high[moving], at)
            # Newton's step, cut to a length over which the curvature can be trusted to last.
            step = np.clip(-slope / curvature, -1 - tau[moving], 1 + tau[moving])
            error = np.minimum(np.abs(step), high[moving] - low[moving])
            moves = error * np.sqrt(-curvature) > 1e-8
            at, moving = (at + step)[moves], moving[moves]
            if not moving.size:
                break
            inside = (low[moving] < at) & (at < high[moving])
            mu[moving] = np.where(inside, at, (low[moving] + high[moving]) / 2)
        return mu, Terms(*values)

    def given_tau(self, tau: float, start: float | None = None) -> Maximum:
        """Maximise over mu for one tau."""
        if start is None:
            start = float(logit(self.events.sum() / self.n.sum()))
        mu, terms = self.best_mu(np.array([tau]), start)
        log_likelihood, _, d_tau, d_mu_mu, d_mu_tau, d_tau_tau = (float(part[0]) for part in terms)
        # At tau = 0 the likelihood is level in tau, which then tells nothing of mu.
        tau_unknown = (d_mu_tau**2 / d_tau_tau if tau > 0 else 0.0) - d_mu_mu
        return Maximum(tau, float(mu[0]), log_likelihood, d_tau, -d_mu_mu, tau_unknown)

    def maximum(self) -> Maximum:
        """Maximise over mu and tau; of several maxima over tau take the highest."""
        grid = self.profile
        best = self.given_tau(0.0)
        if self.n.max() == 1:
            # The likelihood depends on tau and mu only through one proportion.
            return best
        slope = grid.terms.d_tau
        if slope[-1] > 0:
            raise ValueError(
                f"The standard deviation between studies exceeds {LARGEST_TAU:g} on the logit "
                "scale and cannot be estimated."
            )
        # At tau = 0 the slope is 0 even where the likelihood rises from there.
        for before in 1 + np.flatnonzero((slope[1:-1] > 0) & (slope[2:] <= 0)):
            start = float(grid.mu[before])
            tau = brentq(
                lambda tau, start=start: self.given_tau(tau, start).d_tau,
                *grid.tau[before : before + 2],
                xtol=1e-13,
            )
            candidate = self.given_tau(tau, start)
            if candidate.log_likelihood > best.log_likelihood + _TIE:
                best = candidate
        return best

    def tau_limits(self, best: Maximum, level: float) -> tuple[float, float]:
        """Profile-likelihood limits of tau, which enclose two maxima if both are high enough."""
        largest_fall = chi2.ppf(level, 1)

        def excess(tau: float) -> float:
            log_likelihood = self.given_tau(tau, best.mu).log_likelihood
            return 2 * (best.log_likelihood - log_likelihood) - largest_fall

        grid = self.profile
        falls = 2 * (best.log_likelihood - grid.terms.log_likelihood) - largest_fall
        known = sorted([*zip(grid.tau, falls, strict=True), (best.tau, -largest_fall)])
        taus = [tau for tau, _ in known]
        inside = [place for place, (_, fall) in enumerate(known) if fall <= 0]
        first, last = inside[0], inside[-1]
        low, high = 0.0, math.inf
        if first > 0:
            low = float(brentq(excess, taus[first - 1], taus[first]))
        if self.n.max() > 1 and last < len(known) - 1:
            high = float(brentq(excess, taus[last], taus[last + 1]))
        return low, high

    def mu_limits(self, best: Maximum, level: float) -> tuple[float, float]:
        """Profile-likelihood limits of mu: the ends of what is likely enough with some tau."""
        if self.n.max() == 1:
            return self.mu_limits_given_tau(best, level)
        low, high = self.tau_limits(best, level)
        grid = self.profile.tau
        inside = grid[(low < grid) & (grid < high)]
        taus = np.unique([low, *inside, best.tau, min(high, LARGEST_TAU)])

        def farthest(side: int) -> float:
            ends = side * self._mu_ends(taus, best, level, side)
            place = int(ends.argmax())
            if place == taus.size - 1 and high == math.inf:
                return math.inf
            # The farthest end of all lies between the neighbours of that on the grid.
            around = taus[max(place - 1, 0)], taus[min(place + 1, taus.size - 1)]
            refined = minimize_scalar(
                lambda tau: -side * self._mu_ends(np.array([tau]), best, level, side)[0],
                bounds=around,
                method="bounded",
                options={"xatol": 1e-6 * around[1]},
            )
            return float(max(ends[place], -refined.fun))

        return -farthest(-1), farthest(1)

    def mu_limits_given_tau(self, best: Maximum, level: float) -> tuple[float, float]:
        """Likelihood-ratio limits of mu for the tau of a maximum."""
        low, high = (self._mu_ends(np.array([best.tau]), best, level, side) for side in (-1, 1))
        return float(low[0]), float(high[0])

    def _mu_ends(self, tau: Floats, best: Maximum, level: float, side: int) -> Floats:
        """Limit of mu on one side for each tau; where no mu is likely enough, the best one."""
        lowest = best.log_likelihood - chi2.ppf(level, 1) / 2
        mu, terms = self.best_mu(tau, best.mu)
        height = np.maximum(terms.log_likelihood - lowest, 0)
        away, moving = np.sqrt(-2 * height / terms.d_mu_mu), np.flatnonzero(height > _TIE)
        # As the log-likelihood is concave in mu, Newton's steps, but for the first, come from
        # outside.
        for _ in range(200):
            at = self.terms(mu[moving] + side * away[moving], tau[moving])
            step = side * (lowest - at.log_likelihood) / at.d_mu
            away[moving] += step
            moving = moving[np.abs(step) > 1e-9 * away[moving]]
            if not moving.size:
                break
        return mu + side * away

    @cached_property
    def profile(self) -> Profile:
        """Best mu for tau = 0 and on a grid from below any sampling error to the largest."""
        # The logit of a proportion among n patients has a standard error of at least 2/sqrt(n);
        # below a tenth of that the log-likelihood is all but straight in the square of tau.
        smallest = 0.2 / math.sqrt(self.n.max())
        steps = math.ceil(math.log(LARGEST_TAU / smallest) / math.log(_GRID_RATIO))
        grid = np.geomspace(smallest, LARGEST_TAU, steps + 1)
        tau = np.array([0.0, smallest / 1e4, *grid])
        return Profile(tau, *self.best_mu(tau, float(logit(self.events.sum() / self.n.sum()))))

    def _at(self, mu: Floats, tau: Floats, derivatives: bool) -> Floats:
        """Log-likelihood (and derivatives), one row each."""
        mu, tau = np.broadcast_arrays(mu, np.maximum(tau, _SMALLEST_TAU))
        values = self._integrated(mu, tau, derivatives, _STEP)
        z = (mu - self.prior_mean) / self.prior_sd
        values[0] -= z**2 / 2
        if derivatives:
            values[1] -= z / self.prior_sd
            values[3] -= self.prior_sd**-2
        return values

    def _integrated(self, mu: Floats, tau: Floats, derivatives: bool, step: float) -> Floats:
        """Integrate in blocks of points, and with half the step where it was too large."""
        flattest = math.hypot(1, tau.max() * math.sqrt(self.n.max()))
        numbers = mu.size * self.n.size * 2 * math.asinh(_REACH * flattest) / step
        blocks = math.ceil(numbers / _BLOCK)
        pairs = zip(np.array_split(mu, blocks), np.array_split(tau, blocks), strict=True)
        parts = [self._integrals(*pair, derivatives, step) for pair in pairs if pair[0].size]
        values = np.concatenate([part[0] for part in parts], axis=1)
        rough = np.concatenate([part[1] for part in parts])
        if rough.any():
            if step <= _SMALLEST_STEP:
                raise ArithmeticError("The likelihood of the cohorts has not converged.")
            values[:, rough] = self._integrated(mu[rough], tau[rough], derivatives, step / 2)
        return values

    def _integrals(
        self, mu: Floats, tau: Floats, derivatives: bool, step: float
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Log-likelihood (and derivatives) at some points, and where its error is too large."""
        mu, tau = mu[:, None], tau[:, None]
        mode, scale = self._modes(mu, tau)
        half = 4 * math.ceil(math.asinh(_REACH / scale.min()) / (4 * step))
        t = step * np.arange(-half, half + 1)
        # Counted is the rarer of event and no event, so that its probability loses no digits.
        eta = mu + tau * mode
        share, sign = expit(-np.abs(eta)), np.where(eta > 0, -1.0, 1.0)
        count = np.where(eta > 0, self.n - self.events, self.events)
        away = np.clip(scale[..., None] * np.sinh(t), -_REACH - 1, _REACH + 1)
        shift = (sign * tau)[..., None] * away
        odds = np.expm1(shift)
        weights = count[..., None] * shift - self.n[:, None] * np.log1p(share[..., None] * odds)
        weights -= away * (away / 2 + mode[..., None])
        weights = np.exp(weights) * np.cosh(t)
        total = weights.sum(axis=2)
        coarser = weights[..., ::2]
        once = np.abs(2 * coarser.sum(axis=2) / total - 1)
        twice = np.abs(4 * coarser[..., ::2].sum(axis=2) / total - 1)
        rough = ((once > _AGREEMENT) | (twice > _AGREEMENT_BEFORE)).any(axis=1)
        at_mode = count * np.log(share) + (self.n - count) * np.log1p(-share) - mode**2 / 2
        log_likelihood = at_mode + np.log(total * scale * (step / math.sqrt(2 * math.pi)))
        log_likelihood = log_likelihood.sum(axis=1) + self._log_choose
        if not derivatives:
            return log_likelihood[None], rough

        # Derivatives are means and covariances, given the counts, of u and of the residual
        # (Louis 1982, J R Stat Soc B 44:226-233), in a form in which large terms do not cancel.
        def mean(values: Floats) -> Floats:
            return np.einsum("psk,psk->ps", weights, values)

        weights /= total[..., None]
        residual_at_mode = sign * (count - self.n * share)
        change = odds / (1 + share[..., None] * odds)
        change *= (-sign * self.n * share * (1 - share))[..., None]
        u, residual = mode[..., None] + away, residual_at_mode[..., None] + change
        square = u**2 - mean(u**2)[..., None]
        product = u * residual
        by_mu, by_tau = residual_at_mode + mean(change), mean(product)
        centred = change - mean(change)[..., None]
        second = mean(centred * away), mean(centred * square), mean(product * square) - by_tau
        sums = [part.sum(axis=1) for part in (by_mu, by_tau, *(part / tau for part in second))]
        return np.array([log_likelihood, *sums]), rough

    def _modes(self, mu: Floats, tau: Floats) -> tuple[Floats, Floats]:
        """Mode of each cohort's integrand in u, nearly, and the scale of the nodes about it."""
        events, n = self.events, self.n
        # At the mode u is tau times the residual there, which is nearer to 0 than at u = 0.
        end = tau * (events - n * expit(mu))
        low, high = np.minimum(end, 0), np.maximum(end, 0)
        share = (events + 0.5) / (n + 1)
        weight = tau * n * share * (1 - share)
        u = np.clip(weight * (logit(share) - mu) / (1 + tau * weight), low, high)
        for _ in range(200):
            eta = mu + tau * u
            proportion = expit(eta)
            slope = tau * (events - n * proportion) - u
            information = n * proportion * expit(-eta)
            curvature = 1 + tau**2 * information
            low, high = np.where(slope > 0, u, low), np.where(slope > 0, high, u)
            step = slope / curvature
            if (np.abs(step) * np.sqrt(curvature) < 1e-3).all():
                break
            # At most three logits, over which the curvature can be trusted to last.
            u = u + np.clip(step, -3 / tau, 3 / tau)
            u = np.where((u < low) | (u > high), (low + high) / 2, u)
        # Where events are hardly possible, the peak's flank is still no wider than a logit.
        return u, 1 / np.sqrt(1 + tau**2 * np.maximum(information, 1))
