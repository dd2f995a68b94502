"""Surrogate gradients: what stands for ds/dv̂ in training, as a function of x = v̂ − θ and a slope k.

| name         | σ(x)                       | defined by                                        |
|--------------|----------------------------|---------------------------------------------------|
| super        | 1 / (1 + |x|)²             | Norse; k is not used                              |
| tanh         | 1 − tanh²(k·x)             | Norse                                             |
| heavi_erfc   | 2/√π · exp(−(k·x)²)        | Norse                                             |
| circ         | k³ / (k² + x²)^(3/2)       | Norse, there as the same term in two fractions    |
| triangle     | k · max(0, 1 − |x|)        | Norse                                             |
| heaviside    | 0                          | Norse: the step itself, no gradient               |
| atan         | k/2 / (1 + (π/2·k·x)²)     | SpikingJelly and snnTorch; not in Norse           |
| sigmoid      | k·e / (1 + e)², e = exp(−k·|x|) | SpikingJelly and snnTorch; not in Norse      |
| fast_sigmoid | 1 / (1 + k·|x|)²           | snnTorch; not in Norse                            |
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .exponential import exponential
from .jit import inlined

ERFC_SCALE = 2 / float(np.sqrt(np.float32(math.pi)))
"""2/√π as Norse has it: its √π is rounded to float32 in every dtype."""

SUPER, TANH, ERFC, CIRC, TRIANGLE, HEAVISIDE, ATAN, SIGMOID, FAST_SIGMOID = range(9)

SURROGATES: dict[str, int] = {
    "super": SUPER,
    "tanh": TANH,
    "heavi_erfc": ERFC,
    "circ": CIRC,
    "triangle": TRIANGLE,
    "heaviside": HEAVISIDE,
    "atan": ATAN,
    "sigmoid": SIGMOID,
    "fast_sigmoid": FAST_SIGMOID,
}


@inlined
def surrogate(kind: int, k: Any, x: Any) -> None:
    """Replaces every x by σ(x), in x's dtype."""
    if kind in (TANH, ERFC, SIGMOID):
        _to_exponent(kind, k, x)
        exponential(x)
        _from_exponential(kind, k, x)
    else:
        _rational(kind, k, x)


@inlined
def _rational(kind: int, k: Any, x: Any) -> None:
    """The rows of the table that have no exponential."""
    one, two, zero = x.dtype.type(1), x.dtype.type(2), x.dtype.type(0)
    if kind in (SUPER, FAST_SIGMOID):
        slope = one if kind == SUPER else k
        for j in range(x.size):
            y = slope * abs(x[j]) + one
            x[j] = one / (y * y)
    elif kind == ATAN:
        half, slope = k / two, x.dtype.type(math.pi / 2) * k
        for j in range(x.size):
            x[j] = half / (one + (slope * x[j]) * (slope * x[j]))
    elif kind == CIRC:
        for j in range(x.size):
            square = k * k + x[j] * x[j]
            x[j] = k * k * k / (square * math.sqrt(square))
    elif kind == TRIANGLE:
        for j in range(x.size):
            x[j] = k * max(zero, one - abs(x[j]))
    else:
        x[:] = zero


@inlined
def _to_exponent(kind: int, k: Any, x: Any) -> None:
    """x ← the exponent of e; 1 − tanh²(y) = 4e / (1 + e)² with e = exp(−2|y|)."""
    if kind == ERFC:
        for j in range(x.size):
            x[j] = -(k * x[j]) * (k * x[j])
    else:
        slope = k + k if kind == TANH else k
        for j in range(x.size):
            x[j] = -abs(slope * x[j])


@inlined
def _from_exponential(kind: int, k: Any, x: Any) -> None:
    """x = e ← σ."""
    one = x.dtype.type(1)
    if kind == ERFC:
        for j in range(x.size):
            x[j] = x.dtype.type(ERFC_SCALE) * x[j]
    else:
        scale = x.dtype.type(4) if kind == TANH else k
        for j in range(x.size):
            x[j] = scale * x[j] / ((one + x[j]) * (one + x[j]))
