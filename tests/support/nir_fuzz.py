"""Reads mutations of NIR files, many in one process with limits: `python nir_fuzz.py FOLDER SEED FIRST END`.

FOLDER holds the files and, as NAME.json, what stands beside them. A mutation changes bytes of one of them, or links and
values of the file as HDF5 has them. Prints the number of a mutation before it is read, so that whoever started it knows
which one ended the process, and at last how many were read and how many refused. Anything but an error of Spikeport's
ends it with a traceback; so does a graph of more memory than the limit.
"""

import collections
import json
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
from spikeport.exporters.nir.meaning import Asked
from spikeport.exporters.nir.opening import LIMITS, contents_of
from spikeport.exporters.nir.reading import from_contents
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.hdf5_tree import told
from support.netx_fuzz import mutated

MEMORY = 4 << 30
PATIENCE_S = 0.7
"""Of processor time, for one mutation: some fifty times what one takes."""
PLACE = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""In memory: two files are made for every mutation, and a disk takes longer for that than the reading."""
NUMBERS = (0, 1, -1, 2, 7, 0.5, 1e-9, 1e300, -1e-3, float("nan"), float("inf"), 2**31, 2**62)
SHAPES = ((), (1,), (0,), (3,), (2, 3), (3, 2), (1, 3, 3), (2, 3, 3, 3))
TEXTS = ("", "x", "same", "Affine", "Conv2d", "LIF", "NIRGraph", "Input", "Output", "Flatten", "Delay", "Identity")
JSON = (None, True, 0, -1, 1e308, float("nan"), "", "x", "lif", "norse", [], [1], ["a", "b"], {}, {"a": 1}, {"lif": {}})


def visited(file: h5py.File) -> list[str]:
    """Every path in the file."""
    found: list[str] = []
    file.visit(found.append)
    return found


def twisted(rng: np.random.Generator, path: Path) -> None:
    """Changes the file as HDF5 has it: something taken away, linked again, renamed, or put in its place."""
    with h5py.File(path, "r+") as file:
        for _ in range(int(rng.integers(1, 4))):
            paths = visited(file)
            if not paths:
                return
            one, other = (paths[int(rng.integers(len(paths)))] for _ in range(2))
            match int(rng.integers(8)):
                case 0:
                    del file[one]
                case 1:
                    del file[one]
                    file[one] = float(rng.choice(NUMBERS))
                case 2:
                    shape = SHAPES[int(rng.integers(len(SHAPES)))]
                    del file[one]
                    file[one] = rng.choice(NUMBERS[:-2], shape).astype(rng.choice(["f4", "f8", "i8", "u1", "?"]))
                case 3:
                    del file[one]
                    file.create_dataset(one, data=str(rng.choice(TEXTS)), dtype=h5py.string_dtype())
                case 4 if one != other and not other.startswith(one):
                    del file[one]
                    file[one] = file[other]
                case 5:
                    file[f"{one}_" if isinstance(file[one], h5py.Dataset) else f"{one}/x"] = file[other]
                case 6:
                    _rewired(rng, file)
                case _:
                    _poked(rng, file, one)


def _rewired(rng: np.random.Generator, file: h5py.File) -> None:
    """Edges changed, left out or put in again."""
    if (
        not isinstance(file.get("node/edges"), h5py.Dataset)
        or file["node/edges"].ndim != 2
        or not len(file["node/edges"])
    ):
        return
    edges = [list(pair) for pair in file["node/edges"].asstr()[()]]
    names = sorted({name for pair in edges for name in pair})
    for _ in range(int(rng.integers(1, 4))):
        edges[int(rng.integers(len(edges)))][int(rng.integers(2))] = str(rng.choice([*names, "lost", "rec.lif"]))
    if rng.random() < 0.3:
        edges.append(edges[0])
    del file["node/edges"]
    file["node"].create_dataset("edges", data=np.array(edges, dtype=object), dtype=h5py.string_dtype())


def _poked(rng: np.random.Generator, file: h5py.File, one: str) -> None:
    """One number of an array."""
    found = file[one]
    if isinstance(found, h5py.Dataset) and found.dtype.kind == "f" and found.size:
        values = found[()]
        np.ravel(values)[int(rng.integers(found.size))] = float(rng.choice(NUMBERS[:-2]))
        found[...] = values


def confused(rng: np.random.Generator, text: str, digest: str) -> str:
    """What stands beside a file with entries of other types, of this file as before."""
    data = json.loads(text)
    for _ in range(int(rng.integers(1, 4))):
        key = str(rng.choice([*data, "neurons", "delayed", "names", "kinds", "version", "more"]))
        value = JSON[int(rng.integers(len(JSON)))]
        held = data.get(key)
        if isinstance(held, dict) and held and rng.random() < 0.6:
            held[str(rng.choice([*held, "lif", "x"]))] = value
        else:
            data[key] = value
    data["sha256"] = digest
    return json.dumps(data)


def mutate(folder: Path, seed: int, index: int, target: Path) -> None:
    """Writes one of the mutations of a seed."""
    from spikeport.exporters.nir.facts import beside, digest_of

    rng = np.random.default_rng((seed, index))
    files = sorted(folder.glob("*.nir"))
    chosen = files[int(rng.integers(len(files)))]
    pick = rng.random()
    target.write_bytes(mutated(rng, chosen.read_bytes()) if pick < 0.4 else chosen.read_bytes())
    if 0.4 <= pick < 0.85:
        twisted(rng, target)
    beside(target).unlink(missing_ok=True)
    if beside(chosen).exists() and (pick >= 0.85 or rng.random() < 0.5):
        text = beside(chosen).read_text()
        if rng.random() < 0.1:
            beside(target).write_bytes(mutated(rng, text.encode()))
        else:
            beside(target).write_text(confused(rng, text, digest_of(target)))


def main(folder: Path, seed: int, first: int, end: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory(dir=PLACE) as place:
        target = Path(place) / "x.nir"
        for index in range(first, end):
            try:
                with np.errstate(all="ignore"):
                    mutate(folder, seed, index, target)
            except (ValueError, OSError, KeyError, RuntimeError, TypeError):  # HDF5 does not let it be written
                continue
            os.write(1, b"%d\n" % index)
            signal.setitimer(signal.ITIMER_PROF, PATIENCE_S)
            told(target, Path(place), vars(LIMITS))
            try:
                graph = from_contents(contents_of(Path(place), "x.nir"), target, Asked(dt=1e-3)).graph
                found["read" if isinstance(graph, Graph) else "?"] += 1
            except SpikeportError as error:
                if not str(error).startswith(("x.nir", "--")) or len(str(error)) > 6000:
                    raise
                found["refused"] += 1
    os.write(1, f"read {found['read']} refused {found['refused']}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
