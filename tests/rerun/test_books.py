"""Whole books: every valid cohort, however odd, with warnings fatal and no paper in its pages."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import cohorts
import pytest
from bs4 import BeautifulSoup

from rdmas.rerun import Options, rerun
from rdmas.rerun.work import work_folder

from .test_rerun import processes_of

QUICK = ("ordinary", "one_patient", "all_dead")
#: Words of the companion's paper and counts that only it has.
PAPERS = re.compile(
    r"ruxolitinib|\bRD-MAS\b|\bLi et al|\bLi 2025\b|19/20|13/21|19 of 20|13 of 21", re.IGNORECASE
)
BLOCKS = ["p", "li", "table", "figure", "figcaption", "h1", "h2", "h3", "pre", "title", "dd", "dt"]


def named_outside_published(page):
    """Return what a page says of the paper where it does not say that it is published."""
    soup = BeautifulSoup(page, "html.parser")
    texts = [image.get("alt", "") for image in soup.find_all("img")]
    for found in soup.find_all(string=PAPERS):
        block = found.find_parent(BLOCKS)
        texts.append((block or found.parent).get_text(" "))
    return [text for text in texts if PAPERS.search(text) and "published" not in text.lower()]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.long) for name in cohorts.NAMES],
)
def test_the_whole_book_builds_and_is_about_this_cohort(name, tmp_path):
    data, out = cohorts.write(name, tmp_path / "data"), tmp_path / "out"
    rerun(Options(data, out, workers=2), say=lambda line: None, progress=False)
    for file in sorted(out.glob("*.html")):
        page = file.read_text(encoding="utf-8")
        assert named_outside_published(page) == [], file.name
        assert "creativecommons" not in page and "ClaimReview" not in page
    table = cohorts.table(name)
    page = BeautifulSoup((out / "survival.html").read_text(encoding="utf-8"), "html.parser")
    text = re.sub(r"\s+", " ", page.get_text(" "))
    for _, patients in table.groupby("arm"):
        died, n = int(patients["died"].sum()), len(patients)
        assert re.search(rf"\b({died:,}|{n - died:,}) of {n:,}\b", text)
    board = json.loads((out / "claims.json").read_text(encoding="utf-8"))
    assert board and all(row["basis"] in ("data", "none") for row in board)
    if name != "own_claims":
        assert "not reproduced" not in {row["verdict"] for row in board}


@pytest.mark.long
def test_the_search_finds_what_it_looks_for():
    assert named_outside_published("<p>19 of 20 survived.</p>") == ["19 of 20 survived."]
    assert named_outside_published("<p>Published: 19 of 20 survived.</p>") == []
    assert (
        named_outside_published("<table><caption>Published</caption><td>19/20</td></table>") == []
    )
    assert named_outside_published('<img alt="with ruxolitinib">') == ["with ruxolitinib"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["one_arm", "emapalumab", "five_against_300"])
def test_a_masked_book_shows_no_small_count_on_any_page(name, tmp_path):
    data, out = cohorts.write(name, tmp_path / "data"), tmp_path / "out"
    options = Options(data, out, workers=2, mask_below=5, aggregate_only=True)
    rerun(options, say=lambda line: None, progress=False)
    for file in sorted(out.glob("*.html")):
        soup = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")
        for block in soup.find_all(["p", "li", "tr", "figcaption"]):
            text = re.sub(r"\s+", " ", block.get_text(" "))
            small = re.search(r"\b[1-4] of [\d,]+", text)
            assert not small or "published" in text.lower(), (file.name, text)
    board = json.loads((out / "claims.json").read_text(encoding="utf-8"))
    deaths = [row["recomputed"] for row in board if row["chapter"] == "survival"]
    assert deaths and set(deaths) == {"masked"}


def resident(pids):
    """Bytes of memory that processes have, pages they share counted once by share."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += 1024 * int(re.search(r"^Pss: +(\d+)", rollup, re.MULTILINE)[1])
    return total


@pytest.mark.long
def test_two_thousand_against_two_thousand_take_minutes_and_little_memory(tmp_path):
    data, out = cohorts.write("arms_2000", tmp_path), tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        "from rdmas.cli import main; main()",
        "rerun",
        "--workers",
        "2",
    ]
    began, most = time.monotonic(), 0
    with subprocess.Popen([*command, "--data", data, "--out", out, "--workers", "2"]) as run:
        while run.poll() is None:
            most = max(most, resident([run.pid, *processes_of(work_folder(out))]))
            time.sleep(0.5)
    assert run.returncode == 0
    assert time.monotonic() - began < 300
    assert most < 2 * 1024**3
