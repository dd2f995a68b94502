"""Counting by many processes: workers on this machine, or those of a Dask cluster, with the same code.

    scheduler ◄── chunks, at most a few for each worker at a time ── this process ──► journal
        └─► workers: the network once, then chunk after chunk ──► counts

A chunk that was on its way when a worker died is given to another one; whatever happens, a chunk's counts come home
once. Results are packed bytes, and what decides about them is checked beforehand: every worker has to have this very
code, and the same numpy, torch and numba.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import pickle
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ...toolchain.errors import SpikeportError, UsageError
from .chunk import Chunk, packed, unpacked
from .code import counted_by
from .job import Job
from .local import held_back, on_this_machine
from .work import Read, count_chunk, errand

if TYPE_CHECKING:
    from distributed import Client, Future, WorkerPlugin

    from .job import Subject
    from .sources import DataSource

CONNECT_S = 5.0
"""So long a scheduler may take to answer, and a result to come home."""
WORKERS_S = 10.0
"""So long a cluster may be without a worker before the survey ends."""
AHEAD = 2
"""Chunks under way for each thread of a worker: the one it counts, and those that wait for it there."""
TICK_S = 1.0
NAME = "the cluster"
LOGS = ("distributed", "distributed.client", "distributed.scheduler", "tornado.application")
"""Those that have a level of their own."""
ADDRESS = "tcp://HOST:PORT of a running `dask scheduler`"


def counted_by_cluster(job: Job, todo: list[int], workers: int, scheduler: str | None) -> Iterator[tuple[int, Chunk]]:
    """Every chunk with its number, in the order in which they come home.

    Args:
        job: what is counted on what.
        todo: the chunks.
        workers: so many processes on this machine.
        scheduler: in place of them, the address of a scheduler.
    """
    _check_installed()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_quiet())
        address = scheduler if scheduler is not None else stack.enter_context(on_this_machine(min(workers, len(todo))))
        client = stack.enter_context(_connected(address))
        _check_code(client, address)
        with _network_there(client, job) as key:
            yield from _gathered(client, job, todo, key, address)


def _check_installed() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError:
        fix = "pip install 'spikeport[cluster]'"
        raise UsageError("--workers", "the package distributed is not installed", "Dask's scheduler", fix) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs about lost workers and closed connections is said in our words, or is no concern of the user's."""
    logs = [logging.getLogger(name) for name in LOGS]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


@contextlib.contextmanager
def _connected(address: str) -> Iterator[Client]:
    """A client of a scheduler that is there."""
    from distributed import Client

    _look_for_scheduler(address)
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise _nobody(address, _short(error)) from None
    try:
        yield client
    finally:
        with held_back(), contextlib.suppress(Exception):  # the scheduler may be gone: then there is nothing to leave
            client.close(timeout=CONNECT_S)


def _look_for_scheduler(address: str) -> None:
    """A UsageError unless a scheduler answers there, in time: a client would wait for who takes the call in silence."""
    from distributed.core import rpc
    from distributed.security import Security

    found = re.fullmatch(r"(tcp|tls)://[^/\s]+:(\d{1,5})", address)
    if found is None or not 0 < int(found[2]) < 2**16:
        raise UsageError("--scheduler", f"'{address}'", ADDRESS)

    async def ask() -> object:
        async with rpc(address, connection_args=Security().get_connection_args("client")) as scheduler:
            return (await scheduler.identity())["type"]

    try:
        with ThreadPoolExecutor(1) as apart:  # a notebook has a loop of its own in this thread
            who = apart.submit(lambda: asyncio.run(asyncio.wait_for(ask(), CONNECT_S))).result()
    except Exception as error:  # whatever a stranger answers
        raise _nobody(address, _short(error)) from None
    if who != "Scheduler":
        raise UsageError(f"--scheduler {address}", f"a {who} answers", ADDRESS)


def _nobody(address: str, why: str) -> UsageError:
    return UsageError(f"--scheduler {address}", f"no scheduler answers within {CONNECT_S:g} s ({why})", ADDRESS)


def _short(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:120] or type(error).__name__


def _check_code(client: Client, address: str) -> None:
    """A UsageError unless there is a worker, and everybody has this code."""
    from distributed import TimeoutError as TooLong

    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except (TooLong, TimeoutError):
        found = f"no worker within {WORKERS_S:g} s"
        raise UsageError(
            f"--scheduler {address}", found, "at least one", f"start some: dask worker {address}"
        ) from None
    mine = counted_by()
    answers: dict[str, Any] = {"the scheduler": _asked(lambda: client.run_on_scheduler(counted_by))}
    answers |= client.run(counted_by, on_error="return")
    for who, answer in answers.items():
        if answer != mine:
            found = f"cannot load it ({_short(answer)})" if isinstance(answer, BaseException) else f"has {answer}"
            who = who if who == "the scheduler" else f"worker {who}"
            raise UsageError(f"--scheduler {address}", f"{who} {found}", mine, "install the same version everywhere")


