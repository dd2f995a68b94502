"""The text form of a network: one line for each node, short enough to read, exact enough to be read back.

    graph event_net dt=0.001
      in = Input(shape=[2,34,34], carries="spikes") : spikes [2,34,34]
      conv1 = Conv(in; weight=f32[8,2,3,3]#9a1b2c3d4e5f6071, padding=[[1,1],[1,1]]) : graded [8,34,34]
      sum = Add(conv1, ~back) : graded [8,34,34]
      lif1 = LIF(sum; beta=0.9) : spikes [8,34,34]
      back = Scale(lif1; scale=f32[]{0.5}) : graded [8,34,34]
      out = Output(lif1) : spikes [8,34,34]
      note source="event_net.safetensors"

`~` is a wire that hands on one step later. Fields that are at their default are left out. A number is an array without
axes where the field is one, of float64 or, in a network of integers, of int64; other arrays of up to eight values are
written out behind type and shape, and longer ones stand as type, shape and the first 16 digits of their SHA-256. What
follows the colon is what the node sends: it is for the reader, and checked where it is there. An inner graph stands in
braces behind its node. Lines are not aligned, so that a change of one node is a change of one line. The first word
says what the network is: `graph`, or `chip` for a chip graph. parser.py reads all this back.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

import numpy as np

from ..errors import GraphError
from .content import INLINE, SHORT, hashes_of, type_of
from .network import Network
from .nodes.base import Array, Node
from .subgraph import SubGraph

WHOLE = 64
"""The digits of a whole hash."""
PLAIN_ARRAYS: Mapping[type, np.dtype[Any]] = {float: np.dtype(np.float64), int: np.dtype(np.int64)}
"""A single value of these types stands as a plain number, of the Python type that it has there."""


def to_text(graph: Network) -> str:
    """The text form of a network."""
    return "\n".join([*_lines(graph, SHORT), ""])


def digest(graph: Network) -> str:
    """The content hash of a network, 64 hexadecimal digits: equal for equal networks, whatever their notes say."""
    return hashlib.sha256("\n".join(_lines(graph, WHOLE, notes=False)).encode()).hexdigest()


def arrays_of(graph: Network) -> dict[str, Array]:
    """The arrays that the text form names by their hash, each once, by the digits that it shows."""
    found: dict[str, tuple[str, Array]] = {}
    for node in _every_node(graph):
        held = node.arrays()
        for field, whole in hashes_of(node).items():
            known, _ = found.setdefault(whole[:SHORT], (whole, held[field]))
            if known != whole:
                raise GraphError(
                    whole[:SHORT], "two arrays whose hashes begin alike", "different ones", "change a value"
                )
    return {short: array for short, (_, array) in found.items()}


def _every_node(graph: Network) -> Iterator[Node]:
    for node in graph.nodes.values():
        if isinstance(node, SubGraph):
            yield from _every_node(node.graph)
        else:
            yield node


def diff(a: Network, b: Network) -> str:
    """What differs between two networks, as a unified diff of their text forms; empty where nothing does."""
    old, new = (list(_lines(graph, SHORT)) for graph in (a, b))
    return "\n".join(difflib.unified_diff(old, new, f"a/{a.name}", f"b/{b.name}", lineterm="", n=2))


def _lines(graph: Network, digits: int, *, notes: bool = True) -> Iterator[str]:
    yield f"{graph.word} {graph.name} dt={graph.dt!r}"
    for name, node in graph.nodes.items():
        sources = ", ".join(map(str, graph.wires[name]))
        inside, block = _inside(node, digits)
        start = f"  {name} = {node.kind}({'; '.join(part for part in (sources, inside) if part)})"
        end = f" : {graph.signals[name]}"
        if block is None:
            yield start + end
        else:
            yield start + " {"
            yield from (f"    {line}" for line in _lines(block, digits, notes=notes))
            yield "  }" + end
    if notes:
        yield from (f"  note {name}={_quoted(text)}" for name, text in graph.notes.items())


def _inside(node: Node, digits: int) -> tuple[str, Network | None]:
    """A node's fields as `name=value, …`, and its inner graph where it has one."""
    parts: list[str] = []
    block: Network | None = None
    hashes = {} if isinstance(node, SubGraph) else hashes_of(node)
    for each in fields(node):
        value = getattr(node, each.name)
        if isinstance(value, Network):
            block = value
        elif not is_default(value, each):
            parts.append(f"{each.name}={_value(value, hashes.get(each.name, '')[:digits])}")
    return ", ".join(parts), block


def is_default(value: Any, each: Field[Any]) -> bool:
    """Whether a field holds its default, in the form that the node gives it."""
    if each.default is MISSING:
        return False
    return _equals(value, each.default)


def _equals(value: Any, default: Any) -> bool:
    if isinstance(value, np.ndarray):
        same = PLAIN_ARRAYS.get(type(default))
        one = same is not None and value.shape == () and value.dtype == same
        return one and value.tobytes() == np.array(default, same).tobytes()
    if isinstance(value, tuple):
        return isinstance(default, int) and len(value) > 0 and all(_equals(each, default) for each in value)
    if isinstance(value, Mapping):
        return default is None and not value
    return type(value) is type(default) and bool(value == default)


def _value(value: Any, digest: str) -> str:
    if isinstance(value, np.ndarray):
        return _array(value, digest)
    if isinstance(value, tuple):
        return "[" + ",".join(_value(each, "") for each in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_value(each, '')}" for name, each in value.items()) + "}"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "none" if value is None else repr(value)


def _quoted(text: str) -> str:
    """Text in quotes, with what cannot be seen written as JSON writes it."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else json.dumps(c)[1:-1] for c in text) + '"'


def _array(array: Array, digest: str) -> str:
    if array.shape == () and array.dtype in PLAIN_ARRAYS.values():
        return repr(array.item())
    shape = ",".join(map(str, array.shape))
    if array.size > INLINE:
        return f"{type_of(array)}[{shape}]#{digest}"
    return f"{type_of(array)}[{shape}]{{{', '.join(map(_number, array.reshape(-1)))}}}"


def _number(value: Any) -> str:
    """The shortest digits that give the value back when read as float64 and put into its type; integers as they are."""
    if value.dtype.kind == "i":
        return str(value)
    if value.dtype.kind == "c":
        imaginary = _number(value.imag)
        return f"{_number(value.real)}{'' if imaginary[0] == '-' else '+'}{imaginary}j"
    short = str(value)
    exact = value.dtype.type(float(short)).tobytes() == value.tobytes()
    return short if exact else repr(float(value))
