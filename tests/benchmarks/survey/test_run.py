"""Surveys in one process: every sample counted once, in order; and what keeps one from being made."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from spikeport.benchmarks.counting.of_chip import count_chip
from spikeport.benchmarks.counting.of_graph import count_graph
from spikeport.benchmarks.operations import total
from spikeport.benchmarks.survey.job import CHUNK, Job, module_digest
from spikeport.benchmarks.survey.run import survey
from spikeport.benchmarks.survey.sources import DataSpec, open_data
from spikeport.models.data.made import make
from spikeport.toolchain.errors import FileError, SimulationError, SpikeportError, UsageError
from spikeport.toolchain.graph import Graph, GraphBuilder
from spikeport.toolchain.graph.nodes import Add, Input, Output
from spikeport.toolchain.graph.signal import GRADED, SPIKES, Signal
from spikeport.toolchain.loihi.quantise import quantise
from support.surveys import small_job, small_network


def test_every_sample_is_counted_as_it_is_alone_and_the_total_is_their_sum() -> None:
    job, told = small_job(45), []
    found = survey(job, progress=lambda done, of: told.append((done, of)))
    samples = make("burst_orders", "test", 45)
    alone = [count_graph(job.network, samples.inputs[:, n : n + 1])[0] for n in range(45)]
    for n, wanted in enumerate(alone):
        assert found.sample(n).layers == wanted.layers
    assert found.total.layers == total(alone).layers
    assert (found.total.samples, found.total.steps) == (45, 45 * 56)
    assert found.labels.tolist() == samples.labels.tolist()
    assert told == [(0, 45), (CHUNK, 45), (2 * CHUNK, 45), (45, 45)]
    assert (found.resumed, found.said, found.data) == (0, (), "burst_orders, test, 45 samples of seed 0")


def test_samples_of_different_lengths(tmp_path: Path) -> None:
    for n, steps in enumerate((3, 9, 5)):
        np.save(tmp_path / f"{n}.npy", np.array([[n, 0, 0, 0], [n + 1, 0, 1000 * steps, 0]]))
    graph = small_network()
    data = open_data(DataSpec(str(tmp_path)), graph.signals["0_input"], graph.dt)
    found = survey(Job(graph, data))
    assert found.table.column("", "steps").tolist() == [4, 10, 6]
    assert found.table.column("lif", "updates", "LIF").tolist() == [20, 50, 30]
    assert found.total.steps == 20


def test_a_broken_promise_is_named_by_its_samples(tmp_path: Path) -> None:
    values = np.zeros((4, 40, 64))
    values[1, 35, 3] = 0.5
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(
        SimulationError, match=r"samples 32 to 39, 0_input: 0.5 in step 1, sample 3, at \[3\]; expected sp"
    ):
        survey(small_job(40, data=tmp_path / "x.npy"))


def test_a_file_that_changes_while_it_is_counted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((4, 40, 64), np.uint8))
    job = small_job(40, data=path)

    def touched(done: int, of: int) -> None:
        if done == of:
            path.write_bytes(path.read_bytes() + b"x")

    with pytest.raises(FileError, match="changed while it was counted"):
        survey(job, progress=touched)


def two_inputs() -> Graph:
    builder = GraphBuilder("two")
    ends = [builder.add(name, Input((64,), "spikes")) for name in ("a", "b")]
    builder.add("out", Output(), builder.add("sum", Add(), *ends))
    return builder.build()


@pytest.mark.parametrize(
    ("make_job", "message"),
    [
        (
            lambda: Job(two_inputs(), small_job(1).data),
            r"data: burst_orders, .* is for one input; expected shape \[64\] for 'a', shape \[64\] for 'b', as the",
        ),
        (
            lambda: Job(small_network(), open_data(DataSpec("moving_shapes"), None, 1e-3)),
            r"data: moving_shapes, .* has steps of shape \[2,32,32\]; expected \[64\], as the network takes",
        ),
    ],
)
def test_data_that_does_not_fit(make_job: Callable[[], Job], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_job()


def test_workers_that_make_no_sense() -> None:
    with pytest.raises(UsageError, match="--workers: 2 workers and the scheduler tcp://x:1; expected"):
        survey(small_job(1), workers=2, scheduler="tcp://x:1")
    with pytest.raises(UsageError, match="--workers: -1 workers"):
        survey(small_job(1), workers=-1)


class Twice(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


def test_the_identity_of_a_module_is_its_form_its_weights_and_its_code() -> None:
    def layers(width: int = 3, kind: type = torch.nn.Linear) -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Sequential(kind(4, width), torch.nn.BatchNorm1d(width))

    assert module_digest(layers()) == module_digest(layers())
    changed = layers()
    changed[1].num_batches_tracked += 1
    found = [module_digest(each) for each in (layers(), layers(2), changed, Twice(), torch.nn.Identity())]
    assert len(set(found)) == len(found)


def test_the_identity_of_a_job_is_all_that_decides() -> None:
    job = small_job(20)
    same = replace(job, source="another name")
    others = [
        small_job(21), small_job(20, seed=1), small_job(20, graph=small_network(6)),
        small_job(20, graph=small_network(seed=1)), replace(job, infer_from_values=True),
    ]  # fmt: skip
    identities = [each.about["identity"] for each in (job, *others)]
    assert same.about["identity"] == identities[0]
    assert len(set(identities)) == len(identities)


def test_chunks_get_smaller_as_samples_get_larger() -> None:
    def chunk(*shape: int) -> int:
        data = open_data(DataSpec(samples=100), Signal(shape, SPIKES), 1e-3)
        return Job(torch.nn.Identity(), data).chunk

    assert (chunk(64), chunk(2, 128, 128), chunk(3, 1024, 1024)) == (CHUNK, 4, 1)


def test_an_unknown_shape_comes_from_the_data(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 5, 7)))
    assert open_data(DataSpec(str(tmp_path / "x.npy")), None, 1e-3).shape == (7,)
    with pytest.raises(SpikeportError, match="nobody says what shape the network takes"):
        open_data(DataSpec(), None, 1e-3)
    assert open_data(DataSpec(made="normal:1"), Signal((3,), GRADED), 1e-3).carries == "graded"


class Remembers(torch.nn.Module):
    """Adds up all it has ever seen."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = torch.nn.Linear(64, 3)
        self.seen = torch.zeros(64)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = self.seen + x.sum((0, 1))
        return self.fc(torch.relu(self.seen - 3))


def test_a_module_is_counted_one_sample_after_the_other_each_from_its_start() -> None:
    module = Remembers()
    found = survey(Job(module, small_job(20).data))
    samples = make("burst_orders", "test", 20)
    wanted = [int((samples.inputs[:, n].sum(0) > 3).sum()) for n in range(20)]
    assert found.table.column("fc", "events").tolist() == wanted
    assert max(wanted) > 0
    assert module.seen.sum() == 0
    assert (found.total.road, found.total.samples, found.total.steps) == ("module", 20, 20 * 56)


def test_a_module_whose_state_cannot_be_copied() -> None:
    module = Remembers()
    module.seen = module.fc.weight.sum(0) * 2
    with pytest.raises(UsageError, match="Remembers: its state cannot be copied: Only Tensors created explicitly"):
        survey(Job(module, small_job(2).data))


def test_a_chip_graph(tmp_path: Path) -> None:
    job = small_job(40)
    chip, _ = quantise(job.network, calibration=make("burst_orders", "train", 20).inputs.astype(np.float32))
    found = survey(Job(chip, job.data))
    inputs = make("burst_orders", "test", 40).inputs
    assert found.total.layers == total(count_chip(chip, inputs)).layers
    assert found.total.road == "chip"
