"""How each process of a chip graph is given to Lava: the parameters of its constructor, its ports, its variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..graph.nodes.base import Array
from ..simulate.lava_program import SparseWeights, Value
from .limits import LOIHI2
from .processes import (
    ATRLIF,
    LIF,
    RF,
    RF_IZ,
    Conv,
    ConvInTime,
    DelayDense,
    DelaySparse,
    Delta,
    Dense,
    GradedReluVec,
    GradedVec,
    InvSqrt,
    LIFReset,
    NormVecDelay,
    Process,
    ProdNeuron,
    RFZero,
    Sigma,
    SigmaDelta,
    Sparse,
    TernaryLIF,
)

Shape = tuple[int, ...]
Parameters = Mapping[str, Value]
WHC = (2, 1, 0)
"""The axes of (channels, height, width) as Lava's convolutions have them, and back."""

SIGNS = {"mixed": "MIXED", "excitatory": "EXCITATORY", "inhibitory": "INHIBITORY"}


@dataclass(frozen=True)
class Row:
    """How a kind of process is given to Lava.

    Args:
        parameters: what its constructor is given, from the process and its shape.
        states: Lava's names of its state variables by ours.
        inputs: its input ports in order.
        output: its output port.
        initial: values that replace those of its constructor.
    """

    parameters: Callable[..., Parameters]
    states: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ("a_in",)
    output: str = "s_out"
    initial: Callable[..., Parameters] = lambda _: {}


def _spread(value: Array, shape: Shape) -> Value:
    """A number where there is one, else one for each neuron."""
    return int(value) if value.ndim == 0 else np.broadcast_to(value, shape)


def _bias(node: LIF | LIFReset | TernaryLIF | ATRLIF, shape: Shape) -> Parameters:
    return {"bias_mant": _spread(node.bias, shape), "bias_exp": _spread(node.bias_exponent, shape)}


def _membrane(node: LIF | LIFReset | TernaryLIF, shape: Shape) -> Parameters:
    decays = {"du": _spread(np.asarray(node.current_decay - 1), shape), "dv": _spread(node.voltage_decay, shape)}
    return {"shape": shape, **decays, **_bias(node, shape)}


def _lif(node: LIF, shape: Shape) -> Parameters:
    return {**_membrane(node, shape), "vth": _spread(node.threshold, shape)}


def _lif_reset(node: LIFReset, shape: Shape) -> Parameters:
    clock = {"reset_interval": node.interval, "reset_offset": node.offset}
    return {**_membrane(node, shape), "vth": _spread(node.threshold, shape), **clock}


def _ternary(node: TernaryLIF, shape: Shape) -> Parameters:
    return {**_membrane(node, shape), "vth_hi": int(node.high), "vth_lo": int(node.low)}


def _atrlif(node: ATRLIF, shape: Shape) -> Parameters:
    one = LOIHI2.decay_unity
    decays = {
        "delta_i": node.current_decay / one,
        "delta_v": node.voltage_decay / one,
        "delta_theta": node.threshold_decay / one,
        "delta_r": node.refractory_decay / one,
    }
    return {
        "shape": shape,
        **decays,
        "theta_0": node.threshold,
        "theta_step": node.threshold_step,
        **_bias(node, shape),
    }


def _coding(node: Delta | SigmaDelta, shape: Shape) -> Parameters:
    exponents = {"spike_exp": node.spike_exponent, "state_exp": node.state_exponent}
    return {"shape": shape, "vth": int(node.threshold), "cum_error": node.cumulative, **exponents}


def _sigma_delta(node: SigmaDelta, shape: Shape) -> Parameters:
    return {**_coding(node, shape), "bias": _spread(node.bias, shape), "act_mode": node.activation.upper()}


def _resonating(node: RF | RF_IZ, shape: Shape) -> Parameters:
    return {
        "shape": shape,
        "period": 10,
        "alpha": 0.1,
        "vth": 0,
        "state_exp": node.state_exponent,
        "decay_bits": node.decay_bits,
    }


def _turning(node: RF | RF_IZ) -> Parameters:
    return {"sin_decay": node.sin, "cos_decay": node.cos, "vth": node.threshold}


def _rf_zero(node: RFZero, shape: Shape) -> Parameters:
    return {"shape": shape, "freqs": np.ones(shape), "decay_tau": np.ones(shape), "uth": node.threshold}


