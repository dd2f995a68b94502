"""What `spikeport convert` and `verify` claim: no more than was tried, of the network that was meant."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.__main__ import app
from spikeport.exporters.proving import of_chip, of_source
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.loihi.quantise import quantise
from typer.testing import CliRunner, Result


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def one_layer(threshold: float = 1.0, name: str = "small") -> Graph:
    weight = np.random.default_rng(1).integers(-20, 60, (3, 8)) / 64
    layers = [("in", n.Input((8,), "spikes")), ("fc", n.Affine(weight)), ("lif", n.LIF(beta=0.5, threshold=threshold))]
    return chain([*layers, ("out", n.Output())], name=name)


def relu() -> Graph:
    weight = np.random.default_rng(2).normal(size=(3, 8))
    layers = [("in", n.Input((8,), "spikes")), ("fc", n.Affine(weight)), ("relu", n.Activation("relu"))]
    return chain([*layers, ("out", n.Output())], name="values")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    spikeport.save(one_layer(), "small.graph")
    assert call("convert", "small.graph", "--to", "chip,netx", "-o", "made", "--no-lava").exit_code == 0
    return tmp_path


def test_values_that_were_rounded_are_not_called_the_same() -> None:
    graph = relu()
    proof = of_chip(graph, quantise(graph)[0], {"in": np.ones((4, 1, 8))})
    assert proof.exact is False
    assert "values off by up to" in proof.said


def test_a_trace_that_could_not_be_proved_is_no_proof() -> None:
    assert of_source(one_layer()).exact is None
    noted = {"proof": "not proved: it draws random numbers"}
    graph = one_layer()
    assert of_source(Graph(graph.nodes, graph.wires, notes=noted)).exact is None
    assert of_source(Graph(graph.nodes, graph.wires, notes={"proof": "equal to the module"})).exact is True


def test_a_proof_names_the_neurons_that_never_spiked() -> None:
    graph = one_layer(threshold=100.0)
    assert of_chip(graph, quantise(graph)[0], {"in": np.ones((4, 1, 8))}).said.endswith("; silent: lif, out")


def test_options_of_quantising_are_refused_where_nothing_is_quantised(here: Path) -> None:
    for words in (("--bits", "4"), ("--allow", "soft-reset"), ("--reset-interval", "8")):
        found = call("convert", "made/small.net", "--to", "chip", "-o", "again", "--no-lava", *words)
        assert found.exit_code == 2
        assert f"{words[0]}: for made/small.net, which is in integers already" in found.stderr


@pytest.mark.parametrize(("file", "to"), [("small.net", "netx"), ("small.chip.graph", "chip")])
def test_what_is_read_is_never_written_over(here: Path, file: str, to: str) -> None:
    found = call("convert", f"made/{file}", "--to", f"graph,{to}", "-o", "made", "--no-lava")
    assert found.exit_code == 2
    assert f"made/{file}: is the SOURCE itself" in found.stderr
    assert sorted(path.name for path in Path("made").iterdir()) == ["small.chip.graph", "small.net"]
    assert call("convert", f"made/{file}", "--to", to, "-o", "again", "--no-lava").exit_code == 0


def test_files_that_were_written_before_a_refusal_are_named(here: Path) -> None:
    spikeport.save(relu(), "values.graph")
    found = call("convert", "values.graph", "--to", "chip,netx", "-o", "out", "--no-lava")
    assert found.exit_code == 2
    assert "written before that: out/values.chip.graph" in found.stderr
    assert "Convert --to chip, or quantise with target='lava'" in found.stderr
    assert found.stdout == ""


@pytest.mark.parametrize("text", ["torch:", "chip:", ""])
def test_a_side_without_a_network_is_refused(here: Path, text: str) -> None:
    found = call("verify", "small.graph", text)
    assert found.exit_code == 2
    assert f"'{text}': names no network; expected a SOURCE, perhaps with torch:, chip:, lava:" in found.stderr


def test_a_folder_of_parts_is_a_source(here: Path) -> None:
    assert call("convert", "small.graph", "--to", "netx-parts", "-o", "made", "--no-lava").exit_code == 0
    assert call("verify", "made/small.parts", "made/small.net").exit_code == 0
    Path("empty.parts").mkdir()
    found = call("inspect", "empty.parts")
    assert found.exit_code == 2
    assert "empty.parts: 0 files that end in .parts.json; expected a folder with one" in found.stderr


def test_a_network_without_a_name_is_called_after_its_file(here: Path) -> None:
    spikeport.save(one_layer(name="network"), "network.graph")
    assert call("convert", "network.graph", "--to", "netx", "-o", "made", "--no-lava").exit_code == 0
    shutil.copy("made/network.net", "a thing.net")
    assert spikeport.load("a thing.net").name == "a_thing"
    assert spikeport.load("made/small.net").name == "small"


def test_remarks_on_a_file_are_said_before_it_is_compared(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = spikeport.load("made/small.chip.graph")
    spikeport.save(type(chip)(chip.nodes, chip.wires, notes={**chip.notes, "remarks": "layer 1: odd"}), "odd.graph")
    found = call("verify", "odd.graph", "made/small.chip.graph", "--json")
    assert found.stderr.splitlines()[0] == "odd.graph: layer 1: odd"
    assert json.loads(found.stdout)["same"]
