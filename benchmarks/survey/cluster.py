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
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ...toolchain.errors import UsageError
from .chunk import Chunk
from .code import counted_by
from .dispatch import CONNECT_S, WORKERS_S, gathered, in_short
from .job import Job
from .local import held_back, on_this_machine

if TYPE_CHECKING:
    from distributed import Client

    from .job import Subject

STARTING_S = 60.0
"""So long workers that were just started on this machine may take to report."""
LOGS = ("distributed", "distributed.client", "distributed.scheduler", "tornado.application")
"""Those that have a level of their own."""
LARGE = "distributed.admin.large-graph-warning-threshold"
"""Bytes of what is sent in one go that Dask warns of: networks and samples are as large as they are."""
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
        where, patience = f"--scheduler {scheduler}", WORKERS_S
        if scheduler is None:
            scheduler = stack.enter_context(on_this_machine(min(workers, len(todo))))
            where, patience = f"--workers {workers}", STARTING_S
        client = stack.enter_context(_connected(scheduler))
        _check_code(client, where, patience)
        yield from gathered(client, job, todo, _sent(job.network), where)


def _check_installed() -> None:
    try:
        import distributed  # noqa: F401
    except ImportError:
        fix = "pip install 'spikeport[cluster]'"
        raise UsageError("--workers", "the package distributed is not installed", "Dask's scheduler", fix) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Dask logs about lost workers and closed connections is said in our words, or is no concern of the user's."""
    import dask

    logs = [logging.getLogger(name) for name in LOGS]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    try:
        with dask.config.set({LARGE: 1 << 62}):
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
        raise _nobody(address, in_short(error)) from None
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
        raise _nobody(address, in_short(error)) from None
    if who != "Scheduler":
        raise UsageError(f"--scheduler {address}", f"a {who} answers", ADDRESS)


def _nobody(address: str, why: str) -> UsageError:
    return UsageError(f"--scheduler {address}", f"no scheduler answers within {CONNECT_S:g} s ({why})", ADDRESS)


def _check_code(client: Client, where: str, patience: float) -> None:
    """A UsageError unless there is a worker, and everybody has this code."""
    from distributed import TimeoutError as TooLong

    try:
        client.wait_for_workers(1, timeout=patience)
    except (TooLong, TimeoutError):
        fix = "start some: dask worker ADDRESS"
        raise UsageError(where, f"no worker within {patience:g} s", "at least one", fix) from None
    mine = counted_by()
    answers: dict[str, Any] = {"the scheduler": _asked(lambda: client.run_on_scheduler(counted_by))}
    answers |= client.run(counted_by, on_error="return")
    for who, answer in answers.items():
        if answer != mine:
            found = f"cannot load it ({in_short(answer)})" if isinstance(answer, BaseException) else f"has {answer}"
            who = who if who == "the scheduler" else f"worker {who}"
            raise UsageError(where, f"{who} {found}", mine, "install the same version everywhere")


def _asked(question: Callable[[], Any]) -> Any:
    """The answer, or what came in its place."""
    try:
        return question()
    except Exception as error:  # whatever the scheduler raised while it loaded the package
        return error


def _sent(network: Subject) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(network))
    except Exception as error:
        found = f"cannot be sent to other processes: {in_short(error)}"
        raise UsageError(type(network).__name__, found, fix="count it in this process") from error
