"""Compare the text of two built sites: ``python tests/compare_pages.py BEFORE AFTER``.

Prose, tables and captions are compared block by block (paragraph, list item, heading, table row,
caption), wherever they stand, so that text that moved to another page is no difference. Code,
paths of modules, the interface pages and the colophon are left out. Ends with status 1 if
anything differs.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from bs4 import BeautifulSoup

BLOCKS = ["p", "li", "h1", "h2", "h3", "h4", "figcaption", "tr", "dt", "dd"]
LEFT_OUT = re.compile(r"book/(reference|interface|colophon)|genindex|search|py-modindex")


def blocks(page: Path) -> list[str]:
    """Return the blocks of text of one page, in order, outer blocks without inner ones."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    article = soup.find("article")
    if article is None:
        return []
    for noise in article.select(
        "script, style, summary, .cell_input, .headerlink, .prev-next-area, .toctree-wrapper"
    ):
        noise.decompose()
    found = []
    for block in reversed(article.find_all(BLOCKS)):
        cells = block.find_all(["td", "th"]) if block.name == "tr" else []
        text = " | ".join(cell.get_text(" ") for cell in cells) or block.get_text(" ")
        text = re.sub(r"rdmas(\.\w+)+", "rdmas", text)
        text = re.sub(r"\s+", " ", text).strip()
        found.append(re.sub(r" ([.,;:)%])|(\() ", r"\1\2", text))
        block.decompose()
    return [text for text in reversed(found) if text]


def site_text(site: Path) -> dict[str, list[str]]:
    """Return, for each block of text of a site, the pages on which it stands."""
    where: dict[str, list[str]] = {}
    for page in sorted(site.rglob("*.html")):
        name = page.relative_to(site).as_posix()
        if not LEFT_OUT.search(name):
            for text in blocks(page):
                where.setdefault(text, []).append(name)
    return where


def differences(before: Path, after: Path) -> list[str]:
    """List blocks of text that one of two sites has more often than the other."""
    sites = {"-": site_text(before), "+": site_text(after)}
    counted = {
        sign: Counter({text: len(pages) for text, pages in site.items()})
        for sign, site in sites.items()
    }
    only = {"-": counted["-"] - counted["+"], "+": counted["+"] - counted["-"]}
    lines = [
        f"{sign} {sites[sign][text][0]}: {text}" for sign in "-+" for text in sorted(only[sign])
    ]
    return sorted(lines, key=lambda line: line.split(" ")[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare the text of two built sites.")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    arguments = parser.parse_args()
    found = differences(arguments.before, arguments.after)
    print("\n".join(found) or "the same text")
    sys.exit(bool(found))
