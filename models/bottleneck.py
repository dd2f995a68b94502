"""The discretized information bottleneck: neurons whose spikes are Bernoulli draws while they learn.

    u = a ⊙ x,   p = σ(k·(u − θ))                   x: what comes in, a learned; the chance of a spike
    training      s ~ Bern(p),   ∂s/∂p = 1          E[s] = p: the gradient is that of the expectation
    afterwards    s = 1{u > θ} = 1{p > ½}           a neuron with β = 0: an ordinary one

    price         λ·mean KL(Bern(p) ‖ Bern(π))      at least λ·I(x; s) for each neuron (proposition 3)
    likeness      α·(1 − cos(r, c_y))               r = mean_t s, the rate code; c_y, its class's row of the last map

The chance is the one whose slope the sigmoid surrogate of k takes: σ(k·(u − θ))' = k·σ·(1 − σ). So the layer's gradient
is the same with the draw and without it, and without the bottleneck the layer is the same neuron with the same
surrogate gradient, no draw and no price. Draws come from torch's generator.

The cosine stands for the mutual information of code and class (lemma 2): it asks what part of their spikes codes share,
however rare spikes are. Published is a discretised KL divergence with a cosine surrogate in two stages, one for each
modality and one for the fusion, and weights α, λ₁, λ₂ without values; the layer, its place and the numbers are ours.
The twin without spikes has a rectifier here, which draws nothing and costs nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .firing import Firing
from .neurons import LIF


def divergence_of_logits(logits: Tensor, prior: float) -> Tensor:
    """KL(Bern(σ(l)) ‖ Bern(π)) = σ(l)·(l − logit π) − softplus(l) − ln(1 − π), finite far out."""
    odds = math.log(prior) - math.log1p(-prior)
    return logits.sigmoid() * (logits - odds) - functional.softplus(logits) - math.log1p(-prior)


def drawn(chances: Tensor) -> Tensor:
    """s ~ Bern(p) from torch's generator, with ∂s/∂p = 1."""
    spikes = (torch.rand_like(chances) < chances).to(chances)
    return spikes + (chances - chances.detach())


@dataclass(frozen=True)
class Price:
    """What a bottleneck charges.

    Args:
        weight: λ of the divergence.
        prior: π, the rate that costs nothing.
    """

    weight: float
    prior: float

    def __post_init__(self) -> None:
        if not 0 < self.prior < 1 or not self.weight >= 0:
            raise UsageError("bottleneck", f"weight {self.weight}, prior {self.prior}", "a weight ≥ 0, 0 < prior < 1")


@final
class Bottleneck(nn.Module):
    """The layer of the module's docstring.

    Args:
        channels: that come in and go out.
        firing: what fires; of the surrogates always the sigmoid's.
        price: what spikes cost; none is the same neuron without draws.
    """

    def __init__(self, channels: int, firing: Firing, price: Price | None) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.full((channels,), 1 / firing.tau if firing.spikes else 1.0))
        self.price = price if firing.spikes else None
        self.slope, self.threshold = firing.slope, firing.threshold
        surrogate = Surrogate("sigmoid", firing.slope)
        self.fire = LIF(0.0, threshold=firing.threshold, surrogate=surrogate) if firing.spikes else nn.ReLU()
        self.charged: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Runs membranes x [T, B, ..., channels]."""
        self.charged = None
        u = self.gain * x
        if self.price is None or not self.training:
            spikes: Tensor = self.fire(u)
            return spikes
        logits = self.slope * (u - self.threshold)
        self.charged = self.price.weight * divergence_of_logits(logits, self.price.prior).mean()
        return drawn(logits.sigmoid())

    def __getstate__(self) -> dict[str, object]:
        """A copy has run nothing."""
        return {**self.__dict__, "charged": None}

    def charge(self) -> Tensor | None:
        """The price of the last run in training, once; none where there is none."""
        charged, self.charged = self.charged, None
        return charged


def unlike(rates: Tensor, prototypes: Tensor) -> Tensor:
    """1 − cos(r, c), the mean over rates [B, C], each beside its prototype."""
    return 1 - functional.cosine_similarity(rates, prototypes, dim=-1).mean()
