"""Posteriors of two event probabilities under Beta priors, from events and patients alone.

Arm a is compared with arm b. Arguments are the events and patients of both arms, intervals are
equal-tailed, and a prior is a key of `BETA_PRIORS` or the parameters (a, b) of a Beta distribution.
The event is taken as desirable, such as survival; for another give the patients without it.
Everything is computed by quadrature; nothing is simulated. Refused with a `ValueError` are
impossible arguments, and a posterior that is improper or so close to it (a parameter below 0.05)
that quadrature would lose accuracy.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import atan2, cos, exp, log, sin, sqrt
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import betainc, betaincc, betainccinv, betaincinv, betaln

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.two_by_two._effects import (
    DIFFERENCE,
    NUMBER_NEEDED,
    ODDS_RATIO,
    RATIO,
    numbers_needed,
)

__all__ = [
    "BETA_PRIORS",
    "PowerPriorTipping",
    "posterior_effects",
    "power_prior_curve",
    "power_prior_tipping",
    "probability_better",
]

Prior = str | tuple[float, float]
Shapes = tuple[float, float]

#: Parameters (a, b) of the Beta priors that can be given by name: Jeffreys' prior, the uniform
#: distribution of Bayes and Laplace, and Kerman's neutral prior (2011), under which the
#: posterior median lies close to the observed proportion.
BETA_PRIORS = MappingProxyType(
    {"Jeffreys": (0.5, 0.5), "uniform": (1.0, 1.0), "Kerman": (1 / 3, 1 / 3)}
)

# Smallest parameter of a posterior: below, its probability lies too close to 0 or 1.
_SMALLEST_SHAPE = 0.05

# Tail probability beyond which a Beta distribution is left out of a quadrature.
_NEGLIGIBLE = 1e-17

# The probability in arm a from that in arm b and the effect: a difference or a log ratio.
_SHIFTS: dict[str, Callable[[float, float], float]] = {
    DIFFERENCE: lambda p, x: p + x,
    RATIO: lambda p, x: p * exp(x),
    ODDS_RATIO: lambda p, x: p * exp(x) / (1 - p + p * exp(x)),
}


def posterior_effects(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    prior: Prior = "Jeffreys",
    level: float = 0.95,
) -> pd.DataFrame:
    """Posterior medians and intervals of the effect measures, arm a against arm b.

    The Bayesian counterpart of `rdmas.stats.two_by_two.effects`. The number needed to treat is the
    reciprocal of the risk difference's median and limits, in one row or two, as there.

    Returns
    -------
    pandas.DataFrame
        With the columns ``measure``, ``direction`` ("a minus b", "a over b", "benefit" or
        "harm"), ``median``, ``low`` and ``high``.

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
    table = checks.table(events_a, n_a, events_b, n_b)
    shapes = _beta_prior(prior)
    pair = _beta_pair(table, shapes, shapes)
    tails = _tails(checks.level(level))
    difference, log_ratio, log_odds_ratio = (
        [pair.quantile(measure, tail) for tail in tails] for measure in _SHIFTS
    )
    rows = [
        (DIFFERENCE, "a minus b", *difference),
        (RATIO, "a over b", *np.exp(log_ratio)),
        (ODDS_RATIO, "a over b", *np.exp(log_odds_ratio)),
        *((NUMBER_NEEDED, *needed) for needed in numbers_needed(*difference)),
    ]
    return pd.DataFrame(rows, columns=["measure", "direction", "median", "low", "high"])


