"""Folding BatchNorm and Scale: every layer that takes them up, every node they pass, every reason against it."""

from collections.abc import Sequence

import numpy as np
import pytest
from spikeport.toolchain.graph import Graph, GraphBuilder, Node, chain, later
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Activation,
    AdaptiveLIF,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Contract,
    Conv,
    ConvTranspose,
    CubaIntegrator,
    CubaLIF,
    Delay,
    Flatten,
    Input,
    Integrator,
    LeakyIntegrator,
    MaxPool,
    Mean,
    Output,
    Pad,
    Permute,
    Reshape,
    Scale,
    StateSpace,
    Sum,
    SumPool,
    TemporalKernel,
)
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import PassResult, make
from support.same_function import assert_same_function

rng = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    return rng.normal(size=shape)


def batchnorm(channels: int) -> BatchNorm:
    return BatchNorm(normal(channels), rng.uniform(0.5, 2, channels), normal(channels), normal(channels))


def line(shape: tuple[int, ...], nodes: Sequence[tuple[str, Node]]) -> Graph:
    return chain([("in", Input(shape)), *nodes, ("out", Output())])


def fold(graph: Graph) -> PassResult:
    return make("fold_batchnorm")(graph)


def reasons(graph: Graph) -> list[str]:
    result = fold(graph)
    assert result.graph is graph
    return [refusal.text() for refusal in result.refusals]


def folded(graph: Graph, text: str) -> Graph:
    """The graph behind the pass, which has done just this, and whose function is the same."""
    result = fold(graph)
    assert [change.text() for change in result.changes] == [text]
    assert_same_function(graph, result.graph, exact=False)
    return result.graph


BEHIND = {
    "affine": ((4,), Affine(normal(3, 4)), batchnorm(3)),
    "affine, with a bias": ((2, 4), Affine(normal(3, 4), normal(3)), Scale(normal(3), normal(1, 3))),
    "conv": ((2, 9), Conv(normal(3, 2, 3), normal(3), 2, (1, 0)[0]), batchnorm(3)),
    "conv, padded and grouped": ((4, 5, 6), Conv(normal(6, 2, 3, 2), None, (1, 2), 1, 1, 2), batchnorm(6)),
    "transposed, grouped": ((4, 5, 6), ConvTranspose(normal(4, 3, 3, 2), None, (1, 2), 1, (0, 1), 1, 2), batchnorm(6)),
    "transposed, with a bias": ((4, 5), ConvTranspose(normal(4, 3, 3), normal(3), 2), batchnorm(3)),
    "kernel": ((2, 5), TemporalKernel(normal(4, 3, 2)), batchnorm(3)),
    "contraction": ((3, 5), Contract("cv,vwc->wc", normal(5, 4, 3)), Scale(normal(4, 3))),
    "contraction, one axis": ((3, 5), Contract("cv,vw->cw", normal(5, 4)), Scale(normal(4))),
    "recursion": ((3, 2), StateSpace(normal(3, 2) / 4, normal(3, 2), normal(3, 2), normal(3)), Scale(normal(3, 1))),
    "complex recursion": (
        (3,),
        StateSpace((normal(3, 2) + 1j) / 4, normal(3, 2), normal(3, 2) * 1j),
        Scale(normal(3)),
    ),
}


@pytest.mark.parametrize("case", BEHIND)
def test_a_layer_takes_up_what_is_behind_it(case: str) -> None:
    shape, layer, scale = BEHIND[case]
    graph = line(shape, [("layer", layer), ("norm", scale), ("after", Activation("relu"))])
    after = folded(graph, "folded norm into layer")
    assert list(after.nodes) == ["in", "layer", "after", "out"]
    assert after.wires["after"] == graph.wires["norm"]


