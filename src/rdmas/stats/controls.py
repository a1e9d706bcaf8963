"""How far the control arm of a significant difference can be doubted before P reaches alpha."""

from collections.abc import Callable, Iterable
from math import exp, nan
from numbers import Real
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import bdtr, bdtrc, xlogy
from scipy.stats import binom, binomtest, chi2

from rdmas.stats import checks
from rdmas.stats.fragility import checked_tests
from rdmas.stats.misclassification import narrowing_steps
from rdmas.stats.proportion import interval
from rdmas.stats.two_by_two import TESTS, p_value
from rdmas.stats.two_by_two._exact import log_binomial

Table = tuple[int, int, int, int]

#: Display name of each method of `known_control_rate` and `tipping_rate`, by its key.
KNOWN_RATE_METHODS = MappingProxyType(
    {
        "minlike": "exact binomial, minimum-likelihood",
        "central": "exact binomial, central",
        "mid-p": "binomial mid-P, central",
    }
)


def control_tipping(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> pd.DataFrame:
    """
    How many fewer events the control arm must have had for P to reach `alpha`.

    Arm b is the control arm. Its events change one by one towards arm a's proportion, and arm a
    and the sizes are kept: what must have been so in the control arm for the difference not to
    be significant. The number is the fragility index of arm b in that direction.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b, the control arm.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1. A table on which a test is undefined is
        not significant.
    tests : iterable of str, optional
        Keys of `rdmas.stats.two_by_two.TESTS`; by default all two-sided tests.

    Returns
    -------
    pandas.DataFrame
        One row for each test: ``test`` (display name), ``key``, ``p_value_observed``,
        ``control_events_needed``, ``control_proportion`` (those events over `n_b`),
        ``fewer_events`` (observed minus needed; negative where the control arm has the lower
        proportion and would have needed more) and ``p_value`` (with the events needed).
        Missing where no number suffices.

    Raises
    ------
    ValueError
        If the counts are impossible, a test is unknown or `alpha` is not between 0 and 1.

    Examples
    --------
    >>> frame = control_tipping(6, 40, 15, 40, tests=["chi2", "fisher"])
    >>> frame[["key", "control_events_needed", "control_proportion", "p_value"]].round(4)
          key  control_events_needed  control_proportion  p_value
    0    chi2                     13               0.325   0.0659
    1  fisher                     14               0.350   0.0692
    """
    table = events_a, n_a, events_b, n_b = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    _, step = narrowing_steps(*table)
    last = n_b if step == 1 else 0
    path = [(events_a, n_a, events, n_b) for events in range(events_b, last + step, step)]
    rows = []
    for key in checked_tests(tests):
        steps, p = _first_not_significant(path, key, alpha)
        needed = None if steps is None else path[steps][2]
        rows.append(
            {
                "test": TESTS[key].name,
                "key": key,
                "p_value_observed": p_value(*table, key),
                "control_events_needed": needed,
                "control_proportion": nan if needed is None else needed / n_b,
                "fewer_events": None if needed is None else events_b - needed,
                "p_value": p,
            }
        )
    return pd.DataFrame(rows).astype(
        dict.fromkeys(["control_events_needed", "fewer_events"], "Int64")
    )


def immortal_time(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> pd.DataFrame:
    """
    How many controls must have had the event too early to count for P to reach `alpha`.

    Patients of arm a were, by definition, alive (free of the event) until their treatment
    began. A control who had the event before the time at which a patient of arm a would have
    begun treatment could never have been in arm a, and biases the comparison against the
    control arm. The analysis removes such controls, all with the event, from arm b's events and
    from its size, one by one. Counts don't say how many there were; they say how many it takes.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a. The event must be the one that ends eligibility, such as
        death, and not its absence.
    events_b, n_b : int
        Events and patients in arm b, the control arm.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1. A table on which a test is undefined is
        not significant.
    tests : iterable of str, optional
        Keys of `rdmas.stats.two_by_two.TESTS`; by default all two-sided tests.

    Returns
    -------
    pandas.DataFrame
        One row for each test: ``test`` (display name), ``key``, ``p_value_observed``,
        ``removed`` (fewest controls; 0 if P is not below `alpha` to begin with), ``events_b``,
        ``n_b`` and ``proportion_b`` (what is left of the control arm) and ``p_value`` (then).
        Missing where no number suffices.

    Raises
    ------
    ValueError
        If the counts are impossible, a test is unknown or `alpha` is not between 0 and 1.

    See Also
    --------
    immortal_time_curve : P after each number of removals.

    References
    ----------
    Suissa S (2008). Immortal time bias in pharmacoepidemiology. American Journal of
    Epidemiology 167:492-499.

    Examples
    --------
    >>> frame = immortal_time(6, 40, 15, 40, tests=["chi2", "fisher"])
    >>> frame[["key", "removed", "events_b", "n_b", "p_value"]].round(4)
          key  removed  events_b  n_b  p_value
    0    chi2        3        12   37   0.0709
    1  fisher        2        13   38   0.0656
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    path = _removals(*table)
    rows = []
    for key in checked_tests(tests):
        removed, p = _first_not_significant(path, key, alpha)
        left = (None, None) if removed is None else path[removed][2:]
        rows.append(
            {
                "test": TESTS[key].name,
                "key": key,
                "p_value_observed": p_value(*table, key),
                "removed": removed,
                "events_b": left[0],
                "n_b": left[1],
                "proportion_b": nan if removed is None else left[0] / left[1],
                "p_value": p,
            }
        )
    return pd.DataFrame(rows).astype(dict.fromkeys(["removed", "events_b", "n_b"], "Int64"))


def immortal_time_curve(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> pd.DataFrame:
    """
    P after each number of controls with the event is removed.

    Parameters
    ----------
    events_a, n_a, events_b, n_b, alpha, tests
        As for `immortal_time`.

    Returns
    -------
    pandas.DataFrame
        For each test one row for each number removed, from 0 to all controls with the event
        (one patient is always left): ``test`` (display name), ``key``, ``removed``,
        ``events_b``, ``n_b``, ``proportion_b``, ``p_value`` (NaN where the test is undefined)
        and ``significant`` (P < `alpha`; False where undefined).

    Raises
    ------
    ValueError
        As for `immortal_time`.

    Examples
    --------
    >>> immortal_time_curve(1, 12, 3, 9, tests=["fisher"])[["removed", "n_b", "p_value"]].round(4)
       removed  n_b  p_value
    0        0    9   0.2722
    1        1    8   0.5368
    2        2    7   1.0000
    3        3    6   1.0000
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    rows = []
    for key in checked_tests(tests):
        for removed, changed in enumerate(_removals(*table)):
            p = p_value(*changed, key)
            rows.append(
                {
                    "test": TESTS[key].name,
                    "key": key,
                    "removed": removed,
                    "events_b": changed[2],
                    "n_b": changed[3],
                    "proportion_b": changed[2] / changed[3],
                    "p_value": p,
                    "significant": p < alpha,
                }
            )
    return pd.DataFrame(rows)


def known_control_rate(events_a: int, n_a: int, rates: Iterable[float]) -> pd.DataFrame:
    """
    P of one arm against event probabilities that are taken as known.

    What would remain of a difference if the event probability under control treatment were
    known to be `rate`, without sampling error: two-sided binomial tests of arm a's events.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in the arm.
    rates : iterable of float
        Event probabilities, 0 to 1.

    Returns
    -------
    pandas.DataFrame
        For each rate one row for each of `KNOWN_RATE_METHODS`: ``rate``, ``method`` (display
        name), ``key`` and ``p_value``. "minlike" sums the probabilities of all numbers of
        events no more likely than the observed one, as R's ``binom.test`` and scipy's
        ``binomtest``; "central" doubles the smaller tail, at most 1; "mid-p" doubles it with
        half the probability of the observed number.

    Raises
    ------
    ValueError
        If the counts are impossible, no rate is given or one is not between 0 and 1.

    See Also
    --------
    tipping_rate : The rates at which P reaches a level.

    Examples
    --------
    >>> known_control_rate(5, 25, [0.4])[["rate", "key", "p_value"]].round(4)
       rate      key  p_value
    0   0.4  minlike   0.0425
    1   0.4  central   0.0587
    2   0.4    mid-p   0.0388
    """
    events_a, n_a = checks.counts(events_a, n_a)
    rates = [_checked_rate(rate) for rate in rates]
    if not rates:
        raise ValueError("rates must hold at least one event probability.")
    return pd.DataFrame(
        [
            {
                "rate": rate,
                "method": name,
                "key": key,
                "p_value": float(_P_VALUES[key](events_a, n_a, rate)),
            }
            for rate in rates
            for key, name in KNOWN_RATE_METHODS.items()
        ]
    )


def tipping_rate(
    events_a: int, n_a: int, alpha: float = 0.05, method: str = "minlike"
) -> tuple[float, float]:
    """
    Known event probabilities outside which one arm differs significantly from them.

    If the control treatment's true event probability is below `low` or above `high`, the
    binomial test of arm a against it gives P < `alpha`. A control arm with the higher
    proportion meets `high` first: however its patients were chosen, the difference stays
    significant as long as the true probability is above that.

    P of the minimum-likelihood method is not continuous in the probability. Above the observed
    proportion it is the lower tail plus all larger numbers of events no more likely than the
    observed one, and it drops at each probability at which the smallest of these becomes
    likelier than the observed one. So P can pass `alpha` in a drop, where it is above at the
    tipping rate itself and below at once beyond it, and can do so more than once, in which case
    the outermost passage is the tipping rate. Between two drops P falls, or falls and then
    rises. So it is enough to look at both ends of each stretch, from the outside inwards.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in the arm.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.
    method : str, default "minlike"
        A key of `KNOWN_RATE_METHODS`. "central" gives the Clopper-Pearson limits and "mid-p"
        the mid-P limits of `rdmas.stats.proportion.interval`.

    Returns
    -------
    low, high : float
        0 where no smaller probability and 1 where no larger one would be significant.

    Raises
    ------
    ValueError
        If the counts are impossible, `alpha` is not between 0 and 1 or the method is unknown.

    References
    ----------
    Fay MP (2010). Two-sided exact tests and matching confidence intervals for discrete data.
    R Journal 2:53-58.

    Examples
    --------
    >>> for method in KNOWN_RATE_METHODS:
    ...     print("{}: {:.4f} to {:.4f}".format(method, *tipping_rate(5, 25, method=method)))
    minlike: 0.0823 to 0.3984
    central: 0.0683 to 0.4070
    mid-p: 0.0772 to 0.3890
    """
    events_a, n_a = checks.counts(events_a, n_a)
    alpha = checks.alpha(alpha)
    if method not in KNOWN_RATE_METHODS:
        raise ValueError(f"method must be one of {', '.join(KNOWN_RATE_METHODS)}, got {method!r}.")
    if method == "minlike":
        low = 1 - _minlike_high(n_a - events_a, n_a, alpha)
        return low, _minlike_high(events_a, n_a, alpha)
    limits = "clopper-pearson" if method == "central" else "mid-p"
    return interval(events_a, n_a, limits, 1 - alpha)


def discounted_controls(
    events_a: int, n_a: int, events_b: int, n_b: int, weights: Iterable[float]
) -> pd.DataFrame:
    r"""
    Likelihood-ratio P with the control arm's likelihood discounted.

    The likelihood of arm b is raised to the power of a weight between 0 and 1, as in the power
    prior of Bayesian borrowing, so that n historical controls count as weight times n
    concurrent ones. Twice the logarithm of the ratio of

    .. math:: \max_{p_a, p_b} L_a(p_a) L_b(p_b)^w \quad\text{and}\quad \max_p L_a(p) L_b(p)^w

    is referred to the chi-square distribution with one degree of freedom. It is the G statistic
    of the table with w times the events and patients of arm b. With weight 1 it is the
    likelihood-ratio test of `rdmas.stats.two_by_two.TESTS`; as the weight goes to 0, P goes to 1. The
    statistic is a concave function of the weight that starts at 0 and is nowhere negative, so P
    never rises with the weight.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b, the control arm.
    weights : iterable of float
        Weights of the controls, above 0 and at most 1.

    Returns
    -------
    pandas.DataFrame
        One row for each weight: ``weight``, ``effective_events_b`` and ``effective_n_b`` (the
        weight times each, not whole in general) and ``p_value`` (NaN if nobody or everybody has
        the event).

    Raises
    ------
    ValueError
        If the counts are impossible, no weight is given or one is not in (0, 1].

    See Also
    --------
    tipping_weight : The weight at which P reaches a level.

    References
    ----------
    Ibrahim JG, Chen MH (2000). Power prior distributions for regression models. Statistical
    Science 15:46-60.

    Hu F, Zidek JV (2002). The weighted likelihood. Canadian Journal of Statistics 30:347-371.

    Examples
    --------
    >>> discounted_controls(6, 40, 15, 40, [0.5, 1]).round(4)
       weight  effective_events_b  effective_n_b  p_value
    0     0.5                 7.5           20.0   0.0544
    1     1.0                15.0           40.0   0.0206
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    weights = [_checked_weight(weight) for weight in weights]
    if not weights:
        raise ValueError("weights must hold at least one weight.")
    return pd.DataFrame(
        [
            {
                "weight": weight,
                "effective_events_b": weight * table[2],
                "effective_n_b": weight * table[3],
                "p_value": float(chi2.sf(_discounted_statistic(*table, weight), df=1)),
            }
            for weight in weights
        ]
    )


def tipping_weight(events_a: int, n_a: int, events_b: int, n_b: int, alpha: float = 0.05) -> float:
    """
    Weight of the controls at which the discounted likelihood-ratio P reaches `alpha`.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in arm a.
    events_b, n_b : int
        Events and patients in arm b, the control arm.
    alpha : float, default 0.05
        Significance level, strictly between 0 and 1.

    Returns
    -------
    float
        The largest weight with which P of `discounted_controls` is `alpha` or above; 1 if P is
        not below `alpha` with controls of full weight, or undefined.

    Raises
    ------
    ValueError
        If the counts are impossible or `alpha` is not between 0 and 1.

    Examples
    --------
    >>> round(tipping_weight(6, 40, 15, 40), 4)
    0.5316
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    critical = chi2.isf(checks.alpha(alpha), df=1)
    # Written so that an undefined statistic, NaN, counts as not significant.
    if not _discounted_statistic(*table, 1.0) > critical:
        return 1.0
    return float(
        brentq(lambda weight: _discounted_statistic(*table, weight) - critical, 0, 1, xtol=1e-14)
    )


def _first_not_significant(
    path: list[Table], test: str, alpha: float
) -> tuple[int, float] | tuple[None, float]:
    """Steps along a path of tables to the first that is not significant, and its P."""
    for steps, table in enumerate(path):
        p = p_value(*table, test)
        # Written so that an undefined P, NaN, ends the search too.
        if not p < alpha:
            return steps, p
    return None, nan


def _removals(events_a: int, n_a: int, events_b: int, n_b: int) -> list[Table]:
    """The tables after 0, 1, ... controls with the event are removed; one patient stays."""
    return [
        (events_a, n_a, events_b - removed, n_b - removed)
        for removed in range(min(events_b, n_b - 1) + 1)
    ]


def _minlike_p(events: int, n: int, rate: float) -> float:
    return float(binomtest(events, n, rate).pvalue)


def _central_p(events: int, n: int, rate: float) -> float:
    return min(1.0, 2 * min(bdtr(events, n, rate), _at_least(events, n, rate)))


def _mid_p(events: int, n: int, rate: float) -> float:
    half = binom.pmf(events, n, rate) / 2
    return 2 * min(bdtr(events, n, rate) - half, _at_least(events, n, rate) - half)


def _at_least(events: int, n: int, rate: float) -> float:
    return bdtrc(events - 1, n, rate) if events else 1.0


_P_VALUES: dict[str, Callable[[int, int, float], float]] = {
    "minlike": _minlike_p,
    "central": _central_p,
    "mid-p": _mid_p,
}


def _minlike_high(events: int, n: int, alpha: float) -> float:
    """
    Largest probability that the minimum-likelihood test does not reject at `alpha`.

    Each turn of the loop is a stretch of probabilities in which the same larger numbers, those
    from `smallest` on, are no more likely than the observed one. Its right end belongs to it.
    """
    if events == n:
        return 1.0
    right = 1.0
    for smallest in range(n + 1, events + 1, -1):
        left = _equally_likely(events, smallest - 1, n)

        def excess(rate: float, smallest: int = smallest) -> float:
            upper_tail = bdtrc(smallest - 1, n, rate) if smallest <= n else 0.0
            return bdtr(events, n, rate) + upper_tail - alpha

        if excess(right) >= 0:
            return right
        if excess(left) > 0:
            return float(brentq(excess, left, right, xtol=1e-15))
        right = left
    # With the next larger number counted too, all are, and P is 1.
    return right


def _equally_likely(events: int, other: int, n: int) -> float:
    """The probability at which two numbers of events are equally likely."""
    ways, other_ways = log_binomial(n, np.array([events, other]))
    return float(1 / (1 + exp((other_ways - ways) / (other - events))))


def _discounted_statistic(events_a: int, n_a: int, events_b: int, n_b: int, weight: float) -> float:
    """Twice the log likelihood ratio; NaN if nobody or everybody has the event."""
    if not 0 < events_a + events_b < n_a + n_b:
        return nan
    if weight == 0:
        return 0.0
    pooled = (events_a + weight * events_b) / (n_a + weight * n_b)
    cells = (
        (1.0, events_a, n_a * pooled),
        (1.0, n_a - events_a, n_a * (1 - pooled)),
        (weight, events_b, n_b * pooled),
        (weight, n_b - events_b, n_b * (1 - pooled)),
    )
    # Rounding can take the statistic of equal proportions just below 0.
    return max(0.0, 2 * sum(share * xlogy(count, count / mean) for share, count, mean in cells))


def _checked_rate(rate: float) -> float:
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 <= rate <= 1:
        raise ValueError(f"A rate must be an event probability from 0 to 1, got {rate!r}.")
    return float(rate)


def _checked_weight(weight: float) -> float:
    if isinstance(weight, bool) or not isinstance(weight, Real) or not 0 < weight <= 1:
        raise ValueError(f"A weight must be above 0 and at most 1, got {weight!r}.")
    return float(weight)
