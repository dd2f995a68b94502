"""Integrators and firing neurons, operation by operation in the order of `Node.step`: the same bits come out."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.nodes import AdaptiveLIF, Firing, Integrating
from ..graph.nodes.base import Array
from .parts import Ops


def integrator(node: Integrating, ops: Ops, inputs: Sequence[str]) -> str:
    """Integrate and send the voltage."""
    ops.new["v"] = _integrated(node, ops, inputs[0])
    return ops.new["v"]


def _integrated(node: Integrating, ops: Ops, x: str) -> str:
    """u[t] = α·u[t−1] + x[t];  v̂[t] = β·v[t−1] + g·u[t] + b, without factors of 1 and a bias of 0."""
    alpha, beta = node.decays
    if alpha is not None:
        faded = ops("Mul", ops.parameter("alpha", alpha), ops.state["u"], label="current_decay")
        ops.new["u"] = x = ops("Add", faded, x, label="current")
    v = ops.state["v"]
    if beta is not None:
        v = ops("Mul", ops.parameter("beta", beta), v, label="decay")
    if not _always(node.gain, 1, ops):
        x = ops("Mul", ops.parameter("gain", node.gain), x, label="gained")
    v = ops("Add", v, x, label="charge")
    return v if _always(node.bias, 0, ops) else ops("Add", v, ops.parameter("bias", node.bias), label="biased")


def _always(array: Array, value: float, ops: Ops) -> bool:
    return bool((array.astype(ops.dtype) == value).all())


def firing(node: Firing, ops: Ops, inputs: Sequence[str]) -> str:
    """Integrate, compare, reset, in the order at the head of the graph's neurons."""
    charge = _integrated(node, ops, inputs[0])
    level = _level(node, ops)
    before = None
    if node.when == "guarded":
        before = _number(ops, _above(node, ops, ops.state["v"], level, "was_above"), "spiked")
        charge = ops("Sub", charge, ops("Mul", before, level, label="guard"), label="guarded")
    if node.when == "next":
        due = ops("Greater", ops.state["s"], ops.sheet.number(0), label="resets") if node.reset == "value" else ""
        charge = _settled(node, ops, charge, (due, ops.state["s"]), level)
    above = _above(node, ops, charge, level, "above")
    spikes = _number(ops, above, "spikes")
    if node.when == "next":
        ops.new["v"], ops.new["s"] = charge, spikes
    else:
        due = spikes if before is None else ops("Sub", spikes, before, label="due")
        ops.new["v"] = _settled(node, ops, charge, (above, due), level)
    if isinstance(node, AdaptiveLIF):
        _adapt(node, ops, spikes, level)
    return {"spikes": spikes, "voltage": ops.new["v"], "charge": charge}[node.emit]


def _level(node: Firing, ops: Ops) -> str:
    """θ, or θ + â + r̂ of an adaptive neuron."""
    threshold = ops.parameter("threshold", node.threshold)
    if not isinstance(node, AdaptiveLIF):
        return threshold
    ops.new["a"] = ops("Mul", ops.parameter("adapt_decay", node.adapt_decay), ops.state["a"], label="adapt_faded")
    refractory = ops.parameter("refractory_decay", node.refractory_decay)
    ops.new["r"] = ops("Mul", refractory, ops.state["r"], label="refractory_faded")
    raised = ops("Add", threshold, ops.new["a"], label="raised")
    return ops("Add", raised, ops.new["r"], label="level")


def _adapt(node: AdaptiveLIF, ops: Ops, spikes: str, level: str) -> None:
    """a[t] = â + κ·s[t];  r[t] = r̂ + γ·(θ + â)·s[t]."""
    faded, held = ops.new["a"], ops.new["r"]
    step = ops("Mul", ops.parameter("adapt_step", node.adapt_step), spikes, label="adapt_rise")
    ops.new["a"] = ops("Add", faded, step, label="adapted")
    rest = ops("Sub", level, held, label="level_at_rest")
    grown = ops("Mul", ops.parameter("refractory_gain", node.refractory_gain), rest, label="refractory_rise")
    ops.new["r"] = ops("Add", held, ops("Mul", grown, spikes, label="refractory_added"), label="refractory")


def _above(node: Firing, ops: Ops, v: str, level: str, label: str) -> str:
    """v > θ, or ≥."""
    return ops("GreaterOrEqual" if node.at_least else "Greater", v, level, label=label)


def _number(ops: Ops, truth: str, label: str) -> str:
    """A truth value as 0 or 1."""
    return ops("Cast", truth, to=ops.dtype, label=label)


def _settled(node: Firing, ops: Ops, v: str, s: tuple[str, str], level: str) -> str:
    """reset(v̂, s), s as a truth value and as a number."""
    if node.reset == "none":
        return v
    if node.reset == "subtract":
        return ops("Sub", v, ops("Mul", s[1], level, label="taken"), label="reset")
    return ops("Where", s[0], ops.parameter("v_reset", node.v_reset), v, label="reset")
