"""The convention of mmcv's get_model_complexity_info (1.x), which EPAM-Net and other video networks print.

    convolution    k · c_in · c_out/g · outputs per channel, + outputs where it has a bias
    transposed     the same with inputs per channel (2-d alone); a bias for every output
    linear         inputs · features out        normalisation  2 · inputs, 1 without weights
    activation     outputs                      pool           inputs          upsampling  outputs of the first sample

A layer counts where its class is one of the table, no subclass of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from torch import Tensor, nn

from .table import Tally
from .watching import copied, each_call, first_length, unseen

Rule = Callable[[Any, Tensor, Tensor], int]
"""Operations of a module for its first input and its output."""


def convolution(module: Any, given: Tensor, gave: Tensor) -> int:
    """Entries of the kernel for every output, and a bias for every output."""
    positions = given.shape[0] * prod(gave.shape[2:])
    weights = prod(module.kernel_size) * module.in_channels * (module.out_channels // module.groups)
    return int(positions * (weights + (module.out_channels if module.bias is not None else 0)))


def _transposed(module: Any, given: Tensor, gave: Tensor) -> int:
    positions = given.shape[0] * prod(given.shape[2:])
    weights = prod(module.kernel_size) * module.in_channels * (module.out_channels // module.groups)
    return int(positions * weights + (gave.numel() if module.bias is not None else 0))


def _linear(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(given.numel() * gave.shape[-1])


def inputs_of(module: Any, given: Tensor, gave: Tensor) -> int:
    """One for every input."""
    return int(given.numel())


def _outputs(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(gave.numel())


def _first_output(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(gave[0].numel())


def normalisation(module: Any, given: Tensor, gave: Tensor) -> int:
    """Two for every input, one without weights."""
    weighted = getattr(module, "affine", False) or getattr(module, "elementwise_affine", False)
    return int(given.numel() * (2 if weighted else 1))


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
POOLS = (
    nn.MaxPool1d, nn.AvgPool1d, nn.AvgPool2d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool3d,
    nn.AdaptiveMaxPool1d, nn.AdaptiveAvgPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool3d,
    nn.AdaptiveAvgPool3d,
)  # fmt: skip
NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d,
    nn.InstanceNorm3d,
)  # fmt: skip
ACTIVATIONS = (nn.ReLU, nn.PReLU, nn.ELU, nn.LeakyReLU, nn.ReLU6)

RULES: Mapping[type[nn.Module], Rule] = {
    **dict.fromkeys(CONVOLUTIONS, convolution),
    **dict.fromkeys(ACTIVATIONS, _outputs),
    **dict.fromkeys(POOLS, inputs_of),
    **dict.fromkeys((*NORMS, nn.LayerNorm), normalisation),
    nn.Linear: _linear,
    nn.Upsample: _first_output,
    nn.ConvTranspose2d: _transposed,
}
"""A class, and what one call of it counts."""


def count(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """Sums over the calls; it prints billions for one sample, with two places."""
    subject, total = copied(module, train), 0

    def called(child: nn.Module, given: tuple[Any, ...], gave: Any) -> None:
        nonlocal total
        if type(child) in RULES:
            total += RULES[type(child)](child, given[0], gave)

    each_call(subject, inputs, called, grad=True)
    subject, samples = copied(module, train), first_length(inputs)
    misses = unseen(subject, inputs, lambda deed: any(type(each) in RULES for each in deed.inside), grad=True)
    return Tally({"flops": total}, misses, samples, f"{round(total / samples / 1e9, 2)} GFLOPs")
