"""Spyx 1.0: numbers of a step, reset by subtraction, and spikes that leave one step after the neuron has fired.

    LIF, IF   s[t] = v[t−1] > θ;  v[t] = β·v[t−1] + x[t] − s[t]·θ             r = β, tau = dt/(1 − β)
    CuBaLIF   s[t] = v[t−1] > θ;  i = α·i + x;  v[t] = β·(v[t−1] − s[t]·θ) + i   likewise
    PSU_LIF   v[t] = β·v[t−1] + x[t];  s[t] = v[t] > θ                        LI with r = 1, then Threshold

The spike of v[t − 1] leaves in step t, so that a neuron of Spyx is one of the graph's (a LIF that resets in the next
step, a CubaLIF that resets at once) with a Delay of a step behind it; what it feeds back to itself is as in the graph.
A LIF of the graph that resets at once is a CuBaLIF whose current lasts for one step. Images have their channels last,
so that a Flatten gives another order than in NIR: the layer behind it has its columns in Spyx's order in the file.

Its importer looks at τ, θ, weights and its own dt, and at neither r, v_leak, groups nor dilation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph import Graph, Wire
from ....toolchain.graph.nodes import IF, LIF, Array, CubaLIF, Integrating, LeakyIntegrator, Node
from ....toolchain.graph.nodes.base import need
from ..tree import Leaf, Tree
from .base import Dialect, Told
from .chains import learned, neurons
from .ode import number
from .preparing import averages_as_convolutions, biases_moved, in_order, loops_without_bias, ungrouped, with_gain
from .spyx_tree import begin, finish, warns
from .subtracting import NEAR, firing, has, level_of, spread, starts_at_rest

TAKEN = "IF, LIF or CubaLIF, which Spyx takes"


def decode(leaf: Leaf, told: Told) -> Integrating:
    """The neuron that it exports so, and makes of this one, without the Delay."""
    need(leaf.kind in ("IF", "LIF", "CubaLIF", "LI"), "type", leaf.kind, TAKEN)
    if leaf.kind == "LI":
        return LeakyIntegrator(beta=_decay(leaf, "tau", told), gain=1.0, rule="euler")
    fires = firing(leaf, told, at_least=False)
    need(bool((number(leaf, "v_threshold") >= 0).all()), "v_threshold", "less than 0", "0 or more")
    if leaf.kind == "IF":
        return IF(gain=1.0, **fires)
    if leaf.kind == "LIF":
        return LIF(beta=_decay(leaf, "tau", told), rule="euler", **{**fires, "when": "next"})
    alpha, beta = _decay(leaf, "tau_syn", told), _decay(leaf, "tau_mem", told)
    fires["when"] = "now"
    if not alpha.any():
        return LIF(beta=beta, rule="euler", **fires)
    return CubaLIF(alpha=alpha, beta=beta, rule="euler", **fires)


def _decay(leaf: Leaf, name: str, told: Told) -> Array:
    """The decay of a time constant, from 0 to 1; that of the voltage is r to the last bit, if r says it at all."""
    tau = number(leaf, name)
    need(bool((tau > 0).all()), name, "0 or less", "a positive number of seconds")
    decay = np.clip(1 - told.dt / tau, 0, 1)
    decay = np.where(np.abs(decay) < NEAR["rtol"], 0.0, decay)
    said = number(leaf, "r")
    return said if name != "tau_syn" and np.allclose(said, decay, **NEAR) else decay


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:
    """The numbers from which its importer makes this node."""
    if not isinstance(node, IF | LIF | CubaLIF):
        raise GraphError("kind", node.kind, TAKEN)
    has(node, "gain", 1.0, "1: its importer scales nothing")
    has(node, "bias", 0.0, "0: its neurons have none")
    starts_at_rest(node)
    level = level_of(node, at_least=False)
    need(
        bool((level >= 0).all()),
        "threshold",
        "less than 0",
        "0 or more: a Spyx neuron would fire before the first step",
    )
    values: dict[str, Array] = {"v_threshold": level, "v_reset": np.zeros(())}
    if isinstance(node, IF):
        return Leaf("IF", spread({**values, "r": np.ones(())}, shape))
    values |= {"r": node.beta, "v_leak": np.zeros(())}
    if isinstance(node, LIF) and node.when == "next":
        return Leaf("LIF", spread({**values, "tau": _tau(node.beta, told, "beta")}, shape))
    need(node.when == "now", "when", f"'{node.when}'", "now or next, as Spyx resets")
    need(
        len(shape) == 1,
        "shape",
        f"{len(shape)} axes",
        "one: a CuBaLIF fails for images, and so a LIF that resets at once",
    )
    alpha = node.alpha if isinstance(node, CubaLIF) else np.zeros(())
    values |= {"tau_syn": _tau(alpha, told, "alpha"), "tau_mem": _tau(node.beta, told, "beta"), "w_in": np.ones(())}
    return Leaf("CubaLIF", spread(values, shape))


def _tau(decay: Array, told: Told, name: str) -> Array:
    need(bool(((decay >= 0) & (decay < 1)).all()), name, "less than 0 or 1 and more", "from 0 to less than 1")
    return np.asarray(told.dt / (1 - decay))


def prepare(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """Gains of 1, no leak to another voltage than 0, no groups, no averages, and the ends by its names."""
    return in_order(
        graph,
        _named,
        loops_without_bias,
        lambda each: biases_moved(each, lambda _: 0.0),
        lambda each: with_gain(each, lambda _: 1.0, "voltages scaled to a gain of 1"),
        averages_as_convolutions,
        ungrouped,
    )


def _named(graph: Graph) -> tuple[Graph, tuple[str, ...]]:
    """One input called `input`, one output called `output`."""
    wanted = {**dict.fromkeys(graph.inputs, "input"), **dict.fromkeys(graph.outputs, "output")}
    renamed = {name: new for name, new in wanted.items() if name != new}
    single = len(graph.inputs) == len(graph.outputs) == 1
    if not renamed or not single or set(renamed.values()) & set(graph.nodes):
        return graph, ()
    nodes: dict[str, Node] = {renamed.get(name, name): node for name, node in graph.nodes.items()}
    wires = {
        renamed.get(name, name): tuple(Wire(renamed.get(wire.source, wire.source), wire.delayed) for wire in each)
        for name, each in graph.wires.items()
    }
    lines = tuple(f"{name}: called {new}, the only name that Spyx looks for" for name, new in renamed.items())
    return replace(graph, nodes=nodes, wires=wires), lines


def step_of(tree: Tree) -> float | None:
    """dt = τ·(1 − r), where r is β; to six digits, which float32 has. Without a leak any step is right."""
    found = [np.ravel(_step(leaf)) for leaf in neurons(tree) if leaf.kind in ("LIF", "CubaLIF")]
    if not found:
        return 1.0 if all(leaf.kind == "IF" for leaf in neurons(tree)) else None
    steps = np.concatenate(found)
    if not np.isfinite(steps).all() or not np.allclose(steps, steps[0], rtol=1e-4, atol=0):
        return None
    return float(f"{float(np.median(steps)):.6g}")


def _step(leaf: Leaf) -> Array:
    tau = np.asarray(leaf.values.get("tau", leaf.values.get("tau_mem", np.nan)), np.float64)
    r = np.asarray(leaf.values.get("r", np.nan), np.float64)
    return tau * (1 - r) if ((r >= 0) & (r < 1)).all() else np.asarray(np.nan)


def known(tree: Tree) -> tuple[float, str] | None:
    """Every r is β = 1 − dt/τ with one dt, and v_leak and v_reset are 0; nodes are called layer_0, and so on.

    One r and one τ always give a dt: it says nothing where there are no others, and no names.
    """
    found = neurons(tree)
    zeros = [leaf.values.get(name, np.zeros(())) for leaf in found for name in ("v_leak", "v_reset")]
    if not found or any(np.asarray(value).any() for value in zeros):
        return None
    named = all(name in ("input", "output") or name.startswith("layer_") for name in tree.nodes)
    leaky = any(leaf.kind in ("LIF", "CubaLIF") for leaf in found)
    dt = step_of(tree)
    if leaky and dt is not None:
        several = np.unique(np.concatenate([np.ravel(number(leaf, "r")) for leaf in found])).size > 1
        sure = 0.95 if named else 0.8 if several and learned(tree) else 0.2
        return (
            sure,
            f"r = 1 − dt/τ, which is β, with dt = {dt:g} s in every neuron{', called layer_0 and so on' * named}",
        )
    return (0.6, "nodes called layer_0, layer_1, …") if named and not leaky else None


DIALECT = Dialect(
    name="spyx",
    about="Spyx 1.0.0, to_nir and from_nir: r is β and is not read again, reset by subtraction, spikes leave one step "
    "after the neuron has fired, channels last",
    told=Told(dt=0.0, rule="euler", reset="subtract", when="next"),
    exported=decode,
    imported=decode,
    encode=encode,
    takes=frozenset(
        {"Input", "Output", "Affine", "Linear", "Conv2d", "SumPool2d", "Flatten", "Delay", "IF", "LIF", "CubaLIF"}
    ),
    loops="subgraph",
    finish=finish,
    begin=begin,
    step_of=step_of,
    warns=warns,
    prepare=prepare,
    known=known,
)
