"""Events and skeletons together: two spiking backbones, what each has to say, and one answer.

    skeleton [T, B, 3, V, M] ► Signal-SGN     ► spikes of V·M joints  ► SSE ► DIB, stage one ► K ─┬──────────────┐
    events   [T, B, 2, H, W] ► Spiking Mamba  ► spikes of N patches   ► SSE ► DIB, stage one ► E ► SCM ► E'      │
      ► f = F(norm(W·[pool(E'), pool(K)])) ► DIB, stage two ► spikes ► linear map ► logits [T, B, classes]

The answer is the mean of the logits over time. SSE: `semantic_extractor.py`, DIB: `bottleneck.py`, SCM:
`cross_mamba.py`, pool: learned maps over the places of the tokens, which keep persons and limbs apart.

Model card. The outline is that of "SNN-Driven Multimodal Human Action Recognition via Sparse Spatial-Temporal Data
Fusion": a spiking graph network for skeletons, a spiking Mamba for events, hypergraphs and global spiking attention
within each, events on the state-space path and the skeleton on the selective one, and a bottleneck in two stages.
Its equations, sizes and weights are not published; those here are ours, and no published accuracy is claimed. Without a
checkpoint the weights are random.

What the switches leave out: `sse` the whole extractor (tokens pass as they are), `gsa` its attention alone, `scm` the
cross Mamba (E' = E: the streams meet in f alone), `dib_one` and `dib_two` the draws and the prices of a bottleneck,
whose layer stays, as an ordinary spiking one. `streams` leaves one modality out, with all that the other has and f, the
second stage and the linear map behind it: what the fusion has to be better than.

Beyond a chip, as Host nodes: in SSE, of each step, the products k·kᵀ, A·x, Aᵀ·m and two divisions of the hypergraph,
kᵀv and q·(kᵀv) of the attention; in SCM exp, softplus, the scan's products and y ⊙ z; and what the backbones' own cards
name. Real values travel inside these, into the layer behind them, and as the coordinates that come in; everything else
that one layer sends another are spikes, 0 or 1. The twin without spikes (`neurons` = relu) has rectifiers for neurons,
also in the bottlenecks, which then draw nothing and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from . import signal_sgn, spiking_mamba
from .bottleneck import Bottleneck, Price, unlike
from .cross_mamba import CrossMamba, CrossSizes
from .firing import Firing
from .input_kinds import InputKind
from .semantic_extractor import SemanticExtractor
from .signal_sgn import SignalSgnConfig
from .spiking_mamba import SpikingMambaConfig
from .tokens import SpikingMap, TokenPool
from .weights import settle

STREAMS: Mapping[str, tuple[str, ...]] = {
    "both": ("skeleton", "events"),
    "skeleton": ("skeleton",),
    "events": ("events",),
}
"""What a network of this file takes, by the name of `streams`."""


@dataclass(frozen=True)
class SpikingFusionConfig:
    """What can be chosen.

    Args:
        classes: how many there are to tell apart.
        joints: V, joints of a person: 25 or 20.
        persons: M.
        size: H and W of the events.
        streams: both, skeleton or events.
        sse: whether there are semantic extractors.
        gsa: whether they have their attention.
        scm: whether the streams meet in a cross Mamba.
        dib_one: whether each modality's bottleneck draws and charges.
        dib_two: whether the fusion's does, and is held against the prototypes.
        skeleton_channels: of the blocks of the skeleton's backbone; the last are those of its tokens.
        frequency: whether these blocks have their part in frequencies.
        event_width: channels of the events' tokens.
        patch: height and width of a patch of events.
        depth: blocks of the events' backbone.
        width: channels of attention and codes in SSE.
        cross: channels of SCM.
        heads: heads of SCM's scan.
        state: numbers that each remembers for each of its channels.
        maps: learned maps over the places of tokens.
        code: neurons of f and of the fusion's bottleneck.
        alpha: α, weight of the cosine between the fusion's rates and its class's prototype.
        lambda_one: λ₁, weight of the divergence of each modality's bottleneck.
        lambda_two: λ₂, that of the fusion's.
        prior: π, the rate that a bottleneck lets pass for nothing.
        neurons: lif, or relu for the twin without spikes.
        tau: τ of the neurons, in steps.
        threshold: θ of the neurons.
        surrogate: what stands for the derivative of a spike.
        slope: its slope.
    """

    classes: int = 16
    joints: int = 25
    persons: int = 2
    size: int = 32
    streams: str = "both"
    sse: bool = True
    gsa: bool = True
    scm: bool = True
    dib_one: bool = True
    dib_two: bool = True
    skeleton_channels: tuple[int, ...] = (32, 48)
    frequency: bool = True
    event_width: int = 48
    patch: int = 8
    depth: int = 1
    width: int = 16
    cross: int = 64
    heads: int = 4
    state: int = 8
    maps: int = 8
    code: int = 96
    alpha: float = 0.1
    lambda_one: float = 0.05
    lambda_two: float = 0.05
    prior: float = 0.1
    neurons: str = "lif"
    tau: float = 2.0
    threshold: float = 1.0
    surrogate: str = "sigmoid"
    slope: float = 4.0

    def __post_init__(self) -> None:
        if self.streams not in STREAMS:
            raise UsageError("spiking_fusion", f"streams {self.streams!r}", f"one of {', '.join(STREAMS)}")
        widths = (self.classes, self.persons, self.width, self.cross, self.heads, self.state, self.maps, self.code)
        if not all(1 <= each <= 4096 for each in widths):
            raise UsageError("spiking_fusion", f"widths {widths}", "1 to 4096 of each")
        if self.cross % self.heads:
            raise UsageError("spiking_fusion", f"cross {self.cross} for {self.heads} heads", "a multiple of the heads")
        if not self.alpha >= 0:
            raise UsageError("spiking_fusion", f"alpha {self.alpha}", "a weight ≥ 0")
        Price(self.lambda_one, self.prior)
        Price(self.lambda_two, self.prior)
        self.firing()

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """The skeleton's coordinates and the events, or one of them."""
        kinds = {
            "skeleton": InputKind((3, self.joints, self.persons)),
            "events": InputKind((2, self.size, self.size), "spikes"),
        }
        return {name: kinds[name] for name in STREAMS[self.streams]}

    def firing(self) -> Firing:
        """What fires."""
        return Firing(self.neurons, self.tau, self.threshold, self.surrogate, self.slope)

    def price(self, stage: int) -> Price | None:
        """What a bottleneck of stage one or two charges."""
        on, weight = (self.dib_one, self.lambda_one) if stage == 1 else (self.dib_two, self.lambda_two)
        return Price(weight, self.prior) if on else None


