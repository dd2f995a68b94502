"""The fixed form: fields, nodes in a row, terms, order; and what it leaves alone."""

import numpy as np
import pytest
from spikeport.toolchain.graph import Graph, GraphBuilder, Node, Wire, chain, later
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Activation,
    AdaptiveLIF,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Concat,
    Conv,
    ConvTranspose,
    CubaIntegrator,
    CubaLIF,
    Delay,
    Delta,
    Flatten,
    Input,
    Integrator,
    LeakyIntegrator,
    Mean,
    Multiply,
    Output,
    Pad,
    Permute,
    Reshape,
    ResonateFire,
    Scale,
    SigmaDelta,
    Slice,
    Sum,
    TemporalKernel,
)
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import make
from spikeport.toolchain.passes.plain import RULES
from support.same_function import assert_same_function

canonicalise = make("canonicalise")


def line(shape: tuple[int, ...], *nodes: Node) -> Graph:
    named = [(f"n{i + 1}", node) for i, node in enumerate(nodes)]
    return chain([("in", Input(shape)), *named, ("out", Output())])


def canonical(graph: Graph) -> list[str]:
    """The lines of the text of the inner nodes, once the function and the fixed point are checked."""
    result = canonicalise(graph)
    assert_same_function(graph, result.graph, exact=True)
    assert canonicalise(result.graph).graph is result.graph
    lines = to_text(result.graph).splitlines()
    return [text.split(" : ")[0].strip() for text in lines if " = " in text and "put(" not in text]


ONES, ZEROS = np.ones(2), np.zeros(2)
PLAIN = {
    "n1 = Flatten(in; end_axis=1) from a shape": ((2, 3), Reshape((-1,))),
    "n1 = Flatten(in; end_axis=1)": ((2, 3, 4), Flatten(-3, -2)),
    "n1 = Flatten(in; end_axis=1) from three axes": ((2, 3, 4), Reshape((6, 4))),
    "n1 = Reshape(in; shape=[3,2])": ((2, 3), Reshape((3, -1))),
    "n1 = Slice(in; axis=1, start_index=0, stop_index=3, stride=2)": ((2, 6), Slice(-1, 0, 4, 2)),
    "n1 = Slice(in; axis=0, start_index=1, stop_index=2)": ((2, 6), Slice(0, 1, 2, 5)),
    "n1 = Mean(in; axes=[0,1])": ((2, 3), Mean((-1, 0))),
    "n1 = Sum(in; axes=[1], keep=true)": ((2, 3), Sum((-1,), keep=True)),
    "n1 = AveragePool(in; window=[2], stride=[2])": ((2, 4), AveragePool((2,), count_padding=False)),
    "n1 = Delay(in; steps=[2])": ((2, 3), Delay((2, 2))),
    "n1 = Affine(in; weight=f64[2,2]{1.0, 1.0, 1.0, 1.0})": ((2,), Affine(np.ones((2, 2)), ZEROS)),
    "n1 = Conv(in; weight=f64[2,2,1]{1.0, 1.0, 1.0, 1.0})": ((2, 3), Conv(np.ones((2, 2, 1)), ZEROS)),
    "n1 = ConvTranspose(in; weight=f64[2,2,1]{1.0, 1.0, 1.0, 1.0})": (
        (2, 3),
        ConvTranspose(np.ones((2, 2, 1)), ZEROS),
    ),
    "n1 = TemporalKernel(in; weight=f64[1,2,2]{1.0, 1.0, 1.0, 1.0})": (
        (2, 3),
        TemporalKernel(np.ones((1, 2, 2)), ZEROS),
    ),
    "n1 = BatchNorm(in; mean=f64[2]{1.0, 1.0}, variance=f64[2]{1.0, 1.0})": (
        (2, 3),
        BatchNorm(ONES, ONES, ONES, ZEROS),
    ),
    "n1 = Scale(in; scale=f64[2,1]{1.0, 2.0})": ((2, 3), Scale([[1.0] * 3, [2.0] * 3], ZEROS[:, None])),
    "n1 = Scale(in; scale=2.0, shift=f64[3]{0.0, 1.0, 2.0})": (
        (2, 3),
        Scale(np.full((1, 3), 2.0), [[0.0, 1.0, 2.0]] * 2),
    ),
}


