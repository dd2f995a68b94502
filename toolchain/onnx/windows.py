"""Convolutions and pools.

ONNX Runtime has Conv, ConvTranspose and AveragePool in float32 alone. In float64 the windows are gathered, dimension by
dimension, with a small table of places for each, and a matrix product or a sum does the rest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..graph.nodes import AveragePool, Conv, ConvTranspose, MaxPool, SumPool
from ..graph.nodes.base import Array, need
from .parts import Ops

Pairs = Sequence[tuple[int, int]]
LONGEST = 1 << 24
"""The most entries of a table of windows."""


def ends(pairs: Pairs) -> list[int]:
    """(before, after) for each dimension as ONNX writes it: all before, then all after."""
    return [*(before for before, _ in pairs), *(after for _, after in pairs)]


def conv(node: Conv, ops: Ops, inputs: Sequence[str]) -> str:
    """torch's cross-correlation."""
    weight = ops.parameter("weight", node.weight)
    if ops.single:
        bias = [] if node.bias is None else [ops.parameter("bias", node.bias)]
        return ops(
            "Conv", inputs[0], weight, *bias,
            kernel_shape=list(node.kernel), strides=list(node.stride), pads=ends(node.padding),
            dilations=list(node.dilation), group=node.groups,
        )  # fmt: skip
    places = ops.shape[1:]
    tables = [_table(*sizes) for sizes in zip(node.kernel, node.dilation, places, node.stride, strict=True)]
    x = padded(ops, inputs[0], node.padding)
    outs, ins = node.weight.shape[0] // node.groups, math.prod(node.weight.shape[1:])
    matrix = ops.shaped(weight, (node.groups, outs, ins))
    return _product(ops, x, tables, matrix, (node.groups, ins), node.bias)


def conv_transpose(node: ConvTranspose, ops: Ops, inputs: Sequence[str]) -> str:
    """The transpose of Conv. In float64: zeros between the values, then the windows that each output sees."""
    weight = ops.parameter("weight", node.weight)
    if ops.single:
        bias = [] if node.bias is None else [ops.parameter("bias", node.bias)]
        return ops(
            "ConvTranspose", inputs[0], weight, *bias,
            kernel_shape=list(node.kernel), strides=list(node.stride), pads=ends(node.padding),
            output_padding=list(node.output_padding), dilations=list(node.dilation), group=node.groups,
        )  # fmt: skip
    x = _spread(ops, inputs[0], node.stride)
    tables, around = [], []
    sides = zip(ops.shapes[0][1:], ops.shape[1:], node.kernel, node.dilation, node.stride, node.padding, strict=True)
    for n, out, k, d, s, (before, _) in sides:
        seen = _table(k, -d, out, 1) + before
        lead = max(0, -int(seen.min()))
        around.append((lead, max(0, int(seen.max()) - n * s + 1)))
        tables.append(seen + lead)
    group, size = node.groups, math.prod(node.kernel)
    ins, outs = node.weight.shape[0] // group, node.weight.shape[1]
    split = ops.shaped(weight, (group, ins, outs, size), "split")
    turned = ops.sheet.prepare("Transpose", f"{split}/turned", split, perm=[0, 2, 1, 3])
    matrix = ops.shaped(turned, (group, outs, ins * size), "matrix")
    return _product(ops, padded(ops, x, around), tables, matrix, (group, ins * size), node.bias)


def _spread(ops: Ops, x: str, stride: Sequence[int]) -> str:
    """s − 1 zeros behind each value of each dimension."""
    if max(stride) == 1:
        return x
    channels, *space = ops.shapes[0]
    lone = ops.reshape(x, (channels, *(size for n in space for size in (n, 1))), "apart")
    behind = [(0, 0), (0, 0), *(pair for s in stride for pair in ((0, 0), (0, s - 1)))]
    wide = ops("Pad", lone, ops.sheet.ints(ends(behind)), label="zeros_between")
    return ops.reshape(wide, (channels, *(n * s for n, s in zip(space, stride, strict=True))), "spread")


def padded(ops: Ops, x: str, pairs: Pairs) -> str:
    """Zeros around the space of a batch."""
    if not any(map(any, pairs)):
        return x
    return ops("Pad", x, ops.sheet.ints(ends([(0, 0), (0, 0), *pairs])), label="padded")