class Path(nn.Module):
    """One modality's backbone, semantic extractor and bottleneck.

    Args:
        backbone: what makes tokens of the modality's input.
        tokens: how many, and with how many channels.
        config: the network's config.
    """

    def __init__(self, backbone: nn.Module, tokens: tuple[int, int], config: SpikingFusionConfig) -> None:
        super().__init__()
        firing, (count, channels) = config.firing(), tokens
        self.backbone = backbone
        extractor = (
            SemanticExtractor(count, channels, config.width, config.gsa, firing) if config.sse else nn.Identity()
        )
        self.extractor = extractor
        self.bottleneck = Bottleneck(channels, firing, config.price(1))

    def forward(self, x: Tensor) -> Tensor:
        """Runs the modality's input [T, B, ...]; gives spikes [T, B, N, C]."""
        tokens: Tensor = self.backbone.tokens(x)  # type: ignore[operator]
        spikes: Tensor = self.bottleneck(self.extractor(tokens))
        return spikes

    def charges(self, name: str) -> dict[str, Tensor]:
        """What the first stage costs."""
        charged = self.bottleneck.charge()
        return {} if charged is None else {f"dib_{name}": charged}


class Answer(nn.Module):
    """f, the second bottleneck and the linear map behind it.

    Args:
        tokens: how many, and with how many channels, of each stream.
        config: the network's config.
    """

    def __init__(self, tokens: Iterable[tuple[int, int]], config: SpikingFusionConfig) -> None:
        super().__init__()
        tokens = tuple(tokens)
        firing, inputs = config.firing(), config.maps * sum(channels for _, channels in tokens)
        self.pools = nn.ModuleList(TokenPool(count, config.maps) for count, _ in tokens)
        self.fuse = SpikingMap(inputs, config.code, firing)
        self.bottleneck = Bottleneck(config.code, firing, config.price(2))
        self.classify = nn.Linear(config.code, config.classes)
        self.alpha = config.alpha
        self.rates: Tensor | None = None

    def forward(self, *tokens: Tensor) -> Tensor:
        """Runs spikes [T, B, N, C] of each stream; gives logits [T, B, classes]."""
        pooled = [pool(each) for pool, each in zip(self.pools, tokens, strict=True)]
        code = self.bottleneck(self.fuse(torch.cat(pooled, -1)))
        self.rates = code.mean(0) if self.training and self.bottleneck.price is not None else None
        logits: Tensor = self.classify(code)
        return logits

    def charges(self, labels: Tensor) -> dict[str, Tensor]:
        """What the second stage costs: the divergence, and the rates' distance from their class's prototype."""
        charged, rates = self.bottleneck.charge(), self.rates
        self.rates = None
        if charged is None or rates is None:
            return {}
        return {"dib_fusion": charged, "dib_cosine": self.alpha * unlike(rates, self.classify.weight[labels])}


