"""From metres to pixels: how large a metre is in a picture, and where the picture's corner lies.

    column = c + s·u,   row = f − s·y,   far = s·d           pixels; s pixels to the metre, f the floor's row

The picture is centred on where the persons' hips are on average, as who holds a camera would, and then off by a little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..samples import Array
from .scenes import Scene

NEAREST, FARTHEST = 2.4, 2.6
"""Metres that a picture shows."""
OFF = 0.04
"""Share of the picture by which it is not centred, at most."""


@dataclass(frozen=True, eq=False)
class Camera:
    """The cameras of B clips.

    Args:
        size: height and width of the picture.
        scale: pixels to the metre, [B].
        column: where u = 0 is; row: where the floor is, [B].
        distance: metres from the camera to where d = 0, [B].
        height: of the camera over the floor, [B].
    """

    size: int
    scale: Array
    column: Array
    row: Array
    distance: Array
    height: Array

    def pixels(self, points: Array) -> Array:
        """Columns, rows and depths of points [B, …, 3], in pixels."""
        shape = (-1, *[1] * (points.ndim - 2))
        scale, column, row = (each.reshape(shape) for each in (self.scale, self.column, self.row))
        u, y, d = points[..., 0], points[..., 1], points[..., 2]
        return np.stack([column + scale * u, row - scale * y, scale * d], axis=-1)

    def metres(self, pixels: Array) -> Array:
        """The points of columns, rows and depths [B, …, 3], in a sensor's coordinates: x, y, z from the sensor."""
        shape = (-1, *[1] * (pixels.ndim - 2))
        scale, row, far, up = (each.reshape(shape) for each in (self.scale, self.row, self.distance, self.height))
        u, y = (pixels[..., 0] - self.size / 2) / scale, (row - pixels[..., 1]) / scale
        return np.stack([u, y - up, pixels[..., 2] / scale + far], axis=-1)


def camera_of(scene: Scene, size: int) -> Camera:
    """The cameras of scenes."""
    draws = scene.draws
    scale = size / draws.between("zoom", NEAREST, FARTHEST)
    present = scene.persons[:, None, :]
    middle = (scene.joints[:, :, :, 0, 0] * present).mean((1, 2)) * (2 / present.sum((1, 2)))
    return Camera(
        size,
        scale,
        size / 2 - scale * middle + draws.about("right", OFF) * size,
        0.925 * size + draws.about("up", OFF / 2) * size,
        draws.between("distance", 2.5, 4.5),
        draws.between("distance", 0.8, 1.2),
    )
