"""What unseen follow-up leaves possible: the log-rank P under weaker and weaker assumptions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rdmas.paper.significance import ALPHA, words_for
from rdmas.stats import logrank, rounding
from rdmas.stats.checks import LeftOutError, Table

#: Numbers of deaths in both arms that a search passes through, and deaths times patients: beyond,
#: it takes more than some seconds.
_MOST_STATES = 150
_MOST_STEPS = 3000


@dataclass(frozen=True)
class UnseenFollowup:
    """The log-rank P-values that one assumption about unseen follow-up leaves possible.

    Attributes
    ----------
    assumption : str
        What is assumed of follow-up, in words.
    low, high : float
        Ends of the attainable range.
    high_is_bound : bool
        Whether `high` is an upper bound only, see `rdmas.stats.logrank.p_range`.
    high_attained : float
        The largest value that is known to be attained.
    limited : bool
        Whether early ends of follow-up are limited. Where they are not, hardly any value is
        excluded, and that a printed one is possible means nothing.
    known : numpy.ndarray or None
        All attainable values, if nobody is lost and they are few enough to be kept apart.
        None otherwise; values are then so dense that a printed number inside the attained
        range is taken as attainable.
    """

    assumption: str
    low: float
    high: float
    high_is_bound: bool
    high_attained: float
    limited: bool
    known: np.ndarray | None

    @property
    def method(self) -> str:
        """Return the name of the derivation."""
        return f"Log-rank, any order of deaths, {self.assumption}"

    def wordings(self, direction: int) -> set[str]:
        """Return what a test under the assumption can be put into words as, if it is defined."""
        ends = [end for end in (self.low, self.high_attained) if math.isfinite(end)]
        return {words_for(p_value, direction) for p_value in ends}

    def reproduces(self, reported: str) -> bool:
        """Tell whether some data set under the assumption gives the printed value."""
        if rounding.parse(reported).relation != "=":
            ends = (self.low, self.high_attained)
            return any(rounding.reproduces(end, reported) for end in ends)
        low, high = (float(end) for end in rounding.rounding_interval(reported))
        if self.known is None:
            return self.low <= high and low <= self.high_attained
        # A generous margin picks candidates quickly; the rounding module decides.
        margin = 1e-9
        near = self.known[(self.known > low - margin) & (self.known < high + margin)]
        return any(rounding.reproduces(float(p_value), reported) for p_value in near)


def searched(deaths: Table) -> bool:
    """Tell whether the ways in which deaths can follow one another are few enough to search.

    Examples
    --------
    >>> searched(Table(7, 35, 8, 28)), searched(Table(30, 300, 50, 300))
    (True, False)
    """
    states = (deaths.events_a + 1) * (deaths.events_b + 1)
    steps = (deaths.events_a + deaths.events_b) * (deaths.n_a + deaths.n_b)
    return states <= _MOST_STATES and steps <= _MOST_STEPS


# Several claims of a board ask for the same search, which is the slowest part of a verdict.
@lru_cache(maxsize=64)
def unseen_followup(deaths: Table) -> tuple[UnseenFollowup, ...]:
    """Return what each assumption about unseen follow-up leaves of the log-rank P-value.

    Parameters
    ----------
    deaths : rdmas.stats.checks.Table
        Deaths and patients of both arms, as from `rdmas.paper.cohort.Cohort.deaths`.

    Returns
    -------
    tuple of UnseenFollowup
        From the strongest assumption to none at all.

    Raises
    ------
    rdmas.stats.checks.LeftOutError
        If there is too much to search: see `searched`.

    Examples
    --------
    >>> strongest, *_, none = unseen_followup(Table(7, 34, 1, 34))
    >>> round(strongest.high, 3), none.limited
    (0.028, False)
    """
    if not searched(deaths):
        raise LeftOutError("Too many orders of deaths and ends of follow-up to search.")
    found = []
    for lost, ties, assumption, limited in _rungs(deaths):
        ends = logrank.p_range(*deaths, lost=lost, ties=ties)
        known = None if lost else _all_values(deaths, ties)
        found.append(
            UnseenFollowup(
                assumption,
                ends.low,
                ends.high,
                ends.high_is_bound,
                ends.high_attained,
                limited,
                known,
            )
        )
    return tuple(found)


def supported(assumptions: Sequence[UnseenFollowup], possible: Sequence[bool]) -> list[bool]:
    """Tell which assumptions count for a verdict, given those under which a print is possible.

    Without any limit to early ends of follow-up nearly everything is possible, and a check that
    accepted that could not fail. Such an assumption counts only where a stricter one does.

    Parameters
    ----------
    assumptions : sequence of UnseenFollowup
        From `unseen_followup`.
    possible : sequence of bool
        For each, whether the print is possible under it.

    Returns
    -------
    list of bool
    """
    within_limits = any(
        one and assumption.limited for one, assumption in zip(possible, assumptions, strict=True)
    )
    return [one and within_limits for one in possible]


def _rungs(deaths: Table) -> list[tuple[int, bool, str, bool]]:
    """Return losses, ties, words and whether losses are limited, strongest assumption first."""
    survivors = deaths.n_a + deaths.n_b - deaths.events_a - deaths.events_b
    try:
        enough = logrank.losses_to_exceed(*deaths, alpha=ALPHA, ties=True)
    except ValueError:  # the fewest losses are not known where z of both signs is attainable
        enough = None
    limits = [] if enough is None else [lost for lost in (enough - 1, enough) if lost > 1]
    early = "follow-up ending early, ties allowed"
    return [
        (0, False, "nobody's follow-up ending early, no ties", True),
        (0, True, f"nobody's {early}", True),
        (1, True, f"at most one survivor's {early}", True),
        *((lost, True, f"at most {lost} survivors' {early}", True) for lost in limits),
        (survivors, True, f"anybody's {early}", False),
    ]


def _all_values(deaths: Table, ties: bool) -> np.ndarray | None:
    """Return every attainable P with nobody lost; None if there are too many to keep apart."""
    try:
        return logrank.ordering_counts(*deaths, ties=ties)["p_value"].dropna().to_numpy()
    except ValueError:
        return None
