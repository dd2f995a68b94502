"""A graph as an ONNX model, one step at a time or a whole run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import GraphError, UsageError
from ..graph import Graph
from ..graph.inline import inline
from ..graph.nodes import Affine, Contract, Conv, ConvTranspose, StateSpace, TemporalKernel
from ..graph.nodes.base import Array, need
from .memory import Memory, memories
from .parts import Block, DType, Sheet, Value
from .proto import OPSET, Built, message
from .step import AFTER, BEFORE, step_of
from .unrolled import BATCH, END, GATHERED, START, Tap, run_block

if TYPE_CHECKING:
    import onnx

Unroll = Literal["scan"] | None
WEIGHTED = (Affine, Conv, ConvTranspose, Contract, TemporalKernel, StateSpace)
"""The layers whose weights say what a network computes in."""

LARGEST = 1 << 28
"""The most values of a signal."""


def model(graph: Graph, *, unroll: Unroll = None, dtype: Any = None) -> onnx.ModelProto:
    """A graph as an ONNX model.

    One step: inputs are the graph's, [batch, *shape], and `state.NODE.KEY` for all that is remembered; outputs are the
    graph's and `next.NODE.KEY`, which is the next step's `state.NODE.KEY`. A whole run (unroll="scan"): inputs are
    [steps, batch, *shape], outputs the readouts and `end.NODE.KEY`, what is remembered after the last step.

    Args:
        graph: the network.
        unroll: none for one step; scan for a whole run.
        dtype: float32 or float64; by default what the graph's weights are in.
    """
    return message(build(graph, unroll=unroll, dtype=dtype))


def build(graph: Graph, *, unroll: Unroll = None, dtype: Any = None) -> Built:
    """As `model`, before it is a message: what can be written without a second copy of the weights."""
    if unroll not in (None, "scan"):
        raise UsageError("unroll", f"'{unroll}'", "scan, or none for one step")
    flat = inline(graph)
    check_sizes(flat)
    sheet = Sheet(dtype_of(graph) if dtype is None else np.dtype(dtype))
    kept = memories(flat, sheet.dtype)
    check_names(flat, kept)
    block = run_block(flat, sheet, kept) if unroll == "scan" else step_block(flat, sheet, kept)
    return finished(block, sheet, words(flat, kept, unroll))


def build_run(graph: Graph, kept: Sequence[Memory], dtype: DType, taps: Sequence[Tap]) -> Built:
    """A run whose memory comes in as `start.NODE.KEY`, and that hands out taps alone.

    Args:
        graph: the network, without sub-graphs.
        kept: what it remembers.
        dtype: what it computes in.
        taps: what is handed out for every step.
    """
    sheet = Sheet(dtype)
    check_names(graph, kept)
    return finished(run_block(graph, sheet, kept, taps), sheet, "")


def step_block(graph: Graph, sheet: Sheet, kept: Sequence[Memory]) -> Block:
    """One step, with all that is remembered coming in and going out."""
    step = step_of(graph, sheet, kept, lambda name: name)

    def value(name: str, shape: Sequence[int]) -> Value:
        return Value(name, sheet.dtype, (BATCH, *shape))

    inputs = [value(name, graph.signals[name].shape) for name in graph.inputs]
    outputs = [value(name, graph.signals[name].shape) for name in graph.outputs]
    inputs += [value(BEFORE + each.name, each.shape) for each in kept]
    outputs += [value(AFTER + each.name, each.shape) for each in kept]
    return Block(graph.name, tuple(inputs), tuple(outputs), step.ops)


def finished(block: Block, sheet: Sheet, text: str) -> Built:
    """The block with what is made of constants before it."""
    whole = Block(block.name, block.inputs, block.outputs, (*sheet.prepared, *block.ops))
    remarks = tuple(dict.fromkeys(sheet.remarks))
    return Built(whole, dict(sheet.constants), text, remarks=remarks, held=dict(sheet.held))


def dtype_of(graph: Graph) -> DType:
    """float64 where the weights are in it, or, without weights, an array of parameters is; else float32."""
    every = list(inline(graph).nodes.values())
    weights = [array for node in every if isinstance(node, WEIGHTED) for array in node.arrays().values()]
    found = weights or [array for node in every for array in node.arrays().values() if array.ndim]
    wide = any(array.dtype.name in ("float64", "complex128") for array in found)
    return np.dtype(np.float64 if wide else np.float32)


def check_sizes(graph: Graph) -> None:
    """A GraphError for a signal that no machine runs: what is remembered of it is made once, for one sample."""
    for name, signal in graph.signals.items():
        need(signal.size <= LARGEST, name, f"{signal.size:,} values in one step", f"at most {LARGEST:,}")


def check_names(graph: Graph, kept: Sequence[Memory]) -> None:
    """A GraphError for a node that is called as what another one remembers."""
    prefixes = (BEFORE, AFTER, START, END)
    names = [*(each.name for each in kept), *(GATHERED + name for name in graph.outputs)]
    taken = {prefix + name for name in names for prefix in prefixes}
    for name in graph.nodes:
        if name in taken:
            raise GraphError(name, "the name that an ONNX model gives to what a node remembers", "another", "rename it")


def words(graph: Graph, kept: Sequence[Memory], unroll: Unroll) -> str:
    """What a model says of itself."""
    if unroll:
        return f"A run of '{graph.name}' with steps of {graph.dt} s, over the first axis of its inputs (opset {OPSET})."
    head = f"One step of '{graph.name}', {graph.dt} s long (opset {OPSET})."
    if not kept:
        return head
    tail = " Each output next.X is the next step's input state.X; before the first step it is "
    return head + tail + (f"0, but for {', '.join(started(kept))}." if started(kept) else "0.")


def started(kept: Sequence[Memory]) -> Mapping[str, Array]:
    """What does not start at 0."""
    return {BEFORE + each.name: each.start for each in kept if each.start.any()}
