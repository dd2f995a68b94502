"""sinabs 3.1: time in steps, decays exp(−1/τ), reset by subtraction, and as many spikes in a step as fit into v̂.

    IAF      r = 1                        v̂ = v + x
    LIF      r = 1, v_leak = 0            v̂ = α·v + (1 − α)·x    as exported (norm_input, which is the default)
                                          v̂ = α·v + x            as imported: norm_input=False, whatever r says
    ExpLeak  r = 1, v_leak = 0            v = α·v + x            α = exp(−1/τ)
    s = ⌊v̂/θ⌋ where v̂ ≥ θ;  v = v̂ − s·θ;  an imported IAF then keeps v ≥ −θ

The graph's neurons send one spike in a step at most, and keep no potential up: the two agree as long as v̂ < 2·θ, and
v ≥ −θ in an IAF. `warns` says for which layers the weights alone are proof of that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph
from ....toolchain.graph.nodes import IF, LIF, Array, Integrating, LeakyIntegrator
from ....toolchain.graph.nodes.base import need
from ..facts import KEY, facts_of
from ..tree import Leaf, Tree
from .base import Dialect, Told
from .chains import chain, changed, learned, neurons
from .ode import number
from .preparing import averages_as_convolutions, biases_moved, in_order, ungrouped, with_gain
from .subtracting import firing, has, level_of, spread, starts_at_rest

ROUNDING = 1e-5
"""How much of θ the sums of a step in float32 may be off."""
TAKEN = "IF, LIF or LI, which sinabs takes"


def exported(leaf: Leaf, told: Told) -> Integrating:
    """The neuron of a file that its exporter wrote: a LIF with norm_input, which the file does not say."""
    node = imported(leaf, told)
    return LIF(**{**vars(node), "gain": 1 - node.beta}) if isinstance(node, LIF) else node


def imported(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that its importer makes."""
    need(leaf.kind in ("IF", "LIF", "LI"), "type", leaf.kind, TAKEN)
    fires = firing(leaf, told, at_least=True) if leaf.kind != "LI" else {}
    if leaf.kind == "IF":
        return IF(gain=1.0, rule="exact", **fires)
    need(not number(leaf, "v_leak").any(), "v_leak", "another than 0", "0, which is all that sinabs has")
    tau = number(leaf, "tau")
    need(bool((tau > 0).all()), "tau", "0 or less", "a positive number of steps")
    beta = np.exp(-1 / tau)
    return LIF(beta=beta, gain=1.0, rule="exact", **fires) if fires else LeakyIntegrator(beta=beta, rule="exact")


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:  # noqa: ARG001
    """The numbers from which its importer makes this node, but for several spikes in a step."""
    if not isinstance(node, IF | LIF | LeakyIntegrator):
        raise GraphError("kind", node.kind, TAKEN)
    has(node, "gain", 1.0, "1: its importer scales nothing")
    has(node, "bias", 0.0, "0: its importer takes no v_leak")
    starts_at_rest(node)
    values: dict[str, Array] = {"r": np.ones(())}
    if not isinstance(node, IF):
        need(bool(((node.beta > 0) & (node.beta < 1)).all()), "beta", "0 or 1", "between them, as exp(−1/τ) is")
        values |= {"tau": -1 / np.log(node.beta), "v_leak": np.zeros(())}
    if not isinstance(node, LeakyIntegrator):
        values |= _fires(node)
    laid = spread(values, shape)
    return Leaf(_kind(node), laid if isinstance(node, IF) else _by_channel(laid))


def _kind(node: Integrating) -> str:
    return "IF" if isinstance(node, IF) else "LIF" if isinstance(node, LIF) else "LI"


def _fires(node: IF | LIF) -> dict[str, Array]:
    need(node.when == "now", "when", f"'{node.when}'", "in the step of the spike, as sinabs resets")
    level = level_of(node, at_least=True)
    need(bool((level > 0).all()), "threshold", "0 or less", "more: sinabs divides by it")
    return {"v_threshold": level, "v_reset": np.zeros(())}


def _by_channel(values: dict[str, Array]) -> dict[str, Array]:
    """The same with one place for each channel: for more, its importer's `any(v_leak)` fails."""
    found = {}
    for name, value in values.items():
        first = value[(slice(None), *(slice(1) for _ in value.shape[1:]))]
        need(bool((value == first).all()), name, "different from place to place", "one for each channel")
        found[name] = first
    return found


