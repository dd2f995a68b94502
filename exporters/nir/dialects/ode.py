"""The reading of the NIR paper: differential equations, and a step of them by Euler's rule or exactly.

    τ dv/dt = (v_leak − v) + r·x            β = 1 − dt/τ or exp(−dt/τ);  v ← β·v + (1 − β)·(v_leak + r·x)
    τ_syn dI/dt = −I + w_in·x               α likewise;                   I ← α·I + (1 − α)·w_in·x
    dv/dt = r·x                             v ← v + dt·r·x

so that, with u = I / ((1 − α)·w_in), a neuron of the graph has g = r·(1 − β)·w_in·(1 − α) and b = v_leak·(1 − β).
Other dialects say which of these numbers their framework reads in another way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....toolchain.errors import GraphError
from ....toolchain.graph.nodes import (
    IF,
    LIF,
    Array,
    CubaIntegrator,
    CubaLIF,
    Firing,
    Integrating,
    Integrator,
    LeakyIntegrator,
)
from ....toolchain.graph.nodes.base import need
from ..tree import Leaf
from .base import Dialect, Told

KINDS: dict[type[Integrating], str] = {
    IF: "IF",
    LIF: "LIF",
    CubaLIF: "CubaLIF",
    Integrator: "I",
    LeakyIntegrator: "LI",
    CubaIntegrator: "CubaLI",
}
"""What each neuron of the graph is called in NIR."""


def number(leaf: Leaf, name: str) -> Array:
    """A field of a node of NIR, as numbers."""
    value = leaf.values.get(name)
    if value is None or isinstance(value, str):
        raise GraphError(name, "is not there" if value is None else "text", f"numbers, as {leaf.kind} has")
    return np.asarray(value)


def decay_of(tau: Array, told: Told) -> Array:
    """β of τ."""
    need(bool((tau > 0).all()), "tau", "a time constant of 0 or less", "positive seconds")
    return 1 - told.dt / tau if told.rule != "exact" else np.exp(-told.dt / tau)


def tau_of(decay: Array, told: Told, where: str) -> Array:
    """τ of β."""
    need(bool((decay < 1).all()), where, "a decay of 1 or more", "less than 1: a time constant that is finite")
    if told.rule != "exact":
        return told.dt / (1 - decay)
    need(bool((decay > 0).all()), where, "a decay of 0 or less", "more than 0, as exp(−dt/τ) gives")
    return -told.dt / np.log(decay)


def fires(leaf: Leaf, told: Told) -> dict[str, Any]:
    """The fields of a node that fires."""
    v_reset = np.asarray(leaf.values.get("v_reset", 0.0)) if told.reset == "value" else 0.0
    return {
        "threshold": number(leaf, "v_threshold"),
        "v_reset": v_reset,
        "reset": told.reset,
        "when": told.when,
        "at_least": told.at_least,
    }


def decode(leaf: Leaf, told: Told) -> Integrating:
    """The node of the graph that a neuron of NIR is."""
    rule = told.rule
    firing = fires(leaf, told) if leaf.kind in ("IF", "LIF", "CubaLIF") else {}
    if leaf.kind in ("IF", "I"):
        gain = told.dt * number(leaf, "r")
        return IF(gain=gain, **firing) if firing else Integrator(gain=gain)
    beta = decay_of(number(leaf, "tau_mem" if leaf.kind.startswith("Cuba") else "tau"), told)
    gain, bias = number(leaf, "r") * (1 - beta), number(leaf, "v_leak") * (1 - beta)
    if leaf.kind in ("LIF", "LI"):
        shared = {"beta": beta, "gain": gain, "bias": bias, "rule": rule}
        return LIF(**shared, **firing) if firing else LeakyIntegrator(**shared)
    alpha = decay_of(number(leaf, "tau_syn"), told)
    gain = gain * number(leaf, "w_in") * (1 - alpha)
    shared = {"alpha": alpha, "beta": beta, "gain": gain, "bias": bias, "rule": rule}
    return CubaLIF(**shared, **firing) if firing else CubaIntegrator(**shared)


def encode(node: Integrating, shape: tuple[int, ...], told: Told) -> Leaf:
    """The neuron of NIR that a node of the graph is."""
    kind = KINDS.get(type(node))
    if kind is None:
        raise GraphError("kind", node.kind, f"one of those that NIR has: {', '.join(KINDS.values())}")
    alpha, beta = node.decays
    values: dict[str, Array] = {}
    gain, bias = node.gain, node.bias
    if beta is None:
        need(not bias.any(), "bias", "another than 0", "none: NIR's neurons without leak have no v_leak")
        values["r"] = gain / told.dt
    else:
        values["tau" if alpha is None else "tau_mem"] = tau_of(beta, told, "beta")
        values["r"], values["v_leak"] = gain / (1 - beta), bias / (1 - beta)
    if alpha is not None:
        values["tau_syn"] = tau_of(alpha, told, "alpha")
        values["w_in"] = 1 / (1 - alpha)
    if isinstance(node, Firing):
        values["v_threshold"], values["v_reset"] = node.threshold, node.v_reset
    return Leaf(kind, {name: full(value, shape, node) for name, value in values.items()})


def full(value: Array, shape: tuple[int, ...], node: Integrating) -> Array:
    """A parameter with one value for each neuron, in the type of the node's own."""
    kind = np.result_type(*(array.dtype for array in node.arrays().values() if array.ndim or array.any()), np.float32)
    return np.broadcast_to(value, shape).astype(kind)


DIALECT = Dialect(
    name="ode",
    about="the NIR paper's equations, one step of them by Euler's rule (or exactly, where the metadata say so)",
    told=Told(dt=0.0),
    exported=decode,
    imported=decode,
    encode=encode,
)
