"""Counts while windows pass: what every layer asks about its wires, answered by one pass over what each node sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...toolchain.graph import Wire
from ...toolchain.graph.network import Network
from ...toolchain.simulate.recording import Viewer
from ..operations import LayerCount, OpCount, Road, Uncounted
from .fanout import Fanout
from .layer import Layer, Seen, Witness
from .sums import Passing, Sums

Array = npt.NDArray[Any]


class Meeting:
    """Windows of all wires of a layer, brought together for its witness."""

    def __init__(self, wires: Sequence[Wire], witness: Witness, last: Mapping[str, Array]) -> None:
        """Nothing has come.

        Args:
            wires: the layer's.
            witness: who looks at the windows.
            last: what the source of each delayed wire sent last: 0 before the first step.
        """
        self.wires, self.witness, self.last = wires, witness, dict(last)
        self.sources = {wire.source for wire in wires}
        self.waiting: dict[str, Array] = {}

    def put(self, source: str, window: Array) -> None:
        """A window of one source; with the last of them, the witness sees them all."""
        self.waiting[source] = window
        if len(self.waiting) == len(self.sources):
            self.witness.see([self._handed(wire) for wire in self.wires])
            self.last = {name: self.waiting[name][-1:].copy() for name in self.last}
            self.waiting.clear()

    def _handed(self, wire: Wire) -> Array:
        window = self.waiting[wire.source]
        return np.concatenate([self.last[wire.source], window[:-1]]) if wire.delayed else window


class Counter:
    """Counts while windows pass."""

    def __init__(self, graph: Network, rows: Mapping[str, Layer | None], road: Road) -> None:
        """Nothing has passed.

        Args:
            graph: the network, without sub-graphs.
            rows: its layers, in its order; none for a node that no row counts.
            road: what kind of network it is.
        """
        self.graph, self.rows, self.road = graph, rows, road
        self.layers = {name: layer for name, layer in rows.items() if layer is not None}
        self.passing: dict[str, Passing] = {}
        self.meetings: dict[str, Meeting] = {}
        self.batch = 0

    def viewers(self, batch: int, dtype: np.dtype[Any]) -> Mapping[str, Viewer]:
        """A viewer for each node whose values are asked for."""
        self.batch = batch
        read = {wire.source for name, layer in self.layers.items() if layer.looks for wire in self.graph.wires[name]}
        sends = {name for name, layer in self.layers.items() if layer.sends}
        # Every count needs the number of steps, so what comes in is always looked at.
        for name in (each for each in self.graph.nodes if each in {*read, *sends, *self.graph.inputs}):
            self.passing[name] = Passing(name, self.graph.signals[name], self._fans(name), batch)
        for name, layer in self.layers.items():
            if layer.witness is not None:
                self.meetings[name] = self._meeting(name, layer.witness(batch, dtype), batch, dtype)
        return {name: self._viewer(name) for name in self.passing}

    def _fans(self, source: str) -> list[Fanout]:
        """The maps of all readers of a node."""
        targets = dict.fromkeys(edge.target for edge in self.graph.readers(source) if edge.port == 0)
        fans = (self.layers[target].fan for target in targets if target in self.layers)
        return [fan for fan in fans if fan is not None]

    def _meeting(self, name: str, witness: Witness, batch: int, dtype: np.dtype[Any]) -> Meeting:
        wires = self.graph.wires[name]
        late = {wire.source for wire in wires if wire.delayed}
        return Meeting(
            wires, witness, {each: np.zeros((1, batch, *self.graph.signals[each].shape), dtype) for each in late}
        )

    def _viewer(self, name: str) -> Viewer:
        meetings = [meeting for meeting in self.meetings.values() if name in meeting.sources]
        passing = self.passing[name]

        def view(window: Array) -> None:
            passing.see(window)
            for meeting in meetings:
                meeting.put(name, window)

        return view

    def counts(self) -> tuple[OpCount, ...]:
        """One count for each sample."""
        found = {name: meeting.witness.found() for name, meeting in self.meetings.items()}
        steps = self.passing[self.graph.inputs[0]].steps
        uncounted = tuple(self._uncounted(steps))
        notes = tuple(f"{name}: {layer.note}" for name, layer in self.layers.items() if layer.note)
        return tuple(
            OpCount(
                self.graph.name,
                self.road,
                {name: self._layer(name, layer, sample, steps, found) for name, layer in self.layers.items()},
                steps=steps,
                uncounted=uncounted,
                notes=notes,
            )
            for sample in range(self.batch)
        )

    def _layer(
        self, name: str, layer: Layer, sample: int, steps: int, found: Mapping[str, Mapping[str, Array]]
    ) -> LayerCount:
        wires = tuple(
            self.passing[wire.source].wire(layer.fan if port == 0 else None, sample, delayed=wire.delayed)
            for port, wire in enumerate(self.graph.wires[name] if layer.looks else ())
        )
        sent = self.passing[name].wire(None, sample, delayed=False) if layer.sends else Sums()
        more = {key: int(values[sample]) for key, values in found.get(name, {}).items()}
        return LayerCount(layer.facts, layer.count(Seen(steps, wires, sent, more)))

    def _uncounted(self, steps: int) -> Iterator[Uncounted]:
        """The nodes that no row counts."""
        for name, layer in self.rows.items():
            if layer is None:
                node = self.graph.nodes[name]
                kind = getattr(node, "operation", node.kind)
                yield Uncounted(kind, name, steps, steps * self.graph.signals[name].size)
