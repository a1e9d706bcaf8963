"""What explorers need on a site: the library that draws them, and their colours on dark pages."""

from __future__ import annotations

from pathlib import Path

import vl_convert

from rdmas.show.figures import ON_DARK

#: Marks a page that needs the files of this module.
MARK = '<figure class="explorer"'

LIBRARY_FILE = "vega.js"
DARK_FILE = "explorers-dark.css"


def library() -> str:
    """Return Vega, Vega-Lite and what embeds them, as one script without further needs."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


def dark_rules() -> str:
    """Return what the colours of charts become on dark pages; they were drawn for light ones.

    Examples
    --------
    >>> print(dark_rules().splitlines()[0])
    .explorer svg [fill="#0072B2" i] { fill: #4AA8E8; }
    """
    return "".join(
        f'.explorer svg [{kind}="{light}" i] {{ {kind}: {dark}; }}\n'
        for light, dark in ON_DARK.items()
        for kind in ("fill", "stroke")
    )


def write(static: Path) -> None:
    """Write both files into the folder of static files, the library once."""
    (static / DARK_FILE).write_text(dark_rules(), encoding="utf-8")
    if not (static / LIBRARY_FILE).is_file():
        (static / LIBRARY_FILE).write_text(library(), encoding="utf-8")
