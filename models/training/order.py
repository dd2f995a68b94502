"""In which order clips are learned from: drawn anew for every epoch from the seed and its number alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...toolchain.errors import UsageError
from ..data.samples import Array


@dataclass(frozen=True)
class Order:
    """The batches of every epoch.

    Args:
        count: clips in all.
        batch: clips in a batch.
        seed: draws the orders.
        processes: how many share each batch.
    """

    count: int
    batch: int
    seed: int
    processes: int = 1

    def __post_init__(self) -> None:
        if min(self.batch, (self.count - 1) % self.batch + 1) < self.processes:
            found = f"{self.count} clips in batches of {self.batch} on {self.processes} processes"
            raise UsageError("training", found, "a clip of each batch for each process", "take another --batch")

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return -(-self.count // self.batch)

    def batches(self, epoch: int) -> list[Array]:
        """The batches of an epoch, counted from 1; the last one is what is left."""
        order = np.random.default_rng([self.seed, epoch]).permutation(self.count)
        return [order[start : start + self.batch] for start in range(0, self.count, self.batch)]
