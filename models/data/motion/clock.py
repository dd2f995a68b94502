"""The clock of a clip: so many pictures lie in each step of a network.

    picture k is at k/FPS seconds; step t of T holds the pictures 3t + 1, 3t + 2, 3t + 3, and one comes before them all

So the events of step t are what its three pictures differ in from those before, and its skeleton is at its last one.
"""

from __future__ import annotations

import numpy as np

from ..samples import Array

FPS = 30
PICTURES = 3
"""In a step."""
STEPS = 16
MICROSECONDS = 33_333
"""From a picture to the next, as an event camera counts them."""


def times_of(steps: int) -> Array:
    """Seconds of all pictures, [3·steps + 1]."""
    return np.arange(PICTURES * steps + 1) / FPS


def moments_of(steps: int) -> Array:
    """Which of the pictures end a step, [steps]."""
    return PICTURES * np.arange(1, steps + 1)
