"""Signal-SGN as published: the function and the state dictionary of its authors' code, quirks and all.

The equations are those of the card in `signal_sgn.py`; x is [T, N, C, V] here, N = B·M persons.

    unit        y = gcn(x);  y + fsc(y) + (x, or fsc'(x) where the channels change)
    gcn         y = LIF(BN(Σ_i W_i·(x·A_i) + b_i)) + LIF(x, or BN(W·x + b));  ssa(y);  A_i = PA_i / (|columns| + 1e-4)
    ssa         q, k, v = LIF(BN(W·y));  y + LIF(BN(W·LIF_½(Σ_heads q·kᵀ·v / 8) + b))
    fsc         X = FFT over joints of w·LIF(BN(K∗x));  p = BN(W_r·X.real + b) − BN(W_i·X.imag + b)
                (p_1, p_2) = LIF(p, then p);  the sum of LIF(BN(U_r·p_1 + b), then BN(U_i·p_2 + b))

"LIF(a, then b)" is one layer that runs all steps of a, and then all steps of b from where it has come to: so what it
sends in the first step of b depends on the last step of a. No network that runs step by step can do that.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from .published_wave import MultiWaveletTransform, in_turn, integrates
from .signal_sgn_parts import mapped

if TYPE_CHECKING:
    from .signal_sgn import SignalSgnConfig

Layer = Callable[..., nn.Module]
NAMES = ("l1", "l2", "l5", "l8")
"""The authors' names of the four units."""
FAINT = 1e-6
"""What the batch norm behind the graph starts with as its weight."""


class ComplexConv(nn.Module):
    """The complex product of fsc, of the real and imaginary parts [T, N, C, V] of a spectrum.

    Args:
        channels: in and out.
        fires: makes what fires.
        repeated: as published; else p_2 is BN(W_r·X.imag + b) + BN(W_i·X.real + b).
    """

    def __init__(self, channels: int, fires: Layer, repeated: bool) -> None:
        super().__init__()
        self.conv_r, self.conv_i = _conv_norm(channels), _conv_norm(channels)
        self.conv_r_1, self.conv_i_1 = _conv_norm(channels), _conv_norm(channels)
        self.LIF_R, self.LIF_r = fires(), fires()
        self.repeated = repeated

    def forward(self, real: Tensor, imaginary: Tensor) -> Tensor:
        """Runs the two parts."""
        first = mapped(real, self.conv_r) - mapped(imaginary, self.conv_i)
        if self.repeated:
            # Once more, as published: in training the batch norms move twice.
            second = mapped(real, self.conv_r) - mapped(imaginary, self.conv_i)
        else:
            second = mapped(imaginary, self.conv_r) + mapped(real, self.conv_i)
        x1, x2 = in_turn(self.LIF_R, [first, second])
        x_r, x_i = in_turn(self.LIF_r, [mapped(x1, self.conv_r_1), mapped(x2, self.conv_i_1)])
        return x_r + x_i


def _conv_norm(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(channels, channels, 1), nn.BatchNorm1d(channels))


