"""One direction of imports, nothing of this paper in the package, a complete lock."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from conftest import REPOSITORY

from rdmas.paper.cohort import load_cohort

SOURCES = sorted((REPOSITORY / "src" / "rdmas").rglob("*.py"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")


def test_modules_hang_together_in_one_direction():
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [command, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout


def literals(path):
    """Yield the strings of a module that are not documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", [])
        for statement in body if isinstance(body, list) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                documentation.add(id(statement.value))
    for node in ast.walk(tree):
        text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and id(node) not in documentation:
            yield text


@pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: path.relative_to(SOURCES[0].parent).as_posix()
)
def test_no_module_knows_this_papers_values(path):
    """What the data package declares stays in the data package."""
    cohort = load_cohort()
    names = {*cohort.arms, *cohort.claims["id"]}
    names |= set(cohort.fields()["diagnosis"]["constraints"]["enum"])
    # What every register may call its second arm, and this paper happens to.
    names -= {"control"}
    names |= {text for text in cohort.claims["reported"] if re.search(r"\d[./%]", text)}
    assert not names & set(literals(path))


def test_every_direct_dependency_is_locked_with_hashes():
    direct = PROJECT["project"]["dependencies"] + [
        entry for group in PROJECT["dependency-groups"].values() for entry in group
    ]
    names = [re.match(r"[A-Za-z0-9_-]+", entry)[0].lower().replace("_", "-") for entry in direct]
    locked = re.findall(r"^([a-z0-9._-]+)==\S+", LOCK, re.MULTILINE)
    assert set(names) <= {name.replace("_", "-") for name in locked}
    blocks = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert len(locked) == len(set(locked)), "one version of each package on every Python"


def test_no_registry_address_or_machine_path_is_committed():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    forbidden = re.compile(r"--(extra-)?index-url|--find-links|file:///|/root/|/home/\w+/")
    for name in listed.stdout.split():
        path = REPOSITORY / name
        if path == Path(__file__) or not path.is_file():
            continue
        found = forbidden.search(path.read_text(encoding="utf-8", errors="ignore"))
        assert not found or name == "Makefile", (name, found)
