"""The command `spikeport` as a user meets it: results, files, exit codes, messages."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spikeport
import torch
from safetensors.torch import save_file
from spikeport.__main__ import app
from spikeport.exporters import netx_file
from spikeport.models.zoo import ZOO
from spikeport.toolchain.graph import Graph, Wire, chain, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.text import digest, to_text
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Conv, Dense, Shaped
from typer.testing import CliRunner

NETWORKS = """
import torch
from torch import nn
from norse.torch import LIFBoxCell
from snntorch import Leaky
from spikeport.models.neurons import LIF

print("this module is chatty")

def steps():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), LIF.from_tau(5e-3, threshold=0.1), nn.Linear(5, 2))

def one_step():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), Leaky(0.9, init_hidden=True), nn.Linear(5, 2))

def with_example():
    return steps(), torch.rand(4, 2, 6)

def host():
    return nn.Sequential(nn.Linear(6, 5), nn.Softmax(-1))

def number():
    return 5

def broken():
    raise ValueError("no luck today")

def leaves():
    raise SystemExit(3)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, with a module of networks and a graph file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "networks", raising=False)
    (tmp_path / "networks.py").write_text(NETWORKS)
    spikeport.save(small(), "small.graph")
    spikeport.save(small_chip(), "chip.graph")
    np.save(tmp_path / "events.npy", [[1, 2, 0, 0], [1, 2, 500, 0], [5, 5, 2500, 1]])
    return tmp_path


def small() -> Graph:
    rng = np.random.default_rng(0)
    layers = [
        ("in", n.Input((2, 6, 6), "spikes")),
        ("conv", n.Conv(rng.normal(size=(4, 2, 3, 3)), padding=1)),
        ("norm", n.BatchNorm(np.zeros(4), np.ones(4))),
        ("lif", n.LIF(beta=0.9, threshold=1.0)),
        ("pool", n.SumPool((2, 2))),
        ("flat", n.Flatten()),
        ("fc", n.Affine(rng.normal(size=(3, 36)))),
        ("out", n.Output("sum")),
    ]
    return chain(layers, name="small")


def small_chip() -> ChipGraph:
    rng = np.random.default_rng(0)
    nodes = {
        "in": ChipInput((2, 6, 6)),
        "conv": Conv(weight=rng.integers(-30, 60, (4, 2, 3, 3)) * 2, padding=1),
        "lif": LIF(current_decay=4096, voltage_decay=200, threshold=200),
        "flat": Shaped((144,)),
        "fc": Dense(weight=rng.integers(-30, 60, (3, 144)) * 2, exponent=-1),
        "li": LIF(current_decay=4096, voltage_decay=200, threshold=131071, emit="voltage"),
        "out": ChipOutput("last", after=2),
    }
    wires = {"conv": (later("in"),), "lif": (Wire("conv"),), "flat": (Wire("lif"),), "fc": (later("flat"),)}
    return ChipGraph(nodes, {**wires, "li": (Wire("fc"),), "out": (Wire("li"),)}, name="chip")


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments), prog_name="spikeport")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.stderr
    # On a slow machine anything may take over a second, and then says so.
    said = [
        line for line in done.stderr.splitlines(keepends=True) if line.startswith("error") or not line.endswith(" …\n")
    ]
    return done.exit_code, done.stdout, "".join(said).removeprefix("this module is chatty\n")


def data(*arguments: str) -> dict:
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    assert out.count("\n") == 1
    return json.loads(out)


def test_version_and_help() -> None:
    assert run("--version") == (0, f"spikeport {spikeport.__version__}\n", "")
    code, out, _ = run("-h")
    assert code == 0
    for name in ("demo", "inspect", "run", "models", "convert", "bench"):
        assert f" {name} " in out
        assert run(name, "-h")[0] == run(name, "--help")[0] == 0


def test_nothing_said_is_help_and_wrong_usage_is_two() -> None:
    assert "Usage: spikeport" in "".join(run()[1:])
    assert run("insepct")[0] == 2
    assert run("inspect")[0] == 2
    assert run("run", "small.graph", "--steps", "0")[0] == 2


