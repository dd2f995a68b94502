"""Layers with sums in them, as torch runs them on a batch [n, *shape]: one function for each kind of node.

Each takes the node, the shapes it receives and the run's dtype, prepares the parameters once, and gives the operation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ..graph.nodes import Affine, AveragePool, BatchNorm, Contract, Conv, ConvTranspose, MaxPool, Mean, Sum, SumPool
from ..graph.nodes.base import axis_of
from .tensors import Operation, Tensor, constant, optional, weights

Shapes = Sequence[tuple[int, ...]]
DType = np.dtype[Any]

CONVOLUTIONS: tuple[Callable[..., Tensor], ...] = (torch.conv1d, torch.conv2d, torch.conv3d)
TRANSPOSED: tuple[Callable[..., Tensor], ...] = (
    torch.conv_transpose1d,
    torch.conv_transpose2d,
    torch.conv_transpose3d,
)
MAXIMA: tuple[Callable[..., Tensor], ...] = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)


def affine(node: Affine, _: Shapes, dtype: DType) -> Operation:
    """One matrix product."""
    weight, bias = weights(node.weight, dtype), optional(node.bias, dtype)
    return lambda x: functional.linear(x, weight(), bias)


def batch_norm(node: BatchNorm, _: Shapes, dtype: DType) -> Operation:
    """y = x·s + c with s = γ/√(σ²+ε), c = b − μ·s."""
    mean, variance = constant(node.mean, dtype), constant(node.variance, dtype)
    weight, bias = optional(node.weight, dtype), optional(node.bias, dtype)
    return lambda x: functional.batch_norm(x, mean, variance, weight, bias, eps=node.epsilon)


def contract(node: Contract, _: Shapes, dtype: DType) -> Operation:
    """One einsum; Z is the batch."""
    moving, fixed, out = node.terms
    matrix = constant(node.constant, dtype)
    equation = f"Z{moving},{fixed}->Z{out}"
    return lambda x: torch.einsum(equation, x, matrix)


def flat_padding(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """(before, after) for each dimension as torch's pad takes it, last dimension first."""
    return [width for pair in reversed(pairs) for width in pair]


def conv(node: Conv, _: Shapes, dtype: DType) -> Operation:
    """torch's cross-correlation; padding that differs at the two ends is put on before it.

    In float32 images are laid out pixel by pixel, channels last, which is how the fast kernels want them.
    """
    held, bias = weights(node.weight, dtype), optional(node.bias, dtype)
    lie = torch.channels_last if dtype == np.float32 and len(node.kernel) == 2 else torch.contiguous_format
    laid = held().contiguous(memory_format=lie) if dtype == np.float32 else None
    run = CONVOLUTIONS[len(node.kernel) - 1]
    even = all(before == after for before, after in node.padding)
    padding = [before for before, _ in node.padding] if even else 0
    around = flat_padding(node.padding)

    def operation(x: Tensor) -> Tensor:
        x = (x if even else functional.pad(x, around)).contiguous(memory_format=lie)
        weight = held() if laid is None else laid
        return run(x, weight, bias, node.stride, padding, node.dilation, node.groups)

    return operation


def conv_transpose(node: ConvTranspose, _: Shapes, dtype: DType) -> Operation:
    """torch's transposed convolution, cut and lengthened after it, because the two ends may differ."""
    weight, bias = constant(node.weight, dtype), optional(node.bias, dtype)
    run = TRANSPOSED[len(node.kernel) - 1]
    cuts = [(-before, more - after) for (before, after), more in zip(node.padding, node.output_padding, strict=True)]
    around, idle = flat_padding(cuts), not any(map(any, cuts))
    shift = None if bias is None else bias.reshape(-1, *([1] * len(node.kernel)))

    def operation(x: Tensor) -> Tensor:
        y = run(x, weight, None, node.stride, 0, 0, node.groups, node.dilation)
        y = y if idle else functional.pad(y, around)
        return y if shift is None else y + shift

    return operation


def mean(node: Mean, shapes: Shapes, _: DType) -> Operation:
    """One mean."""
    axes = [axis_of(axis, len(shapes[0]), "axes") + 1 for axis in node.axes]
    return lambda x: x.mean(axes, keepdim=node.keep)


def total(node: Sum, shapes: Shapes, _: DType) -> Operation:
    """One sum."""
    axes = [axis_of(axis, len(shapes[0]), "axes") + 1 for axis in node.axes]
    return lambda x: x.sum(axes, keepdim=node.keep)


def max_pool(node: MaxPool, shapes: Shapes, _: DType) -> Operation:
    """Maximum over each window; −∞ around."""
    padding = node.places(shapes[0])[1]
    run = MAXIMA[len(node.window) - 1]
    around = flat_padding(padding)
    if not any(around):
        return lambda x: run(x, node.window, node.stride)
    return lambda x: run(functional.pad(x, around, value=-math.inf), node.window, node.stride)


def _sums(window: Sequence[int], stride: Sequence[int], divisor: int) -> Operation:
    """Σ over each window, by one number. torch divides by a number of one's choice in two and three dimensions only."""
    if len(window) == 1:
        run, lift = functional.avg_pool2d, [1]
    else:
        run, lift = (functional.avg_pool2d, functional.avg_pool3d)[len(window) - 2], []
    size, step = [*lift, *window], [*lift, *stride]

    def operation(x: Tensor) -> Tensor:
        y = run(x.unsqueeze(2) if lift else x, size, step, divisor_override=divisor)
        return y.squeeze(2) if lift else y

    return operation


def sum_pool(node: SumPool, shapes: Shapes, _: DType) -> Operation:
    """Sum over each window; zeros around."""
    around = flat_padding(node.places(shapes[0])[1])
    sums = _sums(node.window, node.stride, 1)
    return (lambda x: sums(functional.pad(x, around))) if any(around) else sums


def average_pool(node: AveragePool, shapes: Shapes, dtype: DType) -> Operation:
    """Sum over each window, by the number of values that count in it."""
    around = flat_padding(node.places(shapes[0])[1])
    divisors = node.divisors(shapes[0])
    if not any(around):
        return _sums(node.window, node.stride, math.prod(node.window))
    sums, grid = _sums(node.window, node.stride, 1), constant(divisors, dtype)
    return lambda x: sums(functional.pad(x, around)) / grid
