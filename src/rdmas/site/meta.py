"""What search engines, messengers and reference managers read of a page."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pandas as pd

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


def tags(title: str, body: str, site: str, address: str | None) -> str:
    """Return the description of a page and its Open Graph card as tags of the head.

    The address of the page is given only where that of the site is known.
    """
    said = description(body)
    pairs = [("og:title", title), ("og:description", said), ("og:site_name", site)]
    pairs += [("og:type", "article"), *([("og:url", address)] if address else [])]
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
