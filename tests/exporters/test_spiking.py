"""What `convert --neurons` does between the passes and the files."""

from pathlib import Path

import numpy as np
import pytest
from spikeport.exporters.spiking import Neurons, spiked
from spikeport.toolchain.errors import FileError, UsageError
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph.nodes import LIF, Input, Output
from spikeport.toolchain.loihi.quantise import quantise
from support.relu_networks import film, relu_network


def network() -> Graph:
    return relu_network(3).with_notes(proof="equal to the module")


def test_a_film_with_labels_becomes_changes(tmp_path: Path):
    x = film(network(), 3)
    np.savez(tmp_path / "film.npz", inputs=x, labels=np.array([0, 1, 2]))
    found = spiked(network(), Neurons("sigma-delta", 0.1), tmp_path / "film.npz")
    assert found.graph.name == "relus3-sigma-delta"
    assert "proof" not in found.graph.notes
    assert found.graph.notes["spiking"].startswith("sigma-delta, output error ")
    assert found.data()["curve"][0]["accuracy"] is not None
    assert np.array_equal(found.trial.values(found.graph)["in"], x)
    assert "relus3 as sigma-delta neurons" in found.view.plain


def test_still_samples_become_rates_that_are_shown_as_long_as_it_takes(tmp_path: Path):
    x = film(network(), 3, steps=1)
    np.save(tmp_path / "still.npy", x)
    found = spiked(network(), Neurons("if", 0.3, 12), tmp_path / "still.npy")
    assert found.report.steps == 12
    assert np.array_equal(found.trial.values(found.graph)["in"], np.repeat(x, 12, 0))
    assert found.data()["curve"][0]["accuracy"] is None


def test_messages(tmp_path: Path):
    with pytest.raises(UsageError, match=r"--neurons: without samples .* Hand in samples .*--calibration FILE.npz"):
        spiked(network(), Neurons("if"), None)
    with pytest.raises(FileError, match="there is no such file"):
        spiked(network(), Neurons("if"), tmp_path / "none.npz")
    chip, _ = quantise(chain([("in", Input((2,), "spikes")), ("n", LIF(beta=np.asarray(0.5))), ("out", Output())]))
    with pytest.raises(UsageError, match="for network, which is in integers already; expected a network of ReLUs"):
        spiked(chip, Neurons("if"), None)
