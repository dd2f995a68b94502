"""A data set whose samples are single pictures: the mean over the steps of another one's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...toolchain.graph.nodes.base import Array
from ..operations import Promise
from .sources import DataSource, Inputs, Shape, digest_of, each_of


@dataclass(frozen=True)
class Still:
    """x̄ = Σ_t x[t] / T, one step in place of T.

    Args:
        of: the samples with steps.
    """

    of: DataSource

    def __len__(self) -> int:
        return len(self.of)

    @property
    def shape(self) -> Shape:
        """As it was."""
        return self.of.shape

    @property
    def carries(self) -> Promise:
        """A mean of whole numbers is none."""
        return dict.fromkeys(self.of.carries, "graded") if isinstance(self.of.carries, Mapping) else "graded"

    @property
    def class_names(self) -> tuple[str, ...]:
        """As they were."""
        return self.of.class_names

    @property
    def identity(self) -> str:
        """Of the samples with steps, and of the mean."""
        return digest_of("mean over the steps", self.of.identity)

    @property
    def about(self) -> str:
        """In words."""
        return f"{self.of.about}, the mean over the steps of each"

    @property
    def together(self) -> int | None:
        """As many as fitted together before."""
        return self.of.together

    @property
    def travels(self) -> bool:
        """As the samples do."""
        return self.of.travels

    def batch(self, indices: Sequence[int]) -> tuple[Inputs, Array | None]:
        """Some samples, [1, B, *shape]."""
        inputs, labels = self.of.batch(indices)
        return each_of(inputs, _mean), labels

    def said(self, indices: Sequence[int]) -> tuple[str, ...]:
        """What was left out of the samples with steps."""
        return self.of.said(indices)

    def check_unchanged(self) -> None:
        """Their files are what they were."""
        self.of.check_unchanged()


def _mean(values: Array) -> Array:
    found: Array = values.mean(0, dtype=np.float64, keepdims=True).astype(np.float32)
    return found
