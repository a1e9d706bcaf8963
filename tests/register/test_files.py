"""Files that readers name (groups 1 to 6 of the cases): each refusal is quick and one sentence."""

import os
import socket
import time
from pathlib import Path

import pytest

from rdmas.paper.problems import CohortError
from rdmas.paper.register.files import LIMIT, read_bytes
from rdmas.paper.validation import problems


def to_itself(path):
    path.symlink_to(path.name)


def in_a_circle(path):
    other = path.with_name("other.csv")
    path.symlink_to(other)
    other.symlink_to(path)


def to_nothing(path):
    path.symlink_to("gone.csv")


def to_a_device(path):
    path.symlink_to("/dev/zero")


def to_a_silent_device(path):
    path.symlink_to("/dev/tty")


def to_the_outside(path):
    outside = path.parent.parent / "outside.csv"
    outside.write_text("a,b\n")
    path.symlink_to(outside)


def by_a_folder_to_the_outside(path):
    outside = path.parent.parent / "elsewhere"
    outside.mkdir(exist_ok=True)
    (outside / "table.csv").write_text("a,b\n")
    (path.parent / "within").symlink_to(outside)
    path.symlink_to("within/table.csv")


def a_pipe(path):
    os.mkfifo(path)


def a_link_to_a_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def a_socket(path):
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def a_folder(path):
    path.mkdir()


def too_long(path):
    path.write_bytes(b"")
    os.truncate(path, LIMIT + 1)


def as_long_as_a_disk(path):
    path.write_bytes(b"")
    os.truncate(path, 2**42)


ODD = {
    to_itself: "is a link that leads back to itself",  # group 1
    in_a_circle: "is a link that leads back to itself",
    to_nothing: "is a link to nothing",
    to_a_device: "is a device and not a regular file; nothing was read from it",  # group 2
    to_a_silent_device: "is a device and not a regular file; nothing was read from it",
    to_the_outside: "is a link out of its folder, which is not followed; copy the file there",
    by_a_folder_to_the_outside: "is a link out of its folder, which is not followed; "
    "copy the file there",
    a_pipe: "is a pipe and not a regular file; save what it brings as a file",  # group 3
    a_link_to_a_pipe: "is a pipe and not a regular file; save what it brings as a file",
    a_socket: "is a socket and not a regular file; nothing was read from it",
    a_folder: "is a folder; a file must stand there",  # group 4
    too_long: "is longer than the limit of 50 MB; keep only what is needed in it",  # group 6
    as_long_as_a_disk: "is longer than the limit of 50 MB; keep only what is needed in it",
}


@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_an_odd_file_is_refused_at_once(tmp_path, make):
    folder = tmp_path / "register"
    folder.mkdir()
    make(folder / "patients.csv")
    start = time.monotonic()
    with pytest.raises(CohortError) as refusal:
        read_bytes(folder / "patients.csv")
    assert time.monotonic() - start < 2
    assert str(refusal.value) == f"patients.csv: {ODD[make]}."


@pytest.mark.parametrize("file", ["patients.csv", "datapackage.json"])
@pytest.mark.parametrize("make", ODD, ids=lambda make: make.__name__)
def test_a_file_of_a_package_is_refused_in_the_same_words(data_copy, make, file):
    (data_copy / file).unlink()
    make(data_copy / file)
    assert [str(problem) for problem in problems(data_copy)] == [f"{file}: {ODD[make]}."]


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):  # group 5
    file = tmp_path / "patients.csv"
    file.write_text("a,b\n")
    file.chmod(0)

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    if os.geteuid() == 0:  # the superuser may read everything
        monkeypatch.setattr(os, "open", denied)
    with pytest.raises(CohortError, match=r"^patients.csv: may not be read; ask for the perm.*\.$"):
        read_bytes(file)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("x" * 300, "is a name too long for a file."),
        ("a\0b", "cannot be read (embedded null byte)."),
        ("a\nb\x1b[2J", "not found in "),
        ("\udcff", "not found in "),
    ],
)
def test_a_name_that_no_file_has_is_refused_on_one_line(tmp_path, name, sentence):
    with pytest.raises(CohortError) as refusal:
        read_bytes(tmp_path / name)
    assert sentence in str(refusal.value)
    assert str(refusal.value).isprintable()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "register").write_text("a,b\n")
    with pytest.raises(CohortError, match=r": is a file; name the data folder\.$"):
        read_bytes(tmp_path / "register" / "patients.csv")


def test_a_link_to_a_file_of_the_folder_is_read(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "2024.csv").write_text("a,b\n")
    (tmp_path / "data" / "patients.csv").symlink_to("2024.csv")
    (tmp_path / "link").symlink_to("data")
    assert read_bytes(tmp_path / "data" / "patients.csv") == b"a,b\n"
    assert read_bytes(tmp_path / "link" / "patients.csv") == b"a,b\n"


def test_a_pipe_that_takes_the_place_of_a_file_is_not_read(tmp_path, monkeypatch):
    file = tmp_path / "patients.csv"
    file.write_text("a,b\n")
    opened = os.open

    def exchanged(path, *rest):
        file.unlink()
        os.mkfifo(file)
        return opened(path, *rest)

    monkeypatch.setattr(os, "open", exchanged)
    with pytest.raises(CohortError, match="is a pipe"):
        read_bytes(file)


def test_the_limit_is_the_callers(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"x" * 10)
    assert len(read_bytes(tmp_path / "a.toml", limit_bytes=10)) == 10
    with pytest.raises(CohortError, match=r"a.toml: is longer than the limit of 9 bytes"):
        read_bytes(tmp_path / "a.toml", limit_bytes=9)


def test_settings_nested_without_end_are_refused(data_copy):  # group 6
    (data_copy / "datapackage.json").write_text("[" * 100_000)
    assert [str(p) for p in problems(data_copy)] == ["datapackage.json: is nested too deep."]


@pytest.mark.parametrize(
    ("file", "what"), [("patients.csv", "the table"), ("datapackage.json", "it")]
)
def test_a_nul_byte_in_a_package_is_refused_with_its_row(data_copy, file, what):  # group 7
    lines = (data_copy / file).read_bytes().splitlines()
    lines[3] += b"\0"
    (data_copy / file).write_bytes(b"\n".join(lines))
    sentence = f"{file}, row 4: holds a NUL byte; save {what} as plain text."
    assert [str(problem) for problem in problems(data_copy)] == [sentence]