def _rf_zero_turning(node: RFZero) -> Parameters:
    return {"lct": node.cos, "lst": node.sin}


def _vector(node: GradedVec | GradedReluVec | NormVecDelay, shape: Shape) -> Parameters:
    return {"shape": shape, "vth": int(node.threshold)}


def _product(node: ProdNeuron, shape: Shape) -> Parameters:
    return {"shape": shape, "vth": int(node.threshold), "exp": node.exponent}


def _shape_alone(_: Sigma | InvSqrt, shape: Shape) -> Parameters:
    return {"shape": shape}


def _matrix(node: Dense | DelayDense | Sparse | DelaySparse, _: Shape) -> Parameters:
    bits = {"num_weight_bits": node.bits, "num_message_bits": node.message_bits}
    return {"weights": node.weight, "weight_exp": node.exponent, "sign_mode": SIGNS[node.mode], **bits}


def _delayed(node: DelayDense, shape: Shape) -> Parameters:
    return {**_matrix(node, shape), "delays": node.delay}


def _sparse(node: Sparse | DelaySparse, shape: Shape) -> Parameters:
    return {**_matrix(node, shape), "weights": _entries(node.weight)}


def _delay_sparse(node: DelaySparse, shape: Shape) -> Parameters:
    return {**_sparse(node, shape), "delays": _entries(node.delay)}


def _entries(matrix: Array) -> SparseWeights:
    rows, columns = np.nonzero(matrix)
    return SparseWeights(rows, columns, matrix[rows, columns], (int(matrix.shape[0]), int(matrix.shape[1])))


def _conv(node: Conv, received: Shape) -> Parameters:
    return {
        "weight": np.ascontiguousarray(node.weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1)).astype(np.int32),
        "input_shape": tuple(received[axis] for axis in WHC),
        "stride": tuple(reversed(node.stride)),
        "padding": tuple(reversed(node.padding)),
        "dilation": tuple(reversed(node.dilation)),
        "groups": node.groups,
        "num_message_bits": node.message_bits,
    }


def _conv_in_time(node: ConvInTime, _: Shape) -> Parameters:
    return {"weights": node.weight, "num_message_bits": node.message_bits}


_UV = {"u": "u", "v": "v"}
_PQ = {"p": "real", "q": "imag"}
_OWED = {"last": "act", "owed": "residue"}
_TWO = ("a_real_in", "a_imag_in")

ROWS: Mapping[type[Process], Row] = {
    Dense: Row(_matrix, inputs=("s_in",), output="a_out"),
    Sparse: Row(_sparse, inputs=("s_in",), output="a_out"),
    DelayDense: Row(_delayed, inputs=("s_in",), output="a_out"),
    DelaySparse: Row(_delay_sparse, inputs=("s_in",), output="a_out"),
    Conv: Row(_conv, inputs=("s_in",), output="a_out"),
    ConvInTime: Row(_conv_in_time, inputs=("s_in",), output="a_out"),
    LIF: Row(_lif, _UV),
    LIFReset: Row(_lif_reset, _UV),
    TernaryLIF: Row(_ternary, _UV),
    ATRLIF: Row(_atrlif, {"i": "i", "v": "v", "r": "r", "theta": "theta"}),
    Delta: Row(_coding, _OWED),
    SigmaDelta: Row(_sigma_delta, {**_OWED, "sigma": "sigma"}),
    Sigma: Row(_shape_alone, {"sigma": "sigma"}),
    RF: Row(_resonating, _PQ, _TWO, initial=_turning),
    RF_IZ: Row(_resonating, _PQ, _TWO, initial=_turning),
    RFZero: Row(_rf_zero, _UV, ("u_in", "v_in"), initial=_rf_zero_turning),
    GradedVec: Row(_vector),
    GradedReluVec: Row(_vector),
    ProdNeuron: Row(_product, inputs=("a_in1", "a_in2")),
    NormVecDelay: Row(_vector, {"v": "v"}, ("a_in1", "a_in2")),
    InvSqrt: Row(_shape_alone),
}
"""Every process of the table PROCESSES that is one of Lava's."""


def sent_member(node: Process, row: Row) -> str:
    """The member of Lava's process that holds what ours sends."""
    match node:
        case NormVecDelay(sends="square"):
            return "s2_out"
        case LIF(emit="voltage") | LIFReset(emit="voltage"):
            return row.states["v"]
        case _:
            return row.output
