"""A small convolutional network for event cameras.

    events [T, B, 2, H, W]
      ► for each of `channels`: 3×3 convolution, LIF, 2×2 average pooling
      ► linear map, LIF ► spikes [T, B, classes]; the class is the neuron that fires most often

Model card: this architecture is ours, made for this project as a first example; it reproduces no published network and
claims no published accuracy. Without a checkpoint its weights are random, drawn so that every layer fires: it is there
to be traced, converted, measured and trained (`spikeport train event_convnet`), not to recognise anything. Input:
counts or zeros and ones per pixel and polarity, about one pixel in ten active in a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .folding import PerStep
from .input_kinds import InputKind
from .neurons import LIF
from .weights import draw


@dataclass(frozen=True)
class EventConvNetConfig:
    """What can be chosen.

    Args:
        size: height and width of the events, a multiple of 2 for each layer.
        inputs: channels of the events, one for each polarity.
        channels: channels of the convolutions.
        classes: neurons of the last layer.
        beta: β of all neurons.
        threshold: θ of all neurons.
        slope: slope of the arc-tangent surrogate gradient.
    """

    size: int = 32
    inputs: int = 2
    channels: tuple[int, ...] = (8, 16, 32)
    classes: int = 10
    beta: float = 0.8
    threshold: float = 1.0
    slope: float = 2.0

    def __post_init__(self) -> None:
        widths = (self.inputs, *self.channels, self.classes)
        if not 1 <= len(self.channels) <= 8 or not all(1 <= width <= 4096 for width in widths):
            raise UsageError("event_convnet", f"widths {widths}", "1 to 8 convolutions of 1 to 4096 channels")
        if not 1 <= self.size <= 1024 or self.size % 2 ** len(self.channels):
            raise UsageError(
                "event_convnet", f"size {self.size}", f"a multiple of {2 ** len(self.channels)}, up to 1024"
            )

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """Its one input."""
        return {"input": InputKind((self.inputs, self.size, self.size), "spikes")}


class EventConvNet(nn.Module):
    """The network of this file; time first, [T, B, inputs, size, size] → [T, B, classes]."""

    def __init__(self, config: EventConvNetConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((config.inputs, *config.channels), config.channels, strict=False):
            convolution = nn.Conv2d(before, after, 3, padding=1, bias=False)
            layers += [PerStep(convolution), _neurons(config), PerStep(nn.AvgPool2d(2))]
        self.features = nn.Sequential(*layers)
        side = config.size // 2 ** len(config.channels)
        self.classify = nn.Linear(config.channels[-1] * side * side, config.classes, bias=False)
        self.output = _neurons(config)

    def forward(self, events: Tensor) -> Tensor:
        """Runs events [T, B, inputs, size, size]; gives spikes [T, B, classes]."""
        spikes: Tensor = self.output(self.classify(self.features(events).flatten(2)))
        return spikes


def _neurons(config: EventConvNetConfig) -> LIF:
    return LIF(config.beta, threshold=config.threshold, surrogate=Surrogate("atan", config.slope))


def build(config: EventConvNetConfig, seed: int) -> EventConvNet:
    """The network with weights drawn by `seed`: zero mean, scaled to inputs that are active one time in ten."""
    network, source = EventConvNet(config), torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        draw(weight, std=config.threshold * (0.1 * prod(weight.shape[1:])) ** -0.5, source=source)
    return network
