"""The command that shows the zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.errors import UsageError

app = typer.Typer()


@command(app, "models", "Look")
def models(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One network.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of its random weights.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write it as a .safetensors checkpoint.", show_default=False)
    ] = None,
) -> Result:
    """Shows the networks of the zoo; of one, its config and size; with -o, writes a checkpoint to start from."""
    from .listing import listed, shown

    if name is not None:
        return shown(name, seed, output)
    if output is not None:
        raise UsageError(
            "--output", "a file and no network", "the name of one", "say which: spikeport models NAME -o FILE"
        )
    return listed()
