"""Every network of the zoo learns by the one loop: with products in bf16, stopped and gone on bit for bit."""

from copy import deepcopy

import numpy as np
import pytest
from spikeport.models import zoo
from spikeport.models.data.clips import Clips
from spikeport.models.recipes import Recipe
from spikeport.models.training import Splits, train
from spikeport.models.training.folder import Folder
from support.small_trainings import same

RECIPE = Recipe("clips", epochs=1, batch=2, rate=1e-3, precision="bf16")
STEPS, COUNT = 4, 4


def drawn(config):
    """Clips of every input: one in five a spike, or normal."""
    source = np.random.default_rng(0)
    streams = {}
    for name, kind in config.takes.items():
        values = source.normal(size=(STEPS, COUNT, *kind.shape)).astype(np.float32)
        streams[name] = (values > 0.8).astype(np.uint8) if kind.carries == "spikes" else values
    clips = Clips(streams, np.arange(COUNT) % 2, ("one", "other"))
    return Splits(clips, clips, clips)


class StoppedError(Exception):
    """What ends a training in a test."""


def stop(step):
    raise StoppedError(step)


@pytest.mark.parametrize("name", list(zoo.ZOO))
def test_a_small_one_learns(name, tmp_path):
    config, readout = zoo.small_config(name), zoo.entry(name).readout
    splits, start = drawn(config), zoo.build(name, config)

    def learn(**given):
        network = deepcopy(start)  # building one takes longer than these trainings
        return network, train(network, RECIPE, readout, splits=splits, **given)

    whole, found = learn()
    assert 0 < found.history[0].loss < 50
    assert not same(whole, start)
    assert all(one.dtype == other.dtype for one, other in zip(whole.parameters(), start.parameters(), strict=True))
    with pytest.raises(StoppedError):
        learn(folder=Folder(tmp_path, every=1), stepped=lambda step: stop(step) if step == 2 else None)
    again, second = learn(folder=Folder(tmp_path, resume=True))
    assert same(whole, again)
    assert second.history[0].parts == found.history[0].parts
