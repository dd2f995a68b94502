"""Video and depth of scenes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....toolchain.kernels.raster import paint
from ..samples import Array
from .cameras import Camera, camera_of
from .forms import forms_of
from .scenes import Scene
from .wardrobe import LUMA, walls


@dataclass(frozen=True, eq=False)
class View:
    """What a camera sees of scenes.

    Args:
        camera: from where.
        video: in 0 to 1, float32 [B, F, C, H, W]; three colours, or brightness alone.
        depth: pixels beyond the plane d = 0, infinite at the wall, float32 [B, F, H, W]; empty when not asked for.
    """

    camera: Camera
    video: Array
    depth: Array


def view_of(scene: Scene, size: int, colour: bool = True, depth: bool = True, at: Array | None = None) -> View:
    """Renders moments of scenes.

    Args:
        scene: what there is.
        size: height and width of the pictures.
        colour: three channels, or one of brightness.
        depth: whether the depth map is wanted too.
        at: places in the scene's times; all of them when not given.
    """
    camera = camera_of(scene, size)
    places = np.arange(len(scene.times)) if at is None else at
    seen = forms_of(scene, camera)
    colours = seen.colours if colour else (seen.colours @ LUMA.astype(np.float32))[..., None]
    ground = walls(scene.chance, size)[:, None, None]
    shape = (len(scene.labels), len(places), colours.shape[-1], size, size)
    video = np.ascontiguousarray(np.broadcast_to(ground, shape))
    forms = np.ascontiguousarray(seen.forms[:, places])
    depths = paint(forms, seen.kinds, np.ascontiguousarray(colours), seen.present, video, depth)
    return View(camera, video, depths)
