"""A whole run on tiny chapters: what appears, what is refused, what an interruption leaves."""

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import cohorts
import nbformat
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

from rdmas import rerun as room
from rdmas.cli import main
from rdmas.paper.paths import cohort_chapters_dir
from rdmas.rerun import Options, RerunError, execute, rerun
from rdmas.rerun.work import locked, work_folder

from .conftest import READ, chapter

SENTINEL = "Zoë-1957"


@pytest.fixture
def data(tmp_path):
    """An ordinary register, one of whose ids must be found nowhere else."""
    folder = cohorts.write("ordinary", tmp_path)
    table = folder / "patients.csv"
    text = table.read_text(encoding="utf-8").replace("P00001", SENTINEL)
    table.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def no_site(monkeypatch):
    """A stand-in for the site, for what is not about pages."""

    def build_site(run, executed, work, settings):
        site = work / "site"
        site.mkdir()
        (site / "index.html").write_text("a page", encoding="utf-8")
        (site / "claims.json").write_text("[]", encoding="utf-8")
        return site

    monkeypatch.setattr(room, "build_site", build_site)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def leftovers(folder):
    return sorted(path.name for path in folder.iterdir() if "rdmas" in path.name)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two books of the same register, one made with two workers, in folders with odd names."""
    base = tmp_path_factory.mktemp("ünd {data_dir} [x] %s")
    folder = base / "chapters"
    folder.mkdir()
    for name, title in (("index", "A cohort"), ("survival", "How many survived?")):
        nbformat.write(chapter(title, READ), folder / f"{name}.ipynb")
    data = cohorts.write("ordinary", base / "private")
    table = data / "patients.csv"
    text = table.read_text(encoding="utf-8").replace("P00001", SENTINEL)
    table.write_text(text, encoding="utf-8")
    table.chmod(0o640)
    lines = []
    for name, workers in (("one", 1), ("two", 2)):
        rerun(
            Options(
                table, base / name, title="<b>{x}</b>", workers=workers, chapters=folder,
                aggregate_only=True, encoding="cp1252",
            ),
            say=lines.append,
        )  # fmt: skip
    return base, lines


def test_the_book_appears_whole_and_nothing_else_is_left(made):
    base, lines = made
    assert leftovers(base) == []
    assert {
        "index.html", "survival.html", "claims.json", "claims.schema.json",
        "notebooks/index.ipynb", "notebooks/survival.ipynb", "ro-crate-metadata.json",
    } <= set(files(base / "one"))  # fmt: skip
    page = (base / "one" / "index.html").read_text(encoding="utf-8")
    assert "63 patients. Encoding: Latin-1 (Windows-1252), as named." in page
    assert "{x}" in (base / "one" / "notebooks" / "index.ipynb").read_text(encoding="utf-8")
    assert "<title>&lt;b&gt;{x}&lt;/b&gt;</title>" in page
    assert 'class="name" href="#">&lt;b&gt;{x}' in page
    assert not any(word in " ".join(lines) for word in (SENTINEL, "patients.csv", str(base)))


def test_only_the_record_differs_from_run_to_run(made):
    one, two = (files(made[0] / name) for name in ("one", "two"))
    assert set(one) == set(two)
    assert [name for name in one if one[name] != two[name]] == ["ro-crate-metadata.json"]


def test_nothing_published_names_a_patient_or_a_place(made):
    base, _ = made
    forbidden = (SENTINEL, base.name, "private", str(Path.cwd()), sys.prefix, "rdmas-work")
    for name, content in files(base / "one").items():
        text = content.decode("utf-8", "ignore")
        assert [word for word in forbidden if word in text] == [], name


def test_the_published_parameters_hold_the_name_of_the_file_and_not_its_place(made):
    notebook = nbformat.read(made[0] / "one" / "notebooks" / "survival.ipynb", as_version=4)
    assert notebook.cells[2].source.splitlines() == [
        "# Parameters",
        'data_dir = "patients.csv"',
        "level = 0.95",
        "aggregate_only = True",
        "mask_below = 0",
    ]
    assert notebook.cells[2].metadata["tags"] == ["injected-parameters", "hide-cell"]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(set(cell.metadata) <= {"tags"} for cell in notebook.cells)


def test_no_file_can_be_read_by_more_people_than_the_register(made):
    for path in [made[0] / "one", *(made[0] / "one").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o027 == 0o020 & mode & 0o007 or not mode & (
            0o007 if path.is_dir() else 0o137
        )


def test_the_record_is_a_process_run_crate(made):
    text = (made[0] / "one" / "ro-crate-metadata.json").read_text(encoding="utf-8")
    graph = {entity["@id"]: entity for entity in json.loads(text)["@graph"]}
    assert graph["./"]["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}
    action = graph["#run"]
    assert action["@type"] == "CreateAction" and action["startTime"] < action["endTime"]
    objects = [graph[item["@id"]] for item in action["object"]]
    read = next(item for item in objects if item["@type"] == "File")
    table = made[0] / "private" / "ordinary" / "patients.csv"
    assert read["name"] == "patients.csv" and read["sha256"] == room.sha256(table)
    given = {item["name"]: item["value"] for item in objects if item["@type"] == "PropertyValue"}
    assert given["level"] == 0.95 and given["data_dir"] == "patients.csv"
    assert given["encoding"] == "cp1252"
    versions = {
        entity["name"]: entity["softwareVersion"]
        for entity in graph.values()
        if entity["@type"] == "SoftwareApplication"
    }
    assert {"rdmas", "Python", "pandas", "lifelines"} <= set(versions)
    for item in action["result"]:
        assert (made[0] / "one" / item["@id"]).is_file()


def test_every_identifier_of_the_record_is_defined_in_it(made):
    text = (made[0] / "one" / "ro-crate-metadata.json").read_text(encoding="utf-8")
    graph = json.loads(text)["@graph"]
    known = {entity["@id"] for entity in graph}

    def named(value):
        if isinstance(value, dict):
            yield from [value["@id"]] if set(value) == {"@id"} else []
            for part in value.values():
                yield from named(part)
        elif isinstance(value, list):
            for part in value:
                yield from named(part)

    outside = set(named(graph)) - known
    assert all(name.startswith("https://") for name in outside), outside


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"workers": 0}, "--workers is 0; at least 1 is needed."),
        ({"level": 95.0}, "--level is 95; it must lie between 0 and 1, as 0.95."),
        ({"level": float("nan")}, "--level is nan; it must lie between 0 and 1, as 0.95."),
        ({"mask_below": -1}, "--mask-below is -1; it must be 0 or more."),
        ({"encoding": "utf-9"}, "--encoding 'utf-9' is not known; utf-8 is an example."),
        ({"title": " "}, "--title must be one line of text, of 1 to 200 characters."),
        ({"title": "a\nb"}, "--title must be one line of text, of 1 to 200 characters."),
    ],
)
def test_unusable_options_are_refused_before_anything_runs(
    data, chapters, tmp_path, change, sentence
):
    with pytest.raises(RerunError) as refused:
        rerun(Options(data, tmp_path / "out", chapters=chapters, **change))
    assert str(refused.value) == sentence
    assert leftovers(tmp_path) == [] and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--worker", "2"],
        ["-p", "level", "0.9"],
        ["--workers", "two"],
        ["--mask-below"],
    ],
)
def test_a_misspelt_option_is_one_sentence_and_exit_status_1(data, tmp_path, arguments):
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["rerun", "--data", data, "--out", out, *arguments])
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1 and "Traceback" not in result.output
    assert not out.exists() and leftovers(tmp_path) == []


@pytest.mark.parametrize("change", [{"aggregate_only": True}, {"mask_below": 5}])
def test_what_chapters_about_a_paper_cannot_do_is_refused(tmp_path, change):
    with pytest.raises(RerunError, match="are for patients' records"):
        rerun(Options(REPOSITORY / "data", tmp_path / "out", **change))
    assert leftovers(tmp_path) == []


def test_invalid_data_are_refused_and_nothing_is_written(data, chapters, tmp_path):
    (data / "patients.csv").unlink()
    result = CliRunner().invoke(main, ["rerun", "--data", data, "--out", tmp_path / "a" / "out"])
    assert result.exit_code == 1
    assert not (tmp_path / "a").exists()


def test_a_place_that_would_meet_the_data_is_refused(data, chapters, tmp_path):
    inside, link = data / "sub" / "out", tmp_path / "link"
    link.symlink_to(data)
    for out in (data, inside, link / "out"):
        with pytest.raises(RerunError, match="lies in the data folder"):
            rerun(Options(data, out, chapters=chapters))
    for table, out in ((data, tmp_path), (data / "patients.csv", data)):
        with pytest.raises(RerunError, match="holds the data"):
            rerun(Options(table, out, chapters=chapters, force=True))
    assert leftovers(tmp_path) == [] and leftovers(data) == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("file/out", "out: cannot be made, since file is a file."),
        ("x" * 250, "." + "x" * 59 + ": cannot be written or read (File name too long)."),
        ("file", "file: exists already; name another folder, or give --force."),
    ],
)
def test_a_place_that_cannot_hold_a_book_is_refused(data, plain, tmp_path, name, sentence):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(RerunError) as refused:
        rerun(Options(data, tmp_path / name, chapters=plain))
    assert str(refused.value) == sentence


def test_what_stands_there_is_left_as_it_is(data, chapters, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(RerunError, match="exists already"):
        rerun(Options(data, out, chapters=chapters))
    with pytest.raises(RerunError, match="holds no book made by rdmas rerun"):
        rerun(Options(data, out, chapters=chapters, force=True))
    (tmp_path / "pointer").symlink_to(out)
    with pytest.raises(RerunError, match="is not a folder"):
        rerun(Options(data, tmp_path / "pointer", chapters=chapters, force=True))
    assert files(out) == {"mine": b"mine"}


PLAIN = "print('done')"


@pytest.fixture
def plain(tmp_path):
    """A folder of two chapters that need nothing."""
    folder = tmp_path / "chapters"
    folder.mkdir()
    for name in ("index", "survival"):
        nbformat.write(chapter(name, PLAIN), folder / f"{name}.ipynb")
    return folder


@pytest.mark.parametrize("swap", ["in one step", "in two steps"])
def test_force_replaces_an_earlier_book(data, plain, tmp_path, no_site, monkeypatch, swap):
    out = tmp_path / "out"
    out.mkdir()
    (out / "ro-crate-metadata.json").write_text("{}", encoding="utf-8")
    (out / "old.html").write_text("old", encoding="utf-8")
    if swap == "in two steps":
        monkeypatch.setattr("rdmas.rerun.work._exchange", lambda one, other: False)
    rerun(Options(data, out, chapters=plain, force=True))
    assert "old.html" not in files(out) and "index.html" in files(out)
    assert leftovers(tmp_path) == []


def test_a_book_that_appears_meanwhile_is_not_overwritten(
    data, plain, tmp_path, no_site, monkeypatch
):
    out = tmp_path / "out"

    def record(*arguments):
        out.mkdir()
        (out / "theirs").write_text("theirs", encoding="utf-8")
        return "{}"

    monkeypatch.setattr(room, "record", record)
    with pytest.raises(RerunError, match="has appeared meanwhile"):
        rerun(Options(data, out, chapters=plain))
    assert files(out) == {"theirs": b"theirs"}


def test_data_that_change_meanwhile_make_no_book(data, plain, tmp_path, no_site, monkeypatch):
    def record(*arguments):
        with (data / "patients.csv").open("a", encoding="utf-8") as table:
            table.write("\n")
        return "{}"

    monkeypatch.setattr(room, "record", record)
    with pytest.raises(RerunError, match="changed while the book was made"):
        rerun(Options(data, tmp_path / "out", chapters=plain))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("code", "sentence", "detail"),
    [
        ("raise ValueError('P7 died')", "Chapter survival stopped in cell 4 (ValueError).",
         "P7 died"),
        ("import warnings; warnings.warn('P7')", "Chapter survival warned in cell 4.", "P7"),
        ("import os; os._exit(1)", "Chapter survival lost its kernel; perhaps memory was short.",
         ""),
    ],
)  # fmt: skip
def test_a_chapter_that_stops_is_named_and_its_values_are_kept_apart(
    data, plain, tmp_path, no_site, code, sentence, detail
):
    nbformat.write(chapter("survival", code), plain / "survival.ipynb")
    with pytest.raises(RerunError) as stopped:
        rerun(Options(data, tmp_path / "out", workers=1, chapters=plain))
    assert str(stopped.value) == sentence and detail in stopped.value.detail
    assert not (tmp_path / "out").exists()
    for content in files(work_folder(tmp_path / "out")).values():
        assert b"P7" not in content or b"raise" in content
    # A chapter that was mended is executed, and the other one is not again.
    nbformat.write(chapter("survival", PLAIN), plain / "survival.ipynb")
    lines = []
    result = rerun(Options(data, tmp_path / "out", workers=1, chapters=plain), say=lines.append)
    assert (result.executed, result.kept) == (("survival",), ("index",))
    assert "Going on from an interrupted run: 1 of 2 chapters done." in lines


def test_a_full_disk_is_a_sentence(data, plain, tmp_path, no_site, monkeypatch):
    def no_space(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")

    with monkeypatch.context() as full:
        full.setattr(room, "write_whole", no_space)
        with pytest.raises(RerunError, match=r"^out: no space is left on the disk; what is done"):
            rerun(Options(data, tmp_path / "out", chapters=plain))
    assert not (tmp_path / "out").exists()
    result = rerun(Options(data, tmp_path / "out", chapters=plain))
    assert result.kept == ("index", "survival")


def test_a_full_disk_under_a_worker_is_the_same_sentence(data, plain, tmp_path, monkeypatch):
    patched = (
        "import errno, rdmas.rerun.worker as w\n"
        "def no_space(*a): raise OSError(errno.ENOSPC, 'no space')\n"
        "w.write_whole = no_space; w.main()"
    )
    monkeypatch.setattr(execute, "START", patched)
    with pytest.raises(RerunError, match=r"^out: no space is left on the disk"):
        rerun(Options(data, tmp_path / "out", chapters=plain))


def test_workers_find_the_package_wherever_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"src{os.pathsep}/elsewhere{os.pathsep}")
    monkeypatch.setenv("JUPYTER_PATH", "/mine")
    monkeypatch.setenv("RDMAS_TITLE", "of an earlier run")
    settings = execute.environment(None, None)
    assert settings["PYTHONPATH"] == f"{tmp_path / 'src'}{os.pathsep}/elsewhere"
    assert not {"JUPYTER_PATH", "RDMAS_TITLE", "RDMAS_ENCODING"} & set(settings)


def test_two_runs_into_one_folder_do_not_meet(data, plain, tmp_path):
    out = tmp_path / "out"
    with locked(work_folder(out)), pytest.raises(RerunError) as refused:
        rerun(Options(data, out, chapters=plain))
    assert str(refused.value) == (
        f"out: is being made by another run (process {os.getpid()}); wait for it to end, or "
        "name another folder."
    )


RUN = """\
import sys
from pathlib import Path
from rdmas import rerun as room
def build_site(run, executed, work, settings):
    site = work / "site"
    site.mkdir()
    (site / "index.html").write_text("a page", encoding="utf-8")
    return site
