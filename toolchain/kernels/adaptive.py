"""The adaptive neuron, T steps of N neurons in one call.

    u[t] = α·u[t−1] + x[t];  v̂[t] = β·v[t−1] + g·u[t] + b
    â = ρ·a[t−1];  r̂ = ρ_r·r[t−1];  s[t] = v̂[t] > θ + â + r̂
    v[t] = reset(v̂[t], s[t])                  now, or in the next step before the compare
    a[t] = â + κ·s[t];  r[t] = r̂ + γ·(θ + â)·s[t]

θ + â is θ + â + r̂ less r̂, as rounding leaves it. All arithmetic is that of `lif.py`: strict, from left to right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import inlined, kernel

ALPHA, BETA, GAIN, BIAS, THRESHOLD, V_RESET, RHO, KAPPA, RHO_R, GAMMA = range(10)
"""The rows of the parameters."""
VALUE, SUBTRACT, NONE = range(3)
"""The resets."""
U, V, S, A, R = range(5)
"""The rows of the state."""


@inlined
def columns(params: Any, first: int, count: int) -> Any:
    """The parameters of neurons first .. first + count; neuron n has column n mod F."""
    found = np.empty((params.shape[0], count), params.dtype)
    for row in range(params.shape[0]):
        for neuron in range(count):
            found[row, neuron] = params[row, (first + neuron) % params.shape[1]]
    return found


@inlined
def settled(v: Any, s: Any, level: Any, v_reset: Any, reset: int) -> Any:
    """reset(v, s)."""
    if reset == VALUE:
        return v_reset if s > 0 else v
    return v - s * level if reset == SUBTRACT else v


@kernel
def adaptive_range(
    x: Any,
    spikes: Any,
    params: Any,
    state: Any,
    record_u: Any,
    record_v: Any,
    record_v_hat: Any,
    reset: int,
    next_step: bool,
    inclusive: bool,
    start: int,
    stop: int,
    block: int,
) -> None:
    """Runs neurons start .. stop of x [T, N]; the state [5, N] moves on in place; records with a size are filled."""
    one, zero = x.dtype.type(1), x.dtype.type(0)
    for first in range(start, stop, block):
        last = min(first + block, stop)
        p = columns(params, first, last - first)
        for t in range(x.shape[0]):
            for n in range(first, last):
                j = n - first
                u = p[ALPHA, j] * state[U, n] + x[t, n]
                v = p[BETA, j] * state[V, n] + p[GAIN, j] * u + p[BIAS, j]
                a, r = p[RHO, j] * state[A, n], p[RHO_R, j] * state[R, n]
                level = p[THRESHOLD, j] + a + r
                if next_step:
                    v = settled(v, state[S, n], level, p[V_RESET, j], reset)
                s = one if (v >= level if inclusive else v > level) else zero
                after = v if next_step else settled(v, s, level, p[V_RESET, j], reset)
                if record_v_hat.size > 0:
                    record_v_hat[t, n] = v
                if record_u.size > 0:
                    record_u[t, n] = u
                if record_v.size > 0:
                    record_v[t, n] = after
                spikes[t, n] = s
                state[U, n], state[V, n], state[S, n] = u, after, s
                state[A, n] = a + p[KAPPA, j] * s
                state[R, n] = r + p[GAMMA, j] * (level - r) * s
