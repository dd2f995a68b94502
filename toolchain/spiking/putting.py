"""An edit that both kinds of network need: a node behind another, in front of all who read that."""

from __future__ import annotations

from ..graph import Node, Wire
from ..passes.draft import Draft


def put_behind(draft: Draft, name: str, label: str, node: Node) -> str:
    """Put `name.label` between a node and its readers, and hand back what it is called."""
    readers = {edge.target for edge in draft.readers(name)}
    if not readers:
        return name
    put = draft.insert(f"{name}.{label}", node, name, before=next(each for each in draft.nodes if each in readers))
    for target in readers:
        draft.rewire(target, *(Wire(put) if wire.source == name else wire for wire in draft.wires[target]))
    return put
