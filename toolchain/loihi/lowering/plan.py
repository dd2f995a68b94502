"""What becomes of every target: its neuron, its synapses, and which outputs read it; or why it cannot be.

An output that reads a neuron or an input, with no more than moves between, reads it directly. An output behind linear
layers gets a neuron of its own: behind spikes a voltage without memory, behind values one that hands them on.

Neurons that send values have no bias register. Theirs come as the weights of a neuron that spikes in every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...errors import SpikeportError
from ...graph import Graph, Node
from ...graph.nodes import Activation, Delta, Multiply, Output
from ...graph.nodes.base import Array
from ...graph.signal import SPIKES, Carries
from .devices import VALUE, Device, device
from .dialects import READOUT, Membrane, membrane
from .forms import MOVES, Form, Move, form, times
from .paths import Cut, Path, Shape, computes, cut

ALWAYS = "always"
"""The neuron that spikes in every step."""


@dataclass(frozen=True, eq=False)
class Unit:
    """A neuron to be.

    Args:
        name: its name.
        shape: its shape.
        membrane: its equation.
        forms: its synapses.
    """

    name: str
    shape: Shape
    membrane: Membrane
    forms: tuple[Form, ...]


@dataclass(frozen=True, eq=False)
class ValueUnit:
    """A neuron to be that does something else than integrate and fire.

    Args:
        name: its name.
        shape: its shape.
        device: what it makes of what comes in.
        ports: for each of its ports, the synapses.
        direct: the input that it reads without a synapse; empty for none.
    """

    name: str
    shape: Shape
    device: Device
    ports: tuple[tuple[Form, ...], ...]
    direct: str = ""

    @property
    def forms(self) -> tuple[Form, ...]:
        """The synapses of all ports."""
        return tuple(form for port in self.ports for form in port)


@dataclass(frozen=True)
class Read:
    """An output.

    Args:
        name: its name.
        source: the neuron or input that it reads.
        moves: moves between.
    """

    name: str
    source: str
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, eq=False)
class Plan:
    """The network to be.

    Args:
        graph: the graph it comes from.
        units: its neurons that integrate, by name, in the graph's order.
        values: its other neurons, by name, in the graph's order.
        reads: its outputs.
        refusals: why it cannot be.
    """

    graph: Graph
    units: Mapping[str, Unit]
    values: Mapping[str, ValueUnit]
    reads: tuple[Read, ...]
    refusals: tuple[SpikeportError, ...]

    @property
    def neurons(self) -> Mapping[str, Unit | ValueUnit]:
        """All neurons by name."""
        return {**self.units, **self.values}

    @property
    def approximations(self) -> Mapping[str, tuple[str, ...]]:
        """The approximations that each neuron takes."""
        usual = {name: unit.membrane.approximations for name, unit in self.units.items()}
        return {**usual, **{name: unit.device.approximations for name, unit in self.values.items()}}

    @property
    def biased(self) -> bool:
        """Whether a neuron asks for the one that always spikes."""
        return any(form.source == ALWAYS for unit in self.neurons.values() for form in unit.forms)

    def carries(self, source: str) -> Carries:
        """What a source sends in the graph."""
        return SPIKES if source == ALWAYS else self.graph.signals[source].carries

    def shape(self, source: str) -> Shape:
        """The shape of what a source sends."""
        return (1,) if source == ALWAYS else self.graph.signals[source].shape

    def graded(self, source: str) -> bool:
        """Whether a source sends values, in a scale."""
        unit = self.values.get(source)
        given = source in self.graph.inputs and self.graph.signals[source].carries.graded
        return given or (unit is not None and unit.device.port is None)


def plan(graph: Graph, *, subtracting: bool = False) -> Plan:
    """The plan of a lowered graph; `subtracting` allows the neuron that subtracts exactly."""
    parts = cut(graph)
    found: list[Unit | ValueUnit | Read | SpikeportError] = []
    for name in parts.targets:
        ends = isinstance(graph.nodes[name], Output)
        found += _output(parts, name) if ends else _neuron(parts, name, subtracting=subtracting)
    units = {each.name: each for each in found if isinstance(each, Unit)}
    values = {each.name: each for each in found if isinstance(each, ValueUnit)}
    reads = tuple(each for each in found if isinstance(each, Read))
    wrong = [*parts.refusals, *(each for each in found if isinstance(each, SpikeportError))]
    return Plan(graph, units, values, reads, (*wrong, *_voltages(units, values, reads)))


def _neuron(parts: Cut, name: str, *, subtracting: bool) -> list[Unit | ValueUnit | SpikeportError]:
    graph = parts.graph
    node = graph.nodes[name]
    if computes(node):
        return _value(parts, name, node)
    held = membrane(name, node, parts.constants[name][0], subtracting=subtracting)
    forms = _forms(parts, name, 0)
    wrong = [each for each in (held, *forms) if isinstance(each, SpikeportError)]
    if wrong or isinstance(held, SpikeportError) or not forms:
        return list(wrong)
    shape, kept = graph.signals[name].shape, [each for each in forms if isinstance(each, Form)]
    if held.subtracts:  # no clock resets it, so its bias must not begin before its first step
        kept += _bias(name, held.bias / held.gain, shape)
        held = replace(held, bias=np.zeros(()))
    return [Unit(name, shape, held, tuple(kept))]


def _forms(parts: Cut, name: str, port: int) -> list[Form | SpikeportError]:
    graph = parts.graph
    read = graph.signals[graph.wires[name][port].source].shape
    shape = graph.signals[name].shape if isinstance(graph.nodes[name], Multiply) else read
    return [form(path, graph.signals[path.source].shape, name, shape) for path in parts.paths[name][port]]


def _value(parts: Cut, name: str, node: Node) -> list[Unit | ValueUnit | SpikeportError]:
    shape = parts.graph.signals[name].shape
    count = len(parts.paths[name])
    if count > 2:
        return [SpikeportError(name, f"a product of {count} signals", "two", "multiply two, and then the next")]
    what = device(name, node)
    if isinstance(what, SpikeportError):
        return [what]
    first, *rest = parts.constants[name]
    direct = _direct(parts, name, node)
    if direct:
        return [ValueUnit(name, shape, what, ((),), direct)]
    ports = [
        [*_gained(_forms(parts, name, port), what.gain), *_bias(name, constant, shape)]
        for port, constant in enumerate([first * what.gain + what.bias, *rest])
    ]
    wrong = [each for port in ports for each in port if isinstance(each, SpikeportError)]
    if wrong or not all(ports):
        return list(wrong)
    held = tuple(tuple(each for each in port if isinstance(each, Form)) for port in ports)
    squared = isinstance(node, Activation) and node.function == "square"
    return [ValueUnit(name, shape, what, held * 2 if squared else held)]


def _direct(parts: Cut, name: str, node: Node) -> str:
    """The input that a Delta reads as it is, as the chip's can; empty for none."""
    paths = parts.paths[name][0]
    if not isinstance(node, Delta) or len(paths) != 1 or parts.constants[name][0].any():
        return ""
    path = paths[0]
    same = (
        path.source in parts.graph.inputs and parts.graph.signals[path.source].shape == parts.graph.signals[name].shape
    )
    return path.source if same and not path.ops and not path.delay else ""


