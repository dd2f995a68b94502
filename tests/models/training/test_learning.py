"""Training: it learns, its seed decides all, and what it kept is the best of what it had."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from spikeport.models import zoo
from spikeport.models.data.clips import clips_of
from spikeport.models.data.made import DATA
from spikeport.models.data.made import config_of as data_config
from spikeport.models.data.samples import Samples
from spikeport.models.layer import Neurons
from spikeport.models.readouts import READOUTS
from spikeport.models.recipes import RECIPES, Recipe, recipe_of
from spikeport.models.training import Splits, evaluate, largest_weight, train
from spikeport.models.training.augmenting import CHANGES, NEEDED, augmented
from spikeport.models.training.average import Average
from spikeport.models.training.inputs import batch, streams_of
from spikeport.models.training.optimisers import optimiser_of
from spikeport.models.training.order import Order
from spikeport.models.training.randomness import states
from spikeport.models.training.schedule import Schedule
from spikeport.models.training.splits import identity
from spikeport.models.training.surrogates import set_surrogates
from spikeport.toolchain.errors import UsageError
from support.small_trainings import CLASSES, RECIPE, Two, clips, learn, same, splits


@pytest.fixture(scope="module")
def learned():
    seen, steps = [], []
    network, found = learn(told=seen.append, stepped=steps.append)
    return network, found, seen, steps


def test_recipes_fit_their_networks():
    assert set(RECIPES) <= set(zoo.ZOO)
    for name, recipe in RECIPES.items():
        assert zoo.entry(name).readout in READOUTS
        if recipe.data in DATA:
            assert [data_config(recipe.data).shape] == [kind.shape for kind in zoo.config_of(name).takes.values()]


def test_a_network_of_two_streams_learns(learned):
    network, found, seen, steps = learned
    assert found.accuracy > 0.8
    assert found.history == tuple(seen)
    assert [epoch.number for epoch in seen] == [1, 2, 3, 4]
    assert steps == list(range(1, 21))
    assert seen[-1].loss < seen[0].loss
    assert found.largest == largest_weight(network)
    assert not network.training


def test_an_epoch_tells_its_losses_by_name_and_how_much_fires(learned):
    for epoch in learned[1].history:
        assert set(epoch.parts) == {"cross entropy", "activity"}
        assert epoch.loss == pytest.approx(sum(epoch.parts.values()))
        assert 0 < epoch.parts["activity"] < 0.1
        assert 0 < epoch.spikes < 1
    assert learned[1].history[-1].learned > 0.7
    assert learned[1].history[-1].rate < 1e-2


def test_the_networks_weights_are_those_of_the_best_epoch(learned):
    network, found, _, _ = learned
    assert found.best.accuracy == max(epoch.accuracy for epoch in found.history)
    assert evaluate(network, splits().validation, "mean") == found.best.accuracy
    assert evaluate(network, splits().test, "mean") == found.accuracy


@pytest.mark.parametrize("ema", [0.0, 0.7])
def test_they_are_so_where_the_best_epoch_is_not_the_last(ema):
    """The labels for validation are wrong: the more it learns, the worse it is."""
    found = splits()
    wrong = replace(found.validation, labels=(found.validation.labels + 1) % len(CLASSES))
    network, trained = learn(replace(RECIPE, ema=ema, rate=1e-2), splits=replace(found, validation=wrong))
    assert trained.best.accuracy > trained.history[-1].accuracy
    assert evaluate(network, wrong, "mean") == trained.best.accuracy


def test_every_epoch_takes_every_clip_once_in_an_order_of_its_own():
    order = Order(11, 4, seed=3)
    first, second = (np.concatenate(order.batches(epoch)) for epoch in (1, 2))
    assert [len(each) for each in order.batches(1)] == [4, 4, 3]
    assert order.steps == 3
    assert sorted(first) == sorted(second) == list(range(11))
    assert not np.array_equal(first, second)
    assert np.array_equal(np.concatenate(Order(11, 4, seed=3, processes=3).batches(2)), second)
    assert not np.array_equal(np.concatenate(Order(11, 4, seed=4).batches(1)), first)


def test_what_tells_clips_from_others_sees_every_value():
    names = {identity(splits())}
    for part, stream, value in (("train", "skeleton", 1e-7), ("test", "events", 1)):
        changed = splits()
        array = getattr(changed, part).streams[stream]
        array.flat[0] = array.flat[0] + value if stream == "skeleton" else 1 - array.flat[0]
        names.add(identity(changed))
    relabelled = splits()
    names.add(identity(replace(relabelled, test=replace(relabelled.test, labels=1 - relabelled.test.labels % 2))))
    assert len(names) == 4
    assert identity(splits()) in names


def test_the_seed_decides_all_and_nothing_outside_changes():
    network, found = learn(drop=0.3)
    torch.rand(3)  # what others draw in between does not matter
    threads, again, plan = torch.get_num_threads(), Two(0.3), states()
    second = train(again, RECIPE, "mean", splits=splits())
    assert all(torch.equal(state, plan[source]) for source, state in states().items())
    assert same(network, again)
    assert [replace(epoch, seconds=0) for epoch in found.history] == [
        replace(epoch, seconds=0) for epoch in second.history
    ]
    assert learn(drop=0.3, seed=1)[1].history[0].loss != found.history[0].loss
    assert torch.get_num_threads() == threads


def test_training_ends_when_it_is_good_enough():
    found = learn(replace(RECIPE, epochs=30, enough=0.7))[1]
    assert len(found.history) < 30
    assert found.history[-1] is found.best
    assert found.best.accuracy >= 0.7


def test_samples_of_one_input_are_clips_of_one_stream():
    source = np.random.default_rng(0)
    labels = np.arange(60) % 3
    chance = np.where(np.arange(9) // 3 == labels[:, None], 0.5, 0.1)
    samples = Samples((source.random((10, 60, 9)) < chance).astype(np.uint8), labels)
    network = zoo.build("sequence_rnn", zoo.config_of("sequence_rnn", {"inputs": 9, "hidden": 16, "classes": 3}))
    one = clips_of(samples, "anything", CLASSES)
    found = train(network, Recipe("none", epochs=4, rate=5e-2), "last", splits=Splits(one, one, one))
    assert found.accuracy > 0.8
    assert evaluate(network, samples, "last") == found.accuracy


def test_the_recipe_of_the_recurrent_network_learns_with_weights_beyond_four():
    network = zoo.build("sequence_rnn")
    short = replace(recipe_of("sequence_rnn"), samples=640, validation=80, test=80, epochs=4)
    found = train(network, short, "last")
    assert found.accuracy > 0.3  # chance is 0.1
    assert found.largest > 40
    assert float((network.hidden.input_weight.abs() > 4).float().mean()) > 0.5


@pytest.mark.parametrize(
    "change",
    [
        {"precision": "bf16"},
        {"optimizer": "sgd"},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"clip": 0.01},
        {"warmup": 1.5},
        {"label_smoothing": 0.1},
        {"ema": 0.9},
        {"surrogate": "atan:3"},
        {"augment": ("crop-time", "turn")},
    ],
    ids=str,
)
def test_every_choice_changes_what_is_learned(learned, change):
    network, found = learn(replace(RECIPE, **change))
    assert found.accuracy > 0.5
    assert not same(network, learned[0])


def test_bf16_keeps_membranes_and_inputs_in_single_precision():
    seen = {}
    network = Two()
    network.register_forward_pre_hook(lambda _, args: seen.update(inputs=[each.dtype for each in args]))
    network.joints.register_forward_hook(lambda layer, __, out: seen.update({layer.training: out.dtype}))
    wide = torch.linspace(0, 1.01, 9 * 4 * 8).view(4, 9, 8)
    train(network, replace(RECIPE, precision="bf16", epochs=1), "mean", splits=splits())
    # it is judged in single precision
    assert seen == {"inputs": [torch.float32, torch.float32], True: torch.bfloat16, False: torch.float32}
    narrow = wide.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        spikes = network.fire(narrow)
    assert spikes.dtype == torch.bfloat16
    assert torch.equal(spikes.float(), network.fire(narrow.float()))
    assert not torch.equal(spikes, network.fire(narrow))  # without autocast it computes in what it is given


def test_the_rate_rises_and_falls_along_a_cosine():
    plan = Schedule(0.8, 12, 4)
    assert [plan.at(step) for step in range(4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert plan.at(4) == 0.8
    assert plan.at(8) == pytest.approx(0.4)
    assert plan.at(12) == pytest.approx(0)
    assert Schedule(0.8, 12).at(0) == 0.8


def test_the_mean_of_the_weights_follows_its_equation():
    network = nn_of_one(0.0)
    mean = Average(network, 0.5)
    for step, weight in enumerate((1.0, 2.0, 3.0), 1):
        network.weight.data.fill_(weight)
        mean.update(step)
    # d = 2/11, 3/12, 4/13
    assert mean.values["weight"].item() == pytest.approx(4 / 13 * (3 / 12 * (9 / 11) + 9 / 12 * 2) + 9 / 13 * 3)
    with mean.in_place():
        assert network.weight.item() == pytest.approx(mean.values["weight"].item())
    assert network.weight.item() == 3.0


def nn_of_one(weight):
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(network.weight, weight)
    return network


def test_only_matrices_decay():
    groups = optimiser_of(Two(), replace(RECIPE, optimizer="adamw", weight_decay=0.1)).param_groups
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    assert all(weight.ndim > 1 for weight in groups[0]["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(Two().parameters()))


def test_a_surrogate_keeps_whether_the_reset_passes_gradients():
    network = zoo.build("sequence_rnn", zoo.small_config("sequence_rnn"))
    set_surrogates(network, "tanh:2")
    (layer,) = [each for each in network.modules() if isinstance(each, Neurons) and each.surrogate]
    assert (layer.surrogate.name, layer.surrogate.slope, layer.surrogate.detach) == ("tanh", 2.0, True)


@pytest.mark.parametrize("name", list(CHANGES))
def test_a_change_depends_on_seed_epoch_and_place_alone(name):
    found = clips(6)
    streams = {key: torch.from_numpy(value).float() for key, value in found.streams.items()}
    places = np.arange(6)
    whole = augmented(streams, [name], places, (0, 1))
    some = {key: value[:, 2:4] for key, value in streams.items()}
    part = augmented(some, [name], places[2:4], (0, 1))
    other = augmented(streams, [name], places, (0, 2))
    key = NEEDED.get(name, "skeleton")
    assert torch.equal(whole[key][:, 2:4], part[key])
    assert not torch.equal(whole[key], other[key])
    assert all(whole[key].shape == streams[key].shape for key in streams)
    if name == "turn":
        torch.testing.assert_close(whole[key].square().sum(2), streams[key].square().sum(2))
        assert torch.equal(whole["events"], streams["events"])
    else:
        assert all(any(torch.equal(step, each) for each in streams[key][:, 0]) for step in whole[key][:, 0])


def test_a_batch_holds_the_clips_as_they_are():
    found, places = clips(6), np.array([4, 1])
    streams, labels = batch(found, ("events", "skeleton"), places)
    assert [each.dtype for each in streams] == [torch.float32, torch.float32]
    for stream, name in zip(streams, ("events", "skeleton"), strict=True):
        assert np.array_equal(stream.numpy(), found.streams[name][:, places])
    assert labels.tolist() == found.labels[places].tolist()


def test_streams_are_found_by_the_names_of_the_parameters():
    assert streams_of(Two(), clips(3)) == ("skeleton", "events")
    assert streams_of(torch.nn.Identity(), clips(3).only(["events"])) == ("events",)
    with pytest.raises(UsageError, match=r"data: streams events; expected skeleton, events, the inputs of Two"):
        streams_of(Two(), clips(3).only(["events"]))
    with pytest.raises(UsageError, match=r"streams skeleton, events; expected input"):
        streams_of(torch.nn.Identity(), clips(3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "lion"}, "optimizer 'lion'; expected one of adam, adamw, sgd"),
        ({"precision": "8"}, "precision '8'; expected one of 32, bf16, 16"),
        ({"ema": 1.0}, "ema 1.0; expected a number from 0 to below 1"),
        ({"clip": -1.0}, "clip -1.0; expected a number of at least 0"),
        ({"rate": float("nan")}, "a rate of nan; expected a number above 0"),
        ({"epochs": 0}, "samples, epochs and batch of at least 1"),
    ],
    ids=str,
)
def test_recipes_that_are_refused(change, message):
    with pytest.raises(UsageError, match=message):
        replace(RECIPE, **change)
