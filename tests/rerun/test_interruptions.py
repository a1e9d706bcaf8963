"""The whole book, killed at random moments, is in the end what an undisturbed run makes."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import cohorts
import pytest

from .test_rerun import files, processes_of, until

KILLS = 10
VOLATILE = {"ro-crate-metadata.json"}
COMMAND = [sys.executable, "-c", "from rdmas.cli import main; main()", "rerun"]


def start(data, out):
    return subprocess.Popen(
        [*COMMAND, "--data", data, "--out", out, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


class Watch(threading.Thread):
    """Looks all the time what can be seen at a place, until it is told to stop."""

    def __init__(self, out, expected):
        super().__init__(daemon=True)
        self.out, self.expected, self.faults, self.stopped = out, expected, [], False

    def run(self):
        while not self.stopped:
            if self.out.exists():
                try:
                    missing = self.expected - set(files(self.out))
                except FileNotFoundError:  # the test has just removed a finished book
                    continue
                if missing and self.out.exists():
                    self.faults.append(sorted(missing))
            time.sleep(0.02)


def without_volatile(folder):
    return {name: content for name, content in files(folder).items() if name not in VOLATILE}


@pytest.mark.long
def test_killed_at_ten_random_moments_the_book_is_that_of_an_undisturbed_run(tmp_path):
    data = cohorts.write("ordinary", tmp_path / "data")
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "book"
    began = time.monotonic()
    run = start(data, undisturbed)
    assert run.wait(1200) == 0, run.stdout.read()
    seconds = time.monotonic() - began
    expected = without_volatile(undisturbed)
    watch = Watch(out, set(expected))
    watch.start()
    moments, kills, went_on = random.Random(9), 0, 0
    while kills < KILLS:
        if out.exists():  # it was finished before ten kills: once more from the beginning
            assert without_volatile(out) == expected
            gone = tmp_path / "gone"
            out.rename(gone)
            shutil.rmtree(gone)
        run = start(data, out)
        try:
            run.wait(moments.uniform(0, 0.7 * seconds))
        except subprocess.TimeoutExpired:
            if kills % 2:
                run.kill()
            else:
                os.killpg(run.pid, signal.SIGKILL)
            kills += 1
        went_on += "Going on from an interrupted run" in run.communicate()[0]
    if not out.exists():
        run = start(data, out)
        text = run.communicate(timeout=1200)[0]
        assert run.returncode == 0, text
    watch.stopped = True
    watch.join()
    assert watch.faults == []
    assert without_volatile(out) == expected
    assert went_on >= 1
    until(lambda: not processes_of(tmp_path), 15)
