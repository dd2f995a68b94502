"""What is wrong in Rockpool 3.1.0: the smallest example of each fault, with Rockpool alone.

Every example is a function that is true while the fault is there.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nir
import numpy as np
import torch
from support.nir_peers.hiding import without
from support.nir_peers.judging import Fault

with without("jax"), warnings.catch_warnings():  # Rockpool imports what it finds, and JAX warns of every later fork
    warnings.simplefilter("ignore")  # its docstrings hold invalid escapes
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules.torch import ExpSynTorch, LIFNeuronTorch, LIFTorch, LinearTorch
    from rockpool.nn.modules.torch.nir import from_nir, to_nir

rockpool = SimpleNamespace(
    Sequential=Sequential,
    ExpSynTorch=ExpSynTorch,
    LIFNeuronTorch=LIFNeuronTorch,
    LIFTorch=LIFTorch,
    LinearTorch=LinearTorch,
    from_nir=from_nir,
    to_nir=to_nir,
)
"""What the tests need of it."""


def full(value: float, *shape: int) -> Any:
    """One value in float32."""
    return np.full(shape or (2,), value, np.float32)


def exported(*modules: Any) -> nir.NIRGraph:
    """What to_nir makes of them behind each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return to_nir(Sequential(LinearTorch((2, 2), torch.eye(2)), *modules))


def answers(*nodes: nir.NIRNode, x: Any) -> list[float]:
    """What the first of two neurons answers, step by step, in the network that from_nir makes."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        sent = from_nir(nir.NIRGraph.from_list(*nodes, type_check=False))(torch.as_tensor(x)[None])
    out = sent[0] if isinstance(sent, tuple) else sent
    return [round(float(value), 5) for value in out[0, :, 0]]


def fails(kind: type[Exception], *nodes: nir.NIRNode) -> bool:
    """Whether from_nir, or its network, raises that."""
    try:
        answers(*nodes, x=full(1, 1, 2))
    except kind:
        return True
    return False


def identity() -> nir.Linear:
    """What comes in."""
    return nir.Linear(np.eye(2, dtype=np.float32))


def cuba(**fields: Any) -> nir.CubaLIF:
    """10 ms and 20 ms, in a step of 1 ms in its importer's reading, and a threshold of 1."""
    given = {"tau_syn": full(0.01), "tau_mem": full(0.02), "r": full(19), "v_leak": full(0), "v_threshold": full(1)}
    return nir.CubaLIF(**{**given, **fields})


def lif() -> bool:
    """Its own LIFNeuronTorch, exported, cannot be read again."""
    return fails(AttributeError, *list(exported(LIFNeuronTorch((2,))).nodes.values())[1:-1])


