"""What can be chosen of the network that takes events and skeletons together (`spiking_fusion.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..toolchain.errors import UsageError
from .bottleneck import Price
from .firing import FiringConfig
from .input_kinds import InputKind

STREAMS: Mapping[str, tuple[str, ...]] = {
    "both": ("skeleton", "events"),
    "skeleton": ("skeleton",),
    "events": ("events",),
}
"""What a network of this file takes, by the name of `streams`."""


@dataclass(frozen=True)
class SpikingFusionConfig(FiringConfig):
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
    skeleton_channels: tuple[int, ...] = (48,)
    frequency: bool = False
    event_width: int = 48
    patch: int = 8
    depth: int = 1
    width: int = 16
    cross: int = 64
    heads: int = 4
    state: int = 8
    maps: int = 8
    code: int = 96
    alpha: float = 0.02
    lambda_one: float = 0.2
    lambda_two: float = 0.05
    prior: float = 0.05

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

    @property
    def joint_tokens(self) -> tuple[int, int]:
        """Tokens of the skeleton and their channels."""
        return self.joints * self.persons, self.skeleton_channels[-1]

    @property
    def patch_tokens(self) -> tuple[int, int]:
        """Tokens of the events and their channels."""
        return (self.size // self.patch) ** 2, self.event_width

    def price(self, stage: int) -> Price | None:
        """What a bottleneck of stage one or two charges."""
        on, weight = (self.dib_one, self.lambda_one) if stage == 1 else (self.dib_two, self.lambda_two)
        return Price(weight, self.prior) if on else None
