"""What all our neuron layers share: their fields as module attributes, state in and out, one call for all steps."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from .fields import NAMES, Fields, NeuronState, Value
from .multistep import in_half, run_steps, zero_state
from .stateful import Stateful

Rule = Literal["euler", "exact", "decay"]


class Neurons(Stateful):
    """Base of the layers in `neurons.py`, which add nothing but a constructor.

    Args:
        fields: the equation's fields. A number stays a number; a tensor becomes a buffer, saved with the model; an
            `nn.Parameter` is learned.
        learn: names of fields to learn, of alpha, beta, gain, bias, threshold, v_reset.
        v_init: the voltage a run starts with.
        dt: length of a step in seconds; the equation does not use it, exporters do.
        rule: how the decays came about.
    """

    alpha: Value | None
    beta: Value
    gain: Value
    bias: Value
    threshold: Value
    v_reset: Value
    v_init: Value

    def __init__(
        self,
        fields: Fields,
        learn: Collection[str] = (),
        v_init: Value = 0.0,
        dt: float = 1e-3,
        rule: Rule = "decay",
    ) -> None:
        super().__init__()
        unknown = sorted(set(learn) - set(NAMES))
        if unknown:
            raise UsageError(type(self).__name__, f"learn={unknown}", f"names out of {', '.join(NAMES)}")
        for name, value in zip((*NAMES, "v_init"), (*fields.values(), v_init), strict=True):
            self._keep(name, value, name in learn)
        self.reset, self.when, self.inclusive = fields.reset, fields.when, fields.inclusive
        self.surrogate = fields.surrogate
        self.dt, self.rule = dt, rule

    def _keep(self, name: str, value: Value | None, learned: bool) -> None:
        if learned and value is None:
            raise UsageError(type(self).__name__, f"learn={name!r}", "a field that this neuron has")
        if learned and not isinstance(value, nn.Parameter):
            value = nn.Parameter(torch.as_tensor(value, dtype=torch.get_default_dtype()))
        if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
            self.register_buffer(name, value)
        else:
            setattr(self, name, value)

    def fields(self) -> Fields:
        """The fields as they are now."""
        values = (getattr(self, name) for name in NAMES)
        return Fields(*values, self.reset, self.when, self.inclusive, self.surrogate)  # type: ignore[call-arg]

    def initial_state(self, x: Tensor) -> NeuronState:
        """The state a run over x [T, B, *shape] starts with: u = 0, v = v_init, no spikes."""
        x = x.float() if in_half(x) else x
        v = self.v_init.to(x) if isinstance(self.v_init, Tensor) else x.new_tensor(self.v_init)
        return zero_state(x)._replace(v=v.expand(x.shape[1:]))

    def run(self, x: Tensor, state: NeuronState | None = None) -> tuple[Tensor, NeuronState]:
        """Runs x [T, B, *shape]; gives spikes (a leaky integrator: voltages) and the state after the last step."""
        self._check(x)
        return run_steps(x, self.fields(), self.initial_state(x) if state is None else state)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, *shape] from the initial state; gives spikes (a leaky integrator: voltages)."""
        if self.memory is not None:
            return self.memory.run(self.run, x)
        self._check(x)
        return run_steps(x, self.fields(), self.initial_state(x), keep_state=False)[0]

    def _check(self, x: Tensor) -> None:
        if x.ndim < 2:
            raise UsageError(type(self).__name__, f"an input of shape {tuple(x.shape)}", "[T, B, *shape], time first")

    def extra_repr(self) -> str:
        """The fields in one line; tensors by their shape."""
        shown = {name: getattr(self, name) for name in NAMES}
        texts = [f"{name}={_short(value)}" for name, value in shown.items() if value is not None]
        return ", ".join([*texts, f"reset={self.reset}, when={self.when}, dt={self.dt}, rule={self.rule}"])


def _short(value: Value) -> str:
    return (
        f"tensor{tuple(value.shape)}"
        if isinstance(value, Tensor) and value.ndim
        else f"{float(torch.as_tensor(value).detach()):.6g}"
    )
