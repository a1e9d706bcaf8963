"""``make book`` in a fresh copy: complete, quick when nothing changed, never stale."""

import json
import re
import shutil

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import CHAPTERS, REPOSITORY, make

from rdmas.paper import claims
from rdmas.paper.cohort import load_cohort
from rdmas.site import page_faults, records

CONTENTS = yaml.safe_load((REPOSITORY / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [CONTENTS["root"]] + [
    page["file"]
    for part in CONTENTS["parts"]
    for chapter in part["chapters"]
    for page in [chapter, *chapter.get("sections", [])]
]


@pytest.fixture
def another(built, tmp_path):
    """A copy of the repository and of its built site that a test may change."""
    caches = (".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__")
    unwanted = shutil.ignore_patterns(".git", ".venv", *caches)
    return shutil.copytree(built[0], tmp_path / "companion", symlinks=True, ignore=unwanted)


def text_of(folder, page):
    source = (folder / "_build" / "html" / f"{page}.html").read_text(encoding="utf-8")
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", source))


def test_make_book_ends_with_the_scoreboard_and_the_path_of_the_index(built):
    folder, printed = built
    tail = printed.splitlines()[-30:]
    assert tail[-1] == f"Site: {folder}/_build/html/index.html"
    assert any(line.startswith("survival_p_value") for line in tail)


def test_every_page_exists_and_shows_its_claims(site):
    assert page_faults(site, PAGES, claims.scoreboard()) == []


def test_the_page_check_can_fail(site, tmp_path):
    broken = shutil.copytree(site, tmp_path / "html")
    (broken / "book" / "cmv.html").write_text("", encoding="utf-8")
    page = broken / "book" / "dose.html"
    page.write_text(page.read_text(encoding="utf-8").replace("0.5 mg/kg", "0.6 mg/kg"), "utf-8")
    faults = page_faults(broken, PAGES, claims.scoreboard())
    assert any("cmv.html is missing or empty" in fault for fault in faults)
    assert any("dose_week8_median" in fault for fault in faults)


def test_claims_json_beside_the_index_is_the_scoreboard(site):
    assert (site / "index.html").is_file()
    stored = json.loads((site / "claims.json").read_text(encoding="utf-8"))
    assert stored == json.loads(claims.as_json(claims.scoreboard()))


def test_the_schema_of_claims_json_stands_beside_it(site):
    schema = json.loads((site / "claims.schema.json").read_text(encoding="utf-8"))
    assert schema == claims.json_schema()


def test_the_icon_that_browsers_ask_for_at_the_root_is_there(site):
    """The forwarding page at the root names no icon; without this file the console says 404."""
    assert (site / "favicon.ico").read_bytes()[:4] == b"\x00\x00\x01\x00"


@pytest.mark.parametrize("page", PAGES)
def test_no_role_is_left_unread_on_a_page(built, page):
    text = text_of(built[0], page)
    assert "{glue" not in text and "{ref}" not in text and "{cite" not in text
    assert "pasted-text" not in text


def records_on(page):
    """Return name and address of the records that a page links as such."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    return [(line.a.get_text(), line.a["href"]) for line in soup.select("article p.rdmas-paper")]


def test_the_paper_is_one_tap_away_from_every_chapter(site):
    """Where it leads is read from the data package, and typed in no chapter."""
    (_, paper), *_ = records(load_cohort().descriptor)
    doi = paper["path"].removeprefix("https://doi.org/")
    assert doi.startswith("10.")
    for chapter in CHAPTERS:
        first = f"book/{chapter.stem}" == CONTENTS["root"]
        page = site / "book" / f"{chapter.stem}.html"
        name = paper["title"] if first else f"doi:{doi}"
        assert records_on(page)[0] == (name, paper["path"])
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        assert soup.find("article").h1.find_next_sibling()["class"] == ["rdmas-paper"]
        assert doi not in chapter.read_text(encoding="utf-8")


def test_related_records_are_named_on_the_first_page_only(site):
    (related,) = load_cohort().descriptor["companion"]["related"]
    assert "ACR Convergence 2025, abstract number 1179" in related["title"]
    for chapter in CHAPTERS:
        first = f"book/{chapter.stem}" == CONTENTS["root"]
        shown = records_on(site / "book" / f"{chapter.stem}.html")[1:]
        assert shown == ([(related["title"], related["path"])] if first else [])


def test_a_package_that_names_no_paper_gets_no_link():
    assert records({"companion": {}}) == []


def test_every_link_within_the_site_leads_somewhere(site):
    for page in [*site.glob("*.html"), *(site / "book").glob("*.html")]:
        for target in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:|//|#|data:", target):
                assert (page.parent / target).exists(), (page.name, target)


def test_make_book_again_builds_nothing(built):
    folder, _ = built
    page = folder / "_build" / "html" / "book" / "survival.html"
    before = page.stat().st_mtime_ns
    result = make(folder, "book")
    assert result.returncode == 0
    assert "jupyter-book" not in result.stdout, result.stdout[:3000]
    assert result.stdout.splitlines()[-1].startswith("Site: ")
    assert page.stat().st_mtime_ns == before


def test_changed_data_and_a_changed_helper_show_at_once(another):
    """A death more and another wording of counts, on a site that was already built."""
    path = another / "data" / "patients.csv"
    rows = path.read_text(encoding="utf-8").splitlines()
    place = next(i for i, row in enumerate(rows) if ",ruxolitinib," in row and ",10,0," in row)
    rows[place] = rows[place].replace(",10,0,", ",10,1,")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    helper = another / "src" / "rdmas" / "show" / "prose.py"
    code = helper.read_text(encoding="utf-8")
    wording = 'return f"{count(events)} of {count(n)}"'
    assert wording in code
    helper.write_text(code.replace(wording, wording.replace(" of ", " out of ")), "utf-8")
    result = make(another, "book")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    text = text_of(another, "book/survival")
    assert "18/20" in text and "not reproduced" in text
    assert "18 out of 20" in text
    assert "19/20 ( 95% ) with ruxolitinib" not in text
    board = json.loads((another / "_build/html/claims.json").read_text(encoding="utf-8"))
    verdicts = {row["id"]: row["verdict"] for row in board}
    assert verdicts["survival_ruxolitinib_count"] == "not reproduced"


def test_a_failing_chapter_makes_make_book_fail(another):
    chapter = another / "book" / "cmv.ipynb"
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("assert infected == 5", id="cmv-broken"))
    nbformat.write(notebook, chapter)
    result = make(another, "book")
    assert result.returncode != 0
    assert "AssertionError" in result.stdout + result.stderr
    assert make(another, "book").returncode != 0, "the failure is not forgotten"


def test_a_typed_number_makes_make_book_fail(another):
    chapter = another / "book" / "cmv.ipynb"
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells[0].source += "\nIn truth it was 4 of 20."
    nbformat.write(notebook, chapter)
    result = make(another, "book")
    assert result.returncode != 0
    assert "test_no_result_number_is_typed_in_prose[cmv]" in result.stdout


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_long(site, page):
    """Prose and captions; tables, code, explorers and references do not count."""
    soup = BeautifulSoup((site / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    article = soup.find("article")
    for aside in article.select(
        "table, pre, details, script, style, figure.explorer, .math, .headerlink, dl.py, .citation"
    ):
        aside.decompose()
    assert len(article.get_text(" ").split()) <= 1500
