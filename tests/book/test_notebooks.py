"""Structural lint of the chapters. ``make book`` runs it before it builds."""

import ast
import pkgutil
import re
import statistics

import nbformat
import pytest
import yaml
from conftest import CHAPTERS, REPOSITORY
from markdown_it import MarkdownIt

from rdmas.paper.cohort import load_cohort

NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in CHAPTERS}
CLAIMS = load_cohort().claims
COMPARED = "nbval-check-output"
PAGE_MODULES = sorted((REPOSITORY / "src" / "rdmas" / "show" / "pages").glob("*.py"))

# Names with a digit in them that are not results: the time point, enzymes, a test, a licence,
# versions.
NAMES_WITH_DIGITS = re.compile(
    r"\bweek 8\b|\bJanus kinases 1 and 2\b|"
    r"N−1|\(N−1\)/N|\bCC BY 4\.0\b|\bUTF-8\b|\bPython 3\.11 to 3\.13\b"
)
ROLE = re.compile(r"\{[a-z:]+\}`[^`]*`")
MATH = re.compile(r"\$\$.*?\$\$|\$[^$]+\$", re.DOTALL)


def prose_of(source):
    """Return markdown without code, roles, formulas, targets and list numbers."""
    source = re.sub(r"^```.*?^```", "", source, flags=re.DOTALL | re.MULTILINE)
    source = ROLE.sub("", source)
    source = MATH.sub("", source)
    texts = []
    for block in MarkdownIt().parse(source):
        if block.type == "inline":
            texts += [child.content for child in block.children if child.type == "text"]
    return NAMES_WITH_DIGITS.sub("", "\n".join(texts))


