"""What a layer of neurons is and what it remembers, on torch tensors; the equation is in `toolchain/kernels/lif.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from ..toolchain.kernels.gradients import Surrogate
from ..toolchain.kernels.lif import Reset, When

Value = float | Tensor
SUPER = Surrogate("super")
NAMES = ("alpha", "beta", "gain", "bias", "threshold", "v_reset")


class NeuronState(NamedTuple):
    """What a layer remembers between two windows, each [B, *shape]: u, v and, for a delayed reset, the last spikes."""

    u: Tensor
    v: Tensor
    s: Tensor


@dataclass(frozen=True)
class Fields:
    """The fields of one layer of neurons, numbers or tensors that broadcast to the feature shape.

    Args:
        alpha: α, or None without a synaptic current.
        beta: β.
        gain: g.
        bias: b.
        threshold: θ.
        v_reset: v_r.
        reset: to a value, by subtraction, or none.
        when: in this step, in the next, or guarded.
        inclusive: compares with ≥.
        surrogate: what stands for ds/dv̂; None for a leaky integrator, which never fires.
    """

    alpha: Value | None = None
    beta: Value = 1.0
    gain: Value = 1.0
    bias: Value = 0.0
    threshold: Value = 1.0
    v_reset: Value = 0.0
    reset: Reset = "value"
    when: When = "now"
    inclusive: bool = False
    surrogate: Surrogate | None = SUPER

    def values(self) -> tuple[Value | None, ...]:
        """α, β, g, b, θ, v_r."""
        return self.alpha, self.beta, self.gain, self.bias, self.threshold, self.v_reset