AHEAD = {
    "affine": ((4,), batchnorm(4), Affine(normal(3, 4))),
    "affine, with a bias": ((2, 4), Scale(normal(4), normal(1, 4)), Affine(normal(3, 4), normal(3))),
    "conv": ((2, 9), batchnorm(2), Conv(normal(3, 2, 3), normal(3), 2)),
    "conv, padded and grouped": ((4, 5, 6), Scale(normal(4, 1, 1)), Conv(normal(6, 2, 3, 2), None, (1, 2), 1, 1, 2)),
    "conv, grouped": ((4, 5, 6), batchnorm(4), Conv(normal(6, 2, 3, 2), None, 1, 0, (1, 2), 2)),
    "transposed": ((4, 5), Scale(normal(4, 1)), ConvTranspose(normal(4, 3, 3), normal(6), 2, groups=2)),
    "kernel of one step": ((2, 5), batchnorm(2), TemporalKernel(normal(1, 3, 2))),
    "kernel": ((2, 5), Scale(normal(2, 1)), TemporalKernel(normal(4, 3, 2), normal(3))),
    "contraction": ((3, 5), Scale(normal(3, 5)), Contract("cv,vwc->wc", normal(5, 4, 3))),
    "recursion": ((3, 2), Scale(normal(3, 1)), StateSpace(normal(3, 2) / 4, normal(3, 2), normal(3, 2), normal(3))),
    "if": ((3, 2), batchnorm(3), IF()),
    "lif": ((3, 2), Scale(normal(3, 2), normal(2)), LIF(beta=0.5, gain=normal(3, 1), bias=0.1, when="next")),
    "cuba-lif": ((3, 2), Scale(normal(2)), CubaLIF(alpha=0.5, beta=0.5, reset="subtract", when="guarded")),
    "adaptive lif": ((3,), batchnorm(3), AdaptiveLIF(beta=0.5, adapt_decay=0.5, adapt_step=0.3, reset="subtract")),
    "integrator": ((3,), batchnorm(3), Integrator(v_start=0.5)),
    "leaky integrator": ((3,), Scale(2.0, 0.5), LeakyIntegrator(beta=normal(3) / 3)),
    "cuba integrator": ((3,), Scale(normal(3)), CubaIntegrator(alpha=0.5, beta=0.5)),
}


@pytest.mark.parametrize("case", AHEAD)
def test_a_layer_or_neuron_takes_up_what_is_ahead_of_it(case: str) -> None:
    shape, scale, layer = AHEAD[case]
    graph = line(shape, [("norm", scale), ("layer", layer)])
    after = folded(graph, "folded norm into layer")
    assert list(after.nodes) == ["in", "layer", "out"]


PASSED = {
    "flatten": ((2, 3, 2), [Flatten()], 12),
    "reshape and permute": ((2, 3, 2), [Permute((2, 0, 1)), Reshape((12,))], 12),
    "average": ((2, 4, 6), [AveragePool((2, 3)), Flatten()], 8),
    "average that does not count its padding": ((2, 5), [AveragePool(3, 2, 1, False, False), Flatten()], 6),
    "sum": ((2, 4), [SumPool(2), Flatten()], 4),
    "means": ((2, 4), [Mean((-1,))], 2),
    "means, kept": ((2, 4), [Mean((1,), keep=True), Flatten()], 2),
    "sums": ((2, 4), [Sum((1,))], 2),
}