def test_completion_is_offered_for_the_shell() -> None:
    environment = {
        **os.environ,
        "_SPIKEPORT_COMPLETE": "complete_bash",
        "COMP_WORDS": "spikeport ins",
        "COMP_CWORD": "1",
    }
    done = subprocess.run(
        [Path(sys.executable).with_name("spikeport")], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["inspect"]


def test_inspect_shows_the_text_and_a_table_within_80_columns(here: Path) -> None:
    code, out, err = run("inspect", "small.graph")
    text, _, rows = out.partition("\n\n")
    assert (code, err) == (0, "")
    assert text.splitlines()[0] == "graph small dt=0.001"
    assert text.splitlines()[4] == "  lif = LIF(norm; beta=0.9) : spikes [4,6,6]"
    assert rows.splitlines()[0].split() == ["node", "kind", "sends", "params", "neurons", "synapses"]
    assert ["conv", "Conv", "graded", "4×6×6", "72", "2,048"] in [line.split() for line in rows.splitlines()]
    assert max(map(len, rows.splitlines())) <= 80
    assert "\x1b" not in out


def test_inspect_text_is_the_text_alone_and_can_be_read_back(here: Path) -> None:
    assert run("inspect", "small.graph", "--text")[1] == to_text(small())


def test_inspect_json_says_the_same(here: Path) -> None:
    found = data("inspect", "small.graph")
    assert (found["name"], found["dt"], found["inputs"], found["outputs"]) == ("small", 0.001, ["in"], ["out"])
    assert (found["neurons"], found["passes"]) == (144, [])
    assert found["nodes"][1] == {
        "name": "conv",
        "kind": "Conv",
        "sources": ["in"],
        "shape": [4, 6, 6],
        "carries": "graded",
        "parameters": 72,
        "neurons": 0,
        "synapses": 2048,
    }


def test_explain_says_what_each_pass_did(here: Path) -> None:
    code, out, _ = run("inspect", "small.graph", "--explain")
    assert code == 0
    assert "FoldBatchnorm(dtype=None), up to rounding\n  + folded norm into conv\n" in out
    assert "BatchNorm(" not in out.partition("graph small")[2]
    steps = data("inspect", "small.graph", "--passes", "fold_batchnorm")["passes"]
    assert [(step["name"], step["exact"], step["changes"]) for step in steps] == [
        ("fold_batchnorm", False, ["folded norm into conv"])
    ]


def test_run_shows_spikes_and_rates_and_answers_like_the_python_function(here: Path) -> None:
    found = data(
        "run", "small.graph", "--made", "poisson:0.3", "--steps", "20", "--batch", "3", "--seed", "5", "-o", "x.npz"
    )
    assert (found["steps"], found["batch"], found["dtype"], found["backend"]) == (20, 3, "float32", "reference")
    lif = next(node for node in found["nodes"] if node["name"] == "lif")
    assert lif["values"] == 20 * 3 * 144
    assert 0 < lif["rate"] == lif["nonzero"] / lif["values"] < 1
    events = np.random.default_rng([5, 0]).random((20, 3, 2, 6, 6)) < 0.3
    expected = spikeport.simulate(small(), events, dtype="float32").outputs["out"]
    with np.load("x.npz") as kept:
        np.testing.assert_array_equal(kept["outputs/out"], expected)
    assert found["outputs"]["out"]["shape"] == [3, 3]
    assert found["outputs"]["out"]["max"] == expected.max()


def test_run_takes_a_file_and_keeps_what_is_asked_for(here: Path) -> None:
    events = np.random.default_rng(0).random((7, 2, 2, 6, 6)) < 0.5
    np.save("events.npy", events)
    record = "lif,lif.voltage"
    call = ("run", "small.graph", "--input", "events.npy", "--dtype", "float64", "--record", record, "-o", "out.npz")
    code, out, err = run(*call)
    assert (code, err) == (0, "")
    assert "7 steps × 2 samples, float64" in out
    assert "written: out.npz" in out
    trace = spikeport.simulate(small(), events, dtype="float64", record=["lif", "lif.voltage"])
    with np.load("out.npz") as kept:
        np.testing.assert_array_equal(kept["nodes/lif/sent"], trace["lif"].spikes)
        np.testing.assert_array_equal(kept["nodes/lif/voltage"], trace["lif"].voltages)


def test_inspect_shows_a_chip_graph_as_the_chip_holds_it(here: Path) -> None:
    code, out, err = run("inspect", "chip.graph")
    rows = [line.split() for line in out.partition("\n\n")[2].splitlines()]
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "chip chip dt=0.001"
    assert ["conv", "Conv", "in", "-60..118", "8", "3×3,", "pad", "1", "2,048"] in rows
    assert ["fc", "Dense", "flat", "-60..118", "8", "×2^-1", "432"] in rows
    assert out.split()[-8:] == ["Then", "no", "current", "can", "leave", "its", "24", "bits."]
    assert max(map(len, out.partition("\n\n")[2].splitlines())) <= 80
    assert run("inspect", "chip.graph", "--text")[1] == to_text(small_chip())
    found = data("inspect", "chip.graph")
    assert (found["neurons"], found["synapses"], found["digest"]) == (147, 2480, digest(small_chip()))
    fc = next(node for node in found["nodes"] if node["name"] == "fc")
    weight = small_chip().nodes["fc"].arrays()["weight"]
    lows, highs = np.minimum(weight, 0).sum(1), np.maximum(weight, 0).sum(1)
    assert fc["worst_sum"] == [(lows >> 1).min(), (highs >> 1).max()]
    assert (fc["role"], fc["weight_bits"], fc["filled"]) == ("synapse", 8, None)


def test_a_chip_graph_is_converted_as_it_is(here: Path) -> None:
    assert data("convert", "chip.graph", "-o", "out")["passes"] == []
    assert Path("out/chip.graph").read_bytes() == Path("chip.graph").read_bytes()
    assert isinstance(spikeport.load("out/chip.graph"), ChipGraph)


def test_a_netx_file_is_a_chip_graph_like_any_other(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = replace(small_chip(), notes={})
    nodes = {**chip.nodes, "li": LIF(current_decay=4096, voltage_decay=200, threshold=300), "out": ChipOutput()}
    netx_file.write(replace(chip, nodes=nodes), "net.net")
    plain = data("inspect", "net.net")
    assert [node["kind"] for node in plain["nodes"]] == [
        "ChipInput",
        "Conv",
        "LIF",
        "Shaped",
        "Dense",
        "LIF",
        "ChipOutput",
    ]
    assert data("convert", "net.net", "--to", "graph", "-o", "out")["files"][0]["format"] == "graph"
    assert data("run", "net.net", "--made", "poisson:0.3")["backend"] == "fixed"
    chip, said = netx_file.read_with_remarks("net.net")
    assert not said
    monkeypatch.setattr(netx_file, "read_with_remarks", lambda _: (chip, ("one thing", "and another")))
    code, _, err = run("inspect", "net.net")
    assert (code, err) == (0, "net.net: one thing\nnet.net: and another\n")
    assert data("inspect", "net.net")["notes"]["remarks"] == "one thing\nand another"
    assert spikeport.load("net.net").notes["remarks"] == "one thing\nand another"


def test_a_file_that_is_no_netx_file_is_bad_input(here: Path) -> None:
    Path("bad.net").write_bytes(b"garbage")
    for call in (("inspect", "bad.net"), ("run", "absent.hdf5"), ("inspect", "bad.net", "--weights", "w.pt")):
        code, out, err = run(*call)
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert err.count("\n") == 1


def test_run_takes_a_chip_graph_and_keeps_its_states(here: Path) -> None:
    call = (
        "run",
        "chip.graph",
        "--made",
        "poisson:0.3",
        "--batch",
        "2",
        "--record",
        "lif,lif.u,li.voltage",
        "-o",
        "x.npz",
    )
    found = data(*call)
    assert (found["backend"], found["dtype"], found["steps"], found["said"]) == ("fixed", "int32", 16, [])
    spikes = np.random.default_rng([0, 0]).random((16, 2, 2, 6, 6)) < 0.3
    trace = spikeport.simulate(small_chip(), spikes, record=["lif", "lif.u", "li.v"])
    with np.load("x.npz") as kept:
        np.testing.assert_array_equal(kept["nodes/lif/sent"], trace["lif"].spikes)
        np.testing.assert_array_equal(kept["nodes/lif/states/u"], trace["lif"].currents)
        np.testing.assert_array_equal(kept["nodes/li/states/v"], trace["li"].voltages)
        np.testing.assert_array_equal(kept["outputs/out"], trace.outputs["out"])


@pytest.mark.parametrize("network", ["small.graph", "chip.graph"])
def test_run_counts_events_into_steps_and_says_what_it_did(here: Path, network: str) -> None:
    code, out, err = run("run", network, "--input", "events.npy", "--record", "in", "-o", "x.npz")
    said = "1 event falls on another one of the same step and place: an input of spikes counts them once\n"
    assert (code, err) == (0, said)
    assert "3 steps × 1 samples" in out
    with np.load("x.npz") as kept:
        assert [tuple(at) for at in np.argwhere(kept["nodes/in/sent"])] == [(0, 0, 0, 2, 1), (2, 0, 1, 5, 5)]
    call = ("run", network, "--input", "events.npy", "--dt", "5e-4", "--steps", "3")
    assert data(*call)["said"] == [
        "1 of 3 events come after step 3 and are left out",
        "a step of events lasts 0.0005 s, one of the network 0.001 s",
    ]


@pytest.mark.parametrize(("network", "neuron"), [("small.graph", "lif[1,2,3]"), ("chip.graph", "li[1]")])
def test_run_draws_what_passed(here: Path, network: str, neuron: str) -> None:
    call = ("run", network, "--batch", "2", "--sample", "1", "--plot", "x.svg", "--trace", neuron, "--trace", "lif")
    code, out, err = run(*call, "-o", "x.npz")
    assert (code, err) == (0, "")
    assert "written: x.npz, x.svg" in out
    picture = Path("x.svg").read_text()
    # Letters are drawn as paths, each text with itself as a comment before it.
    assert "<!-- 16 steps of 1 ms, poisson:0.1, seed 0, " in picture
    assert ", sample 1 of 2 -->" in picture
    assert f"<!-- {neuron} · voltage" in picture
    assert "4×6×6 · 144 neurons -->" in picture
    with np.load("x.npz") as kept:
        assert kept["nodes/lif/sent"].shape == (16, 2, 4, 6, 6)


def test_convert_writes_the_simplified_graph(here: Path) -> None:
    found = data("convert", "small.graph", "--to", "graph", "-o", "out/deep")
    assert found["files"] == [
        {"format": "graph", "path": "out/deep/small.graph", "bytes": os.stat("out/deep/small.graph").st_size}
    ]
    written = spikeport.load("out/deep/small.graph")
    assert "norm" not in written.nodes
    assert written.notes["passes"] == "FoldBatchnorm(dtype=None), Canonicalise()"
    assert os.listdir("out/deep") == ["small.graph"]


@pytest.mark.parametrize("factory", ["steps", "one_step"])
def test_a_factory_is_traced_whether_it_takes_all_steps_or_one(here: Path, factory: str) -> None:
    found = data("inspect", f"networks:{factory}", "--shape", "6")
    assert found["name"] == factory
    assert [node["kind"] for node in found["nodes"]] == ["Input", "Affine", "LIF", "Affine", "Output"]
    assert found["nodes"][0]["shape"] == [6]


def test_a_factory_may_bring_its_example_and_weights_come_from_a_file(here: Path) -> None:
    torch.manual_seed(1)
    weights = {
        "0.weight": torch.randn(5, 6),
        "0.bias": torch.randn(5),
        "2.weight": torch.randn(2, 5),
        "2.bias": torch.randn(2),
    }
    save_file(weights, "w.safetensors")
    assert run("convert", "networks:with_example", "--weights", "w.safetensors")[0] == 0
    graph = spikeport.load("with_example.graph")
    np.testing.assert_array_equal(graph.nodes["0"].weight, weights["0.weight"].numpy())


def test_what_a_chip_cannot_do_is_refused_or_kept_as_host(here: Path) -> None:
    code, out, err = run("inspect", "networks:host", "--shape", "6")
    assert (code, out) == (2, "")
    assert err.startswith("error: tracing host with time as axis 0: refused for 1 reason:\n  - 1: softmax")
    assert "Host" in [node["kind"] for node in data("inspect", "networks:host", "--shape", "6", "--host")["nodes"]]


def test_the_zoo_is_listed_and_each_network_shown(here: Path) -> None:
    assert [row["name"] for row in data("models")["models"]] == list(ZOO)
    code, out, _ = run("models")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    for name in ZOO:
        found = data("models", name)
        assert found["name"] == name
        assert found["parameters"] > 0
        assert found["file"] is None


@pytest.mark.parametrize("name", ZOO)
def test_a_checkpoint_of_the_zoo_is_the_network_that_its_name_is(here: Path, name: str) -> None:
    assert data("models", name, "-o", "mine 1.safetensors")["file"] == "mine 1.safetensors"
    by_file, by_name = data("inspect", "mine 1.safetensors"), data("inspect", name)
    assert (by_file["name"], by_name["name"]) == ("mine_1", name)
    assert by_file["nodes"] == by_name["nodes"]
    assert by_file["text"].partition("\n")[2] == by_name["text"].partition("\n")[2]
    other = data("models", name, "--seed", "1", "-o", "other.safetensors")
    assert other["seed"] == 1
    with_weights = data("inspect", name, "--weights", "other.safetensors")
    assert with_weights["text"] != by_name["text"]
    assert with_weights["text"].partition("\n")[2] == data("inspect", "other.safetensors")["text"].partition("\n")[2]


class Payload:
    """What runs when a pickle is trusted."""

    def __reduce__(self) -> tuple:
        return os.mkdir, ("owned",)


def test_weights_that_are_hostile_or_do_not_fit_are_bad_input(here: Path) -> None:
    good = {
        "0.weight": torch.zeros(5, 6),
        "0.bias": torch.zeros(5),
        "2.weight": torch.zeros(2, 5),
        "2.bias": torch.zeros(2),
    }
    torch.save({**good, "extra": Payload()}, "pickle.pt")
    torch.save(Payload(), "payload.pth")
    save_file({**good, "0.bias": torch.full((5,), torch.nan)}, "nan.safetensors")
    save_file({**good, "0.bias": torch.zeros(6)}, "shape.safetensors")
    save_file(good | {"3.bias": torch.zeros(1)}, "extra.safetensors")
    Path("huge.safetensors").write_bytes((1 << 62).to_bytes(8, "little") + b"{}")
    Path("cut.safetensors").write_bytes(Path("nan.safetensors").read_bytes()[:-1])
    Path("empty.safetensors").write_bytes(b"")
    Path("words.txt").write_text("0.weight")
    messages = {
        "pickle.pt": "holds something that is not plain weights",
        "payload.pth": "holds something that is not plain weights",
        "nan.safetensors": "0.bias holds NaN or infinity; expected finite weights",
        "shape.safetensors": "0.bias has shape [6]; expected [5]",
        "extra.safetensors": "weights of another network: unknown 3.bias",
        "huge.safetensors": "no safetensors file: a header of",
        "cut.safetensors": "a broken safetensors file",
        "empty.safetensors": "no safetensors file: 0 bytes",
        "words.txt": "the suffix '.txt'; expected .safetensors, .pt or .pth",
        "absent.pt": "cannot be read (No such file or directory)",
    }
    for file, message in messages.items():
        code, out, err = run("inspect", "networks:steps", "--shape", "6", "--weights", file)
        assert (code, out) == (2, ""), file
        assert err.startswith(f"error: {file}: {message}"), err
    for file in ("huge.safetensors", "cut.safetensors", "empty.safetensors", "absent.safetensors"):
        code, out, err = run("inspect", file)
        assert (code, out) == (2, ""), file
        assert err.startswith(f"error: {file}: "), err
    assert not Path("owned").exists()


FAILURES = {
    ("inspect", "nothing"): "error: nothing: is no SOURCE; expected a name of the zoo (event_convnet, sequence_rnn), a",
    ("models", "nothing"): "error: zoo: no network 'nothing'; expected one of event_convnet, sequence_rnn",
    ("models", "-o", "x.safetensors"): "error: --output: a file and no network; expected the name of one. Say which:",
    ("models", "event_convnet", "-o", "x.pt"): "error: --output: 'x.pt'; expected a name that ends in .safetensors",
    ("demo", "-o", "small.graph"): "error: small.graph: cannot be a folder: File exists. Choose another for -o",
    ("inspect", "nothing.graph"): "error: nothing.graph: is not there; expected a .graph file",
    ("inspect", "networks:number"): "error: networks:number: gives a value of type int; expected a torch module, or",
    ("inspect", "networks:steps"): "error: networks:steps: gives a module and no example of its input. Say --shape, or",
    (
        "inspect",
        "networks:broken",
    ): "error: networks:broken: cannot be made: ValueError: no luck today. --debug shows where",
    ("inspect", "networks:leaves"): "error: networks:leaves: cannot be made: SystemExit: 3. --debug shows where",
    ("inspect", "networks:absent"): "error: networks:absent: cannot be made: AttributeError: module 'networks' has no",
    (
        "inspect",
        "nowhere:f",
    ): "error: nowhere:f: cannot be made: ModuleNotFoundError: No module named 'nowhere'. See that it is",
    (
        "inspect",
        "networks:steps",
        "--shape",
        "6,x",
    ): "error: --shape: '6,x'; expected whole numbers of at least 1 with commas",
    ("inspect", "networks:steps", "--shape", "7"): "error: Sequential: the module fails on the example: ",
    (
        "inspect",
        "networks:steps",
        "--shape",
        "6",
        "--carries",
        "ducks",
    ): "error: carries: 'ducks'; expected spikes, graded or int",
    ("inspect", "small.graph", "--passes", "magic"): "error: pass: 'magic'; expected inline_subgraphs or",
    (
        "inspect",
        "small.graph",
        "--weights",
        "w.safetensors",
    ): "error: --weights: a file of weights beside small.graph, which",
    ("run", "small.graph", "--made", "noise:1"): "error: --made: 'noise:1'; expected poisson:NUMBER",
    ("run", "small.graph", "--input", "no.npy"): "error: no.npy: there is no such file; expected a .npy or .npz file",
    ("run", "small.graph", "--backend", "magic"): "error: backend: 'magic'; expected reference, fixed, lava",
    (
        "run",
        "small.graph",
        "--backend",
        "fixed",
    ): "error: backend: 'fixed' for a graph in real numbers; expected refere",
    ("run", "chip.graph", "--backend", "reference"): "error: backend: 'reference' for a chip graph; expected fixed or",
    ("run", "chip.graph", "--dtype", "float32"): "error: dtype: float32; expected none: a chip graph is computed in",
    ("run", "chip.graph", "--made", "normal:1"): "error: in: ",
    (
        "run",
        "chip.graph",
        "--plot",
        "x.bmp",
    ): "error: --plot: 'x.bmp'; expected a name that ends in .png or .svg or .pdf",
    ("run", "chip.graph", "--plot", "no/x.png"): "error: no/x.png: the folder ",
    (
        "run",
        "chip.graph",
        "--plot",
        "x.png",
        "--trace",
        "conv[1]",
    ): "error: --trace: 'conv', a Conv; expected a neuron w",
    (
        "run",
        "chip.graph",
        "--plot",
        "x.png",
        "--trace",
        "lif[4,0,0]",
    ): "error: --trace: 'lif[4,0,0]'; expected a place in",
    (
        "run",
        "chip.graph",
        "--plot",
        "x.png",
        "--sample",
        "1",
    ): "error: --sample: 1; expected 0 to 0: there are 1 samples",
    (
        "run",
        "chip.graph",
        "--trace",
        "lif",
    ): "error: --trace: no picture to draw it in; expected --plot with the name of",
    ("run", "chip.graph", "--dt", "0.1"): "error: --dt: without a file of events; expected --input",
    (
        "run",
        "chip.graph",
        "--input",
        "events.npy",
        "--dt",
        "0",
    ): "error: --dt: 0; expected a positive number of seconds",
    ("run", "chip.graph", "--input", "events.npy", "--unit", "h"): "error: --unit: 'h'; expected s, ms, us, ns",
    (
        "inspect",
        "chip.graph",
        "--passes",
        "simplify",
    ): "error: chip.graph: is a chip graph, in the integers of a chip; ex",
    (
        "inspect",
        "chip.graph",
        "--explain",
    ): "error: chip.graph: is a chip graph, in the integers of a chip; expected a g",
    (
        "convert",
        "chip.graph",
        "--passes",
        "lower",
    ): "error: chip.graph: is a chip graph, in the integers of a chip; exp",
    ("run", "small.graph", "--dtype", "float16"): "error: dtype: float16; expected float32 or float64",
    ("run", "small.graph", "--record", "nobody"): "error: ",
    ("run", "small.graph", "-o", "x.npy"): "error: --output: 'x.npy'; expected a name that ends in .npz",
    ("run", "small.graph", "-o", "no/x.npz"): "error: no/x.npz: the folder ",
    (
        "convert",
        "small.graph",
        "--to",
        "graph,tarot",
    ): "error: --to: 'tarot'; expected one or more of: graph, ",
    (
        "convert",
        "small.graph",
        "-o",
        "small.graph",
    ): "error: small.graph: cannot be a folder: File exists. Choose another",
    ("bench", "nothing"): "error: bench: 'nothing'; expected ",
}


@pytest.mark.parametrize("call", FAILURES, ids=" ".join)
def test_bad_input_ends_with_two_one_message_and_no_file(here: Path, call: tuple[str, ...]) -> None:
    before = sorted(os.listdir())
    code, out, err = run(*call)
    assert (code, out) == (2, "")
    assert err.startswith(FAILURES[call]), err
    assert sorted(name for name in os.listdir() if name != "__pycache__") == before


def test_a_file_that_is_cut_short_or_changed_is_bad_input(here: Path) -> None:
    whole = Path("small.graph").read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 40)):
        Path("cut.graph").write_bytes(whole[:size])
        code, out, err = run("inspect", "cut.graph")
        assert (code, out) == (2, ""), size
        assert err.startswith("error: cut.graph: ")


