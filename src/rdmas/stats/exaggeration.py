"""By how much would a significant difference of two small arms overstate a true one?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import binom

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.fragility import p_of_tables, searched
from rdmas.stats.significance import significant


def exaggeration(
    n_a: int,
    n_b: int,
    proportion_b: float,
    differences: Iterable[float],
    test: str = "chi2_n_minus_1",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Say what remains of a difference once only significant ones are looked at.

    Exact: every table of two arms of these sizes, weighted by its binomial probability. A table
    on which the test is not defined counts as not significant.

    Parameters
    ----------
    n_a, n_b : int
        Patients in each arm.
    proportion_b : float
        True proportion of arm b.
    differences : iterable of float
        True differences, arm a less arm b, not 0; both proportions must lie between 0 and 1.
    test : str, default "chi2_n_minus_1"
        A key of `rdmas.stats.two_by_two.TESTS`.
    alpha : float, default 0.05
        Significant means a P-value below this.

    Returns
    -------
    pandas.DataFrame
        One row for each difference: ``difference``; ``power``, the probability of a significant
        result; ``exaggeration`` (type M), the mean size of the observed difference among
        significant results over the size of the true one; ``wrong_sign`` (type S), the share of
        significant results that point the other way. The last two are NaN without power.

    Raises
    ------
    ValueError
        If a size, a proportion, a difference, the test or the level is impossible.

    References
    ----------
    Gelman A, Carlin J (2014). Beyond power calculations: assessing type S (sign) and type M
    (magnitude) errors. Perspectives on Psychological Science 9:641-651.

    Examples
    --------
    >>> rare = exaggeration(20, 20, 0.4, [-0.05, -0.3])
    >>> [round(factor, 1) for factor in rare["exaggeration"]]
    [7.1, 1.3]
    """
    proportion_b = checks.number("proportion_b", proportion_b, 0, 1)
    n_a, n_b = checks.whole("n_a", n_a, low=1), checks.whole("n_b", n_b, low=1)
    searched(test, Table(0, n_a, 0, n_b))
    events_a, events_b = np.arange(n_a + 1), np.arange(n_b + 1)
    every_table = np.meshgrid(events_a, events_b, indexing="ij")
    p_values = p_of_tables(every_table[0].ravel(), n_a, every_table[1].ravel(), n_b, test)
    found_significant = significant(p_values, checks.alpha(alpha)).reshape(n_a + 1, n_b + 1)
    observed = events_a[:, np.newaxis] / n_a - events_b / n_b
    rows = []
    for true in checks.column("differences", differences):
        proportion_a = proportion_b + checks.number("Each difference", true, -1, 1)
        checks.number("proportion_b plus a difference", proportion_a, 0, 1)
        if true == 0:
            raise ValueError("A difference must not be 0: nothing can be told from its size.")
        probability = np.outer(
            binom.pmf(events_a, n_a, proportion_a), binom.pmf(events_b, n_b, proportion_b)
        )
        found = np.where(found_significant, probability, 0.0)
        power = float(found.sum())
        rows.append(
            {
                "difference": float(true),
                "power": power,
                "exaggeration": _share((found * abs(observed)).sum() / abs(true), power),
                "wrong_sign": _share(found[observed * true < 0].sum(), power),
            }
        )
    return pd.DataFrame(rows)


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
