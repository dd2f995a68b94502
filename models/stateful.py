"""What remembers something from step to step, and can be run window by window.

`layer(x)` runs x [T, B, *shape] from the start. Inside `windows.carrying` it goes on where the window before ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

import torch
from torch import Tensor, nn

from .fields import Fields, NeuronState
from .multistep import run_steps, zero_state


class Memory:
    """The states of one layer between two windows, one for each time the layer is called in a window."""

    def __init__(self) -> None:
        self.states: list[Any] = []
        self.place = 0

    def run(self, layer: Callable[[Tensor, Any], tuple[Tensor, Any]], x: Tensor) -> Tensor:
        """Runs x from the state that this call had at the end of the window before; from none in the first."""
        known = self.states[self.place : self.place + 1]
        out, after = layer(x, known[0] if known else None)
        self.states[self.place : self.place + 1] = [after]
        self.place += 1
        return out


class Stateful(nn.Module):
    """Base of layers that remember."""

    def __init__(self) -> None:
        super().__init__()
        self.memory: Memory | None = None


@final
class Change(Stateful):
    """y[t] = x[t] − x[t−1];  y[0] = 0, whatever x[0] is."""

    def run(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Runs x [T, B, *shape]; gives the differences and the last x."""
        return torch.diff(x, dim=0, prepend=x[:1] if state is None else state[None]), x[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, *shape] from the start."""
        return self.run(x)[0] if self.memory is None else self.memory.run(self.run, x)


@final
class MovingAverage(Stateful):
    """S[t] = λ·S[t−1] + (1 − λ)·x[t], from S = 0: a leaky integrator whose λ is computed by whoever calls it."""

    def run(self, x: Tensor, keep: Tensor, state: NeuronState | None = None) -> tuple[Tensor, NeuronState]:
        """Runs x [T, B, *shape] with λ, which broadcasts over *shape; gives S and the state at the end."""
        fields = Fields(beta=keep, gain=1 - keep, reset="none", surrogate=None)
        return run_steps(x, fields, zero_state(x) if state is None else state)

    def forward(self, x: Tensor, keep: Tensor) -> Tensor:
        """Runs x [T, B, *shape] with λ from the start."""
        if self.memory is None:
            return self.run(x, keep)[0]
        return self.memory.run(lambda part, state: self.run(part, keep, state), x)
