"""Point 10 of the issue: what was planted in a register is found nowhere in its book."""

import base64
import re

import cohorts
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

from rdmas.cli import main

from .test_rerun import files

EMBEDDED = re.compile(rb"[A-Za-z0-9+/]{80,}={0,2}")
SETTINGS = """\
title = "Anakinra in Münster"
drug = "Anakinra"
disease = "MAS"
treatment = "Anakinra"
control = "ohne Anakinra"
"""


def everything(content):
    """Yield the bytes of a file and of what is embedded in it."""
    yield content
    for block in EMBEDDED.findall(content.replace(rb"\n", b"")):
        yield base64.b64decode(block + b"=" * (-len(block) % 4))


@pytest.mark.long
def test_no_id_and_no_date_of_a_patient_leaves_the_register(tmp_path):
    folder = tmp_path / "place of the register" / "register"
    folder.mkdir(parents=True)
    table = cohorts.german()
    table["Pat.-Nr."] = [f"Müller-{number:03}-X" for number in range(len(table))]
    table.to_csv(folder / "Register.csv", sep=";", index=False, encoding="cp1252")
    (folder / "cohort.toml").write_text(SETTINGS, encoding="utf-8")
    dates = {
        date
        for column in ("Therapiebeginn", "Todesdatum", "Letzter Kontakt")
        for date in table[column]
        if date
    }
    out = tmp_path / "out"
    arguments = ["rerun", "--data", str(folder), "--out", str(out), "--encoding", "cp1252"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    places = {"place of the register", str(REPOSITORY), str(tmp_path)}
    planted = {text.encode() for text in {*dates, "Müller-", *places}}
    assert len(dates) > 100
    held = files(out)
    for name, content in held.items():
        for part in everything(content):
            assert not [text for text in planted if text in part], name
    assert b"Anakinra" in held["survival.html"]
    assert not [text for text in planted - {str(tmp_path).encode()} if text in result.stdout_bytes]
