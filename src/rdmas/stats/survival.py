"""Kaplan-Meier curves as tidy frames, computed by lifelines."""

from __future__ import annotations

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter


def kaplan_meier(
    time: np.ndarray, died: np.ndarray, arm: np.ndarray, level: float = 0.95
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
        on the log(-log) scale, R's ``conf.type="log-log"``), ``at_risk`` (just before `time`;
        lifelines tabulates it the same way but plots it at the end of a period) and
        ``deaths`` (at `time`).

    Raises
    ------
    ValueError
        If the arrays differ in length, a time is negative or not finite, or died is not 0
        or 1.

    Examples
    --------
    >>> curves = kaplan_meier([1, 2, 3], [1, 0, 1], ["a", "a", "a"])
    >>> curves[["time", "survival", "at_risk"]].round(3).values.tolist()
    [[0.0, 1.0, 3.0], [1.0, 0.667, 3.0], [2.0, 0.667, 2.0], [3.0, 0.0, 1.0]]

    References
    ----------
    Kaplan EL, Meier P (1958). Nonparametric estimation from incomplete observations. Journal
    of the American Statistical Association 53:457-481.
    Kalbfleisch JD, Prentice RL (2002). The Statistical Analysis of Failure Time Data, 2nd ed.,
    section 1.4 (the log(-log) interval).
    """
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
        interval = fitted.confidence_interval_survival_function_
        curves.append(
            pd.DataFrame(
                {
                    "arm": name,
                    "time": table.index.to_numpy(float),
                    "survival": fitted.survival_function_.iloc[:, 0].to_numpy(),
                    "low": interval.iloc[:, 0].to_numpy(),
                    "high": interval.iloc[:, 1].to_numpy(),
                    "at_risk": table["at_risk"].to_numpy(int),
                    "deaths": table["observed"].to_numpy(int),
                }
            )
        )
    return pd.concat(curves, ignore_index=True)


def at_risk(curves: pd.DataFrame, times: np.ndarray) -> pd.DataFrame:
    """Count the patients at risk just before given times.

    Parameters
    ----------
    curves : pandas.DataFrame
        From `kaplan_meier`.
    times : array_like
        Times to report.

    Returns
    -------
    pandas.DataFrame
        Columns ``arm``, ``time``, ``at_risk``. A patient whose follow-up ends at a time is
        still at risk there.

    Examples
    --------
    >>> curves = kaplan_meier([1, 2, 3], [1, 0, 1], ["a", "a", "a"])
    >>> at_risk(curves, [0, 2, 2.5])["at_risk"].tolist()
    [3, 2, 1]
    """
    rows = []
    for name, curve in curves.groupby("arm", sort=False):
        known = curve["time"].to_numpy()
        for time in times:
            later = np.searchsorted(known, time, side="left")
            number = int(curve["at_risk"].iloc[later]) if later < len(known) else 0
            rows.append({"arm": name, "time": time, "at_risk": number})
    return pd.DataFrame(rows)
