"""The zoo: every network by name.

An architecture is one file: a config, the module, and `build(config, seed)`. A file is imported when its network is
asked for, so that listing the zoo loads nothing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..toolchain.errors import UsageError
from ..toolchain.references import referred
from .input_kinds import InputKind

if TYPE_CHECKING:
    from torch import nn


class Config(Protocol):
    """A frozen dataclass of numbers and tuples of numbers, checked when it is made."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def takes(self) -> Mapping[str, InputKind]:
        """Its inputs, by the names of forward's parameters, in their order; an only one may be called input."""


@dataclass(frozen=True)
class Entry:
    """One row of the table.

    Args:
        build: "module:function" of this package, called with a config and a seed.
        config: "module:class" of this package; without arguments it is the default.
        readout: how its answer is read from what it gives over time, a row of `readouts.py`.
        text: what it is, in a line.
        spiking: whether it has neurons that spike; if not, `spikeport convert --neurons` makes some of its ReLUs.
        host: whether parts of it are beyond a chip: then it is traced with Host nodes (`--host`) where it needs them.
        small: values of the config for a small instance, to look at and to test with.
    """

    build: str
    config: str
    readout: str
    text: str
    spiking: bool = True
    host: bool = False
    small: Mapping[str, object] = field(default_factory=dict)


ZOO: Mapping[str, Entry] = {
    "ann_convnet": Entry(
        ".ann_convnet:build",
        ".ann_convnet:AnnConvNetConfig",
        "last",
        "convolutions for frames, without spikes: 3 × (conv, ReLU), linear; 8×32×32, 10 classes",
        spiking=False,
    ),
    "event_convnet": Entry(
        ".event_convnet:build",
        ".event_convnet:EventConvNetConfig",
        "sum",
        "convolutions for events: 3 × (conv, LIF, pool), linear, LIF; 2×32×32, 10 classes",
    ),
    "s3t_former": Entry(
        ".s3t_former:build",
        ".s3t_former:S3tFormerConfig",
        "sum",
        "spiking transformer for skeletons, a state space for its attention; 3×25×2, 60 actions",
        host=True,
        small={"classes": 3, "joints": 20, "persons": 1, "width": 8, "depth": 1, "heads": 2, "mlp_ratio": 2},
    ),
    "signal_sgn": Entry(
        ".signal_sgn:build",
        ".signal_sgn:SignalSgnConfig",
        "mean",
        "spiking network for skeletons: a graph of joints, their frequencies, wavelets in time; 3×25×2, 60 actions",
        host=True,
        small={
            "classes": 3,
            "joints": 20,
            "persons": 1,
            "channels": (8, 8),
            "heads": 2,
            "wave_width": 4,
            "levels": 2,
        },
    ),
    "sequence_rnn": Entry(
        ".sequence_rnn:build",
        ".sequence_rnn:SequenceRnnConfig",
        "last",
        "recurrent network for spike sequences: 64 inputs, 128 recurrent CUBA-LIF, 10 leaky integrators",
    ),
    "spiking_fusion": Entry(
        ".spiking_fusion:build",
        ".spiking_fusion:SpikingFusionConfig",
        "mean",
        "events and skeletons together: signal_sgn, spiking_mamba, hypergraphs, cross Mamba, bottlenecks; 16 actions",
        host=True,
        small={
            "classes": 3,
            "joints": 20,
            "persons": 1,
            "size": 8,
            "skeleton_channels": (8,),
            "event_width": 8,
            "patch": 4,
            "width": 4,
            "cross": 8,
            "heads": 2,
            "state": 2,
            "maps": 2,
            "code": 8,
        },
    ),
    "spiking_mamba": Entry(
        ".spiking_mamba:build",
        ".spiking_mamba:SpikingMambaConfig",
        "mean",
        "spiking Mamba for events, a selective scan over patches and frames; 2×32×32, 10 classes",
        host=True,
        small={"classes": 3, "size": 8, "patch": 4, "width": 8, "depth": 1, "heads": 2, "state": 4},
    ),
}


WHOLE = tuple(name for name, row in ZOO.items() if not row.host)
"""The networks that a chip can take whole, as they are or with spikes in place of their ReLUs."""
SPIKING = tuple(name for name in WHOLE if ZOO[name].spiking)
"""Those of them that spike as they are."""


def entry(name: str) -> Entry:
    """The row of a name, or a UsageError that lists the names there are."""
    if name not in ZOO:
        raise UsageError("zoo", f"no network {name!r}", f"one of {', '.join(ZOO)}")
    return ZOO[name]


def config_of(name: str, values: Mapping[str, object] | None = None) -> Config:
    """The config of a network: its defaults, with `values` in place of some; unknown names and types are refused."""
    kind = referred(entry(name).config, __package__)
    known = {field.name: field.default for field in dataclasses.fields(kind)}
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in (values or {}).items()}
    for key, value in given.items():
        if key not in known:
            raise UsageError(f"config of {name}", f"a field {key!r}", f"fields out of {', '.join(known)}")
        if not _like(value, known[key]):
            raise UsageError(f"config of {name}", f"{key} = {value!r}", f"a value like {known[key]!r}")
    made: Config = kind(**given)
    return made


def fields_of(given: Sequence[str]) -> dict[str, object]:
    """Values of a config from texts KEY=VALUE, each value as JSON or else as it stands."""
    fields: dict[str, object] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError("--config", f"'{text}'", "KEY=VALUE")
        try:
            fields[key] = json.loads(value)
        except ValueError:
            fields[key] = value
    return fields


def small_config(name: str) -> Config:
    """The config of a small instance of a network."""
    return config_of(name, entry(name).small)


def _like(value: object, default: object) -> bool:
    if isinstance(default, tuple):
        return isinstance(value, tuple) and all(_like(part, default[0]) for part in value)
    if isinstance(default, float):
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
    return type(value) is type(default)


def build(name: str, config: Config | None = None, seed: int = 0) -> nn.Module:
    """A network of the zoo with random weights drawn by `seed`, in eval mode."""
    row = entry(name)
    network: nn.Module = referred(row.build, __package__)(config_of(name) if config is None else config, seed)
    return network.eval()
