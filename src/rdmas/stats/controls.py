"""How far the control arm of a significant difference can be doubted before P reaches alpha.

Arm b is the control arm throughout.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import comb, log, nan
from types import MappingProxyType

import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import binom, binomtest, chi2_contingency

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.fragility import checked_tests
from rdmas.stats.misclassification import narrowing
from rdmas.stats.proportion import interval
from rdmas.stats.significance import significant
from rdmas.stats.two_by_two import TESTS
from rdmas.stats.two_by_two._fragility import first_not_significant, switched

__all__ = [
    "KNOWN_RATE_METHODS",
    "control_tipping",
    "discounted_controls",
    "immortal_time",
    "known_control_rate",
    "tipping_rate",
    "tipping_weight",
]

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
    """Find how many fewer events the control arm must have had for P to reach `alpha`.

    Its events change one by one towards arm a's proportion, and arm a and the sizes are kept.
    The number is the fragility index of arm b in that direction.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    alpha : float, default 0.05
        Significance level. Where a test is undefined, a table of equal proportions is not
        significant, and one of different proportions is passed over.
    tests : iterable of str, optional
        Keys of `rdmas.stats.two_by_two.TESTS`; by default all two-sided tests.

    Returns
    -------
    pandas.DataFrame
        One row for each test: ``test`` (display name), ``key``, ``p_value_observed``,
        ``control_events_needed``, ``control_proportion`` (those events over `n_b`),
        ``fewer_events`` (observed minus needed; negative where the control arm has the lower
        proportion and would have needed more), ``p_value`` (with the events needed) and
        ``left_out`` (why the test was not searched among so many patients, empty if it was).
        Missing where no number suffices, or left out.

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
    table = checks.table(events_a, n_a, events_b, n_b)
    path = switched(table, "b", narrowing(table)[1])
    frame = _first_not_significant(list(path), alpha, tests)
    needed = frame.pop("events_b")
    return frame.drop(columns=["steps", "n_b"]).assign(
        control_events_needed=needed,
        control_proportion=(needed / table.n_b).astype(float),
        fewer_events=table.events_b - needed,
    )


