"""Nengo 4.1 by a script of the NIR repository, paper/03_rnn/nir_to_nengo.py. Nengo itself reads and writes no NIR.

    IF       v̂ = v + x                     r = 1;  fires above θ                                       spikes of 1
    LIF      v̂ = β·v + (1 − β)·x           r = 1, v_leak = 0, the first tau for all;  fires above θ    spikes of 1/dt
    CubaLIF  c ← α·c + (1 − α)·x           α = 1 − dt/tau_syn,  β = exp(−dt/tau_mem)
             v̂ = β·v + (1 − β)·w_in·r·c    one r, tau and θ for a layer, v_leak = 0                    spikes of 1
    LI       v = β·v + (1 − β)·x           r and v_leak are not looked at

with β = exp(−dt/τ). All reset to 0. The potential of a LIF and a CubaLIF never falls below 0. What filters what comes
in, a CubaLIF and a LI, hears it one step later, so that answers come a step later for each of them, and a bias behind
one of them would come before the first input does.

Behind a LIF stands a Linear of dt, which makes its spikes 1 again. A loop needs a filter: a LIF in one is written as a
CubaLIF whose current lasts one step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph
from ....toolchain.graph.nodes import IF, LIF, Array, CubaLIF, Firing, Integrating, LeakyIntegrator, Node
from ....toolchain.graph.nodes.base import need
from ..cycles import cycles
from ..tree import Leaf, Tree
from .base import Dialect, Told
from .chains import without
from .ode import full, number
from .preparing import Prepared, biases_moved, each, in_order, loops_without_bias, reset_to_zero, scaled, with_gain

FILTERS = ("CubaLIF", "LI")
"""What hears its input one step later."""
UNIT = "_unit"
"""What the Linear of dt behind a LIF is called, after the name of the LIF."""
LAYER = "one for the whole layer"
ONE = np.ones(())
ROUNDING = 1e-6
"""How far a step in float32 may be from dt."""


def decode(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that the script makes of this one."""
    if leaf.kind == "IF":
        need(_one(leaf, "r") == 1, "r", f"{_one(leaf, 'r'):g}", "1: the script takes no other")
        return IF(threshold=number(leaf, "v_threshold"))
    if leaf.kind == "LI":
        beta = np.exp(-told.dt / number(leaf, "tau").reshape(-1)[0])
        return LeakyIntegrator(beta=beta, gain=1 - beta, rule="exact")
    need(leaf.kind in ("LIF", "CubaLIF"), "type", leaf.kind, "IF, LIF, CubaLIF or LI, which the script reads")
    need(_one(leaf, "v_leak") == 0, "v_leak", f"{_one(leaf, 'v_leak'):g}", "0: the script takes no other")
    if leaf.kind == "LIF":
        need(_one(leaf, "r") == 1, "r", f"{_one(leaf, 'r'):g}", "1: the script takes no other")
        beta = np.exp(-told.dt / number(leaf, "tau").reshape(-1)[0])
        return LIF(beta=beta, gain=1 - beta, threshold=number(leaf, "v_threshold"), rule="exact")
    return _cuba(leaf, told)


def _cuba(leaf: Leaf, told: Told) -> LIF | CubaLIF:
    """A current that lasts for one step is none."""
    tau_syn = _one(leaf, "tau_syn")
    need(tau_syn >= told.dt * (1 - ROUNDING), "tau_syn", f"{tau_syn:g}", f"dt = {told.dt:g} s or more")
    alpha = 1 - told.dt / tau_syn if tau_syn > told.dt * (1 + ROUNDING) else 0.0
    beta = np.exp(-told.dt / _one(leaf, "tau_mem"))
    gain = (1 - alpha) * (1 - beta) * number(leaf, "w_in") * _one(leaf, "r")
    fires: dict[str, Any] = {"gain": gain, "threshold": _one(leaf, "v_threshold")}
    return LIF(beta=beta, rule="exact", **fires) if alpha == 0 else CubaLIF(alpha=alpha, beta=beta, **fires)


