"""SpikingJelly 2.0: numbers of a step, written as seconds by one dt for the whole network.

    IFNode       r = 1/dt                                      v̂ = v + x
    LIFNode      tau = τ·dt, v_leak = v_reset, r = 1           v̂ = v + (x − (v − v_reset))/τ
                 with decay_input=False, r = τ                 v̂ = v − (v − v_reset)/τ + x
    CUBALIFNode  tau_syn = dt/(1 − α), w_in = tau_syn/dt       c ← α·c + x
                 tau_mem = dt/(1 − β), r = tau_mem/dt          v̂ = β·v + c

fires at v̂ ≥ θ, resets to v_reset, and starts there. Its importer takes these numbers and no others, one for a layer,
so that what comes out of its exporter and what goes into its importer are read alike. In float32, v > θ is v ≥ θ⁺ with
the next number after θ: a network that has to exceed its threshold is written with θ⁺, and comes back with θ.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph
from ....toolchain.graph.nodes import IF, LIF, Array, CubaLIF, Firing, Integrating, SumPool
from ....toolchain.graph.nodes.base import need
from ..cycles import cycles
from ..tree import Leaf, Tree
from .base import Dialect, Told
from .chains import learned
from .ode import KINDS, full, number
from .preparing import biases_moved, in_order, loops_without_bias, pools_as_convolutions, ungrouped, with_gain
from .sorting import sorted_nodes

NEAR: dict[str, Any] = {"rtol": 1e-6, "atol": 1e-12}
"""How near to each other its importer wants numbers that have to be the same."""
LAYERS = ("Input", "Output", "Affine", "Linear", "Conv1d", "Conv2d", "AvgPool2d", "Flatten")
LAYER = "one for the whole layer: SpikingJelly's neurons have no parameters of their own"


def decode(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that it exports so, and makes of this one."""
    need(leaf.kind in ("IF", "LIF", "CubaLIF"), "type", leaf.kind, "IF, LIF or CubaLIF, which SpikingJelly has")
    need(told.reset == "value", "reset", f"'{told.reset}'", "to a value, which is what SpikingJelly's files mean")
    return {"IF": _if, "LIF": _lif, "CubaLIF": _cuba}[leaf.kind](leaf, told)


def _if(leaf: Leaf, told: Told) -> IF:
    _agree(leaf, "r", 1 / told.dt, "1/dt", told)
    return IF(gain=1.0, **_firing(leaf, told))


def _lif(leaf: Leaf, told: Told) -> LIF:
    tau, firing = _one(leaf, "tau") / told.dt, _firing(leaf, told)
    need(np.isfinite(tau) and tau > 1, "tau", f"{tau:g}·dt", "more than dt", f"--dt, which is {told.dt:g} s now")
    decays_input = bool(np.isclose(_one(leaf, "r"), 1.0, **NEAR))
    if not decays_input:
        _agree(leaf, "r", tau, "1 or tau/dt", told)
    _agree(leaf, "v_leak", firing["v_reset"], "v_reset", told)
    rate = 1 / tau
    gain = rate if decays_input else 1.0
    return LIF(beta=1 - rate, gain=gain, bias=firing["v_reset"] * rate, rule="euler", **firing)


def _cuba(leaf: Leaf, told: Told) -> LIF | CubaLIF:
    """A current that lasts for one step is none."""
    firing = _firing(leaf, told)
    tau_syn, tau_mem = (_one(leaf, name) / told.dt for name in ("tau_syn", "tau_mem"))
    _agree(leaf, "r", tau_mem, "tau_mem/dt", told)
    _agree(leaf, "w_in", tau_syn, "tau_syn/dt", told)
    _agree(leaf, "v_leak", 0.0, "0", told)
    need(tau_syn >= 1, "tau_syn", f"{tau_syn:g}·dt", "dt or more", f"--dt, which is {told.dt:g} s now")
    need(tau_mem >= 1, "tau_mem", f"{tau_mem:g}·dt", "dt or more", f"--dt, which is {told.dt:g} s now")
    alpha, beta = 1 - 1 / tau_syn, 1 - 1 / tau_mem
    if alpha == 0:
        return LIF(beta=beta, rule="euler", **firing)
    return CubaLIF(alpha=alpha, beta=beta, rule="euler", **firing)


def _firing(leaf: Leaf, told: Told) -> dict[str, Any]:
    threshold, v_reset = _one(leaf, "v_threshold"), _one(leaf, "v_reset") if "v_reset" in leaf.values else 0.0
    if not told.at_least:
        threshold = float(np.nextafter(np.float32(threshold), np.float32(-np.inf)))
    return {"threshold": threshold, "at_least": told.at_least, "v_reset": v_reset, "v_start": v_reset}


def _one(leaf: Leaf, name: str) -> float:
    """The number of the whole layer."""
    values = np.unique(number(leaf, name))
    need(values.size == 1, name, f"{values.size} different numbers", LAYER)
    return float(values[0])


