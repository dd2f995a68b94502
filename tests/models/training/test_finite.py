"""A loss or a gradient that is no number: training ends at once, and says where it came from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from spikeport.models.training import Splits, train
from spikeport.models.training.batch_norm import shared
from spikeport.models.training.finite import Moment, check_losses
from spikeport.toolchain.errors import UsageError
from support.small_trainings import RECIPE, Two, clips, same, splits


class Explodes(torch.autograd.Function):
    """x forward; a gradient beyond all numbers."""

    @staticmethod
    def forward(_ctx, x):
        return x.clone()

    @staticmethod
    def backward(_ctx, grad):
        return grad * float("inf")


def poisoned(**kinds):
    """A network whose named parts go wrong in the third step."""
    network, calls = Two(), {"steps": 0}

    def count(*_):
        calls["steps"] += network.training

    network.register_forward_pre_hook(count)
    for name, spoil in kinds.items():
        layer = getattr(network, name)
        layer.register_forward_hook(lambda _, __, out, spoil=spoil: spoil(out) if calls["steps"] >= 3 else None)
    return network


def refused(network, found=None):
    with pytest.raises(UsageError) as error:
        train(network, replace(RECIPE, warmup=1), "mean", splits=found or splits())
    return str(error.value)


def test_a_loss_names_the_first_layer_and_the_weights_stay_good():
    network, other = poisoned(norm=lambda x: x / 0, fire=lambda x: x * float("nan")), Two()
    assert refused(network) == (
        "training: the cross entropy is nan in epoch 1, step 3, at a rate of 0.06: norm is the first layer whose "
        "answer is no number. Take a lower rate (--rate), more epochs to warm up (--warmup), or smaller gradients "
        "(--clip 1)"
    )
    assert all(bool(weight.isfinite().all()) for weight in network.parameters())
    assert not same(network, other)


def test_a_gradient_names_where_it_came_from():
    said = refused(poisoned(norm=Explodes.apply))
    assert "the gradient of norm.weight, and of 5 others before it is no number in epoch 1, step 3" in said
    assert "0.06: every layer's answer is finite. Take a lower rate" in said
    said = refused(poisoned(pixels=Explodes.apply))
    assert "the gradient of pixels.weight, and of 1 others before it is no number" in said


def test_a_penalty_is_named():
    network = Two()
    network.penalties = lambda _labels: {"activity": network.spikes.mean(), "energy": network.spikes.sum() / 0}
    assert "the penalty energy is inf in epoch 1, step 1" in refused(network)


def test_the_data_and_the_weights_are_looked_at_first():
    bad = clips(45)
    bad.streams["skeleton"][0, 7] = np.nan
    # a neuron does not fire for what is no number, so that the loss does not show it
    said = refused(Two(), Splits(bad, clips(9), clips(9)))
    assert "the gradient of " in said
    assert "the data hold NaN or infinity in skeleton. Clean the data" in said
    network = Two()
    torch.nn.init.constant_(network.classify.bias, float("inf"))
    assert "classify.bias holds NaN or infinity" in refused(network)


def test_one_process_of_several_looks_without_the_others():
    """Another one may have found its own reason and be gone: here there is none at all."""
    network, found = Two(), clips(9)
    network.norm.register_forward_hook(lambda _, __, out: out / 0)
    streams = {name: torch.from_numpy(each).float() for name, each in found.streams.items()}
    with shared(network):
        with pytest.raises(UsageError, match="norm is the first layer whose answer is no number") as error:
            check_losses({"loss": float("nan")}, Moment(1, 3, 0.1), network, streams)
        with pytest.raises(ValueError, match="process group"):
            network(*streams.values())
    assert str(error.value).startswith("training: the loss is nan in epoch 1, step 3, at a rate of 0.1: ")
