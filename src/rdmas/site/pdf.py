"""The chapters in one file to print or keep: ``python -m rdmas.site.pdf SITE``.

A browser makes it, from the pages of the built site, with bookmarks, page numbers and links that
lead within the file. Where there is no browser it is left out, and said so.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

FILE = "companion.pdf"

#: Where the foot of a page offers the file, once it is there.
PLACE = "<!-- pdf -->"

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_NUMBERS = (
    '<div style="font: 8pt sans-serif; width: 100%; text-align: center">'
    '<span class="pageNumber"></span> of <span class="totalPages"></span></div>'
)


def browser() -> str | None:
    """Return the Chromium to use: that of RDMAS_CHROMIUM, or the first on the path."""
    named = os.environ.get("RDMAS_CHROMIUM")
    return named or next(filter(None, map(shutil.which, BROWSERS)), None)


def whole_book(site: Path) -> tuple[Path, str]:
    """Return the chapters as one page, in the order of the contents, and the folder it is for.

    Parts of a chapter are named after it, so that every link still finds its own.
    """
    first = BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")
    forward = str(first.select("meta[http-equiv=Refresh]")[0]["content"])
    root = site / forward.partition("url=")[2]
    soup = BeautifulSoup(root.read_text(encoding="utf-8"), "html.parser")
    links = [str(link["href"]) for link in soup.select("nav.contents .toctree-l1 > a")]
    names = [root.name, *(link for link in links if link != "#" and "/" not in link)]
    articles = [_article(root.parent / name, names) for name in dict.fromkeys(names)]
    sheets = "".join(map(str, soup.find_all("link", rel="stylesheet")))
    return root.parent, (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{soup.title}{sheets}</head>'
        f"<body><main>{''.join(articles)}</main></body></html>"
    )


def _article(file: Path, names: list[str]) -> str:
    """Return the text of a page with its links and their targets renamed."""
    page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
    article = page.select("article")[0]
    for part in article.find_all(id=True):
        part["id"] = f"{file.stem}--{part['id']}"
    for link in article.find_all("a", href=True):
        to, _, target = str(link["href"]).partition("#")
        if not to or to in names:
            stem = Path(to).stem or file.stem
            link["href"] = f"#{stem}--{target}" if target else f"#{stem}"
        elif "://" not in to:
            del link["href"]
    text = article.decode_contents()
    return f'<section id="{file.stem}" style="break-before: page">{text}</section>'


def write(site: Path) -> str:
    """Write the file into the site and offer it on every page; return what was done."""
    chromium = browser()
    if chromium is None:
        return f"{FILE} is left out: there is no Chromium to make it."
    folder, text = whole_book(site)
    whole = folder / ".whole.html"
    whole.write_text(text, encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            # Chromium's own sandbox does not start for root; the pages are ours.
            running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = running.new_page()
            page.goto(whole.resolve().as_uri(), wait_until="load")
            page.pdf(
                path=site / FILE,
                format="A4",
                margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"},
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=_NUMBERS,
                outline=True,
                tagged=True,
            )
            running.close()
    finally:
        whole.unlink()
    for file in site.rglob("*.html"):
        source = file.read_text(encoding="utf-8")
        way = "../" * (len(file.relative_to(site).parts) - 1)
        offered = source.replace(PLACE, f' · <a href="{way}{FILE}">PDF</a>')
        file.write_text(offered, encoding="utf-8")
    return f"{FILE} is made."


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
