"""Layers with weights, and pools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ...graph.nodes import Affine, AveragePool, BatchNorm, Contract, Conv, ConvTranspose, MaxPool
from ..operation import AXES, FOLD, MIXES, Cannot, Operation, Row, wide
from ..values import Tracked, Value


def _optional(op: Operation, tensor: Tensor | None, what: str) -> Any:
    return None if tensor is None else op.constant(tensor, what)


def linear(op: Operation, input: Any, weight: Tensor, bias: Tensor | None = None) -> Any:
    """x·Wᵀ + b."""
    node = Affine(op.constant(weight, "weight"), _optional(op, bias, "bias"))
    return op.emit(node, [_on_features(op, input)])


def _on_features(op: Operation, input: Any) -> Value:
    value = op.value(input)
    if not value.axes.endswith("f"):
        role = value.axes[-1]
        raise Cannot(f"{op.name} over the {AXES[role]}", "features as the last axis", MIXES[role])
    return value


def addmm(op: Operation, input: Tensor, mat1: Any, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta·b + alpha·x·W."""
    value, weight = _on_features(op, mat1), op.recorder.constants.turned(op.constant(mat2, "weight"))
    bias = op.across(value, input, "bias")
    if alpha != 1 or beta != 1:
        weight, bias = alpha * wide(weight), beta * wide(bias)
    return op.emit(Affine(weight, np.broadcast_to(bias, weight.shape[:1])), [value])


def matmul(op: Operation, input: Any, other: Any) -> Any:
    """x·W with a constant W, or W·x along the axis before the last."""
    if isinstance(input, Tracked) and isinstance(other, Tracked):
        raise Cannot("a product of two signals", "a signal and a constant")
    if isinstance(input, Tracked):
        weight = op.constant(other, "matrix")
        if weight.ndim != 2:
            raise Cannot(f"a product with a constant of {weight.ndim} axes", "a matrix", "use einsum")
        return op.emit(Affine(op.recorder.constants.turned(weight)), [_on_features(op, input)])
    value, matrix = op.value(other), op.constant(input, "matrix")
    if matrix.ndim != 2 or value.axes[-2:] != "ff":
        raise Cannot(f"a constant of {matrix.ndim} axes times a signal {value.axes}", "a matrix and two feature axes")
    rank, axes = value.axes.count("f"), value.axes
    before = "".join(chr(ord("a") + i) for i in range(rank - 2))
    return op.emit(Contract(f"{before}xy,wx->{before}wy", matrix), [value], axes=axes)


def einsum(op: Operation, equation: str, *operands: Any) -> Any:
    """One signal and one constant; time and batch stay where they are."""
    tensors = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    signals = [i for i, each in enumerate(tensors) if isinstance(each, Tracked)]
    if len(tensors) != 2 or len(signals) != 1:
        raise Cannot(f"einsum('{equation}')", "one signal and one constant", "write it as several products")
    terms, out = _spelled_out(equation, [each.ndim for each in tensors])
    signal = signals[0]
    value, term, against = op.value(tensors[signal]), terms[signal], terms[1 - signal]
    constant = op.constant(tensors[1 - signal])
    lead = [letter for letter, role in zip(term, value.axes, strict=True) if role != "f"]
    if any(letter in against or letter not in out for letter in lead):
        raise Cannot(f"einsum('{equation}') over time or batch", "a sum over features alone", MIXES["T"])
    inner = "".join(letter for letter in term if letter not in lead)
    outer = "".join(letter for letter in out if letter not in lead)
    roles = dict(zip(term, value.axes, strict=True))
    axes = "".join(roles.get(letter, "f") for letter in out)
    return op.emit(Contract(f"{inner},{against}->{outer}", constant), [value], axes=axes)


