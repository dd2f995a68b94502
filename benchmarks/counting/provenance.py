"""What a tensor carries, by what made it: spikes of comparisons, small integers of sums of spikes, else real numbers.

A tensor's origin is noted for its memory (its storage), so that a view of it has the same one, and a value written into
a part of it joins what was there. Nothing is kept alive: the table holds weak references, and the address of a storage
is not used again as long as one of them stands.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from ...toolchain.graph.signal import GRADED, SPIKES, Carries, integers, join, product, total

Source = Literal["signal", "start", "constant", "weight", "unknown"]
"""signal: made of an input. start: zeros, which a state starts from. weight: parameters, buffers and what is made of
them. constant: made of numbers alone. unknown: not made by torch, or before counting began."""
RANK: dict[Source, int] = {"unknown": 0, "constant": 1, "weight": 2, "start": 3, "signal": 4}


@dataclass(frozen=True)
class Origin:
    """Where values come from.

    Args:
        carries: what they can be.
        source: what they were made of.
        first: whether an input of the network reaches them without a neuron on the way.
    """

    carries: Carries = GRADED
    source: Source = "signal"
    first: bool = False

    @property
    def live(self) -> bool:
        """Whether it changes from run to run: a signal, or the start of one."""
        return self.source in ("signal", "start")


UNKNOWN = Origin(source="unknown")
CONSTANT = Origin(source="constant")
WEIGHT = Origin(source="weight")
START = Origin(Carries(0, 0), "start")
SENT = Origin(SPIKES)
REAL = Origin(GRADED)


def number(value: object) -> Origin:
    """A number in Python."""
    whole = isinstance(value, bool | int) or (isinstance(value, float) and value.is_integer())
    return Origin(integers(float(value), float(value)) if whole else GRADED, "constant")  # type: ignore[arg-type]


@cache
def joined(parts: tuple[Origin, ...]) -> Origin:
    """One tensor of values from several."""
    return _merged(parts, join(part.carries for part in parts))


@cache
def added(parts: tuple[Origin, ...]) -> Origin:
    """The sum of one value of each part."""
    return _merged(parts, total(part.carries for part in parts))


@cache
def multiplied(parts: tuple[Origin, ...]) -> Origin:
    """The product of one value of each part."""
    return _merged(parts, product(part.carries for part in parts))


@cache
def negated(part: Origin) -> Origin:
    """The values with the other sign."""
    low, high = part.carries.bounds
    return replace(part, carries=integers(-high, -low))


@cache
def made(parts: tuple[Origin, ...], carries: Carries = GRADED) -> Origin:
    """What a function of several parts makes, whose values are known from the function."""
    return _merged(parts, carries)


def _merged(parts: tuple[Origin, ...], carries: Carries) -> Origin:
    source = max((part.source for part in parts), key=RANK.__getitem__)
    if source == "start" and carries != Carries(0, 0):
        source = "signal"
    return Origin(carries, source, any(part.first for part in parts))


ALONE = 1
"""Times that the memory of a tensor is held that nobody else holds."""


def storage_of(tensor: Tensor) -> int:
    """What tells a tensor's memory from every other."""
    return int(tensor.untyped_storage()._cdata)


def shared(tensor: Tensor) -> bool:
    """Whether anybody else holds a tensor's memory."""
    return bool(torch._C._storage_Use_Count(storage_of(tensor)) > ALONE)


def weak(storage: torch.UntypedStorage) -> StorageWeakRef:
    """A weak reference to a storage."""
    return StorageWeakRef(storage)  # type: ignore[no-untyped-call]


def gone(storage: StorageWeakRef) -> bool:
    """Whether nobody holds a storage any more."""
    return bool(storage.expired())  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class _Known:
    """What is known of one storage.

    Args:
        alive: a weak reference to it.
        origin: where its values come from.
        answers: how many values are not 0, by view.
        whole: the same of all its values, once it is known; a copy of all of them shares it.
    """

    alive: StorageWeakRef
    origin: Origin
    answers: dict[Hashable, int] = field(default_factory=dict)
    whole: dict[Hashable, int] = field(default_factory=dict)

    def about(self, place: Hashable) -> dict[Hashable, int]:
        """Where the answer about such a view stands."""
        return self.whole if place is None else self.answers


def _extent(tensor: Tensor) -> Hashable:
    """What values of its storage a tensor holds, whatever its axes are, as far as that is easily told."""
    whole = tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()
    if whole and (tensor.is_contiguous() or torch.ops.aten.is_non_overlapping_and_dense(tensor)):
        return None
    return tensor.storage_offset(), tensor.shape, tensor.stride()


class Origins:
    """The origins of the tensors that live, by storage."""

    def __init__(self) -> None:
        self._found: dict[int, _Known] = {}
        self._sweep_at = 1024

    def __len__(self) -> int:
        return len(self._found)

    def of(self, tensor: Tensor) -> Origin:
        """Where a tensor comes from."""
        known = self._found.get(tensor.untyped_storage()._cdata)
        return UNKNOWN if known is None else known.origin

    def knows(self, tensor: Tensor) -> bool:
        """Whether it was met before, and made of something known."""
        return self.of(tensor).source != "unknown"

    def note(self, tensor: Tensor, origin: Origin) -> None:
        """The whole storage holds values of this origin now."""
        storage = tensor.untyped_storage()
        known = self._found.get(storage._cdata)
        self._found[storage._cdata] = _Known(weak(storage) if known is None else known.alive, origin)
        if len(self._found) > self._sweep_at:
            self.sweep()

    def write(self, tensor: Tensor, origin: Origin) -> None:
        """Values of this origin were written into the tensor, which may be a part of its storage."""
        storage = tensor.untyped_storage()
        known = self._found.get(storage._cdata)
        if known is not None and tensor.numel() * tensor.element_size() < storage.nbytes():
            origin = joined((known.origin, origin))
        self.note(tensor, origin)

    def once(self, tensor: Tensor, ask: Callable[[Tensor], int]) -> int:
        """The answer to a question about a tensor's values, asked once as long as nothing is written into it."""
        known = self._found.get(tensor.untyped_storage()._cdata)
        if known is None:
            return ask(tensor)
        place = _extent(tensor)
        answers = known.about(place)
        if place not in answers:
            answers[place] = ask(tensor)
        return answers[place]

    def answer(self, tensor: Tensor, answer: int) -> None:
        """What `once` would find out is known already."""
        known = self._found.get(storage_of(tensor))
        if known is not None:
            place = _extent(tensor)
            known.about(place)[place] = answer

    def answered(self, tensor: Tensor) -> bool:
        """Whether `once` would not have to ask."""
        known = self._found.get(storage_of(tensor))
        place = _extent(tensor)
        return known is not None and place in known.about(place)

    def copied(self, tensor: Tensor, source: Tensor) -> None:
        """All values of one tensor were copied into another: what is found out about one is true of both."""
        mine, theirs = self._found.get(storage_of(tensor)), self._found.get(storage_of(source))
        if mine is not None and theirs is not None and _extent(tensor) is None and _extent(source) is None:
            mine.whole = theirs.whole

    def sweep(self) -> None:
        """Forget storages that are gone."""
        self._found = {key: each for key, each in self._found.items() if not gone(each.alive)}
        self._sweep_at = max(1024, 2 * len(self._found))
