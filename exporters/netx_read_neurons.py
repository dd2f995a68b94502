"""The neurons of a netx file, as the processes that lava-dl's loader makes of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..toolchain.graph.nodes.base import Array, shown
from ..toolchain.loihi.limits import LOIHI2
from ..toolchain.loihi.processes import LIF, RF, RF_IZ, Delta, LIFReset, Process, Sigma, SigmaDelta
from .netx_layer import Layer
from .netx_loading import Loading

Shape = tuple[int, ...]
BIAS_EXPONENT = 6
"""The exponent of every bias of a CUBA neuron."""
STATE_EXPONENT = 6
"""The exponent of the states of SDNN and RF neurons."""
MESSAGE_BITS = 16
"""Bits of the messages of SDNN neurons."""
UNITY = 1 << 12
"""What RF decays count in."""
NEAR = 1e-6
"""How near to an integer a recomputed decay must be to fall to either side of it."""


@dataclass(frozen=True)
class Place:
    """Where a neuron is.

    Args:
        shape: of its layer, channels first.
        index: how many blocks stand before it.
        loading: how the loader is called.
        first: whether its layer is the input.
        complex: whether it is fed by two synapses.
    """

    shape: Shape
    index: int
    loading: Loading
    first: bool = False
    complex: bool = False


def neuron_of(layer: Layer, place: Place) -> tuple[Process, int]:
    """The process of a layer's neurons, and the bits of what it sends."""
    group = layer.group("neuron")
    kind = group.text("type")
    if group.has("messageBits"):
        raise layer.crash("neuron/messageBits", "there", "no such key")
    for each in (kind, *("RF" for _ in range("RF" in kind))):
        if each in READERS:
            process, bits = READERS[each](layer, group, place)
            _remark_unread(layer, group, "RF" if "RF" in kind else kind)
            return process, bits
    raise layer.crash("neuron/type", f"'{kind}'", "CUBA, LOIHI, SDNN or RF_…")


def silent_accumulator(layer: Layer, place: Place) -> tuple[Process, int]:
    """What the loader puts in place of missing neurons: no current decay, no memory, and a threshold never reached."""
    layer.remark("neuron", "missing: the loader takes neurons without memory that never spike")
    return _lif(layer, place, current=0, voltage=UNITY, threshold=1 << 17), 0


def _cuba(layer: Layer, group: Layer, place: Place) -> tuple[Process, int]:
    if place.complex:
        raise layer.crash("weight/imag", "complex weights for neurons that are not RF", "one matrix")
    current, voltage, threshold = (_spread(group, key, place.shape) for key in ("iDecay", "vDecay", "vThMant"))
    return _lif(layer, place, current=current, voltage=voltage, threshold=threshold), 0


def _lif(layer: Layer, place: Place, *, current: Array | int, voltage: Array | int, threshold: Array | int) -> Process:
    bias = 0 if place.first else bias_of(layer, place.shape)
    emit: Literal["spikes", "voltage"] = "spikes"
    if np.max(threshold) > LOIHI2.most_threshold:
        most, emit = LOIHI2.most_threshold, "voltage"
        told = f"{int(np.max(threshold))} is beyond the register's {most}, and in the loader's network never reached"
        layer.remark("neuron/vThMant", f"{told}; {most} is taken, which only a saturated voltage reaches")
        threshold = np.minimum(threshold, most)
    fields: Any = {"current_decay": current, "voltage_decay": voltage, "threshold": threshold, "bias": bias}
    with layer.building("neuron"):
        given: Any = {**fields, "bias_exponent": BIAS_EXPONENT, "emit": emit}
        if place.loading.reset_interval is None:
            return LIF(**given)
        offset = place.loading.reset_offset + 1 + place.index
        return LIFReset(**given, interval=place.loading.reset_interval, offset=offset)


def _sdnn(layer: Layer, group: Layer, place: Place) -> tuple[Process, int]:
    if place.complex:
        raise layer.crash("weight/imag", "complex weights for neurons that are not RF", "one matrix")
    if group.has("activation") and (name := group.text("activation")) not in ("relu", "relu_", "ReLU"):
        layer.remark("neuron/activation", f"'{name}' is ignored: the loader's neurons have ReLU")
    if place.loading.reset_interval is not None:
        layer.remark("neuron", "SDNN neurons are not reset")
    exponents: Any = {"spike_exponent": place.loading.spike_exp, "state_exponent": STATE_EXPONENT}
    with layer.building("neuron"):
        if place.first:
            return Delta(threshold=_level(group), **exponents), MESSAGE_BITS
        if group.has("sigma_output"):
            if layer.has("bias"):
                raise layer.crash("bias", "a bias for a Sigma, the neuron of sigma_output", "none")
            return Sigma(), MESSAGE_BITS
        bias = bias_of(layer, place.shape)
        return SigmaDelta(threshold=_level(group), bias=bias, **exponents), MESSAGE_BITS


def _level(group: Layer) -> int:
    """The threshold of SDNN neurons."""
    value = group.numbers("vThMant")
    if value.size != 1:
        raise group.crash("neuron/vThMant", f"{value.size} values", "one")
    number = float(value.ravel()[0])
    if not math.isfinite(number) or number != math.trunc(number):
        raise group.error("neuron/vThMant", f"{number:g}", "an integer")
    return int(number)


