"""What `convert` proves before a file takes its place.

source against graph            when it was traced: module and graph in float64
graph against chip graph        what quantising lost, on the trial input
chip graph against the file     the file is read again and has to be the same network, spike by spike
file against Lava               the same once more on Lava's own simulator, where its environment is there
graph against NIR or ONNX       the file is read again, and what is read runs; an ONNX file on ONNX Runtime
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from ..toolchain.console import working
from ..toolchain.errors import SpikeportError
from ..toolchain.graph import Graph, digest
from ..toolchain.graph.network import Network
from ..toolchain.graph.nodes import Array, Node
from ..toolchain.graph.subgraph import SubGraph
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.tables import counted
from ..toolchain.verifying import InSingle, OnLava, OnRuntime, Verdict, verify

N = TypeVar("N", bound=Network)

LAVA_STEPS = 16
"""So many steps of the first sample run on Lava, which takes up to half a second for each."""


class NotProved(SpikeportError):
    """A file that is not the network it was written from."""


@dataclass(frozen=True)
class Proof:
    """One step of the way that was proved, or was not.

    Args:
        what: the two things.
        said: what came of it, in words.
        exact: whether they are the same; None where nothing was compared.
        verdict: the comparison; None where there was none.
    """

    what: str
    said: str
    exact: bool | None = None
    verdict: Verdict | None = None

    @property
    def word(self) -> str:
        """What came of it, in a word."""
        if self.exact is None:
            return "–"
        rounded = self.verdict is not None and all(
            node.same and not (node.spikes and node.differing) for node in self.verdict.nodes
        )
        return "same" if self.exact else "rounded" if rounded else "lossy"

    def data(self) -> dict[str, Any]:
        """The same for programs."""
        verdict = None if self.verdict is None else self.verdict.data()
        return {"what": self.what, "said": self.said, "exact": self.exact, "verdict": verdict}


def of_source(graph: Graph) -> Proof:
    """What tracing proved."""
    said = graph.notes.get("proof", "the graph is the source")
    proved = "proof" in graph.notes and not said.startswith("not proved")
    return Proof("source → graph", said, exact=True if proved else None)


def of_chip(graph: Graph, chip: ChipGraph, inputs: Mapping[str, Array]) -> Proof:
    """What quantising lost."""
    verdict = verify(graph, chip, inputs, at_least=0.0)
    return Proof("graph → chip graph", _loss(verdict), verdict.exact, verdict)


def _loss(verdict: Verdict) -> str:
    """How far the worst layer of spikes and the worst output are off."""
    if verdict.exact:
        return _equal(verdict)
    spikes = [node for node in verdict.nodes if node.spikes]
    values = [node for node in verdict.nodes if not node.spikes and node.range]
    parts = []
    if spikes:
        worst = min(spikes, key=lambda node: node.match)
        parts.append(f"spikes and silences equal: {100 * worst.match:.2f} % in {worst.a}, the worst of {len(spikes)}")
    if values:
        far = max(values, key=lambda node: node.worst / node.range)
        parts.append(f"values off by up to {100 * far.worst / far.range:.2g} % of the largest, in {far.a}")
    wrong = [node.a for node in verdict.nodes if not node.spikes and not node.range and not node.exact]
    parts += [f"not 0 where the graph is: {', '.join(wrong)}"] if wrong else []
    return "; ".join([*parts, *_silent(verdict)])


def of_file(chip: ChipGraph, again: ChipGraph, path: Path, inputs: Mapping[str, Array]) -> Proof:
    """The file, read again, against what it was written from; NotProved where they differ."""
    verdict = verify(chip, again, inputs)
    if not verdict.exact:
        raise _another(path, verdict)
    return Proof("chip graph → file", _equal(verdict), exact=True, verdict=verdict)


def sharing(network: N, other: Network) -> N:
    """A network that holds the very arrays of another where they are equal bit for bit, so that they are held once."""
    return replace(network, nodes={name: _sharing(node, other.nodes.get(name)) for name, node in network.nodes.items()})


def _sharing(node: Node, other: Node | None) -> Node:
    if type(other) is not type(node):
        return node
    if isinstance(node, SubGraph):
        return replace(node, graph=sharing(node.graph, cast(SubGraph, other).graph))
    theirs = other.arrays()
    equal = {each: theirs[each] for each, mine in node.arrays().items() if _equal_arrays(mine, theirs.get(each))}
    return replace(node, **equal) if equal else node


def _equal_arrays(mine: Array, other: Array | None) -> bool:
    """Whether they are the same to the last bit: 0 is not −0."""
    if other is None or mine.dtype != other.dtype or mine.shape != other.shape:
        return False
    return np.array_equal(_bits(mine), _bits(other))


def _bits(array: Array) -> Array:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def of_nir(graph: Graph, draft: Path, path: Path, inputs: Mapping[str, Array]) -> tuple[Graph, list[Proof]]:
    """What a NIR file says to our reader, and that NIR's own takes it too; NotProved where it is another network.

    Returns:
        The graph as it was read, and the proofs.
    """
    from .nir_file import read

    with working(f"comparing {graph.name} with its file"):
        again = sharing(read(draft).graph, graph)
        verdict = verify(graph, again, inputs)
    if not verdict:
        raise _another(path, verdict)
    return again, [Proof("graph → file", _near(verdict), verdict.exact, verdict), _plain(draft)]


def _plain(draft: Path) -> Proof:
    """What NIR's own reader says to the file."""
    import nir

    what = f"file → nir {nir.version}"
    with contextlib.suppress(ValueError):
        nir.read(draft)
        return Proof(what, "nir.read takes it", exact=True)
    nir.read(draft, type_check=False)
    return Proof(what, "nir.read takes it with type_check=False; its own check of shapes is wrong about it")


