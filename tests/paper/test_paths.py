"""Where the companion's own data are found."""

import pytest

from rdmas.paper import paths


def test_companion_data_are_found_from_any_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = paths.companion_data_dir()
    assert folder.is_absolute()
    assert (folder / "datapackage.json").is_file()
    assert (folder / "claims.csv").is_file()


def test_a_package_without_its_repository_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "src" / "rdmas" / "paper" / "paths.py"))
    with pytest.raises(FileNotFoundError, match="pip install --editable"):
        paths.companion_data_dir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "datapackage.json").write_text("{}", encoding="utf-8")
    assert paths.companion_data_dir() == tmp_path.resolve() / "data"


def test_a_path_that_may_not_be_looked_at_is_no_folder_and_not_there(monkeypatch, tmp_path):
    def refuse(*_):
        raise PermissionError

    assert paths.is_folder(tmp_path) and paths.is_there(tmp_path)
    monkeypatch.setattr("pathlib.Path.stat", refuse)
    monkeypatch.setattr("pathlib.Path.lstat", refuse)
    assert not paths.is_folder(tmp_path) and not paths.is_there(tmp_path)


def test_a_link_to_nothing_is_there(tmp_path):
    (tmp_path / "link").symlink_to("nothing")
    assert paths.is_there(tmp_path / "link") and not paths.is_folder(tmp_path / "link")
    assert not paths.is_there(tmp_path / "nothing") and not paths.is_there(tmp_path / "a\0b")
