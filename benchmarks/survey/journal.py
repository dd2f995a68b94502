"""The journal of a survey: what has been counted, a line for each chunk, so that a run that was stopped goes on.

    line 1      spikeport-survey 1 {"identity": …, "network": …, "data": …}
    each other  CHECK NUMBER CHUNK        check: SHA-256 over identity, number and chunk; chunk in base64

Lines are only ever appended, by one process at a time (the file is locked while a run lasts, and a killed run lets go
of it). A line that was torn, or changed, does not fit its check: it is left out and its samples are counted again. The
identity is that of the job: network, data, road, the code that counts, and how samples are cut into chunks.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ...toolchain.errors import FileError
from .chunk import Chunk, packed, unpacked

FIRST = b"spikeport-survey "
VERSION = 1
LONGEST_LINE = 1 << 28
CHECK = 32
"""Digits of a check."""
SHOWN = 80


@dataclass(frozen=True)
class Journal:
    """A journal that is open, and nobody else's.

    Args:
        path: the file.
        identity: of the job.
        file: the open file, at its end.
        held: what it held when it was opened: the chunks by number.
        lost: how many lines did not fit their check.
    """

    path: Path
    identity: str
    file: BinaryIO
    held: Mapping[int, Chunk]
    lost: int

    def add(self, number: int, chunk: Chunk) -> None:
        """One more chunk, on its way to the disk when this returns: killing this process does not take it away."""
        data = base64.b64encode(packed(chunk))
        try:
            self.file.write(b"%s %d %s\n" % (_check(self.identity, number, data), number, data))
            self.file.flush()
        except OSError as error:
            raise FileError(str(self.path), f"cannot be written: {error.strerror or error}") from error


@contextlib.contextmanager
def opened(path: Path, about: Mapping[str, str], *, anew: bool = False) -> Iterator[Journal]:
    """The journal of a job, made where there is none.

    Args:
        path: the file.
        about: the job, in words; its `identity` decides whether this is its journal.
        anew: forget what is in it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    except OSError as error:
        raise FileError(str(path), f"cannot be written: {error.strerror or error}", fix="choose another") from error
    with file:
        _lock(path, file)
        if anew:
            _forget(path, file)
        held, lost, end = _read(path, file, about)
        file.truncate(end)
        if end == 0:
            file.write(FIRST + f"{VERSION} {json.dumps(dict(about))}\n".encode())
            file.flush()
        try:
            yield Journal(path, about["identity"], file, held, lost)
        finally:
            os.fsync(file.fileno())


def _lock(path: Path, file: BinaryIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        fix = "wait until it has ended, or choose another file"
        raise FileError(str(path), "another run is counting into it right now", "one run at a time", fix) from None


def _forget(path: Path, file: BinaryIO) -> None:
    """Empties a journal; what is none stays as it is."""
    file.seek(0)
    if not FIRST.startswith(file.read(len(FIRST))):
        raise FileError(str(path), "is no journal of a survey", "one, or a new name", "choose another name")
    file.truncate(0)


def _read(path: Path, file: BinaryIO, about: Mapping[str, str]) -> tuple[dict[int, Chunk], int, int]:
    """The chunks, how many lines were no good, and where the last whole line ends."""
    file.seek(0)
    first = file.readline(LONGEST_LINE)
    if not first.endswith(b"\n") and FIRST.startswith(first[: len(FIRST)]):
        return {}, 0, 0  # nothing, or the run was killed while it wrote its first line
    _check_head(path, first, about)
    held: dict[int, Chunk] = {}
    lost, end = 0, file.tell()
    while line := file.readline(LONGEST_LINE):
        if line.endswith(b"\n"):
            end = file.tell()
        number, data = _line(line, about["identity"])
        if data is None:
            lost += 1
        else:
            held[number] = unpacked(data, str(path))
    return held, lost, end


def _check_head(path: Path, first: bytes, about: Mapping[str, str]) -> None:
    """Refuses what is no journal, and the journal of another job."""
    version, _, text = first.removeprefix(FIRST).partition(b" ")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not first.startswith(FIRST) or not isinstance(found, dict):
        raise FileError(str(path), "is no journal of a survey", "one, or a new name", "choose another name")
    differs = [name for name in about if name != "identity" and found.get(name) != about[name]]
    if version == b"%d" % VERSION and found.get("identity") == about["identity"]:
        return
    fix = "choose another name, or start it anew: --restart"
    if version != b"%d" % VERSION or not differs:
        raise FileError(str(path), "is the journal of another job", "that of this one", fix)
    name = differs[0]
    was = f"is the journal of another job: its {name} is {str(found.get(name))[:SHOWN]}"
    raise FileError(str(path), was, about[name], fix)


def _line(line: bytes, identity: str) -> tuple[int, bytes | None]:
    """The number and the bytes of a chunk; no bytes where the line does not fit its check."""
    words = line.split()
    if len(words) != 3 or not line.endswith(b"\n") or not words[1].isdigit() or len(words[1]) > CHECK:
        return 0, None
    check, number, data = words[0], int(words[1]), words[2]
    if check != _check(identity, number, data):
        return 0, None
    try:
        return number, base64.b64decode(data, validate=True)
    except binascii.Error:
        return 0, None


def _check(identity: str, number: int, data: bytes) -> bytes:
    found = hashlib.sha256(f"{identity} {number} ".encode())
    found.update(data)
    return found.hexdigest()[:CHECK].encode()
