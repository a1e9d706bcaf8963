"""Arguments checked at the border: what comes back is trusted from there on.

Every refusal is a `ValueError` of one sentence that names the argument, the rule and the value.
Truth values are no numbers here. Whole floats are: a data frame column with a gap stores its counts
that way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from numbers import Real
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")
Instead = TypeVar("Instead")


class LeftOutError(ValueError):
    """An answer is left out although the arguments are right: too much work, or not decidable."""


def answered(
    call: Callable[..., Result], *arguments: Any, instead: Instead, **options: Any
) -> Result | Instead:
    """Call a function, and return something else where its answer is left out.

    Examples
    --------
    >>> from rdmas.stats.logrank import orderings
    >>> answered(orderings, 30, 300, 50, 300, instead="too many")
    'too many'
    """
    try:
        return call(*arguments, **options)
    except LeftOutError:
        return instead


class Table(NamedTuple):
    """Events and patients of arm a, then of arm b.

    Examples
    --------
    >>> table(7, 34, 1, 34).cells()
    [[7, 27], [1, 33]]
    """

    events_a: int
    n_a: int
    events_b: int
    n_b: int

    def complement(self) -> Table:
        """Return the table of the patients without the event."""
        return Table(self.n_a - self.events_a, self.n_a, self.n_b - self.events_b, self.n_b)

    def differ(self) -> bool:
        """Tell whether the arms have different proportions."""
        return self.events_a * self.n_b != self.events_b * self.n_a

    def cells(self) -> list[list[int]]:
        """Return the four cells, a row for each arm, with the event in the first column."""
        without = self.complement()
        return [[self.events_a, without.events_a], [self.events_b, without.events_b]]


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    try:
        return is_real and math.isfinite(value)
    except OverflowError:  # an integer or a fraction that no float can hold
        return False


def whole(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """Return a whole number between two limits, themselves allowed, as a built-in integer.

    Examples
    --------
    >>> whole("n", 34.0)
    34
    >>> whole("n", 0, low=1)
    Traceback (most recent call last):
        ...
    ValueError: n must be a whole number of at least 1, got 0.
    """
    limit = math.inf if high is None else high
    if _is_number(value) and value == int(value) and low <= value <= limit:
        return int(value)
    bounds = f"of at least {low}" if high is None else f"between {low} and {high}"
    raise ValueError(f"{name} must be a whole number {bounds}, got {value!r}.")


def number(
    name: str, value: Any, low: float = -math.inf, high: float = math.inf, ends: str = "[]"
) -> float:
    """Return a finite number between two limits as a float.

    Parameters
    ----------
    name, value, low, high
        What a refusal calls the number, the number, and its limits.
    ends : {"[]", "()", "(]", "[)"}, default "[]"
        Whether the limits themselves are allowed (bracket) or not (parenthesis).

    Examples
    --------
    >>> number("level", 95, 0, 1, "()")
    Traceback (most recent call last):
        ...
    ValueError: level must be a number above 0 and below 1, got 95.
    """
    if _is_number(value):
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
    """Return a word from a closed list, which a refusal shows."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}.")
    return value


def counts(events: Any, n: Any) -> tuple[int, int]:
    """Return the events and the size, at least 1, of one arm as built-in integers.

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
    """Return the smallest and the largest of the numbers of events meant; one may be None.

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
    """Return the four counts of two arms; a refusal names the arm.

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
    """Return the entries of a sequence, of a given length or else at least one."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"{name} must be a sequence, got {values!r}.")
    entries = list(values)
    if not entries or (length is not None and len(entries) != length):
        wanted = "at least one entry" if length is None else f"{length} entries"
        raise ValueError(f"{name} must hold {wanted}, got {len(entries)}.")
    return entries


def studies(events: Sequence[int], n: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the events and sizes of several cohorts as arrays; a refusal names the cohort.

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
