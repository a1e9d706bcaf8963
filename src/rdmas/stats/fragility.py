"""How many patients' outcomes carry a significant result, and which results are significant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.logrank import PRange, p_range
from rdmas.stats.logrank._search import Counts
from rdmas.stats.significance import significant
from rdmas.stats.two_by_two import TESTS, EqualityTest, fragility_index
from rdmas.stats.two_by_two._exact import two_sided_fisher
from rdmas.stats.two_by_two._fragility import SWITCHES, first_not_significant, switched

__all__ = [
    "fragility",
    "fragility_by_test",
    "fragility_index",
    "fragility_index_walsh",
    "logrank_fragility",
    "logrank_fragility_range",
    "significance_map",
]


# Tables of a map that can still be looked at, and of which a test can sum each by itself.
_MOST_TABLES = 20_000

# Entries of all searches that one fragility index of the log-rank test may take.
_MOST_WORK = 30_000_000


def fragility(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher", alpha: float = 0.05
) -> pd.DataFrame:
    """Count the fewest outcome switches that take P to `alpha` or above, by arm and direction.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Events and patients of both arms.
    test : str, default "fisher"
        A key of `rdmas.stats.two_by_two.TESTS`.
    alpha : float, default 0.05
        Significance level. Where the test is undefined, a table of equal proportions is not
        significant, and one of different proportions is passed over.

    Returns
    -------
    pandas.DataFrame
        Four rows: ``arm`` ("a" or "b"), ``direction`` ("to event" or "to non-event"), ``index``
        (number of patients switched; 0 if P is not below `alpha` to begin with; missing if no
        number suffices), and the table reached with its P-value: ``events_a``, ``events_b``,
        ``p_value``.

    Raises
    ------
    ValueError
        As `rdmas.stats.two_by_two.fragility_index`.

    Examples
    --------
    >>> fragility(40, 60, 100, 210).round(4)
      arm     direction  index  events_a  events_b  p_value
    0   a      to event   <NA>      <NA>      <NA>      NaN
    1   a  to non-event      3        37       100   0.0586
    2   b      to event      9        40       109   0.0552
    3   b  to non-event   <NA>      <NA>      <NA>      NaN
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    known = searched(test, table)
    alpha = checks.alpha(alpha)
    rows = []
    for arm, direction, change in SWITCHES:
        row: dict[str, str | float] = {"arm": arm, "direction": direction}
        found = first_not_significant(switched(table, arm, change), known.of_many, alpha)
        if found:
            row |= {"index": found.steps, "p_value": found.p_value} | found.table._asdict()
        rows.append(row)
    counts = ["index", "events_a", "events_b"]
    frame = pd.DataFrame(rows, columns=["arm", "direction", *counts, "p_value"])
    return frame.astype(dict.fromkeys(counts, "Int64") | {"p_value": float})


