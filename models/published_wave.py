"""The multi-wavelets of Signal-SGN as published: of all steps of a clip at once, [T, N, C, V] → spikes.

    z = L·(BN(K_2∗(K_1∗x)))                     3×3 convolutions over steps and joints; 8 channels
    z = (even steps, odd steps) of z;  d, z = z·G, z·H        three times: half as many steps each time
    D, Z = d and z stretched to T steps;  y += s·(CA(D, Z) + CA(Z, D))
    IF_½(y)

    CA(a, b)  q, k = IF(BN(W·IF_½(a)));  v = IF(BN(W·IF_½(b)));  LIF(BN(W·(q ⊙ IF_½(Σ_joints k ⊙ v)) + b))

All calls of CA share their neurons: each goes on from where the one before has ended. Three times the published code
takes an array for one with its last axes the other way round, which mixes joints with steps or channels: so does this.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..toolchain.errors import UsageError
from ..toolchain.kernels.gradients import Surrogate
from .firing import Firing
from .multiwavelets import legendre_filters
from .neurons import IF
from .signal_sgn_parts import mapped

ORDER = 8
"""k: polynomials of the wavelets, and channels."""


def integrates(firing: Firing, threshold: float = 1.0) -> nn.Module:
    """A layer of neurons that do not leak; rectifiers in the twin without spikes."""
    if not firing.spikes:
        return nn.ReLU()
    return IF(threshold=threshold, inclusive=True, surrogate=Surrogate(firing.surrogate, firing.slope))


def in_turn(fires: nn.Module, runs: Sequence[Tensor]) -> list[Tensor]:
    """One layer runs several [T, …] one after the other, each from where the one before has ended."""
    spikes: Tensor = fires(torch.cat(list(runs)))
    return list(torch.split(spikes, [len(run) for run in runs]))


class CrossAttention(nn.Module):
    """CA of pairs (a, b) [T, N, 8, V], one after the other, → [T, N, channels, V] each.

    Args:
        channels: out.
        heads: of which the published code has a matrix that it never uses.
        firing: what fires.
    """

    def __init__(self, channels: int, heads: int, firing: Firing) -> None:
        super().__init__()
        self.q_conv, self.q_bn, self.q_lif = _widen(channels), nn.BatchNorm1d(channels), integrates(firing)
        self.k_conv, self.k_bn, self.k_lif = _widen(channels), nn.BatchNorm1d(channels), integrates(firing)
        self.v_conv, self.v_bn, self.v_lif = _widen(channels), nn.BatchNorm1d(channels), integrates(firing)
        self.talking_heads = nn.Conv1d(heads, heads, 1, bias=False)
        self.talking_heads_lif = integrates(firing, 0.5)
        self.proj_conv, self.proj_bn = nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels)
        self.proj_lif = firing.layer()
        self.shortcut_lif1, self.shortcut_lif2 = integrates(firing, 0.5), integrates(firing, 0.5)

    def forward(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """Stage by stage, which is the same as call by call: no neuron sees what a later stage made."""
        first = in_turn(self.shortcut_lif1, [a for a, _ in pairs])
        second = in_turn(self.shortcut_lif2, [b for _, b in pairs])
        q = in_turn(self.q_lif, [mapped(a, self.q_conv, self.q_bn) for a in first])
        k = in_turn(self.k_lif, [mapped(a, self.k_conv, self.k_bn) for a in first])
        v = in_turn(self.v_lif, [mapped(b, self.v_conv, self.v_bn) for b in second])
        met = [(each * other).sum(-1, keepdim=True) for each, other in zip(k, v, strict=True)]
        gates = in_turn(self.talking_heads_lif, met)
        out = [mapped(each * gate, self.proj_conv, self.proj_bn) for each, gate in zip(q, gates, strict=True)]
        return in_turn(self.proj_lif, out)


def _widen(channels: int) -> nn.Conv1d:
    return nn.Conv1d(ORDER, channels, 1, bias=False)


class MultiWavelet(nn.Module):
    """z [N, T, 8, V] → spikes [T, N, channels, V].

    Args:
        channels: out.
        heads: see `CrossAttention`.
        levels: J.
        firing: what fires.
    """

    ec_s: Tensor
    ec_d: Tensor

    def __init__(self, channels: int, heads: int, levels: int, firing: Firing) -> None:
        super().__init__()
        self.levels = levels
        self.s = nn.Parameter(torch.tensor(1.0))
        self.cross_attention, self.fires = CrossAttention(channels, heads, firing), integrates(firing, 0.5)
        low_even, low_odd, high_even, high_odd = legendre_filters(ORDER)
        constants = {
            "ec_s": np.concatenate([low_even.T, low_odd.T]),
            "ec_d": np.concatenate([high_even.T, high_odd.T]),
            "rc_e": np.concatenate([low_even, high_even]),
            "rc_o": np.concatenate([low_odd, high_odd]),
        }
        for name, matrix in constants.items():
            self.register_buffer(name, torch.tensor(matrix, dtype=torch.float32))

    def forward(self, z: Tensor) -> Tensor:
        """Runs all levels."""
        steps, pairs = z.shape[1], []
        z = torch.cat([z, z[:, : _power_of_two(steps) - steps]], 1)
        for _ in range(min(self.levels, int(math.log2(steps)))):
            halves = torch.cat([z[:, ::2], z[:, 1::2]], 2).transpose(2, 3)
            band, z = (halves @ self.ec_d).transpose(2, 3), (halves @ self.ec_s).transpose(2, 3)
            wide, slow = _stretched(band, steps), _stretched(z, steps)
            pairs += [(wide, slow), (slow, wide)]
        if not pairs:
            raise UsageError("signal_sgn as published", f"{steps} step", "at least 2 steps")
        spikes: Tensor = self.fires(torch.stack([out * self.s for out in self.cross_attention(pairs)]).sum(0))
        return spikes


def _power_of_two(steps: int) -> int:
    """The least power of two that is no less."""
    return 1 << (steps - 1).bit_length()


def _stretched(x: Tensor, steps: int) -> Tensor:
    """x [N, t, C, V] → [T, N, C, V], linearly; what is stretched are the last numbers in memory, as published."""
    samples, short, channels, joints = x.shape
    rows = x.reshape(samples, channels * joints, short)
    wide = nn.functional.interpolate(rows, size=steps, mode="linear", align_corners=True)
    return wide.reshape(samples, steps, channels, joints).transpose(0, 1)


class MultiWaveletTransform(nn.Module):
    """The equations of this file, [T, N, channels, V] → spikes of the same shape.

    Args:
        channels: in and out.
        heads: see `CrossAttention`.
        levels: J.
        firing: what fires.
    """

    def __init__(self, channels: int, heads: int, levels: int, firing: Firing) -> None:
        super().__init__()
        self.down1 = nn.Conv2d(channels, 64, 3, padding=1, groups=16)
        self.down2 = nn.Sequential(nn.Conv2d(64, ORDER, 3, padding=1), nn.BatchNorm2d(ORDER))
        self.Lk0 = nn.Linear(ORDER, ORDER)
        self.MWT_CZ = MultiWavelet(channels, heads, levels, firing)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, N, channels, V]."""
        steps, samples, _, joints = x.shape
        z = self.down2(self.down1(x.permute(1, 2, 0, 3)))
        z = z.reshape(samples, ORDER, joints, steps).permute(0, 3, 2, 1)  # as published: T and V change places
        z = self.Lk0(z).reshape(samples, steps, ORDER, joints)  # and here channels and V
        spikes: Tensor = self.MWT_CZ(z)
        return spikes
