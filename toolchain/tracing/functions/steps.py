"""Steps of a run and the time axis: taken out of one another, stacked again, written one by one into a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..operation import Cannot, Operation
from ..values import PARTIAL, Tracked, Value


class TimeFirst(Exception):
    """The module takes single steps out of its input's first axis: that axis is time, so start over."""


def time_first(op: Operation) -> None:
    """Start over with time as the first axis, where that may be."""
    if op.recorder.seeking and op.recorder.steps == 0:
        raise TimeFirst
    raise Cannot(
        "single steps taken out of the batch", "all samples alike", "if the first axis is time, pass time_axis=0"
    )


def timeline(op: Operation, values: Sequence[Value], axes: str) -> Value:
    """The values of all steps, in order, as one value over time."""
    values = [op.recorder.sent(value) for value in values]
    if len({value.key for value in values[1:]}) > 1:
        raise Cannot("a stack of steps that come from different operations", "one operation in every step")
    if any(value.readout for value in values):
        raise Cannot("a stack of values that time was reduced from", "one value for each step")
    return replace(held(op, values[-1], axes, len(values)), step=None)


def held(op: Operation, value: Value, axes: str, count: int) -> Value:
    """A value over `count` steps: those of the run, or as many as a static input is held for."""
    if op.recorder.length not in (0, count):
        raise Cannot(f"a stack of {count} of {op.recorder.length} steps", "every step")
    op.recorder.held = count
    return replace(value, axes=axes)


def put(op: Operation, target: Any, time: int, source: Tracked) -> Tracked:
    """Steps written one by one: a value over time as soon as all are there."""
    fresh = not (isinstance(target, Tracked) and target.value.state == PARTIAL)
    held = {} if fresh else op.recorder.written[id(target)]
    op.recorder.written[id(target)] = held
    value = source.value
    held[value.step or 0] = value
    axes = value.axes[:time] + "T" + value.axes[time:]
    if len(held) == target.shape[time]:
        return op.recorder.wrap(op.result, timeline(op, [held[step] for step in range(len(held))], axes))
    return op.recorder.wrap(op.result, replace(value, axes=axes, step=None, state=PARTIAL))


def read_back(op: Operation, input: Tracked, index: Any) -> Tracked:
    """A step that was written before."""
    time = input.value.axes.index("T")
    items = index if isinstance(index, tuple) else (index,)
    plain = all(item == slice(None) for d, item in enumerate(items) if d != time and not hasattr(item, "dtype"))
    step = items[time] if len(items) > time else None
    held = op.recorder.written[id(input)]
    if not plain or not isinstance(step, int) or step % input.shape[time] not in held:
        raise Cannot("a read of a tensor that not every step was written into", "a step that was written before")
    return op.same(held[step % input.shape[time]])
