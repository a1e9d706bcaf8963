"""Arguments checked at the border: what comes back is trusted from there on.

Every refusal is a `ValueError` of one sentence that names the argument, the rule and the value.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Table(NamedTuple):
    """Two arms of a comparison, each by its events and its size.

    Attributes
    ----------
    events_a, n_a : int
        Events and patients of arm a.
    events_b, n_b : int
        Events and patients of arm b.

    Examples
    --------
    >>> table(7, 34, 1, 34).n_b
    34
    """

    events_a: int
    n_a: int
    events_b: int
    n_b: int

    def complement(self) -> Table:
        """Return the table of the patients without the event.

        Examples
        --------
        >>> table(7, 34, 1, 34).complement()
        Table(events_a=27, n_a=34, events_b=33, n_b=34)
        """
        return Table(self.n_a - self.events_a, self.n_a, self.n_b - self.events_b, self.n_b)

    def differ(self) -> bool:
        """Tell whether the arms have different proportions.

        Examples
        --------
        >>> table(2, 4, 1, 2).differ()
        False
        """
        return self.events_a * self.n_b != self.events_b * self.n_a

    def cells(self) -> list[list[int]]:
        """Return the four cells, a row for each arm, with the event in the first column.

        Examples
        --------
        >>> table(7, 34, 1, 34).cells()
        [[7, 27], [1, 33]]
        """
        without = self.complement()
        return [[self.events_a, without.events_a], [self.events_b, without.events_b]]


def whole(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """Return a whole number as a built-in integer.

    Parameters
    ----------
    name : str
        What the number is called in a refusal.
    value : int
        The number. Whole floats, such as 19.0, are taken, because a data frame column with a
        gap stores its counts that way; truth values are not.
    low : int, default 0
        Smallest number allowed.
    high : int, optional
        Largest number allowed.

    Returns
    -------
    int
        The same number.

    Raises
    ------
    ValueError
        If it is not a whole number, or outside of the limits.

    Examples
    --------
    >>> whole("n", 34.0)
    34
    >>> whole("n", 0, low=1)
    Traceback (most recent call last):
        ...
    ValueError: n must be a whole number of at least 1, got 0.
    """
    right = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if right and math.isfinite(value) and value == int(value):
        inside = low <= value and (high is None or value <= high)
        if inside:
            return int(value)
    bounds = f"of at least {low}" if high is None else f"between {low} and {high}"
    raise ValueError(f"{name} must be a whole number {bounds}, got {value!r}.")


def number(
    name: str, value: Any, low: float = -math.inf, high: float = math.inf, ends: str = "[]"
) -> float:
    """Return a finite number as a float.

    Parameters
    ----------
    name : str
        What the number is called in a refusal.
    value : float
        The number; truth values are refused.
    low, high : float, optional
        Limits.
    ends : {"[]", "()", "(]", "[)"}, default "[]"
        Whether the limits themselves are allowed (bracket) or not (parenthesis).

    Returns
    -------
    float
        The same number.

    Raises
    ------
    ValueError
        If it is not a finite number, or outside of the limits.

    Examples
    --------
    >>> number("weight", 1, 0, 1)
    1.0
    >>> number("level", 95, 0, 1, "()")
    Traceback (most recent call last):
        ...
    ValueError: level must be a number above 0 and below 1, got 95.
    """
    right = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if right and math.isfinite(value):
        above = low < value if ends[0] == "(" else low <= value
        below = value < high if ends[1] == ")" else value <= high
        if above and below:
            return float(value)
    words = [
        f"{'above' if ends[0] == '(' else 'at least'} {low:g}" if math.isfinite(low) else "",
        f"{'below' if ends[1] == ')' else 'at most'} {high:g}" if math.isfinite(high) else "",
    ]
    bounds = " and ".join(filter(None, words))
    kind = f"a number {bounds}" if bounds else "a finite number"
    raise ValueError(f"{name} must be {kind}, got {value!r}.")


def level(value: Any) -> float:
    """Return a confidence level; 95, meant as a percentage, is refused."""
    return number("level", value, 0, 1, "()")


def alpha(value: Any) -> float:
    """Return a significance level."""
    return number("alpha", value, 0, 1, "()")


def one_of(name: str, value: Any, allowed: Collection[str]) -> str:
    """Return a word from a closed list.

    Raises
    ------
    ValueError
        If it is not in the list, which the refusal then shows.
    """
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}.")
    return value


def counts(events: Any, n: Any) -> tuple[int, int]:
    """Return the events and the size of one arm.

    Parameters
    ----------
    events : int
        Patients with the event.
    n : int
        Patients.

    Returns
    -------
    events, n : int
        The same numbers as built-in integers.

    Raises
    ------
    ValueError
        If either is not a whole number, `n` is below 1, or `events` is not between 0 and `n`.

    Examples
    --------
    >>> counts(7.0, 34)
    (7, 34)
    >>> counts(35, 34)
    Traceback (most recent call last):
        ...
    ValueError: events must be a whole number between 0 and 34, got 35.
    """
    n = whole("n", n, low=1)
    return whole("events", events, high=n), n


def bounds(n: int, at_least: Any, at_most: Any) -> tuple[int, int]:
    """Return the smallest and the largest of the numbers of events that are meant.

    Raises
    ------
    ValueError
        If neither bound is given, one is not a whole number between 0 and `n`, or the first
        exceeds the second.

    Examples
    --------
    >>> bounds(20, at_least=8, at_most=None)
    (8, 20)
    """
    if at_least is None and at_most is None:
        raise ValueError("at_least, at_most or both must be given.")
    low = 0 if at_least is None else whole("at_least", at_least, high=n)
    high = n if at_most is None else whole("at_most", at_most, high=n)
    if low > high:
        raise ValueError(f"at_least must not exceed at_most, got {low} and {high}.")
    return low, high


def table(events_a: Any, n_a: Any, events_b: Any, n_b: Any) -> Table:
    """Return the four counts of two arms.

    Raises
    ------
    ValueError
        As `counts`; the refusal names the arm.

    Examples
    --------
    >>> table(7, 34, 1, 0)
    Traceback (most recent call last):
        ...
    ValueError: Arm b: n must be a whole number of at least 1, got 0.
    """
    arms: list[int] = []
    for arm, events, n in (("a", events_a, n_a), ("b", events_b, n_b)):
        try:
            arms += counts(events, n)
        except ValueError as error:
            raise ValueError(f"Arm {arm}: {error}") from None
    return Table(*arms)


def column(name: str, values: Any, length: int | None = None) -> list:
    """Return the entries of a sequence that must not be empty.

    Raises
    ------
    ValueError
        If it is text or not a sequence, is empty, or is not of the given length.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a sequence, got {values!r}.")
    entries = list(values)
    if not entries or (length is not None and len(entries) != length):
        wanted = "at least one entry" if length is None else f"{length} entries"
        raise ValueError(f"{name} must hold {wanted}, got {len(entries)}.")
    return entries


def studies(events: Sequence[int], n: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the events and sizes of several cohorts as arrays of equal length.

    Raises
    ------
    ValueError
        As `counts`; the refusal names the cohort by its place, starting at 1.

    Examples
    --------
    >>> studies([1, 2], [3, 1])
    Traceback (most recent call last):
        ...
    ValueError: Cohort 2: events must be a whole number between 0 and 1, got 2.
    """
    pairs = zip(column("events", events), column("n", n, len(list(events))), strict=True)
    checked = []
    for place, pair in enumerate(pairs, start=1):
        try:
            checked.append(counts(*pair))
        except ValueError as error:
            raise ValueError(f"Cohort {place}: {error}") from None
    both = np.array(checked, dtype=np.int64).T
    return both[0], both[1]
