"""Networks by SOURCE, as far as they are torch modules: a name of the zoo, or a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from . import zoo
from .checkpoints import load_checkpoint, load_weights
from .input_kinds import InputKind


@dataclass(frozen=True)
class Network:
    """A network that is ready to run.

    Args:
        name: its name in the zoo.
        module: the network, in eval mode.
        takes: its inputs by name, in forward's order.
        host: whether parts of it are beyond a chip.
    """

    name: str
    module: nn.Module
    takes: Mapping[str, InputKind]
    host: bool

    def example(self, inputs: Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """Inputs as tracing takes them: by name, or the only one without."""
        return inputs["input"] if list(self.takes) == ["input"] else dict(inputs)

    @property
    def carries(self) -> Mapping[str, str]:
        """What each input promises to carry."""
        return {name: kind.carries for name, kind in self.takes.items()}


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
    return Network(name, module, config.takes, zoo.entry(name).host)
