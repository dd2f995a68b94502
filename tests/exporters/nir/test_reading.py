"""NIR files and objects become the graphs that they mean."""

import subprocess
import sys

import h5py
import nir
import numpy as np
import pytest
from spikeport.exporters.nir.facts import Facts, NeuronFacts, beside, digest_of
from spikeport.exporters.nir.reading import from_nir, read
from spikeport.toolchain.errors import FileError, UsageError
from spikeport.toolchain.graph import Graph, digest
from spikeport.toolchain.graph.nodes import LIF, Add, AveragePool, Conv
from spikeport.toolchain.passes import make
from spikeport.toolchain.simulate import simulate
from support.nir_raw import STEP, conv, ends, graph, lif, linear, raw, read_here, row

NEURONS = {
    "I": {"r": 2.0},
    "IF": {"r": 2.0, "v_threshold": 1.0, "v_reset": 0.25},
    "LI": {"tau": 0.01, "r": 2.0, "v_leak": 0.5},
    "LIF": {"tau": 0.01, "r": 2.0, "v_leak": 0.5, "v_threshold": 1.0, "v_reset": 0.25},
    "CubaLI": {"tau_syn": 0.005, "tau_mem": 0.01, "r": 2.0, "v_leak": 0.5, "w_in": 3.0},
    "CubaLIF": {"tau_syn": 0.005, "tau_mem": 0.01, "r": 2.0, "v_leak": 0.5, "w_in": 3.0}
    | {"v_threshold": 1.0, "v_reset": 0.25},
}


def wires(found: Graph) -> dict[str, list[str]]:
    return {name: [str(wire) for wire in each] for name, each in found.wires.items()}


def euler(kind: str, fields: dict[str, np.ndarray], x: np.ndarray, dt: float) -> np.ndarray:
    """The equations of the paper, step by step."""
    v, current, sent = np.zeros(x.shape[1:]), np.zeros(x.shape[1:]), []
    for now in x:
        if kind.startswith("Cuba"):
            current = current + dt / fields["tau_syn"] * (fields["w_in"] * now - current)
            now = current
        if "v_leak" in fields:
            tau = fields["tau_mem"] if kind.startswith("Cuba") else fields["tau"]
            v = v + dt / tau * (fields["v_leak"] - v + fields["r"] * now)
        else:
            v = v + dt * fields["r"] * now
        fired = v > fields.get("v_threshold", np.inf)
        sent.append(fired.astype(float) if "v_threshold" in fields else v)
        v = np.where(fired, fields.get("v_reset", 0.0), v)
    return np.array(sent)


@pytest.mark.parametrize("kind", NEURONS)
def test_neurons_are_the_papers_equations(tmp_path, kind):
    rng = np.random.default_rng(0)
    fields = {name: value * rng.uniform(0.8, 1.2, 5) for name, value in NEURONS[kind].items()}
    nodes, edges = row(input=ends(5, 5)["input"], neuron={"type": kind} | fields, output=ends(5, 5)["output"])
    x = rng.standard_normal((60, 1, 5)) * 60
    found = simulate(read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph, x)
    expected = euler(kind, fields, x, STEP["dt"])
    assert expected.any()
    np.testing.assert_allclose(found.outputs["output"], expected, rtol=1e-9)


def test_a_file_of_the_library_is_read_as_its_object_is(tmp_path):
    numbers = {name: np.full(4, value) for name, value in NEURONS["CubaLIF"].items()}
    made = nir.NIRGraph.from_list(
        nir.Linear(np.ones((4, 3))), nir.CubaLIF(**numbers), nir.Affine(np.eye(4), np.ones(4))
    )
    nir.write(tmp_path / "a.nir", made)
    one, two = from_nir(made, **STEP), read(tmp_path / "a.nir", **STEP)
    canonical = make("canonicalise")
    assert digest(canonical(one.graph).graph) == digest(canonical(two.graph).graph)
    assert (one.remarks, one.dialect, one.told) == (two.remarks, two.dialect, two.told)
    assert [node.kind for node in one.graph.nodes.values()] == ["Input", "Affine", "CubaLIF", "Affine", "Output"]


