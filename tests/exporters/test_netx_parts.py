"""Networks that are no chains, cut into several files and put together again."""

import json

import numpy as np
import pytest
from spikeport.exporters.netx_file import read
from spikeport.exporters.netx_parts import files_of, read_parts, write_parts
from spikeport.toolchain.errors import FileError, Refused
from spikeport.toolchain.graph import GraphBuilder, Wire, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    ChipInput,
    ChipOutput,
    Dense,
    GradedVec,
)
from spikeport.toolchain.loihi.quantise import quantise
from spikeport.toolchain.verifying import verify
from support.branched import branched, matrix
from support.by_steps import run_by_steps
from support.random_netx import random_inputs, random_netx


def test_a_network_with_branches_sums_and_concatenations_comes_back(tmp_path):
    chip = branched()
    assert write_parts(chip, tmp_path) == ()
    back = read_parts(tmp_path / "net.parts.json")
    assert (list(back.nodes), dict(back.wires)) == (list(chip.nodes), dict(chip.wires))
    assert (back.name, back.dt, dict(back.notes), back.nodes["out"].readout) == ("net", 2e-3, {"made": "here"}, "sum")
    inputs = random_inputs(chip, 1, 15, 2)
    before, after = run_by_steps(chip, inputs), run_by_steps(back, inputs)
    for name in (*chip.neurons, *chip.outputs):
        np.testing.assert_array_equal(after[name], before[name])


def test_the_manifest_says_what_each_file_reads_and_where_it_belongs(tmp_path):
    write_parts(branched(), tmp_path)
    manifest = json.loads((tmp_path / "net.parts.json").read_text())
    reads = {part["nodes"][0]: part["reads"] for part in manifest["parts"]}
    assert reads == {
        "n1.w": "in",
        "skip": "in",
        "n3.w": "flat",
        "n4.w": "flat",
        "d3": "both",
        "rec": "n5",
        "top": "n3",
        "n6.w": "n5",
    }
    stand_ins = [part["nodes"] for part in manifest["parts"] if part["last neurons"].startswith("stand in")]
    assert sorted(stand_ins) == [["rec"], ["skip"], ["top"]]
    assert manifest["wires"]["sum"] == [["c2", False], ["skip", False]]
    for part in manifest["parts"]:
        assert set(part["nodes"]) <= set(read(tmp_path / part["file"]).nodes)


def test_synapses_of_unequal_size_share_a_scale_that_files_hold():
    """Weights of one sum have one scale; a file's have no exponent, so that the largest of all fill its eight bits."""
    draw = np.random.default_rng(0).normal
    build = GraphBuilder("net")
    build.add("in", n.Input((6,), "spikes"))
    build.add("fc", n.Affine(draw(size=(6, 6))), "in")
    build.add("a", n.LIF(beta=0.5), "fc")
    build.add("small", n.Affine(draw(size=(6, 6))), "a")
    build.add("large", n.Scale(np.full(6, 13.0)), "in")
    build.add("sum", n.Add(), "small", "large")
    build.add("b", n.LIF(beta=0.5, threshold=6.0), "sum")
    build.add("out", n.Output(), "b")
    graph = build.build()
    x = {"in": (np.random.default_rng(1).random((60, 4, 6)) < 0.3).astype(float)}
    chip, _ = quantise(graph, calibration=x, target="netx")
    assert 128 < chip.nodes["large"].held.max() <= 255
    assert len(files_of(chip)) == 2
    assert min(node.match for node in verify(graph, chip, x, at_least=0.0).nodes) > 0.99


def test_writing_again_gives_the_same_bytes(tmp_path):
    chip = branched()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    write_parts(chip, tmp_path / "a")
    write_parts(read_parts(tmp_path / "a" / "net.parts.json"), tmp_path / "b")
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "b").iterdir())
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("seed", range(6))
def test_a_chain_is_one_part(tmp_path, seed):
    chip = random_netx(seed)
    write_parts(chip, tmp_path)
    assert len(list(tmp_path.glob("*.net"))) == 1
    back = read_parts(tmp_path / f"{chip.name}.parts.json")
    inputs = random_inputs(chip, seed, 10, 1)
    before, after = run_by_steps(chip, inputs), run_by_steps(back, inputs)
    np.testing.assert_array_equal(after[chip.outputs[0]], before[chip.outputs[0]])


def test_neurons_that_no_file_holds_are_refused_by_name(tmp_path):
    nodes = {"in": ChipInput((3,)), "d": Dense(weight=matrix(2, 3)), "g": GradedVec(threshold=1), "out": ChipOutput()}
    wires = {"d": (later("in"),), "g": (Wire("d"),), "out": (Wire("g"),)}
    with pytest.raises(Refused, match="g: a GradedVec"):
        write_parts(ChipGraph(nodes, wires), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.pop("joins"), "cannot be understood"),
        (lambda m: m.update(version=9), "of another kind or version"),
        (lambda m: m["parts"][0].update(file="../net.0.net"), "a part called '../net.0.net'"),
        (lambda m: m["parts"][0].update(file="none.net"), "does not exist"),
        (lambda m: m["parts"][0]["nodes"].append("odd"), "'odd' is not in net.0.net"),
        (lambda m: m["joins"]["sum"].update(kind="LIF"), "'LIF'; expected ChipInput"),
        (lambda m: m["joins"]["both"].update(axis="x"), "axis"),
        (lambda m: m["order"].pop(), "an order that does not name every node once"),
        (lambda m: m["wires"].update(sum=[["c2", False]]), "sum: 1 inputs"),
        (lambda m: m.update(dt=-1), "dt"),
    ],
)
def test_a_manifest_that_is_wrong_is_one_message(tmp_path, change, message):
    write_parts(branched(), tmp_path)
    path = tmp_path / "net.parts.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    with pytest.raises(FileError) as error:
        read_parts(path)
    assert message in str(error.value)


def test_a_manifest_that_is_none_is_one_message(tmp_path):
    contents = {"": "no JSON: ", "[" * 100_000: "no JSON: ", "3": "of another kind", "{}": "of another kind or version"}
    for content, message in contents.items():
        (tmp_path / "x.parts.json").write_text(content)
        with pytest.raises(FileError, match=rf"x\.parts\.json: {message}"):
            read_parts(tmp_path / "x.parts.json")
    with pytest.raises(FileError, match="cannot be read"):
        read_parts(tmp_path / "none.json")
