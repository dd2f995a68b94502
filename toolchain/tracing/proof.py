"""The proof at the end of tracing: graph and module run on the same input, in float64, and answer the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import SpikeportError
from ..graph import Graph
from ..simulate import simulate
from .values import leaves

Array = np.ndarray[Any, Any]
RELATIVE = 1e-6
"""How far real values may lie apart, relative to the largest of them; spikes may not differ at all."""


class NotTheSame(SpikeportError):
    """A graph that does not compute what its module computes."""


@dataclass(frozen=True)
class Claim:
    """One output of the graph, and which of the module's answers it claims to be.

    Args:
        output: the name of the graph's output.
        place: the place of the tensor among the leaves of what the module answers.
        axes: what each axis of that tensor is.
    """

    output: str
    place: int
    axes: str


class _Wide(TorchFunctionMode):
    """Where a framework says float() it means floating point: here that is float64."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> Any:
        """Answer float() and to(float32) with float64."""
        kwargs = {name: _wider(each) for name, each in (kwargs or {}).items()}
        if func is Tensor.float:
            return args[0].double()
        args = tuple(_wider(each) for each in args)
        try:
            return func(*args, **kwargs)
        except RuntimeError as error:  # a plain tensor that a module keeps does not follow it into float64
            if "dtype" not in str(error):
                raise
            return func(*map(_widened, args), **{name: _widened(each) for name, each in kwargs.items()})


def _wider(value: Any) -> Any:
    return torch.float64 if value is torch.float32 else value


def _widened(value: Any) -> Any:
    return value.double() if isinstance(value, Tensor) and value.dtype is torch.float32 else value


def prove(
    graph: Graph, module: nn.Module, inputs: tuple[Tensor, ...], axis: int | None, steps: int, claims: Sequence[Claim]
) -> None:
    """Raise NotTheSame, with the first place where they differ, unless graph and module answer the same."""
    wide = copy.deepcopy(module).double()
    inputs = tuple(_turned(each, axis) for each in inputs)
    with torch.no_grad(), _Wide():
        answers = list(leaves(wide(*(each.detach().double().clone() for each in inputs))))
    given = {name: _in_time(each.double(), axis, steps) for name, each in zip(graph.inputs, inputs, strict=True)}
    found = simulate(graph, given, dtype="float64").outputs
    for claim in claims:
        wanted = answers[claim.place].detach().numpy().astype(np.float64)
        _compare(graph, claim, np.asarray(found[claim.output]), wanted)


def _turned(example: Tensor, axis: int | None) -> Tensor:
    """The example with its samples and its steps in the opposite order.

    Something that the traced run took from the example for a constant would pass on the example itself.
    """
    return example.flip([0] if axis is None else [0, 1] if axis < 2 else [0, axis])


def _in_time(example: Tensor, axis: int | None, steps: int) -> Array:
    """The example as [T, B, ...]; one that is the same in every step is repeated."""
    values: Array = example.detach().cpu().numpy()
    if axis is None:
        return np.ascontiguousarray(np.broadcast_to(values, (steps, *values.shape)))
    return np.ascontiguousarray(np.moveaxis(values, axis, 0))


def _compare(graph: Graph, claim: Claim, found: Array, wanted: Array) -> None:
    wanted = _ordered(wanted, claim.axes, found)
    if found.shape != wanted.shape:
        raise NotTheSame(
            graph.name,
            f"output '{claim.output}' has shape {list(found.shape)}",
            f"{list(wanted.shape)}, as the module's",
        )
    signal = graph.signals[claim.output]
    exact = not signal.carries.graded
    slack = 0.0 if exact else RELATIVE * max(1.0, float(np.abs(wanted).max(initial=0.0)))
    wrong = ~(np.abs(found - wanted) <= slack)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        share = f"{int(wrong.sum())} of {wrong.size} values"
        raise NotTheSame(
            f"{graph.name}, output '{claim.output}'",
            f"the traced graph differs from the module in {share}, first at {list(index)}: {found[index]!r}",
            f"{wanted[index]!r}, as the module computes",
            "the module does something between its steps that tracing did not see; trace its parts, or pass rows= for them",
        )


def _ordered(wanted: Array, axes: str, found: Array) -> Array:
    """The module's answer with its axes as the graph's: time, batch, features."""
    if "F" in axes:
        return wanted.reshape(found.shape)
    order = sorted(range(len(axes)), key=lambda d: ("TBf".index(axes[d]), d))
    values = wanted.transpose(order)
    return values[None] if "T" not in axes and values.ndim == found.ndim - 1 else values
