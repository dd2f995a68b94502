"""From what a run left behind to a graph: delays in front of biases, sums over time as integrators, nothing unread."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..graph.graph import NAME, Graph, GraphBuilder, Wire
from ..graph.nodes import Add, Input, Integrator, Node, Output, Scale
from ..graph.nodes.base import Array
from ..graph.nodes.ends import Readout
from .recorder import Entry, Recorder, alike


@dataclass(frozen=True)
class Answer:
    """One output of the traced module.

    Args:
        name: what it is called.
        key: the node it comes from.
        readout: what of the run it is.
    """

    name: str
    key: int
    readout: Readout


def finish(
    recorder: Recorder, answers: Sequence[Answer], *, name: str, dt: float, notes: Mapping[str, str], states: bool
) -> Graph:
    """The graph of a traced run that met no offence.

    Args:
        recorder: what the run left behind.
        answers: the outputs.
        name: what the graph is called.
        dt: the length of a step.
        notes: its notes.
        states: whether what lies on a loop is taken for a state, which starts with zeros as it is.
    """
    entries = _simplified(_with_twins(recorder.entries))
    kept = _read(entries, [answer.key for answer in answers])
    builder = GraphBuilder(name if NAME.fullmatch(name) else "network", dt)
    builder.notes.update(notes)
    names = {key: builder.add(_name(entry.name), entry.node) for key, entry in entries.items() if key in kept}
    for key, unique in names.items():
        builder.connect(unique, *(Wire(names[source], late) for source, late in entries[key].wires))
    for answer in answers:
        key, readout = _counted(entries, answer)
        builder.add(_name(answer.name), Output(readout), names[key])
    return _delays_in_front(_without_unread(builder), states=states)


def _name(path: str) -> str:
    clean = re.sub(r"[^A-Za-z0-9_.\-]", "_", path).strip(".")[:190]
    return clean if clean and not clean.startswith("-") else f"node{clean}"


def _with_twins(entries: Mapping[int, Entry]) -> dict[int, Entry]:
    """Nodes that send a neuron's state read what the neuron reads."""
    return {
        key: entry if entry.twin is None else replace(entry, wires=entries[entry.twin].wires)
        for key, entry in entries.items()
    }


def _simplified(entries: dict[int, Entry]) -> dict[int, Entry]:
    """Without scales by one, and with `a[t] = a[t−1] + x[t]` as an integrator."""
    for key, entry in list(entries.items()):
        if (
            isinstance(entry.node, Add)
            and len(entry.wires) == 2
            and (key, True) in entry.wires
            and entry.wires[0] != entry.wires[1]
        ):
            others = tuple(wire for wire in entry.wires if wire != (key, True))
            entries[key] = replace(entry, node=Integrator(), wires=others)
    idle = {key: entry.wires[0] for key, entry in entries.items() if _is_idle(entry.node)}
    return {
        key: replace(entry, wires=tuple(_past(wire, idle) for wire in entry.wires)) for key, entry in entries.items()
    }


def _is_idle(node: Node) -> bool:
    return (
        isinstance(node, Scale)
        and node.scale.ndim == 0
        and float(node.scale) == 1
        and (node.shift is None or not np.any(node.shift))
    )


def _past(wire: tuple[int, bool], idle: Mapping[int, tuple[int, bool]]) -> tuple[int, bool]:
    key, late = wire
    while key in idle and not (late and idle[key][1]):
        key, late = idle[key][0], late or idle[key][1]
    return key, late


def _read(entries: Mapping[int, Entry], roots: Iterable[int]) -> set[int]:
    kept, waiting = {key for key, entry in entries.items() if isinstance(entry.node, Input)}, list(roots)
    while waiting:
        key = waiting.pop()
        if key not in kept:
            kept.add(key)
            waiting.extend(source for source, _ in entries[key].wires)
    return kept


def _counted(entries: Mapping[int, Entry], answer: Answer) -> tuple[int, Readout]:
    """The last value of a plain integrator is a sum over time."""
    entry = entries[answer.key]
    if answer.readout == "last" and isinstance(entry.node, Integrator) and alike(entry.node, Integrator()):
        source, late = entry.wires[0]
        if not late:
            return source, "sum"
    return answer.key, answer.readout


