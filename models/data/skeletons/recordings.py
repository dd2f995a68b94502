"""Reads the text files of NTU RGB+D: frames, in each the bodies of that moment, of each body 25 joints.

    frames
    for each frame:     bodies
      for each body:    id and 9 numbers: clipped edges, hands' confidence and state, restricted, lean x and y, tracking
                        joints, always 25
        for each joint: x y z in metres, x y in the depth picture, x y in the colour picture, w x y z of the
                        orientation, tracking state

A file may come from a stranger: nothing is taken from it before it has been compared with how long the file is.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....toolchain.errors import FileError

Array = npt.NDArray[Any]

JOINTS, NUMBERS, HEADER = 25, 12, 10
"""Joints of a body, numbers of a joint, numbers of a body."""
LARGEST_FILE = 64 << 20
MOST_LINES, MOST_FRAMES, MOST_BODIES = 2_000_000, 100_000, 64
"""What no recording comes near: an hour, and ten times the bodies that a Kinect sees."""
FARTHEST = 1e6
"""No joint is farther from the camera, in metres."""

_FIX = "copy the file again from the data set"
_BLOCK = JOINTS + 2


@dataclass(frozen=True, eq=False)
class Recording:
    """What a file holds: one row for every body in every frame.

    Args:
        frames: how many there are, those without a body too.
        ids: of the bodies, rising.
        frame: the frame of each row, rising, int64 [R].
        body: the place in `ids` of each row, int64 [R].
        flags: the 9 numbers behind the id, float64 [R, 9].
        joints: float64 [R, 25, 12].
    """

    frames: int
    ids: tuple[int, ...]
    frame: Array
    body: Array
    flags: Array
    joints: Array


def read_recording(path: str | Path) -> Recording:
    """Reads a .skeleton file.

    Raises:
        FileError: with the number of the line, when it is not what the format says.
    """
    file = _File(str(path), _lines(Path(path)))
    total = file.count(0, "frames", MOST_FRAMES)
    frame, places = _blocks(file, total)
    flags = file.numbers([lines + 1 for lines in places], 1, HEADER, "a body's id and 9 numbers")[:, 0, 1:]
    joints = file.numbers([lines + 3 for lines in places], JOINTS, NUMBERS, "the 12 numbers of a joint")
    _check_places(file, places, joints)
    ids, body = _bodies(file, frame, places)
    return Recording(total, ids, np.asarray(frame), body, flags, joints)


@dataclass(frozen=True)
class _File:
    """A file's lines; those that are wrong are named by their number, which begins at 1."""

    path: str
    lines: Sequence[bytes]

    def error(self, number: int, found: str, expected: str) -> FileError:
        return FileError(f"{self.path}, line {number}", found, expected, _FIX)

    def count(self, place: int, what: str, most: int) -> int:
        """The number of things that the line at a place announces."""
        text = self.lines[place].strip()
        if not (text.isdigit() and len(text) <= 9 and int(text) <= most):
            raise self.error(place + 1, shown(text), f"the number of {what}, at most {most}")
        return int(text)

    def numbers(self, starts: Sequence[int], height: int, width: int, what: str) -> Array:
        """The numbers in blocks of lines, [blocks, height, width].

        Args:
            starts: the number of the first line of each block.
            height: the lines of a block.
            width: the numbers of a line.
            what: they are, for messages.
        """
        rows = [row for start in starts for row in self.lines[start - 1 : start - 1 + height]]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that nothing but empty lines came: the shape below says it
                values = np.loadtxt(rows, comments=None, ndmin=2, encoding="latin1")
        except (ValueError, OverflowError) as error:
            values, reason = np.empty((0, 0)), str(error)
        else:
            reason = "an empty line"
        if values.shape != (len(rows), width):
            place = next((n for n, row in enumerate(rows) if not _is_row(row, width)), None)
            if place is None:
                raise FileError(self.path, reason.split("\n")[0][:200], what, _FIX)
            raise self.error(starts[place // height] + place % height, shown(rows[place]), what)
        return values.reshape(len(starts), height, width)


def _is_row(row: bytes, width: int) -> bool:
    words = row.split()
    try:
        return len([float(word) for word in words]) == width
    except ValueError:
        return False


def shown(text: bytes) -> str:
    """What a line says, without what would move a terminal's cursor, and not too long."""
    start = text[:60].decode("latin1")
    printable = "".join(letter if letter.isprintable() else "?" for letter in start)
    return f"'{printable}{'…' if len(text) > 60 else ''}'" if text.strip() else "an empty line"


def _lines(path: Path) -> list[bytes]:
    data = content(path, LARGEST_FILE, "a .skeleton file")
    if data.count(b"\n") > MOST_LINES:
        raise FileError(str(path), f"more than {MOST_LINES} lines", "a .skeleton file", _FIX)
    return data.splitlines()


def content(path: Path, most: int, expected: str) -> bytes:
    """The bytes of a plain file that is not empty and has at most so many of them."""
    try:
        if not path.is_file():
            found = "is a folder" if path.is_dir() else "is no plain file" if path.exists() else "does not exist"
            raise FileError(str(path), found, expected)
        size = path.stat().st_size
        if not 0 < size <= most:
            found = f"has {size:,} bytes" if size else "is empty"
            raise FileError(str(path), found, f"{expected}, at most {most:,} bytes", _FIX)
        with path.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as error:
        raise FileError(str(path), f"cannot be read ({error.strerror})") from error


def _blocks(file: _File, total: int) -> tuple[list[int], list[int]]:
    """For every body in every frame: the frame, and the place of its first line."""
    frames: list[int] = []
    places: list[int] = []
    at = 1
    for frame in range(total):
        _check_length(file, at + 1, frame, total)
        bodies = file.count(at, "bodies", MOST_BODIES)
        at += 1
        for _ in range(bodies):
            _check_length(file, at + 2, frame, total)
            joints = file.count(at + 1, "joints", MOST_LINES)
            if joints != JOINTS:
                raise file.error(at + 2, f"{joints} joints", f"{JOINTS}")
            _check_length(file, at + _BLOCK, frame, total)
            frames.append(frame)
            places.append(at)
            at += _BLOCK
    more = next((number for number, line in enumerate(file.lines[at:], at + 1) if line.strip()), None)
    if more is not None:
        raise file.error(more, shown(file.lines[more - 1]), f"nothing behind the {total} frames it announces")
    if not places:
        raise FileError(file.path, f"no body in any of its {total} frames", "a skeleton", "leave this file out")
    return frames, places


def _check_length(file: _File, wanted: int, frame: int, total: int) -> None:
    if wanted > len(file.lines):
        found = f"the file ends in frame {frame + 1} of {total}"
        raise file.error(len(file.lines), found, f"at least {wanted} lines")


def _check_places(file: _File, places: list[int], joints: Array) -> None:
    """Only what is used must be finite: Kinect says NaN and infinity of points outside of its pictures."""
    good = (np.abs(joints[..., :3]) <= FARTHEST).all(axis=2)
    if not good.all():
        row, joint = (int(number) for number in np.argwhere(~good)[0])
        line = places[row] + 3 + joint
        raise file.error(line, f"the place {shown(file.lines[line - 1])}", "three finite numbers of metres first")


def _bodies(file: _File, frame: list[int], places: list[int]) -> tuple[tuple[int, ...], Array]:
    """The ids of all bodies, and which of them each row is."""
    found = [_id(file, place) for place in places]
    ids = tuple(sorted(set(found)))
    seen: set[tuple[int, int]] = set()
    for pair, place in zip(zip(frame, found, strict=True), places, strict=True):
        if pair in seen:
            raise file.error(place + 1, f"body {pair[1]} for the second time in frame {pair[0] + 1}", "each body once")
        seen.add(pair)
    number: Callable[[int], int] = {each: index for index, each in enumerate(ids)}.__getitem__
    return ids, np.fromiter(map(number, found), np.int64, len(found))


def _id(file: _File, place: int) -> int:
    word = file.lines[place].split()[0]
    if not (word.isdigit() and len(word) <= 20):
        raise file.error(place + 1, shown(word), "the id of a body, a whole number")
    return int(word)
