"""The report as tidy rows: one for each network, rule, layer, kind of work and operation.

count · pj_per_operation / samples = pj_per_sample        and these add up to the energy of the rule
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ..energy import Energy, Line
from ..findings import Findings, Network
from .text import printable

COLUMNS = (
    "network", "role", "rule", "profile", "layer", "kind", "operation", "count", "samples", "pj_per_operation",
    "pj_per_sample", "constant", "process", "year", "source",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@")


def csv_text(findings: Findings) -> str:
    """The whole file; text that a spreadsheet would run as a formula has an apostrophe before it."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(COLUMNS)
    for network in findings.networks:
        for billed in network.billed:
            writer.writerows(_rows(network, billed.energy))
    return made.getvalue()


def _rows(network: Network, energy: Energy) -> Iterator[tuple[str, ...]]:
    for line in energy.lines:
        yield tuple(map(inert, _row(network, energy, line)))


def _row(network: Network, energy: Energy, line: Line) -> tuple[str | float, ...]:
    constant = line.constant
    return (
        network.title, network.role, energy.rule, energy.profile, line.layer, line.kind, line.what, line.count,
        energy.samples, constant.pj, line.pj / energy.samples, constant.name, constant.process, constant.year,
        constant.source,
    )  # fmt: skip


def inert(value: str | float) -> str:
    """A cell that nothing runs: numbers with all their digits, texts that cannot be formulas."""
    if not isinstance(value, str):
        return repr(value)
    text = printable(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
