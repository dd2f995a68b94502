"""All that changes in a training as named tensors, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, distributed

from ...toolchain.errors import FileError
from ..tensor_files import check_fit
from .learner import Learner
from .optimisers import check_memory
from .randomness import restore, states
from .state import Position


def tensors_of(learner: Learner, best: Mapping[str, Tensor], position: Position) -> dict[str, Tensor]:
    """Everything, by the names in `state.py`; numbers go to the position. To be called in every process."""
    scaler: Any = learner.fabric.strategy.precision.state_dict()
    position.skipped, position.scaler = learner.skipped, scaler
    optimiser = learner.optimiser.state_dict()["state"]
    parts: dict[str, Mapping[str, Tensor]] = {
        "network": learner.network.state_dict(),
        "average": learner.average.values if learner.average else {},
        "best": best,
        "optimiser": {
            f"{place}.{key}": value
            for place, each in optimiser.items()
            for key, value in each.items()
            if value is not None
        },
        "random": _random(learner),
    }
    return {f"{part}.{name}": value for part, values in parts.items() for name, value in values.items()}


def _random(learner: Learner) -> dict[str, Tensor]:
    found = {}
    for source, state in states().items():
        found.update({f"{process}.{source}": each for process, each in enumerate(_gathered(state, learner))})
    return found


def _gathered(state: Tensor, learner: Learner) -> list[Tensor]:
    """The same tensor of every process."""
    if learner.fabric.world_size == 1:
        return [state]
    own = state.to(learner.fabric.device)
    every = [torch.empty_like(own) for _ in range(learner.fabric.world_size)]
    distributed.all_gather(every, own)
    return every


def restore_all(path: str, tensors: Mapping[str, Tensor], learner: Learner, position: Position) -> dict[str, Tensor]:
    """Puts everything back; gives the best weights so far."""
    parts: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        part, _, rest = name.partition(".")
        parts.setdefault(part, {})[rest] = value
    for part in ("network", "best", *(["average"] if learner.average else [])):
        shapes = {name: (tuple(each.shape), each.dtype) for name, each in parts.get(part, {}).items()}
        check_fit(path, learner.network, shapes, exact=True)
    try:
        _restore(parts, learner, position)
    except (KeyError, ValueError, RuntimeError, IndexError, TypeError) as error:
        raise FileError(path, f"a state that does not fit ({error})", "what spikeport train wrote") from error
    device = learner.fabric.device
    return {name: each.to(device) for name, each in parts["best"].items()}


def _restore(parts: Mapping[str, Mapping[str, Tensor]], learner: Learner, position: Position) -> None:
    learner.network.load_state_dict(parts["network"])
    if learner.average is not None:
        device = learner.fabric.device
        learner.average.values = {name: each.to(device) for name, each in parts["average"].items()}
    kept: dict[int, dict[str, Tensor]] = {}
    for name, value in parts.get("optimiser", {}).items():
        place, _, key = name.partition(".")
        kept.setdefault(int(place), {})[key] = value
    check_memory(learner.optimiser, kept)
    learner.optimiser.load_state_dict({**learner.optimiser.state_dict(), "state": kept})
    learner.skipped = position.skipped
    precision: Any = learner.fabric.strategy.precision
    precision.load_state_dict(position.scaler)
    own = f"{learner.fabric.global_rank}."
    restore({name.removeprefix(own): each for name, each in parts["random"].items() if name.startswith(own)})
