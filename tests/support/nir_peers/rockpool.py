"""Rockpool, beside the tests: its own networks out of its exporter, and our files through its importer."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from support.nir_peers.cases import Manner
from support.nir_peers.judging import NotThere, Peer, PeerError
from support.nir_peers.rockpool_faults import FAULTS, rockpool
from support.nir_peers.torch_layers import tensor

DT = 1e-3
FAILURES = (AttributeError, KeyError, TypeError, ValueError, RuntimeError, NotImplementedError)


def neurons(graph: Graph, name: str) -> Any:
    """Its own neurons; those with weights back to themselves where the graph has them."""
    node, shape = graph.nodes[name], graph.signals[name].shape
    assert isinstance(node, Integrating)

    def full(value: Any) -> torch.Tensor:
        return tensor(np.broadcast_to(np.asarray(value), shape))

    alpha, beta = node.decays
    if beta is None:
        raise NotThere("it has no neurons without a leak")
    tau = full(-DT / np.log(beta))
    if not isinstance(node, n.Firing):
        if alpha is not None:
            raise NotThere("it has no current and membrane that never fire")
        return rockpool.ExpSynTorch(shape, tau=tau, dt=DT)
    held: dict[str, Any] = {"tau_mem": tau, "threshold": full(node.threshold), "bias": full(node.bias), "dt": DT}
    if alpha is None:
        if "back" in graph.nodes:
            raise NotThere("its recurrent neurons have a current")
        return rockpool.LIFNeuronTorch(shape, **held)
    if "back" in graph.nodes:
        held |= {"has_rec": True, "w_rec": tensor(graph.nodes["back"].weight.T)}
    return rockpool.LIFTorch(shape, tau_syn=full(-DT / np.log(alpha))[:, None], **held)


def network(graph: Graph) -> Any:
    """Its own network."""
    made = []
    if "left" in graph.nodes:
        raise NotThere("its exporter takes chains of layers")
    for name, node in graph.nodes.items():
        if name in ("input", "output", "sum", "back"):
            continue
        if isinstance(node, Integrating):
            made.append(neurons(graph, name))
        elif isinstance(node, n.Affine):
            bias = None if node.bias is None else tensor(node.bias)
            sizes = (node.weight.shape[1], node.weight.shape[0])
            made.append(rockpool.LinearTorch(sizes, tensor(node.weight.T), bias, has_bias=bias is not None))
        else:
            raise NotThere(f"it has no {node.kind}")
    return rockpool.Sequential(*made)


def export(graph: Graph, x: n.Array, path: Path) -> Any:
    """Its own answers, and its own file; the object where nir.write cannot write it."""
    net = network(graph)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        answers = run(net, x)
        try:
            made = rockpool.to_nir(net)
        except FAILURES as error:
            raise PeerError(f"rockpool to_nir: {error}") from error
    try:
        nir.write(path, made)
    except RuntimeError:
        return answers, made
    return answers


def load(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What its importer makes of a file answers."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            return run(rockpool.from_nir(nir.read(path, type_check=False)), x)
        except FAILURES as error:
            raise PeerError(f"rockpool from_nir: {error}") from error


def run(net: Any, x: n.Array) -> n.Array:
    """[T, B, …] through a network that takes [B, T, …]."""
    answer = net(tensor(np.swapaxes(x, 0, 1)))
    answer = answer[0] if isinstance(answer, tuple) else answer
    return np.swapaxes(answer.detach().numpy(), 0, 1)


def scaled(node: Integrating) -> Integrating:
    """Its currents decay before they are added."""
    if isinstance(node, n.CubaLIF):
        return replace(node, gain=node.alpha)
    return replace(node, gain=node.beta) if isinstance(node, n.LeakyIntegrator) else node


MANNER = Manner(reset="subtract", at_least=True, rule="exact", dt=DT, gain="one", within=(-math.inf, 2), fit=scaled)
PEER = Peer(
    name="Rockpool",
    dialect="rockpool",
    version=version("rockpool"),
    native=MANNER,
    runs=MANNER,
    export=export,
    load=load,
    faults=FAULTS,
)
