"""How each kind of claim is recomputed from a cohort."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import pandas as pd

from rdmas.paper import stated
from rdmas.paper.cohort import Cohort
from rdmas.paper.followup import UnseenFollowup, searched, supported, unseen_followup
from rdmas.paper.significance import ALPHA, words_for
from rdmas.paper.verdicts import (
    NOT_SEARCHED,
    RETURNED,
    Claim,
    Derivation,
    held_against,
    p_value_like,
)
from rdmas.stats import logrank, two_by_two

_BELOW = f"two-sided P below {ALPHA}"

#: The column whose patients' times are those of ``followup_time``.
_TIMED = "died"


class _Test(NamedTuple):
    """A P-value with its grounds, and why it was not computed if it was not."""

    method: str
    p_value: float
    basis: str
    convention: str
    left_out: str = ""


def _n(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Count an arm."""
    found = len(cohort.in_arm(claim["arm"]))
    return [*_stated(claim, cohort), _from_table(claim, cohort, "rows of the arm", found, "arm")]


def _count(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Count the patients with a value."""
    found = _counted(claim, cohort)[0]
    counted = _from_table(claim, cohort, "patients counted", found)
    return [*_stated(claim, cohort), counted, *_beside(claim, cohort)]


def _fraction(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Count the patients with a value, and those with any."""
    found = _counted(claim, cohort)
    return [*_stated(claim, cohort), _from_table(claim, cohort, "patients counted", found)]


def _percent(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Divide one by the other."""
    method = "patients counted, divided by those with a value"
    share = _from_table(claim, cohort, method, Fraction(*_counted(claim, cohort)))
    return [*_stated(claim, cohort), share, *_beside(claim, cohort)]


def _median(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Take the median of a column."""
    value = float(cohort.in_arm(claim["arm"])[claim["variable"]].median())
    return [_from_table(claim, cohort, "sample median", value)]


def _p_value(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Compare the arms by every test, and by the log-rank test under every assumption."""
    reported = claim["reported"]
    tests = [*_tests_on_counts(claim, cohort), *_logrank_of_file(claim, cohort)]
    found = [
        _not_computed(test)
        if test.left_out
        else held_against(claim, test.method, test.p_value, test.basis, test.convention)
        for test in tests
    ]
    ladder = _ladder(claim, cohort)
    counts = supported(ladder, [assumption.reproduces(reported) for assumption in ladder])
    for assumption, reproduces in zip(ladder, counts, strict=True):
        low, high = (p_value_like(end, reported) for end in (assumption.low, assumption.high))
        found.append(
            Derivation(
                method=assumption.method,
                value=(assumption.low, assumption.high),
                recomputed=f"{low} to {'at most ' if assumption.high_is_bound else ''}{high}",
                reproduces=reproduces,
                basis="ordering",
                convention=assumption.method,
            )
        )
    return [*found, *_not_searched(claim, cohort)]


def _significance(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Put into words what `_p_value` computes."""
    events_a, n_a, events_b, n_b = cohort.table(claim["variable"], claim["category"])
    direction = (events_a * n_b > events_b * n_a) - (events_a * n_b < events_b * n_a)
    tests = _tests_on_counts(claim, cohort)
    p_values = [test.p_value for test in tests if not math.isnan(test.p_value)] or [math.nan]
    smallest, largest = min(p_values), max(p_values)
    agreed = words_for(smallest, direction) == words_for(largest, direction)
    basis = _grounds(cohort, claim["variable"])[0]
    number = sum(not test.left_out for test in tests)
    every = _Test(f"{_BELOW} under all {number} tests on the counts", largest, basis, "")
    found = [_worded(every, direction, claim, agreed)]
    found += [
        _worded(test._replace(method=f"{test.method}: {_BELOW}"), direction, claim)
        for test in (*tests, *_logrank_of_file(claim, cohort))
    ]
    ladder = _ladder(claim, cohort)
    possible = [claim["reported"] in assumption.wordings(direction) for assumption in ladder]
    return (
        found
        + [
            _worded_range(assumption, direction, counts)
            for assumption, counts in zip(ladder, supported(ladder, possible), strict=True)
        ]
        + _not_searched(claim, cohort)
    )


#: How each measure of the registry is derived; a measure without an entry fails a test.
MEASURES: dict[str, Callable[[Claim, Cohort], list[Derivation]]] = {
    "n": _n,
    "count": _count,
    "fraction": _fraction,
    "percent": _percent,
    "p_value": _p_value,
    "significance": _significance,
    "median": _median,
}


def _counted(claim: Claim, cohort: Cohort) -> tuple[int, int]:
    """Count what a claim counts."""
    return cohort.count(claim["arm"], claim["variable"], claim["category"])


def _stated(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Hold a claim against the other numbers of its registry, unless records are at hand.

    An abstract's denominators are its arms; in records a value can be missing, and they decide.
    """
    if _measured(cohort, claim["variable"] or "arm"):
        return []
    values = {
        name: [str(value) for value in field["constraints"]["enum"]]
        for name, field in cohort.fields().items()
        if field.get("constraints", {}).get("enum") and name != "arm"
    }
    return stated.checks(claim, cohort.claims.to_dict("records"), values)


def _beside(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Hold the count that stands beside a number against patients' records."""
    numerator, denominator = claim["numerator"], claim["denominator"]
    if not _measured(cohort, claim["variable"]) or pd.isna(numerator) or pd.isna(denominator):
        return []
    counted = _counted(claim, cohort)
    return [
        Derivation(
            method=f"the count {numerator}/{denominator} beside it, as counted",
            value=counted,
            recomputed=f"{counted[0]}/{counted[1]}",
            reproduces=counted == (int(numerator), int(denominator)),
            basis="data",
        )
    ]


def _measured(cohort: Cohort, column: str) -> bool:
    """Tell whether a column holds what was seen in patients."""
    return cohort.fields()[column]["provenance"] == "measured"


def _grounds(cohort: Cohort, column: str, convention: str = "") -> tuple[str, str]:
    """Return basis and convention of what is computed from the counts of a column."""
    match cohort.fields()[column]["provenance"]:
        case "measured":
            return "data", convention
        case "reported":
            return "counts", convention
        case _:
            return "input", RETURNED


def _from_table(
    claim: Claim,
    cohort: Cohort,
    method: str,
    value: float | Fraction | tuple[int, int],
    column: str | None = None,
) -> Derivation:
    """Read a stated value off patients' records, or off a table that was written from it."""
    measured = _measured(cohort, column or claim["variable"])
    grounds = ("data", "") if measured else ("input", RETURNED)
    return held_against(claim, method, value, *grounds)


def _tests_on_counts(claim: Claim, cohort: Cohort) -> list[_Test]:
    """Compare the arms by every two-sided test of a two-by-two table."""
    table = cohort.table(claim["variable"], claim["category"])
    tests = two_by_two.p_values(*table).query("sides == 'two-sided'")
    return [
        _Test(name, p_value, *_grounds(cohort, claim["variable"], name), left_out)
        for name, p_value, left_out in tests[["test", "p_value", "left_out"]].to_numpy().tolist()
    ]


def _not_computed(test: _Test) -> Derivation:
    """Name a test that is left out, which is neither for a claim nor against it."""
    return Derivation(
        method=test.method,
        value=math.nan,
        recomputed=test.left_out,
        reproduces=False,
        basis=test.basis,
        convention=test.convention,
    )


def _logrank_of_file(claim: Claim, cohort: Cohort) -> list[_Test]:
    """Compare the arms by the times of the patient table, if they are those of the outcome."""
    if claim["variable"] != _TIMED or not cohort.has("followup_time"):
        return []
    patients = cohort.patients
    p_value = logrank.logrank_p(
        patients["followup_time"].to_numpy(float),
        patients[_TIMED].to_numpy(int),
        (patients["arm"] == cohort.treatment_arm).to_numpy(int),
    )
    method = "Log-rank on the follow-up times of the patient table"
    return [_Test(method, float(p_value), *_grounds(cohort, "followup_time", "Log-rank"))]


def _ladder(claim: Claim, cohort: Cohort) -> tuple[UnseenFollowup, ...]:
    """Return the assumptions about follow-up, if it bears on the outcome and was not seen."""
    deaths = cohort.deaths()
    return unseen_followup(deaths) if _unseen(claim, cohort) and searched(deaths) else ()


def _not_searched(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Say where follow-up was not seen and could have been in too many ways to search."""
    if not _unseen(claim, cohort) or searched(cohort.deaths()):
        return []
    method = "Log-rank, any order of deaths: too many to search"
    return [Derivation(method, math.nan, NOT_SEARCHED, False, "ordering", method)]


def _unseen(claim: Claim, cohort: Cohort) -> bool:
    """Tell whether follow-up bears on an outcome and was not seen."""
    assumed = cohort.fields()["followup_time"]["provenance"] == "assumed"
    return claim["variable"] == _TIMED and (assumed or not cohort.has("followup_time"))


def _worded(test: _Test, direction: int, claim: Claim, agreed: bool = True) -> Derivation:
    """Put a P-value into words, unless tests that it stands for do not agree."""
    if test.left_out:
        return _not_computed(test)
    defined = math.isfinite(test.p_value)
    wording = words_for(test.p_value, direction) if agreed else "depends on the test"
    return Derivation(
        method=test.method,
        value=test.p_value,
        recomputed=wording if defined else "not defined",
        reproduces=defined and wording == claim["reported"],
        basis=test.basis,
        convention=test.convention,
    )


def _worded_range(assumption: UnseenFollowup, direction: int, counts: bool) -> Derivation:
    """Put a range of P-values into words, where all of it says the same."""
    wordings = assumption.wordings(direction)
    agreed = len(wordings) < 2
    return Derivation(
        method=f"{assumption.method}: {_BELOW}",
        value=assumption.high if agreed else (assumption.low, assumption.high),
        recomputed=next(iter(wordings), "not defined") if agreed else "depends on follow-up",
        reproduces=counts,
        basis="ordering",
        convention=assumption.method,
    )
