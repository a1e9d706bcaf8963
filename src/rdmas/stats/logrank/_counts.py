"""Checks of the arguments that the functions on counts share."""

from __future__ import annotations

import operator


def check_counts(deaths_a: int, n_a: int, deaths_b: int, n_b: int) -> tuple[int, int, int, int]:
    """Return the four counts as plain integers, or raise ValueError."""
    counts = []
    for name, count in (("deaths_a", deaths_a), ("n_a", n_a), ("deaths_b", deaths_b), ("n_b", n_b)):
        counts.append(check_whole(name, count))
    for arm, deaths, n in (("a", counts[0], counts[1]), ("b", counts[2], counts[3])):
        if n == 0:
            raise ValueError(f"n_{arm} is 0, but each arm needs at least one patient.")
        if deaths > n:
            raise ValueError(f"deaths_{arm} is {deaths}, more than the {n} patients of arm {arm}.")
    return counts[0], counts[1], counts[2], counts[3]


def check_whole(name: str, count: int) -> int:
    """Return a count as a plain integer, or raise ValueError."""
    try:
        if isinstance(count, float) and count.is_integer():
            count = int(count)
        whole = operator.index(count)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {count!r}.") from None
    if whole < 0:
        raise ValueError(f"{name} is {whole}, but a count cannot be negative.")
    return whole


def check_alpha(alpha: float) -> float:
    """Return a significance level between 0 and 1, or raise ValueError."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha!r}.")
    return float(alpha)
