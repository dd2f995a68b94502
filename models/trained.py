"""Checkpoints that come along: small networks, trained on made data by the command that stands in each of them.

    spikeport models spiking_fusion --trained -o mine.safetensors

    network, about = load_checkpoint(trained_checkpoint("spiking_fusion"))
    graph = spikeport.load(trained_checkpoint("spiking_fusion"))

A file `trained/NAME.safetensors` is all that it takes.
"""

from __future__ import annotations

from pathlib import Path

from ..toolchain.errors import UsageError
from .recipes import RECIPES
from .zoo import ZOO, entry

FOLDER = Path(__file__).parent / "trained"


def trained_names() -> tuple[str, ...]:
    """The networks of the zoo that come with trained weights."""
    return tuple(name for name in ZOO if _file(name).is_file())


def trained_checkpoint(name: str) -> Path:
    """The checkpoint of a network of the zoo that comes along; to be read, not to be written to."""
    entry(name)
    if name not in trained_names():
        data = "" if name in RECIPES else " --data DIR"
        expected = " or ".join(trained_names())
        raise UsageError(name, "comes without trained weights", expected, f"train it: spikeport train {name}{data}")
    return _file(name)


def _file(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"
