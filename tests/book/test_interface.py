"""The interface reference: one page a public module, no more, no less, with nothing else on it."""

import nbformat
import yaml
from bs4 import BeautifulSoup
from conftest import REPOSITORY
from interface_pages import CONTENTS, FOLDER, contents, pages

from rdmas.selfcheck.layers import DOORS, package_layers

MEND = "run python tests/interface_pages.py"


def test_every_public_module_has_a_page_and_back():
    modules = package_layers().query("not module.str.startswith('_')")
    rooms = modules["room"].where(modules["room"] != DOORS, "")
    expected = (rooms + "-" + modules["module"]).str.removeprefix("-")
    assert sorted(pages()) == sorted(expected)
    assert {path.stem for path in FOLDER.iterdir()} == set(expected), MEND


def test_every_page_is_the_documentation_of_its_module_and_nothing_else():
    for name, text in pages().items():
        assert (FOLDER / f"{name}.md").read_text(encoding="utf-8") == text, MEND


def test_a_page_is_a_title_and_a_directive():
    assert pages()["stats-rounding"] == (
        "# `rdmas.stats.rounding`\n\n"
        "```{eval-rst}\n.. automodule:: rdmas.stats.rounding\n   :members:\n"
        "   :ignore-module-all:\n```\n"
    )


def test_what_chapters_show_is_one_page_with_a_section_a_chapter():
    titles = [line for line in pages()["show-pages"].splitlines() if line.startswith("#")]
    chapters = {path.stem for path in (REPOSITORY / "src/rdmas/show/pages").glob("[!_]*.py")}
    assert titles == [
        "# `rdmas.show.pages`",
        *(f"## `rdmas.show.pages.{name}`" for name in sorted(chapters)),
    ]


def test_the_pages_stand_under_the_interface_reference_in_the_contents():
    assert CONTENTS.read_text(encoding="utf-8") == contents(list(pages())), MEND
    parts = yaml.safe_load(CONTENTS.read_text(encoding="utf-8"))["parts"]
    sections = {c["file"]: c.get("sections", []) for part in parts for c in part["chapters"]}
    listed = sections.pop("book/reference")
    assert [section["file"] for section in listed] == [f"book/interface/{name}" for name in pages()]
    assert not any(sections.values())


def test_the_table_of_modules_links_to_every_page():
    notebook = nbformat.read(REPOSITORY / "book" / "reference.ipynb", as_version=4)
    tables = [cell.outputs[0] for cell in notebook.cells if cell.get("outputs")]
    soup = BeautifulSoup("".join(table["data"]["text/html"] for table in tables), "html.parser")
    links = [link["href"] for link in soup.find_all("a")]
    assert sorted(links) == sorted(f"interface/{name}.html" for name in pages())
