"""Our own ONNX files: out and back as the very same graph, and never trusted once they were changed."""

import json

import numpy as np
import onnx
import pytest
from spikeport.exporters import onnx_file
from spikeport.exporters.onnx_file import read, write
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.graph import Graph, GraphBuilder, chain, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.text import diff, digest
from support.onnx_models import session
from support.random_graphs import random_graph

RNG = np.random.default_rng(0)
FIX = "Write it again, or take the entry 'spikeport' out of its metadata to have it read as any other model"


def network(**options: object) -> Graph:
    b = GraphBuilder("net", dt=2e-3)
    b.add("in", n.Input((4,)))
    b.add("fc", n.Affine(RNG.normal(size=(12, 4)).astype("f4")), "in")
    b.add("sum", n.Add(), "fc", later("back"))
    b.add("lif1", n.LIF(**{"beta": RNG.uniform(0.5, 0.9, 12), "threshold": 0.7, **options}), "sum")
    b.add("back", n.Affine(RNG.normal(size=(12, 12)).astype("f4")), "lif1")
    b.add("out", n.Output("sum"), "lif1")
    b.notes["source"] = "a note, with ünïcode"
    return b.build()


@pytest.mark.parametrize("unroll", [None, "scan"])
def test_random_graphs_come_back_as_they_were(unroll: str | None, tmp_path):
    for seed in range(500, 516):
        graph = random_graph(np.random.default_rng(seed), subgraphs=seed % 3 == 0)
        write(graph, tmp_path / "net.onnx", unroll=unroll)
        again, remarks = read(tmp_path / "net.onnx")
        assert remarks == ()
        assert digest(again) == digest(graph), diff(graph, again)
        assert dict(again.notes) == dict(graph.notes)


def test_weights_are_there_once_and_parameters_in_their_own_type(tmp_path):
    graph = network()
    write(graph, tmp_path / "net.onnx")
    made = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(made, full_check=True)
    large = {each.name: each.data_type for each in made.graph.initializer if np.prod(each.dims) > 8}
    single, double = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
    assert large == {"fc/weight": single, "back/weight": single, "lif1/beta": double}
    assert made.graph.input[0].type.tensor_type.elem_type == single


def test_what_no_operation_reads_is_kept_all_the_same(tmp_path):
    """The start of a model of one step comes from outside; a gain of 1 is left out."""
    graph = network(v_start=np.linspace(0, 1, 12), gain=np.ones(12, np.float32))
    remarks = write(graph, tmp_path / "net.onnx")
    assert remarks == (
        "the model is one step: each output next.X is the next step's input state.X; what starts at another value than "
        "0 is under 'start' in its metadata, the rest starts at 0",
        "the model is one step: the sum of 'out' over the steps is left to whoever runs it",
    )
    assert digest(read(tmp_path / "net.onnx")[0]) == digest(graph)
    made = onnx.load(tmp_path / "net.onnx")
    about = {each.key: each.value for each in made.metadata_props}
    (where,) = json.loads(about["start"])["state.lif1.v"].values()
    held = {each.name: onnx.numpy_helper.to_array(each) for each in made.graph.initializer}
    np.testing.assert_array_equal(held[where], np.linspace(0, 1, 12))
    assert (about["dt"], about["network"]) == ("0.002", "net")


