"""The race of the simulation: it runs, compares before it times, and says what it compared."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from spikeport.benchmarks.speed import simulation
from spikeport.benchmarks.speed.networks import NETWORKS
from spikeport.toolchain.errors import SimulationError


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors on a machine that is busy with other tests: more threads would only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_every_network_runs_beside_its_module_and_spikes() -> None:
    data = simulation.bench(quick=True)
    assert data["name"] == "simulation"
    assert len(data["rows"]) == len(NETWORKS)
    assert json.loads(json.dumps(data)) == data
    for row in data["rows"]:
        assert {"case", "peer", "ours_s", "peer_s", "ratio", "limit_s", "rates"} <= set(row)
        assert min(row["ours_s"], row["peer_s"], row["ratio"]) > 0
        assert all(0.001 < rate < 0.9 for rate in row["rates"].values()), row


def test_different_answers_are_not_timed() -> None:
    answer = np.arange(100.0)
    simulation._compared("net", answer, answer)
    with pytest.raises(SimulationError, match=r"net: 50\.0% of the answers are the module's; expected at least 99%"):
        simulation._compared("net", answer, np.where(answer < 50, answer, -answer))
