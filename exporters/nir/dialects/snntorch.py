"""snnTorch 1.0: the gain is 1, the step is 1e-4 s, and neither the file nor the importer says how a neuron resets.

    exported   Leaky:    mem = β·mem + x, β = 1 − 1e-4/τ, r = τ/1e-4; reset by subtraction, a step late, by default
               Synaptic: syn = α·syn + x; mem = β·mem + syn
    imported   LIF      β = 1 − 1e-4/τ, gain 1, θ divided by r·1e-4/τ; reset to 0 in the step of the spike
               CubaLIF  α and β likewise, θ divided by w_in·1e-4/τ_syn, r has to be τ_mem/1e-4
               IF       a leak of 0.9 whatever the file says

An IF is written as a LIF whose β is 1 in every arithmetic, and comes back as an IF.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph
from ....toolchain.graph.nodes import IF, LIF, Array, CubaLIF, Firing, Integrating
from ....toolchain.graph.nodes.base import need
from ....toolchain.graph.nodes.neurons import Reset, When
from ..tree import Leaf, Tree
from . import ode
from .base import Dialect, Told
from .chains import every, learned
from .ode import number
from .preparing import (
    Prepared,
    biases_moved,
    in_order,
    loops_without_bias,
    one_threshold,
    padded,
    pools_as_convolutions,
    ungrouped,
)
from .preparing import with_gain as gains
from .sorting import sorted_nodes

DT = 1e-4
"""The step of its exporter and of its importer; it cannot be told another one."""
ENDLESS = DT * 2.0**60
"""A time constant with 1 − DT/τ = 1 in float64."""
CLOSE = 1e-5
"""How exactly r has to be τ/1e-4: as numpy's allclose, which the importer asks."""


def _kept(leaf: Leaf, tau: str) -> Array:
    return 1 - DT / number(leaf, tau)


def _scale(leaf: Leaf) -> Array:
    """What the importer divides the threshold by."""
    cuba = leaf.kind == "CubaLIF"
    gain = number(leaf, "w_in") if cuba else number(leaf, "r")
    return np.asarray(gain * DT / number(leaf, "tau_syn" if cuba else "tau"))


def exported(leaf: Leaf, told: Told) -> Integrating:
    """Its own neurons: a reset to 0 clears the charge before it decays, but that of a neuron with a current after."""
    node = ode.decode(leaf, replace(told, dt=DT))
    if not isinstance(node, (LIF, CubaLIF)):
        return node
    whens: dict[Reset, When] = {"subtract": told.when, "value": "next" if isinstance(node, CubaLIF) else "now"}
    when = whens.get(node.reset, "now")
    rate = number(leaf, "r") * DT / number(leaf, "tau_mem" if leaf.kind == "CubaLIF" else "tau")
    gain = rate * _scale(leaf) if leaf.kind == "CubaLIF" else rate
    gain = np.ones(()) if np.allclose(gain, 1, CLOSE, 0) else gain
    if isinstance(node, LIF) and (node.beta == 1).all():
        return IF(gain=gain, threshold=node.threshold, reset=node.reset, when=when, v_reset=node.v_reset)
    return replace(node, gain=gain, when=when)


