"""
How much prior opinion it would take to change the conclusion of a two-arm comparison.

Everything is computed from the events and patients of two arms, by closed forms and quadrature;
nothing is simulated. Arm a is compared with arm b. Two families of priors are used: independent
Beta distributions for the two event probabilities, and a normal distribution for the log odds
ratio.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import exp, inf, isfinite, log, sqrt
from numbers import Real
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.polynomial import Chebyshev
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import betainc, betaincc, betainccinv, betaincinv, betaln, expit
from scipy.stats import norm

from rdmas.stats import checks
from rdmas.stats.two_by_two._effects import DIFFERENCE, NUMBER_NEEDED, ODDS_RATIO, RATIO

Prior = str | tuple[float, float]

Shapes = tuple[float, float]

Vector = NDArray[np.float64]

#: Parameters (a, b) of the Beta priors that can be given by name: Jeffreys' prior, the uniform
#: distribution of Bayes and Laplace, and Kerman's neutral prior, under which the posterior
#: median lies close to the observed proportion.
BETA_PRIORS = MappingProxyType(
    {"Jeffreys": (0.5, 0.5), "uniform": (1.0, 1.0), "Kerman": (1 / 3, 1 / 3)}
)

#: What the second unknown of `logistic_posterior` is: the mean of the two log odds, which treats
#: the arms alike, or the log odds in arm b, as in a logistic regression on the arm.
BASELINES = MappingProxyType(
    {"average": "mean of the log odds in both arms", "arm b": "log odds in arm b"}
)


def posterior_effects(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    prior_a: Prior = "Jeffreys",
    prior_b: Prior = "Jeffreys",
    level: float = 0.95,
    *,
    desirable: bool = True,
) -> pd.DataFrame:
    """
    Posterior medians and intervals of the effect measures, arm a against arm b.

    The Bayesian counterpart of `rdmas.stats.two_by_two.effects`: independent Beta priors, equal-tailed
    intervals, by quadrature.

    The number needed to treat is the reciprocal of the risk difference's posterior median and
    limits. If the limits have one sign, there is one row, benefit or harm. If the interval
    includes zero, there is one row for each, and both reach to infinity (Altman 1998); the
    median stands in the row of its direction, and the other row has NaN.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    prior_a, prior_b : str or tuple of two floats, default "Jeffreys"
        Beta prior of each arm: a key of `BETA_PRIORS` or the parameters (a, b).
    level : float, default 0.95
        Posterior probability of the intervals, strictly between 0 and 1.
    desirable : bool, default True
        Whether the event is a good outcome (survival, response). It only decides which number
        needed to treat is the benefit of arm a: more events (True) or fewer (False).

    Returns
    -------
    pandas.DataFrame
        With the columns ``measure``, ``direction`` ("a minus b", "a over b", "benefit" or
        "harm"), ``median``, ``low`` and ``high``.

    Raises
    ------
    ValueError
        If the counts, a prior or the level are impossible.

    References
    ----------
    Altman DG (1998). Confidence intervals for the number needed to treat. BMJ 317:1309-1312.

    Examples
    --------
    Survival after standard against high-dose adrenaline in children (Perondi 2004):

    >>> posterior_effects(7, 34, 1, 34).round(4)
                      measure  direction  median     low     high
    0         risk difference  a minus b  0.1683  0.0296   0.3294
    1              risk ratio   a over b  6.0136  1.3009  68.4698
    2              odds ratio   a over b  7.4526  1.3533  91.2243
    3  number needed to treat    benefit  5.9432  3.0360  33.7719
    """
    pair = _checked_pair((events_a, n_a, events_b, n_b), prior_a, prior_b)
    level = checks.level(level)
    rows = []
    for measure, scale in _SCALES.items():
        direction = "a minus b" if measure == DIFFERENCE else "a over b"
        median, low, high = (scale.shown(pair.quantile(scale, p)) for p in _tails(level))
        rows.append((measure, direction, median, low, high))
    sign = 1 if desirable else -1
    median, *limits = (sign * value for value in rows[0][2:])
    low, high = sorted(limits)
    for direction, centre, near, far in (
        ("benefit", median, high, low),
        ("harm", -median, -low, -high),
    ):
        if near > 0:
            needed = 1 / centre if centre > 0 else np.nan
            rows.append((NUMBER_NEEDED, direction, needed, 1 / near, 1 / far if far > 0 else inf))
    return pd.DataFrame(rows, columns=["measure", "direction", "median", "low", "high"])


def probability_better(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    margins: Iterable[float] = (0, 0.1, 0.2),
    priors: Mapping[str, tuple[float, float]] = BETA_PRIORS,
) -> pd.DataFrame:
    """
    Posterior probability that the event is likelier in arm a, by more than each margin.

    Better is meant for a desirable event, such as survival. For an undesirable one exchange the
    arms, or give the patients without it.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    margins : iterable of float, default (0, 0.1, 0.2)
        Differences of the event probabilities, a minus b, strictly between -1 and 1.
    priors : mapping of str to tuple of two floats, default `BETA_PRIORS`
        Beta priors by name; each is used in both arms, independently.

    Returns
    -------
    pandas.DataFrame
        With the columns ``prior``, ``margin`` and ``probability``.

    Raises
    ------
    ValueError
        If the counts, a margin or a prior are impossible, or there is no margin or no prior.

    References
    ----------
    Altham PME (1969). Exact Bayesian analysis of a 2 x 2 contingency table, and Fisher's
    "exact" significance test. Journal of the Royal Statistical Society, Series B 31:261-269.

    Examples
    --------
    >>> probability_better(7, 34, 1, 34, margins=(0, 0.1)).round(4)
          prior  margin  probability
    0  Jeffreys     0.0       0.9906
    1  Jeffreys     0.1       0.8296
    2   uniform     0.0       0.9862
    3   uniform     0.1       0.8062
    4    Kerman     0.0       0.9920
    5    Kerman     0.1       0.8379
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    margins = _checked_margins(margins)
    if not isinstance(priors, Mapping) or not priors:
        raise ValueError(f"priors must map at least one name to a Beta prior, got {priors!r}.")
    rows = []
    for name, prior in priors.items():
        pair = _checked_pair(table, prior, prior)
        rows.extend((name, margin, pair.above(_SCALES[DIFFERENCE], margin)) for margin in margins)
    return pd.DataFrame(rows, columns=["prior", "margin", "probability"])


