"""Small networks of every kind, and an input for each: what counters are compared on."""

from collections.abc import Callable

import norse.torch as norse
import snntorch
import torch
from spikeport.benchmarks.peers_networks import spiking_jelly
from torch import nn
from torch.nn import functional


def spikes(*shape: int, rate: float = 0.3) -> torch.Tensor:
    return (torch.rand(shape) < rate).float()


class Attention(nn.Module):
    """Scaled dot products by matmul, with a softmax between."""

    def __init__(self, width: int = 8, heads: int = 2) -> None:
        super().__init__()
        self.qkv, self.out, self.heads, self.norm = (
            nn.Linear(width, 3 * width),
            nn.Linear(width, width),
            heads,
            nn.LayerNorm(width),
        )

    def forward(self, x):
        b, n, width = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v
        return x + self.out(mixed.transpose(1, 2).reshape(b, n, width))


class Einsum(nn.Module):
    """A graph convolution, as networks for skeletons have it: a matrix for every channel."""

    def __init__(self, equation: str, *shape: int) -> None:
        super().__init__()
        self.matrix, self.equation = nn.Parameter(torch.randn(shape)), equation

    def forward(self, x):
        return torch.einsum(self.equation, x, self.matrix)


class Functional(nn.Module):
    """Everything called as a function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.weight = nn.Parameter(torch.randn(4, 2, 3, 3)), nn.Parameter(torch.randn(3, 4))

    def forward(self, x):
        x = functional.relu(functional.conv2d(x, self.conv, padding=1))
        return functional.linear(functional.avg_pool2d(x, 2).mean((2, 3)), self.weight)


class Fourier(nn.Module):
    """A product in the frequency domain."""

    def __init__(self) -> None:
        super().__init__()
        self.filter, self.out = nn.Parameter(torch.randn(5)), nn.Linear(8, 3)

    def forward(self, x):
        return self.out(torch.fft.irfft(torch.fft.rfft(x) * self.filter, n=8))


class Residual(nn.Module):
    """A block of a residual network."""

    def __init__(self, channels: int = 4) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(x + self.bn2(self.conv2(self.act(self.bn1(self.conv1(x))))))


class Cells(nn.Module):
    """A recurrent cell over time, [B, T, features]."""

    def __init__(self, kind: type[nn.RNNCellBase], bias: bool = True) -> None:
        super().__init__()
        self.cell, self.out = kind(6, 5, bias=bias), nn.Linear(5, 2)

    def forward(self, x):
        h = x.new_zeros(len(x), 5)
        state = (h, h) if isinstance(self.cell, nn.LSTMCell) else h
        for now in x.unbind(1):
            state = self.cell(now, state)
        return self.out(state[0] if isinstance(state, tuple) else state)


class SnnTorch(nn.Module):
    """Two layers of snnTorch over time, [B, T, features]."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.one, self.first, self.two, self.second = nn.Linear(6, 5), make(), nn.Linear(5, 3), make()

    def forward(self, x):
        return torch.stack([self.second(self.two(self.first(self.one(now)))) for now in x.unbind(1)])


class Norse(nn.Module):
    """A recurrent layer of Norse between two linear ones, [T, B, features]."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.cell, self.two = nn.Linear(6, 5), norse.LIFRecurrentCell(5, 5), nn.Linear(5, 2)

    def forward(self, x):
        state, sent = None, []
        for now in x:
            z, state = self.cell(self.one(now), state)
            sent.append(self.two(z))
        return torch.stack(sent)


def ours() -> nn.Module:
    from spikeport.models.zoo import build

    return build("sequence_rnn")


class Last(nn.Module):
    """The outputs of a recurrent layer, without its state."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)[0]


class SelfAttention(nn.Module):
    """torch's own attention."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)[0]


class Shared(nn.Module):
    """One layer, run three times."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.act = nn.Linear(6, 6), nn.ReLU()

    def forward(self, x):
        return self.layer(self.act(self.layer(self.act(self.layer(x)))))


def synaptic() -> nn.Module:
    return snntorch.Synaptic(alpha=0.8, beta=0.9, init_hidden=True, threshold=0.3, reset_mechanism="zero")


def recurrent() -> nn.Module:
    return snntorch.RLeaky(beta=0.9, linear_features=None, all_to_all=False, init_hidden=True, threshold=0.3)


def leaky() -> nn.Module:
    return snntorch.Leaky(beta=0.9, init_hidden=True, threshold=0.3)


