"""Reads a network's text form back: text.py says what it looks like.

    graph  = WORD NAME "dt=" NUMBER { node | note }
    note   = "note" NAME "=" STRING
    node   = NAME "=" KIND "(" [ wire { "," wire } ] [ ";" ] [ NAME "=" value { "," NAME "=" value } ] ")"
             [ "{" graph "}" ] [ ":" signal ]
    wire   = [ "~" ] NAME
    value  = NUMBER | STRING | "true" | "false" | "none" | "[" values "]" | "{" NAME ":" value, … "}" | array
    array  = TYPE "[" sizes "]" ( "{" numbers "}" | "#" HASH )
    signal = ( "spikes" | "graded" | "int[" LOW "," HIGH "]" ) "[" sizes "]"

WORD is "graph", or what else the forms that are asked for begin with. Line ends count as blanks, and what follows a #
that is not part of an array is a comment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Generic, TypeVar

import numpy as np

from ..errors import GraphError
from .arrays import ArrayReader
from .content import INLINE, remember
from .graph import Graph
from .network import NAME, Network, Wire
from .nodes.base import Array, Node, shown
from .scanner import Scanner
from .signal import carries
from .subgraph import EVERY_KIND, SubGraph

DEEPEST = 16
"""How deep graphs and values may be nested."""
LONGEST = 1 << 20
"""The most values in one list."""

_TYPE = re.compile(r"(?:f32|f64|c64|c128|i64)(?=\[)")
_FIELD = re.compile(r"[a-z_]+(?=[ \t]*=)")
_CARRIES = re.compile(r"spikes|graded|int\[-?\d{1,9},-?\d{1,9}\]")
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "none": None}
_WORD = re.compile(r"(?:true|false|none)(?![A-Za-z0-9_])")


N_co = TypeVar("N_co", bound=Network, covariant=True)


@dataclass(frozen=True)
class Form(Generic[N_co]):
    """A class of networks that a text can be read as.

    Args:
        network: the class; its `word` is what the text begins with.
        kinds: every kind of node that can stand in it, by name.
    """

    network: type[N_co]
    kinds: Mapping[str, type[Node]]


GRAPHS = Form(Graph, EVERY_KIND)


def parse(text: str, arrays: Mapping[str, Array] | None = None) -> Graph:
    """The graph whose text form this is; `read` with graphs alone."""
    return read(text, arrays or {}, (GRAPHS,))


def read(text: str, arrays: Mapping[str, Array], forms: Sequence[Form[N_co]]) -> N_co:
    """The network whose text form this is.

    Args:
        text: what `to_text` printed, or what a hand wrote.
        arrays: the arrays that the text names by hash, as `arrays_of` gives them. Each is checked against its hash.
        forms: what the network may be.

    Raises:
        GraphError: with line and column, what stands there and what was expected.
    """
    scan = Scanner(text)
    start, words = scan.at, {form.network.word: form for form in forms}
    word = scan.take(NAME)
    if word is None or word not in words:
        scan.fail(" or ".join(f"'{each}'" for each in words), start)
    graph = _Reader(scan, arrays, words[word]).graph(0, start)
    if scan.at < len(text):
        scan.fail("a node, a note or the end of the text")
    return graph


@dataclass
class _Draft:
    """A graph while it is read."""

    nodes: dict[str, Node] = field(default_factory=dict)
    wires: dict[str, tuple[Wire, ...]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    promised: list[tuple[str, str, int]] = field(default_factory=list)
    """What the text says that a node sends, and where."""


class _Reader(Generic[N_co]):
    """The grammar, one method for each rule."""

    def __init__(self, scan: Scanner, arrays: Mapping[str, Array], form: Form[N_co]) -> None:
        self.scan = scan
        self.arrays = ArrayReader(scan, arrays)
        self.form = form

    def inner(self, depth: int) -> N_co:
        """A network in a node of another, of the same form."""
        start = self.scan.at
        if depth > DEEPEST:
            self.scan.fail(f"graphs at most {DEEPEST} deep")
        self.scan.word(self.form.network.word)
        return self.graph(depth, start)

    def graph(self, depth: int, start: int) -> N_co:
        """What stands behind the word that begins a network."""
        scan = self.scan
        name = scan.name("the graph's name")
        scan.word("dt")
        scan.expect("=")
        dt = scan.number("the length of a step in seconds")
        draft = _Draft()
        while not scan.sees("}") and scan.at < len(scan.text):
            self._line(depth, draft)
        try:
            graph = self.form.network(draft.nodes, draft.wires, dt, name, draft.notes)
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
        start = self.scan.at
        carried = self.scan.take(_CARRIES)
        if carried is None:
            self.scan.fail("spikes, graded or int[low,high]")
        try:
            values = carries(carried)
        except GraphError as error:
            raise error.inside(self.scan.where(start)) from None
        sizes = self.arrays.sizes()
        self.scan.blank()
        return f"{values} {shown(sizes)}"

    def _node(self, name: str, depth: int) -> tuple[Node, tuple[Wire, ...]]:
        scan, start = self.scan, self.scan.at
        kind = scan.name("the node's kind")
        if kind not in self.form.kinds:
            scan.fail(f"one of {', '.join(self.form.kinds)}", start)
        scan.expect("(")
        wires: list[Wire] = []
        while not scan.sees(")") and not scan.sees(";") and not self._at_field():
            delayed = scan.skip("~")
            wires.append(Wire(scan.name("the name of a node, or ')'"), delayed))
            if not scan.skip(","):
                break
        scan.skip(";")
        made = self.form.kinds[kind]
        values, hashes = self._fields(made)
        if made is SubGraph:
            scan.expect("{")
            values["graph"] = self.inner(depth + 1)
            scan.expect("}")
        return self._made(name, made, values, hashes, start), tuple(wires)

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
            return self.arrays.array(kind)
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
