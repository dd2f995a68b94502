"""A network that NIR cannot say as a whole, cut into files of NIR and of the host, and put together again."""

import json

import nir
import numpy as np
import pytest
from spikeport.exporters.nir import parts_in
from spikeport.exporters.nir.parts import parts_of, write_parts
from spikeport.exporters.nir.parts_in import read_parts
from spikeport.toolchain.errors import FileError, Refused
from spikeport.toolchain.graph import Graph, GraphBuilder, later
from spikeport.toolchain.graph.nodes import (
    LIF,
    Activation,
    AdaptiveLIF,
    Add,
    Affine,
    Host,
    Input,
    MaxPool,
    Multiply,
    Output,
    Permute,
    Reshape,
)
from spikeport.toolchain.graph.store import load
from spikeport.toolchain.graph.text import diff
from spikeport.toolchain.passes import make
from support.nir_raw import read_here
from support.same_function import assert_same_function

RNG = np.random.default_rng(0)


def mixed() -> Graph:
    """Host work in the middle and at the end, a loop in NIR, one on the host, and wires past all of them."""
    build = GraphBuilder("net", 2e-3)
    build.notes["made"] = "here"
    build.add("in", Input((6,), "int[-2,3]"))
    build.add("fc1", Affine(RNG.standard_normal((4, 6))), "in")
    build.add("relu", Activation("relu"), "fc1")
    build.add("fc2", Affine(RNG.standard_normal((5, 4))), "relu")
    build.add("sum", Add(), "fc2", later("lif"))
    build.add("lif", LIF(beta=0.9, reset="subtract"), "sum")
    build.add("softmax", Host("softmax", {"axis": -1}), "lif")
    build.add("fed", Add(), "fc2", later("back"))
    build.add("alif", AdaptiveLIF(beta=0.8, adapt_decay=0.7, adapt_step=0.1), "fed")
    build.add("back", Affine(RNG.standard_normal((5, 5))), "alif")
    build.add("both", Add(), "alif", "lif")
    build.add("out", Output("sum"), "softmax")
    build.add("early", Output(), "fc1")
    build.add("late", Output("last"), later("both"))
    return build.build()


@pytest.fixture
def here(monkeypatch):
    """Files of NIR read in this process."""
    monkeypatch.setattr(parts_in, "read", read_here)


@pytest.mark.usefixtures("here")
def test_the_parts_make_the_same_network(tmp_path):
    graph, canonicalise = mixed(), make("canonicalise")
    write_parts(graph, tmp_path)
    back = read_parts(tmp_path / "net.parts.json")
    assert diff(canonicalise(graph).graph, canonicalise(back).graph) == ""
    assert dict(back.notes) == {"made": "here"}
    assert_same_function(graph, back, exact=True)


def test_what_the_files_are(tmp_path):
    remarks = write_parts(mixed(), tmp_path)
    manifest = json.loads((tmp_path / "net.parts.json").read_text())
    assert [(part["file"], part["reads"], part["sends"]) for part in manifest["parts"]] == [
        ("net.0.nir", {"in.in": "in"}, {"fc1.out": "fc1"}),
        ("net.1.graph", {"fc1.in": "fc1"}, {"relu.out": "relu"}),
        ("net.2.nir", {"relu.in": "relu"}, {"fc2.out": "fc2", "lif.out": "lif"}),
        ("net.3.graph", {"lif.in": "lif", "fc2.in": "fc2"}, {"softmax.out": "softmax", "alif.out": "alif"}),
        ("net.4.nir", {"alif.in": "alif", "lif.in": "lif"}, {"both.out": "both"}),
    ]
    assert manifest["inputs"] == {"in": {"shape": [6], "carries": "int[-2,3]"}}
    assert manifest["outputs"]["late"] == {"readout": "last", "reads": "both", "delayed": True}
    for part in manifest["parts"]:
        path = tmp_path / part["file"]
        ends = nir.read(path).inputs if path.suffix == ".nir" else load(path).inputs
        assert len(ends) == len(part["reads"])
    assert "net.1.graph: for the host: Activation" in remarks
    assert "net.3.graph: for the host: AdaptiveLIF, Add, Affine, Host" in remarks
    assert "net.2.nir: lif: are reset by subtraction, which only the metadata say" in remarks


@pytest.mark.usefixtures("here")
def test_nodes_without_a_word_in_nir_are_found_by_what_the_writer_refuses(tmp_path):
    build = GraphBuilder("net")
    build.add("in", Input((2, 4, 4)))
    build.add("pool", MaxPool((2, 2)), "in")
    build.add("turn", Permute((1, 2, 0)), "pool")
    build.add("flat", Reshape((2, 4)), "turn")
    build.add("fc", Affine(RNG.standard_normal((3, 4))), "flat")
    build.add("lif", LIF(beta=0.5, emit="voltage"), "fc")
    build.add("gate", Multiply(), "lif", "fc")
    build.add("out", Output(), "gate")
    graph = build.build()
    _, parts = parts_of(graph)
    hosted = {name for part in parts if part.written is None for name in part.graph.nodes}
    assert {"pool", "turn", "lif", "gate"} <= hosted
    assert not {"flat", "fc"} & hosted
    write_parts(graph, tmp_path)
    assert_same_function(graph, read_parts(tmp_path / "net.parts.json"), exact=False)


@pytest.mark.usefixtures("here")
def test_a_network_that_nir_can_say_is_one_part(tmp_path):
    build = GraphBuilder("net")
    build.add("in", Input((3,)))
    build.add("lif", LIF(beta=0.5), "in")
    build.add("out", Output(), "lif")
    write_parts(build.build(), tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.0.nir", "net.0.nir.json", "net.parts.json"]
    assert read_parts(tmp_path).order == ("in", "lif", "out")
    (tmp_path / "other.parts.json").touch()
    with pytest.raises(FileError, match=r"2 files NAME\.parts\.json in the folder; expected one"):
        read_parts(tmp_path)


def broken(change):
    def make_broken(path):
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))

    return make_broken


BROKEN = {
    "of another kind or version": broken(lambda data: data.update(version=9)),
    "no JSON": lambda path: path.write_text("{"),
    "cannot be understood: KeyError": broken(lambda data: data.pop("parts")),
    "a part called '../x.nir'": broken(lambda data: data["parts"][0].update(file="../x.nir")),
    "a part called 'x.onnx'": broken(lambda data: data["parts"][0].update(file="x.onnx")),
    "'fc9' is handed out by no part": broken(lambda data: data["outputs"]["early"].update(reads="fc9")),
    "other inputs and outputs than net.0.nir has": broken(lambda data: data["parts"][0].update(reads={})),
    "cannot be understood: TypeError": broken(lambda data: data["inputs"].update(more=3)),
    "shape: ('a', 'b', 'c')": broken(lambda data: data["inputs"]["in"].update(shape="abc")),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_manifest_is_named(tmp_path, text):
    write_parts(mixed(), tmp_path)
    BROKEN[text](tmp_path / "net.parts.json")
    with pytest.raises(FileError) as error:
        read_parts(tmp_path / "net.parts.json")
    assert text in str(error.value)


def test_what_no_node_is_to_blame_for_is_refused(monkeypatch):
    def refuse(*_):
        raise Refused("net", [FileError("the moon", "too far")])

    monkeypatch.setattr("spikeport.exporters.nir.parts.to_tree", refuse)
    with pytest.raises(Refused, match="net as parts of NIR"):
        parts_of(mixed())
