"""The optimizers there are, each with what it does beside its rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from ..recipes import Recipe

MOMENTUM = 0.9

OPTIMISERS: Mapping[str, Callable[..., Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": lambda groups, **options: torch.optim.SGD(groups, momentum=MOMENTUM, **options),
}


def optimiser_of(network: nn.Module, recipe: Recipe) -> Optimizer:
    """The optimizer of a recipe; what has less than two dimensions (biases, scales, neurons' fields) does not decay."""
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in learned if weight.ndim > 1]},
        {"params": [weight for weight in learned if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    filled = [group for group in groups if group["params"]]
    return OPTIMISERS[recipe.optimizer](filled, lr=recipe.rate, weight_decay=recipe.weight_decay)