def fragility_index_walsh(
    events_a: int, n_a: int, events_b: int, n_b: int, test: str = "fisher", alpha: float = 0.05
) -> int | None:
    """Fragility index as first defined: events added to the arm with fewer events.

    With equal numbers of events the arm with the lower proportion is taken.

    Parameters
    ----------
    events_a, n_a, events_b, n_b, test, alpha
        As in `fragility`, and refused likewise.

    Returns
    -------
    int or None
        The index; 0 if P is not below `alpha` to begin with; None if P stays below `alpha`
        however many events are added, as can happen when the arm with fewer events is the one
        with the higher proportion.

    References
    ----------
    Walsh M, Srinathan SK, McAuley DF, et al. (2014). The statistical significance of
    randomized controlled trial results is frequently fragile: a case for a Fragility Index.
    Journal of Clinical Epidemiology 67:622-628.

    Examples
    --------
    >>> fragility_index_walsh(15, 40, 6, 40)
    1
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    known = searched(test, table)
    events_a, n_a, events_b, n_b = table
    fewer_in_a = (events_a, events_a / n_a) < (events_b, events_b / n_b)
    path = switched(table, "a" if fewer_in_a else "b", 1)
    found = first_not_significant(path, known.of_many, checks.alpha(alpha))
    return found.steps if found else None


def fragility_by_test(
    events_a: int,
    n_a: int,
    events_b: int,
    n_b: int,
    alpha: float = 0.05,
    tests: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Fragility of one table under each test.

    Parameters
    ----------
    events_a, n_a, events_b, n_b, alpha
        As in `fragility`, and refused likewise.
    tests : iterable of str, optional
        Keys of `rdmas.stats.two_by_two.TESTS`; by default all two-sided tests.

    Returns
    -------
    pandas.DataFrame
        One row for each test: ``test`` (display name), ``key``, ``statistic`` (its family),
        ``p_value`` (as observed),
        ``index`` (fewest switches within one arm), ``quotient`` (index over all patients;
        Ahmed, Fowler and McCredie 2016), ``walsh`` (`fragility_index_walsh`), the fewest
        switches by arm and direction: ``a_to_event``, ``a_to_non_event``, ``b_to_event``,
        ``b_to_non_event``; and ``left_out``, why a test was not searched with so many patients,
        empty if it was. Numbers are missing where no number suffices, and with all else in a row
        that is left out.

    Examples
    --------
    >>> frame = fragility_by_test(40, 60, 100, 210, tests=["chi2", "fisher"])
    >>> frame[["key", "index", "quotient", "a_to_non_event", "b_to_event"]].round(4)
          key  index  quotient  a_to_non_event  b_to_event
    0    chi2      3    0.0111               3          11
    1  fisher      3    0.0111               3           9
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    directions = ["a_to_event", "a_to_non_event", "b_to_event", "b_to_non_event"]
    rows = []
    for key in checked_tests(tests):
        test = TESTS[key]
        left_out = test.left_out(table.n_a + table.n_b, searched=True)
        row = {
            "test": test.name,
            "key": key,
            "statistic": test.statistic,
            "p_value": np.nan,
            "index": None,
            "quotient": np.nan,
            "walsh": None,
        }
        switches = pd.Series([None] * 4, dtype="Int64")
        if not left_out:
            switches = fragility(*table, key, alpha)["index"]
            row["p_value"] = float(test.function(table))
            row["index"] = switches.min()
            row["walsh"] = fragility_index_walsh(*table, key, alpha)
        steps = dict(zip(directions, switches, strict=True))
        rows.append(row | steps | {"left_out": left_out})
    frame = pd.DataFrame(rows).astype(dict.fromkeys(["index", "walsh", *directions], "Int64"))
    shares = frame["index"].to_numpy(float, na_value=np.nan) / (table.n_a + table.n_b)
    return frame.assign(quotient=shares)


def logrank_fragility(
    events_a: int, n_a: int, events_b: int, n_b: int, alpha: float = 0.05, ties: bool = False
) -> pd.DataFrame:
    """Bounds for the fragility index of the log-rank test, by arm and direction.

    The events are deaths, and nobody's follow-up ends before the last death; the order of
    deaths is unknown. A switch makes one death a survivor, followed to the end, or one survivor
    a death at an unknown time; P then lies within `rdmas.stats.logrank.p_range`. With fewer
    switches than ``index_low`` no order of deaths gives P of `alpha` or above, so the index is
    not smaller; with ``index_high`` switches every order does, so it is not larger.

    Parameters
    ----------
    events_a, n_a, events_b, n_b : int
        Deaths and patients of both arms.
    alpha : float, default 0.05
        Significance level; counts on which the log-rank test is undefined are not significant.
    ties : bool, default False
        Whether deaths may share a time.

    Returns
    -------
    pandas.DataFrame
        Four rows: ``arm`` and ``direction`` as in `fragility`, ``index_low`` and
        ``index_high``, missing where no number suffices.

    Raises
    ------
    ValueError
        If the counts are impossible or `alpha` is not between 0 and 1.
    rdmas.stats.checks.LeftOutError
        If there are too many orders to search with every switch, or if the answer cannot be
        told: where log-rank z of both signs is attainable, the largest P is known only to lie
        between that of the best order met and 1. In all tables of up to six patients an arm this
        does not happen with `alpha` 0.05 or 0.2.

    Examples
    --------
    >>> logrank_fragility(1, 10, 6, 11)
      arm     direction  index_low  index_high
    0   a      to event          1           1
    1   a  to non-event       <NA>        <NA>
    2   b      to event       <NA>        <NA>
    3   b  to non-event          1           1
    """
    table = checks.table(events_a, n_a, events_b, n_b)
    alpha = checks.alpha(alpha)
    # Deaths are added up to all patients of an arm; what that takes is some times this.
    if Counts(*table, lost=0, ties=ties).size * (table.n_a + table.n_b) > _MOST_WORK:
        raise checks.LeftOutError("Too many orders of deaths to search with every switch.")
    ranges = cache(partial(p_range, ties=ties))
    rows = []
    for arm, direction, change in SWITCHES:
        path = list(switched(table, arm, change))
        some = first_not_significant(path, partial(_ends, ranges, "high"), alpha)
        every = first_not_significant(path, partial(_ends, ranges, "low"), alpha)
        if some and significant(ranges(*some.table).high_attained, alpha):
            deaths_a, n_a, deaths_b, n_b = some.table
            raise checks.LeftOutError(
                f"With {deaths_a}/{n_a} against {deaths_b}/{n_b} deaths z of both signs is "
                f"attainable, but no order with P of {alpha:g} or more was met; whether "
                "there is one is not known."
            )
        rows.append((arm, direction, some and some.steps, every and every.steps))
    columns = ["arm", "direction", "index_low", "index_high"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[2:], "Int64"))


def logrank_fragility_range(
    events_a: int, n_a: int, events_b: int, n_b: int, alpha: float = 0.05, ties: bool = False
) -> tuple[int | None, int | None]:
    """Bounds for the fragility index of the log-rank test over all orders of deaths.

    Either arm and either direction are allowed, but not both at once.

    Parameters
    ----------
    events_a, n_a, events_b, n_b, alpha, ties
        As in `logrank_fragility`, and refused likewise; its smallest bounds are returned.

    Returns
    -------
    low, high : int or None
        First number of switches with which some order gives P of `alpha` or above, and first
        with which every order does; None where no number suffices.

    Examples
    --------
    >>> logrank_fragility_range(1, 10, 6, 11)
    (1, 1)
    """
    frame = logrank_fragility(events_a, n_a, events_b, n_b, alpha, ties)
    low, high = (frame[column].min() for column in ("index_low", "index_high"))
    return None if pd.isna(low) else int(low), None if pd.isna(high) else int(high)


def significance_map(
    n_a: int,
    n_b: int,
    tests: Iterable[str] = ("fisher", "chi2_n_minus_1"),
    alpha: float = 0.05,
) -> pd.DataFrame:
    """P of every table that two arms of given sizes can give.

    Fisher's minimum-likelihood P is computed for all tables at once; the unconditional tests
    (Barnard, Boschloo) take some milliseconds a table with arms of some twenty patients.

    Parameters
    ----------
    n_a, n_b : int
        Patients in arms a and b, at least 1.
    tests : iterable of str, default ("fisher", "chi2_n_minus_1")
        Keys of `rdmas.stats.two_by_two.TESTS`.
    alpha : float, default 0.05
        Significance level.

    Returns
    -------
    pandas.DataFrame
        One row for each test and table: ``test`` (display name), ``key``, ``events_a``,
        ``events_b``, ``p_value`` (NaN where the test is undefined) and ``significant``
        (P < `alpha`; False where undefined).

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1, a test is unknown or left out of searches
        among so many patients, or `alpha` is not between 0 and 1.
    rdmas.stats.checks.LeftOutError
        If there are more than 20,000 tables.

    Examples
    --------
    >>> frame = significance_map(4, 4, tests=["fisher"])
    >>> frame.loc[frame["significant"], ["events_a", "events_b", "p_value"]].round(4)
        events_a  events_b  p_value
    4          0         4   0.0286
    20         4         0   0.0286
    """
    n_a, n_b = checks.whole("n_a", n_a, low=1), checks.whole("n_b", n_b, low=1)
    alpha = checks.alpha(alpha)
    if (n_a + 1) * (n_b + 1) > _MOST_TABLES:
        raise checks.LeftOutError(f"There are more than {_MOST_TABLES:,} tables.")
    events_a, events_b = (events.ravel() for events in np.mgrid[: n_a + 1, : n_b + 1])
    parts = []
    for key in checked_tests(tests):
        TESTS[key].refuse_if_left_out(n_a + n_b, searched=True)
        counts = {"events_a": events_a, "events_b": events_b}
        p = p_of_tables(events_a, n_a, events_b, n_b, key)
        names = {"test": TESTS[key].name, "key": key}
        found = {"p_value": p, "significant": significant(p, alpha)}
        parts.append(pd.DataFrame(names | counts | found))
    return pd.concat(parts, ignore_index=True)


def _ends(ranges: Callable[..., PRange], end: str, tables: Sequence[Table]) -> Iterator[float]:
    """Yield one end of the range of log-rank P for each table."""
    return (getattr(ranges(*table), end) for table in tables)


def searched(test: str, table: Table) -> EqualityTest:
    """Return a test by its key, unless it is left out of searches among so many patients."""
    known = TESTS[checks.one_of("test", test, TESTS)]
    known.refuse_if_left_out(table.n_a + table.n_b, searched=True)
    return known


def checked_tests(tests: Iterable[str] | None) -> list[str]:
    """Return keys of tests as a list; all two-sided tests if none are given."""
    if tests is None:
        return [key for key, test in TESTS.items() if test.sides == "two-sided"]
    return [checks.one_of("test", key, TESTS) for key in checks.column("tests", tests)]


def p_of_tables(
    events_a: NDArray[np.int64], n_a: int, events_b: NDArray[np.int64], n_b: int, test: str
) -> NDArray[np.float64]:
    """P of many tables with the same sizes; left out if each of too many needs sums of its own."""
    if test == "fisher":
        return two_sided_fisher(n_a, n_b)[events_a, events_b]
    if TESTS[test].kind == "formula":
        columns: Any = np.broadcast_arrays(events_a, n_a, events_b, n_b)
        return TESTS[test].function(Table(*columns))
    if events_a.size > _MOST_TABLES:
        why = f"left out: more than {_MOST_TABLES:,} tables"
        raise checks.LeftOutError(f"{TESTS[test].name} is {why}.")
    pairs = zip(events_a.tolist(), events_b.tolist(), strict=True)
    return np.array([float(TESTS[test].function(Table(a, n_a, b, n_b))) for a, b in pairs])
