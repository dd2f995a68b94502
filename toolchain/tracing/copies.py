"""Copies of the user's module, so that the module itself stays as it is whatever a run does."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from ..errors import UsageError
from .calls import Rows
from .values import leaves


def fresh_copy(module: nn.Module, rows: Rows) -> nn.Module:
    """A copy in float64 and in eval mode that has not seen a step and shares nothing with the module."""
    try:
        twin = copy.deepcopy(module, _cut_loose(module)).eval()
    except Exception as error:
        kind = type(module).__name__
        fix = "keep what cannot be copied (locks, files, handles) out of the module"
        raise UsageError(kind, f"the module cannot be copied: {error}", fix=fix) from error
    _widen(twin)
    start_anew(twin, rows)
    return twin


def _widen(module: nn.Module) -> None:
    """Weights and buffers in float64, on the processor that graphs run on; those that modules share stay shared."""
    for each in module.parameters():
        each.data = _wide(each.data)
    wide = {id(each): _wide(each) for each in module.buffers()}
    for owner in module.modules():
        for name, buffer in owner._buffers.items():
            owner._buffers[name] = None if buffer is None else wide[id(buffer)]


def _wide(tensor: Tensor) -> Tensor:
    return tensor.cpu().double() if tensor.is_floating_point() else tensor.cpu()


def start_anew(module: nn.Module, rows: Rows) -> None:
    """Put every module that a row knows back to before its first step."""
    for each in module.modules():
        row = rows.row(each)
        if row is not None and row.fresh is not None:
            row.fresh(each)


def _cut_loose(module: nn.Module) -> dict[int, Any]:
    """What a deep copy takes in the place of tensors that gradients flow through, as a network in training keeps."""
    return {id(each): each.detach().clone() for each in kept_tensors(module) if each.grad_fn is not None}


def kept_tensors(module: nn.Module) -> Iterator[Tensor]:
    """Every tensor that the modules of a network keep as an attribute, or in a container that is one."""
    for each in module.modules():
        for value in vars(each).values():
            yield from (leaf for leaf in leaves(value) if isinstance(leaf, Tensor))
