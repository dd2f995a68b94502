"""What a conversion to spikes did: thresholds, messages, and how far it is off, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..tables import counted

SHOWN = 12
"""About so many steps of a curve are shown."""
BAR = 32
"""The width of the longest bar."""


@dataclass(frozen=True)
class Sender:
    """One layer of neurons.

    Args:
        name: its name in the graph.
        threshold: its threshold, in the values of the ReLU network.
        size: neurons.
        sent: messages that it sent on the calibration data.
        values: values other than 0 that stood there in the ReLU network, in all steps.
        error: the share of the budget that it was given; none where it was given none.
    """

    name: str
    threshold: float
    size: int
    sent: int
    values: int
    error: float | None = None


@dataclass(frozen=True)
class Point:
    """One step of the curve.

    Args:
        step: from 1.
        error: the output's error, as part of the ReLU network's output.
        accuracy: the share of samples that are right; none without labels.
        before: that of the ReLU network.
    """

    step: int
    error: float
    accuracy: float | None = None
    before: float | None = None


@dataclass(frozen=True)
class SpikingReport:
    """What was chosen and what came of it.

    Args:
        name: the network.
        neurons: sigma-delta or if.
        budget: the largest error that was asked for.
        samples: how many samples it was measured on.
        senders: its layers of neurons.
        curve: every step.
        lines: what else was chosen, in sentences.
    """

    name: str
    neurons: str
    budget: float
    samples: int
    senders: tuple[Sender, ...]
    curve: tuple[Point, ...]
    lines: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """How many steps it was measured for."""
        return len(self.curve)

    @property
    def error(self) -> float:
        """The error that the budget is for: of a sigma-delta network the largest of all steps, of rates the last."""
        errors = [point.error for point in self.curve]
        return errors[-1] if self.neurons == "if" else max(errors)

    @property
    def within(self) -> bool:
        """Whether the budget was kept."""
        return self.error <= self.budget

    @property
    def sent(self) -> int:
        """All messages."""
        return sum(each.sent for each in self.senders)

    @property
    def values(self) -> int:
        """All values other than 0 of the ReLU network in their place."""
        return sum(each.values for each in self.senders)

    def data(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        about = {"name": self.name, "neurons": self.neurons, "budget": self.budget, "error": self.error}
        size = {"within": self.within, "steps": self.steps, "samples": self.samples}
        messages = {"sent": self.sent, "values": self.values}
        senders = [asdict(each) for each in self.senders]
        return {
            **about,
            **size,
            **messages,
            "senders": senders,
            "curve": [asdict(each) for each in self.curve],
            "lines": list(self.lines),
        }

    def text(self) -> str:
        """Thresholds, messages and the curve, for people."""
        return "\n".join(
            [self._head(), *_aligned(self._layers()), *(f"  {line}" for line in self.lines), "", *self._steps()]
        )

    def _head(self) -> str:
        kept = "within" if self.within else "beyond"
        on = f"{counted(self.steps, 'step')} of {counted(self.samples, 'sample')}"
        return f"{self.name} as {self.neurons} neurons: output error {self.error:.3g}, {kept} {self.budget:g}, on {on}"

    def _layers(self) -> list[tuple[str, ...]]:
        head = ("layer", "neurons", "threshold", "messages", "values", "messages by values")
        rows = [head]
        for each in self.senders:
            share = f"{100 * each.sent / each.values:.1f} %" if each.values else "–"
            rows.append(
                (each.name, f"{each.size:,}", f"{each.threshold:.4g}", f"{each.sent:,}", f"{each.values:,}", share)
            )
        total = f"{100 * self.sent / self.values:.1f} %" if self.values else "–"
        return [*rows, ("all", "", "", f"{self.sent:,}", f"{self.values:,}", total)]

    def _steps(self) -> list[str]:
        """The curve: some of its steps, with a bar as long as the error."""
        scored = self.curve[0].accuracy is not None
        head = ("step", "error", *(("accuracy", "of the ReLUs") if scored else ()), "")
        most = max(point.error for point in self.curve) or 1.0
        rows = [head]
        for point in (self.curve[index] for index in some(self.steps)):
            scores = [f"{100 * (score or 0.0):.1f} %" for score in (point.accuracy, point.before)] if scored else []
            rows.append((f"{point.step}", f"{point.error:.4f}", *scores, "█" * round(BAR * point.error / most)))
        return _aligned(rows)


def some(count: int) -> list[int]:
    """Places of about SHOWN steps: all, or the first, the last, and between them ever further apart."""
    if count <= SHOWN:
        return list(range(count))
    ratio = count ** (1 / (SHOWN - 1))
    return sorted({min(round(ratio**power), count) - 1 for power in range(SHOWN)})


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines: the first column to the left, numbers to the right, a bar as it is."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        first, *rest = (
            cell.ljust(n) if i == 0 else cell.rjust(n) for i, (cell, n) in enumerate(zip(row, widths, strict=True))
        )
        rest = [*rest[:-1], row[-1]] if "█" in row[-1] or not rows[0][-1] else rest
        lines.append("  " + "  ".join((first, *rest)).rstrip())
    return lines
