"""The last part of the demo: what the network costs under several rules, and its report as a page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from ..toolchain.graph import Graph
from ..toolchain.tables import table
from .compared import Subject, counted, twins
from .estimate import findings_of
from .estimate_bills import tariffs
from .findings import Findings
from .report import plain, write_report
from .report.text import energy
from .survey.sources import DataSpec

RULES = ("paper", "strict", "events", "lemaire", "chip:loihi1")


@dataclass(frozen=True)
class Costs:
    """What a network costs.

    Args:
        page: the report.
        findings: all that is in it.
        seconds: how long it took.
    """

    page: Path
    findings: Findings
    seconds: float

    def data(self) -> dict[str, object]:
        """The same for programs."""
        return {"page": str(self.page), "seconds": self.seconds, **plain(self.findings)}

    def view(self) -> RenderableType:
        """The same for people."""
        networks = self.findings.networks
        bills = [{each.energy.rule: energy(each.energy.pj) for each in network.billed} for network in networks]
        rows = [(rule, *(bill.get(rule, "not billed") for bill in bills)) for rule in RULES]
        made = table(("energy per sample", *(f">{network.title}" for network in networks)), rows)
        return Group(made, Text(), Text(f"  {self.page}, {self.seconds:.2f} s"), Text())


def costs(graph: Graph, data: Path, folder: Path) -> Costs:
    """Counts a network on the demo's data, bills it beside its ANN twin, and writes the report."""
    start = time.perf_counter()
    subject = Subject(graph.name, graph, graph.signals[graph.inputs[0]])
    here = counted(subject, DataSpec(str(data)))
    findings = findings_of(data.name, (here, *twins(here)), tariffs(RULES, ()))
    write_report(findings, folder)
    return Costs(folder / "index.html", findings, time.perf_counter() - start)
