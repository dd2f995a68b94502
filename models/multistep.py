"""T steps of a layer of neurons: fused on the CPU, the eager loop everywhere else.

The fused pass is one `autograd.Function` around the kernels and saves nothing but its input. The eager loop runs on
other devices, in other dtypes, inside torch.func, torch.compile and fx, and when a gradient is itself differentiated.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..toolchain.kernels.gradients import LifGradients, run_lif_backward
from ..toolchain.kernels.lif import LifParams, LifState, run_li, run_lif
from .eager import run_eagerly
from .fields import NAMES, Fields, NeuronState, Value


def run_steps(
    x: Tensor, fields: Fields, state: NeuronState | None = None, keep_state: bool = True
) -> tuple[Tensor, NeuronState]:
    """Runs x [T, B, *shape] from `state`; gives spikes (a leaky integrator: v) [T, B, *shape] and the state after.

    Without a state the run starts at zeros. Without `keep_state` the state after is worth nothing.

    This is the door between autocast and neurons: products may be in half precision, a membrane never is. What comes
    in half goes on in float32, and so does what is integrated; spikes leave as they came, for 0 and 1 are exact.
    """
    if in_half(x):
        wide = None if state is None else NeuronState(*(row.float() for row in state))
        out, after = run_steps(x.float(), fields, wide, keep_state)
        return out if fields.surrogate is None else out.to(x.dtype), after
    before = zero_state(x) if state is None else state
    if not fusible(x):
        return run_eagerly(x, fields, before)
    order = _memory_order(x, fields)
    if order == list(range(x.ndim)):
        return _run_fused(x.contiguous(), fields, before, keep_state)
    back = sorted(order, key=order.__getitem__)
    turned = NeuronState(*(_turned(row, order) for row in before))
    out, after = _run_fused(x.permute(order).contiguous(), fields, turned, keep_state)
    return out.permute(back), NeuronState(*(_turned(row, back) for row in after))


def in_half(x: Tensor) -> bool:
    """Whether x is in half precision because autocast made it so."""
    half = isinstance(x, Tensor) and x.dtype in (torch.bfloat16, torch.float16)
    return half and torch.is_autocast_enabled(x.device.type)


def _turned(row: Tensor, order: list[int]) -> Tensor:
    return row.permute([dim - 1 for dim in order[1:]])


def _run_fused(x: Tensor, fields: Fields, before: NeuronState, keep_state: bool) -> tuple[Tensor, NeuronState]:
    values = [_spread(value, x) for value in fields.values()]
    tracked = torch.is_grad_enabled() and any(
        isinstance(each, Tensor) and each.requires_grad for each in (x, *before, *values)
    )
    launch: Any = _Fused.apply if tracked else _launched
    out, u, v = launch(x, *before, *values, fields, keep_state)
    last = before.s if fields.surrogate is None or not len(out) else out[-1]
    return out, NeuronState(before.u if u is None else u, before.v if v is None else v, last)


def _memory_order(x: Tensor, fields: Fields) -> list[int]:
    """The dimensions of x as they lie in memory, time first: a channels-last input is run as it is, not copied.

    Parameters of one element per feature need the features last, as they are.
    """
    vectors = any(isinstance(value, Tensor) and value.ndim for value in fields.values())
    dims = list(range(1, x.ndim))
    return [0, *(dims if vectors else sorted(dims, key=x.stride, reverse=True))]


def zero_state(x: Tensor) -> NeuronState:
    """u = v = s = 0 for x [T, B, *shape], in the memory of one number."""
    zeros = x.new_zeros(()).expand(x.shape[1:])
    return NeuronState(zeros, zeros, zeros)


def fusible(x: Tensor) -> bool:
    """Whether kernels can run a tensor: plain numbers on the CPU, and nobody watches."""
    plain = type(x) is Tensor or type(x) is torch.nn.Parameter
    if not plain or torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active():
        return False
    return x.device.type == "cpu" and x.dtype in (torch.float32, torch.float64) and x.layout == torch.strided


def _spread(value: Value | None, x: Tensor) -> Value | None:
    """A parameter as the kernels take it: a number, a 0-d tensor, or one element per feature."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    return value.expand(x.shape[2:]).reshape(-1)


def _launched(x: Tensor, u: Tensor, v: Tensor, s: Tensor, *rest: Any) -> tuple[Tensor | None, ...]:
    """The forward kernel: (x, u, v, s, parameters, fields, keep_state) → (out, u and v after the last step)."""
    values, (fields, keep) = rest[:-2], rest[-2:]
    run = run_li if fields.surrogate is None else run_lif
    found = run(_rows(x), _params(fields, values), LifState(*map(_flat, (u, v, s))), keep_state=keep)
    out = torch.from_numpy(found.spikes if found.v is None else found.v).view(x.shape)
    return out, _shaped(found.state.u, x), _shaped(found.state.v, x)


