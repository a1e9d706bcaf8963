"""What one cell says: a parser for each kind of field, and the words for a value that is missing.

Each parser returns the value or raises `ValueError` with the rule that the cell breaks; the rule
does not repeat the cell. English, German and Chinese are understood.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from rdmas.paper import schema

#: What `date_order` may be: the order in which dates such as 03/04/2021 are written.
DATE_ORDERS = ("dmy", "mdy", "ymd")

#: What registers call columns and values, in English, German and Chinese.
VOCABULARY: dict[str, Any] = json.loads(
    Path(__file__).with_name("words.json").read_text(encoding="utf-8")
)

_FIELDS = schema.fields("patients")

_MISSING = {"", *VOCABULARY["missing"]}

#: What each word means in the columns with a closed list.
_CODES: dict[str, dict[str, Any]] = {
    column: {
        word: int(value) if value.isdigit() else value
        for value, words in codes.items()
        for word in words
    }
    for column, codes in VOCABULARY["values"].items()
}

#: The first three letters of each month, in English and German.
_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
    "jän": 1,
    "mär": 3,
    "mrz": 3,
    "mai": 5,
    "okt": 10,
    "dez": 12,
}

#: Letters and marks that are shown as nothing: fillers, joiners, selectors, a Braille blank.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)

_NUMBER = re.compile(r"[+-]?(\d+|\d*[.,]\d+)", re.ASCII)
_EXPONENT = re.compile(r"[+-]?[\d.,]+e[+-]?\d+", re.ASCII | re.IGNORECASE)
_EARLIEST = dt.date(1950, 1, 1)


class SharedError(ValueError):
    """A rule that many cells break for one reason, such as a setting: it is told once."""


def text(cell: object) -> str:
    """Return a cell as text, without blanks around it.

    Examples
    --------
    >>> text(7.0), text(True), text("  AOSD "), text(None)
    ('7', 'true', 'AOSD', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def word(cell: object) -> str:
    r"""Return what a word is compared by: no capitals, no odd blanks, nothing invisible.

    Examples
    --------
    >>> word(" Full\u200b  Dose "), word("ＣＲ")
    ('full dose', 'cr')
    """
    return _word(text(cell))


@lru_cache(maxsize=50_000)
def _word(written: str) -> str:
    """Return what a word is compared by; the words of a column are few."""
    if not written.isascii():
        plain = unicodedata.normalize("NFKC", written)
        written = "".join(letter for letter in plain if not _is_invisible(letter))
    return " ".join(written.casefold().split())


def _is_invisible(letter: str) -> bool:
    """Tell whether a letter is shown as nothing, or as a blank, and counts as none."""
    return unicodedata.category(letter) == "Cf" or letter in _INVISIBLE


def is_missing(cell: object) -> bool:
    """Tell whether a cell says that there is no value.

    Examples
    --------
    >>> [is_missing(cell) for cell in (None, "N/A", " - ", "不详", 0, "none")]
    [True, True, True, True, False, False]
    """
    return cell is None or (isinstance(cell, str) and word(cell) in _MISSING)


def says_none(column: str, cell: object) -> bool:
    """Tell whether a word in a column of dates says that there is no such day.

    Examples
    --------
    >>> says_none("death_date", "lebt"), says_none("last_contact_date", "verstorben")
    (True, True)
    """
    none = {"death_date": 0, "last_contact_date": 1}.get(column)
    return none is not None and isinstance(cell, str) and _CODES["died"].get(word(cell)) == none


def number(cell: object) -> float:
    """Return a number, with a decimal comma or point.

    Examples
    --------
    >>> number("2,5"), number("0.5"), number(7)
    (2.5, 0.5, 7.0)
    >>> number("1_000")
    Traceback (most recent call last):
        ...
    ValueError: is not a number; write digits and at most one decimal mark
    """
    if isinstance(cell, bool):
        raise ValueError("is TRUE or FALSE; a number is needed")
    if isinstance(cell, int | float):
        return _finite(float(cell))
    if not isinstance(cell, str):
        raise ValueError("is a date or a time; a number is needed here")
    digits = cell.strip().replace("−", "-")
    if _NUMBER.fullmatch(digits):
        return _finite(float(digits.replace(",", ".")))
    raise ValueError(_not_a_number(digits))


def _finite(value: float) -> float:
    """Refuse infinity and what is no number."""
    if not math.isfinite(value):
        raise ValueError("is not a finite number")
    return value


def _not_a_number(cell: str) -> str:
    """Say why a text is no number."""
    if cell.startswith(("=", "@")):
        return "is a formula; put its value there"
    if word(cell).lstrip("+-") in ("inf", "infinity", "nan", "∞"):
        return "is not a finite number; leave the cell empty where there is none"
    if _EXPONENT.fullmatch(cell):
        return "has an exponent; write the number in full"
    if any(letter.isdecimal() and not letter.isascii() for letter in cell):
        return "is written in full-width or other special digits; write 0 to 9"
    if word(cell) != " ".join(cell.casefold().split()):
        return "has an invisible or special character in it; type the number again"
    if re.fullmatch(r"\d{1,4}[-./年]\d{1,2}[-./月]\d{1,4}日?([ T].*)?", cell, re.ASCII):
        return "is a date; a number is needed here"
    if _NUMBER.fullmatch(re.sub(r"[\s.,'’]", "", cell)):
        return "has a mark or blank between thousands; write 1234.5"
    if re.match(r"[<>≤≥~≈]", cell):
        return "is a bound and not a number; leave the cell empty if that is all that is known"
    if "%" in cell:
        return "is a percentage; write the number itself"
    if re.match(r"[+-]?\d+([.,]\d+)?\s*[^\W\d_]", cell):
        return "has a unit or a word beside the number; write the number alone"
    return "is not a number; write digits and at most one decimal mark"


def coded(column: str, cell: object) -> Any:
    """Return a value of a column with a closed list.

    Examples
    --------
    >>> coded("died", "ja"), coded("sex", "女"), coded("response_week8", "CR"), coded("died", 1.0)
    (1, 'female', 'complete', 1)
    >>> coded("died", "maybe")
    Traceback (most recent call last):
        ...
    ValueError: is not known; use 0 or 1, or say under [values.died] in cohort.toml what it means
    """
    known = _CODES[column]
    plain = re.sub(r"^([01])[.,]0+$", r"\1", word(cell), flags=re.ASCII)
    written = text(cell)
    if plain.isdecimal() and not written.isascii():
        if any(letter.isdecimal() and not letter.isascii() for letter in written):
            raise ValueError("is written in full-width or other special digits; write 0 or 1")
        raise ValueError("has an invisible or special character in it; type 0 or 1 again")
    if isinstance(cell, str | int | float) and plain in known:
        return known[plain]
    *others, last = map(str, _FIELDS[column]["constraints"]["enum"])
    if near := meant(plain, known):
        raise ValueError(f"is not known; did you mean {near}")
    raise ValueError(
        f"is not known; use {', '.join(others)} or {last}, "
        f"or say under [values.{column}] in cohort.toml what it means"
    )


def date(cell: object, order: str = "", today: dt.date | None = None) -> dt.date:
    """Return a day; dates such as 03/04/2021 need the order in which they are written.

    Parameters
    ----------
    cell : object
        A date of a spreadsheet; or text as 2021-04-03, 3.4.2021, 3 Apr 2021 or 2021年4月3日.
    order : {"", "dmy", "mdy", "ymd"}
        How dates with slashes are written; empty if that is not stated.
    today : dt.date, optional
        The last day that can be.

    Examples
    --------
    >>> date("2021-04-03") == date("3.4.2021") == date("03/04/2021", "dmy")
    True
    >>> date("2021-02-30")
    Traceback (most recent call last):
        ...
    ValueError: is no day of the calendar; write an existing day as 2021-04-03
    """
    if isinstance(cell, dt.datetime):
        day = cell.date()
    elif isinstance(cell, dt.date):
        day = cell
    elif isinstance(cell, bool) or not isinstance(cell, str | int | float):
        raise ValueError("is not a date; write it as 2021-04-03")
    else:
        day = _written_day(text(cell), order)
    if day > (dt.date.today() if today is None else today):
        raise ValueError("is a day in the future; write a day that has passed")
    if day < _EARLIEST:
        raise ValueError("is before 1950; write the year with its four digits")
    return day


def _written_day(written: str, order: str) -> dt.date:
    """Read a day from text."""
    written = re.sub(r"[ T]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?Z?$", "", written, flags=re.ASCII)
    if not written.isascii() and unicodedata.normalize("NFKC", written).isascii():
        raise ValueError("is written in full-width or other special digits; write 2021-04-03")
    if found := re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]?", written, re.ASCII):
        return _day(found[1], found[2], found[3])
    if found := re.fullmatch(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})", written, re.ASCII):
        return _day(found[1], found[3], found[4])
    if found := re.fullmatch(r"((?:19|20)\d{2})(\d{2})(\d{2})", written, re.ASCII):
        return _day(*found.groups())
    if found := re.fullmatch(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", written, re.ASCII):
        return _day(found[3], found[2], found[1])
    if found := re.fullmatch(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4})", written, re.ASCII):
        if order not in ("dmy", "mdy"):
            raise SharedError(
                "can be read with the day first or with the month first; write it as 2021-04-03, "
                'or set date_order = "dmy" or "mdy" in cohort.toml'
            )
        day, month = (found[1], found[3]) if order == "dmy" else (found[3], found[1])
        if int(month) > 12 >= int(day):
            raise SharedError(
                f'is no day of the calendar with date_order = "{order}"; mend the setting or the '
                f"date"
            )
        return _day(found[4], month, day)
    if found := re.fullmatch(r"(\d{1,2})[-. ]{1,2}([^\W\d_]+)[-. ]{1,2}(\d{4})", written):
        month_name = found[2].casefold()[:3]
        if month_name in _MONTHS and found[1].isascii() and found[3].isascii():
            return _day(found[3], str(_MONTHS[month_name]), found[1])
    elif re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}", written, re.ASCII):
        raise ValueError("has a year of two digits; write it as 2021-04-03")
    elif re.fullmatch(r"\d{4,5}([.,]\d+)?", written, re.ASCII):
        raise ValueError("is a spreadsheet's number for a day; format the cells as dates")
    raise ValueError("is not a date; write it as 2021-04-03")


