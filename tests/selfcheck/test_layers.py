"""Tests of rdmas.selfcheck.layers.

Oracle: the import statements of the package, read here with ast.
"""

import ast
import importlib
from pathlib import Path

import pytest

import rdmas
from rdmas.selfcheck.layers import package_layers

SOURCE = Path(rdmas.__file__).parent


@pytest.fixture(scope="module")
def layers():
    return package_layers().set_index("module")


def imported_by(module):
    """Top-level modules of the package that a module or subpackage imports, by its source."""
    path = SOURCE / module
    files = path.glob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            found |= {name.split(".")[1] for name in names if name.startswith("rdmas.")}
    return sorted(found - {module})


def test_every_module_and_subpackage_is_listed_once(layers):
    expected = {path.stem for path in SOURCE.glob("*.py")} - {"__init__"}
    expected |= {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert layers.index.is_unique
    assert set(layers.index) == expected


def test_imports_are_those_of_the_source(layers):
    assert layers["imports"].to_dict() == {module: imported_by(module) for module in layers.index}


def test_each_module_stands_one_layer_above_the_highest_it_imports(layers):
    for module, row in layers.iterrows():
        highest = max((layers.loc[target, "layer"] for target in row["imports"]), default=-1)
        assert row["layer"] == highest + 1, module


def test_rounding_and_paths_are_at_the_bottom_and_cohort_above_them(layers):
    assert layers.loc[["rounding", "paths"], "layer"].tolist() == [0, 0]
    assert layers.loc["cohort", "layer"] == 1
    assert layers.loc["reconstruct", "layer"] == 2


def test_purpose_is_the_first_line_of_the_docstring(layers):
    for module, row in layers.iterrows():
        docstring = importlib.import_module(f"rdmas.{module}").__doc__
        assert row["purpose"] == docstring.strip().splitlines()[0].replace("``", "")
        assert row["purpose"]
