"""Data sets: every kind gives samples, classes and an identity; what is wrong with one is one message."""

import json
from pathlib import Path

import numpy as np
import pytest
from spikeport.benchmarks.survey.sources import DataSource, DataSpec, Stamp, open_data
from spikeport.benchmarks.survey.values import mapped
from spikeport.models.data.made import DATA, config_of, make
from spikeport.toolchain.errors import FileError, SpikeportError
from spikeport.toolchain.graph.signal import GRADED, SPIKES, Signal, integers
from spikeport.toolchain.inputs import Steps

PLANE = Signal((2, 4, 4), SPIKES)
LINE = Signal((3,), GRADED)


def opened(signal: Signal | None = LINE, dt: float = 1e-3, **spec: object) -> DataSource:
    return open_data(DataSpec(**{k: str(v) if isinstance(v, Path) else v for k, v in spec.items()}), signal, dt)


@pytest.mark.parametrize("name", DATA)
def test_made_data_is_what_make_makes(name: str) -> None:
    data = opened(None, data=name, part="validation", samples=90, seed=3)
    wanted = make(name, "validation", 90, 3)
    inputs, labels = data.batch([0, 41, 39, 89])
    np.testing.assert_array_equal(inputs, wanted.inputs[:, [0, 41, 39, 89]])
    assert labels.tolist() == wanted.labels[[0, 41, 39, 89]].tolist()
    assert (len(data), data.shape, data.carries) == (90, config_of(name).shape, DATA[name].carries)
    assert data.class_names == config_of(name).class_names
    assert data.about == f"{name}, validation, 90 samples of seed 3"


def test_the_identity_of_made_data_is_what_was_asked_for() -> None:
    asked = [{}, {"part": "train"}, {"samples": 7}, {"seed": 1}, {"data": "burst_orders"}]
    found = [opened(None, **{"data": "moving_shapes", **each}).identity for each in asked]
    assert len(set(found)) == len(found)
    assert opened(None, data="moving_shapes").identity == found[0]


def test_drawn_values_do_not_depend_on_the_batch() -> None:
    data = opened(PLANE, made="poisson:0.3", samples=5, steps=Steps(count=7))
    whole, labels = data.batch(range(5))
    assert (whole.shape, labels) == ((7, 5, 2, 4, 4), None)
    np.testing.assert_array_equal(data.batch([3])[0][:, 0], whole[:, 3])
    assert set(np.unique(whole)) == {0.0, 1.0}
    ints = opened(Signal((50,), integers(-9, 9)), made="normal:2", samples=2).batch([1])[0]
    assert (ints == np.rint(ints)).all()
    assert len(opened(PLANE)) == 1


@pytest.mark.parametrize("packing", ["npy", "npz", "compressed"])
def test_values_from_a_file(tmp_path: Path, packing: str) -> None:
    values = np.random.default_rng(0).normal(size=(6, 10, 3)).astype(np.float32)
    labels = np.array([5, 5, 7, 7, 9, 9, 9, 7, 5, 5])
    path = tmp_path / ("x.npy" if packing == "npy" else "x.npz")
    if packing == "npy":
        np.save(path, values)
    else:
        (np.savez if packing == "npz" else np.savez_compressed)(path, inputs=values, labels=labels)
    data = opened(data=path)
    inputs, classes = data.batch([9, 2])
    np.testing.assert_array_equal(inputs, values[:, [9, 2]])
    assert (len(data), data.shape, data.carries, data.together) == (10, (3,), "graded", None)
    if packing == "npy":
        assert (classes, data.class_names) == (None, ())
    else:
        assert (classes.tolist(), data.class_names) == ([0, 1], ("5", "7", "9"))
    assert isinstance(mapped(path)["x" if packing == "npy" else "inputs"], np.memmap) is (packing != "compressed")
    assert len(opened(data=path, samples=4)) == 4
    assert opened(data=path, samples=4).identity != data.identity == opened(data=path).identity
    assert "the first 4 of 10 samples" in opened(data=path, samples=4).about


