"""P-values of simulated trials: what the audit says of true prints and of wrong ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd

from rdmas.paper.significance import ALPHA, words
from rdmas.selfcheck.checker._audit import Audit
from rdmas.selfcheck.checker._printing import (
    PRINTINGS,
    ROUNDED_ONCE,
    bound_text,
    decimal_text,
    p_text,
    whole_numbers,
)
from rdmas.selfcheck.checker._trials import (
    AUTHORS_TESTS,
    Arrays,
    AuthorsTest,
    TrialLaw,
    deaths_in,
)
from rdmas.stats import checks
from rdmas.stats.checks import Table
from rdmas.stats.proportion import interval
from rdmas.stats.significance import significant

Print = tuple[str, str, int | None, str]


_AS_BOUND = f"below or above {ALPHA}"
_OUTCOMES = ("undetectable", "another_test", "another_order", "caught")


def p_value_false_alarms(
    data_sets: int,
    *,
    seed: int,
    law: TrialLaw | None = None,
    decimals: Iterable[int] = (2, 3),
    printings: Sequence[str] = PRINTINGS,
    authors_tests: Sequence[AuthorsTest] = AUTHORS_TESTS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Simulate trials, print their P-values as authors would, and count the alarms.

    In each data set every author prints P in every way: as a number, as a bound (``<0.05`` or
    ``>0.05``), and in words (``significantly higher``). As a number, P below one unit of the
    last decimal is printed as below that unit (``<0.001``). The audit sees the deaths and
    patients of each arm and nothing else.

    Parameters
    ----------
    data_sets : int
        Number of independent trials.
    seed : int
        Seed of `numpy.random.default_rng`.
    law : TrialLaw, optional
        How trials are drawn; by default ``TrialLaw()``.
    decimals : iterable of int, default (2, 3)
        Printed decimals.
    printings : sequence of str, optional
        Ways of printing numbers, by default all of `PRINTINGS`. With `ROUNDED_ONCE` and tests of
        counts alone, ranges over unseen times, which take most of the run time, are not needed.
    authors_tests : sequence of AuthorsTest, optional
        By default `AUTHORS_TESTS`.
    level : float, default 0.95
        Confidence level of the Clopper-Pearson interval of `share`.

    Returns
    -------
    pandas.DataFrame
        One row per author's test and way of printing, with columns ``kind`` (P-value or
        wording), ``author`` (name of the test), ``basis`` (on which the audit should find it),
        ``printing``, ``rounded_once``, ``decimals`` (missing for bounds and words),
        ``data_sets`` (those in which the author's P is defined), ``flagged`` (not reproduced),
        ``share``, ``low``, ``high``, ``flagged_on_counts`` (would be flagged if no assumption
        about unseen times were admitted) and ``furthest`` (largest distance, in units of the
        last printed decimal, from a printed P to the nearest test on the counts: up to 0.5
        that test reproduces it; NaN for bounds and words).

        Rows are about the same data sets, so that their numbers are not independent.

    Raises
    ------
    ValueError
        If `data_sets` is not at least 1, a number of decimals not at least 0, a way of printing
        unknown, or `level` not between 0 and 1.

    Examples
    --------
    >>> fisher = [test for test in AUTHORS_TESTS if test.name == "Fisher exact"]
    >>> found = p_value_false_alarms(
    ...     5, seed=1, decimals=[3], printings=ROUNDED_ONCE, authors_tests=fisher
    ... )
    >>> found[["printing", "data_sets", "flagged"]]
                  printing  data_sets  flagged
    0              half up          5        0
    1         half to even          5        0
    2            half down          5        0
    3       floating point          5        0
    4  below or above 0.05          5        0
    5             in words          5        0
    """
    level, decimals = checks.level(level), whole_numbers("decimals", decimals, 0)
    for way in printings:
        checks.one_of("printings", way, PRINTINGS)
    rows = [
        {
            "kind": kind,
            "author": author.name,
            "basis": author.basis,
            "printing": way,
            "rounded_once": way not in PRINTINGS or way in ROUNDED_ONCE,
            "decimals": places,
            "data_sets": 1,
            "flagged": not (audit.on_counts(text) or audit.on_ordering(text)),
            "flagged_on_counts": not audit.on_counts(text),
            "furthest": audit.distance(text),
        }
        for author, _, p_value, audit in _simulated(data_sets, seed, law, authors_tests)
        for kind, way, places, text in _true_prints(p_value, audit.direction, decimals, printings)
    ]
    keys = ["kind", "author", "basis", "printing", "rounded_once", "decimals"]
    numbers = ["data_sets", "flagged", "flagged_on_counts"]
    board = _totals(rows, keys, dict.fromkeys(numbers, "sum") | {"furthest": "max"})
    board = _with_share(board, "flagged", level)
    return board[
        [*keys, "data_sets", "flagged", "share", "low", "high", "flagged_on_counts", "furthest"]
    ]