SAME = np.full((2, 3), 0.5, np.float32)
CHANNELS = np.array([[0.25], [0.5]], np.float32)
NEURONS = {
    "n1 = IF(in; gain=0.5)": IF(gain=SAME),
    "n1 = IF(in; threshold=f32[2,1]{0.25, 0.5})": IF(threshold=CHANNELS * np.ones((1, 3), np.float32)),
    "n1 = LIF(in; beta=0.5)": LIF(beta=SAME, threshold=np.ones((2, 3)), bias=np.zeros((2, 1))),
    "n1 = CubaLIF(in; alpha=0.5, beta=f32[2,1]{0.25, 0.5})": CubaLIF(alpha=SAME, beta=CHANNELS),
    "n1 = AdaptiveLIF(in; beta=0.5, adapt_decay=0.5, adapt_step=0.5)": AdaptiveLIF(
        beta=SAME, adapt_decay=SAME, adapt_step=SAME
    ),
    "n1 = Integrator(in; gain=0.5)": Integrator(gain=np.float32(0.5)),
    "n1 = LeakyIntegrator(in; beta=0.5)": LeakyIntegrator(beta=SAME),
    "n1 = CubaIntegrator(in; alpha=0.5, beta=0.5)": CubaIntegrator(alpha=SAME, beta=SAME),
    "n1 = ResonateFire(in; cos=0.5, sin=0.5)": ResonateFire(cos=SAME, sin=SAME),
    "n1 = Delta(in; threshold=0.5)": Delta(threshold=SAME),
    "n1 = SigmaDelta(in; threshold=0.5)": SigmaDelta(threshold=SAME),
}
PLAIN |= {text: ((2, 3), node) for text, node in NEURONS.items()}


@pytest.mark.parametrize("text", PLAIN)
def test_fields_are_written_plainly(text: str) -> None:
    shape, node = PLAIN[text]
    assert canonical(line(shape, node)) == [text.partition(" from ")[0]]


def test_every_rule_for_fields_is_tried() -> None:
    tried = {type(node) for _, node in PLAIN.values()}
    assert tried | {Concat} == set(RULES)


IN_A_ROW = {
    "n2 = Permute(in; axes=[1,2,0])": ((2, 3, 4), Permute((2, 0, 1)), Permute((2, 0, 1))),
    "n2 = Flatten(in; end_axis=1)": ((2, 3, 4), Flatten(), Reshape((6, 4))),
    "n2 = Pad(in; widths=[[1,2]])": ((2,), Pad(((1, 0),)), Pad(((0, 2),))),
    "n2 = Delay(in; steps=[2,3])": ((2,), Delay((1,)), Delay((1, 2))),
}


@pytest.mark.parametrize("text", IN_A_ROW)
def test_two_in_a_row_become_one(text: str) -> None:
    shape, *nodes = IN_A_ROW[text]
    assert canonical(line(shape, *nodes)) == [text]


def test_two_that_cancel_go() -> None:
    assert canonical(line((2, 3), Permute((1, 0)), Permute((1, 0)), Flatten(), Reshape((2, 3)))) == []


def test_a_move_that_others_read_stays_for_them_but_is_passed_by() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((2, 3, 4)))
    builder.add("a", Permute((1, 0, 2)), "in")
    builder.add("b", Permute((0, 2, 1)), "a")
    builder.add("pad", Delay((1,)), "in")
    builder.add("pad2", Delay((1,)), "pad")
    for each in ("a", "b", "pad", "pad2"):
        builder.add(f"out_{each}", Output(), each)
    assert canonical(builder.build()) == [
        "a = Permute(in; axes=[1,0,2])",
        "b = Permute(in; axes=[1,2,0])",
        "pad = Delay(in; steps=[1])",
        "pad2 = Delay(pad; steps=[1])",
    ]


def sums(kind: type[Node], carries: str, *groups: tuple[str, tuple[str | Wire, ...]]) -> Graph:
    builder = GraphBuilder()
    for name in "dcba":
        builder.add(name, Input((2,), carries))
    for name, sources in groups:
        builder.add(name, kind(), *sources)
    builder.add("out", Output(), groups[-1][0])
    return builder.build()


