"""SpikingJelly 2.0 and its `nir_exchange`, which is part of it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from support.nir_peers.cases import Manner
from support.nir_peers.judging import Fault, Peer, PeerError
from torch import nn

DT = 1e-4
ENDS = (n.Input, n.Output)


def starting(node: Integrating) -> Integrating:
    """SpikingJelly's neurons start where they reset."""
    return replace(node, v_start=node.v_reset) if isinstance(node, n.Firing) else node


def resting(node: Integrating) -> Integrating:
    """Its LIFNode, which its exporter knows, rests where it resets; its CUBALIFNode rests at 0."""
    node = starting(node)
    return replace(node, bias=node.v_reset * (1 - node.beta)) if isinstance(node, n.LIF) else node


NATIVE = Manner(at_least=True, gain="one", dt=DT, fit=resting)
RUNS = Manner(at_least=True, gain="one", dt=DT, fit=starting)


def exported(graph: Graph, x: n.Array, path: Path) -> n.Array:
    """The network of SpikingJelly's own modules, by export_to_nir."""
    exchange, functional = _library("nir_exchange"), _library("functional")
    net = Net(graph).eval()
    steps = torch.as_tensor(x, dtype=torch.float32)
    try:
        exchange.export_to_nir(net, steps[0], path, dt=graph.dt)
    except Exception as error:
        raise PeerError(f"export_to_nir: {error}") from error
    functional.reset_net(net)
    with torch.no_grad():
        return np.stack([net(each).numpy() for each in steps])


class Net(nn.Module):
    """A graph without loops, of SpikingJelly's own modules."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        plain = {name: node for name, node in graph.nodes.items() if not isinstance(node, (*ENDS, n.Add))}
        for name, node in plain.items():
            self.add_module(name, _module(node))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values: dict[str, torch.Tensor] = {}
        for name in self.graph.order:
            read = [values[wire.source] for wire in self.graph.wires[name]]
            if isinstance(self.graph.nodes[name], n.Add):
                values[name] = read[0] + read[1]
            elif isinstance(self.graph.nodes[name], ENDS):
                values[name] = read[0] if read else x
            else:
                values[name] = getattr(self, name)(*read)
        return values[self.graph.outputs[0]]


def loaded(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What import_from_nir makes of the file, run step by step with its state handed on."""
    exchange = _library("nir_exchange")
    try:
        net: Any = exchange.import_from_nir(_read(path), dt=graph.dt)
        net.eval()
        state, answers = None, []
        with torch.no_grad():
            for each in torch.as_tensor(x, dtype=torch.float32):
                answer, state = net(each, state)
                answers.append(answer.numpy())
    except Exception as error:
        raise PeerError(f"import_from_nir: {error}") from error
    return np.stack(answers)


def _read(path: Path) -> Any:
    """By nir.read, with the argument that our writer names where nir's own check of shapes is wrong."""
    import nir

    try:
        return nir.read(path)
    except ValueError:
        return nir.read(path, type_check=False)


def _library(name: str) -> Any:
    from importlib import import_module

    return import_module(f"spikingjelly.activation_based.{name}")


def _module(node: n.Node) -> nn.Module:
    """Its own module for a node."""
    layer, neuron = _library("layer"), _library("neuron")
    if isinstance(node, n.Affine):
        made = layer.Linear(node.weight.shape[1], node.weight.shape[0], bias=node.bias is not None)
        return _weighted(made, node)
    if isinstance(node, n.Conv):
        out, width = node.weight.shape[:2]
        around = {"stride": node.stride, "padding": tuple(before for before, _ in node.padding), "groups": node.groups}
        made = layer.Conv2d(width * node.groups, out, node.kernel, **around, bias=node.bias is not None)
        return _weighted(made, node)
    if isinstance(node, n.AveragePool):
        return layer.AvgPool2d(node.window, node.stride)
    if isinstance(node, n.Flatten):
        return layer.Flatten()
    assert isinstance(node, n.Firing)
    fires = {"v_threshold": _one(node.threshold), "v_reset": _one(node.v_reset)}
    if isinstance(node, n.IF):
        return neuron.IFNode(**fires)
    if isinstance(node, n.LIF):
        return neuron.LIFNode(tau=1 / (1 - _one(node.beta)), decay_input=_one(node.gain) != 1, **fires)
    assert isinstance(node, n.CubaLIF)
    return neuron.CUBALIFNode(c_decay=_one(node.alpha), v_decay=_one(node.beta), **fires)


