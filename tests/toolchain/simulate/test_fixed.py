"""The fast simulation of chips against the plain definition: everything sent and every state, bit for bit."""

import itertools
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import SimulationError
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    LIF,
    ChipInput,
    ChipOutput,
    Conv,
    ConvInTime,
    DelayDense,
    DelaySparse,
    Dense,
    GradedVec,
    InvSqrt,
    LIFReset,
    Port,
    Process,
    Shaped,
    Sparse,
    TernaryLIF,
    synapses,
)
from spikeport.toolchain.simulate import Trace, simulate
from spikeport.toolchain.simulate.fixed_plan import fixed_plan
from support.chip_steps import Definition
from support.random_chips import random_chip, random_spikes

STEPS, BATCH = 13, 2
Inputs = dict[str, np.ndarray]


def same(trace: Trace, wanted: Definition, graph: ChipGraph, first: int = 0, samples: slice = slice(None)) -> None:
    """Everything a trace has is what the definition gives."""
    steps = slice(first, first + trace.steps)
    for name in graph.nodes:
        np.testing.assert_array_equal(trace[name].sent, wanted.sent[name][steps, samples], err_msg=name)
        for state, values in trace[name].states.items():
            expected = wanted.states[f"{name}.{state}"][steps, samples]
            np.testing.assert_array_equal(values, expected, err_msg=f"{name}.{state}")


