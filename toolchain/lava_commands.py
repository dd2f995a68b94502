"""The commands about Lava's own environment: `spikeport lava install` and `spikeport lava info`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .console import Result, command, say

if TYPE_CHECKING:
    from .simulate.lava_env import Environment

app = typer.Typer(
    help="Lava's own environment, in which Lava's simulator and lava-dl's loader run.", no_args_is_help=True
)


@command(app, "install", "Lava")
def install(
    with_lava_dl: Annotated[
        bool, typer.Option("--with-lava-dl", help="Also lava-dl with its loader: minutes, and 5.6 GB.")
    ] = False,
    python: Annotated[
        str | None, typer.Option(metavar="PATH", help="The Python 3.10 to make it with.", show_default=False)
    ] = None,
) -> Result:
    """Makes Lava's environment, once: lava-nc 0.10.0 under Python 3.10, in your cache folder."""
    from .simulate.lava_env import LAVA, LAVA_DL
    from .simulate.lava_env import install as make

    recipes = (LAVA, LAVA_DL) if with_lava_dl else (LAVA,)
    return _shown([make(recipe, python, say) for recipe in recipes])


@command(app, "info", "Lava")
def info() -> Result:
    """Shows which of Lava's environments are there, with versions, place and size, and what is missing."""
    from .simulate.lava_env import RECIPES, look

    return _shown([look(recipe) for recipe in RECIPES])


def _shown(environments: list[Environment]) -> Result:
    from rich.table import Table

    table = Table("environment", "state", "versions", "size", "folder")
    for found in environments:
        versions = "\n".join(f"{name} {version}" for name, version in found.versions.items())
        size = f"{found.size / 1e9:.2f} GB" if found.size else ""
        table.add_row(found.recipe.name, found.why or "ready", versions, size, str(found.folder))
    return Result({"environments": [_told(found) for found in environments]}, table)


def _told(found: Environment) -> dict[str, object]:
    return {
        "name": found.recipe.name,
        "ready": not found.why,
        "missing": found.why,
        "versions": dict(found.versions),
        "python": str(found.python),
        "folder": str(found.folder),
        "bytes": found.size,
    }
