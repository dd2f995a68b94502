"""How each kind of node becomes operations of ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..graph import Node, nodes
from . import activations, host, linear, moving, neurons, resonance, temporal, windows
from .parts import Ops

Row = Callable[[Any, Ops, Sequence[str]], str]
"""(node, where to write, the values it receives) → the value it sends; its new state goes into `Ops.new`."""

ROWS: Mapping[type[Node], Row] = {
    nodes.Affine: linear.affine,
    nodes.Scale: linear.scale,
    nodes.BatchNorm: linear.batch_norm,
    nodes.Contract: linear.contract,
    nodes.Conv: windows.conv,
    nodes.ConvTranspose: windows.conv_transpose,
    nodes.SumPool: windows.sum_pool,
    nodes.AveragePool: windows.average_pool,
    nodes.MaxPool: windows.max_pool,
    nodes.Flatten: moving.flatten,
    nodes.Reshape: moving.flatten,
    nodes.Permute: moving.permute,
    nodes.Slice: moving.cut,
    nodes.Pad: moving.pad,
    nodes.Add: moving.add,
    nodes.Multiply: moving.multiply,
    nodes.Concat: moving.concat,
    nodes.Mean: moving.mean,
    nodes.Sum: moving.total,
    nodes.Output: moving.output,
    nodes.Activation: activations.activation,
    nodes.Host: host.host,
    nodes.Delay: temporal.delay,
    nodes.TemporalKernel: temporal.temporal_kernel,
    nodes.StateSpace: temporal.state_space,
    nodes.IF: neurons.firing,
    nodes.LIF: neurons.firing,
    nodes.CubaLIF: neurons.firing,
    nodes.AdaptiveLIF: neurons.firing,
    nodes.Integrator: neurons.integrator,
    nodes.LeakyIntegrator: neurons.integrator,
    nodes.CubaIntegrator: neurons.integrator,
    nodes.ResonateFire: resonance.resonate,
    nodes.Sigma: resonance.sigma,
    nodes.Delta: resonance.delta,
    nodes.SigmaDelta: resonance.sigma_delta,
}
"""Every kind but Input, which is an input of the model; sub-graphs are put in line before."""
