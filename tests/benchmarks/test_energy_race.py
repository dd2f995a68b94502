"""`spikeport bench energy` on networks so small that the suite can afford them."""

from pathlib import Path

import pytest
import torch
from spikeport.benchmarks.operations import OpCount
from spikeport.benchmarks.races import raced
from spikeport.benchmarks.speed import energy, energy_curve, energy_plot
from spikeport.benchmarks.speed.networks import Network, nothing
from spikeport.models.neurons import LIF
from spikeport.toolchain.errors import UsageError
from torch import nn


def small(quick: bool) -> Network:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(12, 8), LIF(0.5, threshold=0.1), nn.Linear(8, 3)).eval()
    return Network("small [6, 2, 12]", "ours", module, (torch.rand(6, 2, 12) < 0.4).float(), nothing)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "CASES", (small,))
    monkeypatch.setattr(energy_curve, "WIDTH", 16)
    monkeypatch.setattr(energy_curve, "ROUNDS", 1)


def test_every_counter_is_measured_beside_the_plain_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "peaks", lambda _: {"small [6, 2, 12] ours, module": (10**6, 2 * 10**6)})
    result = raced("energy", quick=True)
    rows = [row for row in result.data["rows"] if row["case"] == "small"]
    assert [row["counter"] for row in rows] == ["ours, module", "ours, graph", "SpikingJelly", "NeuroBench"]
    assert all(row["overhead"] > 0 and row["plain_s"] > 0 and row["counted_s"] > 0 for row in rows)
    assert (rows[0]["plain_mb"], rows[0]["counted_mb"], rows[0]["memory"]) == (1.0, 2.0, 2.0)
    assert (rows[1]["plain_mb"], rows[1]["memory"]) == (None, None)
    grown = [(row["curve"], row["n"]) for row in result.data["rows"] if "curve" in row]
    assert grown == [(what, n) for what, lengths in energy_curve.LENGTHS.items() for n in lengths[:3]]
    assert any("input [6, 2, 12]" in note for note in result.data["notes"])


def test_what_is_measured_really_counts() -> None:
    ways = energy.ours(small(True), 1)
    module, graph = (way.counted() for way in ways)
    assert isinstance(module, OpCount)
    assert module.total == sum((each.total for each in graph[1:]), graph[0].total)
    count = energy_curve.counted(samples=2, steps=3, layers=4)()
    assert sum(each.facts.role == "synapses" for each in count.layers.values()) == 4
    assert count.total.pairs.dense == 2 * 3 * 4 * 16**2


def test_the_curve_is_drawn_with_the_line_through_it(tmp_path: Path) -> None:
    rows = [{"curve": "steps", "n": n, "counted_s": 0.01 + 0.002 * n} for n in (1, 2, 4)]
    rows += [{"curve": "layers", "n": n, "counted_s": 0.001 * n**2} for n in (1, 2, 4)]
    steps, layers = energy_plot.straight(rows)
    assert steps == "steps: 2 ms for each, R² = 1.0000"
    assert "R² = 0.9" in layers
    assert "R² = 1" not in layers
    energy_plot.draw(rows, tmp_path / "curve.svg")
    assert (tmp_path / "curve.svg").read_text().startswith("<?xml")


def test_a_picture_is_refused_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--plot: a picture of 'store'; expected one of energy"):
        raced("store", quick=True, plot=tmp_path / "x.svg")
    with pytest.raises(UsageError, match=r"\.gif"):
        raced("energy", quick=True, plot=tmp_path / "x.gif")


def test_peaks_are_measured_in_a_process_of_their_own() -> None:
    found = energy._measured(True)
    assert set(found) == {"small [6, 2, 12] ours, module", "small [6, 2, 12] ours, graph"}
