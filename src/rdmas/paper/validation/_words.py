"""Words that the sentences about faults share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from rdmas.paper.problems import Problem, shown

#: Column and rule of a fault in a row.
Fault = tuple[str, str]

#: So many rows may break one rule before one sentence stands for all of them.
_ALIKE = 3


def one_of(values: Collection[Any]) -> str:
    """List values with "or" before the last."""
    *others, last = map(shown, values) if values else ["nothing"]
    return f"{', '.join(others)} or {last}" if others else last


def several(values: Collection[Any]) -> str:
    """List values with "and" before the last."""
    *others, last = map(shown, values) if values else ["nothing"]
    return f"{', '.join(others)} and {last}" if others else last


def quoted(value: object) -> str:
    """Return a value in quotes, shortened."""
    return f"'{shown(value)}'"


def folded(problems: Iterable[Problem]) -> list[Problem]:
    """Let the first of many problems that say the same of one column stand for all."""
    alike: dict[tuple, list[Problem]] = defaultdict(list)
    for problem in dict.fromkeys(problems):
        alike[problem.file, problem.column, problem.rule].append(problem)
    told = []
    for group in alike.values():
        first = group[0]
        if len(group) > _ALIKE:
            more = f"{first.rule} (so in {len(group) - 1} more rows)"
            group = [replace(first, rule=more)]
        told += group
    return sorted(told, key=lambda problem: problem.row or 0)
