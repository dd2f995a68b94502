"""A video as a file of events, beside it the frames and voxels that are asked for: all of it or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ....toolchain.errors import FileError, UsageError
from ....toolchain.kernels.dvs_area import area_mean
from ....toolchain.writing import files_whole
from .counted import Size, frames_of
from .emulator import Emulator, levels_of
from .files import EXTRAS, FORMAT, About, Recording, about_file, extra, write_npz
from .model import DvsModel
from .video import Account, pictures

Array = npt.NDArray[Any]
FORMS = ("h5", "npz")
FITS = ("stretch", "crop")
MOST_VALUES = 1 << 28
MICRO = 1_000_000


@dataclass(frozen=True)
class Ask:
    """What shall be made of each video.

    Args:
        model: the pixel.
        seed: of its thresholds and its noise.
        form: of the file of events: h5 or npz.
        size: width and height of the camera, where they are others than the video's.
        fit: how a video of another shape comes to that size: stretched, or cropped around its middle.
        frames: so many frames of zeros and ones.
        fps: or so many for each second.
        voxels: a voxel grid of so many bins.
        frame_size: width and height of frames and voxels, where they are others than the camera's.
    """

    model: DvsModel = field(default_factory=DvsModel)
    seed: int = 0
    form: str = "h5"
    size: Size | None = None
    fit: str = "stretch"
    frames: int | None = None
    fps: float | None = None
    voxels: int | None = None
    frame_size: Size | None = None

    def __post_init__(self) -> None:
        for name, known in (("form", FORMS), ("fit", FITS)):
            if getattr(self, name) not in known:
                raise UsageError(f"--{name}", f"'{getattr(self, name)}'", " or ".join(known))
        if self.frames is not None and self.fps is not None:
            raise UsageError("--fps", "a rate beside --frames", "one of them", "leave one out")
        if self.fps is not None and not 0 < self.fps <= MICRO:
            raise UsageError("--fps", f"{self.fps:g}", "a positive number, at most a million")
        if self.frame_size and not (self.frames or self.fps or self.voxels):
            raise UsageError("--frame-size", "a size of no frames", "--frames, --fps or --voxels beside it")


@dataclass(frozen=True)
class Made:
    """What became of a video.

    Args:
        source: the video.
        file: of its events.
        about: what the file says of itself.
        skipped: whether it was there already.
    """

    source: Path
    file: Path
    about: Mapping[str, Any]
    skipped: bool


def made_of(source: Path, folder: Path, ask: Ask, say: Callable[[int, int], None]) -> Made:
    """Makes the events of a video, unless they are there already.

    Args:
        source: the video.
        folder: where its files go.
        ask: what to make.
        say: is told pictures and events so far.

    Raises:
        FileError: when the video cannot be read or the files cannot be written; then nothing new is there.
    """
    target, wanted = folder / f"{source.stem}.{ask.form}", _wanted(source, ask)
    older = about_file(target) if target.exists() else {}
    if _finished(target, older, wanted):
        return Made(source, target, older, skipped=True)
    with files_whole(target) as draft:
        about = _written(source, draft, ask, wanted, say)
        for kind in _extras_in(older).keys() - about["extras"].keys():
            extra(target, kind).unlink(missing_ok=True)  # of other events than those that now take their place
    return Made(source, target, about, skipped=False)


def _wanted(source: Path, ask: Ask) -> dict[str, Any]:
    """What makes a file of events what it is: the video and all settings."""
    if not source.is_file():
        raise FileError(str(source), "is a folder" if source.is_dir() else "there is no such file", "a video")
    settings = asdict(ask) | {
        "size": ask.size and list(ask.size),
        "frame_size": ask.frame_size and list(ask.frame_size),
    }
    return {"format": FORMAT, "source": {"name": source.name, "sha256": _digest(source)}, "settings": settings}


def _finished(target: Path, about: About, wanted: About) -> bool:
    """Whether this very file was made before, and what lies beside it was made with it.

    A run may have been killed between two files: then the one beside is of other settings than this one.
    """
    same = isinstance(about.get("extras"), dict) and all(about.get(name) == value for name, value in wanted.items())
    return same and all(_is_of(extra(target, kind), digest) for kind, digest in _extras_in(about).items())


def _extras_in(about: About) -> Mapping[str, object]:
    """The kinds of files that a file says are beside it, with their SHA-256."""
    said = about.get("extras", {})
    return {kind: said[kind] for kind in EXTRAS if kind in said} if isinstance(said, dict) else {}


def _is_of(path: Path, digest: object) -> bool:
    return path.is_file() and _digest(path) == digest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(
    source: Path, draft: Path, ask: Ask, wanted: Mapping[str, Any], say: Callable[[int, int], None]
) -> Mapping[str, Any]:
    """Writes the draft of a file of events and what belongs to it."""
    spool, account = draft.with_suffix(".spool"), Account()
    place, times = draft if ask.form == "h5" else spool, list[int]()
    recording = Recording(place)
    try:
        size = _recorded(source, account, recording, times, ask, say)
        about = {**wanted, "size": list(size), "stretch": [times[0], times[-1]], "pictures": len(times)}
        about |= {"seconds": times[-1] / MICRO, "said": account.said()}
        recording.finish(times)
        about |= {"events": recording.count, "on": recording.on}
        about["extras"] = _extras(recording, draft, ask, size, times[-1])
        recording.tell(about)
        if ask.form == "npz":
            write_npz(draft, recording, about, times)
    finally:
        recording.close()
        spool.unlink(missing_ok=True)
    return about


def _recorded(
    source: Path, account: Account, recording: Recording, times: list[int], ask: Ask, say: Callable[[int, int], None]
) -> Size:
    """Feeds the pictures to a camera of their size, or of the size that is asked for; gives that size."""
    camera: Emulator | None = None
    tables = _Tables()
    total = 0
    for picture in pictures(source, account):
        values = _cropped(picture.values, ask.size) if ask.size and ask.fit == "crop" else picture.values
        if camera is None:
            with _blamed_on(source):
                camera = Emulator(ask.size or (values.shape[1], values.shape[0]), ask.model, ask.seed)
        if camera.size == (values.shape[1], values.shape[0]):
            level, bright = (table[values] for table in tables.of(picture.table))
        else:
            level, bright = levels_of(area_mean(values, picture.table, camera.size))
        with _blamed_on(source):
            events = camera.feed_levels(level, bright, picture.time)
        recording.append(events)
        times.append(picture.time)
        total += len(events)
        say(len(times), total)
    return camera.size if camera else (0, 0)


@contextmanager
def _blamed_on(source: Path) -> Iterator[None]:
    """What a camera cannot do is said of the video."""
    try:
        yield
    except UsageError as error:
        raise FileError(str(source), error.found, error.expected, error.fix) from error


class _Tables:
    """L and ι of the intensities of a table, worked out once for all pictures that share it."""

    def __init__(self) -> None:
        self._of: Array | None = None
        self._levels: tuple[Array, Array] = (np.zeros(0), np.zeros(0))

    def of(self, table: Array) -> tuple[Array, Array]:
        if table is not self._of:
            self._of, self._levels = table, levels_of(table)
        return self._levels


def _cropped(values: Array, size: Size) -> Array:
    """The largest part around the middle that has the shape of this size."""
    height, width = values.shape
    columns, rows = min(width, max(1, height * size[0] // size[1])), min(height, max(1, width * size[1] // size[0]))
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(values[top : top + rows, left : left + columns])


def _extras(recording: Recording, draft: Path, ask: Ask, size: Size, end: int) -> dict[str, str]:
    """Writes frames and voxels beside the draft; gives their SHA-256 by kind."""
    steps = ask.frames or (max(1, round(ask.fps * end / MICRO)) if ask.fps else 0)
    columns, rows = ask.frame_size or size
    if max(2 * steps, ask.voxels or 0) * columns * rows > MOST_VALUES:
        raise UsageError("--frames", f"{steps} of {columns} × {rows}", f"at most {MOST_VALUES:,} values", "take fewer")
    stretch, made = (0, end), dict[str, Array]()
    if steps:
        seen = np.zeros((steps, 2, rows, columns), np.uint8)
        for piece in recording.pieces():
            seen |= frames_of(piece, stretch, steps, size, (columns, rows))
        made["frames"] = seen
    if ask.voxels:
        from .voxels import voxels_of

        made["voxels"] = voxels_of(recording.pieces(), stretch, ask.voxels, size, (columns, rows)).astype(np.float32)
    for kind, values in made.items():
        np.savez_compressed(extra(draft, kind), allow_pickle=False, events=values[:, None])
    return {kind: _digest(extra(draft, kind)) for kind in made}
