"""Rounded layers as processes, wires and notes.

Biases integrate from the chip's first step on, which is λ steps too early. So where any neuron has a bias, all are
reset by the clock in front of their own first step, λ + 1. What a neuron sent before arrives before its readers' reset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...graph import later
from ...graph.nodes import Output
from ...graph.signal import MOST, integers
from ..chip_graph import ChipGraph
from ..limits import LOIHI2
from ..places import NOTE, Place, write_places
from ..processes import LIF, ChipInput, ChipOutput, Dense, Shaped
from .board import Board, neuron, subtracting
from .bounds import Rules
from .integers import Integers
from .layer import Layer
from .options import Options
from .plan import ALWAYS, Plan
from .recursions import Value
from .sources import Sources
from .timing import Timing
from .values import FINER, Held

FOREVER = 1 << 30
"""An interval after which no run gets."""


@dataclass(frozen=True, eq=False)
class Made:
    """A layer, rounded.

    Args:
        layer: the layer in floating point.
        held: its integers.
        rules: the rules that it was rounded by.
        retuned: the part of the graph's threshold that it has; 1 unless an approximation asked for another.
    """

    layer: Layer
    held: Integers
    rules: Rules
    retuned: float = 1.0


@dataclass(frozen=True, eq=False)
class Network:
    """All parts of a network, rounded.

    Args:
        sources: what every source sends.
        timing: when.
        options: what was asked for.
        made: neurons that integrate.
        values: neurons that send values.
    """

    sources: Sources
    timing: Timing
    options: Options
    made: Mapping[str, Made]
    values: Mapping[str, Held]

    @property
    def parts(self) -> Plan:
        """The plan."""
        return self.sources.parts


def assembled(network: Network) -> ChipGraph:
    """Processes, wires and notes."""
    parts, timing, sources = network.parts, network.timing, network.sources
    graph = parts.graph
    board = Board([*graph.inputs, *parts.neurons, *(read.name for read in parts.reads), ALWAYS])
    for name in graph.inputs:
        signal = sources.signal(name)
        board.put(name, ChipInput(signal.shape, str(signal.carries)))
    if parts.biased:
        _put_always(board, graph.inputs[0], graph.signals[graph.inputs[0]].size)
    resets = clocked(network.options, network.made)
    for name, made in network.made.items():
        reset = _reset(network.options, timing, name) if resets else None
        put_unit(board, sources, made, timing.slack[name], reset)
    for name, held in network.values.items():
        _put_value(board, sources, held, timing.slack[name], network.options.bits)
    for read in parts.reads:
        node = graph.nodes[read.name]
        readout = node.readout if isinstance(node, Output) else "steps"
        source = board.moved(read.name, read.source, read.moves)
        board.put(read.name, ChipOutput(readout, timing.latency[read.source]), source)
    notes = {**graph.notes, NOTE: write_places(places(network)), "quantised": _note(parts, network.options)}
    return ChipGraph(board.nodes, board.wires, graph.dt, graph.name, notes)


def lone(sources: Sources, timing: Timing, options: Options, made: Made) -> tuple[ChipGraph, dict[str, str]]:
    """A layer alone, with an input for each source; and the source of each input."""
    name = made.layer.name
    found = dict.fromkeys(form.source for form in made.layer.forms)
    here = {source: source if source != name else f"{name}.before" for source in found}
    board = Board([name, *here.values()])
    for source, put in here.items():
        signal = sources.signal(source)
        wide = integers(-MOST, MOST) if signal.carries.graded else signal.carries
        board.put(put, ChipInput(signal.shape, str(wide)))
    reset = _reset(options, timing, name) if _biased(options, made) else None
    put_unit(board, sources, made, timing.slack[name], reset, here)
    board.put(f"{name}.out", ChipOutput(), name)
    return ChipGraph(board.nodes, board.wires), {put: source for source, put in here.items()}


def _biased(options: Options, made: Made) -> bool:
    """Whether a bias, or the clock itself, asks for resets; what forgets at once needs none."""
    held, membrane = made.held, made.layer.membrane
    forgets = membrane.threshold is None and not membrane.alpha.any() and not membrane.beta.any()
    return options.reset_interval is not None or (bool(held.bias.any()) and not forgets)


def _reset(options: Options, timing: Timing, name: str) -> tuple[int, int]:
    """Interval and offset: in front of the neuron's first step."""
    interval = options.reset_interval or FOREVER
    return interval, (timing.latency[name] + 1) % interval


def clocked(options: Options, made: Mapping[str, Made]) -> bool:
    """Whether the clock resets neurons: where it is asked for, and where a bias integrates too early."""
    return options.reset_interval is not None or any(_biased(options, each) for each in made.values())


def _note(parts: Plan, options: Options) -> str:
    used = sorted({each for names in parts.approximations.values() for each in names})
    return f"{options.bits}-bit weights for {options.target}" + (f", with {', '.join(used)}" if used else "")


def put_unit(
    board: Board,
    sources: Sources,
    made: Made,
    slack: tuple[int, ...],
    reset: tuple[int, int] | None,
    here: Mapping[str, str] | None = None,
) -> None:
    """A neuron and its synapses; `here` has other names for its sources."""
    name, arriving = made.layer.name, []
    for form, rounded, wait in zip(made.layer.forms, made.held.synapses, slack, strict=True):
        own = replace(form, source=(here or {}).get(form.source, form.source))
        bits = sources.message_bits(form.source)
        arriving.append(board.synapse(own, rounded, sources.signal(form.source).shape, wait, made.rules.bits, bits))
    membrane = made.layer.membrane
    process = subtracting(made.held) if membrane.subtracts else neuron(made.held, membrane.emit, reset)
    board.put(name, process, board.port(name, arriving))


def _put_always(board: Board, source: str, size: int) -> None:
    """The neuron that spikes in every step, from the first; its port is tied to an input by weights of 0."""
    line = board.add(f"{ALWAYS}.line", Shaped((size,)), source)
    rest = board.add(f"{ALWAYS}.rest", Dense(weight=np.zeros((1, size), int)), later(line))
    one = LOIHI2.decay_unity
    board.put(ALWAYS, LIF(current_decay=one, voltage_decay=one, threshold=0, bias=1), rest)


def _put_value(board: Board, sources: Sources, held: Held, slack: tuple[int, ...], bits: int) -> None:
    """A neuron that sends values, and its synapses."""
    name, waits, arriving = held.unit.name, iter(slack), []
    for port in held.ports:
        ends, wait = [], 0
        for form, rounded in port:
            wait = wait if form.name.endswith(FINER) else next(waits)
            shape, size = sources.signal(form.source).shape, sources.message_bits(form.source)
            ends.append(board.synapse(form, rounded, shape, wait, bits, size))
        arriving += [board.port(name, ends)] if ends else []
    sources_of = [held.unit.direct] if held.unit.direct else arriving
    board.put(name, held.unit.device.make(held.registers), *sources_of)


def places(network: Network) -> dict[str, Place]:
    """Where inputs, neurons and outputs of the graph are."""
    late, sources = network.timing.latency, network.sources
    found = {name: Place(name, late[name], sources.scale(name)) for name in network.parts.graph.inputs}
    for name, made in network.made.items():
        found[name] = Place(name, late[name], 1.0 if made.layer.membrane.emit == "spikes" else made.held.scale)
    for name, held in network.values.items():
        found[name] = Place(name, late[name], held.scale)
    for read in network.parts.reads:
        found[read.name] = replace(found[read.source], node=read.name)
    nodes = network.parts.graph.nodes
    return {name: place for name, place in found.items() if name in nodes and not isinstance(nodes[name], Value)}
