"""What is wrong in Norse 1.1 and nirtorch 2.6: the smallest example of each fault, with them alone.

Every example is a function that is true while the fault is there.
"""

from __future__ import annotations

import tempfile
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import norse.torch as norse
import numpy as np
import torch
from norse.torch.functional.lif import LIFParameters
from norse.torch.functional.lif_box import LIFBoxParameters
from support.nir_peers.judging import Fault
from support.nir_peers.nir_faults import sums
from torch import nn


def ones(*shape: int) -> Any:
    """Ones in float32."""
    return np.ones(shape, np.float32)


def exported(net: nn.Module, x: torch.Tensor) -> nir.NIRGraph:
    """What to_nir makes of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return norse.to_nir(net, x)


def imported(graph: nir.NIRGraph) -> nn.Module:
    """What from_nir makes of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return norse.from_nir(graph).requires_grad_(False)


def fails(kind: type[Exception], call: Any, *arguments: Any) -> bool:
    """Whether the call raises that."""
    try:
        call(*arguments)
    except kind:
        return True
    return False


def chained(*nodes: nir.NIRNode, shape: tuple[int, ...] = (1,), out: tuple[int, ...] = (1,)) -> nir.NIRGraph:
    """Input → the nodes → Output."""
    names = [str(index) for index in range(len(nodes))]
    held = {
        "input": nir.Input(np.array(shape)),
        **dict(zip(names, nodes, strict=True)),
        "output": nir.Output(np.array(out)),
    }
    line = ["input", *names, "output"]
    return nir.NIRGraph(held, list(pairwise(line)), type_check=False)


def lif(**fields: Any) -> nir.LIF:
    """τ of two steps, threshold 1."""
    given = {"tau": ones(1) * 2e-3, "r": ones(1), "v_leak": 0 * ones(1), "v_threshold": ones(1), **fields}
    return nir.LIF(**given)


def _box() -> nn.Module:
    return norse.LIFBoxCell(LIFBoxParameters(torch.full((1,), 100.0), torch.zeros(1), torch.ones(1), torch.zeros(1)))


def time_constants() -> bool:
    """A membrane of 10 ms is exported as 10 µs."""
    graph = exported(norse.SequentialState(nn.Linear(1, 1), _box()), torch.zeros(1))
    return bool(np.allclose(np.asarray(graph.nodes["1"].tau), 1e-5))


def jump() -> bool:
    """In LIFCell the current jumps by x; what comes back adds dt/τ_syn of it."""
    p = LIFParameters(torch.full((1,), 200.0), torch.full((1,), 100.0), torch.zeros(1), torch.ones(1), torch.zeros(1))
    made = nir.CubaLIF(tau_syn=ones(1) / 200, tau_mem=ones(1) / 100, r=ones(1), v_leak=0 * ones(1), v_threshold=ones(1))
    with torch.no_grad():
        _, own = norse.LIFCell(p)(torch.full((1,), 2.0))
        _, other = imported(chained(made))(torch.full((1,), 2.0))
    return not np.isclose(float(own.v), float(other.state["0"][0][1].v))


def reset_not_written() -> bool:
    """v_reset = −0.5 is exported as 0."""
    one = torch.ones(1)
    cell = norse.LIFBoxCell(LIFBoxParameters(100 * one, 0 * one, one, -0.5 * one))
    return float(exported(norse.SequentialState(nn.Linear(1, 1), cell), torch.zeros(1)).nodes["1"].v_reset[0]) == 0


def reset_not_read() -> bool:
    """v_reset = −0.5 is imported as 0."""
    made = imported(chained(lif(v_reset=-0.5 * ones(1))))
    return float(made.get_submodule("0").p.v_reset) == 0


def resistance_not_read() -> bool:
    """r = 2 lets x reach v as r = 1 does."""
    with torch.no_grad():
        _, twice = imported(chained(lif(r=2 * ones(1))))(torch.full((1,), 0.5))
        _, once = imported(chained(lif()))(torch.full((1,), 0.5))
    return float(twice.state["0"][0].v) == float(once.state["0"][0].v)


