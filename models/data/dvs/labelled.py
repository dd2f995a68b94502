"""Files of events as a data folder: a folder of them for each class becomes train.npz, validation.npz and test.npz.

A clip is a whole file, from the first picture of its video to the last (of a camera's own file: from the first event to
the last), in T slices of time. Which file goes where is drawn by the seed, class by class.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Group
from rich.text import Text

from ....toolchain.console import Result, working
from ....toolchain.errors import FileError, SpikeportError, UsageError
from ....toolchain.simulate.memory import amount, available
from ....toolchain.tables import by, counted, table
from ....toolchain.writing import folder_whole
from ..clips import Clips, save_clips
from ..samples import PARTS
from .filmed import SUFFIXES, Seen, event_files, filmed

Array = npt.NDArray[Any]
REPORT = "report.json"
FILES = (*(f"{part}.npz" for part in PARTS), REPORT)
WHOLE = slice(0, 2)
"""The first and the last moment of a recording of two."""
SHOWN_BAD = 20


@dataclass(frozen=True)
class Wanted:
    """What is made.

    Args:
        steps: slices of time, T.
        seen: how events become frames.
        validation: the share of files that choose the best epoch.
        test: the share that gives the accuracy.
        seed: draws who goes where.
        skip: leave bad files out, and name them; else the first is an error.
    """

    steps: int
    seen: Seen
    validation: float = 0.1
    test: float = 0.2
    seed: int = 0
    skip: bool = True

    def __post_init__(self) -> None:
        shares = {"--validation": self.validation, "--test": self.test}
        for option, share in shares.items():
            if not 0 < share < 1:
                raise UsageError(option, f"{share:g}", "a share between 0 and 1")
        if sum(shares.values()) >= 1:
            raise UsageError("--validation, --test", f"{sum(shares.values()):g} together", "less than 1", "leave some")


@dataclass(frozen=True)
class Found:
    """Files of events by class.

    Args:
        folder: of all classes.
        files: all of them.
        labels: the class of each.
        class_names: the names of their folders.
        without: folders in which there are none.
    """

    folder: Path
    files: tuple[Path, ...]
    labels: tuple[int, ...]
    class_names: tuple[str, ...]
    without: tuple[Path, ...]


def found_in(folder: Path) -> Found:
    """The files in the folders of a folder; a FileError where there are none."""
    form = "a folder for each class, with files of events in it: NAME.h5 or NAME.npz"
    if not folder.is_dir():
        raise FileError(str(folder), "is no folder" if folder.exists() else "there is no such folder", form)
    below = {each.name: event_files(each) for each in sorted(folder.iterdir()) if each.is_dir()}
    held = {name: files for name, files in below.items() if files}
    if not held:
        beside = len(event_files(folder))
        found = f"{counted(beside, 'file')} of events beside each other" if beside else "no files of events"
        raise FileError(str(folder), found, form, "make those of videos: spikeport data events FOLDER -o DIR")
    for name in held:
        if not name.isprintable():
            raise FileError(repr(str(folder / name)), "a name that is no text", "names of classes", "rename the folder")
    pairs = [(file, label) for label, files in enumerate(held.values()) for file in files]
    without = tuple(folder / name for name in below if name not in held and not name.startswith("."))
    return Found(folder, tuple(file for file, _ in pairs), tuple(label for _, label in pairs), tuple(held), without)


def parts_of(labels: Sequence[int], wanted: Wanted) -> list[int]:
    """The place in `PARTS` of each file; of every class the same shares, as far as whole files allow."""
    source, places = np.random.default_rng(wanted.seed), np.asarray(labels)
    made = np.zeros(len(places), np.int64)
    for label in np.unique(places):
        own = source.permutation(np.flatnonzero(places == label))
        ends = np.rint(np.cumsum([wanted.test, wanted.validation]) * len(own)).astype(int)
        made[own[: ends[0]]], made[own[ends[0] : ends[1]]] = 2, 1
    return [int(place) for place in made]


def written(folder: Path, output: Path, wanted: Wanted) -> Result:
    """Makes the data folder."""
    with folder_whole(output, FILES) as draft, working("reading events") as tell:
        found = found_in(folder)
        _check_memory(len(found.files), wanted)
        clips, kept, bad = _read(found, wanted, tell)
        places = np.asarray(parts_of(found.labels, wanted))[kept]
        parts: dict[str, Clips] = {
            part: clips.take(np.flatnonzero(places == place)) for place, part in enumerate(PARTS)
        }
        _check_parts(folder, parts, bad)
        for part, each in parts.items():
            save_clips(draft / f"{part}.npz", each)
        report = _report(folder, output, parts, bad)
        (draft / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Result(report, _view(report))


def _check_memory(count: int, wanted: Wanted) -> None:
    needed, free = 4 * count * wanted.steps * int(np.prod(wanted.seen.size)), available()
    if free is not None and needed > free:
        fix = "take fewer steps or smaller frames"
        raise UsageError("memory", f"clips of {amount(needed)}", f"at most {amount(free)}, which is free", fix)


def _read(found: Found, wanted: Wanted, tell: Callable[[str], None]) -> tuple[Clips, list[int], list[SpikeportError]]:
    """All clips, the places of their files, and what was bad about the others."""
    frames, kept = list[Array](), list[int]()
    form = f"files that end in {', '.join(SUFFIXES)}"
    bad: list[SpikeportError] = [FileError(str(each), "no files of events", form) for each in found.without]
    if bad and not wanted.skip:
        raise bad[0]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # HDF5 is read by processes of their own
        for place, made in enumerate(pool.map(partial(_frames, wanted), found.files)):
            if isinstance(made, SpikeportError):
                if not wanted.skip:
                    pool.shutdown(cancel_futures=True)
                    raise made
                bad.append(made)
            else:
                frames.append(made)
                kept.append(place)
            if place % 10 == 9:
                tell(f"{place + 1:,} of {len(found.files):,} files, {len(bad):,} bad")
    if not frames:
        fix = f"mend them, the first: {bad[0]}"
        raise FileError(str(found.folder), f"{counted(len(bad), 'file')} of events, none that fits", "some", fix)
    labels = np.asarray([found.labels[place] for place in kept], np.int64)
    return Clips({"events": np.stack(frames, axis=1)}, labels, found.class_names), kept, bad


def _frames(wanted: Wanted, file: Path) -> Array | SpikeportError:
    """The frames of a file, uint8 [T, 2, h, w], or what is wrong with it."""
    try:
        return filmed(file, wanted.seen.camera).frames(WHOLE, 2, wanted.steps, wanted.seen.size)
    except FileError as error:
        return error
    except SpikeportError as error:
        return FileError(str(file), error.found, error.expected, error.fix)


def _check_parts(folder: Path, parts: dict[str, Clips], bad: Sequence[SpikeportError]) -> None:
    empty = [part for part, clips in parts.items() if not len(clips)]
    if empty:
        mend = f", or mend the {counted(len(bad), 'bad file')}, the first: {bad[0]}" if bad else ""
        fix = f"take more files, or other shares: --validation, --test{mend}"
        raise FileError(str(folder), f"no file for {empty[0]}", "one for each part at least", fix)


def _report(folder: Path, output: Path, parts: dict[str, Clips], bad: Sequence[SpikeportError]) -> dict[str, Any]:
    shown = {
        part: {
            "clips": len(clips),
            "classes": len(np.unique(clips.labels)),
            "shape": list(clips.streams["events"].shape),
        }
        for part, clips in parts.items()
    }
    names, errors = list(parts["train"].class_names), [str(error) for error in bad]
    return {"source": str(folder), "class_names": names, "parts": shown, "bad": errors, "folder": str(output)}


def _view(report: dict[str, Any]) -> Group:
    columns = ("part", ">clips", ">classes", "events: steps × clips × shape")
    parts = report["parts"].items()
    rows = [(part, f"{each['clips']:,}", f"{each['classes']:,}", by(each["shape"])) for part, each in parts]
    after, bad = [], report["bad"]
    if bad:
        after = [f"skipped, {counted(len(bad), 'bad file')}:", *(f"  {error}" for error in bad[:SHOWN_BAD])]
        if len(bad) > SHOWN_BAD:
            after.append(f"  and {len(bad) - SHOWN_BAD:,} more, all in {report['folder']}/{REPORT}")
    after.append(f"written: {report['folder']}, classes: {', '.join(report['class_names'])}")
    return Group(table(columns, rows), Text("\n" + "\n".join(after)))
