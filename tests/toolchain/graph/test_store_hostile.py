"""Files that lie: every one ends in a single FileError that names it, in little time and memory."""

import hashlib
import json
import os
import struct
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.graph import Graph, chain, digest, to_text
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.content import hash_of
from spikeport.toolchain.graph.store import load, save
from support.mutations import survives, survivors
from support.random_graphs import random_graph

FIRST, SECOND = np.arange(12.0).reshape(3, 4), np.arange(12.0, 24).reshape(4, 3).astype("f4")
NAMES = hash_of(FIRST)[:16], hash_of(SECOND)[:16]


def good() -> Graph:
    nodes = [("in", n.Input((4,))), ("a", n.Affine(FIRST)), ("b", n.Affine(SECOND)), ("out", n.Output())]
    return chain(nodes, name="good")


def parts() -> tuple[dict[str, Any], bytes]:
    """The header and the data of a good file."""
    data = FIRST.tobytes() + SECOND.tobytes()
    first = {"dtype": "F64", "shape": [3, 4], "data_offsets": [0, 96]}
    second = {"dtype": "F32", "shape": [4, 3], "data_offsets": [96, 144]}
    return {"__metadata__": {"spikeport": signed(to_text(good()))}, NAMES[0]: first, NAMES[1]: second}, data


def signed(text: str, digits: str | None = None) -> str:
    short = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"spikeport-graph 1 digest={digits or digest(good())} text={short}\n{text}"


def packed(header: object, data: bytes) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data


def test_the_file_made_here_is_a_good_one(tmp_path: Path) -> None:
    (tmp_path / "a.graph").write_bytes(packed(*parts()))
    assert to_text(load(tmp_path / "a.graph")) == to_text(good())


Change = Callable[[dict[str, Any], bytes], bytes]


def header(change: Callable[[dict[str, Any]], object]) -> Change:
    """A change of the header, the data left alone."""

    def changed(head: dict[str, Any], data: bytes) -> bytes:
        change(head)
        return packed(head, data)

    return changed


def entry(**fields: object) -> Change:
    return header(lambda head: head[NAMES[0]].update(fields))


def text(old: str, new: str) -> Change:
    """A change of the text, its own hash made right again."""

    def change(head: dict[str, Any]) -> None:
        body = head["__metadata__"]["spikeport"].partition("\n")[2]
        assert old in body
        head["__metadata__"]["spikeport"] = signed(body.replace(old, new))

    return header(change)


def raw(head: bytes) -> Change:
    return lambda _, data: packed(head, data)


def poisoned(value: float) -> Change:
    """A value that is no number, with every hash made right."""

    def change(head: dict[str, Any], data: bytes) -> bytes:
        array = FIRST.copy()
        array[1, 1] = value
        name = hash_of(array)[:16]
        body = to_text(good()).replace(NAMES[0], name)
        head = {"__metadata__": {"spikeport": signed(body)}, name: head[NAMES[0]], NAMES[1]: head[NAMES[1]]}
        return packed(head, array.tobytes() + data[96:])

    return change


