"""Which cohorts a reader means who names several, and what each is called."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from pathlib import Path

from rdmas.paper.register.locate import ENDINGS, OTHERS
from rdmas.rerun.plan import RECORD, RerunError

#: Names in the folder of all cohorts that no cohort may have.
TAKEN = ("index.html", "claims.json", "claims.schema.json", "cohorts.json", RECORD)


def is_many(patterns: Iterable[str | Path]) -> bool:
    """Tell whether what a reader names is several cohorts: more than one, or a pattern.

    Examples
    --------
    >>> is_many(["a", "b"]), is_many(["centres/*"]), is_many(["centre"])
    (True, True, False)
    """
    named = [str(pattern) for pattern in patterns]
    return len(named) > 1 or any(_is_pattern(pattern) for pattern in named)


def find_cohorts(patterns: Iterable[str | Path], out: str | Path) -> dict[str, Path]:
    """Find the registers that patterns such as ``centres/*`` stand for, and name each.

    Parameters
    ----------
    patterns : iterable of str or pathlib.Path
        Registers, or patterns for them as a shell takes them; a pattern that is itself a file
        or folder stands for it.
    out : str or pathlib.Path
        Folder of the results, which is no register even where a pattern stands for it.

    Returns
    -------
    dict of str to pathlib.Path
        Registers by name, in the order of the names: that of the folder, or of the file without
        its ending. A pattern stands for folders and tables alone, and not for the tables
        beside a register that hold no patients, nor for what begins with a full stop or, as a
        spreadsheet program's own files do, with ``~$``.

    Raises
    ------
    RerunError
        If a pattern stands for nothing, or two registers have one name.
    """
    place = os.path.realpath(out)
    found: dict[str, Path] = {}
    for pattern in map(str, patterns):
        # Unlike that of a Path, this one takes a pattern from the root.
        if _is_pattern(pattern):
            paths = map(Path, sorted(glob.glob(pattern)))  # noqa: PTH207
            registers = [path for path in paths if _may_be_register(path, place)]
        else:
            registers = [Path(pattern)]
        if not registers:
            raise RerunError(f"--data {pattern[:60]}: no table and no folder fits this pattern.")
        for path in registers:
            name = path.resolve().name if path.name in ("", "..") else path.name
            name = name if path.is_dir() else Path(name).stem
            same = next((known for known in found if known.casefold() == name.casefold()), name)
            if found.setdefault(same, path) != path:
                raise RerunError(
                    f"{found[same].name} and {path.name} would both be called {name[:60]!r}: "
                    "give each register a name of its own."
                )
            if name.casefold() in TAKEN or name.startswith(".") or not name.isprintable():
                raise RerunError(f"{name[:60]!r} cannot be the name of a cohort; choose another.")
    return dict(sorted(found.items()))


def _is_pattern(name: str) -> bool:
    """Tell whether a name stands for others, and is none itself."""
    return glob.has_magic(name) and not os.path.lexists(name)


def _may_be_register(path: Path, out: str) -> bool:
    """Tell whether what fits a pattern is a folder or a table of patients."""
    if path.name.startswith((".", "~$")) or os.path.realpath(path) == out:
        return False
    return path.is_dir() or (
        path.name.lower().endswith(ENDINGS) and path.stem.lower() not in OTHERS
    )
