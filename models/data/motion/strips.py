"""Pictures of the actions for people: moments from left to right; video, depth, events, skeleton from ahead and aside.

The two actions of a pair are shown at the same moments of the same clip, those of a depth pair from opposite yaws: so
what they have in common is the same picture twice, and one sees where they differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ....toolchain.kernels.raster import LIMB, NUMBERS, paint
from ....toolchain.writing import written_whole
from ..samples import Array
from ..skeletons.layouts import NTU
from .actions import ACTIONS, CLASSES, twin
from .cameras import camera_of
from .chance import chance_of
from .clock import STEPS, moments_of, times_of
from .rendering import View, view_of
from .scenes import Scene, scene_of
from .sensing import EventsConfig, events_of_video

SIZE = 96
"""Pixels of a picture."""
SHOWN = (1, 4, 6, 8, 10, 13)
"""Steps that are shown."""
CARD, ON, OFF = 0.93, (0.0, 0.35, 0.75), (0.85, 0.2, 0.1)
COLOURS = ((0.10, 0.38, 0.62), (0.78, 0.40, 0.10))
"""Of the two persons' skeletons."""
CALM = EventsConfig(pixels=SIZE, rendered=SIZE, noise=0.0)
SEEDS: Mapping[str, int] = {
    "drink": 5, "wave": 9, "shake hands": 3, "bow": 11, "kick ahead": 9, "step ahead": 2, "jumping jack": 8,
    "squat": 12, "clap": 5, "push": 3,
}  # fmt: skip
"""Clips that show an action, and its twin, well."""


@dataclass(frozen=True, eq=False)
class Strip:
    """One action's picture.

    Args:
        name: of the action.
        picture: float32 [rows, columns, 3], in 0 to 1.
    """

    name: str
    picture: Array


def file_of(name: str) -> str:
    """The file of an action's strip."""
    return f"{name.replace(' ', '-')}.png"


def strips() -> Iterator[Strip]:
    """All actions, in the table's order."""
    for name in CLASSES:
        yield Strip(name, _strip(_scene(name)))


def write_strips(folder: Path) -> list[Path]:
    """Writes a PNG for each action; gives the files."""
    from matplotlib.image import imsave

    written = []
    for strip in strips():
        place = folder / file_of(strip.name)
        # 64 levels of each colour: enough to look at, and half as many bytes.
        codes = np.minimum(np.rint(np.clip(strip.picture, 0, 1) * 63) * 4.05, 255).astype(np.uint8)
        with written_whole(place) as draft:
            imsave(draft, codes, pil_kwargs={"optimize": True})
        written.append(place)
    return written


def _scene(name: str) -> Scene:
    """The scene of an action; the second of a depth pair has the first one's chance at the opposite yaw."""
    other = twin(name)
    first = name if other is None else min(name, other, key=CLASSES.index)
    chance = chance_of(1, np.random.default_rng(SEEDS[first]))
    chosen = chance.mirrored() if ACTIONS[name].mirrored else chance
    return scene_of(np.array([CLASSES.index(name)]), chosen, times_of(STEPS))


def _strip(scene: Scene) -> Array:
    """All rows of one action."""
    view = view_of(scene, SIZE)
    grey = view_of(scene, SIZE, colour=False, depth=False).video[:, :, 0]
    at = moments_of(STEPS)[list(SHOWN)]
    rows = [
        view.video[0, at].transpose(0, 2, 3, 1),
        _depth(view, at),
        _events(grey, scene),
        _skeletons(scene, at, aside=False),
        _skeletons(scene, at, aside=True),
    ]
    return np.concatenate([np.concatenate([*pictures], axis=1) for pictures in rows], axis=0)


def _depth(view: View, at: Array) -> Array:
    """Near is dark, on a light card."""
    metres = view.depth[0, at] / view.camera.scale[0]
    near = np.clip(0.45 + 0.8 * metres, 0.02, 0.82)
    return np.repeat(np.where(np.isfinite(metres), near, CARD)[..., None], 3, axis=-1)


def _events(grey: Array, scene: Scene) -> Array:
    model = replace(CALM, steps=STEPS)
    frames = events_of_video(grey, scene, model)[list(SHOWN), 0]
    found = np.full((*frames.shape[:1], SIZE, SIZE, 3), CARD)
    found[frames[:, 0] > 0] = OFF
    found[frames[:, 1] > 0] = ON
    return found


def _skeletons(scene: Scene, at: Array, aside: bool) -> Array:
    """Bones as lines; seen from aside, what lies ahead is at the left."""
    camera = camera_of(scene, SIZE)
    points = scene.joints[0, at]
    if aside:
        points = np.stack([points[..., 2], points[..., 1], points[..., 0]], axis=-1)
        camera = replace(camera, column=np.array([SIZE / 2.0]))
    pixels = camera.pixels(points[None])[0]
    bones = [(joint, parent) for joint, parent in enumerate(NTU.parents) if joint != parent]
    forms = np.zeros((1, len(at), 2, len(bones), NUMBERS))
    for place, bone in enumerate(bones):
        for end, joint in enumerate(bone):
            forms[0, :, :, place, 4 * end : 4 * end + 3] = pixels[:, :, joint]
            forms[0, :, :, place, 4 * end + 3] = 0.9
    count = len(bones)
    pictures = np.full((1, len(at), 3, SIZE, SIZE), CARD, np.float32)
    colours = np.repeat(np.array([COLOURS], np.float32), count, axis=1)
    present = np.repeat(scene.persons, count, axis=1)
    paint(forms.reshape(1, len(at), -1, NUMBERS), np.full(2 * count, LIMB), colours, present, pictures)
    drawn: Array = pictures[0].transpose(0, 2, 3, 1)
    return drawn
