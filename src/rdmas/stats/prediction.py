"""What a proportion's distribution predicts, borrows from other cohorts, and is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from rdmas.stats import checks
from rdmas.stats.distribution import LARGEST_N, ProportionDistribution, difference_cdf


def predictive_counts(predictive: ProportionDistribution, n: int) -> NDArray[np.float64]:
    """Probabilities of 0 to `n` events among `n` new patients.

    Parameters
    ----------
    predictive : ProportionDistribution
        Distribution of the new patients' common true proportion.
    n : int
        Number of new patients, 1 to 10,000.

    Returns
    -------
    numpy.ndarray, shape (n + 1,)
        They add to 1.

    Raises
    ------
    ValueError
        If `n` is not a whole number from 1 to 10,000.

    Examples
    --------
    Under a uniform distribution of the proportion every number is equally probable:

    >>> predictive_counts(ProportionDistribution.from_beta(1, 1), 4).round(6)
    array([0.2, 0.2, 0.2, 0.2, 0.2])
    """
    n = checks.whole("n", n, 1, LARGEST_N)
    return np.exp([predictive.log_marginal_likelihood(events, n) for events in range(n + 1)])


def predictive_tail(
    predictive: ProportionDistribution,
    n: int,
    at_least: int | None = None,
    at_most: int | None = None,
) -> float:
    """Probability of at least, at most, or between so many events among `n` new patients.

    Parameters
    ----------
    predictive, n
        As in `predictive_counts`, and refused likewise.
    at_least, at_most : int, optional
        Smallest and largest number of events counted, 0 to `n`; at least one of the two.

    Returns
    -------
    float
        The probability.

    Examples
    --------
    >>> print(f"{predictive_tail(ProportionDistribution.from_beta(1, 1), 4, at_least=3):.6f}")
    0.400000
    """
    counts = predictive_counts(predictive, n)
    first, last = checks.bounds(n, at_least, at_most)
    return float(counts[first : last + 1].sum())


@dataclass(frozen=True, eq=False)
class RobustMixture:
    """An informative and a vague distribution of a proportion, mixed.

    Attributes
    ----------
    informative : ProportionDistribution
        What other cohorts say: a meta-analytic-predictive (MAP) prior, or its posterior.
    vague : ProportionDistribution
        The component that holds if this cohort is unlike the others.
    robust_weight : float
        Weight of `vague`, between 0 and 1.
    """

    informative: ProportionDistribution
    vague: ProportionDistribution
    robust_weight: float

    @property
    def informative_weight(self) -> float:
        """Weight of `informative`; the two weights add to 1."""
        return 1 - self.robust_weight

    @cached_property
    def distribution(self) -> ProportionDistribution:
        """The mixture itself."""
        return ProportionDistribution.mixture(
            [self.informative, self.vague], [self.informative_weight, self.robust_weight]
        )


def robust_map_prior(
    predictive: ProportionDistribution,
    robust_weight: float = 0.2,
    vague: tuple[float, float] = (1.0, 1.0),
) -> RobustMixture:
    """Robust meta-analytic-predictive prior of a proportion.

    Parameters
    ----------
    predictive : ProportionDistribution
        Predictive distribution from other cohorts, as `rdmas.stats.posterior.pool_bayes` gives it.
    robust_weight : float, default 0.2
        Prior probability, 0 to 1, that the new cohort is unlike the others.
    vague : tuple of float, default (1.0, 1.0)
        Parameters of the Beta distribution that holds in that case.

    Returns
    -------
    RobustMixture
        The prior, on the nodes (not approximated by Beta distributions).

    Raises
    ------
    ValueError
        If a number is out of range.

    References
    ----------
    Schmidli H, Gsteiger S, Roychoudhury S, O'Hagan A, Spiegelhalter D, Neuenschwander B (2014).
    Robust meta-analytic-predictive priors in clinical trials with historical control information.
    Biometrics 70:1023-1032.

    Examples
    --------
    >>> prior = robust_map_prior(ProportionDistribution.from_beta(11, 32), robust_weight=0.2)
    >>> print(f"{prior.distribution.mean():.4f}")
    0.3047
    """
    robust_weight = checks.number("robust_weight", robust_weight, 0, 1)
    return RobustMixture(predictive, ProportionDistribution.from_beta(*vague), robust_weight)


def update(prior: RobustMixture, events: int, n: int) -> RobustMixture:
    """Posterior of a robust mixture after a cohort's own events (`n` at most 10,000).

    Each component is updated by itself; the weights change in proportion to how probable each
    component made the events, so that data in conflict with the informative component turn to
    the vague one.

    Examples
    --------
    One event in six leaves the informative component stronger, six in six make it doubtful:

    >>> prior = robust_map_prior(ProportionDistribution.from_beta(11, 32), robust_weight=0.2)
    >>> print(f"{update(prior, 1, 6).robust_weight:.3f} {update(prior, 6, 6).robust_weight:.3f}")
    0.096 0.982
    """
    components = (prior.informative, prior.vague)
    logs = np.array([d.log_marginal_likelihood(events, n) for d in components])
    weights = np.exp(logs - logs.max()) * (prior.informative_weight, prior.robust_weight)
    informative, vague = (component.updated(events, n) for component in components)
    return RobustMixture(informative, vague, float(weights[1] / weights.sum()))


def effective_sample_size(distribution: ProportionDistribution) -> float:
    """Number of patients that a prior of a proportion is worth, by its mean and variance.

    It is a + b of the Beta distribution with the same mean and variance, which for a Beta prior is
    exact. Other definitions, such as the expected local information ratio, give other, mostly
    larger numbers where the prior is no Beta distribution.

    Parameters
    ----------
    distribution : ProportionDistribution
        The prior, or a posterior, from which the patients that it has seen must be taken off.

    Returns
    -------
    float
        Patients.

    References
    ----------
    Neuenschwander B, Weber S, Schmidli H, O'Hagan A (2020). Predictively consistent prior
    effective sample sizes. Biometrics 76:578-587, which compares the definitions.

    Examples
    --------
    >>> print(f"{effective_sample_size(ProportionDistribution.from_beta(11, 32)):.3f}")
    43.000
    """
    mean = distribution.mean()
    return mean * (1 - mean) / distribution.variance() - 1


@dataclass(frozen=True)
class Contrast:
    """Posterior comparison of two independent proportions, treatment against control.

    Attributes
    ----------
    difference, difference_low, difference_high : float
        Median and equal-tailed interval of the risk difference, treatment minus control.
    lower_by_more_than : dict of float to float
        By margin, the probability that the treatment's proportion is lower than the control's by
        more than the margin.
    level : float
        Level of the interval.
    """

    difference: float
    difference_low: float
    difference_high: float
    lower_by_more_than: dict[float, float]
    level: float


def contrast(
    treatment: ProportionDistribution,
    control: ProportionDistribution,
    margins: Iterable[float] = (0.0, 0.1, 0.2),
    level: float = 0.95,
) -> Contrast:
    """Risk difference and probability of a lower risk, of two independent proportions.

    Parameters
    ----------
    treatment, control : ProportionDistribution
        Posterior distributions of the probability of the event in the two arms.
    margins : iterable of float, default (0.0, 0.1, 0.2)
        Margins of the risk difference, each from 0 up to but not including 1.
    level : float, default 0.95
        Level of the interval.

    Returns
    -------
    Contrast
        By the distribution of the difference, which is exact up to quadrature.

    Raises
    ------
    ValueError
        If a margin or the level is out of range.

    Examples
    --------
    Seven of 34 against 1 of 34 (Perondi et al. 2004), uniform priors:

    >>> high_dose = ProportionDistribution.from_beta(1 + 7, 1 + 27)
    >>> standard_dose = ProportionDistribution.from_beta(1 + 1, 1 + 33)
    >>> result = contrast(standard_dose, high_dose)
    >>> print("{:.3f} ({:.3f} to {:.3f})".format(
    ...     result.difference, result.difference_low, result.difference_high))
    -0.164 (-0.326 to -0.019)
    >>> print(f"{result.lower_by_more_than[0.0]:.4f} {result.lower_by_more_than[0.1]:.4f}")
    0.9862 0.8062
    """
    tail = (1 - checks.level(level)) / 2
    margins = [checks.number("Each margin", margin, 0, 1, "[)") for margin in margins]

    def quantile(probability: float) -> float:
        return brentq(
            lambda d: difference_cdf(treatment, control, d) - probability, -1, 1, xtol=1e-12
        )

    return Contrast(
        difference=quantile(0.5),
        difference_low=quantile(tail),
        difference_high=quantile(1 - tail),
        lower_by_more_than={
            margin: difference_cdf(treatment, control, -margin) for margin in margins
        },
        level=level,
    )


@dataclass(frozen=True, eq=False)
class ControlSource:
    """One way of getting a control group, and the treatment arm against it.

    Attributes
    ----------
    control : ProportionDistribution
        The control's proportion.
    published_weight : float
        Posterior weight of the published cohorts; 0 without them and 1 with them alone.
    contrast : Contrast
        Treatment against this control.
    """

    control: ProportionDistribution
    published_weight: float
    contrast: Contrast


def control_sources(
    treatment_events: int,
    treatment_n: int,
    control_events: int,
    control_n: int,
    predictive: ProportionDistribution,
    robust_weight: float = 0.2,
    prior: tuple[float, float] = (1.0, 1.0),
    margins: Iterable[float] = (0.0, 0.1, 0.2),
    level: float = 0.95,
) -> dict[str, ControlSource]:
    """One treatment arm against three ways of getting its control.

    The control's proportion comes from its own patients under a Beta prior; from published
    cohorts alone, that is from their predictive distribution; or from both, the published cohorts
    being a prior that the own patients update.

    Parameters
    ----------
    treatment_events, treatment_n, control_events, control_n : int
        Events and patients in either arm, at most 10,000.
    predictive, robust_weight
        As in `robust_map_prior`, and refused likewise.
    prior : tuple of float, default (1.0, 1.0)
        Parameters of the Beta prior of the treatment arm, of the own controls alone, and of the
        vague component of the robust mixture.
    margins, level
        As in `contrast`, and refused likewise.

    Returns
    -------
    dict of str to ControlSource
        By source, in this order: ``"own"``, ``"published"``, ``"both"``.

    Examples
    --------
    Fourteen responders of 24 on the new drug, 1 of 6 on placebo, and published placebo arms
    summarised as Beta(11, 32) (Baeten et al. 2013); the event is not responding:

    >>> sources = control_sources(10, 24, 5, 6, ProportionDistribution.from_beta(32, 11))
    >>> for name, source in sources.items():
    ...     lower = source.contrast.lower_by_more_than[0.0]
    ...     print(f"{name}: weight {source.published_weight:.3f}, lower {lower:.3f}")
    own: weight 0.000, lower 0.959
    published: weight 1.000, lower 0.996
    both: weight 0.904, lower 0.994
    """
    arms = checks.table(treatment_events, treatment_n, control_events, control_n)
    vague = ProportionDistribution.from_beta(*prior)
    treatment = vague.updated(arms.events_a, arms.n_a)
    own = vague.updated(arms.events_b, arms.n_b)
    both = update(robust_map_prior(predictive, robust_weight, prior), arms.events_b, arms.n_b)
    margins = tuple(margins)
    return {
        name: ControlSource(control, weight, contrast(treatment, control, margins, level))
        for name, control, weight in (
            ("own", own, 0.0),
            ("published", predictive, 1.0),
            ("both", both.distribution, both.informative_weight),
        )
    }


def by_robust_weight(
    treatment_events: int,
    treatment_n: int,
    control_events: int,
    control_n: int,
    predictive: ProportionDistribution,
    robust_weights: Iterable[float],
    prior: tuple[float, float] = (1.0, 1.0),
    level: float = 0.95,
) -> pd.DataFrame:
    """What published cohorts and own controls give together, against how unlike they may be.

    Parameters
    ----------
    treatment_events, treatment_n, control_events, control_n, predictive, prior, level
        As in `control_sources`, and refused likewise.
    robust_weights : iterable of float
        Prior probabilities, each 0 to 1, that the own controls are unlike the published cohorts.

    Returns
    -------
    pandas.DataFrame
        One row for each weight: ``robust_weight``, ``effective_sample_size`` (of the mixture, as a
        prior), ``unlike`` (posterior probability that the controls are unlike), the controls'
        ``proportion``, ``low`` and ``high`` (posterior median and interval), and ``difference``,
        ``difference_low``, ``difference_high`` and ``lower`` (probability of a lower proportion
        with treatment) of the contrast.

    Examples
    --------
    The trial of `control_sources`: the less the published arms count, the less is known.

    >>> published = ProportionDistribution.from_beta(32, 11)
    >>> frame = by_robust_weight(10, 24, 5, 6, published, [0, 0.5, 1])
    >>> frame[["robust_weight", "effective_sample_size", "unlike", "lower"]].round(3)
       robust_weight  effective_sample_size  unlike  lower
    0            0.0                 43.000   0.000  0.998
    1            0.5                  3.002   0.297  0.986
    2            1.0                  2.000   1.000  0.959
    """
    arms = checks.table(treatment_events, treatment_n, control_events, control_n)
    treatment = ProportionDistribution.from_beta(*prior).updated(arms.events_a, arms.n_a)
    rows = []
    for weight in checks.column("robust_weights", robust_weights):
        mixture = robust_map_prior(predictive, weight, prior)
        both = update(mixture, arms.events_b, arms.n_b)
        found = contrast(treatment, both.distribution, [0.0], level)
        low, high = both.distribution.interval(level)
        rows.append(
            {
                "robust_weight": mixture.robust_weight,
                "effective_sample_size": effective_sample_size(mixture.distribution),
                "unlike": both.robust_weight,
                "proportion": both.distribution.median(),
                "low": low,
                "high": high,
                "difference": found.difference,
                "difference_low": found.difference_low,
                "difference_high": found.difference_high,
                "lower": found.lower_by_more_than[0.0],
            }
        )
    return pd.DataFrame(rows)
