"""One process of every kind that the worker knows, with inputs for all of its ports."""

from collections.abc import Mapping

import numpy as np
from spikeport.toolchain.simulate.lava_program import LavaConnection, LavaProcess, LavaProgram, SparseWeights

rng = np.random.default_rng(3)
WEIGHTS = rng.integers(-127, 128, (6, 5))
DELAYS = rng.integers(0, 4, (6, 5))
LIF = {"shape": (4,), "du": 300, "dv": 200, "bias_mant": np.array([-9, 0, 9, 90]), "bias_exp": 3}
SDN = {"shape": (4,), "vth": 20, "spike_exp": 3, "state_exp": 2}
RF = {"shape": (4,), "period": 8.0, "alpha": 0.05, "decay_bits": 12, "state_exp": 6, "vth": 100}
VECTOR = {"shape": (4,), "vth": 3}


def sparse(matrix: np.ndarray) -> SparseWeights:
    """A matrix by its entries that are not 0."""
    rows, columns = np.nonzero(matrix)
    return SparseWeights(rows, columns, matrix[rows, columns], matrix.shape)


#: kind: its parameters, the shapes at its input ports, and what can be recorded of it.
KINDS = {
    "Dense": ({"weights": WEIGHTS, "sign_mode": "MIXED"}, {"s_in": (5,)}, ("a_out", "a_buff")),
    "DelayDense": ({"weights": WEIGHTS, "delays": DELAYS}, {"s_in": (5,)}, ("a_out", "a_buff")),
    "Sparse": ({"weights": sparse(WEIGHTS), "num_message_bits": 8}, {"s_in": (5,)}, ("a_out", "a_buff")),
    "DelaySparse": ({"weights": sparse(WEIGHTS), "delays": sparse(DELAYS)}, {"s_in": (5,)}, ("a_out",)),
    "Conv": (
        {"weight": rng.integers(-9, 9, (4, 2, 3, 1)), "input_shape": (6, 7, 2), "groups": 2, "padding": (1, 0)},
        {"s_in": (6, 7, 2)},
        ("a_out", "a_buf"),
    ),
    "ConvInTime": ({"weights": rng.integers(-9, 9, (3, 4, 5)), "num_message_bits": 8}, {"s_in": (5,)}, ("a_out",)),
    "LIF": ({**LIF, "vth": 40}, {"a_in": (4,)}, ("s_out", "u", "v", "a_in")),
    "LIFReset": (
        {**LIF, "vth": 40, "reset_interval": 7, "reset_offset": 3},
        {"a_in": (4,)},
        ("s_out", "u", "v"),
    ),
    "TernaryLIF": ({**LIF, "vth_hi": 30, "vth_lo": -30}, {"a_in": (4,)}, ("s_out", "u", "v")),
    "ATRLIF": ({"shape": (4,), "theta_0": 30, "theta_step": 9}, {"a_in": (4,)}, ("s_out", "i", "v", "theta", "r", "s")),
    "Delta": (SDN, {"a_in": (4,)}, ("s_out", "act", "residue")),
    "Sigma": ({"shape": (4,)}, {"a_in": (4,)}, ("s_out", "sigma")),
    "SigmaDelta": (
        {**SDN, "bias": 5, "act_mode": "UNIT", "cum_error": True},
        {"a_in": (4,)},
        ("s_out", "sigma", "act", "residue", "error"),
    ),
    "RF": (RF, {"a_real_in": (4,), "a_imag_in": (4,)}, ("s_out", "real", "imag")),
    "RF_IZ": (RF, {"a_real_in": (4,), "a_imag_in": (4,)}, ("s_out", "real", "imag")),
    "RFZero": ({"shape": (4,), "freqs": 40.0, "decay_tau": 0.1}, {"u_in": (4,), "v_in": (4,)}, ("s_out", "u", "v")),
    "GradedVec": (VECTOR, {"a_in": (4,)}, ("s_out",)),
    "GradedReluVec": (VECTOR, {"a_in": (4,)}, ("s_out",)),
    "NormVecDelay": (VECTOR, {"a_in1": (4,), "a_in2": (4,)}, ("s_out", "s2_out", "v", "v2")),
    "InvSqrt": ({"shape": (1,)}, {"a_in": (1,)}, ("s_out",)),
    "ProdNeuron": ({**VECTOR, "exp": 2}, {"a_in1": (4,), "a_in2": (4,)}, ("s_out",)),
    "Concat": ({"shapes": ((4, 2), (4, 3)), "axis": 1}, {"in0": (4, 2), "in1": (4, 3)}, ("s_out",)),
}


def every_kind(steps: int, samples: int) -> LavaProgram:
    """All of them in one program, not connected with each other."""
    inputs: dict[str, np.ndarray] = {}
    connections = []
    for kind, (_, ports, _) in KINDS.items():
        for port, shape in ports.items():
            low = 0 if kind == "InvSqrt" else -60
            inputs[f"{kind}_{port}"] = rng.integers(low, 60, (steps, samples, *shape))
            connections.append(LavaConnection(f"{kind}_{port}.s_out", f"{kind}.{port}"))
    processes = tuple(LavaProcess(kind, kind, parameters) for kind, (parameters, _, _) in KINDS.items())
    record = tuple(f"{kind}.{member}" for kind, (_, _, members) in KINDS.items() for member in members)
    return LavaProgram(steps, samples, inputs, processes, tuple(connections), record)


def chain(steps: int, samples: int = 1, **more: object) -> LavaProgram:
    """An input, a synapse and a neuron: the smallest network worth the name."""
    return program(
        {"in": np.ones((steps, samples, 3), int)},
        (LavaProcess("fc", "Dense", {"weights": np.full((2, 3), 10)}), LavaProcess("lif", "LIF", {"shape": (2,)})),
        ("in.s_out > fc.s_in", "fc.a_out > lif.a_in"),
        ("lif.s_out", "lif.u", "lif.v"),
        **more,
    )


def program(
    inputs: Mapping[str, np.ndarray],
    processes: tuple[LavaProcess, ...],
    wires: tuple[str, ...],
    record: tuple[str, ...],
    **more: object,
) -> LavaProgram:
    """A program whose connections are written `a.b > c.d`; as many steps and samples as the inputs have."""
    steps, samples = next(iter(inputs.values())).shape[:2]
    connections = tuple(LavaConnection(*wire.split(" > ")) for wire in wires)
    return LavaProgram(steps, samples, inputs, processes, connections, record, **more)
