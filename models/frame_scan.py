"""The selective scan over frames of tokens, in both directions of space and forward in time."""

from __future__ import annotations

import torch
from torch import Tensor

from .frame_products import scan_by_products
from .multistep import fusible
from .scan_fused import fused, in_full


def scan_frames(
    x: Tensor, step: Tensor, a: Tensor, b: Tensor, c: Tensor, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """The sum of two scans over the tokens of all frames: in their order, and in each frame from the last to the first.

    In both the state goes on from frame to frame, so that a token sees all of its frame, all frames before, and none
    that are still to come.

    Args:
        x: [T, B, N, E].
        step: Δ, [T, B, N, 2, heads]: what x is multiplied by, for each direction.
        a: logarithm of the decay, likewise.
        b: [T, B, N, 2, S]: how x goes into the state.
        c: likewise: how the state is read.
        state: [B, 2, S, E], zeros where none is given.

    Returns:
        y [T, B, N, E] and the state after the last frame.
    """
    if torch.is_autocast_enabled(x.device.type):
        return in_full(scan_frames, x, step, a, b, c, state)
    given = (x, step, a, b, c) if state is None else (x, step, a, b, c, state)
    keys, queries = b.unsqueeze(4), c.unsqueeze(4)
    if not all(fusible(each) and each.dtype == x.dtype for each in given):
        return scan_by_products(x, step, a, keys, queries, state)
    h = x.new_zeros(x.shape[1], step.shape[3], b.shape[4], x.shape[3]) if state is None else state
    return fused(x, step, a.exp(), keys, queries, h)