def _day(year: str, month: str, day: str) -> dt.date:
    """Return a day of the calendar."""
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        rule = "is no day of the calendar; write an existing day as 2021-04-03"
        raise ValueError(rule) from None


def name(cell: object) -> str:
    """Return a name: text on one line, with nothing invisible in it, of 100 letters at most.

    Examples
    --------
    >>> name(" P-7 ")
    'P-7'
    """
    if isinstance(cell, dt.date | dt.time | dt.timedelta):
        raise ValueError("was turned into a date or a time by the spreadsheet; format it as text")
    kept = text(cell)
    if any(unicodedata.category(letter) in ("Zl", "Zp") or letter in "\r\n" for letter in kept):
        raise ValueError("has a line break in it; remove it")
    odd = ("Cc", "Cf", "Cs", "Cn", "Co")
    if any(unicodedata.category(it) in odd or _is_invisible(it) for it in kept):
        raise ValueError("has an invisible or control character in it; remove it")
    if len(kept) > 100:
        raise ValueError("is longer than 100 letters; shorten it")
    return kept


def likeness(one: str, other: str) -> int:
    """Count the letters to add, drop, change or swap with a neighbour to turn one into the other.

    Examples
    --------
    >>> likeness("contrl", "control"), likeness("dide", "died"), likeness("a", "xyz")
    (1, 1, 3)
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        row = [i]
        for j, target in enumerate(other, start=1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != target))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == target:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def meant(written: str, known: Mapping[str, Any] | Collection[str]) -> str | None:
    """Return the one of some words that a misspelt one is closest to, None if none is close.

    Examples
    --------
    >>> meant("contol", ["treatment", "control"]), meant("soc", ["treatment", "control"])
    ('control', None)
    """
    allowed = 1 if len(written) < 8 else 2
    if not 3 <= len(written) <= 60 or written.isdecimal():
        return None
    near = [it for it in known if abs(len(it) - len(written)) <= allowed and len(it) > 2]
    scores = {it: likeness(written, it) for it in near}
    best = min(scores, key=scores.__getitem__, default=None)
    return best if best is not None and 0 < scores[best] <= allowed else None
