"""Outcomes switched one by one until a comparison is no longer significant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.significance import significant
from rdmas.stats.two_by_two._tests import TESTS

#: Each way to switch outcomes within one arm: the arm, the direction, the change of its events.
SWITCHES = (
    ("a", "to event", 1),
    ("a", "to non-event", -1),
    ("b", "to event", 1),
    ("b", "to non-event", -1),
)


class Step(NamedTuple):
    """A table on a path, the steps it takes to get there, and P."""

    steps: int
    table: Table
    p_value: float


def switched(table: Table, arm: str, change: int) -> Iterator[Table]:
    """Yield the tables after 0, 1, ... outcomes of an arm are switched, while there are any."""
    events, n = table[:2] if arm == "a" else table[2:]
    for number in range(events, n + 1) if change == 1 else range(events, -1, -1):
        yield table._replace(**{f"events_{arm}": number})


PValues = Callable[[Sequence[Table]], Iterable[float | Fraction]]


def first_not_significant(path: Iterable[Table], p_values: PValues, alpha: float) -> Step | None:
    """Return the first table of a path that is not significant, or None if all are.

    Where the test is undefined although the arms differ (the logarithm of a ratio with an empty
    cell), it has no say: such a table counts only if the path starts from it.
    """
    for steps, (table, p) in enumerate(_with_p(path, p_values)):
        if steps and math.isnan(p) and table.differ():
            continue
        if not significant(p, alpha):
            return Step(steps, table, float(p))
    return None


def _with_p(path: Iterable[Table], p_values: PValues) -> Iterator[tuple[Table, float | Fraction]]:
    """Yield each table of a path with its P, computed for more and more of them at once."""
    rest = iter(path)
    at_once = 1
    while some := list(islice(rest, at_once)):
        yield from zip(some, p_values(some), strict=True)
        at_once *= 2


def fragility_index(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher", alpha: float = 0.05
) -> int | None:
    """Count the fewest outcome switches within one arm that take P to `alpha` or above.

    Either arm and either direction are allowed, but not both arms at once.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    test : str, default "fisher"
        A key of `TESTS`.
    alpha : float, default 0.05
        Significance level. Where the test is undefined, a table of equal proportions is not
        significant, and one of different proportions is passed over.

    Returns
    -------
    int or None
        The index; 0 if P is not below `alpha` to begin with; None in the rare case (`alpha`
        near 1) that no switches within one arm suffice.

    Raises
    ------
    ValueError
        If the counts are impossible, the test is unknown or left out with so many patients
        (`UNCONDITIONAL_IN_SEARCHES_UP_TO`), or `alpha` is not between 0 and 1.

    See Also
    --------
    rdmas.stats.fragility.fragility : The same for each arm and direction.

    References
    ----------
    Baer BR, Gaudino M, Charlson M, Fremes SE, Wells MT (2021). Fragility indices for only
    sufficiently likely modifications. PNAS 118:e2105254118.

    Examples
    --------
    >>> fragility_index(40, 60, 100, 210)
    3
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    known = TESTS[checks.one_of("test", test, TESTS)]
    known.refuse_if_left_out(table.n_a + table.n_b, searched=True)
    alpha = checks.alpha(alpha)
    found = (
        first_not_significant(switched(table, arm, change), known.of_many, alpha)
        for arm, _, change in SWITCHES
    )
    return min((step.steps for step in found if step), default=None)
