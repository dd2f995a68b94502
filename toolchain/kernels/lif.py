"""The multi-step spiking neuron, T steps of N neurons in one call.

    u[t] = α·u[t−1] + x[t]                    synaptic current; without α, u[t] = x[t]
    v̂[t] = β·v[t−1] + g·u[t] + b              leak and integrate, summed from left to right
    s[t] = v̂[t] > θ                           compare; ≥ with `inclusive`
    v[t] = reset(v̂[t], s[t])

The reset, by `reset` and `when`:

    value, now          v[t] = v_r where s[t], else v̂[t]
    subtract, now       v[t] = v̂[t] − θ·s[t]
    none                v[t] = v̂[t]
    value, next         after leak and integrate of step t, v̂[t] := v_r where s[t−1]; then compare; v[t] = v̂[t]
    subtract, next      after leak and integrate of step t, v̂[t] := v̂[t] − θ·s[t−1]; then compare; v[t] = v̂[t]
    subtract, guarded   r = v[t−1] > θ; v̂[t] := v̂[t] − θ·r; compare; v[t] = v̂[t] − θ·(s[t] − r)

Neuron n of N has the parameters number n mod F: a parameter is a number, or a vector of F features that broadcasts over
the batch. The first call with numbers, with vectors, and with each dtype compiles for about a second and keeps the
result on disk.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .forward import (
    GUARDED,
    NEXT_SUBTRACT,
    NEXT_VALUE,
    NO_RESET,
    NOW_SUBTRACT,
    NOW_VALUE,
    SILENT,
    forward_range,
)
from .threads import cut, run_pieces, thread_count

Array = NDArray[Any]
Parameter = float | Array
Reset = Literal["value", "subtract", "none"]
When = Literal["now", "next", "guarded"]
Signal = Literal["u", "v", "v_hat"]
OUTPUT: tuple[Signal] = ("v",)

MODES: dict[tuple[Reset, When], int] = {
    ("value", "now"): NOW_VALUE,
    ("subtract", "now"): NOW_SUBTRACT,
    ("none", "now"): NO_RESET,
    ("none", "next"): NO_RESET,
    ("value", "next"): NEXT_VALUE,
    ("subtract", "next"): NEXT_SUBTRACT,
    ("subtract", "guarded"): GUARDED,
}

DELAYED = (NEXT_VALUE, NEXT_SUBTRACT)

BLOCK = 4096
"""Neurons per block: their state stays in the nearest caches, and rows are long enough to stream from memory."""


@dataclass(frozen=True)
class LifParams:
    """The fields of the equation above.

    Args:
        alpha: α, or None when the neuron has no synaptic current.
        beta: β, the voltage that is left after one step.
        gain: g.
        bias: b.
        threshold: θ.
        v_reset: v_r; read by a reset to a value only.
        reset: to a value, by subtraction of θ, or none.
        when: in this step, in the next, or guarded.
        inclusive: compares with ≥ in place of >.
    """

    alpha: Parameter | None = None
    beta: Parameter = 1.0
    gain: Parameter = 1.0
    bias: Parameter = 0.0
    threshold: Parameter = 1.0
    v_reset: Parameter = 0.0
    reset: Reset = "value"
    when: When = "now"
    inclusive: bool = False

    def __post_init__(self) -> None:
        if (self.reset, self.when) not in MODES:
            known = ", ".join(f"({reset}, {when})" for reset, when in MODES)
            raise UsageError("LifParams", f"reset ({self.reset}, {self.when})", f"one of {known}")


@dataclass(frozen=True)
class LifState:
    """What a neuron remembers between two steps, each [N]; None stands for zeros.

    Args:
        u: u[t−1]; used with α only.
        v: v[t−1].
        s: s[t−1], zeros and ones; used by a reset in the next step only.
    """

    u: Array | None = None
    v: Array | None = None
    s: Array | None = None


@dataclass(frozen=True)
class LifRun:
    """What a run gives.

    Args:
        spikes: s [T, N], zeros and ones in the dtype of x; empty [0, 0] for a leaky integrator.
        state: u, v and s after the last step: the initial state of the next window; None where the neuron does not use
            one, and nothing at all without `keep_state`.
        u: u [T, N] when recorded, otherwise None; likewise v (after the reset) and v_hat (before the compare).
    """

    spikes: Array
    state: LifState
    u: Array | None = None
    v: Array | None = None
    v_hat: Array | None = None


def run_lif(
    x: Array,
    params: LifParams,
    state: LifState | None = None,
    record: Collection[Signal] = (),
    out: Array | None = None,
    keep_state: bool = True,
) -> LifRun:
    """Runs T steps of N spiking neurons; the equation is this module's docstring.

    Args:
        x: input [T, N], float32 or float64; everything is computed in this dtype.
        params: the neuron.
        state: where the run starts; never written to.
        record: which signals to keep for every step.
        out: a contiguous [T, N] array of x's dtype for the spikes, made when not given.
        keep_state: whether anybody will ask for the state after the last step.
    """
    return _run(x, params, state, record, MODES[params.reset, params.when], out, keep_state)


def run_li(
    x: Array,
    params: LifParams,
    state: LifState | None = None,
    record: Collection[Signal] = OUTPUT,
    keep_state: bool = True,
) -> LifRun:
    """Runs T steps of N leaky integrators: u and v̂ as above, v[t] = v̂[t], never a spike.

    Args:
        x: input [T, N], float32 or float64.
        params: α, β, gain and bias are read, the rest is not.
        state: where the run starts; never written to.
        record: which signals to keep for every step; v is the output of a leaky integrator.
        keep_state: whether anybody will ask for the state after the last step.
    """
    return _run(x, params, state, record, SILENT, None, keep_state)


def _run(
    x: Array,
    params: LifParams,
    state: LifState | None,
    record: Collection[Signal],
    mode: int,
    out: Array | None,
    keep_state: bool,
) -> LifRun:
    x = checked_input(x)
    steps, count = x.shape
    has_current, delayed = params.alpha is not None, mode in DELAYED
    before = state_rows(state, count, x.dtype)
    packed = packed_params(params, x.dtype, count)
    spikes = np.empty((0, 0) if mode == SILENT else x.shape, x.dtype) if out is None else _checked_out(out, x)
    u_end, v_end = (np.empty(count if keep else 0, x.dtype) for keep in (keep_state and has_current, keep_state))
    wanted = {"u": "u" in record and has_current, "v": "v" in record, "v_hat": "v_hat" in record}
    kept = {name: np.empty(x.shape if keep else (0, 0), x.dtype) for name, keep in wanted.items()}

    def piece(start: int, stop: int) -> None:
        forward_range(
            x, spikes, packed, *before, u_end, v_end, kept["u"], kept["v"], kept["v_hat"],
            has_current, mode, start, stop, BLOCK,
        )  # fmt: skip

    run_pieces(piece, cut(count, steps, BLOCK, thread_count()), thread_count())
    if "u" in record and not has_current:
        kept["u"] = x.copy()
    last = (spikes[-1].copy() if steps else np.resize(before[2], count)) if delayed and keep_state else None
    after = LifState(u_end if u_end.size else None, v_end if keep_state else None, last)
    return LifRun(spikes, after, *(kept[name] if name in record else None for name in ("u", "v", "v_hat")))


def checked_input(x: Array) -> Array:
    """The input as a contiguous [T, N] array of float32 or float64, or a UsageError."""
    if x.ndim != 2:
        raise UsageError("neuron kernel", f"an input of shape {x.shape}", "[T, N]", "flatten batch and features")
    if x.dtype not in (np.float32, np.float64):
        raise UsageError("neuron kernel", f"an input of {x.dtype}", "float32 or float64")
    return np.ascontiguousarray(x)


def _checked_out(out: Array, x: Array) -> Array:
    if out.shape != x.shape or out.dtype != x.dtype or not out.flags.c_contiguous:
        raise UsageError("neuron kernel", f"out {out.dtype} {out.shape}", f"contiguous {x.dtype} {x.shape}")
    return out


def state_rows(state: LifState | None, count: int, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """u, v and s as kernels take them: rows of N elements, or of a single zero."""
    given = state or LifState()
    return tuple(_row(name, row, count, dtype) for name, row in vars(given).items())  # type: ignore[return-value]


def _row(name: str, row: Array | None, count: int, dtype: np.dtype[Any]) -> Array:
    if row is None:
        return np.zeros(1, dtype)
    if row.shape != (count,):
        raise UsageError("neuron kernel", f"an initial {name} of shape {row.shape}", f"({count},)")
    return np.array(row, dtype, order="C") if not row.flags.writeable else np.ascontiguousarray(row, dtype)


def packed_params(params: LifParams, dtype: np.dtype[Any], count: int) -> tuple[Any, ...] | Array:
    """α, β, g, b, θ, the compare's cut, v_r as a kernel takes them: seven scalars, or one array [7, F].

    `v̂ ≥ θ` is `v̂ > c` with c the largest float below θ, so kernels know one comparison.
    """
    alpha = 0.0 if params.alpha is None else params.alpha
    values = [alpha, params.beta, params.gain, params.bias, params.threshold, params.threshold, params.v_reset]
    rows = [np.asarray(value, dtype).reshape(-1) for value in values]
    if params.inclusive:
        rows[5] = np.nextafter(rows[5], np.array(-np.inf, dtype))
    features = max(row.size for row in rows)
    if any(row.size not in (1, features) for row in rows) or (features and count % features):
        sizes = sorted({row.size for row in rows})
        raise UsageError(
            "neuron kernel", f"parameters of {sizes} features for {count} neurons", "one length dividing N"
        )
    if features == 1:
        return tuple(dtype.type(row[0]) for row in rows)
    return np.stack([np.broadcast_to(row, features) for row in rows])