def prepare(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """Gains of 1, no leak to another voltage than 0, no groups, no averages."""
    return in_order(
        graph,
        lambda each: biases_moved(each, lambda _: 0.0),
        lambda each: with_gain(each, lambda _: 1.0, "voltages scaled to a gain of 1"),
        averages_as_convolutions,
        ungrouped,
    )


def finish(tree: Tree) -> Tree:
    """Layers without bias get one of 0; a GraphError for what its importer runs as something else."""
    nodes: dict[str, Leaf | Tree] = {}
    for name in chain(tree):
        node = tree.nodes[name]
        need(isinstance(node, Leaf), name, "a loop", "none: its importer runs each layer over all steps at once")
        if isinstance(node, Leaf) and node.kind == "Linear":
            weight = number(node, "weight")
            bias = np.zeros(weight.shape[:-1], weight.dtype)
            nodes[name] = Leaf("Affine", {**node.values, "bias": bias}, node.metadata)
        if isinstance(node, Leaf) and node.kind == "SumPool2d":
            need(not number(node, "padding").any(), f"padding of '{name}'", "another than 0", "0: sinabs drops it")
    return changed(tree, nodes)


def warns(tree: Tree) -> tuple[str, ...]:
    """Where its neurons may do what the network's do not, and how it is told not to."""
    names = chain(tree)
    several = [name for name in names if not _once(tree, names, name)]
    floors = [name for name in names if _leaf(tree, name).kind == "IF" and not _above(tree, names, name)]
    lines = []
    if flat := [
        name for name in names if _leaf(tree, name).kind in ("LIF", "LI") and number(_leaf(tree, name), "r").ndim > 1
    ]:
        lines.append(
            f"{', '.join(flat)}: one place for each channel, which is all that sinabs's importer takes; read it by "
            "nir.read(path, type_check=False)"
        )
    if several:
        lines.append(
            f"{', '.join(several)}: a sinabs neuron with v ≥ 2·θ sends several spikes in that step, not one; "
            f"the same where none gets there, or with `layer.spike_fn = sinabs.activation.SingleSpike` after from_nir"
        )
    if floors:
        lines.append(
            f"{', '.join(floors)}: sinabs's importer keeps the potential of an IF at −θ or more; the same where none "
            "falls below, or with `layer.min_v_mem = None` after from_nir"
        )
    return tuple(lines)


def _leaf(tree: Tree, name: str) -> Leaf:
    node = tree.nodes[name]
    return node if isinstance(node, Leaf) else Leaf("NIRGraph", {})


def _once(tree: Tree, names: tuple[str, ...], name: str) -> bool:
    """Whether it cannot fire twice in a step: what comes in is at most (2 − β)·θ, as v < θ after a step."""
    leaf = _leaf(tree, name)
    if leaf.kind not in ("IF", "LIF"):
        return True
    most, _ = _reach(tree, names, name)
    beta = np.exp(-1 / number(leaf, "tau")) if leaf.kind == "LIF" else np.ones(())
    return bool(most < ((2 - beta) * number(leaf, "v_threshold")).min() * (1 - ROUNDING))


def _above(tree: Tree, names: tuple[str, ...], name: str) -> bool:
    """Whether it cannot fall below 0: nothing that comes in is negative."""
    return bool(_reach(tree, names, name)[1] >= 0)


def _reach(tree: Tree, names: tuple[str, ...], name: str) -> tuple[float, float]:
    """The most and the least that can come in where the layer before reads single spikes; else without bounds."""
    before = [each for each in names[: names.index(name)] if _leaf(tree, each).kind != "Flatten"]
    layer = _leaf(tree, before[-1])
    if layer.kind not in ("Affine", "Conv2d") or not _single(tree, names, before[-2]):
        return np.inf, -np.inf
    weight, bias = number(layer, "weight"), number(layer, "bias")
    inputs = tuple(range(1, weight.ndim))
    most = np.maximum(weight, 0).sum(inputs) + bias
    least = np.minimum(weight, 0).sum(inputs) + bias
    return float(most.max()), float(least.min())


def _single(tree: Tree, names: tuple[str, ...], name: str) -> bool:
    """Whether a node sends single spikes: neurons that cannot fire twice, or an input that the facts call spikes."""
    kind = _leaf(tree, name).kind
    if kind != "Input":
        return kind in ("IF", "LIF") and _once(tree, names, name)
    text = tree.metadata.get(KEY)
    return isinstance(text, str) and facts_of(text, KEY).inputs.get(name) == "spikes"


def known(tree: Tree) -> tuple[float, str] | None:
    """Every r is 1, v_leak and v_reset are 0, τ counts steps, trained layers have a bias, and nodes have numbers.

    Time constants in milliseconds look like those in steps, and others write r = 1 too.
    """
    found, leaves = neurons(tree), [node for node in tree.nodes.values() if isinstance(node, Leaf)]
    if not found or any(leaf.kind not in ("IF", "LIF", "LI") or not _plain(leaf) for leaf in found):
        return None
    if len(leaves) < len(tree.nodes) or any(leaf.kind in ("Linear", "AvgPool2d", "CubaLIF") for leaf in leaves):
        return None
    steps = [float(number(leaf, "tau").min()) for leaf in found if "tau" in leaf.values]
    if steps and min(steps) < 1:
        return None
    own = learned(tree) and all(name.isdecimal() for name in tree.nodes if name not in ("input", "output"))
    if steps:
        why = f"r = 1, v_leak = 0, and time constants of 1 and more ({min(steps):g}), which count steps"
        return 0.7 if own else 0.3, why
    pooled = any(leaf.kind == "SumPool2d" for leaf in leaves)
    return 0.5 if pooled and own else 0.2, "r = 1 in every IF, and a bias in every layer"


def _plain(leaf: Leaf) -> bool:
    zeros: list[Any] = [leaf.values.get(name, np.zeros(())) for name in ("v_leak", "v_reset")]
    return bool((number(leaf, "r") == 1).all()) and not any(np.asarray(value).any() for value in zeros)


DIALECT = Dialect(
    name="sinabs",
    about="sinabs 3.1.3, to_nir and from_nir: time constants in steps, decays exp(−1/τ), reset by subtraction, several "
    "spikes in a step; a LIF is exported with norm_input (its default) and imported without, and r is never read",
    told=Told(dt=1.0, rule="exact", reset="subtract", at_least=True),
    exported=exported,
    imported=imported,
    encode=encode,
    takes=frozenset({"Input", "Output", "Affine", "Linear", "Conv2d", "SumPool2d", "Flatten", "IF", "LIF", "LI"}),
    loops="none",
    finish=finish,
    warns=warns,
    prepare=prepare,
    known=known,
)