def power_prior_curve(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    weights: Iterable[float],
    prior: Prior = "Jeffreys",
    level: float = 0.95,
    margins: Iterable[float] = (0,),
) -> pd.DataFrame:
    """
    Posterior of the risk difference as historical controls are discounted.

    The likelihood of arm b is raised to a fixed weight between 0 and 1 (power prior), so that
    its posterior is Beta(a0 + weight x events, b0 + weight x non-events): at 1 each control
    counts as one patient, at 0 the controls are ignored and arm b keeps its prior. Arm a counts
    in full.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients among the historical controls, arm b.
    weights : iterable of float
        Weights from 0 to 1.
    prior : str or tuple of two floats, default "Jeffreys"
        Beta prior of both arms before any patient: a key of `BETA_PRIORS` or (a, b).
    level : float, default 0.95
        Posterior probability of the equal-tailed interval.
    margins : iterable of float, default (0,)
        Margins of the probability that a is better, as in `probability_better`.

    Returns
    -------
    pandas.DataFrame
        One row per weight and margin, with the columns ``weight``, ``effective_controls``
        (weight times patients in arm b), ``median``, ``low`` and ``high`` of the risk
        difference a minus b, ``margin`` and ``probability``.

    Raises
    ------
    ValueError
        If the counts, the weights, the prior, the level or the margins are impossible.

    References
    ----------
    Ibrahim JG, Chen MH (2000). Power prior distributions for regression models. Statistical
    Science 15:46-60.

    Examples
    --------
    >>> power_prior_curve(7, 34, 1, 34, [1, 0.5]).round(4)
       weight  effective_controls  median     low    high  margin  probability
    0     1.0                34.0  0.1683  0.0296  0.3294     0.0       0.9906
    1     0.5                17.0  0.1594 -0.0187  0.3265     0.0       0.9635
    """
    events_a, n_a, events_b, n_b = checks.table(events_a, n_a, events_b, n_b)
    weights = _checked_weights(weights)
    prior = _checked_prior(prior)
    level = checks.level(level)
    margins = _checked_margins(margins)
    scale = _SCALES[DIFFERENCE]
    rows = []
    for weight in weights:
        pair = _discounted(events_a, n_a, events_b, n_b, prior, weight)
        summary = tuple(pair.quantile(scale, p) for p in _tails(level))
        rows.extend(
            (weight, weight * n_b, *summary, margin, pair.above(scale, margin))
            for margin in margins
        )
    columns = ["weight", "effective_controls", "median", "low", "high", "margin", "probability"]
    return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class PowerPriorTipping:
    """
    Weight of the historical controls at which a conclusion is lost.

    Attributes
    ----------
    weight : float or None
        The weight, or None if there is none between 0 and 1.
    effective_controls : float or None
        The weight times the number of controls, or None.
    excludes_at_full_weight : bool
        Whether the interval excludes the margin when all controls count in full. Where `weight`
        is None, False means that the conclusion was never there, True that no discounting takes
        it away.
    """

    weight: float | None
    effective_controls: float | None
    excludes_at_full_weight: bool


