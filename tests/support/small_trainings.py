"""Trainings small enough for tests: clips of two streams, and a network with all that training has to deal with."""

import numpy as np
import torch
from spikeport.models.data.clips import Clips
from spikeport.models.neurons import LIF
from spikeport.models.recipes import Recipe
from spikeport.models.training import Splits, train
from torch import nn

STEPS, CLASSES = 4, ("up", "down", "still")


def clips(count, seed=0, classes=CLASSES):
    """The skeleton tells the class by its mean, the events by the place of ones; both are noisy."""
    source = np.random.default_rng(seed)
    labels = np.arange(count) % len(classes)
    skeleton = source.normal(size=(STEPS, count, 3, 2, 1)) + 2 * (labels - 1)[:, None, None, None]
    chance = np.where(np.arange(4) % len(classes) == labels[:, None], 0.7, 0.2).reshape(count, 1, 2, 2)
    events = source.random((STEPS, count, 1, 2, 2)) < chance
    streams = {"skeleton": skeleton.astype(np.float32), "events": events.astype(np.uint8)}
    return Clips(streams, labels, classes)


def splits():
    return Splits(clips(45), clips(24, 1), clips(24, 2))


class Two(nn.Module):
    """Two streams, batch normalisation, neurons, a loss of its own, a weight nobody uses, and numbers that it draws."""

    def __init__(self, drop=0.0):
        super().__init__()
        torch.manual_seed(5)
        self.joints, self.pixels = nn.Linear(6, 8), nn.Linear(4, 8)
        self.norm, self.fire = nn.BatchNorm1d(8), LIF(0.5)
        self.classify, self.idle = nn.Linear(8, 3), nn.Linear(2, 2)
        self.drop = drop

    def forward(self, skeleton, events):
        x = self.joints(skeleton.flatten(2)) + self.pixels(events.flatten(2))
        self.spikes = self.fire(self.norm(x.flatten(0, 1)).view_as(x))
        kept = nn.functional.dropout(self.spikes, self.drop, self.training)
        return self.classify(kept)

    def penalties(self, _labels):
        return {"activity": 0.1 * self.spikes.float().mean()}


RECIPE = Recipe("clips", epochs=4, batch=10, rate=1e-1)


def learn(recipe=RECIPE, drop=0.0, seed=0, **given):
    network = Two(drop)
    return network, train(network, recipe, "mean", seed, splits=given.pop("splits", None) or splits(), **given)


def same(one, other):
    """Whether two networks, or two sets of weights, are the same bit for bit."""
    one, other = (each.state_dict() if isinstance(each, nn.Module) else each for each in (one, other))
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)
