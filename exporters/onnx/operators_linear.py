"""Products with weights: convolutions, matrix products, contractions, normalisation with fixed statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...toolchain.graph.nodes import Affine, BatchNorm, Contract, Conv, ConvTranspose, Host, Scale
from ...toolchain.graph.nodes.base import Array, need, shown
from .call import LETTERS, Call
from .images import image, padding, restored, spatial
from .layout import MIXED, NO_BATCH, Layout, joint
from .operators_values import added
from .values import Constant, Signal, Value


def convolution(call: Call) -> Signal:
    """y = W ⋆ x + b."""
    return convolved(call, call.real(), call.constant(1, "W"), call.constant(2, "B") if call.given(2) else None)


def convolved(call: Call, x: Signal, weight: Array, bias: Array | None, part: str = "") -> Signal:
    """The convolution that the attributes of the call describe."""
    dims = weight.ndim - 2
    need(1 <= dims <= 3, "W", f"shape {shown(weight.shape)}", "(out, in/groups, 1 to 3 of kernel)")
    kernel = call.ints("kernel_shape", weight.shape[2:])
    need(kernel == weight.shape[2:], "kernel_shape", f"{kernel}", f"{shown(weight.shape[2:])}, as W has it")
    flat = image(call, x, dims)
    strides, dilations = spatial(call, "strides", dims), spatial(call, "dilations", dims)
    pads = padding(call, flat.layout.sample[1:], weight.shape[2:], strides, dilations)
    node = Conv(weight, bias, strides, pads, dilations, call.whole("group", 1))
    out = node.signal([call.building.sent[flat.node]]).shape
    return restored(
        call, x, call.emit(node, flat, layout=replace(flat.layout, sizes=(1, *out)), part=part), f"{part}whole"
    )


def transposed_convolution(call: Call) -> Signal:
    """y = Wᵀ ⋆ x + b: every value puts its kernel down."""
    weight = call.constant(1, "W")
    bias = call.constant(2, "B") if call.given(2) else None
    dims = weight.ndim - 2
    need(1 <= dims <= 3, "W", f"shape {shown(weight.shape)}", "(in, out/groups, 1 to 3 of kernel)")
    kernel = call.ints("kernel_shape", weight.shape[2:])
    need(kernel == weight.shape[2:], "kernel_shape", f"{kernel}", f"{shown(weight.shape[2:])}, as W has it")
    x = image(call, call.real(), dims)
    strides, dilations = spatial(call, "strides", dims), spatial(call, "dilations", dims)
    extra = spatial(call, "output_padding", dims, 0)
    full = [
        (n - 1) * s + d * (k - 1) + 1 + e
        for n, s, d, k, e in zip(x.layout.sample[1:], strides, dilations, weight.shape[2:], extra, strict=True)
    ]
    pads, more = _cut(call, x.layout.sample[1:], full, strides)
    extra = tuple(e + m for e, m in zip(extra, more, strict=True))
    node = ConvTranspose(weight, bias, strides, pads, extra, dilations, call.whole("group", 1))
    out = node.signal([call.building.sent[x.node]]).shape
    return restored(call, call.real(), call.emit(node, x, layout=replace(x.layout, sizes=(1, *out))))


def _cut(
    call: Call, sizes: Sequence[int], full: Sequence[int], strides: Sequence[int]
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """What is cut off at the two ends: told, or what leaves the shape that is told; and what that shape has beyond."""
    dims, how = len(sizes), call.text("auto_pad", "NOTSET")
    given, asked = call.ints("pads", (0,) * (2 * dims)) or (), call.ints("output_shape")
    if asked is None and how.startswith("SAME"):
        asked = tuple(n * s for n, s in zip(sizes, strides, strict=True))
    if asked is None:
        need(len(given) == 2 * dims, "pads", f"{given}", f"{2 * dims} widths")
        return tuple(zip(given[:dims], given[dims:], strict=True)), (0,) * dims
    asked = asked[-dims:]
    need(len(asked) == dims, "output_shape", f"{asked}", f"{dims} sizes")
    totals = [a - b for a, b in zip(full, asked, strict=True)]
    halves = [(max(n, 0) // 2, max(n, 0) - max(n, 0) // 2) for n in totals]
    return tuple(halves if how == "SAME_UPPER" else [(b, a) for a, b in halves]), tuple(max(-n, 0) for n in totals)


def normalised(call: Call) -> Signal:
    """y = (x − μ)/√(σ² + ε)·γ + b, with the statistics of training."""
    call.ignore("momentum", "is_test", "consumed_inputs")
    training = call.flag("training_mode") or (call.version < 7 and not call.flag("is_test")) or any(call.wanted[1:])
    need(not training, "training_mode", "statistics of the batch itself", "those of training")
    need(call.flag("spatial", True), "spatial", "0", "one mean for each channel")
    weight, bias, mean, variance = (
        call.constant(k, name) for k, name in enumerate(("", "scale", "B", "mean", "var")) if k
    )
    x = image(call, call.real(), None)
    node = BatchNorm(mean, variance, weight, bias, call.amount("epsilon", 1e-5))
    return restored(call, call.real(), call.emit(node, x))


def dense(call: Call) -> Signal:
    """y = α·A·B + β·C, A or B perhaps transposed."""
    alpha, beta = call.amount("alpha", 1.0), call.amount("beta", 1.0)
    a, b, c = call.input(0), call.input(1), call.input(2)
    a = _turned(call, a, call.flag("transA"), "a")
    call.ignore("broadcast")
    turned = call.flag("transB")
    if isinstance(a, Signal) and isinstance(b, Constant) and (c is None or isinstance(c, Constant)):
        weight = b.plain("B")
        need(weight.ndim == 2, "B", f"shape {shown(weight.shape)}", "a matrix")
        matrix = weight if turned else weight.T
        shift = None if c is None else c.plain("C")
        vector = shift is None or (shift.ndim == 1 and shift.shape == matrix.shape[:1])
        if vector:
            bias = None if shift is None else shift if beta == 1 else shift * np.asarray(beta, shift.dtype)
            return _affine(call, a, matrix if alpha == 1 else matrix * np.asarray(alpha, matrix.dtype), bias)
    product = multiplied(call, a, _turned(call, b, turned, "b"), "product")
    if alpha != 1:
        product = call.emit(Scale(np.asarray(alpha)), product, part="alpha")
    return product if c is None or beta == 0 else _plus(call, product, c, beta)


def _plus(call: Call, product: Signal, c: Value, beta: float) -> Signal:
    if isinstance(c, Constant):
        shift = c.plain("C")
        return added(call, [product, Constant(value := shift * np.asarray(beta, shift.dtype), value)])
    if beta != 1 and isinstance(c, Signal):
        c = call.emit(Scale(np.asarray(beta)), c, part="beta")
    return added(call, [product, c])


def _turned(call: Call, value: Value | None, turn: bool, part: str) -> Value | None:
    if not turn or value is None:
        return value
    if isinstance(value, Constant):
        matrix = value.plain()
        return Constant(turned := matrix.T, turned)
    return call.permuted(value, (1, 0), part) if isinstance(value, Signal) else value


def product(call: Call) -> Signal:
    """y = A·B, of matrices in the last two axes."""
    return multiplied(call, call.input(0), call.input(1))


def multiplied(call: Call, a: Value | None, b: Value | None, part: str = "") -> Signal:
    """A·B, where one or both of them are signals."""
    if isinstance(a, Signal) and isinstance(b, Constant):
        weight = b.plain("B")
        if weight.ndim == 2 or (weight.ndim > 2 and weight.size == weight.shape[-1] * weight.shape[-2]):
            y = _affine(call, a, weight.reshape(weight.shape[-2:]).T, None, part)
            lead = weight.ndim - y.layout.rank
            return call.reshaped(y, y.layout.unsqueezed(range(lead)), "axes") if lead > 0 else y
    signals = [value for value in (a, b) if isinstance(value, Signal)]
    need(len(signals) >= 1 and a is not None and b is not None, "inputs", "no signal", "a signal among them")
    need(all(signal.real for signal in signals), "inputs", "whole numbers", "floating-point numbers")
    if len(signals) == 2:
        return _of_two(call, signals[0], signals[1], part)
    return _contracted(call, a, b, part)


def _affine(call: Call, x: Signal, weight: Array, bias: Array | None, part: str = "") -> Signal:
    """W·x along the last axis of the file's tensor."""
    layout = x.layout
    if layout.batch == layout.rank - 1:
        layout.place(-1, "a matrix product")
    out = layout.with_size(-1, weight.shape[0])
    return call.emit(Affine(np.ascontiguousarray(weight), bias), x, layout=out, part=part)


