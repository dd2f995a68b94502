"""A convolution of each channel by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...toolchain.graph.nodes import Array, Conv

DENSE = 2**16
"""Up to so many weights it is written as one of all channels, with zeros, which nir's own check gets right."""


def each_channel(taps: Array, channels: int, **options: Any) -> Conv:
    """The convolution that has these taps for each channel by itself."""
    dense = channels * channels * taps.size <= DENSE
    if not dense:
        return Conv(np.broadcast_to(taps, (channels, 1, *taps.shape)), groups=channels, **options)
    weight = np.zeros((channels, channels, *taps.shape), taps.dtype)
    weight[np.arange(channels), np.arange(channels)] = taps
    return Conv(weight, **options)