LIES: dict[str, tuple[Change, str]] = {
    "empty": (lambda *_: b"", "too short for a graph; expected at least 8 bytes. Get the file anew"),
    "seven bytes": (lambda *_: b"1234567", "too short for a graph"),
    "giant header": (
        lambda *p: b"\xff" * 8 + packed(*p)[8:],
        "a header of 18446744073709551615 bytes; expected at most",
    ),
    "header past the end": (lambda *_: struct.pack("<Q", 9) + b"{}", "a header of 9 bytes; expected at most 2"),
    "no header": (
        raw(b""),
        "a header that cannot be read (JSONDecodeError: Expecting value: line 1 column 1 (char 0)); ex",
    ),
    "no json": (raw(b"hello"), "a header that cannot be read (JSONDecodeError: Expecting value"),
    "a list": (raw(b"[]"), "a header that is no JSON object; expected names and arrays"),
    "not utf-8": (raw(b'{"\xff":1}'), "a header that cannot be read (UnicodeDecodeError: 'utf-8' codec"),
    "deep json": (raw(b'{"a":' * 200_000), "a header that cannot be read (RecursionError"),
    "deep lists": (raw(b"[" * 1_000_000), "a header that cannot be read (RecursionError"),
    "long integer": (
        raw(b'{"a":' + b"9" * 100_000 + b"}"),
        "a header that cannot be read (ValueError: Exceeds the limit",
    ),
    "nan in json": (raw(b'{"a":NaN}'), "a header that cannot be read (ValueError: NaN is no JSON)"),
    "two keys": (raw(b'{"a":1,"a":2}'), "a header that cannot be read (ValueError: a key that is there twice)"),
    "no metadata": (header(lambda h: h.pop("__metadata__")), "no graph in its metadata"),
    "metadata a list": (header(lambda h: h.update(__metadata__=[1])), "no graph in its metadata"),
    "more metadata": (header(lambda h: h["__metadata__"].update(x="y")), "no graph in its metadata"),
    "metadata a number": (header(lambda h: h["__metadata__"].update(spikeport=1)), "no graph in its metadata"),
    "no first line": (
        header(lambda h: h["__metadata__"].update(spikeport="x")),
        "metadata that begins 'x'; expected 'spi",
    ),
    "a later version": (
        header(
            lambda h: h["__metadata__"].update(
                spikeport=h["__metadata__"]["spikeport"].replace("graph 1", "graph 2", 1)
            )
        ),
        "version 2; expected version 1. Read it with the Spikeport that wrote it",
    ),
    "a name that is no hash": (
        header(lambda h: h.update(weight=h.pop(NAMES[0]))),
        "an array called 'weight'; expected a h",
    ),
    "an entry that is a list": (header(lambda h: h.update({NAMES[0]: []})), f"array {NAMES[0]} without its fields"),
    "another field": (entry(x=1), f"array {NAMES[0]} without its fields; expected dtype, shape and data_offsets"),
    "half precision": (entry(dtype="F16"), f"array {NAMES[0]} of type F16; expected F32 or F64"),
    "a type that is a list": (entry(dtype=["F64"]), f"array {NAMES[0]} of type ['F64']; expected F32 or F64"),
    "a shape that is text": (entry(shape="3,4"), f"array {NAMES[0]} of shape 3,4 at [0, 96]; expected counts"),
    "negative sizes": (entry(shape=[-3, -4]), f"array {NAMES[0]} of shape [-3, -4] at [0, 96]; expected counts"),
    "sizes that are true": (entry(shape=[True, 12]), f"array {NAMES[0]} of shape [True, 12] at"),
    "sizes with a point": (entry(shape=[3.0, 4]), f"array {NAMES[0]} of shape [3.0, 4] at"),
    "giant shape": (entry(shape=[2**40, 2**40]), f"array {NAMES[0]} of {2**83} bytes at 0 to 96; expected as many byt"),
    "overflowing shape": (entry(shape=[2**32, 2**32]), f"array {NAMES[0]} of {2**67} bytes at 0 to 96"),
    "too many axes": (entry(shape=[1] * 60 + [12]), f"array {NAMES[0]} of shape [1, 1, 1"),
    "a shape of nothing": (entry(shape=[0, 4], data_offsets=[0, 0]), f"array {NAMES[0]} of 0 bytes"),
    "offsets the wrong way": (entry(data_offsets=[96, 0]), f"array {NAMES[0]} of 96 bytes at 96 to 0"),
    "one offset": (entry(data_offsets=[0]), f"array {NAMES[0]} of shape [3, 4] at [0]; expected counts"),
    "offsets that overlap": (
        header(lambda h: h[NAMES[1]].update(data_offsets=[48, 96])),
        f"array {NAMES[1]} at 48; expec",
    ),
    "a gap": (
        entry(data_offsets=[8, 104]),
        f"array {NAMES[0]} at 8; expected offset 0, right behind the one before it",
    ),
    "past the end": (lambda h, d: packed(h, d[:-1]), "143 bytes of data; expected 144, as the header says"),
    "more data": (lambda h, d: packed(h, d + b"x"), "145 bytes of data; expected 144, as the header says"),
    "a shape lie": (entry(shape=[4, 3]), "line 3, column 34: f64[3,4]; expected f64[4,3], as the array is"),
    "a hash lie": (
        lambda h, d: packed(h, d[8:16] + d[8:]),
        f"line 3, column 34: array {NAMES[0]} with values of another",
    ),
    "an array less": (header(lambda h: h.pop(NAMES[1])), "144 bytes of data; expected 96"),
    "complex without pairs": (
        header(lambda h: h.update({NAMES[0] + ".complex": h.pop(NAMES[0])})),
        f"array {NAMES[0]}.complex of F64 with shape [3, 4]; expected reals with a last axis of 2, real and imaginary",
    ),
    "a hash twice": (
        lambda h, d: packed(
            {**h, NAMES[0] + ".complex": {"dtype": "F32", "shape": [2], "data_offsets": [144, 152]}}, d + d[:8]
        ),
        "two arrays of one hash; expected each array once",
    ),
    "an array nobody uses": (
        lambda h, d: packed({**h, "0" * 16: {"dtype": "F32", "shape": [2], "data_offsets": [144, 152]}}, d + d[:8]),
        "array 0000000000000000, which no node uses; expected only the graph's arrays",
    ),
    "nan": (
        poisoned(np.nan),
        "line 3, column 7, a (Affine), weight: NaN or infinite values; expected finite numbers. Look fo",
    ),
    "infinity": (poisoned(np.inf), "line 3, column 7, a (Affine), weight: NaN or infinite values"),
    "an unknown kind": (
        text("Affine(in", "Magic(in"),
        "line 3, column 7: 'Magic'; expected one of Input, Output, Affine",
    ),
    "a field of another type": (
        text("shape=[4]", 'shape="4"'),
        "line 2, column 8, in (Input), shape: '4'; expected integers",
    ),
    "no text": (text(to_text(good()), ""), "line 1, column 1: the end of the text; expected 'graph'"),
    "a text of another hash": (
        header(lambda h: h["__metadata__"].update(spikeport=h["__metadata__"]["spikeport"] + "# hello")),
        "a text of another hash than is written before it; expected the text that was saved",
    ),
    "another digest": (
        text("graph good", "graph bad"),
        "a graph of another digest than is written before it; expected",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_told_in_one_message(tmp_path: Path, lie: str) -> None:
    change, message = LIES[lie]
    file = tmp_path / "lie.graph"
    file.write_bytes(change(*parts()))
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(FileError) as caught:
        load(file)
    seconds = time.perf_counter() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value).startswith(f"{file}: {message}")
    assert len(str(caught.value)) < len(str(file)) + 600
    assert seconds < 2
    assert peak < 50e6


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.graph")
    for path, found in (
        (tmp_path, "is no plain file"),
        (tmp_path / "x", "is not there"),
        ("/dev/zero", "is no plain file"),
    ):
        with pytest.raises(FileError, match=f"{found}; expected a .graph file"):
            load(path)
    with pytest.raises(FileError, match="is no plain file"):
        load(tmp_path / "pipe.graph")
    with pytest.raises(FileError, match="is not there"):
        load("a\0b")


def test_a_file_one_may_not_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(good(), tmp_path / "a.graph")

    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", closed)
    with pytest.raises(FileError, match=r"a\.graph: cannot be read: .*Permission denied"):
        load(tmp_path / "a.graph")


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_file_is_the_same_graph_or_an_error(tmp_path: Path, seed: int) -> None:
    """600 changes of bits, bytes, lengths and pieces each; the hashes find out every one that matters."""
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=4, dtype="float32", subgraphs=seed % 2 == 0)
    file = tmp_path / "a.graph"
    save(graph, file)
    assert survivors(rng, file, 600, lambda: survives(file, load, graph)) < 60


def test_nothing_is_pickled() -> None:
    source = Path(load.__code__.co_filename).parent
    assert not [file for file in source.rglob("*.py") if "pickle" in file.read_text() or "eval(" in file.read_text()]
