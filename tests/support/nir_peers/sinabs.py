"""sinabs, beside the tests: its own networks out of its exporter, and our files through its importer."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nir
import numpy as np
import sinabs.layers as sl
import torch
from sinabs.nir import from_nir, to_nir
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from support.nir_peers.cases import Manner
from support.nir_peers.judging import NotThere, Peer, PeerError
from support.nir_peers.sinabs_faults import FAULTS
from support.nir_peers.torch_layers import layer, tensor
from torch import nn


def scaled(node: Integrating) -> Integrating:
    """Its ExpLeak scales nothing unless told to, and its current decays before it is added."""
    if isinstance(node, n.LeakyIntegrator):
        return replace(node, gain=1.0)
    return replace(node, gain=node.gain * node.alpha) if isinstance(node, n.CubaLIF) else node


FAILURES = (AttributeError, KeyError, TypeError, ValueError, RuntimeError, NotImplementedError)


def neurons(node: Integrating, shape: tuple[int, ...], batch: int) -> nn.Module:
    """Its own layer of neurons, every parameter one for each neuron, with norm_input where the graph has that gain."""

    def full(value: Any) -> torch.Tensor:
        return tensor(np.broadcast_to(np.asarray(value), shape))

    if node.bias.any():
        raise NotThere("its neurons leak to 0")
    fire = {"spike_threshold": full(node.threshold)} if isinstance(node, n.Firing) else {}
    alpha, beta = node.decays
    if beta is None:
        return sl.IAFSqueeze(batch_size=batch, **fire)
    held = {"batch_size": batch, "tau_mem": full(-1 / np.log(beta)), "norm_input": bool((node.gain != 1).all())}
    if alpha is not None and not fire:
        raise NotThere("its ExpLeak has no current")
    if alpha is not None:
        held["tau_syn"] = full(-1 / np.log(alpha))
    return sl.LIFSqueeze(**held, **fire) if fire else sl.ExpLeakSqueeze(**held)


def network(graph: Graph, batch: int) -> nn.Module:
    """Its own network."""
    if "back" in graph.nodes:
        raise NotThere("its exporter knows no LIFRecurrent")
    if "sum" in graph.nodes:
        raise NotThere("its networks are chains of layers")
    made: list[nn.Module] = []
    for name, node in graph.nodes.items():
        if name in ("input", "output"):
            continue
        if isinstance(node, Integrating):
            made.append(neurons(node, graph.signals[name].shape, batch))
        else:
            made.append(sl.SumPool2d(node.window, node.stride) if isinstance(node, n.SumPool) else layer(graph, name))
    return nn.Sequential(*made)


def export(graph: Graph, x: n.Array, path: Path) -> Any:
    """Its own answers, and its own file; the object where nir.write cannot write it."""
    net = network(graph, x.shape[1])
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        answers = run(net, x)
        try:
            made = to_nir(net, squeezed(x))
        except NotImplementedError as error:
            raise NotThere(f"its exporter: {error}") from error
        except FAILURES as error:
            raise PeerError(f"sinabs.to_nir: {error}") from error
    try:
        nir.write(path, made)
    except TypeError:
        return answers, made
    return answers


def load(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What its importer makes of a file answers."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            return run(from_nir(nir.read(path, type_check=False), batch_size=x.shape[1]), x)
        except FAILURES as error:
            raise PeerError(f"sinabs.from_nir: {error}") from error


def squeezed(x: n.Array) -> torch.Tensor:
    """[T, B, …] as [B·T, …], which its layers take."""
    return tensor(np.swapaxes(x, 0, 1)).flatten(0, 1)


def run(net: nn.Module, x: n.Array) -> n.Array:
    """[T, B, …] through a network of squeezing layers."""
    answer = net(squeezed(x))
    answer = answer[0] if isinstance(answer, tuple) else answer
    return np.swapaxes(answer.detach().unflatten(0, (x.shape[1], x.shape[0])).numpy(), 0, 1)


PEER = Peer(
    name="sinabs",
    dialect="sinabs",
    version=version("sinabs"),
    native=Manner(
        reset="subtract", at_least=True, rule="exact", dt=1.0, gain="membrane", within=(-math.inf, 2), fit=scaled
    ),
    runs=Manner(
        reset="subtract",
        at_least=True,
        rule="exact",
        dt=1.0,
        gain="one",
        within=(-1, 2),
        mean=0.5,
        drives=(0.1, 0.2, 0.3, 0.5),
    ),
    export=export,
    load=load,
    faults=FAULTS,
)
