"""What a raster plot shows, as numbers: which neurons of a layer, when they spiked and how often; voltages.

Nothing here draws: plot.py does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import UsageError
from .graph import nodes as floats
from .graph.network import Network
from .graph.nodes.base import Array, Node, shown
from .loihi.limits import LOIHI2
from .loihi.processes import ATRLIF
from .loihi.processes.base import Process
from .loihi.processes.neurons import Firing
from .simulate.fixed_recording import states_of
from .simulate.trace import NodeTrace, Trace
from .tables import by

MOST_ROWS = 160
"""The most neurons of a layer that are drawn."""
MOST_LAYERS = 16
"""The most layers that are drawn."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of a raster, for one sample.

    Args:
        name: the node.
        kind: its kind.
        shape: what it sends in one step.
        incoming: whether it is an input.
        neurons: the neurons that are drawn, by their place in C order.
        sent: what these sent, [T, len(neurons)].
        rates: spikes or messages per step, for each of these.
        mean: the same over all neurons of the layer.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    incoming: bool
    neurons: Array
    sent: Array
    rates: Array
    mean: float

    @property
    def size(self) -> int:
        """How many neurons the layer has."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def title(self) -> str:
        """What the panel is called; it says when not all neurons are drawn."""
        drawn = "" if len(self.neurons) == self.size else f", {len(self.neurons)} drawn"
        what = "values" if self.incoming else "neurons"
        return f"{self.name} · {self.kind} {by(self.shape)} · {self.size:,} {what}{drawn}"


@dataclass(frozen=True)
class Probe:
    """A neuron whose voltage is asked for.

    Args:
        node: the node.
        index: the neuron; none: one that is chosen for what it shows.
    """

    node: str
    index: tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class Voltage:
    """The voltage of one neuron in one sample.

    Args:
        title: what the panel is called.
        values: v[t], after the reset.
        threshold: what v is compared with, a number or one for each step; none where there is no threshold.
        fired: whether the neuron spiked, for each step.
    """

    title: str
    values: Array
    threshold: Array | None
    fired: Array


def probe(text: str, network: Network) -> Probe:
    """Reads NODE, NODE[7] (counted in C order) or NODE[1,2,3]; refused unless it is a neuron with a voltage."""
    found = re.fullmatch(r"([A-Za-z0-9_.\-]+)(?:\[\s*(\d{1,12}(?:\s*,\s*\d{1,12})*)\s*\])?", text.strip())
    if found is None or found[1] not in network.nodes:
        known = ", ".join(name for name in network.nodes if has_voltage(network, name))
        raise UsageError(
            "--trace", f"'{text}'", f"NODE, NODE[7] or NODE[1,2,3], of {known or 'a network with neurons'}"
        )
    name, shape = found[1], network.signals[found[1]].shape
    if not has_voltage(network, name):
        raise UsageError("--trace", f"'{name}', a {network.nodes[name].kind}", "a neuron with a voltage")
    if found[2] is None:
        return Probe(name, None)
    index = tuple(int(part) for part in found[2].split(","))
    size = int(np.prod(shape, dtype=np.int64))
    if len(index) == 1 and len(shape) != 1 and index[0] < size:
        index = tuple(int(i) for i in np.unravel_index(index[0], shape))
    if len(index) != len(shape) or any(i >= n for i, n in zip(index, shape, strict=True)):
        raise UsageError("--trace", f"'{text}'", f"a place in {shown(shape)}, counted from 0")
    return Probe(name, index)


def has_voltage(network: Network, name: str) -> bool:
    """Whether a node is a neuron whose voltage can be recorded."""
    node = network.nodes[name]
    if isinstance(node, Process):
        return "v" in states_of(node)
    return isinstance(node, floats.Integrating)


def spiking(network: Network) -> tuple[str, ...]:
    """What a raster shows: inputs, and every neuron that sends spikes or messages."""
    return tuple(name for name, node in network.nodes.items() if name in network.inputs or _sends_spikes(node))


def _sends_spikes(node: Node) -> bool:
    match node:
        case Process():
            return node.role == "neuron" and not (isinstance(node, Firing) and node.emit == "voltage")
        case floats.Firing():
            return node.emit == "spikes"
        case _:
            return isinstance(node, (floats.ResonateFire, floats.Delta, floats.SigmaDelta))


def items(network: Network, probes: Iterable[Probe]) -> list[str]:
    """What a run has to record for a plot."""
    found = dict.fromkeys(spiking(network))
    for each in probes:
        found |= {each.node: None, f"{each.node}.voltage": None}
        if isinstance(network.nodes[each.node], ATRLIF):
            found |= {f"{each.node}.theta": None}
    return list(found)


def layers(network: Network, trace: Trace, sample: int) -> list[Layer]:
    """Every layer of a raster, in the order of the network."""
    names = spiking(network)
    return [_layer(network, trace[name], name, sample) for name in names[:MOST_LAYERS]]


def _layer(network: Network, node: NodeTrace, name: str, sample: int) -> Layer:
    shape = network.signals[name].shape
    sent = _sent(node, sample)
    rows = sent.reshape(len(sent), -1)
    neurons = np.unique(np.linspace(0, rows.shape[1] - 1, min(MOST_ROWS, rows.shape[1])).astype(np.int64))
    drawn = rows[:, neurons]
    rates, mean = (drawn != 0).mean(0), float(np.count_nonzero(rows) / rows.size)
    return Layer(name, network.nodes[name].kind, shape, name in network.inputs, neurons, drawn, rates, mean)


def _sent(node: NodeTrace, sample: int) -> Array:
    """What a node sent in one sample, in the type in which it is kept: the run's own may be four times as large."""
    return (node.values if node.sent is None else node.sent)[:, sample]


