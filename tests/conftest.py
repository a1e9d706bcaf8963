"""Shared fixtures: the repository, copies of its data, and the site built from a copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((REPOSITORY / "book").glob("*.ipynb"))

# Examples are the same on every run and every machine: a red build is red for everybody.
settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")


@pytest.fixture
def data_copy(tmp_path):
    """A copy of the data folder that a test may spoil."""
    return Path(shutil.copytree(REPOSITORY / "data", tmp_path / "data"))


def make(folder, *arguments):
    """Run make in a copy of the repository with this environment and the copy's package."""
    return subprocess.run(
        ["make", *arguments, f"VENV={sys.prefix}"],
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            "PYTHONPATH": str(folder / "src"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def built():
    """The repository, its site built, and what ``make book`` printed.

    ``make test`` builds the site first, so that here there is nothing left to build, in
    whichever of pytest's workers this runs.
    """
    result = make(REPOSITORY, "book")
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return REPOSITORY, result.stdout


@pytest.fixture(scope="session")
def site(built):
    """The folder of the built site."""
    return built[0] / "_build" / "html"


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium; where there is none tests are skipped, and fail where it must be."""
    from rdmas.site import pdf  # most tests need no browser, and not what makes pages

    chromium = pdf.browser()
    if chromium is None:
        message = "no Chromium on PATH and RDMAS_CHROMIUM is not set"
        if os.environ.get("RDMAS_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root, as which CI runs; the pages are ours.
        running = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield running
        running.close()
