"""The book in one file, made by the browser from the built site."""

import shutil

import pytest
from pypdf import PdfReader

from rdmas.site import pdf


@pytest.fixture(scope="module")
def made(site):
    if not (site / pdf.FILE).is_file():
        assert pdf.browser() is None
        pytest.skip("no Chromium made the file")
    return PdfReader(site / pdf.FILE)


def test_it_holds_every_chapter_with_bookmarks_and_numbered_pages(made):
    titles = [item.title for item in made.outline if not isinstance(item, list)]
    assert len(titles) > 15 and "How many survived" in " ".join(titles)
    last = made.pages[-1].extract_text()
    assert f"{len(made.pages)} of {len(made.pages)}" in last


def test_its_links_lead_within_it_or_out_of_the_book(made):
    within = 0
    for page in made.pages:
        for note in page.get("/Annots") or []:
            link = note.get_object()
            address = link.get("/A", {}).get("/URI", "")
            assert not address.startswith("file:"), address
            within += "/Dest" in link or link.get("/A", {}).get("/S") == "/GoTo"
    assert within > 100


def test_the_site_offers_it(site, made):
    page = (site / "book" / "survival.html").read_text(encoding="utf-8")
    assert f'href="../{pdf.FILE}"' in page and pdf.PLACE not in page


def test_without_a_browser_it_is_left_out_and_said_so(site, tmp_path, monkeypatch):
    monkeypatch.delenv("RDMAS_CHROMIUM", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "left out" in pdf.write(tmp_path)
    assert list(tmp_path.iterdir()) == []
