"""The convention of SpikingJelly's estimate_simple_energy (2.0): MACs, ACs and synaptic operations of what torch runs.

A tensor is "spikes" when all its values are 0 and 1, and a weight can be.

    matrix product, convolution    spikes on one side: ACs = synops = pairs in bounds of what is not 0
                                   spikes on both: ACs = synops = pairs of which both are 1
                                   else MACs = all pairs, the padding among them
    batch norm    ACs n + c, MACs n with weights            average pool 2-d    outputs · (k - 1)
    sum, mean     ACs inputs - outputs                      sigmoid_            outputs
    + and -       ACs: outputs; of two that are spikes, the ones of both; an operation in place is looked at when done

Bytes read and written: weights once for every AC or MAC of the layer, biases once for every output, the state of
SpikingJelly's own neurons once each way in every step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .table import Tally
from .watching import copied, each_operation, unseen

Args = tuple[Any, ...]
Rule = Callable[[Args, dict[str, Any], Any], dict[str, int]]
"""What an operation counts, by name, from its arguments and its result."""


def _ones(values: Tensor) -> int | None:
    """How many 1 a tensor of spikes holds; None for one of anything else."""
    if values.dtype != torch.bool and not bool(((values == 0) | (values == 1)).all()):
        return None
    return int(values.count_nonzero())


def _synaptic(acs: int) -> dict[str, int]:
    return {"ac": acs, "synop": acs}


def _product(first: int) -> Rule:
    """A matrix product whose operands begin at that argument; a factor before it hides the spikes of one side alone."""

    def rule(args: Args, kwargs: dict[str, Any], gave: Tensor) -> dict[str, int]:
        left, right = args[first : first + 2]
        ones, others = _ones(left), _ones(right)
        if ones is not None and others is not None:
            return _synaptic(int((left.double() @ right.double()).sum()))
        if ones is None and others is None:
            return {"mac": left.numel() * right.shape[-1]}
        if first and kwargs.get("alpha", 1) != 1:
            return {}
        return _synaptic(ones * right.shape[-1] if ones is not None else (others or 0) * left.shape[-2])

    return rule


def _convolution(args: Args, kwargs: dict[str, Any], gave: Tensor) -> dict[str, int]:
    image, weight, transposed = args[0], args[1], args[6]
    ones, others = _ones(image), _ones(weight)
    positions = image.shape[0] * prod((image if transposed else gave).shape[2:])
    if ones is None and others is None:
        return {"mac": weight.numel() * positions}
    if ones is None:
        return _synaptic((others or 0) * positions)
    seen = weight.double() if others is not None else torch.ones_like(weight, dtype=torch.float64)
    return _synaptic(int(torch.ops.aten.convolution.default(image.double(), seen, None, *args[3:9]).sum()))


def _batch_norm(args: Args, kwargs: dict[str, Any], gave: Any) -> dict[str, int]:
    values, channels = args[0].numel(), args[0].shape[1]
    weighted, running, train = args[1] is not None, args[3] is not None, args[5]
    kept = 2 * channels if train and running else 0
    return {"ac": (3 * values if train else channels + values) + kept, "mac": (values if weighted else 0) + kept}


def _sum_of_two(args: Args, kwargs: dict[str, Any], gave: Tensor) -> dict[str, int]:
    operands = [_ones(each) if isinstance(each, Tensor) else None for each in args[:2]]
    if len(operands) == 2 and None not in operands:
        return {"ac": sum(each or 0 for each in operands)}
    return {"ac": gave.numel()}


def _reduction(args: Args, kwargs: dict[str, Any], gave: Tensor) -> dict[str, int]:
    return {"ac": args[0].numel() - gave.numel()}


aten = torch.ops.aten
RULES: Mapping[Any, Rule] = {
    aten.mm.default: _product(0),
    aten.bmm.default: _product(0),
    aten.addmm.default: _product(1),
    aten.baddbmm.default: _product(1),
    aten.convolution.default: _convolution,
    aten.native_batch_norm.default: _batch_norm,
    aten.avg_pool2d.default: lambda args, kwargs, gave: {"ac": gave.numel() * (prod(args[1]) - 1)},
    **dict.fromkeys((aten.sum.default, aten.sum.dim_IntList, aten.mean.dim), _reduction),
    **dict.fromkeys(
        (
            aten.add.Tensor, aten.add_.Tensor, aten.add.Scalar, aten.add_.Scalar, aten.sub.Tensor, aten.sub_.Tensor,
            aten.sub.Scalar, aten.sub_.Scalar, aten.rsub.Tensor, aten.rsub.Scalar,
        ),
        _sum_of_two,
    ),
    aten.sigmoid_.default: lambda args, kwargs, gave: {"ac": gave.numel()},
}  # fmt: skip
"""Overloads and what they count."""

NAMES = ("mac", "ac", "synop")
BYTES = ("weight_read_bytes", "bias_read_bytes", "neuron_state_read_bytes", "neuron_state_write_bytes")


def count(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """Sums over what torch carries out, and over the calls of layers and neurons for the bytes."""
    found = Counter(dict.fromkeys((*NAMES, *BYTES), 0))

    def ran(func: Any, args: Args, kwargs: dict[str, Any], gave: Any) -> None:
        if func in RULES:
            found.update(RULES[func](args, kwargs, gave))

    def called(child: nn.Module, given: Args, gave: Any) -> None:
        found.update(_traffic(child, given[0], gave) if given else {})

    each_operation(copied(module, train), inputs, ran, grad=False, called=called)
    names = {rule.overloadpacket.__name__.rstrip("_") for rule in RULES}
    misses = unseen(copied(module, train), inputs, lambda deed: deed.name in names, grad=False)
    return Tally({**found, "memory_access_bytes": sum(found[name] for name in BYTES)}, misses)


def added_by_operation(module: nn.Module, inputs: Any) -> Counter[str]:
    """The ACs that are no synaptic operations, by the operation that gave them."""
    found = Counter[str]()

    def ran(func: Any, args: Args, kwargs: dict[str, Any], gave: Any) -> None:
        counted = RULES[func](args, kwargs, gave) if func in RULES else {}
        found[func.overloadpacket.__name__.rstrip("_")] += counted.get("ac", 0) - counted.get("synop", 0)

    each_operation(copied(module, False), inputs, ran, grad=False, called=lambda m, given, gave: None)
    return found


def _traffic(module: Any, given: Any, gave: Any) -> dict[str, int]:
    """Bytes of one call of a layer or a neuron."""
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
        biases = 0 if module.bias is None else gave.numel() * module.bias.element_size()
        read = _weight_reads(module, given, gave) * module.weight.element_size()
        return {"weight_read_bytes": read, "bias_read_bytes": biases}
    if not any(
        base.__name__ == "BaseNode" and base.__module__.startswith("spikingjelly.") for base in type(module).__mro__
    ):
        return {}
    held = sum(each.numel() * each.element_size() for each in module.memories() if isinstance(each, Tensor))
    moved = held * (given.shape[0] if module.step_mode == "m" else 1)
    return {"neuron_state_read_bytes": moved, "neuron_state_write_bytes": moved}


def _weight_reads(module: Any, given: Tensor, gave: Tensor) -> int:
    ones = _ones(given)
    if isinstance(module, nn.Linear):
        return int(gave.numel() * module.in_features if ones is None else ones * module.out_features)
    if ones is None:
        return int(gave.numel() * prod(module.weight.shape[1:]))
    return _reached(module, given.flatten(0, 1) if getattr(module, "step_mode", "s") == "m" else given)


def _reached(module: Any, image: Tensor) -> int:
    """Outputs that the spikes of an image reach, as the layer pads it."""
    padding: Any = module.padding
    image = image.double()
    if isinstance(padding, str) or module.padding_mode != "zeros":
        mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
        image, padding = functional.pad(image, module._reversed_padding_repeated_twice, mode), [0] * len(module.stride)
    ones = torch.ones_like(module.weight, dtype=torch.float64)
    folded = [0] * len(module.stride)
    given = (module.stride, padding, module.dilation, False, folded, module.groups)
    return int(aten.convolution.default(image, ones, None, *given).sum())
