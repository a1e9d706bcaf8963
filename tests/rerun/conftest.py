"""Two tiny chapters, so that whole runs take seconds."""

import nbformat
import pytest

PARAMETERS = """\
data_dir = None
level = 0.95
aggregate_only = False
mask_below = 0"""

READ = """\
from IPython.display import Markdown
from rdmas.show.cohort import opening
cohort = opening.read(data_dir, mask_below)
Markdown(f"{cohort.title!r}: {len(cohort.patients)} patients. {cohort.notes[0]}")"""


def chapter(title, *cells):
    """A chapter of the form that the book's have."""
    first = nbformat.v4.new_code_cell(PARAMETERS, id="parameters")
    first.metadata["tags"] = ["parameters", "hide-cell"]
    return nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python",
                                 "name": "python3"},
                  "language_info": {"name": "python"}},
        cells=[
            nbformat.v4.new_markdown_cell(f"# {title}", id="title"),
            first,
            *[nbformat.v4.new_code_cell(c, id=f"cell-{i}") for i, c in enumerate(cells)],
        ],
    )  # fmt: skip


@pytest.fixture
def chapters(tmp_path):
    """A folder of two chapters."""
    folder = tmp_path / "chapters"
    folder.mkdir()
    for name, title in (("index", "A cohort"), ("survival", "How many survived?")):
        nbformat.write(chapter(title, READ), folder / f"{name}.ipynb")
    return folder
