"""The claims of very many cohorts, without their pages."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rdmas.paper.claims import scoreboard
from rdmas.paper.cohort import load_cohort
from rdmas.paper.package import CohortError
from rdmas.rerun.cluster import each

if TYPE_CHECKING:
    from distributed import Client

#: Registers in one task: so many that handing it out costs next to nothing.
BATCH = 25

_TEXTS = ("cohort", "id", "reported", "recomputed", "verdict", "basis", "convention")
_NUMBERS = ("value", "value_to", "difference", "low", "high")
_FAULT = "fault"

#: Claims of one batch: a row a claim, in the order of `_TEXTS`, `_NUMBERS` and `_FAULT`.
Rows = list[tuple[Any, ...]]


def claims_of(
    registers: Iterable[str | Path],
    client: Client | None = None,
    mask_below: int = 0,
    encoding: str | None = None,
) -> pd.DataFrame:
    """Re-derive the claims of many cohorts, or set them beside what was published.

    Registers are read and dropped batch by batch: what grows with their number is the table
    returned, by some fifty bytes a claim.

    Parameters
    ----------
    registers : iterable of str or pathlib.Path
        Each as in `rdmas.paper.cohort.load_cohort`; taken as they are needed. Workers read them
        where they run, so those of another machine must see the same folders.
    client : distributed.Client, optional
        From `rdmas.rerun.cluster.workers`; without one everything is done in this process.
    mask_below, encoding
        As in `rdmas.paper.cohort.load_cohort`.

    Returns
    -------
    pandas.DataFrame
        A row a claim, cohorts in the order given, whatever the number of workers: ``cohort``
        (the path), the columns of `rdmas.paper.claims.scoreboard` but ``derivations``,
        ``statement``, ``chapter`` and ``nearest``, and ``value`` and ``value_to``, the headline
        before rounding: a number; a count and its denominator; or the ends of a range. Texts are
        categories. A cohort that cannot be used has one row, with the reason in ``fault``.

    Examples
    --------
    >>> from rdmas.paper.paths import companion_data_dir
    >>> found = claims_of([companion_data_dir(), "nowhere"])
    >>> found["cohort"].value_counts(sort=False).tolist()
    [22, 1]
    """
    batches = _batches(map(str, registers))
    task = partial(_claims, mask_below=mask_below, encoding=encoding)
    columns = {name: _Words() for name in (*_TEXTS, _FAULT)}
    numbers = {name: array("d") for name in _NUMBERS}
    for rows in _in_order(each(task, batches, client)):
        for row in rows:
            for name, value in zip((*_TEXTS, *_NUMBERS, _FAULT), row, strict=True):
                (numbers[name] if name in numbers else columns[name]).append(value)
    return pd.DataFrame(
        {
            **{name: columns[name].categories() for name in _TEXTS},
            **{name: np.frombuffer(numbers[name]) for name in _NUMBERS},
            _FAULT: columns[_FAULT].categories(),
        }
    )


class _Words:
    """A column of texts that repeat, each kept once."""

    def __init__(self) -> None:
        self._codes, self._known = array("i"), dict[str, int]()

    def append(self, text: str | None) -> None:
        """Add a row; None for a missing text."""
        code = -1 if text is None else self._known.setdefault(text, len(self._known))
        self._codes.append(code)

    def categories(self) -> pd.Categorical:
        """Return the column; categories in the order in which they came."""
        codes = np.frombuffer(self._codes, dtype=np.intc)
        return pd.Categorical.from_codes(codes.tolist(), pd.Index(list(self._known), dtype=object))


def _batches(registers: Iterator[str]) -> Iterator[tuple[str, ...]]:
    """Yield registers in batches."""
    while batch := tuple(itertools.islice(registers, BATCH)):
        yield batch


def _claims(registers: tuple[str, ...], mask_below: int, encoding: str | None) -> Rows:
    """Derive the claims of one batch."""
    rows: Rows = []
    for register in registers:
        try:
            cohort = load_cohort(register, mask_below, encoding)
        except CohortError as error:
            fault = str(error).splitlines()[0]
            rows.append((register, *[None] * (len(_TEXTS) - 1), *[np.nan] * len(_NUMBERS), fault))
            continue
        try:
            board = scoreboard(cohort)
        except Exception as error:
            error.add_note(f"while deriving the claims of {register}")
            raise
        rows += [_row(register, claim) for claim in board.to_dict("records")]
    return rows


def _row(register: str, claim: dict[Any, Any]) -> tuple[Any, ...]:
    """Return the row of one claim."""
    headline = next(iter(claim["derivations"]), {"value": np.nan})["value"]
    value, value_to = headline if isinstance(headline, tuple) else (headline, np.nan)
    texts = [register, *(claim[name] for name in _TEXTS[1:])]
    compared = [claim.get(name, np.nan) for name in ("difference", "low", "high")]
    return (*texts, value, value_to, *compared, None)


def _in_order(outcomes: Iterable[Any]) -> Iterator[Rows]:
    """Yield what tasks found in the order of their items; one that failed fails everything."""
    waiting: dict[int, Rows] = {}
    due = 0
    for outcome in outcomes:
        if outcome.failure is not None:
            raise outcome.failure
        waiting[outcome.place] = outcome.value
        while due in waiting:
            yield waiting.pop(due)
            due += 1
