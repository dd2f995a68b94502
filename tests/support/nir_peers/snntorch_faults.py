"""What is wrong in snnTorch 1.0 (and nirtorch 2.6 under it): the smallest example of each fault, with them alone.

Every example is a function that is true while the fault is there.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from itertools import pairwise
from typing import Any

import nir
import numpy as np
import snntorch
import torch
from snntorch.export_nir import export_to_nir
from snntorch.import_nir import import_from_nir
from support.nir_peers.judging import Fault
from support.nir_peers.nir_faults import conv_shapes, sums
from torch import nn

DT = 1e-4


def ones(*shape: int) -> Any:
    """Ones in float32."""
    return np.ones(shape, np.float32)


def exported(*layers: nn.Module, shape: tuple[int, ...] = (1,)) -> nir.NIRGraph:
    """What export_to_nir makes of layers in a row."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return export_to_nir(nn.Sequential(*layers), torch.zeros(1, *shape), ignore_dims=[0])


def imported(graph: nir.NIRGraph) -> nn.Module:
    """What import_from_nir makes of it."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return import_from_nir(graph)


def fails(kind: type[Exception], call: Any, *arguments: Any) -> bool:
    """Whether the call raises that."""
    try:
        call(*arguments)
    except kind:
        return True
    return False


def chained(*nodes: nir.NIRNode, shape: tuple[int, ...] = (1,), out: tuple[int, ...] = (1,)) -> nir.NIRGraph:
    """Input → the nodes → Output."""
    names = [f"n{index}" for index in range(len(nodes))]
    inner = dict(zip(names, nodes, strict=True))
    held = {"input": nir.Input(np.array(shape)), **inner, "output": nir.Output(np.array(out))}
    return nir.NIRGraph(held, list(pairwise(["input", *names, "output"])), type_check=False)


def lif(size: int = 1, *, beta: float = 0.5) -> nir.LIF:
    """A LIF as snnTorch has them: gain 1."""
    tau = DT / (1 - beta) * ones(size)
    return nir.LIF(tau, tau / DT, 0 * ones(size), ones(size), 0 * ones(size))


def leaky(**given: Any) -> nn.Module:
    """A Leaky whose parameters are arrays, as its exporter needs them."""
    return snntorch.Leaky(**{"beta": torch.full((1,), 0.5), "threshold": torch.ones(1), "init_hidden": True, **given})


def if_leaks() -> bool:
    """An IF is imported as a Leaky with β = 0.9."""
    made = imported(chained(nir.IF(ones(1), ones(1), 0 * ones(1))))
    return bool(np.isclose(float(made.n0.beta), 0.9))


def numbers_not_exported() -> bool:
    """Leaky(beta=0.9), as everybody writes it, cannot be exported."""
    return fails(ValueError, exported, nn.Linear(1, 1), snntorch.Leaky(beta=0.9, init_hidden=True))


def reset_not_said() -> bool:
    """A Leaky that resets by subtraction comes back as one that resets to 0."""
    graph = exported(nn.Linear(1, 1), leaky(reset_mechanism="subtract"))
    back = imported(graph).get_submodule("1")
    return back.reset_mechanism == "zero"


def endless_not_exported() -> bool:
    """β = 1 is exported as τ = ∞."""
    graph = exported(nn.Linear(1, 1), leaky(beta=torch.ones(1)))
    return bool(np.isinf(graph.nodes["1"].tau).all())


def groups_not_imported() -> bool:
    """A convolution with two groups cannot be imported."""
    conv = nir.Conv2d((2, 2), ones(2, 1, 1, 1), 1, 0, 1, 2, ones(2))
    return fails(ValueError, imported, chained(conv, shape=(2, 2, 2), out=(2, 2, 2)))


def batch_flattened() -> bool:
    """Its exporter takes the batch away from Flatten's axes, its importer does not put it back."""
    graph = exported(nn.Flatten(), nn.Linear(4, 1), shape=(2, 2))
    return fails(RuntimeError, imported(graph), torch.zeros(2, 2, 2))


def padding_not_exported() -> bool:
    """The padding of an average pool is exported as 0."""
    graph = exported(nn.AvgPool2d(2, stride=4, padding=1), nn.Flatten(), nn.Linear(1, 1), shape=(1, 3, 3))
    return tuple(graph.nodes["0"].padding) == (0, 0)


