"""Layers without memory over all steps at once: time is folded into the batch, [T, B, …] → [T·B, …] and back."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn


@final
class PerStep(nn.Module):
    """y[t] = layer(x[t]) for every step t, in one call of the layer.

    Args:
        layer: a module without state between steps: a convolution, a pooling, a linear map, batch norm.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, *shape]."""
        folded: Tensor = self.layer(x.flatten(0, 1))
        return torch.unflatten(folded, 0, x.shape[:2])
