"""Networks made of ReLUs on the chip: changes in every scale, and rates by a neuron that subtracts exactly."""

from pathlib import Path

import numpy as np
import pytest
from spikeport.exporters.netx_file import read, write
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph.nodes import IF, LIF, Affine, Conv, Delta, Flatten, Input, Output, Sigma, SigmaDelta
from spikeport.toolchain.loihi import processes
from spikeport.toolchain.loihi.places import read_places
from spikeport.toolchain.loihi.quantise import quantise
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.verifying import OnLava, verify
from support.chips import differences

RNG = np.random.default_rng(8)
SOFT = {"reset": "subtract", "at_least": True}


def changes(carries: str = "graded", theta: float = 0.05) -> Graph:
    """Two convolutions and a matrix that send what changes."""
    conv = [Conv(RNG.normal(0, 0.3, shape), padding=1) for shape in ((4, 2, 3, 3), (6, 4, 3, 3))]
    nodes = [("x", Input((2, 6, 6), carries)), ("delta", Delta(threshold=theta if carries == "graded" else 1.0))]
    nodes += [("c0", conv[0]), ("a0", SigmaDelta(threshold=theta, bias=RNG.normal(0, 0.1, (4, 1, 1))))]
    nodes += [("c1", conv[1]), ("a1", SigmaDelta(threshold=theta)), ("flat", Flatten())]
    return chain([*nodes, ("fc", Affine(RNG.normal(0, 0.1, (5, 216)))), ("sum", Sigma()), ("y", Output())], name="net")


def film(carries: str, steps: int = 10) -> np.ndarray:
    frames = [RNG.random((2, 2, 6, 6))]
    for _ in range(steps - 1):
        frames.append(np.where(RNG.random(frames[0].shape) < 0.2, RNG.random(frames[0].shape), frames[-1]))
    return np.stack(frames) if carries == "graded" else (np.stack(frames) < 0.4).astype(float)


@pytest.mark.parametrize("carries", ["graded", "spikes"])
@pytest.mark.parametrize("target", ["lava", "netx"])
def test_changes_keep_their_convolutions_and_come_near(carries: str, target: str):
    graph, x = changes(carries), film(carries)
    chip, report = quantise(graph, calibration=x, allow=["bias-start"], target=target)
    assert isinstance(chip.nodes["delta"], processes.Delta)
    assert isinstance(chip.nodes[chip.wires["delta"][0].source], processes.ChipInput)
    assert isinstance(chip.nodes["c0"], processes.Conv)
    assert isinstance(chip.nodes["c1"], processes.Conv)
    assert all(isinstance(chip.nodes[name], processes.SigmaDelta) for name in ("a0", "a1"))
    assert min(layer.sqnr for layer in report.layers) > (30 if target == "lava" else 25)
    wanted = simulate(graph, x).outputs["y"]
    found = differences_of_sums(chip, x, len(x))
    assert np.sqrt(((found - wanted) ** 2).mean() / (wanted**2).mean()) < 0.05


def differences_of_sums(chip, x, steps):
    """The chip's sums in the graph's units, on time."""
    places = read_places(chip)
    given, read_at = places["x"], places["y"]
    late = np.concatenate([x, np.repeat(x[-1:], read_at.latency, 0)])
    run = simulate(chip, np.rint(late * given.scale), record=[read_at.node])
    return run[read_at.node].values[read_at.latency :][:steps] / read_at.scale


def test_a_file_of_changes_is_read_again_as_the_same_network(tmp_path: Path):
    graph, x = changes("spikes"), film("spikes")
    chip, report = quantise(graph, calibration=x, allow=["bias-start"], target="netx")
    assert write(chip, tmp_path / "net.net") == ("lava-dl's loader has to be called with spike_exp=0",)
    scale = read_places(chip)["x"].scale
    assert f"x: hand in round(x · {scale:g})" in report.text()
    assert verify(chip, read(tmp_path / "net.net"), {"x": np.rint(x * scale)}).exact


