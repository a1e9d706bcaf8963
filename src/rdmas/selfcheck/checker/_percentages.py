"""Percentages and fractions: all counts, all ways of printing, all errors of some kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

import pandas as pd

from rdmas.selfcheck.checker._printing import (
    PRINTINGS,
    ROUNDED_ONCE,
    decimal_text,
    percentage_text,
    whole_numbers,
)
from rdmas.stats import rounding

_AS_COUNTED = "as counted"
_EXACT = ("half up", "half to even", "half down")


def percentage_false_alarms(
    denominators: Iterable[int] = range(1, 101), decimals: Iterable[int] = (0, 1, 2)
) -> pd.DataFrame:
    """Count the alarms over true percentages and fractions, going through all counts.

    Parameters
    ----------
    denominators : iterable of int, default 1 to 100
        Every count of each of them, 0 and all included, is printed and audited.
    decimals : iterable of int, default (0, 1, 2)
        Printed decimals of percentages.

    Returns
    -------
    pandas.DataFrame
        One row per way of printing, with columns ``kind`` (fraction or percentage),
        ``printing`` (one of `PRINTINGS`; for a fraction ``as counted``), ``rounded_once``
        (whether an alarm would be false), ``decimals`` (missing for a fraction), ``printed``
        (prints audited), ``flagged`` (not reproduced) and ``share`` (flagged among printed).

    Raises
    ------
    ValueError
        If a denominator is not at least 1 or a number of decimals not at least 0.

    Examples
    --------
    >>> found = percentage_false_alarms(range(1, 13), decimals=[0])
    >>> found[["kind", "printing", "printed", "flagged"]]
             kind        printing  printed  flagged
    0    fraction      as counted       90        0
    1  percentage         half up       90        0
    2  percentage    half to even       90        0
    3  percentage       half down       90        0
    4  percentage  floating point       90        0
    5  percentage         cut off       90       19
    6  percentage   rounded twice       90        1
    """
    denominators = whole_numbers("denominators", denominators, 1)
    decimals = whole_numbers("decimals", decimals, 0)
    counts = [(events, n) for n in denominators for events in range(n + 1)]
    flagged: Counter[tuple[str, str, int | None]] = Counter()
    for events, n in counts:
        alarm = not rounding.reproduces((events, n), f"{events}/{n}")
        flagged["fraction", _AS_COUNTED, None] += alarm
        for places in decimals:
            texts = {way: percentage_text(events, n, places, way) for way in PRINTINGS}
            alarms = {
                text: not rounding.reproduces(Fraction(events, n), text)
                for text in set(texts.values())
            }
            for way, text in texts.items():
                flagged["percentage", way, places] += alarms[text]
    return pd.DataFrame(
        {
            "kind": kind,
            "printing": way,
            "rounded_once": way in (*ROUNDED_ONCE, _AS_COUNTED),
            "decimals": places,
            "printed": len(counts),
            "flagged": number,
            "share": number / len(counts),
        }
        for (kind, way, places), number in flagged.items()
    ).astype({"decimals": "Int64"})


def percentage_planted_errors(
    denominators: Iterable[int] = (10, 20, 50, 100, 200, 500, 1000),
    decimals: Iterable[int] = (0, 1, 2),
) -> pd.DataFrame:
    """Plant errors in true percentages and fractions, and count those that raise an alarm.

    The errors: the percentage of one event more or fewer (``count one off``), or of one
    patient more or fewer (``denominator one off``); the last digit one unit up or down; two
    neighbouring digits transposed; and the percentage of those without the event
    (``complement``). Numbers are rounded half up, and nothing outside 0 to 100% is printed.

    Parameters
    ----------
    denominators : iterable of int
        Errors are planted in every count of each of them.
    decimals : iterable of int, default (0, 1, 2)
        Printed decimals of percentages.

    Returns
    -------
    pandas.DataFrame
        One row per kind, error, decimals and denominator, with columns ``kind``, ``error``,
        ``decimals`` (missing for a fraction), ``n``, ``planted``, and what became of these:
        ``undetectable`` (the same print as that of the true count, its ties rounded either
        way), ``missed`` (another print, and yet no alarm) and ``caught``; ``share`` is caught
        among planted.

    Raises
    ------
    ValueError
        As for `percentage_false_alarms`.

    Notes
    -----
    With n up to 100 times ten to the number of decimals, neighbouring counts are at least one
    printed unit apart, so that ``count one off`` is always caught. With larger n the share
    falls, about as that limit divided by n: it measures what the print can tell.

    Examples
    --------
    >>> found = percentage_planted_errors([20, 200], decimals=[0])
    >>> one_off = found[(found["kind"] == "percentage") & (found["error"] == "count one off")]
    >>> one_off.set_index("n")[["planted", "undetectable", "missed", "caught"]].values.tolist()
    [[40, 0, 0, 40], [400, 300, 0, 100]]
    """
    denominators = whole_numbers("denominators", denominators, 1)
    decimals = whole_numbers("decimals", decimals, 0)
    found: dict[tuple[str, str, int | None, int], Counter[str]] = {}
    for n in denominators:
        for events in range(n + 1):
            for error, (part, whole) in _other_counts(events, n):
                reproduced = rounding.reproduces((events, n), f"{part}/{whole}")
                outcomes = found.setdefault(("fraction", error, None, n), Counter())
                outcomes["missed" if reproduced else "caught"] += 1
            for places in decimals:
                right = {percentage_text(events, n, places, way) for way in _EXACT}
                for error, text in _wrong_percentages(events, n, places):
                    outcomes = found.setdefault(("percentage", error, places, n), Counter())
                    if text in right:
                        outcomes["undetectable"] += 1
                    elif rounding.reproduces(Fraction(events, n), text):
                        outcomes["missed"] += 1
                    else:
                        outcomes["caught"] += 1
    return pd.DataFrame(
        {
            "kind": kind,
            "error": error,
            "decimals": places,
            "n": n,
            "planted": outcomes.total(),
            "undetectable": outcomes["undetectable"],
            "missed": outcomes["missed"],
            "caught": outcomes["caught"],
            "share": outcomes["caught"] / outcomes.total(),
        }
        for (kind, error, places, n), outcomes in found.items()
    ).astype({"decimals": "Int64"})


def _wrong_percentages(events: int, n: int, places: int) -> Iterator[tuple[str, str]]:
    """Yield each error with the text it prints."""
    for error, counts in _other_counts(events, n):
        yield error, percentage_text(*counts, places)
    if 2 * events != n:
        yield "complement", percentage_text(n - events, n, places)
    text = percentage_text(events, n, places).removesuffix("%")
    unit = Fraction(1, 10**places)
    for neighbour in (Fraction(text) - unit, Fraction(text) + unit):
        if 0 <= neighbour <= 100:
            yield "last digit one off", f"{decimal_text(neighbour, places)}%"
    digits = text.replace(".", "")
    for place in range(len(digits) - 1):
        pair = digits[place : place + 2]
        if pair[0] == pair[1]:
            continue
        swapped = int(digits[:place] + pair[::-1] + digits[place + 2 :]) * unit
        changed = decimal_text(swapped, places)
        # A shorter number has a zero in front, which nobody prints.
        if len(changed) == len(text) and swapped <= 100:
            yield "digits transposed", f"{changed}%"


def _other_counts(events: int, n: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each error in a count with the count it makes."""
    for changed in (events - 1, events + 1):
        if 0 <= changed <= n:
            yield "count one off", (changed, n)
    for whole in (n - 1, n + 1):
        if whole >= max(events, 1):
            yield "denominator one off", (events, whole)