@pytest.mark.parametrize("kind", [Add, Multiply])
def test_terms_are_taken_in_and_sorted_as_far_as_that_is_exact(kind: type[Node]) -> None:
    word = kind.__name__
    first = sums(kind, "graded", ("s", ("c", "b")), ("t", ("s", "a")))
    assert canonical(first) == [f"t = {word}(b, c, a)"]
    second = sums(kind, "graded", ("s", ("c", "b")), ("t", ("d", "s", "a")))
    assert canonical(second) == [f"t = {word}(b, c, d, a)"]
    third = sums(kind, "graded", ("s", ("c", "b")), ("t", ("d", "a", "s")))
    assert canonical(third) == [f"s = {word}(b, c)", f"t = {word}(a, d, s)"]
    whole = sums(kind, "int[-2,3]", ("s", ("c", "b")), ("t", ("d", "a", "s", later("a"))))
    assert canonical(whole) == [f"t = {word}(a, ~a, b, c, d)"]
    large = sums(kind, "int[-60000,60000]", *[(f"s{i}", ("c", "b", "a")) for i in range(1)])
    assert canonical(large) == ["s0 = Add(a, b, c)" if kind is Add else "s0 = Multiply(b, c, a)"]


def test_terms_that_others_read_or_that_come_later_stay() -> None:
    delayed = sums(Add, "graded", ("s", ("c", "b")), ("t", (later("s"), "a")))
    assert canonical(delayed) == ["s = Add(b, c)", "t = Add(a, ~s)"]
    twice = sums(Add, "graded", ("s", ("c", "b")), ("t", ("s", "s")))
    assert canonical(twice) == ["s = Add(b, c)", "t = Add(s, s)"]


def test_concats_along_one_axis_become_one_in_their_order() -> None:
    builder = GraphBuilder()
    for name in "cba":
        builder.add(name, Input((2, 3)))
    builder.add("inner", Concat(-1), "c", "b")
    builder.add("other", Concat(0), "c", "b")
    builder.add("all", Concat(1), "a", "inner", "c")
    builder.add("last", Concat(0), "other", "other")
    builder.add("o1", Output(), "all")
    builder.add("o2", Output(), "last")
    assert canonical(builder.build()) == [
        "all = Concat(a, c, b, c; axis=1)",
        "other = Concat(c, b)",
        "last = Concat(other, other)",
    ]


def test_nodes_are_put_in_order_by_their_names_where_there_is_a_choice() -> None:
    builder = GraphBuilder()
    for name, source in (("n10", "x"), ("n2", "x"), ("n1", "n10"), ("a", "n2")):
        if "x" not in builder.nodes:
            builder.add("y", Input((2,)))
            builder.add("x", Input((2,)))
        builder.add(name, Activation("relu"), source)
    for name in ("z_out", "a_out"):
        builder.add(name, Output(), "n1" if name[0] == "z" else "a")
    result = canonicalise(builder.build())
    assert [change.text() for change in result.changes] == ["put the nodes in order"]
    assert list(result.graph.nodes) == ["y", "x", "n2", "a", "n10", "n1", "z_out", "a_out"]


def test_parameters_that_vary_weights_and_names_are_left_alone() -> None:
    lif = LIF(beta=0.5, bias=np.arange(6.0).reshape(2, 3), gain=CHANNELS, threshold=0.25)
    graph = line((2, 3), Affine(np.ones((3, 3)), ONES.repeat(2)[:3]), lif, Scale(2.0), Scale(0.5))
    result = canonicalise(graph)
    assert result.graph is graph


def test_before_and_after_as_text() -> None:
    builder = GraphBuilder()
    builder.add("in", Input((2, 2), "spikes"))
    builder.add("turn", Permute((1, 0)), "in")
    builder.add("flat", Reshape((-1,)), "turn")
    builder.add("fc", Affine(np.ones((1, 4)), [0.0]), "flat")
    builder.add("b", Add(), "fc", later("s"))
    builder.add("s", Add(), "fc", "b")
    builder.add("out", Output(), "s")
    graph = builder.build()
    assert to_text(canonicalise(graph).graph) == (
        "graph network dt=0.001\n"
        '  in = Input(shape=[2,2], carries="spikes") : spikes [2,2]\n'
        "  turn = Permute(in; axes=[1,0]) : spikes [2,2]\n"
        "  flat = Flatten(turn; end_axis=1) : spikes [4]\n"
        "  fc = Affine(flat; weight=f64[1,4]{1.0, 1.0, 1.0, 1.0}) : graded [1]\n"
        "  s = Add(fc, ~s, fc) : graded [1]\n"
        "  out = Output(s) : graded [1]\n"
    )
