"""The latencies of a plan: its synapses as links, its neurons and inputs as nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import SpikeportError
from .plan import ALWAYS, Plan
from .retiming import Link, retimed, too_short


@dataclass(frozen=True)
class Timing:
    """When everything happens.

    Args:
        latency: steps by which each input and neuron is late.
        slack: for each neuron, the steps that each of its synapses waits.
        loops: loops that take longer than in the graph, in words.
        stretched: the neurons on such loops.
    """

    latency: Mapping[str, int]
    slack: Mapping[str, tuple[int, ...]]
    loops: tuple[str, ...] = ()
    stretched: tuple[str, ...] = ()


def timed(parts: Plan) -> tuple[Timing, list[SpikeportError]]:
    """Latencies and slacks, and the loops that the chip cannot keep in time."""
    neurons = parts.neurons
    starts = (*parts.graph.inputs, ALWAYS)
    forms = [(name, form) for name, unit in neurons.items() for form in unit.forms]
    links = [Link(form.source, name, form.delay) for name, form in forms if form.source in {*starts, *neurons}]
    found = retimed((*starts, *neurons), links)
    waits: dict[str, list[int]] = {name: [] for name in neurons}
    for link, slack in zip(links, found.slack, strict=True):
        waits[link.target].append(slack)
    loops = tuple(
        f"the loop {' → '.join((*loop, loop[0]))} takes {short} more steps than in the graph"
        for loop, short in found.loops
    )
    late = [too_short(loop, short) for loop, short in found.loops]
    on = tuple(dict.fromkeys(name for loop, _ in found.loops for name in loop))
    slack_of = {name: tuple(each) for name, each in waits.items()}
    return Timing(found.latency, slack_of, loops, on), late
