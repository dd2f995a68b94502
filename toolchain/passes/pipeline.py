"""Passes one after another, with an account of all they did."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SpikeportError
from ..graph import Graph
from .base import Change, Pass, Refusal

NOTE = "passes"
"""The note of a graph that says which passes changed it."""


@dataclass(frozen=True)
class Step:
    """What one pass of a pipeline did.

    Args:
        name: the pass, as a user types it.
        ran: the pass with its options.
        exact: whether it keeps outputs bit for bit.
        changes: what it did.
        refusals: what it did not do, and why.
    """

    name: str
    ran: str
    exact: bool
    changes: tuple[Change, ...]
    refusals: tuple[Refusal, ...]

    def text(self) -> str:
        """The pass, its changes and its refusals, one a line."""
        how = "bit for bit" if self.exact else "up to rounding"
        did = [f"  + {change.text()}" for change in self.changes]
        lines = [*did, *(f"  - {refusal.text()}" for refusal in self.refusals)]
        return "\n".join([f"{self.ran}, {how}", *(lines or ["  nothing to do"])])


@dataclass(frozen=True)
class PipelineResult:
    """What came of a pipeline.

    Args:
        graph: the graph behind the last pass; the very same object where nothing was changed.
        steps: what each pass did, in order.
    """

    graph: Graph
    steps: tuple[Step, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change, in order."""
        return tuple(change for step in self.steps for change in step.changes)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Every refusal, in order."""
        return tuple(refusal for step in self.steps for refusal in step.refusals)

    @property
    def exact(self) -> bool:
        """Whether every pass that changed something keeps outputs bit for bit."""
        return all(step.exact for step in self.steps if step.changes)

    def text(self) -> str:
        """All of it, for people."""
        return "\n".join(step.text() for step in self.steps)


@dataclass(frozen=True)
class Pipeline:
    """Passes that run one after another; each hands on a graph that has been checked.

    Args:
        passes: the passes, in order.
    """

    passes: tuple[Pass, ...]

    def __call__(self, graph: Graph) -> PipelineResult:
        """Run them all; an error says which pass it came from."""
        steps: list[Step] = []
        for each in self.passes:
            try:
                result = each(graph)
            except SpikeportError as error:
                error.add_note(f"while running {each!r} after [{', '.join(step.ran for step in steps)}]")
                raise
            steps.append(Step(each.name, repr(each), each.exact, result.changes, result.refusals))
            graph = noted(result.graph, each) if result.changes else graph
        return PipelineResult(graph, tuple(steps))


def noted(graph: Graph, ran: Pass) -> Graph:
    """The graph with a pass written into its notes."""
    before = graph.notes.get(NOTE)
    return graph.with_notes(**{NOTE: f"{before}, {ran!r}" if before else repr(ran)})
