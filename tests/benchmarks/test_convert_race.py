"""The race of the conversions: every format is written and proved, rows are complete. Nothing here asserts a cost."""

import json

import pytest
from spikeport.benchmarks.races import raced
from spikeport.benchmarks.speed import convert

FIELDS = {"case", "parameters", "ours_s", "held_mb", "memory", "file_mb"}
CASES = [f"{name}, {way}" for name in ("nir", "onnx", "netx") for way in ("write", "convert")]


def test_every_format_has_complete_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "_measured", lambda *what: {"case": ", ".join(what[:2]), **convert._alone(*what)})
    result = raced("convert", quick=True)
    rows = result.data["rows"]
    assert [(row["case"], row["parameters"]) for row in rows] == [(c, 10 * n * n) for c in CASES for n in convert.SMALL]
    for row in rows:
        assert set(row) == FIELDS
        assert row["ours_s"] > 0
        assert row["file_mb"] * 1e6 > 4 * row["parameters"]
    lines = [note for note in result.data["notes"] if "for each million weights, R² = " in note]
    assert [line.split(":")[0] for line in lines] == CASES


def test_a_row_is_measured_in_a_process_of_its_own() -> None:
    row = convert._measured("nir", "write", 300)
    assert json.loads(json.dumps(row)) == row
    assert (row["case"], row["parameters"]) == ("nir, write", 900_000)
    assert row["held_mb"] > 3.6  # the network itself
