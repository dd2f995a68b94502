"""`trace`: from a torch module and an example of its input to a graph, and the proof that they compute the same."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..errors import SpikeportError, UsageError
from ..graph import Graph
from .calls import OwnRows, Rows
from .copies import fresh_copy, uncompiled
from .finish import Answer, finish
from .functions.steps import TimeFirst
from .proof import NotTheSame, prove
from .recorder import Recorder
from .run import Examples, Promise, Run, TracingRefused, run_traced
from .values import Value, leaves
from .widening import Wide

TimeAxis = Literal["auto"] | int | None
ENOUGH = 3
"""A loop over time has to turn this often to be seen as one."""


def trace(
    module: nn.Module,
    example_input: Any,
    *,
    time_axis: TimeAxis = "auto",
    carries: Promise = "graded",
    dt: float | None = None,
    host: bool = False,
    rows: OwnRows | None = None,
    name: str | None = None,
    check: bool = True,
) -> Graph:
    """The graph of a torch module.

    The module runs once on the example. What it computes becomes nodes; what has no node is refused, all of it at once,
    with the module, the line and what to do instead. Then the graph is simulated on the same example in float64 and has
    to answer as the module does; the note `proof` says what that showed.

    Args:
        module: the network; it is traced as a copy in eval mode and stays as it is.
        example_input: a tensor [T, B, ...] or, for a module that takes one step, [B, ...]; or a tuple of them; or a
            dictionary of them, which the module takes by name.
        time_axis: the axis of time in the input; None for one step; by default found out from the module.
        carries: what the input promises to carry: graded, spikes or int[low,high]; of several, by name.
        dt: the length of a step in seconds; by default what the neurons say, or 1 ms.
        host: keep what a chip cannot do as host nodes, instead of refusing it.
        rows: for types of modules, a function from a module to the node that it is; these come before the tables.
            Such a module takes one step in each call, or, with `all_steps(function)`, all steps at once.
        name: what the graph is called; by default the module's type.
        check: simulate the graph on the example and compare.
    """
    module = uncompiled(module)
    known, label = Rows(rows or {}), name or type(module).__name__
    run = _run(module, example_input, time_axis, known, host=host, carries=carries)
    if run.recorder.offences:
        reading = "as one step, [batch, ...]" if run.examples.axis is None else f"with time as axis {run.examples.axis}"
        raise TracingRefused(f"tracing {label} {reading}", run.recorder.offences)
    _refuse_state_by_hand(module, run, known, label)
    if not check:
        return _graph(module, run, label, dt).with_notes(proof="not proved: traced with check=False")
    turning = run.recorder.loops() if run.examples.axis is None else frozenset()
    if turning:
        with contextlib.suppress(SpikeportError):  # then the loop is no loop over time, and stays as it was met
            rolled = run_traced(module, run.examples, known, host=host, carries=carries, turning=turning)
            if not rolled.recorder.offences:
                return _proved(module, rolled, known, label, dt)
    return _proved(module, run, known, label, dt)


def _refuse_state_by_hand(module: nn.Module, run: Run, rows: Rows, label: str) -> None:
    """Refuse a module that takes back what it answers: one call alone does not show where such a state goes.

    Where neurons hand their states out, the state that forward takes is theirs, and the nodes keep it.
    """
    theirs = run.recorder.dropped or any(run.recorder.entries[each.value.key].twin is not None for each in run.answers)
    if theirs or run.examples.axis is not None or run.steps > 1 or len(run.answers) < 2:
        return
    taken = inspect.signature(module.forward).parameters.values()
    left = [each.name for each in list(taken)[len(run.examples.names) :] if each.default is None]
    for name in [] if run.examples.named else left:
        if _takes_back(module, run, rows, name):
            found = (
                f"forward takes '{name}', which the example leaves out, and answers with it: a state handed on by hand"
            )
            fix = f"trace a module that loops, `for x_t in x: y, {name} = net(x_t, {name})`, or give it as an input"
            raise UsageError(
                label, found, "a state that one call shows: kept by its module, or handed on in a loop", fix
            )


def _takes_back(module: nn.Module, run: Run, rows: Rows, name: str) -> bool:
    """Whether an answer, handed back under a name, changes what the module answers."""
    given = [each.cpu().double() for each in run.examples.tensors]
    with torch.no_grad(), torch.random.fork_rng(devices=[]), Wide():
        alone = list(leaves(fresh_copy(module, rows)(*given)))
        plain = [alone[each.place] for each in run.answers]
        for state in (*plain, tuple(plain[1:]), list(plain[1:])):
            with contextlib.suppress(Exception):  # not what forward takes there
                again = list(leaves(fresh_copy(module, rows)(*given, **{name: state})))
                if any(isinstance(a, Tensor) and not torch.equal(a, b) for a, b in zip(alone, again, strict=True)):
                    return True
    return False


def _proved(module: nn.Module, run: Run, rows: Rows, label: str, dt: float | None) -> Graph:
    """The graph that is the module: what a loop hands on is a result of the step before or, if not that, a state."""
    graph = _graph(module, run, label, dt)
    try:
        return graph.with_notes(proof=prove(graph, module, run, rows))
    except NotTheSame:
        if not any(edge.delayed for edge in graph.edges):
            raise
        graph = _graph(module, run, label, dt, states=True)
        with contextlib.suppress(NotTheSame):
            return graph.with_notes(proof=prove(graph, module, run, rows))
        raise


def _graph(module: nn.Module, run: Run, label: str, dt: float | None, *, states: bool = False) -> Graph:
    answers = [Answer(each.name, each.value.key, _readout(run, each.value)) for each in run.answers]
    return finish(run.recorder, answers, name=label, dt=_dt(run.recorder, dt), notes=_notes(module, run), states=states)


def _run(module: nn.Module, example: Any, time_axis: TimeAxis, rows: Rows, *, host: bool, carries: Promise) -> Run:
    """The run that is refused nothing; where each reading of the example is refused, the likeliest."""
    first: Run | SpikeportError | None = None
    likely = _likely(module, time_axis, rows)
    while likely:
        found: Run | SpikeportError
        try:
            given = _examples(example, likely.pop(0))
            _check_promise(carries, given)
            found = run_traced(module, given, rows, host=host, carries=carries, seeking=time_axis == "auto")
            if not found.recorder.offences:
                return found
        except TimeFirst:
            first, likely = None, [0]
            continue
        except SpikeportError as error:
            found = error
        first = first or found
    if isinstance(first, Run):
        return first
    raise first or UsageError("time_axis", f"{time_axis!r}", "an axis")


def _check_promise(carries: Promise, given: Examples) -> None:
    """Refuse a promise for an input that there is not."""
    unknown = [] if isinstance(carries, str) else [name for name in carries if name not in given.names]
    if unknown:
        raise UsageError("carries", f"an input {unknown[0]!r}", f"one of {', '.join(given.names)}")


def _likely(module: nn.Module, time_axis: TimeAxis, rows: Rows) -> list[int | None]:
    """The axes that time may be, the likeliest first."""
    if time_axis != "auto":
        return [time_axis]
    known = ((each, rows.row(each)) for each in module.modules())
    return [0, None] if any(row is not None and row.many(each) for each, row in known) else [None, 0]


def _examples(example: Any, axis: int | None) -> Examples:
    named = isinstance(example, Mapping)
    given = tuple(example.values()) if named else tuple(example) if isinstance(example, (tuple, list)) else (example,)
    if not given:
        raise UsageError("example_input", "nothing", "a tensor, or a tuple or dictionary of them")
    tensors = tuple(_checked(each, axis) for each in given)
    places = {0} if axis is None else {0, 1} if axis == 0 else {0, axis}
    if any(tensors[0].shape[d] != each.shape[d] for each in tensors for d in places):
        found = " and ".join(str(list(each.shape)) for each in tensors)
        raise UsageError("example_input", f"tensors of shapes {found}", "the same time and batch in all of them")
    names = tuple(map(str, example)) if named else tuple("input" if i == 0 else f"input_{i}" for i in range(len(given)))
    return Examples(tuple(_prepared(each, axis) for each in tensors), names, named, axis)


def _checked(example: Any, axis: int | None) -> Tensor:
    try:
        tensor = example.detach() if isinstance(example, Tensor) else torch.as_tensor(example)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError("example_input", f"a {type(example).__name__}", "a tensor") from None
    shape = list(tensor.shape)
    if tensor.ndim < 1 or not tensor.numel():
        raise UsageError("example_input", f"a tensor of shape {shape}", "[time, batch, ...] or [batch, ...]")
    if axis is not None and not (isinstance(axis, int) and 0 <= axis < tensor.ndim and tensor.ndim >= 2):
        raise UsageError("time_axis", f"{axis!r} for a tensor of shape {shape}", "an axis of it, beside the batch")
    if not tensor.is_floating_point():
        raise UsageError("example_input", f"values of type {tensor.dtype}", "floating point", "call .float() on it")
    if not torch.isfinite(tensor).all():
        raise UsageError("example_input", "NaN or infinite values", "finite numbers")
    return tensor


def _prepared(example: Tensor, axis: int | None) -> Tensor:
    """The example with more than one sample and enough steps for a loop to show."""
    batch = 1 if axis == 0 else 0
    if example.shape[batch] == 1:
        example = torch.cat([example, example.flip(-1)], batch)
    if axis is not None and example.shape[axis] < ENOUGH:
        repeats = [1] * example.ndim
        repeats[axis] = -(-ENOUGH // example.shape[axis])
        example = example.repeat(repeats)
    return example


def _readout(run: Run, value: Value) -> Any:
    if value.readout or value.step is None:
        return value.readout or "steps"
    return "last" if run.examples.axis is not None or run.steps > 1 else "steps"


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
    if run.examples.axis is None and run.steps > 1:
        notes["input"] = f"the same in every step; the module makes {run.steps} steps"
    if run.recorder.dropped:
        notes["states"] = "not an output: " + ", ".join(run.recorder.dropped)
    if run.fixed:
        notes["constants"] = f"{len(run.fixed)} of the module's answers do not depend on its input, and are no outputs"
    return notes
