"""Two ways to do the same, measured in turn: medians of pairs, in one process, in both orders.

A machine is never equally fast twice. So what is compared is never measured apart: ours and theirs run one after the
other, the order turns with every pair, and the ratio is the median over the pairs' own ratios.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

Work = Callable[[], object]


@dataclass(frozen=True)
class Measured:
    """What a series of pairs gives.

    Args:
        ours_s: median seconds of ours.
        peer_s: median seconds of the peer.
        ratio: median of peer over ours, pair by pair: above 1 we are faster.
        pairs: how many pairs.
    """

    ours_s: float
    peer_s: float
    ratio: float
    pairs: int


@contextmanager
def tidy() -> Iterator[None]:
    """Takes everything that is there now out of the garbage collector's sight, so that collecting costs little."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def seconds(work: Work) -> float:
    """How long one run takes; the garbage of the run before is collected first, its result is dropped after."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    spent = time.perf_counter() - start
    del result
    return spent


def measure(ours: Work, peer: Work, pairs: int) -> Measured:
    """Runs both once to warm up, then `pairs` pairs, ours first in every second one."""
    ours()
    peer()
    with tidy():
        times = [_pair(ours, peer, turn) for turn in range(pairs)]
    ratio = median(theirs / mine for mine, theirs in times)
    return Measured(median(mine for mine, _ in times), median(theirs for _, theirs in times), ratio, pairs)


def _pair(ours: Work, peer: Work, turn: int) -> tuple[float, float]:
    if turn % 2:
        theirs, mine = seconds(peer), seconds(ours)
    else:
        mine, theirs = seconds(ours), seconds(peer)
    return mine, theirs


def fastest(ways: dict[str, Work], rounds: int) -> str:
    """The name of the way that is fastest: the least median over some rounds, all ways in turn."""
    for work in ways.values():
        work()
    with tidy():
        rows = [{name: seconds(work) for name, work in ways.items()} for _ in range(rounds)]
    return min(ways, key=lambda name: median(row[name] for row in rows))
