"""The race against Lava: it compares before it times, says what it measured, and is clear about a missing Lava."""

import json
from pathlib import Path

import numpy as np
import pytest
from spikeport.benchmarks.races import RACES, raced
from spikeport.benchmarks.speed import lava as race
from spikeport.benchmarks.speed import lava_costs, lava_start
from spikeport.benchmarks.speed.lava_networks import CASES, Case, recurrent
from spikeport.toolchain.errors import SimulationError
from spikeport.toolchain.loihi.to_lava import SENT
from spikeport.toolchain.simulate import simulate


def small(quick: bool) -> Case:
    case = recurrent(quick)
    return Case("small", case.graph, case.rate, (2, 5), 2)


def test_every_network_spikes_in_every_layer():
    for make in CASES:
        case = make(True)
        counts = simulate(case.graph, case.spikes(16, 1)).counts
        assert all(0.001 < counts[name].rate < 0.6 for name in case.graph.neurons[:-1]), case.name


def test_a_small_network_beside_lava(lava: Path, monkeypatch: pytest.MonkeyPatch):
    assert lava.exists()
    monkeypatch.setattr(race, "CASES", (small,))
    monkeypatch.setattr(race, "CURVE", (10, 5, 20))
    monkeypatch.setattr(race, "STEPS", 8)
    monkeypatch.setattr(race, "BATCH", 2)
    monkeypatch.setattr(race, "peaks", lambda _: [[None, 1000, 2000]])
    data = raced("lava", quick=True).data
    assert data["name"] == "lava"
    assert json.loads(json.dumps(data)) == data
    cases = ["batch 1", "batch 2", "with start-up", "10 steps", "5 steps", "20 steps"]
    assert [row["case"] for row in data["rows"]] == [f"small, {case}" for case in cases]
    for row in data["rows"]:
        assert row["ours_s"] > 0
        assert row.get("ratio", 1) > 0
    assert all(row["limit_s"] > 0 for row in data["rows"][:2])
    assert [row.get("peer_steps") for row in data["rows"]] == [5, 2, 5, None, 5, None]
    assert [row.get("ours_mb") for row in data["rows"][3:]] == [None, 0.001, 0.002]
    assert data["notes"][-1].startswith("small: ")


def test_other_spikes_than_lavas_are_not_timed():
    case = small(True)
    sent = simulate(case.graph, case.spikes(5, 1), record=["lif", "dense_lif"])
    values = {f"{name}.s_out": np.array(sent[name].values) for name in ("lif", "dense_lif")}
    run = type("Run", (), {"values": values})
    race._compared(case, run, 5, 1)
    values["lif.s_out"][3, 0, 7] ^= 1
    with pytest.raises(SimulationError, match="small, lif: other spikes than Lava's; expected the same, bit for bit"):
        race._compared(case, run, 5, 1)
    assert (("lif", SENT)) in race._items(case)


def test_another_answer_than_lavas_from_nothing_is_not_timed(monkeypatch: pytest.MonkeyPatch):
    sent = simulate(small(True).graph, small(True).spikes(5, 1)).outputs["out"]
    monkeypatch.setattr(lava_start, "_lavas", lambda *_: sent)
    start = lava_start.from_nothing(small(True), 5, Path("python"), quick=True)
    assert start.ours > 0.05 > start.lavas
    monkeypatch.setattr(lava_start, "_lavas", lambda *_: sent + 1)
    with pytest.raises(SimulationError, match="small, from nothing: another answer than Lava's"):
        lava_start.from_nothing(small(True), 5, Path("python"), quick=True)


def test_the_shares_of_the_time_are_those_of_what_ran():
    case = small(True)
    shares = lava_costs.shares(case.graph, case.spikes(16, 1)).parts
    assert set(shares) == {"input", "synapses", "recurrent layer", "neurons", "output", "rest"}
    assert sum(shares.values()) == pytest.approx(1, abs=0.5)


def test_peak_memory_is_measured_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lava_costs, "CASES", (small,))
    found = lava_costs._measured(quick=True)
    assert len(found) == 1
    assert len(found[0]) == len(lava_costs.CURVE)


def test_without_lava_there_is_one_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert "lava" in RACES
    monkeypatch.setenv("SPIKEPORT_LAVA_HOME", str(tmp_path))
    with pytest.raises(SimulationError, match=r"is not installed.*`spikeport lava install`"):
        raced("lava", quick=True)
