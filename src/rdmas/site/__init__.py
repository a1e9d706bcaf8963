"""Sphinx extension: links the paper, puts ``claims.json`` beside the index, checks the pages.

Below the title of every chapter stands a link to the paper, as the data package names it; the
first page ends with the records related to it.

The scoreboard is computed afresh from the data when a build ends, and every chapter's page must
exist and show what was recomputed for its claims. A page left over from older data fails here.

Which data, ``rdmas_data`` says in the configuration, with ``rdmas_mask_below`` and
``rdmas_encoding`` as in `rdmas.paper.cohort.load_cohort`; by default they are the companion's.
``rdmas_tables`` says whether their tables can be downloaded from the site.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pandas as pd
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from rdmas.paper.claims import as_json, json_schema, scoreboard
from rdmas.paper.cohort import Cohort, load_cohort
from rdmas.paper.paths import companion_data_dir
from rdmas.site import explorers, math, meta, pictures, stamp

CLAIMS_FILE = "claims.json"
SCHEMA_FILE = "claims.schema.json"


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
    app.add_config_value("rdmas_data", "", "env")
    app.add_config_value("rdmas_mask_below", 0, "env")
    app.add_config_value("rdmas_encoding", "", "env")
    app.add_config_value("rdmas_tables", True, "env")
    app.add_html_theme("rdmas", str(Path(__file__).parent / "theme"))
    app.add_html_math_renderer("mathml", (math.visit_inline, None), (math.visit_block, None))
    if app.config.html_baseurl:
        app.setup_extension("sphinx_sitemap")
        app.config.sitemap_url_scheme = "{link}"
    app.connect("doctree-read", _link_paper)
    app.connect("html-page-context", _add_context)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def records(descriptor: dict) -> list[tuple[str, dict]]:
    """List the paper and the records related to it, each with what it is.

    Parameters
    ----------
    descriptor : dict
        The content of ``datapackage.json``.

    Returns
    -------
    list of (str, dict)
        What the record is, and its ``title`` and ``path``. The paper comes first; a package
        that names no source has none.

    Examples
    --------
    >>> records({"sources": [{"title": "A 2025", "path": "https://doi.org/10.1/x"}]})
    [('The paper', {'title': 'A 2025', 'path': 'https://doi.org/10.1/x'})]
    """
    papers = [("The paper", source) for source in descriptor.get("sources", [])[:1]]
    related = descriptor.get("companion", {}).get("related", [])
    return papers + [("Related, not read in full", record) for record in related]


def _link_paper(app: Sphinx, doctree: nodes.document) -> None:
    """Link the paper below the title of a chapter; at the end of the first page what is related."""
    page = app.env.docname
    if not app.env.doc2path(page).endswith(".ipynb"):
        return
    papers = records(_cohort(app).descriptor)
    if not papers:
        return
    title = next(doctree.findall(nodes.title))
    for what, paper in papers[:1]:
        first = page == app.config.root_doc
        name = paper["title"] if first else re.sub(r"^https://doi\.org/", "doi:", paper["path"])
        title.parent.insert(title.parent.index(title) + 1, _line(what, name, paper["path"]))
    if page == app.config.root_doc:
        title.parent += [_line(what, paper["title"], paper["path"]) for what, paper in papers[1:]]


def _cohort(app: Sphinx) -> Cohort:
    """Return the cohort that the site is about; it is read once."""
    kept = vars(app)  # not the environment, which Sphinx writes to a file
    if "rdmas_cohort" not in kept:
        data, encoding = app.config.rdmas_data, app.config.rdmas_encoding
        kept["rdmas_cohort"] = load_cohort(
            data or companion_data_dir(), app.config.rdmas_mask_below, encoding or None
        )
    return kept["rdmas_cohort"]


def _board(app: Sphinx) -> pd.DataFrame:
    """Return the scoreboard of that cohort; it is derived once."""
    kept = vars(app)
    if "rdmas_board" not in kept:
        kept["rdmas_board"] = scoreboard(_cohort(app))
    return kept["rdmas_board"]


def _publishes_tables(app: Sphinx) -> bool:
    """Tell whether tables can be downloaded: never those of patients' records."""
    return app.config.rdmas_tables and not _cohort(app).is_register


