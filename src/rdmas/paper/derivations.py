"""How each kind of claim is recomputed from a cohort."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from rdmas.paper.cohort import Cohort
from rdmas.paper.followup import UnseenFollowup, supported, unseen_followup
from rdmas.paper.significance import ALPHA, words_for
from rdmas.stats import logrank, rounding, two_by_two

BASES = ("counts", "ordering", "input", "none")
BY_CONSTRUCTION = "the value was put into the reconstruction"

#: A row of ``claims.csv``.
Claim = Mapping[Any, Any]

_BELOW = f"two-sided P below {ALPHA}"


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
        One of `BASES`.
    convention : str
        What the derivation assumes that the paper does not state; empty if nothing.
    """

    method: str
    value: float | tuple[float, float]
    recomputed: str
    reproduces: bool
    basis: str
    convention: str = ""


class _Test(NamedTuple):
    """A P-value with its grounds."""

    method: str
    p_value: float
    basis: str
    convention: str


def _n(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Count an arm."""
    return [_single("number of patients in the arm", len(cohort.in_arm(claim["arm"])), claim)]


def _count(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Count the patients with a value."""
    return [_single("patients counted", _counted(claim, cohort)[0], claim)]


def _fraction(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Count the patients with a value, and those with any."""
    return [_single("patients counted", _counted(claim, cohort), claim)]


def _percent(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Divide one by the other."""
    method = "patients counted, divided by those with a value"
    return [_single(method, Fraction(*_counted(claim, cohort)), claim)]


def _median(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Take the median of a column."""
    value = float(cohort.in_arm(claim["arm"])[claim["variable"]].median())
    return [_single("sample median", value, claim, *_grounds(cohort, claim["variable"]))]


def _p_value(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Compare the arms by every test, and by the log-rank test under every assumption."""
    reported = claim["reported"]
    found = [
        _single(test.method, test.p_value, claim, test.basis, test.convention)
        for test in (*_tests_on_counts(claim, cohort), _logrank_of_file(cohort))
    ]
    ladder = _ladder(cohort)
    counts = supported(ladder, [assumption.reproduces(reported) for assumption in ladder])
    for assumption, reproduces in zip(ladder, counts, strict=True):
        low, high = (
            rounding.print_like(end, reported) for end in (assumption.low, assumption.high)
        )
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
    return found


def _significance(claim: Claim, cohort: Cohort) -> list[Derivation]:
    """Put into words what `_p_value` computes."""
    events_a, n_a, events_b, n_b = cohort.table(claim["variable"], claim["category"])
    direction = (events_a * n_b > events_b * n_a) - (events_a * n_b < events_b * n_a)
    tests = _tests_on_counts(claim, cohort)
    p_values = [test.p_value for test in tests if not math.isnan(test.p_value)] or [math.nan]
    smallest, largest = min(p_values), max(p_values)
    agreed = words_for(smallest, direction) == words_for(largest, direction)
    every = _Test(f"{_BELOW} under all {len(tests)} tests on the counts", largest, "counts", "")
    found = [_worded(every, direction, claim, agreed)]
    found += [
        _worded(test._replace(method=f"{test.method}: {_BELOW}"), direction, claim)
        for test in (*tests, _logrank_of_file(cohort))
    ]
    ladder = _ladder(cohort)
    possible = [claim["reported"] in assumption.wordings(direction) for assumption in ladder]
    return found + [
        _worded_range(assumption, direction, counts)
        for assumption, counts in zip(ladder, supported(ladder, possible), strict=True)
    ]


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


def _grounds(cohort: Cohort, column: str, convention: str = "") -> tuple[str, str]:
    """Return basis and convention of what is computed from a column."""
    if cohort.fields()[column]["provenance"] == "assumed":
        return "input", BY_CONSTRUCTION
    return "counts", convention


def _tests_on_counts(claim: Claim, cohort: Cohort) -> list[_Test]:
    """Compare the arms by every two-sided test of a two-by-two table."""
    table = cohort.table(claim["variable"], claim["category"])
    tests = two_by_two.p_values(*table).query("sides == 'two-sided'")
    return [
        _Test(name, p_value, "counts", name)
        for name, p_value in zip(tests["test"], tests["p_value"], strict=True)
    ]


def _logrank_of_file(cohort: Cohort) -> _Test:
    """Compare the arms by the times of the patient table."""
    patients = cohort.patients
    p_value = logrank.logrank_p(
        patients["followup_time"].to_numpy(float),
        patients["died"].to_numpy(int),
        (patients["arm"] == cohort.treatment_arm).to_numpy(int),
    )
    method = "Log-rank on the follow-up times of the patient table"
    return _Test(method, float(p_value), *_grounds(cohort, "followup_time", "Log-rank"))


def _ladder(cohort: Cohort) -> tuple[UnseenFollowup, ...]:
    """Return the assumptions about follow-up, if it was not seen."""
    seen = cohort.fields()["followup_time"]["provenance"] != "assumed"
    return () if seen else unseen_followup(cohort.deaths())


def _single(
    method: str,
    value: float | Fraction | tuple[int, int],
    claim: Claim,
    basis: str = "counts",
    convention: str = "",
) -> Derivation:
    """Hold one value against what is printed."""
    return Derivation(
        method=method,
        value=value if isinstance(value, int | tuple) else float(value),
        recomputed=rounding.print_like(value, claim["reported"]),
        reproduces=rounding.reproduces(value, claim["reported"]),
        basis=basis,
        convention=convention,
    )


def _worded(test: _Test, direction: int, claim: Claim, agreed: bool = True) -> Derivation:
    """Put a P-value into words, unless tests that it stands for do not agree."""
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
