"""Two cohorts drawn alike, and a treatment that does nothing: how far apart are they all the same?

Cohorts of one disease differ by more than chance: by centre, period and choice of patients. If the
two arms of a comparison are two such cohorts, a test of equal proportions, which knows of chance
alone, finds differences more often than its level says. Everything here is a sum over all tables
that two arms can give; nothing is simulated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rdmas.stats import checks
from rdmas.stats.binomial_normal import LARGEST_TAU, Likelihood
from rdmas.stats.checks import Table
from rdmas.stats.fragility import checked_tests, p_of_tables, searched
from rdmas.stats.significance import significant
from rdmas.stats.two_by_two import TESTS

Grid = NDArray[np.float64]
Marks = NDArray[np.bool_]

# P-values closer than this, relative to their size, are one value.
_TIE = 1e-9

# Points of mu and tau that together weigh less than this are left out.
_NEGLIGIBLE = 1e-12


def table_probabilities(
    n_a: int, n_b: int, mu: ArrayLike, tau: ArrayLike, weight: ArrayLike = 1.0
) -> Grid:
    """Probability of every table whose arms are two cohorts drawn from one distribution.

    The arms' true logits are independent given mu and tau, which they share, normal with mean mu
    and standard deviation tau; the events are binomial.

    Parameters
    ----------
    n_a, n_b : int
        Patients in arms a and b, at least 1.
    mu, tau : float or array_like of float, shape (points,)
        Mean and standard deviation (0 to 50) of the cohorts' true logits; several points if they
        are not known exactly, as `rdmas.stats.posterior.JointPosterior.points` gives them.
    weight : float or array_like of float, shape (points,), default 1.0
        Probability of each point; they add to 1 (within 1e-6; they are rescaled).

    Returns
    -------
    numpy.ndarray, shape (n_a + 1, n_b + 1)
        Probability of i events in arm a and j in arm b, at [i, j].

    Raises
    ------
    ValueError
        If a size or tau is out of range, or the weights are not probabilities.

    Examples
    --------
    A spread that is huge leaves nearly everybody or nearly nobody with the event:

    >>> table_probabilities(1, 2, mu=0, tau=50).round(2)
    array([[0.25, 0.01, 0.25],
           [0.25, 0.01, 0.25]])
    """
    sizes = checks.whole("n_a", n_a, low=1), checks.whole("n_b", n_b, low=1)
    points = (np.atleast_1d(np.asarray(one, float)) for one in (mu, tau, weight))
    centre, spread, share = np.broadcast_arrays(*points)
    if not np.isfinite(centre).all() or not ((spread >= 0) & (spread <= LARGEST_TAU)).all():
        raise ValueError(f"mu must be finite and tau between 0 and {LARGEST_TAU:g}.")
    if not (share >= 0).all() or not abs(share.sum() - 1) <= 1e-6:
        raise ValueError(f"The weights must be at least 0 and add to 1; they add to {share.sum()}.")
    # What is left out together is negligible, as the smallest of all add up to it.
    order = np.argsort(share)
    kept = order[np.cumsum(share[order]) > _NEGLIGIBLE]
    arms = [_event_probabilities(n, centre[kept], spread[kept]) for n in sizes]
    return np.einsum("pi,pj,p->ij", *arms, share[kept] / share[kept].sum(), optimize=True)


# What a test says that is not applied.
_UNKNOWN = dict.fromkeys(["below", "below_this_way", "as_small", "as_small_this_way"], nan)


@dataclass(frozen=True, eq=False)
class WithoutEffect:
    """What is seen of two arms if they are cohorts drawn alike and the treatment does nothing.

    Attributes
    ----------
    by_test : pandas.DataFrame
        One row for each test: ``test`` (display name), ``key``, ``sides``, ``p_value`` (of the
        observed table) and four probabilities: ``below`` (P below the level), ``below_this_way``
        (and the difference of the observed sign), ``as_small`` (P at most the observed one) and
        ``as_small_this_way``. A table on which the test is undefined counts in none. In
        ``left_out`` stands why a test was not applied to so many tables, and all else is NaN;
        empty if it was.
    as_wide : float
        Probability of a difference of proportions at least as wide as the observed one, and of
        its sign (any difference at all where the arms are equal).
    both_as_far : float
        Probability that both arms are at least as far out as observed: the one with the lower
        proportion has at most, the other at least as many events.
    """

    by_test: pd.DataFrame
    as_wide: float
    both_as_far: float


def without_effect(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    mu: ArrayLike,
    tau: ArrayLike,
    weight: ArrayLike = 1.0,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> WithoutEffect:
    """How often cohorts drawn alike differ as much as two arms did, by chance and spread alone.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms, as observed.
    mu, tau, weight
        As in `table_probabilities`, and refused likewise.
    alpha : float, default 0.05
        Significance level.
    tests : iterable of str, optional
        Keys of `rdmas.stats.two_by_two.TESTS`; by default all two-sided tests.

    Returns
    -------
    WithoutEffect
        The probabilities.

    Raises
    ------
    ValueError
        If the counts are impossible, a test is unknown or `alpha` is not between 0 and 1.

    Notes
    -----
    The cohorts that mu and tau come from may differ in more ways than the arms do: in disease,
    centre and period. Arms that are more alike differ less often.

    Examples
    --------
    The chi-square test errs at about its level if cohorts do not differ, and far above if they do:

    >>> tables = [without_effect(1, 20, 8, 21, -1.4, tau, tests=["chi2"]) for tau in (0, 0.8)]
    >>> [round(float(found.by_test["below"].iloc[0]), 3) for found in tables]
    [0.056, 0.256]
    """
    observed = checks.table(events_a, n_a, events_b, n_b)
    alpha, patients = checks.alpha(alpha), observed.n_a + observed.n_b
    marks: dict[str, dict[str, Marks]] = {}
    left_out = {key: TESTS[key].left_out(patients, searched=True) for key in checked_tests(tests)}
    for key in [key for key, why in left_out.items() if not why]:
        try:
            marks[key] = _marked(observed, key, alpha)
        except checks.LeftOutError as error:
            left_out[key] = str(error).removeprefix(f"{TESTS[key].name} is ").rstrip(".")
    probability = table_probabilities(observed.n_a, observed.n_b, mu, tau, weight)
    a_far, b_far = _as_far(observed)
    rows = [
        {
            "test": TESTS[key].name,
            "key": key,
            "sides": TESTS[key].sides,
            "p_value": nan if why else float(TESTS[key].function(observed)),
            **(_UNKNOWN if why else _shares(marks[key], probability)),
            "left_out": why,
        }
        for key, why in left_out.items()
    ]
    return WithoutEffect(
        by_test=pd.DataFrame(rows),
        as_wide=float(probability[_as_wide(observed)].sum()),
        both_as_far=float(probability[a_far & b_far].sum()),
    )


def by_spread(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    mu: float,
    taus: Iterable[float],
    alpha: float = 0.05,
    test: str = "chi2_n_minus_1",
) -> pd.DataFrame:
    """How often cohorts drawn alike differ as much as two arms did, against their spread.

    Parameters
    ----------
    events_a, n_a, events_b, n_b, alpha
        As in `without_effect`, and refused likewise.
    mu : float
        Mean of the cohorts' true logits, the same throughout.
    taus : iterable of float
        Standard deviations of the cohorts' true logits, each 0 to 50.
    test : str, default "chi2_n_minus_1"
        A key of `rdmas.stats.two_by_two.TESTS`.

    Returns
    -------
    pandas.DataFrame
        One row for each of `taus`: ``tau``, and as in `WithoutEffect` ``below``,
        ``below_this_way``, ``as_small``, ``as_small_this_way`` and ``as_wide``.

    Examples
    --------
    >>> by_spread(1, 20, 8, 21, mu=-1.4, taus=[0, 0.5, 1]).iloc[:, :3].round(3)
       tau  below  below_this_way
    0  0.0  0.049           0.028
    1  0.5  0.137           0.072
    2  1.0  0.317           0.162
    """
    observed = checks.table(events_a, n_a, events_b, n_b)
    searched(test, observed)
    marked = _marked(observed, test, checks.alpha(alpha)) | {"as_wide": _as_wide(observed)}
    return pd.DataFrame(
        {
            "tau": float(tau),
            **_shares(marked, table_probabilities(observed.n_a, observed.n_b, mu, tau)),
        }
        for tau in checks.column("taus", taus)
    )


def _event_probabilities(n: int, mu: Grid, tau: Grid) -> Grid:
    """Probability of 0 to n events in a cohort, a row for each point."""
    alone = (Likelihood(np.array([events]), np.array([n])) for events in range(n + 1))
    return np.exp([likelihood.log(mu, tau) for likelihood in alone]).T


def _marked(observed: Table, key: str, alpha: float) -> dict[str, Marks]:
    """Tell of which tables a test says something, by what it says."""
    i, j = _tables(observed)
    p = p_of_tables(i.ravel(), observed.n_a, j.ravel(), observed.n_b, key).reshape(i.shape)
    own = p[observed.events_a, observed.events_b]
    below, as_small = significant(p, alpha), p <= own * (1 + _TIE)
    this_way = _difference(observed) > 0
    return {
        "below": below,
        "below_this_way": below & this_way,
        "as_small": as_small,
        "as_small_this_way": as_small & this_way,
    }


def _shares(marked: dict[str, Marks], probability: Grid) -> dict[str, float]:
    """Probability of the marked tables."""
    return {name: float(probability[marks].sum()) for name, marks in marked.items()}


def _tables(observed: Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Events of both arms in every table."""
    i, j = np.mgrid[: observed.n_a + 1, : observed.n_b + 1]
    return i, j


def _difference(observed: Table) -> NDArray[np.int64]:
    """Difference of proportions in every table, in whole numbers, positive if of this sign."""
    i, j = _tables(observed)
    sign = np.sign(observed.events_a * observed.n_b - observed.events_b * observed.n_a)
    return sign * (i * observed.n_b - j * observed.n_a)


def _as_wide(observed: Table) -> Marks:
    """Tell which tables have a difference at least as wide, of the same sign."""
    difference = _difference(observed)
    return difference >= difference[observed.events_a, observed.events_b]


def _as_far(observed: Table) -> tuple[Marks, Marks]:
    """Tell in which tables each arm is at least as far out, away from the other."""
    i, j = _tables(observed)
    if observed.events_a * observed.n_b <= observed.events_b * observed.n_a:
        return i <= observed.events_a, j >= observed.events_b
    return i >= observed.events_a, j <= observed.events_b
