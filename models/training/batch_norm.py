"""Batch normalisation over the samples of all processes, so that many processes normalise as one would.

    μ = Σ x / n,   σ² = Σ (x − μ)² / n      sums over all processes, n values of each channel
    y = (x − μ) / √(σ² + ε) · w + b

torch's own needs a GPU; this one runs wherever torch.distributed does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import batch_norm
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def shared(network: nn.Module) -> Iterator[None]:
    """The layers of a network normalise over all processes for a while; its weights and their names stay."""
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    for layer in layers:
        layer.forward = partial(_forward, layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


@contextmanager
def alone(network: nn.Module) -> Iterator[None]:
    """Each process normalises over its own samples for a while: what it looks at, others may not wait for."""
    layers = [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]
    shared_ones = {layer: layer.__dict__.pop("forward") for layer in layers if "forward" in layer.__dict__}
    try:
        yield
    finally:
        for layer, forward in shared_ones.items():
            layer.forward = forward  # type: ignore[method-assign]


def _forward(layer: _BatchNorm, x: Tensor) -> Tensor:
    if not layer.training:
        running = layer.running_mean, layer.running_var
        still: Tensor = batch_norm(x, *running, layer.weight, layer.bias, False, 0.0, layer.eps)
        return still
    wide, dims = x.float(), [0, *range(2, x.ndim)]
    sums = torch.cat([wide.sum(dims), wide.new_tensor([float(x.numel() // x.shape[1])])])
    total = _sum(sums)
    count, shape = total[-1], [1, -1, *[1] * (x.ndim - 2)]
    mean = total[:-1] / count
    away = wide - mean.view(shape)
    variance = _sum(away.square().sum(dims)) / count
    _remember(layer, mean.detach(), variance.detach(), count.detach())
    y = away * (variance + layer.eps).rsqrt().view(shape)
    if layer.weight is not None:
        y = y * layer.weight.view(shape) + layer.bias.view(shape)
    return y.to(x.dtype)


class _Sum(torch.autograd.Function):
    """Σ over all processes; what each of them makes of it matters to all, so gradients are summed too."""

    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: Any, *grads: Tensor) -> Tensor:
        total = grads[0].clone()
        distributed.all_reduce(total)
        return total


def _sum(values: Tensor) -> Tensor:
    found: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]  # torch leaves it without types
    return found


@torch.no_grad()
def _remember(layer: _BatchNorm, mean: Tensor, variance: Tensor, count: Tensor) -> None:
    """running ← (1 − m)·running + m·batch, with the variance over n − 1 as torch keeps it."""
    if layer.running_mean is None or layer.running_var is None or layer.num_batches_tracked is None:
        return
    layer.num_batches_tracked.add_(1)
    new = 1 / float(layer.num_batches_tracked) if layer.momentum is None else layer.momentum
    layer.running_mean.lerp_(mean, new)
    layer.running_var.lerp_(variance * count / (count - 1), new)