class SpikingFrequency(nn.Module):
    """fsc.

    Args:
        inputs: channels in.
        outputs: channels out.
        joints: V.
        fires: makes what fires.
        repeated: see `ComplexConv`.
    """

    def __init__(self, inputs: int, outputs: int, joints: int, fires: Layer, repeated: bool) -> None:
        super().__init__()
        self.proj_conv = nn.Conv1d(inputs, outputs, 3, padding=1, bias=False)
        self.proj_bn, self.proj_lif = nn.BatchNorm1d(outputs), fires()
        self.complexConv2d = ComplexConv(outputs, fires, repeated)
        self.window_w = nn.Parameter(torch.randn(1, 1, joints))
        nn.init.kaiming_normal_(self.proj_conv.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, N, inputs, V]."""
        spikes = self.proj_lif(mapped(x, self.proj_conv, self.proj_bn))
        spectrum = torch.fft.fft(spikes * self.window_w)
        sent: Tensor = self.complexConv2d(spectrum.real, spectrum.imag)
        return sent


class SpikingSelfAttention(nn.Module):
    """ssa.

    Args:
        channels: in and out.
        heads: each sees its share of the channels.
        fires: makes what fires.
    """

    def __init__(self, channels: int, heads: int, fires: Layer) -> None:
        super().__init__()
        self.heads = heads
        self.q_conv, self.q_bn, self.q_lif = _plain(channels), nn.BatchNorm1d(channels), fires()
        self.k_conv, self.k_bn, self.k_lif = _plain(channels), nn.BatchNorm1d(channels), fires()
        self.v_conv, self.v_bn, self.v_lif = _plain(channels), nn.BatchNorm1d(channels), fires()
        self.attn_lif = fires(0.5)
        self.proj_conv, self.proj_bn, self.proj_lif = (
            nn.Conv1d(channels, channels, 1),
            nn.BatchNorm1d(channels),
            fires(),
        )

    def forward(self, y: Tensor) -> Tensor:
        """Runs y [T, N, channels, V]."""
        q = self.q_lif(mapped(y, self.q_conv, self.q_bn))
        k = self.k_lif(mapped(y, self.k_conv, self.k_bn))
        v = self.v_lif(mapped(y, self.v_conv, self.v_bn))
        q, k, v = (torch.unflatten(each, 2, (self.heads, -1)) for each in (q, k, v))
        met = ((v @ k.transpose(-1, -2)) @ q).flatten(2, 3)  # sums of spikes: exact in any order
        out: Tensor = self.proj_lif(mapped(self.attn_lif(met * 0.125), self.proj_conv, self.proj_bn))
        return out + y


def _plain(channels: int) -> nn.Conv1d:
    return nn.Conv1d(channels, channels, 1, bias=False)


class GraphConvolution(nn.Module):
    """gcn.

    Args:
        inputs: channels in.
        outputs: channels out.
        config: the rest.
    """

    def __init__(self, inputs: int, outputs: int, config: SignalSgnConfig) -> None:
        super().__init__()
        fires = config.firing().layer
        self.PA = nn.Parameter(config.links())
        self.conv_d = nn.ModuleList(nn.Conv1d(inputs, outputs, 1) for _ in self.PA)
        self.down = nn.Sequential()
        if inputs != outputs:
            self.down = nn.Sequential(nn.Conv1d(inputs, outputs, 1), nn.BatchNorm1d(outputs))
        self.bn, self.SSA = nn.BatchNorm1d(outputs), SpikingSelfAttention(outputs, config.heads, fires)
        self.lif1, self.lif2 = fires(), fires()
        self._start()

    def _start(self) -> None:
        for part in self.modules():
            if isinstance(part, nn.Conv1d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out")
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        nn.init.constant_(self.bn.weight, FAINT)
        for name, weight in self.conv_d.named_parameters():
            if name.endswith("weight"):
                nn.init.normal_(weight, 0, math.sqrt(2 / (weight.numel() * len(self.conv_d))))

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, N, inputs, V]."""
        links = self.PA / (self.PA.norm(dim=1, keepdim=True) + 1e-4)
        sent = [mapped(x @ link, conv) for link, conv in zip(links, self.conv_d, strict=True)]
        y = self.lif1(mapped(sent[0] + sent[1] + sent[2], self.bn)) + self.lif2(mapped(x, self.down))
        out: Tensor = self.SSA(y)
        return out


