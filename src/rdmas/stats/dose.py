"""What two medians, before and after, can and cannot say about individual patients.

Doses are finite and at least 0, in any unit. The median of an even number of values is the mean
of the two middle ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pandas as pd

from rdmas.stats import checks

Interval = tuple[float, float]
Dose = Fraction | float  # a float only for infinity: no bound


def certain_decreases(
    n_before: int,
    n_after: int,
    median_before: float,
    median_after: float,
    *,
    lowest_before: float = 0,
    highest_before: float = math.inf,
    highest_after: float = math.inf,
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
        The medians, in one unit, taken as exact. To allow for rounding in print, pass the low end
        of the interval before and the high end of the interval after (or a bound that cuts the
        interval shorter): no other pair in the two intervals gives a smaller answer.
    lowest_before, highest_before : float, optional
        Assumed bounds, themselves allowed as values, on every dose before, also of patients not
        measured again. By default doses are only known to be at least 0 and finite.
    highest_after : float, optional
        Assumed bound, itself allowed as a value, on every dose after.

    Returns
    -------
    int
        The sharp minimum; 0 if the median did not fall.

    Raises
    ------
    ValueError
        If a count is not a positive whole number, `n_after` exceeds `n_before`, a median or bound
        is negative or not a number, a median is infinite, or a median lies outside its bounds.

    See Also
    --------
    certain_decreases_ladder : The same under one assumption after another.

    Notes
    -----
    Write :math:`x_{(1)} \le \dots \le x_{(n)}` for the doses before and
    :math:`y_{(1)} \le \dots \le y_{(m)}` for those after, *B* and *A* for their medians, and let
    :math:`A < B` (otherwise all before at *B* and all after at *A* fits, and nobody fell).

    *Everybody measured again, nobody fell: impossible.* Each dose after is at least the same
    patient's dose before, so :math:`y_{(j)} \ge x_{(j)}` for every *j*, and :math:`A \ge B`.

    *At most k fell: the smallest median after.* The other :math:`s = m - k` of those measured
    again have a dose after at least that before. Patients may exchange their doses before, so let
    these *s* have the lowest. The median after is smallest when the *k* went to 0 and the *s* kept
    their dose: the doses after are *k* zeros and :math:`x_{(1)}, \dots, x_{(s)}`. What remains is
    to make the middle one or two of these small. Below the middle, :math:`x_{(j)}` can be the
    lowest dose *L* allowed before. The middle one of an odd number is *B*. The two middle ones of
    an even number add to 2 *B*, so the lower can be as low as *L*, or as 2 *B* - *H* where *H*
    bounds the upper: the highest dose allowed before and, if the patient at that rank is one of
    the *s*, also the highest allowed after. These are reached together, because only with *n* =
    *m* even and *k* = 0, excluded above, do both middle doses before enter the median after. *k*
    is impossible if :math:`x_{(s)}` cannot be as low as the highest dose allowed after.

    *Everything above it can be reached*, by raising all doses after together. So *k* is possible
    exactly if its smallest median is at most *A*, and the answer is the first such *k*.

    Without bounds the answer is 1 if all were measured again. It is 0 as soon as one was not, with
    one exception: *n* odd, *m* = *n* - 1 and *A* < *B* / 2, where it is 1. Given that :math:`A < B`
    the answer never falls as *B* grows, as *A* shrinks, or as *m* grows. Doses in steps change
    nothing, if medians and bounds are what such doses can give.

    *That nobody's dose rose adds nothing.* In the data built above the *s* kept their dose and the
    *k* fell. Let *c* be *B* or the highest dose allowed after, whichever is lower. Raise, all
    together and in proportion, every dose before that is under *c* to *c* (for even *n* lower the
    upper middle one by as much as the lower rises), and the *k* doses after from 0 to *c*, while
    the *s* still keep their dose. On the way nobody's dose rises, the median before stays *B*, and
    the median after moves without a jump from its smallest value to at least *c*, through *A*.

    Examples
    --------
    A median that fell from 40 to 10 in the same 12 patients is certain of one patient only, and of
    none if one of the 12 was not measured again:

    >>> certain_decreases(12, 12, 40, 10)
    1
    >>> certain_decreases(12, 11, 40, 10)
    0

    If everybody started on at least 15, half of those measured again must have fallen. Not more
    than half: the middle doses after may be 0 and 20.

    >>> certain_decreases(12, 12, 40, 10, lowest_before=15)
    6
    >>> certain_decreases(12, 12, 40, 10, lowest_before=25)
    7
    """
    n_before = checks.whole("n_before", n_before, low=1)
    n_after = checks.whole("n_after", n_after, low=1, high=n_before)
    before = _exact("median_before", median_before)
    after = _exact("median_after", median_after)
    lowest = _exact("lowest_before", lowest_before)
    highest = _bound("highest_before", highest_before)
    ceiling = _bound("highest_after", highest_after)
    if not lowest <= before <= highest:
        raise ValueError(
            f"median_before ({median_before}) must lie between lowest_before ({lowest_before}) "
            f"and highest_before ({highest_before})."
        )
    if after > ceiling:
        raise ValueError(
            f"median_after ({median_after}) must not exceed highest_after ({highest_after})."
        )
    if after >= before:
        return 0

    lower_middle, upper_middle = _middle_ranks(n_before)

    def fits(fell: int) -> bool:
        """Whether some data set fits in which at most `fell` patients' doses fell."""
        kept = n_after - fell
        upper_limit = min(highest, ceiling) if kept >= upper_middle else highest

        def least_before(rank: int) -> Dose:
            if rank < lower_middle:
                return lowest
            if rank < upper_middle:
                return max(lowest, 2 * before - upper_limit)
            return before

        def least_after(rank: int) -> Dose:
            return least_before(rank - fell) if rank > fell else Fraction(0)

        if kept and least_before(kept) > ceiling:
            return False
        return sum(least_after(rank) for rank in _middle_ranks(n_after)) <= 2 * after

    # With everybody measured again a fall of the median needs one patient at least. Besides, only
    # there would `fits` combine two least values that cannot occur together (see Notes).
    fewest = 1 if n_after == n_before else 0
    return next(fell for fell in range(fewest, n_after + 1) if fits(fell))


