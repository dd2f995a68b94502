"""The count of anything that runs: a graph, a chip graph or a torch module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...toolchain.errors import UsageError
from ...toolchain.graph import Graph
from ...toolchain.loihi.chip_graph import ChipGraph
from ...toolchain.simulate.trace import Trace
from ..operations import OpCount, Promise, total

if TYPE_CHECKING:
    from torch import nn


def count(
    network: Graph | ChipGraph | nn.Module,
    given: Any,
    *,
    carries: Promise = "graded",
    infer_from_values: bool = False,
    samples: int = 1,
    steps: int | None = None,
) -> OpCount:
    """What a network does on an input, over all samples.

    Args:
        network: a graph, a chip graph, or a torch module.
        given: the input, as `simulate` or the module takes it; for a graph also a trace of it that recorded everything.
        carries: of a module, what its input promises: graded, spikes or int[low,high]; or each by name.
        infer_from_values: of a module, take what a tensor carries from its values where nothing else says it.
        samples: of a module, how many samples the input holds; a graph knows it.
        steps: of a module, how many steps one sample takes; by default those that its neurons took.
    """
    if isinstance(network, Graph):
        from .of_graph import count_graph, count_trace

        return total(count_trace(network, given) if isinstance(given, Trace) else count_graph(network, given))
    if isinstance(given, Trace):
        raise UsageError("count", f"a trace of {given.name}", "the input of the network", "give what it ran on")
    if isinstance(network, ChipGraph):
        from .of_chip import count_chip

        return total(count_chip(network, given))
    from .of_module import count_module

    return count_module(
        network, given, carries=carries, infer_from_values=infer_from_values, samples=samples, steps=steps
    )
