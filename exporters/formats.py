"""The formats a graph can be written in, as a table; each is imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from ..toolchain.errors import UsageError
from ..toolchain.graph import Graph


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Args:
        suffix: how its files end.
        what: what they are for.
        writer: the function `(graph, path)` that writes one, as "module:function".
    """

    suffix: str
    what: str
    writer: str

    def write(self, graph: Graph, path: Path) -> None:
        """Writes the file, whole or not at all."""
        module, _, function = self.writer.partition(":")
        cast(Callable[[Graph, Path], None], getattr(import_module(module, __package__), function))(graph, path)


FORMATS: Mapping[str, Format] = {
    "graph": Format(".graph", "Spikeport's own: everything a graph holds, bit for bit", "..toolchain.graph.store:save"),
}
"""Every format by the name that `--to` takes."""


def formats(names: Iterable[str]) -> dict[str, Format]:
    """The formats of these names, each once."""
    wanted = [name.strip() for name in names]
    for name in wanted:
        if name not in FORMATS:
            raise UsageError("--to", f"'{name}'", f"one or more of: {', '.join(FORMATS)}, with commas between")
    return {name: FORMATS[name] for name in wanted}
