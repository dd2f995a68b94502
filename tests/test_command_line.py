"""The command `spikeport` as a user meets it: results, files, exit codes."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spikeport
import torch
from safetensors.torch import save_file
from spikeport.exporters import netx_file
from spikeport.models.zoo import WHOLE, ZOO
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, ChipOutput
from support.command_line import data, run, small, small_chip, user_folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return user_folder(tmp_path, monkeypatch)


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


def test_a_config_of_ones_own_is_in_the_checkpoint(here: Path) -> None:
    call = ("models", "event_convnet", "--config", "classes=3", "--config", "channels=[4, 4, 4]")
    assert data(*call, "-o", "mine.safetensors")["config"]["channels"] == [4, 4, 4]
    assert data("inspect", "mine.safetensors")["name"] == "mine"
    for option, value in (("--config", "classes=3"), ("--weights", "w.pt")):
        code, _, err = run("models", option, value)
        assert (code, f"{option}: no network; expected the name of one" in err) == (2, True)
        code, _, err = run("models", "spiking_fusion", "--trained", option, value)
        assert (code, f"{option}: beside --trained, which has its own" in err) == (2, True)
    assert "--config: 'classes'; expected KEY=VALUE" in run("models", "event_convnet", "--config", "classes")[2]


@pytest.mark.parametrize("name", WHOLE)
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
