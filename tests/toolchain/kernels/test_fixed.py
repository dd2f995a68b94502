"""The kernels of Loihi's neurons by brute force: every decay and every edge of every register, against `step`."""

import numba
import numpy as np
import pytest
from spikeport.toolchain.kernels.events import events_range
from spikeport.toolchain.kernels.fixed import keep
from spikeport.toolchain.kernels.fixed_inputs import take_range
from spikeport.toolchain.kernels.fixed_recurrent import send_back
from spikeport.toolchain.loihi.arithmetic import decay
from spikeport.toolchain.loihi.processes import (
    ATRLIF,
    LIF,
    RF,
    RF_IZ,
    Delta,
    GradedReluVec,
    GradedVec,
    LIFReset,
    NormVecDelay,
    Process,
    ProdNeuron,
    RFZero,
    Sigma,
    SigmaDelta,
    TernaryLIF,
)
from spikeport.toolchain.simulate.fixed_neurons import NEURONS, neuron

BITS = (0, 1, 5, 6, 11, 12, 16, 22, 23, 24, 25, 26, 30, 31)
EDGES = np.array(sorted({s * (1 << b) + d for b in BITS for s in (1, -1) for d in (-1, 0, 1)} | {0, 77, -3000}))
EDGES = EDGES[(EDGES >= -(1 << 31)) & (EDGES < 1 << 31)]
"""Every number of 32 bits that is next to where something wraps, saturates or rounds."""

MEMBRANES = [
    {"current_decay": 0, "voltage_decay": 4096, "bias": -4096, "bias_exponent": 7},
    {"current_decay": 4096, "voltage_decay": 0, "bias": 4095, "bias_exponent": 7},
    {"current_decay": 1, "voltage_decay": 4095, "bias": 0},
    {"current_decay": 2047, "voltage_decay": 3, "bias": -1, "bias_exponent": 3},
]
KEPT = {"current_decay": 40, "voltage_decay": 300, "threshold_decay": 7, "refractory_decay": 4096}
CASES: list[Process] = [
    *(LIF(threshold=threshold, **fields) for fields in MEMBRANES for threshold in (0, 131071)),
    LIF(threshold=500, emit="voltage", **MEMBRANES[3]),
    *(LIFReset(threshold=9, interval=n, offset=k, **MEMBRANES[3]) for n, k in ((1, 0), (2, 1), (3, 2))),
    *(TernaryLIF(high=high, low=low, **MEMBRANES[3]) for high, low in ((0, 0), (131071, -131071), (-5, -9))),
    ATRLIF(threshold=100, threshold_step=3, bias=2, bias_exponent=3, **KEPT),
    ATRLIF(threshold=131071, threshold_step=131071, bias=-4096, bias_exponent=7, **{**KEPT, "refractory_decay": 0}),
    *(
        Delta(threshold=t, spike_exponent=e, cumulative=c)
        for t, e in ((0, 0), (7, 5), (32767, 15))
        for c in (False, True)
    ),
    Delta(threshold=1, spike_exponent=15, state_exponent=15, cumulative=True),
    *(SigmaDelta(threshold=5, state_exponent=e, bias=-9, activation=a) for e in (0, 6) for a in ("relu", "unit")),
    SigmaDelta(threshold=0, spike_exponent=15, state_exponent=4, bias=4000, cumulative=True),
    Sigma(),
    *(kind(cos=-3000, sin=2700, threshold=t, state_exponent=e) for kind in (RF, RF_IZ) for t, e in ((0, 0), (900, 15))),
    RF_IZ(cos=32768, sin=-32768, threshold=8388607, decay_bits=15),
    RFZero(cos=32768, sin=-32768, threshold=0),
    RFZero(cos=27000, sin=17000, threshold=8388607),
    *(kind(threshold=t) for kind in (GradedVec, GradedReluVec) for t in (-(1 << 31), -1, 0, 1 << 23, (1 << 31) - 1)),
    *(ProdNeuron(threshold=t, exponent=e) for t, e in ((0, 0), (-1, 31), (1 << 30, 3))),
    *(NormVecDelay(threshold=t, sends=s) for t in (0, 1 << 30) for s in ("square", "product")),
]


