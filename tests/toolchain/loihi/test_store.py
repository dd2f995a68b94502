"""Chip graphs as text and file: exact round trips, stable and small files, one message for every other file."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import FileError, SpikeportError
from spikeport.toolchain.graph import Wire, arrays_of, chain, diff, digest, later, parse, to_text
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.store import load as load_graph
from spikeport.toolchain.graph.store import save
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, PROCESSES, ChipInput, ChipOutput, Conv, DelayDense, Dense
from spikeport.toolchain.loihi.store import load
from spikeport.toolchain.loihi.store import parse as parse_chip
from support.random_chips import random_chip
from support.same_network import same
from support.small_chip import dense

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


@pytest.mark.parametrize(("most", "dtype"), [(127, "i1"), (128, "i2"), (1 << 15, "i4"), (1 << 30, "i4")])
def test_integers_take_as_few_bytes_as_they_need(tmp_path: Path, most: int, dtype: str) -> None:
    weight = np.full((100, 100), most)
    save(dense(weight), tmp_path / "a.graph")
    (held,) = safetensors.numpy.load_file(tmp_path / "a.graph").values()
    assert held.dtype == np.dtype(dtype)
    found = load(tmp_path / "a.graph").nodes["fc"].arrays()["weight"]
    assert found.dtype.itemsize >= 2
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
