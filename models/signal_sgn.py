"""Signal-SGN: a spiking network for skeletons that looks at joints as a graph, and as a signal with frequencies.

    skeleton [T, B, 3, V, M] ► batch norm of every coordinate of every joint ► x and x[t] − x[t−1], 6 channels
      ► h = BN(W_0·x + (W_1·x)·A_1 + (W_2·x)·A_2)                     A_i: matrices between the joints of one person
      ► a block for each of `channels` ► s = LIF(h), the tokens
      ► W·(mean of s over joints and persons + α·wave(s)) + b = y [T, B, classes], to be averaged over time

    a block    s = LIF(h);  h ← (h, or BN(W·s) where the channels change) + graph(s)
               s = LIF(h);  h ← h + attention(s) + frequency(s)
    graph      BN(W_0·s + (W_1·s)·A_1 + (W_2·s)·A_2)
    attention  q, k, v = LIF(BN(W·s));  BN(W_o·LIF(BN(Σ_heads q·(kᵀ·v))))
    frequency  z = LIF(BN(K∗s));  r, i = LIF(BN(F·w·(W·z)));  BN(Re F⁻¹·(U·(r + i·j)))        W and U complex
    wave       leaky integrators of several speeds and their differences, each looking at another: see `Wave`

Published (`published=True`, in `published_sgn.py`): the network of arXiv 2408.01701 as its authors' code computes it,
with their state dictionary, strictly: the same function in eval and in training, the same parameters and operations.
No weights are published, and no accuracy is claimed here. What that code does beside its paper, and this does as well:

- The imaginary part of its complex product is its real part once more (`product`), through the same neurons, which go
  on from the last step of the clip: nothing of it can be computed step by step, and no graph can be traced from it.
- The matrices between joints start as three identities, not as the skeleton (`graph`); the batch norm behind them
  starts with a weight of 1e-6. So the graph is silent at first.
- Frequencies are added to joints as if they were joints. The wavelets, over all steps at once, take arrays with their
  last axes exchanged, which mixes joints with steps and channels.
- Its wavelet filters were found by Gram-Schmidt without care and are not orthogonal, 0.3 off: a checkpoint brings them
  along; a new network gets exact ones.
- Each coordinate is stretched from 0 to 1 over the joints of every frame, which hides where a person is, and how far.
- Strides that are given and ignored, neurons that are never called, and a matrix (`talking_heads`) that is never used,
  which stays, since checkpoints hold it.

Ours (the default), with a state dictionary of its own: the same parts, with a true complex product and the way back
from frequencies to joints; membranes h instead of spikes are added up, so every layer of weights but the first, and the
last, sees 0 and 1; bones in A_i from the start; the attention is between all joints of both persons; positions and
their changes instead of stretched coordinates; wavelets that look back only. Neurons divide their input by τ, reset to
0 and have sigmoid surrogates of slope 4, as published. Its parts can be left out one by one.

Input: metres, an absent person all zeros; such a person takes part in the means, as published.

What a chip cannot do, or not on spikes, in ours, with its share of all pairs of an input and a weight: the first graph
sees real coordinates (0.3 %); q·(kᵀ·v) (1.8 %), k ⊙ v and what is gated in `Wave` (0.01 %) are products of two signals,
of spikes with spikes or with their sums; the head sees means of spikes (0.02 %). F, F⁻¹ and A_i are constant matrices
behind the maps W, which see spikes: a chip does both as one set of weights, of which
`spikeport parts signal_sgn --host` says what a netx file holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from .firing import FiringConfig
from .input_kinds import InputKind
from .joints import PARENTS, links
from .published_sgn import PublishedSignalSgn
from .signal_sgn_parts import LIVELY, Attention, ComplexMap, Frequency, GraphMap, Wave, linear, mapped
from .stateful import Change
from .weights import draw, settle

PRODUCTS = ("complex", "repeated")
GRAPHS = ("bones", "identity")
SPREAD = 0.02
"""Of what joints without a bone between them tell each other at first."""


@dataclass(frozen=True)
class SignalSgnConfig(FiringConfig):
    """What can be chosen.

    Args:
        classes: actions.
        joints: V, 25 (NTU RGB+D) or 20 (NW-UCLA).
        persons: M.
        channels: of the blocks.
        heads: of the attention.
        wave_width: channels of each band of the wavelets.
        levels: J of the wavelets.
        dropout: of the wavelets' part, while training.
        motion: whether the network sees changes beside positions.
        attention: whether the blocks have it.
        frequency: whether the blocks have it.
        wave: whether the answer takes wavelets beside the mean.
        published: the published network, quirks and all, in the authors' layout.
        product: complex, or repeated, the published slip; empty for the network's own.
        graph: bones, or identity, the published start; empty for the network's own.
    """

    classes: int = 60
    joints: int = 25
    persons: int = 2
    channels: tuple[int, ...] = (64, 64, 128, 256)
    heads: int = 8
    wave_width: int = 16
    levels: int = 3
    dropout: float = 0.3
    motion: bool = True
    attention: bool = True
    frequency: bool = True
    wave: bool = True
    published: bool = False
    product: str = ""
    graph: str = ""

    def __post_init__(self) -> None:
        counts = (self.classes, self.persons, self.heads, self.wave_width, *self.channels)
        if not all(1 <= count <= 4096 for count in counts) or any(width % self.heads for width in self.channels):
            found = f"channels {self.channels} in {self.heads} heads; {counts[:4]}"
            raise UsageError("signal_sgn", found, "1 to 4096 of everything, and channels that the heads divide")
        if self.joints not in PARENTS:
            raise UsageError("signal_sgn", f"{self.joints} joints", f"one of {', '.join(map(str, PARENTS))}")
        if not self.channels or not 1 <= self.levels <= 8 or not 0 <= self.dropout < 1:
            found = f"{len(self.channels)} blocks, {self.levels} levels, dropout {self.dropout}"
            raise UsageError("signal_sgn", found, "at least one block, 1 to 8 levels, a dropout from 0 to below 1")
        if self.product not in ("", *PRODUCTS) or self.graph not in ("", *GRAPHS):
            found = f"product {self.product!r}, graph {self.graph!r}"
            raise UsageError("signal_sgn", found, f"one of {', '.join(PRODUCTS)}, and one of {', '.join(GRAPHS)}")
        self.firing()
        if self.published:
            self._check_published()

    def _check_published(self) -> None:
        if len(self.channels) != 4 or self.channels[-1] % 16:
            raise UsageError("signal_sgn as published", f"channels {self.channels}", "four, the last a multiple of 16")
        if not (self.attention and self.frequency and self.wave):
            raise UsageError("signal_sgn as published", "a part left out", "attention, frequency and wave")

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """Its one input."""
        return {"skeleton": InputKind((3, self.joints, self.persons))}

    @property
    def repeats(self) -> bool:
        """Whether the real part of complex products stands in for the imaginary one."""
        return self.product == "repeated" or (self.published and not self.product)

    @property
    def bones(self) -> bool:
        """Whether the matrices between joints start from the skeleton."""
        return self.graph == "bones" or not (self.published or self.graph)

    def links(self) -> Tensor:
        """What the matrices between joints start from: 1, from the parents, and to the parents [3, V, V]."""
        return links(PARENTS[self.joints]) if self.bones else torch.eye(self.joints).repeat(3, 1, 1)


class Block(nn.Module):
    """s = LIF(h); h ← (h or BN(W·s)) + graph(s); s = LIF(h); h ← h + attention(s) + frequency(s): [T, B, C, M·V].

    Args:
        inputs: channels in.
        outputs: channels out.
        config: the rest.
    """

    def __init__(self, inputs: int, outputs: int, config: SignalSgnConfig) -> None:
        super().__init__()
        fires = config.firing().layer
        self.enters, self.graph = fires(), GraphMap(inputs, outputs, config.links())
        self.short, self.short_norm = None, None
        if inputs != outputs:
            self.short, self.short_norm = linear(inputs, outputs), nn.BatchNorm1d(outputs)
        parts: list[nn.Module] = [Attention(outputs, config.heads, fires)] if config.attention else []
        if config.frequency:
            parts.append(Frequency(outputs, config.joints, fires, config.repeats))
        self.parts = nn.ModuleList(parts)
        self.passes = fires() if parts else None

    def forward(self, h: Tensor) -> Tensor:
        """Runs membranes h [T, B, inputs, M·V]."""
        s = self.enters(h)
        kept = h if self.short is None or self.short_norm is None else mapped(s, self.short, self.short_norm)
        h = kept + mapped(s, self.graph)
        if self.passes is not None:
            s = self.passes(h)
        for part in self.parts:
            h = h + part(s)
        return h


class SignalSgn(nn.Module):
    """Our network of this file; time first, [T, B, 3, V, M] → [T, B, classes]."""

    def __init__(self, config: SignalSgnConfig) -> None:
        super().__init__()
        if config.published:
            raise UsageError("signal_sgn", "published=True", "false for this module", "use build(config, seed)")
        self.joints, self.persons = config.joints, config.persons
        first, *_ = config.channels
        self.data_norm = nn.BatchNorm1d(3 * config.joints * config.persons)
        self.change = Change() if config.motion else None
        self.embed = GraphMap(6 if config.motion else 3, first, config.links())
        nn.init.constant_(self.embed.norm.weight, LIVELY)
        pairs = zip((first, *config.channels), config.channels, strict=False)
        self.blocks = nn.ModuleList(Block(before, after, config) for before, after in pairs)
        fires = config.firing().layer
        self.sends = fires()
        last = config.channels[-1]
        self.wave = Wave(last, config.wave_width, config.levels, fires) if config.wave else None
        self.alpha = nn.Parameter(torch.tensor(0.42)) if config.wave else None
        self.dropout = nn.Dropout(config.dropout)
        self.classify_map = nn.Linear(last, config.classes)

    def forward(self, skeleton: Tensor) -> Tensor:
        """Runs skeletons [T, B, 3, V, M]; gives logits of every step [T, B, classes]."""
        return self.classify(self.features(skeleton))

    def tokens(self, skeleton: Tensor) -> Tensor:
        """A token for each joint of each person, person by person [T, B, M·V, channels]: spikes, 0 or 1."""
        return self.features(skeleton).transpose(2, 3)

    def membranes(self, skeleton: Tensor) -> Tensor:
        """What the tokens' neurons add up [T, B, M·V, channels]: h behind the last block."""
        return self.summed(skeleton).transpose(2, 3)

    def features(self, skeleton: Tensor) -> Tensor:
        """The spikes of the last block [T, B, channels, M·V]."""
        spikes: Tensor = self.sends(self.summed(skeleton))
        return spikes

    def summed(self, skeleton: Tensor) -> Tensor:
        """h behind the last block [T, B, channels, M·V]."""
        x = skeleton.transpose(3, 4).flatten(2)
        x = torch.unflatten(mapped(x, self.data_norm), 2, (3, self.persons * self.joints))
        if self.change is not None:
            x = torch.cat([x, self.change(x)], 2)
        h = mapped(x, self.embed)
        for block in self.blocks:
            h = block(h)
        return h

    def classify(self, spikes: Tensor) -> Tensor:
        """Logits of every step [T, B, classes] of spikes [T, B, channels, M·V]."""
        pooled = spikes.mean(-1)
        if self.wave is not None and self.alpha is not None:
            pooled = pooled + self.alpha * self.dropout(self.wave(spikes))
        logits: Tensor = self.classify_map(pooled)
        return logits


def build(config: SignalSgnConfig, seed: int) -> SignalSgn | PublishedSignalSgn:
    """The network with weights drawn by `seed`; batch norms of ours have the statistics of noise."""
    if config.published:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return PublishedSignalSgn(config)
    network, source = SignalSgn(config), torch.Generator().manual_seed(seed)
    for part in network.modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | nn.Linear):
            draw(part.weight, math.prod(part.weight.shape[1:]) ** -0.5, source)
        if isinstance(part, GraphMap):
            with torch.no_grad():
                part.links.add_(torch.randn(part.links.shape, generator=source), alpha=SPREAD)
        if isinstance(part, ComplexMap):
            for weight in (part.real, part.imaginary):
                draw(weight, len(weight) ** -0.5, source)
    nn.init.zeros_(network.classify_map.bias)
    settle(network, torch.randn(8, 4, *config.takes["skeleton"].shape, generator=source))
    return network
