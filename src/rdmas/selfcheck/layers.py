"""The package's own rooms and what they use, for the interface page."""

from __future__ import annotations

import importlib
import tomllib

import pandas as pd

from rdmas.paper.paths import companion_data_dir

ROOMS = ("stats", "paper", "show", "selfcheck")

#: The room of modules that stand in none.
DOORS = "doors"


def package_layers() -> pd.DataFrame:
    """List the modules of the package by room, with what they import.

    Returns
    -------
    pandas.DataFrame
        One row per module or subpackage of a room, with columns ``level`` (of the room, as
        declared for the import contract; 0 at the bottom), ``room``, ``module``, ``imports``
        (sorted list of modules, with their rooms) and ``purpose`` (first line of its docstring).

    Examples
    --------
    >>> modules = package_layers().set_index("module")
    >>> modules.loc["claims", "purpose"]
    'Every claim re-derived: verdicts and the scoreboard.'
    """
    import grimp  # part of the book's tools, not of the package's

    graph = grimp.build_graph("rdmas", cache_dir=None)
    modules: set[str] = set()
    levels = _declared_levels()
    for child in graph.find_children("rdmas"):
        # A door is one module, however many files it has.
        is_room = child.rpartition(".")[2] in ROOMS
        members = graph.find_children(child) if is_room else {child}
        modules |= members
        for member in members:
            graph.squash_module(member)
    rows = []
    for module in modules:
        _, top, *below = module.split(".")
        imports = graph.find_modules_directly_imported_by(module) & modules - {module}
        rows.append(
            {
                "level": levels[top],
                "room": top if below else DOORS,
                "module": module.rpartition(".")[2],
                "imports": sorted(name.removeprefix("rdmas.") for name in imports),
                "purpose": _first_line(module),
            }
        )
    return pd.DataFrame(rows).sort_values(["level", "room", "module"], ignore_index=True)


def _declared_levels() -> dict[str, int]:
    """Return the level of each room from the contract that imports are held against."""
    project = companion_data_dir().parent / "pyproject.toml"
    settings = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["importlinter"]
    (contract,) = settings["contracts"]
    return {
        name.strip().removeprefix("rdmas."): level
        for level, names in enumerate(reversed(contract["layers"]))
        for name in names.split("|")
    }


def _first_line(module: str) -> str:
    """Return the first line of a module's docstring."""
    docstring = importlib.import_module(module).__doc__ or ""
    return docstring.strip().partition("\n")[0].replace("``", "")