def loop(*, order: tuple[str, ...], bias: float = 0.0) -> nir.NIRGraph:
    """A recurrent layer as a node that is a graph, with the nodes in this order."""
    inner = {"input": nir.Input(np.array([1])), "lif": lif(), "w": nir.Affine(ones(1, 1), bias * ones(1))}
    inner["output"] = nir.Output(np.array([1]))
    edges = [("input", "lif"), ("lif", "w"), ("w", "lif"), ("lif", "output")]
    nodes = {
        "input": nir.Input(np.array([1])),
        "dense": nir.Linear(ones(1, 1)),
        "loop": nir.NIRGraph(inner, edges, type_check=False),
        "output": nir.Output(np.array([1])),
    }
    outer = [("input", "dense"), ("dense", "loop"), ("loop", "output")]
    return nir.NIRGraph({name: nodes[name] for name in order}, outer, type_check=False)


def loop_through_weights() -> bool:
    """A recurrent layer of its own comes back with its input led through the recurrent weights."""
    graph = exported(nn.Linear(1, 1), snntorch.RLeaky(beta=torch.full((1,), 0.5), linear_features=1, init_hidden=True))
    with contextlib.redirect_stdout(io.StringIO()):
        import_from_nir(graph)
    sub = next(node for node in graph.nodes.values() if isinstance(node, nir.NIRGraph))
    return any(a.endswith(".input") and b.endswith(".w_rec") for a, b in sub.edges)


def order_of_nodes() -> bool:
    """A node that is a graph cannot be imported where it stands before what it reads."""
    good = loop(order=("input", "dense", "loop", "output"))
    bad = loop(order=("input", "loop", "dense", "output"))
    return not fails(AttributeError, imported, good) and fails(AttributeError, imported, bad)


def loop_bias_late() -> bool:
    """The bias of a layer that closes a loop is not there in the first step."""
    made = imported(loop(order=("input", "dense", "loop", "output"), bias=2.0))
    with torch.no_grad():
        first, _ = made(torch.zeros(1, 1))
    return float(first) == 0.0


FAULTS: tuple[Fault, ...] = (
    Fault(
        "snntorch-if-leaks",
        "import_from_nir makes of every IF a Leaky with β = 0.9",
        if_leaks,
        around="an IF is written as a LIF whose time constant is 2^60 steps",
    ),
    Fault(
        "snntorch-numbers",
        "export_to_nir fails on neurons whose parameters are numbers, which is how they are mostly made",
        numbers_not_exported,
        around="give every neuron its own: beta=torch.full((size,), 0.9), threshold=torch.ones(size)",
    ),
    Fault(
        "snntorch-reset-not-said",
        "the file does not say how a neuron resets: by subtraction a step late when exported, to 0 when imported",
        reset_not_said,
        around="read as its default; --reset value for networks made with reset_mechanism='zero'",
    ),
    Fault(
        "snntorch-endless",
        "export_to_nir writes β = 1 as τ = ∞",
        endless_not_exported,
        around="repaired when it is read",
    ),
    Fault(
        "snntorch-groups",
        "import_from_nir fails on a convolution with groups",
        groups_not_imported,
        around="groups are written out, with zeros between them",
    ),
    Fault(
        "snntorch-flatten-batch",
        "import_from_nir hands Flatten's axes to torch, which counts the batch among them; export_to_nir takes it away",
        batch_flattened,
        around="written with the batch counted; such a file needs nir.read(…, type_check=False)",
    ),
    Fault(
        "snntorch-pool-padding",
        "export_to_nir writes every average pool with padding 0",
        padding_not_exported,
    ),
    Fault(
        "snntorch-loop-through-weights",
        "import_from_nir leads the input of a recurrent layer of its own through the recurrent weights",
        loop_through_weights,
        around="a recurrent layer is written as a node that is a graph",
    ),
    Fault(
        "nirtorch-order",
        "nir_to_torch fails on a node that is a graph where it stands before what it reads",
        order_of_nodes,
        around="nodes are written, and kept, in an order in which they can run",
    ),
    Fault(
        "nirtorch-first-step",
        "a loop adds nothing in the first step, not even the bias of the layer that closes it",
        loop_bias_late,
        around="that bias is moved into the layer beside it",
    ),
    sums(("LIF behind two branches", "in")),
    conv_shapes(("LIF conv, strided", "in")),
)
