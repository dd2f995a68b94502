"""Linear maps without a window, and normalisation by channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..graph.nodes import Affine, BatchNorm, Contract, Scale
from .parts import Ops


def affine(node: Affine, ops: Ops, inputs: Sequence[str]) -> str:
    """y = W·x + b: Gemm on vectors, a product with Wᵀ where there are axes before the last."""
    weight = ops.parameter("weight", node.weight)
    bias = None if node.bias is None else ops.parameter("bias", node.bias)
    if len(ops.shapes[0]) == 1:
        return ops("Gemm", inputs[0], weight, *([bias] if bias else []), transB=1)
    turned = ops.sheet.prepare("Transpose", f"{weight}/turned", weight, perm=[1, 0])
    y = ops("MatMul", inputs[0], turned)
    return ops("Add", y, bias, label="bias_added") if bias else y


def scale(node: Scale, ops: Ops, inputs: Sequence[str]) -> str:
    """y = s·x + c."""
    y = ops("Mul", inputs[0], ops.parameter("scale", node.scale), label="scaled")
    return y if node.shift is None else ops("Add", y, ops.parameter("shift", node.shift), label="shifted")


def batch_norm(node: BatchNorm, ops: Ops, inputs: Sequence[str]) -> str:
    """y = (x − μ) / √(σ² + ε) · γ + b. ε is a float32 number in BatchNormalization; in double it is added before."""
    channels, kind = len(node.mean), ops.dtype
    mean, variance = ops.parameter("mean", node.mean), ops.parameter("variance", node.variance)
    weight = ops.derived("weight", np.ones(channels, kind)) if node.weight is None else None
    bias = ops.derived("bias", np.zeros(channels, kind)) if node.bias is None else None
    epsilon = node.epsilon
    if not ops.single:
        variance = ops.sheet.prepare("Add", f"{ops.name}/lifted", variance, ops.sheet.number(node.epsilon))
        epsilon = 0.0
    return ops(
        "BatchNormalization",
        inputs[0],
        weight or ops.parameter("weight", node.weight),  # type: ignore[arg-type]
        bias or ops.parameter("bias", node.bias),  # type: ignore[arg-type]
        mean,
        variance,
        epsilon=epsilon,
        label="normalised",
    )


def contract(node: Contract, ops: Ops, inputs: Sequence[str]) -> str:
    """One einsum; Z is the batch."""
    moving, fixed, out = node.terms
    constant = ops.parameter("constant", node.constant)
    return ops("Einsum", inputs[0], constant, equation=f"Z{moving},{fixed}->Z{out}")
