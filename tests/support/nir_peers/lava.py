"""lava-dl 0.6 in its environment, with the NIR repository's scripts: nir_to_lava.py to it, lava_to_nir.py from it.

The scripts are those of commit 7232ada. Their text is not here, but what they build; lava_to_nir.py itself fails for
netx files of one layer and of three, and for convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from spikeport.toolchain.simulate.lava_env import LAVA_DL, look
from support.nir_peers.cases import CASES, Manner
from support.nir_peers.judging import Fault, Peer
from support.nir_peers.other_python import OtherPython

SCRIPT = Path(__file__).parent / "elsewhere" / "lava_here.py"


def on_grid(node: Integrating) -> Integrating:
    """Decays in 4096ths, thresholds in 64ths; those of an IF between what weights on their grid can sum up to."""
    steps = {"alpha": 4096, "beta": 4096, "threshold": 64}
    held = {name: np.rint(value * steps[name]) / steps[name] for name, value in node.arrays().items() if name in steps}
    return replace(node, threshold=1 + 1 / (2 * GRID)) if isinstance(node, n.IF) else replace(node, **held)


DT = 1e-4
GRID = 16
WIDE = (0.5, 1.0, 2.0, 4.0, 32.0, 64.0, 128.0, 256.0)
MANNER = Manner(gain="one", dt=DT, fit=on_grid, apart=6e-3, mean=0.0, drives=WIDE, grid=GRID)
"""Its states are cut to 4096ths in every step, 1/4096/(1 - β) in all: 1.2e-3 of a LIF, and 5.8e-3 of a CubaLIF."""
BOTH_WAYS = "CubaLIF dense without bias"
NO_EXPORT = "lava_to_nir.py writes networks of two dense layers of CubaLIF without bias, and no others right"


def export(graph: Graph, x: n.Array, path: Path) -> n.Array:
    """A network of slayer, its netx file, and what the script makes of that."""
    import h5py
    import nir

    described = [(name, node) for name, node in graph.nodes.items() if isinstance(node, n.Affine | n.CubaLIF)]
    assert [node.kind for _, node in described] == ["Affine", "CubaLIF"] * 2
    arrays = {f"{name}.{key}": value for name, node in described for key, value in node.arrays().items()}
    layers = [[name for name, _ in described[at : at + 2]] for at in (0, 2)]
    held = path.with_suffix(".net")
    found: n.Array = process().ask({"what": "export", "path": str(held), "layers": layers}, x=x, **arrays)
    with h5py.File(held) as file:
        nodes = {str(at): node for at, node in enumerate(_of_netx(file["layer"]))}
    ends = {"input": nir.Input(np.array(x.shape[2:])), "output": nir.Output(np.array(found.shape[2:]))}
    chain = ["input", *nodes, "output"]
    nir.write(path, nir.NIRGraph(nodes=nodes | ends, edges=list(pairwise(chain))))
    return found


def _of_netx(layers: Any) -> Iterator[Any]:
    """The script's nodes for the layers of a netx file: whole numbers there, and numbers with a point here."""
    import nir

    for name in sorted(layers, key=int):
        layer, neuron = layers[name], layers[name]["neuron"]
        weight = layer["weight"][:] / 64
        tau_mem, tau_syn = (DT / (float(neuron[key][()]) / 4096) for key in ("vDecay", "iDecay"))
        level = neuron["vThMant"][()] / 64
        values = {"tau_mem": tau_mem, "tau_syn": tau_syn, "r": tau_mem / DT, "w_in": tau_syn / DT}
        ends = {"v_leak": 0.0, "v_threshold": level, "v_reset": 0.0}
        yield nir.Linear(weight=weight)
        yield nir.CubaLIF(**{key: np.full(weight.shape[0], value) for key, value in {**values, **ends}.items()})


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
        native=replace(MANNER, drives=WIDE[:3]),
        runs=MANNER,
        absent={(case.name, "in"): NO_EXPORT for case in CASES if case.name != BOTH_WAYS},
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
