"""Every neuron of a graph as the one neuron of the chip, exactly, by a named approximation, or not at all.

The chip's neuron integrates, fires above θ and resets to 0 in the step of the spike:

    u[t] = α·u[t−1] + x[t];  v̂[t] = β·v[t−1] + g·u[t] + b;  s[t] = v̂[t] > θ;  v[t] = 0 where it spikes

A reset to another value r is the same with v, θ and b moved by r. A voltage without memory (β = 0) needs no reset, so
there all ways to reset are one. One that never leaks, starts at θ/2 and loses θ with each spike is Lava's adaptive
neuron, whose voltage stays and whose threshold rises by 2·(θ/2): after n spikes it fires from θ/2 + θ·n on. Everything
else is an approximation that has to be allowed by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ...errors import SpikeportError
from ...graph import Node
from ...graph.nodes import Activation, Firing, Integrating
from ...graph.nodes.base import Array
from ...passes.base import one

APPROXIMATIONS: Mapping[str, str] = {
    "soft-reset": "resets to 0 where the graph subtracts the threshold: what was above it is lost",
    "delayed-reset": "resets in the step of the spike where the graph resets in the next",
    "guarded-reset": "resets to 0 where the graph lowers the compare until the potential falls",
    "v-reset": "starts at its reset value where the graph starts elsewhere",
    "v-start": "starts at 0 where the graph starts elsewhere",
    "current-bias": "has its bias on the voltage, at once, where the graph's builds up on the current",
    "loop-latency": "is on a loop that takes more steps than in the graph, since every synapse takes one",
    "bias-start": "sends from its bias before its first step, and that is handed on",
}
"""Every approximation by name, and what it changes."""

Emit = Literal["spikes", "voltage"]


@dataclass(frozen=True, eq=False)
class Membrane:
    """A neuron of the chip in floating point.

    Args:
        alpha: α; 0 for no current.
        beta: β.
        gain: g.
        bias: b.
        threshold: θ; none for a neuron that never fires.
        at_least: the graph compares with ≥.
        emit: spikes or voltage.
        approximations: the names of the approximations that it takes.
        subtracts: it starts at half of what each spike takes away, and θ here is that half.
    """

    alpha: Array
    beta: Array
    gain: Array
    bias: Array
    threshold: Array | None
    at_least: bool
    emit: Emit
    approximations: tuple[str, ...] = ()
    subtracts: bool = False

    @property
    def remembers(self) -> bool:
        """Whether it matters how θ is rounded: decays leave states that are no multiples of 2⁶, or θ is taken away."""
        return bool(self.subtracts or _between(self.alpha).any() or _between(self.beta).any())


def _between(values: Array) -> Array:
    return (values > 0) & (values < 1)


READOUT = Membrane(np.zeros(()), np.zeros(()), np.ones(()), np.zeros(()), None, at_least=False, emit="voltage")
"""What hands a linear layer's answer to the host: a voltage without memory."""


def membrane(name: str, node: Node, constant: Array, *, subtracting: bool = False) -> Membrane | SpikeportError:
    """The neuron of a node that receives a constant besides its input; what is wrong where there is none.

    Args:
        name: the node's name.
        node: the node.
        constant: what it receives in every step.
        subtracting: whether the chip's adaptive neuron may be taken where it subtracts exactly.
    """
    if isinstance(node, Activation):
        return _stepping(name, node, constant)
    if not isinstance(node, Integrating):
        return SpikeportError(name, one(node), "IF, LIF, CubaLIF or an integrator", "exchange it before training")
    fields = [np.asarray(value, np.float64) for value in (node.gain, node.bias, node.v_start)]
    alpha, beta = (None if d is None else np.asarray(d, np.float64) for d in node.decays)
    found = _decays(name, alpha, beta)
    if found is not None:
        return found
    kept = np.zeros(()) if alpha is None else alpha
    bias, used = _with_constant(fields[1], fields[0], constant, kept)
    if bias is None:
        return SpikeportError(
            name, "a bias on a current that never decays", "α below 1", "put the bias on the neuron itself"
        )
    plain = Membrane(kept, np.ones(()) if beta is None else beta, fields[0], bias, None, at_least=False, emit="voltage")
    if subtracting and isinstance(node, Firing) and _half(node, plain):
        half = np.asarray(node.threshold, np.float64) / 2
        return replace(plain, threshold=half, at_least=True, emit="spikes", subtracts=True)
    return _fired(name, node, plain, fields[2], used)


