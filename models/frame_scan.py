"""The selective scan over frames of tokens, in both directions of space and one of time."""

from __future__ import annotations

import torch
from torch import Tensor

from .scan import scan


def scan_frames(x: Tensor, step: Tensor, rate: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """x [T, B, N, heads, P], step [T, B, N, 2, heads], rate [2, heads], b and c [T, B, N, 2, S]: y like x."""
    a = (step * rate).unbind(3)
    xs = torch.cat([step[:, :, :, i, :, None] * x if i == 0 else (step[:, :, :, i, :, None] * x).flip(2) for i in (0, 1)], 3)
    log = torch.cat([a[0], a[1].flip(2)], 3)
    keys, queries = (torch.stack([each[:, :, :, 0], each[:, :, :, 1].flip(2)], 3) for each in (b, c))
    y, _ = scan(*(each.transpose(1, 2).flatten(0, 1) for each in (xs, log, keys, queries)))
    y = y.unflatten(0, (len(x), -1)).transpose(1, 2)
    forward, backward = y.chunk(2, dim=3)
    return forward + backward.flip(2)
