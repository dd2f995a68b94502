"""How late each node of the graph is on the chip, where every synapse takes a step.

    slack(path) = λ(target) − λ(source) − 1 + δ(path) ≥ 0,   λ(input) = 0

λ is the smallest that satisfies this: the longest paths. A path's slack is the delay its synapse adds. A loop with
more synapses than delays has no λ; it is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...errors import SpikeportError


@dataclass(frozen=True)
class Link:
    """One path as retiming sees it.

    Args:
        source: where it starts.
        target: where it ends.
        delay: δ.
    """

    source: str
    target: str
    delay: int = 0

    @property
    def late(self) -> int:
        """By how much later the target is than the source, at least."""
        return 1 - self.delay


@dataclass(frozen=True)
class Retimed:
    """The latencies.

    Args:
        latency: λ of each node.
        slack: the slack of each link, in their order.
        added: for each link of a loop that was too short, in their order, the steps put into it; mostly zeros.
        loops: the loops that were too short, as the nodes on them and the steps that they take more.
    """

    latency: Mapping[str, int]
    slack: tuple[int, ...]
    added: tuple[int, ...]
    loops: tuple[tuple[tuple[str, ...], int], ...]


def retimed(nodes: Sequence[str], links: Sequence[Link]) -> Retimed:
    """λ and slacks; loops that are too short are made longer, and said to be."""
    added = [0] * len(links)
    loops: list[tuple[tuple[str, ...], int]] = []
    while True:
        latency, cycle = _longest(nodes, links, added)
        if not cycle:
            break
        short = sum(links[i].late - added[i] for i in cycle)
        back = max(cycle, key=lambda i: links[i].delay)
        added[back] += short
        loops.append((tuple(links[i].source for i in cycle), short))
    slack = [
        latency[link.target] - latency[link.source] - link.late + more for link, more in zip(links, added, strict=True)
    ]
    return Retimed(latency, tuple(slack), tuple(added), tuple(loops))


def _longest(nodes: Sequence[str], links: Sequence[Link], added: Sequence[int]) -> tuple[dict[str, int], list[int]]:
    """Longest paths by relaxation; where they do not settle, the links of a loop that grows."""
    latency = dict.fromkeys(nodes, 0)
    last: dict[str, int] = {}
    for _ in range(len(nodes) + 1):
        changed = ""
        for index, link in enumerate(links):
            needed = latency[link.source] + link.late - added[index]
            if needed > latency[link.target]:
                latency[link.target], last[link.target], changed = needed, index, link.target
        if not changed:
            return latency, []
    return latency, _loop(changed, links, last)


def _loop(name: str, links: Sequence[Link], last: Mapping[str, int]) -> list[int]:
    """The loop that one arrives on when going back from a node that never settled."""
    for _ in range(len(last)):
        name = links[last[name]].source
    loop, at = [last[name]], links[last[name]].source
    while at != name:
        loop.append(last[at])
        at = links[last[at]].source
    return loop[::-1]


def too_short(loop: tuple[str, ...], short: int) -> SpikeportError:
    """What is wrong with a loop, and what one can do."""
    steps = f"{short} step{'s' * (short != 1)}"
    around = " → ".join((*loop, loop[0]))
    return SpikeportError(
        loop[0],
        f"the loop {around} takes {steps} more on the chip, where every synapse takes one",
        "as many delays in a loop as synapses",
        f"train with {steps} more of delay in it, or allow it with --allow loop-latency",
    )
