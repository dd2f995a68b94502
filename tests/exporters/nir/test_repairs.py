"""What is broken in NIR files in the wild is put right, and said; the rest is refused with a reason."""

import h5py
import nir
import numpy as np
import pytest
from spikeport.exporters.nir.reading import Read
from spikeport.toolchain.errors import FileError, Refused
from spikeport.toolchain.graph.nodes import Affine, Flatten
from support.nir_raw import STEP, conv, ends, graph, lif, linear, put, raw, read_here, row

CUBA = {"tau_syn": 0.005, "tau_mem": 0.01, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0}


def cuba(n: int) -> dict[str, object]:
    """CUBA-LIF neurons as NIR 0.1 writes them."""
    return {"type": "CubaLIF"} | {name: np.full(n, value) for name, value in CUBA.items()}


def repaired(found: Read, *lines: str) -> dict[str, list[str]]:
    """The wires, once every line is among the remarks."""
    for line in lines:
        assert any(line in remark for remark in found.remarks), found.remarks
    return {name: [str(wire) for wire in each] for name, each in found.graph.wires.items()}


def small(**fields: object) -> tuple[dict, list]:
    return row(input=ends(3, 2)["input"], fc=linear(2, 3), lif=lif(2, **fields), output=ends(3, 2)["output"])


def recurrent(edges, **nodes: object) -> tuple[dict, list]:
    """A recurrent sub-graph with these edges."""
    held = {"lif": lif(3), "w_rec": linear(3, 3)} | nodes
    inner = graph(ends(3, 3) | {name: node for name, node in held.items() if node}, edges)
    return row(input=ends(3, 3)["input"], rec=inner, output=ends(3, 3)["output"])