def test_an_input_of_the_wrong_shape_is_bad_input(here: Path) -> None:
    events = np.zeros((3, 1, 2, 6, 5))
    np.save("narrow.npy", events)
    code, _, err = run("run", "small.graph", "--input", "narrow.npy")
    assert code == 2
    assert err == "error: in: an input of shape [3,1,2,6,5]; expected [T,B,2,6,6]\n"


MEMORY = 8 << 30
"""What a process of these tests may take: a missing check must fail here, not fill the machine."""


@contextlib.contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen]:
    """A real process, bounded in memory, that does not outlive the test."""
    process = subprocess.Popen(
        [Path(sys.executable).with_name("spikeport"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_a_real_process_prints_json_alone_and_talks_on_stderr(here: Path) -> None:
    with command("inspect", "networks:steps", "--shape", "6", "--json") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["name"] == "steps"
    assert "this module is chatty" in err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_stopped_leaves_nothing_behind(here: Path, sent: signal.Signals, code: int) -> None:
    with command("run", "small.graph", "--steps", "1000000000", "-o", "endless.npz") as process:
        assert process.stderr is not None
        assert "running small …\n" in iter(process.stderr.readline, "")
        process.send_signal(sent)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out == ""
    assert "Traceback" not in err
    assert sorted(os.listdir()) == ["chip.graph", "events.npy", "networks.py", "small.graph"]


def test_what_cannot_fit_is_refused_before_it_runs(here: Path) -> None:
    call = ("run", "small.graph", "--steps", "100000000", "--batch", "1000", "--record", "all", "-o", "x.npz")
    with command(*call) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("error: memory: needs about "), err
    assert "recorded); expected at most" in err
    assert not Path("x.npz").exists()
