"""The reader of messages against protobuf's own, and what bytes can do to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from spikeport.exporters.onnx import wire
from spikeport.exporters.onnx.messages import ModelPart, message
from spikeport.exporters.onnx.tensors import TYPES, Folder, array_of, mapped
from spikeport.exporters.onnx.wire import Meter, varints
from spikeport.toolchain.errors import FileError
from support import foreign_models

NAMES = {"operator": "op_type", "initialisers": "initializer", "opsets": "opset_import", "functions": "functions"}
FOLDER = Path(__file__).parent


def same(ours: Any, theirs: Any) -> None:
    """Nodes, attributes, tensors and ends of a graph."""
    assert [(n.name, n.operator, n.domain, n.inputs, n.outputs) for n in ours.nodes] == [
        (n.name, n.op_type, n.domain, tuple(n.input), tuple(n.output)) for n in theirs.node
    ]
    for a, b in zip(ours.nodes, theirs.node, strict=True):
        for one, other in zip(a.attributes, b.attribute, strict=True):
            assert (one.name, one.type, one.i or 0, one.f or 0.0) == (other.name, other.type, other.i, other.f)
            assert one.ints.tolist() == list(other.ints)
            assert bytes(one.s or b"") == other.s
    for a, b in zip(ours.initialisers, theirs.initializer, strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(array_of(a, Folder(FOLDER)), numpy_helper.to_array(b))
    for a, b in zip((*ours.inputs, *ours.outputs), (*theirs.input, *theirs.output), strict=True):
        sizes = [(s.value or 0, s.name) for s in a.type.tensor.shape.sizes]
        assert a.name == b.name
        assert sizes == [(s.dim_value, s.dim_param) for s in b.type.tensor_type.shape.dim]


@pytest.mark.parametrize("make", foreign_models.ALL)
def test_models(make: Any) -> None:
    model = make()
    found = message(ModelPart, memoryview(model.SerializeToString()), Meter())
    assert found.graph is not None
    assert found.version == model.ir_version
    assert [(o.domain, o.version) for o in found.opsets] == [(o.domain, o.version) for o in model.opset_import]
    same(found.graph, model.graph)
    assert [f.name for f in found.functions] == [f.name for f in model.functions]


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("kind", [k for k in TYPES if k != TensorProto.BFLOAT16])
def test_every_type_both_ways(kind: int, raw: bool) -> None:
    """As a row of numbers of the message, and as bytes."""
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    values = (
        np.array([[0, 1, 1], [1, 0, 1]], dtype)
        if kind == TensorProto.BOOL
        else np.array([[0, 1, 2], [100, 5, 7]], dtype)
    )
    if np.issubdtype(dtype, np.signedinteger) or np.issubdtype(dtype, np.floating):
        values[0, 0] = -3
    vals = values.tobytes() if raw else values.reshape(-1).tolist()
    tensor = helper.make_tensor("t", kind, values.shape, vals, raw=raw)
    graph = onnx.GraphProto(initializer=[tensor])
    found = message(ModelPart, memoryview(onnx.ModelProto(graph=graph).SerializeToString()), Meter())
    assert found.graph is not None
    read = array_of(found.graph.initialisers[0], Folder(FOLDER))
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, values)
    assert not read.flags.writeable


def test_half_the_bits_of_a_float() -> None:
    tensor = helper.make_tensor("t", TensorProto.BFLOAT16, (3,), [1.0, -0.5, 3.0])
    content = onnx.ModelProto(graph=onnx.GraphProto(initializer=[tensor])).SerializeToString()
    found = message(ModelPart, memoryview(content), Meter())
    assert found.graph is not None
    assert array_of(found.graph.initialisers[0], Folder(FOLDER)).tolist() == [1.0, -0.5, 3.0]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40))
@settings(deadline=None, max_examples=60)
def test_packed_numbers(values: list[int]) -> None:
    packed = onnx.TensorProto(int64_data=values).SerializeToString()
    content = memoryview(packed)[2 if len(packed) < 130 else 3 :] if values else memoryview(b"")
    assert varints(content).tolist() == values


def test_packed_numbers_longer_than_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeport.exporters.onnx.wire.PIECE", 11)
    values = [3, 300, -1, 2**62, 0] * 9
    packed = onnx.TensorProto(int64_data=values).SerializeToString()
    assert varints(memoryview(packed)[3:]).tolist() == values


AGAIN = "expected an ONNX model. Download or export it again"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x08\xff", "its bytes: a number without an end; " + AGAIN),
        (b"\x08" + b"\xff" * 11, "its bytes: a number without an end; " + AGAIN),
        (b"\x3a\x05\x08", "its bytes: a part longer than what holds it; " + AGAIN),
        (b"\x03", "its bytes: a field without a number; " + AGAIN),
        (b"\x0b", "its bytes: a field of kind 3; " + AGAIN),
        (b"\x38\x00", "its bytes: a field of kind 0 where one of kind 2 belongs; expected an ONNX model. "),
        (b"\x12\x01\xff", "its bytes: a name that is no text; " + AGAIN),
        (b"\x3a\x00\x3a\x00", "its bytes: 'graph' twice in one part; " + AGAIN),
        (
            b"\x42\x00" * 2001,
            "its parts: more than 2000 nodes, attributes and tensors; expected an ONNX",
        ),
        (b"\x08\x01" * 5001, "its parts: more than 5000 fields; expected an ONNX model"),
    ],
)
def test_bytes_that_are_no_message(content: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "FIELDS", 5000)
    monkeypatch.setattr(wire, "MESSAGES", 2000)
    with pytest.raises(FileError) as caught:
        message(ModelPart, memoryview(content), Meter())
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("length", range(1, 5))
def test_what_is_copied_out_of_a_file_stays_there(tmp_path: Path, length: int) -> None:
    """Numbers that lie across words are copied, and the file's pages given back; they can be read again."""
    values = np.random.default_rng(length).normal(size=(1 << 21,)).astype(np.float32)
    tensor = numpy_helper.from_array(values, "w" * length)
    graph = helper.make_graph([], "g", [], [], [tensor])
    (tmp_path / "net.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    (found,) = message(ModelPart, mapped(tmp_path / "net.onnx", "", ""), Meter()).graph.initialisers
    assert found.raw is not None
    whole = found.raw.obj
    before = resident()
    first = array_of(found, Folder(FOLDER))
    copied = not np.shares_memory(first, np.frombuffer(whole, np.uint8))
    np.testing.assert_array_equal(first, values)
    assert (resident() - before < values.nbytes // 2) or not copied
    np.testing.assert_array_equal(array_of(found, Folder(FOLDER)), values)


def resident() -> int:
    """The bytes of files that are in this process' memory."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile"))
    return int(line.split()[1]) * 1024
