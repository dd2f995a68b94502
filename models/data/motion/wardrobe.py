"""Colours of a clip: clothes, skin, hair, what is held, and the wall behind; RGB in 0 to 1.

Clothes and things are clearly darker or lighter than the wall, as an event camera needs them to be.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..samples import Array
from .chance import SCENE, Chance, Draws

LUMA = np.array([0.299, 0.587, 0.114])
"""What each colour adds to brightness (BT.601)."""
SKINS = np.array([[0.94, 0.78, 0.67], [0.80, 0.60, 0.46], [0.55, 0.38, 0.28], [0.36, 0.24, 0.18]])


def wall_of(chance: Chance) -> Array:
    """Brightness of the wall, [B]."""
    return Draws(chance, SCENE).between("ground", 0.38, 0.6)


def clothes_of(chance: Chance, who: int) -> Mapping[str, Array]:
    """Colours of what a person wears and is, each [B, 3]."""
    draws, wall = Draws(chance, who), wall_of(chance)
    shirt = _apart_from(wall, draws.share("shirt"), draws.share("hue"), 0.55)
    trousers = _apart_from(wall, draws.share("trousers"), draws.share("tint"), 0.3)
    skin = SKINS[(draws.share("skin") * len(SKINS)).astype(int)]
    hair = np.array([0.16, 0.11, 0.08]) + 0.35 * (draws.share("hair")[:, None] ** 2) * np.array([1.0, 0.75, 0.4])
    return {"shirt": shirt, "sleeve": 0.82 * shirt, "trousers": trousers, "inner": 0.85 * trousers, "skin": skin,
            "hand": 0.9 * skin, "hair": hair, "shoe": 0.45 * trousers}  # fmt: skip


def thing_of(chance: Chance) -> Array:
    """Colour of what is held, [B, 3]: light before a dark shirt and dark before a light one."""
    draws, shirt = Draws(chance, SCENE), clothes_of(chance, 1)["shirt"] @ LUMA
    light = np.where(shirt < wall_of(chance), 0.9, 0.12)
    return _coloured(light, draws.share("thing"), 0.35)


def walls(chance: Chance, size: int) -> Array:
    """The wall behind everything, a little brighter at one side; float32 [B, size, size], in 0 to 1."""
    draws = Draws(chance, SCENE)
    rows = np.linspace(-0.5, 0.5, size)[:, None] * draws.about("tint", 0.12)[:, None, None]
    columns = np.linspace(-0.5, 0.5, size) * draws.about("hue", 0.12)[:, None, None]
    return (wall_of(chance)[:, None, None] + rows + columns).astype(np.float32)


def _apart_from(wall: Array, share: Array, hue: Array, vivid: float) -> Array:
    """A colour whose brightness keeps 0.18 to 0.36 from the wall's, to either side as the share says."""
    low, side = 0.18 + 0.36 * ((2 * share) % 1.0) * 0.5, np.where(share < 0.5, -1.0, 1.0)
    return _coloured(wall + side * low, hue, vivid)


def _coloured(light: Array, hue: Array, vivid: float) -> Array:
    """A colour of a brightness, [B, 3]: a turn of the hue about grey that leaves luma alone, within 0.03 to 0.97."""
    turns = 2 * np.pi * (hue[:, None] + np.array([0.0, 1 / 3, 2 / 3]))
    around = np.cos(turns)
    around -= (around @ LUMA)[:, None]
    room = np.minimum(light - 0.03, 0.97 - light) / np.abs(around).max(1)
    found: Array = light[:, None] + np.minimum(vivid * 0.5, np.maximum(room, 0))[:, None] * around
    return found
