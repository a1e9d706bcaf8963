"""What is found wrong or odd in a table: one cause, one sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from rdmas.paper.problems import Problem, shown

Level = Literal["error", "warning"]

#: From so many alike faults, if they are half of a column's cells, the column is at fault; from
#: the second number in any case, so that they leave room for others.
_ALIKE, _MANY = 5, 21


class Findings:
    """Problems of a table as they are found.

    Parameters
    ----------
    file : str
        Name of the file.
    sheet : str or None
        Name of the sheet of a workbook.
    header_row : int
        Number of the row with the names of the columns.
    """

    def __init__(self, file: str, sheet: str | None = None, header_row: int = 1) -> None:
        self.file, self.sheet, self.header_row = file, sheet, header_row
        self.columns: dict[str, str] = {}
        self._found: list[Problem] = []
        self._shared: set[str] = set()

    def add(
        self,
        rule: str,
        row: int | None = None,
        column: str | None = None,
        value: object = None,
        level: Level = "error",
        shared: bool = False,
    ) -> None:
        """Note a problem; `column` is ours, and is said as the table calls it.

        The first cell that breaks a `shared` rule stands for all, of other columns too.
        """
        if shared:
            self._shared.add(rule)
        name = None if column is None else self.columns.get(column, column)
        self._found.append(Problem(self.file, rule, row, name, self.sheet, value, level))

    def header(self, rule: str, column: str | None = None, level: Level = "error") -> None:
        """Note a problem of the header."""
        self.add(rule, self.header_row, column, level=level)

    def elsewhere(self, file: str, rule: str, level: Level = "error") -> None:
        """Note a problem of another file, such as the settings."""
        self._found.append(Problem(file, rule, level=level))

    def errors(self) -> bool:
        """Tell whether anything forbids to go on."""
        return any(problem.level == "error" for problem in self._found)

    @property
    def one_cause(self) -> bool:
        """Tell whether a fault was found from which others may follow."""
        return bool(self._shared)

    def listed(self, cells: int) -> list[Problem]:
        """Return the problems, errors first, of a table with so many rows.

        Where much of a column breaks the same rule, its first cell stands for all.
        """
        alike: dict[tuple, list[Problem]] = defaultdict(list)
        for problem in dict.fromkeys(self._found):
            column = None if problem.rule in self._shared else problem.column
            alike[column, problem.rule, problem.level].append(problem)
        told = []
        for (column, rule, _), group in alike.items():
            many = column is not None and len(group) >= max(_ALIKE, min(cells / 2, _MANY))
            told += [_for_all(group)] if rule in self._shared or many else group
        return sorted(told, key=lambda it: (it.level != "error", it.row or 0))


def _for_all(group: list[Problem]) -> Problem:
    """Let the first problem stand for all that are alike."""
    if len(group) == 1:
        return group[0]
    more = counted(len(group) - 1, "more row", "more rows")
    where = "of the column" if len({it.column for it in group}) == 1 else "and columns"
    return replace(group[0], rule=f"{group[0].rule} ({more} {where} alike)")


def counted(number: int, one: str, many: str) -> str:
    """Put a number before what it counts.

    Examples
    --------
    >>> counted(1, "dose is", "doses are"), counted(0, "dose is", "doses are")
    ('1 dose is', '0 doses are')
    """
    return f"{number:,} {one if number == 1 else many}"


def some(names: Iterable[object], limit: int = 5) -> str:
    """List names in quotes, a few of them.

    Examples
    --------
    >>> some(["a", "b"])
    "'a' and 'b'"
    >>> some("abcdefg", limit=3)
    "'a', 'b', 'c' and 4 more"
    """
    quoted = [f"'{shown(name)}'" for name in names]
    if len(quoted) > limit:
        return f"{', '.join(quoted[:limit])} and {len(quoted) - limit} more"
    return " and ".join(filter(None, [", ".join(quoted[:-1]), *quoted[-1:]]))
