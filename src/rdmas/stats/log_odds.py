"""Posterior of the log odds ratio under normal priors, from events and patients alone.

Arm a is compared with arm b; the counts are two independent binomials. The log odds ratio has a
normal prior; so has, independently, the mean of the log odds in both arms: with mean 0 and standard
deviation 2.5, which puts 95% between probabilities of 0.7% and 99.3%. Exchanging the arms thus
inverts the odds ratio and changes nothing else, and every table has a proper posterior, also with
empty cells. Everything is computed by quadrature; nothing is simulated.
"""

from __future__ import annotations

from math import exp, inf, log, sqrt

import numpy as np
import pandas as pd
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, log_expit
from scipy.stats import norm

from rdmas.stats import checks
from rdmas.stats.checks import Table

__all__ = ["logistic_posterior", "prior_family", "prior_interval"]

Vector = NDArray[np.float64]

#: Largest standard deviation of a prior of the log odds ratio. It already is flat for any purpose,
#: and much wider ones would need other quadrature in tables with empty cells.
WIDEST = 10.0

# Standard deviation of the prior of the mean of the log odds in both arms.
_BASELINE_SD = 2.5

# Rows: arms; columns: coefficients of the log odds ratio and that mean in the arm's log odds.
_DESIGN = np.array([[0.5, 1.0], [-0.5, 1.0]])


