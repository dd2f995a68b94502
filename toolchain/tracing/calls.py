"""While a module is traced, every call of a module inside it comes through here."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from ..errors import GraphError
from ..graph.nodes import Node
from .dialects import REFUSED, TABLES
from .leaf import Leaf, Row
from .operation import Cannot
from .recorder import Recorder
from .values import Tracked, Value, leaves, mapped, plain, untracked

PLAIN = ("torch.nn.", "spikingjelly.activation_based.layer.")
"""Modules from here that are no containers do one thing, and their node is called as they are."""

HARMLESS = frozenset({"__init__", "extra_repr", "__repr__"})

OwnRows = Mapping[type, Callable[[Any], Node]]
"""A caller's own rows: for a type of module, the node that one of them is."""


def row_of(module: nn.Module, own: OwnRows) -> Row | None:
    """What the dialects know of a module; a caller's own rows come first.

    A subclass counts as its base as long as it adds no methods but a constructor.
    """
    kind = type(module)
    for base in kind.__mro__:
        if base in own:
            make = own[base]
            return Row(lambda leaf: _own(leaf, make), lambda each: bool(getattr(each, "many_steps", False)))
        row = TABLES.get(_full_name(base))
        if row is not None:
            return row
        if any(callable(each) and name not in HARMLESS for name, each in vars(base).items()):
            break
    return next((REFUSED[name] for name in map(_full_name, kind.__mro__) if name in REFUSED), None)


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _own(leaf: Leaf, make: Callable[[Any], Node]) -> Tracked:
    node = make(leaf.module)
    result = leaf.run()
    first = next(each for each in leaves(result) if isinstance(each, Tensor))
    return leaf.tracked(first, leaf.neuron(node))


def stateful_rows(module: nn.Module, own: OwnRows) -> Iterator[tuple[nn.Module, Row]]:
    """Every module in a network that a dialect knows, with its row."""
    for each in module.modules():
        row = row_of(each, own)
        if row is not None:
            yield each, row


def fresh_copy(module: nn.Module, own: OwnRows) -> nn.Module:
    """A copy in eval mode that shares the weights and has not seen a step."""
    memo = {id(each): each for each in (*module.parameters(), *module.buffers())}
    twin = copy.deepcopy(module, memo).eval()
    for each, row in stateful_rows(twin, own):
        if row.fresh is not None:
            row.fresh(each)
    return twin


@contextmanager
def intercepted(root: nn.Module, recorder: Recorder, own: OwnRows) -> Iterator[None]:
    """Within, calls of the modules under `root` are recorded."""
    names = {id(each): name for name, each in root.named_modules()}
    plain_call = nn.Module.__call__

    def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if not any(isinstance(each, Tracked) for each in leaves((args, kwargs))):
            return plain_call(module, *args, **kwargs)
        path = names.get(id(module), type(module).__name__.lower())
        recorder.path.append((path, type(module).__module__.startswith(PLAIN)))
        try:
            row = row_of(module, own)
            if row is None:
                return plain_call(module, *args, **kwargs)
            return _leaf(module, path, args, kwargs, recorder, row)
        finally:
            recorder.path.pop()

    nn.Module.__call__ = call  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.__call__ = plain_call  # type: ignore[method-assign]


def _leaf(module: nn.Module, path: str, args: Any, kwargs: Any, recorder: Recorder, row: Row) -> Any:
    try:
        return row.call(Leaf(module, path or type(module).__name__.lower(), args, kwargs, recorder, row.many(module)))
    except Cannot as cannot:
        recorder.offend(path, cannot.found, cannot.expected, cannot.fix)
    except GraphError as error:
        recorder.offend(path, f"{type(module).__name__}: {error.where}: {error.found}", error.expected, error.fix)
    return _stand_ins(module, path, args, kwargs, recorder)


def _stand_ins(module: nn.Module, path: str, args: Any, kwargs: Any, recorder: Recorder) -> Any:
    first = next(each for each in leaves((args, kwargs)) if isinstance(each, Tracked)).value
    result = untracked(lambda: module(*plain(args), **plain(kwargs)))

    def stand_in(each: Any) -> Any:
        if not isinstance(each, Tensor):
            return each
        axes = first.axes[: min(first.lead, each.ndim)]
        axes += "f" * (each.ndim - len(axes))
        value: Value = recorder.unknown(path, each, axes, first.step)
        return recorder.wrap(each, value)

    return mapped(result, stand_in)
