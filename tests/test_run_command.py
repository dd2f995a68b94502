"""`spikeport run` and what `inspect` shows of a chip graph, as a user meets them."""

from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.toolchain.graph.text import digest, to_text
from support.command_line import data, run, small, small_chip, user_folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return user_folder(tmp_path, monkeypatch)


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
    assert "3 steps × 1 sample, " in out
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
