"""The proof at the end of tracing: graph and module run on the same inputs, in float64, and answer the same.

Two inputs are run, neither of them the one that was traced: the example with its steps and samples turned around, and
its values in disorder, half of them 0. So what a constant took from the example shows, and, as one copy of the module
answers both, what it keeps from one call to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import SpikeportError, UsageError
from ..graph import Graph
from ..graph.nodes import Firing
from ..graph.signal import carries
from ..simulate import simulate
from ..simulate.trace import Trace
from .calls import Rows
from .copies import fresh_copy, start_anew
from .run import Claimed, Run
from .values import leaves
from .widening import Wide

Array = np.ndarray[Any, Any]
RELATIVE = 1e-8
"""How far real values may lie apart, relative to the largest of them (torch rounds a softplus by 2e-9); spikes may not
differ at all."""


class NotTheSame(SpikeportError):
    """A graph that does not compute what its module computes."""


def prove(graph: Graph, module: nn.Module, run: Run, rows: Rows) -> str:
    """What a comparison of graph and module showed; NotTheSame, with the first place, where they differ."""
    wide = fresh_copy(module, rows)
    traces, fixed = [], []
    for change in (_turned, _disordered):
        inputs = tuple(change(each, run, graph) for each in run.examples.tensors)
        answers = _answers(wide, run, inputs)
        fixed.append([answers[place] for place in run.fixed])
        traces.append(_simulated(graph, run, inputs))
        for output, claimed in zip(graph.outputs, run.answers, strict=True):
            _compare(graph, output, claimed, np.asarray(traces[-1].outputs[output]), answers[claimed.place])
        if rows.own:
            wide = fresh_copy(module, rows)
        start_anew(wide, rows)
    if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(*fixed, strict=True)):
        raise NotTheSame(
            graph.name, "an answer depends on the input out of tracking's sight", "torch all the way", SEEN
        )
    return _said(graph, traces)


SEEN = "the module does something that tracing did not see; trace its parts, or pass rows= for them"


def _answers(wide: nn.Module, run: Run, inputs: Sequence[Tensor]) -> list[Any]:
    """The leaves of what the module answers, tensors as arrays."""
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), Wide():
            result = run.examples.call(wide, [each.clone() for each in inputs])
    except Exception as error:
        found = f"the module fails in float64: {type(error).__name__}: {error}"
        fix = "leave fixed types and shapes out of forward, or pass check=False to go without the proof"
        raise UsageError(type(wide).__name__, found, fix=fix) from error
    return [each.detach().cpu().numpy() if isinstance(each, Tensor) else each for each in leaves(result)]


def _simulated(graph: Graph, run: Run, inputs: Sequence[Tensor]) -> Trace:
    given = {
        name: _in_time(each, run.examples.axis, run.steps) for name, each in zip(graph.inputs, inputs, strict=True)
    }
    with np.errstate(all="ignore"):
        return simulate(graph, given, dtype="float64")


def _turned(example: Tensor, run: Run, graph: Graph) -> Tensor:  # noqa: ARG001
    """The example with steps and samples in the opposite order: nothing that was traced fits by chance."""
    axis = run.examples.axis
    return example.cpu().double().flip([0] if axis is None else sorted({0, axis, 1 if axis == 0 else 0}))


def _disordered(example: Tensor, run: Run, graph: Graph) -> Tensor:
    """The example's values in disorder, half of them 0 where the input may be 0."""
    dice = torch.Generator().manual_seed(0)
    values = example.cpu().double().reshape(-1)[torch.randperm(example.numel(), generator=dice)].reshape(example.shape)
    place = next(i for i, each in enumerate(run.examples.tensors) if each is example)
    low, high = carries(getattr(graph.nodes[graph.inputs[place]], "carries", "graded")).bounds
    return values * (torch.rand(example.shape, generator=dice) < 0.5) if low <= 0 <= high else values


def _in_time(example: Tensor, axis: int | None, steps: int) -> Array:
    """The example as [T, B, ...]; one that is the same in every step is repeated."""
    values: Array = example.numpy()
    if axis is None:
        return np.ascontiguousarray(np.broadcast_to(values, (steps, *values.shape)))
    return np.ascontiguousarray(np.moveaxis(values, axis, 0))


def _compare(graph: Graph, output: str, claimed: Claimed, found: Array, answer: Array) -> None:
    wanted = _ordered(answer.astype(np.float64), claimed.value.axes, found)
    where = f"{graph.name}, output '{output}'"
    if found.shape != wanted.shape:
        raise NotTheSame(where, f"its shape is {list(found.shape)}", f"{list(wanted.shape)}, as the module's")
    size = np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
    slack = RELATIVE * float(size) if graph.signals[output].carries.graded else 0.0
    with np.errstate(invalid="ignore"):
        same = (np.abs(found - wanted) <= slack) | (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    if not same.all():
        index = tuple(int(i) for i in np.argwhere(~same)[0])
        share = f"{int((~same).sum())} of {wanted.size} values"
        differs = f"the traced graph differs from the module in {share}, first at {list(index)}: {found[index]!r}"
        raise NotTheSame(where, differs, f"{wanted[index]!r}, as the module computes", SAME)


SAME = (
    "the module does something that tracing did not see: a state that does not start from 0, or that it keeps from one "
    "call to the next; trace its parts, or pass rows= for them"
)


def _ordered(wanted: Array, axes: str, found: Array) -> Array:
    """The module's answer with its axes as the graph's: time, batch, features."""
    if "F" in axes:
        return wanted.reshape(found.shape) if wanted.size == found.size else wanted
    if "G" in axes:
        steps, batch = found.shape[:2]
        return wanted.reshape(batch, steps, *found.shape[2:]).swapaxes(0, 1) if wanted.size == found.size else wanted
    order = sorted(range(len(axes)), key=lambda d: ("TBf".index(axes[d]), d))
    values = wanted.transpose(order)
    return values[None] if "T" not in axes and values.ndim == found.ndim - 1 else values


def _said(graph: Graph, traces: Sequence[Trace]) -> str:
    """How much was compared, and which neurons never spoke up."""
    first = traces[0]
    samples = f"{first.batch} sample{'s' * (first.batch != 1)}"
    steps = f"{first.steps} step{'s' * (first.steps != 1)}"
    text = f"equal to the module in float64 on {len(traces)} runs of {steps} of {samples}"
    silent = [name for name, node in graph.nodes.items() if isinstance(node, Firing) and not _spikes(name, traces)]
    return f"{text}; silent neurons: {', '.join(silent)}" if silent else text


def _spikes(name: str, traces: Sequence[Trace]) -> int:
    counts: Sequence[Mapping[str, Any]] = [trace.counts for trace in traces]
    return sum(each[name].nonzero for each in counts)
