"""How strong an unmeasured confounder would have to be to explain an association away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, nan, sqrt
from types import MappingProxyType
from typing import Any

import pandas as pd

from rdmas.stats import checks

__all__ = ["MEASURES", "EValue", "bounding_curve", "e_value"]

#: Power that turns each measure of `e_value` into an (approximate) risk ratio.
MEASURES = MappingProxyType(
    {
        "risk ratio": 1.0,
        "odds ratio (common outcome)": 0.5,
        "odds ratio (rare outcome)": 1.0,
    }
)


@dataclass(frozen=True)
class EValue:
    """E-values, at least 1, of an estimate and of the confidence limit nearer to 1."""

    estimate: float
    limit: float


def e_value(
    estimate: float,
    low: float | None = None,
    high: float | None = None,
    measure: str = "risk ratio",
) -> EValue:
    r"""E-value: the least confounding that could explain a ratio away.

    The smallest risk ratio that an unmeasured confounder would need to have both with the arm
    and with the outcome, beyond measured covariates, for the true ratio to be 1:
    :math:`RR + \sqrt{RR (RR - 1)}`, with the reciprocal taken of a ratio below 1. It says how
    strong such a confounder would have to be, not whether there is one.

    An odds ratio is taken as a risk ratio if the outcome is rare, and its square root if the
    outcome is common (above 15% by the end of follow-up; VanderWeele 2017). The risk ratios of an
    event and of its absence are not reciprocals and have different E-values.

    Parameters
    ----------
    estimate : float
        Ratio of arm a to arm b, 0 to infinity.
    low, high : float, optional
        Its confidence limits, of which the one nearer to 1 is used.
    measure : str, default "risk ratio"
        A key of `MEASURES`.

    Returns
    -------
    EValue
        Of the estimate, infinite for a ratio of 0 or infinity, and of the limit: 1 if the interval
        includes 1, NaN if that limit was not given.

    Raises
    ------
    ValueError
        If an argument is impossible or the estimate is not between its limits.

    References
    ----------
    VanderWeele TJ, Ding P (2017). Sensitivity analysis in observational research: introducing
    the E-value. Annals of Internal Medicine 167:268-274.

    VanderWeele TJ (2017). On a square-root transformation of the odds ratio for a common
    outcome. Epidemiology 28:e58-e60.

    Examples
    --------
    Smoking and lung cancer (Hammond and Horn 1958, as in the R package EValue):

    >>> result = e_value(10.73, 8.02, 14.36)
    >>> round(result.estimate, 5), round(result.limit, 5)
    (20.94777, 15.52336)
    """
    power = MEASURES[checks.one_of("measure", measure, MEASURES)]
    estimate = _ratio("estimate", estimate)
    low = None if low is None else _ratio("low", low)
    high = None if high is None else _ratio("high", high)
    if (low is not None and low > estimate) or (high is not None and high < estimate):
        raise ValueError(
            f"The estimate must lie within its confidence limits, got {estimate:g} "
            f"({low} to {high})."
        )
    if estimate > 1:
        limit = nan if low is None else _e_value_of_ratio(max(low, 1.0) ** power)
    else:
        limit = nan if high is None else _e_value_of_ratio(min(high, 1.0) ** power)
    return EValue(_e_value_of_ratio(estimate**power), limit)


def bounding_curve(ratio: float, exposure_confounder_rr: Iterable[float]) -> pd.DataFrame:
    """Pairs of associations of a confounder that are just enough to move a risk ratio to 1.

    On or above the curve a confounder could account for the whole ratio; below it, it could not.
    The curve is symmetric in the two associations and crosses their diagonal at the E-value.

    Parameters
    ----------
    ratio : float
        Observed risk ratio, or the confidence limit to be moved; above 0 and finite.
    exposure_confounder_rr : iterable of float
        Associations of the confounder with the arm, as risk ratios of at least 1.

    Returns
    -------
    pandas.DataFrame
        One row for each association given, with the columns ``exposure_confounder_rr`` and
        ``confounder_outcome_rr``, the least association with the outcome that suffices; infinite
        where the association given equals the ratio, NaN where it is smaller and none suffices.

    Raises
    ------
    ValueError
        If an argument is impossible.

    References
    ----------
    Ding P, VanderWeele TJ (2016). Sensitivity analysis without assumptions. Epidemiology
    27:368-377.

    Examples
    --------
    >>> bounding_curve(1.5, [1.2, 2, 3])
       exposure_confounder_rr  confounder_outcome_rr
    0                     1.2                    NaN
    1                     2.0                    3.0
    2                     3.0                    2.0
    """
    ratio = checks.number("ratio", ratio, 0, ends="(]")
    factor = max(ratio, 1 / ratio)
    given = [
        _ratio("exposure_confounder_rr", association, low=1)
        for association in checks.column("exposure_confounder_rr", exposure_confounder_rr)
    ]
    return pd.DataFrame(
        {
            "exposure_confounder_rr": given,
            "confounder_outcome_rr": [_least_association(rr, factor) for rr in given],
        }
    )


def _least_association(association: float, factor: float) -> float:
    """Solve association x other / (association + other - 1) = factor for the other one."""
    if factor == 1:
        return 1.0
    if association == inf:
        return factor
    if association == factor:
        return inf
    return factor * (association - 1) / (association - factor) if association > factor else nan


def _e_value_of_ratio(ratio: float) -> float:
    """E-value of a risk ratio, on either side of 1."""
    if ratio < 1:
        ratio = 1 / ratio if ratio else inf
    return ratio + sqrt(ratio * (ratio - 1))


def _ratio(name: str, value: Any, low: float = 0) -> float:
    """Check a ratio, which may be infinite."""
    return inf if value == inf else checks.number(name, value, low)
