"""What `data` shows and writes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group
from rich.text import Text

from ...toolchain.console import Result, working
from ...toolchain.errors import UsageError
from ...toolchain.tables import by, number, table
from ...toolchain.writing import check_place, written_whole
from .made import DATA, TOGETHER, config_of, entry, make, make_clips
from .pictures import picture

if TYPE_CHECKING:
    from .samples import Part, Samples

SHOWN = 3
"""Samples of which a picture is shown."""


def listed() -> Result:
    """The table of data."""
    rows = [(name, row.carries, row.text) for name, row in DATA.items()]
    rows += [(name, "several", each.text) for name, each in TOGETHER.items()]
    data = {"data": [dict(zip(("name", "carries", "text"), row, strict=True)) for row in rows]}
    return Result(data, table(("name", "input", "what it is"), rows))


def shown(name: str, part: Part, count: int, seed: int, output: Path | None) -> Result:
    """One table row, made: what it looks like; and its file where one is asked for."""
    if output is not None:
        if output.suffix != ".npz":
            raise UsageError("--output", f"'{output}'", "a name that ends in .npz")
        check_place(output)
    if name in TOGETHER:
        return _together(name, part, count, seed, output)
    config = config_of(name)
    with working(f"making {count} samples of {name}"):
        samples = make(name, part, count, seed)
        if output is not None:
            write(samples, output)
    settings = asdict(config)
    data = {
        "name": name,
        "text": entry(name).text,
        "shape": list(samples.inputs.shape),
        "carries": entry(name).carries,
        "classes": list(config.class_names),
        "part": part,
        "seed": seed,
        "rate": samples.rate if entry(name).carries == "spikes" else None,
        "config": settings,
        "file": None if output is None else str(output),
    }
    heading = (
        f"{name}: {entry(name).text}\n{part}, seed {seed}: {by(samples.inputs.shape)}"
        f" (steps, samples, shape){_ones(samples, name)}\n"
        f"classes: {', '.join(config.class_names)}\n"
    )
    rows = [(key, str(value)) for key, value in settings.items()]
    pictures = Text("\n" + _pictures(samples, config.class_names))
    written = [Text(f"written: {output} (inputs, labels)")] if output is not None else []
    return Result(data, Group(Text(heading), table(("setting", "value"), rows), pictures, *written))


def _together(name: str, part: Part, count: int, seed: int, output: Path | None) -> Result:
    """Rows that are made together: their streams; and their file where one is asked for."""
    from .clips import save_clips

    with working(f"making {count} clips of {name}"):
        clips = make_clips(name, part, count, seed)
        if output is not None:
            save_clips(output, clips)
    data = {
        "name": name,
        "text": TOGETHER[name].text,
        "streams": {stream: list(array.shape) for stream, array in clips.streams.items()},
        "rows": dict(TOGETHER[name].streams),
        "classes": list(clips.class_names),
        "part": part,
        "seed": seed,
        "file": None if output is None else str(output),
    }
    heading = f"{name}: {TOGETHER[name].text}\n{part}, seed {seed}\nclasses: {', '.join(clips.class_names)}\n"
    rows = [
        (stream, by(clips.streams[stream].shape), f"spikeport data {row}")
        for stream, row in TOGETHER[name].streams.items()
    ]
    written = [Text(f"\nwritten: {output} (streams, labels, class_names)")] if output is not None else []
    streams = table(("stream", "steps × clips × shape", "alone"), rows)
    return Result(data, Group(Text(heading), streams, *written))


def _ones(samples: Samples, name: str) -> str:
    return f", {number(samples.rate, 3)} of them ones" if entry(name).carries == "spikes" else ""


def write(samples: Samples, path: Path) -> None:
    """Writes inputs and labels to one .npz file, whole or not at all; equal samples give equal bytes."""
    with written_whole(path) as draft:
        np.savez_compressed(draft, inputs=samples.inputs, labels=samples.labels)


def _pictures(samples: Samples, names: tuple[str, ...]) -> str:
    shown = range(min(SHOWN, len(samples)))
    return "\n".join(f"sample {n}: {names[samples.labels[n]]}\n{picture(samples.inputs[:, n])}\n" for n in shown)
