"""The work of `spikeport data events`: video after video, the rest even where one of them cannot be read."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from ....toolchain.console import Result, say, working
from ....toolchain.errors import FileError, Refused, SpikeportError, UsageError
from ....toolchain.tables import table
from .convert import Ask, Made, made_of
from .files import extra

SUFFIXES = (
    ".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp", ".mts", ".gif",
)  # fmt: skip
"""What of a folder is a video."""
EVERY_S, EVERY_LOG_S = 0.2, 30.0
"""How often it is said how far a video is: to a person who looks on, and in a log."""


def made_all(given: Sequence[Path], folder: Path, ask: Ask) -> Result:
    """Makes the events of all videos, and of those in folders.

    Raises:
        SpikeportError: when one of them could not be made; the others are.
    """
    places = [(video, folder / below) for place in given for video, below in _videos_in(place)]
    videos = [video for video, _ in places]
    _check_names(places)
    new = not folder.exists()
    _make(folder)
    made, errors = [], list[SpikeportError]()
    with working(f"events of {len(videos)} videos" if len(videos) > 1 else f"events of {videos[0]}") as tell:
        for index, (video, place) in enumerate(places):
            name = f"{video.name} ({index + 1} of {len(videos)})"
            try:
                _make(place)
                made.append(made_of(video, place, ask, _progress(name, tell)))
            except SpikeportError as error:
                errors.append(error)
                if len(videos) > 1:
                    say(f"{name}: left out: {error}")
    if errors:
        if new and not made:
            _take_away(folder)
        raise (
            errors[0] if len(errors) == len(videos) == 1 else Refused(f"{len(errors)} of {len(videos)} videos", errors)
        )
    return _result(made, folder)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(str(folder), f"cannot be made: {error.strerror or error}", "a folder") from error


def _take_away(folder: Path) -> None:
    """A new folder goes again, with the folders in it, unless something came into one of them."""
    below = [each for each in folder.rglob("*") if each.is_dir()]
    with contextlib.suppress(OSError):
        for each in [*sorted(below, reverse=True), folder]:
            each.rmdir()


def _videos_in(place: Path) -> list[tuple[Path, Path]]:
    """A video, or all that are called as videos are in a folder and those below; each with the folder below that."""
    if not place.is_dir():
        return [(place, Path())]
    found = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not found:
        raise FileError(str(place), "no video in it", f"files that end in {', '.join(SUFFIXES)}")
    return [(file, file.parent.relative_to(place)) for file in found]


def _check_names(places: Sequence[tuple[Path, Path]]) -> None:
    """Two videos may not want the same file."""
    wanted = Counter((folder, video.stem) for video, folder in places)
    twice = [each for each, count in wanted.items() if count > 1]
    if twice:
        found = ", ".join(str(video) for video, folder in places if (folder, video.stem) == twice[0])
        raise UsageError("VIDEO…", found, "names that differ before the suffix", "make them in several folders")


def _progress(name: str, tell: Callable[[str], None]) -> Callable[[int, int], None]:
    """Says how far a video is, not too often."""
    pause = EVERY_S if sys.stderr.isatty() else EVERY_LOG_S
    due = time.monotonic() + (0 if sys.stderr.isatty() else pause)

    def so_far(pictures: int, events: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + pause
            tell(f"{name}: {pictures:,} pictures, {events:,} events")

    return so_far


def _result(made: Sequence[Made], folder: Path) -> Result:
    rows = [_row(each) for each in made]
    titles = ["video", f"events in {folder.name or folder}", ">pictures", ">seconds", ">size", ">events", ">ON", ""]
    notes = [Text(f"{row['source']}: {sentence}") for row in rows for sentence in row["said"]]
    data = {"videos": rows, "settings": made[0].about["settings"] if made else {}}
    return Result(data, Group(table(titles, [_cells(row, folder) for row in rows]), *notes))


def _cells(row: Mapping[str, Any], folder: Path) -> list[str]:
    width, height = row["size"]
    on = f"{row['on'] / max(1, row['events']):.0%}"
    counts = [f"{row['pictures']:,}", f"{row['seconds']:.2f}", f"{width}×{height}", f"{row['events']:,}", on]
    names = [Path(row["source"]).name, str(Path(row["file"]).relative_to(folder))]
    return [*names, *counts, "was there" if row["skipped"] else ""]


def _row(made: Made) -> dict[str, Any]:
    kept = {name: made.about[name] for name in ("pictures", "seconds", "size", "stretch", "events", "on", "said")}
    extras = {kind: str(extra(made.file, kind)) for kind in made.about["extras"]}
    return {"source": str(made.source), "file": str(made.file), "skipped": made.skipped, **kept, **extras}
