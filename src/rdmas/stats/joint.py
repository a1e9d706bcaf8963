"""What two margins say about their overlap when nobody published the cross-table."""

from __future__ import annotations

import pandas as pd

from rdmas.stats import checks


def overlap_bounds(events_a: int, events_b: int, n: int) -> tuple[int, int]:
    """Return the fewest and the most patients who can have both of two features.

    Parameters
    ----------
    events_a, events_b : int
        Patients with the first and with the second feature.
    n : int
        Patients in whom both were recorded.

    Returns
    -------
    low, high : int
        Fréchet's bounds; every whole number between them is possible.

    Raises
    ------
    ValueError
        If a count is impossible.

    References
    ----------
    Fréchet M (1951). Sur les tableaux de corrélation dont les marges sont données. Annales de
    l'Université de Lyon, Section A 14:53-77.

    Examples
    --------
    >>> overlap_bounds(4, 6, 20), overlap_bounds(15, 10, 20)
    ((0, 4), (5, 10))
    """
    n = checks.whole("n", n)
    events_a = checks.whole("events_a", events_a, high=n)
    events_b = checks.whole("events_b", events_b, high=n)
    return max(0, events_a + events_b - n), min(events_a, events_b)


def union_bounds(events_a: int, events_b: int, n: int) -> tuple[int, int]:
    """Return the fewest and the most patients who can have at least one of two features.

    As `overlap_bounds`; nested features give the lower bound, disjoint ones the upper.

    Examples
    --------
    >>> union_bounds(10, 6, 20)
    (10, 16)
    """
    low, high = overlap_bounds(events_a, events_b, n)
    return int(events_a + events_b - high), int(events_a + events_b - low)


def crossed_bounds(first: pd.Series, second: pd.Series, n: int) -> pd.DataFrame:
    """Return the bounds of every cell of a cross-table of which only the margins are known.

    Each cell can reach its bounds, those of `overlap_bounds`, by itself, but not all at once.

    Parameters
    ----------
    first, second : pandas.Series of int
        Patients in each category of a feature; some categories may be left out.
    n : int
        Patients in whom both were recorded.

    Returns
    -------
    pandas.DataFrame
        One row for each pair of categories: ``first``, ``second``, ``low``, ``high``.

    Examples
    --------
    >>> crossed_bounds(pd.Series({"yes": 15, "no": 5}), pd.Series({"died": 10}), 20)
      first second  low  high
    0   yes   died    5    10
    1    no   died    0     5
    """
    return pd.DataFrame(
        [
            (one, other, *overlap_bounds(in_one, in_other, n))
            for one, in_one in first.items()
            for other, in_other in second.items()
        ],
        columns=["first", "second", "low", "high"],
    )
