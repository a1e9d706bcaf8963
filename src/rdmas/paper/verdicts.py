"""The two closed lists: on what a recomputed value rests, and what is said of a claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from rdmas.stats import rounding

#: Grounds of a derivation, strongest first, with what each means.
BASES = MappingProxyType(
    {
        "data": "computed from patients' records",
        "counts": "follows from the stated counts",
        "ordering": "depends on the unseen order of events",
        "input": "was put in: tests the pipeline, not the paper",
        "none": "nothing stated bears on it",
    }
)

#: What is said of a claim, with what each means.
VERDICTS = MappingProxyType(
    {
        "reproduced": "follows from other stated numbers, or from patients' records",
        "consistent": "a stated count, taken as given; every check against the others holds",
        "compatible": "some method or unseen follow-up gives it; which was used is not stated",
        "not reproduced": "nothing tried gives it, or the stated numbers contradict each other",
        "not checkable": "nothing else stated bears on it",
    }
)

#: Said of a value that the reconstruction was made to have.
RETURNED = "returned as put in"

#: Said of values that are possible and too many to be looked through.
NOT_SEARCHED = "not searched"

#: Measures that state a count; it is taken as given, and held against the others.
STATED_COUNTS = ("n", "count", "fraction")

#: Measures of which the patient table must return what was put in.
PUT_IN = (*STATED_COUNTS, "percent", "median")

#: A row of ``claims.csv``.
Claim = Mapping[Any, Any]


@dataclass(frozen=True)
class Derivation:
    """One way to recompute a claim.

    Attributes
    ----------
    method : str
        How the value was computed.
    value : float or tuple
        The value before rounding: a number, a pair of counts, or the ends of a range.
    recomputed : str
        The value printed the way the paper prints it.
    reproduces : bool
        Whether it gives the printed value; for a range, whether some data set in it does.
    basis : str
        A key of `BASES`.
    convention : str
        What the derivation assumes that the paper does not state; empty if nothing.
    """

    method: str
    value: float | tuple[float, float]
    recomputed: str
    reproduces: bool
    basis: str
    convention: str = ""


def held_against(
    claim: Claim,
    method: str,
    value: float | Fraction | tuple[int, int],
    basis: str,
    convention: str = "",
) -> Derivation:
    """Hold one value against what a claim prints."""
    written = p_value_like if claim["measure"] == "p_value" else rounding.print_like
    return Derivation(
        method=method,
        value=value if isinstance(value, int | tuple) else float(value),
        recomputed=written(value, claim["reported"]),
        reproduces=rounding.reproduces(value, claim["reported"]),
        basis=basis,
        convention=convention,
    )


def p_value_like(value: Any, reported: str) -> str:
    """Write a P-value the way one is printed; no P-value is 0, so a small one is a bound.

    Examples
    --------
    >>> p_value_like(0.0104949, "0.011"), p_value_like(0.00004, "0.011")
    ('0.010', '<0.001')
    """
    text = rounding.print_like(value, reported)
    printed = rounding.parse(reported)
    if printed.relation != "=" or text == "not defined" or rounding.parse(text).number:
        return text
    return f"<{rounding.fixed(Fraction(1, 10**printed.decimals), printed.decimals)}"


def verdict(measure: str, derivations: Sequence[Derivation]) -> str:
    """Say what the derivations of a claim come to.

    A value that was put in never supports its own claim; it contradicts it where the table does
    not return it.

    Parameters
    ----------
    measure : str
        The measure of the claim.
    derivations : sequence of Derivation
        All that bear on it.

    Returns
    -------
    str
        A key of `VERDICTS`.

    Examples
    --------
    >>> put_in = Derivation("sample median", 2.7, "2.7", True, "input", RETURNED)
    >>> verdict("median", [put_in]), verdict("median", [])
    ('not checkable', 'not checkable')
    """
    bearing = [found for found in derivations if found.basis != "input"]
    returned = [found for found in derivations if found.basis == "input"]
    settled = [found.reproduces for found in bearing if not found.convention]
    if measure in PUT_IN and not all(found.reproduces for found in returned):
        return "not reproduced"
    if not bearing:
        return "not checkable"
    if measure in STATED_COUNTS and all(settled):
        on_data = any(found.basis == "data" for found in bearing)
        return "reproduced" if on_data else "consistent"
    if settled and all(settled):
        return "reproduced"
    if any(found.reproduces for found in bearing if found.convention):
        return "compatible"
    if any(found.recomputed == NOT_SEARCHED for found in bearing):
        return "not checkable"
    return "not reproduced"
