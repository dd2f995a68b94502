"""What is wrong in sinabs 3.1.3: the smallest example of each fault, with sinabs alone.

Every example is a function that is true while the fault is there.
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path
from typing import Any

import nir
import numpy as np
import sinabs.layers as sl
import torch
from sinabs.nir import from_nir, to_nir
from support.nir_peers.judging import Fault
from torch import nn


def full(value: float, *shape: int) -> Any:
    """One value in float32."""
    return np.full(shape or (1,), value, np.float32)


def exported(*layers: nn.Module, x: torch.Tensor | None = None) -> nir.NIRGraph:
    """What to_nir makes of them behind each other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return to_nir(nn.Sequential(*layers), torch.ones(2, 1) if x is None else x)


def layer(**fields: Any) -> sl.LIFSqueeze:
    """One neuron, its parameters with an axis."""
    return sl.LIFSqueeze(batch_size=1, tau_mem=torch.full((1,), 5.0), spike_threshold=torch.ones(1), **fields)


def answers(*nodes: nir.NIRNode, x: Any) -> list[float]:
    """What comes out, step by step, of the network that from_nir makes."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        sent = from_nir(nir.NIRGraph.from_list(*nodes, type_check=False), batch_size=1)(torch.as_tensor(x))
    out = sent[0] if isinstance(sent, tuple) else sent
    return [float(value) for value in out.flatten()]


def fails(kind: type[Exception], *nodes: nir.NIRNode, x: Any) -> bool:
    """Whether from_nir, or its network, raises that."""
    try:
        answers(*nodes, x=x)
    except kind:
        return True
    return False


def lif(*shape: int, **fields: Any) -> nir.LIF:
    """τ of five steps, threshold 1."""
    given = {"tau": full(5, *shape), "r": full(1, *shape), "v_leak": full(0, *shape), "v_threshold": full(1, *shape)}
    return nir.LIF(**{**given, **fields})


def conv(weight: Any, groups: int = 1) -> nir.Conv2d:
    """A convolution without padding."""
    return nir.Conv2d((2, 2), weight, (1, 1), (0, 0), (1, 1), groups, np.zeros(len(weight), np.float32))


def current() -> bool:
    """A LIF with tau_syn is exported as one without."""
    node = exported(layer(tau_syn=torch.full((1,), 3.0))).nodes["0"]
    return isinstance(node, nir.LIF) and float(node.r) == 1.0


def input_scale() -> bool:
    """With and without norm_input, which is a factor of 1 − α, the same file."""
    scaled, plain = (exported(layer(norm_input=norm)).nodes["0"] for norm in (True, False))
    return all(float(getattr(scaled, name)) == float(getattr(plain, name)) for name in ("tau", "r", "v_threshold"))


def r_ignored() -> bool:
    """Twice the r, the same answers."""
    x = full(0.4, 8, 1)
    return answers(lif(), x=x) == answers(lif(r=full(2)), x=x)


def no_reset_value() -> bool:
    """A LIF of NIR resets to v_reset = 0; the imported one keeps what is above the threshold: 1.5, then 0.5·α + 0.6."""
    return answers(lif(), x=np.array([[1.5], [0.6]], np.float32)) == [1.0, 1.0]


def several() -> bool:
    """An IF of NIR sends one spike in a step; the imported one two at v = 2.5."""
    return answers(nir.IF(full(1), full(1)), x=full(2.5, 1, 1)) == [2.0]


def floor() -> bool:
    """−3, then 2.5: −0.5 for NIR's IF, and 1.5 and a spike for the imported one, which stays at −1."""
    return answers(nir.IF(full(1), full(1)), x=np.array([[-3.0], [2.5]], np.float32)) == [0.0, 1.0]


def shaped() -> bool:
    """A LIF behind a convolution cannot be read."""
    return fails(ValueError, conv(full(1, 1, 1, 1, 1)), lif(1, 2, 2), x=full(1, 1, 1, 2, 2))


def linear() -> bool:
    """A Linear of 3 is left out."""
    return answers(nir.Linear(full(3, 1, 1)), nir.LI(full(5), full(1), full(0)), x=full(1, 1, 1)) == [1.0]


def cuba() -> bool:
    """A CubaLIF is left out: what comes in goes out."""
    fields = ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold")
    neuron = nir.CubaLIF(**{name: full(1) for name in fields})
    return answers(nir.Affine(full(1, 1, 1), full(0)), neuron, x=full(0.25, 1, 1)) == [0.25]


def conv1d() -> bool:
    """A Conv1d cannot be read: its importer wants tensors."""
    node = nir.Conv1d(2, full(1, 1, 1, 1), 1, 0, 1, 1, full(0))
    return fails(AttributeError, node, x=full(1, 1, 1, 2))


