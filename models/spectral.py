"""The discrete Fourier transform of real signals along their last axis, as constant matrices.

    X[f] = Σ_v x[v]·exp(−2πi·f·v / V)        f = 0 … ⌊V/2⌋: of a real x, the others are their mirror images
    x[v] = Σ_f g_f·Re(X[f]·exp(2πi·f·v / V)) / V        g_f = 1 at f = 0 and f = V/2, else 2

Both are linear: of spikes, a chip does them with weights, and no transform is left to a host. The matrices are made on
the CPU whatever torch's default device is: they are values even in a network of shapes alone.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def frequencies(size: int) -> int:
    """How many frequencies a real signal of `size` values has."""
    return size // 2 + 1


def forward_maps(size: int, count: int | None = None) -> tuple[Tensor, Tensor]:
    """Re and Im [size, count], so that x·Re + i·x·Im is X at the first `count` frequencies, as many as there are."""
    angle = _angles(size, frequencies(size) if count is None else count)
    return angle.cos().float(), -angle.sin().float()


def inverse_maps(size: int) -> tuple[Tensor, Tensor]:
    """Re and Im [frequencies, size], so that X.real·Re + X.imag·Im is x."""
    angle = _angles(size, frequencies(size)).T
    gain = torch.full_like(angle[:, :1], 2.0 / size)
    gain[0] = 1 / size
    if size % 2 == 0:
        gain[-1] = 1 / size
    return (gain * angle.cos()).float(), (-gain * angle.sin()).float()


def _angles(size: int, count: int) -> Tensor:
    """2π·f·v / size [size, count], of whole numbers reduced first, so that every angle is as exact as it can be."""
    places = torch.arange(size, device="cpu")[:, None] * torch.arange(count, device="cpu") % size
    return places.double() * (2 * math.pi / size)
