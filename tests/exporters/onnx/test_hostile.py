"""ONNX files of strangers: one message, the file's name first, and nothing that grows with what they claim."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from spikeport.exporters.onnx import steps
from spikeport.exporters.onnx.reading import read_foreign
from spikeport.toolchain.errors import FileError, Refused, SpikeportError
from support import foreign_models
from support.foreign_models import model, node

FUZZ = Path(__file__).parents[2] / "support" / "onnx_fuzz.py"
W = np.ones((2, 3, 3, 3), np.float32)


def conv(**more: Any) -> onnx.ModelProto:
    return model([node("Conv", "x w", "y")], {"w": W}, **more)


def said(made: onnx.ModelProto | bytes, folder: Path, **options: Any) -> str:
    """What is said of a file, without its name, which comes first."""
    file = folder / "net.onnx"
    file.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    with pytest.raises(SpikeportError) as caught:
        read_foreign(file, **options)
    error = caught.value
    assert isinstance(error, (FileError, Refused))
    assert str(error).startswith(str(file))
    text = str(error.reasons[0]) if isinstance(error, Refused) else str(error)
    return text.removeprefix(str(file)).lstrip(":, ")


def changed(change: Callable[[onnx.ModelProto], Any]) -> onnx.ModelProto:
    made = conv()
    change(made)
    return made


def external(**entries: str) -> Callable[[onnx.ModelProto], Any]:
    def change(made: onnx.ModelProto) -> None:
        tensor = made.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)

    return change


def huge(made: onnx.ModelProto) -> None:
    made.graph.initializer[0].dims[:] = [50_000, 50_000]


FOUR = "a path that leaves the model's folder; expected a file beside the model"
CASES: dict[str, tuple[onnx.ModelProto | bytes, str]] = {
    "text": (b"name: net", "its bytes: a field of kind 6"),
    "empty": (b"", "model: no graph; expected an ONNX model. Export it again"),
    "no graph": (changed(lambda m: m.ClearField("graph")), "model: no graph; expected an ONNX model. Export it again"),
    "no opset": (changed(lambda m: m.ClearField("opset_import")), "model: no version of its operators; expected"),
    "old opset": (conv(opset=6), "opset: version 6; expected 7 to 28. Export it with opset_version=7, or convert it"),
    "new opset": (
        changed(lambda m: setattr(m.opset_import[0], "version", 99)),
        "opset: version 99; expected 7 to 28. Export it with opset_version=17, or convert it",
    ),
    "10 GB declared": (
        changed(huge),
        "initialiser 'w', data: 216 bytes for shape [50000,50000] of float32; expected 1000",
    ),
    "negative size": (
        changed(lambda m: m.graph.initializer[0].dims.__setitem__(0, -2)),
        "initialiser 'w', shape: [-2,3,3,3]; expected sizes of at least 0",
    ),
    "texts": (
        changed(lambda m: setattr(m.graph.initializer[0], "data_type", 8)),
        "initialiser 'w', type: string; expected real numbers, integers or true and false",
    ),
    "absolute": (changed(external(location="/etc/passwd")), f"initialiser 'w', external data '/etc/passwd': {FOUR}"),
    "above": (changed(external(location="a/../../b")), f"initialiser 'w', external data 'a/../../b': {FOUR}"),
    "link": (
        changed(external(location="link")),
        "initialiser 'w', external data 'link': a symbolic link; expected a file",
    ),
    "link on the way": (
        changed(external(location="links/w")),
        "initialiser 'w', external data 'links/w': a symbolic link; expected a file beside the model. Copy the f",
    ),
    "pipe": (
        changed(external(location="pipe")),
        "initialiser 'w', external data 'pipe': is no plain file; expected the",
    ),
    "gone": (
        changed(external(location="gone")),
        "initialiser 'w', external data 'gone': does not exist; expected the file",
    ),
    "short": (
        changed(external(location="short", offset="8")),
        "initialiser 'w', external data 'short': 10 bytes; expected at least 224. Copy the whole file beside it",
    ),
    "length": (
        changed(external(location="short", length="4")),
        "initialiser 'w', external data 'short': a length of 4 bytes; expected 216, as the shape asks",
    ),
    "offset": (
        changed(external(location="short", offset="-8")),
        "initialiser 'w', external data, offset: '-8'; expected a number of bytes",
    ),
    "nowhere": (changed(external(length="216")), "initialiser 'w', external data: without a location; expected a file"),
    "NaN": (model([node("Conv", "x w", "y")], {"w": W * np.nan}), "node 'y' (Conv), weight: NaN or infinite values"),
    "cycle": (
        model([node("Add", "x b", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")]),
        "node 'a' (Add): waits for what follows from itself; expected a graph without cycles",
    ),
    "itself": (model([node("Add", "x y", "y")]), "node 'y' (Add): waits for what follows from itself"),
    "twice": (
        model([node("Relu", "x", "y"), node("Abs", "x", "y")]),
        "node 'y' (Abs): makes 'y', which is made already; expected each name once",
    ),
    "input made": (
        model([node("Relu", "x", "y"), node("Abs", "u", "x")], u=("N", 3)),
        "input 'x': made by a node, too; expected each name once",
    ),
    "nothing makes it": (
        model([node("Add", "x z", "y")]),
        "node 'y' (Add): reads 'z', which nothing makes; expected a name that is there",
    ),
    "no output": (changed(lambda m: m.graph.ClearField("output")), "outputs: none; expected at least one"),
    "no input": (changed(lambda m: m.graph.ClearField("input")), "inputs: none; expected at least one"),
    "unknown output": (
        changed(lambda m: setattr(m.graph.output[0], "name", "q")),
        "output 'q': reads 'q', which nothing makes; expected a name that is there",
    ),
    "unknown operator": (
        model([node("TopK", "x", "y")]),
        "node 'y' (TopK), operator: 'TopK'; expected one of those that docs/onnx.md lists",
    ),
    "unknown operator of several inputs": (
        model([node("TopK", "x k", "y")], {"k": np.array([1])}),
        "node 'y' (TopK), operator: 'TopK'; expected one of those that docs/onnx.md lists",
    ),
    "only of constants": (
        model([node("Range", "x x x", "y")]),
        "node 'y' (Range), inputs: a signal; expected constants for Range",
    ),
    "unknown domain": (
        model([helper.make_node("FusedConv", ["x"], ["y"], "f", domain="com.microsoft")]),
        "node 'f' (FusedConv), domain: 'com.microsoft'; expected ONNX's own operators, or functions of the model",
    ),
    "an operator of ONNX Runtime": (
        model([helper.make_node("QLinearAdd", ["x"], ["y"], "f", domain="com.microsoft")]),
        "node 'f' (QLinearAdd), domain: 'com.microsoft'; expected ONNX's own operators, or functions of the model. "
        "Export it without ONNX Runtime's own operators: not optimised, and quantised with QuantFormat.QDQ",
    ),
    "integers to a negative power": (
        model([node("Pow", "a b", "s"), node("Reshape", "x s", "y")], {"a": np.array([2]), "b": np.array([-1])}),
        "node 's' (Pow), inputs: Integers to negative integer powers are not allowed.; expected constants that Pow",
    ),
    "the largest of nothing": (
        model([node("ReduceMax", "a", "s"), node("Add", "x s", "y")], {"a": np.zeros(0, np.float32)}),
        "node 's' (ReduceMax), inputs: zero-size array to reduction operation maximum which has no identity; expec",
    ),
    "an input of many left out": (
        model([node("Max", "a - a", "s"), node("Add", "x s", "y")], {"a": np.ones(1, np.float32)}),
        "node 's' (Max), inputs: one that is left out; expected the first 3",
    ),
    "constants where a signal has to be": (
        model([node("Einsum", "a a", "s", equation="i,j->ij"), node("Add", "x s", "y")], {"a": np.ones(8)}),
        "node 's' (Einsum), inputs: constants alone; expected at least one signal",
    ),
    "a mean of constants": (
        model([node("Mean", "a a", "s"), node("Add", "x s", "y")], {"a": np.ones(8, np.float32)}),
        "node 's' (Mean), inputs: constants alone; expected at least one signal",
    ),
    "an equation that would move a terminal": (
        model([node("Einsum", "x", "y", equation="\x1b[31m->")], told=False),
        "node 'y' (Einsum), equation: '�[31m->'; expected letters, each once in a term",
    ),
    "unknown attribute": (
        model([node("Relu", "x", "y", slope=0.1)]),
        "node 'y' (Relu), attribute: 'slope'; expected those of Relu in opset 17",
    ),
    "wrong type of attribute": (
        model([node("Flatten", "x", "y", axis=0.5)]),
        "node 'y' (Flatten), axis: an attribute of type 1; expected one of type 2",
    ),
    "inputs": (model([node("Conv", "x", "y")]), "node 'y' (Conv), inputs: 1; expected 2 to 3 for Conv"),
    "open size": (
        conv(x=("N", 3, "h", 8)),
        "input 'x': shape [N,3,h,8]; expected sizes that are fixed, but for the batch. ",
    ),
    "integers": (
        changed(lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", TensorProto.INT64)),
        "input 'x': values of type int64; expected float32",
    ),
    "no shape": (
        changed(lambda m: m.graph.input[0].type.tensor_type.ClearField("shape")),
        "input 'x': no tensor with a shape; expected a tensor and its shape. Export it with shapes",
    ),
    "constants that grow": (
        model([node("ConstantOfShape", "n", "big"), node("Add", "x big", "y")], {"n": np.array([1 << 20, 1 << 20])}),
        "node 'big' (ConstantOfShape), memory: constants of shape [1048576,1048576]; expected what a file of this size",
    ),
    "a signal that grows": (
        model([node("Expand", "x n", "y")], {"n": np.array([1, 3, 8 << 20, 1 << 20])}, x=("N", 3, 1, 1)),
        "node 'y' (Expand), memory: constants of shape [1,1,8388608,1048576]; expected what a file of this size needs",
    ),
    "the batch mixed": (
        model([node("ReduceMean", "x", "y", axes=[0])]),
        "node 'y' (ReduceMean), batch: a mean along axis 0 of [N,3,8,8], which is the batch; expected work that does "
        "not mix the samples of a batch. Read it with --batch-axis none if its first axis is no batch",
    ),
    "the batch as a number": (
        model(
            [
                node("Shape", "x", "s"),
                node("Cast", "s", "f", to=1),
                node("Gather", "f i", "n"),
                node("Div", "x n", "y"),
            ],
            {"i": np.int64(0)},
        ),
        "node 'y' (Div), batch: the divisor worked out from the size of the batch; expected one that is the same for",
    ),
    "weights of another batch": (
        model([node("Add", "x b", "y")], {"b": np.arange(4, dtype=np.float32).reshape(4, 1, 1, 1)}, x=(4, 3, 8, 8)),
        "node 'y' (Add), batch: a constant of shape [4,1,1,1] with numbers of their own for the samples; expecte",
    ),
    "a constant at the end": (
        model([node("Relu", "x", "a")], {"y": W}, outputs=("y", "a")),
        "output 'y': a constant: it follows from no input; expected an output that does",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_message(case: str, tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"0123456789")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "links").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    made, expected = CASES[case]
    assert said(made, tmp_path).startswith(expected)


def test_functions_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that calls itself, and one that would become more calls than any machine runs."""
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]

    def function(name: str, calls: str, count: int = 1) -> onnx.FunctionProto:
        domain = "" if calls == "Relu" else "own"
        nodes = [helper.make_node(calls, ["a"], [f"b{k}"], f"n{k}", domain=domain) for k in range(count)]
        return helper.make_function("own", name, ["a"], ["b0"], nodes, opsets)

    first = helper.make_node("F0", ["x"], ["y"], "f", domain="own")
    found = said(model([first], functions=[function("F0", "F0")], told=False), tmp_path)
    assert "functions more than 16 deep; expected a model that comes to an end" in found
    monkeypatch.setattr(steps, "MOST_STEPS", 5_000)
    many = [function(f"F{k}", f"F{k + 1}" if k < 12 else "Relu", 8) for k in range(13)]
    assert said(model([first], functions=many, told=False), tmp_path).startswith(
        "nodes: more than 5000; expected a network that"
    )