def _line(what: str, name: str, address: str) -> nodes.paragraph:
    """Return a line that says what a record is and links it."""
    line = nodes.paragraph("", f"{what}: ", classes=["rdmas-paper"])
    line += nodes.reference("", name, refuri=address, internal=False)
    return line


#: Roles that browsers no longer know or that miss what they need, and what keyboards need.
_MENDED = (
    (' role="doc-biblioentry"', ""),
    (' role="list" class="citation-list"', ' class="citation-list"'),
    ('<div class="highlight"><pre>', '<div class="highlight"><pre tabindex="0">'),
)


def _add_context(app, pagename, templatename, context, doctree) -> None:
    """Tell the theme what it cannot see: whether a page has code, and where the paper is."""
    for wrong, right in _MENDED:
        context["body"] = context.get("body", "").replace(wrong, right)
    context["page_has_code"] = doctree is not None and any(
        "cell_input" in node["classes"] for node in doctree.findall(nodes.container)
    )
    context["page_has_explorer"] = explorers.MARK in context["body"]
    cohort = _cohort(app)
    papers = records(cohort.descriptor)
    context["paper_url"] = papers[0][1]["path"] if papers else ""
    title = re.sub(r"<[^>]+>", "", context.get("title", ""))
    book = app.config.html_title
    address, card = context.get("pageurl"), None
    if app.config.html_baseurl and doctree is not None:
        picture = f"_images/cards/{pagename.replace('/', '-')}.png"
        meta.draw_card(title, book, Path(app.outdir) / picture)
        card = f"{app.config.html_baseurl.rstrip('/')}/{picture}"
    tags = meta.tags(title, context["body"], book, address, card)
    if pagename == app.config.root_doc and not cohort.is_register:
        tags += meta.linked_data(book, papers, _board(app))
    context["metatags"] = context.get("metatags", "") + tags
    folder = cohort.data_dir if _publishes_tables(app) else None
    has_notebook = app.env.doc2path(pagename).endswith(".ipynb")
    root = context["content_root"]
    repository = context.get("theme_repository_url", "")
    context["stamp"] = stamp.stamp(pagename, folder, root, has_notebook, repository)


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    for picture in (Path(app.outdir) / "_images").glob("*.svg"):
        drawn = picture.read_text(encoding="utf-8")
        picture.write_text(pictures.with_colours_for_dark(drawn), encoding="utf-8")
    if any(explorers.MARK in page.read_text("utf-8") for page in Path(app.outdir).rglob("*.html")):
        explorers.write(Path(app.outdir) / "_static")
    cohort = _cohort(app)
    if _publishes_tables(app):
        root = Path(app.env.doc2path(app.config.root_doc))
        stamp.publish(Path(app.outdir), root.parent, cohort.data_dir)
    board = _board(app)
    (Path(app.outdir) / CLAIMS_FILE).write_text(as_json(board), encoding="utf-8")
    schema = json.dumps(json_schema(), indent=1) + "\n"
    (Path(app.outdir) / SCHEMA_FILE).write_text(schema, encoding="utf-8")
    # A register is set beside published numbers in tables of its own.
    shown = board.iloc[:0] if cohort.is_register else board
    if faults := page_faults(app.outdir, sorted(app.env.found_docs), shown):
        raise ExtensionError("the built pages are not complete:\n" + "\n".join(faults))


def _rows_of_text(file: Path) -> str:
    """Return a page's text with table cells separated by bars and other markup removed."""
    source = file.read_text(encoding="utf-8")
    source = re.sub(r"</td>\s*<td[^>]*>", " | ", source)
    return html.unescape(re.sub(r"<[^>]+>", "", source))
