"""How lava-dl's loader has to be called for a file, and what Spikeport keeps beside the layers.

The loader reads `/layer` alone, so what stands in `/spikeport` changes nothing for it: the arguments it has to be
called with, and what only a chip graph knows: names, the length of a step, notes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ..toolchain.errors import FileError
from .netx_open import Contents

KEY = "/spikeport"
VERSION = 1


@dataclass(frozen=True)
class Loading:
    """The arguments of `lava.lib.dl.netx.hdf5.Network` that change what it builds; these are its own defaults.

    Args:
        input_message_bits: bits of a payload that comes in; 0 for plain spikes.
        reset_interval: steps between two resets of all neurons; None for no resets.
        reset_offset: when the first layer is reset; each layer is reset a step after the one before it.
        spike_exp: bits that the messages of SDNN neurons keep behind the unit.
        num_layers: how many layers are read; None for all.
        input_shape: of a first convolution without an input layer, in the loader's order (width, height, channels).
    """

    input_message_bits: int = 0
    reset_interval: int | None = None
    reset_offset: int = 0
    spike_exp: int = 6
    num_layers: int | None = None
    input_shape: tuple[int, ...] | None = None

    def arguments(self) -> dict[str, Any]:
        """Those that differ from the loader's defaults."""
        pairs = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in pairs.items() if value != getattr(DEFAULT, name)}

    def text(self) -> str:
        """Those that differ, as they are written in Python."""
        return ", ".join(f"{name}={value}" for name, value in self.arguments().items())


DEFAULT = Loading()


@dataclass(frozen=True)
class Kept:
    """What a file keeps beside its layers.

    Args:
        name: of the network.
        dt: the length of a step in seconds.
        carries: what the input promises.
        output: readout and first step of the output.
        notes: of the network.
        names: of nodes, by the names they have without.
        order: the names of the nodes, as the network lists them.
        loading: how the loader has to be called.
        emits: the neurons that hand out their voltage.
    """

    name: str
    dt: float
    carries: str
    output: tuple[str, int]
    notes: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    loading: Loading = DEFAULT
    emits: tuple[str, ...] = ()

    def text(self) -> str:
        """As it is written: JSON, one form for one content."""
        data: dict[str, Any] = {"version": VERSION, **{each.name: getattr(self, each.name) for each in fields(self)}}
        data["loading"] = self.loading.arguments()
        data["notes"], data["names"] = dict(self.notes), dict(self.names)
        return json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def kept_in(contents: Contents) -> Kept | None:
    """What a file keeps, None where it is not one of ours.

    Raises:
        FileError: when it cannot be understood.
    """
    if KEY not in contents.values:
        return None
    try:
        data = json.loads(bytes(contents.values[KEY].ravel()[0]).decode("ascii"))
        if data.pop("version") != VERSION:
            raise FileError(contents.name, "written by a later Spikeport", f"version {VERSION}", "update Spikeport")
        loading = dict(data.pop("loading"))
        if loading.get("input_shape") is not None:
            loading["input_shape"] = tuple(int(n) for n in loading["input_shape"])
        kept = Kept(**{**data, "loading": Loading(**loading)})
        return _checked(kept)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
        raise FileError(
            f"{contents.name}, {KEY}", f"cannot be understood: {error}"[:200], "JSON of Spikeport's"
        ) from error


def _checked(kept: Kept) -> Kept:
    """Raises where something has another type than it should."""
    if not isinstance(kept.name, str) or not isinstance(kept.dt, (int, float)) or not isinstance(kept.carries, str):
        raise TypeError("name, dt or carries of another type")
    readout, after = kept.output
    texts = [readout, *kept.notes, *kept.notes.values(), *kept.names, *kept.names.values(), *kept.order, *kept.emits]
    whole = [after, *(value for name, value in kept.loading.arguments().items() if name != "input_shape")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("something that should be text is not")
    if not all(isinstance(number, int) and not isinstance(number, bool) and abs(number) < 1 << 31 for number in whole):
        raise TypeError("something that should be an integer is not")
    return kept
