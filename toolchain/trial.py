"""The input of a comparison: all of it at once, since both sides run on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .console import say
from .graph.network import Network
from .graph.nodes import Array
from .inputs import from_file, input_shapes, made_windows


@dataclass(frozen=True)
class Trial:
    """What networks are tried on.

    Args:
        file: values or events; none for made input.
        made: a recipe for made input.
        steps: steps of made input.
        batch: samples of made input.
        seed: seed of made input.
    """

    file: Path | None = None
    made: str = "poisson:0.3"
    steps: int = 32
    batch: int = 1
    seed: int = 0

    def values(self, network: Network) -> dict[str, Array]:
        """Arrays [T, B, *shape] for every input of a network."""
        if self.file is None:
            return _joined(network, made_windows(network, self.made, self.steps, self.batch, self.seed))
        found = from_file(network, self.file)
        for line in found.said:
            say(f"{self.file}: {line}")
        return _joined(network, found.values) if isinstance(found.values, Iterator) else found.values


def _joined(network: Network, windows: Iterator[dict[str, Array]]) -> dict[str, Array]:
    every = list(windows)
    return {name: np.concatenate([window[name] for window in every]) for name in input_shapes(network)}
