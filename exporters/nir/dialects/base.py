"""What a dialect of NIR is: how a framework's files are meant, and how a file has to be for its importer.

A NIR file holds τ, r and a threshold, and says neither the step nor the reset. What is missing is `Told`; with it a
neuron of NIR is one node of the graph. Writing and reading are two tables of functions over the same few values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ....toolchain.graph import Graph
from ....toolchain.graph.nodes import Firing, Integrating
from ....toolchain.graph.nodes.integrators import Rule
from ....toolchain.graph.nodes.neurons import Reset, When
from ..tree import Leaf, Tree

Loops = Literal["subgraph", "cycle", "none"]
SURE = 0.5
"""How sure a dialect has to be of a tree that it is read by it without being told."""


@dataclass(frozen=True)
class Told:
    """What a neuron's numbers in a file do not say.

    Args:
        dt: the length of a step in seconds.
        rule: how decays come from time constants: euler is β = 1 − dt/τ, exact is β = exp(−dt/τ).
        reset: to a value, by subtraction, or none.
        when: when it resets; see the graph's neurons.
        at_least: whether v = θ is enough to fire.
    """

    dt: float
    rule: Rule = "euler"
    reset: Reset = "value"
    when: When = "now"
    at_least: bool = False


def told_of(node: Integrating, dt: float) -> Told:
    """What has to be said beside the numbers of this node."""
    rule: Rule = "exact" if node.rule == "exact" else "euler"
    if not isinstance(node, Firing):
        return Told(dt, rule)
    return Told(dt, rule, node.reset, node.when, node.at_least)


Decode = Callable[[Leaf, Told], Integrating]
Encode = Callable[[Integrating, tuple[int, ...], Told], Leaf]


@dataclass(frozen=True)
class Dialect:
    """How one framework says a network in NIR.

    Args:
        name: what the command line calls it.
        about: the framework, its version, and in a sentence what is peculiar about its files.
        told: what its exporter's files mean where they say nothing; its `dt` where that is fixed, else 0.
        exported: a neuron from a file of its exporter, as the framework itself runs it.
        imported: a neuron from any file, as its importer runs it.
        encode: the neuron that its importer runs as this node in a signal of this shape; a GraphError says why there
            is none. `imported(encode(node)) = node` up to rounding.
        takes: the types of NIR node that its importer reads; empty for all.
        loops: how a recurrent layer has to be said for its importer.
        finish: a last change to the whole tree for its importer (Linear to Affine, say); a GraphError says why not.
        begin: the reverse of finish, made of a tree that comes from the framework or was written for it, with the
            length of a step: what it does beside what the nodes say becomes nodes (a Delay behind each neuron, say).
        mend: repairs of what its exporter is known to write wrongly, made of a foreign tree before begin; a line each.
        step_of: the length of a step that a foreign tree's own numbers give away; none where they do not.
        warns: what a user of its importer has to know of this tree, after finish; a line each.
        prepare: the graph with the same answers that its importer can say, where it cannot say this one (voltages
            scaled, a leak moved into the bias before it, groups of a convolution filled with zeros), before anything
            is encoded; and a line for each thing that was changed.
        batched: whether its importer counts the batch among the axes of Flatten, so that the file has to as well.
        known: why a tree that says nothing about itself must be, or may be, of this dialect; none when it is not.
            The first number is how sure that is, from 0 to 1: SURE and more where several things that have nothing to
            do with each other speak for it, and another file that has them all is not to be expected; less where a
            file of another framework, or one made by hand, may well look like this.
    """

    name: str
    about: str
    told: Told
    exported: Decode
    imported: Decode
    encode: Encode
    takes: frozenset[str] = frozenset()
    loops: Loops = "subgraph"
    finish: Callable[[Tree], Tree] | None = None
    begin: Callable[[Tree, float], Tree] | None = None
    mend: Callable[[Tree], tuple[Tree, tuple[str, ...]]] | None = None
    step_of: Callable[[Tree], float | None] | None = None
    warns: Callable[[Tree], tuple[str, ...]] | None = None
    prepare: Callable[[Graph], tuple[Graph, tuple[str, ...]]] | None = None
    batched: bool = False
    known: Callable[[Tree], tuple[float, str] | None] | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