def _of_two(call: Call, a: Signal, b: Signal, part: str) -> Signal:
    """Two signals: work of a host. Vectors become matrices for it."""
    row, column = a.layout.rank == 1, b.layout.rank == 1
    a = call.reshaped(a, a.layout.unsqueezed([0]), "row") if row else a
    b = call.reshaped(b, b.layout.unsqueezed([-1]), "column") if column else b
    left, right = a.layout, b.layout
    for layout, what in ((left, "A"), (right, "B")):
        inner = layout.batch is not None and layout.batch >= layout.rank - 2
        need(not inner, "batch", f"the batch of {layout} in the matrices of {what}", MIXED, NO_BATCH)
    need(left.sizes[-1] == right.sizes[-2], "inputs", f"{left} and {right}", "matrices that fit")
    lead = joint([_cut_to(left, left.rank - 2), _cut_to(right, right.rank - 2)])
    whole = [replace(lead, sizes=(*lead.sizes, *each.sizes[-2:])) for each in (left, right)]
    a, b = (call.fitted(x, to, name) for x, to, name in ((a, whole[0], "a"), (b, whole[1], "b")))
    layout = replace(lead, sizes=(*lead.sizes, left.sizes[-2], right.sizes[-1]))
    y = call.emit(Host("matmul"), a, b, layout=layout, part=part)
    gone = [axis for axis, cut in ((-2, row), (-1, column)) if cut]
    return call.reshaped(y, layout.without(gone), "vector") if gone else y


