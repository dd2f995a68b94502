"""Weights on a signal, and products of two signals: matrices, convolutions, attention."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt
from torch import Tensor, nn

from .aten_calls import Call, Row, size
from .book import Product, Shape, class_of, pairs
from .fanout import Fanout, conv, matrix, transposed, uniform
from .nonzeros import along, array_of, both, count, look
from .provenance import Origin, made, storage_of
from .sums import Sums

Array = npt.NDArray[Any]


def small(origin: Origin) -> bool:
    """Whether values are whole numbers whose magnitudes count: small integers other than spikes."""
    return not (origin.carries.graded or origin.carries.binary)


def real(call: Call) -> Origin:
    """Real numbers, of whatever it was made."""
    return made(call.parts())


def folded(call: Call) -> None:
    """Work on constants alone is the same in every run."""
    call.book.note(f"{call.where()}: {call.name} of constants alone is not counted; it is the same in every run")


def of_matrices(call: Call, a: Tensor, b: Tensor, bias: Any = None) -> None:
    """A product of matrices [.., M, K] · [.., K, N]."""
    if call.live(a) and call.live(b):
        product(call, a, b)
    elif call.live(a):
        weights(call, a, b, bias)
    elif call.live(b):
        weights(call, b.transpose(-1, -2), a.transpose(-1, -2), bias)
    else:
        folded(call)


def weights(call: Call, x: Tensor, w: Tensor, bias: Any) -> None:
    """y = x · W for a signal x [.., M, K] and weights W [.., K, N]: N pairs for each value of x."""
    while w.ndim > 2 and w.stride(0) == 0:  # torch repeats them for each matrix of a batch
        w = w[0]
    inputs, outputs = w.shape[-2:]
    known = call.places.weight(w)
    more = {"channels": (inputs, outputs), "weights": w.numel(), "biases": bias.numel() if _constant(call, bias) else 0}
    origin, where = call.origin(x), call.where(_matrix_name(call))
    entry = call.layer(Shape("Affine", "synapses", more, (known, inputs, outputs)), origin, name=_matrix_name(call))
    dense, whole = x.numel() * outputs, small(origin)
    fan = call.fans.get(w, None, lambda held: _matrix(held, where)) if w.ndim == 2 else uniform((inputs,), outputs)
    if fan.constant and not whole:
        events = call.events(x)
        sums = Sums(x.numel(), events, reached=events * outputs, weighted=events * fan.weighted.item())
    else:
        sums = look(x, where, fan, whole=whole)
        call.origins.answer(x, sums.events)
    numbers = pairs(sums, dense, dense)
    if w.ndim > 2:
        alive = along(w.transpose(1, 2), where)
        numbers["weighted"] = int((along(x, where) * alive).sum())
    adds = size(call.out) if _constant(call, bias) else 0
    entry.add(**numbers, received=sums.values, events=sums.events, bias_adds=adds)
    if not adds and isinstance(call.out, Tensor) and (call.places.alone or w.stride(-1) != 1):
        call.book.product = Product(storage_of(call.out), entry, call.places.module)


def biased(call: Call, a: Any, b: Any) -> bool:
    """Whether a + b is a product of weights and its bias, in which case it is counted.

    Where x does not lie in C order, torch multiplies by the turned weights first and adds the bias after that.
    `x @ w + b` is a product and the addition of a constant, as it is in a graph.
    """
    last = call.book.product
    if last is None or not isinstance(b, Tensor) or call.origin(b).source != "weight" or call.arg(2, "alpha", 1) != 1:
        return False
    if storage_of(a) != last.storage or call.places.module is not last.module:
        return False
    last.entry.bias(b.numel(), size(call.out), call.where("linear"))
    call.book.product = None
    return True


def _matrix(w: Tensor, where: str) -> Fanout:
    """The map of W [K, N]; the same for all values where none of the weights is 0."""
    inputs, outputs = w.shape
    if count(w, where) == w.numel():
        return uniform((inputs,), outputs)
    return matrix(array_of(w).T, (inputs,))


def _matrix_name(call: Call) -> str:
    return "linear" if call.name == "addmm" or call.places.alone else "matmul"


def _constant(call: Call, bias: Any) -> bool:
    return isinstance(bias, Tensor) and not call.live(bias)


def product(call: Call, a: Tensor, b: Tensor, *, name: str = "matmul") -> None:
    """Signals [.., M, K] and [.., K, N]: Σ_k (values of a[:, k] that are not 0) · (those of b[k, :])."""
    first, second, where = call.origin(a), call.origin(b), call.where(name)
    shape = Shape("matmul", "products", key=(a.shape[-2:], b.shape[-2:]))
    entry = call.layer(shape, first, second, name=name, values=a.numel() // a.shape[-1] * b.shape[-1])
    dense = a.numel() * b.shape[-1]
    left, right = along(_batched(a), where), along(_batched(b).transpose(1, 2), where)
    effective, magnitudes = int((left * right).sum()), 0
    events = int(left.sum()), int(right.sum())
    call.origins.answer(a, events[0])
    call.origins.answer(b, events[1])
    if class_of((first.carries, second.carries), "products") == "integer_acs":
        counted = 0 if not first.carries.graded else 1
        sizes = [left, right]
        sizes[counted] = along((_batched(a), _batched(b).transpose(1, 2))[counted], where, whole=True)
        magnitudes = int((sizes[0] * sizes[1]).sum())
    entry.add(
        dense=dense, padded=dense, effective=effective, weighted=effective, spikes=magnitudes or effective,
        received=a.numel() + b.numel(), events=sum(events),
    )  # fmt: skip


def _batched(x: Tensor) -> Tensor:
    return x.reshape(-1, *x.shape[-2:])


def mm(call: Call) -> None:
    """a · b."""
    of_matrices(call, call.args[0], call.args[1])


def addmm(call: Call) -> None:
    """bias + a · b."""
    bias, a, b = call.args[:3]
    of_matrices(call, a, b, bias)
    if call.live(bias):
        plus(call, bias)


def plus(call: Call, bias: Tensor) -> None:
    """A sum with a signal, inside another operation."""
    values = size(call.out)
    entry = call.layer(Shape("Add", "elementwise"), call.origin(bias), made(call.parts()), name="add")
    entry.add(adds=values, received=2 * values, events=2 * values)


def mv(call: Call) -> None:
    """A matrix times a vector."""
    a, b = call.args[-2:]
    of_matrices(call, a, b[:, None])


def dot(call: Call) -> None:
    """Two vectors."""
    of_matrices(call, call.args[0][None], call.args[1][:, None])


def convolution(call: Call) -> None:
    """Every kind of convolution; transposed ones too."""
    x, w, bias, stride, padding, dilation, turned, _, groups = call.args[:9]
    if call.live(w):
        call.book.miss("convolution with a signal as its kernel", call.where("conv"), size(call.out), 0.0)
        return
    if not call.live(x):
        folded(call)
        return
    dims = w.ndim - 2
    x = _without_more(call, x, dims)
    kernel, stride, dilation = tuple(w.shape[2:]), _each(stride, dims), _each(dilation, dims)
    received, sent = tuple(x.shape[1:]), tuple(call.out.shape[1:])
    make = transposed if turned else conv
    before = _each(padding, dims)
    key = (received, sent, stride, before, dilation, groups, turned)
    fan = call.fans.get(w, key, lambda held: make(array_of(held), received, sent, stride, before, dilation, groups))
    more = {
        "kernel": kernel, "stride": stride, "groups": groups, "channels": (received[0], sent[0]),
        "weights": w.numel(), "biases": 0 if bias is None else bias.numel(),
    }  # fmt: skip
    name = f"conv_transpose{dims}d" if turned else f"conv{dims}d"
    shape = Shape("ConvTranspose" if turned else "Conv", "synapses", more, (call.places.weight(w), kernel, stride))
    origin = call.origin(x)
    sums = look(x, call.where(name), fan, whole=small(origin))
    call.origins.answer(x, sums.events)
    numbers = pairs(sums, fan.dense * len(x), fan.padded * len(x))
    adds = 0 if bias is None else call.out.numel()
    call.layer(shape, origin, name=name).add(**numbers, received=sums.values, events=sums.events, bias_adds=adds)


def _without_more(call: Call, x: Tensor, dims: int) -> Tensor:
    """x without the zeros that torch puts behind it where 'same' padding is odd: they connect nothing."""
    module = call.places.stack[-1].module if call.places.stack else None
    if isinstance(module, nn.modules.conv._ConvNd) and module.padding == "same":
        for dim in range(2, 2 + dims):
            x = x.narrow(dim, 0, call.out.shape[dim])
    return x


def _each(value: Any, dims: int) -> tuple[int, ...]:
    given = tuple(int(each) for each in value)
    return given * dims if len(given) == 1 else given


def multiplied(call: Call) -> None:
    """a · b of two signals, value by value: a pair where neither is 0."""
    a, b = call.args[:2]
    first, second = call.origin(a), call.origin(b)
    numbers = together(call, a, b)
    call.layer(Shape("Multiply", "products"), first, second, name="mul").add(**numbers)


def together(call: Call, a: Tensor, b: Tensor) -> dict[str, int]:
    """The numbers of a product, value by value."""
    first, second = call.origin(a), call.origin(b)
    values, effective = size(call.out), both(a, b)
    spikes = effective
    if class_of((first.carries, second.carries), "products") == "integer_acs":
        counted = a if not first.carries.graded else b
        spikes = int((counted.abs() * ((a != 0) & (b != 0))).sum().item())
    pair = {"dense": values, "padded": values, "effective": effective, "weighted": effective, "spikes": spikes}
    return {**pair, "received": a.numel() + b.numel(), "events": call.events(a) + call.events(b)}


ROWS: Mapping[str, Row] = {
    **dict.fromkeys(("mm", "bmm"), Row(real, mm, always=True)),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm"), Row(real, addmm, always=True)),
    **dict.fromkeys(("mv",), Row(real, mv, always=True)),
    **dict.fromkeys(("dot", "vdot"), Row(real, dot, always=True)),
    **dict.fromkeys(("convolution", "_convolution", "convolution_overrideable"), Row(real, convolution, always=True)),
}
"""An operation by its name."""
