"""Confidence intervals for one binomial proportion."""

from collections.abc import Callable
from types import MappingProxyType

from scipy.optimize import brentq
from scipy.special import bdtr, betainc
from statsmodels.stats.proportion import proportion_confint

from rdmas.stats import checks

#: Display name of each method of `interval`, by its key.
METHODS = MappingProxyType(
    {
        "clopper-pearson": "Clopper-Pearson",
        "wilson": "Wilson",
        "jeffreys": "Jeffreys",
        "agresti-coull": "Agresti-Coull",
        "mid-p": "mid-P",
        "blaker": "Blaker",
        "wald": "Wald",
    }
)

# Relative width of a tie between two tail probabilities: far above the rounding error of the
# binomial distribution function (about 1e-13), far below any real difference.
_TIE = 1e-10


def interval(
    events: int, n: int, method: str = "clopper-pearson", level: float = 0.95
) -> tuple[float, float]:
    """Two-sided confidence interval for a binomial proportion.

    Parameters
    ----------
    events : int
        Number of patients with the event, 0 to `n`.
    n : int
        Number of patients, at least 1.
    method : str, default "clopper-pearson"
        A key of `METHODS`:

        - ``clopper-pearson``: inverts two one-sided exact tests, each at half of 1 - `level`;
        - ``wilson``: inverts the score test, without continuity correction;
        - ``jeffreys``: equal-tailed posterior interval under a Beta(1/2, 1/2) prior, with the
          ends set as below (Brown, Cai and DasGupta 2001), so that a limit never excludes what
          was observed;
        - ``agresti-coull``: Wald's formula about the midpoint of Wilson's interval;
        - ``mid-p``: as Clopper-Pearson, counting half the probability of the observed number;
        - ``blaker``: the smallest interval that holds every proportion accepted by Blaker's
          exact test (the accepted set can have gaps, which are filled);
        - ``wald``: the estimate and its estimated standard error; of width zero at 0 and `n`.

        By every method the lower limit is exactly 0 when there is no event, and the upper
        exactly 1 when everyone has it. Agresti-Coull and Wald limits beyond 0 or 1 are cut there.
    level : float, default 0.95
        Confidence level, strictly between 0 and 1.

    Returns
    -------
    low, high : float
        Limits of the proportion, between 0 and 1.

    Raises
    ------
    ValueError
        If the counts are impossible, the method is unknown or the level is not between 0 and 1.

    References
    ----------
    Brown LD, Cai TT, DasGupta A (2001). Interval estimation for a binomial proportion.
    Statistical Science 16:101-133.

    Blaker H (2000). Confidence curves and improved exact confidence intervals for discrete
    distributions. Canadian Journal of Statistics 28:783-798.

    Fagerland MW, Lydersen S, Laake P (2017). Statistical Analysis of Contingency Tables,
    chapter 2. CRC Press.

    Examples
    --------
    Thirteen of sixteen, and none of nine (Fagerland, Lydersen and Laake 2017):

    >>> for method in ("clopper-pearson", "wilson", "jeffreys", "mid-p"):
    ...     print("{}: {:.4f} to {:.4f}".format(method, *interval(13, 16, method)))
    clopper-pearson: 0.5435 to 0.9595
    wilson: 0.5699 to 0.9341
    jeffreys: 0.5792 to 0.9442
    mid-p: 0.5699 to 0.9500
    >>> print("{:.4f} to {:.4f}".format(*interval(0, 9, "blaker")))
    0.0000 to 0.3161
    """
    events, n = checks.counts(events, n)
    level = checks.level(level)
    low, high = _INTERVALS[checks.one_of("method", method, METHODS)](events, n, 1 - level)
    # In closed forms such as Wilson's these ends are right up to rounding errors only.
    return 0.0 if events == 0 else float(low), 1.0 if events == n else float(high)


def _from_statsmodels(name: str) -> Callable[[int, int, float], tuple[float, float]]:
    return lambda events, n, alpha: proportion_confint(events, n, alpha=alpha, method=name)


def _mid_p(events: int, n: int, alpha: float) -> tuple[float, float]:
    return _mid_p_low(events, n, alpha), 1 - _mid_p_low(n - events, n, alpha)


def _mid_p_low(events: int, n: int, alpha: float) -> float:
    if events == 0:
        return 0.0
    if events == n:
        return alpha ** (1 / n)
    return brentq(
        # P(X > events) + P(X = events) / 2 is the mean of P(X >= events) and P(X > events).
        lambda p: betainc(events, n - events + 1, p) + betainc(events + 1, n - events, p) - alpha,
        0,
        1,
        xtol=1e-15,
    )


def _blaker(events: int, n: int, alpha: float) -> tuple[float, float]:
    return _blaker_low(events, n, alpha), 1 - _blaker_low(n - events, n, alpha)


def _blaker_low(events: int, n: int, alpha: float) -> float:
    """Smallest proportion that Blaker's test does not reject at `alpha`."""
    # Below the estimate, the P-value is P(X >= events) plus the largest lower tail, P(X <= q),
    # that does not exceed it. It jumps up where the next q becomes admissible and is continuous
    # between, falling and then rising. So the first accepted proportion is either such a jump or
    # the one place between two jumps where the P-value rises through `alpha`.
    if events == 0:
        return 0.0

    def upper_tail(p: float) -> float:
        return betainc(events, n - events + 1, p)

    def lower_tail(q: int, p: float) -> float:
        return bdtr(q, n, p) if q >= 0 else 0.0

    def jump(q: int) -> float:
        return brentq(lambda p: upper_tail(p) - lower_tail(q, p), 0, 1, xtol=1e-15)

    start = 0.0
    for q in range(-1, events - 1):
        end = jump(q + 1)

        def excess(p: float, q: int = q) -> float:
            return upper_tail(p) + lower_tail(q, p) - alpha

        if excess(start) >= -_TIE * alpha:
            return start
        if excess(end) > 0:
            return brentq(excess, start, end, xtol=1e-15)
        start = end
    # With q = events - 1 admissible the two tails are everything and the P-value is 1.
    return start


_INTERVALS: dict[str, Callable[[int, int, float], tuple[float, float]]] = {
    "clopper-pearson": _from_statsmodels("beta"),
    "wilson": _from_statsmodels("wilson"),
    "jeffreys": _from_statsmodels("jeffreys"),
    "agresti-coull": _from_statsmodels("agresti_coull"),
    "mid-p": _mid_p,
    "blaker": _blaker,
    "wald": _from_statsmodels("normal"),
}
