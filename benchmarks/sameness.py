"""Is the graph still the network it was traced from? Every layer that spikes, every step, beside the torch module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..toolchain.graph import Graph
from ..toolchain.simulate import Trace

Array = npt.NDArray[Any]

CLOSE = 1e-9
"""How far answers that are real numbers may differ, relative to the largest: what reordered sums in float64 can do."""


@dataclass(frozen=True)
class Layer:
    """One layer beside the module that it was.

    Args:
        name: the node, and the module's path.
        kind: the node's kind.
        shape: one step of one sample.
        spikes: how many there were.
        rate: spikes for each neuron and step.
        compared: how many values were compared.
        different: how many of them differ.
        first: the first step in which one differs.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    spikes: int
    rate: float | None
    compared: int
    different: int
    first: int | None

    @property
    def same(self) -> bool:
        """Whether something was compared, and all of it is equal."""
        return self.compared > 0 and self.different == 0

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.compared:
            return "not compared: no module of this name"
        return "same" if self.same else f"{self.different:,} of {self.compared:,} differ, first in step {self.first}"


def compared(module: nn.Module, inputs: Tensor | Mapping[str, Tensor], graph: Graph, found: Trace) -> tuple[Layer, ...]:
    """Every neuron that spikes beside the module of its name, and the answer.

    Args:
        module: the network, time first, in the dtype of the run.
        inputs: what the run was given, [T, B, *shape]; of several inputs by name, in forward's order.
        graph: the graph.
        found: its run, with the spikes of all neurons.
    """
    names = [name for name in graph.order if name in found]
    given = tuple(inputs.values()) if isinstance(inputs, Mapping) else (inputs,)
    answer, sent = _sent(module, given, names)
    layers = [_spiking(graph, found, name, sent.get(name)) for name in names]
    return *layers, _answer(graph, found, answer)


def _sent(module: nn.Module, inputs: tuple[Tensor, ...], names: list[str]) -> tuple[Array, Mapping[str, Array]]:
    """The module's answer, and what its modules of these names sent."""
    sent: dict[str, Array] = {}
    hooks = [
        part.register_forward_hook(lambda _, __, out, name=name: sent.update({name: out.numpy()}))
        for name, part in module.named_modules()
        if name in names
    ]
    with torch.no_grad():
        answer = module(*inputs).numpy()
    for hook in hooks:
        hook.remove()
    return answer, sent


def _spiking(graph: Graph, found: Trace, name: str, wanted: Array | None) -> Layer:
    spikes, count = found[name].spikes, found.counts[name]
    differs = spikes[:0].astype(bool) if wanted is None else spikes != wanted
    return _layer(graph, name, count.nonzero, count.rate, differs)


def _answer(graph: Graph, found: Trace, wanted: Array) -> Layer:
    (name,) = found.outputs
    differs = np.abs(found.outputs[name] - wanted) > CLOSE * max(1.0, float(np.abs(wanted).max()))
    return replace(_layer(graph, name, 0, None, differs), name="answer")


def _layer(graph: Graph, name: str, spikes: int, rate: float | None, differs: Array) -> Layer:
    steps = np.flatnonzero(differs.any(tuple(range(1, differs.ndim))))
    first = int(steps[0]) if steps.size else None
    shape = graph.signals[name].shape
    return Layer(name, graph.nodes[name].kind, shape, spikes, rate, int(differs.size), int(differs.sum()), first)
