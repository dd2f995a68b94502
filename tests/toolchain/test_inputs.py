"""Inputs from files and seeds, and what is said when they do not fit."""

import re
from pathlib import Path

import numpy as np
import pytest
from spikeport.toolchain import inputs as made_by
from spikeport.toolchain.errors import FileError, UsageError
from spikeport.toolchain.graph import Graph, GraphBuilder, Wire, chain, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.inputs import from_file, made_windows, recipe
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Dense


def one_input() -> Graph:
    return chain([("in", n.Input((2, 3))), ("out", n.Output())])


def two_inputs() -> Graph:
    builder = GraphBuilder()
    builder.add("a", n.Input((2,)))
    builder.add("b", n.Input((2,)))
    builder.add("sum", n.Add(), "a", "b")
    builder.add("out", n.Output(), "sum")
    return builder.build()


def whole(graph: Graph, text: str, seed: int = 0, steps: int = 50, batch: int = 4) -> dict[str, np.ndarray]:
    windows = list(made_windows(graph, text, steps, batch, seed))
    return {name: np.concatenate([window[name] for window in windows]) for name in windows[0]}


@pytest.mark.parametrize("text", ["poisson:0.3", "normal:2", "constant:-0.5"])
def test_made_input_depends_on_the_seed_alone_not_on_windows(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once = whole(two_inputs(), text)
    monkeypatch.setattr(made_by, "WINDOW_VALUES", 56)
    in_parts = whole(two_inputs(), text)
    assert len(list(made_windows(two_inputs(), text, 50, 4, 0))) == 8
    for name in ("a", "b"):
        assert at_once[name].shape == (50, 4, 2)
        np.testing.assert_array_equal(at_once[name], in_parts[name])
    if not text.startswith("constant"):
        assert not np.array_equal(at_once["a"], at_once["b"])
        assert not np.array_equal(at_once["a"], whole(two_inputs(), text, seed=1)["a"])


def test_made_input_is_what_its_name_says() -> None:
    spikes = whole(one_input(), "poisson:0.3", steps=2000)["in"]
    assert set(np.unique(spikes).tolist()) == {False, True}
    assert abs(spikes.mean() - 0.3) < 0.01
    assert abs(whole(one_input(), "normal:2", steps=2000)["in"].std() - 2) < 0.05
    chip = ChipGraph(
        {
            "in": ChipInput((2,), "int[-99,99]"),
            "fc": Dense(weight=np.ones((1, 2), int)),
            "n": LIF(current_decay=4096, voltage_decay=0, threshold=9),
            "out": ChipOutput(),
        },
        {"fc": (later("in"),), "n": (Wire("fc"),), "out": (Wire("n"),)},
    )
    rounded = whole(chip, "normal:9")["in"]
    assert np.array_equal(rounded, np.rint(rounded))
    assert len(np.unique(rounded)) > 20
    assert (whole(chip, "constant:-.5")["in"] == -0.5).all(), "what was asked for by name is not rounded"
    assert (whole(one_input(), "constant:-.5")["in"] == -0.5).all()
    assert not whole(one_input(), "poisson:0")["in"].any()
    assert whole(one_input(), "poisson:1")["in"].all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("noise", "--made: 'noise'; expected poisson:NUMBER, normal:NUMBER, constant:NUMBER"),
        ("poisson", "--made: 'poisson'; expected poisson:NUMBER"),
        ("poisson:nan", "--made: 'poisson:nan'; expected poisson:NUMBER"),
        ("poisson:1.5", "--made: poisson:1.5; expected a rate between 0 and 1: spikes for each value and step"),
        ("poisson:-1", "--made: poisson:-1; expected a rate between 0 and 1"),
        ("normal:-1", "--made: normal:-1; expected a standard deviation of at least 0"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_explained(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        recipe(text)


def test_one_array_goes_to_the_one_input_whatever_its_name(tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(2, 2, 2, 3)
    np.save(tmp_path / "x.npy", values)
    np.savez(tmp_path / "x.npz", anything=values)
    for file in ("x.npy", "x.npz"):
        read = from_file(one_input(), tmp_path / file).values
        assert list(read) == ["in"]
        np.testing.assert_array_equal(read["in"], values)


def test_several_inputs_are_found_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", b=np.zeros((1, 1, 2)), a=np.ones((1, 1, 2)))
    read = from_file(two_inputs(), tmp_path / "x.npz").values
    assert list(read) == ["a", "b"]
    assert read["a"].all()


def test_files_that_do_not_fit_are_explained(tmp_path: Path) -> None:
    np.savez(tmp_path / "names.npz", a=np.zeros(2), c=np.zeros(2))
    np.save(tmp_path / "words.npy", np.array(["a", "b"]))
    np.save(tmp_path / "objects.npy", np.array([{}, []], dtype=object))
    (tmp_path / "garbage.npy").write_bytes(b"not an array")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.save(tmp_path / "cut.npy", np.zeros(1000))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:200])
    np.savez(tmp_path / "objects.npz", a=np.array([{}]), b=np.zeros(2))
    (tmp_path / "words.doc").write_text("1 2 3")
    (tmp_path / "a folder").mkdir()
    np.savez(tmp_path / "cut.npz", a=np.zeros(1000), b=np.zeros(2))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-30])
    cases = {
        "names.npz": "holds a, c; expected one array for each input: a, b",
        "words.npy": "holds values of type <U1; expected real numbers",
        "objects.npy": "cannot be read (Array can't be memory-mapped: Python objects in dtype.); expected a",
        "objects.npz": "cannot be read (Object arrays cannot be loaded when allow_pickle=False); expected a .npy",
        "words.doc": "'.doc' is not a suffix of arrays; expected a .npy or .npz file",
        "garbage.npy": "cannot be read (",
        "empty.npz": "cannot be read (File is not a zip file); expected a .npy or .npz file without pickles",
        "cut.npy": "cannot be read (mmap length is greater than file size)",
        "cut.npz": "cannot be read (",
        "a folder": "is a folder; expected a .npy or .npz file",
        "missing.npy": "there is no such file; expected a .npy or .npz file with values [T, B, *shape]",
    }
    for file, message in cases.items():
        with pytest.raises(FileError) as caught:
            from_file(two_inputs(), tmp_path / file)
        assert str(caught.value).startswith(f"{tmp_path / file}: {message}"), str(caught.value)
