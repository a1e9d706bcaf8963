"""Survival curves, known or bounded by counts alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from numpy.typing import ArrayLike, NDArray

from rdmas.stats import checks
from rdmas.stats.times import round_off, tied


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
    if not len(time):
        raise ValueError("there must be at least one patient")
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
