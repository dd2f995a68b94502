"""Reshapes, permutations, slices, stacks: what moves numbers without changing them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from ...graph.nodes import Concat, Flatten, Pad, Permute, Reshape, Slice
from ..operation import AXES, MIXES, Cannot, Operation
from ..values import Tracked, Value


class TimeFirst(Exception):  # noqa: N818 - a signal to start over, not an error
    """The module takes single steps out of its input's first axis: that axis is time."""


def regrouped(op: Operation, input: Any, shape: Sequence[int]) -> Tracked:
    """A reshape that keeps time and batch in front, folded or unfolded."""
    value = op.ordered(input)
    lead = _lead(op, value, tuple(input.shape), tuple(shape))
    old = tuple(input.shape[value.lead :])
    new = tuple(shape[len(lead) :])
    axes = lead + "f" * len(new)
    if old == new:
        return op.same(value, axes=axes)
    node = Flatten() if len(new) == 1 and len(old) > 1 else Reshape(new)
    return op.emit(node, [value], axes=axes)


def _lead(op: Operation, value: Value, old: tuple[int, ...], new: tuple[int, ...]) -> str:
    lead = value.axes[: value.lead]
    sizes = old[: len(lead)]
    if new[: len(lead)] == sizes:
        return lead
    time, batch = op.recorder.steps, op.recorder.batch
    if lead == "TB" and new[:1] == (math.prod(sizes),):
        return "F"
    if lead == "F" and new[:2] == (time, batch):
        return "TB"
    raise Cannot(
        f"{op.name} from {list(old)} to {list(new)}", f"{_said(lead)} kept in front", "reshape the features alone"
    )


def _said(lead: str) -> str:
    return " and ".join(AXES[role] for role in lead)


def reshape(op: Operation, input: Any, *shape: Any) -> Tracked:  # noqa: ARG001
    """The shape that torch found."""
    return regrouped(op, input, op.result.shape)


def flatten(op: Operation, input: Any, start_dim: int = 0, end_dim: int = -1) -> Tracked:  # noqa: ARG001
    """Axes made one."""
    return regrouped(op, input, op.result.shape)


def unsqueeze(op: Operation, input: Any, dim: int) -> Tracked:
    """A new axis of size one."""
    value = op.value(input)
    dim = dim % (len(value.axes) + 1)
    axes = value.axes[:dim] + "f" + value.axes[dim:]
    return op.emit(Reshape(_features(op.result.shape, axes)), [value], axes=axes)


def squeeze(op: Operation, input: Any, dim: Any = None) -> Tracked:
    """Axes of size one gone."""
    value = op.value(input)
    wanted = range(input.ndim) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
    gone = {d % input.ndim for d in wanted if input.shape[d] == 1}
    for d in gone:
        if value.axes[d] != "f":
            raise Cannot(f"squeeze of the {AXES[value.axes[d]]}", "named feature axes", "squeeze with dim=...")
    axes = "".join(role for d, role in enumerate(value.axes) if d not in gone)
    if axes == value.axes:
        return op.same(value)
    return op.emit(Reshape(_features(op.result.shape, axes)), [value], axes=axes)


def _features(shape: Sequence[int], axes: str) -> tuple[int, ...]:
    return tuple(n for n, role in zip(shape, axes, strict=True) if role == "f")


def permute(op: Operation, input: Any, *dims: Any) -> Tracked:
    """Axes in another order."""
    order = dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    return _permuted(op, input, [d % input.ndim for d in order])


def transpose(op: Operation, input: Any, dim0: int, dim1: int) -> Tracked:
    """Two axes exchanged."""
    order = list(range(input.ndim))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return _permuted(op, input, order)


def movedim(op: Operation, input: Any, source: int, destination: int) -> Tracked:
    """One axis moved."""
    order = list(range(input.ndim))
    order.insert(destination % input.ndim, order.pop(source % input.ndim))
    return _permuted(op, input, order)


def reversed_axes(op: Operation, input: Any) -> Tracked:
    """x.T of a matrix, x.mT."""
    return transpose(op, input, -2, -1)


def _permuted(op: Operation, input: Any, order: Sequence[int]) -> Tracked:
    value = op.value(input)
    axes = "".join(value.axes[d] for d in order)
    features = [value.axes[:d].count("f") for d in order if value.axes[d] == "f"]
    if features == sorted(features):
        return op.same(value, axes=axes)
    return op.emit(Permute(tuple(features)), [value], axes=axes)


