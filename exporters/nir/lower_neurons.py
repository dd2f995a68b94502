"""Neurons in the words that NIR has.

no leak, β = 1                    LIF is IF, a leaky integrator is an integrator
no current, α = 0                 CubaLIF is LIF
never reset, voltage handed out   a neuron that fires is an integrator
a bias without a leak             v ← v + g·x + b = v + g·(x + b/g): a shift by b/g before it
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from ...toolchain.graph import Node
from ...toolchain.graph.nodes import (
    IF,
    LIF,
    CubaIntegrator,
    CubaLIF,
    Firing,
    Integrating,
    Integrator,
    LeakyIntegrator,
    Scale,
)
from ...toolchain.passes.base import Change, one
from ...toolchain.passes.draft import Draft

UNFIRED: dict[type[Node], type[Node]] = {IF: Integrator, LIF: LeakyIntegrator, CubaLIF: CubaIntegrator}
UNLEAKED: dict[type[Node], type[Node]] = {LIF: IF, LeakyIntegrator: Integrator}
UNDRIVEN: dict[type[Node], type[Node]] = {CubaLIF: LIF, CubaIntegrator: LeakyIntegrator}


def neurons(draft: Draft, name: str, kind: Any) -> Change | None:
    """One neuron in simpler words."""
    node = draft.nodes[name]
    if not isinstance(node, Integrating):
        return None
    simpler = _simpler(node)
    if simpler is not None:
        wanted, why = simpler
        written = wanted(**{each.name: getattr(node, each.name) for each in fields(wanted)})
        draft.replace(name, written)
        return Change((name,), f"wrote {name}, {one(node)} {why}, as {one(written)}")
    return _shifted(draft, name, node, kind) if isinstance(node, (IF, Integrator)) else None


def _simpler(node: Integrating) -> tuple[type[Node], str] | None:
    """The kind that says the same, and why."""
    alpha, beta = node.decays
    silent = isinstance(node, Firing) and node.reset == "none" and node.emit != "spikes"
    ways = (
        (silent, UNFIRED, "that is never reset and hands out its voltage"),
        (beta is not None and bool((beta == 1).all()), UNLEAKED, "without leak"),
        (alpha is not None and not alpha.any(), UNDRIVEN, "without current"),
    )
    return next(((table[type(node)], why) for holds, table, why in ways if holds and type(node) in table), None)


def _shifted(draft: Draft, name: str, node: IF | Integrator, kind: Any) -> Change | None:
    if not node.bias.any() or not node.gain.all():
        return None
    shift = (node.bias.astype(np.float64) / node.gain.astype(np.float64)).astype(kind)
    others = {each.name: getattr(node, each.name) for each in fields(node) if each.name != "bias"}
    before = draft.insert(f"{name}_bias", Scale(np.ones((), kind), shift), *draft.wires[name], before=name)
    draft.replace(name, type(node)(**others), before)
    return Change((name,), f"put the bias of {name} before it, by its gain")
