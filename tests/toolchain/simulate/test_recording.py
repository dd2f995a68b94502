"""What a trace holds: what was asked for, counts of everything that passed, and a file."""

import json

import numpy as np
import pytest
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph import Graph, GraphBuilder, SubGraph, nodes
from spikeport.toolchain.graph.signal import SPIKES, Signal
from spikeport.toolchain.simulate import Count, simulate
from spikeport.toolchain.simulate.recording import Tally
from support.by_steps import run_by_steps

STEPS, BATCH = 12, 3


def network() -> Graph:
    rng = np.random.default_rng(1)
    g = GraphBuilder("net")
    g.add("in", nodes.Input((2, 6, 6), "spikes"))
    g.add("conv", nodes.Conv(rng.normal(size=(4, 2, 3, 3)) * 0.6), "in")
    g.add("fire", nodes.CubaLIF(alpha=0.4, beta=0.9, threshold=0.7), "conv")
    g.add("pool", nodes.SumPool((2, 2)), "fire")
    g.add("flat", nodes.Flatten(), "pool")
    g.add("dense", nodes.Affine(rng.normal(size=(5, 16))), "flat")
    g.add("relu", nodes.Activation("relu"), "dense")
    g.add("mixed", nodes.Affine(rng.normal(size=(3, 5))), "relu")
    g.add("v", nodes.LeakyIntegrator(beta=0.8), "mixed")
    for readout in ("steps", "last", "sum", "mean", "max"):
        g.add(readout, nodes.Output(readout), "v")
    return g.build()


def spikes() -> np.ndarray:
    return (np.random.default_rng(2).random((STEPS, BATCH, 2, 6, 6)) < 0.4).astype(np.float64)


def test_by_default_the_outputs_alone_are_kept() -> None:
    trace = simulate(network(), spikes())
    assert dict(trace.nodes) == {}
    assert set(trace.outputs) == {"steps", "last", "sum", "mean", "max"}
    with pytest.raises(UsageError, match=r"fire: was not recorded.*record=\[..., 'fire'\]"):
        trace["fire"]


def test_every_readout() -> None:
    wanted = run_by_steps(network(), {"in": spikes()})["v"]
    found = simulate(network(), spikes(), window=5).outputs
    answers = {"steps": wanted, "last": wanted[-1], "sum": wanted.sum(0), "mean": wanted.mean(0), "max": wanted.max(0)}
    for readout, answer in answers.items():
        assert found[readout].dtype == np.float64
        np.testing.assert_allclose(found[readout], answer, rtol=1e-12, atol=1e-12)


def test_a_mean_goes_on_over_a_continued_run() -> None:
    whole = simulate(network(), spikes())
    first = simulate(network(), spikes()[:5])
    rest = simulate(network(), spikes()[5:], state=first.state)
    np.testing.assert_array_equal(rest.outputs["mean"], whole.outputs["mean"])
    np.testing.assert_array_equal(rest.outputs["steps"], whole.outputs["steps"][5:])


def test_spikes_are_those_of_every_firing_neuron() -> None:
    trace = simulate(network(), spikes(), record="spikes")
    assert list(trace.nodes) == ["fire"]
    assert trace["fire"].spikes.dtype == np.uint8
    assert trace["fire"].values.dtype == np.float64
    np.testing.assert_array_equal(trace["fire"].spikes, trace["fire"].values)


def test_single_items() -> None:
    trace = simulate(network(), spikes(), record=["fire.voltage", "fire.current", "relu"])
    assert "fire" in trace
    assert "dense" not in trace
    assert trace["fire"].voltages.shape == trace["fire"].currents.shape == (STEPS, BATCH, 4, 4, 4)
    assert trace["relu"].values.shape == (STEPS, BATCH, 5)
    with pytest.raises(UsageError, match=r"fire: what it sends was not recorded\. Run with record=\[..., 'fire'\]"):
        _ = trace["fire"].values
    with pytest.raises(UsageError, match=r"relu: its voltage was not recorded"):
        _ = trace["relu"].voltages
    with pytest.raises(UsageError, match=r"relu: it sends other values than 0 and 1.*Read \.values"):
        _ = trace["relu"].spikes


def test_all_is_everything() -> None:
    trace = simulate(network(), spikes(), record="all")
    assert set(trace.nodes) == set(network().nodes)
    assert trace["v"].currents.shape == trace["v"].voltages.shape == (STEPS, BATCH, 3)