def _half(node: Firing, plain: Membrane) -> bool:
    """Whether a neuron never leaks, starts at half its threshold, and loses it with each spike."""
    rule = node.reset == "subtract" and node.when == "now" and node.at_least and node.emit == "spikes"
    keeps = bool((plain.beta == 1).all()) and not plain.alpha.any() and bool((plain.gain > 0).all())
    half = bool((node.v_start * 2 == node.threshold).all()) and bool((node.threshold > 0).all())
    return rule and keeps and half


def _decays(name: str, *decays: Array | None) -> SpikeportError | None:
    for letter, decay in zip(("α", "β"), decays, strict=True):
        if decay is not None and not bool(((decay >= 0) & (decay <= 1)).all()):
            found = f"{letter} from {decay.min():g} to {decay.max():g}"
            return SpikeportError(name, found, f"{letter} from 0 to 1", "clamp it before training")
    return None


def _with_constant(bias: Array, gain: Array, constant: Array, alpha: Array) -> tuple[Array | None, tuple[str, ...]]:
    """The constant that comes in, as a bias on the voltage: g·c / (1 − α)."""
    if not constant.any():
        return bias, ()
    if bool((alpha >= 1).any()):
        return None, ()
    return bias + gain * constant / (1 - alpha), (("current-bias",) if alpha.any() else ())


def _stepping(name: str, node: Activation, constant: Array) -> Membrane | SpikeportError:
    """s = x > θ or x ≥ θ."""
    threshold = np.float64((node.parameters or {})["threshold"])
    zero, one = np.zeros(()), np.ones(())
    held = Membrane(zero, zero, one, constant, np.asarray(threshold), node.function == "step_or_equal", "spikes")
    return _silent(name, held)


def _fired(name: str, node: Any, plain: Membrane, v_start: Array, used: tuple[str, ...]) -> Membrane | SpikeportError:
    """Compare and reset on top of the integration, and where it starts."""
    if not isinstance(node, Firing) or (node.reset == "none" and node.emit != "spikes"):
        return replace(plain, approximations=(*used, *(("v-start",) if v_start.any() else ())))
    if node.emit == "charge":
        return SpikeportError(
            name, "emit='charge', its voltage before the reset", "spikes, or the voltage after it", "read that instead"
        )
    stateless = not plain.beta.any() and node.when == "now"
    if node.reset == "none" and not stateless:
        return SpikeportError(
            name, "a neuron that fires and never resets", "a reset, as the chip's neurons have", "train it with a reset"
        )
    if not stateless:
        used += ("soft-reset",) if node.reset == "subtract" and node.when != "guarded" else ()
        used += {"now": (), "next": ("delayed-reset",), "guarded": ("guarded-reset",)}[node.when]
    threshold = np.asarray(node.threshold, np.float64)
    fired = replace(plain, threshold=threshold, at_least=node.at_least, emit=node.emit)
    v_reset = np.zeros(()) if stateless else np.asarray(node.v_reset, np.float64)
    return _silent(name, _moved(name, fired, v_reset, v_start, used))


def _moved(
    name: str, held: Membrane, v_reset: Array, v_start: Array, used: tuple[str, ...]
) -> Membrane | SpikeportError:
    """v, θ and b moved so that the reset is to 0."""
    if not v_reset.any():
        return replace(held, approximations=(*used, *(("v-start",) if v_start.any() and held.beta.any() else ())))
    if held.emit == "voltage":
        return SpikeportError(
            name, "a voltage that resets to another value than 0", "a reset to 0", "train it with v_reset = 0"
        )
    elsewhere = bool((v_start != v_reset).any()) and bool(held.beta.any())
    bias = held.bias - (1 - held.beta) * v_reset
    threshold = held.threshold - v_reset if held.threshold is not None else None
    return replace(held, bias=bias, threshold=threshold, approximations=(*used, *(("v-reset",) if elsewhere else ())))


def _silent(name: str, held: Membrane | SpikeportError) -> Membrane | SpikeportError:
    """A neuron that does not fire at rest, which the chip's threshold of 0 and more asks for."""
    if isinstance(held, SpikeportError) or held.threshold is None:
        return held
    low = float(held.threshold.min())
    if low < 0 or (held.at_least and low == 0):
        found = f"a threshold of {low:g} above its reset{', compared with ≥' if held.at_least else ''}"
        return SpikeportError(
            name, found, "a threshold that a neuron at rest is below", "train it with a higher threshold"
        )
    return held


def not_allowed(name: str, approximation: str) -> SpikeportError:
    """What an approximation would change, and how to allow it."""
    return SpikeportError(
        name, f"on the chip it {APPROXIMATIONS[approximation]}", "", f"allow it with --allow {approximation}"
    )