def grouped() -> bool:
    """A convolution of two groups of one channel cannot be made."""
    return fails(
        ValueError,
        conv(full(1, 2, 1, 1, 1), groups=2),
        nir.IF(full(1, 2, 2, 2), full(1, 2, 2, 2)),
        x=full(1, 1, 2, 2, 2),
    )


def pool_padding() -> bool:
    """A pool of 2 × 2 with a padding of 1 over 2 × 2 has 2 × 2 places; the imported one has one."""
    pool = nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([1, 1]))
    neurons = nir.LI(full(5, 1), full(1, 1), full(0, 1))
    return len(answers(pool, neurons, x=full(1, 1, 1, 2, 2))) == 1


def unwritable(graph: nir.NIRGraph) -> bool:
    """Whether nir.write cannot write it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            nir.write(Path(folder) / "net.nir", graph)
        except TypeError:
            return True
    return False


def scalars() -> bool:
    """LIF(tau_mem=5.0), as in its documentation, cannot be written."""
    return unwritable(exported(nn.Linear(1, 1), sl.LIFSqueeze(batch_size=1, tau_mem=5.0)))


def flatten() -> bool:
    """A Flatten cannot be written: it has no input_type."""
    return unwritable(exported(nn.Flatten(), nn.Linear(1, 1), x=torch.ones(2, 1, 1)))


def branch() -> bool:
    """x + 3·x is 3·x: the sum is run before its second branch is there, or without it."""
    layers = {name: nir.Affine(full(value, 1, 1), full(0)) for name, value in (("one", 1), ("three", 3))}
    nodes = {"input": nir.Input(np.array([1])), **layers, "sum": nir.LI(full(5), full(1), full(0))}
    edges = [("input", "one"), ("input", "three"), ("one", "sum"), ("three", "sum"), ("sum", "output")]
    graph = nir.NIRGraph({**nodes, "output": nir.Output(np.array([1]))}, edges, type_check=False)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return float(from_nir(graph, batch_size=1)(torch.ones(1, 1))[0]) != 4.0


CUBA = ("CubaLIF dense", "CubaLIF dense without bias", "CubaLIF dense, each its own", "CubaLIF conv")
FAULTS = (
    Fault(
        "sinabs-tau-syn",
        "to_nir writes a LIF with a synaptic current as one without",
        current,
        frozenset((name, "in") for name in CUBA),
    ),
    Fault(
        "sinabs-norm-input",
        "to_nir writes LIF(norm_input=True), the default, and norm_input=False alike, and from_nir makes the second",
        input_scale,
        around="a file of sinabs is read with norm_input=True; files for sinabs have weights for norm_input=False",
    ),
    Fault(
        "sinabs-r",
        "from_nir does not look at the r of a LIF",
        r_ignored,
        around="voltages are scaled so that r is 1",
    ),
    Fault(
        "sinabs-reset",
        "from_nir makes neurons that reset by subtraction, whatever v_reset is",
        no_reset_value,
        around="networks that reset to a value are refused",
    ),
    Fault(
        "sinabs-several-spikes",
        "from_nir makes neurons that send ⌊v/θ⌋ spikes in a step",
        several,
        around="a remark, unless the weights exclude it; `layer.spike_fn = sinabs.activation.SingleSpike` mends it",
    ),
    Fault(
        "sinabs-floor",
        "from_nir makes of an IF a neuron whose potential never falls below −θ",
        floor,
        around="a remark, unless the weights exclude it; `layer.min_v_mem = None` mends it",
    ),
    Fault(
        "sinabs-shaped-lif",
        "from_nir asks any(v_leak) of a LIF or LI, which numpy refuses for more than one axis",
        shaped,
        around="their parameters are written with one place for each channel",
    ),
    Fault("sinabs-linear", "from_nir leaves Linear out", linear, around="Linear is written as Affine with a bias of 0"),
    Fault("sinabs-cubalif", "from_nir leaves CubaLIF out", cuba, around="networks with a current are refused"),
    Fault("sinabs-conv1d", "from_nir fails for every Conv1d", conv1d, around="Conv1d is refused"),
    Fault(
        "sinabs-groups",
        "from_nir takes the channels of one group for those of all",
        grouped,
        around="groups are written out, with zeros between them",
    ),
    Fault("sinabs-pool-padding", "from_nir drops the padding of a SumPool2d", pool_padding, around="it is refused"),
    Fault(
        "sinabs-scalars",
        "to_nir makes parameters without axes of LIF(tau_mem=5.0), which nir.write cannot write",
        scalars,
        around="the object can be read: from_nir",
    ),
    Fault(
        "sinabs-flatten",
        "to_nir makes a Flatten without input_type, which nir.write cannot write",
        flatten,
        around="the object can be read: from_nir",
    ),
    Fault(
        "nirtorch-branches",
        "nirtorch.load, with which sinabs and Rockpool import, runs a sum before all its terms are there",
        branch,
        around="networks with branches are refused",
    ),
)
