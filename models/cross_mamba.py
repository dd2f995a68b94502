"""The spiking cross Mamba: events travel through a state space, the skeleton selects what is kept and what is read.

    selective path      g = F(norm(W_g·pool(K)))                    one vector of spikes for both persons' joints K
                        Δ, b, c = W_Δ·g + β, W_b·g, W_c·g           Δ ← softplus(Δ), one for each head
                        z = F(norm(W_z·g))                          the gate
    state-space path    x[n] = F(norm(W_x·E[n]))                    each patch n of the events E
                        h[t] = exp(−Δ[t]·exp(A))·h[t−1] + Δ[t]·b[t] ⊗ x[t]
                        y[t] = ⟨c[t], h[t]⟩ + d·x[t]
    together            s = F(norm(W·(y ⊙ z)) + a ⊙ E)              spikes again, the events around it as a shortcut

Patches share Δ, b, c and z, so that the state of a step is one h [heads, S, N·P] for all of them. Time is what the scan
runs along: a chunked product of matrices while learning, step by step when deployed (`scan.py`).

Published is that events feed the state-space path and the skeleton the selective path; the equations are ours. Beyond a
chip: exp and softplus, the products Δ·b ⊗ x (of a real value and a spike), h·exp(·), ⟨c, h⟩ of real values, and y ⊙ z,
which masks a real value by a spike. The projections all read spikes, but for the last, which reads y ⊙ z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from .firing import Firing
from .scan import Scanned, scan
from .stateful import Stateful
from .tokens import Shortcut, SpikingMap, TokenPool

SHORTEST, LONGEST = 1.5, 24.0
"""Time constants, in steps, that the heads start with: as far apart as gestures are long."""


@dataclass(frozen=True)
class CrossSizes:
    """The sizes of a spiking cross Mamba.

    Args:
        events: channels of the events' tokens.
        skeleton: channels of the skeleton's tokens.
        joints: tokens of the skeleton, joints of all persons.
        maps: learned maps over the joints.
        width: channels of x, y, z and g.
        heads: heads of the scan.
        state: S, numbers that a head remembers for each of its channels.
    """

    events: int
    skeleton: int
    joints: int
    maps: int
    width: int
    heads: int
    state: int


@final
class Selection(nn.Module):
    """Δ [T, B, heads], b and c [T, B, 1, S], of spikes g [T, B, width]."""

    def __init__(self, width: int, heads: int, state: int) -> None:
        super().__init__()
        self.parts = (heads, state, state)
        self.linear = nn.Linear(width, heads + 2 * state)
        lengths = torch.logspace(math.log10(SHORTEST), math.log10(LONGEST), heads)
        with torch.no_grad():
            self.linear.bias.mul_(0.1)
            self.linear.bias[:heads] += torch.expm1(1 / lengths).log()

    def forward(self, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Runs spikes g [T, B, width]."""
        step, keys, queries = self.linear(g).split(self.parts, -1)
        return functional.softplus(step), keys.unsqueeze(2), queries.unsqueeze(2)


def scanned_by_step(x: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor | None = None) -> Scanned:
    """The scan of `scan.py` with one group, as a loop of one body, which a graph repeats."""
    decay, rows = a.exp()[..., None, None], []
    h = torch.zeros((), dtype=x.dtype, device=x.device) if state is None else state
    for step, each in enumerate(x):
        h = decay[step] * h + b[step].unsqueeze(-1) * each.unsqueeze(-2)
        rows.append((c[step].unsqueeze(-1) * h).sum(-2))
    return torch.stack(rows), h


@final
class TimeScan(Stateful):
    """h and y of the module's docstring, along time, from h = 0.

    Args:
        heads: heads, each with its A and d.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.log_rate = nn.Parameter(torch.zeros(heads))
        self.skip = nn.Parameter(torch.ones(heads))

    def forward(self, x: Tensor, step: Tensor, keys: Tensor, queries: Tensor) -> Tensor:
        """Runs x [T, B, heads, P] with Δ [T, B, heads], b and c [T, B, 1, S]."""
        decay = step * -self.log_rate.exp()
        driven = x * step.unsqueeze(-1)

        def run(x: Tensor, state: Tensor | None) -> Scanned:
            return (scan if self.training else scanned_by_step)(x, decay, keys, queries, state=state)

        y = run(driven, None)[0] if self.memory is None else self.memory.run(run, driven)
        return y + x * self.skip.unsqueeze(-1)


@final
class CrossMamba(nn.Module):
    """Events' tokens that have met the skeleton: [T, B, N, C] and [T, B, joints, C'] → [T, B, N, C].

    Args:
        sizes: its sizes.
        firing: what fires.
    """

    def __init__(self, sizes: CrossSizes, firing: Firing) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.pool = TokenPool(sizes.joints, sizes.maps)
        self.context = SpikingMap(sizes.maps * sizes.skeleton, sizes.width, firing)
        self.selection = Selection(sizes.width, sizes.heads, sizes.state)
        self.gate = SpikingMap(sizes.width, sizes.width, firing)
        self.enter = SpikingMap(sizes.events, sizes.width, firing)
        self.scan = TimeScan(sizes.heads)
        self.out = Shortcut(sizes.width, sizes.events, firing)

    def forward(self, events: Tensor, skeleton: Tensor) -> Tensor:
        """Runs spikes of both."""
        context = self.context(self.pool(skeleton))
        entered = self.enter(events).unflatten(3, (self.heads, -1)).transpose(2, 3)
        scanned = self.scan(entered.flatten(3), *self.selection(context))
        read = scanned.unflatten(3, (events.shape[2], -1)).transpose(2, 3).flatten(3)
        spikes: Tensor = self.out(read * self.gate(context).unsqueeze(2), events)
        return spikes