LOOP = [("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
RIGHT = {"rec.lif.sum": ["input", "rec.w_rec"], "rec.w_rec": ["~rec.lif"], "output": ["rec.lif"]}


def same_loop(wires: dict[str, list[str]]) -> None:
    assert {name: wires[name] for name in RIGHT} == RIGHT


def test_edges_that_are_there_twice(tmp_path):
    path = raw(tmp_path / "a.nir", *recurrent([("input", "lif"), *LOOP, ("w_rec", "lif")]))
    same_loop(repaired(read_here(path, **STEP), "rec.w_rec → lif: this edge is there twice; taken once"))


def test_edges_that_name_a_node_by_what_it_was_called_before(tmp_path):
    nodes, edges = recurrent([("input", "lif"), *LOOP], lif=None, lif1=lif(3))
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    wires = repaired(found, "rec.lif: edges name this node, which is not there; lif1, which has none, is meant")
    assert wires["rec.w_rec"] == ["~rec.lif1"]
    assert wires["output"] == ["rec.lif1"]


def test_the_input_of_recurrent_weights_is_their_neurons(tmp_path):
    path = raw(tmp_path / "a.nir", *recurrent([("input", "w_rec"), *LOOP]))
    line = "rec.input → w_rec: the input goes to the recurrent weights; lif, which they feed, is meant"
    same_loop(repaired(read_here(path, **STEP), line))


def test_dangling_edges_of_sub_graphs(tmp_path):
    path = raw(tmp_path / "a.nir", *recurrent([("input", "lif"), *LOOP, ("lif", "lost")]))
    same_loop(repaired(read_here(path, **STEP), "'lost' is not there, and all nodes are connected without"))
    nodes, edges = recurrent([("input", "lif"), *LOOP])
    path = raw(tmp_path / "b.nir", nodes, [*edges, ("lif", "w_rec")])
    same_loop(repaired(read_here(path, **STEP), "this edge is one inside of a sub-graph, where it is too"))
    nodes["rec"]["edges"] = [("input", "lif"), ("lif", "output"), ("w_rec", "lif"), ("gone", "w_rec")]
    with pytest.raises(FileError, match=r"c\.nir, rec: an edge gone → w_rec, and no node 'gone'"):
        read_here(raw(tmp_path / "c.nir", nodes, edges), **STEP)


def test_edges_that_name_a_node_of_a_sub_graph(tmp_path):
    nodes, _ = recurrent([("input", "lif"), *LOOP])
    path = raw(tmp_path / "a.nir", nodes, [("input", "rec.input"), ("rec.lif", "output")])
    same_loop(repaired(read_here(path, **STEP)))


def test_sub_graphs_without_ends(tmp_path):
    inner = graph({"lif": lif(3), "w_rec": linear(3, 3)}, [("lif", "w_rec"), ("w_rec", "lif")])
    nodes, edges = row(input=ends(3, 3)["input"], rec=inner, output=ends(3, 3)["output"])
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    wires = repaired(found, "a sub-graph without Input; lif is meant", "a sub-graph without Output; lif is meant")
    assert wires["rec.lif.sum"] == ["rec.w_rec", "input"]


def test_inputs_and_outputs_that_are_not_there(tmp_path):
    nodes, edges = row(fc=linear(2, 3), lif=lif(2))
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    wires = repaired(
        found, "fc: nothing feeds it; an input of [3] is added", "lif: nothing reads it; an output is added"
    )
    assert wires == {"input": [], "fc": ["input"], "lif": ["fc"], "output": ["lif"]}
    nodes, edges = row(conv=conv(2, 1, (3, 3), input_shape=[5, 4]), lif=lif(2, 3, 2))
    found = read_here(raw(tmp_path / "b.nir", nodes, edges), **STEP)
    assert found.graph.signals["input"].shape == (1, 5, 4)


def test_outputs_of_a_wrong_shape(tmp_path):
    nodes, edges = small()
    nodes["output"] = {"type": "Output", "shape": [1, 1, 2]}
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    repaired(found, "output: its shape is [1,1,2] in the file; [2] comes in")
    assert found.graph.signals["output"].shape == (2,)


def test_files_before_1_0_lack_fields(tmp_path):
    nodes, edges = row(
        input=ends((1, 6, 5), 0)["input"],
        conv=conv(2, 1, (3, 2), input_shape=None),
        one={"type": "IF", "r": np.ones((2, 4, 4)), "v_threshold": np.ones((2, 4, 4))},
        flat={"type": "Flatten", "start_dim": 0, "end_dim": -1},
        fc=linear(4, 32),
        two=cuba(4),
        output=ends(0, 4)["output"],
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges, version=""), **STEP)
    absent = "v_reset is not there (NIR before 1.0 has none): 0"
    repaired(found, f"one, two: {absent}", "two: w_in is not there (NIR before 1.0 does not write it): 1")
    node = found.graph.nodes["two"]
    assert node.v_reset == 0
    assert node.gain == pytest.approx(2.0 * 0.1 * 0.2)


def test_fields_under_their_first_names(tmp_path):
    weight = np.ones((2, 3))
    nodes, edges = row(
        input=ends(3, 2)["input"],
        fc={"type": "Linear", "weights": weight, "bias": np.ones(2)},
        lif=lif(2, v_threshold=None, theta=np.full(2, 0.75)),
        output=ends(3, 2)["output"],
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    repaired(found, "fc: a Linear with a bias, as NIR had it before 0.1: Affine")
    assert isinstance(found.graph.nodes["fc"], Affine)
    assert found.graph.nodes["lif"].threshold == 0.75


def test_parameters_of_other_shapes(tmp_path):
    tau = np.array([0.01, 0.02])
    fields = {"tau": tau, "r": np.float64(1.0), "v_leak": np.zeros(1), "v_threshold": np.ones((1, 2, 3, 4))}
    image = {"type": "LIF", "v_reset": np.zeros((2, 1, 1))} | fields
    nodes, edges = row(input=ends((2, 3, 4), 0)["input"], lif=image, output=ends(0, (2, 3, 4))["output"])
    found = read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    repaired(
        found,
        "lif: tau of shape [2], one value for each channel, stands for [2,3,4]",
        "lif: r of shape [], one value, stands for all [2,3,4]",
        "lif: v_leak of shape [1], one value, stands for all [2,3,4]",
    )
    assert found.graph.nodes["lif"].beta.shape == (2, 1, 1)
    nodes["lif"]["tau"] = np.array([0.01, 0.02, 0.03, 0.04])
    with pytest.raises(FileError, match=r"b\.nir, lif, tau: shape \[4\]; expected \[2,3,4\], as comes in"):
        read_here(raw(tmp_path / "b.nir", nodes, edges), **STEP)


@pytest.mark.parametrize(
    ("flatten", "line"),
    [
        ({"start_dim": 0, "input_type": [2, 3, 4]}, ""),
        ({"start_dim": 1, "input_type": [7, 2, 3, 4]}, "as its input_type [7,2,3,4] does; counted without"),
        ({"start_dim": 1, "input_type": [2, 3, 4]}, "as what reads it shows; counted without"),
        ({}, "as what reads it shows; counted without"),
    ],
)
def test_flatten_with_the_batch_among_its_axes(tmp_path, flatten, line):
    nodes, edges = row(
        input=ends((2, 3, 4), 0)["input"],
        flat={"type": "Flatten", "end_dim": -1} | flatten,
        fc=linear(2, 24),
        output=ends(0, 2)["output"],
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges))
    repaired(found, *([line] if line else []))
    assert isinstance(found.graph.nodes["flat"], Flatten)
    assert found.graph.signals["flat"].shape == (24,)
    assert bool(line) == bool(found.remarks)


def test_a_flatten_that_is_not_there(tmp_path):
    nodes, edges = row(input=ends((2, 3, 4), 0)["input"], fc=linear(2, 24), output=ends(0, 2)["output"])
    found = read_here(raw(tmp_path / "a.nir", nodes, edges))
    assert repaired(found, "fc: takes 24 values of [2,3,4], and nothing flattens them")["fc"] == ["fc.flat"]


def test_an_input_with_an_axis_for_the_batch(tmp_path):
    nodes, edges = row(
        input=ends((1, 2, 5, 4), 0)["input"], conv=conv(3, 2, (3, 3), input_shape=[4, 5]), output=ends(0, 1)["output"]
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges))
    repaired(
        found,
        "input: its shape [1,2,5,4] has an axis for the batch, which is left out",
        "conv: input_shape is [4,5] in the file; [5,4] comes in",
    )
    assert found.graph.signals["conv"].shape == (3, 3, 2)


