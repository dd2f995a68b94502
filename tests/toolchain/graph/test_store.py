"""The file: byte-stable, a valid safetensors file, loaded without a copy."""

import json
import mmap
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.graph import Graph, chain, digest, replace_graph, to_text
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.store import ALIGNMENT, load, save
from support.by_steps import run_by_steps
from support.random_graphs import random_graph, random_inputs, seeds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@given(seeds())
@settings(deadline=None, max_examples=60)
def test_a_graph_comes_back_and_its_bytes_are_stable(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, subgraphs=True)
    one, two = folder / "one.graph", folder / "two.graph"
    save(graph, one)
    again = load(one)
    save(again, two)
    assert one.read_bytes() == two.read_bytes()
    assert (to_text(again), digest(again), again.notes) == (to_text(graph), digest(graph), graph.notes)
    inputs = random_inputs(graph, rng, 4, 2)
    before, after = run_by_steps(graph, inputs), run_by_steps(again, inputs)
    assert all(np.array_equal(before[name], after[name]) for name in graph.nodes)


def layers(*arrays: np.ndarray) -> Graph:
    width = arrays[0].shape[1]
    affine = [(f"a{i}", n.Affine(array)) for i, array in enumerate(arrays)]
    return chain([("in", n.Input((width,))), *affine, ("out", n.Output())])


def test_the_safetensors_package_reads_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    single, double = rng.normal(size=(5, 5)).astype("f4"), rng.normal(size=(5, 5))
    decay = rng.uniform(0.1, 0.9, (5, 3)) * np.exp(1j * rng.normal(size=(5, 3)))
    ssm = n.StateSpace(decay, np.ones((5, 3), "c8"), np.ones((5, 3)))
    nodes = [n.Input((5,)), n.Affine(single), n.Affine(double), n.Affine(double.copy()), ssm, n.Output()]
    graph = chain(nodes)
    save(graph, tmp_path / "a.graph")
    content = (tmp_path / "a.graph").read_bytes()
    arrays = safetensors.numpy.load(content)
    assert len(arrays) == 5
    assert {a.tobytes() for a in arrays.values()} >= {single.tobytes(), double.tobytes(), decay.tobytes()}
    pairs = [(name, a) for name, a in arrays.items() if name.endswith(".complex")]
    assert sorted((a.dtype.name, a.shape) for _, a in pairs) == [("float32", (5, 3, 2)), ("float64", (5, 3, 2))]
    with safetensors.safe_open(tmp_path / "a.graph", "numpy") as file:
        metadata = file.metadata()
    assert list(metadata) == ["spikeport"]
    assert metadata["spikeport"].partition("\n")[2] == to_text(graph)
    (length,) = struct.unpack("<Q", content[:8])
    assert (8 + length) % ALIGNMENT == 0
    assert next(iter(json.loads(content[8 : 8 + length]))) == "__metadata__"


def test_a_safetensors_file_without_a_graph_is_refused(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"w": np.ones(3)}, tmp_path / "w.graph")
    with pytest.raises(FileError, match=r"w\.graph: no graph in its metadata; expected one entry 'spikeport'"):
        load(tmp_path / "w.graph")


def test_arrays_are_read_only_aligned_views_of_the_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    save(layers(rng.normal(size=(3, 3)), rng.normal(size=(3, 3)).astype("f4")), tmp_path / "a.graph")
    loaded = load(tmp_path / "a.graph")
    for name in ("a0", "a1"):
        weight = loaded.nodes[name].weight
        base = weight
        while isinstance(base, np.ndarray):
            base = base.base
        assert isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)
        assert weight.flags.aligned
        assert not weight.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            weight[0] = 1


def test_a_loaded_graph_outlives_its_file(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(30, 30))
    save(layers(weight), tmp_path / "a.graph")
    loaded = load(tmp_path / "a.graph")
    save(layers(weight + 1), tmp_path / "a.graph")
    (tmp_path / "a.graph").unlink()
    assert np.array_equal(loaded.nodes["a0"].weight, weight)


def test_equal_arrays_are_stored_once(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(100, 100))
    save(layers(weight, weight.copy(), weight.copy()), tmp_path / "a.graph")
    assert (tmp_path / "a.graph").stat().st_size < 1.2 * weight.nbytes


def test_arrays_go_into_the_file_whatever_their_strides_and_byte_order(tmp_path: Path) -> None:
    weight = np.random.default_rng(0).normal(size=(6, 6))
    save(layers(weight.T, weight.astype(">f8")), tmp_path / "a.graph")
    loaded = load(tmp_path / "a.graph")
    assert np.array_equal(loaded.nodes["a0"].weight, weight.T)
    assert np.array_equal(loaded.nodes["a1"].weight, weight)


def test_notes_may_be_any_text(tmp_path: Path) -> None:
    graph = replace_graph(layers(np.ones((3, 3))), notes={"a": "\ud800 \0 \u2028 κ \x9b31m", "b": "x" * 100_000})
    save(graph, tmp_path / "a.graph")
    assert load(tmp_path / "a.graph").notes == graph.notes


def test_saving_says_where_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeport.toolchain.graph.store.LONGEST_HEADER", 1000)
    graph = layers(np.ones((3, 3)))
    with pytest.raises(FileError, match=r"nowhere.*does not exist"):
        save(graph, tmp_path / "nowhere" / "a.graph")
    with pytest.raises(FileError, match=r"a header of 2\d+ bytes; expected at most 1000\. Shorten the notes"):
        save(graph.with_notes(long="x" * 2000), tmp_path / "a.graph")
    assert not list(tmp_path.iterdir())


def test_100_mb_load_in_under_a_second_without_a_copy(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    graph = layers(*(rng.random((1600, 1600), "f4") for _ in range(10)))
    save(graph, tmp_path / "a.graph")
    del graph
    start = time.perf_counter()
    loaded = load(tmp_path / "a.graph")
    assert time.perf_counter() - start < 1
    assert sum(array.nbytes for node in loaded.nodes.values() for array in node.arrays().values()) > 100e6
    tracemalloc.start()
    load(tmp_path / "a.graph")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6
