"""Operations of a chip graph, counted while the fixed-point simulation runs.

A synapse reads what was sent in the step before. Its events happen in the step in which it reads, however long the
delay of a synapse or a kernel over time holds their sums back. A weight is what the synapse holds: low bits that it
cuts off are 0. Joins between ports are wires, and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ...toolchain.graph import Node, Signal
from ...toolchain.graph.signal import SPIKES
from ...toolchain.loihi import processes as p
from ...toolchain.loihi.chip_graph import ChipGraph
from ...toolchain.loihi.processes.neurons import Firing
from ...toolchain.loihi.processes.synapses import Matrix
from ...toolchain.simulate.fixed import watch
from ..operations import OpCount, Ops, Pairs
from .counter import Counter
from .fanout import Fanout, conv, matrix
from .layer import Added, Layer, Place, Seen, Witness, by_class, places_of
from .neurons import EitherWitness

Array = npt.NDArray[Any]


def count_chip(chip: ChipGraph, inputs: Any, *, window: int | None = None) -> tuple[OpCount, ...]:
    """Run a chip graph once, and count what each sample of the batch makes it do.

    Args:
        chip: the network.
        inputs: as `simulate` takes them: [T, B, *shape], a mapping from input names to such, or an iterator of either.
        window: steps that run at once; it does not change the counts.

    Returns:
        One count for each sample. Memory is bounded by one window, as the simulation's is.
    """
    counter = Counter(chip, layers_of(chip), "chip")
    watch(chip, inputs, counter.viewers, window=window)
    return counter.counts()


LATE = "a spike's events are counted in the step in which the synapses read it, not when their sums arrive"


def synapse(place: Place) -> Layer:
    """Pairs of what was sent in the step before; a synapse without payload sees spikes, whatever was sent."""
    node, fan = place.node, FANS[type(place.node)](place)
    (signal,) = place.received
    carries = signal.carries if node.message_bits else SPIKES

    def count(seen: Seen) -> Ops:
        wire = seen.wires[0]
        spikes = wire.reached if carries.binary else 0 if carries.graded else wire.charge
        pairs = Pairs(fan.dense * seen.steps, fan.padded * seen.steps, wire.reached, wire.weighted, spikes)
        return Ops(**by_class(carries, pairs), received=wire.values, events=wire.events)

    seen_as = replace(place, received=(Signal(signal.shape, carries),))
    facts = seen_as.facts("synapses", weights=node.weight.size, **_geometry(place))
    return Layer(facts, count, fan, note=LATE if node.stateful else "")


def _dense(place: Place) -> Fanout:
    node: Matrix = place.node
    return matrix(node.held, place.received[0].shape)


def _conv(place: Place) -> Fanout:
    node: p.Conv = place.node
    shapes = place.received[0].shape, place.sent.shape
    return conv(node.weight, *shapes, node.stride, node.padding, node.dilation, node.groups)


def _in_time(place: Place) -> Fanout:
    """Every tap is a matrix of its own."""
    weight = place.node.weight
    return matrix(weight.reshape(-1, weight.shape[2]), place.received[0].shape)


def _geometry(place: Place) -> Mapping[str, Any]:
    """Kernel, stride, groups and channels, as far as there are such."""
    node, channels = place.node, (place.received[0].shape[0], place.sent.shape[0])
    if isinstance(node, p.Conv):
        return {"kernel": node.kernel, "stride": node.stride, "groups": node.groups, "channels": channels}
    return {"kernel": (len(node.weight),) if isinstance(node, p.ConvInTime) else (), "channels": channels}


FANS: Mapping[type[Node], Callable[[Place], Fanout]] = {
    **dict.fromkeys((p.Dense, p.Sparse, p.DelayDense, p.DelaySparse), _dense),
    p.Conv: _conv,
    p.ConvInTime: _in_time,
}
"""Each kind of synapse, and its map."""

RESETS = (p.LIF, p.LIFReset, p.TernaryLIF, p.RF_IZ)
"""The kinds whose spikes move the state back."""
COMPARES_NOT = (p.Sigma, p.InvSqrt)
"""The kinds that send without a comparison."""


def neuron(place: Place) -> Layer:
    """Any kind of neuron: one update for each neuron and step, active where something other than 0 comes in.

    A neuron whose voltage the host reads sends nothing.
    """
    node, several = place.node, len(place.received) > 1
    silent = isinstance(node, Firing) and node.emit == "voltage"
    compares = not isinstance(node, COMPARES_NOT) and getattr(node, "sends", "product") != "square"

    def count(seen: Seen) -> Ops:
        updates = seen.steps * place.sent.size
        spikes = seen.more["spikes"] if silent else seen.sent.events
        return Ops(
            received=seen.received, events=seen.events,
            sent=0 if silent else updates, sent_events=0 if silent else spikes,
            updates={node.kind: updates}, active=seen.more["active"] if several else seen.events,
            comparisons=updates if compares else 0, resets=spikes if isinstance(node, RESETS) else 0,
        )  # fmt: skip

    def witness(batch: int, _: np.dtype[Any]) -> Witness:
        return EitherWitness(batch) if several else VoltageWitness(node, place, batch)

    return Layer(place.facts("neurons"), count, sends=True, witness=witness if several or silent else None)


class VoltageWitness:
    """The spikes of a neuron that hands out its voltage: it runs once more, and sends them."""

    def __init__(self, node: Firing, place: Place, batch: int) -> None:
        """At its start.

        Args:
            node: the neuron.
            place: where it stands.
            batch: how many samples.
        """
        self.twin = replace(node, emit="spikes")
        self.state = self.twin.start(place.received[0].shape, batch, np.int64)
        self.added = Added(batch)

    def see(self, windows: Sequence[Array]) -> None:
        """One step of the definition after the other."""
        for row in windows[0]:
            spikes, self.state = self.twin.step(self.state, row.astype(np.int64))
            self.added.add("spikes", spikes.reshape(len(spikes), -1).sum(-1))

    def found(self) -> Mapping[str, Array]:
        """spikes."""
        return self.added.sums


ROWS: Mapping[type[Node], Callable[[Place], Layer]] = {
    **dict.fromkeys(FANS, synapse),
    **dict.fromkeys((p.LIF, p.LIFReset, p.TernaryLIF, p.ATRLIF), neuron),
    **dict.fromkeys((p.Delta, p.Sigma, p.SigmaDelta), neuron),
    **dict.fromkeys((p.RF, p.RF_IZ, p.RFZero), neuron),
    **dict.fromkeys((p.GradedVec, p.GradedReluVec, p.ProdNeuron, p.NormVecDelay, p.InvSqrt), neuron),
}
"""Processes that do something, and what makes a layer of them."""

IDLE: tuple[type[Node], ...] = (p.ChipInput, p.ChipOutput, p.Port, p.Shaped, p.Joined)
"""Ends, and joins between ports."""

_LAYERS: WeakKeyDictionary[ChipGraph, Mapping[str, Layer | None]] = WeakKeyDictionary()


def layers_of(chip: ChipGraph) -> Mapping[str, Layer | None]:
    """The layers of a chip graph, in its order, made once; none for a process that no row counts."""
    if chip not in _LAYERS:
        places = places_of(chip, lambda node: getattr(node, "role", "") == "neuron")
        _LAYERS[chip] = {name: _layer(place) for name, place in places if type(place.node) not in IDLE}
    return _LAYERS[chip]


def _layer(place: Place) -> Layer | None:
    row = ROWS.get(type(place.node))
    return None if row is None else row(place)
