"""Pictures of rounded limbs and flat faces, seen from straight ahead: every form painted in its flat colour, in order.

A limb is what a ball sweeps whose centre goes straight from a to b while its radius goes from r_a to r_b:

    d(p) = min_τ |p − c(τ)| − r(τ)          how far pixel p is outside, c and r linear in 0 ≤ τ ≤ 1
    z(p) = min_τ z(τ) − √(r(τ)² − |p − c(τ)|²)   its nearest surface; both minima have closed forms

A face is a convex polygon of four corners, d(p) its largest distance from an edge and z(p) the plane of three of them.
A form covers a pixel by the share α = clip(½ − d, 0, 1), and picture ← picture + α·(colour − picture): what hides what
is the order of the list, as in a stage set of cardboard, while the depth map keeps the nearest surface with α ≥ ½.
All lengths are in pixels, y downwards, z away from the camera.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .jit import inlined, kernel
from .threads import on_cores

Array = npt.NDArray[Any]
LIMB, FACE = 0, 1
NUMBERS = 12
"""Of a form: a limb's x y z r, twice, and four that are not read; or a face's x y z, four times."""
PIXELS_PER_FORM = 60
"""That a form's box has about, to tell how much work a picture is."""


@inlined
def _limb_distance(form: Any, x: float, y: float) -> Any:
    """How far (x, y) is outside of a limb's outline."""
    ax, ay, ar, br = form[0], form[1], form[3], form[7]
    dx, dy = form[4] - ax, form[5] - ay
    length = math.sqrt(dx * dx + dy * dy)
    px, py = x - ax, y - ay
    grows = br - ar
    if length <= abs(grows) + 1e-9:  # one circle holds the other
        if grows > 0:
            return math.sqrt((px - dx) ** 2 + (py - dy) ** 2) - br
        return math.sqrt(px * px + py * py) - ar
    along, across = (px * dx + py * dy) / length, abs(px * dy - py * dx) / length
    slope = grows / length
    best = along + across * slope / math.sqrt(1 - slope * slope)
    best = min(max(best, 0.0), length)
    return math.sqrt((along - best) ** 2 + across * across) - (ar + slope * best)


@inlined
def _limb_surface(form: Any, x: float, y: float) -> float:
    """z of a limb's nearest surface at (x, y), which must be inside of its outline."""
    px, py, az, ar = x - form[0], y - form[1], form[2], form[3]
    dx, dy, dz, dr = form[4] - form[0], form[5] - form[1], form[6] - az, form[7] - ar
    # g(τ) = r(τ)² − |p − c(τ)|² = A·τ² + B·τ + C
    a = dr * dr - dx * dx - dy * dy
    b = 2 * (ar * dr + px * dx + py * dy)
    c = ar * ar - px * px - py * py
    best = math.inf
    for tau in (0.0, 1.0):
        g = (a * tau + b) * tau + c
        if g >= 0:
            best = min(best, az + dz * tau - math.sqrt(g))
    # z'(τ) = 0 where w² = 4·dz²·g(τ) for w = 2A·τ + B, and with D = B² − 4A·C that is w² = dz²·D / (dz² − A)
    square, steep = b * b - 4 * a * c, dz * dz - a
    if abs(a) > 1e-12 and steep > 1e-12 and square >= 0:
        for sign in (-1.0, 1.0):
            tau = (sign * abs(dz) * math.sqrt(square / steep) - b) / (2 * a)
            g = (a * tau + b) * tau + c
            if 0 < tau < 1 and g >= 0:
                best = min(best, az + dz * tau - math.sqrt(g))
    return best


@inlined
def _face_distance(form: Any, x: float, y: float) -> float:
    """How far (x, y) is outside of a convex face, whichever way round its corners go; thin faces keep a hair."""
    turn = (form[6] - form[0]) * (form[10] - form[4]) - (form[7] - form[1]) * (form[9] - form[3])
    side = 1.0 if turn >= 0 else -1.0
    far = -math.inf
    for corner in range(4):
        i, j = 3 * corner, 3 * ((corner + 1) % 4)
        ex, ey = form[j] - form[i], form[j + 1] - form[i + 1]
        length = math.sqrt(ex * ex + ey * ey)
        if length > 1e-9:
            far = max(far, side * (ey * (x - form[i]) - ex * (y - form[i + 1])) / length)
    return far