class _Fused(torch.autograd.Function):
    """The kernels as one differentiable operation, with the arguments and results of `_launched`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, u: Tensor, v: Tensor, s: Tensor, *rest: Any) -> tuple[Tensor | None, ...]:
        values, fields = rest[:-2], rest[-2]
        ctx.set_materialize_grads(False)
        ctx.fields, ctx.plain = fields, [None if isinstance(value, Tensor) else value for value in values]
        ctx.save_for_backward(x, u, v, s, *(value if isinstance(value, Tensor) else None for value in values))
        return _launched(x, u, v, s, *rest)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        x, u, v, s, *tensors = ctx.saved_tensors
        values = [plain if tensor is None else tensor for plain, tensor in zip(ctx.plain, tensors, strict=True)]
        if torch.is_grad_enabled():  # the gradient will itself be differentiated
            return *_differentiable(ctx, x, NeuronState(u, v, s), values, grads), None, None
        found = run_lif_backward(
            _rows(x),
            _rows(torch.zeros_like(x) if grads[0] is None else grads[0]),
            _params(ctx.fields, values),
            LifState(*map(_flat, (u, v, s))),
            LifState(*(None if grad is None else _flat(grad) for grad in grads[1:])),
            ctx.fields.surrogate,
            any(ctx.needs_input_grad[4:-2]),
            any(ctx.needs_input_grad[1:4]),
        )
        return *_as_tensors(found, x, values, ctx.needs_input_grad[4:-2]), None, None


def _rows(x: Tensor) -> np.ndarray[Any, Any]:
    return x.detach().reshape(len(x), -1 if x.numel() else math.prod(x.shape[1:])).contiguous().numpy()


def _flat(row: Tensor) -> np.ndarray[Any, Any] | None:
    """A row of state [N]; None when every element is one and the same zero."""
    if not any(row.stride()) and row.numel() and not row.detach().view(-1)[0]:
        return None
    return row.detach().reshape(-1).numpy()


def _shaped(row: np.ndarray[Any, Any] | None, x: Tensor) -> Tensor | None:
    return None if row is None else torch.from_numpy(row).view(x.shape[1:])


def _params(fields: Fields, values: Any) -> LifParams:
    numbers = [value.detach().numpy() if isinstance(value, Tensor) else value for value in values]
    return LifParams(*numbers, fields.reset, fields.when, fields.inclusive)  # type: ignore[call-arg, arg-type]


def _as_tensors(found: LifGradients, x: Tensor, values: list[Any], needed: tuple[bool, ...]) -> list[Tensor | None]:
    state = (_shaped(row, x) for row in (found.state.u, found.state.v, found.state.s))
    grads = [torch.from_numpy(found.x).view(x.shape), *state]
    for name, value, need in zip(NAMES, values, needed, strict=True):
        grads.append(_summed(found.params[name], value) if need else None)
    return grads


def _summed(grad: np.ndarray[Any, Any], value: Tensor) -> Tensor:
    """A parameter's gradient in its own shape; a number among vectors has one column for each feature."""
    whole = torch.from_numpy(grad).to(value.dtype)
    return whole.sum() if value.ndim == 0 else whole.view(value.shape)


def _differentiable(
    ctx: Any, x: Tensor, state: NeuronState, values: list[Any], grads: tuple[Tensor | None, ...]
) -> list[Tensor | None]:
    """The same gradients from the eager loop, which torch can differentiate again."""
    inputs = [x, *state, *values]
    needed = ctx.needs_input_grad[: len(inputs)]
    wanted = [entry for entry, need in zip(inputs, needed, strict=True) if need]
    with torch.enable_grad():
        shaped = [value.view(x.shape[2:]) if isinstance(value, Tensor) and value.ndim else value for value in values]
        fields = replace(ctx.fields, **dict(zip(NAMES, shaped, strict=True)))
        out, after = run_eagerly(x, fields, state)
        ends = [(end, grad) for end, grad in zip((out, after.u, after.v), grads, strict=True) if grad is not None]
        ends = [(end, grad) for end, grad in ends if end.requires_grad]
        outputs, starts = zip(*ends, strict=True)
        found = iter(torch.autograd.grad(outputs, wanted, starts, create_graph=True, allow_unused=True))
    return [next(found) if need else None for need in needed]