room.build_site = build_site
data, out, chapters, workers = sys.argv[1:]
result = room.rerun(
    room.Options(Path(data), Path(out), workers=int(workers), chapters=Path(chapters)),
    say=lambda line: print(line, flush=True),
)
print("kept:", *result.kept)
"""

WAIT = """\
import pathlib, time
pathlib.Path({here!r}).touch()
while not pathlib.Path({go!r}).exists():
    time.sleep(0.05)"""


def heeds_ctrl_c():
    """Undo what a shell does to what runs in the background: tests may run there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begin(*arguments):
    """Start Python in a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heeds_ctrl_c,
    )


def start(data, out, chapters, workers=1):
    return begin(RUN, data, out, chapters, str(workers))


def ended(run):
    """Return what a run that is about to end has said; it does not outlive the test."""
    try:
        return run.communicate(timeout=60)[0]
    finally:
        run.kill()


def processes_of(work):
    """Processes of a run, by the folder they were given or are in."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            place = (entry / "cwd").readlink().is_relative_to(work)
            if place or os.fsencode(work) in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this takes too long"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "end",
    [
        "kill -9",
        "Ctrl-C",
        pytest.param("terminate", marks=pytest.mark.long),
        pytest.param("kill -9 of the whole group", marks=pytest.mark.long),
    ],
)
def test_an_interrupted_run_leaves_no_process_and_the_next_one_goes_on(data, plain, tmp_path, end):
    out, here, go = tmp_path / "out", tmp_path / "here", tmp_path / "go"
    waiting = chapter("survival", WAIT.format(here=str(here), go=str(go)))
    nbformat.write(waiting, plain / "survival.ipynb")
    run = start(data, out, plain)
    until(here.exists)
    work = work_folder(out)
    assert not out.exists() and stat.S_IMODE(work.stat().st_mode) == 0o700
    with pytest.raises(RerunError, match=f"made by another run .process {run.pid}."):
        rerun(Options(data, out, chapters=plain))
    assert len(processes_of(work)) == 2  # a worker and its kernel
    if end == "kill -9 of the whole group":
        os.killpg(run.pid, signal.SIGKILL)
    elif end == "Ctrl-C":
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.SIGKILL if end == "kill -9" else signal.SIGTERM)
    text = ended(run)
    assert text.startswith("index: executed in ")
    until(lambda: not processes_of(work), 15)
    assert not out.exists()
    assert list(work.glob("worker-*/tmp*.json")), "the kernel's key is nowhere else"
    go.touch()
    again = start(data, out, plain)
    text = again.communicate(timeout=120)[0]
    assert text.splitlines()[0] == "Going on from an interrupted run: 1 of 2 chapters done."
    assert text.splitlines()[-1] == "kept: index"
    assert "index.html" in files(out) and leftovers(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(path.stem, marks=[] if path.stem == "cmv" else pytest.mark.long)
        for path in sorted(cohort_chapters_dir().glob("*.ipynb"))
    ],
)
def test_plain_papermill_executes_one_chapter_from_any_folder(data, tmp_path, name):
    """Group 47 and 48: with a path relative to where one is, and never on other data than meant."""
    command = [sys.executable, "-m", "papermill", cohort_chapters_dir() / f"{name}.ipynb"]
    options = {"cwd": tmp_path, "capture_output": True, "text": True, "check": False}
    done = subprocess.run([*command, "out.ipynb", "-p", "data_dir", "ordinary"], **options)
    assert done.returncode == 0, done.stderr[-2000:]
    text = (tmp_path / "out.ipynb").read_text(encoding="utf-8")
    assert "**The answer.**" in text and "{glue}" not in text
    wrong = subprocess.run([*command, "out.ipynb", "-p", "datadir", "ordinary"], **options)
    assert wrong.returncode != 0 and "is no parameter of this chapter" in wrong.stderr


def test_a_worker_that_is_killed_is_said_and_its_kernel_ends(data, plain, tmp_path):
    out, here, go = tmp_path / "out", tmp_path / "here", tmp_path / "go"
    waiting = chapter("survival", WAIT.format(here=str(here), go=str(go)))
    nbformat.write(waiting, plain / "survival.ipynb")
    run = start(data, out, plain)
    until(here.exists)
    work = work_folder(out)
    (worker,) = [
        pid
        for pid in processes_of(work)
        if b"rdmas.rerun.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(worker, signal.SIGKILL)
    assert "Chapter survival lost its worker process" in ended(run)
    until(lambda: not processes_of(work), 15)
    assert not out.exists()


def test_ctrl_c_ends_the_command_in_a_sentence(data, tmp_path):
    out = tmp_path / "out"
    command = ("from rdmas.cli import main; main()", "rerun")
    run = begin(*command, "--data", data, "--out", out, "--workers", "1")
    work = work_folder(out)
    until(lambda: processes_of(work))
    os.killpg(run.pid, signal.SIGINT)
    text = ended(run)
    assert run.returncode == 130
    assert text.splitlines() == [
        "Interrupted. What is done is kept; the same command goes on there."
    ]
    until(lambda: not processes_of(work), 15)
