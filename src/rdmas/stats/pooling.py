"""Pooled proportion of several cohorts by binomial-normal maximum likelihood."""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from numbers import Real

import numpy as np
import pandas as pd
from pandas.api.types import is_scalar
from scipy.optimize import brentq
from scipy.special import betainc, betaln, expit, logit, roots_hermitenorm
from scipy.stats import chi2, norm

from rdmas.stats import checks
from rdmas.stats.prediction import PosteriorPooled, pool_bayes

__all__ = [
    "Heterogeneity",
    "Pooled",
    "PosteriorPooled",
    "heterogeneity",
    "leave_one_out",
    "pool",
    "pool_bayes",
    "pool_each_way",
    "predictive_probability",
]

# Between-study standard deviations beyond this are not searched: at 50 logits a cohort has
# either no events or only events, for all practical purposes.
_LARGEST_SD = 50.0

# Ratio of neighbouring values of tau on the grid where the maxima are looked for.
_GRID_RATIO = 1.5

# numpy's limit for draws from the hypergeometric distribution.
_LARGEST_DRAW = 10**9

# Two log-likelihoods closer than this are a tie, which goes to the smaller standard deviation.
_TIE = 1e-9

# Half-width, in standard deviations, of the range over which a normal distribution is
# integrated; what lies outside has probability 2e-19.
_NORMAL_RANGE = 9.0

# Edges of the panels about the rise of a binomial tail, in units of its width. They reach far
# because a bound of 1 event is approached as slowly as exp(logit).
_PANELS = np.array([-24, -16, -12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 16, 24])


