"""Rockpool 3.1: decays exp(−dt/τ), reset by subtraction, and as many spikes in a step as fit into v̂.

    LIFNeuronTorch  LIF      v̂ = β·v + x                               r = τ·exp(−dt/τ)/dt as exported
    LIFTorch        CubaLIF  i = α·(i + x);  v̂ = β·v + i + bias        likewise; the bias is not written
    ExpSynTorch     LI       i = β·(i + x)                             likewise
    s = ⌊v̂/θ⌋ where v̂ ≥ θ;  v = v̂ − s·θ

so that i = α·u in the graph's terms. Its importer takes dt to be the least τ/(1 + r) of a layer, which is not what its
exporter means by r, and bias = v_leak; it cannot read a LIF, and cuts the τ of an LI to a whole number.

Files for its importer therefore say r = τ/dt − 1. A LIF is a CubaLIF whose current is gone after a step: with an α of
1e-12, i = α·x to the last bit of float32; an IF is the same with a τ_mem that never ends. The τ of an LI is counted in
units of time that make it whole. As with sinabs, the graph's neurons agree as long as v̂ < 2·θ.
"""

from __future__ import annotations

import math

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph
from ....toolchain.graph.nodes import IF, LIF, Array, CubaLIF, Firing, Integrating, LeakyIntegrator
from ....toolchain.graph.nodes.base import need
from ..tree import Leaf, Tree
from .base import Dialect, Told
from .chains import chain, changed, ends, neurons
from .ode import number
from .preparing import in_order, loops_without_bias, with_gain
from .subtracting import firing, has, level_of, spread, starts_at_rest

GONE = 1e-12
"""The α of a current that adds nothing to the next step in float32."""
ENDLESS = 1e20
"""A τ_mem in steps after which float32 sees no leak."""
WHOLE = 1 << 20
"""What the shortest τ of an LI is in a file: the others are as near to theirs as this is fine."""
TAKEN = "IF, LIF, CubaLIF or LI, which can be said to its importer"


def exported(leaf: Leaf, told: Told) -> Integrating:
    """The neuron of a file that its exporter wrote."""
    if leaf.kind == "LIF":
        return LIF(beta=_decay(leaf, "tau", told.dt), rule="exact", **firing(leaf, told, at_least=True))
    if leaf.kind == "LI":
        beta = _decay(leaf, "tau", told.dt)
        return LeakyIntegrator(beta=beta, gain=beta, rule="exact")
    need(leaf.kind == "CubaLIF", "type", leaf.kind, "LIF, CubaLIF or LI, which Rockpool writes")
    alpha, beta = _decay(leaf, "tau_syn", told.dt), _decay(leaf, "tau_mem", told.dt)
    return CubaLIF(alpha=alpha, beta=beta, gain=alpha, rule="exact", **firing(leaf, told, at_least=True))


