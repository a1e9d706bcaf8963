"""Write the interface pages and their place in the contents: ``python tests/interface_pages.py``.

Every public module of a room, every package in a room, and every door has a page of its own. A
package that only puts private modules together is documented as one module; the public modules of
a package in a room, and those of a door, share a page.
"""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import rdmas
from rdmas.selfcheck.layers import ROOMS

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "book" / "interface"
CONTENTS = REPOSITORY / "_toc.yml"

BLOCK = """{sign} `{module}`

```{{eval-rst}}
.. automodule:: {module}
   :members:
{option}```
"""

#: A plain module's page has what it defines; what a package puts together comes from elsewhere.
OWN_ONLY = "   :ignore-module-all:\n"


def public(package: str, path: list[str]) -> list[tuple[str, list[str]]]:
    """Return the public modules in a package, each with the folder that it is, if it is one."""
    return [
        (f"{package}.{module.name}", [str(Path(path[0]) / module.name)] if module.ispkg else [])
        for module in pkgutil.iter_modules(path)
        if not module.name.startswith("_")
    ]


def pages() -> dict[str, str]:
    """Return the text of each page by its name, in the order of the contents."""
    found = {}
    for top, room in public("rdmas", list(rdmas.__path__)):
        is_room = top.removeprefix("rdmas.") in ROOMS
        for module, folder in public(top, room) if is_room else [(top, room)]:
            parts = [module, *(name for name, _ in public(module, folder) if folder)]
            blocks = [
                BLOCK.format(
                    sign="#" if part == module else "##",
                    module=part,
                    option="" if folder and len(parts) == 1 else OWN_ONLY,
                )
                for part in parts
            ]
            found[module.removeprefix("rdmas.").replace(".", "-")] = "\n".join(blocks)
    return found


def contents(names: list[str]) -> str:
    """Return the book's table of contents with these pages under the interface reference."""
    sections = "".join(f"          - file: book/interface/{name}\n" for name in names)
    before, chapter, after = CONTENTS.read_text(encoding="utf-8").partition(
        "      - file: book/reference\n        title: Interface\n"
    )
    after = re.sub(r"\A        sections:\n(          - .*\n)*", "", after)
    return f"{before}{chapter}        sections:\n{sections}{after}"


if __name__ == "__main__":
    texts = pages()
    FOLDER.mkdir(exist_ok=True)
    for page in FOLDER.glob("*.md"):
        page.unlink()
    for name, text in texts.items():
        (FOLDER / f"{name}.md").write_text(text, encoding="utf-8")
    CONTENTS.write_text(contents(list(texts)), encoding="utf-8")