class Unit(nn.Module):
    """unit.

    Args:
        inputs: channels in.
        outputs: channels out.
        config: the rest.
    """

    def __init__(self, inputs: int, outputs: int, config: SignalSgnConfig) -> None:
        super().__init__()
        rest = config.joints, config.firing().layer, config.repeats
        self.gcn1 = GraphConvolution(inputs, outputs, config)
        self.fa = SpikingFrequency(outputs, outputs, *rest)
        self.residual = nn.Identity() if inputs == outputs else SpikingFrequency(inputs, outputs, *rest)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, N, inputs, V]."""
        y = self.gcn1(x)
        out: Tensor = y + self.fa(y) + self.residual(x)
        return out


class NormalizeSkeleton(nn.Module):
    """Batch norm of every coordinate of every joint, then each coordinate over joints from 0 to 1, frame by frame.

    Args:
        joints: V.
    """

    def __init__(self, joints: int) -> None:
        super().__init__()
        self.joints = joints
        self.batch_norm = nn.BatchNorm1d(3 * joints)

    def forward(self, x: Tensor) -> Tensor:
        """Runs x [T, N, V·3]; gives [T, N, 3, V]."""
        x = torch.unflatten(mapped(x, self.batch_norm), 2, (self.joints, 3)).transpose(2, 3)
        low, high = x.min(-1, keepdim=True)[0], x.max(-1, keepdim=True)[0]
        return (x - low) / (high - low + 1e-8)


class PublishedSignalSgn(nn.Module):
    """The published network, [T, B, 3, V, M] → [T, B, classes], the logits of the whole clip, the same at every step.

    Args:
        config: what can be chosen.
    """

    def __init__(self, config: SignalSgnConfig) -> None:
        super().__init__()
        self.persons, self.joints = config.persons, config.joints
        self.skeletonbn = NormalizeSkeleton(config.joints)
        self.data_bn = nn.BatchNorm1d(3 * config.joints * config.persons)
        for name, inputs, outputs in zip(NAMES, (3, *config.channels), config.channels, strict=False):
            self.add_module(name, Unit(inputs, outputs, config))
        last = config.channels[-1]
        self.dwtfc = MultiWaveletTransform(last, config.heads, config.levels, config.firing())
        self.alpha = nn.Parameter(torch.tensor(0.42))
        self.lv, self.bnv, self.lvlif = nn.Linear(last, last), nn.BatchNorm1d(last), integrates(config.firing())
        self.fc, self.drop_out = nn.Linear(last, config.classes), nn.Dropout(config.dropout)
        nn.init.normal_(self.lv.weight, 0, math.sqrt(2 / last))
        nn.init.normal_(self.fc.weight, 0, math.sqrt(2 / config.classes))

    def units(self) -> Sequence[nn.Module]:
        """The four units in order."""
        return [self.get_submodule(name) for name in NAMES]

    def forward(self, skeleton: Tensor) -> Tensor:
        """Runs clips [T, B, 3, V, M]."""
        persons = torch.unflatten(self.features(skeleton), 1, (-1, self.persons)).mean(2)
        wave = self.lv(self.dwtfc(persons).mean(-1))
        wave = self.lvlif(torch.unflatten(self.bnv(wave.flatten(0, 1)), 0, wave.shape[:2]))
        logits: Tensor = self.fc(persons.mean(-1).mean(0) + self.alpha * self.drop_out(wave.mean(0)))
        return logits.expand(len(skeleton), -1, -1)

    def tokens(self, skeleton: Tensor) -> Tensor:
        """A token for each joint of each person, person by person [T, B, M·V, channels]: small whole numbers."""
        x = torch.unflatten(self.features(skeleton), 1, (-1, self.persons))
        return x.transpose(3, 4).flatten(2, 3)

    def features(self, skeleton: Tensor) -> Tensor:
        """What the units make of it [T, B·M, channels, V]."""
        rows = mapped(skeleton.permute(0, 1, 4, 3, 2).flatten(2), self.data_bn)
        x = self.skeletonbn(torch.unflatten(rows, 2, (self.persons, -1)).flatten(1, 2))
        for unit in self.units():
            x = unit(x)
        spikes: Tensor = x
        return spikes
