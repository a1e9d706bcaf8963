"""Sphinx extension: puts ``claims.json`` beside the site's index and checks the pages.

The scoreboard is computed afresh from the data when a build ends, and every chapter's page must
exist and show what was recomputed for its claims. A page left over from older data fails here.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import pandas as pd
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from rdmas.paper.claims import as_json, scoreboard

CLAIMS_FILE = "claims.json"


def page_faults(site_dir: str | Path, pages: list[str], board: pd.DataFrame) -> list[str]:
    """List what is missing from a built site.

    Parameters
    ----------
    site_dir : str or pathlib.Path
        The folder with ``index.html``.
    pages : list of str
        Every page of the book, as a path without its ending.
    board : pandas.DataFrame
        From `rdmas.paper.claims.scoreboard`.

    Returns
    -------
    list of str
        One sentence for each missing or empty page, and for each claim whose chapter does not
        show its statement with reported and recomputed value and verdict.
    """
    faults, texts = [], {}
    for page in pages:
        file = Path(site_dir) / f"{page}.html"
        text = _rows_of_text(file) if file.is_file() else ""
        if not text:
            faults.append(f"{page}.html is missing or empty.")
        texts[Path(page).name] = text
    for row in board.to_dict("records"):
        shown = " | ".join(
            [row["statement"], row["reported"], row["recomputed"] or "—", row["verdict"]]
        )
        if shown not in texts.get(row["chapter"], ""):
            faults.append(f"{row['chapter']}.html does not show {row['id']} as: {shown}")
    return faults


def setup(app: Sphinx) -> dict:
    """Register the extension with Sphinx."""
    app.connect("html-page-context", _without_thebe)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _without_thebe(app, pagename, templatename, context, doctree) -> None:
    """Leave out Thebe, which Jupyter Book adds to every page.

    It would load code from a third party to run cells in the page, which this book does not
    offer, and its settings are declared twice, which is an error in the browser's console.
    """
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in f"{script.filename} {script.attributes.get('body', '')}".lower()
    ]


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    board = scoreboard()
    (Path(app.outdir) / CLAIMS_FILE).write_text(as_json(board), encoding="utf-8")
    if faults := page_faults(app.outdir, sorted(app.env.found_docs), board):
        raise ExtensionError("the built pages are not complete:\n" + "\n".join(faults))


def _rows_of_text(file: Path) -> str:
    """Return a page's text with table cells separated by bars and other markup removed."""
    source = file.read_text(encoding="utf-8")
    source = re.sub(r"</td>\s*<td[^>]*>", " | ", source)
    return html.unescape(re.sub(r"<[^>]+>", "", source))
