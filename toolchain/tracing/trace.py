"""`trace`: from a torch module and an example of its input to a graph, and the proof that they compute the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..errors import Refused, SpikeportError, UsageError
from ..graph import Graph
from ..graph.nodes import Input
from .calls import OwnRows, fresh_copy, intercepted, stateful_rows
from .finish import Answer, finish
from .functions.shapes import TimeFirst
from .functions.table import dispatch
from .proof import Claim, prove
from .recorder import Recorder
from .values import Tracked, Value, leaves

TimeAxis = Literal["auto"] | int | None
ENOUGH = 3
"""A loop over time has to turn this often to be seen as one."""


class TracingRefused(Refused):
    """A module that cannot be traced, with every offending operation."""


@dataclass(frozen=True)
class Run:
    """One traced run.

    Args:
        recorder: what it left behind.
        outputs: what the module answered with: a name, the place among its leaves, and the tracked tensor.
        inputs: the example as it was used.
        axis: the axis of time, or none.
    """

    recorder: Recorder
    outputs: tuple[tuple[str, int, Tracked], ...]
    inputs: tuple[Tensor, ...]
    axis: int | None


def trace(
    module: nn.Module,
    example_input: Any,
    *,
    time_axis: TimeAxis = "auto",
    carries: str = "graded",
    dt: float | None = None,
    host: bool = False,
    rows: OwnRows | None = None,
    name: str | None = None,
    check: bool = True,
) -> Graph:
    """The graph of a torch module.

    The module runs once on the example. What it computes becomes nodes; what has no node is refused, all of it at once,
    with the module, the line and what to do instead. Then the graph is simulated on the same example in float64 and has
    to answer as the module does.

    Args:
        module: the network; it is traced as a copy in eval mode and stays as it is.
        example_input: a tensor [T, B, ...] or, for a module that takes one step, [B, ...]; or a tuple of them.
        time_axis: the axis of time in the input; None for one step; by default found out from the module.
        carries: what the input promises to carry: graded, spikes or int[low,high].
        dt: the length of a step in seconds; by default what the neurons say, or 1 ms.
        host: keep what a chip cannot do as host nodes, instead of refusing it.
        rows: for types of modules, the node that one of them is; these come before the tables.
        name: what the graph is called; by default the module's type.
        check: simulate the graph on the example and compare.
    """
    own = dict(rows or {})
    examples = _examples(example_input)
    run = _run(module, examples, _axis(module, time_axis, own), own, host=host, carries=carries)
    label = name or type(module).__name__
    if run.recorder.offences:
        raise TracingRefused(f"tracing {label}", run.recorder.offences)
    graph = finish(run.recorder, _answers(run), name=label, dt=_dt(run.recorder, dt), notes=_notes(module, run))
    if check:
        claims = [
            Claim(output, place, each.value.axes)
            for output, (_, place, each) in zip(graph.outputs, run.outputs, strict=True)
        ]
        prove(graph, fresh_copy(module, own), run.inputs, run.axis, _steps(run), claims)
    return graph


def _examples(example: Any) -> tuple[Tensor, ...]:
    given = example if isinstance(example, (tuple, list)) else (example,)
    tensors = tuple(each if isinstance(each, Tensor) else torch.as_tensor(each) for each in given)
    for tensor in tensors:
        if tensor.ndim < 1 or not tensor.numel():
            raise UsageError(
                "example_input", f"a tensor of shape {list(tensor.shape)}", "[time, batch, ...] or [batch, ...]"
            )
        if not tensor.is_floating_point():
            raise UsageError("example_input", f"values of type {tensor.dtype}", "floating point", "call .float() on it")
        if not torch.isfinite(tensor).all():
            raise UsageError("example_input", "NaN or infinite values", "finite numbers")
    return tensors


def _axis(module: nn.Module, time_axis: TimeAxis, own: OwnRows) -> int | None:
    if time_axis != "auto":
        return time_axis
    return 0 if any(row.many(each) for each, row in stateful_rows(module, own)) else None


def _run(
    module: nn.Module, examples: tuple[Tensor, ...], axis: int | None, own: OwnRows, *, host: bool, carries: str
) -> Run:
    prepared = tuple(_prepared(each, axis) for each in examples)
    try:
        return run_traced(fresh_copy(module, own), prepared, axis, own, host=host, carries=carries)
    except TimeFirst:
        return _run(module, examples, 0, own, host=host, carries=carries)


def _prepared(example: Tensor, axis: int | None) -> Tensor:
    """The example with more than one sample and enough steps for a loop to show."""
    batch = 1 if axis == 0 else 0
    if axis is not None and example.ndim < 2:
        raise UsageError("example_input", f"a tensor of shape {list(example.shape)}", "[time, batch, ...]")
    example = example.detach()
    if example.shape[batch] == 1:
        example = torch.cat([example, example.flip(-1)], batch)
    if axis is not None and example.shape[axis] < ENOUGH:
        repeats = [1] * example.ndim
        repeats[axis] = -(-ENOUGH // example.shape[axis])
        example = example.repeat(repeats)
    return example


def run_traced(
    module: nn.Module, inputs: tuple[Tensor, ...], axis: int | None, own: OwnRows, *, host: bool, carries: str
) -> Run:
    """Run a module on tracked inputs. (The name marks the outermost frame of the user's code.)"""
    first = inputs[0]
    batch = 1 if axis == 0 else 0
    recorder = Recorder(
        host=host, steps=0 if axis is None else first.shape[axis], batch=first.shape[batch], dispatch=dispatch
    )
    tracked = [_input(recorder, index, each, axis, carries) for index, each in enumerate(inputs)]
    try:
        with torch.no_grad(), intercepted(module, recorder, own):
            result = module(*tracked)
    except (TimeFirst, SpikeportError):
        raise
    except Exception as error:
        if recorder.offences:
            raise TracingRefused(f"tracing {type(module).__name__}", recorder.offences) from error
        fix = "run the module on this input outside of tracing; see also time_axis"
        raise UsageError(type(module).__name__, f"the module fails on the example: {error}", fix=fix) from error
    return Run(recorder, tuple(_outputs(result, recorder)), inputs, axis)


def _input(recorder: Recorder, index: int, example: Tensor, axis: int | None, carries: str) -> Tracked:
    lead = "B" if axis is None else "TB" if axis == 0 else ""
    axes = lead + "f" * (example.ndim - len(lead))
    if axis:
        axes = "".join("B" if d == 0 else "T" if d == axis else "f" for d in range(example.ndim))
    shape = tuple(n for n, role in zip(example.shape, axes, strict=True) if role == "f")
    key = recorder.emit("input" if index == 0 else f"input_{index}", Input(shape, carries), [], stateful=True)
    return recorder.wrap(example.clone(), Value(key, axes))


def _outputs(result: Any, recorder: Recorder) -> Sequence[tuple[str, int, Tracked]]:
    """What a module answers; a neuron's state counts where it is handed out as a tensor of its own that a node can send."""
    names, inside = _names(result), list(_in_records(result))
    found = []
    for place, each in enumerate(leaves(result)):
        if isinstance(each, Tracked):
            value = each.value
            if value.state and (inside[place] or (value.key, value.state) not in recorder.twins):
                recorder.dropped.append(f"{recorder.entries[value.key].name}.{value.state}")
            else:
                found.append((names[place], place, each))
    if not found and not recorder.offences:
        raise UsageError("module", "no output that depends on its input", "a tensor, or a tuple or dictionary of them")
    return found


def _in_records(value: Any, inside: bool = False) -> Iterator[bool]:
    """For each leaf, whether it lies in a named tuple, as the states of Norse do."""
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from _in_records(each, inside or hasattr(value, "_fields"))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _in_records(each, inside)
    else:
        yield inside


def _names(result: Any) -> list[str]:
    """A name for each leaf of what a module answers: its key in a dictionary, or output."""
    if not isinstance(result, Mapping):
        return ["output" for _ in leaves(result)]
    return [str(label) for label, part in result.items() for _ in leaves(part)]


def _answers(run: Run) -> list[Answer]:
    answers = []
    for label, _, tensor in run.outputs:
        value = run.recorder.sent(tensor.value)
        readout: Any = value.readout or ("last" if value.step is not None and _loops(run) else "steps")
        answers.append(Answer(label, replace(value, readout=""), readout))
    return answers


def _loops(run: Run) -> bool:
    return run.axis is not None or _steps(run) > 1


def _steps(run: Run) -> int:
    """How many steps the run made."""
    counted = max((entry.step for entry in run.recorder.entries.values() if entry.step is not None), default=0) + 1
    return run.recorder.steps or max(run.recorder.held, counted)


def _dt(recorder: Recorder, given: float | None) -> float:
    said = sorted(set(recorder.dts.values()))
    if len(said) > 1:
        found = ", ".join(f"{name}: {value}" for name, value in recorder.dts.items())
        raise UsageError("dt", f"neurons with different steps ({found})", "one dt for the whole network")
    if given is not None and said and given != said[0]:
        raise UsageError("dt", f"{given}", f"{said[0]}, as the neurons say")
    return given if given is not None else said[0] if said else 1e-3


def _notes(module: nn.Module, run: Run) -> dict[str, str]:
    kind = type(module)
    notes = {"source": f"{kind.__module__}.{kind.__qualname__}"}
    if run.axis is None and _steps(run) > 1:
        notes["input"] = f"the same in every step; the module makes {_steps(run)} steps"
    if run.recorder.dropped:
        notes["states"] = "not an output: " + ", ".join(run.recorder.dropped)
    return notes
