"""Opens a file that may come from a stranger: another process reads it, and leaves what it holds in a folder.

A file that makes a library crash, hang or take all memory costs that process its life, and gives a message here. The
process is a script that imports nothing of this package: `python -I SCRIPT FILE FOLDER ARGUMENT…`. It leaves at least

    status.json     {"where": place in the file, "error": what is wrong there}, or what the format's own reader expects
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import FileError
from .guarded import folder_for, guarded

SECONDS = 60.0
"""How long the process may take before it counts as hanging, and one more for every `SPEED` bytes of the file."""
SPEED = 5 << 20
SHORT, LONG = 200, 400
"""How many characters of a name in a file, and of a line, are printed."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Wanted:
    """What a file should be.

    Args:
        word: the format, for the name of the folder.
        library: that reads it, for messages.
        expected: what a file of the format is.
        fix: what to do about one that is not.
    """

    word: str
    library: str
    expected: str
    fix: str


@contextmanager
def opened(path: str | Path, script: Path, wanted: Wanted, *arguments: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder in which the process has left what the file holds, and its status.

    Args:
        path: the file.
        script: that reads it.
        wanted: what it should be.
        arguments: for the script, behind the file and the folder.

    Raises:
        FileError: when it is no such file, or must not be read.
    """
    file = checked_file(path, wanted)
    with folder_for(wanted.word) as folder:
        _read_there(file.absolute(), script, folder, str(path), wanted, arguments)
        yield folder, status_of(folder, str(path), wanted)


def checked_file(path: str | Path, wanted: Wanted) -> Path:
    """The file, once it is a plain one that can be read."""
    file = Path(path)
    if not file.is_file():
        found = "is a folder" if file.is_dir() else "does not exist" if not file.exists() else "is no plain file"
        raise FileError(str(path), found, wanted.expected)
    try:
        with file.open("rb") as stream:
            stream.read(1)
    except OSError as error:
        raise FileError(str(path), f"cannot be read: {error.strerror}") from error
    return file


def status_of(folder: Path, name: str, wanted: Wanted) -> dict[str, Any]:
    """What the process says of the file.

    Raises:
        FileError: when that is an error.
    """
    status: dict[str, Any] = json.loads((folder / "status.json").read_text())
    if "error" in status:
        where = f"{name}, {printable(status['where'])}" if status["where"] else name
        raise FileError(where, printable(status["error"], LONG), wanted.expected, wanted.fix)
    return status


def printable(text: str, most: int = SHORT) -> str:
    """What a file says, without what would move a terminal's cursor, and not too long."""
    cut = text if len(text) <= most else f"{text[:most]}…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "?" for c in cut)


def _read_there(file: Path, script: Path, folder: Path, name: str, wanted: Wanted, arguments: tuple[str, ...]) -> None:
    """Lets the other process read the file."""
    command: list[str | Path] = [sys.executable, "-I", script, file, folder, *arguments]
    with guarded(command, folder / "log", environment=ONE_THREAD) as process:
        with suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS + file.stat().st_size // SPEED)
        code = process.poll()
    if not (folder / "status.json").exists():
        raise FileError(name, f"makes {wanted.library} {_ending(code)}", wanted.expected, wanted.fix)


def _ending(code: int | None) -> str:
    if code is None or code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "go on without end"
    return f"fail (signal {-code})" if code < 0 else f"fail (exit code {code})"
