"""Ranges of neurons on all cores: kernels hold no GIL, so plain threads run them side by side.

The range is cut into more pieces than there are threads and each thread, the caller's among them, takes the next piece
when it has finished one. So a core that is busy elsewhere, for example with the idle workers of another library that
spin for a while after their last job, takes fewer pieces and nobody waits for it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

PIECES_PER_THREAD = 4
SMALLEST_PIECE = 1 << 16
"""Elements of x (steps times neurons) below which handing a piece to another thread costs more than it saves."""
READING = 16
"""Values that are read in the time that a neuron takes for a step."""
FEW = 2
"""Cores up to which one reads memory as fast as all of them."""


def thread_count() -> int:
    """Threads that kernels use: the cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """The helpers of one process; a forked child has another process number and makes its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix="spikeport-kernel")


def cut(count: int, steps: int, block: int, threads: int) -> list[tuple[int, int]]:
    """The pieces (start, stop) of range(count), each a multiple of `block` long and worth a thread's while."""
    smallest = max(1, SMALLEST_PIECE // max(1, steps))
    length = max(smallest, -(-count // (threads * PIECES_PER_THREAD)))
    length = -(-length // block) * block
    return [(start, min(start + length, count)) for start in range(0, count, length)]


def on_cores(task: Callable[[int, int], None], count: int, steps: int, block: int = 1) -> None:
    """Calls task(start, stop) for all of range(count): in pieces on all cores, or at once where that is no work.

    Args:
        task: what to do with a piece.
        count: how many neurons, rows or samples.
        steps: how much work each of them is, in steps of a neuron.
        block: the length of a piece is a multiple of it.
    """
    if count * steps <= SMALLEST_PIECE:
        task(0, count)
        return
    threads = thread_count()
    pieces = cut(count, steps, block, threads)
    if len(pieces) == 1:
        task(0, count)
    else:
        run_pieces(task, pieces, threads)


def on_reading_cores(task: Callable[[int, int], None], count: int, values: int) -> None:
    """Calls task(start, stop) for all of range(count), in which nothing is done but to read memory.

    On few cores one thread does it alone: it takes all that memory gives, and does not wait for a helper on a core
    where the idle workers of another library still spin.

    Args:
        task: what to do with a piece.
        count: how many rows.
        values: how many values there are in each.
    """
    if thread_count() <= FEW:
        task(0, count)
    else:
        on_cores(task, count, values // READING)


def run_pieces(task: Callable[[int, int], None], pieces: list[tuple[int, int]], threads: int) -> None:
    """Calls task(start, stop) once for every piece, on up to `threads` threads, and returns when all are done."""
    ticket = itertools.count()

    def work() -> None:
        while (index := next(ticket)) < len(pieces):
            task(*pieces[index])

    helpers = min(threads, len(pieces)) - 1
    waiting = [_pool(os.getpid(), threads).submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        for helper in waiting:
            if not helper.cancel():  # one that has not begun has nothing left to do
                helper.result()
