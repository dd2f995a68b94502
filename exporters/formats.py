"""The formats a network can be written in, as a table; each is imported when it is used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..toolchain.errors import UsageError
from ..toolchain.graph.network import Network
from ..toolchain.references import referred
from ..toolchain.writing import files_whole, folder_whole, written_whole


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Args:
        suffix: how its files end.
        what: what they are for.
        writer: the function `(network, path)` that writes one, and may hand back what its readers have to know, as
            "module:function".
        reader: the function `(path)` that reads one again, for the proof of what is in integers.
        takes: the classes of networks that it can hold, by the word their text form begins with; the first is what a
            network is brought to.
        target: what a graph is quantised for where it has to be; empty where it has not.
        parts: for a format of several files in a folder, how their names end; the last is the one that joins them.
        options: the options of `convert` that its writer takes by name.
        proof: the function `(graph, draft, inputs)` that proves what is not in integers, as "module:function".
        several: whether it writes files beside the one.
    """

    suffix: str
    what: str
    writer: str
    reader: str
    takes: tuple[str, ...] = ("graph",)
    target: str = ""
    parts: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    proof: str = ""
    several: bool = False

    def write(self, network: Network, path: Path, **options: object) -> tuple[str, ...]:
        """Writes the file, whole or not at all; for a format of several files, all of them into a folder.

        Args:
            network: what to write.
            path: where to.
            options: those of the options that it takes that are not to be as they are by default.

        Returns:
            What whoever loads it has to know.
        """
        if network.word not in self.takes:
            expected = " or ".join(f"a {word} network" for word in self.takes)
            raise UsageError(str(path), f"no file for a {network.word} network", expected, "quantise it first")
        writer = cast(Callable[..., tuple[str, ...] | None], referred(self.writer, __package__))
        return writer(network, path, **options) or ()

    def read(self, path: Path) -> Network:
        """Reads it again."""
        joined = next(path.glob(f"*{self.parts[-1]}")) if self.parts else path
        return cast(Callable[[Path], Network], referred(self.reader, __package__))(joined)

    @contextlib.contextmanager
    def draft(self, path: Path) -> Iterator[Path]:
        """Where to write it first; what is there takes its place when the block ends well."""
        if self.parts:
            draft = folder_whole(path, self.parts)
        else:
            draft = files_whole(path) if self.several else written_whole(path)
        with draft as place:
            yield place

    def size(self, path: Path) -> int:
        """The bytes of its files."""
        return sum(each.stat().st_size for each in (path.iterdir() if self.parts else [path]))


FORMATS: Mapping[str, Format] = {
    "graph": Format(
        ".graph",
        "Spikeport's own: everything a graph or a chip graph holds, bit for bit",
        "..toolchain.graph.store:save",
        "..toolchain.loihi.store:load",
        ("graph", "chip"),
    ),
    "chip": Format(
        ".chip.graph",
        "Spikeport's own, of the network in Loihi's integers",
        "..toolchain.graph.store:save",
        "..toolchain.loihi.store:load",
        ("chip",),
        "lava",
    ),
    "netx": Format(".net", "lava-dl's, in Loihi's integers", ".netx_file:write", ".netx_file:read", ("chip",), "netx"),
    "netx-parts": Format(
        ".parts",
        "lava-dl's, one for each chain of a network with branches, graphs of what is the host's, and how they join",
        ".netx_parts:write_parts",
        ".netx_parts:read_parts",
        ("chip",),
        "netx",
        (".net", ".graph", ".parts.json"),
    ),
    "nir": Format(
        ".nir",
        "the field's exchange format, with what it cannot say in a file beside it",
        ".nir_file:write",
        ".nir_file:read",
        options=("dialect",),
        proof=".proving:of_nir",
        several=True,
    ),
    "nir-parts": Format(
        ".nirparts",
        "NIR files of what NIR can say, graphs of what it cannot, and how they join",
        ".nir.parts:write_parts",
        ".nir.parts_in:read_parts",
        parts=(".nir", ".nir.json", ".graph", ".parts.json"),
        options=("dialect",),
        proof=".proving:of_nir_parts",
    ),
    "onnx": Format(
        ".onnx",
        "one step with the state as inputs and outputs; with --unroll scan, a whole run",
        ".onnx_file:write",
        ".onnx_file:read",
        options=("unroll",),
        proof=".proving:of_onnx",
        several=True,
    ),
}
"""Every format by the name that `--to` takes."""


def formats(names: Iterable[str]) -> dict[str, Format]:
    """The formats of these names, each once."""
    wanted = [name.strip() for name in names]
    for name in wanted:
        if name not in FORMATS:
            raise UsageError("--to", f"'{name}'", f"one or more of: {', '.join(FORMATS)}, with commas between")
    return {name: FORMATS[name] for name in wanted}
