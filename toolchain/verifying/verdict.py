"""What a comparison found: for every pair of nodes how much is the same, and the first place where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import UsageError
from ..tables import counted, known


@dataclass(frozen=True)
class Moment:
    """One step of the neuron that differs, on both sides.

    Args:
        step: the step of A.
        received: what came in, on A and on B.
        voltage: the voltage after the step, on A and on B; None where a side does not say.
        sent: what it sent, on A and on B.
    """

    step: int
    received: tuple[float | None, float | None]
    voltage: tuple[float | None, float | None]
    sent: tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """The first place where two networks differ.

    Args:
        pair: the node's names on A and on B.
        step: the step of A.
        late: by how many steps B is later.
        sample: the sample.
        index: the place in the node's shape.
        values: what A sent, and what B sent, as B counts.
        levels: the thresholds that the voltages below are compared with, on A and on B; None where there are none.
        moments: the steps that led there, the last one being this.
    """

    pair: tuple[str, str]
    step: int
    late: int
    sample: int
    index: tuple[int, ...]
    values: tuple[float, float]
    levels: tuple[float | None, float | None] = (None, None)
    moments: tuple[Moment, ...] = ()

    @property
    def where(self) -> str:
        """Node, place, sample and step in words."""
        a, b = self.pair
        name = f"'{a}'" if a == b else f"'{a}' ('{b}' in B)"
        step = f"step {self.step}" + (f" ({self.step + self.late} in B)" if self.late else "")
        return f"{name}{list(self.index)}, sample {self.sample}, {step}"

    def text(self) -> str:
        """The difference, and the steps that led there, for people."""
        lines = [f"first difference: {self.where}: A sends {_said(self.values[0])}, B sends {_said(self.values[1])}"]
        if self.moments:
            lines.append(f"  step {''.join(f'{title:>11}' for title in _MOMENT)}")
            lines += [f"  {m.step:>4} {_row(m)}" for m in self.moments]
        if any(level is not None for level in self.levels):
            lines.append(
                f"  the voltage is compared with {_said(self.levels[0])} in A and {_said(self.levels[1])} in B"
            )
        return "\n".join(lines)

    def data(self) -> dict[str, Any]:
        """The same for programs."""
        moments = [
            {"step": m.step, "received": list(m.received), "voltage": list(m.voltage), "sent": list(m.sent)}
            for m in self.moments
        ]
        place = {"step": self.step, "late": self.late, "sample": self.sample, "index": list(self.index)}
        return {
            "nodes": list(self.pair),
            **place,
            "values": list(self.values),
            "levels": list(self.levels),
            "moments": moments,
        }


_MOMENT = ("received A", "B", "voltage A", "B", "sent A", "B")


def _row(moment: Moment) -> str:
    return "".join(f"{_said(cell):>11}" for cell in (*moment.received, *moment.voltage, *moment.sent))


def _said(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


@dataclass(frozen=True)
class NodeVerdict:
    """How a node of A compares with its counterpart in B.

    Args:
        a: its name in A.
        b: its name in B.
        late: by how many steps B is later.
        spikes: whether spikes or whole numbers are compared, which have to be equal; else values within a tolerance.
        values: how many values were compared.
        differing: how many of them differ, or lie farther apart than the tolerance.
        rates: the share of values that are not 0, in A and in B.
        worst: the largest difference, in the units of A; infinite where one side has no number.
        range: the largest magnitude in A.
        same: whether that is near enough.
        first: the first place that differs: step of A, sample, index; None where none does.
    """

    a: str
    b: str
    late: int
    spikes: bool
    values: int
    differing: int
    rates: tuple[float, float]
    worst: float
    range: float
    same: bool
    first: tuple[int, ...] | None = None

    @property
    def match(self) -> float:
        """The share of values that are the same."""
        return 1.0 - self.differing / self.values if self.values else 1.0

    @property
    def exact(self) -> bool:
        """Whether every value is equal, and not only near enough."""
        return self.worst == 0

    @property
    def silent(self) -> bool:
        """Whether neither side ever sent anything, so that little was tried."""
        return self.exact and self.rates == (0.0, 0.0)

    @property
    def word(self) -> str:
        """What came of it, in a word."""
        return "same" if self.exact else "near enough" if self.same else "differs"

    def data(self) -> dict[str, Any]:
        """The same for programs."""
        names = {"a": self.a, "b": self.b, "late": self.late, "compares": "spikes" if self.spikes else "values"}
        counts = {"values": self.values, "differing": self.differing, "match": self.match}
        sizes = {"rate_a": self.rates[0], "rate_b": self.rates[1], "worst": known(self.worst), "range": self.range}
        found = {"same": self.same, "exact": self.exact, "silent": self.silent}
        return {**names, **counts, **sizes, **found, "first": None if self.first is None else [*self.first]}


@dataclass(frozen=True)
class Verdict:
    """Are two networks the same on an input? `bool(verdict)` says so.

    Args:
        a: what A is.
        b: what B is.
        steps: steps of A that were compared.
        batch: samples.
        nodes: every pair of nodes, in the order in which A runs.
        alone: nodes of either side that have no counterpart.
        first_difference: the first place that differs, in time and then in order; None where all is the same.
        remarks: what else a reader has to know.
    """

    a: str
    b: str
    steps: int
    batch: int
    nodes: tuple[NodeVerdict, ...]
    alone: tuple[str, ...] = ()
    first_difference: Difference | None = field(default=None)
    remarks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return all(node.same for node in self.nodes)

    def __getitem__(self, name: str) -> NodeVerdict:
        """The pair whose node in A has this name."""
        for node in self.nodes:
            if node.a == name:
                return node
        raise UsageError(name, "was not compared", ", ".join(node.a for node in self.nodes))

    @property
    def exact(self) -> bool:
        """Whether every value of every pair is equal."""
        return all(node.exact for node in self.nodes)

    @property
    def size(self) -> str:
        """On how much they were compared."""
        return f"{counted(self.steps, 'step')} × {counted(self.batch, 'sample')}"

    @property
    def silent(self) -> tuple[str, ...]:
        """The nodes that sent nothing on either side, by their names in A."""
        return tuple(node.a for node in self.nodes if node.silent)

    def warnings(self) -> tuple[str, ...]:
        """What a reader has to know beside the table."""
        silent = f"silent on both sides, so that little was tried of them: {', '.join(self.silent)}"
        alone = f"not compared, for want of a counterpart: {', '.join(self.alone)}"
        return (*self.remarks, *([silent] if self.silent else []), *([alone] if self.alone else []))

    def rows(self) -> Iterator[Sequence[str]]:
        """A table of the pairs; the titles are TITLES."""
        for node in self.nodes:
            name = node.a if node.a == node.b else f"{node.a} = {node.b}"
            worst = "" if node.spikes or node.exact else f"{100 * node.worst / (node.range or 1):.3g} %"
            rates = (f"{node.rates[0]:.4f}", f"{node.rates[1]:.4f}")
            yield name, _percent(node.match), *rates, worst, f"{node.late or ''}", node.word

    def table(self) -> str:
        """The table as plain text."""
        rows = [TITLES, *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
        return "\n".join(
            "  ".join(c.ljust(w) if i < 1 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
            for row in rows
        )

    @property
    def line(self) -> str:
        """The verdict in one line."""
        size = f"{self.size}, {counted(len(self.nodes), 'node')}"
        if not self:
            return f"NOT THE SAME: {self.a} and {self.b} ({size})"
        return f"{'the same' if self.exact else 'the same within the tolerance'}: {self.a} and {self.b} ({size})"

    def text(self) -> str:
        """All of it for people."""
        parts = [self.table(), *self.warnings()]
        if self.first_difference is not None:
            parts.append(self.first_difference.text())
        return "\n".join([*parts, self.line])

    def data(self) -> dict[str, Any]:
        """All of it for programs."""
        first = None if self.first_difference is None else self.first_difference.data()
        sides = {"a": self.a, "b": self.b, "steps": self.steps, "batch": self.batch}
        found = {"same": bool(self), "exact": self.exact, "nodes": [node.data() for node in self.nodes]}
        return {**sides, **found, "alone": list(self.alone), "first_difference": first, "remarks": list(self.remarks)}


TITLES = ("node", "equal", "rate A", "rate B", "off by", "late", "")
"""Of every pair: the share of equal values, the share of values that are not 0, how far values of the range are off."""


def _percent(share: float) -> str:
    """A share in per cent that says 100 % only of all."""
    text = f"{100 * share:.2f} %"
    return "100 %" if share == 1 else "> 99.99 %" if text == "100.00 %" else text
