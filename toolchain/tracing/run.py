"""One traced run of a module: examples in, tracked answers out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import Refused, SpikeportError, UsageError
from ..graph.nodes import Input
from .calls import Rows
from .constants import Constants
from .copies import fresh_copy
from .functions.dispatch import dispatch
from .functions.steps import TimeFirst
from .recorder import Place, Recorder, unsent
from .values import PARTIAL, Tracked, Value, leaves, named_tuple
from .watch import watched

Promise = str | Mapping[str, str]
"""What inputs promise to carry: all of them the same, or each by its name; graded where nothing is said."""


class TracingRefused(Refused):
    """A module that cannot be traced, with every offending operation."""


@dataclass(frozen=True)
class Examples:
    """The example as it is run.

    Args:
        tensors: one tensor for each input.
        names: what the inputs are called.
        named: whether the module takes them by name.
        axis: the axis of time, or none.
    """

    tensors: tuple[Tensor, ...]
    names: tuple[str, ...]
    named: bool
    axis: int | None

    def call(self, module: Callable[..., Any], tensors: Sequence[Tensor]) -> Any:
        """What a module answers to these tensors in the place of the example's."""
        return module(**dict(zip(self.names, tensors, strict=True))) if self.named else module(*tensors)


@dataclass(frozen=True)
class Claimed:
    """One answer of the module that the graph gives, too.

    Args:
        name: what it is called.
        place: its place among the leaves of what the module answers.
        value: where it comes from.
    """

    name: str
    place: int
    value: Value


@dataclass(frozen=True)
class Run:
    """One traced run.

    Args:
        recorder: what it left behind.
        answers: what of the module's answers the graph gives.
        fixed: the places of the answers that do not depend on the input, and what they are.
        examples: the example as it was run.
    """

    recorder: Recorder
    answers: tuple[Claimed, ...]
    examples: Examples
    fixed: Mapping[int, Tensor] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many steps the run made."""
        return _steps(self.recorder)


def run_traced(
    module: nn.Module,
    examples: Examples,
    rows: Rows,
    *,
    host: bool,
    carries: Promise,
    seeking: bool = False,
    turning: frozenset[Place] = frozenset(),
) -> Run:
    """Run a copy of a module on tracked inputs. Its name marks the outermost frame of the user's code."""
    twin, axis, first = fresh_copy(module, rows), examples.axis, examples.tensors[0]
    recorder = Recorder(
        dispatch,
        Constants(twin),
        host=host,
        seeking=seeking,
        turning=turning,
        steps=0 if axis is None else first.shape[axis],
        batch=first.shape[1 if axis == 0 else 0],
    )
    try:
        tracked = [
            _input(recorder, *each, axis, carries) for each in zip(examples.names, examples.tensors, strict=True)
        ]
        with torch.no_grad(), torch.random.fork_rng(devices=[]), watched(twin, recorder, rows):
            answers = _answers(examples.call(twin, tracked), recorder)
        for what in recorder.constants.changed():
            recorder.offend(type(module).__name__, f"a {what} that forward changes in place", "weights that stay")
        return Run(recorder, tuple(answers[0]), examples, answers[1])
    except (TimeFirst, SpikeportError):
        raise
    except (Exception, SystemExit) as error:
        if recorder.offences:
            raise TracingRefused(f"tracing {type(module).__name__}", recorder.offences) from error
        fix = "run the module on this input outside of tracing; see also time_axis"
        found = f"the module fails on the example: {type(error).__name__}: {error}"
        raise UsageError(type(module).__name__, found, fix=fix) from error
    finally:
        recorder.memory.release()


def _steps(recorder: Recorder) -> int:
    counted = max((entry.step for entry in recorder.entries.values() if entry.step is not None), default=0)
    return recorder.length or counted + 1


def _input(recorder: Recorder, name: str, example: Tensor, axis: int | None, carries: Promise) -> Tracked:
    lead = "B" if axis is None else "TB" if axis == 0 else ""
    axes = lead + "f" * (example.ndim - len(lead))
    if axis:
        axes = "".join("B" if d == 0 else "T" if d == axis else "f" for d in range(example.ndim))
    shape = tuple(n for n, role in zip(example.shape, axes, strict=True) if role == "f")
    promised = carries if isinstance(carries, str) else carries.get(name, "graded")
    key = recorder.emit(name, Input(shape, promised), [], stateful=True)
    return recorder.wrap(example.cpu().double().clone(), Value(key, axes))


def _answers(result: Any, recorder: Recorder) -> tuple[list[Claimed], dict[int, Tensor]]:
    """What a module answers, and what of it depends on nothing.

    A neuron's state counts where it is handed out as a tensor of its own that a node can send.
    """
    names, inside = _names(result), list(_in_records(result))
    found, fixed = [], {}
    for place, each in enumerate(leaves(result)):
        if isinstance(each, Tracked):
            value = each.value
            if each.stale:
                recorder.offend(names[place], f"an answer whose memory was changed in place in {each.stale[0][1]}")
            elif value.state == PARTIAL:
                recorder.offend(names[place], *unsent(PARTIAL))
            elif value.state not in ("", "z") and (inside[place] or (value.key, value.state) not in recorder.twins):
                recorder.dropped.append(f"{recorder.entries[value.key].name}.{value.state}")
            elif value.step is not None and value.step != _steps(recorder) - 1:
                found_step = f"an answer of step {value.step} of a run of {_steps(recorder)} steps"
                recorder.offend(names[place], found_step, "the last step, or all of them", LAST)
            else:
                found.append(Claimed(names[place], place, recorder.sent(value)))
        elif isinstance(each, Tensor):
            fixed[place] = each
        elif not (each is None or isinstance(each, (bool, int, float, str))):
            recorder.offend(
                names[place], f"an answer of type {type(each).__name__}", "tensors, in tuples or dictionaries"
            )
    if not found and not recorder.offences:
        raise UsageError("module", "no answer that depends on its input", "a tensor, or a tuple or dictionary of them")
    return found, fixed


LAST = "answer with out[-1], or with torch.stack(out)"


def _in_records(value: Any, inside: bool = False) -> Iterator[bool]:
    """For each leaf, whether it lies in a named tuple, as the states of Norse do."""
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from _in_records(each, inside or named_tuple(value))
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
