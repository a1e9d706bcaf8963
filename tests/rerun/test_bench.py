"""The benchmark of many cohorts does the work it says; no time is asserted."""

import itertools

import pandas as pd
import pytest
from click.testing import CliRunner

from rdmas.paper.cohort import load_cohort
from rdmas.rerun import bench

COLUMNS = (
    *("task", "cohorts", "workers", "seconds", "per_second", "ratio"),
    *("first", "peak_mib_first", "peak_mib", "machine"),
)


def test_synthetic_registers_can_be_read_and_differ(tmp_path):
    found = [load_cohort(path) for path in bench.synthetic(tmp_path, 4)]
    assert len({cohort.deaths() for cohort in found}) == 4
    assert all(20 <= len(cohort.patients) <= 60 for cohort in found)


def test_both_sides_do_all_the_work_in_turn(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock) ** 2)
    done = []
    rows = bench.measure("work", lambda *turn: done.append(turn), "abcde", 2)
    assert done == [("ab", 1, 0), ("ab", 2, 0), ("cde", 1, 1), ("cde", 2, 1)]
    assert [row["seconds"] for row in rows] == [1 + 9, 5 + 13]
    assert [row["ratio"] for row in rows] == pytest.approx([1, 1.8])


def test_the_command_prints_and_stores_the_table(monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "BLOCKS", 2)
    path = tmp_path / "cohorts.csv"
    result = CliRunner().invoke(bench.main, [str(path), "--claims", "8", "--books", "0"])
    assert result.exit_code == 0, result.output
    assert tuple(pd.read_csv(path).columns) == COLUMNS
