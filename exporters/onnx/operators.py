"""Every operator that can be read: one row each, in the table of its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import (
    operators_functions,
    operators_joining,
    operators_linear,
    operators_normalising,
    operators_pooling,
    operators_quantised,
    operators_reducing,
    operators_shape,
    operators_values,
)
from .call import Call
from .values import Signal, Value

Row = Callable[[Call], Signal | list[Value]]

OPERATORS: Mapping[str, Row] = {
    **operators_linear.OPERATORS,
    **operators_pooling.OPERATORS,
    **operators_values.OPERATORS,
    **operators_functions.OPERATORS,
    **operators_reducing.OPERATORS,
    **operators_normalising.OPERATORS,
    **operators_shape.OPERATORS,
    **operators_joining.OPERATORS,
    **operators_quantised.OPERATORS,
}

MANY = 1 << 20
INPUTS: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(
        ("Conv", "ConvTranspose", "Gemm", "LayerNormalization", "QuantizeLinear", "DequantizeLinear"), (2, 3)
    ),
    **dict.fromkeys(("ConvInteger", "MatMulInteger"), (2, 4)),
    **dict.fromkeys(
        ("MatMul", "Add", "Sub", "Mul", "Div", "Mod", "Pow", "PRelu", "CumSum", "RMSNormalization"), (2, 2)
    ),
    **dict.fromkeys(("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "And", "Or", "Xor"), (2, 2)),
    **dict.fromkeys(("Expand", "Gather", "Tile"), (2, 2)),
    **dict.fromkeys(("Sum", "Mean", "Max", "Min", "Concat", "Einsum"), (1, MANY)),
    **dict.fromkeys(("Where", "GroupNormalization", "InstanceNormalization", "Range"), (3, 3)),
    **dict.fromkeys(("Clip", "Dropout"), (1, 3)),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Split", "Trilu"), (1, 2)),
    **{name: (1, 2) for name in OPERATORS if name.startswith("Reduce")},
    "ReduceProd": (1, 2),
    "BatchNormalization": (5, 5),
    "Slice": (1, 5),
    "Pad": (1, 4),
    "QLinearConv": (8, 9),
    "QLinearMatMul": (8, 8),
    "Constant": (0, 0),
}
"""The fewest and the most inputs of an operator, in any of its versions; one, where it is not listed."""
