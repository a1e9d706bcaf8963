"""Many cohorts at once: the same results on one process and on two, whatever happens to them."""

import contextlib
import json
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import cloudpickle
import cohorts
import psutil
import pytest
from click.testing import CliRunner

from rdmas.cli import main
from rdmas.paper.claims import as_json, scoreboard
from rdmas.paper.cohort import load_cohort
from rdmas.paper.problems import CohortError, Problem
from rdmas.rerun import Options, RerunError, many
from rdmas.rerun.book import Job, Made, make
from rdmas.rerun.cluster import workers
from rdmas.rerun.many import claims_of, rerun_many
from rdmas.rerun.plan import RECORD
from rdmas.rerun.several import find_cohorts, is_many
from rdmas.rerun.work import locked, work_folder

# Workers cannot import this file, so what it defines is sent to them.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

NAMES = ("emapalumab", "harm", "no_deaths", "one_arm", "ordinary")
STAMPS = re.compile(rb'"(startTime|endTime|datePublished)": "[^"]*"|\d+\.\d s|kept')


def stand_in(job):
    """Make a book without chapters."""
    cohort = load_cohort(job.options.data, job.options.mask_below)
    out = job.options.out
    out.mkdir(exist_ok=True)
    (out / "index.html").write_text(cohort.title, encoding="utf-8")
    (out / "claims.json").write_text(as_json(scoreboard(cohort)), encoding="utf-8")
    (out / RECORD).write_text("{}", encoding="utf-8")
    return Made(job.name, 0.1)


@pytest.fixture
def quick(monkeypatch):
    """Books without chapters, for what is not about books."""
    monkeypatch.setattr(many, "make", stand_in)


@pytest.fixture(scope="module")
def client():
    with workers(2) as found:
        yield found


@pytest.fixture
def centres(tmp_path, chapters):
    """A register of each name, beside the folder of the chapters."""
    folder = tmp_path / "centres"
    for name in NAMES:
        cohorts.write(name, folder)
    return folder


