"""Event files of every kind, and hostile ones: one message, no pickle, no memory."""

import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from spikeport.toolchain.errors import FileError, SpikeportError, UsageError
from spikeport.toolchain.graph import Graph, GraphBuilder, chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.inputs import Steps, Taken, from_file

X, Y, T, P = [1, 2, 3], [0, 1, 1], [100, 150, 2150], [0, 1, 1]
ROWS = np.array([X, Y, T, P]).T
PLACES = [(0, 0, 0, 0, 1), (0, 0, 1, 1, 2), (2, 0, 1, 1, 3)]


def camera(carries: str = "spikes") -> Graph:
    return chain([("in", n.Input((2, 2, 4), carries)), ("out", n.Output())])


def places(taken: Taken) -> list[tuple[int, ...]]:
    assert taken.what == "3 events"
    values = np.concatenate([window["in"] for window in taken.values])
    return [tuple(at.tolist()) for at in np.argwhere(values)]


def structured(names: str, types: str = "i2 i2 i8 ?") -> np.ndarray:
    dtype = list(zip(names.split(), types.split(), strict=True))
    columns = dict(zip("xytp", (X, Y, T, P), strict=True))
    order = [{"ts": "t", "timestamp": "t", "polarity": "p"}.get(name, name) for name in names.split()]
    return np.array(list(zip(*(columns[name] for name in order), strict=True)), dtype)


ARRAYS = {
    "plain.npy": ROWS,
    "plain_f4.npy": ROWS.astype("f4"),
    "structured.npy": structured("t x y p", "u8 u2 u2 i1"),
    "aliases.npy": structured("x y timestamp polarity"),
}
TEXTS = {
    "header.csv": "x,y,t,p\n1,0,100,0\n2,1,150,1\n3,1,2150,1\n",
    "order.csv": "timestamp,polarity,x,y\n100,0,1,0\n150,1,2,1\n2150,1,3,1\n",
    "quoted.csv": '"x","y","t","p"\n1,0,100,0\n2,1,150,1\n3,1,2150,1\n',
    "plain.csv": "1,0,100,0\n2,1,150,1\n3,1,2150,1",
    "blanks.txt": "# recorded on a Tuesday\n\n1 0 100 0\n2 1 150.0 1\n  3 1 2150 1\n",
    "comment.txt": "# x y t p\n1 0 100 0\n2 1 150 1\n3 1 2150 1\n",
    "tabs.txt": "x\ty\tt\tp\n1\t0\t100\t0\n2\t1\t150\t1\n3\t1\t2150\t1\n",
    "semicolons.csv": "x;y;t;p\n1;0;100;0\n2;1;150;1\n3;1;2150;1\n",
    "windows.csv": "x,y,t,p\r\n1,0,100,0\r\n2,1,150,1\r\n3,1,2150,1\r\n",
}


@pytest.mark.parametrize("name", [*ARRAYS, *TEXTS])
def test_events_are_read_from_arrays_and_texts(tmp_path: Path, name: str) -> None:
    if name in ARRAYS:
        np.save(tmp_path / name, ARRAYS[name])
    else:
        (tmp_path / name).write_text(TEXTS[name], newline="")
    assert places(from_file(camera(), tmp_path / name)) == PLACES


def test_events_are_read_from_npz_by_name_structured_or_plain(tmp_path: Path) -> None:
    np.savez(tmp_path / "names.npz", x=X, y=Y, t=T, p=P)
    np.savez(tmp_path / "one.npz", events=structured("x y ts p"))
    np.savez_compressed(tmp_path / "plain.npz", anything=ROWS)
    for name in ("names.npz", "one.npz", "plain.npz"):
        assert places(from_file(camera(), tmp_path / name)) == PLACES


def test_values_stay_values(tmp_path: Path) -> None:
    values = np.zeros((3, 1, 2, 2, 4))
    np.save(tmp_path / "v.npy", values)
    assert from_file(camera(), tmp_path / "v.npy").what == "values"
    # Four columns for an input of four values: somebody has forgotten the batch, and the simulation says so.
    np.save(tmp_path / "four.npy", np.zeros((9, 4)))
    assert from_file(chain([("in", n.Input((4,))), ("out", n.Output())]), tmp_path / "four.npy").what == "values"
    builder = GraphBuilder()
    for name in "xt":
        builder.add(name, n.Input((2,)))
    builder.add("sum", n.Add(), "x", "t")
    builder.add("out", n.Output(), "sum")
    np.savez(tmp_path / "xt.npz", x=np.zeros((1, 1, 2)), t=np.zeros((1, 1, 2)))
    assert from_file(builder.build(), tmp_path / "xt.npz").what == "values"
    np.savez(tmp_path / "events.npz", x=X, y=Y, t=T, p=P)
    with pytest.raises(FileError, match=r"events for 2 inputs; expected a \.npz file with one array for each"):
        from_file(builder.build(), tmp_path / "events.npz")


