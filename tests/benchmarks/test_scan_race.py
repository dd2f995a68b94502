"""The race of the scans: it runs, its rows are complete, everybody computed the same. Nothing here asserts a time."""

import json

import pytest
from spikeport.benchmarks.speed import scan
from spikeport.models.scan import scan_steps
from spikeport.toolchain.errors import SimulationError

FIELDS = {
    "case", "form", "batch", "peer", "ours_s", "peer_s", "ratio", "pairs", "limit_s", "of_limit", "different"
}  # fmt: skip


def test_quick_race_has_complete_rows():
    found = scan.bench(quick=True)
    assert json.loads(json.dumps(found)) == found
    assert [(row["form"], row["case"].rpartition(", ")[2]) for row in found["rows"]] == [
        (form, way) for form in scan.FORMS for way in ("forward", "forward and backward")
    ]
    for row in found["rows"]:
        assert set(row) == FIELDS
        assert min(row["ours_s"], row["peer_s"], row["ratio"], row["limit_s"]) > 0
        assert row["different"] <= scan.MOST_DIFFERENT
    assert list(found["lengths"]) == list(scan.FORMS)
    assert all(list(each["seconds"]) == ["16", "32", "64"] for each in found["lengths"].values())


def test_a_race_against_something_else_is_refused(monkeypatch):
    def wrong(*given):
        y, state = scan_steps(*given)
        return 1.01 * y, state

    monkeypatch.setattr(scan, "FORMS", {"wrong": wrong})
    with pytest.raises(SimulationError, match=r"differs by .* from the scan step by step"):
        scan.bench(quick=True)


def test_a_straight_line_is_told_from_a_curve():
    assert scan._straight({1: 3.0, 2: 5.0, 4: 9.0}) == pytest.approx(1)
    assert scan._straight({length: length**2 for length in (256, 1024, 8192)}) < 0.999
