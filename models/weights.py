"""Random weights of the zoo's networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def draw(weight: Tensor, std: float, source: torch.Generator) -> None:
    """Fills a weight in place, normal with zero mean; one that has only a shape is left alone."""
    if not weight.is_meta:
        with torch.no_grad():
            weight.normal_(0.0, std, generator=source)


def settle(network: nn.Module, *inputs: Tensor) -> None:
    """Gives every batch norm the statistics of these inputs, as one batch of training would without learning anything.

    So the layers behind them fire from the start; a network that has only shapes is left alone.
    """
    norms = [each for each in network.modules() if isinstance(each, _BatchNorm)]
    if any(each.is_meta for each in network.parameters()):
        return
    trains, momenta = [each.training for each in network.modules()], [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.training, norm.momentum = True, 1.0
    with torch.no_grad():
        network(*inputs)
    for each, training in zip(network.modules(), trains, strict=True):
        each.training = training
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
