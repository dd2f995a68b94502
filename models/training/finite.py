"""A loss or a gradient that is no number ends a training at once; here it is found out where it came from.

Looked at in this order: the data, the weights, then layer by layer what the network makes of the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from ...toolchain.errors import UsageError
from .batch_norm import alone
from .objective import ENTROPY, TOTAL

CALMER = "take a lower rate (--rate), more epochs to warm up (--warmup), or smaller gradients (--clip 1)"


@dataclass(frozen=True)
class Moment:
    """When it happened.

    Args:
        epoch: from 1.
        step: of the whole training, from 1.
        rate: its learning rate.
    """

    epoch: int
    step: int
    rate: float

    def __str__(self) -> str:
        return f"in epoch {self.epoch}, step {self.step}, at a rate of {self.rate:.3g}"


def check_losses(
    losses: Mapping[str, float], moment: Moment, network: nn.Module, streams: Mapping[str, Tensor]
) -> None:
    """Refuses to go on with a loss that is no number; of the whole and its parts, the first part is named."""
    strange = [(name, value) for name, value in losses.items() if not isfinite(value)]
    if strange:
        name, value = strange[min(1, len(strange) - 1)]
        called = f"the {name}" if name in (TOTAL, ENTROPY) else f"the penalty {name}"
        cause, fix = _cause(network, streams)
        raise UsageError("training", f"{called} is {value} {moment}: {cause}", fix=fix)


def check_gradients(norm: float, moment: Moment, network: nn.Module, streams: Mapping[str, Tensor]) -> None:
    """Refuses to go on with a gradient that is no number."""
    if isfinite(norm):
        return
    strange = [name for name, each in network.named_parameters() if each.grad is not None and not _finite(each.grad)]
    order = _order(network, list(streams.values()))
    last = max(strange, key=lambda name: order.get(name.rpartition(".")[0], -1), default="")
    others = f", and of {len(strange) - 1} others before it" if len(strange) > 1 else ""
    found = f"the gradient of {last}{others}" if last else "the norm of all gradients"
    cause, fix = _cause(network, streams)
    raise UsageError("training", f"{found} is no number {moment}: {cause}", fix=fix)


def _cause(network: nn.Module, streams: Mapping[str, Tensor]) -> tuple[str, str]:
    """What is to blame, and what to do about it."""
    for name, stream in streams.items():
        if not _finite(stream):
            return f"the data hold NaN or infinity in {name}", "clean the data"
    for name, weight in network.named_parameters():
        if not _finite(weight):
            return f"{name} holds NaN or infinity", CALMER
    first = _first_strange(network, list(streams.values()))
    return (
        f"{first} is the first layer whose answer is no number" if first else "every layer's answer is finite",
        CALMER,
    )


def _first_strange(network: nn.Module, streams: Sequence[Tensor]) -> str:
    """The first layer without layers in it that gives something that is no number."""
    found: list[str] = []

    def look(name: str, answer: Any) -> None:
        parts = answer if isinstance(answer, tuple) else (answer,)
        if not found and not all(_finite(part) for part in parts if isinstance(part, Tensor)):
            found.append(name)

    _listen(network, streams, look)
    return found[0] if found else ""


def _order(network: nn.Module, streams: Sequence[Tensor]) -> dict[str, int]:
    """When each module was last done in a run, by its name."""
    order: dict[str, int] = {}

    def look(name: str, _: Any) -> None:
        order[name] = len(order)

    _listen(network, streams, look)
    return order


@torch.no_grad()
def _listen(network: nn.Module, streams: Sequence[Tensor], look: Callable[[str, Any], None]) -> None:
    with alone(network), _hooked(network, look):
        network(*streams)


@contextmanager
def _hooked(network: nn.Module, look: Callable[[str, Any], None]) -> Iterator[None]:
    def hook(name: str) -> Callable[[nn.Module, Any, Any], None]:
        return lambda _module, _args, answer: look(name, answer)

    hooks = [module.register_forward_hook(hook(name)) for name, module in network.named_modules() if name]
    try:
        yield
    finally:
        for each in hooks:
            each.remove()


def _finite(values: Tensor) -> bool:
    return not values.is_floating_point() or bool(torch.isfinite(values).all())