@pytest.mark.parametrize("case", PASSED)
def test_both_ways_past_nodes_that_move_and_sum(case: str) -> None:
    shape, between, width = PASSED[case]
    names = [f"n{i}" for i in range(len(between))]
    path = list(zip(names, between, strict=True))
    ahead = line(shape, [("norm", batchnorm(shape[0])), *path, ("fc", Affine(normal(3, width)))])
    folded(ahead, f"folded norm into fc, past {' and '.join(names)}")
    if "reshape" not in case:
        norm = batchnorm(shape[0]) if width == shape[0] else Scale(np.repeat(normal(shape[0]), width // shape[0]), 0.5)
        conv = Conv(normal(shape[0], 1, *[1] * (len(shape) - 1)), groups=shape[0])
        behind = line(shape, [("conv", conv), *path, ("norm", norm), ("end", Activation("relu"))])
        folded(behind, f"folded norm into conv, past {' and '.join(reversed(names))}")


def test_back_past_a_permutation_goes_what_varies_along_an_axis() -> None:
    nodes = [("conv", Conv(normal(2, 2, 1, 1))), ("turn", Permute((2, 0, 1))), ("s", Scale(normal(2, 1), normal(2, 1)))]
    folded(line((2, 3, 4), [*nodes, ("end", Activation("relu"))]), "folded s into conv, past turn")


def test_past_a_maximum_go_positive_scales_alone() -> None:
    path = [("pool", MaxPool((2, 2))), ("conv", Conv(normal(2, 3, 1, 1)))]
    folded(line((3, 4, 4), [("s", Scale([[[0.5]], [[2]], [[1]]], 0.5)), *path]), "folded s into conv, past pool")
    assert reasons(line((3, 4, 4), [("s", Scale([[[0.5]], [[-2]], [[1]]])), *path])) == [
        "s stays: before it, in is Input, which takes up no scale; "
        "pool: a scale that is not positive turns a maximum into a minimum"
    ]


def test_past_delays_and_pads_go_scales_but_no_shifts() -> None:
    path = [("late", Delay((1, 0, 2))), ("pad", Pad(((0, 0), (1, 0)))), ("fc", Conv(normal(2, 3, 2)))]
    folded(
        line((3, 4), [("s", Scale(normal(3, 4))), ("late", path[0][1]), ("lif", LIF(beta=0.5))]),
        "folded s into lif, past late",
    )
    folded(line((3, 4), [("s", Scale(normal(3, 1))), *path]), "folded s into fc, past late and pad")
    (late,) = reasons(line((3, 4), [("s", Scale(normal(3, 1), 1.0)), *path]))
    assert late.endswith("; late: the steps before the first would miss the shift")
    (pad,) = reasons(line((3, 4), [("s", Scale(normal(3, 1), 1.0)), *path[1:]]))
    assert pad.endswith("; pad: the padding would see the shift")


def test_a_border_may_see_the_shift_where_every_place_has_its_own_weight() -> None:
    graph = line(
        (2, 5), [("norm", batchnorm(2)), ("pool", SumPool(3, 2, 1)), ("flat", Flatten()), ("fc", Affine(normal(3, 6)))]
    )
    folded(graph, "folded norm into fc, past pool and flat")
    conv = Conv(normal(2, 1, 1), groups=2)
    (reason,) = reasons(
        line((2, 5), [("conv", conv), ("pool", SumPool(3, 2, 1)), ("norm", batchnorm(2)), ("end", Activation("relu"))])
    )
    assert "pool: windows at the border hold fewer values and would see another shift; " in reason


def test_the_wires_that_stay_keep_their_delays() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((3,)))
    builder.add("sum", Add(), "in", later("norm"))
    builder.add("fc", Affine(normal(3, 3) / 4, normal(3)), "sum")
    builder.add("norm", batchnorm(3), "fc")
    builder.add("out", Output(), "norm")
    after = folded(builder.build(), "folded norm into fc")
    assert str(after.wires["sum"][1]) == "~fc"

    builder = GraphBuilder()
    builder.add("in", Input((3,)))
    builder.add("norm", batchnorm(3), later("in"))
    builder.add("fc", Affine(normal(3, 3)), "norm")
    builder.add("out", Output(), "fc")
    after = folded(builder.build(), "folded norm into fc")
    assert str(after.wires["fc"][0]) == "~in"


def test_a_delayed_wire_between_is_a_reason() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((3,)))
    builder.add("fc", Affine(normal(3, 3)), "in")
    builder.add("norm", batchnorm(3), later("fc"))
    builder.add("fc2", Affine(normal(3, 3)), later("norm"))
    builder.add("out", Output(), "fc2")
    assert reasons(builder.build()) == [
        "norm stays: the wire from fc to norm is delayed; the wire from norm to fc2 is delayed"
    ]


def test_a_layer_with_other_readers_is_a_reason() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((3, 4)))
    builder.add("conv1", Conv(normal(3, 3, 1)), "in")
    builder.add("bn1", batchnorm(3), "conv1")
    builder.add("add1", Add(), "conv1", "bn1", "bn1")
    builder.add("out", Output(), "add1")
    assert reasons(builder.build()) == ["bn1 stays: conv1 also feeds add1; bn1 feeds add1 more than once"]


WHY_NOT = {
    "varies along axis 0, not only along axis 1": ((3, 4), [("fc", Affine(normal(4, 4))), ("bn", batchnorm(3))]),
    "fc: it varies along axis 0": ((3, 4), [("bn", batchnorm(3)), ("fc", Affine(normal(4, 4)))]),
    "conv: its zero padding would miss the shift": (
        (3, 4),
        [("bn", batchnorm(3)), ("conv", Conv(normal(4, 3, 3), padding=1))],
    ),
    "up: its kernels overlap less at the border, and would see another shift there": (
        (3, 4),
        [("bn", batchnorm(3)), ("up", ConvTranspose(normal(3, 3, 3)))],
    ),
    "kernel: the steps before the first would miss the shift": (
        (3, 4),
        [("bn", batchnorm(3)), ("kernel", TemporalKernel(normal(2, 3, 3)))],
    ),
    "graph: it has no bias to take up the shift": (
        (3, 4),
        [("bn", Scale(normal(4), 1.0)), ("graph", Contract("cv,vw->cw", normal(4, 4)))],
    ),
    "graph: it varies along c, which the constant of 'cv,vw->cw' does not have": (
        (3, 4),
        [("bn", Scale(normal(3, 1))), ("graph", Contract("cv,vw->cw", normal(4, 4)))],
    ),
    "ssm: it has no bias to take up the shift": (
        (3, 4),
        [("bn", batchnorm(3)), ("ssm", StateSpace(normal(3, 1), normal(3, 1), normal(3, 1)))],
    ),
    "cuba: its synaptic current would see the shift build up": (
        (3, 4),
        [("bn", batchnorm(3)), ("cuba", CubaLIF(alpha=0.5, beta=0.5))],
    ),
    "pool: it varies along axis 1, over which values are put together": (
        (3, 4),
        [("bn", Scale(normal(3, 4))), ("pool", AveragePool(2)), ("end", LIF(beta=0.5))],
    ),
    "after it, relu is Activation, which is not linear": ((3, 4), [("bn", batchnorm(3)), ("relu", Activation("relu"))]),
    "before it, relu is Activation, which is not linear": (
        (3, 4),
        [("relu", Activation("relu")), ("bn", batchnorm(3))],
    ),
    "fc: its weights would no longer be finite": (
        (3,),
        [("fc", Affine(np.full((3, 3), 1e30, np.float32))), ("bn", Scale(np.full(3, 1e30)))],
    ),
}


