"""S3T-Former: a spiking transformer for skeletons with a state space in place of attention over time.

    skeleton [T, B, 3, V, M] ► batch norm of every coordinate of every joint ► N = M·V places with 3 channels
      ► joint x | bone x[v] − x[parent] | motion x[t] − x[t−1], each a linear map and batch norm ► LIF
      ► `depth` blocks ► mean over joints and persons ► batch norm ► linear map = y [T, B, classes]

    a block    x ← x + attention(x);  x ← x + perceptron(x)
    attention  m[t] = α·|x[t] − x[t−1]| + (1 − α)·x[t]             α for each channel; no change in the first step
               q, k = LIF(BN(W_q·m)), LIF(BN(W_k·m));  v = LIF(BN(W_v·x))
               c = LIF_½(A_h·(k ⊙ v))                             A_h = softmax(A + L_h / 2) over joints, for head h
               S[t] = λ·S[t−1] + (1 − λ)·c[t]                     λ = min(max(σ(w), 0.01), 0.99)
               LIF_½(BN(W_o·(q ⊙ S) + b_o))
    perceptron LIF(BN(W_2·LIF(BN(W_1·x + b_1)) + b_2))

Published: the architecture (arXiv 2603.18062) and its authors' code. State dictionaries of that code are taken as they
are. Its logits are the membranes of integrators that never fire, after the last step: the sum of y over time, which is
this network's readout; `membranes` gives those of every step, for a loss on each of them. Its neurons divide their
input by τ, reset to 0, and have sigmoid surrogates of slope 4. No accuracy is claimed here.

Ours: the persons stand beside the joints, as places, where the published code puts them into the batch; every number
is the same. `published` brings back two quirks of the published code: it takes the bones of 25 joints for skeletons of
20, as far as they have these joints, which gives most of them no bone or a wrong one; and it starts with a mean over
all joints, behind which LIF_½ is silent, and with it the attention. Ours starts with A_h near 1 and keys and values
that fire, and every layer fires from the first batch.

Input: metres, an absent person all zeros; such a person takes part in the mean, as published.

What a chip cannot do, with its share of all pairs of an input and a weight: the products k ⊙ v, q ⊙ S and those that
make the first change 0 (0.1 %), |x[t] − x[t−1]|, the head (0.01 %), and A_h as one matrix of all joints and channels
(0.8 %). Its softmax is over weights alone, a constant of the graph. What a chip does on more than spikes: W_q and W_k
(16.5 %), W_o (8.3 %) and the embedding (0.02 %) see real values; x + … makes whole numbers of spikes, which W_1 (33 %)
and all W_v but the first (6.9 %) see. W_2 (33 %) sees spikes. `spikeport parts s3t_former --host` counts it.
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
from .joints import PARENTS, bone_map, mean_topology
from .stateful import Change, MovingAverage
from .weights import draw, settle

LEAST_KEPT, MOST_KEPT = 0.01, 0.99
"""Between which λ lies."""


@dataclass(frozen=True)
class S3tFormerConfig(FiringConfig):
    """What can be chosen.

    Args:
        classes: actions.
        joints: V, 25 or 20.
        persons: M.
        width: channels.
        depth: blocks.
        heads: of the attention; each has its own way between joints.
        mlp_ratio: channels of a perceptron, times the width.
        dropout: before the last linear map, while training.
        published: the published code's bones and start.
        attention_threshold: θ of LIF_½.
    """

    classes: int = 60
    joints: int = 25
    persons: int = 2
    width: int = 256
    depth: int = 6
    heads: int = 8
    mlp_ratio: int = 4
    dropout: float = 0.25
    published: bool = False
    attention_threshold: float = 0.5

    def __post_init__(self) -> None:
        counts = (self.classes, self.persons, self.width, self.depth, self.heads, self.mlp_ratio)
        if not all(1 <= count <= 4096 for count in counts) or self.width < 3 or self.width % self.heads:
            found = f"{self.width} channels in {self.heads} heads; {counts}"
            raise UsageError("s3t_former", found, "1 to 4096 of everything, and channels that the heads divide")
        if self.joints not in PARENTS:
            raise UsageError("s3t_former", f"{self.joints} joints", f"one of {', '.join(map(str, PARENTS))}")
        if not 0 <= self.dropout < 1 or not self.attention_threshold > 0:
            found = f"dropout {self.dropout}, attention_threshold {self.attention_threshold}"
            raise UsageError("s3t_former", found, "a dropout from 0 to below 1, a threshold above 0")
        self.firing()

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """Its one input."""
        return {"skeleton": InputKind((3, self.joints, self.persons))}


class Embedding(nn.Module):
    """Joints, bones and motion [T, B, 3, M, V] as channels of places [T·B, width, M·V], a third of them each."""

    bones: Tensor

    def __init__(self, config: S3tFormerConfig) -> None:
        super().__init__()
        third = config.width // 3
        self.joint_conv = _embed(third)
        self.bone_conv = _embed(third)
        self.motion_conv = _embed(config.width - 2 * third)
        self.change = Change()
        parents = PARENTS[config.joints]
        if config.published:
            wide = enumerate(PARENTS[25][: config.joints])
            parents = tuple(parent if parent < config.joints else joint for joint, parent in wide)
        self.register_buffer("bones", bone_map(parents), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Each of the three through its own map."""
        streams = ((self.joint_conv, x), (self.bone_conv, x @ self.bones), (self.motion_conv, self.change(x)))
        return torch.cat([embed(stream.flatten(-2).flatten(0, 1)) for embed, stream in streams], 1)


