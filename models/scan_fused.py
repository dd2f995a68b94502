"""The scan's kernels as one differentiable operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..toolchain.kernels.scan import ScanInputs, run_scan, run_scan_backward
from .frame_products import scan_by_products


def fused(x: Tensor, step: Tensor, decay: Tensor, b: Tensor, c: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """The scan of `toolchain/kernels/scan.py` over frames, with gradients: y [T, B, N, E] and the state after.

    Args:
        x: [T, B, N, E], in float32 or float64 on the CPU, as everything here.
        step: Δ [T, B, N, R, heads].
        decay: e, likewise.
        b: [T, B, N, R, groups, S].
        c: likewise.
        state: [B, R, S, E].
    """
    given = tuple(each.contiguous() for each in (x, step, decay, b, c, state))
    if torch.is_grad_enabled() and any(each.requires_grad for each in given):
        launched: tuple[Tensor, Tensor] = _Fused.apply(*given)  # type: ignore[no-untyped-call]
        return launched
    return _launched(given, keep=False)[:2]


def in_full(form: Callable[..., tuple[Tensor, Tensor]], *given: Tensor | None) -> tuple[Tensor, Tensor]:
    """A scan without autocast, in float32: half precision would round what sequences remember."""
    first = next(each for each in given if each is not None)
    with torch.autocast(first.device.type, enabled=False):
        return form(*(None if each is None else each.float() for each in given))


def _launched(given: tuple[Tensor, ...], keep: bool) -> tuple[Tensor, Tensor, Tensor]:
    *inputs, state = (each.detach().numpy() for each in given)
    found = run_scan(ScanInputs(*inputs), state, keep)
    return torch.from_numpy(found.y), torch.from_numpy(found.state), torch.from_numpy(found.kept)


class _Fused(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> tuple[Tensor, Tensor]:
        y, after, kept = _launched(given, keep=True)
        ctx.save_for_backward(*given, kept)
        return y, after

    @staticmethod
    def backward(ctx: Any, dy: Tensor, dafter: Tensor) -> tuple[Tensor, ...]:
        *given, kept = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient will itself be differentiated
            return _differentiable(given, (dy, dafter))
        *inputs, _ = (each.detach().numpy() for each in given)
        found = run_scan_backward(ScanInputs(*inputs), kept.numpy(), dy.contiguous().numpy(), dafter.numpy())
        return tuple(torch.from_numpy(each) for each in found)


def _differentiable(given: list[Tensor], grads: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    """The same gradients from products of matrices, which torch can differentiate again."""
    with torch.enable_grad():
        x, step, decay, b, c, state = given
        log = decay.clamp_min(torch.finfo(decay.dtype).tiny).log()  # a finite logarithm; what is less is as good as 0
        ends = scan_by_products(x, step, log, b, c, state)
        return torch.autograd.grad(ends, given, grads, create_graph=True)
