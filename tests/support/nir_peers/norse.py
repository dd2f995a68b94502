"""Norse, beside the tests: its own networks out of its exporter, and our files through its importer."""

from __future__ import annotations

import warnings
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nir
import norse.torch as norse
import numpy as np
import torch
from norse.torch.functional.iaf import IAFParameters
from norse.torch.functional.leaky_integrator import LIParameters
from norse.torch.functional.leaky_integrator_box import LIBoxParameters
from norse.torch.functional.lif import LIFParameters
from norse.torch.functional.lif_box import LIFBoxParameters
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from support.nir_peers.cases import Manner
from support.nir_peers.judging import NotThere, Peer, PeerError
from support.nir_peers.norse_faults import FAULTS
from support.nir_peers.torch_layers import Net, layer, tensor
from torch import nn

NAME = "Norse"
DT = 1e-3


def rests(node: Integrating) -> Integrating:
    """v starts at v_leak, as all neurons of Norse do."""
    beta = node.decays[1]
    return node if beta is None else replace(node, v_start=node.bias / (1 - beta))


def cell(node: Integrating, shape: tuple[int, ...]) -> nn.Module:
    """Norse's neuron, every parameter one for each neuron, as its exporter needs them."""

    def full(value: Any) -> torch.Tensor:
        return tensor(np.broadcast_to(np.asarray(value), shape))

    alpha, beta = node.decays
    fire = {"v_th": full(node.threshold), "v_reset": full(node.v_reset)} if isinstance(node, n.Firing) else {}
    if beta is None:
        return norse.IAFCell(IAFParameters(**fire), dt=DT)
    leak = {"tau_mem_inv": full((1 - beta) / DT), "v_leak": full(node.bias / (1 - beta))}
    if alpha is None:
        return norse.LIFBoxCell(LIFBoxParameters(**leak, **fire)) if fire else norse.LIBoxCell(LIBoxParameters(**leak))
    leak["tau_syn_inv"] = full((1 - alpha) / DT)
    return norse.LIFCell(LIFParameters(**leak, **fire)) if fire else norse.LICell(LIParameters(**leak))


def network(graph: Graph) -> Net:
    """Norse's own network."""
    made: dict[str, nn.Module] = {}
    for name, node in graph.nodes.items():
        if name in ("input", "output", "sum", "back"):
            continue
        own = isinstance(node, Integrating)
        made[name] = cell(node, graph.signals[name].shape) if isinstance(node, Integrating) else layer(graph, name)
        if own and "back" in graph.nodes:
            made[name] = norse.RecurrentSequential(made[name], layer(graph, "back"), output_modules=0)
    return Net(made, frozenset(name for name in made if isinstance(graph.nodes[name], Integrating)))


def export(graph: Graph, x: n.Array, path: Path) -> Any:
    """Its own answers, and its own file; the object where nir.write cannot write it."""
    net, state, answers = network(graph), None, []
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        for step in x:
            answer, state = net(tensor(step), state)
            answers.append(answer.numpy())
        try:
            batch = (1,) if "flatten" in graph.nodes else ()
            made = norse.to_nir(network(graph), torch.zeros(*batch, *x.shape[2:]))
        except (AttributeError, KeyError, ValueError, RuntimeError) as error:
            raise PeerError(f"norse.torch.to_nir: {error}") from error
    missing = [name for name, node in made.nodes.items() if node is None]
    if missing:
        kinds = {type(net.get_submodule(name)).__name__ for name in missing}
        raise NotThere(f"its exporter knows no {', '.join(sorted(kinds))}")
    try:
        nir.write(path, made)
    except TypeError:
        return np.stack(answers), made
    return np.stack(answers)


def load(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What its importer makes of a file answers."""
    state, answers = None, []
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            net = norse.from_nir(nir.read(path, type_check=False), dt=graph.dt)
            for step in x:
                answer, state = net(tensor(step), state)
                answers.append(answer.numpy())
        except (AttributeError, KeyError, ValueError, RuntimeError, TypeError) as error:
            raise PeerError(f"norse.torch.from_nir: {error}") from error
    return np.stack(answers)


PEER = Peer(
    name=NAME,
    dialect="norse",
    version=version("norse"),
    native=Manner(gain="membrane", dt=DT, fit=rests),
    runs=Manner(gain="leak", dt=DT, fit=rests),
    export=export,
    load=load,
    reading={"dt": DT},
    faults=FAULTS,
)
