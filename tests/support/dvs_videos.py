"""Videos made for tests: PyAV encodes them."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def encoded(
    path: Path, frames: np.ndarray, *, codec: str = "ffv1", pix: str = "gray", times: list[int] | None = None,
    sound: bool = False, fps: int = 30, full: bool | None = None, given: str = "gray",
) -> Path:  # fmt: skip
    """Frames [n, H, W] (or [n, H, W, 3] of rgb24) as a video; times in ms in place of a rate."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        first = av.VideoFrame.from_ndarray(frames[0], format=given)
        stream.height, stream.width, stream.pix_fmt = first.height, first.width, pix
        if full is not None:
            stream.codec_context.color_range = 2 if full else 1
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        tone = container.add_stream("pcm_s16le", rate=8000) if sound else None
        for index, values in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(values), format=given)
            if given != pix:
                frame = frame.reformat(format=pix)
            if full is not None:
                frame.color_range = 2 if full else 1
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            container.mux(stream.encode(frame))
            if tone is not None:
                noise = av.AudioFrame.from_ndarray(np.zeros((1, 8000 // fps), np.int16), format="s16", layout="mono")
                noise.sample_rate = 8000
                container.mux(tone.encode(noise))
        container.mux(stream.encode())
    return path


def turned(path: Path, degrees: int) -> None:
    """Writes into an .mp4 file that its pictures are to be turned clockwise."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1), 45: (0.7071, 0.7071)}[degrees]
    one = 1 << 16
    matrix = (int(cos * one), int(sin * one), 0, int(-sin * one), int(cos * one), 0, 0, 0, 1 << 30)
    content[at : at + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(content)


def walking(count: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A textured ground on which a striped figure walks, with a little grain: uint8 [count, height, width]."""
    source = np.random.default_rng(4)
    rough = source.random((height // 4 + 1, width // 4 + 1))
    ground = 70 + 90 * np.kron(rough, np.ones((4, 4)))[:height, :width]
    y, x = np.mgrid[:height, :width]
    frames = np.repeat(ground[None], count, 0)
    for k, frame in enumerate(frames):
        inside = ((x - (10 + 0.7 * k) % width) / 6) ** 2 + ((y - height / 2 - 3 * np.sin(k / 4)) / 15) ** 2 < 1
        frame[inside] = 130 + 90 * np.sign(np.sin(y[inside] / 2 - k / 5))
    return np.clip(frames + source.normal(0, 1, frames.shape), 0, 255).astype(np.uint8)
