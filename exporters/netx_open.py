"""Opens an HDF5 file that may come from a stranger: another process reads it, and hands over plain arrays.

A file that makes HDF5's library crash, hang or take all memory costs that process its life, and gives a message here.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..toolchain.errors import FileError
from ..toolchain.graph.nodes.base import Array
from ..toolchain.guarded import folder_for, guarded

READER = Path(__file__).with_name("netx_tree.py")
SECONDS = 60.0
"""How long the process may take before it counts as hanging, and one more for every `SPEED` bytes of the file."""
SPEED = 5 << 20
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
EXPECTED = "a netx file: HDF5 with groups /layer/0, /layer/1, …"
FIX = "export the network again"


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds.

    Args:
        name: of the file, for messages.
        values: numbers and texts by path; texts are arrays of bytes.
        groups: the paths of groups.
        others: the paths of what is neither, and what it is.
    """

    name: str
    values: Mapping[str, Array]
    groups: frozenset[str]
    others: Mapping[str, str] = field(default_factory=dict)

    def below(self, group: str) -> tuple[str, ...]:
        """The names in a group."""
        every = (*self.values, *self.groups, *self.others)
        start = f"{group}/"
        return tuple(sorted(p[len(start) :] for p in every if p.startswith(start) and "/" not in p[len(start) :]))


def open_contents(path: str | Path) -> Contents:
    """All that an HDF5 file holds.

    Raises:
        FileError: when it is no such file, or must not be read.
    """
    file = Path(path)
    if not file.is_file():
        found = "is a folder" if file.is_dir() else "does not exist" if not file.exists() else "is no plain file"
        raise FileError(str(path), found, EXPECTED)
    try:
        with file.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise FileError(str(path), f"cannot be read: {error.strerror}") from error
    with folder_for("netx") as folder:
        _read_there(file.absolute(), folder, str(path))
        return contents_of(folder, str(path))


def contents_of(folder: Path, name: str) -> Contents:
    """What the process has left in its folder.

    Raises:
        FileError: when that is an error.
    """
    status: dict[str, Any] = json.loads((folder / "status.json").read_text())
    if "error" in status:
        where = f"{name}, {status['where']}" if status["where"] else name
        raise FileError(where, status["error"], EXPECTED, FIX)
    paths = [(str(index), path, kind) for index, (path, kind) in enumerate(status["entries"])]
    with np.load(folder / "values.npz", allow_pickle=False) as held:
        values = {path: held[key] for key, path, kind in paths if kind in ("array", "text")}
    groups = frozenset(path for _, path, kind in paths if kind == "group")
    others = {path: kind for _, path, kind in paths if kind not in ("array", "text", "group")}
    return Contents(name, values, groups, others)


def _read_there(file: Path, folder: Path, name: str) -> None:
    """Lets the other process read the file."""
    command: list[str | Path] = [sys.executable, "-I", READER, file, folder]
    with guarded(command, folder / "log", environment=ONE_THREAD) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS + file.stat().st_size // SPEED)
        code = process.poll()
    if not (folder / "status.json").exists():
        raise FileError(name, f"makes HDF5's library {_ending(code)}", EXPECTED, FIX)


def _ending(code: int | None) -> str:
    if code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "go on without end"
    return f"fail (signal {-code})" if code < 0 else f"fail (exit code {code})"
