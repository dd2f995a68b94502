"""Spiking Mamba: a backbone for events with a residual stream of membranes and a scan that spikes drive.

    events [T, B, inputs, H, W], zeros and ones
      ► stem: 3×3 convolutions of stride 2 with batch norm, neurons between them ► m, a membrane for each patch
      ► `depth` times m ← m + block(m)
      ► tokens = F(m), spikes [T, B, patches, C]                F: what fires (`firing.py`)
      ► mean over the patches, linear map ► logits [T, B, classes]; the answer is their mean over time

    block    s = F(m)
             x, z = F(BN(W·s))                              two streams of spikes, `expand` times as wide as C
             y = scan(BN(K ∗ x))                            K: 3×3 over the patches, for each channel by itself
             block(m) = BN(W'·(y ⊙ z))                      spikes y of the scan, let through by the spikes z

The scan (`spiking_scan.py`) is selective: what it remembers, takes in and reads out are linear functions of spikes. It
runs over the patches of a frame in their order and, a second time, in the opposite one, and its states go on from frame
to frame: a patch sees all of its frame and of the frames before, and nothing that is still to come, so that events are
answered frame by frame as they arrive (`frame_scan.py`). With selective = false its parameters are constants, it
runs along time alone, and its state is the current of a leaky integrator.

Model card. The name and the place, the encoder of events in a network for events and skeletons, are published; its
layers are not. This design is ours, as is everything about it: it claims no published number. What is wanted of it is
that every layer of weights is reached by spikes and that what is added up, the membrane, stays inside neurons.

    input            zeros and ones for each pixel and polarity: whether there was an event in this frame
    beyond a chip    of the selective scan softplus and exp, the products of two signals Δ·x, b ⊗ x, ⟨c, h⟩ and e·h,
                     as products of matrices where it is deployed: Host nodes and a delayed state in the graph, with a
                     fifth of the operations at the default sizes. Its result is real, and is a current of the next
                     neurons. y ⊙ z is a product of spikes, a coincidence.
    on a chip        everything else; with selective = false all that is before the last linear map, where the product
                     of spikes is a neuron without memory and each head of the scan a population with a decay of its
                     own: in Lava's processes. Netx files, with one source for each layer, take half of it at the
                     default sizes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import log2
from typing import final

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .firing import Firing, FiringConfig
from .folding import PerStep
from .input_kinds import InputKind
from .neurons import LIF
from .spiking_scan import RATE, Invariant, Selective, batch_norm


@dataclass(frozen=True)
class SpikingMambaConfig(FiringConfig):
    """What can be chosen.

    Args:
        classes: how many there are to tell apart.
        inputs: channels of the events, one for each polarity.
        size: height and width of the events.
        patch: height and width of a patch, a power of two.
        width: C, channels of the residual stream.
        depth: blocks.
        heads: heads of the scan in each direction.
        state: S, numbers that a head remembers for each of its channels.
        expand: width of a block's inner streams, in multiples of C.
        selective: whether decay, input and read-out of the scan depend on the spikes; without, they are constants and
            the scan is the current of a neuron.
    """

    classes: int = 10
    inputs: int = 2
    size: int = 32
    patch: int = 8
    width: int = 48
    depth: int = 2
    heads: int = 4
    state: int = 8
    expand: int = 2
    selective: bool = True

    def __post_init__(self) -> None:
        widths = (self.classes, self.inputs, self.width, self.depth, self.heads, self.state, self.expand)
        if not all(1 <= each <= 4096 for each in widths):
            raise UsageError("spiking_mamba", f"widths {widths}", "1 to 4096 of each")
        if self.patch < 2 or self.patch & (self.patch - 1) or self.size < self.patch or self.size % self.patch:
            raise UsageError(
                "spiking_mamba", f"patches of {self.patch} in {self.size}", "a power of two that divides the size"
            )
        if self.width * self.expand % self.heads or self.width % (self.patch // 2):
            raise UsageError(
                "spiking_mamba",
                f"width {self.width}, {self.heads} heads, patches of {self.patch}",
                "a width that half a patch divides, and expand · width that the heads divide",
            )
        self.firing()

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """The events."""
        return {"events": InputKind((self.inputs, self.size, self.size), "spikes")}


def _normed(layer: nn.Conv2d, spread: float = 1.0) -> nn.Sequential:
    """A convolution of spikes, whose weights make its sums vary by about 1, and its batch norm."""
    nn.init.normal_(layer.weight, std=(RATE * layer.weight[0].numel()) ** -0.5)
    return nn.Sequential(PerStep(layer), PerStep(batch_norm(layer.out_channels, spread)))


def _stem(config: SpikingMambaConfig) -> nn.Sequential:
    """3×3 convolutions of stride 2, each twice as wide as the one before; the last one's neurons are the block's."""
    stages, firing = int(log2(config.patch)), config.firing()
    widths = [config.inputs, *(config.width >> (stages - 1 - stage) for stage in range(stages))]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [_normed(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), firing.drive), firing.layer()]
    return nn.Sequential(*layers[:-1])


@final
class SpikingMamba(nn.Module):
    """The network of this file; time first, [T, B, inputs, size, size] → [T, B, classes]."""

    def __init__(self, config: SpikingMambaConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = _stem(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.fire = config.firing().layer()
        self.classify = nn.Linear(config.width, config.classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def tokens(self, events: Tensor) -> Tensor:
        """Spikes of the patches [T, B, N, C], N in raster order."""
        return _by_patch(self.fire(self._sums(events)))

    def membranes(self, events: Tensor) -> Tensor:
        """What the patches' neurons add up [T, B, N, C]."""
        return _by_patch(self._sums(events))

    def _sums(self, events: Tensor) -> Tensor:
        """The same as images [T, B, C, h, w], the shape that the convolutions before the neurons have on a chip."""
        membrane: Tensor = self.stem(events)
        for block in self.blocks:
            membrane = membrane + block(membrane)
        return membrane

    def forward(self, events: Tensor) -> Tensor:
        """Runs events [T, B, inputs, size, size]; gives logits [T, B, classes]."""
        logits: Tensor = self.classify(self.tokens(events).mean(2))
        return logits