def _agree(leaf: Leaf, name: str, wanted: float, why: str, told: Told) -> None:
    found = _one(leaf, name)
    if not np.isclose(found, wanted, **NEAR):
        fix = f"--dt, which is {told.dt:g} s now, or another --dialect"
        raise GraphError(name, f"{found:g}", f"{why} = {wanted:g}, as SpikingJelly writes it", fix)


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:
    """The numbers from which its importer makes this node."""
    if not isinstance(node, IF | LIF | CubaLIF):
        raise GraphError("kind", node.kind, "IF, LIF or CubaLIF, which SpikingJelly has")
    for name, value in node.arrays().items():
        need(np.unique(value).size == 1, name, "different from neuron to neuron", LAYER)
    node = replace(node, **{name: value.reshape(-1)[0] for name, value in node.arrays().items()})
    if isinstance(node, IF):
        _has(node, "gain", 1.0, "1: its IFNode adds what comes in")
        _has(node, "bias", 0.0, "0: its IFNode has none")
        kind, values = "IF", {"r": np.asarray(1 / told.dt)}
    else:
        kind, values = _leaky(node, told) if isinstance(node, LIF) else _current(node.alpha, node.beta, node, told)
    values |= _fires(node)
    return Leaf(kind, {name: full(value, shape, node) for name, value in values.items()})


def _leaky(node: LIF, told: Told) -> tuple[str, dict[str, Array]]:
    """LIFNode, or CUBALIFNode without a current where it rests at another voltage than it resets to."""
    rate = 1 - node.beta
    rests = bool(np.isclose(node.bias, node.v_reset * rate, **NEAR)) and bool((node.beta > 0).all())
    if not rests and not node.bias.any():
        return _current(np.zeros(()), node.beta, node, told)
    need(rests, "bias", f"{float(node.bias.max()):g}", "v_reset·(1 − β): its LIFNode rests where it resets")
    need(bool((rate > 0).all()), "beta", "1 or more", "less than 1: a leak")
    decays_input = bool(np.isclose(node.gain, rate, **NEAR))
    if not decays_input:
        _has(node, "gain", 1.0, "1 − β or 1, its decay_input and its other way")
    return "LIF", {"tau": told.dt / rate, "r": np.asarray(1.0) if decays_input else 1 / rate, "v_leak": node.v_reset}


def _current(alpha: Array, beta: Array, node: Firing, told: Told) -> tuple[str, dict[str, Array]]:
    _has(node, "gain", 1.0, "1: its CUBALIFNode adds its current")
    _has(node, "bias", 0.0, "0: its CUBALIFNode has none")
    for name, decay in (("alpha", alpha), ("beta", beta)):
        need(bool((decay >= 0).all() and (decay < 1).all()), name, f"{float(decay.max()):g}", "from 0 to less than 1")
    values = {"tau_syn": told.dt / (1 - alpha), "tau_mem": told.dt / (1 - beta), "v_leak": np.zeros(())}
    return "CubaLIF", {**values, "w_in": 1 / (1 - alpha), "r": 1 / (1 - beta)}


def _has(node: Integrating, name: str, wanted: float, words: str) -> None:
    value = node.arrays()[name]
    need(bool(np.isclose(value, wanted, **NEAR).all()), name, f"{float(value.flat[0]):g}", words)


def _fires(node: Firing) -> dict[str, Array]:
    need(
        node.reset == "value",
        "reset",
        f"'{node.reset}'",
        "to a value: NIR has no other, and its importer makes no other",
    )
    need(node.when == "now", "when", f"'{node.when}'", "in the step of the spike, as SpikingJelly resets")
    starts = bool((node.v_start == node.v_reset).all())
    need(starts, "v_start", f"{float(node.v_start.flat[0]):g}", "v_reset: SpikingJelly's neurons start there")
    above = np.nextafter(node.threshold.astype(np.float32), np.float32(np.inf)).astype(np.float64)
    return {"v_threshold": node.threshold if node.at_least else above, "v_reset": node.v_reset}