def files(folder):
    return {
        path.relative_to(folder).as_posix(): STAMPS.sub(b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def run(centres, out, heard=None, **options):
    heard = [] if heard is None else heard
    scheduler = options.pop("scheduler", None)
    chapters = centres.parent / "chapters"
    asked = Options(data=centres, out=out, chapters=chapters, **options)
    found = find_cohorts([f"{centres}/*"], out)
    return rerun_many(found, asked, scheduler, heard.append, heard.append, progress=False)


class TestNames:
    def test_a_pattern_stands_for_folders_and_files_in_the_order_of_their_names(self, centres):
        cohorts.table("ordinary").to_csv(centres / "Berlin.csv", index=False)
        found = find_cohorts([f"{centres}/*"], centres.parent / "out")
        assert list(found) == ["Berlin", *NAMES]
        assert found["Berlin"] == centres / "Berlin.csv"

    def test_several_are_taken_together_each_once(self, centres):
        several = [centres / "harm", f"{centres}/h*", str(centres / "ordinary")]
        assert list(find_cohorts(several, "out")) == ["harm", "ordinary"]
        assert is_many(several)

    def test_a_name_with_brackets_that_is_there_is_no_pattern(self, tmp_path):
        folder = cohorts.write("ordinary", tmp_path).rename(tmp_path / "centre [1] {x}")
        assert list(find_cohorts([folder], "out")) == ["centre [1] {x}"]
        assert not is_many([folder])

    def test_what_lies_beside_registers_is_none(self, centres):
        for name in ("cohort.toml", "claims.csv", "notes.pdf", ".hidden", "~$Berlin.xlsx"):
            (centres / name).touch()
        (centres / "out").mkdir()
        assert list(find_cohorts([f"{centres}/*"], centres / "out")) == list(NAMES)

    @pytest.mark.parametrize(
        ("more", "sentence"),
        [
            ("nowhere/*", "--data nowhere/*: no table and no folder fits this pattern."),
            (
                "Ordinary.csv",
                "Ordinary.csv and ordinary would both be called 'ordinary': give each register a "
                "name of its own.",
            ),
            ("claims.json", "'claims.json' cannot be the name of a cohort; choose another."),
            (".a", "'.a' cannot be the name of a cohort; choose another."),
            ("a\nb", "'a\\nb' cannot be the name of a cohort; choose another."),
        ],
    )
    def test_names_that_would_not_do_are_refused(self, centres, more, sentence):
        if more == "Ordinary.csv":
            (centres / more).touch()
        elif "*" not in more:
            (centres / more).mkdir()
        with pytest.raises(RerunError) as refused:
            find_cohorts([f"{centres}/*", more if "*" in more else centres / more], "out")
        assert str(refused.value) == sentence


@pytest.mark.usefixtures("quick")
class TestRun:
    def test_two_workers_give_what_one_gives_to_the_last_bit(self, centres, tmp_path):
        alone = run(centres, tmp_path / "alone", workers=1)
        together = run(centres, tmp_path / "together", workers=2)
        assert alone.made == together.made == NAMES
        assert not alone.failed
        assert files(tmp_path / "alone") == files(tmp_path / "together")
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            *("alone", "centres", "chapters", "together")
        ]

    def test_the_page_links_every_book_and_says_what_was_counted(self, centres, tmp_path):
        run(centres, tmp_path / "out", title="Centres & <friends>")
        text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        assert "<h1>Centres &amp; &lt;friends&gt;</h1>" in text
        for name in NAMES:
            assert f'<a href="{name}/index.html">{name}</a>' in text
            assert (tmp_path / "out" / name / "index.html").is_file()
        assert "7 of 35" in text
        assert ">no such arm</td>" in text
        claims = json.loads((tmp_path / "out" / "claims.json").read_text(encoding="utf-8"))
        assert list(dict.fromkeys(claim["cohort"] for claim in claims)) == list(NAMES)
        own = json.loads((tmp_path / "out" / "harm" / "claims.json").read_text(encoding="utf-8"))
        assert [claim for claim in claims if claim["cohort"] == "harm"] == [
            {"cohort": "harm", **claim} for claim in own
        ]

    def test_a_bad_cohort_among_good_ones_is_named_and_the_others_are_made(self, centres, tmp_path):
        (centres / "harm" / "patients.csv").write_text("arm,died\n", encoding="utf-8")
        heard = []
        result = run(centres, tmp_path / "out", heard, workers=2)
        assert list(result.failed) == ["harm"]
        assert result.failed["harm"].startswith("harm: patients.csv")
        assert "\n" not in result.failed["harm"]
        assert result.failed["harm"] in heard
        assert result.made == tuple(name for name in NAMES if name != "harm")
        text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        assert "1 cohort is missing here, because no book could be made: harm." in text
        assert not (tmp_path / "out" / "harm").exists()

    def test_with_no_good_cohort_nothing_appears(self, centres, tmp_path):
        for name in NAMES:
            (centres / name / "patients.csv").write_text("arm,died\n", encoding="utf-8")
        with pytest.raises(RerunError, match="no cohort could be made"):
            run(centres, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_an_interrupted_run_goes_on_where_it_stopped(self, centres, tmp_path, monkeypatch):
        undisturbed = run(centres, tmp_path / "undisturbed", workers=1)
        assert not undisturbed.kept

        def interrupted(job):
            if job.name == "no_deaths":
                raise KeyboardInterrupt
            return stand_in(job)

        monkeypatch.setattr(many, "make", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(centres, tmp_path / "out", workers=1)
        monkeypatch.setattr(many, "make", stand_in)
        assert not (tmp_path / "out").exists()
        # What a reader changes meanwhile is made anew.
        cohorts.table("arms_12").to_csv(centres / "harm" / "patients.csv", index=False)
        heard = []
        result = run(centres, tmp_path / "out", heard, workers=2)
        assert heard[0] == "Going on from an interrupted run: 1 of 5 cohorts done."
        assert result.kept == ("emapalumab",)
        cohorts.table("harm").to_csv(centres / "harm" / "patients.csv", index=False)
        run(centres, tmp_path / "out", force=True)
        assert files(tmp_path / "out") == files(tmp_path / "undisturbed")

    def test_what_is_there_is_not_overwritten_unasked(self, centres, tmp_path):
        run(centres, tmp_path / "out")
        before = files(tmp_path / "out")
        with pytest.raises(RerunError, match="exists already"):
            run(centres, tmp_path / "out", level=0.9)
        assert files(tmp_path / "out") == before
        run(centres, tmp_path / "out", level=0.9, force=True)
        assert files(tmp_path / "out") != before

    def test_two_runs_into_one_folder_do_not_meet(self, centres, tmp_path):
        with (
            locked(work_folder(tmp_path / "out")),
            pytest.raises(RerunError, match="is being made by another run"),
        ):
            run(centres, tmp_path / "out")

    def test_small_counts_are_on_no_page(self, centres, tmp_path):
        run(centres, tmp_path / "out", mask_below=5)
        rows = json.loads((tmp_path / "out" / "cohorts.json").read_text(encoding="utf-8"))
        shown = {row["cohort"]: row["treated"]["deaths"] for row in rows}
        # A count of 0 is no small one; 4 of 23, 2 of 14 and 3 of 26 are.
        assert shown == dict.fromkeys(NAMES) | {"ordinary": 7, "no_deaths": 0}
        text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
        assert "not shown, of 14" in text
        assert "where a count of them is below 5" in text

    def test_files_are_readable_by_nobody_who_cannot_read_the_registers(self, centres, tmp_path):
        (centres / "harm" / "patients.csv").chmod(0o600)
        run(centres, tmp_path / "out")
        modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "out").rglob("*")}
        assert modes == {0}

    def test_nothing_of_a_patient_is_written(self, centres, tmp_path):
        for name in NAMES:
            table = centres / name / "patients.csv"
            text = table.read_text(encoding="utf-8").replace("P0000", "Zoë-19570803-")
            table.write_text(text, encoding="utf-8")
        run(centres, tmp_path / "out", workers=2)
        assert not [name for name, text in files(tmp_path / "out").items() if b"19570803" in text]


def killer(job):
    """Make a book, and kill the worker that first begins a certain one."""
    mark = Path(job.options.data).parent / ".killed"
    if job.name == "harm" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return stand_in(job)


def test_a_worker_killed_in_mid_run_changes_nothing(centres, tmp_path, monkeypatch):
    monkeypatch.setattr(many, "make", stand_in)
    run(centres, tmp_path / "alone", workers=1)
    monkeypatch.setattr(many, "make", killer)
    result = run(centres, tmp_path / "killed", workers=2)
    assert (centres / ".killed").exists()
    assert result.made == NAMES
    assert files(tmp_path / "alone") == files(tmp_path / "killed")


class TestClaims:
    def test_they_are_those_of_each_cohort_and_the_same_on_workers(self, centres, client):
        registers = [centres / name for name in NAMES] * 5
        alone, together = claims_of(registers), claims_of(registers, client)
        assert alone.equals(together)
        assert alone.attrs == together.attrs
        for name in NAMES:
            board = scoreboard(load_cohort(centres / name))
            own = alone[alone["cohort"] == str(centres / name)].head(len(board))
            assert own["id"].astype(str).tolist() == board["id"].tolist()
            assert own["recomputed"].astype(str).tolist() == board["recomputed"].tolist()
            assert own["low"].tolist() == pytest.approx(board["low"].tolist(), nan_ok=True, abs=0)

    def test_a_killed_worker_changes_nothing(self, centres, client, monkeypatch):
        registers = [centres / name for name in NAMES] * 5
        alone = claims_of(registers)

        def until_killed():
            for number, register in enumerate(registers * 2):
                if number == 30:
                    os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
                yield register

        together = claims_of(until_killed(), client)
        assert together.head(len(alone))["value"].equals(alone["value"])
        assert len(together) == 2 * len(alone)

    def test_a_bad_cohort_has_one_row_that_says_why(self, centres):
        bad = centres / "bad"
        bad.mkdir()
        (bad / "patients.csv").write_text("arm,died\n", encoding="utf-8")
        found = claims_of([centres / "harm", bad, centres / "harm"])
        (row,) = found[found["fault"].notna()].to_dict("records")
        assert row["cohort"] == str(bad)
        assert row["fault"].startswith("patients.csv")
        assert found["cohort"].iloc[-1] == str(centres / "harm")

    def test_no_cohort_has_no_claims(self):
        assert claims_of([]).empty


def test_a_book_that_a_worker_made_before_it_died_is_not_made_again(tmp_path):
    (tmp_path / RECORD).touch()
    assert make(Job("harm", Options(data=tmp_path / "nowhere", out=tmp_path))).seconds == 0


def test_why_a_cohort_cannot_be_used_passes_from_one_process_to_another():
    fault = Problem("patients.csv", "is empty", row=2)
    assert pickle.loads(pickle.dumps(CohortError(fault))).problems == (fault,)


@pytest.mark.long
def test_whole_books_are_the_same_on_a_cluster(centres, tmp_path, client):
    for name in NAMES[2:]:
        shutil.rmtree(centres / name)
    run(centres, tmp_path / "alone", workers=1)
    run(centres, tmp_path / "together", workers=2)
    address = client.scheduler.address
    run(centres, tmp_path / "elsewhere", scheduler=address)
    expected = files(tmp_path / "alone")
    assert expected == files(tmp_path / "together")
    assert expected == files(tmp_path / "elsewhere")


KILLED = """
import sys
from pathlib import Path
from rdmas.rerun import Options
from rdmas.rerun.many import rerun_many
from rdmas.rerun.several import find_cohorts

if __name__ == "__main__":
    base = Path(sys.argv[1])
    asked = Options(data=base, out=base / "killed", chapters=base / "chapters", workers=2)
    rerun_many(find_cohorts([f"{base}/centres/*"], asked.out), asked, progress=False)
"""


@pytest.mark.long
def test_runs_that_are_killed_come_to_the_same_end(centres, tmp_path):
    for name in NAMES[2:]:
        shutil.rmtree(centres / name)
    script = tmp_path / "run.py"
    script.write_text(KILLED, encoding="utf-8")
    began = time.monotonic()
    run(centres, tmp_path / "whole", workers=2)
    lasts = time.monotonic() - began
    draw = random.Random(9)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(draw.uniform(0.1, 1) * lasts)
        children = []
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert psutil.wait_procs(children, timeout=60)[1] == []
        assert not (tmp_path / "killed").exists() or (tmp_path / "killed/index.html").is_file()
    if not (tmp_path / "killed").exists():
        subprocess.run([sys.executable, str(script), str(tmp_path)], check=True)
    assert files(tmp_path / "whole") == files(tmp_path / "killed")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"centres", "chapters", "run.py", "whole", "killed"}


