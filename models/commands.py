"""The part of the command line that belongs to `models`."""

from __future__ import annotations

import typer

app = typer.Typer()