def certain_decreases_ladder(
    n_before: int,
    n_after: int,
    median_before: float,
    median_after: float,
    *,
    lowest_before: float | None = None,
    highest_before: float | None = None,
    highest_after: float | None = None,
) -> pd.DataFrame:
    """What each added assumption buys: certain decreases under one after another.

    Parameters
    ----------
    n_before, n_after : int
        Patients measured before, and how many of them are assumed to have been measured again.
    median_before, median_after : float
        The medians, in one unit; see `certain_decreases` for rounding in print.
    lowest_before, highest_before, highest_after : float, optional
        Assumed bounds on individual doses, as in `certain_decreases`. Each one given adds a row;
        two or more add a last row with all of them.

    Returns
    -------
    pandas.DataFrame
        Columns `assumption` (str) and `certain_decreases` (int). The first row assumes nothing on
        how many were measured again. The second assumes `n_after`, and so do all that follow,
        which add to it what they name.

    Raises
    ------
    ValueError
        As `certain_decreases`.

    Notes
    -----
    That nobody's dose rose has its row because it sounds strong and adds nothing, with or without
    bounds: see the proof under `certain_decreases`.

    Examples
    --------
    >>> ladder = certain_decreases_ladder(12, 12, 40, 10, lowest_before=15, highest_after=30)
    >>> for row in ladder.itertuples():
    ...     print(row.certain_decreases, row.assumption)
    0 the two medians alone
    1 12 of 12 measured again
    1 and nobody's dose rose
    6 and every dose before at least 15
    6 and every dose after at most 30
    6 and all these bounds together
    """
    medians = (median_before, median_after)
    stated = certain_decreases(n_before, n_after, *medians)
    rows = [
        # Never falls as more are measured again (see Notes there), so one is the worst case.
        ("the two medians alone", certain_decreases(n_before, 1, *medians)),
        (f"{n_after} of {n_before} measured again", stated),
        # The same number by proof, not by computation: see Notes there.
        ("and nobody's dose rose", stated),
    ]
    wording = {
        "lowest_before": ("every dose before at least", lowest_before),
        "highest_before": ("every dose before at most", highest_before),
        "highest_after": ("every dose after at most", highest_after),
    }
    bounds = {name: value for name, (_, value) in wording.items() if value is not None}
    steps = [(f"{wording[name][0]} {value}", {name: value}) for name, value in bounds.items()]
    if len(bounds) > 1:
        steps.append(("all these bounds together", bounds))
    for words, assumed in steps:
        fewest = certain_decreases(n_before, n_after, *medians, **assumed)
        rows.append((f"and {words}", fewest))
    return pd.DataFrame(rows, columns=["assumption", "certain_decreases"])