def _spelled_out(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The terms and the result of an equation, with a letter for every axis that `...` stands for."""
    left, arrow, out = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    more = max((rank - len(term) + 3 for term, rank in zip(terms, ranks, strict=True) if "..." in term), default=0)
    letters = [each for each in "ABCDEFGHIJKLMNOPQRSTUVWXY" if each not in equation][:more]
    spelled = []
    for term, rank in zip(terms, ranks, strict=True):
        count = rank - len(term) + 3
        spelled.append(term.replace("...", "".join(letters[len(letters) - count :])))
    if not arrow:
        once = sorted(each for each in left if each.isalpha() and left.count(each) == 1)
        return spelled, "".join(letters) + "".join(once)
    return spelled, out.replace("...", "".join(letters))


def _padded(padding: Any, kernel: Sequence[int]) -> Any:
    if padding == "valid":
        return 0
    return (
        padding
        if not isinstance(padding, (list, tuple)) or len(padding) == len(kernel)
        else tuple(padding) * len(kernel)
    )


def conv(
    op: Operation,
    input: Any,
    weight: Tensor,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """torch's convolution, which is a cross-correlation."""
    kernel = weight.shape[2:]
    node = Conv(
        op.constant(weight, "weight"), _optional(op, bias, "bias"), stride, _padded(padding, kernel), dilation, groups
    )
    return op.emit(node, [_batched(op, input, len(kernel))])


def conv_transpose(
    op: Operation,
    input: Any,
    weight: Tensor,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """The transpose of a convolution."""
    node = ConvTranspose(
        op.constant(weight, "weight"), _optional(op, bias, "bias"), stride, padding, output_padding, dilation, groups
    )
    return op.emit(node, [_batched(op, input, weight.ndim - 2)])


def _batched(op: Operation, input: Any, dims: int) -> Value:
    value = op.ordered(input, most=1)
    if value.axes.count("f") != dims + 1:
        raise Cannot(f"{op.name} on {value.axes.count('f')} feature axes", f"channels and {dims} of space")
    return value


def batch_norm(
    op: Operation,
    input: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,  # noqa: ARG001
    eps: float = 1e-5,
) -> Any:
    """Normalisation by the statistics of training."""
    if training or running_mean is None or running_var is None:
        fix = "call module.eval() before tracing; track_running_stats has to be on"
        raise Cannot("batch normalisation by the batch's own statistics", "running statistics", fix)
    value = op.value(input)
    if value.axes[1] != "f":
        raise Cannot(f"{op.name} on [time, batch, ...]", "one batch axis", FOLD)
    mean, variance = op.constant(running_mean, "mean"), op.constant(running_var, "variance")
    node = BatchNorm(mean, variance, _optional(op, weight, "weight"), _optional(op, bias, "bias"), eps)
    return op.emit(node, [value], axes=value.axes)


def _tuple(value: Any, dims: int) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,) * dims


def average_pool(dims: int) -> Row:
    """A row for average pooling in `dims` dimensions."""

    def row(
        op: Operation,
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Any:
        if divisor_override is not None:
            raise Cannot(f"a divisor of {divisor_override}", "the window's size", "scale behind the pool")
        window = _tuple(kernel_size, dims)
        node = AveragePool(window, stride or None, padding, ceil_mode, count_include_pad)
        return op.emit(node, [_batched(op, input, dims)])

    return row


def max_pool(dims: int) -> Row:
    """A row for maximum pooling in `dims` dimensions."""

    def row(
        op: Operation,
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        if return_indices or any(d != 1 for d in _tuple(dilation, dims)):
            raise Cannot("a maximum pool with dilation or indices", "neither")
        return op.emit(
            MaxPool(_tuple(kernel_size, dims), stride or None, padding, ceil_mode), [_batched(op, input, dims)]
        )

    return row


def adaptive_pool(dims: int, pool: type[AveragePool | MaxPool]) -> Row:
    """A row for a pool that is told its output's size: an ordinary pool, where the sizes divide."""

    def row(op: Operation, input: Any, output_size: Any, return_indices: bool = False) -> Any:
        if return_indices:
            raise Cannot("a maximum pool with indices", "none")
        value = _batched(op, input, dims)
        space = tuple(input.shape[-dims:])
        wanted = tuple(n if w is None else w for n, w in zip(space, _tuple(output_size, dims), strict=True))
        if any(n % w for n, w in zip(space, wanted, strict=True)):
            raise Cannot(
                f"an adaptive pool from {list(space)} to {list(wanted)}",
                "sizes that divide",
                "use a pool with a window",
            )
        window = tuple(n // w for n, w in zip(space, wanted, strict=True))
        return op.emit(pool(window), [value])

    return row


def interpolate(
    op: Operation,
    input: Any,
    size: Any = None,  # noqa: ARG001
    scale_factor: Any = None,  # noqa: ARG001
    mode: str = "nearest",
    align_corners: bool | None = None,  # noqa: ARG001
    recompute_scale_factor: bool | None = None,  # noqa: ARG001
    antialias: bool = False,  # noqa: ARG001
) -> Any:
    """Nearest neighbours by a whole factor: every value put down a whole number of times."""
    value = op.ordered(input, most=1)
    dims = value.axes.count("f") - 1
    space, grown = input.shape[-dims:], op.result.shape[-dims:]
    if mode not in ("nearest", "nearest-exact") or any(g % n for g, n in zip(grown, space, strict=True)):
        raise Cannot(f"interpolation by {mode} from {list(space)} to {list(grown)}", "nearest, by a whole factor")
    factor = tuple(g // n for g, n in zip(grown, space, strict=True))
    channels = input.shape[-dims - 1]
    kernel = np.ones((channels, 1, *factor), dtype=_kind(input))
    return op.emit(ConvTranspose(kernel, stride=factor, groups=channels), [value])


def _kind(tensor: Tensor) -> Any:
    return np.float64 if tensor.dtype.itemsize == 8 else np.float32


ROWS: Mapping[str, Row] = {
    "linear": linear,
    "addmm": addmm,
    "matmul": matmul,
    "rmatmul": lambda op, input, other: matmul(op, other, input),
    "mm": matmul,
    "einsum": einsum,
    "conv1d": conv,
    "conv2d": conv,
    "conv3d": conv,
    "conv_transpose1d": conv_transpose,
    "conv_transpose2d": conv_transpose,
    "conv_transpose3d": conv_transpose,
    "batch_norm": batch_norm,
    "interpolate": interpolate,
    **{f"avg_pool{dims}d": average_pool(dims) for dims in (1, 2, 3)},
    **{f"max_pool{dims}d": max_pool(dims) for dims in (1, 2, 3)},
    **{f"adaptive_avg_pool{dims}d": adaptive_pool(dims, AveragePool) for dims in (1, 2, 3)},
    **{f"adaptive_max_pool{dims}d": adaptive_pool(dims, MaxPool) for dims in (1, 2, 3)},
}
