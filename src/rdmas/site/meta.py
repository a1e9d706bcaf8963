"""What search engines, messengers and reference managers read of a page."""

from __future__ import annotations

import html
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

DESCRIPTION_LENGTH = 200


def description(body: str) -> str:
    """Return how a page begins, in plain text: its first paragraph that says something.

    Examples
    --------
    >>> description("<h1>T</h1><p><strong>The answer.</strong> Yes.</p>")
    'Yes.'
    """
    paragraphs = re.findall(r"<p>(.*?)</p>", body, re.DOTALL)
    texts = [" ".join(html.unescape(re.sub(r"<[^>]+>", "", p)).split()) for p in paragraphs]
    first = next((text for text in texts if len(text) > 3), "")
    first = re.sub(r"^The (answer|bottom line)\. ", "", first)
    if len(first) <= DESCRIPTION_LENGTH:
        return first
    return first[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0] + "…"


def draw_card(title: str, book: str, file: Path) -> None:
    """Draw the picture that messengers show of a page, 1200 by 630 pixels."""
    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="#fdfcfa")
    lines = textwrap.fill(title, 34, max_lines=4, placeholder="…")
    words: dict[str, Any] = {"transform": figure.transFigure, "color": "#22272e"}
    figure.text(0.06, 0.6, lines.replace("$", r"\$"), fontsize=46, va="center", **words)
    figure.text(0.06, 0.12, book.replace("$", r"\$"), fontsize=26, **words)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, bbox_inches=figure.bbox_inches, metadata={"Software": None})


def tags(
    title: str, body: str, site: str, address: str | None = None, card: str | None = None
) -> str:
    """Return the description of a page and its Open Graph card as tags of the head.

    Addresses, of the page and of its picture, are given only where that of the site is known.
    """
    said = description(body)
    pairs = [("og:title", title), ("og:description", said), ("og:site_name", site)]
    known = (("og:url", address), ("og:image", card))
    pairs += [("og:type", "article"), *((name, text) for name, text in known if text)]
    return "\n".join(
        [
            f'<meta name="description" content="{html.escape(said)}">',
            *(f'<meta property="{name}" content="{html.escape(text)}">' for name, text in pairs),
        ]
    )


def linked_data(title: str, papers: list[tuple[str, dict]], board: pd.DataFrame) -> str:
    """Return the companion and its verdicts as schema.org items, as a script of data."""
    item: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "name": title,
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "hasPart": [
            {
                "@type": "ClaimReview",
                "claimReviewed": f"{row['statement']}: {row['reported']}",
                "reviewRating": {"@type": "Rating", "alternateName": row["verdict"]},
            }
            for row in board.to_dict("records")
        ],
    }
    if papers:
        _, paper = papers[0]
        name, path = paper["title"], paper["path"]
        item["isBasedOn"] = {"@type": "ScholarlyArticle", "name": name, "url": path}
    # A text that ends a script would end this one.
    text = json.dumps(item, ensure_ascii=False).replace("</", "<\\/")
    return f'<script type="application/ld+json">{text}</script>'