def _one(leaf: Leaf, name: str) -> float:
    values = np.unique(number(leaf, name))
    need(values.size == 1, name, f"{values.size} different numbers", LAYER)
    return float(values[0])


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:
    """The numbers from which the script makes this neuron."""
    need(len(shape) == 1, "shape", f"{len(shape)} axes", "one: the script reads dense layers alone")
    need(not node.bias.any(), "bias", f"{float(node.bias.flat[0]):g}", "0: the script's neurons have none")
    need(not node.v_start.any(), "v_start", f"{float(node.v_start.flat[0]):g}", "0")
    values = _fires(node) if isinstance(node, Firing) else {}
    if isinstance(node, IF):
        _gain(node, 1.0, "1: what comes in is added as it is")
        return _leaf("IF", {**values, "r": ONE}, shape, node)
    if isinstance(node, LIF | LeakyIntegrator):
        _gain(node, 1 - node.beta, "1 − β: the script takes r = 1 alone")
        values |= {"tau": _tau(_uniform(node.beta, "beta"), told), "r": ONE, "v_leak": 0 * ONE}
        return _leaf("LIF" if isinstance(node, LIF) else "LI", values, shape, node)
    if not isinstance(node, CubaLIF):
        raise GraphError("kind", node.kind, "IF, LIF, CubaLIF or LI, which the script reads")
    alpha, beta = _uniform(node.alpha, "alpha"), _uniform(node.beta, "beta")
    need(bool(0 <= alpha < 1), "alpha", f"{float(alpha):g}", "from 0 to less than 1")
    _uniform(node.threshold, "threshold")
    values |= {"tau_syn": told.dt / (1 - alpha), "tau_mem": _tau(beta, told), "r": ONE, "v_leak": 0 * ONE}
    return _leaf("CubaLIF", {**values, "w_in": node.gain / ((1 - alpha) * (1 - beta))}, shape, node)


def _gain(node: Integrating, wanted: Array | float, words: str) -> None:
    fits = bool(np.isclose(node.gain, wanted, rtol=1e-6, atol=0).all())
    need(fits, "gain", f"{float(node.gain.flat[0]):g}", words)


def _leaf(kind: str, values: dict[str, Array], shape: tuple[int, ...], node: Integrating) -> Leaf:
    return Leaf(kind, {name: full(value, shape, node) for name, value in values.items()})


def _uniform(value: Array, name: str) -> Array:
    need(np.unique(value).size == 1, name, "different from neuron to neuron", LAYER)
    return value.reshape(-1)[:1].reshape(())


def _tau(beta: Array, told: Told) -> Array:
    need(bool((beta > 0).all() and (beta < 1).all()), "beta", f"{float(beta):g}", "between 0 and 1, as exp(−dt/τ) is")
    tau: Array = -told.dt / np.log(beta)
    return tau


def _fires(node: Firing) -> dict[str, Array]:
    need(node.reset == "value" and not node.v_reset.any(), "reset", "another than to 0", "to 0")
    need(node.when == "now", "when", f"'{node.when}'", "in the step of the spike")
    need(not node.at_least, "at_least", "v ≥ θ fires", "v > θ, as in Nengo")
    return {"v_threshold": node.threshold, "v_reset": node.v_reset}


def prepare(graph: Graph) -> Prepared:
    """Potentials that count from the reset, in the units that the script has, and biases in the layers before."""
    return in_order(
        graph,
        loops_without_bias,
        reset_to_zero,
        lambda it: biases_moved(it, lambda _: 0.0),
        lambda it: with_gain(it, _own_gain, "voltages scaled so that the gain is 1 − β, or 1 of an IF"),
        lambda it: each(it, _one_threshold, "voltages scaled so that every threshold is 1"),
    )


def _own_gain(node: Firing) -> Array | float | None:
    if isinstance(node, IF):
        return 1.0
    return 1 - node.beta if isinstance(node, LIF) else None


def _one_threshold(_: str, node: Node) -> Node | None:
    if not isinstance(node, CubaLIF) or node.emit != "spikes" or np.unique(node.threshold).size == 1:
        return None
    return scaled(node, 1 / node.threshold) if bool((node.threshold > 0).all()) else None


