"""Losses of a network's own: what it asks of its inner signals beside the right answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Penalised(Protocol):
    """A network with losses of its own."""

    def penalties(self, labels: Tensor) -> Mapping[str, Tensor]:
        """Each loss by name, a weighted number; of the last forward in training mode.

        Args:
            labels: the classes of its samples [B].
        """