def p_value_planted_errors(
    data_sets: int,
    *,
    seed: int,
    law: TrialLaw | None = None,
    decimals: Iterable[int] = (2, 3),
    authors_tests: Sequence[AuthorsTest] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Plant errors in the P-values of simulated trials, and count those that raise an alarm.

    The errors: one digit changed; the decimal point slipped by one place; half the P-value, as
    when a one-sided P is printed for a two-sided one; P of data in which the outcome of one
    patient is another (``one patient recoded``); the wrong one of ``<0.05`` and ``>0.05``;
    in words, the wrong side of significance, and the wrong direction. Numbers are printed
    half up.

    Parameters
    ----------
    data_sets, seed, law, decimals, authors_tests, level
        As for `p_value_false_alarms`; by default with those of `AUTHORS_TESTS` that the audit
        considers.

    Returns
    -------
    pandas.DataFrame
        One row per error, author's test and number of decimals, with columns ``kind``,
        ``error``, ``author``, ``basis``, ``decimals``, ``data_sets`` (those in which the error
        can be made); what became of it, which adds up to `data_sets`: ``undetectable`` (the
        same print as that of the author's own P), ``another_test`` (a test on the counts gives
        the wrong print), ``another_order`` (only an assumption about unseen times does),
        ``caught`` (nothing does); ``share`` (caught), ``low`` and ``high`` (its Clopper-Pearson
        interval) and ``share_on_counts`` (caught if no assumption about unseen times were
        admitted).

    Raises
    ------
    ValueError
        As for `p_value_false_alarms`.

    Examples
    --------
    >>> pearson, law = AUTHORS_TESTS[:1], TrialLaw((6, 6), probability=(0.1, 0.3))
    >>> found = p_value_planted_errors(4, seed=1, law=law, decimals=[3], authors_tests=pearson)
    >>> found.set_index("error").loc["half the P-value", "data_sets":"caught"].astype(int).tolist()
    [4, 0, 0, 0, 4]
    """
    level, decimals = checks.level(level), whole_numbers("decimals", decimals, 0)
    if authors_tests is None:
        authors_tests = [test for test in AUTHORS_TESTS if test.basis != "none"]
    # Apart from the draws of trials, which are those of `p_value_false_alarms`.
    rng = np.random.default_rng([seed, 1])
    rows = []
    for author, trial, p_value, audit in _simulated(data_sets, seed, law, authors_tests):
        for (kind, error, places, text), right in _wrong_prints(
            author, trial, p_value, audit.direction, decimals, rng
        ):
            if text in right:
                outcome = "undetectable"
            elif audit.on_counts(text):
                outcome = "another_test"
            else:
                outcome = "another_order" if audit.on_ordering(text) else "caught"
            rows.append(
                {
                    "kind": kind,
                    "error": error,
                    "author": author.name,
                    "basis": author.basis,
                    "decimals": places,
                    "data_sets": 1,
                    **{name: int(name == outcome) for name in _OUTCOMES},
                }
            )
    keys = ["kind", "error", "author", "basis", "decimals"]
    board = _totals(rows, keys, dict.fromkeys(("data_sets", *_OUTCOMES), "sum"))
    board = _with_share(board, "caught", level)
    board["share_on_counts"] = (board["caught"] + board["another_order"]) / board["data_sets"]
    return board


def _simulated(
    data_sets: int,
    seed: int,
    law: TrialLaw | None,
    authors_tests: Sequence[AuthorsTest],
) -> Iterator[tuple[AuthorsTest, Arrays, float, Audit]]:
    """Yield each author with each trial, the author's P and the audit of the trial's counts."""
    law = TrialLaw() if law is None else law
    rng = np.random.default_rng(seed)
    audits: dict[Table, Audit] = {}
    known: dict[tuple[str, Table], float] = {}
    for _ in range(checks.whole("data_sets", data_sets, 1)):
        trial = law.draw(rng)
        table = deaths_in(*trial[1:])
        if table not in audits:
            audits[table] = Audit(*trial)
            known |= {
                (author.name, table): author.p_value(*trial)
                for author in authors_tests
                if not author.of_times
            }
        for author in authors_tests:
            p_value = author.p_value(*trial) if author.of_times else known[author.name, table]
            if math.isfinite(p_value):
                yield author, trial, p_value, audits[table]


def _true_prints(
    p_value: float, direction: int, decimals: Sequence[int], printings: Sequence[str]
) -> Iterator[Print]:
    """Yield kind, way, decimals and text of all prints of one P."""
    for places in decimals:
        for way in printings:
            yield "P-value", way, places, p_text(p_value, places, way)
    below = significant(p_value, ALPHA)
    yield "P-value", _AS_BOUND, None, bound_text(below)
    # Where the shares of deaths are equal, a paper has no direction to put into words.
    if direction or not below:
        yield "wording", "in words", None, words(direction * below)


def _wrong_prints(
    author: AuthorsTest,
    trial: Arrays,
    p_value: float,
    direction: int,
    decimals: Sequence[int],
    rng: np.random.Generator,
) -> Iterator[tuple[Print, set[str]]]:
    """Yield kind, error, decimals and text of wrong prints of one P, each with the right ones."""
    recoded = _one_patient_recoded(author, trial, rng)
    for places in decimals:
        right = {p_text(p_value, places, way) for way in ROUNDED_ONCE}
        yield ("P-value", "half the P-value", places, p_text(p_value / 2, places)), right
        if math.isfinite(recoded):
            yield ("P-value", "one patient recoded", places, p_text(recoded, places)), right
        text = p_text(p_value, places)
        if text.startswith("<"):
            continue  # it has no digits of its own
        if places:
            place = len(text) - 1 - int(rng.integers(places))
            digit = (int(text[place]) + int(rng.integers(1, 10))) % 10
            changed = f"{text[:place]}{digit}{text[place + 1 :]}"
            if Fraction(changed) <= 1:
                yield ("P-value", "one digit changed", places, changed), right
        number = Fraction(text)
        if places and 10 * number < 1:
            slipped = decimal_text(10 * number, places - 1)
        else:
            slipped = decimal_text(number / 10, places + 1)
        yield ("P-value", "decimal point slipped", places, slipped), right
    below = significant(p_value, ALPHA)
    wrong_side = bound_text(not below)
    yield ("P-value", "wrong side of the level", None, wrong_side), {bound_text(below)}
    if direction:
        right = {words(direction * below)}
        other = words(0 if below else direction)
        yield ("wording", "wrong side of the level", None, other), right
        if below:
            yield ("wording", "wrong direction", None, words(-direction)), right


def _one_patient_recoded(author: AuthorsTest, trial: Arrays, rng: np.random.Generator) -> float:
    """Return the author's P with the outcome of a random patient changed; NaN if undefined."""
    time, died, arm = trial
    patient = int(rng.integers(died.size))
    died = np.where(np.arange(died.size) == patient, 1 - died, died)
    return author.p_value(time, died, arm) if 0 < died.sum() < died.size else math.nan


def _totals(rows: list[dict], keys: list[str], how: dict[str, str]) -> pd.DataFrame:
    """Put the rows of one author, print and so on together."""
    if not rows:
        raise ValueError("No author's P-value is defined in any of the data sets; draw more.")
    frame = pd.DataFrame(rows).astype({"decimals": "Int64"})
    return frame.groupby(keys, sort=False, dropna=False).agg(how).reset_index()


def _with_share(board: pd.DataFrame, column: str, level: float) -> pd.DataFrame:
    """Add the share of data sets counted in a column, with its Clopper-Pearson interval."""
    limits = [
        interval(int(number), int(n), level=level)
        for number, n in zip(board[column], board["data_sets"], strict=True)
    ]
    return board.assign(
        share=board[column] / board["data_sets"],
        low=[low for low, _ in limits],
        high=[high for _, high in limits],
    )
