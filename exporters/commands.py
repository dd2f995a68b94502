"""The command that writes networks as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..toolchain.console import Result, command
from ..toolchain.source import Given, with_source

app = typer.Typer()


@command(app, "convert", "Change")
@with_source
def convert(
    given: Given,
    to: Annotated[str, typer.Option(metavar="FORMAT,…", help="What to write: graph.")] = "graph",
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder to write to.")] = Path(),
) -> Result:
    """Writes a network as files, after passes that keep its function (`simplify`, unless --passes says otherwise)."""
    from .converting import converted, folder
    from .formats import formats

    wanted = formats(to.split(","))
    place = folder(output)
    return converted(given.graph("simplify"), wanted, place, explain=given.explain)
