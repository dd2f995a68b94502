"""snnTorch, beside the tests: its own networks out of its exporter, and our files through its importer."""

from __future__ import annotations

import contextlib
import io
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nir
import numpy as np
import snntorch
import torch
from snntorch.export_nir import export_to_nir
from snntorch.import_nir import import_from_nir
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from support.nir_peers.cases import Manner
from support.nir_peers.judging import NotThere, Peer, PeerError
from support.nir_peers.snntorch_faults import FAULTS
from support.nir_peers.torch_layers import Net, layer, tensor
from torch import nn

DT = 1e-4
FAILS = (AttributeError, AssertionError, KeyError, ValueError, RuntimeError, TypeError, IndexError)


def neuron(node: Integrating, shape: tuple[int, ...], back: nn.Module | None) -> nn.Module:
    """snnTorch's neuron, every parameter one for each neuron, as its exporter needs them."""
    if not isinstance(node, n.Firing):
        raise NotThere("it has no integrators that do not spike")
    if node.bias.any():
        raise NotThere("its neurons leak to 0")

    def full(value: Any) -> torch.Tensor:
        return tensor(np.broadcast_to(np.asarray(value), shape))

    alpha, beta = node.decays
    given: dict[str, Any] = {"beta": full(1.0 if beta is None else beta), "threshold": full(node.threshold)}
    given |= {"init_hidden": True} if alpha is None else {"init_hidden": True, "alpha": full(alpha)}
    if back is None:
        return snntorch.Leaky(**given) if alpha is None else snntorch.Synaptic(**given)
    kind = snntorch.RLeaky if alpha is None else snntorch.RSynaptic
    made = kind(**given, linear_features=shape[0])
    made.recurrent = back
    return made


def network(graph: Graph) -> Net:
    """snnTorch's own network."""
    made: dict[str, nn.Module] = {}
    back = layer(graph, "back") if "back" in graph.nodes else None
    for name, node in graph.nodes.items():
        if name in ("input", "output", "sum", "back"):
            continue
        own = isinstance(node, Integrating)
        made[name] = neuron(node, graph.signals[name].shape, back) if own else layer(graph, name)
    return Net(made)


def export(graph: Graph, x: n.Array, path: Path) -> Any:
    """Its own answers, and its own file."""
    said = io.StringIO()
    with warnings.catch_warnings(), torch.no_grad(), contextlib.redirect_stdout(said):
        warnings.simplefilter("ignore")
        net = network(graph)
        answers = [net(tensor(step)).numpy() for step in x]
        try:
            made = export_to_nir(network(graph), torch.zeros(1, *x.shape[2:]), ignore_dims=[0])
            nir.write(path, made)
        except FAILS as error:
            if "module not implemented" in said.getvalue():
                raise NotThere(f"its exporter says {said.getvalue().splitlines()[0]}") from None
            raise PeerError(f"export_to_nir: {error}") from error
    return np.stack(answers)


def load(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What its importer makes of a file answers."""
    state, answers = None, []
    with warnings.catch_warnings(), torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            net = import_from_nir(nir.read(path, type_check=False))
            for step in x:
                answer, state = net(tensor(step), state)
                answers.append(answer.numpy())
        except FAILS as error:
            raise PeerError(f"import_from_nir: {error}") from error
    return np.stack(answers)


PEER = Peer(
    name="snnTorch",
    dialect="snntorch",
    version=version("snntorch"),
    native=Manner(reset="subtract", when="next", gain="one", rule="euler", dt=DT),
    runs=Manner(gain="one", rule="euler", dt=DT),
    export=export,
    load=load,
    faults=FAULTS,
)
