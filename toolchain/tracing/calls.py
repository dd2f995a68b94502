"""What a call of a module inside a traced run does: the row of a dialect, a caller's own row, or just the module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from ..errors import GraphError, UsageError
from ..graph.nodes import Node
from .dialects import REFUSED, TABLES
from .leaf import Leaf, Row
from .operation import Cannot, Operation
from .recorder import Recorder
from .values import Tracked, leaves, mapped, plain, untracked

HARMLESS = frozenset({"__init__", "extra_repr", "__repr__"})
"""What a subclass may define and still be what its base is."""


@dataclass(frozen=True)
class AllSteps:
    """A caller's own row for modules that take all steps, [T, B, ...], in one call.

    Args:
        node: the node that such a module is.
    """

    node: Callable[[Any], Node]


def all_steps(node: Callable[[Any], Node]) -> AllSteps:
    """Mark a row of `rows` as one for modules that take all steps, [T, B, ...], in one call."""
    return AllSteps(node)


OwnRows = Mapping[type, Callable[[Any], Node] | AllSteps]
"""A caller's own rows: for a type of module, the node that one of them is."""


class Rows:
    """What is known of types of modules: a caller's own rows, then the dialects.

    Args:
        own: the caller's own.
    """

    def __init__(self, own: OwnRows) -> None:
        self.own = dict(own)
        for kind, make in self.own.items():
            if not isinstance(kind, type) or not (callable(make) or isinstance(make, AllSteps)):
                expected = "a type of module, and a function from such a module to its node"
                raise UsageError("rows", f"{kind!r}: {make!r}", expected)
        self._found: dict[type, Row | None] = {}

    def row(self, module: nn.Module) -> Row | None:
        """The row of a module."""
        kind = type(module)
        if kind not in self._found:
            self._found[kind] = row_of(module, self.own)
        return self._found[kind]


def row_of(module: nn.Module, own: OwnRows) -> Row | None:
    """The row of a module; a subclass counts as its base as long as it adds no methods but a constructor."""
    kind = type(module)
    for base in kind.__mro__:
        if base in own:
            return own_row(own[base])
        row = TABLES.get(_full_name(base))
        if row is not None:
            return row
        if any(callable(each) and name not in HARMLESS for name, each in vars(base).items()):
            break
    return next((REFUSED[name] for name in map(_full_name, kind.__mro__) if name in REFUSED), None)


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def own_row(given: Callable[[Any], Node] | AllSteps) -> Row:
    """A caller's own row in the form of the tables'."""
    make, many = (given.node, True) if isinstance(given, AllSteps) else (given, False)

    def call(leaf: Leaf) -> Any:
        node = make(leaf.module)
        if not isinstance(node, Node):
            raise Cannot(f"a row for {leaf.kind} that makes {type(node).__name__}", "a node")
        return _stateful(leaf, node, many=many) if node.stateful else _stateless(leaf, node)

    return Row(call, lambda _: many or None)


def _stateless(leaf: Leaf, node: Node) -> Any:
    result = leaf.run()
    if not isinstance(result, Tensor):
        raise Cannot(f"{leaf.kind} that answers with {type(result).__name__}", "one tensor")
    operation = Operation(leaf.recorder, leaf.kind.lower(), leaf.args, dict(leaf.kwargs), result)
    lead = operation.ordered(leaf.args[0]).lead
    axes = leaf.value.axes[:lead] + "f" * (result.ndim - lead)
    return operation.emit(node, [leaf.value], axes, name=leaf.path)


def _stateful(leaf: Leaf, node: Node, *, many: bool) -> Any:
    """The first tensor of the answer is what the node sends; what else there is are states of its own."""
    leaf = Leaf(leaf.module, leaf.path, leaf.args, leaf.kwargs, leaf.recorder, many)
    value = leaf.neuron(node)
    _, *states = (each.value for each in leaves((leaf.args, leaf.kwargs)) if isinstance(each, Tracked))
    if any(each.key != value.key or each.step != (leaf.step or 0) - 1 for each in states):
        raise Cannot(f"{leaf.kind} that takes two signals", "one signal, and its own states of the step before")
    count = 0

    def kept(each: Any) -> Any:
        nonlocal count
        count += isinstance(each, Tensor)
        return leaf.tracked(each, value, "" if count == 1 else f"{count}") if isinstance(each, Tensor) else each

    return mapped(leaf.run(), kept)


def called(module: nn.Module, path: str, args: Any, kwargs: Any, recorder: Recorder, row: Row) -> Any:
    """A call of a module that a row knows."""
    path = path or type(module).__name__.lower()
    try:
        return row.call(Leaf(module, path, args, kwargs, recorder, row.many(module)))
    except Cannot as cannot:
        recorder.offend(path, cannot.found, cannot.expected, cannot.fix)
    except GraphError as error:
        recorder.offend(path, f"{type(module).__name__}: {error.where}: {error.found}", error.expected, error.fix)
    return stand_ins(module, path, args, kwargs, recorder)


def stand_ins(module: Callable[..., Any], path: str, args: Any, kwargs: Any, recorder: Recorder) -> Any:
    """What a refused call answers with: the real numbers, from nowhere."""
    first = next(each for each in leaves((args, kwargs)) if isinstance(each, Tracked)).value
    result = untracked(lambda: module(*plain(args), **plain(kwargs)))

    def stand_in(each: Any) -> Any:
        if not isinstance(each, Tensor):
            return each
        axes = first.axes[: min(first.lead, each.ndim)]
        axes += "f" * (each.ndim - len(axes))
        return recorder.wrap(each, recorder.unknown(path, each, axes, first.step))

    return mapped(result, stand_in)
