"""A training that can go on: everything that changes in it, in one safetensors file beside what it must fit.

    network.<key>  average.<key>  best.<key>  optimiser.<place>.<key>  random.<process>.<source>    tensors
    metadata "spikeport_training": JSON {"format": 1, "plan": {…}, "position": {…}}

A training that goes on from it gives the same bits as one that was never stopped. Nothing is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from ...toolchain.errors import FileError
from ...toolchain.writing import write_whole
from ..tensor_files import open_safetensors
from .results import Epoch

KEY, FORMAT = "spikeport_training", 1


@dataclass
class Position:
    """How far a training is.

    Args:
        epoch: the one under way, from 1.
        batch: batches of it that are done.
        step: steps done in all.
        seconds: spent in this epoch.
        sums: losses and what was right, over the samples of this epoch.
        history: the epochs that are done.
        skipped: steps left out on end.
        scaler: what the scaling of gradients is at, in half precision.
    """

    epoch: int = 1
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    history: list[Epoch] = field(default_factory=list)
    skipped: int = 0
    scaler: dict[str, float] = field(default_factory=dict)

    def add(self, sums: Mapping[str, float]) -> None:
        """Counts a step."""
        self.sums = {name: self.sums.get(name, 0.0) + value for name, value in sums.items()}
        self.batch, self.step = self.batch + 1, self.step + 1

    def close(self, epoch: Epoch) -> None:
        """Ends an epoch."""
        self.history.append(epoch)
        self.epoch, self.batch, self.seconds, self.sums = self.epoch + 1, 0, 0.0, {}


Plan = Mapping[str, object]
"""What a training is of: what must be the same for it to go on."""


def save_state(path: Path, tensors: Mapping[str, Tensor], position: Position, plan: Plan) -> None:
    """Writes a state, whole or not at all."""
    # not sorted: losses are shown in the order in which they came
    said = json.dumps({"format": FORMAT, "plan": plan, "position": asdict(position)})
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_whole(path, save(kept, {KEY: said}))


def load_state(path: Path, plan: Plan) -> tuple[dict[str, Tensor], Position]:
    """Reads a state that fits the plan; what differs is named."""
    with open_safetensors(path) as file:
        said = _said(path, file.metadata)
        _check_plan(path, said["plan"], json.loads(json.dumps(plan)))
        return file.read(), _position(path, said["position"])


def _said(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    try:
        said = json.loads(metadata[KEY])
        if said["format"] == FORMAT and isinstance(said["plan"], dict) and isinstance(said["position"], dict):
            return dict(said)
    except (KeyError, TypeError, ValueError, RecursionError):
        pass
    raise FileError(str(path), "not the state of a training", "a file that spikeport train wrote")


def _check_plan(path: Path, kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    before, after = _flat(kept), _flat(wanted)
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    if names:
        found = "; ".join(f"{name} {before.get(name)!r}" for name in names)
        now = "; ".join(f"{name} {after.get(name)!r}" for name in names)
        fix = "give the options it was started with, or another folder"
        raise FileError(str(path), f"the state of another training: {found}", now, fix)


def _flat(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan with `recipe.epochs` in place of `recipe`, and so on: one field that differs is named alone."""
    parts = {name: each if isinstance(each, dict) else {"": each} for name, each in plan.items()}
    return {f"{name}.{key}".rstrip("."): value for name, each in parts.items() for key, value in each.items()}


def _position(path: Path, said: Mapping[str, Any]) -> Position:
    try:
        found = Position(**{**said, "history": [Epoch(**each) for each in said["history"]]})
    except (KeyError, TypeError) as error:
        raise FileError(str(path), f"not the position of a training ({error})") from error
    counts = (found.epoch - 1, found.batch, found.step, found.skipped) if type(found.epoch) is int else ()
    maps = all(isinstance(each, dict) for each in (found.sums, found.scaler))
    if not counts or not all(type(each) is int and 0 <= each < 1 << 48 for each in counts) or not maps:
        raise FileError(str(path), "not the position of a training: counts below 0, or no counts")
    return found
