"""The race for accuracy: every form of every network is judged on the same samples, and nothing is left changed."""

import json

import pytest
import torch
from spikeport.__main__ import app
from spikeport.benchmarks.accuracy import BITS, bench, clipped
from spikeport.models import zoo
from spikeport.models.checkpoints import Checkpoint, save_checkpoint
from spikeport.models.recipes import Recipe
from spikeport.models.training import train
from typer.testing import CliRunner

FORMS = ["float", "8 bits", "4 bits", "clipped at ±4"]


@pytest.fixture
def trained(tmp_path):
    """A checkpoint of a small recurrent network that has learned a little."""
    config = zoo.config_of("sequence_rnn", {"hidden": 32})
    network = zoo.build("sequence_rnn", config)
    train(network, Recipe("burst_orders", 640, 40, 40, 3, 32, 5e-2), "last")
    path = tmp_path / "net.safetensors"
    save_checkpoint(path, network, Checkpoint("sequence_rnn", config, 0, {}, {"data": "burst_orders"}))
    return path


def test_integers_are_as_good_as_floats_and_clipped_weights_are_not(trained):
    found = bench(checkpoints=[trained], samples=500)
    rows = {row["computed_in"]: row for row in found["rows"]}
    assert list(rows) == FORMS
    assert rows["float"]["accuracy"] > 0.3
    assert abs(rows["8 bits"]["points"]) < 3
    assert rows["clipped at ±4"]["points"] < -3
    assert rows["float"]["largest"] > 40
    for row in rows.values():
        assert row["samples"] == 500
        assert row["points"] == pytest.approx(100 * (row["accuracy"] - rows["float"]["accuracy"]))
    assert all("layers" in rows[f"{bits} bits"]["report"] for bits in BITS)
    assert "hidden" in found["notes"][0]


def test_quick_shows_every_network_of_the_zoo():
    done = CliRunner().invoke(app, ["bench", "accuracy", "--quick", "--json"], prog_name="spikeport")
    assert done.exit_code == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [(row["network"], row["computed_in"]) for row in rows] == [
        (name, form) for name in zoo.SPIKING for form in FORMS
    ]


def test_clipped_weights():
    found = clipped(torch.tensor([-47.0, -4.0, 0.001, 0.01, 1.0, 3.99, 9.0]))
    assert torch.equal(found, torch.tensor([-4.0, -4.0, 0.0, 1 / 64, 1.0, 255 / 64, 4.0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accuracy", "--checkpoint", "random.safetensors"), "random.safetensors: a network that was never trained"),
        (
            ("store", "--checkpoint", "random.safetensors"),
            "--checkpoint: a file for 'store'; expected one for accuracy",
        ),
    ],
)
def test_messages(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    config = zoo.config_of("sequence_rnn", {"hidden": 4})
    save_checkpoint("random.safetensors", zoo.build("sequence_rnn", config), Checkpoint("sequence_rnn", config))
    done = CliRunner().invoke(app, ["bench", *arguments], prog_name="spikeport")
    assert done.exit_code == 2
    assert message in done.stderr
