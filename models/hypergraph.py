"""A hypergraph out of the tokens' own likeness, and the convolution over it.

    codes         k = F(norm(W·x))                               [T, B, N, d], spikes
    likeness      S[e, n] = ⟨k[e], k[n]⟩ / d                     how many channels e and n fire together
    incidence     v[e, n] ← β·v[e, n] + S[e, n] − κ·S[e, e]
                  A[e, n] = 1{v[e, n] > 0}                       token n is in the hyperedge of token e
    convolution   x' = D_v⁻¹ Aᵀ W D_e⁻¹ A x                      D_e = max(Σ_n A, 1), D_v = max(Σ_e A, 1), W = diag(w)

Every token spans one hyperedge: all tokens that fire at least the share κ of what it fires, on a leaky average over the
steps so far. The average and the comparison are one neuron that is never reset, so that no ranking (top-k, sort) is
needed, κ is learned through the surrogate gradient, and nothing looks ahead. A silent token spans no hyperedge.

The design is ours; published is that hypergraphs come from structural self-similarity. In the twin without spikes
A = max(S[e, n] − κ·S[e, e], 0), of this step alone.

Beyond a chip: the product k·kᵀ of two signals (both spikes: a count of coincidences), the products with A (one side
spikes, the other spikes and then means), and the two divisions by D, which make the values of x' real.
"""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn

from ..toolchain.kernels.gradients import Surrogate
from .firing import Firing
from .neurons import LIF
from .tokens import SpikingMap


@final
class HypergraphGenerator(nn.Module):
    """A[e, n] of the module's docstring, [T, B, N, C] → [T, B, N, N].

    Args:
        channels: C.
        codes: d.
        firing: what fires.
        share: κ at first.
    """

    def __init__(self, channels: int, codes: int, firing: Firing, share: float = 0.5) -> None:
        super().__init__()
        self.codes = SpikingMap(channels, codes, firing)
        self.share = nn.Parameter(torch.tensor(share))
        self.incidence = _incidence(firing)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, N, C]."""
        codes = self.codes(x)
        likeness = codes @ codes.transpose(-1, -2)
        own = codes.square().sum(-1, keepdim=True)
        edges: Tensor = self.incidence((likeness - self.share * own) * (1 / codes.shape[-1]))
        return edges


def _incidence(firing: Firing) -> nn.Module:
    """1{v > 0} of a leaky average."""
    if not firing.spikes:
        return nn.ReLU()
    surrogate = Surrogate(firing.surrogate, firing.slope)
    return LIF(1 - 1 / firing.tau, threshold=0.0, reset="none", surrogate=surrogate)


@final
class HypergraphConvolution(nn.Module):
    """D_v⁻¹ Aᵀ W D_e⁻¹ A x.

    Args:
        tokens: N, each with the weight w of its hyperedge.
    """

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(tokens, 1))

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Runs x [T, B, N, C] over A [T, B, N, N]."""
        inside = edges.sum(-1, keepdim=True).clamp(min=1).reciprocal()
        around = edges.sum(-2).clamp(min=1).reciprocal().unsqueeze(-1)
        means = (edges @ x) * inside * self.weights
        return (edges.transpose(-1, -2) @ means) * around
