"""A network of which a chip does some parts and a host the others, and how it runs.

Every part takes all steps at once, in the order in which they stand: a chip's part in its integers, with zeros behind
until its last answer has come. What it sends is handed on at the steps that it belongs to, in the units of the graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..toolchain.errors import UsageError
from ..toolchain.graph import Graph
from ..toolchain.graph.nodes import Array, Input
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.loihi.places import read_places
from ..toolchain.simulate import simulate
from ..toolchain.simulate.readout import GATHER, answer
from ..toolchain.verifying.sides import in_units_of


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the host or of the chip.

    Args:
        network: a graph for the host, a chip graph for the chip.
        reads: its inputs → the nodes of the whole network that they stand for.
        sends: its outputs → the nodes that they hand out.
        shapes: of what it sends, by output.
    """

    network: Graph | ChipGraph
    reads: Mapping[str, str]
    sends: Mapping[str, str]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def host(self) -> bool:
        """Whether it is the host's."""
        return isinstance(self.network, Graph)

    def run(self, given: Mapping[str, Array]) -> dict[str, Array]:
        """What its outputs hand out in every step, [T, B, *shape] each.

        Args:
            given: what comes in at each of its inputs.
        """
        run = _on_host if isinstance(self.network, Graph) else _on_chip
        found = run(self.network, given, self.sends)  # type: ignore[arg-type]
        return {name: values.reshape(*values.shape[:2], *self.shapes[name]) for name, values in found.items()}


def _on_host(graph: Graph, given: Mapping[str, Array], outputs: Iterable[str]) -> dict[str, Array]:
    trace = simulate(graph, given, record=list(outputs), dtype="float64")
    return {name: trace[name].values for name in outputs}


def _on_chip(chip: ChipGraph, given: Mapping[str, Array], outputs: Iterable[str]) -> dict[str, Array]:
    places, steps = read_places(chip), len(next(iter(given.values())))
    late = max(places[name].latency for name in outputs)
    fed = {
        name: np.pad(values, ((0, late), *([(0, 0)] * (values.ndim - 1))))
        for name, values in in_units_of(chip, given).items()
    }
    trace = simulate(chip, fed, record=[places[name].node for name in outputs])
    found = {}
    for name in outputs:
        place = places[name]
        values = trace[place.node].values[place.latency : place.latency + steps]
        found[name] = values.astype(np.float64) / place.scale
    return found


@dataclass(frozen=True)
class Answer:
    """What an output of the whole network hands out.

    Args:
        readout: how it is read from what comes over time.
        reads: the node that it reads.
        delayed: whether a step later.
    """

    readout: str
    reads: str
    delayed: bool = False


@dataclass(frozen=True, eq=False)
class Mixed:
    """A network in parts.

    Args:
        name: what it is called.
        dt: the length of a step in seconds.
        inputs: by name.
        parts: in the order in which they run.
        outputs: by name.
        notes: those of the network.
    """

    name: str
    dt: float
    inputs: Mapping[str, Input]
    parts: tuple[Part, ...]
    outputs: Mapping[str, Answer]
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = set(self.inputs)
        for part in self.parts:
            _check_known(self.name, part.reads.values(), known)
            known |= set(part.sends.values())
        _check_known(self.name, (answer.reads for answer in self.outputs.values()), known)

    def sent(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """What is handed from part to part in every step, by the node of the whole network that sends it.

        Args:
            inputs: [T, B, *shape] for each input.
        """
        if set(inputs) != set(self.inputs):
            raise UsageError(self.name, f"values for {sorted(inputs)}", f"values for {', '.join(self.inputs)}")
        found = {name: np.asarray(values, np.float64) for name, values in inputs.items()}
        for part in self.parts:
            given = {entry: found[name] for entry, name in part.reads.items()}
            found |= {part.sends[end]: values for end, values in part.run(given).items()}
        return found

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """The answers of the whole network: those of every step, or what their readout makes of them.

        Args:
            inputs: [T, B, *shape] for each input.
        """
        sent = self.sent(inputs)
        return {name: _read(each, sent[each.reads]) for name, each in self.outputs.items()}


def _check_known(name: str, read: Iterable[str], known: set[str]) -> None:
    missing = [each for each in read if each not in known]
    if missing:
        raise UsageError(name, f"a part that reads '{missing[0]}'", "an input, or what a part before it sends")


def _read(how: Answer, values: Array) -> Array:
    if how.delayed:
        values = np.concatenate([np.zeros_like(values[:1]), values[:-1]])
    if how.readout == "steps":
        return values
    return answer(how.readout, GATHER[how.readout](None, values), len(values), values.dtype)
