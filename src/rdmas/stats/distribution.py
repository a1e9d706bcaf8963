"""A proportion's distribution, kept as the density of its logit at one common set of nodes.

Prior times likelihood, mixtures, predictive counts and the comparison of two proportions are then
sums over nodes. Nothing is simulated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.special import expit, gammaln, log_expit, logit, logsumexp

from rdmas.stats import checks

Floats = NDArray[np.float64]

#: Larger cohorts have likelihoods too narrow for the nodes.
LARGEST_N = 10_000

# Nodes are equidistant in u, where the logit is 2 sinh(u). The trapezoidal rule then converges
# exponentially, because every density here is smooth and vanishes at both ends, and nodes are
# dense near a proportion of one half, where a large cohort's likelihood is narrowest in logits.
# They reach logits of about -60 and 60.
_STEP = 0.005
_U = np.arange(-820, 821) * _STEP
LOGITS: Floats = 2 * np.sinh(_U)
_SLOPE = 2 * np.cosh(_U)
_WEIGHT = _STEP * _SLOPE
_P = expit(LOGITS)
_LOG_P, _LOG_Q = log_expit(LOGITS), log_expit(-LOGITS)

# Half the nodes, which are enough for a sum at up to the largest n, as proportions between 0 and
# 1, with the weights of an integral over the proportion. (Splines need all of them.)
_EVERY_OTHER_P = _P[::2]
_EVERY_OTHER_WEIGHT = (2 * _WEIGHT * np.exp(_LOG_P + _LOG_Q))[::2]


@dataclass(frozen=True, eq=False, repr=False)
class ProportionDistribution:
    """Continuous distribution of a proportion, by the density of its logit at fixed nodes.

    Between nodes the density is a spline of degree 5. Impossible arguments raise a `ValueError`.

    Parameters
    ----------
    log_density : array_like of float, shape (nodes,)
        Natural logarithm of the density of the logit at `LOGITS`, up to a constant; -inf where
        it is zero. It is normalised on creation.

    Examples
    --------
    Posterior of a proportion after 5 events in 25 patients under a uniform prior:

    >>> posterior = ProportionDistribution.from_beta(1 + 5, 1 + 20)
    >>> print(f"{posterior.mean():.4f}, " + "{:.4f} to {:.4f}".format(*posterior.interval()))
    0.2222, 0.0897 to 0.3935
    """

    log_density: Floats

    def __post_init__(self) -> None:
        """Normalise."""
        values = np.array(self.log_density, dtype=float)
        if values.shape != LOGITS.shape or not -np.inf < values.max() < np.inf:
            raise ValueError(
                f"log_density must hold a number or -inf for each of the {LOGITS.size} nodes, and "
                "somewhere a number."
            )
        values -= logsumexp(values, b=_WEIGHT)
        values.flags.writeable = False
        object.__setattr__(self, "log_density", values)

    @classmethod
    def from_beta(cls, a: float, b: float) -> ProportionDistribution:
        """Beta distribution; `a` and `b` are each at least 1/2, together at most 10,002."""
        a = checks.number("a", a, 0.5)
        b = checks.number("b", b, 0.5)
        checks.number("a + b", a + b, high=LARGEST_N + 2)
        return cls(a * _LOG_P + b * _LOG_Q)

    @classmethod
    def mixture(
        cls, components: Sequence[ProportionDistribution], weights: Sequence[float]
    ) -> ProportionDistribution:
        """Mixture of distributions; the weights add to 1 (within 1e-6; they are rescaled)."""
        shares = np.array(checks.column("weights", weights, len(components)), dtype=float)
        if not (shares >= 0).all() or not abs(shares.sum() - 1) <= 1e-6:
            raise ValueError(f"weights must be at least 0 and add to 1, got {shares.tolist()}.")
        logs = np.array([component.log_density for component in components])[shares > 0]
        return cls(logsumexp(logs, axis=0, b=shares[shares > 0, None]))

    @property
    def weights(self) -> Floats:
        """Probabilities of the nodes, which add to 1, shape (nodes,)."""
        return np.exp(self.log_density) * _WEIGHT

    def pdf(self, proportion: ArrayLike) -> Floats:
        """Density of the proportion; at 0 and 1 that of the outermost node, beyond them 0."""
        at = np.asarray(proportion, dtype=float)
        u = _node_scale(at)
        x = 2 * np.sinh(u)
        per_logit = np.maximum(self._spline(u), 0.0) / (2 * np.cosh(u))
        # The derivative of the logit is 1 / (p (1 - p)).
        density = per_logit * np.exp(-log_expit(x) - log_expit(-x))
        return np.where((at >= 0) & (at <= 1), density, 0.0)[()]

    def cdf(self, proportion: ArrayLike) -> Floats:
        """Probability that the proportion is at most `proportion`."""
        return self._cdf_at(_node_scale(np.asarray(proportion, dtype=float)))[()]

    def ppf(self, probability: ArrayLike) -> Floats:
        """Quantile: the proportion below which lies `probability`, a number from 0 to 1."""
        wanted = np.asarray(probability, dtype=float)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise ValueError("probability must lie between 0 and 1.")
        low, high = np.full(wanted.shape, _U[0]), np.full(wanted.shape, _U[-1])
        # Each round halves the bracket, of width 8.2; after 50 it is 7e-15.
        for _ in range(50):
            middle = (low + high) / 2
            below = self._cdf_at(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        quantile = expit(2 * np.sinh((low + high) / 2))
        return np.where(wanted == 0, 0.0, np.where(wanted == 1, 1.0, quantile))[()]

    def mean(self) -> float:
        """Mean of the proportion."""
        return float(self.weights @ _P)

    def variance(self) -> float:
        """Variance of the proportion."""
        return float(self.weights @ (_P - self.mean()) ** 2)

    def median(self) -> float:
        """Median of the proportion."""
        return float(self.ppf(0.5))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed interval: quantiles that leave half of 1 - `level` on either side."""
        tail = (1 - checks.level(level)) / 2
        low, high = self.ppf([tail, 1 - tail])
        return float(low), float(high)

    def log_marginal_likelihood(self, events: int, n: int) -> float:
        """Log-probability of `events` of `n` patients (at most 10,000), averaged over this."""
        log_likelihood = _log_binomial(events, n)
        return float(logsumexp(self.log_density + log_likelihood, b=_WEIGHT))

    def updated(self, events: int, n: int) -> ProportionDistribution:
        """Posterior after `events` of `n` patients (at most 10,000), this being the prior."""
        return ProportionDistribution(self.log_density + _log_binomial(events, n))

    @cached_property
    def _spline(self) -> BSpline:
        """Density with respect to u."""
        return make_interp_spline(_U, np.exp(self.log_density) * _SLOPE, k=5)

    @cached_property
    def _antiderivative(self) -> BSpline:
        return self._spline.antiderivative()

    def _cdf_at(self, u: Floats) -> Floats:
        integral = self._antiderivative
        start, end = integral(_U[[0, -1]])
        return np.clip((integral(u) - start) / (end - start), 0.0, 1.0)


