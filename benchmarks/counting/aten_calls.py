"""One call of an operation of torch, as the rows of the tables see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from .book import Book, Entry, Shape
from .fans import Fans
from .nonzeros import count
from .places import Places
from .provenance import Origin, Origins, number


@dataclass
class Call:
    """A call and its result.

    Args:
        name: the operation's name, without the mark of working in place.
        args: its arguments.
        kwargs: its named arguments.
        out: what it gave; of a call in place, before it ran, the tensor that it writes into.
        origins: where tensors come from.
        book: where counts go.
        places: where in the network it runs.
        fans: maps of layers with weights.
        promoted: what tensors of unknown origin are here, where nothing else is a signal: by the tensor's id.
        label: what the layer is called, where the module says it.
    """

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Any
    origins: Origins
    book: Book
    places: Places
    fans: Fans
    promoted: Mapping[int, Origin] | None = None
    label: str = ""

    def arg(self, place: int, name: str = "", default: Any = None) -> Any:
        """An argument by place or by name."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    @property
    def tensors(self) -> list[Tensor]:
        """Every tensor among the arguments."""
        return list(tensors_in((self.args, self.kwargs)))

    def origin(self, value: Any) -> Origin:
        """Where an argument comes from."""
        if not isinstance(value, Tensor):
            return number(value)
        found = self.origins.of(value)
        return self.promoted.get(id(value), found) if self.promoted and found.source == "unknown" else found

    def parts(self) -> tuple[Origin, ...]:
        """Where the tensors among the arguments come from."""
        return tuple(self.origin(each) for each in self.tensors)

    def live(self, value: Any) -> bool:
        """Whether an argument is a signal."""
        return isinstance(value, Tensor) and self.origin(value).live

    def events(self, value: Tensor) -> int:
        """How many values of a tensor are not 0."""
        return self.origins.once(value, lambda each: count(each, self.where()))

    def where(self, name: str = "") -> str:
        """What the layer is called."""
        return self.label or self.places.name(name or self.name)

    def layer(self, shape: Shape, *origins: Origin, name: str = "", values: int | None = None) -> Entry:
        """The layer that this call belongs to."""
        made = size(self.out) if values is None else values
        if shape.role in ("synapses", "products") and isinstance(self.out, Tensor) and self.out.is_complex():
            self.book.note("a product of complex numbers is counted as one pair")
        return self.book.layer(self.where(name), shape, origins, made)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in arguments of a call or in its result."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_in(each)


def size(out: Any) -> int:
    """How many values a result has: those of its first tensor."""
    first = next(tensors_in(out), None)
    return 0 if first is None else first.numel()


@dataclass(frozen=True)
class Row:
    """What is known of an operation.

    Args:
        sends: where its result comes from.
        count: what is counted; none of a free operation.
        always: whether it is counted on constants, too, and says itself what is work.
    """

    sends: Callable[[Call], Origin]
    count: Callable[[Call], None] | None = None
    always: bool = False


@dataclass(frozen=True)
class Plan:
    """How an overload is called.

    Args:
        name: the operation's name, as tables have it.
        written: the places and names of arguments that it writes into.
        view: whether its results are views of its arguments.
    """

    name: str
    written: tuple[tuple[int, str], ...]
    view: bool


UNSAID = ("_unsafe_view", "_reshape_alias")
"""Views whose schema does not say so."""


@cache
def plan_of(func: torch._ops.OpOverload) -> Plan:
    """How an overload is called, from its schema."""
    name = func._overloadpacket.__name__
    arguments = func._schema.arguments
    written = tuple((i, each.name) for i, each in enumerate(arguments) if each.alias_info and each.alias_info.is_write)
    bare = name.removesuffix("_") if written and not name.startswith("__") else name
    returned = [each.alias_info for each in func._schema.returns]
    view = not written and (any(info is not None for info in returned) or name in UNSAID)
    return Plan(bare.strip("_") if name.startswith("__") else bare, written, view)
