"""What a pass is: a frozen value that turns a graph into one with the same function, and says what it did."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from ..graph import Graph, Node
from .draft import Draft


@dataclass(frozen=True)
class Change:
    """Something a pass did.

    Args:
        nodes: the nodes it is about, by the names they had.
        what: what was done, in one sentence.
    """

    nodes: tuple[str, ...]
    what: str

    def text(self) -> str:
        """The sentence."""
        return self.what


@dataclass(frozen=True)
class Refusal:
    """Something a pass could have done and did not.

    Args:
        where: the node that stays as it is.
        why: the reason.
    """

    where: str
    why: str

    def text(self) -> str:
        """The node and the reason."""
        return f"{self.where} stays: {self.why}"


@dataclass(frozen=True)
class Stays:
    """The answer of a step that cannot be taken.

    Args:
        why: the reason.
    """

    why: str


def one(node: Node) -> str:
    """A node's kind with its article, for sentences."""
    return f"{'an' if node.kind[0] in 'AEIOU' else 'a'} {node.kind}"


@dataclass(frozen=True)
class PassResult:
    """What came of a pass.

    Args:
        graph: the new graph; the very same object where nothing was changed.
        changes: what was done, in order.
        refusals: what was not done, and why.
    """

    graph: Graph
    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True)
class Pass(ABC):
    """A graph in, a graph with the same function out. Fields are options, the repr is what the graph's notes say."""

    name: ClassVar[str]
    """What a user types; the name of its module."""
    exact: ClassVar[bool]
    """Whether outputs stay the same bit for bit (but for the sign of a zero), or only up to rounding."""

    @abstractmethod
    def __call__(self, graph: Graph) -> PassResult:
        """Run over a graph."""


@dataclass(frozen=True)
class NodePass(Pass):
    """A pass that looks at one node at a time, and is asked about every node until a whole sweep changes nothing."""

    def __call__(self, graph: Graph) -> PassResult:
        """Sweep until nothing changes any more. Refusals are those of the last sweep."""
        draft = Draft(graph)
        changes: list[Change] = []
        while True:
            done, refusals = self._sweep(draft)
            changes += done
            if not done:
                break
        changes += self.finish(draft)
        return PassResult(draft.build() if changes else graph, tuple(changes), refusals)

    def _sweep(self, draft: Draft) -> tuple[list[Change], tuple[Refusal, ...]]:
        present = (name for name in draft.order() if name in draft.nodes)
        found = [self.at(draft, name) for name in present]
        refusals = tuple(each for each in found if isinstance(each, Refusal))
        return [each for each in found if isinstance(each, Change)], refusals

    @abstractmethod
    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Act at one node: edit the draft and say so, refuse with the reason, or find nothing to do."""

    def finish(self, draft: Draft) -> list[Change]:  # noqa: ARG002
        """What is left to do when no node changes any more."""
        return []