def _by_patch(x: Tensor) -> Tensor:
    """[T, B, C, h, w] → [T, B, h·w, C]."""
    return x.flatten(3).transpose(2, 3)


@final
class Block(nn.Module):
    """One block of the network: from membranes [T, B, C, h, w] to what is added to them."""

    def __init__(self, config: SpikingMambaConfig) -> None:
        super().__init__()
        inner, firing = config.expand * config.width, config.firing()
        self.inner, self.fire = inner, firing.layer()
        self.project = _normed(nn.Conv2d(config.width, 2 * inner, 1, bias=False), firing.drive)
        self.fire_streams = firing.layer()
        self.local = _normed(nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False), firing.drive)
        self.scan = _scan(config, inner)
        self.gate = Coincidence(firing) if firing.spikes and not config.selective else Product()
        self.merge = _normed(nn.Conv2d(inner, config.width, 1, bias=False))

    def forward(self, membrane: Tensor) -> Tensor:
        """Runs membranes [T, B, C, h, w]."""
        x, z = self.fire_streams(self.project(self.fire(membrane))).split(self.inner, dim=2)
        branch: Tensor = self.merge(self.gate(self.scan(self.local(x)), z))
        return branch


def _scan(config: SpikingMambaConfig, width: int) -> nn.Module:
    firing, patches = config.firing(), (config.size // config.patch) ** 2
    if config.selective:
        return Selective(width, config.heads, config.state, patches, firing)
    return Invariant(width, config.heads, firing)


@final
class Product(nn.Module):
    """a·b."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Runs two of one shape."""
        return a * b


@final
class Coincidence(nn.Module):
    """a·b of spikes as a chip has it: a neuron without memory that fires where a + b ≥ 1½."""

    def __init__(self, firing: Firing) -> None:
        super().__init__()
        self.fire = LIF(0.0, threshold=1.5, inclusive=True, surrogate=Surrogate(firing.surrogate, firing.slope))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Runs two of one shape."""
        spikes: Tensor = self.fire(a + b)
        return spikes


def build(config: SpikingMambaConfig, seed: int) -> SpikingMamba:
    """The network with weights drawn by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SpikingMamba(config)
