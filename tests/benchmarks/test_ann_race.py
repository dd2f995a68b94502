"""The race of ReLUs as spikes: every form is judged on the same samples, and few points are lost on the way."""

import json

import pytest
from spikeport.benchmarks.races import raced
from spikeport.benchmarks.speed import ann


def test_every_form_is_judged(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ann, "QUICK_TESTED", 60)
    data = raced("ann", quick=True).data
    assert json.loads(json.dumps(data))["name"] == "ann"
    forms = [(row["network"], row["computed_in"]) for row in data["rows"]]
    assert forms == [
        ("ReLUs, film", "float"),
        ("sigma-delta", "float"),
        ("sigma-delta", "8 bits for lava"),
        ("sigma-delta", "8 bits for netx"),
        ("ReLUs, still", "float"),
        ("if", "float"),
        ("if", "8 bits for lava"),
    ]
    assert all(row["error"] < 0.5 for row in data["rows"])
    film, changes, lava, netx, *_ = data["rows"]
    assert changes["messages"] < 0.6 * film["messages"]
    assert abs(lava["points"]) < 10
    assert abs(netx["points"]) < 10
    assert "ann_convnet as sigma-delta neurons" in data["notes"][0]
    assert len(data["rows"][5]["converted"]["curve"]) == data["rows"][5]["taken"]