def median_change_range(before_interval: Interval, after_interval: Interval) -> Interval:
    """Range of the fall of the median when each median is only known to lie in an interval.

    The fall is median before minus median after: positive if the median fell. It is a difference
    of medians, which is not the median of the patients' own falls: see `median_of_falls_range`.

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
        If an end is negative or not finite, or an interval's low end exceeds its high end.

    Notes
    -----
    The ends are subtracted as the decimal numbers they print as, so no binary rounding is added.

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

    The relative fall is (median before - median after) / median before: 1 if the median fell to
    0, negative if it rose.

    Parameters
    ----------
    before_interval, after_interval : (float, float)
        Low and high end, both included, for instance of the values that print as the median.

    Returns
    -------
    (float, float)
        Smallest and largest relative fall, without unit.

    Raises
    ------
    ValueError
        If an end is negative or not finite, an interval's low end exceeds its high end, or the
        median before could be 0.

    Examples
    --------
    Medians printed as 1.2 and 0.3, whose own ratio gives a fall of 75%:

    >>> low, high = relative_fall_range((1.15, 1.25), (0.25, 0.35))
    >>> round(low, 3), round(high, 3)
    (0.696, 0.8)
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

    All `n_pairs` patients were measured both times. A patient's fall is dose before minus dose
    after. The range is sharp: both ends, and everything between, occur in data sets that fit.

    Parameters
    ----------
    n_pairs : int
        Patients measured both times.
    median_before, median_after : float
        The medians, in one unit, taken as exact.

    Returns
    -------
    (float, float)
        Smallest and largest median fall, in the unit of the medians; negative for a rise.

    Raises
    ------
    ValueError
        If `n_pairs` is not a positive whole number, or a median is negative or not finite.

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
    before towards *B* and all after towards *A* in proportion. The medians stay, and the median
    fall moves without a jump to *B* - *A*, from either end.

    If fewer were measured after than before, the median before is not that of the pairs.

    Examples
    --------
    The median of 12 patients fell from 40 to 10. The median patient may have gone up by 10, or
    down by 40:

    >>> median_of_falls_range(12, 40, 10)
    (-10.0, 40.0)
    >>> median_of_falls_range(2, 40, 10)
    (30.0, 30.0)
    """
    n_pairs = checks.whole("n_pairs", n_pairs, low=1)
    before = _exact("median_before", median_before)
    after = _exact("median_after", median_after)
    if n_pairs <= 2:
        return float(before - after), float(before - after)
    return float(-after), float(before)


def extreme_data_sets(n: int, median_before: float, median_after: float) -> pd.DataFrame:
    """Two data sets with the same two medians: everybody's dose fell, and one patient's did.

    Parameters
    ----------
    n : int
        Patients measured both times, at least 1.
    median_before, median_after : float
        Median doses, the second below the first, both above 0.

    Returns
    -------
    pandas.DataFrame
        Columns `data_set`, `patient`, `before`, `after`. In the first data set every dose is
        lowered in proportion; in the second the half that starts low and all but one of the
        others keep their dose. The values only illustrate `certain_decreases`: no finding is
        in them.

    Raises
    ------
    ValueError
        If `n` is not a positive whole number or the medians are not as described.

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
    frames = [
        ("everybody's dose fell", gradual, gradual * median_after / median_before),
        ("one patient's dose fell", np.append(low, high), np.append(low, lowered)),
    ]
    return pd.concat(
        [
            pd.DataFrame(
                {"data_set": name, "patient": range(1, n + 1), "before": before, "after": after}
            )
            for name, before, after in frames
        ],
        ignore_index=True,
    )


def _middle_ranks(n: int) -> tuple[int, int]:
    """Ranks, from 1, of the two middle values; the same rank twice if `n` is odd."""
    return (n + 1) // 2, n // 2 + 1


def _exact(name: str, value: float) -> Fraction:
    """Return the number that a dose prints as."""
    checks.number(name, value, low=0)
    # Answers turn on ties such as 2 × 0.3 - 0.5 against 0.1, which binary fractions miss.
    return Fraction(str(value))


def _bound(name: str, value: float) -> Dose:
    """As `_exact`, but infinity is allowed."""
    return value if value == math.inf else _exact(name, value)


def _exact_interval(name: str, interval: Sequence[float]) -> tuple[Fraction, Fraction]:
    low, high = (_exact(name, end) for end in checks.column(name, interval, length=2))
    if low > high:
        raise ValueError(f"{name} must not have its low end above its high end: {interval!r}.")
    return low, high
