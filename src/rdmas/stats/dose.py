"""Doses before and after: measured, or known by two medians alone.

What measured doses say is in `median_interval` and `paired_change`; all else is about what two
medians can and cannot say about individual patients. Doses are finite and at least 0, in any unit;
medians are taken as the decimal numbers they print as. The median of an even number of values is
the mean of the two middle ones. Impossible counts, medians and bounds are refused with a
`ValueError`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom

from rdmas.stats import checks

Interval = tuple[float, float]


class MedianInterval(NamedTuple):
    """A median with its interval.

    Attributes
    ----------
    n : int
        Values that are not missing.
    median, low, high : float
        NaN without values; limits also where there are too few for the level (fewer than 6 for
        95%).
    coverage : float
        The probability, at least the level, that such limits hold the true median of continuous
        values.
    """

    n: int
    median: float
    low: float
    high: float
    coverage: float


class PairedChange(NamedTuple):
    """How a measurement changed in those measured both times.

    Attributes
    ----------
    n : int
        Patients with both values.
    fell, same, rose : int
        How many of them had less, as much and more after than before.
    median, low, high, coverage : float
        Of their changes, after less before, as in `MedianInterval`.
    """

    n: int
    fell: int
    same: int
    rose: int
    median: float
    low: float
    high: float
    coverage: float


def median_interval(values: ArrayLike, level: float = 0.95) -> MedianInterval:
    """Estimate a median with the exact interval between two order statistics.

    The limits are the k-th smallest and the k-th largest value, with the largest k for which the
    binomial distribution leaves at most half of 1 - `level` on either side. They hold whatever the
    distribution; with ties they hold all the more.

    Parameters
    ----------
    values : array_like of float
        Finite numbers; NaN is a missing value and left out.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    MedianInterval

    Raises
    ------
    ValueError
        If a value is infinite or no number, or the level is not between 0 and 1.

    References
    ----------
    Conover WJ (1999). Practical Nonparametric Statistics, 3rd ed., section 3.2. Wiley.

    Examples
    --------
    >>> found = median_interval([0.5, 1, 1, 2, 2.5, 3, 4, 8])
    >>> found.median, found.low, found.high, round(found.coverage, 4)
    (2.25, 0.5, 8.0, 0.9922)
    """
    alpha = 1 - checks.level(level)
    known = np.sort(_measured("values", values))
    known = known[~np.isnan(known)]
    n = known.size
    if not n:
        return MedianInterval(0, *[math.nan] * 4)
    # The slack keeps a tail that equals its share from being lost to rounding.
    tails = binom.cdf(np.arange((n + 1) // 2), n, 0.5)
    rank = int((tails <= alpha / 2 * (1 + 1e-12)).sum())
    if not rank:
        return MedianInterval(n, float(np.median(known)), *[math.nan] * 3)
    low, high = float(known[rank - 1]), float(known[n - rank])
    return MedianInterval(n, float(np.median(known)), low, high, float(1 - 2 * tails[rank - 1]))


def paired_change(before: ArrayLike, after: ArrayLike, level: float = 0.95) -> PairedChange:
    """Estimate the median change of those measured both times, with the interval of a sign test.

    The median of the changes, not the change of the median; nothing is assumed of their
    distribution, in particular no symmetry (as the Hodges-Lehmann estimate does).

    Parameters
    ----------
    before, after : array_like of float, shape (patients,)
        The same patients in the same order; NaN is a missing value, and its patient left out.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    PairedChange

    Raises
    ------
    ValueError
        As `median_interval`, and if the lengths differ.

    References
    ----------
    Conover WJ (1999). Practical Nonparametric Statistics, 3rd ed., sections 3.2 and 3.4. Wiley.

    Examples
    --------
    >>> found = paired_change([2, 3, 2, 1, 4, 2, 5], [1, 1, 2, None, 0.5, 1.5, 2.5])
    >>> found.n, found.fell, found.same, found.rose
    (6, 5, 1, 0)
    >>> found.median, found.low, found.high
    (-1.5, -3.5, 0.0)
    """
    first, second = _measured("before", before), _measured("after", after)
    if first.shape != second.shape:
        raise ValueError(
            f"before and after must have the same length, got {first.size} and {second.size}."
        )
    change = second - first
    # A difference of two decimals carries rounding errors where the decimals are equal.
    change[np.isclose(first, second, rtol=1e-12, atol=0)] = 0.0
    fell, same, rose = (int(np.sum(np.sign(change) == sign)) for sign in (-1, 0, 1))
    n, *median = median_interval(change, level)
    return PairedChange(n, fell, same, rose, *median)


def _measured(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return values as floats, NaN where missing."""
    try:
        array = pd.to_numeric(pd.Series(np.asarray(values).ravel())).to_numpy(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be numbers, or missing.") from None
    if np.isinf(array).any():
        raise ValueError(f"{name} must be finite.")
    return array


def certain_decreases(
    n_before: int,
    n_after: int,
    median_before: float,
    median_after: float,
    *,
    lowest_before: float = 0,
) -> int:
    r"""Fewest patients whose dose must have fallen, given the medians before and after.

    The number is sharp: every data set that fits has at least so many patients, among those
    measured both times, whose dose after is below their dose before, and some data set that fits
    has no more. Those measured after are some of those measured before; which ones is unknown.

    Parameters
    ----------
    n_before, n_after : int
        Patients measured before, and how many of them were measured again.
    median_before, median_after : float
        The medians, in one unit. For medians rounded in print take the low end of the interval
        before and the high end of the interval after: no other pair gives a smaller answer.
    lowest_before : float, default 0
        Lowest dose that is possible before, also in patients not measured again.

    Returns
    -------
    int
        The sharp minimum; 0 if the median did not fall.

    Raises
    ------
    ValueError
        If an argument is impossible, or `lowest_before` exceeds the median.

    Notes
    -----
    Write :math:`x_{(1)} \le \dots \le x_{(n)}` for the doses before, *B* and *A* for the medians
    before and after, *m* for `n_after`, and let :math:`A < B` (otherwise all at *B* before and all
    at *A* after fits).

    *All measured again, nobody fell: impossible.* Each dose after is at least the same patient's
    dose before, so rank by rank the sorted doses are too, and :math:`A \ge B`.

    *At most k fell: the smallest median after.* The other :math:`s = m - k` have a dose after at
    least that before. Patients may exchange their doses before, so let these *s* have the lowest.
    The median after is smallest when the *k* went to 0 and the *s* kept their dose: *k* zeros and
    :math:`x_{(1)}, \dots, x_{(s)}`. Below the middle, and at the lower of two middle ranks,
    :math:`x_{(j)}` can be the lowest dose allowed; at the upper one it is then above *B*, and it
    can be *B* if the lower is. Both enter the median after only if *n* = *m* is even and *k* = 0,
    which is excluded above; so the least of each are reached together.

    *Everything above it can be reached*, by raising all doses after together. So *k* is possible
    exactly if its smallest median is at most *A*, and the answer is the first such *k*. It never
    falls as *B* grows, as *A* shrinks, or as *m* grows.

    *That nobody's dose rose adds nothing.* In the data above the *s* kept their dose and the *k*
    fell. Raise, all together and in proportion, every dose before under *B* to *B* (for even *n*
    lower the upper middle one by as much as the lower rises), and the *k* doses after from 0 to
    *B*, while the *s* still keep their dose. Nobody's dose rises, the median before stays *B*, and
    the median after moves without a jump from its smallest value to at least *B*, through *A*.

    Examples
    --------
    >>> certain_decreases(12, 12, 40, 10), certain_decreases(12, 11, 40, 10)
    (1, 0)
    >>> certain_decreases(12, 12, 40, 10, lowest_before=15)
    6
    """
    n_before = checks.whole("n_before", n_before, low=1)
    n_after = checks.whole("n_after", n_after, low=1, high=n_before)
    before = _exact("median_before", median_before)
    after = _exact("median_after", median_after)
    lowest = _exact("lowest_before", lowest_before)
    if lowest > before:
        raise ValueError(
            f"lowest_before ({lowest_before}) must not exceed median_before ({median_before})."
        )
    if after >= before:
        return 0

    def least_after(rank: int, fell: int) -> Fraction:
        """Lowest dose after at a rank, from 1, if so many fell, to 0, and the others stayed."""
        if rank <= fell:
            return Fraction(0)
        return before if rank - fell > n_before // 2 else lowest

    def fits(fell: int) -> bool:
        middle = ((n_after + 1) // 2, n_after // 2 + 1)
        return sum(least_after(rank, fell) for rank in middle) <= 2 * after

    # The median of the same patients cannot fall without one of them (see Notes).
    fewest = 1 if n_after == n_before else 0
    return next(fell for fell in range(fewest, n_after + 1) if fits(fell))


def certain_decreases_ladder(
    n_before: int,
    n_after: int,
    median_before: float,
    median_after: float,
    *,
    lowest_before: float | None = None,
) -> pd.DataFrame:
    """What each added assumption buys: certain decreases under one after another.

    Arguments are those of `certain_decreases`; a lowest dose before, if given, adds a row.

    Returns
    -------
    pandas.DataFrame
        Columns ``assumption`` and ``certain_decreases``. The first row assumes nothing on how
        many were measured again; the second assumes `n_after`, and so do all that follow.

    Examples
    --------
    >>> ladder = certain_decreases_ladder(12, 12, 40, 10, lowest_before=15)
    >>> for row in ladder.itertuples():
    ...     print(row.certain_decreases, row.assumption)
    0 the two medians alone
    1 12 of 12 measured again
    1 and nobody's dose rose
    6 and every dose before at least 15
    """
    medians = (median_before, median_after)
    stated = certain_decreases(n_before, n_after, *medians)
    rows = [
        # Never falls as more are measured again, so one is the worst case.
        ("the two medians alone", certain_decreases(n_before, 1, *medians)),
        (f"{n_after} of {n_before} measured again", stated),
        # The same number by the proof above, not by computation.
        ("and nobody's dose rose", stated),
    ]
    if lowest_before is not None:
        fewest = certain_decreases(n_before, n_after, *medians, lowest_before=lowest_before)
        rows.append((f"and every dose before at least {lowest_before}", fewest))
    return pd.DataFrame(rows, columns=["assumption", "certain_decreases"])


def median_change_range(before_interval: Interval, after_interval: Interval) -> Interval:
    """Range of the fall of the median when each median is only known to lie in an interval.

    The fall is median before minus median after, negative for a rise. A difference of medians is
    not the median of the patients' own falls: see `median_of_falls_range`.

    Parameters
    ----------
    before_interval, after_interval : (float, float)
        Low and high end, both included, for instance of the values that print as the median.

    Returns
    -------
    (float, float)
        Smallest and largest fall, in the unit of the medians.

    Raises
    ------
    ValueError
        If an end is impossible or an interval's low end exceeds its high end.

    Examples
    --------
    Medians printed as 1.2 and 0.3:

    >>> median_change_range((1.15, 1.25), (0.25, 0.35))
    (0.8, 1.0)
    """
    before_low, before_high = _exact_interval("before_interval", before_interval)
    after_low, after_high = _exact_interval("after_interval", after_interval)
    return float(before_low - after_high), float(before_high - after_low)


def relative_fall_range(before_interval: Interval, after_interval: Interval) -> Interval:
    """Range of the fall of the median as a fraction of the median before.

    As `median_change_range`, but 1 for a fall to 0; the median before must be above 0.

    Examples
    --------
    >>> print("{:.3f} to {:.3f}".format(*relative_fall_range((1.15, 1.25), (0.25, 0.35))))
    0.696 to 0.800
    """
    before_low, before_high = _exact_interval("before_interval", before_interval)
    after_low, after_high = _exact_interval("after_interval", after_interval)
    if before_low == 0:
        raise ValueError(
            "before_interval must exclude 0, because a fall relative to 0 has no value."
        )
    return float(1 - after_high / before_low), float(1 - after_low / before_high)


def median_of_falls_range(n_pairs: int, median_before: float, median_after: float) -> Interval:
    """Range of the median of the patients' own falls, given only the two medians.

    All `n_pairs` patients were measured both times; a fall is dose before minus dose after. Both
    ends, and everything between, occur in data sets that fit.

    Returns
    -------
    (float, float)
        Smallest and largest median fall, in the unit of the medians; negative for a rise.

    Raises
    ------
    ValueError
        If an argument is impossible.

    Notes
    -----
    With one or two patients the median is the mean, so the median fall is the fall of the median,
    *B* - *A*. With three or more it is anything from -*A* to *B*:

    *At most B.* Doses are at least 0, so no patient's fall exceeds the dose before. Sorted, the
    falls are then rank by rank at most the sorted doses before, and so is their median.

    *B is reached.* Let *p* be the rank of the lower middle, let the :math:`p - 1` top doses before
    exceed 2 *A* + *B*, and all others be *B*. Let the middle of the doses after be *A*, or 0 and
    2 *A* for an even number, with 0 below and higher doses above. Give those at the top the middle
    dose *A* (or 2 *A*) and zeros, one patient at *B* (two for an even number) a zero, and the rest
    what is left. The falls of the first :math:`p - 1` exceed *B*, those named next are *B*, and no
    other exceeds *B*.

    *At least -A* follows by exchanging before and after. *Everything between*: move all doses
    before towards *B* and all after towards *A* in proportion.

    Examples
    --------
    >>> median_of_falls_range(12, 40, 10), median_of_falls_range(2, 40, 10)
    ((-10.0, 40.0), (30.0, 30.0))
    """
    n_pairs = checks.whole("n_pairs", n_pairs, low=1)
    before = _exact("median_before", median_before)
    after = _exact("median_after", median_after)
    if n_pairs <= 2:
        return float(before - after), float(before - after)
    return float(-after), float(before)


def extreme_data_sets(n: int, median_before: float, median_after: float) -> pd.DataFrame:
    """Two data sets with the same two medians: everybody's dose fell, and one patient's did.

    All `n` patients are measured both times, and the median falls, to a value above 0. In the
    first data set every dose is lowered in proportion; in the second the half that starts low and
    all but one of the others keep their dose. They only illustrate `certain_decreases`.

    Returns
    -------
    pandas.DataFrame
        Columns ``data_set``, ``patient``, ``before`` and ``after``.

    Raises
    ------
    ValueError
        If an argument is impossible or the median does not fall.

    Examples
    --------
    >>> pairs = extreme_data_sets(4, 2.0, 1.0)
    >>> pairs.groupby("data_set")[["before", "after"]].median().round(9).to_numpy().tolist()
    [[2.0, 1.0], [2.0, 1.0]]
    >>> (pairs["after"] < pairs["before"]).groupby(pairs["data_set"]).sum().tolist()
    [4, 1]
    """
    n = checks.whole("n", n, low=1)
    if not 0 < median_after < median_before < math.inf:
        raise ValueError("both medians must be above 0 and the second below the first")
    half, odd = divmod(n, 2)
    spread = np.linspace(-0.5, 0.5, n) if n > 1 else np.zeros(1)
    gradual = median_before * (1 + spread)
    # The low half stays clearly below the median after; the lowest of the high half falls to
    # where the two middle values average to that median (or onto it, for an odd n).
    top_of_low = 0.8 * median_after
    low = np.linspace(0.2 * median_after, top_of_low, half) if half > 1 else [top_of_low] * half
    bottom_of_high = median_before if odd else 2 * median_before - top_of_low
    high = np.linspace(bottom_of_high, bottom_of_high + median_before, half + odd)
    lowered = high.copy()
    lowered[0] = median_after if odd else 2 * median_after - top_of_low
    data_sets = {
        "everybody's dose fell": (gradual, gradual * median_after / median_before),
        "one patient's dose fell": (np.append(low, high), np.append(low, lowered)),
    }
    patients = range(1, n + 1)
    frames = [
        pd.DataFrame({"data_set": name, "patient": patients, "before": before, "after": after})
        for name, (before, after) in data_sets.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _exact(name: str, value: float) -> Fraction:
    """Return the number that a dose prints as."""
    checks.number(name, value, low=0)
    # Answers turn on ties such as 0.1 + 0.2 against 2 x 0.15, which binary fractions miss.
    return Fraction(str(value))


def _exact_interval(name: str, interval: Sequence[float]) -> tuple[Fraction, Fraction]:
    low, high = (_exact(name, end) for end in checks.column(name, interval, length=2))
    if low > high:
        raise ValueError(f"{name} must not have its low end above its high end: {interval!r}.")
    return low, high