def power_prior_tipping(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    prior: Prior = "Jeffreys",
    level: float = 0.95,
    margin: float = 0.0,
) -> PowerPriorTipping:
    """
    Weight of the controls at which the interval of the difference starts to include a margin.

    The weight is lowered from 1 until the equal-tailed posterior interval of `power_prior_curve`
    first touches the margin. The search steps by 1/200 and then refines, so that the first
    crossing is found even where there are several (which takes a prior at odds with the data).

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients among the historical controls, arm b.
    prior : str or tuple of two floats, default "Jeffreys"
        Beta prior of both arms: a key of `BETA_PRIORS` or (a, b), both above 0, since arm b is
        left with it at weight 0.
    level : float, default 0.95
        Posterior probability of the interval.
    margin : float, default 0.0
        Difference of the event probabilities, a minus b.

    Returns
    -------
    PowerPriorTipping
        The weight and the number of controls it amounts to.

    Raises
    ------
    ValueError
        If the counts, the prior, the level or the margin are impossible.

    References
    ----------
    Ibrahim JG, Chen MH (2000). Power prior distributions for regression models. Statistical
    Science 15:46-60.

    Examples
    --------
    >>> tipping = power_prior_tipping(7, 34, 1, 34)
    >>> print(f"weight {tipping.weight:.3f}, {tipping.effective_controls:.1f} controls")
    weight 0.616, 21.0 controls
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    prior = _checked_prior(prior)
    half = (1 - checks.level(level)) / 2
    (margin,) = _checked_margins([margin])

    def excess(weight: float) -> float:
        above = _discounted(*table, prior, weight).above(_SCALES[DIFFERENCE], margin)
        return min(above, 1 - above) - half

    if excess(1.0) >= 0:
        return PowerPriorTipping(None, None, excludes_at_full_weight=False)
    grid = np.linspace(1, 0, 201)
    for upper, lower in itertools.pairwise(grid):
        if excess(lower) >= 0:
            weight = float(brentq(excess, lower, upper, xtol=1e-12))
            return PowerPriorTipping(weight, weight * table[3], excludes_at_full_weight=True)
    return PowerPriorTipping(None, None, excludes_at_full_weight=True)


def logistic_posterior(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    prior_mean: float,
    prior_sd: float,
    level: float = 0.95,
    *,
    baseline: str = "average",
    baseline_mean: float = 0.0,
    baseline_sd: float = 2.5,
) -> pd.DataFrame:
    """
    Posterior of the odds ratio with binomial likelihood and normal prior, by quadrature.

    The counts are two independent binomials. The log odds ratio, a against b, has a normal
    prior; so has, independently, the baseline: the mean of the log odds in both arms
    (``average``: exchanging the arms inverts the odds ratio and changes nothing else) or the log
    odds in arm b (``arm b``: as in a logistic regression). With the default standard deviation
    of 2.5, 95% of the prior lies between probabilities of 0.7% and 99.3%. Every table has a
    proper posterior, also with empty cells.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    prior_mean, prior_sd : float
        Prior mean and standard deviation (at most 10) of the log odds ratio.
    level : float, default 0.95
        Posterior probability of the equal-tailed interval.
    baseline : {"average", "arm b"}
        A key of `BASELINES`.
    baseline_mean, baseline_sd : float
        Prior mean and standard deviation (at most 10) of the baseline, on the logit scale.

    Returns
    -------
    pandas.DataFrame
        One row with the columns ``likelihood``, ``prior_mean``, ``prior_sd``, ``odds_ratio``
        (posterior median), ``low``, ``high`` and ``probability_above_1``.

    Raises
    ------
    ValueError
        If the counts, the priors or the level are impossible.

    Examples
    --------
    >>> posterior = logistic_posterior(7, 34, 1, 34, prior_mean=0, prior_sd=1)
    >>> posterior[["odds_ratio", "low", "high", "probability_above_1"]].round(3)
       odds_ratio    low   high  probability_above_1
    0       3.136  0.929  11.76                0.967
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    level = checks.level(level)
    nuisance = _checked_baseline(baseline, baseline_mean, baseline_sd)
    prior_mean = _checked_number(prior_mean, "prior_mean")
    prior_sd = _checked_width(prior_sd, "prior_sd")
    posterior = _LogOddsRatio(table, prior_mean, prior_sd, *nuisance)
    quantiles = [posterior.quantile(p) for p in _tails(level)]
    return _posterior_row("binomial", prior_mean, prior_sd, quantiles, 1 - posterior.cdf(0.0))


