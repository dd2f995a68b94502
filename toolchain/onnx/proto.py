"""Plain values as ONNX messages, and a model's bytes without a second copy of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..graph.nodes.base import Array
from .parts import Block, DType, Op, Value

if TYPE_CHECKING:
    import onnx

OPSET = 21
"""The version of ONNX's operations that models are written in."""
IR_VERSION = 10
"""The version of the file format that belongs to it."""
PRODUCER = "spikeport"
TYPES: Mapping[str, int] = {"float32": 1, "float64": 11, "int64": 7}
"""The numbers of the types in TensorProto.DataType."""
OUTSIDE = 1024
"""Where weights lie in a file of their own, constants of fewer bytes stay in the model."""


@dataclass(frozen=True, eq=False)
class Built:
    """A model before it is a message.

    Args:
        block: what it computes.
        constants: its initialisers by name.
        words: what it says of itself.
        about: its metadata.
        remarks: what whoever runs it has to know.
        held: the constants that are arrays of the graph's nodes as they are, by content hash.
    """

    block: Block
    constants: Mapping[str, Array]
    words: str
    about: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    held: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes of its constants."""
        return sum(array.nbytes for array in self.constants.values())


def message(built: Built) -> onnx.ModelProto:
    """The whole model as a message, weights and all."""
    model = frame(built)
    model.graph.CopyFrom(graph_of(built.block))
    for name, array in built.constants.items():
        tensor = model.graph.initializer.add()
        tensor.CopyFrom(tensor_head(name, array))
        tensor.raw_data = _bytes(array)
    return model


def frame(built: Built) -> onnx.ModelProto:
    """The model without its graph."""
    import onnx

    model = onnx.ModelProto(ir_version=IR_VERSION, producer_name=PRODUCER, doc_string=built.words)
    model.opset_import.add(domain="", version=OPSET)
    for key, value in built.about.items():
        model.metadata_props.add(key=key, value=value)
    return model


def graph_of(block: Block) -> onnx.GraphProto:
    """A block without constants."""
    import onnx

    graph = onnx.GraphProto(name=block.name)
    graph.node.extend(_node(op) for op in block.ops)
    graph.input.extend(_value(value) for value in block.inputs)
    graph.output.extend(_value(value) for value in block.outputs)
    return graph


def _node(op: Op) -> onnx.NodeProto:
    from onnx import helper

    settings = {name: _setting(value) for name, value in op.settings.items()}
    node = helper.make_node(op.kind, list(op.inputs), list(op.outputs), op.name)
    node.attribute.extend(helper.make_attribute(name, value) for name, value in sorted(settings.items()))
    return node


def _setting(value: Any) -> Any:
    if isinstance(value, Block):
        return graph_of(value)
    return TYPES[value.name] if isinstance(value, np.dtype) else value


def _value(value: Value) -> onnx.ValueInfoProto:
    from onnx import helper

    return helper.make_tensor_value_info(value.name, TYPES[value.dtype.name], list(value.shape))


def tensor_head(name: str, array: Array) -> onnx.TensorProto:
    """An initialiser without its values."""
    import onnx

    return onnx.TensorProto(name=name, dims=array.shape, data_type=TYPES[array.dtype.name])


def _bytes(array: Array) -> bytes:
    return _flat(array).tobytes()


def _flat(array: Array) -> Array:
    """The values as they stand in a file."""
    little: DType = array.dtype.newbyteorder("<")
    return np.ascontiguousarray(array, little).reshape(-1)


@dataclass(frozen=True)
class Elsewhere:
    """A file of weights beside the model.

    Args:
        location: its name.
        file: where to write them; none where whoever loads the model gives them by name.
        least: the bytes from which on a constant lies there.
    """

    location: str
    file: BinaryIO | None
    least: int = OUTSIDE


def write(built: Built, file: BinaryIO, elsewhere: Elsewhere | None = None) -> None:
    """Writes a model as protobuf does, array by array, so that no second copy of its weights is made."""
    rest = graph_of(built.block).SerializeToString(deterministic=True)
    tensors = list(_tensors(built, elsewhere))
    sizes = [len(head) + len(_raw(array)) + (array.nbytes if array is not None else 0) for head, array in tensors]
    total = len(rest) + sum(len(_tag(5, size)) + size for size in sizes)
    file.write(frame(built).SerializeToString(deterministic=True))
    file.write(_tag(7, total) + rest)
    for (head, array), size in zip(tensors, sizes, strict=True):
        file.write(_tag(5, size) + head + _raw(array))
        if array is not None:
            file.write(_flat(array).view(np.uint8).data)


def _tensors(built: Built, elsewhere: Elsewhere | None) -> Iterator[tuple[bytes, Array | None]]:
    """The messages of all constants without their values, and the values that stand behind them."""
    at = 0
    for name, array in built.constants.items():
        head = tensor_head(name, array)
        if elsewhere is None or array.nbytes < elsewhere.least:
            yield head.SerializeToString(deterministic=True), array
            continue
        head.data_location = 1
        for key, value in (("location", elsewhere.location), ("offset", at), ("length", array.nbytes)):
            head.external_data.add(key=key, value=str(value))
        if elsewhere.file is not None:
            elsewhere.file.write(_flat(array).view(np.uint8).data)
        at += array.nbytes
        yield head.SerializeToString(deterministic=True), None


def _raw(array: Array | None) -> bytes:
    """What stands before the values of a tensor."""
    return b"" if array is None else _tag(9, array.nbytes)


def _tag(number: int, size: int) -> bytes:
    """The head of a field of so many bytes."""
    return _varint(number << 3 | 2) + _varint(size)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
