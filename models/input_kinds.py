"""What one input of a network of the zoo is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InputKind:
    """One input of a network.

    Args:
        shape: the shape of one step of one sample.
        carries: what it promises to carry: graded, spikes or int[low,high].
    """

    shape: tuple[int, ...]
    carries: str = "graded"