def imported(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that its importer makes; where a current or a leak is none in float32, the one without it."""
    need(leaf.kind in ("CubaLIF", "LI"), "type", leaf.kind, "CubaLIF or LI, which its importer reads")
    tau = number(leaf, "tau" if leaf.kind == "LI" else "tau_mem")
    dt = float((tau / (1 + number(leaf, "r"))).min())
    if leaf.kind == "LI":
        beta = np.exp(-dt / np.trunc(tau))
        return LeakyIntegrator(beta=beta, gain=beta, rule="exact")
    fires = firing(leaf, told, at_least=True)
    alpha, beta = _decay(leaf, "tau_syn", dt), _decay(leaf, "tau_mem", dt)
    common = {"gain": alpha, "bias": number(leaf, "v_leak"), "rule": "exact", **fires}
    if not (alpha < 2 * GONE).all():
        return CubaLIF(alpha=alpha, beta=beta, **common)
    return IF(**common) if (tau >= ENDLESS * dt / 2).all() else LIF(beta=beta, **common)


def _decay(leaf: Leaf, name: str, dt: float) -> Array:
    tau = number(leaf, name)
    need(bool((tau > 0).all()), name, "0 or less", "a positive number of seconds")
    return np.exp(-dt / tau)


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:
    """The numbers from which its importer makes this node, but for several spikes in a step."""
    need(len(shape) == 1, "shape", f"{len(shape)} axes", "one: Rockpool's layers are lists of neurons")
    starts_at_rest(node)
    if isinstance(node, LeakyIntegrator):
        return Leaf("LI", spread(_synapse(node, shape), shape))
    if not isinstance(node, IF | LIF | CubaLIF):
        raise GraphError("kind", node.kind, TAKEN)
    need(node.when == "now", "when", f"'{node.when}'", "in the step of the spike, as Rockpool resets")
    alpha, beta = current_of(node), node.decays[1]
    has(node, "gain", alpha, "α: its importer scales what comes in by the current's decay")
    tau = np.asarray(ENDLESS * told.dt) if beta is None else _tau(beta, told.dt, "beta")
    level = level_of(node, at_least=True)
    need(bool((level > 0).all()), "threshold", "0 or less", "more: Rockpool divides by it")
    values = {"tau_syn": _tau(alpha, told.dt, "alpha"), "tau_mem": tau, "r": tau / told.dt - 1, "v_leak": node.bias}
    fixed = {"v_threshold": level, "v_reset": np.zeros(()), "w_in": np.ones(())}
    return Leaf("CubaLIF", spread({**values, **fixed}, shape))


def current_of(node: Firing) -> Array:
    """The α of the current that it has in Rockpool."""
    return node.alpha if isinstance(node, CubaLIF) else np.asarray(GONE)


def _tau(decay: Array, dt: float, name: str) -> Array:
    need(bool(((decay > 0) & (decay < 1)).all()), name, "0 or 1", "between them, as exp(−dt/τ) is")
    return -dt / np.log(decay)


def _synapse(node: LeakyIntegrator, shape: tuple[int, ...]) -> dict[str, Array]:
    """τ in whole units of time, and r from which its importer gets the step in the same units."""
    need(math.prod(shape) > 1, "shape", "one neuron", "two or more: its importer fails for an LI of one")
    has(node, "gain", node.beta, "β: its synapse decays what comes in too")
    has(node, "bias", 0.0, "0: its synapse has none")
    steps = _tau(node.beta, 1.0, "beta")
    tau = np.round(WHOLE * steps / steps.min())
    return {"tau": tau, "r": tau * steps.min() / WHOLE - 1, "v_leak": np.zeros(())}


def prepare(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """The gain of each neuron is the decay of its current, and no bias stands in a loop."""
    scaled = "voltages scaled to a gain of α"
    return in_order(graph, loops_without_bias, lambda each: with_gain(each, current_of, scaled))


def finish(tree: Tree) -> Tree:
    """The same tree; a GraphError for what its importer runs as something else."""
    for name in chain(tree):
        node = tree.nodes[name]
        if isinstance(node, Tree):
            _loop(name, node)
        elif node.kind in ("Linear", "Affine"):
            need(number(node, "weight").ndim == 2, f"weight of '{name}'", "more than two axes", "two: out and in")
    return tree


def _loop(name: str, inner: Tree) -> None:
    leaves = [node for node in inner.nodes.values() if isinstance(node, Leaf)]
    kinds = sorted(leaf.kind for leaf in leaves if leaf.kind not in ("Input", "Output"))
    fits = len(leaves) == len(inner.nodes) == 4 and kinds in (["Affine", "CubaLIF"], ["CubaLIF", "Linear"])
    need(fits, f"'{name}'", f"a loop of {', '.join(kinds)}", "one layer of weights and its neurons")
    for leaf in leaves:
        biased = leaf.kind == "Affine" and number(leaf, "bias").any()
        need(not biased, f"bias in '{name}'", "in a loop", "none: its importer drops it")


def warns(tree: Tree) -> tuple[str, ...]:
    """What its neurons may do that the network's do not."""
    if not any(leaf.kind == "CubaLIF" for leaf in neurons(tree)):
        return ()
    return (
        "a Rockpool neuron with v ≥ 2·θ sends several spikes in that step, not one; the same where none gets there, or "
        "with `layer.max_spikes_per_dt = torch.tensor(1.0)` after from_nir",
    )


def mend(tree: Tree) -> tuple[Tree, tuple[str, ...]]:
    """The ends without the axes of one entry that its exporter counts before the neurons: its signals have one axis."""
    nodes: dict[str, Leaf | Tree] = {}
    lines = []
    for name in (*ends(tree, "Input"), *ends(tree, "Output")):
        leaf = tree.nodes[name]
        shape = np.ravel(number(leaf, "shape")) if isinstance(leaf, Leaf) else np.zeros(0)
        if isinstance(leaf, Leaf) and shape.size > 1 and (shape[:-1] == 1).all():
            nodes[name] = Leaf(leaf.kind, {**leaf.values, "shape": shape[-1:]}, leaf.metadata)
            lines.append(f"repaired: {name} counts the batch in its shape; counted without")
    return changed(tree, nodes), tuple(lines)


def step_of(tree: Tree) -> float | None:
    """dt from r = exp(−x)/x with x = dt/τ, where all of its neurons agree; to six digits, which float32 has."""
    found = np.concatenate([np.ravel(_step(leaf)) for leaf in neurons(tree)] or [np.zeros(0)])
    if not found.size or not np.isfinite(found).all() or not np.allclose(found, found[0], rtol=1e-5, atol=0):
        return None
    return float(f"{float(np.median(found)):.6g}")


def _step(leaf: Leaf) -> Array:
    """τ·x with x·exp(x) = 1/r, by Newton's method from above."""
    r = np.asarray(leaf.values.get("r", np.nan), np.float64)
    tau = np.asarray(leaf.values.get("tau", leaf.values.get("tau_mem", np.nan)), np.float64)
    if not ((r > 0) & (tau > 0)).all():
        return np.asarray(np.nan)
    x = np.log1p(1 / r)
    for _ in range(20):
        x = x - (x - np.exp(-x) / r) / (1 + x)
    return np.asarray(tau * x)


def known(tree: Tree) -> tuple[float, str] | None:
    """Every r is τ·exp(−dt/τ)/dt with one dt, and v_leak and v_reset are 0."""
    found = neurons(tree)
    kinds = {node.kind for node in tree.nodes.values() if isinstance(node, Leaf)}
    if not found or not kinds <= {"Input", "Output", "Linear", "Affine", "LIF", "CubaLIF", "LI"}:
        return None
    zeros = [leaf.values.get(name, np.zeros(())) for leaf in found for name in ("v_leak", "v_reset")]
    dt = step_of(tree)
    if dt is None or any(np.asarray(value).any() for value in zeros):
        return None
    said = f"r = τ·exp(−dt/τ)/dt with dt = {dt:g} s in every neuron"
    times = {
        float(tau) for leaf in found for tau in np.ravel(number(leaf, "tau_mem" if "tau_mem" in leaf.values else "tau"))
    }
    if len(times) > 1 or any(name.endswith("Torch") for name in tree.nodes):
        return 0.95, said
    return (0.8, said) if f"{dt:.2g}" == f"{dt:.5g}" else None  # one r and one τ always give a dt


DIALECT = Dialect(
    name="rockpool",
    about="Rockpool 3.1.0, to_nir and from_nir of its torch modules: decays exp(−dt/τ), reset by subtraction, several "
    "spikes in a step; r = τ·exp(−dt/τ)/dt as exported, dt = τ/(1 + r) as imported; dense and recurrent layers only",
    told=Told(dt=0.0, rule="exact", reset="subtract", at_least=True),
    exported=exported,
    imported=imported,
    encode=encode,
    takes=frozenset({"Input", "Output", "Affine", "Linear", "CubaLIF", "LI"}),
    loops="subgraph",
    finish=finish,
    mend=mend,
    step_of=step_of,
    warns=warns,
    prepare=prepare,
    known=known,
)
