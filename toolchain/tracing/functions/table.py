"""The whole table: what each torch function becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from ..operation import Cannot, Operation, Row
from ..values import Tracked
from . import activations, elementwise, hosts, indexing, layers, logic, reductions, shapes, writes

ROWS: Mapping[str, Row] = {
    **hosts.ROWS,
    **elementwise.ROWS,
    **activations.ROWS,
    **logic.ROWS,
    **shapes.ROWS,
    **indexing.ROWS,
    **layers.ROWS,
    **reductions.ROWS,
    **writes.ROWS,
}
"""A function or method by its bare name."""

INSTEAD: Mapping[str, tuple[str, str]] = {
    # a name: (what is expected, what to do instead)
    **dict.fromkeys(
        ("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"),
        ("a loop over time", "write the cell with linear layers and activations in a loop over time"),
    ),
    "multi_head_attention_forward": (
        "linear layers and scaled_dot_product_attention",
        "write the heads with them, and pass host=True",
    ),
    **dict.fromkeys(
        ("argmax", "argmin", "topk", "sort", "argsort", "kthvalue", "median", "mode"),
        ("values, no positions", "answer with the values, and leave the choice to the caller"),
    ),
    **dict.fromkeys(("flip", "roll"), ("the order as it is", "reorder the input before the network")),
    "set data": ("a tensor that keeps its values", "make a new tensor"),
    **dict.fromkeys(
        ("any", "all", "nonzero", "unique", "isnan", "isinf", "isfinite"),
        ("tensors all the way", "leave checks of values out of forward"),
    ),
}
"""What to do instead of operations for which there is no node."""


def row_of(op: Operation, func: Callable[..., Any]) -> Row:
    """The row for a call, or one that refuses it."""
    if isinstance(func, (torch.jit.ScriptFunction, torch._C.ScriptMethod)):
        return _scripted
    signals = sum(isinstance(each, Tracked) for each in op.args[:2])
    if signals == 2 and op.name in hosts.OF_TWO_SIGNALS:
        return hosts.OF_TWO_SIGNALS[op.name]
    return ROWS.get(op.name, _refused)


def _scripted(*_: Any, **__: Any) -> Any:
    raise Cannot("a scripted function or module", "plain Python", "trace the module before torch.jit turns it around")


def _refused(op: Operation, *_: Any, **__: Any) -> Any:
    expected, fix = INSTEAD.get(
        op.name, ("an operation of the tables", "write it with others, or keep it out of the network")
    )
    raise Cannot(f"{op.name}, for which there is no node", expected, fix)
