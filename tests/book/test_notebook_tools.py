"""Tests of rdmas.notebooks, without executing a chapter."""

import copy
import json

import nbformat
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    output_from_msg,
)

from rdmas import notebooks
from rdmas.notebooks import COMPARED_TAG, normalise


def executed_notebook():
    """A notebook as papermill leaves it: timings, counts, an image and machine metadata."""
    rich = {
        "text/plain": "<Axes>",
        "text/html": "<table></table>",
        "text/markdown": "*a*",
        "text/latex": "$a$",
        "image/png": "iVBORw0KGgo=",
        "application/json": {"a": 1},
    }
    outputs = [
        new_output("stream", name="stdout", text="0.011\n"),
        new_output(
            "execute_result", data=rich, metadata={"image/png": {"width": 640}}, execution_count=7
        ),
        new_output("display_data", data={"image/png": "iVBORw0KGgo="}),
    ]
    timing = {
        "execution": {"iopub.status.busy": "2025-01-01T00:00:00Z"},
        "papermill": {"duration": 0.25, "status": "completed"},
        "collapsed": False,
    }
    return new_notebook(
        cells=[
            new_markdown_cell("# Title", metadata=copy.deepcopy(timing)),
            new_code_cell(
                "compared()",
                execution_count=7,
                outputs=copy.deepcopy(outputs),
                metadata={"tags": [COMPARED_TAG, "hide-input"], **timing},
            ),
            new_code_cell(
                "drawn()",
                execution_count=8,
                outputs=copy.deepcopy(outputs),
                metadata={"tags": ["remove-input"], "mystnb": {"figure": "x"}, **timing},
            ),
            new_code_cell("plain()", execution_count=9, outputs=copy.deepcopy(outputs)),
        ],
        metadata={
            "kernelspec": {"name": "my-venv", "display_name": "Python (venv)"},
            "language_info": {"name": "python", "version": "3.11.4", "pygments_lexer": "ipython3"},
            "papermill": {"duration": 12.5, "input_path": "/somewhere/x.ipynb"},
            "widgets": {"state": {}},
        },
    )


def test_only_the_text_outputs_of_compared_cells_are_kept():
    cells = normalise(executed_notebook()).cells
    assert [len(cell.outputs) for cell in cells[1:]] == [3, 0, 0]
    stream, result, display = cells[1].outputs
    assert stream.text == "0.011\n"
    assert set(result.data) == {"text/plain", "text/html", "text/markdown", "text/latex"}
    assert result.data["text/html"] == "<table></table>"
    assert result.metadata == {}
    assert display.data == {}


def test_cells_are_numbered_in_order_and_results_like_their_cells():
    # nbval refuses outputs of a cell without a number.
    cells = normalise(executed_notebook()).cells
    assert [cell.execution_count for cell in cells[1:]] == [1, 2, 3]
    assert cells[1].outputs[1].execution_count == 1


def test_timings_are_removed_and_other_metadata_kept():
    cells = normalise(executed_notebook()).cells
    assert [cell.metadata for cell in cells] == [
        {},
        {"tags": [COMPARED_TAG, "hide-input"]},
        {"tags": ["remove-input"], "mystnb": {"figure": "x"}},
        {},
    ]


def test_metadata_do_not_depend_on_the_machine():
    assert normalise(executed_notebook()).metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }


def test_sources_and_cell_ids_are_left_alone():
    before = executed_notebook()
    after = normalise(copy.deepcopy(before))
    for name in ("id", "source", "cell_type"):
        assert [cell[name] for cell in after.cells] == [cell[name] for cell in before.cells]


def test_the_notebook_is_changed_in_place_and_valid():
    notebook = executed_notebook()
    assert normalise(notebook) is notebook
    nbformat.validate(notebook)


def test_normalising_twice_is_normalising_once():
    once = nbformat.writes(normalise(executed_notebook()))
    assert nbformat.writes(normalise(nbformat.reads(once, as_version=4))) == once


def test_two_runs_that_differ_in_time_and_image_are_stored_alike():
    first = executed_notebook()
    second = copy.deepcopy(first)
    for place, cell in enumerate(second.cells):
        cell.metadata["papermill"] = {"duration": 99.0 + place}
        if cell.cell_type == "code":
            cell.execution_count = 100 + place
            cell.outputs[1].data["image/png"] = "AAAA"
            cell.outputs[1].execution_count = 100 + place
    second.metadata["papermill"] = {"duration": 99.0}
    assert nbformat.writes(normalise(first)) == nbformat.writes(normalise(second))


def test_an_error_in_a_compared_cell_stays_visible():
    message = {
        "header": {"msg_type": "error"},
        "content": {"ename": "ValueError", "evalue": "no", "traceback": ["line"]},
    }
    cell = new_code_cell("x", outputs=[output_from_msg(message)], metadata={"tags": [COMPARED_TAG]})
    kept = normalise(new_notebook(cells=[cell])).cells[0].outputs
    assert [(output.output_type, output.evalue) for output in kept] == [("error", "no")]


def test_refresh_writes_only_the_chapters_whose_text_changed(tmp_path, monkeypatch):
    for name in ("b", "a"):
        notebook = normalise(new_notebook(cells=[new_code_cell("1", id=f"cell-{name}")]))
        text = nbformat.writes(notebook) + "\n"
        (tmp_path / f"{name}.ipynb").write_text(text, encoding="utf-8")
    before = (tmp_path / "a.ipynb").read_bytes()

    def run(path, _output, cwd):
        assert cwd == tmp_path
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].execution_count = 3  # a mere count is no change
        if path.name == "b.ipynb":
            notebook.cells[0].metadata["tags"] = [COMPARED_TAG]
            notebook.cells[0].outputs = [new_output("stream", name="stdout", text="1\n")]
        return notebook

    monkeypatch.setattr(notebooks, "execute", run)
    assert notebooks.refresh(tmp_path) == ["b.ipynb"]
    assert (tmp_path / "a.ipynb").read_bytes() == before
    stored = json.loads((tmp_path / "b.ipynb").read_text(encoding="utf-8"))
    assert stored["cells"][0]["outputs"][0]["text"] == ["1\n"]
    assert notebooks.refresh(tmp_path) == []
