"""Sums, means and extremes over axes, running sums, and contractions written as equations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ...toolchain.graph.nodes import Activation, Host, Mean, Node, Pad, Sum
from ...toolchain.graph.nodes.base import brief, need
from .call import LETTERS, Call
from .layout import MIXED, NO_BATCH, Layout
from .operators_linear import contracted, multiplied
from .operators_values import added, scaled
from .picking import picked
from .values import Constant, Signal

Row = Callable[[Call], Signal]


def _over(call: Call, x: Signal) -> tuple[int, ...]:
    """The axes that go; all of them where none is told."""
    axes = call.axes("axes", 1)
    if not axes:
        return () if call.flag("noop_with_empty_axes") else tuple(range(x.layout.rank))
    call.ignore("noop_with_empty_axes")
    places = tuple(x.layout.axis(axis) for axis in axes)
    need(len(set(places)) == len(places), "axes", brief(str(axes)), "each axis once")
    return places


def _left(layout: Layout, axes: Sequence[int], *, keep: bool) -> Layout:
    if not keep:
        return layout.without(axes)
    for axis in axes:
        layout = layout.with_size(axis, 1)
    return layout


def over_axes(
    call: Call, x: Signal, axes: Sequence[int], kind: type[Mean | Sum], *, keep: bool, part: str = ""
) -> Signal:
    """A mean or a sum over axes of the file's tensor."""
    places = tuple(x.layout.place(axis, f"a {kind.__name__.lower()}") for axis in axes)
    if not places:
        return x
    return call.emit(kind(places, keep), x, layout=_left(x.layout, axes, keep=keep), part=part)


def largest(call: Call, x: Signal, axes: Sequence[int], *, most: bool, keep: bool, part: str = "") -> Signal:
    """A maximum or minimum over axes, one after the other, the last first."""
    y = x
    for number, axis in enumerate(sorted(axes, reverse=True)):
        place = y.layout.place(axis, "an extreme")
        name = part if not keep and number == len(axes) - 1 else f"{part}.axis{axis}".lstrip(".")
        node = Host("extreme", {"axis": place, "largest": int(most)})
        y = call.emit(node, y, layout=y.layout.without([axis]), part=name)
    return call.reshaped(y, _left(x.layout, axes, keep=keep), part) if axes else y


def reduced(kind: type[Mean | Sum], before: Node | None = None, after: Node | None = None) -> Row:
    """A function of each value, a mean or sum over axes, and a function of that."""

    def row(call: Call) -> Signal:
        x, keep = call.real(), call.flag("keepdims", True)
        axes = _over(call, x)
        y = x if before is None else call.emit(before, x, part="" if not axes and after is None else "each")
        y = over_axes(call, y, axes, kind, keep=keep, part="" if after is None else "total")
        return y if after is None else call.emit(after, y)

    return row


def extreme(*, most: bool) -> Row:
    """A maximum or minimum over axes."""

    def row(call: Call) -> Signal:
        x, keep = call.real(), call.flag("keepdims", True)
        return largest(call, x, _over(call, x), most=most, keep=keep)

    return row


def log_sum_exp(call: Call) -> Signal:
    """log Σ eˣ = m + log Σ e^(x − m), m the maximum."""
    x, keep = call.real(), call.flag("keepdims", True)
    axes = _over(call, x)
    most = largest(call, x, axes, most=True, keep=True, part="most")
    low = added(call, [x, scaled(call, most, -1.0, None, "minus")], "moved")
    total = over_axes(call, call.emit(Host("exp"), low, part="exp"), axes, Sum, keep=True, part="total")
    y = added(call, [call.emit(Host("log"), total, part="log"), most], "" if keep else "whole")
    return y if keep else call.reshaped(y, _left(x.layout, axes, keep=False), "")


def running(call: Call) -> Signal:
    """Σ of all values up to each, from one end or the other, with itself or without."""
    x, axis = call.real(), int(call.number(1, "axis"))
    axis = x.layout.axis(axis)
    place, n = x.layout.place(axis, "a running sum"), x.layout.sizes[axis]
    exclusive, reverse = call.flag("exclusive"), call.flag("reverse")
    if reverse:
        x = picked(call, x, axis, range(n - 1, -1, -1), "turned")
    if exclusive:
        x = _later(call, x, axis, place)
    y = call.emit(Host("cumsum", {"axis": place}), x, part="sums" if reverse else "")
    return picked(call, y, axis, range(n - 1, -1, -1), "") if reverse else y


def _later(call: Call, x: Signal, axis: int, place: int) -> Signal:
    """x[k − 1], 0 before the first."""
    n, rank = x.layout.sizes[axis], len(x.layout.sample)
    node = Pad(tuple((1, 0) if k == place else (0, 0) for k in range(rank)))
    longer = call.emit(node, x, layout=x.layout.with_size(axis, n + 1), part="zero")
    return picked(call, longer, axis, range(n), "later")


def einsum(call: Call) -> Signal:
    """Σ over the letters that are not in the result."""
    terms, out = _equation(call)
    signals = [(v, t) for v, t in zip(call.inputs, terms, strict=True) if isinstance(v, Signal)]
    for signal, term in signals:
        need(
            len(term) == signal.layout.rank and signal.real,
            "equation",
            f"'{term}' for {signal.layout}",
            "a letter an axis",
        )
    constants = [(v.plain(), t) for v, t in zip(call.inputs, terms, strict=True) if isinstance(v, Constant)]
    if len(signals) == 1 and not constants:
        return _summed(call, *signals[0], out)
    need(len(terms) == 2, "equation", f"{len(terms)} tensors", "one or two")
    need(bool(signals), "inputs", "constants alone", "at least one signal")
    if constants:
        return contracted(call, *signals[0], *constants[0], out)
    return _product_of_two(call, *signals[0], *signals[1], out)


