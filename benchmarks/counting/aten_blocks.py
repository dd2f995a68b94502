"""Operations of many values at once: normalisations, softmax, Fourier transforms, attention, recurrent layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from .aten_calls import Call, Row, size
from .aten_synapses import product, real, weights
from .aten_values import plain
from .book import Entry, Shape
from .nonzeros import along
from .provenance import REAL


def normalised(name: str, places: tuple[int, int]) -> Row:
    """A row for a normalisation by its own statistics, with a weight and a bias behind it at these places."""

    def count(call: Call) -> None:
        values = size(call.out)
        first(call, name).function(name, values)
        weight, bias = (call.arg(place) is not None for place in places)
        if weight or bias:
            entry = call.layer(Shape("Scale", "elementwise"), REAL, name=f"{name}_affine")
            entry.add(multiplies=values if weight else 0, adds=values if bias else 0, received=values, events=values)

    return Row(real, count)


def first(call: Call, name: str, **held: int) -> Entry:
    """A layer that reads its first argument alone."""
    x = call.args[0]
    entry = call.layer(Shape(name, "elementwise", held), call.origin(x), name=name)
    return entry.add(received=x.numel(), events=x.numel())


def batch_norm(call: Call) -> None:
    """s[c] · x[c] + c[c]; with the statistics of this batch, those are a function of its values, too."""
    values, training = size(call.out), call.name != "_native_batch_norm_legit_no_training" and call.arg(5)
    channels = call.args[0].shape[1]
    entry = first(call, "BatchNorm", weights=channels, biases=channels).add(multiplies=values, adds=values)
    if training is True:
        entry.function("batch_statistics", values)


def softmax(call: Call) -> None:
    """One value of softmax for each value."""
    first(call, call.name.strip("_")).function(call.name.strip("_"), size(call.out))


def of_all(name: str) -> Row:
    """A row for a function of one tensor, one for each value that comes in."""

    def count(call: Call) -> None:
        first(call, name).function(name, call.args[0].numel())

    return Row(real, count)


def fourier(call: Call) -> None:
    """Radix 2: for each transform of N values ⌈log2 N⌉ · 2N multiplications and ⌈log2 N⌉ · 3N additions."""
    x, dims = call.args[0], call.args[1]
    shape = list(x.shape)
    if call.name == "_fft_c2r":
        shape[dims[-1]] = call.args[3]
    values = math.prod(shape)
    stages = sum(math.ceil(math.log2(max(shape[dim], 1))) for dim in dims)
    first(call, "fft").add(multiplies=2 * values * stages, adds=3 * values * stages)


def attention(call: Call) -> None:
    """softmax(q·kᵀ·scale)·v; the shares count as not 0 wherever the mask lets them be."""
    q, k, v = call.args[:3]
    name = "scaled_dot_product_attention"
    product(call, q, k.transpose(-1, -2), name=f"{name}_scores")
    values = q.numel() // q.shape[-1] * k.shape[-2]
    scale = call.layer(Shape("Scale", "elementwise"), REAL, name=f"{name}_scale", values=values)
    scale.add(multiplies=values, received=values, events=values)
    soft = call.layer(Shape("softmax", "elementwise"), REAL, name=f"{name}_softmax", values=values)
    soft.function("softmax", values).add(received=values, events=values)
    shares = _shares(call, q, k)
    rows = along(v.reshape(-1, *v.shape[-2:]).transpose(1, 2), call.where(name))
    dense, effective = values * v.shape[-1], int((shares * rows).sum())
    entry = call.layer(Shape("matmul", "products"), REAL, call.origin(v), name=name)
    entry.add(dense=dense, padded=dense, effective=effective, weighted=effective, spikes=effective)
    entry.add(received=values + v.numel(), events=int(shares.sum()) + call.events(v))
    call.book.note("attention: shares count as not 0 wherever the mask lets them be")


def _shares(call: Call, q: Tensor, k: Tensor) -> Any:
    """How many queries look at each key, [batch and heads, keys]."""
    queries, keys, batch = q.shape[-2], k.shape[-2], math.prod(q.shape[:-2])
    mask = call.kwargs.get("attn_mask")
    if mask is not None:
        open_ = mask if mask.dtype.is_floating_point is False else mask > -math.inf
        return along(open_.expand(*q.shape[:-2], queries, keys).reshape(batch, queries, keys).byte(), call.where())
    if bool(call.arg(4, "is_causal", False)):
        return np.broadcast_to(np.maximum(queries - np.arange(keys), 0), (batch, keys))
    return np.full((batch, keys), queries)


def dropout(call: Call) -> None:
    """A multiplication for each value, while training."""
    plain(call, "dropout").add(multiplies=size(call.out))


GATES: Mapping[int, tuple[int, int, int, int]] = {
    # mode of the layer: gates, sigmoids, hyperbolic tangents, products of two signals, for each neuron and step
    2: (4, 3, 2, 3),
}


def lstm(call: Call) -> None:
    """One direction of one layer of an LSTM, [T, B, inputs]; its gates count as not 0."""
    x, w_in, w_back, b_in, b_back, hidden, cell, backwards = call.args[:8]
    mode = call.args[9]
    if mode not in GATES:
        call.book.miss(f"{call.name} of mode {mode}", call.where(), size(call.out), 0.0)
        return
    gates, sigmoids, tangents, products = GATES[mode]
    out: Tensor = call.out[0]
    states = out.numel()
    biased = b_in is not None and b_in.numel() > 0
    before = hidden.reshape(1, *out.shape[1:])
    past = (before, out[1:] if backwards else out[:-1])
    weights(_of(call, gates * states), x, w_in.t(), b_in if biased else None)
    for part in past:
        if part.numel():
            part_call = _of(call, gates * part.numel())
            if not part_call.origins.knows(part):
                part_call.origins.note(part, REAL)
            weights(part_call, part, w_back.t(), b_back if biased else None)
    entry = call.layer(Shape("LSTM", "elementwise"), REAL, name="gates", values=states)
    entry.function("sigmoid", sigmoids * states).function("tanh", tangents * states)
    entry.add(adds=(gates + 1) * states, received=2 * gates * states, events=2 * gates * states)
    missing = cell.numel() - call.events(cell)
    multiplied = call.layer(Shape("Multiply", "products"), REAL, REAL, name="gated", values=products * states)
    effective = products * states - missing
    pair = {"dense": products * states, "padded": products * states, "effective": effective, "weighted": effective}
    multiplied.add(**pair, received=2 * products * states, events=2 * products * states - missing)
    call.book.note("LSTM: gates and cells count as not 0 after the first step")


def _of(call: Call, values: int) -> Call:
    """The same call, for one of its products, whose result has so many values."""
    out: Tensor = call.out[0]
    return Call(
        "addmm", call.args, call.kwargs, out.new_empty(()).expand(values), call.origins, call.book, call.places,
        call.fans, call.promoted,
    )  # fmt: skip


NORMS = ("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm")

ROWS: Mapping[str, Row] = {
    **dict.fromkeys(NORMS, Row(real, batch_norm)),
    "native_layer_norm": normalised("layer_norm", (2, 3)),
    "native_group_norm": normalised("group_norm", (1, 2)),
    **dict.fromkeys(("rms_norm", "_fused_rms_norm"), normalised("rms_norm", (2, 9))),
    **dict.fromkeys(("_softmax", "_log_softmax"), Row(real, softmax)),
    **dict.fromkeys(("_fft_r2c", "_fft_c2c", "_fft_c2r"), Row(real, fourier)),
    "_scaled_dot_product_flash_attention_for_cpu": Row(real, attention),
    "mkldnn_rnn_layer": Row(real, lstm),
    **{name: of_all(name) for name in ("var", "std", "var_mean", "std_mean", "logsumexp", "linalg_vector_norm")},
    **{name: of_all(name) for name in ("nll_loss_forward", "nll_loss2d_forward", "mse_loss", "smooth_l1_loss")},
    "native_dropout": Row(real, dropout),
}
"""An operation by its name."""
