"""Layers on tokens, [T, B, N, C] or any [T, B, …, C]: the same map for every token of every step.

    TokenNorm     y = γ·(x − μ)/√(σ² + ε) + β         μ, σ² of each channel, over steps, samples and tokens
    TokenMap      y = norm(W·x)
    SpikingMap    s = F(norm(W·x))                    F: what fires
    Shortcut      s = F(norm(W·f) + a ⊙ x)            x joins in the membrane: what travels on are spikes alone
    TokenPool     y[k] = Σ_n P[k, n]·x[n]             K learned maps over the places of the tokens, linear

A shortcut around spikes is a synapse of weight a from each neuron to its successor: no sum of spikes is ever sent.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from .firing import Firing

QUIET, SURE = 0.25, 1.5
"""What a layer and the shortcut around it start with, in multiples of what fires a resting neuron: x passes."""


@final
class TokenNorm(nn.Module):
    """Batch norm of the last axis; outside of training a factor and an offset for each channel.

    Args:
        channels: C.
        spread: γ at first.
    """

    def __init__(self, channels: int, spread: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)
        nn.init.constant_(self.norm.weight, spread)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [..., C]."""
        norm = self.norm
        if norm.training or norm.running_var is None or norm.running_mean is None:
            normal: Tensor = norm(x.flatten(0, -2))
            return normal.view_as(x)
        factor = norm.weight * (norm.running_var + norm.eps).rsqrt()
        return x * factor + (norm.bias - norm.running_mean * factor)


class TokenMap(nn.Module):
    """y = norm(W·x), what membranes add up.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        spread: of y at first.
    """

    def __init__(self, inputs: int, outputs: int, spread: float) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs, bias=False)
        self.norm = TokenNorm(outputs, spread)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, ..., inputs]."""
        summed: Tensor = self.norm(self.linear(x))
        return summed


@final
class SpikingMap(TokenMap):
    """s = F(norm(W·x)), γ so large at first that what one step adds to a membrane spreads as far as the threshold.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        firing: what fires.
        threshold: θ, where it is not that of `firing`.
    """

    def __init__(self, inputs: int, outputs: int, firing: Firing, threshold: float | None = None) -> None:
        super().__init__(inputs, outputs, firing.drive)
        self.fire = firing.layer(threshold)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, ..., inputs]."""
        spikes: Tensor = self.fire(super().forward(x))
        return spikes


@final
class Shortcut(TokenMap):
    """s = F(norm(W·f) + a ⊙ x); at first a spike of x fires the neuron nearly whatever f says.

    Args:
        inputs: channels of f.
        outputs: channels of x and of what goes out.
        firing: what fires.
    """

    def __init__(self, inputs: int, outputs: int, firing: Firing) -> None:
        super().__init__(inputs, outputs, QUIET * firing.drive)
        self.around = nn.Parameter(torch.full((outputs,), SURE * firing.drive))
        self.fire = firing.layer()

    def forward(self, f: Tensor, x: Tensor) -> Tensor:  # type: ignore[override]
        """Runs f [T, B, ..., inputs] beside x [T, B, ..., outputs]."""
        spikes: Tensor = self.fire(super().forward(f) + self.around * x)
        return spikes


@final
class TokenPool(nn.Module):
    """y[k] = Σ_n P[k, n]·x[n], all k side by side: [T, B, N, C] → [T, B, K·C].

    Args:
        tokens: N.
        maps: K.
    """

    def __init__(self, tokens: int, maps: int) -> None:
        super().__init__()
        self.places = nn.Parameter((torch.randn(maps, tokens) + tokens**-0.5) * tokens**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, N, C]."""
        return (self.places @ x).flatten(2)