def prepare(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """Voltages in which the gain is one that its nodes have; no groups, and no bias in a neuron or a loop."""
    return in_order(
        graph,
        lambda it: pools_as_convolutions(it, lambda pool: isinstance(pool, SumPool)),
        ungrouped,
        loops_without_bias,
        lambda it: biases_moved(it, _rests),
        lambda it: with_gain(it, _gain, "voltages scaled so that the gain is 1"),
    )


def _rests(node: Integrating) -> Array | float:
    if not isinstance(node, LIF):
        return 0.0
    rest: Array = node.v_reset * (1 - node.beta)
    return node.bias if np.allclose(node.bias, rest, **NEAR) else rest


def _gain(node: Firing) -> float | None:
    """1, unless what comes in is scaled by 1 − β, which its LIFNode does too."""
    return None if isinstance(node, LIF) and np.isclose(node.gain, 1 - node.beta, **NEAR).all() else 1.0


def finish(tree: Tree) -> Tree:
    """Nodes in the order in which nirtorch can build them; a GraphError for what it would run as something else."""
    _check(tree)
    return sorted_nodes(tree)


def _check(tree: Tree) -> None:
    for name, node in tree.nodes.items():
        if isinstance(node, Tree):
            _check(node)
        elif node.kind.startswith("Conv"):
            groups = int(number(node, "groups").max())
            need(groups == 1, f"groups of '{name}'", str(groups), "1: SpikingJelly's exchange refuses groups")
    for loop in cycles(tree):
        _loop(tree, loop)


def _loop(tree: Tree, loop: frozenset[str]) -> None:
    """One neuron, and nothing that it adds to before the first spike: its importer starts what comes back from 0."""
    inside = {name: tree.nodes[name] for name in sorted(loop)}
    stateful = [name for name, node in inside.items() if isinstance(node, Tree) or node.kind in KINDS.values()]
    need(len(stateful) < 2, "loop", " and ".join(stateful), "one neuron in each: its importer chooses where to delay")
    for name, node in inside.items():
        biased = isinstance(node, Leaf) and "bias" in node.values and bool(number(node, "bias").any())
        fix = "put the bias on the layer in front of the loop"
        if biased:
            raise GraphError(
                f"bias of '{name}'", "in a loop", "none: its importer adds it from the second step on", fix
            )


def known(tree: Tree) -> tuple[float, str] | None:
    """Numbers in double precision, one for a layer, that follow from one dt; an input that fx named; trained weights.

    fx calls an input as `forward` does, and an output `output`. Numbers made by hand are in double precision too, but
    so are their weights.
    """
    neurons = [leaf for leaf in tree.nodes.values() if isinstance(leaf, Leaf) and leaf.kind in KINDS.values()]
    if not neurons or not all(_could_be(leaf) for leaf in neurons):
        return None
    dts = [dt for dt in map(_step_of, neurons) if dt is not None]
    if dts and not np.allclose(dts, dts[0], **NEAR):
        return None
    own = learned(tree) and "input" not in tree.nodes and "output" in tree.nodes
    step = f", all of them of dt = {dts[0]:g} s" if dts else ""
    more = ", weights in float32, and no node called input" if own else ""
    said = f"v_leak = v_reset, one number in float64 for each layer{step}{more}"
    return max(_sure(leaf, own=own) for leaf in neurons), said


def step_of(tree: Tree) -> float | None:
    """The dt that its numbers follow from, where it is one: 1/r of an IF, tau/r of others."""
    neurons = [leaf for leaf in tree.nodes.values() if isinstance(leaf, Leaf) and leaf.kind in ("IF", "LIF", "CubaLIF")]
    dts = [dt for dt in map(_step_of, neurons) if dt is not None and np.isfinite(dt) and dt > 0]
    return float(dts[0]) if dts and np.allclose(dts, dts[0], **NEAR) else None


def _could_be(leaf: Leaf) -> bool:
    """Whether its exporter can have written it."""
    numbers = {name: value for name, value in leaf.values.items() if not isinstance(value, str)}
    if leaf.kind not in ("IF", "LIF", "CubaLIF") or "v_reset" not in numbers:
        return False
    if any(value.dtype != np.float64 or np.unique(value).size != 1 for value in numbers.values()):
        return False
    rest = numbers["v_reset"] if leaf.kind == "LIF" else 0.0
    return leaf.kind == "IF" or bool(np.isclose(numbers["v_leak"], rest, **NEAR).all())


def _step_of(leaf: Leaf) -> float | None:
    """The dt that its numbers follow from; none where they follow from any."""
    values = {name: _one(leaf, name) for name in leaf.values}
    if leaf.kind == "IF":
        return 1 / values["r"]
    if leaf.kind == "LIF":
        return None if values["r"] == 1 else values["tau"] / values["r"]
    same = np.isclose(values["tau_mem"] / values["r"], values["tau_syn"] / values["w_in"], **NEAR)
    return values["tau_mem"] / values["r"] if same else np.nan


def _sure(leaf: Leaf, *, own: bool) -> float:
    """Others write r = 1 for an IF, and r = tau/dt with a v_leak of 0 too; their inputs are called input."""
    if leaf.kind == "IF":
        return 0.1 if _one(leaf, "r") == 1 else 0.9 if own else 0.3
    if leaf.kind == "LIF" and _one(leaf, "v_leak") != 0:
        return 0.9 if own else 0.3
    if leaf.kind == "LIF" and _one(leaf, "r") == 1:
        return 0.85 if own else 0.1
    return 0.75 if own else 0.2


DIALECT = Dialect(
    name="spikingjelly",
    about="SpikingJelly 2.0.0, export_to_nir and import_from_nir: numbers of a step times one dt (1e-4 s unless told), "
    "one for a layer, v ≥ θ fires, reset to a value, no reset by subtraction, no groups",
    told=Told(dt=1e-4, at_least=True),
    exported=decode,
    imported=decode,
    encode=encode,
    takes=frozenset(
        {"Input", "Output", "Affine", "Linear", "Conv1d", "Conv2d", "AvgPool2d", "Flatten", *("IF", "LIF", "CubaLIF")}
    ),
    prepare=prepare,
    finish=finish,
    step_of=step_of,
    known=known,
)
