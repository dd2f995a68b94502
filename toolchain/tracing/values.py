"""Tensors that remember which node of the graph they come from.

A traced run computes with real numbers: a `Tracked` tensor holds the very values the module computes, and beside them a
`Value` that says which node sends them and what each axis is. So control flow that looks at shapes or values just works,
and one run meets every operation there is, offending ones too.

Axes: T is time, B the batch, F time and batch made one, f a feature. A value with a T or F axis holds all steps at once;
one without holds one step (`step`), or something that is the same at every step (`step` None).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from .recorder import Recorder

Axes = str
"""One letter for each axis of a tensor, of T, B, F and f."""


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
        return "T" in self.axes or "F" in self.axes

    @property
    def lead(self) -> int:
        """How many of the first axes are time and batch."""
        return len(self.axes) - len(self.axes.lstrip("TBF"))

    @property
    def plain(self) -> bool:
        """Time and batch come first, in the order time, batch."""
        return self.axes.rstrip("f") in ("TB", "F", "B", "T", "")

    def along(self, axes: Axes) -> Value:
        """The same with other axes."""
        return replace(self, axes=axes)


class Tracked(Tensor):
    """A tensor with a `Value`. Every torch function that meets one goes to the recorder."""

    value: Value
    recorder: Recorder

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Hand the call to the recorder of the first tracked argument."""
        for each in leaves((args, kwargs or {})):
            if isinstance(each, Tracked):
                return each.recorder.function(func, args, kwargs or {})
        return super().__torch_function__(func, types, args, kwargs or {})


def track(tensor: Tensor, value: Value, recorder: Recorder) -> Tracked:
    """A tensor that remembers `value`."""
    tracked = tensor.detach().as_subclass(Tracked)
    tracked.value = value
    tracked.recorder = recorder
    return tracked


def plain(value: Any) -> Any:
    """The same structure with plain tensors in the place of tracked ones."""
    return mapped(value, lambda each: each.as_subclass(Tensor) if isinstance(each, Tracked) else each)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure of tuples, lists and dictionaries with every leaf changed."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(each, change) for each in value))
    if isinstance(value, (tuple, list)):
        return type(value)(mapped(each, change) for each in value)
    if isinstance(value, dict):
        return {name: mapped(each, change) for name, each in value.items()}
    return change(value)


def leaves(value: Any) -> Iterable[Any]:
    """The leaves of a structure of tuples, lists and dictionaries, in order."""
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    else:
        yield value


def untracked(run: Callable[[], Any]) -> Any:
    """Run something with torch's own functions, and no gradients."""
    with torch.no_grad(), torch._C.DisableTorchFunctionSubclass():
        return run()