def prior_family(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    benefit_odds_ratio: float,
    tail: float = 0.05,
    neutral_sd: float = 2.5,
    level: float = 0.95,
    *,
    baseline: str = "average",
    baseline_mean: float = 0.0,
    baseline_sd: float = 2.5,
) -> pd.DataFrame:
    """
    Posterior of the odds ratio under a sceptical, a neutral and an enthusiastic prior.

    The priors of the log odds ratio are normal. A benefit is declared beforehand, as for a
    sample size. The sceptical prior is centred at no effect and leaves the probability `tail`
    to effects beyond the declared benefit. The enthusiastic prior is centred at the declared
    benefit and leaves `tail` to no benefit or harm; its standard deviation is therefore the
    same. The neutral prior is centred at no effect and wide: with the default standard
    deviation of 2.5 its 95% interval of the odds ratio is 1/134 to 134.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b.
    benefit_odds_ratio : float
        Declared odds ratio, a against b: below 1 for an undesirable event (0.5 for death), above
        1 for a desirable one (2 for survival).
    tail : float, default 0.05
        Prior probability in the tail that defines the priors, strictly between 0 and 0.5.
    neutral_sd : float, default 2.5
        Standard deviation of the neutral prior, at most 10.
    level : float, default 0.95
        Posterior probability of the equal-tailed interval.
    baseline, baseline_mean, baseline_sd
        As in `logistic_posterior`.

    Returns
    -------
    pandas.DataFrame
        Three rows with the columns ``prior``, ``prior_mean``, ``prior_sd``, ``odds_ratio``
        (posterior median), ``low``, ``high`` and ``probability_benefit`` (that the odds ratio is
        on the side of 1 where the declared benefit is).

    Raises
    ------
    ValueError
        If the counts, the declared benefit, the priors or the level are impossible.

    References
    ----------
    Spiegelhalter DJ, Freedman LS, Parmar MKB (1994). Bayesian approaches to randomized trials.
    Journal of the Royal Statistical Society, Series A 157:357-416.

    Fayers PM, Ashby D, Parmar MKB (1997). Tutorial in biostatistics: Bayesian data monitoring
    in clinical trials. Statistics in Medicine 16:1413-1430.

    Examples
    --------
    Death in the GREAT trial (13 of 163 against 23 of 148) with a declared odds ratio of 0.5:

    >>> family = prior_family(13, 163, 23, 148, benefit_odds_ratio=0.5)
    >>> family.drop(columns=["prior_mean", "prior_sd"]).round(3)
              prior  odds_ratio    low   high  probability_benefit
    0     sceptical       0.648  0.378  1.104                0.945
    1       neutral       0.475  0.228  0.958                0.981
    2  enthusiastic       0.483  0.279  0.826                0.996
    """
    benefit = log(_checked_benefit(benefit_odds_ratio))
    tail = _checked_number(tail, "tail")
    if not 0 < tail < 0.5:
        raise ValueError(f"tail must lie strictly between 0 and 0.5, got {tail}.")
    spread = abs(benefit) / float(norm.isf(tail))
    rows = []
    for name, mean, sd in (
        ("sceptical", 0.0, spread),
        ("neutral", 0.0, _checked_width(neutral_sd, "neutral_sd")),
        ("enthusiastic", benefit, spread),
    ):
        row = logistic_posterior(
            events_a,
            n_a,
            events_b,
            n_b,
            mean,
            sd,
            level,
            baseline=baseline,
            baseline_mean=baseline_mean,
            baseline_sd=baseline_sd,
        )
        above = row.pop("probability_above_1")
        row["probability_benefit"] = above if benefit > 0 else 1 - above
        rows.append(row.drop(columns="likelihood").assign(prior=name))
    frame = pd.concat(rows, ignore_index=True)
    return frame[["prior", *frame.columns.drop("prior")]]


