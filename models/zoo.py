"""The zoo: every network by name.

An architecture is one file: a config, the module, and `build(config, seed)`. A file is imported when its network is
asked for, so that listing the zoo loads nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from ..toolchain.errors import UsageError
from ..toolchain.references import referred

if TYPE_CHECKING:
    from torch import nn


class Config(Protocol):
    """A frozen dataclass of numbers and tuples of numbers, checked when it is made."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""


@dataclass(frozen=True)
class Entry:
    """One row of the table.

    Args:
        build: "module:function" of this package, called with a config and a seed.
        config: "module:class" of this package; without arguments it is the default.
        carries: what its input promises: graded, or spikes.
        readout: how its answer is read from what it gives over time, a row of `readouts.py`.
        text: what it is, in a line.
        spiking: whether it has neurons that spike; if not, `spikeport convert --neurons` makes some of its ReLUs.
    """

    build: str
    config: str
    carries: str
    readout: str
    text: str
    spiking: bool = True


ZOO: Mapping[str, Entry] = {
    "ann_convnet": Entry(
        ".ann_convnet:build",
        ".ann_convnet:AnnConvNetConfig",
        "spikes",
        "last",
        "convolutions for frames, without spikes: 3 × (conv, ReLU), linear; 8×32×32, 10 classes",
        spiking=False,
    ),
    "event_convnet": Entry(
        ".event_convnet:build",
        ".event_convnet:EventConvNetConfig",
        "spikes",
        "sum",
        "convolutions for events: 3 × (conv, LIF, pool), linear, LIF; 2×32×32, 10 classes",
    ),
    "sequence_rnn": Entry(
        ".sequence_rnn:build",
        ".sequence_rnn:SequenceRnnConfig",
        "spikes",
        "last",
        "recurrent network for spike sequences: 64 inputs, 128 recurrent CUBA-LIF, 10 leaky integrators",
    ),
}


SPIKING = tuple(name for name, row in ZOO.items() if row.spiking)
"""The networks that spike as they are."""


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
