"""ONNX models as strangers write them, made with onnx's own helpers and small enough to be mutated."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnx.shape_inference
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def node(kind: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """A node; names are parted by spaces, and '-' is an input that is left out."""
    given = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(kind, given, outputs.split(), name=outputs.split()[0], **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, Any] | None = None,
    *,
    x: Sequence[Any] = ("N", 3, 8, 8),
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
    functions: Sequence[Any] = (),
    told: bool = True,
    **more: Sequence[Any],
) -> onnx.ModelProto:
    """A model of inputs `x` and `more`, whose constants are arrays; the shapes of its outputs are `told`."""
    inputs = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in {"x": x, **more}.items()]
    ends = [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs]
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(list(nodes), "net", inputs, ends, held)
    opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid("own", 1)] if functions else [])]
    made = helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=9)
    if told:
        with contextlib.suppress(onnx.shape_inference.InferenceError):  # of what is broken on purpose
            made = onnx.shape_inference.infer_shapes(made, data_prop=True)
    return made


def f32(rng: np.random.Generator, *shape: int) -> Any:
    return rng.normal(size=shape).astype(np.float32)


def convolutional() -> onnx.ModelProto:
    """A network as exporters write it: a chain of shapes before the reshape, a function of its own, Q/DQ at the end."""
    rng = np.random.default_rng(0)
    opsets = [helper.make_opsetid("", 17)]
    gate = helper.make_function(
        "own", "Gate", ["a"], ["b"], [node("Sigmoid", "a", "s"), node("Mul", "a s", "b")], opsets
    )
    nodes = [
        node("Conv", "x w b", "c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "c g h m v", "n"),
        node("Relu", "n", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Gate", ["p"], ["gated"], "gate", domain="own"),
        node("Shape", "gated", "shape"),
        node("Gather", "shape zero", "batch", axis=0),
        node("Unsqueeze", "batch axes", "batch1"),
        node("Concat", "batch1 rest", "target", axis=0),
        node("Reshape", "gated target", "flat"),
        node("Gemm", "flat w2 b2", "d", transB=1),
        node("QuantizeLinear", "d scale zp", "q"),
        node("DequantizeLinear", "q scale zp", "dq"),
        node("Softmax", "dq", "y", axis=-1),
    ]
    constants = {
        "w": f32(rng, 4, 3, 3, 3),
        "b": f32(rng, 4),
        **{name: np.abs(f32(rng, 4)) for name in "ghmv"},
        "zero": np.int64(0),
        "axes": np.array([0]),
        "rest": np.array([-1]),
        "w2": f32(rng, 5, 16),
        "b2": f32(rng, 5),
        "scale": np.float32(0.05),
        "zp": np.uint8(100),
    }
    return model(nodes, constants, functions=[gate])


def attentive() -> onnx.ModelProto:
    """A block of a transformer: products of two signals, a class token, slices; its batch is fixed to 1."""
    rng = np.random.default_rng(1)
    nodes = [
        node("Transpose", "x", "t", perm=[0, 2, 1]),
        node("MatMul", "t wq", "qkv"),
        node("Split", "qkv", "q k v", axis=2),
        node("Transpose", "k", "kt", perm=[0, 2, 1]),
        node("MatMul", "q kt", "qk"),
        node("Div", "qk root", "scaled"),
        node("Softmax", "scaled", "a", axis=-1),
        node("MatMul", "a v", "av"),
        node("Concat", "token av", "long", axis=1),
        node("LayerNormalization", "long g b", "ln", axis=-1),
        node("Slice", "ln one two one one", "cut"),
        node("ReduceMean", "cut", "y", axes=[1], keepdims=0),
    ]
    constants = {
        "wq": f32(rng, 6, 12),
        "root": np.float32(2),
        "token": f32(rng, 1, 1, 4),
        "g": f32(rng, 4),
        "b": f32(rng, 4),
        "one": np.array([1]),
        "two": np.array([4]),
    }
    return model(nodes, constants, x=(1, 6, 5))


def varied() -> onnx.ModelProto:
    """Many operators in a row."""
    rng = np.random.default_rng(2)
    nodes = [
        node("Pad", "x pads", "p"),
        node("ConvTranspose", "p w", "c", strides=[2, 2], output_padding=[1, 1]),
        node("Clip", "c low -", "r"),
        node("AveragePool", "r", "a", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("LRN", "a", "l", size=3),
        node("PRelu", "l slope", "pr"),
        node("Flatten", "pr", "f"),
        node("Gather", "f index", "g", axis=1),
        node("Einsum", "g m", "e", equation="ni,ij->nj"),
        node("Greater", "e low", "gt"),
        node("Where", "gt e low", "wh"),
        node("CumSum", "wh axis", "cs", reverse=1),
        node("Unsqueeze", "cs last", "us"),
        node("Expand", "us wide", "ex"),
        node("Pow", "ex two", "pw"),
        node("ReduceMax", "pw", "y", axes=[2], keepdims=0),
    ]
    constants = {
        "pads": np.array([0, 0, 1, 1, 0, 0, 0, 1]),
        "w": f32(rng, 3, 2, 3, 3),
        "low": np.float32(0),
        "slope": f32(rng, 2, 1, 1),
        "index": np.array([0, 5, 3, 3, -1, 7]),
        "m": f32(rng, 6, 4),
        "axis": np.int64(1),
        "last": np.array([2]),
        "wide": np.array([1, 1, 3]),
        "two": np.float32(2),
    }
    return model(nodes, constants, x=("N", 3, 4, 4))


ALL = (convolutional, attentive, varied)
