"""Both sides of every benchmark compute the same numbers; no time is asserted."""

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

from rdmas.selfcheck import bench
from rdmas.stats.checks import Table

TINY = {
    "DATA_SETS": 6,
    "PEER_DATA_SETS": 4,
    "LARGE": Table(1, 5, 2, 5),
    "LARGE_LOST": 2,
}
# 1/5 v 4/6 is no table on which scipy drops ties.
COUNTS = Table(1, 5, 4, 6)
COLUMNS = (
    "task", "ours", "peer", "ours_seconds", "peer_seconds", "ratio", "repetitions", "peak_mib",
    "machine",
)  # fmt: skip
HAS_R = bench.r_has_survival()


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    for name, size in TINY.items():
        monkeypatch.setattr(bench, name, size)


@pytest.fixture
def work():
    return list(bench.tasks(COUNTS, with_r=HAS_R))


def test_ours_and_peer_compute_the_same_numbers(work):
    compared = 0
    for task in work:
        ours = task.ours.run()[1]
        assert len(ours) > 0
        if task.peer:
            peer = task.peer.run()[1]
            assert ours[: len(peer)] == pytest.approx(peer, abs=1e-9, nan_ok=True), task.name
            assert len(peer) == task.peer.units or task.peer.units == 1
            compared += 1
    assert compared == 4 + HAS_R


def test_seconds_are_per_unit_of_work(work):
    logrank, fisher = work[0], work[-3]
    assert (logrank.ours.units, logrank.peer.units) == (6, 4)
    assert len(logrank.ours.run()[1]) == 6
    assert fisher.ours.units == fisher.peer.units


def test_ratio_is_peer_over_ours_and_the_median_of_several_runs():
    clock = {"ours": iter([1.0, 9.0, 2.0, 9.0, 0.5]), "peer": iter([40.0, 10.0, 20.0, 10.0, 90.0])}
    sides = [
        bench.Side(name, lambda name=name: (next(clock[name]), [0.0]), units)
        for name, units in (("ours", 1), ("peer", 2))
    ]
    row = bench.measure(bench.Task("work", *sides))
    assert (row["ours_seconds"], row["peer_seconds"], row["ratio"]) == (2, 10, 5)


def test_a_task_without_a_peer_has_no_ratio_and_may_have_a_peak(work):
    (task,) = (task for task in work if task.with_memory)
    row = bench.measure(task)
    assert row["peer"] is row["peer_seconds"] is row["ratio"] is None
    assert 0 < row["peak_mib"] < 100


def small_run(monkeypatch, path):
    monkeypatch.setattr(bench, "r_has_survival", lambda: False)
    everything = bench.tasks
    monkeypatch.setattr(bench, "tasks", lambda deaths, with_r: everything(COUNTS, with_r))
    monkeypatch.setattr(bench, "REPETITIONS", 1)
    return CliRunner().invoke(bench.main, [str(path)])


def test_the_command_prints_and_stores_the_table(monkeypatch, tmp_path):
    result = small_run(monkeypatch, tmp_path / "benchmarks.csv")
    assert result.exit_code == 0, result.output
    assert "left out" in result.output
    assert "lifelines logrank_test" in result.output
    stored = pd.read_csv(tmp_path / "benchmarks.csv")
    assert tuple(stored.columns) == COLUMNS
    assert stored["machine"].str.fullmatch(r"\d+ cores, Python 3\.\d+\.\d+\S*").all()


def test_an_interrupted_run_leaves_the_old_file(monkeypatch, tmp_path):
    path = tmp_path / "benchmarks.csv"
    path.write_text("old\n", encoding="utf-8")

    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measure", interrupt)
    assert small_run(monkeypatch, path).exit_code != 0
    assert path.read_text(encoding="utf-8") == "old\n"


def test_the_stored_table_has_every_row_and_no_machine_name():
    stored = pd.read_csv(REPOSITORY / "book" / "benchmarks.csv")
    assert tuple(stored.columns) == COLUMNS
    assert set(stored["peer"].dropna()) >= {"lifelines logrank_test", "scipy fisher_exact"}
    assert (stored.loc[stored["peer"].notna(), "ratio"] > 0).all()
    assert stored["machine"].str.fullmatch(r"\d+ cores, Python 3\.\d+\.\d+\S*").all()
