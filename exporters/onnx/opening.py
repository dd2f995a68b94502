"""Opens an ONNX file that may come from a stranger: its messages, checked, with the weights left where they lie.

No library of others takes the file apart, and no process of its own is needed for it: the bytes are mapped, messages
are read one by one in Python and counted (`wire.Meter`), and a tensor's numbers are looked at in place. What a model of
N bytes takes is bounded by N and by the number of parts it may have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...toolchain.errors import FileError, SpikeportError
from ...toolchain.graph.nodes.base import brief
from .messages import FunctionPart, GraphPart, ModelPart, OpsetPart, message
from .tensors import Folder, mapped
from .wire import EXPECTED, Meter

STANDARD = ""
OLDEST, LATEST = 7, 28
"""The versions of ONNX's own operators that are read."""
DEEPEST = 16
"""How deep functions may call one another."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A file's messages.

    Args:
        graph: its graph.
        functions: the operators it defines, by domain and name.
        opsets: the version of each domain.
        producer: what wrote it.
        metadata: texts by their keys.
        folder: where it lies.
        size: its bytes.
    """

    graph: GraphPart
    functions: Mapping[tuple[str, str, str], FunctionPart]
    opsets: Mapping[str, int]
    producer: str
    metadata: Mapping[str, str]
    folder: Folder
    size: int


def open_model(path: str | Path) -> Opened:
    """The messages of an ONNX file.

    Raises:
        FileError: when it is none, or must not be read; the file's name comes first.
    """
    try:
        data = mapped(Path(path), "file", EXPECTED)
    except FileError as error:
        raise FileError(str(path), error.found, error.expected) from None
    try:
        return _opened(data, Path(path))
    except SpikeportError as error:
        raise FileError(f"{path}, {error.where}", error.found, error.expected, error.fix) from None


def _opened(data: memoryview, path: Path) -> Opened:
    model = message(ModelPart, data, Meter())
    if model.graph is None or not model.opsets:
        missing = "no graph" if model.graph is None else "no version of its operators"
        raise FileError("model", missing, EXPECTED, "export it again")
    opsets = versions(model.opsets)
    version = opsets.get(STANDARD, LATEST)
    if not OLDEST <= version <= LATEST:
        fix = f"export it with opset_version={min(max(version, OLDEST), 17)}, or convert it with onnx.version_converter"
        raise FileError("opset", f"version {version}", f"{OLDEST} to {LATEST}", fix)
    if model.graph.sparse:
        raise FileError("sparse initialisers", f"{len(model.graph.sparse)}", "dense ones")
    functions = {(domain_of(f.domain), f.name, f.overload): f for f in model.functions}
    metadata = {entry.key: entry.value for entry in model.metadata}
    return Opened(model.graph, functions, opsets, model.producer, metadata, Folder(path), len(data))


def domain_of(name: str) -> str:
    """A domain's name; ONNX's own has two."""
    return STANDARD if name == "ai.onnx" else name


def versions(opsets: tuple[OpsetPart, ...]) -> dict[str, int]:
    """The version of each domain."""
    found: dict[str, int] = {}
    for each in opsets:
        domain = domain_of(each.domain)
        if found.setdefault(domain, each.version) != each.version:
            raise FileError("opset", f"two versions of '{brief(domain)}'", "one")
    return found