def prior_interval(prior_mean: float, prior_sd: float, level: float = 0.95) -> tuple[float, float]:
    """
    Central interval of the odds ratio under a normal prior of its logarithm.

    Parameters
    ----------
    prior_mean, prior_sd : float
        Mean and standard deviation of the log odds ratio; the standard deviation may be infinite.
    level : float, default 0.95
        Prior probability of the interval.

    Returns
    -------
    low, high : float
        Odds ratios between which the prior puts that probability.

    Raises
    ------
    ValueError
        If the mean is not finite, the standard deviation not positive or the level impossible.

    Examples
    --------
    >>> print("{:.3f} to {:.3f}".format(*prior_interval(0, 0.4214, 0.9)))
    0.500 to 2.000
    """
    prior_mean = _checked_number(prior_mean, "prior_mean")
    if prior_sd == inf:
        return 0.0, inf
    half_width = _critical(checks.level(level)) * _checked_positive(prior_sd, "prior_sd")
    return _exp(prior_mean - half_width), _exp(prior_mean + half_width)


# Tail probability beyond which a Beta distribution is left out of a quadrature.
_NEGLIGIBLE = 1e-17

# Smallest parameter of a posterior: below, too much probability lies closer to 0 or 1 than the
# nodes of the quadrature reach.
_SMALLEST_SHAPE = 0.05

# Double exponential rule on (0, 1): distances of the nodes from both ends, each to full relative
# accuracy, and weights. It converges exponentially also where the integrand has an algebraic
# singularity at an end, as Beta densities do. Halving the step changes nothing above 1e-14.
_STEPS = np.arange(-6, 6.001, 0.04)

_FROM_START = expit(np.pi * np.sinh(_STEPS))

_FROM_END = expit(-np.pi * np.sinh(_STEPS))

_WEIGHTS = 0.04 * np.pi * np.cosh(_STEPS) * _FROM_START * _FROM_END


@dataclass(frozen=True)
class _Scale:
    """
    An effect measure as a number x that rises with the probability in arm a.

    `arm_a` gives the probability in arm a from the one in arm b (and its complement) and x;
    `arm_b` inverts it; `shown` turns x into the measure.
    """

    arm_a: Callable[[Vector, Vector, float], Vector]
    arm_b: Callable[[float, float], float]
    shown: Callable[[float], float]


_SCALES = {
    DIFFERENCE: _Scale(lambda p, _, x: p + x, lambda p, x: p - x, float),
    RATIO: _Scale(lambda p, _, x: p * exp(x), lambda p, x: p * exp(-x), exp),
    ODDS_RATIO: _Scale(
        lambda p, q, x: p * exp(x) / (q + p * exp(x)),
        lambda p, x: p * exp(-x) / (1 - p + p * exp(-x)),
        exp,
    ),
}