def _rf(layer: Layer, group: Layer, place: Place) -> tuple[Process, int]:
    if place.first or not place.complex:
        raise layer.crash(
            "neuron/type", f"'{group.text('type')}' without complex weights", "weight/real and weight/imag"
        )
    kind = group.text("type")
    if "ADRF" in kind:
        layer.remark("neuron/type", f"'{kind}' is read as if it did not adapt")
    if layer.has("bias"):
        layer.remark("bias", "ignored: RF neurons get none")
    if place.loading.reset_interval is not None:
        layer.remark("neuron", "RF neurons are not reset")
    sine, cosine, level = (_number(group, key) for key in ("sinDecay", "cosDecay", "vThMant"))
    sin, cos = turned(sine, cosine)
    if any(abs(each - round(each)) < NEAR for each in (sin, cos)):
        told = "the loader computes the decays anew in floating point, and may get one less on another machine"
        layer.remark("neuron/sinDecay", f"{told}; here {math.trunc(sin)} and {math.trunc(cos)}")
    with layer.building("neuron"):
        fields = {"sin": math.trunc(sin), "cos": math.trunc(cos), "threshold": int(level * (1 << STATE_EXPONENT))}
        return (RF if "PHASE" in kind else RF_IZ)(**fields, state_exponent=STATE_EXPONENT, decay_bits=12), 0


def turned(sine: float, cosine: float) -> tuple[float, float]:
    """sin and cos decay after the loader's way through period and decay, before they are cut to integers."""
    sine, cosine = np.float64(sine) / UNITY, np.float64(cosine) / UNITY
    decay = 1 - np.sqrt(sine**2 + cosine**2)
    frequency = np.arctan2(sine, cosine) / 2 / np.pi
    with np.errstate(divide="ignore"):
        angle = np.pi * 2 * 1 / (1 / frequency)
    return float((1 - decay) * np.sin(angle) * UNITY), float((1 - decay) * np.cos(angle) * UNITY)


def _number(group: Layer, key: str) -> float:
    value = group.numbers(key)
    if value.size != 1:
        raise group.error(f"neuron/{key}", f"{value.size} values", "one for the layer")
    number = float(value.ravel()[0])
    if not abs(number) < 1 << 31:
        raise group.error(f"neuron/{key}", f"{number:g}", "a number of at most 31 bits")
    return number


def _spread(group: Layer, key: str, shape: Shape) -> Array | int:
    """One value, or one for each neuron: Lava adds them up in the loader's order of axes."""
    value = group.raw(key)
    if value.size == 1:
        return int(value.ravel()[0])
    try:
        every = np.broadcast_to(value, shape[::-1]).T
    except ValueError:
        found = f"shape {shown(value.shape)} for neurons of shape {shown(shape[::-1])}"
        raise group.crash(f"neuron/{key}", found, "one value") from None
    group.remark(f"neuron/{key}", "several values: Lava's simulator takes them, the chip takes one for a layer")
    return np.ascontiguousarray(every)


def bias_of(layer: Layer, shape: Shape) -> Array | int:
    """The bias in the axes of a chip graph; 0 where there is none."""
    if not layer.has("bias"):
        return 0
    bias = layer.whole("bias")
    turned_shape = shape[::-1]
    while len(shape) == 1 and bias.ndim > 1 and bias.shape[0] == 1:
        bias = bias[0]
    fits = len(shape) == 1 or (bias.ndim > 0 and (bias.shape == turned_shape or bias.shape[0] == turned_shape[-1]))
    try:
        every = np.broadcast_to(bias, turned_shape) if fits else None
    except ValueError:
        every = None
    if every is None:
        raise layer.crash("bias", f"shape {shown(bias.shape)}", f"[{shape[0]}]")
    if bias.ndim == 1 and len(shape) == 3 and bias.shape == (shape[0],):
        return bias.reshape(-1, 1, 1)
    return bias if bias.ndim == 1 and bias.shape == shape else np.ascontiguousarray(every.T)


Reader = Callable[[Layer, Layer, Place], tuple[Process, int]]
READERS: Mapping[str, Reader] = {"CUBA": _cuba, "LOIHI": _cuba, "SDNN": _sdnn, "RF": _rf}
"""The readers by the type of the neuron, or by what it contains."""

READ: Mapping[str, frozenset[str]] = {
    "CUBA": frozenset({"iDecay", "vDecay", "vThMant"}),
    "LOIHI": frozenset({"iDecay", "vDecay", "vThMant"}),
    "SDNN": frozenset({"vThMant", "activation", "sigma_output"}),
    "RF": frozenset({"sinDecay", "cosDecay", "vThMant"}),
}
HARMLESS = frozenset({"type", "scaleRho", "tauRho", "theta"})
"""Keys that mean nothing for a network that is run."""
NEUTRAL: Mapping[str, int] = {"refDelay": 1, "gradedSpike": 0, "wgtExp": 0, "weight_exp": 0}
"""Keys that the loader ignores, and the value at which that does no harm."""


def _remark_unread(layer: Layer, group: Layer, kind: str) -> None:
    """Say which keys the loader ignores, unless it does no harm."""
    for key in group.keys:
        if key in READ[kind] | HARMLESS:
            continue
        if key in NEUTRAL:
            value = group.numbers(key)
            if not np.any(value != NEUTRAL[key]):
                continue
            layer.remark(f"neuron/{key}", f"{value.ravel()[0]:g} is ignored by the loader")
        else:
            layer.remark(f"neuron/{key}", "ignored by the loader")
