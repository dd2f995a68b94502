"""The parts of our Signal-SGN, on the places of joints [T, B, channels, M·V], person by person.

Their equations stand in the card of `signal_sgn.py`. What they take are spikes; what they give are currents, which add
up in membranes. W comes before A_i and before the Fourier transform F, with which it commutes: so it sees spikes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .neurons import LI
from .spectral import forward_maps, frequencies, inverse_maps

Layer = Callable[[], nn.Module]
LIVELY = 2.0
"""The spread that neurons get to see at first: about one in six of them fires."""


def mapped(x: Tensor, *layers: Callable[[Tensor], Tensor]) -> Tensor:
    """Layers without memory one after the other on x [T, B, …], all steps at once."""
    folded = x.flatten(0, 1)
    for layer in layers:
        folded = layer(folded)
    return torch.unflatten(folded, 0, x.shape[:2])


def lively(channels: int) -> nn.BatchNorm1d:
    """A batch norm in front of neurons, LIVELY from the start."""
    norm = nn.BatchNorm1d(channels)
    nn.init.constant_(norm.weight, LIVELY)
    return norm


def linear(inputs: int, outputs: int) -> nn.Conv1d:
    """A linear map of channels, alike at every place; a batch norm behind it would take a bias away."""
    return nn.Conv1d(inputs, outputs, 1, bias=False)


def merged(y: Tensor) -> Tensor:
    """[N, C, M, V] → [N, C, M·V]."""
    return y.flatten(2)


class GraphMap(nn.Module):
    """BN(W_0·x + (W_1·x)·A_1 + (W_2·x)·A_2) of folded x [N, inputs, M·V]; A_i are learned.

    Args:
        inputs: channels in.
        outputs: channels out.
        links: what A_0, which stays 1, A_1 and A_2 start from [3, V, V].
    """

    def __init__(self, inputs: int, outputs: int, links: Tensor) -> None:
        super().__init__()
        self.joints = links.shape[-1]
        self.links = nn.Parameter(links[1:].clone())
        self.maps, self.norm = linear(inputs, 3 * outputs), nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Runs folded x [N, inputs, M·V]."""
        here, *led = torch.unflatten(self.maps(x), -1, (-1, self.joints)).chunk(3, 1)
        summed = here + torch.cat(led, -1) @ self.links.flatten(0, 1)
        current: Tensor = self.norm(summed.flatten(2))
        return current


class Attention(nn.Module):
    """The attention of this file, spikes [T, B, channels, L] → currents of the same shape; no softmax.

    Args:
        channels: in and out.
        heads: each sees its share of the channels.
        fires: makes what fires.
    """

    def __init__(self, channels: int, heads: int, fires: Layer) -> None:
        super().__init__()
        self.heads = heads
        self.maps, self.norm, self.fires = linear(channels, 3 * channels), lively(3 * channels), fires()
        self.mixed_norm, self.mixed_fires = lively(channels), fires()
        self.out, self.out_norm = linear(channels, channels), nn.BatchNorm1d(channels)

    def forward(self, s: Tensor) -> Tensor:
        """Runs spikes [T, B, channels, L]."""
        parts = self.fires(mapped(s, self.maps, self.norm)).flatten(0, 1).chunk(3, 1)
        q, k, v = (torch.unflatten(part, 1, (self.heads, -1)) for part in parts)
        mixed = ((v @ k.transpose(-1, -2)) @ q).flatten(1, 2)
        spikes = self.mixed_fires(torch.unflatten(self.mixed_norm(mixed), 0, s.shape[:2]))
        return mapped(spikes, self.out, self.out_norm)


