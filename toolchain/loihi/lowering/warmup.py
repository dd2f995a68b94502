"""What biased neurons send before their first step, where a delayed wire would hand it on into the run.

A neuron that is λ steps late is reset in front of its step λ + 1. A spike before, in step τ, reaches a reader through
δ delayed wires in the reader's step τ − λ + δ: where that is 1 or more, the graph has no such spike.
"""

from __future__ import annotations

import numpy as np

from ...graph.nodes.base import Array, State
from ..chip_graph import ChipGraph
from .plan import Plan
from .timing import Timing


def early(chip: ChipGraph, parts: Plan, timing: Timing) -> list[str]:
    """The neurons whose spikes before the first step reach a reader after its reset."""
    delays: dict[str, int] = {}
    for unit in parts.units.values():
        for form in unit.forms:
            if form.source in parts.units:
                delays[form.source] = max(delays.get(form.source, 0), form.delay)
    asked = {name: (timing.latency[name] - delay, timing.latency[name]) for name, delay in delays.items() if delay}
    last = max((late for _, late in asked.values()), default=0)
    if not last:
        return []
    fired = _at_rest(chip, last, tuple(asked))
    return [name for name, (first, late) in asked.items() if any(first < t <= late for t in fired[name])]


def _at_rest(chip: ChipGraph, steps: int, names: tuple[str, ...]) -> dict[str, list[int]]:
    """The steps, from 1 on, in which neurons spike although nothing comes in."""
    shapes = {name: chip.signals[wires[0].source if wires else name].shape for name, wires in chip.wires.items()}
    states: dict[str, State] = {name: node.start(shapes[name], 1, np.int64) for name, node in chip.nodes.items()}
    sent = {name: np.zeros((1, *signal.shape), np.int64) for name, signal in chip.signals.items()}
    fired: dict[str, list[int]] = {name: [] for name in names}
    for t in range(1, steps + 1):
        before = dict(sent)
        for name in chip.order:
            handed: list[Array] = [(before if w.delayed else sent)[w.source] for w in chip.wires[name]]
            if handed:
                sent[name], states[name] = chip.nodes[name].step(states[name], *handed)
        for name in names:
            if sent[name].any():
                fired[name].append(t)
    return fired
