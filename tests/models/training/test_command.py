"""`spikeport train`: what it writes, what it says, what it refuses, and what is left of a run that is stopped."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from spikeport.__main__ import app
from spikeport.models import zoo
from spikeport.models.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from spikeport.models.data.clips import Clips, load_clips, save_clips
from spikeport.models.data.made import make
from spikeport.models.training import evaluate
from spikeport.models.training.facts import command_of
from spikeport.models.training.learner import Learner
from spikeport.models.training.logs import tensorboard
from spikeport.models.training.options import Chosen
from spikeport.models.training.results import Epoch
from spikeport.models.training.splits import cut
from spikeport.models.training.task import task_of
from spikeport.toolchain.errors import FileError
from typer.testing import CliRunner

SMALL = ("--config", "inputs=9", "--config", "hidden=8", "--config", "classes=3")
NAMES = ("low", "middle", "high")


def run(*arguments):
    done = CliRunner().invoke(app, list(arguments), prog_name="spikeport")
    said = [line for line in done.stderr.splitlines() if not line.endswith(" …")]
    return done.exit_code, done.stdout, "\n".join(said)


def clips(count, seed):
    source = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    chance = np.where(np.arange(9) // 3 == labels[:, None], 0.6, 0.1)
    return Clips({"spikes": (source.random((6, count, 9)) < chance).astype(np.uint8)}, labels, NAMES)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for seed, (part, count) in enumerate({"train": 90, "validation": 30, "test": 30}.items()):
        save_clips(folder / f"{part}.npz", clips(count, seed))
    return folder


def command(data, output, *more):
    options = ("--epochs", "3", "--batch", "20", "--keep-every", "2", "--ema", "0.8", *more)
    return "train", "sequence_rnn", "--data", str(data), *SMALL, *options, "-o", str(output)


@pytest.fixture(scope="module")
def done(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "one"
    code, out, err = run(*command(data, folder, "--tensorboard"), "--json")
    assert (code, err) == (0, "")
    return folder, json.loads(out)


def test_the_folder_of_a_run(done, data):
    folder, said = done
    assert {each.name for each in folder.iterdir()} == {
        "best.safetensors", "last.safetensors", "metrics.csv", "tensorboard",
        "curves.png", "curves.svg", "confusion.png", "confusion.svg",
    }  # fmt: skip
    network, about = load_checkpoint(folder / "best.safetensors")
    assert evaluate(network, load_clips(data / "test.npz"), "last") == about.metrics["test_accuracy"]
    assert about.metrics["test_accuracy"] == said["test_accuracy"] > 0.5
    assert about.training["command"] == (
        f"spikeport train sequence_rnn --data {data} --epochs 3 --samples 90 --seed 0 --batch 20 --ema 0.8 "
        "--config inputs=9 --config hidden=8 --config classes=3"
    )
    assert len(about.training["data_sha256"]) == 64
    assert (about.training["ema"], about.training["epochs"], about.training["data"]) == (0.8, 3, str(data))
    assert about.training["torch"]
    assert list(said["by_class"]) == list(NAMES)
    assert np.sum(said["confusion"]) == len(said["right"]) == 30
    assert np.mean(said["right"]) == said["test_accuracy"]
    assert list(said["rates"]) == ["hidden"]
    head, *rows = (folder / "metrics.csv").read_text().splitlines()
    assert head == (
        "epoch,loss,cross_entropy,train_accuracy,validation_loss,validation_accuracy,rate,seconds,spike_rate"
    )
    assert len(rows) == 3


def test_the_pictures_and_the_log_can_be_read(done):
    folder, said = done
    for name in ("curves", "confusion"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "</svg>" in (folder / f"{name}.svg").read_text()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(folder / "tensorboard"))
    log.Reload()
    found = [event.value for event in log.Scalars("accuracy/validation")]
    assert found == pytest.approx([epoch["accuracy"] for epoch in said["epochs"]])


def test_of_epochs_that_are_logged_again_the_last_ones_count(done, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    epochs = [Epoch(**each) for each in done[1]["epochs"]]
    for again in ([*epochs, replace(epochs[-1], number=len(epochs) + 1)], epochs[1:]):
        log = tensorboard(tmp_path)
        for epoch in again:
            log(epoch)
    log = EventAccumulator(str(tmp_path / "tensorboard"))
    log.Reload()
    assert [event.step for event in log.Scalars("accuracy/validation")] == [epoch.number for epoch in epochs]


def test_a_log_that_cannot_be_written_is_a_message(tmp_path):
    (tmp_path / "tensorboard").touch()
    with pytest.raises(FileError, match=r"events.out.tfevents.\d+.\d+: cannot be written: "):
        tensorboard(tmp_path)


def die(arguments, step):
    """In a process of its own: a training that is killed while it takes a step."""
    before = Learner.step

    def dying(self, *given):
        if given[-1].step == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return before(self, *given)

    Learner.step = dying
    run(*arguments)


def test_a_run_that_is_killed_goes_on_and_ends_in_the_same_bytes(done, data, tmp_path):
    """In the middle of its second epoch; other places are in `test_going_on.py`."""
    (tmp_path / "two").mkdir()
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    half = f".last.spikeport-draft.{dead.pid}.abcd_123.safetensors"  # as one that was killed while it wrote
    (tmp_path / "two" / half).write_bytes(b"half")
    process = multiprocessing.get_context("fork").Process(target=die, args=(command(data, tmp_path / "two"), 8))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    left = {each.name for each in (tmp_path / "two").iterdir()}
    assert left == {half, "last.safetensors", "best.safetensors", "metrics.csv"}
    code, out, _ = run(*command(data, tmp_path / "two", "--resume"))
    assert code == 0
    assert "test accuracy" in out
    assert not list((tmp_path / "two").glob(".*"))
    for name in ("best.safetensors", "confusion.svg", "curves.svg"):
        assert (tmp_path / "two" / name).read_bytes() == (done[0] / name).read_bytes(), name


def test_a_checkpoint_is_what_a_training_starts_from(done, data, tmp_path):
    start, out = done[0] / "best.safetensors", tmp_path / "next.safetensors"
    code, _, err = run("train", str(start), "--data", str(data), "--epochs", "1", "--rate", "1e-6", "-o", str(out))
    assert code == 0, err
    about = load_checkpoint(out)[1]
    assert about.metrics["test_accuracy"] == pytest.approx(done[1]["test_accuracy"], abs=0.1)
    assert f"spikeport train {start} --data {data} --epochs 1" in about.training["command"]
    code, _, err = run("train", str(start), "--data", str(data), "--config", "hidden=9")
    assert code == 2
    assert "hidden.input_weight has shape [8, 9]; expected [9, 9]" in err


def test_one_file_is_cut_the_same_way_every_time(data, tmp_path):
    whole = load_clips(data / "train.npz")
    found = cut(whole)
    assert [len(each) for each in (found.train, found.validation, found.test)] == [72, 9, 9]
    assert [np.bincount(each.labels).tolist() for each in (found.train, found.test)] == [[24] * 3, [3] * 3]
    parts = [each.streams["spikes"].sum() for each in (found.train, found.validation, found.test)]
    assert sum(parts) == whole.streams["spikes"].sum()
    file = str(data / "train.npz")
    code, out, _ = run("train", "sequence_rnn", "--data", file, *SMALL, "--epochs", "1", "--samples", "30", "--json")
    assert code == 0
    recipe = json.loads(out)["recipe"]
    assert (recipe["samples"], recipe["validation"], recipe["test"]) == (30, 9, 9)


def test_equal_trainings_on_made_data_give_equal_files(tmp_path):
    path, again = tmp_path / "net.safetensors", tmp_path / "again.safetensors"
    started = ("train", "sequence_rnn", "--samples", "128", "--epochs", "1", "--seed", "3")
    code, out, err = run(*started, "-o", str(path), "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    network, about = load_checkpoint(path)
    assert about.training["command"] == (
        "spikeport train sequence_rnn --data burst_orders --epochs 1 --samples 128 --seed 3"
    )
    assert (about.training["data"], about.training["epochs"], about.seed) == ("burst_orders", 1, 3)
    assert evaluate(network, make("burst_orders", "test", said["recipe"]["test"], 3), "last") == said["test_accuracy"]
    code, out, _ = run(*started, "-o", str(again))
    assert code == 0
    assert f"test accuracy {said['test_accuracy']:.1%} of 1,000 samples" in out
    assert again.read_bytes() == path.read_bytes()
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


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
        (("nothing",), "zoo: no network 'nothing'"),
        (("a.pt",), "a.pt: weights of no network; expected a .safetensors checkpoint. Make one of weights alone:"),
        (
            ("spiking_mamba",),
            "training: spiking_mamba has no recipe, and so no data. Say what it learns from: add --data",
        ),
        (("sequence_rnn", "--data", "mnist"), "--data: there is no file, folder or data called 'mnist'; expected"),
        (
            ("sequence_rnn", "--data", "moving_shapes"),
            "--data: moving_shapes has samples of shape [2, 32, 32]; expected [64], the input of sequence_rnn",
        ),
        (
            ("sequence_rnn", "--config", "classes=3"),
            "--data: burst_orders has 10 classes; expected 3, what sequence_rnn answers. Add --config classes=10",
        ),
        (("sequence_rnn", "-o", "x.pt"), "--output: 'x.pt'; expected a name that ends in .safetensors, or a folder"),
        (("sequence_rnn", "-o", "no/x.safetensors"), "no/x.safetensors: the folder"),
        (("sequence_rnn", "-o", "no/x"), "no/x: the folder"),
        (("sequence_rnn", "--resume"), "--resume: no folder; expected a folder to keep it in. Add -o DIR"),
        (("sequence_rnn", "--tensorboard", "-o", "x.safetensors"), "--tensorboard: no folder"),
        (("sequence_rnn", "--config", "hidden"), "--config: 'hidden'; expected KEY=VALUE"),
        (("sequence_rnn", "--config", "depth=3"), "config of sequence_rnn: a field 'depth'"),
        (("sequence_rnn", "--config", "hidden=many"), "hidden = 'many'; expected a value like 128"),
        (("sequence_rnn", "--surrogate", "step"), "surrogate: 'step'; expected one of super"),
        (("sequence_rnn", "--surrogate", "atan:steep"), "surrogate: 'atan:steep'; expected NAME or NAME:SLOPE"),
        (("sequence_rnn", "--augment", "flip"), "--augment: no change 'flip'; expected one of crop-time, turn"),
        (("sequence_rnn", "--augment", "turn"), "--augment: turn of clips of input; expected the stream skeleton"),
        (("sequence_rnn", "--devices", "2"), "--devices, --nodes: 2 devices on 1 machines, and 1 processes"),
        (("sequence_rnn", "--ema", "1"), "training: ema 1.0; expected a number from 0 to below 1"),
        (("FOLDER", "--samples", "9"), "zoo: no network 'FOLDER'"),
    ],
)
def test_messages(arguments, message):
    code, out, err = run("train", *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_the_command_in_a_checkpoint_is_one_that_a_shell_reads(tmp_path):
    given = {"data": "my clips", "epochs": 5, "samples": 64, "augment": ("turn", "crop-time"), "clip": None}
    chosen = Chosen("spiking_fusion", given, ["skeleton_channels=[8, 8]"], 3, None, False, 0, False)
    assert command_of(task_of(chosen)) == (
        "spikeport train spiking_fusion --data 'my clips' --epochs 5 --samples 64 --seed 3 --augment turn "
        "--augment crop-time --config 'skeleton_channels=[8, 8]'"
    )


def test_clips_that_do_not_fit(data, tmp_path, done):
    (tmp_path / "train.npz").write_bytes((data / "train.npz").read_bytes())
    refused = {
        tmp_path: "no validation.npz, test.npz; expected train.npz, validation.npz and test.npz. Make them:",
        data: "has samples of shape [9]; expected [64], the input of sequence_rnn",
    }
    for path, message in refused.items():
        code, _, err = run("train", "sequence_rnn", "--data", str(path))
        assert code == 2
        assert message in err
    found = clips(60, 0)
    save_clips(
        tmp_path / "two.npz", replace(found, streams={"a": found.streams["spikes"], "b": found.streams["spikes"]})
    )
    code, _, err = run("train", "sequence_rnn", "--data", str(tmp_path / "two.npz"), *SMALL)
    assert code == 2
    assert "two.npz has a, b; expected input, what sequence_rnn takes" in err
    code, _, err = run(*command(data, done[0]))
    assert code == 2
    assert "holds a training; expected a folder without one. --resume goes on with it" in err


def test_tensorboard_that_is_not_installed_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeport.models.training.logs.find_spec", lambda _: None)
    code, _, err = run("train", "sequence_rnn", "--tensorboard", "-o", str(tmp_path / "run"))
    assert code == 2
    assert (
        "--tensorboard: no package tensorboard; expected it installed. Install it: pip install 'spikeport[tensorboard]'"
        in err
    )
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_stopped_leaves_no_file(tmp_path):
    few = ("--samples", "64", "--epochs", "500")
    started = [sys.executable, "-m", "spikeport", "train", "sequence_rnn", *few, "-o", "net.safetensors"]
    process = subprocess.Popen(
        started, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
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
