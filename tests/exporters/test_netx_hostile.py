"""Netx files from strangers: one message, no crash, no hang, no memory taken."""

import contextlib
import itertools
import json
import random
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters import netx_open
from spikeport.exporters.netx_file import read
from spikeport.exporters.netx_loading import Loading
from spikeport.exporters.netx_writer import netx_file, write_file
from spikeport.toolchain import hdf5_open, opening
from spikeport.toolchain.errors import FileError
from support import netx_fuzz
from support.hdf5_changes import put
from support.netx_raw import IMAGE, MATRIX, complex_dense, conv, dense, raw, read_here
from support.random_netx import random_netx

MUTATIONS = 2_100


def refused(path: Path) -> str:
    with pytest.raises(FileError) as error:
        read_here(path)
    assert len(str(error.value)) < 600
    return str(error.value)


def changed(path: Path, change) -> Path:
    raw(path, dense())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def external(file):
    del file["layer/0/weight"]
    file["layer/0/weight"] = h5py.ExternalLink("/etc/passwd", "/layer")


def soft_loop(file):
    del file["layer/0/weight"]
    file["layer/0/weight"] = h5py.SoftLink("/layer/0/weight")


def hard_loop(file):
    file["layer/0/self"] = file["layer/0"]


def virtual(file):
    layout = h5py.VirtualLayout((4, 3), "i8")
    layout[:] = h5py.VirtualSource("other.h5", "w", (4, 3))
    del file["layer/0/weight"]
    file.create_virtual_dataset("layer/0/weight", layout)


def outside(file):
    del file["layer/0/weight"]
    file.create_dataset("layer/0/weight", (4, 3), "i8", external=[("/etc/passwd", 0, 96)])


def reference(file):
    del file["layer/0/weight"]
    file["layer/0/weight"] = file["layer/0"].ref


CHUNKS = {"chunks": (1 << 10, 1 << 10), "compression": "gzip", "fillvalue": 0}
ANYTHING = [0, -1, 1, 7, 64, 2**31 - 1, 10**30, 1.5, None, True, "", "x", "a b", [], [1], [0, 5, 5], {}, {"a": 1}]
PAIR = np.dtype([("a", "i4"), ("b", "i4")])
HOSTILE = {
    "a link into another file": external,
    "a soft link": soft_loop,
    "groups more than 5 deep": hard_loop,
    "values that lie in another file": virtual,
    "lie in another file": outside,
    "references": reference,
    "more than 1024 MB in all": put("layer/0/weight", shape=(1 << 14, 1 << 14), dtype="i8", **CHUNKS),
    "shape [4096, 4096], which the file is too small": put(
        "layer/0/weight", shape=(1 << 12,) * 2, dtype="i4", **CHUNKS
    ),
    "which the file is too small to hold": put("layer/0/weight", shape=(1 << 12, 1 << 12), dtype="i4"),
    "shape [1152921504606846976, 4]": put("layer/0/weight", shape=(1 << 60, 4), dtype="i4", chunks=(1, 4)),
    "values of type": put("layer/0/weight", data=np.zeros(3, PAIR)),
    "weight: texts of shape [1]": put("layer/0/weight", data=np.array([b"much"])),
    "type: integers of shape": put("layer/0/type", data=3),
    "type: '": put("layer/0/type", data="dense\x7f" * 3),
    "a text that is not ASCII": put("layer/0/type", data="dénse"),
    "no values at all": put("layer/0/weight", data=h5py.Empty("f")),
    "weight: numbers of shape [0,3]": put("layer/0/weight", data=np.zeros((0, 3))),
    "no numbers, or no integers": put("layer/0/weight", data=np.full((4, 3), np.nan)),
    "or no integers": put("layer/0/weight", data=np.full((4, 3), 1e300)),
    "values of type complex": put("layer/0/weight", data=np.ones((4, 3), complex)),
    "at most 62 bits": put("layer/0/weight", data=np.full((4, 3), 2**63, "u8")),
    "shape: ": put("layer/0/shape", data=[1 << 40, 1 << 40]),
    "a layer '7' among 2": put("layer/7/x", data=3),
    "a layer 'x' among 2": put("layer/x/x", data=3),
    "JSON of Spikeport's": put("spikeport", data=np.bytes_(b"{" * 5000)),
    "Update Spikeport": put("spikeport", data=np.bytes_(b'{"version": 99}')),
}


