"""The page for readers with patients of their own: its commands, run as they stand there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import cohorts
import nbformat
import pytest
from bs4 import BeautifulSoup
from conftest import REPOSITORY

PAGE = nbformat.read(REPOSITORY / "book" / "own_cohort.ipynb", as_version=4)
COMMANDS = re.findall(
    r"^\$ \.venv/bin/(rdmas .+)$", "\n".join(cell.source for cell in PAGE.cells), re.MULTILINE
)


def run(command, folder):
    """Run a command of the page in a folder, as its reader would."""
    name, *arguments = shlex.split(command)
    program = Path(sys.executable).parent / name
    return subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def keep_register(language, folder):
    """Lay down a register as a hospital keeps it: its own names, dates, mg a day."""
    folder.mkdir()
    table = getattr(cohorts, language)()
    if language == "german":
        table.to_csv(folder / "Register.csv", sep=";", index=False, encoding="utf-8-sig")
        arms = 'treatment = "Anakinra"\ncontrol = "ohne Anakinra"\n'
        (folder / "cohort.toml").write_text(f'drug = "anakinra"\n{arms}', encoding="utf-8")
    else:
        table.to_csv(folder / "register.csv", index=False, encoding="gb18030")


def test_the_page_has_three_commands_and_the_first_makes_what_the_second_reads(tmp_path):
    template, validate, rerun = COMMANDS
    assert [command.split()[1] for command in (validate, rerun)] == ["validate", "rerun"]
    assert run(template, tmp_path).returncode == 0
    asked = run(validate, tmp_path)
    assert asked.returncode == 1 and "example" in asked.stderr
    assert "Traceback" not in asked.stderr


@pytest.mark.parametrize("language", ["german", pytest.param("chinese", marks=pytest.mark.long)])
def test_a_register_kept_in_another_language_becomes_a_book(language, tmp_path):
    keep_register(language, tmp_path / "my-centre")
    for command in COMMANDS[1:]:
        done = run(command, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    pages = {page.stem: page.read_text("utf-8") for page in (tmp_path / "my-book").glob("*.html")}
    text = BeautifulSoup(pages["survival"], "html.parser").find("article").get_text(" ")
    # Counted in the table itself: 35 and 28 patients, of whom 7 and 8 died.
    assert re.search(r"\b7 of (the )?35\b", text) and re.search(r"\b8 of (the )?28\b", text)
    table = getattr(cohorts, language)()
    for page in pages.values():
        assert not any(patient in page for patient in table.iloc[:, 0])
