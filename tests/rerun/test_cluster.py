"""Worker processes: real ones, on the loopback interface."""

import os
import re
import signal
import subprocess
import sys
import time

import cloudpickle
import psutil
import pytest

from rdmas.rerun import cluster
from rdmas.rerun.cluster import DEATHS_SURVIVED, WorkerError, each, workers

# Workers cannot import this file, so what it defines is sent to them.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def square(number):
    time.sleep(0.02)
    if number == 13:
        raise ValueError("thirteen")
    return number**2


def deadly_once(folder):
    """Kill the worker that does this first."""
    try:
        (folder / "done").touch(exist_ok=False)
    except FileExistsError:
        return "survived"
    return os.kill(os.getpid(), signal.SIGKILL)


def always_deadly(number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.fixture(scope="module")
def client():
    with workers(2) as found:
        yield found


def listening(process):
    return [
        connection.laddr.ip
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]


def values(outcomes):
    return [outcome.value for outcome in sorted(outcomes, key=lambda outcome: outcome.place)]


def test_one_worker_is_this_process():
    with workers(1) as client:
        assert client is None
    assert values(each(os.getppid, [])) == []


def test_results_are_those_of_one_process(client):
    here, there = list(each(square, range(20))), list(each(square, range(20), client))
    assert values(here) == values(there)
    for outcomes in (here, there):
        (failed,) = [outcome for outcome in outcomes if outcome.failure]
        assert (failed.place, str(failed.failure)) == (13, "thirteen")


def test_items_are_taken_as_workers_become_free(client):
    taken = []

    def items():
        for number in range(40):
            taken.append(number)
            yield number

    outcomes = each(square, items(), client)
    next(outcomes)
    assert len(taken) <= 6
    assert len(list(outcomes)) == 39


def test_a_worker_that_dies_is_replaced_and_its_task_done_again(client, tmp_path):
    assert values(each(deadly_once, [tmp_path] * 6, client)) == ["survived"] * 6


def test_killing_an_idle_and_a_busy_worker_changes_nothing(client):
    outcomes = each(square, range(200, 300), client)
    found = [next(outcomes)]
    os.kill(min(client.run(os.getpid).values()), signal.SIGKILL)
    assert values([*found, *outcomes]) == [number**2 for number in range(200, 300)]


@pytest.mark.long
def test_a_task_that_kills_every_worker_is_given_up_and_the_others_go_on(client):
    outcomes = list(each(always_deadly, range(6), client))
    assert sorted(outcome.value for outcome in outcomes if not outcome.failure) == [0, 1, 2, 4, 5]
    (failed,) = [outcome for outcome in outcomes if outcome.failure]
    assert failed.place == 3
    assert str(DEATHS_SURVIVED + 1) in str(failed.failure)


def test_only_the_loopback_interface_is_listened_on(client):
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    addresses = {address for process in processes for address in listening(process)}
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "http://127.0.0.1:9"])
def test_a_scheduler_that_does_not_answer_is_named(address):
    sentence = f"--scheduler {re.escape(address)}: no scheduler answers there\\.$"
    with pytest.raises(WorkerError, match=sentence), workers(scheduler=address):
        pass


def test_a_running_scheduler_is_used(client):
    with workers(scheduler=client.scheduler.address) as other:
        assert values(each(square, [2, 3], other)) == [4, 9]


def test_workers_of_another_version_are_refused(client, monkeypatch):
    monkeypatch.setattr(cluster, "source_fingerprint", os.getpid)
    address = client.scheduler.address
    sentence = "its workers do not run this version of the package.$"
    with pytest.raises(WorkerError, match=sentence), workers(scheduler=address):
        pass


BUSY = """
import subprocess
from rdmas.rerun import cluster
from rdmas.rerun.cluster import each, workers

def busy(_):
    subprocess.run(["sleep", "60"])

if __name__ == "__main__":
    with workers(2) as client:
        print("up", flush=True)
        list(each(busy, range(8), client))
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_process(stop, tmp_path):
    script = tmp_path / "busy.py"
    script.write_text(BUSY, encoding="utf-8")
    run = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert run.stdout.readline() == b"up\n"
    children = []
    deadline = time.monotonic() + 20
    while sum(child.name() == "sleep" for child in children) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
        children = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(stop)
    assert run.wait(timeout=20) != 0
    assert psutil.wait_procs(children, timeout=10)[1] == []
    run.stdout.close()
