"""What a page was made from: version, data, date; and where to get it."""

from __future__ import annotations

import hashlib
import html
import os
import re
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def data_hash(folder: Path) -> str:
    """Return the beginning of a SHA-256 over all tables of a data folder and their names."""
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.csv")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def made_on() -> str:
    """Return the day of the build, or that of SOURCE_DATE_EPOCH where it is set."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(seconds), UTC) if seconds else datetime.now(UTC)
    return moment.date().isoformat()


def stamp(
    page: str, folder: Path | None, root: str, has_notebook: bool, repository: str = ""
) -> str:
    """Write the line at the foot of a page.

    Parameters
    ----------
    page : str
        Path of the page without ending.
    folder : pathlib.Path or None
        The data folder, where its tables are published with the site; None where they are not.
    root : str
        Way from the page to the top of the site.
    has_notebook : bool
        Whether the page is a chapter.
    repository : str, optional
        Address of the public repository, where it has one.
    """
    parts = [f"rdmas {html.escape(version('rdmas'))}"]
    links = []
    if folder:
        parts.append(f"data {data_hash(folder)}")
        if has_notebook:
            book, name = Path(page).parent.as_posix(), Path(page).name
            links.append((f"{root}notebooks/{name}.ipynb", "notebook"))
            links += launch(repository, page)
            links.append((f"{root}{book}/interface/show-pages.html", "helpers"))
        links += [(f"{root}data/{name}.csv", f"{name}.csv") for name in ("claims", "patients")]
    links.append((f"{root}claims.json", "claims.json"))
    parts.append(f"made {made_on()}")
    downloads = " · ".join(f'<a href="{address}">{name}</a>' for address, name in links)
    return f"<p>{' · '.join(parts)}</p>\n<p>{downloads}<!-- pdf --></p>"


def launch(repository: str, page: str) -> list[tuple[str, str]]:
    """Return where a chapter of a public repository can be run, as address and name.

    Examples
    --------
    >>> launch("https://github.com/a/b", "book/cmv")[0]
    ('https://mybinder.org/v2/gh/a/b/HEAD?labpath=book/cmv.ipynb', 'Binder')
    >>> launch("", "book/cmv")
    []
    """
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", repository)
    if not found:
        return []
    name, colab = found[1], "https://colab.research.google.com/github"
    return [
        (f"https://mybinder.org/v2/gh/{name}/HEAD?labpath={page}.ipynb", "Binder"),
        (f"{colab}/{name}/blob/HEAD/{page}.ipynb", "Colab"),
    ]


def publish(site: Path, book: Path, folder: Path) -> None:
    """Copy the chapters and the tables they read into the site, to be downloaded."""
    for name, files in (("notebooks", book.glob("*.ipynb")), ("data", folder.glob("*.csv"))):
        (site / name).mkdir(exist_ok=True)
        for file in files:
            shutil.copyfile(file, site / name / file.name)