def step_not_used() -> bool:
    """An IF with r = 1 moves by x, where dv/dt = r·x says dt·x."""
    made = imported(chained(nir.IF(r=ones(1), v_threshold=ones(1))))
    with torch.no_grad():
        _, after = made(torch.full((1,), 0.5))
    return float(after.state["0"][0].v) == 0.5


def conv_without_bias() -> bool:
    """A convolution without a bias cannot be exported."""
    net = norse.SequentialState(nn.Conv2d(1, 1, 2, bias=False), norse.LIFBoxCell())
    return fails(AttributeError, exported, net, torch.zeros(1, 3, 3))


def conv_not_written() -> bool:
    """A convolution is exported without its input_shape; nir.write fails."""
    graph = exported(norse.SequentialState(nn.Conv2d(1, 1, 2), norse.LIFBoxCell()), torch.zeros(1, 3, 3))
    return _not_written(graph)


def numbers_not_written() -> bool:
    """A neuron with its default parameters is exported with 0-d ones; nir.write fails."""
    return _not_written(exported(norse.SequentialState(nn.Linear(1, 1), norse.LIFBoxCell()), torch.zeros(1)))


def _not_written(graph: nir.NIRGraph) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        return fails(TypeError, nir.write, Path(folder) / "a.nir", graph)


def loops_not_exported() -> bool:
    """RecurrentSequential cannot be exported."""
    net = norse.SequentialState(norse.RecurrentSequential(_box(), nn.Linear(1, 1), output_modules=0))
    return fails(AttributeError, exported, net, torch.zeros(1))


def groups_not_imported() -> bool:
    """A convolution with two groups cannot be imported."""
    conv = nir.Conv2d((2, 2), ones(2, 1, 1, 1), 1, 0, 1, 2, ones(2))
    return fails(ValueError, imported, chained(conv, shape=(2, 2, 2), out=(2, 2, 2)))


def batch_flattened() -> bool:
    """NIR's axis 0 is the batch for it: two samples of (2, 2) become one of 8."""
    flat = nir.Flatten({"input": np.array([2, 2])}, 0, -1)
    answer, _ = imported(chained(flat, shape=(2, 2), out=(4,)))(torch.zeros(2, 2, 2))
    return tuple(answer.shape) == (8,)


def integrators_dropped() -> bool:
    """An LI is imported as nothing: the answer is what came in."""
    node = nir.LI(ones(1) * 2e-3, ones(1), 0 * ones(1))
    linear = nir.Linear(ones(1, 1))
    answer, _ = imported(chained(linear, node))(torch.ones(1))
    return float(answer) == 1.0


def averages_dropped() -> bool:
    """An average pool between two convolutions is left out, and the network is cut there."""
    pool = nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0]))
    conv = nir.Conv2d((4, 4), ones(1, 1, 1, 1), 1, 0, 1, 1, ones(1))
    made = imported(chained(conv, pool, conv, shape=(1, 4, 4), out=(1, 2, 2)))
    answer, _ = made(torch.ones(1, 1, 4, 4))
    return tuple(answer.shape) != (1, 1, 2, 2)


def branch_late() -> bool:
    """Of two branches into one node, the second arrives a step late: in the first step it is not there at all."""
    one = nir.Linear(ones(1, 1))
    nodes = {"input": nir.Input(np.array([1])), "a": one, "b": one, "sum": one, "output": nir.Output(np.array([1]))}
    edges = [("input", "a"), ("input", "b"), ("a", "sum"), ("b", "sum"), ("sum", "output")]
    answer, _ = imported(nir.NIRGraph(nodes, edges, type_check=False))(torch.ones(1))
    return float(answer) == 1.0


