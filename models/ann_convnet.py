"""A small convolutional network of ReLUs for frames: no spikes, no time, the usual kind of network.

    frames [T, B, 2·bins, H, W], each step by itself
      ► for each of `channels`: 3×3 convolution with stride 2, ReLU
      ► linear map ► scores [T, B, classes]; the class is the one with the highest score

Model card: this architecture is ours, made as a first example of what `spikeport convert --neurons` takes; it
reproduces no published network and claims no published accuracy. Without a checkpoint its weights are random: it is
there to be trained (`spikeport train ann_convnet`) and turned into spikes, as a sigma-delta network, which sends what
changes from step to step, or as a rate-coded one, which is shown a still frame for many steps. Input: zeros and ones,
as shape_frames draws them. Its last layer has no bias: output neurons in a netx file have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from .folding import PerStep
from .input_kinds import InputKind
from .weights import draw


@dataclass(frozen=True)
class AnnConvNetConfig:
    """What can be chosen.

    Args:
        size: height and width of the frames, a multiple of 2 for each layer.
        inputs: channels of the frames, one for each stretch of time and polarity.
        channels: channels of the convolutions.
        classes: scores of the last layer.
    """

    size: int = 32
    inputs: int = 8
    channels: tuple[int, ...] = (8, 16, 32)
    classes: int = 10

    def __post_init__(self) -> None:
        widths = (self.inputs, *self.channels, self.classes)
        if not 1 <= len(self.channels) <= 8 or not all(1 <= width <= 4096 for width in widths):
            raise UsageError("ann_convnet", f"widths {widths}", "1 to 8 convolutions of 1 to 4096 channels")
        if not 1 <= self.size <= 1024 or self.size % 2 ** len(self.channels):
            raise UsageError("ann_convnet", f"size {self.size}", f"a multiple of {2 ** len(self.channels)}, up to 1024")

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """Its one input."""
        return {"input": InputKind((self.inputs, self.size, self.size), "spikes")}


class AnnConvNet(nn.Module):
    """The network of this file; time first, [T, B, inputs, size, size] → [T, B, classes]."""

    def __init__(self, config: AnnConvNetConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((config.inputs, *config.channels), config.channels, strict=False):
            layers += [PerStep(nn.Conv2d(before, after, 3, stride=2, padding=1)), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        side = config.size // 2 ** len(config.channels)
        self.classify = nn.Linear(config.channels[-1] * side * side, config.classes, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Runs frames [T, B, inputs, size, size]; gives scores [T, B, classes]."""
        scores: Tensor = self.classify(self.features(frames).flatten(2))
        return scores


def build(config: AnnConvNetConfig, seed: int) -> AnnConvNet:
    """The network with weights drawn by `seed`: of the variance that keeps ReLUs' sizes, with small biases."""
    network, source = AnnConvNet(config), torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        std = 0.05 if weight.ndim == 1 else (2 / prod(weight.shape[1:])) ** 0.5
        draw(weight, std=std, source=source)
    return network
