"""Numbers as prose writes them: the one module that formats for sentences and captions.

Every function returns a string. What may be rounded is rounded here once, at the end, through
`rdmas.stats.rounding`; nothing downstream computes with these strings.
"""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

import pandas as pd

from rdmas.stats.rounding import fixed, scaled


def percent(proportion: float, decimals: int = 0) -> str:
    """Write a proportion as a percentage.

    Examples
    --------
    >>> percent(19 / 20), percent(13 / 21, decimals=1)
    ('95%', '61.9%')
    """
    if not math.isfinite(proportion):
        return decimal(proportion, decimals)
    return f"{decimal(scaled(proportion, 100), decimals)}%"


def simulated(share: float, n: int) -> str:
    """Write a share of `n` random draws with its standard error, and no digit beyond that.

    Examples
    --------
    >>> simulated(0.0917, 200_000), simulated(0.99963, 200_000), simulated(0.3, 1000)
    ('9.2% ± 0.07', '99.96% ± 0.005', '30% ± 2')
    >>> simulated(1, 1000), simulated(0, 1000)
    ('all', 'none')
    """
    if share in (0, 1):
        return "all" if share else "none"
    error = 100 * math.sqrt(share * (1 - share) / n)
    place = math.floor(math.log10(error))
    # The error is rounded up, to one digit.
    upper = math.ceil(error / 10**place)
    return f"{percent(share, max(0, -place - 1))} ± {decimal(upper * 10**place, max(0, -place))}"


def percent_interval(interval: tuple[float, float], decimals: int = 0, words: str = " to ") -> str:
    """Write an interval for a proportion.

    Examples
    --------
    >>> percent_interval((0.751, 0.999)), percent_interval((0.04, 0.56), words=" and ")
    ('75% to 100%', '4% and 56%')
    """
    return words.join(percent(end, decimals) for end in interval)


def decimal(value: float | Fraction, decimals: int) -> str:
    """Write a number with fixed decimals; a minus is typographic, infinity is a sign.

    Examples
    --------
    >>> decimal(-0.2508, 2), decimal(float("inf"), 2)
    ('−0.25', '∞')
    """
    if math.isnan(value):
        return "not defined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return fixed(value, decimals).replace("-", "−")


def decimal_interval(interval: tuple[float, float], decimals: int) -> str:
    """Write an interval of numbers.

    Examples
    --------
    >>> decimal_interval((2.1, 2.3), 1)
    '2.1 to 2.3'
    """
    return " to ".join(decimal(end, decimals) for end in interval)


def p_value(p: float, decimals: int = 4) -> str:
    """Write a P-value; below the last decimal it is written as a bound.

    Examples
    --------
    >>> p_value(0.011482), p_value(0.0000417), p_value(0.0104949, decimals=3)
    ('0.0115', '<0.0001', '0.010')
    """
    if math.isnan(p):
        return "not defined"
    smallest = 10**-decimals
    return f"<{fixed(smallest, decimals)}" if p < smallest / 2 else fixed(p, decimals)


def out_of(events: int, n: int) -> str:
    """Write a count with its denominator.

    Examples
    --------
    >>> out_of(19, 20), out_of(1700, 2000)
    ('19 of 20', '1,700 of 2,000')
    """
    return f"{count(events)} of {count(n)}"


def count(number: int) -> str:
    """Write a count, with thousands separated; one of more than 18 digits by its size.

    Examples
    --------
    >>> count(1280), count(2**200)
    ('1,280', 'about 10 to the power of 60')
    """
    if abs(number) >= 10**18:
        return f"about 10 to the power of {math.floor(math.log10(abs(number)))}"
    return f"{number:,}"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Write a count with what is counted.

    Examples
    --------
    >>> counted(1, "death"), counted(8, "death"), counted(2, "early end", "early ends")
    ('1 death', '8 deaths', '2 early ends')
    """
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"{count(number)} {noun}"


def of_all(part: int, whole: int) -> str:
    """Write how many of a group: all of it, none of it, or a part.

    Examples
    --------
    >>> of_all(18, 18), of_all(0, 18), of_all(3, 18)
    ('all 18', 'none of the 18', '3 of the 18')
    """
    if part == whole:
        return f"all {count(whole)}"
    return f"{count(part) if part else 'none'} of the {count(whole)}"


def span(values, decimals: int = 0, words: str = " to ") -> str:
    """Write the smallest and the largest of several numbers, or the one that they all are.

    Missing numbers are left out.

    Examples
    --------
    >>> span([2, 1, 2]), span([3, 3]), span([1.26, 2.23], 1), span([1, 2], words=" or ")
    ('1 to 2', '3', '1.3 to 2.2', '1 or 2')
    >>> span([])
    'no number'
    """
    known = pd.Series(list(values), dtype=object).dropna().astype(float).tolist()
    if not known:
        return "no number"
    return words.join(dict.fromkeys(decimal(end, decimals) for end in (min(known), max(known))))


def listed(items) -> str:
    """Join items into a list in a sentence.

    Examples
    --------
    >>> listed(["AOSD", "SLE", "other"]), listed(["AOSD"]), listed([])
    ('AOSD, SLE and other', 'AOSD', 'none')
    """
    items = [str(item) for item in items]
    if not items:
        return "none"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def tallied(found: Iterable[str], words: Iterable[str]) -> str:
    """Count how often each word was found, in the order given, those not found left out.

    Examples
    --------
    >>> tallied(["low", "high", "low"], ["high", "middle", "low"])
    '1 high and 2 low'
    """
    numbers = Counter(found)
    return listed(f"{count(numbers[word])} {word}" for word in words if numbers[word])


def escaped(text: object) -> str:
    """Write a reader's own word so that Markdown and HTML show it as it is.

    What could be markup is written as a character reference, line breaks as blanks.

    Examples
    --------
    >>> escaped("anti-IL-6"), escaped("<b>A*</b>"), escaped("1. arm")
    ('anti-IL-6', '&#60;b&#62;A&#42;&#60;/b&#62;', '1&#46; arm')
    """
    words = " ".join(str(text).split())
    words = re.sub(r"[^\w\s.,;:/()%+\-“”‘’–—·]", _reference, words)
    words = re.sub(r"_|(?<=-)-|(?<=:):|(?<=/)/", _reference, words)
    # At the start of a line these would make a list.
    return re.sub(r"^[+-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]", _reference, words)


def _reference(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in found[0])


class Text(str):
    """Text that is shown as it is: the book's plain glue role prints it without quotes."""

    def __repr__(self) -> str:
        """Return the text itself, for pages that are not HTML."""
        return str(self)

    def _repr_html_(self) -> str:
        """Return the text for HTML, apostrophes set as in the prose around it.

        Plain text of another page would be set as code.
        """
        return html.escape(self, quote=False).replace("'", "’")


#: What the chapter that is being executed has glued so far.
GLUED: dict[str, str] = {}


def glue_strings(strings: Mapping[str, str]) -> None:
    """Make strings available to the text of a chapter, by key.

    Only strings are taken, so that a number is formatted once, in this module, and never by
    the page that shows it.

    Parameters
    ----------
    strings : mapping of str to str
        Key and text.

    Raises
    ------
    TypeError
        If a value is not a string.
    """
    from myst_nb import glue  # the package itself does not need the book's tools

    for key, text in strings.items():
        if not isinstance(text, str):
            raise TypeError(f"{key} is {text!r}; format it as text first")
        glue(key, Text(text), display=False)
    GLUED.update(strings)