def loop_bias_late() -> bool:
    """The bias of a layer that closes a loop is not there in the first step."""
    nodes = {
        "input": nir.Input(np.array([1])),
        "neuron": lif(),
        "back": nir.Affine(ones(1, 1), ones(1)),
        "output": nir.Output(np.array([1])),
    }
    edges = [("input", "neuron"), ("neuron", "back"), ("back", "neuron"), ("neuron", "output")]
    with torch.no_grad():
        _, state = imported(nir.NIRGraph(nodes, edges, type_check=False))(torch.zeros(1))
    return float(state.state["neuron"][0].v) == 0


FAULTS: tuple[Fault, ...] = (
    Fault(
        "norse-time-constants",
        "to_nir multiplies every time constant by its dt, 0.001 by default: 10 ms become 10 µs (issue 411)",
        time_constants,
        around="a time constant below a step is divided by the step when it is read",
    ),
    Fault(
        "norse-current-jump",
        "LIFCell adds x to its current, but is exported with w_in = 1, with which from_nir adds dt/τ_syn·x",
        jump,
        around="read as what Norse itself runs; written with w_in = τ_syn/dt times what is wanted",
    ),
    Fault(
        "norse-v-reset-not-written",
        "to_nir leaves v_reset out, so that every neuron resets to 0",
        reset_not_written,
        frozenset({("LIF dense, v_reset", "in")}),
    ),
    Fault(
        "norse-v-reset-not-read",
        "from_nir leaves v_reset out, so that every neuron resets to 0",
        reset_not_read,
        around="voltages are written counted from v_reset",
    ),
    Fault(
        "norse-r-not-read",
        "from_nir leaves r of a LIF out",
        resistance_not_read,
        around="voltages are scaled before they are written, so that r is 1",
    ),
    Fault(
        "norse-if-step",
        "an IF moves by x instead of dt·r·x",
        step_not_used,
        around="read and written as what Norse runs",
    ),
    Fault(
        "norse-conv-without-bias",
        "to_nir fails on a convolution without a bias (pull request 438)",
        conv_without_bias,
        frozenset({("IF conv without bias", "in"), ("LIF conv without bias", "in")}),
        around="give it a bias of zeros",
    ),
    Fault(
        "norse-conv-not-written",
        "to_nir leaves input_shape of a convolution open, which nir.write cannot write",
        conv_not_written,
        around="from_nir of Spikeport reads the object itself",
    ),
    Fault(
        "norse-numbers-not-written",
        "to_nir makes 0-d arrays of parameters that are numbers, which nir.write cannot compress",
        numbers_not_written,
        around="give every neuron its own, or write with compression=None",
    ),
    Fault(
        "norse-loops-not-exported",
        "to_nir fails on RecurrentSequential",
        loops_not_exported,
        frozenset({("IF recurrent", "in"), ("LIF recurrent", "in"), ("CubaLIF recurrent", "in")}),
    ),
    sums(("LIF behind two branches", "in")),
    Fault(
        "norse-groups",
        "from_nir fails on a convolution with groups",
        groups_not_imported,
        around="groups are written out, with zeros between them",
    ),
    Fault(
        "norse-flatten-batch",
        "from_nir hands Flatten's axes to torch, which counts the batch among them",
        batch_flattened,
        around="written with the batch counted; such a file needs nir.read(…, type_check=False)",
    ),
    Fault(
        "norse-integrators-dropped",
        "from_nir leaves LI out without a word",
        integrators_dropped,
        around="refused when it is written",
    ),
    Fault(
        "norse-averages-dropped",
        "from_nir leaves AvgPool2d out without a word, and cuts the network there",
        averages_dropped,
        around="written as a convolution with constant weights",
    ),
    Fault(
        "nirtorch-branch-late",
        "GraphExecutor runs nodes depth first, so that all but one of several branches arrive a step late",
        branch_late,
        around="refused when it is written",
    ),
    Fault(
        "nirtorch-loop-bias",
        "a loop adds nothing in the first step, not even the bias of the layer that closes it",
        loop_bias_late,
        around="that bias is moved into the layer beside it",
    ),
)
