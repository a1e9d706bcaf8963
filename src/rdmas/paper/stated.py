"""Stated counts held against the other numbers of the same registry; no patient is needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pandas as pd

from rdmas.paper.verdicts import Claim, Derivation, held_against
from rdmas.stats import rounding

Values = Mapping[str, Sequence[str]]


def checks(claim: Claim, registry: Sequence[Claim], values: Values) -> list[Derivation]:
    """Recompute a stated count, or its percentage, from other stated numbers.

    Parts of a column make the whole arm where every value has a count of its own; elsewhere
    together they may not exceed it. A denominator is the size of its arm. A count is one that
    prints as the percentage stated for it.

    Parameters
    ----------
    claim : mapping
        A row of the registry.
    registry : sequence of mapping
        All rows.
    values : mapping of str to sequence of str
        The closed list of values of each column that has one.

    Returns
    -------
    list of Derivation
        On the basis ``counts``; empty for a claim that is no count and no percentage.

    Examples
    --------
    >>> from rdmas.paper.cohort import load_cohort
    >>> registry = load_cohort().claims.to_dict("records")
    >>> women = next(claim for claim in registry if claim["category"] == "female")
    >>> for found in checks(women, registry, {"sex": ["female", "male"]}):
    ...     print(f"{found.method}: {found.recomputed}")
    the 20 of the arm less the others (3): 17
    its denominator 20 is the size of the arm: 17
    """
    in_arm = [other for other in registry if other["arm"] == claim["arm"]]
    counts = [other for other in in_arm if other["measure"] in ("count", "fraction")]
    counts = [other for other in counts if not pd.isna(other["numerator"])]
    sizes = [int(other["numerator"]) for other in in_arm if other["measure"] == "n"]
    match claim["measure"]:
        case "percent":
            return list(_of_percentage(claim, sizes))
        case "n":
            return [*_of_parts(claim, counts, values), *_of_denominators(claim, in_arm)]
        case "count" | "fraction" if sizes:
            alike = [other for other in counts if other["variable"] == claim["variable"]]
            percentages = [other for other in in_arm if _is_percentage_of(other, claim)]
            return [
                *_of_percentages(claim, percentages, sizes[0]),
                *_of_whole(claim, alike, sizes[0], values.get(claim["variable"], ())),
                *_of_own_denominator(claim, sizes[0]),
            ]
    return []


def _of_percentage(claim: Claim, sizes: Sequence[int]) -> Iterator[Derivation]:
    """Divide the count that is stated beside a percentage, of all patients of its arm."""
    if not pd.isna(claim["numerator"]) and not pd.isna(claim["denominator"]):
        share = Fraction(int(claim["numerator"]), int(claim["denominator"]))
        method = f"{claim['numerator']}/{claim['denominator']} as stated, divided"
        yield held_against(claim, method, share, "counts")
        if sizes:
            yield from _of_own_denominator(claim, sizes[0])


def _of_parts(claim: Claim, counts: Sequence[Claim], values: Values) -> Iterator[Derivation]:
    """Add up the parts of each column that has a count for every value."""
    for column, listed in values.items():
        parts = {
            one["category"]: int(one["numerator"]) for one in counts if one["variable"] == column
        }
        if set(parts) == set(listed):
            method = f"parts by {column} together ({_plus(parts.values())})"
            yield held_against(claim, method, sum(parts.values()), "counts")


def _of_denominators(claim: Claim, in_arm: Sequence[Claim]) -> Iterator[Derivation]:
    """Compare the size of an arm with the denominators that are stated for it."""
    stated = [int(other["denominator"]) for other in in_arm if not pd.isna(other["denominator"])]
    for denominator in dict.fromkeys(stated):
        method = f"denominator of {stated.count(denominator)} other numbers"
        yield held_against(claim, method, denominator, "counts")


def _of_whole(
    claim: Claim, alike: Sequence[Claim], size: int, listed: Sequence[str]
) -> Iterator[Derivation]:
    """Take the other parts of a column from the arm, or see whether they leave room."""
    others = [int(one["numerator"]) for one in alike if one["category"] != claim["category"]]
    numbers = [int(one["numerator"]) for one in alike]
    if listed and {one["category"] for one in alike} == set(listed):
        method = f"the {size} of the arm less the others ({_plus(others)})"
        yield held_against(claim, method, _like(claim, size - sum(others), size), "counts")
    elif others:
        total = sum(numbers)
        method = f"with the other counts of the column ({_plus(numbers)}) at most the arm"
        yield Derivation(method, total, f"{total} of {size}", total <= size, "counts")


def _of_percentages(claim: Claim, percentages: Sequence[Claim], size: int) -> Iterator[Derivation]:
    """List the counts that print as the percentage stated for the same patients."""
    for other in percentages:
        fits = rounding.counts_that_print(other["reported"], size)
        texts = [rounding.print_like(_like(claim, fit, size), claim["reported"]) for fit in fits]
        yield Derivation(
            method=f"what of {size} prints as {other['reported']}",
            value=(min(fits), max(fits)) if fits else float("nan"),
            recomputed=" or ".join(texts) or "no count",
            reproduces=int(claim["numerator"]) in fits,
            basis="counts",
        )


def _of_own_denominator(claim: Claim, size: int) -> Iterator[Derivation]:
    """See whether a count is out of all patients of its arm."""
    if not pd.isna(claim["denominator"]):
        numerator, denominator = int(claim["numerator"]), int(claim["denominator"])
        is_size = "is" if denominator == size else f"is not {size},"
        method = f"its denominator {denominator} {is_size} the size of the arm"
        found = held_against(claim, method, _like(claim, numerator, size), "counts")
        yield replace(found, reproduces=denominator == size)


def _is_percentage_of(other: Claim, claim: Claim) -> bool:
    """Tell whether a percentage is about the patients that a claim counts."""
    same = all(other[key] == claim[key] for key in ("variable", "category"))
    exact = other["measure"] == "percent" and rounding.parse(other["reported"]).relation == "="
    return exact and same


def _like(claim: Claim, count: int, size: int) -> int | tuple[int, int] | Fraction:
    """Return a count the way a claim states it: alone, with the size of the arm, or as a share."""
    match claim["measure"]:
        case "fraction":
            return count, size
        case "percent":
            return Fraction(count, size)
        case _:
            return count


def _plus(numbers: Iterable[int]) -> str:
    """Write a sum."""
    return " + ".join(map(str, numbers))
