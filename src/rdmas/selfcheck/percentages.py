"""How often the audit is wrong about percentages: false alarms, and planted errors it misses.

Every count of every group is printed, rightly or wrongly, and the audit, which sees the count,
says what it makes of the print. An alarm (``not reproduced``) is false if nothing is wrong; an
error planted in a print is caught if there is an alarm.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction

import pandas as pd

from rdmas.stats import checks, rounding

__all__ = [
    "PRINTINGS",
    "ROUNDED_ONCE",
    "decimal_text",
    "false_alarms",
    "percentage_text",
    "planted_errors",
]

#: Ways of printing that round the value once; no number printed so may raise an alarm.
#: "floating point" is what C, Python and R print: binary digits decide their ties.
ROUNDED_ONCE = ("half up", "half to even", "half down", "floating point")

#: All ways of printing. The last two are faults of printing, which the audit refuses on
#: purpose: digits are dropped, or the value is rounded to one decimal more and then again.
PRINTINGS = (*ROUNDED_ONCE, "cut off", "rounded twice")

_OUTCOMES = ("undetectable", "missed", "caught")


def decimal_text(value: Fraction, places: int, way: str = "half up") -> str:
    """Print a number of at least 0 in one of `PRINTINGS`, by arithmetic in whole numbers.

    The rounding module is what is being checked, so that nothing here uses it.

    Examples
    --------
    >>> decimal_text(Fraction(1, 8), 2), decimal_text(Fraction(1, 8), 2, "half to even")
    ('0.13', '0.12')
    """
    if way == "rounded twice":
        return decimal_text(Fraction(decimal_text(value, places + 1)), places)
    if way == "floating point":
        return f"{float(value):.{places}f}"
    whole, rest = divmod(value.numerator * 10**places, value.denominator)
    beyond_half = 2 * rest - value.denominator
    up = {
        "half up": beyond_half >= 0,
        "half to even": beyond_half > 0 or (beyond_half == 0 and whole % 2 == 1),
        "half down": beyond_half > 0,
        "cut off": False,
    }[way]
    digits = f"{whole + up:0{places + 1}d}"
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def percentage_text(events: int, n: int, places: int, way: str = "half up") -> str:
    """Print a count of `n` as a percentage."""
    return f"{decimal_text(Fraction(100 * events, n), places, way)}%"


def false_alarms(denominators: Iterable[int], decimals: Iterable[int] = (0, 1, 2)) -> pd.DataFrame:
    """Count the alarms over true percentages, going through all counts.

    Parameters
    ----------
    denominators : iterable of int
        Every count of each of them, 0 and all included, is printed and audited.
    decimals : iterable of int, default (0, 1, 2)
        Printed decimals.

    Returns
    -------
    pandas.DataFrame
        One row per way of printing, with columns ``printing`` (one of `PRINTINGS`),
        ``rounded_once`` (whether an alarm would be false), ``printed`` (prints audited) and
        ``flagged`` (not reproduced).

    Examples
    --------
    >>> found = false_alarms(range(1, 13), decimals=[0])
    >>> found.loc[found["flagged"] > 0, ["printing", "flagged"]].values.tolist()
    [['cut off', 19], ['rounded twice', 1]]
    """
    counts = [(events, n) for n in _sizes(denominators) for events in range(n + 1)]
    places = [checks.whole("decimals", number) for number in checks.column("decimals", decimals)]
    flagged: Counter[str] = Counter()
    for events, n in counts:
        for number in places:
            texts = {way: percentage_text(events, n, number, way) for way in PRINTINGS}
            right = {
                text for text in texts.values() if rounding.reproduces(Fraction(events, n), text)
            }
            flagged.update(way for way, text in texts.items() if text not in right)
    return pd.DataFrame(
        {
            "printing": way,
            "rounded_once": way in ROUNDED_ONCE,
            "printed": len(counts) * len(places),
            "flagged": flagged[way],
        }
        for way in PRINTINGS
    )


def planted_errors(denominators: Iterable[int], decimals: int = 0) -> pd.DataFrame:
    """Plant errors in true percentages, and count those that raise an alarm.

    The errors: the percentage of one event more or fewer (``count one off``), or of one
    patient more or fewer (``denominator one off``); the last digit one unit up or down; two
    neighbouring digits transposed; and the percentage of those without the event
    (``complement``). Numbers are rounded half up, and nothing outside 0 to 100% is printed.

    With n up to 100 times ten to the number of decimals, ``count one off`` is always caught,
    because neighbouring counts are at least one printed unit apart.

    Parameters
    ----------
    denominators : iterable of int
        Errors are planted in every count of each of them.
    decimals : int, default 0
        Printed decimals.

    Returns
    -------
    pandas.DataFrame
        One row per error and denominator, with columns ``error``, ``n``, ``planted``, and what
        became of these: ``undetectable`` (the same print as that of the true count, its ties
        rounded either way), ``missed`` (another print, and yet no alarm) and ``caught``;
        ``share`` is caught among planted.

    Examples
    --------
    >>> found = planted_errors([20, 200])
    >>> one_off = found[found["error"] == "count one off"].set_index("n")
    >>> one_off[["planted", "undetectable", "missed", "caught"]].values.tolist()
    [[40, 0, 0, 40], [400, 300, 0, 100]]
    """
    places = checks.whole("decimals", decimals)
    found: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for n in _sizes(denominators):
        for events in range(n + 1):
            right = {
                percentage_text(events, n, places, way)
                for way in ("half up", "half to even", "half down")
            }
            for error, text in _wrong_percentages(events, n, places):
                if text in right:
                    outcome = "undetectable"
                else:
                    reproduced = rounding.reproduces(Fraction(events, n), text)
                    outcome = "missed" if reproduced else "caught"
                found[error, n][outcome] += 1
    return pd.DataFrame(
        {"error": error, "n": n, "planted": became.total()}
        | {outcome: became[outcome] for outcome in _OUTCOMES}
        | {"share": became["caught"] / became.total()}
        for (error, n), became in found.items()
    )


def _wrong_percentages(events: int, n: int, places: int) -> Iterator[tuple[str, str]]:
    """Yield each error with the text it prints."""
    for changed in (events - 1, events + 1):
        if 0 <= changed <= n:
            yield "count one off", percentage_text(changed, n, places)
    for whole in (n - 1, n + 1):
        if whole >= max(events, 1):
            yield "denominator one off", percentage_text(events, whole, places)
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
        swapped = int(digits[:place] + pair[::-1] + digits[place + 2 :]) * unit
        swapped_text = decimal_text(swapped, places)
        # A shorter number has a zero in front, which nobody prints.
        if pair[0] != pair[1] and len(swapped_text) == len(text) and swapped <= 100:
            yield "digits transposed", f"{swapped_text}%"


def _sizes(denominators: Iterable[int]) -> list[int]:
    """Return numbers of patients of at least 1."""
    return [checks.whole("denominators", n, 1) for n in checks.column("denominators", denominators)]