def _asked(question: Callable[[], Any]) -> Any:
    """The answer, or what came in its place."""
    try:
        return question()
    except Exception as error:  # whatever the scheduler raised while it loaded the package
        return error


_NETWORKS: dict[str, bytes] = {}
"""In a worker: the networks that were sent to it, by key."""
_READY: dict[str, Subject] = {}
"""In a worker: the same, ready to run."""


@contextlib.contextmanager
def _network_there(client: Client, job: Job) -> Iterator[str]:
    """Every worker has the network, those that start later too."""
    key = f"spikeport-{job.about['identity']}"
    client.register_plugin(_plugin(key, _sent(job.network)), name=key)
    try:
        yield key
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.unregister_worker_plugin(key)


def _sent(network: Subject) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(network))
    except Exception as error:
        found = f"cannot be sent to other processes: {_short(error)}"
        raise UsageError(type(network).__name__, found, fix="count it in this process") from error


def _plugin(key: str, network: bytes) -> WorkerPlugin:
    """What brings a network to a worker, and takes it away in the end."""
    from .courier import Courier

    return Courier(key, network)


def count_there(
    key: str, given: Read | DataSource, samples: range, carries: str, infer_from_values: bool
) -> bytes | SpikeportError:
    """In a worker: the packed counts of a chunk, or what is wrong with it."""
    try:
        if key not in _READY:
            _READY[key] = pickle.loads(_NETWORKS[key])  # from the scheduler that the user named
        return packed(count_chunk(_READY[key], given, samples, carries, infer_from_values=infer_from_values))
    except SpikeportError as error:
        return error


def _gathered(client: Client, job: Job, todo: list[int], key: str, address: str) -> Iterator[tuple[int, Chunk]]:
    """Keeps every worker busy, and hands on what comes home."""
    waiting, under_way, crew = iter(todo), dict[Any, int](), Crew(client, address)
    try:
        while True:
            for number in _next(waiting, AHEAD * crew.threads() - len(under_way)):
                under_way[_submitted(client, job, number, key)] = number
            if not under_way:
                return
            for future in _ready(client, list(under_way)):
                found = _result(future, job, under_way[future], address)
                if found is not None:
                    yield under_way.pop(future), found
    except (OSError, CancelledError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # of the data
        fix = "start it, and run it again: a journal goes on where it was"
        raise UsageError(f"--scheduler {address}", "the scheduler is gone", fix=fix) from error
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.cancel(list(under_way), force=True)


def _next(waiting: Iterator[int], room: int) -> Iterator[int]:
    """As many of the next chunks as there is room for."""
    for _, number in zip(range(max(room, 0)), waiting, strict=False):
        yield number


class Crew:
    """The workers, asked for once in a while: some die and others come."""

    def __init__(self, client: Client, address: str) -> None:
        """Nobody has been asked.

        Args:
            client: the way to the scheduler.
            address: of the scheduler.
        """
        self.client, self.address = client, address
        self.count, self.asked, self.seen = 0, -math.inf, time.monotonic()

    def threads(self) -> int:
        """How many threads they have; a UsageError once there have been none for a while."""
        now = time.monotonic()
        if now - self.asked >= TICK_S:
            self.count, self.asked = sum(self.client.nthreads().values()), now
            self.seen = now if self.count else self.seen
        if now - self.seen >= WORKERS_S:
            fix = "start some, and run it again: a journal goes on where it was"
            raise UsageError(f"--scheduler {self.address}", "all workers are gone", fix=fix)
        return self.count


def _submitted(client: Client, job: Job, number: int, key: str) -> Future:
    samples, infer = job.samples(number), job.infer_from_values
    given, carries = errand(job, number), job.data.carries
    return client.submit(count_there, key, given, samples, carries, infer, key=f"{key}-{number}", pure=False)


def _ready(client: Client, under_way: list[Any]) -> list[Any]:
    """Those that have ended, in the order in which they were sent."""
    from distributed import TimeoutError as TooLong
    from distributed import wait

    with client.as_current(), contextlib.suppress(TooLong, TimeoutError):
        wait(under_way, timeout=TICK_S, return_when="FIRST_COMPLETED")
    return [future for future in under_way if future.done()]


def _result(future: Future, job: Job, number: int, address: str) -> Chunk | None:
    """The counts of a chunk; none where its worker died with them, and they are counted anew.

    Whatever kept a worker from counting it is a SpikeportError.
    """
    from distributed import TimeoutError as TooLong

    samples = job.samples(number)
    where = f"samples {samples[0]} to {samples[-1]}"
    try:
        found = future.result(timeout=CONNECT_S)
    except (TooLong, TimeoutError):
        return None
    except (OSError, CancelledError):
        raise
    except Exception as error:
        raise UsageError(
            f"--scheduler {address}, {where}", _why(error), "counts", "see what its worker says"
        ) from error
    if isinstance(found, SpikeportError):
        raise found
    return unpacked(found, f"{NAME}, {where}")


def _why(error: Exception) -> str:
    """What is known of a chunk that cannot be counted."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "every worker that counted them died, as it does when its memory is not enough"
    return f"a worker failed with {type(error).__name__}: {_short(error)}"