def _equation(call: Call) -> tuple[list[str], str]:
    """The letters of every input and of the result; `...` as letters of its own."""
    equation = call.text("equation").replace(" ", "")
    left, arrow, out = equation.partition("->")
    terms = left.split(",")
    count = len(call.inputs)
    need(len(terms) == count, "equation", f"{len(terms)} terms", f"one for each of {count} inputs")
    if not arrow:
        once = sorted(c for c in set(left) - {",", "."} if left.count(c) == 1)
        out = "".join(["..." if "..." in left else "", *once])
    if "..." in equation:
        terms, out = _spelled(call, terms, out)
    letters = "".join((*terms, out))
    fits = all(len(set(t)) == len(t) for t in (*terms, out)) and set(letters) <= set(LETTERS) and all(terms)
    need(fits and set(out) <= set("".join(terms)), "equation", f"'{brief(equation)}'", "letters, each once in a term")
    return terms, out


def _spelled(call: Call, terms: Sequence[str], out: str) -> tuple[list[str], str]:
    """`...` of every term stands for the axes that it has no letters for, the last of them the same in all."""
    ranks = [v.layout.rank if isinstance(v, Signal) else call.constant(k).ndim for k, v in enumerate(call.inputs)]
    counts = [rank + 3 - len(term) if "..." in term else 0 for term, rank in zip(terms, ranks, strict=True)]
    used = set("".join((*terms, out)))
    free = "".join(c for c in LETTERS if c not in used)[: max(counts)]
    fits = min(counts) >= 0 and len(free) == max(counts) and "..." in out
    need(fits, "equation", "'...' for no axes, or not in the result", "'...' for the axes without a letter, kept")
    spelled = [term.replace("...", free[len(free) - n :], 1) for term, n in zip(terms, counts, strict=True)]
    return spelled, out.replace("...", free, 1)


def _summed(call: Call, x: Signal, terms: str, out: str) -> Signal:
    gone = [k for k, c in enumerate(terms) if c not in out]
    y = over_axes(call, x, gone, Sum, keep=False, part="" if _kept(terms, out) == out else "total")
    rest = _kept(terms, out)
    return call.permuted(y, [rest.index(c) for c in out], "")


def _kept(terms: str, out: str) -> str:
    return "".join(c for c in terms if c in out)


def _product_of_two(call: Call, a: Signal, a_terms: str, b: Signal, b_terms: str, out: str) -> Signal:
    """As a matrix product: letters of both and the result first, then those of one alone, then those that go."""
    both = [c for c in a_terms if c in b_terms and c in out]
    inner = [c for c in a_terms if c in b_terms and c not in out]
    rows, columns = ([c for c in t if c not in o] for t, o in ((a_terms, b_terms), (b_terms, a_terms)))
    alone = [c for c in (*rows, *columns) if c not in out]
    need(
        not alone, "equation", f"a sum over '{''.join(alone)}' of one tensor alone", "letters of both, or of the result"
    )
    sizes = {c: n for t, s in ((a_terms, a), (b_terms, b)) for c, n in zip(t, s.layout.sizes, strict=True)}
    batch = {t[s.layout.batch] for t, s in ((a_terms, a), (b_terms, b)) if s.layout.batch is not None}
    fits = batch <= set(both) and len(batch) <= 1 and not (a.layout.folded or b.layout.folded)
    need(fits, "batch", "a product over the batch", MIXED, NO_BATCH)

    def matrix(x: Signal, terms: str, first: list[str], second: list[str], name: str) -> Signal:
        moved = call.permuted(x, [terms.index(c) for c in (*both, *first, *second)], f"{name}.order")
        lead = moved.layout.sizes[: len(both)]
        flat = (int(np.prod([sizes[c] for c in group])) for group in (first, second))
        layout = Layout((*lead, *flat), moved.layout.batch)
        return call.reshaped(moved, layout, f"{name}.matrix")

    left, right = matrix(a, a_terms, rows, inner, "a"), matrix(b, b_terms, inner, columns, "b")
    y = multiplied(call, left, right, "product")
    wide = Layout(tuple(sizes[c] for c in (*both, *rows, *columns)), y.layout.batch)
    order = [*both, *rows, *columns]
    return call.permuted(call.reshaped(y, wide, "axes"), [order.index(c) for c in out], "")


OPERATORS: Mapping[str, Row] = {
    "ReduceMean": reduced(Mean),
    "ReduceSum": reduced(Sum),
    "ReduceL1": reduced(Sum, Activation("abs")),
    "ReduceL2": reduced(Sum, Activation("square"), Host("sqrt")),
    "ReduceSumSquare": reduced(Sum, Activation("square")),
    "ReduceLogSum": reduced(Sum, None, Host("log")),
    "ReduceLogSumExp": log_sum_exp,
    "ReduceMax": extreme(most=True),
    "ReduceMin": extreme(most=False),
    "CumSum": running,
    "Einsum": einsum,
}
