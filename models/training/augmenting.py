"""Changes to clips that are learned from, which keep their labels true: a table to read, and to add to.

A change is drawn for each clip from the seed, the epoch and the clip's place, so that neither the batch nor the number
of processes matters. All streams of a clip are changed alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from ...toolchain.errors import UsageError
from ..data.samples import Array

Streams = Mapping[str, Tensor]
"""The streams of one clip, [T, *shape]."""
Change = Callable[[Streams, np.random.Generator], dict[str, Tensor]]

SHORTEST = 0.8
"""The shortest part of a clip that stands for the whole."""


def crop_time(streams: Streams, source: np.random.Generator) -> dict[str, Tensor]:
    """x'[t] = x[⌊(start + t·share)·T⌋]: a part of the clip as long as the whole, some steps twice."""
    share = source.uniform(SHORTEST, 1)
    start = source.uniform(0, 1 - share)
    cut = {}
    for name, stream in streams.items():
        steps = len(stream)
        places = np.floor((start + (np.arange(steps) + 0.5) / steps * share) * steps).astype(np.int64)
        cut[name] = stream[torch.from_numpy(places.clip(0, steps - 1)).to(stream.device)]
    return cut


def turn(streams: Streams, source: np.random.Generator) -> dict[str, Tensor]:
    """(x, z) ← (x·cos φ − z·sin φ, x·sin φ + z·cos φ), φ up to 17°: a skeleton turned about the vertical axis y."""
    angle = source.uniform(-0.3, 0.3)
    skeleton = streams["skeleton"]
    x, y, z = skeleton.unbind(1)
    across, along = np.cos(angle), np.sin(angle)
    return {**streams, "skeleton": torch.stack((x * across - z * along, y, x * along + z * across), 1)}


CHANGES: Mapping[str, Change] = {"crop-time": crop_time, "turn": turn}
NEEDED: Mapping[str, str] = {"turn": "skeleton"}
"""The stream that a change is made for."""


def check_changes(names: Sequence[str], streams: Sequence[str]) -> None:
    """Refuses changes that are not in the table, or whose stream is not among these."""
    for name in names:
        if name not in CHANGES:
            raise UsageError("--augment", f"no change {name!r}", f"one of {', '.join(CHANGES)}")
        if NEEDED.get(name, streams[0]) not in streams:
            raise UsageError("--augment", f"{name} of clips of {', '.join(streams)}", f"the stream {NEEDED[name]}")


def augmented(streams: Streams, names: Sequence[str], places: Array, seed: Sequence[int]) -> dict[str, Tensor]:
    """The streams [T, B, *shape] of a batch, every clip changed in its own way.

    Args:
        streams: by name.
        names: rows of the table, in turn.
        places: where each clip is among all.
        seed: seed and epoch.
    """
    clips = []
    for index, place in enumerate(places.tolist()):
        source = np.random.default_rng([*seed, place])
        clip = {name: stream[:, index] for name, stream in streams.items()}
        for name in names:
            clip = CHANGES[name](clip, source)
        clips.append(clip)
    return {name: torch.stack([clip[name] for clip in clips], 1) for name in streams}
