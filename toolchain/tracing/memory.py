"""Which tensors share memory, so that an in-place change reaches no value unseen."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from .values import Tracked, disarm, leaves


class Memory:
    """The tracked tensors of a run by the memory they lie in, and the constants that the run itself made."""

    def __init__(self) -> None:
        self._signals: dict[int, list[weakref.ref[Tracked]]] = {}
        self._made: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()

    def hold(self, tracked: Tracked) -> None:
        """Remember a tracked tensor for as long as it lives."""
        alive = self._signals.setdefault(storage(tracked), [])
        alive[:] = [each for each in alive if each() is not None]
        alive.append(weakref.ref(tracked))

    def signals(self, tensor: Tensor) -> Iterator[Tracked]:
        """The tracked tensors that live in a tensor's memory."""
        for each in self._signals.get(storage(tensor), ()):
            tracked = each()
            if isinstance(tracked, Tracked):
                yield tracked

    def made(self, result: Any, arguments: Sequence[Tensor]) -> None:
        """Remember the constants in a result that have memory of their own; one that has a view counts no more."""
        for each in leaves(result):
            if isinstance(each, Tensor) and not any(each is argument for argument in arguments):
                sources = [argument for argument in arguments if storage(argument) == storage(each)]
                if not sources:
                    self._made[id(each)] = each
                for source in sources:
                    self._made.pop(id(source), None)

    def own(self, tensor: Tensor) -> bool:
        """Whether the run made this constant, and no other tensor is a view of it."""
        return self._made.get(id(tensor)) is tensor

    def release(self) -> None:
        """Make every tracked tensor that is still alive a plain one: none outlives its run."""
        for each in (ref() for refs in self._signals.values() for ref in refs):
            if isinstance(each, Tracked):
                disarm(each)
        self._signals.clear()


def storage(tensor: Tensor) -> int:
    """What tells the memory of a tensor from that of any other."""
    with torch._C.DisableTorchFunction():
        try:
            return tensor.untyped_storage().data_ptr()
        except (NotImplementedError, RuntimeError):
            return 0


def overlap(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of one memory may share a value: whether the stretches they lie in do."""
    if storage(a) != storage(b):
        return False
    (first, last), (start, end) = _stretch(a), _stretch(b)
    return first < end and start < last


def _stretch(tensor: Tensor) -> tuple[int, int]:
    """The first place and the place after the last, in bytes."""
    with torch._C.DisableTorchFunction():
        start, size = int(tensor.storage_offset()), tensor.itemsize
        reach = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    return start * size, (start + int(reach) + 1) * size


def version(tensor: Tensor) -> int:
    """How often a tensor was changed in place; always 0 where torch does not count."""
    with torch._C.DisableTorchFunction():
        return 0 if tensor.is_inference() else tensor._version
