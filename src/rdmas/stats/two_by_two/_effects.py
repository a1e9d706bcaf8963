"""Effect measures of a two-by-two table with their confidence intervals."""

from collections.abc import Iterator
from math import prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.two_by_two._exact import log_binomial

DIFFERENCE = "risk difference"
RATIO = "risk ratio"
ODDS_RATIO = "odds ratio"
NUMBER_NEEDED = "number needed to treat"

# Step away from an estimate at which the restricted variance is 0 (all cells of a column empty)
# and the score is 0/0: far below 1/n, the scale of an interval there.
_NUDGE = 1e-12

Limits = tuple[float, float]
Row = tuple[str, str, float, float, float]


def effects(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    level: float = 0.95,
    *,
    desirable: bool = True,
) -> pd.DataFrame:
    """Effect measures, arm a against arm b, each with the intervals in use for it.

    Risk difference (a minus b; the estimate is the observed difference for every method):
    Wald; Agresti-Caffo; Newcombe's hybrid of two Wilson intervals, without continuity
    correction; and the score intervals of Miettinen and Nurminen (variance with the factor
    N/(N-1)) and of Mee (without), from the score equation itself. Limits beyond -1 or 1 are cut
    there.

    Risk ratio (a over b): Katz's logarithmic interval and Koopman's score interval.

    Odds ratio (a over b): Woolf's logit interval with the sample odds ratio; "exact
    conditional": conditional maximum likelihood estimate and central limits, each from a
    one-sided Fisher test at half of 1 - `level`; "conditional mid-P": the same limits from
    mid-P values, with the median unbiased estimate at which both one-sided mid-P values are
    1/2.

    Number needed to treat: the reciprocal of the difference and of its Newcombe limits. If
    these have one sign, there is one row, "Newcombe, benefit" or "Newcombe, harm". If the
    difference's interval includes zero, there is one row for each, and both reach to infinity
    (Altman 1998); the estimate stands in the row of its direction, and the other row has NaN.

    In tables with zeros: a ratio x/0 is infinite and 0/0 is NaN. Katz's limits need an event in
    each arm and Woolf's all four cells; they are NaN otherwise. The score and exact limits are
    defined in every table: 0 or infinity on the side where the data set no bound. Wald's
    difference and Katz's ratio have width zero where their estimated variance is 0, as their
    formulas say.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients in arms a and b.
    level : float, default 0.95
        Confidence level, strictly between 0 and 1.
    desirable : bool, default True
        Whether the event is a good outcome (survival, response). It only decides which number
        needed to treat is the benefit of arm a: more events (True) or fewer (False).

    Returns
    -------
    pandas.DataFrame
        With the columns ``measure``, ``method``, ``estimate``, ``low`` and ``high``.

    Raises
    ------
    ValueError
        If the counts are impossible or the level is not between 0 and 1.

    References
    ----------
    Altman DG (1998). Confidence intervals for the number needed to treat. BMJ 317:1309-1312.

    Fagerland MW, Lydersen S, Laake P (2015). Recommended confidence intervals for two
    independent binomial proportions. Statistical Methods in Medical Research 24:224-254.

    Koopman PAR (1984). Confidence intervals for the ratio of two binomial proportions.
    Biometrics 40:513-517.

    Mee RW (1984). Confidence bounds for the difference between two probabilities.
    Biometrics 40:1175-1176.

    Miettinen O, Nurminen M (1985). Comparative analysis of two rates. Statistics in Medicine
    4:213-226.

    Newcombe RG (1998). Interval estimation for the difference between independent proportions:
    comparison of eleven methods. Statistics in Medicine 17:873-890.

    Examples
    --------
    Survival after standard against high-dose adrenaline in children (Perondi 2004, as analysed
    by Fagerland, Lydersen and Laake 2015):

    >>> effects(7, 34, 1, 34).round(4)
                       measure              method  estimate     low      high
    0          risk difference                Wald    0.1765  0.0292    0.3238
    1          risk difference       Agresti-Caffo    0.1765  0.0116    0.3217
    2          risk difference            Newcombe    0.1765  0.0189    0.3404
    3          risk difference  Miettinen-Nurminen    0.1765  0.0270    0.3453
    4          risk difference                 Mee    0.1765  0.0284    0.3439
    5               risk ratio                Katz    7.0000  0.9096   53.8695
    6               risk ratio             Koopman    7.0000  1.2209   42.5757
    7               odds ratio               Woolf    8.5556  0.9905   73.9003
    8               odds ratio   exact conditional    8.3293  0.9733  396.9940
    9               odds ratio   conditional mid-P    7.4925  1.1886  199.6166
    10  number needed to treat   Newcombe, benefit    5.6667  2.9380   52.8501
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    alpha = 1 - checks.level(level)
    rows = [
        *_difference_rows(table, alpha),
        *_ratio_rows(table, alpha),
        *_odds_ratio_rows(table, alpha),
        *_number_needed_rows(table, alpha, desirable),
    ]
    columns = ["measure", "method", "estimate", "low", "high"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], float))


def _difference_rows(table: Table, alpha: float) -> Iterator[Row]:
    estimate = table.events_a / table.n_a - table.events_b / table.n_b
    for method, limits in (
        ("Wald", _from_statsmodels(table, alpha, "diff", "wald")),
        ("Agresti-Caffo", _from_statsmodels(table, alpha, "diff", "agresti-caffo")),
        ("Newcombe", _from_statsmodels(table, alpha, "diff", "newcomb")),
        ("Miettinen-Nurminen", _score_difference(table, alpha, less_one=True)),
        ("Mee", _score_difference(table, alpha, less_one=False)),
    ):
        low, high = np.clip(limits, -1, 1)
        yield DIFFERENCE, method, estimate, low, high


def _ratio_rows(table: Table, alpha: float) -> Iterator[Row]:
    events_a, n_a, events_b, n_b = table
    estimate = _quotient(events_a * n_b, events_b * n_a)
    katz = (np.nan, np.nan)
    if events_a and events_b:
        katz = _from_statsmodels(table, alpha, "ratio", "log")
    yield RATIO, "Katz", estimate, *katz
    # The upper limit is the reciprocal of the lower one of b over a.
    swapped = Table(events_b, n_b, events_a, n_a)
    koopman = _koopman_low(table, alpha), _quotient(1, _koopman_low(swapped, alpha))
    yield RATIO, "Koopman", estimate, *koopman


def _odds_ratio_rows(table: Table, alpha: float) -> Iterator[Row]:
    events_a, n_a, events_b, n_b = table
    estimate = _quotient(events_a * (n_b - events_b), events_b * (n_a - events_a))
    woolf = (np.nan, np.nan)
    if 0 < events_a < n_a and 0 < events_b < n_b:
        woolf = _from_statsmodels(table, alpha, "odds-ratio", "logit")
    yield ODDS_RATIO, "Woolf", estimate, *woolf
    yield ODDS_RATIO, "exact conditional", *_conditional_odds_ratio(table, alpha, mid=False)
    yield ODDS_RATIO, "conditional mid-P", *_conditional_odds_ratio(table, alpha, mid=True)


def _number_needed_rows(table: Table, alpha: float, desirable: bool) -> Iterator[Row]:
    sign = 1 if desirable else -1
    estimate = sign * (table.events_a / table.n_a - table.events_b / table.n_b)
    limits = _from_statsmodels(table, alpha, "diff", "newcomb")
    low, high = sorted(sign * limit for limit in limits)
    for direction, needed, near, far in numbers_needed(estimate, low, high):
        yield NUMBER_NEEDED, f"Newcombe, {direction}", needed, near, far


def numbers_needed(
    difference: float, low: float, high: float
) -> Iterator[tuple[str, float, float, float]]:
    """Direction, number needed and its limits: one row, or two if the interval includes 0."""
    for direction, centre, near, far in (
        ("benefit", difference, high, low),
        ("harm", -difference, -low, -high),
    ):
        if near > 0:
            needed = _quotient(1, centre) if centre >= 0 else np.nan
            yield direction, needed, 1 / near, 1 / far if far > 0 else np.inf


def _quotient(numerator: float, denominator: float) -> float:
    if denominator == 0:
        return np.nan if numerator == 0 else np.inf
    return numerator / denominator


def _from_statsmodels(table: Table, alpha: float, compare: str, method: str) -> Limits:
    # A slow import, for which neither the tests of this package nor validation should wait.
    from statsmodels.stats.proportion import confint_proportions_2indep

    return confint_proportions_2indep(*table, compare=compare, method=method, alpha=alpha)


def _score_difference(table: Table, alpha: float, less_one: bool) -> Limits:
    """Both roots of (observed - difference)^2 = critical value x restricted variance."""
    # statsmodels has these limits too, with a wrong coefficient (its issue 10269).
    events_a, n_a, events_b, n_b = table
    observed = events_a / n_a - events_b / n_b
    n = n_a + n_b
    critical = chi2.isf(alpha, df=1) * (n / (n - 1) if less_one else 1)

    def excess(difference: float) -> float:
        p_b = _restricted_p_b(table, difference)
        p_a = p_b + difference
        variance = p_a * (1 - p_a) / n_a + p_b * (1 - p_b) / n_b
        return (observed - difference) ** 2 - critical * variance

    low, high = -1.0, 1.0
    if observed > -1:
        low = brentq(excess, -1, observed - _NUDGE, xtol=1e-14)
    if observed < 1:
        high = brentq(excess, observed + _NUDGE, 1, xtol=1e-14)
    return low, high


def _restricted_p_b(table: Table, difference: float) -> float:
    """Maximum likelihood estimate of the proportion in arm b, given the difference a minus b."""
    events_a, n_a, events_b, n_b = table
    if difference == 0:
        # Here the denominators of both arms vanish together and the sign would be lost.
        return (events_a + events_b) / (n_a + n_b)
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)

    # The derivative of the log-likelihood falls in p_b, so its sign change is bracketed; it is
    # multiplied by those of its denominators that do not cancel, which keeps it finite. The
    # closed solution of this cubic loses most digits where its roots nearly coincide.
    def slope(p_b: float) -> float:
        terms = [
            (count, sign, p)
            for count, sign, p in (
                (events_a, 1, p_b + difference),
                (n_a - events_a, -1, 1 - p_b - difference),
                (events_b, 1, p_b),
                (n_b - events_b, -1, 1 - p_b),
            )
            if count
        ]
        return sum(
            sign * count * prod([p for k, (_, _, p) in enumerate(terms) if k != this])
            for this, (count, sign, _) in enumerate(terms)
        )

    if slope(low) <= 0:
        return low
    if slope(high) >= 0:
        return high
    return brentq(slope, low, high, xtol=1e-16)


def _koopman_low(table: Table, alpha: float) -> float:
    """Lower limit of the ratio a over b."""
    events_a, n_a, events_b, n_b = table
    if events_a == 0:
        return 0.0
    critical = chi2.isf(alpha, df=1)

    def excess(ratio: float) -> float:
        # Smaller root of the quadratic likelihood equation for p_b. Written this way neither
        # the discriminant nor the quotient subtracts nearly equal numbers.
        with_ratio, without = (n_a + events_b) * ratio, n_b + events_a
        non_events = (n_a - events_a) * (n_b - events_b)
        root = np.sqrt((with_ratio - without) ** 2 + 4 * ratio * non_events)
        p_b = 2 * (events_a + events_b) / (with_ratio + without + root)
        p_a = ratio * p_b
        variance = p_a * (1 - p_a) / n_a + ratio**2 * p_b * (1 - p_b) / n_b
        return (events_a / n_a - ratio * events_b / n_b) ** 2 - critical * variance

    if events_b:
        end = events_a * n_b / (events_b * n_a) * (1 - _NUDGE)
    else:
        end = 1.0
        while excess(end) > 0:
            end *= 2
    return brentq(excess, 0, end, xtol=1e-15)


def _conditional_odds_ratio(table: Table, alpha: float, mid: bool) -> tuple[float, float, float]:
    """Estimate and limits from the events of arm a, given the events of both arms.

    Exact: maximum likelihood estimate and central limits. Mid-P: median unbiased estimate and
    limits that count half the probability of what was observed.
    """
    # scipy has this distribution too. But nchypergeom_fisher(10, 2, 5, 1 - 2**-52).pmf(1) ends
    # the whole process (scipy 1.17; the mid-P estimate of 1/2 against 4/8 goes there), and its
    # odds_ratio takes 44 s for 100,000 patients an arm.
    events_a, n_a, events_b, n_b = table
    total = events_a + events_b
    values = np.arange(max(0, total - n_b), min(n_a, total) + 1)
    if values.size == 1:
        return np.nan, 0.0, np.inf
    log_ways = log_binomial(n_a, values) + log_binomial(n_b, total - values)

    def odds_ratio(score: NDArray[np.float64], target: float) -> float:
        """Odds ratio at which the mean of a score that rises with the events is `target`."""

        def excess(log_odds_ratio: float) -> float:
            log_weights = log_ways + values * log_odds_ratio
            weights = np.exp(log_weights - log_weights.max())
            return score @ weights / weights.sum() - target

        width = 1.0
        while excess(-width) > 0 or excess(width) < 0:
            width *= 2
        return float(np.exp(brentq(excess, -width, width, xtol=1e-14)))

    at_lowest, at_highest = events_a == values[0], events_a == values[-1]
    beyond, observed = (values > events_a).astype(float), (values == events_a).astype(float)
    share = 0.5 if mid else 1.0
    if at_lowest or at_highest:
        estimate = 0.0 if at_lowest else np.inf
    elif mid:
        estimate = odds_ratio(beyond + observed / 2, 0.5)
    else:
        estimate = odds_ratio(values.astype(float), events_a)
    return (
        estimate,
        0.0 if at_lowest else odds_ratio(beyond + share * observed, alpha / 2),
        np.inf if at_highest else odds_ratio(beyond + (1 - share) * observed, 1 - alpha / 2),
    )
