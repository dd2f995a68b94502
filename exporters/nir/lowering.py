"""A graph with the same function whose every node is one of NIR's, as far as that is possible exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ...toolchain.errors import GraphError, SpikeportError
from ...toolchain.graph import Graph, Node
from ...toolchain.graph.nodes import IF, Add, BatchNorm, Integrator, Scale
from ...toolchain.passes.base import Change, NodePass, Pass, Refusal, Stays
from ...toolchain.passes.draft import Draft
from ...toolchain.passes.drop_dead_nodes import DropDeadNodes
from ...toolchain.passes.drop_identities import DropIdentities
from ...toolchain.passes.inline_subgraphs import InlineSubgraphs
from ...toolchain.passes.neighbours import taken_after, taken_before
from ...toolchain.passes.rescale import rescale_of
from .dialects.base import Dialect
from .lower_layers import contracted, layers
from .lower_moves import moves
from .lower_neurons import neurons
from .lower_sums import with_plain_sums
from .lower_taken import pools_for, scales_for
from .neurons import kind_of

Rule = Callable[[Draft, str, Any], Change | None]


@dataclass(frozen=True)
class FoldShifts(NodePass):
    """Fold what NIR has no node for, BatchNorm and y = s·x + c, into a neighbour; the layer before is asked first.

    Args:
        scales: whether a Scale without a shift is folded as well.
    """

    scales: bool = False

    name: ClassVar[str] = "fold_shifts"
    exact: ClassVar[bool] = False

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """Look before the node, then behind it; a neuron without a leak cannot take a shift."""
        node = draft.nodes[name]
        if not self._wanted(node):
            return None
        r = rescale_of(node, len(draft.signals[name].shape))
        if r is None:
            return None
        found = taken_before(draft, name, r, None)
        if isinstance(found, Stays):
            found = taken_after(draft, name, r, None)
        if isinstance(found, Stays) or (r.shifts and isinstance(found.node, (IF, Integrator))):
            return None
        words = found.put(draft)
        draft.bypass(name)
        return Change((name, found.layer), f"folded {name} into {found.layer}{words}")

    def _wanted(self, node: Node) -> bool:
        shifts = isinstance(node, Scale) and node.shift is not None and bool(node.shift.any())
        return shifts or isinstance(node, BatchNorm) or (self.scales and isinstance(node, Scale))


@dataclass(frozen=True)
class Rules(NodePass):
    """Rules that exchange one node, by the type of the network's numbers."""

    kind: Any
    rules: tuple[Rule, ...]

    name: ClassVar[str] = "nir"
    exact: ClassVar[bool] = False

    def at(self, draft: Draft, name: str) -> Change | Refusal | None:
        """The first rule that applies."""
        for rule in self.rules:
            change = rule(draft, name, self.kind)
            if change is not None:
                return change
        return None


def lowered(graph: Graph, dialect: Dialect) -> tuple[Graph, tuple[str, ...], list[SpikeportError]]:
    """The lowered graph, what was done to it, and reasons why sums in it cannot be said.

    Raises:
        GraphError: when the dialect cannot say the graph.
    """
    kind = kind_of(graph)
    words = _words(kind, dialect.takes)
    found, lines = _run(words, graph)
    if dialect.prepare is not None:
        found, more = dialect.prepare(found)
        found, again = _run(words, found) if more else (found, [])
        lines += [*more, *again]
    found, sums = with_plain_sums(found, kind)
    found, last = _run((Rules(kind, scales_for(dialect.takes)),), found)
    passes = dict.fromkeys([*lines, *(change.text() for change in sums), *last])
    return found, tuple(passes), _unsaid_sums(found)


def _words(kind: Any, takes: frozenset[str]) -> tuple[Pass, ...]:
    """What brings a graph into NIR's words; folding comes first, while convolutions are those of the network."""
    fold = FoldShifts(bool(takes) and "Scale" not in takes)
    return (
        *(InlineSubgraphs(), DropDeadNodes(), DropIdentities()),
        *(Rules(kind, (neurons,)), fold),
        *(Rules(kind, (moves, *pools_for(takes), layers, contracted)), fold),
        *(Rules(kind, (moves, layers, contracted)), DropIdentities()),
    )


def _run(passes: Sequence[Pass], graph: Graph) -> tuple[Graph, list[str]]:
    lines: list[str] = []
    for each in passes:
        result = each(graph)
        graph = result.graph
        lines += [change.text() for change in result.changes]
    return graph, lines


def _unsaid_sums(graph: Graph) -> list[SpikeportError]:
    """Sums of signals of several shapes."""
    return [
        GraphError(f"{name} (Add)", "terms of several shapes", "terms of one shape, which edges into a node sum")
        for name, node in graph.nodes.items()
        if isinstance(node, Add) and len({signal.shape for signal in graph.received(name)}) > 1
    ]