def test_a_single_node_is_a_network(tmp_path):
    nir.write(tmp_path / "a.nir", nir.Affine(np.ones((2, 3)), np.ones(2)))
    found = read(tmp_path / "a.nir")
    assert found.graph.signals["input"].shape == (3,)
    assert "Affine: nothing feeds it; an input of [3] is added" in found.remarks
    assert "Affine: nothing reads it; an output is added" in found.remarks


def test_parameters_are_no_larger_than_they_vary(tmp_path):
    tau = np.broadcast_to(np.array([0.01, 0.02], np.float32)[:, None, None], (2, 3, 3))
    nodes, edges = row(
        input=ends((2, 3, 3), 0)["input"], lif=lif(2, 3, 3, tau=tau), output=ends(0, (2, 3, 3))["output"]
    )
    node = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph.nodes["lif"]
    assert node.beta.shape == (2, 1, 1)
    assert node.threshold.shape == ()


def test_several_edges_into_a_node_are_a_sum_in_their_order(tmp_path):
    nodes = ends(3, 2) | {"a": linear(2, 3, 1), "b": linear(2, 3, 2), "lif": lif(2)}
    edges = [("input", "b"), ("input", "a"), ("b", "lif"), ("a", "lif"), ("lif", "output")]
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph
    assert isinstance(found.nodes["lif.sum"], Add)
    assert wires(found)["lif.sum"] == ["b", "a"]


def test_convolutions_have_their_own_shapes(tmp_path):
    window = {"stride": [2, 1], "padding": [0, 2], "dilation": [1, 2], "groups": 2, "input_shape": [9, 7]}
    nodes, edges = row(
        input=ends((4, 9, 7), 0)["input"],
        first=conv(6, 2, (3, 2), **window),
        pool={"type": "AvgPool2d", "kernel_size": [2, 3], "stride": [1, 2], "padding": [1, 0]},
        second=conv(4, 6, (3, 1), padding="same", stride=1, dilation=1, input_shape=None),
        flat={"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": [4, 5, 4]},
        output=ends(0, 80)["output"],
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges))
    shapes = {name: found.graph.signals[name].shape for name in found.graph.nodes}
    assert shapes["first"] == (6, 4, 9)
    assert shapes["pool"] == (6, 5, 4)
    assert shapes["second"] == (4, 5, 4)
    assert shapes["flat"] == (80,)
    assert not found.remarks
    assert isinstance(found.graph.nodes["pool"], AveragePool)
    assert isinstance(found.graph.nodes["second"], Conv)


def test_other_layers(tmp_path):
    nodes, edges = row(
        input=ends((2, 12), 0)["input"],
        conv=conv(2, 2, (3,), stride=1, padding="valid", dilation=1, input_shape=12),
        scale={"type": "Scale", "scale": np.full((2, 10), 3.0)},
        delay={"type": "Delay", "delay": np.repeat([[0.002], [0.0]], 10, 1)},
        flat={"type": "Flatten", "start_dim": 0, "end_dim": 1, "input_type": [2, 10]},
        affine={"type": "Affine", "weight": np.ones((1, 20)), "bias": [0.5]},
        threshold={"type": "Threshold", "threshold": [0.5]},
        output=ends(0, 1)["output"],
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), dt=1e-3).graph
    assert found.nodes["delay"].steps == (2, 0)
    assert float(found.nodes["scale"].scale) == 3.0
    assert found.nodes["threshold"].parameters == {"threshold": 0.5}
    assert found.signals["output"].shape == (1,)


def test_thresholds_that_differ_fire_above_theirs_alone(tmp_path):
    level = np.array([0.1, 1e-8, 3.0, -2.0], np.float32)
    nodes, edges = row(
        input=ends(4, 4)["input"], step={"type": "Threshold", "threshold": level}, output=ends(4, 4)["output"]
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges)).graph
    x = np.stack([level, np.nextafter(level, np.float32(np.inf))]).astype(np.float32)[:, None]
    assert simulate(found, x).outputs["output"].tolist() == [[[0, 0, 0, 0]], [[1, 1, 1, 1]]]


