"""Gradients of the multi-step spiking neuron, with a surrogate for the step; the equations are in `backward.py`.

Nothing of size [T, N] but the input is needed. The first call with numbers, with vectors, and with each dtype compiles
for a few seconds and keeps the result on disk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import UsageError
from .backward import backward_range
from .forward import SILENT
from .lif import BLOCK, DELAYED, MODES, Array, LifParams, LifState, checked_input, packed_params, state_rows
from .surrogates import SURROGATES
from .threads import cut, run_pieces, thread_count

SCRATCH = 1 << 19
"""Bytes of recomputed v̂ per thread: what stays in a second-level cache beside everything else."""

NAMES = ("alpha", "beta", "gain", "bias", "threshold", "v_reset")
ROWS = (0, 1, 2, 3, 4, 6)


@dataclass(frozen=True)
class Surrogate:
    """The stand-in for ds/dv̂.

    Args:
        name: a row of the table in `surrogates.py`.
        slope: its k.
        detach: whether the reset passes no gradient into the spike.
    """

    name: str = "super"
    slope: float = 1.0
    detach: bool = False

    def __post_init__(self) -> None:
        if self.name not in SURROGATES:
            raise UsageError("surrogate", repr(self.name), f"one of {', '.join(SURROGATES)}")


@dataclass(frozen=True)
class LifGradients:
    """What the backward pass gives.

    Args:
        x: dL/dx [T, N].
        state: dL/d(state before the first step); None where the neuron does not use one, and nothing at all without
            `want_state`.
        params: by name, dL/dα, β, gain, bias, threshold, v_reset, each float64 [F]; empty when not asked for.
    """

    x: Array
    state: LifState
    params: dict[str, Array]


def run_lif_backward(
    x: Array,
    grad: Array,
    params: LifParams,
    state: LifState | None = None,
    grad_state: LifState | None = None,
    surrogate: Surrogate | None = None,
    want_params: bool = False,
    want_state: bool = True,
) -> LifGradients:
    """Gradients of `run_lif`, or of `run_li` when `surrogate` is None.

    Args:
        x: the input [T, N] of the forward run.
        grad: dL/ds [T, N]; for a leaky integrator dL/dv.
        params: the neuron of the forward run.
        state: where the forward run started.
        grad_state: dL/d(u and v after the last step), None stands for zeros; what reaches the last s belongs to `grad`.
        surrogate: what stands for ds/dv̂.
        want_params: whether to sum the gradients of the parameters, in float64.
        want_state: whether anybody asks for the gradients of the initial state.
    """
    x = checked_input(x)
    if grad.shape != x.shape:
        raise UsageError("neuron kernel", f"a gradient of shape {grad.shape}", f"{x.shape}")
    grad = np.ascontiguousarray(grad, x.dtype)
    count, has_current = x.shape[1], params.alpha is not None
    mode, rule = (SILENT, Surrogate()) if surrogate is None else (MODES[params.reset, params.when], surrogate)
    before, after = state_rows(state, count, x.dtype), state_rows(grad_state, count, x.dtype)[:2]
    used = want_state and has_current, want_state, want_state and mode in DELAYED
    u_grad, v_grad, s_grad = (np.empty(count if keep else 0, x.dtype) for keep in used)
    packed = packed_params(params, x.dtype, count)
    features = 0 if not want_params else packed.shape[1] if isinstance(packed, np.ndarray) else 1
    grad_x = np.empty_like(x)
    pieces = cut(count, len(x), _block(x), thread_count())
    sums = {start: np.zeros((7, features)) for start, _ in pieces}

    def piece(start: int, stop: int) -> None:
        backward_range(
            x, grad, packed, *before, *after, u_grad, v_grad, s_grad, grad_x, sums[start], has_current,
            mode, not rule.detach, SURROGATES[rule.name], x.dtype.type(rule.slope), start, stop, _block(x),
        )  # fmt: skip

    run_pieces(piece, pieces, thread_count())
    total = sum(sums.values(), np.zeros((7, features)))
    named = {name: total[row] for name, row in zip(NAMES, ROWS, strict=True)} if want_params else {}
    state_grads = LifState(*(row if keep else None for row, keep in zip((u_grad, v_grad, s_grad), used, strict=True)))
    return LifGradients(grad_x, state_grads, named)


def _block(x: Array) -> int:
    """Neurons per block: as many as keep the history of all steps in the cache, between 32 and BLOCK."""
    fit = SCRATCH // (len(x) * x.itemsize + 1)
    return int(min(BLOCK, max(32, fit - fit % 32)))