@dataclass(frozen=True)
class Pooled:
    """
    Pooled proportion of several cohorts.

    Attributes
    ----------
    proportion : float
        Inverse logit of `logit`: the median of the distribution of the cohorts' true
        proportions (and the crude proportion where `between_study_sd_logit` is 0). It is not
        the mean of that distribution, which lies nearer to one half.
    low, high : float
        Confidence limits of `proportion`: Wald's on the logit scale, back-transformed.
    between_study_sd_logit : float
        Standard deviation of the cohorts' true logits (tau); exactly 0.0 where the maximum of
        the likelihood lies on that boundary.
    logit, logit_se : float
        Mean of the cohorts' true logits and its standard error.
    prediction_low, prediction_high : float
        Limits of the predictive interval for the true proportion in a new cohort: normal on
        the logit scale with mean `logit` and variance tau^2 plus the square of `logit_se`.
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
    between_study_sd_logit: float
    logit: float
    logit_se: float
    prediction_low: float
    prediction_high: float
    log_likelihood: float
    studies: int
    events: int
    n: int
    level: float


@dataclass(frozen=True)
class Heterogeneity:
    """
    How far cohorts' true proportions differ.

    Attributes
    ----------
    between_study_sd_logit : float
        Maximum likelihood estimate of the standard deviation of the true logits (tau).
    between_study_sd_low, between_study_sd_high : float
        Its profile-likelihood limits; `between_study_sd_high` is infinite where the likelihood
        does not fall far enough for any tau up to 50.
    median_odds_ratio : float
        Median of the ratio of the larger to the smaller odds in two cohorts drawn at random:
        exp(sqrt(2) * tau * 0.6745); 1 if the cohorts do not differ.
    median_odds_ratio_low, median_odds_ratio_high : float
        The same at the limits of tau.
    likelihood_ratio : float
        Twice the log-likelihood gained by letting tau differ from 0.
    likelihood_ratio_p_value : float
        Its P-value under the equal mixture of chi-square with 0 and with 1 degree of freedom.
    pearson_chi_square : float
        Pearson's chi-square of homogeneity.
    pearson_p_value : float
        Its P-value, by simulation from the tables with the observed margins.
    studies : int
        Number of cohorts.
    level : float
        Level of the limits.
    """

    between_study_sd_logit: float
    between_study_sd_low: float
    between_study_sd_high: float
    median_odds_ratio: float
    median_odds_ratio_low: float
    median_odds_ratio_high: float
    likelihood_ratio: float
    likelihood_ratio_p_value: float
    pearson_chi_square: float
    pearson_p_value: float
    studies: int
    level: float


def pool(
    events: Sequence[int],
    n: Sequence[int],
    level: float = 0.95,
    between_study_sd_logit: float | None = None,
    nodes: int = 25,
) -> Pooled:
    """
    Pooled proportion of several cohorts under a binomial-normal random-effects model.

    The events of a cohort are binomial; the logits of the cohorts' true proportions are normal
    with mean `logit` and standard deviation tau. Both are estimated by maximum likelihood,
    counts of zero entering as they are. Each cohort's likelihood is integrated over its true
    logit by Gauss-Hermite quadrature, centred at the mode of the integrand and scaled by its
    curvature there (adaptive quadrature).

    Parameters
    ----------
    events : sequence of int, shape (studies,)
        Patients with the event in each cohort.
    n : sequence of int, shape (studies,)
        Patients in each cohort.
    level : float, default 0.95
        Level of the confidence and of the predictive interval.
    between_study_sd_logit : float, optional
        Hold tau at this value instead of estimating it. At 0 the cohorts are pooled as one.
    nodes : int, default 25
        Quadrature nodes for each cohort, 5 to 200.

    Returns
    -------
    Pooled
        The estimate. Where tau is estimated, its standard error comes from the observed
        information about `logit` and tau together, that is, it allows for tau being estimated,
        though not for the skewness of tau; where tau is given, or estimated as exactly 0, it
        is the one for known tau.

    Raises
    ------
    ValueError
        If the counts are impossible; if tau is to be estimated from a single cohort; or if the
        likelihood has no maximum, because no cohort has events, every patient has the event,
        or every cohort has either none or only events (the likelihood then rises with tau for
        ever).

    Notes
    -----
    For every tau the likelihood has a single maximum over the mean logit. Over tau it can have
    several, one of them at 0, as when one very large cohort is joined by small ones that
    disagree; all are found on a grid and the highest is taken, the smallest tau if they tie.
    Where every cohort is a single patient nothing can be learnt about tau; it is returned as 0.

    The predictive interval takes tau as known, and is therefore too short when cohorts are few.

    With 25 nodes the log-likelihood of a cohort is accurate to about 1e-5 for tau up to 2. For
    larger tau and cohorts without events (or with events only) the integrand has a shoulder
    that polynomials follow badly, and the error reaches about 0.005 at tau = 5: more nodes
    then help.

    References
    ----------
    Hamza TH, van Houwelingen HC, Stijnen T (2008). The binomial distribution of meta-analysis
    was preferred to model within-study variability. Journal of Clinical Epidemiology 61:41-51.

    Stijnen T, Hamza TH, Özdemir P (2010). Random effects meta-analysis of event outcome in the
    framework of the generalized linear mixed model with applications in sparse data.
    Statistics in Medicine 29:3046-3067.

    Pinheiro JC, Bates DM (1995). Approximations to the log-likelihood function in the nonlinear
    mixed-effects model. Journal of Computational and Graphical Statistics 4:12-35.

    Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). A re-evaluation of random-effects
    meta-analysis. Journal of the Royal Statistical Society A 172:137-159.

    Examples
    --------
    Tuberculosis in the control arms of four trials of BCG vaccination (Colditz et al. 1994,
    JAMA 271:698-702):

    >>> pooled = pool([11, 29, 11, 45], [139, 303, 220, 7277])
    >>> print(f"{pooled.proportion:.3f} ({pooled.low:.3f} to {pooled.high:.3f})")
    0.038 (0.013 to 0.109)
    >>> print(f"{pooled.between_study_sd_logit:.2f}")
    1.12
    >>> print(f"{pooled.prediction_low:.3f} to {pooled.prediction_high:.3f}")
    0.003 to 0.318
    >>> print(f"{pool([11, 29, 11], [139, 303, 220], between_study_sd_logit=0).proportion:.4f}")
    0.0770
    """
    likelihood = _Likelihood(*_checked_studies(events, n), nodes)
    level = checks.level(level)
    if between_study_sd_logit is None:
        sd, centre, terms = likelihood.maximum()
        # At tau = 0 the likelihood is level in tau, which then tells nothing of the logit.
        known_sd = sd == 0
    else:
        sd, known_sd = _checked_sd(between_study_sd_logit), True
        centre, terms = likelihood.given_sd(sd)
    information = -terms.d_logit_logit
    if not known_sd:
        information += terms.d_logit_sd**2 / terms.d_sd_sd
    se = 1 / math.sqrt(information)
    low, high = _back_transformed(centre, se, level)
    prediction_low, prediction_high = _back_transformed(centre, math.hypot(sd, se), level)
    return Pooled(
        proportion=float(expit(centre)),
        low=low,
        high=high,
        between_study_sd_logit=sd,
        logit=centre,
        logit_se=se,
        prediction_low=prediction_low,
        prediction_high=prediction_high,
        log_likelihood=terms.log_likelihood,
        studies=likelihood.n.size,
        events=int(likelihood.events.sum()),
        n=int(likelihood.n.sum()),
        level=level,
    )


def heterogeneity(
    events: Sequence[int],
    n: Sequence[int],
    level: float = 0.95,
    nodes: int = 25,
    simulations: int = 100_000,
    seed: int | np.random.Generator = 0,
) -> Heterogeneity:
    """
    Tests and measures of the differences between cohorts' true proportions.

    Parameters
    ----------
    events : sequence of int, shape (studies,)
        Patients with the event in each cohort.
    n : sequence of int, shape (studies,)
        Patients in each cohort.
    level : float, default 0.95
        Level of the limits of tau and of the median odds ratio.
    nodes : int, default 25
        Quadrature nodes for each cohort, as in `pool`.
    simulations : int, default 100000
        Tables drawn for the P-value of Pearson's chi-square.
    seed : int or numpy.random.Generator, default 0
        Seed of those draws.

    Returns
    -------
    Heterogeneity
        Tau with its profile-likelihood interval, the median odds ratio, the likelihood-ratio
        test of tau = 0 and Pearson's chi-square of homogeneity.

    Raises
    ------
    ValueError
        As `pool`; or if `simulations` is not a whole number between 1 and ten million, or the
        cohorts together hold a thousand million patients or more.

    Notes
    -----
    The profile-likelihood limits are where twice the fall of the log-likelihood from its
    maximum reaches the chi-square quantile with 1 degree of freedom; the lower limit is 0 if it
    has not done so there. Near 0 such an interval covers more often than its level says.

    The P-value of Pearson's chi-square counts the observed table among the drawn ones, and is
    therefore never 0. There is no I-squared: it rests on one within-study variance shared by
    all cohorts, which binomial counts do not have.

    References
    ----------
    Self SG, Liang KY (1987). Asymptotic properties of maximum likelihood estimators and
    likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
    Association 82:605-610.

    Larsen K, Merlo J (2005). Appropriate assessment of neighborhood effects on individual
    health: integrating random and fixed effects in multilevel logistic regression. American
    Journal of Epidemiology 161:81-88.

    Examples
    --------
    >>> found = heterogeneity([11, 29, 11, 45], [139, 303, 220, 7277])
    >>> print(f"{found.between_study_sd_low:.2f} to {found.between_study_sd_high:.2f}")
    0.62 to 2.77
    >>> print(f"{found.median_odds_ratio:.1f}")
    2.9
    """
    likelihood = _Likelihood(*_checked_studies(events, n), nodes)
    level = checks.level(level)
    sd, centre, terms = likelihood.maximum()
    at_zero = likelihood.given_sd(0.0)[1]
    ratio = max(0.0, 2 * (terms.log_likelihood - at_zero.log_likelihood))
    low, high = likelihood.sd_limits(sd, centre, terms.log_likelihood, level)
    chi_square, pearson_p = _pearson(likelihood.events, likelihood.n, simulations, seed)
    return Heterogeneity(
        between_study_sd_logit=sd,
        between_study_sd_low=low,
        between_study_sd_high=high,
        median_odds_ratio=_median_odds_ratio(sd),
        median_odds_ratio_low=_median_odds_ratio(low),
        median_odds_ratio_high=_median_odds_ratio(high),
        likelihood_ratio=ratio,
        # Half of the mixture's mass lies at 0, where every ratio is at least as large.
        likelihood_ratio_p_value=float(chi2.sf(ratio, 1) / 2) if ratio > 0 else 1.0,
        pearson_chi_square=chi_square,
        pearson_p_value=pearson_p,
        studies=likelihood.n.size,
        level=level,
    )


def leave_one_out(
    events: Sequence[int],
    n: Sequence[int],
    labels: Sequence[Hashable],
    level: float = 0.95,
) -> pd.DataFrame:
    """
    Pool the cohorts again and again, each time without one of them.

    Parameters
    ----------
    events : sequence of int, shape (studies,)
        Patients with the event in each cohort; at least three cohorts.
    n : sequence of int, shape (studies,)
        Patients in each cohort.
    labels : sequence, shape (studies,)
        Names of the cohorts.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per cohort, in the order given: ``label`` (of the one left out), and of the
        others ``proportion``, ``low``, ``high``, ``between_study_sd_logit``,
        ``prediction_low``, ``prediction_high`` (see `Pooled`).

    Raises
    ------
    ValueError
        If there are fewer than three cohorts, if `labels` has another length, or if the others
        cannot be pooled without one of them (see `pool`).

    Examples
    --------
    >>> trials = ["Aronson", "Ferguson", "Rosenthal", "Coetzee"]
    >>> leave_one_out([11, 29, 11, 45], [139, 303, 220, 7277], trials).round(3).iloc[:, :5]
           label  proportion    low   high  between_study_sd_logit
    0    Aronson       0.031  0.008  0.111                   1.196
    1   Ferguson       0.028  0.008  0.095                   1.115
    2  Rosenthal       0.036  0.008  0.138                   1.276
    3    Coetzee       0.076  0.054  0.104                   0.154
    """
    events, n = _checked_studies(events, n)
    labels = _checked_column(labels, "labels", n.size)
    if n.size < 3:
        raise ValueError(f"Leaving one out needs at least three studies, got {n.size}.")
    rows = []
    for left_out, label in enumerate(labels):
        try:
            pooled = pool(np.delete(events, left_out), np.delete(n, left_out), level)
        except ValueError as error:
            raise ValueError(f"Without {label!r}: {error}") from None
        rows.append({"label": label, **_estimates(pooled)})
    return pd.DataFrame(rows)


def one_per_group(groups: Sequence[str]) -> list[tuple[int, ...]]:
    """
    Every largest choice of cohorts that share no patients.

    Cohorts of one overlap group may have patients in common. A selection holds no two cohorts
    of the same group and is maximal: no further cohort could join it.

    Parameters
    ----------
    groups : sequence of str, shape (studies,)
        Overlap groups of each cohort, separated by semicolons; an empty or missing entry means
        none, and such a cohort is in every selection.

    Returns
    -------
    list of tuple of int
        The selections, each as ascending positions of its cohorts, in ascending order. Their
        number can double with every group.

    Raises
    ------
    ValueError
        If there is no cohort, or an entry is neither a string nor missing.

    References
    ----------
    Bron C, Kerbosch J (1973). Algorithm 457: finding all cliques of an undirected graph.
    Communications of the ACM 16:575-577.

    Examples
    --------
    The third cohort touches both groups, so it stands against the second and the fourth:

    >>> one_per_group(["", "north", "north;south", "south"])
    [(0, 1, 3), (0, 2)]
    """
    return _maximal_selections(_compatible(_checked_groups(groups)))


def pool_each_way(
    events: Sequence[int],
    n: Sequence[int],
    labels: Sequence[str],
    groups: Sequence[str],
    level: float = 0.95,
) -> pd.DataFrame:
    """
    Pool every largest choice of cohorts that share no patients.

    Parameters
    ----------
    events : sequence of int, shape (studies,)
        Patients with the event in each cohort.
    n : sequence of int, shape (studies,)
        Patients in each cohort.
    labels : sequence of str, shape (studies,)
        Names of the cohorts.
    groups : sequence of str, shape (studies,)
        Overlap groups of each cohort, as in `one_per_group`.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per selection, in the order of `one_per_group`: ``chosen`` (labels of the chosen
        cohorts that overlap with others, joined by "; "; empty if none overlap), ``studies``,
        ``events``, ``n``, ``proportion``, ``low``, ``high``, ``between_study_sd_logit``,
        ``prediction_low``, ``prediction_high`` (see `Pooled`).

    Raises
    ------
    ValueError
        If the lengths differ, or a selection cannot be pooled (see `pool`).

    Examples
    --------
    >>> frame = pool_each_way(
    ...     [11, 29, 11, 45], [139, 303, 220, 7277], list("abcd"), ["", "x", "x", ""]
    ... )
    >>> frame.round(3).iloc[:, :7]
      chosen  studies  events     n  proportion    low   high
    0      b        3      85  7719       0.036  0.008  0.138
    1      c        3      67  7636       0.028  0.008  0.095
    """
    events, n = _checked_studies(events, n)
    labels = _checked_column(labels, "labels", n.size)
    compatible = _compatible(_checked_groups(_checked_column(groups, "groups", n.size)))
    rows = []
    for selection in _maximal_selections(compatible):
        # A cohort that goes with all others, itself not counted, was never a choice.
        overlapping = [row for row in selection if len(compatible[row]) < n.size - 1]
        chosen = "; ".join(str(labels[row]) for row in overlapping)
        try:
            pooled = pool(events[list(selection)], n[list(selection)], level)
        except ValueError as error:
            raise ValueError(f"With {chosen or 'all studies'}: {error}") from None
        rows.append(
            {
                "chosen": chosen,
                "studies": pooled.studies,
                "events": pooled.events,
                "n": pooled.n,
                **_estimates(pooled),
            }
        )
    return pd.DataFrame(rows)


def predictive_probability(
    pooled: Pooled, n: int, at_least: int | None = None, at_most: int | None = None
) -> float:
    """
    Probability of so many events in a new cohort.

    The logit of the new cohort's true proportion is normal with mean `pooled.logit` and
    variance tau^2 plus the square of `pooled.logit_se`, and its events are binomial.

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
        If neither bound is given, a bound is not a whole number between 0 and `n`, or
        `at_least` exceeds `at_most`.

    References
    ----------
    Higgins JPT, Thompson SG, Spiegelhalter DJ (2009). A re-evaluation of random-effects
    meta-analysis. Journal of the Royal Statistical Society A 172:137-159.

    Examples
    --------
    >>> pooled = pool([11, 29, 11, 45], [139, 303, 220, 7277])
    >>> print(f"{predictive_probability(pooled, 50, at_least=10):.4f}")
    0.0871
    >>> print(f"{predictive_probability(pooled, 50, at_most=9):.4f}")
    0.9129
    """
    _, n = checks.counts(0, n)
    if at_least is None and at_most is None:
        raise ValueError("at_least, at_most or both must be given.")
    low = 0 if at_least is None else _checked_whole(at_least, "at_least", 0, n)
    high = n if at_most is None else _checked_whole(at_most, "at_most", 0, n)
    if low > high:
        raise ValueError(f"at_least must not exceed at_most, got {low} and {high}.")
    centre = pooled.logit
    sd = math.hypot(pooled.between_study_sd_logit, pooled.logit_se)

    def probability(logit_of_cohort: np.ndarray) -> np.ndarray:
        above = _binomial_tail(high + 1, n, logit_of_cohort)
        return _binomial_tail(low, n, logit_of_cohort) - above

    if sd == 0:
        return float(probability(np.array(centre)))
    # A binomial tail rises from 0 to 1 about the proportion at its bound, steeply if n is
    # large: the panels of the integration are narrow there.
    edges = [np.linspace(-_NORMAL_RANGE, _NORMAL_RANGE, 37)]
    for bound in (low, high + 1):
        if 0 < bound <= n:
            share = (bound - 0.5) / n
            width = 1 / math.sqrt(n * share * (1 - share))
            edges.append((logit(share) + width * _PANELS - centre) / sd)
    edges = np.unique(np.clip(np.concatenate(edges), -_NORMAL_RANGE, _NORMAL_RANGE))
    nodes, weights = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    z = edges[:-1, None] + half * (1 + nodes)
    value = (half * weights * norm.pdf(z) * probability(centre + sd * z)).sum()
    return min(max(float(value), 0.0), 1.0)


@dataclass(frozen=True)
class _Terms:
    """Log-likelihood with its first and second derivatives by mean logit and tau."""

    log_likelihood: float
    d_logit: float
    d_sd: float
    d_logit_logit: float
    d_logit_sd: float
    d_sd_sd: float


class _Likelihood:
    """Marginal log-likelihood of the mean logit and tau, and where it is largest."""

    def __init__(self, events: np.ndarray, n: np.ndarray, nodes: int) -> None:
        if not 0 < events.sum() < n.sum():
            which = "No study has an event" if events.sum() == 0 else "Every patient has the event"
            raise ValueError(f"{which}: the pooled logit has no finite estimate.")
        self.events, self.n = events, n
        self._nodes, self._log_weights = _quadrature(_checked_whole(nodes, "nodes", 5, 200))
        self._log_coefficient = -(np.log1p(n) + betaln(n - events + 1, events + 1)).sum()
        share = (events + 0.5) / (n + 1)
        self._empirical_logit, self._information = logit(share), n * share * (1 - share)

    def at(self, centre: float, sd: float) -> _Terms:
        """
        Evaluate at one mean logit and one tau.

        A cohort's true logit is eta = centre + sd * u with u standard normal. Derivatives of
        the log-likelihood are means and covariances, given the cohort's counts, of derivatives
        for known u, or for known eta (Louis 1982, J R Stat Soc B 44:226-233). Both are exact;
        the first loses digits, and needs more nodes, when a cohort says more about its logit
        than the others do, the second in the opposite case.
        """
        events, n = self.events[:, None], self.n[:, None]
        mode, scale = self._modes(centre, sd)
        u = mode + scale * self._nodes
        eta = centre + sd * u
        log_integrand = events * eta - n * np.logaddexp(0, eta) - u**2 / 2
        # Over the weight function of the quadrature, a normal density.
        log_terms = self._log_weights + self._nodes**2 / 2 + log_integrand
        largest = log_terms.max(axis=1, keepdims=True)
        weights = np.exp(log_terms - largest)
        total = weights.sum(axis=1, keepdims=True)
        weights /= total

        proportion = expit(eta)
        residual, curvature = events - n * proportion, -n * proportion * expit(-eta)
        known_u = _louis(
            weights,
            (residual, u * residual),
            (curvature, u * curvature, u**2 * curvature),
        )
        # Of the order of the square of tau over a cohort's sampling error.
        informative = sd**2 * self._information >= 1
        some_sd = sd if informative.any() else 1.0
        known_eta = _louis(
            weights,
            (u / some_sd, (u**2 - 1) / some_sd),
            (-1 / some_sd**2, -2 * u / some_sd**2, (1 - 3 * u**2) / some_sd**2),
        )
        log_likelihood = (largest + np.log(scale * total)).sum() + self._log_coefficient
        derivatives = np.where(informative, known_eta, known_u).sum(axis=1)
        return _Terms(float(log_likelihood), *derivatives.tolist())

    def given_sd(self, sd: float, start: float | None = None) -> tuple[float, _Terms]:
        """Maximise over the mean logit, in which the log-likelihood is concave."""
        crude = float(logit(self.events.sum() / self.n.sum()))
        centre = crude if start is None else start
        low, high = -math.inf, math.inf
        for _ in range(200):
            terms = self.at(centre, sd)
            if terms.d_logit > 0:
                low = centre
            else:
                high = centre
            # Newton's step, cut to a length over which the curvature can be trusted to last.
            step = -terms.d_logit / terms.d_logit_logit
            step = math.copysign(min(abs(step), 1 + sd), step)
            if abs(step) < 1e-9 or high - low < 1e-12:
                break
            centre += step
            # Where tau is so large that the quadrature is rough, Newton's steps can circle.
            if not low < centre < high:
                centre = (low + high) / 2
        return centre, terms

    def maximum(self) -> tuple[float, float, _Terms]:
        """Tau, mean logit and derivatives at the highest maximum."""
        if self.n.size < 2:
            raise ValueError(
                "The variation between studies cannot be estimated from one study; pool at "
                "least two, or give between_study_sd_logit."
            )
        best_sd, (best_centre, best) = 0.0, self.given_sd(0.0)
        if self.n.max() == 1:
            # The likelihood depends on tau and the mean logit only through one proportion.
            return best_sd, best_centre, best
        if ((self.events == 0) | (self.events == self.n)).all():
            raise ValueError(
                "Every study has either no events or only events: the standard deviation "
                "between studies has no finite estimate."
            )
        profile = self._profile
        if profile[-1][2].d_sd > 0:
            raise ValueError(
                f"The standard deviation between studies exceeds {_LARGEST_SD:g} on the logit "
                "scale and cannot be estimated."
            )
        for (low, centre, left), (high, _, right) in pairwise(profile):
            if low == 0:
                # The slope at 0 is 0 even where the likelihood rises from there.
                low = high / 1e4
                left = self.given_sd(low, centre)[1]
            if not left.d_sd > 0 >= right.d_sd:
                continue
            sd = brentq(
                lambda sd, start=centre: self.given_sd(sd, start)[1].d_sd, low, high, xtol=1e-13
            )
            candidate_centre, candidate = self.given_sd(sd, centre)
            if candidate.log_likelihood > best.log_likelihood + _TIE:
                best_sd, best_centre, best = float(sd), candidate_centre, candidate
        return best_sd, best_centre, best

    def sd_limits(
        self, sd: float, centre: float, log_likelihood: float, level: float
    ) -> tuple[float, float]:
        """
        Profile-likelihood limits of tau about its estimate.

        Should the likelihood have two maxima, both high enough, the limits enclose both.
        """
        largest_fall = chi2.ppf(level, 1)

        def excess(other_sd: float) -> float:
            terms = self.given_sd(other_sd, centre)[1]
            return 2 * (log_likelihood - terms.log_likelihood) - largest_fall

        known = [
            (at, 2 * (log_likelihood - terms.log_likelihood) - largest_fall)
            for at, _, terms in self._profile
        ]
        known = sorted([*known, (sd, -largest_fall)])
        inside = [position for position, (_, fall) in enumerate(known) if fall <= 0]
        first, last = inside[0], inside[-1]
        low, high = 0.0, math.inf
        if first > 0:
            low = float(brentq(excess, known[first - 1][0], known[first][0]))
        if self.n.max() > 1 and last < len(known) - 1:
            high = float(brentq(excess, known[last][0], known[last + 1][0]))
        return low, high

    @cached_property
    def _profile(self) -> list[tuple[float, float, _Terms]]:
        """Best mean logit for tau = 0 and on a grid from below any sampling error to 50."""
        # The logit of a proportion among n patients has a standard error of at least 2/sqrt(n);
        # below a tenth of that the log-likelihood is all but straight in the square of tau.
        smallest = 0.2 / math.sqrt(self.n.max())
        steps = math.ceil(math.log(_LARGEST_SD / smallest) / math.log(_GRID_RATIO))
        profile, start = [], None
        for sd in (0.0, *np.geomspace(smallest, _LARGEST_SD, steps + 1).tolist()):
            start, terms = self.given_sd(sd, start)
            profile.append((sd, start, terms))
        return profile

    def _modes(self, centre: float, sd: float) -> tuple[np.ndarray, np.ndarray]:
        """Mode of each cohort's integrand in u, and its scale, by safeguarded Newton steps."""
        events, n = self.events, self.n
        # At the mode u is sd times the residual there, which is nearer to 0 than at u = 0.
        end = sd * (events - n * expit(centre))
        low, high = np.minimum(end, 0), np.maximum(end, 0)
        weight = sd * self._information
        u = np.clip(weight * (self._empirical_logit - centre) / (1 + sd * weight), low, high)
        for _ in range(200):
            eta = centre + sd * u
            proportion = expit(eta)
            slope = sd * (events - n * proportion) - u
            curvature = 1 + sd**2 * n * proportion * expit(-eta)
            low, high = np.where(slope > 0, u, low), np.where(slope > 0, high, u)
            step = slope / curvature
            if (np.abs(step) * np.sqrt(curvature) < 1e-8).all():
                break
            u = u + step
            u = np.where((u < low) | (u > high), (low + high) / 2, u)
        return u[:, None], 1 / np.sqrt(curvature)[:, None]