def test_the_identity_of_a_file_is_its_whole_content(tmp_path: Path) -> None:
    values = np.zeros((6, 10, 3), np.float32)
    np.save(tmp_path / "a.npy", values)
    first = opened(data=tmp_path / "a.npy")
    values[5, 9, 2] = 1
    np.save(tmp_path / "b.npy", values)
    assert opened(data=tmp_path / "b.npy").identity != first.identity
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(FileError, match=r"a\.npy: changed while it was counted\. Count it again"):
        first.check_unchanged()


def test_words_as_labels_and_truth_values_as_spikes(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", values=np.zeros((2, 2, 3), bool), labels=np.array(["dog", "cat"]))
    data = opened(data=tmp_path / "x.npz")
    assert (data.class_names, data.batch([0, 1])[1].tolist(), data.carries) == (("cat", "dog"), [1, 0], "spikes")


def event_files(folder: Path, count: int = 2, **names: int) -> None:
    for name, place in names.items():
        (folder / name).mkdir(parents=True)
        for n in range(count):
            rows = [(place, n, 1000 * step, step % 2) for step in range(3 + n)]
            (folder / name / f"{n}.csv").write_text("x,y,t,p\n" + "".join(f"{x},{y},{t},{p}\n" for x, y, t, p in rows))


def test_a_folder_of_event_files_with_classes(tmp_path: Path) -> None:
    event_files(tmp_path, left=0, right=3)
    (tmp_path / ".hidden").write_text("of the system")
    data = opened(PLANE, data=tmp_path)
    assert (len(data), data.class_names, data.together, data.shape) == (4, ("left", "right"), 1, (2, 4, 4))
    inputs, labels = data.batch([3])
    assert (inputs.shape, labels.tolist()) == ((4, 1, 2, 4, 4), [1])
    assert inputs.sum() == 4
    assert inputs[0, 0, 0, 1, 3] == inputs[1, 0, 1, 1, 3] == 1
    assert data.batch([0])[0].shape[0] == 3
    even = opened(PLANE, data=tmp_path, steps=Steps(count=3))
    inputs, labels = even.batch(range(4))
    assert (inputs.shape, labels.tolist(), even.together) == ((3, 4, 2, 4, 4), [0, 0, 1, 1], None)
    assert even.said([1]) == ("left/1.csv: 1 of 4 events come after step 3 and are left out",)
    assert even.said([0]) == ()
    part = opened(PLANE, data=tmp_path, samples=2)
    assert part.batch([1])[1].tolist() == [1]
    assert part.about == f"{tmp_path}, 2 of 4 event files in 2 classes"
    assert len({data.identity, even.identity, part.identity}) == 3


def test_a_flat_folder_of_event_files(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[0, 0, 0, 1], [1, 2, 1500, 0]]))
    np.savez(tmp_path / "b.npz", x=[1], y=[1], t=[0], p=[1])
    data = opened(PLANE, data=tmp_path)
    before = data.identity
    assert (len(data), data.class_names, data.batch([1])[1]) == (2, (), None)
    np.savez(tmp_path / "b.npz", x=[1], y=[2], t=[0], p=[1])
    assert opened(PLANE, data=tmp_path).identity != before


