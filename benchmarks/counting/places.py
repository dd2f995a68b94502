"""Where in a network an operation runs: the module on top of the stack, under the name that tracing gives its node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

PLAIN = ("torch.nn.", "spikingjelly.activation_based.layer.")
"""Modules from here that are no containers do one thing, and their layer is called as they are."""


@dataclass(frozen=True)
class Where:
    """A module that runs.

    Args:
        path: its path in the network.
        alone: whether it does one thing.
        module: the module.
    """

    path: str
    alone: bool
    module: nn.Module


class Places:
    """The modules that run, the innermost last.

    Args:
        root: the network.
    """

    def __init__(self, root: nn.Module) -> None:
        self.names = {id(each): name for name, each in root.named_modules()}
        self.weights = {
            each.untyped_storage()._cdata: name for name, each in (*root.named_buffers(), *root.named_parameters())
        }
        self.stack: list[Where] = []
        self.calls: dict[str, int] = {}
        self._known: dict[int, Where] = {}

    def enter(self, module: nn.Module) -> None:
        """A module begins."""
        where = self._known.get(id(module))
        if where is None or where.module is not module:
            path = self.names.get(id(module), type(module).__name__.lower())
            where = Where(path, type(module).__module__.startswith(PLAIN), module)
            self._known[id(module)] = where
        self.stack.append(where)
        self.calls[where.path] = self.calls.get(where.path, 0) + 1

    def call(self) -> int:
        """How often the innermost module was called, this call among them."""
        return self.calls[self.stack[-1].path] if self.stack else 1

    def leave(self) -> None:
        """The innermost module ends."""
        self.stack.pop()

    def name(self, operation: str) -> str:
        """What the layer of an operation is called that runs now."""
        if not self.stack:
            return operation
        where = self.stack[-1]
        if not where.path:
            return operation
        return where.path if where.alone else f"{where.path}.{operation}"

    @property
    def module(self) -> nn.Module | None:
        """The innermost module that runs."""
        return self.stack[-1].module if self.stack else None

    @property
    def alone(self) -> bool:
        """Whether that does one thing."""
        return bool(self.stack) and self.stack[-1].alone

    def weight(self, tensor: Tensor) -> tuple[int, int] | None:
        """What tells a parameter or a buffer of the network from every other; none for a tensor made on the way."""
        storage = tensor.untyped_storage()._cdata
        return (storage, int(tensor.storage_offset())) if storage in self.weights else None

    def parameter(self, tensor: Tensor) -> str:
        """The name of a parameter or a buffer; empty for a tensor made on the way."""
        return self.weights.get(tensor.untyped_storage()._cdata, "")


def full_name(kind: type) -> str:
    """A type's name with its module's."""
    return f"{kind.__module__}.{kind.__qualname__}"


def row_of(module: nn.Module, table: Mapping[str, Any]) -> Any:
    """The row of a module's type; a subclass counts as its base as long as it adds no methods but a constructor."""
    for base in type(module).__mro__:
        row = table.get(full_name(base))
        if row is not None:
            return row
        if any(callable(each) and name not in HARMLESS for name, each in vars(base).items()):
            return None
    return None


HARMLESS = frozenset({"__init__", "extra_repr", "__repr__"})
"""What a subclass may define and still be what its base is."""
