"""Layers of weights that several parts of a network need, once for each of them.

A chip hands out what neurons send, never the sum of a layer. Where two parts, or a part and the host, need one sum,
each computes it for itself from the same spikes: the layer, and what is linear before it, is there once for each. The
network is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from ..toolchain.graph import Graph, replace_graph
from .nir.naming_in import LONGEST, Taken

HOST = -1
"""The place of what is in no part."""
Port = tuple[str, int]
"""A node, and which of its inputs."""


def copied(flat: Graph, sums: Collection[str], home: Mapping[str, int]) -> tuple[Graph, dict[str, str]]:
    """The network with its sums once for each part that reads them.

    Args:
        flat: a network without graphs in it.
        sums: linear nodes that are in no part; what reads them says where they are needed.
        home: the part of each node that is in one; what is neither there nor a sum is the host's.

    Returns:
        The network, and of which node each copy is.
    """
    nodes, wires = dict(flat.nodes), {name: list(held) for name, held in flat.wires.items()}
    readers: dict[str, list[Port]] = {name: [] for name in nodes}
    for edge in flat.edges:
        readers[edge.source].append((edge.target, edge.port))
    where, taken, copies = dict(home), Taken(nodes), dict[str, str]()
    for name in reversed([each for each in flat.order if each in sums]):
        (where[name], _), *others = _by_place(readers[name], where)
        for place, asking in others:
            copy = taken.free(f"{name[:LONGEST]}.again")
            nodes[copy], wires[copy], where[copy], copies[copy] = nodes[name], list(wires[name]), place, name
            for port, wire in enumerate(wires[copy]):
                readers[wire.source].append((copy, port))
            for target, port in asking:
                wires[target][port] = replace(wires[target][port], source=copy)
    return replace_graph(flat, nodes=nodes, wires={name: tuple(held) for name, held in wires.items()}), copies


def _by_place(readers: Iterable[Port], where: Mapping[str, int]) -> list[tuple[int, list[Port]]]:
    """Who reads a node, by place, the host first."""
    found: dict[int, list[Port]] = {}
    for target, port in readers:
        found.setdefault(where.get(target, HOST), []).append((target, port))
    return sorted(found.items())


def once(flat: Graph, copies: Mapping[str, str], places: Iterable[Collection[str]]) -> Graph:
    """The network with one of a node and its copies in each place, the host's nodes or those of a part."""
    instead: dict[str, str] = {}
    for place in places:
        first: dict[str, str] = {}
        for name in (each for each in flat.order if each in place):
            instead[name] = first.setdefault(copies.get(name, name), name)
    kept = {name: node for name, node in flat.nodes.items() if instead.get(name, name) == name}
    wires = {
        name: tuple(replace(wire, source=instead.get(wire.source, wire.source)) for wire in flat.wires[name])
        for name in kept
    }
    return replace_graph(flat, nodes=kept, wires=wires)