def saved(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


def broken(tmp_path: Path, case: str) -> dict:
    path, good = tmp_path / "x.npz", np.zeros((4, 6, 3), np.float32)
    if case == "empty":
        return {"data": saved(path, inputs=good[:, :0])}
    if case == "no steps":
        return {"data": saved(path, inputs=good[:0])}
    if case == "labels":
        return {"data": saved(path, inputs=good, labels=np.zeros(5, int))}
    if case == "real labels":
        return {"data": saved(path, inputs=good, labels=np.zeros(6))}
    if case == "pickle":
        return {"data": saved(path, inputs=np.array([{}], object))}
    if case == "two":
        return {"data": saved(path, a=good, b=good)}
    if case == "shape":
        return {"data": saved(path, inputs=np.zeros((4, 6, 5)))}
    if case == "no batch":
        return {"data": saved(path, inputs=good[:, 0])}
    if case == "text":
        return {"data": saved(path, inputs=np.zeros((4, 6, 3), "U3"))}
    if case == "torn":
        saved(path, inputs=good)
        path.write_bytes(path.read_bytes()[:-40])
        return {"data": path}
    if case == "missing":
        return {"data": tmp_path / "nothing.npz"}
    if case == "steps":
        return {"data": saved(path, inputs=good), "steps": Steps(count=3)}
    if case == "empty folder":
        return {"data": tmp_path}
    if case == "odd file":
        (tmp_path / "notes.md").write_text("x")
        return {"data": tmp_path}
    if case == "mixed":
        event_files(tmp_path, left=0)
        np.save(tmp_path / "a.npy", good)
        return {"data": tmp_path}
    if case == "data folder":
        for part in ("train", "validation", "test"):
            saved(tmp_path / f"{part}.npz", inputs=good)
        return {"data": tmp_path}
    if case == "no class":
        (tmp_path / "left").mkdir()
        return {"data": tmp_path}
    return json.loads(case)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("empty", r"x\.npz: no samples: values of shape \[4,0,3\]; expected at least one"),
        ("no steps", r"x\.npz: no samples: values of shape \[0,6,3\]"),
        ("labels", r"x\.npz: labels of shape \[5\]; expected one for each of 6 samples"),
        ("real labels", r"labels of type float64; expected whole numbers, or words"),
        ("pickle", r"x\.npz: cannot be read|a plain array"),
        ("two", r"x\.npz: holds a, b; expected one array of values, and 'labels' if there are any"),
        ("shape", r"x\.npz: values of shape \[4,6,5\]; expected \[T,B,3\]"),
        ("no batch", r"values of shape \[4,3\]; expected \[T,B,3\]\. Add an axis for the samples: x\[:, None\]"),
        ("text", r"x\.npz: values of type <U3; expected real numbers"),
        ("torn", r"x\.npz: cannot be read"),
        ("missing", r"nothing\.npz: there is no such file"),
        ("steps", r"--steps: with values in steps, as .* holds them; expected events\. Leave it out"),
        ("empty folder", r": no samples; expected files that end in \.npy, \.npz, \.csv, \.txt"),
        ("odd file", r"notes\.md: is no event file; expected files that end in .*\. Move it away"),
        ("mixed", r"holds folders and 'a\.npy'; expected folders of event files, or such files"),
        ("no class", r": no samples"),
        ("data folder", r": is a data folder; expected one of its files\. Name it: .*test\.npz"),
        (
            '{"data": "moving_shape"}',
            r"data: 'moving_shape' is no data; expected moving_shapes, shape_frames, burst_orders",
        ),
        (
            '{"data": "burst_orders"}',
            r"burst_orders, test, .* has steps of shape \[64\]; expected \[3\], as the network",
        ),
        ('{"data": "moving_shapes", "samples": 0}', r"data: 0 samples; expected 1 to 100,000,000"),
        ('{"data": null, "samples": 100000000000}', r"data: 100,000,000,000 samples; expected 1 to 100,000,000"),
        ('{"data": "moving_shapes", "part": "exam"}', r"data: a part 'exam'; expected one of train, validation, test"),
        ('{"data": "moving_shapes", "seed": -1}', r"data: 1 samples of seed -1; expected at least one, and a seed of"),
        ('{"made": "poisson:2"}', r"--made: poisson:2; expected a rate between 0 and 1"),
    ],
)
def test_what_is_wrong_is_one_message(tmp_path: Path, case: str, message: str) -> None:
    with pytest.raises(SpikeportError, match=message):
        opened(**broken(tmp_path, case))


def test_what_is_not_finite_is_named_by_its_sample(tmp_path: Path) -> None:
    values = np.zeros((4, 6, 3))
    values[2, 5, 1] = np.nan
    np.save(tmp_path / "x.npy", values)
    data = opened(data=tmp_path / "x.npy")
    data.batch([0, 1])
    with pytest.raises(FileError, match=r"x\.npy: nan in step 2 of sample 5, at \[1\]; expected finite numbers"):
        data.batch([4, 5])


def test_events_that_do_not_fit_are_named_by_their_file(tmp_path: Path) -> None:
    event_files(tmp_path, left=7)
    with pytest.raises(FileError, match=r"left/0\.csv: x of event 0 is 7"):
        opened(PLANE, data=tmp_path).batch([0])
    with pytest.raises(SpikeportError, match=r"data: nobody says what shape the network takes\. Say --shape"):
        opened(None, data=tmp_path)


def test_a_file_that_vanishes_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="gone: cannot be read: No such file"):
        Stamp.of(tmp_path / "gone")
