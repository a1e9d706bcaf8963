"""Analysis of credibility: how sceptical one must be to doubt a significant result."""

from __future__ import annotations

from math import exp, inf, log, sqrt

from scipy.optimize import brentq
from scipy.stats import norm

from rdmas.stats import checks
from rdmas.stats.log_odds import WIDEST, LogOddsRatio, critical_z

__all__ = [
    "exact_sceptical_prior_sd",
    "intrinsic_p_value",
    "sceptical_limit",
    "sceptical_prior_sd",
]

# Square of the factor by which a z-value must exceed the critical one.
_INTRINSIC = {"Held": 2.0, "Matthews": (1 + sqrt(5)) / 2}


def sceptical_limit(low: float, high: float) -> float:
    """Scepticism limit of a significant ratio: how sceptical one must be to doubt it.

    A normal prior for the log ratio, centred at no effect, whose interval reaches from 1/SL to
    SL makes the posterior interval just touch 1, all at the level of the given interval:

        ln SL = (ln high - ln low)^2 / (4 sqrt(ln high x ln low)).

    Who holds ratios beyond SL plausible, on grounds other than these data, may take the result
    as credible; who doesn't, may not. The interval is taken as symmetric on the log scale.

    Parameters
    ----------
    low, high : float
        Confidence limits of a ratio, both above 1 or both below.

    Returns
    -------
    float
        The scepticism limit on the side of the result: above 1 if the limits are, else below.

    Raises
    ------
    ValueError
        If the limits are impossible or do not exclude 1.

    References
    ----------
    Matthews RAJ (2018). Beyond 'significance': principles and practice of the Analysis of
    Credibility. Royal Society Open Science 5:171047.

    Examples
    --------
    The GREAT trial of thrombolysis at home, odds ratio of death 0.24 to 0.97 (Spiegelhalter,
    Abrams and Myles 2004, section 3.11, who give 0.10):

    >>> round(sceptical_limit(0.24, 0.97), 2)
    0.1
    """
    log_low = log(checks.number("low", low, 0, ends="(]"))
    log_high = log(checks.number("high", high, 0, ends="(]"))
    if not (log_low < log_high < 0 or 0 < log_low < log_high):
        raise ValueError(f"low and high must be in order and exclude 1, got {low:g} to {high:g}.")
    limit = (log_high - log_low) ** 2 / (4 * sqrt(log_low * log_high))
    return exp(limit if log_low > 0 else -limit)


def sceptical_prior_sd(low: float, high: float, level: float = 0.95) -> float:
    """Standard deviation of the normal prior behind `sceptical_limit`.

    Limits and errors are those of `sceptical_limit`; `level` is that of the limits. With a normal
    prior of the log ratio of mean 0 and any smaller standard deviation the interval includes 1.

    Examples
    --------
    >>> round(sceptical_prior_sd(0.24, 0.97), 4)
    1.1934
    """
    return abs(log(sceptical_limit(low, high))) / critical_z(checks.level(level))


def intrinsic_p_value(p_value: float, definition: str = "Held") -> float:
    """Two-sided P-value for intrinsic credibility, from the ordinary one.

    The z-value is divided by the square root of 2 (Held 2019: the estimate is compared with its
    own critical sceptical prior through the prior predictive distribution) or by that of the
    golden ratio, 1.618 (Matthews 2018: it is compared with its scepticism limit). The result is
    below 0.05 if the ordinary P-value is below 0.0056 or 0.0127.

    Parameters
    ----------
    p_value : float
        Two-sided P-value, above 0 and at most 1.
    definition : {"Held", "Matthews"}
        Whose definition.

    Raises
    ------
    ValueError
        If an argument is impossible.

    References
    ----------
    Held L (2019). The assessment of intrinsic credibility and a new argument for p < 0.005.
    Royal Society Open Science 6:181534.

    Examples
    --------
    >>> round(intrinsic_p_value(0.0056), 3), round(intrinsic_p_value(0.0127, "Matthews"), 3)
    (0.05, 0.05)
    """
    shrunk = _INTRINSIC[checks.one_of("definition", definition, _INTRINSIC)]
    z = norm.isf(checks.number("p_value", p_value, 0, 1, "(]") / 2)
    return float(2 * norm.sf(z / sqrt(shrunk)))


def exact_sceptical_prior_sd(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    level: float = 0.95,
) -> float:
    """Critical standard deviation of a sceptical prior, without normal approximation.

    The counterpart of `sceptical_prior_sd` for the likelihood and the baseline's prior of
    `rdmas.stats.log_odds.logistic_posterior`: with this standard deviation one limit of the
    posterior interval lies at an odds ratio of 1. With few events in an arm the two can differ
    severalfold: the normal approximation carries the standard error at the estimate, where such
    data say little, over to the neighbourhood of no effect, where they say more.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    level : float, default 0.95
        Posterior probability of the equal-tailed interval.

    Returns
    -------
    float
        The standard deviation; infinite if even one of 10 leaves 1 inside the interval, so that
        no scepticism is needed.

    Raises
    ------
    ValueError
        If an argument is impossible.

    Examples
    --------
    The GREAT trial, where the normal approximation gives 1.209 from Woolf's limits:

    >>> round(exact_sceptical_prior_sd(13, 163, 23, 148), 3)
    0.938
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    tail = (1 - checks.level(level)) / 2

    def excess(log_sd: float) -> float:
        below = LogOddsRatio(table, 0.0, exp(log_sd)).cdf(0.0)
        return min(below, 1 - below) - tail

    if excess(log(WIDEST)) >= 0:
        return inf
    # Downwards from the widest, to find the largest solution. A narrow prior leaves half of its
    # probability on either side of 1, whatever the data, so that the search ends.
    narrow = log(WIDEST) - 0.5
    while excess(narrow) < 0:
        narrow -= 0.5
    return exp(brentq(excess, narrow, narrow + 0.5, xtol=1e-12))
