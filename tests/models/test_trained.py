"""The checkpoints that come along: small, whole, with their history in them, and good on clips they never saw."""

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from spikeport.__main__ import app
from spikeport.models import trained, zoo
from spikeport.models.checkpoints import load_checkpoint
from spikeport.models.data.made import make_clips
from spikeport.models.readouts import READOUTS
from spikeport.models.trained import trained_checkpoint, trained_names
from spikeport.toolchain.errors import FileError, UsageError
from support.command_line import data, run

LARGEST = 3_000_000


def test_there_are_some_each_for_a_network_of_the_zoo():
    files = {file.stem for file in trained.FOLDER.iterdir()}
    assert files == set(trained_names()) <= set(zoo.ZOO)
    assert "spiking_fusion" in files


@pytest.mark.parametrize("name", trained_names())
def test_it_is_small_fits_and_says_how_it_was_made(name):
    file = trained_checkpoint(name)
    assert file.stat().st_size < LARGEST
    network, about = load_checkpoint(file)
    assert about.model == name
    drawn = dict(zoo.build(name, about.config, about.seed).named_parameters())
    learned = [key for key, value in network.named_parameters() if not torch.equal(value, drawn[key])]
    assert len(learned) > 0.9 * len(drawn)
    assert 0.8 <= about.metrics["test_accuracy"] <= 1
    assert len(about.training["data_sha256"]) == 64
    words = shlex.split(about.training["command"])
    assert words[:3] == ["spikeport", "train", name]
    command = typer.main.get_command(app).commands["train"]
    given = command.make_context("train", words[2:]).params
    assert (given["model"], given["seed"], given["data"]) == (name, about.seed, about.training["data"])


def test_most_clips_of_another_seed_are_right():
    network, about = load_checkpoint(trained_checkpoint("spiking_fusion"))
    clips = make_clips("actions", "test", 40, about.seed + 11)
    with torch.no_grad():
        logits = network(*(torch.from_numpy(clips.streams[name]).float() for name in about.config.takes))
    answers = READOUTS[zoo.entry("spiking_fusion").readout](logits).argmax(1).numpy()
    assert np.mean(answers == clips.labels) >= 0.8


def test_the_command_shows_it_and_writes_the_very_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = data("models", "spiking_fusion", "--trained", "-o", "mine.safetensors")
    file = trained_checkpoint("spiking_fusion")
    assert Path(found["file"]).read_bytes() == file.read_bytes()
    about = load_checkpoint(file)[1]
    assert (found["seed"], found["metrics"], found["training"]) == (about.seed, about.metrics, about.training)
    code, words, _ = run("models", "spiking_fusion", "--trained")
    assert code == 0
    assert "test_accuracy" in words
    assert "spikeport train spiking_fusion" in words
    assert [path.name for path in tmp_path.iterdir()] == ["mine.safetensors"]


def test_a_network_with_random_weights_says_that_trained_ones_come_along():
    hint = "these weights are random; trained ones come along: spikeport models {} --trained"
    assert hint.format("spiking_fusion") in " ".join(run("models", "spiking_fusion")[1].split())
    assert "come along" not in run("models", "event_convnet")[1]
    found = data("models", "event_convnet")
    assert (found["metrics"], found["training"], found["seed"]) == ({}, {}, 0)


def test_the_list_says_which_come_trained():
    rows = data("models")["models"]
    assert {row["name"] for row in rows if row["trained"]} == set(trained_names())
    marked = [line.split()[0] for line in run("models")[1].splitlines() if " yes " in line]
    assert tuple(marked) == trained_names()


def test_those_without_one_are_refused_by_name():
    with pytest.raises(UsageError, match=r"event_convnet: comes without trained weights; expected spiking_fusion"):
        trained_checkpoint("event_convnet")
    with pytest.raises(UsageError, match=r"zoo: no network 'resnet'"):
        trained_checkpoint("resnet")


def test_one_that_does_not_fit_the_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "FOLDER", tmp_path)
    (tmp_path / "event_convnet.safetensors").write_bytes(b"0" * 40)
    code, out, err = run("models", "event_convnet", "--trained", "-o", str(tmp_path / "mine.safetensors"))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {tmp_path}/event_convnet.safetensors: ")
    assert not (tmp_path / "mine.safetensors").exists()
    with pytest.raises(FileError):
        load_checkpoint(trained_checkpoint("event_convnet"))


def test_which_there_are_is_known_without_torch():
    code = (
        "import sys; from spikeport.models.trained import trained_names; print(trained_names(), 'torch' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == f"{trained_names()} False\n"
