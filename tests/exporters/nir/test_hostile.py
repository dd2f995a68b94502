"""NIR files from strangers: one message, no crash, no hang, no memory taken."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from spikeport.exporters.nir.facts import Facts, NeuronFacts, beside, digest_of
from spikeport.exporters.nir.reading import read
from spikeport.toolchain import hdf5_open
from spikeport.toolchain import opening as general
from spikeport.toolchain.errors import FileError, SpikeportError
from support import nir_fuzz
from support.hdf5_changes import put
from support.nir_raw import STEP, conv, ends, graph, lif, linear, raw, read_here, row

MUTATIONS = 2_000


def small() -> tuple[dict, list]:
    return row(input=ends(3, 2)["input"], fc=linear(2, 3), lif=lif(2), output=ends(3, 2)["output"])


def recurrent() -> tuple[dict, list]:
    inner = graph(
        ends(3, 3) | {"lif": lif(3), "w_rec": linear(3, 3)},
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    return row(input=ends(3, 3)["input"], rec=inner, output=ends(3, 3)["output"])


def image() -> tuple[dict, list]:
    return row(
        input=ends((2, 6, 6), 0)["input"],
        conv=conv(4, 1, (3, 3), groups=2, input_shape=[6, 6]),
        spikes=lif(4, 4, 4, v_reset=None),
        pool={"type": "SumPool2d", "kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]},
        flat={"type": "Flatten", "start_dim": 0, "end_dim": -1, "input_type": [4, 2, 2]},
        wait={"type": "Delay", "delay": np.full(16, 0.002)},
        fc=linear(2, 16) | {"type": "Affine", "bias": np.zeros(2)},
        step={"type": "Threshold", "threshold": np.array([0.5, 0.25])},
        output=ends(0, 2)["output"],
    )


def refused(path: Path, **options: object) -> str:
    with pytest.raises(SpikeportError) as error:
        read_here(path, **(options or STEP))
    assert str(error.value).startswith(path.name)
    assert len(str(error.value)) < 900
    return str(error.value)


def changed(path: Path, change) -> Path:
    raw(path, *small())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def linked(link):
    def change(file):
        del file["node/nodes/fc/weight"]
        file["node/nodes/fc/weight"] = link

    return change


def in_itself(file):
    file["node/nodes/deep"] = file["node"]


def outside(file):
    del file["node/nodes/fc/weight"]
    file.create_dataset("node/nodes/fc/weight", (2, 3), "f4", external=[("/etc/passwd", 0, 24)])


def reference(file):
    del file["node/nodes/fc/weight"]
    file["node/nodes/fc/weight"] = file["node"].ref


def bytes_as_name(file):
    h5py.h5g.create(file["node/nodes"].id, b"\xff\xfe")


def repeated_text(file):
    del file["node/edges"]
    text = "x" * (1 << 16)
    file.create_dataset("node/edges", data=np.full((2000, 2), text, dtype=object), dtype=h5py.string_dtype())


W = "node/nodes/fc/weight"
CHUNKS = {"chunks": (1 << 10, 1 << 10), "compression": "gzip", "fillvalue": 0}
PAIR = np.dtype([("a", "i4"), ("b", "i4")])
HOSTILE = {
    "fc/weight: a link into another file": linked(h5py.ExternalLink("/etc/passwd", "/layer")),
    "fc/weight: a soft link": linked(h5py.SoftLink("/node/nodes/fc/weight")),
    "groups more than 48 deep": in_itself,
    "values that lie in another file": outside,
    "references": reference,
    "a name that is not UTF-8": bytes_as_name,
    "texts of up to 65536 bytes": repeated_text,
    "more than 4096 MB in all": put(W, shape=(1 << 15, 1 << 15), dtype="f8", **CHUNKS),
    "shape [8192, 8192], which the file is too small": put(W, shape=(1 << 13, 1 << 13), dtype="f4", **CHUNKS),
    "shape [1152921504606846976, 4]": put(W, shape=(1 << 60, 4), dtype="i4", chunks=(1, 4)),
    "values of type": put(W, data=np.zeros(3, PAIR)),
    "values of type complex": put(W, data=np.ones((2, 3), complex)),
    "no values at all": put(W, data=h5py.Empty("f")),
    "3 texts; expected numbers, or one text": put(W, data=["a", "b", "c"]),
    "fc, weight: text; expected numbers": put(W, data="much"),
    "fc, weight: true or false; expected numbers": put(W, data=np.ones((2, 3), bool)),
    "node/nodes/fc: no text 'type'": put("node/nodes/fc/type", data=3),
    "a text that is not UTF-8": put("node/nodes/fc/type", data=np.bytes_(b"\xff\xfe")),
    "a node of type 'LIF?[31m'": put("node/nodes/lif/type", data="LIF\x1b[31m"),
    "node/edges: |S1 of shape [2]; expected pairs of names": put("node/edges", data=["a", "b"]),
    "node/edges: int64 of shape [2, 2]; expected pairs of names": put("node/edges", data=np.ones((2, 2), int)),
    "node/nodes/x: no group; expected a node": put("node/nodes/x", data=3),
}


@pytest.mark.parametrize("message", HOSTILE)
def test_a_hostile_file_is_one_message(tmp_path, message):
    assert message in refused(changed(tmp_path / "net.nir", HOSTILE[message]))


def test_a_file_with_too_many_nodes_is_one_message(tmp_path):
    def many(file):
        nodes, held = file["node/nodes"].id, file["node/nodes/fc"].id
        for index in range(100_000):
            nodes.links.create_hard(b"n%d" % index, held, b".")

    assert "node/nodes: more than 50000 objects" in refused(changed(tmp_path / "net.nir", many))


def test_what_is_no_nir_file_is_one_message(tmp_path):
    (tmp_path / "text.nir").write_text("not HDF5")
    (tmp_path / "empty.nir").touch()
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["something"] = 3
    for name in ("text.nir", "empty.nir", "other.nir", "none.nir", ""):
        with pytest.raises(FileError, match="expected a NIR file: HDF5 with a group /node of type NIRGraph"):
            read(tmp_path / name)


def test_cycles_of_any_kind_end(tmp_path):
    count = 100
    nodes = ends(3, 3) | {f"n{index}": linear(3, 3) if index % 2 else lif(3) for index in range(count)}
    rng = np.random.default_rng(0)
    edges = [
        ("input", "n0"),
        ("n0", "output"),
        *((f"n{a}", f"n{b}") for a, b in rng.integers(0, count, (4 * count, 2))),
    ]
    edges += [(f"n{index}", f"n{index + 1}") for index in range(count - 1)]
    path = raw(tmp_path / "net.nir", nodes, edges)
    with contextlib.suppress(SpikeportError):
        read_here(path, **STEP)
    nodes |= {f"n{index}": lif(3) for index in range(count)}
    read_here(raw(path, nodes, edges), **STEP)


def test_sub_graphs_that_hand_on_in_a_circle_are_one_message(tmp_path):
    inner = graph(ends(3, 3), [("input", "output"), ("output", "input")])
    nodes, edges = row(input=ends(3, 3)["input"], a=inner, b=inner, output=ends(3, 3)["output"])
    refused(raw(tmp_path / "net.nir", nodes, [*edges, ("b", "a")]))
    refused(raw(tmp_path / "one.nir", nodes, [("a", "a"), ("input", "b"), ("b", "output")]))


def test_sums_of_sums_do_not_grow(tmp_path):
    step = graph(
        ends(3, 3) | {"a": linear(3, 3), "b": linear(3, 3)},
        [*(("input", x) for x in "ab"), *((x, "output") for x in "ab")],
    )
    names = [f"s{index}" for index in range(40)]
    nodes, edges = row(input=ends(3, 3)["input"], **dict.fromkeys(names, step), output=ends(3, 3)["output"])
    assert len(read_here(raw(tmp_path / "net.nir", nodes, edges)).graph.nodes) < 200


def test_a_file_on_which_the_library_hangs_is_one_message(tmp_path, monkeypatch):
    path, child = raw(tmp_path / "net.nir", *small()), tmp_path / "child.py"
    monkeypatch.setattr(hdf5_open, "READER", child)
    monkeypatch.setattr(general, "SECONDS", 0.3)
    child.write_text("while True: pass")
    with pytest.raises(FileError, match="makes HDF5's library go on without end"):
        read(path)


def ours(path: Path, contents: tuple[dict, list], **more: object) -> Path:
    """A file with facts in it and beside it."""
    nodes, edges = contents
    neurons = {name: NeuronFacts("euler") for name, node in nodes.items() if node["type"] == "LIF"}
    inner = {f"{n}.lif": NeuronFacts("exact", "subtract") for n, node in nodes.items() if node["type"] == "NIRGraph"}
    kept = Facts("ode", 1e-3, inputs={"input": "spikes"}, outputs={"output": "sum"}, neurons=neurons | inner, **more)
    raw(path, nodes, edges, metadata=kept.metadata())
    beside(path).write_text(kept.beside(digest_of(path)))
    return path


BESIDE = {
    "more than 64 MB": lambda place, _: os.truncate(place, (64 << 20) + 2),
    "no text in UTF-8": lambda place, _: place.write_bytes(b"\xff\xfe{}"),
    "no JSON": lambda place, _: place.write_text("[" * 100_000),
    "of another kind or version": lambda place, _: place.write_text("[]"),
    "an entry that is not known": lambda place, text: place.write_text(text.replace('"dt"', '"dts"')),
    "a positive number of seconds": lambda place, text: place.write_text(text.replace('"dt": 0.001', '"dt": -1')),
    "of another file": lambda place, text: place.write_text(text.replace('"sha256": "', '"sha256": "0')),
}


@pytest.mark.parametrize("message", BESIDE)
def test_what_stands_beside_a_file_may_be_anything(tmp_path, message):
    path = ours(tmp_path / "net.nir", small())
    BESIDE[message](beside(path), beside(path).read_text())
    found = read_here(path)
    assert found.graph.outputs == ("output",)
    assert any("left unread" in line for line in found.remarks)


def test_facts_that_lie_are_refused_or_remarked(tmp_path):
    path = ours(tmp_path / "net.nir", small(), delayed=(("lif", "fc"), ("gone", "fc")))
    assert any("name an edge gone → fc that is not there" in line for line in read_here(path).remarks)
    path = ours(tmp_path / "b.nir", small(), names={"fc": "lif", "lif": "fc"})
    assert set(read_here(path).graph.nodes) == {"input", "fc", "lif", "output"}
    path = ours(tmp_path / "c.nir", small(), names={"fc": "same", "lif": "same"})
    assert set(read_here(path).graph.nodes) == {"input", "same", "same_2", "output"}
    path = raw(tmp_path / "d.nir", *small(), metadata=Facts("brian", 1e-3).metadata())
    assert "dialect: 'brian'; expected ode or" in refused(path, dt=1e-3)


def test_mutated_files_are_read_or_refused(tmp_path, monkeypatch):
    ours(tmp_path / "small.nir", small())
    ours(tmp_path / "rec.nir", recurrent(), delayed=(("rec.lif", "rec.w_rec"),))
    raw(tmp_path / "image.nir", *image())
    raw(tmp_path / "plain.nir", *recurrent())
    ended = list(_ended(tmp_path))
    assert len(ended) < 20
    monkeypatch.setattr(general, "SECONDS", 1.0)
    for index in ended[:2]:
        nir_fuzz.mutate(tmp_path, 1, index, tmp_path / "x.nir")
        with pytest.raises(FileError, match="makes HDF5's library"):
            read(tmp_path / "x.nir")
        (tmp_path / "x.nir").unlink()


def _ended(folder: Path):
    """The mutations on which HDF5's library crashed or hung."""
    first = 0
    for _ in range(20):
        command = [sys.executable, nir_fuzz.__file__, folder, "1", first, MUTATIONS]
        place = {"cwd": folder, "env": {"PYTHONPATH": str(Path(nir_fuzz.__file__).parents[1])}}
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **place)
        assert "Traceback" not in done.stderr, done.stderr
        last = done.stdout.splitlines()[-1]
        if last.startswith("read"):
            return
        first = int(last) + 1
        yield first - 1
    raise AssertionError("too many")


def test_every_truncation_is_one_message(tmp_path):
    content = raw(tmp_path / "net.nir", *small()).read_bytes()
    for end in (*range(0, 200, 20), *range(200, len(content) - 1, 900)):
        (tmp_path / "cut.nir").write_bytes(content[:end])
        refused(tmp_path / "cut.nir")
