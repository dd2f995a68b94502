"""The whole table: what is known of each operation of torch, by its name without the overload and the mark `_`."""

from __future__ import annotations

from collections.abc import Mapping

from . import aten_blocks, aten_free, aten_pools, aten_synapses, aten_values
from .aten_calls import Row

ROWS: Mapping[str, Row] = {
    **aten_free.ROWS,
    **aten_values.ROWS,
    **aten_pools.ROWS,
    **aten_blocks.ROWS,
    **aten_synapses.ROWS,
}
"""What has no row here, is no view, and is not made of others that have one, is listed as uncounted."""

INSIDE = frozenset({"mm", "addmm", "bmm", "baddbmm", "convolution", "mul"})
"""What may be a weight inside a neuron."""
