"""Lowering contractions: matrix products, scales, one dense matrix, and what needs it."""

import numpy as np
import pytest
from hypothesis import given, settings
from spikeport.toolchain.graph import Graph, Node, chain
from spikeport.toolchain.graph.nodes import Affine, Contract, Input, Output
from spikeport.toolchain.graph.text import to_text
from spikeport.toolchain.passes import make
from support.random_graphs import seeds
from support.same_function import assert_same_function

rng = np.random.default_rng(5)


def line(shape: tuple[int, ...], node: Node) -> Graph:
    return chain([("in", Input(shape)), ("n", node), ("out", Output())])


def lowered(graph: Graph, text: str, **options: object) -> list[str]:
    result = make("lower_contract", **options)(graph)
    assert [change.text() for change in result.changes] == [text]
    assert_same_function(graph, result.graph, exact=False)
    return [node.kind for node in result.graph.nodes.values()][1:-1]


def refused(graph: Graph, **options: object) -> list[str]:
    result = make("lower_contract", **options)(graph)
    assert result.graph is graph
    return [refusal.text() for refusal in result.refusals]


PRODUCTS = {
    "cv,vw->cw": ((3, 5), (5, 4), "4 × 5", ["Affine"]),
    "vc,vw->wc": ((5, 3), (5, 4), "4 × 5", ["Permute", "Affine", "Permute"]),
    "cv,wvcu->uw": ((3, 5), (2, 5, 3, 4), "8 × 15", ["Reshape", "Affine", "Reshape", "Permute"]),
    "cv,wvcu->wu": ((3, 5), (2, 5, 3, 4), "8 × 15", ["Reshape", "Affine", "Reshape"]),
    "cv,cv->": ((3, 5), (3, 5), "1 × 15", ["Reshape", "Affine", "Reshape"]),
    "cv,vw->w": ((3, 5), (5, 4), "4 × 15", ["Reshape", "Affine"]),
    "cv,w->cw": ((3, 5), (4,), "4 × 5", ["Affine"]),
    "cv,wu->cvu": ((3, 5), (2, 4), "4 × 1", ["Reshape", "Affine"]),
    "c,w->cw": ((3,), (4,), "4 × 1", ["Reshape", "Affine"]),
}


@pytest.mark.parametrize("equation", PRODUCTS)
def test_a_contraction_becomes_a_matrix_product(equation: str) -> None:
    shape, constant, size, kinds = PRODUCTS[equation]
    graph = line(shape, Contract(equation, rng.normal(size=constant)))
    assert lowered(graph, f"lowered n, '{equation}', to an Affine of {size}") == kinds


@pytest.mark.parametrize(
    ("equation", "constant", "kinds"),
    [("cv,vc->cv", (5, 3), ["Scale"]), ("cv,v->vc", (5,), ["Scale", "Permute"]), ("cv,->cv", (), ["Scale"])],
)
def test_a_constant_for_each_value_is_a_scale(equation: str, constant: tuple[int, ...], kinds: list[str]) -> None:
    graph = line((3, 5), Contract(equation, rng.normal(size=constant)))
    assert lowered(graph, f"lowered n, '{equation}', to a Scale") == kinds


def test_a_matrix_for_each_entry_takes_one_dense_matrix() -> None:
    graph = line((3, 5), Contract("cv,cvw->cw", rng.normal(size=(3, 5, 4))))
    assert refused(graph) == [
        "n stays: 'cv,cvw->cw' keeps c, which x and the constant share: a matrix for each c; "
        "dense=True makes one of all"
    ]
    words = "lowered n, a Contract, to one matrix of 12 × 15"
    assert lowered(graph, words, dense=True) == ["Reshape", "Affine", "Reshape"]
    (why,) = refused(line((3, 5), Contract("cv,c->c", rng.normal(size=3))))
    assert why == "n stays: 'cv,c->c' scales and sums at once; dense=True makes one matrix of it"


def test_dense_takes_every_matrix_product_along_an_axis() -> None:
    graph = line((3, 5), Affine(rng.normal(size=(4, 5)), rng.normal(size=4)))
    words = "lowered n, an Affine, to one matrix of 12 × 15"
    assert lowered(graph, words, dense=True) == ["Reshape", "Affine", "Reshape"]
    assert refused(line((5,), Affine(rng.normal(size=(4, 5)))), dense=True) == []
    assert refused(graph) == []


def test_a_dense_matrix_that_is_too_large_is_refused_with_its_size() -> None:
    graph = line((30, 25), Contract("cv,vw->cw", rng.normal(size=(25, 25))))
    assert refused(graph, dense=True, most=500_000) == [
        "n stays: as one matrix it would have 750 × 750 = 562500 values, more than the 500000 allowed"
    ]
    assert make("lower_contract", dense=True, most=562_500)(graph).changes


def test_the_type_of_the_weights_stays() -> None:
    graph = line((3, 5), Contract("cv,vw->cw", rng.normal(size=(5, 4)).astype(np.float32)))
    for dense in (False, True):
        found = make("lower_contract", dense=dense)(graph).graph
        (matrix,) = (node for node in found.nodes.values() if isinstance(node, Affine))
        assert matrix.weight.dtype == np.float32
        assert_same_function(graph, found, exact=False)


@settings(max_examples=60, deadline=None)
@given(seeds())
def test_any_equation_keeps_its_function(seed: int) -> None:
    draw = np.random.default_rng(seed)
    sizes = dict(zip("abcdef", draw.integers(1, 4, 6).tolist(), strict=True))
    x, m = ("".join(draw.choice(list("abcdef"), draw.integers(0 if i else 1, 4), replace=False)) for i in range(2))
    both = sorted({*x, *m})
    out = "".join(draw.permutation([letter for letter in both if draw.random() < 0.6]))
    constant = draw.normal(size=tuple(sizes[letter] for letter in m))
    graph = line(tuple(sizes[letter] for letter in x), Contract(f"{x},{m}->{out}", constant))
    for dense in (False, True):
        result = make("lower_contract", dense=dense)(graph)
        assert result.changes or (result.refusals and not dense)
        assert_same_function(graph, result.graph, exact=False)


def test_before_and_after_as_text() -> None:
    graph = line((2, 2), Contract("vc,vw->wc", [[0.0, 1.0], [0.5, 0.5]]))
    assert to_text(graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2,2]) : graded [2,2]\n"
        '  n = Contract(in; equation="vc,vw->wc", constant=f64[2,2]{0.0, 1.0, 0.5, 0.5}) : graded [2,2]\n'
        "  out = Output(n) : graded [2,2]\n"
    )
    assert to_text(make("lower_contract")(graph).graph) == (
        "graph network dt=0.001\n"
        "  in = Input(shape=[2,2]) : graded [2,2]\n"
        "  n_permute = Permute(in; axes=[1,0]) : graded [2,2]\n"
        "  n_matrix = Affine(n_permute; weight=f64[2,2]{0.0, 0.5, 1.0, 0.5}) : graded [2,2]\n"
        "  n = Permute(n_matrix; axes=[1,0]) : graded [2,2]\n"
        "  out = Output(n) : graded [2,2]\n"
    )
