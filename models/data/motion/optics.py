"""What cameras see at the end of each step: video, depth, poses in the picture, points in space.

depth   metres from the sensor to the nearest surface; the wall is WALL metres behind the persons' place
pose    the 17 points of COCO in pixels of the video, with a score that is low for what is hidden
points  random pixels of the depth map that are not wall, in the sensor's x, y, z
"""

from __future__ import annotations

import numpy as np

from ..samples import Array
from .cameras import Camera
from .chance import PERSONS
from .clock import moments_of
from .geometry import dot, unit
from .rendering import View, view_of
from .scenes import Scene
from .sensing import POINTS, POSE, sensor

WALL = 1.5
POINT_COUNT = 256
HIDDEN = 0.12
"""Metres that a joint lies behind the nearest surface when it counts as hidden."""
FACE = ((-0.03, 0.0, 0.06), (-0.045, 0.02, 0.05), (-0.045, -0.02, 0.05), (-0.005, 0.05, 0.0), (-0.005, -0.05, 0.0))
"""Nose, left and right eye, left and right ear from the middle of the head: down, left, ahead; in statures."""
OTHERS = (4, 8, 5, 9, 6, 10, 12, 16, 13, 17, 14, 18)
"""Joints that are points of COCO: shoulders, elbows, wrists, hips, knees, ankles, each left and right."""
COCO = len(FACE) + len(OTHERS)
BLUR = 0.012
"""Deviation of a pose's points in metres."""


def seen_at_steps(scene: Scene, size: int, steps: int) -> View:
    """Video and depth at the end of each step."""
    return view_of(scene, size, at=moments_of(steps))


def video_of(view: View) -> Array:
    """Colours, uint8 [T, B, 3, H, W]."""
    codes = np.rint(255 * np.clip(view.video, 0, 1)).astype(np.uint8)
    return np.ascontiguousarray(codes.swapaxes(0, 1))


def depth_of(view: View) -> Array:
    """Metres from the sensor, float32 [T, B, 1, H, W]."""
    camera = view.camera
    scale, far = camera.scale[:, None, None, None], camera.distance[:, None, None, None]
    metres = np.where(np.isfinite(view.depth), view.depth / scale, WALL) + far
    return np.ascontiguousarray(metres.swapaxes(0, 1)[:, :, None], dtype=np.float32)


def poses_of(scene: Scene, view: View, steps: int) -> Array:
    """Columns, rows and scores of 17 points, float32 [T, B, 3, 17, 2]; who is absent is 0."""
    points = coco_points(scene)[:, moments_of(steps)]
    pixels = view.camera.pixels(points)
    hidden = _hidden(pixels, view)
    found = np.empty_like(pixels)
    for clip, seed in enumerate(scene.chance.seeds):
        source = sensor(int(seed), POSE)
        blur = BLUR * view.camera.scale[clip] * np.where(hidden[clip], 3, 1)[..., None]
        found[clip, ..., :2] = pixels[clip, ..., :2] + blur * source.standard_normal((*hidden.shape[1:], 2))
        score = source.uniform(0.75, 0.98, hidden.shape[1:])
        found[clip, ..., 2] = np.where(hidden[clip], 0.5 * score, score)
    present = scene.persons[:, None, :, None, None]
    return np.ascontiguousarray((found * present).transpose(1, 0, 4, 3, 2), dtype=np.float32)


def coco_points(scene: Scene) -> Array:
    """The 17 points in the camera's axes, [B, F, 2, 17, 3]."""
    joints = scene.joints
    found = np.empty((*joints.shape[:2], PERSONS, COCO, 3))
    found[..., len(FACE) :, :] = joints[..., OTHERS, :]
    up = unit(joints[..., 3, :] - joints[..., 2, :])
    left = joints[..., 4, :] - joints[..., 8, :]
    left = unit(left - up * dot(up, left))
    ahead = np.cross(left, up)
    for person, body in enumerate(scene.bodies):
        tall = body.stature[:, None, None]
        for place, (down, side, front) in enumerate(FACE):
            offset = -down * up[:, :, person] + side * left[:, :, person] + front * ahead[:, :, person]
            found[:, :, person, place] = joints[:, :, person, 3] + tall * offset
    return found


def _hidden(pixels: Array, view: View) -> Array:
    """Which points lie behind a surface, bool [B, T, 2, 17]."""
    clips, steps = pixels.shape[:2]
    last = view.camera.size - 1
    column, row = (np.clip(pixels[..., axis].astype(int), 0, last) for axis in (0, 1))
    clip, step = np.arange(clips)[:, None, None, None], np.arange(steps)[None, :, None, None]
    nearest = view.depth[clip, step, row, column]
    found: Array = pixels[..., 2] - nearest > HIDDEN * view.camera.scale[:, None, None, None]
    return found


def points_of(scene: Scene, view: View) -> Array:
    """Points on surfaces in metres from the sensor, float32 [T, B, 3, 256]."""
    clips, steps = view.depth.shape[:2]
    pixels = np.zeros((clips, steps, POINT_COUNT, 3))
    for clip, seed in enumerate(scene.chance.seeds):
        source = sensor(int(seed), POINTS)
        for step in range(steps):
            row, column = np.nonzero(np.isfinite(view.depth[clip, step]))
            chosen = source.integers(0, len(row), POINT_COUNT)
            row, column = row[chosen], column[chosen]
            pixels[clip, step] = np.stack([column + 0.5, row + 0.5, view.depth[clip, step, row, column]], axis=-1)
    return np.ascontiguousarray(view.camera.metres(pixels).transpose(1, 0, 3, 2), dtype=np.float32)


def in_metres(camera: Camera, scene: Scene) -> Array:
    """All joints in the sensor's coordinates, [B, F, 2, 25, 3]; who is absent is 0."""
    present = scene.persons[:, None, :, None, None]
    found: Array = camera.metres(camera.pixels(scene.joints)) * present
    return found
