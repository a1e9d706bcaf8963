"""Random data sets that fit the counts, under a declared sampling law."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rdmas.stats import checks


def random_data_sets(
    deaths_a: int,
    n_a: int,
    deaths_b: int,
    n_b: int,
    n_datasets: int,
    lost: int = 0,
    *,
    seed: int | np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Draw data sets that fit the counts, with untied deaths on the order scale.

    The sampling law, independently for each data set: all orders of the deaths of the two arms
    are equally likely; all sets of `lost` survivors, of both arms together, are equally likely to
    be the ones lost; and each lost survivor's follow-up ends, independently, in any of the gaps
    between successive deaths, or before the first, with equal probability. The law is a choice, not
    knowledge: shares of data sets are no probabilities of anything that happened.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.
    n_datasets : int
        Number of data sets.
    lost : int
        Number of survivors whose follow-up ends before the last death, exactly as many in each
        data set.
    seed : int or numpy.random.Generator
        Required, so that a result can be repeated.

    Returns
    -------
    time : numpy.ndarray of float, shape (n_datasets, n_a + n_b)
        Deaths at 1, 2, ... in order; ends of follow-up before the last death halfway between two
        deaths (0.5 before the first); one beyond the last death for everybody else.
    died : numpy.ndarray of bool, shape (n_a + n_b,)
        The first `deaths_a` patients of arm a and the first `deaths_b` of arm b.
    arm : numpy.ndarray of bool, shape (n_a + n_b,)
        False for arm a, whose patients come first, True for arm b. The three arrays are
        arguments of `logrank_p`.

    Raises
    ------
    ValueError
        If the counts are impossible, more patients are lost than survive, or patients are lost
        although nobody dies.

    Examples
    --------
    >>> from rdmas.stats.logrank import logrank_p
    >>> time, died, arm = random_data_sets(1, 3, 2, 3, n_datasets=2, lost=1, seed=1)
    >>> time
    array([[1. , 4. , 2.5, 2. , 3. , 4. ],
           [3. , 4. , 4. , 1. , 2. , 2.5]])
    >>> logrank_p(time, died, arm).shape
    (2,)
    """
    deaths_a, n_a, deaths_b, n_b = checks.table(deaths_a, n_a, deaths_b, n_b)
    n_datasets, lost = checks.whole("n_datasets", n_datasets), checks.whole("lost", lost)
    deaths = deaths_a + deaths_b
    survivors = n_a + n_b - deaths
    if lost > survivors:
        raise ValueError(f"lost is {lost}, more than the {survivors} survivors.")
    if lost and not deaths:
        raise ValueError("Nobody dies, so nobody can be lost before the last death.")
    rng = np.random.default_rng(seed)
    patient = np.arange(n_a + n_b)
    arm = patient >= n_a
    died = np.where(arm, patient - n_a < deaths_b, patient < deaths_a)

    time = np.empty((n_datasets, n_a + n_b))
    places = np.tile(np.arange(1.0, deaths + 1.0), (n_datasets, 1))
    time[:, died] = rng.permuted(places, axis=1)
    ends = np.full((n_datasets, survivors), deaths + 1.0)
    ends[:, :lost] = rng.integers(0, max(deaths, 1), size=(n_datasets, lost)) + 0.5
    time[:, ~died] = rng.permuted(ends, axis=1)
    return time, died, arm
