"""The sparse semantic extractor: what tokens have in common, by hypergraph and by attention without softmax.

    hypergraph    x ← F(norm(W·H(x)) + a ⊙ x)            H of `hypergraph.py`
    attention     q, k, v = F(norm(W_qkv·x))             [T, B, N, d], spikes
                  o = F_½(s·q(kᵀv))                      s learned, F_½ with the threshold ½·θ
                  x ← F(norm(W·o) + a ⊙ x)

kᵀv is a sum over all tokens of a step, both persons' or all patches': global, at a cost linear in their number.

The design is ours; published is that the extractor has hypergraph generators and a global spiking attention without
softmax. What comes in and goes out are spikes. Beyond a chip: kᵀv and q(kᵀv), products of two signals (the first of
spikes with spikes, the second of spikes with counts), and what `hypergraph.py` lists.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from .firing import Firing
from .hypergraph import HypergraphConvolution, HypergraphGenerator
from .tokens import Shortcut, SpikingMap


@final
class GlobalSpikingAttention(nn.Module):
    """x ← F(norm(W·F_½(s·q(kᵀv))) + a ⊙ x).

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
        self.out = Shortcut(width, channels, firing)

    def forward(self, x: Tensor) -> Tensor:
        """Runs spikes x [T, B, N, C]."""
        q, k, v = self.projections(x).chunk(3, -1)
        found = self.found((q @ (k.transpose(-1, -2) @ v)) * self.scale)
        spikes: Tensor = self.out(found, x)
        return spikes


@final
class SemanticExtractor(nn.Module):
    """Hypergraph, then attention, each around a shortcut; [T, B, N, C] → the same.

    Args:
        tokens: N.
        channels: C.
        width: d of the attention and of the hypergraph's codes.
        attention: whether the attention is there.
        firing: what fires.
    """

    def __init__(self, tokens: int, channels: int, width: int, attention: bool, firing: Firing) -> None:
        super().__init__()
        self.generator = HypergraphGenerator(channels, width, firing)
        self.convolution = HypergraphConvolution(tokens)
        self.out = Shortcut(channels, channels, firing)
        self.attention = GlobalSpikingAttention(tokens, channels, width, firing) if attention else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Runs spikes x [T, B, N, C]."""
        spikes: Tensor = self.attention(self.out(self.convolution(x, self.generator(x)), x))
        return spikes
