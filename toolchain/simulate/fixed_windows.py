"""What every process of a chip sends in one window.

What a delayed wire hands on is kept with the step before it in front: it is the same memory, one step earlier.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..graph import Wire
from ..graph.nodes.base import Array
from .aligned import empty
from .fixed_plan import FixedPlan
from .layout import before, channels_lie_last


class Windows:
    """What is alive of a window."""

    def __init__(self, plan: FixedPlan, batch: int, steps: int, held: dict[str, Array], sample: int = 0) -> None:
        """Nothing sent yet.

        Args:
            plan: the network.
            batch: how many samples.
            steps: how many steps.
            held: what the sources of delayed wires sent last; moves on as they send.
            sample: the number of the first sample.
        """
        self.plan, self.batch, self.steps, self.held = plan, batch, steps, held
        self.sample = sample
        self.sent: dict[str, Array] = {}
        self.led: dict[str, Array] = {}

    def room(self, name: str, like: Array | None = None, *, last: bool = False) -> Array:
        """Where a process may write what it sends: in the order of memory of `like`, if that has its shape.

        Args:
            name: the process.
            like: what it receives.
            last: whether images lie pixel by pixel whatever it receives.
        """
        shape = self.plan.signals[name].shape
        if like is not None:
            last = like.shape[2:] == shape and channels_lie_last(like)
        lead = name in self.plan.delayed
        lying = (*shape[1:], shape[0]) if last else shape
        make = empty if last else np.empty  # torch reads images
        rows = make((self.steps + lead, self.batch, *lying), self.plan.formats[name])
        whole = before(rows) if last else rows
        if lead:
            whole[0] = self.held[name]
            self.led[name] = whole
        return whole[1:] if lead else whole

    def put(self, name: str, values: Array) -> None:
        """What a process sent; copied behind the step before unless it was written there."""
        if name in self.plan.delayed:
            if name not in self.led:
                self.room(name, values)[...] = values
            whole = self.led[name]
            values = whole[1:]
            self.held[name] = np.array(whole[-1], order="K")
        self.sent[name] = values

    def wire(self, wire: Wire) -> Array:
        """What a wire hands on."""
        return self.led[wire.source][:-1] if wire.delayed else self.sent[wire.source]

    def drop(self, names: Iterable[str]) -> None:
        """Let go of what nobody reads any more."""
        for name in names:
            self.sent.pop(name, None)
            self.led.pop(name, None)
