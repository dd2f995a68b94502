"""Which backend runs which network, and what each is asked for."""

import numpy as np
import pytest
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph import Graph, Wire, chain, later, nodes
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.lava_rows import ROWS
from spikeport.toolchain.loihi.processes import (
    ATRLIF,
    LIF,
    PROCESSES,
    RF,
    RF_IZ,
    ChipInput,
    ChipOutput,
    Delta,
    Dense,
    LIFReset,
    NormVecDelay,
    RFZero,
    Sigma,
    SigmaDelta,
    TernaryLIF,
)
from spikeport.toolchain.simulate import BACKENDS, simulate
from spikeport.toolchain.simulate.fixed_recording import states_of

X = np.zeros((3, 1, 2))


def graph() -> Graph:
    return chain([nodes.Input((2,)), nodes.LIF(beta=0.5, threshold=1.0), nodes.Output()])


def chip() -> ChipGraph:
    named = {
        "in": ChipInput((2,)),
        "fc": Dense(weight=np.array([[60, -4]])),
        "lif": LIF(current_decay=9, voltage_decay=9, threshold=1),
        "out": ChipOutput(),
    }
    return ChipGraph(named, {"fc": (later("in"),), "lif": (Wire("fc"),), "out": (Wire("lif"),)})


def test_a_graph_runs_by_the_reference_and_a_chip_by_the_fixed_simulation():
    assert tuple(BACKENDS) == ("reference", "onnxruntime", "fixed", "lava")
    assert simulate(graph(), X).dtype == np.float64
    assert simulate(graph(), X, backend="reference").dtype == np.float64
    assert simulate(chip(), X).dtype == np.int32
    assert simulate(chip(), X, backend="fixed").dtype == np.int32


@pytest.mark.parametrize(
    ("network", "options", "said"),
    [
        (graph, {"backend": "best"}, "backend: 'best'; expected reference, onnxruntime, fixed, lava"),
        (
            graph,
            {"backend": "fixed"},
            "backend: 'fixed' for a graph in real numbers; expected reference or onnxruntime. "
            "Bring it into integers first: convert --to chip, or quantise(graph)",
        ),
        (chip, {"backend": "reference"}, "backend: 'reference' for a chip graph; expected fixed or lava"),
        (chip, {"dtype": "float32"}, "dtype: float32; expected none: a chip graph is computed in integers"),
        (chip, {"window": 0}, "window: 0; expected a number of steps, at least 1"),
        (chip, {"backend": "lava", "window": 3}, "window: 3 for Lava; expected none: Lava runs step by step"),
    ],
)
def test_what_does_not_go_together_is_refused(network, options: dict[str, object], said: str):
    with pytest.raises(UsageError) as caught:
        simulate(network(), X, **options)
    assert str(caught.value) == said


def test_lava_cannot_go_on_from_a_state():
    state = simulate(chip(), X).state
    with pytest.raises(UsageError, match="state: given to Lava; expected none: Lava starts at step 0"):
        simulate(chip(), X, backend="lava", state=state)


RECORDS = {
    "outputs": {},
    "spikes": {"lif": (True, ())},
    "all": {"in": (True, ()), "fc": (True, ()), "lif": (True, ("u", "v")), "out": (True, ())},
    "lif": {"lif": (True, ())},
    "lif.v": {"lif": (False, ("v",))},
    "lif.voltage,lif": {"lif": (True, ("v",))},
    "lif.current,fc": {"lif": (False, ("u",)), "fc": (True, ())},
}


@pytest.mark.parametrize("record", RECORDS)
def test_what_can_be_recorded_of_a_chip(record: str):
    asked = record if record in ("outputs", "spikes", "all") else record.split(",")
    trace = simulate(chip(), X + 1, record=asked)
    found = {name: (node.sent is not None, tuple(sorted(node.states))) for name, node in trace.nodes.items()}
    assert found == RECORDS[record]
    for node in trace.nodes.values():
        assert all(values.dtype == np.int32 for values in node.states.values())
        assert node.sent is None or node.sent.dtype == (np.uint8 if node.name in ("in", "lif", "out") else np.int32)


def test_states_have_the_names_of_voltage_and_current():
    trace = simulate(chip(), X + 1, record=["lif.u", "lif.v"])
    np.testing.assert_array_equal(trace["lif"].voltages, trace["lif"].states["v"])
    np.testing.assert_array_equal(trace["lif"].currents, trace["lif"].states["u"])
    with pytest.raises(UsageError, match=r"lif: its voltage was not recorded. Run with record=\[..., 'lif.voltage'\]"):
        _ = simulate(chip(), X, record=["lif.u"])["lif"].voltages


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("lif", "record: 'lif'; expected outputs, spikes, all, or a list of names. For one node, write record=['lif']"),
        (["more"], "record: 'more'; expected a node, perhaps with a state behind it; nodes are in, fc, lif, out"),
        (["lif.w"], "record: 'lif.w'; expected 'lif.u', 'lif.v' of this LIF"),
        (["fc.v"], "record: 'fc.v'; expected 'fc' itself of this Dense"),
    ],
)
def test_what_cannot_be_recorded_of_a_chip(record: object, said: str):
    with pytest.raises(UsageError) as caught:
        simulate(chip(), X, record=record)
    assert str(caught.value) == said


def test_a_trace_of_a_chip_is_saved_with_its_states(tmp_path):
    trace = simulate(chip(), X + 1, record="all")
    trace.save(tmp_path / "run.npz")
    with np.load(tmp_path / "run.npz") as file:
        np.testing.assert_array_equal(file["nodes/lif/states/v"], trace["lif"].voltages)
        np.testing.assert_array_equal(file["nodes/lif/sent"], trace["lif"].spikes)
        assert file["nodes/fc/sent"].dtype == np.int32


def test_what_passes_is_counted():
    trace = simulate(chip(), X + 1)
    assert set(trace.counts) == {"in", "lif"}
    assert trace.counts["in"].total == trace.counts["in"].values == 6
    assert trace.rate("lif") == simulate(chip(), X + 1, record="spikes")["lif"].spikes.mean()


MEMBRANE = {"current_decay": 1, "voltage_decay": 1}
NEURONS = [
    LIF(threshold=1, **MEMBRANE),
    LIFReset(threshold=1, **MEMBRANE),
    TernaryLIF(high=1, low=-1, **MEMBRANE),
    ATRLIF(threshold=1, threshold_step=1, threshold_decay=1, refractory_decay=1, **MEMBRANE),
    Delta(threshold=1),
    SigmaDelta(threshold=1),
    Sigma(),
    RF(cos=1, sin=1, threshold=1),
    RF_IZ(cos=1, sin=1, threshold=1),
    RFZero(cos=1, sin=1),
    NormVecDelay(),
]


@pytest.mark.parametrize("node", NEURONS, ids=lambda node: node.kind)
def test_the_states_are_those_that_lava_can_show(node):
    assert set(states_of(node)) == set(ROWS[type(node)].states)


def test_every_other_process_has_no_states():
    others = set(PROCESSES.values()) - {type(node) for node in NEURONS}
    assert not any(ROWS[kind].states for kind in others if kind in ROWS)
