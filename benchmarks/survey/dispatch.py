"""Chunks on their way to workers, and their counts on the way home.

Every worker has one chunk that it counts and some that wait there. What a worker had when it died goes to another one;
what was counted and got lost on the way is counted anew; the counts of a chunk are handed on once.
"""

from __future__ import annotations

import contextlib
import math
import time
import uuid
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from ...toolchain.errors import SpikeportError, UsageError
from .chunk import Chunk, unpacked
from .code import counted_by
from .job import Job
from .work import errand

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_S = 5.0
"""So long a scheduler may take to answer, and a result to come home."""
WORKERS_S = 10.0
"""So long a cluster may be without a worker before the survey ends."""
AHEAD = 2
"""Chunks under way for each thread of a worker: the one it counts, and those that wait for it there."""
TICK_S = 1.0


def in_short(error: BaseException) -> str:
    """The first line of what an error says."""
    return str(error).strip().split("\n")[0][:120] or type(error).__name__


def gathered(client: Client, job: Job, todo: list[int], network: bytes, where: str) -> Iterator[tuple[int, Chunk]]:
    """Keeps every worker busy, and hands on what comes home.

    Args:
        client: the way to the scheduler.
        job: what is counted on what.
        todo: the chunks.
        network: pickled.
        where: what messages call the cluster.
    """
    from .courier import brought

    waiting, under_way, crew = deque(todo), dict[Any, int](), Crew(client, where)
    key = f"spikeport-{uuid.uuid4().hex}"
    try:
        there = client.submit(brought, network, key=key, pure=False)
        while waiting or under_way:
            room = AHEAD * crew.threads()  # asked in every round: where all workers are gone, nothing ever ends
            while waiting and len(under_way) < room:
                number = waiting.popleft()
                under_way[_submitted(client, job, number, key, there)] = number
            for future in _ready(client, list(under_way)):
                found = _result(future, job, under_way[future], where)
                if found is not None:
                    yield under_way.pop(future), found
    except (OSError, CancelledError) as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise  # of the data
        fix = "start it, and run it again: a journal goes on where it was"
        raise UsageError(where, "the scheduler is gone", fix=fix) from error
    finally:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            client.cancel(list(under_way), force=True)


class Crew:
    """The workers, asked for once in a while: some die and others come."""

    def __init__(self, client: Client, where: str) -> None:
        """Nobody has been asked.

        Args:
            client: the way to the scheduler.
            where: what messages call the cluster.
        """
        self.client, self.where = client, where
        self.count, self.asked, self.seen = 0, -math.inf, time.monotonic()

    def threads(self) -> int:
        """How many threads they have; a UsageError once there have been none for a while."""
        now = time.monotonic()
        if now - self.asked >= TICK_S:
            self.count, self.asked = sum(self.client.nthreads().values()), now
            self.seen = now if self.count else self.seen
        if now - self.seen >= WORKERS_S:
            fix = "see that there is memory for them, and run it again: a journal goes on where it was"
            raise UsageError(self.where, "all workers are gone", fix=fix)
        return self.count


def _submitted(client: Client, job: Job, number: int, key: str, network: Future) -> Future:
    from .courier import count_there

    samples, infer = job.samples(number), job.infer_from_values
    given, carries = errand(job, number), job.data.carries
    task = f"{key}-{number}"
    return client.submit(count_there, key, network, given, samples, carries, infer, counted_by(), key=task, pure=False)


def _ready(client: Client, under_way: list[Any]) -> list[Any]:
    """Those that have ended, in the order in which they were sent."""
    from distributed import TimeoutError as TooLong
    from distributed import wait

    if not under_way:
        time.sleep(TICK_S)  # there are no workers, for the moment
        return []
    with client.as_current(), contextlib.suppress(TooLong, TimeoutError):
        wait(under_way, timeout=TICK_S, return_when="FIRST_COMPLETED")
    return [future for future in under_way if future.done()]


def _result(future: Future, job: Job, number: int, where: str) -> Chunk | None:
    """The counts of a chunk; none where its worker died with them, and they are counted anew.

    Whatever kept a worker from counting it is a SpikeportError.
    """
    from distributed import TimeoutError as TooLong

    samples = job.samples(number)
    called = f"{where}, samples {samples[0]} to {samples[-1]}"
    try:
        found = future.result(timeout=CONNECT_S)
    except (TooLong, TimeoutError):
        return None
    except (OSError, CancelledError):
        raise
    except Exception as error:
        raise UsageError(called, _why(error), "counts", "see what its worker says") from error
    if isinstance(found, SpikeportError):
        raise found
    return unpacked(found, called)


def _why(error: Exception) -> str:
    """What is known of a chunk that cannot be counted."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return "every worker that counted them died, as it does when its memory is not enough"
    return f"a worker failed with {type(error).__name__}: {in_short(error)}"
