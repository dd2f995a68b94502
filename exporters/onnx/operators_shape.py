"""What only moves values, and what asks for shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...toolchain.errors import GraphError
from ...toolchain.graph.nodes import Activation
from ...toolchain.graph.nodes.base import Array, brief, need, shown
from .call import Call
from .layout import Layout
from .picking import picked
from .ranges import ranges, resolved, span, split_sizes
from .tensors import type_name
from .values import Constant, Signal, Value, paired

Row = Callable[[Call], Signal | list[Value]]


def reshape(call: Call) -> Signal:
    """The target is worked out for both batch sizes, and the batch has to be in one place for both."""
    target, x = call.maybe(1, "shape") if call.version >= 5 else None, call.signal()
    zero = call.flag("allowzero")
    layouts = []
    for number, batch in enumerate(call.building.batches):
        row = (target.value, target.second)[number] if target is not None else np.asarray(call.ints("shape") or ())
        asked = tuple(int(n) for n in row.reshape(-1))
        layouts.append(x.layout.reshaped(resolved(asked, x.layout.dims(batch), zero_counts=zero), batch))
    return call.reshaped(x, _agreed(layouts), "")


def _agreed(layouts: Sequence[Layout]) -> Layout:
    first, second = layouts
    need(first == second, "shape", f"{first} or {second}, as the batch is large", "one shape for all batches")
    return first


def flatten(call: Call) -> Signal:
    """All axes before `axis` made one, and all from it on."""
    axis, x = call.whole("axis", 1), call.signal()
    need(-x.layout.rank <= axis <= x.layout.rank, "axis", f"{axis}", f"one of {x.layout}")
    axis += x.layout.rank if axis < 0 else 0
    layouts = []
    for batch in call.building.batches:
        dims = x.layout.dims(batch)
        layouts.append(x.layout.reshaped((math.prod(dims[:axis]), math.prod(dims[axis:])), batch))
    return call.reshaped(x, _agreed(layouts), "")


def transpose(call: Call) -> Signal:
    """The axes in another order, the last first where none is told."""
    x = call.signal()
    return call.permuted(x, call.ints("perm", tuple(range(x.layout.rank))[::-1]) or (), "")


def squeeze(call: Call) -> Signal:
    """Axes of size 1 left out."""
    axes, x = call.axes("axes", 1), call.signal()
    one = call.building.batches == (1, 1)
    layout = x.layout
    if axes is None:
        axes = tuple(k for k, n in enumerate(layout.sizes) if n == 1 and (k != layout.batch or one))
    places = [layout.axis(axis) for axis in axes]
    for k in places:
        if k == layout.batch and not one:
            layout.place(k, "a squeeze")
        need(layout.sizes[k] == 1, "axes", f"axis {k} of {layout}", "axes of size 1")
    bare = replace(layout, batch=None, before=1, after=1) if layout.batch in places else layout
    return call.reshaped(x, bare.without(places), "")


def unsqueeze(call: Call) -> Signal:
    """Axes of size 1 put in."""
    x = call.signal()
    return call.reshaped(x, x.layout.unsqueezed(call.axes("axes", 1) or ()), "")


def shape(call: Call) -> list[Value]:
    """The sizes, for both batch sizes."""
    start, end = call.whole("start", 0), call.whole("end", 1 << 40)
    value = call.input(0)
    if isinstance(value, Constant):
        sizes = [value.value.shape, value.second.shape]
    else:
        sizes = [call.signal().layout.dims(batch) for batch in call.building.batches]
    first, second = (np.asarray(each[start:end], np.int64) for each in sizes)
    return [paired(first, second)]


def size(call: Call) -> list[Value]:
    """How many values, for both batch sizes."""
    value = call.input(0)
    if isinstance(value, Constant):
        return [paired(np.asarray(value.value.size), np.asarray(value.second.size))]
    counts = [np.asarray(math.prod(call.signal().layout.dims(batch)), np.int64) for batch in call.building.batches]
    return [paired(*counts)]


def same(call: Call) -> list[Value]:
    """The values as they are."""
    return [call.input(0) or call.signal()]


def dropout(call: Call) -> list[Value]:
    """Nothing, outside of training."""
    call.ignore("seed", "ratio", "is_test", "consumed_inputs")
    training = call.given(2) and bool(call.number(2, "training_mode"))
    need(not training, "training_mode", "dropout while training", "a network for inference")
    return [call.signal()]


def cast(call: Call) -> Signal:
    """To real numbers nothing changes; to true and false, what is not 0 is true."""
    x, kind = call.signal(), type_name(call.whole("to"))
    return cast_to(call, x, kind)


def cast_to(call: Call, x: Signal, kind: str) -> Signal:
    """A signal as another type."""
    call.ignore("saturate", "round_mode")
    if kind == x.kind or ("float" in kind and "8" not in kind and "4e" not in kind):
        if "16" in kind and x.kind in ("float32", "float64"):
            call.building.remark(f"node '{call.label}': rounds to {kind} in the file; here nothing is rounded")
        return Signal(x.node, x.layout, kind)
    if kind == "bool":
        far = call.emit(Activation("abs"), x, part="abs")
        return call.emit(Activation("step", {"threshold": 0.0}), far, kind="bool")
    carries = call.building.sent[x.node].carries
    need("int" in kind and not carries.graded, "to", f"{x.kind} cut to {kind}", "a type of real numbers")
    low, high = carries.bounds
    held = np.iinfo(kind)
    need(held.min <= low and high <= held.max, "to", f"{carries} as {kind}", "a type that holds them")
    return Signal(x.node, x.layout, kind)


def expand(call: Call) -> Signal:
    """As large as told, axes of size 1 stretched."""
    x, asked = call.signal(), call.maybe(1, "shape")
    own = x.layout
    sizes = [tuple(int(n) for n in each.reshape(-1)) for each in (asked.value, asked.second)]
    need(len(sizes[0]) == len(sizes[1]), "shape", "of a rank that depends on the batch", "one rank")
    rank = max(own.rank, len(sizes[0]))
    layout = own.unsqueezed(range(rank - own.rank)) if rank > own.rank else own
    for k, pair in enumerate(zip(*sizes, strict=True), rank - len(sizes[0])):
        if k == layout.batch:
            fits = all(n in (1, batch * layout.sizes[k]) for n, batch in zip(pair, call.building.batches, strict=True))
            need(fits, "shape", f"{shown(pair[:1])} for the batch of {own}", "1, or the size of the batch")
            continue
        need(pair[0] == pair[1], "batch", "a size worked out from the batch, which is no batch here", "a fixed size")
        need(
            pair[0] >= 1 and (1 in (layout.sizes[k], pair[0]) or pair[0] == layout.sizes[k]),
            "shape",
            f"{pair[0]} for {own}",
            "1",
        )
        layout = layout.with_size(k, max(pair[0], layout.sizes[k]))
    return call.stretched(x, layout, "")


def slice_(call: Call) -> Signal:
    """start..end in steps, along some axes."""
    x = call.signal()
    given = [None if value is None else call.maybe(k + 1) for k, value in enumerate(call.inputs[1:])]
    both = [ranges(call, x.layout.rank, [None if g is None else each(g) for g in given]) for each in (_first, _second)]
    need(len(both[0]) == len(both[1]), "axes", "that depend on the batch", "one set of axes")
    for one, two in zip(*both, strict=True):
        axis, batches = one[0], call.building.batches
        need(axis == two[0], "axes", "that depend on the batch", "one set of axes")
        sizes = [x.layout.dims(batch)[axis] for batch in batches]
        picks = [range(n)[span(a, b, k, n)] for (_, a, b, k), n in ((one, sizes[0]), (two, sizes[1]))]
        if axis == x.layout.batch:
            if picks == [range(n) for n in sizes]:
                continue
            x.layout.place(axis, "a slice")
        need(picks[0] == picks[1], "batch", "a slice that depends on the batch", "a fixed one")
        x = picked(call, x, axis, picks[0], "" if len(both[0]) == 1 else f"axis{axis}")
    return x


def _first(value: Constant) -> Array:
    return value.value


def _second(value: Constant) -> Array:
    return value.second


def split(call: Call) -> list[Value]:
    """Parts along an axis."""
    x = call.signal()
    axis = x.layout.axis(call.whole("axis", 0))
    x.layout.place(axis, "a split")
    given = call.counts(1, "split") if call.given(1) else None
    parts, start, found = split_sizes(call, x.layout.sizes[axis], given), 0, []
    for number, n in enumerate(parts):
        index = range(start, start + n)
        found.append(picked(call, x, axis, index, f"part{number}") if call.wanted[number] else None)
        start += n
    return [x if each is None else each for each in found]


def gather(call: Call) -> Signal:
    """The values at known places along an axis."""
    if not isinstance(call.input(0), Signal):
        raise GraphError("indices", "a signal", "constants: the graph has no table that it looks up in")
    x, index = call.signal(), call.constant(1, "indices")
    axis = x.layout.axis(call.whole("axis", 0))
    x.layout.place(axis, "a choice of values")
    n = x.layout.sizes[axis]
    need(index.dtype.kind in "iu", "indices", f"{index.dtype}", "integers")
    need(bool(((index >= -n) & (index < n)).all()), "indices", "beyond the axis", f"-{n} to {n - 1}")
    flat = picked(call, x, axis, [int(k) % n for k in index.reshape(-1)], "" if index.ndim == 1 else "taken")
    sizes = (*flat.layout.sizes[:axis], *index.shape, *flat.layout.sizes[axis + 1 :])
    batch = x.layout.batch
    moved = batch + index.ndim - 1 if batch is not None and batch > axis else batch
    return call.reshaped(flat, replace(flat.layout, sizes=sizes, batch=moved), "")


def tile(call: Call) -> Signal:
    """The signal over and over."""
    x, times = call.signal(), call.counts(1, "repeats")
    need(
        len(times) == x.layout.rank and all(n >= 1 for n in times),
        "repeats",
        brief(str(times)),
        f"{x.layout.rank} counts",
    )
    for axis, n in enumerate(times):
        if n > 1:
            x.layout.place(axis, "a repetition")
            call.building.afford([n, x.layout.sizes[axis]], 64)  # before the list is made
            x = picked(call, x, axis, list(range(x.layout.sizes[axis])) * n, f"axis{axis}")
    return x


def to_space(call: Call) -> Signal:
    """Channels become places: blocks of b × b."""
    b, mode, x = call.whole("blocksize"), call.text("mode", "DCR"), call.signal()
    need(mode in ("DCR", "CRD"), "mode", f"'{mode}'", "DCR or CRD")
    need(
        x.layout.rank == 4 and b >= 1 and x.layout.sizes[1] % (b * b) == 0,
        "input",
        f"{x.layout}",
        f"[N, {b * b}·c, h, w]",
    )
    n, c, h, w = x.layout.sizes
    apart = (n, b, b, c // b**2, h, w) if mode == "DCR" else (n, c // b**2, b, b, h, w)
    order = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
    y = call.permuted(call.reshaped(x, replace(x.layout, sizes=apart), "blocks"), order, "order")
    return call.reshaped(y, replace(x.layout, sizes=(n, c // b**2, h * b, w * b)), "")


def to_depth(call: Call) -> Signal:
    """Places become channels: blocks of b × b."""
    b, x, mode = call.whole("blocksize"), call.signal(), call.text("mode", "DCR")
    need(mode == "DCR", "mode", f"'{mode}'", "DCR")
    fits = x.layout.rank == 4 and b >= 1 and all(k % b == 0 for k in x.layout.sizes[2:])
    need(fits, "input", f"{x.layout}", f"[N, c, {b}·h, {b}·w]")
    n, c, h, w = x.layout.sizes
    y = call.reshaped(x, replace(x.layout, sizes=(n, c, h // b, b, w // b, b)), "blocks")
    y = call.permuted(y, (0, 3, 5, 1, 2, 4), "order")
    return call.reshaped(y, replace(x.layout, sizes=(n, c * b * b, h // b, w // b)), "")


OPERATORS: Mapping[str, Row] = {
    "Identity": same,
    "Dropout": dropout,
    "Cast": cast,
    "Reshape": reshape,
    "Flatten": flatten,
    "Transpose": transpose,
    "Squeeze": squeeze,
    "Unsqueeze": unsqueeze,
    "Shape": shape,
    "Size": size,
    "Expand": expand,
    "Slice": slice_,
    "Split": split,
    "Gather": gather,
    "Tile": tile,
    "DepthToSpace": to_space,
    "SpaceToDepth": to_depth,
}