NETWORKS: dict[str, Callable[[], tuple[nn.Module, torch.Tensor]]] = {
    "linear": lambda: (nn.Sequential(nn.Linear(20, 25), nn.ReLU(), nn.Linear(25, 7)), torch.randn(3, 20)),
    "linear over a sequence": lambda: (nn.Sequential(nn.Linear(6, 5, bias=False)), torch.randn(2, 4, 6)),
    "conv with stride": lambda: (
        nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU()), torch.randn(2, 3, 9, 7)
    ),
    "conv with dilation": lambda: (nn.Sequential(nn.Conv2d(3, 4, 3, dilation=2, bias=False)), torch.randn(2, 3, 9, 9)),
    "conv in groups": lambda: (
        nn.Sequential(nn.Conv2d(4, 8, (3, 1), groups=4, padding=(1, 0))), torch.randn(1, 4, 6, 5)
    ),
    "conv 1-d": lambda: (nn.Sequential(nn.Conv1d(5, 4, 5), nn.ELU()), torch.randn(2, 5, 10)),
    "conv 3-d": lambda: (nn.Sequential(nn.Conv3d(2, 3, 3, padding=1), nn.MaxPool3d(2)), torch.randn(1, 2, 4, 6, 6)),
    "conv, same padding": lambda: (nn.Sequential(nn.Conv2d(2, 3, 3, padding="same")), torch.randn(1, 2, 5, 5)),
    "conv transposed": lambda: (
        nn.Sequential(nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1, output_padding=1)), torch.randn(2, 4, 5, 5)
    ),
    "norm and pools": lambda: (
        nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.LeakyReLU(), nn.AvgPool2d(2),
            nn.BatchNorm2d(4, affine=False), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 3), nn.Softmax(dim=1),
        ),
        torch.randn(2, 3, 12, 12),
    ),
    "other norms": lambda: (
        nn.Sequential(
            nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.InstanceNorm2d(4, affine=True), nn.PReLU(),
            nn.LayerNorm((4, 6, 6)), nn.LayerNorm(6, elementwise_affine=False), nn.Upsample(scale_factor=2),
        ),
        torch.randn(1, 4, 6, 6),
    ),
    "residual": lambda: (nn.Sequential(nn.Conv2d(2, 4, 3), Residual()), torch.randn(2, 2, 8, 8)),
    "attention": lambda: (nn.Sequential(nn.Linear(6, 8), Attention()), torch.randn(2, 5, 6)),
    "attention of torch": lambda: (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.randn(2, 5, 8)),
    "einsum": lambda: (nn.Sequential(Einsum("nctv,cvw->nctw", 4, 5, 5)), torch.randn(2, 4, 6, 5)),
    "einsum as a product": lambda: (nn.Sequential(Einsum("nab,nac->nbc", 3, 4, 6)), torch.randn(3, 4, 5)),
    "functional": lambda: (Functional(), torch.randn(2, 2, 8, 8)),
    "fourier": lambda: (Fourier(), torch.randn(3, 8)),
    "rnn cell": lambda: (Cells(nn.RNNCell), torch.randn(3, 4, 6)),
    "gru cell": lambda: (Cells(nn.GRUCell), torch.randn(3, 4, 6)),
    "lstm cell": lambda: (Cells(nn.LSTMCell), torch.randn(3, 4, 6)),
    "recurrent layers": lambda: (nn.Sequential(Last(nn.LSTM(6, 5, 2)), nn.Linear(5, 2)), torch.randn(3, 4, 6)),
    "attention module": lambda: (SelfAttention(), torch.randn(2, 5, 8)),
    "shared layer": lambda: (Shared(), torch.randn(2, 6)),
    "circular padding": lambda: (
        nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, padding_mode="circular")), spikes(2, 2, 6, 6)
    ),
    "spikes and pools": lambda: (
        nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.AvgPool2d(2), nn.Conv2d(4, 4, 3, bias=False)),
        spikes(3, 2, 8, 8),
    ),
    "snnTorch, second order": lambda: (SnnTorch(synaptic), spikes(3, 4, 6)),
    "snnTorch, recurrent": lambda: (SnnTorch(recurrent), spikes(3, 4, 6)),
    "snnTorch": lambda: (SnnTorch(leaky), spikes(3, 4, 6)),
    "SpikingJelly": lambda: (spiking_jelly(), spikes(4, 2, 2, 8, 8)),
    "Norse": lambda: (Norse(), spikes(5, 3, 6)),
    "ours": lambda: (ours(), spikes(5, 3, 64)),
}  # fmt: skip


def made(name: str) -> tuple[nn.Module, torch.Tensor]:
    """The network and its input, the same every time."""
    torch.manual_seed(7)
    module, x = NETWORKS[name]()
    return module.eval(), x
