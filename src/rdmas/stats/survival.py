"""Survival curves, known or bounded by counts alone, and the tests of a Cox regression."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from rdmas.stats import checks
from rdmas.stats.logrank import logrank_p

# By default lifelines stops its search with some four digits of the Wald P right.
_CONVERGED = {"precision": 1e-15, "r_precision": 1e-16}


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
    rows = [
        (arm, time, curve["at_risk"].where(curve["time"] >= time, 0).max())
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
    ends = np.asarray(time, float)
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
    if np.ndim(time) != 1 or np.ndim(died) != 1 or np.ndim(arm) != 1:
        raise ValueError("time, died and arm must be one-dimensional.")
    logrank_p(time, died, arm)  # refuses what is not three matching arrays of numbers
    time = np.asarray(time, float)
    died, arm = np.asarray(died, float), np.asarray(arm, float)
    deaths, at_risk = _efron_terms(time, died, arm)
    share = at_risk[:, 1] / at_risk.sum(axis=1)
    information = (share * (1 - share)).sum()
    score = chi2.sf((deaths - share.sum()) ** 2 / information, 1) if information else np.nan
    wald = likelihood_ratio = np.nan
    # The score falls from `deaths` less the terms where only arm 1 is at risk, to `deaths` less
    # those where arm 1 is at risk at all; the estimate is finite if it crosses 0 in between.
    if (at_risk[:, 0] == 0).sum() < deaths < (at_risk[:, 1] > 0).sum():
        data = pd.DataFrame({"time": time, "died": died, "arm": arm})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lifelines warns of the low variance at a boundary
            fitted = CoxPHFitter().fit(data, "time", "died", fit_options=_CONVERGED)
            likelihood_ratio = fitted.log_likelihood_ratio_test().p_value
        wald = fitted.summary.loc["arm", "p"]
    return pd.DataFrame(
        {
            "test": ["Wald", "score", "likelihood ratio"],
            "p_value": np.array([wald, score, likelihood_ratio], float),
        }
    )


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
