"""The second half of the demo: the network in the integers of Loihi, as a netx file, with what was proved of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from ..exporters.converting import Account, Chip, on_chip
from ..exporters.formats import FORMATS
from ..exporters.proving import NotProved, Proof
from ..toolchain.graph import Graph
from ..toolchain.loihi.report import QuantiseReport
from ..toolchain.tables import table
from ..toolchain.trial import Trial

NETX = "netx"


@dataclass(frozen=True)
class OnChip:
    """What became of a network on the way to a netx file.

    Args:
        file: the file.
        report: what quantising did.
        proofs: what was proved.
        failed: what could not be, in words; empty where all was.
        seconds: how long it took.
    """

    file: Path
    report: QuantiseReport
    proofs: tuple[Proof, ...]
    failed: str
    seconds: float

    def data(self) -> dict[str, object]:
        """The same for programs."""
        proofs = [proof.data() for proof in self.proofs]
        about = {"file": str(self.file), "failed": self.failed, "seconds": self.seconds}
        return {**about, "report": self.report.data(), "proofs": proofs}

    def view(self) -> RenderableType:
        """The same for people."""
        rows = [(proof.what, proof.word, proof.said) for proof in self.proofs]
        said = Text(self.report.table(), no_wrap=True, overflow="ignore")
        failed = [Text(self.failed, style="bold red")] if self.failed else []
        made = Text(f"  {self.file}, {self.seconds:.2f} s")
        return Group(said, made, Text(), table(("proof", "", ""), rows), *failed, Text())


def to_chip(graph: Graph, data: Path, file: Path) -> OnChip:
    """A graph as a netx file, with scales chosen on the demo's data."""
    start, account = time.perf_counter(), Account()
    failed = ""
    try:
        on_chip(graph, NETX, FORMATS[NETX], file, Chip(8, (), data, None, Trial(data), lava=True), account)
    except NotProved as error:
        failed = str(error)
    seconds = time.perf_counter() - start
    return OnChip(file, account.reports[NETX], tuple(account.proofs[NETX]), failed, seconds)
