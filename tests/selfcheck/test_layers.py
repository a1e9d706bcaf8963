"""Tests of rdmas.selfcheck.layers.

Oracle: the import statements of the package, read here with ast.
"""

import ast
import importlib
from pathlib import Path

import pytest

import rdmas
from rdmas.selfcheck.layers import DOORS, ROOMS, package_layers

SOURCE = Path(rdmas.__file__).parent


@pytest.fixture(scope="module")
def layers():
    frame = package_layers()
    rooms = frame["room"].where(frame["room"] != DOORS, "")
    return frame.set_index((rooms + "." + frame["module"]).str.removeprefix("."))


def place(name):
    """Return where a name that is imported from the package stands, as room and module."""
    parts = name.removeprefix("rdmas.").split(".")
    return ".".join(parts[:2] if parts[0] in ROOMS else parts[:1])


def imported_by(module):
    """Modules of the package that a module or subpackage imports, by its source."""
    path = SOURCE / module.replace(".", "/")
    files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            found |= {place(name) for name in names if name.startswith("rdmas.")}
    return sorted(found - {module})


def test_every_module_and_subpackage_is_listed_once_in_its_room(layers):
    packages = [path.parent for path in SOURCE.glob("*/__init__.py")]
    expected = {path.stem for path in SOURCE.glob("*.py")} - {"__init__"}
    expected |= {door.name for door in packages if door.name not in ROOMS}
    for room in (package for package in packages if package.name in ROOMS):
        expected |= {f"{room.name}.{path.stem}" for path in room.glob("*.py")}
        expected |= {f"{room.name}.{path.parent.name}" for path in room.glob("*/__init__.py")}
    assert layers.index.is_unique
    assert set(layers.index) == {name for name in expected if not name.endswith("__init__")}
    assert set(layers["room"]) == {*ROOMS, DOORS}


def test_imports_are_those_of_the_source(layers):
    assert layers["imports"].to_dict() == {module: imported_by(module) for module in layers.index}


def test_no_room_uses_one_on_its_level_or_above(layers):
    for module, row in layers.iterrows():
        for target in layers.loc[row["imports"]].itertuples():
            assert target.room == row["room"] or target.level < row["level"], module


def test_purpose_is_the_first_line_of_the_docstring(layers):
    for module, row in layers.iterrows():
        docstring = importlib.import_module(f"rdmas.{module}").__doc__
        assert row["purpose"] == docstring.strip().splitlines()[0].replace("``", "")
        assert row["purpose"]
