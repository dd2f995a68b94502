"""Events and skeletons together: two spiking backbones, what each has to say, and one answer.

    K = DIB₁(SSE(Signal-SGN(skeleton)))         spikes of the joints of all persons [T, B, V·M, C]
    E = DIB₁(SSE(Spiking Mamba(events)))        spikes of N patches [T, B, N, C']
    E' = SCM(E, K)                              the events' spikes, once they have met the skeleton's
    f = norm(W·[pool(E'), pool(E), pool(K)])    [T, B, code]: what each says alone goes around SCM as well
    logits = W'·DIB₂(f) + b                     [T, B, classes]

The answer is the mean of the logits over time. SSE: `semantic_extractor.py`, DIB: `bottleneck.py`, SCM:
`cross_mamba.py`, pool: learned maps over the places of the tokens, which keep persons and limbs apart.

Model card. The outline is that of "SNN-Driven Multimodal Human Action Recognition via Sparse Spatial-Temporal Data
Fusion": a spiking graph network for skeletons, a spiking Mamba for events, hypergraphs and global spiking attention
within each, events on the state-space path and the skeleton on the selective one, and a bottleneck in two stages.
Its equations, sizes and weights are not published; those here are ours, and no published accuracy is claimed. Without a
checkpoint the weights are random. Signal-SGN is here what makes tokens: its graph blocks, one by default, with their
part in frequencies where `frequency` is set.

From the backbone through SSE to DIB₁ membranes are what is passed on, each layer's sum added to them; whatever reads
them reads the spikes they give. DIB₁ and DIB₂ are the neurons that end a stage.

What the switches leave out: `sse` the whole extractor (membranes pass as they are), `gsa` its attention alone, `scm`
the cross Mamba (no E': the streams meet in f alone), `dib_one` and `dib_two` the draws and the prices of a bottleneck,
whose neurons stay, as ordinary ones. `streams` leaves one modality out, with all that the other has and f, the second
stage and the linear map behind it: what the fusion has to be better than.

Beyond a chip, as Host nodes, with their shares of all pairs of an input and a weight or another signal: in SSE, of each
step, the products k·kᵀ, A·x and Aᵀ·m (12.5 %) and two divisions of the hypergraph, kᵀv and q·(kᵀv) of the attention
(1.4 %); in SCM exp, softplus, the scan's products and y ⊙ z, and the same in the events' backbone (6.1 % for both);
what else the backbones' own cards name. Real values travel inside these, into the layer behind them, as the coordinates
that come in, and from a pool to the map behind it: two maps of weights, one behind the other. Everything else that one
layer sends another are spikes, 0 or 1. `spikeport parts` counts it, for each target, on any data. The twin without
spikes (`neurons` = relu) has rectifiers for neurons, also in the bottlenecks, which then draw nothing and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from . import signal_sgn, spiking_mamba
from .bottleneck import Bottleneck, unlike
from .cross_mamba import CrossMamba, CrossSizes
from .fusion_config import SpikingFusionConfig
from .input_kinds import InputKind
from .semantic_extractor import SemanticExtractor
from .signal_sgn import SignalSgnConfig
from .spiking_mamba import SpikingMambaConfig
from .tokens import TokenMap, TokenPool
from .weights import settle


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
        membranes: Tensor = self.backbone.membranes(x)  # type: ignore[operator]
        spikes: Tensor = self.bottleneck(self.extractor(membranes))
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
        self.fuse = TokenMap(inputs, config.code, firing.drive)
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

    def __getstate__(self) -> dict[str, object]:
        """A copy has seen nothing."""
        return {**self.__dict__, "rates": None}

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
        joints, patches = config.joint_tokens, config.patch_tokens
        self.skeleton, self.events = Path(skeleton, joints, config), Path(events, patches, config)
        sizes = CrossSizes(patches[1], joints[1], joints[0], config.maps, config.cross, config.heads, config.state)
        self.cross = CrossMamba(sizes, config.firing()) if config.scm else None
        self.answer = Answer((patches, patches, joints) if config.scm else (patches, joints), config)

    def forward(self, skeleton: Tensor, events: Tensor) -> Tensor:
        """Runs skeletons and events of the same steps."""
        joints, patches = self.skeleton(skeleton), self.events(events)
        met = () if self.cross is None else (self.cross(patches, joints),)
        logits: Tensor = self.answer(*met, patches, joints)
        return logits

    def penalties(self, labels: Tensor) -> Mapping[str, Tensor]:
        """What both stages of the bottleneck cost."""
        return {**self.skeleton.charges("skeleton"), **self.events.charges("events"), **self.answer.charges(labels)}


class SpikingSkeleton(nn.Module):
    """The skeleton alone; time first, [T, B, 3, V, M] → logits [T, B, classes]."""

    def __init__(self, config: SpikingFusionConfig, skeleton: nn.Module) -> None:
        super().__init__()
        self.skeleton, self.answer = Path(skeleton, config.joint_tokens, config), Answer((config.joint_tokens,), config)

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
        self.events, self.answer = Path(events, config.patch_tokens, config), Answer((config.patch_tokens,), config)

    def forward(self, events: Tensor) -> Tensor:
        """Runs events."""
        logits: Tensor = self.answer(self.events(events))
        return logits

    def penalties(self, labels: Tensor) -> Mapping[str, Tensor]:
        """What both stages of the bottleneck cost."""
        return {**self.events.charges("events"), **self.answer.charges(labels)}


def _skeleton_backbone(config: SpikingFusionConfig, seed: int) -> nn.Module:
    """Signal-SGN without its attention, which the extractor has, its wavelets and its answer."""
    sizes = SignalSgnConfig(
        joints=config.joints,
        persons=config.persons,
        channels=config.skeleton_channels,
        attention=False,
        frequency=config.frequency,
        wave=False,
        **config.fires_alike(),
    )
    backbone = signal_sgn.build(sizes, seed)
    del backbone.sends, backbone.dropout, backbone.classify_map
    return backbone


def _events_backbone(config: SpikingFusionConfig, seed: int) -> nn.Module:
    """Spiking Mamba without its answer."""
    sizes = SpikingMambaConfig(
        size=config.size,
        patch=config.patch,
        width=config.event_width,
        depth=config.depth,
        **config.fires_alike(),
    )
    backbone = spiking_mamba.build(sizes, seed)
    del backbone.fire, backbone.classify
    return backbone


BACKBONES: Mapping[str, Callable[[SpikingFusionConfig, int], nn.Module]] = {
    "skeleton": _skeleton_backbone,
    "events": _events_backbone,
}
"""What makes the membranes of each stream's tokens, drawn by a seed."""
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


__all__ = ["SpikingEvents", "SpikingFusion", "SpikingFusionConfig", "SpikingSkeleton", "build"]
