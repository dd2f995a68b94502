"""Random weights of the zoo's networks."""

from __future__ import annotations

import torch
from torch import Tensor


def draw(weight: Tensor, std: float, source: torch.Generator) -> None:
    """Fills a weight in place, normal with zero mean; one that has only a shape is left alone."""
    if not weight.is_meta:
        with torch.no_grad():
            weight.normal_(0.0, std, generator=source)
