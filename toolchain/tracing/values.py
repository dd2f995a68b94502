"""Tensors that remember which node of the graph they come from.

A traced run computes with real numbers: a `Tracked` tensor holds the very values the module computes, and beside them a
`Value` that says which node sends them and what each axis is. So control flow that looks at shapes just works, and one
run meets every operation there is, offending ones too.

Axes: T is time, B the batch, F time and batch made one, G batch and time made one, f a feature. A value with a T, F or
G axis holds all steps at once; one without holds one step (`step`), or something that is the same at every step
(`step` None).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .recorder import Recorder

Axes = str
"""One letter for each axis of a tensor, of T, B, F, G and f."""

PARTIAL = "partial"
"""The state of a tensor that not every step has been written into yet."""
POSITIONS = "positions"
"""The state of a tensor of positions, of the largest values."""


@dataclass(frozen=True)
class Value:
    """Where a tensor comes from.

    Args:
        key: the recorder's key of the node that sends it.
        axes: what each axis is.
        step: the step it belongs to, or None where it holds all steps or is the same at every step.
        readout: how time was reduced away: last, sum, mean or max; empty while it was not.
        state: the name of a neuron's state (v, u, …) that the tensor is, empty for what a node sends.
        late: read one step later, as a recurrent connection inside a module does.
    """

    key: int
    axes: Axes
    step: int | None = None
    readout: str = ""
    state: str = ""
    late: bool = False

    @property
    def whole(self) -> bool:
        """Holds all steps at once."""
        return any(role in self.axes for role in "TFG")

    @property
    def lead(self) -> int:
        """How many of the first axes are time and batch."""
        return len(self.axes) - len(self.axes.lstrip("TBFG"))

    @property
    def plain(self) -> bool:
        """Time and batch come first, in the order time, batch."""
        return self.axes.rstrip("f") in ("TB", "F", "G", "B", "T", "")

    def along(self, axes: Axes) -> Value:
        """The same with other axes."""
        return replace(self, axes=axes)


class Tracked(Tensor):
    """A tensor with a `Value`. Every torch function that meets one goes to the recorder."""

    value: Value
    recorder: Recorder
    stale: tuple[tuple[Tensor, str], ...] = ()
    """What of its memory was changed in place through another tensor, and where: there it is no longer what it was."""

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Hand the call to the recorder of the first tracked argument, from whatever thread it comes."""
        kwargs = kwargs or {}
        for each in leaves((args, kwargs)):
            if isinstance(each, Tracked) and not SIGHT.away:
                return each.recorder.function(func, args, kwargs)
        with torch._C.DisableTorchFunction():
            return func(*args, **kwargs)


def track(tensor: Tensor, value: Value, recorder: Recorder) -> Tracked:
    """A tensor that remembers `value`."""
    with torch._C.DisableTorchFunction():
        tracked = tensor.detach().as_subclass(Tracked)
    tracked.value = value
    tracked.recorder = recorder
    return tracked


def promote(tensor: Tensor, value: Value, recorder: Recorder) -> Tracked:
    """The very same object, tracked from here on: a constant that a signal was written into."""
    tracked: Any = tensor
    tracked.__class__ = Tracked
    tracked.value = value
    tracked.recorder = recorder
    promoted: Tracked = tracked
    return promoted


def disarm(tracked: Any) -> None:
    """Make a tracked tensor, wherever it is kept, a plain one again."""
    for name in ("value", "recorder", "stale"):
        tracked.__dict__.pop(name, None)
    tracked.__class__ = Tensor


def plain(value: Any) -> Any:
    """The same structure with plain tensors in the place of tracked ones."""
    with torch._C.DisableTorchFunction():
        return mapped(value, lambda each: each.as_subclass(Tensor) if isinstance(each, Tracked) else each)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure of tuples, lists and dictionaries with every leaf changed."""
    if named_tuple(value):
        return type(value)(*(mapped(each, change) for each in value))
    if isinstance(value, (tuple, list)):
        return type(value)([mapped(each, change) for each in value])
    if isinstance(value, Mapping):
        return {name: mapped(each, change) for name, each in value.items()}
    return change(value)


def named_tuple(value: Any) -> bool:
    """Whether it is a tuple whose parts have names, as the states of Norse are."""
    return isinstance(value, tuple) and isinstance(getattr(value, "_fields", None), tuple)


def leaves(value: Any) -> Iterable[Any]:
    """The leaves of a structure of tuples, lists and dictionaries, in order."""
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    else:
        yield value


class _Sight(threading.local):
    """Whether the recorder looks away, in each thread."""

    away: bool = False


SIGHT = _Sight()


def untracked(run: Callable[[], Any]) -> Any:
    """Run something on plain tensors, out of the recorder's sight and without gradients."""
    before, SIGHT.away = SIGHT.away, True
    try:
        with torch.no_grad():
            return run()
    finally:
        SIGHT.away = before