def logistic_posterior(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    prior_mean: float,
    prior_sd: float,
    level: float = 0.95,
) -> pd.DataFrame:
    """Posterior of the odds ratio under one normal prior of its logarithm.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    prior_mean, prior_sd : float
        Prior mean and standard deviation (at most 10) of the log odds ratio.
    level : float, default 0.95
        Posterior probability of the equal-tailed interval.

    Returns
    -------
    pandas.DataFrame
        One row with the columns ``prior_mean``, ``prior_sd``, ``odds_ratio`` (posterior
        median), ``low``, ``high`` and ``probability_above_1``.

    Raises
    ------
    ValueError
        If an argument is impossible.

    Examples
    --------
    >>> posterior = logistic_posterior(7, 34, 1, 34, prior_mean=0, prior_sd=1)
    >>> posterior[["odds_ratio", "low", "high", "probability_above_1"]].round(3)
       odds_ratio    low   high  probability_above_1
    0       3.136  0.929  11.76                0.967
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    half = checks.level(level) / 2
    prior = checks.number("prior_mean", prior_mean), _checked_width("prior_sd", prior_sd)
    posterior = LogOddsRatio(table, *prior)
    odds_ratios = [_exp(posterior.quantile(p)) for p in (0.5, 0.5 - half, 0.5 + half)]
    columns = ["prior_mean", "prior_sd", "odds_ratio", "low", "high", "probability_above_1"]
    return pd.DataFrame([(*prior, *odds_ratios, 1 - posterior.cdf(0.0))], columns=columns)


def prior_family(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    benefit_odds_ratio: float,
    tail: float = 0.05,
    neutral_sd: float = 2.5,
    level: float = 0.95,
) -> pd.DataFrame:
    """Posterior of the odds ratio under a sceptical, a neutral and an enthusiastic prior.

    A benefit is declared beforehand, as for a sample size. The sceptical prior is centred at no
    effect and leaves the probability `tail` to effects beyond that benefit; the enthusiastic one
    is centred at the benefit and leaves `tail` to none or harm; the neutral one is centred at no
    effect and wide: with a standard deviation of 2.5, 95% of the odds ratio are 1/134 to 134.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    benefit_odds_ratio : float
        Declared odds ratio, a against b: below 1 for an undesirable event (0.5 for death), above
        1 for a desirable one (2 for survival).
    tail : float, default 0.05
        Prior probability in the tail that defines the priors, strictly between 0 and 0.5.
    neutral_sd : float, default 2.5
        Standard deviation of the neutral prior, at most 10.
    level : float, default 0.95
        Posterior probability of the equal-tailed interval.

    Returns
    -------
    pandas.DataFrame
        Three rows with the columns ``prior``, ``prior_mean``, ``prior_sd``, ``odds_ratio``
        (posterior median), ``low``, ``high`` and ``probability_benefit`` (that the odds ratio is
        on the side of 1 where the declared benefit is).

    Raises
    ------
    ValueError
        If an argument is impossible.

    References
    ----------
    Spiegelhalter DJ, Freedman LS, Parmar MKB (1994). Bayesian approaches to randomized trials.
    Journal of the Royal Statistical Society, Series A 157:357-416.

    Fayers PM, Ashby D, Parmar MKB (1997). Tutorial in biostatistics: Bayesian data monitoring
    in clinical trials. Statistics in Medicine 16:1413-1430.

    Examples
    --------
    Death in the GREAT trial (13 of 163 against 23 of 148) with a declared odds ratio of 0.5:

    >>> family = prior_family(13, 163, 23, 148, benefit_odds_ratio=0.5)
    >>> family.drop(columns=["prior_mean", "prior_sd"]).round(3)
              prior  odds_ratio    low   high  probability_benefit
    0     sceptical       0.648  0.378  1.104                0.945
    1       neutral       0.475  0.228  0.958                0.981
    2  enthusiastic       0.483  0.279  0.826                0.996
    """
    benefit = log(checks.number("benefit_odds_ratio", benefit_odds_ratio, 0, ends="(]"))
    if benefit == 0:
        raise ValueError("benefit_odds_ratio must differ from 1, which is no benefit.")
    spread = abs(benefit) / float(norm.isf(checks.number("tail", tail, 0, 0.5, "()")))
    neutral_sd = _checked_width("neutral_sd", neutral_sd)
    normal = {
        "sceptical": (0.0, spread),
        "neutral": (0.0, neutral_sd),
        "enthusiastic": (benefit, spread),
    }
    frame = pd.concat(
        [
            logistic_posterior(events_a, n_a, events_b, n_b, *prior, level)
            for prior in normal.values()
        ],
        ignore_index=True,
    )
    above = frame.pop("probability_above_1")
    frame["probability_benefit"] = above if benefit > 0 else 1 - above
    frame.insert(0, "prior", list(normal))
    return frame


def prior_interval(prior_mean: float, prior_sd: float, level: float = 0.95) -> tuple[float, float]:
    """Central interval of the odds ratio under a normal prior of its logarithm.

    The standard deviation may be infinite; impossible arguments raise a ValueError.

    Examples
    --------
    >>> print("{:.3f} to {:.3f}".format(*prior_interval(0, 0.4214, 0.9)))
    0.500 to 2.000
    """
    prior_mean = checks.number("prior_mean", prior_mean)
    if prior_sd != inf:
        prior_sd = checks.number("prior_sd", prior_sd, 0, ends="(]")
    reach = critical_z(checks.level(level)) * prior_sd
    return _exp(prior_mean - reach), _exp(prior_mean + reach)


class LogOddsRatio:
    """Posterior of the log odds ratio t with binomial likelihood and normal priors.

    The log odds are m + t/2 in arm a and m - t/2 in arm b. The joint log density of (t, m) is
    concave, so that a box on whose edges it is low holds all that matters; m is integrated out
    by the trapezoidal rule, which converges exponentially for an analytic density that vanishes
    at both ends, and the density of t becomes a Chebyshev polynomial that is integrated exactly.
    """

    def __init__(self, table: Table, prior_mean: float, prior_sd: float) -> None:
        """Integrate the posterior density once, for all values to come."""
        self.events, self.sizes = np.array(table[::2]), np.array(table[1::2])
        self.means = np.array([prior_mean, 0.0])
        self.sds = np.array([prior_sd, _BASELINE_SD])
        self.peak, low, high = self._box()
        self.low, self.high = low[0], high[0]
        # Nowhere is the density of m given t more peaked than a normal one of this precision.
        precision = self.sizes.sum() / 4 + 1 / _BASELINE_SD**2
        nodes = int(np.ceil((high[1] - low[1]) * 2 * sqrt(precision))) + 1
        integral = self._density(np.linspace(low[1], high[1], nodes)).integ(lbnd=self.low)
        self.distribution = integral / integral(self.high)

    def cdf(self, x: float) -> float:
        """P(log odds ratio <= x)."""
        return min(max(float(self.distribution(min(max(x, self.low), self.high))), 0.0), 1.0)

    def quantile(self, probability: float) -> float:
        """The x at which the distribution function is `probability`."""
        return float(
            brentq(lambda x: self.distribution(x) - probability, self.low, self.high, xtol=1e-13)
        )

    def _log_density(self, t: Vector, m: Vector) -> Vector:
        """Log density of t and m, up to a constant."""
        total = -(((t - self.means[0]) / self.sds[0]) ** 2) / 2
        total = total - (((m - self.means[1]) / self.sds[1]) ** 2) / 2
        for events, n, (share, _) in zip(self.events, self.sizes, _DESIGN, strict=True):
            # Each log probability on its own: no cancellation of large terms far out.
            x = m + share * t
            total = total + events * log_expit(x) + (n - events) * log_expit(-x)
        return total

    def _box(self) -> tuple[float, Vector, Vector]:
        """Peak of the log density, and limits of t and m beyond which it is negligible."""

        def slope(point: Vector) -> Vector:
            residual = self.events - self.sizes * expit(_DESIGN @ point)
            return (point - self.means) / self.sds**2 - _DESIGN.T @ residual

        def curvature(point: Vector) -> Vector:
            p = expit(_DESIGN @ point)
            information = _DESIGN.T @ np.diag(self.sizes * p * (1 - p)) @ _DESIGN
            return np.diag(1 / self.sds**2) + information

        found = minimize(
            lambda point: -float(self._log_density(*point)),
            self.means,
            jac=slope,
            hess=curvature,
            method="trust-exact",
        )
        # For a normal density nine standard deviations are a drop of 40, to 4e-18; else grow.
        reach = 9 * np.sqrt(np.diag(np.linalg.inv(curvature(found.x))))
        low, high = found.x - reach, found.x + reach
        grown = True
        while grown:
            grown = False
            t, m = np.linspace(low, high, 201).T
            for limits, axis, edge in (
                (low, 0, self._log_density(low[0], m)),
                (high, 0, self._log_density(high[0], m)),
                (low, 1, self._log_density(t, low[1])),
                (high, 1, self._log_density(t, high[1])),
            ):
                if edge.max() > -found.fun - 40:
                    limits[axis] += np.copysign(reach[axis] / 2, limits[axis] - found.x[axis])
                    grown = True
        return -found.fun, low, high

    def _density(self, baselines: Vector) -> Chebyshev:
        """Density of t, up to a factor, as a polynomial."""

        def marginal(t: Vector) -> Vector:
            # In blocks of some megabytes, because wide priors need many nodes both ways.
            blocks = np.array_split(t[:, None], 1 + t.size * baselines.size // 2**20)
            logs = (self._log_density(block, baselines) for block in blocks)
            return np.concatenate([np.exp(values - self.peak).sum(axis=1) for values in logs])

        for degree in 2 ** np.arange(6, 13):
            density = Chebyshev.interpolate(marginal, degree, domain=[self.low, self.high])
            size = np.abs(density.coef)
            # Taken as exact once the last coefficients are negligible.
            if size[-4:].max() <= 1e-12 * size.max():
                return density
        raise ValueError(
            "The prior is too wide for counts as large as these and an empty cell: use a smaller"
            " prior_sd."
        )


def _checked_width(name: str, sd: float) -> float:
    """Check the standard deviation of a prior of the log odds ratio."""
    return checks.number(name, sd, 0, WIDEST, "(]")


def critical_z(level: float) -> float:
    """Normal quantile of an interval: 1.96 for 95%."""
    return float(norm.isf((1 - level) / 2))


def _exp(x: float) -> float:
    """Exponential that becomes infinite where floating point ends."""
    return exp(x) if x < 700 else inf
