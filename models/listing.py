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
    data = {"models": [{"name": name, "host": row.host, "text": row.text} for name, row in zoo.ZOO.items()]}
    rows = [(name, "chip and host" if row.host else "chip", row.text) for name, row in zoo.ZOO.items()]
    return Result(data, table(("name", "runs on", "what it is"), rows))


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
        "inputs": {name: {"shape": list(kind.shape), "carries": kind.carries} for name, kind in config.takes.items()},
        "host": row.host,
        "parameters": parameters,
        "seed": seed,
        "config": settings,
        "file": None if output is None else str(output),
    }
    taken = ", ".join(f"{each} {kind.carries} {by(kind.shape)}" for each, kind in config.takes.items())
    heading = f"{name}: {row.text}\ninput {taken}; {parameters:,} parameters\n"
    rows = [(key, str(value)) for key, value in settings.items()]
    written = [Text(f"\nwritten: {output}")] if output is not None else []
    return Result(data, Group(Text(heading), table(("config", "value"), rows), *written))
