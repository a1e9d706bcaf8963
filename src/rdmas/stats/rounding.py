"""The one place that rounds: does a value reproduce what was printed?

Reported values stay strings, because trailing zeros, percent signs and units are data.
A printed number stands for every value that rounds to it; here that is a closed interval,
half a unit of the last printed decimal to either side. Closed on both ends is the charitable
tie rule: a value exactly between two printable numbers reproduces both, whichever way the
authors' software rounds a five.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from numbers import Integral, Rational

from rdmas.stats import checks

Number = int | float | Fraction | Decimal

#: Relative error granted to binary floating point, and to nothing else. A float carries about
#: 16 significant digits; a short computation loses a few of the last ones.
FLOAT_TOLERANCE = Fraction(1, 10**12)

#: What may follow a number: nothing, one of these, or a quotient of them ("mg/kg").
UNITS = (
    *("%", "kg", "mg", "µg", "μg", "mcg", "ng", "pg", "dL", "dl", "mL", "ml", "IU", "mmol", "µmol"),
    *("hours", "day", "days", "week", "weeks", "month", "months", "year", "years", "patients"),
)
#: Single letters are units only within a quotient: after a number they are footnote marks.
LETTER_UNITS = ("g", "L", "l", "U", "h", "d")

# Digits are 0 to 9 and no others. A thousands group never starts with 0, so that a decimal comma
# ("0,011") is refused and not read as eleven.
_WHOLE = r"[1-9][0-9]{0,2}(?:,[0-9]{3})+|[0-9]+"
_NUMBER = rf"[-−+]?(?:(?:{_WHOLE})(?:\.[0-9]+)?|\.[0-9]+)"
_PER = "|".join((*UNITS[1:], *LETTER_UNITS))
_UNIT = rf"(?:{_PER})(?:/(?:{_PER}))+|{'|'.join(UNITS)}"
# A P-value may carry its name: "P<0.001", "p = 0.011".
_SCALAR = re.compile(
    rf"(?:[Pp]\s*(?=[<>=])=?)?\s*(?P<relation>[<>]?)\s*(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?"
)
_FRACTION = re.compile(rf"(?P<numerator>{_WHOLE})\s*/\s*(?P<denominator>{_WHOLE})")


@dataclass(frozen=True)
class Reported:
    """A printed number taken apart.

    Attributes
    ----------
    number : fractions.Fraction
        The printed number itself; for a percentage the number before the percent sign.
    decimals : int
        Printed decimals, trailing zeros included.
    unit : str
        What follows the number: ``"%"``, ``"mg/kg"`` or nothing; see `UNITS`.
    relation : str
        ``"<"`` or ``">"`` where the number is printed as a bound, else ``"="``.
    counts : tuple of int or None
        Numerator and denominator where a count is printed as ``"10/20"``.
    """

    number: Fraction
    decimals: int
    unit: str
    relation: str
    counts: tuple[int, int] | None

    @property
    def scale(self) -> int:
        """Return 100 for a percentage, else 1."""
        return 100 if self.unit == "%" else 1

    @property
    def is_rounded(self) -> bool:
        """Whether the number stands for an interval: neither a bound nor a count."""
        return self.relation == "=" and self.counts is None


def parse(reported: str) -> Reported:
    """Take a printed number apart without losing its decimals or its unit.

    Parameters
    ----------
    reported : str
        A number as printed: ``"20"``, ``"50%"``, ``"10/20"``, ``"0.011"``, ``"<0.001"``,
        ``"2.7 mg/kg"``, ``"P = 0.011"``. A typographic minus and thousands separators are read
        too.

    Raises
    ------
    TypeError
        If a number is given: a number has already lost its trailing zeros.
    ValueError
        If the string is not a single printed number.

    Examples
    --------
    >>> parse("2.70 mg/kg").decimals, parse("2.70 mg/kg").unit
    (2, 'mg/kg')
    >>> parse("P < 0.001").relation
    '<'
    """
    if not isinstance(reported, str):
        raise TypeError(f"a reported value must be a string, exactly as printed; got {reported!r}")
    text = reported.strip()
    if fraction := _FRACTION.fullmatch(text):
        numerator, denominator = (group.replace(",", "") for group in fraction.groups())
        counts = int(numerator), int(denominator)
        if counts[1] == 0:
            raise ValueError(f"{reported!r} has a denominator of zero")
        return Reported(Fraction(*counts), 0, "", "=", counts)
    scalar = _SCALAR.fullmatch(text)
    if scalar is None:
        raise ValueError(f"{reported!r} is not a printed number")
    digits = scalar["number"].replace(",", "").replace("−", "-")
    return Reported(
        number=Fraction(digits),
        decimals=len(digits.partition(".")[2]),
        unit=scalar["unit"] or "",
        relation=scalar["relation"] or "=",
        counts=None,
    )


def rounding_interval(reported: str) -> tuple[Fraction, Fraction]:
    """Return the closed interval of values that round to a printed number.

    Parameters
    ----------
    reported : str
        A number as printed. A percentage is read as hundredths, so that the interval is on
        the scale of a proportion.

    Returns
    -------
    low, high : fractions.Fraction
        Exact ends; both belong to the interval (charitable tie rule).

    Raises
    ------
    ValueError
        If the number is printed as a bound (``"<0.001"``) or as a count (``"10/20"``), which
        are not rounded.

    Examples
    --------
    >>> [float(end) for end in rounding_interval("2.7 mg/kg")]
    [2.65, 2.75]
    >>> [float(end) for end in rounding_interval("62%")]
    [0.615, 0.625]
    """
    printed = parse(reported)
    if not printed.is_rounded:
        raise ValueError(f"{reported!r} is not a rounded number")
    half_unit = Fraction(1, 2 * 10**printed.decimals)
    return (
        (printed.number - half_unit) / printed.scale,
        (printed.number + half_unit) / printed.scale,
    )


def reproduces(value: Number | tuple[int, int], reported: str) -> bool:
    """Tell whether a value reproduces a printed number.

    It does when it rounds to what is printed, at the printed number of decimals, rounding
    once and with ties counted either way. Rounding twice is not allowed: 0.01049 prints as
    0.010 and never, by way of 0.0105, as 0.011.

    Parameters
    ----------
    value : int, float, fractions.Fraction, decimal.Decimal or pair of int
        The recomputed value. Against a percentage it is a proportion (``0.5`` for ``"50%"``).
        Against a count such as ``"10/20"`` give the pair ``(10, 20)``: both must agree. A
        single number is compared with the ratio. Floats are granted a relative error of
        `FLOAT_TOLERANCE`; exact types are compared exactly. NaN and infinity reproduce nothing.
    reported : str
        The number as printed, as `parse` reads it.

    Examples
    --------
    >>> reproduces(13 / 21, "62%")
    True
    >>> reproduces(0.01049, "0.011")
    False
    >>> reproduces(0.125, "0.12"), reproduces(0.125, "0.13")
    (True, True)
    >>> reproduces((1, 2), "10/20"), reproduces((10, 20), "10/20")
    (False, True)
    """
    printed = parse(reported)
    if isinstance(value, tuple):
        return printed.counts == tuple(value)
    if not _is_finite(value):
        return False
    exact, slack = _exact(value)
    if printed.counts is not None:
        return abs(exact - printed.number) <= slack
    bound = printed.number / printed.scale
    # What equals a bound up to rounding errors equals it, and is neither below nor above.
    if printed.relation == "<":
        return exact + slack < bound
    if printed.relation == ">":
        return exact - slack > bound
    low, high = rounding_interval(reported)
    return low - slack <= exact <= high + slack


def reproduces_by_rounding_twice(value: Number, reported: str) -> int | None:
    """Find the intermediate number of decimals that would explain a printed number.

    A value first shown with more decimals and then rounded again can end one unit away from
    where rounding once would put it. That is an innocent explanation, and worth naming.

    Parameters
    ----------
    value, reported
        As in `reproduces`.

    Returns
    -------
    int or None
        The fewest intermediate decimals (one to three more than printed) through which
        rounding twice gives the printed number, if rounding once does not; else None.

    Examples
    --------
    >>> reproduces_by_rounding_twice(0.010495, "0.011")
    4
    >>> reproduces_by_rounding_twice(0.0112, "0.011") is None
    True
    """
    printed = parse(reported)
    if not printed.is_rounded or not _is_finite(value) or reproduces(value, reported):
        return None
    scaled = _exact(value)[0] * printed.scale
    for decimals in range(printed.decimals + 1, printed.decimals + 4):
        for rounding in (ROUND_HALF_UP, ROUND_HALF_DOWN):
            once = _quantize(scaled, decimals, rounding)
            if reproduces(Fraction(once) / printed.scale, reported):
                return decimals
    return None


def reproduces_by_cutting_off(value: Number, reported: str) -> bool:
    """Tell whether cutting a value off, instead of rounding it, gives the printed number.

    Decimals beyond the printed ones are dropped, towards zero. Not so where rounding gives the
    printed number too.

    Parameters
    ----------
    value, reported
        As in `reproduces`.

    Raises
    ------
    ValueError
        If the number is printed as a bound or as a count.

    Examples
    --------
    >>> reproduces_by_cutting_off(2 / 3, "66%"), reproduces_by_cutting_off(1 / 3, "33%")
    (True, False)
    """
    low, high = rounding_interval(reported)
    half_unit = (high - low) / 2
    if reproduces(value, reported) or not _is_finite(value):
        return False
    exact, slack = _exact(value)
    printed = (low + high) / 2
    beyond = abs(exact) - abs(printed)
    return exact * printed >= 0 and -slack <= beyond < 2 * half_unit - slack


def counts_that_print(reported: str, n: int) -> list[int]:
    """List the counts of a group whose percentage prints as reported.

    Parameters
    ----------
    reported : str
        A percentage as printed, such as ``"62%"`` or ``"<1%"``.
    n : int
        Size of the group.

    Returns
    -------
    list of int
        Empty if no whole number of patients gives the percentage (the GRIM test).

    Raises
    ------
    ValueError
        If `n` is not a whole number of at least 1, or the number is not a percentage.

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Social Psychological and Personality
    Science 8(4):363-369.

    Examples
    --------
    >>> counts_that_print("33%", 12), counts_that_print("30%", 12), counts_that_print("9%", 200)
    ([4], [], [17, 18, 19])
    """
    n = checks.whole("n", n, low=1)
    if parse(reported).unit != "%":
        raise ValueError(f"{reported!r} is not a percentage")
    candidates = range(n + 1)
    if parse(reported).is_rounded:
        low, high = rounding_interval(reported)
        candidates = range(max(0, math.floor(low * n)), min(n, math.ceil(high * n)) + 1)
    return [count for count in candidates if reproduces(Fraction(count, n), reported)]


def scaled(value: Number, factor: int) -> Fraction:
    """Multiply without binary error, so that a tie stays a tie.

    A finite float is read through its shortest decimal form.

    Examples
    --------
    >>> fixed(scaled(23 / 40, 100), 0), fixed(23 / 40 * 100, 0)
    ('58', '57')
    """
    return _exact(value)[0] * factor


def fixed(value: Number, decimals: int) -> str:
    """Write a finite value with a fixed number of decimals, ties away from zero.

    Examples
    --------
    >>> fixed(0.0104949, 3)
    '0.010'
    >>> fixed(2.675, 2)
    '2.68'
    """
    return f"{_quantize(_exact(value)[0], decimals, ROUND_HALF_UP):f}"


def print_like(value: Number | tuple[int, int], reported: str) -> str:
    """Write a recomputed value the way the reported one is printed.

    Parameters
    ----------
    value : number or pair of int
        The recomputed value, as in `reproduces`.
    reported : str
        The number as printed: it sets decimals, separators, percent sign and unit. Where the
        value reproduces it (a tie included) the printed number itself is returned. Beside a bound
        there are as many decimals as tell the value from the bound and from zero.

    Examples
    --------
    >>> print_like(0.5238, "50%"), print_like(0.0104949, "0.011"), print_like((9, 20), "10/20")
    ('52%', '0.010', '9/20')
    >>> print_like(0.0451, ">0.05"), print_like(1279, "1,280")
    ('0.045', '1,279')
    >>> print_like(float("nan"), "0.011")
    'not defined'
    """
    printed = parse(reported)
    if reproduces(value, reported):
        return reported.strip()
    if isinstance(value, tuple):
        return "/".join(str(count) for count in value)
    if not _is_finite(value):
        return "not defined"
    if printed.counts is not None:
        return str(Fraction(value))
    scaled = _exact(value)[0] * printed.scale
    decimals = printed.decimals
    if printed.relation != "=":
        decimals = _decimals_beside(scaled, printed)
    digits = _quantize(scaled, decimals, ROUND_HALF_UP)
    number = f"{digits:,f}" if "," in reported else f"{digits:f}"
    separator = " " if printed.unit and printed.unit != "%" else ""
    return f"{number}{separator}{printed.unit}"


def _decimals_beside(value: Fraction, bound: Reported) -> int:
    """Return how many decimals tell a value from a bound and from zero, if any do."""
    for decimals in range(bound.decimals, bound.decimals + 20):
        if Fraction(_quantize(value, decimals, ROUND_HALF_UP)) not in (0, bound.number):
            return decimals
    return bound.decimals


def _is_finite(value: Number) -> bool:
    """Tell whether a value is a number; integers and fractions can be too large for a float."""
    if isinstance(value, Rational):
        return True
    return value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)


def _exact(value: Number) -> tuple[Fraction, Fraction]:
    """Return a value as an exact fraction, and the error it may carry."""
    if isinstance(value, Integral):
        return Fraction(int(value)), Fraction(0)
    if isinstance(value, (Rational, Decimal)):
        return Fraction(value), Fraction(0)
    # By its shortest decimal form, so that 0.0105 typed by a person is the tie it looks like.
    exact = Fraction(repr(float(value)))
    return exact, abs(exact) * FLOAT_TOLERANCE


def _quantize(value: Fraction, decimals: int, rounding: str) -> Decimal:
    """Round an exact fraction once, in integers, so that no binary error can enter."""
    whole, rest = divmod(abs(value) * 10**decimals, 1)
    up = rest > Fraction(1, 2) or (rest == Fraction(1, 2) and rounding == ROUND_HALF_UP)
    digits = int(whole) + int(up)
    # Built from its digits: arithmetic on a Decimal would round again at 28 of them.
    sign = int(value < 0 and digits > 0)
    return Decimal((sign, tuple(int(digit) for digit in str(digits)), -decimals))
