"""Chip graphs as text and file: exact round trips, stable and small files, one message for every other file."""

import json
import re
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import FileError, SpikeportError
from spikeport.toolchain.graph import Wire, arrays_of, chain, diff, digest, later, parse, to_text
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.network import Network
from spikeport.toolchain.graph.store import load as load_graph
from spikeport.toolchain.graph.store import save
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, PROCESSES, ChipInput, ChipOutput, Conv, DelayDense, Dense
from spikeport.toolchain.loihi.store import load
from spikeport.toolchain.loihi.store import parse as parse_chip
from support.mutations import survivors
from support.random_chips import random_chip

GOLDEN = Path(__file__).parent / "goldens" / "small_chip.txt"
SEEDS = st.integers(0, 10**6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def small_chip() -> ChipGraph:
    rng = np.random.default_rng(0)
    nodes = {
        "in": ChipInput((2, 5, 5)),
        "conv": Conv(weight=rng.integers(-128, 128, (3, 2, 3, 3)) * 2, stride=2, padding=1),
        "lif": LIF(current_decay=4096, voltage_decay=np.array([[[100]], [[200]], [[300]]]), threshold=400, bias=-7),
        "back": Conv(weight=np.arange(9).reshape(3, 3, 1, 1) - 4),
        "fc": DelayDense(weight=np.array([[1, -2], [300, 4]]), delay=np.array([[0, 62], [1, 0]]), exponent=-2),
        "side": ChipInput((2,), "int[-9,9]"),
        "li": LIF(current_decay=0, voltage_decay=128, threshold=131071, emit="voltage"),
        "v": ChipOutput("last", after=3),
        "out": ChipOutput(),
    }
    wires = {"conv": (later("in"),), "lif": (Wire("conv"),), "back": (later("lif"),), "fc": (later("side"),)}
    wires |= {"li": (Wire("fc"),), "v": (Wire("li"),), "out": (Wire("lif"),)}
    return ChipGraph(nodes, wires, 1e-3, "small_chip", {"places": '{"lif": 1}'})


def test_the_text_of_a_chip_graph_is_read_by_people_too() -> None:
    assert to_text(small_chip()) == GOLDEN.read_text()
    assert to_text(parse_chip(GOLDEN.read_text(), arrays_of(small_chip()))) == GOLDEN.read_text()


def same(a: Network, b: Network) -> None:
    assert type(a) is type(b)
    assert (to_text(a), digest(a), a.notes, a.dt) == (to_text(b), digest(b), b.notes, b.dt)
    for name, node in a.nodes.items():
        for field, array in node.arrays().items():
            other = b.nodes[name].arrays()[field]
            assert (array.dtype, array.shape) == (other.dtype, other.shape)
            assert np.array_equal(array, other)


@given(SEEDS)
@settings(deadline=None, max_examples=80)
def test_a_chip_graph_comes_back_from_its_text_and_its_file(folder: Path, seed: int) -> None:
    chip = random_chip(seed)
    same(parse_chip(to_text(chip), arrays_of(chip)), chip)
    one, two = folder / "one.graph", folder / "two.graph"
    save(chip, one)
    again = load(one)
    save(again, two)
    same(again, chip)
    assert one.read_bytes() == two.read_bytes()


def test_every_process_is_in_what_is_tried() -> None:
    tried = {node.kind for seed in range(300) for node in random_chip(seed).nodes.values()}
    assert set(PROCESSES) - tried <= {"InvSqrt"}


def test_the_digest_knows_every_weight_and_field() -> None:
    chip = small_chip()
    changes = [
        {"lif": LIF(current_decay=4096, voltage_decay=100, threshold=400, bias=-7)},
        {"li": LIF(current_decay=0, voltage_decay=128, threshold=131070, emit="voltage")},
        {"v": ChipOutput("last", after=4)},
        {"back": Conv(weight=np.arange(9).reshape(3, 3, 1, 1) - 5)},
    ]
    digests = {digest(ChipGraph({**chip.nodes, **c}, chip.wires, chip.dt, chip.name)) for c in changes}
    assert len(digests | {digest(chip)}) == 5
    other = ChipGraph({**chip.nodes, **changes[0]}, chip.wires, chip.dt, chip.name, chip.notes)
    assert diff(chip, other).count("\n-") == 1
    assert not diff(chip, small_chip())
    assert digest(small_chip()) == digest(chip)


def dense(weight: np.ndarray) -> ChipGraph:
    """One matrix between an input and an output."""
    lif = LIF(current_decay=4096, voltage_decay=0, threshold=1)
    nodes = {"in": ChipInput((weight.shape[1],)), "fc": Dense(weight=weight), "lif": lif, "out": ChipOutput()}
    return ChipGraph(nodes, {"fc": (later("in"),), "lif": (Wire("fc"),), "out": (Wire("lif"),)}, name="dense")


@pytest.mark.parametrize(("most", "dtype"), [(127, "i1"), (128, "i2"), (1 << 15, "i4"), (1 << 30, "i4")])
def test_integers_take_as_few_bytes_as_they_need(tmp_path: Path, most: int, dtype: str) -> None:
    weight = np.full((100, 100), most)
    save(dense(weight), tmp_path / "a.graph")
    (held,) = safetensors.numpy.load_file(tmp_path / "a.graph").values()
    assert held.dtype == np.dtype(dtype)
    found = load(tmp_path / "a.graph").nodes["fc"].arrays()["weight"]
    assert found.dtype == np.int64
    assert np.array_equal(found, weight)


def test_an_array_that_many_nodes_share_is_widened_once(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).integers(-100, 100, (50, 50))
    nodes = {"in": ChipInput((50,)), "out": ChipOutput()}
    wires = {}
    for i in range(20):
        nodes |= {f"fc{i}": Dense(weight=weight), f"lif{i}": LIF(current_decay=0, voltage_decay=0, threshold=1)}
        wires |= {f"fc{i}": (later(f"lif{i - 1}" if i else "in"),), f"lif{i}": (Wire(f"fc{i}"),)}
    save(ChipGraph(nodes, {**wires, "out": (Wire("lif19"),)}), tmp_path / "a.graph")
    loaded = load(tmp_path / "a.graph")
    first = loaded.nodes["fc0"].arrays()["weight"]
    assert all(np.shares_memory(first, loaded.nodes[f"fc{i}"].arrays()["weight"]) for i in range(20))
    assert not first.flags.writeable


def test_the_file_says_which_network_it_holds(tmp_path: Path) -> None:
    graph = chain([n.Input((3,)), n.Output()], name="floats")
    save(graph, tmp_path / "a.graph")
    save(small_chip(), tmp_path / "b.graph")
    same(load(tmp_path / "a.graph"), graph)
    same(load(tmp_path / "b.graph"), small_chip())
    with pytest.raises(FileError, match=r"b\.graph: line 1, column 1: 'chip'; expected 'graph'"):
        load_graph(tmp_path / "b.graph")
    with pytest.raises(SpikeportError, match="line 1, column 1: 'graph'; expected 'chip'"):
        parse_chip(to_text(graph))
    with pytest.raises(SpikeportError, match="line 1, column 1: 'chip'; expected 'graph'"):
        parse(to_text(small_chip()), arrays_of(small_chip()))


def net(body: str) -> str:
    return f"chip g dt=0.001\nin = ChipInput(shape=[2])\nout = ChipOutput(in)\n{body}"


MESSAGES = {
    "dchip g dt=1": "line 1, column 1: 'dchip'; expected 'chip'",
    net("a = LIF(in)"): "line 4, column 12: the end of the text; expected current_decay, voltage_decay, threshold of",
    net("a = Affine(in)"): "line 4, column 5: 'Affine'; expected one of ChipInput, ChipOutput, Port, Shaped, Joined, ",
    net("a = SubGraph(in)"): "line 4, column 5: 'SubGraph'; expected one of ChipInput",
    net("a = Dense(in; weight=[[1,2]])"): "line 1, column 1, a: a direct wire from 'in'; expected delayed wires into",
    net(
        "a = Dense(~in; weight=[[1,0.5]])"
    ): "line 4, column 5, a (Dense), weight: values of type float64; expected int",
    net("a = Dense(~in; weight=i64[1,2]{1,0.5})"): "line 4, column 34: '0.5'; expected an integer, or '}'",
    net("a = Dense(~in; weight=i64[1,2]{1,1" + "0" * 30 + "})"): "line 4, column 34: '1000",
    net(
        "a = Dense(~in; weight=f64[1,2]{1,2})"
    ): "line 4, column 5, a (Dense), weight: values of type float64; expected",
    net("a = Dense(~in; weight=i32[1,2]{1,2})"): "line 4, column 23: 'i32'; expected a value",
    net(
        "a = Dense(~in; weight=[[1,999999999999]])"
    ): "line 4, column 5, a (Dense), weight: 1..999999999999; expected -1",
    net("a = Dense(~in; weight=[[1,2,3]])"): "line 1, column 1, a (Dense), input: shape [2]; expected [3]",
    net("a = Port(in, in; message_bits=3)"): "line 4, column 18: 'message_bits'; expected a field of Port: it has none",
    net(
        'a = ChipOutput(in; readout="all")'
    ): "line 4, column 5, a (ChipOutput), readout: 'all'; expected steps or last",
    net("a = ChipInput(shape=[99999999,9999999])"): "line 4, column 5, a (ChipInput), shape: [99999999,9999999]; expec",
}


@pytest.mark.parametrize("text", MESSAGES, ids=range(len(MESSAGES)))
def test_messages(text: str) -> None:
    with pytest.raises(SpikeportError) as caught:
        parse_chip(text)
    assert str(caught.value).startswith(MESSAGES[text]), str(caught.value)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_file_is_the_same_chip_graph_or_an_error(tmp_path: Path, seed: int) -> None:
    """600 changes each; the hashes find out every one that matters."""
    chip, file = random_chip(seed * 7 + 1), tmp_path / "a.graph"
    save(chip, file)

    def survives() -> bool:
        try:
            again = load(file)
        except FileError as error:
            if not str(error).startswith(str(file)):
                raise
            return False
        assert digest(again) == digest(chip)
        assert again.notes == chip.notes
        return True

    assert survivors(np.random.default_rng(seed), file, 600, survives) < 60


@given(SEEDS)
@settings(deadline=None, max_examples=60)
def test_a_changed_text_is_a_chip_graph_or_an_error_with_a_place(seed: int) -> None:
    chip, rng = random_chip(seed), np.random.default_rng(seed)
    text, arrays = to_text(chip), arrays_of(chip)
    pieces = [
        "",
        "0",
        "-1",
        "9" * 18,
        "1e300",
        "none",
        '"',
        "[",
        "]",
        "{",
        "}",
        "(",
        "~",
        ",",
        ";",
        "=",
        "#",
        ":",
        "\0",
    ]
    pieces += ["i64[2]{1,2}", "f32[]{1}", "[[1,2]]", "[9999999,9999999]", "62", "Conv", "LIF"]
    for _ in range(25):
        start = int(rng.integers(len(text)))
        changed = text[:start] + pieces[rng.integers(len(pieces))] + text[start + int(rng.integers(4)) :]
        outcome = outcome_of(changed, arrays)
        assert isinstance(outcome, ChipGraph) or outcome.startswith("line ")


def outcome_of(text: str, arrays: dict[str, np.ndarray]) -> ChipGraph | str:
    """The chip graph, once it came back from its own text, or the message."""
    try:
        again = parse_chip(text, arrays)
    except SpikeportError as error:
        return str(error)
    same(parse_chip(to_text(again), arrays_of(again)), again)
    return again


Head = dict[str, Any]


def repacked(file: Path, change: Callable[[Head], object]) -> None:
    """A file whose header is changed, its data left alone."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    head = json.loads(content[8 : 8 + length])
    change(head)
    packed = json.dumps(head).encode()
    file.write_bytes(struct.pack("<Q", len(packed)) + packed + content[8 + length :])


def entry(head: Head) -> Head:
    (found,) = (value for name, value in head.items() if name != "__metadata__")
    return found


def text_of(head: Head, old: str, new: str) -> None:
    meta = head["__metadata__"]
    assert old in meta["spikeport"]
    meta["spikeport"] = meta["spikeport"].replace(old, new)


LIES: dict[str, tuple[Callable[[Head], object], str]] = {
    "gigantic": (
        lambda h: entry(h).update(shape=[2**40, 2**40]),
        r"array \w+ of \d+ bytes at 0 to 900; expected as ma",
    ),
    "wider": (
        lambda h: entry(h).update(dtype="I64"),
        r"array \w+ of 7200 bytes at 0 to 900; expected as many bytes as",
    ),
    "unsigned": (
        lambda h: entry(h).update(dtype="U8"),
        r"array \w+ of type U8; expected F32 or F64 or I8 or I16 or I32",
    ),
    "reals": (
        lambda h: entry(h).update(dtype="F32", shape=[225]),
        r"line 3, column 37: i64\[30,30\]; expected f32\[225\]",
    ),
    "turned": (
        lambda h: entry(h).update(shape=[900]),
        r"line 3, column 37: i64\[30,30\]; expected i64\[900\], as the array",
    ),
    "pairs": (
        lambda h: h.update({next(k for k in h if k[0] != "_") + ".complex": entry(h)}),
        r"array \w+\.complex of I8",
    ),
    "scalar pairs": (
        lambda h: h.update({"0" * 16 + ".complex": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}}),
        r"array 0+\.complex of F64 with shape \[\]; expected reals with a last axis of 2",
    ),
    "another word": (
        lambda h: text_of(h, "\nchip ", "\ngraph "),
        "line 2, column 8: 'ChipInput'; expected one of Input, Ou",
    ),
    "no word": (lambda h: text_of(h, "\nchip ", "\ntree "), "line 1, column 1: 'tree'; expected 'graph' or 'chip'"),
    "huge input": (
        lambda h: text_of(h, "shape=[30]", "shape=[9999999,9999999]"),
        r"line 2, column 8, in \(ChipInput\), shape",
    ),
    "another shape": (
        lambda h: text_of(h, "shape=[30]", "shape=[31]"),
        r"line 2, column 31: in : spikes \[30\]; expected|line 1",
    ),
    "another field": (
        lambda h: text_of(h, "threshold=1", "threshold=2"),
        "a text of another hash than is written before it",
    ),
}

LOADER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.loihi.store import load
for name in sys.argv[1:]:
    try:
        load(name)
        print("taken")
    except FileError as error:
        print(str(error).removeprefix(name + ": "))
"""


def test_lies_end_in_one_message_and_little_memory(tmp_path: Path) -> None:
    files = []
    for index, (change, _) in enumerate(LIES.values()):
        files.append(tmp_path / f"{index}.graph")
        save(dense(np.arange(900).reshape(30, 30) % 100), files[-1])
        repacked(files[-1], change)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, *map(str, files)], capture_output=True, text=True, timeout=60, check=True
    )
    said = done.stdout.splitlines()
    assert len(said) == len(LIES)
    for line, (name, (_, pattern)) in zip(said, LIES.items(), strict=True):
        assert re.match(pattern, line), (name, line)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2 << 20
