"""Layers that work value by value, and what stays on the host."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..operations import Ops
from .layer import Layer, Place, Seen
from .products import matrix_product

Counts = Mapping[str, Any]
"""Fields of `Ops` for one step of one sample."""


def _elementwise(place: Place, counts: Counts, note: str = "", **facts: Any) -> Layer:
    """The same in every step, whatever the values are."""

    def count(seen: Seen) -> Ops:
        times: dict[str, Any] = {
            name: {key: value * seen.steps for key, value in each.items()}
            if isinstance(each, Mapping)
            else each * seen.steps
            for name, each in counts.items()
        }
        values = place.n_in * seen.steps
        return Ops(received=values, events=values, **times)

    return Layer(place.facts(**{"role": "elementwise", **facts}), count, looks=False, note=note)


def added(place: Place) -> Layer:
    """Σ_k x_k."""
    return _elementwise(place, {"adds": place.sent.size * (len(place.received) - 1)})


def scaled(place: Place) -> Layer:
    """s · x + c: the shift is an addition where there is one; by 1 and by −1 nothing is multiplied."""
    scale, shift = place.node.scale, place.node.shift
    each = place.sent.size // scale.size
    counts = {"multiplies": each * int((np.abs(scale) != 1).sum()), "adds": 0 if shift is None else place.sent.size}
    return _elementwise(place, counts, weights=scale.size, biases=0 if shift is None else shift.size)


def normalised(place: Place) -> Layer:
    """s[c] · x[c] + c[c], as a normalisation with fixed statistics is computed."""
    channels = place.node.mean.size
    return _elementwise(
        place, {"multiplies": place.sent.size, "adds": place.sent.size}, weights=channels, biases=channels
    )


def activated(place: Place) -> Layer:
    """A ReLU compares; any other function is counted by its name."""
    name, size = place.node.function, place.sent.size
    return _elementwise(place, {"comparisons": size} if name == "relu" else {"functions": {name: size}})


def _function(place: Place) -> Layer:
    name = place.node.operation
    return _elementwise(place, {"functions": {name: place.sent.size}}, kind=name)


def _comparison(place: Place) -> Layer:
    return _elementwise(place, {"comparisons": place.sent.size}, kind=place.node.operation)


def _extreme(place: Place) -> Layer:
    return _elementwise(place, {"comparisons": place.received[0].size}, kind="extreme", role="pool")


def _running_sum(place: Place) -> Layer:
    return _elementwise(place, {"adds": place.sent.size}, kind="cumsum")


def _transform(place: Place) -> Layer:
    """Radix 2: for each transform of N values ⌈log2 N⌉ · 2N multiplications and ⌈log2 N⌉ · 3N additions."""
    shape = place.received[0].shape
    stages = (shape[int(place.node.settings["axis"])] - 1).bit_length()
    values = math.prod(shape)
    counts = {"multiplies": 2 * values * stages, "adds": 3 * values * stages}
    return _elementwise(place, counts, "a Fourier transform is counted as radix 2, of complex numbers", kind="fft")


FUNCTIONS = (
    *("softmax", "log_softmax", "layer_norm", "group_norm", "divide"),
    *("exp", "log", "sqrt", "reciprocal", "sin", "cos", "power"),
)
"""Host operations that are counted as functions, one for each value."""

HOST: Mapping[str, Callable[[Place], Layer]] = {
    **dict.fromkeys(FUNCTIONS, _function),
    **dict.fromkeys(("maximum", "minimum", "greater"), _comparison),
    "matmul": matrix_product,
    "extreme": _extreme,
    "cumsum": _running_sum,
    "fft": _transform,
}
"""A row for each operation of the host."""


def hosted(place: Place) -> Layer | None:
    """The row of a host operation; none where there is no such row."""
    row = HOST.get(place.node.operation)
    return None if row is None else row(place)


__all__ = ["HOST", "activated", "added", "hosted", "normalised", "scaled"]
