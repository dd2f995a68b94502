"""The synapses of a netx file, as the processes that lava-dl's loader makes of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from ..toolchain.graph.nodes.base import Array, shown
from ..toolchain.graph.signal import SPIKES, Signal
from ..toolchain.loihi.limits import LOIHI2
from ..toolchain.loihi.processes import Conv, DelayDense, Process
from .netx_layer import Layer
from .netx_weights import Form, NotLoaded, loaded, loaded_pair

Shape = tuple[int, ...]
HARMLESS = frozenset(
    {"type", "shape", "neuron", "inFeatures", "outFeatures", "inChannels", "outChannels", "kernelSize"}
)
"""Keys that the loader does not need, or that are read elsewhere."""
READ = {
    "dense": frozenset({"weight", "bias", "delay"}),
    "dense_rec": frozenset({"weight", "weight_rec", "bias", "delay"}),
    "conv": frozenset({"weight", "bias", "stride", "padding", "dilation", "groups"}),
    "input": frozenset({"weight", "bias"}),
    "flatten": frozenset[str](),
}
BYTE = 127
"""The largest number of what Lava keeps in eight bits."""


def remark_unread(layer: Layer, kind: str) -> None:
    """Say which keys the loader ignores."""
    for key in layer.keys:
        if key not in READ[kind] | HARMLESS:
            layer.remark(key, "ignored by the loader")


def shape_of(layer: Layer) -> Shape:
    """The shape a layer declares, channels first."""
    value = layer.raw("shape")
    if value.ndim != 1 or not 1 <= value.size <= 3 or value.min() < 1 or value.max() >= 1 << 31:
        raise layer.crash("shape", f"{value.tolist()}"[:80], "one to three sizes")
    return tuple(int(n) for n in value)


def width_of(layer: Layer) -> int:
    """How many neurons a dense layer has."""
    value = layer.raw("shape")
    if value.min() < 1 or value.max() >= 1 << 31 or math.prod(int(n) for n in value.ravel()) >= 1 << 31:
        raise layer.crash("shape", f"{value.tolist()}"[:80], "the number of neurons")
    return math.prod(int(n) for n in value.ravel())


def dense_of(layer: Layer, kind: str, message_bits: int) -> dict[str, Process]:
    """The synapses of a dense layer by what they are: synapse, with recurrent; or real with imaginary."""
    width = width_of(layer)
    if layer.has("weight/imag"):
        return _complex(layer, kind, width, message_bits)
    matrix = _matrix(layer, "weight", width)
    if kind == "dense":
        forms = {"synapse": _loaded(layer, "weight", matrix)}
    else:
        recurrent = _matrix(layer, "weight_rec", width)
        if recurrent.shape != (width, width):
            raise layer.crash("weight_rec", f"shape {shown(recurrent.shape)}", f"[{width},{width}]")
        forms = dict(zip(("synapse", "recurrent"), _loaded_pair(layer, matrix, recurrent), strict=True))
    delay = _delays(layer, matrix.shape, recurrent=kind == "dense_rec")
    exponent = 0 if delay is not None and kind == "dense_rec" else None
    if exponent == 0 and forms["synapse"].exponent:
        up = 1 << -forms["synapse"].exponent
        layer.remark(
            "delay", f"with it the loader forgets the exponent of a recurrent layer: all weights count {up} times"
        )
    with layer.building("weight"):
        return {name: _synapse(form, message_bits, delay, exponent) for name, form in forms.items()}


def _synapse(form: Form, message_bits: int, delay: Array | None, exponent: int | None) -> Process:
    node = form.dense(message_bits, exponent=exponent)
    if delay is None:
        return node
    fields = {"weight": node.weight, "exponent": node.exponent, "bits": node.bits, "message_bits": message_bits}
    return DelayDense(**fields, delay=delay)


def _complex(layer: Layer, kind: str, width: int, message_bits: int) -> dict[str, Process]:
    """Two matrices; the loader looks for nothing else."""
    for key in ("delay", "weight_rec"):
        if layer.has(key):
            layer.remark(key, "ignored: the loader reads complex weights alone")
    if kind == "dense_rec":
        layer.remark("type", "read as a dense layer: the loader knows no complex recurrent ones")
    real, imaginary = layer.whole("weight/real"), layer.whole("weight/imag")
    if real.ndim == 1:
        real, imaginary = _rows(layer, "weight/real", real, width), _rows(layer, "weight/imag", imaginary, width)
    if real.ndim != 2 or imaginary.shape != real.shape or real.shape[0] != width:
        found = f"shapes {shown(real.shape)} and {shown(imaginary.shape)}"
        raise layer.crash("weight", found, f"two matrices with {width} rows")
    parts = {"real": real, "imaginary": imaginary}
    with layer.building("weight"):
        return {name: _loaded(layer, f"weight ({name})", part).dense(message_bits) for name, part in parts.items()}


def _matrix(layer: Layer, key: str, width: int) -> Array:
    value = layer.whole(key)
    if value.ndim == 1:
        value = _rows(layer, key, value, width)
    if value.ndim != 2 or value.shape[0] != width:
        raise layer.crash(key, f"shape {shown(value.shape)}", f"[{width}, inputs]")
    return value


def _rows(layer: Layer, key: str, value: Array, width: int) -> Array:
    if value.size % width:
        raise layer.crash(key, f"{value.size} values", f"a multiple of {width}")
    return value.reshape(width, -1)


def _loaded(layer: Layer, key: str, matrix: Array) -> Form:
    _remark_lost(layer, key, matrix)
    with _refusing(layer, key):
        return loaded(matrix)


def _loaded_pair(layer: Layer, matrix: Array, recurrent: Array) -> tuple[Form, Form]:
    _remark_lost(layer, "weight", np.hstack([matrix, recurrent]))
    with _refusing(layer, "weight"):
        return loaded_pair(matrix, recurrent)


@contextmanager
def _refusing(layer: Layer, key: str) -> Iterator[None]:
    try:
        yield
    except NotLoaded as error:
        raise layer.error(key, str(error)) from None


def _remark_lost(layer: Layer, key: str, matrix: Array) -> None:
    """Say what becomes of weights that the loader cannot hold."""
    if not np.any(matrix):
        return
    form = loaded(matrix)
    whole = matrix if form.exponent >= 0 else matrix << -form.exponent
    lost = whole != (form.held << form.exponent if form.exponent > 0 else form.held)
    if np.any(lost):
        first = tuple(int(i) for i in np.argwhere(lost)[0])
        other = form.held[first] * 2.0**form.exponent
        which = f"{matrix[first]} at {list(first)} becomes {other:g}"
        told = f"{int(lost.sum())} of {matrix.size} weights become others, {which}"
        layer.remark(key, f"{told}: the loader holds -256..254, or 0..255")
    if form.bits > LOIHI2.weight_bits:
        layer.remark(key, "odd weights beyond 127: Lava's simulator holds them, the chip does not")


def _delays(layer: Layer, shape: Shape, *, recurrent: bool) -> Array | None:
    """A delay for each weight, in steps; None where there is none."""
    if not layer.has("delay"):
        return None
    value = layer.numbers("delay")
    if not np.isfinite(value).all():
        raise layer.crash("delay", "values that are no numbers", "steps")
    if value.max() > LOIHI2.delay:
        layer.remark("delay", f"{float(value.max()):g} steps: the loader takes {LOIHI2.delay} for all beyond")
        value = np.clip(value, 0, LOIHI2.delay)
    if value.ndim == 1:
        if value.size not in shape:
            raise layer.crash(
                "delay", f"{value.size} values", f"one, {shape[0]} for the outputs or {shape[1]} for the inputs"
            )
        value = value.reshape(-1, 1) if value.size == shape[0] else value.reshape(1, -1)
        value = np.broadcast_to(value, shape)
    elif value.ndim == 0:
        value = np.broadcast_to(value, shape)
    if value.shape != shape or (recurrent and shape[0] != shape[1]):
        expected = "a square weight matrix: recurrent weights get the same" if value.shape == shape else shown(shape)
        raise layer.crash("delay", f"shape {shown(value.shape)}", expected)
    cut = np.trunc(value).astype(np.int64)
    if np.any(cut != value):
        layer.remark("delay", "fractions of steps are cut off")
    if cut.min() < 0:
        raise layer.crash("delay", f"{int(cut.min())} steps", "0 or more")
    return cut


def conv_of(layer: Layer, shape: Shape, received: Shape, message_bits: int) -> Conv:
    """The synapse of a convolution that receives and sends these shapes."""
    weight = layer.whole("weight")
    if weight.ndim < 4 or math.prod(weight.shape[4:]) != 1:
        raise layer.crash("weight", f"shape {shown(weight.shape)}", "(out, in, height, width)")
    weight = weight.reshape(weight.shape[:4])
    groups = layer.raw("groups")
    if groups.ndim:
        raise layer.crash("groups", f"shape {shown(groups.shape)}", "one number")
    if not 1 <= int(groups) <= BYTE:
        raise layer.crash("groups", f"{int(groups)}, which Lava keeps in 8 bits", f"1..{BYTE}")
    if len(received) != 3:
        raise layer.crash("", f"a convolution that receives {shown(received)}", "three axes")
    _remark_kernel(layer, weight)
    window = {key: _pair(layer, key) for key in ("stride", "padding", "dilation")}
    with layer.building():
        node = Conv(weight=weight, groups=int(groups), message_bits=message_bits, **window)
        sent = node.signal([Signal(received, SPIKES)]).shape
    if sent != shape:
        raise layer.crash("shape", shown(shape), shown(sent))
    return node


def _pair(layer: Layer, key: str) -> tuple[int, int]:
    """Height and width; one number stands for both."""
    value = layer.raw(key)
    if value.shape not in ((), (2,)):
        raise layer.crash(key, f"shape {shown(value.shape)}", "one number, or height and width")
    numbers = [int(n) for n in np.broadcast_to(value, (2,))]
    if max(map(abs, numbers)) > BYTE:
        raise layer.crash(key, f"{numbers}, which Lava keeps in 8 bits", f"at most {BYTE}")
    return numbers[0], numbers[1]


def _remark_kernel(layer: Layer, weight: Array) -> None:
    low, high = int(weight.min()), int(weight.max())
    both = low < 0 < high
    beyond = low < (-256 if both else -255) or high > (254 if both else 255)
    if beyond or (both and max(high, -low) > BYTE + 1 and np.any(weight % 2)):
        layer.remark("weight", f"{low}..{high}: Lava's simulator takes them as they are, the chip holds eight bits")
