"""Spiking Mamba: events, a residual stream of membranes, and a selective scan that spikes drive.

    events [T, B, polarities, H, W], zeros and ones
      ► stem: 3×3 convolutions of stride 2 with batch norm, LIF between them ► m, a membrane for each patch
      ► depth × m ← m + block(LIF(m)) ► tokens = LIF(m), spikes [T, B, N, C]
      ► mean over the patches, linear map ► logits [T, B, classes]; the answer is their mean over time

    block    x, z = LIF(BN(W·s))                           two streams of spikes, as wide as `expand` × C
             u = LIF(BN(K ∗ x))                            depth-wise 3×3 over the patches
             Δ, b, c = linear maps of the spikes u         selection, for each direction
             y = Σ over directions scan(Δ·u, −softplus(Δ)·exp(A), b, c) + d·u
             out = BN(W'·(LIF(BN(y)) ⊙ z))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from .firing import Firing
from .folding import PerStep
from .frame_scan import scan_frames
from .input_kinds import InputKind


@dataclass(frozen=True)
class SpikingMambaConfig:
    """What can be chosen.

    Args:
        classes: how many there are to tell apart.
        polarities: channels of the events.
        size: height and width of the events.
        patch: height and width of a patch, a power of two.
        width: C, channels of the residual stream.
        depth: blocks.
        heads: heads of the scan in each direction.
        state: S, numbers that a head remembers for each of its channels.
        expand: width of a block's inner streams, in multiples of C.
        selective: whether decay, input and read-out of the scan depend on the spikes; without, they are constants and
            the scan is the current of a neuron.
        neurons: lif, or relu for the twin without spikes.
        tau: τ of the neurons, in steps.
        threshold: θ of the neurons.
        surrogate: what stands for the derivative of a spike.
        slope: its slope.
    """

    classes: int = 10
    polarities: int = 2
    size: int = 32
    patch: int = 4
    width: int = 32
    depth: int = 2
    heads: int = 4
    state: int = 8
    expand: int = 2
    selective: bool = True
    neurons: str = "lif"
    tau: float = 2.0
    threshold: float = 1.0
    surrogate: str = "sigmoid"
    slope: float = 4.0

    def __post_init__(self) -> None:
        widths = (self.classes, self.polarities, self.width, self.depth, self.heads, self.state, self.expand)
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
    def inputs(self) -> Mapping[str, InputKind]:
        """The events."""
        return {"events": InputKind((self.polarities, self.size, self.size), "spikes")}

    def firing(self) -> Firing:
        """What fires."""
        return Firing(self.neurons, self.tau, self.threshold, self.surrogate, self.slope)


def _normed(layer: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(PerStep(layer), PerStep(nn.BatchNorm2d(layer.out_channels)))


def _stem(config: SpikingMambaConfig) -> nn.Sequential:
    """3×3 convolutions of stride 2, each twice as wide as the one before; the last one's neurons are the block's."""
    stages = int(log2(config.patch))
    widths = [config.polarities, *(config.width >> (stages - 1 - i) for i in range(stages))]
    layers: list[nn.Module] = []
    for before, after in zip(widths, widths[1:], strict=False):
        layers += [_normed(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False)), config.firing().layer()]
    return nn.Sequential(*layers[:-1])


class SpikingMamba(nn.Module):
    """The network of this file; time first, [T, B, polarities, size, size] → [T, B, classes]."""

    def __init__(self, config: SpikingMambaConfig) -> None:
        super().__init__()
        self.config = config
        self.stem = _stem(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.fire = config.firing().layer()
        self.classify = nn.Linear(config.width, config.classes)
        self.to(memory_format=torch.channels_last)

    def tokens(self, events: Tensor) -> Tensor:
        """Spikes of the patches [T, B, N, C], N in raster order."""
        membrane: Tensor = self.stem(events)
        for block in self.blocks:
            membrane = membrane + block(membrane)
        spikes: Tensor = self.fire(membrane)
        return spikes.flatten(3).transpose(2, 3)

    def forward(self, events: Tensor) -> Tensor:
        """Runs events [T, B, polarities, size, size]; gives logits [T, B, classes]."""
        logits: Tensor = self.classify(self.tokens(events).mean(2))
        return logits


class Block(nn.Module):
    """One block of the network: from membranes [T, B, C, h, w] to what is added to them."""

    def __init__(self, config: SpikingMambaConfig) -> None:
        super().__init__()
        inner = config.expand * config.width
        self.inner, self.fire = inner, config.firing().layer()
        self.project = _normed(nn.Conv2d(config.width, 2 * inner, 1, bias=False))
        self.fire_streams = config.firing().layer()
        self.local = _normed(nn.Conv2d(inner, inner, 3, padding=1, groups=inner, bias=False))
        self.fire_local = config.firing().layer()
        self.scan = SelectiveScan(inner, config.heads, config.state)
        self.norm = PerStep(nn.BatchNorm2d(inner))
        self.fire_scanned = config.firing().layer()
        self.merge = _normed(nn.Conv2d(inner, config.width, 1, bias=False))

    def forward(self, membrane: Tensor) -> Tensor:
        """Runs membranes [T, B, C, h, w]."""
        x, z = self.fire_streams(self.project(self.fire(membrane))).split(self.inner, dim=2)
        scanned = self.scan(self.fire_local(self.local(x)))
        branch: Tensor = self.merge(self.fire_scanned(self.norm(scanned)) * z)
        return branch


class SelectiveScan(nn.Module):
    """The scan over the patches of all frames in both directions, its decay, input and read-out made of the spikes.

    Args:
        width: channels.
        heads: heads in each direction.
        state: numbers that a head remembers for each of its channels.
    """

    def __init__(self, width: int, heads: int, state: int) -> None:
        super().__init__()
        self.heads, self.state = heads, state
        self.select = PerStep(nn.Conv2d(width, 2 * (heads + 2 * state), 1))
        self.log_rate = nn.Parameter(torch.zeros(2, heads))
        self.skip = nn.Parameter(torch.ones(heads, 1))

    def forward(self, u: Tensor) -> Tensor:
        """Runs spikes [T, B, C, h, w]; gives real values of the same shape."""
        chosen = self.select(u).flatten(3).transpose(2, 3).unflatten(3, (2, -1))
        step, keys, queries = chosen.split((self.heads, self.state, self.state), dim=-1)
        x = u.flatten(3).transpose(2, 3).unflatten(3, (self.heads, -1))
        step = nn.functional.softplus(step)
        y = scan_frames(x, step, -self.log_rate.exp(), keys, queries) + self.skip * x
        return y.flatten(3).transpose(2, 3).unflatten(3, u.shape[3:])


def build(config: SpikingMambaConfig, seed: int) -> SpikingMamba:
    """The network with weights drawn by `seed`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SpikingMamba(config)