def _embed(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(3, channels, 1, bias=False), nn.BatchNorm1d(channels))


class Attention(nn.Module):
    """The attention of this file, [T, B, width, M·V] → the same, without the sum with x."""

    base_topology: Tensor

    def __init__(self, config: S3tFormerConfig) -> None:
        super().__init__()
        width, heads, joints = config.width, config.heads, config.joints
        firing = config.firing()
        self.shape = (heads, width // heads, config.persons, joints)
        self.alpha_grad = nn.Parameter(torch.full((width,), 0.8))
        self.learned_topology = nn.Parameter(torch.zeros(1, heads, joints, joints))
        self.state_decay_w = nn.Parameter(torch.full((1, 1, heads, 1, width // heads), -2.0))
        self.register_buffer("base_topology", mean_topology(PARENTS[joints]))
        self.v_conv, self.v_bn, self.v_lif = _linear(width, width, bias=False), nn.BatchNorm1d(width), firing.layer()
        self.q_conv, self.k_conv = _linear(width, width, bias=False), _linear(width, width, bias=False)
        self.q_bn, self.k_bn = nn.BatchNorm1d(width), nn.BatchNorm1d(width)
        self.q_lif, self.k_lif = firing.layer(), firing.layer()
        self.topo_buffer_lif = firing.layer(config.attention_threshold)
        self.out_lif = firing.layer(config.attention_threshold)
        self.proj_conv, self.proj_bn = _linear(width, width), nn.BatchNorm1d(width)
        self.change, self.state = Change(), MovingAverage()

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, width, M·V]."""
        alpha = self.alpha_grad[:, None]
        mixed = alpha * self.change(x).abs() + (1 - alpha) * x
        q = self.q_lif(_mapped(mixed, self.q_conv, self.q_bn))
        k = self.k_lif(_mapped(mixed, self.k_conv, self.k_bn))
        v = self.v_lif(_mapped(x, self.v_conv, self.v_bn))
        heads = torch.unflatten(torch.unflatten(k * v, 3, self.shape[2:]), 2, self.shape[:2])
        routed = torch.einsum("tbhdmj,hij->tbhdmi", heads, self.topology())
        kept = self.topo_buffer_lif(routed.flatten(4, 5).flatten(2, 3))
        spikes: Tensor = self.out_lif(_mapped(q * self.state(kept, self.decay()), self.proj_conv, self.proj_bn))
        return spikes

    def topology(self) -> Tensor:
        """A_h [heads, V, V]."""
        return torch.softmax(self.base_topology + 0.5 * self.learned_topology[0], -1)

    def decay(self) -> Tensor:
        """λ [width, 1], for each channel."""
        return torch.sigmoid(self.state_decay_w).clamp(LEAST_KEPT, MOST_KEPT).reshape(-1, 1)


class Perceptron(nn.Module):
    """The perceptron of this file, [T, B, width, M·V] → the same, without the sum with x."""

    def __init__(self, config: S3tFormerConfig) -> None:
        super().__init__()
        hidden, firing = config.width * config.mlp_ratio, config.firing()
        self.fc1, self.bn1, self.lif1 = _linear(config.width, hidden), nn.BatchNorm1d(hidden), firing.layer()
        self.fc2, self.bn2, self.lif2 = _linear(hidden, config.width), nn.BatchNorm1d(config.width), firing.layer()

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, width, M·V]."""
        hidden = self.lif1(_mapped(x, self.fc1, self.bn1))
        spikes: Tensor = self.lif2(_mapped(hidden, self.fc2, self.bn2))
        return spikes


def _linear(inputs: int, outputs: int, bias: bool = True) -> nn.Conv1d:
    """A linear map of channels, alike at every place."""
    return nn.Conv1d(inputs, outputs, 1, bias=bias)


def _mapped(x: Tensor, linear: nn.Module, norm: nn.Module) -> Tensor:
    """BN(W·x + b) of x [T, B, channels, places], all steps at once."""
    folded: Tensor = norm(linear(x.flatten(0, 1)))
    return torch.unflatten(folded, 0, x.shape[:2])


class Block(nn.Module):
    """x + attention, then x + perceptron."""

    def __init__(self, config: S3tFormerConfig) -> None:
        super().__init__()
        self.attn = Attention(config)
        self.mlp = Perceptron(config)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, B, width, M·V]."""
        x = x + self.attn(x)
        summed: Tensor = x + self.mlp(x)
        return summed


class S3tFormer(nn.Module):
    """The network of this file; time first, [T, B, 3, V, M] → [T, B, classes], to be summed over time."""

    def __init__(self, config: S3tFormerConfig) -> None:
        super().__init__()
        self.persons, self.joints = config.persons, config.joints
        self.data_bn = nn.BatchNorm1d(config.persons * config.joints * 3)
        self.input_embed = Embedding(config)
        self.input_lif = config.firing().layer()
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.global_pool = nn.AdaptiveAvgPool1d(1)
        self.head_bn = nn.BatchNorm1d(config.width)
        self.head_dropout = nn.Dropout(config.dropout)
        self.head_fc = nn.Linear(config.width, config.classes)

    def forward(self, skeleton: Tensor) -> Tensor:
        """Runs skeletons [T, B, 3, V, M]; gives what each step adds to the logits [T, B, classes]."""
        return self.classify(self.features(skeleton))

    def membranes(self, skeleton: Tensor) -> Tensor:
        """The integrators of every step [T, B, classes]: the logits of what was seen so far."""
        return self.forward(skeleton).cumsum(0)

    def tokens(self, skeleton: Tensor) -> Tensor:
        """A token for each joint of each person [T, B, M·V, width], whole numbers from 0 to 1 + 2·depth."""
        return self.features(skeleton).transpose(2, 3)

    def features(self, skeleton: Tensor) -> Tensor:
        """What the blocks make of skeletons [T, B, width, M·V]."""
        lead, sides = skeleton.shape[:2], (self.persons, self.joints, 3)
        rows = skeleton.permute(0, 1, 4, 3, 2).flatten(2).flatten(0, 1)
        places = torch.unflatten(torch.unflatten(self.data_bn(rows), 0, lead), 2, sides).permute(0, 1, 4, 2, 3)
        x = self.input_lif(torch.unflatten(self.input_embed(places), 0, lead))
        for block in self.blocks:
            x = block(x)
        spikes: Tensor = x
        return spikes

    def classify(self, x: Tensor) -> Tensor:
        """The head on features [T, B, width, M·V]."""
        channels = torch.unflatten(x.flatten(0, 1), 2, (self.persons, self.joints)).flatten(1, 2)
        pooled = torch.unflatten(self.global_pool(channels).flatten(1), 1, (-1, self.persons)).mean(2)
        y: Tensor = self.head_fc(self.head_dropout(self.head_bn(pooled)))
        return torch.unflatten(y, 0, x.shape[:2])


def build(config: S3tFormerConfig, seed: int) -> S3tFormer:
    """The network with weights drawn by `seed`, its batch norms with the statistics of noise."""
    network, source = S3tFormer(config), torch.Generator().manual_seed(seed)
    for part in network.modules():
        if isinstance(part, nn.Conv1d):
            draw(part.weight, math.sqrt(2 / part.out_channels), source)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        if isinstance(part, Attention):
            draw(part.learned_topology, 0.02, source)
            if not config.published:
                _awake(part)
    draw(network.head_fc.weight, 0.02, source)
    nn.init.zeros_(network.head_fc.bias)
    settle(network, torch.randn(4, 2, *config.takes["skeleton"].shape, generator=source))
    return network


def _awake(attention: Attention) -> None:
    """Keys and values that fire more often than not, and a way between joints that begins at the joint itself."""
    with torch.no_grad():
        attention.learned_topology.add_(8 * torch.eye(attention.learned_topology.shape[-1]))
        for norm in (attention.k_bn, attention.v_bn):
            norm.bias.fill_(1.5)
