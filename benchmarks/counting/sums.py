"""Sums over what passes on a wire: one pass over each window, whoever reads it, and one number for each sample.

What a delayed wire hands on is what was sent, but for the last step, and 0 before the first: so the sums of a reader
one step later are those of the sender less its last step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...toolchain.errors import SimulationError
from ...toolchain.graph import Signal
from ...toolchain.kernels.reach import NANS, REACHED, reach
from ...toolchain.simulate.layout import behind, channels_lie_last
from .fanout import Fanout

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Sums:
    """What came over one wire, for one sample.

    Args:
        values: how many values.
        events: those that were not 0.
        total: Σ |n| over whole numbers n; 0 of real numbers.
        charge: Σ |n| over the outputs that each reaches; 0 of real numbers.
        reached: the outputs that the events reach.
        weighted: those that they reach by a weight that is not 0.
    """

    values: int = 0
    events: int = 0
    total: int = 0
    charge: int = 0
    reached: int = 0
    weighted: int = 0


def rows_of(window: Array) -> tuple[Array, bool]:
    """A window [W, B, *shape] as rows [W·B, values] in the order of its memory; whether channels lie last in it."""
    rows = window.shape[0] * window.shape[1]
    if channels_lie_last(window):
        return behind(window).reshape(rows, -1), True
    return np.ascontiguousarray(window).reshape(rows, -1), False


class Passing:
    """Everything that is asked about what one node sends."""

    def __init__(self, name: str, signal: Signal, fans: Sequence[Fanout], batch: int) -> None:
        """Nothing has passed.

        Args:
            name: the node.
            signal: what it sends.
            fans: the maps of its readers.
            batch: how many samples.
        """
        self.name, self.signal, self.batch, self.steps = name, signal, batch, 0
        self.whole = not (signal.carries.graded or signal.carries.binary)
        self.tabled = [fan for fan in dict.fromkeys(fans) if not fan.constant]
        # What is asked for without a table comes with the first that has one, so memory is read once for each table.
        self.sums = [np.zeros((batch, REACHED + len(fan.tables)), np.int64) for fan in self.tabled]
        self.sums = self.sums or [np.zeros((batch, REACHED), np.int64)]
        self.last = list(self.sums)

    def see(self, window: Array) -> None:
        """Count a window [W, B, *shape]."""
        values, last = rows_of(window)
        for place, fan in enumerate(self.tabled or (None,)):
            tables = None if fan is None else fan.tables_behind if last else fan.tables
            found = reach(values, tables, whole=self.whole)
            if found[:, NANS].any():
                raise self._no_number(found[:, NANS])
            self.sums[place] += found.reshape(len(window), self.batch, -1).sum(0)
            self.last[place] = found[-self.batch :]
        self.steps += len(window)

    def _no_number(self, nans: Array) -> SimulationError:
        step, sample = divmod(int(np.argmax(nans > 0)), self.batch)
        where = f"NaN in step {self.steps + step}, sample {sample}"
        return SimulationError(self.name, where, "numbers", "look for the layer before it that makes them")

    def wire(self, fan: Fanout | None, sample: int, *, delayed: bool) -> Sums:
        """What a wire handed on in the whole run, for a reader with such a map; none: for one that reaches nothing."""
        place = 0 if fan is None or fan.constant else self.tabled.index(fan)
        sums = self.sums[place][sample] - (self.last[place][sample] if delayed else 0)
        events, _, total, charge, *reached = (int(n) for n in sums)
        if fan is None or fan.constant:
            ways = (0, 0) if fan is None else (fan.every.item(), fan.weighted.item())
            charge, reached = total * ways[0], [events * n for n in ways]
        if self.signal.carries.binary:  # of spikes, the magnitudes are the events
            total, charge = events, reached[0]
        return Sums(self.steps * self.signal.size, events, total, charge, reached[0], reached[-1])