def of_nir_parts(graph: Graph, draft: Path, path: Path, inputs: Mapping[str, Array]) -> tuple[Graph, list[Proof]]:
    """The same of several files."""
    from .nir.parts_in import read_parts

    with working(f"comparing {graph.name} with its files"):
        again = sharing(read_parts(draft), graph)
        verdict = verify(graph, again, inputs)
    if not verdict:
        raise _another(path, verdict)
    return again, [Proof("graph → files", _near(verdict), verdict.exact, verdict)]


def of_onnx(graph: Graph, draft: Path, path: Path, inputs: Mapping[str, Array]) -> tuple[Graph, list[Proof]]:
    """That an ONNX file is read as the very graph again, and that ONNX Runtime runs it as the reference does."""
    from .onnx_file import read

    with working(f"running {graph.name} on ONNX Runtime"):
        again = read(draft)[0]
        same = digest(again) == digest(graph)
        again = sharing(again, graph)
        wide = verify(graph, OnRuntime(again), inputs)
        verdict = wide or verify(InSingle(graph), OnRuntime(again), inputs)
    if not verdict:
        raise _another(path, verdict)
    said = "the very same graph" if same else "another form of the graph, which runs the same"
    ran = _near(verdict) if wide else f"{_near(verdict)}, in float32; float64 comes to the other side of a threshold"
    return again, [
        Proof("graph → file", said, exact=same),
        Proof("file → ONNX Runtime", ran, verdict.exact, verdict),
    ]


def _another(path: Path, verdict: Verdict) -> NotProved:
    found = f"is another network than the one it was written from\n{verdict.text()}"
    return NotProved(str(path), found, fix="report this: it is a mistake of ours; no file was left behind")


def _near(verdict: Verdict) -> str:
    """Equal, or how far values are off that are rounded otherwise."""
    if verdict.exact:
        return _equal(verdict)
    far = max((node for node in verdict.nodes if node.range), key=lambda node: node.worst / node.range)
    spikes = sum(node.values for node in verdict.nodes if node.spikes)
    said = f"all {spikes:,} spikes equal; " if spikes else ""
    return f"{said}values off by up to {100 * far.worst / far.range:.1g} % of the largest, {verdict.size}"


def _equal(verdict: Verdict) -> str:
    count = sum(node.values for node in verdict.nodes)
    said = f"equal in all {count:,} values of {counted(len(verdict.nodes), 'node')}, {verdict.size}"
    return "; ".join([said, *_silent(verdict)])


def _silent(verdict: Verdict) -> list[str]:
    """The nodes of which little was tried."""
    return [f"silent: {', '.join(verdict.silent)}"] if verdict.silent else []


def of_lava(chip: ChipGraph, path: Path, inputs: Mapping[str, Array]) -> Proof:
    """The file's network against Lava; nothing where Lava's environment is not there."""
    from ..toolchain.simulate.lava_env import LAVA, look

    missing = look(LAVA).why
    if missing:
        return Proof("file → Lava", f"not run: {missing}; make it with `spikeport lava install`")
    some = {name: values[:LAVA_STEPS, :1] for name, values in inputs.items()}
    with working(f"running {chip.name} on Lava"):
        verdict = verify(chip, OnLava(chip), some)
    if not verdict.exact:
        found = f"runs otherwise on Lava\n{verdict.text()}"
        raise NotProved(str(path), found, fix="report this: it is a mistake of ours; no file was left behind")
    return Proof("file → Lava", _equal(verdict), exact=True, verdict=verdict)