@pytest.mark.parametrize("target", ["lava", "netx"])
def test_changes_on_lava(lava: Path, target: str):
    x = film("spikes", 6)[:, :1]
    chip, _ = quantise(changes("spikes"), calibration=x, allow=["bias-start"], target=target)
    assert verify(chip, OnLava(chip), {"x": np.rint(x * read_places(chip)["x"].scale)}).exact


def rates(threshold: float = 2.0, bias: float = 0.25, **fields) -> Graph:
    """Two layers on the chip's grid whose neurons start at half of what a spike takes away."""
    weights = [RNG.integers(-8, 9, shape) / 8 for shape in ((6, 8), (4, 6))]
    neuron = IF(threshold=threshold, v_start=threshold / 2, **{**SOFT, **fields})
    nodes = [("x", Input((8,), "spikes")), ("f0", Affine(weights[0], np.full(6, bias))), ("n0", neuron)]
    return chain([*nodes, ("f1", Affine(weights[1])), ("n1", neuron), ("y", Output())], name="net")


def spikes(steps: int = 40) -> np.ndarray:
    return (RNG.random((steps, 2, 8)) < 0.4).astype(float)


def test_a_neuron_that_subtracts_from_half_is_exact_and_needs_no_leave():
    graph, x = rates(), spikes()
    chip, report = quantise(graph, calibration=x)
    assert all(isinstance(chip.nodes[name], processes.ATRLIF) for name in ("n0", "n1"))
    assert report.approximations == ()
    assert max(differences(graph, chip, {"x": x}).values()) == 0
    assert simulate(graph, x, record="spikes").rate("n1") > 0.02
    assert "n0: it subtracts exactly, as a threshold that rises: for up to" in report.text()


def test_on_lava_it_is_exact_too(lava: Path):
    x = spikes(12)[:, :1]
    chip, _ = quantise(rates(), calibration=x)
    assert verify(chip, OnLava(chip), {"x": x}).exact


@pytest.mark.parametrize(
    "fields",
    [{"v_start": 0.0}, {"at_least": False}, {"when": "next"}, {"gain": -1.0}],
    ids=lambda each: next(iter(each)),
)
def test_others_still_need_leave(fields):
    x = spikes()
    graph = rates()
    nodes = {n: IF(**{**SOFT, "threshold": 2.0, "v_start": 1.0, **fields}) for n in ("n0", "n1")}
    graph = Graph({**graph.nodes, **nodes}, graph.wires, name="net")
    with pytest.raises(Refused, match="n0: on the chip it resets"):
        quantise(graph, calibration=x)


def test_leave_and_netx_take_the_usual_neuron():
    graph, x = rates(), spikes()
    allow = ["soft-reset", "v-start"]
    for target in ("lava", "netx"):
        chip, _ = quantise(graph, calibration=x, allow=allow, target=target)
        assert not any(isinstance(node, processes.ATRLIF) for node in chip.nodes.values())
    with pytest.raises(Refused, match="n0: on the chip it resets to 0 where the graph subtracts"):
        quantise(graph, calibration=x, target="netx")


def test_a_clock_cannot_reset_it():
    with pytest.raises(
        Refused, match="n0: it subtracts its threshold, which the chip does with a neuron that no clock"
    ):
        quantise(rates(), reset_interval=10)
    mixed = rates()
    nodes = {**mixed.nodes, "n1": LIF(beta=np.asarray(0.5), threshold=1.0, bias=0.125)}
    with pytest.raises(Refused, match="n0: it subtracts its threshold"):
        quantise(Graph(nodes, mixed.wires, name="net"))


def test_a_bias_on_an_answer_asks_for_no_clock():
    nodes = [("x", Input((8,), "spikes")), ("f", Affine(RNG.integers(-8, 9, (4, 8)) / 8, np.full(4, 0.5)))]
    graph = chain([*nodes, ("y", Output("mean"))], name="net")
    chip, _ = quantise(graph)
    assert isinstance(chip.nodes["f"], processes.LIF)
    assert max(differences(graph, chip, {"x": spikes()}).values()) == 0
