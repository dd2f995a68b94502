"""300 random networks: written, read by the nir package, read again by Spikeport, and the same ones."""

from dataclasses import replace

import nir
import numpy as np
from spikeport.exporters.nir.facts import beside
from spikeport.exporters.nir.objects import write_file
from spikeport.exporters.nir.reading import from_nir
from spikeport.exporters.nir.saving import save
from spikeport.exporters.nir.writing import Written, to_tree
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import Graph, SubGraph, digest, replace_graph
from spikeport.toolchain.graph.nodes import Firing
from spikeport.toolchain.graph.text import diff
from spikeport.toolchain.passes import make
from support.nir_raw import read_here
from support.random_graphs import random_graph
from support.same_function import same_or_unsteady

KINDS = [
    *("Affine", "Scale", "BatchNorm", "Contract", "Conv", "ConvTranspose", "SumPool", "AveragePool", "MaxPool"),
    *("Flatten", "Slice", "Pad", "Add", "Concat", "Mean", "Sum", "Delay", "TemporalKernel"),
    *("IF", "LIF", "CubaLIF", "Integrator", "LeakyIntegrator", "CubaIntegrator"),
]
#: What NIR can say, by itself or after lowering. A Permute or a Reshape is refused unless all behind it is flat.
WRITTEN = 300
MOST_DRAWN = 1500


def spiking(graph: Graph) -> Graph:
    """The graph with neurons that send spikes, as all of NIR's do."""
    nodes = {
        name: replace(node, emit="spikes") if isinstance(node, Firing) else node for name, node in graph.nodes.items()
    }
    inner = {name: SubGraph(spiking(node.graph)) for name, node in nodes.items() if isinstance(node, SubGraph)}
    return replace_graph(graph, nodes=nodes | inner)


def drawn(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    options = {"nodes": 6, "subgraphs": seed % 5 == 0, "dtype": ("float64", "float32")[seed % 2]}
    return spiking(random_graph(rng, kinds=[*KINDS, *(["Permute", "Reshape"] if seed % 7 == 0 else [])], **options))


def test_random_networks_come_back_as_they_are(tmp_path):
    canonicalise, seen, count = make("canonicalise"), set(), 0
    for seed in range(MOST_DRAWN):
        graph = drawn(seed)
        try:
            written = to_tree(graph)
        except Refused:
            continue
        check(tmp_path / "net.nir", graph, written, seed, canonicalise)
        seen |= features(written)
        count += 1
        if count == WRITTEN:
            break
    assert count == WRITTEN
    assert seen >= {"loop", "cycle", "sum", "sub-graph", "two inputs", "exact", "v_start", "type_check=False"}


def check(path, graph, written, seed, canonicalise):
    whole = seed % 10 == 0 or any(not written.graph.readers(name) for name in written.graph.inputs)
    if whole:
        save(written, path)
    else:
        beside(path).unlink(missing_ok=True)
        write_file(written.tree, path)
    plain = not any("type_check=False" in line for line in written.remarks)
    found = nir.read(path, type_check=plain)
    # The nir package puts an Output behind an input that nothing reads, so that its object is another network.
    back = read_here(path) if whole else from_nir(found)
    assert all("nothing reads this input" in line for line in back.remarks), (seed, back.remarks)
    mine, theirs = canonicalise(written.graph).graph, canonicalise(back.graph).graph
    assert digest(mine) == digest(theirs), f"{seed}\n{diff(mine, theirs)}"
    assert same_or_unsteady(graph, back.graph, seed, 1e-9 if seed % 2 == 0 else 1e-4), seed


def features(written: Written) -> set[str]:
    """What a network tries out."""
    facts = written.facts
    loops = {"loop"} if any("." in source for source, _ in facts.delayed) else set()
    cycle = {"cycle"} if any("." not in source for source, _ in facts.delayed) else set()
    kept = {name for leaf in written.tree.nodes.values() for name in leaf.metadata}
    return {
        *loops,
        *cycle,
        *(["sum"] if facts.sums else []),
        *(["sub-graph"] if any(line.startswith("opened") for line in facts.passes) else []),
        *(["two inputs"] if len(facts.inputs) > 1 else []),
        *(["exact"] if kept & {"beta", "alpha", "gain"} else []),
        *(["v_start"] if "v_start" in kept else []),
        *(["type_check=False"] if any("type_check=False" in line for line in written.remarks) else []),
    }