def _one(values: n.Array) -> float:
    (found,) = np.unique(values)
    return float(found)


def _weighted(module: Any, node: n.Affine | n.Conv) -> nn.Module:
    module.weight.data = torch.as_tensor(node.weight.copy())
    if node.bias is not None:
        module.bias.data = torch.as_tensor(node.bias.copy())
    made: nn.Module = module
    return made


def uneven_kernel() -> bool:
    """Its exporter has nir check the shapes, whose rule takes a kernel's height for its width."""
    exchange, layer = _library("nir_exchange"), _library("layer")
    try:
        exchange.export_to_nir(nn.Sequential(layer.Conv2d(1, 1, (3, 2)), layer.Flatten()), torch.zeros(1, 1, 6, 6))
    except ValueError as error:
        return "type mismatch" in str(error)
    return False


def loop_starts_without_bias() -> bool:
    """A bias in a loop is 0 in the first step."""
    import nir

    dt, ones = 1e-4, np.ones(1)
    nodes = {
        "input": nir.Input(np.array([1])),
        "neuron": nir.LIF(tau=2 * dt * ones, r=2 * ones, v_leak=0 * ones, v_threshold=ones, v_reset=0 * ones),
        "back": nir.Affine(np.zeros((1, 1), np.float32), np.full(1, 2, np.float32)),
        "output": nir.Output(np.array([1])),
    }
    edges = [("input", "neuron"), ("neuron", "back"), ("back", "neuron"), ("neuron", "output")]
    net: Any = _library("nir_exchange").import_from_nir(nir.NIRGraph(nodes, edges), dt=dt)
    first, state = net(torch.zeros(1, 1), None)
    second, _ = net(torch.zeros(1, 1), state)
    return float(first.item()) == 0 and float(second.item()) == 1


NO_EXPORT = "its exporter has no such neuron, or cannot trace it"
ABSENT = {
    ("LIF dense, v_leak", "in"): "its LIFNode rests where it resets",
    ("LIF dense, each its own", "in"): "its neurons share their parameters",
    ("CubaLIF dense, each its own", "in"): "its neurons share their parameters",
    ("LI dense", "in"): "its exporter has no neuron that does not spike",
    ("CubaLI dense", "in"): "it has no such neuron",
    ("LIF conv, grouped", "in"): "its exporter refuses groups",
    ("LIF conv, sum pool", "in"): "it has no sum pool",
    ("IF recurrent", "in"): "its exporter cannot trace its recurrent containers",
    ("LIF recurrent", "in"): "its exporter cannot trace its recurrent containers",
    ("CubaLIF recurrent", "in"): "its exporter cannot trace its recurrent containers",
}


@lru_cache(maxsize=1)
def peer() -> Peer:
    """SpikingJelly, as it is installed here."""
    return Peer(
        name="SpikingJelly",
        dialect="spikingjelly",
        version=version("spikingjelly"),
        native=NATIVE,
        runs=RUNS,
        export=exported,
        load=loaded,
        absent=ABSENT,
        faults=(
            Fault(
                "uneven-kernel",
                "its exporter has nir 1.0.8 check the shapes, which takes a kernel's height for its width",
                uneven_kernel,
                spoils=frozenset({("LIF conv, strided", "in")}),
            ),
            Fault(
                "loop-without-first-bias",
                "its importer starts what comes back in a loop from 0, without the bias of the layer that sends it",
                loop_starts_without_bias,
                around="the bias is written into the layer in front of the loop",
            ),
        ),
    )
