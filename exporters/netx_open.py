"""What a netx file holds, as plain arrays."""

from __future__ import annotations

from pathlib import Path

from ..toolchain.hdf5_open import Contents, Limits, contents_in, open_hdf5
from ..toolchain.opening import Wanted

EXPECTED = "a netx file: HDF5 with groups /layer/0, /layer/1, …"
FIX = "export the network again"
NETX = Wanted("netx", "HDF5's library", EXPECTED, FIX)
LIMITS = Limits(depth=5, objects=20_000, size=1 << 30, word="a netx file")
"""A netx file goes as deep as /layer/3/weight/real, and one more for what should not be there."""


def open_contents(path: str | Path) -> Contents:
    """All that a netx file holds.

    Raises:
        FileError: when it is no such file, or must not be read.
    """
    return open_hdf5(path, NETX, LIMITS)


def contents_of(folder: Path, name: str) -> Contents:
    """What the process has left in its folder.

    Raises:
        FileError: when that is an error.
    """
    return contents_in(folder, name, NETX)


__all__ = ["EXPECTED", "FIX", "LIMITS", "NETX", "Contents", "contents_of", "open_contents"]
