"""What can be kept of a run of a chip graph, whatever runs it: which items there are, and what is counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ..errors import UsageError
from ..loihi.chip_graph import ChipGraph
from ..loihi.processes import ChipInput, Process
from .recording import SENT, asked

HIDDEN = frozenset({"coming", "t", "error"})
"""What a process remembers beside its states: what is still on its way, the clock, the sum of unsent changes."""
ALIASES: Mapping[str, tuple[str, ...]] = {"voltage": ("v",), "current": ("u", "i")}
"""Other names of states; the first state that a process has is meant."""


def states_of(node: Process) -> tuple[str, ...]:
    """The states of a process that can be recorded."""
    if node.role != "neuron":
        return ()
    return tuple(state for state in node.start((1,), 1, np.int32) if state not in HIDDEN)


def wanted(record: str | Iterable[str], graph: ChipGraph) -> dict[str, frozenset[str]]:
    """What to keep of each process: `sent` and states; a UsageError for what cannot be recorded.

    Args:
        record: "outputs", "spikes", "all", or items such as "node", "node.voltage", "node.STATE".
        graph: the network.
    """
    every = {name: frozenset({SENT, *states_of(node)}) for name, node in graph.nodes.items()}
    return asked(record, graph.neurons, every, lambda item: _item(item, graph))


def _item(item: str, graph: ChipGraph) -> tuple[str, str]:
    if item in graph.nodes:
        return item, SENT
    name, _, what = item.rpartition(".")
    if name not in graph.nodes:
        names = ", ".join(graph.nodes)
        raise UsageError("record", f"'{item}'", f"a node, perhaps with a state behind it; nodes are {names}")
    states = states_of(graph.nodes[name])
    state = next((each for each in ALIASES.get(what, (what,)) if each in states), None)
    if state is None:
        known = ", ".join(f"'{name}.{each}'" for each in states) or f"'{name}' itself"
        raise UsageError("record", f"'{item}'", f"{known} of this {graph.nodes[name].kind}")
    return name, state


def counted(graph: ChipGraph) -> tuple[str, ...]:
    """The processes whose values are counted: inputs, neurons, spikes and integers, and what synapses read."""
    read = {w.source for name, node in graph.nodes.items() if node.role == "synapse" for w in graph.wires[name]}
    return tuple(
        name
        for name, node in graph.nodes.items()
        if name not in graph.outputs
        and (name in read or node.role == "neuron" or isinstance(node, ChipInput) or _small(graph, name))
    )


def _small(graph: ChipGraph, name: str) -> bool:
    return not graph.signals[name].carries.graded