class TestCommand:
    @pytest.fixture(autouse=True)
    def tiny(self, quick, chapters, monkeypatch):
        monkeypatch.setattr(
            import_module("rdmas.rerun.plan"), "_chapters_of", lambda cohort: chapters
        )

    def test_a_pattern_gives_a_page_and_a_failure_exit_status_1(self, centres, tmp_path):
        pattern, out = f"{centres}/*", str(tmp_path / "out")
        result = CliRunner().invoke(main, ["rerun", "--data", pattern, "--out", out])
        assert result.exit_code == 0, result.output
        assert result.output.endswith(f"Page about 5 cohorts: {tmp_path / 'out' / 'index.html'}\n")
        (centres / "harm" / "patients.csv").write_text("arm,died\n", encoding="utf-8")
        result = CliRunner().invoke(main, ["rerun", "--data", pattern, "--out", out, "--force"])
        assert result.exit_code == 1
        assert "Traceback" not in result.output
        assert "harm: patients.csv" in result.output
        assert "1 of 5 cohorts has no book: harm." in result.output

    def test_a_scheduler_that_does_not_answer_is_one_sentence(self, centres, tmp_path):
        arguments = ["--data", f"{centres}/*", "--out", str(tmp_path / "out")]
        result = CliRunner().invoke(main, ["rerun", *arguments, "--scheduler", "tcp://127.0.0.1:9"])
        assert result.exit_code == 1
        assert result.output == "--scheduler tcp://127.0.0.1:9: no scheduler answers there.\n"
