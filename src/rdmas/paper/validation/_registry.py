"""Whether each claim of a registry is one that can be derived, printed in a form that is read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from rdmas.paper.package import ROLES, DataPackage
from rdmas.paper.problems import Problem
from rdmas.paper.significance import SIGNIFICANCE_WORDING
from rdmas.paper.validation._words import Fault, folded, one_of, quoted
from rdmas.paper.verdicts import STATED_COUNTS
from rdmas.stats import rounding

#: Pages on which a claim can be derived.
CHAPTERS = ("data", "remission", "survival", "p_value", "dose", "cmv")

#: Keys of the two-sided tests in `rdmas.stats.two_by_two`, which is slow to import.
CONVENTIONS = (
    "z_unpooled",
    "z_agresti_caffo",
    "barnard_unpooled",
    "chi2",
    "chi2_n_minus_1",
    "barnard_pooled",
    "chi2_yates",
    "likelihood_ratio",
    "z_log_odds_ratio",
    "z_log_risk_ratio_of_non_event",
    "z_log_risk_ratio",
    "fisher",
    "fisher_central",
    "fisher_midp_central",
    "fisher_midp_minlike",
    "fisher_midp_sas",
    "boschloo_central",
    "boschloo_minlike",
)

#: The one unit that each measure may have; a median has that of its column.
_UNITS = {
    **dict.fromkeys(STATED_COUNTS, "patients"),
    "percent": "%",
    "background": "%",
    "p_value": "P",
    "significance": "",
}

#: Columns that a claim of a measure has no use for.
_UNUSED = {
    "background": ("arm", "numerator", "denominator", "variable", "category"),
    "n": ("denominator", "variable", "category"),
    "p_value": ("numerator", "denominator"),
    "significance": ("numerator", "denominator"),
    "median": ("numerator", "denominator", "category"),
}

_COMPARING = ("p_value", "significance")

#: Letters that a printed number may have.
_LONGEST = 60

#: Ways to write a number that are not read, and what would be.
_NOT_READ = (
    (r".*[0-9]*,[0-9]+.*", "a comma groups thousands here; write the decimals behind a point"),
    (r".*[0-9][eE][-+]?[0-9]+.*", "write it out, such as 0.001"),
    (r".*(≤|>=|<=|≥).*", "a bound is written < or >"),
    (r".*(±|–| to |-[0-9]).*", "one number stands in a claim, and no range"),
)


def claim_problems(package: DataPackage) -> list[Problem]:
    """List what is wrong inside the rows of the registry."""
    fields = package.fields("patients")
    companion = package.stated.get("companion", package.descriptor["companion"])
    stated = (companion["treatmentArm"], companion.get("controlArm"))
    arms = [arm for arm in stated if arm is not None]
    return folded(
        Problem(package.files["claims"], rule, row, column)
        for row, claim in package.numbered("claims")
        for column, rule in _claim_faults(claim, fields, arms)
    )


def _claim_faults(
    claim: dict[str, str], fields: dict[str, dict], arms: Sequence[str]
) -> Iterator[Fault]:
    """Yield what is wrong with one claim: first what it is about, then what it prints."""
    about = list(_subject_faults(claim, fields, arms))
    yield from about or _print_faults(claim, fields)


def _subject_faults(
    claim: dict[str, str], fields: dict[str, dict], arms: Sequence[str]
) -> Iterator[Fault]:
    """Yield why no derivation could serve a claim."""
    measure, variable, arm = claim["measure"], claim["variable"], claim["arm"]
    if claim["chapter"] not in CHAPTERS:
        yield "chapter", f"{quoted(claim['chapter'])} is not known; use {one_of(CHAPTERS)}"
    for column in _UNUSED.get(measure, ()):
        if claim[column]:
            yield column, f"a claim of measure {measure} has no {column}; leave it empty"
    if claim["convention"] and measure != "p_value":
        rule = f"a claim of measure {measure} has no test to prefer; leave it empty"
        yield "convention", rule
    if measure == "background":
        return
    allowed = ["both"] if measure in _COMPARING else arms
    if arm not in allowed and (measure in _COMPARING or arm not in ROLES):
        yield "arm", f"a claim of measure {measure} is about {one_of(allowed)}, not {quoted(arm)}"
    if measure == "p_value" and claim["convention"] not in ("", *CONVENTIONS):
        rule = f"{quoted(claim['convention'])} is not a test known here; use {one_of(CONVENTIONS)}"
        yield "convention", rule
    if measure == "n":
        return
    if not variable:
        yield "variable", f"a claim of measure {measure} needs the column it is derived from"
        return
    if variable not in fields:
        yield "variable", f"{quoted(variable)} is not a column of the patient table"
        return
    if variable == "arm":
        yield "variable", f"the size of an arm has measure n, not {measure}"
        return
    listed = [str(value) for value in fields[variable].get("constraints", {}).get("enum", [])]
    if measure == "median":
        if fields[variable]["type"] != "number":
            yield "variable", f"column {variable} does not hold numbers to take a median of"
    elif not listed:
        yield "variable", f"column {variable} has no list of values to count"
    elif claim["category"] not in listed:
        yield "category", f"{quoted(claim['category'])} is not known; use {one_of(listed)}"


def _print_faults(claim: dict[str, str], fields: dict[str, dict]) -> Iterator[Fault]:
    """Yield what is wrong with the value that a claim prints, and the counts beside it."""
    measure, reported = claim["measure"], claim["reported"]
    field = fields.get(claim["variable"], {})
    unit = _UNITS.get(measure, field.get("unit", ""))
    if claim["unit"] != unit:
        yield "unit", f"{quoted(claim['unit'])} is not the unit of a {measure}; use {quoted(unit)}"
    if measure == "significance":
        if reported not in SIGNIFICANCE_WORDING:
            yield "reported", f"{quoted(reported)} is not known; use {one_of(SIGNIFICANCE_WORDING)}"
        return
    if len(reported) > _LONGEST:
        yield "reported", f"{quoted(reported)} is too long for a printed number"
        return
    try:
        printed = rounding.parse(reported)
    except ValueError as error:
        yield "reported", _not_read(reported, error)
        return
    if measure in STATED_COUNTS and not claim["numerator"]:
        yield "numerator", f"a claim of measure {measure} needs its count"
        return
    yield from _count_faults(claim, printed)
    if measure == "fraction" or printed.counts is not None:
        return
    wanted = "" if measure in (*STATED_COUNTS, "p_value") else unit
    if printed.unit != wanted:
        yield "reported", f"{quoted(reported)} does not carry the unit {quoted(wanted)}"
        return
    if rule := _range_rule(measure, printed, field):
        yield "reported", f"{quoted(reported)}{rule}"


def _not_read(reported: str, error: ValueError) -> str:
    """Say why a printed number is not read, and what would be."""
    hints = [hint for pattern, hint in _NOT_READ if re.fullmatch(pattern, reported)]
    rule = "is not a printed number" if "denominator" not in str(error) else "divides by zero"
    return "; ".join([f"{quoted(reported)} {rule}", *hints[:1]])


def _count_faults(claim: dict[str, str], printed: rounding.Reported) -> Iterator[Fault]:
    """Yield why a printed count and the counts beside it do not fit."""
    measure, reported = claim["measure"], claim["reported"]
    numerator, denominator = claim["numerator"], claim["denominator"]
    if numerator and denominator and int(numerator) > int(denominator):
        yield "numerator", f"{numerator} is more than the denominator {denominator}"
    if measure == "fraction":
        if printed.counts is None:
            yield "reported", f"{quoted(reported)} is not a count such as 10/20"
        elif (str(printed.counts[0]), str(printed.counts[1])) != (numerator, denominator):
            yield "reported", f"{quoted(reported)} differs from {numerator}/{denominator} beside it"
    elif printed.counts is not None:
        yield "reported", f"{quoted(reported)} is a count; its measure must be fraction"
    elif measure in STATED_COUNTS and (printed.relation, printed.number) != ("=", int(numerator)):
        yield "reported", f"{quoted(reported)} differs from the numerator '{numerator}' beside it"


def _range_rule(measure: str, printed: rounding.Reported, field: dict[str, Any]) -> str:
    """Say why no value, or every value, of a measure could be printed so."""
    limits = field.get("constraints", {})
    low, high = limits.get("minimum", 0), limits.get("maximum", math.inf)
    if measure in ("percent", "background"):
        high = 100
    elif measure == "p_value":
        high = 1
    elif measure != "median":
        return ""
    least_and_most = {"<": (low, high), ">": (high, low)}
    if printed.relation != "=":
        none, every = least_and_most[printed.relation]
        if printed.number == none or not low <= printed.number <= high:
            return f" leaves no value that a {measure} could have"
        if measure == "p_value" and printed.number == every:
            return f" leaves every value that a {measure} could have; it could not be wrong"
        return ""
    if not low <= printed.number <= high:
        return {
            "p_value": " is not a P-value; it must lie between 0 and 1",
            "median": f" is no value of the column; it must lie between {low} and {high}",
        }.get(measure, " is not a percentage between 0% and 100%")
    if measure == "p_value" and printed.number == 0:
        return ": no P-value is 0; a bound such as <0.001 is meant"
    if measure == "p_value" and printed.decimals == 0:
        return ": any P-value above 0.5 prints so; write it with its decimals, such as 1.00"
    return ""
