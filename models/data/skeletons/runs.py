"""What `data skeletons` does: opens recordings, makes clips of them, writes the data folder and says what was bad."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from rich.console import Group
from rich.text import Text

from ....toolchain.console import Result, working
from ....toolchain.errors import FileError, UsageError
from ....toolchain.tables import by, counted, table
from ....toolchain.writing import folder_whole
from ..clips import save_clips
from ..dvs.filmed import files_for
from .annotations import annotation_source, labelled_source
from .bodies import Persons
from .folders import folder_source
from .packed import packed_source
from .parts import PARTS, Held, Made, make_parts
from .preparing import Recipe
from .sets import data_set

if TYPE_CHECKING:
    from .sources import Source

REPORT = "report.json"
FILES = (*(f"{part}.npz" for part in PARTS), REPORT)
"""What a data folder holds; one with anything else in it, such as what was to be read, is not replaced."""
FEW = 200
"""So few recordings are read by this process alone: starting others takes longer."""
SHOWN_BAD = 20
PAUSE_S = 2.0


@dataclass(frozen=True)
class Asked:
    """What the command's user wants; see its options."""

    source: Path
    output: Path
    data: str
    split: str | None
    on_bad: str
    fill: str
    jobs: int
    kinds: tuple[str, ...]
    validation: float
    validation_by: str
    events: Path | None = None

    def __post_init__(self) -> None:
        if self.events is not None and self.fill == "drop":
            fix = "leave it out, or take linear, hold or zeros"
            raise UsageError("--fill", "drop, with --events", "frames that keep their places in time", fix)
        if self.on_bad not in ("skip", "refuse"):
            raise UsageError("--on-bad", f"'{self.on_bad}'", "skip or refuse")


def open_source(path: Path, data: str, split: str | None, persons: Persons) -> Source:
    """The recordings at a path: a published file, or a folder of recordings.

    Args:
        path: .npz or .pkl file; a folder with train_label.pkl; or a folder of single recordings.
        data: the data set of single recordings.
        split: of single recordings or of a .pkl file; none: the first there is.
        persons: how bodies of single recordings become persons.
    """
    if path.is_dir() and not (path / "train_label.pkl").exists():
        found = data_set(data)
        return folder_source(path, found, split or next(iter(found.splits)), persons)
    if path.is_file() and path.suffix == ".pkl":
        return annotation_source(path, split)
    if not path.is_dir() and (not path.is_file() or path.suffix != ".npz"):
        found_ = f"'{path.suffix}' is no suffix of recordings" if path.exists() else "there is no such file or folder"
        found_ = "is a single recording" if path.suffix in (".skeleton", ".json") and path.is_file() else found_
        raise FileError(str(path), found_, "a folder of recordings, or a .npz or .pkl file of a published code")
    if split is not None:
        raise UsageError("--split", f"{split} with a file that has its own", "", "leave it out")
    return packed_source(path) if path.is_file() else labelled_source(path)


def with_events(source: Source, folder: Path | None) -> Source:
    """The same recordings, each with the file of its events in this folder, which is called as it is."""
    if folder is None:
        return source
    files = files_for(folder, [item.name for item in source.items])
    return replace(source, items=[replace(item, events=files[item.name]) for item in source.items])


def written(asked: Asked, **wishes: Any) -> Result:
    """Makes the data folder.

    Args:
        asked: what to read, and where to.
        wishes: what to make of each recording, the fields of `Recipe`.
    """
    recipe = Recipe(kinds=asked.kinds, **wishes)
    persons = Persons(fill=cast("Any", asked.fill))
    held = Held(asked.validation, cast("Any", asked.validation_by))
    started = time.monotonic()
    with (
        folder_whole(asked.output, FILES) as draft,
        working("reading skeletons") as tell,
        open_source(asked.source, asked.data, asked.split, persons) as opened,
    ):
        source = with_events(opened, asked.events)
        seldom = _seldom(tell)
        jobs = (asked.jobs or os.cpu_count() or 1) if len(source.items) > FEW or asked.jobs else 1
        made = make_parts(source, recipe, held, skip=asked.on_bad == "skip", jobs=jobs, tell=seldom)
        report = _report(asked, source, recipe, made, time.monotonic() - started)
        seldom("writing")
        for part, clips in made.parts.items():
            save_clips(draft / f"{part}.npz", clips)
        (draft / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return Result(report, _view(report, made))


def _seldom(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Says how far it is, but not more often than a person can read."""
    last = [time.monotonic()]

    def said(text: str) -> None:
        if time.monotonic() - last[0] >= PAUSE_S:
            last[0] = time.monotonic()
            tell(text)

    return said


def _report(asked: Asked, source: Source, recipe: Recipe, made: Made, seconds: float) -> dict[str, object]:
    parts = {
        part: {
            "clips": len(clips),
            "classes": len(np.unique(clips.labels)),
            "streams": {name: list(each.shape) for name, each in clips.streams.items()},
        }
        for part, clips in made.parts.items()
    }
    return {
        "source": str(asked.source),
        "events": asked.events and str(asked.events),
        "about": source.about,
        "layout": source.layout.name,
        "classes": len(source.class_names),
        "parts": parts,
        "bad": [str(error) for error in made.bad],
        "said": list(made.said),
        "recipe": {**asdict(recipe), "fill": asked.fill},
        "validation": {"share": asked.validation, "by": asked.validation_by},
        "seconds": round(seconds, 3),
        "folder": str(asked.output),
    }


def _view(report: dict[str, Any], made: Made) -> Group:
    rows = [
        (
            part,
            f"{each['clips']:,}",
            f"{each['classes']:,}",
            ", ".join(f"{n} {by(s)}" for n, s in each["streams"].items()),
        )
        for part, each in report["parts"].items()
    ]
    lines = [f"{report['about']}, {report['classes']} classes, layout {report['layout']}"]
    after = list(made.said)
    if made.bad:
        after.append(f"skipped, {counted(len(made.bad), 'bad recording')}:")
        after += [f"  {error}" for error in made.bad[:SHOWN_BAD]]
        if len(made.bad) > SHOWN_BAD:
            after.append(f"  and {len(made.bad) - SHOWN_BAD:,} more, all in {report['folder']}/{REPORT}")
    after.append(f"written: {report['folder']} in {report['seconds']:.1f} s")
    columns = ("part", ">clips", ">classes", "streams: steps × clips × shape")
    return Group(Text("\n".join(lines) + "\n"), table(columns, rows), Text("\n" + "\n".join(after)))
