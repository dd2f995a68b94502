"""Operations of a graph, counted from a run: while the reference simulation runs, or from what it recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...toolchain.errors import UsageError
from ...toolchain.graph import Graph
from ...toolchain.graph.inline import inline
from ...toolchain.simulate.recording import Viewer
from ...toolchain.simulate.reference import watch
from ...toolchain.simulate.trace import Trace
from ..operations import OpCount
from .counter import Counter
from .rows import layers_of

CHUNK = 64
"""Steps of a trace that are looked at at once."""


def count_graph(graph: Graph, inputs: Any, *, window: int | None = None) -> tuple[OpCount, ...]:
    """Run a graph once, and count what each sample of the batch makes it do.

    Args:
        graph: the network.
        inputs: as `simulate` takes them: [T, B, *shape], a mapping from input names to such, or an iterator of either.
        window: steps that run at once; it does not change the counts.

    Returns:
        One count for each sample. Memory is bounded by one window, as the simulation's is.
    """
    flat = inline(graph)
    counter = Counter(flat, layers_of(flat), "graph")
    watch(flat, inputs, counter.viewers, window=window)
    return counter.counts()


def count_trace(graph: Graph, trace: Trace) -> tuple[OpCount, ...]:
    """Count what was done in a run of a graph that recorded everything.

    Args:
        graph: the network that ran.
        trace: what came of `simulate(graph, inputs, record="all")`.
    """
    flat = inline(graph)
    if trace.first:
        raise UsageError("trace", f"a run that began at step {trace.first}", "one that begins at step 0")
    counter = Counter(flat, layers_of(flat), "graph")
    viewers = counter.viewers(trace.batch, trace.dtype)
    _refuse_what_lacks(flat, trace, viewers)
    for start in range(0, trace.steps, CHUNK):
        for name in (each for each in flat.order if each in viewers):
            sent = trace.nodes[name].sent
            if sent is not None:
                viewers[name](sent[start : start + CHUNK].astype(trace.dtype, copy=False))
    return counter.counts()


def _refuse_what_lacks(graph: Graph, trace: Trace, needed: Mapping[str, Viewer]) -> None:
    for name in needed:
        if name not in trace.nodes or trace.nodes[name].sent is None:
            fix = "simulate(graph, inputs, record='all')"
            raise UsageError("trace", f"nothing of what '{name}' sent", "a run that recorded everything", fix)
        found, expected = trace.nodes[name].sent.shape[2:], graph.signals[name].shape  # type: ignore[union-attr]
        if found != expected:
            raise UsageError("trace", f"'{name}' sent {found}", f"{expected}, as in the graph", "the graph that ran")
