"""Survival curves, known or bounded by counts alone, and Cox regression on the arm alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logsumexp
from scipy.stats import chi2, norm

from rdmas.stats import checks
from rdmas.stats.logrank import logrank_p
from rdmas.stats.times import round_off, tied

# So far out on the logarithmic scale a likelihood that only rises has come to its limit.
_FAR = 600.0


def kaplan_meier(
    time: ArrayLike, died: ArrayLike, arm: ArrayLike, level: float = 0.95
) -> pd.DataFrame:
    """Estimate survival in each arm by the product-limit method.

    Parameters
    ----------
    time : array_like, shape (patients,)
        Follow-up time, at least 0.
    died : array_like of 0 or 1, shape (patients,)
        Whether follow-up ended in death.
    arm : array_like, shape (patients,)
        The arm of each patient.
    level : float, default 0.95
        Confidence level of the pointwise intervals.

    Returns
    -------
    pandas.DataFrame
        One row per arm and distinct time, time 0 included, with columns ``arm``, ``time``,
        ``survival`` (just after `time`), ``low`` and ``high`` (exponential Greenwood, that is
        on the log(-log) scale, R's ``conf.type="log-log"``; NaN where the scale has no value,
        which is before the first death and at survival 0), ``at_risk`` (just before `time`;
        lifelines tabulates it the same way but plots it at the end of a period) and
        ``deaths`` (at `time`).

    Raises
    ------
    ValueError
        If the arrays differ in length, a time is negative or not finite, died is not 0 or 1, or
        the level is not between 0 and 1.

    References
    ----------
    Kaplan EL, Meier P (1958). Nonparametric estimation from incomplete observations. Journal
    of the American Statistical Association 53:457-481.
    Kalbfleisch JD, Prentice RL (2002). The Statistical Analysis of Failure Time Data, 2nd ed.,
    section 1.4 (the log(-log) interval).

    Examples
    --------
    >>> curves = kaplan_meier([1, 2, 3], [1, 0, 1], ["a", "a", "a"])
    >>> curves[["time", "survival", "at_risk"]].round(3).values.tolist()
    [[0.0, 1.0, 3.0], [1.0, 0.667, 3.0], [2.0, 0.667, 2.0], [3.0, 0.0, 1.0]]
    """
    level = checks.level(level)
    time, died, arm = np.asarray(time, float), np.asarray(died), np.asarray(arm)
    if not len(time) == len(died) == len(arm):
        raise ValueError("time, died and arm must have one value for each patient")
    if not (np.isfinite(time).all() and (time >= 0).all()):
        raise ValueError("follow-up times must be finite and at least 0")
    if not np.isin(died, (0, 1)).all():
        raise ValueError("died must be 0 or 1")
    time = tied(time)
    curves = []
    for name in pd.unique(arm):
        members = arm == name
        fitted = KaplanMeierFitter(alpha=1 - level).fit(time[members], died[members] == 1)
        table = fitted.event_table
        estimate = fitted.survival_function_.iloc[:, 0]
        # lifelines gives [1, 1] and [0, 0] where the variance on the scale is not defined.
        defined = (estimate > 0) & (table["observed"].cumsum() > 0)
        interval = fitted.confidence_interval_survival_function_.where(defined)
        curves.append(
            pd.DataFrame(
                {
                    "arm": name,
                    "time": table.index.to_numpy(float),
                    "survival": estimate.to_numpy(),
                    "low": interval.iloc[:, 0].to_numpy(),
                    "high": interval.iloc[:, 1].to_numpy(),
                    "at_risk": table["at_risk"].to_numpy(int),
                    "deaths": table["observed"].to_numpy(int),
                }
            )
        )
    return pd.concat(curves, ignore_index=True)


def at_risk(curves: pd.DataFrame, times: ArrayLike) -> pd.DataFrame:
    """Count the patients at risk just before given times.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `kaplan_meier`.
    times : array_like
        Times to report. A patient whose follow-up ends at a time is still at risk there.

    Returns
    -------
    pandas.DataFrame
        Columns ``arm``, ``time``, ``at_risk``.

    Examples
    --------
    >>> curves = kaplan_meier([1, 2, 3], [1, 0, 1], ["a", "a", "a"])
    >>> at_risk(curves, [0, 2, 2.5])["at_risk"].tolist()
    [3, 2, 1]
    """
    slack = float(round_off(np.sort(curves["time"].to_numpy(float))).item())
    rows = [
        (arm, time, curve["at_risk"].where(curve["time"] >= time - slack, 0).max())
        for arm, curve in curves.groupby("arm", sort=False)
        for time in np.asarray(times)
    ]
    return pd.DataFrame(rows, columns=["arm", "time", "at_risk"])


def order_envelope(deaths_a: int, n_a: int, deaths_b: int, n_b: int) -> pd.DataFrame:
    """Bound the survival curves by all orders in which given numbers of deaths can happen.

    Deaths are placed one by one, without ties, and every survivor is followed beyond the last
    one. After `k` deaths in all, arm a had at least the `k` less those of arm b and at most `k`.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.

    Returns
    -------
    pandas.DataFrame
        One row per arm and place in the order, 0 (nobody has died) included, with columns
        ``arm`` ("a" or "b"), ``place``, ``low`` and ``high``: the lowest and the highest share
        surviving just after that place. Both are attained, and so is every count between; at
        the last place they are equal.

    Raises
    ------
    ValueError
        If the counts are not those of two arms.

    Examples
    --------
    >>> order_envelope(1, 2, 2, 4).query("arm == 'b'")[["place", "low", "high"]].values.tolist()
    [[0.0, 1.0, 1.0], [1.0, 0.75, 1.0], [2.0, 0.5, 0.75], [3.0, 0.5, 0.5]]
    """
    table = checks.table(deaths_a, n_a, deaths_b, n_b)
    place = np.arange(table.events_a + table.events_b + 1)
    arms = [
        pd.DataFrame(
            {
                "arm": arm,
                "place": place,
                "low": 1 - np.minimum(place, deaths) / n,
                "high": 1 - np.maximum(place - others, 0) / n,
            }
        )
        for arm, deaths, n, others in (
            ("a", *table[:2], table.events_b),
            ("b", *table[2:], table.events_a),
        )
    ]
    return pd.concat(arms, ignore_index=True)


def deaths_until(time: ArrayLike, died: ArrayLike) -> NDArray[np.int64]:
    """Count the deaths, of anybody, up to the end of each patient's follow-up.

    Used as times, the counts put survival on the scale of `order_envelope`.

    Parameters
    ----------
    time : array_like, shape (patients,)
        Time of death or end of follow-up.
    died : array_like of 0 or 1, shape (patients,)
        Whether `time` is a death.

    Returns
    -------
    numpy.ndarray of int, shape (patients,)

    Examples
    --------
    >>> deaths_until([30, 10, 20, 40], [1, 1, 0, 0]).tolist()
    [2, 1, 1, 2]
    """
    ends = tied(time)
    return np.searchsorted(np.sort(ends[np.asarray(died) == 1]), ends, side="right")


def cox_p_values(time: ArrayLike, died: ArrayLike, arm: ArrayLike) -> pd.DataFrame:
    """Compute the three P-values of a Cox regression on the arm alone.

    They agree in large samples; with hardly an event in one arm they differ several-fold, and
    none of them should be shown alone. Ties are handled by Efron's approximation. The score test
    is the slope of the partial likelihood at no effect: without tied deaths it is the log-rank
    test, with ties its variance differs slightly from the hypergeometric one.

    Parameters
    ----------
    time : array_like, shape (patients,)
        Time of death or end of follow-up.
    died : array_like of 0 or 1, shape (patients,)
        Whether `time` is a death.
    arm : array_like of 0 or 1, shape (patients,)
        The arm.

    Returns
    -------
    pandas.DataFrame
        Columns ``test`` ("Wald", "score", "likelihood ratio") and ``p_value``. Wald and
        likelihood ratio are NaN where the estimated hazard ratio is 0 or infinite, for instance
        because nobody died in one arm; all three where no death left a choice of arm.

    Raises
    ------
    ValueError
        If the arrays are not three of the same length, or hold anything but finite times and
        0 or 1.

    References
    ----------
    Cox DR (1972). Regression models and life-tables. Journal of the Royal Statistical Society B
    34:187-220.
    Efron B (1977). The efficiency of Cox's likelihood function for censored data. Journal of
    the American Statistical Association 72:557-565.

    Examples
    --------
    >>> time, arm = [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 0, 0, 0]
    >>> cox_p_values(time, [1, 1, 1, 1, 1, 1, 0, 0], arm).round(4)
                   test  p_value
    0              Wald   0.0888
    1             score   0.0510
    2  likelihood ratio   0.0521
    """
    likelihood = _partial_likelihood(time, died, arm)
    estimate, information = likelihood.estimate, likelihood.information(0.0)
    score = likelihood_ratio = wald = np.nan
    if information:
        score = chi2.sf(likelihood.slope(0.0) ** 2 / information, 1)
    if math.isfinite(estimate):
        likelihood_ratio = chi2.sf(likelihood.drop(0.0), 1)
        wald = chi2.sf(estimate**2 * likelihood.information(estimate), 1)
    return pd.DataFrame(
        {
            "test": ["Wald", "score", "likelihood ratio"],
            "p_value": np.array([wald, score, likelihood_ratio], float),
        }
    )


class HazardRatio(NamedTuple):
    """A hazard ratio with two intervals.

    Attributes
    ----------
    estimate : float
        Where the partial likelihood is highest; 0 or infinite if it rises without end.
    wald_low, wald_high : float
        From the estimate and its standard error on the logarithmic scale; NaN where the estimate
        is 0 or infinite.
    profile_low, profile_high : float
        The ends of what the likelihood ratio test does not reject; 0 or infinite on a side where
        the data set no bound.
    """

    estimate: float
    wald_low: float
    wald_high: float
    profile_low: float
    profile_high: float


def hazard_ratio(
    time: ArrayLike, died: ArrayLike, arm: ArrayLike, level: float = 0.95
) -> HazardRatio:
    """Estimate the hazard of arm 1 over that of arm 0 by Cox regression on the arm alone.

    Parameters
    ----------
    time, died, arm
        As in `cox_p_values`, with the same convention for ties.
    level : float, default 0.95
        Confidence level of both intervals.

    Returns
    -------
    HazardRatio
        The estimate is NaN, and nothing is excluded, where no death left a choice of arm.

    Raises
    ------
    ValueError
        As `cox_p_values`, and if the level is not between 0 and 1.

    References
    ----------
    Venzon DJ, Moolgavkar SH (1988). A method for computing profile-likelihood-based confidence
    intervals. Applied Statistics 37:87-94.

    Examples
    --------
    >>> time, arm = [1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 0, 0, 0]
    >>> found = hazard_ratio(time, [1, 1, 1, 1, 1, 1, 0, 0], arm)
    >>> [round(value, 2) for value in found]
    [6.85, 0.75, 62.94, 0.98, 135.91]
    """
    alpha = 1 - checks.level(level)
    likelihood = _partial_likelihood(time, died, arm)
    best = likelihood.estimate
    wald, profile = (math.nan, math.nan), (-math.inf, math.inf)
    if math.isfinite(best):
        spread = norm.isf(alpha / 2) / math.sqrt(likelihood.information(best))
        wald = best - spread, best + spread
    if not math.isnan(best):
        profile = likelihood.limits(chi2.isf(alpha, 1))
    return HazardRatio(*(float(value) for value in np.exp([best, *wald, *profile])))


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