def immortal_time(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Find how many controls must have had the event too early to count for P to reach `alpha`.

    Patients of arm a were, by definition, alive (free of the event) until their treatment
    began. A control who had the event before the time at which a patient of arm a would have
    begun treatment could never have been in arm a, and biases the comparison against the
    control arm. The analysis removes such controls, all with the event, from arm b's events and
    from its size, one by one. Counts don't say how many there were; they say how many it takes.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms. The event must be the one that ends eligibility, such
        as death, and not its absence.
    alpha, tests
        As in `control_tipping`, and refused likewise.

    Returns
    -------
    pandas.DataFrame
        One row for each test: ``test`` (display name), ``key``, ``p_value_observed``,
        ``removed`` (fewest controls; 0 if P is not below `alpha` to begin with), ``events_b``,
        ``n_b`` and ``proportion_b`` (what is left of the control arm), ``p_value`` (then) and
        ``left_out`` as in `control_tipping`. Missing where no number suffices, or left out.

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
    path = _removals(checks.table(events_a, n_a, events_b, n_b))
    frame = _first_not_significant(path, alpha, tests).rename(columns={"steps": "removed"})
    return frame.assign(proportion_b=(frame["events_b"] / frame["n_b"]).astype(float))


def known_control_rate(events_a: int, n_a: int, rates: Iterable[float]) -> pd.DataFrame:
    """P of one arm against event probabilities that are taken as known.

    What would remain of a difference if the event probability under control treatment were
    known to be a rate, without sampling error: two-sided binomial tests of arm a's events.

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

    Examples
    --------
    >>> known_control_rate(5, 25, [0.4])[["rate", "key", "p_value"]].round(4)
       rate      key  p_value
    0   0.4  minlike   0.0425
    1   0.4  central   0.0587
    2   0.4    mid-p   0.0388
    """
    events_a, n_a = checks.counts(events_a, n_a)
    rows = []
    for given in checks.column("rates", rates):
        rate = checks.number("rate", given, 0, 1)
        at_most, at_least = binom.cdf(events_a, n_a, rate), binom.sf(events_a - 1, n_a, rate)
        p_values = {
            "minlike": binomtest(events_a, n_a, rate).pvalue,
            "central": min(1.0, 2 * min(at_most, at_least)),
            "mid-p": 2 * min(at_most, at_least) - binom.pmf(events_a, n_a, rate),
        }
        rows += [(rate, KNOWN_RATE_METHODS[key], key, float(p)) for key, p in p_values.items()]
    return pd.DataFrame(rows, columns=["rate", "method", "key", "p_value"])


def tipping_rate(
    events_a: int, n_a: int, alpha: float = 0.05, method: str = "minlike"
) -> tuple[float, float]:
    """Find the known event probabilities outside which one arm differs significantly from them.

    If the control treatment's true event probability is below `low` or above `high`, the
    binomial test of arm a against it gives P < `alpha`. A control arm with the higher
    proportion meets `high` first: however its patients were chosen, the difference stays
    significant as long as the true probability is above that.

    Parameters
    ----------
    events_a, n_a : int
        Events and patients in the arm.
    alpha : float, default 0.05
        Significance level.
    method : str, default "minlike"
        A key of `KNOWN_RATE_METHODS`. "central" gives the Clopper-Pearson limits and "mid-p"
        the mid-P limits of `rdmas.stats.proportion.interval`. P of "minlike" can pass `alpha`
        more than once; the outermost passage counts.

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
    if checks.one_of("method", method, KNOWN_RATE_METHODS) == "minlike":
        low = 1 - _minlike_high(n_a - events_a, n_a, alpha)
        return low, _minlike_high(events_a, n_a, alpha)
    limits = "clopper-pearson" if method == "central" else "mid-p"
    return interval(events_a, n_a, limits, 1 - alpha)


def discounted_controls(
    events_a: int, n_a: int, events_b: int, n_b: int, weights: Iterable[float]
) -> pd.DataFrame:
    r"""Likelihood-ratio P with the control arm's likelihood discounted.

    The likelihood of arm b is raised to the power of a weight between 0 and 1, as in the power
    prior of Bayesian borrowing, so that n historical controls count as weight times n
    concurrent ones. Twice the logarithm of the ratio of

    .. math:: \max_{p_a, p_b} L_a(p_a) L_b(p_b)^w \quad\text{and}\quad \max_p L_a(p) L_b(p)^w

    is referred to the chi-square distribution with one degree of freedom: the likelihood-ratio
    test of the table with w times the events and patients of arm b. As the weight goes to 0, P
    goes to 1. The statistic is a concave function of the weight that starts at 0 and is nowhere
    negative, so P never rises with the weight.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
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
    rows = []
    for given in checks.column("weights", weights):
        weight = checks.number("weight", given, 0, 1, "(]")
        effective = weight * table.events_b, weight * table.n_b
        rows.append((weight, *effective, _discounted_p(table, weight)))
    return pd.DataFrame(rows, columns=["weight", "effective_events_b", "effective_n_b", "p_value"])


def tipping_weight(events_a: int, n_a: int, events_b: int, n_b: int, alpha: float = 0.05) -> float:
    """Weight of the controls at which the discounted likelihood-ratio P reaches `alpha`.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    alpha : float, default 0.05
        Significance level.

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
    alpha = checks.alpha(alpha)
    if not significant(_discounted_p(table, 1.0), alpha):
        return 1.0
    return float(brentq(lambda weight: _discounted_p(table, weight) - alpha, 1e-100, 1, xtol=1e-14))


def _first_not_significant(
    path: list[Table], alpha: float, tests: Iterable[str] | None
) -> pd.DataFrame:
    """For each test the first table of a path that is not significant; missing if all are."""
    alpha = checks.alpha(alpha)
    patients = path[0].n_a + path[0].n_b
    rows = []
    for key in checked_tests(tests):
        test = TESTS[key]
        left_out = test.left_out(patients, searched=True)
        found = None if left_out else first_not_significant(path, test.of_many, alpha)
        observed = nan if left_out else float(test.function(path[0]))
        reached = (found.steps, *found.table[2:], found.p_value) if found else (None,) * 4
        rows.append((test.name, key, observed, *reached, left_out))
    columns = ["test", "key", "p_value_observed", "steps", "events_b", "n_b", "p_value"]
    whole = dict.fromkeys(["steps", "events_b", "n_b"], "Int64")
    frame = pd.DataFrame(rows, columns=[*columns, "left_out"])
    return frame.astype(whole | {"p_value": float})


def _removals(table: Table) -> list[Table]:
    """The tables after 0, 1, ... controls with the event are removed; one patient stays."""
    return [
        table._replace(events_b=table.events_b - removed, n_b=table.n_b - removed)
        for removed in range(min(table.events_b, table.n_b - 1) + 1)
    ]


def _minlike_high(events: int, n: int, alpha: float) -> float:
    """Largest probability that the minimum-likelihood test does not reject at `alpha`."""
    # Above the observed proportion P is the lower tail plus that of all larger numbers, from
    # `smallest` on, that are no more likely than the observed one. It drops at each probability
    # at which `smallest` becomes likelier; between two drops it falls, or falls and then rises.
    # So it is enough to look at both ends of each stretch, from the outside inwards; the right
    # end belongs to it. (statsmodels' inversion finds another passage: 0.141 for 0/18 at 0.1.)
    right = 1.0
    for smallest in range(n + 1, events + 1, -1):
        # Where the observed number and the next smaller one are equally likely.
        ways = log(comb(n, events)) - log(comb(n, smallest - 1))
        left = float(expit(ways / (smallest - 1 - events)))

        def excess(rate: float, smallest: int = smallest) -> float:
            return binom.cdf(events, n, rate) + binom.sf(smallest - 1, n, rate) - alpha

        if excess(right) >= 0:
            return right
        if excess(left) > 0:
            return float(brentq(excess, left, right, xtol=1e-15))
        right = left
    # With the next larger number counted too, all are, and P is 1.
    return right


def _discounted_p(table: Table, weight: float) -> float:
    """Likelihood-ratio P; NaN if nobody or everybody has the event."""
    events_a, n_a, events_b, n_b = table
    if not 0 < events_a + events_b < n_a + n_b:
        return nan
    cells = [[events_a, n_a - events_a], [weight * events_b, weight * (n_b - events_b)]]
    return float(chi2_contingency(cells, correction=False, lambda_="log-likelihood").pvalue)
