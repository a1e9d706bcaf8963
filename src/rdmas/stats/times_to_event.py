"""What follow-up times say of each arm: medians, survival at stated times, restricted means.

Curves are those of `rdmas.stats.survival.kaplan_meier`, with pointwise intervals on the log(-log)
scale. A limit that the data do not reach is infinite; one that the method does not define is NaN.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from rdmas.stats import checks
from rdmas.stats.survival import at_risk, kaplan_meier
from rdmas.stats.times import round_off

__all__ = [
    "RestrictedMeans",
    "median_followup",
    "median_survival",
    "restricted_means",
    "survival_at",
]

# Survival is a product of fractions: so close to one half it is one half (as in R's survival).
_HALF = 0.5 + 1e-9


def median_survival(
    time: ArrayLike, died: ArrayLike, arm: ArrayLike, level: float = 0.95
) -> pd.DataFrame:
    """Estimate the median survival time of each arm, with Brookmeyer and Crowley's interval.

    The median is the time at which the Kaplan-Meier curve comes to one half or below it. If it is
    exactly one half for a while, the middle of that while, so that without censoring the median is
    that of the times themselves (R's ``survfit`` and SAS do so too; lifelines takes the
    beginning). The limits are the times at which the limits of the curve, on the log(-log) scale
    (R's ``conf.type="log-log"``, SAS's default), come to one half.

    Parameters
    ----------
    time, died, arm, level
        As for `rdmas.stats.survival.kaplan_meier`.

    Returns
    -------
    pandas.DataFrame
        One row per arm: ``arm``, ``n`` (patients), ``events`` (deaths), ``median``, ``low`` and
        ``high``. Infinite where the curve, or its limit, stays above one half as far as anybody
        was followed. Limits are NaN where the interval of the curve is nowhere defined (nobody
        died, or all at one time), and the lower one also where the curve falls to 0 before its
        limit is below one half.

    Raises
    ------
    ValueError
        As `rdmas.stats.survival.kaplan_meier`.

    References
    ----------
    Brookmeyer R, Crowley J (1982). A confidence interval for the median survival time.
    Biometrics 38:29-41.

    Examples
    --------
    >>> median_survival([6, 7, 10, 15, 19, 25], [1, 0, 1, 1, 0, 1], ["a"] * 6)
      arm  n  events  median  low  high
    0   a  6       4    15.0  6.0   inf
    """
    rows = []
    for name, curve in kaplan_meier(time, died, arm, level).groupby("arm", sort=False):
        n = int(curve["at_risk"].iloc[0])
        median = _comes_to_half(curve, "survival")
        low, high = (_comes_to_half(curve, limit) for limit in ("low", "high"))
        if curve["low"].isna().all():
            low = high = math.nan
        elif math.isinf(low) and curve["survival"].iloc[-1] == 0:
            low = math.nan
        rows.append((name, n, int(curve["deaths"].sum()), median, low, high))
    return pd.DataFrame(rows, columns=["arm", "n", "events", "median", "low", "high"])


def median_followup(
    time: ArrayLike, died: ArrayLike, arm: ArrayLike, level: float = 0.95
) -> pd.DataFrame:
    """Estimate the median follow-up of each arm by the reverse Kaplan-Meier method.

    How long patients would have been followed, had nobody died: `median_survival` with ends of
    follow-up as the events and deaths as censoring.

    Parameters
    ----------
    time, died, arm, level
        As for `rdmas.stats.survival.kaplan_meier`.

    Returns
    -------
    pandas.DataFrame
        As from `median_survival`; ``events`` are the patients followed to the end alive. If
        everybody died the median is infinite and its limits NaN: the data do not tell.

    References
    ----------
    Schemper M, Smith TL (1996). A note on quantifying follow-up in studies of failure time.
    Controlled Clinical Trials 17:343-346.

    Examples
    --------
    >>> median_followup([6, 7, 10, 15, 19, 25], [1, 0, 1, 1, 0, 1], ["a"] * 6)
      arm  n  events  median  low  high
    0   a  6       2    19.0  7.0   inf
    """
    died = np.asarray(died)
    if not np.isin(died, (0, 1)).all():
        raise ValueError("died must be 0 or 1")
    return median_survival(time, died == 0, arm, level)


def survival_at(
    time: ArrayLike, died: ArrayLike, arm: ArrayLike, times: ArrayLike, level: float = 0.95
) -> pd.DataFrame:
    """Estimate survival in each arm at stated times.

    Parameters
    ----------
    time, died, arm, level
        As for `rdmas.stats.survival.kaplan_meier`.
    times : array_like
        Times to report, at least 0.

    Returns
    -------
    pandas.DataFrame
        One row per arm and stated time: ``arm``, ``time``, ``survival`` with its pointwise
        interval ``low`` and ``high`` (log(-log) scale; NaN before the first death and at survival
        0), ``at_risk`` (just before `time`) and ``deaths`` (up to and at it). Survival is NaN
        beyond the end of follow-up, unless everybody has died.

    Raises
    ------
    ValueError
        As `rdmas.stats.survival.kaplan_meier`, and if a stated time is negative or not finite.

    Examples
    --------
    >>> survival_at([1, 2, 3, 4], [1, 0, 1, 0], ["a"] * 4, [0, 3, 5]).round(3)
      arm  time  survival    low   high  at_risk  deaths
    0   a   0.0     1.000    NaN    NaN        4       0
    1   a   3.0     0.375  0.011  0.808        2       2
    2   a   5.0       NaN    NaN    NaN        0       2
    """
    wanted = [checks.number("times", one, 0) for one in checks.column("times", times)]
    curves = kaplan_meier(time, died, arm, level)
    slack = float(round_off(np.sort(curves["time"].to_numpy(float))).item())
    rows = []
    for name, curve in curves.groupby("arm", sort=False):
        ends = curve["time"].to_numpy()
        deaths = curve["deaths"].cumsum().to_numpy()
        for one in wanted:
            last = int(np.searchsorted(ends, one + slack, side="right")) - 1
            values = curve.iloc[last][["survival", "low", "high"]].tolist()
            if one > ends[-1] + slack and values[0] > 0:
                values = [math.nan] * 3
            rows.append((name, one, *values, deaths[last]))
    frame = pd.DataFrame(rows, columns=["arm", "time", "survival", "low", "high", "deaths"])
    frame.insert(5, "at_risk", at_risk(curves, wanted)["at_risk"])
    return frame.astype(dict.fromkeys(["survival", "low", "high"], float))


class RestrictedMeans(NamedTuple):
    """Mean survival times of two arms up to a time, and their difference.

    Attributes
    ----------
    until : float
        The time to which survival is counted.
    mean_1, mean_0 : float
        Areas under the curves of arms 1 and 0 up to then; NaN for an arm without patients.
    difference, low, high : float
        Arm 1 minus arm 0, with its interval.
    p_value : float
        Two-sided P of no difference.
    reason : str
        Why interval and P, or everything, are NaN; empty if they are not.
    """

    until: float
    mean_1: float
    mean_0: float
    difference: float
    low: float
    high: float
    p_value: float
    reason: str


def restricted_means(
    time: ArrayLike,
    died: ArrayLike,
    arm: ArrayLike,
    until: float | None = None,
    level: float = 0.95,
) -> RestrictedMeans:
    r"""Compare the mean survival time of two arms, counted up to a common time.

    It assumes no proportional hazards. The mean is the area under the Kaplan-Meier curve up to
    :math:`\tau`; its variance is Greenwood's,

    .. math:: \sum_{t_j \le \tau} A_j^2 \frac{d_j}{n_j (n_j - d_j)}, \qquad
              A_j = \int_{t_j}^{\tau} S(t)\,dt,

    as in R's ``survRM2`` (lifelines' variance is that of the survival times, not of their mean).
    Interval and P take the difference as normal.

    Parameters
    ----------
    time, died : array_like
        As for `rdmas.stats.survival.kaplan_meier`.
    arm : array_like of 0 or 1, shape (patients,)
        The arm: 1 for treatment, if the difference is to be treatment minus control.
    until : float, optional
        The time up to which survival is counted; by default the last time of the arm that was
        followed for less time.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    RestrictedMeans
        Interval and P are NaN where the variance of an arm is 0 (nobody died in it before
        `until`, or all at one time), which does not mean that its mean is known.

    Raises
    ------
    ValueError
        As `rdmas.stats.survival.kaplan_meier`; if `arm` holds anything but 0 and 1; or if `until`
        is not above 0, or lies beyond the follow-up of an arm in which somebody was alive then.

    References
    ----------
    Uno H, Claggett B, Tian L, et al. (2014). Moving beyond the hazard ratio in quantifying the
    between-group difference in survival analysis. Journal of Clinical Oncology 32:2380-2385.

    Examples
    --------
    >>> time, died, arm = [1, 2, 3, 4, 2, 4, 5, 6], [1, 1, 1, 0, 1, 0, 1, 0], [0] * 4 + [1] * 4
    >>> found = restricted_means(time, died, arm)
    >>> found.until, found.mean_1, found.mean_0, found.difference
    (4.0, 3.5, 2.5, 1.0)
    >>> [round(value, 3) for value in (found.low, found.high, found.p_value)]
    [-0.386, 2.386, 0.157]
    """
    arm = np.asarray(arm)
    if not np.isin(arm, (0, 1)).all():
        raise ValueError("arm must be 0 or 1")
    both = kaplan_meier(time, died, arm.astype(int), level)
    curves = {which: both[both["arm"] == which] for which in both["arm"].unique()}
    common = min(float(curve["time"].max()) for curve in curves.values())
    for curve in curves.values():
        last = curve.iloc[-1]
        if until is not None and until > last["time"] and last["survival"] > 0:
            raise ValueError(f"until must be at most {common:g}, the follow-up of an arm.")
    if until is None and common == 0:
        nothing = (math.nan, math.nan, math.nan, math.nan, math.nan, math.nan)
        return RestrictedMeans(0.0, *nothing, "nobody in an arm was followed beyond time 0")
    until = checks.number("until", common if until is None else until, 0, ends="(]")
    means, variances = {0: math.nan, 1: math.nan}, {0: 0.0, 1: 0.0}
    for name, curve in curves.items():
        means[name], variances[name] = _restricted(curve, until)
    difference = means[1] - means[0]
    low = high = p_value = math.nan
    if len(curves) < 2:
        reason = "everybody is in one arm"
    elif not all(variances.values()):
        reason = "survival times in an arm do not vary"
    else:
        reason = ""
        error = math.sqrt(sum(variances.values()))
        spread = float(norm.isf((1 - level) / 2)) * error
        low, high = difference - spread, difference + spread
        p_value = float(2 * norm.sf(abs(difference) / error))
    return RestrictedMeans(until, means[1], means[0], difference, low, high, p_value, reason)


def _comes_to_half(curve: pd.DataFrame, column: str) -> float:
    """Time at which a curve or its limit comes to one half, or the middle of its stay there."""
    defined = curve.dropna(subset=column)
    reached = defined[defined[column] <= _HALF]
    if reached.empty:
        return math.inf
    first = reached.iloc[0]
    lower = reached.loc[reached[column] < first[column] - 1e-9, "time"]
    if abs(first[column] - 0.5) <= _HALF - 0.5 and not lower.empty:
        return float(first["time"] + lower.iloc[0]) / 2
    return float(first["time"])


def _restricted(curve: pd.DataFrame, until: float) -> tuple[float, float]:
    """Area under a curve up to a time, and its variance."""
    before = curve[curve["time"] < until]
    widths = np.diff(before["time"].to_numpy(float), append=until)
    areas: NDArray[np.float64] = before["survival"].to_numpy(float) * widths
    # From each time on.
    left = np.cumsum(areas[::-1])[::-1]
    deaths, patients = (before[column].to_numpy(float) for column in ("deaths", "at_risk"))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = left**2 * deaths / (patients * (patients - deaths))
    # Where everybody dies nothing is left of the area.
    return float(areas.sum()), float(terms[deaths < patients].sum())
