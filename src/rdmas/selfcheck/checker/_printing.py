"""How authors and their software print numbers, right or wrong.

The rounding module is what is being checked, so nothing here uses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from rdmas.paper.significance import ALPHA
from rdmas.stats import checks

#: Ways of printing that round the value once; no number printed so may raise an alarm.
#: "floating point" is what C, Python and R print: binary digits decide their ties.
ROUNDED_ONCE = ("half up", "half to even", "half down", "floating point")

#: All ways of printing. The last two are faults of printing, which the audit refuses on
#: purpose: digits are dropped, or the value is rounded to one decimal more and then again.
PRINTINGS = (*ROUNDED_ONCE, "cut off", "rounded twice")


def decimal_text(value: Fraction, places: int, way: str = "half up") -> str:
    """Print a number of at least 0, by arithmetic in whole numbers."""
    if way == "rounded twice":
        return decimal_text(Fraction(decimal_text(value, places + 1)), places)
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
    if way == "floating point":
        return f"{100 * events / n:.{places}f}%"
    return f"{decimal_text(Fraction(100 * events, n), places, way)}%"


def p_text(p_value: float, places: int, way: str = "half up") -> str:
    """Print a P-value; one below a unit of the last decimal as below that unit."""
    unit = Fraction(1, 10**places)
    exact = Fraction(repr(float(p_value)))
    if exact < unit:
        return f"<{decimal_text(unit, places)}"
    return f"{p_value:.{places}f}" if way == "floating point" else decimal_text(exact, places, way)


def bound_text(significant: bool) -> str:
    """Print on which side of the level of significance P lies."""
    return f"{'<' if significant else '>'}{ALPHA}"


def whole_numbers(name: str, values: Iterable[int], low: int) -> list[int]:
    """Return distinct whole numbers of at least `low`."""
    return list(
        dict.fromkeys(checks.whole(name, value, low) for value in checks.column(name, values))
    )
