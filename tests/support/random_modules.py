"""Random networks without neurons, built from layers and functions that people use."""

import random

import torch
from torch import nn
from torch.nn import functional


def seeded(module, dice):
    """The module with weights of its own and statistics as training leaves them."""
    generator = torch.Generator().manual_seed(dice.randrange(2**31))
    for name, value in (*module.named_parameters(), *module.named_buffers()):
        if value.is_floating_point():
            low = 0.5 if name.endswith("var") else -0.5
            value.data = torch.rand(value.shape, generator=generator) * (1 - low) + low
    return module


def of_images(dice, shape):
    """Layers and functions on (channels, height, width)."""
    c, h, w = shape
    k = dice.choice([1, 2, 3])
    groups = dice.choice([g for g in (1, 2, 3) if c % g == 0])
    out = groups * dice.randrange(1, 4)
    padding, dilation, stride = dice.randrange(0, 3), dice.choice([1, 1, 2]), dice.choice([1, 1, 2])
    makes = [
        nn.Conv2d(c, out, k, stride, padding, dilation, groups, bias=dice.random() < 0.5),
        nn.Conv2d(c, 2, (3, 1), padding=(1, 0)),
        nn.Conv2d(c, c, 3, padding="same"),
        nn.ConvTranspose2d(c, 2, k, 2),
        nn.BatchNorm2d(c),
        nn.MaxPool2d(2, ceil_mode=dice.random() < 0.5),
        nn.AvgPool2d(2, padding=1, count_include_pad=dice.random() < 0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.PReLU(c),
        nn.Dropout2d(),
        nn.Flatten(2),
        nn.Flatten(),
        lambda x: x.flatten(1),
        lambda x: x.permute(0, 2, 3, 1),
        lambda x: x.transpose(2, 3),
        lambda x: x.mean((2, 3)),
        lambda x: x.sum(1, keepdim=True) * 0.3,
        lambda x: functional.pad(x, (1, 0, 0, 2)),
        lambda x: functional.interpolate(x, scale_factor=2),
        lambda x: torch.cat(x.chunk(2, dim=1)[::-1], 1),
        lambda x: x[:, ::2] if x.shape[1] > 1 else x,
        lambda x: x * torch.linspace(-1, 1, x.shape[1], dtype=x.dtype)[:, None, None],
        lambda x: torch.einsum("bchw,wv->bchv", x, torch.eye(w, dtype=x.dtype).roll(1, 0) * 0.5),
    ]
    return dice.choice(makes) if h * w <= 400 else makes[7]


def of_vectors(dice, shape):
    """Layers and functions on anything whose last axis is features."""
    n = shape[-1]
    makes = [
        nn.Linear(n, dice.randrange(1, 7)),
        nn.Linear(n, n, bias=False),
        lambda x: x @ torch.linspace(-1, 1, n * 3, dtype=x.dtype).view(n, 3),
        lambda x: x[..., : max(1, n // 2)],
        lambda x: x.unsqueeze(1),
        lambda x: x.reshape(x.shape[0], -1),
        lambda x: torch.stack([x, -x], dim=1),
        lambda x: torch.cat([x, x * 2], dim=-1),
        lambda x: x - x.mean(-1, keepdim=True),
        lambda x: functional.pad(x, (0, 1)),
    ]
    return dice.choice(makes)


def of_all(dice, _):
    """Functions element by element."""
    makes = [
        *(nn.ReLU(inplace=dice.random() < 0.5), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.SiLU(), nn.ELU(), nn.Identity()),
        *(nn.Hardtanh(), nn.LeakyReLU(0.2), nn.Dropout()),
        lambda x: x * 0.3 + 1,
        lambda x: functional.softplus(x.clamp(max=15)),  # above 20 torch rounds it to x, by 2e-9
        lambda x: 1 - x / 7,
        lambda x: (x > 0.1).to(x.dtype),
        lambda x: torch.where(x > 0, x, -0.2 * x),
        lambda x: x.clamp(-0.5, 0.7),
        lambda x: x.abs().neg_(),
        lambda x: x.clone().add_(0.5).mul_(x),
        lambda x: x * torch.sigmoid(x),
    ]
    return dice.choice(makes)


class RandomModule(nn.Module):
    """Some operations one after the other, with shortcuts around those that keep the shape.

    Args:
        seed: what it is drawn from.
        shape: the shape of a sample.
        length: how many operations.
    """

    def __init__(self, seed: int, shape: tuple, length: int) -> None:
        super().__init__()
        dice = random.Random(seed)
        self.modules_, self.steps = nn.ModuleList(), []
        x = torch.rand(2, *shape)
        for _ in range(length):
            kinds = [of_all, of_vectors, *([of_images, of_images] if x.ndim == 4 else [])]
            step = dice.choice(kinds)(dice, tuple(x.shape[1:]))
            if isinstance(step, nn.Module):
                seeded(step, dice).eval()
            try:
                with torch.no_grad():
                    y = step(x.clone())
            except RuntimeError:  # a window larger than what is left
                continue
            if 0 < y.numel() < 4000 and y.ndim <= 5:
                around = y.shape == x.shape and dice.random() < 0.4
                self.steps.append((step, around))
                self.modules_.extend([step] if isinstance(step, nn.Module) else [])
                x = y + x if around else y

    def forward(self, x):
        """One operation after the other."""
        for step, around in self.steps:
            y = step(x.clone() if around else x)
            x = y + x if around else y
        return x
