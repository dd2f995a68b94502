"""The demo does its job, says so, and would notice if a network were another one."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from spikeport.benchmarks import demo
from spikeport.benchmarks.demo_actions import Acted, acted
from spikeport.benchmarks.demo_data import made_for
from spikeport.benchmarks.sameness import compared
from spikeport.models.data.clips import load_clips
from spikeport.models.neurons import LIF
from spikeport.models.trained import trained_checkpoint
from spikeport.models.zoo import SPIKING
from spikeport.toolchain.graph import Graph, replace_graph
from spikeport.toolchain.graph.store import load
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from torch import nn


def test_every_network_that_a_chip_takes_whole_stays_the_same(
    trained: Acted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "acted", lambda _folder: trained)  # which has its own tests below
    result = demo.demonstrate(tmp_path / "demo")
    assert result.good
    assert [part["name"] for part in result.data["networks"]] == list(SPIKING)
    for part in result.data["networks"]:
        assert all(Path(file).is_file() for file in part["files"].values())
        assert all(layer["same"] and layer["compared"] for layer in part["layers"])
        spiking = [layer for layer in part["layers"] if layer["name"] != "answer"]
        assert spiking
        assert all(0 < layer["rate"] < 0.5 for layer in spiking), "a silent layer shows nothing"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Acted:
    return acted(tmp_path_factory.mktemp("demo"))


def test_the_trained_network_knows_unseen_clips_and_stays_the_same(trained: Acted) -> None:
    found = json.loads(json.dumps(trained.data()))
    assert all(Path(file).is_file() for file in found["files"].values())
    assert Path(found["files"]["checkpoint"]).read_bytes() == trained_checkpoint(found["name"]).read_bytes()
    assert found["training"].startswith("spikeport train spiking_fusion ")
    clips = load_clips(found["files"]["clips"])
    assert int((clips.labels == np.asarray(trained.answers)).sum()) == found["right"] >= 0.8 * found["clips"]
    assert found["right"] + sum(each["clips"] for each in found["wrong"]) == found["clips"] == len(clips)
    assert not [each for each in found["wrong"] if each["action"] == each["answer"]]
    *fire, answer = found["layers"]
    graph = load(found["files"]["graph"])
    assert {layer["name"] for layer in fire} == {name for name, node in graph.nodes.items() if node.kind == "LIF"}
    assert all(0 < layer["rate"] < 0.7 for layer in fire), "a silent layer shows nothing"
    assert all(layer["compared"] and layer["same"] for layer in [*fire, answer])
    assert found["host_nodes"] == sum(node.kind == "Host" for node in graph.nodes.values()) > 0
    assert 0 < found["parts"]["taken"]["dense"] < found["parts"]["whole"]["dense"]
    assert list(found["pj"]) == ["paper", "strict"]
    assert all(pj > 0 for pj in found["pj"].values())


@pytest.mark.parametrize("broken", [False, True])
def test_the_demo_says_whether_the_trained_network_stays_the_same(
    trained: Acted, broken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = trained.layers
    layers = (replace(first, different=3, first=1), *others) if broken else trained.layers
    monkeypatch.setattr(demo, "SPIKING", ())
    monkeypatch.setattr(demo, "acted", lambda _folder: replace(trained, layers=layers))
    result = demo.demonstrate(tmp_path)
    assert (result.good, result.data["same"], result.data["trained"]["same"]) == (not broken,) * 3
    text = StringIO()
    Console(file=text, width=80).print(result.view)
    words = text.getvalue()
    assert max(map(len, words.splitlines())) <= 80
    assert f"{trained.right} of {len(trained.clips)} right, of 16 actions" in words
    assert (f"NOT the same: {first.name}" in words) is broken
    assert ("Every graph is its PyTorch network" in words) is not broken


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 20), LIF(0.9, threshold=0.5), nn.Linear(20, 3)).double().eval()


def run(network: nn.Module, changed: Graph, inputs: np.ndarray) -> tuple:
    found = simulate(changed, inputs, record="spikes", dtype="float64")
    return compared(network, torch.from_numpy(inputs), changed, found)


def test_the_same_network_is_the_same_and_another_is_told_where_it_differs(network: nn.Sequential) -> None:
    inputs = np.random.default_rng(0).normal(size=(30, 2, 6))
    graph = trace(network, torch.from_numpy(inputs[:4]), time_axis=0)
    lif, answer = run(network, graph, inputs)
    assert (lif.name, lif.verdict, answer.name, answer.verdict) == ("1", "same", "answer", "same")
    assert lif.compared == 30 * 2 * 20
    slower = replace_graph(graph, nodes={**graph.nodes, "1": replace(graph.nodes["1"], threshold=0.5 + 0.05)})
    lif, answer = run(network, slower, inputs)
    wanted = network[1](network[0](torch.from_numpy(inputs))).detach().numpy()
    spikes = simulate(slower, inputs, record=["1"], dtype="float64")["1"].spikes
    assert lif.different == int((spikes != wanted).sum()) > 0
    assert lif.first == int(np.flatnonzero((spikes != wanted).any((1, 2)))[0])
    assert lif.verdict == f"{lif.different:,} of 1,200 differ, first in step {lif.first}"
    assert not answer.same


def test_a_layer_that_was_not_compared_is_not_called_the_same(network: nn.Sequential) -> None:
    inputs = np.random.default_rng(0).normal(size=(5, 1, 6))
    graph = trace(network, torch.from_numpy(inputs), time_axis=0)
    nodes = {"renamed" if name == "1" else name: node for name, node in graph.nodes.items()}
    wires = {
        "renamed" if name == "1" else name: tuple(replace(w, source="renamed") if w.source == "1" else w for w in each)
        for name, each in graph.wires.items()
    }
    layer = run(network, replace_graph(graph, nodes=nodes, wires=wires), inputs)[0]
    assert not layer.same
    assert layer.verdict == "not compared: no module of this name"


def test_data_is_zeros_and_ones_from_a_seed() -> None:
    bars = made_for((2, 32, 32), 20, 3, seed=1)
    assert bars.shape == (20, 3, 2, 32, 32)
    assert set(np.unique(bars)) == {0, 1}
    assert 0.01 < bars.mean() < 0.2
    np.testing.assert_array_equal(bars, made_for((2, 32, 32), 20, 3, seed=1))
    assert (bars != made_for((2, 32, 32), 20, 3, seed=2)).any()
    assert abs(made_for((64,), 200, 4, seed=0).mean() - 0.05) < 0.01