def _louis(
    weights: np.ndarray,
    scores: tuple[np.ndarray, np.ndarray],
    hessian: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """First and second derivatives, in the order of `_Terms`, of each cohort's integral."""
    first, second = scores
    by_first, by_second = (weights * first).sum(axis=1), (weights * second).sum(axis=1)
    first, second = first - by_first[:, None], second - by_second[:, None]
    products = (first**2, first * second, second**2)
    seconds = [
        (weights * (product + known)).sum(axis=1)
        for product, known in zip(products, hessian, strict=True)
    ]
    return np.array([by_first, by_second, *seconds])


@lru_cache
def _quadrature(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Hermite nodes and log-weights for the mean of a standard normal variable."""
    points, weights = roots_hermitenorm(nodes)
    return points, np.log(weights / weights.sum())


def _back_transformed(centre: float, sd: float, level: float) -> tuple[float, float]:
    half = norm.ppf((1 + level) / 2) * sd
    return float(expit(centre - half)), float(expit(centre + half))


def _median_odds_ratio(sd: float) -> float:
    return math.exp(math.sqrt(2) * sd * norm.ppf(0.75))


def _estimates(pooled: Pooled) -> dict[str, float]:
    columns = ("proportion", "low", "high", "between_study_sd_logit")
    columns += ("prediction_low", "prediction_high")
    return {column: getattr(pooled, column) for column in columns}


def _pearson(
    events: np.ndarray, n: np.ndarray, simulations: int, seed: int | np.random.Generator
) -> tuple[float, float]:
    """Pearson's chi-square of homogeneity and its P-value among tables with the same margins."""
    simulations = _checked_whole(simulations, "simulations", 1, 10**7)
    if n.sum() >= _LARGEST_DRAW:
        raise ValueError(
            f"The studies together must hold fewer than {_LARGEST_DRAW} patients for Pearson's "
            f"test to be simulated, got {n.sum()}."
        )
    share = events.sum() / n.sum()

    def chi_square(tables: np.ndarray) -> np.ndarray:
        return ((tables - n * share) ** 2 / (n * share * (1 - share))).sum(axis=-1)

    observed = chi_square(events)
    tables = np.random.default_rng(seed).multivariate_hypergeometric(
        n, events.sum(), size=simulations, method="marginals"
    )
    # Tables as unlikely as the observed one must not be lost to rounding.
    extreme = (chi_square(tables) >= observed * (1 - 1e-9)).sum()
    return float(observed), float((1 + extreme) / (1 + simulations))


def _binomial_tail(at_least: int, n: int, logit_of_proportion: np.ndarray) -> np.ndarray:
    """P(X >= at_least) for X binomial."""
    if at_least <= 0:
        return np.ones_like(logit_of_proportion)
    if at_least > n:
        return np.zeros_like(logit_of_proportion)
    return betainc(at_least, n - at_least + 1, expit(logit_of_proportion))


def _compatible(groups: list[frozenset[str]]) -> list[set[int]]:
    """For each row the other rows it shares no group with."""
    return [
        {other for other, touched in enumerate(groups) if other != row and not own & touched}
        for row, own in enumerate(groups)
    ]


def _maximal_selections(compatible: list[set[int]]) -> list[tuple[int, ...]]:
    """All maximal sets of mutually compatible rows, by Bron and Kerbosch with a pivot."""
    found = []

    def extend(selected: set[int], candidates: set[int], excluded: set[int]) -> None:
        if not candidates and not excluded:
            found.append(tuple(sorted(selected)))
            return
        # Every maximal set holds the pivot or a row incompatible with it.
        pivot = max(candidates | excluded, key=lambda row: len(compatible[row] & candidates))
        for row in candidates - compatible[pivot]:
            extend(selected | {row}, candidates & compatible[row], excluded & compatible[row])
            candidates = candidates - {row}
            excluded = excluded | {row}

    extend(set(), set(range(len(compatible))), set())
    return sorted(found)


def _checked_studies(events: Sequence[int], n: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    events, n = _checked_column(events, "events"), _checked_column(n, "n")
    if len(events) != len(n):
        raise ValueError(
            f"events and n must have one entry per study each, got {len(events)} and {len(n)}."
        )
    checked = []
    for position, pair in enumerate(zip(events, n, strict=True)):
        try:
            checked.append(checks.counts(*pair))
        except ValueError as error:
            raise ValueError(f"Study at position {position}: {error}") from None
    return tuple(np.array(checked, dtype=np.int64).T)


def _checked_column(values: Iterable, name: str, studies: int | None = None) -> list:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a sequence with one entry per study, got {values!r}.")
    values = list(values)
    if not values:
        raise ValueError(f"{name} must hold at least one study.")
    if studies is not None and len(values) != studies:
        raise ValueError(f"{name} must have one entry per study, {studies}, got {len(values)}.")
    return values


def _checked_groups(groups: Iterable[str]) -> list[frozenset[str]]:
    checked = []
    for position, entry in enumerate(_checked_column(groups, "groups")):
        if is_scalar(entry) and pd.isna(entry):
            entry = ""
        if not isinstance(entry, str):
            raise ValueError(
                f"The group at position {position} must be a string or missing, got {entry!r}."
            )
        checked.append(frozenset(filter(None, map(str.strip, entry.split(";")))))
    return checked


def _checked_sd(sd: float) -> float:
    if isinstance(sd, bool) or not isinstance(sd, Real) or not 0 <= sd <= _LARGEST_SD:
        raise ValueError(
            f"between_study_sd_logit must lie between 0 and {_LARGEST_SD:g}, got {sd!r}."
        )
    return float(sd)


def _checked_whole(value: int, name: str, smallest: int, largest: int) -> int:
    whole = isinstance(value, Real) and not isinstance(value, bool) and value == value // 1
    if not whole or not smallest <= value <= largest:
        raise ValueError(
            f"{name} must be a whole number between {smallest} and {largest}, got {value!r}."
        )
    return int(value)
