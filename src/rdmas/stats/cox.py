"""Cox regression on the arm alone: the hazard ratio, its intervals and its three P-values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logsumexp
from scipy.stats import chi2, norm

from rdmas.stats import checks
from rdmas.stats.logrank import logrank_p
from rdmas.stats.times import tied

__all__ = ["HazardRatio", "NotEstimable", "hazard_ratio"]

# So far out on the logarithmic scale a likelihood that only rises has come to its limit.
_FAR = 600.0


class NotEstimable(StrEnum):
    """Why there is no finite hazard ratio above 0."""

    ONE_ARM = "everybody is in one arm"
    NO_DEATHS = "nobody died"
    NO_DEATHS_IN_0 = "nobody died in arm 0"
    NO_DEATHS_IN_1 = "nobody died in arm 1"
    NO_CHOICE = "at every death only one arm was at risk"
    ALWAYS_ONE_ARM = "while both arms were at risk, those who died were all of one arm"


class HazardRatio(NamedTuple):
    """A hazard ratio with two intervals and three P-values.

    The P-values agree in large samples; with hardly an event in one arm they differ several-fold,
    and none of them should be shown alone.

    Attributes
    ----------
    estimate : float
        Where the partial likelihood is highest; 0 or infinite if it rises without end; NaN if it
        is flat.
    wald_low, wald_high : float
        From the estimate and its standard error on the logarithmic scale; NaN where the estimate
        is 0, infinite or NaN.
    profile_low, profile_high : float
        The ends of what the likelihood ratio test does not reject; 0 or infinite on a side where
        the data set no bound.
    p_wald, p_score, p_likelihood_ratio : float
        P of no effect. Wald and likelihood ratio are NaN without a finite estimate above 0; all
        three where no death left a choice of arm. The score test is the slope of the partial
        likelihood at no effect: without tied deaths it is the log-rank test, with ties its
        variance differs slightly from the hypergeometric one.
    reason : NotEstimable or None
        Why there is no finite estimate above 0; None if there is one.
    """

    estimate: float
    wald_low: float
    wald_high: float
    profile_low: float
    profile_high: float
    p_wald: float
    p_score: float
    p_likelihood_ratio: float
    reason: NotEstimable | None


def hazard_ratio(
    time: ArrayLike, died: ArrayLike, arm: ArrayLike, level: float = 0.95
) -> HazardRatio:
    """Estimate the hazard of arm 1 over that of arm 0 by Cox regression on the arm alone.

    Ties are handled by Efron's approximation. lifelines has the regression too, but neither the
    profile nor an answer where the likelihood only rises.

    Parameters
    ----------
    time : array_like, shape (patients,)
        Time of death or end of follow-up.
    died : array_like of 0 or 1, shape (patients,)
        Whether `time` is a death.
    arm : array_like of 0 or 1, shape (patients,)
        The arm: 1 for treatment, if the ratio is to be that of treatment.
    level : float, default 0.95
        Confidence level of both intervals.

    Returns
    -------
    HazardRatio
        The estimate is NaN, and nothing is excluded, where no death left a choice of arm.

    Raises
    ------
    ValueError
        If the arrays are not three of the same length, or hold anything but finite times and
        0 or 1, or if the level is not between 0 and 1.

    References
    ----------
    Cox DR (1972). Regression models and life-tables. Journal of the Royal Statistical Society B
    34:187-220.

    Efron B (1977). The efficiency of Cox's likelihood function for censored data. Journal of
    the American Statistical Association 72:557-565.

    Venzon DJ, Moolgavkar SH (1988). A method for computing profile-likelihood-based confidence
    intervals. Applied Statistics 37:87-94.

    Examples
    --------
    >>> time, arm = [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 0, 0, 0]
    >>> found = hazard_ratio(time, [1, 1, 1, 1, 1, 1, 0, 0], arm)
    >>> [round(value, 2) for value in found[:5]]
    [6.85, 0.75, 62.94, 0.98, 135.91]
    >>> [round(value, 4) for value in (found.p_wald, found.p_score, found.p_likelihood_ratio)]
    [0.0888, 0.051, 0.0521]
    >>> str(hazard_ratio(time, [1, 1, 0, 1, 1, 0, 0, 0], arm).reason)
    'nobody died in arm 0'
    """
    alpha = 1 - checks.level(level)
    likelihood = _partial_likelihood(time, died, arm)
    best, information = likelihood.estimate, likelihood.information(0.0)
    wald, profile = (math.nan, math.nan), (-math.inf, math.inf)
    p_wald = p_score = p_likelihood_ratio = math.nan
    if information:
        p_score = chi2.sf(likelihood.slope(0.0) ** 2 / information, 1)
    if math.isfinite(best):
        error = 1 / math.sqrt(likelihood.information(best))
        spread = norm.isf(alpha / 2) * error
        wald = best - spread, best + spread
        p_wald, p_likelihood_ratio = chi2.sf([(best / error) ** 2, likelihood.drop(0.0)], 1)
    if not math.isnan(best):
        profile = likelihood.limits(chi2.isf(alpha, 1))
    estimate, *limits = np.exp([best, *wald, *profile]).tolist()
    return HazardRatio(
        estimate,
        wald_low=limits[0],
        wald_high=limits[1],
        profile_low=limits[2],
        profile_high=limits[3],
        p_wald=float(p_wald),
        p_score=float(p_score),
        p_likelihood_ratio=float(p_likelihood_ratio),
        reason=None if math.isfinite(best) else _reason(best, np.asarray(died), np.asarray(arm)),
    )


def _reason(log_ratio: float, died: NDArray, arm: NDArray) -> NotEstimable:
    """Say why an estimate is not finite."""
    died_in = [bool((died[arm == which] == 1).any()) for which in (0, 1)]
    if np.unique(arm).size < 2:
        return NotEstimable.ONE_ARM
    if not any(died_in):
        return NotEstimable.NO_DEATHS
    if math.isnan(log_ratio):
        return NotEstimable.NO_CHOICE
    if not all(died_in):
        return NotEstimable.NO_DEATHS_IN_1 if died_in[0] else NotEstimable.NO_DEATHS_IN_0
    return NotEstimable.ALWAYS_ONE_ARM


@dataclass(frozen=True, eq=False)
class _PartialLikelihood:
    """Cox's partial likelihood of the logarithm of the hazard ratio, arm 1 over arm 0.

    `deaths` are those of arm 1, and `at_risk` has for each death of either arm the weight at risk
    in arms 0 and 1.
    """

    deaths: float
    at_risk: NDArray[np.float64]

    def value(self, log_ratio: float) -> float:
        with np.errstate(divide="ignore"):
            terms = logsumexp(np.log(self.at_risk) + np.array([0, log_ratio]), axis=1)
        return float(log_ratio * self.deaths - terms.sum())

    def shares(self, log_ratio: float) -> NDArray[np.float64]:
        """Share of arm 1 in the hazard at each death."""
        with np.errstate(divide="ignore"):
            return expit(log_ratio + np.log(self.at_risk[:, 1]) - np.log(self.at_risk[:, 0]))

    def slope(self, log_ratio: float) -> float:
        return float(self.deaths - self.shares(log_ratio).sum())

    def information(self, log_ratio: float) -> float:
        shares = self.shares(log_ratio)
        return float((shares * (1 - shares)).sum())

    @cached_property
    def estimate(self) -> float:
        """Where the likelihood is highest: infinite if it only rises, NaN if it is flat."""
        # The slope falls from `deaths` less the terms where only arm 1 is at risk, to `deaths`
        # less those where arm 1 is at risk at all.
        first = self.deaths - (self.at_risk[:, 0] == 0).sum()
        last = self.deaths - (self.at_risk[:, 1] > 0).sum()
        if first > 0 > last:
            return _root(self.slope, 0.0, math.copysign(1.0, self.slope(0.0)))
        return math.nan if first == last else math.copysign(math.inf, first + last)

    def drop(self, log_ratio: float) -> float:
        """Twice the distance from the highest value."""
        return 2 * (self.value(self._top) - self.value(log_ratio))

    def limits(self, critical: float) -> tuple[float, float]:
        """Ends of the stretch in which the likelihood drops by no more than a critical value."""

        def within(log_ratio: float) -> float:
            return critical - self.drop(log_ratio)

        return (
            _root(within, self._top, -1.0) if self.estimate > -math.inf else -math.inf,
            _root(within, self._top, 1.0) if self.estimate < math.inf else math.inf,
        )

    @property
    def _top(self) -> float:
        return min(max(self.estimate, -_FAR), _FAR)


def _root(function: Callable[[float], float], start: float, step: float) -> float:
    """Find the zero between a start and the first of ever larger steps beyond it."""
    while function(start) * function(start + step) > 0:
        step *= 2
    return float(brentq(function, start, start + step, xtol=1e-14))


def _partial_likelihood(time: ArrayLike, died: ArrayLike, arm: ArrayLike) -> _PartialLikelihood:
    """Check patients and reduce them to the terms of the partial likelihood."""
    if np.ndim(time) != 1 or np.ndim(died) != 1 or np.ndim(arm) != 1:
        raise ValueError("time, died and arm must be one-dimensional.")
    logrank_p(time, died, arm)  # refuses what is not three matching arrays of numbers
    terms = _efron_terms(tied(time), np.asarray(died, float), np.asarray(arm, float))
    return _PartialLikelihood(*terms)


def _efron_terms(
    time: NDArray[np.float64], died: NDArray[np.float64], arm: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return deaths of arm 1, and for each death of either the weight at risk in arms 0 and 1."""
    terms = []
    for moment in np.unique(time[died == 1]):
        here = (time == moment) & (died == 1)
        dying = np.array([(here & (arm == k)).sum() for k in (0, 1)])
        later = np.array([((time >= moment) & (arm == k)).sum() for k in (0, 1)])
        # The l-th of d tied deaths happens when the tied patients are at risk by 1 - l/d each.
        terms += [later - dying * gone / dying.sum() for gone in range(dying.sum())]
    return float(died @ arm), np.reshape(terms, (-1, 2))