class _BetaPair:
    """Effect measures of two independent Beta distributed probabilities."""

    def __init__(self, shapes_a: Shapes, shapes_b: Shapes) -> None:
        self.shapes_a, self.shapes_b = shapes_a, shapes_b
        self.support_a, self.support_b = _support(*shapes_a), _support(*shapes_b)

    def cdf(self, scale: _Scale, x: float) -> float:
        """P(measure <= x): the expected distribution function of arm a, over arm b."""
        # Where arm a's distribution function is 0 there is nothing to add; where it is 1 the
        # rest of arm b's distribution is; the integral covers what lies between.
        start, end = (min(max(scale.arm_b(p, x), 0.0), 1.0) for p in self.support_a)
        total = float(betaincc(*self.shapes_b, end))
        low, high = max(start, self.support_b[0]), min(end, self.support_b[1])
        if low < high:
            p = low + (high - low) * _FROM_START
            q = (1 - high) + (high - low) * _FROM_END
            a, b = self.shapes_b
            density = np.exp((a - 1) * np.log(p) + (b - 1) * np.log(q) - betaln(a, b))
            mass = (high - low) * _WEIGHTS * density
            # The other distribution function is the costly part: most nodes carry nothing.
            kept = mass > _NEGLIGIBLE / 1000
            other = np.clip(scale.arm_a(p[kept], q[kept], x), 0, 1)
            total += float(mass[kept] @ betainc(*self.shapes_a, other))
        return min(max(total, 0.0), 1.0)

    def above(self, scale: _Scale, x: float) -> float:
        """P(measure > x)."""
        return 1 - self.cdf(scale, x)

    def quantile(self, scale: _Scale, probability: float) -> float:
        """The x at which the distribution function is `probability`."""
        width = 1.0
        while self.cdf(scale, -width) > probability or self.cdf(scale, width) < probability:
            width *= 2
        return float(brentq(lambda x: self.cdf(scale, x) - probability, -width, width, xtol=1e-13))


def _support(a: float, b: float) -> tuple[float, float]:
    return float(betaincinv(a, b, _NEGLIGIBLE)), float(betainccinv(a, b, _NEGLIGIBLE))


def _shapes(events: int, n: int, prior: tuple[float, float], weight: float = 1.0) -> Shapes:
    shapes = prior[0] + weight * events, prior[1] + weight * (n - events)
    if min(shapes) < _SMALLEST_SHAPE:
        raise ValueError(
            f"The posterior Beta({shapes[0]:g}, {shapes[1]:g}) is improper or nearly so: both"
            f" parameters must be at least {_SMALLEST_SHAPE}, which a larger prior would ensure."
        )
    return shapes


def _checked_pair(table: tuple[int, int, int, int], prior_a: Prior, prior_b: Prior) -> _BetaPair:
    events_a, n_a, events_b, n_b = checks.table(*table)
    return _BetaPair(
        _shapes(events_a, n_a, _checked_prior(prior_a)),
        _shapes(events_b, n_b, _checked_prior(prior_b)),
    )


def _discounted(
    events_a: int, n_a: int, events_b: int, n_b: int, prior: tuple[float, float], weight: float
) -> _BetaPair:
    return _BetaPair(_shapes(events_a, n_a, prior), _shapes(events_b, n_b, prior, weight))


# Largest standard deviation of a prior on the logit scale. It already is flat for any purpose,
# and much wider ones would need other quadrature in tables with empty cells.
_WIDEST = 10.0

# Drop of the log density from its peak beyond which the posterior is left out: exp(-40) = 4e-18.
_DROP = 40.0

# Largest degree of the polynomial for the posterior density, and size of the last coefficients,
# relative to the largest, at which it is taken as exact.
_LARGEST_DEGREE = 4096

_RESOLVED = 1e-12


