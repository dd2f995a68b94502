"""The pictures of a video, one by one, each with the time at which it is shown; PyAV decodes it.

Times are those of the video itself, so its pictures may come at any distances. Sound is not read. Pictures are turned
as the video asks for; pixels count as squares.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....toolchain.errors import FileError, UsageError
from .luma import luma

Array = npt.NDArray[Any]

FORMATS = frozenset(
    (
        "3g2", "3gp", "apng", "asf", "avi", "dv", "flv", "gif", "h264", "hevc", "ivf", "m4v", "matroska", "mj2",
        "mjpeg", "mov", "mp4", "mpeg", "mpegts", "mpegvideo", "mxf", "nut", "obu", "ogg", "rm", "webm", "yuv4mpegpipe",
    )
)  # fmt: skip
"""Containers that are read; FFmpeg's others are playlists that name other files, texts drawn as pictures and such."""
LARGEST = 1 << 14
"""Pixels along a side."""
SHORT = 0.02
"""The share of its length by which a video may end early."""
MICRO = 1_000_000
EXPECTED = "a video that FFmpeg reads: .mp4, .mkv, .webm, .avi, .mov, .gif and others"


@dataclass(frozen=True, eq=False)
class Picture:
    """What is seen at one moment.

    Args:
        time: in µs from the first picture on.
        values: whole numbers [H, W].
        table: the intensity, 0 to 255, that each of them stands for.
    """

    time: int
    values: Array
    table: Array


@dataclass
class Account:
    """What there was to say of a video, while it is read.

    Args:
        late: pictures left out because they are not later than the one before.
        damaged: pictures of which the decoder says that they are not whole.
        length: in seconds, as the file says; None where it does not.
    """

    late: int = 0
    damaged: int = 0
    length: float | None = None

    def said(self) -> list[str]:
        """In sentences."""
        found = [
            (self.late, "are not later than the one before and are left out"),
            (self.damaged, "are damaged and taken as the decoder mends them"),
        ]
        return [f"{count:,} pictures {what}" for count, what in found if count]


@dataclass(eq=False)
class _Reading:
    """Where the reading of a video is."""

    path: str
    account: Account
    count: int = 0
    last: int = -1
    longest: int = 0
    size: tuple[int, int] | None = field(default=None)

    def takes(self, time: int) -> bool:
        """Whether a picture of this time comes after the one before."""
        if time <= self.last:
            self.account.late += 1
            return False
        self.longest = max(self.longest, time - self.last if self.count else 0)
        self.last, self.count = time, self.count + 1
        return True

    def check_size(self, values: Array) -> None:
        found = (values.shape[1], values.shape[0])
        if max(found) > LARGEST:
            raise FileError(self.path, f"pictures of {found[0]} × {found[1]}", f"at most {LARGEST} along a side")
        if self.size not in (None, found):
            old = " × ".join(map(str, self.size or ()))
            raise FileError(self.path, f"picture {self.count} is {found[0]} × {found[1]}", f"{old}, as those before")
        self.size = found

    def check_end(self) -> None:
        """A FileError where there is nothing to compare, or less than the file says."""
        if self.count < 2:
            raise FileError(self.path, "no picture" if not self.count else "one picture", "at least two")
        length, end = self.account.length, (self.last + self.longest) / MICRO
        if length is not None and length - end > max(SHORT * length, 2 * self.longest / MICRO):
            raise FileError(self.path, f"ends after {end:.2f} s of {length:.2f} s: it is cut off", "a whole video")


def pictures(path: Path, account: Account) -> Iterator[Picture]:
    """All pictures of a video in order of time.

    Args:
        path: the file.
        account: is filled on the way.

    Raises:
        FileError: when it is no video, cannot be decoded, ends early or changes its size.
    """
    av, reading = _av(), _Reading(str(path), account)
    if not path.is_file():
        raise FileError(str(path), "is a folder" if path.is_dir() else "there is no such file", EXPECTED)
    try:
        with av.open(str(path), options={"protocol_whitelist": "file"}, metadata_errors="replace") as container:
            yield from _shown(_stream(container, reading), reading)
    except (av.FFmpegError, OSError, ValueError) as error:
        where = f"cannot be decoded after picture {reading.count}" if reading.count else "cannot be read as a video"
        raise FileError(str(path), f"{where} ({_short(error)})", EXPECTED) from error
    reading.check_end()


def _av() -> Any:
    """PyAV, or what to do to have it."""
    try:
        import av
    except ImportError as error:
        raise UsageError(
            "videos", "PyAV is not installed", "the extra 'video'", "run: pip install 'spikeport[video]'"
        ) from error
    return av


def _stream(container: Any, reading: _Reading) -> Any:
    """The stream of pictures, once the container is one that may be read."""
    if not FORMATS & set(container.format.name.split(",")):
        raise FileError(reading.path, f"is of the format '{container.format.name}'", EXPECTED)
    if not container.streams.video:
        raise FileError(reading.path, "holds no pictures", EXPECTED)
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    lengths = [Fraction(container.duration, MICRO)] if container.duration and len(container.streams) == 1 else []
    lengths += [stream.duration * stream.time_base] if stream.duration and stream.time_base else []
    reading.account.length = float(min(lengths)) if lengths else None
    return stream


def _shown(stream: Any, reading: _Reading) -> Iterator[Picture]:
    first: Fraction | None = None
    for frame in stream.container.decode(stream):
        moment = _moment(frame, stream, reading)
        first = moment if first is None else first
        time = round((moment - first) * MICRO)
        if reading.takes(time):
            values, table = luma(frame)
            values = _turned(values, frame.rotation, reading.path)
            reading.check_size(values)
            reading.account.damaged += bool(frame.is_corrupt)
            yield Picture(time, values, table)


def _moment(frame: Any, stream: Any, reading: _Reading) -> Fraction:
    """When a picture is shown, in seconds."""
    if frame.pts is not None and frame.time_base:
        return Fraction(frame.pts) * Fraction(frame.time_base)
    if not stream.average_rate:
        raise FileError(reading.path, f"picture {reading.count + 1} has no time", "a time, or a rate of pictures")
    return Fraction(reading.count + reading.account.late) / Fraction(stream.average_rate)


def _turned(values: Array, degrees: int, path: str) -> Array:
    if degrees % 90:
        raise FileError(path, f"pictures turned by {degrees}°", "0, 90, 180 or 270")
    return np.ascontiguousarray(np.rot90(values, degrees // 90))


def _short(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).split("\n")[0][:120]
