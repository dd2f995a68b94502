"""Files of ours that somebody changed, or reads as something else than they were written as: said, and nothing lost."""

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from spikeport.exporters import nir_file
from spikeport.exporters.nir.facts import beside
from spikeport.exporters.nir.reading import Read
from spikeport.toolchain.graph import Graph, GraphBuilder
from spikeport.toolchain.graph import nodes as n

NEURON = n.LIF(beta=0.8, gain=0.2, threshold=0.3, reset="subtract", v_start=0.1, rule="exact")


def network() -> Graph:
    builder = GraphBuilder("net", 1e-3)
    source = builder.add("input", n.Input((2,), "spikes"))
    builder.add("output", n.Output(), builder.add("l", NEURON, source))
    return builder.build()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    nir_file.write(network(), tmp_path / "net.nir")
    return tmp_path / "net.nir"


def neuron(read: Read) -> n.LIF:
    found = next(node for node in read.graph.nodes.values() if isinstance(node, n.LIF))
    assert isinstance(found, n.LIF)
    return found


def test_another_step_changes_no_voltage(path: Path) -> None:
    read = nir_file.read(path, dt=5e-4)
    assert read.remarks == ("written for steps of 0.001 s; read with --dt 0.0005",)
    assert neuron(read).beta == pytest.approx(0.8**0.5)
    for name in ("v_start", "threshold", "v_reset"):
        assert np.array_equal(getattr(neuron(read), name), getattr(NEURON, name)), name


def test_another_reset_is_said(path: Path) -> None:
    read = nir_file.read(path, reset="value")
    assert neuron(read).reset == "value"
    assert read.remarks == ("l: written with reset by subtraction; read with --reset value",)
    assert nir_file.read(path, reset="subtract").remarks == ()


@pytest.mark.parametrize("value", ["0.5", np.array([0.5, 0.5])], ids=["text", "numbers"])
def test_metadata_that_somebody_changed_are_said(path: Path, value: object) -> None:
    """The readable entries are for people: what counts is the whole text, and a change of one alone has no effect."""
    with h5py.File(path, "r+") as file:
        del file["node/metadata/dt"]
        file["node/metadata/dt"] = value
    beside(path).unlink()
    read = nir_file.read(path)
    assert read.told.dt == 1e-3
    shown = value if isinstance(value, str) else "numbers"
    assert read.remarks == (f"its metadata say dt = {shown}; 0.001, as Spikeport wrote, is taken",)


def test_a_neuron_of_which_nothing_was_written_is_said(path: Path) -> None:
    """Somebody called the neuron another name: how it resets is not known any more."""
    with h5py.File(path, "r+") as file:
        file.move("node/nodes/l", "node/nodes/other")
        edges = np.where(file["node/edges"][()] == b"l", b"other", file["node/edges"][()])
        del file["node/edges"]
        file["node/edges"] = edges
    beside(path).unlink()
    remarks = nir_file.read(path).remarks
    assert "other: what Spikeport wrote says nothing of this neuron; --reset says what a spike does" in remarks


def test_what_stands_beside_it_is_trusted_before_what_stands_in_it(path: Path) -> None:
    place = beside(path)
    data = json.loads(place.read_text())
    data["neurons"]["l"]["reset"] = "none"
    place.write_text(json.dumps(data))
    read = nir_file.read(path)
    assert neuron(read).reset == "none"
    assert read.remarks == ("its metadata say reset = subtract (now); none (now), as Spikeport wrote, is taken",)


def test_a_copy_needs_nothing_beside_it(path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(path, tmp_path / "other.nir"))
    read = nir_file.read(copy)
    assert read.remarks == ()
    assert neuron(read).reset == "subtract"
    shutil.copy(beside(path), beside(copy))
    with h5py.File(copy, "r+") as file:
        file["node/nodes/l/v_threshold"][:] *= 2
    stale = nir_file.read(copy)
    assert stale.remarks[0] == "what stands beside it is of another file, by its SHA-256; left unread"
    assert neuron(stale).threshold == pytest.approx(0.6)
