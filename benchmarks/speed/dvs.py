"""`spikeport bench dvs`: events from video, beside what nobody can do without.

camera, …    the event camera alone, a frame of 346 × 260; limit: numpy's bare log and difference of the frame
a video      10 s of 346 × 260 at 30 frames a second to an .h5 file by a process of its own, start and all;
             limit: the same process, which only decodes
minutes of   a long video of 96 × 64 to a file by a process of its own, and the most memory that it held: a line
             that does not rise says that memory does not depend on the length
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from ...models.data.dvs.convert import Ask, made_of
from ...models.data.dvs.emulator import Emulator, level_table
from ...models.data.dvs.model import PRESETS
from ...models.data.dvs.video import Account, pictures
from ...toolchain.console import working

Array = npt.NDArray[Any]
Row = dict[str, Any]

SIZE, SMALL = (346, 260), (96, 64)
FPS, SECONDS = 30, 10
MINUTES = (1, 5, 10)
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Amount:
    """How much is measured.

    Args:
        frames: for the camera.
        seconds: of the video.
        minutes: of the long videos.
    """

    frames: int = 120
    seconds: float = SECONDS
    minutes: tuple[float, ...] = MINUTES


QUICK = Amount(8, 0.3, (0.02,))


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Measures the camera, a video and long videos.

    Args:
        quick: few frames: shows that everything runs, not how fast.

    Returns:
        {"name", "rows", "notes"}; a row has case, ours_s (of a frame, or of the whole video), limit_s and, for videos,
        held_mb and events.
    """
    amount = QUICK if quick else Amount()
    rows = [_camera(name, amount.frames) for name in SCENES]
    with tempfile.TemporaryDirectory(prefix="spikeport-dvs-") as folder, working("videos") as tell:
        rows.append(_video(Path(folder), amount.seconds))
        for minutes in amount.minutes:
            tell(f"{minutes:g} minutes")
            rows.append(_long(Path(folder), minutes))
    held = [row["held_mb"] for row in rows if "minutes" in row]
    return {"name": "dvs", "rows": rows, "notes": _notes(rows, held)}


def _still(k: int, size: tuple[int, int]) -> Array:
    """A textured picture with a grain of one grey level."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    grain = np.random.default_rng(k).integers(-1, 2, (height, width))
    shown: Array = 120 + 60 * np.sin(x / 9) * np.cos(y / 7) + grain
    return shown.astype(np.uint8)


def _walking(k: int, size: tuple[int, int]) -> Array:
    """The same with a striped figure that walks: a tenth of the picture."""
    (width, height), frame = size, _still(k, size)
    y, x = np.mgrid[:height, :width]
    inside = ((x - (width // 4 + 2 * k) % width) / (0.1 * width)) ** 2 + ((y - height / 2) / (0.4 * height)) ** 2 < 1
    frame[inside] = 130 + 90 * np.sign(np.sin(y[inside] / 4 - k / 3))
    return frame


def _all_moving(k: int, size: tuple[int, int]) -> Array:
    """Another picture every time."""
    return np.roll(_still(k, size), (3 * k, 7 * k), (0, 1))


SCENES: Mapping[str, Callable[[int, tuple[int, int]], Array]] = {
    "camera, still": _still,
    "camera, a walker": _walking,
    "camera, all moves": _all_moving,
}


def _camera(name: str, count: int) -> Row:
    frames = [SCENES[name](k, SIZE) for k in range(count)]
    camera, events = Emulator(SIZE, PRESETS["v2e"]), 0
    ours = []
    for k, frame in enumerate(frames):
        start = time.perf_counter()
        events += len(camera.feed(frame, k * 1_000_000 // FPS))
        ours.append(time.perf_counter() - start)
    found = {"case": name, "ours_s": median(ours[2:]), "limit_s": median(_bare(frames))}
    return found | {"events": events / (count - 1)}


def _bare(frames: list[Array]) -> list[float]:
    """How long numpy takes for the logs of a frame and what they differ in from the frame before."""
    before, spent = np.zeros(frames[0].shape), []
    for frame in frames:
        start = time.perf_counter()
        level = np.log(np.maximum(frame.astype(np.float64), 1.0))
        _ = level - before
        spent.append(time.perf_counter() - start)
        before = level
    return spent


def _video(folder: Path, seconds: float) -> Row:
    path = _encoded(folder / "walk.mp4", max(2, round(seconds * FPS)), SIZE)
    whole, alone = _run("events", path), _run("decode", path)
    return {"case": f"a video of {seconds:g} s, all of it", "ours_s": whole["s"], "limit_s": alone["s"]} | _held(whole)


def _long(folder: Path, minutes: float) -> Row:
    path = _encoded(folder / f"long{minutes}.mp4", max(2, round(minutes * 60 * FPS)), SMALL)
    found = _run("events", path)
    return {"case": f"{minutes:g} minutes of 96 × 64", "minutes": minutes, "ours_s": found["s"]} | _held(found)


def _held(found: Mapping[str, Any]) -> Row:
    return {"held_mb": found["mb"], "events": found["events"]}


def _encoded(path: Path, count: int, size: tuple[int, int]) -> Path:
    import av

    loop = [_walking(k, size) for k in range(min(count, 64))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        (stream.width, stream.height), stream.pix_fmt = size, "yuv420p"
        for k in range(count):
            frame = av.VideoFrame.from_ndarray(loop[k % len(loop)], format="gray").reformat(format="yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _run(what: str, path: Path) -> dict[str, Any]:
    """A process of its own that makes events of a video, or only decodes it: its time, start and all, and memory."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", __name__, what, str(path)], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"s": time.perf_counter() - start}


def _alone(what: str, path: Path) -> dict[str, Any]:
    events = 0
    if what == "events":
        events = made_of(path, path.parent, Ask(), lambda *_: None).about["events"]
    else:
        table = level_table()[0]
        for picture in pictures(path, Account()):
            _ = table[picture.values]
    return {"events": events, "mb": _peak_mb()}


def _peak_mb() -> float | None:
    """The most memory that this process has held; None where the system does not say."""
    if not STATUS.exists():
        return None
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _notes(rows: list[Row], held: list[float | None]) -> list[str]:
    rates = ", ".join(f"{row['case']} {row['events']:,.0f}" for row in rows)
    known = [each for each in held if each is not None]
    rise = [f"Memory from {known[0]:.1f} to {known[-1]:.1f} MB, while the videos get longer."] if known else []
    return [f"The pixel: v2e's defaults. Events of a frame, or of the whole video: {rates}.", *rise]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_alone(sys.argv[1], Path(sys.argv[2]))) + "\n")
