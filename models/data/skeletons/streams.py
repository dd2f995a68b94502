"""Streams of a skeleton: joints, bones, and the motion of both.

    bone[v] = x[v] − x[parent(v)]          motion[t] = x[t + 1] − x[t], and 0 in the last frame

All take clips [T, N, 3, V, M] or poses [T, 3, V, M]; who is absent (all zeros) stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ....toolchain.errors import UsageError
from .bodies import seen
from .layouts import Layout
from .recordings import Array


def bones(clips: Array, layout: Layout) -> Array:
    """x[v] − x[parent(v)]; 0 for the root."""
    made: Array = clips - clips[..., list(layout.parents), :]
    return made


def joints_of(bones: Array, root: Array, layout: Layout) -> Array:
    """Bones summed back from the root, x[v] = root + Σ of the bones on the way to v; root is [..., 3, M]."""
    way = np.zeros((len(layout.parents),) * 2, bones.dtype)
    for joint in range(len(way)):
        on = joint
        while on != layout.root:
            way[joint, on] = 1
            on = layout.parents[on]
    made: Array = root[..., None, :] + way @ bones
    return made


def motion(clips: Array, *, causal: bool = False) -> Array:
    """x[t + 1] − x[t], and 0 in the last frame; 0 for a person who is not there in both.

    Args:
        clips: time first.
        causal: x[t] − x[t − 1], and 0 in the first frame: what a network that runs along with a camera can know.
    """
    made = np.zeros_like(clips)
    there = seen(clips)
    both = (there[1:] & there[:-1])[..., None, None, :]
    made[slice(1, None) if causal else slice(None, -1)] = np.where(both, clips[1:] - clips[:-1], 0)
    return made


STREAMS: Mapping[str, Callable[[Array, Layout], Array]] = {
    "joint": lambda clips, _: clips,
    "bone": bones,
    "joint-motion": lambda clips, _: motion(clips),
    "bone-motion": lambda clips, layout: motion(bones(clips, layout)),
}
"""By name."""

MAIN = "skeleton"
"""What a network's input is called."""


def streams(clips: Array, layout: Layout, kinds: Sequence[str]) -> dict[str, Array]:
    """Streams by the names that inputs have: the first kind is `skeleton`, others `skeleton_KIND`."""
    unknown = [kind for kind in kinds if kind not in STREAMS]
    if unknown or not kinds or len(set(kinds)) < len(kinds):
        found = f"'{unknown[0]}'" if unknown else f"'{','.join(kinds)}'"
        raise UsageError("--streams", found, f"one or more of {', '.join(STREAMS)}, each once")
    names = [MAIN, *(f"{MAIN}_{kind.replace('-', '_')}" for kind in kinds[1:])]
    return {name: STREAMS[kind](clips, layout) for name, kind in zip(names, kinds, strict=True)}
