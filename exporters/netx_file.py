"""The netx files of lava-dl: a chain of layers as HDF5, from a chip graph and back."""

from __future__ import annotations

from pathlib import Path

from ..toolchain.loihi.chip_graph import ChipGraph
from .netx_loading import Loading
from .netx_open import open_contents
from .netx_reader import chip_of
from .netx_writer import netx_file, write_file


def write(chip: ChipGraph, path: str | Path) -> tuple[str, ...]:
    """Writes a chip graph as a netx file, so that lava-dl's loader builds a network that sends the same.

    Args:
        chip: a chain: one input, one output, each layer read by the next.
        path: the file.

    Returns:
        What whoever loads the file has to know: how the loader has to be called, and what it does otherwise.

    Raises:
        Refused: when the loader cannot be made to build this network, with every reason.
        FileError: when the file cannot be written.
    """
    file = netx_file(chip)
    write_file(file, path)
    return file.remarks


def read(path: str | Path, loading: Loading | None = None) -> ChipGraph:
    """The chip graph that lava-dl's loader would build from a netx file, with the same integers.

    Args:
        path: the file.
        loading: how the loader is called; by default as the file says, or with the loader's own defaults.

    Raises:
        FileError: when it is no netx file, or one that the loader would fail on.
    """
    return read_with_remarks(path, loading)[0]


def read_with_remarks(path: str | Path, loading: Loading | None = None) -> tuple[ChipGraph, tuple[str, ...]]:
    """As `read`, with a line for everything in the file that the loader would ignore or destroy.

    Args:
        path: the file.
        loading: how the loader is called; by default as the file says, or with the loader's own defaults.

    Raises:
        FileError: when it is no netx file, or one that the loader would fail on.
    """
    return chip_of(open_contents(path), loading)