def test_steps_are_as_long_as_one_says(tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", ROWS)
    taken = from_file(camera(), tmp_path / "e.npy", Steps(dt=5e-3))
    assert taken.said == ("a step of events lasts 0.005 s, one of the network 0.001 s",)
    assert {at[0] for at in places(taken)} == {0}
    assert {at[0] for at in places(from_file(camera(), tmp_path / "e.npy", Steps(unit="ms")))} == {0, 50, 2050}
    cut = from_file(camera(), tmp_path / "e.npy", Steps(count=2))
    assert cut.said == ("1 of 3 events come after step 2 and are left out",)
    np.save(tmp_path / "v.npy", np.zeros((3, 1, 2, 2, 4)))
    for steps, option in ((Steps(dt=1e-3), "--dt"), (Steps(unit="us"), "--unit"), (Steps(count=3), "--steps")):
        with pytest.raises(UsageError, match=f"{option}: with values in steps, as .* holds them; expected a file of"):
            from_file(camera(), tmp_path / "v.npy", steps)
    with pytest.raises(UsageError, match="--dt: -1; expected a positive number of seconds"):
        Steps(dt=-1.0)
    with pytest.raises(UsageError, match="--dt: nan; expected a positive"):
        Steps(dt=float("nan"))
    with pytest.raises(UsageError, match="--unit: 'min'; expected s, ms, us, ns"):
        Steps(unit="min")


BAD_TEXTS = {
    "": "no events; expected a line for each event: x, y, t, p",
    "\n\n# nothing\n": "no events; expected a line",
    "x,y,t,p\n": "cannot be read (",
    "1,2,3\n": "an array of shape [1,3]; expected four columns: x, y, t, p",
    "x,y,t,p\n1,2,3\n": "4 names and 3 columns; expected as many of each",
    "1,2,3,4\n1,2,3\n": "cannot be read (",
    "1,2,3,4\n1,2,3,nan\n": "p of event 1 is nan; expected whole numbers",
    "1,2,3,4\n1,2,three,4\n": "cannot be read (could not convert string 'three' to float64 at row 1, column 3",
    "x,y,t,label\n1,2,3,4\n": "a column 'label'; expected x, y, t and p, each once",
    "name,place\n1,2\n": "a column 'name'; expected x, y, t and p",
    "x" * 100_000: "a line of over 4096 characters; expected a line for each event",
    "\n" * 2000 + "1,2,3,4\n": "no events; expected a line",
    "1 " * 3000: "a line of over 4096 characters",
}


@pytest.mark.parametrize("text", BAD_TEXTS, ids=range(len(BAD_TEXTS)))
def test_texts_that_hold_no_events(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(FileError) as caught:
        from_file(camera(), tmp_path / "e.csv")
    assert str(caught.value).startswith(f"{tmp_path / 'e.csv'}: {BAD_TEXTS[text]}"), str(caught.value)
    assert len(str(caught.value)) < len(str(tmp_path)) + 400


class Payload:
    def __reduce__(self) -> tuple:
        return os.mkdir, ("owned",)


def header(shape: str, dtype: str = "'<i8'") -> bytes:
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def packed(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return out.getvalue()


def hostile() -> dict[str, bytes]:
    """Files that lie about their sizes, hold code, or are no arrays."""
    pickled = io.BytesIO()
    np.save(pickled, np.array([Payload()], dtype=object), allow_pickle=True)
    bomb = packed(x=header(f"({1 << 30},)") + b"\0" * (1 << 26))
    return {
        "giant.npy": header(f"({1 << 60}, 4)") + bytes(64),
        "overflow.npy": header(f"({1 << 62}, {1 << 62})"),
        "negative.npy": header("(-1, 4)") + bytes(64),
        "nested.npy": header("(" * 500 + ")" * 500),
        "code.npy": header("(1,)", "__import__('os').mkdir('owned')"),
        "pickle.npy": pickled.getvalue(),
        "pickle.npz": packed(x=pickled.getvalue(), t=pickled.getvalue()),
        "giant.npz": packed(x=header(f"({1 << 55},)"), t=header("(1,)") + bytes(8)),
        "bomb.npz": bomb,
        "records.npy": header("(1,)", "[('x', '<i8', (2,)), ('t', 'O')]") + bytes(64),
        "deep.npy": header("(1,)", "[('x', [('a', '<i8')]), ('t', '<i8')]") + bytes(16),
        "cut.npy": header("(100, 4)") + bytes(64),
        "noise.csv": np.random.default_rng(0).bytes(5000),
        "zeros.txt": bytes(5000),
        "zip.npz": b"PK\x03\x04" + bytes(100),
    }


READER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from pathlib import Path
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.graph import chain
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.inputs import from_file
for name in sys.argv[1:]:
    try:
        taken = from_file(chain([("in", n.Input((2, 2, 4))), ("out", n.Output())]), Path(name))
        print("taken", taken.what)
    except SpikeportError as error:
        print(str(error).splitlines()[0])
"""


def test_hostile_files_end_in_one_message_each(tmp_path: Path) -> None:
    files = hostile()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", READER, *files], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True
    )
    said = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in said] == list(files), done.stdout
    assert time.perf_counter() - start < 30
    assert not (tmp_path / "owned").exists()


def test_changed_event_files_are_read_or_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    stored = io.BytesIO()
    np.save(stored, structured("x y t p"))
    kinds = {".npy": stored.getvalue(), ".npz": packed(x=stored.getvalue()), ".csv": TEXTS["header.csv"].encode()}
    for suffix, content in kinds.items():
        for _ in range(200):
            changed = bytearray(content)
            for _ in range(int(rng.integers(1, 4))):
                changed[int(rng.integers(len(changed)))] = int(rng.integers(256))
            (tmp_path / f"e{suffix}").write_bytes(bytes(changed))
            assert outcome(tmp_path / f"e{suffix}")


def outcome(path: Path) -> str:
    """How many events were counted, or the message."""
    try:
        taken = from_file(camera("graded"), path, Steps(count=10))
        return f"{sum(window['in'].sum() for window in taken.values)} events"
    except SpikeportError as error:
        return str(error)


def test_what_would_not_fit_into_memory_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "e.npz", x=np.zeros(10**6, "i8"), t=np.zeros(10**6, "i8"))
    (tmp_path / "e.csv").write_text(TEXTS["plain.csv"])
    monkeypatch.setattr("spikeport.toolchain.inputs.available", lambda: 10**7)
    monkeypatch.setattr("spikeport.toolchain.event_files.available", lambda: 200)
    with pytest.raises(FileError, match=r"e\.npz: unpacks to 16\.0 MB; expected at most 10\.0 MB, which is free here"):
        from_file(camera(), tmp_path / "e.npz")
    with pytest.raises(FileError, match=r"e\.csv: 30 bytes of text; expected at most 25 bytes here"):
        from_file(camera(), tmp_path / "e.csv")


def in_hdf5(path: Path, **columns: object) -> None:
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file.create_dataset(name.replace("__", "/"), data=values)


def test_events_are_read_from_hdf5_by_name(tmp_path: Path) -> None:
    in_hdf5(tmp_path / "group.h5", events__x=X, events__y=Y, events__t=T, events__p=P, frame_times=[0, 5])
    in_hdf5(tmp_path / "root.hdf5", x=X, y=Y, timestamp=T, polarity=np.array(P, bool), width=4)
    in_hdf5(tmp_path / "deep.h5", CD__events__xs=X, CD__events__x=X, CD__events__y=Y, CD__events__ts=T, CD__events__p=P)
    for name in ("group.h5", "root.hdf5", "deep.h5"):
        assert places(from_file(camera(), tmp_path / name)) == PLACES


def test_hdf5_files_that_hold_no_events(tmp_path: Path) -> None:
    in_hdf5(tmp_path / "table.h5", events=ROWS)
    in_hdf5(tmp_path / "two.h5", a__x=X, a__t=T, b__x=X, b__t=T)
    in_hdf5(tmp_path / "short.h5", x=X, t=T[:2], y=Y, p=P)
    in_hdf5(tmp_path / "twice.h5", x=X, t=T, timestamp=T)
    (tmp_path / "noise.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 4)
    (tmp_path / "empty.h5").write_bytes(b"")
    for name, message in (
        ("table.h5", "0 groups with columns x and t: /events; expected one group with columns x, y, t and p"),
        ("two.h5", "2 groups with columns x and t"),
        ("short.h5", "columns p (3), t (2), x (3), y (3); expected"),
        ("twice.h5", "a column 'timestamp'; expected x, y, t and p, each once"),
        ("noise.h5", "expected an HDF5 file with a group of columns x, y, t, p"),
        ("empty.h5", "expected an HDF5 file with a group of columns x, y, t, p"),
    ):
        with pytest.raises(FileError) as caught:
            from_file(camera(), tmp_path / name)
        assert message in str(caught.value), str(caught.value)


def test_what_a_file_says_of_itself_is_no_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "e.npz", x=X, y=Y, t=T, p=P)
    with zipfile.ZipFile(tmp_path / "e.npz", "a") as file:
        file.writestr("about.json", "{}")
    assert places(from_file(camera(), tmp_path / "e.npz")) == PLACES
