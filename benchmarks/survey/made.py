"""Samples of the table of made data, drawn where they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ...models.data.made import config_of, entry, make_block
from ...models.data.samples import BLOCK, Part, Samples
from ...toolchain.graph.nodes.base import Array
from .code import DATA, code_digest
from .sources import digest_of

_block = lru_cache(maxsize=4)(make_block)
"""Batches are mostly made in order, each out of one or two blocks."""


@dataclass(frozen=True)
class Made:
    """Samples of one part of made data.

    Args:
        name: of the table.
        part: train, validation or test.
        count: how many.
        seed: draws everything.
    """

    name: str
    part: Part
    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        self._samples(0)  # refuses what cannot be drawn

    def __len__(self) -> int:
        return self.count

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one step of one sample."""
        return config_of(self.name).shape

    @property
    def carries(self) -> str:
        """What the table says."""
        return entry(self.name).carries

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the labels stand for."""
        return config_of(self.name).class_names

    @cached_property
    def identity(self) -> str:
        """Of what was asked for, and of the code that draws it."""
        asked = (self.name, self.part, self.count, self.seed, config_of(self.name))
        return digest_of("made", *asked, code_digest(*DATA))

    @property
    def about(self) -> str:
        """In words."""
        return f"{self.name}, {self.part}, {self.count:,} samples of seed {self.seed}"

    @property
    def together(self) -> None:
        """All samples have the same number of steps."""

    @property
    def travels(self) -> bool:
        """Every machine draws the same."""
        return True

    def batch(self, indices: Sequence[int]) -> tuple[Array, Array]:
        """Some samples: zeros and ones, and their classes."""
        held = [(self._samples(index // BLOCK), index % BLOCK) for index in indices]
        inputs = np.stack([block.inputs[:, place] for block, place in held], 1)
        return inputs, np.array([block.labels[place] for block, place in held], np.int64)

    def _samples(self, block: int) -> Samples:
        return _block(self.name, self.part, block, self.seed)

    def said(self, indices: Sequence[int]) -> tuple[str, ...]:  # noqa: ARG002 - as the protocol has it
        """Nothing is left out."""
        return ()

    def check_unchanged(self) -> None:
        """There is no file that could change."""