@inlined
def _face_surface(form: Any, x: float, y: float) -> float:
    """z at (x, y) of the plane through a face's first, second and last corner."""
    ux, uy, uz = form[3] - form[0], form[4] - form[1], form[5] - form[2]
    vx, vy, vz = form[9] - form[0], form[10] - form[1], form[11] - form[2]
    area = ux * vy - uy * vx
    if abs(area) < 1e-6:
        return float(min(form[2], form[5], form[8], form[11]))
    px, py = x - form[0], y - form[1]
    s, t = (px * vy - py * vx) / area, (ux * py - uy * px) / area
    nearest, farthest = min(form[2], form[5], form[8], form[11]), max(form[2], form[5], form[8], form[11])
    return float(min(max(form[2] + s * uz + t * vz, nearest), farthest))


@inlined
def _box(form: Any, kind: int, height: int, width: int) -> Any:
    """The pixels that a form may touch: from, to, from, to."""
    left, right, top, bottom = math.inf, -math.inf, math.inf, -math.inf
    step = 4 if kind == LIMB else 3
    for corner in range(2 if kind == LIMB else 4):
        r = form[step * corner + 3] if kind == LIMB else 0.0
        left, right = min(left, form[step * corner] - r), max(right, form[step * corner] + r)
        top, bottom = min(top, form[step * corner + 1] - r), max(bottom, form[step * corner + 1] + r)
    x0, x1 = max(0, math.floor(left - 1)), min(width, math.ceil(right + 2))
    y0, y1 = max(0, math.floor(top - 1)), min(height, math.ceil(bottom + 2))
    return x0, x1, y0, y1


@inlined
def _paint(form: Any, kind: int, colour: Any, picture: Any, depth: Any) -> None:
    """One form onto one picture [C, H, W], and onto its depth map unless that is empty."""
    channels, height, width = picture.shape
    x0, x1, y0, y1 = _box(form, kind, height, width)
    for row in range(y0, y1):
        y = row + 0.5
        for column in range(x0, x1):
            x = column + 0.5
            far = _limb_distance(form, x, y) if kind == LIMB else _face_distance(form, x, y)
            if far >= 0.5:
                continue
            share = min(0.5 - far, 1.0)
            for c in range(channels):
                picture[c, row, column] += np.float32(share) * (colour[c] - picture[c, row, column])
            if share >= 0.5 and depth.size:
                z = _limb_surface(form, x, y) if kind == LIMB else _face_surface(form, x, y)
                if z < depth[row, column]:
                    depth[row, column] = np.float32(z)


@kernel
def paint_range(
    forms: Any, kinds: Any, colours: Any, present: Any, clip: Any, pictures: Any, depths: Any, start: int, stop: int
) -> None:
    """Paints pictures start .. stop: forms [R, P, 12] of kinds [P]; colours [N, P, C], present [N, P] of clip [R]."""
    for n in range(start, stop):
        depth = depths[n if depths.size else 0]
        for p in range(kinds.size):
            if present[clip[n], p]:
                _paint(forms[n, p], kinds[p], colours[clip[n], p], pictures[n], depth)


def paint(forms: Array, kinds: Array, colours: Array, present: Array, pictures: Array, depth: bool = False) -> Array:
    """Paints forms onto pictures, in place; gives the depth map [N, F, H, W], infinite where nothing is.

    Args:
        forms: float64 [N, F, P, 12], of N clips of F pictures.
        kinds: LIMB or FACE, int64 [P].
        colours: float32 [N, P, C].
        present: which forms a clip has, bool [N, P].
        pictures: float32 [N, F, C, H, W], what is behind everything.
        depth: whether the depth map is wanted; what is given is empty otherwise.
    """
    if not pictures.flags.c_contiguous or pictures.dtype != np.float32:
        raise UsageError("paint", f"pictures of {pictures.dtype} in another order than C", "contiguous float32")
    clips, frames, count = forms.shape[:3]
    flat = pictures.reshape(clips * frames, *pictures.shape[2:])
    shape = (len(flat), *flat.shape[2:]) if depth else (1, 0, 0)
    depths = np.full(shape, np.inf, np.float32)
    clip = np.repeat(np.arange(clips), frames)
    rows = forms.reshape(clips * frames, count, NUMBERS)

    def piece(start: int, stop: int) -> None:
        paint_range(rows, kinds, colours, present, clip, flat, depths, start, stop)

    on_cores(piece, len(flat), count * PIXELS_PER_FORM)
    return depths.reshape(clips, frames, *depths.shape[1:]) if depth else depths
