"""A chip graph while it is put together: processes by name, the wires between them, and relays that wait a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph.graph import Wire, later
from ...passes.plain import small
from ..limits import LOIHI2
from ..processes import (
    ATRLIF,
    LIF,
    Conv,
    DelayDense,
    DelaySparse,
    Dense,
    GradedVec,
    LIFReset,
    Port,
    Process,
    Shaped,
    Sparse,
)
from .convolutions import Convolution
from .dialects import Emit
from .forms import Form, Move
from .integers import Integers, Rounding
from .paths import Shape

SPARSE = 0.1
"""A matrix with fewer than this part of its weights other than 0 is sparse."""
MOST_DELAYED = 1 << 22
"""Weights · delays up to which a matrix waits itself; a larger one has relays in front, as a convolution has."""


class Board:
    """Processes and wires.

    Args:
        taken: names that are spoken for.
    """

    def __init__(self, taken: Sequence[str]) -> None:
        self.nodes: dict[str, Process] = {}
        self.wires: dict[str, tuple[Wire, ...]] = {}
        self._taken = set(taken)
        self._relays: dict[tuple[str, int], str] = {}

    def put(self, name: str, node: Process, *sources: str | Wire) -> str:
        """Add a process under exactly this name."""
        self.nodes[name] = node
        self.wires[name] = tuple(source if isinstance(source, Wire) else Wire(source) for source in sources)
        self._taken.add(name)
        return name

    def add(self, name: str, node: Process, *sources: str | Wire) -> str:
        """Add a process under this name, with a number behind it where it is taken."""
        unique, count = name, 2
        while unique in self._taken:
            unique, count = f"{name}_{count}", count + 1
        return self.put(unique, node, *sources)

    def moved(self, name: str, source: str, moves: tuple[Move, ...]) -> str:
        """Joins for moves."""
        for move in moves:
            source = self.add(f"{name}.shaped", Shaped(move.shape, move.axes), source)
        return source

    def waited(self, source: str, shape: Shape, steps: int, message_bits: int) -> str:
        """What a source sent so many steps ago, by relays that each take a step; readers share them."""
        last = source
        for step in range(1, steps + 1):
            if (source, step) not in self._relays:
                self._relays[source, step] = self._relay(f"{source}.late{step}", last, shape, step == 1, message_bits)
            last = self._relays[source, step]
        line = (1, 1, math.prod(shape))
        return last if not steps or shape == line else self.add(f"{last}.shaped", Shaped(shape), last)

    def _relay(self, name: str, last: str, shape: Shape, first: bool, message_bits: int) -> str:
        line = (1, 1, math.prod(shape))
        if first and shape != line:
            last = self.add(f"{name}.line", Shaped(line), last)
        copy = self.add(f"{name}.copy", Conv(weight=np.ones((1, 1, 1, 1), int), message_bits=message_bits), later(last))
        return self.add(name, GradedVec() if message_bits else passing(), copy)

    def synapse(self, form: Form, rounded: Rounding, shape: Shape, slack: int, bits: int, message_bits: int) -> str:
        """One synapse behind its source, as late as it has to be; the name of what comes out of it."""
        size = rounded.weight.size * (slack + 1)
        waits = not isinstance(form.map, Convolution) and slack <= LOIHI2.delay and size <= MOST_DELAYED
        seen = form.source if waits else self.waited(form.source, shape, slack, message_bits)
        seen = self.moved(form.name, seen, form.before)
        node = _synapse(form, rounded, slack if waits else 0, bits, message_bits)
        return self.moved(form.name, self.add(form.name, node, later(seen)), form.after)

    def port(self, name: str, arriving: Sequence[str]) -> str:
        """Several synapses into one port."""
        return arriving[0] if len(arriving) == 1 else self.add(f"{name}.port", Port(), *arriving)


def passing() -> LIF:
    """A neuron that spikes where something comes in and remembers nothing."""
    one = LOIHI2.decay_unity
    return LIF(current_decay=one, voltage_decay=one, threshold=0)


def _synapse(form: Form, rounded: Rounding, delay: int, bits: int, message_bits: int) -> Process:
    conv, weight = form.map, rounded.weight
    if isinstance(conv, Convolution):
        return Conv(
            weight=weight,
            message_bits=message_bits,
            stride=conv.stride,
            padding=conv.padding,
            dilation=conv.dilation,
            groups=conv.groups,
        )
    shared: dict[str, Any] = {"exponent": rounded.exponent, "bits": bits, "message_bits": message_bits}
    sparse = np.count_nonzero(weight) < SPARSE * weight.size
    if delay:
        waits = np.full(weight.shape, delay)
        kind: type[DelaySparse | DelayDense] = DelaySparse if sparse else DelayDense
        return kind(weight=weight, delay=waits, **shared)
    return Sparse(weight=weight, **shared) if sparse else Dense(weight=weight, **shared)


def subtracting(held: Integers) -> ATRLIF:
    """The neuron whose threshold rises by twice itself with each spike, and never falls."""
    gone = LOIHI2.decay_unity - 1  # of its current one more is taken off
    kept = {"voltage_decay": 0, "threshold_decay": 0, "refractory_decay": 0}
    return ATRLIF(current_decay=gone, threshold=int(held.threshold.flat[0]), threshold_step=0, **kept)


def neuron(held: Integers, emit: Emit, reset: tuple[int, int] | None) -> LIF | LIFReset:
    """The neuron, with (interval, offset) where it is reset by the clock."""
    fields: dict[str, Any] = {
        name: np.asarray(small(getattr(held, name)))
        for name in ("current_decay", "voltage_decay", "threshold", "bias", "bias_exponent")
    }
    if reset is None:
        return LIF(emit=emit, **fields)
    return LIFReset(interval=reset[0], offset=reset[1], emit=emit, **fields)
