"""Pooled proportion of several cohorts, prediction and borrowing, by Bayes' theorem on grids.

Every distribution of a proportion is kept as the density of its logit at one common set of nodes
(`ProportionDistribution`), so that prior times likelihood, mixtures, predictive counts and the
comparison of two proportions are sums over nodes. Nothing is simulated.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from types import MappingProxyType

import numpy as np
from scipy.interpolate import BSpline, CubicSpline, make_interp_spline
from scipy.optimize import brentq
from scipy.special import expit, gammaln, log_expit, logit, logsumexp, xlogy

from rdmas.stats import checks

# Nodes are equidistant in u, where the logit is 2 sinh(u). The trapezoidal rule then converges
# exponentially, because every density here is smooth and vanishes at both ends, and nodes are
# dense near a proportion of one half, where a large cohort's likelihood is narrowest in logits.
# They reach logits of about -60 and 60.
_STEP = 0.005
_U = np.arange(-820, 821) * _STEP
_LOGIT = 2 * np.sinh(_U)
_SLOPE = 2 * np.cosh(_U)
_WEIGHT = _STEP * _SLOPE
_P = expit(_LOGIT)
_LOG_P, _LOG_Q = log_expit(_LOGIT), log_expit(-_LOGIT)

# Half the nodes, which are enough for a sum at up to the largest n, as proportions between 0 and
# 1, with the weights of an integral over the proportion. (Splines need all of them.)
_EVERY_OTHER_P = _P[::2]
_EVERY_OTHER_WEIGHT = (2 * _WEIGHT * np.exp(_LOG_P + _LOG_Q))[::2]

# Larger cohorts have likelihoods too narrow for these nodes.
_LARGEST_N = 10_000

# Below this between-study standard deviation the nodes are too far apart for the normal
# distribution of the logits, but a likelihood is smooth enough for Gauss-Hermite nodes.
_SMALL_SD = 0.04

# Densities are dropped where they fall below exp(-40) of their maximum.
_NEGLIGIBLE = 40.0


@dataclass(frozen=True, eq=False, repr=False)
class ProportionDistribution:
    """
    Continuous distribution of a proportion, by the density of its logit at fixed nodes.

    Parameters
    ----------
    log_density : array_like of float, shape (nodes,)
        Natural logarithm of the density of the logit at `logit_nodes`, up to a constant; -inf
        where it is zero. It is normalised on creation.

    Raises
    ------
    ValueError
        If the shape is wrong, a value is NaN or +inf, or the density is zero everywhere.

    Notes
    -----
    Moments are sums over the nodes. Between nodes the density is a spline of degree 5, which
    `cdf`, `ppf` and `pdf` use.

    Examples
    --------
    Posterior of a proportion after 5 events in 25 patients under a uniform prior:

    >>> posterior = ProportionDistribution.from_beta(1 + 5, 1 + 20)
    >>> print(f"{posterior.mean():.4f} {posterior.sd():.4f}")
    0.2222 0.0786
    >>> print("{:.4f} to {:.4f}".format(*posterior.interval()))
    0.0897 to 0.3935
    """

    log_density: np.ndarray

    def __post_init__(self) -> None:
        values = np.array(self.log_density, dtype=float)
        if values.shape != _LOGIT.shape:
            raise ValueError(
                f"log_density must have one value for each of the {_LOGIT.size} nodes, got an "
                f"array of shape {values.shape}."
            )
        if np.isnan(values).any() or values.max() == np.inf:
            raise ValueError("log_density must hold numbers or -inf, not NaN or +inf.")
        if values.max() == -np.inf:
            raise ValueError("log_density must exceed -inf somewhere.")
        values -= logsumexp(values, b=_WEIGHT)
        values.flags.writeable = False
        object.__setattr__(self, "log_density", values)

    def __repr__(self) -> str:
        return f"ProportionDistribution(mean={self.mean():.6g}, sd={self.sd():.6g})"

    @classmethod
    def from_beta(cls, a: float, b: float) -> "ProportionDistribution":
        """
        Beta distribution with shape parameters `a` and `b`.

        Parameters
        ----------
        a, b : float
            Shape parameters, each at least 1/2 (Jeffreys), together at most 10,002.

        Returns
        -------
        ProportionDistribution
            The same distribution on the nodes.

        Raises
        ------
        ValueError
            If a parameter is out of range.
        """
        for name, value in (("a", a), ("b", b)):
            if isinstance(value, bool) or not isinstance(value, Real) or not value >= 0.5:
                raise ValueError(f"{name} must be a number of at least 0.5, got {value!r}.")
        if a + b > _LARGEST_N + 2:
            raise ValueError(f"a + b must be at most {_LARGEST_N + 2}, got {a + b!r}.")
        return cls(a * _LOG_P + b * _LOG_Q)

    @classmethod
    def mixture(
        cls, components: Sequence["ProportionDistribution"], weights: Sequence[float]
    ) -> "ProportionDistribution":
        """
        Mixture of distributions.

        Parameters
        ----------
        components : sequence of ProportionDistribution
            What to mix, at least one.
        weights : sequence of float
            Their weights, at least 0 and adding to 1 (within 1e-6; they are rescaled).

        Returns
        -------
        ProportionDistribution
            The mixture.

        Raises
        ------
        ValueError
            If the lengths differ or the weights are negative or do not add to 1.
        """
        weights = np.asarray(weights, dtype=float)
        if len(components) == 0 or weights.shape != (len(components),):
            raise ValueError("A mixture needs at least one component and one weight for each.")
        if not (weights >= 0).all() or not abs(weights.sum() - 1) <= 1e-6:
            raise ValueError(f"weights must be at least 0 and add to 1, got {weights.tolist()}.")
        used = [(d, w) for d, w in zip(components, weights, strict=True) if w > 0]
        logs = np.array([d.log_density for d, _ in used])
        return cls(logsumexp(logs, axis=0, b=np.array([w for _, w in used])[:, None]))

    @property
    def logit_nodes(self) -> np.ndarray:
        """Logits at which the density is kept, ascending, shape (nodes,)."""
        return _LOGIT.copy()

    @property
    def nodes(self) -> np.ndarray:
        """Proportions at which the density is kept, ascending, shape (nodes,)."""
        return _P.copy()

    @property
    def weights(self) -> np.ndarray:
        """Probabilities of the nodes, which add to 1, shape (nodes,)."""
        return np.exp(self.log_density) * _WEIGHT

    def pdf(self, proportion: float | np.ndarray) -> float | np.ndarray:
        """
        Density of the proportion (not of its logit); 0 outside 0 to 1.

        At exactly 0 and 1 it is the value next to the end, which is very large where the density
        has no limit there.
        """
        proportion = np.asarray(proportion, dtype=float)
        u = _node_scale(proportion)
        x = 2 * np.sinh(u)
        per_logit = np.maximum(self._spline(u), 0.0) / (2 * np.cosh(u))
        # The derivative of the logit is 1 / (p (1 - p)).
        density = per_logit * np.exp(-log_expit(x) - log_expit(-x))
        return _plain(np.where((proportion >= 0) & (proportion <= 1), density, 0.0))

    def cdf(self, proportion: float | np.ndarray) -> float | np.ndarray:
        """Probability that the proportion is at most `proportion`."""
        return _plain(self._cdf_at(_node_scale(proportion)))

    def ppf(self, probability: float | np.ndarray) -> float | np.ndarray:
        """Quantile: the proportion below which lies `probability`, a number from 0 to 1."""
        probability = np.asarray(probability, dtype=float)
        if not ((probability >= 0) & (probability <= 1)).all():
            raise ValueError("probability must lie between 0 and 1.")
        low = np.full(probability.shape, _U[0])
        high = np.full(probability.shape, _U[-1])
        # Each round halves the bracket, of width 8.2; after 50 it is 7e-15.
        for _ in range(50):
            middle = (low + high) / 2
            below = self._cdf_at(middle) < probability
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        quantile = expit(2 * np.sinh((low + high) / 2))
        return _plain(np.where(probability == 0, 0.0, np.where(probability == 1, 1.0, quantile)))

    def mean(self) -> float:
        """Mean of the proportion."""
        return float(self.weights @ _P)

    def sd(self) -> float:
        """Standard deviation of the proportion."""
        return float(np.sqrt(self.weights @ (_P - self.mean()) ** 2))

    def median(self) -> float:
        """Median of the proportion."""
        return self.ppf(0.5)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Equal-tailed interval: quantiles that leave half of 1 - `level` on either side."""
        tail = (1 - checks.level(level)) / 2
        low, high = self.ppf([tail, 1 - tail])
        return float(low), float(high)

    def effective_sample_size(self) -> float:
        """
        Patients' worth of information, by moments.

        It is a + b of the Beta(a, b) distribution with the same mean and variance, the measure
        Neuenschwander et al. (2020) call moment-based: m (1 - m) / s^2 - 1 for mean m and
        standard deviation s. It is exact for a Beta distribution and low for one with heavy
        tails.

        References
        ----------
        Neuenschwander B, Weber S, Schmidli H, O'Hagan A (2020). Predictively consistent prior
        effective sample sizes. Biometrics 76:578-587.
        """
        mean = self.mean()
        return mean * (1 - mean) / self.sd() ** 2 - 1

    def log_marginal_likelihood(self, events: int, n: int) -> float:
        """
        Log-probability of `events` of `n` patients, averaged over this distribution.

        Parameters
        ----------
        events, n : int
            Events and patients, `n` at most 10,000.

        Returns
        -------
        float
            Natural logarithm of the probability, binomial coefficient included.
        """
        events, n = _checked_arm(events, n)
        log_likelihood = _log_choose(n, events) + events * _LOG_P + (n - events) * _LOG_Q
        return float(logsumexp(self.log_density + log_likelihood, b=_WEIGHT))

    def updated(self, events: int, n: int) -> "ProportionDistribution":
        """
        Posterior distribution after `events` of `n` patients, this one being the prior.

        Parameters
        ----------
        events, n : int
            Events and patients, `n` at most 10,000.

        Returns
        -------
        ProportionDistribution
            The posterior.
        """
        events, n = _checked_arm(events, n)
        return ProportionDistribution(self.log_density + events * _LOG_P + (n - events) * _LOG_Q)

    @cached_property
    def _spline(self) -> BSpline:
        """Density with respect to u."""
        return make_interp_spline(_U, np.exp(self.log_density) * _SLOPE, k=5)

    @cached_property
    def _antiderivative(self) -> BSpline:
        return self._spline.antiderivative()

    def _cdf_at(self, u: np.ndarray) -> np.ndarray:
        integral = self._antiderivative
        start, end = integral(_U[[0, -1]])
        return np.clip((integral(u) - start) / (end - start), 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class PosteriorPooled:
    """
    Posterior of a random-effects pooling of proportions.

    Attributes
    ----------
    mean, median : float
        Posterior mean and median of the proportion in the median cohort, the inverse logit of mu.
    low, high : float
        Its equal-tailed interval.
    between_study_sd_logit, between_study_sd_mean : float
        Posterior median and mean of the between-study standard deviation on the logit scale
        (tau).
    between_study_sd_low, between_study_sd_high : float
        Its equal-tailed interval.
    prediction_low, prediction_high : float
        Equal-tailed interval of `predictive`.
    median_cohort : ProportionDistribution
        The posterior that `mean` to `high` summarise.
    predictive : ProportionDistribution
        Predictive distribution of the true proportion in a new cohort.
    tau_scale, logit_mean, logit_sd : float
        The priors used.
    studies, events, n : int
        Number of cohorts, and their events and patients, summed.
    level : float
        Level of all intervals.
    """

    mean: float
    median: float
    low: float
    high: float
    between_study_sd_logit: float
    between_study_sd_mean: float
    between_study_sd_low: float
    between_study_sd_high: float
    prediction_low: float
    prediction_high: float
    median_cohort: ProportionDistribution
    predictive: ProportionDistribution
    tau_scale: float
    logit_mean: float
    logit_sd: float
    studies: int
    events: int
    n: int
    level: float


def pool_bayes(
    events: Sequence[int],
    n: Sequence[int],
    tau_scale: float = 1.0,
    logit_mean: float = 0.0,
    logit_sd: float = 2.0,
    level: float = 0.95,
) -> PosteriorPooled:
    """
    Posterior of the pooled proportion and prediction for a new cohort, binomial-normal model.

    The events of a cohort are binomial; the logits of the cohorts' true proportions are normal
    with mean mu and standard deviation tau. A priori tau is half-normal and mu normal, and the
    two are independent. A cohort without events, or with only events, enters as it is.

    Parameters
    ----------
    events : sequence of int, shape (studies,)
        Patients with the event in each cohort.
    n : sequence of int, shape (studies,)
        Patients in each cohort, at most 10,000.
    tau_scale : float, default 1.0
        Scale of the half-normal prior of tau, whose median is 0.67 times the scale; from 0.01,
        which all but says that cohorts do not differ, to 5. At 1, which the authors of RBesT
        (Weber et al. 2021) call conservative for proportions of 0.2 to 0.8, cohorts may differ
        widely; 0.5 is a common, more optimistic choice (Röver et al. 2021).
    logit_mean, logit_sd : float, default 0.0 and 2.0
        Mean (-10 to 10) and standard deviation (above 0, at most 10) of the normal prior of mu.
        The default puts the median cohort's proportion between 0.019 and 0.981 with probability
        0.95; it is worth one patient where the proportion is one half.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    PosteriorPooled
        Posterior of the median cohort's proportion, of tau, and the predictive distribution.

    Raises
    ------
    ValueError
        If the counts are impossible, a prior's parameter is out of range, or cohorts differ so
        much that the declared `tau_scale` leaves no probability that can be computed.

    Notes
    -----
    For each tau on a grid the likelihood of mu is the product over cohorts of a binomial
    likelihood blurred by a normal distribution, computed by the trapezoidal rule over the logit
    (by 48 Gauss-Hermite nodes where tau is below 0.04). The posterior of mu given tau is
    log-concave; it is kept on 65 points where it is not negligible. Integrals over tau use 97
    points, dense near 0. Doubling the numbers of points changed no result by more than 5e-6, and
    with the default prior by more than 1e-6.

    The predictive distribution allows for not knowing mu and tau, and is therefore wider than
    one that takes their estimates as known.

    References
    ----------
    Neuenschwander B, Capkun-Niggli G, Branson M, Spiegelhalter DJ (2010). Summarizing historical
    information on controls in clinical trials. Clinical Trials 7:5-18.

    Röver C, Bender R, Dias S, Schmid CH, Schmidli H, Sturtz S, Weber S, Friede T (2021). On weakly
    informative prior distributions for the heterogeneity parameter in Bayesian random-effects
    meta-analysis. Research Synthesis Methods 12:448-474.

    Weber S, Li Y, Seaman JW, Kakizume T, Schmidli H (2021). Applying meta-analytic-predictive
    priors with the R Bayesian evidence synthesis tools. Journal of Statistical Software 100(19).

    Trefethen LN, Weideman JAC (2014). The exponentially convergent trapezoidal rule. SIAM Review
    56:385-458.

    Examples
    --------
    Placebo response in eight trials in ankylosing spondylitis (data set AS of R package RBesT;
    Baeten et al. 2013):

    >>> posterior = pool_bayes([23, 12, 19, 9, 39, 6, 9, 10], [107, 44, 51, 39, 139, 20, 78, 35])
    >>> print(f"{posterior.median:.3f} ({posterior.low:.3f} to {posterior.high:.3f})")
    0.249 (0.185 to 0.328)
    >>> print(f"{posterior.between_study_sd_logit:.2f}")
    0.35
    >>> print(f"{posterior.prediction_low:.3f} to {posterior.prediction_high:.3f}")
    0.111 to 0.471
    """
    events, n = _checked_studies(events, n)
    tau_scale = _checked_between("tau_scale", tau_scale, 0.01, 5)
    logit_mean = _checked_between("logit_mean", logit_mean, -10, 10)
    logit_sd = _checked_between("logit_sd", logit_sd, 0, 10, above=True)
    level = checks.level(level)
    median_cohort, predictive, tau = _grid_posterior(events, n, tau_scale, logit_mean, logit_sd)
    low, high = median_cohort.interval(level)
    prediction_low, prediction_high = predictive.interval(level)
    return PosteriorPooled(
        mean=median_cohort.mean(),
        median=median_cohort.median(),
        low=low,
        high=high,
        between_study_sd_logit=tau.quantile(0.5),
        between_study_sd_mean=tau.mean(),
        between_study_sd_low=tau.quantile((1 - level) / 2),
        between_study_sd_high=tau.quantile((1 + level) / 2),
        prediction_low=prediction_low,
        prediction_high=prediction_high,
        median_cohort=median_cohort,
        predictive=predictive,
        tau_scale=tau_scale,
        logit_mean=logit_mean,
        logit_sd=logit_sd,
        studies=len(events),
        events=int(events.sum()),
        n=int(n.sum()),
        level=level,
    )


def predictive_counts(predictive: ProportionDistribution, n: int) -> np.ndarray:
    """
    Probabilities of 0 to `n` events among `n` new patients.

    Parameters
    ----------
    predictive : ProportionDistribution
        Distribution of the new patients' common true proportion.
    n : int
        Number of new patients, 1 to 10,000.

    Returns
    -------
    numpy.ndarray, shape (n + 1,)
        Probability of each number of events; they add to 1.

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
    _, n = _checked_arm(0, n)
    weights = predictive.weights
    return np.array(
        [
            np.exp(_log_choose(n, events) + events * _LOG_P + (n - events) * _LOG_Q) @ weights
            for events in range(n + 1)
        ]
    )


def predictive_tail(
    predictive: ProportionDistribution,
    n: int,
    at_least: int | None = None,
    at_most: int | None = None,
) -> float:
    """
    Probability of at least, at most, or between so many events among `n` new patients.

    Parameters
    ----------
    predictive : ProportionDistribution
        Distribution of the new patients' common true proportion.
    n : int
        Number of new patients, 1 to 10,000.
    at_least, at_most : int, optional
        Bounds of the number of events, themselves included, each 0 to `n`; one or both.

    Returns
    -------
    float
        The probability.

    Raises
    ------
    ValueError
        If a number is not whole or out of range, no bound is given, or `at_least` exceeds
        `at_most`.

    Examples
    --------
    >>> print(f"{predictive_tail(ProportionDistribution.from_beta(1, 1), 4, at_least=3):.6f}")
    0.400000
    """
    if at_least is None and at_most is None:
        raise ValueError("Give at_least, at_most or both.")
    _, n = _checked_arm(0, n)
    first = 0 if at_least is None else _checked_arm(at_least, n, "at_least")[0]
    last = n if at_most is None else _checked_arm(at_most, n, "at_most")[0]
    if first > last:
        raise ValueError(f"at_least ({first}) must not exceed at_most ({last}).")
    return float(predictive_counts(predictive, n)[first : last + 1].sum())


@dataclass(frozen=True, eq=False)
class RobustMixture:
    """
    An informative and a vague distribution of a proportion, mixed.

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
    """
    Robust meta-analytic-predictive prior of a proportion.

    Parameters
    ----------
    predictive : ProportionDistribution
        Predictive distribution from other cohorts, as `pool_bayes` gives it.
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
    robust_weight = _checked_between("robust_weight", robust_weight, 0, 1)
    return RobustMixture(predictive, ProportionDistribution.from_beta(*vague), robust_weight)


def update(prior: RobustMixture, events: int, n: int) -> RobustMixture:
    """
    Posterior of a robust mixture after a cohort's own events.

    Each component is updated by itself; the weights change in proportion to how probable each
    component made the events, so that data in conflict with the informative component turn to
    the vague one.

    Parameters
    ----------
    prior : RobustMixture
        Mixture before the data.
    events, n : int
        The cohort's events and patients, `n` at most 10,000.

    Returns
    -------
    RobustMixture
        Posterior components and posterior weights.

    Raises
    ------
    ValueError
        If the counts are impossible.

    Examples
    --------
    One event in six leaves the informative component stronger, six in six make it doubtful:

    >>> prior = robust_map_prior(ProportionDistribution.from_beta(11, 32), robust_weight=0.2)
    >>> print(f"{update(prior, 1, 6).robust_weight:.3f} {update(prior, 6, 6).robust_weight:.3f}")
    0.096 0.982
    """
    weights = (prior.informative_weight, prior.robust_weight)
    components = (prior.informative, prior.vague)
    logs = np.array([d.log_marginal_likelihood(events, n) for d in components])
    evidence = np.array(weights) * np.exp(logs - logs.max())
    return RobustMixture(
        *(component.updated(events, n) for component in components),
        robust_weight=float(evidence[1] / evidence.sum()),
    )


@dataclass(frozen=True)
class Contrast:
    """
    Posterior comparison of two independent proportions, treatment against control.

    Attributes
    ----------
    difference, difference_low, difference_high : float
        Median and equal-tailed interval of the risk difference, treatment minus control.
    difference_mean : float
        Mean of the risk difference.
    ratio, ratio_low, ratio_high : float
        Median and equal-tailed interval of the risk ratio, treatment to control.
    lower_by_more_than : Mapping of float to float
        By margin, the probability that the treatment's proportion is lower than the control's by
        more than the margin.
    level : float
        Level of the intervals.
    """

    difference: float
    difference_low: float
    difference_high: float
    difference_mean: float
    ratio: float
    ratio_low: float
    ratio_high: float
    lower_by_more_than: MappingProxyType[float, float]
    level: float


def contrast(
    treatment: ProportionDistribution,
    control: ProportionDistribution,
    margins: Iterable[float] = (0.0, 0.1, 0.2),
    level: float = 0.95,
) -> Contrast:
    """
    Risk difference, risk ratio and probability of a lower risk, of two independent proportions.

    Parameters
    ----------
    treatment, control : ProportionDistribution
        Posterior distributions of the probability of the event in the two arms.
    margins : iterable of float, default (0.0, 0.1, 0.2)
        Margins of the risk difference, each from 0 up to but not including 1.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    Contrast
        Medians, equal-tailed intervals and probabilities.

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
    level = checks.level(level)
    margins = [_checked_between("Each margin", margin, 0, 1) for margin in margins]
    if 1.0 in margins:
        raise ValueError("Each margin must be below 1, the largest possible difference.")

    def difference_quantile(probability: float) -> float:
        return brentq(
            lambda d: _difference_cdf(treatment, control, d) - probability, -1, 1, xtol=1e-12
        )

    def ratio_quantile(probability: float) -> float:
        log_ratio = brentq(
            lambda r: _ratio_cdf(treatment, control, np.exp(r)) - probability,
            2 * _LOGIT[0],
            2 * _LOGIT[-1],
            xtol=1e-12,
        )
        return float(np.exp(log_ratio))

    tail = (1 - level) / 2
    return Contrast(
        difference=difference_quantile(0.5),
        difference_low=difference_quantile(tail),
        difference_high=difference_quantile(1 - tail),
        difference_mean=treatment.mean() - control.mean(),
        ratio=ratio_quantile(0.5),
        ratio_low=ratio_quantile(tail),
        ratio_high=ratio_quantile(1 - tail),
        lower_by_more_than=MappingProxyType(
            {margin: _difference_cdf(treatment, control, -margin) for margin in margins}
        ),
        level=level,
    )


@dataclass(frozen=True, eq=False)
class ControlSource:
    """
    One way of getting a control group, and the treatment arm against it.

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
    """
    One treatment arm against three ways of getting its control.

    The control's proportion comes from its own patients under a Beta prior; from published
    cohorts alone, that is from their predictive distribution; or from both, the published cohorts
    being a robust meta-analytic-predictive prior that the own patients update.

    Parameters
    ----------
    treatment_events, treatment_n : int
        Events and patients in the treatment arm, at most 10,000.
    control_events, control_n : int
        Events and patients in the control arm, at most 10,000.
    predictive : ProportionDistribution
        Predictive distribution from published cohorts, as `pool_bayes` gives it.
    robust_weight : float, default 0.2
        Prior probability, 0 to 1, that the own controls are unlike the published cohorts.
    prior : tuple of float, default (1.0, 1.0)
        Parameters of the Beta prior of the treatment arm, of the own controls alone, and of the
        vague component of the robust mixture.
    margins : iterable of float, default (0.0, 0.1, 0.2)
        Margins of the risk difference.
    level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    dict of str to ControlSource
        By source, in this order: ``"own"``, ``"published"``, ``"both"``.

    Raises
    ------
    ValueError
        If the counts are impossible or a number is out of range.

    References
    ----------
    Schmidli H, Gsteiger S, Roychoudhury S, O'Hagan A, Spiegelhalter D, Neuenschwander B (2014).
    Robust meta-analytic-predictive priors in clinical trials with historical control information.
    Biometrics 70:1023-1032.

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
    a, b = prior
    vague = ProportionDistribution.from_beta(a, b)
    treatment = _labelled("Treatment", vague.updated, treatment_events, treatment_n)
    own = _labelled("Control", vague.updated, control_events, control_n)
    both = update(robust_map_prior(predictive, robust_weight, prior), control_events, control_n)
    margins = tuple(margins)
    return {
        name: ControlSource(control, weight, contrast(treatment, control, margins, level))
        for name, control, weight in (
            ("own", own, 0.0),
            ("published", predictive, 1.0),
            ("both", both.distribution, both.informative_weight),
        )
    }


@dataclass(frozen=True, eq=False)
class _TauPosterior:
    """Posterior of tau at points equidistant in v, where tau is `scale` times sinh(v)."""

    v: np.ndarray
    scale: float
    log_density: np.ndarray

    @property
    def tau(self) -> np.ndarray:
        return self.scale * np.sinh(self.v)

    @cached_property
    def weights(self) -> np.ndarray:
        """Probabilities of the points."""
        # The marginal likelihood depends on tau by its square, so it continues evenly beyond 0
        # and the trapezoidal rule, which halves the first point, converges exponentially.
        weights = self._per_v.copy()
        weights[0] /= 2
        return weights / weights.sum()

    @property
    def is_resolved(self) -> bool:
        """Whether the points are close enough together for that rule to be accurate."""
        # For a normal density this effective number of points is 3.5 standard deviations'
        # worth; 4 bounds the rule's error by exp(-25).
        return 1 / (self.weights @ self.weights) >= 4

    def mean(self) -> float:
        return float(self.weights @ self.tau)

    def quantile(self, probability: float) -> float:
        integral = make_interp_spline(self.v, self._per_v, k=5).antiderivative()
        first, last = self.v[[0, -1]]
        target = integral(first) + probability * (integral(last) - integral(first))
        v = brentq(lambda v: integral(v) - target, first, last, xtol=1e-12)
        return float(self.scale * np.sinh(v))

    @cached_property
    def _per_v(self) -> np.ndarray:
        """Density with respect to v, up to a constant."""
        return np.exp(self.log_density - self.log_density.max()) * np.cosh(self.v)


def _grid_posterior(
    events: np.ndarray,
    n: np.ndarray,
    tau_scale: float,
    logit_mean: float,
    logit_sd: float,
    tau_points: int = 97,
    mu_points: int = 65,
) -> tuple[ProportionDistribution, ProportionDistribution, _TauPosterior]:
    """Posterior of the median cohort, predictive distribution, and posterior of tau."""
    logits = np.log((events + 0.5) / (n - events + 0.5))
    likelihood = _BlurredLikelihood(events, n, logits)

    def log_posterior(mu: np.ndarray, tau: float) -> np.ndarray:
        log_prior = -0.5 * ((mu - logit_mean) / logit_sd) ** 2 - 0.5 * (tau / tau_scale) ** 2
        return likelihood.log(mu, tau) + log_prior

    reach = np.linspace(-9 * logit_sd, 9 * logit_sd, 17) + logit_mean
    between = np.linspace(logits.min(), logits.max(), 17)
    # The last, because a very large cohort leaves little room for mu where tau is near 0.
    anywhere = np.concatenate(
        [np.clip(reach, _LOGIT[0], _LOGIT[-1]), between, logits[[n.argmax()]]]
    )

    # Dense near 0, where one large cohort can make the posterior of tau narrow; in proportion
    # to tau further out, as its posterior is.
    scale = min(0.05, tau_scale)
    # Where cohorts differ far more than the prior expects, the mode is near the geometric mean
    # of tau_scale and the root of the logits' sum of squares.
    distance = np.sqrt(((logits - logits.mean()) ** 2).sum())
    largest = max(8.5 * tau_scale, 4 * np.sqrt(tau_scale * distance))
    v = np.linspace(0, np.arcsinh(largest / scale), tau_points)
    tau = None
    while tau is None or not tau.is_resolved:
        given_tau = _posteriors_of_mu(log_posterior, scale * np.sinh(v), anywhere, mu_points)
        log_density = np.array(
            [logsumexp(values) + np.log(mu[1] - mu[0]) for mu, values in given_tau]
        )
        likely = np.flatnonzero(log_density >= log_density.max() - _NEGLIGIBLE)
        if not all(np.isfinite(given_tau[i][1]).all() for i in likely):
            raise ValueError(
                f"The cohorts differ too much for tau_scale = {tau_scale:g}; use a larger one."
            )
        tau = _TauPosterior(v, scale, log_density)
        first, last = max(likely[0] - 1, 0), min(likely[-1] + 1, len(v) - 1)
        v = np.linspace(v[first], v[last], 2 * len(v) - 1)

    of_mu, of_new = np.zeros(_LOGIT.size), np.zeros(_LOGIT.size)
    for tau_value, weight, posterior in zip(tau.tau, tau.weights, given_tau, strict=True):
        if weight > 1e-15:  # well within what was found likely above
            for_mu, for_new = _marginals(*posterior, tau_value)
            of_mu += weight * for_mu
            of_new += weight * for_new
    with np.errstate(divide="ignore"):
        of_mu, of_new = np.log(of_mu), np.log(of_new)
    return ProportionDistribution(of_mu), ProportionDistribution(of_new), tau


def _posteriors_of_mu(
    log_posterior: Callable[[np.ndarray, float], np.ndarray],
    taus: np.ndarray,
    anywhere: np.ndarray,
    mu_points: int,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each tau, equidistant points of mu and the log-posterior of both there."""
    posteriors = []
    nearby = anywhere
    for tau in taus:
        low, high = _support(
            lambda mu, tau=tau: log_posterior(mu, tau), np.unique([*anywhere, *nearby])
        )
        mu = np.linspace(low, high, mu_points)
        posteriors.append((mu, log_posterior(mu, tau)))
        # The next tau's posterior is not far.
        nearby = np.linspace(low, high, 17)
    return posteriors


class _BlurredLikelihood:
    """Likelihood of the mean logit mu given tau: each cohort's binomial, blurred by a normal."""

    def __init__(self, events: np.ndarray, n: np.ndarray, logits: np.ndarray) -> None:
        self._events, self._n = events, n
        self._lowest, self._highest = logits.min(), logits.max()
        # Relative to each cohort's maximum, so that no power of a proportion underflows there.
        self._maximum = xlogy(events, events / n) + xlogy(n - events, 1 - events / n)
        self._at_nodes = self._at(_LOG_P, _LOG_Q) * _WEIGHT[:, None]
        self._largest_stride = np.sqrt(_LARGEST_N / n.max())
        points, weights = np.polynomial.hermite_e.hermegauss(48)
        self._points, self._weights = points, weights / weights.sum()

    def _at(self, log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
        """Each cohort's likelihood, in the last dimension."""
        return np.exp(
            self._events * log_p[..., None]
            + (self._n - self._events) * log_q[..., None]
            - self._maximum
        )

    def log(self, mu: np.ndarray, tau: float) -> np.ndarray:
        """Log-likelihood of ascending mean logits, up to a constant."""
        if tau < _SMALL_SD:
            logits = mu[:, None] + tau * self._points
            values = self._at(log_expit(logits), log_expit(-logits))
            blurred = np.einsum("z,mzk->mk", self._weights, values)
        else:
            # Every node is needed at the smallest tau and for the largest cohort only.
            stride = max(1, int(min(tau / _SMALL_SD, self._largest_stride)))
            # Each cohort's integrand peaks between mu and the cohort's own logit.
            low, high = min(mu[0], self._lowest), max(mu[-1], self._highest)
            near = _nodes_within(low - 9 * tau, high + 9 * tau, stride)
            kernel = _normal_kernel(mu[:, None] - _LOGIT[near], tau)
            # Divided by its sum, which is 1 except where nodes lie far apart, beyond logits of
            # 10 or so; there a cohort without events has a constant likelihood.
            blurred = kernel @ self._at_nodes[near] / (kernel @ _WEIGHT[near])[:, None]
        with np.errstate(divide="ignore"):
            return np.log(blurred).sum(axis=1)


def _marginals(
    mu: np.ndarray, log_posterior: np.ndarray, tau: float
) -> tuple[np.ndarray, np.ndarray]:
    """Densities, at the nodes, of mu and of a new cohort's logit, given one tau."""
    step = mu[1] - mu[0]
    log_posterior = log_posterior - logsumexp(log_posterior) - np.log(step)
    spline = CubicSpline(mu, log_posterior)

    def density(x: np.ndarray) -> np.ndarray:
        inside = (x >= mu[0]) & (x <= mu[-1])
        return np.where(inside, np.exp(spline(np.clip(x, mu[0], mu[-1]))), 0.0)

    of_new = np.zeros(_LOGIT.size)
    if tau < 1.3 * step:
        # The normal distribution is too narrow for the points of mu, and mu's own density
        # smooth enough for a few Gauss-Hermite points.
        points, weights = np.polynomial.hermite_e.hermegauss(20)
        near = _nodes_within(mu[0] - 9 * tau, mu[-1] + 9 * tau)
        of_new[near] = density(_LOGIT[near, None] - tau * points) @ (weights / weights.sum())
    else:
        # Far into the tails, so that even counts in conflict with them find some density.
        near = _nodes_within(mu[0] - 36 * tau, mu[-1] + 36 * tau)
        kernel = _normal_kernel(_LOGIT[near, None] - mu, tau)
        of_new[near] = kernel @ (np.exp(log_posterior) * step)
    return density(_LOGIT), of_new


def _support(
    log_density: Callable[[np.ndarray], np.ndarray], points: np.ndarray
) -> tuple[float, float]:
    """
    Range outside which a log-concave density is negligible, or of `points` if all are 0 there.

    Log-concavity puts the mode between the neighbours of the best point, and everything that is
    not negligible between the neighbours of the points that are not.
    """
    while True:
        values = log_density(points)
        kept = np.flatnonzero(values >= values.max() - _NEGLIGIBLE)
        low = points[max(kept[0] - 1, 0)]
        high = points[min(kept[-1] + 1, len(points) - 1)]
        # Equidistant points, most of them kept, make a good final grid.
        equidistant = np.ptp(np.diff(points)) < 1e-6 * (points[-1] - points[0])
        if (len(kept) > len(points) / 2 and equidistant) or high - low < 1e-9:
            return low, high
        points = np.linspace(low, high, 25)


def _nodes_within(low: float, high: float, stride: int = 1) -> slice:
    return slice(*np.searchsorted(_LOGIT, [low, high]), stride)


def _normal_kernel(distance: np.ndarray, sd: float) -> np.ndarray:
    # In place, because these arrays are the largest.
    distance /= sd
    distance *= distance
    distance *= -0.5
    np.exp(distance, out=distance)
    distance /= sd * np.sqrt(2 * np.pi)
    return distance


def _difference_cdf(
    treatment: ProportionDistribution, control: ProportionDistribution, difference: float
) -> float:
    """Probability that treatment minus control is at most `difference`."""
    width = 1 - abs(difference)
    if width <= 0:
        return float(difference > 0)
    # Nodes stretched over the controls for which the treatment's limit lies between 0 and 1:
    # both ends of that range are ends of the integrand, which has a kink there.
    shares = width * _EVERY_OTHER_P
    if difference <= 0:
        return _expected(treatment, control, shares - difference, shares, width)
    beyond = 1 - control.cdf(width)
    return _expected(treatment, control, shares, shares + difference, width) + beyond


def _ratio_cdf(
    treatment: ProportionDistribution, control: ProportionDistribution, ratio: float
) -> float:
    """Probability that treatment over control is at most `ratio`."""
    p = _EVERY_OTHER_P
    if ratio <= 1:
        return _expected(treatment, control, p, ratio * p, 1.0)
    beyond = 1 - control.cdf(1 / ratio)
    return _expected(treatment, control, p / ratio, p, 1 / ratio) + beyond


def _expected(
    treatment: ProportionDistribution,
    control: ProportionDistribution,
    control_at: np.ndarray,
    treatment_limit: np.ndarray,
    width: float,
) -> float:
    """Integral, over a range of `width`, of the control's density times the treatment's cdf."""
    integrand = control.pdf(control_at) * treatment.cdf(treatment_limit)
    return float(width * _EVERY_OTHER_WEIGHT @ integrand)


def _node_scale(proportion: np.ndarray) -> np.ndarray:
    """The u of a proportion, kept within the nodes."""
    inside = np.clip(np.asarray(proportion, dtype=float), 0.0, 1.0)
    return np.clip(np.arcsinh(logit(inside) / 2), _U[0], _U[-1])


def _plain(values: np.ndarray) -> float | np.ndarray:
    return float(values) if np.ndim(values) == 0 else values


def _log_choose(n: int, events: int) -> float:
    return gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)


def _checked_arm(events: int, n: int, name: str = "events") -> tuple[int, int]:
    try:
        events, n = checks.counts(events, n)
    except ValueError as error:
        raise ValueError(str(error).replace("events", name, 1)) from None
    if n > _LARGEST_N:
        raise ValueError(f"n must be at most {_LARGEST_N}, got {n}.")
    return events, n


def _labelled(
    arm: str, updated: Callable[[int, int], ProportionDistribution], events: int, n: int
) -> ProportionDistribution:
    try:
        return updated(events, n)
    except ValueError as error:
        raise ValueError(f"{arm}: {error}") from None


def _checked_studies(events: Sequence[int], n: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    # As objects, because an array of numbers would turn True into 1 unnoticed.
    events, n = np.asarray(events, dtype=object), np.asarray(n, dtype=object)
    if events.ndim != 1 or n.ndim != 1 or len(events) != len(n) or len(events) == 0:
        raise ValueError(
            "events and n must be one-dimensional, of the same length and not empty, got shapes "
            f"{events.shape} and {n.shape}."
        )
    counts = []
    for position, pair in enumerate(zip(events, n, strict=True), start=1):
        try:
            counts.append(_checked_arm(*pair))
        except ValueError as error:
            raise ValueError(f"Cohort {position}: {error}") from None
    return tuple(np.array(counts, dtype=float).T)


def _checked_between(
    name: str, value: float, low: float, high: float, above: bool = False
) -> float:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (above and value == low):
        bound = f"above {low} and at most {high}" if above else f"between {low} and {high}"
        raise ValueError(f"{name} must be a number {bound}, got {value!r}.")
    return float(value)
