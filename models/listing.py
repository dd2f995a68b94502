"""What `models` shows, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from ..toolchain.console import Result, working
from ..toolchain.errors import UsageError
from ..toolchain.tables import by, table
from ..toolchain.writing import check_place
from . import zoo


def listed() -> Result:
    """The table of the zoo; loads no network."""
    data = {"models": [{"name": name, "carries": row.carries, "text": row.text} for name, row in zoo.ZOO.items()]}
    rows = [(name, row.carries, row.text) for name, row in zoo.ZOO.items()]
    return Result(data, table(("name", "input", "what it is"), rows))


def shown(name: str, seed: int, output: Path | None) -> Result:
    """One network: config, input, parameters; and its checkpoint where one is asked for."""
    if output is not None:
        if output.suffix != ".safetensors":
            raise UsageError("--output", f"'{output}'", "a name that ends in .safetensors")
        check_place(output)
    row, config = zoo.entry(name), zoo.config_of(name)
    with working(f"building {name}"):
        network = zoo.build(name, config, seed)
    settings: dict[str, Any] = asdict(config)
    parameters = sum(weight.numel() for weight in network.parameters())
    if output is not None:
        from .checkpoints import Checkpoint, save_checkpoint

        save_checkpoint(output, network, Checkpoint(name, config, seed))
    data = {
        "name": name,
        "text": row.text,
        "input": {"shape": list(config.input_shape), "carries": row.carries},
        "parameters": parameters,
        "seed": seed,
        "config": settings,
        "file": None if output is None else str(output),
    }
    heading = f"{name}: {row.text}\ninput {row.carries} {by(config.input_shape)}, {parameters:,} parameters\n"
    rows = [(key, str(value)) for key, value in settings.items()]
    written = [Text(f"\nwritten: {output}")] if output is not None else []
    return Result(data, Group(Text(heading), table(("config", "value"), rows), *written))