def test_weights_of_more_axes_are_one_matrix_for_each_place(tmp_path):
    rng = np.random.default_rng(0)
    weight, bias, x = (
        rng.standard_normal((2, 3, 4, 5)),
        rng.standard_normal((2, 3, 4)),
        rng.standard_normal((6, 1, 2, 3, 5)),
    )
    nodes, edges = row(
        input=ends((2, 3, 5), 0)["input"],
        affine={"type": "Affine", "weight": weight, "bias": bias},
        output=ends(0, (2, 3, 4))["output"],
    )
    found = simulate(read_here(raw(tmp_path / "a.nir", nodes, edges)).graph, x)
    np.testing.assert_allclose(found.outputs["output"], np.einsum("abyx,tnabx->tnaby", weight, x) + bias)


def test_sub_graphs_lie_in_the_graph_under_their_names(tmp_path):
    inner = graph(ends(3, 3) | {"lif": lif(3)}, [("input", "lif"), ("lif", "output")])
    outer = graph(
        ends(3, 3) | {"deep": inner, "fc": linear(3, 3)}, [("input", "fc"), ("fc", "deep"), ("deep", "output")]
    )
    nodes, edges = row(input=ends(3, 3)["input"], block=outer, output=ends(3, 3)["output"])
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph
    assert wires(found) == {
        "input": [],
        "block.fc": ["input"],
        "block.deep.lif": ["block.fc"],
        "output": ["block.deep.lif"],
    }


def test_sums_on_the_way_into_a_sub_graph_keep_their_order(tmp_path):
    inner = graph(
        ends(3, 3) | {"lif": lif(3), "rec": linear(3, 3)},
        [("input", "lif"), ("rec", "lif"), ("lif", "rec"), ("lif", "output")],
    )
    nodes = ends(3, 3) | {"a": linear(3, 3, 1), "b": linear(3, 3, 2), "sub": inner}
    edges = [("input", "a"), ("input", "b"), ("b", "sub"), ("a", "sub"), ("sub", "output")]
    found = wires(read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph)
    assert found["sub.lif.sum"] == ["b", "a", "sub.rec"]
    inner["edges"] = [("rec", "lif"), ("input", "lif"), ("lif", "rec"), ("lif", "output")]
    found = wires(read_here(raw(tmp_path / "b.nir", nodes, edges), **STEP).graph)
    assert (found["sub.lif.sum"], found["sub.input"]) == (["sub.rec", "sub.input"], ["b", "a"])


def test_a_loop_is_delayed_where_its_neuron_sends_into_it(tmp_path):
    nodes = ends(3, 3) | {"fc": linear(3, 3), "lif": lif(3), "rec": linear(3, 3)}
    edges = [("input", "fc"), ("fc", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "output")]
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    assert wires(found.graph)["rec"] == ["~lif"]
    assert wires(found.graph)["output"] == ["lif"]
    assert "loops are closed one step later, on lif → rec" in found.remarks


def test_feedback_over_two_layers_is_delayed_once(tmp_path):
    nodes = ends(3, 3) | {"a": lif(3), "up": linear(3, 3), "b": lif(3), "down": linear(3, 3)}
    edges = [("input", "a"), ("a", "up"), ("up", "b"), ("b", "down"), ("down", "a"), ("b", "output")]
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph
    assert [each for wire in wires(found).values() for each in wire if each.startswith("~")] == ["~b"]
    assert wires(found)["down"] == ["~b"]


def test_a_delay_in_a_loop_is_the_loops_own(tmp_path):
    nodes = ends(3, 3) | {"lif": lif(3), "rec": linear(3, 3), "wait": {"type": "Delay", "delay": np.full(3, 0.003)}}
    edges = [("input", "lif"), ("lif", "wait"), ("wait", "rec"), ("rec", "lif"), ("lif", "output")]
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph
    assert wires(found)["wait"] == ["~lif"]
    assert found.nodes["wait"].steps == (2,)