def probability_better(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    margins: Iterable[float] = (0, 0.1, 0.2),
    priors: Mapping[str, tuple[float, float]] = BETA_PRIORS,
) -> pd.DataFrame:
    """Posterior probability that the event is likelier in arm a, by more than each margin.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    margins : iterable of float, default (0, 0.1, 0.2)
        Differences of the event probabilities, a minus b, strictly between -1 and 1.
    priors : mapping of str to tuple of two floats, default `BETA_PRIORS`
        Beta priors by name; each is used in both arms, independently.

    Returns
    -------
    pandas.DataFrame
        With the columns ``prior``, ``margin`` and ``probability``.

    References
    ----------
    Altham PME (1969). Exact Bayesian analysis of a 2 x 2 contingency table, and Fisher's
    "exact" significance test. Journal of the Royal Statistical Society, Series B 31:261-269.

    Examples
    --------
    >>> probability_better(7, 34, 1, 34, margins=[0.1]).round(4)
          prior  margin  probability
    0  Jeffreys     0.1       0.8296
    1   uniform     0.1       0.8062
    2    Kerman     0.1       0.8379
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    margins = [
        checks.number("margin", margin, -1, 1, "()") for margin in checks.column("margins", margins)
    ]
    rows = []
    for name in checks.column("priors", priors):
        shapes = _beta_prior(priors[name])
        pair = _beta_pair(table, shapes, shapes)
        rows += [(name, margin, 1 - pair.cdf(DIFFERENCE, margin)) for margin in margins]
    return pd.DataFrame(rows, columns=["prior", "margin", "probability"])


def power_prior_curve(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    weights: Iterable[float],
    prior: Prior = "Jeffreys",
    level: float = 0.95,
) -> pd.DataFrame:
    """Posterior of the risk difference as historical controls are discounted.

    The likelihood of arm b is raised to a fixed weight between 0 and 1 (power prior), so that
    its posterior is Beta(a0 + weight x events, b0 + weight x non-events): at 1 each control
    counts as one patient, at 0 the controls are ignored and arm b keeps its prior. Arm a counts
    in full, and both arms have the same prior before any patient.

    Returns
    -------
    pandas.DataFrame
        One row per weight, with the columns ``weight`` and, of the risk difference a minus b,
        ``median``, ``low`` and ``high``.

    References
    ----------
    Ibrahim JG, Chen MH (2000). Power prior distributions for regression models. Statistical
    Science 15:46-60.

    Examples
    --------
    >>> power_prior_curve(7, 34, 1, 34, [1, 0.5]).round(4)
       weight  median     low    high
    0     1.0  0.1683  0.0296  0.3294
    1     0.5  0.1594 -0.0187  0.3265
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    weights = [
        checks.number("weight", weight, 0, 1) for weight in checks.column("weights", weights)
    ]
    prior = _beta_prior(prior)
    tails = _tails(checks.level(level))
    rows = []
    for weight in weights:
        pair = _beta_pair(table, prior, prior, weight)
        rows.append((weight, *(pair.quantile(DIFFERENCE, tail) for tail in tails)))
    return pd.DataFrame(rows, columns=["weight", "median", "low", "high"])


@dataclass(frozen=True)
class PowerPriorTipping:
    """Weight of the historical controls at which a conclusion is lost, and how many they count as.

    Both are None if no weight between 0 and 1 does it: `excludes_at_full_weight` then tells whether
    no discounting takes the conclusion away (True) or it was never there (False).
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
) -> PowerPriorTipping:
    """Weight of the controls at which the interval of the difference starts to include zero.

    The weight is lowered from 1 until the interval of `power_prior_curve` first touches zero. The
    search steps by 1/200 and then refines, so that the first crossing is found even where there
    are several (which takes a prior at odds with the data).

    Examples
    --------
    >>> tipping = power_prior_tipping(7, 34, 1, 34)
    >>> print(f"weight {tipping.weight:.3f}, {tipping.effective_controls:.1f} controls")
    weight 0.616, 21.0 controls
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    prior = _beta_prior(prior)
    _, tail, _ = _tails(checks.level(level))

    def excess(weight: float) -> float:
        below = _beta_pair(table, prior, prior, weight).cdf(DIFFERENCE, 0.0)
        return min(below, 1 - below) - tail

    if excess(1.0) >= 0:
        return PowerPriorTipping(None, None, excludes_at_full_weight=False)
    for upper, lower in itertools.pairwise(np.linspace(1, 0, 201)):
        if excess(lower) >= 0:
            weight = float(brentq(excess, lower, upper, xtol=1e-12))
            return PowerPriorTipping(weight, weight * table.n_b, excludes_at_full_weight=True)
    return PowerPriorTipping(None, None, excludes_at_full_weight=True)


