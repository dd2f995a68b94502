"""Neurons with a recurrent connection among themselves: a matrix product in every step, so a loop over time.

    u[t] = α·u[t−1] + W_in·x[t] + W_rec·s[t−1]
    v̂[t] = β·v[t−1] + g·u[t] + b, and compare and reset as in `neurons.py`

Norse's `lif_step` is the definition; there the reset passes no gradient to the spike, and so it is here by default. The
input's product is taken for all steps at once; a step of the loop is one product and a handful of operations.
"""

from __future__ import annotations

from typing import Unpack, final

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .eager import in_dtype, step
from .fields import Fields, NeuronState, Value
from .layer import Neurons
from .multistep import in_half
from .neurons import FiringOptions, decay, driven, split


@final
class RecurrentCubaLIF(Neurons):
    """CUBA-LIF neurons, each connected to each.

    Args:
        inputs: number of inputs.
        size: number of neurons.
        alpha: α.
        beta: β.
        gain: g.
        bias: b.
        options: as in `neurons.py`.
    """

    def __init__(
        self,
        inputs: int,
        size: int,
        alpha: Value = 0.8,
        beta: Value = 0.9,
        gain: Value = 1.0,
        bias: Value = 0.0,
        **options: Unpack[FiringOptions],
    ) -> None:
        firing, rest = split({"surrogate": Surrogate(detach=True), **options})
        super().__init__(Fields(alpha, beta, gain, bias, **firing), **rest)
        self.input_weight = nn.Parameter(torch.empty(size, inputs))
        self.recurrent_weight = nn.Parameter(torch.empty(size, size))
        for weight in (self.input_weight, self.recurrent_weight):
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5)

    @classmethod
    def from_tau(
        cls,
        inputs: int,
        size: int,
        tau_syn: Value,
        tau_mem: Value,
        v_leak: Value = 0.0,
        **options: Unpack[FiringOptions],
    ) -> RecurrentCubaLIF:
        """Decays from time constants, as `CubaLIF.from_tau`."""
        dt, rule = options.get("dt", 1e-3), options.get("rule", "euler")
        beta, gain = decay(tau_mem, dt, rule), driven(tau_mem, dt, rule)
        filled: FiringOptions = {"v_init": v_leak, **options, "dt": dt, "rule": rule}
        return cls(inputs, size, decay(tau_syn, dt, rule), beta, gain, gain * v_leak, **filled)

    def run(self, x: Tensor, state: NeuronState | None = None) -> tuple[Tensor, NeuronState]:
        """Runs x [T, B, inputs]; gives spikes [T, B, size] and the state after the last step."""
        inputs = self.input_weight.shape[1]
        if x.ndim != 3 or x.shape[2] != inputs:
            raise UsageError("RecurrentCubaLIF", f"an input of shape {tuple(x.shape)}", f"[T, B, {inputs}], time first")
        currents = nn.functional.linear(x, self.input_weight)
        if in_half(currents):  # the door of `multistep.run_steps`: a membrane is never in half precision
            with torch.autocast(x.device.type, enabled=False):
                spikes, after = self._loop(currents.float(), state)
            return spikes.to(currents.dtype), after
        return self._loop(currents, state)

    def _loop(self, currents: Tensor, state: NeuronState | None) -> tuple[Tensor, NeuronState]:
        state = self.initial_state(currents) if state is None else state
        fields, back, rows = in_dtype(self.fields(), currents), self.recurrent_weight.t(), []
        for current in currents:
            state = step(torch.addmm(current, state.s, back), fields, state)
            rows.append(state.s)
        return torch.stack(rows) if rows else currents, state

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, inputs] from the initial state; gives spikes [T, B, size]."""
        return self.run(x)[0] if self.memory is None else self.memory.run(self.run, x)