class _LogOddsRatio:
    """
    Posterior of the log odds ratio t with binomial likelihood and normal priors.

    The log odds are m + wa t in arm a and m - wb t in arm b. The joint log density of (t, m) is
    concave, so that a box on whose edges it is low holds all that matters; m is integrated out
    by the trapezoidal rule, which converges exponentially for an analytic density that vanishes
    at both ends, and the density of t becomes a Chebyshev polynomial that is integrated exactly.
    """

    def __init__(
        self,
        table: tuple[int, int, int, int],
        prior_mean: float,
        prior_sd: float,
        baseline: str,
        baseline_mean: float,
        baseline_sd: float,
    ) -> None:
        self.table = table
        self.means = np.array([prior_mean, baseline_mean])
        self.sds = np.array([prior_sd, baseline_sd])
        # Rows: arms; columns: coefficients of t and m in the arm's log odds.
        shares = (0.5, -0.5) if baseline == "average" else (1.0, 0.0)
        self.design = np.array([[share, 1.0] for share in shares])
        self.peak, low, high = self._box()
        # Nowhere is the density of m given t more peaked than a normal one of this precision.
        precision = (table[1] + table[3]) / 4 + 1 / baseline_sd**2
        nodes = int(np.ceil((high[1] - low[1]) * 2 * sqrt(precision))) + 1
        self.baselines = np.linspace(low[1], high[1], nodes)
        density = self._density(low[0], high[0])
        integral = density.integ(lbnd=low[0])
        self.low, self.high = low[0], high[0]
        self.distribution = integral / integral(high[0])

    def cdf(self, x: float) -> float:
        """P(log odds ratio <= x)."""
        if not self.low < x < self.high:
            return 0.0 if x <= self.low else 1.0
        return min(max(float(self.distribution(x)), 0.0), 1.0)

    def quantile(self, probability: float) -> float:
        """The x at which the distribution function is `probability`."""
        return float(
            brentq(
                lambda x: float(self.distribution(x)) - probability,
                self.low,
                self.high,
                xtol=1e-13,
            )
        )

    def _log_density(self, t: Vector, m: Vector) -> Vector:
        events_a, n_a, events_b, n_b = self.table
        total = -(((t - self.means[0]) / self.sds[0]) ** 2) / 2
        total = total - (((m - self.means[1]) / self.sds[1]) ** 2) / 2
        for events, n, (share, _) in (
            (events_a, n_a, self.design[0]),
            (events_b, n_b, self.design[1]),
        ):
            # Each log probability on its own: no cancellation of large terms far out.
            x = m + share * t
            total = total + events * -np.logaddexp(0, -x) + (n - events) * -np.logaddexp(0, x)
        return total

    def _box(self) -> tuple[float, Vector, Vector]:
        """Peak of the log density, and limits of t and m beyond which it is negligible."""
        events = np.array(self.table[::2])
        sizes = np.array(self.table[1::2])

        def slope(point: Vector) -> Vector:
            residual = events - sizes * expit(self.design @ point)
            return (point - self.means) / self.sds**2 - self.design.T @ residual

        def curvature(point: Vector) -> Vector:
            p = expit(self.design @ point)
            return (
                np.diag(1 / self.sds**2)
                + self.design.T @ np.diag(sizes * p * (1 - p)) @ self.design
            )

        mode = minimize(
            lambda point: -float(self._log_density(*point)),
            self.means,
            jac=slope,
            hess=curvature,
            method="trust-exact",
        ).x
        peak = float(self._log_density(*mode))
        # For a normal density nine standard deviations are a drop of 40; else grow the box.
        reach = 9 * np.sqrt(np.diag(np.linalg.inv(curvature(mode))))
        low, high = mode - reach, mode + reach
        grown = True
        while grown:
            grown = False
            for axis in (0, 1):
                along = np.linspace(low[1 - axis], high[1 - axis], 201)
                for limits, direction in ((low, -1), (high, 1)):
                    edge = np.full_like(along, limits[axis])
                    point = (edge, along) if axis == 0 else (along, edge)
                    if self._log_density(*point).max() > peak - _DROP:
                        limits[axis] += direction * reach[axis] / 2
                        grown = True
        return peak, low, high

    def _density(self, low: float, high: float) -> Chebyshev:
        """Density of t, up to a factor, as a polynomial."""

        def marginal(t: Vector) -> Vector:
            # In blocks of some megabytes, because wide priors need many nodes both ways.
            blocks = np.array_split(t[:, None], 1 + t.size * self.baselines.size // 2**20)
            logs = (self._log_density(block, self.baselines) for block in blocks)
            return np.concatenate([np.exp(values - self.peak).sum(axis=1) for values in logs])

        degree = 64
        while True:
            density = Chebyshev.interpolate(marginal, degree, domain=[low, high])
            size = np.abs(density.coef)
            if size[-4:].max() <= _RESOLVED * size.max():
                return density
            if degree == _LARGEST_DEGREE:
                raise ValueError(
                    "The priors are too wide for counts as large as these and an empty cell: use"
                    " a smaller prior_sd or baseline_sd."
                )
            degree *= 2


def _posterior_row(
    likelihood: str, mean: float, sd: float, quantiles: Iterable[float], above: float
) -> pd.DataFrame:
    row = (likelihood, mean, sd, *(_exp(x) for x in quantiles), above)
    columns = ["likelihood", "prior_mean", "prior_sd", "odds_ratio", "low", "high"]
    return pd.DataFrame([row], columns=[*columns, "probability_above_1"])


def _tails(level: float) -> tuple[float, float, float]:
    """Probabilities of the median and of both limits of an equal-tailed interval."""
    return 0.5, (1 - level) / 2, (1 + level) / 2


def _critical(level: float) -> float:
    return float(norm.isf((1 - checks.level(level)) / 2))


def _exp(x: float) -> float:
    return exp(x) if x < 700 else inf


def _checked_number(value: float, name: str) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real) or not isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}.")
    return float(value)


