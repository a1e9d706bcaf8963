"""How a chapter about a reader's cohort begins."""

from __future__ import annotations

import os
from dataclasses import replace

from IPython.display import Markdown

from rdmas.paper.cohort import Cohort, load_cohort
from rdmas.paper.paths import example_register
from rdmas.show import figures
from rdmas.show.cohort import ENCODING, TITLE
from rdmas.show.cohort import _words as words
from rdmas.show.opening import refuse_unknown_parameters


def read(data_dir: str | None, mask_below: int = 0) -> Cohort:
    """Read the cohort of a chapter; without a folder or file, the example of the book.

    Raises
    ------
    rdmas.paper.package.CohortError
        If the cohort cannot be used, or papermill was given a parameter the chapter has not.
    """
    refuse_unknown_parameters()
    figures.use_style()
    path = example_register() if data_dir is None else data_dir
    cohort = load_cohort(path, mask_below, os.environ.get(ENCODING))
    title = os.environ.get(TITLE, cohort.title)
    return replace(cohort, descriptor=cohort.descriptor | {"title": title})


def say(*paragraphs: str) -> Markdown | None:
    """Show what there is to say, as paragraphs.

    Nothing is shown where there is nothing to say: of an empty text a notebook would show the
    name of its class.
    """
    text = words.paragraphs(*paragraphs)
    return Markdown(text) if text else None
