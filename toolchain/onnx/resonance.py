"""Resonate-and-fire neurons and sigma-delta coding."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph.nodes import Delta, ResonateFire, Sigma, SigmaDelta
from ..graph.nodes.base import Array
from .parts import Ops


def resonate(node: ResonateFire, ops: Ops, inputs: Sequence[str]) -> str:
    """Turn, compare, reset."""
    c, d, level = (ops.parameter(field, getattr(node, field)) for field in ("cos", "sin", "threshold"))
    p, q = ops.state["p"], ops.state["q"]
    turned = ops("Sub", ops("Mul", c, p, label="cos_p"), ops("Mul", d, q, label="sin_q"), label="turned_p")
    p_new = ops("Add", turned, inputs[0], label="p")
    q_new = ops("Add", ops("Mul", d, p, label="sin_p"), ops("Mul", c, q, label="cos_q"), label="turned_q")
    if len(inputs) == 2:
        q_new = ops("Add", q_new, inputs[1], label="q")
    if node.spike == "phase":
        return _phase(ops, (p_new, q_new), level)
    above = ops("GreaterOrEqual", q_new, level, label="above")
    below = ops("Sub", level, ops.sheet.number(node.epsilon), label="below")
    ops.new["p"] = ops("Where", above, ops.sheet.number(0), p_new, label="reset_p")
    ops.new["q"] = ops("Where", above, below, q_new, label="reset_q")
    return ops("Cast", above, to=ops.dtype, label="spikes")


def _phase(ops: Ops, new: tuple[str, str], level: str) -> str:
    """A spike where p is large while q becomes positive."""
    zero = ops.sheet.number(0)
    ops.new["p"], ops.new["q"] = new
    large = ops("GreaterOrEqual", new[0], level, label="above")
    now = ops("GreaterOrEqual", new[1], zero, label="positive")
    before = ops("Less", ops.state["q"], zero, label="was_negative")
    both = ops("And", ops("And", large, now, label="large_and_positive"), before, label="crosses")
    return ops("Cast", both, to=ops.dtype, label="spikes")


def sigma(_: Sigma, ops: Ops, inputs: Sequence[str]) -> str:
    """One sum."""
    ops.new["sigma"] = ops("Add", ops.state["sigma"], inputs[0], label="sigma")
    return ops.new["sigma"]


def delta(node: Delta, ops: Ops, inputs: Sequence[str]) -> str:
    """Compare the change, send it or owe it."""
    return _sent(ops, inputs[0], node.threshold, cumulative=node.cumulative)


def sigma_delta(node: SigmaDelta, ops: Ops, inputs: Sequence[str]) -> str:
    """Sum, activate, send or owe."""
    value = ops.new["sigma"] = ops("Add", ops.state["sigma"], inputs[0], label="sigma")
    value = ops("Add", value, ops.parameter("bias", node.bias), label="biased")
    value = ops("Relu", value) if node.activation == "relu" else value
    return _sent(ops, value, node.threshold, cumulative=node.cumulative)


def _sent(ops: Ops, value: str, threshold: Array, *, cumulative: bool) -> str:
    """What Delta sends for `value`."""
    zero = ops.sheet.number(0)
    change = ops("Sub", value, ops.state["last"], label="change")
    due = ops("Add", change, ops.state["owed"], label="due")
    error = ops("Add", ops.state["error"], due, label="error") if cumulative else ops.state["error"]
    size = ops("Abs", error if cumulative else due, label="size")
    large = ops("GreaterOrEqual", size, ops.parameter("threshold", threshold), label="large")
    y = ops("Where", large, due, zero, label="message")
    ops.new["last"] = value
    ops.new["owed"] = ops("Sub", due, y, label="owed")
    ops.new["error"] = ops("Where", ops("Equal", y, zero, label="silent"), error, zero, label="error_left")
    return y
