"""Worst-case sums, synapses and bits of chip graphs, counted a second time by brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    ATRLIF,
    LIF,
    ChipInput,
    ChipOutput,
    Conv,
    ConvInTime,
    DelayDense,
    Dense,
    GradedVec,
    Port,
    Process,
    Sparse,
)
from spikeport.toolchain.loihi.summary import ChipRow, bits_of, summarise
from support.random_chips import random_chip, random_spikes

FORGETS = {"current_decay": 4096, "voltage_decay": 0, "threshold": 1}


def rows(graph: ChipGraph) -> dict[str, ChipRow]:
    return {row.name: row for row in summarise(graph)}


def one(synapse: Process, shape: tuple[int, ...], carries: str = "spikes", neuron: Process | None = None) -> ChipGraph:
    neuron = neuron or LIF(**FORGETS)
    nodes = {"in": ChipInput(shape, carries), "fc": synapse, "lif": neuron, "out": ChipOutput()}
    return ChipGraph(nodes, {"fc": (later("in"),), "lif": (Wire("fc"),), "out": (Wire("lif"),)})


def every_output(node: Process, shape: tuple[int, ...], values: list[int], steps: int) -> np.ndarray:
    """What a synapse can send, over every run of so many steps."""
    size = math.prod(shape)
    runs = np.array(list(itertools.product(values, repeat=size * steps))).reshape(-1, steps, *shape)
    state, sent = node.start(shape, len(runs), np.int64), []
    for step in range(steps):
        y, state = node.step(state, runs[:, step])
        sent.append(y)
    return np.stack(sent)


CASES = {
    "dense": (Dense(weight=np.array([[3, -4, 250], [5, -6, -7]]), exponent=2), (3,), "spikes", 1),
    "shifted down": (Dense(weight=np.array([[3, -4, 7], [5, -6, -7]]), exponent=-1), (3,), "spikes", 1),
    "payload": (Dense(weight=np.array([[3, -4], [5, 6]]), message_bits=8), (2,), "int[-2,3]", 1),
    "payload not seen": (Dense(weight=np.array([[3, -4], [5, 6]])), (2,), "int[-2,3]", 1),
    "delays": (DelayDense(weight=np.array([[4, -8], [6, 2]]), delay=np.array([[0, 2], [1, 1]])), (2,), "spikes", 3),
    "conv": (Conv(weight=np.arange(-4, 4).reshape(2, 1, 2, 2)), (1, 2, 2), "spikes", 1),
    "in time": (ConvInTime(weight=np.array([[[3, -4]], [[-1, 7]]])), (2,), "spikes", 2),
}


@pytest.mark.parametrize("name", CASES)
def test_the_worst_case_is_the_largest_and_the_smallest_there_is(name: str) -> None:
    node, shape, carries, steps = CASES[name]
    found = rows(one(node, shape, carries))["fc"].sum
    low, high = {"spikes": (0, 1), "int[-2,3]": (-2, 3)}[carries]
    sent = every_output(node, shape, list(range(low, high + 1)), steps)
    assert (found.least, found.most) == (sent.min(), sent.max())


def test_delays_that_are_rounded_down_one_by_one_stay_inside() -> None:
    node = DelayDense(weight=np.array([[-3, -2, -2]]), delay=np.array([[0, 1, 2]]), exponent=-2)
    found = rows(one(node, (3,)))["fc"].sum
    sent = every_output(node, (3,), [0, 1], 3)
    assert found.least <= sent.min() == -3
    assert found.most >= sent.max()


def bounded(chip: ChipGraph) -> dict[str, ChipRow]:
    """What has a worst case and cannot wrap: a convolution does at 24 bits, all else at 32; nor can what it adds up."""
    found: dict[str, ChipRow] = {}
    for row in sorted(summarise(chip), key=lambda row: chip.order.index(row.name)):
        most = 2**23 if isinstance(row.node, Conv) else 2**31
        joined = row.node.role == "join" and any(wire.source not in found for wire in chip.wires[row.name])
        if row.sum is not None and row.node.role != "neuron" and row.sum.magnitude < most and not joined:
            found[row.name] = row
    return found


@given(st.integers(0, 10**6))
@settings(deadline=None, max_examples=40)
def test_no_run_leaves_the_worst_case(seed: int) -> None:
    chip = random_chip(seed)
    known = bounded(chip)
    given_ = random_spikes(chip, seed, 6, 2)
    states = {n: chip.nodes[n].start(r[0].shape, 2, np.int64) for n in chip.nodes if (r := chip.received(n))}
    sent = {name: np.zeros((2, *signal.shape), np.int64) for name, signal in chip.signals.items()}
    for step in range(6):
        before = dict(sent)
        for name in chip.order:
            if name in given_:
                sent[name] = given_[name][step]
                continue
            inputs = [(before if wire.delayed else sent)[wire.source] for wire in chip.wires[name]]
            sent[name], states[name] = chip.nodes[name].step(states[name], *inputs)
            if name in known:
                assert known[name].sum.least <= sent[name].min()
                assert sent[name].max() <= known[name].sum.most


def test_ports_add_output_by_output() -> None:
    nodes = {
        "in": ChipInput((2,)),
        "a": Dense(weight=np.array([[100, 50], [2, 2]])),
        "b": Dense(weight=np.array([[2, 2], [70, -60]])),
        "port": Port(),
        "lif": LIF(current_decay=1024, voltage_decay=0, threshold=1),
        "out": ChipOutput(),
    }
    wires = {"a": (later("in"),), "b": (later("in"),), "port": (Wire("a"), Wire("b")), "lif": (Wire("port"),)}
    found = rows(ChipGraph(nodes, {**wires, "out": (Wire("lif"),)}))
    assert (found["port"].sum.least, found["port"].sum.most) == (-60, 154)
    assert found["lif"].sum is found["port"].sum
    # The current holds a quarter less each step: it can grow to four times what comes in.
    assert found["lif"].filled == pytest.approx(154 * 64 * 4 / (2**23 - 1))


@pytest.mark.parametrize(
    ("neuron", "filled"),
    [
        (LIF(**FORGETS), 10 * 64 / (2**23 - 1)),
        (LIF(current_decay=0, voltage_decay=0, threshold=1), math.inf),
        (LIF(current_decay=np.array([4096, 1024]), voltage_decay=0, threshold=1), 4 * 10 * 64 / (2**23 - 1)),
        (
            ATRLIF(
                current_decay=1023,
                voltage_decay=0,
                threshold_decay=0,
                refractory_decay=0,
                threshold=1,
                threshold_step=0,
            ),
            4 * 10 * 64 / (2**23 - 1),
        ),
    ],
    ids=["forgets", "keeps", "each its own", "one more"],
)
def test_how_full_the_current_gets(neuron: Process, filled: float) -> None:
    found = rows(one(Dense(weight=np.array([[4, 6], [2, -2]])), (2,), neuron=neuron))
    assert found["lif"].filled == pytest.approx(filled)


def test_a_source_without_known_values_has_no_worst_case() -> None:
    values = {"vec": GradedVec(), "fc2": Dense(weight=np.array([[2]]), message_bits=16), "end": ChipOutput()}
    nodes = {"in": ChipInput((1,)), "fc": Dense(weight=np.array([[4]])), **values, "lif2": LIF(**FORGETS)}
    wires = {"fc": (later("in"),), "vec": (Wire("fc"),), "fc2": (later("vec"),), "lif2": (Wire("fc2"),)}
    found = rows(ChipGraph(nodes, {**wires, "end": (Wire("lif2"),)}))
    assert (found["fc2"].sum, found["lif2"].sum, found["lif2"].filled) == (None, None, None)


def test_nothing_comes_of_no_weights() -> None:
    silent = rows(one(Dense(weight=np.array([[0, 0]])), (2,)))
    assert (silent["lif"].filled, silent["lif"].sum.magnitude) == (0.0, 0)


def test_synapses_are_the_pairs_that_are_connected() -> None:
    conv = Conv(weight=np.ones((4, 1, 3, 3), int), groups=2, padding=1, stride=2)
    size = 2 * 5 * 6
    sent, _ = conv.step({}, np.eye(size, dtype=np.int64).reshape(size, 2, 5, 6))
    assert rows(one(conv, (2, 5, 6)))["fc"].synapses == np.count_nonzero(sent)
    weight = np.array([[0, 4], [6, 0], [0, 0]])
    assert rows(one(Sparse(weight=weight), (2,)))["fc"].synapses == 2
    found = rows(one(Dense(weight=weight), (2,)))
    assert found["fc"].synapses == 6
    assert (found["lif"].neurons, found["in"].neurons, found["in"].synapses) == (3, 0, None)


@pytest.mark.parametrize(
    ("held", "bits"),
    [([1, 255], 8), ([-256, 254], 8), ([2, 4], 7), ([-2, 2], 8), ([-128, 128], 2), ([0, 0], 1), ([-256, 255], None)],
)
def test_the_fewest_bits_that_hold_the_weights(held: list[int], bits: int | None) -> None:
    assert bits_of(np.array(held)) == bits