def markdown_cells(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def figures(notebook):
    return [cell.metadata["mystnb"] for cell in notebook.cells if "mystnb" in cell.metadata]


each_chapter = pytest.mark.parametrize("name", NOTEBOOKS)


@pytest.mark.parametrize(
    "typed",
    ["survival was 95%", "P = 0.011", "- *19 of 20*", "in 2019", "**week 9**", "a `0` and 3 more"],
)
def test_the_lint_sees_a_typed_number(typed):
    assert re.search(r"\d", prose_of(typed))


@pytest.mark.parametrize(
    "harmless", ["by week 8", "{glue:text}`a1.b:s`", "$n_1 = 3$", "`x1`", "the N−1 form"]
)
def test_the_lint_lets_names_roles_and_formulas_pass(harmless):
    assert not re.search(r"\d", prose_of(harmless))


def test_every_notebook_is_in_the_table_of_contents_and_back():
    toc = yaml.safe_load((REPOSITORY / "_toc.yml").read_text(encoding="utf-8"))
    listed = [toc["root"]] + [
        chapter["file"] for part in toc["parts"] for chapter in part["chapters"]
    ]
    assert sorted(listed) == sorted(f"book/{name}" for name in NOTEBOOKS)


@each_chapter
def test_the_first_cell_is_a_target_and_the_only_title(name):
    cells = markdown_cells(NOTEBOOKS[name])
    assert NOTEBOOKS[name].cells[0].cell_type == "markdown"
    assert re.match(rf"\({name.replace('_', '-')}\)=\n# \S", cells[0])
    titles = [line for cell in cells for line in re.findall(r"^# .*", cell, re.MULTILINE)]
    assert len(titles) == 1


@each_chapter
def test_the_answer_comes_before_anything_executable(name):
    assert re.search(r"\*\*(The answer|The bottom line)\.\*\*", NOTEBOOKS[name].cells[0].source)


@each_chapter
def test_there_is_one_cell_of_parameters_with_a_data_folder(name):
    cells = [cell for cell in code_cells(NOTEBOOKS[name]) if "parameters" in tags(cell)]
    assert len(cells) == 1
    assert cells[0] is code_cells(NOTEBOOKS[name])[0]
    assert cells[0].source.startswith("data_dir = None  # ")
    assert all("  # " in line for line in cells[0].source.splitlines())


@each_chapter
def test_there_is_a_figure_with_caption_name_and_alternative_text(name):
    found = figures(NOTEBOOKS[name])
    assert found
    for figure in found:
        assert figure["figure"]["name"].startswith("fig-")
        assert len(figure["figure"]["caption"]) > 60
        assert "Source: " in figure["figure"]["caption"]
        assert len(figure["image"]["alt"]) > 40


@each_chapter
def test_what_captions_name_as_source_exists(name):
    for figure in figures(NOTEBOOKS[name]):
        for function in re.findall(r"`(rdmas\.[\w.]+)`", figure["figure"]["caption"]):
            pkgutil.resolve_name(function)


def test_figure_names_are_unique():
    names = [f["figure"]["name"] for notebook in NOTEBOOKS.values() for f in figures(notebook)]
    assert len(names) == len(set(names))


@each_chapter
def test_every_cell_that_draws_is_a_figure(name):
    for cell in code_cells(NOTEBOOKS[name]):
        assert ("figures.plot_" in cell.source) == ("mystnb" in cell.metadata)


@each_chapter
def test_no_result_number_is_typed_in_prose(name):
    for source in markdown_cells(NOTEBOOKS[name]):
        body = re.sub(r"^#+ .*$", "", source, flags=re.MULTILINE)
        assert not re.search(r"\d", prose_of(body)), re.findall(r".*\d.*", prose_of(body))


@each_chapter
def test_no_number_is_typed_in_captions_or_alternative_texts(name):
    for figure in figures(NOTEBOOKS[name]):
        assert not re.search(r"\d", prose_of(figure["figure"]["caption"]))
        assert not re.search(r"\d", NAMES_WITH_DIGITS.sub("", figure["image"]["alt"]))


@each_chapter
def test_formulas_hold_no_decimal_numbers(name):
    for source in markdown_cells(NOTEBOOKS[name]):
        for formula in MATH.findall(re.sub(r"`[^`]*`", "", source)):
            assert not re.search(r"\d\.\d", formula)


@each_chapter
def test_numbers_in_headings_are_reported_values_of_the_chapter(name):
    reported = CLAIMS.loc[CLAIMS["chapter"] == name, "reported"]
    for source in markdown_cells(NOTEBOOKS[name]):
        for heading in re.findall(r"^#+ (.*)$", source, flags=re.MULTILINE):
            assert "{glue" not in heading, "a glue role in a heading breaks the build"
            for value in sorted(reported, key=len, reverse=True):
                heading = heading.replace(value, "")
            assert not re.search(r"\d", NAMES_WITH_DIGITS.sub("", heading)), heading


def sentences_of(path):
    """Yield the strings in the functions of a page module that word numbers for prose."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("say"):
            for node in ast.walk(function):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


@pytest.mark.parametrize("path", PAGE_MODULES, ids=lambda path: path.stem)
def test_no_number_is_typed_into_what_is_glued(path):
    """What fills glue keys may hold words and calls, no figures; keys and names of tests may."""
    for text in sentences_of(path):
        if not re.fullmatch(r"[a-z_0-9]+([.-][a-z_0-9]+)*", text):
            assert not re.search(r"\d", NAMES_WITH_DIGITS.sub("", text)), text


@each_chapter
def test_glue_roles_are_short_and_not_inside_code(name):
    """Inside backticks the role is not read."""
    sources = markdown_cells(NOTEBOOKS[name]) + [
        figure["figure"]["caption"] for figure in figures(NOTEBOOKS[name])
    ]
    for source in sources:
        assert "`{glue" not in source
        assert "{glue:" not in source


@each_chapter
def test_code_cells_are_short(name):
    """A reader who opens a cell sees what was done; its dressing is in the package."""
    lines = [
        sum(1 for line in cell.source.splitlines() if line.strip())
        for cell in code_cells(NOTEBOOKS[name])
    ]
    assert statistics.median(lines) <= 6
    assert max(lines) <= 20


@each_chapter
def test_code_cells_call_and_define_nothing(name):
    """No function, no class, and no heading of a table or column put together in a chapter."""
    made = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.Dict, ast.DictComp)
    for cell in code_cells(NOTEBOOKS[name]):
        for node in ast.walk(ast.parse(cell.source)):
            assert not isinstance(node, made), ast.unparse(node)
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in ("pd.DataFrame", "tables.show")


def test_every_claim_is_derived_in_exactly_one_chapter_and_that_is_its_own():
    derived = {}
    for name, notebook in NOTEBOOKS.items():
        for cell in code_cells(notebook):
            for node in ast.walk(ast.parse(cell.source)):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr == "derivations"
                ):
                    for argument in node.args[1:]:
                        derived.setdefault(argument.value, []).append(name)
    expected = {row["id"]: [row["chapter"]] for _, row in CLAIMS.iterrows()}
    assert derived == expected


@each_chapter
def test_compared_cells_carry_text_and_only_they_carry_outputs(name):
    """nbval passes a notebook without stored outputs, so their presence is asserted here."""
    for cell in code_cells(NOTEBOOKS[name]):
        if COMPARED in tags(cell):
            assert cell.outputs, cell.source
            for output in cell.outputs:
                assert output.get("text") or any(output.get("data", {}).values())
                assert not any(kind.startswith("image") for kind in output.get("data", {}))
        else:
            assert cell.outputs == []


@each_chapter
def test_every_cell_that_shows_a_value_is_compared(name):
    """Versions and times of the colophon differ; explorers are compared in the browser."""
    for cell in code_cells(NOTEBOOKS[name]):
        if "explorers." in cell.source:
            continue
        if name == "colophon" or "mystnb" in cell.metadata or "remove-cell" in tags(cell):
            continue
        last = ast.parse(cell.source).body[-1]
        glues = "glue_strings" in ast.unparse(last)
        assert (COMPARED in tags(cell)) == (isinstance(last, ast.Expr) and not glues), cell.source


@each_chapter
def test_stored_notebooks_are_numbered_and_hold_no_timings_or_machine_details(name):
    notebook = NOTEBOOKS[name]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}
    assert not any({"execution", "papermill"} & set(cell.metadata) for cell in notebook.cells)
    numbers = [cell.execution_count for cell in code_cells(notebook)]
    assert numbers == list(range(1, len(numbers) + 1))


@each_chapter
def test_cells_have_no_forbidden_code(name):
    """No silenced warnings, path edits, installs, network or star imports."""
    forbidden = (
        r"sys\.path|filterwarnings|simplefilter|import \*|^[!%]|pip install|requests|urlopen"
    )
    for cell in code_cells(NOTEBOOKS[name]):
        assert not re.search(forbidden, cell.source, re.MULTILINE), cell.source
        assert max(map(len, cell.source.splitlines())) <= 120


@each_chapter
def test_one_sentence_per_source_line(name):
    """Outside of lists a line ends where a sentence ends, so that changes read well."""
    for source in markdown_cells(NOTEBOOKS[name]):
        for line in re.sub(r"^```.*?^```", "", source, flags=re.DOTALL | re.MULTILINE).splitlines():
            if line and not line.startswith(("-", ":", "|", "#", "**", "1", "2", "3", "4", "  ")):
                sentences = re.findall(r"[a-z\)`]\. [A-Z]", line)
                assert len(sentences) == 0, line