def _checked_positive(value: float, name: str) -> float:
    number = _checked_number(value, name)
    if number <= 0:
        raise ValueError(f"{name} must be above 0, got {value!r}.")
    return number


def _checked_width(value: float, name: str) -> float:
    number = _checked_positive(value, name)
    if number > _WIDEST:
        raise ValueError(f"{name} must be at most {_WIDEST:g}, got {value!r}.")
    return number


def _checked_prior(prior: Prior) -> tuple[float, float]:
    if isinstance(prior, str):
        if prior not in BETA_PRIORS:
            names = ", ".join(BETA_PRIORS)
            raise ValueError(f"A named prior must be one of {names}, got {prior!r}.")
        return BETA_PRIORS[prior]
    try:
        a, b = prior
    except (TypeError, ValueError):
        raise ValueError(
            f"A Beta prior must be a name or two numbers (a, b), got {prior!r}."
        ) from None
    a, b = _checked_number(a, "Beta parameter a"), _checked_number(b, "Beta parameter b")
    if min(a, b) < 0:
        raise ValueError(f"The parameters of a Beta prior must be at least 0, got {prior!r}.")
    return a, b


def _checked_numbers(values: Iterable[float], name: str) -> list[float]:
    try:
        checked = [_checked_number(value, f"Each of {name}") for value in values]
    except TypeError:
        raise ValueError(f"{name} must be a list of numbers, got {values!r}.") from None
    if not checked:
        raise ValueError(f"{name} must hold at least one number, got none.")
    return checked


def _checked_margins(margins: Iterable[float]) -> list[float]:
    checked = _checked_numbers(margins, "margins")
    for margin in checked:
        if not -1 < margin < 1:
            raise ValueError(f"A margin must lie strictly between -1 and 1, got {margin}.")
    return checked


def _checked_weights(weights: Iterable[float]) -> list[float]:
    checked = _checked_numbers(weights, "weights")
    for weight in checked:
        if not 0 <= weight <= 1:
            raise ValueError(f"A weight must lie between 0 and 1, got {weight}.")
    return checked


def _checked_benefit(odds_ratio: float) -> float:
    number = _checked_positive(odds_ratio, "benefit_odds_ratio")
    if number == 1:
        raise ValueError("benefit_odds_ratio must differ from 1, which is no benefit.")
    return number


def _checked_baseline(baseline: str, mean: float, sd: float) -> tuple[str, float, float]:
    if baseline not in BASELINES:
        raise ValueError(f"baseline must be one of {', '.join(BASELINES)}, got {baseline!r}.")
    return (
        baseline,
        _checked_number(mean, "baseline_mean"),
        _checked_width(sd, "baseline_sd"),
    )
