"""Reads a graph's text form back: text.py says what it looks like.

    graph  = "graph" NAME "dt=" NUMBER { node | note }
    note   = "note" NAME "=" STRING
    node   = NAME "=" KIND "(" [ wire { "," wire } ] [ ";" ] [ NAME "=" value { "," NAME "=" value } ] ")"
             [ "{" graph "}" ] [ ":" signal ]
    wire   = [ "~" ] NAME
    value  = NUMBER | STRING | "true" | "false" | "none" | "[" values "]" | "{" NAME ":" value, … "}" | array
    array  = TYPE "[" sizes "]" ( "{" numbers "}" | "#" HASH )
    signal = ( "spikes" | "graded" | "int[" LOW "," HIGH "]" ) "[" sizes "]"

Line ends count as blanks, and what follows a # that is not part of an array is a comment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

import numpy as np

from ..errors import GraphError
from .content import INLINE, SHORT, TYPES, hash_of, remember
from .graph import Graph, Wire
from .nodes.base import MOST_AXES, Array, Node, shown
from .scanner import Scanner
from .signal import carries
from .subgraph import EVERY_KIND, SubGraph

DEEPEST = 16
"""How deep graphs and values may be nested."""
LONGEST = 1 << 20
"""The most values in one list."""

_DTYPES = {short: name for name, short in TYPES.items()}
_TYPE = re.compile(r"(?:f32|f64|c64|c128)(?=\[)")
_HASH = re.compile(rf"[0-9a-f]{{{SHORT}}}(?![0-9A-Za-z])")
_FIELD = re.compile(r"[a-z_]+(?=[ \t]*=)")
_REAL = re.compile(r"-?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,4})?")
_IMAGINARY = re.compile(rf"[+-](?:{_REAL.pattern[2:]})j")
_CARRIES = re.compile(r"spikes|graded|int\[-?\d{1,9},-?\d{1,9}\]")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "none": None}
_WORD = re.compile(r"(?:true|false|none)(?![A-Za-z0-9_])")


def parse(text: str, arrays: Mapping[str, Array] | None = None) -> Graph:
    """The graph whose text form this is.

    Args:
        text: what `to_text` printed, or what a hand wrote.
        arrays: the arrays that the text names by hash, as `arrays_of` gives them. Each is checked against its hash.

    Raises:
        GraphError: with line and column, what stands there and what was expected.
    """
    reader = _Reader(text, arrays or {})
    graph = reader.graph(0)
    if reader.scan.at < len(text):
        reader.scan.fail("a node, a note or the end of the text")
    return graph


@dataclass
class _Draft:
    """A graph while it is read."""

    nodes: dict[str, Node] = field(default_factory=dict)
    wires: dict[str, tuple[Wire, ...]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    promised: list[tuple[str, str, int]] = field(default_factory=list)
    """What the text says that a node sends, and where."""


class _Reader:
    """The grammar, one method for each rule."""

    def __init__(self, text: str, arrays: Mapping[str, Array]) -> None:
        self.scan = Scanner(text)
        self.arrays = arrays
        self.hashes: dict[str, str] = {}

    def graph(self, depth: int) -> Graph:
        scan, start = self.scan, self.scan.at
        if depth > DEEPEST:
            scan.fail(f"graphs at most {DEEPEST} deep")
        scan.word("graph")
        name = scan.name("the graph's name")
        scan.word("dt")
        scan.expect("=")
        dt = scan.number("the length of a step in seconds")
        draft = _Draft()
        while not scan.sees("}") and scan.at < len(scan.text):
            self._line(depth, draft)
        try:
            graph = Graph(draft.nodes, draft.wires, dt, name, draft.notes)
        except GraphError as error:
            raise error.inside(scan.where(start)) from None
        for node, signal, at in draft.promised:
            if signal != str(graph.signals[node]):
                raise GraphError(scan.where(at), f"{node} : {signal}", f"{graph.signals[node]}, as it sends")
        return graph

    def _line(self, depth: int, draft: _Draft) -> None:
        scan, start = self.scan, self.scan.at
        name = scan.name("a node, a note or the end")
        if name == "note" and not scan.sees("="):
            self._note(draft)
            return
        if name in draft.nodes:
            scan.fail("another name: there is a node of this one", start)
        scan.expect("=")
        draft.nodes[name], draft.wires[name] = self._node(name, depth)
        if scan.skip(":"):
            start = scan.at
            draft.promised.append((name, self._signal(), start))

    def _note(self, draft: _Draft) -> None:
        start = self.scan.at
        key = self.scan.name("the note's name")
        if key in draft.notes:
            self.scan.fail("another name: there is a note of this one", start)
        self.scan.expect("=")
        draft.notes[key] = self.scan.string("the note's text in quotes")

    def _signal(self) -> str:
        carried = self.scan.take(_CARRIES)
        if carried is None:
            self.scan.fail("spikes, graded or int[low,high]")
        sizes = self._sizes()
        self.scan.blank()
        return f"{carries(carried)} {shown(sizes)}"

    def _node(self, name: str, depth: int) -> tuple[Node, tuple[Wire, ...]]:
        scan, start = self.scan, self.scan.at
        kind = scan.name("the node's kind")
        if kind not in EVERY_KIND:
            scan.fail(f"one of {', '.join(EVERY_KIND)}", start)
        scan.expect("(")
        wires: list[Wire] = []
        while not scan.sees(")") and not scan.sees(";") and not self._at_field():
            delayed = scan.skip("~")
            wires.append(Wire(scan.name("the name of a node, or ')'"), delayed))
            if not scan.skip(","):
                break
        scan.skip(";")
        values, hashes = self._fields(EVERY_KIND[kind])
        if EVERY_KIND[kind] is SubGraph:
            scan.expect("{")
            values["graph"] = self.graph(depth + 1)
            scan.expect("}")
        return self._made(name, EVERY_KIND[kind], values, hashes, start), tuple(wires)

    def _at_field(self) -> bool:
        return _FIELD.match(self.scan.text, self.scan.at) is not None

    def _fields(self, kind: type[Node]) -> tuple[dict[str, Any], dict[str, str]]:
        scan = self.scan
        known = {each.name: each for each in fields(kind) if kind is not SubGraph}
        values: dict[str, Any] = {}
        hashes: dict[str, str] = {}
        while not scan.skip(")"):
            start = scan.at
            name = scan.name("a field, or ')'")
            if name not in known:
                scan.fail(f"a field of {kind.__name__}: {', '.join(known) or 'it has none'}", start)
            if name in values:
                scan.fail("each field once", start)
            scan.expect("=")
            start = scan.at
            values[name], whole = self._value(0)
            if isinstance(values[name], np.ndarray) and not known[name].metadata.get("array"):
                scan.fail(f"a value for {name} that is no array", start)
            if whole:
                hashes[name] = whole
            if not scan.sees(")"):
                scan.expect(",")
        missing = [each.name for each in known.values() if each.default is MISSING and each.name not in values]
        if missing:
            scan.fail(f"{', '.join(missing)} of {kind.__name__} before it")
        return values, hashes

    def _made(self, name: str, kind: type[Node], values: dict[str, Any], hashes: dict[str, str], at: int) -> Node:
        try:
            node = kind(**values)
        except GraphError as error:
            raise error.inside(f"{self.scan.where(at)}, {name} ({kind.__name__})") from None
        if kind is not SubGraph and all(array.size <= INLINE or f in hashes for f, array in node.arrays().items()):
            remember(node, hashes)
        return node

    def _value(self, depth: int) -> tuple[Any, str]:
        """A value, and its hash where it is an array that stands by its hash."""
        scan = self.scan
        if depth > DEEPEST:
            scan.fail(f"values at most {DEEPEST} deep")
        kind = scan.take(_TYPE)
        if kind is not None:
            return self._array(kind)
        word = scan.take(_WORD)
        if word is not None:
            return _WORDS[word], ""
        if scan.sees('"'):
            return scan.string("text in quotes, on one line"), ""
        if scan.skip("["):
            return self._list(depth), ""
        if scan.skip("{"):
            return self._mapping(depth), ""
        return scan.number("a value"), ""

    def _list(self, depth: int) -> tuple[Any, ...]:
        values: list[Any] = []
        while not self.scan.skip("]"):
            values.append(self._value(depth + 1)[0])
            if len(values) > LONGEST:
                self.scan.fail(f"at most {LONGEST} values")
            if not self.scan.sees("]"):
                self.scan.expect(",")
        return tuple(values)

    def _mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not self.scan.skip("}"):
            start = self.scan.at
            name = self.scan.name("a name, or '}'")
            if name in values:
                self.scan.fail("each name once", start)
            self.scan.expect(":")
            values[name] = self._value(depth + 1)[0]
            if not self.scan.sees("}"):
                self.scan.expect(",")
        return values

    def _sizes(self) -> tuple[int, ...]:
        """Sizes in brackets; what may be a # of an array behind them is not taken for a comment."""
        scan = self.scan
        scan.expect("[")
        sizes: list[int] = []
        while not scan.skip("]", blank=False):
            start = scan.at
            sizes.append(scan.integer("a size, or ']'"))
            if sizes[-1] < 0 or len(sizes) > MOST_AXES:
                scan.fail(f"at most {MOST_AXES} sizes, none below 0", start)
            if not scan.sees("]"):
                scan.expect(",")
        return tuple(sizes)

    def _array(self, kind: str) -> tuple[Array, str]:
        start = self.scan.at
        sizes = self._sizes()
        if self.scan.skip("#", blank=False):
            return self._named(kind, sizes)
        self.scan.blank()
        self.scan.expect("{")
        return self._written_out(kind, sizes, start), ""

    def _written_out(self, kind: str, sizes: tuple[int, ...], at: int) -> Array:
        values: list[complex] = []
        while not self.scan.skip("}"):
            values.append(self._number(kind))
            if len(values) > INLINE:
                self.scan.fail(f"at most {INLINE} values", at)
            if not self.scan.sees("}"):
                self.scan.expect(",")
        if math.prod(sizes) != len(values):
            self.scan.fail(f"a shape of {len(values)} values", at)
        with np.errstate(over="ignore"):
            # A number that is too large becomes infinite here, and the node refuses it.
            return np.array(values, _DTYPES[kind]).reshape(sizes)

    def _number(self, kind: str) -> complex:
        real = self.scan.take(_REAL)
        if real is None:
            self.scan.fail("a number, or '}'")
        if not kind.startswith("c"):
            return float(real)
        imaginary = self.scan.take(_IMAGINARY)
        return complex(float(real), float(imaginary[:-1]) if imaginary else 0.0)

    def _named(self, kind: str, sizes: tuple[int, ...]) -> tuple[Array, str]:
        start = self.scan.at
        short = self.scan.take(_HASH)
        if short is None:
            self.scan.fail(f"{SHORT} digits 0-9, a-f")
        if short not in self.arrays:
            self.scan.fail("the hash of an array that is there", start)
        array = self.arrays[short]
        if (array.dtype.name, array.shape) != (_DTYPES[kind], sizes):
            found = f"{kind}{shown(sizes)}"
            expected = f"{TYPES.get(array.dtype.name, array.dtype.name)}{shown(array.shape)}, as the array is"
            raise GraphError(self.scan.where(start), found, expected)
        if short not in self.hashes:
            self.hashes[short] = hash_of(array)
        if not self.hashes[short].startswith(short):
            found = f"array {short} with values of another hash, {self.hashes[short][:SHORT]}"
            raise GraphError(self.scan.where(start), found, "the values that were saved")
        return array, self.hashes[short]