def imported(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that `import_from_nir` makes."""
    need(leaf.kind in ("LIF", "CubaLIF"), "kind", leaf.kind, "LIF or CubaLIF: its importer makes another neuron of it")
    need(not number(leaf, "v_leak").any(), "v_leak", "another value than 0", "0: its importer refuses others")
    scale = _scale(leaf)
    level = number(leaf, "v_threshold") / (1.0 if np.allclose(scale, 1) else scale)
    need(np.unique(level).size == 1, "v_threshold", "one for each neuron", "one for all neurons")
    fire: dict[str, Any] = {"threshold": level, "at_least": False, "reset": "value", "when": "now"}
    if leaf.kind == "LIF":
        beta = _kept(leaf, "tau")
        return IF(**fire) if (beta == 1).all() else LIF(beta=beta, rule=told.rule, **fire)
    right = np.allclose(number(leaf, "r"), number(leaf, "tau_mem") / DT, CLOSE)
    need(bool(right), "r", "another value than τ_mem/1e-4", "that value: its importer refuses others")
    return CubaLIF(alpha=_kept(leaf, "tau_syn"), beta=_kept(leaf, "tau_mem"), rule=told.rule, **fire)


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:  # noqa: ARG001 - its step is its own
    """Gain 1 and a reset to 0: r = τ/1e-4, w_in = τ_syn/1e-4."""
    if not isinstance(node, (IF, LIF, CubaLIF)):
        raise GraphError("kind", node.kind, "IF, LIF or CubaLIF: its importer has no others")
    _refuse(node)
    alpha, beta = node.decays
    values: dict[str, Array] = {"v_threshold": node.threshold, "v_reset": np.zeros(()), "v_leak": np.zeros(())}
    tau = np.asarray(ENDLESS) if beta is None else _tau(beta, "beta")
    values |= {"tau" if alpha is None else "tau_mem": tau, "r": tau / DT}
    if alpha is not None:
        current = _tau(alpha, "alpha")
        values |= {"tau_syn": current, "w_in": current / DT}
    kind = "LIF" if alpha is None else "CubaLIF"
    return Leaf(kind, {name: ode.full(value, shape, node) for name, value in values.items()})


def _tau(decay: Array, where: str) -> Array:
    inside = bool((decay >= 0).all() and (decay < 1).all())
    need(inside, where, "a decay outside 0 ≤ β < 1", "one inside: snnTorch clamps its decays")
    return DT / (1 - decay)


def _refuse(node: Firing) -> None:
    found = f"{node.reset} · {node.when}"
    need(node.reset == "value" and node.when == "now", "reset", found, "value · now: what its importer makes")
    need(not node.v_reset.any(), "v_reset", "another value than 0", "0: its importer drops v_reset")
    need(not node.at_least, "at_least", "true", "false: it fires above θ")
    need(not node.v_start.any(), "v_start", "another value than 0", "0: its neurons start there")
    need(not node.bias.any(), "bias", "another value than 0", "none: its importer refuses v_leak")
    need(bool((node.gain == 1).all()), "gain", "another value than 1", "1: its neurons have no other")
    need(np.unique(node.threshold).size == 1, "threshold", "one for each neuron", "one for all neurons of a layer")
    need(bool((node.threshold >= 0).all()), "threshold", "less than 0", "at least 0: below it resets twice")


def prepare(graph: Graph) -> Prepared:
    """Gain 1, no bias in a neuron or in a loop, no groups."""
    return in_order(
        graph,
        one_threshold,
        lambda it: gains(it, lambda _: 1.0, "voltages scaled, so that the gain is 1"),
        lambda it: biases_moved(it, lambda _: 0.0),
        loops_without_bias,
        lambda it: pools_as_convolutions(it, padded),
        ungrouped,
    )


def warns(tree: Tree) -> tuple[str, ...]:  # noqa: ARG001 - the same for every tree
    """What holds for every file of ours for its importer."""
    return (f"time constants are for snnTorch's own step of {DT} s, which its importer cannot be told to change",)


def mend(tree: Tree) -> tuple[Tree, tuple[str, ...]]:
    """β = 1, which its exporter writes as τ = r = ∞, as a time constant of 2^60 steps."""
    nodes: dict[str, Leaf | Tree] = {}
    lines: tuple[str, ...] = ()
    for name, node in tree.nodes.items():
        if isinstance(node, Tree):
            nodes[name], more = mend(node)
            lines += more
            continue
        endless = [field for field in ("tau", "tau_mem", "r") if field in node.values and _infinite(node, field)]
        new = {field: np.full_like(number(node, field), ENDLESS / (DT if field == "r" else 1)) for field in endless}
        nodes[name] = replace(node, values={**node.values, **new}) if new else node
        if new:
            lines += (f"{name}: repaired: {' and '.join(endless)} are infinite, as snnTorch writes β = 1",)
    return replace(tree, nodes=nodes), lines


def _infinite(leaf: Leaf, field: str) -> bool:
    value = leaf.values[field]
    return not isinstance(value, str) and np.asarray(value).dtype.kind == "f" and bool(np.isposinf(value).all())


def known(tree: Tree) -> tuple[float, str] | None:
    """r = τ/1e-4 in every neuron, nothing else than 0 in v_leak and v_reset; weights as a framework trains them."""
    neurons = [leaf for leaf in every(tree) if leaf.kind in ("LIF", "CubaLIF")]
    if not neurons or not all(_looks_own(leaf) for leaf in neurons):
        return None
    loops = any(name.endswith((".w_rec", ".lif")) for name in tree.nodes)
    sure = 0.9 if loops else 0.7 if learned(tree) else 0.3
    return sure, "r is τ/1e-4 in every neuron, and v_leak and v_reset are 0" + (
        ", and loops are .lif and .w_rec" * loops
    )


def _looks_own(leaf: Leaf) -> bool:
    cuba = leaf.kind == "CubaLIF"
    try:
        rate = number(leaf, "tau_mem" if cuba else "tau") / DT
        own = bool(np.allclose(number(leaf, "r"), rate, CLOSE))
        if cuba:
            own &= bool(np.allclose(number(leaf, "w_in"), number(leaf, "tau_syn") / DT, CLOSE))
        zero = not number(leaf, "v_leak").any() and not np.asarray(leaf.values.get("v_reset", 0.0)).any()
    except (GraphError, ValueError, TypeError):
        return False
    return own and zero


DIALECT = Dialect(
    name="snntorch",
    about="snnTorch 1.0: steps of 1e-4 s, gain 1, reset by subtraction a step late; its importer resets to 0 at once",
    told=Told(DT, "euler", "subtract", "next"),
    exported=exported,
    imported=imported,
    encode=encode,
    takes=frozenset({"Input", "Output", "Affine", "Linear", "Conv1d", "Conv2d", "Flatten", "AvgPool2d", "SumPool2d"})
    | {"LIF", "CubaLIF", "NIRGraph"},
    loops="subgraph",
    finish=sorted_nodes,
    warns=warns,
    mend=mend,
    prepare=prepare,
    batched=True,
    known=known,
)
