"""The convention of syops-counter (0.0.5), which many papers on spiking networks take their ACs and MACs from.

    operations of a layer as mmcv counts them, but
        transposed convolutions by their outputs    Linear  inputs · features out + features out once, if it has a bias
        upsampling and activations by outputs           spiking neurons (IF, LIF, PLIF of SpikingJelly)  inputs
    an input of at most two values, all in [0, 1], "spikes":   ACs += operations · mean of the input
    any other:                                                 MACs += operations

Activations and upsampling look at the first sample of their output instead. Neurons add 1 AC per input. The products of
recurrent layers and attention are in the operations, and in neither of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from .mmcv import ACTIVATIONS, CONVOLUTIONS, NORMS, POOLS, convolution, inputs_of, normalisation
from .table import Tally
from .watching import copied, each_call, first_length, unseen

Sums = tuple[float, float, float]
"""Operations, ACs, MACs. ACs are products with a rate, so they are whole only by chance."""
Rule = Callable[[Any, tuple[Any, ...], Any], Sums]


def _split(operations: int, looked_at: Tensor) -> Sums:
    """ACs for what looks like spikes, MACs for everything else."""
    if len(torch.unique(looked_at)) <= 2 and looked_at.max() <= 1 and looked_at.min() >= 0:
        return operations, operations * (looked_at.sum() / looked_at.numel()).item(), 0
    return operations, 0, operations


def _by_input(operations: Callable[[Any, Tensor, Tensor], int]) -> Rule:
    return lambda module, given, gave: _split(operations(module, given[0], gave), given[0])


def _by_output(module: Any, given: tuple[Any, ...], gave: Tensor) -> Sums:
    return _split(gave.numel(), gave[0])


def _upsampling(module: Any, given: tuple[Any, ...], gave: Tensor) -> Sums:
    return _split(gave[0].numel(), gave[0])


def _linear(module: Any, given: Tensor, gave: Tensor) -> int:
    return int(given.numel() * gave.shape[-1] + (gave.shape[-1] if module.bias is not None else 0))


def _neuron(module: Any, given: tuple[Any, ...], gave: Any) -> Sums:
    return given[0].numel(), given[0].numel(), 0


def _per_layer(module: Any, suffix: str, bias: bool) -> int:
    """Products and sums of one step of one layer of a recurrent module."""
    hidden, name = module.hidden_size, type(module).__name__
    beside = {"R": 1, "G": 7, "L": 10}[name[0]] * hidden
    weights = [getattr(module, f"weight_{way}{suffix}") for way in ("ih", "hh")]
    biases = [getattr(module, f"bias_{way}{suffix}") for way in ("ih", "hh")] if bias else []
    return int(sum(each.numel() for each in weights) + beside + sum(each.shape[0] for each in biases))


def _recurrent(module: Any, given: tuple[Any, ...], gave: Any) -> Sums:
    each = sum(_per_layer(module, f"_l{layer}", module.bias) for layer in range(module.num_layers))
    return prod(given[0].shape[:2]) * each * (2 if module.bidirectional else 1), 0, 0


def _cell(module: Any, given: tuple[Any, ...], gave: Any) -> Sums:
    return given[0].shape[0] * _per_layer(module, "", module.bias), 0, 0


def _attention(module: Any, given: tuple[Any, ...], gave: Any) -> Sums:
    query, key, value = given[:3]
    at = 1 if module.batch_first else 0
    queries, keys, values = (each.shape[at] for each in given[:3])
    width, samples = query.shape[2], query.shape[1 - at]
    operations = queries * width + queries * width**2 + keys * key.shape[2] ** 2 + values * value.shape[2] ** 2
    operations += (queries + keys + values) * width if module.in_proj_bias is not None else 0
    per_head = queries * keys * (width // module.num_heads + 1) + queries * keys * (value.shape[2] // module.num_heads)
    operations += module.num_heads * per_head + queries * value.shape[2] * (value.shape[2] + 1)
    return samples * operations, 0, 0


RULES: Mapping[type[nn.Module], Rule] = {
    **dict.fromkeys(CONVOLUTIONS, _by_input(convolution)),
    **dict.fromkeys((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), _by_input(convolution)),
    **dict.fromkeys((*ACTIVATIONS, nn.GELU), _by_output),
    **dict.fromkeys(POOLS, _by_input(inputs_of)),
    **dict.fromkeys(NORMS, _by_input(normalisation)),
    nn.Linear: _by_input(_linear),
    nn.Upsample: _upsampling,
    **dict.fromkeys((nn.RNN, nn.GRU, nn.LSTM), _recurrent),
    **dict.fromkeys((nn.RNNCell, nn.GRUCell, nn.LSTMCell), _cell),
    nn.MultiheadAttention: _attention,
}
"""A class, and what one call of it counts."""

NEURONS = (
    "IFNode",
    "LIFNode",
    "ParametricLIFNode",
    "MultiStepIFNode",
    "MultiStepLIFNode",
    "MultiStepParametricLIFNode",
)


def _rule(module: nn.Module) -> Rule | None:
    kind = type(module)
    spiking = kind.__module__.startswith("spikingjelly.") and kind.__name__ in NEURONS
    return _neuron if spiking else RULES.get(kind)


def count(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """Sums over the tree, down to the first module that has a rule; ACs are rounded at the end, and only there."""
    subject = copied(module, train)
    found: dict[nn.Module, Sums] = {}

    def called(child: nn.Module, given: tuple[Any, ...], gave: Any) -> None:
        if rule := _rule(child):
            before = found.get(child, (0, 0, 0))
            now = rule(child, given, gave)
            found[child] = (before[0] + now[0], before[1] + now[1], before[2] + now[2])

    each_call(subject, inputs, called, grad=False)
    sums = torch.tensor(_added(subject, found), dtype=torch.float64)
    subject = copied(module, train)
    misses = unseen(subject, inputs, lambda deed: any(_rule(each) for each in deed.inside), grad=False)
    operations, acs, macs = (round(value) for value in sums.tolist())
    return Tally({"operations": operations, "acs": acs, "macs": macs}, misses, first_length(inputs))


def _added(module: nn.Module, found: Mapping[nn.Module, Sums]) -> Sums:
    if _rule(module):
        return found.get(module, (0, 0, 0))
    below = [_added(child, found) for child in module.children()]
    return sum(each[0] for each in below), sum(each[1] for each in below), sum(each[2] for each in below)
