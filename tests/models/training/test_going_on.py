"""A training that is stopped anywhere and goes on gives the same bits as one that is not."""

import csv
from dataclasses import replace

import pytest
from spikeport.models.training import train
from spikeport.models.training.folder import Folder
from spikeport.toolchain.errors import FileError, UsageError
from support.small_trainings import RECIPE, Two, learn, same, splits

KINDS = {
    "adam, mean of the weights": {"ema": 0.9, "clip": 1.0, "warmup": 1.0},
    "adamw, half precision, changed clips": {
        "optimizer": "adamw",
        "weight_decay": 0.1,
        "precision": "bf16",
        "augment": ("crop-time",),
    },
    "sgd": {"optimizer": "sgd", "rate": 0.01},
}

TOLD = {"model": "two", "config": {"surrogate": "tanh"}}


class StoppedError(Exception):
    """What ends a training in a test."""


def stopped(folder, recipe, at):
    """A training that ends after a step, without a word."""

    def look(step):
        if step == at:
            raise StoppedError

    with pytest.raises(StoppedError):
        learn(recipe, drop=0.3, folder=folder, stepped=look)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [4, 13], ids=["in the first epoch", "in a later one"])
def test_going_on_gives_the_same_bits(tmp_path, kind, at):
    recipe = replace(RECIPE, **KINDS[kind])
    whole, found = learn(recipe, drop=0.3)
    stopped(Folder(tmp_path, every=3), recipe, at)
    steps = []
    network, again = learn(recipe, drop=0.3, folder=Folder(tmp_path, resume=True, every=3), stepped=steps.append)
    assert steps[0] == at // 3 * 3 + 1
    assert same(network, whole)
    for one, other in zip(found.history, again.history, strict=True):
        assert replace(one, seconds=0) == replace(other, seconds=0)
        assert list(one.parts) == list(other.parts) == ["cross entropy", "activity"]
    assert again.accuracy == found.accuracy
    with (tmp_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [epoch.loss for epoch in found.history]
    assert [float(row["activity"]) for row in rows] == [epoch.parts["activity"] for epoch in found.history]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["last.safetensors", "metrics.csv"]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    path = tmp_path_factory.mktemp("training")
    return path, *learn(drop=0.3, folder=Folder(path, about=TOLD))


def test_a_training_that_is_done_only_tells_its_end(done):
    path, network, found = done
    steps = []
    again, second = learn(drop=0.3, folder=Folder(path, resume=True, about=TOLD), stepped=steps.append)
    assert steps == []
    assert same(again, network)
    assert second.history == found.history
    assert second.accuracy == found.accuracy


def test_a_folder_with_a_training_is_left_alone(done):
    with pytest.raises(UsageError, match=r"holds a training; expected a folder without one. --resume goes on with it"):
        Folder(done[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "the state of another training: seed 0; expected seed 1. Give the options it was started with"),
        (
            {"recipe": replace(RECIPE, epochs=5)},
            r"of another training: recipe.epochs 4; expected recipe.epochs 5\. Give",
        ),
        (
            {"recipe": replace(RECIPE, surrogate="atan", data="else")},
            "recipe.data 'clips'; recipe.surrogate ''; expected",
        ),
        ({"about": {**TOLD, "model": "three"}}, "model 'two'; expected model 'three'"),
        (
            {"about": {**TOLD, "config": {"surrogate": "atan"}}},
            "config.surrogate 'tanh'; expected config.surrogate 'atan'",
        ),
        ({"splits": "fewer"}, "another training: data '[0-9a-f]{64}'; expected data"),
    ],
    ids=["seed", "epochs", "recipe", "model", "config", "data"],
)
def test_another_training_does_not_go_on(done, change, message):
    found = splits()
    if "splits" in change:
        found = replace(found, train=found.train.take(range(40)))
    folder = Folder(done[0], resume=True, about=change.get("about", TOLD))
    with pytest.raises(FileError, match=message):
        train(Two(0.3), change.get("recipe", RECIPE), "mean", change.get("seed", 0), splits=found, folder=folder)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda _: b"", "no safetensors file"),
        (lambda data: data[:-4], "a broken safetensors file"),
        (lambda data: data.replace(b"spikeport_training", b"spikeport_trainxxx"), "not the state of a training"),
        (lambda data: data.replace(b"network.norm.bias", b"network.norm.bias2"[:-1].upper()), "weights of another"),
        (lambda data: data.replace(b"optimiser.0.exp_avg", b"optimiser.0.exp_axg", 1), "a state that does not fit"),
        (lambda data: data.replace(b"optimiser.8.exp_avg", b"optimiser.9.exp_avg", 1), "a state that does not fit"),
        (lambda data: data.replace(b"random.0.torch", b"random.0.torxh"), "a state that does not fit"),
        (lambda data: data.replace(rb"\"skipped\": 0", rb"\"skipped\":-1"), "not the position of a training: counts"),
        (lambda data: data.replace(rb"\"scaler\": {}", rb"\"scaler\": 17"), "not the position of a training: counts"),
    ],
)
def test_spoiled_states_end_in_one_message(done, tmp_path, spoil, message):
    (tmp_path / "last.safetensors").write_bytes(spoil((done[0] / "last.safetensors").read_bytes()))
    with pytest.raises(FileError, match=message):
        learn(drop=0.3, folder=Folder(tmp_path, resume=True, about=TOLD))
