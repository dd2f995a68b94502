"""How large what each process sends can get: a bound that follows from the network alone.

All that is sent fits 32 bits. Sums of smaller integers are exact in floating point, in any order, as long as no sum of
magnitudes leaves the mantissa: so small signals travel as float32, all others as float64, and torch adds them up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import Signal
from ..loihi.chip_graph import ChipGraph
from ..loihi.processes import (
    LIF,
    ChipOutput,
    Conv,
    ConvInTime,
    DelayDense,
    DelaySparse,
    Dense,
    GradedReluVec,
    GradedVec,
    Joined,
    LIFReset,
    Port,
    Process,
    Shaped,
    Sparse,
)

DType = np.dtype[Any]
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
EXACT32, EXACT64 = 1 << 24, 1 << 53
"""Up to here every integer is a float32 or float64 number."""
WIDE = 1 << 31
"""No value that is sent is larger in magnitude."""
HALF = 1 << 23


def format_of(bound: int) -> DType:
    """The type in which integers up to a bound travel."""
    return FLOAT32 if bound <= EXACT32 else FLOAT64


def matrix_sum(node: Dense | Sparse | DelayDense | DelaySparse, most: int) -> int:
    """The most that Σ |w|·|x| can be, before the exponent, for inputs up to `most`."""
    largest = max(int(np.abs(held).sum(1).max()) for _, held in node.held_rows())
    return largest * (most if node.message_bits else 1)


def conv_sum(node: Conv, most: int) -> int:
    """The most that Σ |w|·|x| can be in one window."""
    weights = np.abs(node.weight).reshape(len(node.weight), -1)
    return int(weights.sum(1).max()) * (most if node.message_bits else 1)


def taps_sum(node: ConvInTime, most: int) -> int:
    """The most that Σ |w|·|x| can be over all taps."""
    return int(np.abs(node.weight).sum((0, 2)).max()) * (most if node.message_bits else 1)


def shifted(bound: int, exponent: int) -> int:
    """A bound of ⌊x·2ᵉ⌋ for |x| up to a bound."""
    return bound << exponent if exponent >= 0 else -(-bound >> -exponent)


def _matrix(node: Any, most: Sequence[int]) -> int:
    return shifted(matrix_sum(node, most[0]), node.exponent)


def _delayed(node: Any, most: Sequence[int]) -> int:
    delays = len(np.unique(node.delay))  # each rounds down by itself
    return shifted(matrix_sum(node, most[0]), node.exponent) + delays


def _voltage(node: Any, _: Sequence[int]) -> int:
    return 1 if node.emit == "spikes" else HALF


BOUNDS: Mapping[type[Process], Callable[[Any, Sequence[int]], int]] = {
    Dense: _matrix,
    Sparse: _matrix,
    DelayDense: _delayed,
    DelaySparse: _delayed,
    Conv: lambda node, most: min(conv_sum(node, most[0]), HALF),
    ConvInTime: lambda node, most: taps_sum(node, most[0]),
    LIF: _voltage,
    LIFReset: _voltage,
    GradedVec: lambda _, most: most[0],
    GradedReluVec: lambda _, most: most[0],
    Port: lambda _, most: sum(most),
    Shaped: lambda _, most: most[0],
    Joined: lambda _, most: max(most),
    ChipOutput: lambda _, most: most[0],
}
"""Kinds of whose inputs something follows; of the others their signal tells, or they may send any 32 bits."""


def bounds_of(graph: ChipGraph) -> Mapping[str, int]:
    """A bound of |x| for every x that a process sends."""
    found: dict[str, int] = {}
    for name in graph.order:
        node, sources = graph.nodes[name], [wire.source for wire in graph.wires[name]]
        most = [found.get(source, _of_signal(graph.signals[source])) for source in sources]
        limits = [_of_signal(graph.signals[name])]
        if type(node) in BOUNDS:
            limits.append(BOUNDS[type(node)](node, most))
        found[name] = min(limits)
    return found


def _of_signal(signal: Signal) -> int:
    if signal.carries.graded:
        return WIDE
    return int(max(map(abs, signal.carries.bounds)))
