"""Shared fixtures: the repository, copies of its data, and the site built from a copy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

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
