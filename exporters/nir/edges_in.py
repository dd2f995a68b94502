"""What is known to be broken about the edges of NIR files, and what is made of it; every repair is reported.

twice            the same edge is there twice: once is meant
renamed          edges of a graph name a node that is not there, and one node has no edges: that node is meant
inner            an edge names a node of a sub-graph, or repeats an edge inside of one
dangling         in a sub-graph, an edge to a node that is not there, while all others are connected: left out
through weights  the input of a recurrent sub-graph goes to the recurrent weights: the neuron they feed is meant
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .said import Said
from .tree import Leaf, Tree

Edge = tuple[str, str]
NEURONS = frozenset({"I", "IF", "LI", "LIF", "CubaLI", "CubaLIF"})
WEIGHTS = frozenset({"Linear", "Affine"})


def repaired(tree: Tree, said: Said, path: str = "", *, ours: bool = False) -> Tree:
    """The tree with edges between nodes that are there.

    Args:
        tree: of the file.
        said: where repairs and reasons go.
        path: of the tree in the whole, with a dot behind; empty for the whole.
        ours: whether Spikeport wrote the file, which then means what it says.
    """
    nodes = {
        name: node if isinstance(node, Leaf) else repaired(node, said, f"{path}{name}.", ours=ours)
        for name, node in tree.nodes.items()
    }
    edges = _once(tree.edges, said, path)
    edges = _renamed(nodes, edges, said, path)
    edges = _existing(nodes, edges, said, path)
    if path and not ours:
        edges = _to_neurons(nodes, edges, said, path)
    return replace(tree, nodes=nodes, edges=tuple(edges))


def shown(edge: Edge) -> str:
    """An edge as remarks print it."""
    return f"{edge[0][:80]} → {edge[1][:80]}"


def _once(edges: Iterable[Edge], said: Said, path: str) -> list[Edge]:
    seen: dict[Edge, None] = {}
    for edge in edges:
        if edge in seen:
            said.remark(f"{path}{shown(edge)}", "this edge is there twice; taken once")
        seen[edge] = None
    return list(seen)


def _renamed(nodes: dict[str, Leaf | Tree], edges: list[Edge], said: Said, path: str) -> list[Edge]:
    """Edges to the node that was meant, where a name is not there and a node has no edges."""
    ends = {name for edge in edges for name in edge}
    missing = sorted(name for name in ends if name not in nodes and not _inner(nodes, name))
    idle = [name for name in nodes if name not in ends]
    meant: dict[str, str] = {}
    for name in missing if len(missing) <= len(idle) else []:
        alike = [each for each in idle if each.startswith(name) or name.startswith(each)]
        found = idle if len(idle) == len(missing) == 1 else alike
        if len(found) == 1 and found[0] not in meant.values():
            meant[name] = found[0]
            said.remark(
                f"{path}{name}", f"edges name this node, which is not there; {found[0]}, which has none, is meant"
            )
    return [(meant.get(a, a), meant.get(b, b)) for a, b in edges]


def _inner(nodes: dict[str, Leaf | Tree], name: str) -> bool:
    """Whether a name is that of a node in a sub-graph: sub.node."""
    held: dict[str, Leaf | Tree] = nodes
    for place, letter in enumerate(name):
        inside = held.get(name[:place]) if letter == "." else None
        if isinstance(inside, Tree):
            return name[place + 1 :] in inside.nodes or _inner(dict(inside.nodes), name[place + 1 :])
    return False


def _existing(nodes: dict[str, Leaf | Tree], edges: list[Edge], said: Said, path: str) -> list[Edge]:
    """Edges between nodes that are there."""
    fits = [edge for edge in edges if all(name in nodes or _inner(nodes, name) for name in edge)]
    for edge in edges:
        if edge in fits:
            continue
        where = f"{path}{shown(edge)}"
        lost = next(name for name in edge if name not in nodes and not _inner(nodes, name))
        if _repeats(nodes, edge):
            said.remark(where, "this edge is one inside of a sub-graph, where it is too; left out here")
        elif path and _connected(nodes, fits):
            said.remark(where, f"'{lost[:80]}' is not there, and all nodes are connected without; edge left out")
        else:
            found = f"an edge {shown(edge)}, and no node '{lost[:80]}'"
            said.reasons.append(said.error(path.rstrip("."), found, "edges between nodes that are there"))
    return fits


def _repeats(nodes: dict[str, Leaf | Tree], edge: Edge) -> bool:
    return any(isinstance(node, Tree) and edge in node.edges for node in nodes.values())


def _connected(nodes: dict[str, Leaf | Tree], edges: list[Edge]) -> bool:
    sources, targets = {a for a, _ in edges}, {b for _, b in edges}
    kinds = {name: node.kind if isinstance(node, Leaf) else "" for name, node in nodes.items()}
    return all((kind == "Input" or n in targets) and (kind == "Output" or n in sources) for n, kind in kinds.items())


def _to_neurons(nodes: dict[str, Leaf | Tree], edges: list[Edge], said: Said, path: str) -> list[Edge]:
    """Input → neuron in place of input → recurrent weights, where those feed the neuron alone and it feeds them."""
    into: dict[str, set[str]] = {}
    out: dict[str, set[str]] = {}
    for a, b in edges:
        into.setdefault(b, set()).add(a)
        out.setdefault(a, set()).add(b)
    kinds = {name: node.kind if isinstance(node, Leaf) else "" for name, node in nodes.items()}
    found = list(edges)
    for weight in [name for name, kind in kinds.items() if kind in WEIGHTS]:
        neuron = next(iter(out.get(weight, ())), "")
        loop = out.get(weight) == {neuron} and kinds.get(neuron) in NEURONS and into[neuron] == {weight}
        entering = [name for name in into.get(weight, ()) if kinds.get(name) == "Input"]
        if loop and len(entering) == 1 and into[weight] == {neuron, entering[0]}:
            found[found.index((entering[0], weight))] = (entering[0], neuron)
            text = f"the input goes to the recurrent weights; {neuron}, which they feed, is meant"
            said.remark(f"{path}{shown((entering[0], weight))}", text)
    return found
