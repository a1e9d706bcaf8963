"""Data sets that fit the counts: of one order, with one loss, or drawn at random."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rdmas.stats import checks
from rdmas.stats.logrank._orders import check_orders, orderings
from rdmas.stats.logrank._statistic import logrank_p

# Those of so many data sets, all together, take seconds to sort.
_MOST_TIMES = 20_000_000

# They take half a gigabyte.
_MOST_DRAWN = 50_000_000

DataSets = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]


def data_of_order(order: str, n_a: int, n_b: int) -> DataSets:
    """Build the data set of one order of deaths, with nobody lost before the last death.

    Parameters
    ----------
    order : str
        The arm of each death, first to last, as letters A and B, as in `orderings`.
    n_a, n_b : int
        Patients in arms a and b.

    Returns
    -------
    time : numpy.ndarray of float, shape (n_a + n_b,)
        Deaths at 1, 2, ... in order; one beyond the last death for everybody else.
    died : numpy.ndarray of bool, shape (n_a + n_b,)
        The patients who die come first within each arm.
    arm : numpy.ndarray of bool, shape (n_a + n_b,)
        False for arm a, whose patients come first, True for arm b.

    Raises
    ------
    ValueError
        If the order holds other letters, or more deaths than an arm has patients.

    Examples
    --------
    >>> from rdmas.stats.logrank import logrank_p
    >>> time, died, arm = data_of_order("ABB", 5, 4)
    >>> time
    array([1., 4., 4., 4., 4., 2., 3., 4., 4.])
    >>> round(float(logrank_p(time, died, arm)), 6)
    0.466636
    """
    if set(order) - set("AB"):
        raise ValueError(f"order must hold the letters A and B only, got {order!r}.")
    table = checks.table(order.count("A"), n_a, order.count("B"), n_b)
    died, arm = _died_and_arm(table)
    time = np.full(died.size, len(order) + 1.0)
    letters = np.array(list(order))
    for letter, dying in (("A", died & ~arm), ("B", died & arm)):
        time[dying] = np.flatnonzero(letters == letter) + 1.0
    return time, died, arm


def one_loss(deaths_a: int, n_a: int, deaths_b: int, n_b: int) -> pd.DataFrame:
    """Log-rank P of every order of deaths with exactly one survivor lost before the last death.

    Parameters
    ----------
    deaths_a, n_a, deaths_b, n_b : int
        Deaths and patients of arms a and b.

    Returns
    -------
    pandas.DataFrame
        One row per order of deaths without ties, arm of the lost survivor and gap: `order` (as in
        `orderings`), `lost_arm` ("A" or "B"), `deaths_before` (how many deaths happened before
        that follow-up ended) and `p_value`. Within an arm it does not matter who is lost.

    Raises
    ------
    ValueError
        If the counts are impossible.
    rdmas.stats.checks.LeftOutError
        If the data sets hold more than 20 million times, all together.

    Examples
    --------
    >>> one_loss(1, 3, 1, 2)
      order lost_arm  deaths_before   p_value
    0    AB        A              0  0.808365
    1    AB        A              1  0.921886
    2    AB        B              0  0.515082
    3    AB        B              1  0.694887
    4    BA        A              0  0.808365
    5    BA        A              1  0.694887
    6    BA        B              0  0.083265
    7    BA        B              1  0.220671
    """
    table = checks.table(deaths_a, n_a, deaths_b, n_b)
    died, arm = _died_and_arm(table)
    n_deaths = table.events_a + table.events_b
    # The last patient of an arm stands for its survivors.
    last = {"A": table.n_a - 1, "B": table.n_a + table.n_b - 1}
    survivors = {letter: patient for letter, patient in last.items() if not died[patient]}
    losses = [(*lost, before) for lost in survivors.items() for before in range(n_deaths)]
    check_orders(
        *table[::2], ties=False, most=_MOST_TIMES // max(1, len(losses) * (table.n_a + table.n_b))
    )
    rows: list[tuple[str, str, int, float]] = []
    for order in orderings(*table)["order"]:
        time, _, _ = data_of_order(order, table.n_a, table.n_b)
        times = np.tile(time, (len(losses), 1))
        for changed, (_, patient, deaths_before) in zip(times, losses, strict=True):
            changed[patient] = deaths_before + 0.5
        p_values = np.atleast_1d(logrank_p(times, died, arm))
        rows += [
            (order, lost_arm, deaths_before, float(p))
            for (lost_arm, _, deaths_before), p in zip(losses, p_values, strict=True)
        ]
    return pd.DataFrame(rows, columns=["order", "lost_arm", "deaths_before", "p_value"])


def random_data_sets(
    deaths_a: int,
    n_a: int,
    deaths_b: int,
    n_b: int,
    n_datasets: int,
    lost: int = 0,
    *,
    seed: int | np.random.Generator,
) -> DataSets:
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
    rdmas.stats.checks.LeftOutError
        If there are more than 50 million times to draw.

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
    table = checks.table(deaths_a, n_a, deaths_b, n_b)
    n_datasets = checks.whole("n_datasets", n_datasets)
    if n_datasets * (table.n_a + table.n_b) > _MOST_DRAWN:
        raise checks.LeftOutError(f"There are more than {_MOST_DRAWN:,} times to draw at once.")
    died, arm = _died_and_arm(table)
    deaths, survivors = int(died.sum()), int((~died).sum())
    lost = checks.whole("lost", lost, high=survivors)
    if lost and not deaths:
        raise ValueError("Nobody dies, so nobody can be lost before the last death.")
    rng = np.random.default_rng(seed)
    time = np.empty((n_datasets, died.size))
    places = np.tile(np.arange(1.0, deaths + 1.0), (n_datasets, 1))
    time[:, died] = rng.permuted(places, axis=1)
    ends = np.full((n_datasets, survivors), deaths + 1.0)
    ends[:, :lost] = rng.integers(0, max(deaths, 1), size=(n_datasets, lost)) + 0.5
    time[:, ~died] = rng.permuted(ends, axis=1)
    return time, died, arm


def _died_and_arm(table: checks.Table) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Who died, and who is in arm b; patients of arm a, and in each arm the dying, come first."""
    patient = np.arange(table.n_a + table.n_b)
    arm = patient >= table.n_a
    return np.where(arm, patient - table.n_a < table.events_b, patient < table.events_a), arm
