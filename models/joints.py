"""The bones of a skeleton: for each joint the one that it hangs from, towards the middle of the body.

25 joints are those of NTU RGB+D (Kinect 2), counted from 0; 20 those of NW-UCLA (Kinect 1). The middle of the body, the
spine at the shoulders (20), or the neck (2), hangs from itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

PARENTS: Mapping[int, tuple[int, ...]] = {
    25: (1, 20, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 20, 22, 7, 24, 11),
    20: (1, 2, 2, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18),
}
"""Number of joints → the parent of each."""


def bone_map(parents: tuple[int, ...]) -> Tensor:
    """W [V, V], so that x·W is x[v] − x[parent of v], and 0 at the joint that hangs from itself; on the CPU, always."""
    bones = torch.eye(len(parents), device="cpu")
    for joint, parent in enumerate(parents):
        bones[parent, joint] -= 1
    return bones


def links(parents: tuple[int, ...]) -> Tensor:
    """1, A↓ and A↑ [3, V, V]: A↓ from each joint to its parent, A↑ the way back, columns of each summing to 1 or 0."""
    size = len(parents)
    inward = torch.zeros(size, size)
    for joint, parent in enumerate(parents):
        if parent != joint:
            inward[parent, joint] = 1
    return torch.stack([torch.eye(size), _normalised(inward), _normalised(inward.T)])


def mean_topology(parents: tuple[int, ...]) -> Tensor:
    """(1 + A↓ + A↑) / 3 [V, V], of the `links`."""
    return links(parents).sum(0) / 3


def _normalised(links: Tensor) -> Tensor:
    return links / links.sum(0).clamp(min=1)