def finish(tree: Tree) -> Tree:
    """A Linear of dt behind every LIF, a CubaLIF in its place in a loop; a GraphError for what would come too early."""
    dt = float(str(tree.metadata["dt"]))
    inside = {name for loop in cycles(tree) for name in loop}
    for loop in cycles(tree):
        held = [name for name in sorted(loop) if (kind := _kind(tree, name)) in FILTERS or kind == "LIF"]
        need(len(held) == 1, "loop", " and ".join(held) or "no delay", "one LIF or CubaLIF in each loop")
    nodes, edges = dict(tree.nodes), list(tree.edges)
    for name in tree.nodes:
        node = nodes[name]
        if not isinstance(node, Leaf) or node.kind != "LIF":
            continue
        if name in inside:
            nodes[name] = _filtered(node, dt, name)
            continue
        unit, size = f"{name}{UNIT}", number(node, "tau").size
        need(unit not in nodes, "name", unit, "another: this one is needed")
        nodes[unit] = Leaf("Linear", {"weight": dt * np.eye(size, dtype=number(node, "tau").dtype)})
        edges = [(unit if source == name else source, target) for source, target in edges] + [(name, unit)]
    made = replace(tree, nodes=nodes, edges=tuple(edges))
    _in_time(made)
    return made


def begin(tree: Tree, dt: float) -> Tree:  # noqa: ARG001
    """Without the Linear of dt behind a LIF."""
    made = tree
    for source, target in tree.edges:
        if _kind(tree, source) == "LIF" and target == f"{source}{UNIT}":
            made = without(made, target)
    return made


def _filtered(node: Leaf, dt: float, name: str) -> Leaf:
    """A LIF as a CubaLIF whose current lasts one step."""
    _uniform(number(node, "v_threshold"), f"threshold of '{name}'")
    ones = np.ones_like(number(node, "tau"))
    values = {key: value for key, value in node.values.items() if key != "tau"}
    more = {"tau_mem": number(node, "tau"), "tau_syn": dt * ones, "w_in": ones}
    return replace(node, kind="CubaLIF", values={**values, **more})


def _in_time(tree: Tree) -> None:
    """All that meets comes at the same step, and nothing before the first input."""
    loops = cycles(tree)
    late = {name: 0 for name in tree.nodes if _kind(tree, name) == "Input"}
    new = list(late)
    while new:
        here = new.pop()
        node = tree.nodes[here]
        early = bool(late[here]) and isinstance(node, Leaf) and "bias" in node.values and number(node, "bias").any()
        need(
            not early, f"bias of '{here}'", "behind a CubaLIF", "none there: it would come before the first input does"
        )
        for there in [target for source, target in tree.edges if source == here]:
            steps = late[here] + (_kind(tree, there) in FILTERS)
            back = any({here, there} <= loop for loop in loops)
            agreed = late.get(there, steps) == steps or back
            need(agreed, f"'{there}'", "inputs that come at different steps", "as many CubaLIF on every way to it")
            if there not in late:
                late[there] = steps
                new.append(there)


def _kind(tree: Tree, name: str) -> str:
    node = tree.nodes[name]
    return node.kind if isinstance(node, Leaf) else ""


def warns(tree: Tree) -> tuple[str, ...]:
    """How late its answers are, and what Nengo does to potentials below 0."""
    kinds = [_kind(tree, name) for name in tree.nodes]
    late = sum(kind in FILTERS for kind in kinds)
    lines = (f"nengo: every CubaLIF and LI answers one step later; {late} of them are in this network",) if late else ()
    clamped = "LIF" in kinds or "CubaLIF" in kinds
    low = ("nengo: potentials of LIF and CubaLIF are kept at 0 or above, whatever inhibits them",) if clamped else ()
    return lines + low


DIALECT = Dialect(
    name="nengo",
    about="Nengo 4.1, which reads no NIR itself: what nir_to_nengo.py of the NIR repository (paper/03_rnn) builds of a "
    "file; dense layers only, reset to 0, potentials of 0 and more, one step later for each CubaLIF; no exporter",
    told=Told(dt=0.0, rule="exact"),
    exported=decode,
    imported=decode,
    encode=encode,
    takes=frozenset({"Input", "Output", "Affine", "Linear", "IF", "LIF", "CubaLIF", "LI"}),
    loops="cycle",
    prepare=prepare,
    finish=finish,
    begin=begin,
    warns=warns,
)
