"""How chapters begin: known parameters only, the right kind of cohort, readable where executed."""

import cohorts
import nbformat
import papermill
import pytest
from conftest import CHAPTERS, REPOSITORY

OWN_CHAPTERS = sorted((REPOSITORY / "book" / "cohort").glob("*.ipynb"))


def execute(chapter, folder, **parameters):
    """Execute a chapter by plain papermill, from another folder."""
    return papermill.execute_notebook(
        str(chapter),
        str(folder / "out.ipynb"),
        parameters,
        cwd=str(folder),
        progress_bar=False,
        kernel_name="python3",
    )


def shown(notebook):
    """Return what the cells of a notebook show, as one text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(str(text) for output in outputs for text in output.get("data", {}).values())


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_begins_in_the_same_way_and_words_its_answer(path):
    sources = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    begins = "opening.refuse_unknown_parameters()", f'opening.read("{path.stem}", data_dir)'
    assert sum(source.count(begin) for source in sources for begin in begins) == 1
    assert sources.count(f'opening.answer("{path.stem}")') == 1


@pytest.mark.parametrize(
    "chapter", [CHAPTERS[0], *OWN_CHAPTERS[:1]], ids=lambda path: path.parent.name
)
def test_a_misspelt_parameter_is_refused(chapter, tmp_path):
    with pytest.raises(papermill.PapermillExecutionError, match="'datadir' is no parameter of"):
        execute(chapter, tmp_path, datadir="/elsewhere")


def test_an_executed_chapter_reads_as_prose(tmp_path):
    """The answer stands among the outputs with its numbers, whatever reads the notebook."""
    text = shown(execute(REPOSITORY / "book" / "cmv.ipynb", tmp_path))
    assert "**The answer.** " in text and "{glue}" not in text and "{ref}" not in text
    assert "20%" in text


@pytest.mark.skipif(not OWN_CHAPTERS, reason="there are no chapters on registers")
def test_a_chapter_about_the_paper_hands_a_register_over(tmp_path):
    folder = cohorts.write("emapalumab", tmp_path)
    text = shown(execute(REPOSITORY / "book" / "cmv.ipynb", tmp_path, data_dir=str(folder)))
    assert "emapalumab" in text and "ruxolitinib" not in text.split("published")[0]
