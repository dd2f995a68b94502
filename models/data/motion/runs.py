"""What `data synth` does and shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from rich.console import Group
from rich.text import Text

from ....toolchain.console import Result, working
from ....toolchain.errors import FileError, UsageError
from ....toolchain.tables import by, number, table
from ....toolchain.writing import check_place
from ..clips import Clips, save_clips
from ..samples import Part
from .actions import ACTIONS
from .making import STREAMS, ClipsConfig, clips
from .sensing import EventsConfig, SkeletonsConfig
from .strips import write_strips
from .videos import VIDEO_SIZE, write_videos

EVERY_S = 2.0
"""How often it is said how far the work is."""
MOST_BYTES = 4 << 30
BYTES = {"skeleton": 600, "events": 2048, "video": 3, "depth": 4, "pose": 408, "points": 3072}
"""Of a step of a clip; of video and depth for each pixel."""


@dataclass(frozen=True)
class Asked:
    """What is wanted.

    Args:
        folder: where to write.
        counts: clips of each part; a part of none is not written.
        seed: draws everything.
        streams: names of sensors' streams.
        steps: of a clip.
        size: height and width of video and depth.
        videos: how many to write as .mp4 and .skeleton.
    """

    folder: Path
    counts: Mapping[str, int]
    seed: int
    streams: tuple[str, ...]
    steps: int
    size: int
    videos: int

    def __post_init__(self) -> None:
        unknown = [name for name in self.streams if name not in STREAMS]
        if unknown:
            raise UsageError("--streams", f"{unknown[0]!r}", ", ".join(STREAMS))
        if not any(self.counts.values()) and not self.videos:
            raise UsageError("data synth", "no clips and no videos", "at least one of something")
        size = max(self.counts.values()) * self.steps * sum(map(self._bytes, self.streams))
        if size > MOST_BYTES:
            fix = "take fewer clips, smaller pictures or fewer streams, or several folders of other seeds"
            raise UsageError("data synth", f"a file of {number(size / 1e9, 2)} GB", "at most 4 GB in a file", fix)

    def _bytes(self, stream: str) -> int:
        return BYTES[stream] * (self.size**2 if stream in ("video", "depth") else 1)

    @property
    def config(self) -> ClipsConfig:
        """Sensors of so many steps."""
        return ClipsConfig(SkeletonsConfig(self.steps), EventsConfig(self.steps), self.size)


def written(asked: Asked) -> Result:
    """Writes the clips of all parts, then the videos; a file is whole or not there."""
    _folder(asked.folder)
    parts = {part: count for part, count in asked.counts.items() if count}
    files = {part: asked.folder / f"{part}.npz" for part in parts}
    for file in files.values():
        check_place(file)
    start, made = time.monotonic(), dict[str, Clips]()
    with working("making clips") as tell:
        for part, count in parts.items():
            made[part] = clips(
                cast("Part", part), count, asked.seed, asked.streams, asked.config, _progress(part, count, tell)
            )
            save_clips(files[part], made[part])
    videos = _videos(asked)
    return _result(asked, files, made, videos, time.monotonic() - start)


def pictured(folder: Path) -> Result:
    """Writes the pictures of the actions."""
    _folder(folder)
    with working("drawing the actions"):
        files = [str(file) for file in write_strips(folder)]
    return Result({"files": files}, Text(f"{len(files)} pictures written to {folder}"))


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(str(folder), f"cannot be made: {error.strerror or error}", "a folder") from error


def _progress(part: str, count: int, tell: Callable[[str], None]) -> Callable[[int], None]:
    last = time.monotonic()

    def done(now: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            tell(f"{part}, {now} of {count}")

    return done


def _videos(asked: Asked) -> list[Path]:
    if not asked.videos:
        return []
    folder = asked.folder / "videos"
    _folder(folder)
    with working("writing videos") as tell:
        return write_videos(folder, asked.videos, asked.seed, asked.steps, max(asked.size, VIDEO_SIZE), tell)


def _result(
    asked: Asked, files: Mapping[str, Path], made: Mapping[str, Clips], videos: list[Path], seconds: float
) -> Result:
    shapes = {part: {name: list(each.shape) for name, each in own.streams.items()} for part, own in made.items()}
    data = {
        "folder": str(asked.folder),
        "seed": asked.seed,
        "classes": list(ACTIONS),
        "files": {part: str(file) for part, file in files.items()},
        "shapes": shapes,
        "videos": [str(each) for each in videos],
        "seconds": round(seconds, 1),
    }
    rows = [
        (str(files[part]), str(len(own)), "; ".join(f"{name} {by(each.shape)}" for name, each in own.streams.items()))
        for part, own in made.items()
    ]
    head = Text(
        f"{sum(map(len, made.values()))} clips of {len(ACTIONS)} actions, seed {asked.seed}, in {seconds:.0f} s"
    )
    clips_made = [Group(head, table(("file", "clips", "streams (steps, clips, shape)"), rows))] if made else []
    last = [Text(f"{len(videos)} videos with their skeletons: {asked.folder / 'videos'}")] if videos else []
    return Result(data, Group(*clips_made, *last))
