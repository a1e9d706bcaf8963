"""Interface: the table of modules."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.show import tables


def show_modules(modules: pd.DataFrame, doors: str) -> HTML:
    """Show the modules of the package by room, top down, with what each uses.

    A name leads to the module's own page; modules of the room `doors` stand in no folder.
    """
    ordered = modules.sort_values("level", ascending=False, kind="stable")
    places = zip(ordered["room"], ordered["module"], strict=True)
    cells = ordered.assign(
        module=[
            tables.link(f"interface/{name if room == doors else f'{room}-{name}'}", name)
            for room, name in places
        ],
        uses=[", ".join(names) or "nothing" for names in ordered["imports"]],
    )
    headings = {"room": "Room", "module": "Module", "purpose": "Purpose", "uses": "Uses"}
    return tables.show(cells, "Modules and what they use", headings)
