"""Distances of spike codes from a prior, in nats: what an information bottleneck charges for a code.

    Bernoulli                  KL(p ‖ π) = p·ln(p/π) + (1 − p)·ln((1 − p)/(1 − π))
    Gaussian behind a spike    min over N(μ, σ²) with P(z > 0) = π of KL(N(μ, σ²) ‖ N(0, 1)) = ½·ln(1 + Φ⁻¹(π)²)

The second is the least that a Gaussian latent costs whose sign is a spike of rate π: with a = Φ⁻¹(π), μ = a·σ, and the
derivative of ½·(σ² + a²·σ² − 1 − ln σ²) is 0 at σ² = 1/(1 + a²). It is 0 at π = ½ and grows without bound towards
silence, which is why a sparse code is charged in the Bernoulli form.
"""

from __future__ import annotations

import torch
from torch import Tensor


def bernoulli_divergence(rates: Tensor, prior: float) -> Tensor:
    """KL(Bern(p) ‖ Bern(π)) of each rate; 0·ln 0 is 0."""
    quiet = 1 - rates
    return torch.xlogy(rates, rates / prior) + torch.xlogy(quiet, quiet / (1 - prior))


def least_gaussian_divergence(rates: Tensor) -> Tensor:
    """The least KL to N(0, 1) of a Gaussian latent that is above 0 with these rates."""
    found: Tensor = torch.special.ndtri(rates).square().log1p() / 2
    return found
