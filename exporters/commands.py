"""The part of the command line that belongs to `exporters`."""

from __future__ import annotations

import typer

app = typer.Typer()