@dataclass
class _Cut:
    """A value on its way through an index, axis by axis."""

    op: Operation
    value: Value
    dim: int = 0
    dropped: bool = False

    def take(self, index: Any, size: int) -> None:
        """Apply one item of the index to the current axis."""
        role = self.value.axes[self.dim]
        if isinstance(index, slice) and index.indices(size) == (0, size, 1):
            self.dim += 1
        elif role == "f":
            self._feature(index, size)
        elif role == "T" and isinstance(index, int) and not self.value.readout:
            axes = self.value.axes[: self.dim] + self.value.axes[self.dim + 1 :]
            self.value = replace(self.value, axes=axes, step=index % size)
        else:
            if role == "B" and isinstance(index, int) and self.op.recorder.steps == 0 and self.dim == 0:
                raise TimeFirst
            raise Cannot(f"the index {index} on the {AXES[role]}", "all of it, or one step of time", MIXES[role])

    def _feature(self, index: Any, size: int) -> None:
        whole = isinstance(index, int) and not isinstance(index, bool)
        if not whole and not isinstance(index, slice):
            raise Cannot("an index that is a tensor or a list", "integers and slices", "use fixed slices")
        start, stop, stride = (index % size, index % size + 1, 1) if whole else index.indices(size)
        if stride < 1 or start >= stop:
            raise Cannot(f"the index {index} of {size}", "a forward slice that holds something")
        axis = self.value.axes[: self.dim].count("f")
        self.value = self.op.send(
            Slice(axis, start, stop, stride), [self.value], self.value.axes, name=f"{self.op.label}_slice"
        )
        self.dropped |= whole
        self.dim += 1


def getitem(op: Operation, input: Any, index: Any) -> Any:
    """Integers, slices, None and ... on features; one integer on time takes one step."""
    items = list(index) if isinstance(index, tuple) else [index]
    rank = len(op.value(input).axes)
    named = sum(1 for item in items if item is not None and item is not Ellipsis)
    if Ellipsis in [item for item in items if not isinstance(item, Tensor)]:
        at = next(i for i, item in enumerate(items) if item is Ellipsis)
        items[at : at + 1] = [slice(None)] * (rank - named)
    else:
        items += [slice(None)] * (rank - named)
    cut, source, axes = _Cut(op, input.value), 0, ""
    for item in items:
        if item is None:
            axes += "f"
            continue
        role = cut.value.axes[cut.dim]
        cut.take(item, input.shape[source])
        source += 1
        axes += "" if isinstance(item, int) else role
    if None in [item for item in items if not isinstance(item, Tensor)] or cut.dropped:
        return op.emit(Reshape(_features(op.result.shape, axes)), [cut.value], axes=axes)
    return op.same(cut.value, axes=axes)


def select(op: Operation, input: Any, dim: int, index: int) -> Any:
    """One index of one axis."""
    return getitem(op, input, (*[slice(None)] * (dim % input.ndim), index))


def narrow(op: Operation, input: Any, dim: int, start: int, length: int) -> Any:
    """A slice of one axis."""
    return getitem(op, input, (*[slice(None)] * (dim % input.ndim), slice(start, start + length)))


def unbind(op: Operation, input: Any, dim: int = 0) -> tuple[Any, ...]:
    """Every index of one axis; of time, its steps."""
    value = op.value(input)
    dim = op.dim(value, dim)
    if value.axes[dim] == "B" and dim == 0 and op.recorder.steps == 0:
        raise TimeFirst
    parts = op.result
    return tuple(getitem(replace(op, result=part), input, (*[slice(None)] * dim, i)) for i, part in enumerate(parts))


def iterate(op: Operation, input: Any) -> Iterator[Any]:
    """`for x in tensor`."""
    return iter(unbind(replace(op, result=op.result), input))


def parts(op: Operation, input: Any, sizes: Any, dim: int = 0) -> tuple[Any, ...]:  # noqa: ARG001
    """chunk and split: slices of one axis, one after the other."""
    start, out = 0, []
    for part in op.result:
        stop = start + part.shape[dim]
        out.append(getitem(replace(op, result=part), input, (*[slice(None)] * (dim % input.ndim), slice(start, stop))))
        start = stop
    return tuple(out)


