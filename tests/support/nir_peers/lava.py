"""lava-dl 0.6 in its environment: what the NIR repository's script makes of a file, and what lava_to_nir.py writes."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from spikeport.toolchain.simulate.lava_env import LAVA_DL, look
from support.nir_peers.cases import CASES, Manner
from support.nir_peers.judging import Fault, NotThere, Peer, Way
from support.nir_peers.other_python import OtherPython

SCRIPT = Path(__file__).parent / "elsewhere" / "lava_here.py"


def on_grid(node: Integrating) -> Integrating:
    """Decays in 4096ths, thresholds in 64ths."""
    steps = {"alpha": 4096, "beta": 4096, "threshold": 64}
    held = {name: np.rint(value * steps[name]) / steps[name] for name, value in node.arrays().items() if name in steps}
    return replace(node, **held)


MANNER = Manner(gain="one", dt=1e-4, fit=on_grid, apart=5e-3)
"""Its states are cut to 4096ths in every step."""
EXPORTER = "lava_to_nir.py makes no network that can be run"
NO_EXPORT: dict[tuple[str, Way], str] = {(case.name, "in"): EXPORTER for case in CASES}
DENSE = "the script makes dense blocks alone of leaky neurons, and refuses a bias of a convolution"


def export(graph: Graph, x: n.Array, path: Path) -> n.Array:
    """lava_to_nir.py reads netx, and takes a network's last layer for its output: it never got an input of its own."""
    raise NotThere(EXPORTER)


def load(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What the script's blocks answer."""
    import nir

    tree: Any = nir.read(path, type_check=False)
    names, last = [], "input"
    following = dict(tree.edges)
    while (last := following[last]) != "output":
        names.append(last)
    described = [_described(name, tree.nodes[name]) for name in names]
    arrays = {f"{each['name']}.{key}": value for each, held in described for key, value in held.items()}
    ask = {"what": "run", "dt": graph.dt, "nodes": [each for each, _ in described]}
    found: n.Array = process().ask(ask, x=x, **arrays)
    return found


def _described(name: str, node: Any) -> tuple[dict[str, Any], dict[str, n.Array]]:
    """A node of NIR as plain values; a sub-graph as the fields of its neuron and of its layer."""
    held: dict[str, n.Array] = {}
    for each in node.nodes.values() if type(node).__name__ == "NIRGraph" else (node,):
        if type(each).__name__ not in ("Input", "Output"):
            held |= {key: np.asarray(value) for key, value in vars(each).items() if key not in UNUSED}
    return {"name": name, "kind": type(node).__name__, "fields": list(held)}, held


UNUSED = ("input_type", "output_type", "metadata", "input_shape", "name")


@lru_cache(maxsize=1)
def process() -> OtherPython:
    """lava-dl's Python."""
    return OtherPython(look(LAVA_DL).python, SCRIPT)


def odd_sum_pool() -> bool:
    """Windows of 2 over 5 values are 3, the last of them over one value."""
    return bool(process().ask({"what": "fault", "name": "odd-sum-pool"}))


def loop_without_bias() -> bool:
    """A bias of 2 at the synapse that leads back does not make a neuron of threshold 1 fire."""
    return bool(process().ask({"what": "fault", "name": "loop-without-bias"}))


@lru_cache(maxsize=1)
def peer() -> Peer:
    """lava-dl, as it is installed in its environment."""
    return Peer(
        name="lava-dl",
        dialect="lava",
        version="" if look(LAVA_DL).why else str(process().ask({"what": "version"})),
        native=MANNER,
        runs=MANNER,
        absent={**{(case.name, "out"): DENSE for case in CASES if len(case.shape) > 1}, **NO_EXPORT},
        export=export,
        load=load,
        faults=(
            Fault(
                "odd-sum-pool",
                "a pool of lava-dl also sums the incomplete windows at the end of an odd side",
                odd_sum_pool,
                around="such a pool is written as a convolution",
            ),
            Fault(
                "loop-without-bias",
                "lava-dl drops the bias of the layer that leads back in a loop",
                loop_without_bias,
                around="the bias is written into the layer in front of the loop",
            ),
        ),
    )
