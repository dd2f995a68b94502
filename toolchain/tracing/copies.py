"""Copies of the user's module, so that the module itself stays as it is whatever a run does."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
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
    for each in list(twin.modules()):
        for name, part in each.named_children():
            if uncompiled(part) is not part:
                setattr(each, name, uncompiled(part))
    _widen(twin)
    start_anew(twin, rows)
    return twin


def _widen(module: nn.Module) -> None:
    """Weights and buffers in float64, on the processor that graphs run on; those that modules share stay shared."""
    for each in module.parameters():
        each.data = _wide(each.data)
    wide = {id(each): _wide(each) for each in module.buffers()}
    for owner in module.modules():
        if isinstance(owner, torch.jit.ScriptModule):
            continue  # its buffers cannot be exchanged, and its call is refused
        for name, buffer in owner._buffers.items():
            owner._buffers[name] = None if buffer is None else wide[id(buffer)]


def _wide(tensor: Tensor) -> Tensor:
    return tensor.cpu().double() if tensor.is_floating_point() else tensor.cpu()


def uncompiled(module: nn.Module) -> nn.Module:
    """The module that torch.compile was given, or the module."""
    kind = type(module)
    compiled = kind.__name__ == "OptimizedModule" and kind.__module__.startswith("torch._dynamo")
    original: nn.Module = module._orig_mod if compiled else module  # type: ignore[assignment]
    return original


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
