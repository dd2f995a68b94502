"""The convention of thop's profile (0.1.1).

    convolution     outputs · c_in/g · k, transposed or not      linear   outputs · features in
    normalisation   2 · inputs, 4 with weights                   softmax  rows · (3 n - 1)
    average pool    outputs; adaptive (k + 1) · outputs, k = inputs per output
    PReLU           inputs                                       upsampling 1, 5, 11 or 259 for every output, by mode
    recurrent       every gate h·(inputs + h) + h, + 2h with biases; GRU + 4h, LSTM + 4h

No biases of convolutions and linear layers. A module whose class is in the table counts for itself, any other for its
children, once for each place where it stands; one in two blocks is hooked twice, and so counts fourfold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from .table import Tally
from .watching import copied, each_call, unseen

Rule = Callable[[Any, Any, Any], int]


def _convolution(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(gave.numel() * (given.shape[1] // module.groups) * prod(module.weight.shape[2:]))


def _normalisation(module: Any, given: Tensor, gave: Tensor) -> int:
    weighted = getattr(module, "affine", False) or getattr(module, "elementwise_affine", False)
    return int(given.numel() * (4 if weighted else 2))


def _softmax(module: Any, given: Tensor, gave: Tensor) -> int:
    length = given.shape[module.dim]
    return int(given.numel() // length * (3 * length - 1))


def _adaptive_average(module: Any, given: Tensor, gave: Tensor) -> int:
    sides = torch.tensor(given.shape[2:], dtype=torch.float64) / torch.tensor(gave.shape[2:], dtype=torch.float64)
    return int((sides.prod() + 1) * gave.numel())


UPSAMPLING = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}


def _upsampling(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(UPSAMPLING.get(module.mode, 0) * gave.numel())


def _inputs(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(given.numel())


def _outputs(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(gave.numel())


def _linear(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(gave.numel() * module.in_features)


def _nothing(module: Any, given: Any, gave: Any) -> int:
    return 0


GATES = {"RNN": (1, 0), "GRU": (3, 4), "LSTM": (4, 4)}
"""Kind of cell → its gates, and the products and sums of one hidden value beside them."""


def _cell_step(kind: str, inputs: int, hidden: int, bias: bool) -> int:
    gates, beside = GATES[kind]
    return gates * (hidden * (inputs + hidden) + hidden + (2 * hidden if bias else 0)) + beside * hidden


def _cell(module: Any, given: Tensor, gave: Any) -> int:
    kind = type(module).__name__.removesuffix("Cell")
    return int(given.shape[0] * _cell_step(kind, module.input_size, module.hidden_size, module.bias))


def _recurrent(module: Any, given: Any, gave: Any) -> int:
    """All layers, for every step of every sample; packed sequences as if all were of the longest batch."""
    kind, ways = type(module).__name__, 2 if module.bidirectional else 1
    sizes = [module.input_size, *[module.hidden_size * ways] * (module.num_layers - 1)]
    packed = isinstance(given, nn.utils.rnn.PackedSequence)
    turns = int(given.batch_sizes.max()) * len(given.batch_sizes) if packed else prod(given.shape[:2])
    return int(turns * sum(ways * _cell_step(kind, size, module.hidden_size, module.bias) for size in sizes))


RULES: Mapping[type[nn.Module], Rule] = {
    **dict.fromkeys(
        (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), _convolution
    ),
    **dict.fromkeys(
        (
            nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.LayerNorm, nn.InstanceNorm1d, nn.InstanceNorm2d,
            nn.InstanceNorm3d, nn.SyncBatchNorm,
        ),
        _normalisation,
    ),
    nn.PReLU: _inputs,
    nn.Softmax: _softmax,
    **dict.fromkeys((nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d), _outputs),
    **dict.fromkeys((nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), _adaptive_average),
    nn.Linear: _linear,
    **dict.fromkeys((nn.Upsample, nn.UpsamplingBilinear2d, nn.UpsamplingNearest2d), _upsampling),
    **dict.fromkeys((nn.RNNCell, nn.GRUCell, nn.LSTMCell), _cell),
    **dict.fromkeys((nn.RNN, nn.GRU, nn.LSTM), _recurrent),
    **dict.fromkeys(
        (
            nn.ZeroPad2d, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d,
            nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d, nn.Dropout, nn.PixelShuffle,
            nn.Sequential,
        ),
        _nothing,
    ),
}  # fmt: skip
"""A class, and what one call of it counts. That of some is 0, and said so."""


def count(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """Sums over the places of the tree; a module at several places is hooked as often."""
    subject = copied(module, train)
    found: Counter[nn.Module] = Counter()

    def called(child: nn.Module, given: tuple[Any, ...], gave: Any) -> None:
        if type(child) in RULES:
            found[child] += RULES[type(child)](child, given[0], gave)

    each_call(subject, inputs, called, grad=False)
    places = _places(subject)
    total = sum(found[child] * times * _hooks(subject)[child] for child, times in places.items())
    subject = copied(module, train)
    misses = unseen(subject, inputs, lambda deed: any(_counts(each) for each in deed.inside), grad=False)
    return Tally({"macs": total}, misses)


def _counts(child: nn.Module) -> bool:
    return RULES.get(type(child), _nothing) is not _nothing


def _places(module: nn.Module) -> Counter[nn.Module]:
    """How often each module is met on the way down; the way ends at a class of the table that is no container."""
    met: Counter[nn.Module] = Counter([module])
    for child in module.children():
        leaf = type(child) in RULES and not isinstance(child, nn.Sequential | nn.ModuleList)
        met.update([child] if leaf else _places(child))
    return met


def _hooks(module: nn.Module) -> Counter[nn.Module]:
    """How often each module is hooked: once for each time that `apply` comes by."""
    met: Counter[nn.Module] = Counter()
    module.apply(lambda child: met.update([child]))
    return met
