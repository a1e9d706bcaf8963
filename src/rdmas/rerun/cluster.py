"""Worker processes through Dask: one task after another, the same results whatever their number.

Every task stands alone and computes in one thread, so that its result does not depend on where
it ran, beside what, or how often it was begun. A worker that dies in mid-run is replaced and its
task done again. Tasks are handed out as workers become free and results taken as they come, so
that neither is ever held in bulk.
"""

from __future__ import annotations

import logging
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar

import psutil

from rdmas.rerun.plan import RerunError, source_fingerprint

if TYPE_CHECKING:
    from distributed import Client

Item = TypeVar("Item")
Value = TypeVar("Value")

#: How often a task is begun again because the worker that did it died.
DEATHS_SURVIVED = 10

#: Tasks handed out in advance for each worker, so that none waits for its next one.
AHEAD = 2

#: How long processes have to start, to answer and to end, also on a machine with too much to do.
PATIENCE_SECONDS = 120

#: How long a scheduler has to answer at all.
KNOCK_SECONDS = 5

#: Libraries that would spread one sum over several threads, and round otherwise.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)

_SETTINGS: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": DEATHS_SURVIVED,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.environ": ONE_THREAD,
    "distributed.nanny.pre-spawn-environ": ONE_THREAD,
    # A worker that is busy is not a lost one, and its task must not be begun elsewhere beside it.
    "distributed.scheduler.worker-ttl": None,
    # Workers start kernels and builds, which daemons may not.
    "distributed.worker.daemon": False,
    "distributed.diagnostics.nvml": False,
    "distributed.comm.timeouts.connect": f"{PATIENCE_SECONDS}s",
    "distributed.comm.timeouts.tcp": f"{PATIENCE_SECONDS}s",
}


class WorkerError(RerunError):
    """Workers that cannot be had; says why in one sentence."""


class Outcome(NamedTuple, Generic[Value]):
    """What came of one task: its place among the items, its value, or why there is none."""

    place: int
    value: Value | None
    failure: BaseException | None = None


@contextmanager
def workers(
    number: int = 1, scheduler: str | None = None, folder: Path | None = None
) -> Iterator[Client | None]:
    """Start worker processes, or connect with those of a scheduler, and end them at the end.

    Processes of this machine talk over the loopback interface only, with nothing between them
    and other users of the machine. They end with this process, however it ends.

    Parameters
    ----------
    number : int, default 1
        Processes to start; with one the work is done in this process, and nothing listens.
    scheduler : str, optional
        Address of a running scheduler, such as ``tcp://10.0.0.1:8786``; none are started then.
    folder : pathlib.Path, optional
        Where the processes of this machine may write; by default among its temporary files.

    Yields
    ------
    distributed.Client or None
        For `each`.

    Raises
    ------
    WorkerError
        If there is no such scheduler, or its workers run another version of this package.
    """
    if scheduler is None and number == 1:
        yield None
        return
    import dask
    import distributed  # noqa: F401, its own settings first: ours would be all there are

    with ExitStack() as stack:
        stack.enter_context(dask.config.set(_SETTINGS))
        if scheduler is None:
            cluster = stack.enter_context(_local(number, folder))
            yield stack.enter_context(_client(cluster, PATIENCE_SECONDS))
        else:
            yield stack.enter_context(_connected(scheduler))


def each(
    task: Callable[[Item], Value], items: Iterable[Item], client: Client | None = None
) -> Iterator[Outcome[Value]]:
    """Do one task with every item, and yield what came of it as soon as it is known.

    Parameters
    ----------
    task : callable
        A function of a module, called with one item.
    items : iterable
        Taken as workers become free; each is all that is sent to the worker.
    client : distributed.Client, optional
        From `workers`; without one the tasks are done here, in order.

    Yields
    ------
    Outcome
        In the order in which they end. A task that raises, or in which one worker after the
        other died, has a failure and no value; the others go on.

    Examples
    --------
    >>> [outcome.value for outcome in each(abs, [-1, 2])]
    [1, 2]
    """
    places = enumerate(items)
    if client is None:
        for place, item in places:
            yield _here(task, place, item)
        return
    yield from _spread(task, places, client)


def _here(task: Callable[[Item], Value], place: int, item: Item) -> Outcome[Value]:
    """Do one task in this process."""
    try:
        return Outcome(place, task(item))
    except Exception as failure:
        return Outcome(place, None, failure)


def _spread(
    task: Callable[[Item], Value], places: Iterator[tuple[int, Item]], client: Client
) -> Iterator[Outcome[Value]]:
    """Do tasks on workers, never more handed out than they can soon begin."""
    from distributed import as_completed

    def hand_out(number: int) -> list:
        return [
            client.submit(task, item, pure=False, key=f"rdmas-{client.id}-{place}")
            for place, item in islice(places, number)
        ]

    size = AHEAD * max(1, sum(client.nthreads().values()))
    pending = as_completed(hand_out(size), loop=client.loop)
    for future in pending:
        place = int(future.key.rpartition("-")[2])
        failure = future.exception() if future.status != "finished" else None
        value = None if failure else future.result()
        future.release()
        for new in hand_out(1):
            pending.add(new)
        yield Outcome(place, value, failure)


@contextmanager
def _local(number: int, folder: Path | None) -> Iterator[Any]:
    """Start processes on this machine, reached over the loopback interface only."""
    from distributed import LocalCluster

    with (
        tempfile.TemporaryDirectory(prefix="rdmas-workers-", dir=folder) as scratch,
        _termination_raises(),
    ):
        try:
            cluster = LocalCluster(
                n_workers=number,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                worker_dashboard_address="127.0.0.1:0",
                local_directory=scratch,
                memory_limit=None,
                silence_logs=logging.CRITICAL,
            )
        except (OSError, RuntimeError) as error:
            reason = str(error)[:200] or type(error).__name__
            raise WorkerError(f"No worker process could be started ({reason}).") from None
        try:
            yield cluster
        except BaseException:
            _kill(cluster)
            raise
        finally:
            try:
                cluster.close(timeout=PATIENCE_SECONDS / 4)
            except TimeoutError:
                _kill(cluster)


@contextmanager
def _client(where: Any, seconds: float) -> Iterator[Client]:
    """Connect with a scheduler; what is slow to end spoils nothing that was done before."""
    from distributed import Client

    client = Client(where, timeout=seconds, set_as_default=False)
    try:
        yield client
    finally:
        with suppress(TimeoutError):
            client.close(timeout=PATIENCE_SECONDS / 4)


def _kill(cluster: Any) -> None:
    """End the processes at once, without waiting for what they do."""
    workers = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
    for pid in workers:
        with suppress(psutil.NoSuchProcess):
            worker = psutil.Process(pid)
            for process in [worker, *worker.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()


@contextmanager
def _termination_raises() -> Iterator[None]:
    """Let a request to terminate unwind this process, as an interruption by the keyboard does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    """Connect with a running scheduler, whose workers must run this very package."""
    with ExitStack() as stack:
        try:
            client = stack.enter_context(_client(scheduler, KNOCK_SECONDS))
        except (OSError, TimeoutError, ValueError):
            raise WorkerError(f"--scheduler {scheduler}: no scheduler answers there.") from None
        if not client.nthreads():
            raise WorkerError(f"--scheduler {scheduler}: it has no workers.")
        try:
            theirs = set(client.run(source_fingerprint).values())
        except Exception:
            theirs = set()
        if theirs != {source_fingerprint()}:
            raise WorkerError(
                f"--scheduler {scheduler}: its workers do not run this version of the package."
            )
        yield client
