"""The package's own import graph, for the interface page."""

from __future__ import annotations

import importlib
from functools import cache

import pandas as pd


def package_layers() -> pd.DataFrame:
    """List the modules of the package with what they import, by layer.

    Returns
    -------
    pandas.DataFrame
        One row per module or subpackage, with columns ``module``, ``layer`` (0 imports no
        other module of the package; every other one stands a layer above the highest it
        imports), ``imports`` (sorted list) and ``purpose`` (first line of its docstring).

    Examples
    --------
    >>> package_layers().query("module == 'rounding'")["layer"].tolist()
    [0]
    """
    import grimp  # part of the book's tools, not of the package's

    graph = grimp.build_graph("rdmas", cache_dir=None)
    modules = sorted(graph.find_children("rdmas"))
    for module in modules:
        graph.squash_module(module)
    imports = {
        module: sorted(graph.find_modules_directly_imported_by(module) - {"rdmas", module})
        for module in modules
    }

    @cache
    def layer(module: str) -> int:
        return 1 + max((layer(target) for target in imports[module]), default=-1)

    return pd.DataFrame(
        [
            {
                "module": module.removeprefix("rdmas."),
                "layer": layer(module),
                "imports": [target.removeprefix("rdmas.") for target in imports[module]],
                "purpose": _first_line(importlib.import_module(module).__doc__),
            }
            for module in modules
        ]
    )


def _first_line(docstring: str) -> str:
    return docstring.strip().splitlines()[0].replace("``", "")
