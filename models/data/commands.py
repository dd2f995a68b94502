"""The commands that make data, and turn recordings into it: `spikeport data …`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperGroup

from ...toolchain.console import Result, command
from ...toolchain.errors import UsageError
from .dvs.commands import register as add_events
from .dvs.labelled_commands import register as add_clips
from .motion.commands import register as add_synth
from .skeletons.commands import register as add_skeletons

if TYPE_CHECKING:
    from .samples import Part

SHOW = "show"
HELP = ("-h", "--help")


class DataGroup(TyperGroup):
    """`spikeport data NAME` is `spikeport data show NAME`, and without a name the list of what there is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with `show` before those that name no command."""
        known = args and (args[0] in self.commands or args[0] in HELP)
        return super().parse_args(ctx, args if known else [SHOW, *args])


app = typer.Typer(cls=DataGroup, help="Makes data, shows it, and turns videos and recorded skeletons into it.")


@command(app, SHOW, "Make")
def show(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="One of them.", show_default=False)] = None,
    part: Annotated[str, typer.Option(help="Which samples: train, validation or test.")] = "test",
    samples: Annotated[int, typer.Option(min=1, help="How many samples.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed that draws them.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="A .npz file for inputs and labels; `run --input` reads it.", show_default=False
        ),
    ] = None,
) -> Result:
    """Shows the data that can be made; of one, its settings and some samples; with -o, writes inputs and labels."""
    from .views import listed, shown

    if name is not None:
        return shown(name, cast("Part", part), samples, seed, output)
    if output is not None:
        raise UsageError("--output", "a file and no data", "the name of some", "say which: spikeport data NAME -o FILE")
    return listed()


for add in (add_events, add_clips, add_skeletons, add_synth):
    add(app)