def test_what_a_loop_shares_with_the_way_out_is_not_delayed(tmp_path):
    nodes = ends(3, 3) | {"lif": lif(3), "fc": linear(3, 3)}
    edges = [("input", "lif"), ("lif", "fc"), ("fc", "lif"), ("fc", "output")]
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph
    assert wires(found)["lif.sum"] == ["~fc", "input"] or wires(found)["lif.sum"] == ["input", "~fc"]
    assert wires(found)["fc"] == ["lif"]


def small(**lif_fields: object) -> tuple[dict, list]:
    return row(input=ends(3, 2)["input"], fc=linear(2, 3), lif=lif(2, **lif_fields), output=ends(3, 2)["output"])


FACTS = Facts(
    dialect="ode",
    dt=0.002,
    name="mine",
    notes={"made": "by hand"},
    inputs={"input": "spikes"},
    outputs={"output": "sum"},
    names={"fc": "dense-1", "lif": "layer.lif"},
    neurons={"lif": NeuronFacts("exact", "subtract", "next", at_least=True)},
)


def check_facts(found: Graph) -> None:
    node = found.nodes["layer.lif"]
    assert isinstance(node, LIF)
    assert (found.name, found.dt, dict(found.notes)) == ("mine", 0.002, {"made": "by hand"})
    assert (node.reset, node.when, node.at_least, node.rule) == ("subtract", "next", True, "exact")
    assert node.beta == pytest.approx(np.exp(-0.1))
    assert found.nodes["input"].carries == "spikes"
    assert found.nodes["output"].readout == "sum"
    assert "dense-1" in found.nodes


def test_facts_in_the_metadata_are_believed(tmp_path):
    path = raw(tmp_path / "a.nir", *small(), metadata=FACTS.metadata())
    found = read_here(path)
    check_facts(found.graph)
    assert not found.remarks


def test_facts_beside_the_file_come_first(tmp_path):
    path = raw(tmp_path / "a.nir", *small(), metadata=Facts("ode", 0.5).metadata())
    beside(path).write_text(FACTS.beside(digest_of(path)))
    check_facts(read_here(path).graph)


def test_facts_beside_another_file_are_left_unread(tmp_path):
    path = raw(tmp_path / "a.nir", *small(), metadata=FACTS.metadata())
    beside(path).write_text(Facts("ode", 0.5).beside("0" * 64))
    found = read_here(path)
    check_facts(found.graph)
    assert any("of another file, by its SHA-256" in line for line in found.remarks)
    beside(path).write_text("{")
    found = read_here(path)
    check_facts(found.graph)
    assert any("left unread" in line and "no JSON" in line for line in found.remarks)


def test_exact_arrays_are_taken_where_they_agree(tmp_path):
    exact = {"beta": np.array([0.9000000001, 0.95]), "v_start": np.array([0.25])}
    tau = 0.002 / (1 - np.array([0.9, 0.95]))
    facts = Facts("ode", 0.002, neurons={"lif": NeuronFacts("euler")})
    nodes, edges = small(tau=tau, metadata=exact)
    node = read_here(raw(tmp_path / "a.nir", nodes, edges, metadata=facts.metadata())).graph.nodes["lif"]
    assert node.beta.tolist() == [0.9000000001, 0.95]
    assert node.v_start == 0.25
    nodes, edges = small(tau=tau, metadata={"beta": np.array([0.8, 0.95])})
    found = read_here(raw(tmp_path / "b.nir", nodes, edges, metadata=facts.metadata()))
    assert found.graph.nodes["lif"].beta == pytest.approx([0.9, 0.95])
    assert any("the exact beta in its metadata does not agree" in line for line in found.remarks)


