"""Neurons as the `neuron` group of a layer, so that lava-dl's loader makes the same process of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..toolchain.errors import GraphError
from ..toolchain.graph.nodes.base import Array
from ..toolchain.loihi.limits import LOIHI2
from ..toolchain.loihi.processes import LIF, RF, RF_IZ, Delta, LIFReset, Process, Sigma, SigmaDelta
from .netx_read_neurons import BIAS_EXPONENT, STATE_EXPONENT, turned

Keys = Mapping[str, Any]
QUARTER = 0.25
"""Beyond an RF decay, so that the loader's floating point lands on the right side of the integer."""


@dataclass(frozen=True)
class Site:
    """What a neuron has to know of the network it is written in.

    Args:
        name: of the node.
        shape: of what it sends, channels first.
        spike_exp: the loader's argument.
        first: whether it is the layer of the input.
    """

    name: str
    shape: tuple[int, ...]
    spike_exp: int
    first: bool


def neuron_keys(node: Process, site: Site) -> tuple[Keys, Array | None]:
    """The keys of the group, and the layer's bias where it has one.

    Raises:
        GraphError: when no key makes the loader build this neuron.
    """
    if type(node) not in WRITERS:
        raise GraphError(site.name, f"a {node.kind}", "LIF, LIFReset, Delta, SigmaDelta, Sigma, RF or RF_IZ")
    return WRITERS[type(node)](node, site)


def _cuba(node: Any, site: Site) -> tuple[Keys, Array | None]:
    numbers = {"iDecay": node.current_decay, "vDecay": node.voltage_decay, "vThMant": node.threshold}
    names = {"iDecay": "current_decay", "vDecay": "voltage_decay", "vThMant": "threshold"}
    keys = {key: _single(value, f"{site.name}.{names[key]}") for key, value in numbers.items()}
    raised = node.bias.astype(np.int64) << node.bias_exponent
    if site.first and np.any(raised):
        raise GraphError(f"{site.name}.bias", "a bias of the input's neurons", "none: the loader gives them none")
    if np.any(raised % (1 << BIAS_EXPONENT)):
        found = f"bias·2^exponent that is no multiple of 2^{BIAS_EXPONENT}"
        raise GraphError(f"{site.name}.bias", found, f"exponent {BIAS_EXPONENT}, which the loader always takes")
    bias = raised >> BIAS_EXPONENT
    if np.any((bias < -LOIHI2.most_bias - 1) | (bias > LOIHI2.most_bias)):
        found = f"a mantissa of {int(bias.flat[np.abs(bias).argmax()])} at exponent {BIAS_EXPONENT}"
        raise GraphError(f"{site.name}.bias", found, f"{LOIHI2.bias_bits} bits")
    return {"type": "CUBA", **keys, "refDelay": 1, "gradedSpike": False}, _bias(bias, site)


def _single(value: Array, where: str) -> int:
    if value.min() != value.max():
        raise GraphError(where, "several values", "one for the layer, as the register holds", "split the layer")
    return int(value.flat[0])


def _bias(bias: Array, site: Site) -> Array | None:
    """The bias as the loader spreads it: for each neuron of a dense layer, each channel, or each neuron of an image."""
    if not np.any(bias):
        return None
    every = np.broadcast_to(bias, site.shape)
    if len(site.shape) == 1:
        return np.ascontiguousarray(every)
    channels = every.reshape(site.shape[0], -1)
    if np.array_equal(channels, np.broadcast_to(channels[:, :1], channels.shape)):
        return np.ascontiguousarray(channels[:, 0])
    return np.ascontiguousarray(every.T)


def _delta(node: Any, site: Site) -> tuple[Keys, Array | None]:
    if not site.first:
        raise GraphError(site.name, "a Delta behind a synapse", "at the input alone", "use a SigmaDelta")
    _check_coding(node, site)
    if node.spike_exponent != site.spike_exp:
        raise GraphError(f"{site.name}.spike_exponent", f"{node.spike_exponent}", f"{site.spike_exp}")
    return {"type": "SDNN", "activation": "relu", "vThMant": int(node.threshold)}, None


def _sigma_delta(node: Any, site: Site) -> tuple[Keys, Array | None]:
    if site.first:
        raise GraphError(site.name, "a SigmaDelta at the input", "a Delta")
    _check_coding(node, site)
    if node.activation != "relu":
        raise GraphError(f"{site.name}.activation", f"'{node.activation}'", "relu: the loader knows no other")
    up = node.spike_exponent - site.spike_exp
    level = _moved(node.threshold, up, f"{site.name}.threshold", site.spike_exp)
    bias = _moved(node.bias, up, f"{site.name}.bias", site.spike_exp)
    return {"type": "SDNN", "activation": "relu", "vThMant": int(level)}, _bias(bias, site)


def _check_coding(node: Any, site: Site) -> None:
    if node.cumulative:
        raise GraphError(
            f"{site.name}.cumulative", "a comparison of sums", "of single changes: the loader knows no other"
        )
    if node.state_exponent != STATE_EXPONENT:
        raise GraphError(f"{site.name}.state_exponent", f"{node.state_exponent}", f"{STATE_EXPONENT}")


def _moved(value: Array, up: int, where: str, spike_exp: int) -> Array:
    """value·2ᵘ, for the spike exponent that all layers share."""
    if up >= 0:
        return value.astype(np.int64) << up
    if np.any(value % (1 << -up)):
        raise GraphError(where, f"no whole number at spike_exponent {spike_exp}", "one exponent for all layers")
    return value.astype(np.int64) >> -up


def _sigma(_: Any, site: Site) -> tuple[Keys, Array | None]:
    if site.first:
        raise GraphError(site.name, "a Sigma at the input", "a Delta")
    return {"type": "SDNN", "activation": "relu", "vThMant": 0, "sigma_output": True}, None


def _rf(node: Any, site: Site) -> tuple[Keys, Array | None]:
    if node.decay_bits != LOIHI2.decay_bits:
        raise GraphError(f"{site.name}.decay_bits", f"{node.decay_bits}", f"{LOIHI2.decay_bits}")
    sine, cosine = (each + (QUARTER if each >= 0 else -QUARTER) for each in (node.sin, node.cos))
    reached = tuple(int(each) for each in turned(sine, cosine))
    if reached != (node.sin, node.cos):
        found = f"sin {node.sin} and cos {node.cos}, of which the loader makes {reached[0]} and {reached[1]}"
        raise GraphError(site.name, found, "decays that survive floating point")
    level = node.threshold / (1 << STATE_EXPONENT)
    name = "RF_PHASE" if isinstance(node, RF) else "RF_IZHIKEVICH"
    keys = {"type": name, "sinDecay": sine, "cosDecay": cosine}
    return {**keys, "vThMant": int(level) if level == int(level) else level, "gradedSpike": False}, None


Writer = Callable[[Any, Site], tuple[Keys, Array | None]]
WRITERS: Mapping[type[Process], Writer] = {
    LIF: _cuba,
    LIFReset: _cuba,
    Delta: _delta,
    SigmaDelta: _sigma_delta,
    Sigma: _sigma,
    RF: _rf,
    RF_IZ: _rf,
}
"""How each kind of neuron is written."""
