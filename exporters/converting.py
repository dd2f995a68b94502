"""What `convert` does: one file for each format, and an account of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from ..toolchain.console import Result
from ..toolchain.errors import FileError
from ..toolchain.passes.pipeline import PipelineResult
from ..toolchain.tables import table
from ..toolchain.views import step_data
from .formats import Format


def folder(path: Path) -> Path:
    """The folder, made where it is not there yet."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(str(path), f"cannot be a folder: {error.strerror}", fix="choose another for -o") from error
    return path


def converted(done: PipelineResult, formats: Mapping[str, Format], place: Path, *, explain: bool) -> Result:
    """Writes the graph in each format, to a file named after it."""
    files = {name: place / f"{done.graph.name}{each.suffix}" for name, each in formats.items()}
    for name, each in formats.items():
        each.write(done.graph, files[name])
    sizes = {name: path.stat().st_size for name, path in files.items()}
    data = {
        "name": done.graph.name,
        "files": [{"format": name, "path": str(path), "bytes": sizes[name]} for name, path in files.items()],
        "passes": [step_data(step) for step in done.steps],
    }
    rows = [(name, str(path), f"{sizes[name]:,}") for name, path in files.items()]
    parts: list[RenderableType] = [Text(done.text()), Text()] if explain else []
    return Result(data, Group(*parts, table(("format", "file", ">bytes"), rows)))
