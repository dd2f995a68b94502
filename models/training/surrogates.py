"""Another surrogate for all neurons of a network while it is trained; what it computes forward stays."""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from ...toolchain.errors import UsageError
from ...toolchain.kernels.gradients import Surrogate
from ..layer import Neurons


def set_surrogates(network: nn.Module, text: str) -> None:
    """Gives every neuron that fires the surrogate NAME or NAME:SLOPE; an empty text leaves them their own."""
    if not text:
        return
    chosen = surrogate_of(text)
    layers = [each for each in network.modules() if isinstance(each, Neurons) and each.surrogate is not None]
    if not layers:
        raise UsageError("--surrogate", f"{text!r} for a network without neurons that fire")
    for layer in layers:
        if layer.surrogate is not None:
            layer.surrogate = replace(layer.surrogate, name=chosen.name, slope=chosen.slope)


def surrogate_of(text: str) -> Surrogate:
    """NAME or NAME:SLOPE."""
    name, _, slope = text.partition(":")
    try:
        return Surrogate(name, float(slope) if slope else Surrogate().slope)
    except ValueError:
        raise UsageError("surrogate", repr(text), "NAME or NAME:SLOPE, the slope a number") from None