def test_names_that_no_graph_has(tmp_path):
    nodes, edges = row(
        **{"input": ends(3, 3)["input"], "layer 1/ü\x1b[31m"[:7] + "?": linear(3, 3), "-": linear(3, 3)},
        output=ends(3, 3)["output"],
    )
    found = read_here(raw(tmp_path / "a.nir", nodes, edges))
    assert list(found.graph.nodes) == ["input", "layer_1_", "_-", "output"]
    assert any("called layer_1_ here: names are of letters, digits" in line for line in found.remarks)


def test_objects_are_repaired_too():
    made = nir.NIRGraph(
        {"a": nir.Linear(np.ones((2, 3))), "b": nir.Linear(np.ones((1, 2)))}, [("a", "b"), ("a", "b")], type_check=False
    )
    from spikeport.exporters.nir.reading import from_nir

    repaired(
        from_nir(made), "a → b: this edge is there twice; taken once", "a: nothing feeds it; an input of [3] is added"
    )


def broken(**change: object) -> tuple[dict, list]:
    nodes, edges = small()
    for path, value in change.items():
        name, _, field = path.partition("__")
        if value is None:
            del nodes[name][field]
        else:
            nodes[name] = {**nodes[name], field: value}
    return nodes, edges


REFUSED = {
    "fc: a node of type 'Dense'; expected one of I, IF": broken(fc__type="Dense"),
    "lif, tau: NaN or infinite values": broken(lif__tau=np.array([0.1, np.nan])),
    "fc, weight: NaN or infinite values": broken(fc__weight=np.full((2, 3), np.inf)),
    "lif, tau: a time constant of 0 or less": broken(lif__tau=np.array([0.1, 0.0])),
    "lif, tau: is not there": broken(lif__tau=None),
    "lif, tau: text; expected numbers": broken(lif__tau="0.1"),
    "fc, weight: is not there": broken(fc__weight=None),
    "fc, weight: shape [6]; expected (…, out, in)": broken(fc__weight=np.ones(6)),
    "lif, tau: shape [3]; expected [2], as comes in": broken(lif__tau=np.array([0.1, 0.2, 0.3])),
    "input, shape: (0,); expected integers of at least 1": broken(input__shape=np.array([0])),
    "input, shape: [0.5]; expected whole numbers": broken(input__shape=np.array([0.5])),
    "input, shape: [1099511627776,1099511627776]": broken(input__shape=np.array([1 << 40, 1 << 40])),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_repaired_is_refused(tmp_path, message):
    with pytest.raises(FileError) as error:
        read_here(raw(tmp_path / "a.nir", *REFUSED[message]), **STEP)
    assert str(error.value).startswith(f"a.nir, {message}")


def test_widths_that_do_not_fit_are_refused(tmp_path):
    nodes, edges = broken(fc__weight=np.ones((2, 4)))
    with pytest.raises(FileError, match=r"a\.nir, fc, input: shape \[3\]; expected a last axis of 4"):
        read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)