def step() -> bool:
    """A step of 1 ms with a τ of 3 ms is 0.96 ms in the file that it reads again."""
    node = exported(LIFTorch((2,), tau_mem=torch.full((2,), 3e-3), dt=1e-3)).nodes["1_LIFTorch"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = from_nir(nir.NIRGraph.from_list(identity(), node, type_check=False))
    found = next(each.dt for each in module.modules() if isinstance(each, LIFTorch))
    return abs(found - 0.96e-3) < 0.01e-3


def bias() -> bool:
    """A bias of 1 is exported as v_leak = 0."""
    node = exported(LIFTorch((2,), bias=torch.ones(2))).nodes["1_LIFTorch"]
    return not np.asarray(node.v_leak).any()


def leak() -> bool:
    """v_leak = 0.52 is added in every step, where the paper's equation adds 0.026: a spike after two steps."""
    return answers(identity(), cuba(v_leak=full(0.52)), x=full(0, 2, 2)) == [0.0, 1.0]


def recurrent() -> bool:
    """Recurrent weights are not written."""
    graph = exported(LIFTorch((2,), has_rec=True))
    return sorted(type(node).__name__ for node in graph.nodes.values()) == ["CubaLIF", "Input", "Linear", "Output"]


def w_in() -> bool:
    """Twice the w_in, the same answers."""
    x = full(0.4, 8, 2)
    return answers(identity(), cuba(), x=x) == answers(identity(), cuba(w_in=full(2)), x=x)


def several() -> bool:
    """A CubaLIF of NIR sends one spike in a step; the imported one two at v = 2.7."""
    return answers(identity(), cuba(), x=full(3, 1, 2)) == [2.0]


def whole() -> bool:
    """An LI with τ = 20 ms holds nothing from step to step: its τ is cut to 0."""
    return answers(identity(), nir.LI(full(0.02), full(19), full(0)), x=full(1, 2, 2)) == [0.0, 0.0]


def single() -> bool:
    """An LI of one neuron cannot be read."""
    node = nir.LI(full(20, 1), full(19, 1), full(0, 1))
    return fails(AttributeError, nir.Linear(full(1, 1, 2)), node)


def tensors() -> bool:
    """The τ of an exported ExpSynTorch is a parameter to be trained, which nir.write cannot write."""
    graph = exported(ExpSynTorch((2,)))
    with tempfile.TemporaryDirectory() as folder:
        try:
            nir.write(Path(folder) / "net.nir", graph)
        except RuntimeError:
            return True
    return False


def input_shape() -> bool:
    """What to_nir makes cannot be read by nir.read: its input has the batch as an axis."""
    graph = exported(LIFTorch((2,)))
    with tempfile.TemporaryDirectory() as folder:
        nir.write(Path(folder) / "net.nir", graph)
        try:
            nir.read(Path(folder) / "net.nir")
        except ValueError:
            return True
    return False


FAULTS = (
    Fault(
        "rockpool-lif",
        "from_nir reads tau_mem of a LIF, which has none, so that what to_nir makes of LIFNeuronTorch cannot be read",
        lif,
        around="a LIF is written as a CubaLIF whose current is gone after a step",
    ),
    Fault(
        "rockpool-dt",
        "to_nir writes r = τ·exp(−dt/τ)/dt, and from_nir takes dt to be τ/(1 + r), which is another number",
        step,
        around="dt of its files is worked out from what to_nir does; files for it have r = τ/dt − 1",
    ),
    Fault(
        "rockpool-bias",
        "to_nir drops the bias of neurons",
        bias,
        frozenset({("LIF dense, v_leak", "in")}),
    ),
    Fault(
        "rockpool-v-leak",
        "from_nir adds v_leak in each step, instead of (1 − β)·v_leak",
        leak,
        around="v_leak of a file for it is what has to be added in a step",
    ),
    Fault(
        "rockpool-recurrent",
        "to_nir drops recurrent weights",
        recurrent,
        frozenset({("CubaLIF recurrent", "in")}),
    ),
    Fault("rockpool-w-in", "from_nir does not look at w_in", w_in, around="voltages are scaled so that w_in is 1"),
    Fault(
        "rockpool-several-spikes",
        "from_nir makes neurons that send ⌊v/θ⌋ spikes in a step",
        several,
        around="a remark; `layer.max_spikes_per_dt = torch.tensor(1.0)` mends it",
    ),
    Fault(
        "rockpool-whole-tau",
        "from_nir cuts the τ of an LI to a whole number of seconds",
        whole,
        around="its τ and step are written in a unit of time in which τ is whole",
    ),
    Fault("rockpool-one-li", "from_nir fails for an LI of one neuron", single, around="it is refused"),
    Fault(
        "rockpool-li-tau",
        "to_nir leaves the τ of an ExpSynTorch a parameter to be trained, which nir.write cannot write",
        tensors,
        around="the object can be read: from_nir",
    ),
    Fault(
        "rockpool-input",
        "to_nir counts the batch in the shape of the input, which nir.read refuses",
        input_shape,
        around="the shape is taken from the layer behind it",
    ),
)