class BetaPair:
    """Effect measures of two independent Beta distributed probabilities."""

    def __init__(self, shapes_a: Shapes, shapes_b: Shapes) -> None:
        """Keep the parameters, and where almost all of each distribution lies."""
        for a, b in (shapes_a, shapes_b):
            if min(a, b) < _SMALLEST_SHAPE:
                raise ValueError(
                    f"The posterior Beta({a:g}, {b:g}) is improper or nearly so: both parameters"
                    f" must be at least {_SMALLEST_SHAPE}, which a larger prior would ensure."
                )
        self.shapes_a, self.shapes_b = shapes_a, shapes_b
        self.ends_a, self.ends_b = (
            (betaincinv(*shapes, _NEGLIGIBLE), betainccinv(*shapes, _NEGLIGIBLE))
            for shapes in (shapes_a, shapes_b)
        )

    def cdf(self, measure: str, x: float) -> float:
        """P(measure <= x): the expected distribution function of arm a, over arm b."""
        shift = _SHIFTS[measure]
        # Where arm a's distribution function is 0 there is nothing to add; where it is 1 the
        # rest of arm b's distribution is; the integral covers what lies between.
        start, end = (min(max(shift(p, -x), 0.0), 1.0) for p in self.ends_a)
        low, high = max(start, self.ends_b[0]), min(end, self.ends_b[1])
        total = float(betaincc(*self.shapes_b, end))
        if low < high:
            a, b = self.shapes_b
            scale = log(2) - betaln(a, b)

            # Over the arcsine of the root of p the density has weaker poles at its ends, or none.
            def mass(angle: float) -> float:
                density = exp(scale + (2 * a - 1) * log(sin(angle)) + (2 * b - 1) * log(cos(angle)))
                p = min(max(shift(sin(angle) ** 2, x), 0.0), 1.0)
                return density * betainc(*self.shapes_a, p)

            ends = (atan2(sqrt(p), sqrt(1 - p)) for p in (low, high))
            total += quad(mass, *ends, epsabs=1e-12, epsrel=1e-12, limit=200)[0]
        return min(max(total, 0.0), 1.0)

    def quantile(self, measure: str, probability: float) -> float:
        """Difference, or logarithm of the ratio, at which `cdf` is `probability`."""
        width = 1.0
        while self.cdf(measure, -width) > probability or self.cdf(measure, width) < probability:
            width *= 2
        return float(
            brentq(lambda x: self.cdf(measure, x) - probability, -width, width, xtol=1e-13)
        )


def _beta_pair(table: Table, prior_a: Shapes, prior_b: Shapes, weight: float = 1.0) -> BetaPair:
    """Posteriors of both arms, with arm b's patients counted by a weight."""
    events_a, n_a, events_b, n_b = table
    return BetaPair(
        (prior_a[0] + events_a, prior_a[1] + n_a - events_a),
        (prior_b[0] + weight * events_b, prior_b[1] + weight * (n_b - events_b)),
    )


def _beta_prior(prior: Prior) -> Shapes:
    """Check a Beta prior, given by name or by its parameters; they may be 0."""
    if isinstance(prior, str):
        return BETA_PRIORS[checks.one_of("prior", prior, BETA_PRIORS)]
    a, b = checks.column("prior", prior, 2)
    return checks.number("Beta parameter a", a, 0), checks.number("Beta parameter b", b, 0)


def _tails(level: float) -> tuple[float, float, float]:
    """Probabilities of the median and of both limits of an equal-tailed interval."""
    return 0.5, (1 - level) / 2, (1 + level) / 2
