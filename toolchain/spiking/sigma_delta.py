"""A network of ReLUs as a sigma-delta network, Loihi's own way for networks without spikes.

    at an input   Delta        y[t] = what x changed by since the last message, once that is θ or more
    at a ReLU     SigmaDelta   σ[t] = Σ messages = L(what came in);  the same of max(σ[t] + c, 0)
    at an output  Sigma        Σ messages, and c

Layers are linear, so what they make of changes adds up to what they make of values: with θ = 0 the network answers in
every step what the ReLU network does. A layer's constant c does not change, so it moves into the neuron behind it. A
ReLU that is cut off at h is two: min(max(z, 0), h) = max(z, 0) − max(z − h, 0).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..graph import Graph
from ..graph.nodes import Add, Delta, Output, Scale, Sigma, SigmaDelta
from ..graph.nodes.base import Array
from ..passes.draft import Draft
from .putting import put_behind
from .relus import Relus, without_constant

WORD = "sigma-delta"


@dataclass(frozen=True, eq=False)
class Coders:
    """A network of ReLUs whose neurons wait for their thresholds.

    Args:
        relus: the network.
        constants: c of every ReLU and output.
    """

    relus: Relus
    constants: Mapping[str, Array]

    @property
    def names(self) -> tuple[str, ...]:
        """Where a threshold has to be: at inputs and ReLUs."""
        return (*self.relus.graph.inputs, *self.relus.heights)

    @property
    def exact(self) -> tuple[str, ...]:
        """Inputs of whole numbers, whose smallest change is 1: a threshold of 1 loses nothing."""
        graph = self.relus.graph
        return tuple(name for name in graph.inputs if not graph.signals[name].carries.graded)

    def with_thresholds(self, thresholds: Mapping[str, float]) -> Graph:
        """The sigma-delta network; θ is 0 where none is given."""
        draft = Draft(self.relus.graph)
        for name in draft.order():
            if draft.wires[name]:
                draft.replace(name, without_constant(draft.nodes[name], draft.received(name)[0]))
        for name in self.relus.graph.inputs:
            theta = 1.0 if name in self.exact else thresholds.get(name, 0.0)
            put_behind(draft, name, "delta", Delta(threshold=theta))
        for name, height in self.relus.heights.items():
            _coded(draft, name, self.constants[name], thresholds.get(name, 0.0), height)
        for name in self.relus.graph.outputs:
            _summed(draft, name, self.constants[name])
        return draft.build()


def coders_of(relus: Relus) -> Coders:
    """What a network of ReLUs becomes."""
    return Coders(relus, relus.constants())


def senders(graph: Graph) -> tuple[str, ...]:
    """The neurons of a sigma-delta network that send messages."""
    return tuple(name for name, node in graph.nodes.items() if isinstance(node, (Delta, SigmaDelta)))


def _coded(draft: Draft, name: str, constant: Array, theta: float, height: float) -> None:
    if math.isinf(height):
        draft.replace(name, SigmaDelta(threshold=theta, bias=constant))
        return
    source = draft.wires[name][0]
    below = draft.insert(f"{name}.below", SigmaDelta(threshold=theta, bias=constant), source, before=name)
    above = draft.insert(f"{name}.above", SigmaDelta(threshold=theta, bias=constant - height), source, before=name)
    less = draft.insert(f"{name}.less", Scale(np.asarray(-1.0)), above, before=name)
    draft.replace(name, Add(), below, less)


def _summed(draft: Draft, name: str, constant: Array) -> None:
    output = draft.nodes[name]
    last = draft.insert(f"{name}.sigma", Sigma(), draft.wires[name][0], before=name)
    if constant.any():
        last = draft.insert(f"{name}.bias", Scale(np.asarray(1.0), constant), last, before=name)
    draft.replace(name, output if isinstance(output, Output) else Output(), last)
