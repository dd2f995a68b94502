"""Our own ONNX models, which say what graph they were written from.

The metadata holds the graph's text form, and for each array the initialisers that hold it, so that no weight is there
twice. A file is trusted only where the model that follows from that graph is the very model in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ...toolchain.errors import FileError, GraphError
from ...toolchain.graph import Graph
from ...toolchain.graph.content import hash_of
from ...toolchain.graph.inline import inline
from ...toolchain.graph.nodes.base import Array
from ...toolchain.graph.parser import parse
from ...toolchain.graph.text import arrays_of, to_text
from ...toolchain.onnx.memory import memories
from ...toolchain.onnx.model import Unroll, build, dtype_of, started
from ...toolchain.onnx.proto import OPSET, Built, graph_of
from .messages import AttributePart, GraphPart, message
from .opening import STANDARD, Opened
from .tensors import array_of
from .wire import Meter

KEY = "spikeport"
"""The entry of the metadata that describes the graph."""
VERSION = 1
FIX = "write it again, or take the entry 'spikeport' out of its metadata to have it read as any other model"


def described(graph: Graph, unroll: Unroll) -> Built:
    """The model of a graph, with the graph itself in its metadata."""
    built = build(graph, unroll=unroll)
    constants, names = dict(built.constants), dict[str, list[str]]()
    for short, array in arrays_of(graph).items():
        names[short] = [_held(part, f"text/{short}{end}", built.held, constants) for part, end in _parts(array)]
    about = {"version": VERSION, "unroll": unroll or "", "arrays": names, "graph": to_text(graph)}
    words = {"dt": repr(graph.dt), "network": graph.name, **_start(graph, unroll, constants)}
    return replace(built, constants=constants, about={**words, KEY: json.dumps(about, ensure_ascii=False)})


def _parts(array: Array) -> list[tuple[Array, str]]:
    """The initialisers of an array: of a complex one, two."""
    return [(array.real, ".real"), (array.imag, ".imag")] if array.dtype.kind == "c" else [(array, "")]


def _held(array: Array, name: str, held: Mapping[str, str], constants: dict[str, Array]) -> str:
    """The initialiser that holds an array; one more, which no operation reads, where there is none."""
    found = held.get(hash_of(array))
    if found is None:
        constants[name] = array
    return found or name


def _start(graph: Graph, unroll: Unroll, constants: dict[str, Array]) -> dict[str, str]:
    """What a model of one step has to be given before the first step, where that is not 0."""
    starts = {} if unroll else started(memories(inline(graph), dtype_of(graph)))
    if not starts:
        return {}
    whole = {name: hash_of(array) for name, array in starts.items() if array.size > 8}
    known = {hash_of(array): name for name, array in constants.items() if array.dtype.kind == "f"} if whole else {}
    plain = {name: {"initialiser": known[whole[name]]} if name in whole else a.tolist() for name, a in starts.items()}
    return {"start": json.dumps(plain)}


def is_ours(model: Opened) -> bool:
    """Whether a model describes a graph."""
    return KEY in model.metadata


def graph_in(model: Opened, path: Path) -> Graph:
    """The graph that one of our models was written from.

    Raises:
        FileError: when the description is broken, or the model is not the one that follows from it.
    """
    reader = _Reader(str(path), model)
    graph, unroll = reader.graph()
    reader.compare(described(graph, unroll))
    return graph


class _Reader:
    """One file; every method finds what has to be there, or raises a FileError."""

    def __init__(self, name: str, model: Opened) -> None:
        self.name, self.model, self.part = name, model, model.graph
        self.tensors = {tensor.name: tensor for tensor in self.part.initialisers}

    def fail(self, found: str, expected: str) -> NoReturn:
        raise FileError(self.name, found, expected, FIX)

    def graph(self) -> tuple[Graph, Unroll]:
        """What the metadata says."""
        about = self._about()
        try:
            arrays = {short: self._array(names) for short, names in about["arrays"].items()}
            graph = parse(about["graph"], arrays)
        except (GraphError, FileError) as error:
            raise FileError(self.name, f"{error.where}: {error.found}", error.expected, FIX) from None
        return graph, "scan" if about["unroll"] else None

    def _about(self) -> dict[str, Any]:
        try:
            about = json.loads(self.model.metadata[KEY])
        except (ValueError, RecursionError):
            self.fail("a description that is no JSON", "the graph that the model was written from")
        kinds = {"version": int, "unroll": str, "arrays": dict, "graph": str}
        fits = isinstance(about, dict) and all(type(about.get(key)) is kind for key, kind in kinds.items())
        if not fits:
            self.fail("a description without a graph", f"{', '.join(kinds)}")
        if about["version"] != VERSION or about["unroll"] not in ("", "scan"):
            self.fail(f"a description of version {about['version']}, unroll '{about['unroll']}'", f"version {VERSION}")
        return dict(about)

    def _array(self, names: Any) -> Array:
        """An array from its initialisers."""
        if not isinstance(names, list) or len(names) not in (1, 2):
            self.fail("an array without initialisers", "one or two")
        found = [self._tensor(name) for name in names]
        if len(found) == 1:
            return found[0]
        if found[0].shape != found[1].shape or found[0].dtype.kind != "f":
            self.fail(f"'{names[0]}' and '{names[1]}', of different shapes", "the parts of complex numbers")
        whole = np.empty(found[0].shape, np.result_type(found[0], np.complex64))
        whole.real, whole.imag = found
        return whole

    def _tensor(self, name: Any) -> Array:
        tensor = self.tensors.get(name) if isinstance(name, str) else None
        if tensor is None:
            self.fail(f"no initialiser '{str(name)[:40]}'", "every array that the graph names by its hash")
        return array_of(tensor, self.model.folder)

    def compare(self, built: Built) -> None:
        """That the file's model is the one that follows from its graph."""
        expected = message(GraphPart, memoryview(graph_of(built.block).SerializeToString()), Meter())
        if self.model.opsets != {STANDARD: OPSET} or self.model.functions:
            self.fail("other versions of operators, or operators of its own", f"opset {OPSET} of ONNX alone")
        for node, other in zip_longest(self.part.nodes, expected.nodes):
            if not _same(node, other):
                named = node or other
                self.fail(f"node '{named.name if named else ''}'", "the model of the graph that it describes")
        ends = (self.part.inputs, self.part.outputs)
        if not _same(ends, (expected.inputs, expected.outputs)):
            self.fail("other inputs or outputs", "those of the graph that it describes")
        if set(self.tensors) != set(built.constants) or len(self.tensors) != len(self.part.initialisers):
            self.fail("other initialisers", "those of the graph that it describes")
        for name, array in built.constants.items():
            found = array_of(self.tensors[name], self.model.folder)
            if found.dtype != array.dtype or found.shape != array.shape or _bytes(found) != _bytes(array):
                self.fail(f"initialiser '{name}'", "the values of the graph that it describes")


def _bytes(array: Array) -> memoryview:
    """An array's bytes, without a copy of them."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _same(a: Any, b: Any) -> bool:
    """Whether two parts of messages say the same; inner graphs are compared by what they say, not by their bytes."""
    if type(a) is not type(b):
        return False
    if isinstance(a, AttributePart) and a.g is not None and b.g is not None:
        inner = (message(GraphPart, part, Meter()) for part in (a.g, b.g))
        return _same(*inner) and _same(replace(a, g=None), replace(b, g=None))
    if is_dataclass(a):
        return all(_same(getattr(a, each.name), getattr(b, each.name)) for each in fields(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else bool(a == b)
