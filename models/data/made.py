"""The table of data that can be made, by name; rows like the zoo's.

A row's file is imported when its data is asked for, so that listing them loads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...toolchain.errors import UsageError
from ...toolchain.references import referred

if TYPE_CHECKING:
    from .clips import Clips
    from .samples import DataConfig, Part, Samples


@dataclass(frozen=True)
class Entry:
    """One row of the table.

    Args:
        draw: "module:function" of this package: (config, labels, source) → inputs.
        config: "module:class" of this package; without arguments it is the default.
        carries: what the inputs carry: graded, or spikes.
        text: what it is, in a line.
    """

    draw: str
    config: str
    carries: str
    text: str

    @property
    def dtype(self) -> str:
        """Of its arrays: bytes for zeros and ones, single precision for what is graded."""
        return "uint8" if self.carries == "spikes" else "float32"


DATA: Mapping[str, Entry] = {
    "moving_shapes": Entry(
        ".moving_shapes:draw",
        ".moving_shapes:MovingShapesConfig",
        "spikes",
        "events of shapes that move: 8 directions, towards, away; 12 steps of 2×32×32, 10 classes",
    ),
    "shape_frames": Entry(
        ".shape_frames:draw",
        ".shape_frames:ShapeFramesConfig",
        "spikes",
        "where such events were, in four stretches of time, as one still step of 8×32×32; 10 classes",
    ),
    "burst_orders": Entry(
        ".burst_orders:draw",
        ".burst_orders:BurstOrdersConfig",
        "spikes",
        "bursts of four groups of channels in class-specific orders; 56 steps of 64, 10 classes",
    ),
    "action_skeletons": Entry(
        ".motion.making:draw_skeletons",
        ".motion.sensing:SkeletonsConfig",
        "graded",
        "skeletons of people who act; 16 steps of 3×25×2 (x y z, joints, persons), 16 classes",
    ),
    "action_events": Entry(
        ".motion.making:draw_events",
        ".motion.sensing:EventsConfig",
        "spikes",
        "what an event camera sees of the very same moments; 16 steps of 2×32×32, 16 classes",
    ),
}


@dataclass(frozen=True)
class Together:
    """Rows whose samples of one seed are the same moments: data for networks of several inputs.

    Args:
        streams: the name of each stream, and its row.
        clips: "module:function" of this package: (part, count, seed) → Clips of all of them.
        text: what it is, in a line.
    """

    streams: Mapping[str, str]
    clips: str
    text: str


TOGETHER: Mapping[str, Together] = {
    "actions": Together(
        {"skeleton": "action_skeletons", "events": "action_events"},
        ".motion.making:clips",
        "people who act, in both streams of the rows above: skeleton and events",
    ),
}
NAMES = (*DATA, *TOGETHER)
"""Everything that can be made."""


def entry(name: str) -> Entry:
    """The row of a name, or a UsageError that lists the names there are."""
    if name in TOGETHER:
        found = f"{name!r} is data for several inputs"
        raise UsageError("data", found, f"that for one, {' or '.join(TOGETHER[name].streams.values())}")
    if name not in DATA:
        raise UsageError("data", f"no data {name!r}", f"one of {', '.join(NAMES)}")
    return DATA[name]


def config_of(name: str) -> DataConfig:
    """The default config of made data."""
    config: DataConfig = referred(entry(name).config, __package__)()
    return config


def shapes_of(name: str) -> Mapping[str, tuple[int, ...]]:
    """The shape of one step of one sample, by stream; of a row, that of its one stream `input`."""
    rows = TOGETHER[name].streams if name in TOGETHER else {"input": name}
    return {stream: config_of(row).shape for stream, row in rows.items()}


def class_names_of(name: str) -> tuple[str, ...]:
    """What the labels of made data stand for."""
    rows = tuple(TOGETHER[name].streams.values()) if name in TOGETHER else (name,)
    return config_of(rows[0]).class_names


def make(name: str, part: Part, count: int, seed: int = 0, config: DataConfig | None = None) -> Samples:
    """`count` samples of a part of made data; the same seed gives the same samples, other parts share none.

    Args:
        name: a name of the table.
        part: train, validation or test.
        count: how many; the first ones are the same, however many are made.
        seed: draws everything.
        config: other than the default.
    """
    from .samples import in_blocks

    _check(name, part, count, seed)
    draw, dtype = referred(entry(name).draw, __package__), entry(name).dtype
    return in_blocks(config_of(name) if config is None else config, draw, part, count, seed, dtype)


def make_block(name: str, part: Part, number: int, seed: int = 0) -> Samples:
    """The samples of `make` from number · BLOCK on, a whole block: for those who need samples here and there."""
    from .samples import block_of

    _check(name, part, number + 1, seed)
    row = entry(name)
    return block_of(config_of(name), referred(row.draw, __package__), part, number, seed, row.dtype)


def make_clips(name: str, part: Part, count: int, seed: int = 0) -> Clips:
    """`count` clips of a part of made data: of a row, as the one stream `input`, or of rows together."""
    if name in TOGETHER:
        clips: Clips = referred(TOGETHER[name].clips, __package__)(part, count, seed)
        return clips
    from .clips import clips_of

    return clips_of(make(name, part, count, seed), "input", class_names_of(name), f"{name}, {part}")


def _check(name: str, part: Part, count: int, seed: int) -> None:
    from .samples import PARTS

    entry(name)
    if part not in PARTS:
        raise UsageError("data", f"a part {part!r}", f"one of {', '.join(PARTS)}")
    if count < 1 or seed < 0:
        raise UsageError("data", f"{count} samples of seed {seed}", "at least one, and a seed of at least 0")
