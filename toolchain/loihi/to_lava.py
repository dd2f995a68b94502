"""From a chip graph to a program of Lava's processes, connected as the graph is.

A chip graph knows images as (channels, height, width); Lava's Conv knows (width, height, channels) and turns its kernel
over, so weights, strides and what goes in and out are turned here. Joins of ports become what Lava has for them:
several connections into one port, transforms on a connection, and a Concat.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import SimulationError
from ..graph.nodes.base import Array
from ..simulate.lava_program import LavaConnection, LavaProcess, LavaProgram, SparseWeights, Transform, Value
from .chip_graph import ChipGraph
from .limits import LOIHI2
from .processes import (
    ATRLIF,
    LIF,
    RF,
    RF_IZ,
    ChipInput,
    ChipOutput,
    Conv,
    ConvInTime,
    DelayDense,
    DelaySparse,
    Delta,
    Dense,
    GradedReluVec,
    GradedVec,
    InvSqrt,
    Joined,
    LIFReset,
    NormVecDelay,
    Port,
    Process,
    ProdNeuron,
    RFZero,
    Shaped,
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
class _Row:
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

ROWS: Mapping[type[Process], _Row] = {
    Dense: _Row(_matrix, inputs=("s_in",), output="a_out"),
    Sparse: _Row(_sparse, inputs=("s_in",), output="a_out"),
    DelayDense: _Row(_delayed, inputs=("s_in",), output="a_out"),
    DelaySparse: _Row(_delay_sparse, inputs=("s_in",), output="a_out"),
    Conv: _Row(_conv, inputs=("s_in",), output="a_out"),
    ConvInTime: _Row(_conv_in_time, inputs=("s_in",), output="a_out"),
    LIF: _Row(_lif, _UV),
    LIFReset: _Row(_lif_reset, _UV),
    TernaryLIF: _Row(_ternary, _UV),
    ATRLIF: _Row(_atrlif, {"i": "i", "v": "v", "r": "r", "theta": "theta"}),
    Delta: _Row(_coding, _OWED),
    SigmaDelta: _Row(_sigma_delta, {**_OWED, "sigma": "sigma"}),
    Sigma: _Row(_shape_alone, {"sigma": "sigma"}),
    RF: _Row(_resonating, _PQ, _TWO, initial=_turning),
    RF_IZ: _Row(_resonating, _PQ, _TWO, initial=_turning),
    RFZero: _Row(_rf_zero, _UV, ("u_in", "v_in"), initial=_rf_zero_turning),
    GradedVec: _Row(_vector),
    GradedReluVec: _Row(_vector),
    ProdNeuron: _Row(_product, inputs=("a_in1", "a_in2")),
    NormVecDelay: _Row(_vector, {"v": "v"}, ("a_in1", "a_in2")),
    InvSqrt: _Row(_shape_alone),
}
"""Every process of the table PROCESSES that is one of Lava's."""


@dataclass(frozen=True)
class _From:
    """One source of a port: an output port, and the transforms on the way."""

    port: str
    transforms: tuple[Transform, ...] = ()


@dataclass
class _Translation:
    """A chip graph on its way into a program."""

    graph: ChipGraph
    names: Mapping[str, str]
    processes: list[LavaProcess] = field(default_factory=list)
    connections: list[LavaConnection] = field(default_factory=list)

    def sources(self, name: str) -> list[_From]:
        """What a node sends, as ports of Lava's; several add up."""
        node, wires = self.graph.nodes[name], self.graph.wires[name]
        match node:
            case Port():
                return [each for wire in wires for each in self.sources(wire.source)]
            case Shaped():
                turned: tuple[Transform, ...] = () if node.axes is None else (("transpose", node.axes),)
                return [
                    _From(each.port, (*each.transforms, *turned, ("reshape", node.shape)))
                    for each in self.sources(wires[0].source)
                ]
            case ChipInput():
                return [_From(f"{self.names[name]}.s_out")]
            case Conv():
                return [_From(f"{self.names[name]}.a_out", (("transpose", WHC),))]
            case Joined():
                return [_From(f"{self.names[name]}.s_out")]
            case NormVecDelay(sends="square"):
                return [_From(f"{self.names[name]}.s2_out")]
            case _:
                return [_From(f"{self.names[name]}.{ROWS[type(node)].output}")]

    def connect(self, source: str, port: str, last: tuple[Transform, ...] = ()) -> None:
        """Connect all that a node sends with a port."""
        found = self.sources(source)
        if len({each.port for each in found}) < len(found):
            fix = "double the weights before it instead"
            raise SimulationError(port, f"two connections from '{source}'", "one, as Lava allows", fix)
        self.connections += [LavaConnection(each.port, port, (*each.transforms, *last)) for each in found]

    def add(self, name: str) -> None:
        """A node's process, and the connections into it."""
        node, wires, own = self.graph.nodes[name], self.graph.wires[name], self.names[name]
        if isinstance(node, (ChipInput, ChipOutput, Port, Shaped)):
            return
        received = [signal.shape for signal in self.graph.received(name)]
        if isinstance(node, Joined):
            axis = node.axis % len(received[0])
            self.processes.append(LavaProcess(own, "Concat", {"shapes": tuple(received), "axis": axis}))
            ports: Sequence[str] = [f"in{index}" for index in range(len(wires))]
        else:
            row = ROWS[type(node)]
            self.processes.append(LavaProcess(own, node.kind, row.parameters(node, received[0]), row.initial(node)))
            ports = row.inputs
        turned: tuple[Transform, ...] = (("transpose", WHC),) if isinstance(node, Conv) else ()
        for wire, port in zip(wires, ports, strict=False):
            self.connect(wire.source, f"{own}.{port}", turned)


def to_lava(graph: ChipGraph, inputs: Mapping[str, Array]) -> tuple[LavaProgram, Mapping[str, str]]:
    """A program that runs a chip graph on inputs [T, B, *shape], and what it records.

    The second part says, for every NAME of a process and NAME.STATE of one of its states, what the program calls it.
    """
    names = {name: f"n{index}" for index, name in enumerate(graph.nodes)}
    translation = _Translation(graph, names)
    for name in graph.order:
        translation.add(name)
    record: dict[str, str] = {}
    for name, node in graph.nodes.items():
        if type(node) in ROWS:
            row = ROWS[type(node)]
            port = "s2_out" if isinstance(node, NormVecDelay) and node.sends == "square" else row.output
            record[name] = f"{names[name]}.{port}"
            record |= {f"{name}.{ours}": f"{names[name]}.{lavas}" for ours, lavas in row.states.items()}
    steps, samples = next(iter(inputs.values())).shape[:2]
    given = {names[name]: np.asarray(inputs[name]).astype(np.int32) for name in graph.inputs}
    processes = tuple(translation.processes)
    connections = tuple(translation.connections)
    return LavaProgram(steps, samples, given, processes, connections, tuple(record.values()), graph.name), record
