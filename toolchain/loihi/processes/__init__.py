"""The processes of a chip graph: one class for each process of Lava's library, and joins between their ports."""

from __future__ import annotations

from collections.abc import Mapping

from .adaptive import ATRLIF, RF, RF_IZ, RFZero
from .base import Process
from .delta import Delta, Sigma, SigmaDelta
from .ends import ChipInput, ChipOutput, Joined, Port, Shaped
from .graded import GradedReluVec, GradedVec, InvSqrt, NormVecDelay, ProdNeuron
from .neurons import LIF, LIFReset, TernaryLIF
from .synapses import Conv, ConvInTime, DelayDense, DelaySparse, Dense, Sparse

_ALL: tuple[type[Process], ...] = (
    *(ChipInput, ChipOutput, Port, Shaped, Joined),
    *(Dense, Sparse, DelayDense, DelaySparse, Conv, ConvInTime),
    *(LIF, LIFReset, TernaryLIF, ATRLIF),
    *(Delta, Sigma, SigmaDelta),
    *(RF, RF_IZ, RFZero),
    *(GradedVec, GradedReluVec, ProdNeuron, NormVecDelay, InvSqrt),
)

PROCESSES: Mapping[str, type[Process]] = {kind.__name__: kind for kind in _ALL}
"""Every process by name."""

__all__ = [
    "ATRLIF",
    "LIF",
    "PROCESSES",
    "RF",
    "RF_IZ",
    "ChipInput",
    "ChipOutput",
    "Conv",
    "ConvInTime",
    "DelayDense",
    "DelaySparse",
    "Delta",
    "Dense",
    "GradedReluVec",
    "GradedVec",
    "InvSqrt",
    "Joined",
    "LIFReset",
    "NormVecDelay",
    "Port",
    "Process",
    "ProdNeuron",
    "RFZero",
    "Shaped",
    "Sigma",
    "SigmaDelta",
    "Sparse",
    "TernaryLIF",
]
