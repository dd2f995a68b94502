"""Clips as files that other programs and commands read: .mp4 videos, and .skeleton files of the same moments.

A pair is called SsssCcccPpppRrrrAaaa as recordings of NTU RGB+D are; the action's number counts the table of actions
from 1 on and is not one of NTU's; camera, performer, set-up and repetition count the clips.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ....toolchain.errors import UsageError
from ....toolchain.writing import written_whole
from ..samples import BLOCK, Array, beginning_of
from ..skeletons.recording_files import write_skeleton
from .actions import CLASSES
from .cameras import camera_of
from .clock import FPS
from .making import scene_in_block
from .optics import in_metres
from .rendering import view_of
from .scenes import Scene
from .sensing import SkeletonsConfig, sensor

VIDEO_SIZE = 256
"""Height and width of a video, unless larger ones are asked for."""
CAMERAS, PERFORMERS, SETUPS = 3, 40, 17
"""As many as NTU RGB+D has."""
VIDEO_NOISE = 99
"""The number of these skeletons' noise."""


def write_videos(folder: Path, count: int, seed: int, steps: int, size: int, tell: Callable[[str], None]) -> list[Path]:
    """Writes the first `count` test clips; gives the videos."""
    files: list[Path] = []
    for start in range(0, count, BLOCK):
        labels, source = beginning_of("test", start // BLOCK, seed, len(CLASSES))
        block = scene_in_block(labels, source, steps)
        for place in range(min(BLOCK, count - start)):
            name = video_name(start + place, int(labels[place]))
            _write(folder / name, block.take(np.array([place])), size)
            files.append(folder / f"{name}.mp4")
            tell(f"{len(files)} of {count}")
    return files


def video_name(index: int, label: int) -> str:
    """All cameras and some performers come early, so that the official splits of a few clips have both sides."""
    rest, camera = divmod(index, CAMERAS)
    rest, performer = divmod(rest, PERFORMERS)
    repetition, setup = divmod(rest, SETUPS)
    return f"S{setup + 1:03}C{camera + 1:03}P{performer + 1:03}R{repetition + 1:03}A{label + 1:03}"


def _write(place: Path, scene: Scene, size: int) -> None:
    pictures = view_of(scene, size, depth=False).video[0]
    skeleton = in_metres(camera_of(scene, size), scene)[0]
    noise = sensor(int(scene.chance.seeds[0]), VIDEO_NOISE).normal(0, SkeletonsConfig().jitter, skeleton.shape)
    poses = (skeleton + noise) * scene.persons[0, None, :, None, None]
    write_skeleton(place.with_suffix(".skeleton"), poses.transpose(0, 3, 2, 1).astype(np.float32))
    with written_whole(place.with_suffix(".mp4")) as draft:
        encode(draft, np.rint(255 * np.clip(pictures, 0, 1)).astype(np.uint8))


def encode(path: Path, pictures: Array) -> None:
    """Pictures uint8 [F, 3, H, W] as H.264 in an .mp4 file, at the clock's rate."""
    try:
        import av
    except ImportError as error:
        raise UsageError("--videos", "no PyAV", "the package av", "install the extra `video`") from error
    height, width = pictures.shape[2] // 2 * 2, pictures.shape[3] // 2 * 2
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "16"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for picture in pictures[:, :, :height, :width]:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture.transpose(1, 2, 0)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