def difference_cdf(
    treatment: ProportionDistribution, control: ProportionDistribution, difference: float
) -> float:
    """Probability that one proportion minus another, independent one is at most `difference`."""
    width = 1 - abs(difference)
    if width <= 0:
        return float(difference > 0)
    # Nodes stretched over the controls for which the treatment's limit lies between 0 and 1:
    # both ends of that range are ends of the integrand, which has a kink there.
    shares = width * _EVERY_OTHER_P
    limit = treatment.cdf(shares + max(difference, 0))
    integrand = control.pdf(shares + max(-difference, 0)) * limit
    beyond = 1 - control.cdf(width) if difference > 0 else 0.0
    return float(width * _EVERY_OTHER_WEIGHT @ integrand + beyond)


def _node_scale(proportion: Floats) -> Floats:
    """Return the u of a proportion, kept within the nodes."""
    return np.clip(np.arcsinh(logit(np.clip(proportion, 0.0, 1.0)) / 2), _U[0], _U[-1])


def _log_binomial(events: int, n: int) -> Floats:
    """Log-probability of so many events at each node, which are close enough for the largest n."""
    n = checks.whole("n", n, 1, LARGEST_N)
    events = checks.whole("events", events, 0, n)
    log_choose = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    return log_choose + events * _LOG_P + (n - events) * _LOG_Q