def _table(kernel: int, dilation: int, places: int, stride: int) -> Array:
    """p·s + k·d for each k and p."""
    need(kernel * places <= LONGEST, "windows", f"{kernel} by {places} places along one axis", f"at most {LONGEST}")
    return np.arange(kernel)[:, None] * dilation + np.arange(places)[None] * stride


def _gathered(ops: Ops, x: str, tables: Sequence[Array]) -> str:
    """[batch, channels, k₁, n₁, k₂, n₂, …]: each dimension as its windows."""
    for dim in reversed(range(len(tables))):
        places = ops.derived(f"places_{dim}", tables[dim].astype(np.int64))
        x = ops("Gather", x, places, axis=2 + dim, label=f"windows_{dim}")
    return x


def _product(ops: Ops, x: str, tables: Sequence[Array], matrix: str, rows: tuple[int, int], bias: Array | None) -> str:
    """Every window against every kernel, group by group."""
    dims = len(tables)
    apart = _gathered(ops, x, tables)
    order = [0, 1, *(2 + 2 * dim for dim in range(dims)), *(3 + 2 * dim for dim in range(dims))]
    turned = ops("Transpose", apart, perm=order, label="kernels_first")
    columns = ops.reshape(turned, (*rows, math.prod(ops.shape[1:])), "columns")
    y = ops.reshape(ops("MatMul", matrix, columns), ops.shape, "places")
    if bias is None:
        return y
    return ops("Add", y, ops.shaped(ops.parameter("bias", bias), (-1, *[1] * dims)), label="bias_added")


def sum_pool(node: SumPool, ops: Ops, inputs: Sequence[str]) -> str:
    """Σ over each window, zeros around: exact for integers, as a mean times a number would not be."""
    return _sums(ops, inputs[0], node)


def _sums(ops: Ops, x: str, node: SumPool | AveragePool) -> str:
    counts, padding = node.places(ops.shapes[0])
    channels = ops.shapes[0][0]
    if ops.single:
        ones = ops.ones((channels, 1, *node.window))
        return ops(
            "Conv", x, ones, kernel_shape=list(node.window), strides=list(node.stride), pads=ends(padding),
            group=channels, label="sums",
        )  # fmt: skip
    tables = [_table(k, 1, n, s) for k, n, s in zip(node.window, counts, node.stride, strict=True)]
    over = ops.sheet.ints(2 + 2 * dim for dim in range(len(counts)))
    return ops("ReduceSum", _gathered(ops, padded(ops, x, padding), tables), over, keepdims=0, label="sums")


def average_pool(node: AveragePool, ops: Ops, inputs: Sequence[str]) -> str:
    """Σ over each window, by the number of values that count in it."""
    _, padding = node.places(ops.shapes[0])
    if ops.single and tuple(padding) == tuple(node.padding):
        return ops(
            "AveragePool", inputs[0], kernel_shape=list(node.window), strides=list(node.stride), pads=ends(padding),
            count_include_pad=int(node.count_padding),
        )  # fmt: skip
    return ops("Div", _sums(ops, inputs[0], node), _divisors(node, ops), label="average")


def _divisors(node: AveragePool, ops: Ops) -> str:
    """n for each place: the product of what counts along each dimension, made when the model is loaded."""
    channels, *space = ops.shapes[0]
    dims, product = len(space), ""
    for dim, size in enumerate(space):
        line = AveragePool(
            (node.window[dim],), (node.stride[dim],), (node.padding[dim],), node.ceil, node.count_padding
        ).divisors((channels, size))
        along = ops.derived(f"counts_{dim}", line.astype(ops.dtype).reshape(-1, *[1] * (dims - 1 - dim)))
        product = ops.sheet.prepare("Mul", f"{along}/product", product, along) if product else along
    return product


def max_pool(node: MaxPool, ops: Ops, inputs: Sequence[str]) -> str:
    """Maximum over each window; −∞ around."""
    _, padding = node.places(ops.shapes[0])
    return ops(
        "MaxPool", inputs[0], kernel_shape=list(node.window), strides=list(node.stride), pads=ends(padding)
    )  # fmt: skip
