"""Where a node of the float graph is in the chip graph, how late it is there, and in which scale.

    chip value at step t + latency ≈ float value at step t · scale

Spikes have the scale 1. The places are a note of the chip graph, "places", as JSON:
{node: [chip node, latency, scale]}.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..errors import UsageError
from .chip_graph import ChipGraph

NOTE = "places"


@dataclass(frozen=True)
class Place:
    """One node's counterpart.

    Args:
        node: the process of the chip graph.
        latency: steps by which it is late.
        scale: what a float value of 1 is there.
    """

    node: str
    latency: int = 0
    scale: float = 1.0


def write_places(places: Mapping[str, Place]) -> str:
    """The places as the text of a note."""
    return json.dumps({name: [each.node, each.latency, each.scale] for name, each in places.items()})


def read_places(chip: ChipGraph) -> Mapping[str, Place]:
    """The places of a chip graph, by node of the graph it came from; none where it has no such note."""
    text = chip.notes.get(NOTE)
    if text is None:
        return MappingProxyType({})
    try:
        found = {str(name): Place(str(node), int(late), float(scale)) for name, (node, late, scale) in _rows(text)}
    except (ValueError, TypeError):
        raise UsageError(chip.name, f"a note '{NOTE}' that cannot be read", "what quantise wrote") from None
    lost = [name for name, place in found.items() if place.node not in chip.nodes]
    if lost:
        raise UsageError(chip.name, f"a place for '{lost[0]}' in a node that is not there", "what quantise wrote")
    return MappingProxyType(found)


def _rows(text: str) -> list[tuple[str, Any]]:
    rows = json.loads(text)
    if not isinstance(rows, dict):
        raise TypeError(text)
    return list(rows.items())