def test_short_starts_are_written_out(tmp_path):
    write(chain([n.Input((2,)), ("if", n.IF(v_start=[0.25, 0.5])), n.Output()]), tmp_path / "net.onnx")
    about = {each.key: each.value for each in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert json.loads(about["start"]) == {"state.if.v": [0.25, 0.5]}


def test_a_run_says_nothing_to_its_users(tmp_path):
    assert write(network(v_start=0.5), tmp_path / "net.onnx", unroll="scan") == ()


def test_other_libraries_may_write_the_same_model_anew(tmp_path):
    for unroll in (None, "scan"):
        write(network(), tmp_path / "a.onnx", unroll=unroll)
        made = onnx.load(tmp_path / "a.onnx")
        made.producer_name = "another"
        onnx.save(made, tmp_path / "b.onnx", save_as_external_data=True, size_threshold=0, location="b.data")
        assert digest(read(tmp_path / "b.onnx")[0]) == digest(read(tmp_path / "a.onnx")[0])


def edit_node(made: onnx.ModelProto) -> str:
    next(op for op in made.graph.node if op.name == "lif1/above").op_type = "GreaterOrEqual"
    return "node 'lif1/above'"


def edit_weight(made: onnx.ModelProto) -> str:
    weight = next(each for each in made.graph.initializer if each.name == "fc/weight")
    weight.raw_data = weight.raw_data[:-4] + np.float32(7).tobytes()
    return "array "


def edit_number(made: onnx.ModelProto) -> str:
    next(each for each in made.graph.initializer if each.name == "lif1/threshold").raw_data = np.float32(7).tobytes()
    return "initialiser 'lif1/threshold'"


def edit_text(made: onnx.ModelProto) -> str:
    entry = next(each for each in made.metadata_props if each.key == "spikeport")
    entry.value = entry.value.replace("reset", "rest") if "reset=" in entry.value else entry.value.replace("0.7", "0.8")
    return "initialiser 'lif1/threshold'"


def edit_end(made: onnx.ModelProto) -> str:
    made.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1
    return "other inputs or outputs"


def edit_opset(made: onnx.ModelProto) -> str:
    made.opset_import[0].version = 20
    return "other versions of operators"


def add_node(made: onnx.ModelProto) -> str:
    made.graph.node.add(op_type="Relu", input=["fc"], output=["more"], name="more")
    return "node 'more'"


def add_initialiser(made: onnx.ModelProto) -> str:
    made.graph.initializer.add(name="more", data_type=1, dims=[1], raw_data=bytes(4))
    return "other initialisers"


def no_json(made: onnx.ModelProto) -> str:
    next(each for each in made.metadata_props if each.key == "spikeport").value = "{"
    return "a description that is no JSON"


def no_arrays(made: onnx.ModelProto) -> str:
    next(each for each in made.metadata_props if each.key == "spikeport").value = '{"version": 1, "graph": ""}'
    return "a description without a graph"


def another_version(made: onnx.ModelProto) -> str:
    entry = next(each for each in made.metadata_props if each.key == "spikeport")
    entry.value = entry.value.replace('"version": 1', '"version": 2')
    return "a description of version 2"


EDITS = [
    *(edit_node, edit_weight, edit_number, edit_text, edit_end, edit_opset),
    *(add_node, add_initialiser, no_json, no_arrays, another_version),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_a_changed_model_is_refused(edit, tmp_path):
    write(network(), tmp_path / "net.onnx")
    made = onnx.load(tmp_path / "net.onnx")
    found = edit(made)
    onnx.save(made, tmp_path / "net.onnx")
    with pytest.raises(FileError) as caught:
        read(tmp_path / "net.onnx")
    assert found in str(caught.value)
    assert str(caught.value).endswith(FIX)


def test_a_change_inside_a_run_is_seen(tmp_path):
    write(network(), tmp_path / "net.onnx", unroll="scan")
    made = onnx.load(tmp_path / "net.onnx")
    scan = next(op for op in made.graph.node if op.op_type == "Scan")
    body = next(each for each in scan.attribute if each.name == "body").g
    next(op for op in body.node if op.name == "lif1/above").op_type = "Less"
    onnx.save(made, tmp_path / "net.onnx")
    with pytest.raises(FileError, match="node 'steps'"):
        read(tmp_path / "net.onnx")


def test_large_weights_lie_beside_the_model(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onnx_file, "INSIDE", 100)
    graph = chain([("in", n.Input((40,))), n.Affine(RNG.normal(size=(30, 40)).astype("f4")), ("out", n.Output())])
    assert write(graph, tmp_path / "net.onnx") == ("its weights lie in net.onnx.data, which has to stay beside it",)
    assert {each.name for each in tmp_path.iterdir()} == {"net.onnx", "net.onnx.data"}
    assert digest(read(tmp_path / "net.onnx")[0]) == digest(graph)
    x = np.ones((1, 40), np.float32)
    assert session(str(tmp_path / "net.onnx")).run(None, {"in": x})[0].shape == (1, 30)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        write(network(), tmp_path / "nowhere" / "net.onnx")
    (tmp_path / "old.onnx").write_bytes(b"old")
    graph = chain([n.Input((1 << 15, 1 << 15)), n.Scale(2.0), n.Output()])
    with pytest.raises(Exception, match="values in one step"):
        write(graph, tmp_path / "old.onnx")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"old.onnx": b"old"}
