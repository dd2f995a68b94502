"""Checkpoints: a network of the zoo in one safetensors file, its config beside the weights in the header.

The header's metadata has one key, `spikeport`, with canonical JSON (sorted keys, no spaces), so equal networks make
equal bytes:

    {"config": {…}, "format": 1, "metrics": {…}, "model": "event_convnet", "seed": 0, "training": {…}}

"training" is there when the weights were trained: on what, how long, by which command.
Nothing is unpickled. A file is believed step by step: header, JSON, name, config, then names, shapes and dtypes of all
weights against the network without memory behind it, and only then are weights read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from sys import float_info
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from ..toolchain.errors import FileError, SpikeportError
from ..toolchain.writing import write_whole
from . import zoo
from .tensor_files import Weights, check_finite, check_fit, open_safetensors, open_torch

KEY, FORMAT, TRAINING = "spikeport", 1, "training"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says about itself.

    Args:
        model: a name of the zoo.
        config: the network's config.
        seed: the seed its weights were first drawn with.
        metrics: numbers that go with these weights.
        training: how they were trained; empty for random weights.
    """

    model: str
    config: zoo.Config
    seed: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    training: Mapping[str, str | float] = field(default_factory=dict)


def save_checkpoint(path: str | Path, network: nn.Module, about: Checkpoint) -> None:
    """Writes a network of the zoo to one safetensors file, whole or not at all; equal networks give equal bytes."""
    save_values(path, network.state_dict(), about)


def save_values(path: str | Path, values: Mapping[str, Tensor], about: Checkpoint) -> None:
    """Writes what a network of the zoo is saved with, as `save_checkpoint` does."""
    config = asdict(about.config)
    said = {
        "format": FORMAT,
        "model": about.model,
        "config": config,
        "seed": about.seed,
        "metrics": dict(about.metrics),
        **({TRAINING: dict(about.training)} if about.training else {}),
    }
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in values.items()}
    check_finite(str(path), tensors)
    write_whole(path, save(tensors, {KEY: text}))


def load_checkpoint(path: str | Path) -> tuple[nn.Module, Checkpoint]:
    """Reads a checkpoint into a new network in eval mode; anything that does not fit is a FileError."""
    with open_safetensors(Path(path)) as weights:
        about = _about(str(path), weights.metadata)
        _check_length(str(path), about.config, len(weights.shapes))
        with torch.device("meta"):
            network = zoo.build(about.model, about.config, about.seed)
        check_fit(str(path), network, weights.shapes, exact=True)
        tensors = weights.read()
        check_finite(str(path), tensors)
    network.load_state_dict(tensors, assign=True)
    return network.eval(), about


def load_weights(module: nn.Module, path: str | Path) -> None:
    """Reads weights into a module: every name, every shape, all finite; from .safetensors, .pt or .pth, no pickle."""
    with _opened(Path(path)) as weights:
        check_fit(str(path), module, weights.shapes, exact=False)
        tensors = weights.read()
        check_finite(str(path), tensors)
    module.load_state_dict(tensors)


def _opened(path: Path) -> Weights:
    if path.suffix == ".safetensors":
        return open_safetensors(path)
    if path.suffix in (".pt", ".pth"):
        return open_torch(path)
    raise FileError(str(path), f"the suffix {path.suffix!r}", ".safetensors, .pt or .pth")


def _about(path: str, metadata: Mapping[str, str]) -> Checkpoint:
    said = _said(path, metadata)
    try:
        config = zoo.config_of(said["model"], said["config"])
    except SpikeportError as error:
        raise FileError(path, f"{error.where}: {error.found}", error.expected) from error
    return Checkpoint(said["model"], config, said["seed"], said["metrics"], said[TRAINING])


def _check_length(path: str, config: zoo.Config, weights: int) -> None:
    """Refuses to build more layers than there are weights: a short text can name a million of them."""
    for name, value in asdict(config).items():
        if isinstance(value, tuple) and len(value) > weights:
            raise FileError(
                path, f"{name} of {len(value):,} layers in the config", f"no more than its {weights} weights"
            )


KINDS: Mapping[str, type] = {"format": int, "model": str, "config": dict, "seed": int, "metrics": dict}


def _said(path: str, metadata: Mapping[str, str]) -> dict[str, Any]:
    if KEY not in metadata:
        raise FileError(
            path, "weights without a config", "a checkpoint of Spikeport", "name the network, with --weights"
        )
    try:
        said = json.loads(metadata[KEY])
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"a config that is not JSON ({error})") from error
    if not isinstance(said, dict) or set(said) | {TRAINING} != {*KINDS, TRAINING}:
        raise FileError(path, "a config of another form", f"an object of {', '.join(KINDS)}")
    said = {TRAINING: {}, **said}
    for name, kind in {**KINDS, TRAINING: dict}.items():
        if not isinstance(said[name], kind) or isinstance(said[name], bool):
            raise FileError(path, f"{name} = {said[name]!r} in the config", f"a value of type {kind.__name__}")
    strange = [value for value in said["metrics"].values() if not _number(value)]
    if not all(isinstance(value, str) or _number(value) for value in said[TRAINING].values()):
        raise FileError(path, "training that is not texts and numbers in the config", "texts and numbers by name")
    if strange or not 0 <= said["seed"] < 1 << 63:
        raise FileError(path, "a seed or metrics out of range in the config", "numbers, and a seed from 0 to 2^63 - 1")
    if said["format"] != FORMAT:
        raise FileError(path, f"format {said['format']}", f"format {FORMAT}", "use a newer Spikeport")
    return said


def _number(value: object) -> bool:
    """Whether it is a number that a float can be, and neither NaN nor infinity."""
    return isinstance(value, int | float) and abs(value) <= float_info.max
