"""The site of a rerun, from chapters that are executed already."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from rdmas.paper.paths import companion_data_dir
from rdmas.rerun.plan import PARTS, ROOT, Plan, RerunError
from rdmas.rerun.work import full, is_full, remove

BOOK = "book"
BUILD = "from rdmas.rerun.worker import build; build()"
#: What a build leaves for itself, with paths of this machine in it.
LEFT_OVER = (".buildinfo", ".doctrees", "_sources", "objects.inv")
FOOTER = "Made by rdmas rerun from the records of one cohort. Not medical advice."


def build_site(
    plan: Plan, executed: Mapping[str, Path], work: Path, settings: Mapping[str, str]
) -> Path:
    """Build the site in the working folder; return the folder of ``index.html``.

    Raises
    ------
    RerunError
        If a page has a fault: a warning is one.
    """
    folder = Path(tempfile.mkdtemp(prefix="site-", dir=work))
    companion = companion_data_dir().parent
    toc, config = (_settings(companion / name) for name in ("_toc.yml", "_config.yml"))
    if plan.of_the_paper:
        ours = shutil.ignore_patterns("*.ipynb", "cohort", ".*")
        shutil.copytree(companion / BOOK, folder, dirs_exist_ok=True, ignore=ours)
    else:
        shutil.copytree(companion / BOOK / "_static", folder / "_static")
        shutil.copy(companion / BOOK / "favicon.ico", folder)
        toc, config = contents(list(executed)), about_a_register(config)
    for name, notebook in executed.items():
        shutil.copyfile(notebook, folder / f"{name}.ipynb")
    _write(folder / "_toc.yml", toc)
    _write(folder / "_config.yml", configuration(plan, config))
    status, text = _run(["build", ".", "--all", "-W", "--keep-going"], folder, settings)
    site = folder / "_build" / "html"
    if status or not (site / f"{ROOT}.html").is_file():
        if os.strerror(errno.ENOSPC) in text or is_full(plan.out):
            raise RerunError(full(plan.out))
        raise RerunError("The site could not be built.", _complaints(text, folder))
    for name in LEFT_OVER:
        remove(site / name)
    return site


def _run(arguments: list[str], folder: Path, settings: Mapping[str, str]) -> tuple[int, str]:
    """Run Jupyter Book in a process that ends with this one; return its status and its words."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", BUILD, *arguments],
        cwd=folder,
        env=dict(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        assert process.stdout
        try:
            text = process.stdout.read()
            return process.wait(), text
        finally:
            process.kill()


def contents(chapters: list[str]) -> dict[str, Any]:
    """Return the table of contents of the chapters that there are.

    Examples
    --------
    >>> contents(["index", "survival", "mine"])["parts"][1]
    {'caption': 'More', 'chapters': [{'file': 'mine'}]}
    """
    known = {name for names in PARTS.values() for name in names} | {ROOT}
    parts = {**PARTS, "More": tuple(name for name in chapters if name not in known)}
    listed = {
        caption: [{"file": name} for name in names if name in chapters]
        for caption, names in parts.items()
    }
    return {
        "format": "jb-book",
        "root": ROOT,
        "parts": [
            {"caption": caption, "chapters": files} for caption, files in listed.items() if files
        ],
    }


def about_a_register(config: dict[str, Any]) -> dict[str, Any]:
    """Leave out of the book's settings what chapters about patients' records have no use for."""
    unused = ("autosummary", "autodoc", "numpydoc", "bibtex", "add_module_names")
    sphinx = config["sphinx"] | {
        "extra_extensions": ["rdmas.site"],
        "config": {
            key: value
            for key, value in config["sphinx"]["config"].items()
            if not key.startswith(unused)
        },
    }
    return {
        **{key: value for key, value in config.items() if key != "bibtex_bibfiles"},
        "html": config["html"] | {"extra_footer": FOOTER},
        "sphinx": sphinx,
        "author": "",
        "copyright": "",
    }


def configuration(plan: Plan, config: dict[str, Any]) -> dict[str, Any]:
    """Return settings of a site for chapters that are executed already, about this cohort."""
    sphinx = config["sphinx"]
    here = {
        "html_copy_source": False,
        "rdmas_data": str(plan.data),
        "rdmas_mask_below": plan.options.mask_below,
        "rdmas_encoding": plan.options.encoding or "",
        "rdmas_tables": False,
    }
    # This site is at another address than the book's, if at any.
    elsewhere = ("repository", "launch_buttons")
    return {
        **{key: value for key, value in config.items() if key not in elsewhere},
        "html": {key: value for key, value in config["html"].items() if key != "baseurl"},
        "title": plan.title,
        "execute": {"execute_notebooks": "off", "stderr_output": "error"},
        "sphinx": sphinx | {"recursive_update": True, "config": sphinx["config"] | here},
    }


def _settings(file: Path) -> dict[str, Any]:
    """Read settings of the book, for pages that lie beside them and not in a folder."""
    text = file.read_text(encoding="utf-8")
    return yaml.safe_load(re.sub(rf"(?<=[ \[]){BOOK}/", "", text))


def _write(file: Path, content: dict[str, Any]) -> None:
    """Write a file of settings."""
    file.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _complaints(text: str, folder: Path) -> str:
    """Return what a build complained of, without the paths of this machine."""
    lines = [
        line.replace(f"{folder}/", "").strip()
        for line in text.splitlines()
        if "WARNING" in line or "ERROR" in line or "Error" in line
    ]
    return "\n".join(lines[:10])
