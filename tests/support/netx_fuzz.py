"""Reads mutations of netx files, many in one process with limits: `python netx_fuzz.py FOLDER SEED FIRST END`.

Prints the number of a mutation before it is read, so that whoever started it knows which one ended the process: HDF5's
library may crash on it, or go on without end until a timer kills the process. At last it prints how many were read and
how many refused. Anything but a FileError ends it with a traceback.
"""

import collections
import os
import resource
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
from spikeport.exporters.netx_open import LIMITS, contents_of
from spikeport.exporters.netx_reader import chip_of
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.hdf5_tree import told

MEMORY = 4 << 30
PATIENCE_S = 2.0


def mutated(rng: np.random.Generator, content: bytes) -> bytes:
    """The file with a few bytes changed, a piece cut out or repeated, or its end missing."""
    data = bytearray(content)
    pick = int(rng.integers(7))
    if pick == 0:
        return bytes(data[: int(rng.integers(len(data)))])
    if pick == 1:
        start = int(rng.integers(len(data)))
        del data[start : start + int(rng.choice([1, 4, 8, 100]))]
        return bytes(data)
    if pick == 2:
        start, to = (int(rng.integers(len(data))) for _ in range(2))
        data[to : to + 16] = data[start : start + 16]
        return bytes(data)
    structure = np.flatnonzero(np.frombuffer(content, np.uint8))
    for _ in range(int(rng.choice([1, 1, 2, 5, 20]))):
        place = int(rng.choice(structure)) if pick > 3 else int(rng.integers(len(data)))
        data[place] = int(
            rng.choice([0, 1, 2, 0x7F, 0x80, 0xFF, int(rng.integers(256)), data[place] ^ (1 << int(rng.integers(8)))])
        )
    return bytes(data)


def mutation(folder: Path, seed: int, index: int) -> bytes:
    """One of the mutations of a seed."""
    rng = np.random.default_rng((seed, index))
    files = sorted(folder.glob("*.net"))
    return mutated(rng, files[int(rng.integers(len(files)))].read_bytes())


def main(folder: Path, seed: int, first: int, end: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "x.net"
        for index in range(first, end):
            target.write_bytes(mutation(folder, seed, index))
            os.write(1, b"%d\n" % index)
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
            told(target, Path(place), vars(LIMITS))
            try:
                chip_of(contents_of(Path(place), "x.net"))
                found["read"] += 1
            except FileError:
                found["refused"] += 1
    os.write(1, f"read {found['read']} refused {found['refused']}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
