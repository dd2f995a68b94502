"""Where the channels of an image lie in memory: before the pixels, as its shape says, or behind them.

Convolutions in float32 are faster with the channels behind the pixels. Shapes stay [W, B, channels, height, width] all
the same; only the strides tell. Neurons work on memory in whichever order it lies.
"""

from __future__ import annotations

import numpy as np

from ..graph.nodes.base import Array, State
from .aligned import empty

IMAGES = 5
"""Axes of a window of images."""


def channels_lie_last(x: Array) -> bool:
    """Whether a window of images lies in memory pixel by pixel."""
    return x.ndim == IMAGES and not x.flags.c_contiguous and behind(x).flags.c_contiguous


def behind(x: Array) -> Array:
    """[…, channels, height, width] seen as […, height, width, channels]."""
    return np.moveaxis(x, -3, -1)


def before(x: Array) -> Array:
    """[…, height, width, channels] seen as […, channels, height, width]."""
    return np.moveaxis(x, -1, -3)


def empty_like(y: Array, steps: int) -> Array:
    """Room for a window of so many steps that lies as `y` does, which has some of them."""
    if channels_lie_last(y):
        return before(empty((steps, *behind(y).shape[1:]), y.dtype))
    return empty((steps, *y.shape[1:]), y.dtype)


def row_of(state: State, name: str, last: bool) -> Array:
    """A state as one row of memory, its array put into this order first if it lies otherwise."""
    held = state[name]
    if not (behind(held) if last else held).flags.c_contiguous:
        room = empty(behind(held).shape if last else held.shape, held.dtype)
        lying = before(room) if last else room
        lying[...] = held
        held = state[name] = lying
    row: Array = (behind(held) if last else held).reshape(-1)
    return row