def _cut_to(layout: Layout, rank: int) -> Layout:
    """The leading axes alone."""
    return replace(layout, sizes=layout.sizes[:rank])


def _contracted(call: Call, a: Value | None, b: Value | None, part: str) -> Signal:
    """A signal and a constant of any shape, as an einsum."""
    x = next(value for value in (a, b) if isinstance(value, Signal))
    other = next(value for value in (a, b) if isinstance(value, Constant)).plain("the matrix")
    rank = max(x.layout.rank, other.ndim, 2)
    lead = LETTERS[: max(rank - 2, 0)]
    rows = LETTERS[rank], LETTERS[rank + 1], LETTERS[rank + 2]  # of A·B: row, inner, column
    terms = []
    for value, each in ((a, rows[:2]), (b, rows[1:])):
        n = x.layout.rank if isinstance(value, Signal) else other.ndim
        inner = each if n > 1 else (rows[1],)
        terms.append(lead[len(lead) - max(n - 2, 0) :] + "".join(inner))
    out = (
        lead
        + (rows[0] if len(terms[0]) > 1 or not _vector(a, x, other) else "")
        + (rows[2] if not _vector(b, x, other) else "")
    )
    first = isinstance(a, Signal)
    return contracted(call, x, terms[0] if first else terms[1], other, terms[1] if first else terms[0], out, part)


def _vector(value: Value | None, x: Signal, other: Array) -> bool:
    return (x.layout.rank if isinstance(value, Signal) else other.ndim) == 1


def contracted(call: Call, x: Signal, x_terms: str, other: Array, terms: str, out: str, part: str = "") -> Signal:
    """einsum(x_terms, terms → out) of a signal and a constant; axes of size 1 stretch."""
    layout = x.layout
    need(
        len(x_terms) == layout.rank and len(terms) == other.ndim, "equation", f"{x_terms},{terms}", "one letter an axis"
    )
    sizes = dict(zip(x_terms, layout.sizes, strict=True))
    batch = x_terms[layout.batch] if layout.batch is not None else ""
    need(not layout.folded, "batch", f"a product of {layout}", "a batch with an axis of its own")
    if batch:
        found = f"the batch of {layout} summed over or multiplied with a matrix"
        stretches = batch not in terms or other.shape[terms.index(batch)] == 1
        need(batch in out and stretches, "batch", found, MIXED, NO_BATCH)
    # letters of size 1 on one side are left out there, and stretch
    gone = [
        c for c in terms if other.shape[terms.index(c)] == 1 and (c == batch or sizes.get(c, 1) != 1 or c in x_terms)
    ]
    other = other.reshape([n for c, n in zip(terms, other.shape, strict=True) if c not in gone])
    terms = "".join(c for c in terms if c not in gone)
    thin = [c for c in x_terms if c != batch and sizes[c] == 1 and c in terms and other.shape[terms.index(c)] != 1]
    kept = "".join(c for c in x_terms if c not in thin)
    x = call.reshaped(x, layout.without([x_terms.index(c) for c in thin]), "axes") if thin else x
    sizes.update(zip(terms, other.shape, strict=True))
    new = Layout(tuple(sizes[c] for c in out), out.index(batch) if batch else None)
    inner, target = kept.replace(batch, "") if batch else kept, out.replace(batch, "") if batch else out
    return call.emit(Contract(f"{inner},{terms}->{target}", other), x, layout=new, part=part)


OPERATORS: Mapping[str, Callable[[Call], Signal]] = {
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "BatchNormalization": normalised,
    "Gemm": dense,
    "MatMul": product,
}