class SpikingFusion(nn.Module):
    """Both streams; time first, skeletons [T, B, 3, V, M] and events [T, B, 2, H, W] → logits [T, B, classes]."""

    def __init__(self, config: SpikingFusionConfig, skeleton: nn.Module, events: nn.Module) -> None:
        super().__init__()
        joints, patches = _joints(config), _patches(config)
        self.skeleton, self.events = Path(skeleton, joints, config), Path(events, patches, config)
        sizes = CrossSizes(patches[1], joints[1], joints[0], config.maps, config.cross, config.heads, config.state)
        self.cross = CrossMamba(sizes, config.firing()) if config.scm else None
        self.answer = Answer((patches, joints), config)

    def forward(self, skeleton: Tensor, events: Tensor) -> Tensor:
        """Runs skeletons and events of the same steps."""
        joints, patches = self.skeleton(skeleton), self.events(events)
        met = patches if self.cross is None else self.cross(patches, joints)
        logits: Tensor = self.answer(met, joints)
        return logits

    def penalties(self, labels: Tensor) -> Mapping[str, Tensor]:
        """What both stages of the bottleneck cost."""
        return {**self.skeleton.charges("skeleton"), **self.events.charges("events"), **self.answer.charges(labels)}


class SpikingSkeleton(nn.Module):
    """The skeleton alone; time first, [T, B, 3, V, M] → logits [T, B, classes]."""

    def __init__(self, config: SpikingFusionConfig, skeleton: nn.Module) -> None:
        super().__init__()
        self.skeleton, self.answer = Path(skeleton, _joints(config), config), Answer((_joints(config),), config)

    def forward(self, skeleton: Tensor) -> Tensor:
        """Runs skeletons."""
        logits: Tensor = self.answer(self.skeleton(skeleton))
        return logits

    def penalties(self, labels: Tensor) -> Mapping[str, Tensor]:
        """What both stages of the bottleneck cost."""
        return {**self.skeleton.charges("skeleton"), **self.answer.charges(labels)}


class SpikingEvents(nn.Module):
    """The events alone; time first, [T, B, 2, H, W] → logits [T, B, classes]."""

    def __init__(self, config: SpikingFusionConfig, events: nn.Module) -> None:
        super().__init__()
        self.events, self.answer = Path(events, _patches(config), config), Answer((_patches(config),), config)

    def forward(self, events: Tensor) -> Tensor:
        """Runs events."""
        logits: Tensor = self.answer(self.events(events))
        return logits

    def penalties(self, labels: Tensor) -> Mapping[str, Tensor]:
        """What both stages of the bottleneck cost."""
        return {**self.events.charges("events"), **self.answer.charges(labels)}


def _joints(config: SpikingFusionConfig) -> tuple[int, int]:
    """Tokens of the skeleton and their channels."""
    return config.joints * config.persons, config.skeleton_channels[-1]


def _patches(config: SpikingFusionConfig) -> tuple[int, int]:
    """Tokens of the events and their channels."""
    return (config.size // config.patch) ** 2, config.event_width


def _skeleton_backbone(config: SpikingFusionConfig, seed: int) -> nn.Module:
    """Signal-SGN without its attention, which the extractor has, its wavelets and its answer."""
    sizes = SignalSgnConfig(
        joints=config.joints,
        persons=config.persons,
        channels=config.skeleton_channels,
        attention=False,
        frequency=config.frequency,
        wave=False,
        neurons=config.neurons,
        tau=config.tau,
        threshold=config.threshold,
        surrogate=config.surrogate,
        slope=config.slope,
    )
    backbone = signal_sgn.build(sizes, seed)
    del backbone.classify_map
    return backbone


def _events_backbone(config: SpikingFusionConfig, seed: int) -> nn.Module:
    """Spiking Mamba without its answer."""
    sizes = SpikingMambaConfig(
        size=config.size,
        patch=config.patch,
        width=config.event_width,
        depth=config.depth,
        neurons=config.neurons,
        tau=config.tau,
        threshold=config.threshold,
        surrogate=config.surrogate,
        slope=config.slope,
    )
    backbone = spiking_mamba.build(sizes, seed)
    del backbone.classify
    return backbone


BACKBONES: Mapping[str, Callable[[SpikingFusionConfig, int], nn.Module]] = {
    "skeleton": _skeleton_backbone,
    "events": _events_backbone,
}
"""What makes tokens of each stream, drawn by a seed."""
NETWORKS: Mapping[str, Callable[..., nn.Module]] = {
    "both": SpikingFusion,
    "skeleton": SpikingSkeleton,
    "events": SpikingEvents,
}
"""The network for each choice of streams, of a config and a backbone for each of them."""


def build(config: SpikingFusionConfig, seed: int) -> nn.Module:
    """The network with weights drawn by `seed`, its batch norms with the statistics of noise."""
    backbones = (BACKBONES[name](config, seed) for name in config.takes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = NETWORKS[config.streams](config, *backbones)
    source = torch.Generator().manual_seed(seed)
    settle(network, *(_noise(kind, source) for kind in config.takes.values()))
    return network


def _noise(kind: InputKind, source: torch.Generator) -> Tensor:
    """Coordinates around 0, or events in one pixel out of ten."""
    shape = (8, 4, *kind.shape)
    if kind.carries == "spikes":
        return (torch.rand(shape, generator=source) < 0.1).float()
    return torch.randn(shape, generator=source)
