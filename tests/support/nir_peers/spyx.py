"""Spyx, beside the tests: its own networks out of its exporter, and our files through its importer."""

from __future__ import annotations

import ast
import pickle
import sys
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from support.nir_peers.cases import Manner
from support.nir_peers.judging import Fault, NotThere, Peer
from support.nir_peers.nir_faults import conv_shapes
from support.nir_peers.other_python import OtherPython

SCRIPT = Path(__file__).parent / "elsewhere" / "spyx_here.py"
DT = 1e-3
HDF5 = b"\x89HDF"
EXAMPLES = {
    each.name: ast.get_docstring(each)
    for each in ast.parse(SCRIPT.read_text(encoding="utf-8")).body
    if isinstance(each, ast.FunctionDef)
}
"""What the functions of the script say of themselves."""
WITHOUT = ("Delay", "Input", "Output", "Add")


@lru_cache(maxsize=1)
def process() -> OtherPython:
    """This Python once more, with JAX in it."""
    return OtherPython(Path(sys.executable), SCRIPT)


def export(graph: Graph, x: n.Array, path: Path) -> Any:
    """Its own answers, and its own file; the object where nir.write cannot write it."""
    if "left" in graph.nodes:
        raise NotThere("its networks are chains of layers")
    layers, arrays = [], {"x": x}
    for name, node in graph.nodes.items():
        if node.kind in WITHOUT or name == "back":
            continue
        asked, held = layer(graph, name)
        layers.append(asked)
        arrays |= {f"{name}.{key}": np.asarray(value, np.float32) for key, value in held.items()}
    ends = {"takes": graph.signals["input"].shape, "sends": graph.signals["output"].shape}
    answers = process().ask({"what": "export", "path": str(path), "dt": DT, "layers": layers, **ends}, **arrays)
    held = path.read_bytes()
    return answers if held.startswith(HDF5) else (answers, pickle.loads(held))


def layer(graph: Graph, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the other process has to know to make it, and the arrays."""
    node = graph.nodes[name]
    asked: dict[str, Any] = {"name": name, "kind": node.kind}
    if isinstance(node, Integrating):
        return asked, _neurons(graph, name, node)
    if isinstance(node, (n.Affine, n.Conv)):
        if isinstance(node, n.Conv):
            asked |= {"stride": node.stride, "padding": node.padding, "groups": node.groups}
        return asked, {"weight": _weight(graph, name, node)} | ({} if node.bias is None else {"bias": node.bias})
    if isinstance(node, n.SumPool):
        return asked | {"window": node.window, "stride": node.stride}, {}
    if not isinstance(node, n.Flatten):
        raise NotThere(f"its exporter knows no {node.kind}")
    return asked, {}


def _weight(graph: Graph, name: str, node: n.Affine | n.Conv) -> n.Array:
    """Its columns with the channels last behind a Flatten, where its own network has them so."""
    before = graph.wires[name][0].source
    if not isinstance(graph.nodes[before], n.Flatten):
        return node.weight
    shape = graph.received(before)[0].shape
    return np.moveaxis(node.weight.reshape(-1, *shape), 1, -1).reshape(node.weight.shape)


def _neurons(graph: Graph, name: str, node: Integrating) -> dict[str, Any]:
    if node.bias.any():
        raise NotThere("its neurons leak to 0")
    if isinstance(node, n.CubaIntegrator):
        raise NotThere("it has no current and membrane that never fire")
    shape = graph.signals[name].shape
    fields = ("alpha", "beta", "threshold") if isinstance(node, n.Firing) else ("beta",)
    held = {key: np.broadcast_to(getattr(node, key), shape) for key in fields if key in node.arrays()}
    return held | ({"back": graph.nodes["back"].weight} if "back" in graph.nodes else {})


def load(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What its importer makes of a file answers."""
    found: n.Array = process().ask({"what": "import", "path": str(path), "dt": graph.dt}, x=x)
    return found


def resets(node: Integrating) -> Integrating:
    """Its neurons without a current reset after the leak of the next step."""
    return replace(node, when="next") if isinstance(node, (n.IF, n.LIF)) else node


def shows(name: str) -> bool:
    """Whether a fault is there."""
    return bool(process().ask({"what": "fault", "name": name}))


def fault(name: str, about: str, example: str, around: str = "", *spoils: tuple[str, Any]) -> Fault:
    """A fault whose example runs in the other process, where its words stand too."""

    def there() -> bool:
        return shows(example)

    there.__doc__ = EXAMPLES[example]
    return Fault(f"spyx-{name}", about, there, frozenset(spoils), around)


MANNER = Manner(reset="subtract", gain="one", rule="euler", dt=DT, fit=resets, late=True)
PEER = Peer(
    name="Spyx",
    dialect="spyx",
    version=version("spyx"),
    native=MANNER,
    runs=MANNER,
    export=export,
    load=load,
    faults=(
        fault(
            "late",
            "its neurons send a spike one step after they have fired, exported and imported ones",
            "late",
            "a Delay of one step stands behind each neuron of a graph read from it, and is left out in a file for it",
        ),
        fault(
            "reset",
            "from_nir makes neurons that reset by subtraction, whatever v_reset is",
            "no_reset_value",
            "networks that reset to a value are refused",
        ),
        fault(
            "r", "from_nir looks at no r", "r_ignored", "voltages are scaled so that what comes in is added as it is"
        ),
        fault(
            "v-leak", "from_nir looks at no v_leak", "v_leak_ignored", "it is moved into the bias of the layer before"
        ),
        fault("unknown", "from_nir leaves out every node that it does not know", "unknown_dropped", "they are refused"),
        fault("li", "to_nir leaves LI out, and prints that", "li_dropped", "", ("LI dense", "in")),
        fault(
            "flatten",
            "its Flatten has the channels last, and the file's layer behind it has its columns in that order",
            "flat_order",
            "the columns are put into NIR's order when its files are read, and into its own in files for it",
        ),
        fault(
            "groups",
            "to_nir fails for a convolution of groups: it takes their weights for those of one",
            "groups_exported",
            "groups are written out in files for it, with zeros between them",
            ("LIF conv, grouped", "in"),
        ),
        fault(
            "conv-bias",
            "to_nir makes a Conv2d whose bias is None of a convolution without one, which nir.write cannot write",
            "no_bias_written",
            "the object can be read: from_nir",
        ),
        fault("dilation", "from_nir looks at no dilation", "dilation_imported", "another than 1 is refused"),
        fault(
            "cuba-images",
            "a CuBaLIF that stands behind a convolution fails",
            "cuba_images",
            "it is refused",
            ("CubaLIF conv", "in"),
        ),
        fault(
            "loop-edge",
            "to_nir leads what comes into a recurrent layer to its own weights, not to its neurons",
            "edge_to_weights",
            "the reader leads it to the neurons, and says so",
        ),
        fault("branches", "from_nir follows one edge from each node", "branches", "networks with branches are refused"),
        conv_shapes(("LIF conv, strided", "in")),
    ),
)
FAULTS = PEER.faults