@pytest.mark.parametrize("message", HOSTILE)
def test_a_hostile_file_is_one_message(tmp_path, message):
    assert message in refused(changed(tmp_path / "net.net", HOSTILE[message]))


def test_a_file_with_too_many_objects_is_one_message(tmp_path, monkeypatch):
    monkeypatch.setattr(netx_open, "LIMITS", replace(netx_open.LIMITS, objects=100))

    def many(file):
        for index in range(101):
            file[f"layer/0/x{index}"] = file["layer/0/shape"]

    assert "more than 100 objects" in refused(changed(tmp_path / "net.net", many))


def test_what_is_no_netx_file_is_one_message(tmp_path):
    (tmp_path / "text.net").write_text("not HDF5")
    (tmp_path / "empty.net").touch()
    with h5py.File(tmp_path / "other.net", "w") as file:
        file["something"] = 3
    for name in ("text.net", "empty.net", "other.net", "none.net", ""):
        with pytest.raises(FileError, match="expected a netx file: HDF5 with groups /layer/0"):
            read(tmp_path / name)


def test_keys_in_spikeports_part_of_another_type_are_one_message(tmp_path):
    write_file(netx_file(random_netx(1)), tmp_path / "net.net")
    with h5py.File(tmp_path / "net.net") as file:
        text = bytes(file["spikeport"][()])
    for old, new in ((b'"dt":', b'"dt":"x",'), (b'"names":{', b'"names":{"a":3,'), (b'"order":[', b'"order":[7,')):
        with h5py.File(tmp_path / "net.net", "r+") as file:
            del file["spikeport"]
            file["spikeport"] = np.bytes_(text.replace(old, new))
        refused(tmp_path / "net.net")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000))
def test_what_spikeport_keeps_may_say_anything(tmp_path_factory, seed):
    rng, path = random.Random(seed), tmp_path_factory.mktemp("kept") / "net.net"
    write_file(netx_file(random_netx(seed % 24)), path)
    with h5py.File(path, "r+") as file:
        kept = json.loads(bytes(file["spikeport"][()]))
        kept["loading"][rng.choice([each.name for each in fields(Loading)])] = rng.choice(ANYTHING)
        key = rng.choice(list(kept))
        kept[key] = rng.choice([*ANYTHING, kept[key]])
        del file["spikeport"]
        file["spikeport"] = np.bytes_(json.dumps(kept))
    with contextlib.suppress(FileError):
        read_here(path)


def test_a_file_on_which_the_library_ends_or_hangs_is_one_message(tmp_path, monkeypatch):
    path, child = raw(tmp_path / "net.net", dense()), tmp_path / "child.py"
    monkeypatch.setattr(hdf5_open, "READER", child)
    child.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(FileError, match=r"makes HDF5's library fail \(signal 11\)"):
        read(path)
    child.write_text("while True: pass")
    monkeypatch.setattr(opening, "SECONDS", 0.3)
    with pytest.raises(FileError, match="makes HDF5's library go on without end"):
        read(path)


def test_mutated_files_are_read_or_refused(tmp_path, monkeypatch):
    for seed in (0, 2, 3, 4, 6, 8, 10):
        write_file(netx_file(random_netx(seed)), tmp_path / f"{seed}.net")
    raw(tmp_path / "slayer.net", IMAGE, conv(), {"type": "flatten"}, dense(weight=np.tile(MATRIX, 8)))
    raw(tmp_path / "complex.net", complex_dense())
    ended = list(_ended(tmp_path))
    assert len(ended) < 20
    monkeypatch.setattr(opening, "SECONDS", 2.0)
    for index in ended[:5]:
        (tmp_path / "x").write_bytes(netx_fuzz.mutation(tmp_path, 1, index))
        with pytest.raises(FileError, match="makes HDF5's library"):
            read(tmp_path / "x")


def _ended(folder: Path):
    """The mutations on which HDF5's library crashed or hung."""
    first = 0
    for _ in range(20):
        command = [sys.executable, netx_fuzz.__file__, folder, "1", first, MUTATIONS]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        last = done.stdout.splitlines()[-1]
        if last.startswith("read"):
            return
        first = int(last) + 1
        yield first - 1
    raise AssertionError("too many")


def test_every_truncation_is_one_message(tmp_path):
    content = raw(tmp_path / "net.net", dense()).read_bytes()
    for end in itertools.chain(range(0, 200, 20), range(200, len(content) - 1, 400)):
        (tmp_path / "cut.net").write_bytes(content[:end])
        refused(tmp_path / "cut.net")
