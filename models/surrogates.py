"""The spike function of the eager step: a step forward, a surrogate gradient backward, both from one table.

Rows that Norse has call `norse.torch.functional.threshold.threshold`; the others, and every row under ≥, use the
derivative written here. The fused kernels have the same rows in `toolchain/kernels/surrogates.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from norse.torch.functional.threshold import threshold as norse_threshold
from torch import Tensor

from ..toolchain.kernels.gradients import Surrogate
from ..toolchain.kernels.surrogates import ERFC_SCALE

Derivative = Callable[[Tensor, float], Tensor]

IN_NORSE = frozenset({"super", "tanh", "heavi_erfc", "circ", "triangle", "heaviside"})

DERIVATIVES: dict[str, Derivative] = {
    "super": lambda x, _k: (x.abs() + 1).pow(-2),
    "tanh": lambda x, k: 1 - (k * x).tanh().pow(2),
    "heavi_erfc": lambda x, k: ERFC_SCALE * (-(k * x).pow(2)).exp(),
    "circ": lambda x, k: k**3 * (k * k + x * x).pow(-1.5),
    "triangle": lambda x, k: k * (1 - x.abs()).relu(),
    "heaviside": lambda x, _k: torch.zeros_like(x),
    "atan": lambda x, k: k / 2 / (1 + (math.pi / 2 * k * x).pow(2)),
    "sigmoid": lambda x, k: k * (k * x).sigmoid() * (-k * x).sigmoid(),
    "fast_sigmoid": lambda x, k: (k * x.abs() + 1).pow(-2),
}


class _Step(torch.autograd.Function):
    """H(x) forward, with H(0) = 1 when inclusive; a row of the table backward."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, _name: str, _slope: float, inclusive: bool) -> Tensor:
        return (x >= 0 if inclusive else x > 0).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], _output: Tensor) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.row = inputs[1:3]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None]:
        name, slope = ctx.row
        return grads[0] * DERIVATIVES[name](ctx.saved_tensors[0], slope), None, None, None


def spike(x: Tensor, surrogate: Surrogate, inclusive: bool) -> Tensor:
    """H(x), differentiable by the surrogate; x = v̂ − θ."""
    # Norse's functions know no torch.func transforms
    if surrogate.name in IN_NORSE and not inclusive and not torch._C._are_functorch_transforms_active():
        spikes: Tensor = norse_threshold(x, surrogate.name, surrogate.slope)
        return spikes
    step: Tensor = _Step.apply(x, surrogate.name, surrogate.slope, inclusive)  # type: ignore[no-untyped-call]
    return step
