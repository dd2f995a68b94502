"""The optimizers there are, each with what it does beside its rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ..recipes import Recipe

MOMENTUM = 0.9

OPTIMISERS: Mapping[str, Callable[..., Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": lambda groups, **options: torch.optim.SGD(groups, momentum=MOMENTUM, **options),
}


KEPT: Mapping[type[Optimizer], frozenset[str]] = {
    torch.optim.Adam: frozenset({"step", "exp_avg", "exp_avg_sq"}),
    torch.optim.AdamW: frozenset({"step", "exp_avg", "exp_avg_sq"}),
    torch.optim.SGD: frozenset({"momentum_buffer"}),
}
"""What each remembers of a weight that has had a gradient: tensors of its shape, and counts."""


def check_memory(optimiser: Optimizer, memory: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Raises a ValueError for what is no memory of this optimizer's weights, by their places."""
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    for place, kept in memory.items():
        if set(kept) != KEPT[type(optimiser)]:
            raise ValueError(f"{', '.join(sorted(kept))} of the weight {place}")
        for name, value in kept.items():
            if value.shape != (() if name == "step" else weights[place].shape):
                raise ValueError(f"{name} of shape {list(value.shape)} of the weight {place}")


def optimiser_of(network: nn.Module, recipe: Recipe) -> Optimizer:
    """The optimizer of a recipe; what has less than two dimensions (biases, scales, neurons' fields) does not decay."""
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    groups: list[dict[str, Any]] = [
        {"params": [weight for weight in learned if weight.ndim > 1]},
        {"params": [weight for weight in learned if weight.ndim <= 1], "weight_decay": 0.0},
    ]
    filled = [group for group in groups if group["params"]]
    return OPTIMISERS[recipe.optimizer](filled, lr=recipe.rate, weight_decay=recipe.weight_decay)
