"""The convention of torch's FlopCounterMode: 2 FLOPs for every multiply-accumulate of a convolution or matrix product.

    mm, addmm, bmm, baddbmm      2 · M · K · N, in every matrix of a batch
    convolution                  2 · batch · weights · positions (of the output; of the input when transposed)
    attention in one call        as its two matrix products, in the kernels of GPUs; the kernel of a CPU has no rule

Padding counts like any input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from torch import Tensor, nn

from .table import Tally
from .watching import copied, each_operation, unseen

Rule = Callable[[tuple[Any, ...], Any], int]
"""Multiply-accumulates of an operation, from its arguments and its result."""


def _product(first: int) -> Rule:
    """A matrix product whose operands begin at that argument."""
    return lambda args, gave: args[first].numel() * args[first + 1].shape[-1]


def _convolution(args: tuple[Any, ...], gave: Any) -> int:
    image, weight, transposed = args[0], args[1], args[6]
    positions = (image if transposed else gave).shape[2:]
    return int(image.shape[0] * weight.numel() * prod(positions))


def _attention(args: tuple[Any, ...], gave: Any) -> int:
    query, key, value = args[:3]
    return int(prod(query.shape[:3]) * key.shape[2] * (query.shape[3] + value.shape[3]))


RULES: Mapping[str, Rule] = {
    "mm": _product(0),
    "bmm": _product(0),
    "addmm": _product(1),
    "baddbmm": _product(1),
    "_scaled_mm": _product(0),
    "convolution": _convolution,
    "_convolution": _convolution,
    "cudnn_convolution": _convolution,
    "_scaled_dot_product_efficient_attention": _attention,
    "_scaled_dot_product_flash_attention": _attention,
    "_scaled_dot_product_cudnn_attention": _attention,
}
"""aten operations and their multiply-accumulates."""


def count(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """Sums over what torch carries out."""
    total = 0

    def ran(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], gave: Tensor) -> None:
        nonlocal total
        name = func.overloadpacket.__name__
        if name in RULES:
            total += 2 * RULES[name](args, gave)

    each_operation(copied(module, train), inputs, ran, grad=True)
    misses = unseen(copied(module, train), inputs, lambda deed: deed.name in RULES, grad=True, hooked=False)
    return Tally({"flops": total}, misses)
