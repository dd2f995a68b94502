"""The sparse semantic extractor: what tokens have in common, by hypergraph and by attention without softmax.

    hypergraph    s = F(x);  x ← x + norm(W·H(s))        H of `hypergraph.py`
    attention     s = F(x);  q, k, v = F(norm(W_qkv·s))  [T, B, N, d], spikes
                  o = F_½(σ·q(kᵀv))                      σ learned, F_½ with the threshold ½·θ
                  x ← x + norm(W·o)

x is what the tokens' neurons add up: a shortcut from membrane to membrane, so that both parts read spikes, send spikes
or means of them, and at first change little of what passes.
kᵀv is a sum over all tokens of a step, both persons' or all patches': global, at a cost linear in their number.

The design is ours; published is that the extractor has hypergraph generators and a global spiking attention without
softmax. Beyond a chip: kᵀv and q(kᵀv), products of two signals (the first of
spikes with spikes, the second of spikes with counts), and what `hypergraph.py` lists.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from .firing import Firing
from .hypergraph import HypergraphConvolution, HypergraphGenerator
from .tokens import QUIET, SpikingMap, TokenMap


@final
class GlobalSpikingAttention(nn.Module):
    """norm(W·F_½(σ·q(kᵀv))) of spikes [T, B, N, C].

    Args:
        tokens: N.
        channels: C.
        width: d.
        firing: what fires.
    """

    def __init__(self, tokens: int, channels: int, width: int, firing: Firing) -> None:
        super().__init__()
        self.projections = SpikingMap(channels, 3 * width, firing)
        self.scale = nn.Parameter(torch.tensor(4.0 * (tokens * width) ** -0.5))
        self.found = firing.layer(firing.threshold / 2)
        self.out = TokenMap(width, channels, QUIET * firing.drive)

    def forward(self, x: Tensor) -> Tensor:
        """Runs spikes x [T, B, N, C]."""
        q, k, v = self.projections(x).chunk(3, -1)
        found = self.found((q @ (k.transpose(-1, -2) @ v)) * self.scale)
        summed: Tensor = self.out(found)
        return summed


@final
class SemanticExtractor(nn.Module):
    """Hypergraph, then attention, each added to the membranes [T, B, N, C].

    Args:
        tokens: N.
        channels: C.
        width: d of the attention and of the hypergraph's codes.
        attention: whether the attention is there.
        firing: what fires.
    """

    def __init__(self, tokens: int, channels: int, width: int, attention: bool, firing: Firing) -> None:
        super().__init__()
        self.enters = firing.layer()
        self.generator = HypergraphGenerator(channels, width, firing)
        self.convolution = HypergraphConvolution(tokens)
        self.out = TokenMap(channels, channels, QUIET * firing.drive)
        self.passes = firing.layer() if attention else None
        self.attention = GlobalSpikingAttention(tokens, channels, width, firing) if attention else None

    def forward(self, x: Tensor) -> Tensor:
        """Runs membranes x [T, B, N, C]."""
        spikes = self.enters(x)
        x = x + self.out(self.convolution(spikes, self.generator(spikes)))
        if self.passes is not None and self.attention is not None:
            x = x + self.attention(self.passes(x))
        return x