def stack(op: Operation, tensors: Sequence[Any], dim: int = 0) -> Tracked:
    """The steps of a loop become time again; or signals get an axis of their own."""
    values = [op.value(each) for each in tensors]
    axes = values[-1].axes
    dim = dim % (len(axes) + 1)
    steps = [value.step for value in values]
    if steps == list(range(len(steps))):
        return _timeline(op, values, axes[:dim] + "T" + axes[dim:])
    if any(step != steps[0] for step in steps):
        raise Cannot(f"a stack of steps {steps}", "every step once, in order")
    out = axes[:dim] + "f" + axes[dim:]
    shape = list(op.result.shape)
    shape[dim] = 1
    lifted = [op.send(Reshape(_features(shape, out)), [value], out, name=f"{op.label}_axis") for value in values]
    if len(lifted) == 1:
        return op.same(lifted[0])
    return op.emit(Concat(out[:dim].count("f")), lifted, axes=out)


def _timeline(op: Operation, values: Sequence[Value], axes: str) -> Tracked:
    values = [op.recorder.sent(value) for value in values]
    later = {value.key for value in values[1:]} or {values[0].key}
    if len(later) > 1:
        raise Cannot("a stack of steps that come from different operations", "one operation in every step")
    readout = {value.readout for value in values}
    if readout != {""}:
        raise Cannot("a stack of values that time was reduced from", "one value for each step")
    if op.recorder.steps == 0:
        op.recorder.held = len(values)
    elif op.recorder.steps != len(values):
        raise Cannot(f"a stack of {len(values)} of {op.recorder.steps} steps", "every step")
    return op.same(replace(values[-1], axes=axes, step=None))


def cat(op: Operation, tensors: Sequence[Any], dim: int = 0) -> Tracked:
    """Signals one after the other along a feature axis."""
    values = [op.value(each) for each in tensors]
    if len({value.axes for value in values}) > 1:
        raise Cannot(f"{op.name} of axes {' and '.join(value.axes for value in values)}", "the same axes")
    if len(values) == 1:
        return op.same(values[0])
    return op.emit(Concat(op.feature(values[0], dim)), values)


def pad(op: Operation, input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tracked:
    """Zeros before and after the last axes."""
    source = op.value(input)
    if mode != "constant" or value not in (None, 0, 0.0):
        raise Cannot(f"padding by {mode} {value if mode == 'constant' else ''}".strip(), "padding with zeros")
    pairs = [(0, 0)] * input.ndim
    for i in range(len(pad) // 2):
        pairs[-1 - i] = (pad[2 * i], pad[2 * i + 1])
    if any(pair != (0, 0) and role != "f" for pair, role in zip(pairs, source.axes, strict=True)):
        raise Cannot("padding of time or batch", "padding of features", MIXES["T"])
    widths = tuple(pair for pair, role in zip(pairs, source.axes, strict=True) if role == "f")
    return op.emit(Pad(widths), [source], axes=source.axes)


def expand(op: Operation, input: Any, *sizes: Any) -> Tracked:  # noqa: ARG001
    """Nothing, where nothing grows."""
    if op.result.shape != input.shape:
        raise Cannot(
            f"expand from {list(input.shape)} to {list(op.result.shape)}",
            "no growth",
            "let the next operation broadcast",
        )
    return op.same(op.value(input))


ROWS: Mapping[str, Callable[..., Any]] = {
    "reshape": reshape,
    "view": reshape,
    "unflatten": reshape,
    "view_as": reshape,
    "reshape_as": reshape,
    "flatten": flatten,
    "unsqueeze": unsqueeze,
    "squeeze": squeeze,
    "permute": permute,
    "transpose": transpose,
    "swapaxes": transpose,
    "movedim": movedim,
    "t": reversed_axes,
    "T": reversed_axes,
    "mT": reversed_axes,
    "getitem": getitem,
    "select": select,
    "narrow": narrow,
    "unbind": unbind,
    "iter": iterate,
    "chunk": parts,
    "split": parts,
    "tensor_split": parts,
    "stack": stack,
    "cat": cat,
    "concat": cat,
    "concatenate": cat,
    "pad": pad,
    "expand": expand,
    "expand_as": expand,
}
