"""A file of clips, several streams and their labels, is data for whatever network takes some of its streams."""

import numpy as np
import pytest
import spikeport
import torch
from spikeport.benchmarks.survey.sources import DataSpec, open_data
from spikeport.models.data.clips import Clips, save_clips
from spikeport.models.data.made import make_clips
from spikeport.toolchain.errors import FileError, UsageError
from spikeport.toolchain.graph.signal import Signal, carries
from spikeport.toolchain.inputs import from_file
from torch import nn


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    rng = np.random.default_rng(0)
    streams = {
        "a": rng.random((4, 5, 3)) < 0.5,
        "b": rng.normal(size=(4, 5, 2)).astype(np.float32),
        "c": np.ones((4, 5, 2)),
    }
    path = tmp_path_factory.mktemp("clips") / "test.npz"
    save_clips(path, Clips(streams, np.array([1, 0, 1, 1, 0]), ("up", "down")))
    return path, streams


def test_a_network_of_one_input_takes_the_stream_of_its_name(clips):
    path, streams = clips
    source = open_data(DataSpec(str(path)), {"b": Signal((2,), carries("graded"))}, 1e-3)
    values, labels = source.batch([0, 1])
    assert np.array_equal(values, streams["b"][:, :2])
    assert [source.class_names[place] for place in labels] == ["down", "up"]


def test_a_network_of_several_takes_those_it_knows(clips):
    path, streams = clips
    source = open_data(
        DataSpec(str(path)), {"b": Signal((2,), carries("graded")), "a": Signal((3,), carries("spikes"))}, 1e-3
    )
    values, labels = source.batch([4])
    assert set(values) == {"a", "b"}
    assert np.array_equal(values["a"], streams["a"][:, 4:])
    assert source.class_names[labels[0]] == "up"
    with pytest.raises(FileError, match="holds a, b, c; expected an array for each of 'b' and 'd'"):
        open_data(DataSpec(str(path)), {name: Signal((2,), carries("graded")) for name in "bd"}, 1e-3)


def test_run_takes_them_too_and_says_what_it_leaves(clips):
    path, _ = clips
    graph = spikeport.trace(nn.Linear(2, 3), {"input": torch.randn(3, 2)})
    named = spikeport.trace(_Pair(), {"a": torch.ones(3, 3), "b": torch.randn(3, 2)})
    taken = from_file(named, path)
    assert set(taken.values) == {"a", "b"}
    assert taken.said == ("not for this network: c",)
    with pytest.raises(FileError, match="holds a, b, c; expected one array for each input: input"):
        from_file(graph, path)


class _Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.weigh = nn.Linear(5, 2)

    def forward(self, a, b):
        return self.weigh(torch.cat([a, b], 1))


def test_made_actions_go_by_stream():
    takes = {"events": Signal((2, 32, 32), carries("spikes")), "skeleton": Signal((3, 25, 2), carries("graded"))}
    both = open_data(DataSpec("actions", samples=3), takes, 1e-3)
    values, labels = both.batch([0, 2])
    clips = make_clips("actions", "test", 3)
    assert {
        name: np.array_equal(values[name], each[:, [0, 2]]) for name, each in clips.streams.items()
    } == dict.fromkeys(clips.streams, True)
    assert labels.tolist() == clips.labels[[0, 2]].tolist()
    alone = open_data(DataSpec("actions", samples=3), {"skeleton": takes["skeleton"]}, 1e-3)
    assert np.array_equal(alone.batch([1])[0], clips.streams["skeleton"][:, [1]])
    with pytest.raises(
        UsageError, match="actions has no stream 'depth'; expected inputs out of 'skeleton' and 'events'"
    ):
        open_data(DataSpec("actions"), {**takes, "depth": takes["events"]}, 1e-3)