def test_weights_may_be_widened_in_pieces(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(synapses, "PIECE", 9)
    for seed in range(200, 206):
        graph = random_chip(seed)
        inputs = random_spikes(graph, seed, STEPS, BATCH)
        same(simulate(graph, inputs, record="all"), Definition(graph, inputs), graph)


@pytest.mark.parametrize("seed", range(200, 240))
def test_random_chips_however_they_are_cut(seed: int):
    graph = random_chip(seed)
    inputs = random_spikes(graph, seed, STEPS, BATCH)
    wanted = Definition(graph, inputs)
    whole = simulate(graph, inputs, record="all")
    same(whole, wanted, graph)
    same(simulate(graph, inputs, record="all", window=3), wanted, graph)
    same(simulate(graph, {n: x[:, 1:] for n, x in inputs.items()}, record="all"), wanted, graph, 0, slice(1, 2))
    cut = 1 + seed % (STEPS - 1)
    late = max(node.after for node in graph.nodes.values() if isinstance(node, ChipOutput))
    if cut > late:
        start = simulate(graph, {n: x[:cut] for n, x in inputs.items()}, record="all")
        rest = simulate(graph, {n: x[cut:] for n, x in inputs.items()}, record="all", state=start.state)
        same(start, wanted, graph)
        same(rest, wanted, graph, cut)
        for name, answer in whole.outputs.items():
            pieces = (start.outputs[name], rest.outputs[name])
            expected = np.concatenate(pieces) if graph.nodes[name].readout == "steps" else pieces[1]
            np.testing.assert_array_equal(expected, answer)


def chain(*nodes: Process) -> ChipGraph:
    """Processes one behind the other; an output at the end."""
    names = [f"n{index}" for index in range(len(nodes))]
    named = dict(zip(names, nodes, strict=True))
    wires = {name: (Wire(before, delayed=named[name].role == "synapse"),) for before, name in itertools.pairwise(names)}
    return ChipGraph({**named, "out": ChipOutput()}, {**wires, "out": (Wire(names[-1]),)})


def checked(graph: ChipGraph, *inputs: np.ndarray) -> None:
    given = dict(zip(graph.inputs, inputs, strict=True))
    same(simulate(graph, given, record="all", window=4), Definition(graph, given), graph)


def extremes(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Payloads of 16 bits, many of them the largest."""
    return rng.choice([65535, -65535, 0, 1, 12345], shape)


WEIGHTS = (255, -256, 300, -300, 1 << 30, -(1 << 30), 7)
FIRST = Dense(weight=np.array([[255, 255, -256], [255, 254, 255], [-256, -256, -256]]), message_bits=24, exponent=7)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30))
def test_synapses_on_payloads_that_wrap(seed: int):
    rng = np.random.default_rng(seed)
    fields = {"message_bits": 24, "exponent": int(rng.integers(-16, 17)), "bits": int(rng.integers(1, 9))}
    weight = rng.choice(WEIGHTS, (4, 3))
    kinds = {
        "dense": Dense(weight=weight, **fields),
        "sparse": Sparse(weight=weight, **fields),
        "delay": DelayDense(weight=weight, delay=rng.integers(0, 4, (4, 3)), **fields),
        "sparse_delay": DelaySparse(weight=weight, delay=rng.integers(0, 4, (4, 3)), **fields),
        "time": ConvInTime(weight=rng.choice(WEIGHTS, (3, 4, 3)), message_bits=24),
    }
    first = {"in": ChipInput((3,), "int[-65535,65535]"), "up": FIRST, "wide": GradedVec()}
    last = {f"{name}_lif": LIF(current_decay=9, voltage_decay=9, threshold=5000) for name in kinds}
    nodes = {**first, **kinds, **last, "port": Port(), "out": ChipOutput()}
    wires = {"up": (later("in"),), "wide": (Wire("up"),), **{name: (later("wide"),) for name in kinds}}
    wires |= {f"{name}_lif": (Wire(name),) for name in kinds}
    wires |= {"port": tuple(Wire(name) for name in kinds), "out": (Wire("port"),)}
    checked(ChipGraph(nodes, wires), extremes(rng, 9, 2, 3))


@pytest.mark.parametrize("most", [60, 300, 1 << 20, 1 << 30])
@pytest.mark.parametrize("bits", [0, 24])
def test_convolutions_in_every_type_of_sum(most: int, bits: int):
    rng = np.random.default_rng(most)
    conv = Conv(weight=rng.integers(-most, most, (4, 2, 3, 2)), padding=1, stride=(2, 1), message_bits=bits)
    lif = LIF(current_decay=50, voltage_decay=90, threshold=70, bias=rng.integers(-9, 9, (4, 1, 1)))
    graph = chain(ChipInput((2, 6, 5), "int[-65535,65535]"), conv, lif, Conv(weight=np.ones((2, 4, 1, 1), int)))
    checked(graph, extremes(rng, 9, 3, 2, 6, 5))


@pytest.mark.parametrize("exponent", [-5, 0, 3, 16])
@pytest.mark.parametrize("node", [LIF, LIFReset, TernaryLIF])
def test_neurons_that_hear_themselves_run_as_one_kernel(node: type[Process], exponent: int):
    rng = np.random.default_rng(exponent + 5)
    fields = {"current_decay": rng.integers(0, 4096, 7), "voltage_decay": 100, "bias": 5}
    fields |= {"high": 40, "low": -30} if node is TernaryLIF else {"threshold": 40}
    fields |= {"interval": 4, "offset": 1} if node is LIFReset else {}
    nodes = {
        "in": ChipInput((3,)),
        "fc": Dense(weight=rng.integers(-90, 99, (7, 3))),
        "port": Port(),
        "lif": node(**fields),
        "back": Sparse(weight=rng.integers(-255, 255, (7, 7)), exponent=exponent),
        "out": ChipOutput(),
    }
    wires = {"fc": (later("in"),), "port": (Wire("fc"), Wire("back")), "lif": (Wire("port"),)}
    graph = ChipGraph(nodes, {**wires, "back": (later("lif"),), "out": (Wire("lif"),)})
    assert len(fixed_plan(graph).recurrences) == 1
    spikes = rng.integers(0, 2, (11, 3, 3))
    checked(graph, spikes)
    wanted = Definition(graph, {"in": spikes})
    alone = simulate(graph, spikes, record=["lif"])
    np.testing.assert_array_equal(alone["lif"].sent, wanted.sent["lif"])


def small(**fields: object) -> ChipGraph:
    weight = np.array([[9, -4, 60], [5, 6, 7]]) * 8
    return chain(ChipInput((3,)), Dense(weight=weight), LIF(current_decay=99, voltage_decay=70, threshold=9, **fields))


def test_inputs_of_every_type_give_the_same():
    spikes = np.random.default_rng(0).integers(0, 2, (9, 2, 3))
    wanted = simulate(small(), spikes).outputs["out"]
    for dtype in ("bool", "int8", "uint8", "uint16", "int32", "uint64", "float16", "float32", "float64", ">i4"):
        np.testing.assert_array_equal(simulate(small(), spikes.astype(dtype)).outputs["out"], wanted, err_msg=dtype)
    strided = np.asfortranarray(spikes)
    strided.flags.writeable = False
    np.testing.assert_array_equal(simulate(small(), strided).outputs["out"], wanted)
    pieces = simulate(small(), iter(np.split(spikes, [2, 3, 8])), record=["n2.v"])
    np.testing.assert_array_equal(pieces.outputs["out"], wanted)
    np.testing.assert_array_equal(pieces["n2"].voltages, simulate(small(), spikes, record=["n2.v"])["n2"].states["v"])


@pytest.mark.parametrize(
    ("value", "carries", "said"),
    [
        (2, "spikes", "n0: 2 in step 5, sample 1, at [2]; expected spikes, as the input promises"),
        (0.99999999999, "spikes", "n0: 0.99999999999 in step 5, sample 1, at [2]; expected spikes, as"),
        (np.nan, "spikes", "n0: nan in step 5, sample 1, at [2]"),
        (10, "int[-9,9]", "n0: 10 in step 5, sample 1, at [2]; expected int[-9,9], as the input promises"),
        (1 << 40, "int[-9,9]", "n0: 1099511627776 in step 5"),
    ],
)
def test_inputs_that_break_their_promise_are_refused(value: float, carries: str, said: str):
    graph = chain(ChipInput((3,), carries), GradedVec())
    x = np.zeros((7, 2, 3), np.asarray(value).dtype)
    x[5, 1, 2] = value
    with pytest.raises(SimulationError) as caught:
        simulate(graph, x, window=4)
    assert str(caught.value).startswith(said)


def test_what_a_process_refuses_is_said_with_its_name():
    graph = chain(ChipInput((1,), "int[-9,9]"), InvSqrt())
    with pytest.raises(Exception, match=r"^n1, input: -3\.\.0; expected 0\.\.16777215"):
        simulate(graph, np.array([0, -3, 0])[:, None, None])


READOUTS = ("steps", "last", "sum", "mean", "max")


def answering(after: int) -> ChipGraph:
    nodes = {"in": ChipInput((2,), "int[-9,9]"), **{name: ChipOutput(name, after) for name in READOUTS}}
    return ChipGraph(nodes, {name: (Wire("in"),) for name in READOUTS})


@pytest.mark.parametrize("cut", [3, 4, 5, 7])
def test_readouts_count_from_the_step_of_the_first_answer(cut: int):
    x = np.random.default_rng(1).integers(-9, 10, (8, 3, 2))
    answers = {"steps": x, "last": x[-1], "sum": x[2:].sum(0), "mean": x[2:].mean(0), "max": x[2:].max(0)}
    start = simulate(answering(2), x[:cut])
    rest = simulate(answering(2), x[cut:], state=start.state) if cut < 8 else start
    for found in (simulate(answering(2), x), simulate(answering(2), x, window=1)):
        for name, answer in answers.items():
            np.testing.assert_array_equal(found.outputs[name], answer)
            expected = {"sum": np.int64, "mean": np.float64}.get(name, np.int32)
            assert found.outputs[name].dtype == expected
    for name in READOUTS[1:]:
        np.testing.assert_array_equal(rest.outputs[name], answers[name])


def test_a_run_that_ends_before_the_answer_is_refused():
    with pytest.raises(SimulationError) as caught:
        simulate(answering(2), np.zeros((2, 1, 2)))
    said = "last: 2 steps, and its answer comes 2 late; expected at least 3. Append steps without input"
    assert str(caught.value) == said


def test_a_state_of_another_network_or_batch_is_refused():
    state = simulate(small(), np.zeros((2, 1, 3))).state
    with pytest.raises(SimulationError, match="state: a run of 1 samples in int32; expected 2 samples"):
        simulate(small(), np.zeros((2, 2, 3)), state=state)
    other = chain(ChipInput((3,)), Dense(weight=np.eye(4, 3, dtype=int)), LIF(**{**LIF_FIELDS, "threshold": 4}))
    with pytest.raises(SimulationError, match="another network's state"):
        simulate(other, np.zeros((2, 1, 3)), state=state)


LIF_FIELDS = {"current_decay": 5, "voltage_decay": 5, "threshold": 3}


def test_images_keep_their_order_through_joins_and_reshapes():
    rng = np.random.default_rng(3)
    nodes = {
        "in": ChipInput((3, 6, 5)),
        "a": Conv(weight=rng.integers(-60, 70, (4, 3, 3, 3))),
        "b": Conv(weight=rng.integers(-60, 70, (4, 3, 3, 3))),
        "port": Port(),
        "lif": LIF(**{**LIF_FIELDS, "threshold": rng.integers(0, 90, (4, 1, 1))}),
        "turn": Shaped((3, 16), (2, 0, 1)),
        "flat": Shaped((48,)),
        "fc": Dense(weight=rng.integers(-60, 70, (5, 48))),
        "out": ChipOutput(),
    }
    wires = {"a": (later("in"),), "b": (later("in"),), "port": (Wire("a"), Wire("b")), "lif": (Wire("port"),)}
    wires |= {"turn": (Wire("lif"),), "flat": (Wire("turn"),), "fc": (later("flat"),), "out": (Wire("fc"),)}
    checked(ChipGraph(nodes, wires), rng.integers(0, 2, (9, 2, 3, 6, 5)))


def test_memory_does_not_grow_with_the_steps_of_a_stream():
    graph = small(emit="voltage")
    chunk = np.ones((64, 4, 3), np.uint8)
    summed = ChipGraph({**graph.nodes, "out": ChipOutput("sum")}, graph.wires)
    simulate(summed, iter([chunk]))

    def peak(count: int) -> int:
        tracemalloc.start()
        simulate(summed, (chunk for _ in range(count)))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(200) < 2 * peak(20)


def test_torch_has_as_many_threads_as_before():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    with pytest.raises(SimulationError):
        simulate(small(), np.full((2, 1, 3), 7))
    simulate(small(), np.zeros((2, 1, 3)))
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert after == 3
