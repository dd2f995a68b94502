"""Fan-out maps against the nodes themselves: a single 1 goes in, and what moves is reached."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.counting.fanout import Fanout, fanout, uniform
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Signal
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.summary import synapses


def reached(node: n.Node, shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape))
    ones = np.eye(size).reshape(size, *shape)
    answers, _ = node.step(node.start(shape, size, np.float64), ones)
    return (answers.reshape(size, -1) != 0).sum(1).reshape(shape)


def laid_out(fan: Fanout, table: int) -> np.ndarray:
    return np.resize(fan.tables[table], fan.shape)


def check(node: n.Node, bare: n.Node, shape: tuple[int, ...]) -> None:
    """`bare` is the node with all weights 1."""
    try:
        sent = node.signal([Signal(shape)]).shape
    except GraphError:
        assume(condition=False)
    fan = fanout(node, shape, sent)
    every, weighted = reached(bare, shape), reached(node, shape)
    assert (np.broadcast_to(fan.every, shape) == every).all()
    assert (np.broadcast_to(fan.weighted, shape) == weighted).all()
    assert fan.dense == every.sum() == synapses(node, shape, sent)
    assert fan.padded >= fan.dense
    assert (fan.weighted is fan.every) == bool((every == weighted).all())
    assert (laid_out(fan, 0) == every).all()
    assert (laid_out(fan, -1) == weighted).all()
    if len(shape) == 3:
        behind = fan.tables_behind
        assert (behind[0] == np.moveaxis(every, 0, -1).ravel()).all()
        assert (behind[-1] == np.moveaxis(weighted, 0, -1).ravel()).all()


@st.composite
def geometry(draw: st.DrawFn) -> dict:
    dims = draw(st.integers(1, 3))
    each = {"kernel": (1, 3), "stride": (1, 3), "dilation": (1, 2), "space": (2, 6 if dims < 3 else 4)}
    found = {name: tuple(draw(st.integers(*ends)) for _ in range(dims)) for name, ends in each.items()}
    found["padding"] = tuple((draw(st.integers(0, 3)), draw(st.integers(0, 3))) for _ in range(dims))
    return {**found, "groups": draw(st.integers(1, 2)), "seed": draw(st.integers(0, 99)), "zeros": draw(st.booleans())}


def weights(g: dict, *shape: int) -> np.ndarray:
    rng = np.random.default_rng(g["seed"])
    return rng.uniform(0.5, 1, shape) * (rng.random(shape) < 0.6 if g["zeros"] else 1)


@settings(deadline=None, max_examples=80)
@given(geometry())
def test_a_convolution_reaches_what_it_moves(g: dict) -> None:
    weight = weights(g, 3 * g["groups"], 2, *g["kernel"])
    try:
        node = n.Conv(weight, None, g["stride"], g["padding"], g["dilation"], g["groups"])
    except GraphError:
        assume(condition=False)
    check(node, replace(node, weight=np.ones(weight.shape)), (2 * g["groups"], *g["space"]))


@settings(deadline=None, max_examples=80)
@given(geometry())
def test_a_transposed_convolution_reaches_what_it_moves(g: dict) -> None:
    weight = weights(g, 2 * g["groups"], 2, *g["kernel"])
    extra = tuple(s - 1 for s in g["stride"])
    node = n.ConvTranspose(weight, None, g["stride"], g["padding"], extra, g["dilation"], g["groups"])
    check(node, replace(node, weight=np.ones(weight.shape)), (2 * g["groups"], *g["space"]))


@settings(deadline=None, max_examples=60)
@given(geometry(), st.booleans())
def test_a_pool_reaches_what_it_moves(g: dict, ceil: bool) -> None:
    node = n.SumPool(g["kernel"], g["stride"], g["padding"], ceil)
    check(node, node, (2, *g["space"]))


@pytest.mark.parametrize("equation", ["cv,vw->cw", "cv,vwz->cw", "cv,vw->w", "cv,ab->cvab", "cv,cv->v", "cv,z->cv"])
def test_a_contraction_reaches_what_it_moves(equation: str) -> None:
    _, _, term = equation.partition(",")
    sizes = {"c": 3, "v": 4, "w": 2, "z": 3, "a": 2, "b": 2}
    constant = np.random.default_rng(3).uniform(0.5, 1, [sizes[letter] for letter in term.split("->")[0]])
    constant.reshape(-1)[::3] = 0
    node = n.Contract(equation, constant)
    check(node, replace(node, constant=np.ones(constant.shape)), (3, 4))


def test_a_matrix_reaches_every_row_with_a_weight() -> None:
    weight = np.array([[1.0, 0, 2], [0, 0, 3]])
    fan = fanout(n.Affine(weight), (4, 3), (4, 2))
    assert (fan.dense, fan.padded, fan.every.item(), fan.weighted.tolist()) == (24, 24, 2, [1, 0, 2])
    check(n.Affine(weight), n.Affine(np.ones((2, 3))), (4, 3))
    assert fanout(n.Affine(np.ones((2, 3))), (4, 3), (4, 2)).constant


def test_the_border_of_a_strided_convolution_by_hand() -> None:
    """Kernel 3, stride 2, padding 1 on 4 values: the places 0 and 2 see −1 0 1 and 1 2 3."""
    fan = fanout(n.Conv(np.ones((5, 1, 3)), None, 2, 1), (1, 4), (5, 2))
    assert np.broadcast_to(fan.every, (1, 4)).tolist() == [[5, 10, 5, 5]]
    assert (fan.dense, fan.padded) == (25, 30)


def test_one_value_at_a_time() -> None:
    assert (uniform((2, 3)).dense, uniform((2, 3)).constant, uniform(()).dense) == (6, True, 1)
    assert fanout(n.Add(), (1,), (1,)) is None
