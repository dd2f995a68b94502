"""Networks by SOURCE, as far as they are torch modules: a name of the zoo, or a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from . import zoo
from .checkpoints import load_checkpoint, load_weights


@dataclass(frozen=True)
class Network:
    """A network that is ready to run.

    Args:
        name: its name in the zoo.
        module: the network, in eval mode.
        input_shape: the shape of one step of one sample.
        carries: what its input promises: graded, or spikes.
    """

    name: str
    module: nn.Module
    input_shape: tuple[int, ...]
    carries: str


def network_of(source: str, weights: Path | None = None, seed: int = 0) -> Network:
    """The network of a SOURCE.

    Args:
        source: a name of the zoo, or a `.safetensors` checkpoint.
        weights: a file of weights for a network named by its name; without one they are random by `seed`.
        seed: draws random weights.
    """
    if source.endswith(".safetensors"):
        module, about = load_checkpoint(source)
        name, config = about.model, about.config
    else:
        name, config = source, zoo.config_of(source)
        module = zoo.build(source, config, seed)
    if weights is not None:
        load_weights(module, weights)
    return Network(name, module, config.input_shape, zoo.entry(name).carries)
