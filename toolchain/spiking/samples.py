"""What a conversion is measured on: samples, what the ReLU network makes of them, and how far another one is off.

    e[t] = √mean_{b,i}(y[t,b,i] − ŷ[t,b,i])² / √mean_{t,b,i} y[t,b,i]²

y of the ReLU network, over all samples b and all values i of its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UsageError
from ..graph import Graph, replace_graph
from ..graph.nodes import Output
from ..graph.nodes.base import Array, shown
from ..simulate import simulate
from .relus import Relus


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples and what the ReLU network makes of them.

    Args:
        inputs: [T, B, *shape] of every input.
        labels: the class of every sample, or none.
        answers: [T, B, values], all outputs side by side.
        activations: what inputs and ReLUs sent, [T, B, *shape].
        size: √mean y².
    """

    inputs: Mapping[str, Array]
    labels: Array | None
    answers: Array
    activations: Mapping[str, Array]
    size: float

    @property
    def steps(self) -> int:
        """T."""
        return len(self.answers)

    @property
    def count(self) -> int:
        """B."""
        return int(self.answers.shape[1])

    def errors(self, answers: Array) -> Array:
        """e[t] of other answers; one step of ours stands for all of theirs."""
        off: Array = np.sqrt(((answers.astype(np.float64) - self.answers) ** 2).mean((1, 2)))
        return off / self.size

    def accuracies(self, answers: Array | None = None) -> Array | None:
        """In each step, the share of samples whose largest answer is at their label; of the ReLU network itself too."""
        if self.labels is None:
            return None
        given = self.answers if answers is None else answers
        right: Array = (given.argmax(2) == self.labels).mean(1)
        return right


def samples_of(relus: Relus, inputs: Any, labels: Any = None) -> Samples:
    """Run the ReLU network on samples.

    Args:
        relus: the network.
        inputs: [T, B, *shape], or by name where there are several inputs.
        labels: the class of each sample, for a network with one output of scores.
    """
    graph = relus.graph
    given = _given(graph, inputs)
    trace = simulate(every_step(graph), given, record=[*graph.inputs, *relus.heights])
    answers = joined(trace.outputs).astype(np.float64)
    size = float(np.sqrt((answers**2).mean()))
    if not size > 0 or not np.isfinite(size):
        raise UsageError(
            "calibration", "samples on which the network answers nothing but 0", "samples like those it is for"
        )
    activations = {name: trace[name].values for name in (*graph.inputs, *relus.heights)}
    return Samples(given, _labels(graph, labels, answers.shape), answers, activations, size)


def _given(graph: Graph, inputs: Any) -> dict[str, Array]:
    """Arrays by input."""
    if not isinstance(inputs, Mapping):
        if len(graph.inputs) != 1:
            found = f"one array for {len(graph.inputs)} inputs"
            raise UsageError("calibration", found, f"a mapping with {', '.join(graph.inputs)}")
        inputs = {graph.inputs[0]: inputs}
    return {str(name): np.asarray(values) for name, values in inputs.items()}


def _labels(graph: Graph, labels: Any, shape: tuple[int, ...]) -> Array | None:
    if labels is None:
        return None
    found = np.asarray(labels)
    scores = [graph.signals[name].shape for name in graph.outputs]
    if len(scores) != 1 or len(scores[0]) != 1:
        what = " and ".join(shown(each) for each in scores)
        raise UsageError("labels", f"beside outputs of shape {what}", "one output with a score for each class")
    if found.shape != shape[1:2] or found.dtype.kind not in "iu":
        raise UsageError("labels", f"{found.dtype} of shape {shown(found.shape)}", f"{shape[1]} whole numbers")
    if found.min() < 0 or found.max() >= shape[2]:
        raise UsageError("labels", f"{found.min()} to {found.max()}", f"0 to {shape[2] - 1}, the network's classes")
    return found


def every_step(graph: Graph) -> Graph:
    """The graph with outputs that hand out every step."""
    ends = {name: Output() for name in graph.outputs}
    return replace_graph(graph, nodes={name: ends.get(name, node) for name, node in graph.nodes.items()})


def joined(outputs: Mapping[str, Array]) -> Array:
    """[T, B, *shape] of every output as [T, B, values]."""
    return np.concatenate([values.reshape(*values.shape[:2], -1) for values in outputs.values()], 2)
