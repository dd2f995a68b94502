"""Fan-out maps of layers with weights, made once for each weight and each size of input."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from .fanout import Fanout
from .provenance import gone, weak

MOST = 256
"""Maps from which on those of weights that are gone are forgotten."""


class Fans:
    """Maps of layers, kept as long as their weights are not written to."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[int, StorageWeakRef, Fanout]] = {}

    def get(self, weight: Tensor, key: Hashable, make: Callable[[Tensor], Fanout]) -> Fanout:
        """The map of a layer with these weights."""
        storage = weight.untyped_storage()
        place = (storage._cdata, weight.storage_offset(), weight.shape, weight.stride(), key)
        version = -1 if weight.is_inference() else weight._version
        kept = self._kept.get(place)
        if kept is None or kept[0] != version:
            kept = (version, weak(storage), make(weight))
            self._kept[place] = kept
            if len(self._kept) > MOST:
                self._kept = {key: each for key, each in self._kept.items() if not gone(each[1])}
        return kept[2]
