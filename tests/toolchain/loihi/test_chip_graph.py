"""What a chip graph refuses, and in which words."""

import numpy as np
import pytest
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Graph, Wire, later
from spikeport.toolchain.graph.nodes import Affine, Input, Output
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    LIF,
    ChipInput,
    ChipOutput,
    Conv,
    Dense,
    InvSqrt,
    LIFReset,
    Port,
    Process,
)
from spikeport.toolchain.loihi.to_lava import to_lava
from support.by_steps import run_by_steps

WEIGHT = np.array([[3, -4], [5, 6]])


def chip(**changes: Process) -> dict[str, Process]:
    lif = LIF(current_decay=4096, voltage_decay=100, threshold=10)
    return {"in": ChipInput((2,)), "fc": Dense(weight=WEIGHT), "lif": lif, "out": ChipOutput(), **changes}


WIRES = {"fc": (later("in"),), "lif": (Wire("fc"),), "out": (Wire("lif"),)}


def message(make) -> str:
    with pytest.raises(GraphError) as caught:
        make()
    return str(caught.value)


def test_a_chip_graph_knows_its_order_and_its_signals():
    graph = ChipGraph(chip(), WIRES)
    assert graph.inputs == ("in",)
    assert graph.outputs == ("out",)
    assert graph.neurons == ("lif",)
    assert graph.order.index("fc") < graph.order.index("lif") < graph.order.index("out")
    assert str(graph.signals["lif"]) == "spikes [2]"


def test_a_wire_into_a_synapse_has_to_be_delayed_and_no_other():
    direct = {**WIRES, "fc": (Wire("in"),)}
    assert message(lambda: ChipGraph(chip(), direct)) == (
        "fc: a direct wire from 'in'; expected delayed wires into synapses, and no others"
    )
    late = {**WIRES, "lif": (later("fc"),)}
    assert "lif: a delayed wire from 'fc'" in message(lambda: ChipGraph(chip(), late))


def test_a_synapse_behind_a_synapse_is_refused():
    two = {**WIRES, "more": (later("fc"),), "lif": (Wire("more"),)}
    assert "more: the synapse 'fc' before it; expected a neuron between" in message(
        lambda: ChipGraph(chip(more=Dense(weight=WEIGHT)), two)
    )


def test_graphs_and_chip_graphs_do_not_mix():
    nodes = {"in": Input((2,)), "fc": Affine(WEIGHT.astype(float)), "out": Output()}
    wires = {"fc": (Wire("in"),), "out": (Wire("fc"),)}
    Graph(nodes, wires)
    assert "Input; expected a process of a chip" in message(lambda: ChipGraph(nodes, wires))


def silent(**fields: object) -> LIF:
    return LIF(current_decay=4096, voltage_decay=0, threshold=131071, emit="voltage", **fields)


def test_a_neuron_can_emit_its_voltage():
    graph = ChipGraph(chip(lif=silent(bias=3)), WIRES)
    assert str(graph.signals["lif"]) == "graded [2]"
    sent = run_by_steps(graph, {"in": np.ones((3, 1, 2), np.int64)})["lif"][:, 0]
    held = np.array([-2 * 64, 10 * 64])  # what the even weights of a mixed synapse sum up to, aligned
    np.testing.assert_array_equal(sent, [[3, 3], held + 6, 2 * held + 9])


def test_a_voltage_that_reaches_the_threshold_is_reset_before_it_is_emitted():
    for kind, more in ((LIF, {}), (LIFReset, {"interval": 5})):
        node = kind(current_decay=4096, voltage_decay=0, threshold=1, emit="voltage", **more)
        state = node.start((1,), 1, np.int64)
        sent = []
        for a in (0, 1, 1, 0):
            v, state = node.step(state, np.array([[a]]))
            sent.append(int(v[0, 0]))
        assert sent == [0, 64, 0, 0]


def test_no_process_but_an_output_reads_a_voltage():
    wires = {**WIRES, "more": (later("lif"),), "out": (Wire("more"),)}
    assert message(lambda: ChipGraph(chip(lif=silent(), more=Dense(weight=WEIGHT)), wires)) == (
        "lif: 'more' reads its voltage; expected outputs alone: no spike carries a voltage. "
        "Let it emit spikes, or give the readers a neuron of their own"
    )


def test_in_lava_an_emitted_voltage_is_the_variable_v():
    inputs = {"in": np.zeros((2, 1, 2), np.int64)}
    program, record = to_lava(ChipGraph(chip(lif=silent()), WIRES), inputs)
    assert record["lif", "sent"] == record["lif", "v"] == "lif.v"
    assert program.record.count("lif.v") == 1
    _, record = to_lava(ChipGraph(chip(), WIRES), inputs)
    assert record["lif", "sent"] == "lif.s_out"


def test_a_sum_in_a_port_wraps_at_32_bits():
    most = np.array([(1 << 31) - 1])
    assert int(Port().step({}, most, most)[0][0]) == -2


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: ChipOutput("best"), "readout: 'best'; expected steps or last or sum or mean or max"),
        (lambda: ChipOutput("sum", after=-1), "after: -1..-1; expected 0..2147483647 steps"),
        (
            lambda: LIF(current_decay=1, voltage_decay=0, threshold=1, emit="v"),
            "emit: 'v'; expected spikes or voltage",
        ),
        (lambda: Dense(weight=np.ones((2, 2))), "weight: values of type float64; expected integers"),
        (lambda: Dense(weight=WEIGHT, bits=10), "bits: 10..10; expected 1..9"),
        (lambda: Dense(weight=np.abs(WEIGHT), bits=9), "bits: 9..9; expected 1..8"),
        (lambda: LIF(current_decay=5000, voltage_decay=0, threshold=1), "current_decay: 5000..5000; expected 0..4096"),
        (
            lambda: LIF(current_decay=1, voltage_decay=0, threshold=1 << 17),
            "threshold: 131072..131072; expected 0..131071",
        ),
        (
            lambda: LIF(current_decay=1, voltage_decay=0, threshold=1, bias=4096),
            "bias: 4096..4096; expected -4096..4095",
        ),
        (lambda: Conv(weight=WEIGHT), "weight: [2,2]; expected four axes"),
        (lambda: ChipInput((2,), "graded"), "carries: graded values; expected spikes or int[low,high]"),
    ],
)
def test_what_a_register_does_not_hold_is_refused(make, expected: str):
    assert message(make) == expected


def test_the_inverse_square_root_is_near_the_real_one():
    values = np.array([[1], [4096], [5000], [1 << 20], [(1 << 24) - 1]])
    found, _ = InvSqrt().step({}, values)
    np.testing.assert_allclose(found, 4096 / np.sqrt(values / 4096), rtol=0.02, atol=2)
