"""The two sides of a comparison: whatever can run a network, or the record of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..graph import Graph
from ..graph.nodes.base import Array
from ..loihi.chip_graph import ChipGraph
from ..loihi.places import read_places
from ..simulate import simulate
from ..simulate.trace import Trace
from .golden import Recorded

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class OnLava:
    """A chip graph as it runs on Lava's own simulator.

    Args:
        chip: the network.
    """

    chip: ChipGraph


@dataclass(frozen=True, eq=False)
class OnRuntime:
    """A graph as ONNX Runtime runs it, in float32.

    Args:
        graph: the network.
    """

    graph: Graph


@dataclass(frozen=True, eq=False)
class InSingle:
    """A graph computed in float32: where float64 comes to the other side of a threshold, as 3·0.1 ≥ 0.3 does.

    Args:
        graph: the network.
    """

    graph: Graph


@dataclass(frozen=True, eq=False)
class Side:
    """One side, ready to run.

    Args:
        called: what it is, in words.
        network: its nodes and wires.
        backend: what runs it.
        module: the module of torch that answers in place of the network's outputs; None where there is none.
        record: what it sent, where it was recorded and does not run; None where it runs.
        single: whether it computes in float32 in any case.
    """

    called: str
    network: Graph | ChipGraph
    backend: str
    module: nn.Module | None = None
    record: Recorded | None = None
    single: bool = False

    @property
    def integers(self) -> bool:
        """Whether it computes in the integers of a chip."""
        return isinstance(self.network, ChipGraph)

    def run(self, inputs: Mapping[str, Array], record: Sequence[str]) -> Trace:
        """What it sends."""
        if self.record is not None:
            return self.record.trace(record, len(next(iter(inputs.values()))), slice(None))
        trace = simulate(self.network, inputs, backend=self.backend, record=list(record), dtype=self.dtype)
        _let_go(self.network, self.backend)
        return trace

    def run_one(self, inputs: Mapping[str, Array], record: Sequence[str], steps: int, sample: int) -> Trace:
        """What it sends of one sample in the first steps."""
        if self.record is not None:
            return self.record.trace(record, steps, slice(sample, sample + 1))
        return self.run({name: values[:steps, sample : sample + 1] for name, values in inputs.items()}, record)

    @property
    def dtype(self) -> str | None:
        """What it computes in; None for a chip, which has integers."""
        return None if self.integers else "float32" if self.single or self.backend == "onnxruntime" else "float64"

    def answers(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """What the module itself answers, by the outputs of its graph; nothing where the side is no module."""
        return {} if self.module is None else _answers(self.module, self.network, inputs)


LARGE = 8 << 20
"""Of a network with more bytes of parameters, what a run prepared is not kept: it is gone when the other side runs."""


PREPARED = {"fixed": ("fixed_plan",), "reference": ("plan",), "onnxruntime": ("plan", "onnxruntime")}
"""The modules that keep what a backend has prepared."""


def _let_go(network: Graph | ChipGraph, backend: str) -> None:
    if sum(array.nbytes for node in network.nodes.values() for array in node.arrays().values()) > LARGE:
        for where in PREPARED.get(backend, ()):
            import_module(f"..simulate.{where}", __package__).forget(network)


def in_units_of(chip: ChipGraph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """A graph's inputs as its chip graph takes them: under its names, in its units, rounded."""
    places = read_places(chip)
    return {
        places[name].node: values if places[name].scale == 1 else np.rint(values * places[name].scale)
        for name, values in inputs.items()
    }


def side(what: Any, example: Mapping[str, Array]) -> Side:
    """A side, from whatever can run; a module of torch is traced on the example, with what no chip can do."""
    if isinstance(what, OnLava):
        return Side(f"{what.chip.name} on Lava", what.chip, "lava")
    if isinstance(what, ChipGraph):
        return Side(f"{what.name} in integers", what, "fixed")
    if isinstance(what, Graph):
        return Side(f"{what.name} in float64", what, "reference")
    if isinstance(what, InSingle):
        return Side(f"{what.graph.name} in float32", what.graph, "reference", single=True)
    if isinstance(what, OnRuntime):
        return Side(f"{what.graph.name} on ONNX Runtime", what.graph, "onnxruntime")
    if isinstance(what, Recorded):
        return Side(what.golden.called, what.network, "record", record=what)
    from torch import nn

    if isinstance(what, nn.Module):
        return _of_module(what, example)
    expected = "a torch module, a Graph, a ChipGraph, OnLava(ChipGraph), OnRuntime(Graph) or Recorded(Golden, Graph)"
    raise UsageError("verify", f"a {type(what).__name__}", expected)


def _of_module(module: nn.Module, example: Mapping[str, Array]) -> Side:
    import torch

    from ..tracing import trace

    given = {name: torch.from_numpy(np.ascontiguousarray(each, np.float32)) for name, each in example.items()}
    named = {name: given[name] for name in signature(module.forward).parameters if name in given}
    several = named if len(named) == len(given) else tuple(given.values())
    graph = trace(module, next(iter(given.values())) if len(given) == 1 else several, time_axis=0, host=True)
    return Side(f"{type(module).__name__} in torch", graph, "reference", module)


def _answers(module: nn.Module, graph: Graph | ChipGraph, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The module's answers in float64, time first."""
    import torch

    from ..tracing.calls import Rows
    from ..tracing.copies import fresh_copy
    from ..tracing.values import leaves
    from ..tracing.widening import Wide

    twin = fresh_copy(module, Rows({}))
    given = [torch.from_numpy(np.array(inputs[name], np.float64)) for name in graph.inputs]
    with torch.no_grad(), Wide():
        found = [each.numpy() for each in leaves(twin(*given)) if isinstance(each, torch.Tensor)]
    if len(found) < len(graph.outputs):
        raise UsageError("verify", f"{len(found)} tensors", f"an answer for each of {', '.join(graph.outputs)}")
    return dict(zip(graph.outputs, found, strict=False))
