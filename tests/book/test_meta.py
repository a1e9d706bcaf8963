"""What pages tell search engines and carry at their foot."""

import json
import re
from pathlib import Path

import pandas as pd
from bs4 import BeautifulSoup
from conftest import CHAPTERS, REPOSITORY
from PIL import Image

from rdmas.site import meta, stamp


def page_of(site, name):
    return BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


def test_every_chapter_describes_itself_by_its_answer(site):
    seen = set()
    for chapter in CHAPTERS:
        head = page_of(site, f"book/{chapter.stem}").head
        said = head.find("meta", {"name": "description"})["content"]
        assert 40 < len(said) <= meta.DESCRIPTION_LENGTH + 1 and "{" not in said
        assert head.find("meta", {"property": "og:description"})["content"] == said
        seen.add(said)
    assert len(seen) == len(CHAPTERS)


def test_no_address_is_invented_while_the_sites_own_is_not_set(site):
    for chapter in CHAPTERS:
        head = page_of(site, f"book/{chapter.stem}").head
        assert not head.find("link", rel="canonical") and not head.find(property="og:url")
    assert not (site / "sitemap.xml").exists()


def test_the_first_page_carries_the_verdicts_as_linked_data(site):
    text = page_of(site, "book/index").find("script", type="application/ld+json").string
    item = json.loads(text)
    assert item["isBasedOn"]["url"].startswith("https://doi.org/10.")
    board = json.loads((site / "claims.json").read_text(encoding="utf-8"))
    verdicts = [part["reviewRating"]["alternateName"] for part in item["hasPart"]]
    assert verdicts == [claim["verdict"] for claim in board]


def test_a_script_cannot_be_ended_by_a_text():
    board = pd.DataFrame([{"statement": "</script>", "reported": "1", "verdict": "consistent"}])
    assert meta.linked_data("t", [], board).count("</script>") == 1


def test_every_chapter_says_what_it_was_made_from_and_leads_to_it(site):
    for chapter in CHAPTERS:
        foot = page_of(site, f"book/{chapter.stem}").footer
        assert stamp.data_hash(REPOSITORY / "data") in foot.text
        assert re.search(r"made \d{4}-\d\d-\d\d", foot.text)
        for link in foot.find_all("a"):
            assert (site / "book" / link["href"]).exists(), link


def test_the_day_can_be_fixed(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert stamp.made_on() == "1970-01-02"


def test_another_table_is_another_hash(data_copy):
    before = stamp.data_hash(data_copy)
    path = Path(data_copy) / "patients.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("0", "1", 1), encoding="utf-8")
    assert stamp.data_hash(data_copy) != before


def test_a_site_with_an_address_has_cards_and_canonical_addresses(tmp_path):
    file = tmp_path / "cards" / "cmv.png"
    meta.draw_card("How often was $ cytomegalovirus found?", "A companion", file)
    assert Image.open(file).size == (1200, 630)
    head = meta.tags("T", "<p>Some words.</p>", "S", "https://x.org/a.html", "https://x.org/a.png")
    assert 'property="og:url" content="https://x.org/a.html"' in head
    assert 'property="og:image" content="https://x.org/a.png"' in head