def test_a_node_may_have_a_dot_in_its_name() -> None:
    g = GraphBuilder()
    g.add("in", nodes.Input((2,)))
    g.add("a", nodes.LIF(beta=0.5), "in")
    g.add("a.voltage", nodes.Scale(2.0), "a")
    g.add("out", nodes.Output(), "a.voltage")
    trace = simulate(g.build(), np.ones((3, 1, 2)), record=["a.voltage", "a.voltage.current"][:1])
    assert list(trace.nodes) == ["a.voltage"]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("fire", r"record: 'fire'; expected outputs, spikes, all, or a list.*record=\['fire'\]"),
        (["fires"], "record: 'fires'; expected a node, perhaps with .voltage or .current; nodes are in, conv, fire"),
        (["fire.spikes"], "record: 'fire.spikes'; expected a node"),
        (["conv.voltage"], "record: 'conv.voltage'; expected a neuron. Record 'conv' itself: it is a Conv"),
    ],
)
def test_what_cannot_be_recorded(record: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        simulate(network(), spikes(), record=record)


def test_counts_are_what_passed() -> None:
    trace = simulate(network(), spikes(), record="all", window=5)
    assert set(trace.counts) == {"in", "fire", "pool", "flat", "relu", "v"}
    for name, count in trace.counts.items():
        values = trace[name].values
        total = int(values.sum()) if name in ("in", "fire", "pool", "flat") else None
        assert count == Count(values.size, np.count_nonzero(values), total), name
    assert trace.rate("fire") == trace["fire"].values.mean() > 0.05
    assert simulate(network(), spikes()).counts == trace.counts
    with pytest.raises(UsageError, match="conv: was not counted; expected in, fire, pool"):
        trace.rate("conv")


def test_counts_stay_exact_where_float32_does_not() -> None:
    tally = Tally(Signal(((1 << 24) + 3,), SPIKES))
    tally.add(np.ones((1, 1, (1 << 24) + 3), np.float32))
    assert tally.count().total == (1 << 24) + 3


def test_counts_add() -> None:
    assert Count(10, 3, 4) + Count(10, 1, 2) == Count(20, 4, 6)
    assert Count(10, 3, 4) + Count(10, 1) == Count(20, 4)
    assert Count().rate == 0


def test_a_trace_says_when_and_how_it_ran() -> None:
    trace = simulate(network(), spikes().astype(np.float32))
    assert (trace.steps, trace.batch, trace.first, trace.dtype, trace.dt) == (STEPS, BATCH, 0, np.float32, 1e-3)
    assert trace.name == "net"


def test_a_trace_cannot_be_changed() -> None:
    trace = simulate(network(), spikes(), record=["fire", "fire.voltage"])
    with pytest.raises(ValueError, match="read-only"):
        trace["fire"].spikes[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        trace.outputs["sum"][:] = 0
    with pytest.raises(TypeError):
        trace.outputs["sum"] = 1  # type: ignore[index]


def test_a_saved_trace_has_everything(tmp_path: object) -> None:
    trace = simulate(network(), spikes(), record=["fire", "fire.voltage"])
    path = tmp_path / "run.npz"
    trace.save(path)
    first = path.read_bytes()
    trace.save(path)
    assert path.read_bytes() == first
    with np.load(path, allow_pickle=False) as held:
        about = json.loads(str(held["about"]))
        assert set(held.files) == {f"outputs/{n}" for n in trace.outputs} | {
            "nodes/fire/sent", "nodes/fire/voltage", "about",
        }  # fmt: skip
        np.testing.assert_array_equal(held["nodes/fire/sent"], trace["fire"].spikes)
        np.testing.assert_array_equal(held["outputs/last"], trace.outputs["last"])
    assert about["steps"] == STEPS
    assert about["counts"]["fire"] == [count := trace.counts["fire"].values, *about["counts"]["fire"][1:]]
    assert count == STEPS * BATCH * 64
    with pytest.raises(UsageError, match=r"save: 'run.txt'; expected a name that ends in .npz"):
        trace.save("run.txt")


def test_a_sub_graph_runs_and_its_inner_nodes_have_names() -> None:
    inner = GraphBuilder("inner")
    inner.add("x", nodes.Input((2,)))
    inner.add("fire", nodes.LIF(beta=0.5, threshold=0.6), "x")
    inner.add("y", nodes.Output(), "fire")
    outer = GraphBuilder()
    outer.add("in", nodes.Input((2,)))
    outer.add("block", SubGraph(inner.build()), "in")
    outer.add("twice", nodes.Scale(2.0), "block")
    outer.add("out", nodes.Output(), "twice")
    graph = outer.build()
    x = np.random.default_rng(0).normal(size=(6, 1, 2))
    trace = simulate(graph, x, record=["block.fire", "block.fire.voltage"])
    wanted = run_by_steps(graph, {"in": x})
    np.testing.assert_array_equal(trace["block.fire"].values, wanted["block"])
    np.testing.assert_array_equal(trace.outputs["out"], wanted["out"])
