"""Networks of several inputs: an array for each by its name, in a graph and in a module, drawn or out of a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import spikeport
import torch
from spikeport.benchmarks.counting.of_graph import count_graph
from spikeport.benchmarks.operations import total
from spikeport.benchmarks.survey.job import Job
from spikeport.benchmarks.survey.run import survey
from spikeport.benchmarks.survey.sources import DataSource, DataSpec, open_data
from spikeport.benchmarks.survey.still import Still
from spikeport.benchmarks.survey.work import run_counted
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.graph import Graph, GraphBuilder
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.inputs import Steps
from support.command_line import data as answered
from support.command_line import run, user_folder
from support.surveys import same_survey
from torch import nn

STEPS, SAMPLES = 4, 21
EVENTS, SKELETON = np.ones((3, 18)), np.full((3, 5), 0.5)


def both() -> Graph:
    """Events of two polarities on 3×3 pixels, and a skeleton of five real numbers, into three neurons."""
    builder = GraphBuilder("both")
    flat = builder.add("flat", n.Flatten(), builder.add("events", n.Input((2, 3, 3), "spikes")))
    parts = (
        builder.add("see", n.Affine(EVENTS), flat),
        builder.add("feel", n.Affine(SKELETON), builder.add("skeleton", n.Input((5,)))),
    )
    lif = builder.add("lif", n.LIF(beta=0.5), builder.add("sum", n.Add(), *parts))
    builder.add("out", n.Output(), lif)
    return builder.build()


class Both(nn.Module):
    """The same before the neurons, as a module that takes its inputs by name."""

    def __init__(self) -> None:
        super().__init__()
        self.see, self.feel = nn.Linear(18, 3, bias=False), nn.Linear(5, 3, bias=False)
        with torch.no_grad():
            self.see.weight.copy_(torch.from_numpy(EVENTS))
            self.feel.weight.copy_(torch.from_numpy(SKELETON))

    def forward(self, skeleton, events):
        return self.see(events.flatten(2)) + self.feel(skeleton)


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "skeleton": rng.normal(size=(STEPS, SAMPLES, 5)).astype(np.float32) * (rng.random((STEPS, SAMPLES, 5)) < 0.8),
        "events": rng.random((STEPS, SAMPLES, 2, 3, 3)) < 0.3,
        "labels": rng.integers(0, 3, SAMPLES),
    }


def opened(network: Graph | None, **asked: object) -> DataSource:
    takes = None if network is None else {name: network.signals[name] for name in network.inputs}
    return open_data(DataSpec(**asked), takes, 1e-3)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    np.savez(tmp_path / "both.npz", **arrays())
    return tmp_path / "both.npz"


def test_every_input_gets_the_array_of_its_name(file: Path) -> None:
    data = opened(both(), data=str(file))
    inputs, labels = data.batch([3, 20, 0])
    assert list(inputs) == ["events", "skeleton"]
    for name, values in inputs.items():
        np.testing.assert_array_equal(values, arrays()[name][:, [3, 20, 0]])
    assert labels.tolist() == arrays()["labels"][[3, 20, 0]].tolist()
    assert data.shape == {"events": (2, 3, 3), "skeleton": (5,)}
    assert data.carries == {"events": "spikes", "skeleton": "graded"}
    assert (len(data), data.class_names, data.together, data.travels) == (SAMPLES, ("0", "1", "2"), None, False)
    assert data.about == f"{file}, 21 samples of 'events' and 'skeleton'"
    data.check_unchanged()
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(SpikeportError, match="changed while it was counted"):
        data.check_unchanged()


def test_a_survey_of_two_inputs_is_the_count_of_the_whole_batch(file: Path, tmp_path: Path) -> None:
    graph = both()
    found = survey(Job(graph, opened(graph, data=str(file))), journal=tmp_path / "journal")
    held = {name: values.astype(np.float32) for name, values in arrays().items() if name != "labels"}
    wanted = count_graph(graph, held)
    assert found.total.layers == total(wanted).layers
    assert found.sample(20).layers == wanted[20].layers
    assert found.labels.tolist() == arrays()["labels"].tolist()
    again = survey(Job(graph, opened(graph, data=str(file))), journal=tmp_path / "journal")
    assert again.resumed == SAMPLES
    same_survey(again, found)


def test_workers_count_the_same(file: Path) -> None:
    graph = both()
    for data in (opened(graph, data=str(file)), opened(graph, samples=40, made="poisson:0.3")):
        same_survey(survey(Job(graph, data), workers=1), survey(Job(graph, data)))


def test_a_module_takes_them_by_name_and_each_keeps_its_promise(file: Path) -> None:
    found = survey(Job(Both(), opened(None, data=str(file)))).total
    wanted = survey(Job(both(), opened(both(), data=str(file)))).total
    for name in ("see", "feel"):
        assert found.layers[name].ops == wanted.layers[name].ops
    assert found.layers["see"].ops.acs.effective > 0
    assert found.layers["feel"].ops.macs.effective > 0
    assert (found.samples, found.steps) == (SAMPLES, SAMPLES * STEPS)


def test_drawn_values_are_others_for_every_input_and_the_same_in_any_batch() -> None:
    graph = both()
    asked = {"samples": 5, "steps": Steps(count=7), "made": "poisson:0.5", "seed": 2}
    data = opened(graph, **asked)
    whole, labels = data.batch(range(5))
    assert labels is None
    assert {name: values.shape for name, values in whole.items()} == {
        "events": (7, 5, 2, 3, 3),
        "skeleton": (7, 5, 5),
    }
    assert (whole["events"].reshape(7, 5, -1)[..., :5] != whole["skeleton"]).any()
    one, _ = data.batch([3])
    for name in whole:
        np.testing.assert_array_equal(one[name][:, 0], whole[name][:, 3])
    assert data.about == "poisson:0.5, 5 samples of 7 steps, seed 2, for 'events' and 'skeleton'"
    assert data.travels
    assert data.identity == opened(graph, **asked).identity != opened(graph, **{**asked, "seed": 3}).identity


def test_the_mean_over_the_steps_is_one_of_every_input(file: Path) -> None:
    still = Still(opened(both(), data=str(file)))
    inputs, _ = still.batch([1, 4])
    for name, values in inputs.items():
        wanted = arrays()[name][:, [1, 4]].mean(0, keepdims=True, dtype=np.float64)
        np.testing.assert_allclose(values, wanted, rtol=1e-6)
    assert still.carries == {"events": "graded", "skeleton": "graded"}
    assert still.shape == {"events": (2, 3, 3), "skeleton": (5,)}


def changed(**other: np.ndarray | None) -> Callable[[Path], None]:
    """A file with other arrays, without those that are None."""
    held = {name: array for name, array in {**arrays(), **other}.items() if array is not None}
    return lambda path: np.savez(path, **held)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (
            changed(skeleton=None),
            r"holds events; expected an array for each of 'events' and 'skeleton', and 'labels'",
        ),
        (changed(skeleton=None, more=np.zeros(3)), r"holds events, more; expected an array for each of"),
        (
            changed(skeleton=np.zeros((3, SAMPLES, 5))),
            r"steps of samples: 4 of 21 in 'events'; 3 of 21 in 'skeleton'; expected as many for every input",
        ),
        (changed(events=np.zeros((4, SAMPLES, 3, 3))), r"both\.npz, 'events': values of shape \[4,21,3,3\]; expected"),
        (changed(skeleton=np.full((4, SAMPLES, 5), np.nan)), r"both\.npz, 'skeleton': nan in step 0 of sample 0, at"),
        (changed(skeleton=np.zeros((4, SAMPLES, 5), complex)), r"both\.npz, 'skeleton': values of type complex128"),
        (changed(labels=np.zeros(3, int)), r"labels of shape \[3\]; expected one for each of 21 samples"),
    ],
)
def test_a_file_that_does_not_fit_is_one_message(file: Path, write: Callable[[Path], None], message: str) -> None:
    write(file)
    graph = both()
    with pytest.raises(SpikeportError, match=message):
        survey(Job(graph, opened(graph, data=str(file))))


@pytest.mark.parametrize("name", ["moving_shapes", "there.npy", "."])
def test_data_for_one_input_is_refused_by_name(name: str) -> None:
    expected = rf"data: {name} is for one input, the network has 2; expected a \.npz file with an array for each of"
    with pytest.raises(SpikeportError, match=expected):
        opened(both(), data=name)


def test_a_data_folder_says_which_files_it_has(file: Path) -> None:
    file.rename(file.with_name("test.npz"))
    with pytest.raises(SpikeportError, match=r"Name one of its files: .*test\.npz"):
        opened(both(), data=str(file.parent))


def test_a_module_that_cannot_run_on_what_is_given_says_so_itself(file: Path) -> None:
    np.savez(file, events=arrays()["events"], bones=arrays()["skeleton"])
    shapes = r"shape \[4,1,2,3,3\] for 'events', shape \[4,1,5\] for 'bones'"
    with pytest.raises(
        SpikeportError, match=rf"samples 0 to 15, Both: cannot run on inputs of {shapes}: TypeError: .*bones"
    ):
        survey(Job(Both(), opened(None, data=str(file))))
    np.save(file.with_suffix(".npy"), np.zeros((4, 2, 6), np.float32))
    with pytest.raises(
        SpikeportError, match=r"Linear: cannot run on inputs of shape \[4,1,6\]: RuntimeError: mat1 and"
    ):
        survey(Job(nn.Linear(5, 3), opened(None, data=str(file.with_suffix(".npy")))))


def test_a_mistake_of_ours_is_not_blamed_on_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr("spikeport.benchmarks.counting.of_module.count_module", broken)
    with pytest.raises(RuntimeError, match=r"^ours$"):
        run_counted(nn.Linear(5, 3), torch.zeros(2, 5))


def test_the_command_makes_a_report_of_two_inputs(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = user_folder(tmp_path, monkeypatch)
    spikeport.save(both(), "both.graph")
    found = answered("energy", "both.graph", "--data", str(file), "--against", "twin", "-o", "report")
    assert found["data"]["description"] == f"{file}, 21 samples of 'events' and 'skeleton'"
    layers = {each["name"]: each["ops"] for each in found["networks"][0]["counts"]["layers"]}
    assert layers["see"]["acs"]["dense"] == SAMPLES * STEPS * 54
    assert layers["feel"]["macs"]["dense"] == SAMPLES * STEPS * 15
    assert (folder / "report" / "index.html").is_file()
    drawn = answered("energy", "both.graph", "--made", "poisson:0.2")
    assert drawn["data"]["description"].endswith("for 'events' and 'skeleton'")
    assert run("energy", "both.graph", "--data", "moving_shapes")[0] == 2