class ComplexMap(nn.Module):
    """(A + i·B)·(x + i·y) = (A·x − B·y) + i·(A·y + B·x), [N, 2·inputs, L] → [N, 2·outputs, L], real parts first.

    Args:
        inputs: complex channels in.
        outputs: complex channels out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.real = nn.Parameter(torch.empty(outputs, inputs))
        self.imaginary = nn.Parameter(torch.empty(outputs, inputs))

    def matrix(self) -> Tensor:
        """The map as one of real numbers [2·outputs, 2·inputs]."""
        turned = torch.cat([self.imaginary, self.real], 1)
        return torch.cat([torch.cat([self.real, -self.imaginary], 1), turned])

    def forward(self, x: Tensor) -> Tensor:
        """Runs folded x [N, 2·inputs, L]."""
        return nn.functional.conv1d(x, self.matrix()[..., None])


class Frequency(nn.Module):
    """The frequency part of this file, spikes [T, B, channels, M·V] → currents of the same shape.

    Args:
        channels: in and out.
        joints: V.
        fires: makes what fires.
        repeated: the published code's slip: the real part of F·w·(W·z) once more in the place of the imaginary one.
    """

    fourier: Tensor
    back: Tensor

    def __init__(self, channels: int, joints: int, fires: Layer, repeated: bool) -> None:
        super().__init__()
        self.joints, self.repeated = joints, repeated
        self.project = nn.Conv2d(channels, channels, (1, 3), padding=(0, 1), bias=False)
        self.project_norm = lively(channels)
        self.project_fires = fires()
        self.window = nn.Parameter(torch.ones(joints, 1))
        self.weigh = linear(channels, 2 * channels)
        self.norm, self.fires = lively(2 * channels), fires()
        self.out, self.out_norm = ComplexMap(channels, channels), nn.BatchNorm1d(channels)
        self.register_buffer("fourier", torch.cat(forward_maps(joints), 1), persistent=False)
        self.register_buffer("back", torch.cat(inverse_maps(joints)), persistent=False)

    def forward(self, s: Tensor) -> Tensor:
        """Runs spikes [T, B, channels, M·V]."""
        z = self.project_fires(mapped(s, self.split, self.project, merged, self.project_norm))
        spectrum = self.fires(mapped(z, self.weigh, self.transformed, self.norm))
        return mapped(spectrum, self.out, self.returned, self.out_norm)

    def split(self, y: Tensor) -> Tensor:
        """[N, C, M·V] → [N, C, M, V]."""
        return torch.unflatten(y, -1, (-1, self.joints))

    def transformed(self, y: Tensor) -> Tensor:
        """F·w·(a + i·b) [N, 2·channels, M·frequencies] of a and b [N, 2·channels, M·V]."""
        turned = self.split(y) @ (self.window * self.fourier)
        (ar, ai), (br, bi) = (part.chunk(2, -1) for part in turned.chunk(2, 1))
        real = ar - bi
        return torch.cat([real, real if self.repeated else ai + br], 1).flatten(2)

    def returned(self, y: Tensor) -> Tensor:
        """Re F⁻¹ [N, channels, M·V] of a spectrum [N, 2·channels, M·frequencies]."""
        parts = torch.unflatten(y, -1, (-1, frequencies(self.joints))).chunk(2, 1)
        return (torch.cat(parts, -1) @ self.back).flatten(2)


class Wave(nn.Module):
    """Wavelets over time by leaky integrators, spikes [T, B, channels, L] → spikes [T, B, channels]; ours.

        m_0 = BN(W·s);  m_j[t] = β_j·m_j[t−1] + (1 − β_j)·m_{j−1}[t],  β_j = 1 − 2⁻ʲ       low-pass, ever slower
        d_j = m_{j−1} − m_j                                                                band-pass
        q, k, v = LIF(BN(W_a·LIF(BN(a)))) for each band a of d_1 … d_J, m_1 … m_J
        c = (mean of q over places) ⊙ LIF(BN(mean over places of k ⊙ v'));  v' is v of m_j for d_j, of d_j for m_j
        LIF(BN(W·c)), c of all bands side by side

    Args:
        channels: in and out.
        width: channels of each band.
        levels: J.
        fires: makes what fires.
    """

    def __init__(self, channels: int, width: int, levels: int, fires: Layer) -> None:
        super().__init__()
        self.bands = 2 * levels
        wide = self.bands * width
        self.down, self.down_norm = linear(channels, width), nn.BatchNorm1d(width)
        self.slow = nn.ModuleList(LI(1 - 2.0**-level, 2.0**-level) for level in range(1, levels + 1))
        self.band_norm, self.band_fires = lively(wide), fires()
        self.maps, self.norm = nn.Conv1d(wide, 3 * wide, 1, groups=self.bands, bias=False), lively(3 * wide)
        self.map_fires = fires()
        self.shared_norm, self.shared_fires = lively(wide), fires()
        self.up, self.up_norm, self.up_fires = nn.Linear(wide, channels, bias=False), lively(channels), fires()

    def forward(self, s: Tensor) -> Tensor:
        """Runs spikes [T, B, channels, L]."""
        bands = self.filtered(mapped(s, self.down, self.down_norm))
        spikes = self.band_fires(mapped(bands, self.band_norm))
        parts = torch.unflatten(self.map_fires(mapped(spikes, self.maps, self.norm)), 2, (self.bands, -1))
        q, k, v = parts.flatten(0, 1).chunk(3, 2)
        met = (k * torch.cat(v.chunk(2, 1)[::-1], 1)).mean(-1).flatten(1)
        gate = self.shared_fires(torch.unflatten(self.shared_norm(met), 0, s.shape[:2])).flatten(0, 1)
        joined = self.up_norm(self.up(q.mean(-1).flatten(1) * gate))
        fired: Tensor = self.up_fires(torch.unflatten(joined, 0, s.shape[:2]))
        return fired

    def filtered(self, slow: Tensor) -> Tensor:
        """d_1 … d_J, m_1 … m_J [T, B, 2J·width, L] of m_0 [T, B, width, L]."""
        passed, kept = [], []
        for integrate in self.slow:
            fast, slow = slow, integrate(slow)
            passed.append(fast - slow)
            kept.append(slow)
        return torch.cat([*passed, *kept], 2)
