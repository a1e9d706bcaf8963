"""Whether published cohorts, and the percentages they printed, fit together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from rdmas.paper.descriptor import DESCRIPTOR
from rdmas.paper.package import EVIDENCE, DataPackage
from rdmas.paper.problems import Problem
from rdmas.paper.validation._words import Fault, folded, quoted
from rdmas.stats import rounding


def evidence_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield what ties several cells of the published cohorts together and does not hold."""
    present = [name for name in EVIDENCE if name in package.files]
    if len(present) == 1:
        (missing,) = set(EVIDENCE) - set(present)
        if package.stated:
            yield Problem(DESCRIPTOR, f"declares {present[0]} without {missing}; both or neither")
        else:
            rule = f"needs {missing}.csv beside it; both or neither"
            yield Problem(package.files[present[0]], rule)
    if len(present) < len(EVIDENCE):
        return
    yield from folded(_cohort_problems(package))
    yield from folded(_printed_problems(package))


def _cohort_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield what is wrong with the published cohorts."""
    cohorts_name, percentages_name = EVIDENCE
    file, cohorts = package.files[cohorts_name], package.numbered(cohorts_name)
    if not any((it["outcome"], it["role"]) == ("mortality", "primary") for _, it in cohorts):
        rule = "has no row of outcome mortality and role primary, which are those that are pooled"
        yield Problem(file, rule)
    groups = Counter(group for _, study in cohorts for group in study["overlap_group"].split(";"))
    listed = {line["study_id"] for line in package.rows(percentages_name)}
    for row, study in cohorts:
        for column, rule in _study_faults(study, groups):
            yield Problem(file, rule, row, column)
        if study["percent_reported"] and study["study_id"] not in listed:
            printed = package.files[percentages_name]
            rule = f"{quoted(study['percent_reported'])} has no row in {printed}"
            yield Problem(file, rule, row, "percent_reported")


def _printed_problems(package: DataPackage) -> Iterator[Problem]:
    """Yield what is wrong with the percentages that the cohorts printed."""
    cohorts_name, percentages_name = EVIDENCE
    by_id = {study["study_id"]: study for study in package.rows(cohorts_name)}
    for row, line in package.numbered(percentages_name):
        for column, rule in _percentage_faults(line, by_id.get(line["study_id"])):
            yield Problem(package.files[percentages_name], rule, row, column)


def _study_faults(study: dict[str, str], groups: Mapping[str, int]) -> Iterator[Fault]:
    """Yield what is wrong with one published cohort; `groups` counts the rows that name each."""
    for column, what in (("events", "events"), ("refractory_n", "refractory patients")):
        if study[column] and int(study[column]) > int(study["n"]):
            rule = f"{study[column]} {what} are more than the {study['n']} patients beside them"
            yield column, rule
    for group in filter(None, study["overlap_group"].split(";")):
        if groups[group] == 1:
            yield "overlap_group", f"no other row names the group {quoted(group)}"
    for column, decided_by, kinds in (
        ("horizon_days", "horizon_kind", ("days", "mean follow-up")),
        ("disease_name", "disease", ("other",)),
    ):
        kind = study[decided_by]
        if (kind in kinds) != bool(study[column]):
            must = "needs a value" if kind in kinds else "must be empty"
            yield column, f"{must} where {decided_by} is {quoted(kind)}"


def _percentage_faults(line: dict[str, str], study: dict[str, str] | None) -> Iterator[Fault]:
    """Yield what is wrong with one percentage of a published cohort."""
    if study is None:
        yield "study_id", f"{quoted(line['study_id'])} is not a row of the published cohorts"
        return
    try:
        printed = rounding.parse(line["reported"])
        if printed.unit != "%" or not 0 <= printed.number <= 100:
            yield "reported", f"{quoted(line['reported'])} is not a percentage"
    except ValueError:
        yield "reported", f"{quoted(line['reported'])} is not a printed percentage"
    numerator, denominator, n = int(line["numerator"]), int(line["denominator"]), int(study["n"])
    if numerator > denominator:
        yield "numerator", f"{numerator} is more than the denominator {denominator}"
    if denominator > n:
        yield "denominator", f"{denominator} is more than the {n} patients of the study"
    events = int(study["events"])
    whole = {"event": events, "no event": n - events}[line["counted"]]
    if denominator == n and numerator != whole:
        yield "numerator", f"{numerator} differs from {whole} in the published cohorts"
