"""Training: it learns, its seed decides all, what it kept comes back, and a run that was stopped leaves nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from spikeport.__main__ import app
from spikeport.models import zoo
from spikeport.models.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from spikeport.models.data.made import DATA, make
from spikeport.models.data.samples import Samples
from spikeport.models.readouts import READOUTS, correct
from spikeport.models.recipes import RECIPES, Recipe, recipe_of
from spikeport.models.training import Splits, evaluate, largest_weight, train
from spikeport.toolchain.errors import UsageError
from typer.testing import CliRunner

SHORT = replace(recipe_of("sequence_rnn"), samples=640, validation=80, test=80, epochs=2)


def few(count, seed=0):
    """Three classes: the channels that fire are those of the class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    chance = np.where(np.arange(9) // 3 == labels[:, None], 0.5, 0.1)
    return Samples((rng.random((10, count, 9)) < chance).astype(np.uint8), labels)


def tiny(epochs=4, seed=0, rate=5e-2, **given):
    network = zoo.build("sequence_rnn", zoo.config_of("sequence_rnn", {"inputs": 9, "hidden": 16, "classes": 3}), seed)
    splits = Splits(few(150), few(60, 1), few(60, 2))
    return network, train(network, Recipe("none", epochs=epochs, rate=rate), "last", seed, splits=splits, **given)


def test_every_network_has_a_recipe_that_fits_it():
    assert set(RECIPES) == set(zoo.ZOO)
    for name, recipe in RECIPES.items():
        assert recipe.data in DATA
        assert make(recipe.data, "train", 1).inputs.shape[2:] == zoo.config_of(name).takes["input"].shape
        assert zoo.entry(name).readout in READOUTS


def test_a_tiny_network_learns():
    seen = []
    network, found = tiny(told=seen.append)
    assert found.accuracy > 0.9
    assert found.history == tuple(seen)
    assert [epoch.number for epoch in seen] == list(range(1, len(seen) + 1))
    assert seen[-1].loss < seen[0].loss
    assert found.largest == largest_weight(network) > 4
    assert not network.training


def test_the_networks_weights_are_those_of_the_best_epoch():
    network, found = tiny(epochs=3)
    assert found.best.accuracy == max(epoch.accuracy for epoch in found.history)
    assert evaluate(network, few(60, 1), "last") == found.best.accuracy
    assert evaluate(network, few(60, 2), "last") == found.accuracy


def test_the_seed_decides_all_and_threads_stay_as_they_were():
    threads = torch.get_num_threads()
    (one, first), (other, second) = tiny(epochs=2), tiny(epochs=2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert [epoch.loss for epoch in first.history] == [epoch.loss for epoch in second.history]
    assert tiny(epochs=2, seed=1)[1].history[0].loss != first.history[0].loss
    assert torch.get_num_threads() == threads


def test_training_ends_when_it_is_good_enough():
    network = zoo.build("sequence_rnn", zoo.config_of("sequence_rnn", {"inputs": 9, "hidden": 16, "classes": 3}))
    splits = Splits(few(150), few(60, 1), few(60, 2))
    found = train(network, Recipe("none", epochs=30, rate=5e-2, enough=0.8), "last", splits=splits)
    assert len(found.history) < 30
    assert found.history[-1] is found.best
    assert found.best.accuracy >= 0.8


def test_the_recipe_of_the_recurrent_network_learns_with_weights_beyond_four():
    network = zoo.build("sequence_rnn")
    found = train(network, replace(SHORT, epochs=4), "last")
    assert found.accuracy > 0.3  # chance is 0.1
    assert found.largest > 40
    assert float((network.hidden.input_weight.abs() > 4).float().mean()) > 0.5


def test_a_loss_that_is_no_number_ends_it_with_a_message():
    network = zoo.build("sequence_rnn", zoo.config_of("sequence_rnn", {"inputs": 9, "hidden": 16, "classes": 3}))
    with torch.no_grad():
        network.classify.weight[0, 0] = float("inf")
    splits = Splits(few(60), few(30, 1), few(30, 2))
    with pytest.raises(UsageError, match=r"training: the loss is nan in epoch 1. Take a lower rate"):
        train(network, Recipe("none", epochs=1), "last", splits=splits)


@pytest.mark.parametrize(("readout", "wanted"), [("sum", 1), ("last", 0), ("max", 2)])
def test_readouts(readout, wanted):
    y = torch.tensor([[[0.0, 3.0, 0.0]], [[0.0, 3.0, 5.0]], [[2.0, 1.0, 0.0]]])
    scores = READOUTS[readout](y)
    assert scores.shape == (1, 3)
    assert correct(scores, torch.tensor([wanted])) == 1
    assert correct(scores, torch.tensor([(wanted + 1) % 3])) == 0


def run(*arguments):
    done = CliRunner().invoke(app, list(arguments), prog_name="spikeport")
    said = [line for line in done.stderr.splitlines() if not line.endswith(" …")]
    return done.exit_code, done.stdout, "\n".join(said)


def test_the_command_writes_a_checkpoint_that_says_how_it_came_about(tmp_path):
    path, again = tmp_path / "net.safetensors", tmp_path / "again.safetensors"
    command = ("train", "sequence_rnn", "--samples", "128", "--epochs", "1", "--seed", "3")
    code, out, err = run(*command, "-o", str(path), "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    network, about = load_checkpoint(path)
    assert about.training["command"] == (
        "spikeport train sequence_rnn --data burst_orders --epochs 1 --samples 128 --seed 3"
    )
    assert (about.training["data"], about.training["epochs"], about.seed) == ("burst_orders", 1, 3)
    assert about.metrics["test_accuracy"] == data["test_accuracy"]
    assert evaluate(network, make("burst_orders", "test", data["recipe"]["test"], 3), "last") == data["test_accuracy"]
    assert run(*command, "-o", str(again))[0] == 0
    assert again.read_bytes() == path.read_bytes()
    code, out, err = run(*command)
    assert f"test accuracy {data['test_accuracy']:.1%} of 1,000 samples" in out


def test_training_facts_in_a_header_are_checked(tmp_path):
    path, config = tmp_path / "net.safetensors", zoo.config_of("sequence_rnn", {"hidden": 4})
    about = Checkpoint("sequence_rnn", config, 1, {"loss": 0.5}, {"data": "burst_orders", "epochs": 2})
    save_checkpoint(path, zoo.build("sequence_rnn", config), about)
    assert load_checkpoint(path)[1] == about
    with safe_open(path, "pt") as file:
        assert json.loads(file.metadata()["spikeport"])["training"] == {"data": "burst_orders", "epochs": 2}
    wrong = replace(about, training={"data": ["a", "list"]})
    save_checkpoint(path, zoo.build("sequence_rnn", config), wrong)
    code, _, err = run("inspect", str(path))
    assert code == 2
    assert "training that is not texts and numbers" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "nothing"), "zoo: no network 'nothing'"),
        (("train", "sequence_rnn", "--data", "mnist"), "data: no data 'mnist'"),
        (
            ("train", "sequence_rnn", "--data", "moving_shapes"),
            "--data: moving_shapes has samples of shape [2, 32, 32]; expected [64], the input of sequence_rnn",
        ),
        (("train", "sequence_rnn", "-o", "x.pt"), "--output: 'x.pt'; expected a name that ends in .safetensors"),
        (("train", "sequence_rnn", "-o", "no/x.safetensors"), "no/x.safetensors: the folder"),
        (("data", "nothing"), "data: no data 'nothing'; expected one of moving_shapes, shape_frames, burst_orders"),
        (("data", "burst_orders", "-o", "x.npy"), "--output: 'x.npy'; expected a name that ends in .npz"),
        (("data", "burst_orders", "--part", "exam"), "data: a part 'exam'; expected one of train, validation, test"),
        (("data", "-o", "x.npz"), "--output: a file and no data; expected the name of some"),
    ],
)
def test_messages(arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_data_is_listed_shown_and_written_as_run_reads_it(tmp_path):
    assert all(name in run("data")[1] for name in DATA)
    path = tmp_path / "bursts.npz"
    code, out, _ = run("data", "burst_orders", "--samples", "5", "-o", str(path))
    assert code == 0
    assert f"written:{path}(inputs,labels)" in "".join(out.split())
    code, out, err = run("run", "sequence_rnn", "--input", str(path), "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["batch"] == 5


def test_a_run_that_is_stopped_leaves_no_file(tmp_path):
    few = ("--samples", "64", "--epochs", "500")
    command = [sys.executable, "-m", "spikeport", "train", "sequence_rnn", *few, "-o", "net.safetensors"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        line, until = "", time.monotonic() + 120
        while "epoch 1 of 500" not in line and time.monotonic() < until:
            line = process.stderr.readline()
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []
