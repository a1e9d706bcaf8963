"""Pooled proportion of several cohorts by maximum likelihood.

A cohort is given by its events and its patients. Its events are binomial and the logits of the
cohorts' true proportions are normal with mean mu and standard deviation tau, so that cohorts
without an event stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import betainc, expit, logit
from scipy.stats import chi2, norm, t

from rdmas.stats import checks
from rdmas.stats.binomial_normal import LARGEST_TAU, Floats, Likelihood, Maximum

Counts = NDArray[np.int64]

# Edges of the panels over a standardised logit, wide enough for t with one degree of freedom.
_DISTANCES = np.sinh(np.linspace(-30, 30, 121))

# Edges of the panels about the rise of a binomial tail, in units of its width. They reach far
# because a bound of 1 event is approached as slowly as exp(logit).
_PANELS = np.array([-24, -16, -12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 16, 24])


@dataclass(frozen=True)
class Pooled:
    """Pooled proportion of several cohorts.

    Attributes
    ----------
    proportion, low, high : float
        Inverse logit of `logit`, the median of the distribution of the cohorts' true proportions,
        with its profile-likelihood limits; a likelihood-ratio interval where tau was given.
    mean_proportion : float
        Mean of that distribution, which lies nearer one half than its median.
    between_study_sd_logit : float
        Standard deviation of the cohorts' true logits (tau); exactly 0.0 where the maximum of
        the likelihood lies on that boundary.
    logit, logit_se : float
        Mean of the cohorts' true logits and its standard error.
    prediction_low, prediction_high : float
        Limits of the predictive interval for the true proportion in a new cohort: on the logit
        scale `logit` and quantiles of t, scaled by the root of tau^2 plus the square of `logit_se`.
    prediction_df : float
        Degrees of freedom of that t: cohorts less two, infinite where tau was given. With none
        the interval is 0 to 1.
    log_likelihood : float
        Log-likelihood at the estimate, binomial coefficients included.
    studies, events, n : int
        Number of cohorts, and their events and patients, summed.
    level : float
        Level of both intervals.
    """

    proportion: float
    low: float
    high: float
    mean_proportion: float
    between_study_sd_logit: float
    logit: float
    logit_se: float
    prediction_low: float
    prediction_high: float
    prediction_df: float
    log_likelihood: float
    studies: int
    events: int
    n: int
    level: float


def pool(
    events: Sequence[int],
    n: Sequence[int],
    level: float = 0.95,
    between_study_sd_logit: float | None = None,
) -> Pooled:
    """Pooled proportion of several cohorts by maximum likelihood.

    Parameters
    ----------
    events, n : sequence of int, shape (studies,)
        Patients with the event, and patients, of each cohort.
    level : float, default 0.95
        Level of the confidence and of the predictive interval.
    between_study_sd_logit : float, optional
        Hold tau at this value, 0 to 50, instead of estimating it; at 0 the cohorts are as one.

    Returns
    -------
    Pooled
        The estimate. Its standard error allows for tau being estimated, by the observed
        information about both, unless tau is given or estimated as exactly 0. The interval of
        the proportion allows for it by the profile of the likelihood, the predictive interval by
        the quantiles of t, after Higgins et al.; `wald` has those of the normal distribution.

    Raises
    ------
    ValueError
        If the counts are impossible; if tau is to be estimated from a single cohort; or if the
        likelihood has no maximum, because no cohort has events, every patient has the event,
        or every cohort has either none or only events.
    ArithmeticError
        If an integral does not converge.

    Notes
    -----
    Over tau the likelihood can have several maxima, one of them at 0, as when a very large
    cohort is joined by small ones that disagree; all are found on a grid and the highest is
    taken. Cohorts of a single patient each tell nothing of tau, which is then returned as 0.

    References
    ----------
    Stijnen T, Hamza TH, Özdemir P (2010). Random effects meta-analysis of event outcome in the
    framework of the generalized linear mixed model with applications in sparse data.
    Statistics in Medicine 29:3046-3067.

    Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). A re-evaluation of random-effects
    meta-analysis. Journal of the Royal Statistical Society A 172:137-159 (prediction).

    Examples
    --------
    Tuberculosis in the control arms of four trials of BCG vaccination (Colditz et al. 1994,
    JAMA 271:698-702):

    >>> pooled = pool([11, 29, 11, 45], [139, 303, 220, 7277])
    >>> print(f"{pooled.proportion:.3f} ({pooled.low:.3f} to {pooled.high:.3f})")
    0.038 (0.009 to 0.145)
    >>> print(f"{pooled.between_study_sd_logit:.2f}")
    1.12
    >>> print(f"{pooled.prediction_low:.3f} to {pooled.prediction_high:.3f}")
    0.000 to 0.898
    >>> print(f"{pool([11, 29, 11], [139, 303, 220], between_study_sd_logit=0).proportion:.4f}")
    0.0770
    """
    died, sizes = checks.studies(events, n)
    tau = between_study_sd_logit
    if tau is not None:
        tau = checks.number("between_study_sd_logit", tau, 0, LARGEST_TAU)
    return _pooled(died, sizes, checks.level(level), tau)


def wald(pooled: Pooled) -> Pooled:
    """Pooled cohorts with the limits that normal quantiles give on the logit scale.

    They are what most software prints, and too near each other when cohorts are few.

    Examples
    --------
    >>> found = wald(pool([11, 29, 11, 45], [139, 303, 220, 7277]))
    >>> print(f"{found.low:.3f} to {found.high:.3f}")
    0.013 to 0.109
    >>> print(f"{found.prediction_low:.3f} to {found.prediction_high:.3f}")
    0.003 to 0.318
    """
    low, high = _back_transformed(pooled.logit, pooled.logit_se, pooled.level, math.inf)
    spread = math.hypot(pooled.between_study_sd_logit, pooled.logit_se)
    new_low, new_high = _back_transformed(pooled.logit, spread, pooled.level, math.inf)
    return replace(
        pooled,
        low=low,
        high=high,
        prediction_low=new_low,
        prediction_high=new_high,
        prediction_df=math.inf,
    )


@dataclass(frozen=True)
class Heterogeneity:
    """How far cohorts' true proportions differ.

    Attributes
    ----------
    between_study_sd_logit : float
        Maximum likelihood estimate of the standard deviation of the true logits (tau).
    between_study_sd_low, between_study_sd_high : float
        Its profile-likelihood limits; infinite where no tau up to 50 is unlikely enough.
    median_odds_ratio : float
        Median of the ratio of the larger to the smaller odds in two cohorts drawn at random:
        exp(sqrt(2) * tau * 0.6745); 1 if the cohorts do not differ.
    likelihood_ratio_p_value : float
        P-value of tau = 0, from the equal mixture of chi-square with 0 and with 1 degree of
        freedom.
    """

    between_study_sd_logit: float
    between_study_sd_low: float
    between_study_sd_high: float
    median_odds_ratio: float
    likelihood_ratio_p_value: float


def heterogeneity(events: Sequence[int], n: Sequence[int], level: float = 0.95) -> Heterogeneity:
    """Test and measures of the differences between cohorts' true proportions.

    Parameters
    ----------
    events, n
        As in `pool`, and refused likewise.
    level : float, default 0.95
        Level of the limits of tau, where twice the fall of the log-likelihood from its maximum
        reaches the chi-square quantile with 1 degree of freedom (the lower is 0 if it does not).

    Returns
    -------
    Heterogeneity
        Without I-squared, which rests on one within-study variance shared by all cohorts.

    References
    ----------
    Self SG, Liang KY (1987). Asymptotic properties of maximum likelihood estimators and
    likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
    Association 82:605-610.

    Larsen K, Merlo J (2005). Appropriate assessment of neighborhood effects on individual
    health. American Journal of Epidemiology 161:81-88.

    Examples
    --------
    >>> found = heterogeneity([11, 29, 11, 45], [139, 303, 220, 7277])
    >>> print(f"{found.between_study_sd_low:.2f} to {found.between_study_sd_high:.2f}")
    0.62 to 2.77
    >>> print(f"{found.median_odds_ratio:.1f}")
    2.9
    """
    likelihood = _likelihood(*checks.studies(events, n))
    best = _maximum(likelihood)
    gained = best.log_likelihood - likelihood.given_tau(0.0).log_likelihood
    low, high = likelihood.tau_limits(best, checks.level(level))
    return Heterogeneity(
        between_study_sd_logit=best.tau,
        between_study_sd_low=low,
        between_study_sd_high=high,
        median_odds_ratio=math.exp(math.sqrt(2) * best.tau * norm.ppf(0.75)),
        # Half of the mixture's mass lies at 0, where every ratio is at least as large.
        likelihood_ratio_p_value=float(chi2.sf(2 * gained, 1) / 2) if gained > 0 else 1.0,
    )


def leave_one_out(
    events: Sequence[int], n: Sequence[int], labels: Sequence[Hashable], level: float = 0.95
) -> pd.DataFrame:
    """Pool the cohorts again and again, each time without one of them.

    Parameters
    ----------
    events, n, level
        As in `pool`, and refused likewise; at least three cohorts.
    labels : sequence, shape (studies,)
        Names of the cohorts.

    Returns
    -------
    pandas.DataFrame
        One row per cohort: ``label`` (of the one left out), and of the others ``proportion``,
        ``low``, ``high``, ``between_study_sd_logit``, ``prediction_low``, ``prediction_high``.

    Examples
    --------
    >>> trials = ["Aronson", "Ferguson", "Rosenthal", "Coetzee"]
    >>> leave_one_out([11, 29, 11, 45], [139, 303, 220, 7277], trials).round(3).iloc[:, :5]
           label  proportion    low   high  between_study_sd_logit
    0    Aronson       0.031  0.004  0.183                   1.196
    1   Ferguson       0.028  0.005  0.155                   1.115
    2  Rosenthal       0.036  0.005  0.231                   1.276
    3    Coetzee       0.076  0.045  0.112                   0.154
    """
    died, sizes = checks.studies(events, n)
    level = checks.level(level)
    checks.whole("The number of cohorts", sizes.size, low=3)
    rows = []
    for left_out, label in enumerate(checks.column("labels", labels, sizes.size)):
        others = np.flatnonzero(np.arange(sizes.size) != left_out)
        pooled = _selected(f"Without {label!r}", died, sizes, others, level)
        rows.append({"label": label, **_estimates(pooled)})
    return pd.DataFrame(rows)


def pool_each_way(
    events: Sequence[int],
    n: Sequence[int],
    labels: Sequence[str],
    groups: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """Pool every largest choice of cohorts that share no patients.

    Parameters
    ----------
    events, n, level
        As in `pool`, and refused likewise.
    labels : sequence of str, shape (studies,)
        Names of the cohorts.
    groups : sequence of str, shape (studies,)
        Groups of cohorts that may have patients in common, separated by semicolons; an empty or
        missing entry means none, and such a cohort is in every choice.

    Returns
    -------
    pandas.DataFrame
        One row per choice: ``chosen`` (tuple of labels of the chosen cohorts that overlap with
        others), ``studies``, ``events``, ``n``, and the columns of `leave_one_out`.

    Examples
    --------
    >>> frame = pool_each_way(
    ...     [11, 29, 11, 45], [139, 303, 220, 7277], list("abcd"), ["", "x", "x", ""]
    ... )
    >>> frame.round(3).iloc[:, :7]
      chosen  studies  events     n  proportion    low   high
    0   (b,)        3      85  7719       0.036  0.005  0.231
    1   (c,)        3      67  7636       0.028  0.005  0.155
    """
    died, sizes = checks.studies(events, n)
    level = checks.level(level)
    names = checks.column("labels", labels, sizes.size)
    touched = _groups(checks.column("groups", groups, sizes.size))
    overlaps = [sum(bool(one & other) for other in touched) > 1 for one in touched]
    rows = []
    for choice in _choices(touched):
        chosen = tuple(names[row] for row in choice if overlaps[row])
        name = f"With {', '.join(map(str, chosen)) or 'all studies'}"
        pooled = _selected(name, died, sizes, np.array(choice), level)
        size = {"studies": pooled.studies, "events": pooled.events, "n": pooled.n}
        rows.append({"chosen": chosen, **size, **_estimates(pooled)})
    return pd.DataFrame(rows)


def predictive_probability(
    pooled: Pooled, n: int, at_least: int | None = None, at_most: int | None = None
) -> float:
    """Probability of so many events in a new cohort.

    The new cohort's events are binomial, and the logit of its true proportion is distributed as
    in the predictive interval of `pool`.

    Parameters
    ----------
    pooled : Pooled
        Pooled cohorts.
    n : int
        Patients in the new cohort.
    at_least, at_most : int, optional
        Smallest and largest number of events counted, 0 to `n`; at least one of the two.

    Returns
    -------
    float
        The probability.

    Raises
    ------
    ValueError
        If a bound is out of range, or two cohorts were pooled, from which nothing can be predicted.

    Examples
    --------
    >>> pooled = pool([11, 29, 11, 45], [139, 303, 220, 7277])
    >>> print(f"{predictive_probability(pooled, 50, at_least=10):.4f}")
    0.1521
    >>> print(f"{predictive_probability(pooled, 50, at_most=9):.4f}")
    0.8479
    """
    n = checks.whole("n", n, low=1)
    low, high = checks.bounds(n, at_least, at_most)
    if pooled.prediction_df == 0:
        raise ValueError("The spread of two cohorts predicts nothing; pool at least three.")
    centre, sd = pooled.logit, math.hypot(pooled.between_study_sd_logit, pooled.logit_se)
    # A binomial tail rises from 0 to 1 about the proportion at its bound, steeply if n is
    # large: the panels of the integration are narrow there.
    edges = [_DISTANCES]
    for bound in (low, high + 1):
        if sd > 0 and 0 < bound <= n:
            share = (bound - 0.5) / n
            width = 1 / math.sqrt(n * share * (1 - share))
            edges.append((logit(share) + width * _PANELS - centre) / sd)
    edge = np.unique(np.clip(np.concatenate(edges), _DISTANCES[0], _DISTANCES[-1]))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(edge)[:, None] / 2
    z = edge[:-1, None] + half * (1 + nodes)
    share = expit(centre + sd * z)
    probability = _binomial_tail(low, n, share) - _binomial_tail(high + 1, n, share)
    density = t.pdf(z, pooled.prediction_df)
    return float(np.clip((half * weights * density * probability).sum(), 0.0, 1.0))


def _pooled(events: Counts, n: Counts, level: float, tau: float | None = None) -> Pooled:
    """Pool cohorts with tau given, or estimated."""
    likelihood = _likelihood(events, n)
    best = _maximum(likelihood) if tau is None else likelihood.given_tau(tau)
    se = (best.information_tau_unknown if tau is None else best.information) ** -0.5
    limits = likelihood.mu_limits if tau is None else likelihood.mu_limits_given_tau
    low, high = expit(limits(best, level)).tolist()
    df = n.size - 2 if tau is None else math.inf
    spread = math.hypot(best.tau, se)
    prediction_low, prediction_high = _back_transformed(best.mu, spread, level, df)
    one_event = Likelihood(np.array([1]), np.array([1])).log(
        np.array([best.mu]), np.array([best.tau])
    )
    return Pooled(
        proportion=float(expit(best.mu)),
        low=low,
        high=high,
        mean_proportion=math.exp(one_event[0]),
        between_study_sd_logit=best.tau,
        logit=best.mu,
        logit_se=se,
        prediction_low=prediction_low,
        prediction_high=prediction_high,
        prediction_df=df,
        log_likelihood=best.log_likelihood,
        studies=n.size,
        events=int(events.sum()),
        n=int(n.sum()),
        level=level,
    )


def _selected(name: str, events: Counts, n: Counts, rows: Counts, level: float) -> Pooled:
    """Pool some of the cohorts, which a refusal names."""
    try:
        return _pooled(events[rows], n[rows], level)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _likelihood(events: Counts, n: Counts) -> Likelihood:
    """Likelihood of cohorts whose pooled logit is finite."""
    if events.sum() in (0, n.sum()):
        which = "No study has an event" if events.sum() == 0 else "Every patient has the event"
        raise ValueError(f"{which}: the pooled logit has no finite estimate.")
    return Likelihood(events, n)


def _maximum(likelihood: Likelihood) -> Maximum:
    """Maximise over mu and tau, where there is a maximum."""
    events, n = likelihood.events, likelihood.n
    if n.size < 2:
        raise ValueError(
            "The variation between studies cannot be estimated from one study; pool at least "
            "two, or give between_study_sd_logit."
        )
    if n.max() > 1 and ((events == 0) | (events == n)).all():
        raise ValueError(
            "Every study has either no events or only events: the standard deviation between "
            "studies has no finite estimate."
        )
    return likelihood.maximum()


def _estimates(pooled: Pooled) -> dict[str, float]:
    """Columns of a table of poolings."""
    columns = "proportion low high between_study_sd_logit prediction_low prediction_high"
    return {column: getattr(pooled, column) for column in columns.split()}


def _back_transformed(centre: float, sd: float, level: float, df: float) -> tuple[float, float]:
    """Proportions so many standard deviations to both sides, by quantiles of t."""
    half = t.ppf((1 + level) / 2, df) * sd if df > 0 else math.inf
    return float(expit(centre - half)), float(expit(centre + half))


def _binomial_tail(at_least: int, n: int, share: Floats) -> Floats:
    """P(X >= at_least) for X binomial."""
    if not 0 < at_least <= n:
        return np.full(share.shape, float(at_least <= 0))
    return betainc(at_least, n - at_least + 1, share)


def _groups(entries: Iterable) -> list[frozenset[str]]:
    """Overlap groups of each cohort."""
    checked = []
    for place, entry in enumerate(entries, start=1):
        text = "" if pd.api.types.is_scalar(entry) and pd.isna(entry) else entry
        if not isinstance(text, str):
            raise ValueError(f"Cohort {place}: a group must be text or missing, got {entry!r}.")
        checked.append(frozenset(filter(None, map(str.strip, text.split(";")))))
    return checked


def _choices(groups: Sequence[frozenset[str]]) -> list[tuple[int, ...]]:
    """All largest choices of rows that share no group, built up row by row."""
    found: set[frozenset[int]] = {frozenset()}
    for row, own in enumerate(groups):
        joined = {frozenset(r for r in one if not groups[r] & own) | {row} for one in found}
        candidates = joined | found
        found = {one for one in candidates if not any(one < other for other in candidates)}
    return sorted(tuple(sorted(one)) for one in found)
