"""What a model looks like from outside: names, states, starts, readouts, types, sizes, bytes."""

import io

import numpy as np
import onnx
import pytest
from spikeport.toolchain.errors import GraphError, UsageError
from spikeport.toolchain.graph import GraphBuilder, chain, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.onnx import proto
from spikeport.toolchain.onnx.model import build, dtype_of, model
from spikeport.toolchain.simulate import simulate
from support.onnx_models import checked, session, stepped, zeros

RNG = np.random.default_rng(0)


def network(readout: str = "steps", **options: object):
    weight, back = RNG.normal(size=(6, 4)).astype("f4"), RNG.normal(size=(6, 6)).astype("f4")
    b = GraphBuilder("net")
    b.add("in", n.Input((4,)))
    b.add("fc", n.Affine(weight), "in")
    b.add("sum", n.Add(), "fc", later("back"))
    b.add("lif1", n.LIF(beta=0.9, threshold=0.7, **options), "sum")
    b.add("back", n.Affine(back), "lif1")
    b.add("out", n.Output(readout), "lif1")
    return b.build()


def shapes(values) -> dict[str, list[object]]:
    return {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


def test_one_step_has_its_state_outside():
    made = checked(model(network()))
    assert shapes(made.graph.input) == {
        "in": ["batch", 4],
        "state.lif1.v": ["batch", 6],
        "state.back.sent": ["batch", 6],
    }
    assert shapes(made.graph.output) == {
        "out": ["batch", 6],
        "next.lif1.v": ["batch", 6],
        "next.back.sent": ["batch", 6],
    }


def test_a_run_starts_by_itself_and_hands_out_where_it_ended():
    made = checked(model(network("sum"), unroll="scan"))
    assert shapes(made.graph.input) == {"in": ["steps", "batch", 4]}
    assert shapes(made.graph.output) == {"out": ["batch", 6], "end.lif1.v": ["batch", 6], "end.back.sent": ["batch", 6]}
    assert [op.op_type for op in made.graph.node].count("Scan") == 1


def test_operations_are_called_after_their_nodes():
    made = model(network())
    assert [op.name for op in made.graph.node] == [
        "fc", "sum", "lif1/decay", "lif1/charge", "lif1/above", "lif1/spikes", "lif1/reset", "back",
        "back/keep_sent", "out",
    ]  # fmt: skip
    weights = {each.name: list(each.dims) for each in made.graph.initializer}
    assert weights == {
        "fc/weight": [6, 4],
        "back/weight": [6, 6],
        "lif1/beta": [],
        "lif1/threshold": [],
        "lif1/v_reset": [],
    }


def test_what_it_says_of_itself():
    made = model(network())
    assert (made.ir_version, [(o.domain, o.version) for o in made.opset_import]) == (10, [("", 21)])
    assert made.producer_name == "spikeport"
    assert made.doc_string == (
        "One step of 'net', 0.001 s long (opset 21). Each output next.X is the next step's input state.X; before the "
        "first step it is 0."
    )
    assert "but for state.lif1.v" in model(network(v_start=0.5)).doc_string


@pytest.mark.parametrize("readout", ["steps", "last", "sum", "mean", "max"])
def test_readouts_batches_and_lengths(readout: str):
    graph = network(readout, v_start=np.linspace(0, 0.6, 6))
    running = session(model(graph, unroll="scan"))
    for steps, batch in [(1, 1), (9, 3)]:
        x = RNG.normal(size=(steps, batch, 4)).astype("f4")
        trace = simulate(graph, x)
        found = running.run(["out", "end.lif1.v"], {"in": x})
        np.testing.assert_allclose(found[0], trace.outputs["out"], rtol=1e-6)
        np.testing.assert_allclose(found[1], trace.state.nodes["lif1"]["v"], atol=1e-5)


def test_sums_over_steps_are_made_in_float64():
    """2²⁴ + 1 + … is 2²⁴ in float32."""
    graph = chain([("in", n.Input((1,))), ("out", n.Output("sum"))])
    x = np.ones((5, 1, 1), np.float32)
    x[0] = 2.0**24
    assert session(model(graph, unroll="scan")).run(["out"], {"in": x})[0].item() == 2.0**24 + 4


def test_steps_by_hand_are_the_run():
    graph = network()
    x = RNG.normal(size=(12, 2, 4)).astype("f4")
    running = session(model(graph))
    found = stepped(running, {"in": x}, zeros(running, 2))
    np.testing.assert_array_equal(found["out"], simulate(graph, x).outputs["out"])


def test_the_type_is_that_of_the_weights():
    wide = chain([n.Input((3,)), n.Affine(np.eye(3)), n.LIF(beta=0.9), n.Output()])
    narrow = chain([n.Input((3,)), n.Affine(np.eye(3, dtype="f4")), n.LIF(beta=np.full(3, 0.9)), n.Output()])
    bare = chain([n.Input((3,)), n.LIF(beta=np.full(3, 0.9)), n.Output()])
    none = chain([n.Input((3,)), n.LIF(beta=0.9), n.Output()])
    assert [dtype_of(g).name for g in (wide, narrow, bare, none)] == ["float64", "float32", "float64", "float32"]
    assert model(wide).graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.DOUBLE
    assert model(wide, dtype="float32").graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_equal_weights_are_there_once():
    weight = RNG.normal(size=(4, 4)).astype("f4")
    graph = chain([n.Input((4,)), ("a", n.Affine(weight)), ("b", n.Affine(weight.copy())), n.Output()])
    assert [each.name for each in model(graph).graph.initializer] == ["a/weight"]


def test_a_node_may_not_be_called_as_a_state():
    graph = chain([n.Input((4,)), ("lif", n.LIF(beta=0.5)), ("state.lif.v", n.Scale(2.0)), n.Output()])
    with pytest.raises(GraphError, match=r"state\.lif\.v: the name that an ONNX model gives to what a node remembers"):
        model(graph)


def test_refusals():
    with pytest.raises(UsageError, match="unroll: 'loop'; expected scan, or none for one step"):
        model(network(), unroll="loop")
    large = chain([n.Input((1 << 15, 1 << 15)), n.Scale(2.0), n.Output()])
    with pytest.raises(GraphError, match="values in one step; expected at most 268,435,456"):
        model(large)


@pytest.mark.parametrize("unroll", [None, "scan"])
def test_the_bytes_are_those_of_the_message(unroll: str | None):
    """Written array by array, for little memory; protobuf reads the very same model."""
    built = build(network(v_start=np.linspace(0, 1, 9)[:6]), unroll=unroll)
    content = io.BytesIO()
    proto.write(built, content)
    assert onnx.ModelProto.FromString(content.getvalue()) == proto.message(built)


def test_weights_in_a_file_beside_the_model(tmp_path):
    graph = chain([("in", n.Input((64,))), n.Affine(RNG.normal(size=(32, 64)).astype("f4")), ("out", n.Output())])
    with (tmp_path / "m.onnx").open("wb") as file, (tmp_path / "m.onnx.data").open("wb") as weights:
        proto.write(build(graph), file, proto.Elsewhere("m.onnx.data", weights))
    assert (tmp_path / "m.onnx").stat().st_size < 1000
    assert (tmp_path / "m.onnx.data").stat().st_size == 32 * 64 * 4
    onnx.checker.check_model(str(tmp_path / "m.onnx"), full_check=True)
    x = RNG.normal(size=(1, 2, 64)).astype("f4")
    (found,) = session(str(tmp_path / "m.onnx")).run(None, {"in": x[0]})
    np.testing.assert_allclose(found, simulate(graph, x).outputs["out"][0], atol=1e-5)
