"""Every kind of node. A new kind is added to the table here; its tests pick it up from there."""

from __future__ import annotations

from collections.abc import Mapping

from .activation import FUNCTIONS, Activation
from .base import Array, Node, State
from .ends import Input, Output
from .host import OPERATIONS, Host
from .integrators import CubaIntegrator, Integrating, Integrator, LeakyIntegrator
from .linear import Affine, BatchNorm, Contract, Scale
from .merge import Add, Concat, Mean, Multiply, Sum
from .neurons import IF, LIF, AdaptiveLIF, CubaLIF, Firing
from .pool import AveragePool, MaxPool, SumPool
from .resonance import Delta, ResonateFire, Sigma, SigmaDelta
from .shape import Flatten, Pad, Permute, Reshape, Slice
from .temporal import Delay, StateSpace, TemporalKernel
from .window import Conv, ConvTranspose

_ALL: tuple[type[Node], ...] = (
    *(Input, Output),
    *(Affine, Scale, BatchNorm, Contract),
    *(Conv, ConvTranspose, SumPool, AveragePool, MaxPool),
    *(Flatten, Reshape, Permute, Slice, Pad),
    *(Add, Multiply, Concat, Mean, Sum),
    *(Activation, Host),
    *(Delay, TemporalKernel, StateSpace),
    *(IF, LIF, CubaLIF, AdaptiveLIF, Integrator, LeakyIntegrator, CubaIntegrator),
    *(ResonateFire, Sigma, Delta, SigmaDelta),
)

KINDS: Mapping[str, type[Node]] = {kind.__name__: kind for kind in _ALL}
"""Every kind of node by name, but for SubGraph, which holds a graph and is defined beside it."""

__all__ = [
    "FUNCTIONS",
    "IF",
    "KINDS",
    "LIF",
    "OPERATIONS",
    "Activation",
    "AdaptiveLIF",
    "Add",
    "Affine",
    "Array",
    "AveragePool",
    "BatchNorm",
    "Concat",
    "Contract",
    "Conv",
    "ConvTranspose",
    "CubaIntegrator",
    "CubaLIF",
    "Delay",
    "Delta",
    "Firing",
    "Flatten",
    "Host",
    "Input",
    "Integrating",
    "Integrator",
    "LeakyIntegrator",
    "MaxPool",
    "Mean",
    "Multiply",
    "Node",
    "Output",
    "Pad",
    "Permute",
    "Reshape",
    "ResonateFire",
    "Scale",
    "Sigma",
    "SigmaDelta",
    "Slice",
    "State",
    "StateSpace",
    "Sum",
    "SumPool",
    "TemporalKernel",
]
