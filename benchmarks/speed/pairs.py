"""Two ways to do the same, measured in turn: medians of pairs, in one process, in both orders.

A machine is never equally fast twice. So what is compared is never measured apart: ours and theirs run one after the
other, the order turns with every pair, and the ratio is the median over the pairs' own ratios.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
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
    times = []
    for turn in range(pairs):
        if turn % 2:
            theirs, mine = seconds(peer), seconds(ours)
        else:
            mine, theirs = seconds(ours), seconds(peer)
        times.append((mine, theirs))
    ratio = median(theirs / mine for mine, theirs in times)
    return Measured(median(mine for mine, _ in times), median(theirs for _, theirs in times), ratio, pairs)


def fastest(ways: dict[str, Work], rounds: int = 3) -> str:
    """The name of the way that is fastest: the least of its medians over some rounds, all ways in turn."""
    for work in ways.values():
        work()
    times = {name: [seconds(work)] for name, work in ways.items()}
    for _ in range(rounds - 1):
        for name, work in ways.items():
            times[name].append(seconds(work))
    return min(times, key=lambda name: median(times[name]))
