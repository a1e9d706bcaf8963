"""Interface: the table of modules."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML

from rdmas.show import tables


def show_modules(modules: pd.DataFrame) -> HTML:
    """Show the modules of the package by room, top down, with what each uses."""
    uses = [", ".join(names) or "nothing" for names in modules["imports"]]
    return tables.show(
        modules.assign(uses=uses).sort_values("level", ascending=False, kind="stable"),
        "Modules and what they use",
        {"room": "Room", "module": "Module", "purpose": "Purpose", "uses": "Uses"},
    )
