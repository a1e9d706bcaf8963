"""papermill executes every chapter elsewhere, on other data; nbval notices a changed output."""

import re
import shutil
import subprocess
import sys

import nbformat
import papermill
import pytest
from conftest import CHAPTERS, REPOSITORY

CLAIM_CHAPTERS = ("index", "data", "remission", "survival", "p_value", "dose", "cmv", "scoreboard")


def execute(chapter, output, parameters):
    """Execute a chapter as a reader would, from another folder."""
    return papermill.execute_notebook(
        chapter, output, parameters, cwd=output.parent, progress_bar=False, kernel_name="python3"
    )


def shown(notebook):
    """Return the text of everything a notebook shows."""
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            texts += [str(text) for text in output.get("data", {}).values()]
    return "\n".join(texts)


@pytest.fixture(scope="module")
def other_data(tmp_path_factory):
    """A data folder in which every claim group is off by one patient."""
    folder = shutil.copytree(REPOSITORY / "data", tmp_path_factory.mktemp("other") / "data")
    path = folder / "patients.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    columns = header.split(",")
    rows = [dict(zip(columns, row.split(","), strict=True)) for row in rows]
    treated = [row for row in rows if row["arm"] == "ruxolitinib"]
    next(row for row in treated if row["died"] == "0")["died"] = "1"
    next(row for row in treated if row["sex"] == "male")["sex"] = "female"
    next(row for row in treated if row["response_week8"] == "none")["response_week8"] = "partial"
    next(row for row in treated if row["cmv_infection"] == "1")["cmv_infection"] = "0"
    for row in treated:
        row["gc_dose_baseline_mg_per_kg"] = "3.00"
    path.write_text(
        "\n".join([header, *(",".join(row.values()) for row in rows)]) + "\n", encoding="utf-8"
    )
    return folder


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_executes_from_another_folder_on_other_data(
    chapter, other_data, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    executed = execute(chapter, tmp_path / "out.ipynb", {"data_dir": str(other_data)})
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    injected = [c for c in code if "injected-parameters" in c.metadata.get("tags", [])]
    assert len(injected) == 1 and str(other_data) in injected[0].source
    if chapter.stem in CLAIM_CHAPTERS:
        assert "verdict-not-reproduced" in shown(executed)
        stored = nbformat.read(chapter, as_version=4)
        assert "verdict-not-reproduced" not in shown(stored)


def test_another_confidence_level_gives_other_intervals(tmp_path):
    chapter = REPOSITORY / "book" / "cmv.ipynb"
    pattern = r"\d+% to \d+%"
    intervals = [
        re.findall(pattern, shown(execute(chapter, tmp_path / "out.ipynb", {"level": level})))
        for level in (0.5, 0.95)
    ]
    assert intervals[0] and intervals[0] != intervals[1]


def test_papermill_reads_the_parameters_of_every_chapter():
    for chapter in CHAPTERS:
        assert "data_dir" in papermill.inspect_notebook(str(chapter))


def test_a_chapter_on_faulty_data_stops_with_the_sentence(tmp_path, data_copy):
    path = data_copy / "patients.csv"
    text = path.read_text(encoding="utf-8").replace(",died,", ",dead,", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(papermill.PapermillExecutionError, match="there is no column named died"):
        execute(
            REPOSITORY / "book" / "cmv.ipynb", tmp_path / "out.ipynb", {"data_dir": str(data_copy)}
        )


def nbval(notebook):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider",
         "-c", "/dev/null", str(notebook)],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def test_changing_one_stored_output_makes_nbval_fail(tmp_path):
    """Each stored output of a chapter, one at a time, with a single character changed."""
    source = nbformat.read(REPOSITORY / "book" / "cmv.ipynb", as_version=4)
    compared = [i for i, cell in enumerate(source.cells) if cell.get("outputs")]
    assert len(compared) >= 3
    failed = []
    for place in compared:
        notebook = nbformat.from_dict(source)
        output = notebook.cells[place].outputs[0]
        original = output.data["text/html"]
        output.data["text/html"] = re.sub("(<td[^>]*>)", r"\1x", original, count=1)
        nbformat.write(notebook, tmp_path / f"changed-{place}.ipynb")
        output.data["text/html"] = original
        result = nbval(tmp_path / f"changed-{place}.ipynb")
        failed.append((result.returncode, "1 failed" in result.stdout))
    assert failed == [(1, True)] * len(compared)
