"""The scans of a spiking Mamba block, from currents [T, B, C, h, w] to spikes of the same shape.

    Selective    u = F(x)                                 F: what fires
                 Δ, b, c = softplus(W_Δ·u + β), W_b·u, W_c·u        for each direction and patch
                 s = F(BN(Σ over directions scan(Δ·u, −Δ·exp(A), b, c) + d·u))

    Invariant    u = F(x)
                 i[t] = α·i[t−1] + W·u[t]                 one α for each head
                 s = a neuron whose current is i

The second is the first with constants, along time for each patch by itself: its state is the current of a leaky
integrator, so that it is nothing but neurons.
"""

from __future__ import annotations

from math import exp
from typing import final

import torch
from torch import Tensor, nn, unflatten
from torch.nn import functional

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .firing import Firing
from .folding import PerStep
from .frame_scan import scan_frames
from .neurons import LI, CubaLIF
from .stateful import Stateful

SHORTEST, LONGEST = 0.25, 8.0
"""Frames that the heads of a selective scan remember at first."""
SLOWEST = 16.0
"""Frames that the slowest head of a time-invariant scan remembers; the fastest remembers one."""
RATE = 0.2
"""The share of neurons that is taken to fire where weights are drawn."""


def batch_norm(channels: int, spread: float) -> nn.BatchNorm2d:
    """Batch norm that gives a standard deviation of `spread` at first."""
    norm = nn.BatchNorm2d(channels)
    nn.init.constant_(norm.weight, spread)
    return norm


@final
class Selective(nn.Module):
    """The selective scan between neurons.

    Args:
        width: C.
        heads: heads in each direction.
        state: numbers that a head remembers for each of its channels.
        patches: h·w.
        firing: what fires.
    """

    def __init__(self, width: int, heads: int, state: int, patches: int, firing: Firing) -> None:
        super().__init__()
        self.fire_in, self.fire_out = firing.layer(), firing.layer()
        self.scan = SelectiveScan(width, heads, state, patches)
        self.norm = PerStep(batch_norm(width, firing.drive))

    def forward(self, x: Tensor) -> Tensor:
        """Runs currents."""
        spikes: Tensor = self.fire_out(self.norm(self.scan(self.fire_in(x))))
        return spikes


@final
class SelectiveScan(Stateful):
    """y = Σ over directions scan(Δ·u, −Δ·exp(A), b, c) + d·u over the patches of all frames.

    Args:
        width: C.
        heads: heads in each direction.
        state: numbers that a head remembers for each of its channels.
        patches: patches of a frame, for the lengths that the heads remember at first.
    """

    def __init__(self, width: int, heads: int, state: int, patches: int) -> None:
        super().__init__()
        self.parts = [heads, state, state]
        self.select = PerStep(_selection(width, heads, state, patches))
        self.log_rate = nn.Parameter(torch.zeros(2, heads))
        self.skip = nn.Parameter(torch.ones(width))

    def run(self, u: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Runs spikes u [T, B, C, h, w] from a state [B, 2, S, C]; gives real values of u's shape, and the state."""
        chosen = unflatten(_by_patch(self.select(u)), 3, (2, -1))
        step, keys, queries = torch.split(chosen, self.parts, dim=4)
        step = functional.softplus(step)
        x = _by_patch(u)
        y, after = scan_frames(x, step, -step * self.log_rate.exp(), keys, queries, state)
        return unflatten((y + self.skip * x).transpose(2, 3), 3, u.shape[3:]), after

    def forward(self, u: Tensor) -> Tensor:
        """Runs spikes u [T, B, C, h, w] from the start."""
        return self.run(u)[0] if self.memory is None else self.memory.run(self.run, u)


def _by_patch(x: Tensor) -> Tensor:
    """[T, B, C, h, w] → [T, B, h·w, C]."""
    return x.flatten(3).transpose(2, 3)


def _selection(width: int, heads: int, state: int, patches: int) -> nn.Conv2d:
    """Δ, b and c of both directions, ⟨c, b⟩ about as large as 1; Δ = 1 / length, with a length drawn for each head."""
    layer = nn.Conv2d(width, 2 * (heads + 2 * state), 1)
    share = (torch.arange(heads) + torch.rand(2, heads)) / heads
    lengths = patches * SHORTEST * (LONGEST / SHORTEST) ** share
    spread = torch.full((2, heads + 2 * state), state**-0.25)
    start = torch.zeros_like(spread)
    spread[:, :heads], start[:, :heads] = 0.1, torch.expm1(1 / lengths).log()
    with torch.no_grad():
        layer.weight.normal_(0.0, (RATE * width) ** -0.5).mul_(spread.view(-1, 1, 1, 1))
        layer.bias = nn.Parameter(start.flatten())
    return layer


@final
class Invariant(nn.Module):
    """The scan with constants: for each head a population of neurons whose current is the state.

    W has no bias and no batch norm, which would be one: on a chip a bias goes onto the voltage, not onto the current.

    Args:
        width: C.
        heads: populations, each with its α.
        firing: what fires.
    """

    def __init__(self, width: int, heads: int, firing: Firing) -> None:
        super().__init__()
        if width % heads:
            raise UsageError("scan", f"{width} channels in {heads} heads", "heads that divide the channels")
        self.decays = tuple(exp(-(SLOWEST ** -(head / max(1, heads - 1)))) for head in range(heads))
        self.fire_in = firing.layer()
        self.mix = PerStep(_mixing(width, self.decays, firing.drive))
        self.heads = nn.ModuleList(_reader(alpha, firing) for alpha in self.decays)

    def forward(self, x: Tensor) -> Tensor:
        """Runs currents."""
        currents = self.mix(self.fire_in(x)).chunk(len(self.heads), dim=2)
        return torch.cat([head(current) for head, current in zip(self.heads, currents, strict=True)], dim=2)


def _mixing(width: int, decays: tuple[float, ...], spread: float) -> nn.Conv2d:
    """Weights with which every current varies by about `spread`."""
    layer = nn.Conv2d(width, width, 1, bias=False)
    kept = torch.tensor(decays).repeat_interleave(width // len(decays)).view(-1, 1, 1, 1)
    with torch.no_grad():
        layer.weight.normal_(0.0, spread).mul_(((1 - kept**2) / (RATE * width)).sqrt())
    return layer


def _reader(alpha: float, firing: Firing) -> nn.Module:
    """A neuron whose current is the state; in the twin without spikes a leaky integrator and a rectifier."""
    if not firing.spikes:
        return nn.Sequential(LI(alpha), nn.ReLU())
    beta, surrogate = 1 - 1 / firing.tau, Surrogate(firing.surrogate, firing.slope)
    return CubaLIF(alpha, beta, 1 - beta, threshold=firing.threshold, inclusive=True, surrogate=surrogate)