def test_options_come_before_facts(tmp_path):
    path = raw(tmp_path / "a.nir", *small(), metadata=FACTS.metadata())
    found = read_here(path, dt=0.004, reset="value").graph
    node = found.nodes["layer.lif"]
    assert found.dt == 0.004
    assert node.reset == "value"
    assert node.beta == pytest.approx(np.exp(-0.2))
    other = read_here(path, dialect="norse")
    assert other.dialect == "norse"
    assert any("read as norse, as --dialect says" in line for line in other.remarks)


def test_the_step_of_a_file_of_others(tmp_path):
    path = raw(tmp_path / "a.nir", *small(v_leak=np.array([0.3, 0.1])))
    with pytest.raises(FileError, match=r"nothing says how long a step is.* Add --dt SECONDS"):
        read_here(path)
    assert read_here(path, dt=0.01).graph.dt == 0.01
    with h5py.File(path, "r+") as file:
        file["node/metadata/dt"] = "0.004"
    found = read_here(path)
    assert found.graph.dt == 0.004
    assert any("nothing in it says whose it is" in line for line in found.remarks)
    assert any("steps of 0.004 s, β = 1 − dt/τ, reset to v_reset at once, spikes at v > θ" in x for x in found.remarks)


def test_a_dialect_is_recognised_and_says_why(tmp_path):
    tau = np.array([0.001, 0.002], np.float64)
    path = raw(tmp_path / "a.nir", *small(tau=tau, r=tau / 1e-4))
    found = read_here(path)
    assert found.dialect == "snntorch"
    assert found.graph.dt == 1e-4
    assert any("read as a file of snntorch: r is τ/1e-4" in line for line in found.remarks)
    assert read_here(path, dialect="ode", dt=1e-3).dialect == "ode"


def test_options_are_checked(tmp_path):
    path = raw(tmp_path / "a.nir", *small())
    for option, value in (("dialect", "nest"), ("dt", 0.0), ("dt", float("nan")), ("reset", "soft")):
        with pytest.raises(UsageError, match=f"--{option}: "):
            read(path, **{option: value})
    with pytest.raises(UsageError, match=r"a list; expected a nir\.NIRGraph"):
        from_nir([])


MEASURED = """
import resource, sys
from spikeport.exporters.nir.reading import read
def peak(who): return resource.getrusage(who).ru_maxrss
before = peak(resource.RUSAGE_SELF)
read(sys.argv[1])
print(peak(resource.RUSAGE_SELF) - before, peak(resource.RUSAGE_CHILDREN))
"""


def test_a_large_file_takes_little_more_than_its_weights(tmp_path):
    width, layers = 1500, 4
    weight = np.arange(width * width, dtype=np.float32).reshape(width, width)
    nodes = {f"fc{i}": {"type": "Linear", "weight": weight + i} for i in range(layers)}
    made, edges = row(input=ends(width, 0)["input"], **nodes, output=ends(0, width)["output"])
    path = raw(tmp_path / "a.nir", made, edges)
    done = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True)
    here, there = (int(text) << 10 for text in done.stdout.split())
    held = layers * weight.nbytes
    assert here < 1.5 * held
    assert there < 1.5 * weight.nbytes + (60 << 20)


def test_a_name_that_a_sub_graph_has_too_is_refused():
    """`s.l` is the node l of the sub-graph s, and here also a node beside it: one would take the place of the other."""
    two = {"input": nir.Input(np.array([2])), "output": nir.Output(np.array([2]))}
    ones = np.ones(2)
    inner = nir.NIRGraph(
        {**two, "l": nir.IF(ones, ones, 0 * ones)}, [("input", "l"), ("l", "output")], type_check=False
    )
    nodes = {**two, "s": inner, "s.l": nir.Linear(np.eye(2)), "other": two["output"]}
    edges = [("input", "s"), ("s", "output"), ("input", "s.l"), ("s.l", "other")]
    with pytest.raises(FileError, match=r"s\.l: two nodes: one in a sub-graph, and one beside it"):
        from_nir(nir.NIRGraph(nodes, edges, type_check=False), dt=1e-3)