def test_loops_without_a_neuron_are_refused(tmp_path):
    nodes = ends(3, 3) | {"a": linear(3, 3), "b": linear(3, 3)}
    edges = [("input", "a"), ("a", "b"), ("b", "a"), ("b", "output")]
    with pytest.raises(FileError, match=r"a\.nir, edges: a loop without a neuron, (a → b → a|b → a → b)"):
        read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)


def test_delays_between_steps_are_refused(tmp_path):
    nodes, edges = row(
        input=ends(2, 2)["input"], wait={"type": "Delay", "delay": [0.0024, 0.0024]}, output=ends(2, 2)["output"]
    )
    with pytest.raises(
        FileError, match=r"wait, delay: 0\.0024 s, 2\.4 steps; expected 0\.002 s or 0\.003 s, 2 or 3 steps"
    ):
        read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)


def test_all_reasons_come_at_once(tmp_path):
    nodes, edges = broken(fc__type="Dense", lif__tau=np.zeros(2))
    nodes["output"] = {"type": "Result"}
    with pytest.raises(Refused) as error:
        read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)
    assert [reason.where for reason in error.value.reasons] == ["a.nir, fc", "a.nir, output"]
    for weight, where in ((np.full((2, 3), np.nan), "weight"), (np.ones((2, 4)), "input")):
        path = raw(tmp_path / "b.nir", *broken(lif__tau=np.zeros(2), fc__weight=weight))
        with pytest.raises(Refused) as error:
            read_here(path, **STEP)
        assert [reason.where for reason in error.value.reasons] == [f"b.nir, fc, {where}", "b.nir, lif, tau"]


@pytest.mark.parametrize("edges", [[("input", "fc"), ("fc", "lif")], []])
def test_no_edges_or_no_output(tmp_path, edges):
    nodes, _ = small()
    if edges:
        del nodes["output"]
        assert read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP).graph.outputs == ("output",)
        return
    with pytest.raises(FileError, match="nothing feeds it"):
        read_here(raw(tmp_path / "a.nir", nodes, edges), **STEP)


def test_an_empty_graph_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.nir", "w") as file:
        put(file.create_group("node"), {"type": "NIRGraph", "edges": []})
        file.create_group("node/nodes")
    with pytest.raises(FileError, match=r"a\.nir: no nodes"):
        read_here(tmp_path / "a.nir")