@pytest.mark.parametrize("why", WHY_NOT)
def test_reasons_against_folding(why: str) -> None:
    shape, nodes = WHY_NOT[why]
    (reason,) = reasons(line(shape, nodes))
    assert reason.startswith("bn stays: ")
    assert why in reason


def test_a_sum_between_is_a_reason() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((3,)))
    builder.add("fc", Affine(normal(3, 3)), "in")
    builder.add("sum", Add(), "fc", "in")
    builder.add("bn", batchnorm(3), "sum")
    builder.add("out", Output(), "bn")
    assert reasons(builder.build()) == [
        "bn stays: before it, sum is Add, which reads other signals too; "
        "after it, out is Output, which takes up no scale"
    ]


def test_shared_weights_are_parted_and_the_change_says_so() -> None:
    weight = np.ones((3, 3))
    weight.flags.writeable = False
    graph = line(
        (3,), [("a", Affine(weight)), ("bn", batchnorm(3)), ("relu", Activation("relu")), ("b", Affine(weight))]
    )
    after = folded(graph, "folded bn into a; it no longer shares its weights with b")
    assert after.nodes["b"].weight is weight
    assert (weight == 1).all()


def test_the_type_of_the_result_is_the_layers_own_or_the_one_asked_for() -> None:
    graph = line(
        (3,), [("fc", Affine(normal(3, 3).astype(np.float32))), ("bn", batchnorm(3)), ("relu", Activation("relu"))]
    )
    own = fold(graph)
    assert [change.text() for change in own.changes] == [
        "folded bn into fc, computed in float64 and rounded to float32"
    ]
    assert {value.dtype for value in own.graph.nodes["fc"].arrays().values()} == {np.dtype(np.float32)}
    asked = make("fold_batchnorm", dtype="float64")(graph)
    assert [change.text() for change in asked.changes] == ["folded bn into fc"]
    assert {value.dtype for value in asked.graph.nodes["fc"].arrays().values()} == {np.dtype(np.float64)}
    assert_same_function(graph, asked.graph, exact=False)
    assert_same_function(graph, own.graph, exact=False, tolerance=1e-6)


def test_before_and_after_as_text() -> None:
    norm = BatchNorm([1.0, 0.0], [4.0, 0.25], [1.0, 1.0], [0.0, 3.0], epsilon=0.0)
    nodes = [("conv", Conv(np.ones((2, 2, 1)), [1.0, 2.0])), ("bn", norm), ("lif", LIF(beta=0.5))]
    graph = line((2, 2), [*nodes, ("s", Scale(2.0)), ("out_fc", Affine([[1.0, 0.5]]))])
    assert to_text(graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2,2]) : graded [2,2]\n"
        "  conv = Conv(in; weight=f64[2,2,1]{1.0, 1.0, 1.0, 1.0}, bias=f64[2]{1.0, 2.0}) : graded [2,2]\n"
        "  bn = BatchNorm(conv; mean=f64[2]{1.0, 0.0}, variance=f64[2]{4.0, 0.25}, weight=f64[2]{1.0, 1.0}, "
        "bias=f64[2]{0.0, 3.0}, epsilon=0.0) : graded [2,2]\n"
        "  lif = LIF(bn; beta=0.5) : spikes [2,2]\n"
        "  s = Scale(lif; scale=2.0) : graded [2,2]\n"
        "  out_fc = Affine(s; weight=f64[1,2]{1.0, 0.5}) : graded [2,1]\n"
        "  out = Output(out_fc) : graded [2,1]\n"
    )
    assert to_text(fold(graph).graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2,2]) : graded [2,2]\n"
        "  conv = Conv(in; weight=f64[2,2,1]{0.5, 0.5, 2.0, 2.0}, bias=f64[2]{0.0, 7.0}) : graded [2,2]\n"
        "  lif = LIF(conv; beta=0.5) : spikes [2,2]\n"
        "  out_fc = Affine(lif; weight=f64[1,2]{2.0, 1.0}) : graded [2,1]\n"
        "  out = Output(out_fc) : graded [2,1]\n"
    )
