"""From clips in memory, uint8 or float32, to what a network is called with: float32 tensors [T, B, *shape]."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from ...toolchain.errors import UsageError
from ..data.clips import Clips, clips_of
from ..data.samples import Array, Samples

INPUT = "input"
"""The stream of samples that have only one."""


def as_clips(samples: Samples | Clips) -> Clips:
    """Samples as clips of one stream; their classes have no names but their numbers."""
    if isinstance(samples, Clips):
        return samples
    return clips_of(samples, INPUT, tuple(str(label) for label in range(int(samples.labels.max()) + 1)))


def streams_of(network: nn.Module, clips: Clips) -> tuple[str, ...]:
    """The streams of clips that a network takes, in the order of its forward's parameters."""
    wanted = [name for name, each in inspect.signature(network.forward).parameters.items() if _required(each)]
    if all(name in clips.streams for name in wanted):
        return tuple(wanted)
    if len(wanted) == len(clips.streams) == 1:
        return tuple(clips.streams)
    found = ", ".join(clips.streams)
    raise UsageError("data", f"streams {found}", f"{', '.join(wanted)}, the inputs of {type(network).__name__}")


def _required(parameter: inspect.Parameter) -> bool:
    positional = parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return positional and parameter.default is inspect.Parameter.empty


def batch(clips: Clips, names: tuple[str, ...], places: Array, device: Any = "cpu") -> tuple[list[Tensor], Tensor]:
    """The streams of some clips, and their labels."""
    streams = [torch.from_numpy(clips.streams[name][:, places]).to(device).float() for name in names]
    return streams, torch.from_numpy(clips.labels[places]).to(device)
