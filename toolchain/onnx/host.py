"""Host operations: a row for each of the graph's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..graph.nodes import Host
from ..graph.nodes.base import axis_of
from .parts import Ops

Settings = Mapping[str, float]


def host(node: Host, ops: Ops, inputs: Sequence[str]) -> str:
    """The operation's row."""
    return OPERATIONS[node.operation](ops, inputs, node.settings or {})


def _axis(ops: Ops, settings: Settings) -> int:
    return axis_of(int(settings["axis"]), len(ops.shapes[0]), "axis") + 1


def _along(kind: str) -> Callable[[Ops, Sequence[str], Settings], str]:
    return lambda ops, inputs, settings: ops(kind, inputs[0], axis=_axis(ops, settings))


def _one(kind: str) -> Callable[[Ops, Sequence[str], Settings], str]:
    return lambda ops, inputs, _: ops(kind, inputs[0])


def _two(kind: str) -> Callable[[Ops, Sequence[str], Settings], str]:
    return lambda ops, inputs, _: ops(kind, *ops.aligned(inputs))


def _normalised(ops: Ops, x: str, axes: Sequence[int], epsilon: float) -> str:
    """(x − μ) / √(σ² + ε) over axes of the batch."""
    over = ops.sheet.ints(axes)
    centred = ops("Sub", x, ops("ReduceMean", x, over, label="mean"), label="centred")
    variance = ops("ReduceMean", ops("Mul", centred, centred, label="squared"), over, label="variance")
    spread = ops("Sqrt", ops("Add", variance, ops.sheet.number(epsilon), label="lifted"), label="spread")
    return ops("Div", centred, spread, label="normalised")


def _layer_norm(ops: Ops, inputs: Sequence[str], settings: Settings) -> str:
    """In float64 by basic operations: ε is a float32 number in LayerNormalization."""
    rank, axes = len(ops.shapes[0]), int(settings["axes"])
    if not ops.single:
        return _normalised(ops, inputs[0], range(rank - axes + 1, rank + 1), settings["epsilon"])
    return ops(
        "LayerNormalization", inputs[0], ops.ones(ops.shapes[0][rank - axes :]), axis=-axes, epsilon=settings["epsilon"]
    )  # fmt: skip


def _group_norm(ops: Ops, inputs: Sequence[str], settings: Settings) -> str:
    groups, shape = int(settings["groups"]), ops.shapes[0]
    split = ops.reshape(inputs[0], (groups, -1), "groups")
    return ops.reshape(_normalised(ops, split, [2], settings["epsilon"]), shape, "joined")


def _greater(ops: Ops, inputs: Sequence[str], _: Settings) -> str:
    return ops("Cast", ops("Greater", *ops.aligned(inputs)), to=ops.dtype)


def _power(ops: Ops, inputs: Sequence[str], settings: Settings) -> str:
    return ops("Pow", inputs[0], ops.sheet.number(settings["exponent"]))


def _cumsum(ops: Ops, inputs: Sequence[str], settings: Settings) -> str:
    return ops("CumSum", inputs[0], ops.sheet.index(_axis(ops, settings)))


def _extreme(ops: Ops, inputs: Sequence[str], settings: Settings) -> str:
    kind = "ReduceMax" if settings["largest"] else "ReduceMin"
    return ops(kind, inputs[0], ops.sheet.ints([_axis(ops, settings)]), keepdims=0)


def _fft(ops: Ops, inputs: Sequence[str], settings: Settings) -> str:
    """DFT makes a last axis of real and imaginary parts, which goes to the front."""
    rank = len(ops.shapes[0])
    real = ops("Unsqueeze", inputs[0], ops.sheet.ints([rank + 1]), label="real")
    spectrum = ops("DFT", real, "", ops.sheet.index(_axis(ops, settings)))
    return ops("Transpose", spectrum, perm=[0, rank + 1, *range(1, rank + 1)])


OPERATIONS: Mapping[str, Callable[[Ops, Sequence[str], Settings], str]] = {
    "softmax": _along("Softmax"),
    "log_softmax": _along("LogSoftmax"),
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "matmul": _two("MatMul"),
    "divide": _two("Div"),
    "maximum": _two("Max"),
    "minimum": _two("Min"),
    "greater": _greater,
    "exp": _one("Exp"),
    "log": _one("Log"),
    "sqrt": _one("Sqrt"),
    "reciprocal": _one("Reciprocal"),
    "sin": _one("Sin"),
    "cos": _one("Cos"),
    "power": _power,
    "cumsum": _cumsum,
    "extreme": _extreme,
    "fft": _fft,
}
"""Every host operation; a test holds this table to the graph's."""