def _without_unread(builder: GraphBuilder) -> Graph:
    graph = builder.build()
    read, waiting = set(graph.inputs), list(graph.outputs)
    while waiting:
        name = waiting.pop()
        if name not in read or name in graph.outputs:
            read.add(name)
            waiting.extend(wire.source for wire in graph.wires[name] if wire.source not in read)
    nodes = {name: node for name, node in graph.nodes.items() if name in read}
    return Graph(nodes, {name: graph.wires[name] for name in nodes}, graph.dt, graph.name, graph.notes)


def _delays_in_front(graph: Graph, *, states: bool) -> Graph:
    """Move a delay in front of the node it leaves, where that node does not answer zeros with zeros.

    A delayed wire starts with zeros. A node with a bias answers zeros with its bias, as the module does in its first
    step: only in front of that node, and of all that stand between it and what remembers or comes in, does the delay
    mean what the module did. What lies on a loop is either such a result, or a state that the module itself starts with
    zeros.
    """
    builder = GraphBuilder(graph.name, graph.dt)
    builder.nodes, builder.wires, builder.notes = dict(graph.nodes), dict(graph.wires), dict(graph.notes)
    late = [edge for edge in graph.edges if edge.delayed]
    stirs = _at_rest(graph, {edge.source for edge in late})
    for edge in late:
        if stirs[edge.source] and not (states and _on_a_loop(graph, edge.source)):
            source = _in_front(graph, edge.source, builder, stirs)
            ports = builder.wires[edge.target]
            builder.connect(edge.target, *(Wire(source) if p == edge.port else wire for p, wire in enumerate(ports)))
    return _renamed(_without_unread(builder))


def _at_rest(graph: Graph, names: set[str]) -> dict[str, bool]:
    """Whether these nodes, and those they read from, send anything while what remembers or comes in sends zeros."""
    wanted, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(() if _remembers(graph, name) else (wire.source for wire in graph.wires[name]))
    sent: dict[str, Array] = {}
    for name in graph.order:
        if name in wanted:
            sources = [sent[wire.source] for wire in graph.wires[name]] if not _remembers(graph, name) else []
            zeros = np.zeros((1, *graph.signals[name].shape))
            sent[name] = graph.nodes[name].step({}, *sources)[0] if sources else zeros
    return {name: bool(np.any(values)) for name, values in sent.items()}


def _on_a_loop(graph: Graph, name: str) -> bool:
    """Whether a node reads what it has sent."""
    seen: set[str] = set()
    waiting = [wire.source for wire in graph.wires[name]]
    while waiting:
        source = waiting.pop()
        if source not in seen:
            seen.add(source)
            waiting.extend(wire.source for wire in graph.wires[source])
    return name in seen


def _remembers(graph: Graph, name: str) -> bool:
    node = graph.nodes[name]
    return node.stateful or isinstance(node, Input) or any(wire.delayed for wire in graph.wires[name])


def _in_front(graph: Graph, name: str, builder: GraphBuilder, stirs: Mapping[str, bool]) -> str:
    """A copy of a node that reads one step later what the node reads, and its name."""
    copied = f"{name}{LATER}"
    if copied not in builder.nodes:
        builder.nodes[copied] = graph.nodes[name]
        sources = [wire.source for wire in graph.wires[name]]
        wires = [
            Wire(_in_front(graph, source, builder, stirs)) if stirs[source] else Wire(source, delayed=True)
            for source in sources
        ]
        builder.connect(copied, *wires)
    return copied


LATER = "-later"
"""The mark of a copy that reads one step later."""


def _renamed(graph: Graph) -> Graph:
    """Copies get the names of the nodes they stand for, where those are gone."""
    gone = {name: name.removesuffix(LATER) for name in graph.nodes if name.endswith(LATER)}
    new = {name: plain for name, plain in gone.items() if plain not in graph.nodes}
    nodes = {new.get(name, name): node for name, node in graph.nodes.items()}
    wires = {
        new.get(name, name): tuple(Wire(new.get(w.source, w.source), w.delayed) for w in ports)
        for name, ports in graph.wires.items()
    }
    return Graph(nodes, wires, graph.dt, graph.name, graph.notes)
