"""A part of the demo: the network as a NIR and as an ONNX file, with what was proved of both."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from ..exporters.converting import Account, Exchange, exchanged
from ..exporters.formats import FORMATS
from ..exporters.proving import NotProved, Proof
from ..toolchain.graph import Graph
from ..toolchain.tables import table
from ..toolchain.trial import Trial

WRITTEN = ("nir", "onnx")


@dataclass(frozen=True)
class Exchanged:
    """What became of a network in the formats of others.

    Args:
        files: by format.
        proofs: what was proved of each.
        failed: what could not be, in words; empty where all was.
        seconds: how long it took.
    """

    files: dict[str, Path]
    proofs: dict[str, tuple[Proof, ...]]
    failed: str
    seconds: float

    def data(self) -> dict[str, object]:
        """The same for programs."""
        proofs = {name: [proof.data() for proof in each] for name, each in self.proofs.items()}
        files = {name: str(path) for name, path in self.files.items()}
        return {"files": files, "failed": self.failed, "seconds": self.seconds, "proofs": proofs}

    def view(self) -> RenderableType:
        """The same for people."""
        rows = [(f"{name}: {p.what}", p.word, p.said) for name, each in self.proofs.items() for p in each[1:]]
        failed = [Text(self.failed, style="bold red")] if self.failed else []
        made = Text(f"  {', '.join(map(str, self.files.values()))}, {self.seconds:.2f} s")
        return Group(made, Text(), table(("proof", "", ""), rows), *failed, Text())


def to_others(graph: Graph, data: Path, folder: Path) -> Exchanged:
    """A graph as a NIR and an ONNX file, compared on the demo's data."""
    start, account, trial = time.perf_counter(), Account(), Trial(data)
    files = {name: folder / f"{graph.name}{FORMATS[name].suffix}" for name in WRITTEN}
    failed = ""
    try:
        for name, path in files.items():
            exchanged(graph, name, FORMATS[name], path, trial, Exchange(), account)
    except NotProved as error:
        failed = str(error)
    proofs = {name: tuple(each) for name, each in account.proofs.items()}
    return Exchanged(files, proofs, failed, time.perf_counter() - start)
