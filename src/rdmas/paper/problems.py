"""What is wrong with a reader's files: one sentence for each fault, safe for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Problem:
    """One fault of a data folder or of a register.

    Attributes
    ----------
    file : str
        Name of the file in the data folder.
    rule : str
        What is wrong and what would be right, without a full stop.
    row : int or None
        Row in the file, counting the header as row 1.
    column : str or None
        Name of the column.
    sheet : str or None
        Name of the sheet of a workbook.
    value : object
        What stands there; None if there is nothing to show. It may be a patient's: for the
        terminal only.
    level : {"error", "warning"}
        A warning is suspicious and possible.
    """

    file: str
    rule: str
    row: int | None = None
    column: str | None = None
    sheet: str | None = None
    value: object = None
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """Return one sentence: file, sheet, row, column, value and rule."""
        places = {"sheet": self.sheet, "row": self.row, "column": self.column}
        where = [f", {what} {shown(it)}" for what, it in places.items() if it is not None]
        value = "" if self.value is None else f"'{shown(self.value)}': "
        return f"{shown(self.file)}{''.join(where)}: {value}{self.rule}."


def shown(value: object, limit: int = 60) -> str:
    r"""Return a value for a terminal: on one line, shortened, nothing invisible in it.

    Examples
    --------
    >>> shown("a\u200bb\n")
    'a\\u200bb\\n'
    >>> len(shown("x" * 1_000_000))
    60
    """
    text = value if isinstance(value, str) else str(value)
    kept = "".join(
        letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[: limit + 1]
    )
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"


class CohortError(ValueError):
    """A data folder that cannot be used; says why, one sentence for each fault.

    Attributes
    ----------
    problems : tuple of Problem
    """

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__(listed(problems))

    def __reduce__(self) -> tuple[type[CohortError], tuple[Problem, ...]]:
        """Pass from one process to another with the problems."""
        return type(self), self.problems


def listed(problems: Sequence[Problem], limit: int = 50) -> str:
    """Return a line for each problem, errors before warnings, and how many were left out.

    Examples
    --------
    >>> print(listed([Problem("a.csv", f"fault {i}") for i in range(3)], limit=2))
    a.csv: fault 0.
    a.csv: fault 1.
    and 1 more.
    """
    ordered = sorted(problems, key=lambda problem: problem.level != "error")
    lines = [
        f"{'warning: ' if problem.level == 'warning' else ''}{problem}"
        for problem in ordered[:limit]
    ]
    more = [f"and {len(ordered) - limit} more."] if len(ordered) > limit else []
    return "\n".join(lines + more)