def _gained(forms: list[Form | SpikeportError], gain: float) -> list[Form | SpikeportError]:
    return [times(each, gain) if isinstance(each, Form) and gain != 1 else each for each in forms]


def _bias(name: str, constant: Array, shape: Shape) -> list[Form]:
    """A constant as the weights of the neuron that always spikes."""
    if not constant.any():
        return []
    column = np.broadcast_to(constant, shape).reshape(-1, 1).astype(np.float64)
    return [Form(f"{name}.bias", ALWAYS, 0, (), column, () if len(shape) == 1 else (Move(shape),))]


def _output(parts: Cut, name: str) -> list[Unit | ValueUnit | Read | SpikeportError]:
    graph, paths, constant = parts.graph, parts.paths[name][0], parts.constants[name][0]
    if not paths:
        return []
    path = paths[0]
    if len(paths) == 1 and not path.delay and not constant.any() and all(isinstance(o.node, MOVES) for o in path.ops):
        return [Read(name, path.source, _moves(path))]
    forms = _forms(parts, name, 0)
    wrong = [each for each in forms if isinstance(each, SpikeportError)]
    if wrong:
        return list(wrong)
    held = tuple(each for each in forms if isinstance(each, Form))
    own, shape = graph.wires[name][0].source, graph.signals[name].shape
    readout = own if own not in graph.inputs and own not in parts.targets else f"{name}.readout"
    if all(graph.signals[each.source].carries.graded is False for each in held):
        return [Unit(readout, shape, replace(READOUT, bias=np.asarray(constant, float)), held), Read(name, readout)]
    return [ValueUnit(readout, shape, VALUE, ((*held, *_bias(readout, constant, shape)),)), Read(name, readout)]


def _moves(path: Path) -> tuple[Move, ...]:
    return tuple(Move(op.sent, getattr(op.node, "axes", None)) for op in path.ops)


def _voltages(
    units: Mapping[str, Unit], values: Mapping[str, ValueUnit], reads: tuple[Read, ...]
) -> tuple[SpikeportError, ...]:
    """Voltages that layers read, or that moves stand behind."""
    sends = {name for name, unit in units.items() if unit.membrane.emit == "voltage"}
    fix = "let it send spikes, or read its voltage at an output alone"
    readers: list[Unit | ValueUnit] = [*units.values(), *values.values()]
    read = {form.source: unit.name for unit in readers for form in unit.forms if form.source in sends}
    moved = {r.source: r.name for r in reads if r.source in sends and r.moves}
    found = {**read, **moved}
    return tuple(
        SpikeportError(source, f"'{reader}' reads its voltage", "an output that reads it directly", fix)
        for source, reader in found.items()
    )
