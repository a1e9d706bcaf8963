"""List what no chapter, command or build reaches: ``python tests/unreached.py``.

A definition of the package is reached if its name is used in a chapter's code, in a door, in
code that runs on import, or in another definition that is reached. Names are compared and not
resolved, so that something unreached can hide behind a namesake, but nothing reached is listed.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "src" / "rdmas"
DOORS = (
    "cli.py",
    "site/__init__.py",
    "notebooks.py",
    "rerun/__init__.py",
    "rerun/bench.py",
    "rerun/worker.py",
    "selfcheck/bench.py",
)

#: Reached by nobody here, and meant for those who use the package as a library.
FRONT_DOORS = {"derive", "fragility_index"}

DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def names_in(*nodes: ast.AST) -> set[str]:
    """Return the names that code uses, those in strings of annotations left aside."""
    found = set()
    for node in nodes:
        for part in ast.walk(node):
            if isinstance(part, ast.Name):
                found.add(part.id)
            elif isinstance(part, ast.Attribute):
                found.add(part.attr)
            elif isinstance(part, ast.alias) and part.asname:
                found.add(part.name)
    return found


def definitions(module: ast.Module) -> Iterator[tuple[str, ast.stmt, set[str]]]:
    """Yield functions, classes and their public methods with the names that each uses."""
    for node in module.body:
        if not isinstance(node, DEFINITIONS):
            continue
        methods = [
            part
            for part in node.body
            if isinstance(part, ast.FunctionDef) and not part.name.startswith("_")
        ]
        if isinstance(node, ast.ClassDef):
            rest = [part for part in node.body if part not in methods]
            yield node.name, node, names_in(*rest, *node.bases, *node.decorator_list)
            for method in methods:
                yield method.name, method, names_in(method)
        else:
            yield node.name, node, names_in(node)


def unreached() -> list[str]:
    """Return ``file:line name`` of every definition that nobody reaches."""
    uses: dict[str, set[str]] = {}
    places: dict[str, list[str]] = {}
    reached = set(FRONT_DOORS)
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        where = path.relative_to(REPOSITORY).as_posix()
        if path.relative_to(PACKAGE).as_posix() in DOORS:
            reached |= names_in(module) | {name for name, _, _ in definitions(module)}
        for name, node, used in definitions(module):
            uses[name] = uses.get(name, set()) | used
            places.setdefault(name, []).append(f"{where}:{node.lineno} {name}")
        on_import = [
            node
            for node in module.body
            if not isinstance(node, (*DEFINITIONS, ast.Import, ast.ImportFrom))
        ]
        reached |= names_in(*on_import)
    for path in (REPOSITORY / "book").rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                reached |= names_in(ast.parse(cell.source))
    waiting = list(reached)
    while waiting:
        for name in uses.get(waiting.pop(), set()) - reached:
            reached.add(name)
            waiting.append(name)
    return [place for name in sorted(set(places) - reached) for place in places[name]]


if __name__ == "__main__":
    found = unreached()
    print("\n".join(f"{place} is reached by no chapter, command or build" for place in found))
    sys.exit(bool(found))