def test_every_reason_at_once(tmp_path: Path) -> None:
    nodes = [node("TopK", "x", "a"), node("Relu", "a", "b"), node("NonZero", "x", "c"), node("Add", "b c", "y")]
    file = tmp_path / "net.onnx"
    file.write_bytes(model(nodes).SerializeToString())
    with pytest.raises(Refused) as caught:
        read_foreign(file)
    assert [str(reason).split(",")[0] for reason in caught.value.reasons] == ["node 'a' (TopK)", "node 'c' (NonZero)"]


def test_sizes_that_are_told(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(conv(x=("N", 3, "h", 8)).SerializeToString())
    assert read_foreign(file, sizes={"h": 6}).graph.nodes["x"].shape == (3, 6, 8)


def test_2000_mutations(tmp_path: Path) -> None:
    """Each is refused or read, in a process with little memory; none takes long."""
    for make in foreign_models.ALL:
        (tmp_path / f"{make.__name__}.onnx").write_bytes(make().SerializeToString())
    command = [sys.executable, str(FUZZ), str(tmp_path), "7", "0", "2000"]
    path = {**os.environ, "PYTHONPATH": str(FUZZ.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, env=path, check=False, timeout=300)
    last = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"mutation {last}: {done.stderr[-2000:]}"
    read, refused = map(int, re.fullmatch(r"read (\d+) refused (\d+)", last[0]).groups())  # type: ignore[union-attr]
    assert read > 300
    assert refused > 900