@pytest.mark.parametrize("node", CASES, ids=lambda node: node.kind)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_kernel_is_the_step_at_every_edge(node: Process, dtype: type):
    """Every edge as the state with every edge as what comes in, and two steps more from where that led."""
    edges = EDGES if dtype == np.float64 else EDGES[np.abs(EDGES) <= 1 << 24]
    held, given = (grid.reshape(-1) for grid in np.meshgrid(EDGES, edges))
    rows = np.stack([given, given[::-1], np.roll(given, 7)])[:, None]
    inputs = [rows, np.roll(rows, 3, 2)][: node.arity[1]]
    state = node.start(held.shape, 1, np.int64)
    for index, name in enumerate(state):
        if name != "t":
            state[name] = np.roll(held, index * 5)[None]
    found = {key: value.astype(np.int64 if key == "t" else np.int32) for key, value in state.items()}
    keep_all = [key for key in state if key != "t"]
    sent = np.empty(rows.shape, np.float64)
    run = neuron(node, [held.shape] * len(inputs))
    kept = run(found, [x.astype(dtype) for x in inputs], keep_all, sent)
    for t in range(len(rows)):
        y, state = node.step(state, *(x[t] for x in inputs))
        np.testing.assert_array_equal(sent[t], y)
        for key in keep_all:
            np.testing.assert_array_equal(kept[key][t], state[key], err_msg=key)
    for key, value in state.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


def test_every_neuron_with_a_kernel_is_among_them():
    assert {type(node) for node in CASES} == set(NEURONS)


@numba.njit
def _kept(values, k, out):
    for n in range(values.size):
        out[n] = keep(values[n], np.uint32(k))


def test_32_bits_are_enough_for_every_decay():
    values, found = EDGES.astype(np.int32), np.empty(len(EDGES), np.int32)
    for amount in range(4097):
        _kept(values, 4096 - amount, found)
        np.testing.assert_array_equal(found, decay(EDGES, amount), err_msg=str(amount))


@numba.njit
def _sent_back(weight, down, spikes, events, back):
    send_back(weight, down, spikes, events, back)


@pytest.mark.parametrize("down", [0, 3])
def test_what_comes_back_is_the_sum_of_the_rows_of_those_that_spike(down: int):
    rng = np.random.default_rng(0)
    weight = rng.integers(-300, 300, (21, 21)).astype(np.int32)
    for count in range(22):
        spikes = np.zeros(21, np.float32)
        spikes[rng.permutation(21)[:count]] = 1
        back = np.empty(21, np.int32)
        _sent_back(weight, down, spikes, np.empty(21, np.int64), back)
        np.testing.assert_array_equal(back, (spikes.astype(np.int64) @ weight) >> down)


@pytest.mark.parametrize("wrong", [2.0, -1.0, 0.5, 1 - 1e-12, np.nan, np.inf])
def test_one_wrong_value_among_many_is_seen(wrong: float):
    values = np.ones((4, 3, 8))
    out = np.empty((4, 8, 3), np.float32)
    assert take_range(values, out, 0.0, 1.0, 0, 4) == 0
    values[2, 1, 5] = wrong
    assert take_range(values, out, 0.0, 1.0, 0, 4) == 1
    assert take_range(values, out, 0.0, 1.0, 0, 2) == 0
    np.testing.assert_array_equal(out, values.transpose(0, 2, 1).astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("payload", [False, True])
def test_a_product_looks_at_nothing_but_events(dtype: type, payload: bool):
    rng = np.random.default_rng(1)
    weight = rng.integers(-300, 300, (13, 5)).astype(dtype)
    for count in range(14):
        x = np.zeros((3, 13), np.float32)
        for row in x:
            row[rng.permutation(13)[:count]] = rng.choice([-7, 1, 3], count)
        y = np.full((3, 5), 9, dtype)
        events_range(x, weight, y, payload, 0, 3)
        np.testing.assert_array_equal(y, (x if payload else x != 0) @ weight.astype(np.float64))