def voltages(network: Network, trace: Trace, probes: Iterable[Probe], sample: int) -> list[Voltage]:
    """The voltage of each neuron that was asked for."""
    return [_voltage(network, trace, each, sample) for each in probes]


def _voltage(network: Network, trace: Trace, asked: Probe, sample: int) -> Voltage:
    recorded, node, signal = trace[asked.node], network.nodes[asked.node], network.signals[asked.node]
    sent, values = _sent(recorded, sample), recorded.voltages[:, sample]
    fired = np.zeros(sent.shape, np.bool_) if signal.carries.graded else sent != 0
    index, why = (asked.index, "") if asked.index is not None else _telling(fired, values)
    level = _threshold(node, recorded.states, signal.shape, sample, index)
    place: tuple[Any, ...] = (slice(None), *index)
    return Voltage(f"{asked.node}{shown(index)}{why}", values[place], level, fired[place])


def _telling(fired: Array, values: Array) -> tuple[tuple[int, ...], str]:
    """A neuron worth looking at: of median rate among those that spike; where none does, the one that goes farthest."""
    counts = fired.sum(0).reshape(-1)
    active = np.flatnonzero(counts)
    if len(active):
        best = active[np.argsort(counts[active], kind="stable")[len(active) // 2]]
    else:
        best = np.abs(values).max(0).argmax()
    index = tuple(int(i) for i in np.unravel_index(int(best), fired.shape[1:]))
    return index, ", of median rate among those that spike" if len(active) else ", the one that goes farthest"


def _threshold(
    node: Node, states: Mapping[str, Array], shape: tuple[int, ...], sample: int, index: tuple[int, ...]
) -> Array | None:
    """What v is compared with: as the node holds it; in integers θ·2⁶; of an ATRLIF its moving state."""
    if "theta" in states:
        place: tuple[Any, ...] = (slice(None), sample, *index)
        return np.asarray(states["theta"][place])
    match node:
        case floats.Firing():
            return np.asarray(np.broadcast_to(node.threshold, shape)[index])
        case Firing(emit="spikes"):
            return np.asarray(np.broadcast_to(node.threshold, shape)[index] << LOIHI2.align_bits)
        case _:
            return None
