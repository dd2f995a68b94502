"""Lowering transposed convolutions: zeros between, kernels turned round."""

import numpy as np
import pytest
from hypothesis import given, settings
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Graph, chain
from spikeport.toolchain.graph.nodes import ConvTranspose, Input, Output
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import make
from support.random_graphs import seeds
from support.same_function import assert_same_function

lower = make("lower_convtranspose")
rng = np.random.default_rng(6)


def line(shape: tuple[int, ...], node: ConvTranspose) -> Graph:
    return chain([("in", Input(shape)), ("up", node), ("out", Output())])


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


CASES = {
    "": ((2, 5), ConvTranspose(normal(2, 3, 3), normal(3)), ["Conv"]),
    " with 1 zeros between values": (
        (4, 5),
        ConvTranspose(normal(4, 2, 4), None, 2, 1, groups=2),
        ["Reshape", "Pad", "Reshape", "Conv"],
    ),
    " with 1 and 2 zeros between values": (
        (2, 4, 3),
        ConvTranspose(normal(2, 3, 1, 3), None, (2, 3), 0, (1, 2), (1, 2)),
        ["Reshape", "Pad", "Reshape", "Conv"],
    ),
    " with 2 and 0 zeros between values": (
        (2, 4, 1),
        ConvTranspose(normal(2, 3, 1, 3), None, (3, 2)),
        ["Reshape", "Pad", "Reshape", "Slice", "Conv"],
    ),
}


@pytest.mark.parametrize("between", CASES)
def test_it_becomes_a_convolution(between: str) -> None:
    shape, node, kinds = CASES[between]
    graph = line(shape, node)
    result = lower(graph)
    assert [change.text() for change in result.changes] == [f"lowered up, a ConvTranspose, to a Conv{between}"]
    assert [each.kind for each in result.graph.nodes.values()][1:-1] == kinds
    assert_same_function(graph, result.graph, exact=False)


def test_padding_beyond_the_kernel_is_refused() -> None:
    graph = line((2, 9), ConvTranspose(normal(2, 3, 2), None, 1, 2))
    result = lower(graph)
    assert result.graph is graph
    assert [refusal.text() for refusal in result.refusals] == [
        "up stays: its padding ((2, 2),) cuts off more than its kernel reaches"
    ]


@settings(max_examples=60, deadline=None)
@given(seeds())
def test_any_form_keeps_its_function(seed: int) -> None:
    draw = np.random.default_rng(seed)
    dims, groups = int(draw.integers(1, 4)), int(draw.choice([1, 2]))
    kernel, stride, dilation = (tuple(draw.integers(1, 4, dims).tolist()) for _ in range(3))
    padding = tuple(tuple(draw.integers(0, 3, 2).tolist()) for _ in range(dims))
    extra = tuple(draw.integers(0, 3, dims).tolist())
    weight, bias = draw.normal(size=(4, 2, *kernel)), draw.normal(size=2 * groups)
    try:
        graph = line(
            (4, *draw.integers(1, 5, dims).tolist()),
            ConvTranspose(weight, bias, stride, padding, extra, dilation, groups),
        )
    except GraphError:
        return
    result = lower(graph)
    assert result.changes or "cuts off" in result.refusals[0].why
    assert_same_function(graph, result.graph, exact=False)


def test_before_and_after_as_text() -> None:
    graph = line((1, 2), ConvTranspose([[[1.0, 2.0]]], None, 2))
    assert to_text(graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[1,2]) : graded [1,2]\n"
        "  up = ConvTranspose(in; weight=f64[1,1,2]{1.0, 2.0}, stride=[2]) : graded [1,4]\n"
        "  out = Output(up) : graded [1,4]\n"
    )
    assert to_text(lower(graph).graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[1,2]) : graded [1,2]\n"
        "  up_apart = Reshape(in; shape=[1,2,1]) : graded [1,2,1]\n"
        "  up_zeros = Pad(up_apart; widths=[[0,0],[0,0],[0,1]]) : graded [1,2,2]\n"
        "  up_spread = Reshape(up_zeros; shape=[1,4]) : graded [1,4]\n"
        "  up = Conv(up_spread; weight=f64[1,1,2]{2.0, 1.0}, padding=[[1,0]]) : graded [1,4]\n"
        "  out = Output(up) : graded [1,4]\n"
    )
