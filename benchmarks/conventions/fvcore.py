"""The convention of fvcore's FlopCountAnalysis (0.1.5), which most networks for skeletons print; pyskl's on top of it.

    convolution    batch · weights · positions (of the output; of the input when transposed)
    linear, matmul, mm, addmm, bmm     one for every multiply-accumulate
    einsum         numpy's optimised path: its FLOPs, which it prints with four digits, halved and rounded down
    batch norm     2 · inputs, 1 without weights; in train mode 5 and 4, as layer, group and instance norm always
    adaptive average pool in 2-d   inputs        nearest, bilinear upsampling, grid sampling   1, 4, 4 · outputs

It reads the graph that torch.jit traces, where a convolution with padding="same" is another operation, which it has no
rule for. What it has no rule for counts nothing: FFT, attention in one call, whole recurrent layers, and, as zero on
purpose, everything that works on one value at a time.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from math import floor, prod
from typing import Any

import numpy as np
import torch
from torch import nn

from .table import Tally
from .watching import FREE, by_place, copied, lines, run, undisturbed

Shape = tuple[int, ...]
Rule = Callable[[Sequence[Any], Any], int]
"""Operations of a node of the traced graph, from its inputs and its output."""


def _shape(value: Any) -> Shape:
    """The shape of a value of the graph; () for what is no tensor."""
    return tuple(value.type().sizes()) if value.isCompleteTensor() else ()


def _convolution(inputs: Sequence[Any], output: Any) -> int:
    image, weight = _shape(inputs[0]), _shape(inputs[1])
    positions = (image if inputs[6].toIValue() else _shape(output))[2:]
    return image[0] * prod(weight) * prod(positions)


def _linear(inputs: Sequence[Any], output: Any) -> int:
    return prod(_shape(inputs[0])) * _shape(inputs[1])[0]


def _matmul(inputs: Sequence[Any], output: Any) -> int:
    left, right = _shape(inputs[0]), _shape(inputs[1])
    return prod(left) * (right[-1] if len(right) > 1 else 1)


def _addmm(inputs: Sequence[Any], output: Any) -> int:
    return _matmul(inputs[1:3], output)


def _einsum(inputs: Sequence[Any], output: Any) -> int:
    shapes = [_shape(value) for value in inputs[1].node().inputs()]
    return einsum(inputs[0].toIValue(), shapes)


EXACT_EINSUMS = ("abc,abd->acd", "abc,adc->adb")
"""Two batched matrix products, which are counted without numpy, and so to the last digit."""


def einsum(equation: str, shapes: Sequence[Shape]) -> int:
    """⌊FLOPs of the best path, to four digits, / 2⌋."""
    equation = equation.replace(" ", "")
    letters = dict.fromkeys(letter for letter in equation if letter.isalpha())
    renamed = equation.translate({ord(letter): ord("a") + place for place, letter in enumerate(letters)})
    if renamed in EXACT_EINSUMS:
        return prod(shapes[0]) * shapes[-1][-1 if renamed == EXACT_EINSUMS[0] else 1]
    operands = [np.broadcast_to(np.zeros(()), shape) for shape in shapes]
    report = np.einsum_path(equation, *operands, optimize="optimal")[1]
    line = next(line for line in report.splitlines() if "optimized flop" in line.lower())
    return floor(float(line.split(":")[-1]) / 2)


def _norm(affine: int) -> Rule:
    return lambda inputs, output: prod(_shape(inputs[0])) * (5 if inputs[affine].isCompleteTensor() else 4)


def _batch_norm(inputs: Sequence[Any], output: Any) -> int:
    if inputs[5].toIValue():
        return _norm(1)(inputs, output)
    return prod(_shape(inputs[0])) * (2 if inputs[1].isCompleteTensor() else 1)


def _outputs(times: int) -> Rule:
    return lambda inputs, output: times * prod(_shape(output))


def _inputs(inputs: Sequence[Any], output: Any) -> int:
    return prod(_shape(inputs[0]))


RULES: Mapping[str, Rule] = {
    "_convolution": _convolution,
    "linear": _linear,
    "matmul": _matmul,
    "mm": _matmul,
    "addmm": _addmm,
    "bmm": lambda inputs, output: prod(_shape(inputs[0])) * _shape(inputs[1])[-1],
    "einsum": _einsum,
    "batch_norm": _batch_norm,
    "layer_norm": _norm(2),
    "group_norm": _norm(2),
    "instance_norm": _norm(1),
    "upsample_nearest2d": _outputs(1),
    "upsample_bilinear2d": _outputs(4),
    "grid_sampler": _outputs(4),
    "adaptive_avg_pool2d": _inputs,
}
"""aten operations of a traced graph, and what they count."""

SILENT = FREE | {"Int", "ScalarImplicit", "size", "eq", "gt", "ge", "__and__", "floor_divide", "remainder", "nonzero"}
"""What counts nothing there and is no work either; a ReLU or a clamp is, and is listed."""


def count(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """Sums over the nodes of the traced graph; without a value where torch.jit cannot trace a network that runs."""
    total, missed = 0, dict[str, Counter[str]]()
    try:
        graph = traced(copied(module, train), inputs)
    except RuntimeError as error:
        with undisturbed(grad=True):
            run(copied(module, train), inputs)
        return Tally(
            {}, (f"{type(module).__name__}: all of it, torch.jit cannot trace it: {str(error).splitlines()[0]}",)
        )
    for node in graph.nodes():
        kind, scope = node.kind(), node.scopeName().split("/")[-1] or type(module).__name__
        name = node.pyname() if kind == "prim::PythonOp" else kind.removeprefix("aten::").rstrip("_")
        if name in RULES:
            total += RULES[name](list(node.inputs()), next(iter(node.outputs())))
        elif name not in SILENT and not _whole(node) and (kind == "prim::PythonOp" or not kind.startswith("prim::")):
            missed.setdefault(scope, Counter())[name] += 1
    return Tally({"flops": total}, lines(missed))


def _whole(node: Any) -> bool:
    """Whether an operation is on whole numbers: batch norm counts its batches."""
    return any(each.isCompleteTensor() and each.type().scalarType() == "Long" for each in node.outputs())


def count_pyskl(module: nn.Module, inputs: Any, train: bool) -> Tally:
    """The same number; its G is 1024³."""
    found = count(module, inputs, train)
    printed = f"FLOPs: {found.values['flops'] / 1024**3:.4f} G" if found.values else ""
    return Tally(found.values, found.misses, 1, printed)


def traced(module: nn.Module, inputs: Any) -> Any:
    """The graph of one run, each node with the path of its module as its scope."""
    with ExitStack() as hooks, undisturbed(grad=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, about control flow: the graph is counted and never run
        for name, child in module.named_modules():
            hooks.enter_context(child.register_forward_pre_hook(_entering(name)))
            hooks.enter_context(child.register_forward_hook(_leaving))
        graph, *_ = _trace(module, by_place(module, inputs))
    return graph


_trace: Any = torch.jit._get_trace_graph  # type: ignore[attr-defined]


def _entering(name: str) -> Callable[[nn.Module, Any], None]:
    def enter(module: nn.Module, given: Any) -> None:
        if state := torch._C._get_tracing_state():
            state.push_scope(name)

    return enter


def _leaving(module: nn.Module, given: Any, gave: Any) -> None:
    if state := torch._C._get_tracing_state():
        state.pop_scope()
