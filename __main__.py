"""The command `spikeport`: the commands of every folder, put together."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from . import __version__
from .benchmarks.commands import app as benchmarks
from .exporters.commands import app as exporters
from .models.commands import app as models
from .network_files import golden_of
from .sources import example_of, graph_of, module_of
from .toolchain.commands import app as toolchain
from .toolchain.lava_commands import app as lava
from .toolchain.source import Load
from .toolchain.verify_commands import app as verifying

app = typer.Typer(
    name="spikeport",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (toolchain, verifying, models, exporters, benchmarks):
    app.add_typer(part)
app.add_typer(lava, name="lava", rich_help_panel="Run elsewhere")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"spikeport {__version__}")
        raise typer.Exit


@app.callback()
def spikeport(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Takes a network trained in PyTorch to a neuromorphic chip and proves that it is still the same network."""
    context.obj = Load(graph_of, module_of, example_of, golden_of)


def main() -> None:
    """Runs the command line."""
    # A polite `kill` unwinds like Ctrl-C does, so that no half-written file stays behind.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    app()


if __name__ == "__main__":
    main()
